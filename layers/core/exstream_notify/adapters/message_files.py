"""Message files, exception rows and run summaries, as streams: whatever their size, memory stays flat."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO
from xml.parsers import expat

from ..domain.composer_messages import (
    CODE,
    ComposerMessage,
    Group,
    Grouped,
    RunSummary,
    parse_line,
    read_lines,
)
from ..domain.exceptions import Unusable
from .alert_rules import MessageRules
from .index.faults import IndexUnreadable
from .index.source import WINDOWS, TextSource

LINE_CHARS = 64 * 1024
"""What is looked at of one line; the rest of it is passed over."""

_DEPTH = 64
_QUOTED_LINES = 20
"""Lines that one quoted cell may go over."""
_FIELDS = 40
_VALUE_CHARS = 2000


class MessageFiles:
    """`MessageFiles` by the site's rules."""

    def __init__(self, rules: MessageRules) -> None:
        self._rules = rules

    def kind(self, name: str) -> str | None:
        """See `MessageFiles.kind`."""
        return self._rules.kind(name)

    def read(self, stream: BinaryIO, name: str, kind: str, grouped: Grouped) -> Iterator[Group]:
        """See `MessageFiles.read`."""
        try:
            if kind == "xml_messages":
                yield from _read_xml(self._pieces(stream, name, xml=True), name, grouped)
            elif kind == "exceptions":
                yield from self._read_rows(_lines(self._pieces(stream, name)), name, grouped)
            else:
                yield from read_lines(_lines(self._pieces(stream, name)), grouped)
        except IndexUnreadable as unreadable:
            # An empty message file says that there is nothing to say.
            if "empty" not in unreadable.reason:
                raise Unusable("messages_unreadable", unreadable.place, unreadable.reason) from unreadable

    def summary(self, stream: BinaryIO, name: str) -> RunSummary | None:
        """See `MessageFiles.summary`."""
        found: dict[str, int] = {}
        words = {alias: key for key, names in self._rules.summary_keys.items() for alias in names}
        try:
            for number, line in enumerate(_lines(self._pieces(stream, name))):
                if number >= 1000:
                    break
                for alias, value in re.findall(
                    r"([A-Za-z_]+(?: status| code)?)\s*[=:]\s*(-?\d{1,9})\b", line
                ):
                    key = words.get(alias.strip().lower().replace(" ", "_"))
                    if key is not None:
                        found[key] = int(value)
        except IndexUnreadable:
            return None
        return RunSummary(**found) if found else None

    def _pieces(self, stream: BinaryIO, name: str, *, xml: bool = False) -> TextSource:
        return TextSource(
            stream,
            name,
            compressed=name.lower().endswith(".gz"),
            xml=xml,
            encoding=self._rules.encoding,
            errors="strict" if self._rules.encoding else WINDOWS,
        )

    def _read_rows(self, lines: Iterator[str], name: str, grouped: Grouped) -> Iterator[Group]:
        """Exception rows: the code is the row's rule, or its queue where it names none."""
        head = next(lines, "")
        delimiter = "|" if name.lower().removesuffix(".gz").endswith(".psv") else _delimiter(head)
        names = next(csv.reader([head], delimiter=delimiter), [])
        columns = self._columns(names)
        if not {"rule", "queue"} & set(columns):
            raise Unusable("messages_unreadable", f"{name}, line 1", "no column names a rule or a queue")
        for number, row in _rows(lines, delimiter, len(names)):
            if not any(cell.strip() for cell in row):
                continue
            message, queue = self._message(row, columns)
            if message is None:
                grouped.is_unmatched(number)
                continue
            fresh = grouped.add(message, queue)
            if fresh is not None:
                yield fresh

    def _columns(self, names: list[str]) -> dict[str, int]:
        squeezed = {_squeezed(name): at for at, name in reversed(list(enumerate(names)))}
        found = {}
        for field, aliases in self._rules.columns.items():
            for alias in aliases:
                if _squeezed(alias) in squeezed:
                    found[field] = squeezed[_squeezed(alias)]
                    break
        return found

    def _message(self, row: list[str], columns: Mapping[str, int]) -> tuple[ComposerMessage | None, str]:
        def cell(field: str) -> str:
            at = columns.get(field, -1)
            return row[at].strip() if 0 <= at < len(row) else ""

        code, queue = _code(cell("rule")), _code(cell("queue"))
        if not (code or queue):
            return None, ""
        customer = cell("customer")
        severity = self._rules.severities.get(cell("severity").lower())
        return (
            ComposerMessage(
                code or queue,
                cell("text"),
                customer=int(customer) if customer.isascii() and customer.isdigit() else None,
                severity=severity or (None if CODE.fullmatch(code) else "error"),
            ),
            queue,
        )


