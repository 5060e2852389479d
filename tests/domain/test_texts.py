"""Length and spelling of text messages, and dates that are typed, row by row (3GPP TS 23.038)."""

import pytest

from exstream_notify.domain.second_step import StepKind, readings
from exstream_notify.domain.sms_text import alphabet, fold, parts, units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("“quoted” ‘words’", "\"quoted\" 'words'"),
        ("a – b — c … d", "a - b - c ... d"),
        ("café á ç ñ", "café a c ñ"),  # é and ñ are in the alphabet, á is not
        ("Łódź þorn Þing œuvre Œ ẞ ð ı", "Lodz thorn Thing oeuvre OE SS d i"),
        ("1\u00a0234\u202f567  x", "1 234 567 x"),
        ("a\tb  c", "a b c"),
        ("a\tb", "a b"),
        ("a  b", "a b"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("combining e\u0301", "combining e"),
        ("\ufb01n", "fin"),
        ("й ё щ", "й ё щ"),  # letters of other scripts stay
        ("日本 ½ 😀", "日本 ½ 😀"),
        ("3 × 4", "3 x 4"),
        ("‘ ’ ‚ ‛ ′ ` ´ ʼ", "' ' ' ' ' ' ' '"),
        ("“ ” „ ‟ ″ « »", '" " " " " " "'),
        ("‐ ‑ ‒ – — ― −", "- - - - - - -"),
        ("• · ∙", ". . ."),
        ("ł Ł đ Đ ð Ð þ Þ ı œ Œ ẞ", "l L d D d D th Th i oe OE SS"),
    ],
)
def test_words_are_spelled_in_the_gsm_alphabet_as_far_as_they_can_be(text: str, expected: str) -> None:
    assert fold(text) == expected
    assert fold(expected) == expected


@pytest.mark.parametrize(
    ("text", "kind", "length", "number"),
    [
        ("", "gsm", 0, 1),
        ("a" * 160, "gsm", 160, 1),
        ("a" * 161, "gsm", 161, 2),
        ("a" * 306, "gsm", 306, 2),
        ("a" * 307, "gsm", 307, 3),
        ("€" * 80, "gsm", 160, 1),
        ("€" * 81, "gsm", 162, 2),
        ("a" * 152 + "€" + "a" * 153, "gsm", 307, 3),  # an escaped character is not split
        ("й" * 70, "ucs2", 70, 1),
        ("й" * 71, "ucs2", 71, 2),
        ("й" * 135, "ucs2", 135, 3),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        ("й" * 66 + "😀" + "й" * 66, "ucs2", 134, 3),  # nor is a surrogate pair
        ("\uffff", "ucs2", 1, 1),
        ("\uffff" * 71, "ucs2", 71, 2),
    ],
)
def test_a_text_is_counted_as_it_is_charged(text: str, kind: str, length: int, number: int) -> None:
    assert (alphabet(text), units(text), parts(text)) == (kind, length, number)


@pytest.mark.parametrize(
    ("typed", "language", "found"),
    [
        ("03/04/1985", "en", ("1985-03-04", "1985-04-03")),
        ("03/04/1985", "en-US", ("1985-03-04", "1985-04-03")),
        ("03/04/1985", "de", ("1985-04-03",)),
        ("03/04/1985", "de-en", ("1985-04-03",)),
        ("31/03/1985", "en", ("1985-03-31",)),
        ("31.3.1985", "de", ("1985-03-31",)),
        ("1985-03-31", "fr", ("1985-03-31",)),
        ("19850331", "fr", ("1985-03-31",)),
        ("31 March 1985", "en", ("1985-03-31",)),
        ("March 31, 1985", "en", ("1985-03-31",)),
        ("1985 March 31", "en", ("1985-03-31",)),
        ("31 March", "en", ()),
        ("31/31/1985", "en", ()),
        ("no date", "en", ()),
        ("", "en", ()),
    ],
)
def test_a_birth_date_is_read_in_every_way_that_it_may_mean(
    typed: str, language: str, found: tuple[str, ...]
) -> None:
    assert readings("birth_date", typed, language) == found


@pytest.mark.parametrize(
    ("kind", "typed", "found"),
    [
        ("last4", "18 09", ("1809",)),
        ("last4", "ab-12", ("AB12",)),
        ("last4", "180", ()),
        ("last4", "18091", ()),
        ("postcode", "sw1a 1aa", ("SW1A1AA",)),
        ("postcode", "10001-1234", ("10001",)),
        ("postcode", "1000112345", ("1000112345",)),
        ("postcode", "A00011234", ("A00011234",)),
        ("postcode", " ", ()),
        ("postcode", "1" * 200, ("1" * 64,)),
    ],
)
def test_digits_and_postcodes_are_read_without_their_dress(
    kind: StepKind, typed: str, found: tuple[str, ...]
) -> None:
    assert readings(kind, typed) == found
