"""What a customer owes, and what each document gets of the payments that name only the customer."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..domain.documents import Document, DocumentRule
from ..domain.erasure import began, existed_before_erasure
from ..domain.notices import Notice, Status
from ..domain.payments import Debt, Fact, debt_key
from ..domain.responses import (
    EARLY_DAYS,
    TOLD,
    EarlyPayment,
    EarlyResponse,
    ResponseEvent,
    customer_subject,
    document_subject,
    early_payments,
    of_other_accounts,
)
from ..domain.sharing import (
    LOOK_BACK,
    Shares,
    as_one,
    debt_of,
    debt_of_notice,
    is_unshared,
    settled_debt,
    share_out,
    with_registered,
    with_shares,
)
from ..ports import Clock, ContactBook, EarlyResponses, Records, ResponseLedger, Rules
from .slices import document_of

_TRIES = 5
_NOBODY = EarlyResponse("paid", "", "")


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
        if notice.record not in read:
            read[notice.record] = document_of(notice, records)
        document = documents[notice.notice_id] = read[notice.record]
        rule = _rule(document, rules)
        if document is None or rule is None or _is_void(notice, document) or _takes_nothing(rule):
            if notice.payments != notice.payments.without_shares():
                gone.setdefault(notice.document_id, []).append(notice)
            continue
        owed = asks_for_money(rule, document, rules)
        if owed or rule.any_payment_settles:
            key = key_of[notice.notice_id] = debt_key(document)
            if notice.purpose == "notice":
                debt = debt_of_notice(notice, document, owed=owed, any_payment=rule.any_payment_settles)
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


def _takes_nothing(rule: DocumentRule) -> bool:
    """Whether a record's status says that it is settled, or that its customer must not be asked for it: what
    names no document is not paid on a disputed debt (15 USC 1692h)."""
    return bool(rule.skip or rule.account_hold)


def takes_part(document: Document, rules: Rules) -> bool:
    """Whether shared payments count before a document's notice: it demands money. A bill is notified all the
    same, since nobody said that the payment is for it; its reminders are not."""
    rule = _rule(document, rules)
    if rule is None or _takes_nothing(rule):
        return False
    return rule.demands_payment and asks_for_money(rule, document, rules)


def asks_for_money(rule: DocumentRule, document: Document, rules: Rules) -> bool:
    """Whether payments that name only the customer are shared out over documents of a type."""
    if rule.shares_payments is not None:
        return rule.shares_payments
    following = (j for j in rules.journeys().values() if document.document_type in j.documents)
    return rule.demands_payment or any(journey.follows_payment for journey in following)


@dataclass(slots=True)
class Sharing:
    """The payments of a domain's customers that name only them, and what those customers owe."""

    domain: str
    early: EarlyResponses
    ledger: ResponseLedger
    records: Records
    rules: Rules
    contacts: ContactBook
    clock: Clock

    def settle_all(self, customers: Collection[str]) -> None:
        """Share out what these customers paid while a notice of theirs was being written."""
        by_subject = {customer_subject(customer): customer for customer in customers}
        for subject in self.early.on(self.domain, by_subject):
            customer = by_subject[subject]
            self.settle(customer, ResponseEvent("paid", self.domain, customer, source="journey"))

    def account(self, customer_key: str) -> EarlyResponse:
        """What was kept of a customer's shared payments."""
        subject = customer_subject(customer_key)
        found = self.early.on(self.domain, {subject}) if customer_key else {}
        return found.get(subject, _NOBODY)

    def settle(self, customer_key: str, event: ResponseEvent) -> "Settled":
        """Write each notice's parts until they are what the stored payments and notices come to.

        Of two at the same time, one reads what the other wrote. `event` gives the words of what happened.
        """
        settled = Settled()
        for _ in range(_TRIES):
            account = self.account(customer_key)
            settled.payments = account.payments
            if not account.payments:
                return settled
            settled.shares, found, settled.notices = self._shared(customer_key, account)
            settled.documents = found.documents
            kept = {e.fact.key for e in account.payments}
            before = {n.notice_id: n for n in settled.notices}
            changed = {n.notice_id: n for n in self._changed(settled, found, kept, event)}
            if not changed:
                return settled
            blocked = self.ledger.put(list(changed.values()))
            for key in changed.keys() - blocked.keys():
                settled.told[TOLD.get(changed[key].events[-1].what, "recorded")] += 1
                if "paid" in before[key].responses and "paid" not in changed[key].responses:
                    settled.reopened[key] = changed[key]
        raise RuntimeError("notices kept changing under five attempts to share a payment out")

    def adopt(
        self, documents: Sequence[Document], kept: Mapping[str, EarlyResponse]
    ) -> Mapping[str, EarlyResponse]:
        """What was kept, with the payments by other accounts that can only be for one of these documents."""
        until = self.clock.now() + timedelta(days=EARLY_DAYS)
        adopted: set[str] = set()
        customers: dict[str, set[str]] = {}
        for document in documents:
            customers.setdefault(document.document_id, set()).add(document.customer_key)
        for document in documents:
            others = of_other_accounts(document, kept) if takes_part(document, self.rules) else ()
            if not others:
                continue
            known = self.ledger.of_document(self.domain, document.document_id)
            if {document.customer_key} != customers[document.document_id] | {n.customer_key for n in known}:
                continue
            adopted.add(document_subject(document))
            for early in others:
                self.early.keep_payment(self.domain, document_subject(document), early, until)
        return {**kept, **self.early.on(self.domain, adopted)} if adopted else kept

    def draw(
        self, documents: Sequence[Document], kept: Mapping[str, EarlyResponse]
    ) -> Mapping[str, EarlyResponse]:
        """What was kept before these documents came, with their parts of shared payments.

        A document is registered first: of two that come at the same time, the first in that order gets
        what is left. Its parts are kept there too, so that a claim finds them.
        """
        now = self.clock.now()
        new: dict[str, list[Document]] = {}
        for document in documents:
            if is_unshared(document, kept, now) and takes_part(document, self.rules):
                new.setdefault(document.customer_key, []).append(document)
        for customer, its in new.items():
            kept = self._drawn(customer, sorted(its, key=lambda d: d.due_date or "9999"), kept)
        return kept

    def _drawn(
        self, customer: str, documents: Sequence[Document], kept: Mapping[str, EarlyResponse]
    ) -> Mapping[str, EarlyResponse]:
        now, subject = self.clock.now(), customer_subject(customer)
        seen = tuple(sorted({e.fact.key for e in kept[subject].payments}))
        debts: list[Debt] = []
        for document in documents:
            rule = self.rules.for_document(document)
            by_name = early_payments(document, kept, now)
            debt = debt_of(document, by_name, now, owed=True, any_payment=rule.any_payment_settles)
            debts.append(replace(debt, seen=seen))
            self.early.register(self.domain, subject, debts[-1])
        shares, _, _ = self._shared(customer, self.account(customer))
        for debt in debts:
            parts = tuple((part.key, part.amount, part.currency) for part in shares.of(debt.key))
            self.early.register(self.domain, subject, replace(debt, parts=parts))
        return {**kept, subject: self.account(customer)}

    def _shared(self, customer_key: str, account: EarlyResponse) -> tuple[Shares, Owing, list[Notice]]:
        now = self.clock.now()
        since = min((e.came for e in account.payments), default=now) - LOOK_BACK
        notices = [
            notice
            for notice in self.ledger.of_customer(self.domain, customer_key)
            if notice.audience == "customer" and notice.created_at >= since.isoformat()
        ]
        notices = self._living(notices)
        found = owing(notices, self.records, self.rules)
        debts = with_registered(found.debts, account.debts, now)
        return share_out(account.payments, debts, _assigned(notices)), found, notices

    def _living(self, notices: list[Notice]) -> list[Notice]:
        """Without those of before an erasure: what is owed of them is not known any more. They take nothing
        from what the account's other holders, or the same customer later, still owe."""
        known = self.contacts.get(self.domain, {n.contact_key for n in notices}) if notices else {}
        return [n for n in notices if not existed_before_erasure(known.get(n.contact_key), began(n))]

    def _changed(
        self, settled: "Settled", found: Owing, kept: Collection[str], event: ResponseEvent
    ) -> Iterable[Notice]:
        for notice in settled.notices:
            document = found.documents[notice.notice_id]
            rule = _rule(document, self.rules)
            parts = settled.shares.of(found.key_of.get(notice.notice_id, ""))
            after = with_shares(
                notice, parts, kept, event, document, self.clock.now(),
                any_payment_settles=rule is not None and rule.any_payment_settles,
            )  # fmt: skip
            if after is not None:
                yield after


@dataclass(slots=True)
class Settled:
    """What sharing out came to: how notices changed, which are open again, and what is left over; `payments`
    are those that were shared out."""

    told: Counter[str] = field(default_factory=Counter)
    reopened: dict[str, Notice] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    documents: Mapping[str, Document | None] = field(default_factory=dict)
    payments: tuple[EarlyPayment, ...] = ()
    shares: Shares = field(default_factory=lambda: Shares({}, {}, {}))


def _assigned(notices: Iterable[Notice]) -> frozenset[str]:
    """The keys of payments that were counted by their documents: such a payment is not shared as well."""
    return frozenset(
        key
        for notice in notices
        for key in (*notice.payments.known, *(f.key for f in notice.payments.facts if _is_direct(f)))
    )


def _is_direct(fact: Fact) -> bool:
    return fact.kind == "payment" and not fact.shared
