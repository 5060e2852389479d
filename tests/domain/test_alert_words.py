"""The words of an alert, all of them: what a team reads, in which order, and where a list is cut."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.alert_words import (
    QUEUES,
    RERUN_LINES,
    RUNS,
    TITLES,
    Alert,
    advice,
    make_alert,
    meaning,
    named_codes,
    named_queues,
    named_runs,
    times,
)
from exstream_notify.domain.composed_again import FIGURES
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead, Unusable, mark, worst
from exstream_notify.domain.incidents import AlertRule, Incident, What, added_up
from exstream_notify.domain.known_codes import KEPT, codes_kept, has_further

from .test_incident_values import HEAD, raised, report

RULE = AlertRule(
    "operations",
    "composition",
    means="{count} letters are late",
    advice="exnotify run RUN",
    runbook="https://book",
)


def test_every_reason_for_an_alert_has_its_words() -> None:
    assert {str(what): words for what, words in TITLES.items()} == {
        "opened": "new",
        "grown": "many more than before",
        "worse": "more severe than before",
        "changed": "a further cause",
        "reopened": "back after it was resolved",
        "lapsed": "acknowledged, but not resolved",
        "escalated": "nobody has answered",
        "resolved": "resolved",
        "ended": "no more of them",
        "listed": "listed",
        "undelivered": "an alert of it did not arrive on another channel",
    }


def an_incident(**changes: Any) -> Incident:
    rows = [
        report(2, part="a", queue="Q1", customers="2,7", samples=("s1", "s2"), cured_by_rerun=True),
        report(1200, "EX000002E", part="b", severity="warning"),
    ]
    return replace(added_up(replace(HEAD, alerts=3, again=1, **changes), rows), first_seen="f", last_seen="l")


def test_an_alert_is_these_words_in_this_order() -> None:
    incident = an_incident()
    alert = make_alert(incident, What.GROWN, RULE, "it", "https://x.example")
    assert alert == Alert(
        incident.incident_id,
        4,
        What.GROWN,
        "it",
        "error",
        "[ERROR] composition (2 codes) × 1,202 in retail/run-1: many more than before",
        (
            ("Team", "operations"),
            ("Run", "retail/run-1"),
            ("Codes", "EX000001E, EX000002E"),
            ("Count", "1,202"),
            ("First", "f"),
            ("Last", "l"),
            ("What happened", "EX000001E happened; EX000002E happened"),
            ("For customers", "documents of 2 customers late; 1,202 letters are late"),
            ("Queues", "Q1"),
            ("What to do", "exnotify run retail/run-1"),
            ("Details", "exnotify incidents --run retail/run-1"),
            ("Runbook", "https://book"),
        ),
        ("s1", "s2"),
        ("-CUSTOMERLIST=2,7",),
        "https://book",
        "https://x.example",
        1,
    )
    assert alert.text().splitlines() == [
        alert.title,
        "",
        *(f"{name}: {value}" for name, value in alert.facts),
        "",
        "Examples (masked):",
        "  s1",
        "  s2",
        "",
        "Compose again with:",
        "  -CUSTOMERLIST=2,7",
        "",
        "Acknowledge: https://x.example",
    ]
    bare = replace(alert, samples=(), rerun=(), link="", facts=(("Team", "it"),))
    assert bare.text() == f"{alert.title}\n\nTeam: it"


def test_a_resolution_asks_for_nothing() -> None:
    alert = make_alert(an_incident(), What.RESOLVED, RULE, "it", "https://x.example")
    names = [name for name, _ in alert.facts]
    assert not {"Compose again", "What to do", "Details"} & {*names}
    assert (alert.rerun, alert.link, names[-1]) == ((), "", "Runbook")


def test_what_is_said_once_is_no_example_and_four_texts_are_three() -> None:
    rows = [report(1, f"EX00000{n}E", part=str(n)) for n in range(4)]
    alert = make_alert(added_up(HEAD, rows), What.OPENED, RULE, "it", "")
    assert alert.samples == ()
    assert dict(alert.facts)["What happened"] == "EX000000E happened; EX000001E happened; EX000002E happened"


def test_a_cause_names_its_runs_and_one_that_is_back_says_that_it_flaps() -> None:
    incident = an_incident(returned=("2026-11-20",))
    cause = replace(RULE, group="cause")
    facts = dict(make_alert(incident, What.REOPENED, cause, "it", "").facts)
    assert facts["Runs"] == "1: retail/run-1"
    assert facts["Flapping"] == (
        "It stays open until it is quiet for a time. Until then, only much worse news is sent"
    )
    assert "Flapping" not in dict(make_alert(incident, What.GROWN, cause, "it", "").facts)
    assert "Flapping" not in dict(make_alert(an_incident(), What.REOPENED, cause, "it", "").facts)
    assert "Runs" not in dict(make_alert(incident, What.REOPENED, RULE, "it", "").facts)


@pytest.mark.parametrize(
    ("switches", "last"), [(20, "-CUSTOMERLIST=39"), (21, "and 1 more: exnotify incidents")]
)
def test_an_alert_shows_twenty_switches(switches: int, last: str) -> None:
    numbers = ",".join(str(n) for n in range(1, 2 * switches, 2))
    incident = added_up(HEAD, [report(switches, customers=numbers, cured_by_rerun=True)])
    rerun = make_alert(incident, What.OPENED, RULE, "it", "", switch_chars=16).rerun
    assert len(rerun) == min(switches, RERUN_LINES) + (switches > RERUN_LINES)
    assert rerun[-1].startswith(last)


@pytest.mark.parametrize(
    ("counts", "number"),
    [
        ({"EX000001E": 3, "EX000002E": 4}, 7),
        ({"EX000001E": 3, "composition_errors": 10}, 10),
        ({"EX000001E": 30, "composition_errors": 10, "exit_status": 1}, 30),
        ({"customers_missing": 5}, 5),
        ({}, 0),
    ],
)
def test_figures_count_what_others_name(counts: dict[str, int], number: int) -> None:
    assert {"exit_status", "composition_errors", "customers_missing"} == FIGURES
    assert times(added_up(HEAD, [report(n, code, part=code) for code, n in counts.items()])) == number


def coded(count: int, severe: int) -> Incident:
    rows = [
        report(1, f"C{n:02}", part=str(n), severity="severe" if n >= count - severe else "error")
        for n in range(count)
    ]
    return added_up(HEAD, rows)


def test_severe_codes_come_first_and_all_of_them() -> None:
    assert named_codes(coded(12, 0)) == ", ".join(f"C{n:02}" for n in range(12))
    assert named_codes(coded(13, 0)) == ", ".join(f"C{n:02}" for n in range(12)) + " …"
    assert named_codes(coded(13, 1)) == ", ".join(["C12", *(f"C{n:02}" for n in range(11))]) + " …"
    assert named_codes(coded(15, 14)) == ", ".join(f"C{n:02}" for n in range(1, 15)) + " …"


def test_a_dozen_queues_and_runs_are_named() -> None:
    def with_(number: int) -> Incident:
        return added_up(
            HEAD, [report(1, part=str(n), queue=f"Q{n:02}", run_id=f"r{n:02}") for n in range(number)]
        )

    queues, runs = ", ".join(f"Q{n:02}" for n in range(12)), ", ".join(f"retail/r{n:02}" for n in range(12))
    assert (QUEUES, RUNS) == (12, 12)
    assert (named_queues(with_(12)), named_runs(with_(12))) == (queues, f"12: {runs}")
    assert (named_queues(with_(13)), named_runs(with_(13))) == (f"{queues} …", f"13: {runs} … and 1 more")


@pytest.mark.parametrize(
    ("group", "run_id", "said"),
    [
        ("run", "run-1", "exnotify run retail/run-1; not RUNS"),
        ("run", "a run", "exnotify run 'retail/a run'; not RUNS"),
        ("run", "day-2026-11-20", "exnotify run RUN; not RUNS"),
        ("day", "run-1", "exnotify run RUN; not RUNS"),
        ("cause", "run-1", "exnotify run RUN; not RUNS"),
    ],
)
def test_what_to_do_names_the_run_where_there_is_one(group: Any, run_id: str, said: str) -> None:
    rule = replace(RULE, group=group, advice="exnotify run RUN; not RUNS")
    assert advice(added_up(replace(HEAD, run_id=run_id), [report()]), rule) == said


@pytest.mark.parametrize(
    ("severity", "means", "said"),
    [
        ("error", "{count} wait", "documents of 1 customer late; 3 wait"),
        ("severe", "", "documents of 1 customer late"),
        ("warning", "{count} wait", "3 wait"),
    ],
)
def test_what_it_means_for_customers(severity: Any, means: str, said: str) -> None:
    incident = added_up(HEAD, [report(3, severity=severity, customers="7", cured_by_rerun=True)])
    assert meaning(incident, replace(RULE, means=means)) == said


# --- exceptions and codes ---------------------------------------------------------------------------------------


def test_an_exception_that_says_nothing_more_is_this() -> None:
    assert ExceptionRaised("c", "error", "d", "r", "t").to_detail() == {
        "code": "c",
        "severity": "error",
        "domain": "d",
        "run_id": "r",
        "text": "t",
        "part": "run",
        "count": 1,
        "customers_in_run": (),
        "detail": {},
        "samples": (),
        "customers": "",
        "queue": "",
        "document_type": "",
        "team": "",
        "source": "",
        "said_at": "",
        "cured_by_rerun": False,
        "content": "",
    }


def test_names_that_somebody_chose_leave_as_they_may_be_shown() -> None:
    told = ExceptionRaised(
        "smith",
        "error",
        "retail",
        "smith",
        "in smith.dat, of smith and blacksmith",
        part="smith.dat",
        detail={"file": "smith.dat", "kept": "harmless"},
        queue="smith",
        document_type="smith",
        names=("smith", "smith.dat", "harmless", ""),
    )
    left = told.as_it_leaves(lambda name: name if name == "harmless" else f"<{len(name)}>")
    assert left == replace(
        told,
        code="<5>",
        text="in <9>, of <5> and blacksmith",
        part="<9>",
        detail={"file": "<9>", "kept": "harmless"},
        queue="<5>",
        document_type="<5>",
        names=(),
    )
    assert told.as_it_leaves(lambda name: name) == replace(told, names=())


def test_a_reports_source_is_of_file_code_and_part() -> None:
    read = FileRead("retail", "run-1", mark("a.dat"))
    one = raised(1, part="a.dat")
    assert mark("a.dat") == "652e6dea5346e3d7"
    assert read.source(one) == f"652e6dea5346e3d7/{mark('EX000001E#a.dat')}"
    others = {
        read.source(one),
        read.source(replace(one, part="b.dat")),
        read.source(replace(one, code="EX000002E")),
        replace(read, file=mark("b.dat")).source(one),
    }
    assert len(others) == 4


def test_the_worst_of_severities_and_of_none() -> None:
    assert worst(["warning", "severe", "error"]) == "severe"
    assert worst(["info", "warning"]) == "warning"
    assert worst([]) == "info"
    refused = Unusable("files_missing", "a.dat", "not there", ["a.dat"])
    assert (str(refused), refused.code, refused.place, refused.reason, refused.names) == (
        "a.dat: not there",
        "files_missing",
        "a.dat",
        "not there",
        ("a.dat",),
    )


def test_codes_are_kept_within_bounds_severe_ones_first() -> None:
    many = [raised(1, f"C{n:05}", severity="severe" if n == KEPT else "error") for n in range(KEPT + 1)]
    assert KEPT == 2000
    assert codes_kept(many[:KEPT]) == tuple(f"C{n:05}" for n in range(KEPT))
    kept = codes_kept(many)
    assert kept == (f"C{KEPT:05}", *(f"C{n:05}" for n in range(KEPT - 1)))
    assert not has_further(["new"], kept), "as many as are kept: a further one is no news"
    assert has_further(["new"], kept[1:])
    assert not has_further(["a"], ["a", "b"])
    assert has_further(["a", "c"], ["a", "b"])
