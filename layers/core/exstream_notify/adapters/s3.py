"""The buckets: a run's dropped files, staged records, bulk jobs as posted, and the evidence."""

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeAlias, cast
from urllib.parse import urlsplit

import orjson

from ..domain.documents import Document, FileFault
from ..domain.messages import BulkJob, Content, SentRequest
from ..domain.records import path_in_run
from ..domain.runs import Seal
from ..domain.values import ValueRefused
from ..domain.work import SlicePointer
from ..ports import DropObject, EvidenceLine, RecordsGone
from .encryption import Sealer
from .part_keys import in_parts
from .seal import SEAL_NAME, parse_seal

S3Client: TypeAlias = Any
ADDRESS_SECONDS = 60
"""How long a presigned address of a document is good for."""

_KINDS: Mapping[str, tuple[str, bool]] = {
    "pdf": ("application/pdf", True),
    "txt": ("text/plain; charset=utf-8", True),
    "png": ("image/png", True),
    "jpg": ("image/jpeg", True),
    "jpeg": ("image/jpeg", True),
    "tif": ("image/tiff", False),
    "tiff": ("image/tiff", False),
    "html": ("text/html", False),
    "htm": ("text/html", False),
    "xml": ("application/xml", False),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", False),
    "zip": ("application/zip", False),
}
"""By ending: the content's type, and whether a browser shows it without running anything in it."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
SEAL_LIMIT = 4 * 1024 * 1024


class S3DropFolder:
    """`DropFolder` on `drop/<domain>/<run_id>/` of the drop bucket."""

    def __init__(self, client: S3Client, bucket: str, domain: str, run_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._domain = domain
        self._run_id = run_id
        self.prefix = f"drop/{domain}/{run_id}/"

    def seal(self) -> Seal | None:
        """See `DropFolder.seal`."""
        found = self.head(SEAL_NAME)
        if found is None:
            return None
        with self.open(SEAL_NAME) as stream:
            return parse_seal(stream.read(SEAL_LIMIT + 1), self._domain, self._run_id, limit=SEAL_LIMIT)

    def list(self) -> dict[str, DropObject]:
        """See `DropFolder.list`."""
        found: dict[str, DropObject] = {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self.prefix, Delimiter="/"
        )
        for page in pages:
            for row in page.get("Contents", ()):
                name = row["Key"].removeprefix(self.prefix)
                found[name] = _dropped(name, row["Size"], row)
        return found

    def files_below(self) -> Iterator[tuple[str, int]]:
        """See `DropFolder.files_below`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self.prefix
        )
        for page in pages:
            for row in page.get("Contents", ()):
                yield row["Key"].removeprefix(self.prefix), row["Size"]

    def head(self, name: str) -> DropObject | None:
        """See `DropFolder.head`."""
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=self.prefix + name)
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return _dropped(name, answer["ContentLength"], answer)

    def open(self, name: str) -> BinaryIO:
        """See `DropFolder.open`."""
        body = self._client.get_object(Bucket=self._bucket, Key=self.prefix + name)["Body"]
        return cast(BinaryIO, body)


def _dropped(name: str, size: int, row: Mapping[str, Any]) -> DropObject:
    modified = row["LastModified"].isoformat(timespec="seconds")
    return DropObject(name, size, row["ETag"].strip('"'), modified)


