"""When an SMS may be sent: in the customer's own day (47 CFR 64.1200(c)(1): 8 a.m. to 9 p.m.)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Window:
    """Local times between which messages may go out; ValueError unless `opens` is before `closes`."""

    opens: time = time(8)
    closes: time = time(21)

    def __post_init__(self) -> None:
        """A window that never opens would let nothing out, ever."""
        if not self.opens < self.closes:
            raise ValueError("a window opens before it closes, on the same day")


def is_open(now: datetime, zones: Sequence[str], window: Window) -> bool:
    """Whether the window is open in every zone the customer may be in."""
    return all(window.opens <= now.astimezone(ZoneInfo(zone)).time() < window.closes for zone in zones)


def next_open(now: datetime, zones: Sequence[str], window: Window) -> datetime:
    """The first moment from `now` on, in UTC, at which the window is open in every zone.

    Zones so far apart that their windows never meet are narrowed to the first, the likeliest one.
    Local opening times are looked up day by day, so a change of clocks in between is honoured.
    """
    if is_open(now, zones, window):
        return now.astimezone(UTC)
    starts = sorted(
        opening
        for zone in zones
        for days in range(-1, 3)
        if (opening := _opening(now, ZoneInfo(zone), days, window)) > now
    )
    for start in starts:
        if is_open(start, zones, window):
            return start
    return next_open(now, zones[:1], window)


def _opening(now: datetime, zone: ZoneInfo, days: int, window: Window) -> datetime:
    day = now.astimezone(zone).date() + timedelta(days=days)
    # Through UTC and back: a local time that a change of clocks skips moves to the next one there is.
    return datetime.combine(day, window.opens, zone).astimezone(UTC)
