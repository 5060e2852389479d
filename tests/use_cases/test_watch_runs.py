"""Runs that get stuck are counted until they are over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Control, RecordOutcome, Run, RunState
from exstream_notify.use_cases.watch_runs import (
    FORGOTTEN_AFTER,
    SILENT_AFTER,
    UNBALANCED_AFTER,
    Watched,
    watch_runs,
)
from tests.fakes import FakeClock, FakeExceptionBus, FakeRunBook

NOW = "2026-11-25T15:00:00+00:00"
MINUTE = timedelta(minutes=1)


class Office:
    """A run book and a clock, and one look at them."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.runs = FakeRunBook()
        self.exceptions = FakeExceptionBus()

    def run(
        self,
        age: timedelta,
        outcomes: Sequence[Outcome],
        composed: int = 2,
        state: RunState = RunState.DISPATCHED,
        control: Control = Control.GO,
    ) -> None:
        changed = (self.clock.now() - age).isoformat(timespec="seconds")
        run = Run("retail", "r1", state, control=control, composed=composed, changed_at=changed, version=1)
        assert self.runs.put(run)
        words = [RecordOutcome(0, n, outcome) for n, outcome in enumerate(outcomes)]
        self.runs.put_job("retail/r1", "j", words)

    def look(self, seconds: float = 100.0) -> Watched:
        return watch_runs(
            runs=self.runs, exceptions=self.exceptions, clock=self.clock, time_left=lambda: seconds
        )


NOTHING: tuple[Outcome, ...] = ()
FAILED = (Outcome.FAILED, Outcome.IN_FLIGHT)
HALF = (Outcome.NOTIFIED,)
WHOLE = (Outcome.NOTIFIED, Outcome.FAILED)


@pytest.mark.parametrize(
    ("age", "outcomes", "open_", "silent", "unbalanced"),
    [
        (SILENT_AFTER - MINUTE, NOTHING, 1, 0, 0),
        (SILENT_AFTER, NOTHING, 1, 1, 0),
        (SILENT_AFTER, FAILED, 1, 1, 0),
        (SILENT_AFTER, HALF, 1, 0, 0),
        (SILENT_AFTER, (Outcome.DEFERRED,), 1, 0, 0),
        (UNBALANCED_AFTER, HALF, 1, 0, 1),
        (UNBALANCED_AFTER, NOTHING, 1, 1, 1),
        (UNBALANCED_AFTER, WHOLE, 0, 0, 0),
        (FORGOTTEN_AFTER, HALF, 0, 0, 0),
    ],
)
def test_a_run_is_silent_then_unbalanced_until_it_is_over(
    age: timedelta, outcomes: Sequence[Outcome], open_: int, silent: int, unbalanced: int
) -> None:
    office = Office()
    office.run(age, outcomes)
    assert office.look().counts() == {
        "runs_open": open_,
        "runs_silent": silent,
        "runs_unbalanced": unbalanced,
    }


@pytest.mark.parametrize("state", [RunState.REFUSED, RunState.INCOMPLETE])
def test_a_run_that_has_its_exception_is_not_counted_again(state: RunState) -> None:
    office = Office()
    office.run(UNBALANCED_AFTER, NOTHING, state=state)
    assert office.look().open == 0


@pytest.mark.parametrize(("control", "open_"), [(Control.HOLD, 1), (Control.CANCEL, 0)])
def test_a_held_run_waits_for_its_operator_and_a_cancelled_one_for_nobody(
    control: Control, open_: int
) -> None:
    office = Office()
    office.run(UNBALANCED_AFTER, NOTHING, control=control)
    found = office.look()
    assert (found.open, found.silent, found.unbalanced) == (open_, [], [])


def test_a_run_accepted_but_never_dispatched_is_silent() -> None:
    office = Office()
    office.run(SILENT_AFTER, NOTHING, state=RunState.STAGED)
    assert office.look().silent == ["retail/r1"]


def test_a_run_without_documents_to_tell_of_is_not_silent() -> None:
    office = Office()
    office.run(SILENT_AFTER, NOTHING, composed=0)
    assert office.look().silent == []


def test_a_run_that_is_over_is_not_looked_at_again_and_one_written_anew_is() -> None:
    office = Office()
    office.run(SILENT_AFTER, WHOLE)
    office.look()
    assert list(office.runs.open()) == []
    known = office.runs.get("retail", "r1")
    assert known is not None
    assert office.runs.put(replace(known, version=2))
    assert [run.run_id for run in office.runs.open()] == ["r1"]


def test_without_time_the_rest_is_left_to_the_next_look() -> None:
    office = Office()
    office.run(SILENT_AFTER, NOTHING)
    found = office.look(seconds=5.0)
    assert not found.complete
    assert found.silent == []


DUPLICATE, SUPPRESSED = Outcome.DUPLICATE, Outcome.SUPPRESSED


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ((DUPLICATE, DUPLICATE), True),
        ((DUPLICATE, SUPPRESSED), True),
        ((SUPPRESSED, SUPPRESSED), False),
        *(
            ((DUPLICATE, other), False)
            for other in (
                Outcome.NOTIFIED,
                Outcome.PAPER,
                Outcome.DEFERRED,
                Outcome.UNCONFIRMED,
                Outcome.FAILED,
            )
        ),
    ],
)
def test_a_run_that_notified_nobody_since_all_was_notified_before_is_reported(
    outcomes: Sequence[Outcome], told: bool
) -> None:
    office = Office()
    office.run(SILENT_AFTER, outcomes)
    office.look()
    office.look()

    assert [e.code for e in office.exceptions.raised] == (["run_all_duplicates"] if told else [])
    # Of what the other run has waiting nobody was notified yet: the text does not say so.
    assert all(e.text.endswith("documents are duplicates of other runs") for e in office.exceptions.raised)
