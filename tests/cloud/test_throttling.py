"""A function whose reserved concurrency is used up: how each who invokes it is told, and comes again."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from exnotify.cloud import EmbeddedCloud
from exnotify.cloud.metrics import MINUTE, series

from .conftest import MINIATURE, Hands, eventually


@pytest.fixture
def hands() -> Iterator[Hands]:
    with EmbeddedCloud(MINIATURE, day=8640) as cloud:  # a visibility time-out of 12 seconds lasts 1.2
        yield Hands(cloud)


def reserve(hands: Hands, function: str, concurrency: int | None) -> None:
    api, name = hands.cloud.client("lambda"), hands.cloud.resource(function)
    if concurrency is None:
        api.delete_function_concurrency(FunctionName=name)
    else:
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)


def throttles(hands: Hands, function: str) -> float:
    wanted = series("AWS/Lambda", "Throttles", {"FunctionName": hands.cloud.resource(function)})
    points = hands.cloud.metric_book.points(wanted, "Sum", MINUTE, hands.cloud.clock.now() + MINUTE, 10)
    return sum(filter(None, points))


def test_a_queue_keeps_its_messages_until_there_is_room(hands: Hands) -> None:
    reserve(hands, "TakeOrdersFunction", 0)
    hands.order(do="count", id="kept")
    eventually(lambda: throttles(hands, "TakeOrdersFunction") >= 2)
    assert hands.deliveries("kept") == 0

    reserve(hands, "TakeOrdersFunction", None)
    eventually(lambda: hands.deliveries("kept") == 1)
    assert hands.cloud.idle(5)
    assert not hands.letters("DeadLetters")


def test_each_receive_of_a_throttled_message_counts_on_the_way_to_the_dead_letters(hands: Hands) -> None:
    reserve(hands, "TakeOrdersFunction", 0)
    hands.order(do="count", id="never")
    eventually(lambda: hands.cloud.state()["queues"]["DeadLetters"]["visible"], seconds=30)
    assert hands.deliveries("never") == 0


def test_who_waits_for_the_answer_is_refused_and_who_does_not_is_served_later(hands: Hands) -> None:
    reserve(hands, "SweepFunction", 0)
    api, name = hands.cloud.client("lambda"), hands.cloud.resource("SweepFunction")
    with pytest.raises(ClientError, match="reserved") as refused:
        api.invoke(FunctionName=name, Payload=b"{}")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"

    api.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"detail-type": "late"}')
    before = throttles(hands, "SweepFunction")
    eventually(lambda: throttles(hands, "SweepFunction") > before)
    reserve(hands, "SweepFunction", 1)
    eventually(lambda: "late" in hands.row("sweep").get("lastevent", ""))


def test_a_page_is_unavailable(hands: Hands) -> None:
    def status() -> int:
        with httpx.Client(base_url=hands.cloud.api_url, trust_env=False) as client:
            return client.get("/greet/me").status_code

    reserve(hands, "GreetFunction", 0)
    assert status() == 503
    reserve(hands, "GreetFunction", 1)
    assert status() == 201


def test_only_the_administrator_may_reserve(hands: Hands) -> None:
    role: Any = hands.role_client("TakeOrdersFunction", "lambda")
    with pytest.raises(ClientError, match="PutFunctionConcurrency"):
        role.put_function_concurrency(FunctionName="exnotify-SweepFunction", ReservedConcurrentExecutions=0)
