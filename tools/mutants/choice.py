"""Which mutants are drawn, and which tests may notice each."""

import ast
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType

from mutants.coverage_map import ROOT, Lines, test_files
from mutants.operators import Mutant, mutants

PACKAGE = ROOT / "layers" / "core" / "exstream_notify"


#: What only puts the others together: the embedded cloud and the containers test it, in other processes.
WIRING = "adapters/bootstrap"


def modules(wanted: Sequence[str]) -> list[Path]:
    """The product's modules that match a pattern: `domain`, `use_cases/se*`."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix()
        if name != WIRING and any(fnmatch(name, p) or fnmatch(name, f"{p}/*") for p in wanted):
            found.append(path)
    return found


def module_name(path: str) -> str:
    """The name under which the module at a path, relative to the root, is imported."""
    inner = (ROOT / path).relative_to(PACKAGE.parent).with_suffix("")
    return ".".join(inner.parts).removesuffix(".__init__")


def drawn(paths: Iterable[Path], sample: int, seed: str) -> list[Mutant]:
    """A sample that takes modules in turn by their size, and statements before mutants of one statement."""
    chance = random.Random(seed)  # noqa: S311  # a sample, repeatable
    pools: list[tuple[float, Mutant]] = []
    for path in paths:
        by_line: dict[int, list[Mutant]] = defaultdict(list)
        for mutant in mutants(path, ROOT):
            by_line[mutant.line].append(mutant)
        groups = list(by_line.values())
        chance.shuffle(groups)
        for group in groups:
            chance.shuffle(group)
        turns = [
            group[turn]
            for turn in range(max(map(len, groups), default=0))
            for group in groups
            if turn < len(group)
        ]
        # The square root: large modules are drawn more often, small ones are not left out.
        pools += [
            ((number + chance.random()) / len(turns) ** 0.5, mutant) for number, mutant in enumerate(turns)
        ]
    pools.sort(key=lambda pool: pool[0])
    return [mutant for _, mutant in pools[:sample]]


@dataclass(slots=True)
class Users:
    """Where names of modules are used: what a changed table may change."""

    at: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    bound: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    files: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    inside: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for path in [*(str(p.relative_to(ROOT)) for p in sorted(PACKAGE.rglob("*.py"))), *test_files()]:
            for statement in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
                self._read(path, statement)

    def _read(self, path: str, statement: ast.stmt) -> None:
        inside = {
            id(leaf)
            for node in ast.walk(statement)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for part in (node.body if isinstance(node.body, list) else [node.body])
            for leaf in ast.walk(part)
        }
        types = {id(leaf) for node in ast.walk(statement) for part in _types(node) for leaf in ast.walk(part)}
        for node in ast.walk(statement):
            name = getattr(node, "id", "") or getattr(node, "attr", "")
            if not name or id(node) in types or not isinstance(getattr(node, "ctx", None), ast.Load):
                continue
            if id(node) in inside:
                self.at[name].add((path, node.lineno))  # type: ignore[attr-defined]
                self.inside[path, node.lineno] |= set(_names(statement))  # type: ignore[attr-defined]
            elif path.startswith("tests/"):
                self.files[name].add(path)
            else:
                self.bound[name] |= set(_names(statement))

    def tests(
        self, names: Iterable[str], lines: Lines, imported: Mapping[str, set[int]] = MappingProxyType({})
    ) -> set[str]:
        """Tests that execute a use of a name, or of what is made of it while modules are imported.

        `imported` are the lines that importing executes, by file: also those of functions that it calls.
        """
        known: set[str] = set()
        new = set(names)
        while new:
            known |= new
            new = {other for name in new for other in self._made_of(name, imported)} - known
        found = {
            test
            for name in known
            for path, line in self.at.get(name, ())
            for test in lines.of(path, line, line)
        }
        files = {path for name in known for path in self.files.get(name, ())}
        return found | {test for test in lines.seconds if test.partition("::")[0] in files}

    def _made_of(self, name: str, imported: Mapping[str, set[int]]) -> set[str]:
        called = {
            other
            for path, line in self.at.get(name, ())
            if line in imported.get(path, ())
            for other in self.inside.get((path, line), ())
        }
        return called | self.bound.get(name, set())


def _types(node: ast.AST) -> Iterator[ast.AST]:
    yield from filter(None, (getattr(node, "annotation", None), getattr(node, "returns", None)))
    if isinstance(node, ast.ClassDef):
        yield from node.bases


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    for target in getattr(statement, "targets", None) or filter(None, [getattr(statement, "target", None)]):
        yield from (leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))


def in_order(
    tests: Iterable[str], lines: Lines, first: Sequence[str], limit: float, module: str = ""
) -> list[str]:
    """Those that found others of the module, then those named for it, then its layer's, the quickest first.

    No more than take `limit` seconds.
    """
    rank = {test: -number for number, test in enumerate(first, 1)}
    layer, name = Path(module).parent.name, Path(module).stem

    def key(test: str) -> tuple[int, bool, bool, float, str]:
        file = Path(test.partition("::")[0])
        near = bool(name) and name.removesuffix("s") in file.stem
        return rank.get(test, 0), not near, file.parent.name != layer, lines.seconds[test], test

    chosen: list[str] = []
    total = 0.0
    for test in sorted(tests, key=key):
        total += lines.seconds[test]
        if chosen and total > limit:
            break
        chosen.append(test)
    return chosen
