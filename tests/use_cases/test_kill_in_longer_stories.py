"""A worker killed at every call of stories that go on: the night, an outage, fallbacks, holds, cancels.

`test_kill_at_every_call` kills within one plain run; here what waits, comes back and is controlled.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import pytest

from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control
from tests.fakes import Killed, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

NIGHT = "2026-11-20T03:30:00+00:00"
TEAMS = {"audit": "audit@example.com"}
RULES = (
    a_rule(),
    a_rule(name="both", wording="both", both_channels=True),
    a_rule(name="policy", wording="policy", message_class="regulated", teams=("audit",), team_copy="each"),
    a_rule(name="opening", wording="opening", teams=("audit",), team_copy="digest"),
)
Story = Callable[[World], None]


def drop(world: World) -> None:
    """Five documents of four types."""
    world.drop(
        "run-1",
        a_document(1, email=None),
        a_document(2, document_type="both"),
        a_document(3, document_type="policy"),
        a_document(4, document_type="opening"),
        a_document(5),
    )


def the_night(world: World) -> None:
    """SMS wait for the morning."""
    drop(world)


def an_outage(world: World) -> None:
    """The e-mail provider is down at first, customers and teams alike."""
    world.mail.script(*[TryAgain("unavailable")] * 6)
    drop(world)


def refusals(world: World) -> None:
    """Two addresses are refused: one falls back, one of both channels goes on with the other."""
    world.mail.refuse("c0002@example.com", GiveUp("no_such_address", "recipient"))
    world.mail.refuse("c0005@example.com", GiveUp("no_such_address", "recipient"))
    drop(world)


def a_hold(world: World) -> None:
    """Held as soon as it is staged, released after two hours."""
    drop(world)
    for _ in range(3):
        world.step()
    _control(world, Control.HOLD)
    world.wait_until(world.clock.now() + timedelta(hours=2))
    _control(world, Control.GO)


def a_cancel(world: World) -> None:
    """Cancelled while its jobs are queued."""
    drop(world)
    for _ in range(4):
        world.step()
    _control(world, Control.CANCEL)


def answers(world: World) -> None:
    """Cases are answered while their letters are queued, one as if no index showed its letter yet."""
    kinds = ("statement", "both", "policy", "opening", "statement")
    rows = [a_document(n, document_type=kind, case_id=f"K-{n}") for n, kind in enumerate(kinds, 1)]
    world.drop("run-1", *rows)
    for _ in range(4):
        world.step()
    for case in ("K-2", "K-3"):
        try:
            world.respond("responded", case_id=case)
        except Killed:
            world._bury_worker()
            world.respond("responded", case_id=case)  # its message comes back
    world.answer_case("K-5")


def _control(world: World, control: Control) -> None:
    if world.runs.get(DOMAIN, "run-1") is not None:
        world.control("run-1", control)


STORIES: dict[Story, str] = {
    the_night: NIGHT,
    an_outage: "2026-11-20T15:00:00+00:00",
    refusals: "2026-11-20T15:00:00+00:00",
    a_hold: "2026-11-20T15:00:00+00:00",
    a_cancel: "2026-11-20T15:00:00+00:00",
    answers: "2026-11-20T15:00:00+00:00",
}


def told(story: Story, at: str, kill: tuple[int, Literal["before", "after"]] | None = None) -> World:
    """A story from beginning to end."""
    world = World(*RULES, teams=TEAMS, slice_records=3, at=at)
    if kill is not None:
        world.wire.kill_at(*kill)
    story(world)
    world.come_to_rest(limit=200)
    return world


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.__name__)
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_kills_the_worker(story: Story, when: Literal["before", "after"]) -> None:
    at = STORIES[story]
    calls = told(story, at).wire.number
    ends: Counter[str] = Counter()
    # After a call is before the worker's next one, but for its last call: a sample of those will do.
    for number in range(1, calls + 1, 1 if when == "before" else 4):
        world = told(story, at, (number, when))
        where = f"{story.__name__}, killed {world.wire.killed_at}"
        world.check()
        found = world.outcomes("run-1")
        assert sum(found.values()) == 5, where
        ended_well = (
            {"notified", "unconfirmed", "suppressed"}
            if story in (a_cancel, answers)
            else {"notified", "unconfirmed"}
        )
        assert set(found) <= ended_well, where
        assert world.due.next_due() is None, where
        per_channel = Counter((d.notice_id, d.channel) for d in world.outbox)
        assert max(per_channel.values(), default=0) <= 1, where
        # The ledger says what the run says.
        in_doubt = sum(
            n.status == Status.UNCONFIRMED for n in world.ledger.notices.values() if n.audience == "customer"
        )
        assert found.get("unconfirmed", 0) >= in_doubt, where
        ends.update(found)
    assert calls > 40
    assert ends["notified"] > 0
