"""Receipts close the loop: ledger, contact, suppression, the next channel, paper, evidence, reputation."""

import random
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import Attempt, Notice, Origin, Status, begun, chain_holds, finished, head
from exstream_notify.domain.receipts import MEANINGS, Kind, Receipt, ReceiptPolicy, stamp
from exstream_notify.domain.watching import Watched
from exstream_notify.use_cases.record_receipts import record_batch, record_receipts
from tests.fakes import (
    FakeAddresses,
    FakeClock,
    FakeContacts,
    FakeDecideQueue,
    FakeEarlyReceipts,
    FakeExceptionBus,
    FakeLedger,
    FakeProvider,
    FakeQueue,
    FakeReceiptEvidence,
    FakeReputation,
    FakeRunBook,
    FakeSuppressions,
    a_document,
    a_notice,
    a_rule,
)

from .world import Disorder, World

When = Literal["before", "after"]


def told(world: World, number: int = 0) -> Any:
    return world.outbox[number]


def test_a_hard_bounce_marks_the_contact_and_the_next_channel_is_tried_at_once() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    world.report(world.receipt(told(world), Kind.HARD_BOUNCE))
    world.drain()

    notice = world.notice("D0001")
    assert [(a.channel, a.status) for a in notice.attempts] == [("email", "bounced"), ("sms", "sent")]
    contact = world.contacts.stored["retail", "C0001"]
    assert contact.email is not None
    assert contact.email.status == "invalid"
    assert contact.history[-1]["field"] == "email status"
    assert world.outcomes("run-1") == {"notified": 1}

    world.drop("run-2", a_document(1, document_id="D2001"))
    world.drain()
    assert [a.channel for a in world.notice("D2001").attempts] == ["sms"]
    world.check()


def test_the_next_run_of_another_customer_with_that_address_is_not_written_to() -> None:
    world = World()
    world.drop("run-1", a_document(1, email="Anna.B@Example.com"))
    world.drain()
    world.report(world.receipt(told(world), Kind.COMPLAINT, recipient="ANNA.B@example.COM"))
    world.drain()
    world.drop(
        "run-2",
        a_document(2, email="anna.b@example.com"),
        a_document(1, document_id="D9", email="anna.b@example.com"),
    )
    world.drain()
    assert world.told("sms") == ["+12025550101", "+12025550102"]
    assert len(world.told("email")) == 1
    assert world.contacts.stored["retail", "C0001"].email.status == "complained"  # type: ignore[union-attr]
    world.check()


@pytest.mark.parametrize("kind", [Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE, Kind.POLICY_REFUSED])
def test_a_failure_after_delivered_counts_also_if_delivered_is_told_after_it(kind: Kind) -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    mail = told(world)
    soon = stamp(world.clock.now() + timedelta(minutes=1))
    delivered = world.receipt(mail, Kind.DELIVERED)
    world.report(delivered)
    world.drain()
    assert world.notice("D0001").status == Status.DELIVERED
    world.clock.advance(hours=24)
    world.report(world.receipt(mail, kind))
    world.drain()
    assert world.told("sms") == ["+12025550101"]
    world.report(replace(delivered, ref="another", at=soon))
    world.drain()
    assert world.notice("D0001").attempts[0].status == MEANINGS[kind].status
    world.check()


def test_with_no_channel_left_a_regulated_document_goes_to_paper_and_another_is_told_of() -> None:
    world = World(a_rule(paper_on_failure=True))
    world.drop("run-1", a_document(1, mobile=None))
    world.drain()
    world.report(world.receipt(told(world), Kind.HARD_BOUNCE))
    world.drain()
    assert world.outcomes("run-1") == {"paper": 1}

    plain = World()
    plain.drop("run-1", a_document(1, mobile=None))
    plain.drain()
    plain.report(plain.receipt(told(plain), Kind.HARD_BOUNCE))
    plain.drain()
    assert plain.outcomes("run-1") == {"failed": 1}
    assert "unreached" in plain.exceptions.codes


