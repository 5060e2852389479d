"""Whether, when and on which channel: the rules of the decision, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.decisions import (
    Decision,
    Defer,
    Paper,
    Policy,
    Send,
    Suppress,
    Why,
    against,
    decide,
)
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.quiet_hours import Window
from tests.fakes import a_contact, a_document, a_rule, an_address

DAY = datetime(2026, 11, 20, 15, tzinfo=UTC)  # ten in the morning in New York
NIGHT = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)  # half past ten in the evening there
NEW_YORK = ("America/New_York",)

GIVEN = Consent(True, "all", "1", "2026-01-02T00:00:00+00:00", "portal")
WITHDRAWN = Consent(False, "all", "2", "2026-02-03T00:00:00+00:00", "portal")
INVALID = an_address("c0001@example.com", status="invalid")
MARKETING = {"message_class": "marketing"}
REGULATED = {"message_class": "regulated", "paper_on_failure": True}


def decided(
    rule: dict[str, Any] | None = None,
    document: dict[str, Any] | None = None,
    contact: dict[str, Any] | None = None,
    *,
    suppressed: tuple[Channel, ...] = (),
    now: datetime = DAY,
    zones: tuple[str, ...] = NEW_YORK,
    channels: tuple[Channel, ...] | None = None,
) -> Decision:
    """The decision where everything is in order but what is given."""
    return decide(
        a_rule(**(rule or {})),
        a_document(**(document or {})),
        a_contact(**(contact or {})),
        suppressed,
        zones,
        now,
        Policy(),
        channels=channels,
    )


EMAIL_THEN_SMS = Send(("email", "sms"))
SMS_THEN_EMAIL = Send(("sms", "email"))
EMAIL = Send(("email",))
SMS = Send(("sms",))

ROWS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Decision]] = {
    # rule, document, contact: decision
    "all is well": ({}, {}, {}, EMAIL_THEN_SMS),
    "a test document": ({}, {"test_flag": True}, {}, Suppress(Why.TEST_DOCUMENT)),
    "a test document of a paper customer": (
        {},
        {"test_flag": True},
        {"paper_required": True},
        Suppress(Why.TEST_DOCUMENT),
    ),
    "a settled account": (
        {"skip": "account settled"},
        {},
        {},
        Suppress(Why.ACCOUNT_STATUS, "account settled"),
    ),
    "a settled account of a paper customer": (
        {"skip": "account settled"},
        {},
        {"paper_required": True},
        Suppress(Why.ACCOUNT_STATUS, "account settled"),
    ),
    "paper required": ({}, {}, {"paper_required": True}, Paper(Why.PAPER_REQUIRED)),
    # consent
    "consent given": ({"consent": "required"}, {}, {"consent": GIVEN}, EMAIL_THEN_SMS),
    "consent implied": ({"consent": "implied"}, {}, {"consent": None}, EMAIL_THEN_SMS),
    "consent required, not given": ({"consent": "required"}, {}, {}, Paper(Why.NO_CONSENT)),
    "consent required, not given, marketing": (
        {"consent": "required", **MARKETING},
        {},
        {},
        Suppress(Why.NO_CONSENT),
    ),
    "consent withdrawn": ({}, {}, {"consent": WITHDRAWN}, Paper(Why.CONSENT_WITHDRAWN)),
    "consent withdrawn where it was required": (
        {"consent": "required"},
        {},
        {"consent": WITHDRAWN},
        Paper(Why.CONSENT_WITHDRAWN),
    ),
    "consent withdrawn, marketing": (MARKETING, {}, {"consent": WITHDRAWN}, Suppress(Why.CONSENT_WITHDRAWN)),
    # what the composer asks for, and what the customer wants
    "composer asks for sms": ({}, {"delivery_channel": "SMS"}, {}, SMS_THEN_EMAIL),
    "composer asks for text": ({}, {"delivery_channel": " text "}, {}, SMS_THEN_EMAIL),
    "composer asks for e-mail": (
        {"channels": ("sms", "email")},
        {"delivery_channel": "E-Mail"},
        {},
        EMAIL_THEN_SMS,
    ),
    "composer asks for what nobody knows": ({}, {"delivery_channel": "pigeon"}, {}, EMAIL_THEN_SMS),
    "composer asks for a channel that the type has not": (
        {"channels": ("email",)},
        {"delivery_channel": "sms"},
        {},
        EMAIL,
    ),
    "composer asks for paper": ({}, {"delivery_channel": "Print"}, {}, Paper(Why.PAPER_CHOSEN)),
    "composer asks for paper, customer has an order": (
        {},
        {"delivery_channel": "paper"},
        {"channel_order": ("sms",)},
        SMS_THEN_EMAIL,
    ),
    "customer's order beats the composer's": (
        {},
        {"delivery_channel": "email"},
        {"channel_order": ("sms", "email")},
        SMS_THEN_EMAIL,
    ),
    "customer's order beats the rule's": ({}, {}, {"channel_order": ("sms",)}, SMS_THEN_EMAIL),
    "customer's order has a channel that the type has not": (
        {"channels": ("email",)},
        {},
        {"channel_order": ("sms", "email")},
        EMAIL,
    ),
    "both channels": ({"both_channels": True}, {}, {}, Send(("email", "sms"), both=True)),
    "both channels, one address": (
        {"both_channels": True},
        {},
        {"mobile": None},
        Send(("email",), both=True),
    ),
    # addresses
    "no e-mail": ({}, {}, {"email": None}, SMS),
    "invalid e-mail": ({}, {}, {"email": INVALID}, SMS),
    "complained by e-mail": (
        {},
        {},
        {"email": an_address("c0001@example.com", status="complained")},
        SMS,
    ),
    "opted out on the number": ({}, {}, {"mobile": an_address("+12025550101", status="opted_out")}, EMAIL),
    "soft failures are tried": (
        {},
        {},
        {"email": an_address("c0001@example.com", status="soft")},
        EMAIL_THEN_SMS,
    ),
    "no address": (
        {},
        {},
        {"email": None, "mobile": None},
        Suppress(Why.NO_CHANNEL, "email: no address, sms: no address"),
    ),
    "no address, paper by rule": (
        REGULATED,
        {},
        {"email": None, "mobile": None},
        Paper(Why.NO_CHANNEL, "email: no address, sms: no address"),
    ),
    # opt-outs
    "opted out of e-mail for this topic": ({}, {}, {"opt_outs": {"statements": ("email",)}}, SMS),
    "opted out of another topic": ({}, {}, {"opt_outs": {"reminders": ("email", "sms")}}, EMAIL_THEN_SMS),
    "opted out of all topics by sms": ({}, {}, {"opt_outs": {"*": ("sms",)}}, EMAIL),
    "opted out of everything": (
        {},
        {},
        {"opt_outs": {"*": ("email", "sms")}},
        Suppress(Why.OPTED_OUT, "email: opted out, sms: opted out"),
    ),
    "opted out by topic here and for all there": (
        {},
        {},
        {"opt_outs": {"*": ("sms",), "statements": ("email",)}},
        Suppress(Why.OPTED_OUT, "email: opted out, sms: opted out"),
    ),
    "opted out of everything, paper by rule": (
        REGULATED,
        {},
        {"opt_outs": {"*": ("email", "sms")}},
        Paper(Why.NO_CHANNEL, "email: opted out, sms: opted out"),
    ),
    "opted out here, no address there": (
        {},
        {},
        {"opt_outs": {"*": ("email",)}, "mobile": None},
        Suppress(Why.NO_CHANNEL, "email: opted out, sms: no address"),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_row(row: str) -> None:
    rule, document, contact, decision = ROWS[row]

    assert decided(rule, document, contact) == decision


def test_a_suppressed_address_is_passed_over() -> None:
    assert decided(suppressed=("email",)) == SMS
    assert decided(suppressed=("email", "sms")) == Suppress(
        Why.NO_CHANNEL, "email: suppressed, sms: suppressed"
    )


def test_a_later_decision_keeps_to_the_channels_that_are_left() -> None:
    assert decided(channels=("sms",)) == SMS
    assert isinstance(decided(channels=()), Suppress)
    assert decided(REGULATED, channels=()) == Paper(Why.NO_CHANNEL)


def test_an_sms_waits_for_the_morning_and_an_email_does_not() -> None:
    morning = datetime(2026, 11, 20, 13, tzinfo=UTC)

    assert decided(now=NIGHT) == EMAIL_THEN_SMS
    assert decided(contact={"email": None}, now=NIGHT) == Defer(morning, Why.QUIET_HOURS)
    # Deferred on the channel that comes first: the customer wants an SMS, not an e-mail at once.
    assert decided(contact={"channel_order": ("sms",)}, now=NIGHT) == Defer(morning, Why.QUIET_HOURS)


def test_an_unknown_zone_is_the_sites_own() -> None:
    afternoon_in_vienna = datetime(2026, 11, 20, 12, tzinfo=UTC)  # seven in New York

    assert decided(contact={"email": None}, zones=(), now=afternoon_in_vienna) == Defer(
        datetime(2026, 11, 20, 13, tzinfo=UTC), Why.QUIET_HOURS
    )
    assert decided(contact={"email": None}, zones=("Europe/Vienna",), now=afternoon_in_vienna) == SMS


def test_what_speaks_against_a_channel_is_said_in_words() -> None:
    rule, contact = a_rule(), a_contact(mobile=an_address("+12025550101", status="opted_out"))

    assert against("email", rule, contact) == ""
    assert against("email", rule, contact, ["email"]) == "suppressed"
    assert against("sms", rule, contact) == "opted out"


_STATUSES = st.sampled_from(["ok", "soft", "invalid", "opted_out", "complained"])
_CHANNELS = st.sampled_from(["email", "sms"])


@given(
    rule=st.fixed_dictionaries(
        {
            "message_class": st.sampled_from(["transactional", "regulated", "collections", "marketing"]),
            "channels": st.permutations(["email", "sms"]).map(tuple) | st.tuples(_CHANNELS),
            "consent": st.sampled_from(["implied", "required"]),
            "paper_on_failure": st.booleans(),
            "both_channels": st.booleans(),
        }
    ),
    document=st.fixed_dictionaries(
        {
            "delivery_channel": st.sampled_from([None, "email", "sms", "paper", "?"]),
            "test_flag": st.booleans(),
        }
    ),
    contact=st.fixed_dictionaries(
        {
            "email": st.none() | _STATUSES.map(lambda s: an_address("c0001@example.com", status=s)),
            "mobile": st.none() | _STATUSES.map(lambda s: an_address("+12025550101", status=s)),
            "channel_order": st.lists(_CHANNELS, unique=True).map(tuple),
            "opt_outs": st.dictionaries(
                st.sampled_from(["*", "statements", "other"]), st.lists(_CHANNELS, unique=True).map(tuple)
            ),
            "paper_required": st.booleans(),
            "consent": st.sampled_from([None, GIVEN, WITHDRAWN]),
        }
    ),
    suppressed=st.lists(_CHANNELS, unique=True).map(tuple),
    hour=st.integers(0, 23),
)
def test_nothing_is_ever_sent_where_it_must_not_go(
    rule: dict[str, Any],
    document: dict[str, Any],
    contact: dict[str, Any],
    suppressed: tuple[Channel, ...],
    hour: int,
) -> None:
    now = DAY.replace(hour=hour)
    decision = decided(rule, document, contact, suppressed=suppressed, now=now)

    if not isinstance(decision, Send | Defer):
        return
    known = a_contact(**contact)
    assert not document["test_flag"]
    assert not known.paper_required
    assert not known.withdrew
    assert rule["consent"] == "implied" or (known.consent and known.consent.given)
    if isinstance(decision, Defer):
        assert decision.until > now
        return
    assert set(decision.channels) <= set(rule["channels"])
    assert len(set(decision.channels)) == len(decision.channels)
    for channel in decision.channels:
        address = known.address(channel)
        assert address is not None
        assert address.usable
        assert not known.opted_out(channel, "statements")
        assert channel not in suppressed
    if decision.channels[0] == "sms":
        assert 13 <= hour < 24 or hour < 2, "eight to nine in New York"


# --- what no row above decides -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "document", "contact", "decision"),
    [
        ({"asks_for_payment": True}, {"amount_due": "0.00"}, {}, Suppress(Why.NOTHING_DUE)),
        ({"asks_for_payment": True}, {"amount_due": "0.01"}, {}, EMAIL_THEN_SMS),
        ({}, {"amount_due": "0.00"}, {}, EMAIL_THEN_SMS),
        (
            {"message_class": "collections"},
            {"amount_due": "9"},
            {"debt_hold": DebtHold(("disputed",), "x", "run-1")},
            Suppress(Why.DO_NOT_DUN, "disputed"),
        ),
        (
            {"message_class": "collections", "skip": "settled"},
            {"amount_due": "0"},
            {"debt_hold": DebtHold(("disputed",), "x", "run-1"), "paper_required": True},
            Suppress(Why.DO_NOT_DUN, "disputed"),
        ),
        (
            {"skip": "settled", "asks_for_payment": True},
            {"amount_due": "0"},
            {},
            Suppress(Why.ACCOUNT_STATUS, "settled"),
        ),
        ({"on_paper": "skip"}, {}, {"paper_required": True}, Suppress(Why.PAPER_REQUIRED, "on_paper: skip")),
        ({"on_paper": "skip"}, {}, {"consent": WITHDRAWN}, Suppress(Why.CONSENT_WITHDRAWN, "on_paper: skip")),
        ({"on_paper": "skip", "consent": "required"}, {}, {}, Suppress(Why.NO_CONSENT, "on_paper: skip")),
        (
            {"on_paper": "skip"},
            {"delivery_channel": "post"},
            {},
            Suppress(Why.PAPER_CHOSEN, "on_paper: skip"),
        ),
        ({"channels": ("email",), "reserve": ("sms",)}, {}, {}, EMAIL_THEN_SMS),
        ({"channels": ("email",), "reserve": ("sms",)}, {}, {"email": None}, SMS),
        ({"channels": ("email",), "reserve": ("sms",)}, {}, {"channel_order": ("sms",)}, EMAIL_THEN_SMS),
        ({"consent": "required"}, {}, {"consent": GIVEN, "paper_required": True}, Paper(Why.PAPER_REQUIRED)),
        ({"channels": ()}, {}, {}, Suppress(Why.NO_CHANNEL)),
    ],
)
def test_the_order_of_reasons(
    rule: dict[str, Any], document: dict[str, Any], contact: dict[str, Any], decision: Decision
) -> None:
    assert decided(rule, document, contact) == decision


@pytest.mark.parametrize("word", ["paper", "print", "post", "mail", "postal", "letter", " LETTER "])
def test_words_for_paper(word: str) -> None:
    assert decided({}, {"delivery_channel": word}) == Paper(Why.PAPER_CHOSEN)


@pytest.mark.parametrize(
    ("word", "decision"),
    [
        ("email", EMAIL_THEN_SMS),
        ("e-mail", EMAIL_THEN_SMS),
        ("sms", SMS_THEN_EMAIL),
        ("text", SMS_THEN_EMAIL),
        ("Mobile", SMS_THEN_EMAIL),
    ],
)
def test_words_for_channels(word: str, decision: Decision) -> None:
    assert decided({}, {"delivery_channel": word}) == decision
    assert decided({"channels": ("sms", "email")}, {"delivery_channel": word}) == decision


def test_channels_that_are_left_are_the_only_ones_and_keep_their_order() -> None:
    assert decided(channels=("sms", "email")) == EMAIL_THEN_SMS
    assert decided(channels=("email",)) == EMAIL
    assert decided(contact={"email": None}, channels=("email",)) == Suppress(
        Why.NO_CHANNEL, "email: no address"
    )


@pytest.mark.parametrize(
    ("own", "hour", "minute", "waits_until"),
    [
        (("09:00", "18:00"), 13, 59, datetime(2026, 11, 20, 14, tzinfo=UTC)),
        (("09:00", "18:00"), 14, 0, None),
        (("09:00", "18:00"), 22, 59, None),
        (("09:00", "18:00"), 23, 0, datetime(2026, 11, 21, 14, tzinfo=UTC)),
    ],
)
def test_a_text_waits_for_the_customers_own_hours(
    own: Any, hour: int, minute: int, waits_until: datetime | None
) -> None:
    now = DAY.replace(hour=hour, minute=minute)
    found = decided(contact={"email": None, "quiet_hours": own}, now=now)
    assert found == (SMS if waits_until is None else Defer(waits_until, Why.QUIET_HOURS))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("ok", ""),
        ("soft", ""),
        ("invalid", "invalid"),
        ("opted_out", "opted out"),
        ("complained", "complained"),
    ],
)
def test_what_speaks_against_an_address(status: str, words: str) -> None:
    contact = a_contact(email=an_address("c0001@example.com", status=status))
    assert against("email", a_rule(), contact) == words
    assert against("email", a_rule(), replace(contact, opt_outs={"*": ("email",)})) == "opted out"
    assert against("email", a_rule(), replace(contact, email=None), ["email"]) == "no address"


def test_what_a_site_sets_unless_it_says_otherwise() -> None:
    assert Policy() == Policy(Window(time(8), time(21)), ("America/New_York",))
