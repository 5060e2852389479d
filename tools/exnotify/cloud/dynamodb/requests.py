"""What requests have in common: their keys, items and expressions, checked."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from ..refused import Refused
from .expressions import Expression, Names, Values
from .schema import Key, Table
from .values import HASH_BYTES, ITEM_BYTES, RANGE_BYTES, Item, invalid, length, taken, taken_value

_INVALID = "One or more parameter values were invalid"
_NOT_VALID = "One or more parameter values are not valid"
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value"

_EMPTY_UPDATE = (
    f"{_NOT_VALID}. The update expression attempted to update a secondary index key to a value that is not "
    f"supported. {_EMPTY}."
)


def names_of(request: Mapping[str, Any]) -> Names:
    """The request's ExpressionAttributeNames."""
    names = request.get("ExpressionAttributeNames")
    return tuple(names.items()) if names else ()


def values_of(request: Mapping[str, Any], *expressions: Expression | None) -> Values:
    """The request's ExpressionAttributeValues, fit for these expressions; all that it brings is used."""
    names, given = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    present = [one for one in expressions if one is not None]
    for name, found in (("ExpressionAttributeNames", names), ("ExpressionAttributeValues", given)):
        if found is not None and not present:
            more = ": ConditionExpression is null" if found is given else ""
            raise invalid(f"{name} can only be specified when using expressions{more}")
        if found is not None and not found:
            raise invalid(f"{name} must not be empty")
    values = {name: _value(name, value) for name, value in given.items()} if given else {}
    for one in present:
        for name in one.used:
            if name[0] == ":" and name not in values:
                raise invalid(
                    f"Invalid {one.kind}: An expression attribute value used in expression is not defined; "
                    f"attribute value: {name}"
                )
        for check in one.checks:
            check(values)
    _all_used("ExpressionAttributeNames", names or (), present)
    _all_used("ExpressionAttributeValues", values, present)
    return values


def _value(name: str, value: Mapping[str, Any]) -> Any:
    try:
        return taken_value(value)[0]
    except Refused as refused:
        if refused.code != "ValidationException":
            raise
        raise invalid(
            f"ExpressionAttributeValues contains invalid value: {refused.message} for key {name}"
        ) from None


def _all_used(what: str, given: Iterable[str], expressions: Iterable[Expression]) -> None:
    used = {name for one in expressions for name in one.used}
    left = [name for name in given if name not in used]
    if left:
        raise invalid(f"Value provided in {what} unused in expressions: keys: {{{', '.join(left)}}}")


def key_of(table: Table, given: Mapping[str, Any]) -> Key:
    """The key that a request names: exactly the key's attributes."""
    if len(given) != len(table.keys) or any(name not in given for name in table.keys):
        raise invalid("The provided key element does not match the schema")
    for name in table.keys:
        if set(given[name]) != {"S"}:
            raise invalid("The provided key element does not match the schema")
    return _checked_key(table, given)


def item_of(table: Table, given: Mapping[str, Any]) -> tuple[Key, Item, int]:
    """The key of an item that is to be put, a copy of the item, and its bytes."""
    for name in table.keys:
        if name not in given:
            raise invalid(f"{_INVALID}: Missing the key {name} in the item")
        if "S" not in given[name]:
            actual = next(iter(given[name]), "")
            raise invalid(f"{_INVALID}: Type mismatch for key {name} expected: S actual: {actual}")
    item, size = taken(given)
    if size > ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    for name, _, index in _index_keys(table):
        if name in item and item[name].get("S") == "":
            raise _empty_index_key(name, index)
    return _checked_key(table, item), item, size


def _checked_key(table: Table, item: Mapping[str, Any]) -> Key:
    key = []
    for name, limit in zip(table.keys, (HASH_BYTES, RANGE_BYTES), strict=False):
        text = item[name]["S"]
        if not text:
            raise invalid(f"{_NOT_VALID}. {_EMPTY}. Key: {name}")
        if length(text) > limit:
            raise _too_long(limit)
        key.append(text)
    return key[0], key[1] if len(key) == 2 else ""


def _too_long(limit: int) -> Refused:
    if limit == HASH_BYTES:
        return invalid(f"{_INVALID}: Size of hashkey has exceeded the maximum size limit of{limit} bytes")
    return invalid(
        f"{_INVALID}: Aggregated size of all range keys has exceeded the size limit of {limit} bytes"
    )


def check_index_keys(table: Table, item: Item, *, updated: bool = False) -> None:
    """Refuse an item whose index keys are no texts, empty or too long."""
    for name, limit, index in _index_keys(table):
        if name not in item:
            continue
        ((kind, content),) = item[name].items()
        if kind != "S":
            raise invalid(
                f"{_INVALID}: Type mismatch for Index Key {name} Expected: S Actual: {kind} "
                f"IndexName: {index}"
            )
        if not content:
            raise invalid(_EMPTY_UPDATE) if updated else _empty_index_key(name, index)
        if len(content) > limit // 4 and length(content) > limit:
            raise _too_long(limit)


def _empty_index_key(name: str, index: str) -> Refused:
    return invalid(
        f"{_NOT_VALID}. A value specified for a secondary index key is not supported. {_EMPTY}. "
        f"IndexName: {index}, IndexKey: {name}"
    )


@cache
def _index_keys(table: Table) -> tuple[tuple[str, int, str], ...]:
    """The key attributes of a table's indexes, the bytes that each may have, and the index."""
    return tuple(
        (name, limit, index.name)
        for index in table.indexes
        for name, limit in zip(index.keys, (HASH_BYTES, RANGE_BYTES), strict=False)
    )
