"""Count for internal teams what a run's customers were notified of, once that is known."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ..domain.notices import Outcome
from ..domain.runs import STILL_WAITING, Control, RecordOutcome, Run, RunState, counted_from
from ..ports import Clock, DecideQueue, DueIndex, RunBook, Staging

LATEST = timedelta(hours=12)
"""A run's digests go out so long after its opening at the latest; what still waits is stated in them."""

FIRST_DIGEST_LOOK = timedelta(minutes=2)
"""How long after a slice is decided, or a run released, that is looked at for what teams are to know."""


_NOTIFIED, _OPEN, _OVER = 1, 2, 3


def digest_run(
    domain: str,
    run_id: str,
    *,
    runs: RunBook,
    staging: Staging,
    due: DueIndex,
    decide_queue: DecideQueue,
    clock: Clock,
) -> None:
    """Look at a run for what its internal teams are to know, and queue their digests once it is known.

    That is when no record is in flight or deferred, or `LATEST` after the run's opening. Until then the run
    is looked at again, less and less often. The counts are written once: a repeat queues the same digests,
    which are claimed once each. A cancelled run has none; a team of which nobody was notified gets none.
    A held run is looked at again when it is released.
    """
    run = runs.get(domain, run_id)
    if run is None or run.state not in (RunState.STAGED, RunState.DISPATCHED):
        return
    if run.control != Control.GO:
        return
    now = clock.now()
    written = [p for p in staging.slices(domain, run_id, run.parts) if p.kind == "digests"]
    if not written:
        since = counted_from(run) or now
        states = _states(run, runs.outcomes(domain, run_id))
        if _is_open(run, states) and now < since + LATEST:
            due.wait("digests", run.name, min(now + _pause(now - since), since + LATEST))
            return
        counts = digests(run, runs, states)
        if not counts:
            return
        staging.add_digests(domain, run_id, run.parts, counts)
        written = [p for p in staging.slices(domain, run_id, run.parts) if p.kind == "digests"]
    decide_queue.send_slices(written)


def digests(run: Run, runs: RunBook, states: bytearray | None = None) -> dict[str, dict[str, int]]:
    """Documents of which customers were notified by this run, by internal team and type."""
    if states is None:
        states = _states(run, runs.outcomes(run.domain, run.run_id))
    counts: dict[str, dict[str, int]] = {}
    waiting: dict[str, int] = {}
    for row in runs.digests(run.domain, run.run_id):
        notified = sum(1 for position in row.positions if states[position] == _NOTIFIED)
        still = sum(1 for position in row.positions if states[position] == _OPEN)
        for team in row.teams:
            if notified:
                kinds = counts.setdefault(team, {})
                kinds[row.document_type] = kinds.get(row.document_type, 0) + notified
            waiting[team] = waiting.get(team, 0) + still
    for team, kinds in counts.items():
        if waiting[team]:
            kinds[STILL_WAITING] = waiting[team]
    return counts


def _states(run: Run, outcomes: Iterable[RecordOutcome]) -> bytearray:
    """By position 0 for what is not known yet, else `_NOTIFIED`, `_OPEN` or `_OVER`: a byte a record."""
    states = bytearray(run.composed + 1)
    newest: dict[int, int] = {}
    meaning: Mapping[Outcome, int] = {
        Outcome.NOTIFIED: _NOTIFIED,
        Outcome.DEFERRED: _OPEN,
        Outcome.IN_FLIGHT: _OPEN,
    }
    for outcome in outcomes:
        if outcome.position < len(states) and outcome.version >= newest.get(outcome.position, 0):
            states[outcome.position] = meaning.get(outcome.outcome, _OVER)
            if outcome.version > 1:
                newest[outcome.position] = outcome.version
    return states


def _is_open(run: Run, states: bytearray) -> bool:
    known = sum(1 for state in states if state)
    return _OPEN in states or known < run.composed - sum(run.rejected.values())


def _pause(age: timedelta) -> timedelta:
    """As long again as the run is old, a minute at least: each look reads what became of every record."""
    return max(age, timedelta(minutes=1))
