"""Every bounce says the same in base64 and quoted-printable, in a wrong character set and with encoded fields."""

import base64
import binascii
import re

import pytest

from exstream_notify.adapters.receipts.mails import Phrases, read_mail
from exstream_notify.adapters.receipts.mails.parsing import (
    HEADERS,
    NESTING,
    PARTS,
    READ_LIMIT,
    TEXT_LIMIT,
    VALUE_LIMIT,
    parsed,
)
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

from .bounce_mails import BOUNCES, plain

PHRASES = Phrases()
VERDICTS = YamlRules().verdicts


def encoded(mail: str, encoding: str) -> bytes:
    """The mail with each part that is a text or a report encoded; the returned message stays as it is."""
    head, _, body = mail.partition("\n\n")
    boundary = re.search(r'boundary="?([^"\n;]+)', head)
    if boundary is None:
        return _packed(head, body, encoding).encode()
    first, *pieces = body.split(f"--{boundary[1]}\n")
    parts = []
    for piece in pieces:
        inner, _, content = piece.partition("\n\n")
        content, end, rest = content.partition(f"--{boundary[1]}--")
        plain_text = re.search("text/(plain|html)|message/delivery-status", inner)
        parts.append(
            (_packed(inner, content, encoding) if plain_text else f"{inner}\n\n{content}") + end + rest
        )
    return (f"{head}\n\n{first}" + "".join(f"--{boundary[1]}\n{part}" for part in parts)).encode()


def _packed(head: str, body: str, encoding: str) -> str:
    raw = body.encode()
    packed = base64.encodebytes(raw) if encoding == "base64" else binascii.b2a_qp(raw, istext=True)
    return f"{head.strip()}\nContent-Transfer-Encoding: {encoding.upper()}\n\n{packed.decode()}\n".lstrip()


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize(("name", "mail", "kind"), BOUNCES, ids=[row[0] for row in BOUNCES])
def test_a_bounce_says_the_same_however_it_is_packed(name: str, mail: str, kind: Kind, encoding: str) -> None:
    reading = read_mail(encoded(mail, encoding), PHRASES, VERDICTS)
    assert reading.is_bounce
    assert [(row.address, row.kind) for row in reading.told] == [("c100001@example.com", kind)]


def test_a_long_line_that_quoted_printable_breaks_names_nobody_else() -> None:
    """`c1000=` and `01@example.com` on the next line are one address, not a stranger's."""
    mail = plain(
        "MAILER-DAEMON@mx.example.net",
        "Undelivered Mail Returned to Sender",
        "I could not deliver your message to the following address:\n\n<c1000=\n01@example.com>: 550 5.1.1 user=20unknown",
        headers="Content-Transfer-Encoding: quoted-printable\n",
    )
    reading = read_mail(mail.encode(), PHRASES, VERDICTS)
    assert [(row.address, row.kind) for row in reading.told] == [("c100001@example.com", Kind.HARD_BOUNCE)]


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("utf-8", "Empfänger unbekannt".encode()),
        ('"UTF-8"', "Empfänger unbekannt".encode()),
        ("iso-8859-1", "Empfänger unbekannt".encode("latin-1")),
        ("us-ascii", "Empfänger unbekannt".encode()),  # said to be ASCII, and is not
        ("x-unknown", "Empfänger unbekannt".encode()),
        ("x-unknown", "Empfänger unbekannt".encode("latin-1")),
        ("punycode", "Empfänger unbekannt".encode()),  # a codec of Python, no character set
        ("", "Empfänger unbekannt".encode()),
        ("", "Empfänger unbekannt".encode("latin-1")),
        ("utf-7", b"Empf+AOQ-nger unbekannt"),
        ("unicode-1-1-utf-7", b"Empf+AOQ-nger unbekannt"),
    ],
)
def test_a_text_is_read_in_the_set_that_it_is_in(charset: str, raw: bytes) -> None:
    named = f"; charset={charset}" if charset else ""
    part = parsed(f"From: a@example.com\nContent-Type: text/plain{named}\n\n".encode() + raw)
    assert part.text == "Empfänger unbekannt"


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("ks_c_5601-1987", "cp949", "똠 수신자"),
        ("gb2312", "gb18030", "收件人㐀"),
        ("gbk", "gb18030", "收件人㐀"),
        ("x-gbk", "gb18030", "收件人㐀"),
        ("shift_jis", "cp932", "①受信者"),
        ("x-sjis", "cp932", "①受信者"),
        ("iso-8859-8-i", "iso-8859-8", "נמען"),
        ("iso-2022-jp", "iso2022_jp_ext", "ｱ受信者"),
        ("big5", "big5", "收件人"),
    ],
)
def test_names_of_sets_that_mailers_write_wrongly_are_known(charset: str, codec: str, text: str) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + text.encode(codec)
    assert parsed(raw).text == text


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("=?utf-8?B?VW56dXN0ZWxsYmFy?=", "Unzustellbar"),
        ("=?UTF-8?b?VW56dXN0ZWxsYmFy?=", "Unzustellbar"),
        ("=?iso-8859-1?Q?Zustellung_unm=F6glich?=", "Zustellung unmöglich"),
        ("=?utf-8*de?q?Zustellung?=", "Zustellung"),  # with a language (RFC 2231, 5)
        ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),  # two words share a character
        ("=?utf-8?q?a?= =?iso-8859-1?q?=E4?=", "aä"),
        ("Re: =?utf-8?q?=C3=A4?= (1)", "Re: ä (1)"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?nonsense?q?a=C3=A4?=", "aä"),
        ("=?utf-8?b?a?=", ""),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("100 =? percent", "100 =? percent"),
    ],
)
def test_encoded_words_of_a_field_are_read(field: str, expected: str) -> None:
    assert parsed(f"Subject: {field}\n\n".encode()).header("subject") == expected


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (b"VXNlciB1bmtub3du", "User unknown"),
        (b"VXNlciB1\nbmtub3du\n", "User unknown"),
        (b"VXNlciB1bmtub3duIQ==", "User unknown!"),
        (b"VXNlciB1bmtub3duIQ==\ntrailing words", "User unknown!"),
        (b"VXNlciB1bmtub3duI", "User unknown"),  # cut off
        (b"!?", ""),
    ],
)
def test_base64_is_read_as_far_as_it_goes(packed: bytes, expected: str) -> None:
    part = parsed(b"Content-Transfer-Encoding: Base64 \nContent-Type: text/plain\n\n" + packed)
    assert part.text == expected


