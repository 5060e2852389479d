"""The service: which operations there are, what each takes, and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...nature import Nature
from ...service import Refused
from .keys import projection
from .queries import query, scan
from .requests import key_of, names_of, values_of
from .tables import STALE, Key, Store, Table, spread
from .transactions import Tokens, transact, writes_of
from .values import Item, copied, invalid
from .writes import Write, write_of

BATCH_KEYS = 100
BATCH_WRITES = 25
BATCH_BYTES = 16 * 1024 * 1024

Answer: TypeAlias = dict[str, Any]
Request: TypeAlias = Mapping[str, Any]

_WRITE = frozenset(
    {
        "TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValues", "ReturnValuesOnConditionCheckFailure",
    }
)  # fmt: skip
_READ = frozenset({"TableName", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"})
_PAGE = _READ | {"ExpressionAttributeValues", "FilterExpression", "Limit", "ExclusiveStartKey"}
_RETURNS: Mapping[str, frozenset[str]] = {
    "Put": frozenset({"NONE", "ALL_OLD"}),
    "Delete": frozenset({"NONE", "ALL_OLD"}),
    "Update": frozenset({"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}),
}


@dataclass(frozen=True, slots=True)
class _Operation:
    act: Callable[[Request], Answer]
    parameters: frozenset[str]


class _Stores(dict[str, Store]):
    def __missing__(self, name: str) -> Store:
        raise Refused("ResourceNotFoundException", "Requested resource not found")


class DynamoDB:
    """`Service` over tables that exist from the beginning."""

    name = "dynamodb"

    def __init__(self, nature: Nature, tables: Iterable[Table]) -> None:
        self._nature = nature
        self._stores = _Stores((table.name, Store(table, nature)) for table in tables)
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

    # ---- one item ----

    def _get(self, request: Request) -> Answer:
        store = self._stores[request["TableName"]]
        shown = projection(text, names_of(request)) if (text := request.get("ProjectionExpression")) else None
        if shown is not None or "ExpressionAttributeNames" in request:
            values_of(request, shown)
        key = key_of(store, request["Key"])
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
        store = self._stores[request["TableName"]]
        returns = request.get("ReturnValues", "NONE")
        if returns not in _RETURNS[kind]:
            raise invalid("Return values set to invalid value")
        write = write_of(kind, store, request)
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
        return query(self._stores[request["TableName"]], request, self._moment(request))

    def _scan(self, request: Request) -> Answer:
        return scan(self._stores[request["TableName"]], request, self._moment(request))

    def _batch_get(self, request: Request) -> Answer:
        asked = request["RequestItems"]
        if not asked:
            raise invalid("BatchGetItem must have some requests set")
        found: Answer = {"Responses": {}, "UnprocessedKeys": {}}
        wanted: list[tuple[str, Item, Key]] = []
        for table, part in asked.items():
            if not part.keys() <= {
                "Keys",
                "ConsistentRead",
                "ProjectionExpression",
                "ExpressionAttributeNames",
            }:
                raise NotImplementedError(f"BatchGetItem: {sorted(part)}")
            if not part["Keys"]:
                raise invalid(
                    f"The list of keys in RequestItems for BatchGetItem is required: {table} has empty list"
                )
            keys = [key_of(self._stores[table], key) for key in part["Keys"]]
            if len(set(keys)) != len(keys):
                raise invalid("Provided list of item keys contains duplicates")
            wanted += [(table, given, key) for given, key in zip(part["Keys"], keys, strict=True)]
            found["Responses"][table] = []
        if len(wanted) > BATCH_KEYS:
            raise invalid("Too many items requested for the BatchGetItem call")
        wanted.sort(key=lambda one: spread(one[2]))  # an answer has no order
        left = self._left_over(len(wanted))
        stale = self._nature.fault("dynamodb_stale")
        total = 0
        for place, (table, given, key) in enumerate(wanted):
            part, store = asked[table], self._stores[table]
            late = self._lag("/".join(key)) if stale and not part.get("ConsistentRead") else 0.0
            item, size = self._read(store, key, self._nature.timeline.now - late)
            total += 0 if place in left else size
            if place in left or total > BATCH_BYTES:
                rest = found["UnprocessedKeys"].setdefault(table, {**part, "Keys": []})
                rest["Keys"].append(given)
            elif item is not None:
                shown = self._projection(part)
                found["Responses"][table].append(shown.of(item) if shown else item)
        copy: Answer = copied(found)
        return copy

    def _projection(self, part: Request) -> Any:
        text = part.get("ProjectionExpression")
        shown = projection(text, names_of(part)) if text is not None else None
        values_of(part, shown)
        return shown

    def _batch_write(self, request: Request) -> Answer:
        asked = request["RequestItems"]
        if not asked:
            raise invalid("BatchWriteItem must have some requests set")
        writes: list[tuple[str, Request, Write]] = []
        for table, rows in asked.items():
            if not rows:
                raise invalid(f"The batch write request list for a table cannot be null or empty: {table}")
            for row in rows:
                ((kind, part),) = row.items()
                writes.append((table, row, write_of(kind.removesuffix("Request"), self._stores[table], part)))
        if len(writes) > BATCH_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call")
        if len({(table, write.key) for table, _, write in writes}) != len(writes):
            raise invalid("Provided list of item keys contains duplicates")
        if sum(write.payload() for _, _, write in writes) > BATCH_BYTES:
            raise invalid("The batch write request exceeds 16 MB")
        for _, _, write in writes:
            write.check(None)
        outcomes = [write.outcome(None) for _, _, write in writes]
        left = self._left_over(len(writes))
        unprocessed: Answer = {}
        for place, ((table, row, write), (after, size)) in enumerate(zip(writes, outcomes, strict=True)):
            if place in left:
                unprocessed.setdefault(table, []).append(copied(row))
            else:
                write.store.write(write.key, after, size)
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
        transact(writes_of(items, self._stores), self._nature)
        if token:
            self._tokens.remember(token, items, now)
        return {}

    def _describe(self, request: Request) -> Answer:
        store = self._stores[request["TableName"]]
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
