"""SQS: attributes and times, which moto computes too often, delays, and what is refused."""

import json
import re
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


MESSAGE_BYTES = 256 * 1024
_ENTRIES = 10
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HELD = 43_200  # seconds from its receipt for which a message can stay hidden


def message_sizes(patches: Patches) -> None:
    """A message may be empty, have any characters and 1 MiB of them, whatever they and its attributes take in
    bytes; one entry that cannot be taken refuses its whole batch.

    AWS takes 1 MiB since August 2025; 256 KiB, as before, is what the project keeps to.
    """
    from moto.sqs import models
    from moto.sqs.exceptions import BatchRequestTooLong, SQSException

    send, send_batch = models.SQSBackend.send_message, models.SQSBackend.send_message_batch

    def send_message(backend: Any, queue_name: str, message_body: str, *args: Any, **rest: Any) -> Any:
        _check(message_body, rest.get("message_attributes") or (args[0] if args else None))
        return send(backend, queue_name, message_body, *args, **rest)

    def send_message_batch(backend: Any, queue_name: str, entries: dict[str, dict[str, Any]]) -> Any:
        sizes = [_size(e["MessageBody"], e["MessageAttributes"]) for e in entries.values()]
        if sum(sizes) > MESSAGE_BYTES:
            raise BatchRequestTooLong(sum(sizes))
        fit: dict[str, dict[str, Any]] = {}
        failed = []
        for name, entry in entries.items():
            try:
                _check(entry["MessageBody"], entry["MessageAttributes"])
                fit[name] = entry
            except SQSException as error:
                about = {"Code": error.code, "Message": error.message}
                failed.append({"Id": entry["Id"], "SenderFault": True, **about})
        if len(entries) > _ENTRIES or not failed:
            return send_batch(backend, queue_name, entries)
        messages, refused = send_batch(backend, queue_name, fit) if fit else ([], [])
        return messages, [*failed, *refused]

    patches.set(models, "MAXIMUM_MESSAGE_LENGTH", MESSAGE_BYTES)
    patches.set(models.SQSBackend, "send_message", send_message)
    patches.set(models.SQSBackend, "send_message_batch", send_message_batch)


def _size(body: str, attributes: Mapping[str, Any] | None) -> int:
    size = len(body.encode())
    for name, value in (attributes or {}).items():
        content = value.get("StringValue", "").encode() or value.get("BinaryValue", b"")
        size += len(name.encode()) + len(value["DataType"]) + len(content)
    return size


def _check(body: str, attributes: Mapping[str, Any] | None) -> None:
    from moto.sqs.exceptions import InvalidParameterValue, MissingParameter, SQSException

    if not body:
        raise MissingParameter("MessageBody")
    if _FORBIDDEN.search(body):
        raise SQSException(
            "InvalidMessageContents", "The message contains characters outside the allowed set."
        )
    if _size(body, attributes) > MESSAGE_BYTES:
        reason = f"Message must be shorter than {MESSAGE_BYTES} bytes."
        raise InvalidParameterValue(f"One or more parameters are invalid. Reason: {reason}")


def receipt_handles(patches: Patches) -> None:
    """An older handle than the newest still deletes and hides; twelve hours count from the sending, not from
    the receipt; a message that is visible again can be hidden: "ChangeMessageVisibility", "DeleteMessage",
    Amazon SQS API reference.
    """
    from moto.sqs import models
    from moto.sqs.exceptions import InvalidParameterValue, SQSException

    mark, delete = models.Message.mark_received, models.Queue.delete_message

    def mark_received(message: Any, visibility_timeout: int | None = None) -> None:
        message.received_at = time.time()
        mark(message, visibility_timeout)

    def delete_message(queue: Any, receipt_handle: str) -> None:
        if not any(receipt_handle in message._old_receipt_handles for message in queue._messages):
            delete(queue, receipt_handle)

    def change_visibility(
        backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        queue = backend.get_queue(queue_name)
        message = next((m for m in queue._messages if m.receipt_handle == receipt_handle), None)
        if message is None:
            gone = "Message does not exist or is not available for visibility timeout change."
            raise InvalidParameterValue(f"Value for parameter ReceiptHandle is invalid. Reason: {gone}")
        if message.visible:
            code = "AWS.SimpleQueueService.MessageNotInflight"
            raise SQSException(code, "The message referred to isn't in flight.")
        if time.time() + int(visibility_timeout) > message.received_at + _HELD:
            limit = f"Total VisibilityTimeout for the message is beyond the limit [{_HELD} seconds]"
            value = f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid."
            raise InvalidParameterValue(f"{value} Reason: {limit}")
        message.change_visibility(visibility_timeout)
        if message.visible:
            queue.pending_messages.discard(message)

    patches.set(models.Message, "mark_received", mark_received)
    patches.set(models.Queue, "delete_message", delete_message)
    patches.set(models.SQSBackend, "change_message_visibility", change_visibility)
