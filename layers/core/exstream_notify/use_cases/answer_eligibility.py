"""Answer which channel a customer's document would go to: the dispatch's own decision, asked ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..domain.contacts import Consent, as_addressed
from ..domain.debt import StatusSource, under_hold
from ..domain.decisions import Policy, decide
from ..domain.documents import Document
from ..domain.eligibility import Verdict, queues_by_type, status_of, verdict
from ..ports import AddressChecker, Clock, ContactBook, RuleBook, SuppressionList
from .decide_notices import (
    blocked_addresses,
    blocked_channels,
    contact_without_addresses,
    merged_contacts,
)


@dataclass(frozen=True, slots=True)
class Question:
    """One customer, and what a record would say; `types` are the document types asked about."""

    document: Document
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What is known of one customer, or one recipient of theirs, and a verdict per document type."""

    customer_key: str
    recipient: str
    known: bool
    language: str
    addresses: Mapping[str, str]
    consent: Consent | None
    paper_required: bool
    verdicts: tuple[Verdict, ...]


def answer_eligibility(
    questions: Sequence[Question],
    *,
    rules: RuleBook,
    contacts: ContactBook,
    addresses: AddressChecker,
    suppressions: SuppressionList,
    clock: Clock,
    policy: Policy,
) -> list[Eligibility]:
    """An answer a question, in their order; all of one domain. Nothing is written.

    Contacts are brought up to date with what the question says as a drop's record would bring them,
    and each document type goes through `decide`: what this says is what the dispatch does with a
    record that says the same at the same moment.
    """
    if not questions:
        return []
    domain = questions[0].document.domain
    stored = contacts.get(domain, {q.document.contact_key for q in questions})
    stored = {key: contact for key, contact in stored.items() if not contact.is_erased}
    asked_at, source = clock.now(), StatusSource(rules.statuses, "eligibility")
    known, _ = merged_contacts(
        [q.document for q in questions], contacts, addresses.check, clock, suppressions,
        lambda _: asked_at, source,
    )  # fmt: skip
    addressed = [
        under_hold(
            as_addressed(
                known.get(q.document.contact_key) or contact_without_addresses(q.document),
                q.document,
                addresses.check,
            ),
            known,
        )
        for q in questions
    ]
    blocked = blocked_addresses(addressed, suppressions)
    now = clock.now()
    queues = queues_by_type(rules.queues)
    answers = []
    for question, contact in zip(questions, addressed, strict=True):
        document = question.document
        suppressed = blocked_channels(contact, blocked)
        zones = addresses.zones(contact)
        verdicts = []
        for kind in question.types:
            asked = replace(document, document_type=kind)
            rule = rules.for_document(asked)
            decision = decide(rule, asked, contact, suppressed, zones, now, policy)
            verdicts.append(verdict(decision, rule, contact, suppressed, queues, rules.paper_queue))
        own = "language" in contact.set_by_customer
        language = contact.language if own else document.language or contact.language
        answers.append(
            Eligibility(
                document.customer_key,
                document.recipient or "",
                document.contact_key in stored,
                language or "",
                {
                    "email": status_of(contact.email, "email" in suppressed),
                    "mobile": status_of(contact.mobile, "sms" in suppressed),
                },
                contact.consent,
                contact.paper_required,
                tuple(verdicts),
            )
        )
    return answers
