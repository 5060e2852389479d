"""What is behind a secure link: looking at it changes nothing, opening it leads on to the document."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ..domain.documents import Document, DocumentRule
from ..domain.erasure import began, is_gone
from ..domain.exceptions import ExceptionRaised
from ..domain.journeys import is_step_of, told_at
from ..domain.links import PLACES, LinkState, Look
from ..domain.notices import Notice, Status
from ..domain.records import path_in_run
from ..domain.responses import responded
from ..domain.second_step import Keys, Step, StepAnswer, expected, field_of
from ..domain.values import ValueRefused
from ..ports import (
    Clock,
    ContactBook,
    DocumentStore,
    ExceptionBus,
    Records,
    ResponseLedger,
    Rules,
    RunBook,
    TryCounter,
)
from .record_response import record
from .slices import document_of
from .take_second_step import is_locked, take_second_step

BY_LINK = "by secure link"
"""What the event of an opened link says."""


def look_at_link(
    notice_id: str | None,
    *,
    ledger: ResponseLedger,
    records: Records,
    rules: Rules,
    contacts: ContactBook,
    tries: TryCounter,
    keys: Callable[[], Keys],
    clock: Clock,
) -> Look:
    """What the link of a genuine token leads to (None: of no token of ours); reads only.

    A notice that there is not, or whose customer was erased, looks the same as a forged link. The rest
    says what became of the link, by the ledger: revoked, superseded, expired, locked, or that its record is
    gone.
    """
    notice = ledger.get([notice_id]).get(notice_id) if notice_id else None
    if notice is None or notice.audience != "customer" or not notice.attempts:
        return Look(LinkState.UNKNOWN)
    contact = contacts.get(notice.domain, [notice.contact_key]).get(notice.contact_key)
    if is_gone(contact, began(notice)):
        return Look(LinkState.UNKNOWN)
    chosen = contact.language if contact and "language" in contact.set_by_customer else None
    known = contact.language if contact else None
    try:
        rule = rules.of_type(notice.document_type)
    except KeyError:
        return Look(LinkState.MISSING, notice, languages=(chosen, known))
    look = Look(LinkState.READY, notice, None, rule, (chosen, known), salt=contact.salt if contact else "")
    if notice.link_revoked:
        return replace(look, state=LinkState.REVOKED)
    if notice.superseded_by:
        return replace(look, state=LinkState.SUPERSEDED)
    if _expired(notice, timedelta(days=rule.link_days), ledger, clock.now()):
        return replace(look, state=LinkState.EXPIRED)
    document = document_of(notice, records)
    if document is None:
        return replace(look, state=LinkState.MISSING)
    rule = rules.for_document(document)
    look = replace(look, document=document, rule=rule, languages=(chosen, document.language, known))
    asked = field_of(rule.second_step)
    if asked is None:
        return look
    # A reminder's tries count with those of the notice that it reminds of.
    answer = expected(rule.second_step, getattr(document, asked), notice.domain, notice.contact_key, keys())
    step = Step(rule.second_step, notice.domain, notice.contact_key, notice.notice_id, answer)
    if not answer:
        return replace(look, state=LinkState.MISSING)
    return replace(look, state=LinkState.LOCKED if is_locked(step, tries) else LinkState.ASKS, step=step)


def _expired(notice: Notice, opens: timedelta, ledger: ResponseLedger, now: datetime) -> bool:
    """Whether a link's time is over. Each step of a journey prolongs it, since its link has to open."""
    first = datetime.fromisoformat(notice.created_at)
    if now < first + opens:
        return False
    steps = [n for n in ledger.of_document(notice.domain, notice.document_id) if is_step_of(n, notice)]
    return now >= max([first, *(at for step in steps for at in told_at(step))]) + opens


