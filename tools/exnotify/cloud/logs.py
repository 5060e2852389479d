"""What the functions write: log lines and the metrics embedded in them."""

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

_LINES = 5_000  # kept for each function
_METRICS = 50_000  # kept in all


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function; `time` in seconds since the epoch, real."""

    time: float
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One value in CloudWatch's embedded metric format; `time` in seconds since the epoch."""

    function: str
    namespace: str
    name: str
    unit: str
    value: float
    dimensions: tuple[tuple[str, str], ...]
    time: float


class LogBook:
    """Keeps the last lines of every function in memory, and all of them in a directory if it has one."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._lock = Lock()
        self._lines: dict[str, deque[LogLine]] = defaultdict(lambda: deque(maxlen=_LINES))
        self._metrics: deque[Metric] = deque(maxlen=_METRICS)
        #: Told of every metric value, after it was kept.
        self.listener: Callable[[Metric], None] = lambda metric: None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)

    def write(self, function: str, text: str) -> None:
        """Keeps one line, and the metrics in it."""
        line = LogLine(time.time(), function, text)
        metrics = list(embedded_metrics(function, text))
        with self._lock:
            self._lines[function].append(line)
            self._metrics.extend(metrics)
            if self._directory is not None:
                with (self._directory / f"{function}.log").open("a", encoding="utf-8") as file:
                    file.write(text + "\n")
        for metric in metrics:
            self.listener(metric)

    def lines(self, function: str | None = None) -> list[LogLine]:
        """The lines kept of one function, or of all, oldest first."""
        with self._lock:
            if function is not None:
                return list(self._lines.get(function, ()))
            return sorted(
                (line for kept in self._lines.values() for line in kept), key=lambda line: line.time
            )

    def metrics(self) -> list[Metric]:
        """The metric values kept, oldest first."""
        with self._lock:
            return list(self._metrics)


def embedded_metrics(function: str, text: str) -> Iterator[Metric]:
    """The metrics in a log line, if it is in CloudWatch's embedded metric format."""
    if not text.startswith("{") or '"_aws"' not in text:
        return
    try:
        blob = json.loads(text)
        directives = blob["_aws"]["CloudWatchMetrics"]
        moment = float(blob["_aws"]["Timestamp"]) / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for dimension_set in directive.get("Dimensions") or [[]]:
            dimensions = tuple((name, str(blob.get(name, ""))) for name in dimension_set)
            for metric in directive.get("Metrics", []):
                for value in _values(blob.get(metric["Name"])):
                    yield Metric(
                        function,
                        directive["Namespace"],
                        metric["Name"],
                        metric.get("Unit", "None"),
                        value,
                        dimensions,
                        moment,
                    )


def _values(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [float(number) for number in values if isinstance(number, (int, float))]
