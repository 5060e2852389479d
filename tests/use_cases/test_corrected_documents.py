"""A later run gives another due date or amount of a document: the journey follows it, or it is reported."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.domain.documents import Channel, Document
from exstream_notify.domain.messages import Content, TryAgain
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.control_journeys import resume_run, stop_run
from exstream_notify.use_cases.slices import pointers_to
from tests.fakes import FakeWording, a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

DUNNED: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD",
    "due_date": "2026-12-10", "mobile": None, "customer_in_run": 1,
}  # fmt: skip
SOON, OVERDUE, FINAL = "payment-due-soon", "overdue-notice", "final-demand"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


class WithAmounts(FakeWording):
    """Words that name what is due, and when."""

    def render(self, wording: str, channel: Channel, document: Document, **more: Any) -> Content:
        return Content("|".join((wording, document.amount_due or "-", document.due_date or "-")), "a subject")


def a_world(now: str = "2026-11-20T15:00:00+00:00", **changes: Any) -> World:
    world = shipped(at=now)
    world.wording = WithAmounts()
    world.drop("run-1", a_document(1, **{**DUNNED, **changes}))
    world.drain()
    return world


def corrects(world: World, when: str, run: str = "run-2", **changes: Any) -> None:
    world.follow_until(at(when))
    world.drop(run, a_document(1, **{**DUNNED, **changes}))
    world.drain()


def followed(world: World) -> list[tuple[str, str, str, str]]:
    """Day (in New York), words, amount and due date of every step that went out."""
    found = []
    for delivered in world.outbox:
        notice = world.ledger.notices[delivered.notice_id]
        if notice.purpose.startswith("step:"):
            claims = [e.at for e in notice.events if e.what == "claimed"]
            day = datetime.fromisoformat(claims[-1]).astimezone(ZoneInfo("America/New_York")).date()
            found.append((day.isoformat(), *delivered.text.split("|")))
    return sorted(found)  # type: ignore[arg-type]


def days(world: World) -> list[tuple[str, str]]:
    return [(day, words) for day, words, _, _ in followed(world)]


def reported(world: World) -> list[str]:
    return [e.text for e in world.exceptions.raised if e.code == "correction_not_told"]


ORIGINAL = [("2026-12-07", SOON), ("2026-12-14", OVERDUE), ("2026-12-31", FINAL)]
IN_JANUARY = [("2027-01-14", SOON), ("2027-01-22", OVERDUE), ("2027-02-09", FINAL)]
EARLY_DECEMBER = [("2026-11-27", SOON), ("2026-12-04", OVERDUE), ("2026-12-22", FINAL)]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], ORIGINAL),
        ([("2026-11-22T15:00:00", "2027-01-20")], IN_JANUARY),
        ([("2026-11-22T15:00:00", "2026-12-02")], EARLY_DECEMBER),
        # Twice; back to where it was; the same once more.
        ([("2026-11-22T15:00:00", "2027-01-20"), ("2026-11-24T15:00:00", "2026-12-02")], EARLY_DECEMBER),
        ([("2026-11-22T15:00:00", "2026-12-02"), ("2026-11-24T15:00:00", "2027-01-20")], IN_JANUARY),
        ([("2026-11-22T15:00:00", "2027-01-20"), ("2026-11-24T15:00:00", "2026-12-10")], ORIGINAL),
        ([("2026-11-22T15:00:00", "2027-01-20"), ("2026-11-24T15:00:00", "2027-01-20")], IN_JANUARY),
        # So near that "due soon" is late: it goes out at once, for nobody was told of that date.
        (
            [("2026-12-01T15:00:00", "2026-12-03")],
            [("2026-12-01", SOON), ("2026-12-07", OVERDUE), ("2026-12-23", FINAL)],
        ),
        # Past: the journey is where it would be with that date, one step after the other.
        ([("2026-12-01T15:00:00", "2026-11-25")], [("2026-12-01", OVERDUE), ("2026-12-17", FINAL)]),
        ([("2026-12-20T15:00:00", "2026-11-25")], ORIGINAL),
        # In whatever step it is: what went out is not sent again.
        ([("2026-12-08T15:00:00", "2027-01-20")], [ORIGINAL[0], *IN_JANUARY[1:]]),
        ([("2026-12-15T15:00:00", "2027-01-20")], [*ORIGINAL[:2], IN_JANUARY[2]]),
        # The date moves on after it passed, before anybody was told that it did.
        ([("2026-12-11T15:00:00", "2027-01-20")], [ORIGINAL[0], *IN_JANUARY[1:]]),
    ],
)
def test_a_journey_follows_the_newest_due_date(
    moves: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    world = a_world()
    for number, (when, due) in enumerate(moves, 2):
        corrects(world, when, f"run-{number}", due_date=due)
        assert world.outcomes(f"run-{number}") == {"duplicate": 1}, "nobody is notified of it again"
        world.follow_until(world.clock.now() + timedelta(hours=2))
    world.follow()

    assert days(world) == expected
    last = moves[-1][1] if moves else DUNNED["due_date"]
    said = {due for day, _, _, due in followed(world) if not moves or day >= moves[-1][0][:10]}
    assert said == {last}, "each step names the newest date"
    ends = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert [e.count for e in ends] == [1], "one end"
    world.check()


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-22T15:00:00", []),
        ("2026-12-08T15:00:00", ["after a reminder had named the one before"]),
        ("2027-01-10T15:00:00", ["after its journey had ended; nothing follows"]),
    ],
)
def test_a_correction_that_customers_do_not_hear_of_is_reported(when: str, expected: list[str]) -> None:
    world = a_world()
    corrects(world, when, due_date="2027-02-20")
    ahead = len(followed(world))
    world.follow()
    assert reported(world) == [f"another due date or amount of a document came {text}" for text in expected]
    assert (len(followed(world)) == ahead) == when.startswith("2027"), "an ended journey stays ended"
    assert all(e.customers_in_run == (1,) for e in world.exceptions.raised if e.code == "correction_not_told")


def test_a_moved_date_in_an_unknown_place_counts_working_days_as_the_rule_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = shipped()
    world.wording = WithAmounts()
    dunning = replace(world.rules.journeys()["dunning"], country="DE")
    monkeypatch.setattr(world.rules, "journeys", lambda: {"dunning": dunning})
    world.drop("run-1", a_document(1, **{**DUNNED, "country": "XX"}))
    world.drain()
    corrects(world, "2026-11-22T15:00:00", country="XX", due_date="2026-12-23")
    world.follow_until(at("2026-12-30T15:00:00"))
    assert days(world) == [("2026-12-18", SOON), ("2026-12-28", OVERDUE)], (
        "25 December is a holiday in Germany"
    )


def test_a_record_that_says_the_same_changes_nothing() -> None:
    world = a_world()
    corrects(world, "2026-11-22T15:00:00", email="new@example.com", amount_due="100.0")
    assert world.notice("D0001").corrections == ()
    assert world.notice("D0001").version == 2


@pytest.mark.parametrize(("produced", "moved"), [("2026-11-18", False), ("2026-11-21", True)])
def test_an_older_record_that_comes_late_changes_nothing(produced: str, moved: bool) -> None:
    world = a_world(produced_at="2026-11-20T08:00:00+00:00")
    corrects(world, "2026-11-22T15:00:00", produced_at=f"{produced}T08:00:00+00:00", due_date="2027-01-20")
    world.follow()
    assert days(world) == (IN_JANUARY if moved else ORIGINAL)


def test_a_correction_that_is_delivered_again_after_the_next_one_changes_nothing() -> None:
    world = a_world()
    corrects(world, "2026-11-22T15:00:00", due_date="2027-01-20")
    once_more = pointers_to([world.notice("D0001").record])[0]
    corrects(world, "2026-11-23T15:00:00", "run-3", due_date="2026-12-02")
    world.queues["decide"].send([replace(once_more, positions=()).to_message()])
    world.drain()
    world.follow()
    assert days(world) == EARLY_DECEMBER


def test_a_step_that_waits_while_the_date_moves_is_sent_by_the_new_date() -> None:
    world = a_world()
    world.follow_until(at("2026-12-07T14:00:00"))
    world.mail.always(TryAgain("down"))
    world.follow_until(at("2026-12-07T18:00:00"))
    world.mail.always(None)
    corrects(world, "2026-12-07T18:10:00", due_date="2027-01-20")
    assert world.notice("D0001", purpose="step:dunning:1").status == "deferred"
    world.follow()
    assert days(world) == IN_JANUARY
    assert {due for *_, due in followed(world)} == {"2027-01-20"}
    world.check()


def test_a_step_on_its_send_queue_while_the_date_moves_is_sent_by_the_new_date() -> None:
    world = a_world()
    world.follow_until(at("2026-12-07T14:00:00"))
    world.sweep_journeys()
    world.clock.move_to(at("2026-12-07T15:00:00"))
    world.executions.wake(world.clock.now(), world.advance)
    while not world.queues["email"].messages:
        assert world.step()
    held = list(world.queues["email"].messages)
    world.queues["email"].messages.clear()
    corrects(world, "2026-12-07T16:10:00", due_date="2027-01-20")
    world.queues["email"].messages.extend(held)
    world.follow()
    assert days(world) == IN_JANUARY


def test_a_first_notice_that_still_waits_joins_by_the_newest_date() -> None:
    world = shipped()
    world.wording = WithAmounts()
    world.off.add("email")
    world.drop("run-1", a_document(1, **DUNNED))
    world.drain()
    world.drop("run-2", a_document(1, **{**DUNNED, "due_date": "2026-12-02"}))
    world.drain()
    world.off.discard("email")
    world.come_to_rest()
    world.follow()
    assert days(world) == EARLY_DECEMBER
    assert {due for *_, due in followed(world)} == {"2026-12-02"}


# --- amounts ---------------------------------------------------------------------------------------


def pays(world: World, amount: str, number: int = 1) -> None:
    world.respond("paid", document_id="D0001", amount=amount, currency="USD", payment_id=f"p{number}")


@pytest.mark.parametrize(
    ("paid", "amount", "expected"),
    [
        ("", "80.00", ["80.00"] * 3),
        ("", "120.00", ["120.00"] * 3),
        ("30.00", "80.00", ["50.00"] * 3),
        ("60.00", "50.00", []),  # what was paid settles what is due now
        ("100.00", "150.00", ["50.00"] * 3),  # and here it does not any more
        ("", "0.00", []),
        ("", "-20.00", []),
    ],
)
def test_steps_name_what_is_left_of_the_corrected_amount(paid: str, amount: str, expected: list[str]) -> None:
    world = a_world()
    world.follow_until(at("2026-11-21T15:00:00"))
    if paid:
        pays(world, paid)
    corrects(world, "2026-11-23T15:00:00", amount_due=amount)
    world.follow()
    assert [left for _, _, left, _ in followed(world)] == expected
    ends = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert len(ends) == bool(expected), "who owes nothing is no case"
    world.check()


def test_an_amount_that_is_corrected_to_nothing_and_back_is_asked_for_again() -> None:
    world = a_world()
    corrects(world, "2026-11-23T15:00:00", amount_due="0.00")
    corrects(world, "2026-12-20T15:00:00", "run-3", amount_due="70.00")
    world.follow()
    assert [(words, left) for _, words, left, _ in followed(world)] == [
        (OVERDUE, "70.00"),
        (FINAL, "70.00"),
    ]


def test_a_payment_after_a_correction_is_set_against_the_new_amount() -> None:
    world = a_world()
    corrects(world, "2026-11-23T15:00:00", amount_due="150.00")
    pays(world, "100.00")
    assert world.notice("D0001").responses == ()
    pays(world, "50.00", 2)
    assert world.notice("D0001").responses == ("paid",)


# --- links, operators, repeats ---------------------------------------------------------------------


def test_a_steps_link_opens_the_corrected_document() -> None:
    world = a_world(output_uri="output/Print/old.pdf")
    corrects(world, "2026-11-23T15:00:00", due_date="2027-01-20", output_uri="output/Print/new.pdf")
    world.documents.files |= {"retail/run-1/output/Print/old.pdf", "retail/run-2/output/Print/new.pdf"}
    opened = world.open(world.notice("D0001").notice_id)
    assert "run-2" in opened.leads_to
    assert "new.pdf" in opened.leads_to


def test_a_correction_prolongs_no_link_and_its_steps_do() -> None:
    world = a_world()
    corrects(world, "2026-11-23T15:00:00", due_date="2027-01-20")
    world.follow_until(at("2027-01-25T15:30:00"))
    assert world.look(world.notice("D0001").notice_id).state == "ready"


def test_what_an_operator_stopped_stays_stopped_when_its_date_moves() -> None:
    world = a_world()
    world.follow_until(at("2026-11-21T15:00:00"))
    stop_run("retail/run-1", "ann", "complaint", journeys=world.journeys, clock=world.clock)
    corrects(world, "2026-11-22T15:00:00", due_date="2026-12-02")
    world.follow_until(at("2027-01-10T15:00:00"))
    assert followed(world) == []
    resume_run("retail/run-1", "ann", "", journeys=world.journeys, rules=world.rules, clock=world.clock)
    world.follow()
    assert [words for _, words in days(world)] == [OVERDUE, FINAL]


def test_a_correction_whose_run_is_cancelled_is_reported_and_followed_no_more() -> None:
    world = a_world()
    corrects(world, "2026-11-22T15:00:00", due_date="2027-01-20")
    world.control("run-2", Control.CANCEL)
    world.follow()
    assert followed(world) == []
    assert reported(world)


def test_whatever_call_kills_a_worker_the_journey_follows_the_newest_date() -> None:
    def a_story() -> World:
        world = a_world("2026-12-07T14:00:00+00:00")
        world.follow_until(at("2026-12-08T15:00:00"))
        return world

    def goes_on(world: World) -> None:
        world.drop("run-2", a_document(1, **{**DUNNED, "due_date": "2026-12-29"}))
        world.follow_until(at("2026-12-09T15:00:00"))

    whole = a_story()
    before = whole.wire.number
    goes_on(whole)
    assert whole.wire.number > before
    for number in range(before + 1, whole.wire.number + 1):
        world = a_story()
        world.wire.kill_at(number, "before")
        goes_on(world)
        world.follow_until(at("2027-01-02T15:00:00"))
        told = [("2026-12-07", SOON), ("2026-12-31", OVERDUE)]
        assert days(world) == told, f"killed {world.wire.killed_at}"
        world.check()


# --- any order -------------------------------------------------------------------------------------

_DAY = date(2026, 11, 21)
_moves = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-10, 90), st.sampled_from(["100.00", "80.00"])),
    max_size=4,
    unique_by=lambda move: move[0],
)


@settings(max_examples=25, deadline=None)
@given(_moves)
def test_however_often_the_date_moves_each_step_is_true_and_sent_once(
    moves: list[tuple[int, int, str]],
) -> None:
    world = a_world()
    says = {_DAY - timedelta(days=1): (DUNNED["due_date"], "100.00")}
    for number, (day, due, amount) in enumerate(sorted(moves), 2):
        on, due_date = _DAY + timedelta(days=day), (_DAY + timedelta(days=due)).isoformat()
        says[on] = (due_date, amount)
        corrects(world, f"{on}T12:00:00", f"run-{number}", due_date=due_date, amount_due=amount)
    world.follow()

    sent = followed(world)
    assert all(n == 1 for n in Counter(words for _, words, _, _ in sent).values())
    for told_on, words, left, named in sent:
        on = date.fromisoformat(told_on)
        newest = says[max(d for d in says if d <= on)]
        assert (named, left) == newest
        fits = on <= date.fromisoformat(named) if words == SOON else on > date.fromisoformat(named)
        assert fits, (moves, sent)
    ends = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert len(ends) == 1
    assert not world.journeys.open
