"""An operator stops journeys, of a customer, a document or a run, or a whole journey, or lets them go on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.identity import job_id
from ..domain.journeys import RESUMED, STOPPED, Cohort, JourneyRule, cohort_at, is_stopped
from ..domain.notices import Notice, happened
from ..ports import Clock, JourneyBook, Ledger, Rules
from .step_rules import pinned


def stop_notices(notices: Sequence[Notice], who: str, why: str, *, ledger: Ledger, clock: Clock) -> int:
    """Stop the journeys that these notices are about; how many were not stopped already.

    The word stands in each notice's own chain of events. Members are put aside when their cohort wakes.
    """
    return _say([n for n in notices if not is_stopped(n)], STOPPED, who, why, ledger, clock)


def resume_notices(
    notices: Sequence[Notice],
    who: str,
    why: str,
    *,
    ledger: Ledger,
    journeys: JourneyBook,
    rules: Rules,
    clock: Clock,
) -> int:
    """Let them go on: who was put aside meanwhile gets the step that was missed within the hour."""
    said = _say([n for n in notices if is_stopped(n)], RESUMED, who, why, ledger, clock)
    for notice in notices:
        bring_back(notice.notice_id, journeys, rules, clock.now())
    return said


def stop_run(run: str, who: str, why: str, *, journeys: JourneyBook, clock: Clock) -> None:
    """Stop the journeys of all that a run (`domain/run id`) told."""
    journeys.stop_run(run, _word("stop", clock.now(), who, why))


def resume_run(run: str, who: str, why: str, *, journeys: JourneyBook, rules: Rules, clock: Clock) -> None:
    """Let them go on."""
    journeys.stop_run(run, _word("resume", clock.now(), who, why))
    bring_back(run, journeys, rules, clock.now())


def stop_journey(name: str, who: str, why: str, *, journeys: JourneyBook, clock: Clock) -> None:
    """Switch a journey off for everybody: its members wait (`advance_journey`), and nothing is sent."""
    journeys.switch(name, _word("stop", clock.now(), who, why))


def resume_journey(name: str, who: str, why: str, *, journeys: JourneyBook, clock: Clock) -> None:
    """Switch it on again: members go on within a day, at the step that was missed."""
    journeys.switch(name, _word("resume", clock.now(), who, why))


def _word(what: str, now: datetime, who: str, why: str) -> dict[str, str]:
    return {"what": what, "at": now.isoformat(timespec="seconds"), "who": who, "why": why}


def _say(notices: Sequence[Notice], what: str, who: str, why: str, ledger: Ledger, clock: Clock) -> int:
    wanted = {n.notice_id: n for n in notices}
    for _ in range(5):
        blocked = ledger.put(
            [happened(n, clock.now(), what, f"{who}: {why}".strip(": ")) for n in wanted.values()]
        )
        if not blocked:
            return len(notices)
        wanted = blocked
    raise RuntimeError("notices kept changing under five attempts to write to them")


def bring_back(under: str, journeys: JourneyBook, rules: Rules, now: datetime) -> int:
    """Into the next hour's cohort of the same step; forgotten aside last, so that a repeat loses nobody.

    How many rows lay aside.
    """
    aside = journeys.parked(under)
    for cohort, row in aside:
        rule: JourneyRule = pinned(cohort.journey, row.version, rules, journeys)
        due = max(cohort.due, now + timedelta(minutes=1))
        again: Cohort = cohort_at(cohort.domain, rule, cohort.step, due)
        # Named by its members: several of one slice come back into one cohort.
        ids = sorted(m.notice_id for m in row.members)
        named = replace(row, name=job_id(row.run, row.slice_number, "members", (row.version, *ids)))
        journeys.enrol(again, [named])
        journeys.unpark(under, cohort, [row])
    return len(aside)
