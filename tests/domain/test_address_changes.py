"""Changing an address: code, tries, the old address's three days, undo."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.address_changes import (
    CODE_LIFE,
    CODE_TRIES,
    CODES_A_DAY,
    LOCKED_FOR,
    NOT_YET,
    STAGES,
    UNDO_WITHIN,
    Answer,
    Step,
    allowed,
    asked,
    confirmed,
    due_at,
    in_effect,
    locked,
    noted,
    owners_addresses,
    pending,
    reached,
    refused,
    to_review,
    undone,
    with_change,
)
from exstream_notify.domain.contacts import AddressChange, AddressStatus, Contact, Told
from exstream_notify.domain.notices import Status
from tests.fakes.examples import a_contact, an_address

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NEW = an_address("new@example.com")


def ask(contact: Contact, now: datetime = NOW, change_id: str = "c1") -> Step:
    return asked(contact, "email", NEW, change_id=change_id, code="right", now=now, source="page")


def give(contact: Contact, code: str = "right", now: datetime = NOW) -> Step:
    change = pending(contact, "email")
    return confirmed(contact, "email", now, equal=change is not None and change.code == code)


def change_of(contact: Contact) -> AddressChange:
    change = pending(contact, "email")
    assert change is not None
    return change


def confirmed_change() -> AddressChange:
    return change_of(give(ask(a_contact()).contact).contact)


def sent(change: AddressChange, status: str = "sent") -> Told:
    return Told(STAGES[change.stage].note, "email", "c0001@example.com", NOW.isoformat(), status, "n1")


STATUSES: tuple[AddressStatus, ...] = ("ok", "soft", "invalid", "opted_out", "complained")


@pytest.mark.parametrize("status", [*STATUSES, None])
@pytest.mark.parametrize("other", [*STATUSES, None])
def test_the_wait_is_three_days_whatever_the_status_of_the_old_address(
    status: AddressStatus | None, other: AddressStatus | None
) -> None:
    old = an_address("c0001@example.com", status=status) if status else None
    mobile = an_address("+12025550101", status=other) if other else None
    step = give(ask(a_contact(email=old, mobile=mobile)).contact)

    assert step.answer == Answer.DONE
    assert step.contact.email == old
    assert step.change is not None
    waits = datetime.fromisoformat(step.change.effective_at) - datetime.fromisoformat(
        step.change.confirmed_at
    )
    assert waits == UNDO_WITHIN == timedelta(hours=72)


def test_the_notes_are_due_at_once_a_day_before_and_when_it_takes_effect() -> None:
    change = confirmed_change()
    due = []
    while (at := due_at(change)) is not None:
        due.append(at - NOW)
        change = noted(change, [sent(change)], at)
    assert due == [timedelta(0), timedelta(hours=48), timedelta(hours=72)]


def test_a_note_that_nobody_takes_is_tried_for_a_day_and_then_a_person_is_asked() -> None:
    change = confirmed_change()
    waits = noted(change, [sent(change, NOT_YET)], NOW + timedelta(hours=23))
    assert (waits.stage, waits.review) == (0, "")
    assert due_at(waits) == NOW
    gone = noted(waits, [sent(change, NOT_YET)], NOW + timedelta(hours=24))
    assert (gone.stage, gone.review) == (1, "asked")


@pytest.mark.parametrize("status", ["failed", "bounced", "undelivered", None])
def test_a_change_of_which_no_note_went_out_waits_for_a_person_and_then_for_its_three_days(
    status: str | None,
) -> None:
    contact = give(ask(a_contact()).contact).contact
    while (change := change_of(contact)) and (at := due_at(change)) is not None:
        contact = with_change(contact, noted(change, [sent(change, status)] if status else [], at))
    assert change.review == "asked"
    step = allowed(contact, "email", NOW + timedelta(hours=80), "operator", "asked by letter")
    assert step.change is not None
    assert due_at(step.change) == NOW + UNDO_WITHIN
    assert step.contact.history[-1]["why"] == "asked by letter"
    assert allowed(step.contact, "email", NOW, "operator", "again").answer == Answer.NONE


def test_what_waits_for_nobody_cannot_be_allowed() -> None:
    for contact in (a_contact(), ask(a_contact()).contact, give(ask(a_contact()).contact).contact):
        assert allowed(contact, "email", NOW, "operator", "why").answer == Answer.NONE


def test_in_effect_the_new_address_is_the_contacts_and_later_records_do_not_replace_it() -> None:
    contact = give(ask(a_contact()).contact).contact
    after = in_effect(contact, change_of(contact), NOW + UNDO_WITHIN)

    assert after.email is not None
    assert after.email.value == "new@example.com"
    assert "email" in after.set_by_customer
    assert not after.changing
    assert after.history[-1]["from"] == "c0001@example.com"


@pytest.mark.parametrize(
    ("email", "mobile", "opt_outs", "found"),
    [
        ("ok", "ok", None, {"email", "sms"}),
        ("invalid", "invalid", None, {"email", "sms"}),
        ("complained", "soft", None, {"email", "sms"}),
        ("opted_out", "opted_out", None, {"email"}),
        ("ok", "complained", None, {"email"}),
        ("ok", "ok", {"*": ("sms",)}, {"email"}),
        ("ok", "ok", {"*": ("email", "sms")}, {"email"}),
        ("ok", "ok", {"statements": ("email", "sms")}, {"email", "sms"}),
        (None, "ok", None, {"sms"}),
        (None, None, None, set()),
    ],
)
def test_every_known_address_is_notified_except_a_number_that_its_holder_stopped(
    email: AddressStatus | None, mobile: AddressStatus | None, opt_outs: object, found: set[str]
) -> None:
    contact = a_contact(
        email=an_address("c0001@example.com", status=email) if email else None,
        mobile=an_address("+12025550101", status=mobile) if mobile else None,
        opt_outs=opt_outs,
    )
    contact = give(ask(contact).contact).contact
    assert {channel for channel, _ in owners_addresses(contact, change_of(contact))} == found


def test_an_address_that_was_notified_once_is_notified_again_when_a_record_replaced_it() -> None:
    contact = give(ask(a_contact()).contact).contact
    change = noted(change_of(contact), [sent(change_of(contact))], NOW)
    contact = replace(with_change(contact, change), email=an_address("moved@example.com"))
    addresses = {to for _, to in owners_addresses(contact, change)}
    assert addresses == {"c0001@example.com", "moved@example.com", "+12025550101"}


def test_the_new_address_is_not_the_owners() -> None:
    contact = give(ask(a_contact()).contact).contact
    contact = replace(contact, email=NEW)
    assert [channel for channel, _ in owners_addresses(contact, change_of(contact))] == ["sms"]


def test_the_owner_can_undo_and_nobody_can_change_again_for_a_day() -> None:
    contact = undone(give(ask(a_contact()).contact).contact, "c1", NOW + timedelta(hours=71)).contact

    assert (contact.email, contact.changing) == (a_contact().email, ())
    assert ask(contact, NOW + timedelta(hours=72)).answer == Answer.LOCKED
    assert ask(contact, NOW + timedelta(hours=71) + LOCKED_FOR).answer == Answer.DONE


def test_an_undo_takes_back_the_change_of_the_other_channel_too_since_their_notes_look_alike() -> None:
    contact = give(ask(a_contact()).contact).contact
    number = an_address("+12025550199")
    contact = asked(contact, "sms", number, change_id="c2", code="x", now=NOW, source="page").contact
    assert undone(contact, "c2", NOW).answer == Answer.NONE, "a change without its code"
    both = confirmed(contact, "sms", NOW, equal=True).contact

    for before in (contact, both):
        after = undone(before, "c1", NOW).contact
        assert after.changing == ()
        assert len(after.history) == len(before.history) + 2


def test_an_operator_takes_back_the_change_of_one_channel() -> None:
    contact = give(ask(a_contact()).contact).contact
    number = an_address("+12025550199")
    contact = asked(contact, "sms", number, change_id="c2", code="x", now=NOW, source="page").contact
    assert refused(contact, "sms", NOW, "operator", "why").answer == Answer.NONE
    contact = confirmed(contact, "sms", NOW, equal=True).contact
    after = refused(contact, "sms", NOW, "operator", "why").contact
    assert [c.channel for c in after.changing] == ["email"]


def test_a_code_that_was_asked_for_before_an_undo_is_worth_nothing_behind_it() -> None:
    contact = replace(ask(a_contact()).contact, changes_locked_until=(NOW + LOCKED_FOR).isoformat())
    assert give(contact).answer == Answer.LOCKED
    assert give(contact).contact == contact


@pytest.mark.parametrize("late", [0, 30, 100])
def test_notes_that_go_out_late_leave_the_owner_as_much_time(late: int) -> None:
    change, start, due = confirmed_change(), NOW + timedelta(hours=late), []
    while (at := due_at(change)) is not None:
        due.append(max(at, start) - start)
        change = noted(change, [replace(sent(change), at=max(at, start).isoformat())], max(at, start))
    assert due == [timedelta(0), timedelta(hours=48), timedelta(hours=72)]


@pytest.mark.parametrize("change_id", ["other", ""])
def test_only_the_change_itself_is_undone(change_id: str) -> None:
    contact = give(ask(a_contact()).contact).contact

    assert undone(contact, change_id, NOW).answer == Answer.NONE


def test_what_is_not_confirmed_cannot_be_undone() -> None:
    assert undone(ask(a_contact()).contact, "c1", NOW).answer == Answer.NONE


def test_after_five_wrong_codes_the_right_one_is_worth_nothing() -> None:
    contact = ask(a_contact()).contact
    for _ in range(CODE_TRIES - 1):
        step = give(contact, "wrong")
        assert step.answer == Answer.WRONG
        contact = step.contact
    last = give(contact, "wrong")

    assert last.answer == Answer.EXPIRED
    assert give(last.contact).answer == Answer.NONE


def test_a_code_is_good_for_a_quarter_of_an_hour_and_once() -> None:
    contact = ask(a_contact()).contact

    assert give(contact, now=NOW + CODE_LIFE).answer == Answer.DONE
    assert give(contact, now=NOW + CODE_LIFE + timedelta(seconds=1)).answer == Answer.EXPIRED
    assert give(give(contact).contact).answer == Answer.NONE


def test_three_codes_a_day() -> None:
    contact = a_contact()
    for number in range(CODES_A_DAY):
        step = ask(contact, NOW + timedelta(hours=number), f"c{number}")
        assert step.answer == Answer.DONE
        contact = step.contact

    assert ask(contact, NOW + timedelta(hours=5)).answer == Answer.TOO_OFTEN
    assert ask(contact, NOW + timedelta(hours=25)).answer == Answer.DONE


def test_a_confirmed_change_is_not_pushed_aside_by_another() -> None:
    contact = give(ask(a_contact()).contact).contact

    assert ask(contact, NOW + timedelta(hours=1), "c2").answer == Answer.LOCKED


def test_the_same_change_again_leaves_everything_as_it_is() -> None:
    once = ask(a_contact()).contact
    again = ask(once, NOW + timedelta(minutes=1))

    assert (again.answer, again.contact) == (Answer.DONE, once)


def test_the_address_we_have_is_no_change() -> None:
    contact = replace(a_contact(), email=NEW)

    assert ask(contact).answer == Answer.SAME


def test_every_step_of_a_change_is_in_the_history_with_who_and_why() -> None:
    contact = ask(a_contact()).contact
    for _ in range(CODE_TRIES):
        contact = give(contact, "wrong").contact
    contact = give(ask(contact, change_id="c2").contact).contact
    contact = refused(contact, "email", NOW, "ann", "not the customer").contact
    at = "2026-11-25T12:00:00+00:00"
    found = [
        tuple(row.get(name, "") for name in ("at", "who", "from", "to", "why"))
        for row in contact.history
        if row["field"] == "changing"
    ]
    assert found == [
        (at, "page", "", "email asked", ""),
        (at, "page", "email asked", "", "wrong codes"),
        (at, "page", "", "email asked", ""),
        (at, "page", "email asked", "email confirmed", ""),
        (at, "ann", "email confirmed", "", "not the customer"),
    ]
    assert contact.changes_locked_until == (NOW + LOCKED_FOR).isoformat(timespec="seconds")
    other = ask(a_contact()).contact
    undo = undone(give(other).contact, "c1", NOW).contact
    assert [row["why"] for row in undo.history if row["who"] == "owner" and row["field"] == "changing"] == [
        "undone"
    ]


# --- whole steps --------------------------------------------------------------------------------------

AT = "2026-11-25T12:00:00+00:00"
LATE = NOW.replace(microsecond=250_000)


def row(who: str, old: str, new: str, why: str = "", field: str = "changing") -> dict[str, str]:
    entry = {"at": AT, "who": who, "field": field, "from": old, "to": new}
    return {**entry, "why": why} if why else entry


def test_the_stages_of_the_owners_notes() -> None:
    assert [(stage.note, stage.after, stage.undo) for stage in STAGES] == [
        ("changed", timedelta(0), True),
        ("reminder", timedelta(hours=48), True),
        ("in_effect", timedelta(hours=72), False),
    ]
    assert (
        timedelta(minutes=15),
        5,
        3,
        timedelta(hours=24),
    ) == (CODE_LIFE, CODE_TRIES, CODES_A_DAY, LOCKED_FOR)


def test_a_change_that_is_asked_for_is_compared_as_a_whole() -> None:
    old = AddressChange("c0", "email", NEW, "x", AT, AT, "page")
    number = AddressChange("c9", "sms", an_address("+12025550199"), "x", AT, AT, "page")
    contact = a_contact(
        changing=(old, number), codes_sent=("2026-11-24T12:00:00+00:00", "2026-11-24T12:00:01+00:00")
    )
    step = asked(contact, "email", NEW, change_id="c1", code="right", now=LATE, source="page")
    change = AddressChange(
        "c1", "email", replace(NEW, source="page"), "right", AT, "2026-11-25T12:15:00+00:00", "page"
    )
    assert step == Step(
        replace(
            contact,
            changing=(number, change),
            codes_sent=("2026-11-24T12:00:01+00:00", AT),
            history=(row("page", "", "email asked"),),
        ),
        Answer.DONE,
        change,
    )


def test_a_change_that_is_confirmed_and_in_effect_is_compared_as_a_whole() -> None:
    contact = ask(a_contact()).contact
    change = change_of(contact)
    done = replace(change, code="", confirmed_at=AT, effective_at="2026-11-28T12:00:00+00:00")
    step = confirmed(contact, "email", LATE, equal=True)
    first = row("page", "", "email asked")
    second = row("page", "email asked", "email confirmed")
    assert step == Step(replace(contact, changing=(done,), history=(first, second)), Answer.DONE, done)
    after = in_effect(step.contact, done, LATE)
    assert after == replace(
        step.contact,
        email=done.address,
        changing=(),
        set_by_customer=("email",),
        history=(first, second, row("page", "c0001@example.com", "new@example.com", field="email")),
    )
    new = in_effect(replace(step.contact, email=None, set_by_customer=("mobile",)), done, LATE)
    assert (new.history[-1]["from"], new.set_by_customer) == ("", ("email", "mobile"))


@pytest.mark.parametrize(
    ("minutes", "equal", "tries", "answer", "left"),
    [
        (15, False, 0, Answer.WRONG, 1),
        (15, False, 3, Answer.WRONG, 4),
        (15, False, 4, Answer.EXPIRED, None),
        (16, True, 0, Answer.EXPIRED, None),
    ],
)
def test_what_is_left_of_a_change_after_a_code(
    minutes: int, equal: bool, tries: int, answer: Answer, left: int | None
) -> None:
    contact = ask(a_contact()).contact
    contact = with_change(contact, replace(change_of(contact), tries=tries))
    step = confirmed(contact, "email", NOW + timedelta(minutes=minutes), equal=equal)
    assert step.answer == answer
    found = pending(step.contact, "email")
    assert (found.tries if found else None) == left


def test_a_code_that_comes_when_it_is_not_good_any_more_only_puzzles() -> None:
    contact = ask(a_contact()).contact
    assert ask(contact, NOW + CODE_LIFE).answer == Answer.DONE
    late = ask(contact, NOW + CODE_LIFE + timedelta(seconds=1))
    assert (late.answer, late.contact, late.change) == (Answer.EXPIRED, contact, change_of(contact))
    done = give(contact).contact
    assert ask(done, NOW + timedelta(days=9)).answer == Answer.DONE, "a confirmed one does not expire"


def test_a_lock_ends_at_its_time() -> None:
    contact = a_contact(changes_locked_until=AT)
    assert locked(contact, NOW - timedelta(seconds=1))
    assert not locked(contact, NOW)
    assert not locked(a_contact(), NOW)


def test_what_an_owner_takes_back_is_said_with_who_and_why() -> None:
    contact = give(ask(a_contact()).contact).contact
    step = undone(contact, "c1", LATE)
    assert step.answer == Answer.DONE
    assert step.change == change_of(contact)
    after = step.contact
    assert (after.changing, after.changes_locked_until) == ((), "2026-11-26T12:00:00+00:00")
    assert [(s.what, s.value, s.source, s.by, s.note) for s in after.statements] == [
        ("email", "c0001@example.com", "customer", "owner", "undone")
    ]
    assert after.history[-1] == row("owner", "email confirmed", "", "undone")
    by_operator = refused(contact, "email", LATE, "ann", "forged")
    assert [(s.source, s.by, s.note) for s in by_operator.contact.statements] == [
        ("operator", "ann", "forged")
    ]
    assert by_operator.change == change_of(contact)
    bare = give(ask(a_contact(email=None)).contact).contact
    assert undone(bare, "c1", LATE).contact.statements[0].value == ""
    waiting = asked(
        contact, "sms", an_address("+12025550199"), change_id="c2", code="x", now=NOW, source="page"
    ).contact
    rows = [row["from"] for row in undone(waiting, "c1", LATE).contact.history if row["who"] == "owner"]
    assert rows == ["email confirmed", "sms asked"]


def told(stage: int, status: str, hours: float = 0) -> Told:
    at = (NOW + timedelta(hours=hours)).isoformat()
    return Told(STAGES[stage].note, "email", "c0001@example.com", at, status, "n1")


@pytest.mark.parametrize(
    ("stage", "review", "rows", "hours", "expected"),
    [
        (0, "", [], 0, (1, "asked")),  # nobody to tell
        (0, "", [told(0, "sent")], 0, (1, "")),
        (0, "", [told(0, "quiet_hours")], 99, (0, "")),
        (0, "", [told(0, "sent"), told(0, "quiet_hours")], 99, (0, "")),
        (0, "", [told(0, "not_yet")], 23.99, (0, "")),
        (0, "", [told(0, "not_yet")], 24, (1, "asked")),
        (0, "", [told(0, "sent"), told(0, "not_yet")], 23.99, (0, "")),
        (0, "", [told(0, "sent"), told(0, "not_yet")], 24, (1, "")),
        (0, "", [told(0, "failed"), told(0, "bounced")], 0, (1, "asked")),
        (0, "allowed", [told(0, "failed")], 0, (1, "allowed")),
        (2, "", [told(2, "sent")], 0, (3, "")),
        (2, "", [told(2, "failed")], 0, (2, "asked")),
        (2, "asked", [told(2, "sent")], 0, (2, "asked")),
        (2, "allowed", [told(2, "failed")], 0, (3, "allowed")),
        (1, "asked", [told(1, "sent")], 0, (2, "asked")),
    ],
)
def test_when_a_stage_ends(
    stage: int, review: Any, rows: list[Told], hours: float, expected: tuple[int, str]
) -> None:
    before = replace(
        confirmed_change(), stage=stage, review=review, told=(told(0, "old"), told(1, "old"))[:stage]
    )
    after = noted(before, rows, NOW + timedelta(hours=hours))
    assert (after.stage, after.review) == expected
    assert after.told == (*before.told, *rows)
    again = noted(
        replace(before, told=(*before.told, told(stage, "not_yet"))), rows, NOW + timedelta(hours=hours)
    )
    assert again.told == after.told, "a later try takes the place of the one before"


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({"stage": 0}, 0),
        ({"stage": 1}, 48),
        ({"stage": 2}, 72),
        ({"stage": 3}, None),
        ({"stage": 0, "confirmed_at": ""}, None),
        ({"stage": 2, "review": "asked"}, None),
        ({"stage": 1, "review": "asked"}, 48),
        ({"stage": 1, "told": (told(0, "sent", 10),)}, 58),
        ({"stage": 1, "told": (told(0, "sent", 10), told(0, "sent", 5))}, 53),
        ({"stage": 1, "told": (told(0, "failed", 10), told(0, "not_yet", 10))}, 48),
        ({"stage": 2, "told": (told(0, "sent", 10), told(1, "sent", 60))}, 84),
        ({"stage": 2, "told": (told(0, "sent", 10), told(1, "sent", 40))}, 72),
    ],
)
def test_when_the_next_note_is_due(changes: dict[str, Any], due: float | None) -> None:
    found = due_at(replace(confirmed_change(), **changes))
    assert found == (None if due is None else NOW + timedelta(hours=due))


def test_a_person_allows_what_waits_for_one() -> None:
    contact = give(ask(a_contact()).contact).contact
    waits = with_change(contact, replace(change_of(contact), review="asked"))
    step = allowed(waits, "email", LATE, "ann", "by letter")
    assert step.change == replace(change_of(contact), review="allowed")
    assert step.contact.history[-1] == row("ann", "email waits for a person", "email allowed", "by letter")
    assert to_review(replace(change_of(contact), review="allowed")).review == "allowed"


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ([], False),
        ([Status.FAILED], False),
        ([Status.FAILED, Status.SENT], True),
        ([Status.UNCONFIRMED], False),
    ],
)
def test_whether_notes_reached_the_owner(statuses: list[Status], found: bool) -> None:
    assert reached(statuses) is found
