"""A mail as a tree of parts, in a time that grows with its size alone, whatever a stranger wrote into it.

RFC 5322, 2045, 2047 and 2231, as far as reports need them. Everything is bounded: bytes, header lines and
their length, parts, nesting, text. What is broken is read as far as it goes; nothing raises.
"""

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Final

READ_LIMIT: Final = 1_000_000
"""Bytes of a mail that are read: reports stand in front, the returned message behind them."""

HEADER_LINES: Final = 2_000
HEADERS: Final = 400
VALUE_LIMIT: Final = 8_000
"""Lines of a head, fields of it, and characters of a field."""

WORDS_LIMIT: Final = 2_000
"""Characters of a field that are decoded (RFC 2047)."""

PARTS: Final = 60
BOUNDARY_LINES: Final = 1_000
NESTING: Final = 12
TEXT_LIMIT: Final = 60_000
"""Characters of a part that are read."""

RETURNED: Final = frozenset(
    {
        "message/rfc822", "message/global", "message/partial", "message/rfc822-headers", "message/news",
        "text/rfc822-headers", "text/rfc822-header", "text/rfc822", "message/global-headers",
    }
)  # fmt: skip
"""Types of parts that are the message which is returned, or its head."""


@dataclass(frozen=True)
class Part:
    """A mail or a part of one: its fields as written, its content, its parts."""

    headers: tuple[tuple[str, str], ...]
    kind: str
    parameters: Mapping[str, str]
    body: bytes
    parts: tuple["Part", ...] = ()

    def header(self, name: str, limit: int = WORDS_LIMIT) -> str:
        """The first field of a name, decoded, on one line; empty if there is none."""
        return next((_decoded(value[:limit]) for key, value in self.headers if key == name), "")

    def all_of(self, name: str) -> list[str]:
        """Every field of a name, as written, on one line each."""
        return [value for key, value in self.headers if key == name]

    def has(self, *names: str) -> bool:
        """Whether one of these fields is there and not empty."""
        return any(key in names and value for key, value in self.headers)

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def is_message(self) -> bool:
        """Whether a part of a report is the message that it returns, or that one's head.

        Some mailers put the message's own fields where those of the part belong.
        """
        return self.kind in RETURNED or self.has("from", "received")

    @cached_property
    def text(self) -> str:
        """The content as text, at most `TEXT_LIMIT` characters."""
        return _text(self)

    @cached_property
    def plain(self) -> str:
        """The content as a person reads it: without the tags of HTML."""
        return without_tags(self.text) if self.kind == "text/html" else self.text


def parsed(data: bytes) -> Part:
    """A mail's tree. A line of an mbox in front of it is left out, ends of lines may be of any system."""
    data = data[:READ_LIMIT]
    if b"\n" not in data[:100_000]:
        data = data.replace(b"\r", b"\n")  # ends of lines as old Macintoshes wrote them
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").lstrip(b" \t\n\r\xef\xbb\xbf")
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    return _part(data, 0, [PARTS], "text/plain")


def _part(data: bytes, depth: int, left: list[int], default: str) -> Part:
    headers, body = _head(data)
    kind, parameters = _content_type(next((v for k, v in headers if k == "content-type"), ""), default)
    boundary = parameters.get("boundary", "").rstrip()
    parts: tuple[Part, ...] = ()
    if kind.startswith("multipart/") and boundary and depth < NESTING:
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        pieces = _pieces(body, boundary.encode("utf-8", "replace"), left)
        parts = tuple(_part(piece, depth + 1, left, inner) for piece in pieces)
    return Part(headers, kind, parameters, body, parts)


# --- heads -----------------------------------------------------------------------------------------------

_FIELD: Final = re.compile(r"([!-9;-~]{1,100})[ \t]*:")


