"""DynamoDB: transactions."""

import copy
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ..dynamodb.checks import check
from ..dynamodb.schema import Table
from ..refused import Refused
from .patches import Patches

_TOKEN_LIFE = 600.0  # seconds in which DynamoDB remembers a transaction's ClientRequestToken


def transactions(patches: Patches) -> None:
    """TransactWriteItems copies whole tables to be able to roll back: its cost grows with the table."""
    from moto.dynamodb.models import DynamoDBBackend

    patches.set(DynamoDBBackend, "transact_write_items", _transact)


def _transact(backend: Any, transact_items: list[dict[str, dict[str, Any]]]) -> None:
    from moto.dynamodb.exceptions import MockValidationException, TransactionCanceledException

    writes: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for item in transact_items:
        kind, part = next(iter(item.items()))
        table = backend.get_table(part["TableName"])
        names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
        source = part["Item"] if kind == "Put" else part["Key"]
        key = {name: source[name] for name in names if name in source}
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


def request_limits(patches: Patches) -> None:
    """moto takes transactions of more than 4 MB, 26 writes in a batch, keys and numbers of any length, index
    keys of any type, values that no expression uses: "Quotas", Amazon DynamoDB Developer Guide."""
    from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException
    from moto.dynamodb.responses import DynamoHandler

    original = DynamoHandler.call_action

    def call_action(handler: Any) -> Any:
        try:
            check(handler._get_action(), getattr(handler, "params", {}), _Tables(handler.dynamodb_backend))
        except Refused as refused:
            raise DynamodbException(f"{ERROR_TYPE_PREFIX}{refused.code}", message=refused.message) from None
        except (NotImplementedError, LookupError):
            pass  # moto says what is wrong with it, if anything
        return original(handler)

    patches.set(DynamoHandler, "call_action", call_action)


class _Tables(Mapping[str, Table]):
    """moto's tables."""

    def __init__(self, backend: Any) -> None:
        self._tables = backend.tables

    def __getitem__(self, name: str) -> Table:
        found = self._tables[name]
        description = {
            "AttributeDefinitions": found.attr,
            "KeySchema": found.schema,
            "GlobalSecondaryIndexes": [index.describe() for index in found.global_indexes],
        }
        return Table.from_template(name, description)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
