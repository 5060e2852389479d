"""The Notices table: the ledger and its due index."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast, get_args
from zlib import crc32

import orjson

from ...domain.due import WaitKind, slot, slots
from ...domain.notices import Attempt, Correction, Event, Former, Notice, Origin, Outcome, Pauses, Status
from ...domain.payments import Fact, FactKind, Payments
from ...domain.work import SlicePointer
from .batches import DynamoDBClient, Item, get_items, put_if, query

_TEXT = {
    "domain": "domain",
    "customer_key": "customer_key",
    "document_id": "document_id",
    "document_type": "type",
    "purpose": "purpose",
    "audience": "audience",
    "why": "why",
    "superseded_by": "superseded_by",
    "due_at": "due_at",
    "created_at": "created_at",
    "case_id": "case_id",
    "link_revoked": "link_revoked",
    "rule_version": "rule_version",
    "recipient": "recipient",
    "facts": "facts",
}
"""Notice fields kept as text attributes, absent when empty; the rest has a form of its own."""

_KINDS: dict[str, FactKind] = {"p": "payment", "r": "reversal"}

_WAITING_RUN = "run:"
_LOOK = "look:"
_WATERMARK = "watermark"
_PAPER_SHARDS = 16
"""Keys of the sparse index `paper` for one run, so that many letters are written at full speed."""


class DynamoLedger:
    """`Ledger` on the Notices table. Attempts, events and origin are compact JSON in one attribute
    each: DynamoDB's own lists cost three times the CPU to write and say the same."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._written: set[str] = set()

    def written(self) -> set[str]:
        """A set that from now on gets the id of each notice that is put: for a function's log."""
        self._written = set()
        return self._written

    def put(self, notices: Sequence[Notice]) -> dict[str, Notice]:
        """See `Ledger.put`. A write that had succeeded although its answer was lost counts as done."""
        wanted = {n.notice_id: n for n in notices}
        self._written.update(wanted)
        failed = put_if(
            self._client, self._table, {key: (to_item(n), n.version) for key, n in wanted.items()}
        )
        if not failed:
            return {}
        stored = self.get(failed)
        return {key: stored[key] for key in failed if key in stored and stored[key] != wanted[key]}

    def get(self, notice_ids: Collection[str]) -> dict[str, Notice]:
        """See `Ledger.get`."""
        if not notice_ids:
            return {}
        found = get_items(self._client, self._table, notice_ids)
        return {key: from_item(item) for key, item in found.items() if "status" in item}

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """All notices of a customer, every recipient's, oldest first."""
        return self._under("customer", "cust", f"{domain}#{customer_key}")

    def of_document(self, domain: str, document_id: str) -> list[Notice]:
        """See `ResponseLedger.of_document`."""
        return self._under("document", "doc", f"{domain}#{document_id}")

    def of_case(self, domain: str, case_id: str) -> list[Notice]:
        """See `ResponseLedger.of_case`."""
        return self._under("case", "case", f"{domain}#{case_id}")

    def on_paper(self, run: str) -> list[Notice]:
        """The notices of a run's documents (`domain/run id`) that end on paper, steps of journeys included.

        Not those that a release before this index wrote. The index may lag by a second.
        """
        found = (self._under("paper", "paper", f"{run}#{shard}") for shard in range(_PAPER_SHARDS))
        return [notice for notices in found for notice in notices if notice.status == Status.PAPER]

    def _under(self, index: str, attribute: str, value: str) -> list[Notice]:
        rows = query(
            self._client.query,
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": attribute},
            ExpressionAttributeValues={":v": {"S": value}},
        )
        notices = self.get([row["pk"]["S"] for row in rows])
        return sorted(notices.values(), key=lambda n: (n.created_at, n.notice_id))


