"""What Exstream must print of a run: by decision, after failures, and where a journey ended on paper."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import isodate
import pytest

from exnotify.paper import paper_rows
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.erasure import erased
from exstream_notify.domain.identity import notice_id
from exstream_notify.domain.journeys import JourneyRule, Step, step_purpose
from exstream_notify.domain.notices import Outcome, Status, notice_id_of
from exstream_notify.domain.runs import RecordOutcome, Run, RunState
from exstream_notify.domain.work import SlicePointer
from tests.cli.shell import exnotify
from tests.fakes import FakeContacts, FakeRules, a_document, a_notice, a_rule

RUN = Run("retail", "r1", RunState.DISPATCHED, parts="parts/retail/r1/")
DOCUMENTS = [(n, a_document(n)) for n in (1, 2, 3)]


def app(*stored: Any, end: str = "paper") -> Any:
    """A run of three statements: the second on paper by decision, the others told."""
    week = isodate.parse_duration("P7D")
    assert week == timedelta(days=7)
    rule = a_rule()
    step = Step(week, end=end)  # type: ignore[arg-type]
    journey = JourneyRule("unread", (rule.name,), (step,))
    words = [
        RecordOutcome(0, n, Outcome.PAPER if n == 2 else Outcome.NOTIFIED, "paper_chosen", 1, f"{n:032x}")
        for n in (1, 2, 3)
    ]
    pointer = SlicePointer("retail", "r1", 0, "p", 0, 1, 3, 1)
    return SimpleNamespace(
        rules=FakeRules(rule, journeys=[journey]),
        runs=SimpleNamespace(outcomes=lambda domain, run_id: iter(words)),
        staging=SimpleNamespace(slices=lambda *_: iter([pointer])),
        records=SimpleNamespace(read=lambda _: DOCUMENTS),
        contacts=FakeContacts(),
        ledger=SimpleNamespace(get=lambda ids: {n.notice_id: n for n in stored if n.notice_id in ids}),
    )


def ended(number: int, status: Status) -> Any:
    """The last step's record of a document's journey."""
    document = DOCUMENTS[number - 1][1]
    first = notice_id_of(document, a_rule())
    identity = notice_id(
        document.domain,
        document.customer_key,
        document.document_id,
        edition=first,
        purpose=step_purpose("unread", 1),
    )
    return replace(a_notice(), notice_id=identity, status=status, why="unanswered")


def test_a_journey_that_ended_on_paper_is_printed_beside_what_the_decision_says() -> None:
    rows = paper_rows(app(ended(3, Status.PAPER)), RUN)

    assert [(row["document_id"], row["reason"]) for row in rows] == [
        (DOCUMENTS[1][1].document_id, "paper_chosen"),
        (DOCUMENTS[2][1].document_id, "unanswered"),
    ]


@pytest.mark.parametrize("end", ["event", "case"])
def test_a_journey_that_ends_otherwise_prints_nothing(end: str) -> None:
    assert [row["reason"] for row in paper_rows(app(ended(3, Status.PAPER), end=end), RUN)] == [
        "paper_chosen"
    ]


def test_a_step_that_was_a_reminder_prints_nothing() -> None:
    assert [row["reason"] for row in paper_rows(app(ended(3, Status.SENT)), RUN)] == ["paper_chosen"]


@pytest.mark.parametrize(("run_id", "nothing"), [("r1", False), ("empty", True)])
def test_that_nothing_goes_to_paper_is_said_only_where_it_is_so(
    run_id: str, nothing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = app()
    found.runs.get = lambda domain, name: RUN if name == "r1" else replace(RUN, run_id=name, parts="")
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: SimpleNamespace(app=found))
    said = exnotify("paper", f"retail/{run_id}")

    assert ("nothing of this run goes to paper" in said.out) is nothing
    assert ("1 of 1 documents name no place in their run" in said.err) is not nothing
    assert ("D0002" in said.out) is not nothing


def test_a_customer_erased_since_is_printed_only_if_a_person_decides_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = app()
    found.runs.get = lambda domain, name: replace(RUN, opened_at="2026-11-20T15:00:00+00:00")
    key = DOCUMENTS[1][1].customer_key
    at = datetime(2026, 11, 20, 16, tzinfo=UTC)
    found.contacts.put([erased(Contact("retail", key, ""), "ann", "asked", at)])
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: SimpleNamespace(app=found))

    said = exnotify("paper", "retail/r1")
    assert "D0002" not in said.out
    assert "1 of 1 documents left out" in said.err
    assert "D0002" in exnotify("paper", "retail/r1", "--erased").out


def test_a_run_without_parts_prints_nothing() -> None:
    assert paper_rows(app(), replace(RUN, parts="")) == []
