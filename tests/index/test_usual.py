"""What is read with one look at all values is the same as what is read field by field."""

import json
from datetime import date
from typing import Any

import pytest

from exstream_notify.adapters.index.delimited import DelimitedRecords
from exstream_notify.adapters.index.faults import Fault, Limits, RecordRefused
from exstream_notify.adapters.index.json_records import JsonRecords
from exstream_notify.adapters.index.names import AliasTable
from exstream_notify.adapters.index.schema import RecordSchema

USUAL = {
    "customer_key": "C-0001",
    "document_id": "D-0001",
    "document_type": "Statement",
    "first_name": "Søren",
    "last_name": "Van der Berg",
    "email": "c1@example.com",
    "mobile": "+12025550100",
    "country": "US",
    "language": "en",
    "time_zone": "America/Chicago",
    "account_number": "000123456789",
    "reference_no": "REF-00000001",
    "amount_due": "1204.50",
    "currency": "EUR",
    "due_date": "2026-12-01",
    "respond_by": "2026-12-20",
    "produced_at": "2026-11-20T04:12:09Z",
    "days_past_due": "12",
    "output_uri": "output/Letters/D-0001.pdf",
    "internal_teams": "billing;claims",
    "requires_ack": "true",
    "colour of the form": "blue",
}

HARD = (
    "", " ", "NULL", "null", "Null", r"\N", "N/A", "n.a.", "-", "--", "None", "undefined", "Ana NULL", "NULL NULL",
    "a\u200bb", "a\u00a0b", " padded ", "padded ", "a\tb", "a\nb", "\x00", "\x81", "\uff11\uff12", "é", "ﬁ",
    "1.00001E+11", "1,5e10", "12E-3", "1E05", "##", "#####", "+1", "١٢٣", "1.000", "1,000", "-0.00", "-12.50",
    "0012.50", "12.5", "EUR 12.50", "1204.50\n", "2026-12-01T00:00:00Z", "20261201", "12/01/2026", "2031-12-31",
    "2032-06-01", "1970-01-01", "9999-12-31", "2027-01-05", "2024-11-20T04:12:09Z", "2099-11-20T04:12:09Z", "NA",
    "../up.pdf", "_SEAL.json", "x" * 70, "x" * 130, "x" * 400, "x" * 1100, "true", "no", "|", "a | b", '"', "0",
)  # fmt: skip


def schema(**more: Any) -> RecordSchema:
    return RecordSchema({"statement": "statement"}, {}, today=lambda: date(2026, 11, 29), **more)


def outcome(found: Any) -> Any:
    """What a reading came to: the record, or its faults; and what was left out."""
    left: list[Fault] = []
    try:
        return found(left), left
    except RecordRefused as refused:
        return refused.faults, []


@pytest.mark.parametrize("field", USUAL)
def test_every_value_means_the_same_whichever_way_it_is_read(field: str) -> None:
    quick, slow = schema(), schema()
    for value in HARD:
        record = {**USUAL, field: value}
        names, values = tuple(record), list(record.values())
        for _ in range(30):  # until the shape of these records, and of those without the field, is known
            usual = outcome(lambda left, n=names, v=values: quick.normalise(n, v, left))
        assert usual == outcome(
            lambda left, n=names, v=values: slow.complete(slow.fields_of(n, v, left), left)
        ), value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requires_ack", True), ("requires_ack", False), ("email", None), ("mobile", None), ("customer_key", True),
        ("customer_key", None), ("days_past_due", 12), ("amount_due", 12.5), ("reference_no", 1.5),
        ("internal_teams", ["billing", "claims"]), ("email", {"a": "b"}), ("colour of the form", [1]),
    ],
)  # fmt: skip
def test_every_value_of_json_means_the_same_whichever_way_it_is_read(field: str, value: object) -> None:
    quick, slow = schema(), schema()
    names, values = tuple(USUAL), list({**USUAL, field: value}.values())
    for _ in range(30):
        usual = outcome(lambda left: quick.normalise(names, values, left))
    assert usual == outcome(lambda left: slow.complete(slow.fields_of(names, values, left), left))


