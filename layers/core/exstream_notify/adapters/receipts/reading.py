"""Reads what lies on the receipt queue, in whichever envelope it came, into receipts."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from ...domain.documents import Channel
from ...domain.reasons import scrubbed
from ...domain.receipts import (
    EXSTREAM_EVENTS,
    OPENTEXT_FAILURES,
    SES_COMPLAINTS,
    SES_ECHO_SUBTYPES,
    SMS_EVENTS,
    SMS_FAILED,
    SMS_FAILURES,
    SMS_STATES,
    Kind,
    Receipt,
    Source,
    moment,
    stamp,
)
from ...domain.references import HEADER, said
from ...domain.verdicts import Report, Verdicts
from ..providers.opentext_status import Delivery, DeliveryEvent, JobStatus, StatusUnreadable, decode_status
from .mails import MailReading, Phrases, read_mail

_DEPTH = 3
"""Envelopes within envelopes: SNS within SQS, and one more."""


class ReceiptUnusable(Exception):
    """A message on the receipt queue that is not a receipt. The text contains no personal data.

    `receipts` are the ones that could be read from the same message.
    """

    def __init__(self, why: str, receipts: Sequence[Receipt] = ()) -> None:
        super().__init__(why)
        self.receipts = list(receipts)


IdentifyDocument = Callable[[str, Mapping[str, Any]], str]
"""The notice id of a composer's document: its domain and the manifest's fields; empty if there is none."""

LoadMail = Callable[[str, str], bytes]
"""The first bytes of a mail: bucket and key."""

Verify = Callable[[str], tuple[str, int] | None]
"""The notice id and the attempt of a reference that we made, else None."""


class ReceiptReader:
    """Reads a queue's messages. `raw` names each message where it can be found again.

    `verify` reads the references in mails; None where the site takes no mails: then none is read, whoever put
    the message on the queue.
    """

    def __init__(
        self,
        phrases: Phrases,
        verdicts: Verdicts,
        load_mail: LoadMail,
        identify: IdentifyDocument,
        verify: Verify | None,
        now: Callable[[], datetime],
    ) -> None:
        self._phrases = phrases
        self._verdicts = verdicts
        self._load_mail = load_mail
        self._identify = identify
        self._verify = verify
        self._now = now

    def read(self, body: str, raw: str) -> list[Receipt]:
        """The receipts of one message, none for a greeting of SNS; `ReceiptUnusable` for anything else, with
        what could be read beside it."""
        try:
            return _named(self._unwrap(body, 0), raw)
        except ReceiptUnusable as unusable:
            raise ReceiptUnusable(str(unusable), _named(unusable.receipts, raw)) from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ReceiptUnusable(f"not in the form of its kind: {type(error).__name__}") from error

    def _unwrap(self, body: object, depth: int) -> list[Receipt]:
        if isinstance(body, str):
            if body.startswith("Successfully validated SNS topic"):
                return []
            try:
                body = json.loads(body)
            except (ValueError, RecursionError):
                raise ReceiptUnusable("neither JSON nor a greeting") from None
        if not isinstance(body, dict) or depth > _DEPTH:
            raise ReceiptUnusable("no object")
        if body.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
            return []
        if "Message" in body and ("TopicArn" in body or body.get("Type") == "Notification"):
            return self._unwrap(body["Message"], depth + 1)
        if isinstance(body.get("Records"), list):
            return _each(body["Records"], lambda record: self._record(record, depth))
        if "detail-type" in body and "detail" in body:
            return self._event(body, depth)
        if str(body.get("eventType", "")).partition("_")[0] in _SMS_KINDS:
            return sms_receipts(body, self._verdicts)
        if "notification" in body and "delivery" in body:
            raise ReceiptUnusable("a delivery log of SNS, which sent no message of ours")
        if "mail" in body or body.get("notificationType") == "AmazonSnsSubscriptionSucceeded":
            return ses_receipts(body, self._verdicts)
        if "job_id" in body:
            return opentext_receipts(body, self._verdicts)
        if "expctr" in body:
            return self._exstream(body)
        raise ReceiptUnusable("no kind of receipt that is known")

    def _record(self, record: Mapping[str, Any], depth: int) -> list[Receipt]:
        """One of the `Records` that SNS, SQS and S3 hand to functions, if somebody passes them on whole."""
        if "Sns" in record:
            return self._unwrap(record["Sns"]["Message"], depth + 1)
        if "s3" in record:
            place = record["s3"]
            # S3's own notifications encode keys; EventBridge gives them as they are.
            return self._mail(place["bucket"]["name"], unquote_plus(place["object"]["key"]))
        if "body" in record:
            return self._unwrap(record["body"], depth + 1)
        raise ReceiptUnusable("a record of a service that reports no delivery")

    def _mail(self, bucket: str, key: str) -> list[Receipt]:
        if self._verify is None:
            raise ReceiptUnusable("a bounce mail, and the stack takes none (parameter BounceMails)")
        data = self._load_mail(bucket, key)
        reading = read_mail(data, self._phrases, self._verdicts)
        return mail_receipts(reading, f"s3://{bucket}/{key}", self._verify, self._now())

    def _event(self, event: Mapping[str, Any], depth: int) -> list[Receipt]:
        source, detail = event.get("source"), event["detail"]
        if source == "aws.s3":
            return self._mail(detail["bucket"]["name"], detail["object"]["key"])
        if source == "exstream":
            return self._exstream(detail)
        return self._unwrap(detail, depth + 1)

    def _exstream(self, detail: Mapping[str, Any]) -> list[Receipt]:
        """An event of Exstream's own delivery: `-Failed`, `-NDLV`."""
        head = detail["expctr"]
        schema = str(head["schemaType"])
        kind = next((kind for end, kind in EXSTREAM_EVENTS if schema.endswith(end)), Kind.UNKNOWN)
        if kind is Kind.UNKNOWN:
            raise ReceiptUnusable("an Exstream event that reports no delivery")
        job = detail.get("exstreamJob") or detail.get("exstreamEmailStatistics") or {}
        statistics = detail.get("exstreamEmailStatistics") or {}
        user = detail.get("user") or {}
        channel: Channel = "sms" if "sms" in schema.lower() else "email"
        at = moment(str(statistics.get("creationTime") or head.get("eventDate") or "")) or self._now()
        domain = str(job.get("domain") or statistics.get("domain") or "")
        return [
            Receipt(
                "exstream",
                channel,
                kind,
                stamp(at),
                notice_id=self._identify(domain, {**user, "communication_id": job.get("communicationId")}),
                recipient=str(statistics.get("customerEmailId") or user.get("CustomerEmail") or ""),
                code=schema.rpartition("-")[2],
                reason=scrubbed(job.get("status") or statistics.get("emailProvider")),
                ref=str(head.get("eventId", "")),
            )
        ]


