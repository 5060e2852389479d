"""What SQS reports of a queue: one sample a minute, and an age that leaves out what was given out three times."""

from collections.abc import Iterator

import pytest

from exnotify.cloud.alarms import AlarmBoard
from exnotify.cloud.clock import Clock
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.metrics import MINUTE, MetricBook, series
from exnotify.cloud.watcher import Watcher


class Hands(Clock):
    """A clock that is set by hand."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def at_real(self, real: float) -> float:
        return real


class Still(Emulator):
    """One queue, in which three messages lie."""

    def depth(self, queue_name: str) -> dict[str, int]:
        return {"visible": 3, "in_flight": 0, "delayed": 0}

    def oldest(self, queue_name: str) -> None:
        return None


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator("us-east-1")
    with made.running():
        made.sqs().create_queue("work", {}, VisibilityTimeout=1)
        yield made


def test_a_queue_is_sampled_once_a_minute_however_often_it_is_looked_at() -> None:
    clock = Hands(0.0, 0.0)
    book = MetricBook(clock)
    watcher = Watcher(AlarmBoard({}, {}, book), book, clock, Still("us-east-1"), ["work"])
    for second in range(0, 10 * MINUTE + 1, 7):
        clock.at = float(second)
        watcher.look()
    clock.at = 10.0 * MINUTE
    watcher.look()
    depth = series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "work"})
    assert book.points(depth, "SampleCount", 60, 11 * MINUTE, 10) == [1.0] * 10
    assert book.points(depth, "Maximum", 600, 11 * MINUTE, 1) == [3.0]


def test_a_message_that_was_given_out_three_times_has_no_age(emulator: Emulator) -> None:
    emulator.sqs().send_message("work", "poison")
    (message,) = emulator.queues()["work"]._messages
    ages = []
    for received in range(4):
        message.approximate_receive_count = received
        ages.append(emulator.oldest("work") is not None)
    assert ages == [True, True, True, False]
    assert emulator.depth("work")["visible"] == 1, "its depth it has"
