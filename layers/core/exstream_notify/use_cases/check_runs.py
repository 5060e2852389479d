"""Runs that did not come, did not end, or made good what another one left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from ..domain.customer_ranges import CustomerSet, Ranges, merged, without
from ..domain.exceptions import ExceptionRaised
from ..domain.expectations import ExpectedRun, next_deadline, opens_at
from ..domain.incidents import added_up
from ..domain.runs import Run, RunState
from ..ports import AlertRules, Clock, DueIndex, ExceptionBus, Records, RecordsGone, RunBook, Staging
from .alert_exceptions import Alerting, change_incident, look_at_incident

RERUN_RECORDS = 20_000
"""A run with more records than this is no re-run of single customers unless its seal says so."""


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
