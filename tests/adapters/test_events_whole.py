"""Every field of what an event from outside becomes, both sides of each bound, and each reason of a refusal."""

import json
from datetime import date
from typing import Any

import pytest

from exstream_notify.adapters.account_statuses import status_change_of
from exstream_notify.adapters.addresses import Addresses
from exstream_notify.adapters.alert_triggers import exceptions_of, file_of, look_of, reported_of
from exstream_notify.adapters.calendars import is_day_off, known_place
from exstream_notify.adapters.countries import country_code, known_country
from exstream_notify.adapters.customer_events import portal_change_of, reply_of
from exstream_notify.adapters.drop_names import refusal
from exstream_notify.adapters.encryption import EvidenceUnreadable, Sealer
from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.job_events import job_parts, run_names
from exstream_notify.adapters.json_text import repeated_name, unique_names
from exstream_notify.adapters.part_keys import in_parts
from exstream_notify.adapters.responses import response_of
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.run_events import news_of, said_at, told_by
from exstream_notify.adapters.settings import Settings, provider_choice
from exstream_notify.adapters.states import StepFunctions
from exstream_notify.adapters.triggers import (
    as_exception,
    document_of,
    event_body,
    key_of,
    refuse_repeated,
    run_of,
    shown,
)
from exstream_notify.adapters.zones import country_zones, known_zones, likely_zones, time_zone, usable_zone
from exstream_notify.domain.channels import AlertReceipt
from exstream_notify.domain.debt import StatusChange
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead, Unusable, mark
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.journeys import Cohort
from exstream_notify.domain.masking import WITHHELD
from exstream_notify.domain.preferences import PortalChange, Topic
from exstream_notify.domain.responses import ResponseEvent
from exstream_notify.domain.runs import RunNews
from exstream_notify.domain.values import ValueRefused

KNOWN = YamlRules().vocabulary
SCHEMA = RecordSchema({"statement": "statement"})
TOPICS = (Topic("news", "marketing", ("email", "sms")),)


def unusable(call: Any, *given: Any) -> tuple[str, str, str]:
    with pytest.raises(Unusable) as refused:
        call(*given)
    error = refused.value
    return error.code, error.place, error.reason


# --- replies and portals --------------------------------------------------------------------------------

REPLY = {
    "originationNumber": "+12025550100",
    "destinationNumber": "+12065550199",
    "messageBody": "STOP",
    "inboundMessageId": "in-1",
    "previousPublishedMessageId": "out-1",
}


def test_a_reply_whole() -> None:
    assert reply_of(REPLY) == Reply("in-1", "+12025550100", "STOP", "+12065550199", "out-1", "")
    envelope = {"Message": json.dumps(REPLY), "MessageId": "sns-1", "Timestamp": "2026-11-20T15:00:00.123Z"}
    assert reply_of(envelope) == Reply(
        "in-1", "+12025550100", "STOP", "+12065550199", "out-1", "2026-11-20T15:00:00.123+00:00"
    )
    bare = {"Message": json.dumps({"originationNumber": "1"}), "MessageId": "sns-1"}
    assert reply_of(bare) == Reply("sns-1", "1", "", "", "", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"Message": "no JSON"}, "no SMS reply as the service describes it"),
        ({"Message": "[]"}, "no SMS reply as the service describes it"),
        ({}, "no SMS reply as the service describes it"),
        ({**REPLY, "originationNumber": ""}, "no SMS reply as the service describes it"),
        ({**REPLY, "originationNumber": "1" * 33}, "no SMS reply as the service describes it"),
        ({**REPLY, "destinationNumber": "1" * 33}, "no SMS reply as the service describes it"),
        ({**REPLY, "messageBody": "x" * 10_001}, "no SMS reply as the service describes it"),
        ({**REPLY, "inboundMessageId": "x" * 129}, "no SMS reply as the service describes it"),
        ({**REPLY, "previousPublishedMessageId": "x" * 129}, "no SMS reply as the service describes it"),
        ({**REPLY, "inboundMessageId": ""}, "a reply without an id"),
    ],
)
def test_a_reply_that_is_none(body: dict[str, Any], reason: str) -> None:
    assert unusable(reply_of, body) == ("reply_unusable", "reply queue", reason)
    most = {
        **REPLY,
        "originationNumber": "1" * 32,
        "messageBody": "x" * 10_000,
        "inboundMessageId": "x" * 128,
    }
    assert len(reply_of(most).text) == 10_000


DETAIL = {
    "domain": "retail",
    "customer_key": " C1 ",
    "recipient": "R1",
    "language": "English",
    "channel_order": ["sms", "email"],
    "opt_outs": {"news": ["sms", "email"], "*": []},
    "quiet_hours": ["09:00", "20:30"],
    "paper_required": False,
    "consent": {"given": True, "version": "v2"},
    "email": "a@example.com",
    "mobile": "+12025550100",
    "verified": True,
    "at": "2026-11-20T15:00:00+01:00",
}


def portal(**changes: Any) -> dict[str, Any]:
    detail = {name: value for name, value in {**DETAIL, **changes}.items() if value != "absent"}
    return {"id": "e-1", "time": "2026-11-20T16:00:00Z", "detail": detail}


