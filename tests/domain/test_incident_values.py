"""Incidents added up and moved on, compared as whole values: counts, queues, history and times."""

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.customer_ranges import from_numbers
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import (
    COVERED_CHARS,
    HISTORY,
    acknowledged,
    covered,
    escalated,
    muted,
    noted,
    opened_again,
    resolved,
    told,
    try_again_at,
)
from exstream_notify.domain.incidents import (
    AlertRule,
    Head,
    IncidentStatus,
    Report,
    What,
    added_up,
    incident_id,
    is_over,
    worst_by_code,
)
from exstream_notify.domain.known_codes import KEPT, codes_kept

AT = datetime(2026, 11, 20, 15, 0, 0, 250_000, tzinfo=UTC)
NOW = "2026-11-20T15:00:00+00:00"
RULE = AlertRule("operations", "composition", ack_minutes=30, escalation=("it", "head"))
HEAD = Head("1" * 32, "retail", "run-1", "operations", "composition")


def raised(count: int = 1, code: str = "EX000001E", **more: Any) -> ExceptionRaised:
    values = {"severity": "error", "run_id": "run-1", "text": f"{code} happened", **more}
    return ExceptionRaised(code, domain="retail", count=count, **values)


def report(*arguments: Any, first: str = NOW, last: str = NOW, **more: Any) -> Report:
    return Report(raised(*arguments, **more), first, last)


def test_an_incident_is_the_sum_of_its_reports() -> None:
    rows = [
        report(0, part="counted elsewhere", queue="Q9", customers="99"),
        report(2, part="b", queue="Q2", severity="warning", first="2026-11-20T14", last="2026-11-20T15"),
        report(3, part="a", queue="", first="2026-11-20T13", last="2026-11-20T14", samples=("s1", "s2")),
        report(4, "EX000002E", part="c", queue="Q1", severity="severe", customers="7", cured_by_rerun=True),
        report(1, "EX000002E", part="d", queue="Q2", severity="error", run_id="run-2", detail={"file": "f"}),
    ]
    found = added_up(HEAD, rows)
    assert (found.count, found.severity, found.codes) == (10, "severe", ("EX000001E", "EX000002E"))
    assert (found.first_seen, found.last_seen) == ("2026-11-20T13", NOW)
    assert found.queues == ("Q1", "Q2"), "each once, in order, of what counts"
    assert found.texts == ("EX000001E happened", "EX000002E happened")
    assert found.customers == ((7, 7), (99, 99))
    assert found.sample == ("EX000001E happened", "s1", "s2"), "three of them"
    assert found.where == (
        {"code": "EX000001E", "part": "b"},
        {"code": "EX000001E", "part": "a"},
        {"code": "EX000002E", "part": "c"},
        {"code": "EX000002E", "part": "d", "file": "f"},
    )
    assert found.cause == rows[3].exception
    assert [(e.code, e.severity, e.count) for e in found.causes] == [
        ("EX000001E", "error", 5),
        ("EX000002E", "severe", 5),
    ]
    assert found.to_compose == ((7, 7),)
    assert (found.missing, found.unnamed, found.stays) == (0, 4, True)
    assert found.runs == ("retail/run-1", "retail/run-2")
    assert found.late == ((7, 7),)


def test_of_a_partial_report_the_whole_one_takes_the_place_whichever_came_first() -> None:
    whole, partial = report(9, part="file 1"), report(4, part="file 1 so far")
    other = report(2, part="file 2 so far")
    for rows in ([whole, partial, other], [partial, other, whole]):
        assert added_up(HEAD, rows).count == 11
    assert added_up(HEAD, [report(9, "EX000002E", part="file 1"), partial]).count == 13, "another code"


def test_of_figures_that_are_stated_twice_the_larger_counts_in_any_order() -> None:
    for code in ("exit_status", "composition_errors"):
        small, large = report(4, code, part="seal"), report(6, code, part="summary")
        rest = report(1, part="x")
        for rows in ([rest, small, large], [large, rest, small]):
            assert added_up(HEAD, rows).count == 7
    assert added_up(HEAD, [report(4, part="seal"), report(6, part="summary")]).count == 10


def test_nothing_reported_is_nothing() -> None:
    empty = added_up(HEAD, [])
    assert (empty.count, empty.severity, empty.cause, empty.first_seen) == (0, "info", None, "")
    assert is_over(empty) == "what was reported is gone"
    only_names = added_up(HEAD, [report(0, customers="3")])
    assert (only_names.count, only_names.customers) == (0, ((3, 3),))


def test_the_worst_of_each_code_stands_for_it_with_all_its_counts() -> None:
    rows = [raised(1, "B", severity="warning"), raised(2, "A"), raised(4, "B", severity="severe", text="x")]
    assert worst_by_code(rows) == (raised(2, "A"), raised(5, "B", severity="severe", text="x"))


