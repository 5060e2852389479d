"""What receipts say is written although another writer was faster, and of whose address they say it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.notices import Status, happened
from exstream_notify.domain.receipts import Kind, Receipt, Source, Suppression, stamp
from exstream_notify.use_cases.record_receipts import record_batch, record_receipts
from tests.fakes import a_document
from tests.fakes.wire import Killed

from .world import World

ADDRESS = "hash of email:c0001@example.com"


def notified(*numbers: int) -> World:
    """A world in which these customers have their mail."""
    world = World()
    world.drop("run-1", *(a_document(number) for number in numbers or (1,)))
    world.drain()
    return world


def report(world: World, *receipts: Receipt) -> None:
    """The provider's receipts are recorded, in one batch."""
    record_receipts(receipts, **world.receipt_ports())
    world.drain()


def interfere(port: Any, times: int, change: Callable[[], None]) -> list[int]:
    """Another writer makes its change just before each of the next `times` writes; how often it did."""
    write, calls = port.put, []

    def put(*arguments: Any) -> Any:
        if len(calls) < times:
            calls.append(1)
            change()
        return write(*arguments)

    port.put = put
    return calls


def change_contact(world: World) -> Callable[[], None]:
    return lambda: world.change_contact(1, language="fr")


def change_suppression(world: World) -> Callable[[], None]:
    def change() -> None:
        place = ("email", ADDRESS)
        known = world.suppressions.stored.get(place, Suppression(*place))  # type: ignore[arg-type,call-overload]
        world.suppressions.stored[place] = replace(known, version=known.version + 1, topics=("offers",))  # type: ignore[index]

    return change


def change_notice(world: World) -> Callable[[], None]:
    def change() -> None:
        notice = world.notice("D0001")
        noted = happened(notice, world.clock.now(), "note", "another writer")
        world.ledger.notices[notice.notice_id] = replace(noted, version=notice.version + 1)

    return change