def test_a_change_of_preferences_whole() -> None:
    assert portal_change_of(portal(), TOPICS) == PortalChange(
        "e-1",
        "retail",
        "C1",
        "en",
        ("sms", "email"),
        {"news": ("email", "sms"), "*": ()},
        ("09:00", "20:30"),
        False,
        True,
        "v2",
        "a@example.com",
        "+12025550100",
        True,
        "R1",
        "2026-11-20T14:00:00+00:00",
    )
    little = {"id": "e-1", "detail": {"domain": "retail", "customer_key": "C1"}}
    assert portal_change_of(little, TOPICS) == PortalChange("e-1", "retail", "C1")
    assert portal_change_of(portal(quiet_hours=[]), TOPICS).quiet_hours == ()
    assert portal_change_of(portal(language="NULL"), TOPICS).language is None
    assert portal_change_of(portal(at="absent"), TOPICS).at == "2026-11-20T16:00:00+00:00"
    assert portal_change_of(portal(consent="absent"), TOPICS).consent is None
    bare = portal_change_of(portal(consent={"given": False}), TOPICS)
    assert (bare.consent, bare.consent_version) == (False, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"domain": "no domain!"}, "domain: "),
        ({"customer_key": "NULL"}, "customer_key: Value error, missing"),
        ({"customer_key": "C" * 129}, "customer_key: "),
        ({"recipient": "R" * 129}, "recipient: "),
        ({"language": "klingonese"}, "language: Value error, not a language tag (BCP 47)"),
        ({"language": "x" * 36}, "language: "),
        ({"channel_order": ["fax"]}, "channel_order: "),
        ({"opt_outs": {"other": ["sms"]}}, "opt_outs: 1 topics are not known"),
        ({"opt_outs": {"news": ["fax"]}}, "opt_outs: "),
        (
            {"quiet_hours": ["20:00", "20:00"]},
            "quiet_hours: Value error, the first time is before the second",
        ),
        (
            {"quiet_hours": ["21:00", "20:00"]},
            "quiet_hours: Value error, the first time is before the second",
        ),
        ({"quiet_hours": ["21:00"]}, "quiet_hours: "),
        ({"consent": {"given": True, "version": "v" * 65}}, "consent: "),
        ({"consent": {"given": True, "more": 1}}, "consent: "),
        ({"email": "a" * 321}, "email: "),
        ({"mobile": "1" * 41}, "mobile: "),
        ({"unknown": 1}, "unknown: "),
        ({"at": "2026-11-20T15:00:00"}, "at: "),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at: Value error, no time of this world"),
    ],
)
def test_a_change_of_preferences_that_cannot_be_used(changes: dict[str, Any], reason: str) -> None:
    code, place, found = unusable(portal_change_of, portal(**changes), TOPICS)
    assert (code, place) == ("preferences_unusable", "event e-1")
    assert found.startswith(reason)
    assert found == reason or reason.endswith(": ")


def test_an_event_of_a_portal_has_an_id_and_a_detail() -> None:
    assert unusable(portal_change_of, {**portal(), "id": ""}, TOPICS)[2] == "an event without an id"
    _, place, reason = unusable(portal_change_of, {"id": "e" * 70, "detail": None}, TOPICS)
    assert (place, reason.partition(":")[0]) == ("event " + "e" * 64, "detail")
    longest = portal(customer_key="C" * 128, recipient="R" * 128, email="a" * 320, mobile="1" * 40)
    assert portal_change_of(longest, TOPICS).email == "a" * 320


# --- responses and account statuses ---------------------------------------------------------------------

IDS = {"domain": "retail", "customer_key": "C1", "recipient": "R1", "document_id": "D1", "case_id": "K1"}


def told(kind: str, **detail: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "crm",
        "time": "2026-11-20T16:00:00Z",
        "detail-type": kind,
        "detail": {**IDS, **detail},
    }