def test_each_attempt_falls_back_once_however_often_its_bounce_comes() -> None:
    world = World(disorder=Disorder(seed=3, duplicates=0.9))
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    bounce = world.receipt(told(world), Kind.HARD_BOUNCE)
    world.report(bounce, bounce, bounce)
    world.come_to_rest()
    assert len(world.told("sms")) == 1
    assert world.outcomes("run-1") == {"notified": 1}
    world.check()


def test_a_delay_waits_before_the_next_channel_is_tried() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    world.report(world.receipt(told(world), Kind.DELAYED))
    world.drain()
    assert world.told("sms") == []
    world.clock.advance(hours=3)
    world.release()
    world.drain()
    assert world.told("sms") == []
    world.clock.advance(hours=1, minutes=1)
    world.release()
    world.drain()
    assert world.told("sms") == ["+12025550101"]
    world.check()


def test_a_delayed_message_that_arrives_needs_no_other() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    mail = told(world)
    world.report(world.receipt(mail, Kind.DELAYED))
    world.drain()
    world.clock.advance(hours=1)
    world.report(world.receipt(mail, Kind.DELIVERED))
    world.come_to_rest()
    assert world.told("sms") == []
    assert world.notice("D0001").status == Status.DELIVERED


def test_a_fallback_in_the_night_waits_for_the_morning() -> None:
    world = World(at="2026-11-21T03:00:00+00:00")
    world.drop("run-1", a_document(1))
    world.drain()
    world.report(world.receipt(told(world), Kind.HARD_BOUNCE))
    world.drain()
    assert world.told("sms") == []
    assert world.notice("D0001").status == Status.DEFERRED
    world.come_to_rest()
    assert world.told("sms") == ["+12025550101"]
    world.check()


def test_a_bounce_years_late_tells_nobody_old_news() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    mail = told(world)
    world.clock.advance(days=800)
    world.report(world.receipt(mail, Kind.HARD_BOUNCE))
    world.drain()
    assert world.told("sms") == []
    assert world.notice("D0001").status == Status.BOUNCED
    assert "unreached" in world.exceptions.codes
    world.check()


def test_softly_an_address_stays_usable_until_it_happens_too_often() -> None:
    world = World()
    for number in range(4):
        world.drop(f"run-{number}", a_document(1, document_id=f"D{number}", mobile=None))
        world.drain()
        mails = [d for d in world.outbox if d.channel == "email"]
        if len(mails) == number + 1:
            world.report(world.receipt(mails[-1], Kind.SOFT_BOUNCE))
            world.drain()
        world.clock.advance(hours=1)
    assert len(world.outbox) == 3
    assert world.contacts.stored["retail", "C0001"].email.status == "soft"  # type: ignore[union-attr]
    assert world.reasons("run-3", "suppressed") == {"no_channel": 1}


def test_a_receipt_for_an_unknown_notice_is_kept_and_matched_later() -> None:
    world = World()
    other = World()
    other.drop("run-1", a_document(1))
    other.drain()
    receipt = other.receipt(told(other), Kind.HARD_BOUNCE)
    world.report(receipt)
    world.drain()
    assert len(world.early.kept) == 1
    assert world.suppressions.stored, "it says something of its address all the same"

    world.suppressions.stored.clear()
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.poll().matched == 1
    world.drain()
    assert world.notice("D0001").attempts[0].status == Status.BOUNCED
    assert world.told("sms") == ["+12025550101"]
    assert not world.early.kept
    world.check()


def test_a_receipt_that_never_matches_is_reported_once() -> None:
    world = World()
    world.report(Receipt("ses", "email", Kind.DELIVERED, stamp(world.clock.now()), notice_id="f" * 32))
    world.drain()
    world.poll()
    assert "receipt_unmatched" not in world.exceptions.codes
    world.clock.advance(hours=25)
    assert world.poll().given_up == 1
    assert world.poll().given_up == 0
    world.drain()
    assert "receipt_unmatched" in world.exceptions.codes


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_at_any_call_leaves_nothing_undone(when: When) -> None:
    calls = _story(None)
    assert calls > 5
    for number in range(1, calls + 1):
        _story((number, when))


