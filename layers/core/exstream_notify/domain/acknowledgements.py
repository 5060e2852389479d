"""What an acknowledgement counts for: the document, the customer and the version that it names, or nothing.

It is a declaration that a court may read (E-SIGN, 15 USC 7001(c)), so nothing is assumed: neither whose it
is, nor who gave it, nor what was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .documents import Document
from .exceptions import ExceptionRaised
from .notices import Notice, Origin
from .responses import EarlyResponse, ResponseEvent, subjects_of
from .versions import is_version
from .work import SlicePointer

UNASSIGNED = "acknowledgement_unassigned"
"""Code of an acknowledgement that counts for nothing."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an acknowledgement names: notices, or `fault`, why it counts for none.

    Neither: a notice that may still come.
    """

    notices: tuple[Notice, ...] = ()
    fault: str = ""


def named_by(event: ResponseEvent, found: Iterable[Notice]) -> Named:
    """The notices that an acknowledgement names, before its version is looked at.

    `found` are the customers' notices of a document of that id.
    """
    found = tuple(found)
    if not event.document_id:
        return Named(fault="it names no document")
    customers = {n.customer_key for n in found}
    if not event.customer_key and not customers:
        return Named(fault="it names no customer, and nobody is known to have the document")
    if not event.customer_key and len(customers) > 1:
        return Named(fault="it names no customer, and several have the document")
    mine = tuple(n for n in found if event.customer_key in ("", n.customer_key))
    if not mine and len(customers) == 1:
        return Named(fault="the document is another customer's")
    recipients = {n.recipient for n in mine}
    if event.recipient or len(recipients) > 1:
        mine = tuple(n for n in mine if n.recipient == event.recipient)
        if not mine and not event.recipient:
            return Named(fault="it names none of several recipients")
    return Named(mine)


def of_version(
    event: ResponseEvent, mine: Sequence[Notice], documents: Mapping[Origin, Document | None]
) -> Named:
    """Those of the notices whose record has the version that is acknowledged."""
    if not event.versions:
        if len({n.notice_id for n in mine if n.purpose == "notice"}) > 1:
            return Named(fault="it names no version, and the document has several")
        return Named(tuple(mine))
    same = tuple(n for n in mine if is_version(documents.get(n.origin), event.versions))
    if same:
        return Named(same)
    gone = any(documents.get(n.origin) is None for n in mine)
    return Named(fault="its record is not stored any more" if gone else "it names another version")


def early_ones_reported(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    responses: Mapping[str, EarlyResponse],
) -> list[ExceptionRaised]:
    """Acknowledgements of another version that came before a slice's notices: they ended none of them."""
    customers = {
        position: document.customer_in_run
        for position, document in documents
        if any(_names_other_version(responses.get(subject), document) for subject in subjects_of(document))
    }
    if not customers:
        return []
    return [
        ExceptionRaised(
            UNASSIGNED,
            "warning",
            pointer.domain,
            pointer.run_id,
            "acknowledgements that came before their documents count for none: they name another version",
            part=f"slice {pointer.number}",
            count=len(customers),
            customers_in_run=tuple(number for number in customers.values() if number is not None),
        )
    ]


def _names_other_version(early: EarlyResponse | None, document: Document) -> bool:
    if early is None or early.kind != "acknowledged" or is_version(document, early.versions):
        return False
    return (early.customer_key, early.document_id) == (document.customer_key, document.document_id)