def test_a_response_whole() -> None:
    base = {**IDS, "source": "crm", "event_id": "e-1"}
    assert response_of(told("Customer Responded", response="yes", responded_at="t1", at="t2"), SCHEMA) == (
        ResponseEvent("responded", **base, at="t1", said="yes")
    )
    acknowledged = told(
        "Document Acknowledged",
        version="1",
        document_version=" 1 ",
        content_sha256="abc",
        statement="I did",
        acknowledged_by="ann",
    )
    assert response_of(acknowledged, SCHEMA) == ResponseEvent(
        "acknowledged",
        **base,
        at="2026-11-20T16:00:00Z",
        by="ann",
        said="1 I did",
        versions=("1", "abc"),
    )
    paid = told("Payment Received", amount="1,234.50 usd", payment_id="p1", received_at="t")
    assert response_of(paid, SCHEMA) == ResponseEvent(
        "paid", **base, at="t", said="1,234.50 usd", amount="1234.50", currency="USD", payment_id="p1"
    )
    unsaid = response_of(told("Payment Received", amount="N/A", payment_id="p1"), SCHEMA)
    assert (unsaid.amount, unsaid.currency, unsaid.payment_id) == ("", "", "p1")
    reversed_ = told("Payment Reversed", amount=5, currency=" EUR ", reversed_at="t")
    found = response_of(reversed_, SCHEMA)
    assert (found.kind, found.amount, found.currency, found.reversal_of) == ("paid", "-5", "EUR", "")
    native = {
        "id": "e-1",
        "source": "exstream",
        "detail-type": "Exstream-Email-OPEN",
        "detail": {
            "user": {"CustomerId": "C1"},
            "exstreamJob": {"domain": "cards", "communicationId": "COM-2"},
            "exstreamEmailStatistics": {"domain": "retail", "communicationId": "COM-1", "creationTime": "t"},
        },
    }
    assert response_of(native, SCHEMA) == ResponseEvent(
        "opened", "retail", "C1", "COM-1", at="t", source="exstream", event_id="e-1"
    )
    del native["detail"]["exstreamEmailStatistics"]  # type: ignore[attr-defined]
    other = response_of(native, SCHEMA)
    assert (other.domain, other.document_id, other.at) == ("cards", "COM-2", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "e-1", "detail-type": "Something", "detail": IDS}, "not the event of a response"),
        ({"id": "e-1", "detail-type": "Payment Received", "detail": []}, "not the event of a response"),
        (told("Payment Received", domain="no domain!"), "domain: "),
        (told("Payment Received", customer_key="C" * 129), "customer_key: "),
        (told("Payment Received", document_id="D" * 257), "document_id: "),
        (told("Payment Received", case_id="K" * 65), "case_id: "),
        (told("Payment Received", amount="lots"), "amount: "),
        (told("Payment Received", amount="1", currency="dollars"), "currency: "),
        (told("Payment Received", payment_id="p" * 257), "payment_id: "),
        (told("Document Acknowledged", acknowledged_by="a" * 129), "by: "),
        (told("Customer Responded", at="t" * 41), "at: "),
        (
            told("Customer Responded", customer_key="", document_id="NULL", case_id=None),
            "no customer_key, document_id or case_id",
        ),
        (told("Payment Reversed"), "neither the payment that is reversed nor an amount"),
    ],
)
def test_a_response_that_cannot_be_used(body: dict[str, Any], reason: str) -> None:
    code, place, found = unusable(response_of, body, SCHEMA)
    assert (code, place) == ("event_unusable", "event e-1")
    assert found.startswith(reason)
    assert found == reason or reason.endswith(": ")


def test_long_texts_of_a_response_are_cut() -> None:
    body = told("Customer Responded", response="r" * 201) | {"id": "e" * 257, "source": "s" * 65}
    found = response_of(body, SCHEMA)
    assert (found.said, found.event_id, found.source) == ("r" * 200, "e" * 256, "s" * 64)
    versions = response_of(told("Document Acknowledged", version="v" * 129), SCHEMA).versions
    assert versions == ("v" * 128,)


@pytest.mark.parametrize(
    "none", ["null", "None", "NIL", "n/a", "NA", "unknown", "undefined", "\\n", "0", "00-0", "", None]
)
def test_an_id_that_all_payments_have_is_none(none: Any) -> None:
    body = told("Payment Received", amount="1", payment_id=none, transaction_id="t1")
    assert response_of(body, SCHEMA).payment_id == "t1"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(
            (name, "payment_id")
            for name in ("paymentId", "Payment_Reference", "payment-ref", "transaction id")
        ),
        ("transactionReference", "payment_id"),
        *(
            (name, "reversal_of")
            for name in ("reversalOf", "reverses", "reversedPaymentId", "original_payment_id")
        ),
    ],
)
def test_the_names_of_a_payments_identities(name: str, field: str) -> None:
    found = response_of(told("Payment Received", amount="1", **{name: "x1"}), SCHEMA)
    assert {"payment_id": found.payment_id, "reversal_of": found.reversal_of} == {
        "payment_id": "",
        "reversal_of": "",
        field: "x1",
    }


@pytest.mark.parametrize("name", ["reversalId", "reversal_reference"])
def test_a_reversal_has_an_identity_of_its_own(name: str) -> None:
    found = response_of(told("Payment Reversed", payment_id="p1", **{name: "r1"}), SCHEMA)
    assert (found.payment_id, found.reversal_of) == ("r1", "p1")
    both = response_of(told("Payment Reversed", payment_id="p2", reversal_of="p1"), SCHEMA)
    assert (both.payment_id, both.reversal_of) == ("p2", "p1")
    same = response_of(told("Payment Reversed", payment_id="p1", reversal_of="p1"), SCHEMA)
    assert (same.payment_id, same.reversal_of) == ("", "p1")


