"""What the tables keep of an erased customer beside the contact: early responses, members of journeys, notices."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from exnotify.personal.letters import is_about
from exnotify.personal.tables import EarlyResponses, Incidents, Journeys
from exstream_notify.adapters.dynamodb.incidents import DynamoIncidents
from exstream_notify.adapters.dynamodb.journeys import DynamoJourneys
from exstream_notify.adapters.dynamodb.ledger import DynamoLedger
from exstream_notify.adapters.dynamodb.responses import DynamoEarlyResponses
from exstream_notify.domain.erased import Person, person_of, redacted, with_words
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import noted
from exstream_notify.domain.incidents import Head
from exstream_notify.domain.journeys import Cohort, Member, MemberRow
from exstream_notify.domain.notices import Correction, Notice, Origin
from exstream_notify.domain.payments import Debt, Fact
from exstream_notify.domain.responses import (
    EarlyPayment,
    EarlyResponse,
    customer_subject,
    document_alone,
)
from tests.adapters.conftest import dynamodb, make_table
from tests.fakes.examples import RUN, a_contact, a_notice, an_address

DOMAIN = "retail"
BEFORE, ERASED_AT, AFTER = "2026-11-20T15:00:00", "2026-11-21T00:00:00", "2026-11-22T15:00:00"
NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
UNTIL = NOW + timedelta(days=90)
COHORT = Cohort("2026-11-30T15", DOMAIN, "reminder", 1)


@dataclass
class App:
    """What the places read."""

    ledger: DynamoLedger
    early_responses: DynamoEarlyResponses
    journeys: DynamoJourneys
    incidents: DynamoIncidents


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Iterator[App]:
    with dynamodb("moto", request) as found:
        make_table(found.client, "JourneysTable", "journeys")
        yield App(
            DynamoLedger(found.client, found.notices),
            DynamoEarlyResponses(found.client, found.notices),
            DynamoJourneys(found.client, "journeys", lambda: NOW),
            DynamoIncidents(found.client, found.incidents),
        )


def a_person(customer: str = "K-1", recipient: str = "") -> Person:
    return Person(DOMAIN, customer, recipient, before=ERASED_AT)


def known(app: App, number: int, **changes: Any) -> Notice:
    """A stored notice of a customer's document."""
    told = {"customer_key": "K-1", "document_id": f"D-{number}", "created_at": BEFORE, **changes}
    notice = a_notice(notice_id=f"{number:032x}", **told)
    assert not app.ledger.put([notice])
    return notice


def paid(customer: str, at: str = BEFORE, document: str = "", key: str = "p") -> EarlyPayment:
    fact = Fact("payment", f"{key}-{customer}-{at}", amount="41.70", currency="USD")
    return EarlyPayment(fact, at, customer, document, "" if document else at)


# --- early responses --------------------------------------------------------------------------------


def early(app: App, person: Person) -> EarlyResponses:
    return EarlyResponses(SimpleNamespace(**vars(app)), person)  # type: ignore[arg-type]


def test_a_response_that_names_the_document_alone_is_shown_and_goes(app: App) -> None:
    known(app, 1)
    known(app, 2, case_id="case-7")
    subjects = (document_alone("D-1"), "case-7", document_alone("D-9"))
    for subject in subjects:
        app.early_responses.keep(DOMAIN, subject, EarlyResponse("responded", "by Vexo", BEFORE), UNTIL)
    assert str(list(early(app, a_person()).held())).count("Vexo") == 2
    assert early(app, a_person()).scrub() == 2
    assert set(app.early_responses.on(DOMAIN, subjects)) == {document_alone("D-9")}


def test_a_document_of_two_customers_is_nobody_s_alone(app: App) -> None:
    known(app, 1)
    known(app, 2, customer_key="K-2", document_id="D-1")
    subject = document_alone("D-1")
    app.early_responses.keep(DOMAIN, subject, EarlyResponse("responded", "by Quilb", BEFORE), UNTIL)
    assert not list(early(app, a_person()).held())
    assert early(app, a_person()).scrub() == 0


