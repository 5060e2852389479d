"""What a customer wants: every change as a pure function that also writes the contact's history."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from .contacts import Address, Consent, Contact, with_entries
from .documents import Channel, DocumentRule, MessageClass, contact_key
from .quiet_hours import Window

CHANNELS: tuple[Channel, ...] = ("email", "sms")

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


def said(value: object) -> str:
    """A field's value as text, for the history."""
    if value is None or value == ():
        return ""
    if isinstance(value, Address):
        return value.value if value.status == "ok" else f"{value.value} ({value.status})"
    if isinstance(value, Consent):
        return f"{'given' if value.given else 'withdrawn'} {value.scope} {value.version}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{topic}/{c}" for topic in sorted(value) for c in value[topic])
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def recorded(
    contact: Contact, now: datetime, who: str, why: str = "", owned: Collection[str] = (), **fields: object
) -> Contact:
    """The contact with these fields, one version on, each change in its history; the same if none changed.

    `owned` are fields that from now on win over what a drop says.
    """
    at = now.isoformat(timespec="seconds")
    history: list[Mapping[str, str]] = []
    for name, value in fields.items():
        old, new = said(getattr(contact, name)), said(value)
        if old != new:
            entry = {"at": at, "who": who, "field": name, "from": old, "to": new}
            history.append({**entry, "why": why} if why else entry)
    own = tuple(sorted({*contact.set_by_customer, *owned}))
    if not history and own == contact.set_by_customer:
        return contact
    return replace(
        contact,
        **fields,  # type: ignore[arg-type]
        set_by_customer=own,
        version=contact.version + 1,
        changed_at=at,
        history=with_entries(contact, *history),
    )


def with_wishes(contact: Contact, wishes: Wishes, now: datetime, who: str) -> Contact:
    """The contact as the page's form says."""
    outs = {topic: channels for topic, channels in (contact.opt_outs or {}).items() if topic != "*"}
    stopped = (contact.opt_outs or {}).get("*", ())
    for topic, wanted in wishes.wanted.items():
        outs[topic] = tuple(c for c in CHANNELS if c not in wanted)
    # A channel that was stopped for everything is open again once one topic is wanted on it.
    still = tuple(c for c in stopped if not any(c in wanted for wanted in wishes.wanted.values()))
    if still:
        outs["*"] = still
    return recorded(
        contact,
        now,
        who,
        owned=("language",) if wishes.language != (contact.language or "") else (),
        opt_outs={topic: channels for topic, channels in outs.items() if channels} or None,
        channel_order=wishes.channel_order,
        language=wishes.language or contact.language,
        quiet_hours=wishes.quiet_hours,
    )


def without(
    contact: Contact,
    topics: Iterable[str],
    channels: Sequence[Channel],
    now: datetime,
    who: str,
    why: str = "",
) -> Contact:
    """The contact opted out of these topics ("*" is all) on these channels."""
    outs = dict(contact.opt_outs or {})
    for topic in topics:
        outs[topic] = tuple(c for c in CHANNELS if c in (*outs.get(topic, ()), *channels))
    return recorded(contact, now, who, why, opt_outs={t: c for t, c in outs.items() if c} or None)


def again(
    contact: Contact, topics: Iterable[str], channel: Channel, now: datetime, who: str, why: str = ""
) -> Contact:
    """The contact opted in again on a channel: for everything ("*"), or these topics."""
    outs = dict(contact.opt_outs or {})
    for topic in topics:
        outs[topic] = tuple(c for c in outs.get(topic, ()) if c != channel)
    return recorded(contact, now, who, why, opt_outs={t: c for t, c in outs.items() if c} or None)


def consented(contact: Contact, given: bool, version: str, now: datetime, source: str) -> Contact:
    """Consent to electronic delivery given or taken back (15 USC 7001(c)): scope, version, time, source.

    Saying again what stands changes nothing, but a newer version of the terms is a new consent.
    """
    before = contact.consent
    if before is not None and before.given == given and (before.version == version or not given):
        return contact
    consent = Consent(given, "electronic delivery", version, now.isoformat(timespec="seconds"), source)
    return recorded(contact, now, source, consent=consent)


def own_window(opens: str, closes: str, site: Window) -> tuple[str, str] | None:
    """The customer's own times as stored, None if they are the site's; ValueError if they cannot be met."""
    first, last = time.fromisoformat(opens), time.fromisoformat(closes)
    if not site.opens <= first < last <= site.closes:
        raise ValueError("outside the hours in which messages may be sent")
    if (first, last) == (site.opens, site.closes):
        return None
    return first.isoformat("minutes"), last.isoformat("minutes")


@dataclass(frozen=True, slots=True)
class PortalChange:
    """What a portal says that its signed-in customer changed; None: not spoken of.

    `verified` means that the portal proved the new addresses itself, with a code of its own. `at` is when it
    said so (ISO 8601), empty if that is not known.
    """

    event_id: str
    domain: str
    customer_key: str
    language: str | None = None
    channel_order: tuple[Channel, ...] | None = None
    opt_outs: Mapping[str, tuple[Channel, ...]] | None = None
    quiet_hours: tuple[str, str] | None = None
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
