"""Both sides of each bound: of every field of a record, of what is listed of a file, of what is read."""

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from exstream_notify.adapters.index import (
    FileForm,
    IndexUnreadable,
    Limits,
    MemoryRejects,
    RecordRefused,
    form_of,
    read_event,
    stage_file,
)
from exstream_notify.adapters.index.faults import Fault
from exstream_notify.adapters.index.holders import _Memo as HolderMemo
from exstream_notify.adapters.index.parts import MemoryParts, PartWriter, RejectWriter
from exstream_notify.adapters.index.record import Memo
from exstream_notify.adapters.index.source import TextSource, known_encoding, without_end_mark
from exstream_notify.domain.documents import FileFault
from tests.index import a_schema, limits, stage

RECORD = {"customer_key": "C1", "document_id": "D1", "document_type": "invoice", "email": "a@example.com"}


def outcome(record: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """A record read field by field, and what it went on without; or all its faults."""
    left: list[Fault] = []
    schema = a_schema()
    try:
        found = schema.normalise(tuple(record), list(record.values()), left)
    except RecordRefused as refused:
        return None, [str(fault) for fault in refused.faults]
    return found, [str(fault) for fault in left]


TEXTS = {
    "customer_key": 128,
    "document_id": 256,
    "recipient": 128,
    "queue_name": 100,
    "delivery_channel": 64,
    "output_uri": 1024,
    "archive_ref": 1024,
    "document_version": 64,
    "postcode": 20,
    "region": 64,
    "first_name": 100,
    "last_name": 100,
    "email": 320,
    "mobile": 40,
    "reference_no": 64,
    "account_number": 64,
    "statement_period": 64,
    "case_id": 64,
    "supersedes": 256,
}
NEEDED = {
    *("customer_key", "recipient", "document_id", "document_type", "queue_name", "output_uri"),
    *("content_sha256", "account_status", "supersedes", "test_flag"),
}


@pytest.mark.parametrize(("field", "most"), TEXTS.items())
def test_a_text_has_so_many_characters_at_most(field: str, most: int) -> None:
    found, left = outcome({**RECORD, field: "x" * most})
    assert (found[field], left) == ("x" * most, [])
    found, faults = outcome({**RECORD, field: "x" * (most + 1)})
    assert faults == [f"{field}: longer than {most} characters"]
    assert (found is None) is (field in NEEDED)
    assert found is None or field not in found


@pytest.mark.parametrize("field", ["output_uri", "archive_ref"])
def test_a_path_has_so_many_bytes_at_most(field: str) -> None:
    found, left = outcome({**RECORD, field: "é" * 512})
    assert (found[field], left) == ("é" * 512, [])
    assert outcome({**RECORD, field: "é" * 512 + "x"})[1] == [f"{field}: longer than 1024 bytes"]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("customer_in_run", "0", 0),
        ("customer_in_run", "999999999", 999_999_999),
        ("customer_in_run", "1000000000", "out of range"),
        ("customer_in_run", "-1", "out of range"),
        ("customer_in_run", "1.5", "not a whole number"),
        ("days_past_due", "-36500", -36_500),
        ("days_past_due", "-36501", "out of range"),
        ("days_past_due", "36500", 36_500),
        ("days_past_due", "36501", "out of range"),
        ("verify_last4", "12aB", "12aB"),
        ("verify_last4", "123", "not four letters or digits"),
        ("verify_last4", "12345", "not four letters or digits"),
        ("verify_last4", "12-4", "not four letters or digits"),
        ("requires_ack", "yes", True),
        ("requires_ack", "no", False),
        ("internal_teams", "uw;claims", ["uw", "claims"]),
    ],
)
def test_a_value_is_within_its_bounds_or_left_out_with_the_reason(field: str, value: str, kept: Any) -> None:
    found, left = outcome({**RECORD, field: value})
    assert found is not None
    if isinstance(kept, str) and kept != value:
        assert (field in found, left) == (False, [f"{field}: {kept}"])
    else:
        assert (found[field], left) == (kept, [])


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("content_sha256", "a" * 63, "not 64 hexadecimal digits"),
        ("content_sha256", "g" * 64, "not 64 hexadecimal digits"),
        ("content_sha256", "a" * 65, "not 64 hexadecimal digits"),
    ],
)
def test_what_is_needed_and_cannot_be_read_refuses_the_record(field: str, value: str, reason: str) -> None:
    assert outcome({**RECORD, field: value}) == (None, [f"{field}: {reason}"])
    assert outcome({**RECORD, "content_sha256": "A" * 64})[0]["content_sha256"] == "a" * 64


