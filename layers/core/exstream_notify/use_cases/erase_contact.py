"""Erase a contact, and keep for a later one what the customer had stopped."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from ..domain.contacts import Contact
from ..domain.documents import Channel
from ..domain.erasure import erased
from ..domain.holds import refuse_if_held
from ..domain.preferences import CHANNELS, without
from ..ports import Clock, ContactBook, OptOutList, SuppressionList

_TRIES = 5
KEPT = "opt-out kept from an erasure"
"""Who changed a contact, in its history, that begins with the opt-outs of an erased one."""


def erase_contact(
    contact: Contact, who: str, why: str, *, contacts: ContactBook, opt_outs: OptOutList, clock: Clock
) -> Contact:
    """The mark that stays in the contact's place (domain/erasure.py); one that is erased already stays so.

    What the customer stopped stays stopped, by keyed hash of the address: everything, or topics. That is
    kept first, so that a repeat after a failure loses nothing. Raises ErasureForbidden for a legal hold.
    """
    for _ in range(_TRIES):
        if contact.is_erased:
            return contact
        refuse_if_held(contact)
        now = clock.now()
        _keep_opt_outs(contact, f"erasure by {who}", opt_outs, now)
        mark = erased(contact, who, why, now)
        if not contacts.put([mark]):
            return mark
        found = contacts.get(contact.domain, [contact.contact_key]).get(contact.contact_key)
        contact = found or Contact(contact.domain, contact.customer_key, "", recipient=contact.recipient)
    raise RuntimeError("the contact kept changing under five attempts to erase it")


def _keep_opt_outs(contact: Contact, source: str, opt_outs: OptOutList, now: datetime) -> None:
    for channel in CHANNELS:
        address = contact.address(channel)
        if address is None:
            continue
        topics = {topic for topic, channels in (contact.opt_outs or {}).items() if channel in channels}
        if "*" in topics or not address.usable:
            opt_outs.stop(channel, address.value, source, now)
        if left := topics - {"*"}:
            opt_outs.stop_topics(channel, address.value, left, source, now)


def with_kept_opt_outs(
    contacts: Mapping[str, Contact],
    before: Mapping[str, Contact],
    suppressions: SuppressionList,
    now: datetime,
) -> dict[str, Contact]:
    """These changed contacts, opted out of what the holder of a new address had opted out of when they were
    erased; both by contact key. One call for all of them, and none where no address is new."""
    fresh: dict[tuple[str, Channel], Collection[tuple[Channel, str]]] = {}
    for key, contact in contacts.items():
        for channel in CHANNELS:
            address, known = contact.address(channel), before[key].address(channel) if key in before else None
            if address is not None and (known is None or known.value != address.value):
                hashes = suppressions.hashes(channel, address.value)
                fresh[key, channel] = [(channel, one) for one in hashes]
    found = dict(contacts)
    entries = suppressions.entries({place for places in fresh.values() for place in places}) if fresh else {}
    for (key, channel), places in fresh.items():
        topics = {topic for place in places for topic in entries[place].topics}
        if topics:
            after = without(found[key], sorted(topics), (channel,), now, KEPT)
            found[key] = replace(after, version=contacts[key].version)
    return found
