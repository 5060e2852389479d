"""Staging on the work bucket: what the index readers find, kept as parts, rejects and slices."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..domain.records import RunFolder
from ..domain.runs import DomainRule, FoundFile
from ..domain.second_step import Keys
from ..domain.values import type_key
from ..domain.work import SlicePointer
from ..ports import DropFolder, StagedFile
from .index.delimited import RowRules
from .index.events import read_event
from .index.faults import Fault, IndexUnreadable, RecordRefused
from .index.holders import GROUPS, Findings, Holders
from .index.json_records import named_twice
from .index.parts import MemoryParts, Part, PartSink, PartWriter, RejectSink, Slice
from .index.reading import form_of
from .index.schema import RecordSchema
from .index.staging import FileTally, stage_file
from .part_keys import in_parts
from .record_schemas import RecordSchemas, Site
from .rules import YamlRules
from .run_documents import DocumentCheck, OwnFiles

_BLOCK = 1024 * 1024

LEFT_OUT = ".left_out"
"""Ends the name of the list, beside a file's rejects, of values that its records went on without."""


class S3Staging:
    """`Staging`: `<parts>00000.jsonl`… and `<parts>slices.json`, rejects under `rejects/` alike.

    Everything is named after the run and its content, so staging a run again writes the same bytes
    to the same keys. `portal`: the site has one, so that only rules which say so open files. `region` is
    that of telephone numbers without a country code.
    """

    def __init__(
        self,
        client: Any,
        work: str,
        drop: str,
        rules: YamlRules,
        site_rules: Path | None = None,
        keys: Callable[[], Keys] | None = None,
        *,
        site: Site | None = None,
        portal: bool = False,
    ) -> None:
        self._site = site or Site()
        self._portal = portal
        self._client = client
        self._work = work
        self._drop = drop
        self._rules = rules
        self._schemas = RecordSchemas(rules, site_rules, self._site, keys)

    def form(self, name: str) -> str | None:
        """See `Staging.form`; an index lies in the folder itself, not below it."""
        found = None if "/" in name else form_of(name)
        return found.form if found else None

    def is_message_file(self, name: str) -> bool:
        """See `Staging.is_message_file`."""
        return self._rules.messages.names_message_file(name)

    def hash(self, folder: DropFolder, name: str) -> tuple[int, str]:
        """See `Staging.hash`."""
        digest, size = hashlib.sha256(), 0
        with folder.open(name) as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += len(block)
        return size, digest.hexdigest()

    def stage(
        self, folder: DropFolder, domain: str, run_id: str, parts: str, names: Sequence[str]
    ) -> list[StagedFile]:
        """See `Staging.stage`.

        Where records dispute an address, or name one file, all is staged again with what was found. Positions
        stay; the parts get keys of their own, since another worker may still write those of its first pass.
        """
        sink = _S3Parts(self._client, self._work, parts)
        read = _Read(self, folder, self._check(folder), domain, run_id, names)

        def rejects(name: str) -> RejectSink:
            return _S3Rejects(self._client, self._work, parts, name)

        tallies, found = read.with_conflicts(self._site.region, sink, rejects)
        if found or read.check.again:
            sink = _S3Parts(self._client, self._work, parts)
            again = read.once(sink, rejects, findings=found, first_part=tallies[-1].next_part)
            for before, after in zip(tallies, again, strict=True):
                if before.sha256 != after.sha256:
                    raise IndexUnreadable(after.name, "its content", "changed while it was read")
            tallies = again
        sink.put_slices()
        staged = [staged_file(tally, self._rules.paper_queue) for tally in tallies]
        return [*staged[:-1], replace(staged[-1], conflicts=found.conflicts)] if found else staged

    def stage_record(
        self, domain: str, run_id: str, parts: str, record: Mapping[str, Any]
    ) -> tuple[list[SlicePointer], StagedFile]:
        """See `Staging.stage_record`; `record` is the whole event."""
        schema = self.schema(None, domain)
        left: list[Fault] = []
        try:
            if name := record.get("repeated"):
                raise RecordRefused(named_twice(schema.aliases, name))
            found = read_event(record["detail"], schema, left)
            if (wrong := self._check(None)(found)) is not None:
                raise RecordRefused(Fault("output_uri", wrong.value))
        except RecordRefused as refused:
            fault = refused.faults[0]
            reject = {"pos": 1, "file": "event", "position": 1, "field": fault.field, "reason": fault.reason}
            raw = json.dumps(schema.hidden(record["detail"]))[: schema.limits.reject_chars]
            _S3Rejects(self._client, self._work, parts, "event").put(
                0, json.dumps({**reject, "raw": raw}).encode() + b"\n"
            )
            return [], StagedFile("event", 0, "", 1, 1, {str(fault): 1}, {}, {})
        found.pop("domain")
        memory = MemoryParts()
        writer = PartWriter(memory)
        writer.add(json.dumps({**found, "pos": 1}, ensure_ascii=False).encode(), 1)
        writer.close()
        sink = _S3Parts(self._client, self._work, parts)
        for one in memory.parts:
            sink.put(one)
        sink.put_slices()
        pointers = [_pointer(domain, run_id, parts, row) for row in memory.slices]
        return pointers, StagedFile(
            "event", 0, "", 1, 1, {}, {found["document_type"]: 1}, {}, left_out=dict(Counter(map(str, left)))
        )

    def add_digests(
        self, domain: str, run_id: str, parts: str, digests: Mapping[str, Mapping[str, int]]
    ) -> None:
        """See `Staging.add_digests`."""
        rows = [
            {"pos": number, "team": team, "counts": counts}
            for number, (team, counts) in enumerate(sorted(digests.items()), 1)
        ]
        if rows:
            body = "".join(json.dumps(row) + "\n" for row in rows)
            _put(self._client, self._work, f"{parts}digests.jsonl", body.encode())

    def keep_found(self, parts: str, found: Sequence[FoundFile]) -> None:
        """See `Staging.keep_found`."""
        body = json.dumps([asdict(file) for file in found], separators=(",", ":"))
        _put(self._client, self._work, f"{parts}files.json", body.encode())

    def found(self, parts: str) -> dict[str, FoundFile]:
        """See `Staging.found`."""
        rows = json.loads(_get(self._client, self._work, in_parts(f"{parts}files.json")) or b"[]")
        return {row["name"]: FoundFile(**row) for row in rows}

    def slices(self, domain: str, run_id: str, parts: str) -> Iterator[SlicePointer]:
        """See `Staging.slices`: the documents' in order, then the digests', if there are any."""
        number = 0
        for row in json.loads(_get(self._client, self._work, in_parts(f"{parts}slices.json")) or b"[]"):
            found = Slice(*row)
            number = found.number + 1
            yield _pointer(domain, run_id, parts, found)
        digests = _get(self._client, self._work, in_parts(f"{parts}digests.jsonl"))
        if digests:
            count = digests.count(b"\n")
            yield SlicePointer(
                domain, run_id, number, f"{parts}digests.jsonl", 0, len(digests), count, 1, kind="digests"
            )

    def schema_of(self, domain: str, run_id: str) -> tuple[RecordSchema, DomainRule]:
        """How a run's records are read, and how its domain's runs are taken."""
        schema = self.schema(RunFolder(self._drop, f"drop/{domain}/{run_id}/"), domain)
        return schema, self._rules.domain(domain)

    def schema(self, run: RunFolder | None, domain: str = "") -> RecordSchema:
        """How this site's records are read; of a `domain`, with what customers are asked for concealed."""
        return self._schemas.of(run, domain)

    def _check(self, folder: DropFolder | None) -> DocumentCheck:
        """What is asked of each record's file; without a folder, only whether it is one of the run's own."""
        opening = frozenset(
            kind for kind in self._rules.types if self._rules.of_type(kind).opens_file(self._portal)
        )
        shared = frozenset(kind for kind in opening if self._rules.of_type(kind).shared_file)
        return DocumentCheck(folder, opening, OwnFiles(lambda: self._rules.messages), shared)


