"""Lambda's event source mappings: a queue's messages become batches, and batches invocations."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from exnotify.cloud.functions import Outcome
from exnotify.cloud.poller import Mapping as EventSourceMapping
from exnotify.cloud.poller import failed_items
from simulation.nature import Nature
from simulation.service import Refused
from simulation.services.sqs import Sqs, system_attributes
from simulation.services.sqs_queues import Message

from .deployment import REGION
from .functions import Functions

POLLERS = 5
"""Invocations at once of a mapping that sets no concurrency; Lambda begins with so many pollers."""

AGAIN = 1.0
"""Seconds until a function that has no room, or a poll that brought nothing, is tried again."""


class Poller:
    """Feeds one function from one queue."""

    def __init__(self, mapping: EventSourceMapping, sqs: Sqs, functions: Functions, nature: Nature) -> None:
        self._mapping = mapping
        self._sqs = sqs
        self._functions = functions
        self._nature = nature
        self._timeline = nature.timeline
        self._slots = mapping.concurrency or POLLERS
        self._running = 0
        self._look_at: float | None = None
        self._gathers = False

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._mapping.queue

    @property
    def busy(self) -> bool:
        """Whether an invocation runs, or a batch gathers."""
        return self._running > 0 or self._gathers

    def attend(self, moment: float) -> None:
        """Look at the queue at a moment, when a message becomes visible."""
        moment = max(moment, self._timeline.now)
        if self._look_at is None or moment < self._look_at:
            self._look_at = moment
            self._timeline.at(moment, lambda: self._look(moment))

    def _look(self, moment: float) -> None:
        if self._look_at != moment:
            return
        self._look_at = None
        due = self._sqs.next_at(self.queue)
        if due is None or self._gathers or self._running >= self._slots:
            return  # the end of a batch, or of an invocation, looks again
        if due > self._timeline.now:
            self.attend(due)
        elif not self._functions.has_room(self._mapping.function):
            self.attend(self._timeline.now + AGAIN)
        elif self._mapping.window:
            self._gathers = True
            self._timeline.after(self._mapping.window, self._gathered)
        else:
            self._poll()

    def _gathered(self) -> None:
        self._gathers = False
        self._poll()

    def _poll(self) -> None:
        place = f"poll {self.queue} {self._timeline.now:.6f}"
        self._nature.place = place
        messages = self._sqs.receive(self.queue, self._mapping.batch_size)
        if messages:
            self._invoke(messages)
        wait = 0.0 if messages else AGAIN
        if (due := self._sqs.next_at(self.queue)) is not None:
            self.attend(max(due, self._timeline.now + wait))

    def _invoke(self, messages: list[Message]) -> None:
        self._running += 1
        first = messages[0]
        function = self._mapping.function
        name = f"{self._functions.short(function)}:{first.message_id}:{first.receives}"
        records = [self._record(message) for message in messages]
        handles = {message.message_id: message.handle for message in messages}
        self._functions.invoke(
            function,
            {"Records": records},
            name,
            lambda outcome: self._settle(name, records, handles, outcome),
        )

    def _settle(
        self, name: str, records: list[dict[str, Any]], handles: Mapping[str, str], outcome: Outcome
    ) -> None:
        self._running -= 1
        failed = failed_items(records, outcome, self._mapping.partial_responses)
        self._nature.place = f"{name} settled"
        for message_id, handle in handles.items():
            if message_id in failed or self._nature.chance.happens("redelivered", f"{name} {message_id}"):
                continue
            try:
                self._sqs.delete(self.queue, handle)
            except Refused:  # the receipt is older than twelve hours
                continue
        if (due := self._sqs.next_at(self.queue)) is not None:
            self.attend(due)

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.message_id,
            "receiptHandle": message.handle,
            "body": message.body,
            "attributes": {
                **system_attributes(message),
            },
            "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": REGION,
        }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        told["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        told["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return told
