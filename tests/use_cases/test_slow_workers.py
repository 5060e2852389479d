"""What a slow worker knew never takes the place of what a faster one said, of runs, incidents and the watch."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.messages import Accepted, Answer, GiveUp, SentRequest
from exstream_notify.use_cases.send_notices import InProgress
from tests.fakes import Killed, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

NO = GiveUp("content_refused", "content")


class Late:
    """Writes that a second worker makes last of all, after the first one has finished."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def during(self, work: Callable[[], None]) -> None:
        """Let the second worker do everything but its last writes."""
        places = [(self._world.runs, "put_job"), (self._world.watch, "add")]
        originals = [(owner, name, getattr(owner, name)) for owner, name in places]
        raised, bus = self._world._ports["exceptions"], "raise_exceptions"
        originals.append((raised, bus, getattr(raised, bus)))
        for owner, name, original in originals:
            setattr(owner, name, lambda *call, original=original: self._calls.append((original, call)))
        try:
            work()
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)

    def done(self) -> None:
        """Now they come."""
        for original, call in self._calls:
            original(*call)


def two_workers(
    world: World, answer: Callable[[int], Answer | None], at: int, seconds: float, *, dies: bool = False
) -> None:
    """The same job twice: while the first hands over its message number `at`, so many seconds long, the second
    does all that it can; its last writes come when the first has finished. If the first `dies`, it has
    recorded its answers, and nothing else."""
    while not world.queues["email"].ready():
        world.step()
    message, late, number = world.queues["email"].ready()[0], Late(world), [0]
    body, post = message.json(), world.mail._post
    raising: Any = world._ports["exceptions"]
    raised = raising.raise_exceptions

    def again() -> None:
        with suppress(InProgress):
            world._send(body, lambda: 600.0)

    def posted(request: SentRequest) -> Answer:
        number[0] += 1
        world.clock.advance(seconds=0.01)
        if number[0] == at:
            world.clock.advance(seconds=seconds)
            late.during(again)
            if dies:
                raising.raise_exceptions = killed
            world.clock.advance(seconds=0.01)
        wanted = answer(number[0])
        return wanted if wanted is not None else post(request)

    def killed(*call: Any) -> None:
        raise Killed

    world.mail._post = posted  # type: ignore[method-assign]
    with suppress(Killed):
        world._send(body, lambda: 600.0)
    raising.raise_exceptions = raised
    late.done()
    world.queues["email"].delete(message)
    world.drain()


@pytest.mark.parametrize("seconds", [0.0, 300.0], ids=["holds", "lost its lease"])
@pytest.mark.parametrize("at", [1, 9, 12])
def test_the_run_says_what_the_ledger_says(at: int, seconds: float) -> None:
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", *(a_document(n) for n in range(1, 15)))
    two_workers(world, lambda n: None, at, seconds)

    # What the first had claimed was taken for abandoned; its answers settle the doubt.
    assert world.outcomes("run-1") == {"notified": 14}
    assert len(world.outbox) == 14
    watched = {n for w in world.watch.due(world.clock.now() + timedelta(days=30), 99) for n in w.notices}
    assert len(watched) == 14


@pytest.mark.parametrize("count", [1, 3])
def test_late_acceptances_are_watched_for_though_their_worker_dies(count: int) -> None:
    """The second worker put them in doubt and ended the message, so nobody comes back for them."""
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", *(a_document(n) for n in range(1, count + 1)))
    two_workers(world, lambda n: None, count, 300.0, dies=True)

    assert {n.status for n in world.ledger.notices.values()} == {"sent"}
    watched = {n for w in world.watch.due(world.clock.now() + timedelta(days=30), 99) for n in w.notices}
    assert watched == set(world.ledger.notices)


@pytest.mark.parametrize("seconds", [0.0, 300.0], ids=["holds", "lost its lease"])
@pytest.mark.parametrize("at", [1, 10, 13])
def test_the_incident_counts_all_that_was_refused(at: int, seconds: float) -> None:
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", *(a_document(n) for n in range(1, 15)))
    two_workers(world, lambda n: NO, at, seconds)

    assert world.outcomes("run-1") == {"failed": 14}
    events = [
        e for n in world.ledger.notices.values() for e in n.events if e.report.startswith("send_refused")
    ]
    assert len(events) == 14
    (incident,) = [i for i in world.incidents.all() if "send_refused" in i.codes]
    counts = {e.code: e.count for e in incident.causes}
    assert counts["send_refused"] == 14


def test_a_later_acceptance_is_not_forgotten_with_the_doubt() -> None:
    """The second worker says `in doubt` of all, last; the first one's answers came before."""
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    two_workers(world, lambda n: Accepted(f"mail-{n}"), 3, 300.0)

    assert world.reconciled("run-1").outcomes["unconfirmed"] == 0
    assert {n.status for n in world.ledger.notices.values()} == {"sent"}
    assert world.runs.get(DOMAIN, "run-1") is not None
