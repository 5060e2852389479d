"""Wherever in a report our own message comes back, its reference is seen."""

import base64
import quopri

import pytest

from exstream_notify.adapters.receipts.mails.parsing import parsed
from exstream_notify.adapters.receipts.mails.returned import returned_text, without_original

from .bounce_mails import BOUNCES, dsn, plain

MARK = "nrmarkmarkmarkmarkmarkmark"
ORIGINAL = (
    f"From: notices@example.com\nTo: c100001@example.com\nSubject: Your document\nX-Notice-Id: {MARK}\n\nx\n"
)
DAEMON = "MAILER-DAEMON@mx.example.net"


def report(part: str, body: str) -> str:
    return (
        f"From: {DAEMON}\nTo: notices@example.com\nSubject: failure notice\n"
        f'Content-Type: multipart/report; boundary="x"\n\n--x\n\nIt could not be delivered.\n--x\n{part}\n\n{body}\n--x--\n'
    )


ENCODED = base64.encodebytes(ORIGINAL.encode()).decode()
PRINTABLE = quopri.encodestring(ORIGINAL.encode()).decode()
NESTED = report("Content-Type: message/rfc822", ORIGINAL)
SHAPES = {
    "a message": report("Content-Type: message/rfc822", ORIGINAL),
    "a message in base64": report("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", ENCODED),
    "a message, quoted-printable": report(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable", PRINTABLE
    ),
    "its head": report("Content-Type: text/rfc822-headers", ORIGINAL),
    "its head, another type": report("Content-Type: message/rfc822-headers", ORIGINAL),
    "its head as that of a part": report(ORIGINAL.partition("\n\n")[0], "x"),
    "a text": report("Content-Type: text/plain; name=original.txt", ORIGINAL),
    "a page": report("Content-Type: text/html", f"<pre>{ORIGINAL}</pre>"),
    "no type": report("X-Nothing: 1", ORIGINAL),
    "another report": report("Content-Type: message/rfc822", NESTED),
    "below a line": plain(DAEMON, "failure notice", f"It was not delivered.\n\n--- Below this line is a copy.\n\n{ORIGINAL}"),
    "quoted": plain(DAEMON, "failure notice", "No.\n\n" + "\n".join(f"> {row}" for row in ORIGINAL.split("\n"))),
    "its own field": plain(DAEMON, "failure notice", "No.", headers=f"X-Notice-Id: {MARK}\n"),
    "where it was sent to": plain(DAEMON, "failure notice", "No.").replace("notices@", f"bounces+{MARK}@"),
    "where it was delivered to": plain(DAEMON, "x", "No.", headers=f"Delivered-To: bounces+{MARK}@example.com\n"),
    "its envelope": plain(DAEMON, "x", "No.", headers=f"X-Original-To: <bounces+{MARK}@example.com>\n"),
    "a trace of our own server": plain(
        DAEMON, "x", "No.", headers=f"Received: from a by b\n\tfor <bounces+{MARK}@example.com>; Fri, 20 Nov 2026\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("mail", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_the_reference_is_seen(mail: str, ends: str) -> None:
    assert MARK in returned_text(parsed(mail.replace("\n", ends).encode()))


@pytest.mark.parametrize(("name", "mail"), [row[:2] for row in BOUNCES], ids=[row[0] for row in BOUNCES])
def test_a_return_path_of_ours_is_seen_in_every_bounce(name: str, mail: str) -> None:
    mail = mail.replace("To: notices@example.com", f"To: bounces+{MARK}@example.com", 1)
    assert MARK in returned_text(parsed(mail.encode()))


def test_what_is_attached_to_a_report_does_not_count_as_the_mailers_words() -> None:
    text = "This is the mail system. Your message could not be delivered to the recipient below, and comes back:\n"
    for line in (
        "------ This is a copy of the message ------",
        "Return-Path: <us@example.net>",
        "Original Message:",
    ):
        assert without_original(f"{text}\n{line}\nOut of office\n") == f"{text}\n"
    assert without_original(text) is text


def test_a_great_message_hides_no_reference_in_the_head_of_the_report() -> None:
    mail = dsn().replace("Your statement is ready.", "A" * 900_000).replace("notices@", f"bounces+{MARK}@", 1)
    assert MARK in returned_text(parsed(mail.encode()))
