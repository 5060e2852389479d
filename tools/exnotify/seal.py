#!/usr/bin/env python3
"""Seal a folder of Exstream output: `python3 seal.py DIR --domain retail --run-id "$RUN"`.

One file, standard library only, Python 3.9 or later, so that it can be copied to an Exstream server.
It reads each index file of the folder once, counts its records in whatever form it is, and writes
`_COMPLETE.json` last and at one stroke: name, size, SHA-256 and records of every index file. The run
is taken only if what arrives agrees with that.

Exit codes: 0 sealed, 1 the folder cannot be sealed (one sentence on stderr says why), 2 bad use.
"""

from __future__ import annotations

import argparse
import codecs
import csv
import hashlib
import io
import json
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, Optional
from xml.parsers import expat

SEAL_NAME = "_COMPLETE.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")
"""What a domain and a run id may look like: they become parts of keys."""

ENDINGS = (
    ("_stddeliveryfile.xml", "native"),
    (".index.jsonl", "json"),
    (".index.csv", "csv"),
    (".index.psv", "psv"),
    (".index.xml", "xml"),
)
"""The index forms by the end of a file's name, each also with `.gz` after it."""

KEY_NAMES = (
    "customer_key", "CustomerKey", "CustomerId", "CustomerNumber", "CustomerNo", "CustomerRef", "CISNumber",
    "CIF", "CIFNumber", "ClientId", "ClientNumber", "PartyId", "MemberId", "ContactId", "AccountNumber",
)  # fmt: skip
"""Names that the customer's key is known by, the most trusted first; `--customer-key` adds one."""

TYPE_NAMES = ("document_type", "DocType", "DocumentClass", "DocumentCategory", "LetterType")
QUEUE_NAMES = ("queue_name", "Queue", "OutputQueue", "OutputQueueName")
"""Names of a document's type and queue: a customer of the native manifest with one type and at most
one queue is one document; what others come to depends on the rules."""

ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz")
_PIECE = 256 * 1024
_RECORD_CHARS = 1024 * 1024
_BOMB_FROM, _BOMB_RATIO = 16 * 1024 * 1024, 200
_XML_DEPTH = 64
_BLANK = " \t\r\n"


class SealError(Exception):
    """The folder, or one of its files, cannot be sealed; the text says why and what to do."""


class UnreadableError(Exception):
    """An index file cannot be read to its end; the text is the reason."""


class FileFacts(NamedTuple):
    """An index file as found. `records` None: not countable, `problem` says why.

    `records` of a native manifest are its entries, `customers` the customers whom they are of; `single` is
    whether each of them is certainly one document.
    """

    name: str
    form: str
    bytes: int
    sha256: str
    records: int | None
    customers: int | None = None
    single: bool = True
    problem: str = ""


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).lower()


def form_of(name: str) -> str | None:
    """The index form that a file's name tells, or None."""
    plain = name.lower()
    plain = plain[:-3] if plain.endswith(".gz") else plain
    return next((form for ending, form in ENDINGS if plain.endswith(ending)), None)


# --- from a file to text ------------------------------------------------------------------------


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The members of a gzip file (RFC 1952), one after another; zeros or an end-of-file mark may follow."""
    unpacker = zlib.decompressobj(wbits=31)
    taken = given = members = 0
    between = True  # outside of any member
    try:
        for data in pieces:
            taken += len(data)
            while not (between and (not data or (members and not data.strip(b"\0\x1a\r\n")))):
                out = unpacker.decompress(data, _PIECE)
                given += len(out)
                if given > _BOMB_FROM and given > taken * _BOMB_RATIO:
                    raise UnreadableError(f"it grows more than {_BOMB_RATIO} times when decompressed")
                if out:
                    yield out
                between = unpacker.eof
                if unpacker.eof:
                    data, members = unpacker.unused_data, members + 1
                    unpacker = zlib.decompressobj(wbits=31)
                    continue
                data = unpacker.unconsumed_tail
                if not data and not out:
                    break
    except zlib.error:
        raise UnreadableError("the gzip data is damaged") from None
    if not between:
        raise UnreadableError("the gzip data is cut off")


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _encoding(head: bytes, xml: bool, setting: str) -> tuple[str, int]:
    """Encoding and length of the byte-order mark: the mark, zero bytes, the XML declaration, the setting."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            if not name:
                raise UnreadableError("it is in UTF-32; write UTF-8 or UTF-16")
            return name, len(mark)
    start = head[:64]
    low, high = start[0::2].count(0), start[1::2].count(0)
    if max(low, high) * 4 > len(start) and not min(low, high):
        return ("utf-16-le" if high else "utf-16-be"), 0
    declared = _DECLARED.match(head) if xml else None
    if declared is None:
        return {"utf-16": "utf-16-le"}.get(setting, setting), 0
    try:
        name = codecs.lookup(declared[1].decode("ascii")).name
    except LookupError:
        raise UnreadableError("it declares an encoding that is not supported") from None
    return ("utf-8" if name.startswith("utf-16") else name), 0


