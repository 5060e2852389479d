"""Which way a provider's receipt takes, told by its content alone, and sending it there."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .courier import PushRefusedError, hook_secret_of, push
from .errors import CommandError

if TYPE_CHECKING:
    from .deployment import Deployment

PLACEHOLDER = "REPLACE"
BOUNCE_MAIL = "bounce mail"
_LIMIT = 40_000_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """One receipt: what it is, and its content, JSON or a mail's bytes."""

    kind: str
    content: Any


def parcels(data: bytes, file: str, notice: str | None) -> list[Parcel]:
    """The receipts in a file, with the notice for each placeholder but in mails, which need more than its id;
    CommandError if there is none."""
    if len(data) > _LIMIT:
        raise CommandError(f"{file} is larger than any receipt: 40 MB at most")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        if b":" not in data[:1_000]:
            raise CommandError(f"{file} is neither JSON nor a mail") from None
        return [Parcel(BOUNCE_MAIL, data)]
    if notice:
        found = _filled(found, notice)
    rows = list(_opened(found))
    if not rows:
        raise CommandError(f"{file} holds no receipt that is known: docs/receipts.md names them")
    return rows


def _opened(value: Any) -> Iterator[Parcel]:
    """A receipt out of its envelopes; a queue's messages and lists one by one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, list):
        for one in value:
            yield from _opened(one)
        return
    if not isinstance(value, dict):
        return
    if "Records" in value:
        for record in value["Records"]:
            yield from _opened(record.get("body"))
    elif "Message" in value and ("TopicArn" in value or value.get("Type") == "Notification"):
        yield from _opened(value["Message"])
    elif "detail-type" in value and isinstance(value.get("detail"), dict):
        yield from (
            [Parcel("Exstream event", value)] if "expctr" in value["detail"] else _opened(value["detail"])
        )
    else:
        kind = next((kind for kind, fits in _KINDS.items() if fits(value)), None)
        if kind:
            yield Parcel(kind, value)


def _exstream(value: Mapping[str, Any]) -> bool:
    return "expctr" in value


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "SMS event": lambda v: str(v.get("eventType", "")).partition("_")[0] in {"TEXT", "MEDIA", "RCS", "VOICE"},
    "SMS reply": lambda v: "originationNumber" in v and "messageBody" in v,
    "SES event": lambda v: "mail" in v and ("eventType" in v or "notificationType" in v),
    "OpenText status": lambda v: isinstance(v.get("job_id"), str),
    "Exstream event": _exstream,
}


def _filled(value: Any, notice: str) -> Any:
    """The value with the placeholder filled in, also where it stands in base64."""
    if isinstance(value, Mapping):
        return {key: _filled(one, notice) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, notice) for one in value]
    if not isinstance(value, str):
        return value
    if value == base64.b64encode(PLACEHOLDER.encode()).decode():
        return base64.b64encode(notice.encode()).decode()
    return value.replace(PLACEHOLDER, notice)


def hand_in(target: "Deployment", parcel: Parcel, notice: str | None = None) -> dict[str, str]:
    """Send a receipt on its way; what it was, by which way, and its reference there.

    A mail gets the reference of the notice's attempt for its placeholder, as the message itself had it.
    """
    content = parcel.content
    if parcel.kind == BOUNCE_MAIL and notice and PLACEHOLDER.encode() in content:
        content = content.replace(PLACEHOLDER.encode(), reference_to(target, notice).encode())
    way, reference = _WAYS[parcel.kind](target, content)
    return {"kind": parcel.kind, "way": way, "reference": reference}


def reference_to(target: "Deployment", notice: str) -> str:
    """The reference in the mail of `<notice id>:<attempt>`, or of a notice's newest e-mail; CommandError."""
    notice_id, _, attempt = notice.partition(":")
    if not attempt:
        stored = target.app.ledger.get([notice_id]).get(notice_id)
        mails = [a.number for a in stored.attempts if a.channel == "email"] if stored else []
        attempt = str(mails[-1] if mails else 1)
    try:
        reference = target.app.references.make(f"{notice_id}:{attempt}")
    except ValueError:
        reference = ""
    if not reference:
        raise CommandError(f"{notice} is no notice that a mail can be about: say NOTICE or NOTICE:ATTEMPT")
    return reference


def _output(target: "Deployment", name: str, what: str) -> str:
    value = target.outputs.get(name, "")
    if not value:
        raise CommandError(f"{target.name} takes no {what}: it has no output {name}")
    return value


def _publish(name: str, what: str) -> Callable[["Deployment", Any], tuple[str, str]]:
    def way(target: "Deployment", content: Any) -> tuple[str, str]:
        topic = _output(target, name, what)
        answer = target.client("sns").publish(TopicArn=topic, Message=json.dumps(content, ensure_ascii=False))
        return f"topic {topic.rpartition(':')[2]}", str(answer["MessageId"])

    return way


def _push(target: "Deployment", content: Any) -> tuple[str, str]:
    url = _output(target, "ReceiptHookUrl", "status of OpenText")
    secret = hook_secret_of(target.client, _output(target, "ReceiptHookSecretArn", "status of OpenText"))
    try:
        status = push(url, secret, content)
    except PushRefusedError as refused:
        raise CommandError(str(refused)) from refused
    return "web hook", str(status)


def _put_event(target: "Deployment", content: Any) -> tuple[str, str]:
    detail = content.get("detail", content)
    kind = content.get("detail-type") or detail["expctr"]["schemaType"]
    entry = {"Source": "exstream", "DetailType": kind, "Detail": json.dumps(detail, ensure_ascii=False)}
    answer = target.client("events").put_events(Entries=[entry])["Entries"][0]
    if "EventId" not in answer:
        raise CommandError(f"EventBridge refuses the event: {answer.get('ErrorMessage')}")
    return "event bus", str(answer["EventId"])


def _put_mail(target: "Deployment", content: Any) -> tuple[str, str]:
    if target.parameters.get("BounceMails", "off") != "on":
        raise CommandError(f"{target.name} takes no bounce mails: deploy it with BounceMails=on")
    bucket = _output(target, "BounceMailBucketName", "bounce mails")
    key = f"mail/{uuid.uuid4().hex}.eml"
    target.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return f"bucket {bucket}", key


_WAYS: Mapping[str, Callable[["Deployment", Any], tuple[str, str]]] = {
    "SES event": _publish("SesReceiptsTopicArn", "events of SES"),
    "SMS event": _publish("SmsReceiptsTopicArn", "events of SMS"),
    "SMS reply": _publish("SmsRepliesTopicArn", "replies by SMS"),
    "OpenText status": _push,
    "Exstream event": _put_event,
    BOUNCE_MAIL: _put_mail,
}