def test_how_many_are_missing_and_not_named() -> None:
    rows = [report(10, "customers_missing", part="run", cured_by_rerun=True, customers="1-3")]
    found = added_up(HEAD, rows)
    assert (found.missing, found.not_named) == (10, 7)
    assert added_up(covered(HEAD, "run-2", from_numbers([4, 5]), NOW), rows).not_named == 5
    assert added_up(replace(HEAD, status=IncidentStatus.RESOLVED), rows).not_named == 0


def test_one_that_was_made_up_for_by_a_repeat_is_over() -> None:
    rows = [report(3, cured_by_rerun=True)]
    head = replace(HEAD, unnamed=3, remade_by="run-9")
    assert is_over(added_up(head, rows)) == "run run-9 composed again what was missing"
    assert is_over(added_up(replace(HEAD, unnamed=3), rows)) == ""
    assert is_over(added_up(replace(head, unnamed=2), rows)) == ""


def test_a_run_leaves_by_the_name_that_people_outside_may_see() -> None:
    found = added_up(HEAD, [report(), report(part="b", run_id="a/b")]).as_it_leaves(lambda name: f"<{name}>")
    assert (found.domain, found.run_id, found.incident_id) == ("<retail>", "<run-1>", HEAD.incident_id)
    assert found.runs == ("<retail>/<run-1>", "<retail>/<a/b>")


def test_what_a_rule_and_a_head_do_not_say_is_this() -> None:
    defaults = {f.name: f.default for f in fields(AlertRule)[2:]}
    assert defaults == {
        "severity": "error",
        "urgency": "normal",
        "group": "run",
        "chains": (),
        "ack_minutes": None,
        "escalation": (),
        "means": "",
        "advice": "",
        "runbook": "",
        "cured_by_rerun": True,
        "ack_lasts_minutes": None,
        "quiet_minutes": None,
    }
    blank = asdict(HEAD)
    filled = {name: value for name, value in blank.items() if value not in ("", 0, (), None)}
    assert filled == {
        "incident_id": "1" * 32,
        "domain": "retail",
        "run_id": "run-1",
        "team": "operations",
        "family": "composition",
        "status": "open",
        "told_severity": "info",
        "told_status": "open",
    }


# --- what becomes of it -------------------------------------------------------------------------------------


def test_every_step_of_an_incident_is_written_with_who_what_and_why() -> None:
    incident = added_up(HEAD, [report(3)])
    head = told(HEAD, incident, What.OPENED, RULE, AT, "email sent")
    assert (head.alerts, head.told_first, head.told_count, head.updates) == (1, 3, 3, 0)
    assert (head.told_severity, head.told_codes, head.told_at) == ("error", ("EX000001E",), NOW)
    assert (head.level, head.answer_by) == (0, "2026-11-20T15:30:00+00:00")
    head = told(head, added_up(head, [report(8)]), What.GROWN, RULE, AT, "email sent")
    assert (head.alerts, head.told_first, head.told_count, head.updates) == (2, 3, 8, 1)
    head = escalated(replace(head, sending_until="x"), RULE, AT, "page sent")
    assert (head.level, head.alerts, head.sending_until) == (1, 3, "")
    head = escalated(head, RULE, AT, "page sent")
    head = acknowledged(replace(head, ack_until="2026-11-21"), NOW, "ann", "on it")
    assert (head.status, head.answer_by, head.ack_until) == (IncidentStatus.ACKNOWLEDGED, "", "")
    head = opened_again(head, NOW, "no fix in time")
    assert (head.status, head.level, head.again) == (IncidentStatus.OPEN, 0, 1)
    head = muted(head, NOW, "bob", "2026-11-21", "known")
    assert head.muted_until == "2026-11-21"
    head = muted(head, NOW, "bob", "")
    head = covered(head, "run-2", from_numbers([1, 2]), NOW)
    waits = dict.fromkeys(("muted_until", "look_at", "answer_by", "ack_until"), "2026-11-21")
    head = resolved(replace(head, **waits), NOW, "ann", 8, "composed")  # type: ignore[arg-type]
    assert {name: getattr(head, name) for name in waits} == dict.fromkeys(waits, "")
    assert (head.status, head.resolved_count) == (IncidentStatus.RESOLVED, 8)
    assert [tuple(row.values()) for row in head.history] == [
        (NOW, "alerts", "told operations: opened", "email sent"),
        (NOW, "alerts", "told operations: grown", "email sent"),
        (NOW, "alerts", "escalated to it", "page sent"),
        (NOW, "alerts", "escalated to head", "page sent"),
        (NOW, "ann", "acknowledged", "on it"),
        (NOW, "alerts", "open again", "no fix in time"),
        (NOW, "bob", "muted until 2026-11-21", "known"),
        (NOW, "bob", "mute ended"),
        (NOW, "alerts", "run run-2 composed customers 1-2"),
        (NOW, "ann", "resolved", "composed"),
    ]
    assert resolved(head, NOW, "bob", 9) is head
    assert acknowledged(head, NOW, "bob") is head


