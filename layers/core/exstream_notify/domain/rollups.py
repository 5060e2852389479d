"""Rollups: one message in place of many alerts: a storm's summary, a daily list, a list of resolutions.

A rollup is an incident of its own, whose reports are incidents: it is stored, told, answered, escalated and
tried again as any other. Its family is its kind.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from shlex import quote
from zoneinfo import ZoneInfo

from .alert_words import TITLES, Alert
from .exceptions import RANK, ExceptionRaised, Severity
from .incident_states import noted, told
from .incidents import AlertRule, Head, Incident, Report, What, incident_id

DOMAIN = "alerts"
"""The domain of rollups: they are about incidents of any domain."""

STORM, DAILY, RESOLUTIONS = "alert_storm", "daily_list", "alerts_resolved"
LISTS = frozenset({DAILY, RESOLUTIONS})
"""Sent once, at their time; they need no answer."""
KINDS = LISTS | {STORM}

GATHERING = timedelta(seconds=30)
"""How long a storm's summary gathers before it is sent; a severe incident in it is sent at once."""

RESOLVED_TOGETHER = timedelta(minutes=5)
"""One resolution is sent at once; further ones within this time are one list."""

LAPSES = 3
"""Lapsed acknowledgements in an hour that are sent one by one. Many incidents acknowledged together lapse
together."""

LINES = 40
"""Lines that one list shows."""


@dataclass(frozen=True, slots=True)
class StormRule:
    """How many alerts a team gets one by one, in a minute and in an hour; severe ones are counted apart.

    A storm ends after `quiet_minutes` without a further alert.
    """

    per_minute: int = 5
    per_hour: int = 10
    quiet_minutes: int = 30

    @property
    def quiet(self) -> timedelta:
        """How long nothing has to come for the storm to end."""
        return timedelta(minutes=self.quiet_minutes)


@dataclass(frozen=True, slots=True)
class DailyRule:
    """When the daily lists are sent: a local time of day, and its zone."""

    at: time = time(8)
    zone: str = "America/New_York"

    def next_after(self, now: datetime) -> datetime:
        """The next such moment after `now`, in UTC."""
        zone = ZoneInfo(self.zone)
        day = now.astimezone(zone).date()
        for days in range(3):
            moment = datetime.combine(day + timedelta(days=days), self.at, zone).astimezone(now.tzinfo)
            if moment > now:
                return moment
        raise AssertionError("each day has such a time")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What is current under a key: a cause's incident, or a team's storm and its latest alerts.

    `current` is a run id, `ended` when that storm ended. `sent` and `severe` are the times of the alerts of
    the last hour, `lapsed` those that told of a lapse, `resolved_at` that of the last resolution told by
    itself. `version` is its optimistic lock.
    """

    key: str
    version: int = 0
    current: str = ""
    since: str = ""
    ended: str = ""
    sent: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()
    resolved_at: str = ""

    @property
    def is_storm(self) -> bool:
        """Whether a storm is on."""
        return bool(self.current) and not self.ended


def of_team(team: str) -> str:
    """The key of a team's bookmark."""
    return f"storm {team}"


def admitted(
    mark: Bookmark, rule: StormRule, now: datetime, *, severe: bool, lapsed: bool = False
) -> Bookmark | None:
    """The team's bookmark with one more alert that goes out by itself; None if it does not.

    Severe alerts have an allowance of their own, which a storm of others does not use up. Lapses have a
    smaller one.
    """
    if mark.is_storm and not severe:
        return None
    at = _stamp(now)
    hour, minute = _stamp(now - timedelta(hours=1)), _stamp(now - timedelta(minutes=1))
    recent = tuple(t for t in (mark.severe if severe else mark.sent) if t > hour)
    if len(recent) >= rule.per_hour or sum(t > minute for t in recent) >= rule.per_minute:
        return None
    if lapsed:
        lapses = tuple(t for t in mark.lapsed if t > hour)
        if len(lapses) >= LAPSES:
            return None
        mark = replace(mark, lapsed=(*lapses, at))
    return replace(mark, severe=(*recent, at)) if severe else replace(mark, sent=(*recent, at))


def started(mark: Bookmark, now: datetime) -> Bookmark:
    """The bookmark with a storm that begins now."""
    at = _stamp(now)
    return replace(mark, current=f"storm-{now:%Y-%m-%dT%H%M%S}", since=at, ended="")


def has_taken_over(mark: Bookmark, told_at: str) -> bool:
    """Whether the team's latest storm includes an incident that had an alert shortly before it, or in it."""
    if not mark.current:
        return False
    before = _stamp(datetime.fromisoformat(mark.since) - timedelta(hours=1))
    return before <= told_at and (not mark.ended or told_at <= mark.ended)


def held(head: Head, incident: Incident, what: What, rule: AlertRule, now: datetime, rollup: Head) -> Head:
    """After a rollup took its place: the team knows of it, nothing went out, and the rollup escalates."""
    after = told(head, incident, what, rule, now, f"within {rollup.run_id}, {rollup.incident_id}")
    return replace(after, alerts=head.alerts, answer_by="", held_in=rollup.incident_id)


def listed(head: Head, incident: Incident, rollup: Head, until: datetime, now: datetime) -> Head:
    """After it was entered in a daily list that is sent at `until`."""
    after = replace(
        head,
        told_count=incident.count,
        held_in=rollup.incident_id,
        listed_until=_stamp(until),
        sending_until="",
    )
    return noted(after, _stamp(now), "alerts", f"entered in {rollup.run_id}")


