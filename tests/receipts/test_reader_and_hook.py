"""What the reader asks for and how deep it looks; what the hook lets in, and in which pieces."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.providers.opentext_status import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    JobStatus,
)
from exstream_notify.adapters.receipts.hook import BODY_LIMIT, authorised, pieces
from exstream_notify.adapters.receipts.keeping import OpenTextStatus
from exstream_notify.adapters.receipts.mails import Phrases
from exstream_notify.adapters.receipts.reading import ReceiptReader, ReceiptUnusable, opentext_receipts
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind, Source
from exstream_notify.domain.verdicts import Report, Verdicts

from .bounce_mails import KEYS, NOTICE, REFERENCE, dsn, plain
from .test_reading import dsn_event, ses, sms, status

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


class Asked(Verdicts):
    """Keeps what it is asked to judge."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Report] = []

    def kind_of(self, report: Report) -> Kind:
        self.reports.append(report)
        return Kind.POLICY_REFUSED


def reader(
    mails: Mapping[str, bytes] | None = None, phrases: Phrases | None = None, verify: Any = "real"
) -> tuple[ReceiptReader, list[Any]]:
    """A reader, and what it asks for."""
    from exstream_notify.domain.references import verified

    asked: list[Any] = []

    def load(bucket: str, key: str) -> bytes:
        asked.append((bucket, key))
        return (mails or {})[key]

    def identify(domain: str, fields: Mapping[str, Any]) -> str:
        asked.append((domain, dict(fields)))
        return "n"

    real = (lambda raw: verified(raw, KEYS)) if verify == "real" else verify
    return ReceiptReader(phrases or Phrases(), YamlRules().verdicts, load, identify, real, lambda: NOW), asked


def event(**detail: Any) -> str:
    schema = detail.pop("schema", "Exstream-Email-Failed")
    body = {"expctr": {"schemaType": schema, "eventId": "e-1"}, **detail}
    return json.dumps({"source": "exstream", "detail-type": schema, "detail": body})


def test_a_composers_document_is_identified_by_all_that_its_event_says() -> None:
    found, asked = reader()
    user = {"CustomerId": "C1", "CustomerEmail": "u@example.com"}
    job = {"domain": "retail", "communicationId": "COM-1", "status": "Failed for u@example.com"}
    (receipt,) = found.read(event(user=user, exstreamJob=job), "sqs:1")
    assert asked == [("retail", {**user, "communication_id": "COM-1"})]
    assert (receipt.notice_id, receipt.recipient, receipt.ref, receipt.raw) == (
        "n",
        "u@example.com",
        "e-1",
        "sqs:1",
    )
    assert receipt.at == "2026-11-20T15:00:00.000Z", "now, since it does not say"
    assert receipt.reason.startswith("Failed for")
    statistics = {"domain": "cards", "communicationId": "COM-2", "customerEmailId": "s@example.com"}
    (receipt,) = found.read(event(exstreamEmailStatistics=statistics), "sqs:1")
    assert asked[1] == ("cards", {"communication_id": "COM-2"})
    assert receipt.recipient == "s@example.com"
    # A job that does not say its domain has that of its statistics.
    job = {"communicationId": "COM-3"}
    found.read(event(exstreamJob=job, exstreamEmailStatistics=statistics), "sqs:1")
    assert asked.pop() == ("cards", {"communication_id": "COM-3"})
    (bare,) = found.read(event(schema="Exstream-SMS-Failed"), "sqs:1")
    assert (bare.channel, asked[2]) == ("sms", ("", {"communication_id": None}))


def wrapped(body: Any, times: int) -> Any:
    for _ in range(times):
        body = {
            "Type": "Notification",
            "TopicArn": "a",
            "Message": body if isinstance(body, str) else json.dumps(body),
        }
    return body