def test_an_account_status_whole() -> None:
    ids = {name: value for name, value in IDS.items() if name != "recipient"}
    changed = told("Account Status Changed", account_status=" In Dispute ", changed_at="t1", at="t2")
    assert status_change_of(changed) == StatusChange(
        **ids, status="In Dispute", said="", at="t1", who="event e-1"
    )
    beside = told("Payment Received", AccountStatus="paid")
    assert status_change_of(beside) == StatusChange(
        **ids, status="paid", said="", at="2026-11-20T16:00:00Z", who="event e-1"
    )
    spoken = told("Customer Responded", response="r" * 2001) | {"id": ""}
    found = status_change_of(spoken)
    assert found is not None
    assert (found.said, found.who, found.status) == ("r" * 2000, "event of crm", "")
    long = status_change_of(changed | {"id": "e" * 300})
    assert long is not None
    assert long.who == "event " + "e" * 256
    assert status_change_of(told("Payment Received", response="words")) is None
    assert status_change_of(told("Customer Responded", account_status="NULL")) is None
    assert status_change_of({"id": "e-1", "detail": "x"}) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (told("Account Status Changed"), "no account_status"),
        (told("Account Status Changed", account_status="s" * 201), "status: "),
        (told("Account Status Changed", account_status="x", domain=""), "domain: "),
        (
            told("Account Status Changed", account_status="x", customer_key="", document_id="", case_id=""),
            "no customer_key, document_id or case_id",
        ),
    ],
)
def test_an_account_status_that_cannot_be_used(body: dict[str, Any], reason: str) -> None:
    code, place, found = unusable(status_change_of, body)
    assert (code, place, found.startswith(reason)) == ("event_unusable", "event e-1", True)


# --- exceptions and runs --------------------------------------------------------------------------------


def test_a_composers_event_whole() -> None:
    body = {
        "id": "e-1",
        "source": "exstream",
        "detail-type": "Compliance Exception",
        "detail": {
            "domain": "retail",
            "run_id": "r-1",
            "severity": "Critical",
            "rule": "EX000001S",
            "message": "words",
            "queue_name": "Hold",
            "document_type": "statement",
            "count": 3,
            "customers_in_run": "x",
            "customer_in_run": 7,
        },
    }
    (found,) = exceptions_of(body, KNOWN)
    assert (found.code, found.severity, found.domain, found.run_id) == (
        "compliance_exception",
        "severe",
        "retail",
        "r-1",
    )
    assert (found.part, found.count, found.customers) == ("event e-1", 3, "7")
    assert found.samples


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("info", "info"),
        ("WARN", "warning"),
        (" warning ", "warning"),
        ("error", "error"),
        ("fatal", "severe"),
        ("critical", "severe"),
        ("severe", "severe"),
        ("loud", "error"),
        (None, "error"),
    ],
)
def test_how_severe_an_event_is(said: str | None, severity: str) -> None:
    body = {"id": "1", "source": "exstream", "detail-type": "Missing Data", "detail": {"severity": said}}
    assert exceptions_of(body, KNOWN)[0].severity == severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("EX123456S gone", "severe"),
        (" EX123456E", "info"),
        ("EX12345S", "info"),
        ("see EX123456S", "info"),
        ("EX123456Sx", "info"),
    ],
)
def test_an_event_is_no_less_severe_than_the_engines_code(text: str, severity: str) -> None:
    body = {
        "id": "1",
        "source": "exstream",
        "detail-type": "Missing Data",
        "detail": {"severity": "info", "text": text},
    }
    expected = "error" if text.strip() == "EX123456E" else severity
    assert exceptions_of(body, KNOWN)[0].severity == expected


@pytest.mark.parametrize(
    ("count", "kept"), [(0, 1), (1, 1), (999_999_999, 999_999_999), (10**9, 1), ("5", 1), (-2, 1)]
)
def test_how_many_an_event_is_about(count: Any, kept: int) -> None:
    body = {"id": "1", "source": "exstream", "detail-type": "Missing Data", "detail": {"count": count}}
    assert exceptions_of(body, KNOWN)[0].count == kept


def test_looks_reports_and_news() -> None:
    assert look_of({"look": {"kind": "incident", "name": "i1"}}) == ("incident", "i1")
    assert look_of({"detail": 1}) is None
    receipt = AlertReceipt("i", 1, "email", "it", "dead", False, "w")
    detail = {
        "incident_id": "i",
        "number": 1,
        "channel": "email",
        "team": "it",
        "outcome": "dead",
        "reached": False,
        "why": "w",
    }
    assert reported_of({"detail-type": "Alert Reported", "detail": detail}) == receipt
    assert reported_of({"detail-type": "Another", "detail": detail}) is None
    at = {"time": "2026-11-20T16:00:00.5+01:00"}
    assert said_at(at) == "2026-11-20T15:00:00+00:00"
    assert said_at({"time": "soon"}) == said_at({}) == said_at({"time": None}) == ""
    run = {"domain": "retail", "run_id": "r-1"}
    assert news_of({**at, "detail-type": "Run Arrived", "detail": run}) == RunNews(
        "arrived", "retail", "r-1", "2026-11-20T15:00:00+00:00"
    )
    assert news_of({"detail-type": "Run Dispatched", "detail": run}) == RunNews("dispatched", "retail", "r-1")
    assert news_of({"look": {"kind": "cover", "name": "retail/r-1/2"}}) == RunNews(
        "again", "retail", "r-1", tried=2
    )
    assert news_of({"look": {"kind": "other", "name": "x"}}) is None
    read = {"domain": "retail", "run_id": "r-1", "file": "a.dat", "reported": ["x"], "said_at": "t"}
    assert news_of({"detail-type": "File Read", "detail": read}) == FileRead(
        "retail", "r-1", "a.dat", ("x",), "t"
    )
    raised = ExceptionRaised("EX1", "error", "retail", "r-1", "text")
    body = {**at, "detail-type": "Exception Raised", "source": "exnotify", "detail": raised.to_detail()}
    assert told_by(body, KNOWN)[0].said_at == "2026-11-20T15:00:00+00:00"
    body["detail"] = {**raised.to_detail(), "said_at": "t0"}
    assert told_by(body, KNOWN)[0].said_at == "t0"