def _head(data: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """The fields, names in lower case, folded lines joined; and what follows them."""
    found: list[tuple[str, list[str]]] = []
    place = size = 0
    for _ in range(HEADER_LINES):
        end = data.find(b"\n", place)
        end = len(data) if end < 0 else end
        line = _readable(data[place : min(end, place + VALUE_LIMIT)])
        if not line.strip("\r"):
            return _joined(found), data[end + 1 :]
        field = _FIELD.match(line)
        if line[0] in " \t" and found:
            size += len(line)
            if size <= VALUE_LIMIT:
                found[-1][1].append(line)
        elif field and len(found) < HEADERS:
            found.append((field[1].lower(), [line[field.end() :]]))
            size = len(line)
        elif field is None:
            # A line that is not a field ends the header: some mailers omit the empty line.
            return _joined(found), data[place:]
        place = end + 1
        if place > len(data):
            return _joined(found), b""
    behind = data.find(b"\n\n", place)
    return _joined(found), data[behind + 2 :] if behind >= 0 else b""


def _joined(fields: list[tuple[str, list[str]]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, " ".join(" ".join(lines).split())[:VALUE_LIMIT]) for name, lines in fields)


def _readable(raw: bytes) -> str:
    """Bytes of a head as text: UTF-8 (RFC 6532), Japanese as older mailers leave it, else Latin-1."""
    if raw.isascii() and b"\x1b$" not in raw:
        return raw.decode("ascii")
    for charset in ("utf-8", "iso-2022-jp") if b"\x1b$" not in raw else ("iso-2022-jp", "utf-8"):
        try:
            return raw.decode(charset)
        except UnicodeError:
            continue
    return raw.decode("latin-1")


_PARAMETER: Final = re.compile(r';\s*([\w.-]+?)(\*\d*\*?)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


def _content_type(value: str, default: str) -> tuple[str, dict[str, str]]:
    """Type and parameters (RFC 2045, 5.1); pieces of one parameter (RFC 2231, 3) are joined."""
    value = value[:WORDS_LIMIT]
    kind = value.partition(";")[0].strip().lower()
    pieces: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        said = re.sub(r"\\(.)", r"\1", match[3]) if match[3] is not None else match[4]
        name = match[1].lower()
        if not match[2]:
            pieces[name] = said
        elif len(pieces.get(name, "")) < WORDS_LIMIT:
            pieces[name] = pieces.get(name, "") + said
    return kind if "/" in kind else default, pieces


_WORD: Final = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bq])\?([^?]*)\?=", re.I)
_BETWEEN_WORDS: Final = re.compile(r"(\?=)\s+(=\?)")


def _decoded(value: str) -> str:
    """A field with its encoded words read (RFC 2047); characters that two words share are put together."""
    if "=?" not in value:
        return value
    rows: list[str | tuple[str, bytes]] = []
    place = 0
    value = _BETWEEN_WORDS.sub(r"\1\2", value)
    for match in _WORD.finditer(value):
        charset, raw = match[1].lower(), _unpacked(match[2].lower(), match[3])
        last = rows[-1] if rows else ""
        if match.start() > place or not isinstance(last, tuple) or last[0] != charset:
            rows += [value[place : match.start()], (charset, raw)]
        else:
            rows[-1] = (charset, last[1] + raw)
        place = match.end()
    rows.append(value[place:])
    texts = (row if isinstance(row, str) else _in_charset(row[1], row[0]) for row in rows)
    return " ".join("".join(texts).split())