@pytest.mark.parametrize(("times", "read"), [(0, True), (1, True), (3, True), (4, False)])
def test_so_many_envelopes_are_opened(times: int, read: bool) -> None:
    found, _ = reader()
    body = json.dumps(wrapped(ses("Send", send={}), times))
    if read:
        assert [receipt.kind for receipt in found.read(body, "x")] == [Kind.SENT]
        return
    with pytest.raises(ReceiptUnusable, match=r"^no object$"):
        found.read(body, "x")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("words", "neither JSON nor a greeting"),
        ("[]", "no object"),
        ("7", "no object"),
        ('{"a": 1}', "no kind of receipt that is known"),
        ('{"notification": {}, "delivery": {}}', "a delivery log of SNS, which sent no message of ours"),
        ('{"Records": [{"s3": {}}]}', "not in the form of its kind: KeyError"),
        ('{"Records": [{"x": {}}]}', "a record of a service that reports no delivery"),
        ('{"mail": []}', "not in the form of its kind: AttributeError"),
        ('{"eventType": "Received", "mail": {}}', "incoming mail that SES announces: bounce mails are read from the mail bucket"),
        ('{"eventType": "New", "mail": {}}', "an SES event of a type that is not known"),
        ('{"eventType": "TEXT_NEW", "eventTimestamp": 1}', "an SMS event of a type that is not known"),
        ('{"job_id": 7}', "no job_id"),
        (event(schema="Exstream-Email-Sent"), "an Exstream event that reports no delivery"),
    ],
)  # fmt: skip
def test_what_is_no_receipt_says_why(body: str, why: str) -> None:
    found, _ = reader()
    with pytest.raises(ReceiptUnusable) as refused:
        found.read(body, "x")
    assert (str(refused.value), refused.value.receipts) == (why, [])


def test_a_mail_is_loaded_by_its_key_however_it_was_announced(tmp_path: Path) -> None:
    found, asked = reader({"a b.eml": dsn().encode()})
    s3 = {"bucket": {"name": "mails"}, "object": {"key": "a+b.eml"}}
    (receipt,) = found.read(json.dumps({"Records": [{"s3": s3}]}), "x")
    assert (receipt.raw, receipt.said_by, receipt.notice_id) == ("s3://mails/a b.eml", Source.BEARER, NOTICE)
    detail = {"bucket": {"name": "mails"}, "object": {"key": "a b.eml"}}
    (again,) = found.read(
        json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail}), "x"
    )
    assert again == receipt
    assert asked == [("mails", "a b.eml")] * 2
    (tmp_path / "bounce_mails.yaml").write_text("auto_replies: [gone fishing]\n")
    own, _ = reader({"a": plain("c1@example.com", "Gone fishing", "x").encode()}, Phrases(tmp_path))
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": "m"}, "object": {"key": "a"}}}]})
    (reply,) = own.read(body, "x")
    assert (reply.kind, reply.said_by, reply.notice_id, reply.attempt) == (
        Kind.AUTO_REPLY,
        Source.ANYBODY,
        "",
        None,
    )
    closed, loaded = reader({"a": b"x"}, verify=None)
    with pytest.raises(
        ReceiptUnusable, match=r"a bounce mail, and the stack takes none \(parameter BounceMails\)"
    ):
        closed.read(body, "x")
    assert loaded == []


def test_a_mail_from_the_future_is_of_now_and_names_its_first_genuine_reference() -> None:
    late = dsn().replace("Fri, 20 Nov 2026 04:26:00", "Fri, 20 Nov 2026 15:00:01")
    forged = late.replace(
        f"X-Notice-Id: {REFERENCE}", f"X-Notice-Id: {'n' * len(REFERENCE)}\nIn-Reply-To: {REFERENCE}"
    )
    exact = dsn().replace("Fri, 20 Nov 2026 04:26:00", "Fri, 20 Nov 2026 15:00:00")
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": "m"}, "object": {"key": "a"}}}]})
    for mail in (late, forged, exact):
        (receipt,) = reader({"a": mail.encode()})[0].read(body, "x")
        assert (receipt.at, receipt.notice_id, receipt.attempt) == ("2026-11-20T15:00:00.000Z", NOTICE, 1)