def _story(kill: "tuple[int, When] | None") -> int:
    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    world.report(world.receipt(told(world), Kind.HARD_BOUNCE))
    start = world.wire.number
    if kill is not None:
        world.wire.kill_at(start + kill[0], kill[1])
    (message,) = world.queues["receipts"].ready()
    done = world.deliver("receipts", message)
    used = world.wire.number - start
    assert done == (kill is None)
    world.come_to_rest()
    notice = world.notice("D0001")
    assert [(a.channel, a.status) for a in notice.attempts] == [("email", "bounced"), ("sms", "sent")]
    assert world.contacts.stored["retail", "C0001"].email.status == "invalid"  # type: ignore[union-attr]
    assert ("email", "hash of email:c0001@example.com") in world.suppressions.stored
    assert world.outcomes("run-1") == {"notified": 2}
    anchored = [row for rows in world.receipt_evidence.objects.values() for row in rows]
    assert any(row["notice_id"] == notice.notice_id for row in anchored), "its place in the chain is kept"
    world.check()
    return used


def test_one_message_that_cannot_be_recorded_stops_no_other() -> None:
    receipts = {name: [Receipt("ses", "email", Kind.SENT, "2026")] for name in ("good", "bad", "fine")}

    def record(rows: Any) -> Counter[str]:
        if len(rows) > 1 or rows is receipts["bad"]:
            raise ValueError("no")
        return Counter(sent=1)

    counts, failed = record_batch(receipts, record)
    assert counts == {"sent": 2}
    assert list(failed) == ["bad"]


def test_an_internal_copy_that_bounces_is_told_of() -> None:
    world = World(a_rule(teams=("underwriting",), team_copy="each"), teams={"underwriting": "uw@example.com"})
    world.drop("run-1", a_document(1))
    world.drain()
    copy = next(d for d in world.outbox if d.to == "uw@example.com")
    world.report(world.receipt(copy, Kind.HARD_BOUNCE))
    world.drain()
    assert "team_not_told" in world.exceptions.codes
    assert world.notice("D0001").status == Status.SENT


# --- deadlines, polling, reputation ---------------------------------------------------------------------


def test_a_document_without_a_receipt_at_its_deadline_is_never_silent() -> None:
    world = World(a_rule(deadline_hours=24))
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    world.report(world.receipt(told(world), Kind.DELIVERED))
    world.drain()
    world.clock.advance(hours=23)
    assert world.poll().overdue == 0
    world.clock.advance(hours=2)
    assert world.poll().overdue == 1
    world.drain()
    assert "no_receipt_at_deadline" in world.exceptions.codes
    world.clock.advance(hours=2)
    assert world.poll().overdue == 0, "once"
    world.check()


def test_a_backlog_of_jobs_is_looked_at_in_one_go() -> None:
    world = World(a_rule(deadline_hours=24))
    at = world.clock.now().isoformat()
    for number in range(1_000):
        world.watch.add(Watched(f"job-{number}", "email", "ses", at, at, (f"unknown-{number}",)))

    assert world.poll().looked_at == 1_000
    assert not world.watch.watched


@pytest.mark.parametrize(
    ("rule", "outcome", "sms"),
    [
        (a_rule(deadline_hours=24, on_no_receipt="other_channel"), {"notified": 1}, 1),
        (a_rule(deadline_hours=24, on_no_receipt="paper", paper_on_failure=True), {"paper": 1}, 0),
    ],
)
def test_what_the_rule_says_of_a_missing_receipt(rule: Any, outcome: dict[str, int], sms: int) -> None:
    world = World(rule)
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=23, minutes=59, seconds=30)
    world.poll()
    world.clock.advance(seconds=40)
    world.poll()
    world.drain()
    assert world.outcomes("run-1") == outcome
    assert len(world.told("sms")) == sms
    world.check()


