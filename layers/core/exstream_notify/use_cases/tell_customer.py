"""Tell one customer something at once: a code, a confirmation, the answer to a reply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from ..domain.decisions import Why
from ..domain.documents import Channel, MessageClass
from ..domain.exceptions import ExceptionRaised
from ..domain.messages import Answer, GiveUp, Message, TryAgain, Unconfirmed
from ..domain.notices import Attempt, Notice, Origin, Status, begun, head
from ..ports import Clock, Evidence, EvidenceLine, ExceptionBus, Hasher, Ledger, NoteWording, Provider
from .attempt_answers import answered

_TRIES = 5
LEASE = 60.0
"""Seconds after which a claim counts as abandoned; no function that tells takes longer."""


class NotToldYet(Exception):
    """Certainly not sent, or another worker is about it: the same call again may succeed."""


class NotApproved(NotToldYet):
    """Nobody approved the words, and only approved ones are sent; compliance was told."""


@dataclass(frozen=True, slots=True)
class Note:
    """What to tell whom. `identity` is a notice id: telling it again changes nothing.

    `salt` keys the evidence: the contact's own, so that erasure takes the note's proof along.
    """

    identity: str
    purpose: str
    note: str
    channel: Channel
    to: str = field(repr=False)
    salt: str = field(repr=False)
    domain: str = ""
    customer_key: str = field(default="", repr=False)
    about: str = ""
    language: str | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    message_class: MessageClass = "transactional"
    recipient: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Teller:
    """Claims, proves, sends and records one note: as a notice like any other, at most once.

    Whether a note may go to its address now, the caller asks first (`NoteWays`).
    With `approved_only` words whose version nobody approved are refused, before anything is stored.
    """

    ledger: Ledger
    evidence: Evidence
    clock: Clock
    hasher: Hasher
    notes: NoteWording
    provider_for: Callable[[Channel], Provider]
    exceptions: ExceptionBus
    approved_only: bool = False

    def tell(self, note: Note) -> Status:
        """How it ended: sent, failed, or unconfirmed. Raises NotToldYet, NotApproved."""
        stored = self.ledger.get([note.identity]).get(note.identity)
        if stored is not None and stored.status != Status.DEFERRED:
            return self._met(stored)
        approved = self.notes.approval(note.note, note.channel, note.language)
        if self.approved_only and approved is None:
            self._refuse(note)
        provider = self.provider_for(note.channel)
        notice = stored or _fresh(note)
        content = self.notes.render(note.note, note.channel, note.language, note.values)
        ref = f"{note.identity}:1"
        now = self.clock.now()
        body: dict[str, object] = {
            "channel": note.channel,
            "provider": provider.name,
            "to": note.to,
            "purpose": note.purpose,
            "document_id": note.about,
            "subject": content.subject,
            "text": content.text,
            "html": content.html,
            "wording_version": self.notes.version(note.note, note.channel, note.language),
            "wording_approval": approved.proof if approved else None,
            "chain": head(notice),
        }
        line = EvidenceLine(ref, note.salt, now.isoformat(timespec="milliseconds"), body)
        (proof,) = self.evidence.write(note.identity[:24], [line], {})
        attempt = Attempt(
            1,
            note.channel,
            provider.name,
            self.hasher(note.channel, note.to),
            note.identity[:24],
            Status.SENDING,
            lease=round(self.clock.machine_time() + LEASE, 3),
            evidence=proof,
        )
        claimed = begun(notice, attempt, now, ())
        if stored is None:
            claimed = replace(claimed, created_at=now.isoformat(timespec="milliseconds"))
        if blocked := self.ledger.put([claimed]):
            return self._met(blocked[note.identity])
        asked = provider.request(Message(ref, note.channel, note.to, note.message_class, content))
        answer: Answer = asked if isinstance(asked, GiveUp) else next(iter(provider.send([asked])))
        return self._record(claimed, answer)

    def _refuse(self, note: Note) -> NoReturn:
        version = self.notes.version(note.note, note.channel, note.language)
        language = self.notes.language_for(note.language)
        words = f"{note.channel}: the note {note.note} in {language}, version {version}"
        self.exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    Why.NOT_APPROVED,
                    "error",
                    note.domain,
                    "notes",
                    words,
                    part=f"notice {note.identity}",
                    detail={"cause": words},
                )
            ]
        )
        raise NotApproved(Why.NOT_APPROVED)

    def _met(self, stored: Notice) -> Status:
        attempt = stored.attempt(1)
        if attempt is None or attempt.status != Status.SENDING:
            return stored.status
        if attempt.lease > self.clock.machine_time():
            raise NotToldYet("another worker is about it")
        return self._record(stored, Unconfirmed("answer_lost"))

    def _record(self, claimed: Notice, answer: Answer) -> Status:
        attempt = claimed.attempt(1)
        lease = attempt.lease if attempt is not None else 0.0
        for _ in range(_TRIES):
            after = answered(claimed, 1, answer, self.clock.now(), lease=lease)
            # No sweeper looks for it: whoever asked asks again.
            blocked = self.ledger.put([replace(after, due_at="")]) if after is not None else {}
            if not blocked:
                status = (after or claimed).status
                break
            claimed = blocked[claimed.notice_id]  # another worker put it in doubt meanwhile
        else:
            raise RuntimeError("a note kept changing under five attempts to record its result")
        if isinstance(answer, TryAgain):
            raise NotToldYet(answer.reason)
        return status


def _fresh(note: Note) -> Notice:
    return Notice(
        note.identity,
        note.domain,
        note.customer_key,
        note.about,
        note.note,
        note.purpose,
        "customer",
        Origin(f"{note.purpose}/{note.about}", 0, 0, "", 0, 0),
        Status.SENDING,
        version=0,
        recipient=note.recipient,
    )
