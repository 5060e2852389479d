"""What operators switch off is not sent, is not lost, and goes out when it is on again."""

from datetime import timedelta

import pytest

from tests.fakes import a_document
from tests.use_cases.world import World


@pytest.mark.parametrize("name", ["email", "retail"])
def test_nothing_is_sent_while_it_is_off_and_all_goes_out_afterwards(name: str) -> None:
    world = World()
    world.off = {name}
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    assert world.told() == []
    assert world.outcomes("run-1") == {"deferred": 2}
    assert world.reasons("run-1", "deferred") == {"switched_off": 2}
    # It stays so for as long as it is off, without an exception for each look.
    world.wait_until(world.clock.now() + timedelta(hours=3))
    assert world.told() == []
    world.off.clear()
    world.wait_until(world.clock.now() + timedelta(hours=1))
    assert sorted(world.told()) == ["c0001@example.com", "c0002@example.com"]
    assert world.outcomes("run-1") == {"notified": 2}
    world.check()


def test_another_channel_and_domain_go_on() -> None:
    world = World()
    world.off = {"sms", "claims"}
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.told() == ["c0001@example.com"]
