"""Journeys in the whole path: who is reminded, when, how often, and what ends it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exstream_notify.domain.documents import DocumentRule
from exstream_notify.domain.journeys import (
    Cap,
    Cohort,
    Delay,
    JourneyRule,
    Step,
    rule_body,
    rule_from,
)
from exstream_notify.domain.messages import Unconfirmed
from exstream_notify.domain.notices import Response, Status, happened
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases import advance_journey as advancing
from exstream_notify.use_cases.control_journeys import (
    resume_notices,
    resume_run,
    stop_notices,
    stop_run,
)
from tests.fakes import FakeRules, a_document, a_rule
from tests.use_cases.world import World

AT = "2026-11-20T15:00:00+00:00"
JOURNEY = JourneyRule(
    "reminder",
    ("statement",),
    (
        Step(Delay(days=7), channels=("sms", "email"), wording="reminder"),
        Step(Delay(days=14), channels=("email", "sms"), wording="last-call"),
        Step(Delay(days=21), end="event"),
    ),
    stops=("opened", "responded", "paid", "acknowledged", "opted_out"),
)


def a_world(*journeys: JourneyRule, rule: DocumentRule | None = None, **changes: object) -> World:
    rules = FakeRules(rule or a_rule(), journeys=journeys or (JOURNEY,))
    return World(site_rules=rules, **changes)  # type: ignore[arg-type]


def responds(world: World, document_id: str, kind: Response) -> None:
    """The customer's answer, as record_response writes it."""
    notice = world.notice(document_id)
    assert not world.ledger.put(
        [happened(notice, world.clock.now(), kind, responses=(*notice.responses, kind))]
    )


def story(world: World, document_id: str) -> list[tuple[str, str, str]]:
    """Day, purpose and channel of all that went out about a document."""
    start = datetime.fromisoformat(AT)
    found = []
    for notice in world.ledger.notices.values():
        for event in notice.events:
            if event.what == "claimed" and notice.document_id == document_id:
                day = (datetime.fromisoformat(event.at) - start).days
                found.append((day, notice.purpose, event.detail.split(" ")[1]))
    return [(f"day {day}", purpose, channel) for day, purpose, channel in sorted(found)]


def days(number: float) -> datetime:
    return datetime.fromisoformat(AT) + timedelta(days=number)


# --- the main story ----------------------------------------------------------------------------------


def test_exactly_the_silent_ones_are_reminded_then_called_last_then_told_of() -> None:
    world = a_world()
    world.drop("run-1", *(a_document(n) for n in range(1, 5)))
    world.follow_until(days(3))
    responds(world, "D0001", "opened")
    world.follow_until(days(10))
    responds(world, "D0002", "responded")
    world.follow()

    notice = ("day 0", "notice", "email")
    first = ("day 7", "step:reminder:1", "sms")
    last = ("day 14", "step:reminder:2", "email")
    assert story(world, "D0001") == [notice]
    assert story(world, "D0002") == [notice, first]
    assert story(world, "D0003") == story(world, "D0004") == [notice, first, last]
    assert sorted(str(e["document_id"]) for e in world.journey_events.told) == ["D0003", "D0004"]
    assert world.notice("D0003").events[-1].what == "journey ended"
    assert world.outcomes("run-1") == {"notified": 4}, "steps are no records of the run"
    world.check()


def test_a_record_without_the_due_date_that_its_journey_follows_is_told_of() -> None:
    dunning = replace(JOURNEY, steps=(Step(Delay(days=2), anchor="due_date", wording="overdue"),))
    world = a_world(dunning)
    world.drop("run-1", a_document(1, due_date="2026-12-24"), a_document(2, due_date=None, customer_in_run=2))
    world.drain()

    (missing,) = [e for e in world.exceptions.raised if e.code == "due_date_missing"]
    assert (missing.count, missing.customers_in_run) == (1, (2,))


