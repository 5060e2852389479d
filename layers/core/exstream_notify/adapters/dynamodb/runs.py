"""The Runs table: each run's record, what its slices and jobs came to, and its domain's volumes."""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson

from ...domain.expectations import Arrival
from ...domain.notices import Outcome
from ...domain.runs import HISTORY_LENGTH, Control, DigestRow, RecordOutcome, Run, RunState
from ...domain.work import Parked, SendJob, SlicePointer
from .batches import DynamoDBClient, Item, get_rows, query

_ARRIVALS_KEPT = timedelta(days=31)
OPEN = "open"


class DynamoRuns:
    """`RunBook` and `OpenRuns`.

    One partition a run id; sort key `<domain>#run`, `#slice#…`, `#word#…`, `#parked#…`.

    A run that may still change has the attribute `watched`, the key of the sparse index `open`.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, domain: str, run_id: str) -> Run | None:
        """See `RunBook.get`."""
        answer = self._client.get_item(
            TableName=self._table, Key=_key(run_id, f"{domain}#run"), ConsistentRead=True
        )
        return _run(answer["Item"]) if "Item" in answer else None

    def with_early(self, domain: str, run_id: str) -> tuple[Run | None, bool]:
        """See `RunBook.with_early`; DynamoDB drops what is remembered some time after it expired."""
        keys = (_key(run_id, f"{domain}#run"), _early_key(domain))
        rows = {row["pk"]["S"]: row for row in get_rows(self._client, self._table, keys)}
        run = rows.pop(run_id, None)
        return _run(run) if run else None, bool(rows)

    def keep_early(self, domain: str, until: datetime) -> None:
        """See `RunBook.keep_early`."""
        expires = {"N": str(int(until.timestamp()))}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item={**_early_key(domain), "expires": expires},
                ConditionExpression="attribute_not_exists(pk) OR expires < :until",
                ExpressionAttributeValues={":until": expires},
            )

    def find(self, run_id: str) -> list[Run]:
        """The runs of that id, of whichever domains."""
        rows = query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p",
            FilterExpression="attribute_exists(#s)",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":p": {"S": run_id}},
            ConsistentRead=True,
        )
        return [_run(row) for row in rows]

    def put(self, run: Run) -> bool:
        """See `RunBook.put`."""
        body = {k: v for k, v in asdict(run).items() if k not in ("version", "domain", "run_id")}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if run.version > 1:
            condition = {
                "ConditionExpression": "v = :before",
                "ExpressionAttributeValues": {":before": {"N": str(run.version - 1)}},
            }
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key(run.run_id, f"{run.domain}#run"),
                    "v": {"N": str(run.version)},
                    "state": {"S": str(run.state)},
                    "watched": {"S": OPEN},
                    "since": {"S": run.changed_at or "0"},
                    "body": {"S": _dumps(body)},
                },
                **condition,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def open(self) -> Iterator[Run]:
        """See `OpenRuns.open`."""
        rows = query(
            self._client.query,
            TableName=self._table,
            IndexName="open",
            KeyConditionExpression="watched = :o",
            ExpressionAttributeValues={":o": {"S": OPEN}},
        )
        for row in rows:
            run = self.get(row["sk"]["S"].removesuffix("#run"), row["pk"]["S"])
            if run is not None:
                yield run

    def settle(self, run: Run) -> None:
        """See `OpenRuns.settle`."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(run.run_id, f"{run.domain}#run"),
                UpdateExpression="REMOVE watched",
                ConditionExpression="v = :v",
                ExpressionAttributeValues={":v": {"N": str(run.version)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def put_slice(
        self, pointer: SlicePointer, outcomes: Sequence[RecordOutcome], digests: Sequence[DigestRow] = ()
    ) -> None:
        """See `RunBook.put_slice`."""
        self._put_words(pointer.run, f"slice#{pointer.number:07d}", outcomes, digests)

    def digests(self, domain: str, run_id: str) -> Iterator[DigestRow]:
        """See `RunBook.digests`."""
        for row in self._rows(domain, run_id, "slice#"):
            for kind, teams, positions in orjson.loads(row["digests"]["S"]) if "digests" in row else ():
                yield DigestRow(kind, tuple(teams), tuple(positions))

    def put_job(self, run: str, job: str, outcomes: Sequence[RecordOutcome]) -> None:
        """See `RunBook.put_job`."""
        self._put_words(run, f"word#{job}", outcomes)

    def _put_words(
        self,
        run: str,
        name: str,
        outcomes: Sequence[RecordOutcome],
        digests: Sequence[DigestRow] = (),
    ) -> None:
        domain, _, run_id = run.partition("/")
        rows = [[o.slice_number, o.position, str(o.outcome), o.why, o.version, o.notice_id] for o in outcomes]
        item = {**_key(run_id, f"{domain}#{name}"), "words": {"S": _dumps(rows)}}
        if digests:
            item["digests"] = {"S": _dumps([[d.document_type, d.teams, d.positions] for d in digests])}
        self._client.put_item(TableName=self._table, Item=item)

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """See `RunBook.outcomes`; slices sort before words."""
        for row in self._rows(domain, run_id, ""):
            if "words" in row:
                for number, position, outcome, why, version, notice_id in orjson.loads(row["words"]["S"]):
                    yield RecordOutcome(number, position, Outcome(outcome), why, version, notice_id)

    def park(self, job: SendJob) -> None:
        """See `RunBook.park`."""
        mark = f"{random.getrandbits(64):016x}"
        body = {"job": {"S": _dumps(job.to_message())}, "mark": {"S": mark}}
        self._client.put_item(TableName=self._table, Item={**_parked_key(job), **body})

    def parked(self, domain: str, run_id: str) -> list[Parked]:
        """See `RunBook.parked`; an earlier release put jobs aside without a mark."""
        return [
            Parked(SendJob.from_message(orjson.loads(row["job"]["S"])), row.get("mark", {"S": ""})["S"])
            for row in self._rows(domain, run_id, "parked#")
        ]

    def unpark(self, parked: Sequence[Parked]) -> None:
        """See `RunBook.unpark`."""
        for one in parked:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(mark)"}
            if one.mark:
                condition = {
                    "ConditionExpression": "mark = :m",
                    "ExpressionAttributeValues": {":m": {"S": one.mark}},
                }
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.delete_item(TableName=self._table, Key=_parked_key(one.job), **condition)

    def arrived(self, domain: str, run_id: str, app: str, at: datetime) -> None:
        """See `RunBook.arrived`; kept for a month, under the day."""
        expires = str(int((at + _ARRIVALS_KEPT).timestamp()))
        self._client.update_item(
            TableName=self._table,
            Key=_arrival_key(domain, run_id, at),
            UpdateExpression="SET app = :a, #at = if_not_exists(#at, :t), expires = :e",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":a": {"S": app},
                ":t": {"S": at.isoformat()},
                ":e": {"N": expires},
            },
        )

    def came_late(self, domain: str, arrival: Arrival, expected: str) -> None:
        """See `RunBook.came_late`."""
        self._client.update_item(
            TableName=self._table,
            Key=_arrival_key(domain, arrival.run_id, arrival.at),
            UpdateExpression="ADD late_for :e",
            ExpressionAttributeValues={":e": {"SS": [expected]}},
        )

    def arrivals(self, domain: str, since: datetime, until: datetime) -> list[Arrival]:
        """See `RunBook.arrivals`."""
        days = range((until.date() - since.date()).days + 1)
        return [
            Arrival(
                row["sk"]["S"],
                row["app"]["S"],
                datetime.fromisoformat(row["at"]["S"]),
                frozenset(row.get("late_for", {}).get("SS", ())),
            )
            for number in days
            for row in query(
                self._client.query,
                TableName=self._table,
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={
                    ":p": _arrival_key(domain, "", since + timedelta(days=number))["pk"]
                },
                ConsistentRead=True,
            )
            if since <= datetime.fromisoformat(row["at"]["S"]) <= until
        ]

    def volumes(self, domain: str, app: str) -> list[int]:
        """See `RunBook.volumes`."""
        return [documents for _, documents in self._volumes(domain, app)]

    def add_volume(self, domain: str, app: str, run_id: str, documents: int) -> None:
        """See `RunBook.add_volume`. Two runs at the same moment may lose one entry: it is a median."""
        rows = [row for row in self._volumes(domain, app) if row[0] != run_id]
        rows = [*rows, (run_id, documents)][-HISTORY_LENGTH:]
        self._client.put_item(
            TableName=self._table,
            Item={**_key(f"volumes#{domain}#{app}", "volumes"), "rows": {"S": _dumps(rows)}},
        )

    def _volumes(self, domain: str, app: str) -> list[tuple[str, int]]:
        answer = self._client.get_item(
            TableName=self._table, Key=_key(f"volumes#{domain}#{app}", "volumes"), ConsistentRead=True
        )
        rows = orjson.loads(answer["Item"]["rows"]["S"]) if "Item" in answer else []
        return [(run_id, documents) for run_id, documents in rows]

    def _rows(self, domain: str, run_id: str, prefix: str) -> Iterator[Item]:
        yield from query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
            ExpressionAttributeValues={":p": {"S": run_id}, ":s": {"S": f"{domain}#{prefix}"}},
            ConsistentRead=True,
        )


def _key(run_id: str, name: str) -> Item:
    return {"pk": {"S": run_id}, "sk": {"S": name}}


def _parked_key(job: SendJob) -> Item:
    return _key(job.pointer.run_id, "#".join((job.pointer.domain, "parked", *job.aside)))


def _arrival_key(domain: str, run_id: str, at: datetime) -> Item:
    return _key(f"arrivals#{domain.lower()}#{at.date()}", run_id)


def _early_key(domain: str) -> Item:
    return _key(f"early#{domain}", "early")


def _run(item: Item) -> Run:
    body: dict[str, Any] = orjson.loads(item["body"]["S"])
    return Run(
        domain=item["sk"]["S"].removesuffix("#run"),
        run_id=item["pk"]["S"],
        version=int(item["v"]["N"]),
        state=RunState(body.pop("state")),
        control=Control(body.pop("control")),
        history=tuple(body.pop("history")),
        **body,
    )


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
