"""Small items beside the notices: responses that came before them, and tries of a second step."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import cast

from ...domain.notices import Response
from ...domain.responses import EarlyResponse
from .batches import DynamoDBClient, get_items

_EARLY = "early:"
_YEAR = 366 * 86400


class DynamoEarlyResponses:
    """`EarlyResponses` on the Notices table; DynamoDB drops an item some time after it expired."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, domain: str, subject: str, response: EarlyResponse, until: datetime) -> None:
        """See `EarlyResponses.keep`."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"{_EARLY}{domain}#{subject}"},
                "kind": {"S": response.kind},
                "detail": {"S": response.detail},
                "at": {"S": response.at},
                "customer_key": {"S": response.customer_key},
                "document_id": {"S": response.document_id},
                "expires": {"N": str(int(until.timestamp()))},
            },
        )

    def on(self, domain: str, subjects: Collection[str]) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        keys = {f"{_EARLY}{domain}#{subject}": subject for subject in subjects}
        found = get_items(self._client, self._table, keys)
        return {
            keys[key]: EarlyResponse(
                cast(Response, item["kind"]["S"]),
                item["detail"]["S"],
                item["at"]["S"],
                item["customer_key"]["S"],
                item["document_id"]["S"],
            )
            for key, item in found.items()
        }


class DynamoTries:
    """`TryCounter` on the Notices table. `now` gives the time from which a count is kept for a year."""

    def __init__(self, client: DynamoDBClient, table: str, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def count(self, subjects: Sequence[str]) -> list[int]:
        """See `TryCounter.count`: an atomic addition each, so that tries at the same time all count."""
        expires = str(int(self._now().timestamp()) + _YEAR)
        counts = []
        for subject in subjects:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": subject}},
                UpdateExpression="ADD tries :one SET expires = :e",
                ExpressionAttributeValues={":one": {"N": "1"}, ":e": {"N": expires}},
                ReturnValues="UPDATED_NEW",
            )
            counts.append(int(answer["Attributes"]["tries"]["N"]))
        return counts

    def highest(self, subjects: Sequence[str]) -> int:
        """See `TryCounter.highest`."""
        found = get_items(self._client, self._table, subjects)
        return max((int(item["tries"]["N"]) for item in found.values()), default=0)

    def clear(self, subjects: Sequence[str]) -> None:
        """See `TryCounter.clear`."""
        for subject in subjects:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": subject}})
