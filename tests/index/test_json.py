"""JSON: lines, arrays, objects one after another; and what is none of these."""

import json

import pytest

from exstream_notify.adapters.index import IndexUnreadable
from tests.index import limits, stage

NAME = "a.index.jsonl"


def row(number, **more):
    return {"customer_key": f"C{number}", "document_id": f"D{number}", "document_type": "invoice", **more}


def line(number, **more):
    return json.dumps(row(number, **more))


def ids(found):
    return [d["document_id"] for d in found.documents]


@pytest.mark.parametrize(
    "text",
    [
        f"{line(1)}\n{line(2)}\n",
        f"{line(1)}\n{line(2)}",
        f"\n\n{line(1)}\r\n\r\n{line(2)}\n\n",
        f"{line(1)}{line(2)}",
        f"[{line(1)},{line(2)}]",
        f"[\n  {line(1)},\n  {line(2)}\n]\n",
        f"{line(1)},\n{line(2)},\n",
        json.dumps(row(1), indent=2) + "\n" + json.dumps(row(2), indent=2),
        json.dumps([row(1), row(2)], indent=1),
        f"{line(1)}\n" + json.dumps(row(2), indent=2),
    ],
)
def test_records_need_no_line_of_their_own(text):
    assert ids(stage(text, NAME)) == ["D1", "D2"]


def test_an_empty_array_is_a_run_of_nobody():
    assert stage("[]", NAME).tally.records == 0


@pytest.mark.parametrize("outer", ["{%s}", "[{%s}]"])
def test_an_object_around_the_records_is_told_and_not_rejected_as_the_only_one(outer):
    text = outer % f'"run": 7, "documents": [{line(1)}, {line(2)}]'
    with pytest.raises(IndexUnreadable, match="an object around the records"):
        stage(text, NAME)


def test_a_record_with_rows_of_its_own_is_a_record():
    assert ids(stage(line(1, items=[{"text": "tea"}]), NAME)) == ["D1"]
    found = stage(line(1) + "\n" + json.dumps({"items": [{"text": "tea"}]}), NAME)
    assert (ids(found), len(found.rejects)) == (["D1"], 1)


def test_numbers_keep_their_digits():
    text = '{"customer_key": 12345678901234567890123, "document_type": "invoice", "amount_due": 12345678901234.5600}'
    (found,) = stage(text, NAME).documents
    assert (found["customer_key"], found["amount_due"]) == ("12345678901234567890123", "12345678901234.5600")


@pytest.mark.parametrize(
    ("bad", "field", "reason"),
    [
        ('{"customer_key": "C2", }', None, "not well-formed JSON"),
        ('{"customer_key": "C2" "document_id": "D2"}', None, "not well-formed JSON"),
        ('{"customer_key": "C2", "docu', None, "not well-formed JSON"),
        ('{"customer_key": "C2\x01"}', None, "not well-formed JSON"),
        ('{"customer_key": NaN}', None, "not well-formed JSON"),
        ('{"customer_key": -Infinity}', None, "not well-formed JSON"),
        ("{'customer_key': 'C2'}", None, "not well-formed JSON"),
        ('{"a": ' * 100_000, None, "nested too deeply"),
        ("17", None, "not an object"),
        ('"text"', None, "not an object"),
        ("null", None, "not an object"),
        ('["C2"]', None, "not an object"),
        ("{}", None, "an empty object"),
        (line(2, document_id={"work": "D2"}), "document_id", "a nested value or a number without a value"),
        (line(2, document_id="\ud800"), "document_id", "holds a control character"),
        (line(2, document_id="a\0b"), "document_id", "holds a control character"),
        (line(2, customer_key=[1]), "customer_key", "a nested value or a number without a value"),
    ],
)
def test_a_bad_object_is_rejected_and_the_next_line_is_read(bad, field, reason):
    found = stage(f"{line(1)}\n{bad}\n{line(3)}\n", NAME)
    assert ids(found) == ["D1", "D3"]
    (reject,) = found.rejects
    assert (reject["pos"], reject["field"], reject["reason"]) == (2, field, reason)
    assert reject["raw"] == bad[:4096]


def test_within_an_array_too():
    found = stage(f'[\n{line(1)},\n{{"customer_key": ,}},\n{line(3)}\n]', NAME)
    assert ids(found) == ["D1", "D3"]
    assert found.rejects[0]["reason"] == "not well-formed JSON"


