"""Which alerts go out by themselves, and what many of them are put together in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import (
    EVERYWHERE,
    AlertRule,
    IncidentStatus,
    What,
    added_up,
    incident_id,
)
from exstream_notify.domain.rollups import DAILY, RESOLUTIONS, STORM, Bookmark, of_team, rollup_id
from exstream_notify.use_cases.alerting import TRIES, Alerting, IncidentBusy
from exstream_notify.use_cases.roll_up import (
    daily_list,
    is_admitted,
    resolutions_of,
    run_of_cause,
    storm_end,
    storm_of,
    storm_that_answers,
)
from tests.domain.test_incidents import HEAD, report
from tests.use_cases.world import World

TEAM = "operations"
KEY = of_team(TEAM)


def around(mark: Bookmark | None = None) -> tuple[Alerting, Any]:
    """What alerting takes, by the rules that ship, and the incidents in it; now is 15:00:00.250."""
    alerting = World(site_rules=YamlRules()).alerting()
    incidents: Any = alerting.incidents
    if mark is not None:
        incidents.bookmarks[mark.key] = mark
    return alerting, incidents


def slow(incidents: Any, times: int) -> None:
    """Others write the bookmark first, so often."""
    save, left = incidents.save_bookmark, [times]

    def saved(mark: Bookmark) -> bool:
        left[0] -= 1
        return left[0] < 0 and save(mark)

    incidents.save_bookmark = saved


def ago(**time: int) -> str:
    alerting, _ = around()
    return (alerting.clock.now() - timedelta(**time)).isoformat(timespec="seconds")


NOW = ago()


@pytest.mark.parametrize(
    ("mark", "severity", "what", "goes"),
    [
        (Bookmark(KEY), "error", What.OPENED, True),
        (Bookmark(KEY, sent=(NOW,) * 4), "error", What.OPENED, True),
        (Bookmark(KEY, sent=(NOW,) * 5), "error", What.OPENED, False),
        (Bookmark(KEY, sent=(NOW,) * 5), "severe", What.OPENED, True),
        (Bookmark(KEY, severe=(NOW,) * 5), "severe", What.OPENED, False),
        (Bookmark(KEY, severe=(NOW,) * 5), "error", What.OPENED, True),
        (Bookmark(KEY, current="storm-1"), "error", What.OPENED, False),
        (Bookmark(KEY, current="storm-1"), "severe", What.OPENED, True),
        (Bookmark(KEY, current="storm-1", ended=NOW), "error", What.OPENED, True),
        (Bookmark(KEY, lapsed=(NOW,) * 3), "error", What.LAPSED, False),
        (Bookmark(KEY, lapsed=(NOW,) * 3), "error", What.GROWN, True),
    ],
)
def test_an_alert_that_goes_out_by_itself_is_counted(
    mark: Bookmark, severity: Any, what: What, goes: bool
) -> None:
    alerting, incidents = around(mark)
    assert is_admitted(added_up(HEAD, [report(severity=severity)]), what, TEAM, alerting) is goes
    after = incidents.bookmark(KEY)
    assert len(after.sent) - len(mark.sent) == (goes and severity != "severe")
    assert len(after.severe) - len(mark.severe) == (goes and severity == "severe")
    assert len(after.lapsed) - len(mark.lapsed) == (goes and what == What.LAPSED)


@pytest.mark.parametrize("times", [0, 1, TRIES - 1, TRIES])
def test_where_others_write_faster_it_is_tried_again_so_often(times: int) -> None:
    alerting, incidents = around()
    slow(incidents, times)
    assert is_admitted(added_up(HEAD, [report()]), What.OPENED, TEAM, alerting) is (times < TRIES)
    for ask in (storm_of, resolutions_of, run_of):
        alerting, incidents = around()
        slow(incidents, times)
        if times < TRIES:
            ask(TEAM, alerting)
            assert len(incidents.bookmarks) == 1
        else:
            with pytest.raises(IncidentBusy):
                ask(TEAM, alerting)


def test_a_storm_begins_once_and_is_told_when_its_first_alerts_are_gathered() -> None:
    alerting, incidents = around()
    head = storm_of(TEAM, alerting)
    assert (head.family, head.run_id, head.team) == (STORM, "storm-2026-11-20T150000", TEAM)
    assert head.muted_until == ago(seconds=-30)
    assert incidents.bookmark(KEY).current == head.run_id
    alerting.clock.advance(seconds=9)  # type: ignore[attr-defined]
    assert storm_of(TEAM, alerting).run_id == head.run_id


@pytest.mark.parametrize(
    ("seen", "current", "end", "over"),
    [
        (ago(minutes=10), "storm-1", ago(minutes=-20), False),
        (ago(minutes=29), "storm-1", ago(minutes=-1), False),
        (ago(minutes=30), "storm-1", "", True),
        (ago(minutes=10), "storm-2", "", False),  # another one is on
        (ago(minutes=30), "storm-2", "", False),
    ],
)
def test_a_storm_ends_once_it_was_quiet_for_the_rules_time(
    seen: str, current: str, end: str, over: bool
) -> None:
    alerting, incidents = around(Bookmark(KEY, current=current))
    head = replace(HEAD, family=STORM, run_id="storm-1")
    incident = replace(added_up(head, [report()]), last_seen=seen)
    assert storm_end(incident, alerting) == end
    assert bool(incidents.bookmark(KEY).ended) is over
    assert storm_end(replace(incident, head=HEAD), alerting) == "", "no storm"
    assert storm_end(replace(incident, last_seen=""), alerting) == ""
    incidents.bookmarks[KEY] = Bookmark(KEY, current="storm-1", ended=NOW)
    assert storm_end(incident, alerting) == "", "it is over"


def test_a_storm_that_nobody_could_end_is_looked_at_again_soon() -> None:
    alerting, incidents = around(Bookmark(KEY, current="storm-1"))
    slow(incidents, 1)
    head = replace(HEAD, family=STORM, run_id="storm-1")
    incident = replace(added_up(head, [report()]), last_seen=ago(hours=2))
    assert storm_end(incident, alerting) == ago(seconds=-30)


def test_a_resolution_is_told_by_itself_and_those_of_the_next_five_minutes_together() -> None:
    alerting, incidents = around()
    assert resolutions_of(TEAM, alerting) is None
    assert incidents.bookmark(KEY).resolved_at == NOW
    head = resolutions_of(TEAM, alerting)
    assert head is not None
    assert (head.family, head.run_id, head.team) == (RESOLUTIONS, f"resolved-{NOW}", TEAM)
    assert head.muted_until == ago(minutes=-5)
    alerting.clock.advance(seconds=300)  # type: ignore[attr-defined]
    assert resolutions_of(TEAM, alerting) is None


@pytest.mark.parametrize(("status", "answers"), [("open", True), ("acknowledged", True), ("resolved", False)])
def test_an_open_storm_escalates_in_place_of_what_it_took_over(status: str, answers: bool) -> None:
    mark = Bookmark(KEY, current="storm-1", since=NOW)
    alerting, incidents = around(mark)
    incident = added_up(replace(HEAD, told_at=NOW), [report()])
    assert storm_that_answers(incident, TEAM, alerting) is None, "nobody made it yet"
    key = rollup_id(STORM, "storm-1", TEAM)
    incidents.heads[key] = replace(HEAD, incident_id=key, status=IncidentStatus(status))
    assert bool(storm_that_answers(incident, TEAM, alerting)) is answers
    long_ago = added_up(replace(HEAD, told_at=ago(days=1)), [report()])
    assert storm_that_answers(long_ago, TEAM, alerting) is None


def test_a_daily_list_is_named_by_when_it_is_sent() -> None:
    alerting, _ = around()
    head, until = daily_list(TEAM, alerting)
    assert until == alerting.rules.daily.next_after(alerting.clock.now())
    assert (head.family, head.team) == (DAILY, TEAM)
    assert head.run_id == f"daily-{until:%Y-%m-%dT%H%M}"


def run_of(team: str, alerting: Alerting, code: str = "channel dead/x", **detail: str) -> str:
    raised = ExceptionRaised(code, "error", "retail", "run-1", "", detail=detail)
    return run_of_cause(raised, AlertRule(team, "delivery"), alerting)


def test_a_cause_over_several_runs_has_one_name_until_it_is_long_over() -> None:
    alerting, incidents = around()
    name = run_of(TEAM, alerting)
    assert name == "channel-dead-x-2026-11-20T150000"
    alerting.clock.advance(hours=2)  # type: ignore[attr-defined]
    assert run_of(TEAM, alerting) == name
    assert run_of("it", alerting) == "channel-dead-x-2026-11-20T170000"
    assert run_of(TEAM, alerting, cause="sms über x" + "y" * 80) == f"sms-über-x{'y' * 50}-2026-11-20T170000"
    assert set(incidents.bookmarks) >= {"cause operations delivery channel dead/x"}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"over_since": ago(hours=23)}, True),
        ({"over_since": ago(hours=24)}, False),
        ({"over_since": "", "told_at": ago(hours=25)}, False),
        ({"over_since": ago(hours=1), "told_at": ago(hours=25)}, True),
        ({"over_since": ago(hours=25), "status": IncidentStatus.OPEN}, True),
    ],
)
def test_a_cause_that_returns_within_a_day_is_the_same_incident(changes: dict[str, Any], same: bool) -> None:
    alerting, incidents = around()
    name = run_of(TEAM, alerting)
    key = incident_id(EVERYWHERE, name, "delivery", TEAM)
    incidents.heads[key] = replace(HEAD, **{"status": IncidentStatus.RESOLVED, **changes})
    alerting.clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert (run_of(TEAM, alerting) == name) is same
