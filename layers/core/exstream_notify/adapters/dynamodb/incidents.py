"""The Incidents table: exceptions grouped by run, code family and team."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...domain.exceptions import ExceptionRaised
from ...domain.identity import job_id
from .batches import DynamoDBClient, Item, query

_RANK = {"info": 0, "warning": 1, "error": 2, "severe": 3}


@dataclass(frozen=True, slots=True)
class Incident:
    """Exceptions of one run, family and team, added up over the parts that reported them."""

    incident_id: str
    domain: str
    run_id: str
    team: str
    family: str
    severity: str
    codes: tuple[str, ...]
    count: int
    first_seen: str
    last_seen: str
    texts: tuple[str, ...]
    customers_in_run: tuple[int, ...] = ()
    status: str = "open"
    sample: tuple[str, ...] = field(default=())


class DynamoIncidents:
    """One item per incident and part, so that a repeated report replaces itself."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, exception: ExceptionRaised, team: str, family: str, at: str) -> str:
        """Store one report; the incident's id."""
        run = f"{exception.domain}/{exception.run_id}"
        incident_id = job_id(run, 0, "incident", (family, team))
        part = f"{exception.code}#{exception.part}"[:900]
        values = {
            ":first": {"S": at},
            ":last": {"S": at},
            ":team": {"S": team},
            ":family": {"S": family},
            ":body": {"S": json.dumps(exception.to_detail(), separators=(",", ":"))},
        }
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": incident_id}, "sk": {"S": part}},
            UpdateExpression=(
                "SET first_seen = if_not_exists(first_seen, :first), last_seen = :last, "
                "team = :team, code_family = :family, body = :body"
            ),
            ExpressionAttributeValues=values,
        )
        return incident_id

    def all(self) -> list[Incident]:
        """Every incident, newest first."""
        groups: dict[str, list[Item]] = {}
        for row in query(self._client.scan, TableName=self._table):
            groups.setdefault(row["pk"]["S"], []).append(row)
        incidents = [_incident(key, rows) for key, rows in groups.items()]
        return sorted(incidents, key=lambda i: i.last_seen, reverse=True)

    def of_run(self, domain: str, run_id: str) -> Iterator[Incident]:
        """A run's incidents."""
        return (i for i in self.all() if (i.domain, i.run_id) == (domain, run_id))


def _incident(incident_id: str, rows: list[Item]) -> Incident:
    bodies: list[dict[str, Any]] = [json.loads(row["body"]["S"]) for row in rows]
    customers = sorted({n for body in bodies for n in body.get("customers_in_run", ())})
    return Incident(
        incident_id,
        bodies[0]["domain"],
        bodies[0]["run_id"],
        rows[0]["team"]["S"],
        rows[0]["code_family"]["S"],
        max((body["severity"] for body in bodies), key=lambda s: _RANK.get(s, 0)),
        tuple(sorted({body["code"] for body in bodies})),
        sum(body["count"] for body in bodies),
        min(row["first_seen"]["S"] for row in rows),
        max(row["last_seen"]["S"] for row in rows),
        tuple(dict.fromkeys(body["text"] for body in bodies)),
        tuple(customers),
        sample=tuple(dict.fromkeys(body["text"] for body in bodies))[:3],
    )
