"""What customers, portals and operators say, through every use case that hears it; and what the portal hears."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exnotify.contact_changes import ChangeRefusedError, apply_changes, parse_change
from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.hearing import Voice, heard
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.notices import Attempt, Event, Notice, Status
from exstream_notify.domain.passes import handle_of, undo_id, unsubscribe_id
from exstream_notify.domain.portal_news import changed_between, detail_of
from exstream_notify.domain.preferences import PortalChange, Topic
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.statements import stamped
from exstream_notify.use_cases.change_preferences import (
    AddressBook,
    Judgement,
    judge_change,
    undo_change,
    unsubscribe,
)
from exstream_notify.use_cases.notify_owner import OwnerNotices
from exstream_notify.use_cases.preference_page import PreferencePage, shown_to
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.record_reply import ReplyDesk
from exstream_notify.use_cases.release_address import NothingToRelease, release_address
from exstream_notify.use_cases.tell_customer import Teller
from exstream_notify.use_cases.tell_portal import PortalNews
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeAddresses, FakeContacts, FakeSuppressions, some_ways
from tests.fakes.evidence import FakeEvidence
from tests.fakes.examples import a_contact, a_document, a_notice, an_address
from tests.fakes.exceptions import FakeExceptionBus
from tests.fakes.ledger import FakeDueIndex, FakeLedger
from tests.fakes.providers import FakeProvider
from tests.fakes.wording import FakeNotes
from tests.scenarios.shipped import shipped

ROOT = Path(__file__).resolve().parents[2]
TOPICS = (
    Topic("bills", "transactional", ("email", "sms")),
    Topic("offers", "marketing", ("email",)),
    Topic("statements", "transactional", ("email", "sms")),
)


class Site:
    """One customer, and everything by which something is said of what they want."""

    def __init__(self, **contact: Any) -> None:
        self.world = shipped()
        self.clock = FakeClock("2026-11-30T15:00:00+00:00")
        self.contacts, self.bus = FakeContacts(), FakeExceptionBus()
        self.contacts.put([a_contact(**contact)])
        self.stops = FakeSuppressions(now=self.clock.now)
        ledger = FakeLedger()
        self.due = FakeDueIndex(ledger)
        self.news = PortalNews(self.contacts, self.due, lambda: self.bus, self.clock)
        teller = Teller(
            ledger, FakeEvidence(), self.clock, lambda channel, value: f"hash {value}", FakeNotes(),
            lambda channel: FakeProvider("ses", self.clock), self.bus,
        )  # fmt: skip
        ways = some_ways(self.clock)
        self.owner = OwnerNotices(
            self.contacts, FakeAddresses(), ways, teller, self.due, self.bus, self.clock,
            lambda salt, change: "link",
        )  # fmt: skip
        self.desk = ReplyDesk(
            news=self.news, opt_outs=self.stops, addresses=FakeAddresses(), ledger=self.world.ledger,
            rules=self.world.rules, evidence=FakeEvidence(), exceptions=self.bus, ways=ways,
            hasher=lambda channel, value: f"hash {value}", teller=teller, clock=self.clock,
        )  # fmt: skip
        self.page = PreferencePage(
            self.contacts, self.due, self.clock, TOPICS, ("en", "de", "fr"), self.world.policy, "1",
            lambda: AddressBook(self.owner, (b"key",)), self.world.tries, lambda: self.world.verify_keys,
            lambda: self.bus,
        )  # fmt: skip

    @property
    def contact(self) -> Contact:
        return self.contacts.stored["retail", "C0001"]

    @property
    def outs(self) -> Mapping[str, Any]:
        return self.contact.opt_outs or {}

    def save(self, shown: Contact | None = None, **fields: Any) -> None:
        """The page's form as it is shown, with these fields changed."""
        wishes = shown_to(shown or self.contact, TOPICS, self.world.policy, "en")
        on = [f"{topic}/{channel}" for topic, channels in wishes.wanted.items() for channel in channels]
        form = {
            "action": ["save"], "want": on, "first": [*wishes.channel_order], "language": [wishes.language],
            "opens": ["08:00"], "closes": ["21:00"],
        }  # fmt: skip
        assert not self.page.post(self.contact, {**form, **fields}, "en").problem

    def portal(self, event: str, at: datetime | None = None, **fields: Any) -> str:
        change = PortalChange(event, "retail", "C0001", at=stamped(at) if at else "", **fields)
        return record_preferences(
            change, contacts=self.contacts, exceptions=self.bus, clock=self.clock,
            book=AddressBook(self.owner, (b"key",)),
        )  # fmt: skip

    def reply(self, number: int, text: str, at: datetime | None = None) -> str:
        return self.desk.record(Reply(f"in-{number}", "+12025550101", text, at=stamped(at) if at else ""))

    def one_click(self, topic: str) -> None:
        unsubscribe(unsubscribe_id(self.contact.salt, topic), TOPICS, news=self.news)

    def operator(self, *settings: str) -> None:
        changes = [parse_change(text) for text in settings]
        after = apply_changes(
            self.contact, changes, check=FakeAddresses().check, now=self.clock.now(), who="ann"
        )
        if after is not self.contact:
            assert self.news.put(self.contact, after)


