"""Query and Scan: pages of items in order.

"Query" and "Scan", Amazon DynamoDB API Reference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from zlib import crc32

from .conditions import Condition, condition
from .keys import KeyPart, Projection, key_condition, projection
from .requests import key_of, names_of, values_of
from .tables import Index, Store, spread
from .values import Item, copied, invalid, item_bytes

PAGE_BYTES = 1024 * 1024

Entry: TypeAlias = tuple[Item, int]
"""An item as the table or index has it, and its bytes."""

_LAST = "\U0010ffff"


def query(store: Store, request: Mapping[str, Any], moment: float) -> dict[str, Any]:
    """One page of a query, as of a moment."""
    if "KeyConditionExpression" not in request:
        raise invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    names = names_of(request)
    asked = key_condition(request["KeyConditionExpression"], names)
    page = _Page(request, values := values_of(request, asked, *_options(request)))
    index = _index(store, request)
    keys = index.keys if index else store.table.keys
    page.check_filter(keys)
    if index and not index.whole:
        page.check_projection(index, (*keys, *store.table.keys))
    hash_key, part = _by_attribute(asked.parts, keys, values)
    texts = tuple(values[name]["S"] for name in part.values) if part else ()
    wanted = _wanted(part.sign, *texts) if part else None
    start = request.get("ExclusiveStartKey")
    forward = request.get("ScanIndexForward", True)
    if index:
        found = _of_index(store, index, hash_key, wanted, moment, start, forward)
        return page.answer(found, (*index.keys, *(k for k in store.table.keys if k not in index.keys)))
    low, high = _bounds(part.sign, *texts) if part else ("", None)
    rows = store.partition(hash_key, low, high)
    if start is not None:
        after = key_of(store, start)
        if after[0] != hash_key:
            raise invalid(
                "The provided starting key is outside query boundaries based on provided conditions"
            )
        rows = (row for row in rows if (row.key[1] > after[1] if forward else row.key[1] < after[1]))
    if wanted is not None:
        rows = (row for row in rows if wanted(row.key[1]))
    versions = (row.at(moment) for row in (rows if forward else reversed(list(rows))))
    return page.answer(((v.item, v.size) for v in versions if v is not None and v.item is not None), keys)


def scan(store: Store, request: Mapping[str, Any], moment: float) -> dict[str, Any]:
    """One page of a scan, as of a moment."""
    page = _Page(request, values_of(request, *_options(request)))
    segments, segment = request.get("TotalSegments"), request.get("Segment")
    if (segments is None) != (segment is None):
        given, needed = ("segment", "total segment") if segments is None else ("total segment", "segment")
        raise invalid(f"If {given} is specified, {needed} must also be specified")
    segments, segment = segments or 1, segment or 0
    if segment >= segments:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {segments}"
        )
    rows = store.scan(segment, segments)
    if (start := request.get("ExclusiveStartKey")) is not None:
        after = key_of(store, start)
        place = (crc32(after[0].encode()), after)
        rows = (row for row in rows if row[0] > place)
    versions = (row.at(moment) for _, row in rows)
    found = ((v.item, v.size) for v in versions if v is not None and v.item is not None)
    return page.answer(found, store.table.keys)


def _options(request: Mapping[str, Any]) -> tuple[Condition | None, Projection | None]:
    names = names_of(request)
    test, shown = request.get("FilterExpression"), request.get("ProjectionExpression")
    return (
        condition("FilterExpression", test, names) if test is not None else None,
        projection(shown, names) if shown is not None else None,
    )


class _Page:
    def __init__(self, request: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self._filter, self._projection = _options(request)
        self._values = values
        self._limit = request.get("Limit")
        if self._limit is not None and self._limit < 1:
            raise invalid(
                f"1 validation error detected: Value '{self._limit}' at 'limit' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )

    def check_filter(self, keys: Iterable[str]) -> None:
        """A query's filter is about other attributes than its keys."""
        for name in keys:
            if self._filter and name in self._filter.paths:
                raise invalid(
                    "Filter Expression can only contain non-primary key attributes: "
                    f"Primary key attribute: {name}"
                )

    def check_projection(self, index: Index, held: Iterable[str]) -> None:
        """An index gives what it holds."""
        left = [name for name in self._projection.paths if name not in held] if self._projection else ()
        if left:
            raise invalid(
                "One or more parameter values were invalid: Global secondary index "
                f"{index.name} does not project [{', '.join(left)}]"
            )

    def answer(self, entries: Iterable[Entry], keys: Iterable[str]) -> dict[str, Any]:
        """The page: up to 1 MB, or the limit, of what is read; what the filter lets through is shown."""
        shown: list[Item] = []
        scanned = total = 0
        last: Item | None = None
        for item, size in entries:
            scanned += 1
            total += size
            if self._filter is None or self._filter.test(item, self._values):
                shown.append(self._projection.of(item) if self._projection else item)
            if scanned == self._limit or total >= PAGE_BYTES:
                last = {name: item[name] for name in keys}
                break
        answer = {"Items": shown, "Count": len(shown), "ScannedCount": scanned}
        if last is not None:
            answer["LastEvaluatedKey"] = last
        copy: dict[str, Any] = copied(answer)
        return copy


