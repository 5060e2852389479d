"""A worker that dies with a claim, whoever had its job meanwhile: no claim stays open, and the doubt is reported.

The job comes a second time, to a worker for whom it is not to go out any more. Perhaps that was before the claim,
perhaps while it stood, and with it the message is gone.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control
from exstream_notify.domain.work import SendJob, SlicePointer
from exstream_notify.use_cases.send_notices import InProgress
from tests.fakes import Killed, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

from .test_send_notices import up_to

When = Literal["before", "after"]
BEFORE_QUIET_HOURS = "2026-11-21T01:59:50+00:00"


def cancelled(world: World) -> None:
    world.control("run-1", Control.CANCEL)


def late(world: World) -> None:
    world.clock.advance(seconds=20)


def wants_paper(world: World) -> None:
    world.change_contact(1, paper_required=True)


def at_night(world: World) -> None:
    world.clock.advance(seconds=20)


def held_back(world: World) -> None:
    world.approved_only = True


CHANGES: dict[Callable[[World], None], Channel] = {
    cancelled: "email",
    late: "email",
    wants_paper: "email",
    at_night: "sms",
}


def with_a_job(channel: Channel) -> World:
    """A run of one whose job is queued: ten seconds before the deadline of an e-mail, or before the night."""
    world = World(a_rule(channels=(channel,)), at=BEFORE_QUIET_HOURS)
    world.drop("run-1", a_document(1))
    up_to(world, channel)
    if channel == "email":
        world.clock.advance(hours=71, minutes=59, seconds=50)
    return world


def calls_of_sending(channel: Channel) -> list[str]:
    """The calls of that job's worker, where nothing happens to it."""
    world = with_a_job(channel)
    start = world.wire.number
    (message,) = world.queues[channel].messages
    assert world.deliver(channel, message)
    return world.wire.log[start:]


def everything_ready(world: World) -> None:
    """All that other workers can do just now."""
    for _ in range(200):
        if not world.step():
            return
    raise AssertionError(f"messages send each other round and round: {world._backlog()}")


def told_twice(change: Callable[[World], None], at: int, dies: int, when: When) -> tuple[World, bool]:
    """A worker's call number `at` waits while the change happens and the job's copy is dealt with, and what
    follows from that; the worker dies at its call number `dies`, perhaps with a claim."""
    channel = CHANGES[change]
    world = with_a_job(channel)
    (message,) = world.queues[channel].messages
    start = world.wire.number

    def meanwhile() -> None:
        change(world)
        everything_ready(world)
        number = start + at if dies == at else world.wire.number + dies - at
        world.wire.kill_at(number, when)

    world.wire.interrupt_at(start + at, meanwhile)
    try:
        world._send(message.json(), lambda: 600.0)
    except Killed:
        world._bury_worker()
    except InProgress:
        pass
    return world, any(notice.claimed for notice in world.ledger.notices.values())


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_a_claim_whose_job_is_gone_is_settled(change: Callable[[World], None]) -> None:
    calls = calls_of_sending(CHANGES[change])
    claim = calls.index("ledger.put") + 1
    posted = calls.index("provider.send") + 1
    record = calls.index("ledger.put", claim) + 1
    doubts = 0
    for at in range(1, posted + 1):
        deaths: list[tuple[int, When]] = [(claim, "after"), (posted, "after"), (record, "before")]
        for dies, when in deaths:
            if dies < at:
                continue
            world, left = told_twice(change, at, dies, when)
            world.come_to_rest()
            where = f"copy dealt with at {at}, {world.wire.killed_at}"
            world.check()
            notice = world.notice("D0001")
            assert notice.claimed is None, where
            assert len(world.outbox) <= 1, where
            assert not notice.due_at, where
            found = world.outcomes("run-1")
            doubts += left
            if left or "unconfirmed" in found:
                assert notice.status == Status.UNCONFIRMED, where
                assert found == {"unconfirmed": 1}, where
                assert "send_unconfirmed" in world.exceptions.codes, where
            else:
                assert found in ({"suppressed": 1}, {"failed": 1}, {"paper": 1}, {"notified": 1}), where
                assert ("notified" in found) == (change is at_night), where
    assert doubts, "no worker died with a claim"


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_a_claim_whose_job_comes_back_to_nothing_is_settled(change: Callable[[World], None]) -> None:
    """No copy: the worker dies, and when its message comes back it is not to go out any more."""
    channel = CHANGES[change]
    world = with_a_job(channel)
    (message,) = world.queues[channel].messages
    world.wire.kill_at(world.wire.number + calls_of_sending(channel).index("provider.send") + 1, "after")
    assert not world.deliver(channel, message)
    change(world)
    world.come_to_rest()
    world.check()
    assert len(world.outbox) == 1
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert "send_unconfirmed" in world.exceptions.codes