class S3Records:
    """`Records` on the work bucket: a slice is one ranged read of its part."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._last: tuple[tuple[str, int, int], list[dict[str, Any]]] | None = None

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """See `Records.read`."""
        return [document_from(row, pointer.domain) for row in self._rows(pointer)]

    def read_digests(self, pointer: SlicePointer) -> list[tuple[int, str, Mapping[str, int]]]:
        """See `Records.read_digests`."""
        return [(row["pos"], row["team"], row["counts"]) for row in self._rows(pointer)]

    def _rows(self, pointer: SlicePointer) -> list[dict[str, Any]]:
        key = (pointer.part, pointer.offset, pointer.length)
        if self._last is None or self._last[0] != key:
            last = pointer.offset + pointer.length - 1
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket,
                    Key=in_parts(pointer.part),
                    Range=f"bytes={pointer.offset}-{last}",
                )
            except self._client.exceptions.NoSuchKey as gone:
                raise RecordsGone(pointer.part) from gone
            rows = [orjson.loads(line) for line in answer["Body"].read().splitlines() if line]
            self._last = (key, rows)
        return self._last[1]


def document_from(row: Mapping[str, Any], domain: str) -> tuple[int, Document]:
    """A document and its position from one normalised line of a part."""
    fields = {**row, "domain": domain}
    position = fields.pop("pos")
    if "internal_teams" in fields:
        fields["internal_teams"] = tuple(fields["internal_teams"])
    return position, Document(**fields)


class S3Documents:
    """`DocumentStore` under `drop/` of the drop bucket, by presigned addresses.

    `own` says whether a path names one of a run's own files: no address is ever made for those.
    """

    def __init__(self, client: S3Client, bucket: str, own: Callable[[str], bool]) -> None:
        self._client = client
        self._bucket = bucket
        self._own = own

    @property
    def origin(self) -> str:
        """Where all addresses lie, for a page that leads there."""
        parts = urlsplit(self._presigned("drop/any", "any", "application/pdf", "inline"))
        return f"{parts.scheme}://{parts.netloc}"

    def address(self, run: str, path: str, name: str, *, inline: bool, language: str) -> str | None:
        """See `DocumentStore.address`. Only what a browser shows without running it is shown inline."""
        inside = path_in_run(path)
        if self._own(inside):
            raise ValueRefused(FileFault.OWN)
        key = f"drop/{run}/{inside}"
        ending = path.rpartition(".")[2].lower()
        kind, harmless = _KINDS.get(ending, ("application/octet-stream", False))
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        safe = _UNSAFE.sub("-", name).strip("-.")[:80] or "document"
        if ending in _KINDS:
            safe = f"{safe}.{ending}"
        return self._presigned(key, safe, kind, "inline" if inline and harmless else "attachment")

    def _presigned(self, key: str, name: str, kind: str, disposition: str) -> str:
        found: str = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentType": kind,
                "ResponseContentDisposition": f'{disposition}; filename="{name}"',
                "ResponseCacheControl": "no-store",
            },
            ExpiresIn=ADDRESS_SECONDS,
        )
        return found


class S3Jobs:
    """`JobStore` under `jobs/` of the work bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, bulk_id: str, job: BulkJob, request: SentRequest) -> None:
        """See `JobStore.put`."""
        body = {
            "members": [m.ref for m in job.members],
            "url": request.url,
            "body": base64.b64encode(request.body).decode(),
            "headers": request.headers,
        }
        self._client.put_object(Bucket=self._bucket, Key=f"jobs/{bulk_id}.json", Body=orjson.dumps(body))

    def get(self, bulk_id: str) -> tuple[tuple[str, ...], SentRequest] | None:
        """See `JobStore.get`."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"jobs/{bulk_id}.json")
        except self._client.exceptions.NoSuchKey:
            return None
        body = orjson.loads(answer["Body"].read())
        headers = tuple((name, value) for name, value in body["headers"])
        request = SentRequest(body["url"], base64.b64decode(body["body"]), headers)
        return tuple(body["members"]), request


class S3Evidence:
    """`Evidence`: one object a job and delivery, a JSON line per attempt, its personal part sealed.

    An object is never written twice: its name has a random part, so a repeated job adds its own
    and a claim names the one it was made with.
    """

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        sealer: Sealer,
        now: Callable[[], datetime],
        name: Callable[[], str],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._sealer = sealer
        self._now = now
        self._name = name

    def write(self, job: str, lines: Sequence[EvidenceLine], shared: Mapping[str, Content]) -> list[str]:
        """See `Evidence.write`."""
        key = f"evidence/{self._now().strftime('%Y/%m/%d/%H')}/{job}-{self._name()[:8]}.jsonl"
        rows: list[dict[str, object]] = [
            {"shared_content": name, "subject": c.subject, "text": c.text, "html": c.html}
            for name, c in shared.items()
        ]
        references = []
        for line in lines:
            references.append(f"{key}#{len(rows)}")
            plain = zlib.compress(orjson.dumps(line.body), 1)
            rows.append(
                {"ref": line.ref, "at": line.at, "sealed": self._sealer.seal(line.salt, line.ref, plain)}
            )
        data = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return references

    def read(self, reference: str, ref: str, salt: str) -> dict[str, Any]:
        """The line behind a reference, opened; `EvidenceUnreadable` if salt or content do not fit."""
        key, _, number = reference.rpartition("#")
        rows = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read().splitlines()
        row = orjson.loads(rows[int(number)])
        body: dict[str, Any] = orjson.loads(zlib.decompress(self._sealer.open(salt, ref, row["sealed"])))
        if "shared_content" in body:
            for line in rows:
                content = orjson.loads(line)
                if content.get("shared_content") == body["shared_content"] and "html" in content:
                    body |= {name: content[name] for name in ("subject", "text", "html")}
        return {"ref": row["ref"], "prepared_at": row["at"], **body}
