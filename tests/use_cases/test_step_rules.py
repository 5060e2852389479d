"""The rules of a journey's step: which version of it counts, and what of a document's rule it changes."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.runs import Control, Run, RunState
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.step_rules import (
    is_off,
    journey_of,
    pinned,
    rules_of,
    run_cancelled,
    run_stopped,
)
from tests.fakes import FakeJourneyBook, FakeRules, FakeRunBook, a_document, a_rule

NOW = JourneyRule("dunning", ("statement",), (Step(Delay(days=1), channels=("sms",), wording="reminder"),))
BEFORE = replace(NOW, steps=(Step(Delay(days=9)),))
STEP = SlicePointer("retail", "run-1", 0, "p", 0, 1, 1, 1, purpose="step:dunning:1", version=NOW.version)


def book(*kept: JourneyRule) -> FakeJourneyBook:
    found = FakeJourneyBook()
    for rule in kept:
        found.keep_rule(rule)
    return found


def rules(*journeys: JourneyRule) -> Any:
    return FakeRules(a_rule(), journeys=journeys, teams={"it": "it@example.com"})


def test_a_journey_goes_on_by_the_rule_that_it_began_with() -> None:
    assert pinned("dunning", NOW.version, rules(NOW), book()) == NOW
    kept = pinned("dunning", BEFORE.version, rules(NOW), book(BEFORE))
    assert kept == replace(BEFORE, kept_as=BEFORE.version)
    assert kept.version == BEFORE.version
    assert pinned("dunning", BEFORE.version, rules(), book(BEFORE)).steps == BEFORE.steps
    running = replace(NOW, changes_apply_to="running")
    assert pinned("dunning", BEFORE.version, rules(running), book(BEFORE)) == running


@pytest.mark.parametrize("kept", [None, book()])
def test_a_rule_that_nobody_kept_is_said_by_name_and_version(kept: FakeJourneyBook | None) -> None:
    with pytest.raises(KeyError, match=f"journey dunning of version {BEFORE.version}"):
        pinned("dunning", BEFORE.version, rules(NOW), kept)


def test_a_step_has_its_channels_and_words_by_document_and_by_type() -> None:
    site = rules(NOW)
    found = rules_of(STEP, site, book())
    for rule in (found.for_document(a_document(1)), found.of_type("statement")):
        assert (rule.channels, rule.wording, rule.purpose) == (("sms",), "reminder", "step:dunning:1")
    assert (found.journeys(), found.domain("retail")) == (site.journeys(), site.domain("retail"))
    assert (found.known_place("DE-BY"), found.team_address("it")) == ("DE-BY", "it@example.com")
    assert found.statuses is site.statuses
    notice = replace(STEP, purpose="notice", version="")
    assert rules_of(notice, site, book()) is site
    assert (journey_of(STEP, site, book()), journey_of(notice, site, book())) == (NOW, None)


def test_a_journey_is_off_where_the_rules_have_none_or_an_operator_stopped_it() -> None:
    word = {"at": "2026-11-20T15:00:00+00:00", "who": "ann", "why": ""}
    journeys = book()
    assert is_off("dunning", rules(), journeys)
    assert not is_off("dunning", rules(NOW), None)
    for what, off in (("stop", True), ("resume", False), ("stop", True)):
        journeys.switch("dunning", {**word, "what": what})
        assert is_off("dunning", rules(NOW), journeys) is off
    for what, stopped in (("stop", True), ("resume", False)):
        journeys.stop_run("retail/run-1", {**word, "what": what})
        assert run_stopped("retail/run-1", journeys) is stopped
    assert not run_stopped("retail/run-2", journeys)


def test_only_a_run_that_is_known_and_was_cancelled_is_cancelled() -> None:
    runs = FakeRunBook()
    for number, control in enumerate(Control):
        runs.put(Run("retail", f"run-{number}", RunState.DISPATCHED, control=control, version=1))
    assert [run_cancelled(f"retail/run-{n}", runs) for n in range(3)] == [
        c == Control.CANCEL for c in Control
    ]
    assert not run_cancelled("retail/run-9", runs)
