"""SQS's standard queues: no order, each message once or more, dead letters, retention.

After the SQS developer guide and API reference. Not simulated: FIFO queues, long polling, the limit of
120,000 messages in flight, fairness between message groups.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..nature import Nature
from ..service import Refused
from .operations import ACCOUNT, Answer, Operation, Request, Simulated, known
from .sqs_queues import MESSAGE_BYTES, Gone, Message, Queue

HELD = 43_200.0
"""Seconds from its receipt for which a message can stay hidden, and its receipt handle is good."""
DELAY = 900
_BATCH = 10
_CODE = "AWS.SimpleQueueService."
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_GROUP = re.compile(r"[!-~]{1,128}")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SETTINGS: Mapping[str, Callable[[Queue], str]] = {
    "VisibilityTimeout": lambda q: str(int(q.visibility)),
    "MessageRetentionPeriod": lambda q: str(int(q.retention)),
    "DelaySeconds": lambda q: str(q.delay),
    "MaximumMessageSize": lambda q: str(MESSAGE_BYTES),
    "QueueArn": lambda q: q.arn,
}


class Sqs(Simulated):
    """The `Service`, and what Lambda's pollers and other services do with a queue.

    `on_due(queue, moment)` is told of each moment at which a message becomes visible; `gone` keeps what was
    never disposed of. Faults: `sqs_partial`, an entry of a batch that fails, now and then though it was
    taken; `sqs_late`, a message that arrives minutes or hours later; `sqs_twice`, one that is received while
    another has it, or after it was deleted; `poll_partial`, fewer messages received than there are.
    """

    name = "sqs"

    def __init__(
        self,
        nature: Nature,
        queues: Iterable[Queue],
        on_due: Callable[[str, float], None] = lambda queue, moment: None,
    ) -> None:
        super().__init__(nature)
        found = list(queues)
        self.queues = {queue.name: queue for queue in found}
        self.gone: list[Gone] = []
        self._on_due = on_due
        self._by_arn = {queue.arn: queue for queue in found}
        message = ("MessageBody", "DelaySeconds", "MessageAttributes", "MessageGroupId")
        asked = ("AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames")
        receive = ("QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", *asked)
        self._operations: Mapping[str, Operation] = {
            "SendMessage": (self._send, known("QueueUrl", *message)),
            "SendMessageBatch": (self._send_batch, known("QueueUrl", "Entries")),
            "ReceiveMessage": (self._receive, known(*receive)),
            "DeleteMessage": (self._delete, known("QueueUrl", "ReceiptHandle")),
            "DeleteMessageBatch": (self._delete_batch, known("QueueUrl", "Entries")),
            "ChangeMessageVisibility": (
                self._change_visibility,
                known("QueueUrl", "ReceiptHandle", "VisibilityTimeout"),
            ),
            "GetQueueAttributes": (self._attributes, known("QueueUrl", "AttributeNames")),
            "PurgeQueue": (self._purge, known("QueueUrl")),
        }

    # ---- for pollers and other services ----

    def put(self, arn: str, body: str, name: str) -> None:
        """A message that another service puts on a queue; `name` names it, once in a history."""
        queue = self._by_arn[arn]
        _check(queue, {"MessageBody": body})
        self._take(queue, {"MessageBody": body}, self.hexadecimal(f"{arn} {name}", 16))

    def receive(self, queue_name: str, most: int, visibility: float | None = None) -> list[Message]:
        """Up to so many messages, hidden from others for the visibility time-out; perhaps fewer."""
        queue = self.queues[queue_name]
        self._expire(queue)
        if self.fault("poll_partial", queue_name):
            most = self.nature.chance.below(f"poll_partial {self.nature.place}", most)
        found: list[Message] = []
        if not most:
            return found
        for message in queue.visible(self.now):
            if queue.dead_letters and message.receives >= queue.most_receives:
                self._bury(queue, message)
                continue
            self._hand_out(queue, message, queue.visibility if visibility is None else visibility)
            found.append(message)
            if len(found) == most:
                break
        return found

    def delete(self, queue_name: str, handle: str) -> None:
        """Dispose of a message: see `DeleteMessage`."""
        self._delete({"QueueUrl": self.queues[queue_name].url, "ReceiptHandle": handle})

    def next_at(self, queue_name: str) -> float | None:
        """When the next message of a queue can be received; None while there is none."""
        return self.queues[queue_name].next_at()

    def expire(self) -> None:
        """Drop whatever is older than its queue's retention, into `gone`."""
        for queue in self.queues.values():
            self._expire(queue)

    def _expire(self, queue: Queue) -> None:
        self.gone += queue.expire(self.now)

    def _hand_out(self, queue: Queue, message: Message, visibility: float) -> None:
        message.receives += 1
        message.received = self.now
        message.first_received = message.first_received or self.now
        message.handle = f"{message.message_id}/{message.receives}"
        due = self.now + visibility
        occasion = f"{queue.name} {message.handle}"
        if self.nature.chance.happens("sqs_twice", f"received {occasion}"):
            due = min(due, self.now + self.nature.chance.uniform(f"sqs_twice {occasion}", 0.0, 60.0))
        self._put_off(queue, message, due)

    def _bury(self, queue: Queue, message: Message) -> None:
        del queue.messages[message.message_id]
        message.source, message.due = queue.arn, self.now
        letters = self._by_arn[queue.dead_letters]
        message.handle = ""
        letters.add(message)
        self._on_due(letters.name, self.now)

    def _put_off(self, queue: Queue, message: Message, due: float) -> None:
        queue.put_off(message, due)
        self._on_due(queue.name, due)

    # ---- sending ----

    def _send(self, request: Request) -> Answer:
        queue = self._queue(request)
        _check(queue, request)
        return self._take(queue, request, self._message_id(queue))

    def _message_id(self, queue: Queue) -> str:
        return self.hexadecimal(self.new_name(f"message {queue.name}"), 16)

    def _take(self, queue: Queue, entry: Mapping[str, Any], number: str) -> Answer:
        body = str(entry["MessageBody"])
        delay = int(entry.get("DelaySeconds", queue.delay))
        message_id = "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
        due = self.now + delay + self._transit(f"{queue.name} {message_id}")
        attributes = dict(entry.get("MessageAttributes") or {})
        queue.add(
            Message(
                message_id, body, attributes, entry.get("MessageGroupId"), self.now, self.now + delay, due
            )
        )
        self._on_due(queue.name, due)
        return {"MD5OfMessageBody": _md5(body), "MessageId": message_id}

    def _transit(self, message: str) -> float:
        """Seconds until a message can be received: mostly none to speak of, seldom many."""
        chance = self.nature.chance
        if chance.happens("sqs_late", message):
            return float(60.0 * 360.0 ** chance.uniform(f"sqs_late {message}", 0.0, 1.0))
        share = chance.uniform(f"transit {message}", 0.0, 1.0)
        return 0.01 + share * (0.5 if share < 0.9 else 30.0)

    def _send_batch(self, request: Request) -> Answer:
        queue, entries = self._queue(request), request["Entries"]
        _check_entries(entries)
        if sum(_size(entry) for entry in entries) > MESSAGE_BYTES:
            raise Refused(
                f"{_CODE}BatchRequestTooLong",
                f"Batch requests cannot be longer than {MESSAGE_BYTES} bytes.",
            )
        answer: Answer = {"Successful": [], "Failed": []}
        for entry in entries:
            try:
                _check(queue, entry)
            except Refused as refused:
                answer["Failed"].append(
                    {"Id": entry["Id"], "SenderFault": True, "Code": refused.code, "Message": refused.message}
                )
                continue
            number = self._message_id(queue)
            if self.fault("sqs_partial", f"entry {entry['Id']}"):
                if self.nature.chance.likely(f"taken though failed {number}", 0.2):
                    self._take(queue, entry, number)
                answer["Failed"].append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
                continue
            answer["Successful"].append({"Id": entry["Id"], **self._take(queue, entry, number)})
        return {kind: rows for kind, rows in answer.items() if rows}

    # ---- receiving ----

    def _receive(self, request: Request) -> Answer:
        queue = self._queue(request)
        most = int(request.get("MaxNumberOfMessages", 1))
        if not 1 <= most <= _BATCH:
            raise _invalid("MaxNumberOfMessages", str(most), "Must be between 1 and 10, if provided.")
        found = self.receive(queue.name, most, request.get("VisibilityTimeout"))
        system = {*request.get("AttributeNames", ()), *request.get("MessageSystemAttributeNames", ())}
        wanted = set(request.get("MessageAttributeNames", ()))
        rows = [_received(message, system, wanted) for message in found]
        return {"Messages": rows} if rows else {}

    def _delete(self, request: Request) -> Answer:
        """An older handle than the newest is taken, and deletes nothing; one of twelve hours is refused."""
        queue = self._queue(request)
        message, handle = _of(queue, request)
        if message is None or message.handle != handle:
            return {}
        if self.now > message.received + HELD:
            raise _invalid("ReceiptHandle", handle, "The receipt handle has expired.")
        occasion = f"{queue.name} {handle}"
        if self.nature.chance.happens("sqs_twice", f"deleted {occasion}"):
            back = self.nature.chance.uniform(f"sqs_twice deleted {occasion}", 1.0, 3600.0)
            self._put_off(queue, message, self.now + back)
            return {}
        del queue.messages[message.message_id]
        return {}

    def _delete_batch(self, request: Request) -> Answer:
        _check_entries(request["Entries"])
        done, failed = [], []
        for entry in request["Entries"]:
            try:
                self._delete({"QueueUrl": request["QueueUrl"], "ReceiptHandle": entry["ReceiptHandle"]})
                done.append({"Id": entry["Id"]})
            except Refused as refused:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": refused.code})
        rows = {"Successful": done, "Failed": failed}
        return {kind: found for kind, found in rows.items() if found}

    def _change_visibility(self, request: Request) -> Answer:
        queue, seconds = self._queue(request), int(request["VisibilityTimeout"])
        message, handle = _of(queue, request)
        if not 0 <= seconds <= HELD:
            raise _invalid("VisibilityTimeout", str(seconds), "Must be between 0 and 43200, if provided.")
        if message is None or message.handle != handle:
            gone = "Message does not exist or is not available for visibility timeout change."
            raise _invalid("ReceiptHandle", handle, gone)
        if message.due <= self.now:
            raise Refused(f"{_CODE}MessageNotInflight", "The message referred to isn't in flight.")
        if self.now + seconds > message.received + HELD:
            limit = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            raise _invalid("VisibilityTimeout", str(seconds), limit)
        self._put_off(queue, message, self.now + seconds)
        return {}

    # ---- the rest ----

    def _attributes(self, request: Request) -> Answer:
        queue, wanted = self._queue(request), set(request.get("AttributeNames", ()))
        self._expire(queue)
        found = {name: value(queue) for name, value in _SETTINGS.items()}
        found |= {name: str(count) for name, count in queue.counts(self.now).items()}
        if queue.dead_letters:
            found["RedrivePolicy"] = (
                f'{{"deadLetterTargetArn":"{queue.dead_letters}","maxReceiveCount":{queue.most_receives}}}'
            )
        if unknown := wanted - found.keys() - {"All", "RedrivePolicy"}:
            raise NotImplementedError(f"sqs: attributes {sorted(unknown)}")
        shown = {name: text for name, text in found.items() if "All" in wanted or name in wanted}
        return {"Attributes": shown} if shown else {}

    def _purge(self, request: Request) -> Answer:
        self._queue(request).messages.clear()
        return {}

    def _queue(self, request: Request) -> Queue:
        queue = self.queues.get(str(request["QueueUrl"]).rpartition("/")[2])
        if queue is None:
            raise Refused(f"{_CODE}NonExistentQueue", "The specified queue does not exist.")
        return queue


