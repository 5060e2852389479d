"""Several documents of one slice are corrected: each journey follows its own record, and what is said of them."""

from typing import Any

import pytest

from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from tests.fakes import FakeRules, a_document, a_rule
from tests.scenarios.shipped import shipped
from tests.use_cases.test_corrected_documents import (
    DUNNED,
    IN_JANUARY,
    ORIGINAL,
    WithAmounts,
    at,
)
from tests.use_cases.test_other_writers import change_notice, interfere
from tests.use_cases.world import World

SOON_AFTER = "2026-11-22T15:00:00"


def bill(number: int, **changes: Any) -> Any:
    """The payment reminder of one customer."""
    return a_document(number, **{**DUNNED, "customer_in_run": 10 + number, **changes})


def a_world(*documents: Any) -> World:
    world = shipped()
    world.wording = WithAmounts()
    world.drop("run-1", *(documents or (bill(1), bill(2))))
    world.drain()
    return world


def corrects(world: World, when: str, *documents: Any, run: str = "run-2") -> None:
    world.follow_until(at(when))
    world.drop(run, *documents)
    world.drain()


def steps(world: World, document: str) -> list[tuple[str, str]]:
    """Day in UTC, which is New York's here, and words of every step of a document that went out."""
    found = []
    for delivered in world.outbox:
        notice = world.ledger.notices[delivered.notice_id]
        if notice.document_id == document and notice.purpose.startswith("step:"):
            claims = [e.at for e in notice.events if e.what == "claimed"]
            found.append((claims[-1][:10], delivered.text.split("|")[0]))
    return sorted(found)


def said(world: World) -> list[tuple[Any, ...]]:
    return [
        (e.severity, e.domain, e.run_id, e.text, e.part, e.count, e.customers_in_run)
        for e in world.exceptions.raised
        if e.code == "correction_not_told"
    ]


@pytest.mark.parametrize(
    ("first", "follows"),
    [
        ({}, ORIGINAL),  # says the same
        ({"due_date": "2027-01-20", "test_flag": True}, ORIGINAL),
        ({"amount_due": "0.00"}, []),
        ({"due_date": "2027-01-20", "produced_at": "2026-11-01T08:00:00+00:00"}, ORIGINAL),  # older
    ],
)
def test_a_record_before_it_that_moves_nothing_keeps_a_correction_from_nobody(
    first: dict[str, Any], follows: list[tuple[str, str]]
) -> None:
    world = a_world(*(bill(n, produced_at="2026-11-20T08:00:00+00:00") for n in (1, 2)))
    second = bill(2, due_date="2027-01-20", produced_at="2026-11-21T08:00:00+00:00")
    corrects(world, SOON_AFTER, bill(1, **{"produced_at": "2026-11-21T08:00:00+00:00", **first}), second)
    world.follow()
    assert steps(world, "D0002") == IN_JANUARY
    assert steps(world, "D0001") == follows
    world.check()


def test_a_document_that_was_replaced_before_it_is_followed_no_more() -> None:
    world = a_world()
    corrects(world, "2026-11-21T15:00:00", bill(1, document_id="D0009", supersedes="D0001"), run="run-b")
    corrects(world, SOON_AFTER, bill(1, due_date="2027-01-20"), bill(2, due_date="2027-01-20"))
    world.follow()
    assert (steps(world, "D0001"), steps(world, "D0002")) == ([], IN_JANUARY)
    assert world.notice("D0001").corrections == ()


def test_customers_who_were_reminded_by_the_old_date_are_reported_together_and_others_are_not() -> None:
    world = a_world(bill(1, due_date="2027-02-20"), bill(2), bill(3), bill(4))
    corrects(world, "2026-12-08T15:00:00", *(bill(n, due_date="2027-03-20") for n in (1, 2, 3, 4)))
    text = "after a reminder had named the one before"
    (row,) = said(world)
    whole = f"another due date or amount of a document came {text}"
    assert row[:-1] == ("warning", "retail", "run-2", whole, f"slice 0 {text}", 3)
    assert sorted(row[-1]) == [12, 13, 14]


def test_a_customer_without_a_number_in_the_run_is_counted_and_not_named() -> None:
    world = a_world()
    corrects(
        world,
        "2026-12-08T15:00:00",
        bill(1, due_date="2027-03-20", customer_in_run=None),
        bill(2, due_date="2027-03-20"),
    )
    *_, count, numbers = said(world)[0]
    assert (count, numbers) == (2, (12,))


def test_reports_of_ended_and_of_running_journeys_stand_beside_each_other() -> None:
    world = a_world(bill(1), bill(2, due_date="2027-01-20"))
    corrects(world, "2027-01-15T15:00:00", *(bill(n, due_date="2027-03-20") for n in (1, 2)))
    assert sorted((row[4], row[6]) for row in said(world)) == [
        ("slice 0 after a reminder had named the one before", (12,)),
        ("slice 0 after its journey had ended; nothing follows", (11,)),
    ]


def test_who_was_reminded_and_owes_nothing_now_is_not_reported() -> None:
    world = a_world()
    corrects(world, "2026-12-08T15:00:00", *(bill(n, account_status="settled") for n in (1, 2)))
    world.follow()
    assert said(world) == []
    assert len(steps(world, "D0001")) == len(steps(world, "D0002")) == 1


