"""What a customer did about a notice, as it goes into the notice's own record."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from .documents import Document
from .notices import Notice, Response, happened
from .payments import (
    NO_PAYMENTS,
    Debt,
    Fact,
    Payments,
    debt_key,
    hashed,
    in_other_currency,
    is_settled,
    with_facts,
)
from .values import ValueRefused, instant
from .versions import is_version

EARLY_DAYS = 90
"""How long a response is kept whose notice is not known yet."""

UNDATED = timedelta(days=3)
"""How long after a response to a case a letter without `produced_at` may come and count as answered by it."""

ENDS_EARLY: Mapping[Response, bool] = {"opened": False, "responded": True, "paid": True, "acknowledged": True}
"""Whether a response that comes before its notice leaves nothing to tell; an e-mail's opening does not."""


_DOCUMENT = "document#"
_SUPERSEDED = "superseded#"
_CUSTOMER = "customer#"

IN_PART = "paid in part"
"""The event of a payment that leaves something due; its detail begins with amount and currency."""

PAID_AGAIN = "paid again"
"""The event of a payment of what nothing is due on any more."""

REVERSED = "payment reversed"
"""The event of a payment that was taken back, wholly or in part."""

MOVED = "payment moved"
"""The event of a part of a shared payment that another document has now."""

TOLD: Mapping[str, str] = {IN_PART: "in_part", REVERSED: "reversed", MOVED: "moved"}
"""How a notice counts whose newest event is one of a payment."""

OF_PAYMENTS = frozenset({"paid", IN_PART, PAID_AGAIN, REVERSED, MOVED})
"""The events of payments."""

MAX_PAYMENT_EVENTS = 100
"""Events of payments in a notice's chain. Further ones are counted, and have no event of their own."""


@dataclass(frozen=True, slots=True)
class ResponseEvent:
    """A response as some system told it: by customer, document or case, whichever it names.

    `recipient` is which holder of the account it was, empty where that was not told.
    `at` is when it happened, by that system; `by` who did it, if it was not the customer. `amount` (a plain
    decimal) and `currency` (ISO 4217) are of a payment, empty where they were not told. `payment_id` is the
    payment's own identity (a reversal's own, where it has one), `reversal_of` the payment that is taken
    back, `event_id` the identity of the report. `versions` are those that an acknowledgement names.
    """

    kind: Response
    domain: str
    customer_key: str = ""
    document_id: str = ""
    case_id: str = ""
    at: str = ""
    by: str = ""
    source: str = ""
    said: str = ""
    amount: str = ""
    currency: str = ""
    payment_id: str = ""
    reversal_of: str = ""
    event_id: str = ""
    recipient: str = ""
    versions: tuple[str, ...] = ()

    @property
    def reverses(self) -> bool:
        """Whether this takes a payment back."""
        return self.kind == "paid" and bool(self.reversal_of or self.amount.startswith("-"))

    @property
    def fact(self) -> Fact:
        """What a payment, or a reversal, adds to the payments of its notices.

        The payment's id tells it from others, else the event's; without either, what it says.
        """
        identity = self.payment_id or self.event_id or f"{self.amount} {self.currency} {self.detail}"
        amount = self.amount.removeprefix("-")
        if not self.reverses:
            return Fact("payment", hashed("payment", identity), "", amount, self.currency)
        key = hashed("reversal", identity)
        if not self.reversal_of:
            return Fact("reversal", key, hashed("payment", identity), amount, self.currency, loose=True)
        if not amount:
            key = hashed("whole", self.reversal_of)
        return Fact("reversal", key, hashed("payment", self.reversal_of), amount, self.currency)

    @property
    def subject(self) -> str:
        """What it is kept under while its notice is not known: the document, that customer's where one is
        named, else the case, else nothing."""
        if not self.document_id:
            return self.case_id
        return _of_document(self.customer_key, self.document_id)

    @property
    def part(self) -> str:
        """The words for the event of a payment in part, or of a reversal."""
        return f"{self.amount.removeprefix('-') or 'all'} {self.currency or '-'}: {self.detail}"

    @property
    def detail(self) -> str:
        """The words for the notice's event."""
        told = [
            f"by {self.by}" if self.by else "",
            f"at {self.at}" if self.at else "",
            self.said,
            self.source,
        ]
        return ", ".join(filter(None, told))


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """A payment, or a reversal, that came before its notice was known; `at` as in `EarlyResponse`.

    `reported` is when one came that names only its customer (ISO 8601), empty for others: it is shared out
    (domain/sharing.py), and about no document by itself.
    """

    fact: Fact
    at: str
    customer_key: str = ""
    document_id: str = ""
    reported: str = ""

    @property
    def came(self) -> datetime:
        """When it was reported."""
        return datetime.fromisoformat(self.reported or self.at)

    def is_of(self, document: Document, now: datetime) -> bool:
        """Whether it is about this document: what names customer and document always is."""
        if self.reported:
            return False
        mine = self.customer_key in ("", document.customer_key)
        if mine and self.customer_key and self.document_id and not document.edition:
            return True
        return mine and was_known(
            document.produced_at or "", self.at, by_document=bool(self.document_id), now=now
        )


