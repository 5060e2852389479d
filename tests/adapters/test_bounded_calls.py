"""A call to somebody else's service ends in time, and what it raises belongs to whoever waits."""

import threading
from contextvars import ContextVar

import pytest

from exstream_notify.adapters.deadline import TookTooLong, within
from exstream_notify.adapters.phrase_rules import ReplyFile

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


def test_what_comes_in_time_is_returned_or_raised() -> None:
    WHERE.set("here")
    assert within(30, WHERE.get) == "here", "in the context of whoever asks"

    def fail() -> str:
        raise LookupError("no such name")

    with pytest.raises(LookupError, match="no such name"):
        within(30, fail)
    assert within(30, lambda: None) is None


def test_what_does_not_come_is_given_up_after_the_time_that_it_was_asked_to_wait_for() -> None:
    done = threading.Event()
    asked: list[float] = []

    def waited() -> float:
        asked.append(min((len(asked) + 1) * 0.01, 0.02))  # grows twice, then stands still
        return asked[-1]

    with pytest.raises(TookTooLong):
        within(0.01, done.wait, waited)
    done.set()
    assert asked == [0.01, 0.02, 0.02]


def test_a_service_that_asked_for_more_time_gets_it() -> None:
    done = threading.Event()

    def waited() -> float:
        done.set()
        return 60.0

    assert within(0.01, lambda: done.wait(60), waited) is True


def test_a_sites_word_for_a_reply_has_letters() -> None:
    assert ReplyFile(stop=("Halt!",)).stop == ("Halt!",)
    for nothing in ("", "  ", "..."):
        with pytest.raises(ValueError, match="a word or a sentence is needed"):
            ReplyFile(stop=("Halt", nothing))
