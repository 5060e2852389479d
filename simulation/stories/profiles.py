"""Profiles: what kind of night it is. Sizes, lengths and the shares of occasions at which faults happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulation.outside import KINDS
from simulation.outside.conduct import ADDRESS_REFUSED, CONDUCTS
from simulation.outside.habits import HABITS
from simulation.outside.responders import RESPONDER_KINDS

HOUR, DAY = 3_600.0, 86_400.0

_CONDUCT = frozenset({row.kind for row in CONDUCTS} | {ADDRESS_REFUSED})
_PEOPLE = frozenset({*HABITS, *RESPONDER_KINDS})

FAMILIES: Mapping[str, Mapping[str, float]] = {
    "workers": {
        "crash_before": 0.001, "crash_after": 0.001, "crash_between": 0.001, "cold": 0.05,
        "invoked_twice": 0.03, "schedule_missed": 0.05, "task_lost": 0.03,
    },
    "calls": {
        "throttled": 0.006, "lost_answer": 0.003, "server_error": 0.004, "dynamodb_throttled": 0.01,
        "dynamodb_conflict": 0.02, "dynamodb_unprocessed": 0.03, "events_partial": 0.03, "sqs_partial": 0.03,
        "s3_conflict": 0.05,
    },
    "slowness": {
        "frozen": 0.0004, "slow": 0.005, "dynamodb_stale": 0.2, "dynamodb_index_lag": 0.1,
        "dynamodb_ttl_late": 0.3, "states_stale": 0.1,
    },
    "delivery": {
        "redelivered": 0.03, "poll_partial": 0.1, "event_twice": 0.03, "event_late": 0.02,
        "topic_twice": 0.03, "topic_late": 0.02, "sqs_twice": 0.03, "sqs_late": 0.02,
    },
    "providers": {kind: share for kind, share in KINDS.items() if kind in _CONDUCT},
    "receipts": {kind: share for kind, share in KINDS.items() if kind not in _CONDUCT | _PEOPLE},
    "people": {kind: share for kind, share in KINDS.items() if kind in _PEOPLE},
}  # fmt: skip
"""Kinds of faults that have one cause, with the share of occasions at which each happens. What people do
about messages is drawn in the same way: it can be taken away as a fault can."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of night. `plots`: between how many plots a story has; `most`: records of a run at most;
    `lasts`: seconds over which plots begin; `flawed`: the share of records that something is wrong with."""

    name: str
    rates: Mapping[str, float] = field(default_factory=dict)
    plots: tuple[int, int] = (2, 7)
    most: int = 40
    lasts: float = 6 * HOUR
    flawed: float = 0.08
    only: tuple[str, ...] = ()
    """Names of the plots that it is drawn from; empty: all."""


def _all(factor: float) -> dict[str, float]:
    return {kind: min(rate * factor, 0.5) for rates in FAMILIES.values() for kind, rate in rates.items()}


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("quiet"),
        *(Profile(name, rates) for name, rates in FAMILIES.items()),
        Profile("everything", _all(1.0)),
        Profile("storm", _all(4.0), plots=(1, 3), most=12),
        Profile("long", _all(0.3), plots=(4, 10), most=12, lasts=45 * DAY),
        Profile("large", _all(0.3), plots=(1, 2), most=600, only=("plain", "repeated", "held", "cancelled")),
        Profile("night", _all(0.5), plots=(2, 5), most=15, lasts=36 * HOUR),
    )
}
"""By name."""

DRAWN = ("quiet", *FAMILIES, *("everything",) * 5, "storm", "long", "large", "night")
"""The profile of a history for which none is named: one of these."""
