"""Customers whom one run left out and a later run composed: the first run's incidents get smaller."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from ..domain.composed_again import FIGURES, Customers, composed_again, is_open_ended
from ..domain.customer_ranges import HIGHEST, Ranges, from_numbers, merged, without
from ..domain.incident_states import covered
from ..domain.incidents import Head, Incident, added_up
from ..domain.masking import handle, handle_in
from ..domain.runs import Control, Run, RunState
from ..domain.work import SlicePointer
from ..ports import Records, RecordsGone, RunBook, Staging
from .alert_exceptions import Alerting, change_incident, look_at_incident

READ_RECORDS = 200_000
"""Records of a run that are read for its customers. Of a larger run nothing is proven by key."""

READ_AT_ONCE = 10_000
"""Records that one read takes."""

TIME_NEEDED = 60.0
"""Seconds that must be left to begin with a run; it is looked at later otherwise."""

MOST_REPEATS = 20
"""How far repeats of repeats are followed."""

TRY_AGAIN = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""When a run is checked again: the parts of another run could not be read, or the run that it repeats has no
incident yet."""


@dataclass(frozen=True, slots=True)
class Covering:
    """What it takes; `time_left` are the worker's seconds."""

    runs: RunBook
    staging: Staging
    records: Records
    alerting: Alerting
    time_left: Callable[[], float] = lambda: 900.0


EVERYBODY: Ranges = ((1, HIGHEST),)

_TAKEN = (RunState.STAGED, RunState.DISPATCHED)


def cover_customers(domain: str, run_id: str, covering: Covering, tried: int = 0) -> list[str]:
    """A run was dispatched: what it made good of other runs' incidents is noted, and what is over resolved.

    It counts for the run that its seal names (`rerun_of`), for the run that this one repeats, for earlier
    repeats of the same run, and for a run of the same application whose customers it composed, by key. Never
    by numbers alone, for a later run, or while it is held, cancelled or refused; a rejected record is not
    composed. Returns the runs that could not be compared, with the kind of error: whatever it is, the others
    are, and these are tried again later.
    """
    run = covering.runs.get(domain, run_id)
    if run is None or run.control != Control.GO or run.state not in _TAKEN:
        return []
    waiting = _waiting(run, covering.alerting)
    if run.rerun_of and run.rerun_of.rpartition("/")[2] not in waiting and tried < len(TRY_AGAIN):
        # What it repairs may be told after it: a message file that comes late, an event tried again.
        _later(run, covering, tried + 1, TRY_AGAIN[tried])
    if not waiting:
        return []
    failed: list[str] = []
    if covering.time_left() < TIME_NEEDED:
        _later(run, covering, tried, timedelta(0))
        return failed
    composed = _Composed(run, covering, waiting)
    for other, incidents in waiting.items():
        try:
            _cover(composed, other, incidents, covering)
        except Exception as error:  # one run that cannot be compared keeps nothing else from being told
            failed.append(f"{domain}/{other}: {type(error).__name__}")
    if failed and tried < len(TRY_AGAIN):
        _later(run, covering, tried + 1, TRY_AGAIN[tried])
    return failed


def _later(run: Run, covering: Covering, tried: int, after: timedelta) -> None:
    alerting = covering.alerting
    alerting.due.wait("cover", f"{run.domain}/{run.run_id}/{tried}", alerting.clock.now() + after)


def _waiting(run: Run, alerting: Alerting) -> dict[str, list[Incident]]:
    """Open incidents of other runs that composing again can cure, by run."""
    found: dict[str, list[Incident]] = {}
    for name in alerting.incidents.open_in(run.domain):
        head = alerting.incidents.head(name)
        if head is None or head.run_id == run.run_id:
            continue
        incident = added_up(head, alerting.incidents.reports(name))
        if incident.to_compose or any(c.cured_by_rerun for c in incident.causes):
            found.setdefault(head.run_id, []).append(incident)
    return found


class _Composed:
    """A run and its customers, which are read when they are needed first."""

    def __init__(self, run: Run, covering: Covering, waiting: Collection[str]) -> None:
        self.run = run
        self._waiting = waiting
        self._covering = covering
        self._customers: Customers | None = None
        self._repeats = self._repeated(run)

    @property
    def customers(self) -> Customers:
        """Empty where the run is too large, or its parts are gone."""
        if self._customers is None:
            self._customers = _customers(self.run, self._covering) or Customers()
        return self._customers

    def names(self, other: str) -> bool:
        """Whether the run says that it repeats another one of its domain, or a repeat of it."""
        return other in self._repeats

    def is_kin(self, other: Run | None) -> bool:
        """Whether both repeat one run, so that their customers have the numbers that they have there."""
        before = self._repeated(other) if other else []
        return bool(before) and before[-1] in self._repeats

    def _repeated(self, run: Run) -> list[str]:
        """The run that a run repeats, the one that this one repeats, and so on."""
        found: list[str] = []
        repeat: Run | None = run
        while repeat and repeat.rerun_of and len(found) < MOST_REPEATS:
            found.append(self._own_name(repeat.rerun_of.removeprefix(f"{repeat.domain}/")))
            repeat = self._covering.runs.get(run.domain, found[-1])
        return found

    def _own_name(self, run_id: str) -> str:
        """The own name of a run with open incidents that is named as an alert shows it, masked."""
        masked = handle_in(run_id)
        return next((name for name in self._waiting if masked == handle(name)), run_id) if masked else run_id

    def may_repeat(self, other: Run | None, other_id: str) -> bool:
        """Whether it can have made good what the other run left out."""
        if other is None:
            return self.names(other_id)
        if other.opened_at > self.run.opened_at:
            return False
        app, other_app = self.run.app.casefold(), other.app.casefold()
        if self.names(other_id) or self.is_kin(other):
            return app == other_app or not (app and other_app)
        return app == other_app

    @property
    def is_complete(self) -> bool:
        """Whether everything that it was to compose is there, and nothing of it rejected."""
        return self.run.composed >= max(self.run.expected, 1) and not self.run.rejected

    def is_whole(self, other: Run | None) -> bool:
        """Whether it has all customers of the run that it repeats: all numbers from the first, or, where
        there are no numbers to go by, at least as many documents as were expected of it."""
        if not self.is_complete:
            return False
        if self.customers.by_number:
            return self.customers.is_from_the_first
        return other is not None and 0 < other.expected <= self.run.composed


