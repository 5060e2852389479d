"""Compare the layers' requirements with what the package and the functions import: part of `make lint`.

A library that nobody imports makes each cold start longer; one that is imported and not named is there only
as long as another library happens to need it. What libraries need in their turn is not named.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ROOT / "layers"
PACKAGE = LAYERS / "core" / "exstream_notify"

#: Functions that take a module by its name: importlib's, and importlib.resources'.
_BY_NAME = ("files", "import_module", "__import__")


def named(requirements: Path) -> set[str]:
    """The libraries that a `requirements.in` names, spelled as `normal` does."""
    return set(map(normal, re.findall(r"(?m)^([A-Za-z][\w.-]*)", requirements.read_text("utf-8"))))


def normal(name: str) -> str:
    """A library's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folders: Iterable[Path]) -> Mapping[str, set[str]]:
    """Top-level modules that are not Python's own, each with the files that import it or read its data."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in folder.rglob("*.py"):
            for module in _modules(ast.parse(path.read_text("utf-8"))):
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in (PACKAGE.name, "app"):
                    found.setdefault(top, set()).add(path.relative_to(ROOT).as_posix())
    return found


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.Call(
                func=ast.Attribute(attr=name) | ast.Name(id=name), args=[ast.Constant(value=str(module)), *_]
            ) if name in _BY_NAME:
                yield module


def faults(imports: Mapping[str, set[str]], names: set[str], providers: Mapping[str, list[str]]) -> list[str]:
    """What differs, in a line each; `providers` are the libraries that bring a top-level module."""
    brought = {module: {normal(name) for name in providers.get(module, ())} for module in imports}
    missing = [
        f"{sorted(imports[module])[0]} imports {module}, which no requirements.in of a layer names"
        for module in sorted(imports)
        if not brought[module] & names
    ]
    used = set().union(*brought.values())
    return missing + [f"a layer has {name}, which nobody imports" for name in sorted(names - used)]


def main() -> int:
    """Exit code 0 if they agree, else 1."""
    names = set().union(*(named(path) for path in LAYERS.glob("*/requirements.in")))
    found = faults(imported([PACKAGE, ROOT / "functions"]), names, packages_distributions())
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
