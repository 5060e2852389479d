"""Bounce mails of many mailers are told from everything else, and no mail is too odd to be read."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.bounces import measure
from exstream_notify.adapters.receipts.mail import READ_LIMIT, Phrases, read_mail
from exstream_notify.domain.receipts import Kind

from .bounce_mails import BOUNCES, OTHERS, REFERENCE, dsn, plain

PHRASES = Phrases()


@pytest.mark.parametrize(("name", "mail", "kind"), BOUNCES, ids=[row[0] for row in BOUNCES])
def test_a_bounce_says_who_and_why(name: str, mail: str, kind: Kind) -> None:
    reading = read_mail(mail.encode(), PHRASES)
    assert reading.is_bounce
    assert [row.address for row in reading.told] == ["c100001@example.com"]
    assert reading.told[0].kind is kind
    assert "c100001" not in reading.told[0].reason


@pytest.mark.parametrize(("name", "mail", "kind"), OTHERS, ids=[row[0] for row in OTHERS])
def test_what_is_none_is_taken_for_none(name: str, mail: str, kind: Kind | None) -> None:
    reading = read_mail(mail.encode(), PHRASES)
    assert not reading.is_bounce
    assert reading.kind is kind


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_ends_of_lines_do_not_matter(ends: bytes) -> None:
    for _, mail, kind in BOUNCES:
        reading = read_mail(mail.encode().replace(b"\n", ends), PHRASES)
        assert [row.kind for row in reading.told] == [kind]


@pytest.mark.parametrize("name", ["rfc3464-unknown", "qmail", "exim", "yahoo", "notes"])
def test_our_reference_comes_back(name: str) -> None:
    mail = next(mail for other, mail, _ in BOUNCES if other == name)
    assert read_mail(mail.encode(), PHRASES).reference == REFERENCE


def test_each_recipient_is_told_of() -> None:
    second = "\n\nFinal-Recipient: rfc822; second@example.com\nAction: delayed\nStatus: 4.2.2\n"
    mail = dsn(diagnostic="smtp; 550 5.1.1 no such user" + second)
    told = read_mail(mail.encode(), PHRASES).told
    assert [(row.address, row.kind) for row in told] == [
        ("c100001@example.com", Kind.HARD_BOUNCE),
        ("second@example.com", Kind.DELAYED),
    ]


# --- what a stranger may send ---------------------------------------------------------------------------


# What hangs is ended, instead of a time being asserted: each of these takes a second or two.
bounded = pytest.mark.timeout(60)


@bounded
def test_a_header_of_ten_thousand_lines_is_cut() -> None:
    head = "".join(f"X-Filler-{n}: {'x' * 60}\n" for n in range(10_000))
    read_mail((head + dsn()).encode(), PHRASES)
    folded = "Subject: " + "".join(f"\n {'y' * 60}" for _ in range(10_000)) + "\n"
    read_mail((folded + dsn()).encode(), PHRASES)


@bounded
def test_a_mail_of_fifty_megabytes_is_read_from_its_beginning() -> None:
    mail = dsn().encode().replace(b"Your statement is ready.", b"A" * 50_000_000)
    assert read_mail(mail, PHRASES).told[0].kind is Kind.HARD_BOUNCE
    assert len(mail) > READ_LIMIT


@pytest.mark.timeout(15)
@pytest.mark.parametrize(
    "mail",
    [
        dsn().replace(
            "--b1\nContent-Type: message/delivery", "<" * 900_000 + "\nContent-Type: message/delivery"
        ),
        dsn().replace(
            "--b1\nContent-Type: message/delivery", "\n" * 900_000 + "Content-Type: message/delivery"
        ),
        dsn().replace(" report-type=", " ;a=" * 300_000 + "; report-type="),
        dsn().replace(
            "Content-Type: message/delivery-status", "Content-Type: text/plain" + "\n ;a=b" * 150_000
        ),
        dsn(diagnostic="smtp; 550" + "\n\n" * 400_000),
    ],
    ids=["brackets", "empty lines", "parameters", "folded parameters", "blocks"],
)
def test_a_mail_that_is_made_to_hurt_is_read_like_another_of_its_size(mail: str) -> None:
    read_mail(mail.encode(), PHRASES)


@bounded
def test_a_mime_bomb_is_read_as_text() -> None:
    nested = "text"
    for depth in range(2_000):
        nested = f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n{nested}\n--b{depth}--\n'
    read_mail(("From: x@example.com\nSubject: bomb\n" + nested).encode(), PHRASES)
    wide = 'From: x@example.com\nContent-Type: multipart/mixed; boundary="b"\n\n' + "--b\n\nx\n" * 100_000
    read_mail(wide.encode(), PHRASES)
    messages = "From: x@example.com\n" + "Content-Type: message/rfc822\n\n" * 5_000
    read_mail(messages.encode(), PHRASES)


@bounded
def test_expressions_find_no_way_to_run_for_ever() -> None:
    for text in (
        "<" * 50_000,
        "a@" * 50_000,
        " \n" * 50_000,
        "5.1." * 30_000,
        "final-recipient:" * 9_000,
        "-" * 100_000,
    ):
        read_mail(plain("MAILER-DAEMON@mx.example.net", "failure notice", text).encode(), PHRASES)
        read_mail(f"Content-Type: text/html\nFrom: <>\nSubject: undeliverable\n\n{text}".encode(), PHRASES)


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_fail(data: bytes) -> None:
    read_mail(data, PHRASES)
    read_mail(dsn().encode()[: len(data)] + data, PHRASES)


@given(st.integers(0, 1500), st.binary(min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_damage_makes_it_fail(place: int, damage: bytes) -> None:
    mail = dsn().encode()
    read_mail(mail[:place] + damage + mail[place + len(damage) :], PHRASES)


def test_a_sites_own_phrases_lie_over_ours(tmp_path: Path) -> None:
    (tmp_path / "bounce_mails.yaml").write_text("auto_replies: [gone fishing]\n")
    mail = plain("c1@example.com", "Gone fishing", "Back soon.")
    assert read_mail(mail.encode(), PHRASES).kind is None
    assert read_mail(mail.encode(), Phrases(tmp_path)).kind is Kind.AUTO_REPLY


def test_the_measure_counts_what_it_says(tmp_path: Path) -> None:
    bounces, others = tmp_path / "bounces", tmp_path / "others"
    bounces.mkdir(), others.mkdir()
    for name, mail, _ in BOUNCES:
        (bounces / f"{name}.eml").write_text(mail, "utf-8")
    for name, mail, _ in OTHERS:
        (others / f"{name}.eml").write_text(mail, "utf-8")
    found = measure(bounces, others)
    assert (found["recognised"], found["share"]) == (len(BOUNCES), 1.0)
    assert (found["others"], found["mistaken"]) == (len(OTHERS), [])
    wrong = measure(others, bounces)
    assert wrong["recognised"] == 0
    assert wrong["taken_for_bounce"] == len(BOUNCES)
