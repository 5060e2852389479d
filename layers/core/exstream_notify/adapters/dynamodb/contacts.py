"""The Contacts and Suppressions tables."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import orjson

from ...domain.contacts import Address, AddressChange, Consent, Contact, Told
from ...domain.debt_hold import DebtHold
from ...domain.documents import Channel
from ...domain.identity import address_hash
from ...domain.passes import handle_of
from ...domain.receipts import Suppression, moment
from ...domain.statements import Statement
from .batches import DynamoDBClient, Item, get_items, put_if, query

_PROFILE = tuple(field.name for field in fields(Contact) if field.name != "version")
_NOTHING = (None, "", (), False, 0)
"""Fields with such a value are left out of the profile."""


TOMBSTONE = "#erased#"
"""What the key of a record begins with that earlier releases left of an erased contact, by a hash of its key;
no domain's name begins so."""


class DynamoContacts:
    """`ContactBook` on the Contacts table: one item a contact, by contact key, the profile as JSON.

    With `peppers` (the current one's name, and all) items carry the keyed hashes of their addresses, by
    which `at_address` finds everybody who shares one.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        peppers: Callable[[], tuple[str, Mapping[str, bytes]]] | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._peppers = peppers

    def get(self, domain: str, contact_keys: Collection[str]) -> dict[str, Contact]:
        """See `ContactBook.get`."""
        found = get_items(self._client, self._table, [f"{domain}#{key}" for key in contact_keys])
        return {contact.contact_key: contact for contact in map(contact_from, found.values())}

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """See `ContactBook.put`."""
        rows = {f"{c.domain}#{c.contact_key}": c for c in contacts}
        failed = put_if(
            self._client, self._table, {key: (self._item(key, c), c.version) for key, c in rows.items()}
        )
        return [rows[key].contact_key for key in failed]

    def by_handle(self, handle: str) -> Contact | None:
        """See `ContactDirectory.by_handle`."""
        rows = self._keys("handle", "handle", handle)
        found = get_items(self._client, self._table, rows)
        return next((contact_from(item) for item in found.values()), None)

    def at_address(self, channel: Channel, canonical: str) -> list[Contact]:
        """See `ContactDirectory.at_address`; hashes under older peppers are looked for too."""
        if self._peppers is None:
            raise RuntimeError("addresses are found by keyed hash, and no peppers were given")
        name = _INDEX[channel]
        hashes = {address_hash(pepper, channel, canonical) for pepper in self._peppers()[1].values()}
        keys = {key for one in hashes for key in self._keys(name, f"{name}_hash", one)}
        contacts = map(contact_from, get_items(self._client, self._table, keys).values())
        # The index may lag behind: the contact itself decides.
        holding = [c for c in contacts if (a := c.address(channel)) is not None and a.value == canonical]
        return sorted(holding, key=lambda c: (c.domain, c.contact_key))

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        """Every contact of one of so many segments of the table, in no order."""
        rows = query(
            self._client.scan,
            TableName=self._table,
            Segment=segment,
            TotalSegments=segments,
            ConsistentRead=True,
        )
        for item in rows:
            if not item["pk"]["S"].startswith(TOMBSTONE):
                yield contact_from(item)

    def _keys(self, index: str, attribute: str, value: str) -> list[str]:
        rows = query(
            self._client.query,
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": {"S": value}},
        )
        return [row["pk"]["S"] for row in rows]

    def _item(self, key: str, contact: Contact) -> Item:
        item = contact_item(key, contact)
        if contact.salt:
            item["handle"] = {"S": handle_of(contact.salt)}
        if self._peppers is not None:
            current, peppers = self._peppers()
            for channel, name in _INDEX.items():
                if (address := contact.address(channel)) is not None:
                    item[f"{name}_hash"] = {"S": address_hash(peppers[current], channel, address.value)}
        return item


_INDEX: Mapping[Channel, str] = {"email": "email", "sms": "mobile"}
"""The table's indexes by channel; the attribute that each is on ends in `_hash`."""


def contact_item(key: str, contact: Contact) -> Item:
    """The table's form of a contact."""
    profile = {name: value for name in _PROFILE if (value := getattr(contact, name)) not in _NOTHING}
    if contact.changing:
        profile["changing"] = [_part(change, _ASKED) for change in contact.changing]
        profile["owner_notes"] = {change.change_id: _part(change, _NOTED) for change in contact.changing}
    return {
        "pk": {"S": key},
        "v": {"N": str(contact.version)},
        "profile": {"S": orjson.dumps(profile).decode()},
    }


_NOTED = ("stage", "told", "review")
"""What became of the notes about a change; kept apart, since the release before reads only the rest."""

_ASKED = tuple(field.name for field in fields(AddressChange) if field.name not in _NOTED)


def _part(change: AddressChange, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(change, name) for name in names}


def contact_from(item: Item) -> Contact:
    """A contact from the table's form."""
    data: dict[str, Any] = {"salt": "", **orjson.loads(item["profile"]["S"])}
    for name in ("email", "mobile"):
        if name in data:
            address = data[name]
            address["zones"] = tuple(address.get("zones", ()))
            data[name] = Address(**address)
    if "consent" in data:
        data["consent"] = Consent(**data["consent"])
    if "debt_hold" in data:
        hold = data["debt_hold"]
        data["debt_hold"] = DebtHold(**{**hold, "reasons": tuple(hold["reasons"])})
    for change in data.get("changing", ()):
        change |= data.get("owner_notes", {}).get(change["change_id"], {})
        change["address"] = Address(**{**change["address"], "zones": tuple(change["address"]["zones"])})
        change["told"] = tuple(Told(**row) for row in change.get("told", ()))
    if "changing" in data:
        data["changing"] = tuple(AddressChange(**change) for change in data["changing"])
    if "statements" in data:
        data["statements"] = tuple(Statement(**row) for row in data["statements"])
    for name in ("channel_order", "set_by_customer", "history", "quiet_hours", "codes_sent"):
        if name in data:
            data[name] = tuple(data[name])
    if "opt_outs" in data:
        data["opt_outs"] = {topic: tuple(channels) for topic, channels in data["opt_outs"].items()}
    return Contact(
        version=int(item["v"]["N"]), **{name: value for name, value in data.items() if name in _PROFILE}
    )


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
    if entry.stopped:
        return item  # in force, whatever else holds, and for good
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
    for name in ("failures", "history", "topics"):
        body[name] = tuple(body.get(name, ()))
    return Suppression(channel, address, version=version, **body)


def suppression_key(pepper: bytes, channel: Channel, canonical: str) -> str:
    """Where an address stands in the table."""
    return f"{channel}#{address_hash(pepper, channel, canonical)}"
