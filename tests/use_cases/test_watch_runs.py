"""Runs that get stuck are counted until they are over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from exstream_notify.domain.decisions import Why
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import EVENT_RUN, Control, RecordOutcome, Run, RunState
from exstream_notify.use_cases.watch_runs import (
    BACKLOG,
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
        run_id: str = "r1",
        more: Sequence[tuple[Outcome, str]] = (),
        optional: int = 0,
    ) -> None:
        changed = (self.clock.now() - age).isoformat(timespec="seconds")
        run = Run(
            "retail",
            run_id,
            state,
            control=control,
            composed=composed,
            changed_at=changed,
            version=1,
            optional=optional,
        )
        assert self.runs.put(run)
        both = [*((outcome, "") for outcome in outcomes), *more]
        words = [RecordOutcome(0, n, outcome, why) for n, (outcome, why) in enumerate(both)]
        self.runs.put_job(f"retail/{run_id}", "j", words)

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
        (SILENT_AFTER, (Outcome.UNCONFIRMED,), 1, 0, 0),
        (UNBALANCED_AFTER, HALF, 1, 0, 1),
        (UNBALANCED_AFTER, NOTHING, 1, 0, 1),
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
        "runs_unreached": 0,
    }


BY_DECISION = (Outcome.SUPPRESSED, Outcome.PAPER, Outcome.DEFERRED, Outcome.DUPLICATE, Outcome.REJECTED)


@pytest.mark.parametrize("outcome", BY_DECISION)
@pytest.mark.parametrize(("hanging", "silent"), [(0, False), (1, True), (39, True)])
def test_what_was_decided_is_no_silence_and_what_hangs_beside_it_is(
    outcome: Outcome, hanging: int, silent: bool
) -> None:
    office = Office()
    office.run(SILENT_AFTER, [outcome] * (40 - hanging), composed=40)
    assert office.look().silent == (["retail/r1"] if silent else [])


@pytest.mark.parametrize(
    ("in_flight", "sent", "age", "silent"),
    [
        (BACKLOG, 1, SILENT_AFTER, []),
        (BACKLOG - 1, 1, SILENT_AFTER, ["retail/r2"]),
        (BACKLOG, 0, SILENT_AFTER, ["retail/r1", "retail/r2"]),
        (BACKLOG, 1, UNBALANCED_AFTER, ["retail/r2"]),
    ],
)
def test_a_run_behind_a_large_one_that_is_sent_waits_its_turn(
    in_flight: int, sent: int, age: timedelta, silent: list[str]
) -> None:
    office = Office()
    office.run(age, [Outcome.NOTIFIED] * sent, composed=in_flight + sent)
    office.run(SILENT_AFTER, NOTHING, run_id="r2")
    assert office.look().silent == silent


NO_CHANNEL = (Outcome.SUPPRESSED, Why.NO_CHANNEL)


@pytest.mark.parametrize(
    ("of", "lost", "kind", "counted"),
    [
        (40, 1, NO_CHANNEL, False),  # the case `ordinary`
        (40, 4, NO_CHANNEL, False),
        (40, 12, NO_CHANNEL, True),
        (40, 12, (Outcome.FAILED, "refused"), True),
        (40, 12, (Outcome.REJECTED, ""), True),
        (40, 40, (Outcome.SUPPRESSED, Why.OPTED_OUT), False),
        (40, 40, (Outcome.PAPER, Why.PAPER_CHOSEN), False),
        (10, 4, NO_CHANNEL, False),
        (10, 5, NO_CHANNEL, True),
        (10, 5, (Outcome.FAILED, "refused"), True),
        (10, 5, (Outcome.REJECTED, ""), True),
        (1000, 99, NO_CHANNEL, False),
        (1000, 100, NO_CHANNEL, True),
    ],
)
def test_a_large_share_without_a_notice_is_counted_once(
    of: int, lost: int, kind: tuple[Outcome, str], counted: bool
) -> None:
    office = Office()
    office.run(SILENT_AFTER, [Outcome.NOTIFIED] * (of - lost), composed=of, more=[kind] * lost)
    assert office.look().unreached == (["retail/r1"] if counted else [])
    assert office.look().unreached == []


@pytest.mark.parametrize(
    ("optional", "lost", "counted"),
    [
        (40, 16, False),  # marketing
        (38, 16, False),  # and two statements
        (20, 16, True),
        (20, 9, False),
        (4, 5, False),
        (4, 6, True),
    ],
)
def test_marketing_is_owed_to_nobody(optional: int, lost: int, counted: bool) -> None:
    office = Office()
    sent = [Outcome.NOTIFIED] * (40 - lost)
    office.run(SILENT_AFTER, sent, composed=40, more=[NO_CHANNEL] * lost, optional=optional)
    assert office.look().unreached == (["retail/r1"] if counted else [])


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


def test_what_is_said_of_a_run_of_duplicates() -> None:
    office = Office()
    office.run(SILENT_AFTER, (DUPLICATE, SUPPRESSED, DUPLICATE), composed=3)
    office.look()
    (e,) = office.exceptions.raised
    text = "nobody was notified: 2 of 3 documents are duplicates of other runs"
    assert (e.severity, e.domain, e.run_id, e.text, e.count) == ("warning", "retail", "r1", text, 2)


def test_a_single_document_that_came_twice_is_not_reported() -> None:
    office = Office()
    office.run(SILENT_AFTER, (DUPLICATE,), composed=1, run_id=f"{EVENT_RUN}e-1")
    assert office.look().open == 0
    assert office.exceptions.raised == []


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(minutes=14, seconds=59), "waits"),
        (timedelta(minutes=15), "silent"),
        (timedelta(hours=4, minutes=59, seconds=59), "silent"),
        (timedelta(hours=5), "unbalanced"),
        (timedelta(days=13, hours=23), "unbalanced"),
        (timedelta(days=14), "over"),
    ],
)
def test_a_run_is_silent_after_a_quarter_unbalanced_after_five_hours_and_over_after_two_weeks(
    age: timedelta, state: str
) -> None:
    office = Office()
    office.clock.move_to(office.clock.now().replace(microsecond=0) + timedelta(seconds=1))
    office.run(age, NOTHING)
    found = office.look()
    assert (found.open, found.silent, found.unbalanced, found.unreached) == (
        int(state != "over"),
        ["retail/r1"] if state == "silent" else [],
        ["retail/r1"] if state == "unbalanced" else [],
        [],
    )
    assert [run.run_id for run in office.runs.open()] == ([] if state == "over" else ["r1"])


@pytest.mark.parametrize(("behind", "silent"), [(9_999, True), (10_000, False)])
def test_the_records_of_all_runs_that_are_being_sent_count_together(behind: int, silent: bool) -> None:
    office = Office()
    office.run(SILENT_AFTER + 2 * MINUTE, [Outcome.NOTIFIED], composed=6_001)
    office.run(SILENT_AFTER + MINUTE, [Outcome.UNCONFIRMED], composed=behind - 6_000 + 1, run_id="r2")
    office.run(SILENT_AFTER, NOTHING, run_id="r3")
    found = office.look()
    assert found.ahead == behind
    assert found.silent == (["retail/r3"] if silent else [])


@pytest.mark.parametrize(("seconds", "looked_at"), [(9.5, False), (10.5, True)])
def test_no_further_run_is_looked_at_in_the_last_ten_seconds(seconds: float, looked_at: bool) -> None:
    office = Office()
    office.run(SILENT_AFTER, NOTHING)
    found = office.look(seconds)
    assert (found.complete, found.open) == (looked_at, int(looked_at))


def test_a_run_that_cannot_be_looked_at_holds_up_no_other() -> None:
    office = Office()
    office.run(SILENT_AFTER + MINUTE, NOTHING)
    office.run(SILENT_AFTER, NOTHING, run_id="r2")
    outcomes = office.runs.outcomes

    def failing(domain: str, run_id: str) -> Iterator[RecordOutcome]:
        if run_id == "r1":
            raise ConnectionError("refused")
        return outcomes(domain, run_id)

    office.runs.outcomes = failing  # type: ignore[method-assign]
    found = office.look()
    assert [str(error) for error in found.failed] == ["refused"]
    assert (found.silent, found.open, found.complete) == (["retail/r2"], 2, True)


def test_a_waiting_run_and_one_without_a_date_are_open_and_no_more() -> None:
    office = Office()
    office.run(UNBALANCED_AFTER, NOTHING, state=RunState.WAITING)
    assert office.runs.put(Run("retail", "r2", RunState.DISPATCHED, composed=2, version=1))
    found = office.look()
    assert (found.open, found.silent, found.unbalanced) == (2, [], [])
