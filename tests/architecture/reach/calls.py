"""What calls do: of the program's functions and classes, of libraries, and of AWS clients."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .binding import bind, choosing, preset
from .program import ClassInfo
from .values import (
    NOTHING,
    OUTSIDE,
    Bound,
    BoxMethod,
    Client,
    ClientTool,
    Function,
    Head,
    Made,
    Operation,
    Plain,
    Setting,
    Super,
    Text,
    Thing,
    Values,
    only,
    without,
)

if TYPE_CHECKING:
    from .machine import Machine, Node

PURE = frozenset(
    [
        "isinstance",
        "issubclass",
        "len",
        "int",
        "float",
        "bool",
        "repr",
        "hash",
        "hasattr",
        "print",
        "abs",
        "round",
        "any",
        "all",
        "ord",
        "chr",
        "range",
        "callable",
        "sum",
        "id",
        "type",
        "setattr",
    ]
)
"""Builtins that give nothing of their arguments back."""

CONTAINERS = frozenset(["list", "tuple", "set", "dict", "frozenset", "sorted", "reversed", "deque"])
PASSES = CONTAINERS | frozenset(["filter", "map", "zip", "enumerate", "str", "iter", "next", "max", "min"])
"""Builtins that give back texts that they are given, or parts of those."""

PUTS = frozenset(["append", "appendleft", "add", "extend", "insert", "update", "setdefault", "put"])
MOST_CONTEXTS = 24

Named = dict[str | None, Values]
"""Arguments by name; under None what `**` brings under names that are not known."""


class Calls:
    """Calls in the node at work."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def call(self, site: ast.Call) -> Values:
        """What a call gives."""
        machine = self._machine
        if isinstance(site.func, ast.Name) and site.func.id in ("super", "getattr"):
            return self._super() if site.func.id == "super" else self._getattr(site)
        called = machine.expressions.value(site.func)
        given: list[Values] = []
        for argument in site.args:
            given.append(machine.expressions.part(argument))
        named: Named = {}
        for keyword in site.keywords:
            values = machine.expressions.value(keyword.value)
            pairs = machine.expressions.spread(values) if keyword.arg is None else [(keyword.arg, values)]
            for key, part in pairs:
                name = key.text if isinstance(key, Text) else key if isinstance(key, str) else None
                named[name] = named.get(name, NOTHING) | part
        starred = any(isinstance(argument, ast.Starred) for argument in site.args)
        if isinstance(site.func, ast.Attribute):
            self._put(site.func, given, named)
        return self.apply(site, called, given, named, starred=starred)

    def apply(
        self,
        site: ast.expr,
        called: Values,
        given: list[Values],
        named: Named | None = None,
        *,
        starred: bool = False,
    ) -> Values:
        """Call each of what may be called."""
        found: Values = NOTHING
        library = False
        for value in called:
            match value:
                case Plain() | Text() | Head():
                    library = True
                case _:
                    found |= self.invoke(site, value, given, named or {}, starred=starred)
        if library:
            func = site.func if isinstance(site, ast.Call) else None
            own = func.attr if isinstance(func, ast.Attribute) else ""
            for name in {v.name for v in called if isinstance(v, Plain)} or {own}:
                found |= self._library(site, own if name == OUTSIDE.name else name, given, named or {})
        return found

    def method(self, site: ast.expr, values: Values, name: str, given: list[Values] | None = None) -> Values:
        """Call a method of those objects that have it."""
        found: Values = NOTHING
        for thing in only(values, Thing):
            if thing.of is not None and thing.of.method(name):
                bound = self._machine.expressions.attribute(site, frozenset({thing}), name)
                found |= self.apply(site, bound, given or [])
        return found

    def invoke(
        self, site: ast.expr, value: Any, given: list[Values], named: Named, *, starred: bool = False
    ) -> Values:
        """Call one thing that is no library's."""
        match value:
            case Function():
                return self._run(site, value, None, given, named, starred)
            case Bound(this=this, function=function):
                return self._run(site, function, this, [frozenset({this}), *given], named, starred)
            case ClassInfo():
                return self._make(site, value, given, named, starred)
            case Made(of=of):
                return frozenset({self._read_in(of, site)})
            case Operation(service=service, name=name):
                self._aws(site, service, name, named)
                return frozenset({OUTSIDE})
            case ClientTool():
                return self._tool(site, value, given, named)
            case BoxMethod(box=box, name=name):
                return self._box(site, box, name, given, named)
            case Setting():
                return frozenset({value}).union(*(only(v, Setting) for v in given))
            case Thing(of=of) if of is not None and of.method("__call__"):
                return self.method(site, frozenset({value}), "__call__", given)
        return NOTHING

    # ---- the program's own ----

    def _run(
        self, site: ast.expr, function: Function, this: Any, given: list[Values], named: Named, starred: bool
    ) -> Values:
        machine = self._machine
        node = machine.node(function, *self._context(function, this, given, named))
        machine.edge(node, site.lineno)
        bind(machine, node, given, named, starred)
        machine.begin(node)
        return machine.read(node.result)

    def _context(
        self, function: Function, this: Any, given: list[Values], named: Named
    ) -> tuple[tuple[Any, ...], Any]:
        """What keeps runs of a function apart: its object, the settings and clients it is given, and texts that
        choose (see `choosing`)."""
        places = [a.arg for a in _parameters(function)]
        every = {**dict(zip(places, given, strict=False)), **named}
        texts = choosing(function.code)
        if function.code.args.kwarg is not None:
            # What is handed on by name is another call by each set of names.
            own = {a.arg for a in (*_parameters(function), *function.code.args.kwonlyargs)}
            texts |= named.keys() - own
        telling = tuple(
            (name, kept)
            for name, values in sorted(every.items(), key=lambda pair: str(pair[0]))
            if (
                kept := frozenset(
                    only(values, Setting, Client, Operation, *((Text,) if name in texts else ()))
                )
            )
            or name in texts
        )
        key = (id(function.code), this)
        contexts = self._machine.contexts.setdefault(key, set())
        if telling not in contexts and len(contexts) >= MOST_CONTEXTS:
            telling = ()
        contexts.add(telling)
        return telling, this

    def _make(
        self, site: ast.expr, of: ClassInfo, given: list[Values], named: Named, starred: bool
    ) -> Values:
        machine = self._machine
        thing = machine.thing(of, site)
        made: Values = frozenset({thing})
        start = of.method("__init__")
        if start:
            bound = Bound(thing, Function(start[1], start[0].module, None, start[0]))
            self.invoke(site, bound, given, named, starred=starred)
            return made
        fields = of.fields()
        for name, values in zip(fields, given, strict=False):
            machine.add(thing.cell(name), values)
        for name, values in named.items():
            for field in [name] if name is not None else fields:
                machine.add(thing.cell(field), values)
        if starred and given:
            for name in fields:
                machine.add(thing.cell(name), given[-1])
        self.method(site, made, "__post_init__")
        return made

    def _read_in(self, of: ClassInfo, site: ast.AST) -> Thing:
        """What a library makes of data: a record, and the records that its fields declare."""
        machine = self._machine
        thing = machine.thing(of, site)
        for name, field in of.fields().items():
            for part in ast.walk(field.annotation):
                inner = of.module.class_named(part) if isinstance(part, ast.Name) else None
                if inner is not None and inner is not of and inner.is_record:
                    machine.add(thing.cell(name), frozenset({self._read_in(inner, field)}))
        return thing

    def in_module(self, module: Any, expression: ast.expr) -> Values:
        """An expression of a class's body, as its module understands it."""
        machine, before = self._machine, self._machine.current
        machine.current = machine.body(module)
        try:
            found = machine.expressions.value(expression)
        finally:
            machine.current = before
        return found

    # ---- containers ----

    def _put(self, func: ast.Attribute, given: list[Values], named: Named) -> None:
        """`name.append(x)` and the like, where the name holds no container yet."""
        if func.attr not in PUTS or not isinstance(func.value, ast.Name | ast.Attribute | ast.Subscript):
            return
        base = self._machine.expressions.value(func.value)
        if only(base - {OUTSIDE}, Thing, ClassInfo, Plain, Bound, Client, Super):
            return
        values = frozenset().union(*given, *named.values())
        if without(values, Text, Head, Plain):
            self._machine.statements.store(func.value, NOTHING, values)

    def _box(self, site: ast.expr, box: Thing, name: str, given: list[Values], named: Named) -> Values:
        machine = self._machine
        if name in ("get", "pop", "setdefault"):
            key = site.args[0] if isinstance(site, ast.Call) and site.args else None
            found = machine.expressions.taken(box, key, given[0] if given else NOTHING)
            more: Values = given[1] if len(given) > 1 else NOTHING
            if name == "setdefault":
                for place in [k for k in given[0] if isinstance(k, Text | Setting)] or [None]:
                    machine.put(box, place, more)
            return found | more
        if name in PUTS:
            for values in given:
                inner = machine.expressions.elements(site, values) if name in ("extend", "update") else values
                machine.put(box, None, inner)
            for key, values in named.items():
                machine.put(box, Text(key) if key else None, values)
            return NOTHING
        found = machine.contents(box)
        return machine.box(site, [(None, found)]) if name in ("items", "values", "keys", "copy") else found

    # ---- libraries ----

    def _library(self, site: ast.expr, name: str, given: list[Values], named: Named) -> Values:
        """A library may call what it is given, with what it is given, and give any of it back."""
        machine = self._machine
        short = name.rpartition(".")[2]
        if name in PURE:
            return NOTHING
        if short == "create_client":
            return frozenset(Client(v.text) for v in only(given[0], Text)) or self._unknown_client(site)
        if short == "partial":
            return self._partial(site, given, named)
        if name == "typing.cast":
            return given[1]
        handed = frozenset().union(*given, *named.values())
        kinds = (Function, Bound, Operation)
        inside = machine.expressions.elements(site, without(handed, *kinds))
        data = without(inside | handed, *kinds, Plain, ClassInfo)
        found = without(handed | inside, Text, Head, Plain, ClassInfo) | {OUTSIDE}
        if short not in PASSES:
            found = without(found, Setting)
        if name.startswith(machine.program.opaque):
            return frozenset({OUTSIDE})
        for value in only(handed | inside, *kinds):
            if isinstance(value, Operation):
                machine.fault(site, f"{value.service}.{value.name} is handed to a library")
                continue
            most = len(_parameters(value.function if isinstance(value, Bound) else value))
            found |= self.invoke(site, value, [data] * most, {})
        if short in CONTAINERS:
            return machine.box(site, [(None, found)])
        return found

    def _partial(self, site: ast.expr, given: list[Values], named: Named) -> Values:
        found: Values = NOTHING
        for value in given[0] if given else NOTHING:
            found |= preset(self._machine, site, value, given[1:], named)
        return found

    def _super(self) -> Values:
        node: Node | None = self._machine.current
        while node is not None and (node.function is None or node.function.owner is None):
            node = node.home
        if node is None or node.function is None or node.function.owner is None:
            return NOTHING
        above = [base for base in node.function.owner.bases if base is not None]
        return frozenset(Super(node.this, base) for base in above)

    def _getattr(self, site: ast.Call) -> Values:
        machine = self._machine
        base, names = (machine.expressions.value(a) for a in site.args[:2])
        found: Values = machine.expressions.value(site.args[2]) if len(site.args) > 2 else NOTHING
        texts = only(names, Text)
        for text in texts:
            found |= machine.expressions.attribute(site, base, text.text)
        if texts:
            return found
        for value in only(base, Client, Thing, Super):
            if isinstance(value, Thing) and value.of is None:
                continue
            if isinstance(value, Thing) and value.of.is_record:
                for name in value.of.fields():
                    found |= machine.expressions.attribute(site, frozenset({value}), name)
            else:
                machine.fault(site, "getattr with a name that is not known")
        return found

    # ---- AWS ----

    def _aws(self, site: ast.expr, service: str, operation: str, named: Named) -> None:
        from .machine import Call

        machine = self._machine
        assert machine.current is not None
        place = (machine.current, site, service, operation)
        call = machine.aws.setdefault(
            place, Call(machine.current, service, operation, {}, site.lineno, bool(machine.forgiving))
        )
        for name, values in named.items():
            call.arguments[str(name)] = call.argument(str(name)) | values

    def _tool(self, site: ast.expr, tool: ClientTool, given: list[Values], named: Named) -> Values:
        names = only(given[0], Text) if given else []
        if not names:
            self._machine.fault(site, f"{tool.name} of an operation that is not known")
        if tool.name == "get_paginator":
            return frozenset(ClientTool(tool.service, tool.name, text.text) for text in names)
        for text in names:
            parts = self._machine.expressions.spread(named.get("Params", NOTHING))
            arguments = {k.text: v for k, v in parts if isinstance(k, Text)}
            self._aws(site, tool.service, text.text, dict(arguments))
        return frozenset({OUTSIDE})

    def _unknown_client(self, site: ast.expr) -> Values:
        self._machine.fault(site, "a client of a service that is not known")
        return NOTHING


def _parameters(function: Function) -> list[ast.arg]:
    arguments = function.code.args
    return [*arguments.posonlyargs, *arguments.args]
