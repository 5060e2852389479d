"""Random requests to DynamoDB, from a seed: small keys, so that they meet; mostly right, sometimes wrong."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from simulation.services.dynamodb import Index, Table

Request = tuple[str, dict[str, Any]]

PLAIN = Table("plain", "pk", indexes=(Index("by-gh", "g", "h"), Index("by-k", "k", whole=True)))
SORTED = Table("sorted", "pk", "sk", indexes=(Index("by-g", "g"),))
TABLES = (PLAIN, SORTED)

_TEXTS = ("", "a", "b", "ab", "Z", "é", "🙂", "word", "10", "9")
_NUMBERS = ("0", "1", "2", "-1", "10", "0.1", "1000", "-2.5", "12345678901234567890.5", "7")
_WRONG: tuple[Any, ...] = (
    {"N": "x"},
    {"N": ""},
    {"SS": []},
    {"NS": ["1", "1.0"]},
    {},
    {"S": "a", "N": "1"},
    {"NULL": False},
)
_NAMES = ("x", "y", "n", "ss", "l", "name", "size")
_INDEXED = ("g", "h", "k")


class Requests:
    """An endless stream of requests."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._within = False  # a transaction, whose wrong keys DynamoDB Local reports as no other mistakes

    def __iter__(self) -> Iterator[Request]:
        kinds: list[tuple[Callable[[], Request], int]] = [
            (self._put, 5), (self._update, 6), (self._delete, 2), (self._get, 2), (self._query, 4),
            (self._index_query, 3), (self._scan, 1), (self._batch_get, 1), (self._batch_write, 1),
            (self._transact, 4),
        ]  # fmt: skip
        acts, weights = zip(*kinds, strict=True)
        while True:
            yield self._random.choices(acts, weights)[0]()

    # ---- values ----

    def _one(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _text(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _options(self, *choices: dict[str, Any]) -> dict[str, Any]:
        return self._random.choice(choices)

    def _rarely(self) -> bool:
        return self._random.random() < 0.02

    def _value(self, depth: int = 0) -> dict[str, Any]:
        if self._rarely():
            return dict(self._one(*_WRONG))
        kind = self._one(
            "S", "S", "S", "N", "N", "N", "BOOL", "NULL", "SS", "NS", *(("L", "M") if depth < 2 else ())
        )
        if kind == "S":
            return {"S": self._one(*_TEXTS)}
        if kind == "N":
            return {"N": self._one(*_NUMBERS)}
        if kind == "BOOL":
            return {"BOOL": self._one(True, False)}
        if kind == "NULL":
            return {"NULL": True}
        if kind == "SS":
            return {"SS": self._random.sample(_TEXTS, self._random.randint(1, 3))}
        if kind == "NS":
            return {"NS": self._random.sample(("1", "2", "3.5", "-4"), self._random.randint(1, 3))}
        if kind == "L":
            return {"L": [self._value(depth + 1) for _ in range(self._random.randint(0, 2))]}
        return {"M": {name: self._value(depth + 1) for name in self._random.sample(("a", "b"), 1)}}

    def _key(self, table: Table) -> dict[str, Any]:
        key = {"pk": {"S": self._one("p1", "p2", "p3")}}
        if table.range_key:
            key["sk"] = {"S": self._one("s1", "s2", "s3", "t1", "t2", "é")}
        if self._rarely() and not self._within:
            key[self._one("pk", "sk", "zz")] = self._one({"S": ""}, {"N": "1"}, {"S": "a"})
        return key

    def _item(self, table: Table) -> dict[str, Any]:
        item = {name: self._value() for name in self._random.sample(_NAMES, self._random.randint(0, 5))}
        for name in _INDEXED:
            if self._random.random() < 0.6:
                item[name] = {"S": self._one("a", "b", "c")}
            elif self._rarely():
                item[name] = self._one({"S": ""}, {"N": "1"})
        return {**item, **self._key(table)}

    # ---- expressions ----

    def _expressions(self, **wanted: Callable[["_Names"], str]) -> dict[str, Any]:
        names = _Names(self)
        found: dict[str, Any] = {name: make(names) for name, make in wanted.items()}
        if names.values and self._rarely():
            names.values[":unused"] = {"S": "x"}
        if self._rarely():
            names.names["#unused"] = "x"
        if names.names:
            found["ExpressionAttributeNames"] = names.names
        if names.values:
            found["ExpressionAttributeValues"] = names.values
        return found

    def condition(self, names: "_Names", depth: int = 0) -> str:
        """A condition."""
        shape = self._random.random()
        if depth < 2 and shape < 0.3:
            left, right = self.condition(names, depth + 1), self.condition(names, depth + 1)
            return self._text(
                f"{left} AND {right}", f"{left} OR {right}", f"({left} OR {right})", f"NOT {left}"
            )
        path = names.path()
        return str(
            self._one(
                lambda: f"attribute_exists({path})",
                lambda: f"attribute_not_exists({path})",
                lambda: "attribute_not_exists(pk)",
                lambda: f"begins_with({path}, {names.value()})",
                lambda: f"contains({path}, {names.value()})",
                lambda: f"attribute_type({path}, {names.value({'S': self._one('S', 'N', 'SS', 'L')})})",
                lambda: f"{path} BETWEEN {names.value()} AND {names.value()}",
                lambda: f"{path} IN ({names.value()}, {names.value()})",
                lambda: f"size({path}) {self._sign()} {names.value({'N': self._one('0', '1', '2')})}",
                *(lambda: f"{path} {self._sign()} {names.value()}",) * 4,
                lambda: f"{path} {self._sign()} {names.path()}",
                lambda: f"{names.value()} {self._sign()} {path}",
            )()
        )

    def _sign(self) -> str:
        return str(self._one("=", "=", "<>", "<", "<=", ">", ">="))

    def update(self, names: "_Names") -> str:
        """An update expression."""
        paths = self._random.sample((*_NAMES, *_INDEXED), 6)
        sections = {
            "SET": lambda: f"{names.path(paths.pop())} = {self._term(names)}",
            "REMOVE": lambda: names.path(paths.pop()),
            "ADD": lambda: (
                f"{names.path(paths.pop())} {names.value(self._one({'N': '1'}, {'SS': ['a', 'q']}, None))}"
            ),
            "DELETE": lambda: f"{names.path(paths.pop())} {names.value(self._one({'SS': ['a', 'b']}, None))}",
        }
        chosen = self._random.sample(sorted(sections), self._random.randint(1, 2))
        parts = []
        for name in chosen:
            parts.append(f"{name} " + ", ".join(sections[name]() for _ in range(self._random.randint(1, 2))))
        return " ".join(parts)

    def _term(self, names: "_Names") -> str:
        number = {"N": self._one("1", "-1", "20")}
        rows = {"L": [{"S": "q"}]}
        return str(
            self._one(
                names.value,
                names.value,
                names.path,
                lambda: f"{names.path()} + {names.value(number)}",
                lambda: f"{names.path()} - {names.value(number)}",
                lambda: f"if_not_exists({names.path()}, {names.value()})",
                lambda: f"if_not_exists({names.path()}, {names.value(number)}) + {names.value(number)}",
                lambda: (
                    f"list_append(if_not_exists({names.path()}, {names.value({'L': []})}), {names.value(rows)})"
                ),
                lambda: f"list_append({names.path()}, {names.value(rows)})",
            )()
        )

    # ---- requests ----

    def _table(self) -> Table:
        return self._random.choice(TABLES)

    def _writing(self, **wanted: Callable[["_Names"], str]) -> dict[str, Any]:
        if self._random.random() < 0.6:
            wanted["ConditionExpression"] = self.condition
        found = self._expressions(**wanted)
        if "ConditionExpression" in found and self._random.random() < 0.3:
            found["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return found

    def _put(self) -> Request:
        table = self._table()
        returns = self._one("NONE", "ALL_OLD")
        return "PutItem", {
            "TableName": table.name,
            "Item": self._item(table),
            "ReturnValues": returns,
            **self._writing(),
        }

    def _update(self) -> Request:
        table = self._table()
        returns = self._one("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
        more = self._writing(UpdateExpression=self.update)
        return "UpdateItem", {
            "TableName": table.name,
            "Key": self._key(table),
            "ReturnValues": returns,
            **more,
        }

    def _delete(self) -> Request:
        table = self._table()
        returns = self._one("NONE", "ALL_OLD")
        return "DeleteItem", {
            "TableName": table.name,
            "Key": self._key(table),
            "ReturnValues": returns,
            **self._writing(),
        }

    def _get(self) -> Request:
        table = self._table()
        shown = self._one(
            {}, self._expressions(ProjectionExpression=lambda names: f"{names.path('x')}, {names.path('n')}")
        )
        return "GetItem", {"TableName": table.name, "Key": self._key(table), "ConsistentRead": True, **shown}

    def _page(self) -> dict[str, Any]:
        return self._options({}, {}, {"Limit": self._one(1, 2, 3, 50)})

    def _query(self) -> Request:
        sort: Callable[[_Names], str] = self._one(
            lambda n: "",
            lambda n: f" AND sk {self._one('=', '<', '<=', '>', '>=')} {n.value({'S': 's2'})}",
            lambda n: f" AND begins_with(sk, {n.value({'S': self._one('s', 't', '')})})",
            lambda n: f" AND sk BETWEEN {n.value({'S': 's2'})} AND {n.value({'S': 't1'})}",
            lambda n: f" AND x = {n.value()}",
        )
        wanted: dict[str, Callable[[_Names], str]] = {
            "KeyConditionExpression": lambda n: f"pk = {n.value({'S': self._one('p1', 'p2')})}{sort(n)}"
        }
        if self._random.random() < 0.3:
            wanted["FilterExpression"] = self.condition
        more = {**self._expressions(**wanted), **self._page(), "ScanIndexForward": self._one(True, False)}
        return "Query", {"TableName": "sorted", "ConsistentRead": True, **more}

    def _index_query(self) -> Request:
        table, index = self._one((PLAIN, "by-gh"), (PLAIN, "by-k"), (SORTED, "by-g"))
        key = "k" if index == "by-k" else "g"
        sort = (
            f" AND h {self._one('<', '<=', '>', '>=', '=')} "
            if index == "by-gh" and self._one(True, False)
            else ""
        )
        more = self._expressions(
            KeyConditionExpression=lambda n: (
                f"{n.path(key)} = {n.value({'S': self._one('a', 'b')})}"
                + (sort + n.value({"S": "b"}) if sort else "")
            )
        )
        return "Query", {"TableName": table.name, "IndexName": index, **more, **self._page()}

    def _scan(self) -> Request:
        more = self._one(
            {}, {"Segment": 0, "TotalSegments": 1}, self._expressions(FilterExpression=self.condition)
        )
        return "Scan", {"TableName": self._table().name, "ConsistentRead": True, **more, **self._page()}

    def _batch_get(self) -> Request:
        table = self._table()
        keys = [self._key(table) for _ in range(self._random.randint(1, 3))]
        return "BatchGetItem", {"RequestItems": {table.name: {"Keys": keys, "ConsistentRead": True}}}

    def _batch_write(self) -> Request:
        table = self._table()
        rows = [
            self._one(
                {"PutRequest": {"Item": self._item(table)}}, {"DeleteRequest": {"Key": self._key(table)}}
            )
            for _ in range(self._random.randint(1, 3))
        ]
        return "BatchWriteItem", {"RequestItems": {table.name: rows}}

    def _transact(self) -> Request:
        parts: dict[str, Any] = {}  # one an item: DynamoDB Local minds that late
        self._within = True
        for _ in range(self._random.randint(1, 3)):
            part = self._part(self._table())
            ((_, request),) = part.items()
            keys = request.get("Key") or {name: request["Item"].get(name) for name in ("pk", "sk")}
            parts[f"{request['TableName']} {keys.get('pk')} {keys.get('sk')}"] = part
        self._within = False
        return "TransactWriteItems", {"TransactItems": list(parts.values())}

    def _part(self, table: Table) -> dict[str, Any]:
        name = {"TableName": table.name}
        kind = self._one("Put", "Put", "Update", "Delete", "ConditionCheck")
        if kind == "Put":
            return {kind: {**name, "Item": self._item(table), **self._writing()}}
        if kind == "Update":
            return {kind: {**name, "Key": self._key(table), **self._writing(UpdateExpression=self.update)}}
        if kind == "Delete":
            return {kind: {**name, "Key": self._key(table), **self._writing()}}
        more = self._expressions(ConditionExpression=self.condition)
        return {kind: {**name, "Key": self._key(table), **more}}


class _Names:
    """The names and values of one request's expressions."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def path(self, name: str = "") -> str:
        name = name or self._requests._one(*_NAMES, *_INDEXED)
        if self._requests._one(True, False) or name in ("name", "size"):
            if name == "name" and self._requests._rarely():
                return name
            self.names[f"#{name}"] = name
            return f"#{name}"
        return name

    def value(self, value: dict[str, Any] | None = None) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value if value is not None else self._requests._value()
        return name
