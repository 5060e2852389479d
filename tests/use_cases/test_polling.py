"""What a look at sends without a receipt asks, says and leaves, with several rows of which the first is skipped."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.deferring import FOLLOW_UP
from exstream_notify.domain.messages import TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind, Receipt, stamp
from exstream_notify.domain.watching import POLL_AFTER, POLL_AGAIN, POLL_UNTIL, Watched, looked_at
from tests.fakes import FakeProvider, a_document, a_rule
from tests.use_cases.world import World


def sent(*rules: Any, documents: int = 1, provider: str = "mail") -> World:
    """A world in which as many customers have a mail."""
    world = World(*(rules or (a_rule(deadline_hours=24),)))
    if provider != "mail":
        world.providers[provider] = FakeProvider(provider, world.clock)
        world.providers_by_channel["email"] = provider
    world.drop("run-1", *(a_document(n) for n in range(1, documents + 1)))
    world.drain()
    return world


def raised(world: World, code: str) -> list[tuple[Any, ...]]:
    """Exceptions of a code, whole but for the name of the part."""
    return [
        (e.severity, e.domain, e.run_id, e.text, e.count) for e in world.exceptions.raised if e.code == code
    ]


def test_only_a_provider_that_answers_is_asked() -> None:
    world = sent(documents=2)
    world.clock.advance(hours=20, minutes=1)
    assert world.poll().asked == 0
    assert world.status_source.asked == []


def test_a_provider_is_asked_for_ten_at_once_and_for_none_that_is_known() -> None:
    world = sent(documents=25, provider="opentext")
    world.report(world.receipt(world.outbox[0], Kind.DELIVERED))
    world.drain()
    world.clock.advance(hours=20, minutes=1)
    polled = world.poll()
    assert (polled.looked_at, polled.asked) == (1, 24)
    refs = [
        notice.attempts[0].ref for notice in world.ledger.notices.values() if notice.status == Status.SENT
    ]
    assert sorted(world.status_source.asked) == sorted(refs)


def test_what_a_provider_answers_counts_once_and_before_the_deadline_is_called_missed() -> None:
    world = sent(documents=2, provider="opentext")
    first = world.ledger.notices[world.outbox[0].notice_id].attempts[0].ref
    world.status_source.receipts[first] = [world.receipt(world.outbox[0], Kind.DELIVERED, ref=first)]
    world.clock.advance(hours=24, minutes=1)
    polled = world.poll()
    assert (polled.asked, polled.recorded, polled.overdue) == (2, 1, 1)
    assert raised(world, "no_receipt_at_deadline") == [
        ("error", "retail", "run-1", "notices sent, and neither delivered nor bounced by their deadline", 1)
    ]
    world.clock.advance(hours=2)
    assert world.poll().recorded == 0


def test_of_the_silent_each_gets_what_its_own_type_says() -> None:
    """A type that ignores silence stands before those that do not."""
    world = World(
        a_rule(name="ad", wording="ad", on_no_receipt="ignore", deadline_hours=24),
        a_rule(name="bill", wording="bill", deadline_hours=24),
        a_rule(name="claim", wording="claim", on_no_receipt="other_channel", deadline_hours=24),
        a_rule(
            name="policy", wording="policy", on_no_receipt="paper", paper_on_failure=True, deadline_hours=24
        ),
    )
    names = ("ad", "bill", "claim", "policy", "bill")
    world.drop("run-1", *(a_document(n, document_type=name) for n, name in enumerate(names, 1)))
    world.drain()
    world.clock.advance(hours=24, minutes=1)
    world.poll()
    world.drain()
    assert [world.notice(f"D000{n}").status for n in range(1, 6)] == [
        *(Status.SENT, Status.SENT, Status.SENT, Status.PAPER, Status.SENT)
    ]
    assert world.told("sms") == ["+12025550103"]
    assert raised(world, "no_receipt_at_deadline") == [
        ("error", "retail", "run-1", "notices sent, and neither delivered nor bounced by their deadline", 2)
    ]
    claim = world.notice("D0003")
    assert [(a.channel, a.status, a.why) for a in claim.attempts] == [
        ("email", Status.UNDELIVERED, "no_receipt"),
        ("sms", Status.SENT, ""),
    ]
    assert ("overdue", "1 no receipt") in [(e.what, e.detail) for e in claim.events]
    assert world.outcomes("run-1") == {"notified": 4, "paper": 1}
    world.check()


def test_a_delayed_message_that_is_overdue_goes_on_to_the_next_channel() -> None:
    world = sent(a_rule(deadline_hours=3, on_no_receipt="other_channel"))
    world.report(world.receipt(world.outbox[0], Kind.DELAYED))
    world.drain()
    assert world.notice("D0001").due_at
    world.clock.advance(hours=3, minutes=1)
    world.poll()
    notice = world.notice("D0001")
    # Due in case what follows is lost; nothing of the delay's own time is left.
    due = (world.clock.now() + FOLLOW_UP).isoformat(timespec="seconds")
    assert (notice.status, notice.due_at, notice.waiting) == (Status.UNDELIVERED, due, ("sms",))
    world.drain()
    assert world.told("sms") == ["+12025550101"]
    assert not world.notice("D0001").due_at


@pytest.mark.parametrize(("hours", "told", "outcome"), [(12, 1, "notified"), (6, 0, "unconfirmed")])
def test_what_follows_a_silence_waits_for_the_morning_unless_that_is_stale(
    hours: int, told: int, outcome: str
) -> None:
    """The deadline is over when the silence is known, so it cannot end the wait for the customer's day."""
    world = World(
        a_rule(deadline_hours=hours, on_no_receipt="other_channel"),
        at=f"2026-11-20T{28 - hours:02}:30:00+00:00",
    )
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=hours, minutes=1)  # 23:31 in New York
    world.poll()
    world.drain()
    assert world.reasons("run-1", "deferred") == {"quiet_hours": 1}
    world.come_to_rest()
    assert len(world.told("sms")) == told
    assert world.outcomes("run-1") == {outcome: 1}
    assert ("deadline_passed" in world.exceptions.codes) is not bool(told)
    world.check()


