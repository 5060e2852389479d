"""Noise has a bound: storms, causes over many runs, daily lists. Nothing of it is lost."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged, resolved
from exstream_notify.domain.incidents import Incident, IncidentStatus
from exstream_notify.domain.messages import TryAgain
from exstream_notify.domain.rollups import DAILY, STORM
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import change_incident
from tests.fakes import a_document
from tests.use_cases.world import World

WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")


def world(site: Path | None = None, **more: Any) -> World:
    """A world on the rules that ship, or a site's."""
    return World(site_rules=YamlRules(site), **more)


def an_error(run: int, **changes: Any) -> ExceptionRaised:
    """An engine's error of one run."""
    given = {
        "code": "EX004120E", "severity": "error", "domain": "retail", "run_id": f"run-{run}", "text": "it happened",
        "part": "a.dat",
    }  # fmt: skip
    return ExceptionRaised(**{**given, **changes})


def raised(here: World, *exceptions: ExceptionRaised) -> None:
    """They are told on the bus, and dealt with."""
    here.exceptions.raise_exceptions(exceptions)
    here.drain()


def later(here: World, **time: float) -> None:
    """So much time goes by, with what falls due in it."""
    here.wait_until(here.clock.now() + timedelta(**time), limit=10_000)


def titles(here: World, team: str | None = None) -> list[str]:
    """What teams were told, in order."""
    return [alert.title for alert in here.channels.alerts(team)]


def of_runs(here: World) -> list[Incident]:
    """The incidents that are of runs."""
    return [i for i in here.incidents.all() if i.domain != "alerts"]


def rollup(here: World, kind: str) -> Incident:
    """The only one of its kind."""
    (found,) = [i for i in here.incidents.all() if i.family == kind]
    return found


def resolve_all(here: World) -> None:
    """Somebody resolves every incident of a run."""
    for incident in of_runs(here):
        change_incident(
            incident.incident_id,
            lambda head, i: resolved(head, here.clock.now().isoformat(), "ann", i.count),
            incidents=here.incidents,
            due=here.due,
            clock=here.clock,
        )
    here.drain()
    later(here, minutes=6)


# --- storms -----------------------------------------------------------------------------------------


def test_above_five_alerts_a_minute_the_rest_is_one_summary_that_names_them() -> None:
    here = world()
    raised(here, *(an_error(n, domain=("retail", "cards")[n % 2]) for n in range(40)))
    later(here, minutes=1)

    assert len(titles(here)) == 6
    assert (
        titles(here)[5] == "[ERROR] 35 further incidents for operations: many alerts at once, summarised here"
    )
    facts = dict(here.channels.alerts()[5].facts)
    assert facts["Incidents"] == "35"
    assert facts["Worst"].startswith("error: EX004120E × 1 in cards/run-")
    assert facts["Domains"] in ("cards 18, retail 17", "retail 18, cards 17")
    assert facts["All of them"] == "exnotify incidents --open --team operations"
    assert {i.status for i in of_runs(here)} == {IncidentStatus.OPEN}
    assert all(i.head.told_at for i in of_runs(here))


def test_the_summary_is_kept_up_to_date_under_one_key_and_ends_with_the_storm() -> None:
    here = world()
    for run in range(80):
        raised(here, an_error(run))
        later(here, seconds=15)
    later(here, minutes=40)

    alerts = [a for a in here.channels.alerts() if a.key == rollup(here, STORM).incident_id]
    assert [str(a.what) for a in alerts] == ["opened", "grown", "ended"]
    assert dict(alerts[-1].facts)["Incidents"] == "70"
    before = len(titles(here))
    raised(here, an_error(500))
    assert titles(here)[before:] == ["[ERROR] EX004120E × 1 in retail/run-500: new"], "the storm is over"


def test_a_severe_incident_in_a_storm_of_others_is_told_by_itself_at_once() -> None:
    here = world()
    raised(here, *(an_error(n) for n in range(40)))
    before = len(titles(here))
    raised(here, an_error(99, severity="severe"))

    assert titles(here)[before:] == ["[SEVERE] EX004120E × 1 in retail/run-99: new"]


def test_severe_ones_above_their_own_allowance_make_the_summary_severe_and_urgent_at_once() -> None:
    here = world()
    here.channels.answers = {"pagerduty": ChannelAnswer("sent")}
    raised(here, *(an_error(n) for n in range(40)))
    later(here, minutes=1)
    raised(here, *(an_error(n, severity="severe") for n in range(100, 120)))

    pages = here.channels.alerts(channel="pagerduty")
    summary = next(a.title for a in pages if a.key == rollup(here, STORM).incident_id)
    assert summary.startswith("[SEVERE]")
    assert len(pages) == 6, "five severe ones by themselves, and the summary"


