"""Providers' own documents, in every envelope that they come in, become receipts of one form."""

import base64
import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from exnotify.simulators.receipts import receipts as simulated
from exnotify.simulators.store import SimulatedMessage
from exstream_notify.adapters.dynamodb.receipts import receipt_body
from exstream_notify.adapters.receipts.hook import BODY_LIMIT, authorised, pieces
from exstream_notify.adapters.receipts.mails import Phrases
from exstream_notify.adapters.receipts.reading import ReceiptReader, ReceiptUnusable, ses_receipts
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.links import make_token
from exstream_notify.domain.receipts import Kind, Receipt, Source
from exstream_notify.domain.references import made, verified

from .bounce_mails import KEYS, NOTICE, REFERENCE, dsn

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
MAILS: dict[str, bytes] = {"mail/one.eml": dsn().encode()}


def identify(domain: str, fields: Mapping[str, Any]) -> str:
    return f"{domain}/{fields['CustomerId']}/{fields['QueueFilename']}"


VERDICTS = YamlRules().verdicts
READER = ReceiptReader(
    Phrases(),
    VERDICTS,
    lambda bucket, key: MAILS[key],
    identify,
    lambda raw: verified(raw, KEYS),
    lambda: NOW,
)


def read(body: object) -> list[Receipt]:
    return READER.read(body if isinstance(body, str) else json.dumps(body), "sqs:1")


def ses(kind: str = "Bounce", **parts: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-20T04:20:00.000Z",
            "messageId": "m-1",
            "source": "Example <Notices@example.com>",
            "destination": ["c100001@example.com"],
            "tags": {"ses:configuration-set": ["notices"], "notice_id": [NOTICE], "attempt": ["2"]},
        },
        **parts,
    }


def bounce(
    kind: str = "Permanent", subtype: str = "NoEmail", status: str = "5.1.1", **more: Any
) -> dict[str, Any]:
    row = {
        "emailAddress": "c100001@example.com",
        "status": status,
        "diagnosticCode": "smtp; 550 <c100001@example.com>",
    }
    return {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [row],
        "timestamp": "2026-11-20T04:20:05Z",
        **more,
    }


BOUNCE = ses(bounce=bounce())


@pytest.mark.parametrize(
    "envelope",
    [
        BOUNCE,
        {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(BOUNCE)},
        {"version": "0", "source": "aws.ses", "detail-type": "Email Bounced", "detail": BOUNCE},
        {
            "Type": "Notification",
            "TopicArn": "arn",
            "Message": json.dumps({"source": "aws.ses", "detail-type": "Email Bounced", "detail": BOUNCE}),
        },
        {**{k: v for k, v in BOUNCE.items() if k != "eventType"}, "notificationType": "Bounce"},
    ],
)
def test_ses_in_each_envelope(envelope: dict[str, Any]) -> None:
    (receipt,) = read(envelope)
    assert (receipt.kind, receipt.notice_id, receipt.attempt) == (Kind.HARD_BOUNCE, NOTICE, 2)
    assert (receipt.at, receipt.code, receipt.ref) == ("2026-11-20T04:20:05.000Z", "5.1.1", "m-1")
    assert (receipt.sender, receipt.recipient, receipt.sole) == (
        "notices@example.com",
        "c100001@example.com",
        True,
    )
    assert "c100001" not in receipt.reason
    assert receipt.identity == read(BOUNCE)[0].identity, "the same report on another way is the same receipt"