def test_a_provider_that_can_be_asked_is_asked_in_time_and_only_for_what_no_push_answered() -> None:
    world = World()
    world.providers["opentext"] = FakeProvider("opentext", world.clock)
    world.providers_by_channel["email"] = "opentext"
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    first, second = world.outbox
    world.report(world.receipt(first, Kind.DELIVERED))
    world.drain()
    notice = world.ledger.notices[second.notice_id]
    ref = notice.attempts[0].ref
    world.status_source.receipts[ref] = [world.receipt(second, Kind.HARD_BOUNCE, ref=ref)]
    world.clock.advance(hours=19)
    assert world.poll().asked == 0
    world.clock.advance(hours=1, minutes=1)
    world.poll()
    assert world.status_source.asked == [ref]
    world.drain()
    assert world.ledger.notices[second.notice_id].attempts[0].status == Status.BOUNCED


def test_marketing_stops_at_the_limit_and_everything_else_goes_on() -> None:
    world = World(a_rule(), a_rule(name="offer", message_class="marketing", topic="offers", wording="offer"))
    for number in range(20):
        kind = Kind.COMPLAINT if number < 1 else Kind.DELIVERED
        world.reputation.add("email", "ses", world.clock.now(), {str(kind): 1})
    rates = world.poll().rates
    assert rates[0].complaint_rate > 5
    world.drop("run-1", a_document(1), a_document(2, document_type="offer"))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    assert world.reasons("run-1", "deferred") == {"reputation": 1}
    assert "reputation_low" in world.exceptions.codes
    world.clock.advance(hours=26)
    world.poll()
    world.release()
    world.drain()
    assert world.told() == ["c0001@example.com", "c0002@example.com"]


def test_the_alert_of_a_stop_is_named_by_the_day_in_utc_wherever_the_function_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.reputation.add("email", "ses", world.clock.now(), {"complaint": 1, "delivered": 20})
    with monkeypatch.context() as patched:
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # it is never one day in both
            patched.setenv("TZ", zone)
            time.tzset()
            world.reputation.stop({})
            world.poll()
    time.tzset()
    parts = [e.part for e in world.exceptions.raised if e.code == "reputation_low"]
    assert parts == [f"email {world.clock.now():%Y-%m-%d}"] * 2


