"""Stories of journeys, payments and erasure, with everything that they leave compared with an approved file."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.documents import Document
from exstream_notify.domain.journeys import Cap, Delay, JourneyRule, Step
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.receipts import Kind
from exstream_notify.use_cases.control_journeys import (
    resume_journey,
    resume_notices,
    resume_run,
    stop_journey,
    stop_notices,
    stop_run,
)
from tests.fakes import a_document, a_rule
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import documents, on_shipped_rules, played
from tests.use_cases.world import World

DEBT: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD",
    "due_date": "2026-12-10",
}  # fmt: skip
REMINDER = JourneyRule(
    "reminder",
    ("statement", "case"),
    (
        Step(Delay(days=7), channels=("sms", "email"), wording="reminder"),
        Step(Delay(days=9), channels=("email",), wording="last-call"),
        Step(Delay(days=21), end="case", team="care"),
    ),
    stops=("opened", "responded", "acknowledged", "opted_out"),
    cap=Cap(2, 7),
)
PRINTED = replace(REMINDER, name="printed", documents=("policy",), steps=(Step(Delay(days=3), end="paper"),))
RULES = (
    a_rule(),
    a_rule(name="case", wording="case"),
    a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True),
)


def owing(number: int, **changes: Any) -> Document:
    return a_document(number, **{**DEBT, "customer_in_run": number, **changes})


def days(number: float) -> datetime:
    return datetime.fromisoformat("2026-11-20T15:00:00+00:00") + timedelta(days=number)


def responds(world: World, kind: Any, number: int, **more: str) -> None:
    about = {"customer_key": f"C{number:04d}", "document_id": f"D{number:04d}"}
    world.respond(kind, **{**about, **more})


def test_the_silent_are_reminded(approved: SnapshotAssertion) -> None:
    """Of nine: opened, answered the case, acknowledged, opted out, refused, stopped and resumed, silent, printed."""
    world = played(*RULES, journeys=[REMINDER, PRINTED])
    kinds = (
        "statement",
        "statement",
        "case",
        "statement",
        "statement",
        "statement",
        "statement",
        "policy",
        "policy",
    )
    world.drop("run-1", *documents(*kinds, d3={"case_id": "K-3"}, d8={"requires_ack": True}))
    world.drain()
    world.follow_until(days(1))
    responds(world, "opened", 2)
    responds(world, "acknowledged", 8, by="ann", at="2026-11-21T09:00:00+00:00")
    responds(world, "acknowledged", 8, by="ann", at="2026-11-21T09:00:00+00:00")
    world.respond("responded", case_id="K-3", said="we look into it", event_id="event 1")
    world.respond("responded", case_id="K-NONE", event_id="event 2")
    world.respond("opened", customer_key="C0999", document_id="D0999")
    world.text.refuse("+12025550105", GiveUp("no_such_number", "recipient"))
    stop_notices([world.notice("D0006")], "ann", "a complaint", ledger=world.ledger, clock=world.clock)
    world.change_contact(4, opt_outs={"statements": ("email", "sms")})
    world.follow_until(days(8))
    ports: dict[str, Any] = {
        "ledger": world.ledger,
        "journeys": world.journeys,
        "rules": world.rules,
        "clock": world.clock,
    }
    resume_notices([world.notice("D0006")], "ann", "settled", **ports)
    world.follow_until(days(9))
    responds(world, "responded", 6)
    world.follow()
    world.check()
    assert remains_of(world) == approved


def test_runs_and_journeys_are_stopped(approved: SnapshotAssertion) -> None:
    """A run's journeys are stopped and go on later; a journey is switched off for two days."""
    world = played(*RULES, journeys=[REMINDER])
    world.drop("run-1", *documents("statement", "statement"))
    world.drop("run-2", a_document(3))
    world.drain()
    book: dict[str, Any] = {"journeys": world.journeys, "clock": world.clock}
    stop_run("retail/run-1", "ann", "wrong letters", **book)
    world.follow_until(days(8))
    resume_run("retail/run-1", "bob", "right after all", rules=world.rules, **book)
    stop_journey("reminder", "ann", "too many calls", **book)
    world.follow_until(days(10))
    resume_journey("reminder", "ann", "calm again", **book)
    world.follow()
    world.check()
    assert remains_of(world) == approved


