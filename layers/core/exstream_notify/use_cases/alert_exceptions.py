"""Record exceptions as incidents, and tell the teams: once, again when it matters, up when nobody answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.exceptions import ExceptionRaised
from ..domain.incidents import (
    SENDING,
    SETTLE,
    Alert,
    AlertRule,
    Head,
    Incident,
    IncidentStatus,
    What,
    added_up,
    escalated,
    grouped_under,
    incident_id,
    is_news,
    is_over,
    make_alert,
    noted,
    resolved,
    told,
    try_again_at,
    what_to_tell,
)
from ..ports import AlertChannels, AlertRules, Clock, DueIndex, Incidents

_TRIES = 8


class IncidentBusy(Exception):
    """Other workers kept writing the incident's head: try again later."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """What telling takes; `link_for` makes an incident's signed link."""

    rules: AlertRules
    incidents: Incidents
    channels: AlertChannels
    due: DueIndex
    clock: Clock
    link_for: Callable[[str], str]

    def now(self) -> str:
        """Now, as it is stored."""
        return self.clock.now().isoformat(timespec="seconds")


def alert_exceptions(exceptions: Sequence[ExceptionRaised], alerting: Alerting) -> list[str]:
    """Record reports, then tell of each incident that they are part of; the incidents' ids.

    At least once: what was recorded before a worker died is recorded again, which changes nothing, and
    what it had not told is told by the redelivery or by the incident's own due time. An incident is
    told by one worker at a time, by its head's optimistic lock.
    """
    news: dict[str, list[ExceptionRaised]] = {}
    heads: dict[str, Head] = {}
    at = alerting.now()
    for raised in exceptions:
        rule = alerting.rules.route(raised)
        run = grouped_under(raised, rule, at)
        exception = replace(raised, severity=rule.severity)
        if not alerting.rules.shows_samples(rule.team):
            exception = replace(exception, samples=())
        if run != raised.run_id:
            # Under a day, the part alone no longer tells whose report it is.
            exception = replace(exception, part=f"{raised.run_id} {raised.part}")
        found = incident_id(raised.domain, run, rule.family, rule.team)
        heads.setdefault(found, Head(found, raised.domain, run, rule.team, rule.family))
        alerting.incidents.record(found, exception, at)
        news.setdefault(found, []).append(exception)
    for found, reported in news.items():
        head = alerting.incidents.head(found) or heads[found]
        if _can_wait(head, reported, alerting.clock.now()):
            _look_later(head, alerting)
        else:
            _look(found, heads[found], alerting)
    return list(news)


def look_at_incident(found: str, alerting: Alerting) -> None:
    """An incident's time has come: add it up, try again what nobody took, escalate, tell that it is over."""
    head = alerting.incidents.head(found)
    if head is not None:
        _look(found, head, alerting)


def _can_wait(head: Head, reported: Sequence[ExceptionRaised], now: datetime) -> bool:
    """A storm adds to what is told already: it is added up now and then, not at each report."""
    if not head.alerts or head.status == IncidentStatus.RESOLVED or is_news(head, reported):
        return False
    return bool(head.summed_at) and now - datetime.fromisoformat(head.summed_at) < SETTLE


def _look_later(head: Head, alerting: Alerting) -> None:
    if head.look_at > alerting.now():
        return
    until = (alerting.clock.now() + SETTLE).isoformat(timespec="seconds")
    _change(head.incident_id, head, alerting, lambda now: replace(now, look_at=now.look_at or until))


def _look(found: str, first: Head, alerting: Alerting) -> None:
    for _ in range(_TRIES):
        head = alerting.incidents.head(found) or first
        incident = added_up(head, alerting.incidents.reports(found))
        now = alerting.clock.now()
        at = now.isoformat(timespec="seconds")
        if head.sending_until > at:
            # Another worker tells it just now, perhaps without our reports: look again when it is done.
            _settle(head, alerting)
            return
        over = is_over(incident) if head.status != IncidentStatus.RESOLVED else ""
        if over:
            head = resolved(head, at, "alerts", incident.count, over)
        rule = _rule_of(incident, alerting.rules)
        what = what_to_tell(replace(incident, head=head), at)
        if what == What.REOPENED:
            head = replace(head, status=IncidentStatus.OPEN, answer_by="", told_count=head.resolved_count)
            head = noted(head, at, "alerts", "reported again")
        if what is None:
            what = _escalation(head, rule, at)
        if rule.urgency == "quiet" and what is not What.RESOLVED:
            what = None
            head = replace(head, answer_by="")
        lease = (now + SENDING).isoformat(timespec="seconds") if what else ""
        claimed = replace(
            head,
            version=head.version + 1,
            summed_at=at,
            sending_until=lease,
            look_at=_still(head.look_at, at),
            muted_until=_still(head.muted_until, at),
        )
        # Under its due time before it is written: a worker that dies in between leaves a trace.
        _settle(claimed, alerting)
        if not alerting.incidents.save(claimed):
            continue
        if what is not None:
            _tell(replace(incident, head=claimed), what, rule, alerting)
        return
    raise IncidentBusy(found)


def _still(until: str, at: str) -> str:
    return until if until > at else ""


def _escalation(head: Head, rule: AlertRule, at: str) -> What | None:
    due = head.status == IncidentStatus.OPEN and head.answer_by and head.answer_by <= at
    return What.ESCALATED if due and head.muted_until <= at else None


