"""Hands arguments to parameters, and checks at the end that what is declared has come."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .values import (
    NOTHING,
    OUTSIDE,
    Bound,
    Cell,
    Function,
    Thing,
    Values,
    only,
)

if TYPE_CHECKING:
    from .machine import Fault, Machine, Node
    from .program import Module


@cache
def choosing(code: ast.AST) -> frozenset[str]:
    """Names by which a function picks an item, an attribute or a client."""
    found: set[str] = set()
    for part in ast.walk(code):
        picked: ast.AST | None = None
        if isinstance(part, ast.Subscript):
            picked = part.slice
        elif isinstance(part, ast.Call) and ast.unparse(part.func).endswith("create_client"):
            picked = part.args[0]
        elif isinstance(part, ast.Call) and ast.unparse(part.func) == "getattr":
            picked = part.args[1]
        elif isinstance(part, ast.keyword) and part.arg == "IndexName":
            picked = part.value
        if isinstance(picked, ast.Name):
            found.add(picked.id)
    return frozenset(found)


def bind(
    machine: Machine, node: Node, given: list[Values], named: dict[str | None, Values], starred: bool
) -> None:
    """Give a node's parameters what a call hands over."""
    assert node.function is not None
    arguments = node.function.code.args
    places = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    known = [*places, *(a.arg for a in arguments.kwonlyargs)]
    for name in known:
        node.cells.setdefault(name, Cell())
    for name, values in zip(places, given, strict=False):
        machine.add(node.cells[name], values)
    if starred and given:
        for name in places[len(given) :]:
            machine.add(node.cells[name], given[-1])
    if arguments.vararg:
        rest = frozenset().union(*given[len(places) :])
        _box(machine, node, arguments.vararg, [(None, rest)])
    if arguments.kwarg:
        from .values import Text

        more = [(Text(n) if n else None, v) for n, v in named.items() if n not in known]
        _box(machine, node, arguments.kwarg, more)
    for name, values in named.items():
        for place in [name] if name is not None else known[1 if node.this is not None else 0 :]:
            if place in node.cells and place in known:
                machine.add(node.cells[place], values)
    _defaults(machine, node, arguments)


def _box(machine: Machine, node: Node, parameter: ast.arg, parts: list[Any]) -> None:
    before, machine.current = machine.current, node
    made = machine.box(parameter, parts)
    machine.current = before
    machine.add(node.cells.setdefault(parameter.arg, Cell()), made)


def _defaults(machine: Machine, node: Node, arguments: ast.arguments) -> None:
    places = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    before = machine.current
    for parameter, default in pairs:
        if default is not None:
            machine.current = node.home or machine.body(node.module)
            machine.add(node.cells[parameter.arg], machine.expressions.value(default))
    machine.current = before


def preset(
    machine: Machine, site: ast.expr, value: Any, given: list[Values], named: dict[str | None, Values]
) -> Values:
    """`partial(value, …)`: the arguments are handed over now, the value stays callable."""
    function = value.function if isinstance(value, Bound) else value
    if not isinstance(function, Function):
        if given or named:
            machine.fault(site, "partial of what is no function of the program")
        return frozenset({value})
    machine.calls.invoke(site, value, given, named)
    return frozenset({value})


def unfilled(machine: Machine) -> Iterator[Fault]:
    """Parameters and fields that are declared as the program's classes or callables, and got nothing.

    In none of a function's runs, and in none of a class's objects: a run that was begun with less than what
    came later is no loss.
    """
    from .machine import Fault

    came: dict[tuple[str, str], Values] = {}
    declared: dict[tuple[str, str], tuple[Module, ast.expr]] = {}
    for node in set(machine.nodes.values()):
        if node.function is None or isinstance(node.function.code, ast.Lambda):
            continue
        arguments = node.function.code.args
        for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if parameter.annotation is not None and parameter.arg in node.cells:
                key = (node.name, f"parameter {parameter.arg}")
                declared[key] = (node.module, parameter.annotation)
                came[key] = came.get(key, NOTHING) | node.cells[parameter.arg].values
    for thing in machine.things.values():
        if thing.of is None or not thing.of.is_record or repr(thing.of) == machine.settings:
            continue
        for name, field in thing.of.fields().items():
            if field.value is None:
                key = (repr(thing.of), f"field {name}")
                declared[key] = (thing.of.module, field.annotation)
                came[key] = came.get(key, NOTHING) | thing.cell(name).values
    for key, (module, annotation) in declared.items():
        if lost(module, annotation, came[key]):
            yield Fault(key[0], f"nothing known comes to the {key[1]}")


def lost(module: Module, annotation: ast.expr, values: Values) -> bool:
    """Whether a declaration names a class of the program or a callable, and no value is one."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    text = ast.unparse(annotation)
    if text.startswith(("Callable[", "Callable")) and "None" not in text.rpartition("]")[2]:
        return not values - {OUTSIDE}
    wanted = list(module.classes_in(annotation))
    if not wanted or "None" in text:
        return False
    if any(known.method("__call__") for known in wanted) and values - {OUTSIDE}:
        return False
    return not only(values, Thing)