def test_a_correction_delivered_twice_is_written_once_and_reported_alike() -> None:
    world = a_world()
    corrects(world, "2026-12-08T15:00:00", bill(1, due_date="2027-03-20"), bill(2))
    before, first = world.notice("D0001"), said(world)
    message = world.queues["decide"].sent[-1][1]
    world.clock.advance(seconds=60)
    world.queues["decide"].send([dict(message)])
    world.drain()
    assert world.notice("D0001") == before
    assert said(world) == [*first, *first]


def test_a_record_that_is_gone_corrects_nothing() -> None:
    world = a_world()
    world.follow_until(at(SOON_AFTER))
    origin = world.notice("D0001").origin
    del world.records.slices[origin.part, origin.offset]
    corrects(world, SOON_AFTER, bill(1, due_date="2027-01-20"), bill(2, due_date="2027-01-20"))
    assert world.notice("D0001").corrections == ()


@pytest.mark.parametrize("times", [5, 6])  # the first write is the claim
def test_a_correction_is_tried_five_times_against_others_who_write_the_notice(times: int) -> None:
    world = a_world(bill(1))
    world.follow_until(at(SOON_AFTER))
    world.drop("run-2", bill(1, due_date="2027-01-20"))
    while not world.queues["email"].ready():
        world.step()
    (message,) = world.queues["email"].ready()
    interfere(world.ledger, times, change_notice(world))
    if times == 6:
        with pytest.raises(RuntimeError, match="notices kept changing under five attempts to correct them"):
            world.deliver("email", message)
        assert world.notice("D0001").corrections == ()
    else:
        world.deliver("email", message)
        world.follow()
        assert steps(world, "D0001") == IN_JANUARY


LOST, MOVED = (1, 2, 3, 4), (5, 6, 7, 8)


def redelivered(world: World, before: Any) -> None:
    """The slice comes again after the writes for some of its notices were lost."""
    for notice in before:
        world.ledger.notices[notice.notice_id] = notice
    (message,) = [b for _, b, _ in world.queues["decide"].sent if b["run_id"] == "run-2"][:1]
    world.queues["decide"].send([dict(message)])
    world.drain()


@pytest.mark.parametrize("newer", [False, True])
def test_what_was_corrected_before_keeps_a_redelivery_from_none_that_was_not(newer: bool) -> None:
    world = a_world(*(bill(n) for n in (*LOST, *MOVED)))
    before = [world.notice(f"D000{n}") for n in LOST]
    corrects(world, SOON_AFTER, *(bill(n, due_date="2027-01-20") for n in (*LOST, *MOVED)))
    if newer:
        corrects(world, "2026-11-24T15:00:00", *(bill(n, due_date="2026-12-20") for n in MOVED), run="run-3")
    redelivered(world, before)
    assert [len(world.notice(f"D000{n}").corrections) for n in LOST] == [1] * 4
    assert [len(world.notice(f"D000{n}").corrections) for n in MOVED] == [1 + newer] * 4
    newest = {world.notice(f"D000{n}").record.run for n in MOVED}
    assert newest == {"retail/run-3" if newer else "retail/run-2"}


@pytest.mark.parametrize("when", [SOON_AFTER, "2026-11-23T05:00:00"])  # by day, and in the night
def test_settled_accounts_in_a_slice_keep_no_other_journey_from_its_new_date(when: str) -> None:
    """In the night the decision itself finds both, since texts wait for the morning."""
    texts: dict[str, Any] = {"email": None, "mobile": "+12025550123", "time_zone": "America/New_York"}
    world = a_world(*(bill(n, **texts) for n in (*LOST, *MOVED)))
    settled = [bill(n, account_status="settled", **texts) for n in LOST]
    corrects(world, when, *settled, *(bill(n, due_date="2027-01-20", **texts) for n in MOVED))
    joined = {
        member.notice_id: (member.due_date, member.corrections)
        for rows in world.journeys.rows.values()
        for row in rows.values()
        if row.run == "retail/run-2"
        for member in row.members
    }
    moved = {world.notice(f"D000{n}").notice_id for n in MOVED}
    assert joined == dict.fromkeys(moved, ("2027-01-20", 1))


def test_what_no_journey_follows_is_not_corrected() -> None:
    rule = JourneyRule("reminder", ("letter",), (Step(Delay(days=2), wording="reminder"),))
    world = World(site_rules=FakeRules(a_rule(), journeys=(rule,)))
    for run, due in (("run-1", "2026-12-10"), ("run-2", "2027-01-20")):
        world.drop(run, a_document(1, due_date=due), a_document(2, due_date=due))
        world.come_to_rest()
    assert [world.notice(f"D000{n}").corrections for n in (1, 2)] == [(), ()]


def test_a_last_step_that_is_a_message_is_one_that_named_the_date_before() -> None:
    rule = JourneyRule("reminder", ("statement",), (Step(Delay(days=2), wording="reminder"),))
    world = World(site_rules=FakeRules(a_rule(), journeys=(rule,)))
    world.drop("run-1", a_document(1, due_date="2026-12-10", customer_in_run=11))
    world.drain()
    world.follow_until(at("2026-11-23T16:00:00"))
    assert len(world.outbox) == 2
    world.drop("run-2", a_document(1, due_date="2027-01-20", customer_in_run=11))
    world.come_to_rest()
    assert [row[3] for row in said(world)] == [
        "another due date or amount of a document came after a reminder had named the one before"
    ]
    world.follow()
    assert len(world.outbox) == 2, "a step goes out once"
