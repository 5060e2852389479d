"""What is put onto queues and the bus: which, with which group, body and delay, as whole values."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from exstream_notify.adapters.sqs import (
    EventBridgeExceptions,
    EventBridgeJourneys,
    SqsDecideQueue,
    SqsLookQueue,
    SqsQueue,
    SqsRunQueue,
    SqsSendQueues,
    group,
)
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.work import SendJob, SlicePointer

POINTER = SlicePointer("retail", "run-1", 3, "parts/retail/run-1/00000.jsonl", 0, 100, 2, 1)


class Client:
    """SQS and EventBridge, that take everything."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []
        self.changed: list[tuple[str, str, int]] = []
        self.error = ""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.sent += [(QueueUrl, entry) for entry in Entries]
        return {}

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "ChangeMessageVisibility")
        self.changed.append((QueueUrl, ReceiptHandle, VisibilityTimeout))

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.events += Entries
        return {"FailedEntryCount": 0}

    @property
    def messages(self) -> list[tuple[str, str, Any]]:
        """Queue, group and body of what was sent."""
        return [(url, entry["MessageGroupId"], json.loads(entry["MessageBody"])) for url, entry in self.sent]


def job(queue: str, name: str) -> SendJob:
    found: Any = SimpleNamespace(queue=queue, pointer=POINTER, to_message=lambda: {"job": name})
    return found  # type: ignore[no-any-return]


def test_slices_go_by_their_runs_group() -> None:
    client = Client()
    assert SqsDecideQueue(client, "decide").send_slices([POINTER, POINTER]) == 2
    assert client.messages == [("decide", "retail/run-1", {**POINTER.to_message(), "positions": []})] * 2
    assert [entry["Id"] for _, entry in client.sent] == ["0", "1"]
    assert all("DelaySeconds" not in entry for _, entry in client.sent)


def test_what_is_spread_is_delayed_by_up_to_that_and_not_all_alike() -> None:
    client = Client()
    SqsDecideQueue(client, "decide").send_slices([POINTER] * 60, spread=30.7)
    delays = [entry["DelaySeconds"] for _, entry in client.sent]
    assert all(0 <= delay <= 30 for delay in delays)
    assert len(set(delays)) > 5


def test_each_job_goes_onto_its_channels_queue() -> None:
    client = Client()
    queues = SqsSendQueues(client, {"email": "E", "sms": "S", "urgent": "U"})
    queues.send_jobs([job("sms", "1"), job("email", "2"), job("sms", "3"), job("urgent", "4")])
    assert client.messages == [
        ("E", "retail/run-1", {"job": "2"}),
        ("S", "retail/run-1", {"job": "1"}),
        ("S", "retail/run-1", {"job": "3"}),
        ("U", "retail/run-1", {"job": "4"}),
    ]
    queues.come_back("sms", "handle", 10.2)
    assert client.changed == [("S", "handle", 11)]


@pytest.mark.parametrize(
    ("seconds", "timeout"),
    [(-5.0, 1), (0.0, 1), (0.5, 1), (10.2, 11), (43_199.0, 43_200), (90_000.0, 43_200)],
)
def test_a_message_comes_back_within_what_sqs_allows(seconds: float, timeout: int) -> None:
    client = Client()
    SqsQueue(client, "Q").come_back("handle", seconds)
    assert client.changed == [("Q", "handle", timeout)]


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("ReceiptHandleIsInvalid", False),
        ("AWS.SimpleQueueService.MessageNotInflight", False),
        ("InvalidParameterValue", False),
        ("AccessDenied", True),
    ],
)
def test_a_message_that_is_another_workers_already_is_left_to_it(code: str, raised: bool) -> None:
    client = Client()
    client.error = code
    if raised:
        with pytest.raises(ClientError):
            SqsQueue(client, "Q").come_back("handle", 1)
    else:
        SqsQueue(client, "Q").come_back("handle", 1)


