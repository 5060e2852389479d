"""The run book, in memory."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from exstream_notify.domain.expectations import Arrival
from exstream_notify.domain.runs import HISTORY_LENGTH, DigestRow, RecordOutcome, Run
from exstream_notify.domain.work import Parked, SendJob, SlicePointer


class FakeRunBook:
    """`RunBook`: what a slice or a job says replaces what it said before, whole."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._settled: dict[str, int] = {}
        self._slices: dict[str, dict[int, tuple[RecordOutcome, ...]]] = {}
        self._digests: dict[str, dict[int, tuple[DigestRow, ...]]] = {}
        self._jobs: dict[str, dict[str, tuple[RecordOutcome, ...]]] = {}
        self._parked: dict[str, dict[tuple[str, str], Parked]] = {}
        self._marks = 0
        self._volumes: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self._arrivals: dict[tuple[str, str], Arrival] = {}
        self.early: dict[str, datetime] = {}  # domains with responses on documents, and until when
        self._lock = threading.Lock()

    def with_early(self, domain: str, run_id: str) -> tuple[Run | None, bool]:
        """See `RunBook.with_early`."""
        return self.get(domain, run_id), domain in self.early

    def keep_early(self, domain: str, until: datetime) -> None:
        """See `RunBook.keep_early`; nothing ends by itself."""
        self.early[domain] = max(until, self.early.get(domain, until))

    def get(self, domain: str, run_id: str) -> Run | None:
        """See `RunBook.get`."""
        return self._runs.get(f"{domain}/{run_id}")

    def put(self, run: Run) -> bool:
        """See `RunBook.put`."""
        with self._lock:
            known = self._runs.get(run.name)
            if (known.version if known else 0) != run.version - 1:
                return False
            self._runs[run.name] = run
            return True

    def all(self) -> list[Run]:
        """Every run, by its name."""
        return [run for _, run in sorted(self._runs.items())]

    def open(self) -> Iterator[Run]:
        """See `OpenRuns.open`."""
        yield from sorted(
            (run for run in self._runs.values() if self._settled.get(run.name) != run.version),
            key=lambda run: run.changed_at,
        )

    def settle(self, run: Run) -> None:
        """See `OpenRuns.settle`."""
        self._settled[run.name] = run.version

    def digests(self, domain: str, run_id: str) -> Iterator[DigestRow]:
        """See `RunBook.digests`."""
        for _, rows in sorted(self._digests.get(f"{domain}/{run_id}", {}).items()):
            yield from rows

    def put_slice(
        self, pointer: SlicePointer, outcomes: Sequence[RecordOutcome], digests: Sequence[DigestRow] = ()
    ) -> None:
        """See `RunBook.put_slice`."""
        self._digests.setdefault(pointer.run, {})[pointer.number] = tuple(digests)
        self._slices.setdefault(pointer.run, {})[pointer.number] = tuple(outcomes)

    def put_job(self, run: str, job: str, outcomes: Sequence[RecordOutcome]) -> None:
        """See `RunBook.put_job`."""
        self._jobs.setdefault(run, {})[job] = tuple(outcomes)

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """See `RunBook.outcomes`; jobs come in the order of their names, which says nothing of time."""
        run = f"{domain}/{run_id}"
        for _, rows in sorted(self._slices.get(run, {}).items()):
            yield from rows
        for _, words in sorted(self._jobs.get(run, {}).items()):
            yield from words

    def park(self, job: SendJob) -> None:
        """See `RunBook.park`."""
        self._marks += 1
        self._parked.setdefault(job.pointer.run, {})[job.aside] = Parked(job, str(self._marks))

    def parked(self, domain: str, run_id: str) -> list[Parked]:
        """See `RunBook.parked`."""
        return list(self._parked.get(f"{domain}/{run_id}", {}).values())

    def unpark(self, parked: Sequence[Parked]) -> None:
        """See `RunBook.unpark`."""
        for one in parked:
            aside = self._parked.get(one.job.pointer.run, {})
            if aside.get(one.job.aside) == one:
                del aside[one.job.aside]

    def arrived(self, domain: str, run_id: str, app: str, at: datetime) -> None:
        """See `RunBook.arrived`."""
        known = self._arrivals.get((domain.lower(), run_id), Arrival(run_id, app, at))
        self._arrivals[domain.lower(), run_id] = replace(known, app=app)

    def came_late(self, domain: str, arrival: Arrival, expected: str) -> None:
        """See `RunBook.came_late`."""
        known = self._arrivals[domain.lower(), arrival.run_id]
        self._arrivals[domain.lower(), arrival.run_id] = replace(known, late_for=known.late_for | {expected})

    def arrivals(self, domain: str, since: datetime, until: datetime) -> list[Arrival]:
        """See `RunBook.arrivals`."""
        found = self._arrivals.items()
        return [one for (where, _), one in found if where == domain.lower() and since <= one.at <= until]

    def volumes(self, domain: str, app: str) -> list[int]:
        """See `RunBook.volumes`."""
        return [documents for _, documents in self._volumes.get((domain, app), [])]

    def add_volume(self, domain: str, app: str, run_id: str, documents: int) -> None:
        """See `RunBook.add_volume`."""
        rows = [row for row in self._volumes.get((domain, app), []) if row[0] != run_id]
        self._volumes[domain, app] = [*rows, (run_id, documents)][-HISTORY_LENGTH:]
