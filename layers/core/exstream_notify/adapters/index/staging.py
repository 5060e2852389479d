"""One pass over one index file: counted, hashed, normalised, cut into slices; rejects put aside."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Protocol, TypeAlias

import orjson
from pydantic_core import to_json

from ...domain.documents import FileFault
from ...domain.holders import MIXED_REASON
from ...domain.runs import Disagreement
from .delimited import DelimitedRecords, RowRules
from .faults import Fault, IndexUnreadable, Limits, RecordRefused
from .holders import MIXED, Findings, Holders
from .json_records import JsonRecords
from .native import documents_of_customer
from .parts import PART_BYTES, PartSink, PartWriter, RejectSink, RejectWriter
from .reading import Entry, FileForm, Form, form_of
from .schema import Normalised, QueueUnmapped, RecordSchema
from .source import TextSource
from .xml_collectors import CustomerCollector, RecordCollector
from .xml_records import XmlRecords


@dataclass(slots=True)
class FileTally:
    """What one pass over an index file found.

    `documents_refused` are the first entries, by number in the file, whose document cannot be opened.
    `bytes` and `sha256` are those of the file as stored. `records` are the index's entries, as a
    seal counts them: records, or customers in a native manifest. `documents` and `rejected` are
    what became of them, one position each; an entry of the native manifest can become several
    documents, or none if no rule maps its queues. `disagreements`: what the file itself states otherwise
    than was found. `left_out` counts values that could not be read and that their records went on without,
    by field and reason. `next_*` go on with the run's next file.
    """

    name: str
    form: Form
    encoding: str = ""
    bytes: int = 0
    sha256: str = ""
    records: int = 0
    reject_reasons: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    documents_by_type: Counter[str] = field(default_factory=Counter)
    documents_by_team: dict[str, Counter[str]] = field(default_factory=dict)
    customers: int | None = None
    customers_processed: int | None = None
    customers_without_document: int = 0
    queues_ignored: Counter[str] = field(default_factory=Counter)
    documents_refused: list[int] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)
    next_position: int = 1
    next_slice: int = 0
    next_part: int = 0

    @property
    def documents(self) -> int:
        """Documents staged."""
        return self.documents_by_type.total()

    @property
    def rejected(self) -> int:
        """Records rejected."""
        return self.reject_reasons.total()


class Reader(Protocol):
    """Reads the entries of an index, one after another."""

    def __iter__(self) -> Iterator[Entry | Fault]:
        """The entries in order; `IndexUnreadable` where the file cannot be used."""

    def raw(self) -> str:
        """The current entry as it stands in the file."""


FileCheck: TypeAlias = Callable[[Normalised], FileFault | None]
"""Says what is wrong with the file that a normalised record names."""

ANOTHER_HOLDER = Fault("recipient", MIXED_REASON)

_QUEUES_NAMED = 200
_REFUSED_NAMED = 20
_LINES_NAMED = 20
_REASONS_NAMED = 200
OTHER_REASONS = "(other)"
_LEFT_OUT_LISTED = 10_000
"""Values left out that are listed with their record, of one file; all are counted."""
OTHER_QUEUES = "(other)"


def stage_file(
    source: BinaryIO,
    name: str,
    *,
    schema: RecordSchema,
    parts: PartSink,
    rejects: RejectSink,
    left_out: RejectSink | None = None,
    limits: Limits | None = None,
    encoding: str | None = None,
    first_slice: int = 0,
    first_part: int = 0,
    first_position: int = 1,
    part_bytes: int = PART_BYTES,
    check: FileCheck | None = None,
    rows: RowRules | None = None,
    holders: Holders | None = None,
    findings: Findings | None = None,
) -> FileTally:
    """Stage one index file, reading `source` once to its end; memory does not grow with it.

    `name` tells the form (`form_of`), `encoding` is the site's setting for files that do not show
    theirs, `rows` how the domain writes delimited rows. Positions count documents and rejects through the
    run, from `first_position`. A record whose file `check` objects to is rejected. `holders` takes each
    document, to compare it with the run's others; `findings` is what came of that in an earlier pass over
    the same files: a document that it disputes is marked, one of mixed holders rejected.

    Raises `IndexUnreadable` where the file cannot be used; parts that were put until then are void.
    `ValueError`: the encoding setting is not supported.
    """
    limits = limits or schema.limits
    file_form = form_of(name)
    if file_form is None:
        raise IndexUnreadable(name, "its name", "not the name of any index form")
    text = TextSource(
        source,
        name,
        compressed=file_form.compressed,
        xml=file_form.form in ("xml", "native"),
        encoding=encoding,
        limits=limits,
    )
    tally = FileTally(name, file_form.form, next_position=first_position)
    lines = PartWriter(parts, first_slice=first_slice, first_part=first_part, part_bytes=part_bytes)
    bad = RejectWriter(rejects, part_bytes=part_bytes)
    listed = RejectWriter(left_out, part_bytes=part_bytes) if left_out is not None else None
    pass_ = _Pass(tally, schema, limits, lines, bad, listed, check, holders, findings)
    if file_form.form == "native":
        customers = CustomerCollector(schema.aliases)
        pass_.stage_customers(XmlRecords(text, name, customers, limits))
        tally.customers = tally.records - customers.repeats
        tally.customers_processed = customers.processed
    else:
        reader = reader_of(file_form, text, name, schema, limits, rows)
        pass_.stage_records(reader)
        if isinstance(reader, DelimitedRecords):
            tally.disagreements = reader.disagreements()
    lines.close()
    bad.close()
    if listed is not None:
        listed.close()
    tally.encoding, tally.bytes, tally.sha256 = text.encoding, text.bytes, text.sha256
    tally.next_slice, tally.next_part = lines.next_slice, lines.next_part
    return tally


def reader_of(
    form: FileForm, text: TextSource, name: str, schema: RecordSchema, limits: Limits, rows: RowRules | None
) -> Reader:
    """The reader of an index's form: its entries in order, each with the text that it was read from."""
    if form.form == "native":
        return XmlRecords(text, name, CustomerCollector(schema.aliases), limits)
    if form.form == "json":
        return JsonRecords(text, name, limits, schema.aliases)
    if form.form == "xml":
        return XmlRecords(text, name, RecordCollector(schema.aliases), limits)
    separator = "," if form.form == "csv" else "|"
    return DelimitedRecords(text, name, separator, schema.aliases, limits, rows)


