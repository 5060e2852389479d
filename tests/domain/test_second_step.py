"""What a customer may type, how it is read, and that it is kept as a keyed hash only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.second_step import Step, StepKind, conceal, expected, matches, readings

KEYS = ("2", {"1": b"old key", "2": b"new key"})


@pytest.mark.parametrize(
    ("kind", "typed", "language", "read"),
    [
        ("last4", " 12 34 ", "en", ("1234",)),
        ("last4", "ab-1z", "en", ("AB1Z",)),
        ("last4", "12345", "en", ()),
        ("postcode", "sw1a 1aa", "en", ("SW1A1AA",)),
        ("postcode", "10001-1234", "en", ("10001",)),
        ("postcode", "75 008", "fr", ("75008",)),
        ("postcode", "  ", "fr", ()),
        ("birth_date", "1985-03-31", "de", ("1985-03-31",)),
        ("birth_date", "31.3.1985", "de", ("1985-03-31",)),
        ("birth_date", "31 / 03 / 1985", "fr", ("1985-03-31",)),
        ("birth_date", "31031985", "es", ("1985-03-31",)),
        ("birth_date", "19850331", "es", ("1985-03-31",)),
        ("birth_date", "03/04/1985", "en", ("1985-03-04", "1985-04-03")),
        ("birth_date", "03/04/1985", "de", ("1985-04-03",)),
        ("birth_date", "March 31, 1985", "en", ("1985-03-31",)),
        ("birth_date", "31 de marzo de 1985", "es", ("1985-03-31",)),
        ("birth_date", "31. März 1985", "de", ("1985-03-31",)),
        ("birth_date", "31 août 1985", "fr", ("1985-08-31",)),
        ("birth_date", "31.02.1985", "de", ()),
        ("birth_date", "yesterday", "en", ()),
        ("birth_date", "", "en", ()),
        ("none", "1234", "en", ()),
    ],
)
def test_what_is_typed_is_read_generously(
    kind: StepKind, typed: str, language: str, read: tuple[str, ...]
) -> None:
    assert readings(kind, typed, language) == read


@given(st.sampled_from(["last4", "birth_date", "postcode"]), st.text(max_size=80))
def test_nothing_that_is_typed_is_an_error(kind: StepKind, typed: str) -> None:
    for language in ("en", "es", "fr", "de"):
        readings(kind, typed, language)


def kept(**fields: str) -> dict[str, str]:
    record = {"customer_key": "C1", **fields}
    conceal(record, "retail", "2", KEYS[1]["2"])
    return record


def test_a_record_keeps_hashes_that_say_nothing_and_differ_by_customer() -> None:
    one = kept(verify_last4="1809", verify_birth_date="1985-03-31")
    other = kept(customer_key="C2", verify_last4="1809")

    assert "1809" not in str(one)
    assert "1985" not in str(one)
    assert one["verify_last4"] != other["verify_last4"]
    assert kept(postcode="10001") == {"customer_key": "C1", "postcode": "10001"}


def test_a_hash_that_is_the_end_of_the_account_number_says_so() -> None:
    """No message may show the digits that prove who somebody is."""
    assert kept(verify_last4="1809", account_number="44-001809")["verify_last4"].endswith(".account")
    assert not kept(verify_last4="1809", account_number="44001810")["verify_last4"].endswith(".account")


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("last4", "AB12", "ab 12"),
        ("birth_date", "1985-03-31", "31.03.1985"),
        ("postcode", "sw1a1aa", "SW1A 1AA"),
    ],
)
def test_the_right_answer_passes_for_its_customer_alone(kind: StepKind, value: str, typed: str) -> None:
    field = {"last4": "verify_last4", "birth_date": "verify_birth_date", "postcode": "postcode"}[kind]
    record = kept(**{field: value})

    def asked(customer: str) -> Step:
        return Step(kind, "retail", customer, "n", expected(kind, record[field], "retail", "C1", KEYS))

    assert matches(asked("C1"), typed, "de", KEYS[1])
    assert not matches(asked("C2"), typed, "de", KEYS[1])
    assert not matches(asked("C1"), "0000", "de", KEYS[1])
    assert not matches(asked("C1"), typed, "de", {"1": b"old key"})
    assert not matches(Step(kind, "retail", "C1", "n", ""), "", "de", KEYS[1])
