"""What customers want, as changes of their contact."""

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.contacts import MAX_HISTORY, Contact
from exstream_notify.domain.decisions import Policy, window_for
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.form_tokens import LIFE, make_form_token, read_form_token, same_site
from exstream_notify.domain.hearing import acts, heard
from exstream_notify.domain.passes import (
    change_in,
    handle_in,
    handle_of,
    made_on,
    preferences_id,
    topic_in,
    undo_id,
    unsubscribe_id,
)
from exstream_notify.domain.preferences import (
    CHANNELS,
    MAY_LEAVE,
    PortalChange,
    Topic,
    Wishes,
    consent_text,
    consented,
    own_window,
    recorded,
    topics_of,
    with_wishes,
    without,
)
from exstream_notify.domain.quiet_hours import Window
from tests.fakes.examples import a_contact, a_rule

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SITE = Window(time(8), time(21))

channels = st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple)
topics = st.dictionaries(st.sampled_from(["statements", "bills", "cases"]), channels, max_size=3)


@given(topics)
def test_the_page_says_what_is_stored(wanted: dict[str, tuple[Channel, ...]]) -> None:
    contact = with_wishes(a_contact(), Wishes(wanted, (), "en", None), NOW, "page")

    for topic, on in wanted.items():
        for channel in CHANNELS:
            assert contact.opted_out(channel, topic) is (channel not in on)


@given(topics)
def test_saving_the_same_twice_changes_nothing(wanted: dict[str, tuple[Channel, ...]]) -> None:
    wishes = Wishes(wanted, ("sms",), "fr", ("09:00", "18:00"))
    once = with_wishes(a_contact(), wishes, NOW, "page")

    assert with_wishes(once, wishes, NOW, "page") is once
    assert once.version == a_contact().version + 1


def test_every_change_says_who_when_from_what_to_what() -> None:
    contact = with_wishes(
        a_contact(language="en"), Wishes({"bills": ("email",)}, (), "de", ("09:00", "18:00")), NOW, "page"
    )

    assert [(e["field"], e["from"], e["to"]) for e in contact.history] == [
        ("opt_outs", "", "bills/sms"),
        ("language", "en", "de"),
        ("quiet_hours", "", "09:00, 18:00"),
    ]
    assert {(e["who"], e["at"]) for e in contact.history} == {("page", "2026-11-25T12:00:00+00:00")}


def test_whoever_changes_their_mind_without_end_keeps_a_contact_that_can_be_stored() -> None:
    contact = a_contact()
    topics = [f"a-topic-with-a-long-name-{number}" for number in range(10)]
    for number in range(2_000):
        voice = acts("customer", "preference page", NOW + timedelta(seconds=number))
        value = "in" if number % 2 else "out"
        contact = heard(contact, voice.opts(value, topics, ["email", "sms"]), voice.now)
    assert len(contact.history) == MAX_HISTORY
    assert len(contact.statements) == 2 * len(topics)
    assert len(json.dumps(contact.history)) < 300_000, "an item has at most 400 KB"
    first, *kept = contact.history
    assert (first["field"], int(first["from"]) + len(kept)) == ("older changes", 2_000)
    assert kept[-1]["at"] == contact.changed_at
    assert [entry["at"] for entry in contact.history] == sorted(entry["at"] for entry in contact.history)


def test_topics_that_the_page_does_not_show_stay_as_they_are() -> None:
    contact = without(a_contact(), ["old"], ("sms",), NOW, "page")

    assert with_wishes(contact, Wishes({"bills": CHANNELS}, (), "en", None), NOW, "page").opted_out(
        "sms", "old"
    )


def test_a_stop_for_all_ends_with_the_first_topic_that_is_wanted_again() -> None:
    stopped = without(a_contact(), ["*"], ("sms",), NOW, "sms reply 1")

    still = with_wishes(stopped, Wishes({"bills": ("email",)}, (), "en", None), NOW, "page")
    assert still.opted_out("sms", "statements")
    back = with_wishes(
        stopped, Wishes({"bills": ("email", "sms"), "cases": ("email",)}, (), "en", None), NOW, "page"
    )
    assert not back.opted_out("sms", "bills")
    assert back.opted_out("sms", "cases")


