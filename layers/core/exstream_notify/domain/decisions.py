"""Whether, when and on which channel a customer is told: one pure function."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import TypeAlias

from .contacts import Contact
from .debt import stays
from .documents import Channel, Document, DocumentRule
from .payments import nothing_due
from .quiet_hours import Window, is_open, next_open


class Why(StrEnum):
    """Reasons of a decision or an outcome, as they stand in the ledger and in reports."""

    TEST_DOCUMENT = "test_document"
    ACCOUNT_STATUS = "account_status"
    DO_NOT_DUN = "do_not_dun"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_CHANNEL = "no_channel"
    PAPER_REQUIRED = "paper_required"
    PAPER_CHOSEN = "paper_chosen"
    QUIET_HOURS = "quiet_hours"
    PROVIDER_DOWN = "provider_down"
    SWITCHED_OFF = "switched_off"
    NOT_APPROVED = "wording_not_approved"
    NOT_RENDERED = "not_rendered"
    DEADLINE_PASSED = "deadline_passed"
    RECORDS_GONE = "records_gone"
    SUPERSEDED = "superseded"
    RESPONDED = "responded"
    RUN_CANCELLED = "run_cancelled"
    JOURNEY_STOPPED = "journey_stopped"
    CAPPED = "capped"
    UNANSWERED = "unanswered"
    ANSWER_LOST = "answer_lost"
    REFUSED = "refused"
    REPUTATION = "reputation"
    NO_RECEIPT = "no_receipt"
    NOTHING_DUE = "nothing_due"
    OTHER_CONTENT = "other_content"
    UNDATED = "undated"
    ERASED = "erased"
    PAST_DATE = "past_date"
    BEFORE_DATE = "before_date"


@dataclass(frozen=True, slots=True)
class Send:
    """Send now, on the first channel; the rest follow at once (`both`) or when the first fails."""

    channels: tuple[Channel, ...]
    both: bool = False


@dataclass(frozen=True, slots=True)
class Defer:
    """Wait until the given moment (UTC), then decide again."""

    until: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Suppress:
    """Tell nobody, for good; `detail` names the channels and what spoke against each."""

    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """Exstream must print it; `detail` as for Suppress."""

    why: Why
    detail: str = ""


Decision: TypeAlias = Send | Defer | Suppress | Paper


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site sets once for all types. `default_zones` hold for customers of no known zone."""

    window: Window = field(default_factory=Window)
    default_zones: tuple[str, ...] = ("America/New_York",)


def window_for(contact: Contact, policy: Policy) -> Window:
    """When this customer may get an SMS: the site's window, narrowed by the customer's own.

    A wish can only narrow what the law allows (47 CFR 64.1200(c)(1)); one that leaves no time at all
    is no wish that can be met, and the site's window holds.
    """
    if contact.quiet_hours is None:
        return policy.window
    # Releases before took times with a zone, which compare with no local time.
    opens, closes = (time.fromisoformat(text).replace(tzinfo=None) for text in contact.quiet_hours)
    latest, earliest = max(opens, policy.window.opens), min(closes, policy.window.closes)
    return Window(latest, earliest) if latest < earliest else policy.window


PAPER_CHANNELS = frozenset({"paper", "print", "post", "mail", "postal", "letter"})
_CHANNEL_NAMES: Mapping[str, Channel] = {
    "email": "email",
    "e-mail": "email",
    "sms": "sms",
    "text": "sms",
    "mobile": "sms",
}


def decide(
    rule: DocumentRule,
    document: Document,
    contact: Contact,
    suppressed: Collection[Channel],
    zones: Sequence[str],
    now: datetime,
    policy: Policy,
    *,
    channels: Sequence[Channel] | None = None,
) -> Decision:
    """Decide one customer notice.

    `suppressed` are the channels whose address is on the suppression list, `zones` where the
    customer may be (empty: unknown). `channels` restricts the choice to what an earlier decision
    left over. Paper and consent come first, then each channel is asked for its own reasons.
    """
    if document.test_flag:
        return Suppress(Why.TEST_DOCUMENT)
    if hold := stays(rule, contact):
        return Suppress(Why.DO_NOT_DUN, hold)
    if rule.skip:
        return Suppress(Why.ACCOUNT_STATUS, rule.skip)
    if rule.demands_payment and nothing_due(document):
        return Suppress(Why.NOTHING_DUE)
    if contact.paper_required:
        return _paper(rule, Why.PAPER_REQUIRED)
    if contact.withdrew:
        marketing = rule.message_class == "marketing"
        return Suppress(Why.CONSENT_WITHDRAWN) if marketing else _paper(rule, Why.CONSENT_WITHDRAWN)
    if rule.consent == "required" and not (contact.consent and contact.consent.given):
        marketing = rule.message_class == "marketing"
        return Suppress(Why.NO_CONSENT) if marketing else _paper(rule, Why.NO_CONSENT)
    wish = (document.delivery_channel or "").strip().lower()
    if wish in PAPER_CHANNELS and not contact.channel_order:
        return _paper(rule, Why.PAPER_CHOSEN)

    order = (*_order(rule, contact, _CHANNEL_NAMES.get(wish)), *rule.reserve)
    excluded = {c: reason for c in order if (reason := against(c, rule, contact, suppressed))}
    eligible = tuple(c for c in order if c not in excluded and (channels is None or c in channels))
    if not eligible:
        detail = ", ".join(f"{channel}: {reason}" for channel, reason in excluded.items())
        if rule.paper_on_failure:
            return Paper(Why.NO_CHANNEL, detail)
        if excluded and all(reason == "opted out" for reason in excluded.values()):
            return Suppress(Why.OPTED_OUT, detail)
        return Suppress(Why.NO_CHANNEL, detail)
    if eligible[0] == "sms":
        where = tuple(zones) or policy.default_zones
        window = window_for(contact, policy)
        if not is_open(now, where, window):
            return Defer(next_open(now, where, window), Why.QUIET_HOURS)
    return Send(eligible, rule.both_channels)


def _paper(rule: DocumentRule, why: Why) -> Decision:
    """Paper, unless it is a journey's step that is left out for customers who get paper."""
    return Paper(why) if rule.on_paper == "paper" else Suppress(why, "on_paper: skip")


def _order(rule: DocumentRule, contact: Contact, wish: Channel | None) -> tuple[Channel, ...]:
    """The rule's channels, the customer's own order first, else the one that Exstream asked for."""
    first: list[Channel] = [c for c in contact.channel_order if c in rule.channels]
    if not contact.channel_order and wish in rule.channels and wish is not None:
        first = [wish]
    return (*first, *(c for c in rule.channels if c not in first))


def against(
    channel: Channel, rule: DocumentRule, contact: Contact, suppressed: Collection[Channel] = ()
) -> str:
    """What speaks against a channel, in words; empty if nothing does."""
    address = contact.address(channel)
    if address is None:
        return "no address"
    if contact.opted_out(channel, rule.topic):
        return "opted out"
    if not address.usable:
        return address.status.replace("_", " ")
    if channel in suppressed:
        return "suppressed"
    return ""
