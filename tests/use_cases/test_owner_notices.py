"""A change of address and its owner: three days, three notes, or a person who looks; nobody takes over unseen."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.domain.address_changes import UNDO_WITHIN, Answer, confirmed, pending
from exstream_notify.domain.contacts import AddressStatus, Contact
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.passes import undo_id
from exstream_notify.domain.receipts import Kind
from exstream_notify.use_cases.change_preferences import Judgement, judge_change, undo_change
from exstream_notify.use_cases.notify_owner import waiting_name
from exstream_notify.use_cases.preference_page import Posted, PreferencePage
from tests.fakes import Delivered, Killed, LostAnswer, a_contact, a_document, a_rule, an_address
from tests.use_cases.world import DOMAIN, World

OLD, MOBILE, NEW = "c0001@example.com", "+12025550101", "new@example.com"
STATUSES: tuple[AddressStatus, ...] = ("ok", "soft", "invalid", "opted_out", "complained")
UNCONFIRMED = "address_change_unconfirmed"


def known(email: AddressStatus | None = "ok", mobile: AddressStatus | None = "ok") -> World:
    """A world with one customer, whose addresses have these statuses; None: no such address."""
    world = World()
    world.know(
        a_contact(
            1,
            email=an_address(OLD, status=email) if email else None,
            mobile=an_address(MOBILE, status=mobile) if mobile else None,
        )
    )
    return world


def the_contact(world: World) -> Contact:
    return world.contacts.stored[DOMAIN, "C0001"]


def email_of(world: World) -> str:
    address = the_contact(world).email
    return address.value if address else ""


def change_address(world: World, to: str = NEW, channel: Channel = "email") -> Answer:
    """Somebody passes the second step and gives the code that goes to the new address."""
    assert world.book.begin(the_contact(world), channel, to, "preference page") == Answer.DONE
    (code,) = [d.text.removeprefix("code ") for d in world.outbox if d.to == to and "code" in d.text]
    return world.book.confirm(the_contact(world), channel, code)


def confirm_and_die(world: World) -> None:
    """The code is right, the change is stored, and the worker dies before it notifies anybody."""
    assert world.book.begin(the_contact(world), "email", NEW, "preference page") == Answer.DONE
    step = confirmed(the_contact(world), "email", world.clock.now(), equal=True)
    assert step.change is not None
    world.due.wait("address", waiting_name(step.contact, step.change), world.clock.now())
    world.know(replace(step.contact, version=step.contact.version + 1))


def notes(world: World, name: str = "") -> list[Delivered]:
    """What the owner got, one note only if it is named."""
    names = (name,) if name else ("changed", "reminder", "in_effect")
    return [d for d in world.outbox if d.text.startswith(names)]


def received(world: World, to: str) -> list[str]:
    return [d.text.partition(" ")[0] for d in notes(world) if d.to == to]


def asked(world: World) -> bool:
    return UNCONFIRMED in world.exceptions.codes


def after(world: World, **time: float) -> None:
    """So much time passes, with the minutes' sweeps that fall into it."""
    world.wait_until(world.clock.now() + timedelta(**time))
    world.release()
    world.drain()


