"""Update expressions: parsed once for each text, then plain functions.

"Using update expressions in DynamoDB", Amazon DynamoDB Developer Guide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeAlias

from .conditions import path_of, typed
from .expressions import Attribute, Call, Expression, Given, Names, Node, Source, Values, distinct
from .values import Item, Value, added, sorted_set

Operand: TypeAlias = Callable[[Item, Values], Value]
Action: TypeAlias = Callable[[Item, Item, Values], None]
"""Changes the second item, which is to be stored, by what the first, which is stored, has."""


class Unfit(Exception):
    """The item that is stored does not allow the update; the message is DynamoDB's."""


@dataclass(frozen=True, slots=True)
class Update(Expression):
    """An UpdateExpression."""

    changed: tuple[str, ...]
    """Attributes that it changes."""
    actions: tuple[Action, ...]

    def of(self, item: Item, values: Values) -> Item:
        """The item after the update. Raises Unfit; Refused for a number out of range."""
        after = dict(item)
        for action in self.actions:
            action(item, after, values)
        return after


@lru_cache(maxsize=4096)
def update(text: str, names: Names) -> Update:
    """An UpdateExpression."""
    source = Source("UpdateExpression", text, dict(names))
    actions: list[Action] = []
    changed: list[str] = []
    seen: set[str] = set()
    while not source.at_end():
        section = source.take(*_SECTIONS)
        if section is None:
            source.stumble()
        if section in seen:
            source.refuse(f'The "{section}" section can only be used once in an update expression;')
        seen.add(section)
        while True:
            path = source.path()
            changed.append(path.name)
            actions.append(_SECTIONS[section](source, path.name))
            if not source.take(","):
                break
    distinct(source, changed)
    return Update(*source.facts(), tuple(changed), tuple(actions))


def _set(source: Source, name: str) -> Action:
    source.need("=")
    value = _term(source)
    if sign := source.take("+", "-"):
        value = _sum(source, value, _term(source), sign)
    computed = _computed(source, value)

    def action(before: Item, after: Item, values: Values) -> None:
        after[name] = computed(before, values)

    return action


def _term(source: Source) -> Node:
    if source.take("("):
        inner = _term(source)
        source.need(")")
        return inner
    return source.operand()


def _sum(source: Source, left: Node, right: Node, sign: str) -> Node:
    for operand in (left, right):
        typed(source, sign, operand, frozenset({"N"}))
    return source.counted(sign, left, right)


def _remove(source: Source, name: str) -> Action:
    def action(before: Item, after: Item, values: Values) -> None:
        after.pop(name, None)

    return action


def _add(source: Source, name: str) -> Action:
    given = _given(source, "ADD", frozenset({"N", "SS", "NS"}))

    def action(before: Item, after: Item, values: Values) -> None:
        ((kind, content),) = values[given].items()
        found = before.get(name)
        if found is None:
            after[name] = values[given]
        elif kind not in found:
            raise Unfit(_WRONG_TYPE)
        elif kind == "N":
            after[name] = {"N": added(found["N"], content)}
        else:
            after[name] = {kind: sorted_set(kind, {*found[kind], *content})}

    return action


def _delete(source: Source, name: str) -> Action:
    given = _given(source, "DELETE", frozenset({"SS", "NS"}))

    def action(before: Item, after: Item, values: Values) -> None:
        ((kind, content),) = values[given].items()
        found = before.get(name)
        if found is None:
            return
        if kind not in found:
            raise Unfit(_WRONG_TYPE)
        left = [one for one in found[kind] if one not in content]
        if left:
            after[name] = {kind: left}
        else:
            del after[name]  # there are no empty sets

    return action


_SECTIONS: Mapping[str, Callable[[Source, str], Action]] = {
    "SET": _set,
    "REMOVE": _remove,
    "ADD": _add,
    "DELETE": _delete,
}

_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_LONG_NAMES = {
    "S": "STRING", "N": "NUMBER", "SS": "STRING_SET", "NS": "NUMBER_SET", "BOOL": "BOOLEAN",
    "L": "LIST", "M": "MAP", "NULL": "NULL",
}  # fmt: skip


def _given(source: Source, section: str, types: frozenset[str]) -> str:
    operand = source.operand()
    if not isinstance(operand, Given):
        source.refuse(f"The {section} section takes a value of the request")
    name, refuse = operand.name, source.refuse

    def check(values: Values) -> None:
        (kind,) = values[name]
        if kind not in types:
            refuse(
                f"Incorrect operand type for operator or function; operator: {section}, operand type: "
                f"{_LONG_NAMES[kind]}, typeSet: ALLOWED_FOR_{section}_OPERAND"
            )

    source.checks.append(check)
    return name


def _computed(source: Source, node: Node) -> Operand:
    if isinstance(node, Attribute):
        name = node.name
        return lambda item, values: item[name] if name in item else _unfit(_MISSING)
    if isinstance(node, Given):
        given = node.name
        return lambda item, values: values[given]
    if node.name not in _FUNCTIONS:
        source.refuse(f"The function is not allowed in an update expression; function: {node.name}")
    if len(node.operands) != 2:
        source.refuse(
            "Incorrect number of operands for operator or function; operator or function: "
            f"{node.name}, number of operands: {len(node.operands)}"
        )
    return _FUNCTIONS[node.name](source, node)


def _unfit(why: str) -> NoReturn:
    raise Unfit(why)


def _if_not_exists(source: Source, node: Call) -> Operand:
    name, otherwise = path_of(source, node), _computed(source, node.operands[1])
    return lambda item, values: item[name] if name in item else otherwise(item, values)


def _list_append(source: Source, node: Call) -> Operand:
    for operand in node.operands:
        typed(source, node.name, operand, frozenset({"L"}))
    left, right = (_computed(source, operand) for operand in node.operands)

    def computed(item: Item, values: Values) -> Value:
        first, second = left(item, values), right(item, values)
        if "L" not in first or "L" not in second:
            _unfit(_WRONG_TYPE)
        return {"L": [*first["L"], *second["L"]]}

    return computed


def _summed(source: Source, node: Call) -> Operand:
    sign = 1 if node.name == "+" else -1
    left, right = (_computed(source, operand) for operand in node.operands)

    def computed(item: Item, values: Values) -> Value:
        first, second = left(item, values), right(item, values)
        if "N" not in first or "N" not in second:
            _unfit(_WRONG_TYPE)
        return {"N": added(first["N"], second["N"], sign)}

    return computed


_FUNCTIONS: Mapping[str, Callable[[Source, Call], Operand]] = {
    "if_not_exists": _if_not_exists,
    "list_append": _list_append,
    "+": _summed,
    "-": _summed,
}