# --- the stories of the issue -------------------------------------------------------------------------


def test_a_portal_event_about_bills_leaves_the_opt_out_from_statements() -> None:
    site = Site()
    site.one_click("statements")
    site.clock.advance(hours=1)
    site.portal("e1", opt_outs={"bills": ("sms",)})
    assert site.outs == {"statements": ("email",), "bills": ("sms",)}
    site.clock.advance(hours=1)
    site.portal("e2", opt_outs={})
    assert site.outs == {"statements": ("email",), "bills": ("sms",)}


def test_an_event_that_speaks_of_an_earlier_time_takes_nothing_back() -> None:
    site = Site()
    before = site.clock.now()
    site.clock.advance(hours=1)
    site.one_click("bills")
    site.reply(1, "STOP")
    site.clock.advance(hours=1)
    site.portal("late", before, opt_outs={"bills": (), "*": ()}, language="de")
    assert site.outs == {"bills": ("email",), "*": ("sms",)}
    assert site.contact.language == "de"
    site.portal("later", opt_outs={"bills": (), "*": ()})
    assert site.outs == {}


def test_an_event_from_the_future_counts_from_now() -> None:
    site = Site()
    site.portal("e1", site.clock.now() + timedelta(days=400), opt_outs={"bills": ()}, language="de")
    site.clock.advance(minutes=1)
    site.portal("e2", site.clock.now(), opt_outs={"bills": ("email",)}, language="fr")
    assert (site.outs, site.contact.language) == ({"bills": ("email",)}, "fr")
    site.portal("e3", quiet_hours=("09:00", "18:00"), channel_order=("sms", "sms"))
    assert (site.contact.quiet_hours, site.contact.channel_order) == (("09:00", "18:00"), ("sms",))
    site.portal("e4", quiet_hours=())
    assert site.contact.quiet_hours is None
    site.reply(1, "START", site.clock.now() + timedelta(days=400))
    site.clock.advance(minutes=1)
    site.reply(2, "STOP", site.clock.now())
    assert site.outs == {"*": ("sms",), "bills": ("email",)}
    assert site.stops.stopped_by("sms", "+12025550101") == "sms reply in-2"


def test_events_out_of_order_and_twice_end_as_the_last_of_them() -> None:
    site, start = Site(), datetime(2026, 11, 30, 14, tzinfo=UTC)
    second = {"opt_outs": {"bills": ("email",)}, "language": "fr", "email": "second@example.com"}
    first = {"opt_outs": {"bills": ("sms",)}, "language": "de", "email": "first@example.com"}
    site.portal("e2", start + timedelta(minutes=2), verified=True, **second)
    site.portal("e1", start + timedelta(minutes=1), verified=True, **first)
    site.portal("e2", start + timedelta(minutes=2), verified=True, **second)
    assert (site.outs, site.contact.language) == ({"bills": ("email",)}, "fr")
    assert [change.address.value for change in site.contact.changing] == ["second@example.com"]
    assert not site.bus.raised


def test_a_start_after_a_page_leaves_what_the_page_switched_off() -> None:
    site = Site()
    site.save(want=["bills/email", "statements/email", "statements/sms", "offers/email"])
    site.clock.advance(minutes=1)
    site.reply(1, "STOP")
    site.clock.advance(minutes=1)
    site.reply(2, "START")
    assert site.outs == {"bills": ("sms",)}
    assert site.stops.stopped_by("sms", "+12025550101") is None


def test_a_stop_that_the_carrier_had_before_a_start_and_brings_later_stops_nothing() -> None:
    site = Site()
    stopped, started = site.clock.now() - timedelta(minutes=2), site.clock.now() - timedelta(minutes=1)
    site.reply(2, "START", started)
    site.reply(1, "STOP", stopped)
    assert (site.outs, site.stops.stopped_by("sms", "+12025550101")) == ({}, None)
    site.reply(3, "STOP")
    assert site.outs == {"*": ("sms",)}


