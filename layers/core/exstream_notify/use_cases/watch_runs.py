"""Look at the runs that are not over: was anybody told, do they add up?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.exceptions import ExceptionRaised
from ..domain.notices import Outcome
from ..domain.runs import EVENT_RUN, Control, RecordOutcome, Run, RunState, nobody_new, reconcile
from ..ports import Clock, ExceptionBus

SILENT_AFTER = timedelta(minutes=15)
"""An accepted run of which nobody was told by then is silent."""

UNBALANCED_AFTER = timedelta(hours=5)
"""A run that does not balance by then is stuck: the send queues promise four hours."""

FORGOTTEN_AFTER = timedelta(days=14)
"""Then no message of the run is left anywhere, and nothing more can change it."""

_TELLS = (
    Outcome.NOTIFIED,
    Outcome.SUPPRESSED,
    Outcome.DEFERRED,
    Outcome.PAPER,
    Outcome.DUPLICATE,
    Outcome.UNCONFIRMED,
)


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
    complete: bool = True

    def counts(self) -> dict[str, int]:
        """For the metrics."""
        return {
            "runs_open": self.open,
            "runs_silent": len(self.silent),
            "runs_unbalanced": len(self.unbalanced),
        }


def watch_runs(
    *, runs: OpenRuns, exceptions: ExceptionBus, clock: Clock, time_left: Callable[[], float]
) -> Watched:
    """Look at every open run once; those that are over are settled and never looked at again.

    A run that notified nobody, since all of it are duplicates of other runs, is reported.
    """
    now = clock.now()
    found = Watched()
    for run in runs.open():
        if time_left() < 10:
            found.complete = False
            break
        age = now - datetime.fromisoformat(run.changed_at) if run.changed_at else timedelta()
        if _is_over(run, age):
            runs.settle(run)
            continue
        found.open += 1
        if run.control == Control.HOLD or run.state == RunState.WAITING or age < SILENT_AFTER:
            # A held run waits for a person, who was told; a waiting one for its files, until its deadline.
            continue
        sums = reconcile(run, runs.outcomes(run.domain, run.run_id))
        if sums.balanced:
            found.open -= 1
            if nobody_new(sums) and not run.run_id.startswith(EVENT_RUN):
                exceptions.raise_exceptions([_all_duplicates(run, sums.outcomes[Outcome.DUPLICATE])])
            runs.settle(run)
        elif _nobody_told(run, sums.outcomes):
            found.silent.append(run.name)
        if not sums.balanced and age >= UNBALANCED_AFTER:
            found.unbalanced.append(run.name)
    return found


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


def _nobody_told(run: Run, outcomes: Mapping[str, int]) -> bool:
    return run.composed > outcomes[Outcome.REJECTED] and not any(outcomes[outcome] for outcome in _TELLS)
