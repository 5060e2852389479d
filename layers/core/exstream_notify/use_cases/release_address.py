"""Lift the suppression of a customer's address, with who did it and why."""

from collections.abc import Mapping
from dataclasses import replace

from ..domain.contacts import Contact, with_entries
from ..domain.documents import Channel
from ..domain.receipts import Suppression, released
from ..ports import Clock, ContactBook, ExceptionBus, SuppressionList
from .tell_portal import tell_portal

_TRIES = 5


class NothingToRelease(Exception):
    """The address is neither suppressed nor marked, or there is none."""


def release_address(
    contact: Contact,
    channel: Channel,
    who: str,
    why: str,
    *,
    contacts: ContactBook,
    suppressions: SuppressionList,
    bus: ExceptionBus,
    clock: Clock,
) -> tuple[Contact, list[Suppression]]:
    """The contact with its address usable again, and the entries that were lifted.

    The entry stays, with its history: what happens to the address from now on suppresses it again.
    It is lifted for every customer who has the address; the mark goes from this contact alone, since
    the others' may have reasons of their own. A stop by whoever has it stands, here or with the provider.
    Raises NothingToRelease.
    """
    address = contact.address(channel)
    if address is None:
        raise NothingToRelease(f"there is no address for {channel}")
    now = clock.now()
    lifted: list[Suppression] = []
    hashes = suppressions.hashes(channel, address.value)
    for _ in range(_TRIES):
        known = suppressions.entries([(channel, one) for one in hashes])
        lifted = [
            released(e, who, why, now) for e in known.values() if (e.reason or e.failures) and not e.released
        ]
        if not lifted or not suppressions.put(lifted):
            break
    else:
        raise RuntimeError("a suppression kept changing under five attempts to lift it")
    if not lifted and address.status == "opted_out":
        raise NothingToRelease(f"the customer unsubscribed ({address.why}), and only they can come back")
    if not lifted and address.status == "ok":
        if stop := next((e.stopped for e in known.values() if e.stopped), ""):
            raise NothingToRelease(f"the customer stopped it ({stop}), and only they can start it again")
        raise NothingToRelease(f"the address for {channel} is neither suppressed nor marked")
    for _ in range(_TRIES):
        address = contact.address(channel)
        if address is None or address.status == "opted_out":
            return contact, lifted
        name = "email" if channel == "email" else "mobile"
        entry: Mapping[str, str] = {
            "at": now.isoformat(timespec="seconds"),
            "who": who,
            "field": f"{name} status",
            "from": address.status,
            "to": "ok",
            "why": why,
        }
        after = replace(
            contact,
            **{name: replace(address, status="ok", why="")},  # type: ignore[arg-type]
            version=contact.version + 1,
            changed_at=entry["at"],
            history=with_entries(contact, entry),
        )
        tell_portal([(contact, after)], who, bus, entry["at"])
        if not contacts.put([after]):
            return after, lifted
        contact = contacts.get(contact.domain, [contact.contact_key])[contact.contact_key]
    raise RuntimeError("the contact kept changing under five attempts to change it")
