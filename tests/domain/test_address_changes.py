"""Changing an address: code, tries, the old address's three days, undo."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
    noted,
    owners_addresses,
    pending,
    refused,
    undone,
    with_change,
)
from exstream_notify.domain.contacts import AddressChange, AddressStatus, Contact, Told
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
