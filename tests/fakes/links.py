"""What stands around a secure link, in memory: documents, tries, responses that came early."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from exstream_notify.domain.payments import Debt
from exstream_notify.domain.records import path_in_run
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse


class FakeTries:
    """`TryCounter`."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, subjects: Sequence[str]) -> list[int]:
        """See `TryCounter.count`."""
        for subject in subjects:
            self.counts[subject] = self.counts.get(subject, 0) + 1
        return [self.counts[subject] for subject in subjects]

    def highest(self, subjects: Sequence[str]) -> int:
        """See `TryCounter.highest`."""
        return max(self.counts.get(subject, 0) for subject in subjects)

    def clear(self, subjects: Sequence[str]) -> None:
        """See `TryCounter.clear`."""
        for subject in subjects:
            self.counts.pop(subject, None)


class FakeEarlyResponses:
    """`EarlyResponses`; nothing ends by itself, `until` says when it would."""

    def __init__(self) -> None:
        self.until: dict[tuple[str, str], datetime] = {}
        self.kept: dict[tuple[str, str], EarlyResponse] = {}
        self.most_payments = 200

    def keep(self, domain: str, subject: str, response: EarlyResponse, until: datetime) -> None:
        """See `EarlyResponses.keep`."""
        before = self.kept.get((domain, subject))
        self.until[domain, subject] = until
        self.kept[domain, subject] = replace(response, payments=before.payments if before else ())

    def keep_payment(self, domain: str, subject: str, payment: EarlyPayment, until: datetime) -> bool:
        """See `EarlyResponses.keep_payment`."""
        before = self.kept.get((domain, subject)) or EarlyResponse("paid", "", "")
        if payment not in before.payments:
            if len(before.payments) >= self.most_payments:
                return False
            self.kept[domain, subject] = replace(before, payments=(*before.payments, payment))
            self.until[domain, subject] = until
        return True

    def register(self, domain: str, subject: str, debt: Debt) -> None:
        """See `EarlyResponses.register`."""
        before = self.kept[domain, subject]
        self.kept[domain, subject] = replace(before, debts=(*before.debts, debt))

    def on(self, domain: str, subjects: Collection[str]) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        return {subject: self.kept[domain, subject] for subject in subjects if (domain, subject) in self.kept}


class FakeDocuments:
    """`DocumentStore` of the files named in `files`, as `<run>/<path>`."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def address(self, run: str, path: str, name: str, *, inline: bool, language: str) -> str | None:
        """See `DocumentStore.address`."""
        key = f"{run}/{path_in_run(path)}"
        shown = "inline" if inline else "attachment"
        return f"https://drop.example.com/{key}?{shown}={name}" if key in self.files else None
