"""Texts of records: what is invisible goes, what stands for nothing is seen, every spelling by itself."""

import json

import pytest

from exstream_notify.domain.values.text import plain_address, plain_key
from exstream_notify.domain.values.unset import hints_unset, is_unset
from tests.index import stage


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("C-1", "C-1"),
        (" C-1\u00a0", "C-1"),
        ("Ä\u200d1", "Ä1"),  # a joiner, which no key means
        ("Ä\u200c1", "Ä1"),
        ("C\u200d1", "C1"),
        ("C\u00ad1", "C1"),
        ("C\t1", "C 1"),
    ],
)
def test_a_key_has_no_joiners(raw: str, key: str) -> None:
    assert plain_key(raw) == key


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("a@example.com", "a@example.com"),
        ("\uff41@example.com", "a@example.com"),
        ("\uff0b\uff11 202", "+1 202"),
        ("\u00e4\u200d@example.com", "\u00e4@example.com"),
    ],
)
def test_an_address_has_plain_letters_and_digits(raw: str, address: str) -> None:
    assert plain_address(raw) == address


@pytest.mark.parametrize("word", ["NULL", "null", "undefined", "N/A", "n/a", "\\N"])
def test_a_longer_text_with_a_word_for_nothing_is_seen(word: str) -> None:
    assert hints_unset(f"C1|{word}|x")
    assert is_unset(word)
    assert not hints_unset("C1|Anna|x")


@pytest.mark.parametrize(
    ("text", "field", "unset"),
    [
        ("", None, True),
        ("NA", None, True),
        ("NA", "country", False),
        ("Na", "country", False),
        ("na", "language", False),
        ("NA", "language", True),
        ("null", "country", True),
        ("Anna", "first_name", False),
    ],
)
def test_a_code_may_look_like_nothing(text: str, field: str | None, unset: bool) -> None:
    assert is_unset(text, field) is unset


def test_keys_of_every_form_lose_their_joiners_in_the_quick_way_too() -> None:
    rows = [
        {"customer_key": f"\u00c4\u200d{n}", "document_id": f"D\u200d{n}", "document_type": "statement"}
        for n in range(3)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    found = stage(text, "a.index.jsonl").documents
    assert [(d["customer_key"], d["document_id"]) for d in found] == [
        (f"\u00c4{n}", f"D{n}") for n in range(3)
    ]
    head = "customer_key,document_id,document_type\n"
    table = head + "".join(f"\u00c4\u200d{n},D\u200d{n},statement\n" for n in range(3))
    found = stage(table, "a.index.csv").documents
    assert [(d["customer_key"], d["document_id"]) for d in found] == [
        (f"\u00c4{n}", f"D{n}") for n in range(3)
    ]
