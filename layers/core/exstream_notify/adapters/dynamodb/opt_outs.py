"""Numbers and addresses that their holders stopped, on the Suppressions table."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ...domain.documents import Channel
from .batches import DynamoDBClient, get_items
from .contacts import DynamoSuppressions, suppression_key

OPTED_OUT = "opted_out"


class DynamoOptOuts(DynamoSuppressions):
    """`OptOutList`. An entry of another reason (a bounce, a complaint) is neither replaced nor released."""

    def __init__(
        self, client: DynamoDBClient, table: str, peppers: Callable[[], tuple[str, Mapping[str, bytes]]]
    ) -> None:
        super().__init__(client, table, lambda: peppers()[1])
        self._keys = peppers

    def stop(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.stop`."""
        if self.suppressed([(channel, canonical)]):
            return False
        current, peppers = self._keys()
        entry = {
            "pk": {"S": suppression_key(peppers[current], channel, canonical)},
            "reason": {"S": OPTED_OUT},
            "source": {"S": source},
            "at": {"S": at.isoformat(timespec="seconds")},
        }
        self._client.put_item(TableName=self._table, Item=entry)
        return True

    def stopped_by(self, channel: Channel, canonical: str) -> str | None:
        """See `OptOutList.stopped_by`."""
        entries = self._entries(channel, canonical).values()
        return next((str(entry.get("source", {}).get("S", "")) for entry in entries), None)

    def allow(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.allow`; the entry stays, with who released it and when."""
        entries = self._entries(channel, canonical)
        for key in entries:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression="SET released = :r",
                ExpressionAttributeValues={":r": {"S": f"{at.isoformat(timespec='seconds')} {source}"}},
            )
        return bool(entries)

    def _entries(self, channel: Channel, canonical: str) -> dict[str, dict[str, Any]]:
        keys = [suppression_key(pepper, channel, canonical) for pepper in self._peppers().values()]
        found = get_items(self._client, self._table, keys)
        return {
            key: item
            for key, item in found.items()
            if item.get("reason", {}).get("S") == OPTED_OUT and "released" not in item
        }
