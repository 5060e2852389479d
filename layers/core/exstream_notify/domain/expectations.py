"""Runs that the calendar expects: by when, and whether one has come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """A run that is there by `by`, local time of `zone`, on `days`.

    It is one of the domain whose application (empty: any) and run id (a glob) fit.

    `within_minutes` before `by` it may come; `tolerance_minutes` after it nobody is told yet. With
    `business_days` a day off in `country` expects none.
    """

    domain: str
    name: str
    by: time
    zone: str
    app: str = ""
    run: str = "*"
    days: tuple[str, ...] = DAYS
    within_minutes: int = 720
    tolerance_minutes: int = 0
    business_days: bool = False
    country: str = "US"

    def is_met_by(self, run_id: str, app: str) -> bool:
        """Whether a run is the one expected."""
        return (not self.app or app == self.app) and fnmatchcase(run_id, self.run)

    @property
    def key(self) -> str:
        """Its identity among all expectations."""
        return f"{self.domain}/{self.name}"


def next_deadline(
    expected: ExpectedRun, after: datetime, is_day_off: Callable[[str, date], bool]
) -> datetime | None:
    """The first deadline (UTC, tolerance included) after a moment; None within the next year.

    Across a change of clocks the wall-clock time holds.
    """
    zone = ZoneInfo(expected.zone)
    day = (after - timedelta(minutes=expected.tolerance_minutes)).astimezone(zone).date()
    for number in range(367):
        candidate = day + timedelta(days=number)
        if DAYS[candidate.weekday()] not in expected.days:
            continue
        if expected.business_days and is_day_off(expected.country, candidate):
            continue
        local = datetime.combine(candidate, expected.by, zone)
        deadline = local.astimezone(UTC) + timedelta(minutes=expected.tolerance_minutes)
        if deadline > after:
            return deadline
    return None


def opens_at(expected: ExpectedRun, deadline: datetime) -> datetime:
    """From when a run counts for a deadline."""
    return deadline - timedelta(minutes=expected.tolerance_minutes + expected.within_minutes)
