"""Incidents: exceptions of one run or cause, code family and team, and the alerts about them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from .composed_again import to_compose
from .customer_ranges import Ranges, from_numbers, from_text, merged, size, stated, without
from .exceptions import RANK, ExceptionRaised, Severity, worst
from .identity import notice_id
from .twins import told_once

SETTLE = timedelta(seconds=30)
"""An incident with an alert is counted again at most this often: a storm brings thousands of reports."""

SENDING = timedelta(seconds=90)
"""How long a worker has for telling an incident before another may think it dead."""


SAMPLES = 3

NO_RUN = "none"
"""The run id of an exception that is of no run."""

EVERYWHERE = "all"
"""The domain of an incident whose cause concerns runs of any domain."""

Urgency = Literal["quiet", "daily", "normal", "urgent"]
"""Listed only; sent once a day in a list; sent; sent by the urgent channels."""

URGENCIES: tuple[Urgency, ...] = ("quiet", "daily", "normal", "urgent")

Group = Literal["run", "day", "cause"]

ALERT_REF = "incident-"
"""Begins the reference of an alert that goes out through a notification provider: its receipts are of no
notice, and must not be taken for receipts of one that the ledger lost."""


class IncidentStatus(StrEnum):
    """OPEN waits for somebody; ACKNOWLEDGED has somebody; RESOLVED is over until it is reported again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class What(StrEnum):
    """Why an alert is sent."""

    OPENED = "opened"
    GROWN = "grown"
    WORSE = "worse"
    CHANGED = "changed"
    REOPENED = "reopened"
    LAPSED = "lapsed"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    ENDED = "ended"
    LISTED = "listed"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What rules/alerts.yaml says of one exception.

    `chains` are told one by one; within a chain the first channel that takes the alert ends it.
    `ack_minutes` is how long it may stay unanswered before the next of `escalation`'s teams is told;
    None: it does not escalate. `ack_lasts_minutes` is how long an acknowledgement holds; None: until the
    incident is resolved. `cured_by_rerun`: composing its customers again cures it, so that the alert
    offers the switch and a later run can resolve it.
    `group` says what shares an incident: a run's exceptions, a day's, or those of one cause over all runs
    (a provider that is down); the latter ends when nothing was reported for `quiet_minutes`.
    """

    team: str
    family: str
    severity: Severity = "error"
    urgency: Urgency = "normal"
    group: Group = "run"
    chains: tuple[tuple[str, ...], ...] = ()
    ack_minutes: int | None = None
    escalation: tuple[str, ...] = ()
    means: str = ""
    advice: str = ""
    runbook: str = ""
    cured_by_rerun: bool = True
    ack_lasts_minutes: int | None = None
    quiet_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One part's report within an incident, as stored."""

    exception: ExceptionRaised
    first_seen: str
    last_seen: str

    @property
    def customers(self) -> Ranges:
        """The customers it names."""
        return merged(from_numbers(self.exception.customers_in_run), stated(self.exception.customers))


