"""What customers did, as values: what each event says, what is kept of it early, and which documents it answers."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.notices import Notice, happened, head
from exstream_notify.domain.payments import NO_PAYMENTS, Debt, Fact, Payments, hashed, with_facts
from exstream_notify.domain.responses import (
    ENDS_EARLY,
    MAX_PAYMENT_EVENTS,
    EarlyPayment,
    EarlyResponse,
    ResponseEvent,
    answer_to,
    conflicts,
    count_of_payments,
    customer_subject,
    document_alone,
    document_subject,
    early_payment,
    early_payments,
    early_response,
    is_foreign,
    is_reversed_by,
    may_answer,
    of_known,
    of_other_accounts,
    responded,
    revoked,
    said_at,
    shared_payment,
    subjects_of,
    superseded_by,
    superseded_subject,
    superseding,
    was_known,
    with_payment,
)
from tests.fakes import a_document, a_notice

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_400, UTC)
AT = "2026-11-20T15:00:00.250+00:00"
SECOND = "2026-11-20T15:00:00Z"
BEFORE, AFTER = "2026-11-20T14:59:59Z", "2026-11-20T15:00:01Z"
BILL = a_document(1, amount_due="100.00", currency="USD")


def paid(amount: str = "40.00", **changes: Any) -> ResponseEvent:
    values = {"amount": amount, "currency": "USD", "payment_id": "P-1", **changes}
    return ResponseEvent("paid", "retail", **values)


# --- the event ------------------------------------------------------------------------------------------------


def test_which_responses_end_a_notice_that_is_still_to_come() -> None:
    assert ENDS_EARLY == {"opened": False, "responded": True, "paid": True, "acknowledged": True}


@pytest.mark.parametrize(
    ("kind", "amount", "reversal_of", "reverses"),
    [
        ("paid", "10", "", False),
        ("paid", "", "", False),
        ("paid", "-10", "", True),
        ("paid", "10", "P-1", True),
        ("paid", "", "P-1", True),
        ("responded", "-10", "P-1", False),
    ],
)
def test_a_payment_is_taken_back_by_a_minus_or_by_name(
    kind: Any, amount: str, reversal_of: str, reverses: bool
) -> None:
    event = ResponseEvent(kind, "retail", amount=amount, reversal_of=reversal_of)
    assert event.reverses is reverses


PAYMENT, REVERSAL = hashed("payment", "P-1"), hashed("reversal", "P-1")


@pytest.mark.parametrize(
    ("event", "fact"),
    [
        (paid(), Fact("payment", PAYMENT, "", "40.00", "USD")),
        (paid(event_id="E-1"), Fact("payment", PAYMENT, "", "40.00", "USD")),
        (
            paid(payment_id="", event_id="E-1"),
            Fact("payment", hashed("payment", "E-1"), "", "40.00", "USD"),
        ),
        (
            paid(payment_id="", by="desk", at="noon"),
            Fact("payment", hashed("payment", "40.00 USD by desk, at noon"), "", "40.00", "USD"),
        ),
        (paid("-40.00"), Fact("reversal", REVERSAL, PAYMENT, "40.00", "USD", loose=True)),
        (paid("5", reversal_of="P-0"), Fact("reversal", REVERSAL, hashed("payment", "P-0"), "5", "USD")),
        (
            paid("", reversal_of="P-0"),
            Fact("reversal", hashed("whole", "P-0"), hashed("payment", "P-0"), "", "USD"),
        ),
    ],
)
def test_what_a_payment_adds(event: ResponseEvent, fact: Fact) -> None:
    assert event.fact == fact


def test_the_words_of_an_event_are_in_order_and_none_is_empty() -> None:
    event = paid("-4.00", by="ann", at="2026-11-20", said="late", source="portal")
    assert event.detail == "by ann, at 2026-11-20, late, portal"
    assert event.part == "4.00 USD: by ann, at 2026-11-20, late, portal"
    assert paid("", currency="", source="bank").part == "all -: bank"
    assert paid().detail == ""


def test_a_response_is_kept_under_its_document_of_its_customer_else_its_case() -> None:
    event = ResponseEvent("paid", "retail", "C1", "D1", "K1")
    assert event.subject == "document#C1\x1fD1"
    assert replace(event, customer_key="").subject == "document#D1"
    assert replace(event, document_id="").subject == "K1"
    assert replace(event, document_id="", case_id="").subject == ""


def test_what_is_kept_of_an_early_event() -> None:
    event = paid(
        customer_key="C1", document_id="D1", at=BEFORE, by="ann", recipient="R1", versions=("1", "2")
    )
    assert early_response(event, NOW) == EarlyResponse(
        "paid", f"by ann, at {BEFORE}", BEFORE, "C1", "D1", (), "R1", ("1", "2"), ()
    )
    assert early_payment(event, NOW) == EarlyPayment(event.fact, BEFORE, "C1", "D1", "")
    shared = shared_payment(event, "C9", NOW)
    assert shared == EarlyPayment(event.fact, BEFORE, "C9", "", "2026-11-20T15:00:00.250400+00:00")
    assert shared.came == NOW
    assert early_payment(event, NOW).came == NOW - timedelta(seconds=1, microseconds=250_400)
    assert early_response(event, NOW).told == f"paid by ann, at {BEFORE}"
    assert EarlyResponse("paid", "", "").told == "paid"


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (BEFORE, BEFORE),
        (SECOND, SECOND),
        (AFTER, SECOND),  # it is not to come
        ("2026-11-20T15:30:00+01:00", "2026-11-20T14:30:00Z"),
        ("yesterday", SECOND),
        ("", SECOND),
    ],
)
def test_when_something_was_said(said: str, at: str) -> None:
    assert said_at(said, NOW) == at


# --- what it answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("produced", "at", "by_document", "known"),
    [
        (BEFORE, SECOND, False, True),
        (SECOND, SECOND, False, True),
        (AFTER, SECOND, True, False),
        ("", "2026-11-01T00:00:00+00:00", True, True),
        ("", "2026-11-17T15:00:00.250400+00:00", False, True),
        ("", "2026-11-17T15:00:00.250399+00:00", False, False),
    ],
)
def test_whether_a_document_can_have_been_known(
    produced: str, at: str, by_document: bool, known: bool
) -> None:
    assert was_known(produced, at, by_document=by_document, now=NOW) is known


@pytest.mark.parametrize(
    ("kind", "by", "recipient", "may"),
    [
        ("paid", "R1", "R2", True),
        ("paid", "", "R2", True),
        ("responded", "R1", "R2", False),
        ("responded", "", "R2", False),
        ("responded", "R1", "R1", True),
        ("opened", "", "", True),
    ],
)
def test_whose_answer_it_is(kind: str, by: str, recipient: str, may: bool) -> None:
    assert may_answer(kind, by, recipient) is may


def early(**changes: Any) -> EarlyResponse:
    values = {
        "kind": "responded",
        "detail": "",
        "at": SECOND,
        "customer_key": "C0001",
        "document_id": "D0001",
    }
    return EarlyResponse(**{**values, **changes})


@pytest.mark.parametrize(
    ("kept", "document", "answers"),
    [
        ({}, {}, True),
        ({}, {"produced_at": AFTER}, True),  # customer and document were named
        ({}, {"edition": "e", "produced_at": AFTER}, False),  # a file's name: it was composed afterwards
        ({}, {"edition": "e", "produced_at": BEFORE}, True),
        ({}, {"edition": "e"}, True),
        ({"at": ""}, {}, False),
        ({"customer_key": "C0002"}, {}, False),
        ({"customer_key": ""}, {"produced_at": AFTER}, False),
        ({"customer_key": ""}, {"produced_at": BEFORE}, True),
        ({"document_id": ""}, {"produced_at": AFTER}, False),
        ({"document_id": "", "at": "2026-11-17T15:00:00Z"}, {}, False),  # three days and a moment ago
        ({"document_id": "", "at": "2026-11-17T15:00:01Z"}, {}, True),
        ({"recipient": "R1"}, {}, False),
        ({"recipient": "R1"}, {"recipient": "R1"}, True),
        ({}, {"recipient": "R1"}, False),
        ({"kind": "paid"}, {"recipient": "R1"}, True),
        ({"kind": "acknowledged"}, {}, True),
        ({"kind": "acknowledged", "versions": ("2",)}, {"document_version": "2"}, True),
        ({"kind": "acknowledged", "versions": ("2",)}, {"document_version": "1"}, False),
        ({"kind": "acknowledged", "customer_key": ""}, {}, False),
        ({"kind": "acknowledged", "document_id": ""}, {}, False),
        ({"kind": "responded", "versions": ("2",)}, {"document_version": "1"}, True),
    ],
)
def test_which_documents_an_early_response_answers(
    kept: dict[str, Any], document: dict[str, Any], answers: bool
) -> None:
    assert early(**kept).answers(a_document(1, **document), NOW) is answers


@pytest.mark.parametrize(
    ("kept", "document", "is_of"),
    [
        ({}, {"produced_at": AFTER}, True),
        ({"reported": AT}, {}, False),  # it is shared out
        ({"customer_key": "C0002"}, {}, False),
        ({}, {"edition": "e", "produced_at": AFTER}, False),
        ({}, {"edition": "e", "produced_at": SECOND}, True),
        ({"customer_key": ""}, {"produced_at": AFTER}, False),
        ({"customer_key": ""}, {}, True),
        ({"document_id": ""}, {"produced_at": AFTER}, False),
        ({"document_id": "", "at": "2026-11-10T00:00:00+00:00"}, {}, False),
        ({"document_id": "", "at": "2026-11-19T00:00:00+00:00"}, {}, True),
    ],
)
def test_which_documents_an_early_payment_is_about(
    kept: dict[str, Any], document: dict[str, Any], is_of: bool
) -> None:
    payment = EarlyPayment(
        paid().fact, **{"at": SECOND, "customer_key": "C0001", "document_id": "D0001", **kept}
    )
    assert payment.is_of(a_document(1, **document), NOW) is is_of


def test_what_responses_to_a_document_are_kept_under() -> None:
    document = a_document(1, case_id="K1", recipient="R1")
    assert subjects_of(document) == (
        "document#D0001",
        "document#C0001\x1fD0001",
        "superseded#C0001\x1fR1\x1fD0001",
        "customer#C0001",
        "K1",
    )
    assert subjects_of(document, by_document=False) == ("K1",)
    assert subjects_of(a_document(1))[-1] == "customer#C0001"
    assert subjects_of(a_document(1), by_document=False) == ()
    assert subjects_of(a_document(1, case_id="K1", test_flag=True)) == ()
    assert document_subject(document) == "document#C0001\x1fD0001"
    assert document_alone("D0001") == "document#D0001"
    assert customer_subject("C0001") == "customer#C0001"
    assert superseded_subject(document, "D9") == "superseded#C0001\x1fR1\x1fD9"
    kept = {"customer#C0001": early(), "document#D0001": early(), "K1": early()}
    assert list(of_known(kept)) == ["document#D0001", "K1"]


def test_a_document_that_was_replaced_before_it_came() -> None:
    old = a_document(1)
    new = a_document(1, document_id="NEW", supersedes="D0001", produced_at=BEFORE)
    subject, kept = superseding(new, NOW)
    assert (subject, kept) == (
        "superseded#C0001\x1fD0001",
        EarlyResponse("superseded", "", BEFORE, "C0001", "NEW"),
    )
    assert superseding(replace(new, produced_at=None), NOW)[1].at == SECOND
    known = {subject: kept}
    assert superseded_by(old, known) == "NEW"
    assert superseded_by(old, {}) == ""
    assert superseded_by(replace(old, test_flag=True), known) == ""
    assert superseded_by(a_document(2), known) == ""
    assert superseded_by(old, {subject: replace(kept, document_id="D0001")}) == "", "not by itself"
    # Of documents that have only a file's name, what was composed later is another one.
    assert superseded_by(replace(old, edition="e", produced_at=AFTER), known) == ""
    assert superseded_by(replace(old, edition="e", produced_at=BEFORE), known) == "NEW"
    assert superseded_by(replace(old, produced_at=AFTER), known) == "NEW"


def kept_payment(amount: str, identity: str, at: str = SECOND, **changes: Any) -> EarlyPayment:
    return EarlyPayment(paid(amount, payment_id=identity).fact, at, "C0001", "D0001", **changes)


def test_what_leaves_nothing_to_tell_of_a_document() -> None:
    own = document_subject(BILL)
    assert answer_to(BILL, {}, NOW) is None
    said = early(detail="withdrawn")
    # The first of the subjects that answers, past one that is another customer's and one that replaces.
    replaced = EarlyResponse("superseded", "", SECOND, "C0001", "NEW")
    kept = {
        document_alone("D0001"): early(customer_key="C0009"),
        superseded_subject(BILL): replaced,
        own: said,
    }
    assert answer_to(BILL, kept, NOW) == said
    assert answer_to(BILL, {superseded_subject(BILL): replaced}, NOW) is None
    half = early(kind="paid", at="", payments=(kept_payment("60.00", "P-1", BEFORE),))
    assert answer_to(BILL, {own: half}, NOW) is None
    assert answer_to(BILL, {own: half}, NOW, any_payment_settles=True) == EarlyResponse("paid", "", BEFORE)
    rest = replace(
        half, payments=(*half.payments, kept_payment("40.00", "P-2"), kept_payment("0", "P-3", BEFORE))
    )
    assert answer_to(BILL, {own: rest}, NOW) == EarlyResponse("paid", "", SECOND)


def test_early_payments_are_the_documents_own_its_parts_and_the_reversals_of_its_own() -> None:
    direct = early(
        kind="paid", at="", payments=(kept_payment("60.00", "P-1"), kept_payment("5", "P-2", reported=AT))
    )
    debt = Debt("document D0001\x1f", None, "USD", "", NOW, parts=(("old", "1.00", "USD"),))
    newer = replace(debt, parts=(("k1", "7.00", "USD"), ("k2", "8.00", "EUR")))
    others = (replace(debt, parts=None), replace(debt, key="document D9\x1f", parts=(("k9", "9", "USD"),)))
    back = EarlyPayment(paid("", reversal_of="P-1", payment_id="R").fact, SECOND, "C0001", reported=AT)
    account = early(kind="paid", at="", payments=(back,), debts=(debt, newer, *others))
    kept = {document_subject(BILL): direct, customer_subject("C0001"): account}
    found = early_payments(BILL, kept, NOW)
    assert found.facts == (
        paid("60.00").fact,
        Fact("payment", "k1", "", "7.00", "USD", shared=True),
        Fact("payment", "k2", "", "8.00", "EUR", shared=True),
        back.fact,
    )
    assert early_payments(a_document(2), kept, NOW) == NO_PAYMENTS


def test_what_other_accounts_paid_of_a_document_counts_as_its_customers() -> None:
    mine, theirs, unnamed = (
        EarlyPayment(paid(payment_id=key).fact, SECOND, customer, "D0001")
        for key, customer in (("P-1", "C0001"), ("P-2", "C0009"), ("P-3", ""))
    )
    again = EarlyPayment(paid(payment_id="P-4").fact, SECOND, "C0009", "D0001")
    alone = early(kind="paid", at="", payments=(mine, theirs, unnamed, again))
    own = early(kind="paid", at="", payments=(again,))
    kept = {document_alone("D0001"): alone, document_subject(BILL): own}
    assert of_other_accounts(BILL, kept) == (replace(theirs, customer_key="C0001"),)
    assert len(of_other_accounts(BILL, {document_alone("D0001"): alone})) == 2
    assert of_other_accounts(BILL, {}) == ()
    assert of_other_accounts(replace(BILL, edition="e"), kept) == ()
    assert of_other_accounts(replace(BILL, test_flag=True), kept) == ()


# --- what a notice keeps --------------------------------------------------------------------------------------


def test_a_response_is_an_event_once() -> None:
    notice = a_notice(version=3, responses=("opened",))
    found = responded(notice, "responded", NOW, "by ann")
    assert found is not None
    assert (found.version, found.responses) == (4, ("opened", "responded"))
    assert [(e.at, e.what, e.detail, e.before) for e in found.events] == [
        (AT, "responded", "by ann", head(notice))
    ]
    assert responded(found, "responded", NOW, "again") is None


def test_a_revoked_link_says_why() -> None:
    found = revoked(a_notice(version=3), "lost phone", NOW)
    assert (found.link_revoked, found.version) == ("lost phone", 4)
    assert [(e.what, e.detail) for e in found.events] == [("link revoked", "lost phone")]


def after(notice: Notice, *events: ResponseEvent, **more: Any) -> Notice:
    for event in events:
        found = with_payment(notice, event, BILL, NOW, **more)
        assert found is not None
        notice = found
    return notice


def test_payments_are_written_one_by_one_with_what_each_came_to() -> None:
    half, rest = paid("60.00", source="bank"), paid("40.00", payment_id="P-2", source="bank")
    more = paid("1.00", payment_id="P-3", source="desk")
    back = paid("", reversal_of="P-2", payment_id="R-1", source="bank")
    notice = after(a_notice(version=1, responses=("opened",)), half)
    assert notice.responses == ("opened",)
    notice = after(notice, rest)
    assert notice.responses == ("opened", "paid")
    notice = after(notice, more)
    assert notice.responses == ("opened", "paid")
    notice = after(notice, back)
    assert notice.responses == ("opened",)
    assert is_reversed_by(notice, back)
    assert [(e.what, e.detail) for e in notice.events] == [
        ("paid in part", "60.00 USD: bank"),
        ("paid", "bank"),
        ("paid again", "1.00 USD: desk"),
        ("payment reversed", "all USD: bank"),
    ]
    assert notice.payments == with_facts(NO_PAYMENTS, [half.fact, rest.fact, more.fact, back.fact])
    assert (notice.version, count_of_payments(notice)) == (5, 4)
    assert with_payment(notice, half, BILL, NOW) is None, "known"
    assert not is_reversed_by(notice, replace(back, source="desk"))
    assert not is_reversed_by(after(notice, paid("2", payment_id="P-5")), back), "not the newest any more"
    assert is_reversed_by(happened(notice, NOW, "opened"), back), "other events are none of payments"
    assert not is_reversed_by(a_notice(), back)


def test_only_what_takes_a_payment_back_opens_a_paid_notice_again() -> None:
    told = a_notice(responses=("paid",))  # by a release that kept no amounts
    found = after(told, paid("1.00"))
    assert (found.responses, found.events[-1].what) == (("paid",), "paid again")
    stranger = paid("", reversal_of="P-9", payment_id="R")
    found = after(told, stranger)
    assert (found.responses, found.events[-1].what) == (("paid",), "payment reversed")
    own = after(told, paid("1.00"), paid("", reversal_of="P-1", payment_id="R"))
    assert own.responses == ()
    any_payment = after(a_notice(), paid("1.00"), any_payment_settles=True)
    assert any_payment.responses == ("paid",)


def test_events_of_payments_are_bounded_and_payments_are_not() -> None:
    notice = a_notice()
    for number in range(MAX_PAYMENT_EVENTS + 2):
        notice = after(notice, paid("0.10", payment_id=f"P-{number}"))
    assert count_of_payments(notice) == MAX_PAYMENT_EVENTS == 100
    assert len(notice.payments.facts) == MAX_PAYMENT_EVENTS + 2
    assert notice.version == a_notice().version + MAX_PAYMENT_EVENTS + 2


@pytest.mark.parametrize(
    ("known", "fact", "found"),
    [
        (None, ("10.00", "USD"), False),
        (("10.00", "USD"), ("10.0", "USD"), False),
        (("10.00", "USD"), ("10.01", "USD"), True),
        (("10.00", "USD"), ("10.00", "EUR"), True),
        (("10.00", "USD"), ("10.00", ""), False),
        (("10.00", ""), ("10.00", "EUR"), False),
        (("", "USD"), ("10.00", "USD"), False),
        (("10.00", "USD"), ("", "USD"), False),
    ],
)
def test_a_payment_of_the_same_id_and_of_another_amount_or_currency(
    known: tuple[str, str] | None, fact: tuple[str, str], found: bool
) -> None:
    before = Fact("payment", "k", "", *known) if known else None
    assert conflicts(before, Fact("payment", "k", "", *fact)) is found


def test_a_payment_in_another_currency_is_foreign() -> None:
    assert is_foreign(paid(currency="EUR"), BILL)
    assert not is_foreign(paid(), BILL)
    assert not is_foreign(paid("", currency="EUR"), BILL), "all that is due"
    assert not is_foreign(paid(currency="EUR"), None)


def test_an_event_says_nothing_that_it_was_not_told() -> None:
    said = asdict(ResponseEvent("opened", "retail"))
    assert {name: value for name, value in said.items() if value not in ("", ())} == {
        "kind": "opened",
        "domain": "retail",
    }
    assert asdict(EarlyResponse("paid", "", SECOND)) == {
        "kind": "paid",
        "detail": "",
        "at": SECOND,
        "customer_key": "",
        "document_id": "",
        "payments": (),
        "recipient": "",
        "versions": (),
        "debts": (),
    }
    assert Payments() == NO_PAYMENTS
    assert not NO_PAYMENTS