def made(key: str) -> dict[str, Any]:
    return {"detail": {"object": {"key": key}}}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("drop/retail/r-1/a.dat", ("retail", "r-1", "a.dat")),
        ("drop/retail/r-1/log/messages.dat", ("retail", "r-1", "log/messages.dat")),
        ("drop/retail/r-1/out/D1.pdf", None),
        ("drop/retail/r-1/", None),
    ],
)
def test_which_files_are_read_for_messages(key: str, found: Any) -> None:
    assert file_of(made(key), lambda name: name.endswith(".dat")) == found


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("drop/retail/r-1/sub/x.index.csv", "x.index.csv is not in drop/<domain>/<run_id>/"),
        ("other/retail/r-1/a.dat", "a.dat is not in drop/<domain>/<run_id>/"),
        ("drop/retail/a.dat", "a.dat is not in drop/<domain>/<run_id>/"),
    ],
)
def test_a_file_in_the_wrong_place_is_told(key: str, reason: str) -> None:
    code, _, found = unusable(file_of, made(key), lambda name: True)
    assert (code, found) == ("drop_misplaced", reason)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"stage": {"domain": "retail", "run_id": "r-1"}}, ("retail", "r-1", "again")),
        (
            {"stage": {"domain": "retail", "run_id": "r-1", "trigger": "digests"}},
            ("retail", "r-1", "digests"),
        ),
        (made("drop/retail/r-1/_COMPLETE.json"), ("retail", "r-1", "seal")),
        (made("drop/retail/r-1/_STDDELIVERYFILE.xml"), ("retail", "r-1", "manifest")),
        (made("drop/retail/r-1/_STDDELIVERYFILE.xml.gz"), ("retail", "r-1", "manifest")),
        (made("drop/retail/r-1/x_STDDELIVERYFILE.xml"), ("retail", "r-1", "index")),
        (made("drop/retail/r-1/a.index.csv"), ("retail", "r-1", "index")),
        (made("drop/retail/r-1/D1.pdf"), None),
    ],
)
def test_what_starts_a_run(body: dict[str, Any], found: Any) -> None:
    assert run_of(body) == found


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (
            made("drop/retail/r-1/_complete.JSON"),
            "drop_misplaced",
            "a seal is named _COMPLETE.json, in these letters",
        ),
        (
            made("drop/retail/r-1/_stddeliveryfile.xml"),
            "drop_misplaced",
            "a manifest is named _STDDELIVERYFILE.xml, in these letters",
        ),
        (
            made("drop/retail/-r/a.index.csv"),
            "name_unusable",
            "run_id: letters, digits, '.', '_', '=' and '-', at most 128, the first a letter or digit",
        ),
        (
            {"stage": {"domain": "d" * 129, "run_id": "r"}},
            "name_unusable",
            "domain: letters, digits, '.', '_', '=' and '-', at most 128, the first a letter or digit",
        ),
    ],
)
def test_a_start_that_cannot_be_used(body: dict[str, Any], code: str, reason: str) -> None:
    found = unusable(run_of, body)
    assert (found[0], found[2]) == (code, reason)
    raised = as_exception(Unusable("c", "p" * 300, "why", ("n",)))
    assert (raised.code, raised.severity, raised.domain, raised.run_id, raised.part, raised.names) == (
        *("c", "error", "unknown", "none", "p" * 200, ("n",)),
    )


def test_a_key_is_shown_readably() -> None:
    assert shown("drop/a") == "drop/a"
    assert shown("x" * 160) == "x" * 160
    assert shown("x" * 161).startswith("x" * 160 + "…#")
    assert len(shown("x" * 161)) == 160 + 2 + 8
    assert shown("a\nb").startswith("a\ufffdb…#")
    assert shown("a\nb") != shown("a\rb")


def test_keys_and_names_that_stand_twice() -> None:
    assert (key_of(" C1 "), key_of("NULL"), key_of("")) == ("C1", "", "")
    with pytest.raises(ValueError, match="round"):
        key_of("1.23457E+11")
    assert event_body('{"a": {"b": 1, "b": 2}, "c": 3}') == {"a": {"b": 2}, "c": 3, "repeated": "b"}
    assert event_body('{"a": 1}') == {"a": 1}
    found = unusable(refuse_repeated, {"repeated": "b"}, "code", "place")
    assert found == ("code", "place", "the name 'b' stands twice in an object")
    refuse_repeated({}, "code", "place")
    assert repeated_name([("a", 1), ("b", 2), ("a", 3)]) == "a"
    with pytest.raises(ValueError, match="no name stands twice"):
        repeated_name([("a", 1)])
    assert unique_names([("a", 1)]) == {"a": 1}
    with pytest.raises(ValueError, match="the name 'a' stands twice in an object"):
        unique_names([("a", 1), ("a", 1)])
    assert document_of({"id": "e", "detail": {"domain": "d", "exstreamJob": {"domain": "x"}}})[:2] == (
        "e",
        "d",
    )
    assert document_of({"id": "e", "detail": {"exstreamJob": {"domain": "x"}}})[:2] == ("e", "x")
    assert (in_parts("parts/a"), in_parts("a"), in_parts("parts/parts/a")) == (
        "parts/a",
        "parts/a",
        "parts/parts/a",
    )


