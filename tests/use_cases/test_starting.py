"""Cohorts whose execution is running, gone or closed; a release that has little time left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exstream_notify.domain.journeys import Cohort
from exstream_notify.ports import CohortState
from exstream_notify.use_cases.start_journeys import HORIZON, OVERDUE, start_journeys
from tests.fakes import FakeClock
from tests.fakes.journeys import FakeExecutions, FakeJourneyBook

FIRST = Cohort("2026-11-20T16", "retail", "dunning", 1)
SECOND = replace(FIRST, step=2)


def started(book: FakeJourneyBook, executions: FakeExecutions, clock: FakeClock | None = None) -> int:
    return start_journeys(journeys=book, executions=executions, clock=clock or FakeClock())


def waiting(*cohorts: Cohort, generation: int = 0, started: bool = False) -> FakeJourneyBook:
    book = FakeJourneyBook()
    for cohort in cohorts:
        book.open[cohort] = CohortState(cohort, generation, started=started)
    return book


def test_each_cohort_within_the_horizon_gets_an_execution_once() -> None:
    later = replace(FIRST, hour=f"{FakeClock().now() + HORIZON + timedelta(hours=1):%Y-%m-%dT%H}")
    book, executions = waiting(FIRST, SECOND, later), FakeExecutions()
    assert started(book, executions) == 2
    assert sorted(executions.names) == sorted([FIRST.execution(1), SECOND.execution(1)])
    assert [(book.open[c].generation, book.open[c].started) for c in (FIRST, SECOND)] == [(1, True)] * 2
    assert started(book, executions) == 0


def test_one_that_runs_but_was_not_noted_is_noted_and_not_started_again() -> None:
    """The worker died between the two."""
    book, executions = waiting(FIRST, SECOND), FakeExecutions()
    executions.start(FIRST, 1)
    assert started(book, executions) == 1
    assert executions.names == [FIRST.execution(1), SECOND.execution(1)]
    assert (book.open[FIRST].generation, book.open[FIRST].started) == (1, True)


def test_a_name_that_is_closed_is_passed_over() -> None:
    book, executions = waiting(FIRST), FakeExecutions()
    executions.names += [FIRST.execution(n) for n in (1, 2)]
    assert started(book, executions) == 1
    assert book.open[FIRST].generation == 3
    full = FakeExecutions()
    full.names += [FIRST.execution(n) for n in range(1, 21)]
    with pytest.raises(ExceptionGroup, match="not every cohort has an execution") as failed:
        started(waiting(FIRST), full)
    assert failed.group_contains(RuntimeError, match=r"no generation of .* was free in 20 tries")


def test_a_cohort_that_cannot_be_started_holds_up_no_other() -> None:
    book, executions = waiting(FIRST, SECOND), FakeExecutions()
    executions.names += [FIRST.execution(n) for n in range(1, 21)]
    with pytest.raises(ExceptionGroup):
        started(book, executions)
    assert SECOND.execution(1) in executions.names
    assert book.open[SECOND].generation == 1


def test_one_whose_execution_is_gone_gets_another_once_it_is_overdue() -> None:
    for gone, minutes, expected in ((True, 1, 1), (True, -1, 0), (False, 1, 0)):
        book, executions = waiting(FIRST, SECOND, generation=1, started=True), FakeExecutions()
        executions.start(SECOND, 1)
        if not gone:
            executions.start(FIRST, 1)
        clock = FakeClock()
        clock.move_to(FIRST.due + OVERDUE + timedelta(minutes=minutes))
        assert started(book, executions, clock) == expected
        assert (FIRST.execution(2) in executions.names) == bool(expected)