def test_a_notice_that_was_taken_over_keeps_its_due_time_while_it_is_claimed() -> None:
    """The decision leaves alone what is not due yet, so nothing else would bring it back."""
    world, rehearsal = taken_over(), taken_over()
    start = rehearsal.wire.number
    (message,) = rehearsal.queues["email"].messages
    assert rehearsal.deliver("email", message)
    claim = rehearsal.wire.log.index("ledger.put", start) + 1

    def meanwhile() -> None:
        wants_paper(world)
        everything_ready(world)
        world.wire.kill_at(claim, "after")

    (message,) = world.queues["email"].messages
    world.wire.interrupt_at(claim, meanwhile)
    with pytest.raises(Killed):
        world._send(message.json(), lambda: 600.0)
    world._bury_worker()
    notice = world.notice("D0001")
    assert notice.claimed is not None
    assert notice.due_at
    assert not any(queue.messages for queue in world.queues.values())
    world.come_to_rest()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    world.check()


def taken_over() -> World:
    """A run that took the notice of a cancelled one over, and whose job is queued."""
    world = World(a_rule(channels=("email",)))
    world.drop("run-0", a_document(1))
    up_to(world, "email")
    world.control("run-0", Control.CANCEL)
    world.come_to_rest()
    assert world.notice("D0001").why == "run_cancelled"
    world.drop("run-1", a_document(1))
    while world.notice("D0001").origin.run != f"{DOMAIN}/run-1":
        assert world.step()
    assert world.queues["email"].messages
    return world


# --- the decision meets a claim ----------------------------------------------------------------------


def claimed_and_left(world: World, channel: Channel = "email") -> None:
    """Claimed, its worker dead, and no message left."""
    (message,) = world.queues[channel].messages
    world.wire.kill_at(world.wire.number + calls_of_sending(channel).index("provider.send") + 1, "before")
    assert not world.deliver(channel, message)
    for queue in world.queues.values():
        queue.messages.clear()
    assert world.notice("D0001").claimed is not None


def look_at(world: World, **changes: Any) -> list[SendJob]:
    """Have the decision look at the record; the jobs that come of it."""
    origin = world.notice("D0001").origin
    pointer = SlicePointer(
        DOMAIN, "run-1", origin.slice_number, origin.part, origin.offset, origin.length, 1, 1,
        positions=(origin.position,),
    )  # fmt: skip
    world._decide(replace(pointer, **changes).to_message(), lambda: 60.0)
    queues = [world.queues[name] for name in ("email", "sms", "urgent")]
    return [SendJob.from_message(m.json()) for queue in queues for m in queue.messages]


def test_a_claim_that_the_decision_meets_has_its_job_queued_again_and_nothing_is_written() -> None:
    world = World(a_rule(channels=("email", "sms"), both_channels=True, urgent=True), at=BEFORE_QUIET_HOURS)
    world.drop("run-1", a_document(1))
    up_to(world, "urgent")
    world.queues["email"].messages, world.queues["urgent"].messages = world.queues["urgent"].messages, []
    claimed_and_left(world)
    before = world.notice("D0001")

    (job,) = look_at(world)

    (member,) = job.members
    assert (job.channel, job.provider, job.queue) == ("email", "mail", "urgent")
    assert (member.notice_id, member.position, member.audience) == (before.notice_id, 1, "customer")
    assert (member.attempt, member.waiting, member.both) == (1, ("sms",), True)
    assert job.pointer.positions == ()
    assert world.notice("D0001") == before
    assert world.reconciled("run-1").outcomes["in_flight"] == 1


def test_a_claim_that_comes_before_the_decisions_write_has_its_job_queued_again() -> None:
    """The decision read that there is no notice; its write finds a claim, whose worker is dead by then."""

    def decides(world: World) -> None:
        (message,) = world.queues["email"].messages
        world.queues["email"].messages.clear()
        pointer = replace(SendJob.from_message(message.json()).pointer, positions=(1,))
        world._decide(pointer.to_message(), lambda: 60.0)

    rehearsal, world = with_a_job("email"), with_a_job("email")
    wants_paper(rehearsal)
    start = rehearsal.wire.number
    decides(rehearsal)
    write = rehearsal.wire.log.index("ledger.put", start) + 1
    (message,) = world.queues["email"].messages
    posts = calls_of_sending("email").index("provider.send") + 1

    def claims() -> None:
        world.change_contact(1, paper_required=False)
        world.wire.kill_at(world.wire.number + posts, "before")
        with pytest.raises(Killed):
            world._send(message.json(), lambda: 60.0)
        wants_paper(world)

    wants_paper(world)
    world.wire.interrupt_at(write, claims)
    decides(world)
    assert world.notice("D0001").claimed is not None
    assert [len(m.json()["members"]) for m in world.queues["email"].messages] == [1]
    world.come_to_rest()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert world.outcomes("run-1") == {"unconfirmed": 1}


