"""What statements do to variables."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .program import ClassInfo
from .values import ERRORS, NOTHING, Cell, Function, Plain, Setting, Text, Thing, Values, only, telling

if TYPE_CHECKING:
    from .machine import Machine, Node

_UNCHANGED = ("wraps", "cache", "lru_cache", "contextmanager", "overload", "override", "abstractmethod")
"""Decorators of libraries after which a function is called as before."""


class Statements:
    """Runs a node's statements once, in order; the machine repeats that as long as there is news."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def run(self, node: Node) -> None:
        """A function's body or a module's."""
        if node.function is None:
            self.block(node.module.tree.body)
            return
        code = node.function.code
        if isinstance(code, ast.Lambda):
            self._machine.add(node.result, self._value(code.body))
        else:
            self.block(code.body)

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements in order."""
        for statement in statements:
            handler = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if handler is None:
                self._machine.fault(statement, f"no rule for the statement {type(statement).__name__}")
            else:
                handler(statement)

    def _value(self, expression: ast.expr | None) -> Values:
        return self._machine.expressions.value(expression) if expression is not None else NOTHING

    @property
    def _node(self) -> Node:
        node = self._machine.current
        assert node is not None
        return node

    # ---- binding ----

    def cell(self, name: str) -> Cell:
        """The cell that an assignment to a name goes to."""
        node = self._node
        if name in node.elsewhere:
            return node.elsewhere[name]
        return node.cells.setdefault(name, Cell())

    def bind(self, target: ast.expr, values: Values) -> None:
        """Assign to a target."""
        machine = self._machine
        match target:
            case ast.Name(id=name):
                machine.add(self.cell(name), values)
            case ast.Attribute(value=base, attr=name):
                for thing in self._value(base):
                    if isinstance(thing, Thing):
                        machine.add(thing.cell(name), values)
            case ast.Subscript(value=base, slice=key):
                self.store(base, self._value(key), values)
            case ast.Starred(value=inner):
                self.bind(inner, machine.box(inner, [(None, values)]))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for number, part in enumerate(parts):
                    self.bind(part, machine.expressions.item(values, number))

    def store(self, base: ast.expr, keys: Values, values: Values) -> None:
        """Put something into the container that an expression names."""
        machine = self._machine
        known = [key for key in keys if isinstance(key, Text | Setting)] if keys else []
        boxes = [thing for thing in self._value(base) if isinstance(thing, Thing) and thing.of is None]
        for box in boxes:
            for key in known or [None]:
                machine.put(box, key, values)
        if not boxes and (made := machine.box(base, [(key, values) for key in known or [None]])):
            self.bind(base, made)

    def _assign(self, statement: ast.Assign) -> None:
        values = self._value(statement.value)
        for target in statement.targets:
            self.bind(target, values)

    def _annassign(self, statement: ast.AnnAssign) -> None:
        if statement.value is not None:
            self.bind(statement.target, self._value(statement.value))

    def _augassign(self, statement: ast.AugAssign) -> None:
        self.bind(statement.target, self._value(statement.value))

    def _typealias(self, statement: ast.stmt) -> None:
        """Nothing that runs."""

    def _functiondef(self, statement: ast.FunctionDef) -> None:
        node = self._node
        home = node if node.function is not None else None
        made: Values = frozenset({Function(statement, node.module, home)})
        for decorator in reversed(statement.decorator_list):
            name = ast.unparse(decorator).split("(")[0].rpartition(".")[2]
            called = self._value(decorator)
            if name not in _UNCHANGED:
                made |= self._machine.calls.apply(decorator, called, [made])
        self._machine.add(self.cell(statement.name), made)

    _asyncfunctiondef = _functiondef

    def _classdef(self, statement: ast.ClassDef) -> None:
        node = self._node
        if node.function is None:
            return  # the module's names have it
        known = self._machine.inner_classes.setdefault(
            statement, ClassInfo(statement.name, node.module, statement)
        )
        self._machine.add(self.cell(statement.name), frozenset({known}))
        for part in ast.walk(statement):
            if not isinstance(part, ast.Name) or part.id == statement.name or part.id not in node.cells:
                continue
            if telling(self._machine.read(node.cells[part.id])):
                self._machine.fault(part, f"a class within a function uses its {part.id}")

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        node = self._node
        if node.function is None:
            return  # the module's names have it
        for name, imported in node.module.imports(statement):
            self._machine.add(self.cell(name), self._machine.imported(imported))

    _importfrom = _import

    def _global(self, statement: ast.Global) -> None:
        body = self._machine.body(self._node.module)
        for name in statement.names:
            self._node.elsewhere[name] = body.cells.setdefault(name, Cell())

    def _nonlocal(self, statement: ast.Nonlocal) -> None:
        home = self._node.home
        for name in statement.names:
            if home is not None:
                self._node.elsewhere[name] = home.cells.setdefault(name, Cell())

    # ---- control ----

    def _expr(self, statement: ast.Expr) -> None:
        self._value(statement.value)

    def _return(self, statement: ast.Return) -> None:
        self._machine.add(self._node.result, self._value(statement.value))

    def _if(self, statement: ast.If) -> None:
        if ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return
        self._value(statement.test)
        self.block(statement.body)
        self.block(statement.orelse)

    def _while(self, statement: ast.While) -> None:
        self._value(statement.test)
        self.block(statement.body)
        self.block(statement.orelse)

    def _for(self, statement: ast.For) -> None:
        self.bind(statement.target, self._machine.expressions.each(statement.iter))
        self.block(statement.body)
        self.block(statement.orelse)

    def _with(self, statement: ast.With) -> None:
        normal = any(self._suppresses(item.context_expr) for item in statement.items)
        for item in statement.items:
            values = self._value(item.context_expr)
            entered = self._machine.calls.method(item.context_expr, values, "__enter__")
            self._machine.calls.method(item.context_expr, values, "__exit__")
            if item.optional_vars is not None:
                self.bind(item.optional_vars, entered | values)
        self._machine.forgiving += normal
        self.block(statement.body)
        self._machine.forgiving -= normal

    def _suppresses(self, context: ast.expr) -> bool:
        """Whether a context ends quietly where an object is not there."""
        if not isinstance(context, ast.Call) or not ast.unparse(context.func).endswith("suppress"):
            return False
        return bool(_errors(NOTHING.union(*map(self._value, context.args))) & {*_MISSING, *_ANY_ANSWER})

    def _try(self, statement: ast.Try) -> None:
        normal = any(_missing_is_normal(h, self._value(h.type)) for h in statement.handlers)
        self._machine.forgiving += normal
        self.block(statement.body)
        self._machine.forgiving -= normal
        for handler in statement.handlers:
            caught = self._value(handler.type)
            if handler.name:
                for known in caught:
                    if isinstance(known, ClassInfo):
                        raised = self._machine.read(self._machine.raised.setdefault(known, Cell()))
                        self._machine.add(self.cell(handler.name), raised)
            self.block(handler.body)
        self.block(statement.orelse)
        self.block(statement.finalbody)

    def _match(self, statement: ast.Match) -> None:
        subject = self._value(statement.subject)
        for case in statement.cases:
            for part in ast.walk(case.pattern):
                name: Any = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self._machine.add(self.cell(name), subject)
            self._value(case.guard)
            self.block(case.body)

    def _raise(self, statement: ast.Raise) -> None:
        for thing in self._value(statement.exc):
            if isinstance(thing, Thing) and thing.of is not None:
                for known in thing.of.line:
                    self._machine.add(self._machine.raised.setdefault(known, Cell()), frozenset({thing}))

    def _assert(self, statement: ast.Assert) -> None:
        self._value(statement.test)

    def _pass(self, statement: ast.stmt) -> None:
        """Nothing."""

    _break = _continue = _delete = _pass


_MISSING = frozenset(["NoSuchKey", "NotFound"])
_ANY_ANSWER = frozenset(["ClientError"])


def _errors(caught: Values) -> set[str]:
    """The SDK's exceptions among what is caught."""
    return {v.name.rpartition(".")[2] for v in only(caught, Plain) if v.name.startswith(f"{ERRORS}.")}


def _missing_is_normal(handler: ast.ExceptHandler, caught: Values) -> bool:
    """Whether a handler is about an object that is not there: it says so, or takes some answer as no error.

    How it tells the answers apart (a constant, a function, a table) is not looked into.
    """
    told = any(
        isinstance(part, ast.Constant) and part.value in (404, "404", "NoSuchKey")
        for statement in [handler.type, *handler.body]
        if statement is not None
        for part in ast.walk(statement)
    )
    return told or bool(_errors(caught) & _MISSING or (_errors(caught) & _ANY_ANSWER and _goes_on(handler)))


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler can end otherwise than by raising."""
    ends = (ast.Return, ast.Continue, ast.Break)
    inner = (part for statement in handler.body for part in ast.walk(statement))
    return not isinstance(handler.body[-1], ast.Raise) or any(isinstance(part, ends) for part in inner)
