"""Record exceptions as incidents, and tell the teams: once, again when it matters, up when nobody answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.alert_words import Alert, make_alert
from ..domain.composed_again import is_open_ended
from ..domain.exceptions import ExceptionRaised
from ..domain.flapping import as_it_stands
from ..domain.incident_states import escalated, noted, resolved, told, try_again_at
from ..domain.incidents import (
    EVERYWHERE,
    SENDING,
    SETTLE,
    AlertRule,
    Head,
    Incident,
    IncidentStatus,
    What,
    added_up,
    grouped_under,
    incident_id,
)
from ..domain.pager import pages_to_tell
from ..domain.rollups import KINDS, LISTS, held, listed, rollup_alert
from ..domain.telling import is_news
from ..ports import Clock, DueIndex, Incidents, RunBook
from . import roll_up
from .alerting import TRIES, Alerting, IncidentBusy
from .falls_due import UNTOLD, answered, escalation, next_look, rule_of, what_now
from .tell_team import PAGE_AGAIN, tell_team, told_pages

__all__ = ["Alerting", "IncidentBusy", "alert_exceptions", "change_incident", "look_at_incident"]

AHEAD = timedelta(minutes=5)
"""How far another's clock may go ahead: by one that goes further, a report would outlast its corrections."""

RESOLVED_BY_KEY = frozenset({"pagerduty"})
"""Channels on which an alert stays open until it is resolved."""


def last_customer_in(runs: RunBook) -> Callable[[str, str], int]:
    """What `Alerting.last_customer` asks: the number of customers that a run's seal states."""

    def last_customer(domain: str, run_id: str) -> int:
        run = runs.get(domain, run_id)
        return run.customers_expected if run is not None else 0

    return last_customer


def alert_exceptions(exceptions: Sequence[ExceptionRaised], alerting: Alerting) -> list[str]:
    """Record reports, then tell of each incident that they are part of; the incidents' ids.

    At least once: what was recorded before a worker died is recorded again, which changes nothing, and
    what it had not told is told by the redelivery or by the incident's own due time. An incident is
    told by one worker at a time, by its head's optimistic lock.
    """
    news: dict[str, list[ExceptionRaised]] = {}
    heads: dict[str, Head] = {}
    at = alerting.now()
    latest = (alerting.clock.now() + AHEAD).isoformat(timespec="seconds")
    for raised in exceptions:
        rule = alerting.rules.route(raised)
        domain, run = raised.domain, grouped_under(raised, rule, at)
        if rule.group == "cause":
            domain, run = EVERYWHERE, roll_up.run_of_cause(raised, rule, alerting)
        is_of_one_run = (domain, run) == (raised.domain, raised.run_id)
        curable = rule.cured_by_rerun and is_of_one_run
        exception = replace(raised, severity=rule.severity, cured_by_rerun=curable)
        if raised.said_at > latest:
            exception = replace(exception, said_at=at)
        if not alerting.rules.shows_samples(rule.team):
            exception = replace(exception, samples=())
        if not is_of_one_run:
            # Among other runs' reports, the part alone no longer tells whose it is.
            whose = raised.run_id if domain == raised.domain else f"{raised.domain}/{raised.run_id}"
            exception = replace(exception, part=f"{whose} {raised.part}")
        found = incident_id(domain, run, rule.family, rule.team)
        heads.setdefault(found, Head(found, domain, run, rule.team, rule.family))
        if alerting.incidents.record(found, exception, at):
            news.setdefault(found, []).append(exception)
    for found, reported in news.items():
        _reported(heads[found], reported, alerting)
    return list(news)


def _reported(first: Head, reported: Sequence[ExceptionRaised], alerting: Alerting) -> None:
    """Look at an incident that has new reports, now or later; `first` is its head if it is new."""
    head = alerting.incidents.head(first.incident_id) or first
    now = alerting.clock.now()
    if (
        head.version
        and head.family in KINDS
        and head.muted_until > alerting.now()
        and not is_news(head, reported)
    ):
        return  # it gathers, and waits under the time at which it is sent
    if _can_wait(head, reported, now):
        _look_later(head, alerting)
    else:
        _look(first.incident_id, first, alerting)


def look_at_incident(found: str, alerting: Alerting) -> None:
    """An incident's time has come: add it up, try again what nobody took, escalate, tell that it is over."""
    head = alerting.incidents.head(found)
    if head is not None:
        _look(found, head, alerting)


def _can_wait(head: Head, reported: Sequence[ExceptionRaised], now: datetime) -> bool:
    """A storm adds to incidents that have alerts: it is counted now and then, not at each report."""
    if not head.told_at or head.status == IncidentStatus.RESOLVED or is_news(head, reported):
        return False
    return bool(head.summed_at) and now - datetime.fromisoformat(head.summed_at) < SETTLE


