"""How many alerts a team gets one by one, when a daily list is due, and what a rollup says."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from exstream_notify.domain.exceptions import Severity
from exstream_notify.domain.incidents import AlertRule, Incident, Report, What, added_up
from exstream_notify.domain.rollups import (
    DAILY,
    LINES,
    STORM,
    Bookmark,
    DailyRule,
    StormRule,
    admitted,
    entry,
    first_head,
    has_taken_over,
    rollup_alert,
    started,
)

from .test_incidents import HEAD, NOW, report

AT = datetime.fromisoformat(NOW)
RULE = StormRule(per_minute=3, per_hour=5)


def sent(*seconds: int, severe: bool = False) -> Bookmark:
    """The bookmark after alerts were asked for at these seconds."""
    mark = Bookmark("storm it")
    for second in seconds:
        mark = admitted(mark, RULE, AT + timedelta(seconds=second), severe=severe) or mark
    return mark


@pytest.mark.parametrize(
    ("seconds", "went_out"),
    [
        ((0, 1, 2, 3, 59), 3),
        ((0, 1, 2, 61, 62, 63), 5),
        ((0, 120, 240, 360, 480, 600, 3599), 5),
        ((0, 120, 240, 360, 480, 3601), 5),
    ],
)
def test_alerts_are_bounded_in_a_minute_and_in_an_hour(seconds: tuple[int, ...], went_out: int) -> None:
    assert len(sent(*seconds).sent) == went_out


def test_severe_alerts_have_an_allowance_of_their_own_that_a_storm_does_not_close() -> None:
    storm = started(sent(0, 1, 2), AT)
    assert admitted(storm, RULE, AT + timedelta(hours=2), severe=False) is None
    assert admitted(storm, RULE, AT, severe=True)
    assert admitted(sent(0, 1, 2, severe=True), RULE, AT, severe=True) is None


def test_a_storm_answers_for_what_was_told_within_an_hour_before_it_and_during_it() -> None:
    storm = started(Bookmark("storm it"), AT)
    told = [(AT + timedelta(minutes=m)).isoformat(timespec="seconds") for m in (-61, -59, 30)]
    assert [has_taken_over(storm, at) for at in told] == [False, True, True]
    assert not has_taken_over(Bookmark("storm it"), told[1])


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        ("2026-11-20T12:59:59+00:00", "America/New_York", "2026-11-20T13:00:00+00:00"),
        ("2026-11-20T13:00:00+00:00", "America/New_York", "2026-11-21T13:00:00+00:00"),
        ("2026-10-31T23:00:00+00:00", "America/New_York", "2026-11-01T13:00:00+00:00"),
        ("2026-10-31T11:00:00+00:00", "America/New_York", "2026-10-31T12:00:00+00:00"),
        ("2026-11-20T12:00:00+00:00", "Pacific/Auckland", "2026-11-20T19:00:00+00:00"),
    ],
)
def test_a_daily_list_is_due_at_the_site_s_time_of_day(now: str, zone: str, then: str) -> None:
    assert DailyRule(time(8), zone).next_after(datetime.fromisoformat(now)) == datetime.fromisoformat(then)


def test_an_hour_that_the_clock_skips_is_still_once_a_day() -> None:
    rule, at, times = DailyRule(time(2, 30), "America/New_York"), datetime(2026, 3, 6, tzinfo=UTC), []
    for _ in range(4):
        at = rule.next_after(at)
        times.append(at)
    assert [moment.date().day for moment in times] == [6, 7, 8, 9]


def rolled_up(kind: str, *incidents: Incident) -> tuple[Incident, list[Report]]:
    """A rollup of these, and its entries."""
    head = first_head(kind, f"{kind}-1", "operations", AT)
    rows = [Report(entry(kind, incident, "operations", incident.count), NOW, NOW) for incident in incidents]
    return added_up(head, rows), rows


def an_incident(number: int, severity: Severity = "error") -> Incident:
    """An incident of a run of its own."""
    head = replace(HEAD, incident_id=f"{number:032x}", run_id=f"run-{number}")
    return added_up(head, [report(number + 1, severity=severity)])


def test_a_summary_names_the_worst_and_is_as_severe() -> None:
    storm, rows = rolled_up(STORM, an_incident(1), an_incident(2, "severe"), an_incident(3))
    alert = rollup_alert(
        storm, rows, What.OPENED, AlertRule("operations", STORM), "operations", "https://x.example"
    )
    assert alert.severity == "severe"
    assert alert.title.startswith("[SEVERE] 3 further incidents")
    assert dict(alert.facts)["Worst"] == "severe: EX000001E × 3 in retail/run-2"
    assert alert.link
    assert not alert.rerun


def test_a_daily_list_is_no_more_than_a_warning_and_shows_so_many_lines() -> None:
    daily, rows = rolled_up(DAILY, *(an_incident(n, "severe") for n in range(LINES + 7)))
    alert = rollup_alert(
        daily, rows, What.OPENED, AlertRule("operations", DAILY), "operations", "https://x.example"
    )
    assert alert.severity == "warning"
    assert dict(alert.facts)["More"] == "7: exnotify incidents"
    assert not alert.link, "nobody has to answer"


def test_what_is_of_no_single_run_is_named_by_its_incident() -> None:
    day = an_incident(1)
    day = replace(day, head=replace(day.head, run_id="day-2026-11-20"))
    daily, rows = rolled_up(DAILY, day)
    alert = rollup_alert(daily, rows, What.OPENED, AlertRule("operations", DAILY), "operations", "")
    assert dict(alert.facts)["retail/day-2026-11-20"].endswith(
        "exnotify incidents --run retail/day-2026-11-20 --json"
    )
