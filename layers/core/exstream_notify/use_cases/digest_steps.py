"""One message about several documents of a customer whose step of a journey is due together.

The first of them leads: its notice is claimed and sent, and names the others (`Notice.together`). Each of
the others gets a notice of its own that names the lead. Where the lead is not sent, the rest goes on without.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..domain.documents import Document
from ..domain.journeys import IsHoliday, JourneyRule, Member, Step, due_at, is_stopped, step_of, why_stopped
from ..domain.notices import Notice, Status, notice_id_of, opened
from ..domain.payments import NO_PAYMENTS, as_left, nothing_due
from ..domain.work import SlicePointer
from ..ports import EarlyResponses, JourneyBook, Ledger, Records, RecordsGone, Rules, RunBook
from .join_journeys import member_of
from .slices import origin_of, pointers_to
from .step_rules import run_cancelled, run_stopped
from .what_is_left import payments_by_document

Group = tuple[str, ...]
"""The ids of the first notices of documents that are due together, the lead's first."""

_TOLD = frozenset({Status.SENT, Status.DELIVERED, Status.DELAYED, Status.UNCONFIRMED})


def groups_of(pointer: SlicePointer, stored: Iterable[Notice]) -> dict[str, Group]:
    """The groups that a step's notices lead, by the lead's first notice: as stored, else as they came."""
    kept = (notice.together for notice in stored if len(notice.together) > 1)
    return {group[0]: group for group in (*pointer.together, *kept)}


def not_told(pointer: SlicePointer, stored: Iterable[Notice]) -> list[Group]:
    """The groups of a step that ends before it is decided, unless their message went out."""
    known = list(stored)
    told = {notice.together[0] for notice in known if notice.together and notice.attempts}
    return [group for lead, group in groups_of(pointer, known).items() if lead not in told]


def hand_on(pointer: SlicePointer, groups: Collection[Group], ledger: Ledger) -> list[SlicePointer]:
    """Pointers to what is left of groups whose lead is not sent: the next one leads."""
    left = {group[1]: group[1:] for group in groups if len(group) > 1}
    found = ledger.get(left) if left else {}
    return [
        replace(
            pointers_to([notice.record])[0],
            purpose=pointer.purpose,
            version=pointer.version,
            together=(left[key],) if len(left[key]) > 1 else (),
        )
        for key, notice in found.items()
    ]


@dataclass(frozen=True, slots=True)
class Companion:
    """A document that a message is about beside its lead: what is left of it, and its step's notice."""

    document: Document
    step: Notice
    is_open: bool


@dataclass(slots=True)
class Digests:
    """The groups of a job, with all that a message about them takes."""

    groups: Mapping[str, Group] = field(default_factory=dict)
    wording: str = ""
    companions: dict[str, Companion] = field(default_factory=dict)

    def others(self, lead: str, may_say: Callable[[Document], bool]) -> dict[str, Companion]:
        """The documents that are still open beside a lead, by their first notices."""
        ids = self.groups.get(lead, ())[1:]
        found = {key: self.companions[key] for key in ids if key in self.companions}
        return {
            key: one
            for key, one in found.items()
            if one.is_open and one.step.together in ((), (lead,)) and may_say(one.document)
        }

    def record(self, leads: Collection[Notice], ledger: Ledger, now: datetime) -> None:
        """Write each document's notice of a step that went out with another's; again: no change."""
        notices = []
        for lead in leads:
            for key in lead.together[1:] if lead.status in _TOLD else ():
                if key in self.companions and not self.companions[key].step.version:
                    step = replace(
                        self.companions[key].step,
                        status=lead.status,
                        why=lead.why,
                        together=lead.together[:1],
                    )
                    notices.append(opened(step, now, str(lead.status), f"with {lead.notice_id}"))
        if notices:
            ledger.put(notices)


def digests_of(
    pointer: SlicePointer,
    stored: Mapping[str, Notice],
    journey: JourneyRule | None,
    whole: Rules,
    rules: Rules,
    records: Records,
    ledger: Ledger,
    early: EarlyResponses | None,
    *,
    runs: RunBook,
    journeys: JourneyBook | None,
    is_holiday: IsHoliday,
    by_document: bool,
    now: datetime,
) -> Digests:
    """The groups of a job and their documents as they are now.

    `whole` are the rules of the documents, `rules` those of the step.
    """
    number = step_of(pointer.purpose)
    groups = groups_of(pointer, stored.values()) if number is not None else {}
    if journey is None or journeys is None or number is None or not groups:
        return Digests()
    step = journey.steps[number[1] - 1]
    if not step.digest:
        return Digests()
    firsts = ledger.get({key for group in groups.values() for key in group[1:]})
    documents = _documents(firsts, records)

    def first(document: Document) -> str:
        return notice_id_of(document, whole.for_document(document))

    paid = payments_by_document(
        list(documents.values()), firsts, first, early, pointer.domain, by_document=by_document, now=now
    )
    steps = {key: _step(firsts[key], document, rules, pointer) for key, document in documents.items()}
    known = ledger.get({step.notice_id for step in steps.values()}) if steps else {}
    names = {name for notice in firsts.values() for name in (notice.origin.run, notice.record.run)}
    ended = {name for name in names if run_cancelled(name, runs) or run_stopped(name, journeys)}
    found = {}
    for key, document in documents.items():
        left = as_left(document, paid.get(key, NO_PAYMENTS))
        notice = firsts[key]
        paid_up = rules.for_document(document).demands_payment and nothing_due(left)
        stopped = why_stopped(journey, notice) or is_stopped(notice) or paid_up
        stopped = stopped or not ended.isdisjoint({notice.origin.run, notice.record.run})
        goes_on = not (
            stopped or _is_early(journey, step, notice, member_of(notice, document, whole), is_holiday, now)
        )
        step_now = known.get(steps[key].notice_id, steps[key])
        found[key] = Companion(left, step_now, goes_on and (not step_now.version or bool(step_now.together)))
    return Digests(groups, step.digest, found)


def _is_early(
    journey: JourneyRule, step: Step, notice: Notice, member: Member, is_holiday: IsHoliday, now: datetime
) -> bool:
    """Whether a later record moved the document's step to another day: it goes out then."""
    due = due_at(journey, step, member, is_holiday) if notice.corrections else None
    return due is not None and due > now


def _step(first: Notice, document: Document, rules: Rules, pointer: SlicePointer) -> Notice:
    rule = rules.for_document(document)
    return Notice(
        notice_id_of(document, rule),
        first.domain,
        first.customer_key,
        first.document_id,
        first.document_type,
        rule.purpose,
        "customer",
        first.record,
        Status.SENDING,
        version=0,
        case_id=first.case_id,
        rule_version=pointer.version,
        recipient=first.recipient,
    )


def _documents(firsts: Mapping[str, Notice], records: Records) -> dict[str, Document]:
    """The newest record of each of these notices' documents; one that is gone is left out."""
    keys = {notice.record: key for key, notice in firsts.items()}
    found: dict[str, Document] = {}
    for pointer in pointers_to(keys):
        try:
            read = records.read(pointer)
        except RecordsGone:
            continue
        places = ((keys.get(origin_of(pointer, position)), document) for position, document in read)
        found |= {key: document for key, document in places if key}
    return found
