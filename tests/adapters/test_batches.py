"""Batch calls: limits, and what services leave over, as a script says it: keys, entries, conflicts."""

import ast
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import check_calls
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exnotify.personal.objects import delete_versions
from exstream_notify.adapters.batches import (
    EVENTS,
    GET_ITEMS,
    MESSAGES,
    TRANSACTION,
    TRIES,
    LeftOver,
    Limits,
    batches,
)
from exstream_notify.adapters.dynamodb.batches import Item, get_items, get_rows, put_if, size_of
from exstream_notify.adapters.dynamodb.receipts import DynamoReputation
from exstream_notify.adapters.sqs import EventBridgeJourneys, SqsQueue


class ConditionFailed(Exception):
    """ConditionalCheckFailedException."""


class Conflict(Exception):
    """TransactionConflictException."""


class Cancelled(Exception):
    """TransactionCanceledException, with a code for each item."""

    def __init__(self, *codes: str) -> None:
        super().__init__("cancelled")
        self.response = {"CancellationReasons": [{"Code": code} for code in codes]}


class Scripted:
    """A client that answers as scripted, then well; it keeps what was asked of it."""

    class exceptions:  # noqa: N801 - botocore's name
        """As botocore's client has them."""

        ConditionalCheckFailedException = ConditionFailed
        TransactionConflictException = Conflict
        TransactionCanceledException = Cancelled

    def __init__(self, *answers: Any) -> None:
        self._answers: Iterator[Any] = iter(answers)
        self.asked: list[tuple[str, int]] = []

    def transact_write_items(self, TransactItems: list[Any]) -> Any:  # noqa: N803
        """As DynamoDB's."""
        return self._answer("transaction", len(TransactItems), {})

    def put_item(self, **_: Any) -> Any:
        """As DynamoDB's."""
        return self._answer("put", 1, {})

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        """As DynamoDB's; answers are how many keys are left unprocessed."""
        keys = RequestItems["t"]["Keys"]
        assert len({json.dumps(key) for key in keys}) == len(keys), "DynamoDB refuses duplicate keys"
        left = self._answer("get", len(keys), 0)
        done, rest = keys[: len(keys) - left], keys[len(keys) - left :]
        unprocessed = {"t": {"Keys": rest, "ConsistentRead": True}} if rest else {}
        return {"Responses": {"t": done}, "UnprocessedKeys": unprocessed}

    def _answer(self, what: str, size: int, otherwise: Any) -> Any:
        self.asked.append((what, size))
        answer = next(self._answers, otherwise)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting takes no time; how long it would have been."""
    found: list[float] = []
    monkeypatch.setattr("exstream_notify.adapters.batches.time.sleep", found.append)
    return found


def items(count: int) -> dict[str, tuple[Item, int]]:
    """Items at their first version."""
    return {f"k{n}": ({"pk": {"S": f"k{n}"}}, 1) for n in range(count)}


# --- reading ---------------------------------------------------------------------------------------


def test_unprocessed_keys_are_asked_for_again(waits: list[float]) -> None:
    client = Scripted(3, 1)

    assert len(get_items(client, "t", [f"k{n}" for n in range(5)])) == 5
    assert client.asked == [("get", 5), ("get", 3), ("get", 1)]
    assert len(waits) == 2


def test_a_hundred_keys_a_call_each_once() -> None:
    client = Scripted()

    assert len(get_items(client, "t", [f"k{n}" for n in range(230)] * 2)) == 230
    assert [size for _, size in client.asked] == [100, 100, 30]


def test_keys_that_stay_unprocessed_are_an_error(waits: list[float]) -> None:
    with pytest.raises(LeftOver, match="unprocessed"):
        get_items(Scripted(*[1] * 20), "t", ["k1", "k2"])
    assert len(waits) == TRIES
    assert all(wait <= 0.025 * 2**n for n, wait in enumerate(waits))


def test_large_items_that_come_a_few_at_a_time_are_all_read() -> None:
    """An answer holds 16 MB: of a hundred items of 400 KB more calls than tries can be needed."""
    client = Scripted(*range(99, 0, -1))

    assert len(get_items(client, "t", [f"k{n}" for n in range(100)])) == 100
    assert len(client.asked) == 100


def test_rows_that_are_named_twice_are_read_once() -> None:
    client = Scripted()
    keys = [{"pk": {"S": "a"}, "sk": {"S": sk}} for sk in ("1", "2", "1")]

    assert len(list(get_rows(client, "t", [*keys, {"sk": {"S": "2"}, "pk": {"S": "a"}}]))) == 2
    assert client.asked == [("get", 2)]


def test_a_senders_counts_are_complete_though_keys_are_left_unprocessed() -> None:
    client = Scripted(40, 7)

    DynamoReputation(client, "t").last_day(datetime(2026, 11, 29, tzinfo=UTC))
    assert client.asked == [("get", 48), ("get", 40), ("get", 7)]


# --- writing ---------------------------------------------------------------------------------------


def test_a_hundred_writes_a_transaction_and_a_single_one_by_itself() -> None:
    client = Scripted()

    assert put_if(client, "t", items(201)) == set()
    assert client.asked == [("transaction", 100), ("transaction", 100), ("put", 1)]


def test_a_transaction_takes_no_more_bytes_than_dynamodb_allows() -> None:
    client = Scripted()
    large = {f"k{n}": ({"pk": {"S": f"k{n}"}, "body": {"S": "x" * 390_000}}, 1) for n in range(21)}

    assert put_if(client, "t", large) == set()
    assert client.asked == [("transaction", 9), ("transaction", 9), ("transaction", 3)]
    assert TRANSACTION.bytes < 4_000_000


def test_what_fails_its_condition_is_left_out_and_the_rest_written_at_once(waits: list[float]) -> None:
    client = Scripted(Cancelled("None", "ConditionalCheckFailed", "None"))

    assert put_if(client, "t", items(3)) == {"k1"}
    assert client.asked == [("transaction", 3), ("transaction", 2)]
    assert waits == []


def test_where_all_fail_nothing_is_tried_again() -> None:
    client = Scripted(Cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"))

    assert put_if(client, "t", items(2)) == {"k0", "k1"}
    assert client.asked == [("transaction", 2)]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_what_passes_is_waited_for(code: str, waits: list[float]) -> None:
    client = Scripted(Cancelled("None", code), Cancelled(code, "None"))

    assert put_if(client, "t", items(2)) == set()
    assert client.asked == [("transaction", 2)] * 3
    assert len(waits) == 2


def test_a_conflict_beside_a_failed_condition_is_not_taken_for_one() -> None:
    client = Scripted(Cancelled("TransactionConflict", "ConditionalCheckFailed"))

    assert put_if(client, "t", items(2)) == {"k1"}
    assert client.asked == [("transaction", 2), ("transaction", 1)]


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_what_does_not_pass_is_an_error(code: str) -> None:
    with pytest.raises(Cancelled):
        put_if(Scripted(Cancelled(code, "ConditionalCheckFailed")), "t", items(2))


def test_transactions_that_keep_cancelling_each_other_give_way_to_single_writes() -> None:
    conflict = Cancelled("TransactionConflict", "TransactionConflict")
    client = Scripted(*[conflict] * 5, {}, ConditionFailed())

    assert put_if(client, "t", items(2)) == {"k1"}
    assert client.asked == [("transaction", 2)] * 5 + [("put", 1)] * 2


def test_a_single_write_that_fails_its_condition_says_so() -> None:
    assert put_if(Scripted(ConditionFailed()), "t", items(1)) == {"k0"}


def test_a_single_write_that_meets_a_transaction_is_tried_again(waits: list[float]) -> None:
    """Left to botocore it would be an error, after the provider took the message: a doubt for nothing."""
    client = Scripted(Conflict(), Conflict())

    assert put_if(client, "t", items(1)) == set()
    assert client.asked == [("put", 1)] * 3
    assert len(waits) == 2


def test_a_single_write_that_keeps_meeting_transactions_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="kept meeting"):
        put_if(Scripted(*[Conflict()] * 20), "t", items(1))


# --- queues and the event bus ----------------------------------------------------------------------


class Partial:
    """SQS and EventBridge; each answer is the code of the entries of that number or beyond, None: all taken."""

    def __init__(self, *answers: tuple[int, str] | None) -> None:
        self._answers: Iterator[tuple[int, str] | None] = iter(answers)
        self.taken: list[str] = []
        self.calls: list[int] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        """As SQS's."""
        taken, code = self._take([entry["MessageBody"] for entry in Entries])
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        fault = code == "InvalidMessageContents"
        failed = [{"Id": e["Id"], "Code": code, "SenderFault": fault} for e in Entries[taken:]]
        return {
            "Successful": [{"Id": e["Id"]} for e in Entries[:taken]],
            **({"Failed": failed} if failed else {}),
        }

    def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803
        """As EventBridge's."""
        taken, code = self._take([entry["Detail"] for entry in Entries])
        rows = [{"EventId": "e"} if n < taken else {"ErrorCode": code} for n in range(len(Entries))]
        return {"FailedEntryCount": len(Entries) - taken, "Entries": rows}

    def _take(self, bodies: list[str]) -> tuple[int, str]:
        self.calls.append(len(bodies))
        taken, code = next(self._answers, None) or (len(bodies), "")
        self.taken += bodies[:taken]
        return taken, code