def test_the_page_says_only_what_the_customer_changed() -> None:
    """Somebody else speaks while the customer only sets the language: neither takes the other's word back."""
    site = Site(language="en", channel_order=("sms", "email"), quiet_hours=("06:00", "23:00"))
    earlier = site.clock.now() + timedelta(seconds=30)
    site.clock.advance(minutes=1)
    site.save(language=["de"])
    site.clock.advance(minutes=1)
    assert {one.what for one in site.contact.statements if one.by == "preference page"} == {"language"}
    assert (site.contact.channel_order, site.contact.quiet_hours) == (("sms", "email"), ("06:00", "23:00"))
    site.portal("late", earlier, opt_outs={"bills": ("sms",)}, channel_order=("email",), language="fr")
    assert (site.outs, site.contact.channel_order) == ({"bills": ("sms",)}, ("email",))
    assert site.contact.language == "de"


@pytest.mark.parametrize("what", ["opt_in=bills/email", "opt_outs="])
def test_an_operator_cannot_take_back_what_the_customer_said(what: str) -> None:
    site = Site()
    site.one_click("bills")
    site.clock.advance(days=1)
    with pytest.raises(ChangeRefusedError, match="only the customer"):
        site.operator(what)
    assert site.outs == {"bills": ("email",)}


def test_who_unsubscribed_with_the_provider_comes_back_by_their_own_word_alone() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, mobile=None))
    world.drain()
    receipt = world.receipt(world.outbox[0], Kind.UNSUBSCRIBED)
    world.report(receipt)
    world.drain()

    def contact() -> Contact:
        return world.contacts.get("retail", ["C0001"])["C0001"]

    assert contact().opt_outs == {"*": ("email",)}
    assert [row["opt_outs"] for row in world.exceptions.preferences] == [{"*": ["email"]}]
    with pytest.raises(NothingToRelease, match="only they can come back"):
        release_address(
            contact(), "email", "ann", "asked", contacts=world.contacts, suppressions=world.suppressions,
            bus=world.exceptions, clock=world.clock,
        )  # fmt: skip
    # Another address from a record, and the old one again: the customer's word stands.
    world.drop("run-2", a_document(1, document_id="D2", mobile=None, email="other@example.com"))
    world.drop("run-3", a_document(1, document_id="D3", mobile=None))
    world.drain()
    assert {n.document_id for n in world.ledger.notices.values() if n.status == Status.SENT} == {"D0001"}

    world.clock.advance(hours=1)
    back = Voice("customer", "portal e1", stamped(world.clock.now()), world.clock.now())
    after = heard(contact(), back.opts("in", ["*"], ["email"]), world.clock.now())
    assert (after.opt_outs, after.email and after.email.status) == (None, "ok")
    world.contacts.put([after])
    world.report(receipt)
    world.drain()
    assert contact() == after, "the receipt again is older"


def test_page_and_portal_say_that_a_stopped_number_stays_stopped() -> None:
    site = Site()
    site.owner.ways.opt_outs.stop("sms", "+12025550101", "sms reply 1", site.clock.now())
    site.reply(1, "STOP")
    site.clock.advance(minutes=1)
    form = {
        "action": ["save"],
        "want": ["bills/sms"],
        "first": [""],
        "language": ["en"],
        "opens": ["08:00"],
        "closes": ["21:00"],
    }
    assert site.page.post(site.contact, form, "en").done == "saved_stopped"
    assert site.page.post(site.contact, {**form, "opens": ["09:00"]}, "en").done == "saved"
    site.clock.advance(minutes=1)
    site.reply(2, "STOP")
    site.clock.advance(minutes=1)
    site.portal("e1", opt_outs={"*": (), "bills": ("email",)})
    site.portal("e1", opt_outs={"*": (), "bills": ("email",)})
    (raised,) = site.bus.raised
    assert (raised.code, "START" in raised.text) == ("preferences_unusable", True)


