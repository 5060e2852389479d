"""What receipts need beside the ledger, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.receipts import Receipt
from exstream_notify.domain.watching import Watched

from .clock import FakeClock


class FakeReceiptEvidence:
    """`ReceiptEvidence`: what is written stays; `again` never writes over anything."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Mapping[str, object]]] = {}
        self._names = 0

    def reference(self) -> str:
        """See `ReceiptEvidence.reference`."""
        self._names += 1
        return f"evidence/receipts/{self._names}.jsonl"

    def anchor(self, reference: str, rows: Sequence[Mapping[str, object]], *, again: bool = False) -> None:
        """See `ReceiptEvidence.anchor`."""
        if not (again and reference in self.objects):
            self.objects[reference] = list(rows)


class FakeEarlyReceipts:
    """`EarlyReceipts`."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Receipt, datetime]] = {}
        self.given_up: list[Receipt] = []

    def keep(self, receipts: Sequence[Receipt], now: datetime) -> None:
        """See `EarlyReceipts.keep`."""
        for receipt in receipts:
            # As the real one does: no address is kept, only its hash.
            self.kept.setdefault(receipt.identity, (replace(receipt, recipient=""), now))

    def waiting(self, limit: int) -> list[tuple[Receipt, datetime]]:
        """See `EarlyReceipts.waiting`."""
        return sorted(self.kept.values(), key=lambda row: row[1])[:limit]

    def forget(self, receipts: Sequence[Receipt]) -> None:
        """See `EarlyReceipts.forget`."""
        for receipt in receipts:
            self.kept.pop(receipt.identity, None)

    def give_up(self, receipts: Sequence[Receipt]) -> None:
        """See `EarlyReceipts.give_up`."""
        self.forget(receipts)
        self.given_up += receipts


class FakeReputation:
    """`Reputation`."""

    def __init__(self) -> None:
        self.counts: dict[tuple[Channel, str, datetime], dict[str, int]] = {}
        self.unproven: dict[datetime, int] = {}
        self._stopped: dict[Channel, str] = {}

    def add(self, channel: Channel, sender: str, at: datetime, counts: Mapping[str, int]) -> None:
        """See `Reputation.add`."""
        hour = self.counts.setdefault((channel, sender, at.replace(minute=0, second=0, microsecond=0)), {})
        for name, number in counts.items():
            hour[name] = hour.get(name, 0) + number

    def last_day(self, now: datetime) -> dict[tuple[Channel, str], dict[str, int]]:
        """See `Reputation.last_day`."""
        totals: dict[tuple[Channel, str], dict[str, int]] = {}
        for (channel, sender, hour), counts in self.counts.items():
            if now - timedelta(hours=24) < hour <= now:
                mine = totals.setdefault((channel, sender), {})
                for name, number in counts.items():
                    mine[name] = mine.get(name, 0) + number
        return totals

    def count_unproven(self, at: datetime, number: int) -> int:
        """See `Reputation.count_unproven`."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        self.unproven[hour] = self.unproven.get(hour, 0) + number
        return self.unproven[hour]

    def stopped(self) -> dict[Channel, str]:
        """See `Reputation.stopped`."""
        return self._stopped

    def stop(self, channels: Mapping[Channel, str]) -> None:
        """See `Reputation.stop`."""
        self._stopped = dict(channels)


class FakeDeliveryWatch:
    """`DeliveryWatch`."""

    def __init__(self) -> None:
        self.watched: dict[str, Watched] = {}

    def add(self, watched: Watched) -> None:
        """See `DeliveryWatch.add`."""
        self.watched[watched.job] = watched

    def due(self, now: datetime, limit: int) -> list[Watched]:
        """See `DeliveryWatch.due`."""
        until = now.isoformat(timespec="seconds")
        return sorted((w for w in self.watched.values() if w.due_at <= until), key=lambda w: w.due_at)[:limit]

    def done(self, watched: Watched) -> None:
        """See `DeliveryWatch.done`."""
        self.watched.pop(watched.job, None)


class FakeStatusSource:
    """`StatusSource`: what a test puts into `receipts`, by job."""

    def __init__(self, clock: FakeClock) -> None:
        self.receipts: dict[str, list[Receipt]] = {}
        self.asked: list[str] = []
        self._clock = clock

    def receipts_of(self, channel: Channel, job_ids: Collection[str]) -> tuple[list[Receipt], list[str]]:
        """See `StatusSource.receipts_of`."""
        self.asked += job_ids
        found = [receipt for job in job_ids for receipt in self.receipts.get(job, ())]
        return found, [job for job in job_ids if job not in self.receipts]