def test_a_storm_of_severe_ones_is_told_at_once_too() -> None:
    here = world()
    raised(here, *(an_error(n, severity="severe") for n in range(30)))

    assert len(titles(here)) == 6
    assert titles(here)[5].startswith("[SEVERE] 1 further incident")


def test_a_storm_escalates_as_one_with_those_that_were_told_before_it() -> None:
    here = world()
    raised(here, *(an_error(n) for n in range(300)))
    here.come_to_rest(limit=10_000)

    assert len(titles(here, "it")) == 1
    assert len(titles(here, "management")) == 1
    assert titles(here, "it")[0].endswith("nobody has answered")
    assert dict(here.channels.alerts("it")[0].facts)["Incidents"] == "300"
    assert {i.head.held_in for i in of_runs(here)} == {rollup(here, STORM).incident_id}, (
        "those told before, too"
    )
    assert len(here.channels.lost) == 1


def test_who_acknowledges_the_summary_answers_for_all() -> None:
    here = world()
    raised(here, *(an_error(n) for n in range(50)))
    later(here, minutes=5)
    change_incident(
        rollup(here, STORM).incident_id,
        lambda head, _: acknowledged(head, "2026-11-20T15:05:00+00:00", "ann"),
        incidents=here.incidents,
        due=here.due,
        clock=here.clock,
    )
    later(here, minutes=1200)

    assert len(titles(here)) == 6
    assert not here.channels.lost


def test_a_storm_is_resolved_with_the_last_of_its_incidents_in_one_message() -> None:
    here = world()
    raised(here, *(an_error(n) for n in range(100)))
    later(here, minutes=5)
    before = len(titles(here))
    resolve_all(here)

    assert len(titles(here)) - before == 3
    assert "95 further incidents for operations: all of them are resolved" in titles(here)[-2]
    assert "4 further incidents for operations: resolved" in titles(here)[-1]
    assert rollup(here, STORM).status == IncidentStatus.RESOLVED
    here.come_to_rest(limit=10_000)
    assert len(titles(here)) - before == 3


def test_what_a_pager_holds_open_is_resolved_there_one_by_one() -> None:
    here = world()
    here.channels.answers = {"pagerduty": ChannelAnswer("sent", page="operations.1a2b3c4d")}
    for run in range(5):
        raised(here, an_error(run, severity="severe"))
    resolve_all(here)

    pages = here.channels.alerts(channel="pagerduty")
    opened = {a.key for a in pages if a.what == "opened"}
    closed = {incident for _, action, incident in here.channels.pages if action == "resolve"}
    assert closed | {a.key for a in pages if a.what == "resolved"} >= opened
    assert len([t for t in titles(here) if "resolved" in t]) == 2, "one at once, the others as a list"


def test_escalations_to_a_team_are_bounded_like_its_own_alerts() -> None:
    here = world()
    for hour in range(3):
        for run in range(9):
            raised(here, an_error(100 * hour + run, code=f"X{run}", domain=f"domain-{run}"))
            later(here, minutes=1)
        later(here, minutes=51)
    assert len(titles(here, "operations")) == 27
    here.come_to_rest(limit=10_000)

    assert len(titles(here, "it")) <= 27
    at_once = world()
    at_once.rules = YamlRules()
    raised(at_once, *(an_error(n, domain=f"d{n}") for n in range(5)))
    later(at_once, hours=5)
    assert len(titles(at_once, "it")) == 5


