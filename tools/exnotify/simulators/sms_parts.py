"""How many parts an SMS takes, and in which encoding (GSM 03.38)."""

from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


def encoding_and_parts(text: str) -> tuple[Literal["GSM", "Unicode"], int]:
    """Encoding and number of parts: 160 septets or 153 a part, else 70 UTF-16 units or 67 a part.

    An escaped pair and a surrogate pair stay within one part.
    """
    if all(c in _BASIC or c in _EXTENDED for c in text):
        sizes = [2 if c in _EXTENDED else 1 for c in text]
        return "GSM", _parts(sizes, 160, 153)
    sizes = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return "Unicode", _parts(sizes, 70, 67)


def _parts(sizes: list[int], alone: int, each: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts
