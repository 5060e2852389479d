"""How payments that name only a customer are shared out over what that customer owes.

The shares are a function of the payments, their reversals and the debts alone: neither the order in which
they were reported nor how often matters. Payments that name a document come first; what they leave open is
paid by the others in the order of their own times, oldest due date first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .documents import Document
from .notices import Notice, Response, happened
from .payments import Debt, Fact, Payments, amount_of, balance, debt_key, is_settled
from .responses import (
    IN_PART,
    MAX_PAYMENT_EVENTS,
    MOVED,
    PAID_AGAIN,
    REVERSED,
    UNDATED,
    EarlyPayment,
    EarlyResponse,
    ResponseEvent,
    count_of_payments,
    customer_subject,
    was_known,
)

LOOK_BACK = timedelta(days=120)
"""What names only a customer is about the notices of so many days before it, and not about older ones."""

_NOTHING = Decimal(0)
_NEVER = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Shares:
    """What each payment pays of each debt, and what is left of it as the customer's credit, by its key."""

    parts: Mapping[str, Mapping[str, Decimal]]
    credit: Mapping[str, Decimal]
    currencies: Mapping[str, str]

    def of(self, debt: str) -> tuple[Fact, ...]:
        """The parts that a debt gets, as facts of its notices' payments."""
        return tuple(
            Fact("payment", key, "", f"{parts[debt]:f}", self.currencies[key], shared=True)
            for key, parts in sorted(self.parts.items())
            if debt in parts
        )


def debt_of(
    document: Document,
    payments: Payments,
    since: datetime,
    *,
    owed: bool,
    any_payment: bool,
    until: datetime | None = None,
) -> Debt:
    """What a document leaves open; shared parts among its payments do not count."""
    direct = payments.without_shares()
    due, found = amount_of(document), balance(direct, document)
    left = None if due is None else max(due - found.paid, _NOTHING)
    if document.in_credit or (direct and is_settled(direct, document, any_payment=any_payment)):
        left = _NOTHING
    due_date, produced_at = (document.due_date or "")[:10], document.produced_at or ""
    key, currency = debt_key(document), document.currency or ""
    return Debt(key, left, currency, due_date, since, produced_at, owed, any_payment, until)


def debt_of_notice(notice: Notice, document: Document, *, owed: bool, any_payment: bool) -> Debt:
    """The debt of a notice's document."""
    since = datetime.fromisoformat(notice.created_at)
    superseded = (datetime.fromisoformat(e.at) for e in notice.events if e.what == "superseded")
    until = next(superseded, None)
    return debt_of(document, notice.payments, since, owed=owed, any_payment=any_payment, until=until)


def settled_debt(notice: Notice, key: str) -> Debt:
    """The debt of a notice whose record or rule is gone: it keeps what it has got, and gets nothing more."""
    has = sum((Decimal(f.amount) for f in notice.payments.facts if f.shared), _NOTHING)
    return Debt(key, has, "", "0001-01-01", datetime.fromisoformat(notice.created_at))


def as_one(debts: Sequence[Debt]) -> Debt:
    """Several documents about one debt as one: the most that any of them leaves open, the earliest date."""
    first = min(debts, key=lambda d: (d.due_date or _NEVER, d.since))
    known = [d.left for d in debts if d.left is not None]
    return Debt(
        first.key,
        max(known) if known else None,
        next((d.currency for d in debts if d.currency), ""),
        first.due_date,
        min(d.since for d in debts),
        min(d.produced_at for d in debts),
        any(d.owed for d in debts),
        all(d.any_payment for d in debts),
        max(ends) if len(ends := [d.until for d in debts if d.until is not None]) == len(debts) else None,
    )


