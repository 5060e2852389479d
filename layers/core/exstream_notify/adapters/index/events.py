"""Single documents that arrive as an EventBridge event, through the same normaliser."""

import re
from collections.abc import Mapping
from typing import Any

from ...domain.records import IDENTITY_FIELDS
from .faults import Fault, RecordRefused
from .schema import Normalised, RecordSchema

NATIVE_TYPE = "Exstream-Generated"
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_event(
    detail: Mapping[str, Any], schema: RecordSchema, left: list[Fault] | None = None
) -> Normalised:
    """The document of an event's `detail`, normalised, with its `domain`.

    Either the record itself with a `domain` (`Document Composed`), or Exstream's own event: the
    manifest's fields under `user`, the domain in `exstreamJob`. An event names one document, so a
    record without identity takes the job's `communicationId`, and without `produced_at` the time of
    the job. What cannot be read and is not needed goes into `left`. Raises `RecordRefused`.
    """
    if not isinstance(detail, Mapping):
        raise RecordRefused(Fault("detail", "not an object"))
    if "exstreamJob" in detail or "expctr" in detail:
        return _native(detail, schema, left)
    record = {name: value for name, value in detail.items() if name != "domain"}
    return _read(detail.get("domain"), record, {}, schema, left)


def _native(detail: Mapping[str, Any], schema: RecordSchema, left: list[Fault] | None) -> Normalised:
    event, job, user = (_part(detail, name) for name in ("expctr", "exstreamJob", "user"))
    if event.get("schemaType") != NATIVE_TYPE:
        raise RecordRefused(Fault("expctr.schemaType", "not that of a composed document"))
    status = job.get("status")
    if status not in (None, "", "complete"):
        raise RecordRefused(Fault("exstreamJob.status", "not complete"))
    otherwise = {
        "document_id": job.get("communicationId"),
        "produced_at": job.get("creationTime") or event.get("eventDate"),
    }
    return _read(job.get("domain"), user, otherwise, schema, left)


def _part(detail: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = detail.get(name)
    if not isinstance(found, Mapping):
        raise RecordRefused(Fault(name, "missing"))
    return found


def _read(
    domain: object,
    record: Mapping[str, Any],
    otherwise: Mapping[str, Any],
    schema: RecordSchema,
    left: list[Fault] | None,
) -> Normalised:
    if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
        raise RecordRefused(Fault("domain", "missing, or not a name of letters, digits, dots and dashes"))
    fields = schema.fields_of(tuple(map(str, record)), list(record.values()), left)
    if any(name in fields for name in IDENTITY_FIELDS):
        otherwise = {name: value for name, value in otherwise.items() if name not in IDENTITY_FIELDS}
    found = schema.complete({**schema.fields_of(tuple(otherwise), list(otherwise.values())), **fields}, left)
    found["domain"] = domain
    return found
