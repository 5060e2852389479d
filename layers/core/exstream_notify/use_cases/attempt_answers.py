"""What a provider's answer makes of an attempt, over whatever else happened to its notice meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.decisions import Why
from ..domain.deferring import follow_up, pause_for, put_off
from ..domain.messages import Accepted, Answer, GiveUp, TryAgain, Unconfirmed
from ..domain.notices import LOST, Attempt, Notice, Status, claimed_at, finished
from ..domain.watching import FORGOTTEN_AFTER

CONFIRM_WITHIN = timedelta(hours=24)
"""How long a send in doubt waits for a receipt before its type's rule says what follows."""

NOT_RENDERED = str(Why.NOT_RENDERED)


def answered(
    notice: Notice, number: int, answer: Answer, now: datetime, *, lease: float = 0.0, report: str = ""
) -> Notice | None:
    """The notice with the answer to an attempt, or None if nothing changes by it.

    `lease` is that of the claim under which the answer came: "certainly unsent" withdraws this claim alone,
    also where another worker took it for abandoned meanwhile and put it in doubt. `report`: whose report a
    refusal and a doubt are counted in (`Event.report`).
    """
    if isinstance(answer, TryAgain):
        if not is_withdrawable(notice, number, lease):
            return None
        pause = max(pause_for(notice, Why.PROVIDER_DOWN), timedelta(seconds=answer.retry_after or 0))
        return put_off(notice, number, now + pause, Why.PROVIDER_DOWN, now)
    if isinstance(answer, Accepted):
        return finished(notice, number, Status.SENT, now, ref=answer.provider_ref)
    code = code_of(answer)
    counted = f"{code} {report}" if report and code else ""
    if isinstance(answer, Unconfirmed):
        due = (now + CONFIRM_WITHIN).isoformat(timespec="seconds")
        return finished(
            notice, number, Status.UNCONFIRMED, now, why=answer.reason, due_at=due, report=counted
        )
    after = finished(notice, number, Status.FAILED, now, why=answer.reason, report=counted)
    if after is not None and after.status in LOST:
        return replace(after, due_at=follow_up(after, now))
    return after


def code_of(answer: GiveUp | Unconfirmed) -> str:
    """The exception that an answer is, empty for none: what cannot be rendered has one of its own."""
    if isinstance(answer, Unconfirmed):
        return "send_unconfirmed"
    if answer.reason == NOT_RENDERED:
        return ""
    return "address_refused" if answer.whose == "recipient" else "send_refused"


def is_withdrawable(notice: Notice, number: int, lease: float) -> bool:
    """Whether an attempt is still exactly the claim of that lease, and nobody knows what became of it.

    A claim that was submitted again has another lease, and its earlier answers say nothing of the later.
    """
    attempt = notice.attempt(number)
    if attempt is None or attempt.lease != lease:
        return False
    doubted = attempt.status == Status.UNCONFIRMED and attempt.why == Why.ANSWER_LOST
    newest = attempt.number == max(a.number for a in notice.attempts)
    return attempt.status == Status.SENDING or (doubted and newest)


def is_remembered(notice: Notice, attempt: Attempt, now: datetime) -> bool:
    """Whether a provider that de-duplicates still knows an attempt's message, should it have got it."""
    since = claimed_at(notice, attempt.number)
    return since is not None and now - since < FORGOTTEN_AFTER


def counted_in(notice: Notice, report: str) -> list[tuple[str, str]]:
    """Code and reason of all of a notice's events that are counted in a report."""
    found = []
    for event in notice.events:
        code, _, whose = event.report.partition(" ")
        if code and whose == report:
            found.append((code, event.detail.partition(" ")[2] or event.detail))
    return found
