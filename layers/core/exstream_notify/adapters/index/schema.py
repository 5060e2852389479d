"""One record, as a site writes it, into the one form that all later steps read."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from ...domain.holders import HolderField, recipient_of
from ...domain.records import (
    RunFolder,
    content_identity,
    file_edition,
    is_undated,
    own_identity,
    path_in_run,
    queue_of,
)
from ...domain.second_step import CONCEALED
from ...domain.values import (
    FREE_TEXT,
    UNSET,
    Manner,
    ValueRefused,
    clean_path,
    clean_text,
    hints_unset,
    is_unset,
    known_names,
    may_be_credit,
    plain_address,
    plain_key,
    type_key,
)
from .faults import Fault, Limits, RecordRefused
from .names import AliasTable, Plan
from .record import KEYS, NEEDED, TELLING_APART, Normalised, faults_of, validate
from .together import ADDRESSES, NumberZones, Today, Together
from .usual import Usual

__all__ = ["HIDDEN", "Normalised", "QueueUnmapped", "RecordSchema"]

HIDDEN = "***"
"""In the place of what a customer is asked for, in copies that are kept."""

_TEAM_FIELD = "internal_teams"
_NAMES = frozenset({"first_name", "last_name"})
_CLEANED: Mapping[str | None, Callable[[str], str]] = {
    **dict.fromkeys(FREE_TEXT, clean_text),
    **dict.fromkeys(("output_uri", "archive_ref"), clean_path),
    **dict.fromkeys(ADDRESSES, plain_address),
}
"""How the text of a field is cleaned; of any other one as a key."""

DIFFERENT = "given more than once, with different values"
"""The reason of a record in which two names that mean one field have different values."""


class QueueUnmapped(RecordRefused):
    """A record without a type lies in a queue that no rule maps to one."""

    def __init__(self, queue: str) -> None:
        super().__init__(Fault("document_type", "missing, and no rule maps the queue to a type"))
        self.queue = queue


class RecordSchema:
    """Normalises records of one site and run.

    `known_types` are the rules' document types by name, `queues` the type that a rule gives a queue;
    both are matched without regard to case and to `_`, `-` and spaces. `run` lets full `s3://`
    paths of the run's own folder through. `manner` is the site's way to write values. `holders` are fields to
    derive a recipient from, in records that name none. `conceal` puts hashes
    in the place of what a customer is asked for as a second step, in records that have such a field.
    `today` is the day from which dates of records without `produced_at` may not be far; `number_zones` finds
    the zones of a telephone number in a country.

    A value that cannot be read makes a record unusable only where it is needed (`NEEDED`); elsewhere it is
    left out, and reported in the list `left` of who asks.
    """

    def __init__(
        self,
        known_types: Mapping[str, str],
        queues: Mapping[str, str] | None = None,
        *,
        aliases: AliasTable | None = None,
        run: RunFolder | None = None,
        manner: Manner | None = None,
        limits: Limits | None = None,
        conceal: Callable[[Normalised], None] | None = None,
        today: Today | None = None,
        number_zones: NumberZones | None = None,
        holders: Sequence[HolderField] = (),
    ) -> None:
        self.aliases = aliases or AliasTable()
        self._conceal = conceal
        self._holders = holders
        self.limits = limits or Limits()
        self._types = {type_key(name): found for name, found in known_types.items()}
        self._queues = {type_key(name): found for name, found in (queues or {}).items()}
        self._run = run
        self._together = Together(
            manner or Manner(), today or (lambda: datetime.now(UTC).date()), number_zones
        )
        # A site that writes dates or amounts in its own way has them read one by one.
        own_way = manner is not None and (manner.dates != "iso" or manner.implied_decimals is not None)
        self._usual = None if own_way else Usual(self.aliases, self.limits, self._together)
        self._plan: Plan | None = None

    def type_of_queue(self, queue: str) -> str | None:
        """The document type that a rule gives a queue."""
        return self._queues.get(type_key(queue))

    def normalise(
        self, names: tuple[str, ...], values: Sequence[object], left: list[Fault] | None = None
    ) -> Normalised:
        """The record in its one form; `RecordRefused` with all its faults otherwise.

        `values` are text, or what JSON has: numbers, true and false, null, and a list of internal
        teams. Empty ones, and words such as NULL, count as absent. What is left out goes into `left`.
        """
        found = self._usual.read(names, values) if self._usual is not None else None
        if found is not None:
            return self._finished(found, found, ())
        left = [] if left is None else left
        return self.complete(self.fields_of(names, values, left), left)

    def complete(self, record: Mapping[str | None, str], left: list[Fault] | None = None) -> Normalised:
        """The second half of `normalise`: validated values, with type and identity."""
        left = [] if left is None else left
        written = record
        faults: list[Fault] = []
        record = self._together.read(record, faults)
        if faults:
            record = self._without(record, faults, left)
        try:
            found: Normalised = validate(record)
        except ValidationError as error:
            record = self._without(record, faults_of(error), left)
            found = validate(record)
        for fault in self._together.far_dates(found):
            self._drop(found, fault, left)
        if "amount_due" in written and "amount_due" not in found and may_be_credit(written["amount_due"]):
            found["in_credit"] = True
        return self._finished(found, written, left)

    def _finished(self, found: Normalised, written: Mapping[Any, Any], left: Sequence[Fault]) -> Normalised:
        """The record with what needs the rules, or the domain's settings."""
        try:
            self._settle(found, written, left)
        except ValueRefused as refused:
            raise RecordRefused(Fault("output_uri", str(refused))) from None
        if self._holders and "recipient" not in found:
            self._tell_apart(found)
        if self._conceal is not None and not CONCEALED.isdisjoint(found):
            self._conceal(found)
        return found

    def _tell_apart(self, found: Normalised) -> None:
        """Derive the recipient from what the site tells holders of one key apart by."""
        recipient = recipient_of([str(found.get(name, "")) for name in self._holders])
        if recipient:
            found["recipient"] = recipient

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

    def fields_of(
        self, names: tuple[str, ...], values: Sequence[object], left: list[Fault] | None = None
    ) -> dict[str | None, str]:
        """The first half of `normalise`: clean text by field, that of unknown names under None."""
        left = [] if left is None else left
        if len(names) > self.limits.record_fields:
            raise RecordRefused(Fault(None, f"more than {self.limits.record_fields} fields"))
        texts: Sequence[str] = values  # type: ignore[assignment]
        try:
            joined = "|".join(texts)
        except TypeError:
            texts = self._texts(names, values, left)
            joined = "|".join(texts)
        if len(joined) > self.limits.record_chars:
            raise RecordRefused(Fault(None, f"longer than {self.limits.record_chars} characters"))
        plan = self._plan
        if plan is None or plan.names is not names:
            plan = self._plan = self.aliases.plan(names)
        # One look at all values together: most records need no look at each.
        if not joined.isprintable():
            texts = self._clean(plan, texts, left)
        elif "| " in joined or " |" in joined or joined[:1] == " " or joined[-1:] == " ":
            texts = [text.strip() for text in texts]
        unset = hints_unset(joined) or not UNSET.isdisjoint(texts)
        if unset:
            texts = [
                "" if field not in _NAMES and is_unset(text, field) else text
                for field, text in zip(plan.fields, texts, strict=True)
            ]
        found = self._agreed(plan, texts) if plan.careful else self._by_field(plan, names, texts)
        return _with_known_names(found) if unset else found

    def _by_field(self, plan: Plan, names: tuple[str, ...], texts: Sequence[str]) -> dict[str | None, str]:
        if "" not in texts:
            return dict(zip(plan.fields, texts, strict=True))
        if plan.contested:
            names = tuple(name for name, text in zip(names, texts, strict=True) if text)
            return dict(zip(self.aliases.plan(names).fields, filter(None, texts), strict=True))
        return {field: text for field, text in zip(plan.fields, texts, strict=True) if text}

    def _drop(self, found: Normalised, fault: Fault, left: list[Fault]) -> None:
        if fault.field in TELLING_APART and "document_id" not in found:
            raise RecordRefused(fault)
        found.pop(str(fault.field))
        left.append(fault)

    def _without(
        self, record: Mapping[str | None, str], faults: Sequence[Fault], left: list[Fault]
    ) -> dict[str | None, str]:
        """The record without what is at fault; `RecordRefused`, with all faults, where that is needed."""
        needed = NEEDED if record.get("document_id") else NEEDED | TELLING_APART
        if any(fault.field in needed for fault in faults):
            faults = [*left, *faults]
            if not any(record.get(f) for f in ("document_type", "queue_name", "output_uri")):
                faults.append(Fault("document_type", "missing, and no queue tells it"))
            raise RecordRefused(*sorted(faults, key=lambda fault: fault.field not in needed))
        left += faults
        at_fault = {fault.field for fault in faults}
        return {field: text for field, text in record.items() if field not in at_fault}

    def _clean(self, plan: Plan, texts: Sequence[str], left: list[Fault]) -> list[str]:
        faults, clean = [], []
        for field, text in zip(plan.fields, texts, strict=True):
            try:
                clean.append(_CLEANED.get(field, plain_key)(text))
            except ValueRefused as refused:
                if field is not None:
                    faults.append(Fault(field, str(refused)))
                clean.append("")
        self._note(plan, clean, faults, left)
        return clean

    def _note(self, plan: Plan, texts: Sequence[str], faults: Sequence[Fault], left: list[Fault]) -> None:
        """Leave out what could not be taken as text, or refuse the record."""
        if faults:
            self._without(dict(zip(plan.fields, texts, strict=True)), faults, left)

    def _texts(self, names: tuple[str, ...], values: Sequence[object], left: list[Fault]) -> list[str]:
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
            elif field in KEYS and isinstance(value, float | bool):
                faults.append(Fault(field, "a number with decimals, which may be rounded: write it as text"))
                text = ""
            texts.append(text)
        self._note(plan, texts, faults, left)
        return texts

    def _merge(self, plan: Plan, texts: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """One value a name. Teams add up; any other name must not say two things."""
        merged: dict[str, str] = {}
        for name, field, text in zip(plan.names, plan.fields, texts, strict=True):
            before = merged.get(name, "")
            if before and text and field == _TEAM_FIELD:
                text = f"{before};{text}"
            elif before and text and field is not None and before != text:
                raise RecordRefused(Fault(field, DIFFERENT))
            merged[name] = text or before
        return tuple(merged), list(merged.values())

    def _agreed(self, plan: Plan, texts: Sequence[str]) -> dict[str | None, str]:
        """Text by field where several names mean one: what is not empty of them must be the same."""
        names = plan.names
        if plan.repeated:
            names, texts = self._merge(plan, texts)
        names = tuple(name for name, text in zip(names, texts, strict=True) if text)
        texts = [text for text in texts if text]
        plan = self.aliases.plan(names)
        found = dict(zip(plan.fields, texts, strict=True))
        faults: dict[Fault, None] = {}
        for at, winners in plan.losers:
            if any(texts[winner] == texts[at] for winner in winners):
                continue
            field = plan.fields[winners[0]]
            if field == _TEAM_FIELD:
                found[field] += f";{texts[at]}"
            else:
                faults[Fault(field, DIFFERENT)] = None
        if faults:
            raise RecordRefused(*faults)
        return found

    def _settle(self, found: Normalised, written: Mapping[Any, Any], left: Sequence[Fault]) -> None:
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
            elif is_undated(found):
                found["undated"] = True
            found["document_id"] = own_identity(found) or content_identity(
                # Two documents that differ in an unreadable value only are two all the same.
                {**found, **{str(f.field): written[f.field] for f in left if f.field in written}}
                if left
                else found
            )


def _with_known_names(record: dict[str | None, str]) -> dict[str | None, str]:
    """The record without names that only say that there is none."""
    first, last = known_names(record.get("first_name", ""), record.get("last_name", ""))
    record |= {"first_name": first, "last_name": last}
    return {field: text for field, text in record.items() if text}


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
