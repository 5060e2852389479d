"""Dead letters: what lies there, and moving it back to where it came from, at a rate."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import CommandError

if TYPE_CHECKING:
    from .deployment import Deployment

_HELD = 120  # seconds that a letter which is looked at stays hidden from others
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\+\d{7,15}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; `sent` in seconds since the epoch, `receives` counts its deliveries here."""

    message_id: str
    receipt: str
    body: str
    attributes: dict[str, Any]
    group: str | None
    sent: float
    receives: int

    def excerpt(self, length: int = 160) -> str:
        """What it says, on one line, addresses and numbers blacked out."""
        text = " ".join(self.body.split())
        return _PERSONAL.sub("…", text)[:length]


@dataclass(slots=True)
class DeadLetters:
    """A dead-letter queue, and the queue that its letters go back to."""

    client: Any
    name: str
    url: str
    target: str

    @classmethod
    def of(cls, deployment: "Deployment", name: str) -> "DeadLetters":
        """By the dead-letter queue's name in the template, or by that of the queue that fills it.

        CommandError if there is none: what a schedule or rule failed on has no queue to go back to.
        """
        client = deployment.client("sqs")
        resources = queue_urls(deployment)
        if name not in resources:
            raise CommandError(f"no queue {name}: there is {', '.join(sorted(resources))}")
        by_arn: dict[str, str] = {}
        targets: dict[str, str] = {}
        for logical, url in resources.items():
            asked = ["QueueArn", "RedrivePolicy"]
            told = client.get_queue_attributes(QueueUrl=url, AttributeNames=asked).get("Attributes", {})
            by_arn[told["QueueArn"]] = logical
            if "RedrivePolicy" in told:
                targets[json.loads(told["RedrivePolicy"])["deadLetterTargetArn"]] = logical
        sources = {by_arn[arn]: logical for arn, logical in targets.items() if arn in by_arn}
        letters = name if name in sources else next((d for d, s in sources.items() if s == name), None)
        if letters is None:
            raise CommandError(
                f"{name} is no queue of dead letters: there is {', '.join(sorted(sources)) or 'none'}"
            )
        return cls(client, letters, resources[letters], resources[sources[letters]])

    def read(self, most: int = 1000) -> Iterator[Letter]:
        """The letters, each hidden for two minutes from anybody else; `put_back` shows them again."""
        seen: set[str] = set()
        while len(seen) < most:
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(10, most - len(seen)),
                VisibilityTimeout=_HELD,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            found = [m for m in answer.get("Messages", ()) if m["MessageId"] not in seen]
            if not found:
                return
            for message in found:
                seen.add(message["MessageId"])
                told = message.get("Attributes", {})
                yield Letter(
                    message["MessageId"],
                    message["ReceiptHandle"],
                    message["Body"],
                    message.get("MessageAttributes", {}),
                    told.get("MessageGroupId"),
                    int(told.get("SentTimestamp", 0)) / 1000,
                    int(told.get("ApproximateReceiveCount", 1)),
                )

    def put_back(self, letter: Letter) -> None:
        """Let others see it again."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )

    def send_back(self, letter: Letter) -> None:
        """To its queue first, then out of this one: killed in between it is in both, which harms nobody."""
        more: dict[str, Any] = {"MessageAttributes": letter.attributes} if letter.attributes else {}
        if letter.group:
            more["MessageGroupId"] = letter.group
        self.client.send_message(QueueUrl=self.target, MessageBody=letter.body, **more)
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)


def queue_urls(deployment: "Deployment") -> dict[str, str]:
    """Every queue of the stack by its name in the template."""
    if deployment.url:
        from .deployment import ask

        resources = ask(deployment.url, "GET", "outputs")["resources"]
        return {name: r["id"] for name, r in resources.items() if r["type"] == "AWS::SQS::Queue"}
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
    return {
        row["LogicalResourceId"]: row["PhysicalResourceId"]
        for page in pages.paginate(StackName=deployment.name.removeprefix("stack "))
        for row in page["StackResourceSummaries"]
        if row["ResourceType"] == "AWS::SQS::Queue"
    }


def redrive(
    letters: DeadLetters,
    wanted: Callable[[Letter], bool],
    rate: float,
    sleep: Callable[[float], None] = time.sleep,
    most: int = 100_000,
) -> tuple[int, int]:
    """Send back what is wanted, at most `rate` a second; how many went, how many stayed."""
    went = 0
    left: list[Letter] = []
    for letter in letters.read(most):
        if not wanted(letter):
            left.append(letter)
            continue
        letters.send_back(letter)
        went += 1
        sleep(1 / rate)
    for letter in left:
        letters.put_back(letter)
    return went, len(left)
