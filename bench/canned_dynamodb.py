"""DynamoDB in memory, as far as the measured paths use it, with the capacity units that AWS would bill.

Units follow the developer guide: a write costs one unit for each started KB of the larger of old and
new item, twice that in a transaction; a strongly consistent read one unit for each started 4 KB, an
eventually consistent one half; an item that is not there counts as the smallest. An index whose key
attributes appear, change or vanish costs a write of its own (keys-only projections stay below 1 KB).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .template import Table
from .usage import Usage

Attributes = dict[str, dict[str, Any]]
Key = tuple[str, ...]


class Refused(Exception):
    """An error answer: the service's code, and what else its body holds."""

    def __init__(self, code: str, **body: Any) -> None:
        super().__init__(code)
        self.code = code
        self.body = body


@dataclass(frozen=True, slots=True)
class _Stored:
    """An item as its JSON text; parsed again only when an update needs it."""

    text: bytes
    size: int
    version: str | None
    indexed: tuple[Key | None, ...]


def item_size(item: Attributes) -> int:
    """An item's size in bytes, by the developer guide: names and values in UTF-8."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-").replace(".", "")) + 1) // 2 + 1
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "L":
        return 3 + sum(1 + _value_size(entry) for entry in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(entry) for name, entry in content.items())
    raise NotImplementedError(f"size of a DynamoDB {kind}")


class Tables:
    """The tables; `operations` by name take a request and give the answer's body."""

    def __init__(self, schemas: Mapping[str, Table], usage: Usage) -> None:
        self._schemas = schemas
        self._rows: dict[str, dict[Key, _Stored]] = {name: {} for name in schemas}
        self.usage = usage
        self.operations: Mapping[str, Callable[[dict[str, Any]], bytes]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "PutItem": self._put,
            "TransactWriteItems": self._transact,
            "UpdateItem": self._update,
            "Query": self._query,
            "DeleteItem": self._delete,
        }

    def seed(self, table: str, items: Iterable[Attributes]) -> None:
        """Store items without billing them."""
        for item in items:
            self._store(table, item)

    def count(self, table: str) -> int:
        """Items in a table."""
        return len(self._rows[table])

    def sizes(self, table: str) -> list[int]:
        """Sizes in bytes of a table's items."""
        return [row.size for row in self._rows[table].values()]

    def _key(self, table: str, item: Attributes) -> Key:
        return tuple(item[name]["S"] for name in self._schemas[table].key)

    def _store(self, table: str, item: Attributes) -> _Stored:
        version = item["v"]["N"] if "v" in item else None
        indexed = tuple(
            tuple(item[name]["S"] for name in attributes) if all(a in item for a in attributes) else None
            for attributes in self._schemas[table].indexes
        )
        stored = _Stored(orjson.dumps(item), item_size(item), version, indexed)
        self._rows[table][self._key(table, item)] = stored
        return stored

    def _bill_write(self, table: str, old: _Stored | None, new: _Stored, *, factor: int) -> None:
        size = max(old.size if old else 0, new.size)
        self.usage.bill("dynamodb_write", factor * max(1, math.ceil(size / 1024)))
        before = old.indexed if old else (None,) * len(new.indexed)
        for was, now in zip(before, new.indexed, strict=True):
            if was != now:
                self.usage.bill("dynamodb_write", (was is not None) + (now is not None))

    def _bill_read(self, size: int, *, consistent: bool) -> None:
        self.usage.bill("dynamodb_read", max(1, math.ceil(size / 4096)) * (1.0 if consistent else 0.5))

    def _get(self, request: dict[str, Any]) -> bytes:
        table = request["TableName"]
        row = self._rows[table].get(self._key(table, request["Key"]))
        self._bill_read(row.size if row else 0, consistent=bool(request.get("ConsistentRead")))
        return b'{"Item":' + row.text + b"}" if row else b"{}"

    def _batch_get(self, request: dict[str, Any]) -> bytes:
        answers = []
        for table, wanted in request["RequestItems"].items():
            found = []
            for key in wanted["Keys"]:
                row = self._rows[table].get(self._key(table, key))
                self._bill_read(row.size if row else 0, consistent=bool(wanted.get("ConsistentRead")))
                if row:
                    found.append(row.text)
            answers.append(orjson.dumps(table) + b":[" + b",".join(found) + b"]")
        return b'{"Responses":{' + b",".join(answers) + b'},"UnprocessedKeys":{}}'

    def _holds(self, put: Mapping[str, Any], row: _Stored | None) -> bool:
        """The conditions that the measured code uses; any other is an error of the bench."""
        condition = put.get("ConditionExpression", "")
        if not condition:
            return True
        if condition.startswith("attribute_not_exists("):
            return row is None
        if condition == "v = :before":
            return row is not None and row.version == put["ExpressionAttributeValues"][":before"]["N"]
        raise NotImplementedError(f"condition {condition!r}")

    def _write(self, put: Mapping[str, Any], *, factor: int) -> None:
        table = put["TableName"]
        old = self._rows[table].get(self._key(table, put["Item"]))
        self._bill_write(table, old, self._store(table, put["Item"]), factor=factor)

    def _put(self, request: dict[str, Any]) -> bytes:
        table = request["TableName"]
        if not self._holds(request, self._rows[table].get(self._key(table, request["Item"]))):
            self.usage.bill("dynamodb_write", 1)
            raise Refused("ConditionalCheckFailedException", message="The conditional request failed")
        self._write(request, factor=1)
        return b"{}"

    def _transact(self, request: dict[str, Any]) -> bytes:
        puts = [row["Put"] for row in request["TransactItems"]]
        held = [
            self._holds(put, self._rows[put["TableName"]].get(self._key(put["TableName"], put["Item"])))
            for put in puts
        ]
        if not all(held):
            self.usage.bill("dynamodb_write", 2 * len(puts))
            codes = [{"Code": "None" if ok else "ConditionalCheckFailed"} for ok in held]
            raise Refused("TransactionCanceledException", CancellationReasons=codes, Message="cancelled")
        for put in puts:
            self._write(put, factor=2)
        return b"{}"

    def _update(self, request: dict[str, Any]) -> bytes:
        """`SET name = :value, ...` only."""
        table = request["TableName"]
        old = self._rows[table].get(self._key(table, request["Key"]))
        item: Attributes = orjson.loads(old.text) if old else dict(request["Key"])
        verb, _, assignments = request["UpdateExpression"].partition(" ")
        if verb != "SET":
            raise NotImplementedError(f"update {verb!r}")
        names = request.get("ExpressionAttributeNames", {})
        for assignment in assignments.split(","):
            name, value = (part.strip() for part in assignment.split("="))
            item[names.get(name, name)] = request["ExpressionAttributeValues"][value]
        self._bill_write(table, old, self._store(table, item), factor=1)
        return b"{}"

    def _query(self, request: dict[str, Any]) -> bytes:
        """One partition of a table, or of an index with keys only; one page, `Limit` honoured."""
        table = request["TableName"]
        rows = self._rows[table]
        (wanted,) = (value["S"] for value in request["ExpressionAttributeValues"].values())
        if "IndexName" in request:
            found = [row for row in rows.values() if (wanted,) in row.indexed]
            key = self._schemas[table].key
            items = [{name: orjson.loads(row.text)[name] for name in key} for row in found]
            size = sum(item_size(item) + len(wanted) for item in items)
            texts = [orjson.dumps(item) for item in items]
        else:
            found = [row for name, row in sorted(rows.items()) if name[0] == wanted]
            found = found[: request.get("Limit", len(found))]
            size, texts = sum(row.size for row in found), [row.text for row in found]
        self._bill_read(size, consistent=bool(request.get("ConsistentRead")))
        return b'{"Items":[' + b",".join(texts) + b"]}"

    def _delete(self, request: dict[str, Any]) -> bytes:
        table = request["TableName"]
        old = self._rows[table].pop(self._key(table, request["Key"]), None)
        self.usage.bill("dynamodb_write", max(1, math.ceil((old.size if old else 0) / 1024)))
        return b"{}"