@dataclass(frozen=True, slots=True)
class _Read:
    """Passes over a run's index files."""

    staging: S3Staging
    folder: DropFolder
    check: DocumentCheck
    domain: str
    run_id: str
    names: Sequence[str]

    def with_conflicts(
        self, region: str, parts: PartSink, rejects: Callable[[str], RejectSink]
    ) -> tuple[list[FileTally], Findings]:
        """One pass, and what its records say against one another.

        More passes follow, to look only, for contacts whose rows had no room in the first.
        """
        with closing(Holders(region)) as holders:
            tallies = self.once(parts, rejects, holders=holders)
            found, end = holders.findings(), holders.end_group
        nowhere = _Dropped()
        while end < GROUPS:
            with closing(Holders(region, end)) as holders:
                self.once(nowhere, lambda name: nowhere, holders=holders)
                found.add(holders.findings())
                end = holders.end_group
        return tallies, found

    def once(
        self,
        parts: PartSink,
        rejects: Callable[[str], RejectSink],
        *,
        holders: Holders | None = None,
        findings: Findings | None = None,
        first_part: int = 0,
    ) -> list[FileTally]:
        """One pass over all files, in order."""
        schema, rule = self.staging.schema_of(self.domain, self.run_id)
        tallies: list[FileTally] = []
        slice_number, part, position = 0, first_part, 1
        for name in self.names:
            with self.folder.open(name) as stream:
                tally = stage_file(
                    stream,
                    name,
                    schema=schema,
                    parts=parts,
                    rejects=rejects(name),
                    left_out=rejects(name + LEFT_OUT),
                    encoding=rule.encoding,
                    rows=RowRules(rule.multi_line_fields, rule.trailer),
                    check=self.check,
                    first_slice=slice_number,
                    first_part=part,
                    first_position=position,
                    holders=holders,
                    findings=findings,
                )
            slice_number, part, position = tally.next_slice, tally.next_part, tally.next_position
            tallies.append(tally)
        return tallies


