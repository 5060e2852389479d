"""Cohorts and executions in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from exstream_notify.domain.journeys import Cohort, JourneyRule, MemberRow
from exstream_notify.domain.notices import Notice
from exstream_notify.ports import CohortState

from .ledger import FakeLedger


class FakeJourneyBook:
    """`JourneyBook`: rows by cohort and name; a cohort that is done keeps its generation."""

    def __init__(self) -> None:
        self.rows: dict[Cohort, dict[str, MemberRow]] = {}
        self.open: dict[Cohort, CohortState] = {}
        self.generations: dict[Cohort, int] = {}
        self.kept_until: dict[str, datetime | None] = {}
        self.aside: dict[str, dict[tuple[Cohort, str], MemberRow]] = {}
        self.groups: dict[Cohort, dict[str, dict[str, MemberRow]]] = {}
        self.words: dict[str, list[Mapping[str, str]]] = {}
        self.switches: dict[str, list[Mapping[str, str]]] = {}
        self.rules: dict[tuple[str, str], JourneyRule] = {}

    def enrol(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.enrol`."""
        self.rows.setdefault(cohort, {}).update({row.name: row for row in rows})
        self._touch(cohort)

    def cohorts(self, until: datetime) -> list[CohortState]:
        """See `JourneyBook.cohorts`."""
        return [self.open[cohort] for cohort in sorted(self.open) if cohort.due <= until]

    def started(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.started`."""
        if cohort in self.open:
            self.open[cohort] = CohortState(cohort, generation, started=True)

    def members(self, cohort: Cohort, limit: int) -> list[MemberRow]:
        """See `JourneyBook.members`."""
        return [row for _, row in sorted(self.rows.get(cohort, {}).items())][:limit]

    def leave(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.leave`."""
        for row in rows:
            self.rows[cohort].pop(row.name, None)

    def reopen(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.reopen`."""
        self.open[cohort] = CohortState(cohort, generation, started=False)

    def finish(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.finish`."""
        self.generations[cohort] = generation
        self.open.pop(cohort, None)
        if self.rows.get(cohort):
            self._touch(cohort)

    def park(self, under: str, cohort: Cohort, row: MemberRow, until: datetime | None = None) -> None:
        """See `JourneyBook.park`."""
        self.aside.setdefault(under, {})[cohort, row.name] = row
        self.kept_until[under] = until

    def parked(self, under: str) -> list[tuple[Cohort, MemberRow]]:
        """See `JourneyBook.parked`."""
        return [(cohort, row) for (cohort, _), row in self.aside.get(under, {}).items()]

    def unpark(self, under: str, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.unpark`."""
        for row in rows:
            self.aside[under].pop((cohort, row.name), None)

    def gather(self, cohort: Cohort, customer: str, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.gather`."""
        mine = self.groups.setdefault(cohort, {}).setdefault(customer, {})
        mine.update({repr(row): row for row in rows})

    def gathered(self, cohort: Cohort, limit: int) -> dict[str, list[MemberRow]]:
        """See `JourneyBook.gathered`."""
        found = sorted(self.groups.get(cohort, {}).items())[:limit]
        return {customer: list(rows.values()) for customer, rows in found}

    def scatter(self, cohort: Cohort, customers: Collection[str]) -> None:
        """See `JourneyBook.scatter`."""
        for customer in customers:
            self.groups.get(cohort, {}).pop(customer, None)

    def stop_run(self, run: str, word: Mapping[str, str]) -> None:
        """See `JourneyBook.stop_run`."""
        self.words.setdefault(run, []).append(word)

    def run_words(self, run: str) -> list[Mapping[str, str]]:
        """See `JourneyBook.run_words`."""
        return list(self.words.get(run, ()))

    def switch(self, journey: str, word: Mapping[str, str]) -> None:
        """See `JourneyBook.switch`."""
        self.switches.setdefault(journey, []).append(word)

    def switched(self, journey: str) -> list[Mapping[str, str]]:
        """See `JourneyBook.switched`."""
        return list(self.switches.get(journey, ()))

    def keep_rule(self, rule: JourneyRule) -> None:
        """See `JourneyBook.keep_rule`."""
        self.rules[rule.name, rule.version] = rule

    def rule(self, name: str, version: str) -> JourneyRule | None:
        """See `JourneyBook.rule`."""
        return self.rules.get((name, version))

    def _touch(self, cohort: Cohort) -> None:
        if cohort not in self.open:
            self.open[cohort] = CohortState(cohort, self.generations.get(cohort, 0), started=False)


class FakeExecutions:
    """`Executions`: names are never forgotten; `wait_for` says which run and when they wake."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.running: dict[str, tuple[Cohort, int, int]] = {}

    def start(self, cohort: Cohort, generation: int) -> bool:
        """See `Executions.start`."""
        name = cohort.execution(generation)
        if name in self.names:
            return False
        self.names.append(name)
        self.running[name] = (cohort, generation, 1)
        return True

    def runs(self, cohort: Cohort, generation: int) -> bool:
        """See `Executions.runs`."""
        return cohort.execution(generation) in self.running

    def next_due(self) -> datetime | None:
        """When the first of those that run wakes."""
        return min((cohort.due for cohort, _, _ in self.running.values()), default=None)

    def wake(self, now: datetime, advance: Callable[[Cohort, int, int], bool]) -> None:
        """Run what is due to its end; `advance` says whether there is a further page."""
        due = [name for name, (cohort, _, _) in self.running.items() if cohort.due <= now]
        for name in due:
            cohort, generation, page = self.running[name]
            while advance(cohort, generation, page):
                page += 1
            del self.running[name]


class FakeJourneyEvents:
    """`JourneyEvents`."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, object]] = []

    def unanswered(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `JourneyEvents.unanswered`."""
        self.told += details


class FakeCustomerNotices:
    """`CustomerNotices` over a ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """See `CustomerNotices.of_customer`."""
        found = [
            n for n in self._ledger.notices.values() if (n.domain, n.customer_key) == (domain, customer_key)
        ]
        return sorted(found, key=lambda n: (n.created_at, n.notice_id))