@pytest.mark.parametrize("suppressed", [False, True])
def test_a_take_over_by_a_forged_bounce_takes_three_days_and_three_messages_or_a_person(
    suppressed: bool,
) -> None:
    world = known(mobile=None)
    world.change_contact(1, postcode="10001", email=an_address(OLD, status="invalid"))
    if suppressed:
        world.suppressions.addresses.add(("email", OLD))

    # The link of a forwarded mail leads to the page, and the postcode is known.
    page = PreferencePage(
        world.contacts, world.due, world.clock, (), ("en",), Policy(), "1", lambda: world.book, world.tries,
        lambda: world.verify_keys, lambda: world.exceptions,
    )  # fmt: skip
    form = {"action": ["address"], "channel": ["email"], "address": [NEW], "postcode": ["10001"]}
    assert page.post(the_contact(world), form, "en") == Posted("code")
    code = world.outbox[-1].text.removeprefix("code ")
    form = {"action": ["code"], "channel": ["email"], "code": [code]}
    assert page.post(the_contact(world), form, "en") == Posted("confirmed")

    if suppressed:
        after(world, days=30)
        assert (received(world, OLD), email_of(world), asked(world)) == ([], OLD, True)
        return
    assert received(world, OLD) == ["changed"]
    after(world, hours=47)
    assert received(world, OLD) == ["changed"]
    after(world, hours=2)
    assert received(world, OLD) == ["changed", "reminder"]
    after(world, hours=22)
    assert email_of(world) == OLD
    after(world, hours=2)
    assert received(world, OLD) == ["changed", "reminder", "in_effect"]
    assert email_of(world) == NEW
    assert ["undo" in d.text for d in notes(world)] == [True, True, False]
    assert not asked(world)
    world.come_to_rest()
    world.check()


def test_the_owner_gets_each_note_once_at_every_known_address() -> None:
    world = known(email="soft", mobile="invalid")
    change_address(world)
    after(world, hours=73)
    assert received(world, OLD) == received(world, MOBILE) == ["changed", "reminder", "in_effect"]
    world.check()


def test_a_first_address_is_told_on_the_other_channel_and_waits_too() -> None:
    world = known(email=None)
    change_address(world)
    after(world, hours=71)
    assert email_of(world) == ""
    after(world, hours=2)
    assert received(world, MOBILE) == ["changed", "reminder", "in_effect"]
    assert email_of(world) == NEW


@pytest.mark.parametrize("stopped", ["by status", "on the list", "on the page"])
def test_a_number_that_its_holder_stopped_gets_no_note(stopped: str) -> None:
    world = known(mobile="opted_out" if stopped == "by status" else "ok")
    if stopped == "on the list":
        world.suppressions.stop("sms", MOBILE, "sms reply", world.clock.now())
    if stopped == "on the page":
        world.change_contact(1, opt_outs={"*": ("sms",)})
    change_address(world)
    after(world, hours=73)
    assert received(world, MOBILE) == []
    assert received(world, OLD) == ["changed", "reminder", "in_effect"]


def test_the_owner_undoes_it_until_it_is_in_effect_and_not_later() -> None:
    world = known()
    change_address(world)
    token = undo_id(the_contact(world).salt, the_contact(world).changing[0].change_id)
    assert undo_change(token, contacts=world.contacts, clock=world.clock) == Answer.DONE
    after(world, hours=80)
    assert (email_of(world), [d.text.partition(" ")[0] for d in notes(world)]) == (OLD, ["changed"] * 2)

    change_address(world, "other@example.com")
    late = undo_id(the_contact(world).salt, the_contact(world).changing[0].change_id)
    after(world, hours=73)
    assert email_of(world) == "other@example.com"
    assert undo_change(late, contacts=world.contacts, clock=world.clock) == Answer.NONE


def test_an_erasure_ends_it() -> None:
    world = known()
    change_address(world)
    del world.contacts.stored[DOMAIN, "C0001"]
    world.come_to_rest()
    assert {d.text.partition(" ")[0] for d in notes(world)} == {"changed"}
    assert not world.contacts.stored
    world.check()


# --- nobody is reached ------------------------------------------------------------------------------


def judge(world: World, *, allow: bool) -> Contact | None:
    judgement = Judgement("email", allow, "operator", "the customer answered our letter")
    return judge_change(
        the_contact(world), judgement, contacts=world.contacts, due=world.due, clock=world.clock
    )


def unreached() -> World:
    world = known(email=None, mobile=None)
    assert change_address(world) == Answer.DONE
    return world


