"""The clock of the embedded cloud: real time, or a time of its own that may run faster."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

_DAY = 86_400.0

WORKING_RATE = 60.0
"""Virtual seconds a real one lasts at the most while work is under way. Waiting is what `day` makes short: a
night may pass in half a second, but a message that takes a second to send must not take a night for it."""


class Clock:
    """Maps real time onto the cloud's time: `virtual + (now - real) * rate`.

    `real` and `virtual` are seconds since the epoch at which both clocks were read together, `rate` is
    virtual seconds for each real second, as it is just now.
    """

    def __init__(
        self, real: float, virtual: float, rate: float = 1.0, working_rate: float = WORKING_RATE
    ) -> None:
        self._anchor = (real, virtual, rate)
        self._waiting_rate = rate
        self._working_rate = min(rate, working_rate)
        self._file: Path | None = None

    @classmethod
    def starting(
        cls, at: str | None = None, day: float | None = None, working_rate: float = WORKING_RATE
    ) -> "Clock":
        """A clock that starts now; at `at` (ISO 8601, UTC unless it says so), a day lasting `day` seconds.

        While work is under way it is held at `working_rate`. Raises ValueError if `at` is no time or `day`
        is not positive.
        """
        real = time.time()
        virtual = real
        if at is not None:
            moment = datetime.fromisoformat(at)
            virtual = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if day is not None and not day > 0:
            raise ValueError(f"a day must last more than 0 seconds, not {day}")
        return cls(real, virtual, _DAY / day if day is not None else 1.0, working_rate)

    @property
    def real(self) -> float:
        """The real moment from which this clock counts."""
        return self._anchor[0]

    @property
    def virtual(self) -> float:
        """What it showed then."""
        return self._anchor[1]

    @property
    def rate(self) -> float:
        """How fast it runs while nothing is under way."""
        return self._waiting_rate

    @property
    def is_virtual(self) -> bool:
        """Whether this clock ever differs from real time."""
        return self.virtual != self.real or self.rate != 1.0

    @property
    def is_paced(self) -> bool:
        """Whether it runs so fast that it must be held back while work is under way."""
        return self.rate > self._working_rate

    def now(self) -> float:
        """Seconds since the epoch, by this clock."""
        return self.at_real(time.time())

    def at_real(self, moment: float) -> float:
        """What this clock shows at a real moment (seconds since the epoch)."""
        real, virtual, rate = self._anchor
        return virtual + (moment - real) * rate

    def utc(self) -> datetime:
        """The time by this clock, aware, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def keep_in(self, file: Path) -> None:
        """From now on other processes read this clock in a file, since its pace changes."""
        self._file = file
        self.hold(False)

    def hold(self, working: bool) -> None:
        """Run no faster than work can follow, or at full pace again; it never jumps."""
        now = time.time()
        rate = self._working_rate if working else self._waiting_rate
        self._anchor = (now, self.at_real(now), rate)
        if self._file is not None:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(self._told(), encoding="utf-8")
            fresh.replace(self._file)

    def as_json(self) -> str:
        """The value of EXNOTIFY_CLOCK, from which a function computes the same time."""
        return self._told(file=str(self._file)) if self._file is not None else self._told()

    def _told(self, **more: str) -> str:
        real, virtual, rate = self._anchor
        return json.dumps({"real": real, "virtual": virtual, "rate": rate, **more})