def queue_messages(client: Partial, count: int) -> None:
    SqsQueue(client, "url").send(("g", {"n": n}) for n in range(count))


def put_details(client: Partial, count: int) -> None:
    EventBridgeJourneys(client).unanswered([{"n": n} for n in range(count)])


PUTS = pytest.mark.parametrize(
    ("put", "passing", "lasting"),
    [
        (queue_messages, "InternalError", "InvalidMessageContents"),
        (put_details, "ThrottlingException", "NotAuthorizedForDetailTypeException"),
    ],
)


@PUTS
def test_entries_that_were_not_taken_go_again_and_no_other(
    put: Any, passing: str, lasting: str, waits: list[float]
) -> None:
    client = Partial((4, passing), None, (0, passing))

    put(client, 13)
    assert client.calls == [10, 6, 3, 3]
    assert sorted(json.loads(body)["n"] for body in client.taken) == list(range(13)), "each once"
    assert len(waits) == 2


@PUTS
def test_an_entry_that_never_will_be_taken_is_an_error_at_once(
    put: Any, passing: str, lasting: str, waits: list[float]
) -> None:
    client = Partial((4, lasting))

    with pytest.raises(RuntimeError, match="refused 6"):
        put(client, 10)
    assert (client.calls, waits) == ([10], [])