def _windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that Windows-1252 leaves undefined are control characters (WHATWG Encoding)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("seal-windows-1252", _windows)

_END_MARK = "\x1a"
_END_CHARS = 64 * 1024


def _without_end_mark(pieces: Iterable[str]) -> Iterator[str]:
    """The text without the DOS end-of-file mark (0x1A) at its end, and what empty space is around it."""
    held = ""
    for piece in pieces:
        if not held and _END_MARK not in piece:
            yield piece
            continue
        text = held + piece
        mark = text.find(_END_MARK, len(text.rstrip(_END_MARK + _BLANK + "\0")))
        if mark < 0 or len(text) - mark > _END_CHARS:
            mark = len(text)
        held = text[mark:]
        if mark:
            yield text[:mark]


def _text(pieces: Iterable[bytes], xml: bool, setting: str) -> Iterator[str]:
    source = iter(pieces)
    head = b""
    for piece in source:
        head += piece
        if len(head) >= 1024:
            break
    if not head:
        raise UnreadableError("it is empty")
    name, mark = _encoding(head, xml, setting)
    errors = "strict"
    if codecs.lookup(name).name in ("iso8859-1", "cp1252"):
        # Windows sites call it Latin-1.
        name, errors = "cp1252", "seal-windows-1252"
    decoder = codecs.getincrementaldecoder(name)(errors)
    try:
        yield decoder.decode(head[mark:])
        for piece in source:
            yield decoder.decode(piece)
        if decoder.getstate()[0] != _END_MARK.encode():  # put behind UTF-16 as one byte
            yield decoder.decode(b"", True)
    except UnicodeDecodeError:
        hint = " (is it Latin-1? then say --encoding latin-1)" if name == "utf-8" else ""
        raise UnreadableError(f"it is not valid {name.upper()}{hint}") from None


# --- records of each form: (names, values), or None for one that will be rejected -----------------

Entry = Optional[tuple[Sequence[str], Sequence[Any]]]  # noqa: UP045 - made at run time, on Python 3.9 too
_SEPARATORS = re.compile(r"[ \t\r\n,]*")
_OBJECT_LINE = re.compile(r"\n[ \t]*\{")


def _no_number(name: str) -> Any:
    raise json.JSONDecodeError("not a number of JSON", name, 0)