@pytest.mark.parametrize(
    "greeting",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps(
            {"Type": "Notification", "TopicArn": "a", "Message": "Successfully validated SNS topic for ..."}
        ),
        json.dumps({"Type": "SubscriptionConfirmation", "Token": "t", "TopicArn": "a", "Message": "..."}),
        json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "..."}),
    ],
)
def test_a_greeting_is_no_receipt(greeting: str) -> None:
    assert read(greeting) == []


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (ses("Send", send={}), [Kind.SENT]),
        (
            ses(
                "Delivery",
                delivery={"timestamp": "2026-11-20T04:20:05Z", "recipients": ["c100001@example.com"]},
            ),
            [Kind.DELIVERED],
        ),
        (ses("Reject", reject={"reason": "Bad content"}), [Kind.OUR_FAULT]),
        (ses("Rendering Failure", failure={"templateName": "t", "errorMessage": "x"}), [Kind.OUR_FAULT]),
        (ses("Open", open={}), [Kind.OPENED]),
        (ses("Click", click={}), [Kind.OPENED]),
        (
            ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": "c100001@example.com"}]}),
            [Kind.COMPLAINT],
        ),
        (
            ses("Complaint", complaint={"complainedRecipients": [{}], "complaintFeedbackType": "not-spam"}),
            [Kind.NOT_SPAM],
        ),
        (
            ses(
                "Complaint",
                complaint={"complainedRecipients": [], "complaintSubType": "OnAccountSuppressionList"},
            ),
            [Kind.ECHO_COMPLAINT],
        ),
        (ses("Complaint", complaint={"complaintSubType": "OnAccountSuppressionList"}), [Kind.ECHO_COMPLAINT]),
        (
            ses(
                "DeliveryDelay",
                deliveryDelay={
                    "delayType": "MailboxFull",
                    "delayedRecipients": [{"emailAddress": "c100001@example.com"}],
                },
            ),
            [Kind.DELAYED],
        ),
        (
            ses("Subscription", subscription={"newTopicPreferences": {"unsubscribeAll": True}}),
            [Kind.UNSUBSCRIBED],
        ),
        (ses("Subscription", subscription={"newTopicPreferences": {"unsubscribeAll": False}}), [Kind.OPENED]),
    ],
)
def test_each_event_of_ses(event: dict[str, Any], kinds: list[Kind]) -> None:
    assert [receipt.kind for receipt in read(event)] == kinds


SES_EVENTS = {
    "SEND": ses("Send", send={}),
    "REJECT": ses("Reject", reject={"reason": "Bad content"}),
    "BOUNCE": BOUNCE,
    "COMPLAINT": ses("Complaint", complaint={}),
    "DELIVERY": ses("Delivery", delivery={}),
    "OPEN": ses("Open", open={}),
    "CLICK": ses("Click", click={}),
    "RENDERING_FAILURE": ses("Rendering Failure", failure={}),
    "DELIVERY_DELAY": ses("DeliveryDelay", deliveryDelay={}),
    "SUBSCRIPTION": ses("Subscription", subscription={}),
}


def test_every_event_of_ses_in_the_services_own_model_is_read() -> None:
    model = botocore.session.get_session().get_service_model("sesv2")
    assert set(model.shape_for("EventType").enum) == set(SES_EVENTS)
    for event in SES_EVENTS.values():
        assert all(receipt.notice_id == NOTICE for receipt in read(event))


@pytest.mark.parametrize(
    ("types", "row", "kind"),
    [
        (
            ("Permanent", "General"),
            {"status": "5.0.0", "diagnosticCode": "smtp; 550 5.7.1 no spam"},
            "policy_refused",
        ),
        (("Permanent", "General"), {"status": "5.0.0"}, "not_delivered"),
        (("Permanent", "General"), {"diagnosticCode": "smtp; 550 5.1.1 user unknown"}, "hard_bounce"),
        (("Permanent", "NoEmail"), {}, "hard_bounce"),
        (("Permanent", "NoEmail"), {"diagnosticCode": "smtp; 554 blocked using a list"}, "policy_refused"),
        (("Permanent", "OnAccountSuppressionList"), {"status": "5.1.1"}, "echo_bounce"),
        (("Transient", "General"), {}, "auto_reply"),
        (("Transient", "General"), {"status": "4.4.7"}, "gave_up"),
        (("Transient", "MailboxFull"), {}, "soft_bounce"),
        (("Undetermined", "Undetermined"), {}, "undetermined"),
        (("Undetermined", "Undetermined"), {"action": "failed"}, "not_delivered"),
    ],
)
def test_a_bounce_of_ses_says_as_much_as_its_diagnostic_proves(
    types: tuple[str, str], row: dict[str, str], kind: str
) -> None:
    rows = [{"emailAddress": "c100001@example.com", **row}]
    (receipt,) = read(ses(bounce=bounce(*types, bouncedRecipients=rows)))
    assert receipt.kind == kind


