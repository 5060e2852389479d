"""Messages of ours respect STOP, suppressions, switches and the night; what cannot go there is told elsewhere."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.address_changes import CODE_LIFE, Answer
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.passes import handle_of
from exstream_notify.domain.preferences import PortalChange, without
from exstream_notify.use_cases.preference_page import Posted, PreferencePage
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.tell_customer import Note, NotToldYet
from tests.fakes import Killed, a_contact, an_address
from tests.use_cases.world import DOMAIN, World

OLD, MOBILE = "c0001@example.com", "+12025550101"
NEW_MAIL, NEW_NUMBER = "new@example.com", "+12025550199"
NOON, EVENING, NIGHT = (f"2026-11-{time}:00+00:00" for time in ("20T17:00", "21T03:30", "21T07:00"))
"""Of a Friday and the night after it, in New York: 12:00, 22:30, 02:00."""


def known(at: str = NOON, **changes: Any) -> World:
    """A world with one customer in New York, who has both addresses."""
    world = World(at=at)
    world.know(
        a_contact(
            1,
            **{
                "email": an_address(OLD),
                "mobile": an_address(MOBILE),
                "time_zone": "America/New_York",
                "postcode": "10001",
                **changes,
            },
        )
    )
    return world


def the_contact(world: World) -> Contact:
    return world.contacts.stored[DOMAIN, "C0001"]


def got(world: World, to: str) -> list[str]:
    return [d.text.partition(" ")[0] for d in world.outbox if d.to == to]


def after(world: World, **time: float) -> None:
    world.wait_until(world.clock.now() + timedelta(**time))
    world.release()
    world.drain()


def ask_on_the_page(world: World, channel: str, address: str) -> Posted:
    page = PreferencePage(
        world.contacts, world.due, world.clock, (), ("en",), Policy(), "1", lambda: world.book, world.tries,
        lambda: world.verify_keys, lambda: world.exceptions,
    )  # fmt: skip
    form = {"action": ["address"], "channel": [channel], "address": [address], "postcode": ["10001"]}
    return page.post(the_contact(world), form, "en")


def ask_in_the_portal(world: World, event: str = "event-1", **fields: Any) -> str:
    change = PortalChange(event, DOMAIN, "C0001", **fields)
    return record_preferences(
        change, contacts=world.contacts, exceptions=world.exceptions, clock=world.clock, book=world.book
    )


def take_back(world: World, name: str) -> None:
    """What keeps a code from a new number, or address."""
    if name == "number":
        world.suppressions.stop("sms", NEW_NUMBER, "sms reply 1", world.clock.now())
    elif name == "customer":
        world.know(without(the_contact(world), ["*"], ("sms",), world.clock.now(), "sms reply 1"))
    elif name == "suppressed":
        world.suppressions.addresses |= {("sms", NEW_NUMBER), ("email", NEW_MAIL)}
    else:
        world.off.add(name)


# --- codes ----------------------------------------------------------------------------------------------

NO_CODE = [
    ("number", "sms", NEW_NUMBER, "stopped"),
    ("customer", "sms", NEW_NUMBER, "stopped"),
    ("suppressed", "sms", NEW_NUMBER, "suppressed"),
    ("suppressed", "email", NEW_MAIL, "suppressed"),
    ("sms", "sms", NEW_NUMBER, "too_often"),
    ("email", "email", NEW_MAIL, "too_often"),
    (DOMAIN, "email", NEW_MAIL, "too_often"),
]


@pytest.mark.parametrize(("taken", "channel", "to", "problem"), NO_CODE)
def test_no_code_goes_where_none_may_and_the_page_says_so(
    taken: str, channel: str, to: str, problem: str
) -> None:
    world = known()
    take_back(world, taken)
    before = the_contact(world)

    assert ask_on_the_page(world, channel, to) == Posted(problem=problem, field="address")
    assert not world.outbox
    assert the_contact(world) == before, "no try is used up, and nothing waits"


@pytest.mark.parametrize(("taken", "channel", "to", "problem"), NO_CODE)
def test_what_the_portal_set_and_no_code_reaches_goes_to_an_operator(
    taken: str, channel: str, to: str, problem: str
) -> None:
    world = known()
    take_back(world, taken)

    before = the_contact(world)
    ask_in_the_portal(world, **{"email" if channel == "email" else "mobile": to})
    assert the_contact(world).address(channel) == before.address(channel)
    (raised,) = world.exceptions.raised
    assert raised.code == "preferences_unusable"
    assert raised.detail["contact"] == handle_of(the_contact(world).salt)
    assert to not in str(raised)
    assert not world.outbox


def test_a_code_that_is_waited_for_goes_at_night_and_another_customers_stop_is_no_matter() -> None:
    world = known(NIGHT)
    world.suppressions.stop("sms", "+12025550111", "sms reply 1", world.clock.now())
    assert ask_on_the_page(world, "sms", NEW_NUMBER) == Posted("code")
    assert got(world, NEW_NUMBER) == ["code"]


def test_after_a_start_the_same_number_gets_its_code() -> None:
    world = known()
    take_back(world, "number")
    world.clock.advance(seconds=1)
    world.suppressions.allow("sms", NEW_NUMBER, "sms reply 2", world.clock.now())
    assert ask_on_the_page(world, "sms", NEW_NUMBER) == Posted("code")


def test_a_code_that_no_provider_took_in_its_fifteen_minutes_never_goes_out() -> None:
    world = known()
    world.text.refuse(NEW_NUMBER, TryAgain("unavailable"))
    with pytest.raises(Exception, match="sms"):
        ask_in_the_portal(world, mobile=NEW_NUMBER)
    world.text.refuse(NEW_NUMBER, None)
    world.clock.advance(seconds=CODE_LIFE.total_seconds() + 1)

    ask_in_the_portal(world, mobile=NEW_NUMBER)
    assert got(world, NEW_NUMBER) == []
    assert world.exceptions.codes == {"preferences_unusable"}


# --- notes on a change of address -----------------------------------------------------------------------


def change_mail(world: World) -> None:
    assert world.book.begin(the_contact(world), "email", NEW_MAIL, "preference page") == Answer.DONE
    (code,) = [d.text.removeprefix("code ") for d in world.outbox if d.to == NEW_MAIL]
    assert world.book.confirm(the_contact(world), "email", code) == Answer.DONE


def test_at_night_the_mail_goes_at_once_and_the_text_in_the_morning_once() -> None:
    world = known(EVENING)
    change_mail(world)
    assert (got(world, OLD), got(world, MOBILE)) == (["changed"], [])
    after(world, hours=9)
    assert got(world, MOBILE) == []
    after(world, hours=1)
    assert (got(world, OLD), got(world, MOBILE)) == (["changed"], ["changed"])
    after(world, hours=12)
    assert (got(world, OLD), got(world, MOBILE)) == (["changed"], ["changed"])


def test_a_change_takes_effect_by_day_when_all_its_readers_may_be_told() -> None:
    world = known(EVENING)
    change_mail(world)
    after(world, hours=73)
    assert the_contact(world).email == an_address(OLD)
    assert "in_effect" not in got(world, OLD)
    after(world, hours=9)
    assert got(world, OLD) == got(world, MOBILE) == ["changed", "reminder", "in_effect"]
    assert the_contact(world).email.value == NEW_MAIL  # type: ignore[union-attr]


def test_a_number_alone_has_its_three_days_from_the_morning_on() -> None:
    world = known(EVENING, email=None)
    change_mail(world)
    after(world, hours=9.75)
    assert got(world, MOBILE) == ["changed"]
    after(world, hours=71)
    assert the_contact(world).email is None
    after(world, hours=2)
    assert got(world, MOBILE) == ["changed", "reminder", "in_effect"]


@pytest.mark.parametrize(("taken", "told"), [("number", OLD), ("customer", OLD), ("email", MOBILE)])
def test_what_cannot_go_there_goes_to_the_other_channel(taken: str, told: str) -> None:
    world = known()
    if taken == "number":
        world.suppressions.addresses.add(("sms", MOBILE))
    elif taken == "customer":
        take_back(world, "customer")
    else:
        world.suppressions.addresses.add(("email", OLD))
    change_mail(world)
    after(world, hours=73)

    assert got(world, told) == ["changed", "reminder", "in_effect"]
    assert got(world, MOBILE if told == OLD else OLD) == []
    assert not world.exceptions.codes


def test_where_nothing_may_go_anywhere_a_person_writes_and_nothing_takes_effect() -> None:
    world = known()
    world.suppressions.addresses |= {("email", OLD), ("sms", MOBILE)}
    change_mail(world)
    after(world, days=10)

    assert (got(world, OLD), got(world, MOBILE)) == ([], [])
    assert world.exceptions.codes == {"address_change_unconfirmed"}
    assert the_contact(world).email == an_address(OLD)


def test_what_stopped_while_its_text_waited_for_the_morning_gets_none() -> None:
    world = known(EVENING)
    change_mail(world)
    world.suppressions.stop("sms", MOBILE, "sms reply 1", world.clock.now())
    after(world, days=4)
    assert got(world, MOBILE) == []
    assert got(world, OLD) == ["changed", "reminder", "in_effect"]


@pytest.mark.parametrize(("hours", "told"), [(5, ["changed"]), (30, [])])
def test_a_channel_that_is_off_is_waited_for_a_day(hours: float, told: list[str]) -> None:
    world = known()
    change_mail_off = world.off
    assert world.book.begin(the_contact(world), "email", NEW_MAIL, "preference page") == Answer.DONE
    change_mail_off.add("sms")
    (code,) = [d.text.removeprefix("code ") for d in world.outbox]
    world.book.confirm(the_contact(world), "email", code)
    assert (got(world, OLD), got(world, MOBILE)) == (["changed"], [])
    after(world, hours=hours)
    world.off.clear()
    after(world, hours=2)
    assert got(world, MOBILE) == told
    assert got(world, OLD) == ["changed"]


@given(
    hour=st.integers(0, 23),
    own=st.sampled_from([None, ("09:00", "18:00"), ("18:00", "19:00")]),
    zone=st.sampled_from(["America/New_York", "Pacific/Auckland", "Europe/Vienna"]),
    night=st.integers(0, 80),
)
def test_no_text_that_nobody_waits_for_comes_at_night_and_each_comes_once(
    hour: int, own: Any, zone: str, night: int
) -> None:
    world = known(f"2026-11-20T{hour:02d}:15:00+00:00", quiet_hours=own, time_zone=zone)
    change_mail(world)
    after(world, hours=night)
    world.come_to_rest(limit=400)
    after(world, days=6)

    texts = [d for d in world.outbox if d.to == MOBILE]
    assert [d.text.partition(" ")[0] for d in texts] == ["changed", "reminder", "in_effect"]
    assert got(world, OLD) == ["changed", "reminder", "in_effect"]
    opens, closes = own or ("08:00", "21:00")
    claims = [n for n in world.ledger.notices.values() if n.attempts[0].channel == "sms"]
    for notice in claims:
        (at,) = [e.at for e in notice.events if e.what == "claimed"]
        assert opens <= local(at, zone) < closes


def local(at: str, zone: str) -> str:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).time().isoformat("minutes")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(None, Status.SENT), (GiveUp("no_such_address", "recipient"), Status.FAILED), (TryAgain("later"), None)],
)
def test_a_slow_workers_certain_answer_counts(answer: Any, status: Status | None) -> None:
    """A second worker finds its claim abandoned and in doubt; the provider answers the first one after all."""
    world = known()
    teller = world.owner.teller
    note = Note("ab" * 16, "code", "code", "email", OLD, "a salt", values={"code": "123456"})
    post, first = world.mail._post, [True]

    def slow(request: Any) -> Any:
        if first[0]:
            first[0] = False
            world.clock.advance(minutes=3)
            assert teller.tell(note) == Status.UNCONFIRMED
        return answer or post(request)

    world.mail._post = slow  # type: ignore[method-assign]
    if status is None:
        with pytest.raises(NotToldYet):
            teller.tell(note)
        assert world.ledger.notices[note.identity].status == Status.DEFERRED
    else:
        assert teller.tell(note) == status
        assert world.ledger.notices[note.identity].status == status
    assert not world.ledger.notices[note.identity].due_at


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_a_text_that_waited_for_the_morning_goes_out_at_most_once(
    when: Literal["before", "after"],
) -> None:
    def story(kill: int | None) -> World:
        world = known(EVENING)
        assert world.book.begin(the_contact(world), "email", NEW_MAIL, "preference page") == Answer.DONE
        code = world.outbox[-1].text.removeprefix("code ")
        world.wire.number = 0
        if kill is not None:
            world.wire.kill_at(kill, when)
        while not the_contact(world).changing[0].confirmed_at:
            try:
                world.book.confirm(the_contact(world), "email", code)
            except Killed:
                world.clock.advance(minutes=2)
        for _ in range(20):
            world.come_to_rest()
            if not the_contact(world).changing:
                break
            world.clock.advance(minutes=1)
            world.release()
        return world

    for number in range(1, story(None).wire.number + 1):
        world = story(number)
        where = f"killed {world.wire.killed_at}"
        assert the_contact(world).email.value == NEW_MAIL, where  # type: ignore[union-attr]
        texts = [d for d in world.outbox if d.to == MOBILE]
        assert len({d.ref for d in texts}) == len(texts) >= 2, where
        world.check()


# --- answers to replies ---------------------------------------------------------------------------------


def reply(world: World, text: str, number: int = 1, *, minutes: float | None = None) -> str:
    world.clock.advance(seconds=1)
    at = (world.clock.now() - timedelta(minutes=minutes)).isoformat() if minutes is not None else ""
    return world.desk.record(Reply(f"r{number}", MOBILE, text, at=at))


@pytest.mark.parametrize("at", [NOON, NIGHT])
def test_the_answer_to_a_stop_is_the_last_text(at: str) -> None:
    world = known(at)
    assert reply(world, "STOP") == "stop"
    assert got(world, MOBILE) == ["stop"]
    assert reply(world, "HELP", 2) == "help"
    assert got(world, MOBILE) == ["stop"]
    (raised,) = world.exceptions.raised
    assert (raised.code, raised.detail["why"]) == ("sms_reply", "stopped")
    assert raised.detail["contact"] == handle_of(the_contact(world).salt)
    assert reply(world, "START", 3) == "start"
    assert reply(world, "HELP", 4) == "help"
    assert got(world, MOBILE) == ["stop", "start", "help"]


def test_a_suppressed_number_gets_no_answer_but_that_to_its_stop() -> None:
    world = known()
    world.suppressions.addresses.add(("sms", MOBILE))
    for number, text in enumerate(("HELP", "STOP", "START")):
        reply(world, text, number)
    assert got(world, MOBILE) == ["stop"]
    assert [(e.code, e.detail["why"]) for e in world.exceptions.raised] == [("sms_reply", "suppressed")] * 2


def test_nothing_is_answered_on_a_channel_that_is_off_and_the_stop_holds() -> None:
    world = known()
    world.off.add("sms")
    reply(world, "STOP")
    reply(world, "HELP", 2)
    assert not world.outbox
    assert the_contact(world).opted_out("sms", "*")
    assert world.suppressions.stopped_by("sms", MOBILE) == "sms reply r1"
    assert [e.code for e in world.exceptions.raised] == ["sms_reply"]


@pytest.mark.parametrize(
    ("at", "text", "minutes", "told"),
    [
        (NOON, "STOP", 4, ["stop"]),
        (NOON, "STOP", 6, []),
        (NOON, "HELP", 600, ["help"]),
        (NIGHT, "HELP", 1, ["help"]),
        (NIGHT, "HELP", 6, []),
        (NIGHT, "START", 6, []),
    ],
)
def test_an_answer_that_comes_late_keeps_to_the_law(
    at: str, text: str, minutes: float, told: list[str]
) -> None:
    world = known(at)
    if text == "START":
        world.suppressions.stop("sms", MOBILE, "sms reply r0", world.clock.now() - timedelta(hours=1))
    reply(world, text, minutes=minutes)
    assert got(world, MOBILE) == told
    assert world.exceptions.codes == (set() if told or text == "STOP" else {"sms_reply"})
    assert (world.suppressions.stopped_by("sms", MOBILE) is not None) == (text == "STOP")


def test_a_late_answer_to_nobody_that_we_know_keeps_to_the_day_of_the_number() -> None:
    world = known(NIGHT, mobile=None)
    reply(world, "HELP", minutes=6)
    assert got(world, MOBILE) == []
    assert [e.detail["why"] for e in world.exceptions.raised] == ["late"]


def test_a_reply_by_nobody_that_we_know_is_answered_unless_the_number_is_stopped() -> None:
    world = known(mobile=None)
    reply(world, "HELP")
    reply(world, "STOP", 2)
    reply(world, "HELP", 3)
    assert got(world, MOBILE) == ["help", "stop"]
    assert replace(the_contact(world), version=1) == replace(
        known(mobile=None).contacts.stored[DOMAIN, "C0001"]
    )