def test_where_nothing_can_be_reached_a_person_is_asked_once_and_the_change_waits() -> None:
    world = unreached()
    after(world, days=30)
    assert email_of(world) == ""
    assert [e.code for e in world.exceptions.raised] == [UNCONFIRMED]
    assert not notes(world)
    world.come_to_rest()
    world.check()


@pytest.mark.parametrize("hours", [1, 100])
def test_what_a_person_allows_takes_effect_after_its_three_days_at_the_earliest(hours: int) -> None:
    world = unreached()
    after(world, hours=hours)
    assert judge(world, allow=True) is not None
    after(world, minutes=2)
    assert (email_of(world) == NEW) == (hours > 72)
    after(world, hours=72)
    assert email_of(world) == NEW
    assert judge(world, allow=True) is None
    world.check()


def test_what_a_person_undoes_never_takes_effect() -> None:
    world = unreached()
    assert judge(world, allow=False) is not None
    after(world, days=10)
    assert email_of(world) == ""


def test_notes_that_all_bounced_reached_nobody() -> None:
    world = known(mobile=None)
    change_address(world)
    for hours in (1, 48):
        after(world, hours=hours)
        world.report(world.receipt(notes(world)[-1], Kind.HARD_BOUNCE))
        world.drain()
    after(world, hours=48)
    assert email_of(world) == OLD
    assert asked(world)
    world.come_to_rest()
    world.check()


@pytest.mark.parametrize("kind", [Kind.DELAYED, Kind.SOFT_BOUNCE, Kind.POLICY_REFUSED])
def test_what_happens_to_a_note_is_no_matter_of_documents(kind: Kind) -> None:
    world = known()
    change_address(world)
    world.report(world.receipt(notes(world)[0], kind))
    world.come_to_rest()
    world.check()
    assert email_of(world) == NEW


def test_a_bounce_at_the_new_address_says_nothing_of_the_old_one() -> None:
    world = known(mobile=None)
    change_address(world)
    (code,) = [d for d in world.outbox if d.text.startswith("code")]
    world.report(world.receipt(code, Kind.HARD_BOUNCE))
    world.drain()
    assert the_contact(world).email == an_address(OLD)
    after(world, hours=73)
    assert email_of(world) == NEW
    # The bounce is known of the address, whoever has it.
    assert world.suppressions.suppressed([("email", NEW)])
    world.check()


def test_a_channel_that_is_down_delays_the_change_and_the_other_is_told_in_time() -> None:
    world = known()
    world.mail.refuse(OLD, TryAgain("unavailable"))
    assert change_address(world) == Answer.DONE
    assert (received(world, OLD), received(world, MOBILE)) == ([], ["changed"])
    after(world, hours=2)
    world.mail.refuse(OLD, None)
    after(world, hours=1)
    assert received(world, OLD) == ["changed"]
    after(world, hours=71)
    assert received(world, OLD) == received(world, MOBILE) == ["changed", "reminder", "in_effect"]


def test_while_no_provider_takes_a_note_nothing_takes_effect_and_after_a_day_a_person_is_asked() -> None:
    world = known()
    for provider, to in ((world.mail, OLD), (world.text, MOBILE)):
        provider.refuse(to, TryAgain("unavailable"))
    change_address(world)
    after(world, hours=23)
    assert not asked(world)
    after(world, hours=2)
    assert asked(world)
    after(world, days=10)
    assert email_of(world) == OLD


@pytest.mark.parametrize("days", [1, 4, 40])
def test_where_nothing_was_swept_for_days_the_owner_has_as_much_time_from_the_first_note_on(
    days: int,
) -> None:
    world = known(mobile=None)
    world.mail.refuse(OLD, TryAgain("unavailable"))
    confirm_and_die(world)
    world.due.set_watermark(world.clock.now())
    world.clock.advance(hours=24 * days)
    world.release()
    world.drain()
    assert not notes(world), "no provider took it, and it is tried again however late it is"
    world.mail.refuse(OLD, None)
    after(world, hours=2)
    assert received(world, OLD) == ["changed"]
    after(world, hours=45)
    assert received(world, OLD) == ["changed"]
    after(world, hours=24)
    assert received(world, OLD) == ["changed", "reminder"]
    assert email_of(world) == OLD
    after(world, hours=4)
    assert received(world, OLD) == ["changed", "reminder", "in_effect"]
    assert email_of(world) == NEW


