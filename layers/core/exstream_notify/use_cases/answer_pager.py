"""What somebody does in PagerDuty with a page of ours holds for its incident."""

from dataclasses import replace
from datetime import timedelta

from ..domain.incidents import Head, Incident
from ..domain.pager import PagerEvent, after_event
from ..domain.receipts import stamp
from ..ports import AlertRules, Clock, DueIndex, Incidents
from .alert_exceptions import change_incident
from .falls_due import rule_of


def answer_pager(
    event: PagerEvent, *, rules: AlertRules, incidents: Incidents, due: DueIndex, clock: Clock
) -> Head | None:
    """Acknowledge, resolve or hand back the incident, or note what was done; None if it is unknown.

    Events may come twice, late, and in any order: what is older than the page's newest one changes nothing.
    An incident that is handed back has its rule's time again before it escalates.
    """
    now = clock.now()
    at = now.isoformat(timespec="seconds")
    # By a clock that goes ahead of ours, one event would make all later ones look old.
    event = replace(event, at=min(event.at, stamp(now)))

    def changed(head: Head, incident: Incident) -> Head:
        minutes = rule_of(incident, rules).ack_minutes
        answer_by = (now + timedelta(minutes=minutes)).isoformat(timespec="seconds") if minutes else ""
        return after_event(head, incident, event, answer_by, at)

    return change_incident(event.incident_id, changed, incidents=incidents, due=due, clock=clock)
