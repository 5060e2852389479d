"""Which run meets which deadline, and when it may come."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from exstream_notify.adapters.expectation_rules import is_day_off
from exstream_notify.domain.due_days import DueDays, Holidays
from exstream_notify.domain.expectations import (
    EVERY_DAY,
    Arrival,
    ExpectedRun,
    Occurrence,
    at_deadline,
    met,
    next_deadline,
    occurrences,
    run_date,
    shortest_gap,
)

BILLING = ExpectedRun("retail", "billing", (time(6),), "America/New_York", tolerance_minutes=30)
DAILY = ExpectedRun("retail", "billing", (time(6),), "UTC")
TWICE = replace(DAILY, by=(time(6), time(18)))


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def never(holidays: Holidays, day: date) -> bool:
    """No day off."""
    return False


@pytest.mark.parametrize(
    ("changes", "after", "deadline"),
    [
        ({}, "2026-11-25T11:29", "2026-11-25T11:30"),
        ({}, "2026-11-25T11:30", "2026-11-26T11:30"),
        # Clocks go back on 1 November and forward on 8 March: six in the morning stays six.
        ({}, "2026-10-31T12:00", "2026-11-01T11:30"),
        ({}, "2027-03-13T12:00", "2027-03-14T10:30"),
        # A time that the day does not have is an hour later by the clock; one that it has twice is the first.
        ({"by": (time(2, 30),)}, "2027-03-14T00:00", "2027-03-14T08:00"),
        ({"by": (time(1, 30),)}, "2026-11-01T00:00", "2026-11-01T06:00"),
        ({"days": DueDays(("mon",))}, "2026-11-25T12:00", "2026-11-30T11:30"),
        # The 26th is Thanksgiving, then a Friday; the weekend is off, too.
        ({"days": DueDays(when_off="skip")}, "2026-11-25T12:00", "2026-11-27T11:30"),
        ({"days": DueDays(when_off="skip")}, "2026-11-27T12:00", "2026-11-30T11:30"),
        ({"by": (time(18), time(6))}, "2026-11-25T12:00", "2026-11-25T23:30"),
        ({"by": (time(18), time(6))}, "2026-11-25T23:30", "2026-11-26T11:30"),
        # Twenty past midnight of the 30th is what the 29th's late evening tolerates.
        ({"by": (time(23, 50),), "days": DueDays(("sun",))}, "2026-11-30T05:10", "2026-11-30T05:20"),
    ],
)
def test_the_next_deadline(changes: dict[str, object], after: str, deadline: str) -> None:
    expected = replace(BILLING, **changes)  # type: ignore[arg-type]
    assert next_deadline(expected, at(after), is_day_off) == at(deadline)


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-10-31T06:30", "2026-10-31T05:30"),
        ("2026-11-01T07:30", "2026-11-01T05:30"),  # half past one comes twice; from the first on
        ("2027-03-14T07:30", "2027-03-14T06:30"),  # half past two does not come
        ("2027-03-15T06:30", "2027-03-15T05:30"),
    ],
)
def test_each_minute_between_two_times_is_in_a_window_also_when_clocks_change(when: str, opens: str) -> None:
    hourly = replace(BILLING, by=(time(1, 30), time(2, 30)), within_minutes=60, tolerance_minutes=0)
    found = at_deadline(hourly, at(when), never)
    assert found is not None
    assert (found.by, found.opens) == (time(2, 30), at(opens))


def test_an_occurrence_is_found_by_its_deadline_only_while_it_is_expected() -> None:
    found = at_deadline(BILLING, at("2026-11-25T11:30"), never)
    assert found is not None
    assert (found.day, found.by, found.opens) == (date(2026, 11, 25), time(6), at("2026-11-24T23:00"))
    assert at_deadline(BILLING, at("2026-11-25T11:31"), never) is None
    assert at_deadline(replace(BILLING, days=DueDays(("mon",))), at("2026-11-25T11:30"), never) is None


@pytest.mark.parametrize(
    ("run_id", "app", "fits"),
    [
        ("b-1", "BILLING", True),
        ("B-1", "billing", True),
        ("b-1", "LETTERS", False),
        ("x-1", "BILLING", False),
        ("b-1", "", False),
    ],
)
def test_it_is_met_by_its_application_and_its_name_in_any_case(run_id: str, app: str, fits: bool) -> None:
    assert ExpectedRun("retail", "b", (time(6),), "UTC", "Billing", "b-*").is_met_by(run_id, app) is fits


@pytest.mark.parametrize(
    ("run_id", "day"),
    [
        ("billing-2026-11-24", date(2026, 11, 24)),
        ("billing_20261124_2", date(2026, 11, 24)),
        ("B20261124060000", date(2026, 11, 24)),
        ("2026.11.24", date(2026, 11, 24)),
        ("billing-2026-11-24-of-2026-11-23", None),
        ("billing-2026-11-31", None),
        ("billing-4711", None),
        ("invoice-120261124", None),
    ],
)
def test_the_date_of_a_run_id(run_id: str, day: date | None) -> None:
    assert run_date(run_id) == day


# --- which run meets which -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "missed", "came", "met_by"),
    [
        # On time, and too early for its window.
        (DAILY, [], {"a": "23T05:00"}, {"23T06:00": "a"}),
        (DAILY, [], {"a": "22T17:59"}, {}),
        # Yesterday's, which comes late in today's window, is yesterday's; today's own still meets today.
        (DAILY, ["23T06:00"], {"late": "23T20:00"}, {"23T06:00": "late"}),
        (
            DAILY,
            ["23T06:00"],
            {"late": "23T20:00", "own": "24T05:00"},
            {"23T06:00": "late", "24T06:00": "own"},
        ),
        # Between two windows it can only be the missing one; where none is, it is nobody's.
        (DAILY, ["23T06:00"], {"late": "23T10:00"}, {"23T06:00": "late"}),
        (DAILY, [], {"late": "23T10:00"}, {}),
        # A date in its name decides.
        (DAILY, ["23T06:00"], {"b-20261124": "24T05:00"}, {"24T06:00": "b-20261124"}),
        (DAILY, ["23T06:00"], {"b-20261123": "24T05:00"}, {"23T06:00": "b-20261123"}),
        (DAILY, ["22T06:00", "23T06:00"], {"b-20261123": "23T10:00"}, {"23T06:00": "b-20261123"}),
        # One that is dated as an earlier missing one is that one, and today's is still missing.
        (
            DAILY,
            ["22T06:00", "23T06:00"],
            {"b-20261122": "23T20:00", "b-20261123": "23T20:30"},
            {"22T06:00": "b-20261122", "23T06:00": "b-20261123"},
        ),
        (
            DAILY,
            ["21T06:00", "22T06:00", "23T06:00"],
            {"b-20261122": "23T20:00", "b-20261121": "23T20:30", "own-20261124": "24T05:00"},
            {"22T06:00": "b-20261122", "21T06:00": "b-20261121", "24T06:00": "own-20261124"},
        ),
        # A site that names runs by the day before: each still meets its own while one is missing for good.
        (
            DAILY,
            ["22T06:00", "23T06:00"],
            {"b-20261122": "23T05:00", "b-20261123": "24T05:00"},
            {"22T06:00": "b-20261122", "24T06:00": "b-20261123"},
        ),
        # One that never comes costs one report too many: the 24th's. From then on each meets its own.
        (
            DAILY,
            ["23T06:00", "24T06:00"],
            {"own24": "24T05:00", "own25": "25T05:00"},
            {"23T06:00": "own24", "25T06:00": "own25"},
        ),
        # Several that were missing come at once.
        (
            DAILY,
            ["22T06:00", "23T06:00"],
            {"a": "23T10:00", "b": "23T10:30"},
            {"22T06:00": "a", "23T06:00": "b"},
        ),
        # Several a day: each has its own run.
        (TWICE, [], {"a": "23T05:00", "b": "23T17:00"}, {"23T06:00": "a", "23T18:00": "b"}),
        (TWICE, [], {"a": "23T05:00", "again": "23T05:30"}, {"23T06:00": "a"}),
        (TWICE, ["23T06:00"], {"late": "23T09:00"}, {"23T06:00": "late"}),
    ],
)
def test_which_run_meets_which(
    expected: ExpectedRun, missed: list[str], came: dict[str, str], met_by: dict[str, str]
) -> None:
    def day(text: str) -> datetime:
        return at(f"2026-11-{text}")

    first = day(min([*missed, "23T06:00"])) - timedelta(minutes=1)
    known = list(occurrences(expected, first, day("27T00:00"), never))
    arrivals = [Arrival(run_id, "", day(when)) for run_id, when in came.items()]
    found = met(expected, known, set(map(day, missed)), arrivals)
    assert {deadline: run.run_id for deadline, run in found.items()} == {
        day(when): run_id for when, run_id in met_by.items()
    }


def test_a_run_that_met_one_late_meets_no_other() -> None:
    missed = at("2026-11-23T06:00")
    known = list(occurrences(DAILY, missed, at("2026-11-25T00:00"), never))
    late = Arrival("late", "", at("2026-11-23T20:00"), frozenset({DAILY.name_at(missed)}))
    assert met(DAILY, known, (), [late]) == {}
    # Killed before it said so: it meets the same again.
    assert met(DAILY, known, {missed}, [late]) == {missed: late}
    # To another expectation it is a run like any other.
    other = replace(DAILY, name="other")
    assert met(other, known, (), [late]) == {at("2026-11-24T06:00"): late}


# --- each limit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "opens", "deadline"),
    [
        ({}, "2026-11-24T18:00", "2026-11-25T06:00"),
        ({"within_minutes": 60}, "2026-11-25T05:00", "2026-11-25T06:00"),
        ({"tolerance_minutes": 30}, "2026-11-24T18:00", "2026-11-25T06:30"),
        ({"zone": "America/New_York"}, "2026-11-24T23:00", "2026-11-25T11:00"),
    ],
)
def test_the_window_of_an_occurrence(changes: dict[str, Any], opens: str, deadline: str) -> None:
    expected = replace(DAILY, **changes)
    (found,) = occurrences(expected, at(deadline) - timedelta(seconds=1), at(deadline), never)
    assert found == Occurrence(date(2026, 11, 25), time(6), at(opens), at(deadline))
    assert list(occurrences(expected, at(deadline), at(deadline) + timedelta(hours=1), never)) == []
    assert at_deadline(expected, at(deadline), never) == found
    assert at_deadline(expected, at(deadline) + timedelta(seconds=1), never) is None


def test_occurrences_of_a_day_are_in_order_of_their_times() -> None:
    late_first = replace(DAILY, by=(time(18), time(6)), tolerance_minutes=60)
    found = occurrences(late_first, at("2026-11-25T07:00"), at("2026-11-26T07:00"), never)
    assert [o.deadline for o in found] == [at("2026-11-25T19:00"), at("2026-11-26T07:00")]


def test_a_tolerance_over_midnight_belongs_to_the_day_before() -> None:
    late = replace(DAILY, by=(time(23, 30),), tolerance_minutes=60)
    assert next_deadline(late, at("2026-11-25T23:59"), never) == at("2026-11-26T00:30")
    assert next_deadline(late, at("2026-11-26T00:30"), never) == at("2026-11-27T00:30")


def test_nothing_is_due_within_a_year_where_no_day_is() -> None:
    once = replace(DAILY, days=DueDays(dates=(date(2027, 11, 27),)))
    assert next_deadline(once, at("2026-11-26T00:00"), never) == at("2027-11-27T06:00")
    assert next_deadline(once, at("2026-11-24T00:00"), never) is None


def test_names_of_expectations_and_of_their_occurrences() -> None:
    assert (DAILY.key, DAILY.name_at(at("2026-11-25T06:00"))) == (
        "retail/billing",
        "retail/billing/2026-11-25T06:00:00+00:00",
    )
    assert (DAILY.within_minutes, DAILY.tolerance_minutes, DAILY.app, DAILY.run) == (720, 0, "", "*")


@pytest.mark.parametrize(
    ("by", "days", "gap"),
    [
        ((time(6),), EVERY_DAY, 1440),
        ((time(18), time(6)), EVERY_DAY, 720),
        ((time(6), time(6, 30), time(23)), EVERY_DAY, 30),
        ((time(6),), DueDays(dates=(date(2026, 11, 25),)), None),
        ((time(6),), DueDays(dates=(date(2026, 11, 25), date(2026, 11, 28))), 3 * 1440),
    ],
)
def test_the_shortest_gap_between_two_due_times(by: tuple[time, ...], days: DueDays, gap: int | None) -> None:
    expected = replace(DAILY, by=by, days=days)
    assert shortest_gap(expected, never, date(2026, 11, 23), date(2026, 11, 30)) == gap


@pytest.mark.parametrize(
    ("run_id", "day"),
    [
        ("20261131-20261124", date(2026, 11, 24)),  # the first is no day
        ("2026-11-24-2026-11-24", date(2026, 11, 24)),
        ("2026-11.24", None),
        ("2026_11_24", date(2026, 11, 24)),
        ("20261124123", None),
        ("202611241234", date(2026, 11, 24)),
        ("19991124", None),
    ],
)
def test_dates_in_run_ids(run_id: str, day: date | None) -> None:
    assert run_date(run_id) == day


def test_a_run_counts_once_and_at_both_ends_of_its_window() -> None:
    known = list(occurrences(DAILY, at("2026-11-24T00:00"), at("2026-11-26T00:00"), never))
    first, second = (o.deadline for o in known)
    for came in ("2026-11-23T18:00", "2026-11-24T06:00"):
        run = Arrival("a", "", at(came))
        assert met(DAILY, known, (), [run, replace(run, at=at("2026-11-25T05:00"))]) == {first: run}
    early, late = Arrival("a", "", at("2026-11-23T17:59:59")), Arrival("b", "", at("2026-11-24T06:00:01"))
    assert met(DAILY, known, (), [early, late]) == {}
    other = Arrival("x", "", at("2026-11-25T05:00"))
    named = replace(DAILY, run="billing*")
    mine = Arrival("BILLING-1", "", at("2026-11-25T05:30"))
    assert met(named, known, (), [other, mine]) == {second: mine}, "another kind is passed over"
