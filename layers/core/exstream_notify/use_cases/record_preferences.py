"""Take what the portal's customers changed there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..domain.address_changes import Answer
from ..domain.contacts import Contact
from ..domain.documents import Channel
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import notice_id
from ..domain.passes import handle_of
from ..domain.preferences import PortalChange, consented, recorded
from ..ports import Clock, ContactDirectory, ExceptionBus
from .change_preferences import AddressBook
from .notify_owner import Conflict
from .tell_customer import NotToldYet

Done = Literal["changed", "unchanged", "unknown_customer"]

_FIELDS = ("language", "channel_order", "opt_outs", "quiet_hours", "paper_required")
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
    unless the portal verified it, and the owner is notified either way. The same event again does nothing.

    A customer whom no record has named is an exception: the portal may be ahead of the composer.
    Raises NotToldYet where no provider could take the code.
    """
    done: Done = "unchanged"
    for _ in range(_TRIES):
        contact = contacts.get(change.domain, [change.contact_key]).get(change.contact_key)
        if contact is None:
            exceptions.raise_exceptions([_unknown(change)])
            return "unknown_customer"
        after = contact if _taken(contact, change) else _changed(contact, change, clock)
        if after is contact:
            break
        if not contacts.put([after]):
            contact, done = after, "changed"
            break
    else:
        raise Conflict
    wanted: tuple[tuple[Channel, str | None], ...] = (("email", change.email), ("sms", change.mobile))
    for channel, raw in wanted:
        if raw is None:
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


def _taken(contact: Contact, change: PortalChange) -> bool:
    return any(entry["who"] == change.who for entry in contact.history)


def _changed(contact: Contact, change: PortalChange, clock: Clock) -> Contact:
    now = clock.now()
    fields = {name: value for name in _FIELDS if (value := getattr(change, name)) is not None}
    if "opt_outs" in fields:
        fields["opt_outs"] = {t: c for t, c in fields["opt_outs"].items() if c} or None
    owned = ("language",) if "language" in fields else ()
    after = recorded(contact, now, change.who, owned=owned, **fields)
    if change.consent is not None:
        after = consented(after, change.consent, change.consent_version, now, change.who)
        if after.version > contact.version + 1:
            after = _one_write(contact, after)
    return after


def _one_write(before: Contact, after: Contact) -> Contact:
    return replace(after, version=before.version + 1)


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
