"""Parts are deleted, as a lifecycle rule does when records have been stored long enough: who goes on, and how loudly.

`s3:ListBucket` makes S3 say so (tests/architecture/test_function_needs.py); here is what becomes of it.
"""

from datetime import timedelta

from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.runs import Control
from tests.fakes import FakeRules, a_document, a_rule
from tests.use_cases.world import World

NIGHT = "2026-11-20T03:30:00+00:00"


def forget_records(world: World, *, lists: bool = False) -> None:
    """Delete every part; with `lists` the lists of slices beside them, too."""
    world.records.slices.clear()
    world.records.digests.clear()
    if lists:
        world.staging.forget()


def reported(world: World) -> int:
    """How many records, or slices of them, were reported as gone."""
    return sum(e.count for e in world.exceptions.raised if e.code == "records_gone")


def dead(world: World) -> list[str]:
    """Queues with dead letters."""
    return [name for name, queue in world.queues.items() if queue.dead]


def test_a_slice_whose_part_is_gone_is_reported_and_not_tried_again() -> None:
    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    while not world.queues["decide"].messages:
        assert world.step()
    forget_records(world)
    world.drain()
    assert (world.outbox, reported(world), dead(world)) == ([], 2, [])


def test_a_held_run_that_is_released_too_late_is_reported() -> None:
    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    while not world.queues["decide"].messages:
        assert world.step()
    world.control("run-1", Control.HOLD)
    world.drain()
    forget_records(world, lists=True)
    world.clock.advance(days=200)
    world.control("run-1", Control.GO)
    world.drain()
    assert (world.outbox, reported(world), dead(world)) == ([], 1, [])


def test_a_notice_that_waited_for_longer_than_its_record_is_reported() -> None:
    world = World(a_rule(channels=("sms",)), at=NIGHT)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    forget_records(world)
    world.come_to_rest()
    assert (world.outbox, reported(world), dead(world)) == ([], 1, [])
    assert world.reasons("run-1", "failed") == {"records_gone": 1}


def test_a_job_whose_part_is_gone_is_reported_and_not_decided_again() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    while not world.queues["email"].messages:
        assert world.step()
    forget_records(world)
    world.come_to_rest()
    assert (world.outbox, reported(world), dead(world)) == ([], 1, [])


def test_a_reminder_of_a_record_that_is_gone_is_reported() -> None:
    journey = JourneyRule(
        "reminder", ("statement",), (Step(Delay(days=7), channels=("email",), wording="reminder"),)
    )
    world = World(site_rules=FakeRules(a_rule(), journeys=(journey,)))
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    forget_records(world)
    world.follow_until(world.clock.now() + timedelta(days=10))
    assert (len(world.outbox), reported(world), dead(world)) == (1, 1, [])
    assert [n.status for n in world.ledger.notices.values() if n.due_at] == []


def test_a_customer_responds_to_a_document_that_is_gone() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    forget_records(world)
    world.respond("paid", document_id="D0001", customer_key="C0001")
    assert world.notice("D0001").responses == ("paid",)
    assert (reported(world), dead(world)) == (0, [])


def test_a_bulk_job_that_is_gone_leaves_its_members_in_doubt_and_is_not_posted_anew() -> None:
    """A worker died after posting, and the job's file is deleted before it could be submitted again."""
    rehearsal = World(bulk=True, deduplicates=True)
    rehearsal.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()

    world = World(bulk=True, deduplicates=True)
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "after")
    world.drop("run-1", a_document(1), a_document(2))
    while not world.kills:
        assert world.step()
    world.jobs.stored.clear()
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 2}
    assert (len(world.mail.posted), dead(world)) == (1, [])
    assert "send_unconfirmed" in world.exceptions.codes