_LONGEST: Mapping[str, int] = {"code": 100, "ref": 200, "sender": 254, "recipient": 400, "reason": 200}
"""Characters that are kept of what a report says; a stranger's mail server words some of it."""


def _named(receipts: Iterable[Receipt], raw: str) -> list[Receipt]:
    return [replace(receipt, raw=receipt.raw or raw, **_texts(receipt)) for receipt in receipts]


def _texts(receipt: Receipt) -> dict[str, Any]:
    """What a receipt says, so that it can be stored: half characters of a text that was cut are replaced."""
    told = {name: _whole(getattr(receipt, name)[:most]) for name, most in _LONGEST.items()}
    return {**told, "also": tuple(_whole(name[: _LONGEST["recipient"]]) for name in receipt.also)}


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _each(rows: Iterable[Any], read: Callable[[Any], Iterable[Receipt]]) -> list[Receipt]:
    """The receipts of all rows; `ReceiptUnusable` with them where a row is none: it loses only itself."""
    receipts: list[Receipt] = []
    unusable: list[str] = []
    for row in rows:
        try:
            receipts += read(row)
        except ReceiptUnusable as error:
            receipts += error.receipts
            unusable.append(str(error))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            unusable.append(f"not in the form of its kind: {type(error).__name__}")
    if unusable:
        more = f", and {len(unusable) - 1} more" if len(unusable) > 1 else ""
        raise ReceiptUnusable(f"{unusable[0]}{more}", receipts)
    return receipts


def _reference(value: object) -> tuple[str, int | None]:
    """Notice id and attempt of a reference of ours, `<notice id>:<attempt>` or the id alone."""
    identity, _, number = str(value or "").partition(":")
    attempt = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None
    return identity.encode("ascii", "replace").decode().lower()[:64], attempt


def _time(value: object, otherwise: object = "") -> str:
    """A time as receipts are compared; the beginning of time where none is told: that is never new."""
    at = moment(str(value or "")) or moment(str(otherwise or ""))
    return stamp(at) if at else "1970-01-01T00:00:00.000Z"


# --- Amazon SES ----------------------------------------------------------------------------------------


