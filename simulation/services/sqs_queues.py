"""Queues and their messages: who sees which when."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

MESSAGE_BYTES = 262_144
"""Of a message with its attributes, and of a batch. AWS takes 1 MiB since August 2025; the project keeps to
the 256 KiB from before: `MESSAGES` in adapters/batches.py."""


@dataclass(slots=True)
class Message:
    """A message. Moments in epoch seconds; `handle` is the newest receipt's, empty before the first."""

    message_id: str
    body: str
    attributes: dict[str, Any]
    group: str | None
    sent: float
    delayed_until: float
    due: float
    """When it can be received."""
    receives: int = 0
    first_received: float = 0.0
    received: float = 0.0
    handle: str = ""
    source: str = ""
    """ARN of the queue that it was a dead letter of."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that was never disposed of within its queue's retention."""

    queue: str
    message_id: str
    body: str
    sent: float


@dataclass(slots=True)
class Queue:
    """A standard queue as deployed, and its messages. `visibility`, `retention`, `delay` in seconds."""

    name: str
    arn: str
    url: str
    visibility: float = 30.0
    retention: float = 345_600.0
    delay: int = 0
    dead_letters: str = ""
    """ARN of the queue to which messages go that were received `most_receives` times."""
    most_receives: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    _due: list[tuple[float, str]] = field(default_factory=list)
    _expires: float = float("inf")

    @classmethod
    def deployed(cls, name: str, arn: str, url: str, properties: Mapping[str, Any]) -> Queue:
        """From the resolved properties of an AWS::SQS::Queue."""
        unknown = properties.keys() - {
            "QueueName", "VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "RedrivePolicy",
            "SqsManagedSseEnabled", "KmsMasterKeyId", "Tags",
        }  # fmt: skip
        if unknown:
            raise NotImplementedError(f"queue {name}: {', '.join(sorted(unknown))}")
        policy = properties.get("RedrivePolicy") or {}
        policy = json.loads(policy) if isinstance(policy, str) else policy
        return cls(
            name,
            arn,
            url,
            visibility=float(properties.get("VisibilityTimeout", 30)),
            retention=float(properties.get("MessageRetentionPeriod", 345_600)),
            delay=int(properties.get("DelaySeconds", 0)),
            dead_letters=policy.get("deadLetterTargetArn", ""),
            most_receives=int(policy.get("maxReceiveCount", 0)),
        )

    def add(self, message: Message) -> None:
        """Take a message in."""
        self.messages[message.message_id] = message
        self._expires = min(self._expires, message.sent + self.retention)
        heappush(self._due, (message.due, message.message_id))

    def put_off(self, message: Message, due: float) -> None:
        """Let nobody receive a message before a moment."""
        message.due = due
        heappush(self._due, (due, message.message_id))

    def next_at(self) -> float | None:
        """When the next message can be received, which may be past; None while there is none."""
        while self._due:
            due, message_id = self._due[0]
            message = self.messages.get(message_id)
            if message is not None and message.due == due:
                return due
            heappop(self._due)
        return None

    def visible(self, now: float) -> Iterator[Message]:
        """Messages that can be received, each taken: put it off, or remove it, before the next."""
        while (due := self.next_at()) is not None and due <= now:
            yield self.messages[heappop(self._due)[1]]

    def expire(self, now: float) -> list[Gone]:
        """Drop what is older than the retention; a dead letter's age counts from when it was first sent."""
        if now < self._expires:
            return []
        old = [m for m in self.messages.values() if m.sent + self.retention <= now]
        for message in old:
            del self.messages[message.message_id]
        self._expires = min((m.sent for m in self.messages.values()), default=float("inf")) + self.retention
        return [Gone(self.name, m.message_id, m.body, m.sent) for m in old]

    def counts(self, now: float) -> dict[str, int]:
        """Messages that are visible, delayed, in flight, under the names of their attributes."""
        delayed = sum(1 for m in self.messages.values() if not m.handle and m.delayed_until > now)
        flying = sum(1 for m in self.messages.values() if m.handle and m.due > now)
        return {
            "ApproximateNumberOfMessages": len(self.messages) - delayed - flying,
            "ApproximateNumberOfMessagesDelayed": delayed,
            "ApproximateNumberOfMessagesNotVisible": flying,
        }
