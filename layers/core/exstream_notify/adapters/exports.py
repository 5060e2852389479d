"""Where exports lie: sorted segments in the work bucket, files and control in the export bucket.

    work:    exports/<export>/<segment>.gz
    export:  preferences/<domain>/<export>/preferences.json, .csv, changes.json, .csv, rows.gz
             preferences/<domain>/control.json

Nothing is held in memory but one part of an upload and one chunk of a sort.
"""

import contextlib
import gzip
import hashlib
import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from ..ports import ExportTask, FinishedFile
from .sqs import SqsQueue

PART = 8 * 1024 * 1024
"""Bytes of one part of an upload: ten thousand of them are 80 GB."""

CHUNK = 32 * 1024 * 1024
"""Bytes of lines that are sorted in memory at once."""

_TYPES = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
}


def external_sort(lines: Iterable[bytes], folder: Path, chunk: int = CHUNK) -> Iterator[bytes]:
    """Lines in order of their bytes, with `chunk` bytes of them in memory at once, the rest in `folder`."""
    spilled: list[Path] = []
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= chunk:
            spilled.append(_spill(sorted(held), folder / f"{len(spilled)}.gz"))
            held, size = [], 0
    held.sort()
    if not spilled:
        yield from held
        return
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(gzip.open(path, "rb")) for path in spilled]
        yield from heapq.merge(held, *(cast("Iterable[bytes]", stream) for stream in streams))


def _spill(lines: Sequence[bytes], path: Path) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.writelines(lines)
    return path


class Upload:
    """`ExportFile`: a multi-part upload that is there whole when it is finished, and not before."""

    def __init__(self, client: Any, bucket: str, key: str, *, packed: bool = False) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._name = key
        self._id = ""
        self._parts: list[dict[str, Any]] = []
        self._buffer = _Buffer()
        # Without a time in it the same lines are the same bytes.
        self._packer = gzip.GzipFile("", "wb", 1, cast("IO[bytes]", self._buffer), 0) if packed else None
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._ended = False

    def write(self, data: bytes) -> None:
        """See `ExportFile.write`."""
        if self._packer is not None:
            self._packer.write(data)
        else:
            self._buffer.write(data)
        while len(self._buffer.data) >= PART:
            self._send(bytes(self._buffer.data[:PART]))
            del self._buffer.data[:PART]

    def finish(self) -> FinishedFile:
        """See `ExportFile.finish`; a small file is one put."""
        if self._packer is not None:
            self._packer.close()
        rest = bytes(self._buffer.data)
        kind = _TYPES[self._name.rpartition(".")[2]]
        if not self._id:
            self._count(rest)
            self._client.put_object(**self._place, Body=rest, ContentType=kind)
        else:
            if rest:
                self._send(rest)
            self._client.complete_multipart_upload(
                **self._place, UploadId=self._id, MultipartUpload={"Parts": self._parts}
            )
        self._ended = True
        return FinishedFile(self._name, self._bytes, self._hash.hexdigest())

    def abort(self) -> None:
        """See `ExportFile.abort`."""
        if self._id and not self._ended:
            self._client.abort_multipart_upload(**self._place, UploadId=self._id)
        self._ended = True

    def _send(self, data: bytes) -> None:
        if not self._id:
            kind = _TYPES[self._name.rpartition(".")[2]]
            started = self._client.create_multipart_upload(**self._place, ContentType=kind)
            self._id = started["UploadId"]
        number = len(self._parts) + 1
        answer = self._client.upload_part(**self._place, UploadId=self._id, PartNumber=number, Body=data)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._count(data)

    def _count(self, data: bytes) -> None:
        self._hash.update(data)
        self._bytes += len(data)


class _Buffer:
    """What is written and not yet sent."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""


class S3Exports:
    """`ExportStore`."""

    def __init__(self, client: Any, work: str, bucket: str) -> None:
        self._client = client
        self._work = work
        self._bucket = bucket

    def write_sorted(self, task: ExportTask, lines: Iterable[bytes]) -> int:
        """See `ExportStore.write_sorted`; the object appears whole."""
        upload = Upload(self._client, self._work, self._segment(task.export, task.segment), packed=True)
        rows = 0
        try:
            with tempfile.TemporaryDirectory() as folder:
                for line in external_sort(lines, Path(folder)):
                    upload.write(line)
                    rows += 1
            upload.finish()
        except BaseException:
            upload.abort()
            raise
        return rows

    def sorted_segments(self, export: str) -> set[int]:
        """See `ExportStore.sorted_segments`."""
        keys = self._keys(self._work, f"exports/{export}/")
        return {int(key.rpartition("/")[2].removesuffix(".gz")) for key in keys}

    def read_sorted(self, export: str, segment: int) -> Iterator[bytes]:
        """See `ExportStore.read_sorted`."""
        return self._read(self._work, self._segment(export, segment))

    def write(self, domain: str, export: str, name: str) -> Upload:
        """See `ExportStore.write`."""
        packed = name == "rows"
        key = f"preferences/{domain}/{export}/{name}{'.gz' if packed else ''}"
        return Upload(self._client, self._bucket, key, packed=packed)

    def control(self, domain: str) -> Mapping[str, Any] | None:
        """See `ExportStore.control`."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"preferences/{domain}/control.json")
        except self._client.exceptions.NoSuchKey:
            return None
        found: Mapping[str, Any] = json.loads(answer["Body"].read())
        return found

    def put_control(self, domain: str, control: Mapping[str, Any]) -> None:
        """See `ExportStore.put_control`."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"preferences/{domain}/control.json",
            Body=json.dumps(control, indent=1).encode() + b"\n",
            ContentType=_TYPES["json"],
        )

    def rows(self, domain: str, control: Mapping[str, Any] | None) -> Iterator[bytes]:
        """See `ExportStore.rows`."""
        if control is None:
            return iter(())
        name: str = control["files"]["rows"]["name"]
        return self._read(self._bucket, f"preferences/{name.removeprefix('preferences/')}")

    def exported_domains(self) -> list[str]:
        """See `ExportStore.exported_domains`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix="preferences/", Delimiter="/"
        )
        return [row["Prefix"].split("/")[1] for page in pages for row in page.get("CommonPrefixes", ())]

    def expire(self, domain: str, kept: int) -> None:
        """See `ExportStore.expire`."""
        found: dict[str, list[str]] = {}
        for key in self._keys(self._bucket, f"preferences/{domain}/"):
            _, _, export, *file = key.split("/")
            if file:
                found.setdefault(export, []).append(key)
        control = self.control(domain)
        stands = str(control["export"]) if control else ""
        # One that is newer than what stands is being written just now.
        older = sorted(export for export in found if export < stands)
        for export in older[: max(len(older) - kept + 1, 0)]:
            for key in found[export]:
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _read(self, bucket: str, key: str) -> Iterator[bytes]:
        body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
        with gzip.GzipFile(fileobj=body) as lines:
            yield from lines

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [row["Key"] for page in pages for row in page.get("Contents", ())]

    @staticmethod
    def _segment(export: str, segment: int) -> str:
        return f"exports/{export}/{segment:04d}.gz"


class SqsExportQueue:
    """`ExportQueue`."""

    def __init__(self, client: Any, url: str) -> None:
        self._queue = SqsQueue(client, url)

    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        """See `ExportQueue.send_tasks`."""
        self._queue.send((task.export, task.to_message()) for task in tasks)