def ses_receipts(event: Mapping[str, Any], verdicts: Verdicts) -> list[Receipt]:
    """Event publishing (`eventType`) and identity feedback (`notificationType`); one receipt a recipient."""
    kind = str(event.get("eventType") or event.get("notificationType") or "")
    if kind == "AmazonSnsSubscriptionSucceeded":
        return []
    mail = event["mail"]
    destination = [str(a) for a in mail.get("destination") or ()]
    tags = mail.get("tags") or {}
    identity, attempt = _reference(next(iter(tags.get("notice_id") or ()), "")) if tags else _in_header(mail)
    if number := next(iter(tags.get("attempt") or ()), None):
        attempt = _reference(f"x:{number}")[1]
    base = Receipt(
        "ses",
        "email",
        Kind.UNKNOWN,
        _time(mail.get("timestamp")),
        notice_id=identity,
        attempt=attempt,
        sole=len(destination) <= 1,
        ref=str(mail.get("messageId", "")),
        sender=_sender(mail.get("source")),
    )
    if kind == "Bounce":
        return list(_ses_bounce(event, base, destination, verdicts))
    return list(_SES.get(kind, _ses_unknown)(event, base, destination))


def _in_header(mail: Mapping[str, Any]) -> tuple[str, int | None]:
    """What identity feedback names, which has no tags. It comes from SES itself, with the headers of what we
    sent, so the reference need not prove anything."""
    headers = ((str(row.get("name", "")), str(row.get("value", ""))) for row in mail.get("headers") or ())
    value = next((value for name, value in headers if name.lower() == HEADER.lower()), "")
    return said(value.strip()) or _reference(value)


def _address(row: Mapping[str, Any]) -> str:
    return str(row.get("emailAddress") or "")


def _sender(source: object) -> str:
    return str(source or "").rpartition("<")[2].rstrip("> ").lower()[:254]


def _ses_bounce(
    event: Mapping[str, Any], base: Receipt, to: list[str], verdicts: Verdicts
) -> Iterator[Receipt]:
    bounce = event["bounce"]
    types = str(bounce.get("bounceType", "")), str(bounce.get("bounceSubType", ""))
    for row in bounce.get("bouncedRecipients") or [{"emailAddress": a} for a in to[:1] if len(to) == 1]:
        yield replace(
            base,
            kind=_ses_bounce_kind(types, row, verdicts),
            at=_time(bounce.get("timestamp"), base.at),
            recipient=_address(row),
            code=str(row.get("status") or "/".join(types)),
            reason=scrubbed(row.get("diagnosticCode") or "/".join(types), address=_address(row)),
        )


def _ses_bounce_kind(types: tuple[str, str], row: Mapping[str, Any], verdicts: Verdicts) -> Kind:
    """A recipient's bounce. Without a delivery status notification a general transient one is what SES makes
    of an automatic reply, and one of an undetermined type may be anything."""
    if types[0] == "Permanent" and SES_ECHO_SUBTYPES.search(types[1]):
        return Kind.ECHO_BOUNCE
    if not any(row.get(name) for name in ("action", "status", "diagnosticCode")):
        if types == ("Transient", "General"):
            return Kind.AUTO_REPLY
        if types[0] not in ("Permanent", "Transient"):
            return Kind.UNDETERMINED
    answer, status = str(row.get("diagnosticCode") or ""), str(row.get("status") or "")
    return verdicts.kind_of(Report("email", answer, f"{status} ses:{'/'.join(types)}"))


