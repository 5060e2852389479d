"""What customers did: before, between and after their notices, late, twice; and what that ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.journeys import JourneyRule, why_stopped
from exstream_notify.domain.notices import chain_holds
from exstream_notify.domain.quiet_hours import Window
from tests.fakes import a_document, a_rule
from tests.use_cases.world import World

NIGHT = "2026-11-21T03:30:00+00:00"  # 22:30 in New York


def waiting_sms(at: str = NIGHT, **changes: object) -> World:
    """An SMS that waits for the morning."""
    world = World(a_rule(channels=("sms",), **changes), at=at)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    return world


@pytest.mark.parametrize("about", [{"document_id": "D0001"}, {"customer_key": "C0001"}, {"case_id": "K-1"}])
def test_a_response_by_document_customer_or_case_is_recorded_once(about: dict[str, str]) -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1, case_id="K-1"), a_document(2))
    world.come_to_rest()

    assert world.respond("responded", **about) == {"recorded": 1}
    assert world.respond("responded", **about) == {"known": 1}
    by_customer = about.keys() == {"customer_key"}  # a payment without document and amount is a person's
    assert world.respond("paid", **about) == ({"unassigned": 1} if by_customer else {"recorded": 1})

    assert world.notice("D0001").responses == (("responded",) if by_customer else ("responded", "paid"))
    assert world.notice("D0002").responses == ()
    assert chain_holds(world.notice("D0001"))
    world.check()


def test_a_response_of_another_customer_about_the_document_is_not_theirs() -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    world.respond("responded", customer_key="C0009", document_id="D0001")

    assert world.ledger.of_customer("retail", "C0001")[0].responses == ()


def test_a_response_that_names_a_customer_is_not_about_notices_of_long_ago() -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.clock.advance(days=200)

    assert world.respond("responded", customer_key="C0001") == {"unmatched": 1}


def test_who_paid_before_the_notice_gets_none() -> None:
    world = World(a_rule())
    assert world.respond("paid", customer_key="C0001", document_id="D0001") == {"early": 1}
    assert world.respond("paid", customer_key="C0001", document_id="D0001") == {"early": 1}

    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1, "suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"responded": 1}
    assert world.told() == ["c0002@example.com"]
    world.check()


def test_who_opened_an_email_of_exstream_before_the_notice_is_told_all_the_same() -> None:
    world = World(a_rule())
    assert world.respond("opened", customer_key="C0001", document_id="D0001") == {"unmatched": 1}
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_response_to_a_case_before_its_letter() -> None:
    world = World(a_rule())
    assert world.respond("responded", case_id="K-1", said="withdrawn") == {"early": 1}

    world.drop("run-1", a_document(1, case_id="K-1"), a_document(2, case_id="K-2"))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1, "suppressed": 1}
    assert "withdrawn" in world.notice("D0001").events[0].detail


def test_a_response_to_a_case_ends_only_letters_that_its_customer_can_have_known() -> None:
    world = World(a_rule(), at="2026-11-20T15:00:00+00:00")
    assert world.respond("responded", case_id="K-1", customer_key="C0001", at="2026-11-20T14:00:00Z")
    world.drop(
        "run-1",
        a_document(1, case_id="K-1", produced_at="2026-11-20T03:00:00Z"),
        a_document(1, case_id="K-1", produced_at="2026-11-20T14:30:00Z", document_id="later letter"),
        a_document(2, case_id="K-1", produced_at="2026-11-20T03:00:00Z"),
    )
    world.come_to_rest()

    assert [world.notice(d).status for d in ("D0001", "later letter", "D0002")] == [
        "suppressed",
        "sent",
        "sent",
    ]


@pytest.mark.parametrize("at", ["yesterday", "2099-01-01T00:00:00Z"])
def test_a_response_to_a_case_at_a_time_that_cannot_be_was_made_when_it_came(at: str) -> None:
    world = World(a_rule(), at="2026-11-20T15:00:00+00:00")
    world.respond("responded", case_id="K-1", at=at)
    told = {"D0001": "2026-11-20T14:59:59Z", "D0002": "2026-11-20T15:00:01Z"}
    world.drop("run-1", *(a_document(n, case_id="K-1", produced_at=told[f"D000{n}"]) for n in (1, 2)))
    world.come_to_rest()

    assert [world.notice(d).status for d in told] == ["suppressed", "sent"]


@pytest.mark.parametrize("when", ["decided", "queued"])
def test_a_payment_between_decision_and_sending_still_counts(when: str) -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1))
    while not world.queues["email" if when == "queued" else "decide"].messages and world.step():
        pass
    world.respond("paid", customer_key="C0001", document_id="D0001")
    world.come_to_rest()

    assert world.told() == []
    assert world.outcomes("run-1") == {"suppressed": 1}
    world.check()


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("when", ["decided", "queued"])
def test_a_response_to_a_case_between_decision_and_sending_still_counts(when: str, bulk: bool) -> None:
    world = World(a_rule(), bulk=bulk)
    cases = [a_document(n, case_id=f"K-{n}") for n in (1, 2, 3)]
    world.drop("run-1", *cases, a_document(4))
    while not world.queues["email" if when == "queued" else "decide"].messages and world.step():
        pass
    assert world.respond("responded", case_id="K-2", said="withdrawn") == {"early": 1}
    world.come_to_rest()

    assert sorted(world.told()) == ["c0001@example.com", "c0003@example.com", "c0004@example.com"]
    assert world.outcomes("run-1") == {"notified": 3, "suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"responded": 1}
    assert "withdrawn" in world.notice("D0002").events[-1].detail
    world.check()


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("when", ["before", "decided", "queued"])
def test_a_response_by_document_alone_before_its_notice_ends_just_that(when: str, bulk: bool) -> None:
    world = World(a_rule(), bulk=bulk)
    if when != "before":
        world.drop("run-1", *(a_document(n) for n in (1, 2, 3)))
        while not world.queues["email" if when == "queued" else "decide"].messages and world.step():
            pass
    assert world.respond("responded", document_id="D0002", by="portal user") == {"early": 1}
    if when == "before":
        world.clock.advance(seconds=10 * 86_400)
        world.drop("run-1", *(a_document(n, produced_at=None) for n in (1, 2, 3)))
    world.come_to_rest()

    assert sorted(world.told()) == ["c0001@example.com", "c0003@example.com"]
    assert world.outcomes("run-1") == {"notified": 2, "suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"responded": 1}
    assert "portal user" in world.notice("D0002").events[-1].detail
    world.check()


def test_what_was_composed_after_a_response_by_document_is_news() -> None:
    world = World(a_rule())
    world.respond("responded", document_id="D0001", at="2026-11-20T14:00:00Z")
    world.drop("run-1", a_document(1, produced_at="2026-11-20T14:30:00Z"))
    world.come_to_rest()

    assert world.told() == ["c0001@example.com"]


def test_documents_are_asked_for_only_while_a_response_by_document_is_kept_in_their_domain() -> None:
    world = World(a_rule(), bulk=True)
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    assert "early_responses.on" not in world.wire.calls

    world.respond("responded", document_id="elsewhere")
    world.drop("run-2", a_document(3), a_document(4))
    world.come_to_rest()
    assert world.wire.calls["early_responses.on"] == 2  # the decision's, and the job's
    assert len(world.told()) == 4


@pytest.mark.parametrize(("days", "told"), [(1, 0), (4, 1)])
def test_a_response_answers_a_letter_of_unknown_age_for_some_days_only(days: int, told: int) -> None:
    world = World(a_rule())
    assert world.respond("responded", case_id="K-1") == {"early": 1}
    world.clock.advance(seconds=days * 86_400)
    world.drop("run-1", a_document(1, case_id="K-1", produced_at=None))
    world.come_to_rest()

    assert len(world.told()) == told


def test_cases_are_asked_for_once_a_batch_and_only_where_there_are_some() -> None:
    world = World(a_rule(), bulk=True)
    world.drop("run-1", *(a_document(n, case_id=f"K-{n}") for n in range(1, 51)))
    world.come_to_rest()
    assert world.wire.calls["early_responses.on"] == 2  # the decision's, and the job's

    world = World(a_rule(), bulk=True)
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    assert "early_responses.on" not in world.wire.calls


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_claim_of_a_dead_worker_is_resolved_though_its_case_was_answered_since(when: Any) -> None:
    def dropped() -> World:
        world = World(a_rule())
        world.drop("run-1", a_document(1, case_id="K-1"))
        return world

    probe = dropped()
    probe.come_to_rest()
    posting = next(n for n, call in enumerate(probe.wire.log, 1) if call.startswith("provider"))
    world = dropped()
    world.wire.kill_at(posting, when)
    while not world.kills:
        world.step()
    # The index did not show the claim yet, so the response was kept.
    world.answer_case("K-1")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert len(world.told()) == (when == "after")
    world.check()


def test_a_response_kept_while_its_notice_is_being_claimed_is_found_on_it() -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1, case_id="K-1"))
    keep = world.early_responses.keep

    def claimed_meanwhile(*kept: Any) -> None:
        world.early_responses.keep = keep  # type: ignore[method-assign]
        world.come_to_rest()
        keep(*kept)

    world.early_responses.keep = claimed_meanwhile  # type: ignore[method-assign]
    assert world.respond("responded", case_id="K-1") == {"recorded": 1}

    assert world.notice("D0001").responses == ("responded",)
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_response_kept_before_an_index_showed_its_notice_spares_what_waits() -> None:
    world = World(a_rule(channels=("sms",)), at=NIGHT)
    world.drop("run-1", a_document(1, case_id="K-1"))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    world.answer_case("K-1")
    world.come_to_rest()

    assert world.told() == []
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.notice("D0001").responses == ("responded",)
    world.check()


# --- payments --------------------------------------------------------------------------------------


def owing(amount: str | None = "100.00", at: str = "2026-11-20T15:00:00+00:00", **changes: Any) -> World:
    """An SMS of a bill, sent by day and waiting by night."""
    world = World(a_rule(channels=("sms",), **changes), at=at)
    world.drop("run-1", a_document(1, amount_due=amount, currency="USD"))
    world.drain()
    return world


def pay(world: World, amount: str = "", currency: str = "USD", at: str = "2026-11-21T10:00:00Z") -> Any:
    about = {"customer_key": "C0001", "document_id": "D0001"}
    return world.respond("paid", **about, amount=amount, currency=currency, at=at)


@pytest.mark.parametrize(
    ("due", "amount", "currency", "settles"),
    [
        ("100.00", "100.00", "USD", True),
        ("100.00", "100.0000", "", True),
        ("100.00", "250", "USD", True),
        ("100.00", "99.99", "USD", False),
        ("100.00", "0.00", "USD", False),
        ("100.00", "-100.00", "USD", False),
        ("100.00", "100.00", "EUR", False),
        ("100.00", "", "", True),
        (None, "5.00", "USD", True),
        ("0.00", "5.00", "USD", True),
        ("-12.00", "5.00", "USD", True),
        ("0.30", "0.1", "USD", False),
    ],
)
def test_a_payment_ends_what_waits_where_it_leaves_nothing_due(
    due: str | None, amount: str, currency: str, settles: bool
) -> None:
    world = owing(due, at=NIGHT)
    word = "recorded" if settles else "reversed" if amount.startswith("-") else "in_part"
    assert pay(world, amount, currency) == {word: 1}
    world.come_to_rest()

    assert world.outcomes("run-1") == ({"suppressed": 1} if settles else {"notified": 1})
    assert world.notice("D0001").responses == (("paid",) if settles else ())
    world.check()


def test_payments_in_part_add_up_each_once_and_in_the_documents_currency() -> None:
    world = owing("0.30")
    for at in ("10", "10", "11", "11"):
        pay(world, "0.10", at=f"2026-11-21T{at}:00:00Z")
    pay(world, "500.00", "EUR", at="2026-11-21T12:00:00Z")
    assert world.notice("D0001").responses == ()
    assert [e.what for e in world.notice("D0001").events].count("paid in part") == 3

    assert pay(world, "0.10", at="2026-11-21T13:00:00Z") == {"recorded": 1}
    assert world.notice("D0001").responses == ("paid",)
    assert pay(world, "0.10", at="2026-11-21T14:00:00Z") == {"recorded": 1}
    assert pay(world, "0.10", at="2026-11-21T14:00:00Z") == {"known": 1}
    assert world.notice("D0001").responses == ("paid",)
    assert chain_holds(world.notice("D0001"))


def test_the_rule_can_say_that_any_payment_settles() -> None:
    world = owing(any_payment_settles=True)
    assert pay(world, "1.00") == {"recorded": 1}


def test_a_payment_whose_record_is_gone_counts() -> None:
    world = owing()
    world.records.slices.clear()
    assert pay(world, "1.00") == {"recorded": 1}


def test_a_payment_in_part_leaves_the_journey_going() -> None:
    world = owing()
    notice = world.notice("D0001")
    rule = JourneyRule("dunning", ("statement",), (), stops=("paid",))
    pay(world, "99.00")
    assert why_stopped(rule, world.notice("D0001")) == why_stopped(rule, notice) == ""
    pay(world, "1.00", at="2026-11-22T10:00:00Z")
    assert why_stopped(rule, world.notice("D0001")) == "paid"


# --- proof -----------------------------------------------------------------------------------------


def test_an_acknowledgement_is_proved() -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1, requires_ack=True))
    world.come_to_rest()
    world.respond(
        "acknowledged", customer_key="C0001", document_id="D0001", at="2026-11-22T10:01:00Z", by="Ann"
    )
    world.respond(
        "acknowledged", customer_key="C0001", document_id="D0001", at="2026-11-23T10:01:00Z", by="Bob"
    )

    (line,) = [row for row in world.evidence.lines.values() if row.ref.endswith(":acknowledged")]
    assert line.body["acknowledged_by"] == "Ann"
    assert line.body["acknowledged_at"] == "2026-11-22T10:01:00Z"
    assert line.salt == world.contacts.stored["retail", "C0001"].salt
    (event,) = [e for e in world.notice("D0001").events if e.what == "acknowledged"]
    assert "by Ann" in event.detail
    assert "evidence " in event.detail


# --- what waits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        (NIGHT, "2026-11-21T13:00:00+00:00"),
        ("2026-11-01T02:30:00+00:00", "2026-11-01T13:00:00+00:00"),  # clocks go back in this night
        ("2026-03-08T03:30:00+00:00", "2026-03-08T12:00:00+00:00"),  # and forward in this one
    ],
)
def test_an_sms_of_the_night_goes_out_at_eight(at: str, morning: str) -> None:
    world = waiting_sms(at)
    opens = datetime.fromisoformat(morning)

    world.wait_until(opens - timedelta(seconds=1))
    assert world.told() == []
    world.come_to_rest()

    assert len(world.outbox) == 1
    assert timedelta(0) <= world.clock.now() - opens < timedelta(minutes=2)
    world.check()


@pytest.mark.parametrize("kind", ["responded", "paid", "acknowledged", "opened"])
def test_who_responded_in_the_night_gets_no_sms_in_the_morning(kind: str) -> None:
    world = waiting_sms()
    world.respond(kind, customer_key="C0001", document_id="D0001")  # type: ignore[arg-type]
    world.come_to_rest()

    assert world.told() == []
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.notice("D0001").why == "responded"


def test_who_opted_out_in_the_night_gets_no_sms_in_the_morning() -> None:
    world = waiting_sms()
    world.change_contact(1, opt_outs={"*": ("sms",)})
    world.come_to_rest()

    assert world.told() == []
    assert world.reasons("run-1", "suppressed") == {"opted_out": 1}


def test_what_was_superseded_in_the_night_is_not_sent() -> None:
    world = waiting_sms()
    world.drop("run-2", a_document(2, customer_key="C0001", supersedes="D0001"))
    world.come_to_rest()

    assert [d.notice_id for d in world.outbox] == [world.notice("D0002").notice_id]
    assert world.reasons("run-1", "suppressed") == {"superseded": 1}


def test_what_waits_beyond_its_deadline_is_not_sent() -> None:
    world = waiting_sms(deadline_hours=4)
    world.come_to_rest()

    assert world.told() == []
    assert world.reasons("run-1", "failed") == {"deadline_passed": 1}


def test_a_customer_in_zones_that_never_agree_is_told_and_released_once() -> None:
    world = World(a_rule(channels=("sms",)), at=NIGHT)
    world.policy = type(world.policy)(window=Window(closes=datetime(2026, 1, 1, 10, tzinfo=UTC).time()))
    world.addresses.zones = lambda contact: ("America/New_York", "Pacific/Auckland")  # type: ignore[method-assign]
    world.drop("run-1", a_document(1))
    world.come_to_rest(limit=5)

    assert world.outcomes("run-1") == {"notified": 1}


def test_a_response_to_an_email_spares_the_second_channel() -> None:
    world = World(a_rule(both_channels=True), at=NIGHT)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    world.respond("opened", customer_key="C0001", document_id="D0001")
    world.come_to_rest()

    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}
