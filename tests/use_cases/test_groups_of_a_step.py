"""The groups of documents that one message of a step is about, while their lead and the others change."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.journeys import STOPPED, Delay, JourneyRule, Step
from exstream_notify.domain.notices import Attempt, Event, Notice, Origin, Status
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import RecordsGone
from exstream_notify.use_cases.digest_steps import (
    Companion,
    Digests,
    digests_of,
    groups_of,
    hand_on,
    not_told,
)
from exstream_notify.use_cases.join_journeys import no_holidays
from exstream_notify.use_cases.step_rules import rules_of
from tests.fakes import FakeClock, FakeJourneyBook, FakeLedger, FakeRules, FakeRunBook, a_document, a_notice
from tests.use_cases.test_payments import REMINDER

POINTER = SlicePointer(
    "retail", "run-1", 0, "p", 0, 1, 1, 1, purpose="step:dunning:2", version="v1",
    together=(("a", "b", "c"), ("d", "e")),
)  # fmt: skip
ATTEMPT = Attempt(1, "email", "mail", "h", "j", Status.SENT)


def step(*together: str, **changes: Any) -> Notice:
    return a_notice(together=together, **changes)


def test_a_group_is_as_its_lead_has_it_stored_else_as_it_came() -> None:
    assert groups_of(POINTER, []) == {"a": ("a", "b", "c"), "d": ("d", "e")}
    stored = [step("a", "c"), step("d"), step("x", "y"), step()]
    assert groups_of(POINTER, stored) == {"a": ("a", "c"), "d": ("d", "e"), "x": ("x", "y")}


@pytest.mark.parametrize(
    ("stored", "left"),
    [
        ([], [("a", "b", "c"), ("d", "e")]),
        ([step("a", "b", "c", attempts=(ATTEMPT,))], [("d", "e")]),
        ([step("a", "b", "c")], [("a", "b", "c"), ("d", "e")]),
        ([step("x", "a", attempts=(ATTEMPT,))], [("a", "b", "c"), ("d", "e")]),
        ([step(attempts=(ATTEMPT,))], [("a", "b", "c"), ("d", "e")]),
    ],
)
def test_of_a_step_that_ends_the_groups_whose_message_went_out_are_not_handed_on(
    stored: list[Notice], left: list[tuple[str, ...]]
) -> None:
    assert not_told(POINTER, stored) == left


def test_where_a_lead_is_not_sent_the_next_one_leads_what_is_left() -> None:
    ledger = FakeLedger()
    for position, key in enumerate("bce", 4):
        ledger.put([a_notice(notice_id=key, origin=Origin("retail/run-1", 3, position, "q", 5, 9))])
    groups = [("a", "b", "c"), ("d", "e"), ("f",), ("g", "unknown")]
    found = {pointer.first: pointer for pointer in hand_on(POINTER, groups, ledger)}
    common: dict[str, Any] = {"purpose": "step:dunning:2", "version": "v1"}
    assert found == {
        4: SlicePointer(
            "retail", "run-1", 3, "q", 5, 9, 1, 4, positions=(4,), together=(("b", "c"),), **common
        ),
        6: SlicePointer("retail", "run-1", 3, "q", 5, 9, 1, 6, positions=(6,), **common),
    }
    assert hand_on(POINTER, [("f",)], ledger) == []


def companions(**changes: Companion) -> Digests:
    made = {key: companion(number) for number, key in enumerate("bc", 2)}
    return Digests({"a": ("a", "b", "c", "gone")}, "words", {**made, **changes})


def companion(number: int, *together: str, is_open: bool = True, version: int = 0) -> Companion:
    made = step(*together, notice_id=f"step {number}", version=version, status=Status.SENDING)
    return Companion(a_document(number), made, is_open)


@pytest.mark.parametrize(
    ("changed", "others"),
    [
        ({}, ["b", "c"]),
        ({"b": companion(2, is_open=False)}, ["c"]),
        ({"b": companion(2, "a")}, ["b", "c"]),  # its message goes out with this lead
        ({"b": companion(2, "x")}, ["c"]),  # it went out with another
        ({"b": companion(2, "a", "x")}, ["c"]),
    ],
)
def test_beside_a_lead_stand_those_that_are_open_and_of_no_other_message(
    changed: dict[str, Companion], others: list[str]
) -> None:
    digests = companions(**changed)
    assert list(digests.others("a", lambda document: True)) == others
    assert (
        list(digests.others("a", lambda document: document.document_id != "D0003"))
        == others[: len(others) - 1]
    )
    assert digests.others("x", lambda document: True) == {}


@pytest.mark.parametrize(
    ("status", "written"),
    [
        (Status.SENT, True), (Status.DELIVERED, True), (Status.DELAYED, True), (Status.UNCONFIRMED, True),
        (Status.FAILED, False), (Status.BOUNCED, False), (Status.SUPPRESSED, False),
    ],
)  # fmt: skip
def test_what_went_out_with_a_lead_has_a_notice_that_names_it(status: Status, written: bool) -> None:
    ledger, clock = FakeLedger(), FakeClock()
    lead = step("a", "b", "c", "gone", notice_id="lead", status=status, why="why")
    digests = companions(c=companion(3, "a", version=1))
    digests.record([lead], ledger, clock.now())
    assert set(ledger.notices) == ({"step 2"} if written else set()), "the third was written before"
    if written:
        told = ledger.notices["step 2"]
        assert (told.status, told.why, told.together, told.version) == (status, "why", ("a",), 1)
        assert [(e.what, e.detail) for e in told.events] == [(str(status), "with lead")]
    digests.record([lead], ledger, clock.now())
    assert len(ledger.notices) == int(written)


JOURNEY = JourneyRule(
    "dunning",
    ("payment-reminder",),
    (Step(Delay(days=1), digest="reminders"), Step(Delay(days=9))),
    stops=("paid",),
)
RULES: Any = FakeRules(REMINDER, journeys=[JOURNEY])
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def first(number: int, **changes: Any) -> Notice:
    stated: dict[str, Any] = {
        "notice_id": f"first {number}", "document_id": f"D{number:04d}", "document_type": REMINDER.name,
        "origin": Origin("retail/run-1", 3, number, "q", 5, 9), "attempts": (ATTEMPT,), "status": Status.SENT,
        "created_at": "2026-11-20T15:00:00+00:00", "case_id": f"K-{number}", "recipient": "spouse",
    }  # fmt: skip
    return a_notice(**{**stated, **changes})


def due(number: int, **changes: Any) -> Document:
    stated = {"document_type": REMINDER.name, "amount_due": "10.00", "currency": "USD"}
    return a_document(number, **{**stated, **changes})


class Kept:
    """`Records` of these documents, by position."""

    def __init__(self, *documents: Document) -> None:
        self.documents = {int(d.document_id[1:]): d for d in documents}

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """See `Records.read`."""
        found = [(n, self.documents[n]) for n in pointer.positions if n in self.documents]
        if not found:
            raise RecordsGone("gone")
        return found


def of_step(*notices: Notice, gone: int = 0, step: int = 1, journey: JourneyRule | None = JOURNEY) -> Digests:
    """The documents beside `first 1` of a step."""
    ledger, journeys = FakeLedger(), FakeJourneyBook()
    for notice in notices:
        assert not ledger.put([notice])
    group = ("first 1", *(n.notice_id for n in notices if n.notice_id.startswith("first")))
    pointer = replace(POINTER, purpose=f"step:dunning:{step}", together=(group,))
    records: Any = Kept(*(due(n) for n in (2, 3) if n != gone))
    rules = rules_of(replace(pointer, version=JOURNEY.version), RULES, journeys)
    return digests_of(
        pointer, {}, journey, RULES, rules, records, ledger, None, runs=FakeRunBook(), journeys=journeys,
        is_holiday=no_holidays, by_document=False, now=NOW,
    )  # fmt: skip


def test_each_document_of_a_group_has_a_step_of_its_own_that_is_not_stored_yet() -> None:
    found = of_step(first(2), first(3))
    assert (found.groups, found.wording) == ({"first 1": ("first 1", "first 2", "first 3")}, "reminders")
    assert list(found.companions) == ["first 2", "first 3"]
    second = found.companions["first 2"]
    assert (second.document, second.is_open) == (due(2), True)
    made = second.step
    assert (made.domain, made.customer_key, made.recipient, made.case_id) == (
        "retail",
        "C0001",
        "spouse",
        "K-2",
    )
    assert (made.document_id, made.document_type, made.audience) == ("D0002", REMINDER.name, "customer")
    assert (made.purpose, made.version, made.status, made.rule_version) == (
        "step:dunning:1",
        0,
        Status.SENDING,
        "v1",
    )
    assert made.origin == first(2).origin
    assert made.notice_id != found.companions["first 3"].step.notice_id


def test_a_document_whose_record_is_gone_is_left_out() -> None:
    assert list(of_step(first(2), first(3), gone=2).companions) == ["first 3"]
    assert of_step(first(2), gone=2).companions == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"responses": ("paid",)},
        {"events": (Event("2026-11-20T16:00:00+00:00", STOPPED, "ann", ""),)},
    ],
)
def test_what_is_answered_or_stopped_goes_on_no_more(changes: dict[str, Any]) -> None:
    found = of_step(first(2, **changes), first(3))
    assert {key: one.is_open for key, one in found.companions.items()} == {"first 2": False, "first 3": True}


@pytest.mark.parametrize(("together", "is_open"), [((), False), (("first 1",), True)])
def test_a_step_that_is_stored_is_open_only_where_its_message_is_this_one(
    together: tuple[str, ...], is_open: bool
) -> None:
    made = of_step(first(2)).companions["first 2"].step
    stored = replace(made, version=1, together=together)
    found = of_step(first(2), stored).companions["first 2"]
    assert (found.step, found.is_open) == (stored, is_open)


def test_a_step_without_words_for_several_and_what_is_no_step_has_no_groups() -> None:
    assert of_step(first(2), step=2) == Digests()
    assert of_step(first(2), journey=None) == Digests()
    assert of_step() == Digests({"first 1": ("first 1",)}, "reminders")
