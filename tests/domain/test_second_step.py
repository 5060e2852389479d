"""What a customer may type, how it is read, and that it is kept as a keyed hash only."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.second_step import (
    CONCEALED,
    TRIES,
    Step,
    StepKind,
    conceal,
    expected,
    field_of,
    fingerprint,
    known_of,
    matches,
    readings,
)

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


# --- whole values -------------------------------------------------------------------------------------------------


def test_what_tries_are_counted_for_names_nobody() -> None:
    step = Step("last4", "retail", "C1", "n", "x")
    assert step.counted == ("tries:n", "tries:customer:4f7e07c47a949969f7527be448b7a26f")
    assert replace(step, subject="").counted == ("tries:customer:4f7e07c47a949969f7527be448b7a26f",)
    other = replace(step, domain="retai", customer_key="lC1")
    assert other.counted[1] != step.counted[1]
    assert TRIES == 5
    assert {kind: field_of(kind) for kind in ("last4", "birth_date", "postcode", "none")} == {  # type: ignore[arg-type]
        "last4": "verify_last4",
        "birth_date": "verify_birth_date",
        "postcode": "postcode",
        "none": None,
    }
    assert {"verify_last4", "verify_birth_date"} == CONCEALED


def test_hashes_of_answers_are_as_they_ever_were() -> None:
    """A changed one would refuse every right answer."""
    assert (
        fingerprint("2", b"new key", "retail", "C1", "last4", "1809") == "2.7fd09fc16ffd354df8abc75daeb0304c"
    )
    moved = fingerprint("2", b"new key", "retailC", "1", "last4", "1809")
    assert moved != fingerprint("2", b"new key", "retail", "C1", "last4", "1809")


@pytest.mark.parametrize(
    ("birth_date", "last4", "known"),
    [
        (None, None, ""),
        ("1985-03-31", "1809", ""),  # never what was not concealed
        ("2." + "ab" * 16, "2." + "cd" * 16, "birth_date 2." + "ab" * 16),
        ("", "2." + "cd" * 16 + ".account", "last4 2." + "cd" * 16),
        ("1985-03-31", "2." + "cd" * 16, "last4 2." + "cd" * 16),
    ],
)
def test_what_a_contact_keeps_of_a_record(birth_date: str | None, last4: str | None, known: str) -> None:
    assert known_of(birth_date, last4) == known


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("none", "x", ""),
        ("last4", None, ""),
        ("last4", "", ""),
        ("last4", "2.ab.account", "2.ab"),
        ("birth_date", "2.ab", "2.ab"),
        ("postcode", "--", ""),
        ("postcode", "10001-1234", "POSTCODE"),
    ],
)
def test_the_right_answer_from_what_is_kept(kind: StepKind, value: str | None, found: str) -> None:
    postcode = fingerprint("2", b"new key", "retail", "C1", "postcode", "10001")
    assert expected(kind, value, "retail", "C1", KEYS) == found.replace("POSTCODE", postcode)


@pytest.mark.parametrize(
    "month",
    [
        "january jan enero ene janvier janv januar jan jänner", "february feb febrero février fevrier févr fevr februar",
        "march mar marzo mars märz maerz marz mär", "april apr abril abr avril avr", "may mayo mai", "june jun junio juin juni",
        "july jul julio juillet juil juli", "august aug agosto ago août aout", "september sep sept septiembre septembre set",
        "october oct octubre octobre oktober okt", "november nov noviembre novembre",
        "december dec diciembre dic décembre decembre déc dezember dez",
    ],
)  # fmt: skip
def test_every_name_of_a_month(month: str) -> None:
    names = month.split()
    number = 1 + ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                  "november", "december"].index(names[0])  # fmt: skip
    for name in names:
        assert readings("birth_date", f"7. {name.upper()} 1985", "de") == (f"1985-{number:02}-07",)


@pytest.mark.parametrize(
    ("typed", "language", "read"),
    [
        ("1985/3/31", "de", ("1985-03-31",)), ("1985.03.31", "de", ("1985-03-31",)), ("03041985", "en", ("1985-03-04", "1985-04-03")),
        ("19850331", "en", ("1985-03-31",)), ("18991231", "de", ()), ("20081985", "de", ("1985-08-20",)),
        ("31 12 99", "de", ()), ("31 March 99", "en", ("0099-03-31",)), ("1999 March 1", "en", ("1999-03-01",)),
        ("March 1 2 1985", "en", ()), ("31st of March 1985", "en", ("1985-03-31",)), ("05/05/1985", "en", ("1985-05-05",)),
        ("x" * 64 + "31.3.1985", "de", ()),
    ],
)  # fmt: skip
def test_dates_as_they_are_typed(typed: str, language: str, read: tuple[str, ...]) -> None:
    assert readings("birth_date", typed, language) == read


def test_an_account_of_letters_ends_in_what_is_concealed() -> None:
    assert kept(verify_last4="ab12", account_number="x-AB 12")["verify_last4"].endswith(".account")
    assert not kept(verify_last4="ab12")["verify_last4"].endswith(".account")
    joint = {"customer_key": "C1", "recipient": "R1", "verify_last4": "1809"}
    conceal(joint, "retail", "2", b"new key")
    assert joint["verify_last4"] != kept(verify_last4="1809")["verify_last4"]
    assert joint["verify_last4"].startswith("2.")
