"""SQS event source mappings as Lambda runs them: batches, partial responses, redelivery, chaos on request.

A message is received with the queue's visibility time-out, counts its receives, and goes to the dead-letter
queue when it has been received too often. What a function returns in `batchItemFailures`, and everything
when it fails, stays in the queue. A throttled batch is tried again until its messages are visible again, by
the cloud's clock.

One thing is not as on AWS: messages of an invocation that failed reappear after `redelivery` seconds at the
latest, where AWS lets their visibility time-out (often minutes) pass. The invocation has ended by then, so
nobody else holds them; a time that the function itself set with ChangeMessageVisibility is left alone.
"""

import base64
import logging
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from .clock import Clock
from .emulator import Emulator
from .functions import Function, Outcome, ThrottledError

logger = logging.getLogger(__name__)

_IDLE_STEP = 0.02  # seconds between looks at a queue
_FAST = 10.0  # a batching window is at most so much shorter by a fast clock: a batch still has to gather
_THROTTLED_STEP = 0.5  # seconds until a throttled batch is tried again
_BATCH_BYTES = 6 * 1024 * 1024 - 64 * 1024  # of bodies in one event; Lambda's payload limit is 6 MB
_DUPLICATED = 0.3  # share of messages that chaos delivers twice


@dataclass(frozen=True, slots=True)
class Mapping:
    """An event source mapping as deployed; `window` in seconds, `concurrency` of invocations at once."""

    logical_id: str
    queue_arn: str
    function: str
    batch_size: int = 10
    window: float = 0.0
    partial_responses: bool = False
    concurrency: int | None = None

    @property
    def uuid(self) -> str:
        """What Lambda names it by."""
        return str(uuid5(NAMESPACE_OID, self.logical_id))

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.queue_arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Chaos:
    """What goes wrong on purpose, decided by a seed: messages delivered twice, and out of order."""

    duplicates: bool = False
    reorder: bool = False
    seed: int = 0


@dataclass(slots=True)
class _Batch:
    records: list[dict[str, Any]]
    #: When each message becomes visible again by its queue's time-out: moto's milliseconds, by receipt.
    visible_at: dict[str, float] = field(default_factory=dict)


