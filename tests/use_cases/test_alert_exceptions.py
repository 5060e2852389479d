"""Teams are told once, by whatever channel works; again when it matters; others when nobody answers."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged, resolved
from exstream_notify.domain.incidents import Incident, IncidentStatus
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import change_incident
from tests.use_cases.world import World

WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")


def world() -> World:
    """A world on the rules that ship."""
    return World(site_rules=YamlRules())


def an_exception(**changes: Any) -> ExceptionRaised:
    """An engine's error of two customers."""
    given = {
        "code": "EX004120E",
        "severity": "error",
        "domain": "retail",
        "run_id": "run-1",
        "text": "EX004120E in the message file",
        "part": "a.dat",
        "count": 2,
        "customers": "7-8",
    }
    return ExceptionRaised(**{**given, **changes})


def raised(here: World, *exceptions: ExceptionRaised) -> None:
    """They are told on the bus, and dealt with."""
    here.exceptions.raise_exceptions(exceptions)
    here.drain()


def only(here: World) -> Incident:
    """The one incident there is."""
    (found,) = here.incidents.all()
    return found


def changed(here: World, change: Any) -> None:
    """A person's change of the only incident."""
    found = only(here).incident_id
    assert change_incident(found, change, incidents=here.incidents, due=here.due, clock=here.clock)


def whats(here: World, team: str | None = None) -> list[str]:
    """Why teams were told, in order."""
    return [str(alert.what) for alert in here.channels.alerts(team)]


def test_a_repeated_report_replaces_itself_and_tells_nobody_again() -> None:
    here = world()
    raised(here, an_exception())
    raised(here, an_exception())

    assert only(here).count == 2
    assert whats(here) == ["opened"]
    assert here.channels.alerts("operations")[0].rerun == ("-CUSTOMERLIST=7-8",)


def test_incidents_are_by_run_family_and_team_and_engine_codes_are_one_family() -> None:
    here = world()
    raised(
        here,
        an_exception(),
        an_exception(run_id="run-2"),
        an_exception(domain="claims"),
        an_exception(code="EX009999E"),
        an_exception(code="APR", queue="Compliance_Hold"),
    )

    assert len(here.incidents.all()) == 4
    assert len(here.channels.alerts("compliance")) == 1


def test_fifty_thousand_reports_one_by_one_are_a_handful_of_alerts_and_few_sums() -> None:
    here = world()
    for number in range(2000):
        here.exceptions.raise_exceptions([an_exception(part=f"slice {number}", count=25, customers="")])
    here.come_to_rest()

    assert only(here).count == 50_000
    assert whats(here)[0] == "opened"
    assert len(whats(here, "operations")) <= 1 + 4 + 1
    told = here.channels.alerts("operations")[-1]
    assert dict(told.facts)["Count"] == "50,000"


def test_a_severe_error_overtakes_what_was_told() -> None:
    here = world()
    raised(here, an_exception())
    raised(here, an_exception(part="b.dat", severity="severe"))

    assert whats(here) == ["opened", "worse"]


ROUTES = """
codes:
  journey_unanswered: {team: cards}
routes:
  - {when: {document_type: claim-letter}, team: claims, family: letters}
teams:
  claims: {normal: ["slack > email"], urgent: ["pagerduty"]}
families:
  letters: {means: letters of open claims are late, advice: ask the claims desk}
"""


