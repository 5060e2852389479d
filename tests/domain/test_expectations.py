"""Deadlines of runs that the calendar expects."""

from datetime import UTC, date, datetime, time

import pytest

from exstream_notify.adapters.alert_rules import is_day_off
from exstream_notify.domain.expectations import ExpectedRun, next_deadline, opens_at

BILLING = ExpectedRun("retail", "billing", time(6), "America/New_York", tolerance_minutes=30)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def never(country: str, day: date) -> bool:
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
        ({"days": ("mon",)}, "2026-11-25T12:00", "2026-11-30T11:30"),
        # The 26th is Thanksgiving, then a Friday; the weekend is off, too.
        ({"business_days": True}, "2026-11-25T12:00", "2026-11-27T11:30"),
        ({"business_days": True}, "2026-11-27T12:00", "2026-11-30T11:30"),
    ],
)
def test_the_next_deadline(changes: dict[str, object], after: str, deadline: str) -> None:
    from dataclasses import replace

    expected = replace(BILLING, **changes)  # type: ignore[arg-type]
    assert next_deadline(expected, at(after), is_day_off) == at(deadline)


def test_a_run_counts_from_its_window_on() -> None:
    assert opens_at(BILLING, at("2026-11-25T11:30")) == at("2026-11-24T23:00")


def test_it_is_met_by_its_application_and_its_name() -> None:
    expected = ExpectedRun("retail", "b", time(6), "UTC", app="BILLING", run="b-*")
    assert expected.is_met_by("b-1", "BILLING")
    assert not expected.is_met_by("b-1", "LETTERS")
    assert not expected.is_met_by("x-1", "BILLING")
    assert (
        next_deadline(ExpectedRun("r", "n", time(6), "UTC", days=()), at("2026-11-25T11:00"), never) is None
    )