def test_an_automatic_reply_that_ses_reports_as_a_bounce_is_none() -> None:
    # As SES reports somebody out of office: a bounce without a delivery status notification.
    away = {"bouncedRecipients": [{"emailAddress": "c100001@example.com"}]}
    (reply,) = read(ses(bounce=bounce("Transient", "General", **away)))
    (failed,) = read(ses(bounce=bounce("Transient", "General", "4.4.7")))
    assert (reply.kind, failed.kind) == (Kind.AUTO_REPLY, Kind.GAVE_UP)


def test_each_recipient_of_a_message_counts_by_itself() -> None:
    rows = [{"emailAddress": f"c{n}@example.com", "status": "5.7.1" if n else "5.1.1"} for n in range(2)]
    event = ses(bounce=bounce(subtype="General", bouncedRecipients=rows))
    event["mail"]["destination"] = ["c0@example.com", "c1@example.com", "c2@example.com"]
    found = read(event)
    assert [(r.recipient, r.kind, r.sole) for r in found] == [
        ("c0@example.com", Kind.HARD_BOUNCE, False),
        ("c1@example.com", Kind.POLICY_REFUSED, False),
    ]


def test_identity_feedback_finds_its_notice_by_the_header() -> None:
    event = ses(bounce=bounce())
    del event["mail"]["tags"]
    for value in (made(NOTICE, 3, 1, KEYS[1]), f"{NOTICE}:3"):  # an earlier release had no MAC in it
        event["mail"]["headers"] = [{"name": "X-Notice-Id", "value": value}]
        (receipt,) = ses_receipts(event, VERDICTS)
        assert (receipt.notice_id, receipt.attempt, receipt.said_by) == (NOTICE, 3, Source.PROVIDER)


def sms(event: str = "TEXT_INVALID", **more: Any) -> dict[str, Any]:
    return {
        "eventType": event,
        "eventTimestamp": 1_795_147_200_000,
        "isFinal": True,
        "destinationPhoneNumber": "+12025550142",
        "originationPhoneNumber": "+12065550199",
        "messageId": "m-1",
        "messageStatus": "INVALID",
        "context": {"notice_id": NOTICE, "attempt": "1"},
        **more,
    }


def test_an_event_of_sms() -> None:
    (receipt,) = read({"Type": "Notification", "TopicArn": "a", "Message": json.dumps(sms())})
    assert (receipt.provider, receipt.channel, receipt.kind) == ("sms", "sms", Kind.HARD_BOUNCE)
    assert (receipt.notice_id, receipt.attempt, receipt.recipient) == (NOTICE, 1, "+12025550142")
    assert receipt.at.startswith("2026-11-20T")


def status(**more: Any) -> dict[str, Any]:
    delivery = {
        "ref_base64": base64.b64encode(f"{NOTICE}:1".encode()).decode(),
        "email": "c100001@example.com",
        "delivery_attempts": [{"state": 7, "gamma_code": 0, "first_attempt": "2026-11-20T04:20:03Z"}],
        "events": {"email_delivery_events": {"dsn": [], "html_open": [], "opt_out": None, "pull": []}},
        **more,
    }
    return {
        "job_id": "xsi2-1",
        "job_state": ["Complete"],
        "entry_time": "2026-11-20T04:20:00Z",
        "deliveries": [delivery],
    }


def email_events(**events: Any) -> dict[str, Any]:
    return {"events": {"email_delivery_events": events}}


