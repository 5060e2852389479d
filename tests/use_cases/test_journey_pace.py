"""Journeys that keep their pace: the cap, what was overdue, what is switched off, and who wants no messages."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.journeys import Delay, JourneyRule
from exstream_notify.domain.notices import Notice
from exstream_notify.domain.receipts import Kind
from exstream_notify.use_cases.control_journeys import resume_journey, stop_journey
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

DEBT: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD",
    "due_date": "2026-12-10",
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00+00:00")


def messages(world: World, document_id: str = "D0001") -> list[tuple[str, str]]:
    """Day and purpose of what a customer was sent about a document."""
    found = [
        (event.at[:10], notice.purpose.removeprefix("step:"))
        for notice in world.ledger.notices.values()
        if notice.document_id == document_id and notice.audience == "customer"
        for event in notice.events
        if event.what == "claimed"
    ]
    return sorted(found)


def end_of(world: World, document_id: str = "D0001") -> tuple[str, str] | None:
    """How and on which day a document's journey ended."""
    notice = world.notice(document_id)
    found = [(e.at[:10], e.detail.split(" ")[-1]) for e in notice.events if e.what == "journey ended"]
    assert len(found) < 2
    return found[0] if found else None


class Changed:
    """Rules with other journeys."""

    def __init__(self, rules: Any, journeys: dict[str, JourneyRule]) -> None:
        self._rules, self._journeys = rules, journeys

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rules, name)

    def journeys(self) -> dict[str, JourneyRule]:
        return self._journeys


def without(world: World, name: str) -> Any:
    return Changed(world.rules, {k: v for k, v in world.rules.journeys().items() if k != name})


# --- the cap ------------------------------------------------------------------------------------------


def disturbed(world: World, every: float, until: datetime) -> None:
    """The customer gets a message about something else every so many days."""
    number = 100
    while world.clock.now() < until:
        number += 1
        world.drop(f"run-{number}", a_document(1, document_id=f"X{number}", document_type="invoice"))
        world.follow_until(world.clock.now() + timedelta(days=every))


def test_a_customer_at_the_cap_all_along_gets_no_step_and_the_end_in_time() -> None:
    world, quiet = shipped(), shipped()
    for one in (world, quiet):
        one.drop("run-1", a_document(1, **DEBT))
    disturbed(world, 1.5, at("2027-02-01T15"))
    quiet.follow()

    assert messages(world) == [("2026-11-20", "notice")]
    assert end_of(world) == end_of(quiet) == ("2027-01-07", "case")
    given_up = [n for n in world.ledger.notices.values() if n.why == "capped"]
    assert {n.purpose for n in given_up} <= {f"step:dunning:{n}" for n in (1, 2, 3)}
    assert "step:dunning:3" in {n.purpose for n in given_up}


def test_a_step_that_the_cap_puts_off_leaves_those_after_it_where_they_are() -> None:
    world, quiet = shipped(), shipped()
    for one in (world, quiet):
        one.drop("run-1", a_document(1, **DEBT))
    quiet.follow()
    world.drain()
    world.follow_until(at("2026-12-12T15"))
    for number in range(4):
        world.drop(f"run-x{number}", a_document(1, document_id=f"X{number}", document_type="invoice"))
    world.follow()

    assert messages(quiet)[2:] == [("2026-12-14", "dunning:2"), ("2026-12-31", "dunning:3")]
    assert messages(world)[2:] == [("2026-12-19", "dunning:2"), ("2026-12-31", "dunning:3")]
    assert end_of(world) == end_of(quiet)


# --- overdue when it came -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "steps", "end"),
    [
        ("2026-11-19", [("2026-11-23", "dunning:2"), ("2026-12-10", "dunning:3")], "2026-12-17"),
        ("2026-11-18", [("2026-12-09", "dunning:3")], "2026-12-16"),
        ("2026-11-10", [("2026-12-02", "dunning:3")], "2026-12-08"),
        ("2026-10-25", [], "2026-12-04"),
        ("2026-10-01", [], "2026-12-04"),
        ("2021-01-01", [], "2026-12-04"),
    ],
)
def test_what_was_overdue_when_it_came_begins_at_the_step_that_fits(
    due: str, steps: list[tuple[str, str]], end: str
) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **{**DEBT, "due_date": due}))
    world.follow()

    assert messages(world) == [("2026-11-20", "notice"), *steps]
    assert end_of(world) == (end, "case")


def test_no_step_follows_within_a_day_of_the_notice_of_what_is_overdue() -> None:
    world = shipped(at="2026-11-20T13:00:00+00:00")  # the overdue notice would be due at 15:00
    world.drop("run-1", a_document(1, **{**DEBT, "due_date": "2026-11-18"}))
    world.follow()

    assert messages(world) == [("2026-11-20", "notice"), ("2026-12-09", "dunning:3")]


# --- switched off -------------------------------------------------------------------------------------


def test_a_journey_that_an_operator_stops_waits_and_goes_on_at_the_step_that_was_missed() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **DEBT))
    world.follow_until(at("2026-12-01T15"))
    stop_journey("dunning", "ann", "wrong words", journeys=world.journeys, clock=world.clock)
    world.follow_until(at("2026-12-20T12"))
    assert messages(world) == [("2026-11-20", "notice")]

    resume_journey("dunning", "ann", "corrected", journeys=world.journeys, clock=world.clock)
    world.follow()
    assert messages(world)[1:] == [("2026-12-20", "dunning:2"), ("2027-01-06", "dunning:3")]
    assert end_of(world) == ("2027-01-13", "case")
    assert [word["why"] for word in world.journeys.switched("dunning")] == ["wrong words", "corrected"]