def with_registered(debts: Sequence[Debt], registered: Sequence[Debt], now: datetime) -> tuple[Debt, ...]:
    """The debts of notices, and those of documents whose notices are still to be written.

    A document whose notice did not come within `UNDATED` is forgotten. Each counts from when it was
    registered, and after those that were registered before it, so that nothing takes a part of theirs.
    """
    known = {debt.key: debt for debt in debts}
    last = datetime.min.replace(tzinfo=UTC)
    for debt in registered:
        last = max(debt.since, last + timedelta(microseconds=1))
        before = known.get(debt.key)
        if before is not None:
            known[debt.key] = replace(before, since=min(before.since, last))
        elif now <= debt.since + UNDATED:
            known[debt.key] = replace(debt, since=last)
    return tuple(known.values())


def is_unshared(document: Document, kept: Mapping[str, EarlyResponse], now: datetime) -> bool:
    """Whether a shared payment, or its reversal, is about a document that has no notice yet, and was reported
    after the document was last registered."""
    account = kept.get(customer_subject(document.customer_key))
    if account is None or document.test_flag:
        return False
    seen = {key for debt in account.debts if debt.key == debt_key(document) for key in debt.seen}
    return any(
        early.fact.key not in seen
        and was_known(document.produced_at or "", early.at, by_document=False, now=now)
        for early in account.payments
    )


def share_out(
    payments: Iterable[EarlyPayment], debts: Sequence[Debt], assigned: Collection[str] = ()
) -> Shares:
    """Share payments out over debts. `assigned` are the keys of payments that named a document after all.

    A payment goes to the debts that were known when it was reported, oldest due date first, those without
    a date last; what it leaves goes to those that came later, in the order in which they came, if the payer
    can have known them. Another currency gets nothing. A reversal takes back exactly what its payment paid:
    its credit first, then its parts, the last one first.
    """
    sharing = _Sharing(debts)
    known = _once(payments)
    at = {e.fact.key: e.at for e in known if e.fact.kind == "payment"}

    def when(early: EarlyPayment) -> tuple[str, bool, str]:
        taken_back = early.fact.kind == "reversal"
        return max(early.at, at.get(early.fact.of, "")), taken_back, early.fact.key

    for early in sorted(known, key=when):
        if early.fact.kind == "reversal":
            sharing.take_back(early.fact)
        elif early.fact.key not in assigned:
            sharing.pay(early)
    return Shares(sharing.parts, sharing.credit, sharing.currencies)


@dataclass(slots=True)
class _Sharing:
    debts: Sequence[Debt]
    parts: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    credit: dict[str, Decimal] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    payments: list[EarlyPayment] = field(default_factory=list)

    def pay(self, early: EarlyPayment) -> None:
        """Share a payment out; what is left is credit."""
        key = early.fact.key
        self.parts[key], self.currencies[key] = {}, early.fact.currency
        self.credit[key] = Decimal(early.fact.amount)
        self.payments.append(early)
        self._fill(early)

    def _fill(self, early: EarlyPayment) -> None:
        key = early.fact.key
        parts, rest = self.parts[key], self.credit[key]
        for debt in sorted(self.debts, key=lambda d: _turn(d, early)):
            if not _is_about(early, debt):
                continue
            if not debt.owed:
                if rest or parts:
                    parts.setdefault(debt.key, _NOTHING)
                continue
            if not _alike(debt.currency, early.fact.currency):
                continue
            part = min(rest, self._open(debt, rest))
            if part:
                parts[debt.key] = parts.get(debt.key, _NOTHING) + part
                rest -= part
        self.credit[key] = rest

    def take_back(self, reversal: Fact) -> None:
        """Take back what a payment paid; what is open again, the credit of other payments pays."""
        parts = self.parts.get(reversal.of)
        if parts is None or not _alike(reversal.currency, self.currencies[reversal.of]):
            return
        rest = Decimal(reversal.amount) if reversal.amount else None
        left = self.credit[reversal.of]
        self.credit[reversal.of] = _NOTHING if rest is None else left - min(left, rest)
        rest = None if rest is None else rest - min(left, rest)
        for debt in reversed(list(parts)):
            taken = parts[debt] if rest is None else min(parts[debt], rest)
            parts[debt] -= taken
            rest = None if rest is None else rest - taken
        if not self.credit[reversal.of] and not any(parts.values()):
            parts.clear()
        for debt in [debt for debt, part in parts.items() if not part and self._is_owed(debt)]:
            del parts[debt]
        for early in self.payments:
            if self.credit[early.fact.key]:
                self._fill(early)

    def _open(self, debt: Debt, rest: Decimal) -> Decimal:
        """How much of a payment a debt can take."""
        paid = [parts[debt.key] for parts in self.parts.values() if parts.get(debt.key)]
        if paid and (debt.any_payment or debt.left is None):
            return _NOTHING
        return rest if debt.left is None else max(debt.left - sum(paid, _NOTHING), _NOTHING)

    def _is_owed(self, key: str) -> bool:
        return any(debt.key == key and debt.owed for debt in self.debts)


