"""When a team is told of an incident, when again, and when it is left in peace."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.flapping import QUIET, as_it_stands
from exstream_notify.domain.incident_states import muted, resolved, told
from exstream_notify.domain.incidents import AlertRule, Head, IncidentStatus, Report, What, added_up
from exstream_notify.domain.telling import PAUSES, has_grown, is_news, news_due, what_to_tell

from .test_incidents import HEAD, NOW, RULE, after_telling, report

AT = datetime.fromisoformat(NOW)


def after(**time: int) -> str:
    """So long after the first alert, as it is stored."""
    return (AT + timedelta(**time)).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("before", "now", "at", "what"),
    [
        ([], [report()], NOW, What.OPENED),
        ([report()], [report()], after(days=9), None),
        ([report(5)], [report(9)], after(days=9), None),
        ([report(5)], [report(10)], after(seconds=59), None),
        ([report(5)], [report(10)], after(minutes=1), What.GROWN),
        ([report()], [report(), report(code="EX000002E", part="b")], after(seconds=59), None),
        ([report()], [report(), report(code="EX000002E", part="b")], after(minutes=1), What.CHANGED),
        ([report(severity="warning")], [report()], after(seconds=59), None),
        ([report(severity="warning")], [report()], after(minutes=1), What.WORSE),
        ([report()], [report(severity="severe")], NOW, What.WORSE),
        ([report(severity="severe")], [report(severity="error")], after(days=9), None),
    ],
)
def test_a_team_is_told_when_it_matters(
    before: list[Report], now: list[Report], at: str, what: What | None
) -> None:
    head = after_telling(*before) if before else HEAD
    assert what_to_tell(added_up(head, now), at) == what


@pytest.mark.parametrize(
    ("count", "at", "what"),
    [
        (1999, after(hours=23), None),
        (1999, after(hours=24), What.GROWN),
        (2000, after(minutes=59), None),
        (2000, after(hours=1), What.GROWN),
    ],
)
def test_a_hundredfold_waits_for_an_hour_at_most(count: int, at: str, what: What | None) -> None:
    head = replace(after_telling(report(20)), updates=3)
    assert what_to_tell(added_up(head, [report(count)]), at) == what


@pytest.mark.parametrize(
    ("first", "steps"),
    [(1, [2, 5, 10, 100, 1000]), (7, [14, 35, 70, 700, 7000]), (0, [2, 5, 10, 100])],
)
def test_growth_is_told_at_twice_five_and_ten_times_and_each_further_tenfold(
    first: int, steps: list[int]
) -> None:
    told_count, found = first, []
    for count in range(first, steps[-1] + 1):
        if has_grown(first, told_count, count):
            found.append(count)
            told_count = count
    assert found == steps
    assert has_grown(first, first, 10**9), "passed in one go, it is one alert"


def test_the_more_a_team_was_told_the_longer_further_news_are_gathered() -> None:
    head, count, told_at = after_telling(report()), 1, []
    for minute in range(60 * 24):
        count += 50
        incident = added_up(head, [report(count)])
        if what := what_to_tell(incident, after(minutes=minute)):
            head = told(head, incident, what, RULE, AT + timedelta(minutes=minute), "")
            told_at.append(minute)

    assert told_at == [1, 61, 421]
    assert head.told_first == 1, "growth is measured by what was told first"


@pytest.mark.parametrize(
    ("told_of", "count", "what"),
    [
        (IncidentStatus.OPEN, 1, What.RESOLVED),
        (IncidentStatus.OPEN, 2, What.GROWN),  # it went on behind the resolution that nobody heard of
        (IncidentStatus.RESOLVED, 1, None),
        (IncidentStatus.RESOLVED, 2, What.REOPENED),
    ],
)
def test_what_comes_after_a_resolution_is_not_told_as_resolved(
    told_of: IncidentStatus, count: int, what: What | None
) -> None:
    head = replace(resolved(after_telling(report()), NOW, "ann", 1), told_status=told_of)
    assert what_to_tell(added_up(head, [report(count)]), after(days=9)) == what


def test_a_cause_over_many_runs_is_gathered_longer() -> None:
    incident = added_up(after_telling(report()), [report(300)])
    assert what_to_tell(incident, after(minutes=14), PAUSES["cause"]) is None
    assert news_due(incident, NOW, PAUSES["cause"]) == after(minutes=15)
    assert what_to_tell(incident, after(minutes=15), PAUSES["cause"]) == What.GROWN


def test_a_mute_holds_back_all_but_a_first_severe_error() -> None:
    head = muted(after_telling(report()), NOW, "ann", after(hours=1))

    assert what_to_tell(added_up(head, [report(1000)]), after(minutes=59)) is None
    assert what_to_tell(added_up(head, [report(severity="severe")]), NOW) == What.WORSE
    assert what_to_tell(added_up(head, [report(1000)]), after(hours=1)) == What.GROWN
    unheard = muted(HEAD, NOW, "ann", after(hours=1))
    assert what_to_tell(added_up(unheard, [report()]), NOW) is None
    assert what_to_tell(added_up(unheard, [report(severity="severe")]), NOW) == What.OPENED


def test_only_what_is_severe_does_not_wait_to_be_added_up() -> None:
    head = after_telling(report())
    assert not is_news(head, [report(code="EX000002E").exception])
    assert is_news(head, [report(severity="severe").exception])
    assert not is_news(after_telling(report(severity="severe")), [report(severity="severe").exception])


def test_a_resolution_is_told_once_and_what_is_reported_afterwards_opens_it_again() -> None:
    over = resolved(after_telling(report(3)), NOW, "ann", 3)
    assert what_to_tell(added_up(over, [report(3)]), NOW) == What.RESOLVED

    said = told(over, added_up(over, [report(3)]), What.RESOLVED, RULE, AT, "")
    assert what_to_tell(added_up(said, [report(3)]), NOW) is None
    back = as_it_stands(said, added_up(said, [report(4)]), RULE, AT)
    assert back.status == IncidentStatus.OPEN
    assert what_to_tell(added_up(back, [report(4)]), NOW) == What.REOPENED


# --- flapping ---------------------------------------------------------------------------------------


def stands(head: Head, count: int, **later: int) -> Head:
    """The head after a look at that time, with a cause that reports so many; told if there is something to tell."""
    at = AT + timedelta(**later)
    head = as_it_stands(head, added_up(head, [report(count)]), RULE, at)
    incident = added_up(head, [report(count)])
    what = what_to_tell(incident, at.isoformat(timespec="seconds"))
    return told(head, incident, what, RULE, at, "") if what else head


def test_one_that_flaps_is_told_once_and_stays_open_until_it_is_quiet() -> None:
    head = stands(HEAD, 3)
    alerts = []
    for flap in range(20):
        for minute, count in ((10, 0), (15, 4)):
            head = stands(head, count, minutes=20 * flap + minute)
            alerts.append(head.alerts)

    assert alerts[:2] == [2, 3], "resolved, and back"
    assert alerts[-1] == 3, "and nothing more of it"
    head = stands(head, 0, hours=8)
    assert head.status == IncidentStatus.OPEN
    assert head.over_since == after(hours=8)
    assert stands(head, 0, hours=8, minutes=59).status == IncidentStatus.OPEN
    head = stands(head, 0, hours=9)
    assert (head.status, head.alerts) == (IncidentStatus.RESOLVED, 4)


def test_one_that_comes_back_again_and_again_has_to_be_quiet_for_longer() -> None:
    head = stands(stands(stands(HEAD, 3), 0, minutes=1), 3, minutes=2)
    head = stands(stands(head, 0, minutes=3), 0, hours=2)
    assert head.status == IncidentStatus.RESOLVED
    head = stands(stands(head, 3, hours=3), 0, hours=4)
    assert stands(head, 0, hours=6).status == IncidentStatus.OPEN
    assert stands(head, 0, hours=10).status == IncidentStatus.RESOLVED
    assert QUIET[1] == timedelta(hours=6)


def test_one_that_is_back_days_later_does_not_flap() -> None:
    head = stands(stands(stands(HEAD, 3), 0, minutes=1), 3, days=3)
    assert (head.status, head.returned, head.alerts) == (IncidentStatus.OPEN, (), 3)
    assert stands(head, 0, days=3, minutes=1).status == IncidentStatus.RESOLVED


def test_nobody_is_called_for_a_flapping_one_that_is_not_there_just_now() -> None:
    head = stands(stands(stands(HEAD, 3), 0, minutes=1), 3, minutes=2)
    assert head.answer_by == after(minutes=32)
    assert stands(head, 0, minutes=30).answer_by == after(minutes=90)


def test_a_cause_ends_when_nothing_was_reported_for_the_time_that_its_rule_sets() -> None:
    rule = AlertRule("operations", "provider", group="cause", quiet_minutes=180)
    incident = added_up(HEAD, [replace(report(3), last_seen=after(hours=1))])
    assert (
        as_it_stands(HEAD, incident, rule, AT + timedelta(hours=3, minutes=59)).status == IncidentStatus.OPEN
    )
    over = as_it_stands(HEAD, incident, rule, AT + timedelta(hours=4))
    assert over.history[-1]["why"] == "nothing was reported for 180 minutes"
    assert as_it_stands(HEAD, incident, RULE, AT + timedelta(days=40)) == HEAD, (
        "of a run, silence says nothing"
    )


# --- each limit ---------------------------------------------------------------------------------------


def test_how_long_news_are_gathered() -> None:
    minutes = {group: [p.total_seconds() / 60 for p in pauses] for group, pauses in PAUSES.items()}
    assert minutes == {
        "run": [1, 60, 360, 1440],
        "day": [1, 60, 360, 1440],
        "cause": [15, 360, 1440],
    }


@pytest.mark.parametrize(
    ("changes", "count", "due"),
    [
        ({}, 5, ""),  # nothing new
        ({}, 10, after(minutes=1)),
        ({"updates": 1}, 10, after(minutes=60)),
        ({"updates": 3}, 10, after(days=1)),
        ({"updates": 9}, 10, after(days=1)),
        ({"updates": 9}, 499, after(days=1)),
        ({"updates": 9}, 500, after(hours=1)),  # a hundred times what was told
        ({"updates": 0}, 500, after(minutes=1)),
        ({"status": IncidentStatus.RESOLVED}, 10, ""),
        ({"told_at": ""}, 10, ""),
        ({"told_count": 0, "told_first": 0, "updates": 9}, 100, after(hours=1)),
    ],
)
def test_when_news_are_due(changes: dict[str, Any], count: int, due: str) -> None:
    head = replace(after_telling(report(5)), **changes)
    assert news_due(added_up(head, [report(count)]), NOW, PAUSES["run"]) == due


def test_growth_is_measured_by_what_was_told_first_else_by_what_was_told() -> None:
    head = replace(after_telling(report(5)), told_first=0)
    assert what_to_tell(added_up(head, [report(9)]), after(days=2)) is None
    assert what_to_tell(added_up(head, [report(10)]), after(days=2)) == What.GROWN
    first = replace(head, told_first=3, told_count=9)
    assert what_to_tell(added_up(first, [report(14)]), after(days=2)) is None
    assert what_to_tell(added_up(first, [report(15)]), after(days=2)) == What.GROWN


def test_one_that_flaps_is_news_only_a_hundredfold() -> None:
    head = replace(after_telling(report(5)), returned=(after(hours=47),))
    for count, what in ((50, None), (499, None), (500, What.GROWN)):
        assert what_to_tell(added_up(head, [report(count)]), after(days=2)) == what
    calm = replace(head, returned=(after(hours=23),))
    assert what_to_tell(added_up(calm, [report(50)]), after(days=2)) == What.GROWN


@pytest.mark.parametrize(
    ("changes", "count", "what"),
    [
        ({}, 3, What.RESOLVED),
        ({}, 2, What.RESOLVED),
        ({"told_status": IncidentStatus.RESOLVED}, 3, None),
        ({"told_at": ""}, 3, None),  # nobody heard of it
        ({"told_at": "", "held_in": "r"}, 3, What.RESOLVED),  # but in a rollup
        ({"returned": (NOW,), "over_since": NOW}, 3, None),  # it flaps
        ({"returned": (NOW,), "over_since": after(hours=-1)}, 3, What.RESOLVED),
    ],
)
def test_whether_a_resolution_is_told(changes: dict[str, Any], count: int, what: What | None) -> None:
    over = replace(resolved(after_telling(report(3)), NOW, "ann", 3), **changes)
    assert what_to_tell(added_up(over, [report(count)]), NOW) == what


@pytest.mark.parametrize(
    ("muted_until", "severity", "what"),
    [
        (NOW, "error", What.OPENED),
        (after(seconds=1), "error", None),
        (after(seconds=1), "severe", What.OPENED),
    ],
)
def test_a_mute_is_over_at_its_time(muted_until: str, severity: Any, what: What | None) -> None:
    assert (
        what_to_tell(added_up(replace(HEAD, muted_until=muted_until), [report(severity=severity)]), NOW)
        == what
    )


@pytest.mark.parametrize(
    ("first", "told_count", "now", "grown"),
    [
        (10, 10, 19, False),
        (10, 10, 20, True),
        (10, 20, 49, False),
        (10, 20, 50, True),
        (10, 100, 999, False),
        (10, 100, 1000, True),
        (0, 0, 1, False),
        (0, 0, 2, True),
    ],
)
def test_the_steps_of_growth(first: int, told_count: int, now: int, grown: bool) -> None:
    assert has_grown(first, told_count, now) is grown
    assert not has_grown(first, told_count, now, (10_000,))