class _Json:
    """Objects in lines, in an array, or one after another; a broken one ends before the next line's."""

    def __init__(self, text: Iterator[str]) -> None:
        self._pieces = text
        self._text = ""
        self._at = 0
        self._ended = False
        self._array = False
        self._decode = json.JSONDecoder(
            object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=_no_number
        ).raw_decode

    def __iter__(self) -> Iterator[Entry]:
        if not self._skip():
            raise UnreadableError("there is no record in it")
        self._array = self._text[self._at] == "["
        self._at += self._array
        if not self._array and self._text[self._at] != "{":
            raise UnreadableError("it is not JSON")
        while self._skip():
            if self._array and self._text[self._at] == "]":
                self._at += 1
                if self._skip():
                    raise UnreadableError("there is more after the end of the array")
                return
            yield self._next()
        if self._array:
            raise UnreadableError("the array is cut off")

    def _next(self) -> Entry:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except RecursionError:
                return self._pass_over()
            except ValueError as error:
                if not self._ended and len(self._text) - self._at <= _RECORD_CHARS:
                    self._more()
                    continue
                if self._cut_off(error):
                    long = len(self._text) - self._at > _RECORD_CHARS
                    raise UnreadableError(
                        "a record is too long" if long else "its last record is cut off"
                    ) from None
                return self._pass_over()
            if end == len(self._text) and not self._ended and not isinstance(value, tuple):
                self._more()  # a bare number may go on
                continue
            if end - self._at > _RECORD_CHARS:
                raise UnreadableError("a record is too long")
            self._at = end
            if not isinstance(value, tuple) or not value:
                return None
            names, values = zip(*value)  # noqa: B905 - pairs, and Python 3.9 has no strict
            return names, values

    def _cut_off(self, error: ValueError) -> bool:
        if str(error).startswith("Unterminated string"):
            return True
        own = isinstance(error, json.JSONDecodeError) and error.doc is self._text
        at = error.pos if isinstance(error, json.JSONDecodeError) and own else self._at
        text = self._text.rstrip(_BLANK)
        last = self._ended and not _OBJECT_LINE.search(text, self._at)
        return at >= len(text) or (last and not text.endswith(("}", "]")))

    def _pass_over(self) -> Entry:
        while True:
            found = _OBJECT_LINE.search(self._text, self._at)
            if found:
                self._at = found.start() + 1
                return None
            if self._ended and self._array:
                raise UnreadableError(
                    "it is not well-formed, and no further record begins on a line of its own"
                )
            if self._ended:
                self._at = len(self._text)
                return None
            if len(self._text) - self._at > _RECORD_CHARS:
                raise UnreadableError("it is not well-formed, and no record begins for a long stretch")
            self._more()

    def _skip(self) -> bool:
        while True:
            found = _SEPARATORS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._at < len(self._text)
            self._more()

    def _more(self) -> None:
        piece = next((p for p in self._pieces if p), "")
        self._text = self._text[self._at :] + piece
        self._at = 0
        self._ended = not piece


class RowRules(NamedTuple):
    """How a domain writes delimited rows (`multi_line_fields`, `trailer` in rules/domains.yaml)."""

    multi_line: bool = False
    trailer: str = ""


LINES = RowRules()
"""A line is a row."""

_BREAK = re.compile("\r\n|\n|\r")


def _may_be_rows(row: Sequence[str], separator: str, width: int) -> bool:
    """Whether a row of several lines may be several rows that a stray quote has joined."""
    last = width - 1
    if not last or len(row) != width:
        return True
    for at, field in enumerate(row):
        counts = [line.count(separator) for line in _BREAK.split(field)]
        if len(counts) == 1:
            continue
        opening, *between, closing = counts
        if (at < last and opening >= last - at) or (at and closing >= at) or max(between, default=0) >= last:
            return True
    return False


