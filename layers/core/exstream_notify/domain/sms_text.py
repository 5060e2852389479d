"""The length of a text message as networks count it, and its plainest spelling (3GPP TS 23.038)."""

import re
import unicodedata
from typing import Literal

Alphabet = Literal["gsm", "ucs2"]

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: one septet each."""

GSM_EXTENSION = frozenset("^{}\\[~]|€\f")
"""The extension table: an escape and a character, two septets."""

_GSM = GSM_BASIC | GSM_EXTENSION
_ALONE: dict[Alphabet, int] = {"gsm": 160, "ucs2": 70}
_IN_PARTS: dict[Alphabet, int] = {"gsm": 153, "ucs2": 67}  # the rest is the header that joins the parts

_LAST_OF_ONE_UNIT = 0xFFFF  # beyond it UTF-16 needs a surrogate pair

_SPELLINGS = {
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·∙", "."),
    "…": "...",
    "×": "x",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "ı": "i",
    "œ": "oe",
    "Œ": "OE",
    "ẞ": "SS",
    "\t": " ",
}
_SPACES = re.compile(r" {2,}")


def alphabet(text: str) -> Alphabet:
    """`gsm` if the default alphabet and its extension table can say it, else `ucs2`."""
    return "gsm" if _GSM.issuperset(text) else "ucs2"


def units(text: str) -> int:
    """Septets in the GSM alphabet, or UTF-16 code units where the text needs UCS-2."""
    if alphabet(text) == "gsm":
        return len(text) + sum(map(text.count, GSM_EXTENSION))
    return len(text) + sum(1 for c in text if ord(c) > _LAST_OF_ONE_UNIT)


def parts(text: str) -> int:
    """How many messages the text is sent and charged as: 160, or 153 a part; in UCS-2 70, or 67.

    An escaped character and a surrogate pair are never split over two parts. An empty text is one.
    """
    kind = alphabet(text)
    if units(text) <= _ALONE[kind]:
        return 1
    count, room = 1, _IN_PARTS[kind]
    for character in text:
        double = character in GSM_EXTENSION if kind == "gsm" else ord(character) > _LAST_OF_ONE_UNIT
        size = 2 if double else 1
        if size > room:
            count, room = count + 1, _IN_PARTS[kind]
        room -= size
    return count


def fold(text: str) -> str:
    """The same words in the GSM alphabet, as far as they can be said in it.

    Typographic marks become plain ones, accents that the alphabet lacks are left off (`á` to `a`,
    while `é` stays), every kind of space becomes one space. Letters of other scripts stay.
    """
    if text.isascii() and "\t" not in text and "  " not in text:
        return text
    folded = "".join(c if c in _GSM else _fold_character(c) for c in text)
    return _SPACES.sub(" ", folded)


def _fold_character(character: str) -> str:
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Mn"):
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return plain if plain and alphabet(plain) == "gsm" else character
