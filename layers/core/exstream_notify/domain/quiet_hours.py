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


def local_time(text: str) -> time:
    """A customer's hour as it is kept, to the minute; ValueError for anything else, also with a zone."""
    found = time.fromisoformat(text)
    if found.tzinfo is not None or found.second or found.microsecond:
        raise ValueError("a local time has hours and minutes, and no zone")
    return found


def is_open(now: datetime, zones: Sequence[str], window: Window) -> bool:
    """Whether the window is open in every zone the customer may be in.

    Zones so far apart that their windows never meet are narrowed to the first, the likeliest one.
    """
    if _open_in_all(now, zones, window):
        return True
    # Who may be in zones that never agree would otherwise wait for ever.
    return len(zones) > 1 and _first_common(now, zones, window) is None and is_open(now, zones[:1], window)


def next_open(now: datetime, zones: Sequence[str], window: Window) -> datetime:
    """The first moment from `now` on, in UTC, at which `is_open` holds.

    Local opening times are looked up day by day, so a change of clocks in between is honoured.
    """
    if _open_in_all(now, zones, window):
        return now.astimezone(UTC)
    return _first_common(now, zones, window) or next_open(now, zones[:1], window)


def _open_in_all(now: datetime, zones: Sequence[str], window: Window) -> bool:
    return all(window.opens <= now.astimezone(ZoneInfo(zone)).time() < window.closes for zone in zones)


def _first_common(now: datetime, zones: Sequence[str], window: Window) -> datetime | None:
    """The first opening after `now` at which all zones are open; None where they never are."""
    starts = sorted(
        opening
        for zone in zones
        for days in range(-1, 3)
        if (opening := _opening(now, ZoneInfo(zone), days, window)) > now
    )
    return next((start for start in starts if _open_in_all(start, zones, window)), None)


def _opening(now: datetime, zone: ZoneInfo, days: int, window: Window) -> datetime:
    day = now.astimezone(zone).date() + timedelta(days=days)
    # Through UTC and back: a local time that a change of clocks skips moves to the next one there is.
    return datetime.combine(day, window.opens, zone).astimezone(UTC)
