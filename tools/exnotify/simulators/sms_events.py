"""Events of AWS End User Messaging SMS v2, and replies to a number of ours."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from .sms_parts import encoding_and_parts
from .store import SimulatedMessage
from .timeline import Moment, Step

PRICE_PER_PART = 0.00581
CARRIER_FEE_PER_PART = 0.003
"""US dollars; examples, not a price list."""

_STATUSES: Final[Mapping[Step, tuple[str, str, bool]]] = {
    Step.SENT: ("QUEUED", "Message is queued for delivery", False),
    Step.DELIVERED: ("DELIVERED", "Message has been accepted by phone", True),
    Step.BOUNCED: ("INVALID", "Destination is invalid", True),
    Step.FULL: ("UNREACHABLE", "Destination unreachable", True),
    Step.BLOCKED: ("CARRIER_BLOCKED", "Message has been blocked by the carrier", True),
    Step.DELAYED: ("PENDING", "Message is awaiting delivery", False),
    Step.UNDETERMINED: ("UNKNOWN", "An unknown error occurred", True),
    Step.EXPIRED: ("TTL_EXPIRED", "Message expired before it could be delivered", True),
}


def sms_event(
    message: SimulatedMessage, moment: Moment
) -> tuple[dict[str, Any], Literal["receipt", "reply"]]:
    """The event of one step, or what the customer replied."""
    if moment.step is Step.COMPLAINED:
        return {
            "originationNumber": message.to,
            "destinationNumber": message.sender,
            "messageKeyword": "STOP",
            "messageBody": "Stop",
            "inboundMessageId": f"in-{message.message_id}",
            "previousPublishedMessageId": message.message_id,
        }, "reply"
    status, description, final = _STATUSES[moment.step]
    encoding, parts = encoding_and_parts(message.text)
    context = {name.removeprefix("context:"): v for name, v in message.details if name.startswith("context:")}
    requested = round(message.sent_at.timestamp() * 1000)
    happened = message.sent_at + timedelta(seconds=moment.happened)
    return {
        "eventType": f"TEXT_{status}",
        "eventVersion": "1.0",
        "eventTimestamp": round(happened.timestamp() * 1000),
        "isFinal": final,
        "originationPhoneNumber": message.sender,
        "destinationPhoneNumber": message.to,
        "isoCountryCode": "US" if message.to.startswith("+1") else None,
        "messageId": message.message_id,
        "messageRequestTimestamp": requested,
        "messageEncoding": encoding,
        "messageType": message.detail("message_type"),
        "messageStatus": status,
        "messageStatusDescription": description,
        "context": context,
        "totalMessageParts": parts,
        "totalMessagePrice": round(parts * PRICE_PER_PART, 5),
        "totalCarrierFee": round(parts * CARRIER_FEE_PER_PART, 5),
    }, "receipt"
