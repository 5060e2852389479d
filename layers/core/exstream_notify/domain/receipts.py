"""What providers report about a message, in one form, and what each report means, as tables."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from .documents import Channel
from .identity import job_id
from .notices import Attempt, Notice, Status, happened, head, standing


class Kind(StrEnum):
    """What a receipt says, whoever says it."""

    SENT = "sent"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    GAVE_UP = "gave_up"
    CONTENT_REFUSED = "content_refused"
    POLICY_REFUSED = "policy_refused"
    CARRIER_REFUSED = "carrier_refused"
    OUR_FAULT = "our_fault"
    NOT_DELIVERED = "not_delivered"
    ECHO_BOUNCE = "echo_bounce"
    ECHO_COMPLAINT = "echo_complaint"
    COMPLAINT = "complaint"
    NOT_SPAM = "not_spam"
    UNDETERMINED = "undetermined"
    COMPOSER_UNDELIVERED = "composer_undelivered"
    COMPOSER_FAILED = "composer_failed"
    UNSUBSCRIBED = "unsubscribed"
    AUTH_REPORT = "auth_report"
    OPENED = "opened"
    AUTO_REPLY = "auto_reply"
    CHALLENGE = "challenge"
    UNKNOWN = "unknown"


Suppress = Literal["no", "soft", "hard", "complaint", "echo", "opt_out"]
"""`soft` counts within a window, `echo` mirrors a provider's own list and counts in no rate, `opt_out` is
the customer's wish, so it marks their contact alone and not everybody who has the address."""

