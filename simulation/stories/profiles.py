"""Profiles: what kind of night it is. Sizes, lengths and the shares of occasions at which faults happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulation.outside import KINDS
from simulation.outside.conduct import ADDRESS_REFUSED, CONDUCTS
from simulation.outside.habits import HABITS
from simulation.outside.responders import RESPONDER_KINDS

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

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

    least: int = 0
    """So many records has a run at least, where `most` allows."""

    domains: tuple[str, ...] = ()
    """The domains that plots are about; empty: all."""

    start: str = ""
    """When stories start (ISO 8601), whatever they draw."""

    places: Mapping[str, str] = field(default_factory=dict)
    """Kinds of faults that happen only where this pattern is found in the occasion's name: a function's."""

    schedules: frozenset[str] = frozenset()
    """The functions whose schedules run; empty: all. The others have nothing to do in such a night."""


def _all(factor: float) -> dict[str, float]:
    return {kind: min(rate * factor, 0.5) for rates in FAMILIES.values() for kind, rate in rates.items()}


def _killed(rate: float) -> dict[str, float]:
    return dict.fromkeys(("crash_before", "crash_after", "crash_between"), rate)


_OPENTEXT = {"EmailProvider": "opentext", "SmsProvider": "opentext", "OpenTextDeduplicates": "true"}
_AWS = {"EmailProvider": "ses", "SmsProvider": "sms", "OpenTextDeduplicates": "false"}
_MORNING = "2026-11-23T17:00:00+00:00"
"""A Monday, at noon in New York and at nine in Los Angeles."""

_SWEEP = frozenset({"release_due"})
_DAYS = frozenset({"release_due", "poll_receipts", "start_journeys"})


def _narrow(name: str, rates: Mapping[str, float], only: str, **more: Any) -> Profile:
    """A short story of a few good records, by day, with the schedules that its faults need."""
    usual: dict[str, Any] = {
        "plots": (1, 1), "least": 8, "most": 8, "lasts": HOUR, "flawed": 0.0, "start": _MORNING, "site": "",
        "schedules": _SWEEP, "domains": ("retail", "claims"),
    }  # fmt: skip
    return Profile(name, rates, only=tuple(only.split()), **(usual | more))


_DOUBTS = {"provider_hangs_accepted": 0.15, "provider_reset_accepted": 0.15, "provider_throttled": 0.35}
_TAKEN_TWICE = {"sqs_twice": 0.7}
_SEND_QUEUES = "(Email|Sms|Urgent)Queue"
_TAKEN = f"received .*{_SEND_QUEUES}"
_RETAIL = ("retail",)

NARROW: tuple[Profile, ...] = (
    # What a provider says, and what it does.
    _narrow("doubts", _DOUBTS, "plain", least=20, most=20, domains=_RETAIL, parameters=_OPENTEXT),
    _narrow("doubts-aws", {"lost_answer": 0.3}, "plain", parameters=_AWS,
            places={"lost_answer": "send_notices.*Send(Email|TextMessage)"}),
    _narrow("outage", {"provider_throttled": 1.0}, "plain", domains=_RETAIL, lasts=4 * HOUR, site="hasty"),
    _narrow("refusals", {"provider_content": 0.4, "provider_hangs_accepted": 0.1}, "plain",
            least=120, most=120, domains=_RETAIL, parameters={**_AWS, "EmailRate": "1"}),
    # Workers that meet, and workers that die.
    _narrow("contended", {"provider_throttled_long": 0.4, **_TAKEN_TWICE, "stalled": 0.6}, "plain",
            plots=(5, 5), least=6, most=6, lasts=MINUTE, domains=_RETAIL, parameters=_OPENTEXT,
            places={"stalled": "send_notices.*POST", "sqs_twice": _TAKEN}),
    _narrow("doubled", {**_TAKEN_TWICE, "stalled": 0.05, "slow": 0.3}, "plain", least=30, most=30,
            domains=_RETAIL, parameters=_AWS,
            places={"stalled": "send_notices.*dynamodb",
                    "slow": "send_notices.*SendEmail", "sqs_twice": _TAKEN}),
    _narrow("doubled-silent", {**_TAKEN_TWICE, "stalled": 0.05, "slow": 0.3, "fate_silent": 0.7}, "plain",
            least=30, most=30, domains=_RETAIL, site="hasty", parameters=_AWS, schedules=_DAYS,
            places={"stalled": "send_notices.*dynamodb",
                    "slow": "send_notices.*SendEmail", "sqs_twice": _TAKEN}),
    _narrow("forgotten", {"crash_after": 0.8, "fate_silent": 0.7}, "keptlong",
            parameters=_OPENTEXT, domains=("claims",), schedules=_DAYS | {"report_dead_letters"},
            places={"crash_after": "send_notices.*POST"}),
    _narrow("silent", {"fate_vanished": 0.7, **_killed(0.1)}, "plain", domains=("claims",), lasts=5 * HOUR,
            site="following", parameters=_AWS, schedules=_DAYS,
            places=dict.fromkeys(_killed(0), "poll_receipts")),
    _narrow("silent-paid", {"fate_silent": 0.7, "stalled": 0.15}, "paidpart", domains=_RETAIL, lasts=5 * HOUR,
            site="hasty", parameters=_AWS, schedules=_DAYS, places={"stalled": "poll_receipts.*dynamodb"}),
    _narrow("bounced", {"fate_bounced": 0.6, **_killed(0.06)}, "plain",
            places=dict.fromkeys(_killed(0), "record_receipt")),
    _narrow("refused", {"address_refused": 0.4, "provider_content": 0.3, **_killed(0.15)}, "plain",
            parameters=_AWS, places=dict.fromkeys(_killed(0), "send_notices.* (dynamodb.*Write|sqs)")),
    _narrow("settled", {"provider_hangs_accepted": 0.5, **_killed(0.04)}, "plain",
            places=dict.fromkeys(_killed(0), "record_receipt")),
    _narrow("raised", {"provider_content": 0.3, "provider_hangs_accepted": 0.3, **_killed(0.04)}, "plain",
            places=dict.fromkeys(_killed(0), "send_notices")),
    _narrow("late-answers", {"provider_throttled": 0.5, "sqs_twice": 0.8, "stalled": 0.15}, "plain",
            parameters=_AWS, places={"stalled": "send_notices.*SendEmail", "sqs_twice": _TAKEN}),
    _narrow("doubted", {"provider_hangs_accepted": 0.5, "fate_silent": 0.8}, "plain", domains=("claims",),
            parameters=_AWS),
    _narrow("told-late", {"fate_expired": 0.7}, "plain", parameters=_AWS),
    # What people do while jobs lie in queues.
    _narrow("held", {"stalled": 0.4}, "heldonce", plots=(4, 4), least=3, most=3, lasts=10 * MINUTE,
            places={"stalled": "send_notices.*(GetItem|PutItem)"}),
    _narrow("released", {"stalled": 0.4}, "heldagain", plots=(4, 4), least=3, most=3, lasts=10 * MINUTE,
            places={"stalled": "stage_run.*(sqs|dynamodb.DeleteItem)"}),
    _narrow("evening", {"sqs_late": 0.7}, "plain", domains=_RETAIL, site="brisk",
            start="2026-11-24T01:30:00+00:00", places={"sqs_late": _SEND_QUEUES}),
    _narrow("off", {}, "switched"),
    _narrow("off-long", {}, "offlong", least=110, most=110, domains=_RETAIL),
    _narrow("early-morning", {}, "plain", domains=_RETAIL, site="brisk", start="2026-11-23T14:30:00+00:00",
            least=20, most=20),
    _narrow("stopped-early", {}, "stoppedearly", domains=_RETAIL, site="brisk"),
    _narrow("off-between", {"sqs_late": 0.7}, "offbetween", least=20, most=20, domains=_RETAIL,
            parameters=_OPENTEXT, places={"sqs_late": _SEND_QUEUES}),
    _narrow("stopped-between", {"sqs_late": 0.7}, "stoppedbetween", places={"sqs_late": _SEND_QUEUES}),
    _narrow("changed-between", {"sqs_late": 0.9}, "changed", places={"sqs_late": _SEND_QUEUES}),
    _narrow("changed-between-lending", {"sqs_late": 0.9}, "changed", domains=("lending",),
            places={"sqs_late": _SEND_QUEUES}),
    _narrow("redriven", {"crash_before": 0.85}, "redrivenlate",
            places={"crash_before": "(send|decide)_notices.* #1 "}),
    # Runs that repeat, correct or replace others.
    _narrow("corrected", {"provider_throttled": 0.9}, "cancelled"),
    _narrow("wanted-twice", {}, "wantedtwice"),
    _narrow("reused", {}, "bareseal"),
    _narrow("sealed-after", {}, "sealedafter", schedules=frozenset({"release_due", "watch_runs"})),
    # Calls that do half of what was asked.
    _narrow("unprocessed", {"dynamodb_unprocessed": 0.5}, "plain repeated journey", least=20,
            most=20, domains=()),
    _narrow("partial", {"sqs_partial": 0.3}, "plain repeated"),
    _narrow("lagging", {"dynamodb_stale": 0.4, "dynamodb_index_lag": 0.5, "provider_throttled": 0.5},
            "plain"),
    _narrow("journeys", {}, "journey", lasts=DAY, schedules=_DAYS, domains=()),
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
