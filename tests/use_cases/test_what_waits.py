"""What waits, for whatever reason and however long: seldom looked at, small, and never in others' way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from exstream_notify.adapters.dynamodb.ledger import from_item, to_item
from exstream_notify.domain.deferring import (
    deferred,
    handed_on,
    is_due,
    is_handed_on,
    moved_on,
    pause_for,
    times_handed_on,
)
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Notice, Status, chain_holds, happened
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from tests.fakes import a_document, a_notice, a_rule
from tests.fakes.clock import FakeClock
from tests.use_cases.world import World, assert_forward_only


def off(world: World) -> None:
    world.off.add("email")


def unapproved(world: World) -> None:
    world.approved_only = True


def down(world: World) -> None:
    world.mail.always(TryAgain("unavailable"))


@pytest.mark.parametrize("keep_back", [off, unapproved, down], ids=lambda f: f.__name__)
def test_a_notice_does_not_grow_while_it_waits(keep_back: Callable[[World], None]) -> None:
    world = World(a_rule(channels=("email",), deadline_hours=1000))
    keep_back(world)
    world.drop("run-1", *(a_document(n) for n in range(1, 8)))
    start, sizes, looks = world.clock.now(), [], []
    for days in (1, 3, 6):
        world.wait_until(start + timedelta(days=days), limit=2000)
        sizes.append(max(len(str(to_item(n))) for n in world.ledger.notices.values()))
        looks.append(len(world.ledger.history))
    assert sizes[2] - sizes[0] <= 20, sizes
    assert (looks[2] - looks[1]) / 3 <= 7 * 24 * 3, "three writes an hour and notice at most"
    assert_forward_only(world.ledger.history)

    world.off.clear()
    world.approved_only = False
    world.mail.always(None)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 7}
    for notice in world.ledger.notices.values():
        assert chain_holds(notice)
        assert any(" times since " in event.detail for event in notice.events)
        assert [e.what for e in notice.events][-2:] == ["claimed", "sent"]


@pytest.mark.parametrize("why", ["switched_off", "wording_not_approved", "provider_down", "reputation"])
def test_pauses_grow_for_every_reason(why: str) -> None:
    clock, notice = FakeClock(), a_notice(status=Status.DEFERRED)
    pauses = []
    for _ in range(6):
        pauses.append(pause_for(notice, why))
        notice = deferred(notice, clock.now(), why, clock.now())
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[2]
    assert pauses[-1] == timedelta(hours=1)


def test_being_handed_on_is_no_move_and_being_put_off_is_one() -> None:
    clock, notice = FakeClock(), a_notice(status=Status.DEFERRED)
    for _ in range(3):
        put_off = deferred(notice, clock.now() + timedelta(hours=1), "switched_off", clock.now())
        assert moved_on(put_off, notice.version)
        assert not is_handed_on(put_off)
        assert not is_due(put_off, clock.now())
        notice = put_off
        for times in (1, 2, 3):
            notice = handed_on(notice, (clock.now() + timedelta(hours=2)).isoformat(), clock.now())
            assert times_handed_on(notice) == times
            assert is_due(notice, clock.now())
            assert not moved_on(notice, put_off.version)
        assert from_item(to_item(notice)) == notice
    assert moved_on(happened(notice, clock.now(), "superseded"), put_off.version)
    assert len(notice.events) == 1


def test_another_reason_says_how_it_waited_before() -> None:
    clock, notice = FakeClock(), a_notice(status=Status.DEFERRED)
    before = len(notice.events)
    for why in ("switched_off", "switched_off", "switched_off", "quiet_hours", "switched_off"):
        clock.advance(hours=1)
        notice = deferred(notice, clock.now(), why, clock.now())
    said = [(e.what, e.detail.partition(" since ")[0]) for e in notice.events[before:]]
    assert said == [
        ("deferred", "switched_off"),
        ("deferred", "switched_off, 3 times"),
        ("deferred", "quiet_hours"),
        ("deferred", "switched_off"),
    ]
    assert chain_holds(notice)


# --- sweeps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["get", "put"])
def test_a_notice_that_cannot_be_released_holds_up_none_of_its_page(where: str) -> None:
    world = World(a_rule(deadline_hours=72))
    world.off.add("email")
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    world.drain()
    world.off.clear()
    poison = world.notice("D0017").notice_id
    original = getattr(world.ledger, where)

    def refuses(rows: object) -> object:
        if any(poison in (row, getattr(row, "notice_id", "")) for row in rows):  # type: ignore[attr-defined]
            raise ValueError("an item that nobody can read or write")
        return original(rows)

    setattr(world.ledger, where, refuses)
    world.clock.advance(minutes=10)
    with pytest.raises(ExceptionGroup):
        world.release()
    setattr(world.ledger, where, original)
    world.drain()
    assert len(world.outbox) == 29
    world.come_to_rest()
    assert len(world.outbox) == 30


def test_a_look_that_cannot_be_queued_holds_up_none_of_its_page() -> None:
    world = World()
    for n in range(1, 6):
        world.due.wait("incident", f"{n:032x}", world.clock.now())
    queue = world.queues["exceptions"]
    send = queue.send

    def refuses(bodies: object, **more: object) -> None:
        if "00003" in str(bodies):
            raise RuntimeError("SQS refused 1 messages: InvalidParameterValue")
        send(bodies, **more)  # type: ignore[arg-type]

    queue.send = refuses  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        world.release()
    assert len(queue.messages) == 4
    left = world.due.due(world.clock.now() - timedelta(days=1), world.clock.now())
    assert list(left) == [f"incident:{3:032x}"]


def test_a_job_that_cannot_be_looked_at_holds_up_no_other() -> None:
    world = World(a_rule(on_no_receipt="other_channel"), slice_records=1)
    world.drop("run-1", *(a_document(n) for n in range(1, 6)))
    world.drain()
    world.clock.advance(hours=73)
    poison, get = world.notice("D0002").notice_id, world.ledger.get

    def refuses(ids: object) -> dict[str, Notice]:
        if poison in ids:  # type: ignore[operator]
            raise ValueError("an item that nobody can read")
        return get(ids)  # type: ignore[arg-type]

    world.ledger.get = refuses  # type: ignore[method-assign, assignment]
    with pytest.raises(ExceptionGroup):
        world.poll()
    world.ledger.get = get  # type: ignore[method-assign]
    world.drain()
    assert len(world.told("sms")) == 4
    world.poll()
    world.drain()
    assert len(world.told("sms")) == 5


@pytest.mark.parametrize("cancels", [False, True], ids=["goes on", "cancelled"])
@pytest.mark.parametrize("by", ["receipt", "answer", "deferral"])
def test_a_notice_stays_what_it_was_begun_as_when_rules_tell_documents_apart_otherwise(
    by: str, *, cancels: bool
) -> None:
    """Rules that notify on new content give documents other identities than those without."""
    world = World(a_rule(), at="2026-11-21T02:30:00+00:00")
    record = a_document(1, content_sha256="ab" * 32)
    if by == "answer":
        world.mail.refuse("c0001@example.com", GiveUp("address_refused", "address"))
    if by == "deferral":
        record = replace(record, email=None)
    world.drop("run-1", record)
    while not world.ledger.notices or any(n.claimed for n in world.ledger.notices.values()):
        world.step()
    if by == "receipt":
        world.drain()
        world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.rules.rules["statement"] = a_rule(notify_on_new_content=True)
    if cancels:
        world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert not any(notice.due_at for notice in world.ledger.notices.values())
    assert cancels or len(world.ledger.notices) == 1
    assert [d.channel for d in world.outbox] == ["email"] * (by == "receipt") + ["sms"] * (not cancels)
    found = world.reconciled("run-1").outcomes
    assert found["notified"] == (0 if cancels else 1)
    assert found["duplicate"] == found["in_flight"] == 0