class Poller:
    """Feeds one function from one queue."""

    def __init__(
        self,
        mapping: Mapping,
        function: Function,
        emulator: Emulator,
        clock: Clock,
        *,
        workers: int,
        redelivery: float | None,
        chaos: Chaos,
    ) -> None:
        self._mapping = mapping
        self._function = function
        self._emulator = emulator
        self._clock = clock
        self._redelivery = redelivery
        self._chaos = chaos
        self._random = random.Random(f"{chaos.seed}:{mapping.logical_id}")  # noqa: S311 - reproducible on purpose
        slots = min(workers, mapping.concurrency or workers)
        self._slots = threading.Semaphore(slots)
        self._pool = ThreadPoolExecutor(slots, f"invoke-{mapping.logical_id}")
        self._again: list[_Batch] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll-{mapping.logical_id}", daemon=True)
        self._lock = threading.Lock()
        self._invocations = 0

    @property
    def busy(self) -> bool:
        """Whether an invocation runs, or a duplicate waits to be delivered."""
        with self._lock:
            return self._invocations > 0 or bool(self._again)

    def start(self) -> None:
        """Begins to poll, in a thread."""
        self._thread.start()

    def give_up(self) -> None:
        """Takes no more messages, and leaves those in the queue whose invocation has not ended."""
        self._stopping.set()

    def stop(self) -> None:
        """Stops polling; waits for invocations that run, so stop the function's workers first."""
        self.give_up()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # ---- receiving ----

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._slots.acquire()
            batch = None
            try:
                batch = self._next()
            except Exception:
                logger.exception("polling %s failed", self._mapping.queue)
            if batch is None:
                self._slots.release()
                self._stopping.wait(_IDLE_STEP)
                continue
            with self._lock:
                self._invocations += 1
            self._pool.submit(self._deliver, batch)

    def _next(self) -> _Batch | None:
        with self._lock:
            if self._again:
                return self._again.pop(0)
        if not self._has_visible():
            return None
        if self._mapping.window > 0:
            self._wait_for_full_batch()
        return self._receive()

    def _has_visible(self) -> bool:
        with self._emulator.lock:
            return bool(self._queue()._messages) and bool(self._queue().messages)

    def _wait_for_full_batch(self) -> None:
        # The window opens with the first message and closes when the batch is full.
        closes = time.monotonic() + self._mapping.window / min(self._clock.rate, _FAST)
        while time.monotonic() < closes and not self._stopping.wait(_IDLE_STEP):
            with self._emulator.lock:
                if len(self._queue().messages) >= self._mapping.batch_size:
                    return

    def _receive(self) -> _Batch | None:
        with self._emulator.lock:
            queue = self._queue()
            if self._chaos.reorder:
                self._random.shuffle(queue._messages)
            received = self._emulator.sqs().receive_message(
                queue.name, self._mapping.batch_size, 0, queue.visibility_timeout, ["All"]
            )
            kept = self._fitting(received)
        if not kept:
            return None
        batch = _Batch(
            [self._record(message) for message in kept],
            {message.receipt_handle: message.visible_at for message in kept},
        )
        if self._chaos.duplicates:
            self._duplicate(batch)
        return batch

    def _fitting(self, received: Sequence[Any]) -> list[Any]:
        # What does not fit into one event goes back unreceived, as if it had not been taken.
        kept: list[Any] = []
        size = 0
        for message in received:
            size += len(message.body.encode())
            if kept and size > _BATCH_BYTES:
                self._unreceive(message.id)
            else:
                kept.append(message)
        return kept

    def _unreceive(self, message_id: str) -> None:
        for message in self._queue()._messages:
            if message.id == message_id:
                message.visible_at = 0.0
                message.approximate_receive_count -= 1

    def _duplicate(self, batch: _Batch) -> None:
        twice = [record for record in batch.records if self._random.random() < _DUPLICATED]
        if twice:
            # Delivered as soon as there is a worker: while the first delivery runs, or right after it.
            with self._lock:
                self._again.append(_Batch(twice))

    def _queue(self) -> Any:
        return self._emulator.sqs().get_queue(self._mapping.queue)

    def _record(self, message: Any) -> dict[str, Any]:
        attributes = {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": self._milliseconds(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": self._milliseconds(
                message.approximate_first_receive_timestamp
            ),
        }
        optional = {
            "MessageGroupId": message.group_id,
            "MessageDeduplicationId": message.deduplication_id,
            "SequenceNumber": message.sequence_number,
        }
        attributes |= {name: str(value) for name, value in optional.items() if value is not None}
        record = {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {
                name: _attribute(value) for name, value in message.message_attributes.items()
            },
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": self._emulator.region,
        }
        if message.message_attributes:
            record["md5OfMessageAttributes"] = message.attribute_md5
        return record

    def _milliseconds(self, moment: float) -> str:
        return str(round(self._clock.at_real(moment / 1000) * 1000))

    # ---- delivering ----

    def _deliver(self, batch: _Batch) -> None:
        try:
            outcome = self._invoke({"Records": batch.records})
            if not self._stopping.is_set():
                failed = failed_items(batch.records, outcome, self._mapping.partial_responses)
                # A throttled batch has waited already.
                self._settle(batch, failed, 0.0 if outcome is None else self._redelivery)
        except Exception:
            logger.exception("delivering from %s failed inside the embedded cloud", self._mapping.queue)
        finally:
            with self._lock:
                self._invocations -= 1
            self._slots.release()

    def _invoke(self, event: dict[str, Any]) -> Outcome | None:
        """How the invocation ended; None if it was throttled until the messages are visible again.

        "Handling errors for an SQS event source in Lambda", Lambda operator guide.
        """
        started = self._clock.now()
        while True:
            try:
                return self._function.invoke(event)
            except ThrottledError:
                with self._emulator.lock:
                    ends = started + float(self._queue().visibility_timeout)
                if self._stopping.wait(_THROTTLED_STEP) or self._clock.now() > ends:
                    return None

    def _settle(self, batch: _Batch, failed: frozenset[str], redelivery: float | None) -> None:
        with self._emulator.lock:
            for record in batch.records:
                if record["messageId"] in failed:
                    self._hasten(record, batch.visible_at, redelivery)
                else:
                    self._delete(record["receiptHandle"])

    def _delete(self, receipt_handle: str) -> None:
        from moto.sqs.exceptions import ReceiptHandleIsInvalid

        try:
            self._queue().delete_message(receipt_handle)
        except ReceiptHandleIsInvalid:
            # The function, or the delivery that this one duplicates, has disposed of it already.
            logger.debug("a message of %s was gone when its batch succeeded", self._mapping.queue)

    def _hasten(self, record: dict[str, Any], visible_at: dict[str, float], redelivery: float | None) -> None:
        receipt = record["receiptHandle"]
        if redelivery is None or receipt not in visible_at:
            return
        soonest = (time.time() + redelivery) * 1000.0
        for message in self._queue()._messages:
            # A new receipt means somebody else has it; another time, that the function chose it.
            if message.receipt_handle == receipt and message.visible_at == visible_at[receipt]:
                message.visible_at = min(message.visible_at, soonest)


def failed_items(
    records: Sequence[dict[str, Any]], outcome: Outcome | None, partial_responses: bool
) -> frozenset[str]:
    """Ids of the messages that the invocation did not dispose of; without an outcome there was none.

    "Reporting batch item failures", Lambda developer guide: an empty list is success; a malformed list, or
    an id that was not in the batch, fails the whole batch.
    """
    everything = frozenset(record["messageId"] for record in records)
    if outcome is None or outcome.error is not None:
        return everything
    if not partial_responses:
        return frozenset()
    result = outcome.value
    if result is None or result == {}:
        return frozenset()
    items = result.get("batchItemFailures", []) if isinstance(result, dict) else None
    if items is None:
        # A null list counts as empty; anything that is no object at all cannot be read.
        return frozenset() if isinstance(result, dict) else everything
    if not isinstance(items, list):
        return everything
    identifiers = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in items]
    if any(identifier not in everything for identifier in identifiers):
        return everything
    return frozenset(map(str, identifiers))


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {
        "dataType": value["DataType"],
        "stringListValues": [],
        "binaryListValues": [],
    }
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return attribute
