"""The Contacts and Suppressions tables."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

import orjson

from ...domain.contacts import Address, Consent, Contact
from ...domain.documents import Channel
from ...domain.identity import address_hash
from ...domain.receipts import Suppression, moment
from .batches import DynamoDBClient, Item, get_items, put_if

_PROFILE = tuple(field.name for field in fields(Contact) if field.name != "version")
_NOTHING = (None, "", (), False)
"""Fields with such a value are left out of the profile."""


class DynamoContacts:
    """`ContactBook` on the Contacts table: one item a customer, the profile as JSON."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, domain: str, customer_keys: Collection[str]) -> dict[str, Contact]:
        """See `ContactBook.get`."""
        found = get_items(self._client, self._table, [f"{domain}#{key}" for key in customer_keys])
        contacts = (contact_from(item) for item in found.values())
        return {contact.customer_key: contact for contact in contacts}

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """See `ContactBook.put`."""
        rows = {f"{c.domain}#{c.customer_key}": c for c in contacts}
        failed = put_if(
            self._client, self._table, {key: (contact_item(key, c), c.version) for key, c in rows.items()}
        )
        return [rows[key].customer_key for key in failed]


def contact_item(key: str, contact: Contact) -> Item:
    """The table's form of a contact."""
    profile = {name: value for name in _PROFILE if (value := getattr(contact, name)) not in _NOTHING}
    return {
        "pk": {"S": key},
        "v": {"N": str(contact.version)},
        "profile": {"S": orjson.dumps(profile).decode()},
    }


def contact_from(item: Item) -> Contact:
    """A contact from the table's form."""
    data: dict[str, Any] = orjson.loads(item["profile"]["S"])
    for name in ("email", "mobile"):
        if name in data:
            address = data[name]
            address["zones"] = tuple(address.get("zones", ()))
            data[name] = Address(**address)
    if "consent" in data:
        data["consent"] = Consent(**data["consent"])
    for name in ("channel_order", "set_by_customer", "history"):
        if name in data:
            data[name] = tuple(data[name])
    if "opt_outs" in data:
        data["opt_outs"] = {topic: tuple(channels) for topic, channels in data["opt_outs"].items()}
    return Contact(version=int(item["v"]["N"]), **data)


class DynamoSuppressions:
    """`SuppressionList` on the Suppressions table, by keyed hash of the canonical address.

    Every pepper there ever was is tried, since an entry made under an old one still holds.
    """

    def __init__(
        self, client: DynamoDBClient, table: str, peppers: Callable[[], Mapping[str, bytes]]
    ) -> None:
        self._client = client
        self._table = table
        self._peppers = peppers

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """See `SuppressionList.suppressed`; an entry past its expiry does not count."""
        if not addresses:
            return set()
        keys = {
            suppression_key(pepper, channel, value): (channel, value)
            for pepper in self._peppers().values()
            for channel, value in addresses
        }
        found = get_items(self._client, self._table, keys, consistent=False)
        now = time.time()
        return {
            keys[key]
            for key, item in found.items()
            if not {"released", "watched"} & set(item)
            and float(item["expires"]["N"] if "expires" in item else "inf") > now
        }

    def hashes(self, channel: Channel, canonical: str) -> tuple[str, ...]:
        """See `SuppressionList.hashes`: every pepper's, the newest first, since that one is current."""
        peppers = self._peppers()
        newest = sorted(peppers, key=lambda version: (len(version), version), reverse=True)
        return tuple(address_hash(peppers[version], channel, canonical) for version in newest)

    def entries(self, addresses: Collection[tuple[Channel, str]]) -> dict[tuple[Channel, str], Suppression]:
        """See `SuppressionList.entries`; read consistently."""
        keys = {f"{channel}#{address}": (channel, address) for channel, address in addresses}
        found = get_items(self._client, self._table, keys) if keys else {}
        return {
            (channel, address): suppression_from(channel, address, found.get(key))
            for key, (channel, address) in keys.items()
        }

    def put(self, entries: Sequence[Suppression]) -> set[tuple[Channel, str]]:
        """See `SuppressionList.put`."""
        rows = {f"{e.channel}#{e.address}": e for e in entries}
        failed = put_if(
            self._client, self._table, {k: (suppression_item(k, e), e.version) for k, e in rows.items()}
        )
        if not failed:
            return set()
        # A write that had succeeded although its answer was lost counts as done.
        stored = self.entries([(rows[k].channel, rows[k].address) for k in failed])
        return {place for place, entry in stored.items() if entry != rows[f"{place[0]}#{place[1]}"]}


_LISTED = tuple(f.name for f in fields(Suppression) if f.name not in ("channel", "address", "version"))


def suppression_item(key: str, entry: Suppression) -> Item:
    """The table's form. `released` and `watched` say without reading on that it is not in force."""
    body = {name: value for name in _LISTED if (value := getattr(entry, name)) not in ("", ())}
    item: Item = {
        "pk": {"S": key},
        "v": {"N": str(entry.version)},
        "body": {"S": orjson.dumps(body).decode()},
    }
    if entry.released:
        item["released"] = {"S": entry.released_at}
    elif not entry.reason:
        item["watched"] = {"S": entry.failures[-1] if entry.failures else entry.at}
    ends = moment(entry.expires)
    if ends is not None:
        item["expires"] = {"N": str(int(ends.timestamp()))}
    return item


def suppression_from(channel: Channel, address: str, item: Item | None) -> Suppression:
    """An entry from the table's form; one that stands there without a body was put in by hand."""
    if item is None:
        return Suppression(channel, address)
    version = int(item["v"]["N"]) if "v" in item else 0
    if "body" not in item:
        return Suppression(channel, address, reason="hard", source="by hand", version=version)
    body = orjson.loads(item["body"]["S"])
    for name in ("failures", "history"):
        body[name] = tuple(body.get(name, ()))
    return Suppression(channel, address, version=version, **body)


def suppression_key(pepper: bytes, channel: Channel, canonical: str) -> str:
    """Where an address stands in the table."""
    return f"{channel}#{address_hash(pepper, channel, canonical)}"
