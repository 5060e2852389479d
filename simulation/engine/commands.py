"""Operators' commands: `exnotify`'s own code on the simulated stack, with arguments, output and exit code."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from exnotify import deployment as deployments
from exnotify.deployment import Deployment

from .surroundings import Lock
from .tasks import Process, Tasks


@dataclass(frozen=True, slots=True)
class Typed:
    """What came of a command: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands, one after the other: the command line is made for a process of its own.

    `stack` gives the stack as the command's own code has it.
    """

    def __init__(self, tasks: Tasks, stack: Callable[[], Deployment]) -> None:
        self._tasks = tasks
        self._stack = stack
        self._lock = Lock()

    def swaps(self) -> tuple[Any, dict[str, Any]]:
        """What has to stand in place for a command to find the stack."""
        return deployments, {"connect": lambda stack=None: self._stack()}

    def run(self, process: Process, line: Sequence[str]) -> Typed:
        """Run a command in the task that asks."""
        from exnotify.cli import main

        out, err = _text(), _text()
        with self._lock:
            process.out, process.err = out, err
            self._tasks.enter(process)
            try:
                main(list(line))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            finally:
                process.out = process.err = None
                self._tasks.enter(process)
        return Typed(code, _read(out), _read(err))


def _text() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _read(text: io.TextIOWrapper) -> str:
    text.seek(0)
    return text.read()
