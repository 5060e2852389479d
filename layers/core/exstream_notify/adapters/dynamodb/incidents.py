"""The Incidents table: exceptions grouped by run, code family and team, each with its alerts' history."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from ...domain.exceptions import ExceptionRaised, mark
from ...domain.incidents import EVERYWHERE, Head, Incident, IncidentStatus, Report, added_up
from ...domain.rollups import Bookmark
from .batches import DynamoDBClient, Item, query

__all__ = ["DynamoIncidents", "Incident"]

KEPT = timedelta(days=400)
_HEAD = ".head"
_BOOKMARK = ".bookmark"


class DynamoIncidents:
    """`Incidents`: one item per incident, code and part, so that a repeated report replaces itself, and
    one head an incident. Heads that are not resolved lie in the index `open` under their domain."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, incident_id: str, exception: ExceptionRaised, at: str) -> bool:
        """See `Incidents.record`."""
        part = _sort_key(exception)
        values = {
            ":at": {"S": at},
            ":said": {"S": exception.said_at or at},
            ":body": {"S": json.dumps(replace(exception, said_at="").to_detail(), separators=(",", ":"))},
            ":expires": {"N": _expires(at)},
        }
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": incident_id}, "sk": {"S": part}},
                UpdateExpression=(
                    "SET first_seen = if_not_exists(first_seen, :at), last_seen = :at, body = :body, "
                    "said = :said, expires = :expires"
                ),
                ConditionExpression="attribute_not_exists(said) OR said <= :said",
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def head(self, incident_id: str) -> Head | None:
        """See `Incidents.head`."""
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": incident_id}, "sk": {"S": _HEAD}}, ConsistentRead=True
        )
        return _head(answer["Item"]) if "Item" in answer else None

    def reports(self, incident_id: str) -> list[Report]:
        """See `Incidents.reports`."""
        rows = query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": incident_id}},
            ConsistentRead=True,
        )
        return [_report(row) for row in rows if row["sk"]["S"] != _HEAD]

    def save(self, head: Head) -> bool:
        """See `Incidents.save`."""
        at = head.summed_at or head.told_at
        item: Item = {
            "pk": {"S": head.incident_id},
            "sk": {"S": _HEAD},
            "v": {"N": str(head.version)},
            "body": {"S": json.dumps(asdict(head), separators=(",", ":"))},
            **({"expires": {"N": _expires(at)}} if at else {}),
        }
        if head.status != IncidentStatus.RESOLVED:
            item["open_in"] = {"S": head.domain}
        return self._put(item, head.version)

    def _put(self, item: Item, version: int) -> bool:
        """Put an item where the stored version is one less; False if it is not."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if version > 1:
            condition = {
                "ConditionExpression": "v = :before",
                "ExpressionAttributeValues": {":before": {"N": str(version - 1)}},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def open_in(self, domain: str) -> list[str]:
        """See `Incidents.open_in`."""
        rows = query(
            self._client.query,
            TableName=self._table,
            IndexName="open",
            KeyConditionExpression="open_in = :d",
            ExpressionAttributeValues={":d": {"S": domain}},
        )
        return [row["pk"]["S"] for row in rows]

    def bookmark(self, key: str) -> Bookmark:
        """See `Incidents.bookmark`."""
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": key}, "sk": {"S": _BOOKMARK}}, ConsistentRead=True
        )
        if "Item" not in answer:
            return Bookmark(key)
        body = json.loads(answer["Item"]["body"]["S"])
        times = {name: tuple(body.get(name, ())) for name in ("sent", "severe", "lapsed")}
        return Bookmark(**{**body, **times})

    def save_bookmark(self, mark: Bookmark) -> bool:
        """See `Incidents.save_bookmark`."""
        item: Item = {
            "pk": {"S": mark.key},
            "sk": {"S": _BOOKMARK},
            "v": {"N": str(mark.version)},
            "body": {"S": json.dumps(asdict(mark), separators=(",", ":"))},
        }
        return self._put(item, mark.version)

    def get(self, incident_id: str) -> Incident | None:
        """One incident, added up."""
        head = self.head(incident_id)
        return added_up(head, self.reports(incident_id)) if head else None

    def all(self) -> list[Incident]:
        """Every incident, newest first."""
        groups: dict[str, list[Item]] = {}
        for row in query(self._client.scan, TableName=self._table):
            if row["sk"]["S"] != _BOOKMARK:
                groups.setdefault(row["pk"]["S"], []).append(row)
        incidents = []
        for rows in groups.values():
            heads = [_head(row) for row in rows if row["sk"]["S"] == _HEAD]
            if not heads:  # what is known of channels lies here too
                continue
            if reports := [_report(row) for row in rows if row["sk"]["S"] != _HEAD]:
                incidents.append(added_up(heads[0], reports))
        return sorted(incidents, key=lambda i: i.last_seen, reverse=True)

    def of_run(self, domain: str, run_id: str) -> Iterator[Incident]:
        """A run's incidents, those of a cause over several runs included."""
        name = f"{domain}/{run_id}"
        return (
            i
            for i in self.all()
            if (i.domain, i.run_id) == (domain, run_id) or (i.domain == EVERYWHERE and name in i.runs)
        )


_SORT_KEY = 1024
"""Bytes that DynamoDB takes."""


def _sort_key(exception: ExceptionRaised) -> str:
    """What tells a report from another of its incident; of a long one the beginning and a hash of all."""
    whole = f"{exception.code}#{exception.part}"
    data = whole.encode("utf-8", "replace")
    return whole if len(data) <= _SORT_KEY else f"{data[:900].decode('utf-8', 'ignore')}#{mark(whole)}"


def _expires(at: str) -> str:
    return str(int((datetime.fromisoformat(at) + KEPT).timestamp()))


def _report(row: Item) -> Report:
    return Report(exception_from(json.loads(row["body"]["S"])), row["first_seen"]["S"], row["last_seen"]["S"])


def exception_from(body: dict[str, Any]) -> ExceptionRaised:
    """An exception from its detail, as stored or as an event brings it."""
    numbers, samples = tuple(body.get("customers_in_run", ())), tuple(body.get("samples", ()))
    return ExceptionRaised(**{**body, "customers_in_run": numbers, "samples": samples})


def _head(row: Item) -> Head:
    body = json.loads(row["body"]["S"])
    body.pop("covered", None)  # stored before runs were kept with what they composed
    return Head(
        **{
            **body,
            "status": IncidentStatus(body["status"]),
            "told_status": IncidentStatus(body["told_status"]),
            "told_codes": tuple(body["told_codes"]),
            "covered_by": tuple((run, customers) for run, customers in body.get("covered_by", ())),
            "returned": tuple(body.get("returned", ())),
            "history": tuple(body["history"]),
            "pages": tuple(body.get("pages", ())),
            "took": tuple(body.get("took", ())),
        }
    )
