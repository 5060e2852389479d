"""What an incident is, what becomes of it, and what an alert says."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import pytest

from exstream_notify.domain.alert_words import make_alert, meaning
from exstream_notify.domain.customer_ranges import from_numbers
from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.incident_states import acknowledged, covered, gets_worse, noted, resolved, told
from exstream_notify.domain.incidents import (
    PARTS,
    AlertRule,
    Head,
    IncidentStatus,
    Report,
    What,
    added_up,
    grouped_under,
    is_over,
)
from exstream_notify.domain.telling import what_to_tell

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
    reports = [
        report(3, customers_in_run=(2, 7), cured_by_rerun=True),
        report(0, part="more", customers="14-16", cured_by_rerun=True),
    ]

    assert not is_over(added_up(HEAD, reports))
    assert not is_over(added_up(covered(HEAD, "run-2", from_numbers([2, 7, 14, 15]), NOW), reports))
    assert is_over(added_up(covered(HEAD, "run-2", from_numbers([2, 7, 14, 15, 16]), NOW), reports)) == (
        "run run-2 composed all of its customers again"
    )
    assert is_over(added_up(HEAD, [report(0)]))


def test_an_alert_says_what_happened_what_it_means_and_what_to_do() -> None:
    samples = ("Field X empty", "Field Y empty")
    incident = added_up(HEAD, [report(41, customers="2,7,14-50", samples=samples, cured_by_rerun=True)])
    alert = make_alert(incident, What.OPENED, RULE, "operations", "https://x.example/i/1")

    assert alert.title == "[ERROR] EX000001E × 41 in retail/run-1: new"
    assert alert.rerun == ("-CUSTOMERLIST=2,7,14-50",)
    for words in ("documents of 39 customers late", "Look", "Field X empty", "https://x.example/i/1"):
        assert words in alert.text()
    assert make_alert(incident, What.OPENED, RULE, "operations", "", switch_chars=20).rerun == (
        "-CUSTOMERLIST=2,7",
        "-CUSTOMERLIST=14-50",
    )


def test_composing_again_never_ends_what_it_does_not_cure_or_does_not_name() -> None:
    named = report(customers="7", cured_by_rerun=True)
    head = covered(HEAD, "run-2", from_numbers([7]), NOW)
    assert is_over(added_up(head, [named]))

    refused = report(code="record_count_mismatch", severity="severe", part="index")
    assert not is_over(added_up(head, [named, refused]))
    nameless = report(code="EX000002E", part="b", cured_by_rerun=True)
    assert not is_over(added_up(head, [named, nameless]))
    assert is_over(added_up(replace(head, unnamed=1), [named, nameless]))
    skipped = report(5, code="customers_missing", part="run", cured_by_rerun=True)
    assert not is_over(added_up(replace(head, unnamed=5), [named, skipped]))


def test_a_list_that_is_none_hides_no_incident() -> None:
    found = added_up(HEAD, [report(customers="all"), report(part="b", customers="3-4"), report(part="c")])
    assert (found.count, found.customers) == (3, ((3, 4),))


def test_a_head_fits_its_item_whatever_is_reported() -> None:
    """DynamoDB takes 400 KB; the lists of customers composed again may take a quarter of it."""
    many = [report(code=f"rule_{'x' * 50}{n:05}", part=str(n)) for n in range(20_000)]
    many.append(report(code="zz", severity="severe"))
    incident = added_up(HEAD, many)
    after = told(HEAD, incident, What.OPENED, RULE, datetime.fromisoformat(NOW), "sns sent")
    assert len(json.dumps(asdict(after)).encode()) < 250_000
    assert "zz" in after.told_codes
    again = added_up(after, [*many, report(code="a further one")])
    assert what_to_tell(again, "2027-11-20T15:00:00+00:00") is None


def test_an_alert_names_some_queues_of_many() -> None:
    found = added_up(HEAD, [report(part=str(n), queue=f"Queue_{n:04}") for n in range(2000)])
    facts = dict(make_alert(found, What.OPENED, RULE, "operations", "").facts)
    assert facts["Queues"].endswith("Queue_0011 …")


def test_a_figure_that_seal_and_summary_state_counts_once() -> None:
    reports = [report(4, "composition_errors", part="run"), report(6, "composition_errors", part="run.txt")]
    assert added_up(HEAD, reports).count == 6


def test_an_alert_offers_no_switch_where_composing_again_cures_nothing() -> None:
    incident = added_up(HEAD, [report(customers="40")])
    assert incident.customers == ((40, 40),)
    assert make_alert(incident, What.OPENED, RULE, "operations", "").rerun == ()
    assert "late" not in meaning(incident, replace(RULE, means="1 document of which nobody was told"))


def test_an_alert_of_a_stop_says_in_words_what_a_switch_would_leave_out() -> None:
    stop = report(code="EX001111S", severity="severe", customers="13", cured_by_rerun=True)
    open_ended = make_alert(added_up(HEAD, [stop]), What.OPENED, RULE, "operations", "")
    assert open_ended.rerun == ()
    assert "Compose again: customer 13 and all after it: the run's last customer is not known" in (
        open_ended.text()
    )
    assert "documents of customer 13 and all after it late" in open_ended.text()
    known = make_alert(added_up(replace(HEAD, end=100), [stop]), What.OPENED, RULE, "operations", "")
    assert known.rerun == ("-CUSTOMERLIST=13-100",)


def test_a_severe_code_among_severe_ones_is_worse_than_what_was_acknowledged() -> None:
    head = after_telling(report(severity="severe"))
    further = report(code="EX000002S", severity="severe", part="b")
    assert gets_worse(added_up(head, [report(severity="severe"), further]), What.CHANGED)
    harmless = report(code="EX000003W", severity="warning", part="b")
    assert not gets_worse(added_up(head, [report(severity="severe"), harmless]), What.CHANGED)


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
