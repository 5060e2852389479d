"""A document that comes by itself is a run of one."""

from typing import Any, Literal

import pytest

from exstream_notify.domain.runs import DomainRule
from tests.fakes import a_document
from tests.use_cases.world import World

WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")
LETTER = {
    "customer_key": "C0001",
    "document_id": "D0001",
    "document_type": "statement",
    "email": "c0001@example.com",
}


def test_a_single_document_takes_the_same_path() -> None:
    world = World()
    world.compose("e-1", LETTER)
    world.come_to_rest()

    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("event-e-1") == {"notified": 1}
    assert world.reconciled("event-e-1").complete
    world.check()


def test_the_same_event_again_is_the_same_run_and_another_about_it_a_duplicate() -> None:
    world = World()
    for event in ("e-1", "e-1", "e-2"):
        world.compose(event, LETTER)
    world.come_to_rest()

    assert len(world.outbox) == 1
    found = [world.outcomes(run) for run in ("event-e-1", "event-e-2")]
    assert sorted(next(iter(outcomes)) for outcomes in found) == ["duplicate", "notified"]


def test_a_document_that_came_in_a_run_before_is_a_duplicate() -> None:
    world = World()
    world.compose("e-1", LETTER)
    world.come_to_rest()
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"duplicate": 1}


def test_one_that_cannot_be_used_is_rejected_and_told() -> None:
    world = World()
    world.compose("e-1", {**LETTER, "customer_key": ""})
    world.come_to_rest()

    assert world.outcomes("event-e-1") == {"rejected": 1}
    (raised,) = world.exceptions.raised
    assert (raised.code, raised.text) == ("records_rejected", "the event was rejected: customer_key: missing")


@pytest.mark.parametrize("detail", [LETTER, {**LETTER, "customer_key": ""}])
def test_a_worker_that_dies_at_any_call_is_made_good(detail: dict[str, Any]) -> None:
    rehearsal = World()
    rehearsal.compose("e-1", detail)
    rehearsal.come_to_rest()
    for number in range(1, rehearsal.wire.number + 1):
        for when in WHEN:
            world = World()
            world.compose("e-1", detail)
            world.wire.kill_at(number, when)
            world.come_to_rest()

            assert world.kills == 1
            assert sum(world.outcomes("event-e-1").values()) == 1, world.wire.killed_at
            assert len(world.outbox) <= 1
            if not detail["customer_key"]:
                assert world.incidents.count("records_rejected") == 1, world.wire.killed_at
            world.check()


def test_a_single_document_of_a_domain_that_the_rules_do_not_name_is_held() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unknown=True)
    world.compose("e-1", LETTER)
    world.come_to_rest()
    run = world.run("event-e-1")
    why = "domains.yaml names no domain retail"
    assert (run.control, run.why, run.state) == ("hold", why, "dispatched")
    (raised,) = (e for e in world.exceptions.raised if e.code == "domain_unknown")
    assert (raised.severity, raised.text, raised.part) == ("severe", f"held: {why}", "domain")
    assert raised.names == ("retail",)
    assert world.told() == []
