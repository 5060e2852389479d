"""What an account's status means, whatever the system of record calls it (rules/statuses.yaml)."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

_LONGEST = 5
"""Words of the longest phrase that is looked for within a longer text."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The statuses of accounts. `names` has the status by each spelling, folded.

    `holding` are the statuses that forbid to ask their customer for money. `ended` are words, folded, that
    turn a longer text round: "dispute resolved", "not bankrupt".
    """

    names: Mapping[str, str]
    holding: frozenset[str]
    ended: frozenset[str] = frozenset()

    def named(self, text: str | None) -> str:
        """The status that a text states; empty where the text is empty or states none that is known.

        A status that holds is also found within a longer text, unless another word of it turns it round.
        """
        words = _folded(text or "")
        exact = self.names.get("".join(words))
        if exact or not words:
            return exact or ""
        return self._holding_in(words, turned=True)

    def holds(self, text: str | None) -> str:
        """The status where it forbids to ask for money; else empty."""
        name = self.named(text)
        return name if name in self.holding else ""

    def mentioned(self, text: str) -> str:
        """A status that holds and that a customer's own words mention, however they mean it; else empty."""
        return self._holding_in(_folded(text), turned=False)

    def _holding_in(self, words: tuple[str, ...], *, turned: bool) -> str:
        for length in range(min(_LONGEST, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                name = self.names.get("".join(words[start : start + length]))
                if name in self.holding:
                    others = words[:start] + words[start + length :]
                    return "" if turned and self.ended.intersection(others) else name or ""
        return ""


def spellings(word: str) -> set[str]:
    """How a word of the rules is recognised: without case, accents and separators; ü also as ue."""
    composed = unicodedata.normalize("NFC", word).lower()
    return {"".join(_folded(one)) for one in (composed, composed.translate(_UMLAUTS))} - {""}


def status_words(
    words: Mapping[str, Iterable[str]], holding: Iterable[str], ended: Iterable[str]
) -> StatusWords:
    """The words by status; ValueError for a spelling that two statuses claim, or that has no letter."""
    names: dict[str, str] = {}
    for name, several in words.items():
        for word in (name, *several):
            found = spellings(word)
            if not found:
                raise ValueError(f"{name}: {word!r} has no letter or digit")
            for spelling in found:
                if names.setdefault(spelling, name) != name:
                    raise ValueError(f"{name}: {word!r} is also a word of {names[spelling]}")
    return StatusWords(names, frozenset(holding), frozenset(s for word in ended for s in spellings(word)))


@lru_cache(maxsize=4096)
def _folded(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple("".join(c if c.isalnum() else " " for c in letters).split())
