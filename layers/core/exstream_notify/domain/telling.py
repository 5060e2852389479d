"""When a team gets an alert about an incident, and when the next: at once, after a pause, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from .exceptions import RANK, ExceptionRaised
from .flapping import quiet_until, returns
from .incidents import Group, Head, Incident, IncidentStatus, What
from .known_codes import has_further

GROWTH = (2, 5, 10)
"""Growth has an alert at these multiples of the first alert's count, then at each further tenfold."""

GROWTH_FLAPPING = (100,)
"""The same of an incident that flaps: its counts go up and down, or up with each return."""

LEAP = 100
AFTER_LEAP = timedelta(hours=1)
"""A count that is so many times what the team was told last does not wait longer than this."""

_SOON = tuple(timedelta(minutes=m) for m in (1, 60, 360, 1440))
PAUSES: Mapping[Group, tuple[timedelta, ...]] = {
    "run": _SOON,
    "day": _SOON,
    "cause": tuple(timedelta(minutes=m) for m in (15, 360, 1440)),
}
"""How long after an alert further codes and growth are gathered before the next one; the last repeats itself.
An alert about what becomes severe is sent at once."""


def is_news(head: Head, exceptions: Iterable[ExceptionRaised]) -> bool:
    """Whether reports say what cannot wait: that it is severe."""
    return any(e.severity == "severe" and head.told_severity != "severe" for e in exceptions)


def what_to_tell(incident: Incident, now: str, pauses: Sequence[timedelta] = PAUSES["run"]) -> What | None:
    """Why an alert is due now; None if the team has it already, gets it later, or gets none.

    Muting holds back all but a first severe error: nobody mutes what they have not heard of. The resolution
    of an incident that flaps waits until it was quiet for a time.
    """
    head = incident.head
    if head.status == IncidentStatus.RESOLVED and incident.count <= head.resolved_count:
        unheard = (head.told_at or head.held_in) and head.told_status != IncidentStatus.RESOLVED
        return What.RESOLVED if unheard and quiet_until(head, datetime.fromisoformat(now)) <= now else None
    if not head.told_at and head.muted_until <= now:
        return What.OPENED
    what = _news(incident, now)
    if what == What.WORSE and incident.severity == "severe":
        return what if head.told_at else What.OPENED
    if head.muted_until > now or (what != What.REOPENED and news_due(incident, now, pauses) > now):
        return None
    return what


def news_due(incident: Incident, now: str, pauses: Sequence[timedelta]) -> str:
    """When the alert about what is new in an incident is sent, empty if there is none."""
    head = incident.head
    if not head.told_at or head.status == IncidentStatus.RESOLVED or not _news(incident, now):
        return ""
    pause = pauses[min(head.updates, len(pauses) - 1)]
    if incident.count >= LEAP * max(head.told_count, 1):
        pause = min(pause, AFTER_LEAP)
    return (datetime.fromisoformat(head.told_at) + pause).isoformat(timespec="seconds")


def _news(incident: Incident, now: str) -> What | None:
    """What the team does not know yet of an incident that is not over."""
    head = incident.head
    if head.told_status == IncidentStatus.RESOLVED:
        return What.REOPENED
    if RANK[incident.severity] > RANK[head.told_severity]:
        return What.WORSE
    if has_further(incident.codes, head.told_codes):
        return What.CHANGED
    flaps = returns(head, datetime.fromisoformat(now))
    growth = GROWTH_FLAPPING if flaps else GROWTH
    grown = has_grown(head.told_first or head.told_count, head.told_count, incident.count, growth)
    return What.GROWN if grown else None


def has_grown(first: int, told: int, now: int, growth: Sequence[int] = GROWTH) -> bool:
    """Whether a count has passed a step of growth that no alert was sent about."""
    first, steps = max(first, 1), list(growth)
    while steps[-1] * first <= now:
        steps.append(steps[-1] * 10)
    return any(told < step * first <= now for step in steps)
