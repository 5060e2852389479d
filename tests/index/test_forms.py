"""One list of records, in every form and encoding, becomes the same documents."""

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.make_index import WRITERS, file_name, make_records, write_index
from exstream_notify.adapters.index import IndexUnreadable, form_of
from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.adapters.index.names import AliasTable
from tests.index import Staged, a_schema, stage

NAMES = (
    'Zoë "die Erste"',
    "D'Angelo",
    "Marks & <Sons>",
    "Ó Súilleabháin",
    "a|b,c;d",
    "line\nbreak",
    " padded ",
    "]]>",
)
RECORDS = [
    {**record, "last_name": NAMES[at % len(NAMES)], "internal_teams": "Legal; Credit Risk" if at % 3 else ""}
    for at, record in enumerate(make_records(60, seed=7))
]
BAD = [
    *RECORDS[:3],
    {**RECORDS[3], "content_sha256": "soon"},
    {**RECORDS[4], "customer_key": ""},
    *RECORDS[5:8],
]
SEVERAL_LINES = RowRules(multi_line=True)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


def written(records: list[dict[str, str]], form: str) -> bytes:
    out = io.BytesIO()
    write_index(records, form, out)
    return out.getvalue()


def read(records: list[dict[str, str]], form: str, **options: Any) -> Staged:
    return stage(written(records, form), file_name(form), rows=SEVERAL_LINES, **options)


EXPECTED = read(RECORDS, "jsonl").documents


def test_the_documents_are_those_of_the_records():
    assert len(EXPECTED) == len(RECORDS)
    for at, (document, record) in enumerate(zip(EXPECTED, RECORDS, strict=True)):
        assert document["pos"] == at + 1
        assert document["last_name"] == " ".join(record["last_name"].split())
        for field in (
            "customer_key",
            "document_id",
            "document_type",
            "email",
            "amount_due",
            "account_number",
        ):
            assert document[field] == record[field]
        assert document.get("mobile", "") == record["mobile"]
        assert document.get("internal_teams", []) == (["legal", "credit-risk"] if at % 3 else [])


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_form_and_encoding_gives_the_same_documents(writer, encoding, packed):
    form = f"{writer}+{encoding}{packed}"
    # A break within an XML attribute is a space to every XML parser, and so it is to us.
    found = read(RECORDS, form)
    assert found.documents == EXPECTED
    assert not found.rejects
    assert found.tally.encoding == {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    assert (found.tally.records, found.tally.documents) == (60, 60)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859-15"])
@pytest.mark.parametrize("writer", WRITERS)
def test_single_byte_encodings_by_setting_or_declaration(writer, encoding):
    data = written(RECORDS, f"{writer}+{encoding}")
    setting = None if WRITERS[writer][0].endswith("xml") else encoding
    assert stage(data, file_name(writer), encoding=setting, rows=SEVERAL_LINES).documents == EXPECTED


@pytest.mark.parametrize("writer", WRITERS)
def test_a_byte_order_mark_wins_over_the_setting(writer):
    assert read(RECORDS, f"{writer}+utf-8-sig", encoding="latin-1").documents == EXPECTED
    assert read(RECORDS, f"{writer}+utf-16", encoding="latin-1").documents == EXPECTED


@pytest.mark.parametrize("writer", [w for w in WRITERS if w != "xml-attributes"])
def test_line_ends_do_not_matter(writer):
    text = written([{**r, "last_name": "x"} for r in RECORDS], writer).decode().replace("\r\n", "\n")
    unix = stage(text, file_name(writer)).documents
    windows = stage(text.replace("\n", "\r\n"), file_name(writer)).documents
    assert unix == windows
    assert len(unix) == 60


@pytest.mark.parametrize("writer", WRITERS)
def test_a_bad_record_is_rejected_and_the_rest_goes_on(writer):
    found = read(BAD, writer)
    assert [d["pos"] for d in found.documents] == [1, 2, 3, 6, 7, 8]
    rows = [(r["pos"], r["position"], r["file"], r["field"], r["reason"]) for r in found.rejects]
    name = file_name(writer)
    assert rows == [
        (4, 4, name, "content_sha256", "not 64 hexadecimal digits"),
        (5, 5, name, "customer_key", "missing"),
    ]
    for reject, record in zip(found.rejects, BAD[3:5], strict=True):
        assert record["document_id"] in reject["raw"]
        assert BAD[0]["document_id"] not in reject["raw"]
        assert BAD[7]["document_id"] not in reject["raw"]
    assert found.tally.reject_reasons == {
        "content_sha256: not 64 hexadecimal digits": 1,
        "customer_key: missing": 1,
    }


SITE_NAMES = AliasTable({"verify_last4": ["Kontrolle Vier"]})
ANSWERS = {"verify_last4": "QX7Z", "Kontrolle_Vier": "QX7Y", "DateOfBirth": "1957-03-29", "Last4": "QX7W"}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_reject_hides_the_answers_to_a_second_step_under_whatever_name(writer, name):
    answer = ANSWERS[name]
    rows = [{**RECORDS[0], name: answer}, {**RECORDS[1], name: answer, "customer_key": ""}]
    found = read(rows, writer, schema=a_schema(aliases=SITE_NAMES))
    (reject,) = found.rejects
    assert answer not in str(reject)
    assert "***" in reject["raw"]
    assert RECORDS[1]["document_id"] in reject["raw"]
    assert RECORDS[1]["account_number"] in reject["raw"]


def test_an_answer_that_is_itself_the_fault_or_nested_is_hidden_too():
    base = {"customer_key": "C1", "document_type": "invoice", "test_flag": "perhaps"}
    rows = [{**base, "Last4": answer} for answer in ("1234567", "")]
    rows += [{"customer_key": "", "extra": {"person": [{"dob": "1957-03-29"}]}}]
    rows += [{**base, "verify_last4": ["QX7Z"]}]
    found = stage("\n".join(map(json.dumps, rows)), "a.index.jsonl")
    kept = [reject["raw"] for reject in found.rejects]
    assert len(kept) == 4
    assert not [answer for answer in ("1234567", "1957-03-29", "QX7Z") if answer in str(kept)]


@pytest.mark.parametrize("depth", [70, 400])
def test_what_is_nested_too_deeply_to_look_through_is_hidden(depth):
    deep = '{"customer_key": "", "document_id": "D1", "x": ' + "[" * depth + '{"dob": "1957-03-29"}'
    (reject,) = stage(deep + "]" * depth + "}", "a.index.jsonl").rejects
    assert "1957-03-29" not in reject["raw"]
    assert "D1" in reject["raw"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_it_does_not_matter_in_which_pieces_a_file_comes(writer, size, monkeypatch):
    monkeypatch.setattr("exstream_notify.adapters.index.source.PIECE", size)
    for form in (writer, f"{writer}+utf-16", f"{writer}.gz"):
        found = read(BAD, form)
        assert found.documents == read(BAD, "jsonl").documents
        assert len(found.rejects) == 2


def test_gzip_files_may_have_several_members_and_zeros_after_them():
    data = written(RECORDS, "csv")
    packed = b"".join(gzip.compress(data[at : at + 1000]) for at in range(0, len(data), 1000))
    for after in (b"", bytes(700_000), b"\x1a", b"\x1a\r\n"):
        assert stage(packed + after, "a.index.csv.gz", rows=SEVERAL_LINES).documents == EXPECTED


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("_STDDELIVERYFILE.xml", "native"),
        ("run7_STDDELIVERYFILE.XML.gz", "native"),
        ("a.index.jsonl", "json"),
        ("a.INDEX.CSV", "csv"),
        ("a.index.psv.gz", "psv"),
        ("a.index.xml", "xml"),
        ("a.csv", None),
        ("a.index.csv.zip", None),
        ("index.csv.gz.gz", None),
        ("_COMPLETE.json", None),
    ],
)
def test_the_name_tells_the_form(name, form):
    found = form_of(name)
    assert (found.form if found else None) == form
    if found:
        assert found.compressed == name.lower().endswith(".gz")


