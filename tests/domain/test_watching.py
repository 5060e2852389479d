"""When sends are looked at whose receipts may not come: moment by moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.domain.watching import FORGOTTEN_AFTER, Watched, looked_at

SENT = datetime(2026, 11, 20, 15, 0, 0, 250_000, UTC)


def hours(number: float) -> datetime:
    return SENT + timedelta(hours=number)


def text(number: float) -> str:
    return hours(number).isoformat(timespec="seconds")


JOB = Watched("job", "email", "opentext", SENT.isoformat(), hours(50).isoformat(), ("n1", "n2"))


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, text(20)),
        ({"polls": 1}, text(40)),
        ({"polls": 2}, text(50)),  # its deadline is before the next question
        ({"polls": 2, "late": True}, text(60)),
        ({"polls": 3, "late": True}, ""),  # the provider forgets what is older
        ({"provider": "ses"}, text(50)),
        ({"provider": "ses", "late": True}, ""),
    ],
)
def test_when_it_is_looked_at_next(changes: dict[str, object], due: str) -> None:
    assert replace(JOB, **changes).due_at == due  # type: ignore[arg-type]
    assert timedelta(hours=66) == FORGOTTEN_AFTER


@pytest.mark.parametrize(
    ("now", "polls", "late"),
    [(19.99, 0, False), (20, 1, False), (39.99, 1, False), (49.99, 2, False), (50, 2, True), (60, 3, True)],
)
def test_what_a_look_leaves(now: float, polls: int, late: bool) -> None:
    left = replace(JOB, notices=("n2",), polls=polls, late=late)
    assert looked_at(JOB, hours(now), ("n2",)) == (left if left.due_at else None)
    assert (looked_at(JOB, hours(now), ("n2",)) is None) is (polls == 3)
    assert looked_at(JOB, hours(now), ()) is None


def test_a_provider_that_cannot_be_asked_is_looked_at_at_the_deadline_alone() -> None:
    other = replace(JOB, provider="ses")
    assert looked_at(other, hours(49), ("n1",)) == replace(other, notices=("n1",))
    assert looked_at(other, hours(50), ("n1",)) is None
    assert looked_at(replace(JOB, late=True), hours(1), ("n1",)) == replace(JOB, late=True, notices=("n1",))
