"""Who said what of a customer's preferences, and when: which word counts, whatever comes first, late or twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.hearing import Voice, heard, said_of
from exstream_notify.domain.statements import Source, Statement, cell, stamped
from tests.fakes.examples import a_contact

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 30, tzinfo=UTC)
TOPICS = ("statements", "bills")
CHANNELS: tuple[Channel, ...] = ("email", "sms")

SPEAKERS: dict[str, Source] = {
    "one-click": "customer",
    "preference page": "customer",
    "portal 17": "customer",
    "sms reply 3": "reply",
    "ann": "operator",
    "import 0123 by ann": "import",
}


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def says(by: str, what: str, value: str, second: int) -> Statement:
    return Voice(SPEAKERS[by], by, stamped(at(second)), NOW).says(what, value)


@st.composite
def opt_outs(draw: st.DrawFn) -> Statement:
    """Anybody speaks of a topic on a channel; replies speak of everything on SMS."""
    by = draw(st.sampled_from(sorted(SPEAKERS)))
    source = SPEAKERS[by]
    topic = "*" if source == "reply" else draw(st.sampled_from(TOPICS))
    channel = "sms" if source == "reply" else draw(st.sampled_from(CHANNELS))
    value = "out" if source == "import" else draw(st.sampled_from(["in", "out"]))
    return says(by, cell(topic, channel), value, draw(st.integers(0, 12)))


@st.composite
def fields(draw: st.DrawFn) -> Statement:
    by = draw(st.sampled_from([name for name, source in SPEAKERS.items() if source != "reply"]))
    what, values = draw(
        st.sampled_from(
            [
                ("language", ("de", "es", "fr")),
                ("channel_order", ("", "sms", "email,sms")),
                ("quiet_hours", ("", "09:00-18:00")),
                ("paper_required", ("yes", "no")),
            ]
        )
    )
    return says(by, what, draw(st.sampled_from(values)), draw(st.integers(0, 12)))


statements = st.lists(st.one_of(opt_outs(), fields()), max_size=14)


def end(contact: Contact, words: Sequence[Statement]) -> dict[str, Any]:
    """What the contact is after these words, one by one, without how it came to that."""
    for word in words:
        contact = heard(contact, [word], NOW)
    found = replace(contact, history=(), version=0, changed_at="")
    return {name: getattr(found, name) for name in Contact.__dataclass_fields__}


@given(statements, st.randoms(use_true_random=False))
def test_the_end_depends_on_what_was_said_and_not_on_order_or_repetition(
    words: list[Statement], random: Any
) -> None:
    shuffled = [*words, *random.choices(words, k=5)] if words else []
    random.shuffle(shuffled)

    assert end(a_contact(), shuffled) == end(a_contact(), words)
    assert end(a_contact(), sorted(words, key=lambda word: word.at)) == end(a_contact(), words)


@given(statements)
def test_the_end_is_the_order_of_times_and_nobody_else_lifts_a_customer_s_opt_out(
    words: list[Statement],
) -> None:
    """The rule told a second time, as plainly as it can be."""
    contact = a_contact()
    for word in words:
        contact = heard(contact, [word], NOW)
    for topic in (*TOPICS, "*"):
        for channel in CHANNELS:
            said = [word for word in words if word.what == cell(topic, channel)]
            # Within a second the opt-out is heard last, so that it counts.
            out, theirs = False, False
            for word in sorted(said, key=lambda w: (w.at, w.value == "out")):
                customer = word.source in ("customer", "reply")
                if word.value == "out":
                    out, theirs = True, theirs or customer
                elif customer:
                    out, theirs = False, False
                elif not theirs:
                    out = False
            assert (channel in (contact.opt_outs or {}).get(topic, ())) is out, (topic, channel, said)


@pytest.mark.parametrize("by", ["ann", "import 0123 by ann"])
@given(words=statements)
def test_what_others_want_back_never_opens_what_the_customer_closed(by: str, words: list[Statement]) -> None:
    closed = says("one-click", cell("bills", "email"), "out", 5)
    opened = says(by, cell("bills", "email"), "in", 60)
    others = [word for word in words if word.source in ("operator", "import")]

    assert "email" in end(a_contact(), [opened, *others, closed])["opt_outs"]["bills"]
    assert "email" in end(a_contact(), [closed, *others, opened])["opt_outs"]["bills"]


ORDERS = [
    # what is said: by, value, second; then what counts
    ([("portal 17", "de", 5), ("preference page", "fr", 9)], "fr"),
    ([("preference page", "fr", 9), ("portal 17", "de", 5)], "fr"),
    ([("ann", "de", 9), ("portal 17", "fr", 5)], "de"),
    ([("ann", "de", 5), ("portal 17", "fr", 9)], "fr"),
    ([("ann", "de", 5), ("portal 17", "fr", 5)], "fr"),
    ([("import 0123 by ann", "de", 9), ("preference page", "fr", 1)], "fr"),
    ([("ann", "fr", 1), ("import 0123 by ann", "de", 9)], "fr"),
    ([("import 0123 by ann", "de", 9)], "de"),
    ([("import 0123 by ann", "de", 3), ("ann", "fr", 5), ("ann", "", 6)], "de"),
]


@pytest.mark.parametrize(("words", "language"), ORDERS)
def test_the_written_order_of_sources(words: list[tuple[str, str, int]], language: str) -> None:
    said = [says(by, "language", value, second) for by, value, second in words]

    assert end(a_contact(language="en"), said)["language"] == language
    assert end(a_contact(language="en"), said[::-1])["language"] == language


def test_a_word_that_changes_nothing_counts_from_its_time() -> None:
    """The portal says again what stands; an operator's older word that comes late changes nothing any more."""
    contact = heard(a_contact(), [says("portal 17", cell("bills", "sms"), "in", 9)], NOW)
    assert (contact.opt_outs, contact.history, contact.version) == (None, (), 2)

    late = heard(contact, [says("ann", cell("bills", "sms"), "out", 5)], NOW)
    assert late.opt_outs is None
    assert heard(late, [says("ann", cell("bills", "sms"), "out", 12)], NOW).opt_outs == {"bills": ("sms",)}