def test_names_that_mean_one_field_are_read_alike() -> None:
    quick, slow = schema(), schema()
    names = (*USUAL, "CustomerEmail", "AccountNo")
    for email, other in (("a@example.com", ""), ("", "a@example.com"), ("a@example.com", "b@example.com")):
        values = [*{**USUAL, "email": email}.values(), other, ""]
        for _ in range(30):
            usual = outcome(lambda left, v=values: quick.normalise(names, v, left))
        assert usual == outcome(lambda left, v=values: slow.complete(slow.fields_of(names, v, left), left))


def test_a_record_of_too_many_names_is_refused_however_many_are_empty() -> None:
    limited = schema(limits=Limits(record_fields=30))
    for _ in range(30):
        limited.normalise(tuple(USUAL), list(USUAL.values()))
    names = (*USUAL, *(f"more {at}" for at in range(30)))
    with pytest.raises(RecordRefused, match="more than 30 fields"):
        limited.normalise(names, [*USUAL.values(), *[""] * 30])


LINES = (
    '{"customer_key": "C1", "email": "a@example.com"}',
    '{"customer_key": "C1", "customer_key": "C2"}',
    '{"customer_key": "C1", "customer_key": "C1"}',
    '{"a": "x", "a": "x:"}',
    '{"a": ":", "a": ""}',
    '{"a": "", "a": ":"}',
    r'{"a": "\u003a", "a": "\u003a"}',
    r'{"a": "1", "\u0061": "2", "b": "\u003a"}',
    '{"a:": "1", "a:": "2"}',
    '{"a:": "1", "b": "2"}',
    '{"a" : "1" ,"a"\t: "2"}',
    '{"a": null, "a": true}',
    '{"a": null, "b": true, "c": false}',
    '{"a": 1.50, "b": 1e5, "c": -0, "d": 123456789012345678901234567890}',
    '{"a": {"b": "1", "b": "2"}}',
    '{"a": ["x", {"b": "1"}]}',
    '{"time": "04:12:09", "at": "2026-11-20T04:12:09Z"}',
    '{"": "", "b": ""}',
    '{"a": NaN}',
    '{"a": "x"} {"b": "y"}',
    "{}",
)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
def test_an_object_in_one_line_is_read_as_one_in_several(line: str, array: bool) -> None:
    def read(text: str) -> list[Any]:
        plain = ['{"first": "record"}', text, '{"last": "record"}']
        whole = "[\n" + ",\n".join(plain) + "\n]\n" if array else "\n".join(plain) + "\n"
        return list(JsonRecords([whole], "a.index.jsonl", Limits()))

    assert read(line) == read(line.replace("{", "{\n ", 1))


def test_lines_are_kept_as_they_stand_in_the_file() -> None:
    lines = [json.dumps({"customer_key": f"C{at}", "note": "x" * at}) for at in range(300)]
    for text in ("\n".join(lines) + "\n", "\r\n".join(lines) + "\r\n", "[\n" + ",\n".join(lines) + "\n]"):
        reader = JsonRecords([text[:9_999], text[9_999:]], "a.index.jsonl", Limits())
        assert [reader.raw() for _ in reader] == lines


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("size", [7, 61, 1_000, 1_000_000])
def test_lines_without_quotes_are_read_as_those_with_them(end: str, size: int) -> None:
    lines = [f"C{at},D{at},Ana,," for at in range(120)]
    lines[5] = "C5,D5,Ana"
    lines[6] = "C6,D6,Ana,x,,,"
    lines[7] = "C7,D7,Ana,x,y"
    lines[8:10] = ["", "  "]
    lines[20] = 'C20,D20,"Ana, B",,'
    lines[21] = 'C21,D21,"Ana,,'
    lines[22] = 'C22,D22,An"a,,'
    lines[50] = 'C50,D50,"Ana",,'
    lines[90] = "C90,D90,A\rna,,"

    def read(text: str) -> list[Any]:
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        reader = DelimitedRecords(pieces, "a.index.csv", ",", AliasTable(), Limits())
        return [(entry, reader.raw()) for entry in reader]

    header = "customer_key,document_id,first_name,email"
    found = read(end.join([header, *lines]) + end)
    # One block with a quote in every line is left to the csv module.
    quoted = [line.replace("C", '"C', 1).replace(",", '",', 1) if line[:1] == "C" else line for line in lines]
    expected = read(end.join([header, *quoted]) + end)
    assert [entry for entry, _ in found] == [entry for entry, _ in expected]
    assert [raw for _, raw in found] == [raw.replace('"C', "C").replace('",D', ",D") for _, raw in expected]
