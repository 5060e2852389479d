"""Record payments and reversals: what they make of each notice, and what follows when one is open again."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..domain.decisions import Why
from ..domain.documents import Document
from ..domain.exceptions import ExceptionRaised
from ..domain.journeys import IsHoliday, due_at, has_ended, joins, went_out
from ..domain.notices import Notice, Origin, Status
from ..domain.payments import NO_PAYMENTS, Payments
from ..domain.responses import (
    EARLY_DAYS,
    EarlyResponse,
    ResponseEvent,
    conflicts,
    customer_subject,
    early_payment,
    early_payments,
    is_foreign,
    of_known,
    subjects_of,
    with_payment,
)
from ..ports import Clock, ContactBook, EarlyResponses, ExceptionBus, JourneyBook, Records, Rules
from .control_journeys import bring_back
from .join_journeys import member_of
from .slices import document_of

UNCOUNTED = "payment_uncounted"
"""A payment, or a reversal, that could not be set against what is due."""

REOPENED = "payment_reversed"
"""A payment was taken back, and nothing follows by itself."""


@dataclass(frozen=True, slots=True)
class PaymentPorts:
    """What recording payments takes."""

    early: EarlyResponses
    records: Records
    rules: Rules
    contacts: ContactBook
    journeys: JourneyBook
    exceptions: ExceptionBus
    is_holiday: IsHoliday
    clock: Clock


def keep_early(event: ResponseEvent, ports: PaymentPorts) -> None:
    """Keep a payment whose notice is not known yet; one too many is reported.

    It is kept by its document alone, too, for the document may be another customer's.
    """
    now = ports.clock.now()
    until = now + timedelta(days=EARLY_DAYS)
    kept = early_payment(event, now)
    if event.customer_key and event.document_id:
        ports.early.keep_payment(event.domain, replace(event, customer_key="").subject, kept, until)
    if not ports.early.keep_payment(event.domain, event.subject, kept, until):
        ports.exceptions.raise_exceptions([uncounted(event, "", "too many payments before the notice")])


@dataclass(slots=True)
class PaymentRecorder:
    """One payment, or one reversal, on each of its notices; `respond` is what `record` calls.

    Made anew for each event.
    """

    event: ResponseEvent
    ports: PaymentPorts
    _documents: dict[str, Document | None] = field(default_factory=dict)
    _early: dict[str, Payments] = field(default_factory=dict)
    _accounts: dict[str, EarlyResponse] = field(default_factory=dict)
    _after: dict[str, Notice] = field(default_factory=dict)
    _trouble: dict[str, tuple[str, str]] = field(default_factory=dict)

    def look_up(self, notices: Collection[Notice]) -> None:
        """Read what is due on these notices, and what was paid before they were known."""
        read: dict[Origin, Document | None] = {}
        for notice in notices:
            # A payment of everything settles whatever is due, so the record is not needed.
            if self.event.amount or self.event.reverses or notice.payments:
                if notice.record not in read:
                    read[notice.record] = document_of(notice, self.ports.records)
                self._documents[notice.notice_id] = read[notice.record]
        now = self.ports.clock.now()
        found = {key: d for key, d in self._documents.items() if d is not None}
        subjects = {subject for document in found.values() for subject in subjects_of(document)}
        customers = {self.event.customer_key, *(n.customer_key for n in notices)} - {""}
        accounts = {customer_subject(customer) for customer in customers}
        kept = self.ports.early.on(self.event.domain, subjects | accounts)
        self._accounts = {subject: early for subject, early in kept.items() if subject in accounts}
        self._early = {key: early_payments(document, of_known(kept), now) for key, document in found.items()}

    def respond(self, notice: Notice) -> Notice | None:
        """The notice with the payment; None if it was counted before."""
        document = self._documents.get(notice.notice_id)
        any_payment = self._any_payment_settles(document)
        after = with_payment(
            notice,
            self.event,
            document,
            self.ports.clock.now(),
            any_payment_settles=any_payment,
            early=self._early.get(notice.notice_id, NO_PAYMENTS),
            accounts=self._accounts_of(notice),
        )
        self._after[notice.notice_id] = after or notice
        if why := self._not_counted(notice, after, document, any_payment):
            self._trouble[notice.notice_id] = (notice.origin.run.partition("/")[2], why)
        return after

    def follow_up(self) -> Counter[str]:
        """Have journeys go on that a payment had ended, and report what needs a person."""
        first = [n for n in self._after.values() if n.purpose == "notice"]
        raised = [
            uncounted(self.event, *self._trouble[n.notice_id]) for n in first if n.notice_id in self._trouble
        ]
        again = [n for n in first if is_reopened(n)] if self.event.reverses else []
        counts = go_on(self.event, again, self._documents, self.ports, raised)
        # Notices of one run and one reason are one report.
        once = {(e.code, e.run_id, e.part, e.text): e for e in raised}
        self.ports.exceptions.raise_exceptions(list(once.values()))
        return counts

    def _accounts_of(self, notice: Notice) -> Iterable[EarlyResponse]:
        of_both = (customer_subject(key) for key in (notice.customer_key, self.event.customer_key))
        return (self._accounts[subject] for subject in of_both if subject in self._accounts)

    def _any_payment_settles(self, document: Document | None) -> bool:
        return document is not None and self.ports.rules.for_document(document).any_payment_settles

    def _not_counted(
        self, before: Notice, after: Notice | None, document: Document | None, any_payment: bool
    ) -> str:
        if after is None:
            other = conflicts(before.payments.like(self.event.fact), self.event.fact)
            return "another amount than before was reported for the same payment" if other else ""
        fact = self.event.fact
        if document is not None and not any_payment and is_foreign(self.event, document):
            return "the payment is in another currency than the document"
        if self.event.reverses and not fact.loose and not after.payments.knows_payment(fact.of):
            return "a reversal names a payment that is not known"
        return ""


def go_on(
    event: ResponseEvent,
    reopened: Iterable[Notice],
    documents: Mapping[str, Document | None],
    ports: PaymentPorts,
    raised: list[ExceptionRaised],
) -> Counter[str]:
    """Have the journeys go on of notices that are not paid any more; where nothing follows it is `raised`."""
    counts: Counter[str] = Counter()
    for notice in (n for n in reopened if n.purpose == "notice"):
        if _goes_on(notice, documents.get(notice.notice_id), ports):
            counts["reopened"] += 1
        else:
            raised.append(_left_open(event, notice))
    return counts


def _goes_on(notice: Notice, document: Document | None, ports: PaymentPorts) -> bool:
    """Whether something follows by itself: what lay aside is brought back first."""
    now = ports.clock.now()
    if bring_back(notice.notice_id, ports.journeys, ports.rules, now):
        return True
    if notice.status == Status.DEFERRED:
        return True
    return document is not None and went_out(notice) and _is_in_a_journey(notice, document, ports, now)


def _is_in_a_journey(notice: Notice, document: Document, ports: PaymentPorts, now: datetime) -> bool:
    demanded = ports.rules.for_document(document).demands_payment
    for rule in ports.rules.journeys().values():
        if not joins(rule, document, demanded) or has_ended(rule, notice):
            continue
        last = due_at(rule, rule.steps[-1], member_of(notice, document, ports.rules), ports.is_holiday)
        if last is not None and last > now:
            return True
    return False


def is_reopened(notice: Notice) -> bool:
    """Whether a notice that was paid, perhaps before anybody was notified, is not paid any more."""
    was_paid = notice.why == Why.RESPONDED or any(e.what == "paid" for e in notice.events)
    return was_paid and "paid" not in notice.responses


def uncounted(event: ResponseEvent, run_id: str, why: str) -> ExceptionRaised:
    """The report of a payment, or of a reversal, that could not be set against what is due."""
    return ExceptionRaised(
        UNCOUNTED,
        "warning",
        event.domain,
        run_id or "none",
        f"a payment was not counted: {why}",
        part=f"payment {event.fact.key}",
    )


def _left_open(event: ResponseEvent, notice: Notice) -> ExceptionRaised:
    detail: Mapping[str, str] = {"notices": notice.notice_id}
    return ExceptionRaised(
        REOPENED,
        "warning",
        event.domain,
        notice.origin.run.partition("/")[2] or "none",
        "a payment was taken back of a document that nothing more is sent about",
        part=f"payment {event.fact.key} {notice.notice_id}",
        detail=detail,
        document_type=notice.document_type,
    )
