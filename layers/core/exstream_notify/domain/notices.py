"""The ledger's record of one notice: its attempts, its events, and how it moves, forward only."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from .decisions import Why
from .documents import Channel, Document, DocumentRule, contact_key
from .identity import notice_id
from .payments import NO_PAYMENTS, Payments
from .records import content_edition


def notice_id_of(document: Document, rule: DocumentRule, audience: str = "customer") -> str:
    """The identity of the notice that tells `audience` of this document.

    The edition is what staging found (domain/records.py), with the content's hash where the rule notifies
    on new content. A test document's is its own: it must not stand in the way of the real one.
    """
    edition = document.edition
    if rule.notify_on_new_content and document.content_sha256:
        content = content_edition(document.content_sha256)
        edition = "\x1f".join(filter(None, (edition.replace(content, ""), content)))
    if document.test_flag:
        edition = "test"
    return notice_id(
        document.domain,
        document.customer_key,
        document.document_id,
        recipient=document.recipient or "",
        document_type=document.document_type,
        edition=edition,
        purpose=rule.purpose,
        audience=audience,
    )


class Status(StrEnum):
    """Where a notice stands. `RANK` orders them."""

    DEFERRED = "deferred"
    SUPPRESSED = "suppressed"
    PAPER = "paper"
    SUPERSEDED = "superseded"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    SENT = "sent"
    DELAYED = "delayed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


RANK: Mapping[str, int] = {
    Status.DEFERRED: 10,
    Status.SENDING: 20,
    Status.UNCONFIRMED: 30,
    Status.FAILED: 40,
    Status.SENT: 50,
    Status.DELAYED: 52,
    Status.UNDELIVERED: 54,
    Status.DELIVERED: 56,
    Status.BOUNCED: 70,
    Status.COMPLAINED: 80,
    Status.SUPPRESSED: 60,
    Status.PAPER: 60,
    Status.SUPERSEDED: 60,
}
"""An attempt's status never goes to a lower rank, but for what a provider said of two times (`Attempt.told`);
a new attempt starts at SENDING again."""

LOST = frozenset({Status.FAILED, Status.UNDELIVERED, Status.BOUNCED})
"""The attempt did not reach anybody: another channel, paper or an exception follows."""

REACHED = frozenset({Status.SENT, Status.DELAYED, Status.DELIVERED, Status.COMPLAINED})
"""As far as anybody knows the customer has it, or will."""


class Outcome(StrEnum):
    """How a record of a run ends; exactly one of these, or still IN_FLIGHT."""

    NOTIFIED = "notified"
    SUPPRESSED = "suppressed"
    DEFERRED = "deferred"
    PAPER = "paper"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    IN_FLIGHT = "in_flight"


OUTCOME_OF: Mapping[str, Outcome] = {
    Status.DEFERRED: Outcome.DEFERRED,
    Status.SENDING: Outcome.IN_FLIGHT,
    Status.UNCONFIRMED: Outcome.UNCONFIRMED,
    Status.FAILED: Outcome.FAILED,
    Status.SENT: Outcome.NOTIFIED,
    Status.DELAYED: Outcome.NOTIFIED,
    Status.UNDELIVERED: Outcome.FAILED,
    Status.DELIVERED: Outcome.NOTIFIED,
    Status.BOUNCED: Outcome.FAILED,
    Status.COMPLAINED: Outcome.NOTIFIED,
    Status.SUPPRESSED: Outcome.SUPPRESSED,
    Status.PAPER: Outcome.PAPER,
    Status.SUPERSEDED: Outcome.SUPPRESSED,
}


Response = Literal["opened", "responded", "paid", "acknowledged"]
"""What a customer did about a notice; each kind once, in the order in which we heard of them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which record of which run a notice came from; the slice is where that record can be read."""

    run: str
    slice_number: int
    position: int
    part: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Former:
    """A record that a notice came from before another record took it over, and how it ended there."""

    run: str
    slice_number: int
    position: int
    outcome: Outcome
    why: str
    version: int


CLAIMED = "claimed"

RELEASED = "released"
"""The event of a notice that was handed on for another look."""

NO_RECEIPT = "no_receipt"
"""Why an attempt counts as lost of which nobody said that it failed (rule `on_no_receipt`)."""

CORRECTED = "corrected"
"""The event of a notice whose document has a later record with another due date or amount."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A later record of a notice's document with another due date or amount (domain/corrections.py).

    `due_date` is what counts from now on (ISO 8601, empty if unknown); `nothing_due`: nothing is to be paid.
    """

    origin: Origin
    due_date: str = ""
    nothing_due: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try on one channel. `lease` is when an unfinished one counts as abandoned (epoch seconds).

    `delivered_at`, `undelivered_at` and `bounced_at` are the newest times (ISO 8601, UTC) of which somebody
    said so, empty if nobody did. `by_mail`: mails said that it failed, and its provider, which reports
    bounces itself, did not.
    """

    number: int
    channel: Channel
    provider: str
    address: str  # keyed hash, never the address
    job: str
    status: Status
    lease: float = 0.0
    ref: str = ""
    why: str = ""
    evidence: str = ""
    delivered_at: str = ""
    undelivered_at: str = ""
    bounced_at: str = ""
    by_mail: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether somebody reported a failure or a complaint, whatever was reported later."""
        return self.status == Status.COMPLAINED or bool(self.undelivered_at or self.bounced_at)

    @property
    def is_silent(self) -> bool:
        """Whether it counts as lost only because its provider, which took it, reported nothing in time."""
        return self.status == Status.UNDELIVERED and self.why == NO_RECEIPT and not self.undelivered_at

    def without_mails(self) -> "Attempt":
        """As its provider left it, if mails said that it failed; else the same object."""
        if not self.by_mail:
            return self
        status = Status.DELIVERED if self.delivered_at else Status.SENT
        return replace(self, status=status, undelivered_at="", bounced_at="", by_mail=False)

    def told(self, status: Status, at: str) -> "Attempt":
        """The attempt after a provider said that this happened then; the same object if that changes nothing.

        What happened later stands, in whatever order it was told: a failure after the delivery, hard or not,
        and a delivery after a failure. A complaint outranks everything; of two failures the bounce counts.
        """
        if status not in _TIMED:
            return replace(self, status=status) if RANK[status] > RANK[self.status] else self
        since = _TIMED.get(self.status)
        if since and not getattr(self, since) and RANK[status] <= RANK[self.status]:
            # Recorded by a release that kept no times: rank decides, as it did there.
            return self
        name = _TIMED[status]
        if at <= getattr(self, name):
            return self
        after = replace(self, **{name: at})  # type: ignore[arg-type]
        if self.status == Status.COMPLAINED:
            return after
        stands = Status.DELIVERED
        if after.bounced_at >= after.delivered_at and after.bounced_at:
            stands = Status.BOUNCED
        elif after.undelivered_at >= after.delivered_at:
            stands = Status.UNDELIVERED
        return replace(after, status=stands)


_TIMED: Mapping[str, str] = {
    Status.DELIVERED: "delivered_at",
    Status.UNDELIVERED: "undelivered_at",
    Status.BOUNCED: "bounced_at",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the hash of what came before it.

    `report` names the exception that it is counted in, by its code and whose report it is: whoever repeats
    the work after a crash reports all that its name stands for, and counts nothing twice.
    """

    at: str
    what: str
    detail: str
    before: str
    report: str = ""


