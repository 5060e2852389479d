"""What a function instance keeps from one invocation to the next, for a while."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..domain.elapsed import lasts

T = TypeVar("T")


class Kept(Generic[T]):
    """One value: read when it is first asked for, and again once `seconds` have passed.

    `now` is epoch seconds (`Clock.machine_time`), not a monotonic clock: that stands still while the instance
    is frozen, and a revoked secret would be used for hours. It is not the embedded cloud's faster clock
    either: what is read again belongs to the machine, and a day in ten minutes would read it each second.
    """

    def __init__(self, read: Callable[[], T], seconds: float, now: Callable[[], float] = time.time) -> None:
        self._read = read
        self._seconds = seconds
        self._now = now
        self._found: tuple[T, float] | None = None

    def get(self) -> T:
        """The value. Raises what reading raises; the former value is not used then."""
        now, found = self._now(), self._found
        if found is None or not lasts(found[1], self._seconds, now):
            found = self._found = (self._read(), now)
        return found[0]

    def fresh(self) -> T:
        """The value, read anew."""
        self._found = None
        return self.get()
