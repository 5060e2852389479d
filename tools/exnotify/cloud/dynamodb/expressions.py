"""Expressions on items, read: what all of them have in common, and the grammar of conditions.

"Using expressions in DynamoDB" and "Reserved words", Amazon DynamoDB Developer Guide. Paths into lists and
maps (`a.b`, `a[1]`) are not known here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, TypeAlias

from .values import Value, invalid

Names: TypeAlias = tuple[tuple[str, str], ...]
"""Expression attribute names and the attributes that they stand for."""

Values: TypeAlias = Mapping[str, Value]
"""Expression attribute values."""

Check: TypeAlias = Callable[[Values], None]
"""What values must be, whatever item they meet; raises Refused."""

EXPRESSION_BYTES = 4096
OPERATORS = 300
IN_OPERANDS = 100

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<name>#[A-Za-z0-9_]+)|(?P<value>:[A-Za-z0-9_]+)"
    r"|(?P<sign><>|<=|>=|[=<>+\-(),.\[\]])|(?P<end>\Z)|(?P<other>[0-9]+|\S))"
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})


@cache
def reserved_words() -> frozenset[str]:
    """Words that no expression may name an attribute by, in capitals; moto keeps AWS's list."""
    moto = find_spec("moto")  # not imported: that takes a second
    if moto is None or moto.origin is None:
        raise RuntimeError("moto is not installed")
    words = Path(moto.origin).parent / "dynamodb" / "parsing" / "reserved_keywords.txt"
    return frozenset(words.read_text(encoding="utf-8").upper().split())


@dataclass(frozen=True, slots=True)
class Expression:
    """What every expression says of itself, once it is read."""

    kind: str
    """The request's name for it: `ConditionExpression`."""
    used: tuple[str, ...]
    """Names and values of the request that it uses."""
    paths: tuple[str, ...]
    """Attributes that it names."""
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an item."""

    name: str


@dataclass(frozen=True, slots=True)
class Given:
    """A value that comes with the request."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator or a connective, and what it applies to."""

    name: str
    operands: tuple["Node", ...]


Node: TypeAlias = Attribute | Given | Call


@dataclass(slots=True)
class Source:
    """One expression while it is read: its tokens, and what it was found to use."""

    kind: str
    text: str
    names: Mapping[str, str]
    tokens: list[tuple[str, str]] = field(default_factory=list)
    place: int = 0
    used: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    operators: int = 0

    def __post_init__(self) -> None:
        if len(self.text.encode()) > EXPRESSION_BYTES:
            size = len(self.text.encode())
            self.refuse(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        if not self.text.strip():
            self.refuse("The expression can not be empty;")
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup or "end"
            self.tokens.append((kind, match[kind]))
            if kind == "end":
                break

    def facts(self) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[Check, ...]]:
        """The fields of an `Expression`."""
        return self.kind, tuple(sorted(self.used)), tuple(self.paths), tuple(self.checks)

    def refuse(self, why: str) -> NoReturn:
        """Refuse the expression."""
        raise invalid(f"Invalid {self.kind}: {why}")

    def peek(self) -> str:
        """The next token; a keyword in capitals."""
        kind, text = self.tokens[self.place]
        return text.upper() if kind == "word" and text.upper() in _KEYWORDS else text

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.tokens[self.place][0] == "end"

    def take(self, *wanted: str) -> str | None:
        """Go past the next token if it is one of these."""
        found = self.peek()
        if found in wanted and not self.at_end():
            self.place += 1
            return found
        return None

    def need(self, wanted: str) -> None:
        """Go past this token, which must come."""
        if not self.take(wanted):
            self.stumble()

    def stumble(self) -> NoReturn:
        """The next token has no place here."""
        kind, text = self.tokens[self.place]
        before = self.tokens[self.place - 1][1] if self.place else ""
        near = " ".join(filter(None, (before, text)))
        self.refuse(f'Syntax error; token: "{"<EOF>" if kind == "end" else text}", near: "{near}"')

    def counted(self, name: str, *operands: Node) -> Call:
        """An operator; so many may be in one expression."""
        self.operators += 1
        if self.operators > OPERATORS:
            self.refuse(f"The expression contains too many operators; operator count: {self.operators}")
        return Call(name, operands)

    def path(self) -> Attribute:
        """An attribute, by its name or by one of the request's names."""
        kind, text = self.tokens[self.place]
        if kind == "name":
            self.used.add(text)
            if text not in self.names:
                self.refuse(
                    "An expression attribute name used in the document path is not defined; "
                    f"attribute name: {text}"
                )
            found = self.names[text]
        elif kind == "word":
            found = text
            if text.upper() in reserved_words():
                self.refuse(f"Attribute name is a reserved keyword; reserved keyword: {text}")
        else:
            self.stumble()
        self.place += 1
        if self.peek() in (".", "["):
            raise NotImplementedError(f"a path into a value: {self.text}")
        self.paths.append(found)
        return Attribute(found)

    def operand(self) -> Node:
        """A value, an attribute, or a function of some."""
        kind, text = self.tokens[self.place]
        if kind == "value":
            self.used.add(text)
            self.place += 1
            return Given(text)
        if kind == "word" and self.tokens[self.place + 1][1] == "(":
            return self.call()
        return self.path()

    def call(self) -> Call:
        """A function and its operands."""
        name = self.tokens[self.place][1]
        self.place += 2
        operands = [self.operand()]
        while self.take(","):
            operands.append(self.operand())
        self.need(")")
        return self.counted(name, *operands)


def _condition(source: Source) -> Node:
    left = _conjunction(source)
    while source.take("OR"):
        left = source.counted("OR", left, _conjunction(source))
    return left


def _conjunction(source: Source) -> Node:
    left = _negation(source)
    while source.take("AND"):
        left = source.counted("AND", left, _negation(source))
    return left


def _negation(source: Source) -> Node:
    if source.take("NOT"):
        return source.counted("NOT", _negation(source))
    if source.take("("):
        twice = source.peek() == "("
        start = source.place
        inner = _condition(source)
        if twice and _closes(source, start) == source.place - 1:
            source.refuse("The expression has redundant parentheses;")
        source.need(")")
        return inner
    return _comparison(source)


def _closes(source: Source, start: int) -> int:
    """Where the parenthesis that opens at a token closes."""
    depth = 0
    for place in range(start, len(source.tokens)):
        depth += {"(": 1, ")": -1}.get(source.tokens[place][1], 0)
        if not depth:
            return place
    return -1


def _comparison(source: Source) -> Node:
    left = source.operand()
    if sign := source.take("=", "<>", "<", "<=", ">", ">="):
        return source.counted(sign, left, source.operand())
    if source.take("BETWEEN"):
        low = source.operand()
        source.need("AND")
        return source.counted("BETWEEN", left, low, source.operand())
    if source.take("IN"):
        source.need("(")
        options = [source.operand()]
        while source.take(","):
            options.append(source.operand())
        source.need(")")
        if len(options) > IN_OPERANDS:
            source.refuse(
                f"The IN operator is provided with too many operands; number of operands: {len(options)}"
            )
        return source.counted("IN", left, *options)
    if not isinstance(left, Call):
        source.stumble()
    return left


def tree(source: Source) -> Node:
    """The whole expression, as a condition."""
    found = _condition(source)
    if not source.at_end():
        source.stumble()
    return found


def distinct(source: Source, paths: Sequence[str]) -> None:
    """Refuse an expression that names an attribute twice."""
    for place, path in enumerate(paths):
        if path in paths[:place]:
            source.refuse(
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                f"path one: [{path}], path two: [{path}]"
            )
