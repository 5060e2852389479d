"""Made-up texts of engine messages in four languages, with what is personal in them marked."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_MARKED = re.compile(r"\[\[(.*?)\]\](?!\])")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class EngineText:
    """One text. `marked` has `[[ ]]` around what is personal."""

    marked: str

    @cached_property
    def text(self) -> str:
        """As the engine would write it."""
        return _MARKED.sub(r"\1", self.marked)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """What is marked."""
        return tuple(_MARKED.findall(self.marked))

    @cached_property
    def harmless(self) -> tuple[str, ...]:
        """Words that are not marked, in small letters."""
        return tuple(w for w in words(_MARKED.sub(" ", self.marked)) if not w.isdigit())

    @cached_property
    def personal(self) -> frozenset[str]:
        """Words that are marked and stand nowhere else in the text."""
        return frozenset(words(" ".join(self.values))) - set(self.harmless)

    def with_values(self, values: list[str]) -> "EngineText":
        """The same message about somebody else."""
        left = iter(values)
        return EngineText(_MARKED.sub(lambda _: f"[[{next(left)}]]", self.marked))

    def leaks(self, shown: str) -> set[str]:
        """Personal words that are in what is shown."""
        return set(words(shown)) & self.personal


def words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text.replace("_", " "))]


def word_list(name: str) -> list[str]:
    """The words of a file."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text("utf-8").splitlines()
    return " ".join(line for line in lines if not line.startswith("# ")).split()


def read(*names: str) -> list[EngineText]:
    """The texts of these files."""
    lines = [
        line
        for name in names
        for line in (Path(__file__).parent / f"{name}.txt").read_text("utf-8").splitlines()
    ]
    return [EngineText(line) for line in lines if line and not line.startswith("# ")]
