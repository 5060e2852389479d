"""Kill switches: one small item in the Runs table, read at most twice a minute by each worker."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..kept import Kept
from .batches import DynamoDBClient

KEEP = 20.0  # seconds that what was read holds: a switch takes effect within a minute
KEPT = 50  # changes that are remembered
_KEY = {"pk": {"S": "switches"}, "sk": {"S": "switches"}}


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing that is off: a channel (`email`, `sms`) or a domain; `at` in UTC, ISO 8601."""

    name: str
    at: str
    who: str
    why: str


class DynamoSwitches:
    """What is switched off, and who did it."""

    def __init__(self, client: DynamoDBClient, table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._off = Kept(lambda: frozenset(self._read()[0]["off"]), KEEP, now)

    def off(self, domain: str, channel: str) -> bool:
        """Whether nothing may be sent on this channel for this domain; known within `KEEP` seconds."""
        off = self._off.get()
        return channel in off or domain in off

    def all(self) -> list[Switch]:
        """What is off now."""
        body, _ = self._read()
        return [Switch(name, **row) for name, row in sorted(body["off"].items())]

    def history(self) -> list[Mapping[str, Any]]:
        """The last changes, oldest first."""
        return list(self._read()[0]["history"])

    def switch(self, name: str, *, off: bool, who: str, why: str, at: str) -> bool:
        """Switch one thing; False if it stands so already. A change that was overtaken is made again."""
        while True:
            body, version = self._read()
            if (name in body["off"]) == off:
                return False
            if off:
                body["off"][name] = {"at": at, "who": who, "why": why}
            else:
                del body["off"][name]
            change = {"name": name, "off": off, "at": at, "who": who, "why": why}
            body["history"] = [*body["history"], change][-KEPT:]
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        **_KEY,
                        "v": {"N": str(version + 1)},
                        "switches": {"S": orjson.dumps(body).decode()},
                    },
                    ConditionExpression="attribute_not_exists(pk) OR v = :v",
                    ExpressionAttributeValues={":v": {"N": str(version)}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue
            return True

    def _read(self) -> tuple[dict[str, Any], int]:
        answer = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        if "Item" not in answer:
            return {"off": {}, "history": []}, 0
        return orjson.loads(answer["Item"]["switches"]["S"]), int(answer["Item"]["v"]["N"])
