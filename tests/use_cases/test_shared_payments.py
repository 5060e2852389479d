"""Payments that name only a customer: shared out oldest due first, taken back as they were, never lost."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.documents import Document
from exstream_notify.domain.notices import chain_holds
from exstream_notify.domain.payments import balance
from exstream_notify.domain.responses import ResponseEvent
from exstream_notify.domain.runs import DomainRule
from exstream_notify.use_cases.slices import document_of
from tests.fakes import FakeRules, a_document, a_rule
from tests.scenarios.shipped import shipped
from tests.use_cases.test_payments import (
    DUNNING,
    INVOICE,
    REMINDER,
    ShowingWording,
    codes,
    day,
    reports,
    shown,
)
from tests.use_cases.world import World

STATEMENT = a_rule()
POLICY = a_rule(name="policy-document", wording="policy-document", any_payment_settles=True)
DEPOSIT = a_rule(name="deposit", message_class="collections", wording="payment-reminder")
LOOSE = replace(DEPOSIT, name="any-reminder", any_payment_settles=True)

Act = Callable[[World], Any]
_RUNS = itertools.count(1)


def a_world(rule: str = "oldest_due", **changes: Any) -> World:
    rules = FakeRules(
        REMINDER, INVOICE, STATEMENT, POLICY, DEPOSIT, LOOSE,
        journeys=[DUNNING],
        domain=DomainRule(payments_without_document=rule),  # type: ignore[arg-type]
    )  # fmt: skip
    world = World(site_rules=rules, at="2026-11-20T15:00:00+00:00", **changes)
    world.wording = ShowingWording()
    return world


def owes(number: int, amount: str | None, due: str | None, **changes: Any) -> Document:
    """A document of the one customer of these tests; `due` is a day of December."""
    fields = {
        "document_id": f"D{number}",
        "customer_key": "C0001",
        "document_type": "payment-reminder",
        "amount_due": amount,
        "currency": "USD",
        "due_date": due and f"2026-12-{due}",
    }
    return a_document(1, **{**fields, **changes})


def event(world: World, **about: str) -> dict[str, int]:
    world.clock.advance(minutes=1)
    return dict(world.respond("paid", **{"customer_key": "C0001", "currency": "USD", **about}))


def pay(amount: str, payment: str, **about: str) -> Act:
    return lambda world: event(world, amount=amount, payment_id=payment, **about)


def back(payment: str, amount: str = "", reversal: str = "", **about: str) -> Act:
    return lambda world: event(world, reversal_of=payment, amount=amount, payment_id=reversal, **about)


def comes(*documents: Document) -> Act:
    def drop(world: World) -> None:
        run = f"run-{next(_RUNS)}"
        world.clock.advance(minutes=1)
        world.drop(run, *documents)
        world.drain()

    return drop


def paid(world: World) -> dict[str, str]:
    """What was paid of each document, and a `*` where nothing more is asked for."""
    told = {}
    for notice in sorted(world.ledger.notices.values(), key=lambda n: n.document_id):
        if notice.purpose == "notice" and notice.audience == "customer":
            found = balance(notice.payments, document_of(notice, world.records))
            told[notice.document_id] = f"{found.paid:.2f}{'*' if 'paid' in notice.responses else ''}"
    return told


TWO = (owes(1, "100.00", "01"), owes(2, "100.00", "10"))
P60, P50, P100 = pay("60.00", "P-1"), pay("50.00", "P-2"), pay("100.00", "P-3")

STORIES: Sequence[tuple[str, tuple[Document, ...], tuple[Act, ...], dict[str, str], int]] = [
    # what it is, the documents, what happens, what each document was paid, reports to the team
    ("one document", TWO[:1], (P100,), {"D1": "100.00*"}, 0),
    ("never all of them", TWO, (P100,), {"D1": "100.00*", "D2": "0.00"}, 0),
    ("in part", TWO, (P60,), {"D1": "60.00", "D2": "0.00"}, 0),
    ("over two", TWO, (pay("150.00", "P"),), {"D1": "100.00*", "D2": "50.00"}, 0),
    ("parts add up", TWO, (P60, P50), {"D1": "100.00*", "D2": "10.00"}, 0),
    ("in the other order", TWO, (P50, P60), {"D1": "100.00*", "D2": "10.00"}, 0),
    ("the order of dates, not of the drop", (TWO[1], TWO[0]), (P100,), {"D1": "100.00*", "D2": "0.00"}, 0),
    ("twice", TWO, (P60, P60), {"D1": "60.00", "D2": "0.00"}, 0),
    ("all, exactly", TWO, (pay("200.00", "P"),), {"D1": "100.00*", "D2": "100.00*"}, 0),
    ("a credit is reported", TWO, (pay("230.00", "P"),), {"D1": "100.00*", "D2": "100.00*"}, 1),
    ("paid already", TWO[:1], (pay("100.00", "P", document_id="D1"), P60), {"D1": "100.00*"}, 1),
    ("without an amount", TWO, (pay("", "P"),), {"D1": "0.00", "D2": "0.00"}, 1),
    ("nothing", TWO, (pay("0.00", "P"),), {"D1": "0.00", "D2": "0.00"}, 0),
    ("nothing, for a document without an amount", (owes(1, None, "01"), owes(2, None, None,
     document_type="policy-document")), (pay("0.00", "P", document_id="D1"), pay("0", "Q", document_id="D2")),
     {"D1": "0.00", "D2": "0.00"}, 0),
    ("a due date that is missing comes last", (owes(1, "100.00", None), TWO[1]), (P100,),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("another currency gets nothing", (owes(1, "100.00", "01", currency="EUR"), TWO[1]), (P100,),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("only another currency", (owes(1, "100.00", "01", currency="EUR"),), (P100,), {"D1": "0.00"}, 1),
    ("no currency named", TWO, (pay("100.00", "P", currency=""),), {"D1": "100.00*", "D2": "0.00"}, 0),
    ("a statement and a policy", (owes(1, "100.00", "01", document_type="statement"), TWO[1],
     owes(3, None, None, document_type="policy-document")), (P60,),
     {"D1": "0.00", "D2": "60.00", "D3": "0.00*"}, 0),
    ("a rule that any payment settles", (owes(1, "100.00", "01", document_type="any-reminder"), TWO[1]),
     (P60, P50), {"D1": "60.00*", "D2": "50.00"}, 0),
    ("no amount on the record comes last", (owes(1, None, "01"), TWO[1]), (pay("130.00", "P"),),
     {"D1": "30.00*", "D2": "100.00*"}, 0),
    ("nothing due", (owes(1, "0.00", "01", document_type="invoice"), TWO[1]), (P100,),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("a test's document", (owes(1, "100.00", "01", test_flag=True), TWO[1]), (P100,),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("letters of one case are one debt", (owes(1, "100.00", "01", case_id="K"),
     owes(2, "105.00", "10", case_id="K"), owes(3, "50.00", "20")), (pay("105.00", "P"),),
     {"D1": "105.00*", "D2": "105.00*", "D3": "0.00"}, 0),
    ("what names a document comes first", TWO, (P100, pay("100.00", "P", document_id="D1")),
     {"D1": "100.00*", "D2": "100.00*"}, 0),
    ("in the other order as well", TWO, (pay("100.00", "P", document_id="D1"), P100),
     {"D1": "100.00*", "D2": "100.00*"}, 0),
    ("assigned afterwards under its id", TWO, (P100, pay("100.00", "P-3", document_id="D2")),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("assigned before", TWO, (pay("100.00", "P-3", document_id="D2"), P100),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("taken back", TWO, (pay("150.00", "P"), back("P")), {"D1": "0.00", "D2": "0.00"}, 0),
    ("taken back twice", TWO, (pay("150.00", "P"), back("P"), back("P")), {"D1": "0.00", "D2": "0.00"}, 0),
    ("taken back first", TWO, (back("P"), pay("150.00", "P")), {"D1": "0.00", "D2": "0.00"}, 0),
    ("a part: the last documents first", TWO, (pay("150.00", "P"), back("P", "70.00", "R")),
     {"D1": "80.00", "D2": "0.00"}, 0),
    ("parts in any order", TWO, (back("P", "30.00", "R"), pay("150.00", "P"), back("P", "40.00", "S")),
     {"D1": "80.00", "D2": "0.00"}, 0),
    ("a part never takes more than was paid", TWO, (P60, P50, back("P-2", "90.00", "R")),
     {"D1": "60.00", "D2": "0.00"}, 0),
    ("exactly what it paid", TWO, (P100, pay("100.00", "P-4"), back("P-3")),
     {"D1": "0.00", "D2": "100.00*"}, 0),
    ("a credit is taken back first", TWO, (pay("230.00", "P"), back("P", "30.00", "R")),
     {"D1": "100.00*", "D2": "100.00*"}, 1),
    ("paid twice, and one taken back", TWO[:1], (P100, pay("100.00", "P-4"), back("P-3")),
     {"D1": "100.00*"}, 1),
    ("what is paid after a reversal", TWO, (P60, back("P-1"), P50), {"D1": "50.00", "D2": "0.00"}, 0),
    ("a reversal that names a document", TWO, (pay("150.00", "P"), back("P", document_id="D2")),
     {"D1": "0.00", "D2": "0.00"}, 0),
    ("a reversal without the document of its payment", TWO,
     (pay("100.00", "P", document_id="D2"), back("P")), {"D1": "0.00", "D2": "0.00"}, 0),
    ("a negative amount of the same id", TWO, (P60, pay("-60.00", "P-1")), {"D1": "0.00", "D2": "0.00"}, 0),
    ("a credit pays nothing that was composed later", TWO[:1], (pay("230.00", "P"), comes(owes(3, "100.00",
     "05", produced_at="2026-11-20T18:00:00Z")), pay("230.00", "P")), {"D1": "100.00*", "D3": "0.00"}, 1),
    ("what came meanwhile keeps out of it", TWO, (pay("250.00", "P"), comes(owes(3, "100.00", "05",
     produced_at="2026-11-20T18:00:00Z")), pay("250.00", "P"), back("P")),
     {"D1": "0.00", "D2": "0.00", "D3": "0.00"}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "acts", "expected", "reports"), [s[1:] for s in STORIES],
                         ids=[s[0] for s in STORIES])  # fmt: skip
def test_stories(
    documents: Sequence[Document], acts: Sequence[Act], expected: dict[str, str], reports: int
) -> None:
    world = a_world()
    comes(*documents)(world)
    for act in acts:
        act(world)
    world.drain()

    assert paid(world) == expected
    raised = {e.part for e in world.exceptions.raised if e.code == "payment_unassigned"}
    assert len(raised) == reports
    assert all(chain_holds(n) for n in world.ledger.notices.values())
    for act in acts:  # all of it once more, and nothing changes
        act(world)
    assert {k: v for k, v in paid(world).items() if k in expected} == expected
    world.check()


# --- whose money ------------------------------------------------------------------------------------


def test_by_rule_a_payment_without_a_document_goes_to_the_team_with_ids() -> None:
    world = a_world("team")
    comes(*TWO)(world)
    assert P100(world) == {"unassigned": 1}
    world.drain()

    assert paid(world) == {"D1": "0.00", "D2": "0.00"}
    (raised,) = [e for e in world.exceptions.raised if e.code == "payment_unassigned"]
    assert raised.detail["notices"].split() == [world.notice(d).notice_id for d in ("D1", "D2")]
    assert "C0001" not in str(raised)
    assert pay("100.00", "P-3", document_id="D2")(world) == {"recorded": 1}  # the person's answer
    assert paid(world) == {"D1": "0.00", "D2": "100.00*"}


@pytest.mark.parametrize(
    ("others", "word", "of_mine"),
    [
        ((), "recorded", "100.00*"),
        ((owes(1, "100.00", "01", customer_key="C0002"),), "early", "0.00"),
    ],
)
@pytest.mark.parametrize("about", [{"document_id": "D1"}, {"case_id": "K-1"}])
def test_another_account_pays_a_document_that_can_only_be_one_customers(
    others: Sequence[Document], word: str, of_mine: str, about: dict[str, str]
) -> None:
    world = a_world()
    comes(*(replace(d, case_id="K-1") for d in (TWO[0], *others)))(world)
    told = pay("100.00", "P", customer_key="C0099", **about)(world)
    world.drain()

    mine = next(n for n in world.ledger.of_customer("retail", "C0001") if n.audience == "customer")
    assert told == {word: 1}
    assert f"{balance(mine.payments, TWO[0]).paid:.2f}{'*' if mine.responses else ''}" == of_mine
    raised = [e for e in world.exceptions.raised if e.code == "payment_unassigned"]
    assert len(raised) == len(others)
    assert all(mine.notice_id in e.detail["notices"] for e in raised)
    if not others:
        assert back("P", customer_key="C0099", **about)(world)["reversed"] == 1
        assert not world.notice("D1").responses


def test_another_account_pays_before_the_notice() -> None:
    world = a_world()
    comes(owes(2, "100.00", "10", customer_key="C0002"))(world)
    for number in (1, 2, 3):
        pay("40.00", "P", customer_key="C0099", document_id=f"D{number}")(world)
    comes(TWO[0], TWO[1], replace(owes(3, "100.00", "10"), edition="2026-11"))(world)
    of_one = [n for n in world.ledger.notices.values() if n.customer_key == "C0001"]
    assert {n.document_id: str(balance(n.payments, TWO[0]).paid) for n in of_one} == {
        "D1": "40.00",
        "D2": "0",  # another customer's document, which was paid
        "D3": "0",
    }


def test_a_file_name_is_not_enough_for_another_account() -> None:
    world = a_world()
    comes(replace(TWO[0], edition="2026-11"))(world)
    assert pay("100.00", "P", customer_key="C0099", document_id="D1")(world) == {"early": 1}
    world.drain()
    assert codes(world) == ["payment_unassigned"]


def test_other_customers_and_domains_are_not_touched() -> None:
    world = a_world()
    comes(*TWO, owes(3, "100.00", "01", customer_key="C0002"))(world)
    P100(world)
    assert event(world, customer_key="C0007", amount="100.00", payment_id="P-9") == {"early": 1}
    assert codes(world) == []
    assert paid(world) == {"D1": "100.00*", "D2": "0.00", "D3": "0.00"}
    world.respond("paid", customer_key="C0002", amount="100.00", payment_id="P-8", event_id="e")
    assert paid(world) == {"D1": "100.00*", "D2": "0.00", "D3": "100.00*"}


def test_both_holders_of_an_account_and_all_its_steps_have_the_part() -> None:
    world = a_world()
    ann, bob = (owes(1, "100.00", "01", recipient=r, email=f"{r}@example.com") for r in ("ann", "bob"))
    comes(ann, bob, TWO[1])(world)
    world.follow_until(day(0))
    pay("130.00", "P")(world)
    of_one = [n for n in world.ledger.notices.values() if n.document_id == "D1"]
    assert len(of_one) == 4  # a notice and a step each
    assert {n.responses for n in of_one} == {("paid",)}
    assert {sum(Decimal(f.amount) for f in n.payments.facts) for n in of_one} == {Decimal(100)}
    assert world.notice("D2").responses == ()


# --- what is sent -----------------------------------------------------------------------------------


def test_reminders_name_what_is_left_and_a_reversal_lets_the_journey_go_on() -> None:
    world = a_world()
    comes(*TWO)(world)
    world.follow_until(day(-5))
    pay("130.00", "P")(world)
    world.follow_until(day(5))
    assert [shown(world, d) for d in ("D1", "D2")] == [
        [("payment-reminder", "100.00")],
        [("payment-reminder", "100.00")],
    ]
    told = back("P")(world)
    assert told["reopened"] == 1
    world.follow_until(day(12))

    assert shown(world, "D1")[1:] == [("overdue-notice", "100.00")]
    assert shown(world, "D2")[1:] == [("payment-due-soon", "100.00"), ("overdue-notice", "100.00")]
    assert codes(world) == []


def test_what_waits_for_the_morning_is_ended_by_its_part() -> None:
    sms = replace(REMINDER, channels=("sms",))
    world = World(site_rules=FakeRules(sms, journeys=()), at="2026-11-21T03:30:00+00:00")
    comes(*TWO)(world)
    P100(world)
    world.come_to_rest()
    assert len(world.outbox) == 1
    assert world.reasons("run-" + world.notice("D1").origin.run.rpartition("-")[2], "suppressed") == {
        "responded": 1
    }


def test_a_part_whose_record_is_gone_stays_where_it_was() -> None:
    world = a_world()
    comes(TWO[0])(world)
    comes(TWO[1])(world)
    P100(world)
    (gone,) = [key for key in world.records.slices if world.notice("D1").origin.run in str(key)]
    del world.records.slices[gone]
    P60(world)

    assert world.notice("D1").responses == ("paid",)
    assert sum(Decimal(f.amount) for f in world.notice("D1").payments.facts) == 100
    assert sum(Decimal(f.amount) for f in world.notice("D2").payments.facts) == 60


def test_a_document_that_was_replaced_keeps_what_it_was_paid() -> None:
    world = a_world()
    comes(*TWO)(world)
    P60(world)
    comes(owes(3, "40.00", "01", supersedes="D1", produced_at="2026-11-20T18:00:00Z"))(world)
    P50(world)
    assert paid(world) == {"D1": "60.00", "D2": "10.00", "D3": "40.00*"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("report", ["payment", "reversal"])
def test_whatever_call_kills_the_function_each_document_gets_its_part_once(report: str, when: Any) -> None:
    about = {"customer_key": "C0001", "event_id": "the event"}
    paid_in = ResponseEvent("paid", "retail", **about, amount="130.00", currency="USD", payment_id="P")
    taken_back = ResponseEvent("paid", "retail", **about, reversal_of="P")

    def begun() -> World:
        world = a_world()
        comes(*TWO)(world)
        world.follow_until(day(-5))
        if report == "reversal":
            pay("130.00", "P")(world)
            world.follow_until(day(5))
        return world

    event, left = (paid_in, ["", "70.00"]) if report == "payment" else (taken_back, ["100.00", "100.00"])
    probe = begun()
    before = probe.wire.number
    reports(probe, event)
    calls = probe.wire.log[before:]
    assert "ledger.put" in calls
    for number in range(1, len(calls) + 1):
        world = begun()
        world.wire.kill_at(world.wire.number + number, when)
        reports(world, event)
        world.follow_until(day(12))
        assert [(shown(world, d)[1:] or [("", "")])[-1][1] for d in ("D1", "D2")] == left, calls[number - 1]


# --- before the notice ------------------------------------------------------------------------------


def sent(world: World) -> dict[str, list[str]]:
    """The amounts that the messages about each document named."""
    ids = {n.document_id for n in world.ledger.notices.values()}
    return {d: [amount for _, amount in shown(world, d)] for d in sorted(ids)}


def test_a_payment_before_the_notices_pays_the_oldest_due_of_a_drop_and_not_all() -> None:
    world = a_world()
    assert pay("130.00", "P")(world) == {"early": 1}
    assert pay("130.00", "P")(world) == {"known": 1}
    comes(TWO[1], TWO[0], owes(3, "50.00", "20"))(world)

    assert paid(world) == {"D1": "100.00*", "D2": "30.00", "D3": "0.00"}
    assert sent(world) == {"D1": [], "D2": ["70.00"], "D3": ["50.00"]}
    assert codes(world) == []
    world.check()


def test_documents_of_several_drops_share_a_credit_in_their_order() -> None:
    world = a_world()
    pay("130.00", "P")(world)
    comes(TWO[1])(world)
    comes(TWO[0])(world)
    assert paid(world) == {"D1": "30.00", "D2": "100.00*"}
    assert sent(world) == {"D1": ["70.00"], "D2": []}
    pay("100.00", "P-2")(world)
    assert paid(world) == {"D1": "100.00*", "D2": "100.00*"}


def test_two_slices_at_the_same_time_do_not_give_the_same_money_twice() -> None:
    world = a_world(slice_records=1)
    pay("100.00", "P")(world)
    run = f"run-{next(_RUNS)}"
    world.drop(run, *TWO)
    world.drain()
    assert sorted(paid(world).values()) == ["0.00", "100.00*"]
    assert len(world.outbox) == 1


@pytest.mark.parametrize(
    ("produced", "after_days", "left"),
    [
        ("", 2, ["70.00"]),
        ("", 4, ["100.00"]),  # nobody knows when it was composed: news after three days
        ("2026-11-20T14:00:00Z", 9, ["70.00"]),
        ("2026-11-21T14:00:00Z", 1, ["100.00"]),  # composed afterwards: its amount knows the payment
    ],
)
def test_a_payment_pays_what_its_payer_can_have_known(
    produced: str, after_days: int, left: list[str]
) -> None:
    world = a_world()
    pay("30.00", "P")(world)
    world.clock.advance(days=after_days)
    comes(owes(1, "100.00", "20", produced_at=produced or None))(world)
    assert sent(world) == {"D1": left}


@pytest.mark.parametrize(("amount", "told"), [("100.00", []), ("40.00", ["60.00"])])
def test_a_payment_between_decision_and_claim_counts(amount: str, told: list[str]) -> None:
    world = a_world()
    world.drop("run-1", TWO[0])
    while not world.queues["email"].messages:
        assert world.step()
    pay(amount, "P")(world)
    world.come_to_rest()
    assert sent(world) == {"D1": told}
    world.check()


def test_a_reversal_between_decision_and_claim_counts() -> None:
    world = a_world()
    pay("40.00", "P")(world)
    world.drop("run-1", TWO[0])
    while not world.queues["email"].messages:
        assert world.step()
    back("P")(world)
    world.come_to_rest()
    assert sent(world) == {"D1": ["100.00"]}


def test_a_reversal_after_a_credit_ended_the_notice_is_reported() -> None:
    world = a_world()
    pay("100.00", "P")(world)
    comes(TWO[0])(world)
    assert paid(world) == {"D1": "100.00*"}
    assert back("P")(world) == {"reversed": 1}
    world.drain()
    assert paid(world) == {"D1": "0.00"}
    assert codes(world) == ["payment_reversed"]


def test_a_payment_that_no_index_showed_the_notice_is_counted_before_the_next_step() -> None:
    world = a_world()
    comes(*TWO)(world)
    of_customer = world.ledger.of_customer
    world.ledger.of_customer = lambda domain, customer_key: []  # type: ignore[method-assign]
    assert pay("130.00", "P")(world) == {"early": 1}
    world.ledger.of_customer = of_customer  # type: ignore[method-assign]
    world.follow_until(day(12))

    assert paid(world) == {"D1": "100.00*", "D2": "30.00"}
    assert sent(world) == {"D1": ["100.00"], "D2": ["100.00", "70.00", "70.00"]}


def test_bills_and_policies_are_notified_whatever_was_paid_before_and_bills_are_not_dunned() -> None:
    world = a_world()
    pay("130.00", "P")(world)
    comes(
        owes(1, "100.00", "01", document_type="statement"),
        owes(2, None, None, document_type="policy-document"),
        owes(3, "100.00", "01", document_type="invoice"),
        owes(4, "100.00", "10", document_type="invoice"),
    )(world)
    world.follow_until(day(25))
    told = sent(world)
    assert [len(told[d]) for d in ("D1", "D2", "D3")] == [1, 1, 1]
    assert told["D4"] == ["100.00", "70.00", "70.00", "70.00"]
    assert paid(world) == {"D1": "0.00", "D2": "0.00*", "D3": "100.00*", "D4": "30.00"}


# --- every order ------------------------------------------------------------------------------------


@st.composite
def _money(draw: st.DrawFn) -> tuple[list[Document], list[tuple[str, str, str, str]]]:
    """Documents, and payments (id, amount, document or none, taken back or not)."""
    amounts = st.integers(1, 300).map(lambda cents: f"{cents}.00")
    documents = [
        owes(n, draw(amounts), draw(st.sampled_from(["01", "05", "10", None])))
        for n in range(1, draw(st.integers(1, 4)) + 1)
    ]
    ids = [d.document_id for d in documents]
    payments = [
        (
            f"P-{n}",
            draw(amounts),
            draw(st.sampled_from(["", "", *ids])),
            draw(st.sampled_from(["", "", "10.00", "all"])),
        )
        for n in range(draw(st.integers(1, 5)))
    ]
    return documents, payments


@given(_money(), st.randoms(use_true_random=False))
def test_no_order_and_no_repetition_matters_and_no_cent_is_lost(
    money: tuple[list[Document], list[tuple[str, str, str, str]]], chance: random.Random
) -> None:
    documents, payments = money
    reports = []
    for number, (identity, amount, document, taken_back) in enumerate(payments):
        at = f"2026-11-20T16:{number:02d}:00Z"
        named = {"document_id": document} if document else {}
        reports.append(pay(amount, identity, at=at, **named))
        if taken_back:
            part = "" if taken_back == "all" else taken_back
            reports.append(back(identity, part, f"R-{number}", at=f"2026-11-20T17:{number:02d}:00Z", **named))

    def ends(order: Sequence[Act]) -> tuple[dict[str, str], Decimal]:
        world = a_world()
        comes(*documents)(world)
        world.clock.advance(hours=3)
        for act in order:
            act(world)
        notices = [n for n in world.ledger.notices.values() if n.audience == "customer"]
        shared = sum((Decimal(f.amount) for n in notices for f in n.payments.facts if f.shared), Decimal(0))
        return paid(world), shared

    whole = ends(reports)
    again = [*reports, *chance.sample(reports, k=len(reports) // 2)]
    chance.shuffle(again)
    assert ends(again) == whole

    def standing(amount: str, taken_back: str) -> Decimal:
        return (
            Decimal(0) if taken_back == "all" else max(Decimal(amount) - Decimal(taken_back or 0), Decimal(0))
        )

    pool = sum((standing(a, b) for _, a, document, b in payments if not document), Decimal(0))
    by_name = {
        d.document_id: sum((standing(a, b) for _, a, of, b in payments if of == d.document_id), Decimal(0))
        for d in documents
    }
    left = sum(
        (max(Decimal(d.amount_due or 0) - by_name[d.document_id], Decimal(0)) for d in documents), Decimal(0)
    )
    assert whole[1] == min(pool, left)


NAMED: dict[str, dict[str, str]] = {
    "document": {"document_id": "D1"},
    "customer": {},
    "document alone": {"document_id": "D1", "customer_key": ""},
}


@pytest.mark.parametrize("of_payment", NAMED)
@pytest.mark.parametrize("of_reversal", NAMED)
@pytest.mark.parametrize(("part", "left"), [("", "100.00"), ("30.00", "90.00")])
def test_a_reversal_finds_its_payment_whatever_the_two_name_and_in_any_order(
    of_payment: str, of_reversal: str, part: str, left: str
) -> None:
    acts: dict[str, Act] = {
        "comes": comes(*TWO),
        "paid": pay("40.00", "P", at="2026-11-20T15:00:00Z", **NAMED[of_payment]),
        "back": back("P", part, "R" if part else "", at="2026-11-20T15:00:01Z", **NAMED[of_reversal]),
    }
    for order in sorted(set(itertools.permutations((*acts, "paid")))):
        world = a_world()
        for name in order:
            acts[name](world)
        world.follow_until(day(12))
        assert sent(world)["D1"][-1] == left, order


@pytest.mark.parametrize("document", [{}, {"document_id": "D2"}])
def test_a_payment_that_was_assigned_afterwards_is_taken_back_where_it_counts(
    document: dict[str, str],
) -> None:
    world = a_world()
    for act in (comes(*TWO), P100, pay("100.00", "P-3", document_id="D2"), back("P-3", **document)):
        act(world)
    assert paid(world) == {"D1": "0.00", "D2": "0.00"}


@pytest.mark.parametrize("status", ["paid", "account closed", "disputed", "Chapter 7"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_is_paid_on_a_record_that_is_settled_or_disputed(status: str, when: str) -> None:
    world = shipped()
    acts = [comes(owes(1, "100.00", "01", account_status=status), owes(2, "100.00", "10")), P100]
    for act in acts if when == "after" else reversed(acts):
        act(world)
    world.drain()
    assert {k: v[:6] for k, v in paid(world).items()} == {"D1": "0.00", "D2": "100.00"}


def test_another_account_paid_before_a_drop_of_two_customers_counts_for_neither() -> None:
    world = a_world()
    pay("100.00", "P", customer_key="C0009", document_id="D1")(world)
    comes(TWO[0], owes(1, "80.00", "10", customer_key="C0002"))(world)
    assert [n.status for n in world.ledger.notices.values()] == ["sent", "sent"]


def test_a_corrected_amount_counts_whatever_notice_is_read_first() -> None:
    world = a_world()
    comes(*TWO)(world)
    world.follow_until(day(3))
    comes(replace(TWO[0], amount_due="60.00", content_sha256="b" * 64))(world)
    P100(world)
    assert paid(world) == {"D1": "60.00*", "D2": "40.00"}


def test_a_reversal_is_reported_for_its_own_documents_only() -> None:
    world = a_world()
    pay("100.00", "P-1")(world)
    comes(*TWO)(world)  # the first is paid, and its customer was never notified
    for act in (back("P-1", at="2026-11-20T16:00:00Z"), pay("20.00", "P-2", document_id="D2"), back("P-2")):
        act(world)
    assert len({e.part for e in world.exceptions.raised if e.code == "payment_reversed"}) == 1


@pytest.mark.parametrize(
    ("assigned", "left"),
    [
        ([("40.00", "D2")], ["60.00 USD"]),
        ([("40.00", "D2"), ("60.00", "D1")], ["60.00 USD"]),
        ([("100.00", "D2")], []),
    ],
)
def test_what_is_left_of_a_payment_that_was_assigned_in_part_is_reported(
    assigned: list[tuple[str, str]], left: list[str]
) -> None:
    world = a_world()
    for act in (comes(*TWO), P100, *(pay(a, "P-3", document_id=d) for a, d in assigned)):
        act(world)
    assert [e.detail["left"] for e in world.exceptions.raised if e.code == "payment_unassigned"] == left
    assert codes(world).count("payment_uncounted") == 0


def test_more_than_was_paid_is_not_assigned_unreported() -> None:
    world = a_world()
    for act in (
        comes(*TWO),
        P100,
        pay("80.00", "P-3", document_id="D2"),
        pay("30.00", "P-3", document_id="D1"),
    ):
        act(world)
    assert codes(world).count("payment_uncounted") == 1


def test_what_an_erased_holder_owed_takes_nothing_from_the_others() -> None:
    world = a_world()
    comes(owes(1, "100.00", "01", recipient="A"), owes(2, "40.00", "05", recipient="B"))(world)
    world.erase(1, "A")
    pay("40.00", "p1")(world)
    assert paid(world) == {"D1": "0.00", "D2": "40.00*"}


def test_nor_does_what_the_same_customer_owed_before() -> None:
    world = a_world()
    comes(owes(1, "100.00", "01"))(world)
    world.erase(1)
    world.clock.advance(hours=1)
    comes(owes(2, "40.00", "05", produced_at="2026-11-20T15:30:00Z"))(world)
    pay("40.00", "p1")(world)
    assert paid(world) == {"D1": "0.00", "D2": "40.00*"}


def test_a_run_that_comes_again_after_a_part_payment_differs_in_nothing() -> None:
    world = a_world()
    for run in ("run-1", "run-2"):
        world.drop(run, owes(1, "80.00", "01"), owes(2, "80.00", "05"))
        world.drain()
        pay("110.00", "p1")(world)
    assert paid(world) == {"D1": "80.00*", "D2": "30.00"}
    assert world.outcomes("run-2") == {"duplicate": 2}
    assert "duplicate_differs" not in codes(world)


def test_another_amount_for_the_same_payment_is_reported_in_words() -> None:
    world = a_world()
    world.drop("run-1", *TWO)
    world.come_to_rest()
    event(world, amount="60.00", payment_id="P-1")
    event(world, amount="70.00", payment_id="P-1")
    assert [(e.code, e.severity, e.run_id, e.text) for e in world.exceptions.raised] == [
        (
            "payment_uncounted",
            "warning",
            "none",
            "a payment was not counted: another amount than before was reported for the same payment",
        )
    ]


@pytest.mark.parametrize(
    ("rule", "acts", "said"),
    [
        ("team", (P60,), "a payment belongs to no document: it names no document"),
        (
            "oldest_due",
            (pay("", "P"),),
            "a payment belongs to no document: it names neither a document nor an amount",
        ),
        (
            "oldest_due",
            (pay("230.00", "P"),),
            "a payment belongs to no document: no open document takes all of it",
        ),
        (
            "oldest_due",
            (back("P"),),
            "a payment was not counted: a reversal names a payment that is not known",
        ),
        ("team", (back("P"),), "a reversal belongs to no document: it names no document"),
        (
            "oldest_due",
            (P60, pay("70.00", "P-1")),
            "a payment was not counted: another amount than before was reported for the same payment",
        ),
    ],
)
def test_what_a_person_has_to_look_at_says_why(rule: str, acts: Sequence[Act], said: str) -> None:
    world = a_world(rule)
    comes(*TWO)(world)
    for act in acts:
        act(world)
    (raised,) = [e for e in world.exceptions.raised if "payment" in e.code]
    assert (raised.text, raised.severity, raised.domain, raised.run_id) == (said, "warning", "retail", "none")
    assert raised.part.startswith("payment ")
    if "all of it" in said:
        assert raised.detail["left"] == "30.00 USD"
        assert len(raised.detail["notices"].split()) == 2


def test_what_a_payment_was_recorded_as() -> None:
    world = a_world()
    assert P60(world) == {"early": 1}
    assert P60(world) == {"known": 1}
    comes(*TWO)(world)
    assert P60(world) == {"known": 1}
    assert pay("0.00", "P-7")(world) == {"recorded": 1}
    assert back("P-7")(world) == {"reversed": 1}
    assert pay("500.00", "P-8")(world) == {"recorded": 2, "unassigned": 1}
