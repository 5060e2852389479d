"""SNS's standard topics: to the queues that subscribe, at least once, in SNS's envelope unless raw.

After the SNS developer guide and API reference. Not simulated: filters, other protocols than `sqs`; people
who subscribe by mail are a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..nature import Nature
from ..service import Refused
from .operations import Answer, Operation, Request, Simulated, known

MESSAGE_BYTES = 262_144
_SUBJECT = 99
_BATCH = 10


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: the queues that subscribe (ARN, and whether each gets bare messages), and how many people."""

    arn: str
    queues: tuple[tuple[str, bool], ...] = ()
    people: int = 0


class Sns(Simulated):
    """The `Service`. `deliver(queue ARN, text, name)` puts a message on a queue.

    `published`: every message that a topic took, with its moment. Faults: `topic_twice`; `topic_late`, by
    minutes or hours.
    """

    name = "sns"

    def __init__(
        self, nature: Nature, topics: Iterable[Topic], deliver: Callable[[str, str, str], None]
    ) -> None:
        super().__init__(nature)
        self.published: list[tuple[float, Request]] = []
        self._topics = {topic.arn: topic for topic in topics}
        self._deliver = deliver
        self._operations: Mapping[str, Operation] = {
            "Publish": (self._publish, known("TopicArn", "Message", "Subject", "MessageAttributes")),
            "PublishBatch": (self._publish_batch, known("TopicArn", "PublishBatchRequestEntries")),
            "GetTopicAttributes": (self._attributes, known("TopicArn")),
        }

    def _publish(self, request: Request) -> Answer:
        topic = self._topic(request)
        _check(request)
        self.published.append((self.now, dict(request)))
        message_id = self.new_uuid(f"message {topic.arn}")
        for queue, raw in topic.queues:
            text = request["Message"] if raw else self._envelope(topic, message_id, request)
            self._carry(queue, text, f"{queue.rpartition(':')[2]} {message_id}")
        return {"MessageId": message_id}

    def _publish_batch(self, request: Request) -> Answer:
        entries = request["PublishBatchRequestEntries"]
        if not 1 <= len(entries) <= _BATCH:
            raise Refused("TooManyEntriesInBatchRequest", "The batch request contains more entries than 10.")
        if sum(len(str(entry["Message"]).encode()) for entry in entries) > MESSAGE_BYTES:
            raise Refused("BatchRequestTooLong", "The length of all the messages is more than the limit.")
        rows: list[dict[str, Any]] = []
        for entry in entries:
            rest = {name: value for name, value in entry.items() if name != "Id"}
            rows.append(
                {"Id": entry["Id"], **self.call("Publish", {**rest, "TopicArn": request["TopicArn"]})}
            )
        return {"Successful": rows, "Failed": []}

    def _envelope(self, topic: Topic, message_id: str, request: Request) -> str:
        moment = self.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        subject = {"Subject": request["Subject"]} if request.get("Subject") else {}
        given = request.get("MessageAttributes") or {}
        attributes = {
            name: {"Type": value["DataType"], "Value": value["StringValue"]} for name, value in given.items()
        }
        return json.dumps(
            {
                "Type": "Notification",
                "MessageId": message_id,
                "TopicArn": topic.arn,
                **subject,
                "Message": request["Message"],
                "Timestamp": moment,
                "SignatureVersion": "1",
                "Signature": "simulated",
                "SigningCertURL": "https://sns.us-east-1.amazonaws.com/simulated.pem",
                "UnsubscribeURL": f"https://sns.us-east-1.amazonaws.com/?SubscriptionArn={topic.arn}:simulated",
                **({"MessageAttributes": attributes} if attributes else {}),
            }
        )

    def _carry(self, queue: str, text: str, name: str) -> None:
        chance = self.nature.chance
        for one in (name, f"{name} again") if chance.happens("topic_twice", name) else (name,):
            if chance.happens("topic_late", one):
                delay = 60.0 * 360.0 ** chance.uniform(f"topic_late {one}", 0.0, 1.0)
            else:
                delay = chance.uniform(f"topic transit {one}", 0.02, 1.0)
            self.nature.timeline.after(delay, lambda one=one: self._deliver(queue, text, one))  # type: ignore[misc]

    def _attributes(self, request: Request) -> Answer:
        topic = self._topic(request)
        told = {
            "TopicArn": topic.arn,
            "SubscriptionsConfirmed": str(topic.people + len(topic.queues)),
            "SubscriptionsPending": "0",
            "SubscriptionsDeleted": "0",
        }
        return {"Attributes": told}

    def _topic(self, request: Request) -> Topic:
        topic = self._topics.get(str(request["TopicArn"]))
        if topic is None:
            raise Refused("NotFound", "Topic does not exist", 404)
        return topic


def _check(request: Request) -> None:
    """ "Publish", Amazon SNS API reference."""
    message, subject = str(request["Message"]), request.get("Subject")
    if not message:
        raise Refused("InvalidParameter", "Invalid parameter: Empty message")
    if len(message.encode()) > MESSAGE_BYTES:
        raise Refused("InvalidParameter", "Invalid parameter: Message too long")
    if subject is not None and not (1 <= len(subject) <= _SUBJECT and subject.isprintable()):
        raise Refused("InvalidParameter", "Invalid parameter: Subject")
