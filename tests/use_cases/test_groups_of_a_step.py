"""The groups of documents that one message of a step is about, while their lead and the others change."""

from typing import Any

import pytest

from exstream_notify.domain.notices import Attempt, Notice, Origin, Status
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.digest_steps import Companion, Digests, groups_of, hand_on, not_told
from tests.fakes import FakeClock, FakeLedger, a_document, a_notice

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
