"""What customers send us by SMS and through the portal, checked at the edge."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from ..domain.documents import Channel
from ..domain.exceptions import Unusable
from ..domain.inbound import Reply
from ..domain.preferences import CHANNELS, PortalChange, Topic
from ..domain.quiet_hours import local_time
from ..domain.receipts import moment
from ..domain.statements import stamped
from ..domain.values import ValueRefused, is_unset, language_tag, plain_key
from .triggers import NAME, key_of, refuse_repeated


class _Inbound(BaseModel):
    """Two-way SMS of AWS End User Messaging; what we do not use is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    origination: str = Field(alias="originationNumber", min_length=1, max_length=32)
    destination: str = Field("", alias="destinationNumber", max_length=32)
    body: str = Field("", alias="messageBody", max_length=10_000)
    inbound_id: str = Field("", alias="inboundMessageId", max_length=128)
    answers: str = Field("", alias="previousPublishedMessageId", max_length=128)

    @field_validator("body", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """Without the half of a character that a cut leaves: what stands before it may be a STOP."""
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def reply_of(body: Mapping[str, Any]) -> Reply:
    """The reply in a message of SNS, with or without its envelope; Unusable if there is none.

    Where the service tells no id of the reply, SNS's own stands for it: the same on each redelivery.
    """
    inner: Any = body
    try:
        if "Message" in body:
            inner = json.loads(body["Message"])
        inbound = _Inbound.model_validate(inner)
    except (ValueError, ValidationError):
        # Its text may repeat what the customer wrote, so only the kind is told.
        raise Unusable("reply_unusable", "reply queue", "no SMS reply as the service describes it") from None
    reply_id = inbound.inbound_id or str(body.get("MessageId", ""))
    if not reply_id:
        raise Unusable("reply_unusable", "reply queue", "a reply without an id")
    at = _stamped(moment(str(body.get("Timestamp", ""))))
    return Reply(reply_id, inbound.origination, inbound.body, inbound.destination, inbound.answers, at)


def _named(key: str) -> str:
    if not key:
        raise ValueError("missing")
    return key


class _Consent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    given: bool
    version: str = Field("", max_length=64)


class _Portal(BaseModel):
    """The detail of a `Preferences Changed` event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(pattern=NAME)
    customer_key: Annotated[str, AfterValidator(key_of), AfterValidator(_named)] = Field(
        min_length=1, max_length=128
    )
    recipient: Annotated[str, AfterValidator(key_of)] = Field("", max_length=128)
    language: str | None = Field(None, max_length=35)
    channel_order: tuple[Literal["email", "sms"], ...] | None = None
    opt_outs: Mapping[str, tuple[Literal["email", "sms"], ...]] | None = None
    quiet_hours: tuple[str, str] | tuple[()] | None = None
    paper_required: bool | None = None
    consent: _Consent | None = None
    email: str | None = Field(None, max_length=320)
    mobile: str | None = Field(None, max_length=40)
    verified: bool = False
    at: AwareDatetime | None = None

    @field_validator("language")
    @classmethod
    def _tag(cls, value: str | None) -> str | None:
        try:
            text = plain_key(value or "")
            return None if is_unset(text, "language") else language_tag(text)
        except ValueRefused as refused:
            raise ValueError(str(refused)) from refused

    @field_validator("at")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        try:
            return value.astimezone(UTC) if value is not None else None
        except OverflowError:
            raise ValueError("no time of this world") from None

    @field_validator("quiet_hours")
    @classmethod
    def _hours(cls, value: tuple[str, str] | tuple[()] | None) -> tuple[str, str] | tuple[()] | None:
        if not value:
            return value
        opens, closes = map(local_time, value)
        if not opens < closes:
            raise ValueError("the first time is before the second")
        return opens.isoformat("minutes"), closes.isoformat("minutes")


def _stamped(at: datetime | None) -> str:
    return stamped(at) if at is not None else ""


def portal_change_of(body: Mapping[str, Any], topics: Sequence[Topic]) -> PortalChange:
    """The change of a `Preferences Changed` event; Unusable, without its values, if there is none."""
    event_id = str(body.get("id", ""))
    place = f"event {event_id[:64]}"
    refuse_repeated(body, "preferences_unusable", place)
    try:
        detail = _Portal.model_validate(body.get("detail"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"][:1])) or "detail"
        raise Unusable("preferences_unusable", place, f"{where}: {first['msg']}") from None
    known = {topic.name for topic in topics} | {"*"}
    if unknown := set(detail.opt_outs or {}) - known:
        raise Unusable("preferences_unusable", place, f"opt_outs: {len(unknown)} topics are not known")
    if not event_id:
        raise Unusable("preferences_unusable", place, "an event without an id")
    outs: dict[str, tuple[Channel, ...]] | None = None
    if detail.opt_outs is not None:
        outs = {
            topic: tuple(c for c in CHANNELS if c in channels) for topic, channels in detail.opt_outs.items()
        }
    return PortalChange(
        event_id,
        detail.domain,
        detail.customer_key,
        detail.language,
        detail.channel_order,
        outs,
        detail.quiet_hours,
        detail.paper_required,
        detail.consent.given if detail.consent else None,
        detail.consent.version if detail.consent else "",
        detail.email,
        detail.mobile,
        detail.verified,
        detail.recipient,
        _spoken_at(detail.at, moment(str(body.get("time", "")))),
    )


def _spoken_at(at: datetime | None, sent: datetime | None) -> str:
    """When the customer said it, never after the event was sent: a redelivery must not bring it forward."""
    return min((_stamped(one) for one in (at, sent) if one is not None), default="")