@pytest.mark.parametrize("by", ["owner", "ann"])
def test_an_event_that_comes_again_does_not_begin_anew_what_was_undone(by: str) -> None:
    site, event = Site(), {"email": "new@example.org", "verified": True}
    at = site.clock.now()
    site.portal("e1", at, **event)
    site.clock.advance(hours=1)
    (change,) = site.contact.changing
    if by == "owner":
        undo_change(undo_id(site.contact.salt, change.change_id), contacts=site.contacts, clock=site.clock)
    else:
        no = Judgement("email", False, by, "called")
        judge_change(site.contact, no, contacts=site.contacts, due=site.due, clock=site.clock)
    site.clock.advance(days=3)
    assert (site.portal("e1", at, **event), site.contact.changing) == ("unchanged", ())
    assert site.contact.email == Site().contact.email
    assert (site.portal("e2", **event), len(site.contact.changing)) == ("changed", 1)


# --- what the portal hears ----------------------------------------------------------------------------


def test_the_portal_hears_of_every_change_elsewhere_and_never_of_its_own() -> None:
    site = Site()
    said = {"domain": "retail", "customer_key": "C0001"}

    def heard() -> list[Mapping[str, object]]:
        found, site.bus.preferences = site.bus.preferences, []
        site.clock.advance(minutes=1)
        return found

    def at(minute: int) -> str:
        return f"2026-11-30T15:{minute:02d}:00.250+00:00"

    site.one_click("bills")
    assert heard() == [{**said, "opt_outs": {"bills": ["email"]}, "at": at(0), "by": "one_click"}]
    site.one_click("bills")
    assert heard() == []
    site.reply(1, "STOP")
    assert heard() == [{**said, "opt_outs": {"*": ["sms"]}, "at": at(2), "by": "sms_reply"}]
    site.portal("e1", opt_outs={"*": (), "statements": ("email",)}, language="fr")
    assert heard() == []
    site.save(language=["de"], opens=["09:00"])
    assert heard() == [
        {**said, "language": "de", "quiet_hours": ["09:00", "21:00"], "at": at(4), "by": "page"}
    ]
    site.page.post(site.contact, {"action": ["withdraw"]}, "de")
    (withdrawn,) = heard()
    assert withdrawn["consent"] == {"given": False, "version": "1"}
    site.operator("paper_required=yes", "email=other@example.com")
    (told,) = heard()
    assert (told["paper_required"], told["email"], told["by"]) == (True, "other@example.com", "operator")
    assert not list(site.due.due(site.clock.now() - timedelta(days=1), site.clock.now() + timedelta(days=1)))


def test_the_event_file_shows_every_field_that_an_event_may_have() -> None:
    shown = json.loads((ROOT / "events/out/preferences_changed.json").read_text("utf-8"))
    mobile = an_address("+12025550101", status="opted_out")
    contact = a_contact(
        3, recipient="spouse", opt_outs={"statements": ("email", "sms")}, language="de", mobile=mobile,
        channel_order=("sms", "email"), quiet_hours=("09:00", "18:00"), paper_required=True,
        consent=Consent(False, "electronic delivery", "3", "", "page"),
        email=an_address("new-c0800003@example.com"), customer_key="C0800003",
    )  # fmt: skip
    before = a_contact(
        3, recipient="spouse", opt_outs={"*": ("sms",)}, email=an_address("old@example.com"),
        mobile=an_address("+12025550101"),
    )  # fmt: skip
    names = changed_between(before, contact)
    detail = detail_of(contact, names, "preference page", "2026-11-25T15:05:00+00:00")
    assert (shown["source"], shown["detail-type"]) == ("exnotify", "Preferences Changed")
    assert detail == shown["detail"]


def test_an_address_that_works_in_place_of_one_that_did_not_comes_with_its_status() -> None:
    site = Site(mobile=an_address("+12025550101", status="invalid"))
    site.operator("mobile=+12025550102")
    site.operator("mobile=")
    first, second = site.bus.preferences
    assert (first["mobile"], first["mobile_status"]) == ("+12025550102", "ok")
    assert (second["mobile"], "mobile_status" in second) == ("", False)


class Killed(BaseException):
    """The worker died here."""


