"""Queries and scans: what they ask for.

"Query" and "Scan", Amazon DynamoDB API Reference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .conditions import Condition, condition
from .expressions import Values
from .keys import KeyPart, Projection, key_condition, projection
from .requests import key_of, names_of, values_of
from .schema import Index, Table
from .values import Item, invalid


@dataclass(frozen=True, slots=True)
class Page:
    """What of the items that are read is shown, and how many are read."""

    filter: Condition | None
    projection: Projection | None
    values: Values
    limit: int | None
    start: Item | None
    """The key after which it begins."""


@dataclass(frozen=True, slots=True)
class QueryAsked:
    """A query: the index, if it is of one, the hash key, and what it says of the range key."""

    index: Index | None
    hash_key: str
    part: KeyPart | None
    texts: tuple[str, ...]
    """The values that it compares range keys with."""
    page: Page


@dataclass(frozen=True, slots=True)
class ScanAsked:
    """A scan of one of so many segments."""

    segment: int
    segments: int
    page: Page


def query_of(table: Table, request: Mapping[str, Any]) -> QueryAsked:
    """What a Query asks for. Raises Refused for what DynamoDB refuses whatever it stores."""
    if "KeyConditionExpression" not in request:
        raise invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    asked = key_condition(request["KeyConditionExpression"], names_of(request))
    options = _options(request)
    values = values_of(request, asked, *options)
    index = _index(table, request)
    keys = index.keys if index else table.keys
    _check_filter(options[0], keys)
    if index and not index.whole:
        _check_projection(options[1], index, (*keys, *table.keys))
    hash_key, part = _by_attribute(asked.parts, keys, values)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        _check_start(table, index, hash_key, start)
    texts = tuple(values[name]["S"] for name in part.values) if part else ()
    return QueryAsked(index, hash_key, part, texts, Page(*options, values, _limit(request), start))


def scan_of(table: Table, request: Mapping[str, Any]) -> ScanAsked:
    """What a Scan asks for. Raises Refused for what DynamoDB refuses whatever it stores."""
    options = _options(request)
    values = values_of(request, *options)
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
    start = request.get("ExclusiveStartKey")
    if start is not None:
        key_of(table, start)
    return ScanAsked(segment, segments, Page(*options, values, _limit(request), start))


def _options(request: Mapping[str, Any]) -> tuple[Condition | None, Projection | None]:
    names = names_of(request)
    test, shown = request.get("FilterExpression"), request.get("ProjectionExpression")
    return (
        condition("FilterExpression", test, names) if test is not None else None,
        projection(shown, names) if shown is not None else None,
    )


def _limit(request: Mapping[str, Any]) -> int | None:
    limit: int | None = request.get("Limit")
    if limit is not None and limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member "
            "must have value greater than or equal to 1"
        )
    return limit


def _check_filter(test: Condition | None, keys: Iterable[str]) -> None:
    for name in keys:
        if test and name in test.paths:
            raise invalid(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {name}"
            )


def _check_projection(shown: Projection | None, index: Index, held: Iterable[str]) -> None:
    left = [name for name in shown.paths if name not in held] if shown else ()
    if left:
        raise invalid(
            "One or more parameter values were invalid: Global secondary index "
            f"{index.name} does not project [{', '.join(left)}]"
        )


def _check_start(table: Table, index: Index | None, hash_key: str, start: Item) -> None:
    if index is not None:
        if set(start) != {*index.keys, *table.keys}:
            raise invalid("The provided starting key is invalid")
    elif key_of(table, start)[0] != hash_key:
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")


def _index(table: Table, request: Mapping[str, Any]) -> Index | None:
    if (name := request.get("IndexName")) is None:
        return None
    index = next((one for one in table.indexes if one.name == name), None)
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