def _index(store: Store, request: Mapping[str, Any]) -> Index | None:
    if (name := request.get("IndexName")) is None:
        return None
    index = next((one for one in store.table.indexes if one.name == name), None)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _by_attribute(
    parts: Iterable[KeyPart], keys: tuple[str, ...], values: Mapping[str, Any]
) -> tuple[str, KeyPart | None]:
    """The hash key that a query is about, and what it says of the range key."""
    found = {part.path: part for part in parts}
    if keys[0] not in found:
        raise invalid(f"Query condition missed key schema element: {keys[0]}")
    if found[keys[0]].sign != "=":
        raise invalid("Query key condition not supported")
    if left := [name for name in found if name not in keys]:
        missed = keys[1] if len(keys) == 2 else left[0]
        raise invalid(f"Query condition missed key schema element: {missed}")
    for part in found.values():
        for name in part.values:
            if "S" not in values[name]:
                raise invalid(
                    "One or more parameter values were invalid: Condition parameter type does not match "
                    "schema type"
                )
            if not values[name]["S"]:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    f"cannot contain an empty string value. Key: {part.path}"
                )
    return values[found[keys[0]].values[0]]["S"], found.get(keys[1]) if len(keys) == 2 else None


def _wanted(sign: str, *texts: str) -> Callable[[str], bool]:
    first = texts[0]
    if sign == "begins_with":
        return lambda sort: sort.startswith(first)
    if sign == "BETWEEN":
        last = texts[1]
        return lambda sort: first <= sort <= last
    return {
        "=": lambda sort: sort == first,
        "<": lambda sort: sort < first,
        "<=": lambda sort: sort <= first,
        ">": lambda sort: sort > first,
        ">=": lambda sort: sort >= first,
    }[sign]


def _bounds(sign: str, *texts: str) -> tuple[str, str | None]:
    """Range keys between which all lie that are wanted."""
    first, last = texts[0], texts[-1]
    if sign == "begins_with":
        return first, first + _LAST
    if sign in ("<", "<="):
        return "", last
    return first, None if sign in (">", ">=") else last


def _of_index(
    store: Store,
    index: Index,
    hash_key: str,
    wanted: Callable[[str], bool] | None,
    moment: float,
    start: Item | None,
    forward: bool,
) -> Iterator[Entry]:
    table = store.table
    found = store.bucket(index, hash_key, moment)
    if start is not None:
        if set(start) != {*index.keys, *table.keys}:
            raise invalid("The provided starting key is invalid")
        key = store.key(start)
        after = (start[index.range_key]["S"] if index.range_key else "", spread(key), key)
        found = [one for one in found if (one[:3] > after if forward else one[:3] < after)]
    held = {*index.keys, *table.keys}
    for sort, _, _, version in found if forward else reversed(found):
        item = version.item
        if item is None or (wanted is not None and not wanted(sort)):
            continue
        if index.whole:
            yield item, version.size
        else:
            shown = {name: item[name] for name in held}
            yield shown, item_bytes(shown)
