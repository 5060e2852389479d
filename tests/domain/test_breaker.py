"""The circuit breaker: open after failures in a row, closed by a success."""

from exstream_notify.domain.breaker import Breaker
from exstream_notify.domain.elapsed import lasts


def after(*results: bool, start: float = 1000.0) -> Breaker:
    """A breaker of three failures and a minute's rest that saw these results, one a second."""
    breaker = Breaker(threshold=3, rest=60.0)
    for number, good in enumerate(results):
        if good:
            breaker.succeeded()
        else:
            breaker.failed(start + number)
    return breaker


def test_it_is_closed_at_first_and_under_its_threshold() -> None:
    assert not after().is_open(1000.0)
    assert not after(False, False).is_open(1001.0)


def test_it_opens_at_the_threshold_for_its_rest() -> None:
    breaker = after(False, False, False)

    assert breaker.is_open(1002.0)
    assert breaker.is_open(1061.9)
    assert not breaker.is_open(1062.0)


def test_a_clock_that_is_set_back_does_not_keep_it_open() -> None:
    assert not after(False, False, False).is_open(900.0)


def test_failures_count_only_in_a_row() -> None:
    assert not after(False, False, True, False, False).is_open(1004.0)


def test_after_its_rest_one_failure_opens_it_again() -> None:
    breaker = after(False, False, False)
    assert not breaker.is_open(1062.0)
    breaker.failed(1062.0)

    assert breaker.is_open(1121.0)
    assert not breaker.is_open(1122.0)


def test_a_success_after_its_rest_closes_it_for_good() -> None:
    breaker = after(False, False, False)
    breaker.succeeded()
    breaker.failed(1062.0)

    assert not breaker.is_open(1062.0)


def test_it_opens_after_five_failures_for_a_minute_unless_told_otherwise() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(1000.0)
    assert not breaker.is_open(1000.0)
    breaker.failed(1000.0)
    assert (breaker.is_open(1059.9), breaker.is_open(1060.0)) == (True, False)
    breaker.succeeded()
    assert not breaker.is_open(1001.0)


def test_what_lasts_lasts_less_than_its_seconds_and_no_set_back_clock_makes_it_longer() -> None:
    assert [lasts(100.0, 60.0, now) for now in (99.9, 100.0, 159.9, 160.0)] == [False, True, True, False]
