"""The customer's own day, through changes of clocks and over several zones (47 CFR 64.1200(c)(1))."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.quiet_hours import Window, is_open, local_time, next_open

WINDOW = Window()
NEW_YORK, LOS_ANGELES, HONOLULU = "America/New_York", "America/Los_Angeles", "Pacific/Honolulu"
AUCKLAND, LONDON, KATHMANDU = "Pacific/Auckland", "Europe/London", "Asia/Kathmandu"


def local(zone: str, text: str) -> datetime:
    """A local time of a zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "open_"),
    [
        ("07:59:59", False),
        ("08:00:00", True),
        ("12:00:00", True),
        ("20:59:59", True),
        ("21:00:00", False),
        ("23:30:00", False),
        ("00:00:00", False),
    ],
)
def test_the_window_has_its_first_second_and_not_its_last(clock: str, open_: bool) -> None:
    assert is_open(local(NEW_YORK, f"2026-11-20T{clock}"), [NEW_YORK], WINDOW) is open_


@pytest.mark.parametrize(
    ("zones", "now", "expected"),
    [
        # within the window: now
        ([NEW_YORK], (NEW_YORK, "2026-11-20T12:00"), (NEW_YORK, "2026-11-20T12:00")),
        # before it opens, and after it closed
        ([NEW_YORK], (NEW_YORK, "2026-11-20T03:00"), (NEW_YORK, "2026-11-20T08:00")),
        ([NEW_YORK], (NEW_YORK, "2026-11-20T21:00"), (NEW_YORK, "2026-11-21T08:00")),
        # the night in which clocks go forward has one hour less, the one back has one more
        ([NEW_YORK], (NEW_YORK, "2026-03-07T22:00"), (NEW_YORK, "2026-03-08T08:00")),
        ([NEW_YORK], (NEW_YORK, "2026-10-31T22:00"), (NEW_YORK, "2026-11-01T08:00")),
        # several zones: the later opening, while the earlier is still open
        ([NEW_YORK, LOS_ANGELES], (NEW_YORK, "2026-11-20T09:00"), (LOS_ANGELES, "2026-11-20T08:00")),
        ([NEW_YORK, LOS_ANGELES], (LOS_ANGELES, "2026-11-20T18:30"), (LOS_ANGELES, "2026-11-21T08:00")),
        ([LOS_ANGELES, NEW_YORK], (NEW_YORK, "2026-11-20T09:00"), (LOS_ANGELES, "2026-11-20T08:00")),
        # a quarter of an hour's zone
        ([KATHMANDU], (KATHMANDU, "2026-11-20T23:00"), (KATHMANDU, "2026-11-21T08:00")),
        # no zone at all: nothing is closed
        ([], (NEW_YORK, "2026-11-20T03:00"), (NEW_YORK, "2026-11-20T03:00")),
    ],
)
def test_the_next_opening(zones: list[str], now: tuple[str, str], expected: tuple[str, str]) -> None:
    found = next_open(local(*now), zones, WINDOW)

    assert found == local(*expected)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("night", "hours"), [("2026-03-07T22:00", 9), ("2026-10-31T22:00", 11), ("2026-11-20T22:00", 10)]
)
def test_a_change_of_clocks_makes_the_wait_shorter_or_longer(night: str, hours: int) -> None:
    now = local(NEW_YORK, night)

    assert next_open(now, [NEW_YORK], WINDOW) - now == timedelta(hours=hours)


def test_zones_whose_windows_never_meet_are_narrowed_to_the_first() -> None:
    short = Window(time(9), time(11))
    now = local(LONDON, "2026-11-20T20:00")

    assert next_open(now, [AUCKLAND, LONDON], short) == local(AUCKLAND, "2026-11-21T09:00")
    assert next_open(now, [LONDON, AUCKLAND], short) == local(LONDON, "2026-11-21T09:00")


def test_what_waited_for_zones_that_never_meet_goes_out_when_its_time_comes() -> None:
    short = Window(time(9), time(11))
    found = next_open(local(LONDON, "2026-11-20T20:00"), [LONDON, AUCKLAND], short)

    assert is_open(found, [LONDON, AUCKLAND], short)
    assert not is_open(found - timedelta(seconds=1), [LONDON, AUCKLAND], short)


