"""A run that never ended, and work that was given up."""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.runs import Run, RunState
from exstream_notify.use_cases.check_runs import check_sealed, look_at
from exstream_notify.use_cases.report_dead_letters import report_dead_letters
from tests.fakes import FakeExceptionBus, FakeRunBook, a_document
from tests.use_cases.world import World


def test_a_run_that_started_and_was_not_sealed_in_time_is_told() -> None:
    world = World()
    world.due.wait("unsealed", "retail/run-1", world.clock.now() + timedelta(hours=4))
    world.due.wait("unsealed", "retail/run-2", world.clock.now() + timedelta(hours=4))
    world.drop("run-2", a_document(1))
    world.come_to_rest()

    (raised,) = world.exceptions.raised
    assert (raised.code, raised.severity, raised.domain, raised.run_id) == (
        "run_not_sealed",
        "error",
        "retail",
        "run-1",
    )
    assert raised.text == "the run has started, its files are there, and no seal has come"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sealed": False}, True),
        ({"sealed": True}, False),
        ({"sealed": False, "deadline": "2026-11-20T16:00:00+00:00"}, False),  # it waits for its files
        ({"sealed": False, "state": RunState.STAGED}, False),
        ({"sealed": False, "state": RunState.DISPATCHED}, False),
    ],
)
def test_only_a_run_that_waits_for_its_seal_alone_is_told(changes: dict[str, Any], told: bool) -> None:
    runs, bus = FakeRunBook(), FakeExceptionBus()
    runs.put(Run("retail", "run-1", **{"state": RunState.WAITING, "version": 1, **changes}))
    check_sealed("retail", "run-1", runs=runs, exceptions=bus)
    assert bool(bus.raised) is told


@pytest.mark.parametrize("kind", ["incident", "calendar", "unsealed", "no such kind"])
def test_a_look_counts_nothing_but_channels(kind: str) -> None:
    world = World(site_rules=YamlRules())
    ports: Any = {"runs": world.runs, "exceptions": world.exceptions, "alerting": world.alerting()}
    name = {"unsealed": "retail/run-1", "incident": "1" * 32}.get(kind, "")
    counts = look_at(kind, name, world.rules, world.known_channels(), **ports)
    assert counts == {}
    assert [e.code for e in world.exceptions.raised] == (["run_not_sealed"] if kind == "unsealed" else [])


def test_a_look_at_channels_counts_what_is_dead() -> None:
    world = World(site_rules=YamlRules())
    ports: Any = {"runs": world.runs, "exceptions": world.exceptions, "alerting": world.alerting()}
    counts = look_at("channels", "now", world.rules, world.known_channels(), **ports)
    assert counts == {"channels_dead": 0, "teams_unreached": 0}


def test_dead_letters_are_one_incident_that_ends_when_they_are_gone() -> None:
    world = World()

    def look(**depths: int) -> None:
        report_dead_letters(depths, exceptions=world.exceptions, incidents=world.incidents)
        world.drain()

    look(RunDeadLetters=0, EmailDeadLetters=0)
    assert not world.incidents.all()

    look(RunDeadLetters=3, EmailDeadLetters=0)
    look(RunDeadLetters=3, EmailDeadLetters=1)
    (incident,) = world.incidents.all()
    assert (incident.count, incident.status) == (4, "open")

    world.clock.advance(seconds=60)
    look(RunDeadLetters=0, EmailDeadLetters=0)
    world.come_to_rest()
    (incident,) = world.incidents.all()
    assert incident.status == "resolved"
