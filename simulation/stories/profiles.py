"""Profiles: what kind of night it is. Sizes, lengths and the shares of occasions at which faults happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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

    always: tuple[str, ...] = ()
    """Names of plots that each story has before the drawn ones."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the template, whatever the story draws."""

    site: str | None = None
    """The site folder, whatever the story draws (`sites.SITES`)."""


def _all(factor: float) -> dict[str, float]:
    return {kind: min(rate * factor, 0.5) for rates in FAMILIES.values() for kind, rate in rates.items()}


def _some(families: Mapping[str, float], **rates: float) -> dict[str, float]:
    """These families, each by its factor, and single kinds as they are said."""
    found = {k: min(r * factor, 0.5) for name, factor in families.items() for k, r in FAMILIES[name].items()}
    return {**found, **rates}


def _killed(rate: float) -> dict[str, float]:
    return dict.fromkeys(("crash_before", "crash_after", "crash_between"), rate)


_OPENTEXT = {"EmailProvider": "opentext", "SmsProvider": "opentext", "OpenTextDeduplicates": "true"}
_AWS = {"EmailProvider": "ses", "SmsProvider": "sms", "OpenTextDeduplicates": "false"}
_FEW: Mapping[str, Any] = {"plots": (1, 2), "most": 6, "lasts": 2 * HOUR}

NARROW: tuple[Profile, ...] = (
    Profile("doubts", {"provider_hangs_accepted": 0.1, "provider_reset_accepted": 0.15,
                       "provider_throttled": 0.35, "redelivered": 0.1, "slow": 0.02, "frozen": 0.02},
            plots=(1, 2), most=16, lasts=2 * HOUR, only=("plain", "repeated"), parameters=_OPENTEXT),
    Profile("doubts-aws", _some({"providers": 4}, lost_answer=0.05, slow=0.02), **_FEW,
            only=("plain", "repeated"), parameters=_AWS),
    Profile("doubled", _some({}, redelivered=0.1, sqs_twice=0.05, slow=0.05, frozen=0.01), **_FEW,
            only=("plain", "repeated")),
    Profile("kills", _some({"providers": 3, "receipts": 2}, **_killed(0.02)), **_FEW,
            only=("plain", "repeated", "provider")),
    Profile("silent", _some({"receipts": 4}, **_killed(0.03)), **_FEW, only=("plain",), site="brisk"),
    Profile("redriven", _some({"providers": 3}, redelivered=0.1, **_killed(0.07)), plots=(2, 4), most=5,
            lasts=2 * HOUR, only=("plain", "redriven"), parameters=_OPENTEXT),
    Profile("held", _some({"providers": 3}, slow=0.2, frozen=0.05, redelivered=0.1), plots=(2, 3), most=5,
            lasts=HOUR, only=("wavered",)),
    Profile("released", _some({}, slow=0.3, frozen=0.01), plots=(2, 3), most=8, lasts=12 * HOUR,
            only=("held",), site="brisk"),
    Profile("corrected", _some({"providers": 4}), **_FEW, only=("cancelled", "corrected", "provider")),
    Profile("outage", _some({"providers": 2}), plots=(1, 2), most=25, lasts=2 * HOUR,
            only=("provider",)),
    Profile("off", {}, plots=(1, 2), most=6, lasts=HOUR, only=("switched",)),
    Profile("off-large", {}, plots=(1, 1), most=400, lasts=HOUR, only=("switched",)),
    Profile("reused", {}, plots=(1, 2), most=5, lasts=HOUR, only=("bareseal",)),
    Profile("asked-off", _some({"people": 2}, frozen=0.01, slow=0.05), plots=(3, 6), most=8, lasts=6 * HOUR,
            only=("plain", "texts", "portal", "byhand", "provider")),
    Profile("journeys", _some({"people": 2}, slow=0.05, frozen=0.005), plots=(1, 2), most=6, lasts=DAY,
            only=("journey",)),
)  # fmt: skip
"""Narrow ones, for faults of one kind: rates are high and stories short. No history draws them."""

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        *NARROW,
        Profile("quiet"),
        *(Profile(name, rates) for name, rates in FAMILIES.items()),
        Profile("everything", _all(1.0)),
        Profile("storm", _all(4.0), plots=(1, 3), most=12),
        Profile("long", _all(0.3), plots=(4, 10), most=12, lasts=45 * DAY),
        Profile("large", _all(0.3), plots=(1, 2), most=600, only=("plain", "repeated", "held", "cancelled")),
        Profile("crowd", _all(0.1), plots=(0, 2), most=2000, flawed=0.0005, always=("crowd",)),
        Profile("night", _all(0.5), plots=(2, 5), most=15, lasts=36 * HOUR),
    )
}
"""By name."""

DRAWN = ("quiet", *FAMILIES, *("everything",) * 5, "storm", "long", "large", "night")
"""The profile of a history for which none is named: one of these."""
