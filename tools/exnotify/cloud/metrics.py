"""Metrics as CloudWatch would have them: data points by minute, of functions, queues, rules and our own.

Everything is filed under the cloud's own clock, so that an alarm over four hours can be watched within a
minute. What AWS measures itself is measured here at the same places: Lambda at the invocation, SQS once a
minute, EventBridge at the delivery; our own metrics come from the functions' logs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from .clock import Clock

MINUTE = 60
_KEPT = 3 * 24 * 60  # minutes kept of each series

Dimensions = frozenset[tuple[str, str]]
Series = tuple[str, str, Dimensions]


@dataclass(slots=True)
class DataPoint:
    """What was reported within one period."""

    count: int = 0
    total: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")

    def add(self, value: float) -> None:
        """One more value."""
        self.count += 1
        self.total += value
        self.lowest = min(self.lowest, value)
        self.highest = max(self.highest, value)

    def merge(self, other: "DataPoint") -> None:
        """All values of another."""
        self.count += other.count
        self.total += other.total
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    def statistic(self, name: str) -> float:
        """`Sum`, `Maximum`, `Minimum`, `Average` or `SampleCount`. KeyError for another."""
        return {
            "Sum": self.total,
            "Maximum": self.highest,
            "Minimum": self.lowest,
            "Average": self.total / self.count if self.count else 0.0,
            "SampleCount": float(self.count),
        }[name]


def series(namespace: str, name: str, dimensions: Mapping[str, str]) -> Series:
    """What a metric is known by: namespace, name and all of its dimensions."""
    return namespace, name, frozenset(dimensions.items())


class MetricBook:
    """The data points of the last three days, by metric and minute; safe under threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._minutes: dict[Series, dict[int, DataPoint]] = defaultdict(dict)

    def record(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str] | Iterable[tuple[str, str]],
        value: float,
        at: float | None = None,
    ) -> None:
        """One value; `at` in seconds of the cloud's clock, now if None."""
        minute = int((self._clock.now() if at is None else at) // MINUTE)
        with self._lock:
            points = self._minutes[namespace, name, frozenset(dict(dimensions).items())]
            points.setdefault(minute, DataPoint()).add(value)
            while len(points) > _KEPT:
                del points[min(points)]

    def points(
        self, wanted: Series, statistic: str, period: int, until: float, number: int
    ) -> list[float | None]:
        """The last `number` periods that are over by `until`, oldest first; None where nothing came.

        They end with the last full minute, as an alarm's do: its evaluation window slides, unless it asks for
        one by the wall clock ("Alarm evaluation windows", CloudWatch user guide).
        """
        each = period // MINUTE
        end = int(until // MINUTE)
        with self._lock:
            minutes = dict(self._minutes.get(wanted, {}))
        found: list[float | None] = []
        for start in range(end - number * each, end, each):
            merged = DataPoint()
            for minute in range(start, start + each):
                if minute in minutes:
                    merged.merge(minutes[minute])
            found.append(merged.statistic(statistic) if merged.count else None)
        return found

    def known(self) -> set[Series]:
        """Every metric that was ever reported."""
        with self._lock:
            return set(self._minutes)