def first_head(kind: str, run_id: str, team: str, told_from: datetime) -> Head:
    """The head of a new rollup that is not sent before `told_from`."""
    found = rollup_id(kind, run_id, team)
    return Head(found, DOMAIN, run_id, team, kind, muted_until=_stamp(told_from))


def rollup_id(kind: str, run_id: str, team: str) -> str:
    """The incident id of a rollup."""
    return incident_id(DOMAIN, run_id, kind, team)


def entry(kind: str, incident: Incident, team: str, count: int, what: str = "") -> ExceptionRaised:
    """An incident's entry in a rollup of that team, and why; with `count` 0 it leaves it again."""
    severity: Severity = incident.severity if kind == STORM else "warning"
    return ExceptionRaised(
        kind,
        severity,
        incident.domain,
        incident.run_id,
        ", ".join(incident.codes[:3]) + (" …" if len(incident.codes) > 3 else ""),
        part=incident.incident_id,
        count=count,
        detail={
            "incident": incident.incident_id,
            "count": str(incident.count),
            **({"what": what} if what else {}),
        },
        team=team,
    )


def rollup_alert(
    incident: Incident, reports: Sequence[Report], what: What, rule: AlertRule, team: str, link: str
) -> Alert:
    """The words of a rollup."""
    rows = sorted((r.exception for r in reports), key=lambda e: (-RANK[e.severity], e.domain, e.run_id))
    present = [row for row in rows if row.count]
    head = incident.head
    title, facts = (_storm if head.family == STORM else _list)(incident, present, len(rows), what)
    facts = [
        ("Team", incident.team),
        ("Run", f"{incident.domain}/{incident.run_id}"),
        *facts,
        *([] if what == What.RESOLVED else [("For customers", rule.means), ("What to do", rule.advice)]),
        ("Runbook", rule.runbook),
    ]
    return Alert(
        head.incident_id,
        head.alerts + 1,
        what,
        team,
        incident.severity,
        f"[{incident.severity.upper()}] {title}",
        tuple((name, value) for name, value in facts if value),
        (),
        (),
        rule.runbook,
        "" if what == What.RESOLVED or head.family in LISTS else link,
        head.again,
    )


def _storm(
    incident: Incident, present: Sequence[ExceptionRaised], entries: int, what: What
) -> tuple[str, list[tuple[str, str]]]:
    words = {
        What.OPENED: "many alerts at once, summarised here",
        What.ENDED: "the storm has ended",
        What.RESOLVED: "all of them are resolved",
        What.ESCALATED: "nobody has answered",
        What.WORSE: "more severe than before",
    }.get(what, "more than before")
    number = entries if what == What.RESOLVED else len(present)
    title = f"{_number(number, 'further incident')} for {incident.team}: {words}"
    if what == What.RESOLVED:
        return title, [("Incidents", f"{entries:,}, all resolved")]
    worst = present[0] if present else None
    gone = entries - len(present)
    return title, [
        ("Incidents", f"{len(present):,}" + (f", and {gone:,} resolved" if gone else "")),
        ("Worst", f"{worst.severity}: {_line(worst)} in {worst.domain}/{worst.run_id}" if worst else ""),
        ("Domains", _counted(row.domain for row in present)),
        ("Codes", _counted(row.text for row in present)),
        ("Why alerted", _reasons(present)),
        ("First", incident.first_seen),
        ("Last", incident.last_seen),
        ("All of them", f"exnotify incidents --open --team {quote(incident.team)}"),
    ]


def _reasons(present: Sequence[ExceptionRaised]) -> str:
    """Why the incidents of a storm have alerts, if not all of them are new."""
    whats = [What(row.detail.get("what", What.OPENED)) for row in present]
    return _counted(TITLES[what] for what in whats) if set(whats) - {What.OPENED} else ""


def _list(
    incident: Incident, present: Sequence[ExceptionRaised], entries: int, what: What
) -> tuple[str, list[tuple[str, str]]]:
    if incident.family == RESOLUTIONS:
        title = f"{_number(len(present), 'further incident')} for {incident.team}: resolved"
        lines = [(f"{row.domain}/{row.run_id}", _line(row)) for row in present[:LINES]]
    else:
        total = sum(row.count for row in present)
        runs = len({(row.domain, row.run_id) for row in present})
        title = f"daily list for {incident.team}: {total:,} in {_number(runs, 'run')}"
        lines = [(f"{row.domain}/{row.run_id}", _daily_line(row)) for row in present[:LINES]]
    if len(present) > LINES:
        lines.append(("More", f"{len(present) - LINES:,}: exnotify incidents"))
    return title, lines


def _daily_line(row: ExceptionRaised) -> str:
    run = quote(f"{row.domain}/{row.run_id}")
    of_many = row.run_id.startswith(("day-", "event-"))
    names = f"exnotify incidents --run {run} --json" if of_many else f"exnotify run {run} --csv"
    return f"{row.text} × {row.count:,}: {names}"


def _line(row: ExceptionRaised) -> str:
    return f"{row.text} × {int(row.detail.get('count', 1)):,}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _counted(names: Iterable[str]) -> str:
    found = Counter(names)
    rows = [f"{name} {count:,}" for name, count in found.most_common(8)]
    return ", ".join(rows) + (" …" if len(found) > 8 else "")


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
