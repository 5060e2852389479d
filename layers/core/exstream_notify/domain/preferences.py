"""What customers say that they want, as statements that the contact hears."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .contacts import Contact, with_entries
from .documents import Channel, DocumentRule, MessageClass, contact_key
from .hearing import CHANNELS as CHANNELS
from .hearing import acts, heard, spoken, text_of
from .quiet_hours import Window, local_time
from .statements import ALL, IN, OUT, Statement

_STRENGTH: Sequence[MessageClass] = ("marketing", "transactional", "collections", "regulated")

MAY_LEAVE: Mapping[MessageClass, bool] = {
    "marketing": True,  # CAN-SPAM, 15 USC 7704(a)(3)
    "transactional": True,  # a service that the customer may do without
    "collections": False,  # the debtor's own rights run from these notices (12 CFR 1006)
    "regulated": False,  # must reach the customer; without a channel it goes on paper
}
"""Whether "unsubscribe from all" ends messages of this class; single channels can always be chosen."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as a customer sees it; its class is the strictest of the document types under it."""

    name: str
    message_class: MessageClass
    channels: tuple[Channel, ...]

    @property
    def may_leave(self) -> bool:
        """Whether one can unsubscribe from it as a whole."""
        return MAY_LEAVE[self.message_class]


def topics_of(rules: Iterable[DocumentRule]) -> tuple[Topic, ...]:
    """The topics of these document types, by name."""
    found: dict[str, Topic] = {}
    for rule in rules:
        before = found.get(rule.topic)
        strictest = max(
            (rule.message_class, *([before.message_class] if before else ())), key=_STRENGTH.index
        )
        channels = {*rule.channels, *(before.channels if before else ())}
        found[rule.topic] = Topic(rule.topic, strictest, tuple(c for c in CHANNELS if c in channels))
    return tuple(found[name] for name in sorted(found))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a customer set on the page: the whole of it, each time.

    `wanted` has the channels of every topic that the page showed; topics that it did not show stay.
    """

    wanted: Mapping[str, tuple[Channel, ...]]
    channel_order: tuple[Channel, ...]
    language: str
    quiet_hours: tuple[str, str] | None


def recorded(contact: Contact, now: datetime, who: str, **fields: object) -> Contact:
    """The contact with these facts about it, one version on, each change in its history; the same if none
    changed. What customers want is not recorded but heard (domain/hearing.py)."""
    at = now.isoformat(timespec="seconds")
    history: list[Mapping[str, str]] = []
    for name, value in fields.items():
        old, new = spoken(getattr(contact, name)), spoken(value)
        if old != new:
            history.append({"at": at, "who": who, "field": name, "from": old, "to": new})
    if not history:
        return contact
    return replace(
        contact,
        **fields,  # type: ignore[arg-type]
        version=contact.version + 1,
        changed_at=at,
        history=with_entries(contact, *history),
    )


def with_wishes(
    contact: Contact, wishes: Wishes, now: datetime, who: str, shown: Wishes | None = None
) -> Contact:
    """The contact as the page's form says: only what the customer changed from what was shown was said.

    `shown` is the form as it was shown; without it, the contact's own fields. A channel that was stopped for
    everything is open again once one topic is wanted on it: the others were shown as off, and stay off.
    """
    shown = shown or _as_it_is(contact, wishes)
    voice = acts("customer", who, now, contact)
    new: list[Statement] = []
    opened = {
        channel
        for topic, wanted in wishes.wanted.items()
        for channel in set(wanted) - set(shown.wanted[topic])
        if channel in (contact.opt_outs or {}).get(ALL, ())
    }
    new += voice.opts(IN, [ALL], sorted(opened))
    for topic, wanted in wishes.wanted.items():
        on, off = set(wanted) - set(shown.wanted[topic]), set(shown.wanted[topic]) - set(wanted)
        new += voice.opts(IN, [topic], sorted(on))
        new += voice.opts(OUT, [topic], sorted(off | (opened - set(wanted))))
    for name in ("language", "channel_order", "quiet_hours"):
        value = getattr(wishes, name)
        if value != getattr(shown, name):
            new.append(voice.says(name, text_of(name, value)))
    return heard(contact, new, now)


def _as_it_is(contact: Contact, wishes: Wishes) -> Wishes:
    wanted = {topic: tuple(c for c in CHANNELS if not contact.opted_out(c, topic)) for topic in wishes.wanted}
    return Wishes(wanted, contact.channel_order, contact.language or "", contact.quiet_hours)


def without(
    contact: Contact, topics: Iterable[str], channels: Sequence[Channel], now: datetime, who: str
) -> Contact:
    """The contact after the customer opted out of these topics ("*" is all) on these channels."""
    return heard(contact, acts("customer", who, now, contact).opts(OUT, topics, channels), now)


def consented(contact: Contact, given: bool, version: str, now: datetime, who: str) -> Contact:
    """The contact after the customer gave consent to electronic delivery, or took it back (15 USC 7001(c)).

    Saying again what stands changes nothing, but a newer version of the terms is a new consent.
    """
    before = contact.consent
    if before is not None and before.given == given and (before.version == version or not given):
        return contact
    return heard(
        contact, [acts("customer", who, now, contact).says("consent", consent_text(given, version))], now
    )


def consent_text(given: bool, version: str) -> str:
    """Consent as a statement has it."""
    return f"{'given' if given else 'withdrawn'} {version}".strip()


def own_window(opens: str, closes: str, site: Window) -> tuple[str, str] | None:
    """The customer's own times as stored, None if they are the site's; ValueError if they cannot be met."""
    first, last = local_time(opens), local_time(closes)
    if not site.opens <= first < last <= site.closes:
        raise ValueError("outside the hours in which messages may be sent")
    if (first, last) == (site.opens, site.closes):
        return None
    return first.isoformat("minutes"), last.isoformat("minutes")


@dataclass(frozen=True, slots=True)
class PortalChange:
    """What a portal says that its signed-in customer changed; None: not spoken of.

    `at` is when the customer said it (UTC; empty: now). Empty `quiet_hours` are the site's. `opt_outs` speaks
    of the topics that it names: off on the channels listed, on on the others. `verified` means that the
    portal proved the new addresses itself, with a code of its own.
    """

    event_id: str
    domain: str
    customer_key: str
    language: str | None = None
    channel_order: tuple[Channel, ...] | None = None
    opt_outs: Mapping[str, tuple[Channel, ...]] | None = None
    quiet_hours: tuple[str, str] | tuple[()] | None = None
    paper_required: bool | None = None
    consent: bool | None = None
    consent_version: str = ""
    email: str | None = None
    mobile: str | None = None
    verified: bool = False
    recipient: str = ""
    at: str = ""

    @property
    def contact_key(self) -> str:
        """The contact that it changes: the one without a recipient, unless it names one."""
        return contact_key(self.customer_key, self.recipient)

    @property
    def who(self) -> str:
        """As it stands in the contact's history."""
        return f"portal {self.event_id}"
