"""Queues of SQS in played time: visibility, receive counts, dead letters, and the gauges that AWS reports."""

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.fakes import FakeClock

AGED_BY = 3  # a message received so often no longer counts for the age ("Available CloudWatch metrics", SQS)

_numbers = count(1)


@dataclass(slots=True)
class Letter:
    """A message; times in seconds. `done` is when it is deleted, None while it is not."""

    body: str
    sent: float
    visible: float
    receives: int = 0
    done: float | None = None
    number: int = field(default_factory=lambda: next(_numbers))

    def record(self) -> dict[str, Any]:
        """As Lambda hands it to a function."""
        return {
            "messageId": str(self.number),
            "receiptHandle": str(self.number),
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "SentTimestamp": str(round(self.sent * 1000)),
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "us-east-1",
        }


class Queue:
    """One queue. `redrive` is where a message goes that was received `most` times."""

    def __init__(
        self,
        name: str,
        clock: FakeClock,
        visibility: float = 30.0,
        most: int = 0,
        redrive: "Queue | None" = None,
    ) -> None:
        self.name = name
        self.visibility = visibility
        self.feeds = False  # a function reads it
        self.reported = False  # its messages are reported as dead letters
        self.letters: dict[int, Letter] = {}
        self._clock = clock
        self._most = most
        self.redrive = redrive
        self._ready: list[tuple[float, int]] = []

    def send(self, bodies: Sequence[Mapping[str, Any]], *, spread: float = 0.0) -> None:
        """Take messages, as the fakes' queues do."""
        for body in bodies:
            self.put(json.dumps(body))

    def put(self, body: str, at: float | None = None) -> None:
        """Take one message; an hour-old one where dead letters are tried with."""
        now = self._clock.now().timestamp()
        letter = Letter(body, now if at is None else at, now)
        self.letters[letter.number] = letter
        heapq.heappush(self._ready, (letter.visible, letter.number))

    def next_visible(self) -> float | None:
        """When the next message is visible (or was)."""
        while self._ready:
            visible, number = self._ready[0]
            letter = self.letters.get(number)
            if letter is None or letter.visible != visible or letter.done is not None:
                heapq.heappop(self._ready)
            elif self.redrive is not None and letter.receives >= self._most:
                heapq.heappop(self._ready)
                del self.letters[number]
                self.redrive.letters[number] = letter
                heapq.heappush(self.redrive._ready, (letter.visible, number))
            else:
                return visible
        return None

    def receive(self, most: int, now: float) -> list[Letter]:
        """Take up to so many messages that are visible."""
        found: list[Letter] = []
        while len(found) < most and (visible := self.next_visible()) is not None and visible <= now:
            letter = self.letters[heapq.heappop(self._ready)[1]]
            letter.receives += 1
            self.come_back(letter, now + self.visibility)
            found.append(letter)
        return found

    def come_back(self, letter: Letter, at: float) -> None:
        """Have a message visible again at a time."""
        letter.visible = at
        heapq.heappush(self._ready, (at, letter.number))

    def hasten(self, receipt: str, seconds: float) -> None:
        """A function has one of its messages come back in so many seconds."""
        self.come_back(self.letters[int(receipt)], self._clock.now().timestamp() + max(seconds, 0.0))

    def redriven(self, into: "Queue") -> None:
        """Send all of it back to where it came from, as an operator does."""
        letters, self.letters, self._ready = self.letters, {}, []
        for letter in letters.values():
            into.put(letter.body)

    def purge(self) -> None:
        """Throw all of it away."""
        self.letters, self._ready = {}, []

    def gauges(self, now: float) -> dict[str, float]:
        """What AWS reports of the queue at a time; messages that are done by then are forgotten."""
        if not self.feeds:  # whatever lies here is visible, the oldest first
            oldest = next(iter(self.letters.values()), None)
            return _gauges(len(self.letters), 0, now - oldest.sent if oldest else 0.0)
        for number in [n for n, one in self.letters.items() if one.done is not None and one.done <= now]:
            del self.letters[number]
        self.next_visible()  # moves what was received too often
        letters = self.letters.values()
        visible = sum(one.visible <= now for one in letters)
        # Where there are dead letters, one that comes back again and again does not make the queue look old.
        counted = [one.sent for one in letters if self.redrive is None or one.receives < AGED_BY]
        return _gauges(visible, len(letters) - visible, now - min(counted, default=now))


def _gauges(visible: int, in_flight: int, age: float) -> dict[str, float]:
    return {
        "ApproximateNumberOfMessagesVisible": float(visible),
        "ApproximateNumberOfMessagesNotVisible": float(in_flight),
        "ApproximateAgeOfOldestMessage": age,
    }
