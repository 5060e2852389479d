"""Stories of how journeys, collections and expected runs end; everything left is compared with an approved file."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.channels import AlertReceipt, team_mark
from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.debt import BY_OPERATOR, StatusChange, moment
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.due_days import Holidays
from exstream_notify.domain.expectations import ExpectedRun
from exstream_notify.domain.journeys import Cap, Delay, JourneyRule, Step
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.runs import Control
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.expect_runs import expect_runs
from exstream_notify.use_cases.hold_collection import (
    HoldPorts,
    dun_again,
    hold_collection,
    record_account_status,
)
from exstream_notify.use_cases.report_dead_letters import report_dead_letters
from tests.fakes import FakeRules, a_document, a_rule
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import documents, on_shipped_rules, played
from tests.use_cases.world import DOMAIN, World

DEBT: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD",
    "due_date": "2026-12-10",
}  # fmt: skip


def days(number: float) -> datetime:
    return datetime.fromisoformat("2026-11-20T15:00:00+00:00") + timedelta(days=number)


def owing(number: int, **changes: Any) -> Any:
    return a_document(number, **{**DEBT, "customer_in_run": number, **changes})


def hold_ports(world: World) -> HoldPorts:
    return HoldPorts(world.contacts, world.ledger, world.rules, world.exceptions, world.clock)


def test_journeys_that_end_otherwise(approved: SnapshotAssertion) -> None:
    """Capped, cancelled, refused twice, without a channel, on paper by now, and by another rule than they began with."""
    first = JourneyRule(
        "reminder",
        ("statement", "policy"),
        (
            Step(Delay(days=2), channels=("email",), wording="reminder"),
            Step(Delay(days=3), channels=("sms",), wording="second", on_paper="paper"),
            Step(Delay(days=5), end="event"),
        ),
        stops=("opened", "opted_out"),
        cap=Cap(3, 7),
    )
    policy = a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True)
    world = played(a_rule(), policy, journeys=[first])
    kinds = ("statement", "statement", "policy", "statement", "policy", "statement")
    world.drop("run-1", *documents(*kinds, d2={"mobile": None}, d4={"customer_key": "C0001"}))
    world.drop("run-2", a_document(7), a_document(8))
    world.drain()
    world.follow_until(days(1))
    world.change_contact(3, paper_required=True)
    world.change_contact(5, consent=Consent(False, "all", "1", moment(world.clock.now()), "portal"))
    world.text.refuse("+12025550106", GiveUp("no_such_number", "recipient"))
    world.control("run-2", Control.CANCEL)
    world.follow_until(days(2.5))
    world.rules.journey_rules = {"reminder": replace(first, steps=first.steps[:1])}
    world.follow()
    world.check()
    assert remains_of(world) == approved


def test_customers_who_are_not_dunned(approved: SnapshotAssertion) -> None:
    """Account statuses by record, event and in words; an operator's hold, lifted later; a status that nobody knows."""
    world = on_shipped_rules()
    rows = [owing(n) for n in range(1, 8)]
    rows[5] = replace(rows[5], account_status="no such status")
    world.drop("run-1", *rows)
    world.drain()
    world.follow_until(days(2))

    def states(name: str, **about: str) -> None:
        change = StatusChange(DOMAIN, at=moment(world.clock.now()), who=f"event {name}", **about)
        world.answers.append((f"status {name}", record_account_status(change, hold_ports(world))))

    states("1", customer_key="C0001", status="Chapter 7")
    states("1 again", customer_key="C0001", status="Chapter 7")
    states("2", document_id="D0002", status="deceased")
    states("3", customer_key="C0003", said="I am bankrupt")
    states("4", customer_key="C0004", status="curious")
    states("5", document_id="unknown", status="deceased")
    states("6", customer_key="C0005", status="current")
    held = DebtHold((BY_OPERATOR,), moment(world.clock.now()), "operator ann", "an attorney's letter")
    world.answers.append(("hold", str(hold_collection(DOMAIN, "C0006", held, hold_ports(world)))))
    world.follow_until(days(5))
    world.answers.append(("dun again", str(dun_again(DOMAIN, "C0006", "ann", "settled", hold_ports(world)))))
    world.answers.append(("dun again", str(dun_again(DOMAIN, "C0006", "ann", "settled", hold_ports(world)))))
    world.drop(
        "run-2",
        owing(1, document_id="D-1"),
        owing(6, document_id="D-6"),
        owing(7, document_id="D-7", account_status="deceased"),
    )
    world.follow()
    world.check()
    assert remains_of(world) == approved


class Expecting(FakeRules):
    """Rules that expect runs; a calendar of Atlantis fails."""

    def is_day_off(self, holidays: Holidays, day: date) -> bool:
        """See `RunCalendar.is_day_off`."""
        if holidays.country == "XA":
            raise KeyError("Atlantis")
        return day.isoweekday() > 6


def test_runs_that_are_expected(approved: SnapshotAssertion) -> None:
    """One never comes, one comes late, one in time, one twice a day; a rule is wrong, and queues hold dead letters."""
    rules = Expecting(a_rule())
    rules.expected_runs = (
        ExpectedRun("retail", "billing", (time(16),), "UTC", "billing", tolerance_minutes=30),
        ExpectedRun(
            "retail", "cards", (time(9), time(15, 30)), "America/New_York", "cards", tolerance_minutes=60
        ),
    )
    rules.refused_expectations = ("retail loans: no such time zone",)
    world = World(site_rules=rules)
    placed: set[str] = set()

    def until(day: int, hour: int) -> None:
        end = datetime(2026, 11, day, hour, tzinfo=UTC)
        while world.clock.now() < end:
            expect_runs(rules, placed, due=world.due, clock=world.clock)
            world.wait_until(min(end, world.clock.now() + timedelta(hours=1)))

    until(20, 18)
    world.drop("late", a_document(1), app="billing")
    until(21, 15)
    world.drop("in-time", a_document(2), app="billing")
    until(22, 2)
    world.drop("cards", a_document(3), app="cards")
    until(22, 20)
    ports: dict[str, Any] = {"exceptions": world.exceptions, "incidents": world.incidents}
    for depths in ({"send": 3, "decide": 0}, {"send": 0, "decide": 0}):
        world.answers.append(("dead letters", str(report_dead_letters(depths, **ports))))
        world.drain()
    assert remains_of(world, alerts=True) == approved


def test_alerts_that_do_not_arrive(approved: SnapshotAssertion) -> None:
    """A mail with an alert bounces, is delivered, or is reported for a team that nobody knows."""
    world = on_shipped_rules()
    world.channels.answers = {"slack": ChannelAnswer("failed", "gone"), "pagerduty": ChannelAnswer("sent")}
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", *documents("statement"), documents=2)
    world.drain()
    (incident,) = world.incidents.all()

    def reports(outcome: Any, reached: bool | None, number: int = 1, **changes: Any) -> None:
        values = {"channel": "email", "team": team_mark(incident.team), "why": "hard_bounce 5.1.1", **changes}
        world.exceptions.alerts_reported(
            [AlertReceipt(incident.incident_id, number, outcome=outcome, reached=reached, **values)]
        )
        world.drain()

    reports("delivered", reached=True)
    reports("failed", reached=False, team="ffffffff")
    reports("failed", reached=False)
    reports("failed", reached=False)
    reports("failed", reached=None, number=2)
    world.come_to_rest()
    assert remains_of(world, alerts=True) == approved
