"""Runs that the calendar expects: by when, from when on, and which of them a run that came meets."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from zoneinfo import ZoneInfo

from .due_days import DueDays, IsDayOff

DEFAULT_WITHIN = 720
EVERY_DAY = DueDays()
AHEAD = timedelta(days=367)
"""How far ahead a deadline is looked for."""

_DATE = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d{1,3}(?!\d))")
"""A date in a run id: `2026-11-24`, `20261124`, `202611240600`."""


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """A run that is there by `by`, local time of `zone`, on the days of `days`; one for each time.

    It is one of the domain whose application (empty: any) and run id (a glob) fit, without regard to case.

    `within_minutes` before `by` it may come; `tolerance_minutes` after it nobody is told yet.
    """

    domain: str
    name: str
    by: tuple[time, ...]
    zone: str
    app: str = ""
    run: str = "*"
    days: DueDays = EVERY_DAY
    within_minutes: int = DEFAULT_WITHIN
    tolerance_minutes: int = 0

    def is_met_by(self, run_id: str, app: str) -> bool:
        """Whether a run is of the kind that is expected."""
        return self.app.lower() in ("", app.lower()) and fnmatchcase(run_id.lower(), self.run.lower())

    @property
    def key(self) -> str:
        """Its identity among all expectations."""
        return f"{self.domain}/{self.name}"

    def name_at(self, deadline: datetime) -> str:
        """The identity of one occurrence."""
        return f"{self.key}/{deadline.isoformat(timespec='seconds')}"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One run that is expected: for which local day and time, and its window (UTC).

    It may come from `opens` on; at `deadline`, `tolerance_minutes` after its time, it is missing.
    """

    day: date
    by: time
    opens: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A run that came. `late_for` names what it met after its deadline, as `ExpectedRun.name_at` does."""

    run_id: str
    app: str
    at: datetime
    late_for: frozenset[str] = frozenset()


def occurrences(
    expected: ExpectedRun, start: datetime, end: datetime, is_day_off: IsDayOff
) -> Iterator[Occurrence]:
    """Those whose deadline is in (start, end], in order. Across a change of clocks the wall clock holds."""
    zone = ZoneInfo(expected.zone)
    within, tolerance = (timedelta(minutes=n) for n in (expected.within_minutes, expected.tolerance_minutes))
    first = (start - tolerance).astimezone(zone).date()
    for day in expected.days.between(first, (end - tolerance).astimezone(zone).date(), is_day_off):
        for by in sorted(expected.by):
            due = datetime.combine(day, by, zone).astimezone(UTC)
            if start < due + tolerance <= end:
                # In a night with an hour twice, what came in its first pass has come too.
                by_the_wall = (datetime.combine(day, by) - within).replace(tzinfo=zone).astimezone(UTC)
                yield Occurrence(day, by, min(due - within, by_the_wall), due + tolerance)


def next_deadline(expected: ExpectedRun, after: datetime, is_day_off: IsDayOff) -> datetime | None:
    """The first deadline (UTC) after a moment; None within the next year."""
    found = next(occurrences(expected, after, after + AHEAD, is_day_off), None)
    return found.deadline if found else None


def at_deadline(expected: ExpectedRun, deadline: datetime, is_day_off: IsDayOff) -> Occurrence | None:
    """The occurrence of a deadline; None where the calendar no longer has it."""
    before = deadline - timedelta(microseconds=1)
    return next(occurrences(expected, before, deadline, is_day_off), None)


def met(
    expected: ExpectedRun,
    known: Sequence[Occurrence],
    missed: Collection[datetime],
    arrivals: Iterable[Arrival],
) -> Mapping[datetime, Arrival]:
    """Which run met which occurrence, by deadline. Every run meets one at most.

    `known` are all occurrences from the oldest missed one on, in order; `missed` the deadlines of those
    that were reported missing and are not settled. The first row that fits a run decides:

    | the run came | it meets |
    |---|---|
    | and met a missed one before | that one, and no other |
    | in no window | the oldest missed one |
    | in a window, dated (in its run id) as an earlier missed one in whose window nothing came | that one |
    | in a window, dated later than the one before was due | its window's |
    | in a window, while the one before is missed and nothing came in that one's window | the one before |
    | in a window | its window's |
    | in a window that is met | the oldest missed one |

    The fifth row takes yesterday's late run for yesterday's. A run that is missing for good thereby costs
    one report too many at most: that of the next day, in whose window something came.
    """
    found: dict[datetime, Arrival] = {}
    busy: set[datetime] = set()  # something came in their windows
    seen: set[str] = set()
    for arrival in sorted(arrivals, key=lambda a: a.at):
        if arrival.run_id in seen or not expected.is_met_by(arrival.run_id, arrival.app):
            continue
        seen.add(arrival.run_id)
        windows = [o for o in known if o.opens <= arrival.at <= o.deadline]
        if met_before := [name for name in arrival.late_for if name.startswith(f"{expected.key}/")]:
            found.update({d: arrival for d in missed if expected.name_at(d) in met_before})
        else:
            free = [o for o in known if o.deadline not in found]
            owed = [o for o in free if o.deadline in missed and o.deadline < arrival.at]
            dated = run_date(arrival.run_id)
            owed = [*(o for o in owed if o.day == dated), *(o for o in owed if o.day != dated)]
            quiet = [o for o in owed if o.deadline not in busy]
            choices = [
                *(o for o in quiet if windows and o.day == dated and o.day < windows[0].day),
                *_one_before(arrival, windows, known, quiet),
                *(o for o in windows if o in free),
                *owed,
            ]
            found.update({o.deadline: arrival for o in choices[:1]})
        busy.update(o.deadline for o in windows[:1])
    return found


def _one_before(
    arrival: Arrival, windows: Sequence[Occurrence], known: Sequence[Occurrence], owed: Sequence[Occurrence]
) -> list[Occurrence]:
    """The occurrence before that of the run's window, if it is owed and the run may be the one."""
    before = [o for o in known if windows and o.deadline < windows[0].deadline][-1:]
    dated = run_date(arrival.run_id)
    return [o for o in before if o in owed and not (dated and dated > o.day)]


def run_date(run_id: str) -> date | None:
    """The date in a run id; None where there is none, or more than one."""
    dates = set()
    for year, _, month, day in _DATE.findall(run_id):
        try:
            dates.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return dates.pop() if len(dates) == 1 else None


def shortest_gap(expected: ExpectedRun, is_day_off: IsDayOff, start: date, end: date) -> int | None:
    """The fewest minutes by the wall clock between two due times from `start` to `end`; None below two."""
    times = [
        datetime.combine(day, by)
        for day in expected.days.between(start, end, is_day_off)
        for by in sorted(expected.by)
    ]
    gaps = (int((later - sooner).total_seconds() // 60) for sooner, later in pairwise(times))
    return min(gaps, default=None)
