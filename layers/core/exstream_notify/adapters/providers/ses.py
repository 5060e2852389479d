"""Amazon SES v2, SendEmail."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...domain.messages import Answer, BulkJob, Message, SentRequest
from ...domain.references import HEADER, LENGTH, return_address
from .aws import ClientFactory, OneTryClient, call, encode
from .errors import MessageRefused
from .ses_answers import TABLE
from .text import email_address, encodable, mailbox, one_line, split_ref

OPERATION: Final = "sesv2:SendEmail"
"""Stands for an address in the stored request: the SDK finds the region's own."""

HEADERS_MAX = 15
_HEADER_NAME = re.compile(r"[!-9;-@A-~]{1,126}")
_HEADER_VALUE = re.compile(r"[ -~]{1,995}")
_OWN_HEADERS: Final = frozenset(
    {
        *("from", "sender", "to", "cc", "bcc", "reply-to", "return-path", "subject", "date", "message-id"),
        *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id"),
        *("dkim-signature", "received"),
    }
)
"""Header fields that the service writes itself."""


@dataclass(frozen=True, slots=True)
class SesSettings:
    """Sender and configuration set (which publishes the events that we live by).

    `bounce_address` is where SES forwards bounces and complaints as mails, each with its reference behind a
    plus sign; empty: nowhere of ours. SES takes one only in a domain that is verified there.
    """

    from_address: str
    from_display_name: str = ""
    configuration_set: str = ""
    reply_to: str = ""
    bounce_address: str = ""
    max_bytes: int = 5_000_000

    def __post_init__(self) -> None:
        """Refuse a sender that cannot be one; ValueError."""
        email_address(self.from_address)
        one_line(self.from_display_name, "from_display_name")
        if self.reply_to:
            email_address(self.reply_to)
        if self.bounce_address:
            email_address(return_address(self.bounce_address, "x" * LENGTH))


class Ses:
    """The provider `ses`: e-mail, one by one. Safe under threads."""

    name: str = "ses"
    deduplicates: bool = False
    supports_bulk: bool = False
    supports_headers: bool = True

    def __init__(
        self,
        settings: SesSettings,
        client: ClientFactory,
        reference_for: Callable[[str], str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._reference_for = reference_for
        self._client = OneTryClient(client, now)

    def __repr__(self) -> str:
        return f"Ses(configuration_set={self._settings.configuration_set!r})"

    def request(self, message: Message) -> SentRequest:
        """The call's parameters; MessageRefused if the message cannot go by e-mail."""
        if message.channel != "email":
            raise MessageRefused("channel_not_supported")
        notice_id, attempt = split_ref(message.ref)
        s, content = self._settings, message.content
        subject = one_line(content.subject, "subject")
        if not subject.strip():
            raise MessageRefused("subject_empty", "content")
        body = {
            kind: {"Data": encodable(words, kind.lower()), "Charset": "UTF-8"}
            for kind, words in (("Text", content.text), ("Html", content.html))
            if words
        }
        if not body:
            raise MessageRefused("text_empty", "content")
        simple: dict[str, Any] = {"Subject": {"Data": subject, "Charset": "UTF-8"}, "Body": body}
        # Identity feedback and bounce mails know no tags: by this header they find their notice.
        reference = self._reference_for(message.ref) if self._reference_for else ""
        if headers := _headers((*message.headers, *([(HEADER, reference)] if reference else ()))):
            simple["Headers"] = headers
        parameters: dict[str, Any] = {
            "FromEmailAddress": mailbox(s.from_display_name, email_address(s.from_address)),
            "Destination": {"ToAddresses": [email_address(message.to)]},
            "Content": {"Simple": simple},
            "EmailTags": [{"Name": "notice_id", "Value": notice_id}, {"Name": "attempt", "Value": attempt}],
        }
        if s.bounce_address and reference:
            parameters["FeedbackForwardingEmailAddress"] = return_address(s.bounce_address, reference)
        if s.reply_to:
            parameters["ReplyToAddresses"] = [email_address(s.reply_to)]
        if s.configuration_set:
            parameters["ConfigurationSetName"] = s.configuration_set
        raw = encode(parameters)
        if len(raw) > s.max_bytes:
            raise MessageRefused("content_too_large", "content")
        return SentRequest(OPERATION, raw, (("Content-Type", "application/json"),))

    def request_bulk(self, job: BulkJob) -> SentRequest:
        """SES gets messages one by one: MessageRefused."""
        raise MessageRefused("bulk_not_supported")

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """Call for each in turn; taking the next answer sends the next request."""
        for request in requests:
            yield call(self._client, OPERATION, "send_email", request, TABLE)


def _headers(headers: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Extra header fields, as the service's model allows them; those it writes itself are refused."""
    if len(headers) > HEADERS_MAX:
        raise MessageRefused("too_many_headers", "content")
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise MessageRefused("header_not_allowed", "content")
        if not _HEADER_VALUE.fullmatch(value):
            raise MessageRefused("header_has_other_characters", "content")
    return [{"Name": name, "Value": value} for name, value in headers]
