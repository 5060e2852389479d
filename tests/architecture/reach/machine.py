"""Runs functions on what their variables may be, again and again until nothing new turns up."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from .program import ClassInfo, Imported, Module, Program
from .values import (
    MOST_TEXTS,
    NOTHING,
    Cell,
    Function,
    Head,
    ModuleValue,
    Plain,
    Setting,
    Text,
    Thing,
    Values,
    only,
    telling,
    without,
)

DEEPEST = 9
"""Objects within objects; what is made deeper counts as one object per line."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A call: who calls whom, where, and whether its caller takes a missing object as normal."""

    caller: Node
    callee: Node
    line: int
    missing_is_normal: bool


@dataclass(eq=False, slots=True)
class Call:
    """A call of AWS, with what its arguments may be."""

    node: Node
    service: str
    operation: str
    arguments: dict[str, Values]
    line: int
    missing_is_normal: bool

    def argument(self, name: str) -> Values:
        """What an argument may be."""
        return self.arguments.get(name, NOTHING)


@dataclass(frozen=True, slots=True)
class Read:
    """A setting that is read."""

    node: Node
    setting: str
    line: int


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What the analysis could not follow."""

    place: str
    what: str


@dataclass(eq=False)
class Node:
    """A function in one context, or a module's body."""

    function: Function | None
    module: Module
    this: Any = None
    cells: dict[str, Cell] = field(default_factory=dict)
    result: Cell = field(default_factory=Cell)
    depth: int = 0
    begun: bool = False
    elsewhere: dict[str, Cell] = field(default_factory=dict)
    """Variables that `global` and `nonlocal` name."""

    @property
    def name(self) -> str:
        """For people."""
        if self.function is None:
            return self.module.name
        code = self.function.code
        own = getattr(code, "name", f"lambda:{code.lineno}")
        owner = f"{self.function.owner.name}." if self.function.owner else ""
        return f"{self.module.name}.{owner}{own}"

    @property
    def home(self) -> Node | None:
        """Where a nested function was made."""
        return self.function.home if self.function else None