@dataclass(frozen=True, slots=True)
class EarlyResponse:
    """What came before its notice was known, about a case or a document; `at` in UTC, to the second
    (ISO 8601), and empty where there are payments only. `superseded` is not a response: `document_id` then
    names the document in its place. `debts` are documents that came after payments which name only their
    customer, in their order, each as often as it was looked at before its notice was written."""

    kind: Response | Literal["superseded"]
    detail: str
    at: str
    customer_key: str = ""
    document_id: str = ""
    payments: tuple[EarlyPayment, ...] = ()
    recipient: str = ""
    versions: tuple[str, ...] = ()
    debts: tuple[Debt, ...] = ()

    @property
    def told(self) -> str:
        """The words for the reason."""
        return f"{self.kind} {self.detail}".strip()

    def answers(self, document: Document, now: datetime) -> bool:
        """Whether it leaves nothing to tell of a document: it is that customer's, who can have known it.

        One that was composed afterwards is news, whatever was said before. Where nothing says when it was
        composed, one that was named itself was known, and one of the case for a few days (`UNDATED`).
        """
        if not self.at or self.customer_key not in ("", document.customer_key):
            return False
        if not may_answer(self.kind, self.recipient, document.recipient or ""):
            return False
        if self.kind == "acknowledged" and not self._acknowledges(document):
            return False
        if self.customer_key and self.document_id and not document.edition:
            return True
        return was_known(document.produced_at or "", self.at, by_document=bool(self.document_id), now=now)

    def _acknowledges(self, document: Document) -> bool:
        """An acknowledgement counts for the document, the customer and the version that it names."""
        return bool(self.customer_key and self.document_id) and is_version(document, self.versions)

    def facts_of(self, document: Document, now: datetime) -> tuple[Fact, ...]:
        """The payments that are about this document, and its parts of shared ones."""
        mine = tuple(early.fact for early in self.payments if early.is_of(document, now))
        key = debt_key(document) if self.debts else ""
        parts = next((d.parts for d in reversed(self.debts) if d.key == key and d.parts is not None), ())
        return (
            *mine,
            *(Fact("payment", k, "", amount, currency, shared=True) for k, amount, currency in parts),
        )


def was_known(produced_at: str, at: str, *, by_document: bool, now: datetime) -> bool:
    """Whether a document that came now can have been known at an earlier time.

    Where nothing says when it was composed, one that was named itself was, and others for `UNDATED`.
    """
    if produced_at:
        return produced_at <= at
    return by_document or now <= datetime.fromisoformat(at) + UNDATED


def may_answer(kind: str, by: str, recipient: str) -> bool:
    """Whether a response by one recipient (empty: nobody said who) is an answer to another's notice.

    A payment is the account's, whoever of its holders made it and whether or not they are named; all else
    is the answer of the one who gave it.
    """
    return kind == "paid" or by == recipient


def subjects_of(document: Document, *, by_document: bool = True) -> tuple[str, ...]:
    """What responses to a document may be kept under: itself, if asked for, and its case; a test has none."""
    if document.test_flag:
        return ()
    case = (document.case_id,) if document.case_id else ()
    if not by_document:
        return case
    customers = (_of_document(document.customer_key, document.document_id), superseded_subject(document))
    return (
        _of_document("", document.document_id),
        *customers,
        customer_subject(document.customer_key),
        *case,
    )


def _of_document(customer_key: str, document_id: str) -> str:
    return f"{_DOCUMENT}{customer_key}\x1f{document_id}" if customer_key else f"{_DOCUMENT}{document_id}"


