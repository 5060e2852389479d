"""What a month is played with: metrics, alarms and queues as AWS has them, by hand-made series."""

import random
from typing import Any

import pytest

from exnotify.cloud.alarms import AlarmBoard, MetricAlarm, State
from exnotify.cloud.clock import Clock
from exnotify.cloud.metrics import MetricBook, series
from exnotify.operations.monitoring import NESTED
from exnotify.operations.watch import read
from tests.fakes import FakeClock

from .month.measuring import MonthBoard, MonthBook
from .month.queueing import Queue

AT = "2026-11-01T00:00:00+00:00"


def alarm(points: str, period: int = 60, missing: str = "notBreaching", **changes: Any) -> dict[str, Any]:
    enough, _, of = points.partition(" of ")
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "q", "Value": {"Ref": "Q"}}],
            "Period": period, "Statistic": "Maximum", "EvaluationPeriods": int(of), "DatapointsToAlarm": int(enough),
            "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": missing, **changes,
        },
    }  # fmt: skip


def played(resource: dict[str, Any], values: str) -> str:
    """The alarm's state after each minute, a letter each; a digit is a value, a point none."""
    book = MonthBook()
    board = MonthBoard({"Resources": {"A": resource}}, book)
    states = ""
    for minute, value in enumerate(values):
        if value != ".":
            book.record("N", "M", {"q": "Q"}, float(value), at=minute * 60.0)
        book.close(minute)
        board.evaluate((minute + 1) * 60.0)
        states += {"OK": "-", "ALARM": "A"}.get(board.states["A"], "?")
    return states


@pytest.mark.parametrize(
    ("resource", "values", "states"),
    [
        (alarm("1 of 1"), "001100.1....", "--AA---AAA--"),  # a real point counts for two periods more
        (alarm("2 of 3"), "0101000111", "---A----AA"),
        (alarm("1 of 5"), "0100000000", "-AAAAA----"),
        # A source that does not speak each minute: points of a minute are too short for it.
        (alarm("2 of 5"), "1.......1.......1", "-" * 17),
        (alarm("2 of 3", period=300), "1....1....1", "-----AAAAAA"),
        (alarm("1 of 1", missing="breaching"), "0....0", "---AA-"),
        (alarm("1 of 1", missing="ignore"), "1...0..", "AAAA---"),
        (alarm("1 of 1", missing="missing"), "1.....0", "AAA???-"),
    ],
)
def test_m_of_n_and_missing_data_by_the_minute(resource: dict[str, Any], values: str, states: str) -> None:
    assert played(resource, values) == states


@pytest.mark.parametrize("seed", range(4))
def test_what_is_not_evaluated_would_not_have_changed(seed: int) -> None:
    """The project's own alarms over random series: as if each were evaluated each minute."""
    chance = random.Random(seed)
    monitoring = read(NESTED.read_text("utf-8"))
    quick, slow = MonthBook(), MetricBook(Clock(0.0, 0.0))
    board = MonthBoard(monitoring, quick)
    metrics = sorted(
        {query.metric for one in board.alarms.values() for query in one.queries.values()}, key=str
    )
    other = AlarmBoard(board.alarms, board._composites, slow)
    for minute in range(400):
        for one in chance.sample(metrics, 4) if chance.random() < 0.2 else ():
            value = chance.choice([0.0, 1.0, 90.0, 20_000.0])
            for book in (quick, slow):
                book.record(one[0], one[1], one[2], value, at=minute * 60.0)
        quick.close(minute)
        for each in (board, other):
            each.evaluate((minute + 1) * 60.0)
        assert board.states == other.states, minute
    assert any(change.state == State.ALARM for change in board.changes)


def test_a_gauge_is_nought_where_nothing_was_said_since_it_began() -> None:
    book = MonthBook()
    book.gauge("N", "M", {}, 0.0, at=120.0)
    book.gauge("N", "M", {}, 7.0, at=240.0)
    assert book.points(series("N", "M", {}), "Maximum", 60, 360.0, 6) == [None, None, 0.0, 0.0, 7.0, 0.0]


# ---- queues ----


def queue(most: int = 3) -> tuple[FakeClock, Queue, Queue]:
    clock = FakeClock(AT)
    dead = Queue("dead", clock)
    fed = Queue("fed", clock, 60.0, most, dead)
    fed.feeds = True
    return clock, fed, dead


def test_a_message_that_fails_comes_back_and_ends_in_dead_letters() -> None:
    clock, fed, dead = queue()
    start = clock.now().timestamp()
    fed.put("{}")
    for receive in range(3):
        assert [one.receives for one in fed.receive(10, start + 60 * receive)] == [receive + 1]
        assert fed.receive(10, start + 60 * receive + 59) == []
    assert fed.receive(10, start + 180) == []
    assert (len(fed.letters), len(dead.letters)) == (0, 1)
    dead.redriven(fed)
    assert [one.receives for one in fed.receive(10, start + 200)] == [1]


def test_what_was_received_three_times_no_longer_makes_the_queue_old() -> None:
    clock, fed, _ = queue(most=10)
    start = clock.now().timestamp()
    fed.put("{}")
    clock.advance(seconds=100)
    fed.put("{}")
    ages = []
    for now in (150, 220, 290, 360):
        (one, *_) = fed.receive(1, start + now)
        assert one.sent == start
        fed.receive(1, start + now)  # the other one, which is dealt with only at last
        ages.append(fed.gauges(start + now)["ApproximateAgeOfOldestMessage"])
    assert ages[:2] == [150, 220]
    assert ages[2:] == [0, 0]


def test_a_message_that_is_done_later_is_in_flight_until_then() -> None:
    clock, fed, _ = queue()
    start = clock.now().timestamp()
    fed.put("{}")
    (one,) = fed.receive(1, start)
    one.done = start + 30
    gauges = fed.gauges(start + 20)
    assert (
        gauges["ApproximateNumberOfMessagesVisible"],
        gauges["ApproximateNumberOfMessagesNotVisible"],
    ) == (0, 1)
    assert fed.gauges(start + 30)["ApproximateNumberOfMessagesNotVisible"] == 0
    assert fed.receive(1, start + 100) == []


def test_an_alarm_of_the_stack_is_read_as_it_is_deployed() -> None:
    board = MonthBoard(read(NESTED.read_text("utf-8")), MonthBook())
    assert board.pager.alarms
    assert all(isinstance(one, MetricAlarm) for one in board.alarms.values())
