"""`exnotify contact KEY --erase`: whom it takes, and what it says of one who is erased."""

from types import SimpleNamespace
from typing import Any

import pytest

from exnotify.personal.places import Scrubbed
from exstream_notify.domain.runs import DomainRule
from tests.cli.shell import exnotify
from tests.fakes import FakeClock, FakeContacts, FakeLedger, FakeRules, FakeSuppressions, a_contact, a_notice


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Any:
    contacts, suppressions, ledger = FakeContacts(), FakeSuppressions(), FakeLedger()
    found = SimpleNamespace(
        contacts=contacts,
        suppressions=suppressions,
        opt_outs=suppressions,
        ledger=ledger,
        clock=FakeClock(),
        rules=FakeRules(),
    )
    target = SimpleNamespace(app=found, who="ann", url=None)
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: target)
    # What lies elsewhere is another matter (tests/embedded/test_erased_canaries.py).
    monkeypatch.setattr("exnotify.holdings.ticket.keep", lambda app, person: person)
    monkeypatch.setattr("exnotify.holdings.ticket.drop", lambda app, person: None)
    monkeypatch.setattr("exnotify.holdings.addresses_in_records", lambda app, person: [])
    monkeypatch.setattr("exnotify.holdings.scrub", lambda target, person: Scrubbed({}, ()))
    return found


def contact(*arguments: str) -> Any:
    return exnotify("contact", "C0001", "--domain", "retail", *arguments)


def test_one_who_is_erased_is_shown_as_such_and_not_changed(app: Any) -> None:
    app.contacts.put([a_contact(1)])
    assert contact("--erase").code == 2
    assert contact("--erase", "--why", " ").code == 2
    assert contact("--erase", "--why", "asked").code == 0
    shown = contact()
    assert "erased at 2026-11-20T15:00:00.250+00:00 by ann: asked" in shown.out
    assert "example.com" not in shown.out
    mark = app.contacts.stored["retail", "C0001"]
    for change in (("--set", "email=a@example.com"), ("--release", "email", "--why", "x")):
        refused = contact(*change)
        assert (refused.code, "nothing of it can be changed" in refused.err) == (1, True)
    assert app.contacts.stored["retail", "C0001"] == mark


def test_a_key_that_no_record_has_named_yet_can_be_erased_but_not_shown(app: Any) -> None:
    assert contact().code == 1
    assert contact("--erase", "--why", "asked").code == 0
    assert app.contacts.stored["retail", "C0001"].is_erased


def test_of_an_account_with_several_holders_one_has_to_be_named(app: Any) -> None:
    app.ledger.put([a_notice(recipient="B")])
    refused = contact("--erase", "--why", "asked")
    assert (refused.code, "say which with --recipient" in refused.err) == (1, True)
    assert app.contacts.stored == {}


def test_where_fields_tell_holders_apart_no_mark_is_made_that_no_record_would_meet(app: Any) -> None:
    app.rules.domain_rule = DomainRule(holders=("first_name", "last_name"))
    refused = contact("--erase", "--why", "asked")
    assert (refused.code, "first_name, last_name tell holders apart" in refused.err) == (1, True)
    assert app.contacts.stored == {}
    assert contact("--recipient", "5a9b4d011d89b5cf", "--erase", "--why", "asked").code == 0
    (mark,) = app.contacts.stored.values()
    assert (mark.is_erased, mark.recipient) == (True, "5a9b4d011d89b5cf")
