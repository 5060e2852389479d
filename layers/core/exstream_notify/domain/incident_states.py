"""What becomes of an incident: acknowledged, alerted, escalated, covered, resolved, opened again."""

from dataclasses import replace
from datetime import datetime, timedelta

from .composed_again import in_full
from .customer_ranges import Ranges, from_text, merged, to_text
from .incidents import AlertRule, Head, Incident, IncidentStatus, What
from .known_codes import codes_kept

HISTORY = 60
"""Entries kept of an incident's history: the first and the latest."""

RETRY = timedelta(minutes=1)

RETRY_MOST = timedelta(minutes=15)
"""When an alert that no channel took is tried again: doubling from the first to the second."""

COVERED_CHARS = 100_000
"""How long the lists of customers composed again may grow: an item of the table holds 400 KB."""


def covered(head: Head, run: str, customers: Ranges, at: str) -> Head:
    """The head after run `run` composed these customers again; without the list where it is too long."""
    before = dict(head.covered_by).get(run, "")
    text = to_text(merged(from_text(before), customers))
    if text == before or sum(len(t) for _, t in head.covered_by) + len(text) > COVERED_CHARS:
        return head
    rows = tuple(row for row in head.covered_by if row[0] != run)
    said = f"run {run} composed {in_full(text)}"
    return noted(replace(head, covered_by=(*rows, (run, text))), at, "alerts", said)


def gets_worse(incident: Incident, what: What | None) -> bool:
    """Whether an alert now says more than what somebody acknowledged."""
    if what in (What.WORSE, What.GROWN):
        return True
    known = incident.head.told_codes
    return what == What.CHANGED and any(
        c.severity == "severe" and c.code not in known for c in incident.causes
    )


def opened_again(head: Head, at: str, why: str) -> Head:
    """An acknowledged incident that waits for an answer again, with all of the time to give one. It keeps
    when the acknowledgement ended until its team is told (`told`)."""
    changed = replace(head, status=IncidentStatus.OPEN, answer_by="", level=0, again=head.again + 1)
    return noted(changed, at, "alerts", "open again", why)


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
    changed = replace(head, status=IncidentStatus.ACKNOWLEDGED, answer_by="", ack_until="")
    return noted(changed, at, who, "acknowledged", why)


def resolved(head: Head, at: str, who: str, count: int, why: str = "") -> Head:
    """It is over; more than `count` reported opens it again."""
    if head.status == IncidentStatus.RESOLVED:
        return head
    changed = replace(
        head,
        status=IncidentStatus.RESOLVED,
        answer_by="",
        ack_until="",
        look_at="",
        resolved_count=count,
        muted_until="",
    )
    return noted(changed, at, who, "resolved", why)


def muted(head: Head, at: str, who: str, until: str, why: str = "") -> Head:
    """No alert about it is sent until then; empty: the mute ends now."""
    what = f"muted until {until}" if until else "mute ended"
    return noted(replace(head, muted_until=until), at, who, what, why)


def told(head: Head, incident: Incident, what: What, rule: AlertRule, now: datetime, said: str) -> Head:
    """After an alert: what the team knows, and by when somebody has to answer."""
    at = now.isoformat(timespec="seconds")
    anew = what in (What.OPENED, What.REOPENED)
    changed = replace(
        head,
        alerts=head.alerts + 1,
        failures=0,
        told_first=incident.count if anew else head.told_first,
        updates=0 if anew else head.updates + 1,
        told_count=incident.count,
        told_severity=incident.severity,
        told_codes=codes_kept(incident.causes),
        told_at=at,
        told_status=head.status,
        sending_until="",
    )
    if head.status == IncidentStatus.OPEN and what != What.ESCALATED and not head.answer_by:
        changed = replace(changed, level=0, answer_by=_answer_by(rule, now), ack_until="")
    return noted(changed, at, "alerts", f"told {rule.team}: {what}", said)


def escalated(head: Head, rule: AlertRule, now: datetime, said: str) -> Head:
    """After the next team got an alert; the team after it gets one if this team does not answer either."""
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
