"""A notification provider whose every answer a test can decide."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.messages import (
    Accepted,
    Answer,
    BulkJob,
    BulkMember,
    Content,
    GiveUp,
    Message,
    SentRequest,
    Unconfirmed,
)

from .clock import FakeClock


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The provider takes the message, and its answer never arrives."""

    reason: str = "read_timeout"


Behaviour: TypeAlias = Answer | LostAnswer


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that the provider took."""

    ref: str
    channel: Channel
    to: str
    text: str
    subject: str
    provider: str
    posting: int

    @property
    def notice_id(self) -> str:
        """The notice that it belongs to."""
        return self.ref.partition(":")[0]

    @property
    def attempt(self) -> int:
        """The number of the attempt."""
        return int(self.ref.partition(":")[2])


class FakeProvider:
    """`Provider`. Accepts everything, unless told otherwise:

    `script` sets the answers to the next posts, in turn; `always` the answer to all others;
    `refuse` the answer whenever that address is the only destination; `unsendable` holds addresses
    that cannot even be put into a request; `asked` has every message as it was given. A provider that de-duplicates gives the first answer
    again for a repeated message id, and delivers nothing.
    """

    def __init__(
        self,
        name: str,
        clock: FakeClock | None = None,
        *,
        deduplicates: bool = False,
        supports_bulk: bool = False,
        takes: float = 0.0,
        supports_headers: bool | None = None,
    ) -> None:
        self.name = name
        self.supports_headers = not supports_bulk if supports_headers is None else supports_headers
        self.deduplicates = deduplicates
        self.supports_bulk = supports_bulk
        self.delivered: list[Delivered] = []
        self.posted: list[SentRequest] = []
        self.unsendable: dict[str, GiveUp] = {}
        self.asked: list[Message] = []
        self._clock = clock
        self._takes = takes
        self._script: deque[Behaviour] = deque()
        self._always: Behaviour | None = None
        self._refused: dict[str, Behaviour] = {}
        self._jobs: dict[str, Accepted] = {}

    def script(self, *answers: Behaviour) -> None:
        """Answers to the next posts, in turn."""
        self._script.extend(answers)

    def always(self, answer: Behaviour | None) -> None:
        """The answer to every post that nothing else decides; None: accept."""
        self._always = answer

    def refuse(self, to: str, answer: Behaviour | None) -> None:
        """The answer to every post to that address alone; None: none in particular any more."""
        if answer is None:
            self._refused.pop(to, None)
        else:
            self._refused[to] = answer

    def request(self, message: Message) -> SentRequest | GiveUp:
        """See `Provider.request`."""
        self.asked.append(message)
        if message.to in self.unsendable:
            return self.unsendable[message.to]
        member = BulkMember(message.ref, message.to, ())
        return _request(message.channel, message.ref, message.content, [member])

    def request_bulk(self, job: BulkJob) -> SentRequest | GiveUp:
        """See `Provider.request_bulk`; one member that is unsendable makes the whole job so."""
        for member in job.members:
            if member.to in self.unsendable:
                return self.unsendable[member.to]
        return _request(job.channel, job.job_id, job.content, job.members)

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """See `Provider.send`."""
        for request in requests:
            yield self._post(request)

    def _post(self, request: SentRequest) -> Answer:
        self.posted.append(request)
        if self._clock is not None and self._takes:
            self._clock.advance(seconds=self._takes)
        body = json.loads(request.body)
        wanted = self._behaviour(body)
        if isinstance(wanted, LostAnswer):
            self._take(body)
            return Unconfirmed(wanted.reason)
        if wanted is None or isinstance(wanted, Accepted):
            return self._take(body, wanted)
        return wanted

    def _behaviour(self, body: dict[str, list[dict[str, str]]]) -> Behaviour | None:
        if self._script:
            return self._script.popleft()
        destinations = body["destinations"]
        if len(destinations) == 1 and destinations[0]["to"] in self._refused:
            return self._refused[destinations[0]["to"]]
        return self._always

    def _take(self, body: dict[str, object], answer: Accepted | None = None) -> Accepted:
        message_id = str(body["message_id"])
        if self.deduplicates and message_id in self._jobs:
            return self._jobs[message_id]
        accepted = answer or Accepted(f"{self.name}-{len(self.posted)}")
        self._jobs[message_id] = accepted
        destinations = body["destinations"]
        assert isinstance(destinations, list)
        for row in destinations:
            text = str(body["text"])
            for number, value in enumerate(row["inserts"], 1):
                text = text.replace(f"(i{number})", value)
            self.delivered.append(
                Delivered(
                    row["ref"],
                    "email" if body["channel"] == "email" else "sms",
                    row["to"],
                    text,
                    str(body["subject"]),
                    self.name,
                    len(self.posted),
                )
            )
        return accepted


def _request(
    channel: Channel, message_id: str, content: Content, members: Sequence[BulkMember]
) -> SentRequest:
    body = {
        "message_id": message_id,
        "channel": channel,
        "subject": content.subject,
        "text": content.text,
        "destinations": [{"ref": m.ref, "to": m.to, "inserts": list(m.inserts)} for m in members],
    }
    return SentRequest("https://provider.example.com/send", json.dumps(body).encode())
