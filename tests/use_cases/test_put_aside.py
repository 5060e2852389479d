"""What is put aside and taken back: never for good, whoever comes in between."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.control_journeys import (
    resume_notices,
    resume_run,
    stop_notices,
    stop_run,
)
from exstream_notify.use_cases.control_run import ControlPorts, control_run
from tests.fakes import FakeRules, Killed, Wire, a_document, a_rule, watched
from tests.use_cases.world import DOMAIN, World

JOURNEY = JourneyRule(
    "reminder",
    ("statement",),
    (Step(Delay(days=7), channels=("sms", "email"), wording="reminder"), Step(Delay(days=21), end="event")),
    stops=("opened", "responded", "paid"),
)


def a_held_run(channel: str, number: int = 3, bulk: bool = False) -> World:
    """Held while its jobs of that channel are queued; those by SMS are fallbacks."""
    world = World(slice_records=2, bulk=bulk)
    if channel == "sms":
        for n in range(1, number + 1):
            world.mail.refuse(f"c{n:04d}@example.com", GiveUp("no_such_address", "recipient"))
    world.drop("run-1", *(a_document(n) for n in range(1, number + 1)))
    while not world.queues[channel].ready():
        world.step()
    world.control("run-1", Control.HOLD)
    return world


def released_whole(world: World) -> None:
    """The operator releases the run, and that is carried on at once."""
    world.control("run-1", Control.GO)
    while world.queues["run"].ready():
        world.deliver("run", world.queues["run"].ready()[0])


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_job_put_aside_while_its_run_is_released_goes_on(channel: str, when: str, bulk: bool) -> None:
    world = a_held_run(channel, bulk=bulk)
    park = world.runs.park

    def late(job: Any) -> None:
        world.runs.park = park  # type: ignore[method-assign]
        if when == "before":
            released_whole(world)
        park(job)
        if when == "after":
            released_whole(world)

    world.runs.park = late  # type: ignore[method-assign]
    world.drain()

    assert len(world.outbox) == 3, "at once, and not only when the sweep finds it"
    assert world.outcomes("run-1") == {"notified": 3}
    assert not world.runs.parked(DOMAIN, "run-1")
    world.check()


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_job_put_aside_again_is_kept(channel: str) -> None:
    world = a_held_run(channel)
    world.drain()
    unpark = world.runs.unpark

    def held_again(parked: Any) -> None:
        world.runs.unpark = unpark  # type: ignore[method-assign]
        world.control("run-1", Control.HOLD)
        while world.queues[channel].ready():
            world.deliver(channel, world.queues[channel].ready()[0])
        unpark(parked)

    world.runs.unpark = held_again  # type: ignore[method-assign]
    world.control("run-1", Control.GO)
    world.drain()
    assert world.runs.parked(DOMAIN, "run-1")
    world.control("run-1", Control.GO)
    world.drain()
    assert len(world.outbox) == 3
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


@pytest.mark.parametrize("control", [Control.GO, Control.CANCEL])
def test_a_command_that_dies_is_carried_on(control: Control) -> None:
    """At every call of the operator's command, before and after it."""

    def commanded(kill: Callable[[Wire], None]) -> tuple[World, Wire]:
        world, wire = a_held_run("email"), Wire()
        world.drain()
        kill(wire)
        ports = world.control_ports
        runs, queue, due = (watched(part, type(part).__name__, wire) for part in _parts(ports))
        with suppress(Killed):
            behind = ControlPorts(runs, queue, due, world.clock)
            control_run(world.run("run-1"), control, "ann", "why", behind)
        world.come_to_rest()
        return world, wire

    calls = commanded(lambda wire: None)[1].number
    assert calls == 4
    for number in range(1, calls + 1):
        for when in ("before", "after"):
            world, wire = commanded(lambda wire, n=number, w=when: wire.kill_at(n, w))  # type: ignore[misc]
            if world.run("run-1").control == Control.HOLD:
                assert number <= 2, "nothing was said"
                continue
            found = world.outcomes("run-1")
            assert found == {"notified": 3} if control == Control.GO else {"suppressed": 3}, wire.killed_at
            assert world.due.next_due() is None


def _parts(ports: Any) -> tuple[Any, Any, Any]:
    return ports.runs, ports.run_queue, ports.due


def test_a_run_is_queued_again_only_if_its_command_died() -> None:
    world = a_held_run("email")
    world.drain()
    world.control("run-1", Control.GO)
    assert len(world.queues["run"].messages) == 1
    world.drain()
    world.clock.advance(minutes=10)
    world.release()
    assert [m.json()["trigger"] for m in world.queues["run"].messages] == ["digests"]


@pytest.mark.parametrize("whole_run", [False, True])
def test_members_put_aside_while_their_journey_is_let_go_on_are_brought_back(whole_run: bool) -> None:
    """The operator resumes between the look that found it stopped and the write that puts them aside."""
    world = World(site_rules=FakeRules(a_rule(), journeys=[JOURNEY]))
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    run, notices = f"{DOMAIN}/run-1", list(world.ledger.notices.values())
    ports: Any = {"journeys": world.journeys, "rules": world.rules, "clock": world.clock}
    if whole_run:
        stop_run(run, "ann", "why", journeys=world.journeys, clock=world.clock)
    else:
        stop_notices(notices, "ann", "why", ledger=world.ledger, clock=world.clock)
    park = world.journeys.park

    def resumed_meanwhile(*row: Any) -> None:
        world.journeys.park = park  # type: ignore[method-assign]
        if whole_run:
            resume_run(run, "ann", "why", **ports)
        else:
            resume_notices(list(world.ledger.notices.values()), "ann", "why", ledger=world.ledger, **ports)
        park(*row)

    world.journeys.park = resumed_meanwhile  # type: ignore[method-assign, assignment]
    world.follow()
    assert len(world.outbox) == 4, "the notice and its reminder, to both"