def _turn(debt: Debt, early: EarlyPayment) -> tuple[bool, bool, str, datetime, str]:
    """When a debt's turn comes. What came after the payment takes nothing from what was there before."""
    later = debt.since > early.came
    if later:
        return True, False, "", debt.since, f"{debt.due_date or _NEVER} {debt.key}"
    return False, debt.left is None, debt.due_date or _NEVER, debt.since, debt.key


def _is_about(early: EarlyPayment, debt: Debt) -> bool:
    if debt.until is not None and debt.until <= early.came:
        return False
    if debt.since <= early.came:
        return debt.since >= early.came - LOOK_BACK
    return was_known(debt.produced_at, early.at, by_document=False, now=debt.since)


def _once(payments: Iterable[EarlyPayment]) -> list[EarlyPayment]:
    """Each payment and each reversal as it was first reported."""
    found: dict[tuple[str, str], EarlyPayment] = {}
    for early in sorted(payments, key=lambda e: (e.came, e.at, e.fact.amount)):
        found.setdefault((early.fact.kind, early.fact.key), early)
    return list(found.values())


def _alike(one: str, other: str) -> bool:
    return not one or not other or one == other


def with_shares(
    notice: Notice,
    shares: Sequence[Fact],
    shared: Collection[str],
    event: ResponseEvent,
    document: Document | None,
    now: datetime,
    *,
    any_payment_settles: bool = False,
) -> Notice | None:
    """The notice with its parts of shared payments as they are now; None if it has them.

    `shared` are the keys of the customer's shared payments: a part of one that is no longer kept stays.
    A notice that lost a part, and on which something is due again, is open again.
    """
    kept = tuple(f for f in notice.payments.facts if not f.shared or f.key not in shared)
    if {*kept, *shares} == set(notice.payments.facts):
        return None
    payments = replace(notice.payments, facts=(*kept, *shares))
    change = _sum(shares) - _sum(f for f in notice.payments.facts if f.shared and f.key in shared)
    was_paid = "paid" in notice.responses
    settled = is_settled(payments, document, any_payment=any_payment_settles)
    settled = settled or (was_paid and change > 0)
    others = tuple(kind for kind in notice.responses if kind != "paid")
    responses: tuple[Response, ...] = (*others, "paid") if settled else others
    if settled and was_paid:
        responses = notice.responses
    after = replace(notice, payments=payments, responses=responses)
    what = REVERSED if event.reverses else MOVED
    if change >= 0:
        what = IN_PART if not settled else PAID_AGAIN if was_paid else "paid"
    if count_of_payments(notice) >= MAX_PAYMENT_EVENTS:
        return replace(after, version=notice.version + 1)
    part = replace(event, amount=f"{abs(change):f}").part
    return happened(after, now, what, f"shared {part}")


def _sum(facts: Iterable[Fact]) -> Decimal:
    return sum((Decimal(f.amount) for f in facts), _NOTHING)
