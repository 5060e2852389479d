"""DynamoDB: transactions."""

import copy
import time
from collections.abc import Mapping
from typing import Any

from .patches import Patches

_TOKEN_LIFE = 600.0  # seconds in which DynamoDB remembers a transaction's ClientRequestToken


def transactions(patches: Patches) -> None:
    """TransactWriteItems copies whole tables to be able to roll back: its cost grows with the table."""
    from moto.dynamodb.models import DynamoDBBackend

    patches.set(DynamoDBBackend, "transact_write_items", _transact)


def _transact(backend: Any, transact_items: list[dict[str, dict[str, Any]]]) -> None:
    from moto.dynamodb.exceptions import (
        MockValidationException,
        MultipleTransactionsException,
        TooManyTransactionsException,
        TransactionCanceledException,
        TransactWriteSingleOpException,
    )

    if len(transact_items) > 100:
        raise TooManyTransactionsException()
    seen: set[tuple[str, str]] = set()
    writes: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for item in transact_items:
        if len(item) != 1:
            raise TransactWriteSingleOpException()
        kind, part = next(iter(item.items()))
        table = backend.get_table(part["TableName"])
        names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
        source = part["Item"] if kind == "Put" else part["Key"]
        key = {name: source[name] for name in names if name in source}
        if (table.name, str(key)) in seen:
            raise MultipleTransactionsException()
        seen.add((table.name, str(key)))
        writes.append((kind, part, key))

    reasons = [_failed_condition(backend, part, key) for _, part, key in writes]
    if any(reason[0] for reason in reasons):
        raise TransactionCanceledException(reasons)

    before = [
        (part["TableName"], key, copy.deepcopy(backend.get_item(part["TableName"], key)))
        for _, part, key in writes
    ]
    for position, (kind, part, key) in enumerate(writes):
        try:
            _apply(backend, kind, part, key)
        except Exception as error:
            for table_name, touched, item in before:
                _put_back(backend.get_table(table_name), backend, touched, item)
            if isinstance(error, MockValidationException):
                raise
            reasons[position] = ("ValidationError", str(error), None)
            raise TransactionCanceledException(reasons) from error


def _failed_condition(backend: Any, part: Mapping[str, Any], key: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    from moto.dynamodb.comparisons import get_filter_expression

    if part.get("ConditionExpression") is None:
        return (None, None, None)
    current = backend.get_item(part["TableName"], key)
    condition = get_filter_expression(
        part["ConditionExpression"],
        part.get("ExpressionAttributeNames"),
        part.get("ExpressionAttributeValues"),
    )
    if condition.expr(current):
        return (None, None, None)
    wanted = part.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current is not None
    return (
        "ConditionalCheckFailed",
        "The conditional request failed",
        current.to_json()["Attributes"] if wanted else None,
    )


def _apply(backend: Any, kind: str, part: Mapping[str, Any], key: Mapping[str, Any]) -> None:
    table = part["TableName"]
    if kind == "Put":
        backend.put_item(table, part["Item"])
    elif kind == "Delete":
        backend.delete_item(table, key)
    elif kind == "Update":
        backend.update_item(
            table,
            key,
            update_expression=part["UpdateExpression"],
            expression_attribute_names=part.get("ExpressionAttributeNames"),
            expression_attribute_values=part.get("ExpressionAttributeValues"),
        )


def _put_back(table: Any, backend: Any, key: Mapping[str, Any], item: Any) -> None:
    hash_value, range_value = backend.get_keys_value(table, key)
    if item is None:
        table.delete_item(hash_value, range_value)
    elif range_value:
        table.items[hash_value][range_value] = item
    else:
        table.items[hash_value] = item


def transaction_tokens(patches: Patches) -> None:
    """A transaction repeated with the same ClientRequestToken (a lost answer) succeeds, and does nothing."""
    from moto.core.responses import ActionResult
    from moto.dynamodb.responses import DynamoHandler

    original = DynamoHandler.transact_write_items
    done: dict[str, tuple[float, Any]] = {}

    def transact_write_items(handler: Any) -> Any:
        token = handler.body.get("ClientRequestToken")
        items = handler.body["TransactItems"]
        for old in [name for name, (when, _) in done.items() if time.monotonic() - when > _TOKEN_LIFE]:
            del done[old]
        if token in done and done[token][1] == items:
            return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
        remembered = copy.deepcopy(items)
        result = original(handler)
        if token:
            done[token] = (time.monotonic(), remembered)
        return result

    patches.set(DynamoHandler, "transact_write_items", transact_write_items)


_KEY_BYTES = {"hash": 2048, "range": 1024}


def key_sizes(patches: Patches) -> None:
    """An update takes a key of any length; AWS, and a put here, take 2048 and 1024 bytes: "Quotas"."""
    from moto.dynamodb.exceptions import MockValidationException
    from moto.dynamodb.models import DynamoDBBackend

    original = DynamoDBBackend.update_item

    def update_item(
        backend: Any, table_name: str, key: dict[str, dict[str, Any]], *rest: Any, **more: Any
    ) -> Any:
        table = backend.get_table(table_name)
        for kind, name in (("hash", table.hash_key_attr), ("range", table.range_key_attr)):
            value = next(iter(key.get(name, {}).values()), "") if name else ""
            if len(str(value).encode()) > _KEY_BYTES[kind]:
                raise MockValidationException(
                    f"One or more parameter values were invalid: Size of {kind}key has exceeded the maximum "
                    f"size limit of {_KEY_BYTES[kind]} bytes"
                )
        return original(backend, table_name, key, *rest, **more)

    patches.set(DynamoDBBackend, "update_item", update_item)