def test_start_takes_back_what_stop_did_and_no_more() -> None:
    contact = without(a_contact(), ["bills"], ("sms",), NOW, "page")
    stop = acts("reply", "sms reply 1", NOW)
    contact = heard(contact, stop.opts("out", ["*"], ["sms"]), NOW)
    assert contact.opted_out("sms", "statements")

    later = acts("reply", "sms reply 2", NOW + timedelta(minutes=1))
    contact = heard(contact, later.starts("sms"), later.now)
    assert contact.opted_out("sms", "bills")
    assert not contact.opted_out("sms", "statements")


def test_consent_keeps_scope_version_time_and_source() -> None:
    given_ = consented(a_contact(), True, "2026-01", NOW, "page")

    assert given_.consent is not None
    assert (given_.consent.scope, given_.consent.version, given_.consent.at, given_.consent.source) == (
        "electronic delivery",
        "2026-01",
        "2026-11-25T12:00:00+00:00",
        "page",
    )
    assert consented(given_, True, "2026-01", NOW, "page") is given_
    assert consented(given_, True, "2027-01", NOW, "page") is not given_
    assert consented(given_, False, "2026-01", NOW, "page").withdrew


def test_a_topic_is_as_strict_as_its_strictest_type() -> None:
    found = topics_of(
        [
            a_rule(topic="offers", message_class="marketing", channels=("email",)),
            a_rule(topic="cases", message_class="transactional", channels=("sms",)),
            a_rule(topic="cases", message_class="regulated", channels=("email",)),
        ]
    )

    assert found == (
        Topic("cases", "regulated", ("email", "sms")),
        Topic("offers", "marketing", ("email",)),
    )
    assert [topic.may_leave for topic in found] == [False, True]


# --- the customer's own hours ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, (8, 21)),
        (("09:00", "18:00"), (9, 18)),
        (("06:00", "23:00"), (8, 21)),  # a wish never widens what the law allows
        (("07:00", "07:30"), (8, 21)),  # one that leaves nothing is none
        (("20:00", "22:00"), (20, 21)),
        (("09:00+00:00", "18:00+00:00"), (9, 18)),  # as an earlier release took them from a portal
    ],
)
def test_own_hours_narrow_the_sites(own: tuple[str, str] | None, expected: tuple[int, int]) -> None:
    window = window_for(a_contact(quiet_hours=own), Policy(SITE))

    assert (window.opens.hour, window.closes.hour) == expected


def test_own_hours_that_cannot_be_met_are_refused() -> None:
    assert own_window("09:30", "18:00", SITE) == ("09:30", "18:00")
    assert own_window("08:00", "21:00", SITE) is None
    for opens, closes in (
        ("07:59", "18:00"),
        ("09:00", "21:01"),
        ("12:00", "12:00"),
        ("x", "18:00"),
        ("09:00Z", "18:00"),
        ("09:00:30", "18:00"),
    ):
        with pytest.raises(ValueError, match=r"hours|isoformat"):
            own_window(opens, closes, SITE)


# --- passes and forms ------------------------------------------------------------------------------


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_pass_names_its_contact_and_nobody_elses(salt: str, other: str) -> None:
    day = date(2026, 11, 25)

    assert handle_in(preferences_id(salt, day)) == handle_of(salt)
    assert made_on(preferences_id(salt, day)) == day
    assert len(preferences_id(salt, day)) == len(unsubscribe_id(salt, "x")) == len(undo_id(salt, "y")) == 32
    assert (handle_of(salt) == handle_of(other)) is (salt == other)


def test_an_unsubscribe_pass_knows_its_topic_while_there_is_one() -> None:
    identity = unsubscribe_id("salt", "offers")

    assert topic_in(identity, ["bills", "offers"]) == "offers"
    assert topic_in(identity, ["bills"]) is None


def test_a_form_is_good_for_its_page_its_version_and_two_hours() -> None:
    token = make_form_token(b"key", "page", 7, NOW)

    assert read_form_token([b"key"], "page", token, NOW + LIFE) == 7
    assert read_form_token([b"key"], "page", token, NOW + LIFE + timedelta(seconds=1)) is None
    assert read_form_token([b"key"], "other", token, NOW) is None
    assert read_form_token([b"other"], "page", token, NOW) is None