def test_jobs_are_found_from_the_outside_in() -> None:
    detail = {
        "status": " Error ",
        "user": {"status": "x"},
        "messages": [{"status": "x"}],
        "steps": [{"status": "failed", "inner": {"status": "complete"}}],
        "flow": {"status": "started"},
    }
    assert [(part.kind, part.status) for part in job_parts(detail)] == [
        *(("job", "error"), ("step", "failed"), ("step", "complete"), ("job", "started")),
    ]
    deep: Any = {"status": "error"}
    for _ in range(8):
        deep = {"x": deep}
    assert len(job_parts(deep)) == 1
    assert job_parts({"x": deep}) == []
    assert len(job_parts([{"status": "error"}] * 2001)) == 2000
    names = list(run_names({"jobId": 7, "flow": {"externalId": "x"}}, []))
    assert [name for name in names if name] == ["x", "7"], "the site's own key first"


def test_the_failures_of_a_job_whole() -> None:
    detail = {
        "domain": "retail",
        "run_id": "r-1",
        "status": "error",
        "message": "EX000001E (1) no field (customer 7)",
        "steps": [
            {
                "status": "failed",
                "stepName": "compose",
                "messages": ["EX000001E (1) no field (customer 7)"],
            },
            {"status": "cancelled", "name": "print"},
            {"status": "failed", "stepName": "compose"},
            {"status": "complete", "stepName": "archive"},
        ],
    }
    body = {"id": "e-1", "source": "exstream", "detail-type": "Job Ended", "detail": detail}
    found = exceptions_of(body, KNOWN)
    assert [(e.code, e.severity, e.domain, e.run_id, e.part) for e in found] == [
        ("EX000001E", "error", "retail", "r-1", "job"),
        ("step_failed", "error", "retail", "r-1", "step compose"),
        ("EX000001E", "error", "retail", "r-1", "step compose"),
        ("step_canceled", "error", "retail", "r-1", "step print"),
        ("step_failed", "error", "retail", "r-1", "step compose 2"),
    ]
    job, failed, said, cancelled, again = found
    assert job.content == said.content, "a job and its step may say the same"
    assert job.content.partition("/")[0] == mark("job")
    assert (job.text, said.text) == (
        "EX000001E in the messages of the job",
        "EX000001E in the messages of the step compose",
    )
    assert (failed.samples, cancelled.samples, again.samples) == ((), (), ())
    assert not failed.content
    alone = {
        **body,
        "detail": {"domain": "retail", "run_id": "r-1", "status": "Error", "message": "words of Ann"},
    }
    (only,) = exceptions_of(alone, KNOWN)
    assert (only.code, only.part, only.samples, only.text) == ("job_failed", "job", (WITHHELD,), "job failed")


# --- places ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(
            ("US", "US"),
            ("us", "US"),
            ("usa", "US"),
            ("840", "US"),
            ("U.S.A.", "US"),
            ("UK", "GB"),
            ("EL", "GR"),
        ),
        *(("Germany", "DE"), ("Alemania", "DE"), ("Allemagne", "DE"), ("Deutschland", "DE"), (" de ", "DE")),
        ("nowhere", "NOWHERE"),
    ],
)
def test_a_country_however_it_is_written(written: str, code: str) -> None:
    assert country_code(written) == code


