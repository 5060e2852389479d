"""Batched reads and conditional writes on DynamoDB's low-level client."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import orjson

from ..batches import GET_ITEMS, TRANSACTION, batches, insist, pauses

DynamoDBClient: TypeAlias = Any
"""boto3's low-level client; its methods are made at run time, so there is no class to name."""

Item: TypeAlias = dict[str, Any]

_TRANSACTION_TRIES = 5
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that the same transaction may not meet again."""


def get_items(
    client: DynamoDBClient, table: str, keys: Collection[str], *, consistent: bool = True
) -> dict[str, Item]:
    """Items by their `pk`, where that is the whole key."""
    wanted = [{"pk": {"S": key}} for key in sorted(set(keys))]
    return {row["pk"]["S"]: row for row in _rows(client, table, wanted, consistent)}


def get_rows(
    client: DynamoDBClient, table: str, keys: Sequence[Item], *, consistent: bool = True
) -> Iterator[Item]:
    """Items by their keys, in any order; a key that is named twice, which DynamoDB refuses, counts once."""
    wanted = {orjson.dumps(key, option=orjson.OPT_SORT_KEYS): key for key in keys}
    return _rows(client, table, list(wanted.values()), consistent)


def _rows(client: DynamoDBClient, table: str, keys: Sequence[Item], consistent: bool) -> Iterator[Item]:
    found: list[Item] = []

    def get(wanted: Sequence[Item]) -> Sequence[Item]:
        request = {table: {"Keys": wanted, "ConsistentRead": consistent}}
        answer = client.batch_get_item(RequestItems=request)
        found.extend(answer["Responses"].get(table, ()))
        left: Sequence[Item] = (answer.get("UnprocessedKeys") or {}).get(table, {}).get("Keys", ())
        return left

    for start in range(0, len(keys), GET_ITEMS.rows):
        insist(get, keys[start : start + GET_ITEMS.rows], "DynamoDB kept leaving keys unprocessed")
        yield from found
        found.clear()


def put_if(client: DynamoDBClient, table: str, items: Mapping[str, tuple[Item, int]]) -> set[str]:
    """Put items by key, each where the stored `v` is one less than its version (absent for 1).

    One transaction for as many as it takes; those whose condition fails are left out and the rest is
    tried again, so one conflict never stops the others. Returns the keys that failed.
    """
    failed: set[str] = set()
    for batch in batches(items, TRANSACTION, lambda key: size_of(items[key][0])):
        failed |= _put_batch(client, table, {key: items[key] for key in batch})
    return failed


def size_of(item: Item) -> int:
    """An item's bytes as DynamoDB counts them: names and values in UTF-8 ("DynamoDB item sizes and formats",
    Amazon DynamoDB Developer Guide)."""
    return sum(len(name.encode()) + _sum(value.items()) for name, value in item.items())


def _sum(values: Iterable[tuple[str, Any]]) -> int:
    return sum(_value_size(kind, value) for kind, value in values)


def _value_size(kind: str, value: Any) -> int:
    if kind in ("S", "B"):
        return len(value.encode()) if isinstance(value, str) else len(value)
    if kind == "N":
        return len(value) // 2 + 2  # two digits a byte, one more for the exponent, one for a sign
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size(kind[0], one) for one in value)
    if kind == "L":
        return 3 + sum(1 + _sum(one.items()) for one in value)
    if kind == "M":
        return 3 + len(value) + size_of(value)
    return 1  # BOOL and NULL


def _put_batch(client: DynamoDBClient, table: str, items: dict[str, tuple[Item, int]]) -> set[str]:
    if len(items) == 1:
        ((key, (item, version)),) = items.items()
        return set() if _put_one(client, table, item, version) else {key}
    failed: set[str] = set()
    while items:
        keys = list(items)
        try:
            conflicts = transact(
                client, [{"Put": {"TableName": table, **_conditional(*items[key])}} for key in keys]
            )
        except Contended:
            # Transactions over the same items can keep cancelling each other; single writes do not.
            return failed | {key for key, one in items.items() if not _put_one(client, table, *one)}
        if not conflicts:
            break
        for key in (keys[number] for number in conflicts):
            failed.add(key)
            del items[key]
    return failed


class Contended(RuntimeError):
    """A transaction kept meeting other writes, or too many of them; nothing of it is written."""


def transact(client: DynamoDBClient, writes: Sequence[Item]) -> set[int]:
    """Write all, or nothing: the positions of those whose condition failed, empty if all are written.

    No two writes may be of one item. Conflicts with other writes and throttling are waited for: Contended
    where they go on. Whatever else cancels a transaction is raised as it is.
    """
    for pause in islice(pauses(), _TRANSACTION_TRIES):
        try:
            client.transact_write_items(TransactItems=writes)
            return set()
        except client.exceptions.TransactionCanceledException as cancelled:
            codes = [reason.get("Code", "None") for reason in cancelled.response["CancellationReasons"]]
            if set(codes) - _PASSING - {"ConditionalCheckFailed"}:
                raise
            conflicts = {n for n, code in enumerate(codes) if code == "ConditionalCheckFailed"}
            if conflicts:
                return conflicts
            time.sleep(pause)
    raise Contended("a DynamoDB transaction kept meeting other writes")


def _put_one(client: DynamoDBClient, table: str, item: Item, version: int) -> bool:
    for pause in pauses():
        try:
            client.put_item(TableName=table, **_conditional(item, version))
        except client.exceptions.ConditionalCheckFailedException:
            return False
        except client.exceptions.TransactionConflictException:
            # Part of somebody's transaction just now; botocore does not try again by itself.
            time.sleep(pause)
        else:
            return True
    raise RuntimeError("a DynamoDB write kept meeting transactions")


def _conditional(item: Item, version: int) -> dict[str, Any]:
    if version == 1:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "Item": item,
        "ConditionExpression": "v = :before",
        "ExpressionAttributeValues": {":before": {"N": str(version - 1)}},
    }


def query(call: Callable[..., Any], **arguments: Any) -> Iterator[Item]:
    """All pages of a query or scan."""
    while True:
        answer = call(**arguments)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