def document_subject(document: Document) -> str:
    """What is kept under that names a document and its customer."""
    return _of_document(document.customer_key, document.document_id)


def document_alone(document_id: str) -> str:
    """What is kept under that names a document and no customer."""
    return _of_document("", document_id)


def customer_subject(customer_key: str) -> str:
    """What payments are kept under that name only their customer."""
    return f"{_CUSTOMER}{customer_key}"


def of_known(kept: Mapping[str, EarlyResponse]) -> Mapping[str, EarlyResponse]:
    """What was kept, for documents that have a notice: their parts of shared payments are on the notice."""
    return {subject: early for subject, early in kept.items() if not subject.startswith(_CUSTOMER)}


def superseded_subject(document: Document, document_id: str = "") -> str:
    """What it is kept under that a document (or another of the same customer) was superseded."""
    return f"{_SUPERSEDED}{document.contact_key}\x1f{document_id or document.document_id}"


def superseding(document: Document, now: datetime) -> tuple[str, "EarlyResponse"]:
    """What is kept of a document that replaces another, and under what."""
    at = document.produced_at or now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = EarlyResponse("superseded", "", at, document.customer_key, document.document_id)
    return superseded_subject(document, document.supersedes or ""), kept


def superseded_by(document: Document, kept: Mapping[str, EarlyResponse]) -> str:
    """The document that replaced this one, as far as that was kept; empty if there is none.

    A document that has only a file's name is replaced by what was composed after it: next month's file of
    the same name is another document.
    """
    if document.test_flag or not kept:
        return ""
    found = kept.get(superseded_subject(document))
    if found is None or found.document_id == document.document_id:
        return ""
    later = bool(document.edition) and (document.produced_at or "") > found.at
    return "" if later else found.document_id


def answer_to(
    document: Document,
    responses: Mapping[str, EarlyResponse],
    now: datetime,
    *,
    any_payment_settles: bool = False,
) -> EarlyResponse | None:
    """Which of the responses, by what they were kept under, leaves nothing to tell of a document.

    Payments do where they add up to what is due, or where the type's rule takes any payment.
    """
    if not responses:
        return None
    kept = (responses.get(subject) for subject in subjects_of(document))
    found = [early for early in kept if early and early.kind != "superseded"]
    answered = next((early for early in found if early.answers(document, now)), None)
    if answered is not None:
        return answered
    payments = early_payments(document, responses, now)
    if not payments or not is_settled(payments, document, any_payment=any_payment_settles):
        return None
    at = max(paid.at for early in found for paid in early.payments)
    return EarlyResponse("paid", "", at)


def early_payments(document: Document, responses: Mapping[str, EarlyResponse], now: datetime) -> Payments:
    """The payments on a document that were kept before its notice was known."""
    found = (responses.get(subject) for subject in subjects_of(document))
    payments = with_facts(NO_PAYMENTS, (f for early in found if early for f in early.facts_of(document, now)))
    return with_reversals(payments, responses.get(customer_subject(document.customer_key)))


def with_reversals(payments: Payments, account: EarlyResponse | None) -> Payments:
    """The payments with the reversals of theirs that named only the customer, and came before them."""
    pool = account.payments if account is not None else ()
    direct = {f.key for f in payments.facts if f.kind == "payment" and not f.shared}
    return with_facts(payments, (e.fact for e in pool if e.fact.kind == "reversal" and e.fact.of in direct))


def of_other_accounts(document: Document, kept: Mapping[str, EarlyResponse]) -> tuple[EarlyPayment, ...]:
    """The payments that other accounts made of a document before it was known, as if its customer had.

    None of a document that has only a file's name: others can have the same.
    """
    early = kept.get(_of_document("", document.document_id))
    if early is None or document.edition or document.test_flag:
        return ()
    own = kept.get(_of_document(document.customer_key, document.document_id))
    known = {e.fact.key for e in own.payments} if own is not None else ()
    return tuple(
        replace(e, customer_key=document.customer_key)
        for e in early.payments
        if e.customer_key not in ("", document.customer_key) and e.fact.key not in known
    )


