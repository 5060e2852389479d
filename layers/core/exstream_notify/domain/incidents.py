"""Incidents: exceptions of one run, code family and team; when a team is told of one, and when again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from .customer_ranges import SWITCH_CHARS, Ranges, from_numbers, from_text, merged, size, switches, without
from .exceptions import RANK, ExceptionRaised, Severity, worst
from .identity import notice_id

TENFOLD = 10
SETTLE = timedelta(seconds=30)
"""An incident that is told is added up again at most this often: a storm reports itself by thousands."""

SENDING = timedelta(seconds=90)
"""How long a worker has for telling an incident before another may think it dead."""

RETRY = timedelta(minutes=1)
RETRY_MOST = timedelta(minutes=15)
"""When an alert that no channel took is tried again: doubling from the first to the second."""

HISTORY = 60
"""Entries kept of an incident's history: the first and the latest."""

SAMPLES = 3

NO_RUN = "none"
"""The run id of an exception that is of no run."""

Urgency = Literal["quiet", "normal", "urgent"]


ALERT_REF = "incident-"
"""Begins the reference of an alert that goes out through a notification provider: its receipts are of no
notice, and must not be taken for receipts of one that the ledger lost."""


class IncidentStatus(StrEnum):
    """OPEN waits for somebody; ACKNOWLEDGED has somebody; RESOLVED is over until it is reported again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class What(StrEnum):
    """Why a team is told."""

    OPENED = "opened"
    GROWN = "grown"
    WORSE = "worse"
    CHANGED = "changed"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What rules/alerts.yaml says of one exception.

    `chains` are told one by one; within a chain the first channel that takes the alert ends it.
    `ack_minutes` is how long it may stay unanswered before the next of `escalation`'s teams is told;
    None: it does not escalate. `cured_by_rerun`: a later run that has its customers resolves it.
    `group` says what shares an incident: a run's exceptions or a day's.
    """

    team: str
    family: str
    severity: Severity = "error"
    urgency: Urgency = "normal"
    group: Literal["run", "day"] = "run"
    chains: tuple[tuple[str, ...], ...] = ()
    ack_minutes: int | None = None
    escalation: tuple[str, ...] = ()
    means: str = ""
    advice: str = ""
    runbook: str = ""
    cured_by_rerun: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """One part's report within an incident, as stored."""

    exception: ExceptionRaised
    first_seen: str
    last_seen: str

    @property
    def customers(self) -> Ranges:
        """The customers it names."""
        return merged(from_numbers(self.exception.customers_in_run), from_text(self.exception.customers))


@dataclass(frozen=True, slots=True)
class Head:
    """An incident's own state; `version` is its optimistic lock. Times are UTC, ISO 8601.

    `told_*` is what the team was told last. `answer_by` is when it escalates, `look_at` when it is to
    be added up or tried again, `sending_until` a worker's lease while it tells. `covered` are customers
    whom later runs composed again.
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
    covered: Ranges = ()
    history: tuple[Mapping[str, str], ...] = ()

    def next_look(self) -> str:
        """When something falls due, empty for never."""
        waits = [self.look_at, self.sending_until]
        if self.status != IncidentStatus.RESOLVED:
            # A mute that ends tells what it held back; nobody is asked for an answer before.
            waits.append(self.muted_until or self.answer_by)
        return min(filter(None, waits), default="")


@dataclass(frozen=True, slots=True)
class Incident:
    """Exceptions of one run, family and team, added up over the parts that reported them.

    `where` are the first of those parts (file, slice, event, notice), each with what its report names;
    `cause` is the worst of what was reported, `causes` the worst of each code, with that code's count.
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

    @property
    def customers_in_run(self) -> tuple[int, ...]:
        """The customers one by one."""
        return tuple(n for first, last in self.customers for n in range(first, last + 1))

    def as_it_leaves(self, shown: Callable[[str], str]) -> "Incident":
        """With its run's name as people outside may see it; its id stays."""
        return replace(
            self, head=replace(self.head, domain=shown(self.head.domain), run_id=shown(self.head.run_id))
        )

    @property
    def late(self) -> Ranges:
        """Customers whom no later run has composed again."""
        return without(self.customers, self.head.covered)


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
"""Ends the part of a report that is told before all is counted. The whole one, of the same code and of the
part without it, takes its place, whichever of the two arrives last."""


