"""A run that never came, and one that never ended."""

from datetime import UTC, datetime, time, timedelta

from exstream_notify.domain.expectations import ExpectedRun
from exstream_notify.use_cases.check_runs import expect_runs
from exstream_notify.use_cases.report_dead_letters import report_dead_letters
from tests.fakes import FakeRules, a_document, a_rule
from tests.use_cases.world import World

BILLING = ExpectedRun("retail", "billing", time(16), "UTC", tolerance_minutes=30)


class ExpectingRules(FakeRules):
    """Rules that expect a run each day."""

    expected_runs = (BILLING,)


def expecting() -> World:
    """A world at three in the afternoon that expects a run by four."""
    world = World(site_rules=ExpectingRules(a_rule()))
    placed: set[str] = set()
    for _ in range(3):
        expect_runs((BILLING,), placed, is_day_off=lambda _, __: False, due=world.due, clock=world.clock)
    return world


def test_a_run_that_never_came_is_told() -> None:
    world = expecting()
    world.wait_until(datetime(2026, 11, 20, 16, 29, tzinfo=UTC))
    assert not world.exceptions.raised

    world.wait_until(datetime(2026, 11, 20, 16, 31, tzinfo=UTC))
    (alert,) = world.channels.alerts()
    assert "billing: no run came by 16:00 UTC" in alert.text()


def test_one_that_came_is_not_whatever_became_of_it() -> None:
    world = expecting()
    world.drop("run-1", a_document(1), documents=9)
    world.drain()
    assert world.run("run-1").state == "refused"
    world.wait_until(datetime(2026, 11, 20, 17, tzinfo=UTC))

    assert "run_expected" not in world.exceptions.codes


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
