"""SQS: attributes and times, which moto computes too often, and delays."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores

from ..clock import Clock
from .patches import Patches


class _Attributes(Mapping[str, Any]):
    """A queue's attributes, each computed only when it is asked for."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._names = [
            *queue.BASE_ATTRIBUTES,
            *(queue.FIFO_ATTRIBUTES if queue.fifo_queue else []),
            *(queue.KMS_ATTRIBUTES if queue.kms_master_key_id else []),
        ]

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        value = getattr(self._queue, camelcase_to_underscores(name))
        if name == "RedrivePolicy" and value:
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else value

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


_MESSAGE_BYTES = 256 * 1024
"""Of a message, or of a batch. SQS takes 1 MiB since August 2025; what fits before fits everywhere."""


def message_sizes(patches: Patches) -> None:
    """moto counts characters, and takes four times as many: "SendMessage", Amazon SQS API Reference."""
    from moto.sqs.exceptions import BatchRequestTooLong, InvalidParameterValue
    from moto.sqs.models import SQSBackend

    send, send_batch = SQSBackend.send_message, SQSBackend.send_message_batch

    def send_message(backend: Any, queue_name: str, message_body: str, *rest: Any, **more: Any) -> Any:
        if len(message_body.encode()) > _MESSAGE_BYTES:
            raise InvalidParameterValue(
                "One or more parameters are invalid. Reason: Message must be shorter than "
                f"{_MESSAGE_BYTES} bytes."
            )
        return send(backend, queue_name, message_body, *rest, **more)

    def send_message_batch(backend: Any, queue_name: str, entries: dict[str, dict[str, Any]]) -> Any:
        total = sum(len(entry["MessageBody"].encode()) for entry in entries.values())
        if total > _MESSAGE_BYTES:
            raise BatchRequestTooLong(total)
        return send_batch(backend, queue_name, entries)

    patches.set(SQSBackend, "send_message", send_message)
    patches.set(SQSBackend, "send_message_batch", send_message_batch)


def queue_attributes(patches: Patches) -> None:
    """moto counts all messages of a queue three times for each one it sends or receives."""
    from moto.sqs.models import Queue

    patches.set(Queue, "attributes", property(_Attributes))


def queue_time(patches: Patches) -> None:
    """moto asks the calendar for the time, once for every message it looks at."""
    from moto.sqs import models

    patches.set(models, "unix_time", time.time)
    patches.set(models, "unix_time_millis", lambda: time.time() * 1000.0)


def queue_delay(patches: Patches, clock: Clock) -> None:
    """DelaySeconds pass on the cloud's clock; visibility time-outs stay real, as the functions' work is."""
    from moto.sqs.models import Message

    def delay(message: Any, delay_seconds: int) -> None:
        message.delayed_until = (time.time() + delay_seconds / clock.rate) * 1000.0

    patches.set(Message, "delay", delay)
