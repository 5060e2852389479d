"""The codes of an incident that its team was told of, as far as a stored incident holds them."""

from collections.abc import Sequence

from .exceptions import ExceptionRaised

KEPT = 2000
"""Codes that are kept, severe ones first: an item of the table holds 400 KB. Where there are more, a further
code is no news; counts and severity are."""


def codes_kept(causes: Sequence[ExceptionRaised]) -> tuple[str, ...]:
    """What a team knows once it was told of these causes, which are one a code."""
    if len(causes) > KEPT:
        causes = sorted(causes, key=lambda cause: (cause.severity != "severe", cause.code))[:KEPT]
    return tuple(cause.code for cause in causes)


def has_further(codes: Sequence[str], told: Sequence[str]) -> bool:
    """Whether there is a code that the team was not told of."""
    return len(told) < KEPT and not set(codes) <= set(told)
