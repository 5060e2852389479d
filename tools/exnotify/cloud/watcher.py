"""Looks at the queues once a minute of the cloud's clock, and brings the alarms up to date."""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from .alarms import AlarmBoard, Change, State
from .clock import Clock
from .emulator import Emulator
from .metrics import MINUTE, MetricBook

logger = logging.getLogger(__name__)

#: Real seconds between two looks: on a faster clock several minutes share one look at the queues.
STEP = 0.1

_EVALUATED = 3  # minutes at most that are evaluated at a look, the last ones: a clock may run very fast


class Watcher:
    """A thread that measures the queues and evaluates the alarms, each minute that has passed."""

    def __init__(
        self, board: AlarmBoard, book: MetricBook, clock: Clock, emulator: Emulator, queues: Sequence[str]
    ) -> None:
        self._board = board
        self._book = book
        self._clock = clock
        self._emulator = emulator
        self._queues = queues
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._minute = int(clock.now() // MINUTE)
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Begins to watch, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Watches nothing more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        # A minute of real time needs no ten looks a second.
        step = min(max(STEP, MINUTE / self._clock.rate / 2), 5.0)
        while not self._stopping.wait(step):
            try:
                self.look()
            except Exception:
                logger.exception("looking at the alarms failed inside the embedded cloud")

    def look(self) -> None:
        """Measures now, and evaluates the alarms at each minute that has passed since."""
        with self._lock:
            now = self._clock.now()
            minute = int(now // MINUTE)
            passed = range(self._minute + 1, minute + 1)
            # One sample a minute, as SQS gives. What was not looked at in between was as it is now.
            for queue in self._queues if passed else ():
                self._measure(queue, passed)
            for each in passed[-_EVALUATED:]:
                self._board.evaluate(float(each * MINUTE))
            self._minute = minute

    def _measure(self, queue: str, minutes: range) -> None:
        depth = self._emulator.depth(queue)
        oldest = self._emulator.oldest(queue)
        values = {
            "ApproximateNumberOfMessagesVisible": float(depth["visible"]),
            "ApproximateNumberOfMessagesNotVisible": float(depth["in_flight"]),
            "ApproximateNumberOfMessagesDelayed": float(depth["delayed"]),
        }
        for minute in minutes:
            at = float(minute * MINUTE)
            age = 0.0 if oldest is None else max(at - self._clock.at_real(oldest), 0.0)
            for name, value in {**values, "ApproximateAgeOfOldestMessage": age}.items():
                self._book.record("AWS/SQS", name, {"QueueName": queue}, value, at)

    def rows(self) -> list[dict[str, Any]]:
        """Every alarm for people; see `AlarmBoard.rows`."""
        with self._lock:
            return self._board.rows(self._clock.now())

    def firing(self) -> set[str]:
        """Names of the metric alarms that are in alarm."""
        with self._lock:
            return {row["alarm"] for row in self._board.rows(self._clock.now()) if _is_firing(row)}

    def changes(self) -> list[Change]:
        """Every change of an alarm's state so far, oldest first."""
        with self._lock:
            return list(self._board.changes)


def _is_firing(row: dict[str, Any]) -> bool:
    return not row["composite"] and row["state"] == State.ALARM
