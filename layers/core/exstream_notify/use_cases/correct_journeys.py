"""Have journeys follow a later record of their document: its due date, its amount, that it is settled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..domain.corrections import changes, corrected, step_after
from ..domain.documents import Document
from ..domain.exceptions import ExceptionRaised
from ..domain.journeys import (
    Cohort,
    IsHoliday,
    JourneyRule,
    Member,
    cohort_at,
    has_ended,
    joins,
    step_rule,
    went_out,
)
from ..domain.notices import Notice, Origin, Status, notice_id_of
from ..domain.takeover import is_from, may_correct
from ..domain.work import SlicePointer
from ..ports import Clock, ExceptionBus, JourneyBook, Ledger, Records, RecordsGone, Rules
from .join_journeys import enrol, member_of
from .slices import origin_of, pointers_to

NOT_TOLD = "correction_not_told"
"""A correction that its customers do not hear of, or that no journey follows."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class CorrectionPorts:
    """What following corrections takes. `rules` are those of documents."""

    ledger: Ledger
    records: Records
    rules: Rules
    journeys: JourneyBook
    exceptions: ExceptionBus
    is_holiday: IsHoliday
    clock: Clock


@dataclass(slots=True)
class _Reported:
    """Customers' numbers in the run by what is reported of them."""

    by_text: dict[str, dict[int, int | None]] = field(default_factory=dict)

    def add(self, text: str, position: int, document: Document) -> None:
        self.by_text.setdefault(text, {})[position] = document.customer_in_run


def correct_journeys(
    pointer: SlicePointer, duplicates: Iterable[tuple[int, Document, str]], ports: CorrectionPorts
) -> None:
    """Have the journeys of documents that were notified by another run follow this slice's records of them.

    `duplicates` are position, record and notice of those. Where a record says another due date or amount, or
    that its account is settled, the notice remembers it as the document's newest one: each step is made from
    it from now on. The step that follows goes into its cohort by the new date; what waits by the old date
    finds that out when it wakes. What a customer has heard otherwise from a step, and a journey that has
    ended, are reported, except where the account is settled.

    Safe to repeat. A record that says the same changes nothing, nor does an older one that comes late.
    """
    about = {
        identity: (position, document)
        for position, document, identity in duplicates
        if not document.test_flag and _journeys_of(document, ports.rules)
    }
    if not about or pointer.version:
        return
    moved = _remember(pointer, about, ports)
    reported = _Reported()
    steps = _steps_of(moved, about, ports)
    for rule in ports.rules.journeys().values() if moved else ():
        cohorts: dict[Cohort, list[Member]] = {}
        for notice in moved:
            position, document = about[notice.notice_id]
            settled = bool(ports.rules.for_document(document).skip)
            if document.document_type not in rule.documents or not went_out(notice):
                continue
            sent = _sent(rule, document, steps, ports.rules)
            if settled:
                continue  # nothing follows, and nothing that was sent was wrong
            if has_ended(rule, notice):
                reported.add("after its journey had ended; nothing follows", position, document)
            elif any(step.origin != notice.record for step in sent.values()):
                reported.add("after a reminder had named the one before", position, document)
            found = _next(rule, notice, document, max(sent, default=0), ports)
            if found is not None:
                cohort, member = found
                cohorts.setdefault(cohort, []).append(member)
        if cohorts:
            ports.journeys.keep_rule(rule)
        enrol(cohorts, rule, pointer, ports.journeys)
    ports.exceptions.raise_exceptions(_exceptions(pointer, reported))


