"""Notices that wait: put off, handed on, put off again, with a history that does not grow by it.

Everything that waits lies in the due index (domain/due.py), and so does what must follow a write: its due
time is in the same write, so whoever dies after it leaves a notice that the sweep hands on. The decision
does what follows, by what is stored, and takes the notice out of the index in its own write.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from .decisions import Why
from .notices import (
    CORRECTED,
    REACHED,
    RELEASED,
    Notice,
    Pauses,
    Status,
    happened,
    opened,
    standing,
)
from .takeover import CLAIMED_BY

FOLLOW_UP = timedelta(minutes=15)
"""How long what follows a write may take by itself, before the sweep hands the notice on."""

_LONGEST = timedelta(hours=1)
_FIRST = {str(Why.NOT_APPROVED): timedelta(minutes=15)}
_FIRST_OF_OTHERS = timedelta(minutes=5)

_NO_MOVE = frozenset({RELEASED, CLAIMED_BY, CORRECTED})
"""Events of a notice that leave a decision as it was."""


def follow_up(notice: Notice, now: datetime) -> str:
    """When a notice is to be looked at that ended, or reached somebody, in a write that something follows.

    Never what no decision is made on: copies for internal teams, and notes, which are of no record.
    """
    if notice.audience != "customer" or not notice.origin.part:
        return ""
    return (now + FOLLOW_UP).isoformat(timespec="seconds")


def pause_for(notice: Notice, why: str) -> timedelta:
    """How long to leave alone what keeps a notice back: five minutes (fifteen for words that nobody approved,
    since an approval comes with a deployment), twice that each time, an hour at most."""
    before = sum(1 for event in notice.events if event.what == "deferred" and why in event.detail)
    if notice.pauses is not None and notice.pauses.why == why:
        before += notice.pauses.count - 1
    return min(_FIRST.get(why, _FIRST_OF_OTHERS) * (1 << min(before, 10)), _LONGEST)


def deferred(
    notice: Notice,
    until: datetime,
    why: str,
    now: datetime,
    *,
    new: bool = False,
    detail: str = "",
    report: str = "",
) -> Notice:
    """The notice as it waits for another look, unclaimed. `new`: it is not stored yet.

    `detail` says more than `why`, `report` where that is counted (`Event`). Put off again for the same
    reason, it has that counted. A customer who was reached stays so.
    """
    at = now.isoformat(timespec="milliseconds")
    status = standing(notice.attempts) if notice.reached else Status.DEFERRED
    after = replace(
        notice,
        status=status,
        why="" if status in REACHED else why,
        due_at=until.isoformat(timespec="seconds"),
    )
    pauses = notice.pauses
    if pauses is not None and pauses.why == why:
        return replace(after, version=notice.version + 1, pauses=_again(pauses, at))
    write = opened if new else happened
    told = write(after, now, "deferred", f"{why} {detail}".strip(), report=report)
    return replace(told, pauses=Pauses(why, 1, at, at))


def put_off(notice: Notice, number: int, until: datetime, why: str, now: datetime) -> Notice:
    """The notice with a claimed attempt withdrawn, certainly unsent, and due again later.

    One that was superseded meanwhile is not tried again.
    """
    at = now.isoformat(timespec="milliseconds")
    attempts = tuple(a for a in notice.attempts if a.number != number)
    status = standing(attempts) if any(a.status in REACHED for a in attempts) else Status.DEFERRED
    if notice.superseded_by:
        overall = status if status in REACHED else Status.SUPERSEDED
        return happened(
            notice,
            now,
            str(overall),
            f"{number} {why}",
            attempts=attempts,
            status=overall,
            why="" if overall in REACHED else "superseded",
            waiting=(),
            due_at="",
        )
    withdrawn = notice.attempt(number)
    # With no attempt left every channel is open again; otherwise this one and those behind it.
    waiting = (withdrawn.channel, *notice.waiting) if withdrawn is not None and attempts else ()
    after = replace(
        notice,
        attempts=attempts,
        status=status,
        why=why,
        waiting=waiting,
        due_at=until.isoformat(timespec="seconds"),
    )
    if notice.pauses is not None and notice.pauses.why == why:
        return replace(after, version=notice.version + 1, pauses=_again(notice.pauses, at))
    return replace(happened(after, now, "deferred", f"{number} {why}"), pauses=Pauses(why, 1, at, at))


def _again(pauses: Pauses, at: str) -> Pauses:
    return Pauses(pauses.why, pauses.count + 1, pauses.first, at)


def handed_on(notice: Notice, again_at: str, now: datetime) -> Notice:
    """The notice handed on for another look, and due again at `again_at` in case that look is lost."""
    at, pauses = now.isoformat(timespec="milliseconds"), notice.pauses
    if pauses is None and not is_handed_on(notice):
        return happened(notice, now, RELEASED, due_at=again_at)
    pauses = pauses or Pauses(RELEASED, 1, at, at)
    counted = replace(pauses, handed_on=pauses.handed_on + 1)
    return replace(notice, version=notice.version + 1, due_at=again_at, pauses=counted)


def is_handed_on(notice: Notice) -> bool:
    """Whether the newest that happened to a notice is that it was handed on."""
    return times_handed_on(notice) > 0


def times_handed_on(notice: Notice) -> int:
    """How often a notice was handed on since anything else happened to it."""
    times = notice.pauses.handed_on if notice.pauses is not None else 0
    if notice.pauses is None or notice.pauses.why == RELEASED:
        for event in reversed(notice.events):
            if event.what != RELEASED:
                break
            times += 1
    return times


def is_due(notice: Notice, now: datetime) -> bool:
    """Whether its time has come; what the sweep handed on counts, since that moves the time ahead."""
    return not notice.due_at or datetime.fromisoformat(notice.due_at) <= now or is_handed_on(notice)


def moved_on(notice: Notice, since: int) -> bool:
    """Whether a notice moved on since that version (0: it was not stored), by more than being handed on again
    or waited for by another record."""
    newer = notice.version - since
    if newer <= 0 or not since:
        return newer != 0
    pauses = notice.pauses
    if pauses is not None:
        newer -= pauses.handed_on
        if newer <= 0:
            return False
        if pauses.count > 1 or pauses.claim:
            return True
    return any(event.what not in _NO_MOVE for event in notice.events[-newer:])