class _Delimited:
    """Rows below a header line; a row with misplaced quotes or another width is a record all the same.

    So is each line of a row that a quoted field has joined, as the staging refuses each of them. The trailer
    row is not.
    """

    def __init__(self, text: Iterator[str], separator: str, rules: RowRules) -> None:
        self._pieces = text
        self._separator = separator
        self._rules = rules
        self._block: Iterator[str] = iter(())
        self._rest = ""
        self._bare = False
        self._held: list[str] = []
        self._chars = 0
        self._rows = csv.reader(self._lines(), delimiter=separator, strict=True)

    def __iter__(self) -> Iterator[Entry]:
        names = self._header()
        waiting = False  # a row that begins as the trailer does: the trailer, if it is the last
        for entry, trailing in self._records(names):
            if waiting:
                yield None
            waiting = trailing
            if not trailing:
                yield entry

    def _header(self) -> list[str]:
        header: Sequence[str] = ()
        try:
            while not header:
                self._held.clear()
                header = next(self._rows)
        except (StopIteration, csv.Error):
            header = ()
        if not header or len(self._held) > 1:
            raise UnreadableError("it has no usable header line")
        names = [name.strip() for name in header]
        while names and not names[-1]:
            names.pop()
        return names

    def _records(self, names: Sequence[str]) -> Iterator[tuple[Entry, bool]]:
        """Each record, and whether it begins as the trailer does."""
        width, held = len(names), self._held
        while True:
            held.clear()
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                alone = len(held) == 1 and "field larger" in str(error)
                yield from [(None, False)] * (1 if alone else self._lines_held())
                if "unexpected end of data" in str(error):
                    self._rows = csv.reader(self._lines(), delimiter=self._separator, strict=True)
                continue
            if (len(held) != 1 or self._bare) and self._is_joined(row, width):
                yield from [(None, False)] * self._lines_held()
            elif self._rules.trailer and row and row[0].lstrip().startswith(self._rules.trailer):
                yield None, True
            elif not held[0].strip() and len(held) == 1 and (width == 1 or len(row) != width):
                continue
            elif len(row) == width or (len(row) > width and not any(row[width:])):
                yield (names, row[:width]), False
            else:
                yield None, False

    def _lines_held(self) -> int:
        """The lines of the record that are not empty; a CR alone ends a line, too."""
        return sum(bool(part.strip()) for line in self._held for part in _BREAK.split(line))

    def _is_joined(self, row: Sequence[str], width: int) -> bool:
        if len(self._held) == 1 and not any("\r" in field for field in row):
            return False
        while len(row) > width and not row[-1]:
            row = row[:-1]
        return not self._rules.multi_line or _may_be_rows(row, self._separator, width)

    def _lines(self) -> Iterator[str]:
        held = self._held
        while True:
            for line in self._block:
                if held:
                    self._chars = (self._chars if len(held) > 1 else len(held[0])) + len(line)
                    if self._chars > _RECORD_CHARS:
                        self._block = chain((line,), self._block)
                        return
                self._bound(len(line))
                held.append(line)
                yield line
            if not self._fill():
                return

    def _fill(self) -> bool:
        for piece in self._pieces:
            cut = piece.rfind("\n") + 1
            if cut:
                self._take(self._rest + piece[:cut])
                self._rest = piece[cut:]
                return True
            self._rest += piece
            self._bound(len(self._rest))
        rest, self._rest = self._rest, ""
        self._take(rest)
        return bool(rest)

    def _take(self, text: str) -> None:
        self._block = io.StringIO(text, newline="\n")
        self._bare = "\r" in text and text.count("\r") != text.count("\r\n")

    @staticmethod
    def _bound(length: int) -> None:
        if length > _RECORD_CHARS:
            raise UnreadableError(f"a line has more than {_RECORD_CHARS} characters")


class _Element:
    """An element that is open: names and values of its children, None as soon as it has any text."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.names = list(attributes)
        self.values = list(attributes.values())
        self.text: list[str] | None = []
        self.deep = False


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


class _Xml:
    """Elements of one level: that of the first element with a customer's key in it."""

    _WAITING = 100

    def __init__(self, text: Iterator[str], is_key: Any) -> None:
        self._text = text
        self._is_key = is_key
        self._stack: list[_Element] = []
        self._level: int | None = None
        self._waiting: list[tuple[int, Entry]] = []
        self._tag = ""
        self._done: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        for _ in _parsed(self._text, self):
            yield from self._done
            self._done.clear()
        if self._level is None and self._waiting:
            self._settle(self._waiting[-1][0])
        yield from self._done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._stack:
            self._stack[-1].text = None
            if len(self._stack) > 1:
                self._stack[-2].deep = True
        own = {_local(k): v for k, v in attributes.items() if not k.startswith("xmlns")}
        self._stack.append(_Element(tag, own))

    def text(self, data: str) -> None:
        held = self._stack[-1].text
        if held is not None:
            held.append(data)

    def end(self, tag: str) -> None:
        element = self._stack.pop()
        depth = len(self._stack)
        if (self._level is None or depth > self._level) and self._stack and element.text is not None:
            self._stack[-1].names.append(element.attributes.get("name") or _local(element.tag))
            self._stack[-1].values.append("".join(element.text))
        if self._level is None:
            self._look(element, depth)
        elif depth == self._level and (
            element.text is None or element.attributes or element.tag == self._tag
        ):
            self._tag = self._tag or element.tag
            plain = not element.deep and not (element.text is not None and not element.attributes)
            self._done.append((element.names, element.values) if plain else None)

    def _look(self, element: _Element, depth: int) -> None:
        if element.deep or (element.text is not None and not element.attributes):
            return
        self._waiting.append((depth, (element.names, element.values)))
        if any(map(self._is_key, element.names)) or len(self._waiting) > self._WAITING:
            self._tag = element.tag
            self._settle(depth)

    def _settle(self, level: int) -> None:
        self._level = level
        self._done += [entry for depth, entry in self._waiting if depth == level]
        self._waiting.clear()


