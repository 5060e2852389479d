"""What staging writes and hands on: parts, rejects, slices, digests, single documents; in memory, byte by byte."""

import hashlib
import json
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.s3 import S3Records
from exstream_notify.adapters.staging import S3Staging
from exstream_notify.domain.runs import FoundFile
from tests.fakes import FakeDropFolder

from .test_staging_twice import PARTS, Bucket

ROW = {"customer_key": "K1", "document_id": "D1", "document_type": "statement", "email": "k1@example.com"}


def staging(bucket: Bucket | None = None) -> S3Staging:
    return S3Staging(bucket or Bucket(), "work", "drop", YamlRules(), portal=True)  # type: ignore[arg-type]


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def staged(bucket: Bucket, **files: bytes) -> tuple[S3Staging, Any]:
    folder = FakeDropFolder()
    folder.files |= {name.replace("__", "."): data for name, data in files.items()}
    found = staging(bucket)
    return found, found.stage(folder, "retail", "run-1", PARTS, list(folder.files))


def test_a_file_is_hashed_whole_however_large() -> None:
    folder = FakeDropFolder()
    data = bytes(range(256)) * 20_000
    folder.files["a.index.jsonl"] = data
    assert staging().hash(folder, "a.index.jsonl") == (len(data), hashlib.sha256(data).hexdigest())
    folder.files["empty"] = b""
    assert staging().hash(folder, "empty") == (0, hashlib.sha256(b"").hexdigest())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.index.jsonl", True),
        ("a.index.csv.gz", True),
        ("x/a.index.jsonl", False),
        ("D1.pdf", False),
    ],
)
def test_an_index_lies_in_the_folder_itself(name: str, form: bool) -> None:
    assert (staging().form(name) is not None) is form


def test_every_record_is_staged_or_rejected_and_counted_once() -> None:
    bucket = Bucket()
    rows = [
        ROW,
        {**ROW, "customer_key": ""},
        {**ROW, "document_id": "D3", "customer_key": "K3", "email": "k3@example.com"},
        {**ROW, "document_id": "D4", "document_type": "nonsense"},
        {
            **ROW,
            "document_id": "D5",
            "customer_key": "K5",
            "document_type": "invoice",
            "email": "k5@example.com",
        },
    ]
    found, [file] = staged(bucket, a__index__jsonl=lines(*rows))
    assert (file.name, file.bytes, file.records, file.composed) == ("a.index.jsonl", len(lines(*rows)), 5, 5)
    assert file.sha256 == hashlib.sha256(lines(*rows)).hexdigest()
    assert sum(file.rejected.values()) == 2
    assert (file.documents, file.teams, file.left_out) == ({"statement": 2, "invoice": 1}, {}, {})
    data = [key for key in bucket.stored if "reject" in key]
    assert len(data) == 1
    rejects = [json.loads(line) for line in bucket.stored[data[0]].splitlines()]
    assert [(row["file"], row["position"], row["field"]) for row in rejects] == [
        ("a.index.jsonl", 2, "customer_key"),
        ("a.index.jsonl", 4, "document_type"),
    ]
    assert all(row["reason"] and row["raw"] for row in rejects)
    pointers = list(found.slices("retail", "run-1", PARTS))
    read = [row for pointer in pointers for row in S3Records(bucket, "work").read(pointer)]  # type: ignore[arg-type]
    assert [(position, d.document_id, d.customer_key) for position, d in read] == [
        (1, "D1", "K1"),
        (3, "D3", "K3"),
        (5, "D5", "K5"),
    ]
    assert {p.run for p in pointers} == {"retail/run-1"}
    assert [p.number for p in pointers] == list(range(len(pointers)))


def test_slices_hold_at_most_a_hundred_records_and_touch_one_another() -> None:
    bucket = Bucket()
    rows = [
        {**ROW, "customer_key": f"K{n}", "document_id": f"D{n}", "email": f"k{n}@example.com"}
        for n in range(250)
    ]
    found, _ = staged(bucket, a__index__jsonl=lines(*rows))
    pointers = list(found.slices("retail", "run-1", PARTS))
    assert [p.count for p in pointers] == [100, 100, 50]
    assert [p.number for p in pointers] == [0, 1, 2]
    read = [d.document_id for p in pointers for _, d in S3Records(bucket, "work").read(p)]  # type: ignore[arg-type]
    assert read == [f"D{n}" for n in range(250)]


