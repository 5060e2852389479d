"""Tests of the index readers; `stage` and `staged` are what most of them start with."""

import io
import json
from dataclasses import dataclass
from typing import Any

from exstream_notify.adapters.index import (
    FileTally,
    Limits,
    MemoryParts,
    MemoryRejects,
    RecordSchema,
    Slice,
    stage_file,
)

TYPES = (
    "statement", "invoice", "utility-bill", "policy-document", "overdue-notice", "payment-reminder",
    "claim-letter",
)  # fmt: skip
QUEUES = {"Email_Statements": "statement", "Email_Invoices": "invoice", "SMS_Statements": "statement"}


def a_schema(**changes: Any) -> RecordSchema:
    """A schema of these types and queues."""
    return RecordSchema({name: name for name in TYPES}, QUEUES, **changes)


@dataclass(frozen=True)
class Staged:
    """What became of a file."""

    tally: FileTally
    documents: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    slices: list[Slice]
    parts: MemoryParts


def stage(data: bytes | str, name: str, *, schema: RecordSchema | None = None, **options: Any) -> Staged:
    """Stage a file of these bytes (text is UTF-8), and read back what came out."""
    parts, rejects = MemoryParts(), MemoryRejects()
    source = io.BytesIO(data.encode() if isinstance(data, str) else data)
    tally = stage_file(source, name, schema=schema or a_schema(), parts=parts, rejects=rejects, **options)
    assert not source.read(1), "the file was not read to its end"
    return Staged(
        tally,
        [json.loads(line) for line in parts.lines()],
        [json.loads(line) for line in rejects.lines()],
        parts.slices,
        parts,
    )


def limits(**changes: int) -> dict[str, Any]:
    """Options for `stage` with these limits, for reader and schema alike."""
    found = Limits(**changes)
    return {"limits": found, "schema": a_schema(limits=found)}