def _rows(lines: Iterator[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Rows below the heading with the number of their first line.

    A quoted cell may go on over lines (RFC 4180). A quote that none of `_QUOTED_LINES` closes so that the
    row has `width` cells is a character like any other: it swallows no row behind it.
    """
    ahead: deque[str] = deque()
    number = 1
    while ahead or (ahead := deque(islice(lines, 1))):
        number += 1
        first = ahead.popleft()
        if '"' not in first:
            yield number, first.split(delimiter)
            continue
        held = [first]
        while (row := _parsed(held, delimiter, width)) is None and len(held) < _QUOTED_LINES:
            following = ahead.popleft() if ahead else next(lines, None)
            if following is None:
                break
            held.append(following)
        if row is None:
            ahead.extendleft(reversed(held[1:]))
            yield number, first.split(delimiter)
        else:
            yield number, row
            number += len(held) - 1


def _parsed(held: list[str], delimiter: str, width: int) -> list[str] | None:
    """These lines as one row; None while a quote is open, and for several that make no whole row."""
    try:
        row = next(csv.reader(("\n".join(held),), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return row if len(held) == 1 or len(row) == width else None


def _code(text: str) -> str:
    """A rule's or a queue's name: what might be something else is cut down to what a name may have."""
    return "".join(c for c in text[:60] if c.isalnum() or c in "_-.") if re.search(r"[A-Za-z]", text) else ""


def _delimiter(head: str) -> str:
    return max("|,;\t", key=head.count)


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).lower()


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines, ended by LF, CR LF or, where there is no LF, CR; of a long one only its beginning."""
    rest = ""
    cut = False
    ending = ""
    for piece in pieces:
        text = rest + piece
        if not ending:
            ending = "\r" if "\n" not in text and "\r" in text.rstrip("\r") else "\n"
        *whole, rest = text.split(ending)
        for line in whole:
            if cut:
                cut = False
                continue
            yield line[:LINE_CHARS].rstrip("\r")
        if len(rest) > LINE_CHARS:
            if not cut:
                yield rest[:LINE_CHARS]
            rest, cut = "", True
    if rest and not cut:
        yield rest.rstrip("\r")


class _Frame:
    """An element that is open: its fields so far, its own text."""

    __slots__ = ("chars", "fields", "parts", "tag")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag.rpartition(":")[2].lower()
        self.fields = [(name.rpartition(":")[2].lower(), value) for name, value in attributes.items()]
        self.parts: list[str] = []
        self.chars = 0


def _read_xml(pieces: Iterable[str], name: str, grouped: Grouped) -> Iterator[Group]:
    """The XML form (its layout is not public): an element is a message if an attribute or a child of it
    is a code, or if its text begins as a message line does."""
    stack: list[_Frame] = []
    fresh: list[Group] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) >= _DEPTH:
            raise Unusable("messages_unreadable", name, f"more than {_DEPTH} elements within one another")
        stack.append(_Frame(tag, attributes))

    def text(data: str) -> None:
        if stack and stack[-1].chars < _VALUE_CHARS:
            stack[-1].parts.append(data)
            stack[-1].chars += len(data)

    def end(tag: str) -> None:
        frame = stack.pop()
        own = "".join(frame.parts).strip()[:_VALUE_CHARS]
        message = _of_element(frame, own)
        if message is not None:
            group = grouped.add(message)
            if group is not None:
                fresh.append(group)
        elif stack and len(stack[-1].fields) < _FIELDS:
            if own:
                stack[-1].fields.append((frame.tag, own))
            # What stands in a child's attributes belongs to its parent where the child is no message.
            stack[-1].fields += frame.fields[: _FIELDS - len(stack[-1].fields)]

    def refuse(*_: Any) -> Any:
        raise Unusable("messages_unreadable", name, "a document type declaration or an entity: refused")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        for piece in pieces:
            parser.Parse(piece.encode("utf-8", "replace"), False)
            yield from fresh
            fresh.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        yield from fresh
        # What was read of it counts; that it ends there is told.
        raise Unusable(
            "messages_unreadable", f"{name}, line {error.lineno}", "not well-formed from there on"
        ) from None
    yield from fresh


def _of_element(frame: _Frame, own: str) -> ComposerMessage | None:
    codes = [value.strip() for _, value in frame.fields if CODE.fullmatch(value.strip())]
    if not codes:
        return parse_line(own) if own and not CODE.fullmatch(own) else None
    customer = next(
        (int(v) for n, v in frame.fields if ("customer" in n or n in ("seq", "sequence")) and _is_number(v)),
        None,
    )
    words = [v for n, v in frame.fields if n in ("text", "message", "description", "msg", "value")]
    at = next((v for n, v in frame.fields if n in ("time", "timestamp", "date", "datetime", "at")), "")
    said = own or next(iter(words), "")
    return ComposerMessage(codes[0], said, at[:40], customer)


def _is_number(value: str) -> bool:
    value = value.strip()
    return value.isascii() and value.isdigit() and len(value) < 10
