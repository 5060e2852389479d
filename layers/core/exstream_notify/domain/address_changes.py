"""How a customer changes an e-mail address or a mobile number, so that nobody else can.

A second step comes first, then a code goes to the new address and comes back. From then on the owner is
notified three times, at every address known of them: at once, a day before the change takes effect, and
when it does. The old address stays the contact's, links included, for three days, whatever its status: a
status can be forged. The first two notes undo the change. So a forwarded mail or a recycled number takes
nothing over unseen, and a change of which no note went out waits for a person.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .contacts import FIELD_OF, Address, AddressChange, AddressStatus, Contact, Told, with_entries
from .documents import Channel
from .hearing import acts, heard
from .notices import LOST, REACHED, Status

CODE_LIFE = timedelta(minutes=15)
CODE_TRIES = 5
CODES_A_DAY = 3
"""Six digits, fifteen guesses a day at most: one chance in 66,000."""

UNDO_WITHIN = timedelta(hours=72)
"""How long the old address stays the contact's after the new one was confirmed. Nothing shortens it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A note to the owner, how long after the confirmation it is due, and whether it has the undo link."""

    note: str
    after: timedelta
    undo: bool = True


STAGES = (
    Stage("changed", timedelta(0)),
    Stage("reminder", UNDO_WITHIN - timedelta(hours=24)),
    Stage("in_effect", UNDO_WITHIN, undo=False),
)

TRY_AGAIN = timedelta(hours=1)
PATIENCE = timedelta(days=1)
"""How often, and for how long, a note is tried again that no provider takes."""

NOT_YET = "not_yet"
"""The status of a message that no provider took yet, beside those of notices."""

WAITS = "quiet_hours"
"""The status of a text that waits for its reader's day. Its wait ends for certain."""

LOCKED_FOR = timedelta(hours=24)
"""After a change was undone no address can be changed for this long."""


class Answer(StrEnum):
    """What came of a step.

    LATER: a message could not go out yet, and the same step again may succeed. STOPPED, SUPPRESSED, OFF: no
    code goes to the new address, since texts were stopped, it is suppressed, or its channel is switched off.
    """

    DONE = "done"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_OFTEN = "too_often"
    LOCKED = "locked"
    SAME = "same"
    LATER = "later"
    STOPPED = "stopped"
    SUPPRESSED = "suppressed"
    OFF = "switched_off"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """A contact after a step (the same object where nothing is to be stored), and what came of it."""

    contact: Contact
    answer: Answer
    change: AddressChange | None = None


def pending(contact: Contact, channel: Channel) -> AddressChange | None:
    """The channel's change that waits for its code, or to take effect."""
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
        # A code that comes when it is not good any more only puzzles its reader.
        late = not before.confirmed_at and now > datetime.fromisoformat(before.expires_at)
        return Step(contact, Answer.EXPIRED if late else Answer.DONE, before)
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
    """The code came back: `equal` says whether it is the one, compared in constant time by the caller."""
    change = pending(contact, channel)
    if change is None or change.confirmed_at:
        return Step(contact, Answer.NONE)
    if locked(contact, now):
        return Step(contact, Answer.LOCKED)
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
    """The contact with a change that is proved: it takes effect after its three days."""
    done = replace(change, code="", confirmed_at=_text(now), effective_at=_text(now + UNDO_WITHIN))
    after = _noted(
        with_change(contact, done),
        now,
        change.source,
        "changing",
        f"{change.channel} asked",
        f"{change.channel} confirmed",
    )
    return Step(after, Answer.DONE, done)


def with_change(contact: Contact, change: AddressChange) -> Contact:
    """The contact with this as the channel's change."""
    return replace(contact, changing=(*_others(contact, change.channel), change))


# --- the owner's notes ---------------------------------------------------------------------------------

_STOPS: Mapping[Channel, Collection[AddressStatus]] = {"email": (), "sms": ("opted_out", "complained")}
"""Statuses in which no note goes to an address: its holder's stop of text messages (47 CFR 64.1200(a)(10)).
E-mail is always tried: its statuses can be forged, and a note about an account is transactional (15 USC
7702(17)(A)(iii))."""


def owners_addresses(contact: Contact, change: AddressChange) -> tuple[tuple[Channel, str], ...]:
    """Every address known of the owner: the contact's by now, and those that earlier notes went to.

    The new address is not one of them. A number whose holder stopped it is left out.
    """
    found = {
        (channel, address.value): address.status not in _STOPS[channel]
        for channel in FIELD_OF
        if (address := contact.address(channel)) is not None
    }
    before = {(row.channel, row.to): True for row in change.told}
    stopped = [channel for channel in FIELD_OF if channel == "sms" and contact.opted_out(channel, "*")]
    return tuple(
        place
        for place, may in {**before, **found}.items()
        if may and place[0] not in stopped and place != (change.channel, change.address.value)
    )


