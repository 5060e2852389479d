"""An incident that is over, back, or flapping: every look's whole result, on both sides of each limit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.customer_ranges import HIGHEST, from_numbers
from exstream_notify.domain.flapping import as_it_stands, quiet_end, quiet_until, returns
from exstream_notify.domain.incident_states import COVERED_CHARS, covered
from exstream_notify.domain.incidents import AlertRule, Head, IncidentStatus, added_up

from .test_incidents import HEAD, report

AT = datetime(2026, 11, 20, 15, 0, 0, 250_000, UTC)
NOW = "2026-11-20T15:00:00+00:00"
RULE = AlertRule("operations", "composition")
CAUSE = replace(RULE, group="cause", quiet_minutes=30)


def ago(**time: int) -> str:
    return (datetime(2026, 11, 20, 15, tzinfo=UTC) - timedelta(**time)).isoformat(timespec="seconds")


def look(head: Head, *counts: int, rule: AlertRule = RULE, **more: Any) -> Head:
    """The head after a look at reports of so many."""
    rows = [report(count, part=str(n), **more) for n, count in enumerate(counts)]
    return as_it_stands(head, added_up(head, rows), rule, AT)


def test_returns_count_within_a_day() -> None:
    head = replace(HEAD, returned=(ago(hours=24), ago(hours=23, minutes=59), NOW))
    assert returns(head, AT) == 2


@pytest.mark.parametrize(("times", "hours"), [(0, None), (1, 1), (2, 6), (3, 24), (4, 24)])
def test_the_more_it_flaps_the_longer_it_has_to_be_quiet(times: int, hours: int | None) -> None:
    head = replace(HEAD, returned=(NOW,) * times, over_since=ago(minutes=10))
    expected = "" if hours is None else ago(minutes=10 - 60 * hours)
    assert quiet_until(head, AT) == expected
    assert quiet_until(replace(head, over_since=""), AT) == ""


@pytest.mark.parametrize(
    ("rule", "last_seen", "end"),
    [
        (CAUSE, ago(minutes=30), NOW),
        (replace(CAUSE, group="run"), ago(minutes=30), ""),
        (replace(CAUSE, quiet_minutes=None), ago(minutes=30), ""),
        (CAUSE, "", ""),
    ],
)
def test_when_a_cause_is_over_by_silence(rule: AlertRule, last_seen: str, end: str) -> None:
    assert quiet_end(replace(added_up(HEAD, [report()]), last_seen=last_seen), rule) == end


@pytest.mark.parametrize(("minutes", "over"), [(30, True), (29, False)])
def test_silence_ends_a_cause_and_says_so(minutes: int, over: bool) -> None:
    incident = replace(added_up(HEAD, [report(3)]), last_seen=ago(minutes=minutes))
    found = as_it_stands(HEAD, incident, CAUSE, AT)
    assert (found.status == IncidentStatus.RESOLVED) is over
    if over:
        assert found == replace(
            HEAD,
            status=IncidentStatus.RESOLVED,
            over_since=NOW,
            settled="",
            resolved_count=3,
            history=(
                {
                    "at": NOW,
                    "who": "alerts",
                    "what": "resolved",
                    "why": "nothing was reported for 30 minutes",
                },
            ),
        )


def test_what_is_not_over_stays_the_same_object() -> None:
    assert look(HEAD, 3) is HEAD


def test_one_that_is_over_is_resolved_with_whom_it_left_late() -> None:
    late = report(2, customers="7-9", cured_by_rerun=True)
    head = covered(HEAD, "run-2", from_numbers([7, 8, 9]), NOW)
    found = as_it_stands(head, added_up(head, [late]), RULE, AT)
    assert (found.status, found.over_since, found.resolved_count) == (IncidentStatus.RESOLVED, NOW, 2)
    assert found.settled == ""
    assert found.history[-1] == {
        "at": NOW,
        "who": "alerts",
        "what": "resolved",
        "why": "run run-2 composed all of its customers again",
    }


RESOLVED = replace(HEAD, status=IncidentStatus.RESOLVED, resolved_count=3)


def test_one_that_a_person_resolved_remembers_who_was_late_then() -> None:
    late = report(3, customers="7-9", cured_by_rerun=True)
    found = as_it_stands(RESOLVED, added_up(RESOLVED, [late]), RULE, AT)
    assert found == replace(RESOLVED, over_since=NOW, settled="7-9")
    assert as_it_stands(found, added_up(found, [late]), RULE, AT) is found
    others = report(3, customers="7-10", cured_by_rerun=True)
    back = as_it_stands(found, added_up(found, [others]), RULE, AT)
    assert (back.status, back.over_since, back.settled) == (IncidentStatus.OPEN, "", None)
    fewer = report(3, customers="8", cured_by_rerun=True)
    assert as_it_stands(found, added_up(found, [fewer]), RULE, AT) is found
    many = report(3, customers=",".join(str(n) for n in range(1, 40_000, 2)), cured_by_rerun=True)
    assert as_it_stands(RESOLVED, added_up(RESOLVED, [many]), RULE, AT).settled == f"1-{HIGHEST}"
    assert COVERED_CHARS == 100_000


def test_more_than_was_resolved_opens_it_again() -> None:
    head = replace(
        RESOLVED,
        over_since=ago(hours=1),
        settled="",
        answer_by="x",
        remade_by="run-9",
        unnamed=2,
        told_status=IncidentStatus.RESOLVED,
        told_at=ago(hours=1),
        returned=(ago(hours=25), ago(hours=2)),
    )
    assert look(head, 3) is head
    assert look(head, 4) == replace(
        head,
        status=IncidentStatus.OPEN,
        answer_by="",
        over_since="",
        settled=None,
        remade_by="",
        unnamed=0,
        returned=(ago(hours=2), NOW),
        history=({"at": NOW, "who": "alerts", "what": "reported again"},),
    )


@pytest.mark.parametrize(
    ("told_status", "told_at", "counts"),
    [
        (IncidentStatus.RESOLVED, ago(hours=23, minutes=59), True),
        (IncidentStatus.RESOLVED, ago(hours=24), False),
        (IncidentStatus.OPEN, ago(hours=1), False),  # the team never heard that it was over
    ],
)
def test_it_flaps_only_if_it_is_back_soon_after_its_team_heard_that_it_was_over(
    told_status: IncidentStatus, told_at: str, counts: bool
) -> None:
    head = replace(RESOLVED, told_status=told_status, told_at=told_at)
    assert look(head, 4).returned == ((NOW,) if counts else ())


def test_returns_are_kept_within_bounds() -> None:
    head = replace(
        RESOLVED,
        told_status=IncidentStatus.RESOLVED,
        told_at=NOW,
        returned=tuple(ago(minutes=n) for n in range(40, 0, -1)),
    )
    found = look(head, 4).returned
    assert found == (*(ago(minutes=n) for n in range(19, 0, -1)), NOW)


def test_one_that_flaps_is_resolved_once_it_was_quiet_and_calls_nobody_before() -> None:
    head = replace(HEAD, returned=(ago(hours=2),), answer_by=ago(minutes=-5))
    waits = look(head, 0)
    assert waits == replace(head, over_since=NOW, answer_by=ago(hours=-1))
    later = replace(head, answer_by=ago(hours=-3))
    assert look(later, 0).answer_by == ago(hours=-3)
    assert look(replace(head, answer_by=""), 0).answer_by == ""
    almost = replace(head, over_since=ago(minutes=59))
    assert look(almost, 0).status == IncidentStatus.OPEN
    quiet = replace(head, over_since=ago(hours=1))
    assert look(quiet, 0).status == IncidentStatus.RESOLVED
    assert look(quiet, 0).over_since == ago(hours=1)
    back = look(waits, 3)
    assert (back.over_since, back.history[-1]["what"]) == ("", "reported again")


@pytest.mark.parametrize(
    ("until", "count", "over"),
    [
        (NOW, 5, True),
        (ago(minutes=1), 5, True),
        (ago(minutes=-1), 5, False),
        (NOW, 6, False),  # more than the list says
        ("", 5, False),
    ],
)
def test_what_was_told_in_a_list_is_over_with_the_list(until: str, count: int, over: bool) -> None:
    head = replace(HEAD, listed_until=until, told_count=5)
    found = look(head, count)
    if not over:
        assert found is head
        return
    assert found == replace(
        head,
        status=IncidentStatus.RESOLVED,
        resolved_count=5,
        told_status=IncidentStatus.RESOLVED,
        listed_until="",
        history=({"at": NOW, "who": "alerts", "what": "resolved", "why": f"told in the list of {until}"},),
    )
