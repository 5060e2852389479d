"""What was accepted is kept, whole and in order."""

import threading
from datetime import UTC, datetime
from email import message_from_string, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exnotify.simulators import MessageStore
from exnotify.simulators.mime import mail_source
from exnotify.simulators.store import pack

SENT_AT = datetime(2026, 11, 20, 4, 20, tzinfo=UTC)


def test_numbers_count_on_when_old_ones_are_dropped(message: Any) -> None:
    store = MessageStore(limit=3)
    for _ in range(5):
        message(store)
    assert [m.number for m in store] == [3, 4, 5]
    assert (len(store), store.total) == (3, 5)
    assert [store.get(n) is not None for n in (0, 2, 3, 5, 6)] == [False, False, True, True, False]
    assert store.get(4) == list(store)[1]
    store.clear()
    assert (len(store), store.total, store.get(5)) == (0, 5, None)
    assert message(store).number == 6


def test_a_store_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        MessageStore(0)


def test_twenty_threads_lose_nothing(message: Any) -> None:
    store = MessageStore()
    threads = [threading.Thread(target=lambda: [message(store) for _ in range(50)]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.number for m in store] == list(range(1, 1001))


@pytest.mark.parametrize(
    ("ref", "notice_id", "attempt"),
    [("n1:2", "n1", 2), ("n1", "n1", None), ("", "", None), ("n1:x", "n1", None)],
)
def test_a_reference_is_read_as_far_as_it_goes(
    ref: str, notice_id: str, attempt: int | None, message: Any
) -> None:
    made = message(ref=ref)
    assert (made.notice_id, made.attempt) == (notice_id, attempt)


def test_the_source_of_a_text_is_the_text(message: Any) -> None:
    assert message(channel="sms", html="").source == "Your statement is ready."


def test_the_same_message_has_the_same_source(message: Any) -> None:
    assert message().source == message().source


LINE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60).filter(
    lambda text: text == " ".join(text.split())
)
WORDS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r"), max_size=200)


@given(LINE, LINE, WORDS, WORDS)
def test_a_mail_reads_back_as_it_was_written(name: str, subject: str, text: str, html: str) -> None:
    source = mail_source(
        sender=(name, "notices@example.com"),
        to="ann@example.com",
        subject=subject,
        text=text,
        html=html,
        headers=(("X-Notice", "n1"),),
        message_id="m-1",
        at=SENT_AT,
    )
    assert source.isascii()
    mail: Any = message_from_string(source, policy=policy.default)
    assert (mail["To"], mail["X-Notice"], mail["Message-ID"]) == (
        "ann@example.com",
        "n1",
        "<m-1@example.com>",
    )
    assert mail["Date"].datetime == SENT_AT
    assert mail["From"].addresses[0].addr_spec == "notices@example.com"
    found = {
        part.get_content_subtype(): part.get_content() for part in mail.walk() if not part.is_multipart()
    }
    if text or not html:
        assert found["plain"].rstrip("\n") == text.rstrip("\n")
    if html:
        assert found["html"].rstrip("\n") == html.rstrip("\n")


@given(st.text(st.characters(blacklist_categories=("Cs",))))
def test_packed_html_is_not_changed(html: str) -> None:
    store = MessageStore()
    fields = {
        "provider": "ses",
        "channel": "email",
        "to": "t",
        "sender": "s",
        "subject": "",
        "text": "",
        "ref": "",
    }
    kept = store.add(**fields, job_id="", message_id="", sent_at=SENT_AT, packed_html=pack(html))
    assert kept.html == html
