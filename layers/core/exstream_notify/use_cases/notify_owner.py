"""Notify the owner of a contact's addresses of a change of one, and have it take effect in its time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.address_changes import (
    NOT_YET,
    STAGES,
    TRY_AGAIN,
    WAITS,
    due_at,
    in_effect,
    noted,
    owners_addresses,
    reached,
    to_review,
    with_change,
)
from ..domain.contacts import AddressChange, Contact, Told
from ..domain.documents import Channel
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import notice_id
from ..domain.passes import handle_of
from ..ports import AddressChecker, Clock, ContactDirectory, DueIndex, ExceptionBus
from .note_ways import Barred, NoteWays
from .tell_customer import Note, NotToldYet, Teller
from .tell_portal import tell_portal

_TRIES = 5


class Conflict(Exception):
    """The contact changed meanwhile."""


def note_about(
    contact: Contact, change: AddressChange, name: str, channel: Channel, to: str, values: Mapping[str, str]
) -> Note:
    """A note about a change of address: at most one message for each address that it goes to."""
    purpose = f"address:{name}"
    identity = notice_id(
        contact.domain,
        contact.customer_key,
        change.change_id,
        recipient=contact.recipient,
        edition=f"{channel} {to}",
        purpose=purpose,
    )
    return Note(
        identity, purpose, name, channel, to, contact.salt, contact.domain, contact.customer_key,
        change.change_id, contact.language, values, recipient=contact.recipient,
    )  # fmt: skip


def waiting_name(contact: Contact, change: AddressChange) -> str:
    """The name of a change in the due index."""
    return f"{handle_of(contact.salt)}/{change.change_id}"


@dataclass(frozen=True, slots=True)
class OwnerNotices:
    """What follows the confirmation of a change. `undo_for` makes undo links.

    A change waits in the due index from before it is stored, under the contact's handle and its own id: once
    the contact is erased, or the change undone, that leads to nothing. Every step is safe to repeat.
    """

    contacts: ContactDirectory
    addresses: AddressChecker
    ways: NoteWays
    teller: Teller
    due: DueIndex
    exceptions: ExceptionBus
    clock: Clock
    undo_for: Callable[[str, str], str]

    def go_on(self, name: str) -> bool:
        """Take the steps that are due of the change of this name (`waiting_name`); whether there were any.

        Raises Conflict if the contact kept changing.
        """
        handle, _, change_id = name.partition("/")
        for _ in range(_TRIES):
            contact = self.contacts.by_handle(handle)
            change = (
                next((c for c in contact.changing if c.change_id == change_id), None) if contact else None
            )
            if contact is None or change is None:
                return False
            after, again = self._advance(contact, change)
            if again is not None:
                self.due.wait("address", name, again)
            if after is contact:
                return False
            at = self.clock.now().isoformat(timespec="seconds")
            tell_portal([(contact, after)], change.source, self.exceptions, at)
            if not self.contacts.put([replace(after, version=contact.version + 1, changed_at=at)]):
                return True
        raise Conflict

    def _advance(self, contact: Contact, change: AddressChange) -> tuple[Contact, datetime | None]:
        """The contact after all steps that are due by now, and when the next one is; the same if none was."""
        now = self.clock.now()
        while (due := due_at(change)) is not None and due <= now:
            before, last = change, change.stage == len(STAGES) - 1
            if last and change.review != "allowed" and not self._reached(change):
                change = to_review(change)
            else:
                change = noted(change, self._notify(contact, change), now)
            if change.review != before.review:
                self._ask(contact, change.channel)
            contact = with_change(contact, change)
            if change.stage == len(STAGES):
                return in_effect(contact, change, now), None
            if change.stage == before.stage:
                return contact, None if change.review == "asked" and last else self._again(contact, change)
        return contact, due_at(change)

    def _again(self, contact: Contact, change: AddressChange) -> datetime:
        """When what is left of a note is due: at the opening of the reader's day, or after a pause."""
        now, note = self.clock.now(), STAGES[change.stage].note
        left = {row.status for row in change.told if row.note == note}
        times = [now + TRY_AGAIN] if NOT_YET in left or WAITS not in left else []
        if WAITS in left:
            times.append(self.ways.opens(contact) or now)
        return min(times)

    def _reached(self, change: AddressChange) -> bool:
        stored = self.teller.ledger.get({row.notice_id for row in change.told})
        return reached([notice.status for notice in stored.values()])

    def _notify(self, contact: Contact, change: AddressChange) -> list[Told]:
        stage = STAGES[change.stage]
        known = {(row.channel, row.to): row for row in change.told if row.note == stage.note}
        values = {"link": self.undo_for(contact.salt, change.change_id)} if stage.undo else {}
        rows = []
        places = self._places(contact, change)
        texts = any(channel == "sms" for channel, _, _ in places)
        night = texts and self.ways.opens(contact) is not None
        for channel, to, off in places:
            row = known.get((channel, to))
            if row is not None and row.status not in (NOT_YET, WAITS):
                rows.append(row)
                continue
            note = note_about(contact, change, stage.note, channel, to, values)
            # What is in effect is so for all its readers at once.
            if night and (channel == "sms" or not stage.undo):
                status = WAITS if row is None else row.status
            else:
                status = NOT_YET if off else self._tell(note)
            first = row.at if row is not None and row.status == status else self._now()
            rows.append(Told(stage.note, channel, to, first, status, note.identity))
        return rows

    def _places(self, contact: Contact, change: AddressChange) -> list[tuple[Channel, str, bool]]:
        """The owner's addresses that a note may go to, and whether their channel is off just now."""
        found = []
        for channel, to in owners_addresses(contact, change):
            if self.addresses.check(channel, to, contact.country).usable:
                barred = self.ways.barred(contact, channel, to)
                if barred in (None, Barred.OFF):
                    found.append((channel, to, barred is not None))
        return found

    def _tell(self, note: Note) -> str:
        try:
            return str(self.teller.tell(note))
        except NotToldYet:
            return NOT_YET

    def _now(self) -> str:
        return self.clock.now().isoformat(timespec="seconds")

    def _ask(self, contact: Contact, channel: Channel) -> None:
        self.exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "address_change_unconfirmed",
                    "error",
                    contact.domain,
                    "preferences",
                    "no note about a change of address reached its owner: the change waits for a person",
                    part=f"contact handle:{handle_of(contact.salt)} {channel}",
                )
            ]
        )