@dataclass(frozen=True, slots=True)
class Pauses:
    """A notice that is put off for one reason, or handed on, again and again: counted here, since a history
    with an event each time would grow as long as it waits (domain/deferring.py).

    `why` is the reason, `count` how often, `first` and `last` when (ISO 8601); the first has an event.
    `handed_on` is how often it was handed on since `last`. `claim`, made at `claimed_at`, is a claim after
    such a pause: most are withdrawn, so it becomes an event with whatever else becomes of it.
    """

    why: str
    count: int
    first: str
    last: str
    handed_on: int = 0
    claimed_at: str = ""
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice; `version` counts writes and is the lock of every one of them.

    `former` are the records that had it before, `heirs` those that get it should it reach nobody, `facts`
    short hashes of what its document says (all three: domain/takeover.py). `corrections` are later records of
    its document, oldest first.
    `responses` are what the customer did, beside the status and never a part of it; `link_revoked` is why
    the secure link opens nothing any more. `rule_version` is the journey's rule that a step was made by.
    `payments` are those on the document, as far as they were reported.
    `recipient` is the holder of the account that it is for, empty for the only one. `together` are the first
    notices of the documents that a step's message is about, its own first; alone, that of the step whose
    message told of this document too. `pauses` is how it waits.
    """

    notice_id: str
    domain: str
    customer_key: str
    document_id: str
    document_type: str
    purpose: str
    audience: str
    origin: Origin
    status: Status
    why: str = ""
    version: int = 1
    attempts: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()
    waiting: tuple[Channel, ...] = ()
    due_at: str = ""
    superseded_by: str = ""
    created_at: str = ""
    responses: tuple[Response, ...] = ()
    case_id: str = ""
    link_revoked: str = ""
    rule_version: str = ""
    payments: Payments = NO_PAYMENTS
    recipient: str = ""
    facts: str = ""
    former: tuple[Former, ...] = ()
    heirs: tuple[Origin, ...] = ()
    corrections: tuple[Correction, ...] = ()
    together: tuple[str, ...] = ()
    pauses: Pauses | None = None

    @property
    def record(self) -> Origin:
        """Where the newest record of its document stands: its own, or the one that corrected it."""
        return self.corrections[-1].origin if self.corrections else self.origin

    @property
    def contact_key(self) -> str:
        """The contact that it is for: see `contact_key` (domain/documents.py)."""
        return contact_key(self.customer_key, self.recipient)

    def attempt(self, number: int) -> Attempt | None:
        """The attempt of that number, if it was made."""
        return next((a for a in self.attempts if a.number == number), None)

    @property
    def claimed(self) -> Attempt | None:
        """The attempt that a worker claimed, and of which nothing is recorded yet."""
        return next((a for a in self.attempts if a.status == Status.SENDING), None)

    @property
    def reached(self) -> bool:
        """Whether some attempt was handed over to a provider, and nothing says that it was in vain."""
        return not REACHED.isdisjoint(self._tries)

    @property
    def in_doubt(self) -> bool:
        """Whether some attempt may have reached the customer: no answer came, or no receipt in time."""
        return Status.UNCONFIRMED in self._tries or any(a.is_silent for a in self.attempts)

    @property
    def _tries(self) -> set[Status]:
        """How its attempts stand; of a step that another document's message told of, how that one's stood."""
        told_with = {self.status} if len(self.together) == 1 else set()
        return {a.status for a in self.attempts} | told_with

    @property
    def outcome(self) -> Outcome:
        """What the run's reconciliation says of this notice."""
        if self.status == Status.SUPERSEDED and self.reached:
            return Outcome.NOTIFIED
        outcome = OUTCOME_OF[self.status]
        if outcome in (Outcome.FAILED, Outcome.SUPPRESSED) and self.in_doubt:
            # Perhaps the customer was told: what came after does not take that doubt away.
            return Outcome.UNCONFIRMED
        return outcome


