"""A sender's rates over a day: which of them is the channel's, and from how many messages on."""

import pytest

from exstream_notify.domain.reputation import Rates, worst


@pytest.mark.parametrize(
    ("rows", "rates"),
    [
        ([], (0.0, 0.0)),
        ([("email", 499, 50.0, 50.0)], (0.0, 0.0)),
        ([("email", 500, 6.0, 0.2)], (6.0, 0.0)),
        ([("email", 999, 6.0, 0.2)], (6.0, 0.0)),
        ([("email", 1000, 6.0, 0.2)], (6.0, 0.2)),
        ([("email", 1000, 1.0, 0.3), ("email", 1000, 6.0, 0.1)], (6.0, 0.3)),
        ([("sms", 1000, 6.0, 0.2)], (0.0, 0.0)),
    ],
    ids=["none", "too few", "enough for bounces", "one less", "enough for both", "two senders", "by SMS"],
)
def test_the_worst_of_a_channels_senders_counts(
    rows: list[tuple[str, int, float, float]], rates: tuple[float, float]
) -> None:
    found = worst((Rates(row[0], "sender", *row[1:]) for row in rows), "email", 500)  # type: ignore[arg-type]
    assert found == rates
