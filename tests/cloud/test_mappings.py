"""A drop reaches a function; messages are retried, set aside, and never lost."""

import json
import os
import signal
import time
from typing import Any

import pytest


def test_an_object_reaches_the_function_under_its_role(hands: Any, wait: Any) -> None:
    bucket = hands.cloud.outputs["BucketName"]
    hands.cloud.client("s3").put_object(Bucket=bucket, Key="drop/a b+c.json", Body=b"dropped")

    row = wait(lambda: hands.row("drop/a b+c.json"))
    assert row["text"] == "dropped"
    assert hands.cloud.idle(5)
    assert hands.deliveries("drop/a b+c.json") == 1


def test_the_sqs_event_has_lambdas_shape(hands: Any, wait: Any) -> None:
    sqs = hands.cloud.client("sqs")
    before = time.time()
    sent = sqs.send_message(
        QueueUrl=hands.cloud.resource("Orders"),
        MessageBody=json.dumps({"do": "count", "id": "shape"}),
        MessageGroupId="run-1",
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "yes"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    record = json.loads(wait(lambda: hands.row("shape"))["message"])

    assert record.pop("receiptHandle")
    attributes = record.pop("attributes")
    assert before - 1 <= int(attributes.pop("SentTimestamp")) / 1000 <= time.time()
    assert int(attributes.pop("ApproximateFirstReceiveTimestamp")) / 1000 >= before - 1
    assert attributes.pop("SenderId")
    assert attributes == {"ApproximateReceiveCount": "1", "MessageGroupId": "run-1"}
    assert record.pop("md5OfMessageAttributes") == sent["MD5OfMessageAttributes"]
    assert record == {
        "messageId": sent["MessageId"],
        "body": '{"do": "count", "id": "shape"}',
        "md5OfBody": sent["MD5OfMessageBody"],
        "messageAttributes": {
            "text": {
                "dataType": "String",
                "stringValue": "yes",
                "stringListValues": [],
                "binaryListValues": [],
            },
            "bytes": {
                "dataType": "Binary",
                "binaryValue": "AP8=",
                "stringListValues": [],
                "binaryListValues": [],
            },
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:exnotify-Orders",
        "awsRegion": "us-east-1",
    }


def test_a_partial_failure_brings_back_only_what_failed(hands: Any, wait: Any) -> None:
    hands.order(do="count", id="good")
    hands.order(do="fail", id="bad")

    wait(lambda: hands.deliveries("bad") == 3)
    assert hands.cloud.idle(5)
    assert hands.deliveries("good") == 1


def test_a_poison_message_ends_in_the_dead_letter_queue(hands: Any, wait: Any) -> None:
    hands.letters("DeadLetters")
    hands.order(do="raise", id="poison")

    wait(lambda: hands.cloud.state()["queues"]["DeadLetters"]["visible"])
    assert hands.deliveries("poison") == 3  # maxReceiveCount
    assert [json.loads(body)["id"] for body in hands.letters("DeadLetters")] == ["poison"]
    assert any("[ERROR]" in line and "told to: from the layer" in line for line in _errors(hands))


def _errors(hands: Any) -> list[str]:
    text = "\n".join(hands.cloud.logs("TakeOrdersFunction"))
    return ["[ERROR]" + part for part in text.split("[ERROR]")[1:]]


def test_a_function_may_hold_a_message_back_itself(hands: Any, wait: Any) -> None:
    hands.order(do="hold", id="held", seconds=2)
    wait(lambda: hands.deliveries("held") == 1)
    first = time.monotonic()
    wait(lambda: hands.deliveries("held") == 2)
    # 0.2 seconds is what the cloud itself would have waited.
    assert time.monotonic() - first > 0.7


def test_a_killed_worker_costs_one_delivery(hands: Any, wait: Any) -> None:
    wait(lambda: hands.cloud.idle(10))
    hands.order(do="sleep", id="killed", seconds=1)
    wait(lambda: hands.deliveries("killed") == 1)
    for pid in hands.cloud.worker_pids("TakeOrdersFunction"):
        os.kill(pid, signal.SIGKILL)

    wait(lambda: hands.deliveries("killed") == 2)
    assert hands.cloud.idle(5)
    assert hands.deliveries("killed") == 2


def test_a_time_out_is_a_failure(hands: Any, wait: Any) -> None:
    hands.order(do="sleep", id="slow", seconds=30)
    wait(lambda: hands.deliveries("slow") == 2, seconds=6)
    assert any("Task timed out after 2.00 seconds" in line for line in hands.cloud.logs("TakeOrdersFunction"))
    hands.cloud.client("sqs").purge_queue(QueueUrl=hands.cloud.resource("Orders"))


def test_a_rule_that_no_queue_policy_names_goes_to_its_dead_letters(hands: Any, wait: Any) -> None:
    hands.letters("DeadLetters")
    hands.cloud.client("events").put_events(
        Entries=[
            {"Source": "uninvited", "DetailType": "Order", "Detail": '{"do": "count", "id": "uninvited"}'}
        ]
    )
    [letter] = hands.letters("DeadLetters")
    assert json.loads(letter)["source"] == "uninvited"
    assert hands.deliveries("uninvited") == 0


@pytest.mark.parametrize("kind", ["order", "ordinary"])
def test_an_event_of_our_own_reaches_the_queue(hands: Any, wait: Any, kind: str) -> None:
    detail = {
        "kind": kind,
        "bucket": {"name": hands.cloud.outputs["BucketName"]},
        "object": {"key": f"drop/{kind}"},
    }
    hands.cloud.client("s3").put_object(
        Bucket=hands.cloud.outputs["BucketName"], Key=f"drop/{kind}", Body=b"x"
    )
    answer = hands.cloud.client("events").put_events(
        Entries=[
            {"Source": "miniature", "DetailType": "Order", "Detail": json.dumps(detail), "Resources": ["r"]},
            {"Source": "miniature", "DetailType": "Order", "Detail": json.dumps({**detail, "kind": "other"})},
        ]
    )
    event = json.loads(wait(lambda: hands.row(f"drop/{kind}"))["event"])
    del event["do"]
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Order",
        "source": "miniature",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": ["r"],
        "detail": detail,
    }
    assert hands.cloud.idle(5)
    assert hands.deliveries(f"drop/{kind}") == 1