def test_of_payments_of_two_customers_on_one_case_each_has_its_own(app: App) -> None:
    known(app, 1, case_id="case-7")
    for customer in ("K-1", "K-2"):
        app.early_responses.keep_payment(DOMAIN, document_alone("D-1"), paid(customer, document="D-1"), UNTIL)
    (shown,) = early(app, a_person()).held()
    assert [p["customer_key"] for p in shown["payments"]] == ["K-1"]
    assert early(app, a_person()).scrub() == 1
    left = app.early_responses.on(DOMAIN, [document_alone("D-1")])[document_alone("D-1")]
    assert [p.customer_key for p in left.payments] == ["K-2"]


def test_a_payment_after_the_erasure_stays_when_the_command_is_given_again(app: App) -> None:
    subject = customer_subject("K-1")
    for at in (BEFORE, AFTER):
        app.early_responses.keep_payment(DOMAIN, subject, paid("K-1", at), UNTIL)
    assert early(app, a_person()).scrub() == 1
    assert [p.at for p in app.early_responses.on(DOMAIN, [subject])[subject].payments] == [AFTER]
    assert early(app, a_person()).scrub() == 0


def test_what_the_account_paid_counts_for_its_other_holders(app: App) -> None:
    known(app, 1, recipient="A")
    known(app, 2, recipient="B")
    subject = customer_subject("K-1")
    app.early_responses.keep_payment(DOMAIN, subject, paid("K-1"), UNTIL)
    for name in ("D-1", "D-2"):
        debt = Debt(f"document {name}\x1f", Decimal("310.20"), "USD", "2026-12-03", NOW)
        app.early_responses.register(DOMAIN, subject, debt)
    (shown,) = early(app, a_person(recipient="A")).held()
    assert [debt["key"] for debt in shown["debts"]] == ["document D-1\x1f"]
    assert early(app, a_person(recipient="A")).scrub() == 1
    left = app.early_responses.on(DOMAIN, [subject])[subject]
    assert left.payments
    assert [debt.key for debt in left.debts] == ["document D-2\x1f"]
    assert early(app, a_person(recipient="A")).scrub() == 0


# --- journeys ---------------------------------------------------------------------------------------


def row_of(notice: Notice, origin: Origin, corrections: int = 0) -> MemberRow:
    member = Member(
        notice.notice_id, origin.position, BEFORE + "+00:00", "2026-12-24", "US-NV", "America/New_York",
        corrections=corrections,
    )  # fmt: skip
    other = replace(member, notice_id="f" * 32)
    return MemberRow("row", "v1", origin.run, origin.slice_number, origin.part, 0, 100, (member, other))


def places_of(app: App) -> list[str]:
    found = list(app.journeys.members(COHORT, 9))
    found += [row for rows in app.journeys.gathered(COHORT, 9).values() for row in rows]
    return [str(m) for row in found for m in row.members if m.notice_id != "f" * 32]


@pytest.mark.parametrize("corrected", [False, True])
def test_a_member_keeps_nothing_of_the_customer_wherever_its_record_is(app: App, corrected: bool) -> None:
    newest = Origin("retail/run-2", 6, 3, "parts/retail/run-2/00000.jsonl", 0, 100)
    notice = known(app, 1, corrections=(Correction(newest, "2026-12-24"),) if corrected else ())
    app.journeys.enrol(COHORT, [row_of(notice, notice.record, len(notice.corrections))])
    assert len(list(journeys(app).held())) == 1
    assert journeys(app).scrub() == 1
    (left,) = places_of(app)
    assert not [word for word in ("2026-12-24", "US-NV", "New_York") if word in left]
    assert "US-NV" in str(app.journeys.members(COHORT, 9))  # the other customer's in the same row
    assert journeys(app).scrub() == 0


