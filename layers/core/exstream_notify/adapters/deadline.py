"""A bound on a call to somebody else's service, whatever its own time-outs let pass.

A client's time-outs hold for each read: an answer that comes a byte at a time ends none of them, and no
client bounds the look-up of a name. A function that waits for such an answer is ended itself, with all it had
to tell.
"""

from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

R = TypeVar("R")


class TookTooLong(Exception):
    """The call has not come back. It goes on by itself, and may succeed yet."""


def within(seconds: float, call: Callable[[], R], waited: Callable[[], float] = lambda: 0.0) -> R:
    """What the call returns or raises; `TookTooLong` after so many seconds, beside those that it `waited`
    because a service asked it to."""
    came: list[tuple[R | None, BaseException | None]] = []

    def run() -> None:
        try:
            came.append((call(), None))
        except BaseException as error:  # it belongs to whoever waits
            came.append((None, error))

    thread = Thread(target=copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    given = 0.0
    while thread.is_alive() and (more := waited() - given) > 0:
        given += more
        thread.join(more)
    if not came:
        raise TookTooLong
    result, error = came[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
