"""Conditions and filters: parsed once for each text, then plain functions.

"Condition and filter expressions, operators, and functions", Amazon DynamoDB Developer Guide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from .expressions import Attribute, Call, Expression, Given, Names, Node, Source, Values, tree
from .values import Item, Value

Operand: TypeAlias = Callable[[Item, Values], Value | None]
Test: TypeAlias = Callable[[Item, Values], bool]

_ORDERED = frozenset({"S", "N", "B"})
_TYPES = frozenset({"S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"})


@dataclass(frozen=True, slots=True)
class Condition(Expression):
    """A condition or filter, ready to be asked."""

    test: Test


@lru_cache(maxsize=4096)
def condition(kind: str, text: str, names: Names) -> Condition:
    """A ConditionExpression or FilterExpression."""
    source = Source(kind, text, dict(names))
    test = test_of(source, tree(source))
    return Condition(*source.facts(), test)


def test_of(source: Source, node: Node) -> Test:
    """What a condition, or a part of one, asks of an item."""
    if not isinstance(node, Call):
        raise AssertionError(node)
    if node.name in ("AND", "OR", "NOT"):
        return _connected(node.name, [test_of(source, operand) for operand in node.operands])
    if node.name in _COMPARED:
        return _compared(source, node)
    if node.name not in _FUNCTIONS:
        if node.name == "size":
            source.refuse("The function is not allowed to be used this way in an expression; function: size")
        source.refuse(f"Invalid function name; function: {node.name}")
    count, make = _FUNCTIONS[node.name]
    if len(node.operands) != count:
        source.refuse(
            "Incorrect number of operands for operator or function; operator or function: "
            f"{node.name}, number of operands: {len(node.operands)}"
        )
    return make(source, node)


def _connected(name: str, tests: Sequence[Test]) -> Test:
    if name == "NOT":
        (only,) = tests
        return lambda item, values: not only(item, values)
    left, right = tests
    if name == "AND":
        return lambda item, values: left(item, values) and right(item, values)
    return lambda item, values: left(item, values) or right(item, values)


_COMPARED: Mapping[str, Callable[[Value, Value], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: alike(a, b) and order(a) < order(b),
    "<=": lambda a, b: alike(a, b) and order(a) <= order(b),
    ">": lambda a, b: alike(a, b) and order(a) > order(b),
    ">=": lambda a, b: alike(a, b) and order(a) >= order(b),
    "BETWEEN": lambda a, b: False,
    "IN": lambda a, b: False,
}


def alike(left: Value, right: Value) -> bool:
    """Whether two values have one type, and an order."""
    return left.keys() == right.keys() and left.keys() <= _ORDERED


def order(value: Value) -> Any:
    """What a text or number is sorted by."""
    return value["S"] if "S" in value else Decimal(value["N"])


def _compared(source: Source, node: Call) -> Test:
    name, operands = node.name, node.operands
    if isinstance(operands[0], Attribute) and operands[0] in operands[1:]:
        source.refuse(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {name}, first operand: [{operands[0].name}]"
        )
    if name not in ("=", "<>", "IN"):
        for operand in operands:
            typed(source, name, operand, _ORDERED)
    first, *rest = (operand_of(source, operand) for operand in operands)
    if name == "BETWEEN":
        bounds(source, operands[1], operands[2])
        low, high = rest
        return lambda item, values: _between(first(item, values), low(item, values), high(item, values))
    if name == "IN":
        return lambda item, values: (
            (found := first(item, values)) is not None
            and any(found == option(item, values) for option in rest)
        )
    compare, (second,) = _COMPARED[name], rest
    missing = name == "<>"  # what is not there differs from everything

    def test(item: Item, values: Values) -> bool:
        left, right = first(item, values), second(item, values)
        return missing if left is None or right is None else compare(left, right)

    return test


def _between(value: Value | None, low: Value | None, high: Value | None) -> bool:
    if value is None or low is None or high is None or not (alike(value, low) and alike(value, high)):
        return False
    return bool(order(low) <= order(value) <= order(high))


def typed(source: Source, operator: str, operand: Node, types: frozenset[str]) -> None:
    """Have a value of the request checked: one of these types."""
    if not isinstance(operand, Given):
        return
    refuse = source.refuse

    def check(values: Values) -> None:
        (kind,) = values[operand.name]
        if kind not in types:
            refuse(
                "Incorrect operand type for operator or function; operator or function: "
                f"{operator}, operand type: {kind}"
            )

    source.checks.append(check)


def bounds(source: Source, low: Node, high: Node) -> None:
    """Have the bounds of a BETWEEN checked, where both come with the request."""
    if not (isinstance(low, Given) and isinstance(high, Given)):
        return
    refuse = source.refuse

    def check(values: Values) -> None:
        below, above = values[low.name], values[high.name]
        shown = (
            "lower bound operand: AttributeValue: {{{}:{}}}, upper bound operand: AttributeValue: {{{}:{}}}"
        )
        said = shown.format(*next(iter(below.items())), *next(iter(above.items())))
        if below.keys() != above.keys():
            refuse(f"The BETWEEN operator requires same data type for lower and upper bounds; {said}")
        if order(below) > order(above):
            refuse(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                f"{said}"
            )

    source.checks.append(check)


def operand_of(source: Source, node: Node) -> Operand:
    """What an operand is, given an item and the values of the request."""
    if isinstance(node, Attribute):
        name = node.name
        return lambda item, values: item.get(name)
    if isinstance(node, Given):
        given = node.name
        return lambda item, values: values[given]
    if node.name != "size":
        source.refuse(
            f"The function is not allowed to be used this way in an expression; function: {node.name}"
        )
    (inner,) = node.operands
    counted = operand_of(source, inner)

    def size(item: Item, values: Values) -> Value | None:
        found = counted(item, values)
        if found is None or not found.keys() <= {"S", "SS", "NS", "L", "M"}:
            return None
        ((kind, content),) = found.items()
        # Of a text as DynamoDB Local has it: UTF-16 units.
        return {"N": str(len(content.encode("utf-16-le")) // 2 if kind == "S" else len(content))}

    return size


# ---- functions ----


def path_of(source: Source, node: Call) -> str:
    """The attribute that a function is about; refused if it is about something else."""
    first = node.operands[0]
    if not isinstance(first, Attribute):
        source.refuse(f"Operator or function requires a document path; operator or function: {node.name}")
    return first.name


def _exists(source: Source, node: Call) -> Test:
    name = path_of(source, node)
    return lambda item, values: name in item


def _is_missing(source: Source, node: Call) -> Test:
    name = path_of(source, node)
    return lambda item, values: name not in item


def _begins(source: Source, node: Call) -> Test:
    typed(source, node.name, node.operands[1], frozenset({"S", "B"}))
    whole, start = (operand_of(source, operand) for operand in node.operands)

    def test(item: Item, values: Values) -> bool:
        found, wanted = whole(item, values), start(item, values)
        if found is None or wanted is None or "S" not in found or "S" not in wanted:
            return False
        return bool(found["S"].startswith(wanted["S"]))

    return test


def _contains(source: Source, node: Call) -> Test:
    whole, part = (operand_of(source, operand) for operand in node.operands)

    def test(item: Item, values: Values) -> bool:
        found, wanted = whole(item, values), part(item, values)
        if found is None or wanted is None:
            return False
        ((kind, content),) = found.items()
        if kind == "L":
            return wanted in content
        single = {"S": "S", "SS": "S", "NS": "N"}.get(kind)
        return single in wanted and wanted[single] in content

    return test


def _has_type(source: Source, node: Call) -> Test:
    name, wanted = path_of(source, node), node.operands[1]
    if not isinstance(wanted, Given):
        raise NotImplementedError(source.text)
    typed(source, node.name, wanted, frozenset({"S"}))
    given, refuse = wanted.name, source.refuse

    def check(values: Values) -> None:
        if values[given]["S"] not in _TYPES:
            refuse(f"Invalid attribute type name found; type: {values[given]['S']}, valid types: {{…}}")

    source.checks.append(check)
    return lambda item, values: values[given]["S"] in item.get(name, ())


_FUNCTIONS: Mapping[str, tuple[int, Callable[[Source, Call], Test]]] = {
    "attribute_exists": (1, _exists),
    "attribute_not_exists": (1, _is_missing),
    "attribute_type": (2, _has_type),
    "begins_with": (2, _begins),
    "contains": (2, _contains),
}
"""By name: how many operands a function has, and what makes it."""