class Machine:
    """The state of one analysis.

    `settings` names the class of which the fields are the environment; what a setting says is followed where
    it is one of `places`, those that say where something is.
    """

    def __init__(self, program: Program, settings: str, places: Collection[str]) -> None:
        from .calls import Calls
        from .expressions import Expressions
        from .statements import Statements

        self.program = program
        self.settings = settings
        self.places = frozenset(places)
        self.nodes: dict[Any, Node] = {}
        self.contexts: dict[Any, set[Any]] = {}
        self.things: dict[Any, Thing] = {}
        self.inner_classes: dict[ast.ClassDef, ClassInfo] = {}
        self.raised: dict[ClassInfo, Cell] = {}
        """By class, the exceptions that are raised somewhere."""
        self.edges: set[Edge] = set()
        self.aws: dict[Any, Call] = {}
        self.reads: set[Read] = set()
        self.faults: set[Fault] = set()
        self.current: Node | None = None
        self.forgiving = 0
        self._waiting: deque[Node] = deque()
        self._queued: set[Node] = set()
        self.expressions = Expressions(self)
        self.calls = Calls(self)
        self.statements = Statements(self)

    # ---- what changes ----

    def read(self, cell: Cell) -> Values:
        """What a variable may be; the node at work is run again when that grows."""
        if self.current is not None:
            cell.readers.add(self.current)
        return cell.values

    def add(self, cell: Cell, values: Values) -> None:
        """A variable may be these, too."""
        fresh = values - cell.values
        if cell.any_text:
            fresh = without(fresh, Text, Head)
        if not fresh:
            return
        merged = cell.values | fresh
        if len(only(merged, Text, Head)) > MOST_TEXTS:
            cell.any_text = True
            merged = without(merged, Text, Head)
        if merged == cell.values:
            return
        cell.values = merged
        for node in cell.readers:
            self.queue(node)

    def queue(self, node: Node) -> None:
        """Run a node (again)."""
        if node not in self._queued:
            self._queued.add(node)
            self._waiting.append(node)

    def run(self) -> None:
        """Until nothing changes."""
        while self._waiting:
            node = self._waiting.popleft()
            self._queued.discard(node)
            self.current, self.forgiving = node, 0
            self.statements.run(node)
        self.current = None

    def begin(self, node: Node) -> None:
        """Run a node at once if it never ran: who calls it goes on with what it gives."""
        if node.begun:
            return
        node.begun = True
        before, self.current = self.current, node
        forgiving, self.forgiving = self.forgiving, 0
        self.statements.run(node)
        self.current, self.forgiving = before, forgiving

    # ---- nodes, things, names ----

    def node(self, function: Function, context: tuple[Any, ...], this: Any) -> Node:
        """A function in a context; `begin` it when its parameters have what they get."""
        home = function.home
        key = (id(function.code), home, this, context)
        if key not in self.nodes:
            depth = 1 + max(this.depth if isinstance(this, Thing) else 0, home.depth if home else 0)
            self.nodes[key] = Node(function, function.module, this, depth=depth)
        return self.nodes[key]

    def body(self, module: Module) -> Node:
        """A module's own statements."""
        if module not in self.nodes:
            self.nodes[module] = Node(None, module)
            self.begin(self.nodes[module])
        return self.nodes[module]

    def thing(self, of: ClassInfo | None, site: ast.AST) -> Thing:
        """The object that a line makes in the node at work."""
        node = self.current
        assert node is not None
        home: Node | Module = node if node.depth < DEEPEST else node.module
        key = (of, id(site), home)
        if key not in self.things:
            self.things[key] = Thing(of, site, node.depth)
        return self.things[key]

    def box(self, site: ast.AST, parts: Iterable[tuple[Any, Values]]) -> Values:
        """A container of what is told about; texts alone are not boxed."""
        listed = list(parts)
        table = isinstance(site, ast.Dict) and len(listed) <= MOST_TEXTS
        if not table and not any(telling(values) or isinstance(key, Setting) for key, values in listed):
            return frozenset().union(*(values for _, values in listed))
        made = self.thing(None, site)
        for key, values in listed:
            self.put(made, key, values)
        return frozenset({made})

    def put(self, box: Thing, key: Any, values: Values) -> None:
        """A container may hold these under a key; under None where the key is not known."""
        self.add(box.cell(key), values)
        self.add(box.every, values)
        if key is not None:
            self.add(box.keys, frozenset({(key,)}))

    def contents(self, box: Thing) -> Values:
        """All that a container may hold, keys that are texts or settings included."""
        keys = frozenset(key for (key,) in self.read(box.keys) if isinstance(key, Text | Setting))
        return self.read(box.every) | keys

    def edge(self, callee: Node, line: int) -> None:
        """The node at work calls another."""
        if self.current is not None:
            self.edges.add(Edge(self.current, callee, line, bool(self.forgiving)))

    def fault(self, node: ast.AST, what: str) -> None:
        """Note what cannot be followed."""
        where = self.current.name if self.current else "?"
        self.faults.add(Fault(f"{where}:{getattr(node, 'lineno', '?')}", what))

    def lookup(self, node: Node, name: str) -> Values | None:
        """What a name may be in a node; None where only a builtin can be meant."""
        at: Node | None = node
        while at is not None:
            if name in at.elsewhere:
                return self.read(at.elsewhere[name])
            if name in at.cells:
                return self.read(at.cells[name])
            at = at.home
        return self.global_name(node.module, name)

    def global_name(self, module: Module, name: str) -> Values | None:
        """What a module's name may be; its body counts as run then."""
        body = self.body(module)
        if self.current is not None and self.current is not body:
            self.edge(body, 0)
        if name in body.cells:
            return self.read(body.cells[name])
        bound = module.names.get(name)
        if bound is None:
            return None
        if isinstance(bound, Imported):
            return self.imported(bound)
        if isinstance(bound, ClassInfo):
            return frozenset({bound})
        return frozenset({Function(bound, module, None)})

    def imported(self, bound: Imported) -> Values:
        """What an import brings, a library's things as plain ones."""
        module = self.program.module(bound.module)
        if not bound.name:
            return frozenset({ModuleValue(module)}) if module else frozenset({Plain(bound.module)})
        inner = self.program.module(f"{bound.module}.{bound.name}")
        if inner is not None:
            return frozenset({ModuleValue(inner)})
        if module is None:
            return frozenset({Plain(f"{bound.module}.{bound.name}")})
        return self.global_name(module, bound.name) or NOTHING
