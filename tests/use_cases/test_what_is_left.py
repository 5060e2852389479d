"""What is left to pay of documents when a message about them is decided."""

from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.notices import notice_id_of
from exstream_notify.domain.payments import Fact, with_facts
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse, document_subject
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.what_is_left import at_step, payments_by_document
from tests.fakes import FakeLedger, FakeRules, a_document, a_notice
from tests.use_cases.test_payments import REMINDER

RULES: Any = FakeRules(REMINDER)
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
STEP = SlicePointer("retail", "run-1", 0, "p", 0, 1, 2, 1, purpose="step:dunning:1", version="v1")


def due(number: int, amount: str | None = "10.00", **changes: Any) -> Document:
    fields = {"document_type": REMINDER.name, "amount_due": amount, "currency": "USD", **changes}
    return a_document(number, **fields)


def identity(document: Document, rules: Any = RULES) -> str:
    return notice_id_of(document, rules.for_document(document))


class Early:
    """`EarlyResponses`: what was kept before a notice, and how often it was asked for."""

    def __init__(self, *payments: EarlyPayment) -> None:
        self.payments, self.asked = payments, 0

    def on(self, domain: str, subjects: Any) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        self.asked += 1
        subject = document_subject(due(1))
        known = EarlyResponse("paid", "", "", payments=self.payments)
        return {subject: known} if subject in subjects and self.payments else {}


def ledger(*paid: tuple[int, str]) -> FakeLedger:
    """First notices with what was paid of them."""
    found = FakeLedger()
    for number, amount in paid:
        fact = Fact("payment", f"pay {number}", "", amount, "USD")
        payments = with_facts(a_notice().payments, [fact])
        found.put([a_notice(notice_id=identity(due(number)), payments=payments)])
    return found


def left(
    pointer: SlicePointer, *documents: Document, book: FakeLedger | None = None
) -> list[tuple[int, str | None]]:
    rows = at_step(
        pointer, list(enumerate(documents, 1)), RULES, identity, book or ledger((1, "4.00")), None,
        by_document=False, now=NOW,
    )  # fmt: skip
    return [(position, document.amount_due) for position, document in rows]


def test_a_step_names_what_is_left_of_each_document() -> None:
    assert left(STEP, due(1), due(2)) == [(1, "6.00"), (2, "10.00")]
    assert left(STEP, due(2), due(1), book=ledger((1, "4.00"), (2, "1.50"))) == [(1, "8.50"), (2, "6.00")]


def test_anything_but_a_step_and_what_states_no_amount_stays_as_it_is() -> None:
    notice = SlicePointer("retail", "run-1", 0, "p", 0, 1, 2, 1)
    assert left(notice, due(1), due(2)) == [(1, "10.00"), (2, "10.00")]
    assert left(STEP, due(1, None), due(2, None)) == [(1, None), (2, None)]
    assert left(STEP, due(2, None), due(1)) == [(1, None), (2, "6.00")]


@pytest.mark.parametrize(
    ("changes", "by_document", "asked"),
    [({}, False, 0), ({}, True, 1), ({"case_id": "K-1"}, False, 1), ({"amount_due": None}, True, 0)],
)
def test_what_came_before_a_notice_is_asked_for_only_where_there_can_be_some(
    changes: dict[str, Any], by_document: bool, asked: int
) -> None:
    early: Any = Early()
    found = payments_by_document(
        [due(1, **changes)] if "amount_due" not in changes else [due(1, None)], {}, identity, early, "retail",
        by_document=by_document, now=NOW,
    )  # fmt: skip
    assert (found, early.asked) == ({}, asked)
    assert payments_by_document([due(1)], {}, identity, None, "retail", by_document=True, now=NOW) == {}


def test_a_payment_that_came_before_the_notice_is_counted_for_its_document_and_not_for_a_test() -> None:
    fact = Fact("payment", "pay 1", "", "4.00", "USD")
    early: Any = Early(
        EarlyPayment(
            fact,
            "2026-11-20T14:00:00+00:00",
            "C0001",
            document_id="D0001",
        )
    )
    found = payments_by_document([due(1), due(2)], {}, identity, early, "retail", by_document=True, now=NOW)
    assert {key: [f.key for f in payments.facts] for key, payments in found.items()} == {
        identity(due(1)): ["pay 1"]
    }
    test = [due(1, test_flag=True)]
    assert payments_by_document(test, {}, identity, early, "retail", by_document=True, now=NOW) == {}