@pytest.mark.parametrize(
    ("closes", "opens_at"),
    # New York and Honolulu are five hours apart in winter: one minute in common, and none.
    [(time(13, 1), (HONOLULU, "2026-11-21T08:00")), (time(13), (NEW_YORK, "2026-11-21T08:00"))],
)
def test_windows_that_meet_barely_and_not_at_all(closes: time, opens_at: tuple[str, str]) -> None:
    found = next_open(local(NEW_YORK, "2026-11-20T22:00"), [NEW_YORK, HONOLULU], Window(time(8), closes))

    assert found == local(*opens_at)


@pytest.mark.parametrize(
    ("night", "hours"),
    # Honolulu knows no summer time: five hours from New York in winter, six in summer.
    [("2026-10-30T22:00", 16), ("2026-10-31T22:00", 16), ("2026-03-06T22:00", 15), ("2026-03-07T22:00", 15)],
)
def test_a_change_of_clocks_in_one_of_two_zones(night: str, hours: int) -> None:
    now = local(NEW_YORK, night)
    found = next_open(now, [NEW_YORK, HONOLULU], WINDOW)

    assert found == local(HONOLULU, f"{(now + timedelta(hours=2)).date()}T08:00")
    assert found - now == timedelta(hours=hours)


def test_a_customer_between_two_countries_gets_the_hours_that_both_share() -> None:
    now = local(NEW_YORK, "2026-11-20T22:00")
    found = next_open(now, [NEW_YORK, HONOLULU], WINDOW)

    assert found == local(HONOLULU, "2026-11-21T08:00") == local(NEW_YORK, "2026-11-21T13:00")


def test_an_opening_that_the_clocks_skip_moves_on() -> None:
    """At two in the morning of 8 March 2026 it is three in New York."""
    window = Window(time(2, 30), time(20))
    found = next_open(local(NEW_YORK, "2026-03-08T01:00"), [NEW_YORK], window)

    assert is_open(found, [NEW_YORK], window)
    assert found <= local(NEW_YORK, "2026-03-08T03:30")


@pytest.mark.parametrize(("opens", "closes"), [(time(21), time(8)), (time(8), time(8))])
def test_a_window_that_never_opens_is_refused(opens: time, closes: time) -> None:
    with pytest.raises(ValueError, match="opens before it closes"):
        Window(opens, closes)


_ZONES = st.sampled_from(
    [
        NEW_YORK,
        LOS_ANGELES,
        HONOLULU,
        AUCKLAND,
        LONDON,
        KATHMANDU,
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
    ]
)


@given(
    now=st.integers(0, 2 * 365 * 24 * 60).map(
        lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m)
    ),
    zones=st.lists(_ZONES, min_size=1, max_size=3, unique=True),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(now: datetime, zones: list[str]) -> None:
    found = next_open(now, zones, WINDOW)

    assert found >= now
    assert found - now < timedelta(days=3)
    # Whoever waits until then is let through then, and does not wait again for ever.
    assert is_open(found, zones, WINDOW)
    assert is_open(found, zones[:1], WINDOW)
    moment = now
    while moment < found:
        assert not is_open(moment, zones, WINDOW)
        moment += timedelta(minutes=15)


@pytest.mark.parametrize(
    ("zones", "now", "expected"),
    [
        # The window of the day before, where the first zone is a day ahead of the next one.
        ([HONOLULU], (HONOLULU, "2026-11-20T23:59"), (HONOLULU, "2026-11-21T08:00")),
        ([AUCKLAND, HONOLULU], (HONOLULU, "2026-11-20T21:00"), (AUCKLAND, "2026-11-22T08:00")),
        ([AUCKLAND, HONOLULU], (AUCKLAND, "2026-11-21T21:00"), (AUCKLAND, "2026-11-22T08:00")),
        ([NEW_YORK], (NEW_YORK, "2026-11-20T07:59:59.999"), (NEW_YORK, "2026-11-20T08:00")),
    ],
)
def test_the_next_opening_of_far_zones(
    zones: list[str], now: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert next_open(local(*now), zones, WINDOW) == local(*expected)


@pytest.mark.parametrize("text", ["08:00:01", "08:00:00.5", "08:00Z", "08:00+01:00", "8", "24:30", ""])
def test_an_hour_of_a_customer_is_hours_and_minutes(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours and minutes|isoformat|hour must be"):
        local_time(text)
    assert local_time("08:30") == time(8, 30)


def test_the_window_of_the_law_is_from_eight_to_nine() -> None:
    assert Window() == Window(time(8), time(21))
