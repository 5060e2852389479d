"""Record what customers did: opened, responded, paid, acknowledged."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from ..domain.contacts import Contact
from ..domain.identity import job_id
from ..domain.journeys import IsHoliday
from ..domain.notices import Notice, Response, Status, finished
from ..domain.responses import (
    EARLY_DAYS,
    ENDS_EARLY,
    TOLD,
    ResponseEvent,
    early_response,
    may_answer,
    responded,
)
from ..domain.runs import RecordOutcome
from ..domain.sharing import LOOK_BACK
from ..ports import (
    Clock,
    ContactBook,
    EarlyResponses,
    Evidence,
    EvidenceLine,
    ExceptionBus,
    JourneyBook,
    Records,
    ResponseLedger,
    Rules,
    RunBook,
)
from .join_journeys import no_holidays
from .record_payment import PaymentPorts, PaymentRecorder, keep_early
from .share_payments import SharedPayments

_TRIES = 5


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
    An acknowledgement is written to the evidence first, so that the event in the ledger names its proof.
    `unmatched`: there is no such notice, and nothing in the event that one could be known by later.
    """
    payments = PaymentPorts(early, records, rules, journeys, exceptions, is_holiday, clock)
    mine = _of_customers(_about(event, ledger))
    if not event.document_id and not event.case_id:
        oldest = (clock.now() - LOOK_BACK).isoformat()
        mine = [n for n in mine if n.created_at >= oldest]
    shared = SharedPayments(event, ledger, runs, payments)
    if event.kind == "paid" and not event.subject:
        mine = shared.named_before(mine)
        if not mine:
            return shared.record(event.customer_key)
    elif event.kind == "paid" and not mine:
        mine = _of_another_account(event, ledger, shared, report=True)
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
        if not mine:
            return Counter({"early": 1})
    detail = event.detail
    if event.kind == "acknowledged":
        detail = _prove(event, mine, contacts, evidence, clock)
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

    A link that was opened is proof that its message arrived, so a single send in doubt counts as sent.
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
            changed[identity] = _resolved(after, clock) if kind == "opened" else after
        blocked = ledger.put(list(changed.values()))
        for identity, notice in changed.items():
            if identity not in blocked:
                told[TOLD.get(notice.events[-1].what, "recorded")] += 1
                if notice.outcome != wanted[identity].outcome:
                    _tell_run(notice, runs)
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
    # One write, one version on, with both events in it.
    return notice if after is None else replace(after, version=notice.version)


def _tell_run(notice: Notice, runs: RunBook) -> None:
    o = notice.origin
    word = RecordOutcome(
        o.slice_number, o.position, notice.outcome, notice.why, notice.version, notice.notice_id
    )
    runs.put_job(o.run, job_id(o.run, o.slice_number, "opened", (notice.notice_id,)), [word])


def _prove(
    event: ResponseEvent, notices: Collection[Notice], contacts: ContactBook, evidence: Evidence, clock: Clock
) -> str:
    """Write who acknowledged what and when; the event's words, with where the proof lies."""
    fresh = [n for n in notices if event.kind not in n.responses]
    if not fresh:
        return event.detail
    keys = {n.contact_key for n in fresh}
    known = contacts.get(event.domain, keys)
    at = clock.now().isoformat(timespec="milliseconds")
    lines = []
    for notice in fresh:
        contact = known.get(notice.contact_key) or Contact(event.domain, notice.customer_key, "")
        body = {
            "acknowledged_by": event.by or notice.customer_key,
            "acknowledged_at": event.at or at,
            "recorded_at": at,
            "source": event.source,
            "said": event.said,
            "document_id": notice.document_id,
            "document_type": notice.document_type,
            "customer_key": notice.customer_key,
            **({"recipient": notice.recipient} if notice.recipient else {}),
            "notice_id": notice.notice_id,
        }
        lines.append(EvidenceLine(f"{notice.notice_id}:acknowledged", contact.salt, at, body))
    references = evidence.write(f"ack-{fresh[0].notice_id}", lines, {})
    return ", ".join(filter(None, (event.detail, f"evidence {' '.join(references)}")))
