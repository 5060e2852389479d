"""How complex EventBridge finds the wildcards of an event pattern.

EventBridge refuses a rule whose wildcards can be in too many places at once: "Rule is too complex". Its
matcher, aws/event-ruler, counts them in MachineComplexityEvaluator: the most prefixes of wildcard patterns on
one field that a single value can match together. `abc*` has the prefixes `a`, `ab`, `abc` and `abc*`; the
value `abc` matches the last two of them. AWS does not publish its limit. A rule of four alternatives that
count 12 was refused, and a rule of three that count 9 was accepted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

LIMIT = 8
"""The count that every rule here keeps to: below all that are known to be accepted."""

_STAR = -1

Places = frozenset[tuple[int, int]]
"""Prefixes that a value matches: the number of the pattern, and how many of its characters the prefix has."""


def complexity(pattern: Mapping[str, Any]) -> int:
    """The count of an event pattern: that of its worst field; 0 without wildcards.

    Alternatives under `$or`, and several wildcards in one `anything-but`, count in full: event-ruler may
    count fewer. Raises ValueError for a wildcard that EventBridge refuses.
    """
    fields: dict[str, set[str]] = {}
    for field, wildcard in _wildcards(pattern, ""):
        # Rules match JSON text, so a string's quotation marks belong to it.
        fields.setdefault(field, set()).add(f'"{wildcard}"')
    return max((count(wildcards) for wildcards in fields.values()), default=0)


def count(wildcards: set[str]) -> int:
    """The most prefixes of wildcard patterns that one value matches.

    Raises ValueError where two stars follow each other, or a backslash escapes anything but a star or a
    backslash.
    """
    patterns = [_parsed(wildcard) for wildcard in sorted(wildcards)]
    symbols = {symbol for pattern in patterns for symbol in pattern} - {_STAR}
    other = next(byte for byte in range(257) if byte not in symbols)
    start = _with_stars(patterns, {(number, 0) for number in range(len(patterns))})
    reached, waiting, most = {start}, [start], 0
    while waiting:
        places = waiting.pop()
        for symbol in (*symbols, other):
            found = _after(patterns, places, symbol)
            most = max(most, sum(length > 0 for _, length in found))
            if found not in reached:
                reached.add(found)
                waiting.append(found)
    return most


def _after(patterns: list[list[int]], places: Places, symbol: int) -> Places:
    """The prefixes that still match when one more byte is read."""
    found = set()
    for number, length in places:
        pattern = patterns[number]
        if length and pattern[length - 1] == _STAR:
            found.add((number, length))
        if length < len(pattern) and pattern[length] == symbol:
            found.add((number, length + 1))
    return _with_stars(patterns, found)


def _with_stars(patterns: list[list[int]], places: set[tuple[int, int]]) -> Places:
    """With the prefixes that are one star longer: a star matches nothing, too."""
    longer = {
        (number, length + 1)
        for number, length in places
        if length < len(patterns[number]) and patterns[number][length] == _STAR
    }
    return frozenset(places | longer)


def _parsed(wildcard: str) -> list[int]:
    """The bytes of a wildcard pattern, its stars marked and its escapes resolved."""
    symbols: list[int] = []
    characters = iter(wildcard)
    for character in characters:
        if character == "*":
            if symbols[-1:] == [_STAR]:
                raise ValueError(f"two stars follow each other in {wildcard}")
            symbols.append(_STAR)
            continue
        if character == "\\":
            character = next(characters, "")
            if character not in ("*", "\\"):
                raise ValueError(f"a backslash that escapes neither a star nor a backslash in {wildcard}")
        symbols.extend(character.encode())
    return symbols


def _wildcards(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """Each wildcard of an event pattern, with the path of the field that it is about."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "$or":
                for alternative in inner:
                    yield from _wildcards(alternative, field)
            else:
                yield from _wildcards(inner, f"{field}.{name}")
        return
    for condition in value if isinstance(value, list) else ():
        given = condition.get("anything-but", condition) if isinstance(condition, Mapping) else None
        if isinstance(given, Mapping) and "wildcard" in given:
            texts = given["wildcard"]
            yield from ((field, text) for text in ([texts] if isinstance(texts, str) else texts))
