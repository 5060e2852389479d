"""A checker that trusts nothing of the product: it compares what went in with what came out, claim by claim.

It imports nothing of the product, and reads the rules by itself. Fill a `Seen` and ask `check`.
"""

from __future__ import annotations

from collections.abc import Collection

from . import content, ended, followed, journeys, kept, outcomes, told
from .book import Book
from .claims import CLAIMS, Violation
from .seen import Seen

__all__ = ["CLAIMS", "Seen", "Violation", "check"]

_ROOMS = (told, outcomes, ended, content, journeys, kept, followed)


def check(seen: Seen, only: Collection[str] | None = None) -> list[Violation]:
    """What contradicts the claims in a history; `only` names the claims to look at."""
    book = Book(seen)
    wanted = [one for name, one in CLAIMS.items() if only is None or name in only]
    return [violation for one in wanted for violation in one.violations(book)]
