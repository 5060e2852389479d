"""A worker killed at every port call in turn, before and after it, one by one and in bulk.

Whatever call it is: the provider took at most one message per attempt, every record ends, and none
ends in a way that nobody can tell.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pytest

from exstream_notify.domain.messages import GiveUp
from tests.fakes import a_document, a_rule
from tests.use_cases.world import World

When = Literal["before", "after"]
RULES = (a_rule(), a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True))


def a_story(*, bulk: bool, deduplicates: bool) -> World:
    """A run of five: told at once, told by fallback, nobody to tell, test, and one that wants paper."""
    world = World(*RULES, bulk=bulk, deduplicates=deduplicates)
    world.mail.refuse("c0003@example.com", GiveUp("no_such_address", "recipient"))
    world.drop(
        "run-1",
        a_document(1),
        a_document(2),
        a_document(3, document_type="policy"),
        a_document(4, email=None, mobile=None, document_type="policy"),
        a_document(5, test_flag=True),
    )
    return world


def calls_of(*, bulk: bool, deduplicates: bool) -> int:
    world = a_story(bulk=bulk, deduplicates=deduplicates)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3, "paper": 1, "suppressed": 1}
    return world.wire.number


def every_kill() -> Iterator[tuple[bool, bool, int, When]]:
    for bulk in (False, True):
        for deduplicates in (False, True):
            for number in range(1, calls_of(bulk=bulk, deduplicates=deduplicates) + 1):
                yield bulk, deduplicates, number, "before"
                yield bulk, deduplicates, number, "after"


def test_whatever_call_kills_the_worker() -> None:
    kills: Counter[str] = Counter()
    for bulk, deduplicates, number, when in every_kill():
        world = a_story(bulk=bulk, deduplicates=deduplicates)
        world.wire.kill_at(number, when)
        world.come_to_rest()
        world.check()
        where = f"bulk {bulk}, de-duplicates {deduplicates}, killed {world.wire.killed_at}"
        found = world.outcomes("run-1")
        assert found.pop("paper", 0) == 1, where
        assert found.pop("suppressed", 0) == 1, where
        assert set(found) <= {"notified", "unconfirmed"}, where
        assert sum(found.values()) == 3, where
        if deduplicates and not bulk:
            # Submitted again and refused: that does not tell what became of the first submission.
            assert found["notified"] >= 2, where
        # Nobody is told twice, also not on another channel while the first is in doubt.
        assert max(Counter(d.notice_id for d in world.outbox).values(), default=0) <= 1, where
        assert world.kills == 1, where
        kills[f"{bulk} {deduplicates} {when}"] += 1
    assert min(kills.values()) > 30


@pytest.mark.parametrize("bulk", [False, True])
def test_only_what_was_claimed_together_is_in_doubt(bulk: bool) -> None:
    """Killed right after the first hand-over, one by one leaves ten in doubt of thirty, not thirty."""
    world = World(bulk=bulk)
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    names = _names_of(bulk)
    world.wire.kill_at(names.index("provider.send") + 1, "after")
    world.come_to_rest()
    found = world.outcomes("run-1")
    assert found["unconfirmed"] <= (30 if bulk else 10)
    assert sum(found.values()) == 30


def _names_of(bulk: bool) -> list[str]:
    world = World(bulk=bulk)
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    world.come_to_rest()
    return world.wire.log
