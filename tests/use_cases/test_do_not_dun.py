"""Customers who must not be asked for money: by a record's status, by an operator's word, until it is lifted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.debt import BY_OPERATOR, StatusChange, moment
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.documents import Document
from exstream_notify.domain.journeys import is_stopped
from exstream_notify.domain.receipts import Kind
from exstream_notify.use_cases.control_journeys import resume_notices
from exstream_notify.use_cases.hold_collection import (
    HoldPorts,
    dun_again,
    hold_collection,
    record_account_status,
)
from tests.fakes import LostAnswer, a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import DOMAIN, World

REMINDER = {"document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD"}
DUE = "2026-12-10"


def a_reminder(number: int = 1, **changes: Any) -> Document:
    return a_document(number, **{"due_date": DUE, **REMINDER, **changes})


def a_letter(**changes: Any) -> Document:
    """One that asks for no money and that no journey follows."""
    return a_document(1, document_type="service-resolution", **changes)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def ports(world: World) -> HoldPorts:
    return HoldPorts(world.contacts, world.ledger, world.rules, world._ports["exceptions"], world.clock)


def hold(
    world: World, number: int = 1, why: str = "letter of an attorney", who: str = "operator ann"
) -> bool:
    word = DebtHold((BY_OPERATOR,), moment(world.clock.now()), who, why)
    return hold_collection(DOMAIN, f"C{number:04d}", word, ports(world))


def lift(world: World, number: int = 1) -> bool:
    return dun_again(DOMAIN, f"C{number:04d}", "ann", "status was wrong", ports(world))


def codes(world: World) -> list[str]:
    """What was raised; the same report again replaces itself."""
    return [code for code, _, _ in dict.fromkeys((e.code, e.run_id, e.part) for e in world.exceptions.raised)]


def sent(world: World) -> list[tuple[str, str]]:
    """Day and purpose of every message."""
    return sorted(
        (e.at[:10], n.purpose.replace("step:dunning:", "step "))
        for n in world.ledger.notices.values()
        for e in n.events
        if e.what == "claimed"
    )


def test_a_bankrupt_customer_hears_nothing_more_and_the_team_hears_it_once() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.follow_until(at("2026-11-21T15:00"))
    world.drop("run-2", a_letter(document_id="S1", account_status="Chapter 7"))
    world.drain()
    for month in ("jan", "feb", "mar"):
        world.drop(f"run-{month}", a_reminder(document_id=month, account_status="Chapter 7"))
        world.drain()
        assert world.reasons(f"run-{month}", "suppressed") == {"do_not_dun": 1}
    world.drop("run-final", a_reminder(document_id="F", document_type="final-demand"))
    world.follow()

    assert world.outcomes("run-2") == {"notified": 1}  # a letter about a service is no demand
    assert world.reasons("run-final", "suppressed") == {"do_not_dun": 1}
    assert [purpose for _, purpose in sent(world)] == ["notice", "notice"]
    assert codes(world) == ["collection_held"]
    assert is_stopped(world.notice("D0001"))
    world.check()


@pytest.mark.parametrize("kind", ["statement", "policy-document", "payment-reminder", "claim-letter"])
def test_the_status_counts_in_a_record_of_any_type(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind, account_status="verstorben"))
    world.drop("run-2", a_reminder(document_id="R"))
    world.drain()
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.debt_hold is not None
    assert contact.debt_hold.reasons == ("deceased",)
    (entry,) = [row for row in contact.history if row["field"] == "do_not_dun"]
    assert (entry["who"], entry["to"]) == ("run retail/run-1", "deceased")
    assert world.reasons("run-2", "suppressed") == {"do_not_dun": 1}


def test_a_second_reason_is_reported_too_and_both_are_kept() -> None:
    world = shipped()
    for number, status in enumerate(("payment plan", "payment_plan", "deceased", "payment plan", "deceased")):
        world.drop(f"run-{number}", a_reminder(document_id=f"R{number}", account_status=status))
        world.drain()
    assert codes(world) == ["collection_held", "collection_held"]
    stored = world.contacts.stored[DOMAIN, "C0001"].debt_hold
    assert stored is not None
    assert stored.reasons == ("payment-plan", "deceased")


def test_a_test_document_holds_nobody() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(account_status="deceased", test_flag=True))
    world.drop("run-2", a_reminder(document_id="R"))
    world.drain()
    assert world.outcomes("run-2") == {"notified": 1}
    assert codes(world) == []


def test_the_hold_is_the_customers_whichever_recipient_it_was_said_of() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(recipient="A", account_status="insolvent"))
    world.drop("run-2", a_reminder(document_id="R", recipient="B"), a_reminder(2))
    world.drain()
    assert world.outcomes("run-2") == {"notified": 1, "suppressed": 1}
    assert [n.recipient for n in world.ledger.notices.values() if n.status == "suppressed"] == ["A", "B"]


def test_what_waits_for_its_hour_ends_when_the_hold_comes() -> None:
    world = shipped(at="2026-11-20T04:00:00+00:00")
    world.drop("run-1", a_reminder(email=None))  # a text, and it is night in New York
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    assert hold(world)
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"do_not_dun": 1}
    assert world.outbox == []


def test_what_was_decided_and_not_sent_yet_is_not_sent() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    while not world.queues["email"].messages:
        assert world.step()
    assert hold(world)
    world.come_to_rest()
    assert world.outbox == []
    assert world.reasons("run-1", "suppressed") == {"do_not_dun": 1}


def test_a_demand_that_bounced_goes_neither_by_text_nor_on_paper() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(document_type="final-demand"))
    world.drain()
    hold(world)
    world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.come_to_rest()
    assert len(world.outbox) == 1
    assert world.outcomes("run-1") == {"failed": 1}
    assert codes(world) == ["collection_held"]


def test_a_demand_in_doubt_is_neither_printed_nor_looked_at_again_and_again() -> None:
    world = shipped()
    world.mail.script(LostAnswer())
    world.drop("run-1", a_reminder(document_type="final-demand"))
    world.drain()
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    hold(world)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert world.notice("D0001").due_at == ""


@pytest.mark.parametrize(("when", "steps"), [("2026-11-22", 0), ("2026-12-08", 1), ("2026-12-20", 2)])
def test_an_operators_word_ends_the_journey_wherever_it_is(when: str, steps: int) -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.follow_until(at(f"{when}T18:00"))
    assert hold(world)
    assert is_stopped(world.notice("D0001"))
    assert not hold(world)  # the same again is no news
    world.follow()
    assert len([p for _, p in sent(world) if p != "notice"]) == steps
    assert codes(world) == ["collection_held"]
    assert world.journey_events.told == []  # nor does anybody get a case of it
    assert any(e.what == "journey stopped" and "do not dun" in e.detail for e in world.notice("D0001").events)


def test_lifted_new_documents_begin_anew_and_the_old_journey_stays_ended() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.follow_until(at("2026-11-22T15:00"))
    hold(world)
    world.follow_until(at("2026-11-24T15:00"))
    assert lift(world)
    assert not lift(world)
    world.drop("run-2", a_reminder(document_id="N", due_date="2027-01-11"))
    world.follow()
    assert {n.document_id for n in world.ledger.notices.values() if n.purpose != "notice"} == {"N"}
    assert [row["to"] for row in world.contacts.stored[DOMAIN, "C0001"].history] == ["operator", ""]


def test_lifted_a_person_can_let_the_old_journey_go_on() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(account_status="late"))
    world.drain()
    world.follow_until(at("2026-11-22T15:00"))
    # Held by a record and lifted before any step woke.
    world.drop("run-2", a_letter(document_id="S", account_status="disputed"))
    world.drain()
    lift(world)
    said = resume_notices(
        [world.notice("D0001")], "ann", "it was another account",
        ledger=world.ledger, journeys=world.journeys, rules=world.rules, clock=world.clock,
    )  # fmt: skip
    assert said == 1
    world.follow()
    assert [p for _, p in sent(world)] == ["notice", "notice", "step 1", "step 2", "step 3"]


def test_resumed_while_the_hold_stands_nothing_is_sent() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.follow_until(at("2026-11-22T15:00"))
    hold(world)
    resume_notices(
        [world.notice("D0001")], "ann", "", ledger=world.ledger, journeys=world.journeys, rules=world.rules,
        clock=world.clock,
    )  # fmt: skip
    world.follow()
    assert [p for _, p in sent(world)] == ["notice"]


def test_what_was_stated_before_the_hold_was_lifted_does_not_bring_it_back() -> None:
    world = shipped()
    record = a_reminder(account_status="disputed", produced_at="2026-11-19T06:00:00Z")
    world.drop("run-1", record)
    world.drain()
    world.clock.advance(seconds=3600)
    lift(world)
    world.drop(
        "run-2", a_reminder(document_id="old", account_status="disputed", produced_at="2026-11-20T10:00:00Z")
    )
    world.drop("run-3", a_reminder(document_id="plain"))
    world.drain()
    assert world.outcomes("run-2") == {"suppressed": 1}  # its own record still says so
    assert world.outcomes("run-3") == {"notified": 1}
    world.clock.advance(seconds=3600)
    world.drop("run-4", a_reminder(document_id="new", account_status="disputed"))
    world.drop("run-5", a_reminder(document_id="plain2"))
    world.drain()
    assert world.outcomes("run-5") == {"suppressed": 1}
    assert hold(world)  # a person adds a reason
    lift(world)
    assert hold(world)


def test_an_unknown_status_is_reported_once_a_word_and_the_notice_goes_out() -> None:
    world = shipped()
    rows: Sequence[Document] = [
        a_reminder(n, account_status="zz-legal" if n < 4 else "S7") for n in range(1, 6)
    ]
    world.drop("run-1", *rows, a_document(9, account_status="zz-legal"))
    world.drain()
    found = [e for e in world.exceptions.raised if e.code == "account_status_unknown"]
    assert sorted(e.count for e in found) == [2, 3]
    hold(world)
    world.drop("run-2", a_reminder(document_id="R", account_status="zz-legal"))
    world.drain()
    assert not [e for e in world.exceptions.raised if e.run_id == "run-2"]  # a held customer's is no news
    assert world.outcomes("run-1") == {"notified": 6}


@pytest.mark.parametrize("status", ["paid ", "PAID", "Settled", "bezahlt", "closed"])
def test_a_settled_account_is_not_asked(status: str) -> None:
    world = shipped()
    world.drop("run-1", a_reminder(account_status=status))
    world.drain()
    assert world.reasons("run-1", "suppressed") == {"account_status": 1}
    assert codes(world) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_kills_a_worker_the_hold_stands_and_is_reported_once(
    when: Literal["before", "after"],
) -> None:
    def story() -> World:
        world = shipped()
        world.drop("run-1", a_reminder(account_status="bankrupt"), a_reminder(2))
        return world

    whole = story()
    whole.come_to_rest()
    for number in range(1, whole.wire.number + 1):
        world = story()
        world.wire.kill_at(number, when)
        world.come_to_rest()
        assert world.reasons("run-1", "suppressed") == {"do_not_dun": 1}, world.wire.killed_at
        found = {(e.code, e.part) for e in world.exceptions.raised if e.code == "collection_held"}
        assert len(found) == 1, world.wire.killed_at


def change(world: World, **stated: str) -> dict[str, int]:
    return dict(record_account_status(StatusChange(DOMAIN, **{"who": "event e-1", **stated}), ports(world)))


@pytest.mark.parametrize(
    "about",
    [{"customer_key": "C0001"}, {"document_id": "D0001"}, {"case_id": "K-1"}],
    ids=lambda about: next(iter(about)),
)
def test_an_event_holds_the_customer_that_it_is_about(about: dict[str, str]) -> None:
    world = shipped()
    world.drop("run-1", a_reminder(case_id="K-1"), a_reminder(2))
    world.drain()
    assert change(world, status="Chapter 13", at="2026-11-20T12:00:00Z", **about) == {"held": 1}
    assert change(world, status="Chapter 13", who="event e-2", **about) == {"known": 1}
    world.follow()
    assert {n.document_id for n in world.ledger.notices.values() if n.purpose != "notice"} == {"D0002"}
    assert codes(world).count("collection_held") == 1
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert [(row["who"], row["to"]) for row in contact.history] == [("event e-1", "bankrupt")]


def test_an_event_about_a_customer_whom_no_record_has_named_holds_the_first_reminder() -> None:
    world = shipped()
    assert change(world, customer_key="C0001", status="décédée") == {"held": 1}
    world.drop("run-1", a_reminder(), a_letter(document_id="L"))
    world.drain()
    assert world.reasons("run-1", "suppressed") == {"do_not_dun": 1}
    assert world.told() == ["c0001@example.com"]


def test_an_event_about_a_document_of_several_customers_holds_none_and_is_reported() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(document_id="T"), a_reminder(2, document_id="T"))
    world.drain()
    assert change(world, document_id="T", status="insolvent") == {"unassigned": 1}
    assert change(world, document_id="unknown", status="insolvent") == {"unassigned": 1}
    assert not any(c.debt_hold for c in world.contacts.stored.values())
    assert set(codes(world)) == {"event_unusable"}


def test_nothing_is_kept_of_an_erased_customer() -> None:
    world = shipped()
    world.know(Contact(DOMAIN, "C0001", "", version=4))  # the mark has no salt
    assert change(world, customer_key="C0001", status="insolvent") == {"known": 1}
    assert world.contacts.stored[DOMAIN, "C0001"] == Contact(DOMAIN, "C0001", "", version=4)


def test_an_event_of_before_the_hold_was_lifted_does_not_bring_it_back() -> None:
    world = shipped()
    hold(world)
    world.clock.advance(days=1)
    lift(world)
    assert change(world, customer_key="C0001", status="disputed", at="2026-11-20T20:00:00Z") == {"known": 1}
    world.clock.advance(days=1)
    assert change(world, customer_key="C0001", status="disputed", at="2026-11-22T10:00:00Z") == {"held": 1}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("My husband is deceased, please call", "deceased"),
        ("Cease and desist!", "cease-and-desist"),
        ("I never owed this, and I dispute it", "disputed"),
        ("Ich habe Insolvenz angemeldet", "insolvent"),
    ],
)
def test_the_customers_own_words_hold_and_the_team_hears_of_it(said: str, reason: str) -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    assert change(world, customer_key="C0001", said=said) == {"held": 1}
    world.drop("run-2", a_reminder(document_id="N2"))
    world.follow()
    assert world.outcomes("run-2") == {"suppressed": 1}
    stands = world.contacts.stored[DOMAIN, "C0001"].debt_hold
    assert stands is not None
    assert stands.reasons == (reason,)
    assert codes(world) == ["collection_held"]


def test_a_status_of_an_event_that_nobody_knows_and_words_that_deny_one_are_for_the_team() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    assert change(world, customer_key="C0001", status="zz") == {"unknown": 1}
    assert change(world, customer_key="C0001", said="I am not bankrupt") == {"mentioned": 1}
    assert change(world, customer_key="C0001", said="renewal accepted") == {"none": 1}
    assert change(world, customer_key="C0001", status="paid") == {"none": 1}
    assert sorted(codes(world)) == ["account_status_unknown", "hardship_mentioned"]
    assert all(e.detail["contact"].startswith("handle:") for e in world.exceptions.raised)
    assert world.contacts.stored[DOMAIN, "C0001"].debt_hold is None


_ACTS = st.sampled_from(
    ["late", "Chapter 7", "disputed", "plain", "letter", "event", "hold", "lift", "resume", "night", "week"]
)


@settings(max_examples=25, deadline=None)
@given(acts=st.lists(st.tuples(_ACTS, st.sampled_from(["", "A", "B"])), min_size=3, max_size=14))
def test_nobody_is_asked_for_money_while_a_hold_stands_whatever_happens(acts: list[tuple[str, str]]) -> None:
    world = shipped()
    held = False
    for number, (act, recipient) in enumerate(acts):
        whose = {"recipient": recipient or None}
        before = len(world.outbox)
        if act in ("late", "Chapter 7", "disputed", "plain"):
            status = None if act == "plain" else act
            held = held or act in ("Chapter 7", "disputed")
            world.drop(f"run-{number}", a_reminder(document_id=f"D{number}", account_status=status, **whose))
            world.drain()
        elif act == "letter":
            world.drop(f"run-{number}", a_letter(document_id=f"D{number}", **whose))
            world.drain()
            before += 1
        elif act == "event":
            change(
                world,
                customer_key="C0001",
                status="insolvent",
                who=f"event {number}",
                at=moment(world.clock.now()),
            )
            held = True
        elif act == "hold":
            hold(world)
            held = True
        elif act == "lift":
            lift(world)
            held = False
            world.clock.advance(seconds=1)
        elif act == "resume":
            firsts = [n for n in world.ledger.notices.values() if n.purpose == "notice"]
            resume_notices(
                firsts, "ann", "", ledger=world.ledger, journeys=world.journeys, rules=world.rules,
                clock=world.clock,
            )  # fmt: skip
        else:
            world.follow_until(world.clock.now() + timedelta(days=1 if act == "night" else 7))
        if held:
            assert len(world.outbox) <= before, act
    before, ends = len(world.outbox), len(world.journey_events.told)
    world.follow()
    if held:
        assert (len(world.outbox), len(world.journey_events.told)) == (before, ends)


@pytest.mark.parametrize("status", ["paid", "Beglichen", "account closed"])
def test_a_later_record_that_says_settled_ends_the_journey_and_is_no_news(status: str) -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.follow_until(at("2026-12-08T15:00"))
    for night in range(2):
        world.drop(f"night-{night}", a_reminder(account_status=status))
        world.drain()
    world.follow()
    assert [p for _, p in sent(world)] == ["notice", "step 1"]
    assert codes(world) == []
    assert world.journey_events.told == []


def test_settled_and_then_late_again_the_journey_goes_on() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    for day, status in (("2026-11-24", "paid"), ("2026-11-26", "late")):
        world.follow_until(at(f"{day}T15:00"))
        world.drop(f"run-{day}", a_reminder(account_status=status))
        world.drain()
    world.follow()
    assert [p for _, p in sent(world)] == ["notice", "step 1", "step 2", "step 3"]


@pytest.mark.parametrize("changes", [{"account_status": "paid"}, {"amount_due": "0.00"}])
def test_what_waits_for_the_morning_is_not_sent_when_a_later_record_says_that_nothing_is_due(
    changes: dict[str, str],
) -> None:
    world = shipped(at="2026-11-20T04:00:00+00:00")
    world.drop("run-1", a_reminder(email=None))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    world.drop("run-2", a_reminder(email=None, **changes))
    world.follow()
    assert world.outbox == []
    assert world.outcomes("run-1") == {"suppressed": 1}


# --- erased customers -------------------------------------------------------------------------------


def test_a_hold_outlives_the_erasure_without_its_reasons_until_a_person_lifts_it() -> None:
    world = shipped()
    world.drop("run-1", a_reminder(account_status="Chapter 7"))
    world.drain()
    mark = world.erase(1)
    assert mark.is_erased
    assert "bankrupt" not in str(mark)
    world.clock.advance(hours=1)
    world.drop("run-2", a_reminder(document_id="NEW", produced_at=moment(world.clock.now())))
    world.drain()
    assert world.reasons("run-2", "suppressed") == {"do_not_dun": 1}

    assert lift(world)
    world.clock.advance(hours=1)
    world.drop("run-3", a_reminder(document_id="NEWER", produced_at=moment(world.clock.now())))
    world.drain()
    assert world.outcomes("run-3") == {"notified": 1}


def test_an_operator_holds_a_customer_who_was_erased() -> None:
    world = shipped()
    world.drop("run-1", a_reminder())
    world.drain()
    world.erase(1)
    world.clock.advance(hours=1)
    assert hold(world)
    world.drop("run-2", a_reminder(document_id="NEW", produced_at=moment(world.clock.now())))
    world.drain()
    assert world.reasons("run-2", "suppressed") == {"do_not_dun": 1}


@pytest.mark.parametrize("holder", ["", "B"])
def test_what_a_system_states_after_an_erasure_holds_for_other_holders_alone(holder: str) -> None:
    world = shipped()
    world.drop("run-1", a_reminder(), *([a_reminder(document_id="B1", recipient=holder)] if holder else ()))
    world.drain()
    mark = world.erase(1)
    early = StatusChange(DOMAIN, "C0001", status="deceased", at=mark.erased_at, who="event e-1")
    assert record_account_status(early, ports(world))["held"] == 0
    world.clock.advance(hours=1)
    later = StatusChange(DOMAIN, "C0001", status="deceased", at=moment(world.clock.now()), who="event e-2")
    assert record_account_status(later, ports(world))["held"] == (1 if holder else 0)
    assert world.contacts.stored[DOMAIN, "C0001"].is_erased == (not holder)
