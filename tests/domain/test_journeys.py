"""When steps are due, row by row; what stops a journey; the cap."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exstream_notify.adapters.journey_rules import is_holiday
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.domain.journeys import (
    Cap,
    Cohort,
    Delay,
    JourneyRule,
    Member,
    Step,
    capped_until,
    cohort_at,
    due_at,
    first_step,
    rule_body,
    rule_from,
    step_of,
    step_purpose,
)

# 2026-11-26 is Thanksgiving, a Thursday; 2026-12-25 a Friday.
BASE = "2026-11-20T15:10+00:00"


@pytest.mark.parametrize(
    ("delay", "anchor", "business", "country", "due"),
    [
        (Delay(days=7), "notice", False, "", "2026-11-27T15:10"),
        (Delay(seconds=36 * 3600), "notice", False, "", "2026-11-22T03:10"),
        (Delay(months=3), "notice", False, "", "2027-02-20T15:10"),
        (Delay(days=5), "notice", True, "", "2026-11-27T15:10"),
        (Delay(days=5), "notice", True, "US", "2026-11-30T15:10"),
        (Delay(days=1), "notice", True, "US", "2026-11-23T15:10"),
        (Delay(days=-3), "due_date", False, "", "2026-11-27T15:00"),
        (Delay(days=-3), "due_date", True, "US", "2026-11-24T15:00"),
        (Delay(days=0), "due_date", True, "", "2026-11-30T15:00"),
        (Delay(days=2), "due_date", True, "", "2026-12-02T15:00"),
    ],
)
def test_a_step_is_due(delay: Delay, anchor: str, business: bool, country: str, due: str) -> None:
    step = Step(delay, anchor, business)  # type: ignore[arg-type]
    rule = JourneyRule("j", ("statement",), (step,))
    member = Member("a" * 32, 1, BASE, "2026-11-30", country)
    assert due_at(rule, step, member, is_holiday) == datetime.fromisoformat(due + ":00+00:00")


@pytest.mark.parametrize(
    ("base", "months", "due"),
    [("2026-01-31T10:00+00:00", 1, "2026-02-28"), ("2027-11-30T10:00+00:00", 3, "2028-02-29")],
)
def test_a_month_is_a_calendar_month(base: str, months: int, due: str) -> None:
    step = Step(Delay(months=months))
    found = due_at(JourneyRule("j", (), (step,)), step, Member("a", 1, base), is_holiday)
    assert found is not None
    assert found.date().isoformat() == due


def test_a_date_that_is_no_working_day_moves_away_from_what_it_counts_from() -> None:
    for days, due in ((0, "2026-12-28"), (-1, "2026-12-24")):
        step = Step(Delay(days=days), "due_date", business_days=True)
        member = Member("a", 1, BASE, "2026-12-25", "US")
        found = due_at(JourneyRule("j", (), (step,)), step, member, is_holiday)
        assert found is not None
        assert found.date() == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("place", "due", "days", "expected"),
    [
        ("SA", "2026-12-02", 2, "2026-12-06"),  # Wednesday; the weekend is Friday and Saturday
        ("IL", "2026-12-02", 2, "2026-12-06"),
        ("EG", "2026-12-02", -2, "2026-11-30"),
        ("AE", "2026-12-09", 2, "2026-12-11"),  # Saturday and Sunday since 2022
        ("DE", "2027-01-05", 1, "2027-01-06"),
        ("DE-BY", "2027-01-05", 1, "2027-01-07"),  # Epiphany in Bavaria
        ("DE-BW", "2027-01-05", 1, "2027-01-07"),
        ("DE-HH", "2027-01-05", 1, "2027-01-06"),
        ("US-CA", "2026-03-30", 1, "2026-04-01"),  # Cesar Chavez Day
        ("US-NY", "2026-03-30", 1, "2026-03-31"),
        ("GB-SCT", "2026-11-27", 1, "2026-12-01"),  # Saint Andrew's Day
        ("GB", "2026-11-27", 1, "2026-11-30"),
        ("", "2026-12-24", 1, "2026-12-25"),
    ],
)
def test_working_days_are_those_of_a_place(place: str, due: str, days: int, expected: str) -> None:
    step = Step(Delay(days=days), "due_date", business_days=True)
    found = due_at(JourneyRule("j", (), (step,)), step, Member("a", 1, BASE, due, place), is_holiday)
    assert found is not None
    assert found.date().isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "hour", "day"),
    [
        ("America/Los_Angeles", 15, "2026-12-07"),
        ("Pacific/Auckland", 15, "2026-12-07"),
        ("Asia/Tokyo", 15, "2026-12-07"),
        ("America/New_York", 3, "2026-12-07"),
        ("", 15, "2026-12-07"),
    ],
)
def test_a_day_around_a_due_date_is_one_where_the_customer_is(zone: str, hour: int, day: str) -> None:
    step = Step(Delay(days=-3), "due_date", business_days=True)
    member = Member("a", 1, BASE, "2026-12-10", "", zone)
    found = due_at(JourneyRule("j", (), (step,), hour=hour), step, member, is_holiday)
    assert found is not None
    assert found.astimezone(ZoneInfo(zone or "UTC")).date().isoformat() == day


def test_working_days_after_a_notice_count_from_the_customers_own_day() -> None:
    """18:00 on a Thursday in Los Angeles is Friday in UTC."""
    step = Step(Delay(days=1), business_days=True)
    for zone, day in (("America/Los_Angeles", "2026-11-20"), ("", "2026-11-23")):
        member = Member("a", 1, "2026-11-20T02:00+00:00", zone=zone)
        found = due_at(JourneyRule("j", (), (step,)), step, member, is_holiday)
        assert found is not None
        assert found.astimezone(ZoneInfo(zone or "UTC")).date().isoformat() == day


def test_a_sites_own_days_count_for_every_place(tmp_path: Path) -> None:
    own = "holidays: {added: [2026-12-24], removed: [2026-11-26]}"
    (tmp_path / "domains.yaml").write_text(own, "utf-8")
    rules = YamlRules(tmp_path)
    for place in ("US", "DE-BY", ""):
        assert rules.is_holiday(place, date(2026, 12, 24))
        assert not rules.is_holiday(place, date(2026, 11, 26))


def test_without_a_due_date_the_steps_around_it_are_left_out() -> None:
    rule = JourneyRule("j", (), (Step(Delay(days=1), "due_date"), Step(Delay(days=9), "notice", end="event")))
    now = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    first = first_step(rule, Member("a", 1, BASE), now, is_holiday)
    assert first is not None
    assert first[0] == 2


def test_a_cohort_wakes_at_the_first_full_hour_that_is_not_before() -> None:
    rule = JourneyRule("j", (), (Step(Delay(days=1)),))
    for minute, hour in ((0, "2026-11-27T15"), (1, "2026-11-27T16")):
        cohort = cohort_at("retail", rule, 1, datetime(2026, 11, 27, 15, minute, tzinfo=UTC))
        assert cohort.hour == hour
        assert Cohort.from_name(cohort.name) == cohort


def test_the_cap_counts_back_from_now() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    told = [now - timedelta(days=d) for d in (1, 3, 9)]
    assert capped_until(None, told, now) is None
    assert capped_until(Cap(3, 7), told, now) is None
    assert capped_until(Cap(2, 7), told, now) == now + timedelta(days=4)
    assert capped_until(Cap(1, 7), told, now) == now + timedelta(days=6)


def test_purposes_and_rules_come_back_as_they_went() -> None:
    assert step_of(step_purpose("a-b", 3)) == ("a-b", 3)
    assert step_of("notice") is None
    for rule in YamlRules().journeys().values():
        assert rule_from(rule_body(rule)) == rule
        assert replace(rule, hour=3).version != rule.version


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("journeys:\n  dunning:\n    country: XX", "line 3: journeys.dunning.country: no calendar of XX"),
        ("journeys:\n  dunning:\n    country: DE-XX", "no calendar of DE-XX"),
        ("journeys:\n  dunning:\n    country: Germany", "line 3: journeys.dunning.country"),
        ("journeys:\n  dunning:\n    fair_time: two weeks", "line 3: journeys.dunning.fair_time"),
        ("journeys: {x: {documents: [nothing]}}", "journeys.x"),
        (
            "journeys:\n  dunning:\n    documents: [nothing]",
            "line 3: journeys.dunning.documents: no document type",
        ),
        ("journeys:\n  dunning:\n    stops: [sleeping]", "line 3: journeys.dunning.stops"),
        (
            "journeys:\n  dunning:\n    steps:\n      - {after: 7 days, wording: x}",
            "line 4: journeys.dunning.steps.0.after: not an ISO 8601 duration",
        ),
        ("journeys:\n  dunning:\n    unanswered: {end: event}", "a case names its team"),
        ("journeys:\n  dunning:\n    unanswered: {team: nobody}", "no team 'nobody'"),
        (
            "journeys:\n  dunning:\n    steps:\n      - {after: -P1D, wording: x}",
            "nothing comes before the notice",
        ),
        ("journeys:\n  renewal-reminder:\n    unanswered: {after: P1D, end: event}", "the end last"),
        ("journeys:\n  dunning:\n    colour: red", "line 3: journeys.dunning.colour"),
        ("journeys:\n  No Name: {}", "journeys.No Name"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_with_line_and_key(text: str, complaint: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "journeys.yaml").write_text(text, "utf-8")
    with pytest.raises(RulesInvalid) as refused:
        YamlRules(tmp_path).journeys()
    assert complaint in str(refused.value)


def test_a_site_lays_its_own_over_ours_and_switches_one_off(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = "journeys: {unread-statement: null, dunning: {hour: 9}}"
    (tmp_path / "journeys.yaml").write_text(text, "utf-8")
    journeys = YamlRules(tmp_path).journeys()
    assert "unread-statement" not in journeys
    assert journeys["dunning"].hour == 9
    assert journeys["dunning"].steps == YamlRules().journeys()["dunning"].steps


@pytest.mark.parametrize(
    ("due_date", "hours", "found"),
    [
        ("2026-11-21", -1, 1),
        ("2026-11-21", 0, 2),  # due this very moment: past
        ("2026-11-19", -25, 1),
        ("2026-11-19", -24, 2),  # of an overdue document none follows within a day of its notice
        ("2026-11-19", -1, 2),
    ],
)
def test_no_step_follows_at_the_heels_of_a_notice_that_is_late_itself(
    due_date: str, hours: int, found: int
) -> None:
    rule = JourneyRule(
        "j", (), (Step(Delay(days=9), "due_date"), Step(Delay(days=20), "notice", end="event"))
    )
    member = Member("a", 1, BASE, due_date=due_date)
    assert member.was_overdue == (due_date < BASE[:10])
    due = due_at(rule, rule.steps[0], member, is_holiday)
    assert due is not None
    first = first_step(rule, member, due + timedelta(hours=hours), is_holiday)
    assert first is not None
    assert first[0] == found