class _Pass:
    """The way of each entry into a part, or among the rejects."""

    def __init__(
        self,
        tally: FileTally,
        schema: RecordSchema,
        limits: Limits,
        parts: PartWriter,
        rejects: RejectWriter,
        listed: RejectWriter | None,
        check: FileCheck | None = None,
        holders: Holders | None = None,
        findings: Findings | None = None,
    ) -> None:
        self._check = check
        self._take = holders.add if holders is not None else None
        self._add = parts.add
        self._kinds = tally.documents_by_type
        self._findings = findings
        self._tally = tally
        self._schema = schema
        self._limits = limits
        self._rejects = rejects
        self._lines_named: set[int] = set()
        self._listed = listed
        self._left: list[Fault] = []

    def stage_records(self, reader: Reader) -> None:
        """Records that are documents, each. `IndexUnreadable` where the only one is a list's wrapping."""
        tally, normalise, left = self._tally, self._schema.normalise, self._left
        wrapping = False
        for entry in reader:
            tally.records += 1
            if isinstance(entry, Fault):
                self._reject((entry,), reader, entry.entry)
                continue
            try:
                document = normalise(*entry, left)
                self._keep(document)
                if left:
                    self._leave_out()
            except RecordRefused as refused:
                self._reject(refused.faults, reader, entry)
                wrapping = any(isinstance(v, list) and v and isinstance(v[0], dict) for v in entry[1])
        if wrapping and tally.records == 1:
            # Rejected as one record, a whole run would be balanced, complete, and told to nobody.
            reason = "an object around the records: write their list, or one record after another"
            raise IndexUnreadable(tally.name, "line 1", reason)

    def stage_customers(self, reader: Reader) -> None:
        """Customers of a native manifest, with their queues."""
        tally, schema, left = self._tally, self._schema, self._left
        for entry in reader:
            tally.records += 1
            if isinstance(entry, Fault):
                self._reject((entry,), reader)
                continue
            try:
                if entry[0].count("queue_name") < 2:
                    self._keep(schema.normalise(*entry, left))
                    self._leave_out()
                    continue
                documents, ignored = documents_of_customer(schema, *entry, left)
                for document in documents:
                    try:
                        self._keep(document)
                    except RecordRefused as refused:
                        # Its other queues' documents are notified all the same.
                        self._reject(refused.faults, reader, entry)
                if documents:
                    self._leave_out()
                left.clear()
                self._ignore(ignored, not documents)
            except QueueUnmapped as unmapped:
                left.clear()
                self._ignore([unmapped.queue], True)
            except RecordRefused as refused:
                self._reject(refused.faults, reader, entry)

    def _ignore(self, queues: Sequence[str], without_document: bool) -> None:
        tally = self._tally
        tally.customers_without_document += without_document
        for queue in queues:
            known = queue in tally.queues_ignored or len(tally.queues_ignored) < _QUEUES_NAMED
            tally.queues_ignored[queue if known else OTHER_QUEUES] += 1

    def _keep(self, document: Normalised) -> None:
        tally = self._tally
        if self._findings is not None and (verdict := self._findings.of(tally.next_position)):
            if verdict == MIXED:
                raise RecordRefused(ANOTHER_HOLDER)
            document["disputed"] = True
        kind = document["document_type"]
        if self._check is not None and (fault := self._check(document)) is not None:
            if len(tally.documents_refused) < _REFUSED_NAMED:
                tally.documents_refused.append(tally.records)
            raise RecordRefused(Fault("output_uri", fault.value))
        if "internal_teams" in document:
            self._count_teams(kind, document["internal_teams"])
        position = document["pos"] = tally.next_position
        if self._take is not None:
            self._take(document, position)
        self._add(orjson.dumps(document), position)
        tally.next_position = position + 1
        self._kinds[kind] += 1

    def _count_teams(self, kind: str, teams: Sequence[str]) -> None:
        counts, most = self._tally.documents_by_team, self._limits.teams
        if len(counts) + len(teams) > most and len(counts.keys() | teams) > most:
            raise RecordRefused(Fault("internal_teams", f"more than {most} teams in one file"))
        for team in teams:
            counts.setdefault(team, Counter())[kind] += 1

    def _leave_out(self) -> None:
        """Count and list what the record that was just kept goes on without."""
        tally = self._tally
        for fault in self._left:
            reason = str(fault)
            known = reason in tally.left_out or len(tally.left_out) < _REASONS_NAMED
            tally.left_out[reason if known else OTHER_REASONS] += 1
            if self._listed is not None and tally.left_out.total() <= _LEFT_OUT_LISTED:
                row = {
                    "pos": tally.next_position - 1,
                    "file": tally.name,
                    "position": tally.records,
                    "field": fault.field,
                    "reason": fault.reason,
                }
                self._listed.add(to_json(row))
        self._left.clear()

    def _reject(self, faults: Sequence[Fault], reader: Reader, entry: Entry | None = None) -> None:
        tally, first = self._tally, faults[0]
        self._left.clear()
        reject: dict[str, Any] = {
            "pos": tally.next_position,
            "file": tally.name,
            "position": tally.records,
            "field": first.field,
            "reason": first.located,
            "raw": self._kept(reader, entry)[: self._limits.reject_chars],
        }
        if len(faults) > 1:
            reject["also"] = [{"field": fault.field, "reason": fault.located} for fault in faults[1:]]
        self._rejects.add(to_json(reject))
        tally.next_position += 1
        tally.reject_reasons[self._counted_as(first)] += 1

    def _counted_as(self, fault: Fault) -> str:
        """What a fault is counted under: with its line, unless very many have one."""
        if fault.line is not None and fault.line not in self._lines_named:
            if len(self._lines_named) >= _LINES_NAMED:
                return str(replace(fault, line=None))
            self._lines_named.add(fault.line)
        return str(fault)

    def _kept(self, reader: Reader, entry: Entry | None) -> str:
        """The record as it stands in the file; by name and value where an answer in it has to be hidden."""
        if entry is None:
            return reader.raw()
        pairs = [{name: value} for name, value in zip(*entry, strict=True)]
        hidden = self._schema.hidden(pairs)
        return reader.raw() if hidden == pairs else to_json(hidden).decode()
