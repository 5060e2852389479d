"""Bounce mails of many mailers are told from everything else, and no mail is too odd to be read."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.receipts.mails import READ_LIMIT, Phrases, read_mail
from exstream_notify.adapters.receipts.mails.phrases import folded
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.domain.receipts import Kind

from .bounce_mails import BOUNCES, OTHERS, REFERENCE, dsn, plain

PHRASES = Phrases()
VERDICTS = YamlRules().verdicts


@pytest.mark.parametrize(("name", "mail", "kind"), BOUNCES, ids=[row[0] for row in BOUNCES])
def test_a_bounce_says_who_and_why(name: str, mail: str, kind: Kind) -> None:
    reading = read_mail(mail.encode(), PHRASES, VERDICTS)
    assert reading.is_bounce
    assert [row.address for row in reading.told] == ["c100001@example.com"]
    assert reading.told[0].kind is kind
    assert "c100001" not in reading.told[0].reason


@pytest.mark.parametrize(("name", "mail", "kind"), OTHERS, ids=[row[0] for row in OTHERS])
def test_what_is_none_is_taken_for_none(name: str, mail: str, kind: Kind | None) -> None:
    reading = read_mail(mail.encode(), PHRASES, VERDICTS)
    assert not reading.is_bounce
    assert reading.kind is kind


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_ends_of_lines_do_not_matter(ends: bytes) -> None:
    for _, mail, kind in BOUNCES:
        reading = read_mail(mail.encode().replace(b"\n", ends), PHRASES, VERDICTS)
        assert [row.kind for row in reading.told] == [kind]


@pytest.mark.parametrize("name", ["rfc3464-unknown", "qmail", "exim", "yahoo", "notes"])
def test_our_reference_comes_back(name: str) -> None:
    mail = next(mail for other, mail, _ in BOUNCES if other == name)
    assert read_mail(mail.encode(), PHRASES, VERDICTS).references == (REFERENCE,)


def test_each_recipient_is_told_of() -> None:
    second = "\n\nFinal-Recipient: rfc822; second@example.com\nAction: delayed\nStatus: 4.2.2\n"
    mail = dsn(diagnostic="smtp; 550 5.1.1 no such user" + second)
    told = read_mail(mail.encode(), PHRASES, VERDICTS).told
    assert [(row.address, row.kind) for row in told] == [
        ("c100001@example.com", Kind.HARD_BOUNCE),
        ("second@example.com", Kind.DELAYED),
    ]


# --- what a stranger may send ---------------------------------------------------------------------------


@pytest.mark.timeout(60)
def test_a_mail_of_fifty_megabytes_is_read_from_its_beginning() -> None:
    mail = dsn().encode().replace(b"Your statement is ready.", b"A" * 50_000_000)
    assert read_mail(mail, PHRASES, VERDICTS).told[0].kind is Kind.HARD_BOUNCE
    assert len(mail) > READ_LIMIT


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_fail(data: bytes) -> None:
    read_mail(data, PHRASES, VERDICTS)
    read_mail(dsn().encode()[: len(data)] + data, PHRASES, VERDICTS)


@given(st.integers(0, 1500), st.binary(min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_damage_makes_it_fail(place: int, damage: bytes) -> None:
    mail = dsn().encode()
    read_mail(mail[:place] + damage + mail[place + len(damage) :], PHRASES, VERDICTS)


def test_a_sites_own_phrases_lie_over_ours(tmp_path: Path) -> None:
    (tmp_path / "bounce_mails.yaml").write_text("auto_replies: [gone fishing]\n")
    mail = plain("c1@example.com", "Gone fishing", "Back soon.")
    assert read_mail(mail.encode(), PHRASES, VERDICTS).kind is None
    assert read_mail(mail.encode(), Phrases(tmp_path), VERDICTS).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kinds: {delayed: [later]}\n", "kinds"),
        ("subjects: [x]\n", "bounce_mails.yaml (rules) line 1: subjects.0"),
        ("bodies:\n  - fine words\n  - Not So\n", "line 3"),
        ("daemons: robot\n", "daemons"),
    ],
)
def test_a_sites_file_that_nobody_could_follow_is_refused_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "bounce_mails.yaml").write_text(text)
    with pytest.raises(RulesInvalid) as refused:
        YamlRules(tmp_path / "rules").check()
    assert told in str(refused.value)


def test_a_phrase_may_leave_words_out_between_its_pieces(tmp_path: Path) -> None:
    (tmp_path / "bounce_mails.yaml").write_text("subjects: [could * not * go]\n")
    phrases = Phrases(tmp_path)
    assert phrases.found("subjects", folded("It COULD, sadly,  not really\ngo"))
    assert not phrases.found("subjects", folded("it could go, not"))
    assert not phrases.found("subjects", folded(f"it could {'x' * 70} not go"))