def dsn_event(*codes: int, message: str = "") -> dict[str, Any]:
    names = dict(zip(("class", "subject", "detail"), codes, strict=True))
    return email_events(dsn=[{"arrival_time": "2026-11-20T04:25:00Z", **names, "message": message}])


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (status(), [Kind.SENT]),
        (status(delivery_attempts=[{"state": "Sent", "gamma_code": 207}]), [Kind.NOT_DELIVERED]),
        (status(delivery_attempts=[{"state": 1}, {"state": "InProcess"}, {"state": "Held"}]), []),
        (status(delivery_attempts=[{"state": "Error", "gamma_code": 501}]), [Kind.NOT_DELIVERED]),
        (status(delivery_attempts=[{"state": 8}]), [Kind.GAVE_UP]),
        (status(**dsn_event(2, 1, 5)), [Kind.SENT, Kind.DELIVERED]),
        (status(**dsn_event(5, 1, 1, message="user unknown")), [Kind.SENT, Kind.HARD_BOUNCE]),
        (status(**dsn_event(5, 1, 1, message="mailbox is full")), [Kind.SENT, Kind.SOFT_BOUNCE]),
        (status(**dsn_event(5, 3, 2, message="takes no mail now")), [Kind.SENT, Kind.SOFT_BOUNCE]),
        (status(**dsn_event(5, 0, 0)), [Kind.SENT, Kind.NOT_DELIVERED]),
        (status(**email_events(dsn=[{"message": "host unknown"}])), [Kind.SENT, Kind.HARD_BOUNCE]),
        (status(**email_events(dsn=[{"message": "something"}])), [Kind.SENT, Kind.UNDETERMINED]),
        (status(**dsn_event(4, 2, 2)), [Kind.SENT, Kind.SOFT_BOUNCE]),
        (status(**dsn_event(4, 4, 1)), [Kind.SENT, Kind.DELAYED]),
        (status(**dsn_event(4, 4, 7)), [Kind.SENT, Kind.GAVE_UP]),
        (
            status(**email_events(opt_out={"event_time": "2026-11-20T04:25:00Z"})),
            [Kind.SENT, Kind.UNSUBSCRIBED],
        ),
        (status(**email_events(html_open=[{"event_time": "x"}])), [Kind.SENT, Kind.OPENED]),
    ],
)
def test_a_status_of_opentext(document: dict[str, Any], kinds: list[Kind]) -> None:
    found = read(document)
    assert [receipt.kind for receipt in found] == kinds
    assert {(r.notice_id, r.attempt, r.ref) for r in found} <= {(NOTICE, 1, "xsi2-1")}


@pytest.mark.parametrize(
    ("state", "message", "kind"),
    [
        ("DELIVRD", "", Kind.DELIVERED),
        ("confirmed", "", Kind.DELIVERED),
        ("failed", "unknown error", Kind.NOT_DELIVERED),
        ("failed", "unknown subscriber", Kind.HARD_BOUNCE),
        ("UNDELIV", "absent subscriber", Kind.SOFT_BOUNCE),
        ("EXPIRED", "", Kind.GAVE_UP),
        ("rejected", "", Kind.CARRIER_REFUSED),
        ("", "id:7 sub:001 dlvrd:000 stat:REJECTD err:013 text:", Kind.CARRIER_REFUSED),
        # The text at its end is the beginning of our own message.
        ("", "id:7 stat:UNDELIV err:001 text:Unknown number calls", Kind.NOT_DELIVERED),
        ("UNKNOWN", "", Kind.UNDETERMINED),
        ("", "", Kind.UNDETERMINED),
    ],
)
def test_an_sms_of_opentext_by_state_and_words(state: str, message: str, kind: Kind) -> None:
    event = {"event_time": "2026-11-20T04:25:00Z", "status": state, "message": message}
    document = status(sms="+12025550142", events={"sms_delivery_events": [event]})
    del document["deliveries"][0]["email"]
    assert [receipt.kind for receipt in read(document)] == [Kind.SENT, kind]


def test_the_same_status_pushed_again_with_more_in_it_repeats_what_was_known() -> None:
    first = {receipt.identity for receipt in read(status())}
    later = {receipt.identity for receipt in read(status(**dsn_event(5, 1, 1)))}
    assert first < later


def test_exstreams_own_delivery_is_brought_to_the_documents_notice() -> None:
    event = {
        "source": "exstream",
        "detail-type": "Exstream-Email-NDLV",
        "detail": {
            "expctr": {
                "schemaType": "Exstream-Email-NDLV",
                "eventId": "e-3",
                "eventDate": "2026-11-20T04:12:09.000Z",
            },
            "exstreamEmailStatistics": {
                "domain": "retail",
                "customerEmailId": "c600001@example.com",
                "creationTime": "2026-11-20T05:00:00.000Z",
            },
            "user": {"CustomerId": "C1", "QueueFilename": "output/q/D1.pdf"},
        },
    }
    (receipt,) = read(event)
    assert (receipt.kind, receipt.notice_id) == (Kind.COMPOSER_UNDELIVERED, "retail/C1/output/q/D1.pdf")
    failed = copy.deepcopy(event)
    failed["detail"]["expctr"]["schemaType"] = "Exstream-Email-Failed"  # type: ignore[index]
    assert read(failed)[0].kind is Kind.COMPOSER_FAILED


