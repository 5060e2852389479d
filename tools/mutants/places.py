"""Where a module can be changed: every node of its syntax that a test may see, and how a change is made.

Left alone are docstrings, annotations, what is logged, what only the type checker reads, and decorators that
say how a class is made.
"""

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_LOGGERS = frozenset({"logger", "log", "warnings"})
_TYPING = frozenset({"TypeVar", "NewType", "cast", "Literal", "Protocol", "ParamSpec", "overload"})
_UNSEEN_FIELDS = frozenset(
    {"annotation", "returns", "decorator_list", "type_comment", "bases", "format_spec"}
)
GONE: Any = object()
"""In place of an element: it is taken out of its list."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place of the tree and what stands there instead; `GONE` takes an element out of a list."""

    parent: ast.AST
    name: str
    index: int | None
    new: Any

    @contextmanager
    def made(self) -> Iterator[None]:
        """The tree has the change while the block runs."""
        if self.index is None:
            old = getattr(self.parent, self.name)
            setattr(self.parent, self.name, self.new)
            try:
                yield
            finally:
                setattr(self.parent, self.name, old)
            return
        # Dictionaries keep keys and values in two lists.
        names = ("keys", "values") if self.new is GONE and isinstance(self.parent, ast.Dict) else (self.name,)
        before = {name: list(getattr(self.parent, name)) for name in names}
        for name in names:
            if self.new is GONE:
                del getattr(self.parent, name)[self.index]
            else:
                getattr(self.parent, name)[self.index] = self.new
        try:
            yield
        finally:
            for name, items in before.items():
                setattr(self.parent, name, items)


@dataclass(slots=True)
class Place:
    """Where a node stands."""

    node: ast.AST
    parent: ast.AST
    name: str
    index: int | None
    function: str
    statement: ast.stmt
    names: frozenset[str]  # that the statement binds, outside of functions

    def instead(self, new: Any) -> Change:
        """This node replaced by another, at the same lines."""
        if isinstance(new, ast.AST):
            new = ast.fix_missing_locations(ast.copy_location(copy.copy(new), self.node))
        return Change(self.parent, self.name, self.index, new)


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Pass():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in _LOGGERS:
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call(func=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)) if name in _TYPING:
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.ClassDef(bases=[*_, ast.Name(id="Protocol")]):
            return True
        case ast.Constant() if node.value is ...:
            return True
    return False


def unseen(node: ast.AST, child: ast.AST) -> bool:
    """Whether a part says something to people and checkers only: arguments of a type, `zip`'s `strict`."""
    match node, child:
        case ast.Call(func=ast.Name(id="zip")), ast.keyword(arg="strict"):
            return True
        case ast.Subscript(), ast.Tuple() | ast.List():
            return True
    return False


def places(
    node: ast.AST,
    function: str = "",
    statement: ast.stmt | None = None,
    names: frozenset[str] = frozenset(),
    at_import: bool = True,
) -> Iterator[Place]:
    """Every place below a node, outermost first."""
    for name, value in ast.iter_fields(node):
        if name in _UNSEEN_FIELDS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _left_alone(child) or unseen(node, child):
                continue
            here = child if isinstance(child, ast.stmt) else statement
            bound = (_bound(child, node) or names) if at_import else names
            if here is not None:
                yield Place(child, node, name, index, function, here, bound)
            inner = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{function}.{child.name}".lstrip(".")
            inside = isinstance(child, ast.FunctionDef | ast.Lambda)
            yield from places(child, inner, here, bound, at_import and not inside)


def _bound(node: ast.AST, parent: ast.AST) -> frozenset[str]:
    """Names by which others use what a statement makes; none for a field, which is used by its class's."""
    match node:
        case ast.AnnAssign() if isinstance(parent, ast.ClassDef):
            return frozenset()
        case ast.Assign(targets=targets):
            return frozenset(
                leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)
            )
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            return frozenset({name})
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
    return frozenset()


def lines_of(node: ast.AST, statement: ast.stmt) -> tuple[int, int]:
    """First and last line; of a statement that holds others, without those."""
    first = getattr(node, "lineno", statement.lineno)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return first, max(first, body[0].lineno - 1)
    return first, getattr(node, "end_lineno", None) or first