def test_a_country_is_one_of_the_list() -> None:
    assert (known_country("XK"), known_country("Kosovo")) == ("XK", "XK")
    for unknown in ("XX", "nowhere", ""):
        with pytest.raises(ValueRefused, match="not a code"):
            known_country(unknown)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("Eastern Standard Time", "America/New_York"),
    ],
)
def test_a_zone_however_it_is_written(written: str, zone: str) -> None:
    assert time_zone(written) == usable_zone(written) == zone


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("UTC", "a fixed offset, not a time zone in which somebody lives"),
        ("+05:00", "a fixed offset, not a time zone in which somebody lives"),
        ("Mars", "not a zone of the tz database, such as America/Chicago"),
    ],
)
def test_a_zone_in_which_nobody_lives(written: str, why: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        time_zone(written)
    assert str(refused.value) == why
    assert usable_zone(written) is None


def test_where_a_customer_may_be() -> None:
    asked: list[int] = []

    def number(*zones: str) -> Any:
        return lambda: asked.append(1) or zones

    assert usable_zone(None) is usable_zone("") is None
    assert "UTC" not in known_zones()
    assert country_zones()["DE"] == ("Europe/Berlin",) or "Europe/Berlin" in country_zones()["DE"]
    assert likely_zones("Europe/Berlin", "US", number("x")) == ("Europe/Berlin",)
    assert likely_zones(None, "fr", number("x")) == ("Europe/Paris",)
    assert asked == [], "a number is looked up only where it is needed"
    assert likely_zones("UTC", "US", number("America/Chicago", "Europe/Paris")) == ("America/Chicago",)
    assert likely_zones(None, "US", number("Europe/Paris")) == country_zones()["US"]
    assert likely_zones(None, "XX", number("Europe/Paris")) == ("Europe/Paris",)
    assert likely_zones(None, None, number()) == ()


def test_days_off_by_place() -> None:
    assert (known_place(" de-by "), known_place("DE-XX"), known_place("us"), known_place("XX")) == (
        "DE-BY",
        "DE",
        "US",
        "",
    )
    friday, saturday, sunday = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)
    assert [is_day_off("", day) for day in (friday, saturday, sunday)] == [False, True, True]
    assert [is_day_off("XX", day) for day in (friday, saturday, sunday)] == [False, True, True]
    assert [is_day_off("SA", day) for day in (friday, saturday, sunday)] == [True, True, False]
    assert is_day_off("US", date(2026, 11, 26))
    assert not is_day_off("US", date(2026, 11, 26), removed=[date(2026, 11, 26)])
    assert is_day_off("US", friday, added=[friday], removed=[friday])
    epiphany = date(2026, 1, 6)
    assert (is_day_off("DE-BY", epiphany), is_day_off("DE-BE", epiphany)) == (True, False)


@pytest.mark.parametrize(
    ("raw", "value", "why"),
    [
        ("+12025550142", "+12025550142", ""),
        ("202-555-0142 x12", "202-555-0142 x12", "an extension, or more than one number"),
        ("+18005550142", "+18005550142", "a toll-free number"),
        ("+4930123456", "+4930123456", "a fixed line"),
        ("+1202555", "+1202555", "no number of its region"),
        ("words", "words", None),
    ],
)
def test_a_number_whole(raw: str, value: str, why: str | None) -> None:
    found = Addresses().check("sms", raw, None)
    assert (found.value, found.given) == (value, raw)
    assert (found.why == why) if why is not None else bool(found.why)
    assert found.status == ("invalid" if found.why else "ok")
    assert bool(found.zones) is (not found.why)
    assert Addresses().zones_of_number(raw, None) == found.zones


def test_a_number_is_read_in_its_country() -> None:
    assert Addresses().check("sms", "0171 1234567", "de").value == "+491711234567"
    assert Addresses("DE").check("sms", "0171 1234567", None).value == "+491711234567"
    email = Addresses().check("email", "Ann.Lee@Example.COM", None)
    assert (email.value, email.given, email.status) == ("ann.lee@example.com", "Ann.Lee@Example.COM", "ok")


# --- what is set and sealed -----------------------------------------------------------------------------


def test_the_settings_of_a_function_have_these_defaults() -> None:
    found = Settings.from_environment({}).model_dump()
    empty = {name for name, value in found.items() if value == ""}
    assert {name: value for name, value in found.items() if name not in empty} == {
        "opentext_deduplicates": False,
        "company_name": "Example Company",
        "sender_email": "notices@example.com",
        "runbook": "docs/runbook.md",
        "link_host": "documents.example.com",
        "email_provider": "opentext",
        "sms_provider": "opentext",
        "default_time_zone": "America/New_York",
        "default_language": "en",
        "default_region": "US",
        "email_concurrency": 1,
        "email_rate": 14.0,
        "sms_concurrency": 1,
        "sms_rate": 3.0,
        "missing_file_minutes": 60,
        "quiet_period_seconds": 120,
        "volume_limit_percent": 50,
        "reject_limit_percent": 10,
        "delivery_receipts": "email,sms",
        "soft_bounce_limit": 3,
        "soft_bounce_window_days": 7,
        "delay_wait_hours": 4,
        "unmatched_receipt_hours": 24,
        "bounce_mails": "off",
        "unproven_mail_limit": 20,
        "bounce_rate_limit": 5.0,
        "complaint_rate_limit": 0.3,
        "reputation_minimum": 500,
        "record_retention_days": 0,
        "require_approved_wording": False,
        "site_dir": "/opt/site",
        "queue_separator": ",",
        "preferences_days": 400,
        "consent_version": "1",
        "sms_stop_scope": "all",
        "export_segments": 16,
    }
    assert Settings.from_environment({"Work_Bucket": "w", "OTHER": "x"}).work_bucket == "w"


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        *((name, 1, None) for name in ("email_concurrency", "sms_concurrency", "missing_file_minutes")),
        *((name, 1, None) for name in ("quiet_period_seconds", "volume_limit_percent", "soft_bounce_limit")),
        *(
            (name, 1, None)
            for name in ("soft_bounce_window_days", "delay_wait_hours", "unmatched_receipt_hours")
        ),
        *((name, 1, None) for name in ("unproven_mail_limit", "reputation_minimum", "preferences_days")),
        ("reject_limit_percent", 1, 100),
        ("record_retention_days", 0, None),
        ("export_segments", 1, 1000),
    ],
)
def test_a_setting_is_within_its_bounds(name: str, least: int, most: int | None) -> None:
    for value in (least, *([most] if most else [])):
        assert getattr(Settings.from_environment({name: str(value)}), name) == value
    for value in (least - 1, *([most + 1] if most else [])):
        with pytest.raises(ValueError, match=name):
            Settings.from_environment({name: str(value)})