def test_large_messages_go_in_calls_that_sqs_takes() -> None:
    calls: list[list[int]] = []

    class Counting(Client):
        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            calls.append([len(entry["MessageBody"]) for entry in Entries])
            return super().send_message_batch(QueueUrl, Entries)

    client = Counting()
    bodies = [("g", {"n": n, "text": "x" * 79_000}) for n in range(5)] + [
        ("g", {"n": n}) for n in range(5, 17)
    ]
    assert SqsQueue(client, "Q").send(bodies) == 17
    assert [body["n"] for _, _, body in client.messages] == list(range(17))
    assert [len(sizes) for sizes in calls] == [3, 10, 4]
    assert max(sum(sizes) for sizes in calls) <= 240_000


def test_a_run_is_staged_by_its_own_group() -> None:
    client = Client()
    queue = SqsRunQueue(client, "R")
    queue.send_runs([("retail", "run-1"), ("cards", "run 2")])
    queue.send_runs([("retail", "run-3")], "operator")
    assert client.messages == [
        ("R", "retail/run-1", {"stage": {"domain": "retail", "run_id": "run-1", "trigger": "again"}}),
        ("R", "cards/run_2", {"stage": {"domain": "cards", "run_id": "run 2", "trigger": "again"}}),
        ("R", "retail/run-3", {"stage": {"domain": "retail", "run_id": "run-3", "trigger": "operator"}}),
    ]


def test_a_look_goes_onto_its_kinds_own_queue_or_onto_the_first() -> None:
    client = Client()
    SqsLookQueue(client, "first", {"incident": "own"}).send_looks(  # type: ignore[dict-item]
        [("notice", "n1"), ("incident", "i1"), ("notice", "n2")]  # type: ignore[list-item]
    )
    assert client.messages == [
        ("first", "n1", {"look": {"kind": "notice", "name": "n1"}}),
        ("first", "n2", {"look": {"kind": "notice", "name": "n2"}}),
        ("own", "i1", {"look": {"kind": "incident", "name": "i1"}}),
    ]


@pytest.mark.parametrize(
    ("run", "expected"),
    [("retail/run-1_a.b", "retail/run-1_a.b"), ("a b\u00e4", "a_b_"), ("x" * 200, "x" * 128)],
)
def test_a_group_has_the_characters_that_sqs_allows(run: str, expected: str) -> None:
    assert group(run) == expected


# --- the bus ------------------------------------------------------------------------------------------------


def test_severe_exceptions_go_first_and_names_as_they_may_be_shown() -> None:
    client = Client()
    rows = [
        ExceptionRaised(code, severity, "retail", "run-1", "of Q7", count=2, names=("Q7",))  # type: ignore[arg-type]
        for code, severity in (("a", "warning"), ("b", "severe"), ("c", "error"), ("d", "severe"))
    ]
    EventBridgeExceptions(client, lambda name: f"<{name}>").raise_exceptions(rows)
    assert [(e["Source"], e["DetailType"]) for e in client.events] == [("exnotify", "Exception Raised")] * 4
    details = [json.loads(e["Detail"]) for e in client.events]
    assert [d["code"] for d in details] == ["b", "d", "a", "c"]
    assert {(d["domain"], d["run_id"], d["text"], d["count"]) for d in details} == {
        ("retail", "run-1", "of <Q7>", 2)
    }


def test_every_event_has_its_type_and_its_detail() -> None:
    client = Client()
    bus = EventBridgeExceptions(client, str)
    bus.run_arrived("retail", "run-1")
    bus.run_dispatched("retail", "run-2")
    bus.preferences_changed([{"a": 1}, {"b": 2}])
    EventBridgeJourneys(client).unanswered([{"c": 3}])
    assert [(e["DetailType"], json.loads(e["Detail"])) for e in client.events] == [
        ("Run Arrived", {"domain": "retail", "run_id": "run-1"}),
        ("Run Dispatched", {"domain": "retail", "run_id": "run-2"}),
        ("Preferences Changed", {"a": 1}),
        ("Preferences Changed", {"b": 2}),
        ("Journey Unanswered", {"c": 3}),
    ]