def test_a_change_that_the_release_before_confirmed_gets_its_notes_and_its_three_days() -> None:
    """It has no place in the due index; the nightly export looks at it (`sort_segment`)."""
    world = known()
    assert world.book.begin(the_contact(world), "email", NEW, "preference page") == Answer.DONE
    long_ago = world.clock.now() - timedelta(hours=100)
    step = confirmed(the_contact(world), "email", long_ago, equal=True)
    assert step.change is not None
    world.know(step.contact)
    assert world.owner.go_on(waiting_name(step.contact, step.change))
    assert received(world, OLD) == received(world, MOBILE) == ["changed"]
    after(world, hours=71)
    assert email_of(world) == OLD
    after(world, hours=2)
    assert received(world, OLD) == received(world, MOBILE) == ["changed", "reminder", "in_effect"]
    assert email_of(world) == NEW


def test_both_addresses_changed_at_once_are_told_of_both_and_undone_by_one_link() -> None:
    world = known()
    change_address(world)
    change_address(world, "+12025550199", "sms")
    assert received(world, OLD) == received(world, MOBILE) == ["changed"] * 2
    after(world, hours=49)
    assert received(world, OLD) == received(world, MOBILE) == ["changed"] * 2 + ["reminder"] * 2
    token = undo_id(the_contact(world).salt, the_contact(world).changing[0].change_id)
    assert undo_change(token, contacts=world.contacts, clock=world.clock) == Answer.DONE
    after(world, hours=200)
    contact = the_contact(world)
    assert (contact.email, contact.mobile) == (an_address(OLD), an_address(MOBILE))
    assert not notes(world, "in_effect")
    world.come_to_rest()
    world.check()


def test_an_undo_works_as_soon_as_the_first_note_is_out() -> None:
    world = known()
    assert world.book.begin(the_contact(world), "email", NEW, "preference page") == Answer.DONE
    code = world.outbox[-1].text.removeprefix("code ")
    undone: list[Answer] = []

    def undo() -> None:
        token = undo_id(the_contact(world).salt, the_contact(world).changing[0].change_id)
        undone.append(undo_change(token, contacts=world.contacts, clock=world.clock))

    sends = [n for n, call in enumerate(_story(None).wire.log) if call == "provider.send"]
    world.wire.interrupt_at(sends[1] + 2, undo)
    world.book.confirm(the_contact(world), "email", code)
    assert undone == [Answer.DONE]
    world.come_to_rest()
    assert (email_of(world), the_contact(world).changing) == (OLD, ())


@pytest.mark.parametrize(("mobile", "ends"), [("ok", {"notified": 1}), (None, {"paper": 1})])
def test_meanwhile_documents_fall_back_from_an_old_address_that_is_dead(
    mobile: AddressStatus | None, ends: dict[str, int]
) -> None:
    world = World(a_rule(message_class="regulated", paper_on_failure=True))
    world.know(
        a_contact(
            1,
            email=an_address(OLD, status="invalid"),
            mobile=an_address(MOBILE) if mobile else None,
        )
    )
    change_address(world)
    world.drop("run-1", a_document(1, mobile=MOBILE if mobile else None))
    after(world, hours=1)
    assert world.outcomes("run-1") == ends
    assert not [d for d in world.outbox if d.to == NEW and not d.text.startswith("code")]


# --- whatever happens -------------------------------------------------------------------------------

