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
    A cohort that cannot be started holds up no other: an ExceptionGroup at the end says what failed.
    """
    now = clock.now()
    started = 0
    failed: list[Exception] = []
    for state in journeys.cohorts(now + HORIZON):
        try:
            if not state.started or _is_lost(state, executions, now > state.cohort.due + OVERDUE):
                started += _start(state, journeys, executions)
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("not every cohort has an execution", failed)
    return started


def _start(state: CohortState, journeys: JourneyBook, executions: Executions) -> bool:
    """Start the cohort's next execution and note it; False if one was running already."""
    for generation in range(state.generation + 1, state.generation + 1 + _TRIES):
        started = executions.start(state.cohort, generation)
        if started or executions.runs(state.cohort, generation):
            journeys.started(state.cohort, generation)
            return started
    raise RuntimeError(f"no generation of {state.cohort.name} was free in {_TRIES} tries")


def _is_lost(state: CohortState, executions: Executions, overdue: bool) -> bool:
    return overdue and not executions.runs(state.cohort, state.generation)