@pytest.mark.parametrize("kind", ["opened", "responded", "paid", "acknowledged"])
def test_each_response_that_the_rule_names_stops_it_and_no_other(kind: Response) -> None:
    for stops, reminded in (((kind,), False), ((), True)):
        world = a_world(replace(JOURNEY, stops=stops))
        world.drop("run-1", a_document(1))
        world.follow_until(days(1))
        responds(world, "D0001", kind)
        world.follow()
        assert (len(story(world, "D0001")) > 1) == reminded


def test_an_answer_while_the_reminder_waits_for_its_window_still_counts() -> None:
    """The step is decided at night, deferred to the morning, and the customer answers in between."""
    world = a_world(at="2026-11-20T03:30:00+00:00")  # 22:30 in New York
    world.drop("run-1", a_document(1))
    world.drain()
    at = datetime.fromisoformat("2026-11-27T04:05:00+00:00")
    world.follow_until(at)
    waiting = world.notice("D0001", purpose="step:reminder:1")
    assert (waiting.status, waiting.why) == (Status.DEFERRED, "quiet_hours")
    responds(world, "D0001", "responded")
    world.follow()
    ended = world.notice("D0001", purpose="step:reminder:1")
    assert (ended.status, ended.why, ended.attempts) == (Status.SUPPRESSED, "journey_stopped", ())
    assert "responded" in ended.events[-1].detail


def test_an_answer_while_the_reminder_lies_on_its_queue_still_counts() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.follow_until(days(6.9))
    world.sweep_journeys()
    world.clock.move_to(days(7) + timedelta(hours=1))
    world.executions.wake(world.clock.now(), world.advance)
    while not world.queues["sms"].messages:
        assert world.step()
    responds(world, "D0001", "paid")
    world.follow()
    assert len(world.outbox) == 1


def test_opting_out_of_every_channel_ends_it_and_of_one_leaves_the_other() -> None:
    world = a_world()
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    for number, channels in ((1, ("email", "sms")), (2, ("sms",))):
        world.change_contact(number, opt_outs={"*": channels})
    world.follow()
    assert [c for _, p, c in story(world, "D0001") if p != "notice"] == []
    assert [c for _, p, c in story(world, "D0002") if p != "notice"] == ["email", "email"]
    assert [e["document_id"] for e in world.journey_events.told] == ["D0002"]


def test_a_superseded_document_and_a_cancelled_run_are_not_followed_up() -> None:
    world = a_world()
    world.drop("run-1", a_document(1), a_document(2))
    world.drop("run-2", a_document(3))
    world.follow_until(days(1))
    world.drop("run-3", a_document(9, customer_key="C0001", document_id="D0001b", supersedes="D0001"))
    world.control("run-2", Control.CANCEL)
    world.follow()
    assert [p for _, p, _ in story(world, "D0001")] == ["notice"]
    assert [p for _, p, _ in story(world, "D0003")] == ["notice"]
    assert len(story(world, "D0002")) == 3


# --- operators ---------------------------------------------------------------------------------------


def test_an_operator_stops_one_customer_and_lets_them_go_on() -> None:
    world = a_world()
    world.drop("run-1", a_document(1), a_document(2))
    world.follow_until(days(1))
    stop_notices([world.notice("D0001")], "ann", "complaint", ledger=world.ledger, clock=world.clock)
    world.follow_until(days(16))
    assert len(story(world, "D0001")) == 1
    assert len(story(world, "D0002")) == 3
    resume_notices(
        [world.notice("D0001")], "ann", "settled",
        ledger=world.ledger, journeys=world.journeys, rules=world.rules, clock=world.clock,
    )  # fmt: skip
    world.follow()
    assert [(day, p) for day, p, _ in story(world, "D0001")] == [
        ("day 0", "notice"),
        ("day 16", "step:reminder:1"),
        ("day 23", "step:reminder:2"),
    ], "a last call keeps its distance from the reminder"
    assert (world.clock.now() - datetime.fromisoformat(AT)).days >= 30, "and so does the end"
    said = [(e.what, e.detail) for e in world.notice("D0001").events if e.what.startswith("journey")]
    assert said[:2] == [("journey stopped", "ann: complaint"), ("journey resumed", "ann: settled")]