@pytest.mark.parametrize("name", ["email_rate", "sms_rate", "bounce_rate_limit", "complaint_rate_limit"])
def test_a_rate_is_more_than_nothing(name: str) -> None:
    assert getattr(Settings.from_environment({name: "0.1"}), name) == 0.1
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: "0"})


def test_a_provider_for_each_channel_and_class() -> None:
    choice = provider_choice(
        Settings(
            email_provider="ses",
            sms_provider="opentext",
            provider_overrides=" email/marketing=opentext , sms/regulated=sms,",
        )
    )
    assert [
        choice(*one)
        for one in (
            ("email", "marketing"),
            ("email", "regulated"),
            ("sms", "regulated"),
            ("sms", "marketing"),
        )
    ] == [  # type: ignore[arg-type]
        *("opentext", "ses", "sms", "opentext"),
    ]
    with pytest.raises(ValueError, match="PROVIDER_OVERRIDES: 'email=fax' is not channel/class=provider"):
        provider_choice(Settings(provider_overrides="email=fax"))


def test_evidence_is_sealed_under_the_current_key_and_opened_under_its_own() -> None:
    masters = {"1": b"a" * 32, "2": b"b" * 32}
    old = Sealer(lambda: ("1", masters), lambda: b"n" * 16)
    new = Sealer(lambda: ("2", masters), lambda: b"m" * 16)
    sealed = old.seal("salt", "n:1", b"plain")
    assert sealed.startswith("1.")
    assert new.seal("salt", "n:1", b"plain").startswith("2.")
    assert new.open("salt", "n:1", sealed) == b"plain"
    for salt, ref, text in (
        ("other", "n:1", sealed),
        ("salt", "n:2", sealed),
        ("salt", "n:1", "3" + sealed[1:]),
    ):
        with pytest.raises(EvidenceUnreadable, match=f"evidence of {ref} does not open"):
            new.open(salt, ref, text)


class Machine:
    """Step Functions."""

    class exceptions:  # noqa: N801 - botocore's name
        ExecutionAlreadyExists = KeyError
        ExecutionDoesNotExist = LookupError

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def start_execution(self, **asked: Any) -> None:
        self._answer(asked)

    def describe_execution(self, **asked: Any) -> Any:
        return self._answer(asked)

    def _answer(self, asked: dict[str, Any]) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_execution_is_started_under_its_cohorts_name() -> None:
    cohort, machine = Cohort("2026-11-20T15", "retail", "reminder", 1), Machine()
    arn = "arn:aws:states:us-east-1:1:stateMachine:follow-up"
    assert StepFunctions(machine, arn).start(cohort, 3)
    (asked,) = machine.asked
    assert (asked["stateMachineArn"], asked["name"]) == (arn, cohort.execution(3))
    assert json.loads(asked["input"]) == {
        "domain": "retail",
        "journey": "reminder",
        "step": 1,
        "hour": "2026-11-20T15",
        "due_at": "2026-11-20T15:00:00Z",
        "generation": 3,
        "page": 1,
    }
    assert not StepFunctions(Machine(KeyError()), arn).start(cohort, 3)
    for answer, runs in (
        ({"status": "RUNNING"}, True),
        ({"status": "FAILED"}, False),
        (LookupError(), False),
    ):
        machine = Machine(answer)
        assert StepFunctions(machine, arn).runs(cohort, 3) is runs
        execution = f"arn:aws:states:us-east-1:1:execution:follow-up:{cohort.execution(3)}"
        assert machine.asked == [{"executionArn": execution}]


@pytest.mark.parametrize(
    ("glob", "passes"),
    [
        *(
            (f"*{ending}", True)
            for ending in (".dat", "messages", "summary", ".log", ".err", ".csv", ".psv", ".jsonl")
        ),
        *(
            (f"*{ending}", True)
            for ending in ("messages.txt", "messages.xml", "messages.json", "summary.txt")
        ),
        *(
            (f"*{ending}", True)
            for ending in ("summary.json", "summary.xml", "_stddeliveryfile.xml", ".DAT.GZ")
        ),
        *(("*essages*.txt", True), ("*essages*.xml", True), ("*ummary*.txt", True), ("a.index.*", True)),
        *(("*.txt", False), ("*.xml", False), ("*.json", False), ("*dat", False), ("*", False)),
    ],
)
def test_which_globs_let_a_file_through(glob: str, passes: bool) -> None:
    found = refusal(glob)
    assert (found == "") is passes
    if not passes:
        assert found.startswith(
            "no event rule of the stack lets such a file through to its reader: it has to end in"
        )
        assert "*essages*.txt" in found