def test_digests_come_behind_the_documents() -> None:
    bucket = Bucket()
    found, _ = staged(bucket, a__index__jsonl=lines(ROW))
    found.add_digests("retail", "run-1", PARTS, {})
    assert [p.kind for p in found.slices("retail", "run-1", PARTS)] == ["documents"]
    found.add_digests("retail", "run-1", PARTS, {"uw": {"policy": 2}, "claims": {"claim": 1, "letter": 3}})
    *_, last = found.slices("retail", "run-1", PARTS)
    assert (last.kind, last.number, last.count, last.first, last.offset) == ("digests", 1, 2, 1, 0)
    assert list(S3Records(bucket, "work").read_digests(last)) == [  # type: ignore[arg-type]
        (1, "claims", {"claim": 1, "letter": 3}),
        (2, "uw", {"policy": 2}),
    ]


def test_digests_alone_are_the_first_slice() -> None:
    bucket = Bucket()
    found = staging(bucket)
    assert list(found.slices("retail", "run-1", PARTS)) == []
    found.add_digests("retail", "run-1", PARTS, {"uw": {"policy": 2}})
    assert [(p.number, p.kind, p.domain, p.run_id) for p in found.slices("retail", "run-1", PARTS)] == [
        (0, "digests", "retail", "run-1")
    ]


def test_what_was_found_of_the_files_is_kept_by_name() -> None:
    bucket = Bucket()
    found = staging(bucket)
    assert found.found(PARTS) == {}
    files = [
        FoundFile("a.index.jsonl", 7, "etag", "ab" * 32, 1, 1, None),
        FoundFile("D1.pdf", 9, "e", "cd" * 32),
    ]
    found.keep_found(PARTS, files)
    assert found.found(PARTS) == {file.name: file for file in files}


# --- single documents ---------------------------------------------------------------------------------------


def event(**detail: Any) -> dict[str, Any]:
    return {"detail": {"domain": "retail", **ROW, **detail}}


def test_a_single_document_is_a_part_of_one() -> None:
    bucket = Bucket()
    found = staging(bucket)
    [pointer], file = found.stage_record("retail", "event-1", PARTS, event())
    assert (file.name, file.records, file.composed, file.rejected) == ("event", 1, 1, {})
    assert (file.documents, file.left_out) == ({"statement": 1}, {})
    [(position, document)] = S3Records(bucket, "work").read(pointer)  # type: ignore[arg-type]
    assert (position, document.document_id, document.email) == (1, "D1", "k1@example.com")
    assert (pointer.run, pointer.number, pointer.count) == ("retail/event-1", 0, 1)
    assert list(found.slices("retail", "event-1", PARTS)) == [pointer]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (event(customer_key=""), "customer_key"),
        (event(document_type="nonsense"), "document_type"),
        ({**event(), "repeated": "email"}, "email"),
    ],
)
def test_a_single_document_that_cannot_be_used_is_kept_with_the_reason(
    record: dict[str, Any], field: str
) -> None:
    bucket = Bucket()
    pointers, file = staging(bucket).stage_record("retail", "event-1", PARTS, record)
    assert pointers == []
    [(key, body)] = bucket.stored.items()
    told = json.loads(body)
    assert "reject" in key
    assert (told["pos"], told["file"], told["position"], told["field"]) == (1, "event", 1, field)
    assert told["reason"]
    assert "k1@example.com" in told["raw"]
    assert (file.name, file.records, file.composed, list(file.rejected.values())) == ("event", 1, 1, [1])
    assert file.documents == {}


def test_an_index_that_changes_between_two_passes_is_refused() -> None:
    folder = FakeDropFolder()
    one = lines(ROW, {**ROW, "document_id": "D2", "email": "other@example.com"})
    folder.files["a.index.jsonl"] = one
    opens = folder.open
    calls: list[str] = []

    def changing(name: str) -> Any:
        calls.append(name)
        if len(calls) > 1:
            folder.files["a.index.jsonl"] = one.replace(b"D2", b"D9")
        return opens(name)

    folder.open = changing  # type: ignore[method-assign,assignment]
    with pytest.raises(Exception, match="changed while it was read"):
        staging().stage(folder, "retail", "run-1", PARTS, ["a.index.jsonl"])
    assert len(calls) > 1