def _check_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    ids = [str(entry["Id"]) for entry in entries]
    if not entries:
        raise Refused(f"{_CODE}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _BATCH:
        raise Refused(f"{_CODE}TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
    if len(set(ids)) < len(ids):
        raise Refused(f"{_CODE}BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
    if not all(map(_BATCH_ID.fullmatch, ids)):
        raise Refused(f"{_CODE}InvalidBatchEntryId", "A batch entry id can only contain alphanumerics, -, _.")


def _check(queue: Queue, entry: Mapping[str, Any]) -> None:
    """Refuse what SQS refuses of one message."""
    body, delay = str(entry["MessageBody"]), int(entry.get("DelaySeconds", queue.delay))
    if not body:
        raise Refused("MissingParameter", "The request must contain the parameter MessageBody.")
    if _size(entry) > MESSAGE_BYTES:
        raise _invalid("MessageBody", "", f"Message must be shorter than {MESSAGE_BYTES} bytes.")
    if not body.isprintable() and _FORBIDDEN.search(body):
        raise Refused("InvalidMessageContents", "Invalid characters found.")
    if not 0 <= delay <= DELAY:
        raise _invalid("DelaySeconds", str(delay), "DelaySeconds must be >= 0 and <= 900.")
    group = entry.get("MessageGroupId")
    if group is not None and not _GROUP.fullmatch(group):
        raise _invalid("MessageGroupId", str(group), "It can only include up to 128 printable characters.")


def _size(entry: Mapping[str, Any]) -> int:
    body = str(entry["MessageBody"])
    size = len(body) if body.isascii() else len(body.encode())
    for name, value in (entry.get("MessageAttributes") or {}).items():
        content = value.get("StringValue", value.get("BinaryValue", b""))
        size += len(name.encode()) + len(value["DataType"])
        size += len(content.encode() if isinstance(content, str) else content)
    return size


def _of(queue: Queue, request: Request) -> tuple[Message | None, str]:
    handle = str(request["ReceiptHandle"])
    message_id, slash, _ = handle.partition("/")
    if not slash:
        raise Refused("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not valid.')
    return queue.messages.get(message_id), handle


def _received(message: Message, system: set[str], wanted: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.handle,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
    }
    told = system_attributes(message)
    if shown := {name: text for name, text in told.items() if "All" in system or name in system}:
        row["Attributes"] = shown
    of_theirs = {n: dict(v) for n, v in message.attributes.items() if "All" in wanted or n in wanted}
    return {**row, "MessageAttributes": of_theirs} if of_theirs else row


def system_attributes(message: Message) -> dict[str, str]:
    """What SQS tells of a received message, for `ReceiveMessage` and for Lambda's events."""
    told = {
        "SenderId": ACCOUNT,
        "SentTimestamp": str(round(message.sent * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(round(message.first_received * 1000)),
    }
    if message.group is not None:
        told["MessageGroupId"] = message.group
    if message.source:
        told["DeadLetterQueueSourceArn"] = message.source
    return told


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _invalid(parameter: str, value: str, reason: str) -> Refused:
    text = f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    return Refused("InvalidParameterValue", text)
