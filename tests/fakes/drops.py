"""Dropped folders, staging and staged records, in memory."""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any, BinaryIO, TypeVar

from exstream_notify.adapters.index import Findings, Holders
from exstream_notify.adapters.index.holders import MIXED
from exstream_notify.adapters.index.staging import ANOTHER_HOLDER
from exstream_notify.adapters.run_documents import DocumentCheck
from exstream_notify.domain.documents import Document
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.domain.runs import FoundFile, Seal, SealedFile
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import DropFolder, DropObject, RecordsGone, StagedFile

_Row = TypeVar("_Row")
INDEX = "billing.index.jsonl"
MANIFEST = "_STDDELIVERYFILE.xml"


class FakeDropFolder:
    """`DropFolder`: files by name, and a seal, none, or one that cannot be used."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sealed: Seal | Unusable | None = None
        self.etags: dict[str, str] = {}  # of files that were uploaded in parts
        self.modified: dict[str, str] = {}

    def seal(self) -> Seal | None:
        """See `DropFolder.seal`."""
        if isinstance(self.sealed, Unusable):
            raise self.sealed
        return self.sealed

    def list(self) -> dict[str, DropObject]:
        """See `DropFolder.list`."""
        return {name: self._object(name) for name in self.files if "/" not in name}

    def files_below(self) -> Iterator[tuple[str, int]]:
        """See `DropFolder.files_below`."""
        yield from ((name, len(data)) for name, data in self.files.items())

    def head(self, name: str) -> DropObject | None:
        """See `DropFolder.head`."""
        return self._object(name) if name in self.files else None

    def open(self, name: str) -> BinaryIO:
        """See `DropFolder.open`."""
        return io.BytesIO(self.files[name])

    def write_index(self, rows: Sequence[Document | str], name: str = INDEX) -> None:
        """Write an index of documents; a text in place of one is a record rejected for that reason."""
        lines = [json.dumps(row if isinstance(row, str) else asdict(row)) for row in rows]
        self.files[name] = "".join(line + "\n" for line in lines).encode()

    def write_seal(self, domain: str, run_id: str, **stated: Any) -> Seal:
        """Seal what lies in the folder, as it is; `stated` says otherwise."""
        files = tuple(
            SealedFile(name, len(data), hashlib.sha256(data).hexdigest(), data.count(b"\n"))
            for name, data in self.files.items()
        )
        self.sealed = Seal(**{"run_id": run_id, "domain": domain, "files": files, **stated})
        return self.sealed

    def _object(self, name: str) -> DropObject:
        data = self.files[name]
        etag = self.etags.get(name) or hashlib.md5(data, usedforsecurity=False).hexdigest()
        return DropObject(name, len(data), etag, self.modified.get(name, ""))


class FakeRecords:
    """`Records`: slices by part and offset."""

    def __init__(self) -> None:
        self.slices: dict[tuple[str, int], list[tuple[int, Document]]] = {}
        self.digests: dict[tuple[str, int], list[tuple[int, str, Mapping[str, int]]]] = {}

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """See `Records.read`; several slices of a part may be read as one."""
        end = pointer.offset + pointer.length
        offsets = sorted(o for part, o in self.slices if part == pointer.part and pointer.offset < o < end)
        starts = [pointer, *(replace(pointer, offset=offset) for offset in offsets)]
        return [row for start in starts for row in self._stored(self.slices, start)]

    def read_digests(self, pointer: SlicePointer) -> list[tuple[int, str, Mapping[str, int]]]:
        """See `Records.read_digests`."""
        return list(self._stored(self.digests, pointer))

    @staticmethod
    def _stored(rows: Mapping[tuple[str, int], list[_Row]], pointer: SlicePointer) -> list[_Row]:
        try:
            return rows[pointer.part, pointer.offset]
        except KeyError:
            raise RecordsGone(pointer.part) from None


class FakeStaging:
    """`Staging` of indexes that `FakeDropFolder.write_index` wrote, into `FakeRecords`.

    A native manifest is such an index too, one customer a record, and states how many it has unless
    its first line says otherwise: `{"customersProcessed": n}`, or null for none. The files of the types in
    `opening` must be in the run's folder. Conflicts among the records are looked for with the index
    readers' own `Holders`.
    """

    def __init__(
        self, records: FakeRecords, slice_records: int = 100, opening: frozenset[str] = frozenset()
    ) -> None:
        self.opening = opening
        self.unmapped: dict[str, int] = {}
        self._found: dict[str, list[FoundFile]] = {}
        self._records = records
        self._slice_records = slice_records
        self._slices: dict[str, list[SlicePointer]] = {}
        self._digests: dict[str, SlicePointer] = {}

    def form(self, name: str) -> str | None:
        """See `Staging.form`."""
        if "/" in name:
            return None
        return "native" if name == MANIFEST else "json" if name.endswith(".index.jsonl") else None

    def is_message_file(self, name: str) -> bool:
        """See `Staging.is_message_file`."""
        return name == "exceptions.psv"

    def hash(self, folder: DropFolder, name: str) -> tuple[int, str]:
        """See `Staging.hash`."""
        data = folder.open(name).read()
        return len(data), hashlib.sha256(data).hexdigest()

    def stage(
        self, folder: DropFolder, domain: str, run_id: str, parts: str, names: Sequence[str]
    ) -> list[StagedFile]:
        """See `Staging.stage`."""
        self._slices[parts] = []
        check = DocumentCheck(folder, self.opening, lambda path: path.startswith("_"))
        staged: list[StagedFile] = []
        found = self._findings(folder, names, check)
        position = 0
        for name in names:
            data = folder.open(name).read()
            native = self.form(name) == "native"
            rows = self._rows(name, data)
            processed = len(rows)
            if native and rows and isinstance(rows[0], dict) and "customersProcessed" in rows[0]:
                processed = rows.pop(0)["customersProcessed"]
            tally = _Tally()
            kept: list[tuple[int, Document]] = []
            for row in rows:
                position += 1
                if isinstance(row, str):
                    tally.reject(row)
                elif (fault := check(row)) is not None:
                    tally.reject(f"output_uri: {fault}")
                    tally.refused.append(rows.index(row) + 1)
                elif found.of(position) == MIXED:
                    tally.reject(str(ANOTHER_HOLDER))
                else:
                    row = {**row, "disputed": bool(found.of(position))}
                    kept.append((position, tally.keep(row, domain)))
            self._cut(domain, run_id, parts, kept)
            staged.append(
                StagedFile(
                    name,
                    len(data),
                    hashlib.sha256(data).hexdigest(),
                    len(rows),
                    len(rows),
                    tally.rejected,
                    tally.documents,
                    tally.teams,
                    len(rows) if native else None,
                    processed if native else None,
                    tuple(tally.refused),
                    unmapped=self.unmapped,
                )
            )
        return [*staged[:-1], replace(staged[-1], conflicts=found.conflicts)]

    def _findings(self, folder: DropFolder, names: Sequence[str], check: DocumentCheck) -> Findings:
        rows = [row for name in names for row in self._rows(name, folder.open(name).read())]
        counted = [row for row in rows if not (isinstance(row, dict) and "customersProcessed" in row)]
        with closing(Holders()) as holders:
            for position, row in enumerate(counted, 1):
                if not isinstance(row, str) and check(row) is None:
                    given = {name: value for name, value in row.items() if value is not None}
                    holders.add(given, position)
            return holders.findings()

    def stage_record(
        self, domain: str, run_id: str, parts: str, record: Mapping[str, Any]
    ) -> tuple[list[SlicePointer], StagedFile]:
        """See `Staging.stage_record`; without a customer the record is rejected."""
        detail = record["detail"]
        if not detail.get("customer_key"):
            return [], StagedFile("event", 0, "", 1, 1, {"customer_key: missing": 1}, {}, {})
        tally = _Tally()
        self._slices[parts] = []
        self._cut(domain, run_id, parts, [(1, tally.keep(detail, domain))])
        return list(self._slices[parts]), StagedFile("event", 0, "", 1, 1, {}, tally.documents, tally.teams)

    def add_digests(
        self, domain: str, run_id: str, parts: str, digests: Mapping[str, Mapping[str, int]]
    ) -> None:
        """See `Staging.add_digests`."""
        rows = [(number, team, counts) for number, (team, counts) in enumerate(sorted(digests.items()), 1)]
        if rows:
            part = f"{parts}digests.jsonl"
            number = len(self._slices[parts])
            self._records.digests[part, 0] = rows
            pointer = SlicePointer(domain, run_id, number, part, 0, 1, len(rows), 1, kind="digests")
            self._digests[parts] = pointer

    def keep_found(self, parts: str, found: Sequence[FoundFile]) -> None:
        """See `Staging.keep_found`."""
        self._found[parts] = list(found)

    def found(self, parts: str) -> dict[str, FoundFile]:
        """See `Staging.found`."""
        return {file.name: file for file in self._found.get(parts, ())}

    def forget(self) -> None:
        """Delete the lists of slices, as a lifecycle rule does."""
        self._slices.clear()
        self._digests.clear()

    def slices(self, domain: str, run_id: str, parts: str) -> Iterator[SlicePointer]:
        """See `Staging.slices`."""
        yield from self._slices.get(parts, ())
        if parts in self._digests:
            yield self._digests[parts]

    def _rows(self, name: str, data: bytes) -> list[Any]:
        try:
            return [json.loads(line) for line in data.splitlines()]
        except ValueError as error:
            raise Unusable("index_unreadable", name, "not JSON") from error

    def _cut(self, domain: str, run_id: str, parts: str, kept: list[tuple[int, Document]]) -> None:
        part = f"{parts}00000.jsonl"
        for start in range(0, len(kept), self._slice_records):
            rows = kept[start : start + self._slice_records]
            number = len(self._slices[parts])
            pointer = SlicePointer(domain, run_id, number, part, number * 1000, 1000, len(rows), rows[0][0])
            self._records.slices[part, pointer.offset] = rows
            self._slices[parts].append(pointer)


class _Tally:
    def __init__(self) -> None:
        self.rejected: dict[str, int] = {}
        self.refused: list[int] = []
        self.documents: dict[str, int] = {}
        self.teams: dict[str, dict[str, int]] = {}

    def reject(self, reason: str) -> None:
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def keep(self, row: Mapping[str, Any], domain: str) -> Document:
        teams = tuple(row.get("internal_teams") or ())
        document = Document(**{**row, "domain": domain, "internal_teams": teams})
        kind = document.document_type
        self.documents[kind] = self.documents.get(kind, 0) + 1
        for team in teams:
            counts = self.teams.setdefault(team, {})
            counts[kind] = counts.get(kind, 0) + 1
        return document
