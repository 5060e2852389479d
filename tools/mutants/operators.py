"""Small changes of a module that a test should notice: operators take a node of the syntax, yield changes."""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from mutants.places import GONE, Change, Place, lines_of, places, unseen

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any"}
_METHODS = {"startswith": "endswith", "endswith": "startswith", "removeprefix": "removesuffix"}
_WORDS = 90  # characters of source that name a change


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change, and how a person finds it when lines have moved: function, kind, words, number."""

    path: str
    function: str
    kind: str
    mutation: str
    line: int
    end_line: int
    statement: tuple[int, int]  # its first and last line: what Python folds together has no lines of its own
    names: frozenset[str]
    change: Change
    tree: ast.Module

    @property
    def key(self) -> tuple[str, str, str]:
        """What the list of equivalents names it by."""
        return self.path, self.function, f"{self.kind}: {self.mutation}"

    def compiled(self, file: str) -> CodeType:
        """The code of the whole changed module; raises `SyntaxError` where Python takes no such module."""
        with self.change.made():
            return compile(self.tree, file, "exec", dont_inherit=True)


_Found = Iterator[tuple[str, str, Change]]


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _text(node: Any) -> str:
    words = ast.unparse(node) if isinstance(node, ast.AST) else str(node)
    words = " ".join(words.split())
    return words if len(words) <= _WORDS else words[:60] + " ... " + words[-25:]


def _swap(place: Place, kind: str, *news: ast.AST) -> _Found:
    for new in news:
        yield kind, f"{_text(place.node)} -> {_text(new)}", place.instead(new)


def _comparison(place: Place, node: ast.Compare) -> _Found:
    for number, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            ops = [*node.ops[:number], other(), *node.ops[number + 1 :]]
            yield from _swap(place, "comparison", _changed(node, ops=ops))


def _boolean(place: Place, node: ast.BoolOp) -> _Found:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield from _swap(place, "boolean", _changed(node, op=other))
    for number in range(len(node.values)):
        rest = node.values[:number] + node.values[number + 1 :]
        new = rest[0] if len(rest) == 1 else _changed(node, values=rest)
        words = f"{_text(node)} without {_text(node.values[number])}"
        yield "operand", words, Change(place.parent, place.name, place.index, new)


def _arithmetic(place: Place, node: ast.BinOp | ast.AugAssign) -> _Found:
    if type(node.op) in _ARITHMETIC and not _typing_union(node):
        yield from _swap(place, "arithmetic", _changed(node, op=_ARITHMETIC[type(node.op)]()))


def _typing_union(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and any(
        isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right)
    )


def _unary(place: Place, node: ast.UnaryOp) -> _Found:
    if isinstance(node.op, ast.Not | ast.USub):
        yield from _swap(place, "unary", node.operand)


def _constant(place: Place, node: ast.Constant) -> _Found:
    value = node.value
    news: list[Any]
    if isinstance(value, bool):
        news = [not value]
    elif isinstance(value, int | float):
        news = [value + 1, value - 1]
    elif isinstance(value, str):
        # A sentence goes whole: a test may look for any part of it.
        news = ["XX" if " " in value.strip() else "XX" + value]
    elif isinstance(value, bytes):
        news = [b"XX" + value]
    elif value is None and not isinstance(place.parent, ast.Return | ast.Slice | ast.Compare):
        news = [""]
    else:
        return
    kind = "text" if isinstance(value, str) and " " in value.strip() else "constant"
    if isinstance(place.parent, ast.JoinedStr):
        kind = "text"
        yield kind, f"{value!r} -> {news[0]!r} in {_text(place.parent)}", place.instead(ast.Constant(news[0]))
        return
    whole = ast.unparse(place.statement)
    around = place.parent if len(whole) > _WORDS and isinstance(place.parent, ast.expr) else place.statement
    for new in news:
        yield kind, f"{value!r} -> {new!r} in {_text(around)}", place.instead(ast.Constant(new))


def _call(place: Place, node: ast.Call) -> _Found:
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None and not unseen(node, keyword):
            rest = node.keywords[:number] + node.keywords[number + 1 :]
            words = f"{_text(node)} without {keyword.arg}"
            yield "keyword", words, place.instead(_changed(node, keywords=rest))
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in _NAMES:
            yield from _swap(
                place, "max or any", _changed(node, func=ast.Name(_NAMES[function.id], ast.Load()))
            )
        if function.id in ("sorted", "reversed") and node.args:
            yield from _swap(place, "order", ast.Call(ast.Name("list", ast.Load()), node.args[:1], []))
    if isinstance(function, ast.Attribute) and function.attr in _METHODS:
        other = ast.Attribute(function.value, _METHODS[function.attr], ast.Load())
        yield from _swap(place, "method", _changed(node, func=other))


def _slice(place: Place, node: ast.Slice) -> _Found:
    for bound in ("lower", "upper", "step"):
        if getattr(node, bound) is not None:
            yield from _swap(place, "slice", _changed(node, **{bound: None}))


def _condition(place: Place, node: ast.If | ast.While | ast.IfExp) -> _Found:
    if not isinstance(node.test, ast.UnaryOp):
        new = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        yield "condition", f"{_text(node.test)} -> {_text(new)}", Change(node, "test", None, new)


def _filter(place: Place, node: ast.comprehension) -> _Found:
    for number, test in enumerate(node.ifs):
        yield "condition", f"if {_text(test)} dropped", Change(node, "ifs", number, GONE)


def _jump(place: Place, node: ast.Continue | ast.Break) -> _Found:
    new = ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
    yield from _swap(place, "jump", new)


def _statement(place: Place, node: ast.stmt) -> _Found:
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            removed = True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            removed = True
        case _:
            removed = False
    if removed:
        yield "statement", f"{_text(node)} removed", place.instead(ast.Pass())


def _return(place: Place, node: ast.Return) -> _Found:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return", f"{_text(node)} -> return None", place.instead(ast.Return(ast.Constant(None)))


def _raise(place: Place, node: ast.Raise) -> _Found:
    if node.exc is not None:
        yield "raise", f"{_text(node)} removed", place.instead(ast.Pass())


def _rows(place: Place, node: ast.Dict | ast.Set | ast.List | ast.Tuple) -> _Found:
    if isinstance(node, ast.Dict):
        for number, key in enumerate(node.keys):
            words = _text(key) if key is not None else f"**{_text(node.values[number])}"
            yield "row", f"row {words} removed", Change(node, "keys", number, GONE)
    elif isinstance(node, ast.Set) or (isinstance(node.ctx, ast.Load) and not place.function):
        for number, row in enumerate(node.elts):
            if len(node.elts) > 1:
                yield "row", f"row {_text(row)} removed", Change(node, "elts", number, GONE)


_OPERATORS: tuple[tuple[Any, Callable[[Place, Any], _Found]], ...] = (
    (ast.Compare, _comparison),
    (ast.BoolOp, _boolean),
    (ast.BinOp | ast.AugAssign, _arithmetic),
    (ast.UnaryOp, _unary),
    (ast.Constant, _constant),
    (ast.Call, _call),
    (ast.Slice, _slice),
    (ast.If | ast.While | ast.IfExp, _condition),
    (ast.comprehension, _filter),
    (ast.Continue | ast.Break, _jump),
    (ast.stmt, _statement),
    (ast.Return, _return),
    (ast.Raise, _raise),
    (ast.Dict | ast.Set | ast.List | ast.Tuple, _rows),
)


def mutants(path: Path, root: Path) -> list[Mutant]:
    """Every change of a module, in the order of its lines."""
    relative = str(path.relative_to(root))
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for place in places(tree):
        for kinds, operator in _OPERATORS:
            if not isinstance(place.node, kinds):
                continue
            for kind, words, change in operator(place, place.node):
                seen[place.function, kind, words] += 1
                if seen[place.function, kind, words] > 1:
                    words += f" #{seen[place.function, kind, words]}"
                first, last = lines_of(place.node, place.statement)
                lines = lines_of(place.statement, place.statement)
                found.append(
                    Mutant(
                        relative, place.function, kind, words, first, last, lines, place.names, change, tree
                    )
                )
    return sorted(found, key=lambda mutant: mutant.line)
