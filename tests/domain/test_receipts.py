"""The tables of receipts row by row, and what must hold whatever the order."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import (
    LOST,
    RANK,
    REACHED,
    Attempt,
    Notice,
    Outcome,
    Status,
    begun,
    chain_holds,
    finished,
)
from exstream_notify.domain.reasons import scrubbed
from exstream_notify.domain.receipts import (
    INLINE_LIMIT,
    MEANINGS,
    Kind,
    Receipt,
    ReceiptPolicy,
    Suppression,
    applied,
    released,
    stamp,
    suppressed_by,
)
from tests.fakes import a_notice

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
POLICY = ReceiptPolicy()


def at(hours: float = 0.0) -> str:
    return stamp(NOW + timedelta(hours=hours))


def a_receipt(kind: Kind = Kind.DELIVERED, **changes: object) -> Receipt:
    values: dict[str, object] = {
        "provider": "ses",
        "channel": "email",
        "kind": kind,
        "at": at(),
        "notice_id": a_notice().notice_id,
        "attempt": 1,
        "ref": "message-1",
    }
    return Receipt(**{**values, **changes})  # type: ignore[arg-type]


def an_attempt(number: int = 1, channel: Channel = "email") -> Attempt:
    return Attempt(number, channel, "ses", f"hash-{channel}", "job", Status.SENDING, lease=1.0)


def sent() -> Notice:
    notice = finished(
        begun(a_notice(version=0), an_attempt(), NOW, ("sms",)), 1, Status.SENT, NOW, ref="message-1"
    )
    assert notice is not None
    return notice


def after(notice: Notice, *receipts: Receipt) -> Notice:
    for receipt in receipts:
        notice = applied(notice, receipt, NOW, POLICY, "evidence/receipts/x.jsonl") or notice
    return notice


# --- tables ---------------------------------------------------------------------------------------------


def test_what_falls_back_did_not_reach_anybody() -> None:
    for kind, meaning in MEANINGS.items():
        assert meaning.fall_back == (meaning.status in LOST), kind
        assert bool(meaning.alert) <= (
            meaning.fault in ("us", "content") or kind in (Kind.UNKNOWN, Kind.CHALLENGE)
        )


# --- one notice -----------------------------------------------------------------------------------------


def test_a_late_bounce_and_a_complaint_outrank_delivered() -> None:
    delivered = after(sent(), a_receipt())
    assert (delivered.status, delivered.outcome) == (Status.DELIVERED, Outcome.NOTIFIED)
    bounced = after(delivered, a_receipt(Kind.HARD_BOUNCE, at=at(24)))
    assert (bounced.status, bounced.outcome, bounced.why) == (Status.BOUNCED, Outcome.FAILED, "hard_bounce")
    complained = after(delivered, a_receipt(Kind.COMPLAINT, at=at(48)))
    assert (complained.status, complained.outcome) == (Status.COMPLAINED, Outcome.NOTIFIED)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.HARD_BOUNCE,
        Kind.SOFT_BOUNCE,
        Kind.POLICY_REFUSED,
        Kind.CONTENT_REFUSED,
        Kind.GAVE_UP,
        Kind.NOT_DELIVERED,
    ],
)
def test_what_happened_later_stands_in_whatever_order_it_is_told(kind: Kind) -> None:
    lost = MEANINGS[kind].status
    failure, delivery = a_receipt(kind, at=at(2)), a_receipt(at=at(1))
    for told in ((failure, delivery), (delivery, failure)):
        notice = after(sent(), *told)
        assert (notice.status, notice.outcome, notice.why) == (lost, Outcome.FAILED, str(kind))
    failure, delivery = a_receipt(kind, at=at(1)), a_receipt(at=at(2))
    for told in ((failure, delivery), (delivery, failure)):
        assert after(sent(), *told).status == Status.DELIVERED


def test_an_attempt_that_was_recorded_without_times_moves_by_rank() -> None:
    def recorded(status: Status) -> Notice:
        notice = sent()
        return replace(notice, status=status, attempts=(replace(notice.attempts[0], status=status),))

    assert after(recorded(Status.DELIVERED), a_receipt(Kind.SOFT_BOUNCE)).status == Status.DELIVERED
    assert after(recorded(Status.DELIVERED), a_receipt(Kind.HARD_BOUNCE)).status == Status.BOUNCED
    assert after(recorded(Status.BOUNCED), a_receipt()).status == Status.BOUNCED
    assert after(recorded(Status.UNDELIVERED), a_receipt()).status == Status.DELIVERED


def test_a_delivery_between_two_failures_leaves_the_later_one() -> None:
    rows = [a_receipt(Kind.HARD_BOUNCE, at=at(1)), a_receipt(at=at(2)), a_receipt(Kind.SOFT_BOUNCE, at=at(3))]
    for told in permutations(rows):
        assert after(sent(), *told).status == Status.UNDELIVERED


def test_a_receipt_before_the_answer_is_recorded_counts_and_keeps_its_reference() -> None:
    claimed = begun(a_notice(version=0), an_attempt(), NOW, ())
    early = after(claimed, a_receipt())
    assert early.status == Status.DELIVERED
    assert early.attempts[0].ref == "message-1"
    assert finished(early, 1, Status.SENT, NOW, ref="message-1") is None


def test_a_receipt_resolves_a_doubt_and_takes_it_out_of_the_due_index() -> None:
    doubt = finished(
        begun(a_notice(version=0), an_attempt(), NOW, ()), 1, Status.UNCONFIRMED, NOW, due_at=at(24)
    )
    assert doubt is not None
    resolved = after(doubt, a_receipt(Kind.SENT))
    assert (resolved.status, resolved.due_at) == (Status.SENT, "")


def test_a_delay_waits_and_what_follows_ends_the_wait() -> None:
    delayed = after(sent(), a_receipt(Kind.DELAYED))
    assert delayed.status == Status.DELAYED
    assert datetime.fromisoformat(delayed.due_at) == NOW + POLICY.delay_wait
    assert after(delayed, a_receipt(at=at(1))).due_at == ""
    soon = after(sent(), a_receipt(Kind.DELAYED, until=at(1)))
    assert datetime.fromisoformat(soon.due_at) == NOW + timedelta(hours=1)


def test_the_same_receipt_twice_is_one() -> None:
    once = after(sent(), a_receipt())
    assert applied(once, a_receipt(), NOW, POLICY) is None


def test_a_bounce_of_one_attempt_leaves_what_another_reached() -> None:
    bounced = after(sent(), a_receipt(Kind.HARD_BOUNCE))
    text = finished(begun(bounced, an_attempt(2, "sms"), NOW, ()), 2, Status.SENT, NOW, ref="sms-1")
    assert text is not None
    assert text.status == Status.SENT
    late = after(text, a_receipt(Kind.COMPLAINT))
    assert late.attempts[1].status == Status.SENT
    by_number = after(text, a_receipt(provider="sms", channel="sms", attempt=2))
    assert (by_number.status, by_number.attempts[0].status) == (Status.DELIVERED, Status.BOUNCED)


def test_a_message_to_several_counts_by_the_address_that_is_ours() -> None:
    other = a_receipt(Kind.HARD_BOUNCE, sole=False, hashes=("somebody else",))
    assert applied(sent(), other, NOW, POLICY) is None
    ours = a_receipt(Kind.HARD_BOUNCE, sole=False, hashes=("hash-email",))
    assert after(sent(), ours).status == Status.BOUNCED
    forwarded = a_receipt(Kind.HARD_BOUNCE, sole=True, hashes=("where it was forwarded to",))
    assert after(sent(), forwarded).status == Status.BOUNCED


@pytest.mark.parametrize("status", [Status.SUPERSEDED, Status.PAPER, Status.SUPPRESSED])
def test_what_has_ended_stays_so(status: Status) -> None:
    ended = replace(sent(), status=status)
    assert after(ended, a_receipt(Kind.HARD_BOUNCE)).status == status


def test_a_receipt_for_no_attempt_is_written_down_and_moves_nothing() -> None:
    stray = after(sent(), a_receipt(Kind.HARD_BOUNCE, attempt=7))
    assert stray.status == Status.SENT
    assert stray.events[-1].what == "receipt hard_bounce"


def test_a_notice_does_not_grow_without_end() -> None:
    notice = sent()
    for number in range(3 * INLINE_LIMIT):
        notice = after(notice, a_receipt(Kind.UNDETERMINED, at=at(number)))
    assert len(notice.events) <= INLINE_LIMIT + 2
    assert after(notice, a_receipt(Kind.HARD_BOUNCE, at=at(1000))).status == Status.BOUNCED


def test_nobody_is_named_in_what_is_kept() -> None:
    told = scrubbed("smtp; 550 5.1.1 <anna.b@example.com>:\r\nuser +12025550142 unknown #1")
    assert "anna" not in told
    assert "2025550142" not in told
    assert "\n" not in told
    assert "550 5.1.1" in told
    receipt = a_receipt(recipient="anna.b@example.com", reason=told)
    assert "anna" not in repr(receipt)
    assert "anna" not in after(sent(), receipt).events[-1].detail


_KINDS = st.sampled_from([k for k in Kind if k is not Kind.UNKNOWN])


@st.composite
def streams(draw: st.DrawFn) -> list[Receipt]:
    rows = draw(st.lists(st.tuples(_KINDS, st.integers(0, 200), st.sampled_from([1, 2])), max_size=12))
    channels: dict[int, Channel] = {1: "email", 2: "sms"}
    return [
        a_receipt(kind, at=at(hours), attempt=number, channel=channels[number], ref="")
        for kind, hours, number in rows
    ]


def two_attempts() -> Notice:
    first = begun(a_notice(version=0), an_attempt(1, "email"), NOW, ("sms",))
    told = finished(begun(first, an_attempt(2, "sms"), NOW, ()), 2, Status.SENT, NOW)
    assert told is not None
    return told


@given(streams(), st.integers(0, 1000))
@settings(max_examples=300, deadline=None)
def test_shuffled_and_repeated_receipts_end_as_the_ordered_stream_does(
    rows: list[Receipt], seed: int
) -> None:
    ordered = after(two_attempts(), *sorted(rows, key=lambda r: r.at))
    chance = random.Random(seed)
    mixed = [*rows, *chance.sample(rows, len(rows) // 3)]
    chance.shuffle(mixed)
    shuffled = after(two_attempts(), *mixed)
    assert shuffled.status == ordered.status
    assert [a.status for a in shuffled.attempts] == [a.status for a in ordered.attempts]
    assert chain_holds(shuffled)
    assert len(shuffled.events) <= len(two_attempts().events) + len(rows)


@given(streams())
@settings(max_examples=200, deadline=None)
def test_an_attempt_stands_as_the_last_that_happened_to_it(rows: list[Receipt]) -> None:
    notice = after(two_attempts(), *rows)
    assert notice.outcome == Outcome.NOTIFIED or not {a.status for a in notice.attempts} & REACHED
    for attempt in notice.attempts:
        said = [(r.at, status) for r in rows if r.attempt == attempt.number and (status := r.meaning.status)]
        lost = max((at for at, status in said if status in LOST), default="")
        delivered = max((at for at, status in said if status == Status.DELIVERED), default="")
        if any(status == Status.COMPLAINED for _, status in said):
            assert attempt.status == Status.COMPLAINED
        elif lost or delivered:
            assert attempt.status in LOST if lost >= delivered else attempt.status == Status.DELIVERED
        else:
            assert RANK[attempt.status] <= RANK[Status.DELAYED]


# --- suppression ----------------------------------------------------------------------------------------


def entry(*receipts: Receipt, start: Suppression | None = None) -> Suppression:
    found = start or Suppression("email", "hash-email")
    for receipt in receipts:
        found = suppressed_by(found, receipt, POLICY)
    return found


def test_a_hard_bounce_suppresses_for_good() -> None:
    found = entry(a_receipt(Kind.HARD_BOUNCE))
    assert (found.reason, found.source, found.expires) == ("hard", "ses", "")
    assert found.in_force(NOW + timedelta(days=4000))


def test_soft_failures_count_within_a_window_of_event_time() -> None:
    spread = [a_receipt(Kind.SOFT_BOUNCE, at=at(hours)) for hours in (0, 24 * 5, 24 * 10, 24 * 15)]
    assert not entry(*spread).in_force(NOW + timedelta(days=15))
    dense = [a_receipt(Kind.SOFT_BOUNCE, at=at(hours)) for hours in (0, 24, 48)]
    found = entry(*dense)
    assert found.reason == "soft"
    assert found.in_force(NOW + timedelta(days=3))
    assert not found.in_force(NOW + timedelta(days=3) + POLICY.soft_rest)
    assert not entry(dense[0], dense[0], dense[0]).reason, "one failure told three times is one"


@pytest.mark.parametrize(
    "kind", [Kind.NOT_SPAM, Kind.POLICY_REFUSED, Kind.CONTENT_REFUSED, Kind.UNDETERMINED]
)
def test_what_never_suppresses(kind: Kind) -> None:
    assert entry(a_receipt(kind)) == Suppression("email", "hash-email")


def test_a_release_holds_until_something_new_happens() -> None:
    bounced = entry(a_receipt(Kind.HARD_BOUNCE))
    lifted = released(bounced, "operator", "the customer called", NOW + timedelta(hours=1))
    assert not lifted.in_force(NOW + timedelta(hours=2))
    assert lifted.history[-1]["who"] == "operator"
    assert lifted.history[-1]["why"] == "the customer called"
    assert not entry(a_receipt(Kind.HARD_BOUNCE, at=at(0.5)), start=lifted).in_force(NOW + timedelta(hours=2))
    again = entry(a_receipt(Kind.HARD_BOUNCE, at=at(2)), start=lifted)
    assert again.in_force(NOW + timedelta(hours=3))


def test_a_release_lifts_what_a_clock_ahead_of_ours_told() -> None:
    ahead = entry(a_receipt(Kind.HARD_BOUNCE, at=at(5)))
    lifted = released(ahead, "operator", "the customer called", NOW + timedelta(hours=1))
    assert not lifted.in_force(NOW + timedelta(hours=2))
    again = entry(a_receipt(Kind.HARD_BOUNCE, at=at(6)), start=lifted)
    assert again.in_force(NOW + timedelta(hours=2))


@given(st.lists(st.tuples(_KINDS, st.integers(0, 400)), max_size=14), st.integers(0, 1000))
@settings(max_examples=300, deadline=None)
def test_suppression_does_not_depend_on_the_order(rows: Sequence[tuple[Kind, int]], seed: int) -> None:
    receipts = [a_receipt(kind, at=at(hours)) for kind, hours in rows]
    ordered = entry(*sorted(receipts, key=lambda r: r.at))
    mixed = [*receipts, *receipts[: len(receipts) // 3]]
    random.Random(seed).shuffle(mixed)
    found = entry(*mixed)
    hard = {"hard", "complaint", "echo"}
    assert (found.reason in hard) == (ordered.reason in hard)
    assert found.reason == ordered.reason
