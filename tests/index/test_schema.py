"""One record into its one form, or out with all reasons."""

import pytest

from exstream_notify.adapters.index import RecordRefused
from exstream_notify.adapters.index.record import NEEDED
from exstream_notify.adapters.record_schemas import RecordSchemas, Site
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.records import RunFolder
from exstream_notify.domain.values import Manner
from tests.index import a_schema

BASE = {"customer_key": "C1", "document_type": "invoice", "document_id": "D1"}


def normalise(record, **options):
    return a_schema(**options).normalise(tuple(record), list(record.values()))


def refused(record, **options):
    with pytest.raises(RecordRefused) as caught:
        normalise(record, **options)
    return [(fault.field, fault.reason) for fault in caught.value.faults]


def test_a_record_keeps_only_what_has_a_value():
    record = {**BASE, "email": "", "mobile": "  ", "unknown": "x", "last_name": " Müller "}
    assert normalise(record) == {**BASE, "last_name": "Müller"}


def test_values_get_their_types():
    record = {
        **BASE,
        "customer_in_run": "17",
        "days_past_due": "-3",
        "internal_teams": "Legal;Credit Risk",
        "requires_ack": "Y",
        "test_flag": "0",
        "currency": "eur",
        "content_sha256": "AB" * 32,
        "due_date": "20261207",
        "amount_due": "1,204.50",
        "language": "EN_gb",
        "stage": "Final Demand",
    }
    found = normalise(record)
    assert found["customer_in_run"] == 17
    assert found["days_past_due"] == -3
    assert found["internal_teams"] == ["legal", "credit-risk"]
    assert (found["requires_ack"], found["test_flag"]) == (True, False)
    assert (found["currency"], found["content_sha256"]) == ("EUR", "ab" * 32)
    assert (found["due_date"], found["amount_due"], found["language"]) == ("2026-12-07", "1204.50", "en-GB")
    assert found["stage"] == "final-demand"


def test_json_values_mean_what_their_text_means():
    as_text = {**BASE, "customer_in_run": "17", "amount_due": "12.50", "requires_ack": "true"}
    as_json = {**BASE, "customer_in_run": 17, "amount_due": 12.5, "requires_ack": True, "email": None}
    assert normalise(as_json) == normalise(as_text)
    listed = {**BASE, "internal_teams": ["Legal", "Credit Risk", None]}
    assert normalise(listed)["internal_teams"] == ["legal", "credit-risk"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("customer_key", "", "missing"),
        ("customer_key", "x" * 129, "longer than 128 characters"),
        ("document_id", "x" * 257, "longer than 256 characters"),
        ("document_type", "leaflet", "no such type in the rules"),
        ("output_uri", "q/" + "x" * 1023, "longer than 1024 characters"),
        ("output_uri", "q/" + "ж" * 512, "longer than 1024 bytes"),
        ("archive_ref", "界" * 342, "longer than 1024 bytes"),
        ("first_name", "x" * 101, "longer than 100 characters"),
        ("first_name", "A\x07na", "holds a control character"),
        ("email", "x" * 321, "longer than 320 characters"),
        ("mobile", "1" * 41, "longer than 40 characters"),
        ("customer_in_run", "one", "not a whole number"),
        ("customer_in_run", "1.5", "not a whole number"),
        ("customer_in_run", "-1", "out of range"),
        ("customer_in_run", "9" * 5000, "not a whole number"),
        ("days_past_due", "40000", "out of range"),
        ("currency", "EURX", "not a currency code (ISO 4217)"),
        ("content_sha256", "ab" * 31 + "a", "not 64 hexadecimal digits"),
        ("content_sha256", "zz" * 32, "not 64 hexadecimal digits"),
        ("verify_last4", "123", "not four letters or digits"),
        ("due_date", "December", "not an ISO 8601 date"),
        ("verify_birth_date", "1850-01-01", "outside the years 1900 to 2199"),
        ("produced_at", "noon", "not an ISO 8601 date"),
        ("amount_due", "1,234", "the comma may mark thousands or decimals"),
        ("language", "klingon", "not a language tag (BCP 47)"),
        ("requires_ack", "perhaps", "neither yes nor no"),
        ("output_uri", "../D1.pdf", "leaves the run's folder"),
        ("email", ["a@example.com"], "a nested value or a number without a value"),
        ("email", {"work": "a@example.com"}, "a nested value or a number without a value"),
        ("internal_teams", ["a", ["b"]], "a nested value or a number without a value"),
        ("amount_due", float("nan"), "a nested value or a number without a value"),
        ("account_number", 10**40, "a nested value or a number without a value"),
    ],
)
def test_a_value_that_is_none_is_named_with_its_reason_and_never_repeated(field, value, reason):
    if field in NEEDED:
        assert refused({**BASE, field: value}) == [(field, reason)]
    else:
        left = []
        record = {**BASE, field: value}
        assert a_schema().normalise(tuple(record), list(record.values()), left) == BASE
        assert [(fault.field, fault.reason) for fault in left] == [(field, reason)]
    if isinstance(value, str) and len(value) > 3:
        assert value not in reason


