"""Stop asking a customer for money, by a record, an event or an operator's word, and begin again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..domain.contacts import Contact
from ..domain.debt import (
    BY_OPERATOR,
    HELD,
    MENTIONED,
    STATUS_UNKNOWN,
    StatusChange,
    StatusSource,
    held,
    lifted,
    stated_by,
)
from ..domain.debt_hold import DebtHold
from ..domain.documents import Document
from ..domain.erasure import existed_before_erasure
from ..domain.exceptions import ExceptionRaised, mark
from ..domain.journeys import is_stopped
from ..domain.notices import Notice
from ..domain.passes import handle_of
from ..domain.receipts import moment
from ..domain.responses import said_at
from ..domain.work import SlicePointer
from ..ports import Clock, ContactBook, ExceptionBus, ResponseLedger, Rules
from .control_journeys import stop_notices

_TRIES = 5


def hold_as_stated(
    documents: Iterable[Document],
    known: dict[str, Contact],
    changed: dict[str, Contact],
    source: StatusSource,
    clock: Clock,
) -> None:
    """Put the customers under a hold whose records state such an account status.

    `known` are the contacts as the records leave them, `changed` those of them that are to be written; both
    by contact key, and both are brought up to date.
    """
    for document in documents:
        hold = stated_by(document, source, clock.now())
        if hold is None:
            continue
        key = document.customer_key
        before = known.get(key)
        if before is None or before.is_erased:
            before = _new(before or Contact(document.domain, key, ""), clock)
        after = held(before, hold, clock.now())
        if after is not before:
            # Several changes of one contact are one write.
            known[key] = changed[key] = replace(after, version=before.version) if key in changed else after


def _new(contact: Contact, clock: Clock) -> Contact:
    at = clock.now().isoformat(timespec="seconds")
    return replace(contact, salt=clock.random_id(), created_at=at, changed_at=at)


def statuses_reported(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    known: Mapping[str, Contact],
    rules: Rules,
    who: str,
) -> list[ExceptionRaised]:
    """What collections hears of a slice's account statuses: who is under a hold since this run, by reason,
    and statuses that nobody knows.

    A hold that another run, an event or a person set was reported then; the same slice again says the same.
    """
    rows: dict[tuple[str, str], dict[int, int | None]] = {}
    for position, document in documents:
        if document.test_flag or not document.account_status:
            continue
        rule = rules.for_document(document)
        account = known.get(document.customer_key)
        stands = account.debt_hold if account is not None else None
        if stands is not None and stands.in_force:
            told = (HELD, rule.account_hold) if rule.account_hold and stands.who == who else None
        else:
            told = (
                (STATUS_UNKNOWN, document.account_status) if rule.status_unknown and rule.collects else None
            )
        if told is not None:
            rows.setdefault(told, {})[position] = document.customer_in_run
    return [
        ExceptionRaised(
            code,
            "warning",
            pointer.domain,
            pointer.run_id,
            _TEXTS[code].format(word),
            part=f"slice {pointer.number} {mark(word)}",
            count=len(customers),
            customers_in_run=tuple(number for number in customers.values() if number is not None),
            names=(word,) if code == STATUS_UNKNOWN else (),
        )
        for (code, word), customers in rows.items()
    ]


_TEXTS: Mapping[str, str] = {
    HELD: "customers who are not asked for money from now on: {}",
    STATUS_UNKNOWN: "account status {} is not known; its customers are notified as by default",
}


@dataclass(frozen=True, slots=True)
class HoldPorts:
    """What a hold takes."""

    contacts: ContactBook
    ledger: ResponseLedger
    rules: Rules
    exceptions: ExceptionBus
    clock: Clock


def hold_collection(domain: str, customer_key: str, hold: DebtHold, ports: HoldPorts) -> bool:
    """Ask this customer for no money any more; whether that is news. Safe to repeat.

    Their collection journeys are stopped, and stay so when the hold is lifted, until a person resumes them.
    The team hears of it once. A customer whom no record has named yet is held all the same. One who was
    erased is by an operator, and by what was stated later where the account has other holders.
    """
    for _ in range(_TRIES):
        now = ports.clock.now()
        before = ports.contacts.get(domain, [customer_key]).get(customer_key)
        if before is not None and before.is_erased:
            if not _is_held_anew(before, hold, ports):
                return False
            before = _new(before, ports.clock)
        before = before or _new(Contact(domain, customer_key, ""), ports.clock)
        after = held(before, hold, now)
        if after is before or not ports.contacts.put([after]):
            break
    else:
        raise RuntimeError(f"a contact of {domain} kept changing under five attempts to hold it")
    _stop(domain, customer_key, after, hold.who, ports)
    stands = after.debt_hold
    if stands is None or not stands.in_force or stands.who != hold.who:
        return False
    ports.exceptions.raise_exceptions([_reported(domain, after, stands)])
    return after is not before


def _is_held_anew(erased: Contact, hold: DebtHold, ports: HoldPorts) -> bool:
    """Whether a hold counts although the contact that holds stand on was erased."""
    if BY_OPERATOR in hold.reasons:
        return True
    if existed_before_erasure(erased, moment(hold.at)):
        return False
    notices = ports.ledger.of_customer(erased.domain, erased.customer_key)
    others = ports.contacts.get(erased.domain, {n.contact_key for n in notices} - {erased.contact_key})
    return any(not other.is_erased for other in others.values())


def record_account_status(change: StatusChange, ports: HoldPorts) -> Counter[str]:
    """Hold the customer where the status that an event states says so: `held`, `known`, or `none`.

    The customer's own words count likewise (15 USC 1692c(c), 1692g(b): who disputes a debt, or says to cease,
    is not asked on). Where they mention such a status and may mean the contrary, the team reads them
    (`mentioned`). A status that nobody knows is reported (`unknown`). A document or case of several
    customers, or of none that is known, names nobody: that is reported (`unassigned`).
    """
    words = ports.rules.statuses
    reason = words.holds(change.status) or words.holds(change.said)
    mentioned = "" if reason else words.mentioned(change.said)
    unknown = bool(change.status) and not words.named(change.status)
    if not (reason or mentioned or unknown):
        return Counter({"none": 1})
    customers = _customers_of(change, ports.ledger)
    if reason and len(customers) != 1:
        text = "an account status names a document or a case of several customers, or of none that is known"
        ports.exceptions.raise_exceptions([_of_event("event_unusable", change, set(), ports, text)])
        return Counter({"unassigned": 1})
    told: Counter[str] = Counter()
    if unknown:
        text = f"account status {change.status} of an event is not known; nobody is held for it"
        ports.exceptions.raise_exceptions(
            [_of_event(STATUS_UNKNOWN, change, customers, ports, text, change.status)]
        )
        told["unknown"] += 1
    if mentioned:
        text = f"a customer's response mentions: {mentioned}, perhaps to deny it; it holds nobody"
        ports.exceptions.raise_exceptions([_of_event(MENTIONED, change, customers, ports, text)])
        told["mentioned"] += 1
    if reason:
        hold = DebtHold((reason,), said_at(change.at, ports.clock.now()), change.who)
        told["held" if hold_collection(change.domain, customers.pop(), hold, ports) else "known"] += 1
    return told


def _customers_of(change: StatusChange, ledger: ResponseLedger) -> set[str]:
    if change.customer_key:
        return {change.customer_key}
    if change.document_id:
        return {n.customer_key for n in ledger.of_document(change.domain, change.document_id)}
    return {n.customer_key for n in ledger.of_case(change.domain, change.case_id)}


def _of_event(
    code: str, change: StatusChange, customers: set[str], ports: HoldPorts, text: str, *names: str
) -> ExceptionRaised:
    known = ports.contacts.get(change.domain, customers) if len(customers) == 1 else {}
    (salt,) = [contact.salt for contact in known.values()] or [""]
    detail = {"contact": f"handle:{handle_of(salt)}"} if salt else {}
    return ExceptionRaised(
        code, "warning", change.domain, "none", text, part=change.who, detail=detail, names=names
    )


def dun_again(domain: str, customer_key: str, who: str, why: str, ports: HoldPorts) -> bool:
    """Lift the hold; whether one stood. Journeys that it ended stay stopped: new documents begin anew."""
    for _ in range(_TRIES):
        before = ports.contacts.get(domain, [customer_key]).get(customer_key)
        if before is None or before.debt_hold is None or not before.debt_hold.in_force:
            return False
        _stop(domain, customer_key, before, who, ports)
        after = lifted(before, ports.clock.now(), who, why)
        if not ports.contacts.put([after]):
            return True
    raise RuntimeError(f"a contact of {domain} kept changing under five attempts to lift its hold")


def _stop(domain: str, customer_key: str, contact: Contact, who: str, ports: HoldPorts) -> None:
    if contact.debt_hold is None or not contact.debt_hold.in_force:
        return
    asking = [n for n in ports.ledger.of_customer(domain, customer_key) if is_about_money(n, ports.rules)]
    why = f"do not dun: {contact.debt_hold.words}"
    stop_notices([n for n in asking if not is_stopped(n)], who, why, ledger=ports.ledger, clock=ports.clock)


def is_about_money(notice: Notice, rules: Rules) -> bool:
    """Whether it is a document's first notice whose journeys ask for money."""
    if notice.purpose != "notice" or notice.audience != "customer":
        return False
    journeys = rules.journeys().values()
    if any(notice.document_type in j.documents and j.follows_payment for j in journeys):
        return True
    try:
        return rules.of_type(notice.document_type).collects
    except KeyError:
        return False  # a type that the site has no more


def _reported(domain: str, contact: Contact, hold: DebtHold) -> ExceptionRaised:
    contact_name = f"handle:{handle_of(contact.salt)}"
    return ExceptionRaised(
        HELD,
        "warning",
        domain,
        "none",
        f"a customer is not asked for money from now on: {hold.words}",
        part=f"contact {contact_name} {mark(f'{hold.who} {hold.words}')}",
        detail={"contact": contact_name},
    )
