"""What a journey knows of a document that joins it, and which places have no calendar."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.documents import Document
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.journeys import Cohort, Delay, JourneyRule, MemberRow, Step
from exstream_notify.domain.notices import Attempt, Correction, Notice, Origin, Status
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.hold_collection import is_about_money
from exstream_notify.use_cases.join_journeys import (
    join_journeys,
    member_of,
    no_holidays,
    place_of,
    without_calendar,
)
from tests.fakes import FakeClock, FakeRules, a_document, a_notice, a_rule

RULES = YamlRules()


@pytest.mark.parametrize(
    ("country", "region", "place"),
    [
        ("de", None, "DE"), ("de", "by", "DE-BY"), ("de", "DE-BY", "DE-BY"), (None, "de-by", "DE-BY"),
        (None, "by", "BY"), (None, None, ""), ("", "", ""), ("us", "", "US"),
    ],
)  # fmt: skip
def test_a_place_is_the_region_in_its_country(country: str | None, region: str | None, place: str) -> None:
    assert place_of(a_document(country=country, region=region)) == place


def test_places_without_a_calendar_are_reported_once_a_slice_with_their_counts() -> None:
    pointer = SlicePointer("retail", "run-1", 7, "p", 0, 1, 3, 1)
    assert without_calendar(pointer, {"XX": 3, "DE-ZZ": 1}) == [
        ExceptionRaised(
            "calendar_unknown", "warning", "retail", "run-1",
            "records whose working days are those of the rule, since no calendar of XX is known",
            part="slice 7 XX", count=3,
        ),
        ExceptionRaised(
            "calendar_unknown", "warning", "retail", "run-1",
            "records whose working days are those of the rule, since no calendar of DE-ZZ is known",
            part="slice 7 DE-ZZ", count=1,
        ),
    ]  # fmt: skip


def test_a_member_has_the_newest_due_date_and_only_a_place_that_is_known() -> None:
    told = a_notice(created_at="2026-11-20T15:00:30.250+00:00")
    said: dict[str, Any] = {
        "due_date": "2026-12-10T00:00", "country": "DE", "region": "BY", "time_zone": "Europe/Berlin",
    }  # fmt: skip
    plain = member_of(told, a_document(**said), RULES)
    assert (plain.notice_id, plain.position) == (told.notice_id, told.origin.position)
    assert plain.base == "2026-11-20T15:00+00:00"
    assert (plain.due_date, plain.country, plain.zone) == ("2026-12-10", "DE-BY", "Europe/Berlin")
    corrected = replace(told, corrections=(Correction(told.origin, "2026-12-24"),))
    assert member_of(corrected, a_document(**said), RULES).due_date == "2026-12-24"
    bare = member_of(told, a_document(country="XX", due_date=None, time_zone=None), RULES)
    assert (bare.due_date, bare.country, bare.zone) == ("", "", "")


def test_without_a_calendar_only_weekends_are_off() -> None:
    assert [no_holidays("US", date(2026, 11, day)) for day in range(16, 23)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({"document_type": "payment-reminder"}, True),
        ({"document_type": "final-demand"}, True),
        ({"document_type": "statement"}, False),
        ({"document_type": "no such type"}, False),
        ({"document_type": "payment-reminder", "purpose": "step:dunning:1"}, False),
        ({"document_type": "payment-reminder", "audience": "billing"}, False),
    ],
)
def test_only_a_first_notice_to_the_customer_asks_for_money(changes: dict[str, Any], asks: bool) -> None:
    assert is_about_money(a_notice(**changes), RULES) is asks


class Enrolled:
    """A journey book's rules and rows."""

    def __init__(self) -> None:
        self.kept: list[JourneyRule] = []
        self.rows: list[tuple[Cohort, MemberRow]] = []

    def keep_rule(self, rule: JourneyRule) -> None:
        """See `JourneyBook.keep_rule`."""
        self.kept.append(rule)

    def enrol(self, cohort: Cohort, rows: list[MemberRow]) -> None:
        """See `JourneyBook.enrol`."""
        self.rows += [(cohort, row) for row in rows]


POINTER = SlicePointer("retail", "run-1", 7, "p", 40, 100, 3, 1)
RULE = JourneyRule("dunning", ("statement",), (Step(Delay(days=3)), Step(Delay(days=9))))
WORKING = replace(RULE, name="working", steps=(Step(Delay(days=3), business_days=True),))


def told(number: int, **changes: Any) -> tuple[Notice, Document]:
    attempt = Attempt(1, "email", "mail", "h", "j", Status.SENT)
    stated = {"attempts": (attempt,), "status": Status.SENT, "created_at": "2026-11-20T15:00:00+00:00"}
    notice = a_notice(
        notice_id=f"{number:032x}", origin=Origin("retail/run-1", 7, number, "p", 40, 100), **stated
    )
    return notice, a_document(number, **{"country": "US", **changes})


def joined(rule: JourneyRule, *rows: tuple[Notice, Document]) -> tuple[Counter[str], Enrolled]:
    book: Any = Enrolled()
    rules = FakeRules(a_rule(), a_rule(name="letter"), journeys=[rule])
    unknown = join_journeys(
        POINTER, rows, rules=rules, journeys=book, is_holiday=no_holidays, clock=FakeClock()
    )
    return unknown, book


def test_members_of_a_slice_are_one_row_of_their_first_steps_cohort() -> None:
    unknown, book = joined(RULE, told(2), told(1), told(3, document_type="letter"))
    assert (unknown, book.kept) == (Counter(), [RULE])
    [(cohort, row)] = book.rows
    assert (cohort.domain, cohort.journey, cohort.step) == ("retail", "dunning", 1)
    assert [member.position for member in row.members] == [2, 1]
    assert (row.run, row.slice_number, row.part, row.offset, row.length) == ("retail/run-1", 7, "p", 40, 100)
    assert row.name == "64f467c635b655d63c69d030", "a repeat after an upgrade writes the same row"
    again = joined(RULE, told(1), told(2))[1].rows
    assert again[0][1].name == row.name, "whatever their order"
    assert joined(RULE, told(1))[1].rows[0][1].name != row.name


def test_where_nobody_joins_no_rule_is_kept() -> None:
    for rows in ([], [told(1, document_type="letter")], [(replace(told(1)[0], attempts=()), told(1)[1])]):
        unknown, book = joined(RULE, *rows)
        assert (unknown, book.kept, book.rows) == (Counter(), [], [])


def test_a_place_without_a_calendar_counts_only_where_working_days_do() -> None:
    rows = [told(1, country="XX"), told(2, country="XX"), told(3, country="US"), told(4, country="YY")]
    assert joined(WORKING, *rows)[0] == {"XX": 2, "YY": 1}
    assert joined(RULE, *rows)[0] == {}