def test_a_reminder_of_a_date_that_passed_while_it_was_stopped_is_left_out() -> None:
    dunning = JourneyRule(
        "dunning",
        ("statement",),
        (
            Step(Delay(days=-3), "due_date", channels=("email",), wording="soon"),
            Step(Delay(days=2), "due_date", channels=("email",), wording="overdue"),
            Step(Delay(days=14), "due_date", channels=("email",), wording="demand"),
            Step(Delay(days=28), "due_date", end="event"),
        ),
    )
    world = a_world(dunning)
    world.drop("run-1", a_document(1, due_date="2026-11-30"), a_document(2, due_date="2026-12-21"))
    world.follow_until(days(1))
    stop_run("retail/run-1", "ann", "wrong file", journeys=world.journeys, clock=world.clock)
    world.follow_until(days(28))
    resume_run("retail/run-1", "ann", "", journeys=world.journeys, rules=world.rules, clock=world.clock)
    world.follow()

    assert [(day, p) for day, p, _ in story(world, "D0001")][1:] == [
        ("day 28", "step:dunning:2"),
        ("day 40", "step:dunning:3"),
    ]
    assert [(day, p) for day, p, _ in story(world, "D0002")][1:] == [
        ("day 28", "step:dunning:1"),
        ("day 33", "step:dunning:2"),
        ("day 45", "step:dunning:3"),
    ]


def test_an_operator_stops_a_run_and_lets_it_go_on() -> None:
    world = a_world()
    world.drop("run-1", a_document(1), a_document(2))
    world.drop("run-2", a_document(3))
    world.follow_until(days(1))
    stop_run("retail/run-1", "ann", "wrong run", journeys=world.journeys, clock=world.clock)
    world.follow_until(days(8))
    assert [len(story(world, f"D000{n}")) for n in (1, 2, 3)] == [1, 1, 2]
    resume_run("retail/run-1", "ann", "", journeys=world.journeys, rules=world.rules, clock=world.clock)
    world.follow()
    assert [len(story(world, f"D000{n}")) for n in (1, 2, 3)] == [3, 3, 3]


# --- rules -------------------------------------------------------------------------------------------


def test_a_changed_rule_holds_for_new_journeys_only_unless_asked_otherwise() -> None:
    changed = replace(
        JOURNEY, steps=(Step(Delay(days=9), channels=("sms",), wording="x"), *JOURNEY.steps[1:])
    )
    for new in (changed, replace(changed, changes_apply_to="running")):
        world = a_world()
        world.drop("run-1", a_document(1))
        world.drain()
        world.rules.journey_rules = {new.name: new}
        world.drop("run-2", a_document(2))
        world.follow()
        assert [d for d, p, _ in story(world, "D0001") if p.endswith(":1")] == ["day 7"]
        assert [d for d, p, _ in story(world, "D0002") if p.endswith(":1")] == ["day 9"]
        told = {d.notice_id: d for d in world.outbox}
        step = told[world.notice("D0001", purpose="step:reminder:1").notice_id]
        assert step.text.startswith("reminder|") == (new.changes_apply_to == "new")


def test_a_running_journey_keeps_the_version_of_a_rule_that_an_older_release_wrote() -> None:
    """Its body lacks what this release knows of a step; its steps are still decided by it."""
    world = a_world()
    world.drop("run-1", a_document(1))
    world.drain()
    body = rule_body(JOURNEY)
    for each in body["steps"]:
        del each["on_paper"], each["without_channel"]
    (cohort,) = world.journeys.open
    rows = [replace(row, version="older") for row in world.journeys.members(cohort, 10)]
    world.journeys.leave(cohort, world.journeys.members(cohort, 10))
    world.journeys.enrol(cohort, [replace(rows[0], name="older")])
    world.journeys.rules["reminder", "older"] = rule_from(body)
    world.follow()
    assert len(story(world, "D0001")) == 3


