"""Rates of a sender and the limits at which its marketing stops."""

import pytest

from exstream_notify.domain.reputation import Limits, Rates, over, rates_of, worst


def rates(
    messages: int = 1000, bounces: float = 0.0, complaints: float = 0.0, channel: str = "email"
) -> Rates:
    return Rates(channel, "notices@example.com", messages, bounces, complaints)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, (0, 0.0, 0.0)),
        ({"complaint": 3}, (0, 0.0, 0.0)),
        ({"delivered": 90, "bounces": 10, "complaint": 5}, (100, 10.0, 5.0)),
        ({"delivered": 4}, (4, 0.0, 0.0)),
        ({"bounces": 4}, (4, 100.0, 0.0)),
    ],
)
def test_rates_are_percent_of_what_was_delivered_or_bounced(
    counts: dict[str, int], expected: tuple[int, float, float]
) -> None:
    assert rates_of("sms", "+12025550100", counts) == Rates("sms", "+12025550100", *expected)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (rates(499, 100.0, 100.0), ""),
        (rates(500, 5.0), "5.0 % bounces"),
        (rates(500, 4.99), ""),
        (rates(500, 0.0, 0.3), "0.30 % complaints"),
        (rates(500, 0.0, 0.29), ""),
        (rates(500, 50.0, 0.351), "0.35 % complaints"),
    ],
)
def test_a_limit_that_is_reached_is_named_complaints_first(row: Rates, why: str) -> None:
    assert over(row, Limits()) == why


def test_of_a_channel_the_worst_sender_with_messages_enough_counts() -> None:
    rows = [
        rates(999, 3.0, 2.0),
        rates(1000, 2.0, 0.5),
        rates(499, 90.0, 90.0),
        rates(5000, 1.0, 0.1),
        rates(5000, 80.0, 80.0, "sms"),
    ]
    assert worst(rows, "email", 500) == (3.0, 0.5)
    assert worst(rows, "email", 10_000) == (0.0, 0.0)
    assert worst([], "email", 1) == (0.0, 0.0)
