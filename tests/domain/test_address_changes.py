"""Changing an address: code, tries, the old address's three days, undo."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.domain.address_changes import (
    CODE_LIFE,
    CODE_TRIES,
    CODES_A_DAY,
    LOCKED_FOR,
    UNDO_WITHIN,
    Answer,
    Step,
    as_of,
    asked,
    confirmed,
    pending,
    to_tell,
    undone,
)
from exstream_notify.domain.contacts import Contact
from tests.fakes.examples import a_contact, an_address

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NEW = an_address("new@example.com")


def ask(contact: Contact, now: datetime = NOW, change_id: str = "c1") -> Step:
    return asked(contact, "email", NEW, change_id=change_id, code="right", now=now, source="page")


def give(contact: Contact, code: str = "right", now: datetime = NOW) -> Step:
    change = pending(contact, "email")
    return confirmed(contact, "email", now, equal=change is not None and change.code == code)


def test_the_old_address_stays_for_three_days_and_then_the_new_one_holds() -> None:
    step = give(ask(a_contact()).contact)

    assert step.answer == Answer.DONE
    assert step.contact.email == a_contact().email
    almost = as_of(step.contact, NOW + UNDO_WITHIN - timedelta(seconds=1))
    assert almost is step.contact
    after = as_of(step.contact, NOW + UNDO_WITHIN)
    assert after.email is not None
    assert after.email.value == "new@example.com"
    assert "email" in after.set_by_customer
    assert not after.changing
    assert after.history[-1]["from"] == "c0001@example.com"


def test_until_the_code_comes_back_nothing_ever_holds() -> None:
    contact = ask(a_contact()).contact

    assert as_of(contact, NOW + timedelta(days=400)) is contact


def test_the_old_address_can_undo_and_nobody_can_change_again_for_a_day() -> None:
    contact = undone(give(ask(a_contact()).contact).contact, "c1", NOW + timedelta(hours=71)).contact

    assert as_of(contact, NOW + timedelta(days=4)).email == a_contact().email
    assert ask(contact, NOW + timedelta(hours=72)).answer == Answer.LOCKED
    assert ask(contact, NOW + timedelta(hours=71) + LOCKED_FOR).answer == Answer.DONE


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


def test_where_the_old_address_is_dead_the_other_channel_is_told() -> None:
    dead = replace(a_contact(), email=an_address("c0001@example.com", status="invalid"))

    assert [channel for channel, _ in to_tell(dead, "email")] == ["sms"]


def test_where_nobody_can_be_told_it_holds_at_once() -> None:
    contact = give(ask(replace(a_contact(), email=None, mobile=None)).contact).contact

    assert contact.email is not None
    assert contact.email.value == "new@example.com"
