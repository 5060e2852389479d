"""What waits comes back in its time; what an operator holds, releases or cancels ends as it should."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, cast

import pytest

from exstream_notify.domain.deferring import times_handed_on
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control, RunState
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.control_run import RunEnded, control_run
from exstream_notify.use_cases.release_due import release_due
from tests.fakes import LostAnswer, a_document, a_rule
from tests.use_cases.test_other_writers import interfere
from tests.use_cases.world import DOMAIN, World

NIGHT = "2026-11-20T03:30:00+00:00"


def deferred(count: int = 1) -> World:
    """A run whose customers can only be told by SMS, in the night."""
    world = World(at=NIGHT, slice_records=10)
    world.drop("run-1", *(a_document(n, email=None) for n in range(1, count + 1)))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": count}
    return world


# --- release ---------------------------------------------------------------------------------------


def test_nothing_is_released_before_its_time() -> None:
    world = deferred()
    world.clock.advance(hours=9, minutes=29)

    assert world.release() == 0
    world.clock.advance(minutes=2)
    assert world.release() == 1


def test_a_release_names_the_records_that_are_due_slice_by_slice() -> None:
    world = deferred(25)
    world.clock.advance(hours=10)
    assert world.release() == 25
    pointers = [SlicePointer.from_message(m.json()) for m in world.queues["decide"].messages]

    assert sorted(p.positions for p in pointers) == [
        tuple(range(1, 11)),
        tuple(range(11, 21)),
        tuple(range(21, 26)),
    ]


def test_what_was_handed_on_is_not_handed_on_again_at_once() -> None:
    world = deferred(3)
    world.clock.advance(hours=10)

    assert [world.release(), world.release(), world.release()] == [3, 0, 0]


def test_a_message_that_got_lost_is_made_good_later() -> None:
    world = deferred()
    world.clock.advance(hours=10)
    world.release()
    world.queues["decide"].messages.clear()
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sweep_that_dies_anywhere_is_made_good_by_the_next(when: Literal["before", "after"]) -> None:
    number = 0
    while True:
        number += 1
        world = deferred(3)
        world.clock.advance(hours=10)
        world.wire.kill_at(world.wire.number + number, when)
        world.release()
        if not world.kills:
            break
        world.come_to_rest()
        assert world.outcomes("run-1") == {"notified": 3}, world.wire.killed_at
        assert len(world.outbox) == 3
        world.check()
    assert number > 8


def test_what_waits_its_turn_behind_a_long_queue_is_sent_when_it_comes() -> None:
    """Four hours of SMS lie before it: meanwhile it is handed on again and again, ever more rarely."""
    world = deferred()
    world.clock.advance(hours=10)
    world.release()
    while not world.queues["sms"].messages:
        world.step()
    (job,) = world.queues["sms"].messages
    for _ in range(4 * 60):
        world.queues["sms"].receive(job)
        world.clock.advance(minutes=1)
        world.release()
        (look,) = world.queues["decide"].ready()[:1] or (None,)
        if look is not None:
            world.deliver("decide", look)
    assert 3 <= times_handed_on(world.notice("D0001")) <= 5
    assert world.deliver("sms", job)

    assert len(world.outbox) == 1, "the job that waited is still good"
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert len(world.outbox) == 1
    world.check()


def test_sweeps_that_did_not_run_for_days_are_caught_up() -> None:
    world = deferred(3)
    world.clock.advance(hours=10)
    world.release()
    world.come_to_rest()
    world.drop("run-2", *(a_document(n, email=None) for n in range(4, 7)))
    world.clock.move_to(world.clock.now() + timedelta(hours=13))
    world.drain()
    world.clock.advance(days=2)
    world.come_to_rest()

    assert world.outcomes("run-2") == {"notified": 3}


def test_a_sweep_that_runs_out_of_time_goes_on_where_it_was() -> None:
    world = deferred(250)
    world.clock.advance(hours=10)
    ports = world.ports_of_a_sweep()
    first = release_due(**ports, time_left=lambda: 5.0)
    assert first == 100
    assert world.due.watermark() is None
    rest = release_due(**ports, time_left=lambda: 60.0)
    assert (rest, world.due.watermark() is None) == (150, False)


def test_a_deferred_document_beyond_its_deadline_is_not_sent() -> None:
    for paper, outcome in ((False, "failed"), (True, "paper")):
        world = World(a_rule(deadline_hours=8, paper_on_failure=paper), at=NIGHT)
        world.drop("run-1", a_document(1, email=None))
        world.come_to_rest()

        assert world.outcomes("run-1") == {outcome: 1}
        assert world.reasons("run-1", outcome) == {"deadline_passed": 1}
        assert ("deadline_passed" in world.exceptions.codes) is not paper
        assert not world.outbox


def test_on_release_it_is_decided_whether_it_still_makes_sense() -> None:
    world = deferred(2)
    world.change_contact(1, opt_outs={"*": ("sms",)})
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1, "suppressed": 1}
    assert len(world.outbox) == 1


def test_a_run_that_waits_again_is_not_forgotten_by_the_sweep_that_woke_it() -> None:
    """The run's worker is faster than the sweep: it looked, and waits anew, before the sweep tidies up."""
    world = World()
    folder = world.folder("run-1")
    folder.write_index([a_document(1)])
    folder.write_seal(DOMAIN, "run-1")
    data = folder.files.popitem()
    world.landed("run-1", "seal")
    world.drain()
    world.clock.advance(minutes=2)
    sweep = World()
    sweep.due.wait_for_run(DOMAIN, "x", sweep.clock.now())
    sweep.release()
    before_forgetting = sweep.wire.log.index("due.forget") + 1
    world.wire.interrupt_at(world.wire.number + before_forgetting, world.step)
    world.release()
    assert world.due.next_due() is not None

    folder.files[data[0]] = data[1]
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


