"""A notice moves forward only, and its chain of events shows every change of what came before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.deferring import put_off
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import (
    LOST,
    OUTCOME_OF,
    RANK,
    REACHED,
    REDACTED,
    Attempt,
    Correction,
    Event,
    Notice,
    Origin,
    Outcome,
    Pauses,
    Status,
    begun,
    chain_holds,
    chain_start,
    claimed_at,
    event_hash,
    finished,
    happened,
    head,
    is_stale,
    not_begun,
    notice_id_of,
    opened,
    standing,
)
from tests.fakes import a_document, a_notice, a_rule
from tests.use_cases.world import assert_forward_only

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def an_attempt(number: int = 1, channel: Channel = "email") -> Attempt:
    """A claim."""
    return Attempt(number, channel, "mail", "hash", "job", Status.SENDING, lease=1.0, evidence="proof#0")


def claimed(waiting: tuple[Channel, ...] = ("sms",)) -> Notice:
    """A notice whose first attempt is under way."""
    return begun(a_notice(version=0), an_attempt(), NOW, waiting)


def test_the_table_of_statuses() -> None:
    """Rank and outcome of each; whether it reached somebody (+) or was lost (-)."""
    found = {
        str(status): (
            RANK[status],
            str(OUTCOME_OF[status]),
            "+" * (status in REACHED) + "-" * (status in LOST),
        )
        for status in Status
    }
    assert found == {
        "deferred": (10, "deferred", ""),
        "sending": (20, "in_flight", ""),
        "unconfirmed": (30, "unconfirmed", ""),
        "failed": (40, "failed", "-"),
        "sent": (50, "notified", "+"),
        "delayed": (52, "notified", "+"),
        "undelivered": (54, "failed", "-"),
        "delivered": (56, "notified", "+"),
        "suppressed": (60, "suppressed", ""),
        "paper": (60, "paper", ""),
        "superseded": (60, "suppressed", ""),
        "bounced": (70, "failed", "-"),
        "complained": (80, "notified", "+"),
    }


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


# --- whole results ----------------------------------------------------------------------------------

MOMENT = NOW.replace(microsecond=250_400)
AT = "2026-11-20T15:00:00.250+00:00"


def told(before: Notice, what: str, detail: str, **changes: Any) -> Notice:
    """One version on, with this event."""
    event = Event(AT, what, detail, head(before), changes.pop("report", ""))
    return replace(before, version=before.version + 1, events=(*before.events, event), **changes)


def test_a_claim_leaves_the_notice_its_place_in_the_due_index() -> None:
    first = an_attempt()
    before = a_notice(version=3, status=Status.FAILED, why="refused", due_at="2026-11-21", attempts=(first,))
    second = an_attempt(2, "sms")
    assert begun(before, second, MOMENT, ("email",)) == told(
        before,
        "claimed",
        "2 sms mail job",
        attempts=(first, second),
        status=Status.SENDING,
        why="",
        waiting=("email",),
    )


def test_a_claim_behind_a_provider_that_was_down_is_no_event_yet() -> None:
    pauses = Pauses("provider_down", 3, "a", "b", handed_on=2)
    before = a_notice(version=3, due_at="2026-11-21", pauses=pauses)
    after = begun(before, an_attempt(), MOMENT, ())
    assert after == replace(
        before,
        version=4,
        status=Status.SENDING,
        attempts=(an_attempt(),),
        pauses=Pauses("provider_down", 3, "a", "b", 0, AT, "1 email mail job"),
    )
    other = begun(replace(before, pauses=replace(pauses, why="switched_off")), an_attempt(), MOMENT, ())
    assert [(e.at, e.what, e.detail) for e in other.events] == [
        ("b", "deferred", "switched_off, 3 times since a"),
        (AT, "claimed", "1 email mail job"),
    ]
    assert other.pauses is None
    once = replace(before, pauses=Pauses("switched_off", 1, "a", "b"))
    assert [e.what for e in begun(once, an_attempt(), MOMENT, ()).events] == ["claimed"]


def test_what_waited_becomes_events_before_what_ends_the_wait() -> None:
    pauses = Pauses("provider_down", 2, "a", "b", 0, "c", "1 email mail job")
    before = a_notice(version=3, attempts=(an_attempt(),), pauses=pauses)
    after = finished(before, 1, Status.SENT, MOMENT, ref="m-1", report="r#1")
    assert after is not None
    assert [(e.at, e.what, e.detail, e.report) for e in after.events] == [
        ("b", "deferred", "provider_down, 2 times since a", ""),
        ("c", "claimed", "1 email mail job", ""),
        (AT, "sent", "1 m-1", "r#1"),
    ]
    assert chain_holds(after)
    assert (after.version, after.pauses) == (4, None)


def test_an_attempt_that_failed_before_its_claim() -> None:
    failed = replace(an_attempt(), status=Status.FAILED, why="not_rendered")
    before = a_notice(version=3, due_at="x", waiting=("email",))
    assert not_begun(before, failed, MOMENT, ("sms",), "2026-11-21") == told(
        before,
        "failed",
        "1 not_rendered",
        attempts=(failed,),
        status=Status.FAILED,
        why="not_rendered",
        waiting=("sms",),
        due_at="2026-11-21",
    )
    sent = replace(an_attempt(), status=Status.SENT)
    reached = a_notice(attempts=(sent,), status=Status.SENT)
    after = not_begun(reached, replace(failed, number=2), MOMENT, (), "2026-11-21")
    assert (after.status, after.why, after.due_at) == (Status.SENT, "", "")
    assert after.events[-1].detail == "2 not_rendered"


def test_a_result_is_recorded_with_all_that_it_says() -> None:
    other = replace(an_attempt(2, "sms"), status=Status.FAILED, ref="kept")
    before = a_notice(version=3, status=Status.SENDING, due_at="x", attempts=(an_attempt(), other))
    after = finished(
        before, 1, Status.UNCONFIRMED, MOMENT, ref="m-1", why="timeout", due_at="2026-11-21", report="r"
    )
    done = replace(an_attempt(), status=Status.UNCONFIRMED, ref="m-1", why="timeout")
    assert after == told(
        before,
        "unconfirmed",
        "1 m-1 timeout",
        report="r",
        attempts=(done, other),
        status=Status.UNCONFIRMED,
        why="timeout",
        due_at="2026-11-21",
    )
    sent = finished(before, 1, Status.SENT, MOMENT, why="late", due_at="2026-11-21")
    assert sent is not None
    assert (sent.status, sent.why, sent.due_at) == (Status.SENT, "", "2026-11-21")


@pytest.mark.parametrize(
    ("statuses", "stands"),
    [
        ("sent complained delivered", "complained"),
        ("sent delivered bounced", "delivered"),
        ("delayed sent failed", "sent"),
        ("delayed sending", "delayed"),
        ("sending unconfirmed", "sending"),
        ("unconfirmed failed", "unconfirmed"),
        ("bounced failed", "failed"),
        ("failed bounced", "bounced"),
        ("undelivered", "undelivered"),
    ],
)
def test_a_notice_stands_as_the_best_of_its_attempts(statuses: str, stands: str) -> None:
    attempts = tuple(replace(an_attempt(n), status=Status(s)) for n, s in enumerate(statuses.split(), 1))
    assert standing(attempts) == stands


# --- when it was claimed, and how old it is ---------------------------------------------------------


def past(what: str, detail: str = "", hour: int = 0) -> Event:
    return Event(f"2026-11-20T{hour:02}:00:00.000+00:00", what, detail, "x")


def test_an_attempt_was_last_claimed_by_its_own_number() -> None:
    events = (
        past("claimed", "1 email mail job", 1),
        past("claimed", "2 sms mail job", 2),
        past("sent", "1", 3),
        past("claimed", "1 email mail job", 4),
        past("claimed", "11 email mail job", 5),
    )
    notice = a_notice(events=events)
    assert claimed_at(notice, 1) == datetime(2026, 11, 20, 4, tzinfo=UTC)
    assert claimed_at(notice, 2) == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert claimed_at(notice, 3) is None
    pending = Pauses("provider_down", 1, "a", "b", 0, "2026-11-20T06:00:00+00:00", "1 email mail job")
    assert claimed_at(replace(notice, pauses=pending), 1) == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert claimed_at(replace(notice, pauses=pending), 2) == datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("events", "pauses", "since"),
    [
        ((past("sent", hour=1), past("opened", hour=3)), None, 3),
        ((past("sent", hour=1), past("released", hour=3)), None, 1),  # that it was handed on is no news
        ((past("sent", hour=1),), Pauses("quiet_hours", 1, "a", "2026-11-20T02:00:00+00:00"), 2),
        ((past("sent", hour=1),), Pauses("released", 1, "a", "2026-11-20T02:00:00+00:00"), 1),
    ],
)
def test_a_notice_is_stale_hours_after_its_newest_event(
    events: tuple[Event, ...], pauses: Pauses | None, since: int
) -> None:
    notice = a_notice(attempts=(an_attempt(),), events=events, pauses=pauses)
    limit = datetime(2026, 11, 20, since, tzinfo=UTC) + timedelta(hours=72)
    assert not is_stale(notice, 72, limit)
    assert is_stale(notice, 72, limit + timedelta(milliseconds=1))
    assert not is_stale(replace(notice, attempts=()), 72, limit + timedelta(days=9))
    assert not is_stale(replace(notice, events=()), 72, limit + timedelta(days=9))


# --- who it is, and for whom ------------------------------------------------------------------------


def test_the_identity_of_a_notice_is_of_document_recipient_edition_purpose_and_audience() -> None:
    document, rule = a_document(1), a_rule()
    plain = notice_id_of(document, rule)
    content = replace(document, content_sha256="ab" * 32)
    new_content = replace(rule, notify_on_new_content=True)
    others = {
        notice_id_of(document, rule, "team/claims"),
        notice_id_of(document, replace(rule, purpose="step:x:1")),
        notice_id_of(replace(document, recipient="R1"), rule),
        notice_id_of(replace(document, edition="e"), rule),
        notice_id_of(replace(document, test_flag=True), rule),
        notice_id_of(replace(document, document_type="bill"), rule),
        notice_id_of(content, new_content),
        notice_id_of(replace(content, edition="e"), new_content),
    }
    assert len(others | {plain}) == 9
    assert notice_id_of(content, rule) == plain, "content counts only where the rule says so"
    assert notice_id_of(document, new_content) == plain, "a record without its content"
    tests = {notice_id_of(replace(content, test_flag=True, edition=e), new_content) for e in ("", "e")}
    assert len(tests) == 1


def test_what_a_notice_is_about_and_for() -> None:
    notice = a_notice(recipient="R1")
    later = Origin("retail/run-2", 0, 3, "p", 0, 1)
    assert notice.contact_key == "C0001\x1fR1"
    assert notice.record == notice.origin
    newest = replace(later, position=4)
    assert replace(notice, corrections=(Correction(later), Correction(newest))).record == newest
    assert chain_start(notice) != chain_start(a_notice())
    for name in ("notice_id", "domain", "customer_key", "document_id", "purpose"):
        assert chain_start(replace(notice, **{name: "x"})) != chain_start(notice), name
    for name in ("status", "document_type", "audience"):
        assert chain_start(replace(notice, **{name: "x"})) == chain_start(notice), name


def test_hashes_of_events_are_as_they_ever_were() -> None:
    """A changed one would make every chain that was kept as evidence look forged."""
    assert chain_start(a_notice()) == "2039902ce1968a30a73c2a7a"
    assert event_hash(Event(AT, "sent", "1 m-1", "before")) == "4d09424eca42c53522082ea7"
    assert event_hash(Event(AT, "sent", "1 m-1", "before", "r#1")) == "e07eec51cd8f117ba91089ff"
    assert event_hash(Event(AT, "sent", f"{REDACTED}abc", "before")) == "abc"


def test_nobody_but_an_erasure_writes_an_erased_event() -> None:
    after = happened(a_notice(), NOW, "responded", f"{REDACTED}abc")
    assert after.events[-1].detail == f"({REDACTED}abc)"


def test_a_step_that_another_documents_message_told_of_stands_as_that_one() -> None:
    told_with = a_notice(status=Status.SENT, together=("a" * 32,))
    assert told_with.reached
    assert not a_notice(status=Status.SENT).reached
    assert not a_notice(status=Status.SENT, together=("a" * 32, "b" * 32)).reached, "its own message"
    assert a_notice(status=Status.UNCONFIRMED, together=("a" * 32,)).in_doubt


@pytest.mark.parametrize(
    ("attempt", "failed", "silent"),
    [
        ({"status": Status.SENT}, False, False),
        ({"status": Status.COMPLAINED}, True, False),
        ({"status": Status.DELIVERED, "bounced_at": "x"}, True, False),
        ({"status": Status.DELIVERED, "undelivered_at": "x"}, True, False),
        ({"status": Status.UNDELIVERED, "why": "no_receipt"}, False, True),
        ({"status": Status.UNDELIVERED, "why": "no_receipt", "undelivered_at": "x"}, True, False),
        ({"status": Status.UNDELIVERED, "why": "refused"}, False, False),
        ({"status": Status.FAILED, "why": "no_receipt"}, False, False),
    ],
)
def test_whether_an_attempt_failed_or_is_only_silent(
    attempt: dict[str, Any], failed: bool, silent: bool
) -> None:
    found = replace(an_attempt(), **attempt)
    assert (found.has_failed, found.is_silent) == (failed, silent)


@pytest.mark.parametrize(
    ("before", "status", "at", "after"),
    [
        # Without a time of its own, rank decides.
        ({"status": Status.SENDING}, Status.SENT, "t1", {"status": Status.SENT}),
        ({"status": Status.DELIVERED}, Status.SENT, "t1", {}),
        ({"status": Status.SENT}, Status.DELAYED, "t1", {"status": Status.DELAYED}),
        ({"status": Status.DELIVERED}, Status.COMPLAINED, "t1", {"status": Status.COMPLAINED}),
        ({"status": Status.SENT}, Status.DELIVERED, "t1", {"status": Status.DELIVERED, "delivered_at": "t1"}),
        # Recorded by a release that kept no times.
        ({"status": Status.BOUNCED}, Status.DELIVERED, "t1", {}),
        ({"status": Status.DELIVERED}, Status.BOUNCED, "t1", {"status": Status.BOUNCED, "bounced_at": "t1"}),
        # What happened later stands; at one moment a failure does, and the bounce of two.
        (
            {"status": Status.DELIVERED, "delivered_at": "t2"},
            Status.BOUNCED,
            "t1",
            {"status": Status.DELIVERED, "bounced_at": "t1"},
        ),
        (
            {"status": Status.DELIVERED, "delivered_at": "t2"},
            Status.BOUNCED,
            "t2",
            {"status": Status.BOUNCED, "bounced_at": "t2"},
        ),
        (
            {"status": Status.DELIVERED, "delivered_at": "t2"},
            Status.UNDELIVERED,
            "t2",
            {"status": Status.UNDELIVERED, "undelivered_at": "t2"},
        ),
        (
            {"status": Status.BOUNCED, "bounced_at": "t1"},
            Status.UNDELIVERED,
            "t3",
            {"status": Status.BOUNCED, "undelivered_at": "t3"},
        ),
        (
            {"status": Status.BOUNCED, "bounced_at": "t1"},
            Status.DELIVERED,
            "t3",
            {"status": Status.DELIVERED, "delivered_at": "t3"},
        ),
        ({"status": Status.BOUNCED, "bounced_at": "t2"}, Status.BOUNCED, "t2", {}),
        ({"status": Status.BOUNCED, "bounced_at": "t2"}, Status.BOUNCED, "t1", {}),
        # A complaint outranks everything, and times are kept beside it.
        (
            {"status": Status.COMPLAINED},
            Status.DELIVERED,
            "t9",
            {"status": Status.COMPLAINED, "delivered_at": "t9"},
        ),
    ],
)
def test_what_a_provider_says_of_an_attempt(
    before: dict[str, Any], status: Status, at: str, after: dict[str, Any]
) -> None:
    attempt = replace(an_attempt(), **before)
    found = attempt.told(status, at)
    assert found == replace(attempt, **after)
    assert (found is attempt) is (not after)


def test_what_mails_said_is_taken_back_as_its_provider_left_it() -> None:
    mails = replace(an_attempt(), status=Status.BOUNCED, bounced_at="t", undelivered_at="t", by_mail=True)
    assert mails.without_mails() == replace(an_attempt(), status=Status.SENT)
    delivered = replace(mails, delivered_at="t0")
    assert delivered.without_mails() == replace(an_attempt(), status=Status.DELIVERED, delivered_at="t0")
    own = replace(mails, by_mail=False)
    assert own.without_mails() is own
