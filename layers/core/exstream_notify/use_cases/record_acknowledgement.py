"""Record what a customer acknowledged: proved first, and only for what the acknowledgement names."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..domain.acknowledgements import UNASSIGNED, Named, named_by, of_version
from ..domain.contacts import Contact
from ..domain.documents import Document
from ..domain.exceptions import ExceptionRaised, mark
from ..domain.notices import Notice, Origin
from ..domain.responses import EARLY_DAYS, ResponseEvent, early_response
from ..ports import (
    Clock,
    ContactBook,
    EarlyResponses,
    Evidence,
    EvidenceLine,
    ExceptionBus,
    Records,
    ResponseLedger,
    RunBook,
)
from .slices import document_of

Record = Callable[..., Counter[str]]
"""`record` of record_response.py."""


@dataclass(frozen=True, slots=True)
class AcknowledgementPorts:
    """What recording an acknowledgement takes."""

    ledger: ResponseLedger
    early: EarlyResponses
    contacts: ContactBook
    runs: RunBook
    evidence: Evidence
    records: Records
    exceptions: ExceptionBus
    clock: Clock


def record_acknowledgement(event: ResponseEvent, ports: AcknowledgementPorts, record: Record) -> Counter[str]:
    """Add an acknowledgement to the notices that it names; how many were `recorded`, `known`, `early`.

    It counts for the document, the customer, the recipient and the version that it names. One that leaves in
    doubt what it is about counts for none, is not kept, and is reported (`unassigned`). The proof is written
    first, so that the event in the ledger names it. `acknowledged_by` is what was said, or empty.
    """
    named, documents = _named(event, ports)
    if not named.notices and not named.fault:
        until = ports.clock.now() + timedelta(days=EARLY_DAYS)
        ports.early.keep(event.domain, event.subject, early_response(event, ports.clock.now()), until)
        ports.runs.keep_early(event.domain, until)
        # What was claimed before this was kept has not seen it; what is claimed from now on does.
        named, documents = _named(event, ports)
        if not named.notices and not named.fault:
            return Counter({"early": 1})
    if named.fault:
        ports.exceptions.raise_exceptions([_unassigned(event, named.fault, ports)])
        return Counter({"unassigned": 1})
    detail = _prove(event, named.notices, documents, ports)
    return record(named.notices, event.kind, detail, ledger=ports.ledger, runs=ports.runs, clock=ports.clock)


def _named(
    event: ResponseEvent, ports: AcknowledgementPorts
) -> tuple[Named, Mapping[Origin, Document | None]]:
    found = ports.ledger.of_document(event.domain, event.document_id) if event.document_id else []
    named = named_by(event, (n for n in found if n.audience == "customer"))
    if not named.notices:
        return named, {}
    notices = {n.origin: n for n in named.notices}
    documents = {origin: document_of(notice, ports.records) for origin, notice in notices.items()}
    return of_version(event, named.notices, documents), documents


def _unassigned(event: ResponseEvent, fault: str, ports: AcknowledgementPorts) -> ExceptionRaised:
    found = ports.ledger.of_document(event.domain, event.document_id) if event.document_id else []
    about = sorted(n.notice_id for n in found if n.audience == "customer" and n.purpose == "notice")
    identity = event.event_id or mark(f"{event.customer_key} {event.document_id} {event.case_id} {event.at}")
    return ExceptionRaised(
        UNASSIGNED,
        "warning",
        event.domain,
        "none",
        f"an acknowledgement counts for no document: {fault}",
        part=f"event {identity}",
        detail={"notices": " ".join(about[:10])} if about else {},
    )


def _prove(
    event: ResponseEvent,
    notices: Sequence[Notice],
    documents: Mapping[Origin, Document | None],
    ports: AcknowledgementPorts,
) -> str:
    """Write who acknowledged what and when; the event's words, with where the proof lies."""
    fresh = [n for n in notices if event.kind not in n.responses]
    if not fresh:
        return event.detail
    known = ports.contacts.get(event.domain, {n.contact_key for n in fresh})
    at = ports.clock.now().isoformat(timespec="milliseconds")
    lines = []
    for notice in fresh:
        contact = known.get(notice.contact_key) or Contact(event.domain, notice.customer_key, "")
        document = documents.get(notice.origin)
        body: dict[str, object] = {
            "acknowledged_by": event.by,
            "acknowledged_at": event.at or at,
            "recorded_at": at,
            "source": event.source,
            "said": event.said,
            "versions": list(event.versions),
            "document_id": notice.document_id,
            "document_type": notice.document_type,
            "document_version": (document.document_version if document else None) or "",
            "content_sha256": (document.content_sha256 if document else None) or "",
            "customer_key": notice.customer_key,
            **({"recipient": notice.recipient} if notice.recipient else {}),
            "notice_id": notice.notice_id,
        }
        lines.append(EvidenceLine(f"{notice.notice_id}:acknowledged", contact.salt, at, body))
    references = ports.evidence.write(f"ack-{fresh[0].notice_id}", lines, {})
    return ", ".join(filter(None, (event.detail, f"evidence {' '.join(references)}")))
