"""A journey's rule and what ends it, row by row: who joins, which step follows when, what a step's notice is."""

import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.journeys import (
    Cap,
    Cohort,
    Delay,
    JourneyRule,
    Member,
    Step,
    capped_until,
    cohort_at,
    due_at,
    first_step,
    has_ended,
    is_past,
    is_step_of,
    is_stopped,
    joins,
    may_be_past,
    most_days,
    next_step,
    records_of,
    rule_body,
    rule_from,
    step_of,
    step_rule,
    told_at,
    why_stopped,
)
from exstream_notify.domain.notices import Attempt, Correction, Event, Notice, Origin, Status
from tests.fakes import a_document, a_notice, a_rule

NOW = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
BASE = "2026-11-20T15:10:00+00:00"
WEEK, FORTNIGHT = Step(Delay(days=7)), Step(Delay(days=14))
END = Step(Delay(days=21), end="event")


def a_journey(*steps: Step, **changes: Any) -> JourneyRule:
    return JourneyRule(**{"name": "reminder", "documents": ("statement",), "steps": steps, **changes})


def no_holiday(_place: str, day: date) -> bool:
    return day.weekday() >= 5


def a_member(**changes: Any) -> Member:
    return Member(**{"notice_id": "a" * 32, "position": 1, "base": BASE, **changes})


# --- the rule ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "business", "days"),
    [
        (Delay(days=7), False, 7),
        (Delay(months=1), False, 31),
        (Delay(months=2, days=3, seconds=3600), False, 66),
        (Delay(seconds=86_400), False, 1),
        (Delay(seconds=86_401), False, 2),
        (Delay(days=1), True, 2),
        (Delay(days=5), True, 7),
        (Delay(days=6), True, 9),
        (Delay(days=-3), False, 0),
        (Delay(), False, 0),
    ],
)
def test_how_many_days_a_step_takes_at_most(delay: Delay, business: bool, days: int) -> None:
    assert most_days(Step(delay, business_days=business)) == days


def test_a_rule_that_says_nothing_more_is_this() -> None:
    body = asdict(a_journey(Step(Delay())))
    assert body.pop("steps") == (
        {
            "delay": {"months": 0, "days": 0, "seconds": 0},
            "anchor": "notice",
            "business_days": False,
            "channels": (),
            "wording": "",
            "urgent": False,
            "end": None,
            "team": "",
            "on_paper": "skip",
            "without_channel": "other",
            "digest": "",
        },
    )
    assert body == {
        "name": "reminder",
        "documents": ("statement",),
        "stops": ("responded", "paid", "acknowledged", "opted_out"),
        "only_requires_ack": False,
        "country": "",
        "hour": 15,
        "cap": None,
        "changes_apply_to": "new",
        "asks_for_payment": None,
        "kept_as": "",
        "fair_time": {"months": 0, "days": 14, "seconds": 0},
    }
    assert asdict(a_member()) == {
        "notice_id": "a" * 32,
        "position": 1,
        "base": BASE,
        "due_date": "",
        "country": "",
        "zone": "",
        "asked": "",
        "corrections": 0,
    }


def test_a_kept_rule_comes_back_and_keeps_the_name_of_its_version() -> None:
    rule = a_journey(
        Step(Delay(days=-3), "due_date", channels=("sms", "email"), wording="w"),
        END,
        cap=Cap(2, 7),
        fair_time=Delay(days=9),
    )
    body = rule_body(rule)
    assert "kept_as" not in body
    assert (
        rule_from({**body, "steps": [{**s, "channels": list(s["channels"])} for s in body["steps"]]}) == rule
    )
    before = {name: value for name, value in body.items() if name != "fair_time"}
    assert rule_from(before).fair_time == Delay(days=14), "kept by a release that did not know it"
    assert re.fullmatch("[0-9a-f]{12}", rule.version)
    assert rule.version != replace(rule, hour=16).version
    assert replace(rule, kept_as="0123456789ab").version == "0123456789ab"


@pytest.mark.parametrize(("end", "hands"), [("case", True), ("paper", True), ("event", False), (None, False)])
def test_a_journey_hands_over_by_its_last_step(end: Any, hands: bool) -> None:
    assert a_journey(Step(Delay(), end="case"), Step(Delay(), end=end)).hands_over is hands