class _Native:
    """Customers of the native manifest; `processed` is what the manifest itself says there are.

    An entry is a `customer` with `key` elements, or a `customer` or `recipient` with attributes and plain
    children. `repeats`: one within a queue or a file, or a recipient, of a customer who had one before.
    """

    _TYPES = frozenset(map(_squeezed, TYPE_NAMES))
    _QUEUE_KEYS = frozenset(map(_squeezed, QUEUE_NAMES))
    _ENTRIES, _AROUND = ("customer", "recipient"), ("queue", "outputqueue", "file", "outputfile")
    _PASSED_OVER = ("name", "queue", "queues", "file", "files", "key", "keys")

    def __init__(self, text: Iterator[str], is_key: Any) -> None:
        self._text = text
        self._is_key = is_key
        self._tags: list[str] = []
        self._open: int | None = None
        self._around = 0
        self._queues = 0
        self._keys: list[tuple[str, str]] = []
        self._plain: list[tuple[str, str]] = []
        self._key = ""
        self._said: list[str] | None = None
        self._seen: set[int] = set()
        self._done = 0
        self._lists = self._read = False
        self._processed: dict[str, int] = {}
        self.repeats = 0
        self.single = True

    def __iter__(self) -> Iterator[Entry]:
        for _ in _parsed(self._text, self):
            for _ in range(self._done):
                yield (), ()
            self._done = 0
        if not (self._lists or self._read or self._processed):
            raise UnreadableError("it has no outputList: it is not a delivery manifest")

    @property
    def processed(self) -> int | None:
        if "outputlist" in self._processed:
            return self._processed["outputlist"]
        return next(iter(self._processed.values()), None)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = _local(tag).lower()
        own = {_local(name): value for name, value in attributes.items()}
        self._said = [] if self._open is not None or kind == "customersprocessed" else None
        if self._open is None:
            self._lists = self._lists or kind == "outputlist"
            for name, value in own.items():
                if name.lower() == "customersprocessed":
                    self._processed[kind] = self._processed.get(kind, 0) + self._number(value)
            if kind in self._ENTRIES:
                self._open, self._queues, self._keys, self._plain = len(self._tags), 0, [], []
                self._add_plain(own)
            self._around += kind in self._AROUND
        elif kind == "key":
            self._key = own.get("name", "")
            # A queue named by a key can be another one than `queueName`: then it is not certain.
            self._queues += 2 if _squeezed(self._key) in self._QUEUE_KEYS else 0
        elif kind in self._ENTRIES:
            self._add_plain(own)
        else:
            self._queues += kind == "queuename"
        self._tags.append(kind)

    @staticmethod
    def _number(text: str) -> int:
        text = text.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise UnreadableError("its customersProcessed is not a number")
        return int(text)

    def _add_plain(self, fields: dict[str, str]) -> None:
        for name, value in fields.items():
            if name.lower() not in self._PASSED_OVER and not name.startswith("xml"):
                self._plain.append(("CustomerNumber" if name.lower() == "number" else name, value))

    def text(self, data: str) -> None:
        if self._said is not None and (self._open is not None or len(self._said) < 100):
            self._said.append(data)

    def end(self, tag: str) -> None:
        kind = self._tags.pop()
        said = None if self._said is None else "".join(self._said)
        self._said = None
        if self._open is None:
            self._around -= kind in self._AROUND
            if kind == "customersprocessed" and said and said.strip():
                self._processed.setdefault("", self._number(said))
        elif len(self._tags) == self._open:
            self._open, self._read = None, True
            self._done += 1
            self._close(kind)
        elif said is not None:
            if kind == "key" and self._key:
                self._keys.append((self._key, said))
            elif kind not in (*self._AROUND, *self._PASSED_OVER, "queuename", "filename") and said.strip():
                self._add_plain({_local(tag): said})

    def _close(self, kind: str) -> None:
        typed = any(_squeezed(name) in self._TYPES and value.strip() for name, value in self._keys)
        self.single = self.single and typed and self._queues <= 1 and not self._around and kind == "customer"
        if not self._around and kind == "customer":
            return
        pairs = self._keys or self._plain
        if not self._keys and any(name != "CustomerNumber" and self._is_key(name) for name, _ in pairs):
            pairs = [pair for pair in pairs if pair[0] != "CustomerNumber"]
        key = next((value.strip() for name, value in pairs if self._is_key(name)), "")
        if key:
            self.repeats += hash(key) in self._seen
            self._seen.add(hash(key))


