"""What an expression may be."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from .program import ClassInfo
from .values import (
    ERRORS,
    NOTHING,
    OUTSIDE,
    Bound,
    BoxMethod,
    Client,
    ClientTool,
    Function,
    Head,
    Made,
    ModuleValue,
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

BOX_METHODS = frozenset(
    [
        "get",
        "pop",
        "popitem",
        "popleft",
        "setdefault",
        "append",
        "appendleft",
        "add",
        "extend",
        "insert",
        "update",
        "put",
        "items",
        "values",
        "keys",
        "copy",
        "union",
        "difference",
        "intersection",
    ]
)
MOST_DOTS = 6
_TOOLS = ("get_paginator", "get_waiter", "generate_presigned_url")
_PROPERTIES = ("property", "cached_property", "setter")


class Expressions:
    """Values of expressions in the node at work."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @property
    def _node(self) -> Node:
        node = self._machine.current
        assert node is not None
        return node

    def value(self, expression: ast.expr | None) -> Values:
        """What an expression may be."""
        if expression is None:
            return NOTHING
        rule = getattr(self, f"_{type(expression).__name__.lower()}", None)
        if rule is None:
            self._machine.fault(expression, f"no rule for the expression {type(expression).__name__}")
            return NOTHING
        found: Values = rule(expression)
        return found

    def each(self, expression: ast.expr) -> Values:
        """What going through an expression brings."""
        return self.elements(expression, self.value(expression))

    def elements(self, site: ast.expr, values: Values) -> Values:
        """What going through values brings: a container's contents, else what a generator yields."""
        found: Values = NOTHING
        for value in values:
            if isinstance(value, Thing) and value.of is None:
                found |= self._machine.contents(value)
            elif isinstance(value, Thing) and value.of is not None and value.of.method("__iter__"):
                found |= self._machine.calls.method(site, frozenset({value}), "__iter__")
            else:
                found |= {value}
        return found

    def item(self, values: Values, place: int) -> Values:
        """What stands at a place of a tuple; of what has no places all that it may hold."""
        found: Values = NOTHING
        for value in values:
            if not isinstance(value, Thing) or value.of is not None:
                found |= {value}
            elif (place,) in self._machine.read(value.keys):
                found |= self._machine.read(value.cell(place)) | self._machine.read(value.cell(None))
            else:
                found |= self._machine.contents(value)
        return found

    # ---- rules by kind of expression ----

    def _constant(self, expression: ast.Constant) -> Values:
        return frozenset({Text(expression.value)}) if isinstance(expression.value, str) else NOTHING

    def _name(self, expression: ast.Name) -> Values:
        found = self._machine.lookup(self._node, expression.id)
        if found is None:  # a builtin, or a variable that nothing was assigned to so far
            return frozenset({Plain(expression.id)}) if hasattr(builtins, expression.id) else NOTHING
        return found

    def _attribute(self, expression: ast.Attribute) -> Values:
        return self.attribute(expression, self.value(expression.value), expression.attr)

    def _call(self, expression: ast.Call) -> Values:
        return self._machine.calls.call(expression)

    def _subscript(self, expression: ast.Subscript) -> Values:
        base, keys = self.value(expression.value), self.value(expression.slice)
        found: Values = NOTHING
        for value in base:
            if isinstance(value, Thing) and value.of is None:
                found |= self.taken(value, expression.slice, keys)
            elif isinstance(value, Thing):
                found |= self._machine.calls.method(expression, frozenset({value}), "__getitem__", [keys])
            elif not isinstance(value, Head | ClassInfo) and not isinstance(expression.slice, ast.Slice):
                found |= {value}  # a text may be one of a table's
        return found

    def taken(self, box: Thing, site: ast.expr | None, keys: Values) -> Values:
        """What a container has under keys; under any, where they are not known."""
        known = [key for key in keys if isinstance(key, Text | Setting)]
        if isinstance(site, ast.Constant) and isinstance(site.value, int):
            return self.item(frozenset({box}), site.value)
        if any((key,) not in self._machine.read(box.keys) for key in known if isinstance(key, Setting)):
            known = []  # what a setting says may be any of the keys
        if not known:
            return self._machine.contents(box)
        found = self._machine.read(box.cell(None))
        for key in known:
            found |= self._machine.read(box.cell(key))
        return found

    def _joinedstr(self, expression: ast.JoinedStr) -> Values:
        found: Values = NOTHING
        for number, part in enumerate(expression.values):
            if isinstance(part, ast.Constant):
                if number == 0:
                    found |= {Head(str(part.value))}
                continue
            inner = self.value(part.value if isinstance(part, ast.FormattedValue) else part)
            found |= frozenset(only(inner, Setting))
            if number == 0:
                found |= {Head(v.text) for v in only(inner, Text, Head)}
        return found

    def _binop(self, expression: ast.BinOp) -> Values:
        left, right = self.value(expression.left), self.value(expression.right)
        if not isinstance(expression.op, ast.Add):
            return without(left | right, Text, Head)
        heads = frozenset(Head(v.text) for v in only(left, Text, Head))
        return heads | without(left | right, Text, Head)

    def _boolop(self, expression: ast.BoolOp) -> Values:
        return frozenset().union(*map(self.value, expression.values))

    def _ifexp(self, expression: ast.IfExp) -> Values:
        self.value(expression.test)
        return self.value(expression.body) | self.value(expression.orelse)

    def _compare(self, expression: ast.Compare) -> Values:
        for part in (expression.left, *expression.comparators):
            self.value(part)
        return NOTHING

    def _unaryop(self, expression: ast.UnaryOp) -> Values:
        self.value(expression.operand)
        return NOTHING

    def _lambda(self, expression: ast.Lambda) -> Values:
        node = self._node
        return frozenset({Function(expression, node.module, node if node.function else None)})

    def _tuple(self, expression: ast.Tuple) -> Values:
        starred = any(isinstance(part, ast.Starred) for part in expression.elts)
        parts = [(None if starred else n, self.part(part)) for n, part in enumerate(expression.elts)]
        return self._machine.box(expression, parts)

    def _list(self, expression: ast.List | ast.Set) -> Values:
        return self._machine.box(expression, [(None, self.part(part)) for part in expression.elts])

    _set = _list

    def part(self, part: ast.expr) -> Values:
        """One of several expressions in a row; of a starred one what it holds."""
        return self.each(part.value) if isinstance(part, ast.Starred) else self.value(part)

    def _starred(self, expression: ast.Starred) -> Values:
        return self.each(expression.value)

    def _dict(self, expression: ast.Dict) -> Values:
        parts: list[tuple[object, Values]] = []
        for key, part in zip(expression.keys, expression.values, strict=True):
            values = self.value(part)
            if key is None:
                parts += self.spread(values)
                continue
            known = [k for k in self.value(key) if isinstance(k, Text | Setting)]
            parts += [(k, values) for k in known or [None]]
        return self._machine.box(expression, parts)

    def spread(self, values: Values) -> list[tuple[object, Values]]:
        """What `**values` brings, by key."""
        parts: list[tuple[object, Values]] = []
        for box in only(values, Thing):
            self._machine.read(box.keys)
            parts += [(key, self._machine.read(cell)) for key, cell in list(box.cells.items())]
        return parts

    def _comprehension(self, expression: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Values:
        self._generators(expression.generators)
        return self._machine.box(expression, [(None, self.value(expression.elt))])

    _listcomp = _setcomp = _generatorexp = _comprehension

    def _dictcomp(self, expression: ast.DictComp) -> Values:
        self._generators(expression.generators)
        keys = self.value(expression.key)
        return self._machine.box(
            expression, [(None, without(keys, Text, Head) | self.value(expression.value))]
        )

    def _generators(self, generators: list[ast.comprehension]) -> None:
        for generator in generators:
            self._machine.statements.bind(generator.target, self.each(generator.iter))
            for test in generator.ifs:
                self.value(test)

    def _namedexpr(self, expression: ast.NamedExpr) -> Values:
        values = self.value(expression.value)
        self._machine.statements.bind(expression.target, values)
        return values

    def _yield(self, expression: ast.Yield) -> Values:
        self._machine.add(self._node.result, self.value(expression.value))
        return NOTHING

    def _yieldfrom(self, expression: ast.YieldFrom) -> Values:
        self._machine.add(self._node.result, self.each(expression.value))
        return NOTHING

    def _formattedvalue(self, expression: ast.FormattedValue) -> Values:
        return self.value(expression.value)

    def _slice(self, expression: ast.Slice) -> Values:
        for part in (expression.lower, expression.upper, expression.step):
            self.value(part)
        return NOTHING

    # ---- attributes ----

    def attribute(self, site: ast.expr, values: Values, name: str) -> Values:
        """What `values.name` may be."""
        found: Values = NOTHING
        for value in values:
            match value:
                case Thing(of=None):
                    found |= {BoxMethod(value, name) if name in BOX_METHODS else OUTSIDE}
                case Thing():
                    found |= self._of_thing(site, value, name)
                case ClassInfo():
                    found |= self._of_class(value, name)
                case ModuleValue(module=module):
                    found |= self._machine.global_name(module, name) or NOTHING
                case Client(service=service):
                    if name in _TOOLS:
                        found |= {ClientTool(service, name)}
                    elif name == "exceptions":
                        found |= {Plain(ERRORS)}
                    elif name == "meta":
                        found |= {OUTSIDE}
                    else:
                        found |= {Operation(service, name)}
                case ClientTool(name="get_paginator"):
                    found |= {Operation(value.service, value.operation)}
                case Setting():
                    found |= {value}
                case Text() | Head():
                    found |= {OUTSIDE}
                case Plain() if value == OUTSIDE:
                    found |= {value}
                case Plain(name=inner):
                    found |= {Plain(f"{inner}.{name}") if inner.count(".") < MOST_DOTS else OUTSIDE}
                case Super(this=this, above=above):
                    method = above.method(name)
                    if method:
                        found |= {Bound(this, Function(method[1], method[0].module, None, method[0]))}
        return found

    def _of_thing(self, site: ast.expr, thing: Thing, name: str) -> Values:
        assert thing.of is not None
        machine = self._machine
        found = machine.read(thing.cell(name))
        if repr(thing.of) == machine.settings and name in thing.of.fields():
            from .machine import Read

            machine.reads.add(Read(self._node, name, site.lineno))
            return found | {Setting(name)} if name in machine.places else found
        method = thing.of.method(name)
        if method is None:
            return found | self.class_value(thing.of, name)
        owner, code = method
        marks = [ast.unparse(d).split("(")[0].rpartition(".")[2] for d in code.decorator_list]
        function = Function(code, owner.module, None, owner)
        if any(mark in _PROPERTIES for mark in marks):
            return found | machine.calls.invoke(site, Bound(thing, function), [], {})
        if "staticmethod" in marks:
            return found | {function}
        return found | {Bound(thing.of if "classmethod" in marks else thing, function)}

    def _of_class(self, of: ClassInfo, name: str) -> Values:
        method = of.method(name)
        if method is None:
            known = self.class_value(of, name)
            return known or (frozenset({Made(of)}) if of.of_library else NOTHING)
        owner, code = method
        function = Function(code, owner.module, None, owner)
        marks = [ast.unparse(d) for d in code.decorator_list]
        return frozenset({Bound(of, function) if "classmethod" in marks else function})

    def class_value(self, of: ClassInfo, name: str) -> Values:
        """What a class's body gives a name."""
        for known in of.line:
            given = known.assigned.get(name)
            if given is None and name in known.declared:
                given = known.declared[name].value
            if given is not None:
                return self._machine.calls.in_module(known.module, given)
        return NOTHING
