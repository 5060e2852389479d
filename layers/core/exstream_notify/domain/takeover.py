"""Whether another record's notice stands in a record's way, and how a record takes one over."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from .decisions import Why
from .documents import Document
from .holders import words_of
from .notices import LOST, Former, Notice, Origin, Outcome, Status, happened
from .runs import RecordOutcome

TAKEN_OVER = "taken_over"
"""The event of a notice that another record took over; its detail names both."""

CLAIMED_BY = "also_wanted_by"
"""The event of a notice on which another record waits: should it reach nobody, that record gets it."""


class Standing(StrEnum):
    """How a stored notice stands for a record of the same document that it did not come from."""

    REACHED = "reached"
    """Somebody was notified, or may have been: the record is a duplicate."""
    ANSWERED = "answered"
    """Nothing is left to notify: the document was superseded, or its customer responded."""
    BUSY = "busy"
    """A send is under way."""
    WAITS = "waits"
    """Nobody was notified yet; the run that it came from still may."""
    ENDED = "ended"
    """Nobody was notified, and nobody will be: the record may take the notice over."""


def standing_of(notice: Notice) -> Standing:
    """How a notice stands. A letter counts as a notification: it may have been printed."""
    if notice.status == Status.PAPER or notice.reached or notice.in_doubt:
        return Standing.REACHED
    if notice.superseded_by or notice.status == Status.SUPERSEDED or notice.responses:
        return Standing.ANSWERED
    if notice.claimed is not None:
        return Standing.BUSY
    if notice.status == Status.DEFERRED or (notice.status in LOST and notice.waiting):
        return Standing.WAITS
    return Standing.ENDED


def is_from(notice: Notice, origin: Origin) -> bool:
    """Whether a notice belongs to this record."""
    ours = notice.origin
    return (ours.run, ours.slice_number, ours.position) == (
        origin.run,
        origin.slice_number,
        origin.position,
    )


def outcome_for(notice: Notice, origin: Origin, why: str = "") -> RecordOutcome:
    """What a stored notice means for a record: its own outcome, what it was before another record took the
    notice over, or a duplicate of the other's, for the reason `why`."""
    number, position = origin.slice_number, origin.position
    if is_from(notice, origin):
        return RecordOutcome(number, position, notice.outcome, notice.why, notice.version, notice.notice_id)
    former = former_of(notice, origin)
    if former is not None:
        return RecordOutcome(number, position, former.outcome, former.why, former.version, notice.notice_id)
    if standing_of(notice) == Standing.ANSWERED:
        superseded = notice.superseded_by or notice.status == Status.SUPERSEDED
        ended = str(Why.SUPERSEDED if superseded else Why.RESPONDED)
        return RecordOutcome(number, position, Outcome.SUPPRESSED, ended, 1, notice.notice_id)
    return RecordOutcome(number, position, Outcome.DUPLICATE, why, 1, notice.notice_id)


def former_of(notice: Notice, origin: Origin) -> Former | None:
    """What became of a record that had this notice before another one took it over."""
    key = (origin.run, origin.slice_number, origin.position)
    return next((f for f in notice.former if (f.run, f.slice_number, f.position) == key), None)


def may_take_over(notice: Notice, origin: Origin, cancelled: Callable[[str], bool]) -> bool:
    """Whether a record may take over a notice of another record; `cancelled` says so of a run by its name.

    What waits belongs to the run that it came from, unless that run was cancelled. A record that lost the
    notice never takes it back: a late repeat of its messages would otherwise undo a corrected run.
    """
    if is_from(notice, origin) or former_of(notice, origin) is not None:
        return False
    standing = standing_of(notice)
    return standing == Standing.ENDED or (standing == Standing.WAITS and cancelled(notice.origin.run))


def taken_over(
    notice: Notice, origin: Origin, document: Document | None, now: datetime, *, cancelled: bool = False
) -> Notice:
    """The notice as this record's, to be decided anew. Its version stays: the decision is in the same write.

    Attempts keep their numbers and events. `cancelled`: the run that it came from was cancelled.
    """
    old = notice.origin
    ended = notice.outcome, notice.why
    if notice.status == Status.DEFERRED and cancelled:
        ended = Outcome.SUPPRESSED, str(Why.RUN_CANCELLED)
    # Later than whatever was said of that record before: this version is the one that is written.
    former = Former(old.run, old.slice_number, old.position, *ended, notice.version + 1)
    detail = f"by {origin.run} record {origin.position}, from {old.run} record {old.position}"
    after = happened(
        notice,
        now,
        TAKEN_OVER,
        detail,
        origin=origin,
        status=Status.DEFERRED,
        why="",
        waiting=(),
        due_at="",
        created_at=now.isoformat(timespec="milliseconds"),
        case_id=(document.case_id or "") if document else notice.case_id,
        former=(*notice.former, former),
        heirs=tuple(heir for heir in notice.heirs if _key(heir) != _key(origin)),
        facts=facts_of(document) if document else notice.facts,
    )
    return replace(after, version=notice.version)


