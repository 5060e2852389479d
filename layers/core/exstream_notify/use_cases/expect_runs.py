"""Runs that the calendar expects: laid under their deadlines, reported where none came, settled by one that
comes late."""

from collections.abc import Collection, Mapping, MutableSet
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from ..domain.exceptions import ExceptionRaised
from ..domain.expectations import (
    AHEAD,
    Arrival,
    ExpectedRun,
    Occurrence,
    at_deadline,
    met,
    next_deadline,
    occurrences,
)
from ..ports import Clock, DueIndex, ExceptionBus, RunBook, RunCalendar
from .alert_exceptions import Alerting

LAID_AHEAD = timedelta(days=2)
"""Deadlines this far ahead are laid into the due index: a sweep that stops for less loses none."""

LOOK_AGAIN = timedelta(minutes=15)
"""How often a run that is missing is looked for again."""

LATE_MOST = timedelta(days=30)
"""How long; arrivals are kept a day longer."""

CHANGE_OF_CLOCKS = timedelta(hours=2)
"""How much longer a window may be in the night of one."""

CHECK_AGAIN = timedelta(hours=1)
"""How often a calendar that cannot be used is checked again."""

MISSING = "run_expected"
REFUSED = "expectations_refused"
DOMAIN, CALENDAR = "exnotify.calendar", "expectations"


def expect_runs(calendar: RunCalendar, placed: MutableSet[str], *, due: DueIndex, clock: Clock) -> None:
    """Lay the next deadlines of each expected run into the due index.

    `placed` remembers what this process laid there already, so that a minute's sweep writes nothing
    twice; another process writes the same again, which changes nothing. An expectation that cannot be
    worked out is left to `check_calendar`, and the others are laid all the same.
    """
    now = clock.now()
    unusable = bool(calendar.refused_expectations)
    for one in calendar.expected_runs:
        try:
            deadlines = _next_deadlines(one, now, calendar)
        except Exception:  # whatever it is, it is reported by `check_calendar`
            unusable = True
            continue
        for deadline in deadlines:
            name = one.name_at(deadline)
            if name not in placed:
                due.wait("expected", name, deadline)
                placed.add(name)
    if unusable and CALENDAR not in placed:
        due.wait("calendar", CALENDAR, now)
        placed.add(CALENDAR)


def _next_deadlines(one: ExpectedRun, now: datetime, calendar: RunCalendar) -> list[datetime]:
    """The next one, and all until `LAID_AHEAD`."""
    coming = (o.deadline for o in occurrences(one, now, now + AHEAD, calendar.is_day_off))
    first = next(coming, None)
    return [first, *takewhile(lambda at: at <= now + LAID_AHEAD, coming)] if first else []


def check_calendar(calendar: RunCalendar, *, exceptions: ExceptionBus, alerting: Alerting) -> None:
    """Report the expectations that cannot be used, and when all can be used again."""
    now = alerting.clock.now()
    refused = [*calendar.refused_expectations]
    for one in calendar.expected_runs:
        try:
            next_deadline(one, now, calendar.is_day_off)
        except Exception as error:  # whatever it is, the others are checked too
            refused.append(f"{one.key}: {type(error).__name__}: {error}")
    if refused:
        alerting.due.wait("calendar", CALENDAR, now + CHECK_AGAIN)
    elif not alerting.incidents.open_in(DOMAIN):
        return
    text = "; ".join(refused[:3]) or "every expectation of rules/domains.yaml can be used again"
    raised = ExceptionRaised(REFUSED, "error", DOMAIN, CALENDAR, text, part=CALENDAR, count=len(refused))
    exceptions.raise_exceptions([raised])


def check_expected(
    name: str, calendar: RunCalendar, *, runs: RunBook, exceptions: ExceptionBus, alerting: Alerting
) -> None:
    """At a deadline: has the run come? If not, that is reported, and the run is looked for from then on."""
    domain, key, at = name.split("/", 2)
    one = _expectation(f"{domain}/{key}", calendar)
    occurrence = at_deadline(one, datetime.fromisoformat(at), calendar.is_day_off) if one else None
    if one is None or occurrence is None:
        return  # no longer expected, or not then
    missed = missed_runs(domain, alerting).get(one.key, {})
    came = _met(one, occurrence.deadline, missed, calendar, runs)
    if occurrence.deadline not in came:
        exceptions.raise_exceptions([_missing(one, occurrence, runs)])
        alerting.due.wait("missing", domain, alerting.clock.now() + LOOK_AGAIN)