class _Dropped:
    """A sink for a pass that only looks."""

    def put(self, *_: object) -> None:
        """Drop it."""


def staged_file(tally: FileTally, paper_queue: str) -> StagedFile:
    """A file's tally as the use case needs it; what the paper queue prints is not missed."""
    printed = type_key(paper_queue)
    return StagedFile(
        tally.name,
        tally.bytes,
        tally.sha256,
        tally.records,
        tally.documents + tally.rejected,
        dict(tally.reject_reasons),
        dict(tally.documents_by_type),
        {team: dict(counts) for team, counts in tally.documents_by_team.items()},
        tally.customers,
        tally.customers_processed,
        tuple(tally.documents_refused),
        tuple(tally.disagreements),
        dict(tally.left_out),
        unmapped={q: count for q, count in tally.queues_ignored.items() if type_key(q) != printed},
    )


def _pointer(domain: str, run_id: str, parts: str, row: Slice) -> SlicePointer:
    return SlicePointer(
        domain, run_id, row.number, part_key(parts, row.part), row.offset, row.length, row.count, row.first
    )


def part_key(parts: str, number: int) -> str:
    """Where a part lies."""
    return f"{parts}{number:05d}.jsonl"


class _S3Parts:
    """Puts parts as they fill, and remembers their slices."""

    def __init__(self, client: Any, bucket: str, parts: str) -> None:
        self._client = client
        self._bucket = bucket
        self._parts = parts
        self._slices: list[Slice] = []

    def put(self, part: Part) -> None:
        """See `PartSink`."""
        _put(self._client, self._bucket, part_key(self._parts, part.number), part.body)
        self._slices += part.slices

    def put_slices(self) -> None:
        """The list of all slices, when the last part is there."""
        body = json.dumps(self._slices, separators=(",", ":")).encode()
        _put(self._client, self._bucket, f"{self._parts}slices.json", body)


class _S3Rejects:
    """Puts rejects under `rejects/`, named after the parts' prefix and the file."""

    def __init__(self, client: Any, bucket: str, parts: str, name: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"rejects/{parts.removeprefix('parts/')}{name}"

    def put(self, number: int, body: bytes) -> None:
        """See `RejectSink`."""
        _put(self._client, self._bucket, f"{self._prefix}.{number:05d}.jsonl", body)


def _put(client: Any, bucket: str, key: str, body: bytes) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=body)


def _get(client: Any, bucket: str, key: str) -> bytes | None:
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    return body
