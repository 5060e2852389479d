"""Whose a record is: names that may be one person's, and recipients that a site's fields tell apart."""

import pytest

from exstream_notify.domain.holders import (
    Name,
    alike,
    keyed_digest,
    name_of,
    packed,
    recipient_of,
    unpacked,
    words_of,
)

DIGEST = keyed_digest("a key")


def name(text: str) -> Name:
    """`First/Last`."""
    first, _, last = text.partition("/")
    return name_of(first, last, DIGEST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana/Silva", "ANA/SILVA"),
        ("Ana/Silva", "Silva/Ana"),
        ("Ana/Silva", "A./Silva"),
        ("Ana/Silva", "/Silva"),
        ("Ana/Silva", "/"),
        ("Ana/", "/Silva"),
        ("Ana/Silva", "Ana Silva/"),
        ("Ana/Silva", "/Silva, Ana"),
        ("Ana/Silva", "Ana Maria/Silva"),
        ("Ana/Silva", "Dr. Ana/Silva Costa"),
        ("José/Núñez", "JOSE/NUNEZ"),
        ("Jürgen/Müller", "Juergen/Mueller"),
        ("Sean/O'Brien", "Sean/O’BRIEN"),
        ("Ana/Smith-Jones", "Ana/Smith Jones"),
        ("\uff21\uff4e\uff41/Silva", "Ana/Silva"),
        ("Łukasz/Nowak", "Lukasz/Nowak"),
        ("李/小龙", "小龙/李"),
    ],
)
def test_names_that_may_be_one_persons(one: str, other: str) -> None:
    assert alike(name(one), name(other))
    assert alike(name(other), name(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana/Silva", "Ben/Silva"),
        ("Ana/Silva", "Ana/Costa"),
        ("Ana/Silva", "B./Silva"),
        ("Ana Silva/", "Ben/Silva"),
        ("/Ana Silva", "/Ben Silva"),
        ("Ana/Silva", "Silva/Ben"),
        ("Ana/", "Ben/"),
        ("李/小龙", "李/大龙"),
    ],
)
def test_names_that_are_two_persons(one: str, other: str) -> None:
    assert not alike(name(one), name(other))
    assert not alike(name(other), name(one))


def test_an_initial_stands_for_one_word_only() -> None:
    assert alike(name("A A/"), name("Ana Alba/"))
    assert not alike(name("A A/"), name("Ana Ben/"))


def test_codes_are_kept_as_text_and_read_again() -> None:
    for text in ("Ana/Silva", "Ana/", "/Silva", "Ana Maria Luz/de la Cruz", "/"):
        assert unpacked(packed(name(text))) == name(text)
    assert packed(name("/")) == ""
    assert "ana" not in packed(name("Ana/Silva")).lower()


def test_at_most_three_words_of_a_field_count() -> None:
    assert words_of("Juan de la Cruz y Vega") == ("juan", "de", "la")


def test_a_recipient_is_the_same_however_a_name_is_written_and_another_for_another() -> None:
    assert recipient_of(["Ana", "Silva"]) == recipient_of([" ANA ", "ｓｉｌｖａ"])
    assert recipient_of(["Ana Maria", "Silva"]) == recipient_of(["Ana  Maria", "Silva"])
    assert recipient_of(["Ana", "Silva"]) != recipient_of(["AnaS", "ilva"])
    assert recipient_of(["Ana", ""]) != recipient_of(["", "Ana"])
    assert recipient_of(["", " "]) == ""
    assert len(recipient_of(["Ana"])) == 16