def test_a_rate_counts_a_receipt_once_though_what_follows_it_fails_and_is_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    complaint = world.receipt(told(world), Kind.COMPLAINT)

    def refused(*arguments: Any, **options: Any) -> None:
        raise ConnectionError("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(world.receipt_evidence, "anchor", refused)
        for _ in range(2):
            world.report(complaint)
            with pytest.raises(ConnectionError):
                world.drain()
    world.report(complaint)
    world.drain()
    assert world.receipt_evidence.objects
    (counts,) = world.reputation.last_day(world.clock.now()).values()
    assert counts == {"complaint": 1}


def test_echoes_of_lists_count_in_no_rate() -> None:
    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    world.report(
        world.receipt(told(world, 0), Kind.ECHO_BOUNCE), world.receipt(told(world, 1), Kind.DELIVERED)
    )
    world.drain()
    (counts,) = world.reputation.last_day(world.clock.now()).values()
    assert counts == {"delivered": 1}
    assert world.suppressions.stored["email", "hash of email:c0001@example.com"].reason == "echo"


# --- thousands -----------------------------------------------------------------------------------

_KINDS = (
    *[Kind.DELIVERED] * 20, Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE, Kind.COMPLAINT, Kind.DELAYED, Kind.NOT_SPAM,
    Kind.GAVE_UP, Kind.POLICY_REFUSED, Kind.UNDETERMINED, Kind.ECHO_BOUNCE, Kind.SENT,
)  # fmt: skip


class _Ledger:
    """One in-memory ledger with all that recording takes, fed in batches as the queue feeds it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = FakeLedger(history=False)
        self.suppressions = FakeSuppressions(now=self.clock.now)
        self.early = FakeEarlyReceipts()
        queue = FakeQueue("any", self.clock)
        self.ports: dict[str, Any] = {
            "ledger": self.ledger,
            "contacts": FakeContacts(),
            "addresses": FakeAddresses(),
            "suppressions": self.suppressions,
            "runs": FakeRunBook(),
            "decide_queue": FakeDecideQueue(queue),
            "receipt_evidence": FakeReceiptEvidence(),
            "early": self.early,
            "reputation": FakeReputation(),
            "exceptions": FakeExceptionBus(queue),
            "clock": self.clock,
            "receipt_policy": ReceiptPolicy(),
        }

    def record(self, receipts: list[Receipt], size: int = 10) -> None:
        for start in range(0, len(receipts), size):
            record_receipts(receipts[start : start + size], **self.ports)

    def send(self, numbers: range) -> None:
        self.ledger.put([_sent(number) for number in numbers])

    def catch_up(self) -> None:
        waiting = [receipt for receipt, _ in self.early.waiting(10**9)]
        matched = [r for r in waiting if self.ledger.get([r.notice_id])]
        for start in range(0, len(matched), 500):
            record_receipts(matched[start : start + 500], **self.ports, keep=False)
        self.early.forget(matched)


def _sent(number: int) -> Notice:
    clock = FakeClock()
    origin = Origin("retail/run-1", number // 100, number + 1, "parts/retail/run-1/00000.jsonl", 0, 100)
    fresh = a_notice(version=0, notice_id=f"{number:032x}", customer_key=f"C{number}", origin=origin)
    attempt = Attempt(1, "email", "ses", f"hash of email:c{number}@example.com", "job", Status.SENDING)
    done = finished(begun(fresh, attempt, clock.now(), ()), 1, Status.SENT, clock.now(), ref=f"m{number}")
    assert done is not None
    return replace(done, version=1)


def stream_of(total: int, notices: int, seed: int) -> list[Receipt]:
    """Receipts in the order of their events, several a notice."""
    chance = random.Random(seed)
    base = FakeClock().now()
    channel: Channel = "email"
    return [
        Receipt(
            "ses",
            channel,
            chance.choice(_KINDS),
            stamp(base + timedelta(seconds=number)),
            notice_id=f"{(target := chance.randrange(notices)):032x}",
            attempt=1,
            recipient=f"c{target}@example.com",
            ref=f"m{target}",
        )
        for number in range(total)
    ]


def test_thousands_of_receipts_in_disorder_end_as_the_ordered_stream_does() -> None:
    """On the in-memory ledger: 5,000 receipts of which a third come twice, shuffled, some before their send."""
    notices = 1_000
    ordered = stream_of(3_750, notices, seed=11)
    mixed = [*ordered, *ordered[:1_250]]
    random.Random(12).shuffle(mixed)

    plain = _Ledger()
    plain.send(range(notices))
    plain.record(ordered)

    wild = _Ledger()
    wild.send(range(0, notices, 2))
    wild.record(mixed[:1_500])
    assert wild.early.kept, "some came before their send"
    wild.send(range(1, notices, 2))
    wild.record(mixed[1_500:])
    wild.catch_up()

    one, other = plain.ledger.notices, wild.ledger.notices
    assert {key: n.status for key, n in one.items()} == {key: n.status for key, n in other.items()}
    hard = {"hard", "complaint", "echo"}
    assert {k: e.reason for k, e in plain.suppressions.stored.items() if e.reason in hard} == {
        k: e.reason for k, e in wild.suppressions.stored.items() if e.reason in hard
    }
    assert all(chain_holds(n) for n in other.values())
    anchors = [row for rows in wild.ports["receipt_evidence"].objects.values() for row in rows]
    heads = {row["head"] for row in anchors}
    changed = [n for n in other.values() if n.version > 1]
    assert changed
    assert all(head(n) in heads for n in changed), "the newest head of each chain is kept"