def _look_later(head: Head, alerting: Alerting) -> None:
    at, until = alerting.now(), (alerting.clock.now() + SETTLE).isoformat(timespec="seconds")
    if at < head.look_at <= until:
        return
    _change(head.incident_id, head, alerting, lambda now: replace(now, look_at=until))


def _look(found: str, first: Head, alerting: Alerting) -> None:
    for _ in range(TRIES):
        head, incident = _added_up(found, first, alerting)
        now = alerting.clock.now()
        at = now.isoformat(timespec="seconds")
        if head.sending_until > at:
            # Another worker tells it just now, perhaps without our reports: look again when it is done. That
            # stands in the head: when the other one is done, it lays the incident under its next time anew.
            _look_later(head, alerting)
            return
        rule = rule_of(incident, alerting.rules)
        head = as_it_stands(head, incident, rule, now)
        incident = replace(incident, head=head)
        storm_end = roll_up.storm_end(incident, alerting)
        what = what_now(incident, rule, storm_end, now)
        if rule.urgency not in UNTOLD:
            head, what = answered(incident, what, rule, now)
            what = what or escalation(head, at)
            incident = replace(incident, head=head)
        else:
            head = replace(head, answer_by="")
        lease = (now + SENDING).isoformat(timespec="seconds") if what else ""
        claimed = replace(
            head,
            version=head.version + 1,
            summed_at=at,
            sending_until=lease,
            look_at=next_look(incident, rule, storm_end, now),
            muted_until=head.muted_until if head.muted_until > at else "",
        )
        # Under its due time before it is written: a worker that dies in between leaves a trace.
        _settle(claimed, alerting)
        if not alerting.incidents.save(claimed):
            continue
        if what is not None:
            _tell(replace(incident, head=claimed), what, rule, alerting)
        _tell_pages(found, alerting)
        return
    raise IncidentBusy(found)


def _added_up(found: str, first: Head, alerting: Alerting) -> tuple[Head, Incident]:
    """The head and all reports, with the run's last customer where a switch needs it."""
    head = alerting.incidents.head(found) or first
    reports = alerting.incidents.reports(found)
    incident = added_up(head, reports)
    if not head.end and is_open_ended(incident.late):
        end = alerting.last_customer(head.domain, head.run_id)
        if end:
            head = replace(head, end=end)
            incident = added_up(head, reports)
    return head, incident


def _tell(incident: Incident, what: What, rule: AlertRule, alerting: Alerting) -> None:
    head = incident.head
    if what == What.ESCALATED:
        _escalate(incident, rule, alerting)
        return
    if head.family not in KINDS and _told_elsewhere(incident, what, rule, alerting):
        return
    alert = _alert(incident, what, rule, rule.team, alerting)
    chains = rule.chains
    if head.family in LISTS:
        # A list is over once it is sent: a pager would hold it open.
        chains = tuple(tuple(c for c in chain if c not in RESOLVED_BY_KEY) for chain in chains)
    reached = tell_team(alert, chains, alerting.channels)
    now = alerting.clock.now()
    if reached.sent or (head.family in LISTS and not reached.said):
        said = reached.said or "no channel that takes a list is set up: exnotify incidents shows it"

        def done(h: Head) -> Head:
            after = reached.kept(told(h, incident, what, rule, now, said), what)
            if head.family not in LISTS:
                return after
            over = resolved(after, alerting.now(), "alerts", incident.count, "a list is over when it is told")
            return replace(over, told_status=IncidentStatus.RESOLVED)

        _change(head.incident_id, head, alerting, done)
        return
    if not head.failures:
        # Once for an alert: further tries must not keep its page on, behind which the next is not seen.
        alerting.channels.last_resort(alert, reached.why)
    at = now.isoformat(timespec="seconds")

    def failed(h: Head) -> Head:
        later = try_again_at(h.failures, now)
        return noted(
            replace(h, failures=h.failures + 1, sending_until="", look_at=later),
            at,
            "alerts",
            f"nobody could be told: {what}",
            reached.said,
        )

    _change(head.incident_id, head, alerting, failed)


