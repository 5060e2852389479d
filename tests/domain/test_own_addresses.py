"""Where a notice goes: its own record's address, or one that the customer set, and no other person's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.contacts import Address, Contact, address_for, as_addressed, merge
from tests.fakes import FakeAddresses, a_contact, a_document, an_address

CHECK = FakeAddresses().check
KNOWN, OWN = "known@example.com", "own@example.com"
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def goes_to(contact: Contact, **record: Any) -> tuple[str, str] | None:
    """Address and status that an e-mail about such a record has."""
    found = address_for(contact, a_document(1, **record), "email", CHECK)
    return (found.value, found.status) if found else None


def known(address: Address | None, **changes: Any) -> Contact:
    """The contact with that e-mail address."""
    return a_contact(1, email=address, **changes)


@pytest.mark.parametrize(
    ("address", "set_by", "record", "expected"),
    [
        # the record's own, whatever the contact's is and however that fares
        (an_address(KNOWN), (), {"email": OWN}, (OWN, "ok")),
        (an_address(KNOWN, status="invalid"), (), {"email": OWN}, (OWN, "ok")),
        (None, (), {"email": OWN}, (OWN, "ok")),
        (an_address(KNOWN), (), {"email": OWN, "disputed": True}, (OWN, "ok")),
        # what is known of it, where it is the contact's too, however it is written
        (an_address(OWN, status="invalid"), (), {"email": OWN}, (OWN, "invalid")),
        (an_address(OWN, status="opted_out"), (), {"email": "OWN@Example.com"}, (OWN, "opted_out")),
        (an_address(OWN, status="soft"), (), {"email": OWN, "disputed": True}, (OWN, "soft")),
        # the customer's word
        (an_address(KNOWN), ("email",), {"email": OWN}, (KNOWN, "ok")),
        (an_address(KNOWN), ("email",), {"email": OWN, "disputed": True}, (KNOWN, "ok")),
        (an_address(KNOWN, status="invalid"), ("email",), {"email": OWN}, (KNOWN, "invalid")),
        (an_address(KNOWN), ("mobile",), {"email": OWN}, (OWN, "ok")),
        # nothing of its own: the contact's, unless the run disputes whose that is
        (an_address(KNOWN), (), {"email": None}, (KNOWN, "ok")),
        (an_address(KNOWN), (), {"email": "no address"}, (KNOWN, "ok")),
        (an_address(KNOWN), (), {"email": None, "disputed": True}, None),
        (an_address(KNOWN), (), {"email": "no address", "disputed": True}, ("no address", "invalid")),
        (None, (), {"email": None}, None),
        (None, (), {"email": "no address"}, ("no address", "invalid")),
    ],
)
def test_the_address_of_a_notice(
    address: Address | None, set_by: tuple[str, ...], record: dict[str, Any], expected: object
) -> None:
    assert goes_to(known(address, set_by_customer=set_by), **record) == expected


def test_an_address_that_another_name_brought_is_nobody_elses() -> None:
    ana = a_document(1, email=KNOWN, first_name="Ana", last_name="Silva")
    contact = merge(None, ana, {"email": an_address(KNOWN)}, NOW, "salt")

    assert goes_to(contact, email=None, first_name="Ben", last_name="Silva") is None
    assert goes_to(contact, email=None, first_name="A.", last_name="SILVA") == (KNOWN, "ok")
    assert goes_to(contact, email=None) == (KNOWN, "ok"), "a record without a name may be anybody's"
    assert goes_to(a_contact(1), email=None, first_name="Ben") is not None, "no name came with that one"


def test_a_number_without_its_countrys_code_is_read_by_the_records_country() -> None:
    asked: list[str | None] = []

    def check(channel: str, raw: str, country: str | None) -> Address:
        asked.append(country)
        return Address(f"+{country}{raw}", raw)

    contact = a_contact(1, mobile=Address("+4475550100", "75550100"))
    found = address_for(contact, a_document(1, mobile="75550100", country="US"), "sms", check)

    assert asked == ["US"]
    assert found is not None
    assert found.value == "+US75550100"


def test_the_hours_of_a_notice_are_its_own_records_too() -> None:
    contact = a_contact(1, time_zone="America/New_York")
    document = a_document(1, time_zone="America/Los_Angeles")

    assert as_addressed(contact, document, CHECK).time_zone == "America/Los_Angeles"
    mine = a_contact(1, time_zone="America/New_York", set_by_customer=("time_zone",))
    assert as_addressed(mine, document, CHECK) is mine


def test_a_disputed_record_makes_a_contact_and_changes_none() -> None:
    document = a_document(1, email=OWN, language="es", disputed=True)

    made = merge(None, document, {"email": an_address(OWN)}, NOW, "salt")
    assert (made.version, made.email, made.language, made.salt) == (1, None, None, "salt")
    before = a_contact(1)
    assert merge(before, document, {"email": an_address(OWN)}, NOW, "") is before


def test_a_recipient_is_a_contact_of_their_own() -> None:
    one = merge(None, a_document(1, recipient="R1"), {}, NOW, "a")
    other = merge(None, a_document(1, recipient="R2"), {}, NOW, "b")

    assert len({one.contact_key, other.contact_key, a_contact(1).contact_key}) == 3
    assert a_contact(1).contact_key == "C0001"
    assert a_document(1, recipient="R1").contact_key == one.contact_key