def wanted_also(notice: Notice, origin: Origin, now: datetime) -> Notice | None:
    """The notice with a record that gets it should it reach nobody; None if nothing is to be written."""
    open_yet = standing_of(notice) in (Standing.WAITS, Standing.BUSY)
    if not open_yet or any(_key(heir) == _key(origin) for heir in notice.heirs):
        return None
    detail = f"{origin.run} record {origin.position}"
    return happened(notice, now, CLAIMED_BY, detail, heirs=(*notice.heirs, origin))


def left_to(notice: Notice) -> tuple[Origin, ...]:
    """The records that a notice which reached nobody is left to now."""
    return notice.heirs if standing_of(notice) in (Standing.ENDED, Standing.ANSWERED) else ()


def _key(origin: Origin) -> tuple[str, int, int]:
    return origin.run, origin.slice_number, origin.position


# --- what a notice was about --------------------------------------------------------------------

_KINDS: Mapping[str, str] = {
    "c": "content",
    "a": "amount",
    "p": "period",
    "d": "production date",
    "u": "due date",
    "f": "file",
    "n": "name",
    "l": "name",
}
"""What is compared of a duplicate and the document that was notified, by the letter that marks its hash."""

_SIZE = 7


def facts_of(document: Document) -> str:
    """Short hashes of what a document says, in one text, to tell a repeat from another document.

    Keyed by customer and document, so that equal amounts of two customers have nothing in common.
    """
    values = {
        "c": document.content_sha256 or "",
        "a": f"{_number(document.amount_due)} {document.currency or ''}" if document.amount_due else "",
        "p": " ".join((document.statement_period or "").casefold().split()),
        "d": (document.produced_at or "")[:10],
        "u": document.due_date or "",
        "f": document.output_uri or "",
        # A first name may be an initial. Another person under the same key has another one, or last name.
        "n": "".join(words_of(document.first_name or ""))[:1],
        "l": " ".join(words_of(document.last_name or "")),
    }
    key = f"{document.domain}\0{document.contact_key}\0{document.document_id}"
    return "".join(mark + _short(key, mark, value) for mark, value in values.items() if value)


def differences(
    facts: str, document: Document, *, of_one_run: bool = False, compared: str = ""
) -> tuple[str, ...]:
    """In what a document differs from the one that `facts` were taken of, by the names of its kinds.

    What either does not state is not compared. The file's place is compared within one run only: a later
    run may keep the same document elsewhere. `compared` are the document's own facts, where they are known.
    """
    before, now = _parted(facts), _parted(compared or facts_of(document))
    return tuple(
        dict.fromkeys(
            name
            for mark, name in _KINDS.items()
            if mark in before and mark in now and before[mark] != now[mark] and (of_one_run or mark != "f")
        )
    )


def may_correct(facts: str, document: Document) -> bool:
    """Whether a document says another due date or amount than the one that `facts` were taken of, or says
    one where that said none; without facts it may."""
    before, now = _parted(facts), _parted(facts_of(document))
    other = any(mark in now and now[mark] != before.get(mark) for mark in "au")
    return other or not facts or document.in_credit


def doubts(notice: Notice, origin: Origin, document: Document) -> tuple[str, tuple[str, ...]]:
    """Why a duplicate of another record's notice may be another document, and in what it differs from it.

    Without an id or a date nothing says that this month's document is last month's, unless both have one due
    date.
    """
    of_one_run = notice.origin.run == origin.run
    own = facts_of(document)
    if kinds := differences(notice.facts, document, of_one_run=of_one_run, compared=own):
        return str(Why.OTHER_CONTENT), kinds
    same_day = "u" in _parted(own) and "u" in _parted(notice.facts)
    return (str(Why.UNDATED) if document.undated and not of_one_run and not same_day else ""), ()


def _parted(facts: str) -> dict[str, str]:
    return {facts[at]: facts[at + 1 : at + _SIZE] for at in range(0, len(facts), _SIZE)}


def _number(amount: str | None) -> str:
    """An amount without what says nothing: `120.50` and `120.5` are one."""
    text = amount or ""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _short(key: str, mark: str, value: str) -> str:
    digest = hashlib.blake2b(f"{key}\0{mark}\0{value}".encode(), digest_size=6).digest()
    return base64.urlsafe_b64encode(digest)[: _SIZE - 1].decode()
