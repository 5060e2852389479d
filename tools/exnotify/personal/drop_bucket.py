"""The drop bucket: a customer's documents, rows of the indexes, lines of the composer's files beside them.

A run's files are changed only once it is staged: before that they have to agree with the seal. They are ours
to change: the bucket belongs to the stack, and nothing reads an index again after its run was staged.
"""

import base64
import codecs
import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from exstream_notify.adapters.index.faults import IndexUnreadable
from exstream_notify.adapters.seal import SEAL_NAME
from exstream_notify.domain.erased import ERASED, Person
from exstream_notify.domain.records import RunFolder, path_in_run
from exstream_notify.domain.runs import Run, RunState
from exstream_notify.domain.values import ValueRefused
from exstream_notify.use_cases.late_files import resembles_index

from . import objects
from .index_rows import IndexFile, Row
from .work_bucket import Rows, StagedRecords

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

_BLOCK = 1024 * 1024
_TAKEN = (RunState.STAGED, RunState.DISPATCHED)


@dataclass
class DropPlace:
    """`drop/<domain>/` of the drop bucket; `left` names what waits for its run, in words for the operator."""

    app: "Bootstrap"
    person: Person
    left: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:
        """S3."""
        return self.app.client("s3")

    @property
    def bucket(self) -> str:
        """The drop bucket."""
        return self.app.settings.drop_bucket

    def held(self) -> Rows:
        """See `Place.held`: rows of the indexes, lines that name the customer, and the documents."""
        for run_id, _ in self._runs():
            for index in self._indexes(run_id):
                for row in self._rows(index):
                    yield {"object": self._key(run_id, index.name), "row": row.fields}
            for name in self._tellers(run_id):
                for line, _ in self._lines(run_id, name):
                    if self.person.named_in(line):
                        yield {"object": self._key(run_id, name), "line": line.rstrip("\r\n")}
        for key in self._documents():
            if (stream := objects.body(self.client, self.bucket, key)) is not None:
                yield {"object": key, **_content(stream.read())}

    def scrub(self) -> int:
        """See `Place.scrub`. The documents first: the rows that name them are the way to them."""
        changed = 0
        for key in self._documents():
            changed += objects.delete_object(self.client, self.bucket, key)
        for run_id, run in self._runs():
            if run is None or run.state not in _TAKEN:
                if any(index.names(self.person) for index in self._indexes(run_id)):
                    self.left.append(
                        f"run {self.person.domain}/{run_id} is not staged: its files still name the customer"
                    )
                continue
            changed += self._scrub_run(run_id, run)
        return changed

    def _scrub_run(self, run_id: str, run: Run) -> int:
        changed = 0
        for index in self._indexes(run_id):
            changed += self._rewrite(run_id, run, index)
        for name in self._tellers(run_id):
            changed += self._erase_lines(run_id, run, name)
        return changed + self._drop_old_versions(run_id)

    # ---- which ----

    def _key(self, run_id: str, name: str) -> str:
        return f"drop/{self.person.domain}/{run_id}/{name}"

    def _runs(self) -> Iterator[tuple[str, Run | None]]:
        """The runs of the domain that were taken before the erasure, and those not taken yet."""
        prefix = f"drop/{self.person.domain}/"
        for folder in objects.folders(self.client, self.bucket, prefix):
            run_id = folder.removeprefix(prefix).rstrip("/")
            run = self.app.runs.get(self.person.domain, run_id)
            if run is None or self.person.existed(run.opened_at):
                yield run_id, run

    def _files(self, run_id: str) -> list[str]:
        return sorted(self.app.folder(self.person.domain, run_id).list())

    def _indexes(self, run_id: str) -> Iterator[IndexFile]:
        for name in self._files(run_id):
            if self.app.staging.form(name) is not None:
                yield self._index(run_id, name)

    def _tellers(self, run_id: str) -> Iterator[str]:
        """The composer's messages, and tables: files whose lines tell of customers."""
        for name in self._files(run_id):
            own = self.app.staging.form(name) is not None or name == SEAL_NAME
            if not own and (self.app.staging.is_message_file(name) or resembles_index(name, alone=True)):
                yield name

    def _lines(self, run_id: str, name: str) -> Iterator[tuple[str, str]]:
        stream = objects.body(self.client, self.bucket, self._key(run_id, name))
        return lines_of(stream) if stream is not None else iter(())

    def _index(self, run_id: str, name: str) -> IndexFile:
        folder = self.app.folder(self.person.domain, run_id)
        schema, rule = self.app.staging.schema_of(self.person.domain, run_id)
        return IndexFile(name, lambda: folder.open(name), schema, rule)

    def _rows(self, index: IndexFile) -> list[Row]:
        """The customer's rows; none of a file that cannot be read as an index."""
        try:
            return list(index.rows(self.person)) if index.names(self.person) else []
        except IndexUnreadable:
            self.left.append(f"{index.name} cannot be read as an index, and may name the customer")
            return []

    def _documents(self) -> list[str]:
        """The keys of the customer's own documents; a file of many customers is not theirs."""
        found: dict[str, None] = {}
        for key, record in self._named():
            if not self._shared(record.get("document_type")):
                found[key] = None
        return list(found)

    @cached_property
    def _staged(self) -> StagedRecords:
        return StagedRecords(self.app, self.person)

    def _named(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Keys of files, with the record that names each: as staged, or rejected and in the index alone."""
        for staged in self._staged.held():
            if uri := staged.get("output_uri"):
                yield self._key(staged["object"].split("/")[2], uri), staged
        for run_id, run in self._runs():
            if run is None or run.state not in _TAKEN:
                continue
            place = RunFolder(self.bucket, self._key(run_id, ""))
            for index in self._indexes(run_id):
                for row in self._rows(index):
                    with suppress(ValueRefused):
                        if uri := row.fields.get("output_uri"):
                            yield self._key(run_id, path_in_run(uri, place)), row.fields

    def _shared(self, document_type: object) -> bool:
        try:
            return self.app.rules.of_type(str(document_type)).shared_file
        except KeyError:
            return False

    # ---- changes ----

    def _rewrite(self, run_id: str, run: Run, index: IndexFile) -> int:
        rows = self._rows(index)
        if not rows:
            return 0
        with tempfile.TemporaryFile() as out:
            index.rewrite(rows, out)
            self._put(run_id, run, index.name, out)
        return len(rows)

    def _erase_lines(self, run_id: str, run: Run, name: str) -> int:
        """Lines of the composer's messages, or of a table, that name the customer."""
        named = 0
        with tempfile.TemporaryFile() as out:
            for line, encoding in self._lines(run_id, name):
                mine = self.person.named_in(line)
                named += mine
                out.write((f"{ERASED}{_ending(line)}" if mine else line).encode(encoding, _AS_READ))
            if named:
                self._put(run_id, run, name, out)
        return named

    def _put(self, run_id: str, run: Run, name: str, content: BinaryIO) -> None:
        """Put a file in the place of what it was, as one that the run was taken with.

        What is known of the run's files is told first: a file that is another than that is an alarm.
        """
        content.seek(0)
        digest, size = hashlib.sha256(), 0
        while block := content.read(_BLOCK):
            digest.update(block)
            size += len(block)
        known = self.app.staging.found(run.parts)
        if (before := known.get(name)) is not None and before.sha256:
            known[name] = replace(before, bytes=size, sha256=digest.hexdigest())
            self.app.staging.keep_found(run.parts, list(known.values()))
        content.seek(0)
        self.client.upload_fileobj(content, self.bucket, self._key(run_id, name))

    def _drop_old_versions(self, run_id: str) -> int:
        """Old versions of the run's own files that name the customer."""
        rows = [
            row
            for row in objects.versions(self.client, self.bucket, self._key(run_id, ""), below=False)
            if not row["IsLatest"] and not row["marker"] and self._version_names(row)
        ]
        return objects.delete_versions(self.client, self.bucket, rows)

    def _version_names(self, row: dict[str, Any]) -> bool:
        _, _, run_id, name = row["Key"].split("/", 3)

        def stream() -> BinaryIO:
            return objects.body(self.client, self.bucket, row["Key"], row["VersionId"]) or io.BytesIO()

        if self.app.staging.form(name) is None:
            return any(self.person.named_in(line) for line, _ in lines_of(stream()))
        index = replace(self._index(run_id, name), open=stream)
        try:
            return index.names(self.person) and any(True for _ in index.rows(self.person))
        except IndexUnreadable:
            return True  # nothing reads an old version, least of all one that cannot be read


_AS_READ = "surrogateescape"


def lines_of(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """Lines with their ends, and the encoding that makes the same bytes of them again: UTF-16 where its mark
    says so, else UTF-8, whatever it is."""
    head = stream.read(_BLOCK)
    marks = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
    encoding = next((name for mark, name in marks if head.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)(_AS_READ if encoding == "utf-8" else "replace")
    rest, block = "", head
    while block:
        *lines, rest = (rest + decoder.decode(block)).split("\n")
        yield from ((line + "\n", encoding) for line in lines)
        block = stream.read(_BLOCK)
    rest += decoder.decode(b"", True)
    if rest:
        yield rest, encoding


def _content(data: bytes) -> dict[str, str]:
    """A document for a file of JSON: its text, or its bytes in base64."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