def test_an_incident_by_document_type_goes_by_its_own_team_s_channels_and_words(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(ROUTES)
    (tmp_path / "teams.yaml").write_text("claims: claims@example.com\ncards: cards@example.com\n")
    here = World(site_rules=YamlRules(tmp_path))
    here.channels.answers = {"slack": ChannelAnswer("sent")}
    raised(here, an_exception(document_type="claim-letter"))

    assert [(channel, team) for channel, team, _ in here.channels.told] == [("slack", "claims")]
    facts = dict(here.channels.told[0][2].facts)
    assert facts["For customers"] == "documents of 2 customers late; letters of open claims are late"
    assert facts["What to do"] == "ask the claims desk"


def test_the_words_are_those_of_the_worst_cause_not_of_the_first_code(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("codes: {exit_status: {means: the composer has stopped}}")
    here = World(site_rules=YamlRules(tmp_path))
    raised(here, an_exception(code="composition_failed", severity="warning", customers=""))
    raised(here, an_exception(code="exit_status", severity="severe", customers="", part="seal"))

    assert only(here).codes == ("composition_failed", "exit_status")
    assert dict(here.channels.alerts()[-1].facts)["For customers"] == "the composer has stopped"


def test_an_exception_may_name_its_team_and_a_route_outranks_it(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(ROUTES)
    (tmp_path / "teams.yaml").write_text("claims: claims@example.com\ncards: cards@example.com\n")
    here = World(site_rules=YamlRules(tmp_path))
    unanswered = an_exception(code="journey_unanswered", severity="warning", customers="")
    raised(here, unanswered)
    raised(here, replace(unanswered, run_id="run-2", team="compliance"))
    raised(here, replace(unanswered, run_id="run-3", team="compliance", document_type="claim-letter"))

    assert {i.run_id: i.team for i in here.incidents.all()} == {
        "run-1": "cards",
        "run-2": "compliance",
        "run-3": "claims",
    }


def test_a_channel_that_fails_goes_to_the_next_and_one_that_is_not_there_is_passed_over() -> None:
    here = world()
    here.channels.answers = {
        "slack": ChannelAnswer("failed", "HTTP 500"),
        "teams": ChannelAnswer("absent"),
        "webhook": ChannelAnswer("sent"),
    }
    raised(here, an_exception())

    assert [(channel, team) for channel, team, _ in here.channels.told] == [
        ("email", "operations"),
        ("webhook", "operations"),
    ]
    assert only(here).head.history[-1]["why"] == "email sent, slack failed (HTTP 500), webhook sent"


def test_when_all_fail_the_last_resort_hears_of_it_and_it_is_tried_again() -> None:
    here = world()
    here.channels.answers = {"email": ChannelAnswer("failed", "down")}
    raised(here, an_exception())
    assert [why for _, why in here.channels.lost] == ["email failed (down)"]
    assert not only(here).head.alerts

    def lost() -> int:
        return sum(alert.team == "operations" for alert, _ in here.channels.lost)

    here.wait_until(here.clock.now() + timedelta(minutes=60))
    assert lost() == 1, "one page for one alert, however often it is tried"
    raised(here, an_exception(run_id="run-2"))
    assert lost() == 2, "and one for the next"

    here.channels.answers = {}
    here.wait_until(here.clock.now() + timedelta(minutes=20))
    assert whats(here, "operations") == ["opened", "opened"]


def test_unanswered_it_goes_up_team_by_team_and_in_the_end_to_the_last_resort() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    here.wait_until(here.clock.now() + timedelta(minutes=16))
    assert whats(here) == ["opened", "escalated"]

    here.come_to_rest()
    assert [team for _, team, _ in here.channels.told] == ["operations", "it", "management"]
    assert [why for _, why in here.channels.lost] == ["nobody has answered"]
    assert only(here).head.history[-1]["what"] == "nobody has answered"


def test_acknowledged_it_stops() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    changed(here, lambda head, _: acknowledged(head, "now", "ann"))
    here.wait_until(here.clock.now() + timedelta(minutes=239))

    assert whats(here) == ["opened"]
    assert not here.channels.lost


def test_an_acknowledgement_ends_after_the_time_that_its_severity_sets() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    changed(here, lambda head, _: acknowledged(head, "now", "ann"))
    here.wait_until(here.clock.now() + timedelta(minutes=241))
    assert (whats(here), only(here).status) == (["opened", "lapsed"], IncidentStatus.OPEN)
    here.wait_until(here.clock.now() + timedelta(minutes=16))
    assert whats(here) == ["opened", "lapsed", "escalated"]

    changed(here, lambda head, _: acknowledged(head, "now", "bob"))
    here.wait_until(here.clock.now() + timedelta(minutes=239))
    assert only(here).status == IncidentStatus.ACKNOWLEDGED


def test_a_resolved_incident_does_not_lapse() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    changed(here, lambda head, _: acknowledged(head, "now", "ann"))
    changed(here, lambda head, incident: resolved(head, "now", "ann", incident.count))
    here.come_to_rest()
    assert whats(here) == ["opened", "resolved"]


def test_getting_worse_opens_an_acknowledged_incident_and_starts_the_clock_again() -> None:
    here = world()
    raised(here, an_exception())
    changed(here, lambda head, _: acknowledged(head, "now", "ann"))
    raised(here, an_exception(code="EX000009W", severity="warning", part="b"))
    assert only(here).status == IncidentStatus.ACKNOWLEDGED

    raised(here, an_exception(part="c", severity="severe"))
    assert (whats(here)[-1], only(here).status) == ("worse", IncidentStatus.OPEN)
    assert only(here).head.answer_by
    here.wait_until(here.clock.now() + timedelta(minutes=16))
    assert whats(here)[-1] == "escalated"


def test_a_report_that_was_said_before_what_is_known_changes_nothing() -> None:
    here = world()
    raised(here, an_exception(said_at="2026-11-20T15:00:02+00:00"))
    raised(here, an_exception(count=900, said_at="2026-11-20T15:00:01+00:00"))
    assert (only(here).count, whats(here)) == (2, ["opened"])


@pytest.mark.parametrize(
    ("told", "offered"),
    [
        (an_exception(), True),
        (an_exception(code="EX009999E"), True),
        (an_exception(code="EX007777W", severity="warning"), False),
        (an_exception(code="required_unreached"), False),
        (an_exception(code="records_rejected"), False),
        (an_exception(code="send_refused"), False),
        (an_exception(code="delivery_failed"), False),
        (an_exception(run_id="none"), False),
        (an_exception(code="journey_unanswered"), False),
    ],
)
def test_the_switch_is_offered_where_composing_again_cures_something(
    told: ExceptionRaised, offered: bool
) -> None:
    here = world()
    raised(here, told)
    assert bool(here.channels.alerts()[0].rerun) == offered
    assert bool(only(here).late) == offered


def test_an_incident_over_several_runs_offers_no_switch(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("codes: {EX004120E: {group: day}}")
    here = World(site_rules=YamlRules(tmp_path))
    raised(here, an_exception(), an_exception(run_id="run-2"))
    assert len(here.incidents.all()) == 1
    assert here.channels.alerts()[0].rerun == ()


def test_resolved_by_hand_it_is_told_and_reported_again_it_is_back() -> None:
    here = world()
    raised(here, an_exception())
    changed(here, lambda head, incident: resolved(head, "now", "ann", incident.count))
    here.come_to_rest()
    assert whats(here) == ["opened", "resolved"]

    raised(here, an_exception(part="b.dat", count=1))
    assert whats(here) == ["opened", "resolved", "reopened"]
    assert only(here).status == IncidentStatus.OPEN


@pytest.mark.parametrize(("after", "flaps"), [({"hours": 3}, True), ({"days": 3}, False)])
def test_what_comes_back_days_later_is_not_said_to_flap(after: dict[str, float], flaps: bool) -> None:
    here = world()
    for count in (2, 0):
        raised(here, an_exception(count=count))
    here.wait_until(here.clock.now() + timedelta(**after))
    raised(here, an_exception(count=2))
    here.wait_until(here.clock.now() + timedelta(minutes=20))
    assert whats(here) == ["opened", "resolved", "reopened"]
    assert ("Flapping" in dict(here.channels.alerts()[-1].facts)) == flaps


def test_a_quiet_exception_is_listed_and_nobody_is_told() -> None:
    here = world()
    raised(here, an_exception(severity="info"))
    here.come_to_rest()

    assert only(here).count == 2
    assert not here.channels.told


@pytest.mark.parametrize("story", ["told", "escalated"])
def test_a_worker_that_dies_at_any_call_loses_no_alert(story: str) -> None:
    def tell(here: World) -> None:
        here.exceptions.raise_exceptions(
            [an_exception(severity="severe"), an_exception(part="b", run_id="run-2")]
        )
        here.come_to_rest() if story == "escalated" else here.wait_until(
            here.clock.now() + timedelta(minutes=14)
        )

    rehearsal = world()
    tell(rehearsal)
    wanted = {(team, str(alert.what), alert.key) for _, team, alert in rehearsal.channels.told}
    for number in range(1, rehearsal.wire.number + 1):
        for when in WHEN:
            here = world()
            here.wire.kill_at(number, when)
            tell(here)
            found = {(team, str(alert.what), alert.key) for _, team, alert in here.channels.told}
            assert here.kills == 1
            assert found >= wanted, here.wire.killed_at
            assert len(here.channels.told) <= len(rehearsal.channels.told) + 2, here.wire.killed_at
