"""What payments and reversals come to: the same set of facts comes to the same, in whatever order."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.dynamodb.ledger import from_item, to_item
from exstream_notify.domain.payments import (
    MAX_FACTS,
    MAX_FOLDED,
    NO_PAYMENTS,
    Balance,
    Debt,
    Fact,
    Payments,
    amount_of,
    as_left,
    balance,
    debt_key,
    hashed,
    in_other_currency,
    is_settled,
    left_to_pay,
    nothing_due,
    with_facts,
)
from exstream_notify.domain.responses import ResponseEvent
from tests.fakes import a_document, a_notice

BILL = a_document(1, amount_due="100.00", currency="USD")


def paid(identity: str, amount: str = "", currency: str = "USD") -> Fact:
    return ResponseEvent("paid", "retail", amount=amount, currency=currency, payment_id=identity).fact


def taken_back(of: str, amount: str = "", own: str = "r", currency: str = "USD") -> Fact:
    return ResponseEvent(
        "paid", "retail", amount=amount, currency=currency, payment_id=own, reversal_of=of
    ).fact


def left(*facts: Fact) -> Decimal | None:
    return left_to_pay(with_facts(NO_PAYMENTS, facts), BILL)


@pytest.mark.parametrize(
    ("facts", "remains"),
    [
        ([], "100.00"),
        ([paid("P-1", "50.00"), paid("P-2", "50.00")], "0"),
        ([paid("P-1", "50.00"), paid("P-1", "50.00")], "50.00"),
        ([paid("P-1", "33.33"), paid("P-2", "33.33"), paid("P-3", "33.33")], "0.01"),
        ([paid("P-1", "250.00")], "0"),
        ([paid("P-1")], "0"),
        ([paid("P-1", "0.00")], "100.00"),
        ([paid("P-1", "50.00"), taken_back("P-1")], "100.00"),
        ([taken_back("P-1"), paid("P-1", "50.00")], "100.00"),
        ([paid("P-1", "50.00"), taken_back("P-1", own="a"), taken_back("P-1", own="b")], "100.00"),
        ([paid("P-1", "50.00"), taken_back("P-1", "20.00")], "70.00"),
        ([paid("P-1", "50.00"), taken_back("P-1", "20.00", "a"), taken_back("P-1", "20.00", "a")], "70.00"),
        ([paid("P-1", "50.00"), taken_back("P-1", "20.00", "a"), taken_back("P-1", "20.00", "b")], "90.00"),
        # Never beyond the payment itself: it takes nothing of another one along.
        ([paid("P-1", "50.00"), paid("P-2", "30.00"), taken_back("P-1", "90.00")], "70.00"),
        ([paid("P-1"), taken_back("P-1", "40.00")], "40.00"),
        ([taken_back("P-9")], "100.00"),
        # A negative payment: it takes back its own id, else it lowers the sum, which never owes more.
        ([paid("P-1", "50.00"), paid("P-1", "-50.00")], "100.00"),
        ([paid("P-1", "-50.00"), paid("P-1", "50.00")], "100.00"),
        ([paid("P-1", "60.00"), paid("P-2", "-10.00")], "50.00"),
        ([paid("P-2", "-10.00")], "100.00"),
        ([paid("P-1", "50.00", "EUR")], None),
        ([paid("P-1", "50.00", "EUR"), paid("P-2", "20.00")], None),
        ([paid("P-1", "50.00", "EUR"), taken_back("P-1", currency="EUR")], "100.00"),
        ([paid("P-1", "50.00", "EUR"), taken_back("P-1", currency="")], "100.00"),
        ([paid("P-1", "50.00"), taken_back("P-1", "20.00", currency="EUR")], None),
        ([paid("P-1", "50.00", "")], "50.00"),
    ],
)
def test_what_is_left(facts: Sequence[Fact], remains: str | None) -> None:
    found = left(*facts)
    assert found == (None if remains is None else Decimal(remains))


@pytest.mark.parametrize(
    ("amount", "nothing"),
    [("0.00", True), ("0", True), ("-25.00", True), ("-0.01", True), ("0.01", False), (None, False)],
)
def test_nothing_is_due_where_the_record_says_so(amount: str | None, nothing: bool) -> None:
    assert nothing_due(a_document(amount_due=amount)) is nothing


def test_a_credit_that_could_not_be_read_is_nothing_due() -> None:
    assert nothing_due(a_document(amount_due=None, in_credit=True))


@pytest.mark.parametrize("amount", ["", "a lot", "NaN", "Infinity"])
def test_what_is_not_a_number_is_not_known(amount: str) -> None:
    assert amount_of(a_document(amount_due=amount)) is None
    assert not nothing_due(a_document(amount_due=amount))


def test_a_message_names_what_is_left_or_no_amount() -> None:
    half, euros = (with_facts(NO_PAYMENTS, [paid("P-1", "50.00", c)]) for c in ("USD", "EUR"))
    assert as_left(BILL, NO_PAYMENTS) is BILL
    assert as_left(BILL, half).amount_due == "50.00"
    assert as_left(BILL, euros).amount_due is None
    assert as_left(a_document(amount_due=None), half).amount_due is None
    assert as_left(
        a_document(amount_due="0.1", currency=None), with_facts(NO_PAYMENTS, [paid("a", "0.03")])
    ) == (a_document(amount_due="0.07", currency=None))


def test_whether_it_is_settled_is_the_rules_and_the_records_question() -> None:
    part = with_facts(NO_PAYMENTS, [paid("P-1", "1.00")])
    assert not is_settled(part, BILL)
    assert is_settled(part, BILL, any_payment=True)
    assert is_settled(part, None)
    assert is_settled(part, a_document(amount_due=None))
    back = with_facts(part, [taken_back("P-1")])
    for document, any_payment in ((BILL, True), (None, False), (a_document(amount_due=None), False)):
        assert not is_settled(back, document, any_payment=any_payment)


# --- properties ------------------------------------------------------------------------------------

_CENTS = st.integers(0, 20_000).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
_IDS = st.sampled_from([f"P-{n}" for n in range(6)])


@st.composite
def _distinct(draw: st.DrawFn) -> list[Fact]:
    """Payments of different ids, and reversals of some of them and of others, each with one meaning."""
    found: dict[tuple[str, str], Fact] = {}
    currency = st.sampled_from(["USD", "USD", "USD", "", "EUR"])
    for identity in draw(st.lists(_IDS, unique=True)):
        fact = paid(identity, draw(st.one_of(_CENTS, st.just(""))), draw(currency))
        found[fact.kind, fact.key] = fact
    for number in range(draw(st.integers(0, 5))):
        fact = taken_back(draw(_IDS), draw(st.one_of(_CENTS, st.just(""))), f"R-{number}", draw(currency))
        found.setdefault((fact.kind, fact.key), fact)
    for number in range(draw(st.integers(0, 2))):
        fact = paid(draw(st.one_of(_IDS, st.just(f"N-{number}"))), "-" + draw(_CENTS))
        found.setdefault((fact.kind, fact.key), fact)
    return list(found.values())


@given(facts=_distinct(), seed=st.integers(), due=st.one_of(st.none(), _CENTS))
def test_any_order_and_any_repetition_comes_to_what_the_set_comes_to(
    facts: list[Fact], seed: int, due: str | None
) -> None:
    chance = random.Random(seed)
    document = a_document(amount_due=due, currency="USD")
    once = with_facts(NO_PAYMENTS, facts)
    mixed = facts + [chance.choice(facts) for _ in range(2 * len(facts))] if facts else []
    chance.shuffle(mixed)
    payments = NO_PAYMENTS
    for fact in mixed:  # one event after the other, as a queue delivers them
        payments = with_facts(payments, [fact])

    assert set(payments.facts) == set(once.facts)
    assert balance(payments, document) == balance(once, document)
    assert left_to_pay(payments, document) == left_to_pay(once, document)
    assert is_settled(payments, document) == is_settled(once, document)


@given(facts=_distinct())
def test_nobody_is_asked_for_more_than_the_record_says(facts: list[Fact]) -> None:
    payments = with_facts(NO_PAYMENTS, facts)
    found = left_to_pay(payments, BILL)
    assert found is None or 0 <= found <= Decimal("100.00")
    shown = amount_of(as_left(BILL, payments))
    assert shown == found


# --- size ------------------------------------------------------------------------------------------


def test_many_payments_add_up_in_a_bounded_item_and_each_still_counts_once() -> None:
    document = a_document(amount_due="9000.00", currency="USD")
    facts = [paid(f"P-{n}", "1.50") for n in range(600)]
    payments = with_facts(NO_PAYMENTS, facts)
    again = with_facts(payments, facts[400:])

    assert again == payments
    assert len(payments.facts) == MAX_FACTS
    assert len(payments.known) == MAX_FOLDED
    assert left_to_pay(payments, document) == Decimal("8100.00")
    stored = a_notice(payments=payments)
    item = to_item(stored)
    assert from_item(item) == stored
    assert len(item["payments"]["S"]) < 32_000


def test_an_old_payment_that_was_added_up_can_be_taken_back_by_its_amount_only() -> None:
    document = a_document(amount_due="9000.00", currency="USD")
    payments = with_facts(NO_PAYMENTS, [paid(f"P-{n}", "10.00") for n in range(300)])
    assert payments.knows_payment(hashed("payment", "P-0"))
    by_amount = with_facts(payments, [taken_back("P-0", "10.00")])
    assert left_to_pay(by_amount, document) == Decimal("6010.00")
    assert left_to_pay(with_facts(payments, [taken_back("P-0")]), document) is None


def test_reversals_without_payments_are_bounded_too() -> None:
    payments: Payments = with_facts(NO_PAYMENTS, [taken_back(f"P-{n}") for n in range(700)])
    assert len(payments.facts) == MAX_FACTS
    assert left_to_pay(payments, BILL) == Decimal("100.00")


OF_ANOTHER = taken_back("gone", "10.00")
FOLDED_OF = paid("old", "10.00").key


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        # facts, folded, known: what is paid, whether that is clear, whether anything stands
        (Payments(facts=(paid("a", "40.00"),)), ("40.00", True, True)),
        (Payments(facts=(paid("a", "40.00", "EUR"),)), ("0", False, True)),
        (Payments(facts=(paid("a", "40.00", ""),)), ("40.00", True, True)),
        (Payments(facts=(paid("a"),)), ("100.00", True, True)),
        (Payments(facts=(paid("a", "40.00"), taken_back("a"))), ("0", True, False)),
        (Payments(facts=(paid("a", "40.00"), taken_back("a", "15.00"))), ("25.00", True, True)),
        (Payments(facts=(paid("a", "40.00"), taken_back("a", "40.00"))), ("0.00", True, False)),
        (
            Payments(facts=(paid("a", "40.00"), taken_back("a", "15.00", currency="EUR"))),
            ("40.00", False, True),
        ),
        (Payments(facts=(OF_ANOTHER,)), ("0", True, False)),
        (Payments(facts=(taken_back("old"),), known=(FOLDED_OF,)), ("0", False, False)),
        (
            Payments(facts=(taken_back("old", "4.00"),), folded=(("USD", "10.00"),), known=(FOLDED_OF,)),
            ("6.00", True, True),
        ),
        (
            Payments(
                facts=(taken_back("old", "4.00", currency="EUR"),),
                folded=(("USD", "10.00"),),
                known=(FOLDED_OF,),
            ),
            ("10.00", False, True),
        ),
        (Payments(folded=(("EUR", "10.00"),)), ("0", False, True)),
        (Payments(folded=(("USD", "10.00"), ("", "5.00"))), ("15.00", True, True)),
    ],
)
def test_what_payments_come_to_row_by_row(payments: Payments, expected: tuple[str, bool, bool]) -> None:
    found = balance(payments, BILL)
    assert (found.paid, found.clear, found.anything) == (Decimal(expected[0]), *expected[1:])
    left = left_to_pay(payments, BILL)
    assert left == (max(Decimal(100) - found.paid, Decimal(0)) if found.clear else None)
    assert is_settled(payments, BILL) == (found.anything and found.paid >= 100)


def test_the_oldest_payments_with_an_amount_are_added_up_with_their_reversals() -> None:
    open_ended = paid("open")
    back = taken_back("P-0", "4.00")
    first = [
        open_ended,
        *(paid(f"P-{n}", "10.00", "EUR" if n == 1 else "USD") for n in range(MAX_FACTS - 2)),
        back,
    ]
    full = with_facts(NO_PAYMENTS, first)
    assert (full.facts, full.folded, full.known) == (tuple(first), (), ())
    once = with_facts(full, [paid("new", "1.00")])
    assert once.facts == (open_ended, *first[2:-1], paid("new", "1.00")), "the oldest with its reversal"
    assert (once.folded, once.known) == ((("USD", "6.00"),), (paid("P-0").key, back.key))
    twice = with_facts(once, [paid("new2", "1.00"), paid("new3", "1.00")])
    assert twice.folded == (("EUR", "10.00"), ("USD", "6.00"))
    thrice = with_facts(twice, [paid("new4", "1.00")])
    assert thrice.folded == (("EUR", "10.00"), ("USD", "16.00"))
    assert open_ended in thrice.facts, "what has no amount cannot be added up"


def test_parts_of_shared_payments_are_never_added_up_and_are_not_the_payment() -> None:
    share = Fact("payment", paid("P-1").key, "", "5.00", "USD", shared=True)
    many = with_facts(Payments(facts=(share,)), [paid(f"P-{n}", "1.00") for n in range(MAX_FACTS + 1)])
    assert many.facts[0] == share
    assert len(many.facts) == MAX_FACTS + 1
    both = Payments(facts=(share,))
    assert (both.has(share), both.has(paid("P-1", "5.00"))) == (True, False)
    assert both.like(paid("P-1", "5.00")) is None
    assert both.without_shares() == NO_PAYMENTS
    assert both.without_shares(share.key) == NO_PAYMENTS
    assert both.without_shares("another") == both
    assert replace(both, facts=(share, paid("P-2"))).without_shares().facts == (paid("P-2"),)


def test_reversals_alone_are_dropped_by_their_payment_and_whole_ones_first() -> None:
    reversals = [taken_back(f"P-{n}", own=f"r{n}") for n in range(MAX_FACTS + 1)]
    found = with_facts(NO_PAYMENTS, reversals)
    assert found.facts == tuple(reversals[1:])
    assert found.known == (reversals[0].key,)
    assert found.folded == ()
    opens = [paid(f"P-{n}") for n in range(MAX_FACTS + 1)]
    found = with_facts(NO_PAYMENTS, opens)
    assert (found.facts, found.known, found.folded) == (tuple(opens[1:]), (opens[0].key,), ())
    taken = with_facts(NO_PAYMENTS, [*opens[:-2], taken_back("P-7", own="r"), opens[-2]])
    assert paid("P-7") not in taken.facts, "what was taken back goes first"
    assert len(taken.facts) == MAX_FACTS - 1


@pytest.mark.parametrize(
    ("payments", "reversal", "takes"),
    [
        (Payments(facts=(paid("P-1", "5"),)), taken_back("P-1"), True),
        (Payments(facts=(paid("P-1", "5"),)), taken_back("P-2"), False),
        (Payments(known=(paid("P-1").key,)), taken_back("P-1"), True),
        (Payments(facts=(paid("P-1", "5"),)), paid("P-9", "-5"), True),  # it lowers the sum
        (Payments(known=("x",)), paid("P-9", "-5"), True),
        (Payments(facts=(taken_back("P-1"),)), paid("P-9", "-5"), False),
        (NO_PAYMENTS, taken_back("P-1"), False),
        (NO_PAYMENTS, paid("P-9", "-5"), False),
    ],
)
def test_whether_a_reversal_takes_something_back(payments: Payments, reversal: Fact, takes: bool) -> None:
    assert payments.takes_back(reversal) is takes


@pytest.mark.parametrize(
    ("amount", "left"),
    [("100.00", "60.00"), ("40.00", "0.00"), ("30.00", "0"), ("0.00", "0.00"), ("-5.00", "-5.00")],
)
def test_what_is_left_is_never_less_than_nothing_and_a_credit_stays(amount: str, left: str) -> None:
    document = a_document(1, amount_due=amount, currency="USD")
    payments = with_facts(NO_PAYMENTS, [paid("P-1", "40.00")])
    found = left_to_pay(payments, document)
    assert found == Decimal(left)
    assert as_left(document, payments).amount_due == left


def test_the_order_of_facts_changes_no_sum() -> None:
    """Reversals first, of one that is kept, of one that is not, and a loose one between payments."""
    facts = [
        taken_back("P-1", "5.00", "a"),
        taken_back("P-9", "7.00", "b"),
        paid("P-1", "20.00"),
        paid("N", "-3.00"),
        paid("P-2", "10.00"),
    ]
    for order in (facts, facts[::-1]):
        assert balance(with_facts(NO_PAYMENTS, order), BILL) == Balance(Decimal("22.00"), True, True)


def test_a_debt_is_told_by_its_case_or_its_document_and_edition() -> None:
    document = a_document(1, edition="e")
    assert debt_key(document) == "document D0001\x1fe"
    assert debt_key(replace(document, case_id="K1")) == "case K1"
    own = Debt(debt_key(document), None, "", "", datetime(2026, 11, 1, tzinfo=UTC))
    assert own.is_of("D0001", "")
    assert not own.is_of("D000", "")
    assert not own.is_of("D0002", "K1")
    of_case = replace(own, key="case K1")
    assert of_case.is_of("D0009", "K1")
    assert not of_case.is_of("D0009", "")


def test_identities_of_payments_are_as_they_ever_were() -> None:
    """A changed one would count each payment a second time."""
    assert hashed("payment", "P-1") == "8f2b6f23028d0eb0"
    assert hashed("whole", "P-1") == "54f9b793cdad305b"


@pytest.mark.parametrize(
    ("fact", "document", "other"),
    [
        (paid("a", "1", "EUR"), BILL, True),
        (paid("a", "1", "USD"), BILL, False),
        (paid("a", "1", ""), BILL, False),
        (paid("a", "", "EUR"), BILL, False),
        (paid("a", "1", "EUR"), None, False),
        (paid("a", "1", "EUR"), a_document(1), False),
    ],
)
def test_whether_an_amount_can_be_set_against_the_documents(fact: Fact, document: Any, other: bool) -> None:
    assert in_other_currency(fact, document) is other


@pytest.mark.parametrize(
    ("facts", "document", "expected"),
    [
        # A payment of all that is due, of which nobody knows how much that is.
        ([paid("a")], a_document(1), ("0", True, True)),
        ([paid("a"), taken_back("a", "5.00")], a_document(1), ("0", False, True)),
        ([paid("a")], None, ("0", True, True)),
        # A part of a shared payment stands also where it pays nothing yet.
        ([Fact("payment", "s", "", "0", "USD", shared=True)], BILL, ("0", True, True)),
        ([paid("a", "0.00")], BILL, ("0", True, False)),
        # A payment that was wholly taken back hides none behind it.
        ([paid("a", "10.00"), taken_back("a"), paid("b", "20.00")], BILL, ("20.00", True, True)),
        ([taken_back("a"), paid("a", "10.00"), paid("b", "20.00")], BILL, ("20.00", True, True)),
        (
            [taken_back("x", "1.00", "r1"), paid("N", "-2.00"), paid("b", "20.00")],
            BILL,
            ("18.00", True, True),
        ),
        ([paid("N", "-2.00", "EUR"), paid("b", "20.00")], BILL, ("20.00", False, True)),
        ([paid("b", "20.00"), paid("N", "-30.00")], BILL, ("0", True, True)),
    ],
)
def test_payments_of_no_amount_and_reversals_of_none(
    facts: Sequence[Fact], document: Any, expected: tuple[str, bool, bool]
) -> None:
    found = balance(with_facts(NO_PAYMENTS, facts), document)
    assert (found.paid, found.clear, found.anything) == (Decimal(expected[0]), *expected[1:])


def test_a_reversal_that_came_first_is_added_up_with_its_payment() -> None:
    back = taken_back("P-0", "4.00", currency="")
    full = with_facts(NO_PAYMENTS, [back, *(paid(f"P-{n}", "10.00") for n in range(MAX_FACTS))])
    assert (full.folded, full.known) == ((("USD", "6.00"),), (back.key, paid("P-0").key))