def look_for_missing(
    domain: str, calendar: RunCalendar, *, runs: RunBook, exceptions: ExceptionBus, alerting: Alerting
) -> None:
    """Settle what was reported missing in a domain and came late, or is no longer expected.

    The rest is looked for again, until it comes or somebody resolves its incident.
    """
    now = alerting.clock.now()
    waiting = False
    for key, missed in missed_runs(domain, alerting).items():
        one = _expectation(key, calendar)
        came = _met(one, now, missed, calendar, runs) if one else {}
        for deadline, report in missed.items():
            run = came.get(deadline)
            if one is None or at_deadline(one, deadline, calendar.is_day_off) is None:
                exceptions.raise_exceptions([_settled(report, "no longer expected")])
            elif run is not None:
                # Written first: once this one is settled, the run must not meet the next.
                runs.came_late(domain, run, one.name_at(deadline))
                text = f"{one.name}: {run.run_id} came at {run.at.isoformat(timespec='minutes')}"
                exceptions.raise_exceptions([replace(_settled(report, text), names=(run.run_id,))])
            else:
                waiting = waiting or now - deadline < LATE_MOST
    if waiting:
        alerting.due.wait("missing", domain, now + LOOK_AGAIN)


def _settled(report: ExceptionRaised, text: str) -> ExceptionRaised:
    """What takes a report's place when nothing of it is left."""
    e = report
    return ExceptionRaised(e.code, e.severity, e.domain, e.run_id, text, e.part, count=0, detail=e.detail)


def run_came(
    domain: str, calendar: RunCalendar, *, runs: RunBook, exceptions: ExceptionBus, alerting: Alerting
) -> None:
    """A run of a domain came: it may be one that is missing."""
    for name in dict.fromkeys(one.domain for one in calendar.expected_runs):
        if name.lower() == domain.lower():
            look_for_missing(name, calendar, runs=runs, exceptions=exceptions, alerting=alerting)


def missed_runs(domain: str, alerting: Alerting) -> Mapping[str, Mapping[datetime, ExceptionRaised]]:
    """What is reported missing in a domain and not settled: by the expectation's key, then by deadline."""
    family = alerting.rules.route(ExceptionRaised(MISSING, "error", domain, "", "")).family
    found: dict[str, dict[datetime, ExceptionRaised]] = {}
    for incident in alerting.incidents.open_in(domain):
        head = alerting.incidents.head(incident)
        if head is None or head.family != family:
            continue
        for report in alerting.incidents.reports(incident):
            told = report.exception
            if told.code == MISSING and told.count and "deadline" in told.detail:
                deadlines = found.setdefault(told.detail["expected"], {})
                deadlines[datetime.fromisoformat(told.detail["deadline"])] = told
    return found


def _expectation(key: str, calendar: RunCalendar) -> ExpectedRun | None:
    return next((one for one in calendar.expected_runs if one.key == key), None)


def _met(
    one: ExpectedRun, until: datetime, missed: Collection[datetime], calendar: RunCalendar, runs: RunBook
) -> Mapping[datetime, Arrival]:
    """Which run met which occurrence, by all that came by `until`."""
    recent = [deadline for deadline in missed if until - deadline < LATE_MOST]
    oldest = min([*recent, until])
    latest = until + timedelta(minutes=one.within_minutes + one.tolerance_minutes) + CHANGE_OF_CLOCKS
    known = list(occurrences(one, oldest - timedelta(microseconds=1), latest, calendar.is_day_off))
    arrivals = runs.arrivals(one.domain, min(known[0].opens, until), until) if known else []
    return met(one, known, recent, arrivals)


def _missing(one: ExpectedRun, occurrence: Occurrence, runs: RunBook) -> ExceptionRaised:
    by = occurrence.by.isoformat("minutes")
    at = f"-{by.replace(':', '')}" if len(one.by) > 1 else ""
    app = f" of {one.app}" if one.app else ""
    text = f"{one.name}: no run{app} came by {by} {one.zone} on {occurrence.day}"
    came = runs.arrivals(one.domain, occurrence.opens, occurrence.deadline)
    counted = [run.run_id for run in came if one.is_met_by(run.run_id, run.app)]
    for run_id in counted:
        text += f"; {run_id} came and counts as the one that was missing before"
    return ExceptionRaised(
        MISSING,
        "error",
        one.domain,
        f"expected-{one.name}-{occurrence.day}{at}",
        text,
        detail={"expected": one.key, "deadline": occurrence.deadline.isoformat(timespec="seconds")},
        names=tuple(counted),
    )
