"""Record what customers did: opened, responded, paid, acknowledged."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from ..domain.contacts import Contact
from ..domain.identity import job_id
from ..domain.notices import Notice, Response, Status, finished
from ..domain.responses import (
    EARLY_DAYS,
    ENDS_EARLY,
    IN_PART,
    ResponseEvent,
    early_response,
    paid_in_part,
    responded,
    settles,
)
from ..domain.runs import RecordOutcome
from ..ports import (
    Clock,
    ContactBook,
    EarlyResponses,
    Evidence,
    EvidenceLine,
    Records,
    ResponseLedger,
    Rules,
    RunBook,
)
from .decide_notices import document_of

LOOK_BACK = timedelta(days=120)
"""A response that names a customer only is about the notices of so many days, and not about older ones."""

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
    clock: Clock,
) -> Counter[str]:
    """Add a response to every notice that it is about; how many were `recorded`, `known`, `early`.

    A payment of less than the record's amount due is recorded as one in part (`in_part`) and ends nothing,
    unless the type's rule says `any_payment_settles`. One that comes before its notice counts whatever
    its amount, since what was due is not known yet.

    It is about one document's notices, a case's, or, where it names a customer only, all of theirs of
    late that they have not responded to. It may come twice (`known`), late, or before the notice: then
    the response waits for its notice, which then is not sent.
    An acknowledgement is written to the evidence first, so that the event in the ledger names its proof.
    `unmatched`: there is no such notice, and nothing in the event that one could be known by later.
    """
    found = {n.notice_id: n for n in _about(event, ledger)}
    mine = _of_customers(found.values())
    if not event.document_id and not event.case_id:
        oldest = (clock.now() - LOOK_BACK).isoformat()
        mine = [n for n in mine if n.created_at >= oldest]
    if not mine:
        if not (event.domain and event.subject and ENDS_EARLY[event.kind]):
            return Counter({"unmatched": 1})
        until = clock.now() + timedelta(days=EARLY_DAYS)
        early.keep(event.domain, event.subject, early_response(event, clock.now()), until)
        if event.document_id:
            runs.keep_early(event.domain, until)
        # What was claimed before this was kept has not seen it; what is claimed from now on does.
        mine = _of_customers(_about(event, ledger))
        if not mine:
            return Counter({"early": 1})
    detail = event.detail
    if event.kind == "acknowledged":
        detail = _prove(event, mine, contacts, evidence, clock)
    pay = _payment(event, mine, records, rules, clock) if event.kind == "paid" and event.amount else None
    return record(mine, event.kind, detail, ledger=ledger, runs=runs, clock=clock, respond=pay)


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
                told["in_part" if notice.events[-1].what == IN_PART else "recorded"] += 1
                if notice.outcome != wanted[identity].outcome:
                    _tell_run(notice, runs)
        if not blocked:
            return told
        wanted = blocked
    raise RuntimeError("a notice kept changing under five attempts to record a response")


def _payment(
    event: ResponseEvent, notices: Collection[Notice], records: Records, rules: Rules, clock: Clock
) -> Callable[[Notice], Notice | None]:
    """What a payment of that amount makes of each of these notices: paid, or paid in part."""
    documents = {notice.notice_id: document_of(notice, records) for notice in notices}

    def pay(notice: Notice) -> Notice | None:
        document = documents[notice.notice_id]
        if (
            document is None
            or rules.for_document(document).any_payment_settles
            or settles(event, notice, document)
        ):
            return responded(notice, "paid", clock.now(), event.detail)
        return paid_in_part(notice, event, clock.now())

    return pay


def _about(event: ResponseEvent, ledger: ResponseLedger) -> list[Notice]:
    """The notices that an event is about: the narrowest of what it names decides."""
    if event.document_id:
        found = ledger.of_document(event.domain, event.document_id)
    elif event.case_id:
        found = ledger.of_case(event.domain, event.case_id)
    else:
        return ledger.of_customer(event.domain, event.customer_key)
    return [n for n in found if event.customer_key in ("", n.customer_key)]


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
    keys = {n.customer_key for n in fresh}
    known = contacts.get(event.domain, keys)
    at = clock.now().isoformat(timespec="milliseconds")
    lines = []
    for notice in fresh:
        contact = known.get(notice.customer_key) or Contact(event.domain, notice.customer_key, "")
        body = {
            "acknowledged_by": event.by or notice.customer_key,
            "acknowledged_at": event.at or at,
            "recorded_at": at,
            "source": event.source,
            "said": event.said,
            "document_id": notice.document_id,
            "document_type": notice.document_type,
            "customer_key": notice.customer_key,
            "notice_id": notice.notice_id,
        }
        lines.append(EvidenceLine(f"{notice.notice_id}:acknowledged", contact.salt, at, body))
    references = evidence.write(f"ack-{fresh[0].notice_id}", lines, {})
    return ", ".join(filter(None, (event.detail, f"evidence {' '.join(references)}")))