def test_what_follows_a_silence_and_is_put_off_again_ends_with_the_deadline() -> None:
    """Only the customer's day is waited for: a provider that is down then does not prolong it."""
    world = World(a_rule(deadline_hours=12, on_no_receipt="other_channel"), at="2026-11-20T16:30:00+00:00")
    world.drop("run-1", a_document(1))
    world.drain()
    world.text.always(TryAgain("service_unavailable"))
    world.clock.advance(hours=12, minutes=1)
    world.poll()
    world.come_to_rest()
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert world.reasons("run-1", "unconfirmed") == {"deadline_passed": 1}
    world.check()


def test_silence_about_an_erased_customer_is_nobodys_business() -> None:
    world = sent(documents=2)
    world.erase(1)
    world.clock.advance(hours=24, minutes=1)
    world.poll()
    assert [row[-1] for row in raised(world, "no_receipt_at_deadline")] == [1]
    alone = sent()
    alone.erase(1)
    alone.clock.advance(hours=24, minutes=1)
    alone.poll()
    assert raised(alone, "no_receipt_at_deadline") == []


def test_early_receipts_wait_match_or_are_given_up_each_by_itself() -> None:
    world = World()
    at = stamp(world.clock.now())
    lost = [Receipt("ses", "email", Kind.DELIVERED, at, notice_id=n * 32) for n in "ef"]
    other = sent()
    matching = other.receipt(other.outbox[0], Kind.HARD_BOUNCE)
    world.early.keep(lost, world.clock.now())
    world.clock.advance(hours=23)
    world.early.keep([matching, replace(lost[0], notice_id="d" * 32)], world.clock.now())
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=1)
    polled = world.poll()
    assert (polled.matched, polled.given_up) == (1, 2)
    assert [receipt.notice_id for receipt, _ in world.early.kept.values()] == ["d" * 32]
    assert world.early.given_up == lost
    assert raised(world, "receipt_unmatched") == [
        ("warning", "unknown", "none", "receipts for notices that the ledger does not know", 2)
    ]


# --- when to look again -------------------------------------------------------------------------------------

START = "2026-11-20T15:00:00+00:00"


def watched(**changes: Any) -> Watched:
    values = {"job": "j", "channel": "email", "provider": "opentext", "sent_at": START, "notices": ("n",)}
    return Watched(**{**values, "deadline": "2026-11-24T15:00:00+00:00", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "due"),
    [
        (watched(), "2026-11-21T11:00:00+00:00"),
        (watched(deadline="2026-11-20T16:00:00+00:00"), "2026-11-20T16:00:00+00:00"),
        (watched(provider="mail"), "2026-11-24T15:00:00+00:00"),
        (watched(provider="mail", late=True), ""),
        (watched(polls=100), "2026-11-24T15:00:00+00:00"),
        (watched(polls=100, late=True), ""),
    ],
)
def test_when_a_job_is_looked_at(row: Watched, due: str) -> None:
    assert row.due_at == due


def test_a_job_is_asked_for_at_growing_distance_until_its_end() -> None:
    start = datetime.fromisoformat(START)
    row: Watched | None = watched()
    times = []
    while row is not None and row.due_at:
        now = datetime.fromisoformat(row.due_at)
        times.append(now - start)
        row = looked_at(row, now, ("n",))
    asked = [POLL_AFTER + POLL_AGAIN * n for n in range(len(times))]
    assert [t for t in times if t in asked] == [t for t in asked if t <= POLL_UNTIL]
    assert timedelta(days=4) in times
    assert looked_at(watched(), start, ()) is None
