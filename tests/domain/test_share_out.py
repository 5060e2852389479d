"""A payment that names only its customer is shared out debt by debt; what cannot take a part is passed over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exstream_notify.domain.notices import Event, Notice, head
from exstream_notify.domain.payments import NO_PAYMENTS, Debt, Fact, Payments, debt_key, with_facts
from exstream_notify.domain.responses import (
    MAX_PAYMENT_EVENTS,
    EarlyPayment,
    EarlyResponse,
    ResponseEvent,
    customer_subject,
)
from exstream_notify.domain.sharing import (
    LOOK_BACK,
    Shares,
    as_one,
    debt_of,
    debt_of_notice,
    is_unshared,
    settled_debt,
    share_out,
    with_registered,
    with_shares,
)
from tests.fakes import a_document, a_notice

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
CAME = datetime(2026, 11, 20, 15, tzinfo=UTC)


def payment(
    key: str = "p1", amount: str = "30", currency: str = "USD", *, hours: float = 0, said: float | None = None
) -> EarlyPayment:
    """One that was reported so many hours after the first, and made then too, or `said` hours after it."""
    came = CAME + timedelta(hours=hours)
    at = came if said is None else CAME + timedelta(hours=said)
    fact = Fact("payment", key, "", amount, currency)
    return EarlyPayment(fact, at.isoformat(), "C0001", reported=came.isoformat())


def reversal(
    of: str, amount: str = "", key: str = "r1", currency: str = "USD", *, hours: float = 1
) -> EarlyPayment:
    came = (CAME + timedelta(hours=hours)).isoformat()
    return EarlyPayment(Fact("reversal", key, of, amount, currency), came, "C0001", reported=came)


PAID = payment()


def debt(number: int, left: str | None = "10", currency: str = "USD", **changes: Any) -> Debt:
    amount = None if left is None else Decimal(left)
    made = Debt(f"document D{number}\x1f", amount, currency, f"2026-12-{number:02d}", SINCE)
    return replace(made, **changes)


def shared(
    *early: EarlyPayment, debts: list[Debt], assigned: tuple[str, ...] = ()
) -> dict[str, dict[str, str]]:
    """What each payment pays of each document, and its credit under `""`."""
    found = share_out(early, debts, assigned)
    return {
        key: {
            **{debt.split()[1].strip("\x1f"): str(part) for debt, part in parts.items()},
            **({"": str(found.credit[key])} if found.credit[key] else {}),
        }
        for key, parts in found.parts.items()
    }


@pytest.mark.parametrize("turned", [False, True])
def test_the_oldest_due_gets_its_part_first_in_whatever_order_they_are_known(turned: bool) -> None:
    rows = [debt(3), debt(1, "15"), debt(2)]
    found = shared(PAID, debts=rows[::-1] if turned else rows)
    assert found == {"p1": {"D1": "15", "D2": "10", "D3": "5"}}


@pytest.mark.parametrize(
    ("debts", "parts"),
    [
        ([], {"": "30"}),
        ([debt(1)], {"D1": "10", "": "20"}),
        ([debt(1, currency="EUR"), debt(2), debt(3, owed=False), debt(4, "12")], {"D2": "10", "D3": "0", "D4": "12", "": "8"}),
        ([debt(1, currency="")], {"D1": "10", "": "20"}),
        ([debt(1, "0"), debt(2)], {"D2": "10", "": "20"}),
        ([debt(1, None), debt(2)], {"D2": "10", "D1": "20"}),  # one without an amount takes what is left
        ([debt(1, due_date=""), debt(2, "25")], {"D2": "25", "D1": "5"}),  # and one without a date comes last
        ([debt(1, "30"), debt(2, owed=False)], {"D1": "30", "D2": "0"}),
        ([debt(1, owed=False)], {"D1": "0", "": "30"}),
        # Of debts of one due date, the one that was known first.
        ([debt(1, "25", due_date="x"), debt(2, "25", due_date="x", since=SINCE - timedelta(days=1))], {"D2": "25", "D1": "5"}),
        ([debt(2, "25", due_date="x"), debt(1, "25", due_date="x")], {"D1": "25", "D2": "5"}),
        # What came later takes only what is left, in the order in which it came.
        ([debt(1, "25", since=CAME + timedelta(hours=2)), debt(2, "25")], {"D2": "25", "D1": "5"}),
        (
            [debt(1, "25", since=CAME + timedelta(hours=2)), debt(2, "25", since=CAME + timedelta(hours=1))],
            {"D2": "25", "D1": "5"},
        ),
        ([debt(1, since=CAME + timedelta(days=3, seconds=1))], {"": "30"}),  # it cannot have been meant
        ([debt(1, since=CAME + timedelta(days=3))], {"D1": "10", "": "20"}),
        ([debt(1, since=CAME + timedelta(days=9), produced_at="2026-11-20T14:00:00Z")], {"D1": "10", "": "20"}),
        ([debt(1, since=CAME + timedelta(days=1), produced_at="2026-11-20T16:00:00Z")], {"": "30"}),
        # Not what is long past, nor what a newer document replaced before.
        ([debt(1, since=CAME - LOOK_BACK)], {"D1": "10", "": "20"}),
        ([debt(1, since=CAME - LOOK_BACK - timedelta(seconds=1))], {"": "30"}),
        ([debt(1, until=CAME)], {"": "30"}),
        ([debt(1, until=CAME + timedelta(seconds=1))], {"D1": "10", "": "20"}),
    ],
)  # fmt: skip
def test_what_a_payment_pays(debts: list[Debt], parts: dict[str, str]) -> None:
    assert shared(PAID, debts=debts) == {"p1": parts}


def test_a_debt_that_any_payment_settles_takes_one_part() -> None:
    debts = [debt(1, "50", any_payment=True), debt(2, "50")]
    found = shared(payment("p1", "10"), payment("p2", "20", hours=1), debts=debts)
    assert found == {"p1": {"D1": "10"}, "p2": {"D2": "20"}}
    unknown = [debt(1, None), debt(2, "5")]
    found = shared(payment("p1", "10"), payment("p2", "20", hours=1), debts=unknown)
    assert found == {"p1": {"D2": "5", "D1": "5"}, "p2": {"": "20"}}


def test_payments_are_shared_in_the_order_of_their_own_times_and_each_once() -> None:
    debts = [debt(1, "10"), debt(2, "10")]
    first, second = payment("p1", "10", hours=2, said=0), payment("p2", "10", hours=1)
    for order in ([first, second, first], [second, first]):
        assert shared(*order, debts=debts) == {"p1": {"D1": "10"}, "p2": {"D2": "10"}}
    again = payment("p1", "99", hours=9)
    for order in ([first, again], [again, first]):
        assert shared(*order, debts=debts) == {"p1": {"D1": "10"}}, "as it was first reported"
    assert shared(first, second, debts=debts, assigned=("p1",)) == {"p2": {"D1": "10"}}


@pytest.mark.parametrize(
    ("back", "parts"),
    [
        (reversal("p1"), {}),
        (reversal("p1", "5"), {"D1": "10", "D2": "10", "": "5"}),  # the credit first
        (reversal("p1", "10"), {"D1": "10", "D2": "10"}),
        (reversal("p1", "13"), {"D1": "10", "D2": "7"}),  # then the last part
        (reversal("p1", "20"), {"D1": "10"}),
        (reversal("p1", "25"), {"D1": "5"}),
        (reversal("p1", "30"), {}),
        (reversal("p1", "300"), {}),
        (reversal("p9", "5"), {"D1": "10", "D2": "10", "": "10"}),
        (reversal("p1", "5", currency="EUR"), {"D1": "10", "D2": "10", "": "10"}),
        (reversal("p1", "5", currency=""), {"D1": "10", "D2": "10", "": "5"}),
        (reversal("p1", "13", hours=-5), {"D1": "10", "D2": "7"}),  # it came before its payment
    ],
)
def test_what_is_taken_back(back: EarlyPayment, parts: dict[str, str]) -> None:
    assert shared(PAID, back, debts=[debt(1), debt(2)]) == {"p1": parts}
    assert shared(back, PAID, debts=[debt(1), debt(2)]) == {"p1": parts}


def test_what_is_open_again_the_credit_of_others_pays() -> None:
    debts = [debt(1, "30"), debt(2, "5", owed=False)]
    found = shared(PAID, payment("p2", "20", hours=1), reversal("p1", hours=2), debts=debts)
    assert found == {"p1": {}, "p2": {"D1": "20", "D2": "0"}}


def test_the_parts_of_a_debt_are_facts_by_key() -> None:
    shares = Shares(
        {"p2": {"a": Decimal("1.50")}, "p1": {"a": Decimal(20), "b": Decimal(1)}, "p3": {}},
        {},
        {"p1": "USD", "p2": "EUR", "p3": ""},
    )
    assert shares.of("a") == (
        Fact("payment", "p1", "", "20", "USD", shared=True),
        Fact("payment", "p2", "", "1.50", "EUR", shared=True),
    )
    assert shares.of("c") == ()


# --- debts --------------------------------------------------------------------------------------------------

BILL = a_document(
    1, amount_due="100.00", currency="USD", due_date="2026-12-10T00:00:00", produced_at="2026-11-19"
)
HALF = with_facts(
    NO_PAYMENTS, [Fact("payment", "d", "", "60.00", "USD"), Fact("payment", "s", "", "9", "USD", shared=True)]
)


def of(document: Any = BILL, payments: Payments = HALF, **more: Any) -> Debt:
    return debt_of(document, payments, SINCE, **{"owed": True, "any_payment": False, **more})


def test_what_a_document_leaves_open() -> None:
    assert of() == Debt(
        debt_key(BILL),
        Decimal("40.00"),
        "USD",
        "2026-12-10",
        SINCE,
        "2026-11-19",
        owed=True,
        any_payment=False,
    )
    assert of(until=CAME).until == CAME
    assert of(any_payment=True).left == 0
    assert of(payments=NO_PAYMENTS, any_payment=True).left == Decimal("100.00")
    assert of(replace(BILL, in_credit=True)).left == 0
    assert of(replace(BILL, amount_due=None), NO_PAYMENTS).left is None
    assert of(replace(BILL, amount_due=None)).left == 0, "any payment settles what names no amount"
    assert of(replace(BILL, amount_due="50.00")).left == 0
    bare = of(a_document(1))
    assert (bare.currency, bare.due_date, bare.produced_at) == ("", "", "")


def test_the_debt_of_a_notice_counts_from_when_it_was_made_until_it_was_superseded() -> None:
    made = "2026-11-02T10:00:00.000+00:00"
    events = (Event(made, "claimed", "", ""), Event("2026-11-03T10:00:00.000+00:00", "superseded", "", ""))
    notice = a_notice(created_at=made, payments=HALF)
    found = debt_of_notice(notice, BILL, owed=False, any_payment=True)
    assert (found.since, found.until, found.owed, found.any_payment) == (
        datetime.fromisoformat(made),
        None,
        False,
        True,
    )
    ended = debt_of_notice(replace(notice, events=events), BILL, owed=True, any_payment=False)
    assert ended.until == datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert settled_debt(notice, "k") == Debt("k", Decimal(9), "", "0001-01-01", datetime.fromisoformat(made))


def test_several_documents_about_one_debt_are_one() -> None:
    early, late = SINCE, SINCE + timedelta(days=1)
    rows = [
        debt(2, "30", since=late, currency="", produced_at="b", owed=False, any_payment=True, until=late),
        debt(1, "10", since=early, produced_at="a", any_payment=True, until=early),
        debt(3, None, since=late, currency="EUR", due_date="", produced_at="c"),
    ]
    assert as_one(rows[:2]) == Debt(
        rows[1].key, Decimal(30), "USD", "2026-12-01", early, "a", owed=True, any_payment=True, until=late
    )
    three = as_one(rows)
    assert (three.left, three.until, three.any_payment) == (Decimal(30), None, False)
    assert as_one(rows[2:]).left is None


def test_documents_whose_notices_are_still_to_come_count_in_their_order() -> None:
    known = debt(1, since=CAME)
    soon = [debt(2, since=SINCE), debt(3, since=SINCE), debt(1, since=SINCE)]
    tick = timedelta(microseconds=1)
    assert with_registered([known], soon, SINCE + timedelta(days=3)) == (
        replace(known, since=SINCE + 2 * tick),
        soon[0],
        replace(soon[1], since=SINCE + tick),
    )
    assert with_registered([known], soon, SINCE + timedelta(days=3, seconds=1)) == (
        replace(known, since=SINCE + 2 * tick),
    )
    older = replace(known, since=SINCE - tick)
    assert with_registered([older], soon[2:], SINCE) == (older,)


def test_whether_a_shared_payment_is_about_a_document_that_has_no_notice_yet() -> None:
    now = CAME + timedelta(hours=1)
    pool = EarlyResponse("paid", "", "", payments=(PAID,))
    kept = {customer_subject("C0001"): pool}
    assert is_unshared(BILL, kept, now)
    assert not is_unshared(BILL, {}, now)
    assert not is_unshared(replace(BILL, test_flag=True), kept, now)
    assert not is_unshared(replace(BILL, produced_at="2026-11-21"), kept, now)
    seen = replace(debt(9), key=debt_key(BILL), seen=("p1",))
    assert not is_unshared(BILL, {customer_subject("C0001"): replace(pool, debts=(seen,))}, now)
    other = {customer_subject("C0001"): replace(pool, debts=(replace(seen, key="another"),))}
    assert is_unshared(BILL, other, now)


# --- the notice ---------------------------------------------------------------------------------------------

NOW = CAME.replace(microsecond=250_400)


def part(amount: str, key: str = "p1") -> Fact:
    return Fact("payment", key, "", amount, "USD", shared=True)


def having(*facts: Fact, responses: tuple[Any, ...] = ()) -> Notice:
    return a_notice(version=3, payments=Payments(facts=facts), responses=responses)


OWN = Fact("payment", "d", "", "60.00", "USD")
MADE = ResponseEvent("paid", "retail", amount="999", currency="USD", source="bank")
BACK = replace(MADE, reversal_of="P")


@pytest.mark.parametrize(
    ("before", "shares", "event", "what", "detail", "responses"),
    [
        (having(OWN), [part("10")], MADE, "paid in part", "shared 10 USD: bank", ()),
        (having(OWN), [part("40")], MADE, "paid", "shared 40 USD: bank", ("paid",)),
        (
            having(OWN, part("40"), responses=("paid", "opened")),
            [part("45")],
            MADE,
            "paid again",
            "shared 5 USD: bank",
            ("paid", "opened"),
        ),
        (
            having(OWN, part("40"), responses=("paid", "opened")),
            [part("30")],
            MADE,
            "payment moved",
            "shared 10 USD: bank",
            ("opened",),
        ),
        (having(OWN, part("40"), responses=("paid",)), [], BACK, "payment reversed", "shared 40 USD: bank", ()),
        (having(OWN, part("10", "gone")), [part("5")], MADE, "paid in part", "shared 5 USD: bank", ()),
    ],
)  # fmt: skip
def test_a_notice_with_its_parts_as_they_are_now(
    before: Notice,
    shares: list[Fact],
    event: ResponseEvent,
    what: str,
    detail: str,
    responses: tuple[str, ...],
) -> None:
    after = with_shares(before, shares, ["p1"], event, BILL, NOW)
    kept = tuple(fact for fact in before.payments.facts if fact.key != "p1")
    assert after == replace(
        before,
        version=4,
        payments=Payments(facts=(*kept, *shares)),
        responses=responses,
        events=(Event("2026-11-20T15:00:00.250+00:00", what, detail, head(before)),),
    )


def test_parts_that_a_notice_has_change_nothing_and_events_are_bounded() -> None:
    assert with_shares(having(part("5"), OWN), [part("5")], ["p1"], MADE, BILL, NOW) is None
    told = having(OWN, responses=("paid",))  # paid by the word of an earlier release
    found = with_shares(told, [part("1")], ["p1"], MADE, BILL, NOW)
    assert found is not None
    assert found.responses == ("paid",)
    events = tuple(Event("t", "paid in part", str(n), "") for n in range(MAX_PAYMENT_EVENTS))
    full = with_shares(replace(having(OWN), events=events), [part("1")], ["p1"], MADE, BILL, NOW)
    assert full is not None
    assert (full.version, len(full.events), len(full.payments.facts)) == (4, MAX_PAYMENT_EVENTS, 2)
    any_payment = with_shares(having(), [part("1")], ["p1"], MADE, BILL, NOW, any_payment_settles=True)
    assert any_payment is not None
    assert any_payment.responses == ("paid",)
