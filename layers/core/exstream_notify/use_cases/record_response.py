"""Record what customers did: opened, responded, paid, acknowledged."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from ..domain.contacts import Contact
from ..domain.deferring import follow_up
from ..domain.documents import contact_key
from ..domain.erasure import began, existed_before_erasure
from ..domain.journeys import IsHoliday
from ..domain.notices import Notice, Response, Status, finished
from ..domain.receipts import moment
from ..domain.responses import (
    EARLY_DAYS,
    ENDS_EARLY,
    TOLD,
    ResponseEvent,
    early_response,
    may_answer,
    responded,
)
from ..domain.sharing import LOOK_BACK
from ..ports import (
    Clock,
    ContactBook,
    EarlyResponses,
    Evidence,
    ExceptionBus,
    JourneyBook,
    Records,
    ResponseLedger,
    Rules,
    RunBook,
)
from .join_journeys import no_holidays
from .record_acknowledgement import AcknowledgementPorts, record_acknowledgement
from .record_payment import PaymentPorts, PaymentRecorder, keep_early
from .share_payments import SharedPayments
from .slices import outcome_of, tell_run

_TRIES = 5


class PerhapsUnseen(Exception):
    """No index shows a notice that the response is about.

    An index may lag behind a notice that was claimed just before, so the response is recorded again later.
    """

    expected = True


def record_response(
    event: ResponseEvent,
    *,
    ledger: ResponseLedger,
    early: EarlyResponses,
    contacts: ContactBook,
    runs: RunBook,
    evidence: Evidence,
    records: Records,
    rules: Rules,
    journeys: JourneyBook,
    exceptions: ExceptionBus,
    clock: Clock,
    is_holiday: IsHoliday = no_holidays,
) -> Counter[str]:
    """Add a response to every notice that it is about; how many were `recorded`, `known`, `early`.

    A payment of less than the record's amount due is recorded as one in part (`in_part`) and ends nothing,
    unless the type's rule says `any_payment_settles`. Payments have an identity: each counts once, and adds
    up with the others. One that is taken back (`reversed`) leaves its notice open again (`reopened`), and
    the journey goes on. A payment that comes before its notice is kept and set against what is due then.

    It is about one document's notices, a case's, or, where it names a customer only, all of theirs of
    late that they have not responded to. It may come twice (`known`), late, or before the notice: then
    the response waits for its notice, which then is not sent.
    An acknowledgement is another matter (record_acknowledgement.py).
    `erased`: the customer was erased after what the event is about, so nothing of it is kept.
    `unmatched`: there is no such notice, and nothing in the event that one could be known by later.
    """
    payments = PaymentPorts(early, records, rules, contacts, journeys, exceptions, is_holiday, clock)
    mine = _of_customers(_about(event, ledger))
    known = _contacts_of(event, mine, contacts)
    if _is_erased(event, mine, known, clock):
        return Counter({"erased": max(1, len(mine))})
    if event.kind == "acknowledged":
        ports = AcknowledgementPorts(ledger, early, contacts, runs, evidence, records, exceptions, clock)
        return record_acknowledgement(event, ports, record)
    mine = _living(mine, known)
    if not event.document_id and not event.case_id:
        oldest = (clock.now() - LOOK_BACK).isoformat()
        mine = [n for n in mine if n.created_at >= oldest]
    shared = SharedPayments(event, ledger, runs, payments)
    if event.kind == "paid" and not event.subject:
        mine = shared.named_before(mine)
        if not mine:
            return shared.record(event.customer_key)
    elif event.kind == "paid" and not mine:
        others = _of_another_account(event, ledger, shared, report=True)
        mine = _living(others, _contacts_of(event, others, contacts))
    if event.kind == "paid" and (payer := shared.takes_back_shared(mine)):
        return shared.record(payer)
    if not mine:
        if not (event.domain and event.subject and ENDS_EARLY[event.kind]):
            return Counter({"unmatched": 1})
        until = clock.now() + timedelta(days=EARLY_DAYS)
        if event.kind == "paid":
            keep_early(event, payments)
        else:
            early.keep(event.domain, event.subject, early_response(event, clock.now()), until)
        if event.document_id:
            runs.keep_early(event.domain, until)
        # What was claimed before this was kept has not seen it; what is claimed from now on does.
        mine = _of_customers(_about(event, ledger))
        if not mine and event.kind == "paid":
            mine = _of_another_account(event, ledger, shared)
        mine = _living(mine, _contacts_of(event, mine, contacts))
        if not mine:
            return Counter({"early": 1})
    detail = event.detail
    if event.kind != "paid":
        return record(mine, event.kind, detail, ledger=ledger, runs=runs, clock=clock)
    recorder = PaymentRecorder(event, payments)
    recorder.look_up(mine)
    told = record(mine, event.kind, detail, ledger=ledger, runs=runs, clock=clock, respond=recorder.respond)
    told += recorder.follow_up()
    return told + shared.share_again(dict.fromkeys(n.customer_key for n in mine))


def record(
    notices: Collection[Notice],
    kind: Response,
    detail: str,
    *,
    ledger: ResponseLedger,
    runs: RunBook,
    clock: Clock,
    respond: Callable[[Notice], Notice | None] | None = None,
) -> Counter[str]:
    """Add a response to these notices, over whatever else happens to them meanwhile.

    `respond` gives a notice with the response, where that is more than adding its kind; None: it has it.

    What was opened is proof that its message arrived, so a single send in doubt counts as sent; not where
    `respond` is given.
    """
    told: Counter[str] = Counter()
    wanted = {n.notice_id: n for n in notices}
    for _ in range(_TRIES):
        changed: dict[str, Notice] = {}
        for identity, notice in wanted.items():
            after = respond(notice) if respond else responded(notice, kind, clock.now(), detail)
            if after is None:
                told["known"] += 1
                continue
            proof = kind == "opened" and respond is None
            changed[identity] = _resolved(after, clock) if proof else after
        blocked = ledger.put(list(changed.values()))
        for identity, notice in changed.items():
            if identity not in blocked:
                told[TOLD.get(notice.events[-1].what, "recorded")] += 1
                if notice.outcome != wanted[identity].outcome:
                    tell_run(runs, notice.origin.run, "opened", [outcome_of(notice)])
        if not blocked:
            return told
        wanted = blocked
    raise RuntimeError("a notice kept changing under five attempts to record a response")


def _about(event: ResponseEvent, ledger: ResponseLedger) -> list[Notice]:
    """The notices that an event is about: the narrowest of what it names decides."""
    if event.document_id:
        found = ledger.of_document(event.domain, event.document_id)
    elif event.case_id:
        found = ledger.of_case(event.domain, event.case_id)
    else:
        found = ledger.of_customer(event.domain, event.customer_key)
    found = [n for n in found if event.customer_key in ("", n.customer_key)]
    if not event.recipient and len({n.recipient for n in found}) == 1:
        # There is nobody else whose answer it could be.
        return found
    return [n for n in found if may_answer(event.kind, event.recipient, n.recipient)]


def _of_another_account(
    event: ResponseEvent, ledger: ResponseLedger, shared: SharedPayments, *, report: bool = False
) -> list[Notice]:
    """The notices that a payment by another account is about, where only one customer can be meant.

    Where several have a document of that id or that case, none is, and the payment is reported.
    """
    found = _of_customers(_about(replace(event, customer_key=""), ledger)) if event.customer_key else []
    if not found:
        return []
    if len({n.customer_key for n in found}) > 1 or shared.is_named_by_its_file(found[0]):
        if report:
            shared.report("the payer has no document of this id, and more than one customer may", found)
        return []
    return found


def _of_customers(notices: Iterable[Notice]) -> list[Notice]:
    return [n for n in notices if n.audience == "customer"]


def _resolved(notice: Notice, clock: Clock) -> Notice:
    doubtful = [a for a in notice.attempts if a.status == Status.UNCONFIRMED]
    if len(doubtful) != 1 or notice.reached:
        return notice
    after = finished(notice, doubtful[0].number, Status.SENT, clock.now(), why="opened")
    if after is None:
        return notice
    # One write, one version on, with both events in it; due, since its run is to be told.
    return replace(after, version=notice.version, due_at=follow_up(after, clock.now()))


def _contacts_of(
    event: ResponseEvent, notices: Iterable[Notice], contacts: ContactBook
) -> Mapping[str, Contact]:
    keys = {n.contact_key for n in notices}
    if event.customer_key:
        keys.add(contact_key(event.customer_key, event.recipient))
    return contacts.get(event.domain, keys) if keys else {}


def _is_erased(
    event: ResponseEvent, notices: Collection[Notice], known: Mapping[str, Contact], clock: Clock
) -> bool:
    """Whether all that an event is about existed before its customer was erased; where no notice is known,
    the event's own time decides."""
    if notices:
        return not _living(notices, known)
    at = moment(event.at) if event.at else clock.now()
    contact = known.get(contact_key(event.customer_key, event.recipient))
    return existed_before_erasure(contact, at)


def _living(notices: Iterable[Notice], known: Mapping[str, Contact]) -> list[Notice]:
    return [n for n in notices if not existed_before_erasure(known.get(n.contact_key), began(n))]