@pytest.mark.parametrize(
    ("said", "anchors", "follows"),
    [
        (None, ["notice", "notice"], False),
        (None, ["notice", "due_date"], True),
        (False, ["due_date"], False),
        (True, ["notice"], True),
    ],
)
def test_a_journey_follows_a_payment_by_its_word_else_by_a_due_date(
    said: bool | None, anchors: list[Any], follows: bool
) -> None:
    rule = a_journey(*(Step(Delay(), anchor) for anchor in anchors), asks_for_payment=said)
    assert rule.follows_payment is follows


def test_a_calendar_matters_where_some_step_counts_working_days() -> None:
    working = replace(WEEK, business_days=True)
    assert a_journey(WEEK, working).counts_working_days
    assert not a_journey(WEEK, FORTNIGHT).counts_working_days


# --- cohorts ----------------------------------------------------------------------------------------------


def test_a_cohort_is_named_by_hour_domain_journey_and_step() -> None:
    cohort = Cohort("2026-11-27T15", "retail", "unread statement/é", 2)
    assert cohort.due == datetime(2026, 11, 27, 15, tzinfo=UTC)
    assert cohort.name == "2026-11-27T15#retail#unread statement/é#2"
    assert Cohort.from_name(cohort.name) == cohort
    assert re.fullmatch("2026-11-27T15-unread-statement---2-[0-9a-f]{12}-7", cohort.execution(7))
    assert cohort.execution(7) != replace(cohort, domain="claims").execution(7)
    long = replace(cohort, journey="j_" * 40, step=12).execution(1234)
    assert "-" + "j_" * 18 + "-12-" in long
    assert len(long) <= 80


@pytest.mark.parametrize(
    ("due", "hour"),
    [
        (datetime(2026, 11, 27, 15, tzinfo=UTC), "2026-11-27T15"),
        (datetime(2026, 11, 27, 15, 0, 0, 1, UTC), "2026-11-27T16"),
        (datetime(2026, 11, 27, 15, 0, 1, tzinfo=UTC), "2026-11-27T16"),
        (datetime(2026, 11, 27, 23, 59, 59, 999_999, UTC), "2026-11-28T00"),
    ],
)
def test_a_cohort_wakes_at_the_first_full_hour(due: datetime, hour: str) -> None:
    assert cohort_at("retail", a_journey(WEEK), 3, due) == Cohort(hour, "retail", "reminder", 3)


# --- who joins --------------------------------------------------------------------------------------------

PAYS = {"asks_for_payment": True}


@pytest.mark.parametrize(
    ("rule", "document", "demanded", "expected"),
    [
        ({}, {}, False, True),
        ({}, {"test_flag": True}, False, False),
        ({}, {"document_type": "invoice"}, False, False),
        ({}, {"amount_due": "0.00"}, False, True),  # it asks for no money
        ({}, {"amount_due": "0.00"}, True, False),
        (PAYS, {"amount_due": "0.00"}, False, False),
        (PAYS, {"amount_due": "0.01"}, False, True),
        (PAYS, {"amount_due": None}, True, True),
        ({"only_requires_ack": True}, {}, False, False),
        ({"only_requires_ack": True}, {"requires_ack": True}, False, True),
        ({}, {"requires_ack": True}, False, True),
    ],
)
def test_whose_notice_begins_a_journey(
    rule: dict[str, Any], document: dict[str, Any], demanded: bool, expected: bool
) -> None:
    assert joins(a_journey(WEEK, **rule), a_document(1, **document), demanded) is expected


# --- which step follows -----------------------------------------------------------------------------------


def test_the_first_step_is_the_first_that_is_still_to_come() -> None:
    rule = a_journey(WEEK, FORTNIGHT, END)
    base = NOW
    for days, step in ((0, 1), (6, 1), (7, 2), (13, 2), (14, 3)):
        found = first_step(rule, a_member(), base + timedelta(days=days), no_holiday)
        assert found == (step, base + timedelta(days=7 * step))
    late = NOW + timedelta(days=30)
    assert first_step(rule, a_member(), late, no_holiday) == (3, late), "the end always comes"
    assert first_step(a_journey(WEEK, FORTNIGHT), a_member(), late, no_holiday) is None
    dated = a_journey(Step(Delay(days=-3), "due_date"), Step(Delay(days=3), "due_date", end="event"))
    assert first_step(dated, a_member(), NOW, no_holiday) is None, "no due date"