# --- hold, release, cancel -------------------------------------------------------------------------


def a_run(count: int = 9) -> World:
    """A run in slices of three; one address is refused, one customer wants paper."""
    world = World(a_rule(paper_on_failure=True), slice_records=3)
    world.drop(
        "run-1",
        *(
            a_document(
                n,
                email="refused@example.com" if n == 2 else f"c{n:04d}@example.com",
                delivery_channel="paper" if n == 3 else None,
            )
            for n in range(1, count + 1)
        ),
    )
    world.mail.refuse("refused@example.com", GiveUp("no_such_address", "recipient"))
    return world


@pytest.mark.parametrize("after", range(1, 14))
def test_a_hold_at_any_time_sends_nothing_more_and_its_release_sends_the_rest(after: int) -> None:
    world = a_run()
    for _ in range(after):
        world.step()
    if world.runs.get(DOMAIN, "run-1") is None:
        return
    world.control("run-1", Control.HOLD)
    sent = len(world.outbox)
    world.wait_until(world.clock.now() + timedelta(hours=2))
    assert len(world.outbox) == sent
    world.control("run-1", Control.GO)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 8, "paper": 1}
    assert len(world.outbox) == 8
    assert world.told("sms") == ["+12025550102"], "the fallback is not forgotten over the hold"
    world.check()


@pytest.mark.parametrize("after", range(1, 14))
def test_a_cancel_at_any_time_sends_nothing_more_and_balances(after: int) -> None:
    world = a_run()
    for _ in range(after):
        world.step()
    if world.runs.get(DOMAIN, "run-1") is None:
        return
    world.control("run-1", Control.CANCEL)
    sent = len(world.outbox)
    world.come_to_rest()

    assert len(world.outbox) == sent
    found = world.outcomes("run-1")
    assert found.get("notified", 0) == sent
    assert sum(found.values()) == 9
    assert set(found) <= {"notified", "suppressed", "paper", "failed"}
    assert world.due.next_due() is None
    world.check()
    # What the cancelled run did not notify, a corrected one may.
    if sent == 0:
        world.drop("run-2", *(a_document(n) for n in range(4, 10)))
        world.come_to_rest()
        assert world.outcomes("run-2") == {"notified": 6}


def test_a_cancelled_runs_deferred_notices_are_ended() -> None:
    world = deferred(3)
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"suppressed": 3}
    assert world.reasons("run-1", "suppressed") == {"run_cancelled": 3}
    assert not world.outbox


def test_a_slice_delivered_again_after_a_cancel_does_not_rewrite_what_was_decided() -> None:
    world = World(a_rule(paper_on_failure=True))
    world.drop("run-1", a_document(1), a_document(2, delivery_channel="paper"))
    while not world.queues["decide"].messages:
        world.step()
    copy = world.queues["decide"].messages[0].json()
    world.come_to_rest()
    world.control("run-1", Control.CANCEL)
    world.queues["decide"].send([copy])
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1, "paper": 1}


def test_what_a_dead_worker_left_of_a_cancelled_run_is_said_to_be_in_doubt() -> None:
    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    rehearsal = World()
    rehearsal.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "before")
    while not world.kills:
        world.step()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 2}
    assert not world.outbox
    world.check()


def test_a_doubt_of_a_cancelled_run_waits_for_nothing() -> None:
    world = World(a_rule(on_unconfirmed="resend"))
    world.mail.script(LostAnswer())
    world.drop("run-1", a_document(1))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert len(world.outbox) == 1


def test_copies_of_a_cancelled_run_that_an_outage_put_off_are_ended() -> None:
    world = World(a_rule(teams=("audit",), team_copy="each"), teams={"audit": "audit@example.com"})
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", a_document(1))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.mail.always(None)
    world.come_to_rest()

    assert not world.outbox
    assert world.notice("D0001", "team:audit").status == Status.SUPPRESSED


