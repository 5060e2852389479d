"""When the words of a journey's step are true: tables by hand."""

from datetime import datetime

import pytest

from exstream_notify.domain.decisions import Defer, Suppress, Why
from exstream_notify.domain.journeys import Delay, Step
from exstream_notify.domain.moments import moment_of, untimely

NEW_YORK, TOKYO, HONOLULU = "America/New_York", "Asia/Tokyo", "Pacific/Honolulu"
SOON = Step(Delay(days=-3), "due_date", wording="payment-due-soon")
OVERDUE = Step(Delay(days=2), "due_date", wording="overdue-notice")
ON_THE_DAY = Step(Delay(), "due_date", wording="payment-due-today")
COUNTED_FROM_THE_NOTICE = Step(Delay(days=7), wording="payment-due-soon")
OF_NO_DATE = Step(Delay(days=7), wording="follow-up-reminder")
DUE = "2026-12-10"

SENT, PAST = "goes out", "past_date"


@pytest.mark.parametrize(
    ("step", "zones", "now", "expected"),
    [
        # "Due soon" until the due date is over where the customer is.
        (SOON, [NEW_YORK], "2026-12-07T15:00:00+00:00", SENT),
        (SOON, [NEW_YORK], "2026-12-11T04:59:00+00:00", SENT),  # 23:59 of the 10th
        (SOON, [NEW_YORK], "2026-12-11T05:00:00+00:00", PAST),
        (SOON, [TOKYO], "2026-12-10T14:59:00+00:00", SENT),
        (SOON, [TOKYO], "2026-12-10T15:00:00+00:00", PAST),
        (SOON, [HONOLULU], "2026-12-11T09:59:00+00:00", SENT),
        (SOON, [HONOLULU, TOKYO], "2026-12-10T15:00:00+00:00", PAST),
        # "Overdue" only after it.
        (OVERDUE, [NEW_YORK], "2026-12-14T15:00:00+00:00", SENT),
        (OVERDUE, [NEW_YORK], "2026-12-11T04:59:00+00:00", "2026-12-11T05:00:00+00:00"),
        (OVERDUE, [NEW_YORK], "2026-12-01T15:00:00+00:00", "2026-12-11T05:00:00+00:00"),
        (OVERDUE, [TOKYO], "2026-12-10T14:00:00+00:00", "2026-12-10T15:00:00+00:00"),
        (OVERDUE, [TOKYO, HONOLULU], "2026-12-10T16:00:00+00:00", "2026-12-11T10:00:00+00:00"),
        # What ships says the same wherever a journey uses it; other words say nothing of a date.
        (COUNTED_FROM_THE_NOTICE, [NEW_YORK], "2026-12-10T15:00:00+00:00", SENT),
        (COUNTED_FROM_THE_NOTICE, [NEW_YORK], "2026-12-11T15:00:00+00:00", PAST),
        (ON_THE_DAY, [NEW_YORK], "2026-12-12T15:00:00+00:00", SENT),
        (OF_NO_DATE, [NEW_YORK], "2026-12-12T15:00:00+00:00", SENT),
        (Step(Delay(days=28), "due_date", end="case"), [NEW_YORK], "2026-12-01T15:00:00+00:00", SENT),
    ],
)
def test_words_about_a_due_date_are_true_where_the_customer_is(
    step: Step, zones: list[str], now: str, expected: str
) -> None:
    match untimely(step, DUE, zones, datetime.fromisoformat(now)):
        case None:
            assert expected == SENT
        case Suppress(why=why, detail=detail):
            assert (why, detail) == (expected, DUE)
        case Defer(until=until, why=why):
            assert (until.isoformat(), why) == (expected, "before_date")


def test_a_step_of_an_unknown_due_date_is_always_in_time() -> None:
    assert untimely(SOON, "", [NEW_YORK], datetime.fromisoformat("2026-12-11T15:00:00+00:00")) is None


@pytest.mark.parametrize(
    ("step", "moment"),
    [
        (Step(Delay(days=-1), "due_date"), "until"),
        (Step(Delay(days=1), "due_date"), "after"),
        (Step(Delay(seconds=-1), "due_date"), "until"),
        (Step(Delay(months=1, days=-30), "due_date"), "after"),  # a month has up to 31 days
        (Step(Delay(months=1, days=-32), "due_date"), "until"),
        (Step(Delay(months=-1), "due_date"), "until"),
        (Step(Delay(days=1, seconds=-86_401), "due_date"), "until"),
        (Step(Delay(), "due_date"), None),
        (Step(Delay(), "due_date", wording="final-demand"), "after"),
        (Step(Delay(days=1), wording="payment-due-soon"), "until"),
        (Step(Delay(days=1), wording="overdue-notice"), "after"),
        (Step(Delay(days=1), wording="final-demand"), "after"),
        (Step(Delay(days=-1), "notice", wording="another"), None),
        (Step(Delay(days=-1), "due_date", end="event"), None),
    ],
)
def test_when_the_words_of_a_step_are_true(step: Step, moment: str | None) -> None:
    assert moment_of(step) == moment


def test_a_due_date_with_a_time_is_its_day() -> None:
    now = datetime.fromisoformat("2026-12-11T05:00:00+00:00")
    assert untimely(SOON, f"{DUE}T09:00:00", [NEW_YORK], now) == Suppress(Why.PAST_DATE, DUE)
