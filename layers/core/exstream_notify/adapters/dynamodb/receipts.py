"""In the Notices table, beside the ledger: receipts that wait for their notice, sends that wait for their
receipts, and each sender's counts. All of it expires."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from ...domain.documents import Channel
from ...domain.receipts import Kind, Receipt, Source
from ...domain.watching import Watched
from ..kept import Kept
from .batches import DynamoDBClient, Item, get_items, query

_SHARDS = 4
_KEPT = timedelta(days=30)
_EARLY, _WATCH, _RATES, _STOPPED = "early", "watch", "rates", "rates#stopped"
_STOPPED_KEPT = 60.0  # seconds


class _Slots:
    """Items in the `due` index under slots of their own, which the ledger's sweeper never reads."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self._client = client
        self._table = table
        self._name = name

    def put(self, identity: str, due_at: str, body: Mapping[str, Any], expires: int, **more: Any) -> None:
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"{self._name}#{identity}"},
                "due_slot": {"S": f"{self._name}#{sum(identity.encode()) % _SHARDS}"},
                "due_at": {"S": due_at},
                "body": {"S": json.dumps(body, separators=(",", ":"))},
                "expires": {"N": str(expires)},
            },
            **more,
        )

    def due(self, until: str, limit: int) -> Iterator[Item]:
        """The first `limit` items that are due by then; those that are due first before the others."""
        rows = [
            row
            for shard in range(_SHARDS)
            for row in islice(
                query(
                    self._client.query,
                    TableName=self._table,
                    IndexName="due",
                    KeyConditionExpression="due_slot = :s AND due_at <= :u",
                    ExpressionAttributeValues={
                        ":s": {"S": f"{self._name}#{shard}"},
                        ":u": {"S": until},
                    },
                    Limit=limit,
                ),
                limit,
            )
        ]
        keys = [row["pk"]["S"] for row in sorted(rows, key=lambda row: row["due_at"]["S"])[:limit]]
        yield from get_items(self._client, self._table, keys, consistent=False).values()

    def drop(self, identity: str) -> None:
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": f"{self._name}#{identity}"}})


