"""What a known fault is, and which claims faults of two kinds contradict."""

from __future__ import annotations

from dataclasses import dataclass

from .putting_back import Edit

SENT_AGAIN = frozenset(
    {"once_per_attempt", "second_only_after_failure", "untold_means_not_accepted", "copies_notify_once"}
)
"""What it comes to when a message that was accepted is taken for unsent."""

LOST = frozenset(
    {
        "balance_is_true", "nobody_is_forgotten", "everything_comes_to_rest", "notified_means_accepted",
        "untold_means_not_accepted", "who_must_act_is_asked", "next_channel_follows", "silence_is_noticed",
    }
)  # fmt: skip
"""What it comes to when what a write implies is never done."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `wrong` is a sentence for the table."""

    name: str
    wrong: str
    claims: frozenset[str]
    profile: str
    edits: tuple[Edit, ...]


def fault(name: str, wrong: str, claims: frozenset[str] | set[str], profile: str, *edits: Edit) -> Fault:
    """A fault, in a terse form."""
    return Fault(name, wrong, frozenset(claims), profile, edits)


SEND = "use_cases.send_notices"
ANSWERS = "use_cases.attempt_answers"
DEFERRING = "domain.deferring"
BATCHES = "adapters.dynamodb.batches"
