"""JSON objects in which a name stands twice: RFC 8259 (section 4) leaves open which of the values counts."""

from collections.abc import Iterable
from typing import Any


def repeated_name(pairs: Iterable[tuple[str, object]]) -> str:
    """The first name that stands twice among pairs of which one does."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise ValueError("no name stands twice")


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these pairs, as a hook of `json.loads`; ValueError where a name stands twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError(f"the name {repeated_name(pairs)!r} stands twice in an object")
    return made
