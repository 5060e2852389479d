"""What a customer did about a notice, as it goes into the notice's own record."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from .documents import Document
from .notices import Notice, Response, happened
from .records import ValueRefused, instant

EARLY_DAYS = 90
"""How long a response is kept whose notice is not known yet."""

UNDATED = timedelta(days=3)
"""How long after a response to a case a letter without `produced_at` may come and count as answered by it."""

ENDS_EARLY: Mapping[Response, bool] = {"opened": False, "responded": True, "paid": True, "acknowledged": True}
"""Whether a response that comes before its notice leaves nothing to tell; an e-mail's opening does not."""


_DOCUMENT = "document#"
_SUPERSEDED = "superseded#"

IN_PART = "paid in part"
"""The event of a payment that leaves something due; its detail begins with amount and currency."""


@dataclass(frozen=True, slots=True)
class ResponseEvent:
    """A response as some system told it: by customer, document or case, whichever it names.

    `at` is when it happened, by that system; `by` who did it, if it was not the customer. `amount` (a plain
    decimal) and `currency` (ISO 4217) are of a payment, empty where they were not told.
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

    @property
    def subject(self) -> str:
        """What it is kept under while its notice is not known: the document, that customer's where one is
        named, else the case, else nothing."""
        if not self.document_id:
            return self.case_id
        return _of_document(self.customer_key, self.document_id)

    @property
    def part(self) -> str:
        """The words for the event of a payment in part: the same again for the same event only."""
        return f"{self.amount} {self.currency or '-'}: {self.detail}"

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
class EarlyResponse:
    """A response that came before its notice was known, about a case or a document; `at` in UTC, to the
    second (ISO 8601). `superseded` is not a response: `document_id` then names the document in its place."""

    kind: Response | Literal["superseded"]
    detail: str
    at: str
    customer_key: str = ""
    document_id: str = ""

    @property
    def told(self) -> str:
        """The words for the reason."""
        return f"{self.kind} {self.detail}".strip()

    def answers(self, document: Document, now: datetime) -> bool:
        """Whether it leaves nothing to tell of a document: it is that customer's, who can have known it.

        One that was composed afterwards is news, whatever was said before. Where nothing says when it was
        composed, one that was named itself was known, and one of the case for a few days (`UNDATED`).
        """
        if self.customer_key not in ("", document.customer_key):
            return False
        if self.customer_key and self.document_id and not document.edition:
            return True
        if document.produced_at:
            return document.produced_at <= self.at
        return bool(self.document_id) or now <= datetime.fromisoformat(self.at) + UNDATED


def subjects_of(document: Document, *, by_document: bool = True) -> tuple[str, ...]:
    """What responses to a document may be kept under: itself, if asked for, and its case; a test has none."""
    if document.test_flag:
        return ()
    case = (document.case_id,) if document.case_id else ()
    if not by_document:
        return case
    customers = (_of_document(document.customer_key, document.document_id), superseded_subject(document))
    return (_of_document("", document.document_id), *customers, *case)


def _of_document(customer_key: str, document_id: str) -> str:
    return f"{_DOCUMENT}{customer_key}\x1f{document_id}" if customer_key else f"{_DOCUMENT}{document_id}"


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
    document: Document, responses: Mapping[str, EarlyResponse], now: datetime
) -> EarlyResponse | None:
    """Which of the responses, by what they were kept under, leaves nothing to tell of a document."""
    if not responses:
        return None
    found = (responses.get(subject) for subject in subjects_of(document))
    answers = (early for early in found if early and early.kind != "superseded")
    return next((early for early in answers if early.answers(document, now)), None)


def early_response(event: ResponseEvent, now: datetime) -> EarlyResponse:
    """What is kept of an event: its own time, if that can be read and is not to come, else now."""
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with suppress(ValueRefused):
        at = min(at, instant(event.at))
    return EarlyResponse(event.kind, event.detail, at, event.customer_key, event.document_id)


def responded(notice: Notice, kind: Response, now: datetime, detail: str) -> Notice | None:
    """The notice with a response added; None if it has that already.

    A notice that waits is left to wait: its release finds the response, and ends it with the reason.
    """
    if kind in notice.responses:
        return None
    return happened(notice, now, kind, detail, responses=(*notice.responses, kind))


def settles(event: ResponseEvent, notice: Notice, document: Document) -> bool:
    """Whether a payment leaves nothing due: it does where it, or the document, names no amount.

    Payments in part add up, each told once. One in another currency than the document's pays nothing of
    it; where either names no currency the amounts are taken to be in the same one.
    """
    due = Decimal(document.amount_due or 0)
    if not event.amount or due <= 0:
        return True
    told = {e.detail for e in notice.events if e.what == IN_PART} | {event.part}
    paid = Decimal(0)
    for detail in told:
        amount, currency = detail.partition(":")[0].split(" ")
        if document.currency is None or currency in ("-", document.currency):
            paid += Decimal(amount)
    return paid >= due


def paid_in_part(notice: Notice, event: ResponseEvent, now: datetime) -> Notice | None:
    """The notice with a payment that ends nothing; None if it has that, or is paid already."""
    known = any(e.what == IN_PART and e.detail == event.part for e in notice.events)
    return None if known or "paid" in notice.responses else happened(notice, now, IN_PART, event.part)


def revoked(notice: Notice, why: str, now: datetime) -> Notice:
    """The notice with its secure link revoked."""
    return happened(replace(notice, link_revoked=why), now, "link revoked", why)
