"""Message files, exception rows and run summaries, as streams: whatever their size, memory stays flat."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
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
OTHER_DELIVERY = "delivery_failed"
"""The code of a delivery whose status is none of the rules': it is not known to have succeeded."""

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
            elif kind in ("exceptions", "deliveries"):
                yield from self._read_rows(_lines(self._pieces(stream, name)), name, kind, grouped)
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

    def _read_rows(self, lines: Iterator[str], name: str, kind: str, grouped: Grouped) -> Iterator[Group]:
        """Exception rows: the code is the row's rule, or its queue where it names none. Rows of deliveries:
        those that did not succeed, by their status and method."""
        head = next(lines, "")
        delimiter = "|" if name.lower().removesuffix(".gz").endswith(".psv") else _delimiter(head)
        names = next(csv.reader([head], delimiter=delimiter), [])
        columns = self._columns(names)
        if kind == "deliveries" and "status" not in columns:
            raise Unusable("messages_unreadable", f"{name}, line 1", "no column names a status")
        if kind == "exceptions" and not {"rule", "queue"} & set(columns):
            raise Unusable("messages_unreadable", f"{name}, line 1", "no column names a rule or a queue")
        for number, line in enumerate(lines, 2):
            row = _cells(line, delimiter)
            if row is None:
                # A quote that is not closed may swallow what follows: each line is a row by itself.
                grouped.is_open(number)
                row = line.split(delimiter)
            if not any(cell.strip() for cell in row):
                continue
            cells, differ = self._values(row, columns)
            if differ:
                grouped.is_disputed(number)
            message, queue = self._message(kind, cells)
            if message is None:
                if kind == "exceptions" or not self._succeeded(cells):
                    grouped.is_unmatched(number)
                continue
            fresh = grouped.add(message, queue)
            if fresh is not None:
                yield fresh

    def _columns(self, names: list[str]) -> dict[str, list[int]]:
        """Where each field's columns are, the most trusted first."""
        found: dict[str, list[int]] = {}
        for field, aliases in self._rules.columns.items():
            ranks = {_squeezed(alias): rank for rank, alias in reversed(list(enumerate(aliases)))}
            own = [(ranks[_squeezed(name)], at) for at, name in enumerate(names) if _squeezed(name) in ranks]
            if own:
                found[field] = [at for _, at in sorted(own)]
        return found

    def _values(self, row: list[str], columns: Mapping[str, list[int]]) -> tuple[dict[str, str], bool]:
        """The row's values by field, and whether two columns of a field differ: its customer is then none."""
        cells: dict[str, str] = {}
        differ = False
        for field, places in columns.items():
            said = [text for at in places if at < len(row) and (text := row[at].strip())]
            cells[field] = said[0] if said else ""
            if field != "text" and len(set(said)) > 1:
                differ = True
                if field == "customer":
                    cells[field] = ""
        return cells, differ

    def _message(self, kind: str, cells: Mapping[str, str]) -> tuple[ComposerMessage | None, str]:
        """The exception that a row is, with its queue; None for a row that is none."""
        number = cells.get("customer", "")
        customer = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        if kind == "deliveries":
            status = cells.get("status", "")
            if not status or self._succeeded(cells):
                return None, ""
            code = self._rules.delivery_codes.get(status.lower(), OTHER_DELIVERY)
            said = f"{cells.get('method', '')} {cells.get('text', '')}".strip()
            return ComposerMessage(code, said, customer=customer), ""
        code, queue = _code(cells.get("rule", "")), _code(cells.get("queue", ""))
        if not (code or queue):
            return None, ""
        severity = self._rules.severities.get(cells.get("severity", "").lower())
        severity = severity or (None if CODE.fullmatch(code) else "error")
        return ComposerMessage(
            code or queue, cells.get("text", ""), customer=customer, severity=severity
        ), queue

    def _succeeded(self, cells: Mapping[str, str]) -> bool:
        return cells.get("status", "").lower() in self._rules.delivered


def _cells(line: str, delimiter: str) -> list[str] | None:
    """A line as a row; None where a quoted cell is not closed. Misplaced quotes are characters."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else line.split(delimiter)


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
