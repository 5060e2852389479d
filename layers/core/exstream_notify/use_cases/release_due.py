"""Hand on what is due: deferred and doubtful notices to the decision, waiting runs to staging, the rest
to whoever looks at it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from ..domain.deferring import FOLLOW_UP, handed_on, times_handed_on
from ..domain.notices import Notice
from ..domain.work import SlicePointer
from ..ports import Clock, DecideQueue, DueIndex, Ledger, LookQueue, RunQueue
from .slices import pointer_to

LOOK_BACK = timedelta(days=2)
"""How far a first sweep looks back; later ones start at the watermark, however long ago that was."""

HAND_ON_AGAIN = FOLLOW_UP
"""A notice handed on lies in the index again this much later, in case the message is lost, and twice
that each further time, a day at most: behind a long queue it is not lost, only waiting its turn."""

T = TypeVar("T")

PAGE = 100
SPREAD = 30.0


def release_due(
    *,
    due: DueIndex,
    ledger: Ledger,
    decide_queue: DecideQueue,
    run_queue: RunQueue,
    clock: Clock,
    time_left: Callable[[], float],
    look_queue: LookQueue | None = None,
) -> int:
    """Sweep the due index once; the number handed on.

    The new due time is written before the message goes out. Killed in between, a notice is handed
    on a quarter of an hour later. The watermark moves only after everything before it was handed on.
    What one kind cannot do holds up none of the others: an ExceptionGroup at the end says what failed.
    """
    now = clock.now()
    sweep = _Sweep(due, ledger, decide_queue, run_queue, look_queue, now)
    page: list[str] = []
    for key in due.due(due.watermark() or now - LOOK_BACK, now):
        page.append(key)
        if len(page) == PAGE:
            sweep.hand_on(page)
            page = []
            if time_left() < 10:
                break
    else:
        sweep.hand_on(page)
        if not sweep.failed:
            # An hour's slack: an item may be written into its slot after the sweep went by.
            due.set_watermark(now - timedelta(hours=1))
    if sweep.failed:
        raise ExceptionGroup("what was due was not all handed on", sweep.failed)
    return sweep.handed


@dataclass
class _Sweep:
    """One sweep: what it handed on, and what failed."""

    due: DueIndex
    ledger: Ledger
    decide_queue: DecideQueue
    run_queue: RunQueue
    look_queue: LookQueue | None
    now: datetime
    handed: int = 0
    failed: list[Exception] = field(default_factory=list)

    def hand_on(self, page: Sequence[str]) -> None:
        """A page of what is due, each kind by itself."""
        others = self.due.waiting(page)
        digests = [(key, _run_of(name)) for key, kind, name in others if kind == "digests"]
        controlled = [(key, _run_of(name)) for key, kind, name in others if kind == "control"]
        looks = [(key, (kind, name)) for key, kind, name in others if kind not in ("digests", "control")]
        runs = [(key, (domain, run_id)) for key, domain, run_id in self.due.runs_due(page)]
        again = self._looks(page)
        notices = set(page) - {key for key, *_ in (*others, *runs, *again)}
        self._send(lambda found: self.run_queue.send_runs(found, "digests"), digests)
        if self.look_queue is not None:
            self._send(self.look_queue.send_looks, looks)
        self._send(self.run_queue.send_runs, [*runs, *controlled])
        self._send(self.decide_queue.send_slices, again)
        self._release_some([key for key in page if key in notices])

    def _looks(self, keys: Sequence[str]) -> list[tuple[str, SlicePointer]]:
        """Looks to be repeated; one that cannot be read holds up nothing else."""
        try:
            return self.due.looks_due(keys)
        except Exception as error:
            if len(keys) == 1:
                self.failed.append(error)
                return []
        return [look for key in keys for look in self._looks([key])]

    def _send(self, send: Callable[[Sequence[T]], object], rows: Sequence[tuple[str, T]]) -> None:
        """Send what waited under these keys, then forget that it waits; each by itself if that fails."""
        if not rows:
            return
        try:
            send([what for _, what in rows])
            self.due.forget([key for key, _ in rows], self.now)
            self.handed += len(rows)
        except Exception as error:
            self._one_by_one(error, rows, lambda row: self._send(send, [row]))

    def _one_by_one(self, error: Exception, rows: Sequence[T], again: Callable[[T], None]) -> None:
        """After several failed together: what cannot be handed on holds up none of the others."""
        if len(rows) == 1:
            self.failed.append(error)
            return
        for row in rows:
            again(row)

    def _release_some(self, keys: Sequence[str]) -> None:
        try:
            self.handed += self._release(keys)
        except Exception as error:
            self._one_by_one(error, keys, lambda key: self._release_some([key]))

    def _release(self, keys: Sequence[str]) -> int:
        """Notices, back to the decision."""
        limit = self.now.isoformat(timespec="seconds")
        released = [
            handed_on(notice, _again_at(notice, self.now), self.now)
            for notice in self.ledger.get(keys).values()
            if notice.due_at and notice.due_at <= limit
        ]
        blocked = self.ledger.put(released)
        groups: dict[tuple[str, int, str, str], list[Notice]] = {}
        for notice in released:
            if notice.notice_id not in blocked and notice.origin.part:
                origin = notice.origin
                key = (origin.run, origin.slice_number, notice.purpose, notice.rule_version)
                groups.setdefault(key, []).append(notice)
        pointers = [pointer_to(notices) for notices in groups.values()]
        if pointers:
            self.decide_queue.send_slices(pointers, spread=SPREAD if len(pointers) > PAGE // 2 else 0.0)
        return sum(map(len, groups.values()))


def _run_of(name: str) -> tuple[str, str]:
    domain, _, run_id = name.partition("/")
    return domain, run_id


def _again_at(notice: Notice, now: datetime) -> str:
    if not notice.origin.part:
        return ""  # a note, of no record: there is nothing to decide on again
    pause = min(HAND_ON_AGAIN * (1 << min(times_handed_on(notice), 10)), timedelta(days=1))
    return (now + pause).isoformat(timespec="seconds")
