"""Receipts in the providers' own shapes, in the order in which they are told."""

import json
from typing import Any

import pytest

from exnotify.simulators import BEHAVIOURS, Behaviour, Fate, Receipt, Simulators, receipts
from exnotify.simulators.sms_parts import encoding_and_parts
from exnotify.simulators.timeline import TIMELINES, Step
from exstream_notify.adapters.providers.opentext_status import decode_status

PROVIDERS = {
    "ses": {"channel": "email", "details": (("configuration_set", "notices"), ("tag:notice_id", "n1"))},
    "sms": {
        "channel": "sms",
        "to": "+12025550142",
        "sender": "+12025550199",
        "html": "",
        "details": (("message_type", "TRANSACTIONAL"), ("context:notice_id", "n1")),
    },
    "opentext": {"channel": "email", "job_id": "xsi2-1", "details": (("customer_reference", "r-1"),)},
}


def told(message: Any, provider: str, fate: Fate, **changes: Any) -> list[Receipt]:
    made = message(provider=provider, **{**PROVIDERS[provider], **changes})
    return receipts(made, Behaviour("x", "00", fate=fate))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fate", Fate)
def test_every_fate_of_every_provider_is_told_in_order(provider: str, fate: Fate, message: Any) -> None:
    found = told(message, provider, fate)
    assert [r.after for r in found] == sorted(r.after for r in found)
    assert len(found) == len(TIMELINES[fate])
    assert json.loads(json.dumps([r.document for r in found])) == [r.document for r in found]


def test_a_receipt_depends_on_the_address_where_nothing_else_is_said(message: Any) -> None:
    by_address = receipts(message(to="bounce@example.com"))
    assert [r.document["eventType"] for r in by_address] == ["Send", "Bounce"]


def test_receipts_can_all_be_late(message: Any) -> None:
    assert [r.after for r in receipts(message(), late=100)] == [101, 105]


def test_an_ses_bounce_has_the_shape_of_event_publishing(message: Any) -> None:
    bounce = told(message, "ses", Fate.BOUNCED)[-1].document
    assert set(bounce) == {"eventType", "bounce", "mail"}
    assert bounce["bounce"] == {
        "bounceType": "Permanent",
        "bounceSubType": "NoEmail",
        "bouncedRecipients": [
            {
                "emailAddress": "ann@example.com",
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }
        ],
        "timestamp": "2026-11-20T04:20:06.000Z",
        "feedbackId": "m-1-bounced",
        "reportingMTA": "dns; example.com",
    }
    assert bounce["mail"]["tags"] == {"ses:configuration-set": ["notices"], "notice_id": ["n1"]}
    assert bounce["mail"]["destination"] == ["ann@example.com"]
    assert bounce["mail"]["messageId"] == "m-1"
    assert bounce["mail"]["timestamp"] == "2026-11-20T04:20:00.000Z"


@pytest.mark.parametrize(
    ("fate", "events"),
    [
        (Fate.DELIVERED, ["Send", "Delivery"]),
        (Fate.FULL, ["Send", "Bounce Transient MailboxFull"]),
        (Fate.BLOCKED, ["Send", "Bounce Transient ContentRejected"]),
        (Fate.COMPLAINED, ["Send", "Delivery", "Complaint"]),
        (Fate.DELAYED, ["Send", "DeliveryDelay", "Delivery"]),
        (Fate.EXPIRED, ["Send", "DeliveryDelay", "Bounce Transient General"]),
        (Fate.BOUNCED_LATE, ["Send", "Delivery", "Bounce Permanent NoEmail"]),
        (Fate.TWICE, ["Send", "Send", "Delivery", "Delivery"]),
        (Fate.DISORDERED, ["Delivery", "Send"]),
        (Fate.SILENT, []),
    ],
)
def test_ses_fates(fate: Fate, events: list[str], message: Any) -> None:
    def name(document: dict[str, Any]) -> str:
        bounce = document.get("bounce", {})
        words = [document["eventType"], bounce.get("bounceType", ""), bounce.get("bounceSubType", "")]
        return " ".join(word for word in words if word)

    assert [name(r.document) for r in told(message, "ses", fate)] == events