def object_created(key: str) -> dict[str, Any]:
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "mails"}, "object": {"key": key}},
    }


def test_a_bounce_mail_names_an_attempt_only_with_a_reference_of_ours() -> None:
    (ours,) = read(object_created("mail/one.eml"))
    assert (ours.notice_id, ours.attempt, ours.said_by) == (NOTICE, 1, Source.BEARER)
    assert ours.raw == "s3://mails/mail/one.eml"
    other = made(NOTICE, 1, 1, b"another key")
    link = "https://documents.example.com/d/" + make_token(NOTICE, 1, KEYS[1])
    for instead in (f"{NOTICE}:1", NOTICE, other, link, "x", "incident-1:1", REFERENCE[:-2] + "aa"):
        MAILS["mail/forged.eml"] = dsn().replace(REFERENCE, instead).encode()
        (forged,) = read(object_created("mail/forged.eml"))
        assert (forged.notice_id, forged.attempt, forged.said_by) == ("", None, Source.ANYBODY)


def test_the_reference_comes_back_in_the_address_that_a_mail_went_to() -> None:
    bare = dsn().replace(f"X-Notice-Id: {REFERENCE}", "X-Other: 1")
    for header in ("To", "Delivered-To", "X-Original-To", "Envelope-To"):
        MAILS["mail/verp.eml"] = f"{header}: <Bounces+{REFERENCE.upper()}@example.com>\n{bare}".encode()
        (receipt,) = read(object_created("mail/verp.eml"))
        assert (receipt.notice_id, receipt.said_by) == (NOTICE, Source.BEARER)


def test_where_mails_are_off_none_is_read_whoever_queued_it() -> None:
    off = ReceiptReader(Phrases(), VERDICTS, lambda bucket, key: MAILS[key], identify, None, lambda: NOW)
    with pytest.raises(ReceiptUnusable, match="BounceMails"):
        off.read(json.dumps(object_created("mail/one.eml")), "sqs:1")
    assert off.read(json.dumps(ses(bounce=bounce())), "sqs:2"), "everything else is"


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (object_created("mail/a+b%20c.eml")["detail"], "mail/a+b%20c.eml"),
        (
            {"eventSource": "aws:s3", "s3": object_created("mail/a%2Bb%2520c.eml")["detail"]},
            "mail/a+b%20c.eml",
        ),
    ],
)
def test_a_mail_is_found_under_its_own_key(record: dict[str, Any], key: str) -> None:
    MAILS[key] = dsn().encode()
    body = {"Records": [record]} if "s3" in record else {**object_created(""), "detail": record}
    assert read(body)[0].raw == f"s3://mails/{key}"


def a_row(ref: str = f"{NOTICE}:1", **more: Any) -> dict[str, Any]:
    return {
        "ref_base64": base64.b64encode(ref.encode()).decode(), "email": "c100001@example.com",
        "events": {"email_delivery_events": {"dsn": [{"class": 2, "subject": 0, "detail": 0}]}}, **more,
    }  # fmt: skip


@pytest.mark.parametrize("bad", [7, None, "x", {"ref_base64": "%%%"}, {"ref_base64": "/w=="}, []])
def test_a_delivery_that_cannot_be_read_loses_only_itself(bad: Any) -> None:
    with pytest.raises(ReceiptUnusable, match=r"deliveries\[1\]") as raised:
        read({"job_id": "x", "deliveries": [a_row(), bad, a_row(f"{NOTICE}:2")]})
    assert [(r.attempt, r.kind, r.raw) for r in raised.value.receipts] == [
        (1, Kind.DELIVERED, "sqs:1"),
        (2, Kind.DELIVERED, "sqs:1"),
    ]