def test_all_faults_of_a_record_are_told():
    record = {"customer_key": "", "due_date": "soon", "amount_due": "much"}
    assert sorted(field for field, _ in refused(record)) == [
        "amount_due",
        "customer_key",
        "document_type",
        "due_date",
    ]


def test_unknown_fields_may_hold_anything():
    assert normalise({**BASE, "x": "\x00", "y": {"deep": [1]}, "z": "x" * 10_000}) == BASE


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"document_type": "Utility_Bill"}, "utility-bill"),
        ({"document_type": "UTILITY BILL", "queue_name": "Email_Invoices"}, "utility-bill"),
        ({"queue_name": "Email_Invoices"}, "invoice"),
        ({"queue_name": "EMAIL INVOICES"}, "invoice"),
        ({"output_uri": "output/Email_Statements/D9.pdf"}, "statement"),
        ({"queue_name": "Email_Invoices", "output_uri": "output/Email_Statements/D9.pdf"}, "invoice"),
    ],
)
def test_the_type_is_the_records_own_or_its_queues(given, kind):
    assert normalise({"customer_key": "C1", **given})["document_type"] == kind


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "missing, and no queue tells it"),
        ({"queue_name": "Print"}, "missing, and no rule maps the queue to a type"),
        ({"output_uri": "output/Print/D1.pdf"}, "missing, and no rule maps the queue to a type"),
        ({"output_uri": "D1.pdf"}, "missing, and no queue tells it"),
        ({"document_type": "leaflet", "queue_name": "Email_Invoices"}, "no such type in the rules"),
    ],
)
def test_a_record_without_a_type_is_refused(given, reason):
    assert refused({"customer_key": "C1", **given}) == [("document_type", reason)]


def test_every_document_has_an_identity():
    base = {"customer_key": "C1", "document_type": "invoice"}
    assert normalise({**base, "output_uri": "output/q/D7.pdf"})["document_id"] == "D7"
    assert normalise({**base, "archive_ref": "A8"})["document_id"] == "A8"
    assert normalise({**base, "content_sha256": "AB" * 32})["document_id"] == "ab" * 32
    found = normalise({**base, "amount_due": "1.00", "customer_in_run": "1"})["document_id"]
    again = normalise({**base, "amount_due": "1.00", "customer_in_run": "9", "email": "a@example.com"})
    assert found == again["document_id"]
    assert found.startswith("record-")


def test_a_field_that_is_empty_leaves_its_place_to_an_alias():
    assert normalise({"CustomerId": "", "AccountNumber": "A1", "DocType": "invoice"})["customer_key"] == "A1"
    both = normalise({"CustomerId": "C1", "AccountNumber": "A1", "DocType": "invoice"})
    assert (both["customer_key"], both["account_number"]) == ("C1", "A1")


def test_a_name_given_twice_must_say_one_thing():
    schema = a_schema()
    names = ("customer_key", "document_type", "email", "email")
    assert (
        schema.normalise(names, ["C1", "invoice", "a@example.com", "a@example.com"])["email"]
        == "a@example.com"
    )
    assert schema.normalise(names, ["C1", "invoice", "", "a@example.com"])["email"] == "a@example.com"
    with pytest.raises(RecordRefused, match="email: given more than once"):
        schema.normalise(names, ["C1", "invoice", "a@example.com", "b@example.com"])
    teams = ("customer_key", "document_type", "internal_teams", "internal_teams")
    assert schema.normalise(teams, ["C1", "invoice", "a", "b"])["internal_teams"] == ["a", "b"]


