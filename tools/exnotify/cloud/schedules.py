"""Schedules: rate() and cron() expressions, and the thread that fires what is due by the cloud's clock."""

import calendar
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .clock import Clock
from .emulator import ACCOUNT

logger = logging.getLogger(__name__)

#: Real seconds between two looks: however fast the clock runs, a schedule fires at most this often.
STEP = 0.5

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"^rate\((?P<value>\d+) (?P<unit>minute|hour|day)(?P<plural>s?)\)$")
_CRON = re.compile(r"^cron\((?P<fields>[^()]+)\)$")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# Sunday is 1 in EventBridge.
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_LAST_YEAR = 2199


class ScheduleError(ValueError):
    """An expression that EventBridge refuses, or that the embedded cloud does not know."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    seconds: int

    def next_after(self, moment: float) -> float:
        """The next time after a moment, both in seconds since the epoch."""
        return moment + self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """A calendar expression in a time zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]
    zone: ZoneInfo

    def next_after(self, moment: float) -> float:
        """The next time after a moment, both in seconds since the epoch; infinity if there is none."""
        start = datetime.fromtimestamp(moment, self.zone).replace(second=0, microsecond=0)
        day = start.replace(hour=0, minute=0)
        while day.year <= min(max(self.years), _LAST_YEAR):
            if self._on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        found = day.replace(hour=hour, minute=minute).timestamp()
                        if found > moment:
                            return found
            day = (day + timedelta(days=1)).replace(hour=0, minute=0)
        return float("inf")

    def _on(self, day: datetime) -> bool:
        return (
            day.year in self.years
            and day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
        )


def parse_schedule(expression: str, zone: str = "UTC") -> Rate | Cron:
    """Reads `rate(5 minutes)` or `cron(0 8 ? * MON-FRI *)`. Raises ScheduleError.

    Rules: "Cron expressions" and "Rate expressions" of the EventBridge user guide. L, W and # are not known.
    """
    rate = _RATE.match(expression)
    if rate:
        value = int(rate["value"])
        if value < 1 or (value == 1) == bool(rate["plural"]):
            raise ScheduleError(f"{expression}: one takes the singular, more the plural, and none is refused")
        return Rate(value * _UNITS[rate["unit"]])
    cron = _CRON.match(expression)
    fields = cron["fields"].split() if cron else []
    if len(fields) != 6:
        raise ScheduleError(f"{expression} is neither rate(value unit) nor cron() with six fields")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError(f"{expression}: exactly one of day-of-month and day-of-week must be ?")
    return Cron(
        minutes=_field(minutes, 0, 59, {}),
        hours=_field(hours, 0, 23, {}),
        days=None if days in ("?", "*") else _field(days, 1, 31, {}),
        months=_field(months, 1, 12, _MONTHS),
        weekdays=None if weekdays in ("?", "*") else _field(weekdays, 1, 7, _WEEKDAYS),
        years=_field(years, 1970, _LAST_YEAR, {}),
        zone=ZoneInfo(zone),
    )


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if first == "*" else _number(first, names, part)
        end = high if first == "*" or (step and not dash) else _number(last, names, part) if dash else start
        if not (low <= start <= end <= high) or (step and not step.isdigit()) or step == "0":
            raise ScheduleError(f"{part} is not within {low}-{high}")
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, names: dict[str, int], part: str) -> int:
    if text.upper() in names:
        return names[text.upper()]
    if not text.isdigit():
        raise ScheduleError(f"{part} is not known to the embedded cloud")
    return int(text)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that fires by itself: `fire` gets the event for the target.

    `source` is `aws.events` for a rule and `aws.scheduler` for a schedule of EventBridge Scheduler;
    `arn` the rule's or the schedule's; `busy` tells whether the last firing is still being worked on.
    """

    logical_id: str
    function: str | None
    when: Rate | Cron
    source: str
    arn: str
    input: Any
    fire: Callable[[Any], None]
    busy: Callable[[], bool]

    def event(self, clock: Clock) -> Any:
        """The event of a firing now."""
        if self.input is not None:
            return self.input
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": self.source,
            "account": ACCOUNT,
            "time": clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.arn.split(":")[3],
            "resources": [self.arn],
            "detail": "{}" if self.source == "aws.scheduler" else {},
        }


class Ticker:
    """Fires schedules when they are due; a firing that was missed meanwhile is not made up for."""

    def __init__(self, schedules: Iterable[Schedule], clock: Clock) -> None:
        self._clock = clock
        now = clock.now()
        self._due = [(schedule, schedule.when.next_after(now)) for schedule in schedules]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        """Begins to fire, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Fires nothing more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(STEP):
            now = self._clock.now()
            self._due = [(schedule, self._tick(schedule, due, now)) for schedule, due in self._due]

    def _tick(self, schedule: Schedule, due: float, now: float) -> float:
        if now < due:
            return due
        # On a fast clock firings would pile up behind a function that takes real time.
        if not schedule.busy():
            try:
                schedule.fire(schedule.event(self._clock))
            except Exception:
                logger.exception("the schedule %s failed to fire", schedule.logical_id)
        following = schedule.when.next_after(due)
        return following if following > now else schedule.when.next_after(now)
