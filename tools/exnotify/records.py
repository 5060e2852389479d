"""A run record by record: what each was, how it ended, and what was rejected."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.notices import Notice, Outcome, Status, head
from exstream_notify.domain.runs import Run, latest

from .notices import spoken_attempt

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record of a run. For a rejected one `reason` names field and cause, `document_id` nothing."""

    position: int
    customer_key: str
    document_id: str
    document_type: str
    outcome: str
    reason: str
    notice_id: str
    status: str = ""
    channel: str = ""
    provider: str = ""
    provider_ref: str = ""
    sent_at: str = ""
    delivered_at: str = ""
    attempts: int = 0
    evidence: str = ""
    chain_head: str = ""
    recipient: str = ""


COLUMNS = RecordRow.__slots__


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejected record: its position in the run, in its file, the field (or None) and why."""

    position: int
    file: str
    record: int
    field: str | None
    reason: str

    def __str__(self) -> str:
        what = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"record {self.record} of {self.file}: {what}"


def delivery_of(notice: Notice) -> dict[str, Any]:
    """How a notice went, and where its proof lies: the evidence as sent, and the head of its chain.

    All of it is of one attempt, and `delivered_at` empty unless that attempt stands as delivered.
    """
    attempt = spoken_attempt(notice)
    number = str(attempt.number) if attempt else ""
    mine = [event for event in reversed(notice.events) if event.detail.partition(" ")[0] == number]
    done = {event.what: event.at for event in mine}
    arrived = attempt is not None and attempt.status in (Status.DELIVERED, Status.COMPLAINED)
    return {
        "status": str(notice.status),
        "channel": attempt.channel if attempt else "",
        "provider": attempt.provider if attempt else "",
        "provider_ref": attempt.ref if attempt else "",
        "sent_at": done.get("sent") or done.get("receipt sent", ""),
        "delivered_at": done.get("receipt delivered", "") if arrived else "",
        "attempts": len(notice.attempts),
        "evidence": attempt.evidence if attempt else "",
        "chain_head": head(notice),
    }


def rejects_of(app: "Bootstrap", run: Run) -> Iterator[Reject]:
    """A run's rejected records, from the work bucket, in order."""
    if not run.parts or not run.rejected:
        return
    client, bucket = app.client("s3"), app.settings.work_bucket
    prefix = "rejects/" + run.parts.removeprefix("parts/")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Contents", ()):
            if not is_rejects(row["Key"]):
                continue
            body = client.get_object(Bucket=bucket, Key=row["Key"])["Body"]
            for line in body.iter_lines():
                yield reject_from(json.loads(line))


def is_rejects(key: str) -> bool:
    """Whether an object under `rejects/` holds rejected records, not values that were left out."""
    from exstream_notify.adapters.staging import LEFT_OUT

    return f"{LEFT_OUT}." not in key.rsplit("/", 1)[-1]


def reject_from(row: dict[str, Any]) -> Reject:
    """A reject from its JSON line."""
    return Reject(row["pos"], row["file"], row["position"], row.get("field"), row["reason"])


def records_of(app: "Bootstrap", run: Run) -> Iterator[RecordRow]:
    """Every record of a run: the documents slice by slice, then the rejects.

    Memory grows with the outcomes, not with the records.
    """
    if not run.parts:
        return
    outcomes = latest(app.runs.outcomes(run.domain, run.run_id))
    for pointer in app.staging.slices(run.domain, run.run_id, run.parts):
        if pointer.kind != "documents":
            continue
        documents = app.records.read(pointer)
        words = {position: outcomes[position] for position, _ in documents if position in outcomes}
        notices = app.ledger.get({word.notice_id for word in words.values() if word.notice_id})
        for position, document in documents:
            word = words.get(position)
            row = RecordRow(
                position,
                document.customer_key,
                document.document_id,
                document.document_type,
                str(word.outcome if word else Outcome.IN_FLIGHT),
                word.why if word else "",
                word.notice_id if word else "",
                recipient=document.recipient or "",
            )
            notice = notices.get(row.notice_id)
            yield replace(row, **delivery_of(notice)) if notice else row
    for reject in rejects_of(app, run):
        what = f"{reject.field}: {reject.reason}" if reject.field else reject.reason
        yield RecordRow(reject.position, "", "", "", str(Outcome.REJECTED), what, "")