def open_document(
    look: Look,
    given: str,
    language: str,
    *,
    portal: str,
    documents: DocumentStore,
    ledger: ResponseLedger,
    runs: RunBook,
    tries: TryCounter,
    keys: Callable[[], Keys],
    exceptions: ExceptionBus,
    clock: Clock,
) -> Look:
    """Open what a look found: take the second step where one is asked, record it, and lead on.

    `given` is what was typed, in a page of that language; `portal` the site's pattern, or empty. It
    counts as opened only when there is somewhere to lead to. A document that is not in the drop any
    more is an exception, and a page that says whom to ask.
    """
    notice, document, rule = look.notice, look.document, look.rule
    if look.state not in (LinkState.READY, LinkState.ASKS) or not notice or not document or not rule:
        return look
    run_id = notice.origin.run.partition("/")[2]
    if look.step is not None:
        answer = take_second_step(
            look.step, given, language, keys=keys, tries=tries, exceptions=exceptions, run_id=run_id
        )
        if answer != StepAnswer.PASSED:
            wrong = answer == StepAnswer.WRONG
            return replace(look, state=LinkState.WRONG if wrong else LinkState.LOCKED)
    leads_to = _destination(notice, document, rule, portal, language, documents)
    if not leads_to:
        exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "document_missing",
                    "error",
                    notice.domain,
                    run_id,
                    "a secure link leads to a document that is not there, and no portal is set",
                    part=f"notice {notice.notice_id}",
                )
            ]
        )
        return replace(look, state=LinkState.MISSING)
    others: list[Notice] = []
    if notice.purpose != "notice":
        # A reminder's link: what it reminds of was opened with it.
        about = ledger.of_document(notice.domain, notice.document_id)
        others = [n for n in about if n.contact_key == notice.contact_key and n.notice_id != notice.notice_id]
    proven = _proves_arrival(notice, ledger)
    if proven:
        record([notice], "opened", BY_LINK, ledger=ledger, runs=runs, clock=clock)
    if told := others if proven else [notice, *others]:
        record(
            told, "opened", BY_LINK, ledger=ledger, runs=runs, clock=clock,
            respond=lambda before: responded(before, "opened", clock.now(), BY_LINK),
        )  # fmt: skip
    return replace(look, state=LinkState.OPENED, leads_to=leads_to)


def _proves_arrival(notice: Notice, ledger: ResponseLedger) -> bool:
    """Whether only the notice's own messages can have brought its link: a reminder has the same one."""
    if not notice.in_doubt:
        return True
    steps = (n for n in ledger.of_document(notice.domain, notice.document_id) if is_step_of(n, notice))
    return not any(attempt.status != Status.FAILED for step in steps for attempt in step.attempts)


def _destination(
    notice: Notice,
    document: Document,
    rule: DocumentRule,
    portal: str,
    language: str,
    documents: DocumentStore,
) -> str | None:
    if portal and rule.opens == "portal":
        return portal_address(portal, notice, document, language)
    if not document.output_uri:
        return None
    inline = rule.opens != "attachment"
    day = datetime.fromisoformat(notice.created_at).astimezone(UTC).date().isoformat()
    name = f"{document.document_type}-{day}"
    try:
        path = path_in_run(document.output_uri)
        return documents.address(notice.record.run, path, name, inline=inline, language=language)
    except ValueRefused:
        return None


def portal_address(pattern: str, notice: Notice, document: Document, language: str) -> str:
    """The portal's address of a document; every value quoted, so that none can change its path or query."""
    values: Mapping[str, str | None] = {
        "document_id": document.document_id,
        "reference": document.reference_no,
        "archive_ref": document.archive_ref,
        "document_type": document.document_type,
        "case_id": document.case_id,
        "domain": document.domain,
        "language": language,
        "notice_id": notice.notice_id,
    }
    for place in PLACES:
        value = values[place] or ""
        # Dots alone would be read as steps up the path, quoted or not.
        pattern = pattern.replace(
            f"{{{place}}}", "-" if value and not value.strip(".") else quote(value, safe="")
        )
    return pattern
