"""A run record by record: what each was, how it ended, and what was rejected."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Run, latest

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


def rejects_of(app: "Bootstrap", run: Run) -> Iterator[Reject]:
    """A run's rejected records, from the work bucket, in order."""
    if not run.parts or not run.rejected:
        return
    client, bucket = app.client("s3"), app.settings.work_bucket
    prefix = "rejects/" + run.parts.removeprefix("parts/")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Contents", ()):
            body = client.get_object(Bucket=bucket, Key=row["Key"])["Body"]
            for line in body.iter_lines():
                yield reject_from(json.loads(line))


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
        for position, document in app.records.read(pointer):
            word = outcomes.get(position)
            yield RecordRow(
                position,
                document.customer_key,
                document.document_id,
                document.document_type,
                str(word.outcome if word else Outcome.IN_FLIGHT),
                word.why if word else "",
                word.notice_id if word else "",
            )
    for reject in rejects_of(app, run):
        what = f"{reject.field}: {reject.reason}" if reject.field else reject.reason
        yield RecordRow(reject.position, "", "", "", str(Outcome.REJECTED), what, "")