@pytest.mark.parametrize(("at", "kept"), [("2001-01-01T00:00:00Z", True), ("2099-11-20T04:12:09Z", False)])
def test_a_production_time_that_is_years_away_is_left_out_with_the_reason(at: str, kept: bool) -> None:
    found, left = outcome({**RECORD, "produced_at": at})
    assert ("produced_at" in found) is kept
    assert left == ([] if kept else ["produced_at: years away from today"])


def test_a_due_moment_that_may_be_two_days_is_left_out_with_the_reason() -> None:
    found, (fault,) = outcome({**RECORD, "due_date": "2026-12-01T00:00:00Z", "time_zone": "America/New_York"})
    assert "due_date" not in found
    assert fault.startswith("due_date: ")
    assert "utc_midnight" in fault


@pytest.mark.parametrize("field", ["archive_ref", "statement_period", "produced_at"])
def test_what_tells_documents_apart_is_needed_where_they_have_no_id(field: str) -> None:
    wrong = {**RECORD, field: "2026-99-99" if field == "produced_at" else "x" * 2000}
    found, left = outcome(wrong)
    assert (found["document_id"], len(left)) == ("D1", 1)
    found, faults = outcome({name: value for name, value in wrong.items() if name != "document_id"})
    assert (found, [fault.partition(":")[0] for fault in faults]) == (None, [field])


def test_all_that_is_wrong_with_a_record_is_told_the_needed_first() -> None:
    record = {"email": "x" * 321, "customer_key": "C" * 129, "postcode": "1" * 21}
    assert outcome(record) == (
        None,
        [
            "customer_key: longer than 128 characters",
            "document_type: missing, and no queue tells it",
            "postcode: longer than 20 characters",
            "email: longer than 320 characters",
        ],
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            {"customer_key": 1.5},
            "customer_key: a number with decimals, which may be rounded: write it as text",
        ),
        (
            {"customer_key": True},
            "customer_key: a number with decimals, which may be rounded: write it as text",
        ),
        ({"customer_key": ["C1"]}, "customer_key: a nested value or a number without a value"),
        ({"customer_key": 10**30}, "customer_key: a nested value or a number without a value"),
        ({"customer_key": float("inf")}, "customer_key: a nested value or a number without a value"),
    ],
)
def test_a_json_value_that_is_no_key(value: dict[str, Any], reason: str) -> None:
    assert outcome({**RECORD, **value}) == (None, [reason])


def test_json_values_as_text() -> None:
    found, left = outcome(
        {
            **RECORD,
            "customer_key": 10**15 - 1,
            "test_flag": False,
            "internal_teams": ["b", None, "a"],
            "x": [1],
        }
    )
    assert left == []
    assert (found["customer_key"], found["test_flag"], found["internal_teams"]) == (
        "9" * 15,
        False,
        ["b", "a"],
    )
    found, left = outcome({**RECORD, "internal_teams": ["b", ["a"]]})
    assert left == ["internal_teams: a nested value or a number without a value"]
    assert "internal_teams" not in found


@pytest.mark.parametrize(("fields", "chars"), [(4, 100), (5, 100), (4, 31), (4, 30)])
def test_a_record_has_so_many_fields_and_characters(fields: int, chars: int) -> None:
    schema = a_schema(limits=Limits(record_fields=4, record_chars=chars))
    record = {**RECORD, **{f"x{n}": "" for n in range(fields - 4)}}
    size = len("|".join(RECORD.values()))
    if fields > 4:
        with pytest.raises(RecordRefused, match=r"^more than 4 fields$"):
            schema.normalise(tuple(record), list(record.values()))
    elif size > chars:
        with pytest.raises(RecordRefused, match=rf"^longer than {chars} characters$"):
            schema.normalise(tuple(record), list(record.values()))
    else:
        assert schema.normalise(tuple(record), list(record.values()))["customer_key"] == "C1"
    exact = a_schema(limits=Limits(record_chars=size))
    assert exact.normalise(tuple(RECORD), list(RECORD.values()))["customer_key"] == "C1"


