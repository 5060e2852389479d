"""What the queues bring, checked at the edge."""

from typing import Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..domain.exceptions import ExceptionRaised, Unusable
from .seal import SEAL_NAME

NAME = r"^[A-Za-z0-9][A-Za-z0-9._=-]{0,127}$"
"""What a domain and a run id may look like: they become parts of keys and message groups."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Run(_Model):
    domain: str = Field(pattern=NAME)
    run_id: str = Field(pattern=NAME)


_EXCEPTION = TypeAdapter(ExceptionRaised)


def run_of(body: dict[str, Any]) -> tuple[str, str, Literal["seal", "manifest", "again", "digests"]]:
    """Domain, run id and trigger of a message on the run queue, or Unusable."""
    if "stage" in body:
        stage = body["stage"]
        run = _run("run queue", stage.get("domain"), stage.get("run_id"))
        return *run, "digests" if stage.get("trigger") == "digests" else "again"
    key = unquote(body["detail"]["object"]["key"])
    folder, _, name = key.rpartition("/")
    parts = folder.split("/")
    if len(parts) != 3 or parts[0] != "drop":
        raise Unusable("drop_misplaced", "drop bucket", f"{name} does not lie in drop/<domain>/<run_id>/")
    return *_run("drop bucket", parts[1], parts[2]), "seal" if name == SEAL_NAME else "manifest"


def document_of(body: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Event id, domain and the event itself of a single document, or Unusable."""
    detail = body.get("detail")
    if not isinstance(detail, dict) or not body.get("id"):
        raise Unusable("event_unusable", "event", "an event has an id and an object as its detail")
    job = detail.get("exstreamJob")
    domain = detail.get("domain") or (job.get("domain") if isinstance(job, dict) else None)
    if not domain:
        raise Unusable("event_unusable", f"event {body['id']}", "no domain in the detail")
    domain, event_id = _run(f"event {body['id']}", domain, body["id"])
    return event_id, domain, body


def exception_of(body: dict[str, Any]) -> ExceptionRaised:
    """The exception of an `Exception Raised` event; ValidationError if it is none."""
    return _EXCEPTION.validate_python(body["detail"])


def as_exception(unusable: Unusable) -> ExceptionRaised:
    """A trigger that cannot be used, for whoever must know; it belongs to no run."""
    return ExceptionRaised(
        unusable.code, "error", "unknown", "none", str(unusable), part=unusable.place[:200]
    )


def _run(place: str, domain: object, run_id: object) -> tuple[str, str]:
    try:
        run = _Run.model_validate({"domain": domain, "run_id": run_id})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unusable(
            "name_unusable", place, f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}"
        ) from error
    return run.domain, run.run_id