def test_an_overdue_notice_leaves_a_day_before_a_step_of_the_due_date_and_none_before_others() -> None:
    overdue = a_member(due_date="2026-11-19")
    soon = a_journey(Step(Delay(seconds=3600)), END)
    assert first_step(soon, overdue, NOW, no_holiday) == (1, NOW + timedelta(hours=1))
    by_date = a_journey(Step(Delay(days=2), "due_date"), Step(Delay(days=3), "due_date"), END)
    # The first is due on the 21st at 15:00, ten minutes less than a day after the notice.
    assert first_step(by_date, overdue, NOW, no_holiday) == (2, datetime(2026, 11, 22, 15, tzinfo=UTC))
    in_time = a_member(due_date="2026-11-20")
    assert first_step(by_date, in_time, NOW, no_holiday) == (1, datetime(2026, 11, 22, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "due", "overdue"),
    [
        ("", "2026-11-20", False),
        ("", "2026-11-19", True),
        ("", "", False),
        ("Pacific/Auckland", "2026-11-20", True),  # it is the 21st there
        ("Pacific/Auckland", "2026-11-21T00:00:00", False),
    ],
)
def test_overdue_is_asked_of_the_customers_own_day(zone: str, due: str, overdue: bool) -> None:
    assert a_member(zone=zone, due_date=due).was_overdue is overdue


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("late", "told", "asked", "found"),
    [
        (timedelta(0), True, "", (2, NOW + 14 * DAY)),
        (DAY - timedelta(seconds=1), True, "", (2, NOW + 14 * DAY)),
        (DAY, True, "", (2, NOW + 15 * DAY)),  # late by a day or more: it keeps its distance
        (3 * DAY, True, "", (2, NOW + 17 * DAY)),
        (3 * DAY, False, "", (2, NOW + 14 * DAY)),  # it did not go out
        (3 * DAY, True, (NOW + 7 * DAY).isoformat(), (2, NOW + 14 * DAY)),  # the cap put it off
        (3 * DAY, True, (NOW + 9 * DAY).isoformat(), (2, NOW + 16 * DAY)),
        (10 * DAY, False, "", (2, NOW + 17 * DAY)),  # overdue itself by now: at once
    ],
)
def test_the_next_step_keeps_its_distance_from_one_that_went_out_late(
    late: timedelta, told: bool, asked: str, found: tuple[int, datetime]
) -> None:
    rule, member = a_journey(WEEK, FORTNIGHT, END), a_member(asked=asked)
    assert next_step(rule, member, 1, NOW + 7 * DAY + late, no_holiday, told=told) == found


def test_a_step_of_another_anchor_stays_where_it_is_and_working_days_stay_working_days() -> None:
    at = NOW + 10 * DAY  # three days late
    by_date = a_journey(WEEK, Step(Delay(), "due_date", end="event"))
    dated = a_member(due_date="2026-12-10")
    assert next_step(by_date, dated, 1, at, no_holiday) == (2, datetime(2026, 12, 10, 15, tzinfo=UTC))
    assert next_step(a_journey(WEEK), a_member(), 1, at, no_holiday) is None
    # Without a due date the step after it follows.
    skips = a_journey(WEEK, Step(Delay(days=1), "due_date"), FORTNIGHT)
    assert next_step(skips, a_member(), 1, at, no_holiday) == (3, NOW + 17 * DAY)
    unknown = a_journey(Step(Delay(days=1), "due_date"), Step(Delay(days=2), "due_date"), FORTNIGHT)
    assert next_step(unknown, a_member(), 1, at, no_holiday) == (3, NOW + 14 * DAY)
    # Friday the 20th, five working days on is the 27th; three days later is no working day.
    working = a_journey(WEEK, Step(Delay(days=11), business_days=True))
    found = next_step(working, a_member(), 1, NOW + 12 * DAY, no_holiday)
    assert found == (2, datetime(2026, 12, 14, 15, 10, tzinfo=UTC))
    places: list[str] = []

    def note(place: str, day: date) -> bool:
        places.append(place)
        return no_holiday(place, day)

    next_step(replace(working, country="DE"), a_member(), 1, NOW + 12 * DAY, note)
    assert set(places) == {"DE"}
    places.clear()
    next_step(replace(working, country="DE"), a_member(country="DE-BY"), 1, NOW + 12 * DAY, note)
    assert set(places) == {"DE-BY"}


