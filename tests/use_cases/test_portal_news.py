"""What the portal is told of a change, by the statement that was made last."""

from typing import Any

import pytest

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.passes import handle_of
from exstream_notify.domain.statements import Statement
from exstream_notify.use_cases.tell_portal import PortalNews
from tests.fakes import FakeClock, a_contact
from tests.fakes.contacts import FakeContacts
from tests.fakes.exceptions import FakeExceptionBus
from tests.fakes.ledger import FakeDueIndex, FakeLedger

STORED = "2026-11-20T14:00:00+00:00"


def said(value: str, at: str, recorded: str = STORED, by: str = "preference page") -> Statement:
    return Statement(f"opt_outs/bills/{value}", "out", at, "customer", by, recorded)


#: Of these the second was recorded last, whenever it was said.
TWO = (
    said("sms", "2026-11-19T00:00:00+00:00", by="sms reply in-1"),
    said("email", "2026-11-18T00:00:00+00:00", "2026-11-20T14:00:01+00:00"),
)


class Site:
    """Contacts, and what the portal was told."""

    def __init__(self) -> None:
        self.contacts, self.bus, clock = FakeContacts(), FakeExceptionBus(), FakeClock()
        self.due = FakeDueIndex(FakeLedger())
        self.news = PortalNews(self.contacts, self.due, lambda: self.bus, clock)
        self.before = a_contact(1, salt="ab" * 16)
        self.contacts.put([self.before])

    def heard(self, *statements: Statement, outs: Any = None) -> Contact:
        """The contact as it stands with these."""
        outs = outs if outs is not None else {"bills": ("sms", "email")}
        return a_contact(1, salt="ab" * 16, version=2, statements=statements, opt_outs=outs)


@pytest.mark.parametrize("turned", [False, True])
def test_a_change_is_told_with_the_words_of_what_was_recorded_last(turned: bool) -> None:
    site = Site()
    assert site.news.put(site.before, site.heard(*(TWO[::-1] if turned else TWO)))
    (told,) = site.bus.preferences
    assert (told["at"], told["opt_outs"]) == ("2026-11-18T00:00:00+00:00", {"bills": ["sms", "email"]})
    name = f"{handle_of('ab' * 16)}/{STORED}/2"
    assert site.news.go_on(name)
    assert site.bus.preferences[1] == told, "a repeat says the same"


def test_what_nobody_dated_was_said_when_it_was_recorded() -> None:
    site = Site()
    assert site.news.put(site.before, site.heard(said("sms", "")))
    assert site.news.go_on(f"{handle_of('ab' * 16)}/{STORED}/2")
    assert [told["at"] for told in site.bus.preferences] == [STORED, STORED]


def test_without_a_change_or_for_a_contact_that_changed_meanwhile_nothing_is_told() -> None:
    site = Site()
    assert site.news.put(site.before, site.heard(*TWO, outs={})), "it is stored all the same"
    assert not site.news.put(site.before, site.heard(*TWO)), "another version is stored by now"
    assert site.bus.preferences == []
    for name in (f"{'f' * 24}/{STORED}/2", f"{handle_of('ab' * 16)}/2026-11-21/2"):
        assert not site.news.go_on(name)
    assert site.bus.preferences == []