def test_the_cap_puts_a_step_off_across_documents() -> None:
    world = a_world(replace(JOURNEY, cap=Cap(2, 7)))
    world.drop("run-1", a_document(1))
    world.follow_until(days(6))
    for number in (2, 3):
        world.drop(f"run-{number}", a_document(number, customer_key="C0001", document_type="statement"))
    world.follow_until(days(12.5))
    assert [p for _, p, _ in story(world, "D0001")] == ["notice"], "two messages within seven days"
    world.follow_until(days(13.2))
    assert [d for d, p, _ in story(world, "D0001") if p.endswith(":1")] == ["day 13"]
    world.follow()
    world.check()
    sent = sorted(
        datetime.fromisoformat(e.at)
        for n in world.ledger.notices.values()
        for e in n.events
        if e.what == "claimed"
    )
    reminders = sent[3:]
    assert len(reminders) >= 3


def test_paper_and_case_ends() -> None:
    paper = replace(JOURNEY, steps=(*JOURNEY.steps[:2], Step(Delay(days=21), end="paper")))
    world = a_world(paper)
    world.drop("run-1", a_document(1))
    world.follow()
    printed = world.notice("D0001", purpose="step:reminder:3")
    assert (printed.status, printed.why) == (Status.PAPER, "unanswered")
    assert world.outcomes("run-1") == {"notified": 1}

    case = replace(JOURNEY, steps=(*JOURNEY.steps[:2], Step(Delay(days=21), end="case", team="collections")))
    world = a_world(case)
    world.drop("run-1", a_document(1), a_document(2))
    world.follow()
    (raised,) = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert (raised.count, raised.team) == (2, "collections")
    assert "C000" not in str(raised)


# --- at least once -----------------------------------------------------------------------------------


def test_started_twice_and_advanced_twice_tells_nobody_twice() -> None:
    world = a_world()
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    world.drain()
    (cohort,) = world.journeys.open
    world.clock.move_to(cohort.due)
    assert world.sweep_journeys() == 1
    assert world.sweep_journeys() == 0
    rows = world.journeys.members(cohort, 10)
    world.advance(cohort)
    world.journeys.enrol(cohort, rows)
    world.advance(cohort)
    world.follow()
    assert len(world.outbox) == 9
    assert len(world.journey_events.told) == 3
    world.check()


def test_late_joiners_get_a_further_generation() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.drain()
    (cohort,) = world.journeys.open
    late = world.journeys.members(cohort, 10)
    world.follow_until(days(8))
    assert len(story(world, "D0001")) == 2
    world.journeys.enrol(cohort, late)
    world.follow()
    names = [name for name in world.executions.names if name.startswith(cohort.hour)]
    assert [name[-2:] for name in names] == ["-1", "-2"]
    assert len(story(world, "D0001")) == 3


def test_a_cohort_beyond_the_history_limit_goes_on_as_the_next_generation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(advancing, "MAX_PAGES", 2)
    monkeypatch.setattr(advancing, "PAGE_ROWS", 1)
    world = a_world(slice_records=1)
    world.drop("run-1", *(a_document(n) for n in range(1, 8)))
    world.follow()
    assert Counter(d.purpose for d in world.ledger.notices.values()) == {
        "notice": 7, "step:reminder:1": 7, "step:reminder:2": 7,
    }  # fmt: skip
    assert len(world.executions.names) >= 9
    world.check()


def test_an_execution_that_is_lost_is_started_again() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.follow_until(days(6))
    world.executions.running.clear()
    world.clock.move_to(days(7) + timedelta(hours=4))
    assert world.sweep_journeys() == 1
    world.follow()
    assert len(story(world, "D0001")) == 3


