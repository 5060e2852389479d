"""The program's sources: modules, classes and what their names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(eq=False)
class Imported:
    """A name that an import binds."""

    module: str
    name: str = ""


@dataclass(eq=False)
class ClassInfo:
    """A class of the program."""

    name: str
    module: Module
    node: ast.ClassDef

    @cached_property
    def methods(self) -> dict[str, ast.FunctionDef]:
        """The methods that its own body defines."""
        return {n.name: n for n in self.node.body if isinstance(n, ast.FunctionDef)}

    @cached_property
    def declared(self) -> dict[str, ast.AnnAssign]:
        """The annotated names of its body, in order."""
        return {
            n.target.id: n
            for n in self.node.body
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        }

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """What its body assigns without saying a type."""
        return {
            target.id: n.value
            for n in self.node.body
            if isinstance(n, ast.Assign)
            for target in n.targets
            if isinstance(target, ast.Name)
        }

    @cached_property
    def bases(self) -> list[ClassInfo | None]:
        """The classes above; None for one that is not the program's."""
        found: list[ClassInfo | None] = []
        for base in self.node.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            known = self.module.class_named(inner)
            if known or ast.unparse(inner) not in ("Protocol", "Generic", "object"):
                found.append(known)
        return found

    @cached_property
    def line(self) -> list[ClassInfo]:
        """The class and those above, nearest first."""
        found = [self]
        for base in self.bases:
            found += [above for above in (base.line if base else ()) if above not in found]
        return found

    @cached_property
    def of_library(self) -> bool:
        """Whether a class above is not the program's."""
        return any(base is None for known in self.line for base in known.bases)

    @cached_property
    def is_record(self) -> bool:
        """Whether its instances are made from its declared fields."""
        marks = [ast.unparse(d).split("(")[0] for d in self.node.decorator_list]
        return self.of_library or any(m.endswith("dataclass") for m in marks)

    def fields(self) -> dict[str, ast.AnnAssign]:
        """The fields of a record, those of classes above first."""
        found: dict[str, ast.AnnAssign] = {}
        for known in reversed(self.line):
            found |= {n: a for n, a in known.declared.items() if "ClassVar" not in ast.unparse(a.annotation)}
        return found

    def method(self, name: str) -> tuple[ClassInfo, ast.FunctionDef] | None:
        """A method, and the class that defines it."""
        for known in self.line:
            if name in known.methods:
                return known, known.methods[name]
        return None

    def __repr__(self) -> str:
        return f"{self.module.name}.{self.name}"


@dataclass(eq=False)
class Module:
    """A module: what its names stand for. Imports within functions count as the module's too."""

    name: str
    path: Path
    program: Program
    is_package: bool = False
    names: dict[str, ast.AST | ClassInfo | Imported] = field(default_factory=dict)

    @cached_property
    def tree(self) -> ast.Module:
        """The source."""
        return ast.parse(self.path.read_text("utf-8"), str(self.path))

    def read(self) -> Module:
        """Bind the names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, imported in self.imports(node):
                    self.names.setdefault(name, imported)
        for node in self.tree.body:
            if isinstance(node, _FUNCTIONS):
                self.names[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.names[node.name] = ClassInfo(node.name, self, node)
        return self

    def imports(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
        """The names that an import binds."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, Imported(whole)
            return
        parts = self.name.split(".")
        if node.level:
            up = node.level - (1 if self.is_package else 0)
            start = ".".join(parts[: len(parts) - up])
            module = f"{start}.{node.module}" if node.module else start
        else:
            module = node.module or ""
        for alias in node.names:
            yield alias.asname or alias.name, Imported(module, alias.name)

    def class_named(self, expression: ast.AST) -> ClassInfo | None:
        """The class that an expression names, if it is the program's."""
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            expression = ast.parse(expression.value, mode="eval").body
        if isinstance(expression, ast.Name):
            found = self.program.resolve(self, expression.id)
            return found if isinstance(found, ClassInfo) else None
        if isinstance(expression, ast.Attribute):
            base = expression.value
            above = self.program.resolve(self, base.id) if isinstance(base, ast.Name) else None
            if isinstance(above, Module):
                found = self.program.resolve(above, expression.attr)
                return found if isinstance(found, ClassInfo) else None
        return None

    def classes_in(self, annotation: ast.expr | None) -> Iterator[ClassInfo]:
        """The program's classes that a plain annotation names (`X`, `X | None`, `"X"`), opaque ones not."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        if isinstance(annotation, ast.BinOp):
            yield from self.classes_in(annotation.left)
            yield from self.classes_in(annotation.right)
        elif isinstance(annotation, ast.Name | ast.Attribute):
            found = self.class_named(annotation)
            if found:
                yield found


Bound = ast.AST | ClassInfo | Module | None


class Program:
    """Packages by name and folder. What is in an opaque package counts as a library's."""

    def __init__(self, folders: Mapping[str, Path], opaque: Sequence[str] = ()) -> None:
        self._folders = folders
        self.opaque = tuple(f"{name}." for name in opaque)
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """A module of the program, else None."""
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    def _find(self, name: str) -> Module | None:
        if f"{name}.".startswith(self.opaque):
            return None
        top, *rest = name.split(".")
        if top not in self._folders:
            return None
        place = self._folders[top].joinpath(*rest)
        for path, package in ((place / "__init__.py", True), (place.with_suffix(".py"), False)):
            if path.is_file():
                return Module(name, path, self, package).read()
        return None

    def resolve(self, module: Module, name: str) -> Bound:
        """What a name of a module stands for: a definition, a class, a module, or None."""
        found = module.names.get(name)
        return self.imported(found) if isinstance(found, Imported) else found

    def imported(self, found: Imported) -> Bound:
        """What an import brings."""
        module = self.module(found.module)
        if not found.name:
            return module
        inner = self.module(f"{found.module}.{found.name}")
        if inner is not None:
            return inner
        return self.resolve(module, found.name) if module else None
