"""What an erasure keeps of opt-outs, by the address alone, and who has it later."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.receipts import Suppression
from exstream_notify.use_cases.erase_contact import erase_contact, with_kept_opt_outs
from tests.fakes import FakeClock, FakeContacts, FakeSuppressions, a_contact, an_address
from tests.use_cases.test_other_writers import interfere

EMAIL, MOBILE = "c0001@example.com", "+12025550101"


class Office:
    """Contacts, opt-outs and a clock."""

    def __init__(self, *contacts: Contact) -> None:
        self.clock, self.contacts = FakeClock(), FakeContacts()
        self.opt_outs = FakeSuppressions(now=self.clock.now)
        for contact in contacts:
            self.contacts.stored[contact.domain, contact.contact_key] = contact

    def erase(self, contact: Contact) -> Contact:
        return erase_contact(
            contact, "ann", "asked", contacts=self.contacts, opt_outs=self.opt_outs, clock=self.clock
        )

    def kept(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """By channel: who stopped all, and the topics."""
        return {
            channel: (entry.stopped, tuple(sorted(entry.topics)))
            for (channel, _), entry in self.opt_outs.stored.items()
        }


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, {}),
        ({"opt_outs": {"bills": ("email",)}}, {"email": ("", ("bills",))}),
        ({"opt_outs": {"bills": ("sms",)}}, {"sms": ("", ("bills",))}),
        ({"opt_outs": {"*": ("sms",)}}, {"sms": ("erasure by ann", ())}),
        (
            {"opt_outs": {"*": ("email",), "bills": ("email", "sms"), "offers": ("sms",)}},
            {"email": ("erasure by ann", ("bills",)), "sms": ("", ("bills", "offers"))},
        ),
        ({"email": None, "opt_outs": {"bills": ("email", "sms")}}, {"sms": ("", ("bills",))}),
        ({"email": an_address(EMAIL, status="invalid")}, {"email": ("erasure by ann", ())}),
        ({"mobile": an_address(MOBILE, status="opted_out")}, {"sms": ("erasure by ann", ())}),
    ],
)
def test_what_is_kept_of_an_erased_customers_wishes(changes: dict[str, Any], kept: Any) -> None:
    contact = a_contact(1, **changes)
    office = Office(contact)
    mark = office.erase(contact)
    assert office.kept() == kept
    assert (mark.erased_by, mark.erased_why, mark.email, mark.opt_outs) == ("ann", "asked", None, None)
    assert datetime.fromisoformat(mark.erased_at) == office.clock.now()
    assert office.contacts.stored["retail", "C0001"] == mark
    assert office.erase(mark) is mark


def test_an_unknown_customer_is_marked_too() -> None:
    office = Office()
    mark = office.erase(Contact("retail", "C0009", ""))
    assert mark.is_erased
    assert mark.version == 1


def test_a_customer_whose_record_went_while_they_were_erased_is_marked_anew() -> None:
    office = Office(a_contact(1))
    stale = a_contact(1, version=5, recipient="")
    interfere(office.contacts, 1, office.contacts.stored.clear)
    mark = office.erase(stale)
    assert (mark.is_erased, mark.version, mark.customer_key) == (True, 1, "C0001")


def after(office: Office, contact: Contact, before: Contact | None = None) -> Contact:
    known = {before.contact_key: before} if before is not None else {}
    found = with_kept_opt_outs({contact.contact_key: contact}, known, office.opt_outs, office.clock.now())
    assert list(found) == [contact.contact_key]
    return found[contact.contact_key]


def with_topics() -> Office:
    """Somebody who had both addresses was erased."""
    office = Office()
    now = office.clock.now()
    office.opt_outs.stop_topics("email", EMAIL, ("offers", "bills"), "erasure by ann", now)
    office.opt_outs.stop_topics("sms", MOBILE, ("bills",), "erasure by ann", now)
    return office


def test_a_new_holder_of_the_addresses_is_opted_out_of_the_topics_on_each() -> None:
    contact = a_contact(1, version=4)
    found = after(with_topics(), contact)
    assert found.opt_outs == {"bills": ("email", "sms"), "offers": ("email",)}
    assert found.version == 4, "it is one write with what changed beside it"
    assert {row["who"] for row in found.history} == {"opt-out kept from an erasure"}


@pytest.mark.parametrize("channel", ["email", "mobile"])
def test_of_an_address_that_was_theirs_before_nothing_is_taken_over(channel: str) -> None:
    contact = a_contact(1)
    other: dict[str, Any] = {"email": an_address("x@example.com"), "mobile": an_address("+12025550199")}
    before = replace(contact, **{name: value for name, value in other.items() if name != channel})
    found = after(with_topics(), contact, before)
    expected = {"email": {"bills": ("sms",)}, "mobile": {"bills": ("email",), "offers": ("email",)}}
    assert found.opt_outs == expected[channel]
    assert after(with_topics(), contact, contact) is contact


def test_who_had_no_address_before_takes_its_opt_outs_over() -> None:
    contact = a_contact(1, mobile=None)
    found = after(with_topics(), contact, replace(contact, email=None))
    assert found.opt_outs == {"bills": ("email",), "offers": ("email",)}


def test_where_no_address_is_new_nobody_is_asked() -> None:
    office, contact = with_topics(), a_contact(1)

    def asked(addresses: Any) -> dict[Any, Suppression]:
        raise AssertionError("no call")

    office.opt_outs.entries = asked  # type: ignore[method-assign]
    assert after(office, contact, contact) is contact
    assert after(office, a_contact(1, email=None, mobile=None)).opt_outs is None


def test_several_contacts_are_asked_for_at_once_and_each_gets_its_own() -> None:
    office = with_topics()
    contacts = {c.contact_key: c for c in (a_contact(2), a_contact(1), a_contact(3, email=an_address(EMAIL)))}
    calls = []
    entries = office.opt_outs.entries

    def counted(addresses: Any) -> Any:
        calls.append(len(addresses))
        return entries(addresses)

    office.opt_outs.entries = counted  # type: ignore[method-assign]
    found = with_kept_opt_outs(contacts, {}, office.opt_outs, office.clock.now())
    assert calls == [5]
    assert found["C0002"] is contacts["C0002"]
    assert found["C0001"].opt_outs == {"bills": ("email", "sms"), "offers": ("email",)}
    assert found["C0003"].opt_outs == {"bills": ("email",), "offers": ("email",)}


def test_topics_are_taken_over_in_the_order_of_their_names() -> None:
    office, names = Office(), ("offers", "bills", "cards", "alerts", "letters", "news", "loans")
    office.opt_outs.stop_topics("email", EMAIL, names, "erasure by ann", office.clock.now())
    found = after(office, a_contact(1, mobile=None))
    said = [one.what for one in found.statements]
    assert said == [f"opt_outs/{name}/email" for name in sorted(names)]


@pytest.mark.parametrize("times", [4, 5])
def test_an_erasure_meets_another_writer_five_times(times: int) -> None:
    contact = a_contact(1)
    office = Office(contact)

    def change() -> None:
        stored = office.contacts.stored["retail", "C0001"]
        office.contacts.stored["retail", "C0001"] = replace(stored, version=stored.version + 1)

    calls = interfere(office.contacts, times, change)
    if times == 4:
        assert office.erase(contact).version == contact.version + 5
    else:
        with pytest.raises(RuntimeError, match="the contact kept changing under five attempts to erase it"):
            office.erase(contact)
    assert len(calls) == times