@pytest.mark.parametrize(
    ("fate", "events"),
    [
        (Fate.DELIVERED, ["TEXT_QUEUED", "TEXT_DELIVERED!"]),
        (Fate.BOUNCED, ["TEXT_QUEUED", "TEXT_INVALID!"]),
        (Fate.FULL, ["TEXT_QUEUED", "TEXT_UNREACHABLE!"]),
        (Fate.BLOCKED, ["TEXT_QUEUED", "TEXT_CARRIER_BLOCKED!"]),
        (Fate.DELAYED, ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_DELIVERED!"]),
        (Fate.EXPIRED, ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_TTL_EXPIRED!"]),
        (Fate.COMPLAINED, ["TEXT_QUEUED", "TEXT_DELIVERED!", "STOP"]),
    ],
)
def test_sms_fates(fate: Fate, events: list[str], message: Any) -> None:
    def name(receipt: Receipt) -> str:
        if receipt.kind == "reply":
            return str(receipt.document["messageKeyword"])
        return receipt.document["eventType"] + ("!" if receipt.document["isFinal"] else "")

    assert [name(r) for r in told(message, "sms", fate)] == events


def test_an_sms_event_has_the_shape_of_the_service(message: Any) -> None:
    event = told(message, "sms", Fate.DELIVERED)[-1].document
    assert event == {
        "eventType": "TEXT_DELIVERED",
        "eventVersion": "1.0",
        "eventTimestamp": 1795148405000,
        "isFinal": True,
        "originationPhoneNumber": "+12025550199",
        "destinationPhoneNumber": "+12025550142",
        "isoCountryCode": "US",
        "messageId": "m-1",
        "messageRequestTimestamp": 1795148400000,
        "messageEncoding": "GSM",
        "messageType": "TRANSACTIONAL",
        "messageStatus": "DELIVERED",
        "messageStatusDescription": "Message has been accepted by phone",
        "context": {"notice_id": "n1"},
        "totalMessageParts": 1,
        "totalMessagePrice": 0.00581,
        "totalCarrierFee": 0.003,
    }


def test_a_reply_answers_the_number_that_wrote(message: Any) -> None:
    reply = told(message, "sms", Fate.COMPLAINED)[-1].document
    assert (reply["originationNumber"], reply["destinationNumber"]) == ("+12025550142", "+12025550199")
    assert reply["previousPublishedMessageId"] == "m-1"


@pytest.mark.parametrize(
    ("fate", "codes", "state"),
    [
        (Fate.DELIVERED, ["2.1.5"], "Sent"),
        (Fate.BOUNCED, ["5.1.1"], "Sent"),
        (Fate.FULL, ["4.2.2"], "Sent"),
        (Fate.DELAYED, ["4.4.1", "2.1.5"], "Sent"),
        (Fate.EXPIRED, ["4.4.1", "4.4.7"], "Expired"),
    ],
)
def test_opentext_pushes_the_status_as_the_status_call_gives_it(
    fate: Fate, codes: list[str], state: str, message: Any
) -> None:
    last = decode_status(told(message, "opentext", fate)[-1].document)
    assert (last.job_id, last.customer_reference) == ("xsi2-1", "r-1")
    (delivery,) = last.deliveries
    assert (delivery.ref, delivery.address) == (f"{1:032x}:2", "ann@example.com")
    assert [event.enhanced for event in delivery.events] == codes
    assert [attempt.state for attempt in delivery.attempts] == [state]


def test_sent_is_not_delivered(message: Any) -> None:
    first = decode_status(told(message, "opentext", Fate.BOUNCED)[0].document)
    assert first.deliveries[0].attempts[0].state == "Sent"
    assert first.deliveries[0].events == ()


def test_every_step_that_can_happen_is_in_some_timeline() -> None:
    assert {moment.step for timeline in TIMELINES.values() for moment in timeline} == set(Step)
    assert set(TIMELINES) == set(Fate) == {row.fate for row in BEHAVIOURS}


def test_the_sink_gets_each_accepted_message_with_its_receipts(post: Any, simulators: Simulators) -> None:
    got: list[tuple[str, list[str]]] = []
    for provider in simulators.providers:
        provider.sink = lambda kept, found: got.append((kept.to, [r.document["eventType"] for r in found]))
    words = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    document = {
        "FromEmailAddress": "notices@example.com",
        "Destination": {"ToAddresses": ["bounce@example.com"]},
        "Content": {"Simple": words},
    }
    assert post("ses", document).status_code == 200
    assert (
        post("ses", {**document, "Destination": {"ToAddresses": ["throttle@example.com"]}}).status_code == 429
    )
    assert got == [("bounce@example.com", ["Send", "Bounce"])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, ("GSM", 1)),
        ("a" * 161, ("GSM", 2)),
        ("a" * 306, ("GSM", 2)),
        ("a" * 307, ("GSM", 3)),
        ("€" * 80, ("GSM", 1)),
        ("€" * 81, ("GSM", 2)),
        ("a" * 152 + "€" + "a" * 10, ("GSM", 2)),
        ("€" * 152, ("GSM", 2)),
        ("€" * 153, ("GSM", 3)),
        ("ł" * 70, ("Unicode", 1)),
        ("ł" * 71, ("Unicode", 2)),
        ("ł" * 134, ("Unicode", 2)),
        ("👋" * 35, ("Unicode", 1)),
        ("👋" * 36, ("Unicode", 2)),
        ("👋" * 67, ("Unicode", 3)),
        ("\u00a0", ("Unicode", 1)),
        ("", ("GSM", 1)),
    ],
)
def test_parts_of_a_text(text: str, expected: tuple[str, int]) -> None:
    assert encoding_and_parts(text) == expected
