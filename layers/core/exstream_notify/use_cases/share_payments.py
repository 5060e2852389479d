"""Share out payments that name only a customer, over what that customer owes."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from ..domain.documents import Document, DocumentRule
from ..domain.exceptions import ExceptionRaised
from ..domain.notices import Notice, Status
from ..domain.payments import Fact
from ..domain.responses import EarlyPayment, ResponseEvent, conflicts, customer_subject, shared_payment
from ..domain.sharing import (
    LOOK_BACK,
    Debt,
    Shares,
    as_one,
    debt_key,
    debt_of,
    settled_debt,
    share_out,
    with_shares,
)
from ..ports import Records, ResponseLedger, Rules, RunBook
from .decide_notices import document_of
from .record_payment import TOLD, PaymentPorts, go_on, uncounted

SHARED_DAYS = 400
"""How long a shared payment is kept, so that it can be taken back: a direct debit can be for 13 months."""

UNASSIGNED = "payment_unassigned"
"""A payment that no document takes: a person has to say what it is for."""

_TRIES = 5
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Owing:
    """What a customer owes: the debts, and to which of them each notice belongs."""

    debts: tuple[Debt, ...]
    key_of: Mapping[str, str]
    documents: Mapping[str, Document | None]


def owing(notices: Sequence[Notice], records: Records, rules: Rules) -> Owing:
    """The debts of one customer's notices. A document of a type that asks for no money is one only where its
    rule says that any payment settles it."""
    documents: dict[str, Document | None] = {}
    read: dict[object, Document | None] = {}
    key_of: dict[str, str] = {}
    debts: dict[str, list[Debt]] = {}
    gone: dict[str, list[Notice]] = {}
    for notice in notices:
        if notice.origin not in read:
            read[notice.origin] = document_of(notice, records)
        document = documents[notice.notice_id] = read[notice.origin]
        rule = _rule(document, rules)
        if document is None or rule is None or _is_void(notice, document):
            if notice.payments != notice.payments.without_shares():
                gone.setdefault(notice.document_id, []).append(notice)
            continue
        owed = _asks_for_money(rule, document, rules)
        if owed or rule.any_payment_settles:
            key = key_of[notice.notice_id] = debt_key(document)
            if notice.purpose == "notice":
                debt = debt_of(notice, document, owed=owed, any_payment=rule.any_payment_settles)
                debts.setdefault(key, []).append(debt)
    for document_id, its in gone.items():
        key = f"settled {document_id}"
        key_of |= {n.notice_id: key for n in its}
        debts[key] = [settled_debt(its[0], key)]
    return Owing(tuple(as_one(d) for d in debts.values()), key_of, documents)


def _rule(document: Document | None, rules: Rules) -> DocumentRule | None:
    try:
        return rules.for_document(document) if document is not None else None
    except KeyError:
        return None


def _is_void(notice: Notice, document: Document) -> bool:
    """Whether nothing is owed of a notice: a test's, a cancelled run's, or that of a document never seen."""
    cancelled = notice.status == Status.SUPPRESSED and notice.why == "run_cancelled"
    return document.test_flag or cancelled or document.document_id != notice.document_id


def _asks_for_money(rule: DocumentRule, document: Document, rules: Rules) -> bool:
    if rule.shares_payments is not None:
        return rule.shares_payments
    following = (j for j in rules.journeys().values() if document.document_type in j.documents)
    return rule.demands_payment or any(journey.follows_payment for journey in following)


@dataclass(slots=True)
class SharedPayments:
    """The shared payments of one event's customers. Made anew for each event."""

    event: ResponseEvent
    ledger: ResponseLedger
    runs: RunBook
    ports: PaymentPorts
    _raised: list[ExceptionRaised] = field(default_factory=list)

    def named_before(self, notices: Collection[Notice]) -> list[Notice]:
        """The notices on which this payment, or the one that is taken back, was counted by its document."""
        fact = self.event.fact
        key = fact.of if fact.kind == "reversal" else fact.key
        return [n for n in notices if n.payments.without_shares().knows_payment(key)]

    def takes_back_shared(self, notices: Collection[Notice]) -> str:
        """The customer whose shared payment a reversal takes back, whatever document it names; or empty."""
        if not self.event.reverses:
            return ""
        customers = dict.fromkeys(filter(None, (self.event.customer_key, *(n.customer_key for n in notices))))
        of = self.event.fact.of
        return next((c for c in customers if any(e.fact.key == of for e in self._pool(c))), "")

    def record(self, customer_key: str) -> Counter[str]:
        """Record a payment, or a reversal, among the customer's shared ones, and share them out."""
        event, fact, now = self.event, self.event.fact, self.ports.clock.now()
        pool = self._pool(customer_key)
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
        told, credit, notices = self._share(customer_key)
        if not told:
            word = "known" if known else "reversed" if event.reverses else "recorded"
            told[word if notices or known else "early"] += 1
        if credit.get(fact.key) and notices:
            told["unassigned"] += 1
            left = f"{credit[fact.key]:f} {fact.currency}".strip()
            self._report(self._unassigned("no open document takes all of it", notices, left=left))
        self._raise()
        return told

    def share_again(self, customers: Iterable[str]) -> Counter[str]:
        """Share out anew what these customers paid, after something else changed what they owe."""
        told: Counter[str] = Counter()
        for customer in customers:
            if self._pool(customer):
                told += self._share(customer)[0]
        self._raise()
        return told

    def is_named_by_its_file(self, notice: Notice) -> bool:
        """Whether a document's id is but a file's name, which other customers' documents can have as well."""
        document = document_of(notice, self.ports.records)
        return document is not None and bool(document.edition)

    def report(self, why: str, notices: Sequence[Notice]) -> None:
        """Report a payment that no document takes."""
        self._report(self._unassigned(why, notices))
        self._raise()

    def _pool(self, customer_key: str) -> tuple[EarlyPayment, ...]:
        subject = customer_subject(customer_key)
        found = self.ports.early.on(self.event.domain, {subject}).get(subject) if customer_key else None
        return found.payments if found is not None else ()

    def _share(self, customer_key: str) -> tuple[Counter[str], Mapping[str, Decimal], list[Notice]]:
        """Write each notice's parts until they are what the stored payments and notices come to.

        An event at the same time reads what this one wrote, or this one reads what that one wrote.
        """
        told: Counter[str] = Counter()
        reopened: dict[str, Notice] = {}
        for _ in range(_TRIES):
            pool = self._pool(customer_key)
            notices = self._notices(customer_key, pool)
            found = owing(notices, self.ports.records, self.ports.rules)
            shares = share_out(pool, found.debts, _assigned(notices))
            changed = self._changed(notices, found, shares, {e.fact.key for e in pool})
            if not changed:
                told += go_on(self.event, list(reopened.values()), found.documents, self.ports, self._raised)
                return told, shares.credit, notices
            blocked = self.ledger.put(list(changed.values()))
            before = {n.notice_id: n for n in notices}
            for key in changed.keys() - blocked.keys():
                after = changed[key]
                told[TOLD.get(after.events[-1].what, "recorded")] += 1
                if "paid" in before[key].responses and "paid" not in after.responses:
                    reopened[key] = after
        raise RuntimeError("notices kept changing under five attempts to share a payment out")

    def _changed(
        self, notices: Sequence[Notice], found: Owing, shares: Shares, kept: Collection[str]
    ) -> dict[str, Notice]:
        changed: dict[str, Notice] = {}
        for notice in notices:
            document = found.documents[notice.notice_id]
            rule = _rule(document, self.ports.rules)
            parts = shares.of(found.key_of.get(notice.notice_id, ""))
            after = with_shares(
                notice, parts, kept, self.event, document, self.ports.clock.now(),
                any_payment_settles=rule is not None and rule.any_payment_settles,
            )  # fmt: skip
            if after is not None:
                changed[notice.notice_id] = after
        return changed

    def _notices(self, customer_key: str, pool: Sequence[EarlyPayment]) -> list[Notice]:
        since = min((e.came for e in pool), default=self.ports.clock.now()) - LOOK_BACK
        return [
            notice
            for notice in self.ledger.of_customer(self.event.domain, customer_key)
            if notice.audience == "customer" and notice.created_at >= since.isoformat()
        ]

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


def _assigned(notices: Iterable[Notice]) -> frozenset[str]:
    """The keys of payments that were counted by their documents: such a payment is not shared as well."""
    return frozenset(
        key
        for notice in notices
        for key in (*notice.payments.known, *(f.key for f in notice.payments.facts if _is_direct(f)))
    )


def _is_direct(fact: Fact) -> bool:
    return fact.kind == "payment" and not fact.shared
