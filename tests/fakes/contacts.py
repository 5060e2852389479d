"""Contacts, suppressions and the address checker, in memory."""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from exstream_notify.domain.contacts import Address, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.passes import handle_of
from exstream_notify.domain.receipts import Suppression, allowed_from, stopped_from, without_topics


class FakeContacts:
    """`ContactDirectory` with optimistic locking: a contact is written where the stored version is one less."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Contact] = {}
        self._lock = threading.Lock()

    def get(self, domain: str, contact_keys: Collection[str]) -> dict[str, Contact]:
        """See `ContactBook.get`."""
        with self._lock:
            found = {key: self.stored.get((domain, key)) for key in contact_keys}
        return {key: contact for key, contact in found.items() if contact is not None}

    def by_handle(self, handle: str) -> Contact | None:
        """See `ContactDirectory.by_handle`."""
        return next((c for c in self.stored.values() if c.salt and handle_of(c.salt) == handle), None)

    def at_address(self, channel: Channel, canonical: str) -> list[Contact]:
        """See `ContactDirectory.at_address`."""
        found = [c for c in self.stored.values() if (a := c.address(channel)) and a.value == canonical]
        return sorted(found, key=lambda c: (c.domain, c.contact_key))

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """See `ContactBook.put`."""
        failed = []
        with self._lock:
            for contact in contacts:
                key = (contact.domain, contact.contact_key)
                known = self.stored.get(key)
                if (known.version if known else 0) == contact.version - 1:
                    self.stored[key] = contact
                else:
                    failed.append(contact.contact_key)
        return failed


class FakeSuppressions:
    """`OptOutList`: addresses put in by hand, and entries by hash. Expiry goes by the clock, if given."""

    def __init__(self, *addresses: tuple[Channel, str], now: Callable[[], datetime] | None = None) -> None:
        self.addresses: set[tuple[Channel, str]] = set(addresses)
        self.stored: dict[tuple[Channel, str], Suppression] = {}
        self._now = now or (lambda: datetime.now(UTC))

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """See `SuppressionList.suppressed`."""
        now = self._now()
        listed = {
            (channel, value)
            for channel, value in addresses
            if any(
                (entry := self.stored.get((channel, one))) is not None and entry.in_force(now)
                for one in self.hashes(channel, value)
            )
        }
        return listed | (self.addresses & set(addresses))

    def hashes(self, channel: Channel, canonical: str) -> tuple[str, ...]:
        """See `SuppressionList.hashes`."""
        return (f"hash of {channel}:{canonical}",)

    def entries(self, addresses: Collection[tuple[Channel, str]]) -> dict[tuple[Channel, str], Suppression]:
        """See `SuppressionList.entries`."""
        return {place: self.stored.get(place, Suppression(*place)) for place in addresses}

    def put(self, entries: Sequence[Suppression]) -> set[tuple[Channel, str]]:
        """See `SuppressionList.put`."""
        failed: set[tuple[Channel, str]] = set()
        for entry in entries:
            place = (entry.channel, entry.address)
            known = self.stored.get(place)
            if (known.version if known else 0) == entry.version - 1:
                self.stored[place] = entry
            elif known != entry:
                failed.add(place)
        return failed

    def stop(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.stop`."""
        if self.stopped_by(channel, canonical) is not None:
            return False
        self.put([stopped_from(entry, source, at) for entry in self._entries(channel, canonical)])
        return True

    def stop_topics(
        self, channel: Channel, canonical: str, topics: Collection[str], source: str, at: datetime
    ) -> None:
        """See `OptOutList.stop_topics`."""
        known = self._entries(channel, canonical)
        self.put([a for entry in known if (a := without_topics(entry, topics, source, at)) is not entry])

    def stopped_by(self, channel: Channel, canonical: str) -> str | None:
        """See `OptOutList.stopped_by`."""
        return next((entry.stopped for entry in self._entries(channel, canonical) if entry.stopped), None)

    def allow(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.allow`."""
        stops = [entry for entry in self._entries(channel, canonical) if entry.stopped or entry.topics]
        self.put([allowed_from(entry, source, at) for entry in stops])
        return any(entry.stopped for entry in stops)

    def _entries(self, channel: Channel, canonical: str) -> list[Suppression]:
        return list(self.entries([(channel, one) for one in self.hashes(channel, canonical)]).values())


class FakeAddresses:
    """`AddressChecker` by sight: an e-mail has an @, a number starts with +; canonical is lower case."""

    def check(self, channel: Channel, raw: str, country: str | None) -> Address:
        """See `AddressChecker.check`."""
        good = "@" in raw if channel == "email" else raw.startswith("+")
        if not good:
            return Address(raw, raw, "invalid", "bad syntax")
        return Address(raw.strip().lower(), raw)

    def zones(self, contact: Contact) -> tuple[str, ...]:
        """See `AddressChecker.zones`."""
        if contact.time_zone:
            return (contact.time_zone,)
        return contact.mobile.zones if contact.mobile else ()
