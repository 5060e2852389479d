"""Small items beside the notices: responses that came before them, and tries of a second step.

A response that names its customer is also in the ledger's index `customer`.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import orjson

from ...domain.erased import Person
from ...domain.notices import Response
from ...domain.payments import Debt, Fact
from ...domain.responses import EarlyPayment, EarlyResponse
from .batches import DynamoDBClient, Item, get_items, query

_EARLY = "early:"
_YEAR = 366 * 86400
_TRIES = 5

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
            f"recipient = :r, versions = :v, expires = :e{_FOUND if response.customer_key else ''}",
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
                **_customer(domain, response.customer_key),
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
                UpdateExpression=f"ADD payments :p SET expires = :e{_FOUND if payment.customer_key else ''}",
                ConditionExpression="attribute_not_exists(payments) OR size(payments) < :most",
                ExpressionAttributeValues={
                    ":p": {"SS": [text]},
                    ":e": {"N": str(int(until.timestamp()))},
                    ":most": {"N": str(EARLY_PAYMENTS)},
                    **_customer(domain, payment.customer_key),
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

    def of_customer(
        self, domain: str, customer_key: str, subjects: Collection[str] = ()
    ) -> dict[str, EarlyResponse]:
        """What was kept that names this customer, or is kept on these subjects, by its key in the table: for
        operators."""
        return {key: _early(item) for key, item in self._of_customer(domain, customer_key, subjects).items()}

    def forget(
        self,
        person: Person,
        subjects: Collection[str] = (),
        *,
        payments_too: bool = True,
        is_debt: Callable[[Debt], bool] = lambda debt: False,
    ) -> int:
        """Drop what names this customer and no other holder, or only these subjects, and existed before the
        erasure; the number of items. `is_debt`: which debts on a subject are this customer's.

        Payments of other customers on the same document or case stay, and so does what document replaced
        which: there are keys alone in that.
        """
        changed = 0
        for key, item in self._of_customer(person.domain, person.customer_key, subjects).items():
            kept = _early(item)
            if kept.kind == "superseded" or not person.existed(kept.at):
                continue
            texts = item.get("payments", {}).get("SS", [])
            mine = [text for text in texts if payments_too and _is_payment_of(person, orjson.loads(text))]
            where: Item = {"TableName": self._table, "Key": {"pk": {"S": key}}}
            other = kept.recipient not in ("", person.recipient)
            if len(mine) == len(texts) and kept.customer_key in ("", person.customer_key) and not other:
                self._client.delete_item(**where)
                changed += 1
                continue
            if mine:
                values = {":p": {"SS": mine}}
                self._client.update_item(
                    **where, UpdateExpression="DELETE payments :p", ExpressionAttributeValues=values
                )
            changed += bool(self._drop_debts(where, item, is_debt) or mine)
        return changed

    def _drop_debts(self, where: Item, item: Item, is_debt: Callable[[Debt], bool]) -> bool:
        """Take debts out of an item's list; whether any were in it."""
        for _ in range(_TRIES):
            rows = item.get("debts", {}).get("L", [])
            left = [row for row in rows if not is_debt(_debt(orjson.loads(row["S"])))]
            if left == rows:
                return False
            try:
                self._client.update_item(
                    **where,
                    UpdateExpression="SET debts = :l",
                    ConditionExpression="debts = :b",
                    ExpressionAttributeValues={":l": {"L": left}, ":b": {"L": rows}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                key = where["Key"]["pk"]["S"]
                item = get_items(self._client, self._table, [key]).get(key, {})
                continue
            return True
        raise RuntimeError("early payments kept changing: run the command again")

    def _of_customer(self, domain: str, customer_key: str, subjects: Collection[str]) -> dict[str, Item]:
        rows = query(
            self._client.query,
            TableName=self._table,
            IndexName="customer",
            KeyConditionExpression="cust = :c",
            ExpressionAttributeValues=_customer(domain, customer_key, ":c"),
        )
        keys = [key for row in rows if (key := row["pk"]["S"]).startswith(_EARLY)]
        keys += [f"{_EARLY}{domain}#{subject}" for subject in subjects]
        return get_items(self._client, self._table, dict.fromkeys(keys)) if keys else {}


def _is_payment_of(person: Person, row: Sequence[Any]) -> bool:
    """Whether a payment as kept names this customer, or nobody, and was made before the erasure."""
    return row[7] in ("", person.customer_key) and person.existed(row[6])


_FOUND = ", cust = :cust"


def _customer(domain: str, customer_key: str, name: str = ":cust") -> Item:
    """The index's value, nothing where no customer is named."""
    return {name: {"S": f"{domain}#{customer_key}"}} if customer_key else {}


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
