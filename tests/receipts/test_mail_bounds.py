"""A mail costs in proportion to its size, whatever a stranger wrote into it: what is handed on is bounded."""

import base64
from collections.abc import Iterator

import pytest

from exstream_notify.adapters.receipts.mails import Phrases, read_mail
from exstream_notify.adapters.receipts.mails.layouts import ANSWER
from exstream_notify.adapters.receipts.mails.parsing import (
    HEADERS,
    NESTING,
    PARTS,
    TEXT_LIMIT,
    VALUE_LIMIT,
    Part,
    parsed,
)
from exstream_notify.adapters.receipts.mails.reading import _bounded
from exstream_notify.adapters.receipts.mails.reports import RECIPIENTS
from exstream_notify.adapters.receipts.mails.returned import RETURNED_LIMIT, returned_text
from exstream_notify.adapters.receipts.mails.telling import NOTES
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.verdicts import Report, Verdicts

PHRASES = Phrases()
SIZE = 1_000_000
HEAD = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\n"


def filled(piece: str, head: str = HEAD + "\n") -> bytes:
    """A megabyte of a piece."""
    return (head + piece * (SIZE // len(piece))).encode()


def report(status: str) -> str:
    return (
        f"{HEAD}Content-Type: multipart/report; boundary=b\n\n--b\n\nfailed\n--b\n"
        f"Content-Type: message/delivery-status\n\n{status}"
    )


def hostile() -> Iterator[tuple[str, bytes]]:
    yield "one field", filled("x", "Subject: ")
    yield "fields", filled("X-Filler: y\n", "")
    yield "folded", filled("\n a@b.example,", "To: ")
    yield "encoded words", filled("=?utf-8?q?a?= ", "Subject: ")
    yield "broken encoded words", filled("=?", "Subject: ")
    yield "parameters", filled(";a=b", "Content-Type: text/plain")
    yield "pieces of a parameter", filled("\n boundary*1*=%41;", "Content-Type: multipart/report;")
    yield "backslashes", filled("\\", 'Content-Type: text/plain; a="')
    yield "boundaries", filled("--b\n\nx\n", f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n")
    yield "nearly boundaries", filled("--bx\n", f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n")
    yield "dashes", filled("\n-", f'{HEAD}Content-Type: multipart/mixed; boundary="{"-" * 70}"\n\n')
    yield "nesting", filled("Content-Type: multipart/mixed; boundary=b\n\n--b\n", HEAD)
    yield "messages", filled("Content-Type: message/rfc822\n\n", HEAD)
    for name, piece in {
        "at": "@", "a at": "a@", "dots": "a.", "quotes": '"a"@b ', "escapes": '\\"', "angles": "<", "addresses": "<a@b.example>",
        "lines": "\n", "spaces": " \n", "returns": "\r\n", "codes": "5.1.1 ", "replies": "550 ", "said": "said: ",
        "hosts": "host x [192.0.2.1] ", "transcript": "<<< 550 x\n", "recipients": "Final-Recipient: rfc822; a@b.example\n",
        "original": "--- original message\n", "quoted": "> ", "hexadecimal": "0123456789abcdef", "links": "/d/" + "a" * 29,
        "other scripts": "退信", "escape": "\x1b$B", "null": "\0", "words": "was not delivered to the mailbox ",
    }.items():  # fmt: skip
        yield f"text of {name}", filled(piece, f"{HEAD}Content-Type: text/plain; charset=utf-8\n\n")
        yield f"report of {name}", filled(piece, report(""))
    for name, piece in {
        "tags": "<a ",
        "elements": "<style>",
        "comments": "<!--",
        "entities": "&#",
        "digits": "&#1111",
    }.items():
        yield f"page of {name}", filled(piece, f"{HEAD}Content-Type: text/html\n\n")
    for charset in ("punycode", "idna", "unicode_escape", "utf-7", "hz", "nonsense"):
        yield f"text in {charset}", filled("a-", f"{HEAD}Content-Type: text/plain; charset={charset}\n\n")
    text = base64.encodebytes(b"a@b.example said: 550 5.1.1 no " * 24_000).decode()
    yield "base64", f"{HEAD}Content-Transfer-Encoding: base64\n\n{text}".encode()
    yield (
        "many recipients",
        report(
            "".join(
                f"Final-Recipient: rfc822; a{n}@b.example\nAction: failed\nDiagnostic-Code: smtp; 550 {'said nothing ' * 60}\n\n"
                for n in range(1_000)
            )
        ).encode(),
    )


class Counted(Verdicts):
    """Counts what it is asked to judge."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Report] = []

    def kind_of(self, report: Report) -> Kind:
        self.reports.append(report)
        return Kind.NOT_DELIVERED


HOSTILE = dict(hostile())


@pytest.mark.timeout(10)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_read_of_a_mail_is_bounded(data: bytes) -> None:
    assert len(data) >= 0.8 * SIZE
    asked = Counted()
    reading = read_mail(data, PHRASES, asked)
    assert len(reading.told) <= RECIPIENTS
    assert len(returned_text(parsed(data))) <= RETURNED_LIMIT
    assert len(asked.reports) <= RECIPIENTS
    assert all(len(one.answer) <= max(ANSWER, NOTES) and len(one.notes) <= NOTES for one in asked.reports)


@pytest.mark.parametrize("size", [1, 1000, TEXT_LIMIT // 3, TEXT_LIMIT, TEXT_LIMIT + 1])
def test_of_several_texts_so_much_is_read_together(size: int) -> None:
    texts = list(_bounded("x" * size for _ in range(4)))
    assert sum(map(len, texts)) == min(4 * size, TEXT_LIMIT)
    assert all(texts), "none that is empty"


def depth(part: Part) -> int:
    return 1 + max((depth(inner) for inner in part.parts), default=0)


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_the_tree_of_a_mail_is_bounded(data: bytes) -> None:
    mail = parsed(data)
    parts = list(mail.walk())
    assert len(parts) <= PARTS + 1
    assert depth(mail) <= NESTING + 1
    assert all(len(part.headers) <= HEADERS for part in parts)
    assert all(len(value) <= VALUE_LIMIT for part in parts for _, value in part.headers)
    assert all(len(part.text) <= TEXT_LIMIT for part in parts)