def test_a_form_that_was_shown_before_a_rotation_is_good_for_its_life() -> None:
    token = make_form_token(b"key", "page", 7, NOW)

    assert read_form_token([b"newer", b"key"], "page", token, NOW + LIFE) == 7
    assert read_form_token([b"newer", b"key"], "page", token, NOW + LIFE + timedelta(seconds=1)) is None


@given(st.text())
def test_a_form_token_that_is_not_ours_is_no_error(token: str) -> None:
    assert read_form_token([b"key"], "page", token, NOW) is None


@pytest.mark.parametrize(
    ("origin", "fetch_site", "good"),
    [
        (None, None, True),
        ("https://documents.example.com", "same-origin", True),
        ("null", "same-origin", True),
        ("null", None, True),
        ("https://evil.example.com", None, False),
        ("https://documents.example.com", "cross-site", False),
        ("null", "cross-site", False),
        (None, "same-site", False),
    ],
)
def test_posts_of_other_pages_are_told_by_what_browsers_say(
    origin: str | None, fetch_site: str | None, good: bool
) -> None:
    assert same_site(origin, fetch_site, "https://documents.example.com") is good


# --- facts and topics ------------------------------------------------------------------------------------


def test_each_fact_that_changes_is_in_the_history_behind_all_that_was_there() -> None:
    first = recorded(a_contact(), NOW, "import 1", language="de", paper_required=True)
    second = recorded(first, NOW + timedelta(hours=1), "import 2", language="fr", paper_required=True)
    assert [dict(row) for row in second.history] == [
        {"at": "2026-11-25T12:00:00+00:00", "who": "import 1", "field": "language", "from": "", "to": "de"},
        {
            "at": "2026-11-25T12:00:00+00:00",
            "who": "import 1",
            "field": "paper_required",
            "from": "no",
            "to": "yes",
        },
        {"at": "2026-11-25T13:00:00+00:00", "who": "import 2", "field": "language", "from": "de", "to": "fr"},
    ]
    assert (second.version, second.changed_at) == (a_contact().version + 2, "2026-11-25T13:00:00+00:00")
    assert recorded(second, NOW, "import 3", language="fr", paper_required=True) is second


def test_a_wish_that_follows_another_keeps_the_first_in_the_history() -> None:
    contact = without(a_contact(), ["bills"], ("sms",), NOW, "page")
    contact = without(contact, ["cases"], ("email",), NOW + timedelta(minutes=1), "one click")
    assert [(row["who"], row["field"], row["from"], row["to"]) for row in contact.history] == [
        ("page", "opt_outs", "", "bills/sms"),
        ("one click", "opt_outs", "bills/sms", "bills/sms, cases/email"),
    ]


def test_topics_are_in_order_whatever_order_the_rules_have() -> None:
    rules = [
        a_rule(topic="z", message_class="marketing", channels=("sms",)),
        a_rule(topic="a", message_class="collections", channels=("sms", "email")),
        a_rule(topic="z", message_class="collections", channels=("email",)),
        a_rule(topic="a", message_class="transactional", channels=("sms",)),
    ]
    for order in (rules, rules[::-1]):
        assert topics_of(order) == (
            Topic("a", "collections", ("email", "sms")),
            Topic("z", "collections", ("email", "sms")),
        )


# --- the page's form -----------------------------------------------------------------------------------------------


def said(contact: Contact) -> list[tuple[str, str, str]]:
    return [(s.what, s.value, s.source) for s in contact.statements]


def test_only_what_the_customer_changed_is_said() -> None:
    """`shown` is the form as it was shown: what changed since then is not taken back by it."""
    shown = Wishes({"bills": CHANNELS, "cases": ("email",)}, ("email",), "en", None)
    contact = a_contact(language="fr", opt_outs={"cases": ("sms",)}, channel_order=("email",))
    same = with_wishes(contact, shown, NOW, "page", shown)
    assert same is contact
    changed = Wishes({"bills": ("email",), "cases": CHANNELS}, (), "de", ("09:00", "18:00"))
    found = with_wishes(contact, changed, NOW, "page", shown)
    assert [row for row in said(found) if row[0] != "opt_outs/*"] == [
        ("channel_order", "", "customer"),
        ("language", "de", "customer"),
        ("opt_outs/bills/sms", "out", "customer"),
        ("opt_outs/cases/sms", "in", "customer"),
        ("quiet_hours", "09:00-18:00", "customer"),
    ]
    assert found.opt_outs == {"bills": ("sms",)}