def test_a_cancel_is_final() -> None:
    world = a_run()
    while world.runs.get(DOMAIN, "run-1") is None:
        world.step()
    world.control("run-1", Control.CANCEL)

    for control in (Control.GO, Control.HOLD):
        with pytest.raises(RunEnded, match="another run id"):
            world.control("run-1", control)
    assert world.control("run-1", Control.CANCEL).control == Control.CANCEL


def test_a_command_on_a_cancelled_run_says_what_to_do_instead() -> None:
    world = a_run()
    world.come_to_rest()
    world.control("run-1", Control.CANCEL)
    with pytest.raises(RunEnded) as ended:
        world.control("run-1", Control.GO)
    assert str(ended.value) == "run retail/run-1 was cancelled; drop it again under another run id"
    assert [row["what"] for row in world.run("run-1").history] == ["cancel"]


def test_a_cancelled_run_accepts_no_seal() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index([a_document(1)])
    folder.write_seal(DOMAIN, "run-1")
    index = folder.files.popitem()
    world.landed("run-1", "seal")
    world.drain()
    world.control("run-1", Control.CANCEL)
    folder.files[index[0]] = index[1]
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.WAITING
    assert not world.outbox


def test_who_did_what_and_why_is_kept() -> None:
    world = a_run()
    world.come_to_rest()
    world.control("run-1", Control.HOLD)
    world.control("run-1", Control.GO)

    rows = [(row["who"], row["what"], row["why"]) for row in world.run("run-1").history]
    assert rows == [("operator", "hold", "test"), ("operator", "go", "test")]


def test_a_control_wins_over_a_worker_that_writes_the_run_meanwhile() -> None:
    world = a_run()
    world.come_to_rest()
    stale = world.run("run-1")
    world.control("run-1", Control.HOLD)
    after = control_run(stale, Control.GO, "operator", "late", world.control_ports)

    assert after.version == stale.version + 2
    assert [row["what"] for row in after.history] == ["hold", "go"]


def test_a_run_that_keeps_changing_is_given_up_loudly() -> None:
    class Restless:
        """A run book in which every write comes too late."""

        def __init__(self, world: World) -> None:
            self._world = world

        def put(self, run: object) -> bool:
            return False

        def __getattr__(self, name: str) -> object:
            return getattr(self._world.runs, name)

    world = a_run()
    world.come_to_rest()
    ports = replace(world.control_ports, runs=cast(Any, Restless(world)))
    with pytest.raises(RuntimeError, match="kept changing"):
        control_run(world.run("run-1"), Control.HOLD, "operator", "test", ports)


def test_a_run_whose_record_is_gone_is_not_written_again_and_again() -> None:
    world = a_run()
    world.come_to_rest()
    stale = world.run("run-1")
    world.runs._runs.clear()
    writes = interfere(world.runs, 9, lambda: None)
    with pytest.raises(RuntimeError, match="run retail/run-1 kept changing"):
        control_run(stale, Control.HOLD, "operator", "test", world.control_ports)
    assert len(writes) == 1
    assert world.due.waits == {}, "a held run is carried on by nobody"


@pytest.mark.parametrize("control", [Control.GO, Control.CANCEL])
def test_a_run_whose_command_died_is_carried_on_after_two_minutes(control: Control) -> None:
    world = a_run()
    world.come_to_rest()
    world.queues["run"].send = _fails  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        world.control("run-1", control)
    del world.queues["run"].send
    assert world.run("run-1").control == control
    world.clock.advance(seconds=119)
    assert (world.release(), len(world.queues["run"].messages)) == (0, 0)
    world.clock.advance(seconds=1)
    assert (world.release(), len(world.queues["run"].messages)) == (1, 1)


def _fails(*_: object, **__: object) -> None:
    raise ConnectionError("refused")


@pytest.mark.parametrize("port", ["look_queue.send_looks", "run_queue.send_runs", "decide_queue.send_slices"])
def test_one_kind_that_cannot_be_handed_on_holds_up_no_other(
    port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = deferred(1)
    at = world.clock.now() + timedelta(hours=1)
    world.due.wait("unsealed", "retail/run-7", at)
    world.due.wait_for_run("retail", "run-8", at)
    world.clock.advance(hours=10)
    ports = world.ports_of_a_sweep()
    came: dict[str, int] = {}
    for name in ("look_queue.send_looks", "run_queue.send_runs", "decide_queue.send_slices"):
        queue, method = name.split(".")
        send = _fails if name == port else lambda *_, name=name, **__: came.update({name: 1})
        monkeypatch.setattr(ports[queue], method, send, raising=False)

    with pytest.raises(ExceptionGroup, match="not all handed on") as failed:
        release_due(**ports, time_left=lambda: 60.0)

    assert [type(error) for error in failed.value.exceptions] == [ConnectionError]
    assert {port, *came} == {"look_queue.send_looks", "run_queue.send_runs", "decide_queue.send_slices"}
    assert world.due.watermark() is None, "the next sweep looks at it again"