def test_a_bad_object_of_many_lines_is_one_reject():
    bad = json.dumps(row(2), indent=2).replace('"D2"', "D2")
    found = stage("\n".join([json.dumps(row(1), indent=2), bad, json.dumps(row(3), indent=2)]), NAME)
    assert ids(found) == ["D1", "D3"]
    assert len(found.rejects) == 1
    assert found.rejects[0]["raw"] == bad


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ('{"customer_key": "C0", "customer_key": "C2", "document_type": "invoice"}', "customer_key"),
        ('{"customer_key": "C2", "customer_key": "C2", "document_type": "invoice"}', "customer_key"),
        ('{"customer_key": "C2", "EMail": "a@example.com", "EMail": "b@example.com"}', "email"),
        ('{"customer_key": "C2", "EMail": "a@example.com", "\\u0045Mail": "b@example.com"}', "email"),
        ('{"customer_key": "C2", "document_type": "invoice", "x": 1, "x": 2}', None),
        ('{"customer_key": "C2", "document_type": "invoice", "x": {"email": 1, "email": 2}}', "email"),
        ('{"customer_key": "C2", "document_type": "invoice", "x": [[{"y": 1, "y": 2}]]}', None),
        ('{"customer_key": "C2", "email": "a@example.com", "x": {}, "email": "b@example.com"}', "email"),
    ],
)
def test_a_record_with_a_name_that_stands_twice_in_an_object_is_rejected(bad, field):
    for text in (f"{line(1)}\n{bad}\n{line(3)}", f"[{line(1)}, {bad}, {line(3)}]"):
        found = stage(text, NAME)
        assert ids(found) == ["D1", "D3"]
        (reject,) = found.rejects
        assert (reject["field"], reject["reason"]) == (field, "a name stands twice in an object")
        assert "C2" in reject["raw"]


def test_a_name_that_stands_twice_does_not_show_the_answer_to_a_second_step():
    for more in ("", ', "x": {}', ', "x": {"dob": 1, "dob": 2}'):
        text = '{"customer_key": "C1", "Last4": "QX7Z", "Last4": "QX7Y"' + more + "}"
        (reject,) = stage(text, NAME).rejects
        assert "QX7" not in reject["raw"]
        assert reject["raw"].count("Last4") == 2
        assert reject["field"] in ("verify_last4", "verify_birth_date")


def test_the_same_name_in_two_objects_is_no_repetition():
    text = line(1, items=[{"customer_key": "a"}, {"customer_key": "b"}], note='a "b": {c}')
    assert ids(stage(text, NAME)) == ["D1"]


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", "byte 0", "the file is empty"),
        (" \n\n", "line 3", "there is no record"),
        ("customer_key,document_type\nC1,invoice\n", "line 1", "not JSON"),
        (f"{line(1)}\n" + line(2)[:-1], "line 2", "the last record is cut off"),
        (f"{line(1)}\n" + line(2)[:-4], "line 2", "the last record is cut off"),
        (f"{line(1)}\n" + '{"customer_key": tru', "line 2", "the last record is cut off"),
        (f"[{line(1)},\n{line(2)}\n", "line 3", "the array is cut off"),
        (f"[{line(1)},\n" + line(2)[:-4], "line 2", "the last record is cut off"),
        (f"[{line(1)}]\n{line(2)}", "line 2", "more after the end of the array"),
        ('[{"a": nope}]', "line 1", "no further record begins"),
    ],
)
def test_a_file_that_is_none_says_where_and_why(text, at, reason):
    with pytest.raises(IndexUnreadable, match=reason) as refused:
        stage(text, NAME)
    assert refused.value.at == at


@pytest.mark.parametrize("form", ["{}\n{}\n", "[{},\n{}]"])
def test_a_line_of_50_megabytes_is_refused_before_it_is_in_memory(form):
    long = '{"customer_key": "' + "x" * 50_000_000 + '"}'
    with pytest.raises(IndexUnreadable, match="more than 1048576 characters") as refused:
        stage(form.format(line(1), long), NAME)
    assert refused.value.at == "line 2"


def test_the_limit_of_a_line_is_exact():
    text = line(1)
    assert ids(stage(text, NAME, **limits(line_chars=len(text)))) == ["D1"]
    with pytest.raises(IndexUnreadable, match="more than"):
        stage(text, NAME, **limits(line_chars=len(text) - 1))


def test_a_record_beyond_the_limits_is_rejected_alone():
    rows = [line(1), line(2, note="x" * 300_000), line(3, **{f"f{n}": "" for n in range(300)}), line(4)]
    found = stage("\n".join(rows), NAME)
    assert ids(found) == ["D1", "D4"]
    assert [r["reason"] for r in found.rejects] == ["longer than 262144 characters", "more than 256 fields"]
    assert len(found.rejects[0]["raw"]) == 4096


def test_bad_records_do_not_make_reading_slow(monkeypatch):
    looked_through = []

    class Error(json.JSONDecodeError):
        """The json module counts the lines before each error, from the beginning of its text."""

        def __init__(self, message, text, at):
            looked_through.append(at)
            super().__init__(message, text, at)

    monkeypatch.setattr(json.decoder, "JSONDecodeError", Error)
    text = "\n".join(['{"customer_key": }'] * 50_000)
    assert len(stage(text, NAME).rejects) == 50_000
    assert len(looked_through) >= 50_000
    assert max(looked_through) < 128 * 1024 < len(text) / 7
