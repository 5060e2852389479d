"""The JSON bodies of OpenText Notifications, from its public API description.

`email_options` lies inside `options`. Size limits are not public: those here are cautious settings.
No custom headers can be given, so a message that needs some (RFC 8058) has to go another way.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...domain.documents import Channel, MessageClass
from ...domain.messages import BulkJob, BulkMember, Content, Message
from .errors import MessageRefused
from .text import email_address, encodable, mobile_number, one_line, split_ref

PATHS: Mapping[Channel, str] = {"sms": "/mra/v1/outbound/sms", "email": "/mra/v1/outbound/emails"}
_MARK = re.compile(r"\(i([0-9]{1,4})\)")
_JOB_ID = re.compile(r"[0-9A-Za-z:_-]{1,80}")


@dataclass(frozen=True, slots=True)
class OpenTextForm:
    """What stands in every request. Empty means: left out.

    `billing_codes` go by message class. `number_format`: `e164` is +12025550142, `idd` 0012025550142
    as in OpenText's public walk-through of the European service, `digits` 12025550142; which of them
    an account takes is not public. `expiration_days` is how long the service keeps the mail's parts.
    """

    from_display_name: str = ""
    forward_reply: str = ""
    html_open_tracking: Literal["none", "top", "bottom"] = "none"
    expiration_days: int | None = None
    billing_codes: Mapping[MessageClass, str] = field(default_factory=dict)
    number_format: Literal["e164", "idd", "digits"] = "e164"
    max_destinations: int = 100
    max_sms_characters: int = 1600
    max_bytes: int = 5_000_000

    def __post_init__(self) -> None:
        """Refuse what would break a header later; ValueError."""
        for text in (self.from_display_name, self.forward_reply, *self.billing_codes.values()):
            one_line(text, "setting")


def single_body(message: Message, form: OpenTextForm, message_id: bool) -> bytes:
    """One message as a job with one destination; MessageRefused if it cannot be one.

    `message_id` says whether to name the job so that a repeat is known as one.
    """
    split_ref(message.ref)
    if message.headers:
        raise MessageRefused("headers_not_supported")
    destination = _destination(message.channel, BulkMember(message.ref, message.to, ()), form)
    options = _options(message.ref, message.message_class, form, message_id)
    return _body(message.channel, message.content, [destination], options, form)


def bulk_body(job: BulkJob, form: OpenTextForm, message_id: bool) -> bytes:
    """Many destinations of one job; MessageRefused if they cannot be one.

    A regulated notice has a job of its own, so that nothing of one customer's proof is another's.
    """
    if not _JOB_ID.fullmatch(job.job_id):
        raise ValueError("a job id is up to 80 letters, digits, colons, dashes and underscores")
    if job.message_class == "regulated" and len(job.members) != 1:
        raise MessageRefused("regulated_needs_a_job_of_its_own")
    if not 1 <= len(job.members) <= form.max_destinations:
        raise MessageRefused("number_of_destinations")
    refs = {member.ref for member in job.members}
    if len(refs) != len(job.members):
        raise MessageRefused("refs_repeat")
    words = (job.content.text, job.content.subject, job.content.html)
    used = {int(number) for text in words for number in _MARK.findall(text)}
    for member in job.members:
        split_ref(member.ref)
        if used - set(range(1, len(member.inserts) + 1)):
            raise MessageRefused("insert_missing", "content")
    destinations = [_destination(job.channel, member, form) for member in job.members]
    options = _options(job.job_id, job.message_class, form, message_id)
    return _body(job.channel, job.content, destinations, options, form)


def _destination(channel: Channel, member: BulkMember, form: OpenTextForm) -> dict[str, Any]:
    to = email_address(member.to) if channel == "email" else _number(member.to, form)
    row: dict[str, Any] = {"ref": member.ref, channel: to}
    if member.inserts:
        row["inserts"] = [
            {"id": number, "value": encodable(value, "insert")}
            for number, value in enumerate(member.inserts, start=1)
        ]
    return row


def _body(
    channel: Channel,
    content: Content,
    destinations: Sequence[Mapping[str, Any]],
    options: dict[str, Any],
    form: OpenTextForm,
) -> bytes:
    body: dict[str, Any] = {"options": options, "destinations": destinations}
    if channel == "sms":
        if not content.text.strip():
            raise MessageRefused("text_empty", "content")
        if len(content.text) > form.max_sms_characters:
            raise MessageRefused("content_too_large", "content")
        body["sms_text"] = encodable(content.text, "text")
    else:
        options["email_options"] = _email_options(content, form)
        body["body"] = _parts(content)
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    if len(raw) > form.max_bytes:
        raise MessageRefused("content_too_large", "content")
    return raw


def _options(
    reference: str, message_class: MessageClass, form: OpenTextForm, message_id: bool
) -> dict[str, Any]:
    options = {"message_id": reference} if message_id else {}
    if code := form.billing_codes.get(message_class):
        options["billing_code"] = code
    return {**options, "customer_reference": reference}


def _email_options(content: Content, form: OpenTextForm) -> dict[str, Any]:
    subject = one_line(content.subject, "subject")
    if not subject.strip():
        raise MessageRefused("subject_empty", "content")
    options: dict[str, Any] = {
        "subject": subject,
        "charset": "UTF-8",
        "html_open_tracking": form.html_open_tracking,
    }
    if form.from_display_name:
        options["from_display_name"] = form.from_display_name
    if form.forward_reply:
        options["forward_reply"] = form.forward_reply
    if form.expiration_days is not None:
        options["expiration_days"] = form.expiration_days
    return options


def _parts(content: Content) -> list[dict[str, str]]:
    parts = []
    for name, kind, words in (("notice.txt", "text", content.text), ("notice.html", "html", content.html)):
        if words:
            data = b64encode(encodable(words, kind).encode()).decode("ascii")
            parts.append({"name": name, "type": kind, "charset": "UTF-8", "data": data})
    if not parts:
        raise MessageRefused("text_empty", "content")
    return parts


def _number(number: str, form: OpenTextForm) -> str:
    digits = mobile_number(number)[1:]
    return {"e164": f"+{digits}", "idd": f"00{digits}", "digits": digits}[form.number_format]
