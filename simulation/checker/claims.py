"""What a claim is, and what contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .book import Book


@dataclass(frozen=True, slots=True)
class Violation:
    """A claim that a history contradicts. `about` names the notice, run or incident, `evidence` what was
    seen, a line each."""

    claim: str
    about: str
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The claim, and under it what was seen."""
        sentence = CLAIMS[self.claim].sentence if self.claim in CLAIMS else ""
        return "\n".join(
            [f"{self.claim}: {self.about}", f"  {sentence}", *(f"  - {line}" for line in self.evidence)]
        )


Found = Iterator[Violation]
Check = Callable[["Book"], Iterator[tuple[str, list[str]]]]
"""Looks for contradictions: what each is about, and the lines of evidence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that must hold in every history: a name, a sentence, and the function that looks for what
    contradicts it."""

    name: str
    sentence: str
    check: Check

    def violations(self, book: Book) -> Found:
        """What contradicts it."""
        for about, evidence in self.check(book):
            yield Violation(self.name, about, tuple(evidence))


CLAIMS: dict[str, Claim] = {}
"""Every claim, by name."""


def claim(sentence: str) -> Callable[[Check], Check]:
    """Make a claim of the function below, named as it is."""

    def made(check: Check) -> Check:
        name = check.__name__
        CLAIMS[name] = Claim(name, sentence, check)
        return check

    return made
