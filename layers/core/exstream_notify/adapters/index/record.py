"""The fields of a drop record: what each may hold, and which of them a record cannot do without."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Required, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ...domain.values import (
    birth_date,
    calendar_date,
    currency_code,
    instant,
    language_tag,
    team_names,
    truth,
    type_key,
)
from ..countries import known_country
from ..zones import time_zone
from .faults import Fault

Normalised: TypeAlias = dict[str, Any]
"""A `Record` that has passed: only fields with a value, `document_type` and `document_id` always."""


class Memo(dict[str, Any]):
    """Values of a kind that repeats within a run (dates, languages), each read once."""

    _ENTRIES = 4096
    _CHARS = 64

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def __missing__(self, value: str) -> Any:
        found = self._read(value)
        if len(value) <= self._CHARS:
            if len(self) >= self._ENTRIES:
                self.clear()
            self[value] = found
        return found


DATE_FIELDS = ("due_date", "respond_by")
KEYS = (
    "customer_key", "recipient", "document_id", "supersedes", "account_number", "reference_no", "case_id",
)  # fmt: skip
"""Fields whose text a spreadsheet may have rounded."""

NEEDED = frozenset(
    {
        "customer_key", "recipient", "document_id", "document_type", "queue_name", "output_uri",
        "content_sha256", "account_status", "supersedes", "test_flag",
    }
)  # fmt: skip
"""Fields without which a record would be another customer's or another document, or go to somebody who must
not have it. Where one of them cannot be read the record is rejected; any other field is left out."""

TELLING_APART = frozenset({"archive_ref", "statement_period", "produced_at"})
"""Fields that are needed, too, where the record has no `document_id` of its own."""

MAX_PATH = 1024
"""Bytes of a path or archive reference: S3 has no longer keys, and it may become the document's id, which is
a key of an index in DynamoDB (at most 2,048 bytes)."""


def _fits_a_key(path: str) -> str:
    if not path.isascii() and len(path.encode()) > MAX_PATH:
        raise ValueError(f"longer than {MAX_PATH} bytes")
    return path


_Key = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH), AfterValidator(_fits_a_key)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Type = Annotated[_Code, BeforeValidator(Memo(type_key).__getitem__)]
_Date = Annotated[str, BeforeValidator(Memo(calendar_date).__getitem__)]
_BirthDate = Annotated[str, BeforeValidator(Memo(birth_date).__getitem__)]
_Instant = Annotated[str, BeforeValidator(Memo(instant).__getitem__)]
_Count = Annotated[int, Field(ge=0, le=999_999_999)]


class Record(TypedDict, total=False):
    """The fields of `Document` without its domain, with the bounds of what a site may write."""

    customer_key: Required[_Key]
    document_id: _Id
    document_type: _Type
    recipient: _Key
    customer_in_run: _Count
    queue_name: _Name
    delivery_channel: _Code
    output_uri: _Path
    archive_ref: _Path
    content_sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]
    document_version: _Code
    produced_at: _Instant
    language: Annotated[_Code, BeforeValidator(Memo(language_tag).__getitem__)]
    time_zone: Annotated[_Code, BeforeValidator(Memo(time_zone).__getitem__)]
    postcode: Annotated[str, StringConstraints(max_length=20)]
    country: Annotated[_Code, BeforeValidator(Memo(known_country).__getitem__)]
    region: _Code
    first_name: _Name
    last_name: _Name
    # Whether an address can be written to is the decision's to say, not the index reader's.
    email: Annotated[str, StringConstraints(max_length=320)]
    mobile: Annotated[str, StringConstraints(max_length=40)]
    reference_no: _Code
    account_number: _Code
    amount_due: str  # read before, together with its currency
    currency: Annotated[str, BeforeValidator(Memo(currency_code).__getitem__)]
    due_date: _Date
    statement_period: _Code
    account_status: _Type
    stage: _Type
    days_past_due: Annotated[int, Field(ge=-36_500, le=36_500)]
    case_id: _Code
    case_type: _Type
    respond_by: _Date
    internal_teams: Annotated[list[str], BeforeValidator(team_names)]
    requires_ack: Annotated[bool, BeforeValidator(Memo(truth).__getitem__)]
    supersedes: _Id
    verify_last4: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{4}$")]
    verify_birth_date: _BirthDate
    test_flag: Annotated[bool, BeforeValidator(Memo(truth).__getitem__)]


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)

validate = _RECORD.validator.validate_python
"""A `Record` from clean text by field; raises pydantic's ValidationError."""

_PATTERN_REASONS = {
    "content_sha256": "not 64 hexadecimal digits",
    "verify_last4": "not four letters or digits",
}


def _reason(error: Mapping[str, Any]) -> str:
    """A reason in our words, without the value, for one error of pydantic."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return _PATTERN_REASONS[error["loc"][0]]
    if kind == "string_too_long":
        return f"longer than {context['max_length']} characters"
    if kind in ("int_parsing", "int_parsing_size", "int_from_float", "int_type"):
        return "not a whole number"
    if kind in ("greater_than_equal", "less_than_equal"):
        return "out of range"
    return "missing" if kind in ("missing", "string_too_short") else "not usable text"


def faults_of(error: ValidationError) -> list[Fault]:
    """What pydantic found, in our words."""
    errors = error.errors(include_url=False, include_input=False)
    return [Fault(str(e["loc"][0]), _reason(e)) for e in errors]
