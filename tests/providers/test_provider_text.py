"""Encodings there and back, and no line end that reaches a header."""

import json
from email import message_from_string, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exnotify.simulators.aws_wire import problems
from exnotify.simulators.opentext_schema import check
from exstream_notify.adapters.providers.errors import MessageRefused
from exstream_notify.adapters.providers.opentext import OpenText, OpenTextSettings
from exstream_notify.adapters.providers.opentext_request import OpenTextForm
from exstream_notify.adapters.providers.ses import Ses, SesSettings
from exstream_notify.adapters.providers.text import email_address, mailbox, one_line, split_ref
from exstream_notify.domain.messages import Content, Message

NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=120
).filter(lambda name: name == " ".join(name.split()))
EXAMPLES = [
    "Ann",
    'O\'Brien "Ann"',
    "Bücher GmbH",
    "=?UTF-8?B?QQ==?=",
    "مرحبا شركة",
    "👩‍👩‍👧 & Co",
    "a\\b",
    "A, B",
    "x" * 120,
]


@given(NAMES)
def test_a_display_name_arrives_as_it_was_given(name: str) -> None:
    field = mailbox(name, "notices@example.com")
    assert field.isascii()
    header: Any = message_from_string(f"From: {field}\n\n", policy=policy.default)["From"]
    assert header.defects == ()
    assert [a.addr_spec for a in header.addresses] == ["notices@example.com"]
    # The name by the older reader: the newer leaves the space between encoded words (RFC 2047, 6.2).
    assert str(make_header(decode_header(parseaddr(field)[0]))) == name


for _name in EXAMPLES:
    test_a_display_name_arrives_as_it_was_given = example(_name)(test_a_display_name_arrives_as_it_was_given)


@given(NAMES)
def test_an_encoded_word_keeps_within_its_75_characters(name: str) -> None:
    words = [w for w in mailbox(f"é{name}", "notices@example.com").split(" ") if w.startswith("=?")]
    assert words
    assert all(len(word) <= 75 for word in words)


@given(st.text(max_size=40), st.sampled_from("\r\n\x00\x0b\x0c\x1c\x85\u2028\u2029"), st.text(max_size=40))
def test_a_control_character_never_gets_into_a_header(before: str, control: str, after: str) -> None:
    with pytest.raises(MessageRefused):
        one_line(before + control + after, "subject")


@given(st.text(max_size=60))
def test_an_address_is_taken_whole_or_refused(text: str) -> None:
    try:
        address = email_address(text + "@example.com")
    except MessageRefused:
        return
    assert address == text + "@example.com"
    assert address.isascii()
    assert not set(address) & set(' \r\n\t,;<>"()[]\\')


WORDS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=300)


@given(WORDS, NAMES, WORDS)
@example("(i1)", "(i1) 👋", "<p>(i1)</p>")
def test_words_arrive_through_both_providers_as_they_were_written(text: str, subject: str, html: str) -> None:
    message = Message(
        "a" * 32 + ":3", "email", "ann@example.com", "transactional", Content(text, subject, html)
    )
    if not text and not html:
        return
    ses = Ses(SesSettings("notices@example.com"), lambda: None)
    parameters = json.loads(ses.request(message).body)
    assert problems("sesv2", "SendEmail", parameters) == []
    simple = parameters["Content"]["Simple"]
    found = {kind: part["Data"] for kind, part in simple["Body"].items()}
    assert (found.get("Text", ""), simple["Subject"]["Data"], found.get("Html", "")) == (text, subject, html)

    form = OpenTextForm(from_display_name=subject)
    opentext = OpenText(OpenTextSettings("https://api.example.com", form=form), lambda: None)  # type: ignore[arg-type, return-value]
    taken = check("email", json.loads(opentext.request(message).body))
    assert (taken.text, taken.subject, taken.html, taken.from_display_name) == (text, subject, html, subject)
    assert [(d.ref, d.to) for d in taken.destinations] == [("a" * 32 + ":3", "ann@example.com")]


@pytest.mark.parametrize(
    "ref", ["", "abc", "abc:", ":1", "abc:x", "a b:1", "abc:1:2", "ann@example.com:1", "a:12345"]
)
def test_a_reference_is_an_id_and_a_number(ref: str) -> None:
    with pytest.raises(ValueError, match="notice id"):
        split_ref(ref)


def test_a_reference_is_read_back() -> None:
    assert split_ref("0a" * 16 + ":12") == ("0a" * 16, "12")
