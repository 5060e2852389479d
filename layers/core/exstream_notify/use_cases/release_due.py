"""Hand on what is due: deferred and doubtful notices to the decision, waiting runs to staging, the rest
to whoever looks at it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from ..domain.notices import Notice, happened
from ..ports import Clock, DecideQueue, DueIndex, Ledger, LookQueue, RunQueue
from .decide_notices import RELEASED, pointer_to

LOOK_BACK = timedelta(days=2)
"""How far a first sweep looks back; later ones start at the watermark, however long ago that was."""

HAND_ON_AGAIN = timedelta(minutes=15)
"""A notice handed on lies in the index again this much later, in case the message is lost, and twice
that each further time, a day at most: behind a long queue it is not lost, only waiting its turn."""

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
    """
    now = clock.now()
    since = due.watermark() or now - LOOK_BACK
    page: list[str] = []
    handed = 0
    for key in due.due(since, now):
        page.append(key)
        if len(page) == PAGE:
            handed += _hand_on(page, due, ledger, decide_queue, run_queue, clock, look_queue)
            page = []
            if time_left() < 10:
                return handed
    handed += _hand_on(page, due, ledger, decide_queue, run_queue, clock, look_queue)
    # An hour's slack: an item may be written into its slot after the sweep went by.
    due.set_watermark(now - timedelta(hours=1))
    return handed


def _hand_on(
    page: list[str],
    due: DueIndex,
    ledger: Ledger,
    decide_queue: DecideQueue,
    run_queue: RunQueue,
    clock: Clock,
    look_queue: LookQueue | None,
) -> int:
    now = clock.now()
    others = due.waiting(page)
    digests = [row for row in others if row[1] == "digests"]
    looks = [row for row in others if row[1] != "digests"] if look_queue is not None else []
    if digests:
        named = [name.partition("/") for _, _, name in digests]
        run_queue.send_runs([(domain, run_id) for domain, _, run_id in named], "digests")
        due.forget([key for key, _, _ in digests], now)
    if looks and look_queue is not None:
        look_queue.send_looks([(kind, name) for _, kind, name in looks])
        due.forget([key for key, _, _ in looks], now)
    runs = due.runs_due(page)
    if runs:
        run_queue.send_runs([(domain, run_id) for _, domain, run_id in runs])
        due.forget([key for key, _, _ in runs], now)
    waiting = {key for key, _, _ in (*runs, *looks, *digests)}
    stored = ledger.get([key for key in page if key not in waiting])
    limit = now.isoformat(timespec="seconds")
    released = [
        happened(replace(notice, due_at=_again_at(notice, now)), now, RELEASED)
        for notice in stored.values()
        if notice.due_at and notice.due_at <= limit
    ]
    blocked = ledger.put(released)
    groups: dict[tuple[str, int, str, str], list[Notice]] = {}
    for notice in released:
        if notice.notice_id not in blocked and notice.origin.part:
            origin = notice.origin
            key = (origin.run, origin.slice_number, notice.purpose, notice.rule_version)
            groups.setdefault(key, []).append(notice)
    pointers = [pointer_to(notices) for notices in groups.values()]
    if pointers:
        decide_queue.send_slices(pointers, spread=SPREAD if len(pointers) > PAGE // 2 else 0.0)
    return len(runs) + len(looks) + len(digests) + sum(map(len, groups.values()))


def _again_at(notice: Notice, now: datetime) -> str:
    if not notice.origin.part:
        return ""  # a note, of no record: there is nothing to decide on again
    before = sum(1 for _ in takewhile(lambda event: event.what == RELEASED, reversed(notice.events)))
    pause = min(HAND_ON_AGAIN * (1 << min(before, 10)), timedelta(days=1))
    return (now + pause).isoformat(timespec="seconds")
