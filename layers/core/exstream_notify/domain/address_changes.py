"""How a customer changes an e-mail address or a mobile number, so that nobody else can.

A second step comes first, then a code goes to the new address and comes back. The old address is told
and stays the contact's, links included, for three days, in which whoever reads it can undo the change:
a forwarded mail or a recycled number takes nothing over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .contacts import FIELD_OF, Address, AddressChange, Contact, with_entries
from .documents import Channel

CODE_LIFE = timedelta(minutes=15)
CODE_TRIES = 5
CODES_A_DAY = 3
"""Six digits, fifteen guesses a day at most: one chance in 66,000."""

UNDO_WITHIN = timedelta(hours=72)
"""How long the old address stays the contact's after the new one was confirmed."""

LOCKED_FOR = timedelta(hours=24)
"""After a change was undone no address can be changed for this long."""


class Answer(StrEnum):
    """What came of a step; LATER: a message could not go out yet, and the same step again may succeed."""

    DONE = "done"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_OFTEN = "too_often"
    LOCKED = "locked"
    SAME = "same"
    LATER = "later"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """A contact after a step (the same object where nothing is to be stored), and what came of it."""

    contact: Contact
    answer: Answer
    change: AddressChange | None = None


def pending(contact: Contact, channel: Channel) -> AddressChange | None:
    """The channel's change that waits for its code, or for its three days to pass."""
    return next((c for c in contact.changing if c.channel == channel), None)


def locked(contact: Contact, now: datetime) -> bool:
    """Whether addresses cannot be changed on the page just now."""
    until = contact.changes_locked_until
    return bool(until) and now < datetime.fromisoformat(until)


def asked(
    contact: Contact,
    channel: Channel,
    address: Address,
    *,
    change_id: str,
    code: str,
    now: datetime,
    source: str,
) -> Step:
    """A change begun: `code` is the keyed hash of what now goes to the new address.

    An earlier change of the channel that was not confirmed yet makes room; a confirmed one stands
    until its three days are over or it is undone. The same change again leaves everything as it is.
    """
    if locked(contact, now):
        return Step(contact, Answer.LOCKED)
    known = contact.address(channel)
    if known is not None and known.value == address.value:
        return Step(contact, Answer.SAME)
    before = pending(contact, channel)
    if before is not None and before.change_id == change_id:
        return Step(contact, Answer.DONE, before)
    if before is not None and before.confirmed_at:
        return Step(contact, Answer.LOCKED)
    recent = tuple(t for t in contact.codes_sent if datetime.fromisoformat(t) > now - timedelta(days=1))
    if len(recent) >= CODES_A_DAY:
        return Step(contact, Answer.TOO_OFTEN)
    change = AddressChange(
        change_id, channel, replace(address, source=source), code, _text(now), _text(now + CODE_LIFE), source
    )
    after = replace(contact, changing=(*_others(contact, channel), change), codes_sent=(*recent, _text(now)))
    return Step(_noted(after, now, source, "changing", "", f"{channel} asked"), Answer.DONE, change)


def confirmed(contact: Contact, channel: Channel, now: datetime, *, equal: bool) -> Step:
    """The code came back: `equal` says whether it is the one, compared in constant time by the caller.

    Where somebody can still be told (the old address, or the other channel), the new address holds
    after UNDO_WITHIN; where nobody can, at once.
    """
    change = pending(contact, channel)
    if change is None or change.confirmed_at:
        return Step(contact, Answer.NONE)
    if now > datetime.fromisoformat(change.expires_at):
        return Step(replace(contact, changing=_others(contact, channel)), Answer.EXPIRED)
    if not equal:
        tries = change.tries + 1
        if tries >= CODE_TRIES:
            after = replace(contact, changing=_others(contact, channel))
            return Step(
                _noted(after, now, change.source, "changing", f"{channel} asked", "", "wrong codes"),
                Answer.EXPIRED,
            )
        again = replace(change, tries=tries)
        return Step(replace(contact, changing=(*_others(contact, channel), again)), Answer.WRONG)
    return took(contact, change, now)


def took(contact: Contact, change: AddressChange, now: datetime) -> Step:
    """The contact with a change that is proved: it holds after its three days, or at once."""
    wait = UNDO_WITHIN if to_tell(contact, change.channel) else timedelta(0)
    done = replace(change, code="", confirmed_at=_text(now), effective_at=_text(now + wait))
    after = replace(contact, changing=(*_others(contact, change.channel), done))
    after = _noted(
        after, now, change.source, "changing", f"{change.channel} asked", f"{change.channel} confirmed"
    )
    return Step(as_of(after, now), Answer.DONE, done)


def to_tell(contact: Contact, channel: Channel) -> tuple[tuple[Channel, Address], ...]:
    """Who is told of a change of this channel: its old address, else the other channel's."""
    order: Sequence[Channel] = (channel, "email" if channel == "sms" else "sms")
    found = ((c, address) for c in order if (address := contact.address(c)) is not None and address.usable)
    return tuple(found)[:1]


def undone(contact: Contact, change_id: str, now: datetime) -> Step:
    """The change taken back by whoever has the old address; no other can be made for a day."""
    change = next((c for c in contact.changing if c.change_id == change_id and c.confirmed_at), None)
    if change is None:
        return Step(contact, Answer.NONE)
    until = _text(now + LOCKED_FOR)
    after = replace(contact, changing=_others(contact, change.channel), changes_locked_until=until)
    return Step(
        _noted(after, now, "old address", "changing", f"{change.channel} confirmed", "", "undone"),
        Answer.DONE,
        change,
    )


def as_of(contact: Contact, now: datetime) -> Contact:
    """The contact with every change that holds by now; the same object if there is none.

    The version stays: whoever writes the contact next writes this with it.
    """
    held = [c for c in contact.changing if c.effective_at and datetime.fromisoformat(c.effective_at) <= now]
    after = contact
    for change in held:
        name = FIELD_OF[change.channel]
        before = after.address(change.channel)
        after = replace(
            after,
            **{name: change.address},  # type: ignore[arg-type]
            changing=_others(after, change.channel),
            set_by_customer=tuple(sorted({*after.set_by_customer, name})),
        )
        after = _noted(
            after, datetime.fromisoformat(change.effective_at), change.source, name,
            before.value if before else "", change.address.value,
        )  # fmt: skip
    return after


def _others(contact: Contact, channel: Channel) -> tuple[AddressChange, ...]:
    return tuple(c for c in contact.changing if c.channel != channel)


def _noted(
    contact: Contact, at: datetime, who: str, field: str, old: str, new: str, why: str = ""
) -> Contact:
    entry = {"at": _text(at), "who": who, "field": field, "from": old, "to": new}
    return replace(contact, history=with_entries(contact, {**entry, "why": why} if why else entry))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
