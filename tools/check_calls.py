"""The AWS calls that the adapters' code makes, and those of them that no test had validated."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
from botocore import xform_name

from build_layer import SERVICES

ROOT = Path(__file__).resolve().parent.parent
ADAPTERS = ROOT / "layers" / "core" / "exstream_notify" / "adapters"

#: Attributes that are called like an operation and are none.
_OTHERS = frozenset({"parts.query"})


class Call(NamedTuple):
    """An operation that a function of an adapter calls; `module` relative to the adapters' folder."""

    module: str
    function: str
    operation: str


def written() -> set[Call]:
    """All of them, from the code: methods of clients, and names of operations."""
    session = botocore.session.get_session()
    operations = {
        xform_name(name)
        for service in SERVICES
        for name in session.get_service_model(service).operation_names
    }
    found: set[Call] = set()
    for path in ADAPTERS.rglob("*.py"):
        module = path.relative_to(ADAPTERS).as_posix()
        for function, name in _names(ast.parse(path.read_text("utf-8")), ""):
            if name in operations:
                found.add(Call(module, function, name))
    return found


def faults(figures: Mapping[str, Any]) -> list[str]:
    """What a whole test run left open, in a line each: `figures` are those that tests/machine.py leaves."""
    validated = {Call(*row) for row in figures.get("sdk_calls", [])}
    return [f"refused by the SDK's model: {call}" for call in figures.get("sdk_refused", [])] + [
        f"{call.module}: {call.function} calls {call.operation}, and no test in this process does"
        for call in sorted(written() - validated)
    ]


def _names(node: ast.AST, function: str) -> Iterator[tuple[str, str]]:
    """Attributes and texts, each with the qualified name of the outermost function around it."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield from _names(child, f"{name}.")
            case ast.FunctionDef(name=name) if not function or function.endswith("."):
                yield from _names(child, function + name)
            case _:
                if isinstance(child, ast.Attribute) and ast.unparse(child) not in _OTHERS:
                    yield function, child.attr
                elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                    yield function, child.value
                yield from _names(child, function)