@pytest.mark.parametrize("times", [1, 4])
def test_an_address_is_marked_although_the_customer_changes_their_contact_meanwhile(times: int) -> None:
    world = notified()
    calls = interfere(world.contacts, times, change_contact(world))
    report(world, world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    contact = world.contacts.stored["retail", "C0001"]
    assert len(calls) == times
    assert contact.email is not None
    assert (contact.email.status, contact.email.why, contact.language) == (
        "invalid",
        "hard_bounce 5.1.1",
        "fr",
    )
    assert [(row["field"], row["from"], row["to"], row["why"]) for row in contact.history] == [
        ("email status", "ok", "invalid", "hard_bounce 5.1.1")
    ]


@pytest.mark.parametrize("times", [1, 4])
def test_an_address_is_listed_although_another_writer_changes_its_entry(times: int) -> None:
    world = notified()
    calls = interfere(world.suppressions, times, change_suppression(world))
    report(world, world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    entry = world.suppressions.stored["email", ADDRESS]
    assert len(calls) == times
    assert (entry.reason, entry.source, entry.topics, len(entry.history)) == ("hard", "mail", ("offers",), 1)


@pytest.mark.parametrize("times", [1, 4])
def test_a_notice_keeps_what_another_writer_wrote_and_has_the_receipt(times: int) -> None:
    world = notified()
    calls = interfere(world.ledger, times, change_notice(world))
    report(world, world.receipt(world.outbox[0], Kind.DELIVERED))
    events = [event.what for event in world.notice("D0001").events]
    assert len(calls) == times
    assert events[-times - 1 :] == [*["note"] * times, "receipt delivered"]


@pytest.mark.parametrize(
    ("port", "change"),
    [("contacts", change_contact), ("suppressions", change_suppression), ("ledger", change_notice)],
)
def test_a_writer_that_never_gets_its_turn_leaves_the_receipt_on_its_queue(
    port: str, change: Callable[[World], Callable[[], None]]
) -> None:
    world = notified()
    interfere(getattr(world, port), 5, change(world))
    bounce = world.receipt(world.outbox[0], Kind.HARD_BOUNCE)
    with pytest.raises(RuntimeError, match="kept changing under five attempts"):
        report(world, bounce)
    report(world, bounce)
    assert world.notice("D0001").attempts[0].status == Status.BOUNCED


# --- whose address ----------------------------------------------------------------------------------------


def test_of_a_message_to_several_the_bounce_of_another_lists_that_other_alone() -> None:
    world = notified()
    report(
        world,
        world.receipt(world.outbox[0], Kind.HARD_BOUNCE, recipient="spouse@example.com", sole=False),
    )
    assert set(world.suppressions.stored) == {("email", "hash of email:spouse@example.com")}
    contact = world.contacts.stored["retail", "C0001"]
    assert contact.email is not None
    assert contact.email.status == "ok"
    assert world.notice("D0001").status == Status.SENT
    assert world.told("sms") == []


def test_a_bounce_that_names_where_the_mail_was_forwarded_to_lists_the_address_that_we_wrote_to() -> None:
    world = notified()
    report(world, world.receipt(world.outbox[0], Kind.HARD_BOUNCE, recipient="elsewhere@example.net"))
    assert set(world.suppressions.stored) == {("email", ADDRESS)}
    assert world.contacts.stored["retail", "C0001"].email.status == "invalid"  # type: ignore[union-attr]


def test_each_notice_of_a_batch_gets_its_own_receipts_whatever_stands_before_it() -> None:
    """Rows that say nothing of an address, of nobody, and of known things stand before those that do."""
    world = notified(1, 2, 3)
    mails = world.outbox
    first = world.receipt(mails[0], Kind.HARD_BOUNCE)
    report(world, first)
    batch = [
        world.receipt(mails[1], Kind.DELIVERED),
        first,
        world.receipt(mails[2], Kind.NOT_SPAM),
        Receipt("ses", "email", Kind.HARD_BOUNCE, stamp(world.clock.now()), recipient="nobody@example.com"),
        world.receipt(mails[2], Kind.COMPLAINT),
        world.receipt(mails[1], Kind.HARD_BOUNCE, at="2026-11-21T00:00:00.000Z"),
    ]
    report(world, *batch)
    assert {name: world.notice(name).attempts[0].status for name in ("D0001", "D0002", "D0003")} == {
        "D0001": Status.BOUNCED,
        "D0002": Status.BOUNCED,
        "D0003": Status.COMPLAINED,
    }
    assert {key: contact.email.status for (_, key), contact in world.contacts.stored.items()} == {  # type: ignore[union-attr]
        "C0001": "invalid",
        "C0002": "invalid",
        "C0003": "complained",
    }
    assert {address: entry.reason for (_, address), entry in world.suppressions.stored.items()} == {
        ADDRESS: "hard",
        "hash of email:c0002@example.com": "hard",
        "hash of email:c0003@example.com": "complaint",
        "hash of email:nobody@example.com": "hard",
    }


# --- what is kept for later ---------------------------------------------------------------------------------


def test_a_report_that_names_no_notice_is_not_kept_as_early() -> None:
    world = World()
    at = stamp(world.clock.now())
    report(
        world,
        Receipt("ses", "email", Kind.HARD_BOUNCE, at, recipient="nobody@example.com"),
        Receipt("ses", "email", Kind.DELIVERED, at, notice_id="f" * 32),
    )
    assert [receipt.notice_id for receipt, _ in world.early.kept.values()] == ["f" * 32]


def test_the_follow_up_of_a_repeated_receipt_is_made_up_behind_a_new_one() -> None:
    """The worker died between the ledger's write and the next channel; then both come in one message."""
    world = notified()
    bounce = world.receipt(world.outbox[0], Kind.HARD_BOUNCE)
    before = world.receipt(world.outbox[0], Kind.NOT_SPAM, at="2026-11-20T14:00:00.000Z")
    twin = notified()
    start = twin.wire.number
    record_receipts([bounce], **twin.receipt_ports())
    [place] = [n for n, call in enumerate(twin.wire.log[start:], 1) if call == "decide_queue.send"]
    world.wire.kill_at(world.wire.number + place, "before")
    with pytest.raises(Killed):
        record_receipts([bounce], **world.receipt_ports())
    assert world.notice("D0001").status == Status.BOUNCED
    assert world.told("sms") == []
    report(world, before, bounce)
    world.come_to_rest()
    assert world.told("sms") == ["+12025550101"]
    world.check()


@pytest.mark.parametrize("names", [("good", "bad"), ("bad", "good"), ("good", "bad", "fine"), ("bad",)])
def test_of_a_batch_only_the_message_that_fails_is_reported_as_failed(names: tuple[str, ...]) -> None:
    messages = {name: [Receipt("ses", "email", Kind.SENT, name)] for name in names}
    recorded: list[str] = []

    def record(rows: Any) -> Any:
        if any(row.at == "bad" for row in rows):
            raise ValueError("no")
        recorded.extend(row.at for row in rows)
        return {"sent": len(rows)}

    counts, failed = record_batch(messages, record)
    assert list(failed) == ["bad"]
    assert str(failed["bad"]) == "no"
    assert recorded == [name for name in names if name != "bad"]
    assert counts == ({"sent": len(recorded)} if recorded else {})


def test_a_mail_that_proves_nothing_changes_nothing_and_is_counted() -> None:
    world = notified()
    forged = world.receipt(world.outbox[0], Kind.HARD_BOUNCE, said_by=Source.ANYBODY, provider="mail")
    report(world, forged)
    assert world.notice("D0001").status == Status.SENT
    assert world.suppressions.stored == {}
    assert list(world.reputation.unproven.values()) == [1]


def test_behind_a_bounce_from_before_the_release_a_complaint_since_then_counts() -> None:
    world = notified()
    now = world.clock.now()
    released = Suppression("email", ADDRESS, reason="hard", at=stamp(now), released_at=stamp(now), version=1)
    world.suppressions.stored["email", ADDRESS] = released
    world.clock.advance(hours=1)
    report(
        world,
        world.receipt(world.outbox[0], Kind.HARD_BOUNCE, at=stamp(now - timedelta(minutes=1))),
        world.receipt(world.outbox[0], Kind.COMPLAINT),
    )
    email = world.contacts.stored["retail", "C0001"].email
    assert email is not None
    assert email.status == "complained"
    only_old = notified()
    only_old.suppressions.stored["email", ADDRESS] = released
    report(
        only_old, only_old.receipt(only_old.outbox[0], Kind.HARD_BOUNCE, at=stamp(now - timedelta(minutes=1)))
    )
    assert only_old.contacts.stored["retail", "C0001"].email.status == "ok"  # type: ignore[union-attr]