def claimed_at(notice: Notice, number: int) -> datetime | None:
    """When an attempt was last claimed, just before it was sent; None if that was never done."""
    claims = [(e.at, e.detail) for e in notice.events if e.what == CLAIMED]
    if notice.pauses is not None and notice.pauses.claim:
        claims.append((notice.pauses.claimed_at, notice.pauses.claim))
    mine = [at for at, detail in claims if detail.partition(" ")[0] == str(number)]
    return datetime.fromisoformat(mine[-1]) if mine else None


def is_stale(notice: Notice, hours: int, now: datetime) -> bool:
    """Whether the newest event is older than `hours`, so that a further attempt would come too late.

    A fallback can rightly go out after the deadline of its run, but not from a message that lay for weeks.
    That it was handed on is no news of the notice.
    """
    if not notice.attempts or not notice.events:
        return False
    times = [event.at for event in notice.events if event.what != RELEASED]
    if notice.pauses is not None and notice.pauses.why != RELEASED:
        times.append(notice.pauses.last)
    return now > datetime.fromisoformat(times[-1]) + timedelta(hours=hours)


_BEST = (
    Status.COMPLAINED,
    Status.DELIVERED,
    Status.SENT,
    Status.DELAYED,
    Status.SENDING,
    Status.UNCONFIRMED,
)
"""What a notice with several attempts stands as: the first of these that one of them has, else its last."""


def standing(attempts: tuple[Attempt, ...]) -> Status:
    """How a notice stands by its attempts, of which there is one at least."""
    statuses = {a.status for a in attempts}
    return next((status for status in _BEST if status in statuses), attempts[-1].status)


def chain_start(notice: Notice) -> str:
    """The hash that the first event of a notice carries: of what the notice is about."""
    whose = (notice.recipient,) if notice.recipient else ()
    return _hash(
        notice.notice_id, notice.domain, notice.customer_key, notice.document_id, notice.purpose, *whose
    )


REDACTED = "erased:"
"""Begins the detail of an event whose words were erased; the hash that it had follows."""


def event_hash(event: Event) -> str:
    """An event's own hash, over all that it says and the hash before it; an erased one names its hash."""
    if event.detail.startswith(REDACTED):
        return event.detail.removeprefix(REDACTED)
    return _hash(event.before, event.at, event.what, event.detail, *filter(None, [event.report]))


def head(notice: Notice) -> str:
    """The hash of the newest event: whoever knows it can tell any change of what came before."""
    return event_hash(notice.events[-1]) if notice.events else chain_start(notice)


