"""What one function's code reaches, as settings and IAM actions, each with a path for the next engineer."""

from __future__ import annotations

import ast
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from .actions import NO_CALL, OPERATIONS, TRANSACTED, Row
from .binding import unfilled
from .machine import Call, Edge, Fault, Machine, Node
from .program import Program
from .values import OUTSIDE, Function, Head, Setting, Text, Thing, Values, only

ANY = "(any key)"
"""A key of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Need:
    """An action on what a setting names, and within it an index, or the beginning of keys (`ANY`: any)."""

    action: str
    setting: str
    inside: str = ""
    fixed: str = ""


@dataclass
class Reached:
    """Everything that a function's code can reach."""

    machine: Machine
    root: Node
    settings: dict[str, str] = field(default_factory=dict)
    """By name, the path by which it is read."""
    needs: dict[Need, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @cached_property
    def _steps(self) -> dict[Node, Edge]:
        """By node, the edge by which the shortest way comes to it."""
        ahead: dict[Node, list[Edge]] = {}
        for edge in sorted(self.machine.edges, key=lambda e: (e.caller.name, e.line, e.callee.name)):
            ahead.setdefault(edge.caller, []).append(edge)
        found: dict[Node, Edge] = {}
        waiting = deque([self.root])
        while waiting:
            for edge in ahead.get(waiting.popleft(), ()):
                if edge.callee not in found and edge.callee is not self.root:
                    found[edge.callee] = edge
                    waiting.append(edge.callee)
        return found

    def path(self, node: Node, line: int) -> str:
        """How code gets to a line."""
        names = [f"{_short(node.name)}:{line}"]
        while node is not self.root and node in self._steps:
            edge = self._steps[node]
            node = edge.caller
            names.append(f"{_short(node.name)}:{edge.line}")
        return " > ".join(reversed(names))

    @cached_property
    def forgiving(self) -> set[Node]:
        """Nodes that some caller runs where a missing object is normal."""
        ahead: dict[Node, list[Node]] = {}
        for edge in self.machine.edges:
            ahead.setdefault(edge.caller, []).append(edge.callee)
        waiting = [edge.callee for edge in self.machine.edges if edge.missing_is_normal]
        found: set[Node] = set()
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += ahead.get(node, ())
        return found


def _short(name: str) -> str:
    return name.removeprefix("exstream_notify.").removeprefix("adapters.").removeprefix("use_cases.")


def reached(program: Program, module: str, settings: str, places: frozenset[str]) -> Reached:
    """Run the module `module` and its `handler`, and tell what that reaches."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(
        max(before, 50_000)
    )  # the analysis goes as deep as the program's own calls, times ten
    try:
        machine = Machine(program, settings, places)
        found = program.module(module)
        if found is None:
            raise LookupError(module)
        root = machine.body(found)
        machine.current = root
        for value in only(machine.lookup(root, "handler") or frozenset(), Function):
            machine.calls.invoke(value.code, value, [frozenset({OUTSIDE})] * 2, {})
        machine.run()
    finally:
        sys.setrecursionlimit(before)
    result = Reached(machine, root)
    for read in sorted(machine.reads, key=lambda r: (r.setting, r.node.name, r.line)):
        result.settings.setdefault(read.setting, result.path(read.node, read.line))
    for call in sorted(machine.aws.values(), key=lambda c: (c.node.name, c.line, c.operation)):
        for need in _needs_of(call, result):
            result.needs.setdefault(need, result.path(call.node, call.line))
    result.faults += sorted({*machine.faults, *unfilled(machine)} | set(result.faults))
    return result


def _needs_of(call: Call, result: Reached) -> Iterator[Need]:
    if call.operation in NO_CALL:
        return
    if call.operation == "transact_write_items":
        found = list(_transacted(call, result.machine))
    elif (row := OPERATIONS.get((call.service, call.operation))) is not None:
        found = list(_by_row(call, row))
        if call.missing_is_normal or call.node in result.forgiving:
            # Without it S3 says that access is denied, where the object is not there.
            found += [Need("s3:ListBucket", n.setting) for n in found if n.action == "s3:GetObject"]
    else:
        result.faults.append(
            Fault(
                f"{call.node.name}:{call.line}", f"no row for {call.service}.{call.operation} in actions.py"
            )
        )
        return
    if not found:
        result.faults.append(
            Fault(f"{call.node.name}:{call.line}", f"no setting names what {call.operation} is about")
        )
    yield from found


def _by_row(call: Call, row: Row) -> Iterator[Need]:
    for fixed in row.fixed:
        yield Need(row.action, "", fixed=fixed)
    named = call.argument(row.argument)
    settings = only(named, Setting)
    for box in only(named, Thing):
        settings += [key for key in box.cells if isinstance(key, Setting)]
    for setting in settings:
        for inside in _inside(call.argument(row.inside), call.service) if row.inside else [""]:
            yield Need(row.action, setting.name, inside)


def _inside(values: Values, service: str) -> list[str]:
    """An index's name, or how keys begin: up to their last slash that is known."""
    texts = {value.text for value in only(values, Text, Head)}
    if service != "s3":
        return sorted(texts) or [""]
    return sorted({text.rpartition("/")[0] + "/" if "/" in text else ANY for text in texts}) or [ANY]


def _transacted(call: Call, machine: Machine) -> Iterator[Need]:
    for item in machine.expressions.elements(_NOWHERE, call.argument("TransactItems")):
        if not isinstance(item, Thing):
            continue
        for key, cell in item.cells.items():
            for form in only(cell.values, Thing):
                for setting in only(form.cell(Text("TableName")).values, Setting):
                    if isinstance(key, Text):
                        yield Need(TRANSACTED[key.text], setting.name)


_NOWHERE = ast.Constant(None)
