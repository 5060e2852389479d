"""A job that is delivered again meets its notice as it stands by then: put off, sent, lost, cancelled, moved."""

from collections.abc import Callable
from typing import Any

import pytest

from exstream_notify.domain.breaker import Breaker
from exstream_notify.domain.messages import GiveUp, TryAgain, Unconfirmed
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control
from tests.fakes import a_document, a_rule
from tests.use_cases.world import World

from .test_send_notices import up_to

DOWN = TryAgain("service_unavailable")
REFUSED = GiveUp("no_such_address", "recipient")


def again(world: World, queue: str, first: Callable[[], object] = lambda: None) -> tuple[bool, list[Any]]:
    """Deliver the queue's job, do `first`, deliver it again: whether that was done, and what is decided anew."""
    (message,) = world.queues[queue].messages
    body = message.json()
    world.deliver(queue, message)
    first()
    world.queues["decide"].messages.clear()
    world.queues[queue].messages.clear()
    world.queues[queue].send([body])
    (copy,) = world.queues[queue].messages
    done = world.deliver(queue, copy)
    return done, [m.json().get("positions") for m in world.queues["decide"].messages]


def one(*rules: Any, **document: Any) -> World:
    world = World(*rules)
    world.drop("run-1", a_document(1, **document))
    return world


def test_one_that_was_put_off_waits_for_its_time_and_is_not_decided_by_the_job() -> None:
    world = one()
    world.mail.always(DOWN)
    up_to(world, "email")
    assert again(world, "email") == (True, [])
    assert world.notice("D0001").status == Status.DEFERRED
    assert len(world.mail.posted) == 1


def test_a_second_channel_that_was_put_off_behind_a_lost_first_waits_for_its_time_too() -> None:
    world = one(a_rule(channels=("email", "sms")))
    world.mail.always(REFUSED)
    world.text.always(DOWN)
    up_to(world, "sms")
    done, positions = again(world, "sms")
    assert done
    notice = world.notice("D0001")
    assert (notice.status, notice.waiting, positions) == (Status.DEFERRED, ("sms",), [])
    world.text.always(None)
    world.come_to_rest()
    assert world.told("sms") == ["+12025550101"]
    world.check()


def test_one_that_was_sent_or_is_in_doubt_is_neither_sent_nor_decided_again() -> None:
    for answer, status in ((None, Status.SENT), (Unconfirmed("lost"), Status.UNCONFIRMED)):
        world = one()
        world.mail.always(answer)
        up_to(world, "email")
        assert again(world, "email") == (True, [])
        assert world.notice("D0001").status == status
        assert len(world.mail.posted) == 1


def test_one_that_was_refused_asks_for_the_next_channel_again() -> None:
    world = one()
    world.mail.always(REFUSED)
    up_to(world, "email")
    assert again(world, "email") == (True, [[1]])
    world.come_to_rest()
    assert world.told("sms") == ["+12025550101"]


def test_a_job_of_a_cancelled_run_ends_its_claims_and_leaves_the_rest_to_the_decision() -> None:
    world = one()
    up_to(world, "email")
    world.control("run-1", Control.CANCEL)
    (message,) = world.queues["email"].messages
    world.queues["decide"].messages.clear()
    assert world.deliver("email", message)
    assert [m.json().get("positions") for m in world.queues["decide"].messages] == [[1]]
    assert world.mail.posted == []
    world.come_to_rest()
    assert world.outbox == []


@pytest.mark.parametrize("control", [None, Control.CANCEL])
def test_a_claim_that_another_worker_holds_is_waited_for_and_one_that_is_abandoned_is_in_doubt(
    control: Control | None,
) -> None:
    world = one(a_rule(channels=("email",)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    body = message.json()
    calls = [n for n, name in enumerate(_log_of_send(), 1) if name == "provider.send"]
    world.wire.kill_at(world.wire.number + calls[0], "before")
    assert not world.deliver("email", message)
    assert world.notice("D0001").status == Status.SENDING
    if control:
        world.control("run-1", control)
    world.queues["email"].messages.clear()
    world.queues["email"].send([body])
    (copy,) = world.queues["email"].messages
    assert not world.deliver("email", copy), "another worker holds it"
    assert world.notice("D0001").status == Status.SENDING
    world.clock.advance(hours=1)
    assert world.deliver("email", copy)
    assert world.notice("D0001").status == Status.UNCONFIRMED
    assert world.notice("D0001").why == "answer_lost"
    assert world.mail.posted == []


def _log_of_send() -> list[str]:
    """The calls of sending that job, from a world in which nothing goes wrong."""
    world = one(a_rule(channels=("email",)))
    up_to(world, "email")
    start = world.wire.number
    (message,) = world.queues["email"].messages
    assert world.deliver("email", message)
    return world.wire.log[start:]


def test_with_the_breaker_open_what_is_claimed_is_looked_at_later_and_the_rest_put_off() -> None:
    world = one(a_rule(channels=("email",)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    body = message.json()
    calls = [n for n, name in enumerate(_log_of_send(), 1) if name == "provider.send"]
    world.wire.kill_at(world.wire.number + calls[0], "before")
    world.deliver("email", message)
    world.clock.advance(hours=1)
    breaker = world.breakers.setdefault("mail", Breaker())
    for _ in range(50):
        breaker.failed(world.clock.machine_time())
    assert breaker.is_open(world.clock.machine_time())
    world.queues["email"].messages.clear()
    world.queues["email"].send([body])
    (copy,) = world.queues["email"].messages
    before = world.clock.now()
    assert not world.deliver("email", copy), "the provider is left alone: the job comes back"
    assert world.notice("D0001").status == Status.SENDING
    assert (copy.visible_at - before).total_seconds() == pytest.approx(breaker.rest + 1, abs=1)