def added_up(head: Head, reports: Sequence[Report]) -> Incident:
    """An incident from its head and all its reports."""
    whole = {(r.exception.code, r.exception.part + SO_FAR) for r in reports}
    reports = [r for r in reports if (r.exception.code, r.exception.part) not in whole]
    counting = [r for r in reports if r.exception.count] or list(reports)
    told = [r.exception for r in counting]
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
    )


def worst_by_code(told: Iterable[ExceptionRaised]) -> tuple[ExceptionRaised, ...]:
    """The worst exception of each code, with the sum of that code's counts; sorted by code."""
    by_code: dict[str, list[ExceptionRaised]] = {}
    for exception in told:
        by_code.setdefault(exception.code, []).append(exception)
    return tuple(
        replace(max(several, key=lambda e: RANK[e.severity]), count=sum(e.count for e in several))
        for _, several in sorted(by_code.items())
    )


def is_news(head: Head, exceptions: Iterable[ExceptionRaised]) -> bool:
    """Whether reports say more than their number: a cause or a severity that nobody was told of."""
    return any(
        e.code not in head.told_codes or RANK[e.severity] > RANK[head.told_severity] for e in exceptions
    )


def what_to_tell(incident: Incident, now: str) -> What | None:
    """Why the team is to be told now; None if it knows already, or wants to hear nothing.

    Muting holds back all but a first severe error: nobody mutes what they have not heard of.
    """
    head = incident.head
    if head.status == IncidentStatus.RESOLVED:
        if incident.count > head.resolved_count:
            return What.REOPENED
        return What.RESOLVED if head.alerts and head.told_status != IncidentStatus.RESOLVED else None
    worse = RANK[incident.severity] > RANK[head.told_severity]
    if head.muted_until > now and not (worse and incident.severity == "severe"):
        return None
    if not head.alerts:
        return What.OPENED
    if worse:
        return What.WORSE
    if set(incident.codes) - set(head.told_codes):
        return What.CHANGED
    if incident.count >= TENFOLD * max(head.told_count, 1):
        return What.GROWN
    return None


def is_over(incident: Incident) -> str:
    """Why nothing is left of an incident, empty if something is."""
    if not incident.count:
        return "what was reported is gone"
    if incident.customers and not incident.late:
        return "later runs composed all of its customers again"
    return ""


def noted(head: Head, at: str, who: str, what: str, why: str = "") -> Head:
    """The head with one more entry in its history."""
    history = (*head.history, {"at": at, "who": who, "what": what, **({"why": why} if why else {})})
    if len(history) > HISTORY:
        history = (*history[:10], *history[-(HISTORY - 10) :])
    return replace(head, history=history)


def acknowledged(head: Head, at: str, who: str, why: str = "") -> Head:
    """Somebody has it: it does not escalate any more. Anything but an open incident stays as it is."""
    if head.status != IncidentStatus.OPEN:
        return head
    return noted(
        replace(head, status=IncidentStatus.ACKNOWLEDGED, answer_by=""), at, who, "acknowledged", why
    )


def resolved(head: Head, at: str, who: str, count: int, why: str = "") -> Head:
    """It is over; more than `count` reported opens it again."""
    if head.status == IncidentStatus.RESOLVED:
        return head
    changed = replace(
        head, status=IncidentStatus.RESOLVED, answer_by="", look_at="", resolved_count=count, muted_until=""
    )
    return noted(changed, at, who, "resolved", why)


def muted(head: Head, at: str, who: str, until: str, why: str = "") -> Head:
    """Nothing more is told of it until then; empty: the mute ends now."""
    what = f"muted until {until}" if until else "mute ended"
    return noted(replace(head, muted_until=until), at, who, what, why)


def told(head: Head, incident: Incident, what: What, rule: AlertRule, now: datetime, said: str) -> Head:
    """After the team was told: what it knows, and by when somebody has to answer."""
    at = now.isoformat(timespec="seconds")
    changed = replace(
        head,
        alerts=head.alerts + 1,
        failures=0,
        told_count=incident.count,
        told_severity=incident.severity,
        told_codes=incident.codes,
        told_at=at,
        told_status=head.status,
        sending_until="",
        look_at="",
    )
    if head.status == IncidentStatus.OPEN and what != What.ESCALATED and not head.answer_by:
        changed = replace(changed, level=0, answer_by=_answer_by(rule, now))
    return noted(changed, at, "alerts", f"told {rule.team}: {what}", said)


