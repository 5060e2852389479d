"""Take what the portal's customers changed there."""

from dataclasses import replace
from typing import Literal

from ..domain.address_changes import Answer
from ..domain.contacts import Contact
from ..domain.exceptions import ExceptionRaised
from ..domain.preferences import PortalChange, consented, recorded
from ..ports import Clock, ContactDirectory, ExceptionBus
from .change_preferences import AddressBook, Conflict
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
    unless the portal verified it, and the old one is told either way. The same event again does nothing.

    A customer whom no record has named is an exception: the portal may be ahead of the composer.
    Raises NotToldYet where a verified address waits for the old one to be told.
    """
    done: Done = "unchanged"
    for _ in range(_TRIES):
        contact = contacts.get(change.domain, [change.customer_key]).get(change.customer_key)
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
    for channel, raw in (("email", change.email), ("sms", change.mobile)):
        if raw is None:
            continue
        take = book.take if change.verified else book.begin
        answer = take(contact, "email" if channel == "email" else "sms", raw, change.who)
        if answer == Answer.WRONG:
            exceptions.raise_exceptions([_unusable(change, channel)])
        if answer == Answer.TOO_OFTEN and change.verified:
            # Nothing is taken over before the old address is told: the event comes back.
            raise NotToldYet("the old address could not be told yet")
        done = "changed" if answer == Answer.DONE else done
        found = contacts.get(change.domain, [change.customer_key])
        contact = found.get(change.customer_key, contact)
    return done


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


def _unusable(change: PortalChange, channel: str) -> ExceptionRaised:
    return ExceptionRaised(
        "preferences_unusable",
        "warning",
        change.domain,
        "portal",
        f"the portal set an address that no message can go to ({channel})",
        part=f"event {change.event_id} {channel}",
    )