def test_a_reading_keeps_what_could_be_read_beside_what_could_not() -> None:
    document = {**status(), "deliveries": [7, *status()["deliveries"], "x"]}
    with pytest.raises(ReceiptUnusable) as refused:
        opentext_receipts(document, YamlRules().verdicts)
    assert str(refused.value) == "deliveries[0] is no object, and 1 more"
    assert [receipt.kind for receipt in refused.value.receipts] == [Kind.SENT]
    with pytest.raises(ReceiptUnusable) as alone:
        opentext_receipts({**status(), "deliveries": [7]}, YamlRules().verdicts)
    assert str(alone.value) == "deliveries[0] is no object"


def test_what_opentext_reports_is_judged_by_its_words_and_codes() -> None:
    def of(channel: Any, *events: DeliveryEvent) -> tuple[list[Kind], list[Report]]:
        asked = Asked()
        delivery = Delivery("a:1", channel, "x", (), events)
        receipts = opentext_receipts(JobStatus("j", (), "", "", "", (delivery,)), asked)
        return [receipt.kind for receipt in receipts], asked.reports

    dsn_events = [
        DeliveryEvent("dsn", "t", code, "st", "words")
        for code in ("5.1.1", "4.2.2", "4.4.7", "4.1.1", "2.0.0", "")
    ]
    kinds, reports = of("email", *dsn_events)
    assert kinds == [
        *(Kind.POLICY_REFUSED, Kind.POLICY_REFUSED, Kind.POLICY_REFUSED, Kind.DELAYED, Kind.DELIVERED),
        Kind.POLICY_REFUSED,
    ]
    assert reports == [Report("email", f"{code} words", "st") for code in ("5.1.1", "4.2.2", "4.4.7", "")]
    events = [
        DeliveryEvent("sms", "t", "", " UNDELIV ", "words"),
        DeliveryEvent("sms", "t", "", "", "id:7 stat:UNDELIV err:001 text:we owe you"),
        DeliveryEvent("sms", "t", "", "", "id:7 stat:DELIVRD err:000 text:x"),
        DeliveryEvent("sms", "t", "", "DELIVRD", ""),
        DeliveryEvent("sms", "t", "", "nonsense", ""),
        DeliveryEvent("opt_out", "t"),
        DeliveryEvent("open", "t"),
        DeliveryEvent("pull", "t"),
    ]
    kinds, reports = of("sms", *events)
    assert kinds == [
        *(Kind.POLICY_REFUSED, Kind.POLICY_REFUSED, Kind.DELIVERED, Kind.DELIVERED, Kind.UNDETERMINED),
        *(Kind.UNSUBSCRIBED, Kind.OPENED, Kind.OPENED),
    ]
    assert reports == [
        Report("sms", "words", "undeliv"),
        Report("sms", "id:7 stat:UNDELIV err:001 ", "undeliv"),
    ]
    asked = Asked()
    attempts = tuple(
        DeliveryAttempt(state, code, "2026-11-20T04:00:00Z")
        for state, code in (("Sent", 0), ("Sent", 5), ("Held", 1))
    )
    job = JobStatus("j", (), "2026-11-20T03:00:00Z", "", "", (Delivery("a:1", "sms", "x", attempts, ()),))
    assert [(r.kind, r.code, r.reason) for r in opentext_receipts(job, asked)] == [
        (Kind.SENT, "", "Sent"),
        (Kind.POLICY_REFUSED, "gamma 5", "Sent"),
    ]
    assert asked.reports == [Report("sms", status="opentext:Sent gamma:5")]


