"""Do not dun: who is not asked for money, and since when.

The hold is the customer's, not a recipient's: the debt is the account's, and whichever of its holders is
insolvent or disputes it, a demand to another holder is a demand all the same (11 USC 1301). It is stored on
the contact without a recipient, and read together with the recipient's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from .account_status import StatusWords
from .contacts import Contact, with_entries
from .debt_hold import DebtHold
from .documents import Document, DocumentRule

BY_OPERATOR = "operator"
"""The reason of a hold that a person sets."""

HELD = "collection_held"
"""Code of a hold that was set; it is reported once for each reason."""

MENTIONED = "hardship_mentioned"
"""Code of a response that mentions a status that holds, in words that may mean the contrary."""

STATUS_UNKNOWN = "account_status_unknown"
"""Code of an account status that no rule knows, on a document that asks for money."""


class _Keyed(Protocol):
    @property
    def customer_key(self) -> str: ...

    @property
    def contact_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StatusSource:
    """Who states the account statuses of some records, and in which words."""

    words: StatusWords
    who: str


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What an event states of a customer's account, who is named, or is that of a document or of a case.

    `said` are the customer's own words. `at` is when it was stated (ISO 8601).
    """

    domain: str
    customer_key: str = ""
    document_id: str = ""
    case_id: str = ""
    status: str = ""
    said: str = ""
    at: str = ""
    who: str = ""


def keys_of(several: Iterable[_Keyed]) -> set[str]:
    """The contacts to read for these documents or notices: each one's own, and the one that has the hold."""
    return {key for one in several for key in (one.contact_key, one.customer_key)}


def under_hold(contact: Contact, known: Mapping[str, Contact]) -> Contact:
    """A recipient's contact with the hold of their account; for deciding only, and never stored."""
    account = known.get(contact.customer_key)
    if account is None or account.debt_hold == contact.debt_hold:
        return contact
    return replace(contact, debt_hold=account.debt_hold)


def stays(rule: DocumentRule, contact: Contact | None) -> str:
    """Why a notice by this rule is not sent: what holds its customer, or its own record; empty if nothing."""
    if not rule.collects:
        return ""
    return hold_of(contact) or rule.account_hold


def hold_of(contact: Contact | None) -> str:
    """Why the customer is not to be asked for money; empty where nothing says so."""
    return contact.debt_hold.words if contact is not None and contact.debt_hold else ""


def held(contact: Contact, hold: DebtHold, now: datetime) -> Contact:
    """The contact under a hold, one version on, with an entry in its history; the same where nothing is new.

    A reason is stated once. What a system stated before a person lifted the hold, or what the same run or
    event states again, does not bring it back. `hold.at` is when the reason was stated.
    """
    if contact.version and not contact.salt:
        return contact  # the mark of an erased customer, of whom nothing is kept
    before = contact.debt_hold
    reasons = hold.reasons
    if before is not None and before.in_force:
        reasons = tuple(dict.fromkeys((*before.reasons, *hold.reasons)))
    elif before is not None and BY_OPERATOR not in hold.reasons and _is_old(hold, before):
        return contact
    if before is not None and before.in_force and reasons == before.reasons:
        return contact
    return _with(contact, replace(hold, reasons=reasons), now, hold.who, hold.why)


def _is_old(hold: DebtHold, before: DebtHold) -> bool:
    return hold.at <= before.lifted_at or hold.who == before.who


def lifted(contact: Contact, now: datetime, who: str, why: str) -> Contact:
    """The contact without its hold, one version on; the same object where none stands."""
    before = contact.debt_hold
    if before is None or not before.in_force:
        return contact
    return _with(contact, replace(before, lifted_at=moment(now)), now, who, why)


def stated_by(document: Document, source: StatusSource, now: datetime) -> DebtHold | None:
    """The hold that a record's account status sets; None where it does not."""
    reason = source.words.holds(document.account_status)
    if not reason or document.test_flag:
        return None
    return DebtHold((reason,), document.produced_at or moment(now), source.who)


def moment(at: datetime) -> str:
    """A time of a hold: UTC, to the second, so that two compare as texts."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _with(contact: Contact, hold: DebtHold, now: datetime, who: str, why: str) -> Contact:
    at = now.isoformat(timespec="seconds")
    entry = {"at": at, "who": who, "field": "do_not_dun", "from": hold_of(contact), "to": hold.words}
    history = with_entries(contact, {**entry, "why": why} if why else entry)
    return replace(contact, debt_hold=hold, version=contact.version + 1, changed_at=at, history=history)
