"""Reports without a part for machines are recognised in the languages of large providers, or shown."""

import pytest

from exstream_notify.adapters.receipts.mails import Phrases, read_mail
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

from .bounce_mails import plain
from .languages import DELAYS, LANGUAGES

PHRASES = Phrases()
VERDICTS = YamlRules().verdicts
CHARSETS = {"de": "latin-1", "fr": "latin-1", "es": "latin-1", "ja": "iso-2022-jp", "zh": "gb18030", "ko": "euc-kr",
            "ru": "koi8-r", "pl": "iso-8859-2", "cs": "windows-1250", "tr": "iso-8859-9"}  # fmt: skip


@pytest.mark.parametrize(("subject", "text"), LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("sender", ["MAILER-DAEMON@mx.example.net", "PostMaster <postmaster@example.net>"])
def test_a_report_is_recognised_in_its_language(sender: str, subject: str, text: str) -> None:
    reading = read_mail(plain(sender, subject, text).encode(), PHRASES, VERDICTS)
    assert reading.is_bounce
    assert [row.address for row in reading.told] == ["c100001@example.com"]
    assert reading.kind is not Kind.DELAYED


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name[:2] in CHARSETS])
def test_its_character_set_does_not_matter(name: str) -> None:
    _subject, text = LANGUAGES[name]
    charset = CHARSETS[name[:2]]
    mail = plain("MAILER-DAEMON@mx.example.net", "x", "y").replace("utf-8", charset).encode()
    raw = text.replace("……", "").encode(charset, "replace")
    assert read_mail(mail.replace(b"\ny\n", b"\n" + raw), PHRASES, VERDICTS).is_bounce


@pytest.mark.parametrize(("subject", "text"), LANGUAGES.values(), ids=LANGUAGES)
def test_the_same_words_of_a_person_are_a_persons(subject: str, text: str) -> None:
    reading = read_mail(plain("Ann <ann@example.org>", subject, text).encode(), PHRASES, VERDICTS)
    assert reading.told == ()
    assert reading.by_person


@pytest.mark.parametrize(("subject", "text"), DELAYS.values(), ids=DELAYS)
def test_a_delay_is_told_from_a_failure_in_its_language(subject: str, text: str) -> None:
    mail = plain("postmaster@mx.example.net", subject, f"c100001@example.com\n\n{text}")
    assert read_mail(mail.encode(), PHRASES, VERDICTS).kind is Kind.DELAYED


def test_a_language_that_nobody_knows_is_read_by_its_code_or_counted_as_unread() -> None:
    text = "Qapla' <c100001@example.com>: 550 5.1.1 pagh\n"
    returned = "\n--- Original message follows.\n\nTo: c100001@example.com\n"
    mail = plain("MAILER-DAEMON@mx.example.net", "nuqneH", text + "a " * 40 + returned)
    assert read_mail(mail.encode(), PHRASES, VERDICTS).is_bounce
    unread = read_mail(plain("MAILER-DAEMON@mx.example.net", "nuqneH", "pagh").encode(), PHRASES, VERDICTS)
    assert unread.unusable
    assert not unread.by_person
