"""Days on which something is due: by weekday, day of the month, business day of the month, or date."""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

LAST = -1
"""The last day, or the last business day, of a month; -2 is the one before it."""

WhenOff = Literal["due", "skip", "next", "previous"]
"""What becomes of a due day that is a day off: it stays due, is left out, or moves to a business day."""

_LONGEST_BREAK = 31
"""More days off in a row than this, and a due day does not move: it is left out."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Whose days off count: those of a country (ISO 3166) and its subdivision, with a site's own changes."""

    country: str = "US"
    subdivision: str = ""
    added: tuple[date, ...] = ()
    removed: tuple[date, ...] = ()


IsDayOff = Callable[[Holidays, date], bool]
"""Whether a day is a weekend day or a holiday."""


@dataclass(frozen=True, slots=True)
class DueDays:
    """The days on which something is due.

    The first of these that is given decides: `dates`; `month_business_days` and `month_days`, which count
    from 1, or from the end of the month with -1; else `weekdays`, in every `every_weeks`-th week from the
    week of `first`. Nothing is due before `first`, or outside `months` (1 to 12; empty: all). A day that
    a month does not have is its last day, or left out with `skip_short_months`.
    """

    weekdays: tuple[str, ...] = DAYS
    every_weeks: int = 1
    first: date | None = None
    month_days: tuple[int, ...] = ()
    month_business_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    skip_short_months: bool = False
    when_off: WhenOff = "due"
    holidays: Holidays = Holidays()

    def between(self, start: date, end: date, is_day_off: IsDayOff) -> Iterator[date]:
        """The due days from `start` to `end`, both included, in order, each once."""

        def off(day: date) -> bool:
            return is_day_off(self.holidays, day)

        moves = timedelta(days=_LONGEST_BREAK if self.when_off in ("next", "previous") else 0)
        day = max(start - moves, self.first or date.min)
        before: date | None = None
        while day <= end + moves:
            found = self._moved(day, off) if self._names(day, off) else None
            if found is not None and start <= found <= end and found != before:
                yield found
                before = found
            day += timedelta(days=1)

    def _names(self, day: date, off: Callable[[date], bool]) -> bool:
        if self.dates:
            return day in self.dates
        if self.months and day.month not in self.months:
            return False
        last = monthrange(day.year, day.month)[1]
        if self.month_business_days:
            return not off(day) and not self._positions(day, last, off).isdisjoint(self.month_business_days)
        if self.month_days:
            named = [n if n > 0 else last + 1 + n for n in self.month_days]
            return day.day in named or (day.day == last and not self.skip_short_months and max(named) > last)
        weeks = (_monday(day) - _monday(self.first or day)).days // 7
        return DAYS[day.weekday()] in self.weekdays and weeks % self.every_weeks == 0

    @staticmethod
    def _positions(day: date, last: int, off: Callable[[date], bool]) -> set[int]:
        """Which business day of its month it is, from the first and from the last."""
        from_first = sum(not off(day.replace(day=n)) for n in range(1, day.day + 1))
        from_last = sum(not off(day.replace(day=n)) for n in range(day.day, last + 1))
        return {from_first, -from_last}

    def _moved(self, day: date, off: Callable[[date], bool]) -> date | None:
        if self.when_off == "due" or not off(day):
            return day
        if self.when_off == "skip":
            return None
        step = timedelta(days=1 if self.when_off == "next" else -1)
        days = (day + step * number for number in range(1, _LONGEST_BREAK + 1))
        return next((other for other in days if not off(other)), None)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
