"""See to it that each cohort that is due soon has an execution of the state machine waiting for it."""

from datetime import timedelta

from ..ports import Clock, CohortState, Executions, JourneyBook

HORIZON = timedelta(days=7)
"""How long before its hour a cohort gets its execution. Cohorts further off, be it years, only lie in the
book: no execution comes near the year that Step Functions lets one live."""

OVERDUE = timedelta(hours=2)
"""So long after its hour a cohort whose execution is gone (failed, stopped) gets another."""

_TRIES = 20


def start_journeys(*, journeys: JourneyBook, executions: Executions, clock: Clock) -> int:
    """One sweep; the number of executions started.

    Started first and noted then: killed in between, the next sweep finds the name taken by a running
    execution and notes that. A name whose execution is closed is passed over, to the next generation.
    """
    now = clock.now()
    started = 0
    for state in journeys.cohorts(now + HORIZON):
        if state.started and not _is_lost(state, executions, now > state.cohort.due + OVERDUE):
            continue
        generation = state.generation
        for _ in range(_TRIES):
            generation += 1
            if executions.start(state.cohort, generation):
                started += 1
                break
            if executions.runs(state.cohort, generation):
                break
        else:
            raise RuntimeError(f"no generation of {state.cohort.name} was free in {_TRIES} tries")
        journeys.started(state.cohort, generation)
    return started


def _is_lost(state: CohortState, executions: Executions, overdue: bool) -> bool:
    return overdue and not executions.runs(state.cohort, state.generation)
