"""The service: which operations there are, what each takes, and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from exnotify.cloud.dynamodb.batches import (
    batch_keys_of,
    batch_writes_of,
    check_payload,
    projection_of,
    transaction_of,
)
from exnotify.cloud.dynamodb.requests import key_of
from exnotify.cloud.dynamodb.schema import Key, Table
from exnotify.cloud.dynamodb.values import Item, copied, invalid
from exnotify.cloud.dynamodb.writes import Write, write_of

from ...nature import Nature
from ...service import Refused
from .queries import query, scan
from .tables import STALE, Store, spread
from .transactions import Tokens, transact

ANSWER_BYTES = 16 * 1024 * 1024

Answer: TypeAlias = dict[str, Any]
Request: TypeAlias = Mapping[str, Any]

_WRITE = frozenset(
    {
        "TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValues", "ReturnValuesOnConditionCheckFailure",
    }
)  # fmt: skip
_READ = frozenset({"TableName", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"})
_BATCH_READ = frozenset({"Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"})
_PAGE = _READ | {"ExpressionAttributeValues", "FilterExpression", "Limit", "ExclusiveStartKey"}
_DEFINITION = frozenset(
    {"TableName", "AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"}
)
_RETURNS: Mapping[str, frozenset[str]] = {
    "Put": frozenset({"NONE", "ALL_OLD"}),
    "Delete": frozenset({"NONE", "ALL_OLD"}),
    "Update": frozenset({"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}),
}


@dataclass(frozen=True, slots=True)
class _Operation:
    act: Callable[[Request], Answer]
    parameters: frozenset[str]


class _Tables(dict[str, Table]):
    def __missing__(self, name: str) -> Table:
        raise Refused("ResourceNotFoundException", "Requested resource not found")


class DynamoDB:
    """`Service`; `tables` exist from the beginning."""

    name = "dynamodb"

    def __init__(self, nature: Nature, tables: Iterable[Table] = ()) -> None:
        self._nature = nature
        self._tables = _Tables((table.name, table) for table in tables)
        self._stores = {name: Store(table, nature) for name, table in self._tables.items()}
        self._tokens = Tokens()
        self._operations = {
            "GetItem": _Operation(self._get, _READ | {"Key"}),
            "PutItem": _Operation(lambda request: self._write("Put", request), _WRITE | {"Item"}),
            "UpdateItem": _Operation(
                lambda request: self._write("Update", request), _WRITE | {"Key", "UpdateExpression"}
            ),
            "DeleteItem": _Operation(lambda request: self._write("Delete", request), _WRITE | {"Key"}),
            "Query": _Operation(
                self._query, _PAGE | {"KeyConditionExpression", "IndexName", "ScanIndexForward"}
            ),
            "Scan": _Operation(self._scan, _PAGE | {"Segment", "TotalSegments"}),
            "BatchGetItem": _Operation(self._batch_get, frozenset({"RequestItems"})),
            "BatchWriteItem": _Operation(self._batch_write, frozenset({"RequestItems"})),
            "TransactWriteItems": _Operation(
                self._transact, frozenset({"TransactItems", "ClientRequestToken"})
            ),
            "CreateTable": _Operation(self._create, _DEFINITION),
            "DeleteTable": _Operation(self._delete, frozenset({"TableName"})),
            "DescribeTable": _Operation(self._describe, frozenset({"TableName"})),
        }

    def call(self, operation: str, request: Request) -> Answer:
        """See `Service.call`."""
        known = self._operations.get(operation)
        if known is None:
            raise NotImplementedError(f"dynamodb {operation}")
        if not request.keys() <= known.parameters:
            raise NotImplementedError(f"dynamodb {operation}: {sorted(request.keys() - known.parameters)}")
        return known.act(request)

    def contents(self, table: str) -> dict[Key, Item]:
        """All items of a table as they are, by hash and range key: for a checker."""
        found: dict[Key, Item] = {key: copied(item) for key, item in self._stores[table].contents().items()}
        return found

    def slots(self, table: str, index: str) -> list[str]:
        """See `Store.slots`."""
        return self._stores[table].slots(index)

    def newest(self, table: str, index: str, slot: str) -> list[Item]:
        """See `Store.newest`: not copies."""
        return self._stores[table].newest(index, slot)

    def _store(self, request: Request) -> Store:
        return self._stores[self._tables[request["TableName"]].name]

    # ---- one item ----

    def _get(self, request: Request) -> Answer:
        store = self._store(request)
        shown = projection_of(request)
        key = key_of(store.table, request["Key"])
        item, _ = self._read(store, key, self._moment(request))
        if item is None:
            return {}
        return {"Item": copied(shown.of(item) if shown else item)}

    def _read(self, store: Store, key: Key, moment: float) -> tuple[Item | None, int]:
        row = store.row(key)
        version = row.at(moment) if row is not None else None
        return (version.item, version.size) if version is not None else (None, 0)

    def _moment(self, request: Request) -> float:
        """As of when a read shows things."""
        now = self._nature.timeline.now
        if request.get("ConsistentRead") or not self._nature.fault("dynamodb_stale"):
            return now
        return now - self._lag("")

    def _lag(self, what: str) -> float:
        return self._nature.chance.uniform(f"stale {self._nature.place} {what}", 0.0, STALE)

    def _write(self, kind: str, request: Request) -> Answer:
        store = self._store(request)
        returns = request.get("ReturnValues", "NONE")
        if returns not in _RETURNS[kind]:
            raise invalid("Return values set to invalid value")
        write = write_of(kind, store.table, request)
        row = store.row(write.key)
        if row is not None and row.transacted and self._nature.fault("dynamodb_conflict"):
            raise Refused("TransactionConflictException", "Transaction is ongoing for the item")
        before = row.versions[-1].item if row is not None else None
        write.check(before)
        after, size = write.outcome(before)
        if before is not None or after is not None:
            store.write(write.key, after, size)
        shown = _returned(returns, write, before, after)
        return {"Attributes": copied(shown)} if shown else {}

    # ---- many items ----

    def _query(self, request: Request) -> Answer:
        return query(self._store(request), request, self._moment(request))

    def _scan(self, request: Request) -> Answer:
        return scan(self._store(request), request, self._moment(request))

    def _batch_get(self, request: Request) -> Answer:
        asked = request["RequestItems"]
        for part in asked.values():
            if not part.keys() <= _BATCH_READ:
                raise NotImplementedError(f"BatchGetItem: {sorted(part)}")
        wanted = batch_keys_of(asked, self._tables)
        wanted.sort(key=lambda one: spread(one[2]))  # an answer has no order
        found: Answer = {"Responses": {table: [] for table in asked}, "UnprocessedKeys": {}}
        left = self._left_over(len(wanted))
        stale = self._nature.fault("dynamodb_stale")
        total = 0
        for place, (table, given, key) in enumerate(wanted):
            part = asked[table]
            late = self._lag("/".join(key)) if stale and not part.get("ConsistentRead") else 0.0
            item, size = self._read(self._stores[table], key, self._nature.timeline.now - late)
            total += 0 if place in left else size
            if place in left or total > ANSWER_BYTES:
                rest = found["UnprocessedKeys"].setdefault(table, {**part, "Keys": []})
                rest["Keys"].append(given)
            elif item is not None:
                shown = projection_of(part)
                found["Responses"][table].append(shown.of(item) if shown else item)
        copy: Answer = copied(found)
        return copy

    def _batch_write(self, request: Request) -> Answer:
        writes = batch_writes_of(request["RequestItems"], self._tables)
        left = self._left_over(len(writes))
        unprocessed: Answer = {}
        for place, (row, write) in enumerate(writes):
            if place in left:
                unprocessed.setdefault(write.table.name, []).append(copied(row))
            else:
                self._stores[write.table.name].write(write.key, *write.outcome(None))
        return {"UnprocessedItems": unprocessed}

    def _left_over(self, count: int) -> frozenset[int]:
        """Places in a batch that are left unprocessed; never all of them."""
        if count < 2 or not self._nature.fault("dynamodb_unprocessed"):
            return frozenset()
        place, chance = self._nature.place, self._nature.chance
        number = 1 + chance.below(f"unprocessed {place}", count - 1)
        first = chance.below(f"unprocessed from {place}", count)
        return frozenset((first + n) % count for n in range(number))

    def _transact(self, request: Request) -> Answer:
        items, token = request["TransactItems"], request.get("ClientRequestToken")
        now = self._nature.timeline.now
        if token and self._tokens.known(token, items, now):
            return {}
        writes = [(self._stores[w.table.name], w) for w in transaction_of(items, self._tables)]
        # "The aggregate size of the items in the transaction cannot exceed 4 MB": DynamoDB Local only counts
        # what the request brings.
        check_payload(
            w.size if w.kind == "Put" else max(w.payload(), store.current(w.key).size) for store, w in writes
        )
        transact(writes, self._nature)
        if token:
            self._tokens.remember(token, items, now)
        return {}

    # ---- tables ----

    def _create(self, request: Request) -> Answer:
        name = request["TableName"]
        if name in self._stores:
            raise Refused("ResourceInUseException", f"Table already exists: {name}")
        table = self._tables[name] = Table.from_template(name, request)
        self._stores[name] = Store(table, self._nature)
        return {"TableDescription": self._describe(request)["Table"]}

    def _delete(self, request: Request) -> Answer:
        description = self._describe(request)["Table"]
        del self._stores[request["TableName"]], self._tables[request["TableName"]]
        return {"TableDescription": description}

    def _describe(self, request: Request) -> Answer:
        store = self._store(request)
        table = store.table
        schema = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(table.keys, ("HASH", "RANGE"), strict=False)
        ]
        described = {
            "TableName": table.name,
            "TableStatus": "ACTIVE",
            "KeySchema": schema,
            "ItemCount": store.size(),
        }
        return {"Table": described}


def _returned(returns: str, write: Write, before: Item | None, after: Item | None) -> Item | None:
    if returns == "ALL_OLD":
        return before
    if returns == "ALL_NEW":
        return after
    if returns == "NONE" or write.update is None:
        return None
    shown = (before if returns == "UPDATED_OLD" else after) or {}
    return {name: shown[name] for name in write.update.changed if name in shown}
