"""Queues as SQS standard queues are: at least once, in no order, with a receive count."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from exstream_notify.domain.due import WaitKind
from exstream_notify.domain.work import SendJob, SlicePointer

from .clock import FakeClock

_CALL = 10
"""Messages that one call to SQS takes."""

_BYTES = 256 * 1024
"""Bytes of all its messages that one call took before August 2025, as the product has it."""


@dataclass(slots=True)
class Received:
    """A message, as it lies on its queue; `body` is JSON text, as everywhere on SQS."""

    body: str
    visible_at: datetime
    number: int
    receives: int = 0

    def json(self) -> dict[str, Any]:
        """The body, read."""
        body: dict[str, Any] = json.loads(self.body)
        return body


class FakeQueue:
    """One queue with its dead letters.

    `visibility` is its time-out in seconds, `max_receives` how often a message is handed out before
    it is a dead letter. With `chance`, a message is delivered twice with probability `duplicates`,
    the copy up to `late` seconds later, and what is ready comes in any order.
    """

    def __init__(
        self,
        name: str,
        clock: FakeClock,
        *,
        visibility: float = 360.0,
        max_receives: int = 10,
        chance: random.Random | None = None,
        duplicates: float = 0.0,
        late: float = 3600.0,
    ) -> None:
        self.name = name
        self.messages: list[Received] = []
        self.dead: list[Received] = []
        self.sent: list[tuple[datetime, Mapping[str, Any], float]] = []  # with the spread asked for
        self._clock = clock
        self._visibility = visibility
        self._max_receives = max_receives
        self._chance = chance
        self._duplicates = duplicates
        self._late = late
        self._numbers = 0

    def send(self, bodies: Sequence[Mapping[str, Any]], *, spread: float = 0.0) -> None:
        """Take at most ten messages, as one call does."""
        if len(bodies) > _CALL:
            raise ValueError(f"{len(bodies)} messages in one call to {self.name}")
        if sum(len(json.dumps(body).encode()) for body in bodies) > _BYTES:
            raise ValueError(f"more than {_BYTES} bytes in one call to {self.name}")
        for body in bodies:
            self.sent.append((self._clock.now(), dict(body), spread))
            delay = self._chance.uniform(0, spread) if self._chance and spread else 0.0
            self._add(json.dumps(body), delay)
            if self._chance and self._chance.random() < self._duplicates:
                self._add(json.dumps(body), delay + self._chance.uniform(0, self._late))

    def ready(self) -> list[Received]:
        """What could be received now, in the order in which it became visible."""
        now = self._clock.now()
        found = [m for m in self.messages if m.visible_at <= now]
        return sorted(found, key=lambda m: (m.visible_at, m.number))

    def receive(self, message: Received) -> None:
        """Hand a message out: it is invisible until its time-out, unless it is deleted."""
        message.receives += 1
        message.visible_at = self._clock.now() + timedelta(seconds=self._visibility)

    def delete(self, message: Received) -> None:
        """The message was dealt with."""
        self.messages = [m for m in self.messages if m is not message]

    def failed(self, message: Received, again_at: datetime | None = None) -> None:
        """The message was not dealt with: visible again at its time-out, or at `again_at`."""
        if message.receives >= self._max_receives:
            self.delete(message)
            self.dead.append(message)
        elif again_at is not None:
            message.visible_at = again_at

    def _add(self, body: str, delay: float) -> None:
        self._numbers += 1
        visible_at = self._clock.now() + timedelta(seconds=delay)
        self.messages.append(Received(body, visible_at, self._numbers))


class FakeDecideQueue:
    """`DecideQueue`, ten pointers a call."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def send_slices(self, pointers: Iterable[SlicePointer], *, spread: float = 0.0) -> int:
        """See `DecideQueue.send_slices`."""
        source = iter(pointers)
        sent = 0
        while batch := [pointer.to_message() for pointer in islice(source, _CALL)]:
            self._queue.send(batch, spread=spread)
            sent += len(batch)
        return sent


class FakeSendQueues:
    """`SendQueues`: `email`, `sms` and `urgent`."""

    def __init__(self, queues: Mapping[str, FakeQueue]) -> None:
        self._queues = queues

    def send_jobs(self, jobs: Sequence[SendJob]) -> None:
        """See `SendQueues.send_jobs`."""
        for name, queue in self._queues.items():
            mine = [job.to_message() for job in jobs if job.queue == name]
            for start in range(0, len(mine), _CALL):
                queue.send(mine[start : start + _CALL])


class FakeLookQueue:
    """`LookQueue` on a queue; changes of address go onto one of their own."""

    def __init__(self, queue: FakeQueue, addresses: FakeQueue | None = None) -> None:
        self._queue = queue
        self._addresses = addresses or queue

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        """See `LookQueue.send_looks`."""
        for queue, own in ((self._queue, False), (self._addresses, True)):
            mine = [(kind, name) for kind, name in looks if (kind == "address") == own]
            for start in range(0, len(mine), _CALL):
                call = mine[start : start + _CALL]
                queue.send([{"look": {"kind": kind, "name": name}} for kind, name in call])


class FakeRunQueue:
    """`RunQueue`."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def send_runs(self, runs: Sequence[tuple[str, str]], trigger: str = "again") -> None:
        """See `RunQueue.send_runs`."""
        bodies = [{"domain": domain, "run_id": run_id, "trigger": trigger} for domain, run_id in runs]
        for start in range(0, len(bodies), _CALL):
            self._queue.send(bodies[start : start + _CALL])
