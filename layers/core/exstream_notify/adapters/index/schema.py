"""One record, as a site writes it, into the one form that all later steps read."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Required, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ...domain.records import (
    DateOrder,
    RunFolder,
    ValueRefused,
    calendar_date,
    clean_text,
    content_identity,
    file_edition,
    instant,
    language_tag,
    own_identity,
    path_in_run,
    plain_amount,
    queue_of,
    team_names,
    truth,
    type_key,
)
from ...domain.second_step import CONCEALED
from ..countries import country_code
from .faults import Fault, Limits, RecordRefused
from .names import AliasTable, Plan

Normalised: TypeAlias = dict[str, Any]
"""A `Record` that has passed: only fields with a value, `document_type` and `document_id` always, `edition`
where the id is only the name of a file."""


class _Memo(dict[str, Any]):
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


_DATE_FIELDS = ("due_date", "respond_by", "verify_birth_date")

_Key = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Type = Annotated[_Code, BeforeValidator(_Memo(type_key).__getitem__)]
_Date = Annotated[str, BeforeValidator(_Memo(calendar_date).__getitem__)]
_Instant = Annotated[str, BeforeValidator(_Memo(instant).__getitem__)]
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
    produced_at: _Instant
    language: Annotated[_Code, BeforeValidator(_Memo(language_tag).__getitem__)]
    time_zone: _Code
    postcode: Annotated[str, StringConstraints(max_length=20)]
    country: Annotated[_Code, BeforeValidator(country_code)]
    first_name: _Name
    last_name: _Name
    # Whether an address can be written to is the decision's to say, not the index reader's.
    email: Annotated[str, StringConstraints(max_length=320)]
    mobile: Annotated[str, StringConstraints(max_length=40)]
    reference_no: _Code
    account_number: _Code
    amount_due: Annotated[str, BeforeValidator(plain_amount)]
    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")]
    due_date: _Date
    statement_period: _Code
    account_status: _Type
    stage: _Type
    days_past_due: Annotated[int, Field(ge=-36_500, le=36_500)]
    case_id: _Code
    case_type: _Type
    respond_by: _Date
    internal_teams: Annotated[list[str], BeforeValidator(team_names)]
    requires_ack: Annotated[bool, BeforeValidator(_Memo(truth).__getitem__)]
    supersedes: _Id
    verify_last4: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{4}$")]
    verify_birth_date: _Date
    test_flag: Annotated[bool, BeforeValidator(_Memo(truth).__getitem__)]


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)

HIDDEN = "***"
"""In the place of what a customer is asked for, in copies that are kept."""

_PATTERN_REASONS = {
    "content_sha256": "not 64 hexadecimal digits",
    "currency": "not a three-letter code (ISO 4217)",
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


_TEAM_FIELD = "internal_teams"


class QueueUnmapped(RecordRefused):
    """A record without a type lies in a queue that no rule maps to one."""

    def __init__(self, queue: str) -> None:
        super().__init__(Fault("document_type", "missing, and no rule maps the queue to a type"))
        self.queue = queue


class RecordSchema:
    """Normalises records of one site and run.

    `known_types` are the rules' document types by name, `queues` the type that a rule gives a queue;
    both are matched without regard to case and to `_`, `-` and spaces. `run` lets full `s3://`
    paths of the run's own folder through. `dates` is the site's way to write dates. `conceal` puts hashes
    in the place of what a customer is asked for as a second step, in records that have such a field.
    """

    def __init__(
        self,
        known_types: Mapping[str, str],
        queues: Mapping[str, str] | None = None,
        *,
        aliases: AliasTable | None = None,
        run: RunFolder | None = None,
        dates: DateOrder = "iso",
        limits: Limits | None = None,
        conceal: Callable[[Normalised], None] | None = None,
    ) -> None:
        self.aliases = aliases or AliasTable()
        self._conceal = conceal
        self.limits = limits or Limits()
        self._types = {type_key(name): found for name, found in known_types.items()}
        self._queues = {type_key(name): found for name, found in (queues or {}).items()}
        self._run = run
        self._site_dates: dict[str, _Memo] = {}
        if dates != "iso":
            memo = _Memo(lambda value: calendar_date(value, dates))
            self._site_dates = dict.fromkeys(_DATE_FIELDS, memo)
            self._site_dates["produced_at"] = _Memo(lambda value: instant(value, dates))
        self._validate = _RECORD.validator.validate_python
        self._plan: Plan | None = None

    def type_of_queue(self, queue: str) -> str | None:
        """The document type that a rule gives a queue."""
        return self._queues.get(type_key(queue))

    def normalise(self, names: tuple[str, ...], values: Sequence[object]) -> Normalised:
        """The record in its one form; `RecordRefused` with all its faults otherwise.

        `values` are text, or what JSON has: numbers, true and false, null, and a list of internal
        teams. Empty ones count as absent.
        """
        return self.complete(self.fields_of(names, values))

    def complete(self, record: Mapping[str | None, str]) -> Normalised:
        """The second half of `normalise`: validated values, with type and identity."""
        if self._site_dates:
            record = self._with_iso_dates(record)
        try:
            found: Normalised = self._validate(record)
        except ValidationError as error:
            raise self._refused(error, record) from None
        try:
            self._settle(found)
        except ValueRefused as refused:
            raise RecordRefused(Fault("output_uri", str(refused))) from None
        if self._conceal is not None and not CONCEALED.isdisjoint(found):
            self._conceal(found)
        return found

    def hidden(self, value: object, depth: int | None = None) -> object:
        """What JSON has, with the answers to a second step hidden under every name that can mean one.

        For copies of records that were rejected; an empty value is shown, since it may be the fault, and
        what is nested beyond `depth` (the limit for elements) is hidden unseen.
        """
        left = self.limits.depth if depth is None else depth
        if not isinstance(value, Mapping | list | tuple):
            return value
        if not left:
            return HIDDEN
        if not isinstance(value, Mapping):
            return [self.hidden(inner, left - 1) for inner in value]
        asked = {name for name in value if self.aliases.can_feed_any(str(name), CONCEALED)}
        return {
            name: HIDDEN if inner and name in asked else self.hidden(inner, left - 1)
            for name, inner in value.items()
        }

    def fields_of(self, names: tuple[str, ...], values: Sequence[object]) -> dict[str | None, str]:
        """The first half of `normalise`: clean text by field, that of unknown names under None."""
        if len(names) > self.limits.record_fields:
            raise RecordRefused(Fault(None, f"more than {self.limits.record_fields} fields"))
        texts: Sequence[str] = values  # type: ignore[assignment]
        try:
            joined = "|".join(texts)
        except TypeError:
            texts = self._texts(names, values)
            joined = "|".join(texts)
        if len(joined) > self.limits.record_chars:
            raise RecordRefused(Fault(None, f"longer than {self.limits.record_chars} characters"))
        plan = self._plan
        if plan is None or plan.names is not names:
            plan = self._plan = self.aliases.plan(names)
        # One look at all values together: most records need no look at each.
        if not joined.isprintable():
            texts = self._clean(plan, texts)
        elif "| " in joined or " |" in joined or joined[:1] == " " or joined[-1:] == " ":
            texts = [text.strip() for text in texts]
        if plan.repeated:
            names, texts = self._merge(plan, texts)
            plan = self.aliases.plan(names)
        if "" not in texts:
            return dict(zip(plan.fields, texts, strict=True))
        if plan.contested:
            names = tuple(name for name, text in zip(names, texts, strict=True) if text)
            return dict(zip(self.aliases.plan(names).fields, filter(None, texts), strict=True))
        return {field: text for field, text in zip(plan.fields, texts, strict=True) if text}

    def _with_iso_dates(self, record: Mapping[str | None, str]) -> dict[str | None, str]:
        """The record with the site's dates written as ISO 8601."""
        changed = dict(record)
        for field, memo in self._site_dates.items():
            if value := record.get(field):
                try:
                    changed[field] = memo[value]
                except ValueRefused as refused:
                    raise RecordRefused(Fault(field, str(refused))) from None
        return changed

    def _clean(self, plan: Plan, texts: Sequence[str]) -> list[str]:
        faults, clean = [], []
        for field, text in zip(plan.fields, texts, strict=True):
            try:
                clean.append(clean_text(text))
            except ValueRefused as refused:
                if field is not None:
                    faults.append(Fault(field, str(refused)))
                clean.append("")
        if faults:
            raise RecordRefused(*faults)
        return clean

    def _texts(self, names: tuple[str, ...], values: Sequence[object]) -> list[str]:
        """JSON values as text; nested ones are a fault where their name means a field."""
        texts, faults = [], []
        plan = self.aliases.plan(names)
        for field, value in zip(plan.fields, values, strict=True):
            text = _text(value)
            if text is None and field == _TEAM_FIELD and isinstance(value, list):
                members = [_text(member) for member in value]
                text = None if None in members else ";".join(filter(None, members))
            if text is None:
                if field is not None:
                    faults.append(Fault(field, "a nested value or a number without a value"))
                text = ""
            texts.append(text)
        if faults:
            raise RecordRefused(*faults)
        return texts

    def _merge(self, plan: Plan, texts: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """One value a name. Teams add up; any other name must not say two things."""
        merged: dict[str, str] = {}
        for name, field, text in zip(plan.names, plan.fields, texts, strict=True):
            before = merged.get(name, "")
            if before and text and field == _TEAM_FIELD:
                text = f"{before};{text}"
            elif before and text and field is not None and before != text:
                raise RecordRefused(Fault(field, "given more than once, with different values"))
            merged[name] = text or before
        return tuple(merged), list(merged.values())

    def _settle(self, found: Normalised) -> None:
        """What needs more than one field, or the rules: path, queue, type, identity."""
        uri = found.get("output_uri")
        if uri is not None:
            uri = found["output_uri"] = path_in_run(uri, self._run)
        kind = found.get("document_type")
        if kind is not None:
            known = self._types.get(kind)
            if known is None:
                raise RecordRefused(Fault("document_type", "no such type in the rules"))
        else:
            queue = found.get("queue_name") or (queue_of(uri) if uri else None)
            if queue is None:
                raise RecordRefused(Fault("document_type", "missing, and no queue tells it"))
            known = self._queues.get(type_key(queue))
            if known is None:
                raise QueueUnmapped(queue)
        found["document_type"] = known
        if "document_id" not in found:
            if edition := file_edition(found):
                found["edition"] = edition
            found["document_id"] = own_identity(found) or content_identity(found)

    def _refused(self, error: ValidationError, record: Mapping[str | None, str]) -> RecordRefused:
        """All that is wrong, the missing type included, which is only looked at afterwards."""
        errors = error.errors(include_url=False, include_input=False)
        faults = [Fault(str(e["loc"][0]), _reason(e)) for e in errors]
        if not any(record.get(f) for f in ("document_type", "queue_name", "output_uri")):
            faults.append(Fault("document_type", "missing, and no queue tells it"))
        return RecordRefused(*faults)


def _text(value: object) -> str | None:
    """A JSON scalar as text; None for what has no text."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else None
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return None
