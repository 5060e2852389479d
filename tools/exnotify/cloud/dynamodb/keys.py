"""Key conditions of queries, and projections: parsed once for each text."""

from dataclasses import dataclass
from functools import lru_cache

from .conditions import test_of
from .expressions import Attribute, Call, Expression, Given, Names, Node, Source, distinct, tree
from .values import Item, invalid


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What a KeyConditionExpression says of one attribute: `=`, `<`, `BETWEEN`, `begins_with`."""

    path: str
    sign: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition(Expression):
    """A KeyConditionExpression: one or two parts."""

    parts: tuple[KeyPart, ...]


_TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@lru_cache(maxsize=4096)
def key_condition(text: str, names: Names) -> KeyCondition:
    """A KeyConditionExpression."""
    source = Source("KeyConditionExpression", text, dict(names))
    parts = tuple(_key_parts(source, tree(source)))
    if len({part.path for part in parts}) != len(parts):
        raise invalid("KeyConditionExpressions must only contain one condition per key")
    return KeyCondition(*source.facts(), parts)


def _key_parts(source: Source, node: Node) -> list[KeyPart]:
    if not isinstance(node, Call):
        raise AssertionError(node)
    if node.name == "AND":
        return [part for operand in node.operands for part in _key_parts(source, operand)]
    if node.name in ("OR", "NOT", "IN", "<>"):
        raise invalid(f"Invalid operator used in KeyConditionExpression: {node.name}")
    test_of(source, node)  # for its checks
    name, operands = node.name, node.operands
    if name in _TURNED and isinstance(operands[1], Attribute):
        name, operands = _TURNED[name], operands[::-1]
    path, *rest = operands
    if not isinstance(path, Attribute) or name not in (*_TURNED, "BETWEEN", "begins_with"):
        raise invalid("Query key condition not supported")
    return [KeyPart(path.name, name, tuple(one.name for one in rest if isinstance(one, Given)))]


@dataclass(frozen=True, slots=True)
class Projection(Expression):
    """The attributes that an answer is to have."""

    def of(self, item: Item) -> Item:
        """An item without the other attributes."""
        return {name: item[name] for name in self.paths if name in item}


@lru_cache(maxsize=4096)
def projection(text: str, names: Names) -> Projection:
    """A ProjectionExpression."""
    source = Source("ProjectionExpression", text, dict(names))
    paths = [source.path().name]
    while source.take(","):
        paths.append(source.path().name)
    if not source.at_end():
        source.stumble()
    distinct(source, paths)
    return Projection(*source.facts())