@pytest.mark.parametrize("call", ["preferences_changed", "forget"])
def test_a_worker_that_dies_after_the_write_leaves_an_event_that_goes_out(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site()

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(site.bus if call == "preferences_changed" else site.due, call, dies)
        with pytest.raises(Killed):
            site.one_click("bills")
    assert site.outs == {"bills": ("email",)}
    site.bus.preferences.clear()

    later = site.clock.now() + timedelta(minutes=3)
    looks = [name for _, kind, name in site.due.waiting([*site.due.due(site.clock.now(), later)])]
    assert [site.news.go_on(name) for name in looks] == [True]
    (told,) = site.bus.preferences
    assert (told["opt_outs"], told["by"]) == ({"bills": ["email"]}, "one_click")
    assert handle_of(site.contact.salt) in looks[0]
    assert "C0001" not in looks[0]


def test_the_event_of_a_start_that_died_has_all_that_the_start_brought_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one topic, of everything, and the number itself."""
    site = Site(mobile=an_address("+12025550101", status="opted_out"))
    for by, topic in (("sms reply 1", "bills"), ("sms reply 2", "*")):
        stop = Voice("reply", by, stamped(site.clock.now()), site.clock.now()).opts("out", [topic], ["sms"])
        site.contacts.put([heard(site.contact, stop, site.clock.now())])
    site.clock.advance(minutes=1)

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(site.bus, "preferences_changed", dies)
        with pytest.raises(Killed):
            site.reply(3, "START")
    later = site.clock.now() + timedelta(minutes=3)
    for _, _, name in site.due.waiting([*site.due.due(site.clock.now(), later)]):
        site.news.go_on(name)
    (told,) = site.bus.preferences
    assert (told["opt_outs"], told["mobile_status"]) == ({"*": [], "bills": []}, "ok")


# --- any order ----------------------------------------------------------------------------------------

ACTS = st.sampled_from(
    [
        ("portal", {"opt_outs": {"bills": ("sms",)}}),
        ("portal", {"opt_outs": {"bills": (), "statements": ("email",)}}),
        ("portal", {"opt_outs": {"*": ("sms",)}}),
        ("portal", {"language": "fr", "paper_required": True}),
        ("portal", {"language": "de", "channel_order": ("sms",)}),
        ("portal", {"quiet_hours": ("09:00", "18:00")}),
        ("portal", {"consent": False, "consent_version": "1"}),
        ("portal", {"consent": True, "consent_version": "2"}),
        ("reply", "STOP"),
        ("reply", "START"),
    ]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(ACTS, st.integers(0, 8)), min_size=1, max_size=8), st.data())
def test_what_comes_late_twice_or_out_of_order_ends_as_the_order_of_times(
    acts: list[tuple[tuple[str, Any], int]], data: st.DataObject
) -> None:
    """Portal events and replies carry their time: whatever the order, the same end, on the number too."""
    numbered = list(enumerate(acts))
    again = data.draw(st.lists(st.sampled_from(numbered), max_size=4))
    shuffled = data.draw(st.permutations([*numbered, *again]))
    start = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def end(order: list[Any]) -> tuple[Any, ...]:
        site = Site()
        for number, ((how, what), minute) in order:
            at = start + timedelta(minutes=minute)
            if how == "portal":
                site.portal(f"e{number}", at, **copy.deepcopy(what))
            else:
                site.reply(number, what, at)
        contact = replace(site.contact, history=(), version=0, changed_at="")
        return contact, site.stops.stopped_by("sms", "+12025550101") is not None

    assert end(shuffled) == end(numbered)


def sent(number: int, kind: str, at: str, **changes: Any) -> Notice:
    """A notice that went to the customer's number."""
    attempt = Attempt(1, "sms", "sns", changes.pop("address", "hash +12025550101"), "j", Status.SENT)
    return a_notice(
        notice_id=f"{number:032x}", document_type=kind, attempts=(attempt,),
        events=(Event(at, "claimed", "", ""), Event(f"{at}9", "delivered", "", "")), **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("notices", "outs"),
    [
        ([sent(1, "utility-bill", "1"), sent(2, "statement", "2")], "statement"),
        ([sent(1, "utility-bill", "3"), sent(2, "statement", "2")], "utility-bill"),
        ([sent(1, "utility-bill", "3"), sent(2, "statement", "4", purpose="step:dunning:1")], "utility-bill"),
        ([sent(1, "utility-bill", "3"), sent(2, "statement", "4", recipient="spouse")], "utility-bill"),
        ([sent(1, "utility-bill", "3"), sent(2, "statement", "4", address="another")], "utility-bill"),
        ([sent(1, "no such type", "3")], "*"),
        ([], "*"),
    ],
)
def test_where_the_site_stops_topics_a_stop_is_about_the_last_text(notices: list[Notice], outs: str) -> None:
    site = Site()
    site.desk = replace(site.desk, scope="topic")
    assert not site.world.ledger.put(notices)
    assert site.reply(1, "STOP") == "stop"
    topic = "*" if outs == "*" else site.world.rules.of_type(outs).topic
    assert site.outs == {topic: ("sms",)}
    assert bool(site.stops.stopped_by("sms", "+12025550101")) is (outs == "*"), "the number itself"
