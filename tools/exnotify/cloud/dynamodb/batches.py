"""Batches and transactions: what they hold, and how much.

"TransactWriteItems", "BatchGetItem" and "BatchWriteItem", Amazon DynamoDB API Reference.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .keys import Projection, projection
from .requests import key_of, names_of, values_of
from .schema import Key, Table
from .values import Item, invalid
from .writes import Write, write_of

BATCH_KEYS = 100
BATCH_WRITES = 25
"""Of at most 400 KB each: they never reach the 16 MB that a batch may have."""
TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024

_KINDS: Mapping[str, frozenset[str]] = {
    "Put": frozenset({"Item"}),
    "Update": frozenset({"Key", "UpdateExpression"}),
    "Delete": frozenset({"Key"}),
    "ConditionCheck": frozenset({"Key", "ConditionExpression"}),
}
"""By kind: the parameters that it needs."""
_COMMON = frozenset(
    {
        "TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)  # fmt: skip


def transaction_of(items: Sequence[Mapping[str, Any]], tables: Mapping[str, Table]) -> list[Write]:
    """The writes of a transaction. Raises Refused for what no state of the items could meet."""
    if not 1 <= len(items) <= TRANSACTION_ITEMS:
        bound = f"less than or equal to {TRANSACTION_ITEMS}" if items else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value '[…]' at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    writes = [_write(one, tables) for one in items]
    if len({(write.table.name, write.key) for write in writes}) != len(writes):
        raise invalid("Transaction request cannot include multiple operations on one item")
    check_payload(write.payload() for write in writes)
    return writes


def check_payload(sizes: Iterable[int]) -> None:
    """Refuse a transaction whose items are too many bytes."""
    if (total := sum(sizes)) > TRANSACTION_BYTES:
        raise invalid(f"Transaction payload size cannot exceed 4MB. Payload Size: {total}")


def _write(one: Mapping[str, Any], tables: Mapping[str, Table]) -> Write:
    if len(one) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, part),) = one.items()
    if kind not in _KINDS or set(part) - _KINDS[kind] - _COMMON:
        raise NotImplementedError(f"{kind}: {sorted(part)}")
    if missing := sorted(_KINDS[kind] - set(part)):
        raise invalid(
            f"1 validation error detected: Value null at 'transactItems.1.member.{kind}.{missing[0]}' failed "
            "to satisfy constraint: Member must not be null"
        )
    return write_of(kind, tables[part["TableName"]], part)


def batch_writes_of(
    asked: Mapping[str, Any], tables: Mapping[str, Table]
) -> list[tuple[Mapping[str, Any], Write]]:
    """The rows of a BatchWriteItem's RequestItems, each with the write that it asks for."""
    if not asked:
        raise invalid("BatchWriteItem must have some requests set")
    writes: list[tuple[Mapping[str, Any], Write]] = []
    for table, rows in asked.items():
        if not rows:
            raise invalid(f"The batch write request list for a table cannot be null or empty: {table}")
        for row in rows:
            ((kind, part),) = row.items()
            writes.append((row, write_of(kind.removesuffix("Request"), tables[table], part)))
    if len(writes) > BATCH_WRITES:
        raise invalid("Too many items requested for the BatchWriteItem call")
    if len({(write.table.name, write.key) for _, write in writes}) != len(writes):
        raise invalid("Provided list of item keys contains duplicates")
    for _, write in writes:
        write.check(None)
    return writes


def batch_keys_of(asked: Mapping[str, Any], tables: Mapping[str, Table]) -> list[tuple[str, Item, Key]]:
    """The keys of a BatchGetItem's RequestItems: table, key as given, key."""
    if not asked:
        raise invalid("BatchGetItem must have some requests set")
    wanted: list[tuple[str, Item, Key]] = []
    for table, part in asked.items():
        if not part["Keys"]:
            raise invalid(
                f"The list of keys in RequestItems for BatchGetItem is required: {table} has empty list"
            )
        keys = [key_of(tables[table], key) for key in part["Keys"]]
        if len(set(keys)) != len(keys):
            raise invalid("Provided list of item keys contains duplicates")
        projection_of(part)
        wanted += [(table, given, key) for given, key in zip(part["Keys"], keys, strict=True)]
    if len(wanted) > BATCH_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    return wanted


def projection_of(request: Mapping[str, Any]) -> Projection | None:
    """The projection of a read by key."""
    text = request.get("ProjectionExpression")
    shown = projection(text, names_of(request)) if text is not None else None
    values_of(request, shown)
    return shown
