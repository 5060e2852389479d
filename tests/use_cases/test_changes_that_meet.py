"""A customer's word counts although another writer changes the contact at the same moment, up to five times."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from exstream_notify.domain.address_changes import Answer
from exstream_notify.domain.passes import undo_id, unsubscribe_id
from exstream_notify.use_cases.change_preferences import undo_change, unsubscribe
from exstream_notify.use_cases.notify_owner import Conflict
from tests.fakes import FakeContacts

from .test_other_writers import interfere
from .test_owner_notices import change_address, judge, known, the_contact, unreached
from .test_statements import TOPICS, Site


def another_writer(contacts: FakeContacts) -> Callable[[], None]:
    """Sets the country of the one contact."""

    def change() -> None:
        (place,) = contacts.stored
        contact = contacts.stored[place]
        contacts.stored[place] = replace(contact, version=contact.version + 1, country="CA")

    return change


@pytest.mark.parametrize("times", [1, 4])
def test_one_click_is_heard(times: int) -> None:
    site = Site()
    calls = interfere(site.contacts, times, another_writer(site.contacts))
    topic = unsubscribe(unsubscribe_id(site.contact.salt, "bills"), TOPICS, news=site.news)
    assert topic is not None
    assert topic.name == "bills"
    assert len(calls) == times
    assert (site.contact.opted_out("email", "bills"), site.contact.country) == (True, "CA")


def test_one_click_that_never_gets_its_turn_is_a_conflict() -> None:
    site = Site()
    interfere(site.contacts, 5, another_writer(site.contacts))
    with pytest.raises(Conflict):
        unsubscribe(unsubscribe_id(site.contact.salt, "bills"), TOPICS, news=site.news)


def test_one_click_of_a_topic_that_is_gone_leaves_all_that_may_be_left() -> None:
    site = Site()
    assert unsubscribe(unsubscribe_id(site.contact.salt, "gone"), TOPICS, news=site.news) is None
    for topic in TOPICS:
        assert site.contact.opted_out("email", topic.name) is topic.may_leave
        assert not site.contact.opted_out("sms", topic.name)


def test_one_click_of_an_erased_contact_changes_nothing() -> None:
    site = Site()
    token = unsubscribe_id(site.contact.salt, "bills")
    site.contacts.stored.clear()
    topic = unsubscribe(token, TOPICS, news=site.news)
    assert topic is None or topic.name == "bills"
    assert site.contacts.stored == {}


@pytest.mark.parametrize("times", [1, 4])
def test_a_stop_is_heard(times: int) -> None:
    site = Site()
    interfere(site.contacts, times, another_writer(site.contacts))
    assert site.reply(1, "STOP") == "stop"
    assert (site.contact.opted_out("sms", "bills"), site.contact.country) == (True, "CA")


def test_a_stop_that_never_gets_its_turn_comes_again() -> None:
    site = Site()
    interfere(site.contacts, 5, another_writer(site.contacts))
    with pytest.raises(RuntimeError, match="kept changing under five attempts"):
        site.reply(1, "STOP")
    assert site.reply(1, "STOP") == "stop"
    assert site.contact.opted_out("sms", "bills")


@pytest.mark.parametrize("times", [1, 4])
def test_a_change_of_address_is_undone_or_judged(times: int) -> None:
    world = known()
    change_address(world)
    contact = the_contact(world)
    interfere(world.contacts, times, another_writer(world.contacts))
    token = undo_id(contact.salt, contact.changing[0].change_id)
    assert undo_change(token, contacts=world.contacts, clock=world.clock) == Answer.DONE
    assert (the_contact(world).changing, the_contact(world).country) == ((), "CA")

    for allow in (True, False):
        waiting = unreached()
        before = the_contact(waiting)
        interfere(waiting.contacts, times, another_writer(waiting.contacts))
        after = judge(waiting, allow=allow)
        assert after is not None
        assert after == the_contact(waiting)
        assert (after.country, after.version) == ("CA", before.version + times + 1)
        assert [change.review for change in after.changing] == (["allowed"] if allow else [])
        said = after.history[-1]
        assert (said["who"], said["why"]) == ("operator", "the customer answered our letter")


def test_undoing_or_judging_that_never_gets_its_turn_is_a_conflict() -> None:
    world = known()
    change_address(world)
    contact = the_contact(world)
    interfere(world.contacts, 5, another_writer(world.contacts))
    with pytest.raises(Conflict):
        undo_change(
            undo_id(contact.salt, contact.changing[0].change_id), contacts=world.contacts, clock=world.clock
        )
    waiting = unreached()
    interfere(waiting.contacts, 5, another_writer(waiting.contacts))
    with pytest.raises(Conflict):
        judge(waiting, allow=False)
