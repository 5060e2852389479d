"""Contacts and suppressions keep their promises, in memory as in DynamoDB."""

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.dynamodb.contacts import DynamoSuppressions, suppression_key
from exstream_notify.domain.contacts import Address, Consent, Contact
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.statements import SOURCES, Statement
from tests.adapters.conftest import Books, Tables
from tests.fakes import a_contact

_KEYS = itertools.count(1)

_TEXT = st.text(max_size=8)
_WORD = st.none() | st.text(min_size=1, max_size=8)
_CHANNELS = st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple)
_NAMES = st.lists(st.sampled_from(["email", "mobile", "language", "time_zone"]), unique=True).map(tuple)
ADDRESSES = st.builds(
    Address,
    value=_TEXT,
    given=_TEXT,
    status=st.sampled_from(["ok", "soft", "invalid", "opted_out", "complained"]),
    why=_TEXT,
    source=_TEXT,
    zones=st.lists(_TEXT, max_size=2).map(tuple),
)
CONTACTS = st.builds(
    Contact,
    domain=st.just("retail"),
    customer_key=st.just("x"),
    salt=st.text(min_size=1, max_size=8),
    version=st.just(1),
    email=st.none() | ADDRESSES,
    mobile=st.none() | ADDRESSES,
    channel_order=_CHANNELS,
    opt_outs=st.none() | st.dictionaries(_TEXT, _CHANNELS, max_size=2),
    language=_WORD,
    time_zone=_WORD,
    country=_WORD,
    postcode=_WORD,
    paper_required=st.booleans(),
    consent=st.none() | st.builds(Consent, st.booleans(), _TEXT, _TEXT, _TEXT, _TEXT),
    set_by_customer=_NAMES,
    created_at=_TEXT,
    changed_at=_TEXT,
    history=st.lists(st.dictionaries(_TEXT, _TEXT, max_size=2), max_size=2).map(tuple),
    statements=st.lists(
        st.builds(Statement, _TEXT, _TEXT, _TEXT, st.sampled_from(list(SOURCES)), _TEXT, _TEXT, _TEXT),
        max_size=2,
    ).map(tuple),
    debt_hold=st.none() | st.builds(DebtHold, _NAMES, _TEXT, _TEXT, _TEXT, _TEXT),
)


def a_new_contact(**changes: Any) -> Contact:
    """A contact of a customer never used."""
    return a_contact(**{"customer_key": f"C-{next(_KEYS)}", **changes})


def stored(books: Books, contact: Contact) -> Contact | None:
    """What the book has of that customer."""
    return books.contacts.get(contact.domain, [contact.customer_key]).get(contact.customer_key)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contact=CONTACTS)
def test_every_field_of_a_contact_comes_back(books: Books, contact: Contact) -> None:
    contact = replace(contact, customer_key=f"C-{next(_KEYS)}")

    assert books.contacts.put([contact]) == []
    assert stored(books, contact) == contact


def test_a_write_needs_the_version_before(books: Books) -> None:
    first = a_new_contact()
    second = replace(first, version=2, language="es")
    assert books.contacts.put([second]) == [first.customer_key]
    assert books.contacts.put([first]) == []
    assert books.contacts.put([replace(first, language="de")]) == [first.customer_key]
    assert books.contacts.put([second]) == []
    assert books.contacts.put([replace(second, language="de")]) == [first.customer_key]
    assert stored(books, first) == second


def test_one_conflict_never_stops_the_others(books: Books) -> None:
    contacts = [a_new_contact() for _ in range(30)]
    books.contacts.put(contacts[::3])
    failed = books.contacts.put(contacts)

    assert sorted(failed) == sorted(c.customer_key for c in contacts[::3])
    keys = [c.customer_key for c in contacts]
    assert books.contacts.get("retail", [*keys, "C-unknown"]) == {c.customer_key: c for c in contacts}


def test_customers_of_two_domains_do_not_meet(books: Books) -> None:
    contact = a_new_contact()
    other = replace(contact, domain="claims", language="fr")
    books.contacts.put([contact, other])

    assert stored(books, contact) == contact
    assert stored(books, other) == other


def test_nothing_asked_nothing_found(books: Books) -> None:
    assert books.contacts.get("retail", []) == {}
    assert books.contacts.put([]) == []


# --- suppressions ----------------------------------------------------------------------------------

OLD, CURRENT = b"old pepper", b"current pepper"
ADDRESS = "c0001@example.com"


@pytest.fixture
def suppressions(tables: Tables) -> DynamoSuppressions:
    """The list, with a pepper of before and one of now."""
    return DynamoSuppressions(tables.client, tables.suppressions, lambda: {"1": OLD, "2": CURRENT})


@pytest.mark.parametrize(
    ("pepper", "more", "suppressed"),
    [
        (CURRENT, {}, True),
        (OLD, {}, True),
        (b"never ours", {}, False),
        (CURRENT, {"expires": {"N": str(int(time.time()) + 3600)}}, True),
        # deleted by the table within two days only
        (CURRENT, {"expires": {"N": str(int(time.time()) - 1)}}, False),
        (CURRENT, {"released": {"S": "2026-11-20 by compliance"}}, False),
    ],
)
def test_an_address_is_suppressed_under_any_pepper_until_it_expires_or_is_released(
    tables: Tables, suppressions: DynamoSuppressions, pepper: bytes, more: dict[str, Any], suppressed: bool
) -> None:
    address = f"{next(_KEYS)}@example.com"
    tables.client.put_item(
        TableName=tables.suppressions, Item={"pk": {"S": suppression_key(pepper, "email", address)}, **more}
    )

    asked = {("email", address), ("email", ADDRESS), ("sms", address)}
    assert suppressions.suppressed(asked) == ({("email", address)} if suppressed else set())  # type: ignore[arg-type]


def test_a_released_entry_does_not_hide_another_that_holds(
    tables: Tables, suppressions: DynamoSuppressions
) -> None:
    for pepper, more in ((OLD, {}), (CURRENT, {"released": {"S": "yes"}})):
        key = suppression_key(pepper, "email", "twice@example.com")
        tables.client.put_item(TableName=tables.suppressions, Item={"pk": {"S": key}, **more})

    assert suppressions.suppressed({("email", "twice@example.com")}) == {("email", "twice@example.com")}


def test_no_address_asks_nothing() -> None:
    def peppers() -> dict[str, bytes]:
        raise AssertionError("no secret is needed")

    assert DynamoSuppressions(None, "suppressions", peppers).suppressed(set()) == set()
