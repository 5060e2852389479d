"""A sender's reputation: the rates that mailbox providers judge by, and when marketing stops for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .documents import Channel


@dataclass(frozen=True, slots=True)
class Limits:
    """Percent of the messages of 24 hours. Gmail and Yahoo want fewer than 0.3 % complaints; Amazon SES
    reviews an account from 5 % bounces on. Below `minimum` messages no rate says anything."""

    bounces: float = 5.0
    complaints: float = 0.3
    minimum: int = 500


@dataclass(frozen=True, slots=True)
class Rates:
    """One sender's last 24 hours; rates in percent of what was delivered or bounced."""

    channel: Channel
    sender: str
    messages: int
    bounce_rate: float
    complaint_rate: float


def rates_of(channel: Channel, sender: str, counts: Mapping[str, int]) -> Rates:
    """Rates from counts of `delivered`, `bounces` and `complaint`."""
    delivered, bounces = counts.get("delivered", 0), counts.get("bounces", 0)
    messages = delivered + bounces
    if not messages:
        return Rates(channel, sender, 0, 0.0, 0.0)
    complaints = counts.get("complaint", 0)
    return Rates(channel, sender, messages, 100 * bounces / messages, 100 * complaints / messages)


def worst(rates: Iterable[Rates], channel: Channel, minimum: int) -> tuple[float, float]:
    """A channel's highest bounce rate and highest complaint rate, 0 where no sender has messages enough.

    Complaints are told from twice `minimum` messages on (1,000, unless a site sets it): SES wants fewer than
    1 in 1,000, and among fewer messages a single one would be over that.
    """
    mine = [row for row in rates if row.channel == channel]
    bounces = [row.bounce_rate for row in mine if row.messages >= minimum]
    complaints = [row.complaint_rate for row in mine if row.messages >= 2 * minimum]
    return max(bounces, default=0.0), max(complaints, default=0.0)


def over(rates: Rates, limits: Limits) -> str:
    """Which limit is reached, in words; empty if none is."""
    if rates.messages < limits.minimum:
        return ""
    if rates.complaint_rate >= limits.complaints:
        return f"{rates.complaint_rate:.2f} % complaints"
    if rates.bounce_rate >= limits.bounces:
        return f"{rates.bounce_rate:.1f} % bounces"
    return ""
