"""What the product finds around it while the world is simulated: time, chance, threads, sockets, output.

Each is swapped where the product takes it from, for the whole process, and put back at the end. Nothing of
the product knows about it.
"""

from __future__ import annotations

import io
import logging
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import botocore.session
import httpx
import time_machine
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from exnotify import following, redriving
from exstream_notify.adapters import deadline
from exstream_notify.adapters.providers import aws, connections, opentext, opentext_auth

from . import shared
from .tasks import Process, Task, Tasks

_OF_A_REQUEST = ("current_event", "lambda_context")
_NO_REQUEST = (None, None)

_DRAWN = (
    "random",
    "uniform",
    "randint",
    "randrange",
    "choice",
    "choices",
    "shuffle",
    "sample",
    "getrandbits",
)


class Now(time_machine.Traveller):
    """The time that whoever runs now sees: the world's, and its own clock's skew."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(0, None, tick=False)
        self._now = now
        self.skew = 0.0

    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return int((self._now() + self.skew) * 1e6) * 1000


class Drawn(random.Random):
    """Python's random numbers, as the world draws them: `draw` gives so many bytes for whoever runs now."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        super().__init__(0)

    def seed(self, *_: Any, **__: Any) -> None:
        """Nobody seeds it anew."""

    def random(self) -> float:
        """A number from 0 to below 1."""
        return (int.from_bytes(self._draw(7), "big") >> 3) / 2.0**53

    def getrandbits(self, bits: int) -> int:
        """So many bits."""
        size = (bits + 7) // 8
        return int.from_bytes(self._draw(size), "big") >> (size * 8 - bits)


class Aside:
    """`threading.Thread` for a call with a bound: a task of its own, in the same process."""

    tasks: Tasks

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), daemon: bool = True) -> None:
        self._act = lambda: target(*args)

    def start(self) -> None:
        """Have it run."""
        parent = self.tasks.current
        if parent is None:
            raise RuntimeError("no task asks for a thread")
        name = f"{parent.name} aside {len(parent.children)}"
        self._task = self.tasks.start(name, parent.process, self._act)
        parent.children.append(self._task)

    def join(self, seconds: float | None = None) -> None:
        """Wait until it is over, at most so many seconds."""
        if not self._task.done:
            self.tasks.wait([self._task], seconds)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return not self._task.done


class Lock:
    """`threading.Lock` between tasks: who finds it taken waits until it is given back, and tries again."""

    tasks: Tasks

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[Task, int]] = []

    def __enter__(self) -> None:
        """Take it."""
        while self._taken:
            if (task := self.tasks.current) is not None:
                self._waiting.append((task, task.turn))
            self.tasks.pause()
        self._taken = True

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._taken = False
        waiting, self._waiting = self._waiting, []
        for task, turn in waiting:
            self.tasks.wake(task, turn)


class Output(io.TextIOBase):
    """Standard output of the functions: kept for who asks, else dropped."""

    def __init__(self, lines: list[str] | None) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        """See `io.TextIOBase`."""
        if self._lines is not None:
            self._lines.append(text)
        return len(text)


@contextmanager
def surroundings(
    tasks: Tasks,
    now: Now,
    draw: Callable[[int], bytes],
    make_client: Callable[..., Any],
    transport: httpx.BaseTransport,
    stack: tuple[Any, Mapping[str, Any]],
) -> Iterator[None]:
    """Put everything in place, and take it away again. `transport` is where HTTP requests end.

    `stack`: what commands need besides to find theirs.
    """
    drawn = Drawn(draw)
    Aside.tasks, Lock.tasks = tasks, tasks
    threads = SimpleNamespace(Lock=Lock, Thread=threading.Thread, local=threading.local)

    ours, really_sleep = threading.get_ident(), time.sleep

    def slept(seconds: float) -> None:
        if threading.get_ident() != ours:
            really_sleep(seconds)
        elif tasks.current is not None:
            tasks.sleep(seconds)

    def ticks() -> float:
        return now.time_ns() / 1e9

    def client(service: str, config: Any = None) -> Any:
        return make_client(service, config)

    kept = following.follow.__kwdefaults__ or {}
    swaps: list[tuple[Any, Mapping[str, Any]]] = [
        (time, {"sleep": slept, "monotonic": ticks, "perf_counter": ticks}),
        (os, {"urandom": draw}),
        (random, {"_urandom": draw, **{name: getattr(drawn, name) for name in _DRAWN}}),
        (deadline, {"Thread": Aside}),
        *((module, {"threading": threads}) for module in (aws, connections, opentext, opentext_auth)),
        (botocore.session, {"get_session": lambda: SimpleNamespace(create_client=client)}),
        (httpx._client, {"HTTPTransport": lambda **_: transport}),
        (sys, {"stdout": sys.stdout, "stderr": sys.stderr}),
        (following.follow, {"__kwdefaults__": {**kept, "now": ticks, "pause": slept}}),
        (redriving.redrive, {"__defaults__": (slept, *(redriving.redrive.__defaults__ or ())[1:])}),
        (logging.getLogger(), {"handlers": []}),
        stack,
        *shared.swaps(),
    ]
    with ExitStack() as undo:
        undo.enter_context(warnings.catch_warnings())
        # As observability.py has it for a process of its own.
        warnings.filterwarnings("ignore", "No application metrics to publish")
        for owner, values in swaps:
            for name, value in values.items():
                undo.callback(setattr, owner, name, getattr(owner, name, None))
                setattr(owner, name, value)
        traveller = time_machine.travel(0, tick=False)
        traveller.start()
        time_machine.traveller_stack[-1] = now
        undo.callback(traveller.stop)
        yield


def entering(now: Now, output: Output) -> Callable[[Process | None], None]:
    """What puts a process's environment and clock in force.

    The contents of `os.environ` are exchanged, not the object: default values of parameters hold on to it.
    So is what Powertools keeps of the request under way, on a class: one function instance has one at a time.
    """
    environ: Any = os.environ
    world = environ._data

    inside: list[Process | None] = [None]
    router: Any = BaseRouter
    event, context = _OF_A_REQUEST

    def enter(process: Process | None) -> None:
        if (left := inside[0]) is not None:
            left.request = (getattr(router, event, None), getattr(router, context, None))
        inside[0] = process
        new_event, new_context = process.request if process else _NO_REQUEST
        setattr(router, event, new_event)
        setattr(router, context, new_context)
        if process is None:
            environ._data, now.skew = world, 0.0
            sys.stdout, sys.stderr = output, sys.__stderr__
        else:
            environ._data, now.skew = process.environ, process.skew
            sys.stdout, sys.stderr = process.out or output, process.err or sys.__stderr__

    return enter


def encoded(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    """An environment as `os.environ` keeps it."""
    return {os.fsencode(name): os.fsencode(text) for name, text in environ.items()}