def _parsed(text: Iterator[str], collector: Any) -> Iterator[None]:
    """Feed expat piece by piece; nothing that could expand or be fetched is let in."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _XML_DEPTH:
            raise UnreadableError(f"more than {_XML_DEPTH} elements lie within one another")
        collector.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        collector.end(tag)

    def refuse(*_: Any) -> Any:
        raise UnreadableError("it has a document type declaration or an entity")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.SkippedEntityHandler = refuse
    final = False
    try:
        for piece in text:
            parser.Parse(piece.encode(), False)
            yield
        final = True
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = "the XML is cut off" if final else f"not well-formed XML: {expat.ErrorString(error.code)}"
        raise UnreadableError(f"{reason} (line {error.lineno})") from None
    yield


# --- one file -------------------------------------------------------------------------------------


class _Customers:
    """Counts different customers by their key; a record without one counts by itself."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [_squeezed(name) for name in names]
        self._places: dict[tuple[str, ...], int | None] = {}
        self._seen: set[int] = set()
        self._nameless = 0

    def is_key(self, name: str) -> bool:
        """Whether a name can be the key: `AccountNumber` can, `account_number` is the account's."""
        squeezed = _squeezed(name)
        if squeezed == "accountnumber" and len(name.strip()) > len(squeezed):
            return False
        return squeezed in self._names

    def add(self, entry: Entry) -> None:
        """One record's customer."""
        key = self._key(entry) if entry else None
        if key:
            self._seen.add(hash(key))
        else:
            self._nameless += 1

    def _key(self, entry: tuple[Sequence[str], Sequence[Any]]) -> str | None:
        names = tuple(entry[0])
        if names not in self._places:
            if len(self._places) > 1000:
                self._places.clear()
            ranked = [(self._names.index(_squeezed(n)), at) for at, n in enumerate(names) if self.is_key(n)]
            self._places[names] = min(ranked)[1] if ranked else None
        place = self._places[names]
        value = entry[1][place] if place is not None else None
        return value.strip() if isinstance(value, str) else None

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self._seen) + self._nameless


