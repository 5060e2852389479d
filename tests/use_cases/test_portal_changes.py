"""What a portal's customers changed there, told at least once."""

import pytest

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.messages import TryAgain
from exstream_notify.domain.passes import handle_of, undo_id
from exstream_notify.domain.preferences import PortalChange
from exstream_notify.use_cases.change_preferences import AddressBook, undo_change
from exstream_notify.use_cases.notify_owner import OwnerNotices, waiting_name
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.tell_customer import NotToldYet, Teller
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeAddresses, FakeContacts, some_ways
from tests.fakes.evidence import FakeEvidence
from tests.fakes.examples import a_contact
from tests.fakes.exceptions import FakeExceptionBus
from tests.fakes.ledger import FakeDueIndex, FakeLedger
from tests.fakes.providers import FakeProvider
from tests.fakes.wording import FakeNotes


class Portal:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.contacts = FakeContacts()
        self.contacts.put([a_contact(mobile=None)])
        self.provider = FakeProvider("ses", self.clock)
        self.exceptions = FakeExceptionBus()
        ledger = FakeLedger()
        teller = Teller(
            ledger, FakeEvidence(), self.clock, lambda channel, value: f"hash {value}", FakeNotes(),
            lambda channel: self.provider, self.exceptions,
        )  # fmt: skip
        owner = OwnerNotices(
            self.contacts, FakeAddresses(), some_ways(self.clock), teller, FakeDueIndex(ledger), self.exceptions,
            self.clock, lambda salt, change: "link",
        )  # fmt: skip
        self.book = AddressBook(owner, (b"key",))

    def tell(self, event: str = "event-1", **fields: object) -> str:
        change = PortalChange(event, "retail", "C0001", **fields)  # type: ignore[arg-type]
        return record_preferences(
            change,
            contacts=self.contacts,
            exceptions=self.exceptions,
            clock=self.clock,
            book=self.book,
        )

    @property
    def contact(self) -> Contact:
        return self.contacts.get("retail", ["C0001"])["C0001"]

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(message.to, message.text) for message in self.provider.delivered]


@pytest.mark.parametrize("verified", [False, True])
def test_an_address_that_is_told_twice_is_changed_once_and_told_once(verified: bool) -> None:
    portal = Portal()
    assert portal.tell(email="new@example.com", verified=verified) == "changed"
    once, told = portal.contact, portal.told

    assert portal.tell(email="new@example.com", verified=verified) == "unchanged"
    assert (portal.contact, portal.told) == (once, told)
    assert len(told) == 1


def test_a_code_that_could_not_be_sent_goes_out_with_the_redelivery_and_is_the_right_one() -> None:
    portal = Portal()
    portal.provider.script(TryAgain("throttled"))
    with pytest.raises(NotToldYet):
        portal.tell(email="new@example.com")
    assert not portal.told

    portal.tell(email="new@example.com")
    ((to, text),) = portal.told
    assert to == "new@example.com"
    assert portal.book.confirm(portal.contact, "email", text.removeprefix("code ")) == "done"


def test_the_owner_of_an_address_that_the_portal_proved_is_told_as_soon_as_a_provider_takes_it() -> None:
    portal = Portal()
    portal.provider.script(TryAgain("throttled"))
    portal.tell(email="new@example.com", verified=True)
    assert not portal.told
    (change,) = portal.contact.changing
    assert change.stage == 0

    portal.tell(email="new@example.com", verified=True)
    portal.clock.advance(hours=1)
    portal.book.owner.go_on(waiting_name(portal.contact, change))
    assert [to for to, _ in portal.told] == ["c0001@example.com"]
    assert portal.contact.changing[0].stage == 1


@pytest.mark.parametrize("verified", [False, True])
def test_an_address_that_is_not_taken_is_told_of_and_a_repeat_of_one_that_was_is_not(verified: bool) -> None:
    portal = Portal()
    portal.tell(email="new@example.com")
    code = portal.told[0][1].removeprefix("code ")
    portal.book.confirm(portal.contact, "email", code)
    portal.tell(email="new@example.com")
    assert not portal.exceptions.raised

    # The old address can still undo the first change, so a second one does not push it aside.
    portal.tell("event-2", email="other@example.com", verified=verified)
    assert portal.contact.changing[0].address.value == "new@example.com"
    [told] = portal.exceptions.raised
    assert (told.code, told.severity, told.domain, told.run_id, told.part) == (
        *("preferences_unusable", "warning", "retail", "portal", "event event-2 email"),
    )
    assert told.text == (
        "the portal set an address while the one before can still be undone, or was just undone (email)"
    )
    assert told.detail == {"contact": handle_of(portal.contact.salt)}


def test_an_address_that_the_portal_proved_is_not_taken_within_a_day_of_an_undo() -> None:
    portal = Portal()
    portal.tell(email="new@example.com", verified=True)
    (change,) = portal.contact.changing
    token = undo_id(portal.contact.salt, change.change_id)
    assert undo_change(token, contacts=portal.contacts, clock=portal.clock) == "done"

    portal.tell(email="new@example.com", verified=True)
    portal.clock.advance(minutes=1)
    portal.tell("event-2", email="new@example.com", verified=True)
    assert not portal.contact.changing
    assert portal.exceptions.codes == {"preferences_unusable"}
    assert len(portal.told) == 1
    portal.clock.advance(days=1)
    portal.tell("event-3", email="new@example.com", verified=True)
    assert portal.contact.changing


def test_another_event_asks_anew_with_another_code() -> None:
    portal = Portal()
    portal.tell(email="new@example.com")
    portal.tell("event-2", email="new@example.com")

    assert len({text for _, text in portal.told}) == 2