def test_the_site_says_how_it_writes_dates():
    record = {**BASE, "due_date": "12/07/2026", "produced_at": "11/20/2026 04:12:09"}
    found = normalise(record, manner=Manner(dates="mdy"))
    assert (found["due_date"], found["produced_at"]) == ("2026-12-07", "2026-11-20T04:12:09Z")
    assert (
        normalise({**BASE, "due_date": "2026-12-07"}, manner=Manner(dates="dmy"))["due_date"] == "2026-12-07"
    )
    assert "due_date" not in normalise({**BASE, "due_date": "31.02.2026"}, manner=Manner(dates="dmy"))


def test_full_paths_are_read_for_their_own_run_only():
    path = "s3://drop/drop/retail/r1/output/Email_Invoices/D1.pdf"
    found = normalise({**BASE, "output_uri": path}, run=RunFolder("drop", "drop/retail/r1/"))
    assert found["output_uri"] == "output/Email_Invoices/D1.pdf"
    assert refused({**BASE, "output_uri": path}, run=RunFolder("drop", "drop/retail/r2/")) == [
        ("output_uri", "leaves the run's folder")
    ]


def test_addresses_are_not_judged_here():
    found = normalise({**BASE, "email": "not an address", "mobile": "call me"})
    assert (found["email"], found["mobile"]) == ("not an address", "call me")


def test_what_tells_documents_apart_is_needed_where_nothing_else_does():
    without = {"customer_key": "C1", "document_type": "invoice", "output_uri": "output/q/S.pdf"}
    assert refused({**without, "produced_at": "noon"}) == [("produced_at", "not an ISO 8601 date")]
    assert "produced_at" not in normalise({**BASE, "produced_at": "noon"})


def test_documents_that_differ_only_in_an_unreadable_value_are_two():
    base = {"customer_key": "C1", "document_type": "invoice"}
    ids = {normalise({**base, "amount_due": amount})["document_id"] for amount in ("7.125", "8.250")}
    assert len(ids) == 2


def test_dates_far_from_production_are_left_out():
    produced = {**BASE, "produced_at": "2026-11-23T10:00:00Z"}
    assert "due_date" not in normalise({**produced, "due_date": "2045-06-01"})
    assert normalise({**produced, "due_date": "2027-06-01"})["due_date"] == "2027-06-01"


def test_a_due_moment_is_the_day_of_the_customer():
    moment = {**BASE, "due_date": "2027-02-09T23:00:00Z"}
    assert normalise({**moment, "time_zone": "Europe/Berlin"})["due_date"] == "2027-02-10"
    assert normalise({**moment, "country": "Germany", "time_zone": "CEST"})["due_date"] == "2027-02-10"
    assert normalise({**moment, "time_zone": "America/New_York"})["due_date"] == "2027-02-09"
    assert normalise(moment, manner=Manner(zone="Asia/Tokyo"))["due_date"] == "2027-02-10"


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({}, "2027-02-09"),  # the site's zone is New York's
        ({"mobile": "+12135550100", "country": "US"}, "2027-02-08"),
        ({"mobile": "+12135550100"}, "2027-02-08"),
        ({"mobile": "+12135550100", "country": "Neverland"}, "2027-02-08"),
        ({"mobile": "+12135550100", "time_zone": "America/New_York"}, "2027-02-09"),
        ({"mobile": "(213) 555-0100"}, "2027-02-08"),  # a number of the site's country
    ],
)
def test_a_due_moment_is_the_day_of_the_zone_or_of_the_number(fields, day):
    record = {**BASE, **fields, "due_date": "2027-02-09T06:00:00Z"}
    schema = RecordSchemas(YamlRules(), None, Site()).of(None)
    found = schema.normalise(tuple(record), list(record.values()))
    assert found["due_date"] == day


def test_words_for_no_value_are_no_values():
    record = {**BASE, "first_name": "NULL", "last_name": "null", "email": "N/A", "reference_no": "\\N",
              "country": "NA", "language": "NULL", "amount_due": "-"}  # fmt: skip
    assert normalise(record) == {**BASE, "country": "NA"}
    assert refused({**BASE, "customer_key": "NULL"}) == [("customer_key", "missing")]
