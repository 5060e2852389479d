"""Nobody receives another customer's notice: records under one key, in slices, files, runs and journeys."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain import holders
from exstream_notify.domain.documents import Document
from exstream_notify.domain.holders import alike
from exstream_notify.domain.notices import Notice
from tests.fakes import a_contact, a_document, a_rule, an_address

from .world import DOMAIN, World

ANA = {"first_name": "Ana", "last_name": "Novak"}
BEN = {"first_name": "Ben", "last_name": "Novak"}


def record(document_id: str, email: str | None, **more: Any) -> Document:
    """A record under the one key that all in this module share."""
    return a_document(1, **{"document_id": document_id, "email": email, "mobile": None, **more})


def sent(world: World) -> dict[str, str]:
    """Where the notice of each document went; each went out once."""
    rows = [(notice_of(world, d.notice_id).document_id, d.to) for d in world.outbox]
    assert len(rows) == len(dict(rows))
    return dict(rows)


def notice_of(world: World, notice_id: str) -> Notice:
    """A notice of the ledger."""
    return world.ledger.notices[notice_id]


def name_of(document: Document) -> holders.Name:
    """The name in a record, for comparison."""
    return holders.name_of(document.first_name or "", document.last_name or "", holders.keyed_digest("x"))


def codes(world: World) -> set[str]:
    """The exceptions that were raised."""
    return {e.code for e in world.exceptions.raised}


@pytest.mark.parametrize("slice_records", [100, 1])
def test_three_customers_under_one_key_each_get_their_own(slice_records: int) -> None:
    world = World(slice_records=slice_records)
    world.drop("run-1", *(record(f"D{n}", f"c{n}@example.com") for n in range(3)))
    world.come_to_rest()

    assert sent(world) == {f"D{n}": f"c{n}@example.com" for n in range(3)}
    assert world.contacts.stored[DOMAIN, "C0001"].email is None
    raised = next(e for e in world.exceptions.raised if e.code == "addresses_disputed")
    assert raised.count == 3
    assert "1 and 2" in raised.text
    assert world.runs.get(DOMAIN, "run-1").disputed == 3  # type: ignore[union-attr]


def test_the_contact_keeps_what_it_had_before_a_dispute() -> None:
    world = World()
    world.know(a_contact(1, email=an_address("before@example.com")))
    world.drop("run-1", record("A", "x@example.com"), record("B", "y@example.com"), record("C", None))
    world.come_to_rest()

    assert sent(world) == {"A": "x@example.com", "B": "y@example.com"}
    assert world.contacts.stored[DOMAIN, "C0001"].email == an_address("before@example.com")
    assert world.outcomes("run-1") == {"notified": 2, "suppressed": 1}
    assert "no_channel" in codes(world)


@pytest.mark.parametrize("slice_records", [100, 1])
def test_two_holders_with_names_and_addresses_of_their_own_are_rejected(slice_records: int) -> None:
    world = World(slice_records=slice_records)
    world.drop(
        "run-1",
        record("A", "ana@example.com", **ANA),
        a_document(2),
        record("B", "ben@example.com", **BEN),
    )
    world.come_to_rest()

    assert world.told() == ["c0002@example.com"]
    assert world.outcomes("run-1") == {"notified": 1, "rejected": 2}
    raised = next(e for e in world.exceptions.raised if e.code == "holders_mixed")
    assert raised.count == 2
    assert "1 and 3" in raised.text


def test_two_files_of_one_run_are_compared() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index([record("A", "ana@example.com", **ANA)], "a.index.jsonl")
    folder.write_index([record("B", "ben@example.com", **BEN)], "b.index.jsonl")
    folder.write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.told() == []
    assert world.outcomes("run-1") == {"rejected": 2}


def test_recipients_tell_holders_apart_of_one_document_too() -> None:
    world = World()
    world.drop(
        "run-1",
        record("A", "ana@example.com", recipient="1", **ANA),
        record("A", "ben@example.com", recipient="2", **BEN),
    )
    world.come_to_rest()

    assert world.told() == ["ana@example.com", "ben@example.com"]
    assert world.outcomes("run-1") == {"notified": 2}
    assert {n.recipient for n in world.ledger.notices.values()} == {"1", "2"}
    assert sorted(c.recipient for c in world.contacts.stored.values()) == ["1", "2"]
    assert not codes(world)


def test_a_notice_that_waits_for_the_morning_keeps_its_own_number() -> None:
    world = World(a_rule(channels=("sms",)), at="2026-11-21T04:00:00+00:00")
    first = record("A", None, mobile="+12025550101")
    world.drop("run-1", first)
    world.drain()
    assert world.outbox == []
    world.drop("run-2", record("B", None, mobile="+12025550102"))
    world.come_to_rest()

    assert sent(world) == {"A": "+12025550101", "B": "+12025550102"}
    mobile = world.contacts.stored[DOMAIN, "C0001"].mobile
    assert mobile is not None
    assert mobile.value == "+12025550102", "the later drop wins, and a later look does not undo that"


def test_one_unusable_address_is_reported_and_leaves_the_other_channel() -> None:
    world = World(a_rule(channels=("email", "sms")))
    world.drop(
        "run-1",
        a_document(1, email="bad address", mobile="+12025550101"),
        a_document(2, email="c0002@example.com", mobile="12"),
        a_document(3, email="c0003@example.com", mobile="+12025550103"),
    )
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}
    assert {(d.channel, d.to) for d in world.outbox} == {
        ("sms", "+12025550101"), ("email", "c0002@example.com"), ("email", "c0003@example.com"),
    }  # fmt: skip
    (found,) = [e for e in world.exceptions.raised if e.code == "address_unusable"]
    assert found.count == 2
    assert found.text == "records with an address that cannot be written to"


def test_an_unusable_address_without_another_one_is_no_claim_that_one_was_used() -> None:
    world = World(a_rule(channels=("email", "sms")))
    world.drop("run-1", a_document(1, email="bad address", mobile=None))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"suppressed": 1}
    texts = {e.code: e.text for e in world.exceptions.raised}
    assert texts == {
        "address_unusable": "records with an address that cannot be written to",
        "no_channel": "customers with no channel that works, and no paper by rule",
    }


def test_a_later_run_does_not_redirect_what_queues() -> None:
    world = World()
    world.drop("run-1", record("A", "old@example.com"))
    while not world.queues["email"].messages:
        assert world.step()
    contact = world.contacts.stored[DOMAIN, "C0001"]
    world.contacts.stored[DOMAIN, "C0001"] = replace(
        contact, version=contact.version + 1, email=an_address("new@example.com")
    )
    world.come_to_rest()

    assert sent(world) == {"A": "old@example.com"}


def test_an_address_that_the_customer_set_meanwhile_gets_it() -> None:
    world = World()
    world.drop("run-1", record("A", "old@example.com"))
    while not world.queues["email"].messages:
        assert world.step()
    world.change_contact(1, email=an_address("mine@example.com"), set_by_customer=("email",))
    world.come_to_rest()

    assert sent(world) == {"A": "mine@example.com"}


def test_what_is_known_of_an_address_holds_for_the_record_that_gives_it() -> None:
    world = World()
    world.know(a_contact(1, email=an_address("gone@example.com", status="invalid"), mobile=None))
    world.drop(
        "run-1",
        record("A", "gone@example.com"),
    )
    world.come_to_rest()

    assert world.outbox == []
    world.drop("run-2", record("B", "new@example.com"))
    world.come_to_rest()
    assert sent(world) == {"B": "new@example.com"}


def test_a_suppressed_address_is_asked_for_as_the_record_gives_it() -> None:
    world = World()
    world.know(a_contact(1, email=an_address("fine@example.com"), mobile=None))
    world.suppressions.addresses.add(("email", "own@example.com"))
    world.drop("run-1", record("A", "own@example.com"))
    world.come_to_rest()

    assert world.outbox == []
    assert world.outcomes("run-1") == {"suppressed": 1}


def test_records_without_an_address_do_not_get_what_another_name_brought() -> None:
    world = World()
    world.drop("run-1", record("A", "ana@example.com", **ANA))
    world.come_to_rest()
    world.drop("run-2", record("B", None, **BEN), record("C", None, **ANA))
    world.come_to_rest()

    assert sent(world) == {"A": "ana@example.com", "C": "ana@example.com"}
    assert world.outcomes("run-2") == {"notified": 1, "suppressed": 1}


@pytest.mark.parametrize("seed", range(60))
def test_every_message_goes_to_its_own_records_address_and_every_record_is_accounted_for(seed: int) -> None:
    chance = random.Random(seed)
    world = World(
        a_rule(channels=("email", "sms"), both_channels=chance.random() < 0.3),
        at=chance.choice(["2026-11-20T15:00:00+00:00", "2026-11-21T04:00:00+00:00"]),
        slice_records=chance.choice([1, 2, 100]),
    )
    own: dict[str, Document] = {}
    runs: Counter[str] = Counter()
    customers_word = "mine@example.com"
    for run in range(chance.randint(1, 4)):
        rows = []
        for _ in range(chance.randint(1, 6)):
            document = a_document(
                chance.randint(1, 2),
                document_id=f"D{len(own)}",
                email=chance.choice(["a@example.com", "B@example.com", "c@example.com", "no address"]),
                mobile=chance.choice(["+12025550101", "+12025550102", None]),
                first_name=chance.choice(["Ana", "A.", "Ben", None]),
                recipient=chance.choice([None, None, "R1", "R2"]),
            )
            own[document.document_id] = document
            rows.append(document)
        world.drop(f"run-{run}", *rows)
        runs[f"run-{run}"] = len(rows)
        if chance.random() < 0.5:
            world.drain()
        if chance.random() < 0.2 and (DOMAIN, "C0001") in world.contacts.stored:
            world.change_contact(1, email=an_address(customers_word), set_by_customer=("email",))
    world.come_to_rest()

    for message in world.outbox:
        notice = notice_of(world, message.notice_id)
        document = own[notice.document_id]
        raw = document.email if message.channel == "email" else document.mobile
        stored = world.contacts.stored[DOMAIN, document.contact_key]
        theirs = message.to == customers_word and "email" in stored.set_by_customer
        if raw and (message.channel == "sms" or "@" in raw):
            assert theirs or message.to == raw.lower()
        else:
            # What the record does not say is the contact's to say: same customer and recipient, and a name
            # that may be theirs.
            givers = [
                one
                for one in own.values()
                if one.contact_key == document.contact_key
                and message.to in ((one.email or "").lower(), one.mobile)
            ]
            assert theirs or any(alike(name_of(one), name_of(document)) for one in givers)
    for run_id, count in runs.items():
        assert sum(world.outcomes(run_id).values()) == count


def test_a_time_of_day_belongs_to_the_record() -> None:
    now = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)  # 08:30 in New York, 05:30 in Los Angeles
    world = World(a_rule(channels=("sms",)), at=now.isoformat())
    world.drop(
        "run-1",
        record("A", None, mobile="+12025550101", time_zone="America/Los_Angeles"),
        record("B", None, mobile="+12025550101", time_zone="America/New_York"),
    )
    world.drain()

    assert sent(world) == {"B": "+12025550101"}
