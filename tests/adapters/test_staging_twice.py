"""Two workers stage one run at the same time: what the first one queued stays what it is."""

import contextlib
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.s3 import S3Records
from exstream_notify.adapters.staging import S3Staging
from tests.fakes import FakeDropFolder

PARTS = "parts/retail/run-1/0123/"


class Bucket:
    """The work bucket, in memory; the worker dies with its write of that number."""

    class exceptions:  # noqa: N801 - boto3's name
        NoSuchKey = KeyError

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.left: int | None = None

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
        if self.left == 0:
            raise TimeoutError("killed")
        if self.left is not None:
            self.left -= 1
        self.stored[Key] = Body

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:  # noqa: N803
        body = self.stored[Key]
        if Range:
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            body = body[first : last + 1]
        return {"Body": io.BytesIO(body)}


def read(bucket: Bucket, staging: S3Staging) -> Sequence[tuple[int, str, str | None, bool]]:
    """What the decision reads of the run."""
    found = []
    for pointer in staging.slices("retail", "run-1", PARTS):
        rows = S3Records(bucket, "work").read(pointer)
        found += [(position, d.document_id, d.email, bool(d.disputed)) for position, d in rows]
    return found


@pytest.mark.parametrize("writes", range(5))
def test_a_worker_that_dies_while_it_stages_again_changes_nothing_of_what_was_found(writes: int) -> None:
    rows = [
        ("K1", "D1", "one@example.com"),
        ("K1", "D2", "other@example.com"),
        ("K2", "D3", "two@example.com"),
    ]
    names = ("customer_key", "document_id", "email")
    folder = FakeDropFolder()
    folder.files["a.index.jsonl"] = b"".join(
        json.dumps({**dict(zip(names, row, strict=True)), "document_type": "statement"}).encode() + b"\n"
        for row in rows
    )
    bucket = Bucket()
    staging = S3Staging(bucket, "work", "drop", YamlRules(), portal=True)
    staging.stage(folder, "retail", "run-1", PARTS, ["a.index.jsonl"])
    before = read(bucket, staging)
    assert [(position, disputed) for position, _, _, disputed in before] == [(1, True), (2, True), (3, False)]

    bucket.left = writes
    with contextlib.suppress(TimeoutError):
        staging.stage(folder, "retail", "run-1", PARTS, ["a.index.jsonl"])
    assert read(bucket, staging) == before
