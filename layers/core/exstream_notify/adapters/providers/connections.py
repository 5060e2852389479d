"""Connections that may have died while nobody used them are not used for sending.

A function's instance is frozen between invocations. A connection that its server closed meanwhile looks open
until the request is written: then the answer is lost, and nobody knows whether the customer was notified. So
connections that were idle for longer than `IDLE` are dropped before a request, and it goes over a new one.
What breaks in the middle of an exchange is as much in doubt as ever.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...domain.elapsed import lasts

IDLE = 4.0
"""Seconds that a connection may be idle: less than servers allow, five being the least that is common."""


class IdleConnections:
    """Drops a client's connections, by `drop`, where they were idle for too long. Safe under threads.

    `now` is epoch seconds: a monotonic clock stands still while the instance is frozen. While another thread
    uses the client, nothing is dropped: that would break its exchange.
    """

    def __init__(self, drop: Callable[[], None], now: Callable[[], float] = time.time) -> None:
        self._drop = drop
        self._now = now
        self._lock = threading.Lock()
        self._users = 0
        self._last_used = now()

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Around each exchange with the service."""
        with self._lock:
            if not self._users and not lasts(self._last_used, IDLE, self._now()):
                self._drop()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._last_used = self._now()
