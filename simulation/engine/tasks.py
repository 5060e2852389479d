"""Work under way in the simulated world: greenlets that give up their turn wherever time passes for them.

One runs at a time. The timeline wakes them, so whatever happens between two calls of one task is as drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TextIO

from greenlet import getcurrent, greenlet

from simulation.nature import Timeline


class Killed(BaseException):
    """The process is gone. What still runs while it falls can do nothing: each call raises it anew."""


@dataclass(eq=False)
class Process:
    """What a task runs in: a function's instance, or an operator's command.

    `environ` is its environment as `os.environ` keeps it, `skew` how many seconds its clock is ahead,
    `out` and `err` where it writes, None where everybody else does. `request` is what Powertools keeps of
    the web request that it answers.
    """

    name: str
    environ: dict[bytes, bytes]
    skew: float = 0.0
    out: TextIO | None = None
    err: TextIO | None = None
    request: tuple[Any, ...] = (None, None)


@dataclass(eq=False)
class Task:
    """One greenlet. `name` is its name in the history, once; `calls` and `draws` number what it does."""

    name: str
    process: Process
    act: Callable[[], Any]
    then: Callable[[Task], None] | None = None
    calls: int = 0
    draws: int = 0
    dead: bool = False
    done: bool = False
    value: Any = None
    error: BaseException | None = None
    children: list[Task] = field(default_factory=list)
    greenlet: greenlet | None = None
    standing: bool = False
    """Whether it only tells once more what it tells as long as it lasts."""

    turn: int = 0
    """How often it has given up its turn: a wake that was meant for an earlier pause is none."""


class Tasks:
    """All tasks of a world. `current` is the one that runs, None while the world itself does."""

    def __init__(self, timeline: Timeline, enter: Callable[[Process | None], None]) -> None:
        """`enter` puts a process's environment and clock in force; None: the world's own."""
        self._timeline = timeline
        self.enter = enter
        self._hub = getcurrent()
        self.current: Task | None = None
        self.running: dict[Task, None] = {}

    def start(
        self,
        name: str,
        process: Process,
        act: Callable[[], Any],
        then: Callable[[Task], None] | None = None,
    ) -> Task:
        """Have `act` run as soon as it is its turn; `then` is told when it is over, also if it was killed."""
        task = Task(name, process, act, then)
        self.running[task] = None
        self._timeline.at(self._timeline.now, lambda: self._begin(task))
        return task

    def sleep(self, seconds: float) -> None:
        """Let time pass for the task that runs. Killed if it is dead."""
        task = self._live()
        turn = task.turn
        if self._timeline.pass_by(seconds):
            task.turn += 1
            return
        self._timeline.after(max(seconds, 0.0), lambda: self._wake(task, turn))
        self._give_up(task)

    def wait(self, others: list[Task], seconds: float | None = None) -> None:
        """Let time pass until one of the other tasks is over, at most so many seconds."""
        task = self._live()
        turn = task.turn
        for other in others:
            if other.done:
                return
            other.then = self._telling(other.then, task, turn)
        if seconds is not None:
            self._timeline.after(max(seconds, 0.0), lambda: self._wake(task, turn))
        self._give_up(task)

    def pause(self) -> None:
        """Give up the turn of the task that runs until somebody wakes it."""
        self._give_up(self._live())

    def wake(self, task: Task, turn: int) -> None:
        """Let a task that paused in a turn go on, as soon as it can."""
        self._timeline.at(self._timeline.now, lambda: self._wake(task, turn))

    def crash(self) -> NoReturn:
        """End the process of the task that runs, here and now. Never returns."""
        task = self._live()
        task.dead = True
        self._timeline.at(self._timeline.now, lambda: self.kill(task.process))
        raise Killed

    def kill(self, process: Process) -> None:
        """End every task of a process where it stands. The world's own act."""
        for task in [task for task in self.running if task.process is process]:
            task.dead = True
            if task.greenlet is None:
                self._end(task, None, Killed())
            else:
                self._switch(task, lambda task=task: task.greenlet.throw(Killed))  # type: ignore[misc]

    # ----

    def _telling(self, told: Callable[[Task], None] | None, task: Task, turn: int) -> Callable[[Task], None]:
        def wake(ended: Task) -> None:
            if told:
                told(ended)
            self.wake(task, turn)

        return wake

    def _live(self) -> Task:
        task = self.current
        if task is None:
            raise RuntimeError("only a task can wait: the world itself has no time")
        if task.dead:
            raise Killed
        return task

    def _give_up(self, task: Task) -> None:
        self._hub.switch()
        if task.dead:
            raise Killed

    def _wake(self, task: Task, turn: int) -> None:
        if not task.done and not task.dead and task.turn == turn:
            task.turn += 1
            self._switch(task, lambda: task.greenlet and task.greenlet.switch())

    def _begin(self, task: Task) -> None:
        if task.done or task.dead:
            return
        task.greenlet = greenlet(lambda: self._run(task), self._hub)
        self._switch(task, task.greenlet.switch)

    def _switch(self, task: Task, into: Callable[[], Any]) -> None:
        before, self.current = self.current, task
        self.enter(task.process)
        try:
            into()
        finally:
            self.current = before
            self.enter(before.process if before else None)
        if task.greenlet is not None and task.greenlet.dead and not task.done:
            self._end(task, task.value, task.error)

    def _run(self, task: Task) -> None:
        try:
            task.value = task.act()
        except BaseException as error:
            task.error = error

    def _end(self, task: Task, value: Any, error: BaseException | None) -> None:
        task.done, task.value, task.error = True, value, error
        task.greenlet = None
        self.running.pop(task, None)
        if task.then:
            task.then(task)
