"""Addresses as sites write them: canonical, or invalid with a reason; and where a customer may be."""

import pytest

from exstream_notify.adapters.addresses import Addresses
from exstream_notify.domain.contacts import Contact
from tests.fakes import a_contact, an_address

CHECK = Addresses()


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("c0001@example.com", "c0001@example.com"),
        (" C0001@Example.COM ", "c0001@example.com"),
        ("first.last+tag@mail.example.com", "first.last+tag@mail.example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        # internationalised domains go out in their ASCII form (RFC 5890)
        ("info@bücher.example.com", "info@xn--bcher-kva.example.com"),
    ],
)
def test_an_email_address_has_one_canonical_form(raw: str, canonical: str) -> None:
    found = CHECK.check("email", raw, None)

    assert (found.value, found.given, found.status) == (canonical, raw, "ok")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nobody",
        "@example.com",
        "c0001@",
        "c0001@example",
        "c0001@@example.com",
        "c 0001@example.com",
        "c0001@example.com, c0002@example.com",
        "Name <c0001@example.com>",
        "c0001@example.com\r\nBcc: c0002@example.com",
        "a" * 65 + "@example.com",
        ".c0001@example.com",
        "c0001@-example.com",
        "c0001@127.0.0.1",
        # no provider takes a local part beyond ASCII (RFC 6531)
        "Straße@example.com",
        "ümit@example.com",
    ],
)
def test_what_is_no_email_address_is_kept_as_invalid(raw: str) -> None:
    found = CHECK.check("email", raw, None)

    assert (found.status, found.value, found.usable) == ("invalid", raw, False)
    assert found.why


@pytest.mark.parametrize(
    ("raw", "country", "canonical"),
    [
        ("+12025550142", None, "+12025550142"),
        ("+1 (202) 555-0142", None, "+12025550142"),
        ("202-555-0142", None, "+12025550142"),
        ("1 202 555 0142", None, "+12025550142"),
        ("202.555.0142", "US", "+12025550142"),
        ("001 202 555 0142", "GB", "+12025550142"),
        # libphonenumber's own example: it holds the numbers reserved for fiction, 07700 900000 on, for invalid
        ("07400 123456", "GB", "+447400123456"),
        ("07400 123456", "gb", "+447400123456"),
    ],
)
def test_a_number_has_one_canonical_form(raw: str, country: str | None, canonical: str) -> None:
    found = CHECK.check("sms", raw, country)

    assert (found.value, found.given, found.status) == (canonical, raw, "ok")


@pytest.mark.parametrize(
    ("raw", "country", "why"),
    [
        ("", None, ""),
        ("12", None, ""),
        ("not a number", None, ""),
        ("+1 202 555", None, ""),
        ("+999 123 4567 890", None, ""),
        ("+1 800 234 5678", None, "a toll-free number"),
        ("+44 20 7946 0142", None, "a fixed line"),
        ("0900 1234567", "DE", "a premium-rate number"),
    ],
)
def test_a_number_that_takes_no_sms_is_kept_as_invalid(raw: str, country: str | None, why: str) -> None:
    found = CHECK.check("sms", raw, country)

    assert found.status == "invalid"
    assert found.why
    if why:
        assert found.why == why


def test_a_site_elsewhere_reads_its_own_numbers() -> None:
    assert Addresses("GB").check("sms", "07400 123456", None).value == "+447400123456"


# --- where a customer may be -----------------------------------------------------------------------


def zones(**changes: object) -> tuple[str, ...]:
    """Zones of a customer of whom only this is known."""
    return CHECK.zones(a_contact(**{"time_zone": None, "mobile": None, **changes}))


def a_number(raw: str) -> dict[str, object]:
    """A contact's number, checked."""
    return {"mobile": CHECK.check("sms", raw, None)}


def test_the_profile_comes_first() -> None:
    assert zones(time_zone="Europe/Paris", country="US", **a_number("+12125550142")) == ("Europe/Paris",)


@pytest.mark.parametrize("name", ["Mars/Olympus", "EST5", "", "../../etc/passwd"])
def test_a_zone_that_is_none_is_passed_over(name: str) -> None:
    assert zones(time_zone=name, country="FR") == ("Europe/Paris",)


def test_then_the_country_narrowed_by_the_number() -> None:
    assert zones(country="US", **a_number("+12125550142")) == ("America/New_York",)
    assert zones(country="us", **a_number("+18085550142")) == ("Pacific/Honolulu",)


def test_a_wide_country_is_all_its_zones() -> None:
    found = zones(country="US")

    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= set(found)


def test_a_foreign_number_does_not_move_the_customer() -> None:
    assert zones(country="FR", **a_number("+12125550142")) == ("Europe/Paris",)


def test_then_the_number() -> None:
    assert zones(**a_number("+12125550142")) == ("America/New_York",)
    assert zones(country="XX", **a_number("+12125550142")) == ("America/New_York",)


def test_and_then_nothing() -> None:
    assert zones() == ()
    assert CHECK.zones(Contact("retail", "C", "s", mobile=an_address("+12125550142"))) == ()


def test_a_zone_that_this_machine_does_not_know_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "exstream_notify.adapters.addresses.known_zones", lambda: frozenset({"America/Chicago"})
    )
    assert CHECK.zones_of_number("+13125550142", None) == ("America/Chicago",)
    assert CHECK.zones_of_number("+12125550142", None) == ()