def test_a_step_years_ahead_waits_in_the_book_not_in_an_execution() -> None:
    far = replace(JOURNEY, steps=(Step(Delay(months=30), channels=("email",), wording="x"), JOURNEY.steps[2]))
    far = replace(far, steps=(far.steps[0], Step(Delay(months=31), end="event")))
    world = a_world(far)
    world.drop("run-1", a_document(1))
    world.follow_until(days(800))
    assert world.executions.names == []
    world.follow()
    assert len(story(world, "D0001")) == 2


def test_whatever_call_kills_a_worker_nobody_is_told_twice_and_nobody_is_left_out() -> None:
    def a_story() -> World:
        world = a_world(slice_records=2)
        world.drop("run-1", *(a_document(n) for n in range(1, 4)))
        return world

    whole = a_story()
    whole.follow()
    assert len(whole.outbox) == 9
    for number in range(1, whole.wire.number + 1):
        for when in ("before", "after"):
            world = a_story()
            world.wire.kill_at(number, when)  # type: ignore[arg-type]
            world.follow()
            world.check()
            where = f"killed {world.wire.killed_at}"
            told = Counter(d.notice_id for d in world.outbox)
            assert max(told.values()) == 1, where
            steps = Counter(n.purpose for n in world.ledger.notices.values())
            assert steps == {"notice": 3, "step:reminder:1": 3, "step:reminder:2": 3}, where
            ended = Counter(str(e["event_id"]) for e in world.journey_events.told)
            assert len(ended) == 3, where
            doubts = [n for n in world.ledger.notices.values() if n.status == Status.UNCONFIRMED]
            assert len(world.outbox) >= 9 - len(doubts), where


def test_a_reminder_that_bounces_goes_on_as_a_reminder_and_leaves_the_run_alone() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.follow_until(days(7.2))
    (reminder,) = [d for d in world.outbox if d.channel == "sms"]
    world.report(world.receipt(reminder, Kind.HARD_BOUNCE))
    world.drain()
    step = world.notice("D0001", purpose="step:reminder:1")
    assert [(a.channel, a.status) for a in step.attempts] == [("sms", "bounced"), ("email", "sent")]
    assert world.outbox[-1].text.startswith("reminder|")
    assert world.notice("D0001").attempts[0].channel == "email"
    assert world.outcomes("run-1") == {"notified": 1}
    assert all(o.notice_id == world.notice("D0001").notice_id for o in world.runs.outcomes("retail", "run-1"))


@pytest.mark.parametrize("first", ["bounced", "unconfirmed", "delayed"])
def test_the_days_count_from_the_message_that_told_the_customer(first: str) -> None:
    """A text tells the customer a day or two after the e-mail, which did not arrive, or perhaps did not."""
    world = a_world(rule=a_rule(on_unconfirmed="other_channel"))
    world.drop("run-1", a_document(1))
    if first == "unconfirmed":
        world.mail.script(Unconfirmed("answer_lost"))
    world.drain()
    if first == "unconfirmed":
        world.follow_until(days(2))
    else:
        world.wait_until(days(1))
        kind = Kind.HARD_BOUNCE if first == "bounced" else Kind.DELAYED
        world.report(world.receipt(world.outbox[0], kind))
        world.follow_until(days(2))
    told = [(a.channel, a.status) for a in world.notice("D0001").attempts]
    assert told == [("email", first), ("sms", "sent")]
    world.follow()

    assert [row[:2] for row in story(world, "D0001")] == [
        ("day 0", "notice"),
        ("day 1", "notice"),
        ("day 8", "step:reminder:1"),
        ("day 15", "step:reminder:2"),
    ]
    (end,) = world.journey_events.told
    assert str(end["told_at"])[:10] == "2026-11-21", "not the day of the e-mail"
    assert world.clock.now() >= days(22)
    world.check()


def test_an_execution_has_a_name_that_step_functions_takes() -> None:
    name = Cohort("2026-11-27T15", "retail", "a" * 60, 12).execution(10_000)
    assert len(name) <= 80
    assert all(c.isalnum() or c in "-_" for c in name)
