"""A clock that stands still until it is moved."""

import random
from datetime import UTC, datetime, timedelta

_APART = 300_000_000.0
"""Seconds between the machine's time and the time that is played."""


_FRACTION = timedelta(milliseconds=250)
"""Of a second, in every time: what forgets to round, or rounds to the wrong unit, is seen."""


class FakeClock:
    """`Clock`. Sleeping moves it on at once; ids come from a seeded generator."""

    def __init__(self, at: str = "2026-11-20T15:00:00+00:00", seed: int = 0) -> None:
        self._now = datetime.fromisoformat(at).astimezone(UTC) + _FRACTION
        self._random = random.Random(seed)
        self.slept = 0.0

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._now

    def machine_time(self) -> float:
        """See `Clock.machine_time`; far from `now`, so that what mixes the two goes wrong."""
        return self._now.timestamp() - _APART

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        self.slept += seconds
        self.advance(seconds=seconds)

    def random_id(self) -> str:
        """See `Clock.random_id`."""
        return f"{self._random.getrandbits(128):032x}"

    def advance(self, **by: float) -> datetime:
        """Move on by the arguments of a `timedelta`; the new time."""
        self._now += timedelta(**by)
        return self._now

    def move_to(self, at: datetime) -> None:
        """Move on to a moment; an earlier one changes nothing, since time does not run backwards."""
        self._now = max(self._now, at.astimezone(UTC))