@PUTS
def test_entries_that_keep_being_left_are_an_error(put: Any, passing: str, lasting: str) -> None:
    client = Partial(*[(0, passing)] * 20)

    with pytest.raises(LeftOver, match="kept refusing"):
        put(client, 10)
    assert len(client.calls) == TRIES + 1


@given(
    sizes=st.lists(st.integers(0, 300_000), max_size=60),
    limits=st.sampled_from([MESSAGES, EVENTS, Limits(3, 500_000)]),
)
def test_batches_keep_the_order_lose_nothing_and_fit(sizes: list[int], limits: Limits) -> None:
    found = list(batches(sizes, limits, lambda size: size))

    assert [size for batch in found for size in batch] == sizes
    for batch in found:
        assert 1 <= len(batch) <= limits.rows
        assert sum(batch) <= limits.bytes or len(batch) == 1
    for batch, after in pairwise(found):
        assert len(batch) == limits.rows or sum(batch) + after[0] > limits.bytes, "no call too many"


@pytest.mark.parametrize(
    ("limits", "rows", "size"),
    [(GET_ITEMS, 100, 16 * 2**20), (TRANSACTION, 100, 4 * 2**20), (MESSAGES, 10, 2**18), (EVENTS, 10, 2**18)],
)
def test_no_batch_is_more_than_its_service_takes(limits: Limits, rows: int, size: int) -> None:
    assert limits.rows <= rows
    assert limits.bytes <= size