class DynamoEarlyReceipts:
    """`EarlyReceipts`: an item a receipt, gone after thirty days. Addresses are in it as hashes alone."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._slots = _Slots(client, table, _EARLY)

    def keep(self, receipts: Sequence[Receipt], now: datetime) -> None:
        """See `EarlyReceipts.keep`."""
        since = now.astimezone(UTC).isoformat(timespec="seconds")
        ends = int((now + _KEPT).timestamp())
        for receipt in receipts:
            try:
                self._slots.put(
                    receipt.identity,
                    since,
                    receipt_body(receipt),
                    ends,
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue

    def waiting(self, limit: int) -> list[tuple[Receipt, datetime]]:
        """See `EarlyReceipts.waiting`."""
        rows = sorted(self._slots.due("9", limit), key=lambda item: item["due_at"]["S"])
        kept = [(json.loads(row["body"]["S"]), datetime.fromisoformat(row["due_at"]["S"])) for row in rows]
        # An earlier release kept mails, too: those prove nothing, and expire.
        return [(receipt_from(body), since) for body, since in kept if body["provider"] != "mail"]

    def forget(self, receipts: Sequence[Receipt]) -> None:
        """See `EarlyReceipts.forget`."""
        for receipt in receipts:
            self._slots.drop(receipt.identity)

    def give_up(self, receipts: Sequence[Receipt]) -> None:
        """See `EarlyReceipts.give_up`: out of the index, and in the table until it expires."""
        for receipt in receipts:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"{_EARLY}#{receipt.identity}"}},
                UpdateExpression="REMOVE due_slot, due_at",
                ConditionExpression="attribute_exists(pk)",
            )


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """A receipt to be kept: without the address."""
    body = {name: value for name, value in asdict(receipt).items() if value not in ("", None, (), [])}
    for personal in ("recipient", "also"):
        body.pop(personal, None)
    return {**body, "kind": str(receipt.kind), "said_by": str(receipt.said_by)}


def receipt_from(body: Mapping[str, Any]) -> Receipt:
    """And back."""
    told = {name: value for name, value in body.items() if name in _FIELDS}
    said_by = Source(body.get("said_by", Source.PROVIDER))
    hashes = tuple(body.get("hashes", ()))
    return Receipt(**{**told, "kind": Kind(body["kind"]), "said_by": said_by, "hashes": hashes})


_FIELDS = frozenset(field.name for field in fields(Receipt))


class DynamoDeliveryWatch:
    """`DeliveryWatch`: an item a job, with the ids of its notices."""

    def __init__(
        self, client: DynamoDBClient, table: str, channels: Collection[str] = ("email", "sms")
    ) -> None:
        self._channels = frozenset(channels)
        self._slots = _Slots(client, table, _WATCH)

    def add(self, watched: Watched) -> None:
        """See `DeliveryWatch.add`; a channel whose provider gives no receipts is not waited for."""
        if watched.channel not in self._channels:
            return
        ends = datetime.fromisoformat(watched.deadline) + _KEPT
        self._slots.put(watched.job, watched.due_at, asdict(watched), int(ends.timestamp()))

    def due(self, now: datetime, limit: int) -> list[Watched]:
        """See `DeliveryWatch.due`."""
        rows = self._slots.due(now.astimezone(UTC).isoformat(timespec="seconds"), limit)
        found = (json.loads(row["body"]["S"]) for row in rows)
        watched = (Watched(**{**body, "notices": tuple(body["notices"])}) for body in found)
        return sorted(watched, key=lambda w: w.due_at)

    def done(self, watched: Watched) -> None:
        """See `DeliveryWatch.done`."""
        self._slots.drop(watched.job)


class DynamoReputation:
    """`Reputation`: one item a day, channel and hour, counts by sender; two days later it is gone."""

    def __init__(self, client: DynamoDBClient, table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._stopped = Kept(self._read_stopped, _STOPPED_KEPT, now)

    def add(self, channel: Channel, sender: str, at: datetime, counts: Mapping[str, int]) -> None:
        """See `Reputation.add`."""
        hour = at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        names = {f"#{n}": f"{name}|{sender}" for n, name in enumerate(counts)}
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{_RATES}#{channel}#{hour}"}},
            UpdateExpression="SET expires = :e ADD " + ", ".join(f"#{n} :{n}" for n in range(len(counts))),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                ":e": {"N": str(int(time.time()) + 3 * 86_400)},
                **{f":{n}": {"N": str(number)} for n, number in enumerate(counts.values())},
            },
        )

    def last_day(self, now: datetime) -> dict[tuple[Channel, str], dict[str, int]]:
        """See `Reputation.last_day`; by the hour, the current one included."""
        hours = [(now - timedelta(hours=n)).astimezone(UTC).strftime("%Y-%m-%dT%H") for n in range(24)]
        keys = [f"{_RATES}#{channel}#{hour}" for channel in ("email", "sms") for hour in hours]
        totals: dict[tuple[Channel, str], dict[str, int]] = {}
        for item in get_items(self._client, self._table, keys, consistent=False).values():
            channel: Any = item["pk"]["S"].split("#")[1]
            for attribute, value in item.items():
                name, found, sender = attribute.partition("|")
                if found:
                    counts = totals.setdefault((channel, sender), {})
                    counts[name] = counts.get(name, 0) + int(value["N"])
        return totals

    def count_unproven(self, at: datetime, number: int) -> int:
        """See `Reputation.count_unproven`."""
        answer = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{_RATES}#unproven#{at.astimezone(UTC):%Y-%m-%dT%H}"}},
            UpdateExpression="SET expires = :e ADD mails :n",
            ExpressionAttributeValues={
                ":e": {"N": str(int(time.time()) + 3 * 86_400)},
                ":n": {"N": str(number)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["mails"]["N"])

    def stopped(self) -> dict[Channel, str]:
        """See `Reputation.stopped`; asked at most once a minute."""
        return self._stopped.get()

    def _read_stopped(self) -> dict[Channel, str]:
        answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": _STOPPED}})
        body: dict[Channel, str] = json.loads(answer["Item"]["body"]["S"]) if "Item" in answer else {}
        return body

    def stop(self, channels: Mapping[Channel, str]) -> None:
        """See `Reputation.stop`."""
        self._client.put_item(
            TableName=self._table,
            Item={"pk": {"S": _STOPPED}, "body": {"S": json.dumps(dict(channels))}},
        )
