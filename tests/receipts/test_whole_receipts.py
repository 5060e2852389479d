"""Every field of the receipt that a provider's document becomes, by example; what is not told is empty."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from exstream_notify.adapters.receipts.reading import SES_EVENTS, ReceiptUnusable
from exstream_notify.domain.receipts import Kind, Receipt, Source

from .bounce_mails import NOTICE
from .test_reading import NOW, dsn_event, email_events, read, ses, sms, status

ADDRESS = "c100001@example.com"
BLANK = asdict(Receipt("", "email", Kind.UNKNOWN, ""))


def told(receipt: Receipt) -> dict[str, Any]:
    """The fields of a receipt that say something."""
    return {name: value for name, value in asdict(receipt).items() if value != BLANK[name]}


SES = {
    "provider": "ses",
    "notice_id": NOTICE,
    "attempt": 2,
    "ref": "m-1",
    "sender": "notices@example.com",
    "raw": "sqs:1",
    "at": "2026-11-20T04:20:05.000Z",
}
THEN = {"timestamp": "2026-11-20T04:20:05Z"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ses("Send", send=THEN), {"kind": "sent", "recipient": ADDRESS}),
        (ses("Send", send={}), {"kind": "sent", "recipient": ADDRESS, "at": "2026-11-20T04:20:00.000Z"}),
        (
            ses(
                "Delivery",
                delivery={**THEN, "recipients": [ADDRESS], "smtpResponse": "250 ok for " + ADDRESS},
            ),
            {"kind": "delivered", "recipient": ADDRESS, "reason": "250 ok for (address)"},
        ),
        (ses("Delivery", delivery=THEN), {"kind": "delivered", "recipient": ADDRESS}),
        (
            ses("Reject", reject={**THEN, "reason": "Bad content"}),
            {"kind": "our_fault", "recipient": ADDRESS, "reason": "Bad content"},
        ),
        (
            ses("Rendering Failure", failure={**THEN, "errorMessage": "no such name"}),
            {"kind": "our_fault", "recipient": ADDRESS, "reason": "no such name"},
        ),
        (ses("Open", open=THEN), {"kind": "opened", "recipient": ADDRESS}),
        (ses("Click", click=THEN), {"kind": "opened", "recipient": ADDRESS}),
        (
            ses("Complaint", complaint={**THEN, "complainedRecipients": [{"emailAddress": ADDRESS}]}),
            {"kind": "complaint", "recipient": ADDRESS, "code": "complaint"},
        ),
        (
            ses(
                "Complaint",
                complaint={"arrivalDate": "2026-11-20T04:20:05Z", "complaintFeedbackType": "abuse"},
            ),
            {"kind": "complaint", "recipient": ADDRESS, "code": "abuse"},
        ),
        (
            ses("Complaint", complaint={**THEN, "complaintSubType": "OnAccountSuppressionList"}),
            {"kind": "echo_complaint", "recipient": ADDRESS, "code": "OnAccountSuppressionList"},
        ),
        (
            ses("Complaint", complaint={**THEN, "complaintFeedbackType": "auth-failure"}),
            {"kind": "auth_report", "recipient": ADDRESS, "code": "auth-failure"},
        ),
        (
            ses(
                "DeliveryDelay",
                deliveryDelay={
                    **THEN,
                    "delayType": "MailboxFull",
                    "expirationTime": "2026-11-21T04:20:05Z",
                    "delayedRecipients": [
                        {"emailAddress": ADDRESS, "status": "4.2.2", "diagnosticCode": "452 mailbox full"}
                    ],
                },
            ),
            {
                "kind": "delayed",
                "recipient": ADDRESS,
                "code": "4.2.2",
                "reason": "MailboxFull 452 mailbox full",
                "until": "2026-11-21T04:20:05.000Z",
            },
        ),
        (
            ses("DeliveryDelay", deliveryDelay={**THEN, "delayType": "General"}),
            {"kind": "delayed", "recipient": ADDRESS, "code": "General", "reason": "General"},
        ),
        (
            ses("DeliveryDelay", deliveryDelay={**THEN, "delayedRecipients": [{"emailAddress": ADDRESS}]}),
            {"kind": "delayed", "recipient": ADDRESS},
        ),
        (
            ses("Subscription", subscription={**THEN, "newTopicPreferences": {"unsubscribeAll": True}}),
            {"kind": "unsubscribed", "recipient": ADDRESS, "code": "subscription"},
        ),
        (
            ses("Bounce", bounce={**THEN, "bounceType": "Permanent", "bounceSubType": "NoEmail"}),
            {
                "kind": "hard_bounce",
                "recipient": ADDRESS,
                "code": "Permanent/NoEmail",
                "reason": "Permanent/NoEmail",
            },
        ),
        (
            ses(
                "Bounce",
                bounce={
                    **THEN,
                    "bounceType": "Permanent",
                    "bounceSubType": "General",
                    "bouncedRecipients": [
                        {
                            "emailAddress": ADDRESS,
                            "status": "5.1.1",
                            "diagnosticCode": f"smtp; 550 5.1.1 <{ADDRESS}> user unknown",
                        }
                    ],
                },
            ),
            {
                "kind": "hard_bounce",
                "recipient": ADDRESS,
                "code": "5.1.1",
                "reason": "smtp; 550 5.1.1 <(address)> user unknown",
            },
        ),
    ],
)
def test_an_event_of_ses_whole(event: dict[str, Any], expected: dict[str, Any]) -> None:
    [receipt] = read(event)
    assert told(receipt) | {"reason": receipt.reason} == {**SES, "reason": "", **expected}


def test_of_a_message_to_several_only_those_that_are_named_count() -> None:
    event = ses("Send", send=THEN)
    event["mail"]["destination"] = ["a@example.com", "b@example.com"]
    [receipt] = read(event)
    assert told(receipt) == {**SES, "kind": "sent", "sole": False}
    for kind, part in (("Complaint", "complaint"), ("Subscription", "subscription")):
        several = ses(kind, **{part: dict(THEN)})
        several["mail"]["destination"] = ["a@example.com", "b@example.com"]
        assert [row.recipient for row in read(several)] == [""]
    delivered = ses("Delivery", delivery={**THEN, "recipients": ["b@example.com", "c@example.com"]})
    assert [row.recipient for row in read(delivered)] == ["b@example.com", "c@example.com"]
    bounced = ses("Bounce", bounce={**THEN, "bounceType": "Permanent", "bounceSubType": "NoEmail"})
    bounced["mail"]["destination"] = ["a@example.com", "b@example.com"]
    assert read(bounced) == [], "nobody knows whose it is"


def test_which_events_ses_has_to_publish() -> None:
    assert {
        *("Bounce", "Complaint", "Delivery", "DeliveryDelay", "Reject", "Rendering Failure"),
    } == SES_EVENTS


@pytest.mark.parametrize(
    ("tags", "notice_id", "attempt"),
    [
        ({"notice_id": [NOTICE], "attempt": ["12"]}, NOTICE, 12),
        ({"notice_id": [NOTICE.upper()], "attempt": ["x"]}, NOTICE, None),
        ({"notice_id": [NOTICE], "attempt": ["99999"]}, NOTICE, None),
        ({"notice_id": [f"{NOTICE}:3"]}, NOTICE, 3),
        ({"notice_id": [f"{NOTICE}:3"], "attempt": ["4"]}, NOTICE, 4),
        ({"notice_id": ["\u00e4" * 100]}, "?" * 64, None),
        ({"other": ["x"]}, "", None),
    ],
)
def test_a_reference_is_read_from_the_tags(
    tags: dict[str, list[str]], notice_id: str, attempt: int | None
) -> None:
    event = ses("Send", send=THEN)
    event["mail"]["tags"] = tags
    [receipt] = read(event)
    assert (receipt.notice_id, receipt.attempt) == (notice_id, attempt)


# --- SMS ----------------------------------------------------------------------------------------------------

SMS = {
    "provider": "sms",
    "channel": "sms",
    "notice_id": NOTICE,
    "attempt": 1,
    "recipient": "+12025550142",
    "sender": "+12065550199",
    "ref": "m-1",
    "raw": "sqs:1",
    "at": "2026-11-20T04:00:00.000Z",
    "code": "INVALID",
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (sms("TEXT_DELIVERED"), {"kind": "delivered"}),
        (sms("TEXT_SUCCESSFUL"), {"kind": "delivered"}),  # final: that is all there will be
        (sms("TEXT_SUCCESSFUL", isFinal=False), {"kind": "sent"}),
        (sms("TEXT_PENDING", messageStatus=None), {"kind": "sent", "code": "TEXT_PENDING"}),
        (sms("TEXT_INVALID"), {"kind": "hard_bounce"}),
        (sms("TEXT_INVALID", isFinal=False), {"kind": "delayed"}),
        (
            sms("TEXT_CARRIER_BLOCKED", messageStatusDescription="Blocked by the carrier"),
            {"kind": "carrier_refused", "reason": "Blocked by the carrier"},
        ),
        (sms("RCS_READ"), {"kind": "delivered"}),
        (sms("VOICE_COMPLETED"), {"kind": "delivered"}),
    ],
)
def test_an_event_of_sms_whole(event: dict[str, Any], expected: dict[str, Any]) -> None:
    [receipt] = read(event)
    assert told(receipt) == {**SMS, **expected}


def test_an_sms_event_with_little_in_it_says_little() -> None:
    [receipt] = read({"eventType": "TEXT_DELIVERED", "eventTimestamp": 1_795_147_200_000})
    assert told(receipt) == {
        "provider": "sms",
        "channel": "sms",
        "kind": "delivered",
        "at": "2026-11-20T04:00:00.000Z",
        "code": "TEXT_DELIVERED",
        "raw": "sqs:1",
    }


# --- OpenText -----------------------------------------------------------------------------------------------

OPENTEXT = {
    "provider": "opentext",
    "notice_id": NOTICE,
    "attempt": 1,
    "recipient": ADDRESS,
    "ref": "xsi2-1",
    "raw": "sqs:1",
    "at": "2026-11-20T04:25:00.000Z",
}
SENT = {**OPENTEXT, "kind": "sent", "at": "2026-11-20T04:20:03.000Z", "reason": "Sent"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (status(), []),
        (
            status(**dsn_event(5, 1, 1, message=f"user unknown <{ADDRESS}>")),
            [{"kind": "hard_bounce", "code": "5.1.1", "reason": "user unknown <(address)>"}],
        ),
        (
            status(**email_events(opt_out={"event_time": "2026-11-20T04:25:00Z"})),
            [{"kind": "unsubscribed"}],
        ),
        (
            status(**email_events(html_open=[{"event_time": "2026-11-20T04:25:00Z"}])),
            [{"kind": "opened"}],
        ),
    ],
)
def test_a_status_of_opentext_whole(document: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    first, *rest = read(document)
    assert told(first) == SENT
    assert [told(row) for row in rest] == [{**OPENTEXT, **row} for row in expected]


def test_attempts_that_ended_say_how_and_those_on_their_way_say_nothing() -> None:
    rows = [
        {"state": "InProcess", "first_attempt": "2026-11-20T04:20:01Z"},
        {"state": "Error", "gamma_code": 501, "first_attempt": "2026-11-20T04:20:02Z"},
        {"state": "Sent", "gamma_code": 207, "first_attempt": "2026-11-20T04:20:03Z"},
        {"state": "Expired"},
        {"state": "Sent"},
    ]
    assert [(r.kind, r.at[11:19], r.code, r.reason) for r in read(status(delivery_attempts=rows))] == [
        (Kind.NOT_DELIVERED, "04:20:02", "gamma 501", "Error"),
        (Kind.NOT_DELIVERED, "04:20:03", "gamma 207", "Sent"),
        (Kind.GAVE_UP, "04:20:00", "", "Expired"),
        (Kind.SENT, "04:20:00", "", "Sent"),
    ]


# --- Exstream -----------------------------------------------------------------------------------------------


def exstream(schema: str = "Exstream-Email-NDLV", **parts: Any) -> dict[str, Any]:
    return {
        "source": "exstream",
        "detail-type": schema,
        "detail": {
            "expctr": {"schemaType": schema, "eventId": "e-3", "eventDate": "2026-11-20T04:12:09.000Z"},
            "user": {"CustomerId": "C1", "QueueFilename": "D1.pdf", "CustomerEmail": "user@example.com"},
            **parts,
        },
    }


COMPOSER = {"provider": "exstream", "ref": "e-3", "raw": "sqs:1"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            exstream(
                exstreamEmailStatistics={
                    "domain": "retail",
                    "customerEmailId": ADDRESS,
                    "creationTime": "2026-11-20T05:00:00.000Z",
                    "emailProvider": "smtp",
                }
            ),
            {
                "kind": "composer_undelivered",
                "at": "2026-11-20T05:00:00.000Z",
                "notice_id": "retail/C1/D1.pdf",
                "recipient": ADDRESS,
                "code": "NDLV",
                "reason": "smtp",
            },
        ),
        (
            exstream("Exstream-SMS-Failed", exstreamJob={"domain": "cards", "status": "Failed"}),
            {
                "kind": "composer_failed",
                "channel": "sms",
                "at": "2026-11-20T04:12:09.000Z",
                "notice_id": "cards/C1/D1.pdf",
                "recipient": "user@example.com",
                "code": "Failed",
                "reason": "Failed",
            },
        ),
    ],
)
def test_an_event_of_exstreams_own_delivery_whole(event: dict[str, Any], expected: dict[str, Any]) -> None:
    [receipt] = read(event)
    assert told(receipt) == {**COMPOSER, **expected}


def test_an_event_of_exstream_without_a_time_happened_now() -> None:
    event = exstream()
    del event["detail"]["expctr"]["eventDate"]
    [receipt] = read(event)
    assert receipt.at == NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with pytest.raises(ReceiptUnusable, match="an Exstream event that reports no delivery"):
        read(exstream("Exstream-Email-Sent"))


# --- what is kept of it -------------------------------------------------------------------------------------


def test_long_texts_are_cut_and_half_characters_replaced() -> None:
    event = ses("Reject", reject={"reason": "r" * 1000})
    event["mail"] |= {"messageId": "m" * 1000, "source": "s" * 1000 + "\ud800"}
    [receipt] = read(event)
    assert (len(receipt.reason) <= 200, len(receipt.ref), len(receipt.sender)) == (True, 200, 254)
    bounced = ses(
        "Bounce",
        bounce={
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "a" * 1000, "status": "5" * 1000}],
        },
    )
    [receipt] = read(bounced)
    assert (len(receipt.recipient), len(receipt.code)) == (400, 100)
    half = ses("Send", send={})
    half["mail"]["messageId"] = "m\ud800"
    assert read(half)[0].ref == "m?"


def test_one_row_that_is_no_receipt_loses_itself_and_says_how_many_more() -> None:
    good = {"body": json.dumps(ses("Send", send=THEN))}
    with pytest.raises(ReceiptUnusable) as refused:
        read({"Records": [{"x": 1}, good, {"body": "no JSON"}, good]})
    assert str(refused.value) == "a record of a service that reports no delivery, and 1 more"
    assert [(r.kind, r.raw) for r in refused.value.receipts] == [(Kind.SENT, "sqs:1")] * 2
    with pytest.raises(ReceiptUnusable) as alone:
        read({"Records": [good, {"x": 1}]})
    assert str(alone.value) == "a record of a service that reports no delivery"


def test_who_says_it() -> None:
    assert read(ses("Send", send={}))[0].said_by is Source.PROVIDER
    assert read(sms())[0].said_by is Source.PROVIDER
