"""Parts, slices, positions and tallies."""

import hashlib
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.make_index import file_name, make_records, write_index
from exstream_notify.adapters.index import MemoryParts, PartWriter, stage_file
from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.adapters.index.parts import MemoryRejects, RejectWriter
from exstream_notify.domain.documents import FileFault
from tests.index import a_schema, limits, stage


def written(count, form, records=None):
    out = io.BytesIO()
    write_index(records or make_records(count), form, out)
    return out.getvalue()


def checked(found):
    """Slices lie in their parts without a gap, in order, and hold what they say."""
    expected = [json.dumps(d) for d in found.documents]
    read = []
    ends = {}
    for number, row in enumerate(found.slices, found.slices[0].number if found.slices else 0):
        assert row.number == number
        assert row.offset == ends.get(row.part, 0)
        ends[row.part] = row.offset + row.length
        lines = [json.loads(line) for line in found.parts.read(row)]
        assert len(lines) == row.count <= 100
        assert lines[0]["pos"] == row.first
        read += map(json.dumps, lines)
    assert read == expected
    assert ends == {part.number: len(part.body) for part in found.parts.parts}
    assert all(part.body.endswith(b"\n") for part in found.parts.parts)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000])
def test_slices_hold_at_most_a_hundred_documents(count):
    data = written(count, "jsonl") or b"[]"
    found = stage(data, "a.index.jsonl")
    checked(found)
    assert len(found.slices) == -(-count // 100)


@pytest.mark.parametrize("part_bytes", [1, 50_000, 130_000, 10_000_000])
def test_a_slice_never_crosses_parts(part_bytes):
    found = stage(written(1000, "csv"), "a.index.csv", part_bytes=part_bytes)
    checked(found)
    largest = max(row.length for row in found.slices)
    assert all(len(part.body) <= max(part_bytes, largest) for part in found.parts.parts)
    assert [part.number for part in found.parts.parts] == list(range(len(found.parts.parts)))


@given(sizes=st.lists(st.integers(1, 400), max_size=60), records=st.integers(1, 5), part=st.integers(1, 2000))
def test_whatever_the_sizes_every_line_is_in_one_slice(sizes, records, part):
    sink = MemoryParts()
    writer = PartWriter(sink, part_bytes=part, slice_records=records)
    lines = [str(at).encode().ljust(size, b"x") for at, size in enumerate(sizes)]
    for at, line in enumerate(lines):
        writer.add(line, at + 1)
    writer.close()
    assert list(sink.lines()) == lines
    assert [line for row in sink.slices for line in sink.read(row)] == lines
    assert [row.first for row in sink.slices] == list(range(1, len(lines) + 1, records))
    assert all(len(p.body) <= part or len(p.slices) == 1 for p in sink.parts)


def test_the_runs_next_file_goes_on():
    first = stage(written(150, "csv"), "a.index.csv")
    tally = first.tally
    assert (tally.next_position, tally.next_slice, tally.next_part) == (151, 2, 1)
    second = stage(
        written(120, "jsonl"),
        "b.index.jsonl",
        first_position=tally.next_position,
        first_slice=tally.next_slice,
        first_part=tally.next_part,
    )
    checked(second)
    assert [d["pos"] for d in second.documents] == list(range(151, 271))
    assert [(row.number, row.part, row.first) for row in second.slices] == [(2, 1, 151), (3, 1, 251)]


def test_positions_count_documents_and_rejects():
    records = [{**r, "customer_key": ""} if at % 7 == 0 else r for at, r in enumerate(make_records(200))]
    found = stage(written(0, "csv", records), "a.index.csv", first_position=1001)
    positions = sorted(row["pos"] for row in found.documents + found.rejects)
    assert positions == list(range(1001, 1201))
    assert [r["position"] for r in found.rejects] == list(range(1, 201, 7))
    checked(found)


@pytest.mark.parametrize("form", ["jsonl", "csv.gz", "psv+utf-16", "xml", "native.gz"])
def test_bytes_and_checksum_are_those_of_the_file_as_stored(form):
    data = written(300, form)
    tally = stage(data, file_name(form)).tally
    assert (tally.bytes, tally.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_documents_are_counted_by_type_and_team():
    records = [
        {**r, "document_type": kind, "internal_teams": teams}
        for r, (kind, teams) in zip(
            make_records(4),
            [("invoice", "Legal"), ("statement", "legal;risk"), ("statement", ""), ("INVOICE", "risk;risk")],
            strict=True,
        )
    ]
    tally = stage(written(0, "csv", records), "a.index.csv").tally
    assert tally.documents_by_type == {"invoice": 2, "statement": 2}
    assert tally.documents_by_team == {
        "legal": {"invoice": 1, "statement": 1},
        "risk": {"statement": 1, "invoice": 1},
    }


def test_teams_beyond_the_limit_are_rejected():
    records = [{**r, "internal_teams": f"team{at % 7}"} for at, r in enumerate(make_records(50))]
    found = stage(written(0, "csv", records), "a.index.csv", **limits(teams=5))
    assert len(found.tally.documents_by_team) == 5
    assert found.tally.reject_reasons == {"internal_teams: more than 5 teams in one file": 14}
    assert sum(c.total() for c in found.tally.documents_by_team.values()) == len(found.documents)


def test_a_reject_says_all_that_is_wrong_and_keeps_the_record():
    text = 'customer_key,document_type,due_date,last_name\n,invoice,soon,"O,\nx"\n'
    (reject,) = stage(text, "a.index.csv", rows=RowRules(multi_line=True)).rejects
    assert reject == {
        "pos": 1,
        "file": "a.index.csv",
        "position": 1,
        "field": "customer_key",
        "reason": "missing",
        "raw": ',invoice,soon,"O,\nx"',
        "also": [{"field": "due_date", "reason": "not an ISO 8601 date"}],
    }


def test_what_is_kept_of_a_reject_is_bounded():
    text = "customer_key,document_type,note\n,invoice," + "x" * 100_000 + "\n"
    (reject,) = stage(text, "a.index.csv", **limits(reject_chars=50)).rejects
    assert len(reject["raw"]) == 50


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_reject_is_kept_as_it_stands_but_for_the_end_of_its_line(end):
    text = f"customer_key,document_type,note\n,invoice, X {end}"
    (reject,) = stage(text, "a.index.csv").rejects
    assert reject["raw"] == ",invoice, X "
    (reject,) = stage(text.replace(" X ", "XX"), "a.index.csv").rejects
    assert reject["raw"] == ",invoice,XX"


def test_rejects_come_in_parts():
    sink = MemoryRejects()
    writer = RejectWriter(sink, part_bytes=100)
    lines = [b"x" * 40 for _ in range(7)]
    for line in lines:
        writer.add(line)
    writer.close()
    writer.close()
    assert [len(body) for body in sink.bodies] == [123, 123, 41]
    assert list(sink.lines()) == lines


def test_reasons_hold_no_values():
    secret = "S3CRET-4711"
    fields = ("customer_in_run", "content_sha256", "produced_at", "language", "amount_due", "currency", "due_date",
              "days_past_due", "requires_ack", "verify_last4", "document_type")  # fmt: skip
    for field in fields:
        record = {"customer_key": "C1", "document_type": "invoice", field: secret}
        found = stage(json.dumps(record), "a.index.jsonl")
        assert secret not in str(found.tally.left_out)
        assert found.tally.left_out.total() + found.tally.rejected == 1
        for reject in found.rejects:
            assert secret not in reject["reason"]
            assert secret in reject["raw"]


class Dropped:
    """A sink that keeps nothing."""

    def put(self, *_):
        """Drop."""


@pytest.mark.parametrize(
    "form", ["native", "jsonl", "json-array", "csv", "psv.gz", "xml", "xml-attributes+utf-16"]
)
def test_memory_does_not_grow_with_the_run(form, monkeypatch):
    monkeypatch.setattr("exstream_notify.adapters.index.source.PIECE", 16 * 1024)
    peaks = []
    schema = a_schema()
    for count in (300, 300, 3000):
        source = io.BytesIO(written(count, form))
        tracemalloc.start()
        stage_file(
            source, file_name(form), schema=schema, parts=Dropped(), rejects=Dropped(), part_bytes=100_000
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The first fills the caches; 2,700 records more are some 1.7 MB of lines.
    assert peaks[2] < peaks[1] + 300_000


@pytest.mark.parametrize("form", ["jsonl", "csv", "psv", "xml", "native"])
def test_a_record_whose_file_is_wrong_is_rejected_in_the_same_pass(form):
    """In every form: counted once, with its position, and the rest goes on."""
    seen = []

    def numbered(record):
        seen.append(record)
        return FileFault.MISSING if len(seen) in (3, 7) else None

    found = stage(written(10, form), file_name(form), check=numbered)
    assert (found.tally.documents, found.tally.rejected) == (8, 2)
    assert found.tally.reject_reasons == {"output_uri: no such file in the run's folder": 2}
    assert found.tally.documents_refused == [3, 7]
    assert [reject["position"] for reject in found.rejects] == [3, 7]
    assert [d["pos"] for d in found.documents] == [1, 2, 4, 5, 6, 8, 9, 10]
