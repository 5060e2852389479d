"""Customers by their sequence number in a run, as the engine takes them: `2,7,14-50`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

SWITCH = "-CUSTOMERLIST="
SWITCH_CHARS = 1000
"""How long one switch may grow before the list goes on in a second one; a shell's line is the limit."""

HIGHEST = 16_777_215
"""Larger numbers are no place in a run: a customer's number in brackets is only inferred to be one."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""First and last of each stretch, ascending, neither touching nor overlapping."""

_STRETCH = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


_PAGE_BITS = 12


class CustomerSet:
    """A set of sequence numbers that takes one bit each, so that a run of any size fits: in pages, so that a
    few high numbers of each of many codes do."""

    __slots__ = ("_pages", "count")

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self.count = 0

    def add(self, number: int) -> bool:
        """Whether the number can be one of a customer, and is in now."""
        if not 0 < number <= HIGHEST:
            return False
        page = self._pages.get(number >> _PAGE_BITS)
        if page is None:
            page = self._pages[number >> _PAGE_BITS] = bytearray(64)
        place, bit = (number & (1 << _PAGE_BITS) - 1) >> 3, 1 << (number & 7)
        if place >= len(page):
            page.extend(bytes(place + 1 - len(page)))
        if not page[place] & bit:
            page[place] |= bit
            self.count += 1
        return True

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The stretches of consecutive numbers, ascending."""
        first = last = -1
        for start, page in sorted(self._pages.items()):
            for place, byte in enumerate(page, start << (_PAGE_BITS - 3)):
                if not byte:
                    continue
                for number in (place * 8 + bit for bit in range(8) if byte >> bit & 1):
                    if number != last + 1:
                        if first >= 0:
                            yield first, last
                        first = number
                    last = number
        if first >= 0:
            yield first, last


def merged(*lists: Iterable[tuple[int, int]]) -> Ranges:
    """Stretches of several lists as one."""
    found: list[list[int]] = []
    for first, last in sorted(stretch for one in lists for stretch in one):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return tuple((first, last) for first, last in found)


def from_numbers(numbers: Iterable[int]) -> Ranges:
    """Single numbers as stretches."""
    return merged([(number, number) for number in numbers])


def without(ranges: Ranges, covered: Ranges) -> Ranges:
    """What of `ranges` is not in `covered`; one walk along both, since either may have many stretches."""
    left: list[tuple[int, int]] = []
    at = 0
    for first, last in ranges:
        while at < len(covered) and covered[at][1] < first:
            at += 1
        ahead = at
        while first <= last and ahead < len(covered) and covered[ahead][0] <= last:
            begin, end = covered[ahead]
            if begin > first:
                left.append((first, begin - 1))
            first = end + 1
            ahead += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def size(ranges: Iterable[tuple[int, int]]) -> int:
    """How many customers that is."""
    return sum(last - first + 1 for first, last in ranges)


def to_text(ranges: Iterable[tuple[int, int]]) -> str:
    """`2,7,14-50`."""
    return ",".join(_stretch(*stretch) for stretch in ranges)


def from_text(text: str) -> Ranges:
    """The stretches of a text; ValueError where it is none."""
    found = []
    for part in filter(None, text.split(",")):
        match = _STRETCH.fullmatch(part.strip())
        if match is None:
            raise ValueError("not a list of customers")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError("a stretch that ends before it begins")
        found.append((first, last))
    return merged(found)


def stated(text: str) -> Ranges:
    """The stretches of a text that was stored; none where it is no list: it must not hide its incident."""
    try:
        return from_text(text)
    except ValueError:
        return ()


def texts(ranges: Iterable[tuple[int, int]], chars: int) -> Iterator[str]:
    """The list in texts of at most `chars` characters (one stretch at least), each from a stretch on."""
    parts: list[str] = []
    length = 0
    for stretch in ranges:
        text = _stretch(*stretch)
        if parts and length + 1 + len(text) > chars:
            yield ",".join(parts)
            parts, length = [], 0
        length += len(text) + bool(parts)
        parts.append(text)
    if parts:
        yield ",".join(parts)


def switches(ranges: Sequence[tuple[int, int]], chars: int = SWITCH_CHARS) -> list[str]:
    """The switches to compose these customers again, none longer than `chars`."""
    return [SWITCH + text for text in texts(ranges, max(chars - len(SWITCH), 1))]


def _stretch(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
