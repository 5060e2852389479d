"""Small items beside the notices: responses that came before them, and tries of a second step."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import orjson

from ...domain.notices import Response
from ...domain.payments import Debt, Fact
from ...domain.responses import EarlyPayment, EarlyResponse
from .batches import DynamoDBClient, Item, get_items

_EARLY = "early:"
_YEAR = 366 * 86400

EARLY_PAYMENTS = 200
"""Payments that are kept on one document or case before its notice is known."""


class DynamoEarlyResponses:
    """`EarlyResponses` on the Notices table; DynamoDB drops an item some time after it expired."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, domain: str, subject: str, response: EarlyResponse, until: datetime) -> None:
        """See `EarlyResponses.keep`; payments on the same subject stay."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{_EARLY}{domain}#{subject}"}},
            UpdateExpression="SET kind = :k, detail = :d, #at = :a, customer_key = :c, document_id = :i, "
            "recipient = :r, versions = :v, expires = :e",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":k": {"S": response.kind},
                ":d": {"S": response.detail},
                ":a": {"S": response.at},
                ":c": {"S": response.customer_key},
                ":i": {"S": response.document_id},
                ":r": {"S": response.recipient},
                ":v": {"S": orjson.dumps(response.versions).decode()},
                ":e": {"N": str(int(until.timestamp()))},
            },
        )

    def keep_payment(self, domain: str, subject: str, payment: EarlyPayment, until: datetime) -> bool:
        """See `EarlyResponses.keep_payment`: a set, so that the same again changes nothing."""
        fact = payment.fact
        row = [fact.kind, fact.key, fact.of, fact.amount, fact.currency, fact.loose]
        about = [payment.at, payment.customer_key, payment.document_id]
        when = [payment.reported] if payment.reported else []
        text = orjson.dumps([*row, *about, *when]).decode()
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"{_EARLY}{domain}#{subject}"}},
                UpdateExpression="ADD payments :p SET expires = :e",
                ConditionExpression="attribute_not_exists(payments) OR size(payments) < :most",
                ExpressionAttributeValues={
                    ":p": {"SS": [text]},
                    ":e": {"N": str(int(until.timestamp()))},
                    ":most": {"N": str(EARLY_PAYMENTS)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def register(self, domain: str, subject: str, debt: Debt) -> None:
        """See `EarlyResponses.register`: the order of the list is that of the writes."""
        left = None if debt.left is None else f"{debt.left:f}"
        row = [debt.key, left, debt.currency, debt.due_date, debt.since.isoformat(), debt.produced_at]
        text = orjson.dumps([*row, debt.owed, debt.any_payment, debt.seen, debt.parts]).decode()
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{_EARLY}{domain}#{subject}"}},
            UpdateExpression="SET debts = list_append(if_not_exists(debts, :none), :row)",
            ConditionExpression="attribute_exists(payments)",
            ExpressionAttributeValues={":none": {"L": []}, ":row": {"L": [{"S": text}]}},
        )

    def on(self, domain: str, subjects: Collection[str]) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        keys = {f"{_EARLY}{domain}#{subject}": subject for subject in subjects}
        found = get_items(self._client, self._table, keys)
        return {keys[key]: _early(item) for key, item in found.items()}


def _early(item: Item) -> EarlyResponse:
    def text(name: str) -> str:
        return str(item[name]["S"]) if name in item else ""

    payments = sorted(orjson.loads(told) for told in item.get("payments", {}).get("SS", ()))
    return EarlyResponse(
        cast(Response, text("kind") or "paid"),
        text("detail"),
        text("at"),
        text("customer_key"),
        text("document_id"),
        tuple(EarlyPayment(Fact(*row[:6]), *row[6:]) for row in payments),
        recipient=text("recipient"),
        versions=tuple(orjson.loads(text("versions") or "[]")),
        debts=tuple(_debt(orjson.loads(row["S"])) for row in item.get("debts", {}).get("L", ())),
    )


def _debt(row: list[Any]) -> Debt:
    key, left, currency, due_date, since, produced_at, owed, any_payment, seen, told = row
    amount = None if left is None else Decimal(left)
    at = datetime.fromisoformat(since)
    parts = None if told is None else tuple((payment, part, name) for payment, part, name in told)
    return Debt(
        key, amount, currency, due_date, at, produced_at, owed, any_payment, seen=tuple(seen), parts=parts
    )


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