def early_response(event: ResponseEvent, now: datetime) -> EarlyResponse:
    """What is kept of an event: its own time, if that can be read and is not to come, else now."""
    return EarlyResponse(
        event.kind,
        event.detail,
        _when(event, now),
        event.customer_key,
        event.document_id,
        recipient=event.recipient,
        versions=event.versions,
    )


def early_payment(event: ResponseEvent, now: datetime) -> EarlyPayment:
    """What is kept of a payment or a reversal, with a time as `early_response` gives it."""
    return EarlyPayment(event.fact, _when(event, now), event.customer_key, event.document_id)


def shared_payment(event: ResponseEvent, customer_key: str, now: datetime) -> EarlyPayment:
    """What is kept of a payment, or of a reversal, that is shared out over what the customer owes."""
    return EarlyPayment(event.fact, _when(event, now), customer_key, reported=now.isoformat())


def _when(event: ResponseEvent, now: datetime) -> str:
    return said_at(event.at, now)


def said_at(text: str, now: datetime) -> str:
    """When a system says that something happened (UTC, to the second), if that can be read and is not to
    come; else now."""
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with suppress(ValueRefused):
        at = min(at, instant(text))
    return at


def responded(notice: Notice, kind: Response, now: datetime, detail: str) -> Notice | None:
    """The notice with a response added; None if it has that already.

    A notice that waits is left to wait: its release finds the response, and ends it with the reason.
    """
    if kind in notice.responses:
        return None
    return happened(notice, now, kind, detail, responses=(*notice.responses, kind))


def with_payment(
    notice: Notice,
    event: ResponseEvent,
    document: Document | None,
    now: datetime,
    *,
    any_payment_settles: bool = False,
    early: Payments = NO_PAYMENTS,
    accounts: Iterable[EarlyResponse] = (),
) -> Notice | None:
    """The notice with a payment, or with one taken back; None if it was counted before.

    `document` is the notice's record, None where it is gone; `early` what was kept before the notice was
    known, `accounts` what was kept of the payer's and the customer's payments without a document. A notice
    on which nothing is due any more has the response `paid`; one whose payment is taken back is open again.
    """
    fact = event.fact
    known = with_facts(notice.payments.without_shares(fact.key), early.facts)
    if notice.payments.has(fact):
        return None
    payments = with_facts(known, (fact,))
    for account in accounts:
        payments = with_reversals(payments, account)
    was_paid = "paid" in notice.responses
    settled = is_settled(payments, document, any_payment=any_payment_settles)
    if was_paid and not settled and not (event.reverses and payments.takes_back(fact)):
        # Only a payment that is taken back opens it again.
        settled = True
    responses = notice.responses
    if settled and not was_paid:
        responses = (*responses, "paid")
    elif was_paid and not settled:
        responses = tuple(kind for kind in responses if kind != "paid")
    what = REVERSED if event.reverses else "paid" if settled else IN_PART
    if what == "paid" and was_paid:
        what = PAID_AGAIN
    after = replace(notice, responses=responses, payments=payments)
    if count_of_payments(notice) >= MAX_PAYMENT_EVENTS:
        return replace(after, version=notice.version + 1)
    return happened(after, now, what, event.detail if what == "paid" else event.part)


def count_of_payments(notice: Notice) -> int:
    """How many events of payments a notice has."""
    return sum(1 for e in notice.events if e.what in OF_PAYMENTS)


def is_reversed_by(notice: Notice, event: ResponseEvent) -> bool:
    """Whether the newest event of a payment that a notice has is this reversal."""
    newest = next((e for e in reversed(notice.events) if e.what in OF_PAYMENTS), None)
    return newest is not None and newest.what == REVERSED and newest.detail.endswith(f": {event.detail}")


def conflicts(known: Fact | None, fact: Fact) -> bool:
    """Whether a payment of the same id, and of another amount or currency, was counted before."""
    if known is None:
        return False
    other_currency = bool(known.currency and fact.currency) and known.currency != fact.currency
    return other_currency or bool(
        known.amount and fact.amount and Decimal(known.amount) != Decimal(fact.amount)
    )


def is_foreign(event: ResponseEvent, document: Document | None) -> bool:
    """Whether a payment's amount cannot be set against the document's: it is in another currency."""
    return in_other_currency(event.fact, document)


def revoked(notice: Notice, why: str, now: datetime) -> Notice:
    """The notice with its secure link revoked."""
    return happened(replace(notice, link_revoked=why), now, "link revoked", why)
