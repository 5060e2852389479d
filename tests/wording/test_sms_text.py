"""The length of texts: 3GPP TS 23.038, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.sms_text import (
    GSM_BASIC,
    GSM_EXTENSION,
    alphabet,
    fold,
    parts,
    units,
)


def test_the_alphabet_has_127_characters_and_an_extension_of_ten() -> None:
    # 128 places, one of them the escape; 10 defined extensions with the form feed.
    assert (len(GSM_BASIC), len(GSM_EXTENSION)) == (127, 10)
    assert GSM_BASIC.isdisjoint(GSM_EXTENSION)


@pytest.mark.parametrize(
    ("text", "expected_alphabet", "expected_units", "expected_parts"),
    [
        ("", "gsm", 0, 1),
        ("a" * 160, "gsm", 160, 1),
        ("a" * 161, "gsm", 161, 2),
        ("a" * 306, "gsm", 306, 2),
        ("a" * 307, "gsm", 307, 3),
        ("€" * 80, "gsm", 160, 1),
        ("€" * 80 + "a", "gsm", 161, 2),
        ("a" * 158 + "^", "gsm", 160, 1),
        ("a" * 159 + "^", "gsm", 161, 2),
        # An escaped character does not fit in a part's last septet: it moves on and costs one more.
        ("a" * 152 + "€" + "a" * 151, "gsm", 305, 2),
        ("a" * 152 + "€" + "a" * 152, "gsm", 306, 3),
        ("éèùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà", "gsm", 35, 1),
        ("á", "ucs2", 1, 1),
        ("á" * 70, "ucs2", 70, 1),
        ("á" * 71, "ucs2", 71, 2),
        ("á" * 134, "ucs2", 134, 2),
        ("á" * 135, "ucs2", 135, 3),
        ("a" * 70 + "ç", "ucs2", 71, 2),
        ("😀" * 35, "ucs2", 70, 1),
        ("á" + "😀" * 35, "ucs2", 71, 2),
        # A surrogate pair is not split: 66 units, then the pair opens the second part.
        ("á" * 66 + "😀" + "á" * 65, "ucs2", 133, 2),
        ("á" * 66 + "😀" + "á" * 66, "ucs2", 134, 3),
        ("1\u00a0000", "ucs2", 5, 1),
    ],
)
def test_parts(text: str, expected_alphabet: str, expected_units: int, expected_parts: int) -> None:
    assert (alphabet(text), units(text), parts(text)) == (expected_alphabet, expected_units, expected_parts)


@given(st.text(alphabet=sorted(GSM_BASIC | GSM_EXTENSION) + list("áç😀"), max_size=400))
def test_parts_lie_between_what_fits_at_best_and_at_worst(text: str) -> None:
    alone, each = (160, 153) if alphabet(text) == "gsm" else (70, 67)
    if units(text) <= alone:
        assert parts(text) == 1
    else:
        assert -(-units(text) // each) <= parts(text) <= -(-units(text) // (each - 1))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1\u202f234,56\u00a0€", "1 234,56 €"),
        ("Crédit Agricôle", "Crédit Agricole"),
        ("Łódź", "Lodz"),
        ("“Don’t” – …", '"Don\'t" - ...'),
        ("Œuvre œ ẞ ß", "OEuvre oe SS ß"),
        ("a\u200bb\u202ec", "abc"),
        ("¡Año! ¿Qué?", "¡Año! ¿Qué?"),
        ("á í ó ú ç", "a i o u c"),
        ("a\u0301b", "ab"),
        ("Банк", "Банк"),
        ("a  \t b", "a b"),
    ],
)
def test_fold(text: str, plain: str) -> None:
    assert fold(text) == plain


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more_and_never_costs_parts(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert "\u00a0" not in folded
    assert "\u202f" not in folded
    if alphabet(text) == "gsm":
        assert alphabet(folded) == "gsm"