def test_nor_does_one_that_waits_for_the_customer_s_other_documents(app: App) -> None:
    notice = known(app, 1)
    row = row_of(notice, notice.origin)
    app.journeys.enrol(COHORT, [replace(row, members=row.members[1:])])
    app.journeys.gather(COHORT, "one", [replace(row, members=row.members[:1])])
    assert [told["notice_id"] for told in journeys(app).held()] == [notice.notice_id]
    assert journeys(app).scrub() == 1
    (left,) = places_of(app)
    assert "New_York" not in left
    assert journeys(app).scrub() == 0


def journeys(app: App) -> Journeys:
    return Journeys(SimpleNamespace(**vars(app)), a_person())  # type: ignore[arg-type]


# --- incidents and dead letters ---------------------------------------------------------------------


def test_an_operator_s_words_about_the_customer_go_from_an_incident(app: App) -> None:
    raised = ExceptionRaised("payment_uncounted", "warning", DOMAIN, "none", "a payment was not counted")
    app.incidents.record("1" * 32, raised, f"{BEFORE}+00:00")
    head = Head("1" * 32, DOMAIN, "none", "collections", "payment_uncounted", version=1)
    for at, why in ((BEFORE, "K-1 called about it"), (BEFORE, "K-12 called too"), (AFTER, "K-1 again")):
        head = noted(head, at, "ann", "acknowledged", why)
    assert app.incidents.save(head)
    (shown,) = incidents(app).held()
    assert "K-1 called" in str(shown)
    assert "K-12" not in str(shown)
    assert incidents(app).scrub() == 1
    left = app.incidents.head("1" * 32)
    assert left is not None
    assert [entry["why"] for entry in left.history] == ["erased", "K-12 called too", "K-1 again"]
    assert incidents(app).scrub() == 0


def incidents(app: App) -> Incidents:
    return Incidents(SimpleNamespace(**vars(app)), a_person())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mine", "told"),
    [
        (True, {"domain": DOMAIN, "customer_key": "K-1"}),
        (True, {"customer_key": "K-1"}),
        (True, {"text": "about K-1"}),
        (True, {"domain": "bank", "customer_key": "K-1", "email": "vexo@example.com"}),
        (False, {"domain": "bank", "customer_key": "K-1"}),
        (False, {"domain": DOMAIN, "customer_key": "K-1", "recipient": "B"}),
        (False, {"domain": DOMAIN, "customer_key": "K-12"}),
    ],
)
def test_a_dead_letter_of_another_domain_or_holder_stays(mine: bool, told: dict[str, str]) -> None:
    person = replace(a_person(), words=("vexo@example.com",))
    assert is_about(json.dumps({"detail": told}), person) == mine
    assert is_about(json.dumps({"Message": json.dumps({"detail": told})}), person) == mine


# --- notices, and what they are found by ------------------------------------------------------------


def test_a_corrected_due_date_goes_from_the_notice() -> None:
    notice = a_notice(corrections=(Correction(Origin(RUN, 1, 2, "p", 0, 1), "2026-12-24"),))
    after = redacted(notice, a_person())
    assert "2026-12-24" not in str(after)
    assert after.record == notice.record
    assert redacted(after, a_person()) is after


def test_a_customer_is_known_by_every_address_and_a_number_with_or_without_its_plus() -> None:
    history = {
        "at": BEFORE,
        "who": "portal",
        "field": "email",
        "from": "old@example.com",
        "to": "new@example.com",
    }
    contact = replace(a_contact(mobile=an_address("+12025550121")), history=(history, {"at": BEFORE}))
    person = with_words(person_of(contact), ["(202) 555-0129", "", "+12025550129"])
    texts = ("to OLD@example.com", "from 12025550121", "+12025550121", "(202) 555-0129", "dest=12025550129")
    assert [text for text in texts if not person.named_in(text)] == []
