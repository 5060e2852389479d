"""Ask a customer for what only they know, count the tries, and lock."""

from collections.abc import Callable

from ..domain.exceptions import ExceptionRaised
from ..domain.second_step import TRIES, Keys, Step, StepAnswer, matches
from ..ports import ExceptionBus, TryCounter

_PLACE = {True: "a secure link", False: "a preference page, and of that customer's secure links,"}


def is_locked(step: Step, tries: TryCounter) -> bool:
    """Whether nothing is asked any more, for this document or for its customer."""
    return tries.highest(step.counted) >= TRIES


def take_second_step(
    step: Step,
    given: str,
    language: str,
    *,
    keys: Callable[[], Keys],
    tries: TryCounter,
    exceptions: ExceptionBus,
    run_id: str = "none",
    handle: str = "",
) -> StepAnswer:
    """Take one answer, on the page of a document or of preferences. Each is counted before it is
    compared, so that answers at the same time cannot be more than the limit; a right one clears the count.

    The last wrong one locks, for the document and for the customer alike, and says so to the team of
    `link_locked`; only an operator lifts that. An answer that can be none (no date, five digits) counts
    like a wrong one: it tells nothing of the right one. `handle` names the contact where there is no
    notice; a hash of the customer's key would say whose it is to everybody who can count.
    """
    counts = tries.count(step.counted)
    if max(counts) <= TRIES:
        if matches(step, given, language, keys()[1]):
            tries.clear(step.counted)
            return StepAnswer.PASSED
        if max(counts) < TRIES:
            return StepAnswer.WRONG
    if TRIES not in counts:
        # Another try was the one that locked, and told.
        return StepAnswer.LOCKED
    notice = step.subject
    exceptions.raise_exceptions(
        [
            ExceptionRaised(
                "link_locked",
                "warning",
                step.domain,
                run_id,
                f"{TRIES} wrong answers: the second step of {_PLACE[bool(notice)]} is locked",
                part=f"notice {notice}" if notice else f"contact handle:{handle}",
                detail={"notice": notice} if notice else {},
            )
        ]
    )
    return StepAnswer.LOCKED