def test_only_an_open_one_that_waits_for_nobody_yet_gets_a_time_for_an_answer() -> None:
    incident = added_up(HEAD, [report()])
    waiting = replace(HEAD, answer_by="2026-11-20T15:10", level=1)
    assert told(waiting, incident, What.GROWN, RULE, AT, "").answer_by == "2026-11-20T15:10"
    assert told(HEAD, incident, What.ESCALATED, RULE, AT, "").answer_by == ""
    taken = replace(HEAD, status=IncidentStatus.ACKNOWLEDGED)
    assert told(taken, incident, What.GROWN, RULE, AT, "").answer_by == ""
    unasked = replace(RULE, ack_minutes=None)
    assert told(HEAD, incident, What.OPENED, unasked, AT, "").answer_by == ""


@pytest.mark.parametrize(
    ("failures", "again"),
    [(0, "15:01:00"), (1, "15:02:00"), (2, "15:04:00"), (3, "15:08:00"), (4, "15:15:00"), (9, "15:15:00")],
)
def test_an_alert_that_nobody_took_is_tried_ever_more_slowly(failures: int, again: str) -> None:
    assert try_again_at(failures, AT) == f"2026-11-20T{again}+00:00"


def test_a_history_keeps_its_first_ten_entries_and_the_latest() -> None:
    head = HEAD
    for number in range(HISTORY + 25):
        head = noted(head, NOW, "who", f"entry {number}")
    kept = [row["what"] for row in head.history]
    assert kept == [f"entry {n}" for n in (*range(10), *range(35, 85))]
    assert len(kept) == HISTORY


def test_customers_composed_again_add_up_by_run_and_within_bounds() -> None:
    head = covered(HEAD, "run-2", from_numbers([1]), NOW)
    head = covered(head, "run-3", from_numbers([5]), NOW)
    head = covered(head, "run-2", from_numbers([2]), NOW)
    assert head.covered_by == (("run-3", "5"), ("run-2", "1-2"))
    assert head.covered == ((1, 2), (5, 5))
    assert covered(head, "run-2", from_numbers([2]), NOW) is head
    many = from_numbers(range(1, COVERED_CHARS, 2))
    assert covered(head, "run-4", many, NOW) is head
    assert [row["what"] for row in head.history] == [
        "run run-2 composed customers 1",
        "run run-3 composed customers 5",
        "run run-2 composed customers 1-2",
    ]


def test_the_identity_of_an_incident_is_as_it_ever_was() -> None:
    """A changed one would open a second incident beside each that is open."""
    assert incident_id("retail", "run-1", "composition", "it") == "14f0c349a760f8136a459eeeae15b4c3"


def test_what_an_alert_changes_of_the_head() -> None:
    incident = added_up(HEAD, [report(3)])
    before = replace(
        HEAD, alerts=4, failures=3, told_first=1, updates=2, sending_until="x", level=2, ack_until="y"
    )
    assert told(before, incident, What.GROWN, RULE, AT, "said") == replace(
        before,
        alerts=5,
        failures=0,
        updates=3,
        told_count=3,
        told_severity="error",
        told_codes=("EX000001E",),
        told_at=NOW,
        sending_until="",
        level=0,
        answer_by="2026-11-20T15:30:00+00:00",
        ack_until="",
        history=({"at": NOW, "who": "alerts", "what": "told operations: grown", "why": "said"},),
    )
    again = told(before, incident, What.REOPENED, RULE, AT, "")
    assert (again.told_first, again.updates) == (3, 0)
    taken = replace(before, status=IncidentStatus.ACKNOWLEDGED)
    after = told(taken, incident, What.GROWN, RULE, AT, "")
    assert (after.level, after.ack_until, after.told_status) == (2, "y", IncidentStatus.ACKNOWLEDGED)


@pytest.mark.parametrize(
    ("changes", "look"),
    [
        ({}, ""),
        ({"look_at": "3", "sending_until": "2", "answer_by": "1"}, "1"),
        ({"look_at": "3", "sending_until": "2"}, "2"),
        ({"answer_by": "1", "muted_until": "5", "look_at": "9"}, "5"),
        ({"answer_by": "1", "status": IncidentStatus.ACKNOWLEDGED}, ""),
        ({"ack_until": "4", "answer_by": "1", "status": IncidentStatus.ACKNOWLEDGED}, "4"),
        ({"ack_until": "4"}, ""),
        ({"listed_until": "6"}, "6"),
        ({"listed_until": "6", "answer_by": "1", "status": IncidentStatus.RESOLVED}, ""),
        ({"look_at": "7", "sending_until": "8", "status": IncidentStatus.RESOLVED}, "7"),
    ],
)
def test_when_something_of_an_incident_falls_due(changes: dict[str, Any], look: str) -> None:
    assert replace(HEAD, **changes).next_look() == look


def test_what_was_told_before_is_in_the_order_of_causes() -> None:
    turned = [raised(1, f"C{n:05}") for n in range(KEPT, 0, -1)]
    assert codes_kept(turned) == tuple(e.code for e in turned)
