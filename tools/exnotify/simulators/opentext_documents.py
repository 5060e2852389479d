"""Status documents of OpenText Notifications.

Names, nesting and base64 echoes are as its public examples have them. What an e-mail's opt-out, an
unconfirmed SMS and a refused destination look like is not public and made up here.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from .store import Channel, SimulatedMessage
from .timeline import Step


@dataclass(frozen=True, slots=True)
class JobHead:
    """What a status document says of the job itself."""

    job_id: str
    channel: Channel
    entry_time: datetime
    customer_reference: str
    billing_code: str

    @classmethod
    def of(cls, message: SimulatedMessage) -> "JobHead":
        """The head of the job that a message belongs to."""
        reference, code = message.detail("customer_reference"), message.detail("billing_code")
        return cls(message.job_id, message.channel, message.sent_at, reference, code)


Happened: TypeAlias = Sequence[tuple[Step, datetime]]

_DSN: Final[Mapping[Step, tuple[int, int, int, str]]] = {
    Step.DELIVERED: (2, 1, 5, "delivered"),
    Step.BOUNCED: (5, 1, 1, "user unknown"),
    Step.FULL: (4, 2, 2, "mailbox full"),
    Step.BLOCKED: (5, 6, 0, "content rejected"),
    Step.DELAYED: (4, 4, 1, "still trying"),
    Step.EXPIRED: (4, 4, 7, "expired"),
    Step.UNDETERMINED: (5, 0, 0, "undetermined"),
}
_SMS: Final[Mapping[Step, tuple[str, str]]] = {
    Step.DELIVERED: ("Confirmed", ""),
    Step.BOUNCED: ("Failed", "invalid number"),
    Step.FULL: ("Failed", "unreachable"),
    Step.BLOCKED: ("Failed", "blocked by the carrier"),
    Step.DELAYED: ("Pending", "still trying"),
    Step.EXPIRED: ("Expired", ""),
    Step.UNDETERMINED: ("Unknown", ""),
}


def status_document(
    job: JobHead,
    deliveries: Sequence[tuple[SimulatedMessage, Happened]],
    refused: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """The document of a job; `refused` are reference and address of what was not sent."""
    complete = all(any(step is Step.SENT for step, _ in happened) for _, happened in deliveries)
    document: dict[str, Any] = {
        "job_id": job.job_id,
        "job_state": ["Complete", "Posted"] if complete else ["InProcess"],
        "entry_time": _stamp(job.entry_time),
    }
    for name in ("customer_reference", "billing_code"):
        if getattr(job, name):
            document[f"{name}_base64"] = _base64(getattr(job, name))
    rows = [_delivery(message, happened) for message, happened in deliveries]
    rows += [_refused(job, ref, address) for ref, address in refused]
    document["deliveries"] = rows
    if job.channel == "email":
        document["html_open_tracking"] = {"total_open_count": 0, "distinct_open_count": 0}
    return document


def _delivery(message: SimulatedMessage, happened: Happened) -> dict[str, Any]:
    steps = dict(happened)
    state = "Expired" if Step.EXPIRED in steps else "Sent" if Step.SENT in steps else "InProcess"
    attempt: dict[str, Any] = {"state": state}
    if Step.SENT in steps:
        attempt |= {"gamma_code": 0, "first_attempt": _stamp(steps[Step.SENT])}
    given = message.detail("address_given") or message.to
    if message.channel == "sms":
        events: dict[str, Any] = {
            "sms_delivery_events": [
                {"event_time": _stamp(at), "status": _SMS[step][0], "message": _SMS[step][1], "tags": ""}
                for step, at in happened
                if step in _SMS
            ]
        }
    else:
        complaint = next((at for step, at in happened if step is Step.COMPLAINED), None)
        events = {
            "email_delivery_events": {
                "dsn": [
                    dict(
                        zip(
                            ("arrival_time", "class", "subject", "detail", "message", "tags"),
                            (_stamp(at), *_DSN[step], ""),
                            strict=True,
                        )
                    )
                    for step, at in happened
                    if step in _DSN
                ],
                "html_open": [],
                "opt_out": {"event_time": _stamp(complaint)} if complaint else None,
                "pull": [],
            }
        }
    return {
        "ref_base64": _base64(message.ref),
        message.channel: given,
        "delivery_attempts": [attempt],
        "events": events,
    }


def _refused(job: JobHead, ref: str, address: str) -> dict[str, Any]:
    attempt = {"state": "Error", "gamma_code": 501, "first_attempt": _stamp(job.entry_time)}
    return {"ref_base64": _base64(ref), job.channel: address, "delivery_attempts": [attempt], "events": {}}


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
