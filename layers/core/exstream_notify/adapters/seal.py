"""The seal as sites write it, checked at the edge."""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..domain.exceptions import Unusable
from ..domain.receipts import moment
from ..domain.runs import Seal, SealedFile
from .json_text import unique_names

SEAL_NAME = "_COMPLETE.json"
_END = "\x1a \t\r\n"


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: Annotated[str, Field(min_length=1, max_length=1024)]
    bytes: Annotated[int, Field(ge=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    records: Annotated[int, Field(ge=0)] | None = None

    @field_validator("name")
    @classmethod
    def _inside(cls, name: str) -> str:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "" in parts:
            raise ValueError("leaves the run's folder")
        if name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".tgz")):
            raise ValueError("an archive is no index form; drop its files themselves, or gzip each")
        return name


class _SealModel(BaseModel):
    model_config = ConfigDict(extra="ignore")
    schema_version: str | int = "1"
    run_id: str
    domain: str
    app: str = ""
    exit_status: int = 0
    customers_expected: Annotated[int, Field(ge=0)] | None = None
    customers_processed: Annotated[int, Field(ge=0)] | None = None
    documents: Annotated[int, Field(ge=0)] | None = None
    errors: Annotated[int, Field(ge=0)] = 0
    rerun_of: Annotated[str, Field(max_length=256)] = ""
    started_at: str = ""
    files: Annotated[list[_File], Field(min_length=1, max_length=10_000)]

    @field_validator("started_at", mode="before")
    @classmethod
    def _moment(cls, at: object) -> str:
        """A time that cannot be read says nothing: no run is refused for it."""
        return at if isinstance(at, str) and moment(at) else ""

    @field_validator("schema_version")
    @classmethod
    def _known(cls, version: str | int) -> str:
        if str(version).split(".")[0] != "1":
            raise ValueError("is not a version this release knows (1)")
        return str(version)


def parse_seal(data: bytes, domain: str, run_id: str, *, limit: int) -> Seal:
    """The seal of `drop/<domain>/<run_id>/`; `Unusable` with field and reason otherwise."""
    if len(data) > limit:
        raise _unusable("seal", f"larger than {limit} bytes")
    try:
        text = data.decode("utf-8-sig").rstrip(_END)
        model = _SealModel.model_validate(json.loads(text, object_pairs_hook=unique_names))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(x) for x in first["loc"]) or "seal"
        raise _unusable(place, first["msg"].removeprefix("Value error, ")) from error
    except (ValueError, RecursionError) as error:
        raise _unusable("seal", f"not JSON: {error}") from error
    if (model.domain, model.run_id) != (domain, run_id):
        reason = f"the seal is of {model.domain}/{model.run_id}, but lies in {domain}/{run_id}"
        raise _unusable("run_id", reason, model.domain, model.run_id, domain, run_id)
    names = [f.name for f in model.files]
    if len(set(names)) != len(names):
        raise _unusable("files", "a name is listed twice")
    return Seal(
        model.run_id,
        model.domain,
        tuple(SealedFile(f.name, f.bytes, f.sha256, f.records) for f in model.files),
        model.app,
        model.exit_status,
        model.customers_expected,
        model.customers_processed,
        model.documents,
        model.errors,
        model.rerun_of,
        model.started_at,
    )


def _unusable(place: str, reason: str, *names: str) -> Unusable:
    return Unusable("seal_unreadable", f"{SEAL_NAME} {place}", reason, names)
