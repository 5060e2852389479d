"""What a customer changes: every answer to a change of address, what is stored of it, and how long a page opens."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.address_changes import Answer
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.passes import preferences_id, undo_id, unsubscribe_id
from exstream_notify.use_cases.change_preferences import (
    ONE_CLICK,
    PAGE,
    AddressBook,
    Judgement,
    address_book,
    judge_change,
    leave_all,
    open_page,
    save_consent,
    undo_change,
    unsubscribe,
)
from exstream_notify.use_cases.notify_owner import Conflict
from tests.use_cases.test_changes_that_meet import another_writer
from tests.use_cases.test_other_writers import interfere
from tests.use_cases.test_owner_notices import NEW, OLD, judge, known, the_contact, unreached
from tests.use_cases.test_statements import TOPICS, Site
from tests.use_cases.world import World

# --- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "opens"), [(-2, False), (-1, True), (0, True), (30, True), (31, False), (400, False)]
)
def test_a_page_opens_for_its_days_and_a_day_before_for_clocks_that_go_ahead(age: int, opens: bool) -> None:
    world = known()
    contact = the_contact(world)
    token = preferences_id(contact.salt, world.clock.now().date() - timedelta(days=age))
    found = open_page(token, contacts=world.contacts, clock=world.clock, days=30)
    assert found == (contact if opens else None)


def test_no_page_opens_without_a_day_or_a_contact() -> None:
    world = known()
    today = world.clock.now().date()
    for token in (preferences_id("another salt", today), "not a token", preferences_id("", today)[:24]):
        assert open_page(token, contacts=world.contacts, clock=world.clock, days=30) is None


def test_leaving_all_leaves_what_can_be_left_on_every_channel_in_the_pages_name() -> None:
    site = Site()
    after = leave_all(site.contact, TOPICS, news=site.news)
    assert after == site.contact
    for topic in TOPICS:
        for channel in ("email", "sms"):
            assert after.opted_out(channel, topic.name) is topic.may_leave
    assert {row["who"] for row in after.history} == {PAGE}
    assert leave_all(after, TOPICS, news=site.news) is after, "said again, nothing is written"


def test_consent_is_stored_with_its_version_and_its_withdrawal() -> None:
    site = Site()
    given = save_consent(site.contact, True, "7", news=site.news)
    assert given.consent is not None
    assert (given.consent.given, given.consent.version) == (True, "7")
    taken = save_consent(given, False, "7", news=site.news)
    assert site.contact == taken
    assert taken.consent is not None
    assert (taken.consent.given, taken.history[-1]["who"]) == (False, PAGE)


def test_what_another_writer_changed_while_the_page_was_open_is_a_conflict() -> None:
    site = Site()
    shown = site.contact
    another_writer(site.contacts)()
    with pytest.raises(Conflict):
        save_consent(shown, True, "7", news=site.news)
    assert site.contact.consent is None


def test_one_click_says_by_what_and_leaves_one_topic_by_email_alone() -> None:
    site = Site()
    topic = unsubscribe(unsubscribe_id(site.contact.salt, "bills"), TOPICS, news=site.news)
    assert topic == next(t for t in TOPICS if t.name == "bills")
    assert site.contact.opt_outs == {"bills": ("email",)}
    assert site.contact.history[-1]["who"] == ONE_CLICK
    before = site.contact
    assert unsubscribe(unsubscribe_id(before.salt, "bills"), TOPICS, news=site.news) == topic
    assert site.contact == before, "a second click changes nothing"


# --- a code to the new address ---------------------------------------------------------------------


def codes(world: World, to: str = NEW) -> list[str]:
    return [d.text.removeprefix("code ") for d in world.outbox if d.to == to]


def begins(world: World, raw: str = NEW, change_id: str = "", channel: Any = "email") -> Answer:
    return world.book.begin(the_contact(world), channel, raw, PAGE, change_id)


def stopped(world: World) -> None:
    world.suppressions.stop("sms", "+12025550199", "START", world.clock.now())


@pytest.mark.parametrize(
    ("channel", "raw", "given", "answer"),
    [
        ("email", "no address", lambda w: None, Answer.WRONG),
        ("email", OLD.upper(), lambda w: None, Answer.SAME),
        ("sms", "+12025550199", stopped, Answer.STOPPED),
        ("email", NEW, lambda w: w.suppressions.addresses.add(("email", NEW)), Answer.SUPPRESSED),
        ("email", NEW, lambda w: w.off.add("email"), Answer.OFF),
        ("email", NEW, lambda w: w.mail.always(GiveUp("no_such_address", "recipient")), Answer.WRONG),
        ("email", NEW, lambda w: w.mail.always(TryAgain("unavailable")), Answer.LATER),
        ("email", NEW, lambda w: None, Answer.DONE),
    ],
)
def test_what_comes_of_asking_for_another_address(channel: Any, raw: str, given: Any, answer: Answer) -> None:
    world = known()
    given(world)
    before = the_contact(world)
    assert begins(world, raw, channel=channel) == answer
    assert len(codes(world)) == (answer == Answer.DONE)
    sent = answer == Answer.DONE or (raw == NEW and answer in (Answer.WRONG, Answer.LATER))
    if sent:
        (change,) = the_contact(world).changing
        assert (change.channel, change.address.value, change.source) == ("email", NEW, PAGE)
        assert change.address.source == PAGE
        assert the_contact(world).version == before.version + 1
        assert the_contact(world).changed_at == world.clock.now().isoformat(timespec="seconds")
    else:
        assert the_contact(world) == before, "nothing is stored of it"


def test_a_code_has_six_digits_and_is_another_for_another_change() -> None:
    world = known()
    for number in range(3):
        assert begins(world, change_id=f"change-{number}") == Answer.DONE
    found = codes(world)
    assert len(set(found)) == 3
    assert all(len(code) == 6 and code.isdecimal() for code in found)
    assert begins(world, change_id="change-9") == Answer.TOO_OFTEN


def test_the_same_change_again_tells_nothing_more() -> None:
    world = known()
    assert [begins(world, change_id="c1"), begins(world, change_id="c1")] == [Answer.DONE, Answer.DONE]
    assert len(codes(world)) == 1


def test_an_address_asked_for_on_the_page_is_a_statement_of_the_customers_and_one_of_an_event_is_not() -> (
    None
):
    page, event = known(), known()
    begins(page)
    begins(event, change_id="event-1")
    said = the_contact(page).statements[-1]
    assert (said.what, said.value) == ("email", NEW)
    assert len(the_contact(page).statements) == len(the_contact(event).statements) + 1


@pytest.mark.parametrize(
    ("given", "answer"),
    [("{}", Answer.DONE), (" {} ", Answer.DONE), ("000000x", Answer.WRONG), ("", Answer.WRONG)],
)
def test_a_code_that_comes_back(given: str, answer: Answer) -> None:
    world = known()
    begins(world)
    (code,) = codes(world)
    assert world.book.confirm(the_contact(world), "email", given.format(code)) == answer
    (change,) = the_contact(world).changing
    assert bool(change.confirmed_at) is (answer == Answer.DONE)
    assert change.tries == int(answer == Answer.WRONG)
    notes = [d.to for d in world.outbox if d.text.startswith("changed")]
    assert (OLD in notes) is (answer == Answer.DONE), "the owner is told of a change alone"


def test_a_code_for_nothing_is_none() -> None:
    world = known()
    before = the_contact(world)
    assert world.book.confirm(before, "email", "123456") == Answer.NONE
    assert the_contact(world) == before


def test_a_code_that_comes_back_to_a_contact_that_changed_meanwhile_is_a_conflict() -> None:
    world = known()
    begins(world)
    shown = the_contact(world)
    another_writer(world.contacts)()
    with pytest.raises(Conflict):
        world.book.confirm(shown, "email", codes(world)[0])


# --- an address that the portal proved -------------------------------------------------------------


def takes(world: World, raw: str = NEW, change_id: str = "event-1") -> Answer:
    return world.book.take(the_contact(world), "email", raw, "portal", change_id)


def test_an_address_that_the_portal_proved_is_confirmed_at_once_in_its_name() -> None:
    world = known()
    assert takes(world) == Answer.DONE
    (change,) = the_contact(world).changing
    now = world.clock.now()
    assert (change.change_id, change.source, change.address.source) == ("event-1", "portal", "portal")
    assert change.confirmed_at == change.asked_at == change.expires_at == now.isoformat(timespec="seconds")
    assert change.effective_at == (now + timedelta(hours=72)).isoformat(timespec="seconds")
    assert change.code == ""


def lock(contact: Contact, until: timedelta, world: World) -> None:
    world.know(
        replace(
            contact,
            version=contact.version + 1,
            changes_locked_until=(world.clock.now() + until).isoformat(timespec="seconds"),
        )
    )


def test_what_comes_of_an_address_that_the_portal_proved() -> None:
    world = known()
    assert takes(world, "no address") == Answer.WRONG
    assert takes(world, OLD) == Answer.SAME
    lock(the_contact(world), timedelta(hours=1), world)
    assert takes(world) == Answer.LOCKED
    lock(the_contact(world), timedelta(hours=-1), world)
    begins(world, "asked@example.com")
    assert takes(world) == Answer.DONE, "what was only asked for makes room"
    assert takes(world, change_id="event-2") == Answer.SAME
    before = the_contact(world)
    assert takes(world, "third@example.com", "event-3") == Answer.LOCKED, "one stands until it took effect"
    assert the_contact(world) == before


# --- an operator's judgement -----------------------------------------------------------------------


@pytest.mark.parametrize("allow", [True, False])
def test_a_judgement_is_written_with_its_time_and_an_allowed_change_waits_for_its_day(allow: bool) -> None:
    world = unreached()
    before = the_contact(world)
    after = judge(world, allow=allow)
    assert after is not None
    assert after.changed_at == world.clock.now().isoformat(timespec="seconds")
    assert after.version == before.version + 1
    (name,) = [name for name in world.due.waits if name.startswith("address:")] or [""]
    if allow:
        assert world.due.waits[name] >= world.clock.now().isoformat(timespec="seconds")


def test_there_is_nothing_to_judge_of_an_address_that_is_not_changing() -> None:
    world = known()
    ports: dict[str, Any] = {"contacts": world.contacts, "due": world.due, "clock": world.clock}
    for allow in (True, False):
        judgement = Judgement("email", allow, "ann", "why")
        assert judge_change(the_contact(world), judgement, **ports) is None
    assert world.due.waits == {}


def test_a_judgement_meets_another_writer_and_is_made_on_what_is_stored() -> None:
    world = unreached()
    calls = interfere(world.contacts, 2, another_writer(world.contacts))
    after = judge(world, allow=False)
    assert after is not None
    assert (len(calls), after.changing, after.country) == (2, (), "CA")


# --- undone, and put together ----------------------------------------------------------------------


def test_nothing_is_undone_for_a_contact_or_a_change_that_is_not_there() -> None:
    world = known()
    ports: dict[str, Any] = {"contacts": world.contacts, "clock": world.clock}
    before = the_contact(world)
    assert undo_change(undo_id("another salt", "c1"), **ports) == Answer.NONE
    assert undo_change(undo_id(before.salt, "c1"), **ports) == Answer.NONE
    assert the_contact(world) == before


def test_an_undone_change_is_dated_and_one_version_on() -> None:
    world = known()
    assert takes(world) == Answer.DONE
    before = the_contact(world)
    token = undo_id(before.salt, before.changing[0].change_id)
    assert undo_change(token, contacts=world.contacts, clock=world.clock) == Answer.DONE
    after = the_contact(world)
    assert (after.changing, after.version) == ((), before.version + 1)
    assert after.changed_at == world.clock.now().isoformat(timespec="seconds")
    assert after.email == before.email


def test_an_address_book_is_put_together_from_the_ports_of_its_parts() -> None:
    owner = known().owner
    teller, ways = ({f.name: getattr(one, f.name) for f in fields(one)} for one in (owner.teller, owner.ways))
    rest = {f.name: getattr(owner, f.name) for f in fields(owner) if f.name not in ("teller", "ways")}
    assert address_book(teller, ways, rest, (b"key",)) == AddressBook(owner, (b"key",))