BEFORE = Step(Delay(days=-3), "due_date")


@pytest.mark.parametrize(
    ("step", "due", "past", "maybe"),
    [
        # The last zone is twelve hours behind, the first fourteen ahead.
        (BEFORE, "2026-11-30", datetime(2026, 12, 1, 12, tzinfo=UTC), datetime(2026, 11, 30, 10, tzinfo=UTC)),
        (
            replace(BEFORE, delay=Delay(seconds=-3600)),
            "2026-11-30T00:00:00",
            datetime(2026, 12, 1, 12, tzinfo=UTC),
            datetime(2026, 11, 30, 10, tzinfo=UTC),
        ),
    ],
)
def test_a_reminder_is_past_once_its_date_is_over_in_the_last_zone(
    step: Step, due: str, past: datetime, maybe: datetime
) -> None:
    member, second = a_member(due_date=due), timedelta(seconds=1)
    assert is_past(step, member, past)
    assert not is_past(step, member, past - second)
    assert may_be_past(step, member, maybe)
    assert not may_be_past(step, member, maybe - second)


@pytest.mark.parametrize(
    ("step", "due"),
    [
        (replace(BEFORE, delay=Delay()), "2026-11-30"),
        (replace(BEFORE, anchor="notice"), "2026-11-30"),
        (BEFORE, ""),
    ],
)
def test_what_does_not_remind_of_a_date_before_it_is_never_past(step: Step, due: str) -> None:
    assert not is_past(step, a_member(due_date=due), datetime(2027, 1, 1, tzinfo=UTC))


# --- when a step is due -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due_date", "business", "end", "due"),
    [
        # Overdue when the notice went out: its end leaves 14 days, its other steps do not.
        ("2026-11-19", False, "event", datetime(2026, 12, 4, 15, 10, tzinfo=UTC)),
        ("2026-11-19", False, None, datetime(2026, 11, 24, 15, tzinfo=UTC)),
        ("2026-11-20", False, "event", datetime(2026, 11, 25, 15, tzinfo=UTC)),  # not overdue
        ("2026-11-19", True, "event", datetime(2026, 12, 4, 15, 10, tzinfo=UTC)),
    ],
)
def test_the_end_of_what_began_overdue_leaves_a_fair_time(
    due_date: str, business: bool, end: Any, due: datetime
) -> None:
    step = Step(Delay(days=5), "due_date", business_days=business, end=end)
    assert due_at(a_journey(step), step, a_member(due_date=due_date), no_holiday) == due


def test_a_fair_time_that_ends_on_a_weekend_ends_on_monday_for_working_days_only() -> None:
    ends = Step(Delay(days=1), "due_date", end="case")
    rule = a_journey(ends, fair_time=Delay(days=15))
    member = a_member(due_date="2026-11-01")
    assert due_at(rule, ends, member, no_holiday) == datetime(2026, 12, 5, 15, 10, tzinfo=UTC)
    working = replace(ends, business_days=True)
    assert due_at(rule, working, member, no_holiday) == datetime(2026, 12, 7, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("base", "months", "due"),
    [
        ("2026-01-31T10:00:00+00:00", 1, "2026-02-28"),
        ("2026-03-31T10:00:00+00:00", 1, "2026-04-30"),
        ("2028-01-30T10:00:00+00:00", 1, "2028-02-29"),
        ("2026-11-15T10:00:00+00:00", 1, "2026-12-15"),
        ("2026-12-15T10:00:00+00:00", 1, "2027-01-15"),
        ("2026-12-15T10:00:00+00:00", 12, "2027-12-15"),
        ("2026-06-15T10:00:00+00:00", 7, "2027-01-15"),
    ],
)
def test_a_month_ends_where_the_calendar_has_its_end(base: str, months: int, due: str) -> None:
    step = Step(Delay(months=months))
    found = due_at(a_journey(step), step, a_member(base=base), no_holiday)
    assert found == datetime.fromisoformat(f"{due}T10:00:00+00:00")


