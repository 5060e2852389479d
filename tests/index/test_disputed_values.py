"""Two names that mean one field and say different things: rejected in every form, and in events."""

import json

import pytest

from exstream_notify.adapters.index import RecordRefused, read_event
from tests.index import a_schema, stage

REASON = "given more than once, with different values"


def written(pairs, form):
    """One record of these pairs, and one without a dispute, in a form."""
    good = [("customer_key", "C9"), ("document_id", "D9"), ("document_type", "invoice")]
    if form in ("csv", "psv"):
        names = list(dict.fromkeys([name for name, _ in (*pairs, *good)]))
        separator = "," if form == "csv" else "|"
        rows = [names, *([dict(row).get(name, "") for name in names] for row in (pairs, good))]
        return "\n".join(separator.join(row) for row in rows), f"a.index.{form}"
    if form == "jsonl":
        return "\n".join(json.dumps(dict(row)) for row in (pairs, good)), "a.index.jsonl"
    if form == "xml":
        rows = ["".join(f"<{name}>{value}</{name}>" for name, value in row) for row in (pairs, good)]
        return "<rs>" + "".join(f"<r>{row}</r>" for row in rows) + "</rs>", "a.index.xml"
    rows = ["".join(f'<key name="{name}">{value}</key>' for name, value in row) for row in (pairs, good)]
    text = "".join(f"<customer>{row}</customer>" for row in rows)
    return f'<outputList customersProcessed="2">{text}</outputList>', "_STDDELIVERYFILE.xml"


BASE = [("customer_key", "C1"), ("document_id", "D1"), ("document_type", "invoice")]
DISPUTES = [
    ([("email", "a@example.com"), ("Email", "b@example.com")], "email"),
    ([("email", "a@example.com"), ("E-Mail", "b@example.com")], "email"),
    ([("CustomerEmail", "a@example.com"), ("EmailAddress", "b@example.com")], "email"),
    ([("CustomerId", "C2")], "customer_key"),
    ([("due_date", "2026-12-01"), ("DueDate", "2026-12-02")], "due_date"),
    ([("account_number", "A1"), ("AccountNumber", "A2")], "account_number"),
]


@pytest.mark.parametrize("form", ["csv", "psv", "jsonl", "xml", "native"])
@pytest.mark.parametrize(("pairs", "field"), DISPUTES)
def test_different_values_are_rejected_and_the_next_record_is_read(pairs, field, form):
    found = stage(*written([*BASE, *pairs], form))
    assert [(r["field"], r["reason"]) for r in found.rejects] == [(field, REASON)]
    assert [d["document_id"] for d in found.documents] == ["D9"]


@pytest.mark.parametrize("form", ["csv", "psv", "jsonl", "xml", "native"])
@pytest.mark.parametrize(
    "pairs",
    [
        [("email", "a@example.com"), ("Email", " a@example.com ")],
        [("email", ""), ("Email", "a@example.com")],
        [("email", "a@example.com"), ("CustomerEmail", "")],
        [("AccountNumber", "A1")],
        [("account_number", "A1"), ("AccountNumber", "A1")],
        [("account_number", "A1"), ("AccountNumber", "C1")],
        [("x", "1"), ("X", "2")],
    ],
)
def test_equal_and_empty_values_are_no_dispute(pairs, form):
    found = stage(*written([*BASE, *pairs], form))
    assert not found.rejects
    assert [d["document_id"] for d in found.documents] == ["D1", "D9"]
    if pairs[0][0] == "email":
        assert found.documents[0]["email"] == "a@example.com"


def test_teams_of_several_names_add_up():
    found = stage(*written([*BASE, ("internal_teams", "Legal"), ("NotifyTeams", "Credit Risk")], "csv"))
    assert found.documents[0]["internal_teams"] == ["legal", "credit-risk"]


def test_all_disputes_of_a_record_are_named():
    pairs = [*BASE, ("email", "a@example.com"), ("Email", "b@example.com"), ("CustomerId", "C7")]
    (reject,) = stage(*written(pairs, "jsonl")).rejects
    assert {reject["field"], reject["also"][0]["field"]} == {"email", "customer_key"}


@pytest.mark.parametrize(("pairs", "field"), DISPUTES)
def test_an_event_too(pairs, field):
    with pytest.raises(RecordRefused) as refused:
        read_event({"domain": "retail", **dict(BASE), **dict(pairs)}, a_schema())
    assert [(fault.field, fault.reason) for fault in refused.value.faults] == [(field, REASON)]
    native = {
        "expctr": {"schemaType": "Exstream-Generated"},
        "exstreamJob": {"domain": "retail", "status": "complete"},
        "user": {**dict(BASE), **dict(pairs)},
    }
    with pytest.raises(RecordRefused):
        read_event(native, a_schema())


# --- Windows-1252 under the name of Latin-1 ---

XML = '<?xml version="1.0" encoding="{}"?><rs>{}</rs>'
ROW = (
    "<r><customer_key>{0}</customer_key><document_type>invoice</document_type><last_name>{1}</last_name></r>"
)


@pytest.mark.parametrize("label", ["ISO-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252"])
def test_windows_bytes_are_read_and_a_name_with_an_undefined_one_is_left_out(label):
    rows = ROW.format("C1", "O\x92Brien") + ROW.format("C2", "\x8auker\x80") + ROW.format("C3", "a\x81b")
    found = stage(XML.format(label, rows + ROW.format("C4", "Zo\xeb")).encode("latin-1"), "a.index.xml")
    names = ["O\u2019Brien", "\u0160uker\u20ac", None, "Zo\xeb"]
    assert [d.get("last_name") for d in found.documents] == names
    (reason,) = found.tally.left_out
    assert reason.startswith("last_name: ")
    assert "Windows-1252" in reason


@pytest.mark.parametrize("setting", ["latin-1", "cp1252"])
@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_by_the_domain_s_setting_too(setting, byte):
    text = "customer_key,document_type,last_name\nC1,invoice,O\x92Brien\nC2,invoice,a" + chr(byte) + "\n"
    found = stage(text.encode("latin-1"), "a.index.csv", encoding=setting)
    assert [d.get("last_name") for d in found.documents] == ["O\u2019Brien", None]
    assert [reason.split(":")[0] for reason in found.tally.left_out] == ["last_name"]
