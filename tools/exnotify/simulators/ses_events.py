"""Events of Amazon SES, in the shape of its event publishing (what SNS carries as `Message`)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .store import SimulatedMessage
from .timeline import Moment, Step

ACCOUNT = "123456789012"

_BOUNCES: Final[Mapping[Step, tuple[str, str, str, str]]] = {
    Step.BOUNCED: ("Permanent", "NoEmail", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    Step.FULL: ("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
    Step.BLOCKED: ("Transient", "ContentRejected", "5.6.0", "smtp; 554 5.6.0 content rejected"),
    Step.EXPIRED: ("Transient", "General", "4.4.7", "smtp; 421 4.4.7 message expired"),
    Step.UNDETERMINED: ("Undetermined", "Undetermined", "", ""),
}


def ses_event(message: SimulatedMessage, moment: Moment) -> dict[str, Any]:
    """The event of one step."""
    at = stamp(message.sent_at + timedelta(seconds=moment.happened))
    feedback = f"{message.message_id}-{moment.step.name.lower()}"
    event: dict[str, Any]
    if moment.step in _BOUNCES:
        kind, subtype, status, diagnostic = _BOUNCES[moment.step]
        recipient = {"emailAddress": message.to}
        if status:
            recipient |= {"action": "failed", "status": status, "diagnosticCode": diagnostic}
        event = {
            "eventType": "Bounce",
            "bounce": {
                "bounceType": kind,
                "bounceSubType": subtype,
                "bouncedRecipients": [recipient],
                "timestamp": at,
                "feedbackId": feedback,
                "reportingMTA": "dns; example.com",
            },
        }
    elif moment.step is Step.COMPLAINED:
        event = {
            "eventType": "Complaint",
            "complaint": {
                "complainedRecipients": [{"emailAddress": message.to}],
                "timestamp": at,
                "feedbackId": feedback,
                "complaintSubType": None,
                "userAgent": "FBL/1",
                "complaintFeedbackType": "abuse",
                "arrivalDate": at,
            },
        }
    elif moment.step is Step.DELAYED:
        event = {
            "eventType": "DeliveryDelay",
            "deliveryDelay": {
                "timestamp": at,
                "delayType": "TransientCommunicationFailure",
                "expirationTime": stamp(message.sent_at + timedelta(hours=14)),
                "delayedRecipients": [
                    {
                        "emailAddress": message.to,
                        "status": "4.4.1",
                        "diagnosticCode": "smtp; 421 4.4.1 try later",
                    }
                ],
            },
        }
    elif moment.step is Step.DELIVERED:
        event = {
            "eventType": "Delivery",
            "delivery": {
                "timestamp": at,
                "processingTimeMillis": round(moment.happened * 1000),
                "recipients": [message.to],
                "smtpResponse": "250 ok",
                "reportingMTA": "a8.example.com",
            },
        }
    else:
        event = {"eventType": "Send", "send": {}}
    return {**event, "mail": _mail(message)}


def _mail(message: SimulatedMessage) -> dict[str, Any]:
    tags = {name.removeprefix("tag:"): [value] for name, value in message.details if name.startswith("tag:")}
    configuration_set = message.detail("configuration_set")
    sender = f"{message.sender_name} <{message.sender}>" if message.sender_name else message.sender
    return {
        "timestamp": stamp(message.sent_at),
        "messageId": message.message_id,
        "source": sender,
        "sendingAccountId": ACCOUNT,
        "destination": [message.to],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": sender},
            {"name": "To", "value": message.to},
            {"name": "Subject", "value": message.subject},
            *({"name": name, "value": value} for name, value in message.headers),
        ],
        "commonHeaders": {
            "from": [sender],
            "to": [message.to],
            "messageId": message.message_id,
            "subject": message.subject,
        },
        "tags": ({"ses:configuration-set": [configuration_set]} if configuration_set else {}) | tags,
    }


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
