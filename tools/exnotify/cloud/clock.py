"""The clock of the embedded cloud: real time, or a time of its own that may run faster."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Maps real time onto the cloud's time: `virtual + (now - real) * rate`.

    `real` and `virtual` are seconds since the epoch at which both clocks were read together, `rate` is
    virtual seconds for each real second.
    """

    real: float
    virtual: float
    rate: float = 1.0

    @classmethod
    def starting(cls, at: str | None = None, day: float | None = None) -> "Clock":
        """A clock that starts now; at `at` (ISO 8601, UTC unless it says so), a day lasting `day` seconds.

        Raises ValueError if `at` is no time or `day` is not positive.
        """
        real = time.time()
        virtual = real
        if at is not None:
            moment = datetime.fromisoformat(at)
            virtual = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if day is not None and not day > 0:
            raise ValueError(f"a day must last more than 0 seconds, not {day}")
        return cls(real, virtual, _DAY / day if day is not None else 1.0)

    @property
    def is_virtual(self) -> bool:
        """Whether this clock ever differs from real time."""
        return self.virtual != self.real or self.rate != 1.0

    def now(self) -> float:
        """Seconds since the epoch, by this clock."""
        return self.at_real(time.time())

    def at_real(self, moment: float) -> float:
        """What this clock shows at a real moment (seconds since the epoch)."""
        return self.virtual + (moment - self.real) * self.rate

    def utc(self) -> datetime:
        """The time by this clock, aware, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def as_json(self) -> str:
        """The value of EXNOTIFY_CLOCK, from which a function computes the same time."""
        return json.dumps({"real": self.real, "virtual": self.virtual, "rate": self.rate})
