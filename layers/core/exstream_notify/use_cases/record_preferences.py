"""Take what the portal's customers changed there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ..domain.address_changes import Answer
from ..domain.contacts import FIELD_OF, Contact
from ..domain.documents import Channel
from ..domain.erasure import existed_before_erasure
from ..domain.exceptions import ExceptionRaised
from ..domain.hearing import CHANNELS, FIELDS, Voice, heard, said_of, text_of
from ..domain.identity import notice_id
from ..domain.passes import handle_of
from ..domain.preferences import PortalChange, consent_text
from ..domain.receipts import moment
from ..domain.statements import IN, OUT, Statement, counting, spoken_at
from ..ports import AddressChecker, Clock, ContactDirectory, ExceptionBus
from .change_preferences import AddressBook
from .notify_owner import Conflict
from .tell_customer import NotToldYet

Done = Literal["changed", "unchanged", "unknown_customer", "erased"]

_TRIES = 5


def record_preferences(
    change: PortalChange,
    *,
    contacts: ContactDirectory,
    exceptions: ExceptionBus,
    clock: Clock,
    book: AddressBook,
) -> Done:
    """Carry out a portal's change. The portal's sign-in is the second step; a new address gets a code
    unless the portal verified it, and the owner is notified either way. Events may come twice, late and out
    of order: what was said later than an event stays.

    A customer whom no record has named is an exception: the portal may be ahead of the composer. Of a
    customer who was erased since nothing is taken.
    Raises NotToldYet where no provider could take the code.
    """
    done: Done = "unchanged"
    for _ in range(_TRIES):
        contact = contacts.get(change.domain, [change.contact_key]).get(change.contact_key)
        if existed_before_erasure(contact, moment(change.at) if change.at else clock.now()):
            return "erased"
        if contact is None or contact.is_erased:
            exceptions.raise_exceptions([_unknown(change)])
            return "unknown_customer"
        said = _statements(change, contact, book.owner.addresses, clock.now())
        after = heard(contact, said, clock.now())
        if after is contact:
            break
        if book.owner.ways.stays_stopped(contact, after):
            exceptions.raise_exceptions([_unusable(change, contact, "sms", _STAYS_STOPPED)])
        if not contacts.put([after]):
            contact, done = after, "changed"
            break
    else:
        raise Conflict
    for channel, raw in _addresses(change):
        if contact.is_erased or _is_old(contact, change, channel, clock.now()):
            continue
        if change.verified:
            answer = book.take(contact, channel, raw, change.who, _change_id(change, channel))
        else:
            answer = book.begin(contact, channel, raw, change.who, _change_id(change, channel))
        if answer == Answer.LATER:
            raise NotToldYet(channel)
        if answer in _REFUSED:
            exceptions.raise_exceptions([_unusable(change, contact, channel, _REFUSED[answer])])
        found = contacts.get(change.domain, [change.contact_key]).get(change.contact_key, contact)
        done = "changed" if found.version != contact.version else done
        contact = found
    return done


def _change_id(change: PortalChange, channel: Channel) -> str:
    """The same for the same event, so that its redelivery sends nothing a second time."""
    return notice_id(
        change.domain,
        change.customer_key,
        change.event_id,
        recipient=change.recipient,
        purpose=f"address:{channel}",
    )


def _statements(
    change: PortalChange, contact: Contact, addresses: AddressChecker, now: datetime
) -> list[Statement]:
    """What the event says, each of the time that it speaks of."""
    voice = Voice("customer", change.who, spoken_at(change.at, now), now)
    new = [
        voice.says(name, text_of(name, value))
        for name in FIELDS
        if (value := getattr(change, name)) is not None
    ]
    for topic, channels in (change.opt_outs or {}).items():
        for channel in CHANNELS:
            new += voice.opts(OUT if channel in channels else IN, [topic], [channel])
    if change.consent is not None:
        new.append(voice.says("consent", consent_text(change.consent, change.consent_version)))
    for channel, raw in _addresses(change):
        address = addresses.check(channel, raw, contact.country)
        if address.usable:
            new.append(voice.says(FIELD_OF[channel], address.value))
    return new


def _addresses(change: PortalChange) -> list[tuple[Channel, str]]:
    wanted: tuple[tuple[Channel, str | None], ...] = (("email", change.email), ("sms", change.mobile))
    return [(channel, raw) for channel, raw in wanted if raw is not None]


def _is_old(contact: Contact, change: PortalChange, channel: Channel, now: datetime) -> bool:
    """Whether somebody named an address of the channel after the time that the event speaks of."""
    said = counting(said_of(contact), FIELD_OF[channel])
    return said is not None and said.by != change.who and said.at >= spoken_at(change.at, now)


def _unknown(change: PortalChange) -> ExceptionRaised:
    return ExceptionRaised(
        "preferences_unknown_customer",
        "warning",
        change.domain,
        "portal",
        "the portal changed preferences of a customer whom no record has named yet",
        part=f"event {change.event_id}",
    )


_REFUSED: Mapping[Answer, str] = {
    Answer.WRONG: "the portal set an address that no message can go to",
    Answer.LOCKED: "the portal set an address while the one before can still be undone, or was just undone",
    Answer.TOO_OFTEN: "the portal set more new addresses in a day than codes go out",
    Answer.STOPPED: "the portal set a number, and no code goes there: texts were stopped",
    Answer.SUPPRESSED: "the portal set an address, and no code goes there: it is suppressed",
    Answer.OFF: "the portal set an address, and no code goes there: the channel is switched off",
    Answer.EXPIRED: "the portal set an address, and no provider took the code within its fifteen minutes",
}
"""Why an address that the portal set is not the contact's, nor going to be."""


_STAYS_STOPPED = "the portal switched texts on, and the number stays stopped until START comes from it"


def _unusable(change: PortalChange, contact: Contact, channel: Channel, why: str) -> ExceptionRaised:
    return ExceptionRaised(
        "preferences_unusable",
        "warning",
        change.domain,
        "portal",
        f"{why} ({channel})",
        part=f"event {change.event_id} {channel}",
        detail={"contact": handle_of(contact.salt)},
    )
