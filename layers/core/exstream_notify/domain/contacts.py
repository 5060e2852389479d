"""A customer's contact record and how a drop's record bears on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from .debt_hold import DebtHold
from .documents import Channel, Document, contact_key
from .holders import alike, keyed_digest, name_of, packed, unpacked
from .second_step import known_of
from .statements import Statement

AddressStatus = Literal["ok", "soft", "invalid", "opted_out", "complained"]


@dataclass(frozen=True, slots=True)
class Address:
    """An address of one channel; `value` is canonical, `given` what was written.

    `holder` has the codes of the name in the record that brought it (domain/holders.py), if it had one.
    """

    value: str
    given: str
    status: AddressStatus = "ok"
    why: str = ""
    source: str = "drop"
    zones: tuple[str, ...] = ()
    holder: str = ""

    @property
    def usable(self) -> bool:
        """Whether a message may go there: `soft` failures may, the rest may not."""
        return self.status in ("ok", "soft")


@dataclass(frozen=True, slots=True)
class Consent:
    """Consent to electronic delivery (E-SIGN, 15 USC 7001(c)): scope, version, when and from where."""

    given: bool
    scope: str
    version: str
    at: str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """One message to the owner about a change of address: which note, where to, when, how it ended then.

    The notice's own record says how it stands now.
    """

    note: str
    channel: Channel
    to: str
    at: str
    status: str
    notice_id: str


Review: TypeAlias = Literal["", "asked", "allowed"]
"""Whether a person has to look at a change of address before it takes effect, and whether one did."""


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A new address that a customer asked for: waiting for its code, or confirmed and waiting to take effect.

    `code` is a keyed hash of the code that was sent there, `confirmed_at` empty until it came back;
    the new address is the contact's from `effective_at` at the earliest (domain/address_changes.py).
    `stage` counts the notes to the owner that are done, `told` has each message of them.
    """

    change_id: str
    channel: Channel
    address: Address
    code: str
    asked_at: str
    expires_at: str
    source: str
    tries: int = 0
    confirmed_at: str = ""
    effective_at: str = ""
    stage: int = 0
    told: tuple[Told, ...] = ()
    review: Review = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """What we know of one customer of one domain; of one recipient, where several hold an account.

    `recipient` is empty for the only one, or where a site names none.
    `opt_outs` maps a topic ("*" is all) to channels. `salt` keys the customer's evidence: without
    it the evidence cannot be read any more. `version` counts writes, for optimistic locking.
    `quiet_hours` are the customer's own: local times ("09:00", "18:00") between which an SMS may come.
    `codes_sent` are the times of confirmation codes, for their limit; `changes_locked_until` ends a time in
    which no address can be changed on the page. `second_step` is what can be asked of the customer beside
    the postcode: its kind, and the keyed hash of the answer (domain/second_step.py).
    `legal_hold` names the matter that forbids to erase it. `statements` are what was said of preferences, by
    whom and when (domain/statements.py); the fields are what they come to (domain/hearing.py). `debt_hold`:
    the customer is, or was, not to be asked for money (domain/debt.py); it stands on the contact without a
    recipient. `erased_at` (ISO 8601, UTC) is when the customer was erased, by whom and why: what existed
    before ends as erased (domain/erasure.py). A later record makes the contact anew, with another salt.
    """

    domain: str
    customer_key: str
    salt: str
    version: int = 0
    email: Address | None = None
    mobile: Address | None = None
    channel_order: tuple[Channel, ...] = ()
    opt_outs: Mapping[str, tuple[Channel, ...]] | None = None
    language: str | None = None
    time_zone: str | None = None
    country: str | None = None
    postcode: str | None = None
    paper_required: bool = False
    consent: Consent | None = None
    set_by_customer: tuple[str, ...] = ()
    created_at: str = ""
    changed_at: str = ""
    history: tuple[Mapping[str, str], ...] = ()
    quiet_hours: tuple[str, str] | None = None
    changing: tuple[AddressChange, ...] = ()
    codes_sent: tuple[str, ...] = ()
    changes_locked_until: str = ""
    legal_hold: str = ""
    second_step: str = ""
    recipient: str = ""
    erased_at: str = ""
    erased_by: str = ""
    erased_why: str = ""
    statements: tuple[Statement, ...] = ()
    debt_hold: DebtHold | None = None

    @property
    def contact_key(self) -> str:
        """Its key within the domain: see `contact_key` (domain/documents.py)."""
        return contact_key(self.customer_key, self.recipient)

    @property
    def is_erased(self) -> bool:
        """Whether it is the mark of an erasure, and nothing else is known of the customer."""
        return bool(self.erased_at) and not self.salt

    def address(self, channel: Channel) -> Address | None:
        """The address of a channel, if there is one."""
        return self.email if channel == "email" else self.mobile

    @property
    def withdrew(self) -> bool:
        """Whether the customer took consent to electronic delivery back."""
        return self.consent is not None and not self.consent.given

    def opted_out(self, channel: Channel, topic: str) -> bool:
        """Whether the customer wants nothing on this channel, for this topic or for all."""
        outs = self.opt_outs or {}
        return channel in outs.get(topic, ()) or channel in outs.get("*", ())


MAX_HISTORY = 300
"""Changes that a contact keeps. Whoever has a link may change it without end, and an item of DynamoDB has at
most 400 KB: a contact that cannot be written would stop the slices that it is in."""