@dataclass(frozen=True, slots=True)
class Head:
    """An incident's own state; `version` is its optimistic lock. Times are UTC, ISO 8601.

    `told_*` is what the team was told last, `told_first` the count that growth is measured by, `updates` how
    often it was told since; `alerts` is how many. `held_in` is the rollup that tells of it in its place,
    `listed_until` when that list is told. `returned` are the times at which it came back after the team had
    heard that it was over, `over_since` when it was last found over, `settled` who was late then. `answer_by`
    is when it escalates, `look_at` when it is to be added up or tried again, `sending_until` a worker's
    lease. `covered_by` are runs that composed customers again, with the customers; `remade_by` is a repeat of
    this run that made up for what was missing; `unnamed` is how many named no customer by then. `end` is the
    run's last customer, 0 if not known. `pages` is what PagerDuty was told, `took` which channels took the
    latest alerts, as `<number> <channel> <team>`. `again`: how often it was opened again after an answer.
    """

    incident_id: str
    domain: str
    run_id: str
    team: str
    family: str
    status: IncidentStatus = IncidentStatus.OPEN
    version: int = 0
    alerts: int = 0
    failures: int = 0
    told_count: int = 0
    told_severity: Severity = "info"
    told_codes: tuple[str, ...] = ()
    told_at: str = ""
    told_status: IncidentStatus = IncidentStatus.OPEN
    level: int = 0
    answer_by: str = ""
    look_at: str = ""
    summed_at: str = ""
    sending_until: str = ""
    muted_until: str = ""
    resolved_count: int = 0
    covered_by: tuple[tuple[str, str], ...] = ()
    remade_by: str = ""
    unnamed: int = 0
    end: int = 0
    ack_until: str = ""
    told_first: int = 0
    updates: int = 0
    held_in: str = ""
    listed_until: str = ""
    over_since: str = ""
    settled: str | None = None
    returned: tuple[str, ...] = ()
    history: tuple[Mapping[str, str], ...] = ()
    pages: tuple[Mapping[str, str], ...] = ()
    took: tuple[str, ...] = ()
    again: int = 0

    @property
    def covered(self) -> Ranges:
        """Customers whom later runs composed again."""
        return merged(*(from_text(customers) for _, customers in self.covered_by))

    def next_look(self) -> str:
        """When something falls due, empty for never."""
        waits = [self.look_at, self.sending_until]
        if self.status != IncidentStatus.RESOLVED:
            # A mute that ends tells what it held back; nobody is asked for an answer before.
            asked = self.ack_until if self.status == IncidentStatus.ACKNOWLEDGED else self.answer_by
            waits += [self.muted_until or asked, self.listed_until]
        return min(filter(None, waits), default="")


@dataclass(frozen=True, slots=True)
class Incident:
    """Exceptions of one run, family and team, added up over the parts that reported them.

    `where` are the first of those parts (file, slice, event, notice), each with what its report names;
    `cause` is the worst of what was reported, `causes` the worst of each code, with that code's count.
    `to_compose` are the customers whom composing again cures. `missing` is how many the run says it left
    out, named or not; `unnamed` counts errors that name no customer. `stays` tells that something is left
    which composing again does not cure. `runs` are those that reported it, `domain/run id`.
    """

    head: Head
    severity: Severity
    codes: tuple[str, ...]
    count: int
    first_seen: str
    last_seen: str
    texts: tuple[str, ...]
    customers: Ranges = ()
    sample: tuple[str, ...] = field(default=())
    queues: tuple[str, ...] = ()
    where: tuple[Mapping[str, str], ...] = ()
    cause: ExceptionRaised | None = None
    causes: tuple[ExceptionRaised, ...] = ()
    to_compose: Ranges = ()
    missing: int = 0
    unnamed: int = 0
    stays: bool = False
    runs: tuple[str, ...] = ()

    @property
    def incident_id(self) -> str:
        """Its identity, 32 hex characters."""
        return self.head.incident_id

    @property
    def domain(self) -> str:
        """The run's domain."""
        return self.head.domain

    @property
    def run_id(self) -> str:
        """The run, or the day that stands for many."""
        return self.head.run_id

    @property
    def team(self) -> str:
        """Whose it is."""
        return self.head.team

    @property
    def family(self) -> str:
        """The kind of its causes."""
        return self.head.family

    @property
    def status(self) -> IncidentStatus:
        """Whether somebody has it."""
        return self.head.status

    def as_it_leaves(self, shown: Callable[[str], str]) -> "Incident":
        """With its run's name as people outside may see it; its id stays."""
        head = replace(self.head, domain=shown(self.head.domain), run_id=shown(self.head.run_id))
        runs = ("/".join(map(shown, run.split("/", 1))) for run in self.runs)
        return replace(self, head=head, runs=tuple(runs))

    @property
    def not_named(self) -> int:
        """How many customers the run left out whom nothing names, as far as they are not composed by now."""
        named = size(merged(self.late, self.head.covered))
        return 0 if self.status == IncidentStatus.RESOLVED else max(self.missing - named, 0)

    @property
    def late(self) -> Ranges:
        """Customers to compose again whom no later run has composed."""
        return without(self.to_compose, self.head.covered)


