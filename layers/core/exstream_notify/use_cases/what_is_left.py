"""What is left to pay of documents, at the time when a message about them is decided or sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ..domain.documents import Document
from ..domain.notices import Notice
from ..domain.payments import NO_PAYMENTS, Payments, amount_of, as_left, with_facts
from ..domain.responses import EarlyResponse, early_payments, of_known, subjects_of
from ..domain.work import SlicePointer
from ..ports import EarlyResponses, Ledger, Rules

IdentityOf = Callable[[Document, Rules], str]
"""The id of a document's first notice, by the rules of documents."""


def payments_by_document(
    documents: Sequence[Document],
    stored: Mapping[str, Notice],
    identity: Callable[[Document], str],
    early: EarlyResponses | None,
    domain: str,
    *,
    by_document: bool,
    now: datetime,
) -> dict[str, Payments]:
    """What was paid, by the id of each document's first notice; only of documents that say what is due.

    `stored` are first notices as the ledger has them. Payments that came before a notice was known are
    asked for in one call, and only where there can be some.
    """
    if not stored and (early is None or not (by_document or any(d.case_id for d in documents))):
        return {}
    owing = {identity(d): d for d in documents if amount_of(d) is not None and not d.test_flag}
    subjects = {s for d in owing.values() for s in subjects_of(d, by_document=by_document)}
    kept: Mapping[str, EarlyResponse] = early.on(domain, subjects) if early is not None and subjects else {}
    found: dict[str, Payments] = {}
    for key, document in owing.items():
        notice = stored.get(key)
        known = notice.payments if notice is not None else NO_PAYMENTS
        mine = kept if notice is None else of_known(kept)
        payments = with_facts(known, early_payments(document, mine, now).facts) if mine else known
        if payments:
            found[key] = payments
    return found


def at_step(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    rules: Rules,
    identity: IdentityOf,
    ledger: Ledger,
    early: EarlyResponses | None,
    *,
    by_document: bool,
    now: datetime,
) -> list[tuple[int, Document]]:
    """The documents of a journey's step with what is left in place of what was due.

    `rules` are those of the documents. Anything but a step comes back as it is.
    """
    owing = [document for _, document in documents if amount_of(document) is not None]
    if not pointer.version or not owing:
        return list(documents)

    def first(document: Document) -> str:
        return identity(document, rules)

    stored = ledger.get({first(document) for document in owing})
    paid = payments_by_document(owing, stored, first, early, pointer.domain, by_document=by_document, now=now)
    return [
        (position, as_left(document, paid.get(first(document), NO_PAYMENTS)))
        for position, document in documents
    ]
