"""Ctrl-C: one line and the code of an interrupted program, in place of every process's traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

INTERRUPTED = 128 + signal.SIGINT
"""The exit code of a program that Ctrl-C ended, as a shell gives it."""


def stoppable(act: Callable[[], int], kept: str = "") -> int:
    """What `act` returns; `INTERRUPTED` if Ctrl-C ends it. `kept` says where its results so far are."""
    try:
        return act()
    except KeyboardInterrupt:
        print(f"stopped; {kept}" if kept else "stopped", file=sys.stderr)
        return INTERRUPTED


def die_quietly() -> None:
    """For a process that plays histories for another one: Ctrl-C ends it without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