def test_months_before_a_date_and_seconds_beside_working_days() -> None:
    month_before = Step(Delay(months=-1), "due_date")
    found = due_at(a_journey(month_before), month_before, a_member(due_date="2027-01-31"), no_holiday)
    assert found == datetime(2026, 12, 31, 15, tzinfo=UTC)
    mixed = Step(Delay(months=1, days=1, seconds=60), business_days=True)
    # The 20th of December is a Sunday; one working day on is Monday.
    assert due_at(a_journey(mixed), mixed, a_member(), no_holiday) == datetime(
        2026, 12, 21, 15, 11, tzinfo=UTC
    )


def test_a_calendar_without_a_working_day_is_a_mistake() -> None:
    step = Step(Delay(days=1), business_days=True)
    with pytest.raises(ValueError, match="no business day was found"):
        due_at(a_journey(step), step, a_member(), lambda _place, _day: True)


# --- what ends it -----------------------------------------------------------------------------------------


def an_attempt(number: int, status: Status, **changes: Any) -> Attempt:
    return Attempt(number, "email", "mail", "hash", "job", status, **changes)


def sent(**changes: Any) -> Notice:
    return a_notice(**{"status": Status.SENT, "attempts": (an_attempt(1, Status.SENT),), **changes})


OTHER = Origin("retail/run-2", 1, 9, "part", 0, 10)
SETTLED, OPEN = Correction(OTHER, "", nothing_due=True), Correction(OTHER, "2026-12-01")


@pytest.mark.parametrize(
    ("notice", "pays", "why"),
    [
        (None, False, "no_notice"),
        (sent(), False, ""),
        (sent(superseded_by="D2"), False, "superseded"),
        (sent(status=Status.SUPERSEDED), False, "superseded"),
        (sent(corrections=(SETTLED,)), True, "nothing_due"),
        (sent(corrections=(SETTLED,)), False, ""),
        (sent(corrections=(SETTLED, OPEN)), True, ""),  # the newest counts
        (sent(corrections=(OPEN, SETTLED)), True, "nothing_due"),
        (sent(responses=("opened", "paid", "responded")), True, "paid"),
        (sent(responses=("opened",)), True, ""),
        (a_notice(), False, "not_told"),
        (a_notice(status=Status.FAILED, attempts=(an_attempt(1, Status.FAILED),)), False, "not_told"),
        (a_notice(status=Status.FAILED, attempts=(an_attempt(1, Status.UNCONFIRMED),)), False, ""),
    ],
)
def test_why_a_member_gets_no_further_step(notice: Notice | None, pays: bool, why: str) -> None:
    assert why_stopped(a_journey(WEEK, asks_for_payment=pays), notice) == why


def event(what: str, detail: str = "", at: str = BASE) -> Event:
    return Event(at, what, detail, "hash")


@pytest.mark.parametrize(
    ("events", "stopped"),
    [
        ([], False),
        (["journey stopped"], True),
        (["journey stopped", "opened"], True),
        (["journey stopped", "journey resumed"], False),
        (["journey stopped", "journey resumed", "opened", "journey stopped", "sent"], True),
    ],
)
def test_the_last_word_on_a_stop_counts(events: list[str], stopped: bool) -> None:
    assert is_stopped(sent(events=tuple(map(event, events)))) is stopped


def test_a_journey_has_ended_by_an_event_with_its_name() -> None:
    rule = a_journey(WEEK)
    for events, ended in (
        ([], False),
        ([event("journey ended", "reminder-2 event")], False),
        ([event("journey stopped", "reminder")], False),
        (
            [event("sent"), event("journey ended", "dunning case"), event("journey ended", "reminder event")],
            True,
        ),
        ([event("journey ended", "reminder")], True),
    ):
        assert has_ended(rule, sent(events=tuple(events))) is ended


def test_messages_went_out_by_their_claims_that_were_neither_withdrawn_nor_refused() -> None:
    attempts = tuple(
        an_attempt(number, status)
        for number, status in enumerate(
            (Status.FAILED, Status.UNCONFIRMED, Status.BOUNCED, Status.SENDING), 1
        )
    )
    events = [
        event("claimed", f"{number} email mail job", f"2026-11-20T15:0{number}:00.000+00:00")
        for number in (1, 2, 3, 4, 5)
    ]
    notice = a_notice(attempts=attempts, events=(event("deferred", "2 provider_down"), *events))
    assert told_at(notice) == [datetime(2026, 11, 20, 15, minute, tzinfo=UTC) for minute in (2, 3)]


