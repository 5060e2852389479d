"""What an erasure ends: everything about a customer that existed before it (GDPR 17(1))."""

from collections.abc import Iterable
from datetime import UTC, datetime

from .contacts import Contact
from .debt_hold import DebtHold
from .documents import Document
from .notices import Notice
from .receipts import moment
from .runs import Run

KEPT_HOLD = "kept from an erasure"
"""The reason of a hold of collection that stood when its customer was erased."""


def erased(contact: Contact, who: str, why: str, now: datetime) -> Contact:
    """The mark that stays in the contact's place: who erased it, when and why, and nothing of its profile.

    A hold of collection stays in it without its reasons, as an opt-out does: a person lifts it, or nobody.
    One version on, so that no write that is under way can take its place.
    """
    at = now.astimezone(UTC).isoformat(timespec="milliseconds")
    hold = contact.debt_hold if contact.debt_hold is not None and contact.debt_hold.in_force else None
    return Contact(
        contact.domain,
        contact.customer_key,
        "",
        contact.version + 1,
        changed_at=at,
        recipient=contact.recipient,
        erased_at=at,
        erased_by=who,
        erased_why=why,
        debt_hold=DebtHold((KEPT_HOLD,), at, who) if hold else None,
    )


def earliest(times: Iterable[str]) -> datetime | None:
    """The earliest of these times (ISO 8601); None where nothing says when."""
    return min(filter(None, map(moment, times)), default=None)


def composed(document: Document, run: Run | None) -> datetime | None:
    """The earliest time known of a record: its own, that of its run's files, when the run was staged."""
    of_run = (run.composed_at, run.opened_at) if run is not None else ()
    return earliest((document.produced_at or "", *of_run))


def began(notice: Notice) -> datetime | None:
    """When a notice was first known, whichever record has it now."""
    return earliest((notice.created_at, *(event.at for event in notice.events[:1])))


def existed_before_erasure(contact: Contact | None, at: datetime | None) -> bool:
    """Whether what is known since `at` (None: nothing says when) existed before the customer was erased.

    False for a customer whom nobody erased.
    """
    erasure = moment(contact.erased_at) if contact is not None and contact.erased_at else None
    return erasure is not None and (at is None or at <= erasure)


def is_gone(contact: Contact | None, at: datetime | None) -> bool:
    """Whether nothing may be sent or kept that is known since `at`, of a customer who had a contact before.

    Where there is no contact any more, an earlier release erased it.
    """
    return contact is None or contact.is_erased or existed_before_erasure(contact, at)
