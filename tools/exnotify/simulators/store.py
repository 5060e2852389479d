"""What the simulators accepted, as the customers would have got it."""

import threading
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from .mime import mail_source

Channel = Literal["email", "sms"]


@dataclass(frozen=True, slots=True)
class SimulatedMessage:
    """One message at one address. `number` counts from 1; `ref` is `<notice id>:<attempt>` as it came.

    `job_id` is the provider's reference of the job, `message_id` of the message (the same where a job
    is a message). `request` is what the provider got, `packed_html` the compressed HTML. `members` is
    how many destinations the job had.
    """

    number: int
    provider: str
    channel: Channel
    to: str
    sender: str
    subject: str
    text: str
    ref: str
    job_id: str
    message_id: str
    sent_at: datetime
    sender_name: str = ""
    packed_html: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    request: bytes = field(default=b"", repr=False)
    members: int = 1
    details: tuple[tuple[str, str], ...] = ()

    @property
    def html(self) -> str:
        """The HTML part, or nothing."""
        return zlib.decompress(self.packed_html).decode() if self.packed_html else ""

    @property
    def notice_id(self) -> str:
        """Our notice's id, as far as the reference holds one."""
        return self.ref.partition(":")[0]

    @property
    def attempt(self) -> int | None:
        """Our attempt's number, as far as the reference holds one."""
        number = self.ref.partition(":")[2]
        return int(number) if number.isascii() and number.isdigit() else None

    @property
    def source(self) -> str:
        """The message as the far end receives it: RFC 5322, or the text of an SMS."""
        if self.channel == "sms":
            return self.text
        return mail_source(
            sender=(self.sender_name, self.sender),
            to=self.to,
            subject=self.subject,
            text=self.text,
            html=self.html,
            headers=self.headers,
            message_id=self.message_id,
            at=self.sent_at,
        )

    def detail(self, name: str) -> str:
        """A provider's own detail, or nothing."""
        return dict(self.details).get(name, "")


def pack(html: str) -> bytes:
    """HTML as a message keeps it."""
    return zlib.compress(html.encode(), 1) if html else b""


class MessageStore:
    """The last `limit` messages, oldest dropped first; safe under threads."""

    def __init__(self, limit: int = 50_000) -> None:
        if limit < 1:
            raise ValueError("a store holds at least one message")
        self._lock = threading.Lock()
        self._messages: deque[SimulatedMessage] = deque(maxlen=limit)
        self._count = 0

    def add(self, **fields: object) -> SimulatedMessage:
        """Keep a message, made of these fields; its number is the next."""
        with self._lock:
            self._count += 1
            message = SimulatedMessage(number=self._count, **fields)  # type: ignore[arg-type]
            self._messages.append(message)
            return message

    @property
    def total(self) -> int:
        """How many there ever were, the dropped ones included."""
        with self._lock:
            return self._count

    def __len__(self) -> int:
        """How many are kept."""
        with self._lock:
            return len(self._messages)

    def __iter__(self) -> Iterator[SimulatedMessage]:
        """Those kept, oldest first, as they are now."""
        with self._lock:
            return iter(list(self._messages))

    def get(self, number: int) -> SimulatedMessage | None:
        """One by its number; None if it never was, or is dropped."""
        with self._lock:
            if not self._messages:
                return None
            place = number - self._messages[0].number
            return self._messages[place] if 0 <= place < len(self._messages) else None

    def clear(self) -> None:
        """Drop them all; numbers go on."""
        with self._lock:
            self._messages.clear()
