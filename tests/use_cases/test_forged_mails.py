"""Mails that anybody can send: whatever stands in them, and however often they come, they change nothing."""

import json
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.receipts.mails import Phrases
from exstream_notify.adapters.receipts.reading import ReceiptReader, ReceiptUnusable
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.identity import notice_id
from exstream_notify.domain.links import make_token
from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind, released
from exstream_notify.domain.references import LIFE, made, verified
from exstream_notify.use_cases.record_receipts import record_receipts
from tests.fakes import FakeProvider, a_document
from tests.receipts.bounce_mails import BOUNCES, OTHERS, REFERENCE, dsn

from .world import DOMAIN, World

KEYS = {1: b"the key of the references"}
PHRASES = Phrases()
VERDICTS = YamlRules().verdicts
SHAPES = {name: mail for name, mail, _ in (*BOUNCES, *OTHERS)}
ADDRESS = "c100001@example.com"
"""Whom every one of these mails is about."""

OTHERS_IN_A_REPORT = "".join(
    f"\n\nFinal-Recipient: rfc822; c{n:04d}@example.com\nAction: failed\nStatus: 5.1.1\n" for n in range(1, 9)
)


def written(shape: str, reference: str, address: str) -> bytes:
    """A mail of that shape that brings back this reference, also in the address that it went to."""
    mail = SHAPES[shape].replace(REFERENCE, reference).replace(ADDRESS, address)
    return mail.replace("To: notices@example.com", f"To: bounces+{reference}@example.com").encode()


def received(world: World, mail: bytes, name: str = "mail/1.eml") -> Counter[str]:
    """A mail lands in its bucket, and all that follows happens; what it counted as."""
    reader = ReceiptReader(
        PHRASES,
        VERDICTS,
        lambda bucket, key: mail,
        lambda *_: "",
        lambda raw: verified(raw, KEYS),
        world.clock.now,
    )
    where = {"bucket": {"name": "mails"}, "object": {"key": name}}
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": where}
    try:
        receipts = reader.read(json.dumps(event), "sqs:1")
    except ReceiptUnusable:
        return Counter(unread=1)
    counts = record_receipts(receipts, **world.receipt_ports())
    world.drain()
    return counts


def state(world: World) -> Any:
    """All that a mail could change for a customer."""
    return deepcopy(
        (
            world.ledger.notices, world.contacts.stored, world.suppressions.stored, world.early.kept,
            sorted(world.ledger.due_at), world.watch.watched, world.reputation.counts, world.outbox,
            world.receipt_evidence.objects, list(world.runs.outcomes(DOMAIN, "run-1")),
            {name: len(queue.messages) for name, queue in world.queues.items()},
        )
    )  # fmt: skip


def a_world(**ways: str) -> World:
    """Two customers whose e-mail was sent, one of whom got an SMS, too, and one whose was sent long ago."""
    world = World()
    world.providers_by_channel.update(ways)  # type: ignore[arg-type]
    world.drop("old", a_document(3))
    world.drain()
    world.clock.advance(days=LIFE.days, hours=1)
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    world.report(world.receipt(of(world, 2), Kind.HARD_BOUNCE))
    world.drain()
    return world


def of(world: World, number: int) -> Any:
    """The e-mail of a customer."""
    return next(d for d in world.outbox if d.to == f"c{number:04d}@example.com")


def reference(world: World, number: int, attempt: int = 1, key: bytes = KEYS[1]) -> str:
    """What the e-mail of a customer carries."""
    return made(of(world, number).notice_id, attempt, 1, key)


@cache
def untouched() -> tuple[World, Any]:
    """A world that no forged mail may change, so that one does for all of them."""
    world = a_world()
    return world, state(world)


