"""AWS End User Messaging SMS v2, SendTextMessage."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...domain.documents import MessageClass
from ...domain.messages import Answer, BulkJob, Message, SentRequest
from .aws import ClientFactory, OneTryClient, call, encode
from .errors import MessageRefused
from .sms_answers import TABLE
from .text import encodable, mobile_number, split_ref

OPERATION: Final = "pinpoint-sms-voice-v2:SendTextMessage"
"""Stands for an address in the stored request: the SDK finds the region's own."""

MESSAGE_TYPES: Final[Mapping[MessageClass, str]] = {
    "transactional": "TRANSACTIONAL",
    "regulated": "TRANSACTIONAL",
    "collections": "TRANSACTIONAL",
    "marketing": "PROMOTIONAL",
}
BODY_MAX = 1600
TIME_TO_LIVE_MAX = 259_200
_ORIGINATION = re.compile(r"[A-Za-z0-9_:/+-]{1,256}")


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """Sender and configuration set (which publishes the events that we live by).

    `time_to_live` is how many seconds the service goes on trying (5 to 259,200): not so long that a
    notice rings at night.
    """

    origination: str
    configuration_set: str = ""
    time_to_live: int = 14_400

    def __post_init__(self) -> None:
        """Refuse what the service would refuse every time; ValueError."""
        if not _ORIGINATION.fullmatch(self.origination):
            raise ValueError("the sender is a number, a sender id, or a pool")
        if not 5 <= self.time_to_live <= TIME_TO_LIVE_MAX:
            raise ValueError(f"time_to_live is 5 to {TIME_TO_LIVE_MAX} seconds")


class Sms:
    """The provider `sms`: one by one. Safe under threads."""

    name: str = "sms"
    deduplicates: bool = False
    supports_bulk: bool = False
    supports_headers: bool = False

    def __init__(
        self, settings: SmsSettings, client: ClientFactory, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._client = OneTryClient(client, now)

    def __repr__(self) -> str:
        return f"Sms(configuration_set={self._settings.configuration_set!r})"

    def request(self, message: Message) -> SentRequest:
        """The call's parameters; MessageRefused if the message cannot go by SMS."""
        if message.channel != "sms":
            raise MessageRefused("channel_not_supported")
        if message.headers:
            raise MessageRefused("headers_not_supported")
        notice_id, attempt = split_ref(message.ref)
        text = encodable(message.content.text, "text")
        if not text.strip():
            raise MessageRefused("text_empty", "content")
        if len(text) > BODY_MAX:
            raise MessageRefused("content_too_large", "content")
        s = self._settings
        parameters: dict[str, Any] = {
            "DestinationPhoneNumber": mobile_number(message.to),
            "OriginationIdentity": s.origination,
            "MessageBody": text,
            "MessageType": MESSAGE_TYPES[message.message_class],
            "TimeToLive": s.time_to_live,
            "Context": {"notice_id": notice_id, "attempt": attempt},
        }
        if s.configuration_set:
            parameters["ConfigurationSetName"] = s.configuration_set
        headers = (
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", "PinpointSMSVoiceV2.SendTextMessage"),
        )
        return SentRequest(OPERATION, encode(parameters), headers)

    def request_bulk(self, job: BulkJob) -> SentRequest:
        """The service takes messages one by one: MessageRefused."""
        raise MessageRefused("bulk_not_supported")

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """Call for each in turn; taking the next answer sends the next request."""
        for request in requests:
            yield call(self._client, OPERATION, "send_text_message", request, TABLE)