ANSWERS = {
    "taken": None,
    "refused": GiveUp("no_such_address", "recipient"),
    "down": TryAgain("unavailable"),
    "lost": LostAnswer(),
}
REPORTS = (
    Kind.HARD_BOUNCE,
    Kind.SOFT_BOUNCE,
    Kind.COMPLAINT,
    Kind.DELIVERED,
    Kind.POLICY_REFUSED,
    Kind.DELAYED,
)


@dataclass(frozen=True)
class Said:
    """What is reported, so many hours after the confirmation, of one of the notes, or of one of the addresses."""

    hours: int
    number: int
    what: Kind | AddressStatus

    def happens(self, world: World) -> None:
        """Whoever says it, and whether or not it is true."""
        if isinstance(self.what, Kind):
            if told := notes(world):
                world.report(world.receipt(told[self.number % len(told)], self.what))
            return
        name = ("email", "mobile")[self.number % 2]
        if (address := getattr(the_contact(world), name)) is not None:
            world.change_contact(1, **{name: replace(address, status=self.what)})


@settings(max_examples=150, deadline=None)
@given(
    channel=st.sampled_from(["email", "sms"]),
    statuses=st.tuples(*[st.sampled_from([*STATUSES, None])] * 2),
    answers=st.tuples(*[st.sampled_from(sorted(ANSWERS))] * 2),
    said=st.lists(
        st.builds(Said, st.integers(0, 80), st.integers(0, 5), st.sampled_from([*REPORTS, *STATUSES])),
        max_size=8,
    ),
)
def test_nothing_shortens_the_three_days_and_the_owner_gets_three_notes_or_a_person_is_asked(
    channel: Channel,
    statuses: tuple[AddressStatus | None, AddressStatus | None],
    answers: tuple[str, str],
    said: list[Said],
) -> None:
    world, new = known(*statuses), NEW if channel == "email" else "+12025550199"

    def taken() -> bool:
        address = the_contact(world).address(channel)
        return address is not None and address.value == new

    for provider, to, name in ((world.mail, OLD, answers[0]), (world.text, MOBILE, answers[1])):
        provider.refuse(to, ANSWERS[name])
    assert change_address(world, new, channel) == Answer.DONE
    change = pending(the_contact(world), channel)
    assert change is not None
    confirmed_at = datetime.fromisoformat(change.confirmed_at)
    assert datetime.fromisoformat(change.effective_at) - confirmed_at == UNDO_WITHIN
    for one in sorted(said, key=lambda one: one.hours):
        world.wait_until(max(world.clock.now(), confirmed_at + timedelta(hours=one.hours)))
        one.happens(world)
        world.drain()
        assert not taken() or world.clock.now() - confirmed_at >= UNDO_WITHIN
    world.come_to_rest(limit=400)
    world.check()

    tried = {n.purpose.removeprefix("address:") for n in world.ledger.notices.values()}
    assert asked(world) or tried >= {"changed", "reminder", "in_effect"}
    assert asked(world) or taken()
    if taken():
        assert tried >= {"changed", "reminder", "in_effect"}
        assert any(notes(world)), "at least one provider took a note"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_each_note_goes_out_at_most_once_and_the_change_takes_effect(
    when: Literal["before", "after"],
) -> None:
    calls = _story(None).wire.number
    for number in range(1, calls + 1):
        world = _story((number, when))
        assert email_of(world) == NEW, f"killed {world.wire.killed_at}"
        assert len({d.ref for d in notes(world)}) == len(notes(world)) >= 5
        tried = [(n.purpose, n.attempts[0].address) for n in world.ledger.notices.values()]
        assert len(tried) == len(set(tried)) == 7, f"killed {world.wire.killed_at}"
        world.check()


def _story(kill: tuple[int, Literal["before", "after"]] | None) -> World:
    world = known()
    assert world.book.begin(the_contact(world), "email", NEW, "preference page") == Answer.DONE
    code = world.outbox[-1].text.removeprefix("code ")
    world.wire.number = 0
    if kill is not None:
        world.wire.kill_at(*kill)
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
