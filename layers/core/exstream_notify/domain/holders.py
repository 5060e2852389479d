"""Who a record is about, where a customer key alone does not say: holders of an account, and names.

Names are compared by their words as numbers (`Name`), so that nothing personal has to be kept.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeAlias

HolderField = Literal["first_name", "last_name", "account_number", "verify_birth_date", "email", "mobile"]
"""The fields of a record that a site may tell the holders of one customer key apart by."""

Name: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""A first and a last name, each as the codes of its words (`code_of`)."""

NAME_WORDS = 3
"""Words of a first, and of a last name that count."""

_REST_BITS = 11
_REST = (1 << _REST_BITS) - 1
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2019\u2018\u02bc`\u00b4"))
_WORDS = re.compile(r"[^\W_]+")
# Letters that no decomposition takes apart, and the ways to write an umlaut without one.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "a", "œ": "o", "ı": "i"})
_DIGRAPHS = re.compile("([aou])e")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name for comparison, NAME_WORDS at most.

    Case, accents, punctuation and the width of characters do not count: `O'Brien` is `OBRIEN`, `Müller`
    is `Mueller`, `Smith-Jones` is `Smith Jones`. Two names that this takes for one only escape a refusal.
    """
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_APOSTROPHES))
    plain = "".join(c for c in folded if not unicodedata.combining(c)).casefold().translate(_LETTERS)
    return tuple(_DIGRAPHS.sub(r"\1", word) for word in _WORDS.findall(plain)[:NAME_WORDS])


def code_of(word: str, digest: Callable[[str], int]) -> int:
    """A word as 16 bits: five of its first letter, eleven of the whole; an initial has none of the latter.

    Never 0. Two words share a code by chance once in some 60,000 pairs.
    """
    letter = digest(word[0]) % 31 + 1
    return letter << _REST_BITS | (digest(word) % _REST + 1 if len(word) > 1 else 0)


def name_of(first: str, last: str, digest: Callable[[str], int]) -> Name:
    """A name's codes, under one hash function; only names under the same one can be compared."""
    return (
        tuple(code_of(word, digest) for word in words_of(first)),
        tuple(code_of(word, digest) for word in words_of(last)),
    )


def alike(one: Name, other: Name) -> bool:
    """Whether two names may be one person's.

    Each field matches if the words of the shorter are among those of the longer (`Ana` and `Ana Maria`);
    an initial matches its word, an absent field anything. First and last name in the other order, or both in
    one field, match too.
    """
    if all(not a or not b or _among(a, b) for a, b in zip(one, other, strict=True)):
        return True
    return _among((*one[0], *one[1]), (*other[0], *other[1]))


def _among(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether each word of the shorter list is a word of its own in the longer."""
    short, long = sorted((one, other), key=len)
    left = list(long)
    rest = []
    for word in short:
        if word in left:
            left.remove(word)
        else:
            rest.append(word)
    for word in rest:
        found = next((w for w in left if _abbreviates(word, w)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _abbreviates(one: int, other: int) -> bool:
    return one >> _REST_BITS == other >> _REST_BITS and not (one & _REST and other & _REST)


def packed(name: Name) -> str:
    """A name's codes as text: four hexadecimal digits a word, first and last name apart."""
    return "|".join("".join(f"{code:04x}" for code in part) for part in name) if any(name) else ""


def unpacked(text: str) -> Name:
    """The codes in a text of `packed`; nothing for an empty one."""
    first, _, last = text.partition("|")
    return _codes(first), _codes(last)


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(text[at : at + 4], 16) for at in range(0, len(text), 4))


def keyed_digest(key: str) -> Callable[[str], int]:
    """A hash function that is the same wherever the key is."""
    secret = key.encode()[:64]
    return lambda word: int.from_bytes(blake2b(word.encode(), key=secret, digest_size=8).digest(), "big")


def recipient_of(values: Sequence[str]) -> str:
    """A recipient derived from what a site tells holders apart by: 16 hexadecimal digits, or nothing.

    Case, the width of characters and runs of spaces do not count. A hash, since it stands in keys and
    reports; it hides a name from a reader, not from somebody who guesses it.
    """
    folded = [" ".join(unicodedata.normalize("NFKC", value).casefold().split()) for value in values]
    if not any(folded):
        return ""
    hasher = blake2b(digest_size=8)
    for value in folded:
        data = value.encode()
        hasher.update(len(data).to_bytes(4, "big") + data)
    return hasher.hexdigest()


PAIRS_NAMED = 3
"""Pairs of records that a report names; the rest is a count."""


MIXED_REASON = "another record of this customer and recipient has another name and another address"
"""Why such records are rejected (field `recipient`)."""


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Records of a run that give one customer and recipient different addresses.

    `disputed` records go to their own addresses, and none becomes the contact's; `mixed` ones carry
    different names too and are rejected. Pairs are positions in the run, the first few.
    """

    disputed: int = 0
    mixed: int = 0
    disputed_pairs: tuple[tuple[int, int], ...] = ()
    mixed_pairs: tuple[tuple[int, int], ...] = ()


def pairs_in_words(pairs: Sequence[tuple[int, int]]) -> str:
    """`records 17 and 2034, 40 and 41`."""
    return "records " + ", ".join(f"{one} and {other}" for one, other in pairs)
