"""How following a run ends, on a deployment in memory and a clock that only waiting moves."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exnotify.deployment import Deployment
from exnotify.following import End, Expected, Followed, follow
from exnotify.runs import exit_code
from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.incidents import Head, Incident, IncidentStatus, Report, added_up
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Control, RecordOutcome, Run, RunState
from exstream_notify.domain.work import SlicePointer
from tests.fakes.ledger import FakeLedger
from tests.fakes.runs import FakeRunBook

START = datetime(2026, 11, 20, 15, tzinfo=UTC)
SLICE = SlicePointer("retail", "r1", 0, "p", 0, 1, 2, 1)


@dataclass
class Play:
    """A run as it develops: `scenes` by the second at which each happens; idle from `idle_at` on."""

    scenes: dict[float, Callable[[FakeRunBook], None]]
    idle_at: float = 0.0
    rate: float = 1.0
    time: float = 0.0
    runs: FakeRunBook = field(default_factory=FakeRunBook)
    looks: int = 0
    incidents: tuple[Incident, ...] = ()

    @property
    def pace(self) -> str:
        return json.dumps({"real": 0, "virtual": 0, "rate": self.rate})

    @property
    def app(self) -> Any:
        clock = SimpleNamespace(now=lambda: START + timedelta(seconds=self.time * self.rate))
        incidents = SimpleNamespace(of_run=lambda domain, run_id: iter(self.incidents))
        return SimpleNamespace(runs=self.runs, clock=clock, incidents=incidents, ledger=FakeLedger())

    def state(self) -> dict[str, Any]:
        return {"idle": self.time >= self.idle_at, "queues": {"SendDeadLetters": {"visible": 0}}}

    def settle(self, seconds: float) -> bool:
        return True

    def pause(self, seconds: float) -> None:
        self.time += seconds
        for at in sorted(self.scenes):
            if at <= self.time:
                self.scenes.pop(at)(self.runs)

    def ends(self, expected: Expected | None = None, stall: float = 60.0) -> Followed:
        """Follow it to its end."""
        self.pause(0)

        def show(run: Run | None, added: object) -> None:
            self.looks += 1

        return follow(
            cast(Deployment, self), "retail", "r1", expected=expected, stall=stall, show=show,
            now=lambda: self.time, pause=self.pause,
        )  # fmt: skip


def a_run(**changes: Any) -> Run:
    return Run(
        **{
            "domain": "retail",
            "run_id": "r1",
            "state": RunState.DISPATCHED,
            "fingerprint": "f1",
            "expected": 2,
            "composed": 2,
            "version": 1,
            **changes,
        }
    )


def puts(run: Run, *outcomes: Outcome) -> Callable[[FakeRunBook], None]:
    """The run's record is written, and what became of its records."""

    def scene(book: FakeRunBook) -> None:
        known = book.get(run.domain, run.run_id)
        assert book.put(replace(run, version=(known.version if known else 0) + 1))
        words = [RecordOutcome(0, n, o, version=1) for n, o in enumerate(outcomes, 1)]
        book.put_slice(SLICE, words)

    return scene


SENT = (Outcome.NOTIFIED, Outcome.NOTIFIED)


def test_a_run_that_balances_ends_with_its_sums_and_incidents() -> None:
    play = Play(
        {1: puts(a_run(state=RunState.STAGED)), 2: puts(a_run()), 4: puts(a_run(), *SENT)},
        idle_at=4,
        incidents=(an_incident("address_refused", "warning"),),
    )
    followed = play.ends(Expected("f1"))
    assert (followed.end, followed.advice) == (End.BALANCED, "")
    told = followed.told or {}
    assert told["outcomes"]["notified"] == 2
    assert (told["balanced"], told["complete"], told["incidents"]) == (True, True, ["i1"])
    assert (told["clean"], told["headline"]) == (True, "2 of 2 notified; some text")
    assert exit_code(told) == 0
    assert 4 <= play.time < 5


