"""When a member of a journey that is switched off is looked at again, step by step."""

from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.adapters.journey_rules import is_holiday
from exstream_notify.domain.journeys import Delay, JourneyRule, Member, Step
from exstream_notify.use_cases.journey_pace import OFF_KEPT, OFF_PAUSE, off_until

BASE = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
MEMBER = Member("a", 1, BASE.isoformat(timespec="minutes"))
FAR = datetime.max.replace(tzinfo=UTC)


def rule(last: str) -> JourneyRule:
    return JourneyRule("j", (), (Step(Delay(days=1)), Step(Delay(days=5)), Step(Delay(days=30), end=last)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "number", "after", "expected"),
    [
        ("event", 1, timedelta(days=1), "pause"),
        ("event", 1, timedelta(days=1) + OFF_KEPT, "pause"),
        ("event", 1, timedelta(days=1, minutes=1) + OFF_KEPT, "never"),
        ("event", 2, timedelta(days=1, minutes=1) + OFF_KEPT, "pause"),
        ("event", 2, timedelta(days=5, minutes=1) + OFF_KEPT, "never"),
        ("paper", 1, timedelta(days=29), "pause"),
        ("paper", 1, timedelta(days=30) - OFF_PAUSE / 2, "paper"),
        ("paper", 1, timedelta(days=30), "due"),
        ("paper", 2, timedelta(days=60), "due"),
    ],
)
def test_what_is_switched_off_waits_but_paper_comes(
    last: str, number: int, after: timedelta, expected: str
) -> None:
    now = BASE + after
    found = off_until(rule(last), number, MEMBER, now, is_holiday)
    assert (
        found
        == {
            "pause": now + OFF_PAUSE,
            "never": FAR,
            "paper": BASE + timedelta(days=30),
            "due": None,
        }[expected]
    )
