"""The text of the composer's files: its encoding by evidence, its lines by the line ends of all systems."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from .index.faults import IndexUnreadable, Limits
from .index.source import WINDOWS, TextSource

LINE_CHARS = 64 * 1024
"""The most of a line that is looked at as one; what a longer one holds beyond it is a further piece."""

_NEAR = 256
"""How far before its end a long line may be cut, so as to cut no code, and none from its number."""

_SHAPE = "EX[0-9]{6}[SEWI]"
_BEGUN = re.compile(r"E(?:X[0-9]{0,6}[SEWI]?[\])>:]?\s*(?:\([0-9\s]{0,12}\)?)?)?\Z")


def _wide(before: int, after: int) -> re.Pattern[bytes]:
    """A code in which each character has so many zero bytes before and after it."""
    parts = ("E", "X", *("[0-9]",) * 6, "[SEWI]")
    return re.compile("".join(rf"\x00{{{before}}}{part}\x00{{{after}}}" for part in parts).encode())


_NARROW = re.compile(_SHAPE.encode())
_EBCDIC = re.compile(rb"\xc5\xe7[\xf0-\xf9]{6}[\xe2\xc5\xe6\xc9]|^\x4c\x6f\xa7\x94\x93")
_CODES: tuple[tuple[str, int, re.Pattern[bytes]], ...] = (
    ("utf-32-le", 4, _wide(0, 3)),
    ("utf-32-be", 4, _wide(3, 0)),
    ("utf-16-le", 2, _wide(0, 1)),
    ("utf-16-be", 2, _wide(1, 0)),
    ("cp037", 1, _EBCDIC),
)
"""How a code looks in each encoding, and how many bytes a character has at least."""

_BLANKS = re.compile(rb"(?:[\n\r \t]\0)+", re.DOTALL), re.compile(rb"(?:\0[\n\r \t])+", re.DOTALL)
_UTF_32 = {b"\xff\xfe\0\0": "utf-32-le", b"\0\0\xfe\xff": "utf-32-be"}

_NO_TEXT = re.compile("[\x01-\x08\x0e-\x19\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd]")
_NO_TEXT_SHARE = 20
"""A text of which one character in so many is a control character, or none at all, is no text."""

_UNWRITTEN = "\0\x1a\ufeff \t\r\n"
"""What a file has before anything is written to it: zeros, where only its length was kept."""

# EBCDIC's new line, converted to Latin-1, is the byte that Windows has an ellipsis at.
_DOTS = "\u2026"
_ENDS_A_LINE = re.compile(rf"{_DOTS}(?:\s*\Z|\s*\[?(?:{_SHAPE}|[0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]))")
_BREAKS = re.compile("[\n\r\x85\u2028\u2029]")


def encoding_of(head: bytes) -> str | None:
    """The encoding that a file's beginning shows: that of a code in it, else UTF-16 by its blanks and line
    ends. None where it shows nothing else than single bytes."""
    if found := _UTF_32.get(head[:4]):
        return found
    if _NARROW.search(head):
        return None
    for name, width, pattern in _CODES:
        if any(found.start() % width == 0 for found in pattern.finditer(head)):
            return name
    if b"\0" not in head:
        return None
    little, big = (sum(found.start() % 2 == 0 for found in pattern.finditer(head)) for pattern in _BLANKS)
    if max(little, big) > 3 * min(little, big):
        return "utf-16-le" if little > big else "utf-16-be"
    return None


def text_of(
    stream: BinaryIO, name: str, *, encoding: str | None, limit: int, xml: bool = False
) -> Iterator[str]:
    """A file's text, piece by piece; `limit` bounds what a compressed one becomes, in bytes.

    `IndexUnreadable` where it cannot be unpacked, or where no encoding that is known makes text of it.
    """
    source = TextSource(
        stream,
        name,
        compressed=name.lower().endswith(".gz"),
        xml=xml,
        encoding=encoding,
        errors="strict" if encoding else WINDOWS,
        limits=Limits(decompressed_bytes=limit, decompression_ratio=None),
        evidence=encoding_of,
    )
    first = True
    zeros = written = False
    for piece in source:
        if not written:
            written = bool(piece.strip(_UNWRITTEN))
            zeros = zeros or "\0" in piece
        if first:
            first = False
            odd = len(_NO_TEXT.findall(piece))
            if odd * _NO_TEXT_SHARE > len(piece) and not re.search(_SHAPE, piece):
                reason = "no text in any encoding that is known here; set `encoding` in rules/messages.yaml"
                raise IndexUnreadable(name, "byte 0", reason)
        yield piece
    if zeros and not written:
        raise IndexUnreadable(
            name, "byte 0", "nothing but zero bytes: what was to stand there was not written"
        )


def lines_of(pieces: Iterable[str], *, dots: bool = False) -> Iterator[tuple[int, str]]:
    """Numbered lines, whatever ends them; a line that is too long comes in pieces of the same number.

    Line ends are LF, CR, CR LF, NEL, form feed, U+2028 and U+2029, in any mixture. The character that
    Windows takes for an ellipsis is a line end where the text has no other, and a message, a day or the
    end follows it; or whatever follows it, with `dots`.
    """
    rest = ""
    number = 1
    end_lines: bool | None = None
    for piece in pieces:
        if end_lines is None:
            end_lines = _dots_end_lines(piece, always=dots)
        text = rest + (piece.replace(_DOTS, "\n") if end_lines else piece)
        *whole, rest = text.splitlines(keepends=True) or [""]
        # A CR at the end may be the first half of CR LF.
        if rest[-1:] and len(rest.splitlines()[0]) < len(rest) and not rest.endswith("\r"):
            whole.append(rest)
            rest = ""
        for line in whole:
            for part in _cut(line):
                yield number, part
            number += 1
        if len(rest) > LINE_CHARS:
            *parts, rest = _cut(rest)
            for part in parts:
                yield number, part
    for part in _cut(rest):
        yield number, part


def _dots_end_lines(piece: str, *, always: bool) -> bool | None:
    """Whether dots end this text's lines; None if it does not show."""
    if _BREAKS.search(piece):
        return False
    return True if (_DOTS in piece and always) or _ENDS_A_LINE.search(piece) else None


def _cut(line: str) -> Iterator[str]:
    line = line.rstrip("\n\r\x85\x0b\x0c\x1c\x1d\x1e\u2028\u2029")
    while len(line) > LINE_CHARS:
        at = line.rfind(" ", LINE_CHARS - _NEAR, LINE_CHARS)
        at = at if at > 0 else LINE_CHARS
        if begun := _BEGUN.search(line, at - _NEAR, at):
            at = begun.start()
        yield line[:at]
        line = line[at:]
    if line:
        yield line