def due_at(change: AddressChange) -> datetime | None:
    """When the next note is due; None for a change that waits for its code, for a person, or for nothing.

    A note that went out late leaves its reader as much time as one in time: what follows it is due as long
    after it as STAGES says.
    """
    if not change.confirmed_at or change.stage == len(STAGES):
        return None
    if change.review == "asked" and change.stage == len(STAGES) - 1:
        return None
    stage = STAGES[change.stage]
    due = datetime.fromisoformat(change.confirmed_at) + stage.after
    if change.stage == 0:
        return due
    before = STAGES[change.stage - 1]
    went_out = [r.at for r in change.told if r.note == before.note and r.status not in (NOT_YET, *LOST)]
    if not went_out:
        return due
    return max(due, datetime.fromisoformat(min(went_out)) + stage.after - before.after)


def noted(change: AddressChange, rows: Collection[Told], now: datetime) -> AddressChange:
    """The change after its next note went out as these rows say; the stage ends where nothing is left to try.

    A text that waits for its reader's day is waited for. A message that no provider takes is tried again for
    PATIENCE from its first try, which its row has. A note that reached nobody asks for a person, without whom
    the last stage does not end.
    """
    stage = STAGES[change.stage]
    change = replace(change, told=(*(row for row in change.told if row.note != stage.note), *rows))
    if any(r.status == WAITS for r in rows):
        return change
    if any(r.status == NOT_YET and now < datetime.fromisoformat(r.at) + PATIENCE for r in rows):
        return change
    if all(row.status in (NOT_YET, *LOST) for row in rows):
        change = to_review(change)
    if change.review == "asked" and change.stage == len(STAGES) - 1:
        return change
    return replace(change, stage=change.stage + 1)


def to_review(change: AddressChange) -> AddressChange:
    """The change that a person has to look at, unless one did."""
    return change if change.review else replace(change, review="asked")


def reached(statuses: Collection[Status]) -> bool:
    """Whether notes whose notices stand like this reached the owner, as far as anybody knows."""
    return any(status in REACHED for status in statuses)


def in_effect(contact: Contact, change: AddressChange, now: datetime) -> Contact:
    """The contact with the new address."""
    name = FIELD_OF[change.channel]
    before = contact.address(change.channel)
    after = replace(
        contact,
        **{name: change.address},  # type: ignore[arg-type]
        changing=_others(contact, change.channel),
        set_by_customer=tuple(sorted({*contact.set_by_customer, name})),
    )
    return _noted(after, now, change.source, name, before.value if before else "", change.address.value)


def allowed(contact: Contact, channel: Channel, now: datetime, who: str, why: str) -> Step:
    """The change that waited for a person, allowed: it takes effect when its three days are over."""
    change = pending(contact, channel)
    if change is None or change.review != "asked":
        return Step(contact, Answer.NONE)
    after = with_change(contact, replace(change, review="allowed"))
    return Step(
        _noted(after, now, who, "changing", f"{channel} waits for a person", f"{channel} allowed", why),
        Answer.DONE,
        pending(after, channel),
    )


_OWNER = "owner"
"""Whoever reads one of the owner's addresses."""


def undone(contact: Contact, change_id: str, now: datetime) -> Step:
    """Every change that waits taken back, by whoever has a note about this one; none can be made for a day.

    Whoever says of one change "it was not me" means the others too: notes about two of them look alike.
    """
    change = next((c for c in contact.changing if c.change_id == change_id and c.confirmed_at), None)
    if change is None:
        return Step(contact, Answer.NONE)
    return Step(_ended(contact, contact.changing, now, _OWNER, "undone"), Answer.DONE, change)


def refused(contact: Contact, channel: Channel, now: datetime, who: str, why: str) -> Step:
    """The channel's change taken back by an operator; no address can be changed for a day."""
    change = pending(contact, channel)
    if change is None or not change.confirmed_at:
        return Step(contact, Answer.NONE)
    return Step(_ended(contact, [change], now, who, why), Answer.DONE, change)


def _ended(
    contact: Contact, changes: Collection[AddressChange], now: datetime, who: str, why: str
) -> Contact:
    """The contact without these changes. The address that stands was said now, so that the event that asked
    for another one is older if it comes again."""
    after = replace(contact, changes_locked_until=_text(now + LOCKED_FOR))
    for change in changes:
        stands = contact.address(change.channel)
        voice = acts("customer" if who == _OWNER else "operator", who, now, after, why)
        said = voice.says(FIELD_OF[change.channel], stands.value if stands is not None else "")
        after = heard(after, [said], now)
        state = "confirmed" if change.confirmed_at else "asked"
        after = replace(after, changing=_others(after, change.channel))
        after = _noted(after, now, who, "changing", f"{change.channel} {state}", "", why)
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