@st.composite
def forged(draw: st.DrawFn) -> bytes:
    """A mail that anybody could send, or that says more than the bearer of its reference may say."""
    world, _ = untouched()
    victim = of(world, 1)
    computed = notice_id(DOMAIN, "C0001", "D0001", document_type="statement")
    assert computed == victim.notice_id, "whoever knows a document's data can compute its notice"
    place = draw(st.integers(2, len(reference(world, 1)) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
    tampered = reference(world, 1)[:place] + letter + reference(world, 1)[place + 1 :]
    invented = made(draw(st.binary(min_size=16, max_size=16)).hex(), draw(st.integers(1, 9)), 1, KEYS[1])
    other_key = reference(world, 1, key=draw(st.binary(min_size=1, max_size=9)))
    anybodys = ["", "x", f"{computed}:1", computed, "incident-1:1", other_key, invented,
                tampered if tampered != reference(world, 1) else "", make_token(computed, 1, KEYS[1]),
                reference(world, 1, 3), reference(world, 2, 2), reference(world, 3)]  # fmt: skip
    shape = draw(st.sampled_from(sorted(SHAPES)))
    if draw(st.booleans()):
        return written(shape, draw(st.sampled_from(anybodys)), f"c{draw(st.integers(1, 3)):04d}@example.com")
    # A genuine reference, and another address, or nobody's.
    whose = draw(st.sampled_from([1, 2]))
    address = draw(st.sampled_from([f"c{3 - whose:04d}@example.com", "c0003@example.com", "x@example.net"]))
    return written(shape, reference(world, whose), address)


@given(forged())
@settings(max_examples=1_000, deadline=None)
def test_a_thousand_forged_mails_change_nothing(mail: bytes) -> None:
    world, before = untouched()
    counts = received(world, mail)
    assert state(world) == before
    assert not +counts or set(+counts) <= {"unproven", "unread"}


@given(forged(), st.integers(2, 30))
@settings(max_examples=30, deadline=None)
def test_nor_does_one_that_comes_again_and_again(mail: bytes, times: int) -> None:
    world, before = untouched()
    for number in range(times):
        received(world, mail, f"mail/{number}.eml")
    assert state(world) == before


def test_a_report_about_many_counts_for_the_one_that_its_reference_names() -> None:
    world = a_world()
    before = state(world)
    many = dsn(diagnostic="smtp; 550 5.1.1 no such user" + OTHERS_IN_A_REPORT).replace(
        ADDRESS, "x@example.net"
    )
    named = many.replace(REFERENCE, reference(world, 1)).encode()
    assert received(world, many.encode()) == {"unproven": 9, "repeated": 0, "unmatched": 0}
    assert state(world) == before
    counts = received(world, named)
    assert (counts["hard_bounce"], counts["unproven"]) == (1, 8)
    assert world.notice("D0001").attempts[0].status == Status.BOUNCED
    assert {key for key in world.suppressions.stored if world.suppressions.stored[key].reason} == {
        ("email", "hash of email:c0001@example.com"),
        ("email", "hash of email:c0002@example.com"),  # its provider said so
    }
    assert world.contacts.stored[DOMAIN, "C0003"].email.status == "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", sorted(SHAPES.keys() - {"read-receipt"}))  # that one names nobody
def test_a_mail_that_proves_what_it_says_counts(shape: str) -> None:
    world = a_world()
    counts = received(world, written(shape, reference(world, 1), "c0001@example.com"))
    assert not counts["unproven"], "its reference came back, and its address is the message's"
    world.check()


@st.composite
def again(draw: st.DrawFn) -> str:
    """The same mail in other words, at another time, about others, too."""
    code, words = draw(st.sampled_from([("5.1.1", "user unknown"), ("5.1.10", "does not exist")]))
    more = draw(st.sampled_from(["", OTHERS_IN_A_REPORT.replace("c0001@example.com", "x@example.net")]))
    day = draw(st.integers(10, 28))
    human = draw(st.text("abc \n", max_size=40))
    mail = dsn(status=code, diagnostic=f"smtp; 550 {code} {words}{more}", human=human)
    return mail.replace("20 Nov 2026", f"{day} Dec 2026").replace(ADDRESS, "c0001@example.com")


@cache
def bounced() -> tuple[World, Any]:
    """A world in which a mail said once, and proved, that an address does not exist; then it was released."""
    world = a_world()
    first = dsn().replace(ADDRESS, "c0001@example.com").replace(REFERENCE, reference(world, 1))
    assert received(world, first.encode())["hard_bounce"] == 1
    assert [a.channel for a in world.notice("D0001").attempts] == ["email", "sms"]
    place = ("email", "hash of email:c0001@example.com")
    world.clock.advance(hours=2)
    lifted = released(world.suppressions.stored[place], "operator", "called", world.clock.now())  # type: ignore[index]
    world.suppressions.stored[place] = lifted  # type: ignore[index]
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.email is not None
    world.change_contact(1, email=replace(contact.email, status="ok", why=""))
    world.clock.advance(days=2)
    return world, state(world)


@given(again(), st.integers(0, 10_000))
@settings(max_examples=300, deadline=None)
def test_a_proven_mail_changes_nothing_the_second_time(mail: str, number: int) -> None:
    world, before = bounced()
    counts = received(world, mail.replace(REFERENCE, reference(world, 1)).encode(), f"mail/{number}.eml")
    assert state(world) == before
    assert counts["repeated"] == 1


@pytest.mark.parametrize("shape", ["rfc3464-full", "rfc3464-unknown", "complaint"])
def test_nothing_about_a_message_from_before_a_release_marks_the_address_again(shape: str) -> None:
    world = a_world()
    refused = written("rfc3464-policy", reference(world, 1), "c0001@example.com")
    assert received(world, refused)["policy_refused"] == 1
    place: Any = ("email", "hash of email:c0001@example.com")
    world.report(world.receipt(of(world, 1), Kind.SOFT_BOUNCE))
    world.drain()
    world.clock.advance(hours=2)
    world.suppressions.stored[place] = released(
        world.suppressions.stored[place], "operator", "called", world.clock.now()
    )
    contact = world.contacts.stored[DOMAIN, "C0001"]
    world.change_contact(1, email=replace(contact.email, status="ok", why=""))  # type: ignore[type-var]
    world.clock.advance(hours=2)
    received(world, written(shape, reference(world, 1), "c0001@example.com"), "mail/2.eml")
    assert world.contacts.stored[DOMAIN, "C0001"].email.status == "ok"  # type: ignore[union-attr]
    assert not world.suppressions.stored[place].in_force(world.clock.now())


def test_a_mail_that_comes_again_after_the_deadline_decides_nothing_anew() -> None:
    world = World()
    world.drop("run-1", a_document(1, mobile=None))
    world.drain()
    mail = written("rfc3464-unknown", reference(world, 1), "c0001@example.com")
    assert received(world, mail)["hard_bounce"] == 1
    assert world.outcomes("run-1") == {"failed": 1}
    for _ in range(3):
        world.clock.advance(days=4)
        before = state(world), len(world.exceptions.raised)
        assert received(world, mail)["repeated"] == 1
        assert (state(world), len(world.exceptions.raised)) == before


def test_softly_one_attempt_fails_once_however_many_mails_say_so() -> None:
    world = a_world()
    for number in range(12):
        full = dsn(status="4.2.2", diagnostic=f"smtp; 452 4.2.2 over quota, try {number}")
        received(
            world, full.replace(ADDRESS, "c0001@example.com").replace(REFERENCE, reference(world, 1)).encode()
        )
        world.clock.advance(hours=1)
    entry = world.suppressions.stored["email", "hash of email:c0001@example.com"]
    assert (len(entry.failures), entry.reason) == (1, "")


def test_a_failure_that_ses_reports_outranks_a_mails() -> None:
    world = World()
    world.providers["ses"] = FakeProvider("ses", world.clock)
    world.providers_by_channel["email"] = "ses"
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    soon = world.clock.now() + timedelta(minutes=1)
    for number in (1, 2):
        refused = world.receipt(of(world, number), Kind.POLICY_REFUSED, at=soon.isoformat())
        mail = written("rfc3464-unknown", reference(world, number), f"c{number:04d}@example.com")
        if number == 1:
            world.report(refused)
            world.drain()
            before = state(world)
            world.clock.advance(hours=1)
            assert received(world, mail)["outranked"] == 1
            assert state(world) == before
        else:
            assert received(world, mail)["hard_bounce"] == 1
            world.report(refused)
            world.drain()
        assert world.notice(f"D{number:04d}").attempts[0].status == Status.UNDELIVERED
    # What the second mail led to before SES spoke stays: the address is listed.
    assert world.suppressions.stored["email", "hash of email:c0002@example.com"].reason == "hard"
    assert world.told("sms") == ["+12025550101", "+12025550102"]
    world.check()


@pytest.mark.parametrize("front", ["an invented", "a tampered"])
def test_a_reference_of_nobody_in_front_hides_no_genuine_one(front: str) -> None:
    world = a_world()
    genuine = reference(world, 1)
    nobodys = made("ab" * 16, 1, 1, b"x") if front == "an invented" else "nraaaa" + genuine[6:]
    mail = dsn().replace(REFERENCE, genuine).replace(ADDRESS, "c0001@example.com")
    mail = mail.replace("To: notices@example.com", f"To: bounces+{nobodys}@example.com", 1)
    assert received(world, mail.encode())["hard_bounce"] == 1


@pytest.mark.parametrize(
    ("action", "status"), [("delivered", "2.0.0"), ("delayed", "4.4.1"), ("relayed", "2.0.0")]
)
def test_a_delivery_of_what_ses_sends_is_for_ses_to_report(action: str, status: str) -> None:
    world = World()
    world.providers["ses"] = FakeProvider("ses", world.clock)
    world.providers_by_channel["email"] = "ses"
    world.drop("run-1", a_document(1))
    world.drain()
    before = state(world)
    mail = dsn(action=action, status=status, diagnostic="").replace(ADDRESS, "c0001@example.com")
    assert received(world, mail.replace(REFERENCE, reference(world, 1)).encode())["outranked"] == 1
    assert state(world) == before


def test_a_jump_is_told_to_a_person_and_not_each_mail() -> None:
    world = a_world()
    mail = written("rfc3464-unknown", "x", "c0001@example.com")
    for number in range(100):
        received(world, mail, f"mail/{number}.eml")
    told = [e for e in world.exceptions.raised if e.code == "unproven_mail"]
    assert [e.count for e in told] == [20, 40, 80]
    assert len({e.part for e in told}) == 1, "one report an hour, which replaces itself"
    world.clock.advance(hours=1)
    away = written("out-of-office", "x", "c0001@example.com")
    for number in range(19):
        received(world, mail, f"mail/{number}.eml")
        assert received(world, away)["unproven"] == 1, "counted, but it claims nothing"
    assert len([e for e in world.exceptions.raised if e.code == "unproven_mail"]) == 3