def an_incident(code: str, severity: Severity, status: IncidentStatus = IncidentStatus.OPEN) -> Incident:
    raised = ExceptionRaised(code, severity, "retail", "r1", "some text")
    head = Head("i1", "retail", "r1", "operations", "index", status)
    return added_up(head, [Report(raised, "t1", "t1")])


@pytest.mark.parametrize(
    ("run", "outcomes", "headline"),
    [
        (a_run(expected=3), SENT, "1 customer was not composed; 2 notified"),
        (a_run(), (Outcome.NOTIFIED, Outcome.FAILED), "1 of 2 failed; 1 notified"),
        (a_run(), (Outcome.DUPLICATE, Outcome.DUPLICATE), "2 of 2 are duplicates (nobody was notified)"),
        (a_run(), (Outcome.DEFERRED, Outcome.DEFERRED), "2 of 2 deferred"),
        (
            a_run(composed=3, expected=3, rejected={"email: bad": 1}),
            SENT,
            "1 of 3 rejected: email bad; 2 notified",
        ),
        (a_run(control=Control.CANCEL), SENT, "cancelled; 2 notified"),
    ],
)
def test_a_run_that_balances_and_needs_a_look_says_so(
    run: Run, outcomes: tuple[Outcome, ...], headline: str
) -> None:
    followed = Play({0: puts(run, *outcomes)}).ends(Expected("f1"))
    told = followed.told or {}
    assert followed.end == End.BALANCED
    assert (told["clean"], told["headline"], exit_code(told)) == (False, headline, 3)


@pytest.mark.parametrize(
    ("code", "severity", "status", "ended"),
    [
        ("index_not_sealed", "error", IncidentStatus.OPEN, 3),
        ("index_not_sealed", "severe", IncidentStatus.ACKNOWLEDGED, 3),
        ("index_not_sealed", "error", IncidentStatus.RESOLVED, 0),
        ("address_refused", "warning", IncidentStatus.OPEN, 0),
        ("size_mismatch", "error", IncidentStatus.OPEN, 0),
    ],
)
def test_an_incident_that_nobody_resolved_needs_a_look(
    code: str, severity: Severity, status: IncidentStatus, ended: int
) -> None:
    play = Play({0: puts(a_run(), *SENT)}, incidents=(an_incident(code, severity, status),))
    assert exit_code(play.ends(Expected("f1")).told or {}) == ended


def test_on_aws_an_exception_has_time_to_become_an_incident() -> None:
    play = Play({0: puts(a_run(), *SENT)}, idle_at=1e9)
    play.state = lambda: None  # type: ignore[assignment,method-assign,return-value]
    assert play.ends(Expected("f1")).end == End.BALANCED
    assert 10 <= play.time < 12


@pytest.mark.parametrize(
    ("run", "end", "advice"),
    [
        (a_run(state=RunState.REFUSED, why="a: stated 2"), End.REFUSED, "a: stated 2; correct"),
        (a_run(state=RunState.INCOMPLETE, why="waiting for 1 of 2: b"), End.INCOMPLETE, "b; drop"),
        (a_run(state=RunState.WAITING, why="waiting for 1 of 2 files: b", deadline=START.isoformat()),
         End.WAITING, "goes on by itself"),
        (a_run(state=RunState.WAITING, why="a rule", sealed=False), End.WAITING, "leave --no-seal out"),
        (a_run(state=RunState.STAGED, control=Control.HOLD, why="900 documents"), End.HELD,
         "held: 900 documents; look at it with `exnotify run retail/r1`"),
        (a_run(control=Control.HOLD), End.HELD, "held: by an operator"),
        (a_run(fingerprint="other"), End.REUSED, "used before with other content"),
        (a_run(state=RunState.WAITING, control=Control.CANCEL), End.CANCELLED, "final"),
    ],
)  # fmt: skip
def test_a_run_that_does_not_go_on_ends_with_what_to_do(run: Run, end: End, advice: str) -> None:
    followed = Play({1: puts(run)}).ends(Expected("f1"))
    assert followed.end == end
    assert advice in followed.advice
    told = followed.told or {}
    assert (exit_code(told), told["clean"], told["needs_look"] != []) == (1, False, True)


