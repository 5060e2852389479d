"""What an account's status means, whatever the system of record calls it (rules/statuses.yaml)."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_LONGEST = 5
"""Words of the longest phrase that is looked for within a longer text."""

_NEAR = 2
"""Words before another one among which a negation is about that one."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_CLAUSES = re.compile(r"[,;/|\n]|[.!?]\s+(?=\D)")
_RUNS = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The statuses of accounts. `names` has the status by each spelling, folded.

    `holding` are the statuses that forbid to ask their customer for money, and `for_good` those of them that
    nothing ends. `negated` are words, folded, that turn what follows round ("not bankrupt"), and `ended`
    those that do so behind it ("dispute resolved").
    """

    names: Mapping[str, str]
    holding: frozenset[str]
    for_good: frozenset[str] = frozenset()
    negated: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()

    def named(self, text: str | None) -> str:
        """The status that a text states; empty where the text is empty or states none that is known.

        A status that holds is also found within a longer text, unless its own clause turns it round.
        """
        words = _folded(text or "")
        exact = self.names.get("".join(words))
        if exact or not words:
            return exact or ""
        clauses = map(_folded, _CLAUSES.split(text or ""))
        return next((name for clause in clauses if (name := self._stated_in(clause))), "")

    def holds(self, text: str | None) -> str:
        """The status where it forbids to ask for money; else empty."""
        name = self.named(text)
        return name if name in self.holding else ""

    def mentioned(self, text: str) -> str:
        """A status that holds and that a customer's own words mention, however they mean it; else empty."""
        return next((name for name, _, _ in self._holding_in(_folded(text))), "")

    def _stated_in(self, clause: tuple[str, ...]) -> str:
        found = self._holding_in(clause)
        return next((name for name, start, end in found if not self._is_turned(name, clause, start, end)), "")

    def _holding_in(self, words: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
        """The statuses that hold, with their places: the longest phrases first, and none within another."""
        taken: set[int] = set()
        for length in range(min(_LONGEST, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                name, places = (
                    self.names.get("".join(words[start : start + length])),
                    range(start, start + length),
                )
                if name in self.holding and taken.isdisjoint(places):
                    taken.update(places)
                    yield name or "", start, start + length

    def _is_turned(self, name: str, words: tuple[str, ...], start: int, end: int) -> bool:
        behind = words[end:]
        if self.negated.intersection(words[max(0, start - _NEAR) : start]):
            return True
        if len(behind) == 1 and behind[0] in self.negated and behind[0] not in self.ended:
            return True
        return name not in self.for_good and any(
            word in self.ended and self.negated.isdisjoint(behind[max(0, place - _NEAR) : place])
            for place, word in enumerate(behind)
        )


def spellings(word: str) -> set[str]:
    """How a word of the rules is recognised: without case, accents and separators; ü also as ue."""
    composed = unicodedata.normalize("NFC", word).lower()
    return {"".join(_folded(one)) for one in (composed, composed.translate(_UMLAUTS))} - {""}


def status_words(
    words: Mapping[str, Iterable[str]],
    holding: Iterable[str],
    for_good: Iterable[str],
    negated: Iterable[str],
    ended: Iterable[str],
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
    turning = (frozenset(s for word in several for s in spellings(word)) for several in (negated, ended))
    return StatusWords(names, frozenset(holding), frozenset(for_good), *turning)


@lru_cache(maxsize=4096)
def _folded(text: str) -> tuple[str, ...]:
    """The words and the numbers of a text without case and accents: BK13 has one of each."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return tuple(_RUNS.findall("".join(c for c in plain if not unicodedata.combining(c))))
