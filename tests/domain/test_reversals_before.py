"""Reversals that named only the customer and came before: they take back what this document was paid directly."""

from exstream_notify.domain.payments import Fact, Payments
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse, with_reversals


def early(fact: Fact) -> EarlyPayment:
    return EarlyPayment(fact, "2026-11-20T15:00:00+00:00")


PAID = Fact("payment", "p1", "", "10", "USD")
SHARED = Fact("payment", "p2", "", "5", "USD", shared=True)
BACK = Fact("reversal", "r1", "p1", "10", "USD")
BACK_OF_SHARED = Fact("reversal", "r2", "p2", "5", "USD")
BACK_OF_OTHER = Fact("reversal", "r3", "p3", "5", "USD")
ANOTHER = Fact("payment", "p1", "", "10", "USD")


def test_only_reversals_of_payments_that_named_the_document_count() -> None:
    account = EarlyResponse(
        "paid", "", "", payments=tuple(early(f) for f in (ANOTHER, BACK_OF_OTHER, BACK_OF_SHARED, BACK))
    )
    found = with_reversals(Payments(facts=(PAID, SHARED)), account)
    assert [fact.key for fact in found.facts if fact.kind == "reversal"] == ["r1"]
    assert [fact.key for fact in found.facts if fact.kind == "payment"] == ["p1", "p2"]
    assert with_reversals(Payments(facts=(PAID,)), None).facts == (PAID,)