def escalated(head: Head, rule: AlertRule, now: datetime, said: str) -> Head:
    """After the next team was told; the one after it is told when this one does not answer either."""
    at = now.isoformat(timespec="seconds")
    level = head.level + 1
    # After the last team there is one more moment: then nobody has answered.
    changed = replace(
        head, level=level, answer_by=_answer_by(rule, now), sending_until="", alerts=head.alerts + 1
    )
    return noted(changed, at, "alerts", f"escalated to {rule.escalation[head.level]}", said)


def _answer_by(rule: AlertRule, now: datetime) -> str:
    if rule.ack_minutes is None:
        return ""
    return (now + timedelta(minutes=rule.ack_minutes)).isoformat(timespec="seconds")


def try_again_at(failures: int, now: datetime) -> str:
    """When an alert that nobody took is tried again."""
    return (now + min(RETRY * (1 << min(failures, 5)), RETRY_MOST)).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Alert:
    """What a team is told, the same for every channel. Nothing in it is personal.

    `number` tells the alerts of one incident apart; `key` is the same for all of them.
    """

    key: str
    number: int
    what: What
    team: str
    severity: Severity
    title: str
    facts: tuple[tuple[str, str], ...]
    samples: tuple[str, ...]
    rerun: tuple[str, ...]
    runbook: str
    link: str

    def text(self) -> str:
        """As plain text."""
        lines = [self.title, ""]
        lines += [f"{name}: {value}" for name, value in self.facts]
        lines += ["", "Examples (masked):", *(f"  {s}" for s in self.samples)] if self.samples else []
        lines += ["", "Compose again with:", *(f"  {s}" for s in self.rerun)] if self.rerun else []
        lines += ["", f"Acknowledge: {self.link}"] if self.link else []
        return "\n".join(lines)


RERUN_LINES = 20
"""Switches that one alert shows; `exnotify incidents` shows them all."""


def make_alert(
    incident: Incident,
    what: What,
    rule: AlertRule,
    team: str,
    link: str,
    *,
    switch_chars: int = SWITCH_CHARS,
) -> Alert:
    """The words of an alert."""
    codes = incident.codes[0] if len(incident.codes) == 1 else f"{rule.family} ({len(incident.codes)} codes)"
    title = (
        f"[{incident.severity.upper()}] {codes} × {incident.count:,} in {incident.domain}/{incident.run_id}: "
        f"{_TITLES[what]}"
    )
    facts = [
        ("Team", incident.team),
        ("Run", f"{incident.domain}/{incident.run_id}"),
        ("Codes", ", ".join(incident.codes[:12]) + (" …" if len(incident.codes) > 12 else "")),
        ("Count", f"{incident.count:,}"),
        ("First", incident.first_seen),
        ("Last", incident.last_seen),
        ("What happened", "; ".join(incident.texts[:3])),
        ("For customers", meaning(incident, rule)),
    ]
    if incident.queues:
        facts.append(("Queues", ", ".join(incident.queues)))
    rerun = () if what == What.RESOLVED else tuple(switches(incident.late, switch_chars))
    if len(rerun) > RERUN_LINES:
        more = len(rerun) - RERUN_LINES
        rerun = (*rerun[:RERUN_LINES], f"and {more} more: exnotify incidents --run {incident.run_id}")
    if what != What.RESOLVED:
        facts.append(("What to do", rule.advice))
    facts.append(("Runbook", rule.runbook))
    return Alert(
        incident.incident_id,
        incident.head.alerts + 1,
        what,
        team,
        incident.severity,
        title,
        tuple((name, value) for name, value in facts if value),
        tuple(sample for sample in incident.sample if sample not in incident.texts),
        rerun,
        rule.runbook,
        "" if what == What.RESOLVED else link,
    )


def meaning(incident: Incident, rule: AlertRule) -> str:
    """What an incident means for customers."""
    late = size(incident.late)
    means = rule.means.replace("{count}", f"{incident.count:,}")
    if late and RANK[incident.severity] >= RANK["error"]:
        return f"documents of {late:,} customer{'s' if late > 1 else ''} late" + (
            f"; {means}" if means else ""
        )
    if late and not means:
        return f"{late:,} customer{'s' if late > 1 else ''} affected; their documents were composed"
    return means


_TITLES: Mapping[What, str] = {
    What.OPENED: "new",
    What.GROWN: "ten times as many",
    What.WORSE: "more severe than before",
    What.CHANGED: "a further cause",
    What.REOPENED: "back after it was resolved",
    What.ESCALATED: "nobody has answered",
    What.RESOLVED: "resolved",
}
