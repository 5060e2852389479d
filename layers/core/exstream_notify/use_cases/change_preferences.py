"""What a customer changes: on the preference page, by one click, from the portal; each safe to repeat."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from ..domain.address_changes import (
    Answer,
    Step,
    allowed,
    asked,
    confirmed,
    due_at,
    locked,
    pending,
    refused,
    took,
    undone,
)
from ..domain.contacts import FIELD_OF, AddressChange, Contact
from ..domain.documents import Channel
from ..domain.hearing import acts, heard
from ..domain.notices import Status
from ..domain.passes import change_in, handle_in, made_on, topic_in
from ..domain.preferences import CHANNELS, Topic, Wishes, consented, with_wishes, without
from ..ports import Clock, ContactBook, ContactDirectory, DueIndex
from .note_ways import Barred, NoteWays
from .notify_owner import Conflict, OwnerNotices, note_about, waiting_name
from .tell_customer import NotToldYet, Teller
from .tell_portal import PortalNews

PAGE = "preference page"
ONE_CLICK = "one-click"

_TRIES = 5


def open_page(token_id: str, *, contacts: ContactDirectory, clock: Clock, days: int) -> Contact | None:
    """The contact of a preferences token; None if the token is too old or the contact is gone."""
    try:
        made = made_on(token_id)
    except ValueError:
        return None
    age = clock.now().date() - made
    if not timedelta(days=-1) <= age <= timedelta(days=days):
        return None
    return contacts.by_handle(handle_in(token_id))


def save(contact: Contact, change: Callable[[Contact], Contact], news: PortalNews) -> Contact:
    """The contact with a change made, stored; Conflict if somebody else wrote meanwhile."""
    after = change(contact)
    if after is not contact and not news.put(contact, after):
        raise Conflict
    return after


def save_wishes(contact: Contact, wishes: Wishes, shown: Wishes, *, news: PortalNews) -> Contact:
    """What the customer changed of the form as it was shown, from the next decision on."""
    return save(contact, lambda c: with_wishes(c, wishes, news.clock.now(), PAGE, shown), news)


def save_consent(contact: Contact, given: bool, version: str, *, news: PortalNews) -> Contact:
    """Consent to electronic delivery given, or taken back: then documents come on paper."""
    return save(contact, lambda c: consented(c, given, version, news.clock.now(), PAGE), news)


def leave_all(contact: Contact, topics: Sequence[Topic], *, news: PortalNews) -> Contact:
    """Unsubscribed from every topic that one can leave, on every channel."""
    names = [topic.name for topic in topics if topic.may_leave]
    return save(contact, lambda c: without(c, names, CHANNELS, news.clock.now(), PAGE), news)


def unsubscribe(token_id: str, topics: Sequence[Topic], *, news: PortalNews) -> Topic | None:
    """One click (RFC 8058): no more e-mail of the token's topic; of all that can be left if it is gone.

    Idempotent. A contact that was erased gets nothing anyway. Returns the topic, if there is one.
    """
    name = topic_in(token_id, (topic.name for topic in topics))
    leaving = [name] if name else [topic.name for topic in topics if topic.may_leave]
    for _ in range(_TRIES):
        contact = news.contacts.by_handle(handle_in(token_id))
        if contact is None:
            break
        try:
            save(contact, lambda c: without(c, leaving, ("email",), news.clock.now(), ONE_CLICK), news)
            break
        except Conflict:
            continue
    else:
        raise Conflict
    return next((topic for topic in topics if topic.name == name), None)


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Changes of address, with the notes to the owner and their ports.

    `keys` sign codes, the current one first: one that was sent before a rotation is good still.
    """

    owner: OwnerNotices
    keys: Sequence[bytes]

    def begin(self, contact: Contact, channel: Channel, raw: str, source: str, change_id: str = "") -> Answer:
        """A change whose second step is passed: a code goes to the new address.

        It goes at any hour, since whoever asked for it waits for it; but not to a number that its holder
        stopped, nor to an address that is suppressed, nor while the channel is switched off.
        The same `change_id` again tells the same code, if it was not told yet, and nothing else.
        """
        address = self.owner.addresses.check(channel, raw, contact.country)
        if not address.usable:
            return Answer.WRONG
        here, change_id = not change_id, change_id or self.owner.clock.random_id()
        code = f"{int(_mac(self.keys[0], change_id, 'new'), 16) % 1_000_000:06d}"
        step = asked(
            contact, channel, address, change_id=change_id, code=_mac(self.keys[0], change_id, code),
            now=self.owner.clock.now(), source=source,
        )  # fmt: skip
        if step.answer != Answer.DONE or step.change is None:
            return step.answer
        if barred := self.owner.ways.barred(contact, channel, address.value):
            return _NO_CODE[barred]
        after, now = step.contact, self.owner.clock.now()
        if here:  # the portal's event has spoken already, of its own time
            said = acts("customer", source, now, contact).says(FIELD_OF[channel], address.value)
            after = heard(after, [said], now)
        self._store(contact, after)
        return self._send_code(contact, step.change, code)

    def _send_code(self, contact: Contact, change: AddressChange, code: str) -> Answer:
        note = note_about(contact, change, "code", change.channel, change.address.value, {"code": code})
        try:
            told = self.owner.teller.tell(note)
        except NotToldYet:
            return Answer.LATER
        return Answer.WRONG if told == Status.FAILED else Answer.DONE

    def confirm(self, contact: Contact, channel: Channel, code: str) -> Answer:
        """The code came back. The change is recorded, so that it can be undone, and the owner is notified."""
        change = pending(contact, channel)
        given = [_mac(key, change.change_id, code.strip()) for key in self.keys] if change else []
        equal = [hmac.compare_digest(mac, change.code) for mac in given] if change else []
        step = confirmed(contact, channel, self.owner.clock.now(), equal=any(equal))
        return self._conclude(contact, step)

    def take(self, contact: Contact, channel: Channel, raw: str, source: str, change_id: str) -> Answer:
        """A new address that the portal proved itself: no code, but the owner is notified all the same."""
        now = self.owner.clock.now()
        address = self.owner.addresses.check(channel, raw, contact.country)
        known = contact.address(channel)
        if not address.usable:
            return Answer.WRONG
        if known is not None and known.value == address.value:
            return Answer.SAME
        before = pending(contact, channel)
        if before is not None and before.confirmed_at:
            return Answer.SAME if before.address.value == address.value else Answer.LOCKED
        if locked(contact, now):
            return Answer.LOCKED
        at = now.isoformat(timespec="seconds")
        change = AddressChange(change_id, channel, replace(address, source=source), "", at, at, source)
        return self._conclude(contact, took(contact, change, now))

    def _conclude(self, contact: Contact, step: Step) -> Answer:
        if step.answer != Answer.DONE or step.change is None:
            self._store(contact, step.contact)
            return step.answer
        name = waiting_name(contact, step.change)
        # In the due index first: a worker that dies behind it leaves nobody without notes.
        self.owner.due.wait("address", name, self.owner.clock.now())
        self._store(contact, step.contact)
        self.owner.go_on(name)
        return Answer.DONE

    def _store(self, contact: Contact, after: Contact) -> None:
        if after is contact:
            return
        at = self.owner.clock.now().isoformat(timespec="seconds")
        if self.owner.contacts.put([replace(after, version=contact.version + 1, changed_at=at)]):
            raise Conflict