def test_a_journey_that_its_site_switched_off_sends_nothing_until_it_is_back() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **DEBT))
    world.follow_until(at("2026-11-22T15"))
    rules, world.rules = world.rules, without(world, "dunning")
    world.follow_until(at("2027-01-20T15"))
    assert messages(world) == [("2026-11-20", "notice")]
    assert end_of(world) is None

    world.rules = rules
    world.follow()
    assert [purpose for _, purpose in messages(world)] == ["notice", "dunning:2", "dunning:3"]
    assert end_of(world) is not None


def test_a_step_that_waits_for_its_window_is_not_sent_while_its_journey_is_off() -> None:
    world = shipped(at="2026-11-20T03:30:00+00:00")  # 22:30 in New York
    world.drop("run-1", a_document(1, document_type="renewal-notice"))
    world.follow_until(at("2026-11-27T05"))
    assert world.notice("D0001", purpose="step:renewal-reminder:1").why == "quiet_hours"
    stop_journey("renewal-reminder", "ann", "", journeys=world.journeys, clock=world.clock)
    world.follow_until(at("2026-11-28T20"))
    assert world.notice("D0001", purpose="step:renewal-reminder:1").why == "journey_stopped"


@pytest.mark.parametrize("off", ["null", "stopped"])
def test_paper_that_a_rule_promised_comes_in_time_although_its_journey_is_off(off: str) -> None:
    world = shipped()
    policy = {"document_type": "policy-document", "requires_ack": True, "country": "US"}
    world.drop("run-1", a_document(1, **policy))
    world.follow_until(at("2026-11-22T15"))
    if off == "null":
        world.rules = without(world, "policy-acknowledgement")
    else:
        stop_journey("policy-acknowledgement", "ann", "", journeys=world.journeys, clock=world.clock)
    world.follow()

    assert messages(world) == [("2026-11-20", "notice")]
    assert end_of(world) == ("2026-12-14", "paper")


def test_a_journey_that_never_comes_back_is_waited_for_no_longer_than_its_records_are_kept() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **DEBT))
    world.follow_until(at("2026-11-22T15"))
    world.rules = without(world, "dunning")
    world.follow()

    assert end_of(world) is None
    assert at("2027-03-01T00") < world.clock.now() < at("2027-06-01T00")


# --- who wants no messages ----------------------------------------------------------------------------


def opts_out(world: World, document: Notice) -> None:
    world.change_contact(1, opt_outs={"*": ("email", "sms")})


def bounces(world: World, document: Notice) -> None:
    for delivery in list(world.outbox):
        world.report(world.receipt(delivery, Kind.HARD_BOUNCE))
    world.drain()


@pytest.mark.parametrize("what", [opts_out, bounces])
def test_who_gets_no_messages_is_handed_over_all_the_same(what: Any) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **DEBT))
    world.follow_until(at("2026-11-22T15"))
    what(world, world.notice("D0001"))
    world.follow()

    assert messages(world) == [("2026-11-20", "notice")]
    assert end_of(world) == ("2027-01-07", "case")
    assert [e.code for e in world.exceptions.raised].count("no_channel") == 0


@pytest.mark.parametrize("what", [opts_out, bounces])
def test_who_paid_is_not_handed_over_whatever_became_of_the_messages(what: Any) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **DEBT))
    world.follow_until(at("2026-11-22T15"))
    what(world, world.notice("D0001"))
    world.respond("paid", document_id="D0001", customer_key="C0001")
    world.follow()

    assert end_of(world) is None


def test_without_a_hand_over_an_opt_out_ends_the_journey() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="renewal-notice"))
    world.follow_until(at("2026-11-22T15"))
    opts_out(world, world.notice("D0001"))
    world.follow()

    assert messages(world) == [("2026-11-20", "notice")]
    assert end_of(world) is None


# --- places -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "second", "unknown"),
    [
        ({"country": "US"}, "2026-12-14", 0),  # Thursday and two working days
        ({"country": "SA"}, "2026-12-14", 0),  # Sunday, Monday: the weekend is Friday and Saturday
        ({"country": "IL"}, "2026-12-14", 0),
        ({"country": "ZZ"}, "2026-12-14", 1),  # no calendar is known: the rule's
        ({"country": "DE", "region": "DE-XX"}, "2026-12-14", 1),
    ],
)
def test_working_days_are_those_of_the_records_place(place: Any, second: str, unknown: int) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **{**DEBT, **place}))
    world.follow()

    assert messages(world)[2] == (second, "dunning:2")
    assert [e.count for e in world.exceptions.raised if e.code == "calendar_unknown"] == [1] * unknown


def test_a_rule_kept_by_the_release_before_is_read() -> None:
    from exstream_notify.domain.journeys import rule_body, rule_from

    rule = shipped().rules.journeys()["dunning"]
    body = rule_body(rule)
    del body["fair_time"]
    body["steps"] = [{k: v for k, v in step.items() if k != "digest"} for step in body["steps"]]
    assert rule_from(body).fair_time == Delay(days=14)
    assert rule_from(rule_body(replace(rule, fair_time=Delay(days=3)))).fair_time == Delay(days=3)
