"""A recipient in the tables: contacts and notices of two holders stand beside one another."""

from dataclasses import replace
from datetime import UTC, datetime

from exstream_notify.adapters.dynamodb.contacts import contact_from, contact_item
from exstream_notify.adapters.dynamodb.ledger import from_item, to_item
from exstream_notify.domain.notices import chain_holds, chain_start, opened
from tests.adapters.conftest import Books
from tests.fakes import a_contact, a_notice, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_a_contact_is_read_as_it_was_written() -> None:
    contact = a_contact(1, recipient="R1", email=an_address("a@example.com", holder="0ab1|0ab2"))

    assert contact_from(contact_item("retail#key", contact)) == contact
    assert contact_from(contact_item("retail#key", a_contact(1))).recipient == ""


def test_a_notice_is_read_as_it_was_written_and_its_chain_is_of_its_recipient() -> None:
    notice = opened(a_notice(recipient="R1"), NOW, "deferred")

    assert from_item(to_item(notice)) == notice
    assert to_item(notice)["cust"] == to_item(a_notice())["cust"], "found by customer, every recipient's"
    assert chain_holds(notice)
    assert not chain_holds(replace(notice, recipient="R2"))
    assert chain_start(a_notice()) != chain_start(a_notice(recipient="R1"))
    assert "recipient" not in to_item(a_notice())


def test_holders_of_one_key_do_not_stand_in_each_others_way(books: Books) -> None:
    rows = [a_contact(77, version=1, recipient=recipient) for recipient in ("", "R1", "R2")]

    assert books.contacts.put(rows) == []
    found = books.contacts.get("retail", [c.contact_key for c in rows])
    assert {key: c.recipient for key, c in found.items()} == {c.contact_key: c.recipient for c in rows}
    assert books.contacts.put([replace(rows[1], version=1)]) == [rows[1].contact_key]
