"""What a check found, and what it says of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem", "unknown"]
"""`unknown`: it could not be looked at, for want of permission or of an answer. It is never taken for ok."""

Resolver = Callable[[str, str], Sequence[str]]
"""The records of a name and type (`TXT`, `CNAME`), texts joined; LookupError where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `cure` says what to do, empty where nothing is."""

    check: str
    verdict: Verdict
    found: str
    cure: str = ""