class DynamoDueIndex:
    """`DueIndex` on the Notices table's `due` index; waiting runs are items of their own in it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def due(self, since: datetime, until: datetime) -> Iterator[str]:
        """See `DueIndex.due`."""
        limit = until.isoformat(timespec="seconds")
        for name in slots(since, until):
            for row in query(
                self._client.query,
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_slot = :s AND due_at <= :u",
                ExpressionAttributeValues={":s": {"S": name}, ":u": {"S": limit}},
            ):
                yield row["pk"]["S"]

    def wait(self, kind: WaitKind, name: str, until: datetime, *, keep: bool = False) -> None:
        """See `DueIndex.wait`."""
        self._wait(f"{kind}:{name}", until, keep=keep)

    def waiting(self, ids: Collection[str]) -> list[tuple[str, WaitKind, str]]:
        """See `DueIndex.waiting`."""
        rows: list[tuple[str, WaitKind, str]] = []
        for key in ids:
            kind, colon, name = key.partition(":")
            if colon and kind in get_args(WaitKind):
                rows.append((key, cast(WaitKind, kind), name))
        return rows

    def wait_for_run(self, domain: str, run_id: str, until: datetime) -> None:
        """See `DueIndex.wait_for_run`."""
        self._wait(f"{_WAITING_RUN}{domain}/{run_id}", until, keep=False)

    def wait_for_look(self, name: str, pointer: SlicePointer, until: datetime) -> str:
        """See `DueIndex.wait_for_look`."""
        key = f"{_LOOK}{name}"
        self._wait(key, until, keep=False, pointer=_dumps(pointer.to_message()))
        return key

    def looks_due(self, ids: Collection[str]) -> list[tuple[str, SlicePointer]]:
        """See `DueIndex.looks_due`."""
        found = get_items(self._client, self._table, [key for key in ids if key.startswith(_LOOK)])
        return [
            (key, SlicePointer.from_message(orjson.loads(item["pointer"]["S"])))
            for key, item in found.items()
        ]

    def _wait(self, key: str, until: datetime, *, keep: bool, **more: str) -> None:
        due_at = until.isoformat(timespec="seconds")
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if keep else {}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": key},
                    "due_at": {"S": due_at},
                    "due_slot": {"S": slot(key, due_at)},
                    **{name: {"S": value} for name, value in more.items()},
                },
                **condition,
            )

    def runs_due(self, ids: Collection[str]) -> list[tuple[str, str, str]]:
        """See `DueIndex.runs_due`."""
        rows = []
        for key in ids:
            if key.startswith(_WAITING_RUN):
                domain, _, run_id = key.removeprefix(_WAITING_RUN).partition("/")
                rows.append((key, domain, run_id))
        return rows

    def forget(self, ids: Collection[str], until: datetime) -> None:
        """See `DueIndex.forget`."""
        for key in ids:
            try:
                self._client.delete_item(
                    TableName=self._table,
                    Key={"pk": {"S": key}},
                    ConditionExpression="due_at <= :u",
                    ExpressionAttributeValues={":u": {"S": until.isoformat(timespec="seconds")}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue

    def watermark(self) -> datetime | None:
        """See `DueIndex.watermark`."""
        item = get_items(self._client, self._table, [_WATERMARK]).get(_WATERMARK)
        return datetime.fromisoformat(item["at"]["S"]) if item else None

    def set_watermark(self, at: datetime) -> None:
        """See `DueIndex.set_watermark`."""
        self._client.put_item(
            TableName=self._table, Item={"pk": {"S": _WATERMARK}, "at": {"S": at.isoformat()}}
        )


def to_item(notice: Notice) -> Item:
    """The table's form of a notice."""
    item: Item = {
        "pk": {"S": notice.notice_id},
        "v": {"N": str(notice.version)},
        "status": {"S": str(notice.status)},
        "origin": {"S": _dumps(_origin(notice.origin))},
        "events": {"S": _dumps([_event(e) for e in notice.events])},
        "cust": {"S": f"{notice.domain}#{notice.customer_key}"},
    }
    for name, attribute in _TEXT.items():
        value = getattr(notice, name)
        if value:
            item[attribute] = {"S": str(value)}
    if notice.attempts:
        item["attempts"] = {"S": _dumps([_attempt(a) for a in notice.attempts])}
    if notice.waiting:
        item["waiting"] = {"S": ",".join(notice.waiting)}
    if notice.together:
        item["together"] = {"S": ",".join(notice.together)}
    if notice.responses:
        item["responses"] = {"S": ",".join(notice.responses)}
    if notice.payments:
        item["payments"] = {"S": _dumps(_payments(notice.payments))}
    if notice.former:
        item["former"] = {
            "S": _dumps(
                [[f.run, f.slice_number, f.position, str(f.outcome), f.why, f.version] for f in notice.former]
            )
        }
    if notice.heirs:
        item["heirs"] = {"S": _dumps([_origin(o) for o in notice.heirs])}
    if notice.corrections:
        item["corrections"] = {
            "S": _dumps([[_origin(c.origin), c.due_date, int(c.nothing_due)] for c in notice.corrections])
        }
    if notice.case_id:
        item["case"] = {"S": f"{notice.domain}#{notice.case_id}"}
    if notice.audience == "customer":
        item["doc"] = {"S": f"{notice.domain}#{notice.document_id}"}
    if notice.status == Status.PAPER and notice.audience == "customer":
        item["paper"] = {"S": f"{notice.origin.run}#{crc32(notice.notice_id.encode()) % _PAPER_SHARDS}"}
    if (p := notice.pauses) is not None:
        claim = (p.claimed_at, p.claim) if p.claim else ()
        item["pauses"] = {"S": _dumps([p.why, p.count, p.first, p.last, p.handed_on, *claim])}
    if notice.due_at:
        item["due_slot"] = {"S": slot(notice.notice_id, notice.due_at)}
    return item


