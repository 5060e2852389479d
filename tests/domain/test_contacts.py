"""How a drop's record bears on what is known of a customer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exstream_notify.domain.contacts import Address, Consent, addresses_to_check, merge
from exstream_notify.domain.documents import Channel
from tests.fakes import a_contact, a_document, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
AT = "2026-11-20T15:00:00+00:00"
OLD, NEW = "c0001@example.com", "new@example.com"


def fresh(value: str, **changes: str) -> dict[Channel, Address]:
    """A newly checked e-mail address."""
    return {"email": an_address(value, **changes)}


def test_a_customer_never_seen_is_created_from_the_record() -> None:
    document = a_document(language="es", country="US", postcode="20001")
    contact = merge(None, document, fresh(OLD), NOW, "salt")

    assert contact.version == 1
    assert (contact.salt, contact.created_at, contact.changed_at) == ("salt", AT, AT)
    assert contact.email == an_address(OLD)
    assert (contact.language, contact.country, contact.postcode) == ("es", "US", "20001")
    assert contact.time_zone == "America/New_York"
    assert contact.consent is None, "consent is the composer's to know, until the customer says otherwise"


def test_a_record_that_says_nothing_new_changes_nothing() -> None:
    contact = a_contact()

    assert merge(contact, a_document(), {}, NOW, "other") is contact


def test_only_addresses_that_are_new_need_checking() -> None:
    contact = a_contact()

    assert addresses_to_check(None, a_document()) == {"email": OLD, "sms": "+12025550101"}
    assert addresses_to_check(contact, a_document()) == {}
    assert addresses_to_check(contact, a_document(email=NEW)) == {"email": NEW}
    assert addresses_to_check(contact, a_document(email=None, mobile="")) == {}


def test_the_same_address_written_otherwise_is_no_change() -> None:
    contact = a_contact()

    assert merge(contact, a_document(), fresh(OLD, given="C0001@Example.COM"), NOW, "") is contact


@pytest.mark.parametrize(
    ("known", "found", "stands"),
    [
        # a different address replaces the drop's earlier one, and clears what was wrong with it
        ("ok", "ok", NEW),
        ("soft", "ok", NEW),
        ("invalid", "ok", NEW),
        ("complained", "ok", NEW),
        # one that cannot be used never replaces one that can
        ("ok", "invalid", OLD),
        ("soft", "invalid", OLD),
        ("invalid", "invalid", NEW),
    ],
)
def test_a_different_address_in_a_later_drop(known: str, found: str, stands: str) -> None:
    contact = a_contact(email=an_address(OLD, status=known))
    after = merge(contact, a_document(email=NEW), fresh(NEW, status=found), NOW, "")

    assert after.email is not None
    assert after.email.value == stands
    if stands == NEW:
        assert (after.email.status, after.version, after.changed_at) == (found, 2, AT)
    else:
        assert after is contact


def test_the_same_address_stays_invalid() -> None:
    contact = a_contact(email=an_address(OLD, status="invalid", why="bounced"))

    assert merge(contact, a_document(), fresh(OLD), NOW, "") is contact


@pytest.mark.parametrize("status", ["ok", "invalid", "opted_out"])
def test_what_the_customer_set_wins(status: str) -> None:
    contact = a_contact(
        email=an_address("mine@example.com", status=status),
        language="fr",
        time_zone="Europe/Paris",
        set_by_customer=("email", "language", "time_zone"),
    )
    document = a_document(email=NEW, language="en", country="US")
    after = merge(contact, document, fresh(NEW), NOW, "")

    assert after.email == an_address("mine@example.com", status=status)
    assert (after.language, after.time_zone, after.country) == ("fr", "Europe/Paris", "US")


def test_a_record_without_a_field_leaves_it() -> None:
    contact = a_contact(language="fr", postcode="20001")
    document = a_document(language=None, postcode=None, time_zone=None, email=None, mobile=None)

    assert merge(contact, document, {}, NOW, "") is contact


def test_a_merge_never_touches_wishes_or_consent() -> None:
    contact = a_contact(
        opt_outs={"*": ("sms",)},
        channel_order=("sms",),
        paper_required=True,
        consent=Consent(False, "all", "1", AT, "portal"),
        salt="kept",
    )
    after = merge(contact, a_document(email=NEW, language="de"), fresh(NEW), NOW, "other")

    assert replace(after, email=contact.email, language=None, version=1, changed_at="") == contact


@pytest.mark.parametrize(
    ("status", "usable"),
    [("ok", True), ("soft", True), ("invalid", False), ("opted_out", False), ("complained", False)],
)
def test_an_address_is_usable_by_its_status(status: str, usable: bool) -> None:
    assert an_address(OLD, status=status).usable is usable