# --- no input crashes a reader ---

NAME = st.sampled_from(
    ["a.index.jsonl", "a.index.csv", "a.index.psv", "a.index.xml", "_STDDELIVERYFILE.xml", "a.index.csv.gz"]
)
FRAGMENTS = st.sampled_from(
    [
        "customer_key", "document_type", "C1", "invoice", "{", "}", "[", "]", '"', ":", ",", "|", "\n", "\r\n",
        "<d>", "</d>", "<r>", "</r>", "<customer_key>", "</customer_key>", "<customer>", "</customer>", "/>",
        "<outputList customersProcessed='1'>", "</outputList>", "<key name='AccountNumber'>", "</key>",
        "<queueName>", "</queueName>", "<![CDATA[", "]]>", "<!--", "-->", "<?xml version='1.0'?>", "<!DOCTYPE a>",
        "&amp;", "&#0;", "&#x110000;", "&x;", "null", "true", "NaN", "1e999", "\\ud800", "\x00", "\ufeff", "é",
    ]
)  # fmt: skip


def survives(data: bytes, name: str, **options: Any) -> None:
    """The file is read with its records counted, or refused with place and reason."""
    try:
        found = stage(data, name, **options)
    except IndexUnreadable as refused:
        assert refused.file == name  # noqa: PT017
        assert refused.at.startswith(("line ", "byte "))  # noqa: PT017
        assert refused.reason  # noqa: PT017
    else:
        assert found.tally.documents == len(found.documents)
        assert found.tally.rejected == len(found.rejects)
        positions = sorted(row["pos"] for row in found.documents + found.rejects)
        assert positions == list(range(1, len(positions) + 1))


@given(data=st.binary(max_size=400), name=NAME)
def test_no_bytes_crash_a_reader(data, name):
    survives(data, name)


@given(pieces=st.lists(FRAGMENTS, max_size=40), name=NAME, encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_no_text_of_the_forms_own_pieces_crashes_a_reader(pieces, name, encoding):
    data = "".join(pieces).encode(encoding)
    survives(gzip.compress(data) if name.endswith(".gz") else data, name)


@given(
    writer=st.sampled_from(list(WRITERS)),
    at=st.integers(0, 2500),
    cut=st.integers(0, 40),
    put=st.one_of(st.binary(max_size=12), FRAGMENTS.map(str.encode)),
    packed=st.booleans(),
)
def test_no_damage_to_a_good_file_crashes_a_reader(writer, at, cut, put, packed):
    data = written(BAD, writer)[:3000]
    if packed:
        data = gzip.compress(data)
        at %= len(data)
    survives(data[:at] + put + data[at + cut :], file_name(writer + ".gz" if packed else writer))
