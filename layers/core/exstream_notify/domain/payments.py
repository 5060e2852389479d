"""What was paid on a document: each payment and each reversal once, and what is left to pay.

The state is a set of facts. What it comes to depends on the set alone, never on the order in which the
facts were reported or on how often. Ids of payments are kept as short hashes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from .documents import Document

FactKind = Literal["payment", "reversal"]

MAX_FACTS = 200
"""Payments and reversals that a notice keeps one by one; the oldest beyond are added up."""

MAX_FOLDED = 400
"""Ids of added-up payments that a notice remembers, so that a late repeat is still known."""

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fact:
    """One payment or one reversal, in the words of the system that reported it.

    `key` is its identity and `of` the payment that a reversal takes back, both hashed. `amount` is a plain
    decimal of at least zero; empty: a payment of all that is due, a reversal of the whole payment.
    `currency` is ISO 4217, empty where none was named. `loose`: a negative amount that names no payment; it
    takes back the payment of its own id if there is one, and else lowers the sum. `shared`: the part that
    this document has of a payment that names only its customer (domain/sharing.py); it may change.
    """

    kind: FactKind
    key: str
    of: str = ""
    amount: str = ""
    currency: str = ""
    loose: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Payments:
    """What is known of the payments on one notice's document, in the order in which it was reported.

    `folded` holds the sums by currency of payments that are no longer kept one by one, `known` their keys.
    """

    facts: tuple[Fact, ...] = ()
    folded: tuple[tuple[str, str], ...] = ()
    known: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.folded)

    def has(self, fact: Fact) -> bool:
        """Whether this payment, or this reversal, was counted already."""
        return fact.key in self.known or self.like(fact) is not None

    def like(self, fact: Fact) -> Fact | None:
        """The fact of the same identity, if it is kept; a part of a shared payment is not the payment."""
        same = (f for f in self.facts if (f.kind, f.key) == (fact.kind, fact.key))
        return next((f for f in same if f.shared == fact.shared), None)

    def knows_payment(self, key: str) -> bool:
        """Whether a payment of that key was reported."""
        return key in self.known or any(f.kind == "payment" and f.key == key for f in self.facts)

    def without_shares(self, key: str = "") -> "Payments":
        """Without the parts of shared payments, or without that of one."""
        return replace(self, facts=tuple(f for f in self.facts if not f.shared or key not in ("", f.key)))

    def takes_back(self, reversal: Fact) -> bool:
        """Whether a reversal takes back something that was reported: its payment, or a part of the sum."""
        return self.knows_payment(reversal.of) or (
            reversal.loose and (bool(self.known) or any(f.kind == "payment" for f in self.facts))
        )


NO_PAYMENTS = Payments()


@dataclass(frozen=True, slots=True)
class Debt:
    """What is to be paid of one document, or of all documents of one case, which are about one debt.

    `left` is what payments that name the document leave open, at least zero; None where no amount is known:
    then any payment settles it, as one that names the document would. `since` is when its notice came.
    `until` is when a newer document took its place: what was reported before that stays with it.
    `owed`: False for a document that asks for no money and that any payment answers; it takes no part.
    `any_payment`: a part of any size settles it. `seen` are the keys of the payments that were shared out
    when a document came whose notice is still to be written, and `parts` what it got of them: key, amount
    and currency of each.
    """

    key: str
    left: Decimal | None
    currency: str
    due_date: str
    since: datetime
    produced_at: str = ""
    owed: bool = True
    any_payment: bool = False
    until: datetime | None = None
    seen: tuple[str, ...] = ()
    parts: tuple[tuple[str, str, str], ...] | None = None

    def is_of(self, document_id: str, case_id: str) -> bool:
        """Whether it is the debt of this document or case (`debt_key`)."""
        of_case = bool(case_id) and self.key == f"case {case_id}"
        return of_case or self.key.startswith(f"document {document_id}\x1f")


@dataclass(frozen=True, slots=True)
class Balance:
    """What the payments come to in a document's currency.

    `paid` is at least zero. `clear` is false where an amount is not known, or in another currency, so that
    nobody can say what is left. `anything`: some payment of more than nothing stands, whatever its currency.
    """

    paid: Decimal = _NOTHING
    clear: bool = True
    anything: bool = False


def hashed(kind: FactKind | Literal["whole"], identity: str) -> str:
    """The identity of a payment, or of a reversal, as it is kept: 16 hexadecimal characters.

    `whole` is the reversal of a whole payment. The payment alone identifies it.
    """
    return hashlib.blake2b(f"{kind}\0{identity}".encode(), digest_size=8).hexdigest()


def debt_key(document: Document) -> str:
    """What tells one debt from another: the case, where a document names one, else the document."""
    if document.case_id:
        return f"case {document.case_id}"
    return f"document {document.document_id}\x1f{document.edition}"


def amount_of(document: Document) -> Decimal | None:
    """What a record says is due; None where it does not say it."""
    return _decimal(document.amount_due)


def nothing_due(document: Document) -> bool:
    """Whether a record says that nothing is due, or that the customer has a credit.

    A record without an amount does not say so, unless its amount was a credit that could not be read.
    """
    due = amount_of(document)
    return document.in_credit if due is None else due <= 0


def with_facts(payments: Payments, facts: Iterable[Fact]) -> Payments:
    """The payments with these facts, each once, bounded in size."""
    for fact in facts:
        if not payments.has(fact):
            payments = _bounded(replace(payments, facts=(*payments.facts, fact)))
    return payments


def balance(payments: Payments, document: Document | None) -> Balance:
    """What the payments come to. Amounts that name no currency are taken to be in the document's.

    A payment is never taken back beyond its own amount. A reversal that names no payment is subtracted
    from the sum; one whose payment is not known yet waits for it.
    """
    currency = document.currency if document is not None else None
    due = amount_of(document) if document is not None else None
    reversals = [f for f in payments.facts if f.kind == "reversal"]
    keys = {f.key for f in payments.facts if f.kind == "payment"}
    paid, clear, anything = _NOTHING, True, False
    for fact in payments.facts:
        if fact.kind != "payment":
            continue
        taken = [r for r in reversals if r.of == fact.key]
        amount = _decimal(fact.amount) if fact.amount else due
        if any(not r.amount for r in taken):
            continue
        # A payment of everything pays what is due, in the document's own currency.
        own = fact.currency if fact.amount else ""
        back = sum((_decimal(r.amount) or _NOTHING for r in taken if _alike(r.currency, own)), _NOTHING)
        if any(not _alike(r.currency, own) for r in taken):
            clear = False
        if amount is None:
            anything = True
            clear = clear and not taken
        elif amount > back or (fact.shared and not taken):
            anything = True
            if _alike(own, currency or ""):
                paid += amount - back
            else:
                clear = False
    for fact in reversals:
        if fact.of in keys:
            continue
        if fact.of in payments.known and not fact.amount:
            clear = False
        elif fact.of in payments.known or fact.loose:
            if _alike(fact.currency, currency or ""):
                paid -= _decimal(fact.amount) or _NOTHING
            else:
                clear = False
    for name, total in payments.folded:
        anything = True
        if _alike(name, currency or ""):
            paid += _decimal(total) or _NOTHING
        else:
            clear = False
    return Balance(max(paid, _NOTHING), clear, anything)


def is_settled(payments: Payments, document: Document | None, *, any_payment: bool = False) -> bool:
    """Whether the payments leave nothing due.

    Any payment does where the record names no amount, names nothing due or is gone, or where the type's
    rule says so (`any_payment`).
    """
    found = balance(payments, document)
    due = amount_of(document) if document is not None else None
    if any_payment or due is None or due <= 0:
        return found.anything
    return found.anything and found.paid >= due


def left_to_pay(payments: Payments, document: Document) -> Decimal | None:
    """What is left of the amount due, at least zero; None where nobody can say it."""
    due, found = amount_of(document), balance(payments, document)
    if due is None or not found.clear:
        return None
    return max(due - found.paid, _NOTHING) if due > 0 else due


def as_left(document: Document, payments: Payments) -> Document:
    """The document as a message may show it now: with what is left in place of the amount due, or with no
    amount where what is left is not known."""
    if not payments or document.amount_due is None:
        return document
    left = left_to_pay(payments, document)
    if left is not None and left == amount_of(document):
        return document
    return replace(document, amount_due=None if left is None else f"{left:f}")


def in_other_currency(fact: Fact, document: Document | None) -> bool:
    """Whether a fact's amount cannot be set against the document's."""
    own = (document.currency or "") if document is not None else ""
    return bool(fact.amount) and not _alike(fact.currency, own)


def _alike(one: str, other: str) -> bool:
    """Whether two currencies are the same, as far as is known."""
    return not one or not other or one == other


def _decimal(text: str | None) -> Decimal | None:
    try:
        found = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _bounded(payments: Payments) -> Payments:
    """The payments with the oldest added up where there are more than are kept."""
    while sum(not f.shared for f in payments.facts) > MAX_FACTS:
        group = _oldest_group(tuple(f for f in payments.facts if not f.shared))
        folded = dict(payments.folded)
        paid = next((f for f in group if f.kind == "payment" and f.amount), None)
        if paid is not None and all(f.amount for f in group):
            rest = balance(Payments(group), None).paid
            folded[paid.currency] = f"{(_decimal(folded.get(paid.currency)) or _NOTHING) + rest:f}"
        payments = Payments(
            tuple(f for f in payments.facts if f not in group),
            tuple(sorted(folded.items())),
            (*payments.known, *(f.key for f in group))[-MAX_FOLDED:],
        )
    return payments


def _oldest_group(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """A payment with its reversals: the oldest that has an amount, else one that was reversed, else any."""
    with_amount = (f.key for f in facts if f.kind == "payment" and f.amount)
    reversed_ = (f.of for f in facts if f.kind == "reversal")
    key = next(with_amount, None) or next(reversed_, None) or facts[0].key
    return tuple(f for f in facts if key in ((f.key,) if f.kind == "payment" else (f.of,)))