def test_each_batch_operation_is_called_in_one_place_which_minds_what_is_left_over() -> None:
    """Elsewhere use `get_items`, `get_rows`, `put_if`, `transact`, `SqsQueue` and `_put_events`."""
    found = [
        (path.relative_to(check_calls.ADAPTERS).as_posix(), node.attr)
        for path in check_calls.ADAPTERS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and (node.attr in ("put_events", "transact_write_items") or "batch" in node.attr.split("_"))
        and isinstance(node.value, ast.Name | ast.Attribute)
        and "client" in ast.unparse(node.value)
    ]
    assert sorted(found) == [
        ("dynamodb/batches.py", "batch_get_item"),
        ("dynamodb/batches.py", "transact_write_items"),
        ("sqs.py", "put_events"),
        ("sqs.py", "send_message_batch"),
    ]


def test_an_item_is_measured_as_dynamodb_counts_it() -> None:
    """Names and values in UTF-8; quotes and backslashes of a JSON text count once, as they are stored."""
    text = json.dumps([["2026-11-20T15:00:00+00:00", "deferred", 'he said "no" – ünïcode', ""]])
    assert size_of({"pk": {"S": "ab"}, "events": {"S": text}}) == 2 + 2 + 6 + len(text.encode())
    assert size_of({"ä": {"S": "ö"}}) == 4
    assert size_of({"n": {"N": "12345"}}) == 1 + 4
    assert size_of({"b": {"BOOL": True}, "z": {"NULL": True}}) == 4
    assert size_of({"s": {"SS": ["ab", "c"]}}) == 1 + 3
    assert size_of({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}) == 1 + 3 + (1 + 2) + (1 + 2)
    assert size_of({"m": {"M": {"k": {"S": "ab"}}}}) == 1 + 3 + 1 + 3


class Deleting:
    """S3 that leaves some versions in each call, as scripted."""

    def __init__(self, *left: tuple[str, int]) -> None:
        self._left = iter(left)
        self.calls: list[list[str]] = []

    def delete_objects(self, Bucket: str, Delete: Any) -> Any:  # noqa: N803
        wanted = Delete["Objects"]
        self.calls.append([row["Key"] for row in wanted])
        code, number = next(self._left, ("", 0))
        return {"Errors": [{**row, "Code": code} for row in wanted[:number]]} if number else {}


def test_versions_that_s3_left_are_deleted_in_a_later_call() -> None:
    client = Deleting(("InternalError", 3), ("SlowDown", 1))
    rows = [{"Key": f"k{n}", "VersionId": str(n)} for n in range(5)]
    assert delete_versions(client, "bucket", rows) == 5
    assert client.calls == [["k0", "k1", "k2", "k3", "k4"], ["k0", "k1", "k2"], ["k0"]]


def test_versions_that_nobody_may_delete_are_an_error_at_once() -> None:
    client = Deleting(("AccessDenied", 1))
    with pytest.raises(RuntimeError, match="1 versions cannot be deleted: AccessDenied"):
        delete_versions(client, "bucket", [{"Key": "k", "VersionId": "1"}])
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([5, 5, 1], [[5, 5], [1]]),
        ([10, 1], [[10], [1]]),
        ([4, 5, 1, 10], [[4, 5, 1], [10]]),
        ([11, 1], [[11], [1]]),
        ([1, 11, 1], [[1], [11], [1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([], []),
    ],
)
def test_a_batch_is_full_at_its_limit_and_not_beyond(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(batches(sizes, Limits(3, 10), int)) == expected
