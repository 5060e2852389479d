"""What is known of the teams' channels: items of the Incidents table, all under one key."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from ...domain.channels import ChannelState
from .batches import DynamoDBClient, Item, query

_FIELDS = fields(ChannelState)

KEY = ".channels"
"""No incident's id: those are hexadecimal."""


class DynamoChannelBook:
    """`ChannelBook`. A state has no lock: the last answer of a channel is what counts."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def states(self) -> Mapping[tuple[str, str], ChannelState]:
        """See `ChannelBook.states`."""
        rows = query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": KEY}},
            ConsistentRead=True,
        )
        states = map(state_of, rows)
        return {(state.team, state.channel): state for state in states}

    def save(self, state: ChannelState) -> None:
        """See `ChannelBook.save`."""
        values = {name: _value(value) for name, value in asdict(state).items() if value}
        name = f"{state.team}/{state.channel}"
        self._client.put_item(TableName=self._table, Item={"pk": {"S": KEY}, "sk": {"S": name}, **values})


def _value(value: object) -> Mapping[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}


def state_of(row: Item) -> ChannelState:
    """A state as stored; what a later release stores besides is left out."""
    given: dict[str, Any] = {
        field.name: int(row[field.name]["N"]) if "N" in row[field.name] else row[field.name]["S"]
        for field in _FIELDS
        if field.name in row
    }
    return ChannelState(**given)
