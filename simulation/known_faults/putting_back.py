"""Faults put back into the product, in this process only: its modules are changed as they are imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

PRODUCT = Path(__file__).parents[2] / "layers" / "core"


class TextGone(LookupError):
    """The text that a fault replaces is not in the module any more, or more than once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a module's source. `module` is its dotted name below `exstream_notify`; `before` is
    there exactly once."""

    module: str
    before: str
    after: str

    @property
    def name(self) -> str:
        """The module's full name."""
        return f"exstream_notify.{self.module}"

    def source(self) -> str:
        """The module's source as it is."""
        return (PRODUCT / (self.name.replace(".", "/") + ".py")).read_text("utf-8")

    def made_in(self, source: str) -> str:
        """The source with the change. Raises TextGone."""
        if (found := source.count(self.before)) != 1:
            raise TextGone(f"{found} times in {self.name}: {self.before.strip().splitlines()[0]!r}")
        return source.replace(self.before, self.after)


def changed(edits: Sequence[Edit]) -> dict[str, str]:
    """The sources of the modules that the edits change, by name, with all of them made. Raises TextGone."""
    sources: dict[str, str] = {}
    for edit in edits:
        sources[edit.name] = edit.made_in(sources.get(edit.name) or edit.source())
    return sources


def put_back(edits: Sequence[Edit]) -> None:
    """From now on this process imports the product with the edits made.

    Raises TextGone, and RuntimeError where one of the modules is imported already.
    """
    sources = changed(edits)
    if early := sources.keys() & sys.modules.keys():
        raise RuntimeError(f"imported before its fault was put back: {', '.join(sorted(early))}")
    if sources:
        sys.meta_path.insert(0, _Finder(sources))


class _Finder(MetaPathFinder):
    """Finds the changed modules where they are, and loads them from the changed source."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec with a loader of ours; None for other modules."""
        if fullname not in self._sources:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._sources[fullname])
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """Compiled from the changed source; no bytecode is read or written."""
        return compile(self._source, self.path, "exec", dont_inherit=True)
