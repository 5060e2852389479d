"""The miniature stack, running, and hands to use it with."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from exnotify.cloud import EmbeddedCloud

MINIATURE = Path(__file__).parent / "miniature" / "template.yaml"


class Hands:
    """What tests do with the miniature stack."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.cloud = cloud

    def order(self, **order: Any) -> None:
        """Queues an order for TakeOrdersFunction."""
        self.cloud.client("sqs").send_message(
            QueueUrl=self.cloud.resource("Orders"), MessageBody=json.dumps(order)
        )

    def tell(self, **order: Any) -> Any:
        """Runs TakeOrdersFunction on an order, and returns its result. Raises FunctionError."""
        return self.cloud.invoke("TakeOrdersFunction", order).value

    def row(self, name: str) -> dict[str, Any]:
        """What the table has under a name."""
        answer = self.cloud.client("dynamodb").get_item(
            TableName=self.cloud.resource("Table"), Key={"pk": {"S": name}}
        )
        return {key: next(iter(value.values())) for key, value in answer.get("Item", {}).items()}

    def deliveries(self, name: str) -> int:
        """How often an order was delivered."""
        return int(self.row(name).get("deliveries", 0))

    def letters(self, queue: str) -> list[str]:
        """Bodies of the messages in a queue that no function reads, which are then gone."""
        sqs = self.cloud.client("sqs")
        url = self.cloud.resource(queue)
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies

    def role_client(self, function: str, service: str) -> Any:
        """A boto3 client over HTTP with a function's own credentials."""
        environment = self.cloud.environment(function)
        return boto3.client(
            service,
            endpoint_url=self.cloud.url,
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
        )


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)
    return value


@pytest.fixture(scope="module")
def hands() -> Iterator[Hands]:
    """One miniature stack for the tests of a module."""
    with EmbeddedCloud(MINIATURE, redelivery=0.2) as cloud:
        yield Hands(cloud)


@pytest.fixture
def wait() -> Callable[..., Any]:
    """`eventually`, for tests."""
    return eventually


@pytest.fixture
def miniature() -> Path:
    """The miniature stack's template."""
    return MINIATURE
