"""Have notices that went out join the journeys of their document's type."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from ..domain.documents import Document
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id
from ..domain.journeys import (
    Cohort,
    IsHoliday,
    JourneyRule,
    Member,
    MemberRow,
    as_base,
    cohort_at,
    counted_from,
    first_step,
    joins,
    went_out,
)
from ..domain.notices import Notice
from ..domain.work import SlicePointer
from ..ports import Clock, JourneyBook, Rules


def no_holidays(country: str, day: date) -> bool:
    """A calendar with weekends, and without any."""
    return day.weekday() > 4


def join_journeys(
    pointer: SlicePointer,
    told: Sequence[tuple[Notice, Document]],
    *,
    rules: Rules,
    journeys: JourneyBook,
    is_holiday: IsHoliday,
    clock: Clock,
) -> Counter[str]:
    """Write the notices of one slice that went out, or perhaps did, into their first steps' cohorts.

    Returns how often records name each place whose calendar nobody knows: the rule's counts for those.

    Safe to repeat. A row holds all members that a slice has in one cohort, so that a million members
    are some ten thousand writes of a few kilobytes, spread over the cohort's partitions; a row of one's
    own each, or an index over the ledger, would cost a million writes at every step.
    """
    ruled = [rule for rule in rules.journeys().values() if told]
    unknown: dict[str, str] = {}
    for rule in ruled:
        cohorts: dict[Cohort, list[Member]] = {}
        for notice, document in told:
            demanded = rules.for_document(document).demands_payment
            if not joins(rule, document, demanded) or not went_out(notice):
                continue
            member = member_of(notice, document, rules)
            place = place_of(document)
            if rule.counts_working_days and place != member.country:
                unknown[notice.notice_id] = place
            first = first_step(rule, member, clock.now(), is_holiday)
            if first is not None:
                cohort = cohort_at(pointer.domain, rule, *first)
                cohorts.setdefault(cohort, []).append(member)
        if cohorts:
            journeys.keep_rule(rule)
        enrol(cohorts, rule, pointer, journeys)
    return Counter(unknown.values())


def without_calendar(pointer: SlicePointer, places: Mapping[str, int]) -> list[ExceptionRaised]:
    """Records whose country or region has no calendar that is known; once a slice and place."""
    return [
        ExceptionRaised(
            "calendar_unknown",
            "warning",
            pointer.domain,
            pointer.run_id,
            f"records whose working days are those of the rule, since no calendar of {place} is known",
            part=f"slice {pointer.number} {place}",
            count=count,
        )
        for place, count in places.items()
    ]


def member_of(notice: Notice, document: Document, rules: Rules) -> Member:
    """The notice as a cohort knows it; a place whose calendar nobody knows is left out."""
    base = as_base(counted_from(notice))
    due_date = notice.corrections[-1].due_date if notice.corrections else document.due_date or ""
    place, zone = place_of(document), document.time_zone or ""
    place = rules.known_place(place) if place else ""
    return Member(notice.notice_id, notice.origin.position, base, due_date[:10], place, zone)


def place_of(document: Document) -> str:
    """The region that a record names (`DE-BY`, or `BY` beside its country), else the country."""
    country, region = (document.country or "").upper(), (document.region or "").upper()
    return f"{country}-{region}" if country and region and "-" not in region else region or country


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
