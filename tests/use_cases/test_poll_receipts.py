"""One look after receipts: what it counts, what one failure leaves to the others, what a low reputation stops."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind, Receipt, ReceiptPolicy, stamp
from exstream_notify.domain.reputation import Limits
from exstream_notify.use_cases.poll_receipts import poll_receipts
from exstream_notify.use_cases.record_receipts import record_receipts
from tests.fakes import FakeProvider, a_document, a_rule
from tests.use_cases.test_polling import raised, sent
from tests.use_cases.world import World


def look(world: World, seconds: float = 60.0, **ports: Any) -> Any:
    """One look with so many seconds left."""
    names = ("watch", "ledger", "contacts", "early", "runs", "decide_queue", "reputation", "exceptions")
    return poll_receipts(**{
        **{name: world._ports[name] for name in names},
        "source": world.status_source,
        "record": lambda receipts: record_receipts(receipts, **world.receipt_ports()),
        "record_early": lambda receipts: record_receipts(receipts, **world.receipt_ports(), keep=False),
        "rules": world.rules, "clock": world.clock, "receipt_policy": ReceiptPolicy(),
        "limits": Limits(minimum=10), "time_left": lambda: seconds, **ports,
    })  # fmt: skip


def two_jobs(provider: str = "mail") -> World:
    """Two runs, so two jobs, each of one customer."""
    world = sent(provider=provider)
    world.drop("run-2", a_document(2))
    world.drain()
    return world


@pytest.mark.parametrize(("seconds", "looked_at"), [(14.5, 0), (15.5, 2)])
def test_no_further_job_is_begun_in_the_last_fifteen_seconds(seconds: float, looked_at: int) -> None:
    world = two_jobs()
    world.clock.advance(hours=24, minutes=1)
    polled = look(world, seconds)
    assert (polled.looked_at, polled.overdue) == (looked_at, looked_at)
    later = look(world)
    assert (later.looked_at, later.overdue) == (2 - looked_at, 2 - looked_at)


def test_a_job_that_cannot_be_looked_at_holds_up_no_other_part_of_the_look() -> None:
    world = two_jobs("opentext")
    waits = Receipt("ses", "email", Kind.DELIVERED, stamp(world.clock.now()), notice_id="e" * 32)
    world.early.keep([waits], world.clock.now())
    world.clock.advance(hours=24, minutes=1)
    answers, asked = world.status_source.receipts_of, []

    def failing(channel: Any, refs: Any) -> Any:
        asked.append(refs)
        if len(asked) == 1:
            raise ConnectionError("refused")
        return answers(channel, refs)

    world.status_source.receipts_of = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(ExceptionGroup, match="what waits for receipts was not all looked at") as failed:
        look(world)
    assert [str(error) for error in failed.value.exceptions] == ["refused"]
    assert [row[-1] for row in raised(world, "no_receipt_at_deadline")] == [1], "the other one's"
    assert world.early.given_up == [waits]
    assert look(world).overdue == 1, "the first job is still there"


def test_early_receipts_that_cannot_be_read_hold_up_no_other_part_of_the_look() -> None:
    world = sent()
    world.clock.advance(hours=24, minutes=1)

    def failing(limit: int) -> Any:
        assert limit == 500
        raise ConnectionError("refused")

    world.early.waiting = failing  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as failed:
        look(world)
    assert [str(error) for error in failed.value.exceptions] == ["refused"]
    assert len(raised(world, "no_receipt_at_deadline")) == 1
    assert world.status_source.asked == []


def test_receipts_of_unknown_notices_are_tried_again_for_a_day_in_the_order_they_came() -> None:
    world = World()
    at = stamp(world.clock.now())
    lost = [Receipt("ses", "email", Kind.DELIVERED, at, notice_id=n * 32) for n in "ab"]
    world.early.keep(lost, world.clock.now())
    world.clock.advance(hours=23, minutes=59)
    polled = look(world)
    assert (polled.matched, polled.given_up, world.early.given_up) == (0, 0, [])
    world.clock.advance(minutes=1)
    polled = look(world)
    assert (polled.matched, polled.given_up, len(world.early.given_up)) == (0, 2, 2)
    (e,) = world.exceptions.raised
    assert e.part.startswith("receipts ")
    assert look(world).given_up == 0


def test_jobs_are_read_a_hundred_at_once_until_none_is_left() -> None:
    world = sent()
    for number in range(2, 4):
        world.drop(f"run-{number}", a_document(number))
        world.drain()
    world.clock.advance(hours=24, minutes=1)
    due, asked = world.watch.due, []

    def counted(now: Any, limit: int) -> Any:
        asked.append(limit)
        return due(now, limit)[:2]

    world.watch.due = counted  # type: ignore[method-assign]
    assert look(world).looked_at == 3
    assert set(asked) == {100}


def test_a_job_whose_deadline_has_come_is_overdue_in_that_very_second() -> None:
    world = sent()
    (row,) = world.watch.due(world.clock.now() + timedelta(days=9), 9)
    world.clock.move_to(world.clock.now().fromisoformat(row.deadline) - timedelta(seconds=1))
    assert look(world).overdue == 0
    world.clock.move_to(world.clock.now().fromisoformat(row.deadline))
    assert look(world).overdue == 1
    assert look(world).overdue == 0, "said once"


def test_what_is_recorded_counts_without_what_was_known() -> None:
    world = sent(documents=2, provider="opentext")
    refs = [world.ledger.notices[d.notice_id].attempts[0].ref for d in world.outbox]
    rows = [world.receipt(d, Kind.DELIVERED, ref=ref) for d, ref in zip(world.outbox, refs, strict=True)]
    for ref, row in zip(refs, rows, strict=True):
        world.status_source.receipts[ref] = [row]
    world.clock.advance(hours=20, minutes=1)
    counted: list[Counter[str]] = []

    def record(receipts: Any) -> Counter[str]:
        counted.append(Counter(record_receipts([*receipts, rows[0]], **world.receipt_ports())))
        return counted[-1]

    polled = look(world, record=record)
    assert (polled.asked, polled.recorded) == (2, 2)


def test_silence_of_several_runs_is_reported_run_by_run() -> None:
    world = two_jobs()
    world.clock.advance(hours=24, minutes=1)
    look(world)
    found = [e for e in world.exceptions.raised if e.code == "no_receipt_at_deadline"]
    assert sorted((e.run_id, e.count) for e in found) == [("run-1", 1), ("run-2", 1)]
    assert all(e.part.startswith("watch ") for e in found)
    assert len({e.part for e in found}) == 2


def test_a_silence_is_an_event_of_its_notice_with_the_look_that_found_it() -> None:
    world = sent()
    world.clock.advance(hours=24, minutes=1)
    look(world)
    event = world.notice("D0001").events[-1]
    assert (event.what, event.detail) == ("overdue", "1 no receipt")
    assert event.report.startswith("no_receipt_at_deadline ")
    assert world.notice("D0001").status == Status.SENT


@pytest.mark.parametrize("wish", ["other_channel", "paper"])
def test_what_counts_as_lost_tells_its_run_and_goes_back_to_the_decision(wish: Any) -> None:
    world = sent(a_rule(deadline_hours=24, on_no_receipt=wish, paper_on_failure=wish == "paper"), documents=2)
    world.clock.advance(hours=24, minutes=1)
    look(world)
    assert world.outcomes("run-1") == {"unconfirmed": 2}
    (message,) = world.queues["decide"].messages
    assert sorted(message.json()["positions"]) == [1, 2]
    notice = world.notice("D0001")
    assert (notice.status, notice.why, notice.waiting) == (
        *(Status.UNDELIVERED, "no_receipt"),
        ("sms",) if wish == "other_channel" else (),
    )
    assert [a.why for a in notice.attempts] == ["no_receipt"]
    assert raised(world, "no_receipt_at_deadline") == []


# --- reputation ------------------------------------------------------------------------------------


def test_a_low_reputation_stops_marketing_once_and_a_good_one_lets_it_go_on() -> None:
    world = World()
    rows = {("sms", "sns"): Counter(delivered=50), ("email", "ses"): Counter(delivered=50, complaint=9)}
    world.reputation.last_day = lambda now: rows  # type: ignore[method-assign, assignment, return-value]
    polled = look(world)
    assert [(rate.channel, rate.sender) for rate in polled.rates] == [("email", "ses"), ("sms", "sns")]
    look(world)
    (e,) = world.exceptions.raised
    assert (e.code, e.severity, e.domain, e.run_id) == ("reputation_low", "severe", "unknown", "none")
    assert e.text.startswith("email: ")
    assert e.text.endswith(" over 24 hours; marketing on this channel is stopped")
    assert e.part == f"email {world.clock.now().date().isoformat()}"
    assert list(world.reputation.stopped()) == ["email"]

    del rows["email", "ses"]
    look(world)
    assert list(world.reputation.stopped()) == []
    assert len(world.exceptions.raised) == 1


def test_a_provider_of_another_channel_is_asked_by_its_own() -> None:
    world = World(a_rule(deadline_hours=24, channels=("sms",)))
    world.providers["opentext"] = FakeProvider("opentext", world.clock)
    world.providers_by_channel["sms"] = "opentext"
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=20, minutes=1)
    assert look(world).asked == 1


@pytest.mark.parametrize("provider", ["mail", "text"])
def test_of_a_message_on_both_channels_the_jobs_own_attempt_is_overdue(provider: str) -> None:
    world = sent(a_rule(deadline_hours=24, both_channels=True))
    due = world.watch.due
    world.watch.due = lambda now, limit: [  # type: ignore[method-assign]
        job for job in due(now, limit) if job.provider == provider
    ]
    world.clock.advance(hours=24, minutes=1)
    assert look(world).overdue == 1
    silent = next(a for a in world.notice("D0001").attempts if a.provider == provider)
    assert world.notice("D0001").events[-1].detail == f"{silent.number} no receipt"
