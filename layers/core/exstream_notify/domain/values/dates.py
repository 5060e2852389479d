"""Days and moments: what a date field says, and which of its values are only placeholders."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from .text import ValueRefused

DateOrder = Literal["iso", "mdy", "dmy"]
"""How a site writes dates apart from ISO 8601: not at all, `12/31/2026` or `31/12/2026`."""

_YEARS = range(1900, 2200)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_SITE_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_ZEROS = re.compile(r"[0/.\-]+")
_ZONED_DATE = re.compile(r"(.*[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(?:Z|[+-][0-9]{2}:[0-9]{2})")
_CLOCK = re.compile(r"[T ]([0-9]{2}[:0-9.,]*) ?(Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?")
_HALF_DAY = re.compile(
    r"[T ]([0-9]{1,2})(:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?) ?([AP])\.?M\.?", re.IGNORECASE
)

# What systems write for "no date": the first and last days that they can store.
_FIRST_AND_LAST = """
0001-01-01 1111-11-11 1601-01-01 1753-01-01 1800-01-01 1858-11-17 1899-12-30 1899-12-31 1900-01-01 1900-12-31
1901-01-01 1904-01-01 2049-12-31 2050-12-31 2079-06-06 2099-01-01 2099-12-31 2199-12-31 2222-02-02 2299-12-31
2999-12-31 3000-01-01 3000-12-31 9999-01-01 9999-12-30 9999-12-31
"""
_PLACEHOLDERS = frozenset(map(date.fromisoformat, _FIRST_AND_LAST.split()))
# The first second of Unix time, here or west of Greenwich: a placeholder, but also days of birth.
_EPOCHS = frozenset({date(1970, 1, 1), date(1969, 12, 31)})

AHEAD, BEHIND = timedelta(days=5 * 366), timedelta(days=10 * 366)
"""How far a due date may lie after and before the day on which its document was produced."""

_OLDEST = timedelta(days=120 * 366)
_PLACEHOLDER = "a placeholder, not a date"


def _date(text: str, order: DateOrder) -> date:
    if _ZEROS.fullmatch(text):
        raise ValueRefused(_PLACEHOLDER)
    try:
        if _ISO_DATE.fullmatch(text):
            found = date.fromisoformat(text)
        elif parts := _SITE_DATE.fullmatch(text):
            if order == "iso":
                raise ValueRefused("not an ISO 8601 date (a site that writes others needs the dates setting)")
            first, _, second, year = parts.groups()
            month, day = (first, second) if order == "mdy" else (second, first)
            found = date(int(year), int(month), int(day))
        else:
            raise ValueRefused("not an ISO 8601 date" if order == "iso" else "not a date")
    except ValueRefused:
        raise
    except ValueError:
        raise ValueRefused("no such day in the calendar") from None
    if found in _PLACEHOLDERS:
        raise ValueRefused(_PLACEHOLDER)
    if found.year not in _YEARS:
        raise ValueRefused("outside the years 1900 to 2199")
    return found


def _split(value: str) -> tuple[str, str, str]:
    """Date, clock (24 hours, `HH:MM…` or `HHMM…`) and offset; each empty where it is not there."""
    cut = min((at for at in (value.find("T"), value.find(" ")) if at > 0), default=len(value))
    day, clock = value[:cut], value[cut:]
    if not clock:
        zoned = _ZONED_DATE.fullmatch(day)
        return (zoned[1] if zoned else day), "", ""
    if half := _HALF_DAY.fullmatch(clock):
        hour = int(half[1]) % 12 + (12 if half[3] in "Pp" else 0)
        if not 1 <= int(half[1]) <= 12:
            raise ValueRefused("not a time of day")
        return day, f"{hour:02d}{half[2]}", ""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ValueRefused("not an ISO 8601 time")
    return day, found[1], found[2] or ""


def _moment(value: str, order: DateOrder) -> datetime:
    day, clock, offset = _split(value)
    start = _date(day, order).isoformat()
    try:
        return datetime.fromisoformat(f"{start}T{clock}{offset}" if clock else start)
    except ValueError:
        raise ValueRefused("not an ISO 8601 time") from None


def _epoch(found: date) -> None:
    if found in _EPOCHS:
        raise ValueRefused(_PLACEHOLDER)


def calendar_date(value: str, order: DateOrder = "iso") -> str:
    """A day as `YYYY-MM-DD`. ISO 8601, extended or basic; a time without an offset is dropped.

    `order` lets a site write `12/31/2026` or `31.12.2026` as well; without it such a date is refused, since a
    customer must not read a wrong one. A moment (a time with an offset) is refused: `day_in` reads it.
    """
    day, clock, offset = _split(value)
    if clock and offset:
        raise ValueRefused("a moment, which is a day only in some time zone")
    found = _date(day, order)
    _epoch(found)
    if clock:
        _moment(value, order)
    return found.isoformat()


def birth_date(value: str, order: DateOrder = "iso") -> str:
    """A day of birth, as `YYYY-MM-DD`: `calendar_date`, but a time is dropped with its offset.

    It is the same day in every zone. The first day of 1970 is accepted, since many people were born on it.
    """
    day, clock, _ = _split(value)
    if clock:
        _moment(value, order)
    return _date(day, order).isoformat()


def instant(value: str, order: DateOrder = "iso") -> str:
    """A moment as `YYYY-MM-DDTHH:MM:SSZ`, in UTC; a time without an offset counts as UTC."""
    moment = _moment(value, order)
    _epoch(moment.date())
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise ValueRefused("outside the years 1900 to 2199") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def names_instant(value: str) -> bool:
    """Whether a text in a date field is a moment: a date with a time and an offset."""
    try:
        _, clock, offset = _split(value)
    except ValueRefused:
        return False
    return bool(clock and offset)


def day_in(
    value: str,
    zones: Iterable[str],
    site: str,
    order: DateOrder = "iso",
    utc_midnight: Literal["date", "instant"] | None = None,
) -> str:
    """The day, `YYYY-MM-DD`, of a moment where its customer lives.

    `zones` are where the customer may be; where they disagree, or none is known, the `site` zone says it.
    Exactly midnight UTC, or the last second before it, is often a date that a program wrote as a moment:
    `utc_midnight` says which a site means. Without it, a day on which both readings agree is taken and any
    other is refused, since one of the two would be a day early or late.
    """
    day = _split(value)[0]
    moment = _moment(value, order)
    _epoch(moment.date())
    try:
        days = {moment.astimezone(ZoneInfo(zone)).date() for zone in zones}
        found = days.pop() if len(days) == 1 else moment.astimezone(ZoneInfo(site)).date()
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueRefused("outside the years 1900 to 2199") from None
    if (utc.hour, utc.minute, utc.second) in ((0, 0, 0), (23, 59, 59)) and utc.date().isoformat() == _date(
        day, order
    ).isoformat():
        if utc_midnight == "date":
            found = utc.date()
        elif utc_midnight is None and found != utc.date():
            raise ValueRefused("midnight UTC may be a date or a moment (setting utc_midnight)")
    return found.isoformat()


@lru_cache(maxsize=4096)
def _far(day: str, base: str, ahead: timedelta, behind: timedelta) -> bool:
    off = date.fromisoformat(day) - date.fromisoformat(base)
    return off > ahead or -off > behind


def far_off(day: str, base: str, *, birth: bool = False) -> bool:
    """Whether a day lies years away from `base`, the day on which the document was produced (ISO dates).

    More than 5 years after or 10 before; a birth date is not after it, and at most 120 years before.
    """
    return _far(day, base, timedelta(0), _OLDEST) if birth else _far(day, base, AHEAD, BEHIND)


_PRODUCED_AHEAD, _PRODUCED_BEHIND = timedelta(days=2 * 366), timedelta(days=50 * 366)


def refuse_far_instant(moment: str, today: str) -> None:
    """`ValueRefused` for a production time more than 2 years after today or 50 before it."""
    if _far(moment[:10], today, _PRODUCED_AHEAD, _PRODUCED_BEHIND):
        raise ValueRefused("years away from today")