_NO_CODE: Mapping[Barred, Answer] = {
    Barred.STOPPED: Answer.STOPPED,
    Barred.SUPPRESSED: Answer.SUPPRESSED,
    Barred.OFF: Answer.OFF,
}


def address_book(
    teller: Mapping[str, Any], ways: Mapping[str, Any], owner: Mapping[str, Any], keys: Sequence[bytes]
) -> AddressBook:
    """Changes of address, put together from the ports of `Teller`, `NoteWays` and `OwnerNotices`."""
    return AddressBook(OwnerNotices(teller=Teller(**teller), ways=NoteWays(**ways), **owner), keys)


def _mac(key: bytes, change_id: str, code: str) -> str:
    return hmac.new(key, f"code\0{change_id}\0{code}".encode(), sha256).hexdigest()[:32]


def undo_change(token_id: str, *, contacts: ContactDirectory, clock: Clock) -> Answer:
    """Whoever reads one of the owner's addresses takes the change back."""
    for _ in range(_TRIES):
        contact = contacts.by_handle(handle_in(token_id))
        if contact is None:
            return Answer.NONE
        change_id = change_in(token_id, (c.change_id for c in contact.changing))
        step = undone(contact, change_id or "", clock.now())
        if step.answer != Answer.DONE:
            return step.answer
        at = clock.now().isoformat(timespec="seconds")
        after = replace(step.contact, version=contact.version + 1, changed_at=at)
        if not contacts.put([after]):
            return Answer.DONE
    raise Conflict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an operator decided on a change that no note about reached its owner."""

    channel: Channel
    allow: bool
    who: str
    why: str


def judge_change(
    contact: Contact, judgement: Judgement, *, contacts: ContactBook, due: DueIndex, clock: Clock
) -> Contact | None:
    """The contact with its change allowed or undone; None if there is none to judge. Raises Conflict.

    Any confirmed change can be undone; only one that waits for a person can be allowed. An allowed one
    still waits for its three days.
    """
    now = clock.now()
    for _ in range(_TRIES):
        if judgement.allow:
            step = allowed(contact, judgement.channel, now, judgement.who, judgement.why)
        else:
            step = refused(contact, judgement.channel, now, judgement.who, judgement.why)
        if step.answer != Answer.DONE or step.change is None:
            return None
        after = replace(
            step.contact, version=contact.version + 1, changed_at=now.isoformat(timespec="seconds")
        )
        if judgement.allow and (at := due_at(step.change)) is not None:
            due.wait("address", waiting_name(contact, step.change), max(at, now))
        if not contacts.put([after]):
            return after
        contact = contacts.get(contact.domain, [contact.contact_key])[contact.contact_key]
    raise Conflict
