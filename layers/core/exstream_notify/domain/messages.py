"""A message for a provider, and what the provider's answer means for the attempt."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .documents import Channel, MessageClass


@dataclass(frozen=True, slots=True)
class Content:
    """Words for one channel: an e-mail has subject, html and text, an SMS only text."""

    text: str
    subject: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One attempt of one notice, ready to hand over.

    `ref` is `<notice id>:<attempt>`, our only identifier that leaves towards a provider.
    """

    ref: str
    channel: Channel
    to: str = field(repr=False)
    message_class: MessageClass
    content: Content = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BulkMember:
    """One destination of a bulk job: its reference, its address and the values of the inserts."""

    ref: str
    to: str = field(repr=False)
    inserts: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BulkJob:
    """One provider job for many destinations; `content` holds (i1), (i2)... where inserts go."""

    job_id: str
    channel: Channel
    message_class: MessageClass
    content: Content
    members: tuple[BulkMember, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message; `provider_ref` is its own identifier."""

    provider_ref: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Certainly not sent, and a later try may succeed (throttled, unavailable, no connection)."""

    reason: str
    retry_after: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Certainly not sent, and the same message will never be (refused address, bad request)."""

    reason: str
    whose: Literal["recipient", "content", "us"] = "us"


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The answer was lost: the message may have been sent, or not."""

    reason: str


Answer: TypeAlias = Accepted | TryAgain | GiveUp | Unconfirmed


def combined(answers: Iterable[Answer]) -> Answer:
    """What the answers to one attempt's tries, oldest first and at least one, say together.

    A later acceptance settles an earlier doubt, since only a provider that de-duplicates is tried again
    after one. A refusal or a deferral does not: it says nothing of the try whose answer was lost.
    """
    doubt: Unconfirmed | None = None
    last: Answer | None = None
    for last in answers:
        if doubt is None and isinstance(last, Unconfirmed):
            doubt = last
    if last is None:
        return Unconfirmed("no_answer")
    return last if doubt is None or isinstance(last, Accepted) else doubt


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The exact bytes of a provider request, kept as evidence and for resubmission as it was."""

    url: str
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=())