def _ses_complaint(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    complaint = event["complaint"]
    subtype, feedback = complaint.get("complaintSubType"), str(complaint.get("complaintFeedbackType") or "")
    kind = Kind.ECHO_COMPLAINT if subtype else SES_COMPLAINTS.get(feedback, Kind.COMPLAINT)
    rows = complaint.get("complainedRecipients") or [{"emailAddress": a} for a in to if len(to) == 1]
    for row in rows or [{}]:
        yield replace(
            base,
            kind=kind,
            at=_time(complaint.get("timestamp") or complaint.get("arrivalDate"), base.at),
            recipient=_address(row),
            code=str(subtype or feedback or "complaint"),
        )


def _ses_delivery(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    delivery = event["delivery"]
    for address in delivery.get("recipients") or to:
        yield replace(
            base,
            kind=Kind.DELIVERED,
            at=_time(delivery.get("timestamp"), base.at),
            recipient=str(address),
            reason=scrubbed(delivery.get("smtpResponse"), address=str(address)),
        )


def _ses_delay(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    delay = event["deliveryDelay"]
    for row in delay.get("delayedRecipients") or ({"emailAddress": a} for a in to):
        yield replace(
            base,
            kind=Kind.DELAYED,
            at=_time(delay.get("timestamp"), base.at),
            recipient=_address(row),
            code=str(row.get("status") or delay.get("delayType") or ""),
            reason=scrubbed(
                f"{delay.get('delayType', '')} {row.get('diagnosticCode', '')}", address=_address(row)
            ),
            until=_time(delay.get("expirationTime")) if delay.get("expirationTime") else "",
        )


def _ses_plain(kind: Kind, name: str, reason: str) -> "_SesReader":
    def read(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
        told = event.get(name) or {}
        recipient = to[0] if len(to) == 1 else ""
        at = _time(told.get("timestamp"), base.at)
        yield replace(base, kind=kind, at=at, recipient=recipient, reason=scrubbed(told.get(reason)))

    return read


def _ses_subscription(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    told = event["subscription"]
    everything = bool((told.get("newTopicPreferences") or {}).get("unsubscribeAll"))
    yield replace(
        base,
        kind=Kind.UNSUBSCRIBED if everything else Kind.OPENED,
        at=_time(told.get("timestamp"), base.at),
        recipient=to[0] if len(to) == 1 else "",
        code="subscription",
    )


def _ses_received(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    raise ReceiptUnusable("incoming mail that SES announces: bounce mails are read from the mail bucket")


def _ses_unknown(event: Mapping[str, Any], base: Receipt, to: list[str]) -> Iterator[Receipt]:
    raise ReceiptUnusable("an SES event of a type that is not known")


_SesReader = Callable[[Mapping[str, Any], Receipt, list[str]], Iterator[Receipt]]
_SES: Mapping[str, _SesReader] = {
    "Complaint": _ses_complaint,
    "Delivery": _ses_delivery,
    "DeliveryDelay": _ses_delay,
    "Send": _ses_plain(Kind.SENT, "send", ""),
    "Reject": _ses_plain(Kind.OUR_FAULT, "reject", "reason"),
    "Rendering Failure": _ses_plain(Kind.OUR_FAULT, "failure", "errorMessage"),
    "Open": _ses_plain(Kind.OPENED, "open", ""),
    "Click": _ses_plain(Kind.OPENED, "click", ""),
    "Subscription": _ses_subscription,
    "Received": _ses_received,
}

SES_EVENTS: frozenset[str] = frozenset({"Bounce", *_SES}) - {
    "Send",
    "Open",
    "Click",
    "Subscription",
    "Received",
}
"""Event types ("Set up event publishing", SES developer guide) that the configuration set must publish.
Without those left out nothing is missing: a send is known from its call, and the others change no notice."""


# --- SMS -------------------------------------------------------------------------------------------------


_SMS_KINDS = frozenset(name.partition("_")[0] for name in SMS_EVENTS)


def sms_receipts(event: Mapping[str, Any], verdicts: Verdicts) -> list[Receipt]:
    """An event of AWS End User Messaging SMS."""
    context = event.get("context") or {}
    identity, attempt = _reference(context.get("notice_id"))
    if number := context.get("attempt"):
        attempt = _reference(f"x:{number}")[1]
    kind = _sms_kind(event, verdicts)
    if kind is Kind.UNKNOWN:
        raise ReceiptUnusable("an SMS event of a type that is not known")
    at = datetime.fromtimestamp(float(event["eventTimestamp"]) / 1000, UTC)
    return [
        Receipt(
            "sms",
            "sms",
            kind,
            stamp(at),
            notice_id=identity,
            attempt=attempt,
            recipient=str(event.get("destinationPhoneNumber") or ""),
            code=str(event.get("messageStatus") or event["eventType"]),
            reason=scrubbed(event.get("messageStatusDescription")),
            ref=str(event.get("messageId") or ""),
            sender=str(event.get("originationPhoneNumber") or ""),
        )
    ]


def _sms_kind(event: Mapping[str, Any], verdicts: Verdicts) -> Kind:
    """`*_SUCCESSFUL` means delivered only when final, and no failure counts before it is."""
    name, final = str(event["eventType"]), bool(event.get("isFinal"))
    if name in SMS_FAILURES:
        answer, state = str(event.get("messageStatusDescription") or ""), name.partition("_")[2]
        return verdicts.kind_of(Report("sms", answer, f"aws:{state}")) if final else Kind.DELAYED
    if final and name.endswith("_SUCCESSFUL"):
        return Kind.DELIVERED
    return SMS_EVENTS.get(name, Kind.UNKNOWN)


# --- OpenText Notifications ------------------------------------------------------------------------------


def opentext_receipts(document: Mapping[str, Any] | JobStatus, verdicts: Verdicts) -> list[Receipt]:
    """A status document, pushed or asked for: what it says of each delivery so far."""
    if not isinstance(document, JobStatus):
        try:
            document = decode_status(document)
        except StatusUnreadable as error:
            raise ReceiptUnusable(str(error)) from error
    job = document
    receipts = _each(job.deliveries, lambda delivery: _delivery(job, delivery, verdicts))
    if job.unreadable:
        more = f", and {len(job.unreadable) - 1} more" if len(job.unreadable) > 1 else ""
        raise ReceiptUnusable(f"{job.unreadable[0]}{more}", receipts)
    return receipts


def _delivery(job: JobStatus, delivery: Delivery, verdicts: Verdicts) -> Iterator[Receipt]:
    identity, attempt = _reference(delivery.ref)
    base = Receipt(
        "opentext",
        delivery.channel,
        Kind.UNKNOWN,
        _time(job.entry_time),
        notice_id=identity,
        attempt=attempt,
        recipient=delivery.address,
        ref=job.job_id,
    )
    for tried in delivery.attempts:
        if tried.state != "Sent" and tried.state not in OPENTEXT_FAILURES:
            continue
        gamma = "" if tried.gamma_code in (0, None) else f"gamma:{tried.gamma_code}"
        kind = Kind.SENT
        if gamma or tried.state != "Sent":
            # Mostly not delivered; an arrival event that follows says so, or the contrary.
            kind = verdicts.kind_of(Report(delivery.channel, status=f"opentext:{tried.state} {gamma}"))
        at = _time(tried.first_attempt, job.entry_time)
        yield replace(base, kind=kind, at=at, code=gamma.replace(":", " "), reason=tried.state)
    for event in delivery.events:
        yield replace(
            base,
            kind=_opentext_kind(event, verdicts),
            at=_time(event.at, job.entry_time),
            code=event.enhanced or event.status[:40],
            reason=scrubbed(event.message, address=delivery.address),
        )


def _opentext_kind(event: DeliveryEvent, verdicts: Verdicts) -> Kind:
    if event.kind == "opt_out":
        return Kind.UNSUBSCRIBED
    if event.kind in ("open", "pull"):
        return Kind.OPENED
    if event.kind == "sms":
        return _opentext_sms_kind(event, verdicts)
    if event.enhanced.startswith("2."):
        return Kind.DELIVERED
    if event.enhanced.startswith("4.") and event.enhanced not in ("4.2.2", "4.4.7"):
        # Class 4 of a DSN is either a delay or the end; only its detail tells, so all else is a delay.
        return Kind.DELAYED
    kind = verdicts.kind_of(Report("email", f"{event.enhanced} {event.message}", event.status))
    return kind if event.enhanced or kind is not Kind.NOT_DELIVERED else Kind.UNDETERMINED


_SMPP_STATE = re.compile(r"\bstat:([a-z]{5,8})\b", re.IGNORECASE)
"""The state in a receipt as SMPP 3.4, appendix B, writes it: `id:7 … stat:UNDELIV err:001 text:`."""

_SMPP_TEXT = re.compile(r"\btext:.*", re.IGNORECASE | re.DOTALL)
"""The end of such a receipt: the first characters of our own message, which say nothing of the number."""


def _opentext_sms_kind(event: DeliveryEvent, verdicts: Verdicts) -> Kind:
    written = _SMPP_STATE.search(event.message)
    state = (event.status.strip() or (written[1] if written else "")).lower()
    if state in SMS_FAILED:
        answer = _SMPP_TEXT.sub("", event.message) if written else event.message
        return verdicts.kind_of(Report("sms", answer, state))
    return SMS_STATES.get(state, Kind.UNDETERMINED)


# --- bounce mail -----------------------------------------------------------------------------------------


def mail_receipts(reading: MailReading, raw: str, verify: Verify, now: datetime) -> list[Receipt]:
    """The receipts of a bounce mail; `ReceiptUnusable` for one that reports nothing.

    Anybody can send a mail. The first reference of ours that verifies says which attempt it may be about;
    whether it is, the ledger knows (domain/provenance.py). Links and notice ids in a mail say nothing.
    """
    if reading.unusable:
        raise ReceiptUnusable(reading.unusable)
    named = next((one for raw in reading.references if (one := verify(raw))), None)
    at = reading.at if reading.at and reading.at <= stamp(now) else stamp(now)
    return [
        Receipt(
            "mail",
            "email",
            told.kind,
            at,
            notice_id=named[0] if named else "",
            attempt=named[1] if named else None,
            recipient=told.address,
            also=told.also,
            code=told.code,
            reason=told.reason,
            raw=raw,
            said_by=Source.BEARER if named else Source.ANYBODY,
        )
        for told in reading.told
    ]
