"""How many alerts a team gets one by one, when a daily list is due, and what a rollup says."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from exstream_notify.domain.alert_words import Alert
from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.incidents import AlertRule, Head, Incident, Report, What, added_up, incident_id
from exstream_notify.domain.rollups import (
    DAILY,
    KINDS,
    LAPSES,
    LINES,
    LISTS,
    RESOLUTIONS,
    STORM,
    Bookmark,
    DailyRule,
    StormRule,
    admitted,
    entry,
    first_head,
    has_taken_over,
    held,
    listed,
    of_team,
    rollup_alert,
    rollup_id,
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


# --- whole values -------------------------------------------------------------------------------------------


def test_what_is_rolled_up() -> None:
    assert (STORM, DAILY, RESOLUTIONS) == ("alert_storm", "daily_list", "alerts_resolved")
    assert ({DAILY, RESOLUTIONS}, {STORM, DAILY, RESOLUTIONS}) == (LISTS, KINDS)
    assert (StormRule(), DailyRule()) == (StormRule(5, 10, 30), DailyRule(time(8), "America/New_York"))
    assert StormRule(quiet_minutes=7).quiet == timedelta(minutes=7)
    assert of_team("it") == "storm it"
    found = rollup_id(STORM, "storm-1", "it")
    assert found == incident_id("alerts", "storm-1", STORM, "it")
    assert first_head(STORM, "storm-1", "it", AT) == Head(
        found, "alerts", "storm-1", "it", STORM, muted_until=NOW
    )


def test_the_times_of_alerts_are_kept_for_an_hour() -> None:
    def stamp(minutes: int) -> str:
        return (AT - timedelta(minutes=minutes)).isoformat(timespec="seconds")

    mark = Bookmark("storm it", sent=(stamp(60), stamp(59)), severe=(stamp(60), stamp(2)))
    at = AT.replace(microsecond=250_000)
    assert admitted(mark, RULE, at, severe=False) == replace(mark, sent=(stamp(59), NOW))
    assert admitted(mark, RULE, at, severe=True) == replace(mark, severe=(stamp(2), NOW))
    storm = replace(mark, current="storm-1", since=NOW)
    assert admitted(storm, RULE, at, severe=False) is None
    over = replace(storm, ended=NOW)
    assert admitted(over, RULE, at, severe=False) == replace(over, sent=(stamp(59), NOW))


def test_lapses_have_an_allowance_of_an_hour() -> None:
    def stamp(minutes: int) -> str:
        return (AT - timedelta(minutes=minutes)).isoformat(timespec="seconds")

    assert LAPSES == 3
    full = Bookmark("storm it", lapsed=(stamp(59), stamp(40), stamp(5)))
    assert admitted(full, RULE, AT, severe=False, lapsed=True) is None
    assert admitted(full, RULE, AT, severe=False) is not None
    older = replace(full, lapsed=(stamp(60), stamp(40), stamp(5)))
    assert admitted(older, RULE, AT, severe=False, lapsed=True) == replace(
        older, lapsed=(stamp(40), stamp(5), NOW), sent=(NOW,)
    )


def test_a_storm_has_a_name_and_a_beginning() -> None:
    mark = Bookmark("storm it", current="old", ended="x", sent=("t",))
    storm = started(mark, AT.replace(microsecond=250_000))
    assert storm == replace(mark, current="storm-2026-11-20T150000", since=NOW, ended="")
    assert storm.is_storm
    assert not replace(storm, ended=NOW).is_storm
    assert not mark.is_storm
    ended = replace(storm, ended=(AT + timedelta(minutes=30)).isoformat(timespec="seconds"))
    told = [(AT + timedelta(minutes=m)).isoformat(timespec="seconds") for m in (-60, 30, 31)]
    assert [has_taken_over(ended, at) for at in told] == [True, True, False]


def test_one_that_a_rollup_tells_of_is_known_and_waits_for_no_answer() -> None:
    rollup = first_head(STORM, "storm-1", "operations", AT)
    incident = an_incident(1)
    rule = AlertRule("operations", "composition", ack_minutes=30)
    found = held(incident.head, incident, What.OPENED, rule, AT, rollup)
    assert (found.alerts, found.answer_by, found.held_in) == (0, "", rollup.incident_id)
    assert (found.told_at, found.told_count) == (NOW, 2)
    assert found.history[-1]["why"] == f"within storm-1, {rollup.incident_id}"
    daily = first_head(DAILY, "daily-1", "operations", AT)
    waits = replace(incident.head, sending_until="x")
    assert listed(waits, incident, daily, AT + timedelta(hours=9), AT) == replace(
        waits,
        told_count=2,
        held_in=daily.incident_id,
        listed_until="2026-11-21T00:00:00+00:00",
        sending_until="",
        history=({"at": NOW, "who": "alerts", "what": "entered in daily-1"},),
    )


def test_an_entry_names_its_incident_and_why() -> None:
    incident = an_incident(1, "severe")
    assert entry(STORM, incident, "it", 1, "grown") == ExceptionRaised(
        STORM,
        "severe",
        "retail",
        "run-1",
        "EX000001E",
        part=incident.incident_id,
        count=1,
        detail={"incident": incident.incident_id, "count": "2", "what": "grown"},
        team="it",
    )
    plain = entry(DAILY, incident, "it", 0)
    assert (plain.severity, plain.count) == ("warning", 0)
    assert plain.detail == {"incident": incident.incident_id, "count": "2"}
    codes = added_up(HEAD, [report(code=f"EX00000{n}E", part=str(n)) for n in range(4)])
    assert entry(STORM, codes, "it", 1).text == "EX000000E, EX000001E, EX000002E …"
    three = added_up(HEAD, [report(code=f"EX00000{n}E", part=str(n)) for n in range(3)])
    assert entry(STORM, three, "it", 1).text == "EX000000E, EX000001E, EX000002E"


RULED = AlertRule("operations", STORM, means="They wait", advice="Look", runbook="https://book.example")


def a_storm(*gone: int) -> tuple[Incident, list[Report]]:
    storm, rows = rolled_up(STORM, an_incident(1), an_incident(2, "severe"), an_incident(3))
    rows = [
        Report(replace(row.exception, count=0), NOW, NOW) if number in gone else row
        for number, row in enumerate(rows, 1)
    ]
    storm = replace(storm, first_seen="f", last_seen="l")
    return replace(storm, head=replace(storm.head, alerts=4, again=2)), rows


def test_a_summary_is_these_words() -> None:
    storm, rows = a_storm(1)
    assert rollup_alert(storm, rows, What.OPENED, RULED, "it", "https://x.example") == Alert(
        storm.incident_id,
        5,
        What.OPENED,
        "it",
        "severe",
        "[SEVERE] 2 further incidents for operations: many alerts at once, summarised here",
        (
            ("Team", "operations"),
            ("Run", "alerts/alert_storm-1"),
            ("Incidents", "2, and 1 resolved"),
            ("Worst", "severe: EX000001E × 3 in retail/run-2"),
            ("Domains", "retail 2"),
            ("Codes", "EX000001E 2"),
            ("First", "f"),
            ("Last", "l"),
            ("All of them", "exnotify incidents --open --team operations"),
            ("For customers", "They wait"),
            ("What to do", "Look"),
            ("Runbook", "https://book.example"),
        ),
        (),
        (),
        "https://book.example",
        "https://x.example",
        2,
    )


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (What.OPENED, "3 further incidents for operations: many alerts at once, summarised here"),
        (What.ENDED, "3 further incidents for operations: the storm has ended"),
        (What.RESOLVED, "3 further incidents for operations: all of them are resolved"),
        (What.ESCALATED, "3 further incidents for operations: nobody has answered"),
        (What.WORSE, "3 further incidents for operations: more severe than before"),
        (What.GROWN, "3 further incidents for operations: more than before"),
    ],
)
def test_why_a_summary_is_sent(what: What, words: str) -> None:
    storm, rows = a_storm()
    alert = rollup_alert(storm, rows, what, RULED, "it", "https://x.example")
    assert alert.title == f"[SEVERE] {words}"
    facts = dict(alert.facts)
    assert ("What to do" in facts, bool(alert.link)) == (what != What.RESOLVED,) * 2
    if what == What.RESOLVED:
        assert facts["Incidents"] == "3, all resolved"
        assert list(facts) == ["Team", "Run", "Incidents", "Runbook"]


def test_a_summary_says_why_its_incidents_have_alerts_unless_all_are_new() -> None:
    incidents = [an_incident(n) for n in range(1, 4)]
    head = first_head(STORM, "storm-1", "operations", AT)

    def facts(*whats: str) -> dict[str, str]:
        rows = [
            Report(entry(STORM, one, "it", 1, what), NOW, NOW)
            for one, what in zip(incidents, whats, strict=True)
        ]
        return dict(rollup_alert(added_up(head, rows), rows, What.OPENED, RULED, "it", "").facts)

    assert "Why alerted" not in facts("", "opened", "opened")
    assert facts("grown", "", "grown")["Why alerted"] == "many more than before 2, new 1"


def test_a_storm_that_is_over_has_no_worst_and_of_many_codes_eight_are_counted() -> None:
    storm, rows = a_storm(1, 2, 3)
    facts = dict(rollup_alert(storm, rows, What.ENDED, RULED, "it", "").facts)
    assert facts["Incidents"] == "0, and 3 resolved"
    assert "Worst" not in facts
    nine = [an_incident(n) for n in range(9)]
    coded = [replace(one, codes=(f"EX{n:06}E",)) for n, one in enumerate(nine)]
    storm, rows = rolled_up(STORM, *coded, coded[0])
    codes = dict(rollup_alert(storm, rows, What.OPENED, RULED, "it", "").facts)["Codes"]
    assert codes == "EX000000E 2, " + ", ".join(f"EX{n:06}E 1" for n in range(1, 8)) + " …"
    one, rows = rolled_up(STORM, an_incident(1))
    alert = rollup_alert(one, rows, What.OPENED, RULED, "it", "")
    assert alert.title.startswith("[ERROR] 1 further incident for")


def test_lists_are_these_words() -> None:
    daily, rows = rolled_up(DAILY, an_incident(3), an_incident(1), an_incident(2))
    alert = rollup_alert(daily, rows, What.LISTED, RULED, "it", "https://x.example")
    assert alert.title == "[WARNING] daily list for operations: 9 in 3 runs"
    assert alert.facts == (
        ("Team", "operations"),
        ("Run", "alerts/daily_list-1"),
        *((f"retail/run-{n}", f"EX000001E × {n + 1}: exnotify run retail/run-{n} --csv") for n in (1, 2, 3)),
        ("For customers", "They wait"),
        ("What to do", "Look"),
        ("Runbook", "https://book.example"),
    )
    over, rows = rolled_up(RESOLUTIONS, an_incident(1), an_incident(1999))
    alert = rollup_alert(over, rows, What.LISTED, RULED, "it", "https://x.example")
    assert alert.title == "[WARNING] 2 further incidents for operations: resolved"
    assert dict(alert.facts)["retail/run-1999"] == "EX000001E × 2,000"
    assert alert.link == ""
    events = [
        replace(an_incident(n), head=replace(an_incident(n).head, run_id=run))
        for n, run in enumerate(("event-7", "a run"))
    ]
    daily, rows = rolled_up(DAILY, *events)
    facts = dict(rollup_alert(daily, rows, What.LISTED, RULED, "it", "").facts)
    assert facts["retail/event-7"] == "EX000001E × 1: exnotify incidents --run retail/event-7 --json"
    assert facts["retail/a run"] == "EX000001E × 2: exnotify run 'retail/a run' --csv"
    one, rows = rolled_up(DAILY, an_incident(1))
    assert rollup_alert(one, rows, What.LISTED, RULED, "it", "").title.endswith("2 in 1 run")


def test_a_list_has_no_more_lines_than_it_shows() -> None:
    exact, rows = rolled_up(DAILY, *(an_incident(n) for n in range(LINES)))
    facts = dict(rollup_alert(exact, rows, What.LISTED, RULED, "it", "").facts)
    assert "More" not in facts
    assert sum(name.startswith("retail/") for name in facts) == LINES == 40
