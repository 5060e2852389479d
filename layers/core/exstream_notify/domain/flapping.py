"""How an incident stands now: over, back again, or flapping between the two."""

from dataclasses import replace
from datetime import datetime, timedelta

from .customer_ranges import HIGHEST, from_text, to_text, without
from .incident_states import COVERED_CHARS, noted, resolved
from .incidents import AlertRule, Head, Incident, IncidentStatus, is_over

WINDOW = timedelta(hours=24)
"""An incident that comes back so soon after it was resolved flaps."""

QUIET = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""How long one that flaps has to be quiet before it counts as resolved, by how often it came back after its
team had heard that it is over."""

_KEPT = 20


def returns(head: Head, now: datetime) -> int:
    """How often it came back within the window."""
    since = _stamp(now - WINDOW)
    return sum(at > since for at in head.returned)


def quiet_until(head: Head, now: datetime) -> str:
    """Until when a flapping incident that is over waits before it is resolved, or sent as resolved."""
    number = returns(head, now)
    if not number or not head.over_since:
        return ""
    wait = QUIET[min(number, len(QUIET)) - 1]
    return (datetime.fromisoformat(head.over_since) + wait).isoformat(timespec="seconds")


def as_it_stands(head: Head, incident: Incident, rule: AlertRule, now: datetime) -> Head:
    """The head with what time and reports have made of it.

    It is resolved when nothing of it is left; if it flaps, only once it was quiet for a time. When more of it
    or other customers are reported after that, it is open again. One that was told in a list is over with the
    list.
    """
    at = _stamp(now)
    if head.status == IncidentStatus.RESOLVED:
        if incident.count > head.resolved_count or _has_others(incident):
            return _back(replace(head, status=IncidentStatus.OPEN, answer_by=""), now)
        return head if head.over_since else replace(head, over_since=at, settled=_late(incident))
    if head.listed_until and head.listed_until <= at and incident.count <= head.told_count:
        after = resolved(head, at, "alerts", incident.count, f"told in the list of {head.listed_until}")
        return replace(after, told_status=IncidentStatus.RESOLVED, listed_until="")
    why = is_over(incident) or _is_quiet(incident, rule, now)
    if not why:
        return _back(head, now) if head.over_since else head
    head = head if head.over_since else replace(head, over_since=at)
    if (until := quiet_until(head, now)) > at:
        # Nobody is called for what is not there just now.
        return replace(head, answer_by=head.answer_by and max(head.answer_by, until))
    return resolved(replace(head, settled=_late(incident)), at, "alerts", incident.count, why)


def _late(incident: Incident) -> str:
    text = to_text(incident.late)
    return text if len(text) <= COVERED_CHARS else f"1-{HIGHEST}"


def _has_others(incident: Incident) -> bool:
    """Whether customers are late who were not when it was resolved."""
    settled = incident.head.settled
    return settled is not None and bool(without(incident.late, from_text(settled)))


def _back(head: Head, now: datetime) -> Head:
    """Open again. Soon after its team heard that it is over, it flaps; later it is what it was at first."""
    at, since = _stamp(now), _stamp(now - WINDOW)
    recent = tuple(t for t in head.returned if t > since)[1 - _KEPT :]
    if head.told_status == IncidentStatus.RESOLVED and head.told_at > since:
        recent = (*recent, at)
    head = replace(head, over_since="", settled=None, returned=recent, remade_by="", unnamed=0)
    return noted(head, at, "alerts", "reported again")


def _is_quiet(incident: Incident, rule: AlertRule, now: datetime) -> str:
    """Why a cause over several runs is gone: nothing was reported for the time that the rule sets."""
    end = quiet_end(incident, rule)
    return f"nothing was reported for {rule.quiet_minutes} minutes" if end and end <= _stamp(now) else ""


def quiet_end(incident: Incident, rule: AlertRule) -> str:
    """When a cause is over if nothing more is reported; empty for what does not end so."""
    if rule.group != "cause" or not rule.quiet_minutes or not incident.last_seen:
        return ""
    return _stamp(datetime.fromisoformat(incident.last_seen) + timedelta(minutes=rule.quiet_minutes))


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
