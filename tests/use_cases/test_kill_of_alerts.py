"""Workers that die at any call of an alert's life, or meet there: nothing of what is to be told is lost."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Literal

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged
from exstream_notify.domain.incidents import Head, Incident, IncidentStatus
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import alert_exceptions, change_incident
from tests.use_cases.world import World

WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")

GIVEN: dict[str, Any] = {
    "code": "EX004120E", "severity": "severe", "domain": "retail", "run_id": "run-1", "text": "text",
    "part": "a.dat",
}  # fmt: skip


def world() -> World:
    """A world on the rules that ship: e-mail reaches every team."""
    return World(site_rules=YamlRules())


def raised(here: World, **changes: Any) -> None:
    """The engine says something of a run, and all follows from it."""
    here.exceptions.raise_exceptions([ExceptionRaised(**{**GIVEN, **changes})])
    here.drain()


def later(here: World, **time: float) -> None:
    """So much time goes by, with what falls due in it."""
    here.wait_until(here.clock.now() + timedelta(**time), limit=10_000)


def takes_it(here: World) -> None:
    """Somebody acknowledges all that is open."""

    def took(head: Head, _: Incident) -> Head:
        return acknowledged(head, here.clock.now().isoformat(timespec="seconds"), "Ann")

    for incident in here.incidents.all():
        change_incident(incident.incident_id, took, incidents=here.incidents, due=here.due, clock=here.clock)


def lapsed(here: World) -> None:
    """Somebody takes it, and nothing more is heard of them."""
    raised(here)
    later(here, minutes=1)
    takes_it(here)
    later(here, hours=5)


def over(here: World) -> None:
    """Its file is read again, and says nothing of it any more."""
    raised(here)
    later(here, minutes=2)
    raised(here, count=0)
    later(here, minutes=20)


def back(here: World) -> None:
    """It is over, and comes back."""
    over(here)
    raised(here, count=3)
    later(here, minutes=10)


def daily(here: World) -> None:
    """It is told in the morning."""
    raised(here, code="no_channel", severity="warning", part="slice 1")
    later(here, days=1.2)


def sixth(here: World) -> None:
    """One incident more than a team is told of in a minute: a storm's summary has it alone."""
    for number in range(6):
        raised(here, severity="error", run_id=f"run-{number}")
    later(here, minutes=15)


def told(here: World) -> Counter[tuple[str, str]]:
    """Why teams were told."""
    return Counter((team, str(alert.what)) for _, team, alert in here.channels.told)


@pytest.mark.parametrize(
    ("story", "alerts"),
    [(lapsed, ["opened", "lapsed", "escalated"]), (over, ["opened", "resolved"]), (daily, ["opened"]),
     (back, ["opened", "resolved", "reopened"]), (sixth, ["opened"])],
)  # fmt: skip
def test_whatever_call_kills_the_worker_every_alert_goes_out(
    story: Callable[[World], None], alerts: list[str]
) -> None:
    rehearsal = world()
    story(rehearsal)
    wanted = told(rehearsal)
    assert set(alerts) <= {what for _, what in wanted}
    for number in range(1, rehearsal.wire.number + 1):
        for when in WHEN:
            here = world()
            here.wire.kill_at(number, when)
            story(here)
            assert not wanted - told(here), here.wire.killed_at
            assert sum((told(here) - wanted).values()) <= 1, here.wire.killed_at


def test_a_lapse_that_no_channel_takes_is_tried_again() -> None:
    here = world()
    raised(here)
    later(here, minutes=1)
    takes_it(here)
    here.channels.answers = {"email": ChannelAnswer("failed", "HTTP 500")}
    later(here, hours=4, seconds=30)
    here.channels.answers = {}
    later(here, minutes=5)
    assert [str(alert.what) for alert in here.channels.alerts()] == ["opened", "lapsed"]
    later(here, minutes=16)
    assert [str(alert.what) for alert in here.channels.alerts()] == ["opened", "lapsed", "escalated"]
    assert {i.status for i in here.incidents.all() if i.domain == "retail"} == {IncidentStatus.OPEN}


@pytest.mark.parametrize("ahead", [{"minutes": 4}, {"hours": 1}, {"days": 30_000}])
def test_a_report_of_a_clock_that_goes_ahead_is_corrected_all_the_same(ahead: dict[str, int]) -> None:
    here = world()
    raised(here, said_at=(here.clock.now() + timedelta(**ahead)).isoformat(timespec="seconds"))
    later(here, minutes=10)
    raised(here, count=0, said_at=here.clock.now().isoformat(timespec="seconds"))
    later(here, minutes=10)
    assert [str(alert.what) for alert in here.channels.alerts()] == ["opened", "resolved"]


@pytest.mark.parametrize(
    ("news", "alert"),
    [({"part": "b.dat", "code": "EX009999E"}, "worse"), ({"severity": "error", "part": "b.dat", "count": 50}, "grown"),
     ({"severity": "error", "count": 0}, "resolved")],
)  # fmt: skip
def test_what_comes_while_another_worker_tells_is_told_soon(news: dict[str, Any], alert: str) -> None:
    """Telling takes seconds, or a minute where channels do not answer: the time at which most comes."""

    def story(here: World) -> None:
        raised(here, severity="error")
        later(here, minutes=5)

    rehearsal = world()
    story(rehearsal)
    for number in range(2, rehearsal.wire.number + 1):
        here = world()
        report = ExceptionRaised(**{**GIVEN, **news})
        here.wire.interrupt_at(number, partial(alert_exceptions, [report], here.alerting()))
        story(here)
        known = [str(a.what) for a in here.channels.alerts()]
        (incident,) = here.incidents.all()
        assert alert in known or incident.head.told_count == incident.count, rehearsal.wire.log[number - 1]
        assert incident.head.told_severity == incident.severity or alert == "resolved"
        assert (incident.status == IncidentStatus.RESOLVED) == (alert == "resolved")