def test_what_our_own_strings_of_the_whole_job_say_matters_to_no_delivery() -> None:
    assert len(read({"job_id": "x", "customer_reference_base64": "/w==", "deliveries": [a_row()]})) == 1


def test_records_that_a_function_was_given_are_read_one_by_one() -> None:
    records = [
        {"EventSource": "aws:sns", "Sns": {"Message": json.dumps(ses(bounce=bounce()))}},
        {"eventSource": "aws:ses", "ses": {"mail": {}, "receipt": {}}},
        {"eventSource": "aws:sqs", "body": json.dumps(sms("TEXT_DELIVERED"))},
    ]
    with pytest.raises(ReceiptUnusable, match="reports no delivery") as raised:
        read({"Records": records})
    assert [r.kind for r in raised.value.receipts] == [Kind.HARD_BOUNCE, Kind.DELIVERED]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"notificationType": "Received", "mail": {"destination": []}, "receipt": {}}, "incoming mail"),
        (
            {
                "notification": {"messageId": "1", "timestamp": "2026-11-20 04:20:00.000"},
                "delivery": {"destination": "+12025550142", "providerResponse": "Unknown error"},
                "status": "FAILURE",
            },
            "a delivery log of SNS",
        ),
    ],
)
def test_what_services_tell_besides_is_refused_with_the_reason(body: dict[str, Any], why: str) -> None:
    with pytest.raises(ReceiptUnusable, match=why):
        read(body)


def test_a_report_on_authentication_suppresses_nobody() -> None:
    complaint = {
        "complainedRecipients": [{"emailAddress": "c100001@example.com"}],
        "complaintFeedbackType": "auth-failure",
    }
    (receipt,) = read(ses("Complaint", complaint=complaint))
    assert (receipt.kind, receipt.meaning.suppress, receipt.meaning.status) == (Kind.AUTH_REPORT, "no", None)


@pytest.mark.parametrize(
    "body",
    [
        "", "null", "[]", "7", '"text"', "{", "{}", '{"mail": 7}', '{"eventType": "Bounce", "mail": {}}',
        '{"eventType": "TEXT_FROM_TOMORROW", "eventTimestamp": 1, "isFinal": true}',
        '{"eventType": "TEXT_INVALID"}', '{"job_id": 7}', '{"job_id": "x", "deliveries": 7}',
        '{"eventType": "From Tomorrow", "mail": {"destination": []}}', '{"detail-type": "x", "detail": 7}',
        '{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}', "[" * 100_000,
        '{"expctr": {"schemaType": "Exstream-Generated"}}', '{"originationNumber": "+1", "messageBody": "STOP"}',
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_said_to_be_none(body: str) -> None:
    with pytest.raises(ReceiptUnusable) as raised:
        read(body)
    assert "example.com" not in str(raised.value)


@pytest.mark.parametrize("provider", ["ses", "sms", "opentext"])
@pytest.mark.parametrize(
    "word", ["", "bounce", "full", "blocked", "complain", "delay", "expire", "latebounce", "twice"]
)
def test_what_the_simulators_send_can_be_read(provider: str, word: str) -> None:
    channel: Any = "sms" if provider == "sms" else "email"
    digits = {
        "bounce": "21",
        "full": "22",
        "blocked": "23",
        "complain": "24",
        "delay": "25",
        "expire": "26",
        "latebounce": "27",
        "twice": "28",
    }
    to = f"+130255501{digits.get(word, '42')}" if channel == "sms" else f"{word or 'anna'}@example.com"
    message = SimulatedMessage(
        1, provider, channel, to, "notices@example.com", "s", "t", f"{NOTICE}:1", "job-1", "message-1", NOW,
        details=(("tag:notice_id", NOTICE), ("tag:attempt", "1"), ("context:notice_id", NOTICE), ("context:attempt", "1")),
    )  # fmt: skip
    for receipt in simulated(message):
        if receipt.kind == "receipt":
            for found in read(receipt.document):
                assert (found.notice_id, found.attempt) == (NOTICE, 1)
                assert found.kind is not Kind.UNKNOWN


# --- the web hook ---------------------------------------------------------------------------------------

SECRETS = {"current": "2", "1": "old-secret", "2": "new-secret"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"x-webhook-secret": "new-secret"}, True),
        ({"x-webhook-secret": "old-secret"}, True),
        ({"authorization": "Bearer new-secret"}, True),
        ({"authorization": "Basic " + base64.b64encode(b"anybody:new-secret").decode()}, True),
        ({}, False),
        ({"x-webhook-secret": ""}, False),
        ({"x-webhook-secret": "2"}, False),
        ({"x-webhook-secret": "new-secret "}, False),
        ({"x-webhook-secret": "ünicode"}, False),
        ({"authorization": "Basic %%%"}, False),
        ({"authorization": "Bearer"}, False),
    ],
)
def test_the_hook_checks_its_secret(headers: dict[str, str], allowed: bool) -> None:
    assert authorised(headers, SECRETS) is allowed


