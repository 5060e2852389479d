"""Two holders of one account: their contacts, notices, reminders and answers are their own."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.notices import Notice, Response, chain_holds
from exstream_notify.domain.receipts import Kind
from tests.fakes import FakeRules, a_document, a_rule, an_address

from .world import DOMAIN, World

AT = "2026-11-20T15:00:00+00:00"
JOURNEY = JourneyRule(
    "reminder",
    ("statement",),
    (Step(Delay(days=7), channels=("email",), wording="reminder"),),
    stops=("responded", "paid", "acknowledged"),
)


def held_by(recipient: str | None, email: str, document_id: str = "D1") -> Document:
    """One holder's record of the shared account."""
    return a_document(1, document_id=document_id, recipient=recipient, email=email, mobile=None)


def a_world() -> World:
    return World(site_rules=FakeRules(a_rule(), journeys=(JOURNEY,)))


def after(days: float) -> datetime:
    return datetime.fromisoformat(AT) + timedelta(days=days)


def of(world: World, recipient: str) -> Notice:
    """The first notice of a holder."""
    return next(
        n for n in world.ledger.notices.values() if n.recipient == recipient and n.purpose == "notice"
    )


def reminded(world: World) -> list[str]:
    """Where reminders went."""
    notices = world.ledger.notices
    return sorted(d.to for d in world.outbox if notices[d.notice_id].purpose != "notice")


def two_holders() -> World:
    world = a_world()
    world.drop("run-1", held_by("1", "ana@example.com"), held_by("2", "ben@example.com"))
    world.follow_until(after(1))
    return world


def test_each_holder_is_notified_and_reminded_at_their_own_address() -> None:
    world = two_holders()
    world.follow_until(after(8))

    assert world.told() == ["ana@example.com"] * 2 + ["ben@example.com"] * 2
    assert reminded(world) == ["ana@example.com", "ben@example.com"]
    assert all(chain_holds(n) for n in world.ledger.notices.values())
    assert {n.recipient for n in world.ledger.notices.values()} == {"1", "2"}


@pytest.mark.parametrize(
    ("kind", "by", "still_reminded"),
    [
        ("responded", "1", ["ben@example.com"]),
        ("responded", "", ["ana@example.com", "ben@example.com"]),
        ("acknowledged", "2", ["ana@example.com"]),
        ("paid", "", []),
        ("paid", "1", []),
    ],
)
def test_an_answer_is_its_givers_and_a_payment_the_accounts(
    kind: Response, by: str, still_reminded: list[str]
) -> None:
    world = two_holders()
    world.respond(kind, customer_key="C0001", document_id="D1", recipient=by)
    world.follow_until(after(8))

    assert reminded(world) == still_reminded


def test_an_answer_without_a_name_is_the_only_recipients() -> None:
    world = a_world()
    world.drop("run-1", held_by("1", "ana@example.com"))
    world.follow_until(after(1))
    world.respond("responded", customer_key="C0001", document_id="D1")
    world.follow_until(after(8))

    assert reminded(world) == []


def test_a_bounce_marks_the_holder_whose_mail_it_was() -> None:
    world = two_holders()
    bounced = next(d for d in world.outbox if d.to == "ben@example.com")
    world.report(world.receipt(bounced, Kind.HARD_BOUNCE))
    world.follow_until(after(2))

    contacts = {c.recipient: c for c in world.contacts.stored.values()}
    assert contacts["1"].email == an_address("ana@example.com")
    assert contacts["2"].email is not None
    assert contacts["2"].email.status == "invalid"


def test_a_step_goes_where_its_customer_is_by_now() -> None:
    world = a_world()
    world.drop("run-1", held_by(None, "old@example.com"))
    world.follow_until(after(1))
    contact = world.contacts.stored[DOMAIN, "C0001"]
    world.know(replace(contact, version=contact.version + 1, email=an_address("new@example.com")))
    world.follow_until(after(8))

    assert reminded(world) == ["new@example.com"]


def test_a_step_of_a_customer_who_was_erased_goes_nowhere() -> None:
    world = a_world()
    world.drop("run-1", held_by(None, "old@example.com"))
    world.follow_until(after(1))
    del world.contacts.stored[DOMAIN, "C0001"]
    world.follow_until(after(8))

    assert reminded(world) == []


def test_the_same_document_again_is_each_holders_duplicate() -> None:
    world = two_holders()
    world.drop("run-2", held_by("2", "ben@example.com"), held_by("3", "eve@example.com"))
    world.follow_until(after(2))

    assert world.outcomes("run-2") == {"duplicate": 1, "notified": 1}
    assert of(world, "3").document_id == "D1"