def incident_id(domain: str, run_id: str, family: str, team: str) -> str:
    """Identity of an incident, in the size that a signed link takes."""
    return notice_id(domain, run_id, family, purpose="incident", audience=team)


def grouped_under(exception: ExceptionRaised, rule: AlertRule, at: str) -> str:
    """The run that an exception counts under, or the day: single documents come by thousands, too, and an
    incident of no run, which never ends, would swallow the next week's."""
    if rule.group == "day" or exception.run_id == NO_RUN or exception.run_id.startswith("event-"):
        return f"day-{at[:10]}"
    return exception.run_id


PARTS = 100
"""How many reporting parts an incident names; a storm has thousands."""


SO_FAR = " so far"
"""Ends the part of a report that is sent before all is counted. The whole one, of the same code and of the
part without it, takes its place, whichever of the two arrives last."""


def added_up(head: Head, reports: Sequence[Report]) -> Incident:
    """An incident from its head and all its reports."""
    whole = {(r.exception.code, r.exception.part + SO_FAR) for r in reports}
    reports = [r for r in reports if (r.exception.code, r.exception.part) not in whole]
    reports = _stated_once(reports)
    counting = [r for r in told_once(reports) if r.exception.count] or list(reports)
    told = [r.exception for r in counting]
    errors = [r for r in counting if r.exception.count and RANK[r.exception.severity] >= RANK["error"]]
    curable = [(r.exception, r.customers) for r in reports if r.exception.cured_by_rerun]
    samples = dict.fromkeys(sample for e in told for sample in e.samples or (e.text,))
    return Incident(
        head,
        worst(e.severity for e in told),
        tuple(sorted({e.code for e in told})),
        sum(e.count for e in told),
        min((r.first_seen for r in counting), default=""),
        max((r.last_seen for r in counting), default=""),
        tuple(dict.fromkeys(e.text for e in told)),
        merged(*(r.customers for r in reports)),
        tuple(list(samples)[:SAMPLES]),
        tuple(sorted({e.queue for e in told if e.queue})),
        tuple({"code": e.code, "part": e.part, **e.detail} for e in told[:PARTS]),
        max(told, key=lambda e: RANK[e.severity], default=None),
        worst_by_code(told),
        to_compose(curable, head.end),
        max((e.count for e in told if e.code == "customers_missing"), default=0),
        sum(r.exception.count for r in errors if not r.customers),
        any(not r.exception.cured_by_rerun for r in errors),
        tuple(dict.fromkeys(f"{e.domain}/{e.run_id}" for e in told if e.run_id != NO_RUN)),
    )


_STATED_TWICE = {"exit_status", "composition_errors"}
"""Figures that a run's seal and its summary both state: the larger one counts."""


def _stated_once(reports: Sequence[Report]) -> list[Report]:
    largest: dict[str, Report] = {}
    for report in reports:
        code = report.exception.code
        if code in _STATED_TWICE and (
            code not in largest or report.exception.count > largest[code].exception.count
        ):
            largest[code] = report
    return [r for r in reports if r.exception.code not in _STATED_TWICE or largest[r.exception.code] is r]


def worst_by_code(told: Iterable[ExceptionRaised]) -> tuple[ExceptionRaised, ...]:
    """The worst exception of each code, with the sum of that code's counts; sorted by code."""
    by_code: dict[str, list[ExceptionRaised]] = {}
    for exception in told:
        by_code.setdefault(exception.code, []).append(exception)
    return tuple(
        replace(max(several, key=lambda e: RANK[e.severity]), count=sum(e.count for e in several))
        for _, several in sorted(by_code.items())
    )


def is_over(incident: Incident) -> str:
    """Why nothing is left of an incident, empty if something is."""
    if not incident.count:
        return "what was reported is gone"
    if incident.stays or incident.late or incident.unnamed > incident.head.unnamed:
        return ""
    found = incident.head.covered
    if found and size(found) >= incident.missing:
        runs = ", ".join(run for run, _ in incident.head.covered_by)
        return f"run {runs} composed all of its customers again"
    if run := incident.head.remade_by:
        return f"run {run} composed again what was missing"
    return ""
