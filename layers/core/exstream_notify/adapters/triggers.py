"""What the queues bring, checked at the edge."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..domain.exceptions import ExceptionRaised, Unusable
from ..domain.values import ValueRefused, is_unset, plain_key, refuse_rounded
from .index.reading import form_of
from .json_text import repeated_name
from .seal import SEAL_NAME

NAME = r"^[A-Za-z0-9][A-Za-z0-9._=-]{0,127}$"
"""What a domain and a run id may look like: they become parts of keys and message groups."""


def key_of(text: str) -> str:
    """A customer's, document's or case's key as records have it, empty where the text stands for none.

    Raises ValueError for a key that a spreadsheet rounded.
    """
    try:
        key = plain_key(text)
        refuse_rounded(key)
    except ValueRefused as refused:
        raise ValueError(str(refused)) from None
    return "" if is_unset(key) else key


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Run(_Model):
    domain: str = Field(pattern=NAME)
    run_id: str = Field(pattern=NAME)


_EXCEPTION = TypeAdapter(ExceptionRaised)


RunTrigger = Literal["seal", "manifest", "index", "again", "digests"]
_MANIFESTS = ("_STDDELIVERYFILE.xml", "_STDDELIVERYFILE.xml.gz")
_KEY_SHOWN = 160


def run_of(body: dict[str, Any]) -> tuple[str, str, RunTrigger] | None:
    """Domain, run id and trigger of a message on the run queue; None for a file that starts nothing.

    EventBridge gives keys as they are: nothing in them is decoded. `Unusable` for a file that lies, or is
    named, so that no run can have it.
    """
    if "stage" in body:
        stage = body["stage"]
        run = _run("run queue", stage.get("domain"), stage.get("run_id"))
        return *run, "digests" if stage.get("trigger") == "digests" else "again"
    key = body["detail"]["object"]["key"]
    form = form_of(key.rpartition("/")[2])
    if form is None and key.rpartition("/")[2].lower() != SEAL_NAME.lower():
        return None
    domain, run_id, name = run_file_of(key)
    if name == SEAL_NAME:
        return domain, run_id, "seal"
    if name in _MANIFESTS:
        return domain, run_id, "manifest"
    if form is None:
        reason = f"a seal is named {SEAL_NAME}, in these letters"
        raise Unusable("drop_misplaced", shown(key), reason, [shown(key)])
    if form.form == "native" and name.startswith("_"):
        reason = f"a manifest is named {_MANIFESTS[0]}, in these letters"
        raise Unusable("drop_misplaced", shown(key), reason, [shown(key)])
    return domain, run_id, "index"


def run_file_of(key: str) -> tuple[str, str, str]:
    """Domain, run id and name of a file that lies directly in a run's folder, by its literal key.

    `Unusable` with the folder for any other file, and where the folder's name cannot be a run's.
    """
    parts = key.split("/")
    folder = shown(key.rpartition("/")[0] + "/" if "/" in key else "")
    if len(parts) != 4 or parts[0] != "drop":
        reason = f"{shown(parts[-1])} is not in drop/<domain>/<run_id>/"
        raise Unusable("drop_misplaced", folder or "drop bucket", reason, [folder, shown(parts[-1])])
    return *_run(folder, parts[1], parts[2]), parts[3]


def shown(key: str) -> str:
    """A key to be read by people: without control characters, and of a long one its beginning with a hash."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in key)
    if len(text) <= _KEY_SHOWN and text == key:
        return text
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[:_KEY_SHOWN]}…#{digest}"


def event_body(text: str) -> dict[str, Any]:
    """Parse an event. If an object in it has the same name twice, `repeated` holds that name."""
    repeated: list[str] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeated.append(repeated_name(pairs))
        return found

    body: dict[str, Any] = json.loads(text, object_pairs_hook=made)
    return {**body, "repeated": repeated[0]} if repeated else body


def refuse_repeated(body: Mapping[str, Any], code: str, place: str) -> None:
    """Raise Unusable where `event_body` found a name twice: nobody knows which of its values was meant."""
    if name := body.get("repeated"):
        quoted = repr(shown(str(name)))
        raise Unusable(code, place, f"the name {quoted} stands twice in an object", [quoted[1:-1]])


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
    """A trigger that cannot be used, for its team; it is of no run, so its place tells it from others."""
    return ExceptionRaised(
        unusable.code,
        "error",
        "unknown",
        "none",
        str(unusable),
        part=unusable.place[:200],
        names=unusable.names,
    )


def _run(place: str, domain: object, run_id: object) -> tuple[str, str]:
    try:
        run = _Run.model_validate({"domain": domain, "run_id": run_id})
    except ValidationError as error:
        field = error.errors(include_url=False, include_input=False)[0]["loc"][0]
        reason = f"{field}: letters, digits, '.', '_', '=' and '-', at most 128, the first a letter or digit"
        raise Unusable("name_unusable", place, reason, [place]) from error
    return run.domain, run.run_id