def _rule_of(incident: Incident, rules: AlertRules) -> AlertRule:
    """The rule of its worst cause, with what the incident's severity brings.

    Rules change while an incident is open: it stays the team's that it was of.
    """
    unknown = ExceptionRaised(incident.family, incident.severity, incident.domain, incident.run_id, "")
    rule = rules.route(incident.cause or unknown, incident.severity)
    chains = rule.chains if rule.team == incident.team else rules.telling(incident.team, rule.urgency)
    return replace(rule, team=incident.team, family=incident.family, chains=chains)


def _tell(incident: Incident, what: What, rule: AlertRule, alerting: Alerting) -> None:
    head = incident.head
    if what == What.ESCALATED:
        _escalate(incident, rule, alerting)
        return
    alert = _alert(incident, what, rule, rule.team, alerting)
    said, sent, why = _by_channels(alert, rule.chains, alerting.channels)
    now = alerting.clock.now()
    if sent:
        _change(head.incident_id, head, alerting, lambda h: told(h, incident, what, rule, now, said))
        return
    alerting.channels.last_resort(alert, why)
    at = now.isoformat(timespec="seconds")

    def failed(h: Head) -> Head:
        later = try_again_at(h.failures, now)
        return noted(
            replace(h, failures=h.failures + 1, sending_until="", look_at=later),
            at,
            "alerts",
            f"nobody could be told: {what}",
            said,
        )

    _change(head.incident_id, head, alerting, failed)


def _escalate(incident: Incident, rule: AlertRule, alerting: Alerting) -> None:
    head = incident.head
    now = alerting.clock.now()
    if head.level >= len(rule.escalation):
        alert = _alert(incident, What.ESCALATED, rule, rule.team, alerting)
        alerting.channels.last_resort(alert, "nobody has answered")
        at = now.isoformat(timespec="seconds")
        _change(
            head.incident_id,
            head,
            alerting,
            lambda h: noted(
                replace(h, answer_by="", sending_until=""),
                at,
                "alerts",
                "nobody has answered",
                "no team is left",
            ),
        )
        return
    team = rule.escalation[head.level]
    alert = _alert(incident, What.ESCALATED, rule, team, alerting)
    said, sent, why = _by_channels(alert, alerting.rules.telling(team, rule.urgency), alerting.channels)
    if not sent:
        alerting.channels.last_resort(alert, why)

    def up(h: Head) -> Head:
        # Somebody answered while the next team was being told: then it goes no further.
        if h.status != IncidentStatus.OPEN:
            return replace(h, sending_until="")
        return escalated(h, rule, now, said)

    _change(head.incident_id, head, alerting, up)


def _alert(incident: Incident, what: What, rule: AlertRule, team: str, alerting: Alerting) -> Alert:
    link = alerting.link_for(incident.incident_id)
    incident = incident.as_it_leaves(alerting.rules.vocabulary.shown)
    if not alerting.rules.shows_samples(team):
        incident = replace(incident, sample=())
    return make_alert(incident, what, rule, team, link, switch_chars=alerting.rules.rerun_chars)


def _by_channels(
    alert: Alert, chains: Sequence[Sequence[str]], channels: AlertChannels
) -> tuple[str, bool, str]:
    """Every line of channels, each until one takes it: what became of it, whether anybody was told, and
    why not."""
    outcomes: dict[str, str] = {}
    sent = False
    for chain in chains:
        for channel in chain:
            if channel not in outcomes:
                answer = channels.tell(channel, alert.team, alert)
                outcomes[channel] = answer.outcome if answer.outcome != "failed" else f"failed ({answer.why})"
            if outcomes[channel] == "sent":
                sent = True
                break
    said = ", ".join(f"{channel} {outcome}" for channel, outcome in outcomes.items() if outcome != "absent")
    return said, sent, said or "no channel is set up"


def _change(found: str, head: Head, alerting: Alerting, change: Callable[[Head], Head]) -> None:
    """Write a change of the head on top of whatever others wrote meanwhile."""
    for _ in range(_TRIES):
        changed = change(head)
        if changed == head:
            return
        changed = replace(changed, version=head.version + 1)
        _settle(changed, alerting)
        if alerting.incidents.save(changed):
            return
        head = alerting.incidents.head(found) or head
    raise IncidentBusy(found)


def _settle(head: Head, alerting: Alerting) -> None:
    """Lay the incident under its next due time."""
    if next_look := head.next_look():
        alerting.due.wait("incident", head.incident_id, datetime.fromisoformat(next_look))


# --- what people, and later runs, do about it ------------------------------------------------------


def change_incident(
    found: str, change: Callable[[Head, Incident], Head], *, incidents: Incidents, due: DueIndex, clock: Clock
) -> Head | None:
    """A person's change of an incident (acknowledge, resolve, mute); the head as written, None if unknown.

    Nothing is sent from here: a resolution is told by the incident's next look, which is due at once.
    """
    for _ in range(_TRIES):
        head = incidents.head(found)
        if head is None:
            return None
        changed = change(head, added_up(head, incidents.reports(found)))
        if changed == head:
            return head
        changed = replace(changed, version=head.version + 1)
        if changed.status == IncidentStatus.RESOLVED and changed.told_status != IncidentStatus.RESOLVED:
            due.wait("incident", found, clock.now())
        elif next_look := changed.next_look():
            due.wait("incident", found, datetime.fromisoformat(next_look))
        if incidents.save(changed):
            return changed
    raise IncidentBusy(found)
