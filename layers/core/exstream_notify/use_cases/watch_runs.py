"""Look at the runs that are not over: was what is due sent, do they add up, whom did they reach?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.decisions import Why
from ..domain.exceptions import ExceptionRaised
from ..domain.notices import Outcome
from ..domain.runs import (
    EVENT_RUN,
    Control,
    Reconciliation,
    RecordOutcome,
    Run,
    RunState,
    nobody_new,
    reconcile,
)
from ..ports import Clock, ExceptionBus

SILENT_AFTER = timedelta(minutes=15)
"""An accepted run whose notices are due, and of which none was sent by then, is silent."""

UNBALANCED_AFTER = timedelta(hours=5)
"""A run that does not balance by then is stuck: the send queues promise four hours."""

FORGOTTEN_AFTER = timedelta(days=14)
"""Then no message of the run is left anywhere, and nothing more can change it."""

UNREACHED_PERCENT, UNREACHED_LEAST = 10, 5
"""A run that leaves at least so many of a hundred customers without a notice, and at least so many, pages.
Single customers without an address are a list for the day."""

BACKLOG = 10_000
"""A run behind so many records of earlier runs that are being sent waits its turn at the provider's pace."""

_SENT = (Outcome.NOTIFIED, Outcome.UNCONFIRMED)


class OpenRuns(Protocol):
    """Runs that were written and not settled since."""

    def open(self) -> Iterator[Run]:
        """Each of them, the one that changed first before the others."""

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """What slices and jobs said, as `RunBook.outcomes`."""

    def settle(self, run: Run) -> None:
        """Watch it no longer, unless it was written anew meanwhile."""


@dataclass(slots=True)
class Watched:
    """What one look found; names are `<domain>/<run id>`."""

    open: int = 0
    silent: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    complete: bool = True
    ahead: int = 0  # records of earlier runs that are being sent
    failed: list[Exception] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """For the metrics."""
        return {
            "runs_open": self.open,
            "runs_silent": len(self.silent),
            "runs_unbalanced": len(self.unbalanced),
            "runs_unreached": len(self.unreached),
        }


def watch_runs(
    *, runs: OpenRuns, exceptions: ExceptionBus, clock: Clock, time_left: Callable[[], float]
) -> Watched:
    """Look at every open run once; those that are over are settled and never looked at again.

    A run that notified nobody, since all of it are duplicates of other runs, is reported. One that reached
    too few is counted when it is settled, so once. A run that cannot be looked at holds up no other; why is
    in what is found, for the caller to raise.
    """
    found = Watched()
    for run in runs.open():
        if time_left() < 10:
            found.complete = False
            break
        try:
            _look_at(run, found, runs, exceptions, clock.now())
        except Exception as error:
            found.failed.append(error)
    return found


def _look_at(run: Run, found: Watched, runs: OpenRuns, exceptions: ExceptionBus, now: datetime) -> None:
    age = now - datetime.fromisoformat(run.changed_at) if run.changed_at else timedelta()
    if _is_over(run, age):
        runs.settle(run)
        return
    found.open += 1
    if run.control == Control.HOLD or run.state == RunState.WAITING or age < SILENT_AFTER:
        # A held run waits for a person, who was told; a waiting one for its files, until its deadline.
        return
    sums = reconcile(run, runs.outcomes(run.domain, run.run_id))
    if sums.balanced:
        found.open -= 1
        if nobody_new(sums) and not run.run_id.startswith(EVENT_RUN):
            exceptions.raise_exceptions([_all_duplicates(run, sums.outcomes[Outcome.DUPLICATE])])
        if _reached_too_few(run, sums):
            found.unreached.append(run.name)
        runs.settle(run)
    elif age >= UNBALANCED_AFTER:
        found.unbalanced.append(run.name)
    elif _is_sent(sums):
        found.ahead += sums.outcomes[Outcome.IN_FLIGHT]
    elif sums.outcomes[Outcome.IN_FLIGHT] and found.ahead < BACKLOG:
        # What is deferred, suppressed or on paper by decision is not due, whatever its number.
        found.silent.append(run.name)


def _all_duplicates(run: Run, count: int) -> ExceptionRaised:
    text = f"nobody was notified: {count} of {run.composed} documents are duplicates of other runs"
    return ExceptionRaised("run_all_duplicates", "warning", run.domain, run.run_id, text, count=count)


def _is_over(run: Run, age: timedelta) -> bool:
    # A refused or incomplete run has its exception; a corrected seal writes it, and so opens it, again.
    return (
        run.control == Control.CANCEL
        or run.state in (RunState.REFUSED, RunState.INCOMPLETE)
        or age >= FORGOTTEN_AFTER
    )


def _is_sent(sums: Reconciliation) -> bool:
    return any(sums.outcomes[outcome] for outcome in _SENT)


def _reached_too_few(run: Run, sums: Reconciliation) -> bool:
    """Of a run that is over: a large share has no notice, and not because somebody decided so.

    Marketing is owed to nobody: in a run of several types those unreached count by the others' share.
    """
    no_channel = sums.reasons.get(Outcome.SUPPRESSED, {}).get(Why.NO_CHANNEL, 0)
    unreached = no_channel + sums.outcomes[Outcome.FAILED] + sums.outcomes[Outcome.REJECTED]
    owed = unreached * (run.composed - run.optional) // max(run.composed, 1)
    return owed >= UNREACHED_LEAST and unreached * 100 >= run.composed * UNREACHED_PERCENT
