"""Take in what a provider reports of an alert that it accepted: where it bounced, tell the next channel."""

from dataclasses import replace

from ..domain.alert_words import make_alert
from ..domain.channels import AlertReceipt, team_mark
from ..domain.incident_states import noted
from ..domain.incidents import Head, Incident, IncidentStatus, What, added_up
from .alert_exceptions import Alerting, change_incident
from .falls_due import rule_of
from .known_channels import KnownChannels
from .tell_team import TOOK, Reached, chains_after, tell_team


def alert_reported(receipt: AlertReceipt, channels: KnownChannels, alerting: Alerting) -> None:
    """Note a receipt of an alert; where it did not arrive, tell the next channel of each line it was in.

    Once for each alert and channel, however many reports come. Where no channel is left, the next team of the
    escalation is told at once, and the last resort. A receipt for a team that no rule names is let go.
    """
    team = next((name for name in alerting.rules.alert_teams if team_mark(name) == receipt.team), None)
    if team is None:
        return
    head = alerting.incidents.head(receipt.incident_id)
    again = head is not None and f"!{receipt.key}" in head.took
    if not (again and receipt.outcome == "failed"):  # which would count twice
        channels.heard(receipt.channel, team, receipt.outcome, receipt.why, receipt.address)
    if head is None or again or receipt.outcome == "delivered":
        return
    incident = added_up(head, alerting.incidents.reports(receipt.incident_id))
    reached = Reached("", sent=True, why="")
    if receipt.reached is False and head.status != IncidentStatus.RESOLVED:
        reached = _told_next(receipt, team, incident, alerting)
    at = alerting.now()

    def changed(h: Head, _: Incident) -> Head:
        took = (*(entry for entry in h.took if entry != receipt.key), f"!{receipt.key}")
        h = reached.kept(
            replace(h, took=took[-TOOK:], alerts=h.alerts + bool(reached.said)), What.UNDELIVERED
        )
        if not reached.sent and h.status == IncidentStatus.OPEN and h.answer_by:
            h = replace(h, answer_by=at)
        why = "; ".join(filter(None, (receipt.why, reached.said)))
        return noted(h, at, "alerts", f"{receipt.channel} did not reach {team}", why)

    change_incident(
        receipt.incident_id, changed, incidents=alerting.incidents, due=alerting.due, clock=alerting.clock
    )


def _told_next(receipt: AlertReceipt, team: str, incident: Incident, alerting: Alerting) -> Reached:
    rule = rule_of(incident, alerting.rules)
    own = team == rule.team
    chains = rule.chains if own else alerting.rules.telling(team, rule.urgency)
    link = alerting.link_for(incident.incident_id)
    chars = alerting.rules.rerun_chars
    alert = make_alert(incident, What.UNDELIVERED, rule, team, link, switch_chars=chars)
    reached = tell_team(alert, chains_after(receipt, chains, incident.head), alerting.channels)
    prefix, suffix = f"{receipt.number} ", f" {receipt.team}"
    elsewhere = any(
        entry.startswith(prefix) and entry.endswith(suffix) and entry != receipt.key
        for entry in incident.head.took
    )
    if not reached.sent and not elsewhere:
        alerting.channels.last_resort(alert, reached.said or "no channel is left")
    return replace(reached, sent=reached.sent or elsewhere)
