"""One page of a cohort: what becomes of each of its members, how much a page takes, what is told at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.adapters.journey_rules import is_holiday
from exstream_notify.domain.journeys import Cohort, Delay, Step
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.advance_journey import Page, advance_journey
from exstream_notify.use_cases.control_journeys import stop_notices, stop_run
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.test_corrected_documents import DUNNED
from tests.use_cases.test_journeys import JOURNEY, a_world, responds
from tests.use_cases.world import World


def page(world: World, cohort: Cohort, number: int = 1, seconds: float = 60.0, generation: int = 1) -> Page:
    """One page with so many seconds left."""
    names = ("journeys", "ledger", "history", "contacts", "runs", "decide_queue", "exceptions")
    ports = {name: world._ports[name] for name in names}
    return advance_journey(
        cohort, generation, number, **ports, events=world.journey_events, rules=world.rules,
        is_holiday=is_holiday, clock=world.clock, time_left=lambda: seconds,
    )  # fmt: skip


def due(world: World, number: int, **changes: Any) -> Cohort:
    """So many notified customers whose first reminder is due."""
    world.drop("run-1", *(a_document(n, **changes) for n in range(1, number + 1)))
    world.drain()
    (cohort,) = world.journeys.open
    world.clock.move_to(cohort.due)
    return cohort


def queued(world: World) -> list[SlicePointer]:
    return [SlicePointer.from_message(m.json()) for m in world.queues["decide"].messages]


# --- what becomes of each --------------------------------------------------------------------------


def test_each_member_of_a_row_is_counted_for_what_it_is_whoever_stands_before_it() -> None:
    world = a_world()
    cohort = due(world, 6)
    responds(world, "D0001", "opened")
    responds(world, "D0002", "paid")
    world.change_contact(3, opt_outs={"*": ("email", "sms")})
    stop_notices([world.notice("D0004")], "ann", "why", ledger=world.ledger, clock=world.clock)
    world.erase(5)
    identities = frozenset(world.notice(f"D000{n}").notice_id for n in range(1, 7))
    found = page(world, cohort)
    assert found.counts == {
        "opened": 1,
        "paid": 1,
        "opted_out": 1,
        "stopped": 1,
        "erased": 1,
        "reminded": 1,
    }
    assert (found.more, found.notices) == (True, identities)
    assert [p.positions for p in queued(world)] == [(6,)]
    assert page(world, cohort) == Page(False, {})
    assert set(world.journeys.aside) == {world.notice(f"D000{n}").notice_id for n in (2, 4)}
    assert {c.step: len(row.members) for c, rows in world.journeys.rows.items() for row in rows.values()} == {
        2: 1
    }


def test_who_paid_is_kept_aside_for_a_hundred_and_twenty_days() -> None:
    world = a_world()
    cohort = due(world, 1)
    responds(world, "D0001", "paid")
    page(world, cohort)
    until = world.journeys.kept_until[world.notice("D0001").notice_id]
    assert until == world.clock.now() + timedelta(days=120)


def test_a_step_that_its_rule_no_longer_has_is_left_out_as_a_changed_rule() -> None:
    world = a_world()
    cohort = due(world, 2)
    beyond = replace(cohort, step=4)
    rows = world.journeys.members(cohort, 10)
    world.journeys.enrol(beyond, rows)
    assert page(world, beyond).counts == {"rule_changed": 2}
    assert not queued(world)


def test_the_members_of_a_stopped_run_wait_under_it_all_of_them() -> None:
    world = a_world()
    cohort = due(world, 3)
    stop_run("retail/run-1", "ann", "why", journeys=world.journeys, clock=world.clock)
    assert page(world, cohort).counts == {"stopped": 3}
    (rows,) = world.journeys.aside.values()
    assert list(world.journeys.aside) == ["retail/run-1"]
    assert sorted(m.position for row in rows.values() for m in row.members) == [1, 2, 3]
    assert not queued(world)


def test_a_cancelled_run_ends_the_journeys_of_all_its_members() -> None:
    world = a_world()
    cohort = due(world, 3)
    world.control("run-1", Control.CANCEL)
    world.drain()
    assert page(world, cohort).counts == {"run_cancelled": 3}
    assert not world.exceptions.raised, "nothing of it was corrected"


# --- corrected by another run ----------------------------------------------------------------------


def corrected(number: int = 2) -> tuple[World, Cohort]:
    """Bills that run-2 gave another due date, at the hour of their first step."""
    world = shipped()
    rows = [a_document(n, **{**DUNNED, "customer_in_run": n}) for n in range(1, number + 1)]
    world.drop("run-1", *rows)
    world.drain()
    world.clock.advance(days=2)
    world.drop("run-2", *(replace(row, due_date="2026-12-20") for row in rows))
    world.drain()
    (cohort,) = [
        c for c, rows in world.journeys.rows.items() for r in rows.values() if r.run == "retail/run-2"
    ]
    world.clock.move_to(cohort.due)
    return world, cohort


def test_the_run_that_notified_ends_a_corrected_documents_journey_when_it_is_cancelled() -> None:
    world, cohort = corrected()
    world.control("run-1", Control.CANCEL)
    world.drain()
    assert page(world, cohort).counts == {"run_cancelled": 2}
    assert not queued(world)


def test_the_run_that_notified_stops_a_corrected_documents_journey_too() -> None:
    world, cohort = corrected()
    stop_run("retail/run-1", "ann", "why", journeys=world.journeys, clock=world.clock)
    assert page(world, cohort).counts == {"stopped": 2}
    aside = world.journeys.aside["retail/run-1"]
    assert sum(len(row.members) for row in aside.values()) == 2


def test_what_a_cancelled_run_had_corrected_is_reported_with_its_number() -> None:
    world, cohort = corrected(3)
    world.control("run-2", Control.CANCEL)
    world.drain()
    (row,) = world.journeys.members(cohort, 9)
    page(world, cohort)
    (e,) = [e for e in world.exceptions.raised if e.code == "correction_not_told"]
    assert e.text == "documents that a run corrected before it was cancelled; their journeys have ended"
    assert (e.severity, e.domain, e.run_id, e.count) == ("warning", "retail", "run-2", 3)
    assert e.part == f"withdrawn {row.name}"


# --- how much a page takes -------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "rows"), [(19.5, 1), (20.5, 3)])
def test_no_further_row_is_begun_in_the_last_twenty_seconds(seconds: float, rows: int) -> None:
    world = a_world(slice_records=1)
    cohort = due(world, 3)
    found = page(world, cohort, seconds=seconds)
    assert (len(found.notices), found.counts) == (rows, {"reminded": rows})
    assert len(world.journeys.members(cohort, 9)) == 3 - rows
    assert page(world, cohort).more is True or rows == 3


def test_a_page_takes_ten_rows() -> None:
    world = a_world(slice_records=1)
    cohort = due(world, 11)
    assert len(page(world, cohort).notices) == 10
    assert len(page(world, cohort, 2).notices) == 1


@pytest.mark.parametrize(("number", "more"), [(1999, True), (2000, False)])
def test_an_execution_ends_with_its_two_thousandth_page_and_another_goes_on(number: int, more: bool) -> None:
    world = a_world(slice_records=1)
    cohort = due(world, 11)
    world.journeys.started(cohort, 1)
    found = page(world, cohort, number)
    assert (found.more, found.counts, len(found.notices)) == (more, {"reminded": 10}, 10)
    state = world.journeys.open[cohort]
    assert (state.generation, state.started) == (1, more)


def test_a_page_of_nothing_ends_the_execution_and_its_cohort() -> None:
    world = a_world()
    cohort = due(world, 1)
    assert page(world, cohort, generation=7).more
    assert page(world, cohort, generation=7) == Page(False, {})
    assert cohort not in world.journeys.open
    assert world.journeys.generations[cohort] == 7


def test_a_reminder_goes_to_the_decision_by_its_slice_step_and_rule() -> None:
    world = a_world()
    cohort = due(world, 3)
    responds(world, "D0002", "opened")
    page(world, cohort)
    origin = world.notice("D0001").origin
    (pointer,) = queued(world)
    assert (pointer.run, pointer.number, pointer.part) == (origin.run, origin.slice_number, origin.part)
    assert (pointer.offset, pointer.length) == (origin.offset, origin.length)
    assert (pointer.positions, pointer.count, pointer.first) == ((1, 3), 2, 1)
    assert pointer.purpose == "step:reminder:1"
    assert pointer.version == world.rules.journeys()["reminder"].version


# --- the end ---------------------------------------------------------------------------------------


def ended(end: Any, documents: Sequence[int] = (1, 2), **changes: Any) -> World:
    steps = (Step(Delay(days=2), end=end, **changes),)
    world = a_world(replace(JOURNEY, steps=steps))
    world.drop("run-1", *(a_document(n) for n in documents))
    world.follow()
    return world


def test_who_did_not_answer_is_told_of_in_an_event_with_an_identity_that_stays() -> None:
    world, again = ended("event"), ended("event")
    told = {str(event["document_id"]): event for event in world.journey_events.told}
    assert sorted(told) == ["D0001", "D0002"]
    notice = world.notice("D0002")
    claimed = next(e.at for e in notice.events if e.what == "sent")
    event: Mapping[str, object] = told["D0002"]
    assert {name: value for name, value in event.items() if name not in ("event_id", "told_at")} == {
        "domain": "retail",
        "journey": "reminder",
        "end": "event",
        "notice_id": notice.notice_id,
        "document_id": "D0002",
        "document_type": "statement",
        "run_id": "run-1",
        "position": 2,
    }
    assert str(event["told_at"])[:19] == claimed[:19]
    assert str(event["told_at"]).endswith(".250+00:00") or len(str(event["told_at"])) == 29
    assert {e["event_id"] for e in world.journey_events.told} == {
        e["event_id"] for e in again.journey_events.told
    }
    assert len({e["event_id"] for e in world.journey_events.told}) == 2
    last = notice.events[-1]
    assert (last.what, last.detail) == ("journey ended", "reminder unanswered event")


def test_a_case_is_raised_for_the_steps_team_with_the_notices_in_it() -> None:
    world = ended("case", team="collections")
    (e,) = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert (e.severity, e.domain, e.run_id, e.count, e.team) == (
        *("warning", "retail", "run-1", 2, "collections"),
    )
    assert e.text == "customers who did not answer by the end of journey reminder"
    assert e.part.startswith("reminder ")
    assert e.detail["journey"] == "reminder"
    assert sorted(e.detail["notices"].split(" ")) == sorted(
        world.notice(f"D000{n}").notice_id for n in (1, 2)
    )
    assert world.notice("D0001").events[-1].detail == "reminder unanswered case"


def test_a_letter_at_the_end_is_a_notice_of_its_own_on_paper() -> None:
    world = ended("paper")
    first, printed = world.notice("D0001"), world.notice("D0001", purpose="step:reminder:1")
    assert (printed.status, printed.why, printed.origin) == (Status.PAPER, "unanswered", first.origin)
    assert (printed.document_type, printed.customer_key, printed.audience) == (
        "statement",
        "C0001",
        "customer",
    )
    assert [(e.what, e.detail) for e in printed.events] == [("paper", "unanswered")]
    assert len(world.journey_events.told) == 2


def test_an_erased_customers_journey_ends_with_that_reason() -> None:
    world = a_world()
    cohort = due(world, 2)
    world.erase(1)
    assert page(world, cohort).counts == {"erased": 1, "reminded": 1}
    last = world.notice("D0001").events[-1]
    assert (last.what, last.detail) == ("journey ended", "reminder erased")


def test_a_journey_that_ended_is_not_ended_again() -> None:
    world = a_world(replace(JOURNEY, steps=(Step(Delay(days=2), end="event"),)))
    cohort = due(world, 2)
    rows = world.journeys.members(cohort, 9)
    assert page(world, cohort).counts == {"unanswered": 2}
    world.journeys.enrol(cohort, rows)
    again = page(world, cohort)
    assert again.counts.get("unanswered", 0) == 0
    assert len(world.journey_events.told) == 2


@pytest.mark.parametrize("end", ["event", "paper", "case"])
def test_the_steps_of_a_journey_that_is_off_are_counted_as_that_and_not_sent(end: Any) -> None:
    steps = (*JOURNEY.steps[:1], Step(Delay(days=9), end=end))
    world = a_world(replace(JOURNEY, steps=steps))
    cohort = due(world, 2)
    word = {"what": "stop", "who": "ann", "why": "why", "at": "2026-11-20T15:00:00+00:00"}
    world.journeys.switch("reminder", word)
    assert page(world, cohort).counts == {"switched_off": 2}
    assert not queued(world)
    assert sum(len(row.members) for rows in world.journeys.rows.values() for row in rows.values()) == 2


def test_a_step_that_is_reached_only_when_the_promised_paper_is_due_is_passed_over() -> None:
    steps = (*JOURNEY.steps[:1], Step(Delay(days=9), end="paper"))
    world = a_world(replace(JOURNEY, steps=steps))
    cohort = due(world, 2)
    word = {"what": "stop", "who": "ann", "why": "why", "at": "2026-11-20T15:00:00+00:00"}
    world.journeys.switch("reminder", word)
    world.clock.advance(days=20)
    assert page(world, cohort).counts == {"switched_off": 2}
    assert {c.step for c, rows in world.journeys.rows.items() if rows} == {2}
    assert not queued(world)
