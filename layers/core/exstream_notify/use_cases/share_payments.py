"""Record payments that name only a customer: they are shared out over what that customer owes."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from ..domain.exceptions import ExceptionRaised
from ..domain.notices import Notice
from ..domain.payments import debt_key
from ..domain.responses import (
    ResponseEvent,
    conflicts,
    customer_subject,
    is_reversed_by,
    shared_payment,
)
from ..domain.sharing import LOOK_BACK
from ..ports import ResponseLedger, RunBook
from .owing import Settled, Sharing
from .record_payment import PaymentPorts, go_on, is_reopened, uncounted
from .slices import document_of

SHARED_DAYS = 400
"""How long a shared payment is kept, so that it can be taken back: a direct debit can be for 13 months."""

UNASSIGNED = "payment_unassigned"
"""A payment that no document takes: a person has to say what it is for."""

_NAMED = 20


@dataclass(slots=True)
class SharedPayments:
    """The shared payments of one event's customers. Made anew for each event."""

    event: ResponseEvent
    ledger: ResponseLedger
    runs: RunBook
    ports: PaymentPorts
    sharing: Sharing = field(init=False)
    _raised: list[ExceptionRaised] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Share out with the same ports."""
        p = self.ports
        self.sharing = Sharing(
            self.event.domain, p.early, self.ledger, p.records, p.rules, p.contacts, p.clock
        )

    def named_before(self, notices: Collection[Notice]) -> list[Notice]:
        """The notices on which this payment, or the one that is taken back, was counted by its document."""
        fact = self.event.fact
        key = fact.of if fact.kind == "reversal" else fact.key
        return [n for n in notices if n.payments.without_shares().knows_payment(key)]

    def takes_back_shared(self, notices: Collection[Notice]) -> str:
        """The customer whose shared payment a reversal takes back, whatever document it names; or empty.

        One that was assigned to a document afterwards counts there, and is taken back there.
        """
        if not self.event.reverses:
            return ""
        customers = dict.fromkeys(filter(None, (self.event.customer_key, *(n.customer_key for n in notices))))
        for customer in customers:
            if any(e.fact.key == self.event.fact.of for e in self.sharing.account(customer).payments):
                assigned = self.named_before(self.ledger.of_customer(self.event.domain, customer))
                return "" if assigned else customer
        return ""

    def record(self, customer_key: str) -> Counter[str]:
        """Record a payment, or a reversal, among the customer's shared ones, and share them out."""
        event, fact, now = self.event, self.event.fact, self.ports.clock.now()
        pool = self.sharing.account(customer_key).payments
        known = next((e.fact for e in pool if (e.fact.kind, e.fact.key) == (fact.kind, fact.key)), None)
        of_known = any(e.fact.key == fact.of for e in pool)
        if fact.kind == "payment" and not fact.amount:
            return self._to_team("it names neither a document nor an amount")
        by_rule = self.ports.rules.domain(event.domain).payments_without_document == "team"
        if by_rule and not known and not of_known:
            return self._to_team("it names no document")
        if conflicts(known, fact):
            self._report(uncounted(event, "", "another amount than before was reported for the same payment"))
        if known is None:
            until = now + timedelta(days=SHARED_DAYS)
            kept = shared_payment(event, customer_key, now)
            if not self.ports.early.keep_payment(event.domain, customer_subject(customer_key), kept, until):
                return self._to_team("the customer has too many payments")
            self.runs.keep_early(event.domain, until)
        if fact.kind == "reversal" and not of_known:
            self._report(uncounted(event, "", "a reversal names a payment that is not known"))
        settled = self.sharing.settle(customer_key, event)
        told, notices, left = self._followed(settled), settled.notices, settled.shares.credit.get(fact.key)
        if not told:
            word = "known" if known else "reversed" if event.reverses else "recorded"
            told[word if notices or known else "early"] += 1
        if left and notices:
            told["unassigned"] += 1
            why = "no open document takes all of it"
            self._report(self._unassigned(why, notices, left=f"{left:f} {fact.currency}".strip()))
        self._raise()
        return told

    def share_again(self, customers: Iterable[str]) -> Counter[str]:
        """Share out anew what these customers paid, after something else changed what they owe."""
        told: Counter[str] = Counter()
        for customer in customers:
            settled = self.sharing.settle(customer, self.event)
            told += self._followed(settled)
            self._report_rest(settled)
        self._raise()
        return told

    def _report_rest(self, settled: Settled) -> None:
        """Report what is left of a shared payment that was assigned to documents, or what is too much."""
        fact = self.event.fact
        whole = next(
            (e.fact for e in settled.payments if (e.fact.kind, e.fact.key) == (fact.kind, fact.key)), None
        )
        if fact.kind != "payment" or whole is None or not fact.amount:
            return
        parts: dict[str, Decimal] = {}
        for notice in settled.notices:
            document, part = settled.documents[notice.notice_id], notice.payments.like(fact)
            if part is not None and document is not None:
                parts[debt_key(document)] = Decimal(part.amount or whole.amount)
        rest = Decimal(whole.amount) - sum(parts.values())
        if rest > 0:
            why = "it was assigned in part"
            self._report(self._unassigned(why, settled.notices, left=f"{rest:f} {whole.currency}".strip()))
        elif rest < 0:
            self._report(uncounted(self.event, "", "more was assigned to documents than was paid"))

    def _followed(self, settled: Settled) -> Counter[str]:
        again = dict(settled.reopened)
        if self.event.reverses:  # perhaps we died before their journeys went on
            mine = (n for n in settled.notices if is_reversed_by(n, self.event))
            again |= {n.notice_id: n for n in mine if is_reopened(n)}
        return settled.told + go_on(self.event, again.values(), settled.documents, self.ports, self._raised)

    def is_named_by_its_file(self, notice: Notice) -> bool:
        """Whether a document's id is but a file's name, which other customers' documents can have as well."""
        document = document_of(notice, self.ports.records)
        return document is not None and bool(document.edition)

    def report(self, why: str, notices: Sequence[Notice]) -> None:
        """Report a payment that no document takes."""
        self._report(self._unassigned(why, notices))
        self._raise()

    def _to_team(self, why: str) -> Counter[str]:
        found = self.ledger.of_customer(self.event.domain, self.event.customer_key)
        since = (self.ports.clock.now() - LOOK_BACK).isoformat()
        self.report(why, [n for n in found if n.audience == "customer" and n.created_at >= since])
        return Counter({"unassigned": 1})

    def _unassigned(self, why: str, notices: Sequence[Notice], **detail: str) -> ExceptionRaised:
        first = [n.notice_id for n in notices if n.purpose == "notice"]
        named = {"notices": " ".join(first[:_NAMED])} if first else {}
        what = "a reversal" if self.event.reverses else "a payment"
        return ExceptionRaised(
            UNASSIGNED,
            "warning",
            self.event.domain,
            "none",
            f"{what} belongs to no document: {why}",
            part=f"payment {self.event.fact.key}",
            detail={**named, **detail},
        )

    def _report(self, raised: ExceptionRaised) -> None:
        self._raised.append(raised)

    def _raise(self) -> None:
        if self._raised:
            self.ports.exceptions.raise_exceptions(self._raised)
            self._raised = []
