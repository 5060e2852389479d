"""Batched reads and conditional writes on DynamoDB's low-level client."""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

DynamoDBClient: TypeAlias = Any
"""boto3's low-level client; its methods are made at run time, so there is no class to name."""

Item: TypeAlias = dict[str, Any]

GET_LIMIT = 100
WRITE_LIMIT = 100
_TRANSACTION_TRIES = 5


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Runs of at most `size` values."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def get_items(
    client: DynamoDBClient, table: str, keys: Collection[str], *, consistent: bool = True
) -> dict[str, Item]:
    """Items by their `pk`, where that is the whole key."""
    wanted = [{"pk": {"S": key}} for key in sorted(set(keys))]
    return {row["pk"]["S"]: row for row in get_rows(client, table, wanted, consistent=consistent)}


def get_rows(
    client: DynamoDBClient, table: str, keys: Sequence[Item], *, consistent: bool = True
) -> Iterator[Item]:
    """Items by their keys, as they come; what DynamoDB leaves unprocessed is asked for again, with jitter."""
    for chunk in chunks(keys, GET_LIMIT):
        request: Any = {table: {"Keys": chunk, "ConsistentRead": consistent}}
        for pause in _pauses():
            answer = client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table, ())
            request = answer.get("UnprocessedKeys")
            if not request:
                break
            time.sleep(pause)
        else:
            raise RuntimeError("DynamoDB kept leaving keys unprocessed")


def put_if(client: DynamoDBClient, table: str, items: Mapping[str, tuple[Item, int]]) -> set[str]:
    """Put items by key, each where the stored `v` is one less than its version (absent for 1).

    One transaction for up to a hundred; those whose condition fails are left out and the rest is
    tried again, so one conflict never stops the others. Returns the keys that failed.
    """
    failed: set[str] = set()
    for chunk in chunks(list(items), WRITE_LIMIT):
        failed |= _put_chunk(client, table, {key: items[key] for key in chunk})
    return failed


def _put_chunk(client: DynamoDBClient, table: str, items: dict[str, tuple[Item, int]]) -> set[str]:
    if len(items) == 1:
        ((key, (item, version)),) = items.items()
        return set() if _put_one(client, table, item, version) else {key}
    failed: set[str] = set()
    for pause in islice(_pauses(), _TRANSACTION_TRIES):
        keys = list(items)
        try:
            client.transact_write_items(
                TransactItems=[{"Put": {"TableName": table, **_conditional(*items[key])}} for key in keys]
            )
            return failed
        except client.exceptions.TransactionCanceledException as cancelled:
            codes = [reason.get("Code", "None") for reason in cancelled.response["CancellationReasons"]]
            conflicts = {
                key for key, code in zip(keys, codes, strict=True) if code == "ConditionalCheckFailed"
            }
            others = set(codes) - {"None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"}
            if others - {"ProvisionedThroughputExceeded"}:
                raise
            failed |= conflicts
            for key in conflicts:
                del items[key]
            if not items:
                return failed
            if not conflicts:
                time.sleep(pause)
    # Transactions over the same items can keep cancelling each other; single writes do not.
    return failed | {key for key, one in items.items() if not _put_one(client, table, *one)}


def _put_one(client: DynamoDBClient, table: str, item: Item, version: int) -> bool:
    for pause in _pauses():
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


def _pauses() -> Iterator[float]:
    """Eight waits, doubling from 25 ms, with full jitter."""
    for attempt in range(8):
        yield random.random() * 0.025 * 2**attempt  # noqa: S311 - spreads load, keeps no secret