# --- heads and parts --------------------------------------------------------------------------------------


def test_fields_are_read_as_they_are_folded_and_spelled() -> None:
    part = parsed(
        b"From sender Fri Nov 20\nSubject : one\n\ttwo\n  three\nSUBJECT: four\nX-Empty:\n"
        b'Content-Type: Text/HTML; Charset="utf-8"; name*0="a\\"b"; name*1=c\n\nbody\n'
    )
    assert part.headers[:3] == (("subject", "one two three"), ("subject", "four"), ("x-empty", ""))
    assert part.header("subject") == "one two three"
    assert part.header("missing") == ""
    assert part.all_of("subject") == ["one two three", "four"]
    assert (part.kind, dict(part.parameters)) == ("text/html", {"charset": "utf-8", "name": 'a"bc'})
    assert part.has("x-missing", "subject")
    assert not part.has("x-empty")
    assert part.body == b"body\n"


@pytest.mark.parametrize("lead", [b"", b"\n\n", b"\xef\xbb\xbf", b"From x\n", b">From x\n", b"  \r\n"])
def test_what_stands_in_front_of_a_mail_is_left_out(lead: bytes) -> None:
    assert parsed(lead + b"Subject: s\n\nbody").headers == (("subject", "s"),)


def test_a_line_that_is_no_field_ends_the_head() -> None:
    part = parsed(b"Subject: s\nHi. This is the mailer\nX: no field\n\nrest")
    assert (part.headers, part.body) == ((("subject", "s"),), b"Hi. This is the mailer\nX: no field\n\nrest")
    assert parsed(b"Subject: s").headers == (("subject", "s"),)


def test_parts_are_cut_at_their_boundaries_and_at_no_other_line() -> None:
    part = parsed(
        b'Content-Type: multipart/mixed; boundary="b"\n\npreamble\n--b\n\none\n--bc\nstill one\n--b  \n'
        b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: inner\n--d--\nnot a part\n--b--\n--b\n\nno"
    )
    assert [p.kind for p in part.walk()] == [
        *("multipart/mixed", "text/plain", "multipart/digest", "message/rfc822"),
    ]
    assert [p.body for p in part.parts] == [b"one\n--bc\nstill one", part.parts[1].body]
    unended = parsed(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo")
    assert [p.body for p in unended.parts] == [b"one", b"two"]


def test_a_mail_is_bounded_in_every_direction() -> None:
    deep = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(2 * NESTING)
    )
    assert sum(1 for _ in parsed(deep).walk()) == NESTING + 1
    wide = b"Content-Type: multipart/mixed; boundary=b\n" + b"\n--b\n\nx" * (2 * PARTS)
    assert len(parsed(wide).parts) == PARTS
    fields = b"".join(b"X-%d: v\n" % n for n in range(2 * HEADERS)) + b"\nbody"
    assert (len(parsed(fields).headers), parsed(fields).body) == (HEADERS, b"body")
    long = parsed(b"Subject: " + b"a" * (2 * VALUE_LIMIT) + b"\n\n" + b"b" * (2 * READ_LIMIT))
    assert len(long.headers[0][1]) <= VALUE_LIMIT
    assert len(long.body) < READ_LIMIT
    assert len(long.text) == TEXT_LIMIT
    folded = parsed(b"Subject: a\n" + b" bbbbbbbbbb\n" * VALUE_LIMIT + b"X: y\n\n")
    assert len(folded.headers) == 1 or folded.headers[-1] == ("x", "y")
    assert len(folded.headers[0][1]) <= VALUE_LIMIT


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One</p><p>two <b>bold</b>ly</p>", "\nOne\n\ntwo boldly\n"),
        ("a<br/>b<br>c", "a\nb\nc"),
        ("<td>a</td><td>b</td>", "a  b"),
        ("<style>p {x}</style><script>if (a<b)</script><head>h</head>text", "text"),
        ("<style>x</style>a" * 21, "a " * 20 + "x a"),  # no more than 20 are looked for
        ("<style>x</style>a<style>b", "a b"),
        ("&lt;c100001@example.com&gt; <c100002@example.com>", "<c100001@example.com> <c100002@example.com>"),
        ("<!-- note -->a<!DOCTYPE html>b", "a b"),
        ("<pre>a\nb</pre>", "\na\nb\n"),
        ("a\nb", "a b"),
        ("a&#99999999999;b", "a ;b"),
    ],
)
def test_html_is_read_as_a_person_reads_it(html: str, expected: str) -> None:
    part = parsed(b"Content-Type: text/html\n\n" + html.encode())
    assert part.plain == expected
    assert parsed(b"Content-Type: text/plain\n\n" + html.encode()).plain == html
