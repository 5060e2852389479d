"""The notices and their due index, in memory."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import cast, get_args

from exstream_notify.adapters.dynamodb.batches import size_of
from exstream_notify.adapters.dynamodb.ledger import to_item
from exstream_notify.domain.due import WaitKind, slot, slots
from exstream_notify.domain.notices import Notice, Status
from exstream_notify.domain.work import SlicePointer

_LONG = 200
"""Events from which a notice is measured; shorter ones fit."""

_ITEM = 400 * 1024
"""Bytes that DynamoDB takes in one item."""


class FakeLedger:
    """`Ledger`: every write is conditional on the version, each for itself.

    `history` holds every version that was ever stored, in order, so that a test can tell what
    moved; a benchmark leaves it out.
    """

    def __init__(self, *, history: bool = True) -> None:
        self.notices: dict[str, Notice] = {}
        self.history: list[Notice] = []
        self.due_at: dict[str, str] = {}
        self._keeps_history = history
        self._lock = threading.Lock()

    def put(self, notices: Sequence[Notice]) -> dict[str, Notice]:
        """See `Ledger.put`; as in a transaction, one id may be written once."""
        if len({n.notice_id for n in notices}) != len(notices):
            raise ValueError("one write names a notice twice")
        blocked: dict[str, Notice] = {}
        with self._lock:
            for notice in notices:
                stored = self.notices.get(notice.notice_id)
                if (stored.version if stored else 0) == notice.version - 1:
                    self._store(notice)
                elif stored is not None and stored != notice:
                    blocked[notice.notice_id] = stored
        return blocked

    def get(self, notice_ids: Collection[str]) -> dict[str, Notice]:
        """See `Ledger.get`."""
        with self._lock:
            return {key: self.notices[key] for key in notice_ids if key in self.notices}

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """See `ResponseLedger.of_customer`."""
        return self._about(lambda n: (n.domain, n.customer_key) == (domain, customer_key))

    def of_document(self, domain: str, document_id: str) -> list[Notice]:
        """See `ResponseLedger.of_document`."""
        return self._about(
            lambda n: (n.domain, n.document_id, n.audience) == (domain, document_id, "customer")
        )

    def of_case(self, domain: str, case_id: str) -> list[Notice]:
        """See `ResponseLedger.of_case`."""
        return self._about(lambda n: (n.domain, n.case_id) == (domain, case_id))

    def on_paper(self, run: str) -> list[Notice]:
        """See `DynamoLedger.on_paper`."""
        return self._about(lambda n: (n.origin.run, n.status, n.audience) == (run, Status.PAPER, "customer"))

    def _about(self, matches: Callable[[Notice], bool]) -> list[Notice]:
        with self._lock:
            found = [n for n in self.notices.values() if matches(n)]
        return sorted(found, key=lambda n: (n.created_at, n.notice_id))

    def _store(self, notice: Notice) -> None:
        if len(notice.events) > _LONG and size_of(to_item(notice)) > _ITEM:
            raise ValueError("Item size has exceeded the maximum allowed size")
        self.notices[notice.notice_id] = notice
        if self._keeps_history:
            self.history.append(notice)
        if notice.due_at:
            self.due_at[notice.notice_id] = notice.due_at
        else:
            self.due_at.pop(notice.notice_id, None)


class FakeDueIndex:
    """`DueIndex` over a ledger's notices and waiting runs: only the slots that are asked for are read."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self._runs: dict[str, str] = {}
        self._looks: dict[str, SlicePointer] = {}
        self._watermark: datetime | None = None

    def due(self, since: datetime, until: datetime) -> Iterator[str]:
        """See `DueIndex.due`."""
        limit = until.isoformat(timespec="seconds")
        by_slot: dict[str, list[tuple[str, str]]] = {}
        for key, due_at in (*self._ledger.due_at.items(), *self._runs.items()):
            if due_at <= limit:
                by_slot.setdefault(slot(key, due_at), []).append((due_at, key))
        for name in slots(since, until):
            for _, key in sorted(by_slot.get(name, ())):
                yield key

    def wait(self, kind: WaitKind, name: str, until: datetime, *, keep: bool = False) -> None:
        """See `DueIndex.wait`."""
        key = f"{kind}:{name}"
        if not (keep and key in self._runs):
            self._runs[key] = until.isoformat(timespec="seconds")

    def waiting(self, ids: Collection[str]) -> list[tuple[str, WaitKind, str]]:
        """See `DueIndex.waiting`."""
        rows: list[tuple[str, WaitKind, str]] = []
        for key in ids:
            kind, _, name = key.partition(":")
            if kind in get_args(WaitKind):
                rows.append((key, cast(WaitKind, kind), name))
        return rows

    def wait_for_run(self, domain: str, run_id: str, until: datetime) -> None:
        """See `DueIndex.wait_for_run`."""
        self._runs[f"run:{domain}/{run_id}"] = until.isoformat(timespec="seconds")

    def runs_due(self, ids: Collection[str]) -> list[tuple[str, str, str]]:
        """See `DueIndex.runs_due`."""
        rows = []
        for key in ids:
            if key.startswith("run:"):
                domain, _, run_id = key.removeprefix("run:").partition("/")
                rows.append((key, domain, run_id))
        return rows

    def wait_for_look(self, name: str, pointer: SlicePointer, until: datetime) -> str:
        """See `DueIndex.wait_for_look`."""
        key = f"look:{name}"
        self._runs[key], self._looks[key] = until.isoformat(timespec="seconds"), pointer
        return key

    def looks_due(self, ids: Collection[str]) -> list[tuple[str, SlicePointer]]:
        """See `DueIndex.looks_due`."""
        return [(key, self._looks[key]) for key in ids if key in self._looks and key in self._runs]

    def forget(self, ids: Collection[str], until: datetime) -> None:
        """See `DueIndex.forget`."""
        for key in ids:
            if self._runs.get(key, "9") <= until.isoformat(timespec="seconds"):
                del self._runs[key]

    def watermark(self) -> datetime | None:
        """See `DueIndex.watermark`."""
        return self._watermark

    def set_watermark(self, at: datetime) -> None:
        """See `DueIndex.set_watermark`."""
        self._watermark = at

    @property
    def waits(self) -> dict[str, str]:
        """What waits beside the notices, with when it is due."""
        return dict(self._runs)

    def next_due(self) -> datetime | None:
        """When the next thing is due (or was), for a test that moves time on; None: nothing waits."""
        times = (*self._ledger.due_at.values(), *self._runs.values())
        return datetime.fromisoformat(min(times)) if times else None
