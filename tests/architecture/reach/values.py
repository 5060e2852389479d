"""What an expression may be. Plain data (numbers, bodies of messages, rows of files) is the empty set."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .machine import Node
    from .program import ClassInfo, Module

Values = frozenset[Any]
NOTHING: Values = frozenset()

MOST_TEXTS = 16
"""Texts that a variable is known to be one of; with more it is any text."""


@dataclass(frozen=True, slots=True)
class Text:
    """A literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """A text of which the beginning is known."""

    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What the environment says, or a text made from it."""

    name: str


@dataclass(frozen=True, slots=True)
class Client:
    """An AWS client."""

    service: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A client's operation, also as a paginator's or a presigned one."""

    service: str
    name: str


@dataclass(frozen=True, slots=True)
class ClientTool:
    """`get_paginator`, `get_waiter`, `generate_presigned_url` of a client, and the paginator itself."""

    service: str
    name: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A callable or module of which the source is not looked into."""

    name: str


OUTSIDE = Plain("()")
"""What a library or AWS gives back, and everything about it."""

ERRORS = "botocore.exceptions"
"""Where the SDK's exceptions are, those that a client makes included."""


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the program."""

    module: Module


@dataclass(frozen=True, slots=True, repr=False)
class Function:
    """A function or lambda, and where it was defined."""

    code: Any
    module: Module
    home: Node | None
    owner: ClassInfo | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of an object or class."""

    this: Any
    function: Function


@dataclass(frozen=True, slots=True)
class Made:
    """A class method of a library's base class, which makes an instance (`model_validate`)."""

    of: ClassInfo


@dataclass(frozen=True, slots=True)
class BoxMethod:
    """A method of a container."""

    box: Thing
    name: str


@dataclass(frozen=True, slots=True)
class Super:
    """`super()` in a method of a class."""

    this: Any
    above: ClassInfo


@dataclass(eq=False, slots=True)
class Cell:
    """A variable, field or result: what it may be, and which nodes looked at it."""

    values: Values = NOTHING
    readers: set[Node] = field(default_factory=set)
    any_text: bool = False


@dataclass(eq=False, slots=True, repr=False)
class Thing:
    """An object of the program, or a container (without a class), by where it is made."""

    of: ClassInfo | None
    site: ast.AST
    depth: int
    cells: dict[Any, Cell] = field(default_factory=dict)
    keys: Cell = field(default_factory=Cell)
    """A container's keys, each in a tuple."""
    every: Cell = field(default_factory=Cell)
    """All that a container may hold."""

    def cell(self, name: Any) -> Cell:
        """A field, or what a container has under a key; `None` is any key."""
        return self.cells.setdefault(name, Cell())


def telling(values: Values) -> bool:
    """Whether there is more than texts and library names."""
    return any(not isinstance(value, Text | Head | Plain) for value in values)


def only(values: Values, *kinds: type) -> list[Any]:
    """The values of some kinds."""
    return [value for value in values if isinstance(value, kinds)]


def without(values: Values, *kinds: type) -> Values:
    """The others."""
    return frozenset(value for value in values if not isinstance(value, kinds))