Fault = Literal["nobody", "recipient", "content", "us", "carrier"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a kind. `status` None: nothing about the attempt changes.

    `retry`: the same address may work another day, so it stays usable. `fall_back`: the next channel
    is tried at once. `alert` is the code of an exception that people are told of.
    """

    status: Status | None
    suppress: Suppress
    retry: bool
    fall_back: bool
    fault: Fault
    alert: str = ""

    @property
    def claims(self) -> bool:
        """Whether it changes a notice or a customer's address where it is believed."""
        return self.status is not None or self.suppress != "no"


MEANINGS: Final[Mapping[Kind, Meaning]] = {
    #                  status, suppress, retry, fall back, fault, alert
    Kind.SENT: Meaning(Status.SENT, "no", True, False, "nobody"),
    Kind.DELIVERED: Meaning(Status.DELIVERED, "no", True, False, "nobody"),
    Kind.DELAYED: Meaning(Status.DELAYED, "no", True, False, "nobody"),
    Kind.HARD_BOUNCE: Meaning(Status.BOUNCED, "hard", False, True, "recipient"),
    Kind.SOFT_BOUNCE: Meaning(Status.UNDELIVERED, "soft", True, True, "recipient"),
    Kind.GAVE_UP: Meaning(Status.UNDELIVERED, "no", True, True, "carrier"),
    Kind.CONTENT_REFUSED: Meaning(Status.UNDELIVERED, "no", True, True, "content", "content_refused"),
    Kind.POLICY_REFUSED: Meaning(Status.UNDELIVERED, "no", True, True, "us", "sender_refused"),
    Kind.CARRIER_REFUSED: Meaning(Status.UNDELIVERED, "no", True, True, "carrier"),
    Kind.OUR_FAULT: Meaning(Status.UNDELIVERED, "no", True, True, "us", "send_spoiled"),
    Kind.NOT_DELIVERED: Meaning(Status.UNDELIVERED, "no", True, True, "nobody"),
    Kind.ECHO_BOUNCE: Meaning(Status.BOUNCED, "echo", False, True, "recipient"),
    Kind.ECHO_COMPLAINT: Meaning(Status.BOUNCED, "echo", False, True, "recipient"),
    Kind.COMPLAINT: Meaning(Status.COMPLAINED, "complaint", False, False, "recipient"),
    Kind.NOT_SPAM: Meaning(None, "no", True, False, "nobody"),
    Kind.UNDETERMINED: Meaning(None, "no", True, False, "nobody"),
    Kind.COMPOSER_UNDELIVERED: Meaning(Status.UNDELIVERED, "soft", True, True, "recipient"),
    Kind.COMPOSER_FAILED: Meaning(Status.UNDELIVERED, "no", True, True, "us"),
    Kind.UNSUBSCRIBED: Meaning(None, "opt_out", True, False, "nobody"),
    Kind.AUTH_REPORT: Meaning(None, "no", True, False, "us"),
    Kind.OPENED: Meaning(None, "no", True, False, "nobody"),
    Kind.AUTO_REPLY: Meaning(None, "no", True, False, "nobody"),
    Kind.CHALLENGE: Meaning(None, "no", True, False, "recipient", "challenge_mail"),
    Kind.UNKNOWN: Meaning(None, "no", True, False, "nobody", "receipt_unknown"),
}  # fmt: skip
"""The table of meanings. A complaint needs no other channel: whoever complained has the message. A composer's
failure is told by its own event (adapters/alert_triggers.py), so it raises nothing a second time here."""

SILENT: Final = frozenset({Kind.OPENED, Kind.UNKNOWN})
"""Counted, and not written into the notice: machines open mail, and an unknown report says nothing of it."""

SES_ECHO_SUBTYPES: Final = re.compile(r"suppress|tenant|validation|unsubscrib", re.IGNORECASE)
"""Subtypes of permanent bounces that are lists speaking (Amazon SES, "Bounce types"), however new ones are
spelled: Suppressed, OnAccountSuppressionList, EmailValidationSuppressed, UnsubscribedRecipient …"""

SES_COMPLAINTS: Final[Mapping[str, Kind]] = {
    "not-spam": Kind.NOT_SPAM,
    "auth-failure": Kind.AUTH_REPORT,
    "": Kind.COMPLAINT,
}
"""By feedback type (RFC 5965, 7.3; SES's `complaintFeedbackType`); any other is a complaint. A report that a
mail failed authentication (RFC 6591) comes from a machine: nobody complained."""

_SENT_STATES: Final[Mapping[str, Kind]] = {
    "DELIVERED": Kind.DELIVERED,
    "SUCCESSFUL": Kind.SENT,
    "QUEUED": Kind.SENT,
    "PENDING": Kind.SENT,
    "SENT": Kind.SENT,
}
_FAILED_STATES: Final = frozenset(
    {
        "UNREACHABLE", "CARRIER_UNREACHABLE", "TTL_EXPIRED", "UNKNOWN", "INVALID", "INVALID_MESSAGE",
        "BLOCKED", "CARRIER_BLOCKED", "SPAM", "PROTECT_BLOCKED",
    }
)  # fmt: skip

SMS_EVENTS: Final[Mapping[str, Kind]] = {
    **{f"TEXT_{state}": kind for state, kind in _SENT_STATES.items()},
    **{f"MEDIA_{state}": kind for state, kind in _SENT_STATES.items() if state != "SENT"},
    "RCS_QUEUED": Kind.SENT,
    "RCS_SENT": Kind.SENT,
    "RCS_DELIVERED": Kind.DELIVERED,
    "RCS_READ": Kind.DELIVERED,
    "RCS_FALLEN_BACK_TO_SMS": Kind.SENT,
    "VOICE_INITIATED": Kind.SENT,
    "VOICE_RINGING": Kind.SENT,
    "VOICE_ANSWERED": Kind.DELIVERED,
    "VOICE_COMPLETED": Kind.DELIVERED,
}
"""AWS End User Messaging SMS, "Event types", as far as nothing failed. Those of RCS appear once an RCS agent
is in the pool; after one that fell back to SMS, events of the text follow."""

SMS_FAILURES: Final = frozenset(
    {
        *(f"TEXT_{state}" for state in _FAILED_STATES),
        *(f"MEDIA_{state}" for state in _FAILED_STATES - {"PROTECT_BLOCKED"}),
        "MEDIA_FILE_INACCESSIBLE", "MEDIA_FILE_TYPE_UNSUPPORTED", "MEDIA_FILE_SIZE_EXCEEDED", "RCS_FAILED",
        "RCS_TTL_EXPIRED", "RCS_PROTECT_BLOCKED", "VOICE_BUSY", "VOICE_NO_ANSWER", "VOICE_FAILED",
        "VOICE_TTL_EXPIRED",
    }
)  # fmt: skip
"""The events of failures: why is a verdict, by the state as `aws:INVALID` and the carrier's words."""

SMS_STATES: Final[Mapping[str, Kind]] = {
    "confirmed": Kind.DELIVERED,
    "delivered": Kind.DELIVERED,
    "delivrd": Kind.DELIVERED,
    "pending": Kind.DELAYED,
    "enroute": Kind.SENT,
    "accepted": Kind.SENT,
    "acceptd": Kind.SENT,
}
"""`status` of an OpenText SMS delivery event, as far as nothing failed: its own values are not public
(inferred), and those of SMPP 3.4, appendix B. Any other state says nothing that is certain."""

SMS_FAILED: Final = frozenset(
    {
        "expired", "rejected", "rejectd", "blocked", "undeliverable", "undelivered", "undeliv", "failed",
        "failure", "error", "deleted", "invalid",
    }
)  # fmt: skip
"""States of an SMS that was certainly not delivered: why is a verdict, by state and words."""

OPENTEXT_FAILURES: Final = frozenset({"Error", "Cancelled", "Expired"})
"""Delivery states of OpenText Notifications that a message ended in; so did one beside `Sent` with a gamma
code, mostly."""

EXSTREAM_EVENTS: Final[tuple[tuple[str, Kind], ...]] = (
    ("-NDLV", Kind.COMPOSER_UNDELIVERED),
    ("-Failed", Kind.COMPOSER_FAILED),
)
"""By the end of `schemaType`; the others of Exstream's own delivery say nothing that we act on."""


class Source(StrEnum):
    """Who says it."""

    PROVIDER = "provider"
    """The provider, over an authenticated way: a topic, the web hook, the event bus, our own question."""
    BEARER = "bearer"
    """A mail with a reference of ours that verifies: somebody had the message, or carried it."""
    ANYBODY = "anybody"
    """A mail that anybody could have sent."""


REPORTS_BOUNCES: Final = frozenset({"ses"})
"""Providers that bounces return to and that report each of them: their own word outranks a mail's. A bounce
of what SES sent reaches us by mail only as a copy that SES forwards."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report about one recipient of one message, whoever sent it.

    `at` is when it happened (ISO 8601, UTC), not when we heard. `recipient` is the address as
    reported, canonical if it can be one; empty: not told. `sole`: the message had no other recipient.
    `reason` has no address in it. `ref` is the provider's reference, `raw` where the report as it
    came can be found. `until` is when the provider gives up trying. `also` are further names of the
    same recipient in the same report.
    """

    provider: str
    channel: Channel
    kind: Kind
    at: str
    notice_id: str = ""
    attempt: int | None = None
    recipient: str = field(default="", repr=False)
    hashes: tuple[str, ...] = ()
    sole: bool = True
    code: str = ""
    reason: str = ""
    ref: str = ""
    sender: str = ""
    raw: str = ""
    until: str = ""
    also: tuple[str, ...] = field(default=(), repr=False)
    said_by: Source = Source.PROVIDER

    @property
    def meaning(self) -> Meaning:
        """What follows from it."""
        return MEANINGS[self.kind]

    @property
    def identity(self) -> str:
        """The same for the same report, however often and on whichever way it comes.

        A mail can be sent again at any time and in other words: all that say the same of one attempt are one.
        """
        who = self.hashes[0] if self.hashes else ""
        about: tuple[str, ...] = (self.notice_id, str(self.attempt), self.channel, who)
        if self.said_by == Source.PROVIDER:
            about = (*about[:3], self.ref, self.code, self.at, who)
        return job_id(self.provider, 0, self.kind, about)[:12]


@dataclass(frozen=True, slots=True)
class ReceiptPolicy:
    """What a site sets for receipts.

    `soft_limit` soft failures of one address within `soft_window` (of event time) suppress it for
    `soft_rest`. A delay waits `delay_wait` before the next channel is tried. Receipts for notices
    that the ledger does not know are tried again for `keep_unmatched`, then reported. From
    `unproven_limit` mails an hour on that prove nothing, a person is asked to look.
    """

    soft_limit: int = 3
    soft_window: timedelta = timedelta(days=7)
    soft_rest: timedelta = timedelta(days=30)
    delay_wait: timedelta = timedelta(hours=4)
    keep_unmatched: timedelta = timedelta(hours=24)
    unproven_limit: int = 20


INLINE_LIMIT = 100
"""Receipts kept as events of a notice; what comes later and changes nothing goes to evidence alone, since
an item of the ledger has a size limit."""

MARK: Final = "#"
"""Stands before a receipt's identity in an event, and so in no reason (domain/reasons.py)."""


def outranked(notice: Notice, receipt: Receipt) -> bool:
    """Whether a mail is about an attempt that failed by the word of a provider that reports bounces.

    A delivery that the provider reports does not contradict a bounce that comes later. Deliveries and delays
    such a provider reports itself: what a mail says of them could only hold a message back.
    """
    if receipt.said_by == Source.PROVIDER:
        return False
    attempt = attempt_of(notice, receipt)
    if attempt is None or attempt.provider not in REPORTS_BOUNCES:
        return False
    waits_or_came = receipt.meaning.status in (Status.SENT, Status.DELIVERED, Status.DELAYED)
    return waits_or_came or (attempt.has_failed and not attempt.by_mail)


def attempt_of(notice: Notice, receipt: Receipt) -> Attempt | None:
    """The attempt that a receipt is about: by number, by the provider's reference, by address, by channel."""
    if receipt.attempt is not None:
        return notice.attempt(receipt.attempt)
    mine = [a for a in notice.attempts if a.channel == receipt.channel]
    for attempt in reversed(mine):
        if receipt.ref and attempt.ref == receipt.ref:
            return attempt
    for attempt in reversed(mine):
        if attempt.address in receipt.hashes:
            return attempt
    return mine[-1] if mine else None


def concerns(attempt: Attempt | None, receipt: Receipt) -> bool:
    """Whether the reported recipient is the attempt's: of a message to several only a match counts.

    Of a message to one any address counts: a mailbox that forwards bounces under another name.
    """
    return attempt is None or receipt.sole or not receipt.hashes or attempt.address in receipt.hashes


def knows(notice: Notice, receipt: Receipt) -> bool:
    """Whether the notice holds this receipt already."""
    mark = MARK + receipt.identity
    return any(mark in event.detail for event in notice.events)


def is_followed(notice: Notice, receipt: Receipt) -> bool:
    """Whether something came of a receipt that the notice holds: anything but further receipts."""
    mark = MARK + receipt.identity
    place = next((n for n, event in enumerate(notice.events) if mark in event.detail), len(notice.events))
    return any(not event.what.startswith("receipt ") for event in notice.events[place:])


def kept_in(notice: Notice, receipt: Receipt) -> str:
    """The evidence that a receipt was kept in, as its event names it; empty if the notice has no such."""
    mark = MARK + receipt.identity
    for event in notice.events:
        _before, found, after = event.detail.partition(mark)
        if found:
            return after.strip()
    return ""


def applied(
    notice: Notice, receipt: Receipt, now: datetime, policy: ReceiptPolicy, evidence: str = ""
) -> Notice | None:
    """The notice with a receipt recorded, or None if it holds it already or nothing of it is to be kept.

    What happened later stands (`Attempt.told`), so the same receipts end alike in any order.
    The notice stands as its best attempt does; superseded, suppressed and paper stay so.
    """
    meaning = receipt.meaning
    attempt = attempt_of(notice, receipt)
    if receipt.kind in SILENT or knows(notice, receipt) or not concerns(attempt, receipt):
        return None
    if outranked(notice, receipt):
        return None
    status = meaning.status
    heard = _heard(attempt, receipt, status) if attempt is not None and status is not None else attempt
    moves = False
    if attempt is not None and heard is not None:
        moves = heard.status != attempt.status or heard.by_mail < attempt.by_mail
    # A mail is always kept, so that it is known when it comes again: there are few that differ.
    full = _inline(notice) >= INLINE_LIMIT and receipt.said_by == Source.PROVIDER
    if not moves and (receipt.kind is Kind.SENT or full):
        return None
    told = (str(attempt.number) if attempt else "-", receipt.provider, receipt.code, receipt.reason)
    detail = " ".join(x for x in (*told, f"{MARK}{receipt.identity}", evidence) if x)
    what = f"receipt {receipt.kind}"
    if attempt is None or heard is None or status is None:
        return happened(notice, now, what, detail)
    if not moves:
        return happened(notice, now, what, detail, attempts=_with(notice, heard))
    why = "" if heard.status in (Status.SENT, Status.DELIVERED) else str(receipt.kind)
    attempts = _with(notice, replace(heard, ref=attempt.ref or receipt.ref, why=why))
    overall = _overall(notice, attempts)
    due_at = notice.due_at
    if overall in (Status.DELIVERED, Status.COMPLAINED) and notice.status != overall:
        due_at = "" if notice.status != Status.SENT else due_at
    elif attempt.status in (Status.UNCONFIRMED, Status.DELAYED) and overall != Status.DEFERRED:
        due_at = ""
    if status == Status.DELAYED and overall == Status.DELAYED:
        due_at = _when(receipt, now, policy).isoformat(timespec="seconds")
    return happened(
        notice,
        now,
        what,
        detail,
        attempts=attempts,
        status=overall,
        why=notice.why if overall == notice.status else why,
        due_at=due_at,
    )


def _heard(attempt: Attempt, receipt: Receipt, status: Status) -> Attempt:
    """The attempt after a report; a failure that its provider reports replaces those that mails reported."""
    failed = status in FAILURES
    if receipt.said_by != Source.PROVIDER:
        heard = attempt.told(status, receipt.at)
        by_mail = attempt.by_mail or (failed and attempt.provider in REPORTS_BOUNCES)
        return heard if heard is attempt else replace(heard, by_mail=by_mail)
    replaces = failed and receipt.provider == attempt.provider
    return (attempt.without_mails() if replaces else attempt).told(status, receipt.at)


def _with(notice: Notice, attempt: Attempt) -> tuple[Attempt, ...]:
    return tuple(attempt if a.number == attempt.number else a for a in notice.attempts)


FAILURES: Final = frozenset({Status.UNDELIVERED, Status.BOUNCED, Status.COMPLAINED})
"""How an attempt can fail, as somebody reports it."""

_ENDED = (Status.SUPERSEDED, Status.SUPPRESSED, Status.PAPER)


def _overall(notice: Notice, attempts: tuple[Attempt, ...]) -> Status:
    if notice.status in _ENDED:
        return notice.status
    best = standing(attempts)
    if notice.status == Status.DEFERRED and best not in (Status.DELIVERED, Status.COMPLAINED):
        # Another attempt waits for its time: that an earlier one failed is no news.
        return notice.status
    return best


def _inline(notice: Notice) -> int:
    return sum(1 for event in notice.events if event.what.startswith("receipt "))


def _when(receipt: Receipt, now: datetime, policy: ReceiptPolicy) -> datetime:
    """When a delayed message is looked at again: after the wait, sooner if the provider gives up sooner."""
    wait = now + policy.delay_wait
    ends = moment(receipt.until)
    return min(wait, ends) if ends is not None and ends > now else wait


def anchor(notice: Notice) -> dict[str, object]:
    """A notice's place in its chain, for the evidence."""
    return {"notice_id": notice.notice_id, "version": notice.version, "head": head(notice)}


# --- suppression --------------------------------------------------------------------------------------

LISTED: Final = frozenset({"soft", "hard", "complaint", "echo"})
"""What goes onto the suppression list."""

_WEIGHT: Final[Mapping[str, int]] = {"": 0, "soft": 1, "echo": 2, "hard": 3, "complaint": 4}


@dataclass(frozen=True, slots=True)
class Suppression:
    """What is known of one address, by its keyed hash alone. `version` is its optimistic lock.

    `reason` is empty while it is only watched; `failures` are the times of soft failures; `at` is the
    newest event that counts. It is in force while it has a reason that is newer than its release, and
    has not expired. `stopped` is from where whoever has the address stopped it (a reply, an erasure): that
    stands beside all the rest, and only the same person, or an erasure's end, undoes it.
    """

    channel: Channel
    address: str
    reason: str = ""
    source: str = ""
    at: str = ""
    expires: str = ""
    failures: tuple[str, ...] = ()
    released_at: str = ""
    stopped: str = ""
    history: tuple[Mapping[str, str], ...] = ()
    version: int = 0
    topics: tuple[str, ...] = ()

    @property
    def released(self) -> bool:
        """Whether somebody lifted it after the newest event that counts."""
        return bool(self.released_at) and self.released_at >= self.at

    def in_force(self, now: datetime) -> bool:
        """Whether nothing may be sent there now."""
        if self.stopped:
            return True
        if not self.reason or self.released:
            return False
        return not self.expires or self.expires > now.astimezone(UTC).isoformat(timespec="seconds")


_HISTORY = 20


def suppressed_by(entry: Suppression, receipt: Receipt, policy: ReceiptPolicy) -> Suppression:
    """The entry after a receipt; the same object if it says nothing new.

    Order does not matter: the strongest reason wins, the newest event counts, soft failures are a
    set of event times. What happened before a release does not undo it.
    """
    kind = receipt.meaning.suppress
    at = receipt.at
    if kind in ("no", "opt_out") or (entry.released_at and at <= entry.released_at):
        return entry
    if kind == "soft":
        return _soft(entry, receipt, policy)
    stronger = _WEIGHT[kind] > _WEIGHT[entry.reason] or entry.released
    newer = at > entry.at
    if not stronger and not newer:
        return entry
    changes: dict[str, object] = {"at": max(at, entry.at), "version": entry.version + 1}
    if stronger:
        changes |= {"reason": kind, "source": receipt.provider, "expires": ""}
        changes["history"] = _noted(entry, at, kind, receipt.provider, receipt.code)
    return replace(entry, **changes)  # type: ignore[arg-type]


def _soft(entry: Suppression, receipt: Receipt, policy: ReceiptPolicy) -> Suppression:
    if receipt.at in entry.failures:
        return entry
    times = tuple(sorted({*entry.failures, receipt.at}))[-4 * policy.soft_limit :]
    changes: dict[str, object] = {"failures": times, "version": entry.version + 1}
    if _WEIGHT[entry.reason] <= _WEIGHT["soft"]:
        reached = _crowded(times, policy)
        if reached:
            ends = (moment(reached) or datetime.now(UTC)) + policy.soft_rest
            changes |= {
                "reason": "soft",
                "source": receipt.provider,
                "at": max(reached, entry.at),
                "expires": ends.isoformat(timespec="seconds"),
            }
            if entry.reason != "soft":
                changes["history"] = _noted(entry, reached, "soft", receipt.provider, receipt.code)
    return replace(entry, **changes)  # type: ignore[arg-type]


def _crowded(times: tuple[str, ...], policy: ReceiptPolicy) -> str:
    """The newest time that completes `soft_limit` failures within the window; empty if none does."""
    moments = [m for t in times if (m := moment(t)) is not None]
    for last in range(len(moments) - 1, policy.soft_limit - 2, -1):
        if moments[last] - moments[last - policy.soft_limit + 1] <= policy.soft_window:
            return times[last]
    return ""


def released(entry: Suppression, who: str, why: str, now: datetime) -> Suppression:
    """The entry lifted, with who did it and why; later events suppress again.

    A provider's clock may be ahead of ours: what it told by now is lifted, whatever time it says.
    """
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return replace(
        entry,
        released_at=max(at, entry.at),
        failures=(),
        history=_noted(entry, at, "released", who, why),
        version=entry.version + 1,
    )


def stopped_from(entry: Suppression, source: str, at: datetime) -> Suppression:
    """The entry as its holder's stop leaves it (47 CFR 64.1200(a)(10)); `source` says how it came, `at` when
    it was said. The same entry if the holder started again later, or stopped before."""
    if entry.stopped or _last_word(entry) > stamp(at):
        return entry
    return _told(entry, "stopped", source, at, stopped=source)


def without_topics(entry: Suppression, topics: Collection[str], source: str, now: datetime) -> Suppression:
    """The entry with topics that the holder opted out of; the same object if it has them."""
    together = tuple(sorted({*entry.topics, *topics}))
    if together == entry.topics:
        return entry
    return replace(_told(entry, "opted out", source, now, stopped=entry.stopped), topics=together)


def allowed_from(entry: Suppression, source: str, at: datetime) -> Suppression:
    """The entry with the holder's stop taken back; what a bounce or a complaint says of it stays.

    Without a stop the word is kept all the same: an earlier stop may come late. The same entry if a stop was
    said later, or at the same time.
    """
    last = _last_word(entry)
    if last > stamp(at) or (last == stamp(at) and (entry.stopped or _has_word(entry, source))):
        return entry
    return _told(entry, "allowed", source, at, stopped="")


def _last_word(entry: Suppression) -> str:
    """When the holder last stopped or started."""
    return max((row["at"] for row in entry.history if row["what"] in _WORDS), default="")


def _has_word(entry: Suppression, source: str) -> bool:
    return any(row["what"] in _WORDS and row["who"] == source for row in entry.history)


_WORDS = ("stopped", "allowed")


def _told(entry: Suppression, what: str, source: str, now: datetime, *, stopped: str) -> Suppression:
    history = _noted(entry, stamp(now), what, source, "")
    return replace(entry, stopped=stopped, history=history, version=entry.version + 1)


def _noted(entry: Suppression, at: str, what: str, who: str, why: str) -> tuple[Mapping[str, str], ...]:
    return (*entry.history, {"at": at, "what": what, "who": who, "why": why})[-_HISTORY:]


ADDRESS_STATUS: Final[Mapping[str, Literal["soft", "invalid", "complained", "opted_out"]]] = {
    "soft": "soft",
    "hard": "invalid",
    "echo": "invalid",
    "complaint": "complained",
    "opt_out": "opted_out",
}
"""The contact's address after a receipt. `soft` stays usable: the list suppresses it for a time."""

ADDRESS_RANK: Final[Mapping[str, int]] = {"ok": 0, "soft": 1, "invalid": 2, "complained": 3, "opted_out": 4}


# --- time -------------------------------------------------------------------------------------


def moment(text: str) -> datetime | None:
    """A time as written in a receipt, in UTC; None if it is none. Without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def stamp(at: datetime) -> str:
    """A time in the one spelling that receipts are compared in: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