def test_what_is_read_again_and_again_is_kept_within_bounds() -> None:
    asked: list[str] = []
    memo = Memo(lambda value: asked.append(value) or value.upper())
    for value in ("a", "a", "x" * 64, "x" * 64, "y" * 65, "y" * 65):
        assert memo[value] == value.upper()
    assert asked == ["a", "x" * 64, "y" * 65, "y" * 65]
    for number in range(5000):
        memo[f"v{number}"]
    assert len(memo) <= 4096


def test_holders_names_are_worked_out_anew_rather_than_kept_without_bounds() -> None:
    asked: list[str] = []
    memo = HolderMemo(lambda value: asked.append(value) or value.upper())
    for number in range(HolderMemo._ENTRIES):
        memo[f"v{number}"]
    assert memo["v0"] == "V0"
    assert len(asked) == len(memo) == HolderMemo._ENTRIES
    assert memo["one more"] == "ONE MORE"
    assert list(memo) == ["one more"]
    assert memo["v0"] == "V0"


# --- what a file's name, its events and its bytes say ---------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("run_STDDELIVERYFILE.xml", FileForm("native", False)),
        ("RUN_stddeliveryfile.XML.GZ", FileForm("native", True)),
        ("a.index.jsonl", FileForm("json", False)),
        ("a.index.csv.gz", FileForm("csv", True)),
        ("a.INDEX.psv", FileForm("psv", False)),
        ("a.index.xml", FileForm("xml", False)),
        ("a.xml", None),
        ("a.index.csv.zip", None),
        ("a.index.jsonl.bak", None),
    ],
)
def test_a_files_name_tells_its_form(name: str, form: FileForm | None) -> None:
    assert form_of(name) == form


JOB = {
    "expctr": {"schemaType": "Exstream-Generated", "eventDate": "2026-11-20T04:00:00Z"},
    "exstreamJob": {"domain": "retail", "status": "complete", "communicationId": "COM-1"},
    "user": {"CustomerId": "C1", "DocumentType": "invoice"},
}


@pytest.mark.parametrize(
    ("detail", "fault"),
    [
        ([], "detail: not an object"),
        ({"expctr": {}}, "exstreamJob: missing"),
        ({**JOB, "user": None}, "user: missing"),
        ({**JOB, "expctr": {"schemaType": "x"}}, "expctr.schemaType: not that of a composed document"),
        (
            {**JOB, "exstreamJob": {**JOB["exstreamJob"], "status": "failed"}},
            "exstreamJob.status: not complete",
        ),
        (RECORD, "domain: missing, or not a name of letters, digits, dots and dashes"),
        ({**RECORD, "domain": "-x"}, "domain: missing, or not a name of letters, digits, dots and dashes"),
        (
            {**RECORD, "domain": "d" * 65},
            "domain: missing, or not a name of letters, digits, dots and dashes",
        ),
        ({**RECORD, "domain": "a/b"}, "domain: missing, or not a name of letters, digits, dots and dashes"),
    ],
)
def test_an_event_that_is_no_document_says_why(detail: Any, fault: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        read_event(detail, a_schema())
    assert [str(one) for one in refused.value.faults][:1] == [fault]


@pytest.mark.parametrize("status", [None, "", "complete"])
def test_exstreams_own_event_names_its_document(status: str | None) -> None:
    job = {**JOB["exstreamJob"], "status": status}
    found = read_event({**JOB, "exstreamJob": job}, a_schema())
    assert found["domain"] == "retail"
    assert (found["document_id"], found["customer_key"]) == ("COM-1", "C1")
    assert found["produced_at"].startswith("2026-11-20T04:00:00")
    timed = read_event({**JOB, "exstreamJob": {**job, "creationTime": "2026-11-21T04:00:00Z"}}, a_schema())
    assert timed["produced_at"].startswith("2026-11-21")
    own = read_event({**JOB, "user": {**JOB["user"], "document_id": "D7"}}, a_schema())
    assert own["document_id"] == "D7"
    assert read_event({**RECORD, "domain": "d" * 64}, a_schema())["domain"] == "d" * 64


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("utf8", "utf-8"),
        ("UTF-16", "utf-16"),
        ("utf_16_le", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("latin-1", "iso8859-1"),
        ("iso-8859-15", "iso8859-15"),
        ("windows-1252", "cp1252"),
        ("us-ascii", "ascii"),
        ("utf-7", None),
        ("koi8-r", None),
        ("nonsense", None),
    ],
)
def test_which_encodings_are_known(name: str, found: str | None) -> None:
    assert known_encoding(name) == found