class _Reading:
    """Bytes of a file as they are read: counted and hashed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.bytes = 0

    def pieces(self) -> Iterator[bytes]:
        """What is left of the file."""
        while True:
            piece = self._stream.read(_PIECE)
            if not piece:
                return
            self._hash.update(piece)
            self.bytes += len(piece)
            yield piece

    @property
    def sha256(self) -> str:
        """Of what was read."""
        return self._hash.hexdigest()


def examine(
    path: Path,
    name: str,
    *,
    encoding: str = "utf-8",
    key_names: Sequence[str] = (),
    customers: _Customers | None = None,
    rows: RowRules = LINES,
) -> FileFacts:
    """Read one index file to its end. `customers` gathers different customers over several files."""
    form = form_of(name) or ""
    tracker = customers or _Customers([*key_names, *KEY_NAMES])
    records, problem, single = 0, "", True
    native: int | None = None
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        reading = _Reading(stream)
        try:
            reader = _reader(form, reading.pieces(), name, encoding, tracker, rows)
            for entry in reader:
                records += 1
                if customers is not None and form != "native":
                    customers.add(entry)
            if isinstance(reader, _Native):
                single, native = reader.single, records - reader.repeats
                if reader.processed is not None and reader.processed != native:
                    raise UnreadableError(
                        f"it says {reader.processed} customers and holds {native}: "
                        "it is cut off or still being written"
                    )
        except UnreadableError as unreadable:
            problem = str(unreadable)
            for _ in reading.pieces():
                pass
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        problem = "it is still being written"
    return FileFacts(
        name, form, reading.bytes, reading.sha256, None if problem else records, native, single, problem
    )


def _reader(
    form: str, pieces: Iterator[bytes], name: str, encoding: str, customers: _Customers, rows: RowRules
) -> Iterable[Entry]:
    first = next(pieces, b"")
    if not first:
        raise UnreadableError("it is empty")
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise UnreadableError("it is a zip archive; deliver the index itself, or gzip it")
    packed = name.lower().endswith(".gz")
    if first.startswith(b"\x1f\x8b") and not packed:
        raise UnreadableError("it is gzip data, but its name does not end in .gz")

    def stored() -> Iterator[bytes]:
        yield first
        yield from pieces

    decoded = _text(_unpacked(stored()) if packed else stored(), form in ("xml", "native"), encoding)
    text = _without_end_mark(decoded)
    if form == "json":
        return _Json(text)
    if form == "native":
        return _Native(text, customers.is_key)
    if form == "xml":
        return _Xml(text, customers.is_key)
    return _Delimited(text, "," if form == "csv" else "|", rows)


# --- the folder -----------------------------------------------------------------------------------


def find_indexes(folder: Path) -> list[str]:
    """Names of the index files, which lie in the folder itself."""
    return sorted(p.name for p in folder.iterdir() if form_of(p.name) and p.is_file() and p.name[0] != ".")


def seal_folder(
    folder: Path,
    *,
    domain: str,
    run_id: str,
    app: str = "",
    started_at: str = "",
    ended_at: str = "",
    exit_status: int = 0,
    rerun_of: str = "",
    errors: int | None = None,
    documents: int | None = None,
    customers_expected: int | None = None,
    customers_processed: int | None = None,
    encoding: str = "utf-8",
    key_names: Sequence[str] = (),
    rows: RowRules = LINES,
    strict: bool = True,
) -> tuple[dict[str, Any], list[str]]:
    """The seal of a folder, and what is wrong with its files, a sentence each.

    Raises SealError where there is nothing to seal and, if `strict`, where anything is wrong; else
    files that cannot be counted are listed without `records`, for whoever takes the run to judge.
    """
    for what, value in (("domain", domain), ("run id", run_id)):
        if not NAME.fullmatch(value):
            raise SealError(
                f"{value!r} cannot be a {what}: letters, digits, '.', '_', '=' and '-', at most 128, "
                "the first a letter or digit"
            )
    names = find_indexes(folder)
    problems = _archives(folder, names)
    others = [] if names else _others(folder)
    if not names and (strict or not others):
        raise SealError(problems[0] if problems else _NO_INDEX.format(folder=folder))
    count_customers = customers_expected is not None and customers_processed is None
    tracker = _Customers([*key_names, *KEY_NAMES]) if count_customers else None
    facts = [
        examine(folder / name, name, encoding=encoding, key_names=key_names, customers=tracker, rows=rows)
        for name in names
    ]
    problems += [f"{fact.name}: {fact.problem}" for fact in facts if fact.problem]
    if strict and problems:
        raise SealError(problems[0])

    own = [fact for fact in facts if fact.form != "native"] or facts
    if documents is None and all(f.records is not None and f.single for f in own):
        documents = sum(f.records or 0 for f in own)
    if customers_processed is None:
        native = [fact.customers for fact in facts if fact.customers is not None]
        customers_processed = sum(native) if native else tracker.count if tracker else None
    if errors is None:
        errors = max(0, (customers_expected or 0) - (customers_processed or 0)) if customers_expected else 0
    times = sorted((folder / name).stat().st_mtime for name in [*names, *others])
    totals = {
        "customers_expected": customers_expected,
        "customers_processed": customers_processed,
        "documents": documents if facts else None,
    }
    seal = {
        "schema_version": "1",
        "run_id": run_id,
        "domain": domain,
        "app": app,
        "started_at": started_at or _iso(times[0]),
        "ended_at": ended_at or _iso(times[-1]),
        "exit_status": exit_status,
        **{name: value for name, value in totals.items() if value is not None},
        "errors": errors,
        **({"rerun_of": rerun_of} if rerun_of else {}),
        "files": [_listed(fact) for fact in facts] or [_hashed(folder, name) for name in others],
    }
    return seal, problems


_NO_INDEX = (
    "{folder} holds no index file: name it *.index.jsonl, *.index.csv, *.index.psv or *.index.xml "
    "(each also .gz), or _STDDELIVERYFILE.xml"
)


def _archives(folder: Path, names: Sequence[str]) -> list[str]:
    """Archives that stand where an index should: no form of the drop."""
    found = sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(ARCHIVES) and p.is_file())
    if names:
        found = [name for name in found if form_of(name.rpartition(".")[0])]
    return [f"{name}: an archive is no index form; drop its files themselves, or gzip each" for name in found]


def _others(folder: Path) -> list[str]:
    return sorted(
        p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and p.name != SEAL_NAME
    )[:1000]


def _listed(fact: FileFacts) -> dict[str, Any]:
    row: dict[str, Any] = {"name": fact.name, "bytes": fact.bytes, "sha256": fact.sha256}
    if fact.records is not None:
        row["records"] = fact.records
    return row


def _hashed(folder: Path, name: str) -> dict[str, Any]:
    with (folder / name).open("rb") as stream:
        reading = _Reading(stream)
        for _ in reading.pieces():
            pass
    return {"name": name, "bytes": reading.bytes, "sha256": reading.sha256}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: UP017


def write_seal(folder: Path, seal: dict[str, Any]) -> Path:
    """Write `_COMPLETE.json` at one stroke: whoever sees it sees all of it."""
    target = folder / SEAL_NAME
    draft = folder / f".{SEAL_NAME}.{os.getpid()}"
    try:
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(seal, stream, indent=1, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, target)  # noqa: PTH105 - one call on every Python from 3.9
    finally:
        if draft.exists():
            draft.unlink()
    return target


def earlier_seal(folder: Path) -> dict[str, Any]:
    """What a seal that is already there says; empty if there is none that can be read."""
    try:
        found = json.loads((folder / SEAL_NAME).read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def default_names(folder: Path) -> tuple[str, str]:
    """Domain and run id where nobody says them: from `drop/<domain>/<run id>`, else the folder's name."""
    whole = folder.resolve()
    domain = whole.parent.name if whole.parent.parent.name == "drop" else "default"
    return domain, whole.name


