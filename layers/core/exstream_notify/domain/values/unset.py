"""The words that systems write where they have no value: NULL, \\N, N/A, None, a dash."""

import re
from collections.abc import Iterator
from itertools import product

_WORDS = ("null", "nil", "none", "nan", "na", "n/a", "n.a.", "n.a", "n.v.", "k.a.", "nul")
_LONG = (
    "undefined", "#null!", "#value!", "#name?", "#div/0!", "#n/a", "#ref!", "#num!", "not available",
    "no value",
)  # fmt: skip
_AROUND = ("{}", "({})", "<{}>", "[{}]", "{{{}}}", "'{}'", '"{}"', "\\{}", "#{}")
_SIGNS = ("\\N", "\\n", "\\", "?", ".", "..", "...", "\u2026", "\u2212")


def _cases(word: str) -> Iterator[str]:
    return map("".join, product(*({letter.lower(), letter.upper()} for letter in word)))


def _all() -> Iterator[str]:
    yield from _SIGNS
    for dash in "-_\u2013\u2014":
        yield from (dash * length for length in range(1, 13))
    for word in _WORDS:
        for written in _cases(word):
            for shape in _AROUND:
                yield shape.format(written)
            for between in (" ", ", ", ","):
                yield f"{written}{between}{written}"
    for word in _LONG:
        yield from (word, word.upper(), word.title(), word.capitalize())


UNSET: frozenset[str] = frozenset(_all())
"""Every text that stands for no value, in every case, for a look at all values of a record at once."""

# What a code of two or three letters means in spite of it: Namibia, and the language of Nauru.
_CODES = {"country": frozenset({"NA", "na", "Na"}), "language": frozenset({"na"})}

_SURNAMES = frozenset({"null", "none", "nil", "na", "nan"})
_GIVEN = frozenset({"na", "nan", "nil"})
_TOKENS = re.compile(r"[\s,;]+")


def is_unset(text: str, field: str | None = None) -> bool:
    """Whether a text stands for no value; in the country's and the language's field `NA` can be a code."""
    return not text or (text in UNSET and text not in _CODES.get(field or "", ()))


def hints_unset(text: str) -> bool:
    """Whether a longer text may hold such a word: all values of a record joined, or a name."""
    # Written out, since this is asked of every record.
    return (
        "NULL" in text
        or "null" in text
        or "undefined" in text
        or "N/A" in text
        or "n/a" in text
        or "\\N" in text
    )


def _style(word: str) -> str:
    if word.islower():
        return "lower"
    return "upper" if word.isupper() else "title" if word == word.title() else "mixed"


def _alike(word: str, other: str) -> bool:
    """Whether a word is written as the name beside it: `Ana Null`, but not `Ana NULL`."""
    letters = sum(map(str.isalpha, other))
    if letters < 2 or not word.isalpha():
        return False
    style = _style(other)
    return _style(word) == ("title" if style == "mixed" else style)


def _told(name: str) -> str:
    """A name without the parts that only say that there is none: `Ana NULL` is `Ana`."""
    parts = [part for part in _TOKENS.split(name) if part]
    if all(part in UNSET for part in parts):
        return "" if len(parts) != 1 or not parts[0].isalpha() else parts[0]
    if not hints_unset(name):
        return name
    real = [part for part in parts if part not in UNSET]
    kept = [part for part in parts if part in real or any(_alike(part, one) for one in real)]
    return name if len(kept) == len(parts) else " ".join(kept)


def known_names(first: str, last: str) -> tuple[str, str]:
    """First and last name, each empty where it only says that there is none.

    People are called Null, None or Na; such a surname stays where a real first name stands beside it in the
    same style (`Ana Null`, `ANA NULL`, not `Ana NULL`), and a first name such as Nan beside a real surname.
    """
    first, last = _told(first), _told(last)
    if last in UNSET:
        stays = last.lower() in _SURNAMES and first not in UNSET and _alike(last, first)
        last = last if first and stays else ""
    if first in UNSET:
        stays = first.lower() in _GIVEN and first != "NA" and last not in UNSET and _alike(first, last)
        first = first if last and stays else ""
    return first, last
