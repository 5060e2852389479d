"""Which of a customer's notices are debts, and which documents payments of other accounts may be for."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.notices import Notice, Origin, Status
from exstream_notify.domain.payments import Fact, with_facts
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse, document_alone, document_subject
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import RecordsGone
from exstream_notify.use_cases.owing import Sharing, asks_for_money, owing, takes_part
from tests.fakes import FakeClock, FakeRules, a_document, a_notice, a_rule
from tests.use_cases.test_payments import DUNNING, INVOICE, REMINDER

RULES = FakeRules(
    REMINDER, INVOICE, a_rule(), a_rule(name="policy", any_payment_settles=True),
    a_rule(name="own", shares_payments=True), a_rule(name="not", message_class="collections", shares_payments=False),
    a_rule(name="skipped", message_class="collections", skip="settled"),
    a_rule(name="held", message_class="collections", account_hold="disputed"),
    journeys=[DUNNING],
)  # fmt: skip


class Kept:
    """`Records` with these documents by position; what is not there is gone."""

    def __init__(self, **documents: Document) -> None:
        self.documents = {int(name[1:]): document for name, document in documents.items()}
        self.reads = 0

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """See `Records.read`."""
        self.reads += 1
        (position,) = pointer.positions
        if position not in self.documents:
            raise RecordsGone("gone")
        return [(position, self.documents[position])]


def notice(position: int, **changes: Any) -> Notice:
    return a_notice(
        notice_id=f"{position:032x}", document_id=f"D{position:04d}", origin=Origin("retail/run-1", 0, position, "p", 0, 1),
        created_at="2026-11-20T15:00:00+00:00", **changes,
    )  # fmt: skip


def invoice(number: int, **changes: Any) -> Document:
    fields = {"document_type": "payment-reminder", "amount_due": "10.00", "currency": "USD", **changes}
    return a_document(number, **fields)


def keys(*notices: Notice, **documents: Document) -> list[tuple[str, bool, bool]]:
    records: Any = Kept(**documents)
    return [(d.key.replace("\x1f", ""), d.owed, d.any_payment) for d in owing(notices, records, RULES).debts]


def test_each_document_that_asks_for_money_is_a_debt_once() -> None:
    notices = [notice(1), notice(2), notice(1, purpose="step:dunning:1"), notice(3), notice(4)]
    policy = a_document(4, document_type="policy")
    records: Any = Kept(p1=invoice(1), p2=invoice(2), p3=a_document(3), p4=policy)
    found = owing(notices, records, RULES)
    assert [(d.owed, d.any_payment) for d in found.debts] == [(True, False), (True, False), (False, True)]
    assert set(found.key_of) == {n.notice_id for n in notices if n.document_id != "D0003"}
    assert {n: d and d.document_id for n, d in found.documents.items()} == {
        n.notice_id: n.document_id for n in notices
    }
    assert records.reads == 4, "a record is read once"


@pytest.mark.parametrize(
    ("changes", "document"),
    [
        ({}, invoice(1, test_flag=True)),
        ({}, invoice(7)),  # the record of another document by now
        ({"status": Status.SUPPRESSED, "why": "run_cancelled"}, invoice(1)),
        ({}, invoice(1, document_type="unknown")),
        ({}, invoice(1, document_type="skipped")),
        ({}, invoice(1, document_type="held")),
        ({}, a_document(1)),
    ],
)
def test_what_asks_nobody_for_money_is_no_debt(changes: dict[str, Any], document: Document) -> None:
    assert keys(notice(1, **changes), p1=document) == []
    assert keys(notice(1, **changes), notice(2), p1=document, p2=invoice(2))[0][1:] == (True, False)


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.SUPPRESSED, "why": "opted_out"}, {"status": Status.SENT, "why": "run_cancelled"}],
)
def test_a_notice_that_was_not_sent_for_another_reason_is_owed_all_the_same(changes: dict[str, Any]) -> None:
    assert keys(notice(1, **changes), p1=invoice(1))[0][1:] == (True, False)


def test_what_was_paid_on_a_document_whose_record_is_gone_is_settled_with_it() -> None:
    part = Fact("payment", "pay 1", "", "4.00", "USD", shared=True)
    paid = with_facts(a_notice().payments, [part])
    found = owing([notice(1, payments=paid), notice(2)], Kept(), RULES)  # type: ignore[arg-type]
    assert [d.key for d in found.debts] == ["settled D0001"]
    assert found.key_of == {notice(1).notice_id: "settled D0001"}


@pytest.mark.parametrize(
    ("kind", "shares", "part"),
    [
        ("payment-reminder", True, True),
        ("statement", False, False),
        ("own", True, False),  # shares by its rule, and a bill is notified all the same
        ("not", False, False),
        ("unknown", None, False),
        ("skipped", True, False),
        ("held", True, False),
    ],
)
def test_which_types_payments_are_shared_out_over(kind: str, shares: bool | None, part: bool) -> None:
    document = invoice(1, document_type=kind)
    if shares is not None:
        assert asks_for_money(RULES.for_document(document), document, RULES) is shares
    assert takes_part(document, RULES) is part


class Adopting:
    """Early responses and a ledger: whose notices a document has, and what was kept for whom."""

    def __init__(self, **others: str) -> None:
        self.others, self.kept = others, []  # type: ignore[var-annotated]

    def of_document(self, domain: str, document_id: str) -> list[Notice]:
        """See `ResponseLedger.of_document`."""
        customer = self.others.get(document_id)
        return [a_notice(customer_key=customer, document_id=document_id)] if customer else []

    def keep_payment(self, domain: str, subject: str, early: EarlyPayment, until: datetime) -> None:
        """See `EarlyResponses.keep_payment`."""
        self.kept.append((domain, subject, early.customer_key, until))

    def on(self, domain: str, subjects: Any) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        return {subject: EarlyResponse("paid", "adopted", "") for subject in subjects}


def test_what_another_account_paid_is_adopted_by_each_document_that_one_customer_has() -> None:
    def paid(number: int) -> EarlyResponse:
        fact = Fact("payment", f"pay {number}", "", "4.00", "USD")
        by = EarlyPayment(fact, "2026-11-20T14:00:00+00:00", "OTHER", f"D{number:04d}")
        return EarlyResponse("paid", "", "", payments=(by,))

    kept = {document_alone(f"D{n:04d}"): paid(n) for n in (2, 3, 4, 5)}
    ports: Any = Adopting(D0003="C0003", D0004="STRANGER")
    clock = FakeClock()
    sharing = Sharing("retail", ports, ports, ports, RULES, ports, clock)
    documents = [invoice(1), a_document(9, document_id="D0005"), *(invoice(n) for n in (4, 2, 3))]
    found = sharing.adopt(documents, kept)
    subjects = [document_subject(invoice(n)) for n in (2, 3)]
    until = clock.now() + timedelta(days=90)
    assert ports.kept == [("retail", s, s.split("#")[1][:5], until) for s in subjects]
    assert {**found} == {**kept, **{s: EarlyResponse("paid", "adopted", "") for s in subjects}}
    both = [invoice(2), invoice(2, customer_key="C0007")]
    assert sharing.adopt(both, kept) is kept, "either may be meant"