# --- the command ----------------------------------------------------------------------------------


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}: see {self.prog} --help\n")


def _parser(prog: str | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Seal a folder of Exstream output: write _COMPLETE.json, which says what the run holds.",
        epilog="Copy _COMPLETE.json to the drop bucket last: its arrival starts the run.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the run's folder")
    add = parser.add_argument
    add("--domain", help="business domain; default: of drop/<domain>/<run id>, else 'default'")
    add("--run-id", help="default: the folder's name")
    add("--app", help="the Exstream application")
    add("--started-at", default="", metavar="TIME", help="default: the oldest index file's time")
    add("--ended-at", default="", metavar="TIME", help="default: the newest index file's time")
    add("--rerun-of", default="", metavar="RUN", help="the run whose customers this one composes again")
    add("--exit-status", type=int, default=0, metavar="N", help="the engine's exit status (0)")
    add("--errors", type=_count, metavar="N", help="errors of the run summary")
    add("--documents", type=_count, metavar="N", help="documents composed; default: as counted")
    add("--customers-expected", type=_count, metavar="N", help="customers that were given to the composer")
    add("--customers-processed", type=_count, metavar="N", help="customers composed; default: as counted")
    add("--customer-key", action="append", default=[], metavar="NAME", help="the site's name of the key")
    add("--multi-line-fields", action="store_true", help="the domain allows quoted fields of several lines")
    add("--trailer", default="", metavar="TEXT", help="what the last row begins with, if it is no record")
    add("--encoding", default="utf-8", help="of files that do not show theirs, for example latin-1")
    return parser


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """The command; its exit code."""
    parser = _parser(prog)
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is not a folder")
    try:
        codecs.lookup(given.encoding)
    except LookupError:
        parser.error(f"{given.encoding!r} is not an encoding")
    earlier = earlier_seal(given.folder)
    domain, run_id = default_names(given.folder)
    try:
        seal, _ = seal_folder(
            given.folder,
            domain=given.domain or str(earlier.get("domain") or domain),
            run_id=given.run_id or str(earlier.get("run_id") or run_id),
            app=given.app if given.app is not None else str(earlier.get("app") or ""),
            started_at=given.started_at,
            ended_at=given.ended_at,
            exit_status=given.exit_status,
            rerun_of=given.rerun_of,
            errors=given.errors,
            documents=given.documents,
            customers_expected=given.customers_expected,
            customers_processed=given.customers_processed,
            encoding=codecs.lookup(given.encoding).name,
            key_names=given.customer_key,
            rows=RowRules(given.multi_line_fields, given.trailer),
        )
        path = write_seal(given.folder, seal)
    except SealError as refused:
        print(f"not sealed: {refused}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"not sealed: {error.filename or given.folder}: {error.strerror}", file=sys.stderr)
        return 1
    files = ", ".join(f"{row['name']} ({row['records']})" for row in seal["files"])
    print(f"sealed {seal['domain']}/{seal['run_id']}: {files}; wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