def _told_elsewhere(incident: Incident, what: What, rule: AlertRule, alerting: Alerting) -> bool:
    """Whether a rollup tells of it in the place of an alert of its own; then that is noted."""
    head, now, until = incident.head, alerting.clock.now(), None
    if what == What.LISTED:
        rollup, until = roll_up.daily_list(rule.team, alerting)
        row = roll_up.enter(rollup, incident, alerting, incident.count - head.resolved_count)
    elif what == What.RESOLVED:
        if before := alerting.incidents.head(head.held_in) if head.held_in else None:
            row = roll_up.enter(before, incident, alerting, 0)
            _reported(before, [row], alerting)
        if not head.alerts:
            _change(head.incident_id, head, alerting, _known_as_over)
            return True
        resolutions = roll_up.resolutions_of(rule.team, alerting)
        if resolutions is None:
            return False
        rollup = resolutions
        row = roll_up.enter(rollup, incident, alerting)
    else:
        if roll_up.is_admitted(incident, what, rule.team, alerting):
            return False
        rollup = roll_up.storm_of(rule.team, alerting)
        row = roll_up.enter(rollup, incident, alerting, what=what)
    # Before it is noted: whoever dies in between leaves an incident that enters the rollup again.
    _reported(rollup, [row], alerting)

    def entered(h: Head) -> Head:
        if until is not None:
            return listed(h, incident, rollup, until, now)
        return held(h, incident, what, rule, now, rollup)

    _change(head.incident_id, head, alerting, entered)
    return True


def _known_as_over(head: Head) -> Head:
    return replace(head, told_status=IncidentStatus.RESOLVED, sending_until="")


def _escalate(incident: Incident, rule: AlertRule, alerting: Alerting) -> None:
    head = incident.head
    now = alerting.clock.now()
    if head.family not in KINDS and (storm := roll_up.storm_that_answers(incident, rule.team, alerting)):
        _leave_to(storm, incident, alerting, head.level)
        # Its team has the alert already: this entry is no news.
        _change(storm.incident_id, storm, alerting, lambda h: replace(h, told_count=h.told_count + 1))
        return
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
    if head.family not in KINDS and not roll_up.is_admitted(incident, What.ESCALATED, team, alerting):
        storm = roll_up.storm_of(team, alerting)
        _leave_to(storm, incident, alerting, head.level + 1)
        _look(storm.incident_id, storm, alerting)
        return
    alert = _alert(incident, What.ESCALATED, rule, team, alerting)
    reached = tell_team(alert, alerting.rules.telling(team, rule.urgency), alerting.channels)
    if not reached.sent:
        alerting.channels.last_resort(alert, reached.why)

    def up(h: Head) -> Head:
        # Somebody answered while the next team got the alert: then it goes no further.
        if h.status != IncidentStatus.OPEN:
            return reached.kept(replace(h, sending_until=""), What.ESCALATED)
        return reached.kept(escalated(h, rule, now, reached.said), What.ESCALATED)

    _change(head.incident_id, head, alerting, up)


def _leave_to(storm: Head, incident: Incident, alerting: Alerting, level: int) -> None:
    """From now on a storm's summary escalates in the place of one of its incidents."""
    head, at = incident.head, alerting.now()
    roll_up.enter(storm, incident, alerting, what=What.ESCALATED)

    def left(h: Head) -> Head:
        after = replace(h, level=level, answer_by="", sending_until="", held_in=storm.incident_id)
        return noted(after, at, "alerts", f"escalates within {storm.run_id}", storm.incident_id)

    _change(head.incident_id, head, alerting, left)


def _tell_pages(found: str, alerting: Alerting) -> None:
    """Tell those pages of the incident that do not know it that somebody has it, or that it is over."""
    head = alerting.incidents.head(found)
    if head is None or not pages_to_tell(head):
        return
    change, again = told_pages(head, alerting.channels, alerting.now())
    later = (alerting.clock.now() + PAGE_AGAIN).isoformat(timespec="seconds") if again else ""

    def changed(h: Head) -> Head:
        return replace(change(h), look_at=min(filter(None, (h.look_at, later)), default=""))

    _change(found, head, alerting, changed)


def _alert(incident: Incident, what: What, rule: AlertRule, team: str, alerting: Alerting) -> Alert:
    link = alerting.link_for(incident.incident_id)
    if incident.family in KINDS:
        reports = alerting.incidents.reports(incident.incident_id)
        return rollup_alert(incident, reports, what, rule, team, link)
    incident = incident.as_it_leaves(alerting.rules.vocabulary.shown)
    if not alerting.rules.shows_samples(team):
        incident = replace(incident, sample=())
    return make_alert(incident, what, rule, team, link, switch_chars=alerting.rules.rerun_chars)


def _change(found: str, head: Head, alerting: Alerting, change: Callable[[Head], Head]) -> None:
    """Write a change of the head on top of whatever others wrote meanwhile."""
    for _ in range(TRIES):
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

    Nothing is sent from here: what follows from another status is for the incident's next look, due at once.
    """
    for _ in range(TRIES):
        head = incidents.head(found)
        if head is None:
            return None
        changed = change(head, added_up(head, incidents.reports(found)))
        if changed == head:
            return head
        changed = replace(changed, version=head.version + 1)
        if changed.status != head.status or pages_to_tell(changed):
            due.wait("incident", found, clock.now())
        elif next_look := changed.next_look():
            due.wait("incident", found, datetime.fromisoformat(next_look))
        if incidents.save(changed):
            return changed
    raise IncidentBusy(found)
