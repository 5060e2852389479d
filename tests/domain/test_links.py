"""The token of a secure link: genuine or nothing."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.links import make_token, read_token

NOTICE = "0123456789abcdef" * 2
KEYS = {1: b"first key", 2: b"second key"}
TOKEN = make_token(NOTICE, 2, KEYS[2])
ALPHABET = string.ascii_letters + string.digits + "-_"

_NOTICES = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(_NOTICES, st.sampled_from(sorted(KEYS)))
def test_a_genuine_token_gives_its_notice(notice: str, key: int) -> None:
    token = make_token(notice, key, KEYS[key])

    assert read_token(token, KEYS) == notice
    assert len(token) == 30
    assert set(token) <= set(ALPHABET)


@pytest.mark.parametrize("place", range(30))
def test_no_single_character_can_be_changed(place: int) -> None:
    accepted = [
        character
        for character in ALPHABET
        if read_token(TOKEN[:place] + character + TOKEN[place + 1 :], KEYS) is not None
    ]

    assert accepted == [TOKEN[place]]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "=",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "=",
        TOKEN + "==",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN.replace(TOKEN[0], "é", 1),
        "A" * 30,
        "A" * 4000,
        TOKEN * 2,
        TOKEN.swapcase(),
        TOKEN[::-1],
        "../../etc/passwd",
        "%00",
        "\ud800" * 30,
    ],
)
def test_garbage_gives_nothing(token: str) -> None:
    assert read_token(token, KEYS) is None


@given(st.text(max_size=40))
def test_no_text_whatever_raises(token: str) -> None:
    assert read_token(token, KEYS) in (None, NOTICE)


@given(st.binary(min_size=22, max_size=22))
def test_made_up_bytes_are_not_taken(data: bytes) -> None:
    assert read_token(base64.urlsafe_b64encode(data).decode().rstrip("="), KEYS) is None


def test_the_other_spelling_of_base64_is_not_taken() -> None:
    """`+` and `/` for `-` and `_`: a link has one spelling, so that it can be counted and blocked."""
    notice = "fb" * 16
    token = make_token(notice, 1, KEYS[1])
    other = token.replace("-", "+").replace("_", "/")
    assert other != token

    assert read_token(token, KEYS) == notice
    assert read_token(other, KEYS) is None


def test_a_token_is_for_one_purpose() -> None:
    unsubscribe = make_token(NOTICE, 1, KEYS[1], purpose="unsubscribe")

    assert read_token(unsubscribe, KEYS) is None
    assert read_token(unsubscribe, KEYS, purpose="unsubscribe") == NOTICE
    assert read_token(TOKEN, KEYS, purpose="unsubscribe") is None


def test_a_key_that_is_kept_still_opens_and_one_that_is_gone_does_not() -> None:
    old = make_token(NOTICE, 1, KEYS[1])

    assert read_token(old, KEYS) == NOTICE
    assert read_token(old, {2: KEYS[2]}) is None
    assert read_token(old, {}) is None
    assert read_token(old, {1: b"another key"}) is None
    assert read_token(old, {1: KEYS[2], 2: KEYS[1]}) is None


def test_no_key_is_no_secret() -> None:
    """A forger who knows that an unknown key id is checked against nothing gains nothing by it."""
    forged = make_token(NOTICE, 9, b"\0" * 32)

    assert read_token(forged, KEYS) is None
