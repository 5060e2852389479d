"""Money owed: nobody is dunned for nothing, payments count once each, and reminders name what is left."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.adapters.dynamodb.ledger import to_item
from exstream_notify.domain.documents import Document, DocumentRule
from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.notices import Status, chain_holds
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.responses import MAX_PAYMENT_EVENTS, ResponseEvent
from exstream_notify.use_cases.record_response import record_response
from tests.fakes import FakeRules, FakeWording, Killed, a_document, a_rule
from tests.use_cases.world import World

AT = "2026-11-20T15:00:00+00:00"
DUE = "2026-12-01"
DUNNING = JourneyRule(
    "dunning",
    ("payment-reminder", "invoice"),
    (
        Step(Delay(days=-3), "due_date", channels=("email",), wording="payment-due-soon"),
        Step(Delay(days=2), "due_date", channels=("email",), wording="overdue-notice"),
        Step(Delay(days=14), "due_date", channels=("email",), wording="final-demand"),
        Step(Delay(days=28), "due_date", end="case", team="collections"),
    ),
    stops=("paid", "responded"),
)
REMINDER = a_rule(name="payment-reminder", message_class="collections", wording="payment-reminder")
INVOICE = a_rule(name="invoice", wording="invoice")


class ShowingWording(FakeWording):
    """Words that name the amount, so that a test can read it in the outbox."""

    def render(self, wording: str, channel: Any, document: Document, **how: Any) -> Any:
        """See `Wording.render`."""
        said = super().render(wording, channel, document, **how)
        return replace(said, text=f"{said.text}|{document.amount_due or 'no amount'}")


def a_world(*rules: DocumentRule, journeys: Sequence[JourneyRule] = (DUNNING,), **changes: Any) -> World:
    world = World(site_rules=FakeRules(*(rules or (REMINDER, INVOICE)), journeys=journeys), at=AT, **changes)
    world.wording = ShowingWording()
    return world


def owing(number: int = 1, amount: str | None = "100.00", **changes: Any) -> Document:
    fields = {"document_type": "payment-reminder", "due_date": DUE, "currency": "USD"}
    return a_document(number, amount_due=amount, **{**fields, **changes})


_EVENTS = itertools.count()


def pays(world: World, amount: str = "", identity: str = "", number: int = 1, **more: str) -> Any:
    about = {"customer_key": f"C{number:04d}", "document_id": f"D{number:04d}"}
    fields = {
        "event_id": f"event {next(_EVENTS)}",
        "currency": "USD",
        "payment_id": identity,
        **about,
        **more,
    }
    # How often each counts depends on how many steps have notices of their own by now.
    return dict.fromkeys(world.respond("paid", amount=amount, **fields), 1)


def takes_back(world: World, of: str, amount: str = "", **more: str) -> Any:
    return pays(world, amount, reversal_of=of, **more)


def shown(world: World, document_id: str = "D0001") -> list[tuple[str, str]]:
    """Words and amount of all that went out about a document, in order."""
    sent = sorted(world.outbox, key=lambda d: d.posting)
    words = [d.text.split("|") for d in sent if f"|{document_id}|" in d.text]
    return [(w[0], w[-1]) for w in words if w[0] != "team-copy"]


def day(number: int) -> datetime:
    """Noon of a day after the due date (negative: before it)."""
    return datetime.fromisoformat(f"{DUE}T12:00:00+00:00") + timedelta(days=number)


def codes(world: World) -> list[str]:
    return [e.code for e in world.exceptions.raised]


# --- nothing due ------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["0.00", "0", "-25.00", "-0.01"])
def test_nobody_is_dunned_for_nothing_or_a_credit(amount: str) -> None:
    copied = replace(REMINDER, teams=("risk",), team_copy="each")
    world = a_world(copied, teams={"risk": "risk@example.com"})
    world.rules.teams = {"risk": "risk@example.com"}
    world.drop("run-1", owing(1, amount), owing(2), owing(3, amount), owing(4, None))
    world.drain()

    assert world.outcomes("run-1") == {"notified": 2, "suppressed": 2}
    assert world.reasons("run-1", "suppressed") == {"nothing_due": 2}
    assert world.told() == ["c0002@example.com", "c0004@example.com", "risk@example.com", "risk@example.com"]
    (raised,) = [e for e in world.exceptions.raised if e.code == "nothing_due"]
    assert (raised.count, raised.severity, raised.document_type) == (2, "warning", "payment-reminder")
    world.follow()
    assert not [
        n for n in world.ledger.notices.values() if n.purpose != "notice" and n.document_id == "D0001"
    ]
    assert len(shown(world, "D0002")) == 4  # the notice and three steps
    world.check()


@pytest.mark.parametrize(("amount", "steps"), [("0.00", 0), ("-12.50", 0), ("5.00", 3), (None, 3)])
def test_a_bill_of_nothing_is_notified_and_not_followed_up(amount: str | None, steps: int) -> None:
    world = a_world()
    world.drop("run-1", owing(1, amount, document_type="invoice"))
    world.follow()

    assert world.outcomes("run-1") == {"notified": 1}
    assert len(shown(world)) == 1 + steps
    assert "nothing_due" not in codes(world)


def test_a_journey_about_something_else_follows_a_statement_of_nothing_all_the_same() -> None:
    unread = JourneyRule(
        "unread",
        ("invoice",),
        (Step(Delay(days=7), channels=("email",), wording="unread"), Step(Delay(days=21), end="event")),
        stops=("opened", "paid"),
    )
    for asks, told in ((None, 2), (True, 1)):
        world = a_world(journeys=[replace(unread, asks_for_payment=asks)])
        world.drop("run-1", owing(1, "0.00", document_type="invoice"))
        world.follow()
        assert len(shown(world)) == told


def test_an_accounts_status_can_make_a_demand_of_a_bill() -> None:
    demand = replace(INVOICE, name="invoice/late", wording="final-demand", asks_for_payment=True)
    world = a_world(INVOICE, demand)
    rows = [owing(n, "0.00", document_type="invoice", account_status=s) for n, s in ((1, "late"), (2, None))]
    world.drop("run-1", *rows)
    world.come_to_rest()

    assert world.told() == ["c0002@example.com"]
    assert world.reasons("run-1", "suppressed") == {"nothing_due": 1}


def test_an_account_that_is_settled_says_so_and_is_not_reported() -> None:
    settled = replace(REMINDER, name="payment-reminder/paid", skip="account settled")
    world = a_world(REMINDER, settled)
    world.drop("run-1", owing(1, "0.00", account_status="paid"))
    world.come_to_rest()

    assert world.reasons("run-1", "suppressed") == {"account_status": 1}
    assert codes(world) == []


# --- what a reminder names --------------------------------------------------------------------------


def test_a_reminder_after_part_payments_names_what_is_left() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.follow_until(day(-5))
    assert pays(world, "30.00", "P-1") == {"in_part": 1}
    world.follow_until(day(0))
    pays(world, "20.00", "P-2")
    pays(world, "20.00", "P-2")
    world.follow_until(day(5))
    pays(world, "20.00", "P-3")
    world.follow()

    assert shown(world) == [
        ("payment-reminder", "100.00"),
        ("payment-due-soon", "70.00"),
        ("overdue-notice", "50.00"),
        ("final-demand", "30.00"),
    ]
    assert chain_holds(world.notice("D0001"))
    world.check()


@pytest.mark.parametrize("bulk", [False, True])
def test_where_nobody_can_say_what_is_left_no_amount_is_named(bulk: bool) -> None:
    world = a_world(bulk=bulk)
    world.drop("run-1", owing(1), owing(2))
    world.follow_until(day(-5))
    assert pays(world, "40.00", "P-1", currency="EUR") == {"in_part": 1}
    assert pays(world, "40.00", "P-1", currency="EUR") == {"known": 1}
    world.follow_until(day(0))

    (step,) = [
        n for n in world.ledger.notices.values() if n.purpose == "step:dunning:1" and "1" in n.document_id
    ]
    assert step.status == Status.SENT
    if not bulk:
        assert shown(world)[1:] == [("payment-due-soon", "no amount")]
        assert shown(world, "D0002")[1:] == [("payment-due-soon", "100.00")]
    (raised,) = [e for e in world.exceptions.raised if e.code == "payment_uncounted"]
    assert "currency" in raised.text


def test_two_equal_payments_of_one_day_with_ids_of_their_own_count_twice() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.drain()
    same = {"at": "2026-11-21"}
    assert pays(world, "50.00", "P-1", **same) == {"in_part": 1}
    assert pays(world, "50.00", "P-2", **same) == {"recorded": 1}
    world.follow()

    assert world.notice("D0001").responses == ("paid",)
    assert shown(world) == [("payment-reminder", "100.00")]


def test_the_same_payment_counts_once_however_it_comes_again() -> None:
    world = a_world()
    world.drop("run-1", owing(1), owing(2), owing(3))
    world.drain()
    for event in ("e1", "e2", "e1"):  # an id of the payment's own: other events are the same payment
        pays(world, "50.00", "P-1", event_id=event)
    for _ in range(3):  # none: the event's id
        pays(world, "50.00", number=2, event_id="e7")
    pays(world, "50.00", number=3, event_id="e8")
    pays(world, "50.00", number=3, event_id="e9")

    assert [world.notice(f"D000{n}").responses for n in (1, 2, 3)] == [(), (), ("paid",)]


def test_the_same_id_with_another_amount_is_reported_and_the_first_stays() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.drain()
    pays(world, "50.00", "P-1")
    assert pays(world, "100.00", "P-1") == {"known": 1}
    world.drain()

    assert world.notice("D0001").responses == ()
    assert codes(world) == ["payment_uncounted"]


def test_a_payment_while_a_step_lies_on_its_queue_is_named_and_a_full_one_ends_it() -> None:
    for amount, expected in (("40.00", [("payment-due-soon", "60.00")]), ("100.00", [])):
        world = a_world()
        world.drop("run-1", owing())
        world.follow_until(datetime.fromisoformat("2026-11-28T14:59:00+00:00"))
        world.clock.move_to(datetime.fromisoformat("2026-11-28T15:00:00+00:00"))
        world.sweep_journeys()
        world.executions.wake(world.clock.now(), world.advance)
        while not world.queues["email"].messages:
            assert world.step()
        pays(world, amount, "P-1")
        world.follow_until(day(0))
        assert shown(world)[1:] == expected


def test_a_fallback_after_a_part_payment_names_what_is_left() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.drain()
    pays(world, "40.00", "P-1")
    world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.come_to_rest(limit=10)

    assert [(d.channel, d.text.split("|")[-1]) for d in world.outbox[:2]] == [
        ("email", "100.00"),
        ("sms", "60.00"),
    ]


# --- before the notice ------------------------------------------------------------------------------


def test_payments_before_the_notice_add_up_each_once() -> None:
    world = a_world()
    pays(world, "30.00", "P-1")
    pays(world, "30.00", "P-1")
    pays(world, "30.00", "P-2")
    pays(world, "40.00", "P-1", number=2)
    pays(world, "60.00", "P-2", number=2)
    world.drop("run-1", owing(1), owing(2))
    world.follow_until(day(0))

    assert world.outcomes("run-1") == {"notified": 1, "suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"responded": 1}
    assert shown(world) == [("payment-reminder", "40.00"), ("payment-due-soon", "40.00")]
    assert pays(world, "40.00", "P-3") == {"recorded": 1}
    world.check()


def test_a_payment_taken_back_before_the_notice_is_none() -> None:
    world = a_world()
    takes_back(world, "P-1")
    pays(world, "100.00", "P-1")
    world.drop("run-1", owing())
    world.drain()

    assert shown(world) == [("payment-reminder", "100.00")]


@pytest.mark.parametrize(("amount", "told"), [("100.00", []), ("40.00", [("payment-reminder", "60.00")])])
def test_a_payment_between_decision_and_claim_counts(amount: str, told: list[tuple[str, str]]) -> None:
    world = a_world()
    world.drop("run-1", owing())
    while not world.queues["email"].messages:
        assert world.step()
    pays(world, amount, "P-1")
    world.come_to_rest()

    assert shown(world) == told


@pytest.mark.parametrize(("amount", "told"), [("100.00", []), ("40.00", [("payment-reminder", "60.00")])])
def test_a_payment_while_the_words_are_made_counts(amount: str, told: list[tuple[str, str]]) -> None:
    """It comes after what was paid was read, and before the claim."""
    world = a_world()
    pays(world, "0.00", "P-0", number=7)  # so that the domain's documents are asked for
    world.drop("run-1", owing())
    on, asked = world.early_responses.on, itertools.count()

    def paid_meanwhile(domain: str, subjects: Any) -> Any:
        found = on(domain, subjects)
        if next(asked) == 1:  # the decision's, then the job's first
            pays(world, amount, "P-1")
        return found

    world.early_responses.on = paid_meanwhile  # type: ignore[method-assign]
    world.come_to_rest()

    assert shown(world) == told
    world.check()


def test_the_rule_that_any_payment_settles_holds_before_the_notice_too() -> None:
    for settles, told in ((True, 0), (False, 1)):
        world = a_world(replace(REMINDER, any_payment_settles=settles))
        pays(world, "1.00", "P-1")
        world.drop("run-1", owing())
        world.drain()
        assert len(world.outbox) == told


def test_too_many_payments_before_the_notice_are_reported() -> None:
    world = a_world()
    world.early_responses.most_payments = 3
    for number in range(5):
        pays(world, "1.00", f"P-{number}")
    world.drain()
    assert codes(world) == ["payment_uncounted", "payment_uncounted"]


# --- taken back -------------------------------------------------------------------------------------


def test_a_payment_that_is_taken_back_lets_the_journey_go_on_at_the_step_that_was_missed() -> None:
    world = a_world()
    world.drop("run-1", owing(1), owing(2), owing(3))
    world.follow_until(day(-1))
    for number in (1, 2, 3):
        pays(world, "100.00", f"P-{number}", number=number)
    world.follow_until(day(5))  # the overdue notice was due on day 2
    assert [w for w, _ in shown(world)] == ["payment-reminder", "payment-due-soon"]
    for number in (1, 2):
        told = takes_back(world, f"P-{number}", number=number)
        assert told == {"reversed": 1, "reopened": 1}, number
        assert world.notice(f"D000{number}").responses == ()
    again = takes_back(world, "P-1")
    assert again["known"] == 1
    world.follow()

    words = ["payment-reminder", "payment-due-soon", "overdue-notice", "final-demand"]
    assert [shown(world, d) for d in ("D0001", "D0002")] == [[(w, "100.00") for w in words]] * 2
    assert [w for w, _ in shown(world, "D0003")] == words[:2]
    assert sorted(e["document_id"] for e in world.journey_events.told) == ["D0001", "D0002"]
    assert "payment_reversed" not in codes(world)
    world.check()


def test_one_that_is_taken_back_before_the_next_step_wakes_changes_nothing_of_the_journey() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.follow_until(day(-1))
    pays(world, "100.00", "P-1")
    assert takes_back(world, "P-1", "30.00") == {"reversed": 1, "reopened": 1}
    world.follow()

    assert shown(world)[1:] == [
        ("payment-due-soon", "100.00"),
        ("overdue-notice", "30.00"),
        ("final-demand", "30.00"),
    ]
    assert len(world.journey_events.told) == 1


def test_a_reversal_while_the_journey_puts_the_customer_aside_brings_them_back() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.follow_until(day(-1))
    pays(world, "100.00", "P-1")
    park = world.journeys.park

    def taken_back_meanwhile(*row: Any) -> None:
        world.journeys.park = park  # type: ignore[method-assign]
        takes_back(world, "P-1")
        park(*row)

    world.journeys.park = taken_back_meanwhile  # type: ignore[method-assign]
    world.follow()

    assert [w for w, _ in shown(world)][2:] == ["overdue-notice", "final-demand"]


def test_a_reversal_after_the_journey_has_ended_is_reported() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.follow()
    pays(world, "100.00", "P-1")
    told = takes_back(world, "P-1")
    world.drain()

    assert told == {"reversed": 1}
    (raised,) = [e for e in world.exceptions.raised if e.code == "payment_reversed"]
    assert raised.detail == {"notices": world.notice("D0001").notice_id}
    assert raised.text == "a payment was taken back of a document that nothing more is sent about"
    assert (raised.severity, raised.domain, raised.run_id) == ("warning", "retail", "run-1")
    assert raised.document_type == world.notice("D0001").document_type
    assert raised.part.startswith("payment ")
    assert raised.part.endswith(f" {world.notice('D0001').notice_id}")
    takes_back(world, "P-1")
    world.drain()
    assert len({(e.part) for e in world.exceptions.raised if e.code == "payment_reversed"}) == 1


def test_a_reversal_of_what_was_paid_before_the_notice_is_reported_since_nobody_was_notified() -> None:
    world = a_world()
    pays(world, "100.00", "P-1")
    world.drop("run-1", owing())
    world.drain()
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.notice("D0001").responses == ("paid",)

    assert takes_back(world, "P-1") == {"reversed": 1}
    world.drain()
    assert codes(world) == ["payment_reversed"]


def test_a_reversal_frees_what_waits_for_the_morning() -> None:
    world = World(
        site_rules=FakeRules(replace(REMINDER, channels=("sms",)), journeys=()),
        at="2026-11-21T03:30:00+00:00",
    )
    world.drop("run-1", owing())
    world.drain()
    pays(world, "100.00", "P-1")
    assert takes_back(world, "P-1") == {"reversed": 1, "reopened": 1}
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_reversal_of_an_unknown_payment_waits_for_it_and_is_reported() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.drain()
    assert takes_back(world, "P-1") == {"reversed": 1}
    world.drain()
    assert codes(world) == ["payment_uncounted"]
    assert pays(world, "100.00", "P-1") == {"in_part": 1}
    assert world.notice("D0001").responses == ()


def test_paid_twice_and_one_taken_back_is_still_paid() -> None:
    world = a_world()
    world.drop("run-1", owing())
    world.drain()
    pays(world, "100.00", "P-1")
    pays(world, "100.00", "P-2")
    assert takes_back(world, "P-1") == {"reversed": 1}
    assert world.notice("D0001").responses == ("paid",)
    assert takes_back(world, "P-2") == {"reversed": 1, "reopened": 1}
    assert world.notice("D0001").responses == ()


@pytest.mark.parametrize("paid", ["100.00", ""])
def test_an_amount_taken_back_that_names_no_payment_opens_the_notice_again_in_either_order(paid: str) -> None:
    ends = []
    for order in ((0, 1), (1, 0)):
        world = a_world()
        world.drop("run-1", owing())
        world.follow_until(day(-5))
        acts = [lambda w=world: pays(w, paid, "P-1"), lambda w=world: pays(w, "-30.00")]
        told = [acts[number]() for number in order]
        assert told[1] == ({"reversed": 1, "reopened": 1} if order == (0, 1) else {"in_part": 1})
        world.follow_until(day(0))
        ends.append((world.notice("D0001").responses, shown(world)[1:]))
    assert ends == [((), [("payment-due-soon", "30.00")])] * 2


def test_every_order_of_payments_and_reversals_ends_in_the_same_state() -> None:
    """Through the ledger: what is left, and whether it is paid, as the set of events says."""

    def left(order: Sequence[int]) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
        world = a_world()
        world.drop("run-1", owing())
        world.follow_until(day(-5))
        acts = [
            lambda: pays(world, "60.00", "P-1"),
            lambda: pays(world, "40.00", "P-2"),
            lambda: takes_back(world, "P-1", "10.00", identity="R-1"),
            lambda: takes_back(world, "P-2"),
        ]
        for number in order:
            acts[number]()
            acts[number]()
        world.follow_until(day(0))
        return world.notice("D0001").responses, shown(world)[1:]

    ends = {str(left(order)) for order in itertools.permutations(range(4))}
    assert ends == {str(((), [("payment-due-soon", "50.00")]))}


def test_a_thousand_payments_keep_the_notice_small() -> None:
    world = a_world()
    world.drop("run-1", owing(1, "5000.00"))
    world.drain()
    for number in range(1000):
        pays(world, "1.00", f"P-{number}")
    notice = world.notice("D0001")

    assert sum(e.what == "paid in part" for e in notice.events) == MAX_PAYMENT_EVENTS
    assert chain_holds(notice)
    assert sum(len(str(value)) for value in to_item(notice).values()) < 80_000
    world.follow_until(day(0))
    assert shown(world)[-1] == ("payment-due-soon", "4000.00")


def reports(world: World, event: ResponseEvent) -> None:
    """The function's work on one event, with each call to a service counted; again where it is killed."""
    names = ("ledger", "runs", "evidence", "records", "journeys", "exceptions", "contacts")
    ports = {name: world._ports[name] for name in names}
    early = world._ports["early_responses"]
    for _ in range(2):
        try:
            record_response(event, **ports, early=early, rules=world.rules, clock=world.clock)
        except Killed:
            continue  # its message comes again
        return
    raise AssertionError("killed twice")


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_kills_the_reversal_the_journey_goes_on_once(when: Any) -> None:
    about = {"customer_key": "C0001", "document_id": "D0001", "event_id": "the event"}
    reversal = ResponseEvent("paid", "retail", **about, reversal_of="P-1")

    def paid() -> World:
        world = a_world()
        world.drop("run-1", owing())
        world.follow_until(day(-1))
        pays(world, "100.00", "P-1")
        world.follow_until(day(5))
        return world

    probe = paid()
    before = probe.wire.number
    reports(probe, reversal)
    calls = probe.wire.log[before:]
    assert {"journeys.enrol", "journeys.unpark", "ledger.put"} <= set(calls)
    for number in range(1, len(calls) + 1):
        world = paid()
        world.wire.kill_at(world.wire.number + number, when)
        reports(world, reversal)
        world.follow()
        assert [w for w, _ in shown(world)][2:] == ["overdue-notice", "final-demand"], calls[number - 1]
        assert len(world.journey_events.told) == 1
