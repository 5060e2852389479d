"""Have notices that went out join the journeys of their document's type."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from ..domain.documents import Document
from ..domain.identity import job_id
from ..domain.journeys import (
    Cohort,
    IsHoliday,
    JourneyRule,
    Member,
    MemberRow,
    cohort_at,
    first_step,
    joins,
    told_at,
    went_out,
)
from ..domain.notices import Notice
from ..domain.work import SlicePointer
from ..ports import Clock, JourneyBook, Rules


def no_holidays(country: str, day: date) -> bool:
    """A calendar without any."""
    return False


def join_journeys(
    pointer: SlicePointer,
    told: Sequence[tuple[Notice, Document]],
    *,
    rules: Rules,
    journeys: JourneyBook,
    is_holiday: IsHoliday,
    clock: Clock,
) -> None:
    """Write the notices of one slice that went out, or perhaps did, into their first steps' cohorts.

    Safe to repeat. A row holds all members that a slice has in one cohort, so that a million members
    are some ten thousand writes of a few kilobytes, spread over the cohort's partitions; a row of one's
    own each, or an index over the ledger, would cost a million writes at every step.
    """
    ruled = [rule for rule in rules.journeys().values() if told]
    for rule in ruled:
        cohorts: dict[Cohort, list[Member]] = {}
        for notice, document in told:
            demanded = rules.for_document(document).demands_payment
            if not joins(rule, document, demanded) or not went_out(notice):
                continue
            member = member_of(notice, document)
            first = first_step(rule, member, clock.now(), is_holiday)
            if first is not None:
                cohort = cohort_at(pointer.domain, rule, *first)
                cohorts.setdefault(cohort, []).append(member)
        if cohorts:
            journeys.keep_rule(rule)
        enrol(cohorts, rule, pointer, journeys)


def member_of(notice: Notice, document: Document) -> Member:
    """The notice as a cohort knows it."""
    at = min(told_at(notice), default=None) or datetime.fromisoformat(notice.created_at)
    base = at.isoformat(timespec="minutes")
    country = (document.country or "").upper()
    due_date = notice.corrections[-1].due_date if notice.corrections else document.due_date or ""
    return Member(notice.notice_id, notice.origin.position, base, due_date[:10], country)


def enrol(
    cohorts: Mapping[Cohort, Sequence[Member]],
    rule: JourneyRule,
    origin: SlicePointer | MemberRow,
    journeys: JourneyBook,
) -> None:
    """Write members of one slice into their cohorts, each a row that is named by what it holds."""
    number = origin.number if isinstance(origin, SlicePointer) else origin.slice_number
    for cohort, members in cohorts.items():
        ids = sorted(m.notice_id for m in members)
        row = MemberRow(
            job_id(origin.run, number, "members", (rule.version, *ids)),
            rule.version,
            origin.run,
            number,
            origin.part,
            origin.offset,
            origin.length,
            tuple(members),
        )
        journeys.enrol(cohort, [row])
