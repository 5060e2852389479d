"""Whether what a journey's step says about a due date is true now, in the customer's own day.

"Due soon" is true until the due date is over, "overdue" only after it. A step is asked when it is decided
and again when it is sent: a provider's outage, quiet hours or a switched-off channel may lie between.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from .decisions import Defer, Suppress, Why
from .journeys import Step

Moment = Literal["until", "after"]
"""When words about a due date are true: until it is over, or after it."""

SHIPPED_WORDS: Mapping[str, Moment] = {
    "payment-due-soon": "until",
    "overdue-notice": "after",
    "final-demand": "after",
}
"""The moment of the words that ship, also where a journey counts their step from the notice."""

_ONE_DAY = timedelta(days=1)


def moment_of(step: Step) -> Moment | None:
    """When a step's words are true; None where they say nothing about a due date.

    A step counted from the due date says what its place says: before it, "due soon"; after it, "overdue".
    """
    if step.end:
        return None
    if step.anchor == "due_date" and (far := _distance(step)):
        return "until" if far < 0 else "after"
    return SHIPPED_WORDS.get(step.wording)


def untimely(step: Step, due_date: str, zones: Sequence[str], now: datetime) -> Suppress | Defer | None:
    """Why a step cannot go out now: its date is past, for good, or not past yet; None if its words are true.

    `due_date` is ISO 8601, empty if unknown. `zones` are all in which the customer may be: the words have to
    be true in each.
    """
    moment = moment_of(step)
    if moment is None or not due_date:
        return None
    due = date.fromisoformat(due_date[:10])
    days = {now.astimezone(ZoneInfo(zone)).date() for zone in zones}
    if moment == "until":
        return Suppress(Why.PAST_DATE, due_date[:10]) if max(days) > due else None
    if min(days) > due:
        return None
    return Defer(max(_begins(due + _ONE_DAY, zone) for zone in zones), Why.BEFORE_DATE)


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def _distance(step: Step) -> int:
    return step.delay.months * 31 * 86400 + step.delay.days * 86400 + step.delay.seconds
