"""A step that cannot reach a customer is reported once in a journey, and not by each of its steps."""

from typing import Any

import pytest

from exstream_notify.domain.journeys import Delay, JourneyRule, Step, step_rule
from exstream_notify.domain.notices import Notice, Status, notice_id_of
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.mention_once import mention_once
from tests.fakes import FakeLedger, FakeRules, a_document, a_notice, a_rule

STEPS = tuple(Step(Delay(days=n)) for n in (1, 2, 3))
JOURNEY = JourneyRule("dunning", ("statement",), STEPS)
RULES = FakeRules(a_rule(), journeys=[JOURNEY])
DOCUMENTS = [(n, a_document(n)) for n in (1, 2, 3)]


def step_notice(number: int, step: int, **changes: Any) -> Notice:
    document = a_document(number)
    rule = step_rule(RULES.for_document(document), JOURNEY, step)
    return a_notice(notice_id=notice_id_of(document, rule), **changes)


def left(
    purpose: str, *stored: Notice, codes: tuple[str, ...] = ("no_channel",)
) -> list[dict[int, int | None]]:
    ledger = FakeLedger()
    assert not ledger.put(stored)
    pointer = SlicePointer("retail", "run-1", 0, "p", 0, 1, 3, 1, purpose=purpose, version=JOURNEY.version)
    unreached: dict[str, dict[int, int | None]] = {code: {1: 11, 2: None} for code in codes}
    mention_once(pointer, unreached, DOCUMENTS, RULES, None, ledger)
    return list(unreached.values())


SILENT: dict[str, Any] = {"status": Status.SUPPRESSED, "why": "no_channel"}
ALL: list[dict[int, int | None]] = [{1: 11, 2: None}]


@pytest.mark.parametrize("code", ["no_channel", "required_unreached", "unreached"])
def test_a_later_step_does_not_report_again_whom_an_earlier_one_did_not_reach(code: str) -> None:
    assert left("step:dunning:2", step_notice(1, 1, **SILENT), codes=(code,)) == [{2: None}]


@pytest.mark.parametrize(
    ("changes", "mentioned"),
    [
        (SILENT, True),
        ({"status": Status.BOUNCED}, True),
        ({"status": Status.FAILED}, True),
        ({"status": Status.SENT}, False),
        ({"status": Status.SUPPRESSED, "why": "opted_out"}, False),
    ],
)
def test_only_a_step_that_reached_nobody_has_mentioned_it(changes: dict[str, Any], mentioned: bool) -> None:
    assert left("step:dunning:2", step_notice(1, 1, **changes)) == ([{2: None}] if mentioned else ALL)


def test_any_of_the_earlier_steps_will_do_and_later_ones_say_nothing() -> None:
    assert left("step:dunning:3", step_notice(1, 1, status=Status.SENT), step_notice(1, 2, **SILENT)) == [
        {2: None}
    ]
    assert left("step:dunning:3", step_notice(1, 1, **SILENT), step_notice(1, 2, status=Status.SENT)) == [
        {2: None}
    ]
    assert left("step:dunning:2", step_notice(1, 2, **SILENT), step_notice(1, 3, **SILENT)) == ALL


def test_a_first_step_and_a_documents_own_notice_report_it_themselves() -> None:
    for purpose in ("step:dunning:1", "notice"):
        assert left(purpose, step_notice(1, 1, **SILENT)) == ALL


def test_other_codes_and_customers_are_left_as_they_are() -> None:
    stored = (step_notice(1, 1, **SILENT), step_notice(3, 1, **SILENT))
    assert left("step:dunning:2", *stored, codes=("other", "no_channel")) == [{1: 11, 2: None}, {2: None}]
    assert left("step:dunning:2", *stored, codes=("other",)) == ALL