def test_start_ends_what_stop_ended_and_leaves_what_the_customer_chose() -> None:
    def reply(number: int, second: int) -> Voice:
        return Voice("reply", f"sms reply {number}", stamped(at(second)), NOW)

    words = [
        says("preference page", cell("cases", "sms"), "out", 1),
        *reply(1, 2).opts("out", ["bills", "cases"], ["sms"]),
        *reply(2, 3).opts("out", ["*"], ["sms"]),
        *reply(3, 4).starts("sms"),
    ]
    assert end(a_contact(), words)["opt_outs"] == {"cases": ("sms",)}
    assert end(a_contact(), words[::-1])["opt_outs"] == {"cases": ("sms",)}
    # A STOP of everything later on does not bring back the stop of one topic that a START ended.
    more = [*words, *reply(4, 5).opts("out", ["*"], ["sms"])]
    assert end(a_contact(), more)["opt_outs"] == {"*": ("sms",), "cases": ("sms",)}


CONSENTS = [
    ([("preference page", "withdrawn", 5), ("ann", "given 1", 9)], False),
    ([("ann", "withdrawn", 5), ("ann", "given 1", 9)], True),
    ([("preference page", "withdrawn", 5), ("import 0123 by ann", "given 1", 9)], True),
    ([("preference page", "withdrawn", 5), ("import 0123 by ann", "given 1", 4)], False),
    ([("preference page", "withdrawn", 5), ("portal 17", "given 2", 9)], True),
    ([("portal 17", "given 2", 5), ("preference page", "withdrawn", 5)], False),
]


@pytest.mark.parametrize(("words", "given_"), CONSENTS)
def test_consent_that_the_customer_withdrew_is_given_by_the_customer_or_a_later_paper(
    words: list[tuple[str, str, int]], given_: bool
) -> None:
    said = [says(by, "consent", value, second) for by, value, second in words]

    for order in (said, said[::-1]):
        assert end(a_contact(), order)["consent"].given is given_


# --- contacts of the release before ------------------------------------------------------------------


def entry(second: int, who: str, field: str, old: str, new: str) -> dict[str, str]:
    return {"at": at(second).isoformat(), "who": who, "field": field, "from": old, "to": new}


def test_a_contact_without_statements_has_those_that_its_history_tells() -> None:
    contact = a_contact(
        language="fr",
        set_by_customer=("language",),
        opt_outs={"bills": ("sms",), "offers": ("email",)},
        consent=Consent(True, "electronic delivery", "1", at(3).isoformat(), "operator ann"),
        history=(
            entry(1, "preference page", "opt_outs", "", "bills/email, bills/sms"),
            entry(5, "portal 17", "opt_outs", "bills/email, bills/sms", "bills/sms, offers/email"),
            entry(6, "ann", "language", "en", "fr"),
            entry(7, "preference page", "email", "old@example.com", "new@example.com"),
        ),
    )
    told = {(w.what, w.source): (w.value, w.at, w.by) for w in said_of(contact).values()}
    assert told == {
        ("opt_outs/bills/sms", "customer"): ("out", at(1).isoformat(), "preference page"),
        ("opt_outs/bills/email", "customer"): ("in", at(5).isoformat(), "portal 17"),
        ("opt_outs/offers/email", "customer"): ("out", at(5).isoformat(), "portal 17"),
        ("language", "operator"): ("fr", at(6).isoformat(), "ann"),
        ("email", "customer"): ("new@example.com", at(7).isoformat(), "preference page"),
        ("consent", "operator"): ("given 1", at(3).isoformat(), "ann"),
    }
    late = says("portal 17", cell("bills", "email"), "out", 4)
    assert heard(contact, [late], NOW) is contact


def test_an_opt_out_of_which_nothing_is_known_is_the_customer_s_own() -> None:
    contact = a_contact(opt_outs={"*": ("sms",)})

    assert end(contact, [says("ann", cell("*", "sms"), "in", 9)])["opt_outs"] == {"*": ("sms",)}
    assert end(contact, [says("portal 17", cell("*", "sms"), "in", 9)])["opt_outs"] is None


@pytest.mark.parametrize(
    ("before", "value", "owned", "language"),
    [
        ((), "de", ("language",), "de"),
        (("email",), "de", ("email", "language"), "de"),
        (("email", "language"), "", ("email",), None),
    ],
)
def test_a_language_that_the_customer_chose_is_theirs_until_they_take_it_back(
    before: tuple[str, ...], value: str, owned: tuple[str, ...], language: str | None
) -> None:
    contact = a_contact(language="fr" if "language" in before else None, set_by_customer=before)
    after = heard(contact, [says("preference page", "language", value, 1)], NOW)
    assert (after.set_by_customer, after.language) == (owned, language)