def from_item(item: Item) -> Notice:
    """A notice from the table's form."""
    text = {name: item[attribute]["S"] for name, attribute in _TEXT.items() if attribute in item}
    waiting: Any = tuple(item["waiting"]["S"].split(",")) if "waiting" in item else ()
    responses: Any = tuple(item["responses"]["S"].split(",")) if "responses" in item else ()
    return Notice(
        notice_id=item["pk"]["S"],
        domain=text.pop("domain"),
        customer_key=text.pop("customer_key", ""),
        document_id=text.pop("document_id"),
        document_type=text.pop("document_type"),
        purpose=text.pop("purpose"),
        audience=text.pop("audience"),
        origin=Origin(*orjson.loads(item["origin"]["S"])),
        status=Status(item["status"]["S"]),
        version=int(item["v"]["N"]),
        attempts=tuple(
            Attempt(n, channel, provider, address, job, Status(status), *rest)
            for n, channel, provider, address, job, status, *rest in orjson.loads(
                item["attempts"]["S"] if "attempts" in item else "[]"
            )
        ),
        events=tuple(Event(*row) for row in orjson.loads(item["events"]["S"])),
        waiting=waiting,
        responses=responses,
        payments=_payments_from(item["payments"]["S"]) if "payments" in item else Payments(),
        former=tuple(
            Former(run, number, position, Outcome(outcome), why, version)
            for run, number, position, outcome, why, version in _rows(item, "former")
        ),
        heirs=tuple(Origin(*row) for row in _rows(item, "heirs")),
        corrections=tuple(
            Correction(Origin(*origin), due, bool(nothing))
            for origin, due, nothing in _rows(item, "corrections")
        ),
        together=tuple(item["together"]["S"].split(",")) if "together" in item else (),
        pauses=Pauses(*_rows(item, "pauses")) if "pauses" in item else None,
        **text,
    )


def _payments(p: Payments) -> list[Any]:
    facts = [
        [f.kind[0], f.key, f.of, f.amount, f.currency, int(f.loose), *((1,) if f.shared else ())]
        for f in p.facts
    ]
    return [facts, list(p.folded), list(p.known)]


def _payments_from(text: str) -> Payments:
    facts, folded, known = orjson.loads(text)
    return Payments(
        tuple(
            Fact(_KINDS[kind], key, of, amount, currency, bool(loose), bool(shared))
            for kind, key, of, amount, currency, loose, *shared in facts
        ),
        tuple((currency, amount) for currency, amount in folded),
        tuple(known),
    )


def _rows(item: Item, name: str) -> list[Any]:
    rows: list[Any] = orjson.loads(item[name]["S"]) if name in item else []
    return rows


def _origin(o: Origin) -> list[Any]:
    return [o.run, o.slice_number, o.position, o.part, o.offset, o.length]


def _event(e: Event) -> list[str]:
    return [e.at, e.what, e.detail, e.before, *((e.report,) if e.report else ())]


def _attempt(a: Attempt) -> list[Any]:
    times: tuple[Any, ...] = (a.delivered_at, a.undelivered_at, a.bounced_at)
    if a.by_mail:
        times = (*times, True)
    return [
        a.number, a.channel, a.provider, a.address, a.job, str(a.status), a.lease, a.ref, a.why, a.evidence,
        *(times if any(times) else ()),
    ]  # fmt: skip


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
