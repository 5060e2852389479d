"""The reference in outgoing mail: what we made verifies, however a mailer writes it, and nothing else does."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.references import (
    FOUND,
    HEADER,
    LENGTH,
    LIFE,
    LOCAL_LENGTH,
    found_in,
    made,
    return_address,
    said,
    verified,
)

KEYS = {1: b"the key of before", 2: b"the key of now"}
NOTICES = st.binary(min_size=16, max_size=16).map(bytes.hex)
ATTEMPTS = st.integers(1, 9_999)
REFERENCE = made("0123456789abcdef" * 2, 3, 2, KEYS[2])


@given(NOTICES, ATTEMPTS, st.sampled_from(sorted(KEYS)))
def test_what_we_made_verifies_under_its_version_in_any_case(notice: str, attempt: int, version: int) -> None:
    raw = made(notice, attempt, version, KEYS[version])
    assert len(raw) == LENGTH
    assert raw.isalnum()
    for spelled in (raw, raw.upper(), raw.title()):
        assert verified(spelled, KEYS) == said(spelled) == (notice, attempt)
        assert found_in(f"Return-Path: <bounces+{spelled}@example.com>") == (raw,)


@given(st.integers(0, LENGTH - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_changed_character_makes_it_anybodys(place: int, other: str) -> None:
    changed = REFERENCE[:place] + other + REFERENCE[place + 1 :]
    assert (verified(changed, KEYS) is not None) == (changed == REFERENCE)


@given(NOTICES, ATTEMPTS, st.binary(min_size=1, max_size=40).filter(lambda key: key not in KEYS.values()))
def test_another_key_makes_none_of_ours(notice: str, attempt: int, key: bytes) -> None:
    assert verified(made(notice, attempt, 2, key), KEYS) is None
    assert verified(made(notice, attempt, 9, KEYS[2]), KEYS) is None, "no such version"


@given(st.text(max_size=120))
def test_what_has_no_such_form_names_nothing(text: str) -> None:
    assert verified(text, KEYS) is None
    if said(text) is not None:
        assert len(text) == LENGTH


@pytest.mark.parametrize(
    "text",
    [
        "X-Notice-Id: {}",
        "> X-Notice-Id:    {}\r\n> Subject: Your statement",
        "To: bounces+{}@example.com",
        "<BOUNCES+{}@EXAMPLE.COM>",
        "SRS0=abcd=XY=example.com=bounces+{}@forwarder.example",
        "prvs=123456789a=bounces+{}@example.com",
        "list-bounces+bounces+{}=example.com@list.example.org",
        "bounces%2B{}%40example.com",
        "X-Notice-Id:=20{}",
        "<td>X-Notice-Id:</td><td>{}</td>",
        "X-Notice-Id: {}:1",
        "x-notice-id={};",
    ],
)
def test_it_is_found_wherever_a_mailer_puts_it(text: str) -> None:
    assert found_in("Delivery failed.\n" + text.format(REFERENCE)) == (REFERENCE,)
    assert found_in(text.format(REFERENCE.upper())) == (REFERENCE,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        REFERENCE[:-1],
        REFERENCE + "a",
        "a" + REFERENCE,
        "0" + REFERENCE,
        REFERENCE.replace("nr", "rn", 1),
        f"{REFERENCE[:20]} {REFERENCE[20:]}",
        "0123456789abcdef0123456789abcdef:1",
    ],
)
def test_a_part_of_a_longer_word_is_none(text: str) -> None:
    assert found_in(text) == ()


def test_of_many_the_first_ones_are_looked_at_each_once() -> None:
    many = [made(f"{n:032x}", 1, 1, KEYS[1]) for n in range(FOUND + 5)]
    assert found_in(" ".join([many[0], *many])) == tuple(many[:FOUND])


@pytest.mark.parametrize(
    ("notice", "attempt"),
    [("incident-abc", 1), ("", 1), ("F" * 32, 1), ("0" * 32, 0), ("0" * 32, 65_536), ("0" * 32, -1)],
)
def test_what_is_no_notice_gets_none(notice: str, attempt: int) -> None:
    with pytest.raises(ValueError, match="names a notice"):
        made(notice, attempt, 1, KEYS[1])


def test_the_return_address_fits_a_local_part() -> None:
    longest = return_address("b" * LOCAL_LENGTH + "@example.com", REFERENCE)
    assert len(longest.partition("@")[0]) == 64
    for address in ("b" * (LOCAL_LENGTH + 1) + "@example.com", "@example.com", "nobody"):
        with pytest.raises(ValueError, match="characters before its @"):
            return_address(address, REFERENCE)


def test_a_reference_is_as_it_ever_was() -> None:
    """A changed one would make every mail that comes back unproven."""
    assert REFERENCE == "nraerukz4jvpg66ajdivtytk6n54aagarxhstuchbos2bq"
    assert (LENGTH, LOCAL_LENGTH, FOUND, HEADER) == (46, 17, 10, "X-Notice-Id")
    assert timedelta(days=14) == LIFE
    assert said(REFERENCE) == ("0123456789abcdef" * 2, 3)
    assert made("0123456789abcdef" * 2, 65_535, 2, KEYS[2]) != REFERENCE
    assert said(made("0" * 32, 65_535, 255, b"k")) == ("0" * 32, 65_535)
    assert verified(made("0" * 32, 1, 0, b"k"), {0: b"k"}) == ("0" * 32, 1)
    assert verified(REFERENCE, {}) is None
    assert said("") is None


@pytest.mark.parametrize("text", ["%2b{}", "=2b{}", "=20{}", "=2B{}", "-{}", ".{}", "_{}"])
def test_a_reference_stands_behind_no_letter_or_digit_but_for_an_encoded_sign(text: str) -> None:
    assert found_in(text.format(REFERENCE)) == (REFERENCE,)
    for glued in ("x{}", "9{}", "%2c{}", "b{}", "{}9", "{}x"):
        assert found_in(glued.format(REFERENCE)) == ()


def test_very_many_of_one_leave_room_for_no_other_behind_ten_times_as_many() -> None:
    other = made("1" * 32, 1, 1, KEYS[1])
    assert found_in(" ".join([REFERENCE] * 99 + [other])) == (REFERENCE, other)
    assert found_in(" ".join([REFERENCE] * 100 + [other])) == (REFERENCE,)


def test_a_return_address_has_the_reference_behind_a_plus() -> None:
    assert return_address("bounces@example.com", REFERENCE) == f"bounces+{REFERENCE}@example.com"
    assert return_address("a@b@example.com", REFERENCE) == f"a@b+{REFERENCE}@example.com"
    with pytest.raises(ValueError, match=r"^a return address has 1 to 17 characters before its @$"):
        return_address("nobody", REFERENCE)
