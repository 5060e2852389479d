"""What DynamoDB says now and then, as a script says it: unprocessed keys, conflicts, throttling."""

from collections.abc import Iterator
from typing import Any

import pytest

from exstream_notify.adapters.dynamodb.batches import Item, get_items, put_if


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
    monkeypatch.setattr("exstream_notify.adapters.dynamodb.batches.time.sleep", found.append)
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
    with pytest.raises(RuntimeError, match="unprocessed"):
        get_items(Scripted(*[1] * 20), "t", ["k1", "k2"])
    assert all(wait <= 0.025 * 2**n for n, wait in enumerate(waits))


# --- writing ---------------------------------------------------------------------------------------


def test_a_hundred_writes_a_transaction_and_a_single_one_by_itself() -> None:
    client = Scripted()

    assert put_if(client, "t", items(201)) == set()
    assert client.asked == [("transaction", 100), ("transaction", 100), ("put", 1)]


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
