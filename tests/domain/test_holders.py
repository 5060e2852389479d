"""Whose a record is: names that may be one person's, and recipients that a site's fields tell apart."""

import pytest

from exstream_notify.domain.holders import (
    PAIRS_NAMED,
    Conflicts,
    Name,
    alike,
    code_of,
    keyed_digest,
    name_of,
    packed,
    pairs_in_words,
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


def test_codes_of_words_are_these_bits() -> None:
    """Five of the first letter, eleven of the word; an initial has none of the latter. Never 0."""
    numbers = {"a": 0, "ana": 2047, "b": 31, "bo": 2046}
    digest = numbers.__getitem__
    assert code_of("a", digest) == 1 << 11
    assert code_of("ana", digest) == 1 << 11 | 1
    assert code_of("b", digest) == 1 << 11
    assert code_of("bo", digest) == 1 << 11 | 2047
    assert keyed_digest("a")("x") == keyed_digest("a")("x") != keyed_digest("b")("x")
    assert 0 <= keyed_digest("a")("x") < 1 << 64
    assert keyed_digest("k" * 64)("x") == keyed_digest("k" * 90)("x")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("O'Brien", ("obrien",)), ("O\u2019Brien", ("obrien",)), ("O\u2018Brien", ("obrien",)), ("O\u02bcBrien", ("obrien",)),
        ("O`Brien", ("obrien",)), ("O\u00b4Brien", ("obrien",)), ("Smith-Jones", ("smith", "jones")), ("Müller", ("muller",)),
        ("Mueller", ("muller",)), ("Goethe", ("gothe",)), ("Æsa Ølund Đorđe", ("asa", "olund", "dorde")), ("Łœı", ("loi",)),
        ("A_B", ("a", "b")), ("", ()), ("ＡＮＡ", ("ana",)), ("Straße", ("strasse",)),
    ],
)  # fmt: skip
def test_the_words_of_a_name(written: str, words: tuple[str, ...]) -> None:
    assert words_of(written) == words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("A B/", "Ana/", True),
        ("Ana Ana/", "Ana Bea/", False),  # each word is a word of its own
        ("A A/", "Ana/", True),
        ("Ana A/", "Ana Bea/", False),
        ("Ana B/", "Ana Bea Cid/", True),
        ("A/Silva", "Ana/S", True),
        ("Ana/S", "Ana/Silva", True),
        ("Ana Maria/Silva", "Maria Ana/Silva", True),
    ],
)
def test_which_words_stand_for_each_other(one: str, other: str, same: bool) -> None:
    assert alike(name(one), name(other)) is same


def test_recipients_and_pairs_are_as_they_ever_were() -> None:
    assert recipient_of(["Ana", "Silva"]) == "c5bbce41c9b57fc6"
    assert pairs_in_words([(17, 2034), (40, 41)]) == "records 17 and 2034, 40 and 41"
    assert packed(((1, 0x0FFF), ())) == "00010fff|"
    assert unpacked("00010fff|0002") == ((1, 0x0FFF), (2,))
    assert unpacked("") == ((), ())
    assert (Conflicts(), PAIRS_NAMED) == (Conflicts(0, 0, (), ()), 3)