def chain_holds(notice: Notice) -> bool:
    """Whether every event carries the hash of the one before it."""
    expected = chain_start(notice)
    for event in notice.events:
        if event.before != expected:
            return False
        expected = event_hash(event)
    return True


def _hash(*fields: str) -> str:
    return hashlib.blake2b(json.dumps(fields).encode(), digest_size=12).hexdigest()


def happened(
    notice: Notice, now: datetime, what: str, detail: str = "", *, report: str = "", **changes: object
) -> Notice:
    """The notice after an event: one version on, the event chained to those before.

    How it waited until then becomes an event of its own. `report`: see `Event`.
    """
    if detail.startswith(REDACTED):
        detail = f"({detail})"  # somebody's words: an erased event is made by nobody but an erasure
    notice = _waited(notice)
    event = Event(now.isoformat(timespec="milliseconds"), what, detail, head(notice), report)
    return replace(notice, version=notice.version + 1, events=(*notice.events, event), **changes)  # type: ignore[arg-type]


def _waited(notice: Notice) -> Notice:
    """The notice with its pauses as one event, if that says more than the event of the first one."""
    pauses = notice.pauses
    if pauses is None:
        return notice
    notice = replace(notice, pauses=None)
    if pauses.count > 1:
        detail = f"{pauses.why}, {pauses.count} times since {pauses.first}"
        notice = replace(
            notice, events=(*notice.events, Event(pauses.last, "deferred", detail, head(notice)))
        )
    if pauses.claim:
        claim = Event(pauses.claimed_at, CLAIMED, pauses.claim, head(notice))
        notice = replace(notice, events=(*notice.events, claim))
    return notice


def opened(notice: Notice, now: datetime, what: str, detail: str = "", *, report: str = "") -> Notice:
    """A notice not stored yet, at version 1, with its first event."""
    at = now.isoformat(timespec="milliseconds")
    return replace(happened(notice, now, what, detail, report=report), version=1, created_at=at)


def begun(notice: Notice, attempt: Attempt, now: datetime, waiting: tuple[Channel, ...]) -> Notice:
    """The notice with a new attempt claimed: the write of this, before the send, is the lock.

    A place in the due index stays until something is recorded: if the job is lost, that brings it back.
    """
    detail = f"{attempt.number} {attempt.channel} {attempt.provider} {attempt.job}"
    after = replace(
        notice,
        attempts=(*notice.attempts, attempt),
        status=Status.SENDING,
        why="",
        waiting=waiting,
    )
    pauses = notice.pauses
    if pauses is None or pauses.why != Why.PROVIDER_DOWN:
        return happened(after, now, CLAIMED, detail)
    at = now.isoformat(timespec="milliseconds")
    pending = replace(pauses, handed_on=0, claimed_at=at, claim=detail)
    return replace(after, version=notice.version + 1, pauses=pending)


def not_begun(
    notice: Notice, attempt: Attempt, now: datetime, waiting: tuple[Channel, ...], due_at: str = ""
) -> Notice:
    """The notice with an attempt that failed before its claim: no provider can have seen anything of it.

    A notice that reached its customer by an earlier attempt stays as it is, as with `finished`.
    """
    attempts = (*notice.attempts, attempt)
    overall = standing(attempts) if any(a.status in REACHED for a in attempts) else attempt.status
    return happened(
        notice,
        now,
        str(attempt.status),
        f"{attempt.number} {attempt.why}",
        attempts=attempts,
        status=overall,
        why="" if overall in REACHED else attempt.why,
        waiting=waiting,
        due_at="" if overall in REACHED else due_at,
    )


def finished(
    notice: Notice,
    number: int,
    status: Status,
    now: datetime,
    *,
    ref: str = "",
    why: str = "",
    due_at: str = "",
    report: str = "",
) -> Notice | None:
    """The notice with an attempt's result recorded, or None if that would move it backwards.

    A notice that reached its customer by an earlier attempt stays `sent` whatever a later one does.
    """
    attempt = notice.attempt(number)
    if attempt is None or RANK[status] <= RANK[attempt.status]:
        return None
    done = replace(attempt, status=status, ref=ref or attempt.ref, why=why)
    attempts = tuple(done if a.number == number else a for a in notice.attempts)
    overall = standing(attempts) if any(a.status in REACHED for a in attempts) else status
    if notice.status in (Status.SUPERSEDED, Status.SUPPRESSED, Status.PAPER):
        overall = notice.status
    return happened(
        notice,
        now,
        str(status),
        " ".join(x for x in (str(number), ref, why) if x),
        report=report,
        attempts=attempts,
        status=overall,
        why="" if overall in REACHED else why,
        due_at=due_at,
    )
