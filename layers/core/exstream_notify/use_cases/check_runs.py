"""Runs that did not come, or did not end."""

from collections.abc import Mapping

from ..domain.exceptions import ExceptionRaised
from ..domain.runs import RunState
from ..ports import ExceptionBus, RunBook, RunCalendar
from .alert_exceptions import Alerting, look_at_incident
from .check_channels import check_channels
from .expect_runs import check_calendar, check_expected, look_for_missing
from .known_channels import KnownChannels


def check_sealed(domain: str, run_id: str, *, runs: RunBook, exceptions: ExceptionBus) -> None:
    """Some time after a run's first file: has it been sealed? If not, somebody is told."""
    run = runs.get(domain, run_id)
    if run is None or (run.state == RunState.WAITING and not run.sealed and not run.deadline):
        text = "the run has started, its files are there, and no seal has come"
        exceptions.raise_exceptions([ExceptionRaised("run_not_sealed", "error", domain, run_id, text)])


def look_at(
    kind: str,
    name: str,
    calendar: RunCalendar,
    channels: KnownChannels,
    *,
    runs: RunBook,
    exceptions: ExceptionBus,
    alerting: Alerting,
) -> Mapping[str, int]:
    """Something's time has come; counts for the metrics. What nobody knows any more is let go."""
    if kind == "channels":
        return check_channels(alerting.rules, channels, alerting.clock).counts()
    if kind == "incident":
        look_at_incident(name, alerting)
    elif kind == "expected":
        check_expected(name, calendar, runs=runs, exceptions=exceptions, alerting=alerting)
    elif kind == "missing":
        look_for_missing(name, calendar, runs=runs, exceptions=exceptions, alerting=alerting)
    elif kind == "calendar":
        check_calendar(calendar, exceptions=exceptions, alerting=alerting)
    elif kind == "unsealed":
        domain, _, run_id = name.partition("/")
        check_sealed(domain, run_id, runs=runs, exceptions=exceptions)
    return {}
