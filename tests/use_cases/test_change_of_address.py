"""Changing an address on the preference page: the documents' second step, then a code, across key rotations."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.contacts import Contact, merge
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.links import LinkState
from exstream_notify.domain.passes import handle_of
from exstream_notify.domain.second_step import TRIES, Keys, conceal
from exstream_notify.use_cases.change_preferences import AddressBook
from exstream_notify.use_cases.notify_owner import OwnerNotices
from exstream_notify.use_cases.preference_page import Posted, PreferencePage
from exstream_notify.use_cases.tell_customer import Teller
from tests.fakes import (
    FakeAddresses,
    FakeClock,
    FakeContacts,
    FakeDueIndex,
    FakeEvidence,
    FakeExceptionBus,
    FakeLedger,
    FakeNotes,
    FakeProvider,
    FakeTries,
    a_contact,
    a_document,
    a_rule,
    some_ways,
)
from tests.use_cases.world import DOMAIN, World

KEYS: Keys = ("2", {"1": b"an older key", "2": b"a key of the second step"})
BORN = {"verify_birth_date": "1985-03-31"}
ENDS = {"verify_last4": "1809"}
LOCKED = Posted(problem="locked")
WRONG = Posted(problem="wrong_step", field="address")


def told_of(contact: Contact | None = None, **fields: str) -> Contact:
    """A customer as known after a record with these fields, concealed as staging does it."""
    record = {"customer_key": "C0001", **fields}
    conceal(record, DOMAIN, KEYS[0], KEYS[1][KEYS[0]])
    document = a_document(1, **{name: text for name, text in record.items() if name != "customer_key"})
    return merge(contact or a_contact(1), document, {}, FakeClock().now(), "salt")


class Site:
    """The page of one customer."""

    def __init__(self, contact: Contact, keys: Keys = KEYS, tries: FakeTries | None = None) -> None:
        self.clock, self.contacts, self.exceptions = FakeClock(), FakeContacts(), FakeExceptionBus()
        self.contacts.stored[DOMAIN, contact.customer_key] = contact
        self.key = contact.customer_key
        self.tries = tries or FakeTries()
        self.ledger, self.mail, self.due = FakeLedger(), FakeProvider("mail"), FakeDueIndex(FakeLedger())
        self.signing: tuple[bytes, ...] = (b"first",)
        self.keys = keys

    @property
    def contact(self) -> Contact:
        return self.contacts.stored[DOMAIN, self.key]

    @property
    def page(self) -> PreferencePage:
        teller = Teller(
            self.ledger, FakeEvidence(), self.clock, lambda channel, value: f"hash {value}", FakeNotes(),
            lambda channel: self.mail, self.exceptions,
        )  # fmt: skip
        owner = OwnerNotices(
            self.contacts, FakeAddresses(), some_ways(self.clock), teller, self.due, self.exceptions, self.clock,
            lambda salt, change: "https://x",
        )  # fmt: skip
        book = AddressBook(owner, self.signing)
        return PreferencePage(
            self.contacts,
            self.due,
            self.clock,
            (),
            ("en",),
            Policy(),
            "1",
            lambda: book,
            self.tries,
            lambda: self.keys,
            lambda: self.exceptions,
        )

    def ask(self, language: str = "en", **answer: str) -> Posted:
        form = {"action": ["address"], "channel": ["email"], "address": ["new@example.com"]}
        return self.page.post(self.contact, {**form, **{k: [v] for k, v in answer.items()}}, language)

    def confirm(self) -> Posted:
        (code,) = [m.text.removeprefix("code ") for m in self.mail.delivered if m.text.startswith("code ")]
        form = {"action": ["code"], "channel": ["email"], "code": [code]}
        return self.page.post(self.contact, form, "en")


@pytest.mark.parametrize(
    ("fields", "asked", "answer"),
    [
        ({**BORN, **ENDS, "postcode": "10001"}, "birth_date", "03/31/1985"),
        ({**ENDS, "postcode": "10001"}, "last4", "18 09"),
        ({"postcode": "10001"}, "postcode", "10001-1234"),
    ],
)
def test_the_page_asks_what_documents_ask_by_what_is_known(fields: Any, asked: str, answer: str) -> None:
    site = Site(told_of(**fields))
    assert site.page.asks(site.contact) == asked
    others = {name: "10001" for name in ("postcode", "last4", "birth_date") if name != asked}
    assert site.ask(**{**others, asked: "wrong"}) == WRONG
    assert site.ask(**{asked: answer}) == Posted("code")
    assert site.tries.counts == {}, "a right answer clears the count"


def test_of_whom_nothing_is_known_no_address_is_changed() -> None:
    site = Site(a_contact(1))
    assert site.page.asks(site.contact) == "none"
    assert site.ask(postcode="") == LOCKED
    assert site.tries.counts == {}


def test_a_contact_keeps_the_hash_and_never_what_was_told_in_plain() -> None:
    assert "1985" not in str(told_of(**BORN))
    plain = a_document(1, verify_birth_date="1985-03-31", verify_last4="1809")
    assert merge(a_contact(1), plain, {}, FakeClock().now(), "salt") == a_contact(1)


def test_a_later_record_replaces_the_hash_but_an_account_not_the_date_of_birth() -> None:
    born = told_of(**BORN)
    assert told_of(born, **BORN) is born, "nothing new, nothing to write"
    assert told_of(born, **ENDS) is born
    ends = told_of(**ENDS)
    assert told_of(ends, verify_last4="2222").second_step != ends.second_step
    assert told_of(ends, **BORN).second_step == born.second_step


def test_a_hash_whose_key_is_gone_gives_way_to_the_postcode() -> None:
    site = Site(told_of(**BORN, postcode="10001"), keys=("3", {"3": b"new"}))
    assert site.page.asks(site.contact) == "postcode"


def test_five_wrong_answers_lock_and_raise_one_alert() -> None:
    site = Site(told_of(**ENDS))
    answers = [site.ask(last4=f"{n:04d}") for n in range(TRIES + 2)]

    assert answers == [WRONG] * (TRIES - 1) + [LOCKED] * 3
    assert site.ask(last4="1809") == LOCKED, "the right answer comes too late"
    site.clock.advance(days=2)
    assert site.ask(last4="1809") == LOCKED, "and no day ends it"
    assert site.page.asks(site.contact) == "none"
    (raised,) = site.exceptions.raised
    assert (raised.code, raised.run_id) == ("link_locked", "preferences")
    assert raised.part == f"contact handle:{handle_of(site.contact.salt)}"
    assert "C0001" not in str(raised)


def test_tries_on_the_page_and_on_documents_are_the_same_tries() -> None:
    world = World(a_rule(second_step="postcode"))
    world.verify_keys = KEYS
    world.drop("run-1", a_document(1, postcode="10001", output_uri="output/D0001.pdf"))
    world.come_to_rest()
    site = Site(told_of(postcode="10001"), tries=world.tries)
    for _ in range(TRIES):
        site.ask(postcode="99999")

    assert world.look(world.notice("D0001").notice_id).state == LinkState.LOCKED


def test_an_undone_change_locks_the_page_for_its_day_without_a_try() -> None:
    until = "2099-01-01T00:00:00+00:00"
    site = Site(replace(told_of(**ENDS), changes_locked_until=until))
    assert site.ask(last4="1809") == LOCKED
    assert site.tries.counts == {}


def test_a_code_that_was_sent_before_a_rotation_is_good_for_its_life() -> None:
    site = Site(told_of(**ENDS))
    assert site.ask(last4="1809") == Posted("code")
    site.signing = (b"second", b"first")
    assert site.confirm() == Posted("confirmed")

    other = Site(told_of(**ENDS))
    other.ask(last4="1809")
    other.signing = (b"second",)
    assert other.confirm() == Posted(problem="wrong_code", field="code")
