"""Words heard, one by one: which of two counts, what becomes of each field, and what the history says of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.hearing import (
    Voice,
    acts,
    counts,
    heard,
    one_write,
    said_of,
    source_of,
    spoken,
    text_of,
)
from exstream_notify.domain.statements import (
    SOURCES,
    Source,
    Standing,
    Statement,
    cell,
    consent,
    counting,
    customers_own,
    kept,
    opted_out,
    order,
    second,
    spoken_at,
    stamped,
    topic_and_channel,
)
from tests.fakes.examples import a_contact, an_address

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_400, UTC)
AT = "2026-11-20T15:00:00.250+00:00"
SECOND = "2026-11-20T15:00:00+00:00"
BILLS = "opt_outs/bills/sms"
ALL_SMS = "opt_outs/*/sms"


def word(what: str, value: str, at: str, source: Source, by: str = "x", **more: str) -> Statement:
    return Statement(what, value, f"2026-11-20T15:00:{at}" if at else "", source, by, **more)


def said(*words: Statement) -> dict[tuple[str, Source], Statement]:
    return {(one.what, one.source): one for one in words}


# --- order ------------------------------------------------------------------------------------------------


def test_the_written_order_of_sources() -> None:
    assert {
        "customer": Standing(3, by_time=True, lifts=True),
        "reply": Standing(3, by_time=True, lifts=True),
        "operator": Standing(2, by_time=True, lifts=False),
        "import": Standing(1, by_time=False, lifts=False),
    } == SOURCES


def test_from_oldest_to_newest() -> None:
    """The second first, then towards the opt-out, then by rank, by act, by value."""
    rows = [
        word(BILLS, "out", "", "customer"),  # nobody knows when
        word(BILLS, "in", "01+00:00", "customer"),
        word(BILLS, "in", "02.900+00:00", "import"),
        word(BILLS, "in", "02.100+00:00", "operator", "a"),
        word(BILLS, "in", "02.500+00:00", "operator", "b"),
        word(BILLS, "in", "02+00:00", "customer"),
        word(BILLS, "out", "02+00:00", "import"),
        word(BILLS, "out", "02+00:00", "customer"),
        word(BILLS, "in", "03+00:00", "import"),
    ]
    turned = rows[::-1]
    assert sorted(turned, key=order) == rows
    for what, strict, loose in (("consent", "withdrawn 2", "given 2"), ("paper_required", "yes", "no")):
        assert order(word(what, strict, "02+00:00", "import")) > order(
            word(what, loose, "02+00:00", "customer")
        )


def test_the_newest_of_each_source_for_each_thing_is_kept() -> None:
    old = said(word(BILLS, "out", "02+00:00", "customer"))
    assert kept(old, [word(BILLS, "in", "01+00:00", "customer")]) == old
    assert kept(old, [word(BILLS, "out", "02+00:00", "customer")]) == old
    newer = word(BILLS, "in", "02.500+00:00", "customer")  # of one source its own clock counts
    assert kept(old, [newer]) == said(newer)
    other = word(BILLS, "in", "03+00:00", "operator")
    assert kept(old, [other]) == {**old, **said(other)}
    assert old == said(word(BILLS, "out", "02+00:00", "customer"))


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, AT),
        (NOW.replace(microsecond=999), SECOND),
        (NOW.replace(microsecond=1000), "2026-11-20T15:00:00.001+00:00"),
        (NOW.replace(microsecond=0), SECOND),
        (datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=-5))), SECOND),
    ],
)
def test_a_time_as_statements_have_it(at: datetime, text: str) -> None:
    assert stamped(at) == text
    assert second(at) == SECOND


def test_nobody_speaks_of_a_time_to_come() -> None:
    assert spoken_at("", NOW) == AT
    assert spoken_at("2026-11-20T15:00:01+00:00", NOW) == AT
    assert spoken_at("2026-11-19T15:00:01+00:00", NOW) == "2026-11-19T15:00:01+00:00"


@pytest.mark.parametrize(
    ("topic", "channel"), [("bills", "sms"), ("bills", "email"), ("a/b", "sms"), ("*", "email")]
)
def test_an_opt_out_is_named_by_topic_and_channel(topic: str, channel: Channel) -> None:
    assert cell(topic, channel) == f"opt_outs/{topic}/{channel}"
    assert topic_and_channel(cell(topic, channel)) == (topic, channel)


# --- which word counts ------------------------------------------------------------------------------------

CHOSE_OUT = word(BILLS, "out", "02+00:00", "customer")
CHOSE_IN = word(BILLS, "in", "02+00:00", "customer")
STOPPED = word(BILLS, "out", "03+00:00", "reply")


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ([], None),
        ([CHOSE_OUT], CHOSE_OUT),
        ([CHOSE_IN, STOPPED], STOPPED),
        ([word(BILLS, "in", "05+00:00", "customer"), STOPPED], word(BILLS, "in", "05+00:00", "customer")),
        ([CHOSE_OUT, STOPPED], CHOSE_OUT),  # a START does not undo what was chosen
        # A START after the STOP takes it back; one before, or at the same time, does not.
        ([STOPPED, word("started/sms", "in", "04+00:00", "reply")], None),
        ([STOPPED, word("started/sms", "in", "03+00:00", "reply")], STOPPED),
        ([STOPPED, word("started/email", "in", "04+00:00", "reply")], STOPPED),
        ([CHOSE_IN, STOPPED, word("started/sms", "in", "04+00:00", "reply")], CHOSE_IN),
        ([word(BILLS, "in", "03+00:00", "reply")], None),
    ],
)
def test_the_customers_own_word_on_a_topic(words: list[Statement], own: Statement | None) -> None:
    assert customers_own(said(*words), BILLS) == own


def test_on_everything_the_customers_words_count_by_time() -> None:
    stop, chosen = word(ALL_SMS, "out", "03+00:00", "reply"), word(ALL_SMS, "in", "04+00:00", "customer")
    start = word("started/sms", "in", "05+00:00", "reply")
    assert customers_own(said(stop, chosen, start), ALL_SMS) == chosen
    assert customers_own(said(stop, start), ALL_SMS) == stop


OPERATOR_OUT, IMPORT_OUT = (
    word(BILLS, "out", "03+00:00", "operator"),
    word(BILLS, "out", "04+00:00", "import"),
)


@pytest.mark.parametrize(
    ("words", "by"),
    [
        ([], None),
        ([CHOSE_OUT, word(BILLS, "in", "09+00:00", "operator")], CHOSE_OUT),
        ([OPERATOR_OUT], OPERATOR_OUT),
        ([OPERATOR_OUT, IMPORT_OUT], IMPORT_OUT),
        ([word(BILLS, "in", "03+00:00", "operator"), IMPORT_OUT], IMPORT_OUT),
        ([word(BILLS, "in", "05+00:00", "operator"), IMPORT_OUT], None),
        ([CHOSE_IN, OPERATOR_OUT], OPERATOR_OUT),
        ([word(BILLS, "in", "04+00:00", "customer"), OPERATOR_OUT], None),
        # Within a second the opt-out counts, whatever the fraction.
        ([word(BILLS, "in", "03.900+00:00", "customer"), OPERATOR_OUT], OPERATOR_OUT),
    ],
)
def test_by_which_word_a_customer_is_opted_out(words: list[Statement], by: Statement | None) -> None:
    assert opted_out(said(*words), BILLS) == by


def test_a_language_that_was_taken_back_leaves_it_to_the_import() -> None:
    gone, brought = word("language", "", "05+00:00", "customer"), word("language", "de", "03+00:00", "import")
    assert counting(said(gone, brought), "language") == brought
    assert counting(said(gone), "language") == gone
    order_gone = replace(gone, what="channel_order")
    assert counting(said(order_gone, replace(brought, what="channel_order")), "channel_order") == order_gone
    assert counting({}, "language") is None


WITHDREW = word("consent", "withdrawn", "05+00:00", "customer")
GAVE = word("consent", "given 2", "05+00:00", "customer")


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ([WITHDREW, word("consent", "given 3", "09+00:00", "operator")], WITHDREW),
        (
            [WITHDREW, word("consent", "withdrawn 3", "09+00:00", "operator")],
            word("consent", "withdrawn 3", "09+00:00", "operator"),
        ),
        (
            [GAVE, word("consent", "withdrawn", "09+00:00", "operator")],
            word("consent", "withdrawn", "09+00:00", "operator"),
        ),
        (
            [GAVE, word("consent", "given 3", "09+00:00", "operator")],
            word("consent", "given 3", "09+00:00", "operator"),
        ),
        (
            [WITHDREW, word("consent", "given 3", "09+00:00", "import")],
            word("consent", "given 3", "09+00:00", "import"),
        ),
        ([], None),
    ],
)
def test_which_word_on_consent_stands(words: list[Statement], stands: Statement | None) -> None:
    assert consent(said(*words)) == stands


# --- who speaks -------------------------------------------------------------------------------------------


def test_a_statement_has_who_when_and_why() -> None:
    voice = Voice("operator", "ann", "2026-11-19T10:00:00+00:00", NOW, "by letter")
    assert voice.opts("out", ["bills", "cases"], ["email", "sms"]) == [
        Statement(
            f"opt_outs/{t}/{c}", "out", "2026-11-19T10:00:00+00:00", "operator", "ann", SECOND, "by letter"
        )
        for t in ("bills", "cases")
        for c in ("email", "sms")
    ]
    assert [(w.what, w.value) for w in voice.starts("sms")] == [(ALL_SMS, "in"), ("started/sms", "in")]
    assert acts("reply", "sms reply 1", NOW) == Voice("reply", "sms reply 1", AT, NOW, "", {})


@pytest.mark.parametrize(
    ("known", "value", "source", "at"),
    [
        (AT, "in", "customer", "2026-11-20T15:00:01.250+00:00"),  # answered within the moment: later than it
        ("2026-11-20T15:00:07+00:00", "in", "customer", "2026-11-20T15:00:08+00:00"),  # a clock ahead
        ("2026-11-20T14:59:59+00:00", "in", "customer", AT),
        (AT, "out", "customer", AT),  # the same again
        (AT, "in", "operator", AT),  # another source's
    ],
)
def test_what_is_said_of_what_was_seen_is_later(known: str, value: str, source: Source, at: str) -> None:
    seen = a_contact(statements=(Statement(BILLS, "out", known, "customer", "x"),))
    assert acts(source, "y", NOW, seen).says(BILLS, value).at == at


@pytest.mark.parametrize(
    ("who", "source"),
    [
        ("sms reply 7", "reply"),
        ("receipt 7", "reply"),
        ("preference page", "customer"),
        ("one-click", "customer"),
        ("portal 17", "customer"),
        ("import 0123 by ann", "import"),
        ("ann", "operator"),
        ("important", "operator"),
        ("", "operator"),
    ],
)
def test_whose_word_a_change_in_the_history_is(who: str, source: Source) -> None:
    assert source_of(who) == source


# --- what becomes of the contact --------------------------------------------------------------------------


def test_each_field_is_as_its_word_says() -> None:
    voice = Voice("customer", "page", AT, NOW)
    contact = heard(
        a_contact(),
        [
            voice.says("channel_order", "sms,email,sms"),
            voice.says("quiet_hours", "09:00-18:00"),
            voice.says("paper_required", "yes"),
            voice.says("language", "de"),
            voice.says("consent", "given 2026-01"),
            voice.says(cell("bills", "sms"), "out"),
            voice.says(cell("bills", "email"), "out"),
            voice.says(cell("a", "email"), "out"),
        ],
        NOW,
    )
    assert (contact.channel_order, contact.quiet_hours) == (("sms", "email"), ("09:00", "18:00"))
    assert (contact.paper_required, contact.language, contact.set_by_customer) == (True, "de", ("language",))
    assert contact.consent == Consent(True, "electronic delivery", "2026-01", SECOND, "page")
    assert list((contact.opt_outs or {}).items()) == [("a", ("email",)), ("bills", ("email", "sms"))]
    assert (contact.version, contact.changed_at) == (2, SECOND)
    assert [(row["field"], row["from"], row["to"]) for row in contact.history] == [
        ("opt_outs", "", "a/email, bills/email, bills/sms"),
        ("language", "", "de"),
        ("channel_order", "", "sms, email"),
        ("quiet_hours", "", "09:00, 18:00"),
        ("paper_required", "no", "yes"),
        ("consent", "", "given electronic delivery 2026-01"),
    ]
    assert [w.what for w in contact.statements] == sorted(w.what for w in contact.statements)
    later = Voice("customer", "page", "2026-11-20T15:00:05+00:00", NOW)
    empty = heard(
        contact,
        [later.says(name, "") for name in ("channel_order", "quiet_hours", "language")]
        + [later.says("paper_required", "no")],
        NOW,
    )
    assert (empty.channel_order, empty.quiet_hours, empty.language, empty.paper_required) == (
        (),
        None,
        None,
        False,
    )


def test_the_history_says_of_which_time_and_why_where_that_is_something_else() -> None:
    late = Voice("operator", "ann", "2026-11-19T10:00:00.500+00:00", NOW, "by letter")
    (row,) = heard(a_contact(), [late.says(BILLS, "out")], NOW).history
    assert row == {
        "at": SECOND,
        "who": "ann",
        "field": "opt_outs",
        "from": "",
        "to": "bills/sms",
        "said": "2026-11-19T10:00:00.500+00:00",
        "why": "by letter",
    }
    (row,) = heard(a_contact(), [acts("operator", "ann", NOW).says(BILLS, "out")], NOW).history
    assert row == {"at": SECOND, "who": "ann", "field": "opt_outs", "from": "", "to": "bills/sms"}
    (row,) = heard(a_contact(), [Voice("import", "i", "", NOW).says(BILLS, "out")], NOW).history
    assert "said" not in row, "of no known time"


def test_a_word_that_changes_no_field_is_kept_and_is_no_change() -> None:
    before = a_contact(changed_at="2026-11-01T00:00:00+00:00")
    after = heard(before, [acts("customer", "page", NOW).says(BILLS, "in")], NOW)
    assert (after.version, after.changed_at, after.history) == (2, before.changed_at, ())
    assert heard(after, [acts("customer", "page", NOW).says(BILLS, "in")], NOW) is after
    assert heard(before, [], NOW) is before


@pytest.mark.parametrize(
    ("source", "by", "note", "at", "expected"),
    [
        ("customer", "page", "", AT, ("page", SECOND)),
        ("customer", "page", "asked", AT, ("page", SECOND)),
        ("operator", "ann", "", AT, ("operator ann", SECOND)),
        ("import", "import 1", "signed form 7", AT, ("signed form 7", SECOND)),
        ("import", "import 1", "", "", ("import 1", SECOND)),
        (
            "import",
            "import 1",
            "",
            "2026-11-19T10:00:00.900+00:00",
            ("import 1", "2026-11-19T10:00:00+00:00"),
        ),
    ],
)
def test_where_a_consent_comes_from_and_when(
    source: Source, by: str, note: str, at: str, expected: tuple[str, str]
) -> None:
    found = heard(a_contact(), [Voice(source, by, at, NOW, note).says("consent", "given 2")], NOW).consent
    assert found == Consent(True, "electronic delivery", "2", expected[1], expected[0])


def test_a_consent_keeps_its_scope_and_an_empty_word_leaves_none() -> None:
    known = Consent(True, "all documents", "1", "2026-01-01T00:00:00+00:00", "portal 3")
    voice = acts("customer", "page", NOW)
    found = heard(a_contact(consent=known), [voice.says("consent", "withdrawn")], NOW).consent
    assert found == Consent(False, "all documents", "", SECOND, "page")
    assert heard(a_contact(consent=known), [voice.says("consent", "")], NOW).consent is None


@pytest.mark.parametrize(
    ("status", "channel", "value", "after"),
    [
        ("opted_out", "sms", "in", "ok"),
        ("opted_out", "sms", "out", "opted_out"),
        ("opted_out", "email", "in", "opted_out"),  # the other channel
        ("invalid", "sms", "in", "invalid"),
        ("complained", "sms", "in", "complained"),
    ],
)
def test_a_number_that_was_stopped_with_the_provider_is_started_again(
    status: str, channel: Channel, value: str, after: str
) -> None:
    contact = a_contact(mobile=an_address("+12025550101", status=status, why="STOP"))
    found = heard(contact, [acts("reply", "sms reply 1", NOW).says(cell("*", channel), value)], NOW)
    assert found.mobile == an_address("+12025550101", status=after, why="" if after == "ok" else "STOP")
    assert found.email == contact.email


def test_a_start_that_was_heard_before_starts_nothing_again() -> None:
    start = acts("reply", "sms reply 1", NOW).says(ALL_SMS, "in")
    stopped = a_contact(mobile=an_address("+12025550101", status="opted_out"), statements=(start,))
    found = heard(stopped, [acts("reply", "sms reply 2", NOW).says(BILLS, "out")], NOW)
    assert found.mobile == stopped.mobile
    assert heard(a_contact(mobile=None), [start], NOW).mobile is None


def test_whether_a_word_counts() -> None:
    voice = acts("customer", "page", NOW)
    out, lang = voice.says(BILLS, "out"), voice.says("language", "de")
    given_ = voice.says("consent", "given 1")
    contact = heard(a_contact(), [out, lang, given_], NOW)
    assert all(counts(contact, one) for one in (out, lang, given_))
    for one in (out, lang, given_):
        assert not counts(contact, replace(one, by="somebody else"))
    back = Voice("customer", "page", "2026-11-20T15:00:05+00:00", NOW).says(BILLS, "in")
    open_again = heard(contact, [back], NOW)
    assert counts(open_again, back)
    assert not counts(open_again, out)


def test_several_steps_are_one_write() -> None:
    contact = a_contact()
    voice = acts("customer", "page", NOW)
    after = heard(heard(contact, [voice.says(BILLS, "out")], NOW), [voice.says("language", "de")], NOW)
    assert one_write(contact, after) == replace(after, version=2)
    assert one_write(contact, contact) is contact


# --- as text ----------------------------------------------------------------------------------------------

GIVEN, WITHDRAWN = (Consent(g, "all", v, "", "") for g, v in ((True, "3"), (False, "")))


@pytest.mark.parametrize(
    ("name", "value", "statement", "history"),
    [
        ("paper_required", True, "yes", "yes"),
        ("paper_required", False, "no", "no"),
        ("consent", GIVEN, "given 3", "given all 3"),
        ("consent", WITHDRAWN, "withdrawn", "withdrawn all"),
        ("quiet_hours", ("09:00", "18:00"), "09:00-18:00", "09:00, 18:00"),
        ("channel_order", ("sms", "email"), "sms,email", "sms, email"),
        ("channel_order", (), "", ""),
        ("language", "de", "de", "de"),
        ("language", None, "", ""),
    ],
)
def test_a_value_as_a_statement_and_as_the_history_has_it(
    name: str, value: Any, statement: str, history: str
) -> None:
    assert (text_of(name, value), spoken(value)) == (statement, history)


def test_addresses_and_opt_outs_in_the_history() -> None:
    assert spoken(an_address("a@example.com", given="A@Example.com")) == "a@example.com"
    assert spoken(an_address("a@example.com", status="invalid")) == "a@example.com (invalid)"
    assert spoken({"z": ("sms",), "a": ("email", "sms")}) == "a/email, a/sms, z/sms"


# --- contacts of the releases before ----------------------------------------------------------------------


def row(field: str, old: str, new: str, who: str = "ann", **more: str) -> dict[str, str]:
    return {"at": "2026-11-01T00:00:00+00:00", "who": who, "field": field, "from": old, "to": new, **more}


def remembered(**changes: Any) -> list[Statement]:
    return list(said_of(a_contact(**changes)).values())


FIRST = "2026-11-01T00:00:00+00:00"


def test_what_a_history_tells_of_fields() -> None:
    """A time that was spoken of counts before the time of writing; a note comes along."""
    history = (
        row("quiet_hours", "", "09:00, 18:00", said="2026-10-31T00:00:00+00:00", why="asked"),
        row("channel_order", "", "sms, email", "import 1"),
        row("postcode", "", "1010"),
        row("email", "a@example.com", "b@example.com", "portal 3"),
    )
    found = remembered(quiet_hours=("09:00", "18:00"), channel_order=("sms", "email"), history=history)
    assert found == [
        Statement(
            "quiet_hours", "09:00-18:00", "2026-10-31T00:00:00+00:00", "operator", "ann", FIRST, "asked"
        ),
        Statement("channel_order", "sms,email", FIRST, "import", "import 1", FIRST),
        Statement("email", "b@example.com", FIRST, "customer", "portal 3", FIRST),
    ]


def test_what_stands_and_nobody_is_known_to_have_said_is_the_customers_own() -> None:
    given_ = Consent(True, "all", "2", "2026-10-01T00:00:00+00:00", "operator ann")
    found = remembered(
        language="fr",
        set_by_customer=("language",),
        paper_required=True,
        consent=given_,
        channel_order=("sms",),
    )
    assert found == [
        Statement("language", "fr", "", "customer", ""),
        Statement("channel_order", "sms", "", "customer", ""),
        Statement("paper_required", "yes", "", "customer", ""),
        Statement("consent", "given 2", "2026-10-01T00:00:00+00:00", "operator", "ann"),
    ]
    assert remembered(language="fr") == [], "a record brought it"
    # What the history says last is not what stands: somebody's word of that time.
    other = remembered(paper_required=True, history=(row("paper_required", "yes", "no"),))
    assert other == [
        Statement("paper_required", "no", FIRST, "operator", "ann", FIRST),
        Statement("paper_required", "yes", FIRST, "customer", ""),
    ]


def test_opt_outs_that_a_history_tells_and_that_do_not_stand_any_more() -> None:
    contact = {"opt_outs": {"bills": ("sms",)}}
    history = (row("opt_outs", "", "bills/sms, cases/email", "one-click"),)
    assert remembered(**contact, history=history) == [
        Statement(BILLS, "out", FIRST, "customer", "one-click", FIRST)
    ]
    came_back = (row("opt_outs", "bills/sms", "", "ann"),)
    assert remembered(**contact, history=came_back) == [
        Statement(BILLS, "in", FIRST, "operator", "ann", FIRST),
        Statement(BILLS, "out", FIRST, "customer", ""),
    ]


def test_a_contact_with_statements_is_not_read_from_its_history() -> None:
    own = Statement("language", "de", AT, "customer", "page")
    contact: Contact = a_contact(statements=(own,), history=(row("paper_required", "no", "yes"),))
    assert list(said_of(contact).values()) == [own]
    stopped = replace(contact, opt_outs={"bills": ("sms",)})
    assert list(said_of(stopped).values()) == [own, Statement(BILLS, "out", "", "customer", "")]


def test_a_field_that_a_record_changed_since_is_left_by_words_about_others() -> None:
    brought = Statement("language", "de", AT, "import", "import 1", SECOND)
    contact = a_contact(language="fr", statements=(brought,))
    assert heard(contact, [acts("customer", "page", NOW).says(BILLS, "out")], NOW).language == "fr"