def test_a_push_goes_on_in_pieces_that_a_queue_takes() -> None:
    document = status()
    document["deliveries"] *= 500
    found = list(pieces(json.dumps(document)))
    assert sum(len(piece["deliveries"]) for piece in found) == 500
    assert max(len(json.dumps(piece)) for piece in found) < 200_000


@pytest.mark.parametrize(
    "body", ["", "{", "7", "{}", '[{"job_id": "x"}, 7]', '{"job_id": "x", "deliveries": 7}', "[" * 50_000]
)
def test_a_push_that_is_no_status_is_refused_whole(body: str) -> None:
    with pytest.raises(ReceiptUnusable):
        list(pieces(body))


def test_a_push_beyond_any_size_is_refused() -> None:
    with pytest.raises(ReceiptUnusable, match="larger"):
        list(pieces("x" * (BODY_LIMIT + 1)))


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_no_calendar_has_loses_no_receipt(time: str) -> None:
    (receipt,) = read(ses(bounce={**bounce(), "timestamp": time}))
    assert (receipt.kind, receipt.at) == (Kind.HARD_BOUNCE, "2026-11-20T04:20:00.000Z")
    MAILS["mail/late.eml"] = (
        dsn()
        .replace("Date: Fri, 20 Nov 2026 04:26:00 +0000", "Date: Fri, 31 Dec 9999 23:00:00 -1200")
        .encode()
    )
    (receipt,) = read(object_created("mail/late.eml"))
    assert (receipt.kind, receipt.at) == (Kind.HARD_BOUNCE, "2026-11-20T15:00:00.000Z")
    with pytest.raises(ReceiptUnusable):
        read({"eventType": "TEXT_DELIVERED", "isFinal": True, "eventTimestamp": 1e300})


def test_what_a_strangers_server_words_can_be_stored_and_stays_short() -> None:
    """A JSON text may hold half of a character that was cut, and a status code of any length."""
    report = bounce(status="5.1.1" + " x" * 50_000)
    report["bouncedRecipients"][0]["diagnosticCode"] = "550 no such user \ud83d"
    (receipt,) = read(ses(bounce=report))
    assert (receipt.kind, len(receipt.code)) == (Kind.HARD_BOUNCE, 100)
    assert receipt.reason == "550 no such user ?"
    json.dumps(receipt_body(receipt), ensure_ascii=False).encode()
    assert receipt.identity


@pytest.mark.parametrize(
    ("received", "at"),
    [
        (
            "from mx.example.net by inbound.example.com id x;\n Fri, 20 Nov 2026 05:01:02 +0000 (UTC)",
            "05:01:02",
        ),
        ("from mx.example.net by inbound.example.com id x; who knows", "04:26:00"),
        ("from mx.example.net by inbound.example.com id x", "04:26:00"),
    ],
)
def test_a_bounce_mail_happened_when_our_mail_service_received_it(received: str, at: str) -> None:
    """A stranger's slow clock would put the bounce before the delivery, which then would stand."""
    MAILS["mail/slow.eml"] = f"Received: {received}\n{dsn()}".encode()
    (receipt,) = read(object_created("mail/slow.eml"))
    assert (receipt.kind, receipt.at) == (Kind.HARD_BOUNCE, f"2026-11-20T{at}.000Z")
