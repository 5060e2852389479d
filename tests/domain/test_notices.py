"""A notice moves forward only, and its chain of events shows every change of what came before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.deferring import put_off
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import (
    OUTCOME_OF,
    RANK,
    Attempt,
    Event,
    Notice,
    Outcome,
    Status,
    begun,
    chain_holds,
    finished,
    happened,
    head,
    opened,
)
from tests.fakes import a_notice
from tests.use_cases.world import assert_forward_only

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def an_attempt(number: int = 1, channel: Channel = "email") -> Attempt:
    """A claim."""
    return Attempt(number, channel, "mail", "hash", "job", Status.SENDING, lease=1.0, evidence="proof#0")


def claimed(waiting: tuple[Channel, ...] = ("sms",)) -> Notice:
    """A notice whose first attempt is under way."""
    return begun(a_notice(version=0), an_attempt(), NOW, waiting)


def test_every_status_has_a_rank_and_an_outcome() -> None:
    assert set(RANK) == set(Status) == set(OUTCOME_OF)
    assert RANK[Status.SENDING] < RANK[Status.UNCONFIRMED] < RANK[Status.FAILED] < RANK[Status.SENT]


def test_a_claim_is_the_first_version() -> None:
    notice = claimed()

    assert (notice.version, notice.status, notice.waiting) == (1, Status.SENDING, ("sms",))
    assert notice.attempt(1) == an_attempt()
    assert notice.attempt(2) is None
    assert notice.outcome == Outcome.IN_FLIGHT
    assert chain_holds(notice)


def test_a_decision_is_opened_at_version_one() -> None:
    notice = opened(a_notice(status=Status.SUPPRESSED, why="opted_out"), NOW, "suppressed", "opted_out")

    assert notice.version == 1
    assert notice.created_at == "2026-11-20T15:00:00.000+00:00"
    assert [e.what for e in notice.events] == ["suppressed"]


_RESULTS = [Status.UNCONFIRMED, Status.FAILED, Status.SENT]


@pytest.mark.parametrize("first", _RESULTS)
@pytest.mark.parametrize("second", _RESULTS)
def test_a_result_stands_unless_a_higher_one_comes(first: Status, second: Status) -> None:
    once = finished(claimed(), 1, first, NOW, ref="p-1", why="first")
    assert once is not None
    twice = finished(once, 1, second, LATER, ref="p-2", why="second")

    if RANK[second] > RANK[first]:
        assert twice is not None
        assert twice.status == second
        assert twice.version == once.version + 1
    else:
        assert twice is None


def test_a_result_of_an_unknown_attempt_is_none() -> None:
    assert finished(claimed(), 2, Status.SENT, NOW) is None


def test_a_receipt_without_a_reference_keeps_the_one_there_is() -> None:
    doubted = finished(claimed(), 1, Status.UNCONFIRMED, NOW, ref="p-1", why="timeout", due_at="2026-11-21")
    assert doubted is not None
    sent = finished(doubted, 1, Status.SENT, LATER)
    assert sent is not None

    attempt = sent.attempt(1)
    assert attempt is not None
    assert (attempt.ref, attempt.why) == ("p-1", "")
    assert (sent.why, sent.due_at, sent.reached) == ("", "", True)


@pytest.mark.parametrize("second", _RESULTS)
def test_a_customer_who_was_reached_stays_reached(second: Status) -> None:
    sent = finished(claimed(), 1, Status.SENT, NOW)
    assert sent is not None
    both = finished(begun(sent, an_attempt(2, "sms"), LATER, ()), 2, second, LATER, why="w")
    assert both is not None

    assert both.status == Status.SENT
    assert both.outcome == Outcome.NOTIFIED
    assert both.why == ""


@pytest.mark.parametrize("end", [Status.SUPERSEDED, Status.SUPPRESSED, Status.PAPER])
@pytest.mark.parametrize("result", _RESULTS)
def test_a_late_result_does_not_wake_what_was_ended(end: Status, result: Status) -> None:
    notice = replace(claimed(), status=end)
    after = finished(notice, 1, result, LATER)
    assert after is not None

    assert after.status == end
    attempt = after.attempt(1)
    assert attempt is not None
    assert attempt.status == result


def test_a_superseded_notice_that_was_told_counts_as_told() -> None:
    sent = finished(claimed(), 1, Status.SENT, NOW)
    assert sent is not None

    assert replace(sent, status=Status.SUPERSEDED).outcome == Outcome.NOTIFIED
    assert a_notice(status=Status.SUPERSEDED).outcome == Outcome.SUPPRESSED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.FAILED, Outcome.UNCONFIRMED),
        (Status.SUPPRESSED, Outcome.UNCONFIRMED),
        (Status.SUPERSEDED, Outcome.UNCONFIRMED),
        (Status.PAPER, Outcome.PAPER),
        (Status.DEFERRED, Outcome.DEFERRED),
        (Status.SENDING, Outcome.IN_FLIGHT),
    ],
)
def test_a_doubt_is_not_hidden_by_what_came_after_it(status: Status, outcome: Outcome) -> None:
    doubted = finished(claimed(), 1, Status.UNCONFIRMED, NOW)
    assert doubted is not None

    assert replace(doubted, status=status).outcome == outcome


def test_a_withdrawn_claim_leaves_every_channel_open() -> None:
    notice = put_off(claimed(), 1, LATER, "provider_down", NOW)

    assert (notice.status, notice.attempts, notice.waiting) == (Status.DEFERRED, (), ())
    assert notice.due_at == "2026-11-20T15:05:00+00:00"
    assert notice.why == "provider_down"


def test_a_withdrawn_fallback_leaves_its_channel_and_those_behind_it() -> None:
    failed = finished(claimed(), 1, Status.FAILED, NOW)
    assert failed is not None
    notice = put_off(begun(failed, an_attempt(2, "sms"), NOW, ()), 2, LATER, "provider_down", NOW)

    assert (notice.status, notice.waiting) == (Status.DEFERRED, ("sms",))
    assert [a.number for a in notice.attempts] == [1]


def test_a_withdrawn_second_channel_leaves_the_customer_told() -> None:
    sent = finished(claimed(), 1, Status.SENT, NOW)
    assert sent is not None
    notice = put_off(begun(sent, an_attempt(2, "sms"), NOW, ()), 2, LATER, "provider_down", NOW)

    assert (notice.status, notice.waiting) == (Status.SENT, ("sms",))
    assert notice.due_at


def test_a_withdrawn_claim_of_what_was_superseded_is_not_tried_again() -> None:
    notice = put_off(replace(claimed(), superseded_by="D-NEW"), 1, LATER, "provider_down", NOW)

    assert (notice.status, notice.outcome) == (Status.SUPERSEDED, Outcome.SUPPRESSED)
    assert (notice.due_at, notice.waiting) == ("", ())


# --- the chain ------------------------------------------------------------------------------------


def a_history() -> Notice:
    """Four events."""
    notice = claimed()
    for what in ("resubmitted", "released", "looked at"):
        notice = happened(notice, NOW, what, "detail")
    return notice


def test_the_chain_holds_and_its_head_moves() -> None:
    notice = a_history()

    assert chain_holds(notice)
    assert len({head(replace(notice, events=notice.events[:n])) for n in range(5)}) == 5


@pytest.mark.parametrize("field", ["at", "what", "detail", "before"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_event_shows(field: str, number: int) -> None:
    notice = a_history()
    events = list(notice.events)
    events[number] = replace(events[number], **{field: "changed"})

    assert not chain_holds(replace(notice, events=tuple(events)))


def test_removal_and_reordering_show_up_to_the_last_anchor() -> None:
    notice = a_history()
    one, two, three, four = notice.events
    for events in ((two, three, four), (one, three, four), (one, three, two, four), (one, one, two)):
        assert not chain_holds(replace(notice, events=events))
    # What the chain alone cannot show: that its end is missing. The head, kept as evidence, does.
    shortened = replace(notice, events=(one, two, three))
    assert chain_holds(shortened)
    assert head(shortened) != head(notice)


def test_a_chain_belongs_to_its_notice() -> None:
    notice = a_history()

    assert not chain_holds(replace(notice, customer_key="C0002"))
    assert not chain_holds(replace(notice, notice_id=f"{2:032x}"))


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=2, max_size=4))
def test_text_cannot_move_between_fields_unseen(rows: list[tuple[str, str]]) -> None:
    notice = a_notice()
    for what, detail in rows:
        notice = happened(notice, NOW, what, detail)
    first = notice.events[0]
    shifted = replace(first, what=first.what + first.detail, detail="")
    if shifted != first:
        assert not chain_holds(replace(notice, events=(shifted, *notice.events[1:])))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["claim", "sent", "failed", "unconfirmed", "put off", "superseded"]),
            st.integers(1, 3),
        ),
        max_size=12,
    )
)
def test_no_sequence_of_writes_moves_an_attempt_backwards(moves: list[tuple[str, int]]) -> None:
    notice = claimed()
    history = [notice]
    for what, number in moves:
        after: Notice | None = None
        attempt = notice.attempt(number)
        if what == "claim" and len(notice.attempts) == number - 1:
            after = begun(notice, an_attempt(number), NOW, ())
        elif what == "put off" and attempt is not None and attempt.status == Status.SENDING:
            after = put_off(notice, number, LATER, "provider_down", NOW)
        elif what == "superseded":
            after = happened(replace(notice, superseded_by="D-NEW"), NOW, what)
        elif what in RANK:
            after = finished(notice, number, Status(what), NOW)
        if after is not None:
            notice = after
            history.append(after)
    assert_forward_only(history)
    if notice.reached:
        assert notice.outcome in (Outcome.NOTIFIED, Outcome.IN_FLIGHT)


def test_events_carry_the_time_in_milliseconds() -> None:
    assert a_history().events[0] == Event(
        "2026-11-20T15:00:00.000+00:00", "claimed", "1 email mail job", a_history().events[0].before
    )