def test_dunning(approved: SnapshotAssertion) -> None:
    """On the rules that ship: digests, payments in part, whole, too much, taken back, and corrected due dates."""
    world = on_shipped_rules()
    world.drop(
        "run-1",
        owing(1), owing(2, customer_key="C0001", amount_due="20.50"), owing(3), owing(4), owing(5, due_date=None),
        owing(6, account_status="paid"), owing(7, email=None, mobile=None),
        owing(8, amount_due="0.00"), owing(9, amount_due="-5.00"),
    )  # fmt: skip
    world.drain()
    world.follow_until(days(3))
    responds(world, "paid", 3, amount="40.00", currency="USD", payment_id="P-3", event_id="event 1")
    responds(world, "paid", 3, amount="40.00", currency="USD", payment_id="P-3", event_id="event 1")
    world.drop("run-2", owing(4, due_date="2027-01-20", amount_due="90.00"))
    world.follow_until(days(18))
    world.respond(
        "paid", customer_key="C0001", amount="110.00", currency="USD", payment_id="P-1", event_id="event 2"
    )
    responds(world, "paid", 3, amount="60.00", currency="EUR", payment_id="P-4", event_id="event 3")
    world.follow_until(days(26))
    responds(world, "paid", 3, amount="60.00", currency="USD", payment_id="P-5", event_id="event 4")
    responds(world, "paid", 4, amount="40.00", currency="USD", reversal_of="P-9", event_id="event 5")
    world.follow()
    responds(world, "paid", 3, amount="60.00", currency="USD", reversal_of="P-5", event_id="event 6")
    world.follow()
    world.check()
    assert remains_of(world) == approved


def test_payments_before_their_notice(approved: SnapshotAssertion) -> None:
    """Customers pay before the run comes, in part or whole, or without naming a document; one account is on hold."""
    world = on_shipped_rules()
    responds(world, "paid", 1, amount="100.00", currency="USD", payment_id="P-1", event_id="event 1")
    responds(world, "paid", 2, amount="30.00", currency="USD", payment_id="P-2", event_id="event 2")
    world.respond(
        "paid", customer_key="C0003", amount="150.00", currency="USD", payment_id="P-3", event_id="event 3"
    )
    world.drop(
        "run-1",
        owing(1), owing(2), owing(3), owing(4, customer_key="C0003", due_date="2026-12-20"),
        owing(5, account_status="deceased"), owing(6),
    )  # fmt: skip
    world.drain()
    world.follow_until(days(20))
    world.drop("run-2", owing(6, document_id="D-NEXT", account_status="Chapter 7"))
    world.follow()
    world.check()
    assert remains_of(world) == approved


def test_erased(approved: SnapshotAssertion) -> None:
    """Customers are erased whose notices wait, are in doubt, follow up, are reported, or come again."""
    world = played(*RULES, journeys=[REMINDER], at="2026-11-20T03:30:00+00:00")
    kinds = ("statement", "statement", "policy", "statement", "statement", "case")
    world.drop("run-1", *documents(*kinds, d1={"email": None}, d6={"case_id": "K-6", "recipient": "joint"}))
    world.mail.script(TryAgain("unavailable"), TryAgain("unavailable"), TryAgain("unavailable"))
    world.drain()
    bounced = world.receipt(world.outbox[-1], Kind.HARD_BOUNCE)
    for number, recipient in ((1, ""), (2, ""), (4, ""), (6, "joint")):
        world.erase(number, recipient)
    world.report(bounced)
    world.wait_until(days(1))
    world.respond("responded", case_id="K-6", event_id="event 1")
    world.drop("run-2", a_document(1), a_document(2, document_id="D-NEW"))
    world.follow()
    world.check()
    assert remains_of(world) == approved
