"""Attribute values as DynamoDB takes and keeps them: what it refuses, what it counts, how it writes numbers.

"Quotas", "Item sizes and formats" and "Supported data types", Amazon DynamoDB Developer Guide.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, TypeAlias

import orjson

from ..refused import Refused

Value: TypeAlias = dict[str, Any]
"""A value in the wire's form: `{"S": "text"}`."""

Item: TypeAlias = dict[str, Value]
"""Values by attribute name. One that is stored is never changed; what goes out is a copy."""

ITEM_BYTES = 400 * 1024
HASH_BYTES = 2048
RANGE_BYTES = 1024
NESTING = 32
DIGITS = 38
MAGNITUDES = range(-130, 126)
"""Powers of ten of the smallest and the largest number."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXACT = Context(prec=1000)
_INVALID = "One or more parameter values were invalid"


def invalid(message: str) -> Refused:
    """A ValidationException."""
    return Refused("ValidationException", message)


def copied(value: Any) -> Any:
    """A copy that shares nothing with the original."""
    return orjson.loads(orjson.dumps(value))


def length(text: str) -> int:
    """Bytes in UTF-8."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise Refused("SerializationException", "not valid UTF-8") from None


def normal(number: str) -> str:
    """A number as DynamoDB gives it back: `1.0` is `1`, `1E2` is `100`."""
    if number.isascii() and number.isdigit() and number[0] != "0" and len(number) <= DIGITS:
        return number
    if not _NUMBER.fullmatch(number):
        raise invalid(f"The parameter cannot be converted to a numeric value: {number}")
    return plain(Decimal(number))


def plain(number: Decimal) -> str:
    """A number in digits; refused where it is too long, too large or too small to be kept."""
    if not number:
        return "0"
    number = number.normalize(Context(prec=max(len(number.as_tuple().digits), 1)))
    if len(number.as_tuple().digits) > DIGITS:
        raise invalid(f"Attempting to store more than {DIGITS} significant digits in a Number")
    if number.adjusted() >= MAGNITUDES.stop:
        raise invalid(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if number.adjusted() < MAGNITUDES.start:
        raise invalid(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    return f"{number:f}"


def added(left: str, right: str, sign: int = 1) -> str:
    """The sum of two numbers, the difference with a sign of -1."""
    return plain(_EXACT.add(Decimal(left), sign * Decimal(right)))


def taken(item: Mapping[str, Any]) -> tuple[Item, int]:
    """A copy of an item in normal form, and its bytes."""
    copy: Item = {}
    total = 0
    texts = list(item)  # all texts are measured at once: most of an item is text
    for name, value in item.items():
        text = value.get("S")
        if type(text) is str and len(value) == 1:
            copy[name] = {"S": text}
            texts.append(text)
        else:
            copy[name], size = taken_value(value)
            total += size
    if "" in copy:
        raise invalid("Empty attribute name")
    return copy, total + length("".join(texts))


def taken_value(value: Mapping[str, Any], depth: int = 1) -> tuple[Value, int]:
    """A copy of a value in normal form, and its bytes."""
    if len(value) != 1:
        what = "has more than one datatypes set" if value else "is empty"
        raise invalid(f"Supplied AttributeValue {what}, must contain exactly one of the supported datatypes")
    if depth > NESTING:
        raise invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
            "beyond supported limit"
        )
    ((kind, content),) = value.items()
    if kind == "L":
        rows = [taken_value(row, depth + 1) for row in content]
        return {"L": [row for row, _ in rows]}, 3 + sum(1 + size for _, size in rows)
    if kind == "M":
        found = {name: taken_value(row, depth + 1) for name, row in content.items()}
        sizes = (1 + length(name) + size for name, (_, size) in found.items())
        return {"M": {name: row for name, (row, _) in found.items()}}, 3 + sum(sizes)
    if kind in ("SS", "NS"):
        return _taken_set(kind, content)
    return _taken_scalar(kind, content)


def _taken_scalar(kind: str, content: Any) -> tuple[Value, int]:
    if kind in ("S", "N"):
        if not isinstance(content, str):
            raise Refused("SerializationException", f"{type(content).__name__} cannot be converted to String")
        if kind == "S":
            return {"S": content}, length(content)
        number = normal(content)
        return {"N": number}, _number_bytes(number)
    if kind in ("BOOL", "NULL"):
        if not isinstance(content, bool):
            raise Refused(
                "SerializationException", f"{type(content).__name__} cannot be converted to Boolean"
            )
        if kind == "NULL" and not content:
            raise invalid(f"{_INVALID}: Null attribute value types must have the value of true")
        return {kind: content}, 1
    raise NotImplementedError(f"values of type {kind}")


def _taken_set(kind: str, content: Iterable[Any]) -> tuple[Value, int]:
    what, single = ("string", "S") if kind == "SS" else ("number", "N")
    given = [_taken_scalar(single, one) for one in content]
    rows = [row[single] for row, _ in given]
    if not rows:
        raise invalid(f"{_INVALID}: An {what} set  may not be empty")
    if len(set(rows)) != len(rows):
        raise invalid(f"{_INVALID}: Input collection [{', '.join(rows)}] contains duplicates.")
    return {kind: sorted_set(kind, rows)}, sum(size for _, size in given)


def sorted_set(kind: str, rows: Iterable[str]) -> list[str]:
    """The elements of a set in the one order in which it is kept, so that equal sets are equal."""
    return sorted(rows, key=Decimal) if kind == "NS" else sorted(rows)


def _number_bytes(number: str) -> int:
    digits = number.replace(".", "").strip("-0")
    return (len(digits) + 1) // 2 + 1 + number.startswith("-")


def item_bytes(item: Item) -> int:
    """The bytes of an item that is in normal form."""
    texts = [*item, *(value["S"] for value in item.values() if "S" in value)]
    return length("".join(texts)) + sum(taken_value(value)[1] for value in item.values() if "S" not in value)


def value_bytes(value: Value) -> int:
    """The bytes of a value that is in normal form."""
    return length(value["S"]) if "S" in value else taken_value(value)[1]
