"""A run that never ended, and work that was given up."""

from datetime import timedelta

from exstream_notify.use_cases.report_dead_letters import report_dead_letters
from tests.fakes import a_document
from tests.use_cases.world import World


def test_a_run_that_started_and_was_not_sealed_in_time_is_told() -> None:
    world = World()
    world.due.wait("unsealed", "retail/run-1", world.clock.now() + timedelta(hours=4))
    world.due.wait("unsealed", "retail/run-2", world.clock.now() + timedelta(hours=4))
    world.drop("run-2", a_document(1))
    world.come_to_rest()

    assert [(e.code, e.run_id) for e in world.exceptions.raised] == [("run_not_sealed", "run-1")]


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
