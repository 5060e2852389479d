"""Duplicates and reordering, on request and by a seed; and batches as Lambda reads their answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud import EmbeddedCloud
from exnotify.cloud.functions import Outcome
from exnotify.cloud.poller import failed_items

RECORDS = [{"messageId": "a"}, {"messageId": "b"}]
EVERYTHING = {"a", "b"}


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "c"}]}, EVERYTHING),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, EVERYTHING),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, EVERYTHING),
        ({"batchItemFailures": [{"item": "b"}]}, EVERYTHING),
        ({"batchItemFailures": ["b"]}, EVERYTHING),
        ({"batchItemFailures": "b"}, EVERYTHING),
        ("done", EVERYTHING),
    ],
)
def test_a_batchs_answer_is_read_as_lambda_reads_it(result: Any, failed: set[str]) -> None:
    outcome = Outcome("r", json.dumps(result), None, 0.0)
    assert failed_items(RECORDS, outcome, partial_responses=True) == failed
    assert failed_items(RECORDS, outcome, partial_responses=False) == set()


@pytest.mark.parametrize("partial_responses", [True, False])
def test_a_failed_invocation_fails_the_whole_batch(partial_responses: bool) -> None:
    outcome = Outcome("r", "{}", {"errorType": "E"}, 0.0)
    assert failed_items(RECORDS, outcome, partial_responses) == EVERYTHING


def send(cloud: EmbeddedCloud, count: int) -> None:
    for number in range(count):
        cloud.client("sqs").send_message(
            QueueUrl=cloud.resource("Orders"), MessageBody=json.dumps({"do": "count", "id": f"n{number}"})
        )


def deliveries(cloud: EmbeddedCloud) -> list[int]:
    items = cloud.client("dynamodb").scan(TableName=cloud.outputs["TableName"])["Items"]
    return [int(item["deliveries"]["N"]) for item in items]


def test_chaos_delivers_some_messages_twice_and_loses_none(miniature: Path) -> None:
    with EmbeddedCloud(miniature, chaos=frozenset({"duplicates", "reorder"}), seed=7) as cloud:
        send(cloud, 40)
        assert cloud.idle(20)
        counts = deliveries(cloud)
        assert len(counts) == 40
        assert set(counts) == {1, 2}
        assert 3 <= counts.count(2) <= 25


def order_of_arrival(miniature: Path, **settings: Any) -> list[str]:
    with EmbeddedCloud(miniature, workers=1, **settings) as cloud:
        # Queued while nobody polls: one long order occupies the only worker.
        cloud.client("sqs").send_message(
            QueueUrl=cloud.resource("Orders"), MessageBody='{"do": "sleep", "id": "first", "seconds": 0.8}'
        )
        send(cloud, 15)
        for number in range(15):
            cloud.client("sqs").send_message(
                QueueUrl=cloud.resource("Orders"),
                MessageBody=json.dumps({"do": "print", "text": f"see {number}"}),
            )
        assert cloud.idle(20)
        return [line for line in cloud.logs("TakeOrdersFunction") if line.startswith("see ")]


def test_reordering_shuffles_and_its_absence_does_not(miniature: Path) -> None:
    in_order = [f"see {number}" for number in range(15)]
    assert order_of_arrival(miniature) == in_order
    shuffled = order_of_arrival(miniature, chaos=frozenset({"reorder"}), seed=1)
    assert shuffled != in_order
    assert sorted(shuffled) == sorted(in_order)


def test_batch_calls_are_answered_in_part_and_what_is_left_is_named(miniature: Path) -> None:
    with EmbeddedCloud(miniature, chaos=frozenset({"partial"}), seed=3) as cloud:
        dynamodb, sqs, events = map(cloud.client, ("dynamodb", "sqs", "events"))
        table, queue = cloud.outputs["TableName"], cloud.resource("Orders")
        (key,) = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        keys = [{key["AttributeName"]: {"S": f"n{n}"}} for n in range(9)]
        rows = [{"Id": f"m{n}", "MessageBody": '{"do": "print", "text": "x"}'} for n in range(10)]
        put = [{"Source": "s", "DetailType": "d", "Detail": "{}"} for _ in range(7)]
        left: dict[str, set[int]] = {"keys": set(), "messages": set(), "events": set()}
        for _ in range(20):
            answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            unprocessed = answer["UnprocessedKeys"].get(table, {"Keys": []})
            assert unprocessed["Keys"] in ([], keys[5:])
            left["keys"].add(len(unprocessed["Keys"]))
            answer = sqs.send_message_batch(QueueUrl=queue, Entries=rows)
            failed = answer.get("Failed", [])
            assert {row["Id"] for row in [*answer["Successful"], *failed]} == {row["Id"] for row in rows}
            left["messages"].add(len(failed))
            answer = events.put_events(Entries=put)
            assert sum("ErrorCode" in row for row in answer["Entries"]) == answer["FailedEntryCount"]
            assert len(answer["Entries"]) == len(put)
            left["events"].add(answer["FailedEntryCount"])
        assert left == {"keys": {0, 4}, "messages": {0, 5}, "events": {0, 3}}


def test_an_unknown_chaos_is_refused(miniature: Path) -> None:
    with pytest.raises(ValueError, match="no chaos called earthquake"):
        EmbeddedCloud(miniature, chaos=frozenset({"earthquake"}))


def test_messages_of_a_failed_batch_wait_for_their_visibility_where_nothing_hastens_them(
    miniature: Path, wait: Any
) -> None:
    with EmbeddedCloud(miniature, redelivery=None) as cloud:
        cloud.client("sqs").send_message(
            QueueUrl=cloud.resource("Orders"), MessageBody='{"do": "fail", "id": "patient"}'
        )
        wait(lambda: deliveries(cloud) == [1])
        assert not cloud.idle(1)
        assert deliveries(cloud) == [1]
        assert cloud.state()["queues"]["Orders"]["in_flight"] == 1