@pytest.mark.parametrize(
    ("messages", "told", "until"),
    [
        (1, [], None),
        (1, [7.0], None),  # just outside
        (1, [6.999], 0.001),
        (2, [1, 6.5, 3], 4),
        (2, [1], None),
        (2, [1, 1], 6),
        (3, [1, 2, 3, 4], 4),
    ],
)
def test_the_next_message_within_the_cap(messages: int, told: list[float], until: float | None) -> None:
    """Days ago each message went out, and in how many the next may."""
    found = capped_until(Cap(messages, 7), [NOW - timedelta(days=days) for days in told], NOW)
    assert found == (None if until is None else NOW + timedelta(days=until))


# --- steps as notices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "step"),
    [("notice", None), ("step:dunning:2", ("dunning", 2)), ("step:a:b:12", ("a:b", 12)), ("", None)],
)
def test_a_purpose_names_its_step(purpose: str, step: tuple[str, int] | None) -> None:
    assert step_of(purpose) == step


def test_a_step_belongs_to_a_notice_by_the_record_of_either() -> None:
    notice = sent(corrections=(OPEN,))
    assert records_of(notice) == (notice.origin, OTHER)
    step = a_notice(notice_id="b" * 32, purpose="step:reminder:1")
    assert is_step_of(step, notice)
    assert is_step_of(replace(step, origin=replace(OTHER, part="elsewhere", offset=5)), notice)
    assert not is_step_of(replace(step, audience="team/claims"), notice)
    assert not is_step_of(replace(step, purpose="notice"), notice)
    for other in ({"run": "retail/run-9"}, {"slice_number": 4}, {"position": 4}):
        assert not is_step_of(replace(step, origin=replace(step.origin, **other)), notice)


def test_a_steps_rule_is_its_documents_with_channels_and_words_of_its_own() -> None:
    rule = a_rule(
        channels=("email", "sms"),
        both_channels=True,
        team_copy="each",
        teams=("claims",),
        paper_on_failure=True,
        on_unconfirmed="resend",
        on_no_receipt="paper",
        deadline_hours=72,
    )
    first = Step(
        Delay(days=1),
        channels=("sms",),
        wording="first",
        urgent=True,
        on_paper="paper",
        without_channel="skip",
    )
    journey = a_journey(
        first,
        Step(Delay(days=1, seconds=7200), "due_date"),
        Step(Delay(days=3, seconds=3600 + 3599)),
        Step(Delay(months=1), "due_date", end="event"),
    )
    assert step_rule(rule, journey, 1) == replace(
        rule,
        channels=("sms",),
        reserve=(),
        without_channel="skip",
        on_paper="paper",
        wording="first",
        urgent=True,
        both_channels=False,
        team_copy="none",
        teams=(),
        paper_on_failure=False,
        on_unconfirmed="alert",
        on_no_receipt="alert",
        asks_for_payment=True,
        deadline_hours=49,  # until the next step that counts from the same day
        purpose="step:reminder:1",
    )
    second = step_rule(replace(rule, on_no_receipt="ignore", urgent=True), journey, 2)
    assert (second.channels, second.wording, second.urgent) == (("email", "sms"), "statement", False)
    assert (second.on_paper, second.without_channel, second.reserve) == ("skip", "other", ())
    assert (second.on_no_receipt, second.deadline_hours, second.purpose) == (
        "ignore",
        29 * 24 - 2,
        "step:reminder:2",
    )
    assert step_rule(rule, journey, 3).deadline_hours == 72, "nothing follows it"
    reserve = a_journey(replace(first, without_channel="other"), END)
    assert step_rule(rule, reserve, 1).reserve == ("email",)


@pytest.mark.parametrize(
    ("message_class", "said", "asks"),
    [("transactional", False, False), ("transactional", True, True), ("collections", False, True)],
)
def test_a_step_asks_for_payment_where_its_document_or_its_journey_does(
    message_class: Any, said: bool, asks: bool
) -> None:
    rule = step_rule(a_rule(message_class=message_class), a_journey(WEEK, END, asks_for_payment=said), 1)
    assert rule.asks_for_payment is asks
