"""Notices that wait: the whole notice after each step, and on both sides of every limit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.deferring import (
    deferred,
    follow_up,
    handed_on,
    is_due,
    is_handed_on,
    moved_on,
    pause_for,
    put_off,
    times_handed_on,
)
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import Attempt, Event, Notice, Pauses, Status, head
from tests.fakes import a_notice

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_400, UTC)
AT = "2026-11-20T15:00:00.250+00:00"
UNTIL = NOW + timedelta(minutes=5)
DUE = "2026-11-20T15:05:00+00:00"  # whole seconds: these are compared as text
EARLIER = "2026-11-20T14:00:00.000+00:00"


def an_attempt(number: int, status: Status, channel: Channel = "email") -> Attempt:
    return Attempt(number, channel, "mail", "hash", "job", status, lease=1.0)


def event(what: str, detail: str = "", at: str = EARLIER) -> Event:
    return Event(at, what, detail, "hash")


def after_event(before: Notice, what: str, detail: str, **changes: Any) -> Notice:
    """One version on, with this event."""
    told = Event(AT, what, detail, head(before))
    return replace(before, version=before.version + 1, events=(*before.events, told), **changes)


# --- what follows a write --------------------------------------------------------------------------------


def test_what_follows_a_write_is_due_in_a_quarter_of_an_hour_where_a_decision_is_made() -> None:
    notice = a_notice()
    assert follow_up(notice, NOW) == "2026-11-20T15:15:00+00:00"
    assert follow_up(replace(notice, audience="team/claims"), NOW) == ""
    assert follow_up(replace(notice, origin=replace(notice.origin, part="")), NOW) == ""


# --- how long it waits -----------------------------------------------------------------------------------

DOWN = event("deferred", "provider_down")
UNAPPROVED = event("deferred", "wording_not_approved")


@pytest.mark.parametrize(
    ("why", "events", "pauses", "minutes"),
    [
        ("provider_down", [], None, 5),
        ("provider_down", [DOWN], None, 10),
        ("provider_down", [DOWN, UNAPPROVED, DOWN], None, 20),  # other reasons do not count
        ("provider_down", [DOWN] * 3, None, 40),
        ("provider_down", [DOWN] * 4, None, 60),
        ("provider_down", [DOWN] * 50, None, 60),
        ("provider_down", [event("failed", "1 provider_down")], None, 5),  # nor other events
        ("provider_down", [DOWN], Pauses("provider_down", 1, AT, AT), 10),  # the first pause has an event
        ("provider_down", [DOWN], Pauses("provider_down", 2, AT, AT), 20),
        ("provider_down", [DOWN], Pauses("provider_down", 3, AT, AT), 40),
        ("provider_down", [DOWN], Pauses("switched_off", 3, AT, AT), 10),
        ("switched_off", [], None, 5),
        ("wording_not_approved", [], None, 15),
        ("wording_not_approved", [UNAPPROVED], None, 30),
        ("wording_not_approved", [UNAPPROVED, UNAPPROVED], None, 60),
        ("wording_not_approved", [UNAPPROVED] * 3, None, 60),
    ],
)
def test_each_pause_for_a_reason_is_twice_the_one_before_and_an_hour_at_most(
    why: str, events: list[Event], pauses: Pauses | None, minutes: int
) -> None:
    assert pause_for(a_notice(events=tuple(events), pauses=pauses), why) == timedelta(minutes=minutes)


# --- put off ---------------------------------------------------------------------------------------------


def test_a_new_notice_that_waits_is_opened_with_its_reason() -> None:
    found = deferred(a_notice(), UNTIL, "quiet_hours", NOW, new=True, detail="until 08:00", report="r#1")
    told = Event(AT, "deferred", "quiet_hours until 08:00", head(a_notice()), "r#1")
    assert found == a_notice(
        version=1,
        created_at=AT,
        status=Status.DEFERRED,
        why="quiet_hours",
        due_at=DUE,
        events=(told,),
        pauses=Pauses("quiet_hours", 1, AT, AT),
    )


def test_a_stored_notice_that_waits_is_one_version_on_and_keeps_when_it_was_made() -> None:
    notice = a_notice(version=4, created_at=EARLIER, status=Status.FAILED, why="refused", waiting=("sms",))
    assert deferred(notice, UNTIL, "switched_off", NOW) == after_event(
        notice,
        "deferred",
        "switched_off",
        status=Status.DEFERRED,
        why="switched_off",
        due_at=DUE,
        pauses=Pauses("switched_off", 1, AT, AT),
    )


def test_put_off_again_for_the_same_reason_it_is_counted_without_an_event() -> None:
    pauses = Pauses("switched_off", 2, EARLIER, EARLIER, handed_on=3, claimed_at=EARLIER, claim="1 email")
    notice = a_notice(version=4, why="switched_off", pauses=pauses, events=(event("deferred"),))
    assert deferred(notice, UNTIL, "switched_off", NOW) == replace(
        notice, version=5, due_at=DUE, pauses=Pauses("switched_off", 3, EARLIER, AT)
    )
    other = deferred(notice, UNTIL, "quiet_hours", NOW)
    assert [(e.what, e.detail) for e in other.events[1:]] == [
        ("deferred", f"switched_off, 2 times since {EARLIER}"),
        ("claimed", "1 email"),
        ("deferred", "quiet_hours"),
    ]
    assert other.pauses == Pauses("quiet_hours", 1, AT, AT)


def test_a_customer_who_was_reached_stays_so_without_a_reason() -> None:
    notice = a_notice(attempts=(an_attempt(1, Status.DELIVERED), an_attempt(2, Status.FAILED, "sms")))
    found = deferred(notice, UNTIL, "provider_down", NOW)
    assert (found.status, found.why, found.due_at) == (Status.DELIVERED, "", DUE)


# --- a claim that is withdrawn ---------------------------------------------------------------------------


def test_a_withdrawn_claim_is_an_event_that_names_its_number() -> None:
    notice = a_notice(
        version=2,
        status=Status.SENDING,
        attempts=(an_attempt(1, Status.FAILED), an_attempt(2, Status.SENDING, "sms")),
        waiting=("email",),
    )
    assert put_off(notice, 2, UNTIL, "provider_down", NOW) == after_event(
        notice,
        "deferred",
        "2 provider_down",
        attempts=notice.attempts[:1],
        status=Status.DEFERRED,
        why="provider_down",
        waiting=("sms", "email"),
        due_at=DUE,
        pauses=Pauses("provider_down", 1, AT, AT),
    )


def test_the_only_claim_withdrawn_leaves_no_channel_out() -> None:
    notice = a_notice(status=Status.SENDING, attempts=(an_attempt(1, Status.SENDING),), waiting=("sms",))
    found = put_off(notice, 1, UNTIL, "provider_down", NOW)
    assert (found.attempts, found.waiting, found.status) == ((), (), Status.DEFERRED)


def test_a_claim_withdrawn_again_for_the_same_reason_is_counted() -> None:
    notice = a_notice(
        version=7,
        status=Status.SENDING,
        attempts=(an_attempt(1, Status.SENDING),),
        events=(event("deferred", "1 provider_down"),),
        pauses=Pauses("provider_down", 1, EARLIER, EARLIER, 2, EARLIER, "1 email mail job"),
    )
    assert put_off(notice, 1, UNTIL, "provider_down", NOW) == replace(
        notice,
        version=8,
        attempts=(),
        status=Status.DEFERRED,
        why="provider_down",
        due_at=DUE,
        pauses=Pauses("provider_down", 2, EARLIER, AT),
    )
    other = put_off(notice, 1, UNTIL, "switched_off", NOW)
    assert other.pauses == Pauses("switched_off", 1, AT, AT)
    assert [e.detail for e in other.events] == ["1 provider_down", "1 email mail job", "1 switched_off"]


@pytest.mark.parametrize(
    ("first", "status", "why"),
    [
        (Status.FAILED, Status.SUPERSEDED, "superseded"),
        (Status.UNCONFIRMED, Status.SUPERSEDED, "superseded"),
        (Status.SENT, Status.SENT, ""),
        (Status.DELIVERED, Status.DELIVERED, ""),
    ],
)
def test_what_was_superseded_meanwhile_is_not_due_again(first: Status, status: Status, why: str) -> None:
    notice = a_notice(
        status=Status.SENDING,
        superseded_by="D-NEW",
        due_at=DUE,
        attempts=(an_attempt(1, first), an_attempt(2, Status.SENDING, "sms")),
        waiting=("email",),
    )
    assert put_off(notice, 2, UNTIL, "provider_down", NOW) == after_event(
        notice,
        str(status),
        "2 provider_down",
        attempts=notice.attempts[:1],
        status=status,
        why=why,
        waiting=(),
        due_at="",
    )


# --- handed on -------------------------------------------------------------------------------------------


def test_the_first_time_it_is_handed_on_is_an_event_and_further_times_are_counted() -> None:
    notice = a_notice(version=3)
    first = handed_on(notice, DUE, NOW)
    assert first == after_event(notice, "released", "", due_at=DUE)
    second = handed_on(first, "2026-11-20T15:10:00+00:00", NOW)
    assert second == replace(
        first,
        version=5,
        due_at="2026-11-20T15:10:00+00:00",
        pauses=Pauses("released", 1, AT, AT, handed_on=1),
    )
    third = handed_on(second, DUE, NOW + timedelta(hours=1))
    assert third == replace(second, version=6, due_at=DUE, pauses=Pauses("released", 1, AT, AT, handed_on=2))
    assert [times_handed_on(n) for n in (notice, first, second, third)] == [0, 1, 2, 3]


def test_what_waits_for_a_reason_is_handed_on_without_an_event() -> None:
    waits = a_notice(version=3, pauses=Pauses("quiet_hours", 2, EARLIER, EARLIER))
    assert handed_on(waits, DUE, NOW) == replace(
        waits, version=4, due_at=DUE, pauses=Pauses("quiet_hours", 2, EARLIER, EARLIER, handed_on=1)
    )


@pytest.mark.parametrize(
    ("events", "pauses", "times"),
    [
        ([], None, 0),
        ([event("deferred")], None, 0),
        ([event("released"), event("deferred")], None, 0),
        ([event("deferred"), event("released"), event("released")], None, 2),
        ([event("released"), event("deferred"), event("released")], None, 1),
        ([event("released")], Pauses("quiet_hours", 1, AT, AT), 0),
        ([event("released")], Pauses("quiet_hours", 1, AT, AT, handed_on=2), 2),
        ([event("released")], Pauses("released", 1, AT, AT, handed_on=2), 3),
    ],
)
def test_how_often_it_was_handed_on_since_anything_else(
    events: list[Event], pauses: Pauses | None, times: int
) -> None:
    notice = a_notice(events=tuple(events), pauses=pauses)
    assert times_handed_on(notice) == times
    assert is_handed_on(notice) is (times > 0)


def test_a_notice_is_due_at_its_time_and_when_it_was_handed_on() -> None:
    due = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
    assert is_due(a_notice(due_at=""), NOW)
    assert not is_due(a_notice(due_at=DUE), due - timedelta(milliseconds=1))
    assert is_due(a_notice(due_at=DUE), due)
    assert is_due(a_notice(due_at=DUE, events=(event("released"),)), NOW)


# --- whether it moved on ---------------------------------------------------------------------------------

SENT, HANDED, CORRECTED, TAKEN = event("sent"), event("released"), event("corrected"), event("also_wanted_by")


@pytest.mark.parametrize(
    ("version", "since", "events", "pauses", "moved"),
    [
        (0, 0, [], None, False),
        (1, 0, [event("deferred")], None, True),  # it was not stored
        (3, 3, [SENT], None, False),
        (2, 3, [SENT], None, True),  # another stands there now
        (4, 3, [SENT], None, True),
        (4, 3, [SENT, HANDED], None, False),
        (4, 3, [SENT, CORRECTED], None, False),
        (4, 3, [SENT, TAKEN], None, False),
        (5, 3, [HANDED, SENT, HANDED], None, True),
        (5, 3, [SENT, HANDED, HANDED], None, False),
        # Handed on while it waits: a version each, without an event.
        (5, 3, [SENT], Pauses("quiet_hours", 1, AT, AT, handed_on=2), False),
        (6, 3, [SENT], Pauses("quiet_hours", 1, AT, AT, handed_on=2), True),
        (6, 3, [HANDED], Pauses("quiet_hours", 1, AT, AT, handed_on=2), False),
        # Put off again, or claimed: that is no event yet.
        (6, 3, [HANDED], Pauses("quiet_hours", 2, AT, AT, handed_on=2), True),
        (6, 3, [HANDED], Pauses("provider_down", 1, AT, AT, 2, AT, "1 email mail job"), True),
    ],
)
def test_a_notice_moved_on_by_more_than_being_handed_on_corrected_or_waited_for(
    version: int, since: int, events: list[Event], pauses: Pauses | None, moved: bool
) -> None:
    assert moved_on(a_notice(version=version, events=tuple(events), pauses=pauses), since) is moved
