"""What of an incident falls due: to tell, to ask again, to escalate, to look at."""

from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.exceptions import ExceptionRaised
from ..domain.flapping import quiet_end, quiet_until
from ..domain.incident_states import gets_worse, opened_again
from ..domain.incidents import URGENCIES, AlertRule, Head, Incident, IncidentStatus, What
from ..domain.rollups import STORM
from ..domain.telling import PAUSES, news_due, what_to_tell
from ..ports import AlertRules

UNTOLD = frozenset({"quiet", "daily"})
"""Urgencies of which no team gets an alert of its own."""


def answered(
    incident: Incident, what: What | None, rule: AlertRule, now: datetime
) -> tuple[Head, What | None]:
    """An acknowledgement ends when the incident gets worse, and after the time that the rule sets."""
    head, at = incident.head, now.isoformat(timespec="seconds")
    lapses = head.ack_until and head.ack_until <= at and head.muted_until <= at
    if head.status != IncidentStatus.ACKNOWLEDGED:
        # Opened again, but whoever was to tell it died, or no channel took it.
        untold = head.status == IncidentStatus.OPEN and lapses
        return head, what or (What.LAPSED if untold else None)
    if gets_worse(incident, what):
        worse = what if what == What.GROWN else What.WORSE
        return opened_again(head, at, "it got worse"), worse
    if rule.ack_lasts_minutes and not head.ack_until:
        until = now + timedelta(minutes=rule.ack_lasts_minutes)
        return replace(head, ack_until=until.isoformat(timespec="seconds")), what
    if lapses:
        return opened_again(head, at, "the acknowledgement ended, the incident is not over"), (
            what or What.LAPSED
        )
    return head, what


def what_now(incident: Incident, rule: AlertRule, storm_end: str, now: datetime) -> What | None:
    """Why the team is to be told, by the incident's rule and its kind."""
    head, at = incident.head, now.isoformat(timespec="seconds")
    what = what_to_tell(incident, at, PAUSES[rule.group])
    is_open = head.status != IncidentStatus.RESOLVED
    if rule.urgency in UNTOLD and what != What.RESOLVED:
        more = (
            is_open and rule.urgency == "daily" and incident.count > max(head.told_count, head.resolved_count)
        )
        return What.LISTED if more else None
    has_ended = head.family == STORM and is_open and not storm_end and head.told_at
    if has_ended and what in (None, What.GROWN) and head.muted_until <= at:
        what = What.ENDED if incident.count > head.told_count else None
    return what


def next_look(incident: Incident, rule: AlertRule, storm_end: str, now: datetime) -> str:
    """When an incident is looked at again though nothing is reported; empty for never."""
    head, at = incident.head, now.isoformat(timespec="seconds")
    waits = [head.look_at, storm_end, quiet_end(incident, rule), quiet_until(head, now)]
    if rule.urgency not in UNTOLD:
        waits.append(news_due(incident, at, PAUSES[rule.group]))
    return min((wait for wait in waits if wait > at), default="")


def escalation(head: Head, at: str) -> What | None:
    """Whether nobody has answered in time."""
    due = head.status == IncidentStatus.OPEN and head.answer_by and head.answer_by <= at
    return What.ESCALATED if due and head.muted_until <= at else None


def rule_of(incident: Incident, rules: AlertRules) -> AlertRule:
    """The rule of its worst cause, with what the incident's severity brings.

    Rules change while an incident is open: it stays the team's that it was of. It is as urgent as the most
    urgent of its causes.
    """
    unknown = ExceptionRaised(incident.family, incident.severity, incident.domain, incident.run_id, "")
    rule = rules.route(incident.cause or unknown, incident.severity)
    urgencies = {rules.route(cause, incident.severity).urgency for cause in incident.causes} | {rule.urgency}
    urgency = max(urgencies, key=URGENCIES.index)
    chains = rules.telling(incident.team, urgency)
    return replace(rule, team=incident.team, family=incident.family, urgency=urgency, chains=chains)
