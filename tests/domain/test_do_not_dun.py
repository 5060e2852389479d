"""The hold under which nobody is asked for money: what sets it, what it stops, what brings it back."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.account_status import StatusWords, spellings, status_words
from exstream_notify.domain.debt import (
    BY_OPERATOR,
    StatusChange,
    StatusSource,
    held,
    hold_of,
    keys_of,
    lifted,
    moment,
    stated_by,
    stays,
    under_hold,
)
from exstream_notify.domain.debt_hold import DebtHold
from tests.fakes import a_contact, a_document, a_rule

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_000, UTC)
AT, ISO = "2026-11-20T15:00:00Z", "2026-11-20T15:00:00+00:00"
EARLIER, LATER = "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z"
HOLD = DebtHold(("disputed",), EARLIER, "run-1")
LIFTED = replace(HOLD, lifted_at=AT)
COLLECTS = a_rule(message_class="collections")


def test_a_hold_in_words() -> None:
    assert (HOLD.in_force, HOLD.words) == (True, "disputed")
    assert (LIFTED.in_force, LIFTED.words) == (False, "")
    assert DebtHold(("a", "b"), AT, "x").words == "a, b"
    assert asdict(StatusChange("retail")) == {
        **dict.fromkeys(("customer_key", "document_id", "case_id", "status", "said", "at", "who"), ""),
        "domain": "retail",
    }
    assert moment(NOW) == AT


@pytest.mark.parametrize(
    ("rule", "hold", "account", "why"),
    [
        (COLLECTS, HOLD, "", "disputed"),
        (COLLECTS, LIFTED, "", ""),
        (COLLECTS, None, "", ""),
        (COLLECTS, None, "bankrupt", "bankrupt"),
        (COLLECTS, HOLD, "bankrupt", "disputed"),
        (a_rule(), HOLD, "bankrupt", ""),  # it asks for no money
        (a_rule(asks_for_payment=True), HOLD, "", "disputed"),
        (a_rule(message_class="collections", asks_for_payment=False), HOLD, "", "disputed"),
    ],
)
def test_what_is_not_sent_under_a_hold(rule: Any, hold: DebtHold | None, account: str, why: str) -> None:
    assert stays(replace(rule, account_hold=account), a_contact(debt_hold=hold)) == why
    assert hold_of(None) == ""
    assert stays(COLLECTS, None) == ""


def test_the_hold_of_an_account_is_its_recipients() -> None:
    joint = a_contact(recipient="R1")
    account = a_contact(debt_hold=HOLD)
    assert keys_of([joint, a_contact(2)]) == {"C0001", "C0001\x1fR1", "C0002"}
    assert under_hold(joint, {"C0001": account}) == replace(joint, debt_hold=HOLD)
    assert under_hold(joint, {}) is joint
    assert under_hold(joint, {"C0001": a_contact()}) is joint
    own = replace(joint, debt_hold=LIFTED)
    assert under_hold(own, {"C0001": a_contact()}).debt_hold is None


NEW = DebtHold(("bankrupt",), AT, "run-2", "chapter 7")


@pytest.mark.parametrize(
    ("before", "hold", "reasons"),
    [
        (None, NEW, ("bankrupt",)),
        (HOLD, NEW, ("disputed", "bankrupt")),
        (HOLD, replace(NEW, reasons=("disputed",)), None),  # a reason is stated once
        (replace(LIFTED, lifted_at=EARLIER), NEW, ("bankrupt",)),
        (LIFTED, NEW, None),  # stated before, or when, a person lifted it
        (LIFTED, replace(NEW, at=LATER), ("bankrupt",)),
        (LIFTED, replace(NEW, at=LATER, who="run-1"), None),  # the same run again
        (LIFTED, replace(NEW, reasons=(BY_OPERATOR,), who="ann"), ("operator",)),
    ],
)
def test_what_sets_a_hold(before: DebtHold | None, hold: DebtHold, reasons: tuple[str, ...] | None) -> None:
    contact = a_contact(debt_hold=before, history=({"field": "x"},))
    found = held(contact, hold, NOW)
    if reasons is None:
        assert found is contact
        return
    stands = replace(hold, reasons=reasons)
    row = {
        "at": ISO,
        "who": hold.who,
        "field": "do_not_dun",
        "from": before.words if before else "",
        "to": ", ".join(reasons),
        "why": "chapter 7",
    }
    assert found == replace(
        contact, debt_hold=stands, version=2, changed_at=ISO, history=({"field": "x"}, row)
    )


def test_nothing_is_held_on_the_mark_of_an_erased_customer() -> None:
    erased = a_contact(salt="")
    assert held(erased, NEW, NOW) is erased
    new = a_contact(salt="", version=0)
    assert held(new, NEW, NOW).debt_hold == NEW


def test_a_hold_is_lifted_by_a_person_once() -> None:
    contact = a_contact(debt_hold=HOLD)
    found = lifted(contact, NOW, "ann", "")
    row = {"at": ISO, "who": "ann", "field": "do_not_dun", "from": "disputed", "to": ""}
    assert found == replace(contact, debt_hold=LIFTED, version=2, changed_at=ISO, history=(row,))
    assert lifted(contact, NOW, "ann", "paid").history[-1]["why"] == "paid"
    assert lifted(found, NOW, "ann", "") is found
    assert lifted(a_contact(), NOW, "ann", "").debt_hold is None


WORDS = status_words(
    {
        "bankrupt": ["chapter 7", "in bankruptcy"],
        "disputed": ["dispute"],
        "deceased": [],
        "paid": ["paid in full"],
    },
    ["bankrupt", "disputed", "deceased"],
    ["deceased"],
    ["not", "no"],
    ["resolved", "ended"],
)


@pytest.mark.parametrize(
    ("document", "hold"),
    [
        ({"account_status": "Chapter 7"}, DebtHold(("bankrupt",), AT, "run-1")),
        (
            {"account_status": "Chapter 7", "produced_at": EARLIER},
            DebtHold(("bankrupt",), EARLIER, "run-1"),
        ),
        ({"account_status": "paid"}, None),
        ({"account_status": None}, None),
        ({"account_status": "Chapter 7", "test_flag": True}, None),
    ],
)
def test_what_a_records_status_sets(document: dict[str, Any], hold: DebtHold | None) -> None:
    assert stated_by(a_document(1, **document), StatusSource(WORDS, "run-1"), NOW) == hold


# --- words of statuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("bankrupt", "bankrupt"), ("CHAPTER-7", "bankrupt"), ("chapter 7 filed", "bankrupt"), ("filed chapter 7", "bankrupt"),
        ("in bankruptcy, dispute", "bankrupt"), ("paid in full", "paid"), ("was paid in full", ""),  # holds nobody
        ("not bankrupt", ""), ("not yet bankrupt", ""), ("not at all bankrupt", "bankrupt"), ("dispute: no", ""), ("dispute no", ""),
        ("dispute resolved", ""), ("dispute finally resolved", ""), ("dispute not resolved", "disputed"),
        ("dispute not yet resolved", "disputed"), ("dispute was not at all resolved", ""),
        ("deceased resolved", "deceased"),  # nothing ends that
        ("not deceased", ""), ("no dispute, bankrupt", "bankrupt"), ("dispute. no", "disputed"), ("a; dispute", "disputed"),
        ("dispute ended / bankrupt", "bankrupt"), ("nothing", ""), ("", ""), ("   ", ""), (None, ""),
        ("dispute resolved dispute", "disputed"), ("dispute resolved no", ""),
    ],
)  # fmt: skip
def test_the_status_that_a_text_states(text: str | None, status: str) -> None:
    assert WORDS.named(text) == status
    assert WORDS.holds(text) == ("" if status == "paid" else status)


def test_the_longest_phrase_counts_and_none_within_another() -> None:
    words = StatusWords(
        {"nodispute": "closed", "dispute": "disputed", "abcdef": "long"},
        frozenset({"closed", "disputed", "long"}),
    )
    assert words.named("x no dispute") == "closed"
    assert words.mentioned("x no dispute y dispute") == "closed"
    assert words.mentioned("x dispute y") == "disputed"
    assert words.named("x ab cd ef") == "long"
    assert words.named("x a b c d e f") == "", "six words"
    assert words.named("a b c d e f") == "long"


def test_the_spellings_of_a_word() -> None:
    assert spellings("Über-Schuldet") == {"uberschuldet", "ueberschuldet"}
    assert spellings("Öl ärmer") == {"olarmer", "oelaermer"}
    assert spellings("décédé(e)") == {"decedee"}
    assert spellings("--") == set()
    with pytest.raises(ValueError, match=r"^paid: '--' has no letter or digit$"):
        status_words({"paid": ["--"]}, (), (), (), ())
    with pytest.raises(ValueError, match=r"^closed: 'Paid' is also a word of paid$"):
        status_words({"paid": [], "closed": ["Paid"]}, (), (), (), ())
    assert status_words({"paid": ["paid", "Paid"]}, (), (), (), ()).names == {"paid": "paid"}