class _Documents:
    """Earlier records, each slice read once."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._slices: dict[tuple[str, int], Mapping[int, Document]] = {}

    def at(self, origin: Origin) -> Document | None:
        """The record there; None where it is not stored any more."""
        key = (origin.part, origin.offset)
        if key not in self._slices:
            try:
                self._slices[key] = dict(self._records.read(pointers_to([origin])[0])) if origin.part else {}
            except RecordsGone:
                self._slices[key] = {}
        return self._slices[key].get(origin.position)


def _journeys_of(document: Document, rules: Rules) -> list[JourneyRule]:
    return [rule for rule in rules.journeys().values() if document.document_type in rule.documents]


def _remember(
    pointer: SlicePointer, about: Mapping[str, tuple[int, Document]], ports: CorrectionPorts
) -> list[Notice]:
    """Write the corrections; the notices whose newest record is in this slice now."""
    documents, rule_of = _Documents(ports.records), ports.rules.for_document
    moved: list[Notice] = []
    open_yet = ports.ledger.get(set(about))
    for _ in range(_TRIES):
        writes: list[Notice] = []
        for notice in open_yet.values():
            position, document = about[notice.notice_id]
            origin = origin_of(pointer, position)
            if is_from(notice, origin) or notice.superseded_by:
                continue
            if notice.corrections and notice.record == origin:
                # An earlier delivery wrote it, and perhaps died before its journeys knew.
                moved.append(notice)
                continue
            if any(c.origin == origin for c in notice.corrections):
                continue
            if not (notice.corrections or rule_of(document).skip or may_correct(notice.facts, document)):
                continue
            before = documents.at(notice.record)
            if before is not None and changes(before, document, rule_of):
                writes.append(corrected(notice, origin, before, document, rule_of, ports.clock.now()))
        open_yet = ports.ledger.put(writes) if writes else {}
        moved += [notice for notice in writes if notice.notice_id not in open_yet]
        if not open_yet:
            return moved
    raise RuntimeError("notices kept changing under five attempts to correct them")


def _steps_of(
    notices: Sequence[Notice], about: Mapping[str, tuple[int, Document]], ports: CorrectionPorts
) -> Mapping[str, Notice]:
    """The notices of all steps, of every journey of these documents, as they are stored."""
    ids = {
        _step_id(rule, number, about[notice.notice_id][1], ports.rules)
        for notice in notices
        for rule in _journeys_of(about[notice.notice_id][1], ports.rules)
        for number in range(1, len(rule.steps) + 1)
    }
    return ports.ledger.get(ids) if ids else {}


def _step_id(rule: JourneyRule, number: int, document: Document, rules: Rules) -> str:
    return notice_id_of(document, step_rule(rules.for_document(document), rule, number))


def _sent(
    rule: JourneyRule, document: Document, steps: Mapping[str, Notice], rules: Rules
) -> dict[int, Notice]:
    """The steps of a journey that the customer got, perhaps on paper, by number."""
    stored = {n: steps.get(_step_id(rule, n, document, rules)) for n in range(1, len(rule.steps) + 1)}
    return {n: s for n, s in stored.items() if s and (went_out(s) or s.status == Status.PAPER)}


def _next(
    rule: JourneyRule, notice: Notice, document: Document, done: int, ports: CorrectionPorts
) -> tuple[Cohort, Member] | None:
    """Where the journey goes on by the newest record; None where it has ended, or nothing is due."""
    demanded = ports.rules.for_document(document).demands_payment
    if not joins(rule, document, demanded) or has_ended(rule, notice):
        return None
    newest = notice.corrections[-1]
    member = replace(
        member_of(notice, document, ports.rules),
        position=newest.origin.position,
        corrections=len(notice.corrections),
    )
    found = step_after(rule, member, done, ports.clock.now(), ports.is_holiday)
    return (cohort_at(notice.domain, rule, *found), member) if found else None


def _exceptions(pointer: SlicePointer, reported: _Reported) -> list[ExceptionRaised]:
    return [
        ExceptionRaised(
            NOT_TOLD,
            "warning",
            pointer.domain,
            pointer.run_id,
            f"another due date or amount of a document came {text}",
            part=f"slice {pointer.number} {text}",
            count=len(customers),
            customers_in_run=tuple(number for number in customers.values() if number is not None),
        )
        for text, customers in reported.by_text.items()
    ]