def test_the_word_on_an_earlier_drop_is_not_taken_for_this_one_s() -> None:
    refused = a_run(state=RunState.REFUSED, why="too short")
    play = Play({0: puts(refused), 3: puts(a_run(), *SENT)}, idle_at=3)
    assert play.ends(Expected("f1", version=1)).end == End.BALANCED


def test_a_drop_that_changes_nothing_ends_as_before_once_all_is_quiet() -> None:
    waiting = a_run(state=RunState.WAITING, why="waiting for 1 of 1 files: b", deadline=START.isoformat())
    play = Play({0: puts(waiting)}, idle_at=2)
    assert play.ends(Expected("f1", version=1)).end == End.WAITING
    assert 6 < play.time < 20


def test_a_quiet_period_is_waited_for() -> None:
    until = (START + timedelta(seconds=120)).isoformat()
    waiting = a_run(state=RunState.WAITING, sealed=False, deadline=until, fingerprint="etag:1")
    play = Play({0: puts(waiting), 150: puts(a_run(fingerprint="etag:1", sealed=False), *SENT)})
    followed = play.ends(Expected("etag:1"))
    assert (followed.end, (followed.told or {})["sealed"]) == (End.BALANCED, False)


def test_a_quiet_period_that_never_ends_is_given_up_after_a_sweep() -> None:
    until = (START + timedelta(seconds=3600)).isoformat()
    waiting = a_run(state=RunState.WAITING, sealed=False, deadline=until)
    play = Play({0: puts(waiting)}, rate=60.0)  # an hour of its clock is a minute
    assert play.ends(Expected("f1")).end == End.WAITING
    assert 60 + 90 < play.time < 60 + 90 + 40


def test_no_run_at_all_says_what_starts_one() -> None:
    play = Play({})
    followed = play.ends(Expected(""))
    assert (followed.end, followed.told) == (End.ABSENT, None)
    assert "leave --no-seal out" in followed.advice
    assert "StageRunFunction" in Play({}).ends(Expected("f1")).advice


def test_a_large_run_is_waited_for_while_it_is_read() -> None:
    play = Play({150: puts(a_run(), Outcome.NOTIFIED, Outcome.NOTIFIED)}, idle_at=1e9)
    assert play.ends(Expected("f1"), stall=180).end == End.BALANCED
    assert Play({}, idle_at=1e9).ends(Expected("f1"), stall=180).end == End.ABSENT


def test_a_run_that_stops_moving_is_given_up_while_something_runs_only_after_the_stall() -> None:
    play = Play({0: puts(a_run(), Outcome.NOTIFIED)}, idle_at=1e9)
    followed = play.ends(Expected("f1"), stall=30)
    assert followed.end == End.STALLED
    assert 30 < play.time < 32
    assert "nothing has moved for 30 seconds" in followed.advice


def test_and_at_once_when_nothing_is_left_to_run() -> None:
    play = Play({0: puts(a_run(), Outcome.NOTIFIED)})
    play.state = lambda: {"idle": True, "queues": {"SendDeadLetters": {"visible": 2}}}  # type: ignore[method-assign]
    followed = play.ends(Expected("f1"))
    assert followed.end == End.STALLED
    assert play.time < 10
    assert "messages lie in SendDeadLetters" in followed.advice


def test_every_movement_begins_the_wait_anew() -> None:
    scenes = {float(at): puts(a_run(why=str(at)), Outcome.NOTIFIED) for at in range(0, 100, 20)}
    play = Play({**scenes, 101: puts(a_run(), *SENT)}, idle_at=1e9)
    assert play.ends(Expected("f1"), stall=25).end == End.BALANCED