def test_the_job_waits_for_a_worker_that_still_holds_its_claim() -> None:
    world = with_a_job("email")
    claimed_and_left(world)
    look_at(world)
    (message,) = world.queues["email"].messages
    assert not world.deliver("email", message)
    assert world.notice("D0001").claimed is not None
    assert not world.queues["decide"].messages, "a decision would only queue it once more"
    world.clock.move_to(message.visible_at)
    assert world.deliver("email", message)
    assert world.notice("D0001").status == Status.UNCONFIRMED


@pytest.mark.parametrize("change", [cancelled, wants_paper, late, held_back], ids=lambda c: c.__name__)
def test_the_job_of_what_is_not_to_go_out_waits_and_asks_for_no_decision_before(
    change: Callable[[World], None],
) -> None:
    """A job and a decision that send each other round and round would go on for the whole lease."""
    world = with_a_job("email")
    claimed_and_left(world)
    change(world)
    notice = world.notice("D0001")
    (attempt,) = notice.attempts
    world.ledger.notices[notice.notice_id] = replace(
        notice, attempts=(replace(attempt, lease=world.clock.machine_time() + 60),)
    )
    world.queues["run"].messages.clear()
    look_at(world)
    (message,) = world.queues["email"].messages
    assert not world.deliver("email", message)
    assert not world.queues["decide"].messages
    world.come_to_rest()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert world.outcomes("run-1") == {"unconfirmed": 1}


def test_a_claim_whose_record_is_not_stored_any_more_is_settled_too() -> None:
    world = with_a_job("email")
    claimed_and_left(world)
    notice = world.notice("D0001")
    world.records.slices.clear()
    assert look_at(world, notices=(notice.notice_id,))
    world.come_to_rest()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert {"send_unconfirmed", "records_gone"} <= world.exceptions.codes


def test_a_cancelled_runs_queued_jobs_cannot_be_claimed_any_more_and_another_run_notifies() -> None:
    world = with_a_job("email")
    cancelled(world)
    world.come_to_rest()
    notice = world.notice("D0001")
    assert (notice.status, notice.why, notice.version) == (Status.SUPPRESSED, "run_cancelled", 1)
    assert [(e.what, e.detail) for e in notice.events] == [("suppressed", "run_cancelled")]
    assert world.outcomes("run-1") == {"suppressed": 1}

    world.drop("run-2", a_document(1))
    world.come_to_rest()
    assert world.outcomes("run-2") == {"notified": 1}
    assert len(world.outbox) == 1


@pytest.mark.parametrize("positions", [[], [1, 3]], ids=["first look", "further look"])
def test_a_look_that_ends_what_its_copy_queued_is_repeated(positions: list[int]) -> None:
    """Two workers have a look's message. The faster one queues a job and deletes the message; the slower one, after
    the deadline, writes that the notices are over, and dies before it says so."""
    world = World(a_rule(channels=("email",)), at=BEFORE_QUIET_HOURS)
    world.drop("run-1", a_document(1), a_document(2), a_document(3, email=""))
    up_to(world, "decide")
    (message,) = world.queues["decide"].messages
    look = message.json()
    if positions:
        world._decide(look, lambda: 600.0)
        world.queues["email"].messages.clear()
        look["positions"] = positions
    world.clock.advance(hours=71, minutes=59, seconds=50)

    def slower() -> None:
        world.clock.advance(seconds=20)
        world.wire.kill_on("exceptions_queue.send", "before")
        with pytest.raises(Killed):
            world._decide(look, lambda: 600.0)
        world._bury_worker()

    world.wire.interrupt_at(world.wire.number + 4, slower)
    world._decide(look, lambda: 600.0)
    world.queues["decide"].delete(message)
    world.come_to_rest()

    over = [n for n in world.ledger.notices.values() if n.why == "deadline_passed"]
    reports = [row.exception for row in world.incidents.rows.values()]
    assert not world.outbox
    assert [r.count for r in reports if r.code == "deadline_passed"] == [len(over)]
    assert len(over) == (1 if positions else 2)
    assert world.reconciled("run-1").outcomes["failed"] == len(over)