def test_a_team_s_own_limit_holds(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(
        "teams: {operations: {storm: {per_minute: 2, per_hour: 3, quiet_minutes: 30}}}"
    )
    here = world(tmp_path)
    for run in range(4):
        raised(here, an_error(run))
        later(here, minutes=2)

    assert len(titles(here)) == 4
    assert titles(here)[3].startswith("[ERROR] 1 further incident for operations")


@pytest.mark.parametrize("severity", ["error", "severe"])
def test_a_worker_that_dies_at_any_call_loses_no_incident_of_a_storm(severity: str) -> None:
    def storm(here: World) -> None:
        here.exceptions.raise_exceptions([an_error(n, severity=severity) for n in range(8)])
        later(here, minutes=10)

    rehearsal = world()
    storm(rehearsal)
    assert len(rehearsal.channels.told) == (6 if severity == "error" else 7), "the severe summary grows once"
    for number in range(1, rehearsal.wire.number + 1):
        for when in WHEN:
            here = world()
            here.wire.kill_at(number, when)
            storm(here)
            assert here.kills == 1
            told = {a.key for a in here.channels.alerts()}
            if summary := [i for i in here.incidents.all() if i.family == STORM]:
                assert summary[0].incident_id in told, here.wire.killed_at
                told |= {place["incident"] for place in summary[0].where}
            assert {i.incident_id for i in of_runs(here)} <= told, here.wire.killed_at
            assert len(here.channels.told) <= len(rehearsal.channels.told) + 1, here.wire.killed_at


def test_a_storm_writes_the_team_s_bookmark_a_few_times_whatever_comes() -> None:
    here = world()
    raised(here, *(an_error(n) for n in range(500)))
    later(here, hours=2)

    assert here.incidents.bookmark("storm operations").version <= 5 + 2


def test_acknowledgements_that_lapse_at_one_time_are_told_in_one_summary() -> None:
    here = world()
    for run in range(12):
        raised(here, an_error(run))
        later(here, minutes=10)
    for incident in of_runs(here):
        change_incident(
            incident.incident_id,
            lambda head, _: acknowledged(head, here.clock.now().isoformat(), "ann"),
            incidents=here.incidents,
            due=here.due,
            clock=here.clock,
        )
    here.drain()
    before = len(here.channels.alerts())
    later(here, hours=24, minutes=5)

    alerts = here.channels.alerts()[before:]
    assert [str(a.what) for a in alerts] == ["lapsed", "lapsed", "lapsed", "opened"]
    assert dict(alerts[3].facts)["Why alerted"] == "acknowledged, but not resolved 9"
    assert {i.status for i in of_runs(here)} == {IncidentStatus.OPEN}
    later(here, hours=1, minutes=5)
    raised(here, an_error(50))
    assert titles(here)[-1].startswith("[ERROR] EX004120E × 1 in retail/run-50")


# --- causes over many runs --------------------------------------------------------------------------


def down(run: int, **changes: Any) -> ExceptionRaised:
    """A provider that is down, as a job of that run says it."""
    given = {
        "code": "provider_down",
        "severity": "warning",
        "detail": {"cause": "email by opentext"},
        "count": 50,
    }
    return an_error(run, **{**given, **changes})


def test_a_cause_over_many_runs_and_domains_is_one_incident_that_names_them() -> None:
    here = world()
    for run in range(30):
        raised(here, down(run, domain=("retail", "cards")[run % 2]))
        later(here, minutes=2)

    (incident,) = of_runs(here)
    assert (incident.count, len(incident.runs), incident.customers) == (1500, 30, ())
    assert [str(a.what) for a in here.channels.alerts()] == ["opened", "grown"]
    facts = dict(here.channels.alerts()[-1].facts)
    assert facts["Runs"].startswith("8: retail/run-0, cards/run-1")
    assert not here.channels.alerts()[-1].rerun


def test_other_providers_and_channels_are_other_causes() -> None:
    here = world()
    raised(here, down(1), down(2, detail={"cause": "sms by aws"}), an_error(3, code="sender_refused"))
    assert len(of_runs(here)) == 3


def test_a_cause_that_is_gone_for_long_begins_anew_and_one_that_is_back_soon_is_the_same() -> None:
    here = world()
    raised(here, down(1))
    later(here, hours=4)
    assert [i.status for i in of_runs(here)] == [IncidentStatus.RESOLVED]

    raised(here, down(2))
    assert [(i.status, i.count) for i in of_runs(here)] == [(IncidentStatus.OPEN, 100)]
    later(here, hours=40)
    raised(here, down(3))
    assert [i.status for i in of_runs(here)] == [IncidentStatus.RESOLVED, IncidentStatus.OPEN]
    assert [str(a.what) for a in here.channels.alerts()] == [
        "opened",
        "resolved",
        "reopened",
        "resolved",
        "opened",
    ]


def test_what_waits_for_a_provider_is_counted_once_however_often_it_is_tried() -> None:
    here = world()
    here.mail.always(TryAgain("HTTP 503"))
    here.drop("run-1", *(a_document(n) for n in range(1, 21)))
    later(here, hours=3)
    found = [i for i in of_runs(here) if "provider_down" in i.codes]
    assert [i.count for i in found] == [20]


def test_what_waits_because_a_channel_is_switched_off_is_no_incident() -> None:
    here = world()
    here.off.add("email")
    here.drop("run-1", *(a_document(n) for n in range(1, 21)))
    later(here, hours=3)
    assert not here.incidents.all()


# --- daily lists ------------------------------------------------------------------------------------


def statements(here: World, run: str, number: int, without: int, kind: str = "statement") -> None:
    """A run of statements, the last ones without an address."""
    nobody = {"email": None, "mobile": None}
    start = 1000 * int(run[-1])
    rows = [
        a_document(
            start + n, document_type=kind, customer_in_run=n, **(nobody if n > number - without else {})
        )
        for n in range(1, number + 1)
    ]
    here.drop(run, *rows)
    here.drain()


def test_a_customer_without_an_address_is_in_the_next_morning_s_list_and_nowhere_else() -> None:
    here = world()
    statements(here, "run-1", 40, 1)
    statements(here, "run-2", 40, 3)
    later(here, hours=21.9)
    assert not here.channels.told, "it is 07:54 in New York"
    assert {i.status for i in of_runs(here)} == {IncidentStatus.OPEN}

    later(here, minutes=10)
    (alert,) = here.channels.alerts()
    assert alert.team == "compliance"
    assert alert.title == "[WARNING] daily list for compliance: 4 in 2 runs"
    facts = dict(alert.facts)
    assert facts["retail/run-1"] == "no_channel × 1: exnotify run retail/run-1 --csv"
    assert facts["retail/run-2"] == "no_channel × 3: exnotify run retail/run-2 --csv"
    assert not alert.rerun
    assert not alert.link
    later(here, hours=48)
    assert {i.status for i in here.incidents.all()} == {IncidentStatus.RESOLVED}
    assert len(here.channels.told) == 1, "once"


def test_the_next_list_has_what_is_new() -> None:
    here = world()
    raised(here, an_error(1, code="unreached", count=2, part="slice 1"))
    later(here, days=1)
    raised(here, an_error(1, code="unreached", count=2, part="slice 1"))
    later(here, days=1)
    assert len(here.channels.told) == 1, "the same again is nothing new"
    raised(here, an_error(1, code="unreached", count=3, part="slice 2"))
    later(here, days=1)
    assert [a.title for a in here.channels.alerts()][1] == "[WARNING] daily list for compliance: 3 in 1 run"


def test_what_somebody_resolved_before_is_in_no_list() -> None:
    here = world()
    raised(here, an_error(1, code="no_channel"))
    resolve_all(here)
    later(here, days=2)
    assert not here.channels.told
    assert rollup(here, DAILY).status == IncidentStatus.RESOLVED


def test_a_list_of_a_team_that_has_a_pager_only_pages_nobody_and_raises_no_alarm() -> None:
    here = world()
    here.channels.answers = {
        channel: ChannelAnswer("absent")
        for channel in ("sns", "email", "slack", "teams", "webhook", "apprise")
    }
    raised(here, an_error(1, code="no_channel"))
    later(here, days=3)
    found = rollup(here, DAILY)
    assert (here.channels.told, here.channels.lost, found.status) == ([], [], IncidentStatus.RESOLVED)
    assert "no channel that takes a list" in found.head.history[0]["why"]


@pytest.mark.parametrize("code", ["required_unreached", "deadline_passed"])
def test_what_has_to_reach_its_customer_is_told_at_once_beside_a_list(code: str) -> None:
    here = world()
    raised(here, an_error(1, code="no_channel"), an_error(1, code=code))
    assert len(titles(here, "compliance")) == 1
    assert code in titles(here)[0]


def test_an_incident_is_as_urgent_as_the_most_urgent_of_its_causes(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("codes: {deadline_passed: {family: no_address}}")
    here = world(tmp_path)
    raised(here, an_error(1, code="no_channel"))
    assert not here.channels.told
    raised(here, an_error(1, code="deadline_passed"))
    assert titles(here) == ["[ERROR] no_address (2 codes) × 2 in retail/run-1: new"]


def test_a_list_that_no_channel_takes_is_tried_again() -> None:
    here = world()
    here.channels.answers = {"email": ChannelAnswer("failed", "down")}
    raised(here, an_error(1, code="no_channel"))
    later(here, hours=22)
    assert here.channels.lost
    here.channels.answers = {}
    later(here, minutes=20)
    assert len(titles(here)) == 1


def test_a_site_sets_the_time_and_the_zone(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text('daily: {at: "06:30", zone: Europe/Berlin}')
    here = world(tmp_path)
    raised(here, an_error(1, code="no_channel"))
    later(here, hours=14, minutes=29)
    assert not here.channels.told
    later(here, minutes=2)
    assert len(here.channels.told) == 1
