"""Several documents of one customer whose steps are due together are one message."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.journeys import STOPPED, Cap, Delay, JourneyRule, Step
from exstream_notify.domain.notices import Status, happened
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.domain.together import as_one
from exstream_notify.use_cases import advance_journey as advancing
from exstream_notify.use_cases.control_journeys import stop_run
from tests.fakes import FakeRules, a_document, a_rule
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

DEBT: dict[str, Any] = {
    "customer_key": "C0001", "document_type": "payment-reminder", "country": "US", "amount_due": "100.00",
    "currency": "USD", "due_date": "2026-12-10",
}  # fmt: skip
STEPS = [f"step:dunning:{n}" for n in (1, 2, 3)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00+00:00")


def debts(*numbers: int, **changes: Any) -> list[Any]:
    return [a_document(number, **{**DEBT, **changes}) for number in numbers]


def said(world: World) -> list[tuple[str, str, str]]:
    """Step, words and lead document of each message of the journey."""
    found = []
    for delivery in world.outbox:
        notice = world.ledger.notices[delivery.notice_id]
        if notice.rule_version:
            found.append((notice.purpose, delivery.text.split("|")[0], notice.document_id))
    return found


def records(world: World, document_id: str) -> list[str]:
    """The steps of a document that are on record, with how they stand."""
    return sorted(
        f"{n.purpose} {n.status}" for n in world.ledger.notices.values()
        if n.document_id == document_id and n.rule_version
    )  # fmt: skip


def test_seven_invoices_due_on_one_day_are_one_message_a_step() -> None:
    world = shipped(slice_records=3)
    world.drop("run-1", *debts(*range(1, 8)))
    world.follow()

    assert [(step, words) for step, words, _ in said(world)] == [
        (STEPS[0], "payments-due-soon"),
        (STEPS[1], "payments-overdue"),
        (STEPS[2], "final-demands"),
    ]
    for number in range(1, 8):
        assert records(world, f"D000{number}") == [f"{step} sent" for step in STEPS]
    assert len(world.journey_events.told) == 7
    world.check()


def test_documents_of_two_runs_are_one_message_and_other_customers_and_dates_are_not() -> None:
    world = shipped()
    world.drop(
        "run-1",
        *debts(1),
        *debts(5, due_date="2026-12-17"),
        a_document(9, **{**DEBT, "customer_key": "C0009"}),
    )
    world.drop("run-2", *debts(2), *debts(3, recipient="joint"))
    world.follow_until(at("2026-12-08T15"))

    assert Counter(words for _, words, _ in said(world)) == {"payments-due-soon": 1, "payment-due-soon": 2}
    assert records(world, "D0001") == records(world, "D0002") == [f"{STEPS[0]} sent"]


@pytest.mark.parametrize(
    ("amounts", "currencies", "total"),
    [
        (("10.00", "20.50"), ("USD", "USD"), "30.50"),
        (("10.00", None), ("USD", "USD"), None),
        (("10.00", "20.50"), ("USD", "EUR"), None),
    ],
)
def test_a_total_is_said_only_where_there_is_one(amounts: Any, currencies: Any, total: str | None) -> None:
    documents = [
        a_document(n, **{**DEBT, "amount_due": amount, "currency": currency, "due_date": f"2026-12-1{9 - n}"})
        for n, (amount, currency) in enumerate(zip(amounts, currencies, strict=True))
    ]
    one = as_one(documents)
    assert (one.amount_due, one.due_date, one.together) == (total, "2026-12-18", 2)


def stops(world: World, document_id: str) -> None:
    world.ledger.put([happened(world.notice(document_id), world.clock.now(), STOPPED, "ann: complaint")])


def pays(world: World, document_id: str) -> None:
    world.respond("paid", document_id=document_id, customer_key="C0001")


@pytest.mark.parametrize("ends", [stops, pays])
@pytest.mark.parametrize("who", ["D0001", "D0002", "D0003"])
def test_a_document_that_is_settled_while_its_message_waits_is_left_out(ends: Any, who: str) -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2, 3, email=None, time_zone="America/New_York"))
    world.drain()
    world.off.add("sms")
    world.follow_until(at("2026-12-07T16"))
    ends(world, who)
    world.off.discard("sms")
    world.follow_until(at("2026-12-08T16"))

    assert [words for _, words, _ in said(world)] == ["payments-due-soon"]
    assert [r for r in records(world, who) if r.endswith(" sent")] == []
    for other in {"D0001", "D0002", "D0003"} - {who}:
        assert records(world, other) == [f"{STEPS[0]} sent"]


def test_what_is_left_of_two_is_said_in_the_ordinary_words() -> None:
    for settled, left in (("D0001", "D0002"), ("D0002", "D0001")):
        world = shipped()
        world.drop("run-1", *debts(1, 2, email=None))
        world.drain()
        world.off.add("sms")
        world.follow_until(at("2026-12-07T16"))
        pays(world, settled)
        world.off.discard("sms")
        world.follow_until(at("2026-12-08T16"))
        assert said(world) == [(STEPS[0], "payment-due-soon", left)]


def run_is_cancelled(world: World, number: int) -> None:
    world.control(f"run-{number}", Control.CANCEL)


def run_is_stopped(world: World, number: int) -> None:
    stop_run(f"retail/run-{number}", "ann", "complaint", journeys=world.journeys, clock=world.clock)


def date_moves(world: World, number: int) -> None:
    world.drop("run-9", *debts(number, email=None, due_date="2027-01-20"))
    world.drain()


def is_paid(world: World, number: int) -> None:
    pays(world, f"D000{number}")


@pytest.mark.parametrize("happens", [run_is_cancelled, run_is_stopped, date_moves, is_paid])
@pytest.mark.parametrize("number", [1, 2])
def test_what_ends_one_while_the_message_waits_leaves_the_other_its_step(happens: Any, number: int) -> None:
    world = shipped()
    world.drop("run-1", *debts(1, email=None))
    world.drop("run-2", *debts(2, email=None, mobile="+12025550101"))
    world.drain()
    world.off.add("sms")
    world.follow_until(at("2026-12-07T16"))
    happens(world, number)
    world.off.discard("sms")
    world.follow_until(at("2026-12-08T16"))

    assert said(world) == [(STEPS[0], "payment-due-soon", f"D000{3 - number}")]
    assert f"{STEPS[0]} sent" not in records(world, f"D000{number}")
    world.follow()
    moved = [words for step, words, document in said(world) if document == f"D000{number}"]
    assert moved == (["payment-due-soon", "overdue-notice", "final-demand"] if happens is date_moves else [])
    world.check()


def test_a_document_whose_amount_was_corrected_is_one_of_the_message_once() -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2, mobile=None, email="a@example.com"))
    world.drain()
    world.drop("run-2", *debts(1, mobile=None, email="a@example.com", amount_due="80.00"))
    world.drain()
    world.follow_until(at("2026-12-08T16"))
    assert [words for _, words, _ in said(world)] == ["payments-due-soon"]
    (lead,) = (n for n in world.ledger.notices.values() if n.purpose == STEPS[0] and len(n.together) > 1)
    assert sorted(lead.together) == sorted(world.notice(d).notice_id for d in ("D0001", "D0002"))


@pytest.mark.parametrize("number", [1, 2])
def test_a_document_that_is_corrected_after_its_message_is_not_told_of_that_step_again(number: int) -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2, mobile=None, email="a@example.com"))
    world.follow_until(at("2026-12-08T16"))
    world.drop("run-2", *debts(number, mobile=None, email="a@example.com", amount_due="80.00"))
    world.follow()
    assert Counter(step for step, _, _ in said(world)) == dict.fromkeys(STEPS, 1)
    assert [e.code for e in world.exceptions.raised].count("correction_not_told") == 1


def test_a_message_that_bounces_goes_on_to_the_other_channel_with_all_its_documents() -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2))
    world.follow_until(at("2026-12-07T16"))
    lead = world.outbox[-1]
    world.report(world.receipt(lead, Kind.HARD_BOUNCE))
    world.drain()

    assert [(d.channel, d.text.split("|")[0]) for d in world.outbox[-2:]] == [
        ("email", "payments-due-soon"), ("sms", "payments-due-soon"),
    ]  # fmt: skip


def test_a_message_counts_once_against_the_cap() -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2, 3, 4, 5, 6))
    world.follow_until(at("2026-12-07T16"))
    world.drop("run-2", a_document(8, **{**DEBT, "due_date": "2026-12-15"}))
    world.follow_until(at("2026-12-11T16"))

    assert records(world, "D0008") == [f"{STEPS[0]} sent"]


def test_who_opted_out_of_all_gets_no_message_and_each_document_its_end() -> None:
    world = shipped()
    world.drop("run-1", *debts(1, 2))
    world.drain()
    world.change_contact(1, opt_outs={"*": ("email", "sms")})
    world.follow()

    assert said(world) == []
    assert sorted(str(e["document_id"]) for e in world.journey_events.told) == ["D0001", "D0002"]


def test_more_customers_than_a_page_holds_each_get_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advancing, "PAGE_CUSTOMERS", 2)
    world = shipped(slice_records=4)
    world.drop("run-1", *(a_document(n, **{**DEBT, "customer_key": f"C{n % 5}"}) for n in range(1, 11)))
    world.follow_until(at("2026-12-08T16"))

    assert Counter(words for _, words, _ in said(world)) == {"payments-due-soon": 5}


def test_whatever_call_kills_a_worker_nobody_is_told_twice_and_every_document_is_told_of() -> None:
    def a_story() -> World:
        world = shipped(slice_records=2)
        world.drop("run-1", *debts(1, 2, 3, mobile=None))
        world.follow_until(at("2026-12-06T15"))
        return world

    whole = a_story()
    before = whole.wire.number
    whole.follow_until(at("2026-12-08T15"))
    assert len(said(whole)) == 1
    for number in range(before + 1, whole.wire.number + 1):
        for when in ("before", "after"):
            world = a_story()
            world.wire.kill_at(number, when)
            while world.clock.now() < at("2026-12-08T15"):
                world.follow_until(world.clock.now() + timedelta(hours=6))
            where = f"killed {world.wire.killed_at}"
            steps = [n for n in world.ledger.notices.values() if n.rule_version]
            assert len(said(world)) <= 1, where
            assert len(steps) == 3, where
            assert {n.status for n in steps} <= {Status.SENT, Status.UNCONFIRMED}, where
            world.check()


@pytest.mark.parametrize("cap", [None, Cap(9, 7)])
def test_documents_are_one_message_whether_the_journey_has_a_cap_or_not(cap: Cap | None) -> None:
    step = Step(Delay(days=3), channels=("email",), wording="one", digest="several")
    journey = JourneyRule("reminder", ("statement",), (step,), cap=cap)
    world = World(site_rules=FakeRules(a_rule(), journeys=(journey,)))
    world.drop("run-1", a_document(1), a_document(2, customer_key="C0001"), a_document(3))
    world.follow()
    assert sorted((words, name) for _, words, name in said(world)) == [("one", "D0003"), ("several", "D0001")]
