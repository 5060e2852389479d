"""What a journey knows of a document that joins it, and which places have no calendar."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.notices import Correction
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.hold_collection import is_about_money
from exstream_notify.use_cases.join_journeys import member_of, no_holidays, place_of, without_calendar
from tests.fakes import a_document, a_notice

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
