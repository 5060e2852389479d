"""A reason says why, and nothing of whom: no address, no number, no name, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.reasons import MARK, scrubbed

ADDRESS = "hans.mueller7@example.com"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("550 <user@bücher.example>: unknown", "550 <(address)>: unknown"),
        ("收件人：张三@例子.example 不存在", "收件人：(address) 不存在"),
        ("550 ann.b=40example.com unknown", "550 (address) unknown"),
        ("550 ann.b%40example.com unknown", "550 (address) unknown"),
        ("550 ann.b(at)example.com unknown", "550 (address) unknown"),
        ("550 ann.b&#64;example.com unknown", "550 (address) unknown"),
        ("550 ann.b @ example.com unknown", "550 (address) unknown"),
        ("550 ann.b\uff20example.com unknown", "550 (address) unknown"),
        ("call +1 (202) 555-0142", "call (number)"),
        ("call 202.555.0142", "call (number)"),
        ("call 06.12.34.56.78", "call (number)"),
        ("contract 4711-0815-99 ended", "contract (number) ended"),
        ("IBAN DE02 1203 0000 0000 2020 51", "IBAN DE(number)"),
        ('550 "Ann Example" <ann@example.com> unknown', "550 (name) <(address)> unknown"),
        ("550 Example, Ann (ann@example.com) left", "550 (name) ((address)) left"),
        ("550 Frau Ann Example left the company", "550 (name) left the company"),
    ],
)
def test_addresses_numbers_and_names_are_masked(text: str, told: str) -> None:
    assert scrubbed(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "User Hans Müller not listed in directory", "550 HANS.MUELLER7: no such user", "mailbox hansmueller is full",
        "550 Mueller Hans unknown", "no mailbox here by the name of hans.mueller7",
    ],
)  # fmt: skip
def test_a_holder_is_not_named_by_the_words_of_the_address(text: str) -> None:
    told = scrubbed(text, address=ADDRESS).lower()
    assert not any(name in told for name in ("hans", "mueller", "müller"))


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 User Unknown", "554 5.7.1 Client host 203.0.113.218 blocked using bl.example.net",
        "452 4.2.2 Mailbox Full", "Access denied. AS(1)", "550-5.7.26 not authenticated",
    ],
)  # fmt: skip
def test_codes_hosts_and_words_stay(text: str) -> None:
    assert scrubbed(text, address="user@example.com") == text


@given(st.text(max_size=900), st.text(max_size=30))
def test_any_text_becomes_one_short_line(text: str, local: str) -> None:
    told = scrubbed(text, address=f"{local}@example.com")
    assert len(told) <= 200
    assert MARK not in told
    assert "\n" not in told


def test_a_reason_is_cut_where_no_address_is_halved() -> None:
    at_limit = "word " * 159 + "abcde"
    assert len(at_limit) == 800
    assert scrubbed(at_limit, 200) == at_limit[:200]
    halved = "x " * 395 + "anna.b@example.com unknown"
    assert scrubbed(halved) == ("x " * 100)[:200]
    assert "anna" not in scrubbed("x " * 8 + "anna.bbb@example.com", 6)
    assert scrubbed("aa " + "b" * 38, 10) == "aa"
    assert scrubbed("aa " + "b" * 37, 10) == "aa bbbbbbb"
    assert scrubbed("y" * 41, 10) == "", "half a word may be half an address"
    assert scrubbed(None) == scrubbed("") == ""
    assert scrubbed(f"code {MARK}1") == "code 1"
    assert scrubbed(" a \n b ") == "a b"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ann.b=40example.com", "(address)"), ("ann.b%40example.com", "(address)"), ("ann.b&#x40;example.com", "(address)"),
        ("ann.b&commat;example.com", "(address)"), ("ann.b[at]example.com", "(address)"), ("ann.b\ufe6bexample.com", "(address)"),
        ("ann.b (AT) example.com", "(address)"), ("call +49 (0) 170-123 45 67 now", "call (number) now"), ("1234567", "(number)"),
        ("123456", "123456"), ("203.0.113.218", "203.0.113.218"), ("1234.5678.9012", "(number)"), ("5.1.1", "5.1.1"),
        ("Mr. Ann Example left", "(name) left"), ("Mrs Example left", "(name) left"), ("Dr. Example left", "(name) left"),
        ("Monsieur Dupont parti", "(name) parti"), ("Señora García salió", "(name) salió"), ("Sig. Rossi", "(name)"),
        ("'Ann Example' <ann@example.com>", "(name) <(address)>"), ("Ann <ann@example.com>", "Ann <(address)>"),
    ],
)  # fmt: skip
def test_every_way_to_write_an_address_a_number_or_a_name(text: str, told: str) -> None:
    assert scrubbed(text) == told


@pytest.mark.parametrize(
    ("text", "local", "told"),
    [
        ("hans unknown", "hans", "(address) unknown"),
        ("HANS unknown", "hans", "(address) unknown"),
        ("hansi unknown", "hans", "hansi unknown"),
        ("a.b unknown", "a.b", "(address) unknown"),
        ("ab unknown", "ab", "ab unknown"),  # two letters are no name
        ("user unknown", "user", "user unknown"),
        ("info full", "info", "info full"),
        ("Müller unknown", "mueller", "(address) unknown"),
        ("Muller unknown", "müller", "(address) unknown"),
        ("Jäger Söhne Größe", "jaeger.soehne.groesse", "(address) (address) (address)"),
        ("annlee unknown", "ann.lee", "(address) unknown"),
        ("José unknown", "jose", "(address) unknown"),
    ],
)
def test_the_words_of_a_local_part_are_masked(text: str, local: str, told: str) -> None:
    assert scrubbed(text, address=f"{local}@example.com") == told


@pytest.mark.parametrize(
    "word", ["user", "users", "account", "mailbox", "address", "recipient", "host", "mail", "info", "smtp"]
)
def test_words_of_every_report_are_no_names(word: str) -> None:
    assert scrubbed(f"{word} x", address=f"{word}@example.com") == f"{word} x"
