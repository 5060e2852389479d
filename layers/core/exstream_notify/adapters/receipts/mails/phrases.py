"""The sentences by which mails are told from each other, as data."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

_PACKAGE = Path(__file__).parents[3] / "rules" / "bounce_mails.yaml"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_HITS: Final = 50
"""Places of a phrase that are looked at for one where it is a word."""

_BETWEEN: Final = 60
"""Characters that ` * ` in a phrase stands for, at most."""


class Phrases:
    """The lists of `bounce_mails.yaml`, a site's own laid over them, read when first asked for."""

    def __init__(self, site: Path | None = None) -> None:
        self._files = [_PACKAGE, *([site / "bounce_mails.yaml"] if site is not None else [])]

    @cached_property
    def _lists(self) -> dict[str, tuple[str, ...]]:
        merged: dict[str, Any] = {}
        for path in self._files:
            if path.exists():
                merged |= yaml.load(path.read_text("utf-8"), _Loader) or {}  # noqa: S506 - a safe loader
        lists = {name: rows for name, rows in merged.items() if isinstance(rows, list)}
        return {name: tuple(folded(str(row)) for row in rows) for name, rows in lists.items()}

    def found(self, name: str, text: str) -> bool:
        """Whether one of a list's phrases is in a text, which is `folded`."""
        return any(_stands_in(text, phrase) for phrase in self._lists.get(name, ()))


def folded(text: str) -> str:
    """A text as phrases are compared: in lower case, with single spaces and straight apostrophes."""
    return " ".join(text.replace("\u2019", "'").replace("\u00b4", "'").lower().split())


def _stands_in(text: str, phrase: str) -> bool:
    """Whether a phrase is there, with no letter before it, and none behind it if it is short."""
    if phrase.startswith("^"):
        return text.startswith(phrase[1:])
    first, *others = phrase.split(" * ")
    place = text.find(first)
    for _ in range(_HITS):
        if place < 0:
            return False
        end = place + len(first)
        before = text[place - 1 : place] if place else ""
        behind = text[end : end + 1] if len(first) <= 4 else ""
        if not (_joins(before, first[0]) or _joins(first[-1], behind)) and _follow(text, end, others):
            return True
        place = text.find(first, place + 1)
    return False


def _follow(text: str, end: int, pieces: list[str]) -> bool:
    """Whether the other pieces of a phrase follow, each within `_BETWEEN` characters."""
    for piece in pieces:
        place = text.find(piece, end, end + _BETWEEN + len(piece))
        if place < 0:
            return False
        end = place + len(piece)
    return True


def _joins(left: str, right: str) -> bool:
    return bool(left and right) and left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