def test_without_the_form_as_shown_it_is_compared_with_the_contact() -> None:
    contact = a_contact(language=None, opt_outs={"bills": ("email",)}, quiet_hours=("09:00", "18:00"))
    as_it_is = Wishes({"bills": ("sms",)}, (), "", ("09:00", "18:00"))
    assert with_wishes(contact, as_it_is, NOW, "page") is contact
    other = with_wishes(contact, Wishes({"bills": CHANNELS}, (), "", None), NOW, "page")
    assert (other.opt_outs, other.quiet_hours) == (None, None)


def test_topics_are_opened_one_by_one_where_everything_was_stopped() -> None:
    stopped = without(a_contact(), ["*"], ("sms",), NOW, "one click")
    wishes = Wishes({"a": ("email", "sms"), "b": ("email",), "c": ("email", "sms")}, (), "", None)
    found = with_wishes(stopped, wishes, NOW, "page")
    assert found.opt_outs == {"b": ("sms",)}
    other = with_wishes(a_contact(), Wishes({"a": CHANNELS, "b": ("email",)}, (), "", None), NOW, "page")
    assert [row[0] for row in said(other)] == ["opt_outs/b/sms"], "nothing was stopped for everything"


def test_consent_that_stands_is_not_said_again() -> None:
    withdrawn = consented(a_contact(), False, "", NOW, "page")
    assert withdrawn.consent is not None
    assert consented(withdrawn, False, "2027-01", NOW, "page") is withdrawn
    assert (consent_text(True, "1"), consent_text(False, "")) == ("given 1", "withdrawn")


def test_the_kinds_of_messages_that_may_be_left() -> None:
    assert dict(MAY_LEAVE) == {
        "marketing": True,
        "transactional": True,
        "collections": False,
        "regulated": False,
    }


def test_a_change_by_a_portal_names_its_event_and_its_contact() -> None:
    change = PortalChange("17", "retail", "C0001")
    assert (change.who, change.contact_key) == ("portal 17", "C0001")
    assert PortalChange("17", "retail", "C0001", recipient="R1").contact_key == "C0001\x1fR1"
    spoken = {name for name in PortalChange.__dataclass_fields__ if getattr(change, name) is None}
    assert spoken == {
        *(
            "language",
            "channel_order",
            "opt_outs",
            "quiet_hours",
            "paper_required",
            "consent",
            "email",
            "mobile",
        ),
    }
    assert (change.verified, change.at, change.consent_version) == (False, "", "")


def test_a_form_is_good_from_five_minutes_before_it_was_made() -> None:
    token = make_form_token(b"key", "page", 12, NOW)
    early = timedelta(minutes=5)
    assert read_form_token([b"key"], "page", token, NOW - early) == 12
    assert read_form_token([b"key"], "page", token, NOW - early - timedelta(seconds=1)) is None
    assert read_form_token([], "page", token, NOW) is None
    assert token.split(".")[:2] == [str(int(NOW.timestamp())), "12"]
    assert timedelta(hours=2) == LIFE
    other = make_form_token(b"key", "pag", 12, NOW)
    assert other.rpartition(".")[2] != token.rpartition(".")[2]


def test_passes_are_as_they_ever_were() -> None:
    """A changed one would leave every link in mails that were sent dead."""
    assert handle_of("salt") == "d5b3164d336c2ad48b8dc6d8"
    assert preferences_id("salt", date(2026, 11, 25))[24:] == "000009d8"
    assert unsubscribe_id("salt", "offers")[24:] == "c596916d"
    assert change_in(undo_id("salt", "c2"), ["c1", "c2"]) == "c2"
    assert change_in(undo_id("salt", "c2"), ["c1"]) is None
    with pytest.raises(ValueError, match="no day of any calendar"):
        made_on("0" * 24 + "ffffffff")