TEXT = "customer_key,last_name\nC1,Zoë\n"


@pytest.mark.parametrize(
    ("data", "encoding", "used"),
    [
        (TEXT.encode(), None, "utf-8"),
        (TEXT.encode("utf-8-sig"), None, "utf-8"),
        (TEXT.encode("utf-16"), None, "utf-16-le"),
        (TEXT.encode("utf-16-le"), None, "utf-16-le"),
        (TEXT.encode("utf-16-be"), None, "utf-16-be"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), None, "utf-16-be"),
        (TEXT.encode("cp1252"), "cp1252", "cp1252"),
        (TEXT.encode("latin-1"), "latin-1", "cp1252"),
        (TEXT.encode("iso-8859-15"), "iso-8859-15", "iso8859-15"),
        (TEXT.encode("utf-8-sig"), "latin-1", "utf-8"),
        (TEXT.encode("utf-16-le"), "utf-16", "utf-16-le"),
    ],
)
def test_a_text_is_read_in_its_encoding(data: bytes, encoding: str | None, used: str) -> None:
    source = TextSource(io.BytesIO(data), "a", encoding=encoding)
    assert "".join(source) == TEXT
    assert (source.encoding, source.bytes) == (used, len(data))


@pytest.mark.parametrize(
    ("declared", "used"),
    [("ISO-8859-1", "cp1252"), ("utf-8", "utf-8"), ("UTF-16", "utf-8"), ("windows-1252", "cp1252")],
)
def test_xml_declares_its_encoding(declared: str, used: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><a>x</a>'
    source = TextSource(io.BytesIO(text.encode("ascii")), "a", xml=True, encoding="iso-8859-15")
    assert ("".join(source), source.encoding) == (text, used)
    other = TextSource(io.BytesIO(text.encode("ascii")), "a", encoding="iso-8859-15")
    assert ("".join(other), other.encoding) == (text, "iso8859-15")


@pytest.mark.parametrize(
    ("data", "options", "at", "reason"),
    [
        (b"", {}, "byte 0", "the file is empty"),
        (gzip.compress(b""), {"compressed": True}, "byte 0", "the file is empty once decompressed"),
        (b"PK\x03\x04x", {}, "byte 0", "a zip archive; deliver the index itself, or gzip it"),
        (b"PK\x05\x06x", {"compressed": True}, "byte 0", "a zip archive; deliver the index itself, or gzip it"),
        (gzip.compress(b"x"), {}, "byte 0", "gzip data in a file whose name does not end in .gz"),
        (b"text", {"compressed": True}, "byte 4", "damaged gzip data"),
        (gzip.compress(b"x") + b"y" * 20, {"compressed": True}, "byte 41", "garbage after the gzip data"),
        (gzip.compress(b"x")[:-4], {"compressed": True}, "byte 17", "the gzip data is cut off"),
        (TEXT.encode("utf-32"), {}, "byte 0", "UTF-32 is not supported"),
        (b"abc\xff", {}, "byte 3", "not valid UTF-8 (a site that writes Latin-1 needs the encoding setting)"),
        (b"abc\xc3", {}, "byte 3", "not valid UTF-8 (a site that writes Latin-1 needs the encoding setting)"),
        (b"\xef\xbb\xbfabc\xff", {}, "byte 6", "not valid UTF-8 (a site that writes Latin-1 needs the encoding setting)"),
        (b"\xff\xfea\x00\x00\xd8", {}, "byte 4", "not valid UTF-16"),
        (b"abc\xff", {"encoding": "ascii"}, "byte 3", "not valid ascii"),
        (b'<?xml version="1.0" encoding="koi8-r"?>', {"xml": True}, "line 1", "declares an encoding that is not supported"),
        (b"x" * 11, {"compressed": True, "limits": Limits(decompressed_bytes=1)}, "byte 11", "damaged gzip data"),
        (
            gzip.compress(b"x" * 11),
            {"compressed": True, "limits": Limits(decompressed_bytes=10)},
            f"byte {len(gzip.compress(b'x' * 11))}",
            "more than 10 bytes once decompressed",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_text_says_where(
    data: bytes, options: dict[str, Any], at: str, reason: str
) -> None:
    with pytest.raises(IndexUnreadable) as refused:
        list(TextSource(io.BytesIO(data), "a", **options))
    assert (refused.value.file, refused.value.at, refused.value.reason) == ("a", at, reason)


def test_a_gzip_file_may_grow_to_its_limits() -> None:
    for size, ratio, works in ((16, 2, True), (17, 2, False), (17, None, True)):
        data = gzip.compress(b"x" * (size * 2**20))
        source = TextSource(io.BytesIO(data), "a", compressed=True, limits=Limits(decompression_ratio=ratio))
        if works:
            assert sum(map(len, source)) == size * 2**20
            continue
        with pytest.raises(IndexUnreadable, match="grows more than 2 times when decompressed"):
            list(source)
    ten = Limits(decompressed_bytes=10)
    assert (
        "".join(TextSource(io.BytesIO(gzip.compress(b"x" * 10)), "a", compressed=True, limits=ten))
        == "x" * 10
    )


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["ab", "c"], "abc"),
        (["ab\x1a", " \n"], "ab"),
        (["ab", "\x1a", "\x00\r\n"], "ab"),
        (["ab\x1a", "cd"], "ab\x1acd"),
        (["a\x1ab\x1a"], "a\x1ab"),
        (["ab \x1a"], "ab "),
        (["a\x1a" + "\n" * 65_535], "a"),
        (["a\x1a" + "\n" * 65_536], "a\x1a" + "\n" * 65_536),
    ],
)
def test_the_mark_at_the_end_of_a_file_is_no_text(pieces: list[str], text: str) -> None:
    assert "".join(without_end_mark(pieces)) == text


# --- what is listed of a file ---------------------------------------------------------------------------


def jsonl(*rows: Mapping[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_reject_says_all_of_it_and_so_much_of_its_text() -> None:
    row = {**RECORD, "customer_key": "C" * 129, "document_type": "", "note": "n" * 5000}
    found = stage(jsonl(RECORD, row), "a.index.jsonl", **limits(reject_chars=50))
    assert found.rejects == [
        {
            "pos": 2,
            "file": "a.index.jsonl",
            "position": 2,
            "field": "customer_key",
            "reason": "longer than 128 characters",
            "raw": json.dumps(row)[:50],
            "also": [{"field": "document_type", "reason": "missing, and no queue tells it"}],
        }
    ]
    whole = stage(jsonl({**RECORD, "customer_key": "", "note": "n" * 5000}), "a.index.jsonl")
    assert len(whole.rejects[0]["raw"]) == 4096


def test_files_that_cannot_be_opened_are_named_up_to_twenty() -> None:
    rows = [{**RECORD, "document_id": f"D{n}", "output_uri": f"out/{n}.pdf"} for n in range(30)]
    found = stage(
        jsonl(*rows),
        "a.index.jsonl",
        check=lambda record: FileFault.MISSING if record["output_uri"] != "out/0.pdf" else None,
    )
    assert (found.tally.documents, found.tally.rejected) == (1, 29)
    assert found.tally.documents_refused == list(range(2, 22))
    assert {row["reason"] for row in found.rejects} == {FileFault.MISSING.value}


def test_teams_of_a_file_are_counted_by_type_up_to_a_limit() -> None:
    rows = [{**RECORD, "document_id": f"D{n}", "internal_teams": [f"t{n % 3}", "uw"]} for n in range(6)]
    found = stage(jsonl(*rows), "a.index.jsonl", **limits(teams=4))
    assert found.tally.documents_by_team == {
        "t0": {"invoice": 2}, "t1": {"invoice": 2}, "t2": {"invoice": 2}, "uw": {"invoice": 6},
    }  # fmt: skip
    found = stage(jsonl(*rows), "a.index.jsonl", **limits(teams=3))
    assert found.tally.reject_reasons == {"internal_teams: more than 3 teams in one file": 2}
    assert found.tally.documents_by_team == {
        "t0": {"invoice": 2}, "t1": {"invoice": 2}, "uw": {"invoice": 4},
    }  # fmt: skip


def test_what_records_go_on_without_is_listed_and_counted() -> None:
    listed = MemoryRejects()
    rows = [RECORD, {**RECORD, "document_id": "D2", "postcode": "1" * 21, "region": "r" * 65}]
    tally = stage_file(
        io.BytesIO(jsonl(*rows).encode()),
        "a.index.jsonl",
        schema=a_schema(),
        parts=MemoryParts(),
        rejects=MemoryRejects(),
        left_out=listed,
    )
    assert tally.left_out == {
        "postcode: longer than 20 characters": 1,
        "region: longer than 64 characters": 1,
    }
    assert [json.loads(line) for line in listed.lines()] == [
        {
            "pos": 2,
            "file": "a.index.jsonl",
            "position": 2,
            "field": field,
            "reason": f"longer than {most} characters",
        }
        for field, most in (("postcode", 20), ("region", 64))
    ]


def test_queues_that_no_rule_maps_are_named_up_to_two_hundred() -> None:
    customers = "".join(
        f'<customer><key name="AccountNumber">C{n}</key><queueName>Q{n % 205}</queueName>'
        f"<queueName>Email_Invoices</queueName></customer>"
        for n in range(410)
    )
    text = f'<outputList customersProcessed="410">{customers}</outputList>'
    tally = stage(text, "a_STDDELIVERYFILE.xml").tally
    assert (tally.documents, tally.customers_without_document) == (410, 0)
    assert tally.queues_ignored == {**{f"Q{n}": 2 for n in range(200)}, "(other)": 10}


class Numbered(MemoryRejects):
    """A sink that keeps the numbers, too."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []

    def put(self, number: int, body: bytes) -> None:
        """See `RejectSink`."""
        self.numbers.append(number)
        super().put(number, body)


def test_rejects_are_put_when_there_is_a_parts_worth() -> None:
    sink = Numbered()
    writer = RejectWriter(sink, part_bytes=6)
    for line in (b"ab", b"cd", b"efgh", b"ijklm", b"x"):
        writer.add(line)
    writer.close()
    writer.close()
    assert sink.bodies == [b"ab\ncd\n", b"efgh\nijklm\n", b"x\n"]
    assert sink.numbers == [0, 1, 2]


def test_parts_and_slices_are_numbered_from_0_or_from_where_the_files_before_ended() -> None:
    for beginning, part, number in (({}, 0, 0), ({"first_part": 3, "first_slice": 40}, 3, 40)):
        sink = MemoryParts()
        writer = PartWriter(sink, part_bytes=10, slice_records=2, **beginning)
        for position in range(1, 6):
            writer.add(b"abc", position)
        writer.close()
        assert [row[:6] for row in sink.slices] == [
            (number, part, 0, 8, 2, 1),
            (number + 1, part + 1, 0, 8, 2, 3),
            (number + 2, part + 2, 0, 4, 1, 5),
        ]
        assert [at.number for at in sink.parts] == [part, part + 1, part + 2]
        assert (writer.next_part, writer.next_slice) == (part + 3, number + 3)
