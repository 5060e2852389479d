"""Following a run until it balances, or until it is clear that it will not by itself."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.runs import Control, Reconciliation, Run, RunState

from .runs import added_up, reused, state_of

if TYPE_CHECKING:
    from .deployment import Deployment

STALL = 180.0
"""Seconds without any movement after which a run counts as stuck, unless told otherwise."""

_ABSENT = 20.0
_LOOK = 0.4
_IDLE = 6.0
_SWEEP = 90.0
_REPORTED = 10.0
"""Seconds that an exception takes to become an incident, where nobody can say that the queues are empty."""


class End(StrEnum):
    """How following ended."""

    BALANCED = "balanced"
    REFUSED = "refused"
    HELD = "held"
    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    REUSED = "reused"
    DISAGREES = "disagrees"
    CANCELLED = "cancelled"
    STALLED = "stalled"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Followed:
    """A run's end: `told` in the form of `exnotify run --json` (None: no run), `advice` a sentence."""

    end: End
    told: dict[str, Any] | None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What tells this drop from an earlier one under the same run id.

    `fingerprint` is that of the seal or manifest now dropped; `version` the run's before the drop;
    `content` that of the files now dropped, where there was a run before and it can be told.
    """

    fingerprint: str = ""
    version: int = 0
    content: str = ""


Shown = Callable[[Run | None, Reconciliation | None], None]


def follow(
    deployment: "Deployment",
    domain: str,
    run_id: str,
    *,
    expected: Expected | None = None,
    stall: float = STALL,
    show: Shown = lambda run, added: None,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Followed:
    """Look at a run again and again until it ends in one of the ways of `End`.

    `stall` is seconds without movement, by `now` and `pause`; `show` is called after each look.
    """
    expected = expected or Expected()
    app = deployment.app
    moved = now()
    before: object = None
    idle_since: float | None = None
    while True:
        started = now()
        run = app.runs.get(domain, run_id)
        added = added_up(app, run) if run else None
        show(run, added)
        seen = (run.version, dict(added.outcomes)) if run and added else None
        if seen != before:
            before, moved = seen, now()
        state = deployment.state()
        idle_since = (idle_since or now()) if state and state["idle"] else None
        idle = now() - idle_since if idle_since is not None else 0.0
        still = now() - moved
        over = still > stall or idle > _IDLE  # nothing more will happen by itself
        if run is None or added is None:
            # A run that is being read has no record yet, and a large one is read for minutes.
            if over or (still > _ABSENT and not expected.fingerprint):
                advice = _NOT_TAKEN if expected.fingerprint else _NOTHING_STARTS_IT
                return Followed(End.ABSENT, None, advice)
        elif ended := _end(run, added, expected, over):
            # Its incidents and the internal teams' copies are on their way.
            if state is None:
                pause(_REPORTED)
            deployment.settle(30.0)
            run = app.runs.get(domain, run_id) or run
            told = state_of(app, run)
            return Followed(ended, reused(told) if ended == End.REUSED else told, _advice(ended, run))
        elif run.state == RunState.WAITING:
            if still > stall and _overdue(deployment, run) > _SWEEP:
                return Followed(End.WAITING, state_of(app, run), _advice(End.WAITING, run))
        elif over:
            return Followed(End.STALLED, state_of(app, run), _stalled(still, state))
        # A look at a large run takes long: leave it at least as much time to move.
        pause(max(_LOOK, now() - started))


def _end(run: Run, added: Reconciliation, expected: Expected, over: bool) -> End | None:
    """The end that a run has come to, if it has; `over` if no more of it can be expected by itself."""
    if run.state in (RunState.STAGED, RunState.DISPATCHED):
        if expected.fingerprint and expected.fingerprint not in (run.fingerprint, run.sealed_as):
            if run.sealed or expected.fingerprint.startswith("etag:"):
                return End.REUSED
            # It was taken from its manifest alone; the seal is compared with it now.
            return End.DISAGREES if run.version > expected.version or over else None
        if expected.content and run.content and run.content != expected.content and not run.sealed_as:
            return End.REUSED
        if added.balanced:
            return End.BALANCED
        return End.HELD if run.control == Control.HOLD else None
    if run.version <= expected.version and not over:
        return None  # still the word on what was dropped before
    if run.control == Control.CANCEL:
        return End.CANCELLED if over else None
    if run.state == RunState.REFUSED:
        return End.REFUSED
    if run.state == RunState.INCOMPLETE:
        return End.INCOMPLETE
    # A quiet period ends by itself; files that are missing do not come by themselves.
    return None if not run.sealed and run.deadline else End.WAITING


def _overdue(deployment: "Deployment", run: Run) -> float:
    """Real seconds since a waiting run's deadline; negative before it."""
    rate = float(json.loads(deployment.pace)["rate"]) if deployment.pace else 1.0
    return (deployment.app.clock.now() - datetime.fromisoformat(run.deadline)).total_seconds() / rate


_NOTHING_STARTS_IT = (
    "no run began: without a seal only a native manifest (_STDDELIVERYFILE.xml) starts one; "
    "leave --no-seal out"
)
_NOT_TAKEN = (
    "no run began although what starts one is there: a large one may still be being read (--timeout waits "
    "longer), else the logs of StageRunFunction and the queue RunDeadLetters say why"
)


def _advice(end: End, run: Run) -> str:
    name = run.name
    if end == End.WAITING and not run.sealed:
        return f"{run.why}: leave --no-seal out"
    return {
        End.REFUSED: f"nothing of it was sent: {run.why}; correct the folder and drop it again",
        End.HELD: (
            f"it is held: {run.why or 'by an operator'}; look at it with `exnotify run {name}`, then "
            f"`exnotify run {name} --release` or `--cancel`"
        ),
        End.INCOMPLETE: f"{run.why}; drop the folder again when they are there, or with a corrected seal",
        End.WAITING: f"{run.why}; it goes on by itself when they are there, or with a corrected seal",
        End.REUSED: (
            f"the run id {run.run_id} was used before with other content, so nothing of this was read: "
            "drop it with another --run-id"
        ),
        End.DISAGREES: f"{run.why}; what was sent stays sent, and nothing of the folder was read again",
        End.CANCELLED: "it was cancelled, which is final: drop the folder with another --run-id",
    }.get(end, "")


def _stalled(still: float, state: dict[str, Any] | None) -> str:
    queues: dict[str, dict[str, int]] = (state or {}).get("queues", {})
    dead = [name for name, depth in queues.items() if "Dead" in name and any(depth.values())]
    if dead:
        return f"nothing moves, and messages lie in {', '.join(dead)}: the functions' logs say why"
    return f"nothing has moved for {still:.0f} seconds: look at the queues and the functions' logs"
