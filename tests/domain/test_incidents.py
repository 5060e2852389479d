"""What an incident is, what becomes of it, and what an alert says."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from exstream_notify.domain.customer_ranges import from_numbers
from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.incidents import (
    PARTS,
    AlertRule,
    Head,
    IncidentStatus,
    Report,
    What,
    acknowledged,
    added_up,
    grouped_under,
    is_over,
    make_alert,
    meaning,
    noted,
    resolved,
    told,
)

NOW = "2026-11-20T15:00:00+00:00"
RULE = AlertRule("operations", "composition", ack_minutes=30, escalation=("it",), advice="Look")
HEAD = Head("1" * 32, "retail", "run-1", "operations", "composition")


def report(count: int = 1, code: str = "EX000001E", severity: Severity = "error", **more: Any) -> Report:
    """One part's report."""
    raised = ExceptionRaised(code, severity, "retail", "run-1", f"{code} happened", count=count, **more)
    return Report(raised, NOW, NOW)


def after_telling(*reports: Report) -> Head:
    """The head once its team has been told of these."""
    return told(HEAD, added_up(HEAD, reports), What.OPENED, RULE, datetime.fromisoformat(NOW), "email sent")


def test_an_acknowledged_one_waits_for_nobody() -> None:
    head = acknowledged(after_telling(report(3)), NOW, "ann")
    assert (head.status, head.answer_by) == (IncidentStatus.ACKNOWLEDGED, "")
    assert acknowledged(head, NOW, "bob") == head

    over = resolved(head, NOW, "ann", 3, "composed again")
    assert over.history[-1] == {"at": NOW, "who": "ann", "what": "resolved", "why": "composed again"}


def test_it_is_over_when_later_runs_have_all_its_customers_or_nothing_is_left() -> None:
    reports = [report(3, customers_in_run=(2, 7)), report(0, part="more", customers="14-16")]

    assert not is_over(added_up(HEAD, reports))
    assert not is_over(added_up(replace(HEAD, covered=from_numbers([2, 7, 14, 15])), reports))
    assert is_over(added_up(replace(HEAD, covered=from_numbers([2, 7, 14, 15, 16])), reports))
    assert is_over(added_up(HEAD, [report(0)]))


def test_an_alert_says_what_happened_what_it_means_and_what_to_do() -> None:
    incident = added_up(HEAD, [report(41, customers="2,7,14-50", samples=("Field X empty", "Field Y empty"))])
    alert = make_alert(incident, What.OPENED, RULE, "operations", "https://x.example/i/1")

    assert alert.title == "[ERROR] EX000001E × 41 in retail/run-1: new"
    assert alert.rerun == ("-CUSTOMERLIST=2,7,14-50",)
    for words in ("documents of 39 customers late", "Look", "Field X empty", "https://x.example/i/1"):
        assert words in alert.text()
    assert make_alert(incident, What.OPENED, RULE, "operations", "", switch_chars=20).rerun == (
        "-CUSTOMERLIST=2,7",
        "-CUSTOMERLIST=14-50",
    )


@pytest.mark.parametrize("customers", ["", "2,7"])
def test_what_it_means_has_its_count_whether_customers_are_known_or_not(customers: str) -> None:
    rule = replace(RULE, means="{count} documents of which nobody was told")
    said = meaning(added_up(HEAD, [report(1200, customers=customers)]), rule)

    assert said.endswith("1,200 documents of which nobody was told")


def test_single_documents_and_what_is_of_no_run_share_a_days_incident() -> None:
    single = ExceptionRaised("records_rejected", "error", "retail", "event-17", "x")
    assert grouped_under(single, RULE, NOW) == "day-2026-11-20"
    assert grouped_under(replace(single, run_id="none"), RULE, NOW) == "day-2026-11-20"
    assert grouped_under(replace(single, run_id="run-1"), RULE, NOW) == "run-1"
    assert grouped_under(replace(single, run_id="run-1"), replace(RULE, group="day"), NOW) == "day-2026-11-20"


def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    head = HEAD
    for number in range(500):
        head = noted(head, NOW, "alerts", f"entry {number}")

    assert len(head.history) <= 60
    assert (head.history[0]["what"], head.history[-1]["what"]) == ("entry 0", "entry 499")


def test_the_next_look_is_at_the_first_that_falls_due() -> None:
    head = replace(HEAD, answer_by="2026-11-20T16", look_at="2026-11-20T15:30")
    assert head.next_look() == "2026-11-20T15:30"
    assert replace(head, look_at="").next_look() == "2026-11-20T16"
    assert replace(head, look_at="", muted_until="2026-11-20T18").next_look() == "2026-11-20T18"
    assert replace(head, look_at="", status=IncidentStatus.RESOLVED).next_look() == ""


def test_an_incident_names_the_first_parts_that_report_it_and_what_they_refer_to() -> None:
    rows = [report(part=f"notice {n}", detail={"notice": str(n)}) for n in range(PARTS + 5)]
    incident = added_up(HEAD, [report(0, part="counted elsewhere"), *rows])
    assert incident.where[0] == {"code": "EX000001E", "part": "notice 0", "notice": "0"}
    assert len(incident.where) == PARTS