def with_entries(contact: Contact, *entries: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    """The contact's history with these entries; the first one says how many older ones are not kept."""
    rows = (*contact.history, *entries)
    if len(rows) <= MAX_HISTORY:
        return rows
    gone = rows[: len(rows) - MAX_HISTORY + 1]
    number = sum(int(entry["from"]) if entry.get("field") == _NOT_KEPT else 1 for entry in gone)
    first = {"at": gone[-1]["at"], "who": "exnotify", "field": _NOT_KEPT, "from": str(number), "to": ""}
    return first, *rows[len(gone) :]


_NOT_KEPT = "older changes"

FIELD_OF: Mapping[Channel, str] = {"email": "email", "sms": "mobile"}
"""The contact's field that holds a channel's address."""


Check: TypeAlias = Callable[[Channel, str, str | None], Address]
"""Syntax and canonical form of a raw address, with the country it was given for: `AddressChecker.check`."""


def _reads_as(known: Address, channel: Channel, raw: str) -> bool:
    """Whether a raw address is the known one without a look: a number without + depends on its country."""
    return known.given == raw and (channel == "email" or raw.startswith("+"))


def addresses_to_check(contact: Contact | None, document: Document) -> dict[Channel, str]:
    """The raw addresses in the record that are new to the contact: only these need checking."""
    found: dict[Channel, str] = {}
    for channel, name in FIELD_OF.items():
        raw = getattr(document, name)
        if not raw:
            continue
        known = contact.address(channel) if contact else None
        if known is None or not _reads_as(known, channel, raw):
            found[channel] = raw
    return found


def address_for(contact: Contact, document: Document, channel: Channel, check: Check) -> Address | None:
    """Where a notice of this document goes on a channel; never the address of another person's record.

    What the customer set; else the record's own address, with what is known of it where it is the
    contact's too; else, if the record has none that can be used, the contact's, unless the run disputes
    whose that is, or a record with another name brought it.
    """
    name, known = FIELD_OF[channel], contact.address(channel)
    if name in contact.set_by_customer:
        return known
    raw = getattr(document, name)
    own: Address | None = None
    if raw:
        same = known is not None and _reads_as(known, channel, raw)
        own = known if same else check(channel, raw, document.country)
    if own is not None and known is not None and own.value == known.value:
        return known
    if (own is not None and own.usable) or known is None:
        return own
    return own if document.disputed or not _may_share(contact, known, document) else known


def _may_share(contact: Contact, known: Address, document: Document) -> bool:
    return not known.holder or alike(unpacked(known.holder), _name(contact.salt, document))


def _name(salt: str, document: Document) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return name_of(document.first_name or "", document.last_name or "", keyed_digest(salt))


def as_addressed(contact: Contact, document: Document, check: Check) -> Contact:
    """The contact as it holds for this document: with `address_for`, and the record's own hours.

    The same object where nothing differs. It is for deciding and sending only, and never stored.
    """
    changes: dict[str, object] = {}
    for channel, name in FIELD_OF.items():
        found = address_for(contact, document, channel, check)
        if found is not contact.address(channel):
            changes[name] = found
    for name in ("time_zone", "country"):
        value = getattr(document, name)
        if value and name not in contact.set_by_customer and value != getattr(contact, name):
            changes[name] = value
    return replace(contact, **changes) if changes else contact  # type: ignore[arg-type]


def as_present(contact: Contact, document: Document, check: Check) -> Contact:
    """The contact as it holds for a later message about this document: where the customer is by now.

    What a later record or the customer said since counts before the document's own record, unless the run
    disputes whose that is, or another person's record said it.
    """
    own = as_addressed(contact, document, check)
    changes: dict[str, object] = {}
    for channel, name in FIELD_OF.items():
        known = contact.address(channel)
        mine = known is not None and known.usable and not document.disputed
        if mine and known is not None and _may_share(contact, known, document):
            changes[name] = known
    for name in ("time_zone", "country"):
        changes[name] = getattr(contact, name) or getattr(own, name)
    return replace(own, **changes)  # type: ignore[arg-type]


def merge(
    contact: Contact | None, document: Document, checked: Mapping[Channel, Address], now: datetime, salt: str
) -> Contact:
    """The contact as it stands after this record; the same object if nothing changes.

    What the customer set wins over what a drop says. A different address in a later drop replaces
    one that an earlier drop brought, and with it an `invalid` mark. A disputed record brings nothing:
    it may be about somebody else. An erased contact is made anew: whoever merges asks first whether the
    record is newer than the erasure (domain/erasure.py).
    """
    at = now.isoformat(timespec="seconds")
    anew = contact is None or contact.is_erased
    if contact is None:
        contact = Contact(document.domain, document.customer_key, salt, recipient=document.recipient or "")
    if anew:
        contact = replace(contact, salt=salt, created_at=at, changed_at=at)
    if document.disputed:
        return replace(contact, version=contact.version + 1) if anew else contact
    changes: dict[str, object] = {}
    for channel, address in checked.items():
        name = FIELD_OF[channel]
        known = contact.address(channel)
        if name in contact.set_by_customer:
            continue
        if known is not None and known.value == address.value:
            continue
        if address.status == "invalid" and known is not None and known.usable:
            continue
        changes[name] = replace(address, holder=packed(_name(contact.salt, document)))
    for name in ("language", "time_zone", "country", "postcode"):
        value = getattr(document, name)
        if value and name not in contact.set_by_customer and getattr(contact, name) != value:
            changes[name] = value
    step = known_of(document.verify_birth_date, document.verify_last4)
    if step and step != contact.second_step and not _weaker(step, contact.second_step):
        changes["second_step"] = step
    if not changes and not anew:
        return contact
    return replace(contact, version=contact.version + 1, changed_at=at, **changes)  # type: ignore[arg-type]


def _weaker(step: str, known: str) -> bool:
    """Whether it is an account's number where the date of birth is known."""
    return step.startswith("last4") and known.startswith("birth_date")
