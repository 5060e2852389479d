"""Limit a team's alerts: a storm, a daily list or a list of resolutions in place of single alerts.

The team's bookmark says how many alerts it got of late, and which storm is on. It is written once for each
alert that goes out and at a storm's two ends; within a storm it is only read, whatever comes.
"""

from dataclasses import replace
from datetime import datetime

from ..domain.exceptions import ExceptionRaised
from ..domain.flapping import WINDOW
from ..domain.incidents import EVERYWHERE, AlertRule, Head, Incident, IncidentStatus, What, incident_id
from ..domain.rollups import (
    DAILY,
    GATHERING,
    RESOLUTIONS,
    RESOLVED_TOGETHER,
    STORM,
    Bookmark,
    admitted,
    entry,
    first_head,
    has_taken_over,
    of_team,
    rollup_id,
    started,
)
from .alerting import TRIES, Alerting, IncidentBusy


def enter(
    rollup: Head, incident: Incident, alerting: Alerting, count: int = 1, what: str = ""
) -> ExceptionRaised:
    """Enter an incident in a rollup and why, or with `count` 0 take it out; the entry as recorded."""
    shown = incident.as_it_leaves(alerting.rules.vocabulary.shown)
    row = entry(rollup.family, shown, rollup.team, count, what)
    alerting.incidents.record(rollup.incident_id, row, alerting.now())
    return row


def is_admitted(incident: Incident, what: What, team: str, alerting: Alerting) -> bool:
    """Whether an alert goes out to that team by itself; counted if it does."""
    rule, now = alerting.rules.storm(team), alerting.clock.now()
    for _ in range(TRIES):
        mark = alerting.incidents.bookmark(of_team(team))
        after = admitted(mark, rule, now, severe=incident.severity == "severe", lapsed=what == What.LAPSED)
        if after is None:
            return False
        if _saved(after, alerting):
            return True
    return False  # so many workers tell this team at once that it is a storm


def storm_of(team: str, alerting: Alerting) -> Head:
    """The head of the team's storm before its first alert; it begins if none is on."""
    now = alerting.clock.now()
    for _ in range(TRIES):
        mark = alerting.incidents.bookmark(of_team(team))
        if not mark.is_storm:
            mark = started(mark, now)
            if not _saved(mark, alerting):
                continue
        return first_head(STORM, mark.current, team, now + GATHERING)
    raise IncidentBusy(of_team(team))


def storm_end(incident: Incident, alerting: Alerting) -> str:
    """When a storm ends if nothing more comes; empty for no storm, and for one that is over."""
    if incident.family != STORM or not incident.last_seen:
        return ""
    mark = alerting.incidents.bookmark(of_team(incident.team))
    if mark.current != incident.run_id or mark.ended:
        return ""
    end = datetime.fromisoformat(incident.last_seen) + alerting.rules.storm(incident.team).quiet
    if end <= alerting.clock.now() and _saved(replace(mark, ended=alerting.now()), alerting):
        return ""
    return max(end, alerting.clock.now() + GATHERING).isoformat(timespec="seconds")


def storm_that_answers(incident: Incident, team: str, alerting: Alerting) -> Head | None:
    """The open storm of that team that escalates in place of an incident alerted shortly before it."""
    mark = alerting.incidents.bookmark(of_team(team))
    if not has_taken_over(mark, incident.head.told_at):
        return None
    storm = alerting.incidents.head(rollup_id(STORM, mark.current, team))
    return storm if storm and storm.status != IncidentStatus.RESOLVED else None


def resolutions_of(team: str, alerting: Alerting) -> Head | None:
    """The list that a resolution is sent in; None if it is sent by itself, which is noted."""
    now = alerting.clock.now()
    for _ in range(TRIES):
        mark = alerting.incidents.bookmark(of_team(team))
        if mark.resolved_at:
            until = datetime.fromisoformat(mark.resolved_at) + RESOLVED_TOGETHER
            if until > now:
                return first_head(RESOLUTIONS, f"resolved-{mark.resolved_at}", team, until)
        if _saved(replace(mark, resolved_at=alerting.now()), alerting):
            return None
    raise IncidentBusy(of_team(team))


def daily_list(team: str, alerting: Alerting) -> tuple[Head, datetime]:
    """The head of the team's next daily list before it is sent, and when that is."""
    until = alerting.rules.daily.next_after(alerting.clock.now())
    return first_head(DAILY, f"daily-{until:%Y-%m-%dT%H%M}", team, until), until


def run_of_cause(raised: ExceptionRaised, rule: AlertRule, alerting: Alerting) -> str:
    """The run id that stands for a cause over several runs: the open incident's, or that of a new one.

    The cause is what the exception names in its detail (the channel and its provider), else its code.
    """
    cause = raised.detail.get("cause", raised.code)
    now = alerting.clock.now()
    for _ in range(TRIES):
        mark = alerting.incidents.bookmark(f"cause {rule.team} {rule.family} {cause}")
        if mark.current:
            head = alerting.incidents.head(incident_id(EVERYWHERE, mark.current, rule.family, rule.team))
            ended = head.over_since or head.told_at if head and head.status == IncidentStatus.RESOLVED else ""
            if not ended or datetime.fromisoformat(ended) > now - WINDOW:
                return mark.current
        name = "-".join("".join(c if c.isalnum() else " " for c in cause).split())
        after = replace(mark, current=f"{name[:60]}-{now:%Y-%m-%dT%H%M%S}", since=alerting.now())
        if _saved(after, alerting):
            return after.current
    raise IncidentBusy(cause)


def _saved(mark: Bookmark, alerting: Alerting) -> bool:
    return alerting.incidents.save_bookmark(replace(mark, version=mark.version + 1))
