"""Runs that did not come, or did not end."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from ..domain.exceptions import ExceptionRaised
from ..domain.expectations import ExpectedRun, next_deadline, opens_at
from ..domain.runs import RunState
from ..ports import Clock, DueIndex, ExceptionBus, RunBook
from .alert_exceptions import Alerting, look_at_incident


def expect_runs(
    expected: Sequence[ExpectedRun],
    placed: set[str],
    *,
    is_day_off: Callable[[str, date], bool],
    due: DueIndex,
    clock: Clock,
) -> None:
    """Lay each expected run's next deadline into the due index.

    `placed` remembers what this process laid there already, so that a minute's sweep writes nothing
    twice; another process writes the same again, which changes nothing.
    """
    for one in expected:
        deadline = next_deadline(one, clock.now(), is_day_off)
        if deadline is None:
            continue
        name = f"{one.key}/{deadline.isoformat(timespec='seconds')}"
        if name not in placed:
            due.wait("expected", name, deadline)
            placed.add(name)


def check_expected(
    name: str, expected: Sequence[ExpectedRun], *, runs: RunBook, exceptions: ExceptionBus
) -> None:
    """At a deadline: has the run come? If not, somebody is told."""
    domain, key, at = name.split("/", 2)
    one = next((e for e in expected if (e.domain, e.name) == (domain, key)), None)
    if one is None:
        return  # no longer expected
    deadline = datetime.fromisoformat(at)
    since = opens_at(one, deadline)
    if any(one.is_met_by(run_id, app) for run_id, app in runs.arrivals(domain, since, deadline)):
        return
    app = f" of {one.app}" if one.app else ""
    text = f"{one.name}: no run{app} came by {one.by.isoformat('minutes')} {one.zone}"
    exceptions.raise_exceptions(
        [ExceptionRaised("run_expected", "error", domain, f"expected-{one.name}-{deadline.date()}", text)]
    )


def check_sealed(domain: str, run_id: str, *, runs: RunBook, exceptions: ExceptionBus) -> None:
    """Some time after a run's first file: has it been sealed? If not, somebody is told."""
    run = runs.get(domain, run_id)
    if run is None or (run.state == RunState.WAITING and not run.sealed and not run.deadline):
        text = "the run has started, its files are there, and no seal has come"
        exceptions.raise_exceptions([ExceptionRaised("run_not_sealed", "error", domain, run_id, text)])


def look_at(
    kind: str,
    name: str,
    expected: Sequence[ExpectedRun],
    *,
    runs: RunBook,
    exceptions: ExceptionBus,
    alerting: Alerting,
) -> None:
    """Something's time has come; what nobody knows any more is let go."""
    if kind == "incident":
        look_at_incident(name, alerting)
    elif kind == "expected":
        check_expected(name, expected, runs=runs, exceptions=exceptions)
    elif kind == "unsealed":
        domain, _, run_id = name.partition("/")
        check_sealed(domain, run_id, runs=runs, exceptions=exceptions)
