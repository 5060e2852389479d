"""Runs that did not come, did not end, or made good what another one left out."""

from dataclasses import replace

from ..domain.customer_ranges import CustomerSet, Ranges, merged, without
from ..domain.exceptions import ExceptionRaised
from ..domain.incidents import added_up
from ..domain.runs import Run, RunState
from ..ports import AlertRules, ExceptionBus, Records, RecordsGone, RunBook, RunCalendar, Staging
from .alert_exceptions import Alerting, change_incident, look_at_incident
from .expect_runs import check_calendar, check_expected, look_for_missing

RERUN_RECORDS = 20_000
"""A run with more records than this is no re-run of single customers unless its seal says so."""


def check_sealed(domain: str, run_id: str, *, runs: RunBook, exceptions: ExceptionBus) -> None:
    """Some time after a run's first file: has it been sealed? If not, somebody is told."""
    run = runs.get(domain, run_id)
    if run is None or (run.state == RunState.WAITING and not run.sealed and not run.deadline):
        text = "the run has started, its files are there, and no seal has come"
        exceptions.raise_exceptions([ExceptionRaised("run_not_sealed", "error", domain, run_id, text)])


def cover_customers(
    domain: str,
    run_id: str,
    *,
    runs: RunBook,
    staging: Staging,
    records: Records,
    alerting: Alerting,
) -> None:
    """A run was dispatched: incidents whose customers it composed again get that much smaller.

    It counts for an incident if its seal names the other run (`rerun_of`), or if it is of the same
    application and has nobody but customers of that incident: sequence numbers of an ordinary run mean
    other customers.
    """
    run = runs.get(domain, run_id)
    if run is None or not (run.rerun_of or run.composed <= RERUN_RECORDS):
        return
    composed: Ranges | None = None
    for found in alerting.incidents.open_in(domain):
        head = alerting.incidents.head(found)
        if head is None or head.run_id == run_id:
            continue
        incident = added_up(head, alerting.incidents.reports(found))
        if not incident.late or not _cured(alerting.rules, incident.codes[0], incident.domain):
            continue
        if composed is None:
            composed = _customers(run, staging, records)
        if not composed or not _is_rerun(run, composed, head.run_id, incident.customers, runs):
            continue
        covered = merged(head.covered, composed)
        change_incident(
            found,
            lambda h, _, covered=covered: replace(h, covered=merged(h.covered, covered)),  # type: ignore[misc]
            incidents=alerting.incidents,
            due=alerting.due,
            clock=alerting.clock,
        )
        look_at_incident(found, alerting)


def _cured(rules: AlertRules, code: str, domain: str) -> bool:
    return rules.route(ExceptionRaised(code, "error", domain, "", "")).cured_by_rerun


def _is_rerun(run: Run, composed: Ranges, other: str, customers: Ranges, runs: RunBook) -> bool:
    if run.rerun_of:
        return run.rerun_of.rpartition("/")[2] == other
    before = runs.get(run.domain, other)
    return (before is None or before.app == run.app) and not without(composed, customers)


def _customers(run: Run, staging: Staging, records: Records) -> Ranges:
    """The run's customers; none where a part is not stored any more, since the rest proves nothing."""
    found = CustomerSet()
    for pointer in staging.slices(run.domain, run.run_id, run.parts):
        if pointer.kind != "documents":
            continue
        try:
            documents = records.read(pointer)
        except RecordsGone:
            return ()
        for _, document in documents:
            if document.customer_in_run is not None:
                found.add(document.customer_in_run)
    return tuple(found.ranges())


def look_at(
    kind: str,
    name: str,
    calendar: RunCalendar,
    *,
    runs: RunBook,
    exceptions: ExceptionBus,
    alerting: Alerting,
) -> None:
    """Something's time has come; what nobody knows any more is let go."""
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