def _unpacked(encoding: str, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    return _base64(raw) if encoding == "b" else binascii.a2b_qp(raw, header=True)


# --- bodies ----------------------------------------------------------------------------------------------


def _pieces(body: bytes, boundary: bytes, left: list[int]) -> list[bytes]:
    """What stands between a boundary's lines (RFC 2046, 5.1.1), at most as many as are left."""
    mark = b"\n--" + boundary
    pieces: list[bytes] = []
    body = b"\n" + body
    start, place = -1, body.find(mark)
    for _ in range(BOUNDARY_LINES):
        if place < 0 or left[0] <= 0:
            break
        behind = body[place + len(mark) : place + len(mark) + 200]
        line = behind.partition(b"\n")[0].strip()
        if line in (b"", b"--"):
            if start >= 0:
                pieces.append(body[start:place])
                left[0] -= 1
            start = place + len(mark) + len(behind.partition(b"\n")[0]) + 1
            if line == b"--":
                return pieces
        place = body.find(mark, place + 1)
    if start >= 0 and left[0] > 0:
        pieces.append(body[start:])
        left[0] -= 1
    return pieces


_NO_TEXTS: Final = frozenset(
    {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
"""Codecs of Python that are not character sets, or that take the square of a text's length."""

_ALIASES: Final[Mapping[str, str]] = {
    "ks_c_5601-1987": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "x-sjis": "cp932",
    "shift_jis": "cp932", "iso-8859-8-i": "iso-8859-8", "iso-2022-jp": "iso2022_jp_ext",
    "unicode-1-1-utf-7": "utf-7",
}  # fmt: skip
"""Names that mailers use for a set, by the codec that reads more of it."""


def _in_charset(raw: bytes, charset: str) -> str:
    name = charset.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
    try:
        known = codecs.lookup(name).name
        if known in _NO_TEXTS or (known == "ascii" and not raw.isascii()):
            return _readable(raw)
        return raw.decode(name)
    except (LookupError, ValueError):
        pass
    try:
        return raw.decode("utf-8")
    except UnicodeError:
        pass
    try:
        return raw.decode(name, "replace")
    except (LookupError, ValueError):
        return _readable(raw)


def _base64(raw: bytes) -> bytes:
    """As far as it can be read."""
    raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw.partition(b"=")[0])
    try:
        return binascii.a2b_base64(raw[: len(raw) - (len(raw) % 4 == 1)] + b"==")
    except binascii.Error:
        return b""


def _text(part: Part) -> str:
    encoding = next((v for k, v in part.headers if k == "content-transfer-encoding"), "").strip().lower()
    raw = part.body[: 2 * TEXT_LIMIT]
    if encoding == "base64":
        raw = _base64(raw)
    elif encoding == "quoted-printable":
        raw = binascii.a2b_qp(raw)
    raw = raw[:TEXT_LIMIT]
    charset = part.parameters.get("charset", "")
    text = _in_charset(raw, charset) if charset else _readable(raw)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


_TAG: Final = re.compile(r"<(/?[a-z][a-z0-9:-]{0,30})(?:[\s/][^<>]{0,2000})?>|<![^<>]{0,2000}>", re.I)
_INLINE: Final = frozenset({"a", "abbr", "b", "code", "em", "font", "i", "span", "strong", "tt", "u", "wbr"})
_BREAKING: Final = frozenset({"br", "p", "div", "tr", "h1", "h2", "h3", "h4", "li", "hr", "table", "pre"})
_UNSEEN: Final = ("style", "script", "head")
_LONG_REFERENCE: Final = re.compile(r"&#[0-9a-fx]{8,}", re.I)


def without_tags(html: str) -> str:
    """The text of an HTML page, with its line breaks. `<name@example.com>` is not a tag."""
    for name in _UNSEEN:
        html = _without_element(html, name)
    plain = _TAG.sub(_instead, html if "<pre" in html.lower() else " ".join(html.split()))
    return "\n".join(line.strip() for line in unescape(_LONG_REFERENCE.sub(" ", plain)).split("\n"))


def _without_element(html: str, name: str) -> str:
    lowered = html.lower()
    kept, place = [], 0
    for _ in range(20):
        start = lowered.find(f"<{name}", place)
        end = lowered.find(f"</{name}>", start) if start >= 0 else -1
        if end < 0:
            break
        kept.append(html[place:start])
        place = end
    return "".join([*kept, html[place:]])


def _instead(tag: re.Match[str]) -> str:
    name = (tag[1] or "").lower().strip("/")
    return "" if name in _INLINE else "\n" if name in _BREAKING else " "
