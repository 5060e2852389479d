"""Due days: by weekday, by day and business day of the month, by date; and what moves them."""

from datetime import date, datetime, time, timedelta

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.expectation_rules import is_day_off
from exstream_notify.domain.due_days import DAYS, DueDays, Holidays

WORKDAYS = DAYS[:5]
YEAR = date(2026, 1, 1), date(2026, 12, 31)
START, END = (datetime.combine(day, time()) for day in YEAR)


def test_every_second_week_is_counted_from_the_week_of_the_first_day() -> None:
    rule = DueDays(weekdays=("mon", "fri"), every_weeks=2, first=date(2026, 11, 4))
    fifth = DueDays(weekdays=("wed",), every_weeks=5, first=date(2026, 11, 4))
    assert days(fifth, "2026-11-01", "2027-01-31") == ["11-04", "12-09", "01-13"]
    assert days(rule, "2026-11-01", "2026-12-10") == ["11-06", "11-16", "11-20", "11-30", "12-04"]


def days(rule: DueDays, first: str, last: str) -> list[str]:
    """The due days from one day to another, without their year."""
    found = rule.between(date.fromisoformat(first), date.fromisoformat(last), is_day_off)
    return [f"{day:%m-%d}" for day in found]


@pytest.mark.parametrize(
    ("rule", "first", "last", "due"),
    [
        (DueDays(month_days=(1, 15)), "2026-03-01", "2026-04-30", ["03-01", "03-15", "04-01", "04-15"]),
        # A month without a 31st has its last day instead, or none.
        (DueDays(month_days=(31,)), "2026-01-01", "2026-04-30", ["01-31", "02-28", "03-31", "04-30"]),
        (DueDays(month_days=(31,), skip_short_months=True), "2026-01-01", "2026-04-30", ["01-31", "03-31"]),
        (DueDays(month_days=(30, 31)), "2026-02-01", "2026-04-30", ["02-28", "03-30", "03-31", "04-30"]),
        (DueDays(month_days=(29,)), "2028-02-01", "2028-02-29", ["02-29"]),
        (DueDays(month_days=(-1,)), "2026-02-01", "2026-04-30", ["02-28", "03-31", "04-30"]),
        (DueDays(month_days=(-31,)), "2026-01-01", "2026-04-30", ["01-01", "03-01"]),
        (DueDays(month_days=(-1,), months=(3, 6)), "2026-01-01", "2026-12-31", ["03-31", "06-30"]),
        # 31 January 2026 is a Saturday, 28 February too.
        (
            DueDays(month_days=(-1,), when_off="previous"),
            "2026-01-01",
            "2026-03-31",
            ["01-30", "02-27", "03-31"],
        ),
        (DueDays(month_days=(-1,), when_off="next"), "2026-01-01", "2026-03-31", ["02-02", "03-02", "03-31"]),
        (DueDays(month_days=(-1,), when_off="skip"), "2026-01-01", "2026-03-31", ["03-31"]),
        # 1 January is a holiday, the 2nd a Friday; in May 2026 Memorial Day is the 25th.
        (DueDays(month_business_days=(1, -1)), "2026-01-01", "2026-01-31", ["01-02", "01-30"]),
        (DueDays(month_business_days=(3, -5)), "2026-05-01", "2026-05-31", ["05-05", "05-22"]),
        (DueDays(WORKDAYS, when_off="next"), "2026-11-25", "2026-11-30", ["11-25", "11-27", "11-30"]),
        (DueDays(("thu",), when_off="previous"), "2026-11-20", "2026-11-30", ["11-25"]),
        (DueDays(("fri",), 2, date(2026, 11, 4)), "2026-11-01", "2026-12-10", ["11-06", "11-20", "12-04"]),
        (DueDays(dates=(date(2026, 7, 1), date(2026, 3, 1))), "2026-01-01", "2026-12-31", ["03-01", "07-01"]),
        (DueDays(month_days=(15,), first=date(2026, 3, 16)), "2026-01-01", "2026-04-30", ["04-15"]),
    ],
)
def test_due_days(rule: DueDays, first: str, last: str, due: list[str]) -> None:
    assert days(rule, first, last) == due


@pytest.mark.parametrize(
    ("holidays", "day", "off"),
    [
        (Holidays("US"), "2026-11-26", True),
        (Holidays("US"), "2026-11-27", False),
        (Holidays("DE", "BY"), "2026-01-06", True),
        (Holidays("DE", "BE"), "2026-01-06", False),
        # The weekend is Friday and Saturday.
        (Holidays("SA"), "2026-11-27", True),
        (Holidays("SA"), "2026-11-29", False),
        # China works on a Saturday for the bridge day before it.
        (Holidays("CN"), "2025-02-08", False),
        (Holidays("US", added=(date(2026, 11, 27),)), "2026-11-27", True),
        (Holidays("US", removed=(date(2026, 10, 12),)), "2026-10-12", False),
    ],
)
def test_days_off(holidays: Holidays, day: str, off: bool) -> None:
    assert is_day_off(holidays, date.fromisoformat(day)) is off


_LIST = st.lists(st.integers(-28, 28).filter(bool), min_size=1, max_size=3, unique=True)


@given(
    st.one_of(
        st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(lambda d: (DueDays(tuple(d)), {"byweekday": [DAYS.index(x) for x in d]})),
        _LIST.map(lambda d: (DueDays(month_days=tuple(d)), {"bymonthday": d})),
        st.integers(1, 5).map(lambda n: (DueDays(("fri",), n, YEAR[0]), {"freq": rrule.WEEKLY, "interval": n, "byweekday": [4]})),
    )
)  # fmt: skip
def test_where_no_day_is_off_it_says_what_the_calendar_standard_says(
    rule: tuple[DueDays, dict[str, object]],
) -> None:
    """RFC 5545, as python-dateutil reads it."""
    due, standard = rule
    wanted = rrule.rrule(
        dtstart=START, until=END, **{"freq": rrule.DAILY, **standard}  # type: ignore[arg-type]
    )  # fmt: skip
    assert list(due.between(*YEAR, lambda _, __: False)) == [day.date() for day in wanted]


@given(st.sampled_from(["next", "previous"]), st.sets(st.integers(0, 364), max_size=300))
def test_a_day_that_moves_is_a_business_day_and_none_is_due_twice(when_off: str, off: set[int]) -> None:
    is_off = lambda _, day: (day - YEAR[0]).days in off  # noqa: E731
    found = list(DueDays(month_days=(1, 15), when_off=when_off).between(*YEAR, is_off))  # type: ignore[arg-type]
    assert found == sorted(set(found))
    assert not any(is_off(None, day) for day in found)


def test_parts_of_a_span_add_up_to_it() -> None:
    rule = DueDays(month_days=(31, 1), when_off="next")
    whole = list(rule.between(*YEAR, is_day_off))
    middle = date(2026, 5, 31)
    parts = [
        *rule.between(YEAR[0], middle, is_day_off),
        *rule.between(middle + timedelta(1), YEAR[1], is_day_off),
    ]
    assert parts == whole
