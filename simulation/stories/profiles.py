"""Profiles: what kind of night it is. Sizes, lengths and the shares of occasions at which faults happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOUR, DAY = 3_600.0, 86_400.0

WORKERS: Mapping[str, float] = {
    "crash_before": 0.002,
    "crash_after": 0.002,
    "crash_between": 0.002,
    "cold": 0.05,
}
CALLS: Mapping[str, float] = {
    "throttled": 0.01,
    "lost_answer": 0.004,
    "server_error": 0.006,
    "unprocessed": 0.05,
}
SLOWNESS: Mapping[str, float] = {"frozen": 0.0005, "slow": 0.01}
DELIVERY: Mapping[str, float] = {
    "redelivered": 0.03, "reordered": 0.2, "delivered_late": 0.02, "event_twice": 0.05, "poll_partial": 0.1,
    "schedule_missed": 0.05,
}  # fmt: skip
PROVIDERS: Mapping[str, float] = {
    "provider_throttled": 0.02, "provider_throttled_long": 0.002, "provider_503": 0.01,
    "provider_503_accepted": 0.01, "provider_500": 0.01, "provider_500_accepted": 0.01,
    "provider_hangs": 0.004, "provider_hangs_accepted": 0.004, "provider_hangs_late": 0.002,
    "provider_reset": 0.01,
    "provider_reset_accepted": 0.01, "provider_half": 0.004, "provider_garbage": 0.004,
    "provider_error_body": 0.004, "provider_error_body_accepted": 0.004, "provider_dns": 0.004,
    "provider_tls": 0.002, "provider_content": 0.002, "provider_account": 0.001,
    "address_refused": 0.02,
}  # fmt: skip

FAMILIES: Mapping[str, Mapping[str, float]] = {
    "workers": WORKERS, "calls": CALLS, "slowness": SLOWNESS, "delivery": DELIVERY, "providers": PROVIDERS,
}  # fmt: skip
"""Kinds of faults that have one cause, with the share of occasions at which each happens."""


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
    return {kind: rate * factor for rates in FAMILIES.values() for kind, rate in rates.items()}


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
"""By name. A history whose profile is not named draws one, `everything` the most often."""

DRAWN = (
    "quiet",
    *FAMILIES,
    "everything",
    "everything",
    "everything",
    "everything",
    "storm",
    "long",
    "large",
    "night",
)