def _cover(composed: _Composed, other_id: str, incidents: list[Incident], covering: Covering) -> None:
    run, alerting = composed.run, covering.alerting
    other = covering.runs.get(run.domain, other_id)
    if not composed.may_repeat(other, other_id):
        return
    named = composed.names(other_id)
    by_number = named or composed.is_kin(other)
    late = merged(*(incident.late for incident in incidents))
    wanted = merged(late, composed.customers.numbers) if late and composed.customers.keys else ()
    missed = _customers(other, covering, wanted) if other is not None and wanted else None
    if not by_number and missed is None:
        return
    again = composed_again(
        late,
        missed.by_number if missed else {},
        composed.customers,
        named=by_number,
        whole=by_number and composed.is_whole(other),
    )
    lost = merged(*(i.late for i in incidents if not (_names_nobody(i) and _lacks(other))))
    remade = named and not without(lost, again) and _makes_up(composed, other)
    lacks = named and not remade and any(incident.missing for incident in incidents)
    more = _left_out(composed, other, covering) if lacks else ()
    for incident in incidents if again or remade or more else ():
        shown = covering.alerting.rules.vocabulary.shown(run.run_id)
        mine = EVERYBODY if remade and _names_nobody(incident) else again
        _note(incident, shown, mine, covering.alerting, named=named, remade=remade, more=more)
        look_at_incident(incident.incident_id, alerting)


def _left_out(composed: _Composed, other: Run | None, covering: Covering) -> Ranges:
    """Numbers of customers that the run has and the other one lacks: several runs may make up for it."""
    before = _customers(other, covering) if other is not None else None
    if before is None or not before.by_number:
        return ()
    now = composed.customers.by_number
    return from_numbers(n for n, keys in now.items() if n not in before.by_number and not keys & before.keys)


def _names_nobody(incident: Incident) -> bool:
    """Whether the engine stopped and did not say where: any customer may be late."""
    return is_open_ended(incident.late) and incident.to_compose[0][0] == 1


def _lacks(other: Run | None) -> int:
    """How many documents a run has fewer than its seal expects, where it was taken; 0: none, or not known."""
    return max(other.expected - other.composed, 0) if other and other.state in _TAKEN else 0


def _makes_up(composed: _Composed, other: Run | None) -> bool:
    """Whether a run that repeats another has as many documents as the other lacks."""
    if other is None:
        return composed.is_complete
    lacks = _lacks(other) if other.state in _TAKEN else other.expected
    return composed.is_complete and composed.run.composed >= lacks


def _note(
    incident: Incident,
    run_id: str,
    again: Ranges,
    alerting: Alerting,
    *,
    named: bool,
    remade: bool,
    more: Ranges,
) -> None:
    at = alerting.now()

    def change(head: Head, now: Incident) -> Head:
        known = merged(without(now.late, without(now.late, again)), more if now.missing else ())
        mine = again if again == EVERYBODY else known
        changed = covered(head, run_id, mine, at) if mine else head
        if remade:
            changed = replace(changed, remade_by=run_id)
        # An error that names no customer may be about somebody else than those composed again.
        figures = sum(cause.count for cause in now.causes if cause.code in FIGURES)
        over = now.unnamed if named else max(head.unnamed, figures)
        return replace(changed, unnamed=over) if changed != head else head

    # Before it is written: a worker that dies in between leaves a look that is due.
    alerting.due.wait("incident", incident.incident_id, alerting.clock.now())
    change_incident(
        incident.incident_id, change, incidents=alerting.incidents, due=alerting.due, clock=alerting.clock
    )


def _customers(run: Run, covering: Covering, wanted: Ranges | None = None) -> Customers | None:
    """A run's customers, or those of the numbers `wanted`; None where it is too large or a part is gone,
    since the rest proves nothing."""
    if run.composed > READ_RECORDS or not run.parts:
        return None
    found = Customers()
    try:
        for pointer in _wide(covering.staging.slices(run.domain, run.run_id, run.parts)):
            for _, document in covering.records.read(pointer):
                number = document.customer_in_run
                if wanted is None or (number is not None and _is_in(number, wanted)):
                    found.add(number, document.customer_key)
    except RecordsGone:
        return None
    return found


def _is_in(number: int, ranges: Ranges) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _wide(slices: Iterable[SlicePointer]) -> Iterator[SlicePointer]:
    """Documents' slices that follow one another in a part, read as one."""
    wide: SlicePointer | None = None
    for pointer in slices:
        if pointer.kind != "documents":
            continue
        follows = (
            wide is not None
            and (pointer.part, pointer.offset) == (wide.part, wide.offset + wide.length)
            and wide.count + pointer.count <= READ_AT_ONCE
        )
        if wide is not None and follows:
            wide = replace(wide, length=wide.length + pointer.length, count=wide.count + pointer.count)
            continue
        if wide is not None:
            yield wide
        wide = pointer
    if wide is not None:
        yield wide
