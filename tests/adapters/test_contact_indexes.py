"""Contacts found by handle and by address, scanned, and erased: on the template's own indexes."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.adapters.dynamodb.contacts import (
    TOMBSTONE,
    DynamoContacts,
    contact_from,
    contact_item,
)
from exstream_notify.domain.address_changes import in_effect
from exstream_notify.domain.contacts import AddressChange, Contact, Told
from exstream_notify.domain.erasure import erased
from exstream_notify.domain.passes import handle_of
from tests.adapters.conftest import Tables
from tests.fakes.examples import a_contact, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
OLD, CURRENT = b"old pepper", b"current pepper"
_NUMBERS = itertools.count(1)

Book = Callable[..., DynamoContacts]


@pytest.fixture
def book(tables: Tables) -> Book:
    """The contacts under the peppers given (the last one is current)."""

    def make(*peppers: bytes) -> DynamoContacts:
        known = {str(number): pepper for number, pepper in enumerate(peppers or (CURRENT,))}
        return DynamoContacts(tables.client, tables.contacts, lambda: (str(len(known) - 1), known))

    return make


def a_customer(**changes: Any) -> Contact:
    """Somebody who was never here, with an e-mail address of their own."""
    number = next(_NUMBERS)
    return a_contact(
        **{
            "customer_key": f"I-{number}",
            "salt": f"{number:032x}",
            "email": an_address(f"i{number}@example.com"),
            "mobile": None,
            **changes,
        }
    )


def keys(contacts: list[Contact]) -> list[str]:
    return [contact.customer_key for contact in contacts]


def test_a_contact_is_found_by_its_handle_and_by_no_other(book: Book) -> None:
    contact = a_customer()
    book().put([contact])
    assert book().by_handle(handle_of(contact.salt)) == contact
    assert book().by_handle(handle_of("another salt")) is None


def test_everybody_at_an_address_is_found_in_every_domain_and_in_order(book: Book) -> None:
    shared = an_address("+12025550177")
    people = [a_customer(mobile=shared), a_customer(mobile=shared), a_customer()]
    elsewhere = a_customer(domain="claims", mobile=shared)
    book().put([people[1], people[0], people[2], elsewhere])

    assert keys(book().at_address("sms", shared.value)) == keys([elsewhere, people[0], people[1]])
    assert book().at_address("email", shared.value) == []
    assert keys(book().at_address("email", people[2].email.value)) == keys([people[2]])  # type: ignore[union-attr]


def test_more_people_than_a_page_of_the_index_are_all_found(book: Book) -> None:
    shared = an_address("family@example.com")
    people = [a_customer(email=shared) for _ in range(130)]
    assert book().put(people) == []
    assert len(book().at_address("email", "family@example.com")) == 130


def test_who_was_written_under_an_older_pepper_is_found_still(book: Book) -> None:
    shared = an_address("pepper@example.com")
    before, after = a_customer(email=shared), a_customer(email=shared)
    book(OLD).put([before])
    book(OLD, CURRENT).put([after])
    assert keys(book(OLD, CURRENT).at_address("email", "pepper@example.com")) == keys([before, after])
    # Without the old one it is not: peppers are kept as long as anything was written under them.
    assert keys(book(CURRENT).at_address("email", "pepper@example.com")) == keys([after])


def test_an_address_that_changed_leads_nowhere_and_one_that_went_neither(book: Book) -> None:
    contact = a_customer(email=an_address("before@example.com"), mobile=an_address("+12025550178"))
    book().put([contact])
    book().put([replace(contact, version=2, email=an_address("after@example.com"), mobile=None)])
    assert book().at_address("email", "before@example.com") == []
    assert book().at_address("sms", "+12025550178") == []
    assert keys(book().at_address("email", "after@example.com")) == keys([contact])


def test_the_table_holds_no_address_in_an_index(book: Book, tables: Tables) -> None:
    contact = a_customer(mobile=an_address("+12025550179"))
    book().put([contact])
    item = tables.client.get_item(
        TableName=tables.contacts, Key={"pk": {"S": f"retail#{contact.customer_key}"}}
    )["Item"]
    hashes = [item["email_hash"]["S"], item["mobile_hash"]["S"], item["handle"]["S"]]
    assert all(set(one) <= set("0123456789abcdef") for one in hashes)
    assert contact.salt not in hashes


def a_change(to: str, holds: datetime) -> AddressChange:
    return AddressChange(
        "change-1", "email", an_address(to), "", NOW.isoformat(), NOW.isoformat(), "page",
        confirmed_at=NOW.isoformat(), effective_at=holds.isoformat(),
    )  # fmt: skip


def test_a_change_is_kept_with_what_its_owner_was_told_and_in_effect_it_moves_the_index(book: Book) -> None:
    contact = a_customer(email=an_address("old-home@example.com"))
    told = Told("changed", "email", "old-home@example.com", NOW.isoformat(), "sent", "n1")
    change = replace(a_change("new-home@example.com", NOW), stage=1, told=(told,), review="asked")
    contact = replace(contact, changing=(change,))
    book().put([contact])
    (kept,) = book().at_address("email", "old-home@example.com")
    assert kept == contact

    book().put([replace(in_effect(kept, change, NOW), version=2)])
    assert book().at_address("email", "old-home@example.com") == []
    assert keys(book().at_address("email", "new-home@example.com")) == keys([contact])


def test_a_change_is_read_from_the_release_before_and_by_it() -> None:
    """It knew nothing of notes to the owner, and refused a change with fields that it did not know."""
    told = Told("changed", "email", "old-home@example.com", NOW.isoformat(), "sent", "n1")
    noted = replace(a_change("new-home@example.com", NOW), stage=1, told=(told,), review="asked")
    contact = a_customer(email=an_address("old-home@example.com"), changing=(noted,))
    item = contact_item("k", contact)
    profile = json.loads(item["profile"]["S"])
    assert not {"stage", "told", "review"} & set(profile["changing"][0])
    assert contact_from(item) == contact

    del profile["owner_notes"]
    (before,) = contact_from({**item, "profile": {"S": json.dumps(profile)}}).changing
    assert before == replace(noted, stage=0, told=(), review="")


def test_segments_hold_everybody_once(book: Book) -> None:
    people = [a_customer() for _ in range(40)]
    book().put(people)
    found = [c.customer_key for segment in range(4) for c in book().scan(segment, 4)]
    assert len(found) == len(set(found))
    assert set(keys(people)) <= set(found)


def test_what_an_earlier_release_left_of_an_erased_contact_is_nobody(book: Book, tables: Tables) -> None:
    left = {"pk": {"S": f"{TOMBSTONE}0f1e#20261101T000000"}, "v": {"N": "1"}, "erased": {"S": "{}"}}
    tables.client.put_item(TableName=tables.contacts, Item=left)
    assert all(contact.customer_key for contact in book().scan())


def test_an_erased_contact_is_found_by_nothing_and_leaves_who_did_it(book: Book, tables: Tables) -> None:
    contact = a_customer(email=an_address("erased@example.com"))
    book().put([contact])
    mark = erased(contact, "ann", "asked in writing", NOW)
    assert book().put([erased(replace(contact, version=7), "ann", "asked", NOW)]), "as read, or not at all"
    assert book().by_handle(handle_of(contact.salt)) is not None
    assert book().put([mark]) == []

    assert book().get("retail", [contact.customer_key]) == {contact.customer_key: mark}
    assert book().by_handle(handle_of(contact.salt)) is None
    assert book().at_address("email", "erased@example.com") == []
    assert mark in list(book().scan())
    items = tables.client.scan(TableName=tables.contacts, ConsistentRead=True)["Items"]
    (item,) = [i for i in items if i["pk"]["S"].endswith(f"#{contact.customer_key}")]
    assert set(item) == {"pk", "v", "profile"}
    assert (mark.is_erased, mark.erased_by, mark.erased_why) == (True, "ann", "asked in writing")
    # A write that was under way comes too late, and whoever comes back is somebody new.
    assert book().put([replace(contact, version=2)]) == [contact.customer_key]
    assert book().put([replace(mark, salt="f" * 32, version=3)]) == []
    assert book().by_handle(handle_of(contact.salt)) is None
