"""The same hard values through every index form, and through a single document's event."""

import json

import pytest

from bench.make_index import file_name
from exstream_notify.adapters.index.events import read_event
from tests.index import a_schema, stage
from tests.index.test_forms import WRITERS, written

BASE = {
    "customer_key": "V1", "document_id": "DV1", "document_type": "invoice", "first_name": "Ines",
    "last_name": "Null", "email": "v1@example.com", "mobile": "+12025550161", "language": "en",
    "time_zone": "America/New_York", "country": "US", "account_number": "8800112233", "reference_no": "R-1",
    "amount_due": "98.50", "currency": "USD", "due_date": "2027-02-10",
    "produced_at": "2027-01-20T10:00:00Z",
}  # fmt: skip
HARD = {
    "V2": ({"amount_due": "7.125"}, {"amount_due"}, {}),
    "V3": ({"amount_due": "7.125", "currency": "KWD"}, set(), {"amount_due": "7.125"}),
    "V4": ({"due_date": "2027-02-10T04:59:59Z"}, set(), {"due_date": "2027-02-09"}),
    "V5": ({"due_date": "9999-12-31"}, {"due_date"}, {}),
    "V6": ({"time_zone": "EST"}, {"time_zone"}, {}),
    "V7": ({"mobile": "\u202a+12025550167\u202c"}, set(), {"mobile": "+12025550167"}),
    "V8": ({"language": "klingon", "country": "Ruritania"}, {"language", "country"}, {}),
    "V9": ({"account_number": "1.00001E+11"}, {"account_number"}, {}),
    "V10": ({"amount_due": "98.50CR"}, set(), {"amount_due": "-98.50"}),
}
EMPTY = {"first_name": "NULL", "last_name": "null", "reference_no": "N/A", "amount_due": "\\N"}


def record(key: str) -> dict[str, str]:
    changes = HARD[key][0] if key in HARD else {}
    return {**BASE, "customer_key": key, "document_id": f"D{key}", **changes}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("packed", ["", "+utf-16", ".gz"])
def test_what_cannot_be_read_is_left_out_and_every_record_goes_on(writer, packed):
    rows = [{**BASE}, *map(record, HARD), {**BASE, "customer_key": "V11", "document_id": "DV11", **EMPTY}]
    rounded = {**BASE, "customer_key": "1.00001E+11", "document_id": "DV12"}
    found = stage(written([*rows, rounded], writer + packed), file_name(writer + packed))
    by_key = {document["customer_key"]: document for document in found.documents}
    assert len(by_key) == len(rows)
    assert [(r["field"], r["reason"][:7]) for r in found.rejects] == [("customer_key", "rounded")]
    left = 0
    for key, (changes, gone, kept) in HARD.items():
        document = by_key[key]
        assert not gone & set(document)
        assert {name: document[name] for name in kept} == kept
        assert set(BASE) - gone == set(document) - {"pos"}
        assert len(changes) > 0
        left += len(gone)
    assert not set(EMPTY) & set(by_key["V11"])
    assert by_key["V1"]["last_name"] == "Null"
    assert found.tally.left_out.total() == left


@pytest.mark.parametrize("key", HARD)
def test_a_single_document_means_the_same(key):
    _, gone, kept = HARD[key]
    left = []
    document = read_event({"domain": "retail", **record(key)}, a_schema(), left)
    assert {fault.field for fault in left} == gone
    assert not gone & set(document)
    assert {name: document[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("amount", "credit"),
    [
        ("-1.000", True),
        ("(1,000)", True),
        ("1.000-", True),
        ("1.000 CR", True),
        ("\u22121.000", True),
        ("-5.00 EUR", True),
        ("CR 1.000", True),
        ("1.000", False),
        ("1,000 DR", False),
        ("20.-", False),
        ("CRC 1.000", False),
        ("INV-5", False),
        ("-", False),
    ],
)
@pytest.mark.parametrize("form", ["a.index.psv", "a.index.jsonl"])
def test_a_credit_of_an_undecided_amount_stays_a_credit(amount, credit, form):
    record = {"customer_key": "C1", "document_id": "D1", "document_type": "invoice", "currency": "USD"}
    record["amount_due"] = amount
    text = "|".join(record) + "\n" + "|".join(record.values()) + "\n"
    if form.endswith("jsonl"):
        text = json.dumps(record) + "\n"
    (document,) = stage(text, form).documents
    assert "amount_due" not in document
    assert document.get("in_credit", False) is credit
