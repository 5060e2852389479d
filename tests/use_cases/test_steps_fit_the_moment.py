"""What a journey's step says is true when it leaves, and it goes where the customer is by now."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.links import LinkState
from exstream_notify.domain.messages import TryAgain
from exstream_notify.domain.notices import Status, happened
from exstream_notify.domain.receipts import Kind
from tests.fakes import FakeRules, a_document, a_rule
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

DUNNED: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "amount_due": "100.00", "currency": "USD",
    "due_date": "2026-12-10",
}  # fmt: skip
SOON, OVERDUE, FINAL = (f"step:dunning:{number}" for number in (1, 2, 3))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def follow_closely(world: World, until: str, hours: float = 6) -> None:
    """In small steps, so that what waits is looked at as often as it is day by day."""
    while world.clock.now() < at(until):
        world.follow_until(min(at(until), world.clock.now() + timedelta(hours=hours)))


def said(world: World, document_id: str = "D0001") -> list[tuple[str, str, str, str]]:
    """Day, words, language and address of all that went out about a document, in order."""
    found = []
    for delivered in world.outbox:
        notice = world.ledger.notices[delivered.notice_id]
        when = next(
            e.at for e in notice.events
            if e.what == "claimed" and e.detail.startswith(f"{delivered.attempt} ")
        )  # fmt: skip
        words, language, document, _ = delivered.text.split("|")
        if document == document_id:
            found.append((when[:10], words, language, delivered.to))
    return sorted(found)


def step(world: World, purpose: str) -> tuple[str, str]:
    notice = world.notice("D0001", purpose=purpose)
    return str(notice.status), notice.why


# --- words and dates -------------------------------------------------------------------------------


def _off(world: World) -> None:
    world.off.add("email")


def _on(world: World) -> None:
    world.off.discard("email")


def _unapproved(world: World) -> None:
    world.approved_only = True


def _approved(world: World) -> None:
    world.approved_only = False


@pytest.mark.parametrize(("begins", "ends"), [(_off, _on), (_unapproved, _approved)])
@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("2026-12-08T15:00:00", [("2026-12-08", "payment-due-soon")]),
        ("2026-12-11T03:30:00", [("2026-12-11", "payment-due-soon")]),  # still the 10th in New York
        ("2026-12-11T05:30:00", []),
        ("2026-12-12T15:00:00", []),
    ],
)
def test_due_soon_that_was_held_up_goes_out_until_the_date_and_never_after_it(
    begins: Callable[[World], None], ends: Callable[[World], None], over: str,
    expected: list[tuple[str, str]],
) -> None:  # fmt: skip
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, time_zone="America/New_York", **DUNNED))
    world.follow_until(at("2026-12-07T14:00:00"))
    begins(world)
    follow_closely(world, over)
    ends(world)
    world.follow()

    follow_ups = [(day, words) for day, words, _, _ in said(world)][1:]
    assert follow_ups[:-2] == expected
    assert follow_ups[-2:] == [("2026-12-14", "overdue-notice"), ("2026-12-31", "final-demand")]
    if not expected:
        assert step(world, SOON) == ("suppressed", "past_date")
    world.check()


def test_due_soon_that_an_outage_held_up_ends_when_its_date_is_past() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **DUNNED))
    world.follow_until(at("2026-12-07T14:00:00"))
    world.mail.always(TryAgain("down"))
    follow_closely(world, "2026-12-12T15:00:00")
    world.mail.always(None)
    world.follow()
    assert [words for _, words, _, _ in said(world)][1:] == ["overdue-notice", "final-demand"]
    assert step(world, SOON) == ("suppressed", "past_date")


def test_due_soon_on_a_send_queue_until_its_date_is_past_is_not_sent() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **DUNNED))
    world.follow_until(at("2026-12-07T14:00:00"))
    world.sweep_journeys()
    world.clock.move_to(at("2026-12-07T15:00:00"))
    world.executions.wake(world.clock.now(), world.advance)
    while not world.queues["email"].messages:
        assert world.step()
    world.clock.move_to(at("2026-12-11T15:00:00"))
    world.drain()
    assert len(world.outbox) == 1
    assert step(world, SOON) == ("suppressed", "past_date")


def test_due_soon_that_waits_for_the_morning_ends_when_the_morning_is_too_late() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, email=None, **DUNNED))
    world.follow_until(at("2026-12-07T14:00:00"))
    world.text.always(TryAgain("down"))
    follow_closely(world, "2026-12-11T03:00:00")  # 22:00 of the 10th in New York: its window is closed
    world.text.always(None)
    world.follow()
    assert [words for _, words, _, _ in said(world)][1:] == ["overdue-notice", "final-demand"]
    assert step(world, SOON) == ("suppressed", "past_date")


@pytest.mark.parametrize("kind", [Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE])
def test_a_due_soon_that_bounces_after_the_date_has_no_second_channel(kind: Kind) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **DUNNED))
    world.follow_until(at("2026-12-08T15:00:00"))
    world.clock.move_to(at("2026-12-11T15:00:00"))
    world.report(world.receipt(world.outbox[1], kind))
    world.drain()
    assert [d.channel for d in world.outbox] == ["email", "email"]
    assert world.notice("D0001", purpose=SOON).waiting == ()


def test_a_step_that_bounces_after_the_customer_paid_has_no_second_channel() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **DUNNED))
    world.follow_until(at("2026-12-08T15:00:00"))
    first = world.notice("D0001")
    assert not world.ledger.put([happened(first, world.clock.now(), "paid", responses=("paid",))])
    world.report(world.receipt(world.outbox[1], Kind.HARD_BOUNCE))
    world.drain()
    assert [d.channel for d in world.outbox] == ["email", "email"]
    assert not [e for e in world.exceptions.raised if e.code == "unreached"]
    assert step(world, SOON)[0] == "bounced", "what became of it stays so"


# --- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2027-01-18T15:30:00", LinkState.READY),
        ("2027-01-20T15:30:00", LinkState.READY),  # 61 days after the notice; due soon went out on the 14th
        ("2027-03-14T15:30:00", LinkState.READY),
        ("2027-04-10T14:30:00", LinkState.READY),
        ("2027-04-10T15:30:00", LinkState.EXPIRED),  # 60 days after the last step, of the 9th of February
    ],
)
def test_a_step_prolongs_the_link_that_it_sends(day: str, state: LinkState) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **{**DUNNED, "due_date": "2027-01-20"}))
    world.drain()
    world.follow_until(at(day))
    first = world.notice("D0001")
    assert all(first.notice_id in d.text for d in world.outbox), "a step sends the first notice's link"
    assert world.look(first.notice_id).state == state


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"link_revoked": "sent to another person"}, LinkState.REVOKED),
        ({"superseded_by": "D0002"}, LinkState.SUPERSEDED),
    ],
)
def test_a_step_does_not_bring_back_a_link_that_was_taken_away(
    changes: dict[str, str], state: LinkState
) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, **{**DUNNED, "due_date": "2027-01-20"}))
    world.follow_until(at("2027-01-18T15:30:00"))
    first = world.notice("D0001")
    assert not world.ledger.put([happened(first, world.clock.now(), "changed", **changes)])
    world.clock.move_to(at("2027-01-25T15:30:00"))
    assert world.look(first.notice_id).state == state


def test_a_step_that_never_went_out_prolongs_nothing() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, **{**DUNNED, "due_date": "2027-01-20"}))
    world.drain()
    world.follow_until(at("2027-01-10T15:30:00"))
    world.off.add("email")
    follow_closely(world, "2027-01-20T15:30:00")
    assert world.look(world.notice("D0001").notice_id).state == LinkState.EXPIRED


# --- who the customer is by now --------------------------------------------------------------------

OTHER = {"document_id": "Z1", "document_type": "invoice"}


@pytest.mark.parametrize(
    ("record", "later", "own", "expected"),
    [
        ("en", None, None, "en"),
        ("en", "de", None, "de"),  # a later record
        ("en", None, "fr", "fr"),  # the customer's own word
        ("en", "de", "fr", "fr"),
        (None, "de", None, "de"),
    ],
)
def test_a_step_speaks_the_customers_present_language(
    record: str | None, later: str | None, own: str | None, expected: str
) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, language=record, **DUNNED))
    world.follow_until(at("2026-11-30T15:00:00"))
    if own:
        world.change_contact(1, language=own, set_by_customer=("language",))
    if later:
        world.drop("run-2", a_document(1, language=later, mobile=None, **OTHER))
    world.follow_until(at("2026-12-08T15:00:00"))
    assert said(world)[-1][1:3] == ("payment-due-soon", expected)


def test_a_step_goes_to_the_address_of_a_later_record_and_to_the_customers_own_before_that() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None, email="old@example.com", **DUNNED))
    world.follow_until(at("2026-11-30T15:00:00"))
    world.drop("run-2", a_document(1, mobile=None, email="new@example.com", **OTHER))
    world.follow_until(at("2026-12-08T15:00:00"))
    assert said(world)[-1][3] == "new@example.com"
    known = world.contacts.stored["retail", "C0001"].email
    assert known is not None
    own = replace(known, value="own@example.com", given="own@example.com")
    world.change_contact(1, email=own, set_by_customer=("email",))
    world.follow_until(at("2026-12-15T15:00:00"))
    assert said(world)[-1][1::2] == ("overdue-notice", "own@example.com")


def test_a_step_never_goes_to_the_address_of_another_persons_record() -> None:
    world = shipped()
    ann = {"first_name": "Ann", "last_name": "Smith", "email": "ann@example.com", "mobile": None}
    bob = {"first_name": "Bob", "last_name": "Jones", "email": "bob@example.com", "mobile": None}
    world.drop("run-1", a_document(1, **ann, **DUNNED))
    world.follow_until(at("2026-11-30T15:00:00"))
    world.drop("run-2", a_document(1, **bob, **OTHER))
    world.follow_until(at("2026-12-08T15:00:00"))
    assert said(world)[-1][1::2] == ("payment-due-soon", "ann@example.com")


def test_a_step_follows_the_customers_present_channel_order() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, delivery_channel="email", **DUNNED))
    world.follow_until(at("2026-11-30T15:00:00"))
    world.change_contact(1, channel_order=("sms", "email"), set_by_customer=("channel_order",))
    world.follow_until(at("2026-12-08T15:00:00"))
    assert [d.channel for d in world.outbox] == ["email", "sms"]


# --- paper and missing channels --------------------------------------------------------------------


def a_journey(**changes: Any) -> World:
    """A journey of two e-mails and an end, on a type that knows both channels."""
    journey = JourneyRule(
        "reminder",
        ("statement",),
        (
            Step(Delay(days=7), channels=("email",), wording="reminder", **changes),
            Step(Delay(days=14), channels=("email",), wording="last-call", **changes),
            Step(Delay(days=21), end="event"),
        ),
        stops=("paid",),
    )
    return World(site_rules=FakeRules(a_rule(), journeys=(journey,)))


def outcomes(world: World) -> list[tuple[str, str]]:
    return [step(world, f"step:reminder:{number}") for number in (1, 2)]


@pytest.mark.parametrize(
    ("turned", "why"),
    [({"paper_required": True}, "paper_required"), ({"consent": "withdrawn"}, "consent_withdrawn")],
)
@pytest.mark.parametrize(("on_paper", "status"), [("skip", Status.SUPPRESSED), ("paper", Status.PAPER)])
def test_a_step_for_a_customer_who_gets_paper_by_now_follows_its_rule(
    turned: dict[str, Any], why: str, on_paper: str, status: Status
) -> None:
    world = a_journey(on_paper=on_paper)
    world.drop("run-1", a_document(1))
    world.drain()
    if "consent" in turned:
        turned = {"consent": Consent(False, "all", "1", "2026-11-21T00:00:00+00:00", "portal")}
    world.change_contact(1, **turned)
    world.follow()
    assert outcomes(world) == [(status, why)] * 2
    assert [e["document_id"] for e in world.journey_events.told] == ["D0001"], "the end comes all the same"
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_step_on_a_channel_that_the_customer_lacks_uses_the_types_other_one() -> None:
    world = a_journey()
    world.drop("run-1", a_document(1, email=None))
    world.follow()
    assert [d.channel for d in world.outbox] == ["sms"] * 3
    assert not [e for e in world.exceptions.raised if e.code == "no_channel"]


def test_a_steps_own_channel_comes_before_the_types_other_one_whatever_the_customers_order() -> None:
    world = a_journey()
    world.drop("run-1", a_document(1))
    world.drain()
    world.change_contact(1, channel_order=("sms", "email"))
    world.follow_until(at("2026-11-27T16:30:00"))
    assert world.outbox[-1].channel == "email"
    world.report(world.receipt(world.outbox[-1], Kind.HARD_BOUNCE))
    world.follow()
    assert [d.channel for d in world.outbox if "reminder" in d.text or "last" in d.text] == [
        "email", "sms", "sms",
    ]  # fmt: skip


def test_a_rule_can_skip_customers_without_the_steps_channel_and_nothing_is_reported() -> None:
    world = a_journey(without_channel="skip")
    world.drop("run-1", a_document(1, email=None))
    world.follow()
    assert outcomes(world) == [("suppressed", "no_channel")] * 2
    assert not [e for e in world.exceptions.raised if e.code == "no_channel"]


@pytest.mark.parametrize("message_class", ["transactional", "regulated"])
def test_a_customer_whom_no_step_reaches_is_reported_once_a_journey(message_class: Any) -> None:
    world = a_journey()
    world.rules.rules["statement"] = a_rule(message_class=message_class)
    world.drop("run-1", a_document(1, mobile=None), a_document(2, mobile=None))
    world.follow_until(at("2026-11-26T15:00:00"))
    gone = replace(world.contacts.stored["retail", "C0001"].email, status="invalid")  # type: ignore[type-var]
    world.change_contact(1, email=gone)
    world.follow_until(at("2026-12-02T15:00:00"))
    world.change_contact(2, email=replace(gone, value="c0002@example.com", given="c0002@example.com"))
    world.follow()
    reported = [e for e in world.exceptions.raised if e.code in ("no_channel", "required_unreached")]
    assert [e.count for e in reported] == [1, 1], "each customer once, and not again at the next step"