def test_what_ses_and_carriers_report_is_judged_by_their_types() -> None:
    from exstream_notify.adapters.receipts.reading import ses_receipts, sms_receipts

    asked = Asked()
    bounce = {
        "bounceType": "Transient",
        "bounceSubType": "MailboxFull",
        "bouncedRecipients": [{"emailAddress": "a@example.com", "status": "4.2.2", "diagnosticCode": "full"}],
    }
    (receipt,) = ses_receipts(ses("Bounce", bounce=bounce), asked)
    assert receipt.kind is Kind.POLICY_REFUSED
    assert asked.reports == [Report("email", "full", "4.2.2 ses:Transient/MailboxFull")]
    for types, kind in (
        (("Transient", "General"), Kind.AUTO_REPLY),
        (("Undetermined", "Undetermined"), Kind.UNDETERMINED),
        (("Permanent", "Suppressed"), Kind.ECHO_BOUNCE),
        (("Permanent", "OnAccountSuppressionList"), Kind.ECHO_BOUNCE),
        (("Transient", "MailboxFull"), Kind.POLICY_REFUSED),
        (("Permanent", "General"), Kind.POLICY_REFUSED),
    ):
        bare = {
            "bounceType": types[0],
            "bounceSubType": types[1],
            "bouncedRecipients": [{"emailAddress": "a@example.com"}],
        }
        (receipt,) = ses_receipts(ses("Bounce", bounce=bare), asked)
        assert receipt.kind is kind, types
    carrier = Asked()
    (receipt,) = sms_receipts(sms("TEXT_BLOCKED", messageStatusDescription="spam"), carrier)
    assert (receipt.kind, carrier.reports) == (Kind.POLICY_REFUSED, [Report("sms", "spam", "aws:BLOCKED")])


# --- the hook -------------------------------------------------------------------------------------------


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


SECRETS = {"current": "2", "1": "one", "2": "two", "3": ""}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"x-webhook-secret": "one"}, True),
        ({"x-webhook-secret": "two"}, True),
        ({"x-webhook-secret": "2"}, False),
        ({"x-webhook-secret": ""}, False),
        ({}, False),
        ({"authorization": "Bearer one"}, True),
        ({"authorization": "BEARER  two "}, True),
        ({"authorization": "Digest one"}, False),
        ({"authorization": basic("user:one")}, True),
        ({"authorization": basic("one:other")}, False),
        ({"authorization": "basic " + basic("u:two").partition(" ")[2] + " "}, True),
        ({"authorization": "Basic %%%"}, False),
        ({"authorization": "Basic /w=="}, False),
        ({"x-webhook-secret": "one", "authorization": "Bearer wrong"}, False),
        ({"x-webhook-secret": "one", "authorization": "Basic %%%"}, False),
    ],
)
def test_who_may_push(headers: dict[str, str], allowed: bool) -> None:
    assert authorised(headers, SECRETS) is allowed


def test_a_push_is_cut_into_pieces_of_fifty() -> None:
    body = json.dumps(
        [
            {"job_id": "a", "x": 1, "deliveries": [{"ref": f"{n}"} for n in range(101)]},
            {"job_id": "b", "deliveries": [{"ref": "z"}]},
            {"job_id": "c"},
        ]
    )
    found = list(pieces(body))
    assert [(piece["job_id"], len(piece["deliveries"])) for piece in found] == [
        ("a", 50),
        ("a", 50),
        ("a", 1),
        ("b", 1),
    ]
    assert found[1]["deliveries"][0] == {"ref": "50"}
    assert found[0]["x"] == 1
    document = '{"job_id": "a", "deliveries": [{}]}'
    assert len(list(pieces(document + " " * (BODY_LIMIT - len(document))))) == 1
    for wrong, why in (
        (document + " " * (BODY_LIMIT - len(document) + 1), "larger than a status document is"),
        ("{", "not JSON"),
        (f"[{document}, {{}}]", "no job_id"),
    ):
        with pytest.raises(ReceiptUnusable) as refused:
            list(pieces(wrong))
        assert str(refused.value) == why


def test_what_a_status_could_not_say_is_asked_for_again() -> None:
    half = {
        **status(**dsn_event(5, 1, 1, message="user unknown")),
        "deliveries": [status()["deliveries"][0], 7],
    }
    answers = [JobStatus("j", (), "", "", "", (), ("deliveries[0] is no object",))]

    class Provider:
        def status(self, channel: str, job_ids: Any) -> Any:
            from exstream_notify.adapters.providers.opentext_status import decode_status

            yield decode_status(half)
            yield from answers

    receipts, missing = OpenTextStatus(Provider, lambda: YamlRules().verdicts).receipts_of("email", ["j"])
    assert ([receipt.kind for receipt in receipts], missing) == ([Kind.SENT], [])
