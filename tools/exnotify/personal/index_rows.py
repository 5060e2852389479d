"""One customer's rows in an index file: found by the reader that staged them, and blanked in place.

A blanked row keeps the customer's key and the document's id and type, under the site's own names, so that
every row behind it keeps its number. The file keeps its form, encoding, line ends and compression.
"""

import codecs
import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import chain
from typing import IO, Any, BinaryIO, cast

from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.adapters.index.faults import Fault, RecordRefused
from exstream_notify.adapters.index.reading import Entry, FileForm, form_of
from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.index.source import TextSource
from exstream_notify.adapters.index.staging import reader_of
from exstream_notify.domain.erased import ERASED, Person
from exstream_notify.domain.runs import DomainRule
from exstream_notify.domain.values import ValueRefused, plain_key

_QUEUE = "queue_name"
_KEPT = frozenset({"customer_key", "recipient", "document_id", "document_type"})
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the customer as it stands in the file, what takes its place, and what it says."""

    raw: str
    blank: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class IndexFile:
    """One index of a run: `open` gives its stored bytes from the beginning, each time anew."""

    name: str
    open: Callable[[], BinaryIO]
    schema: RecordSchema
    rule: DomainRule

    @property
    def form(self) -> FileForm:
        """What its name tells; ValueError if it is not an index's."""
        found = form_of(self.name)
        if found is None:
            raise ValueError(f"{self.name} is not the name of an index")
        return found

    def text(self) -> TextSource:
        """Its text, to be read once."""
        form = self.form
        return TextSource(
            self.open(),
            self.name,
            compressed=form.compressed,
            xml=form.form in ("xml", "native"),
            encoding=self.rule.encoding,
        )

    def names(self, person: Person) -> bool:
        """Whether its text has anything of this customer in it; quick, and never wrongly no."""
        return any_of(person.hints(), self.text())

    def rows(self, person: Person) -> Iterator[Row]:
        """This customer's rows that differ from what would take their place, in order."""
        text = self.text()
        form = self.form.form
        rules = RowRules(self.rule.multi_line_fields, self.rule.trailer)
        reader = reader_of(self.form, text, self.name, self.schema, self.schema.limits, rules)
        for entry in reader:
            if isinstance(entry, Fault):
                raw = reader.raw()
                if person.named_in(raw):
                    raw = _element(raw) if form in ("xml", "native") else raw
                    yield Row(raw, _REFUSED[form](raw), {"raw": raw})
                continue
            fields, raw = self._fields(entry), reader.raw()
            # Where no name feeds the key (the site's aliases are not at hand), the text has to tell.
            mine = self._mine(person, fields, entry) if "customer_key" in fields else person.named_in(raw)
            if not mine:
                continue
            raw = _element(raw) if form in ("xml", "native") else raw
            blank = self._blank(raw, entry, {k: v for k, v in fields.items() if k in _KEPT})
            if blank != raw:
                yield Row(raw, blank, fields)

    def _fields(self, entry: Entry) -> dict[str, str]:
        """The row's values by field; where they are at odds, the key alone as far as it is clear."""
        rest = [(name, value) for name, value in zip(*entry, strict=True) if name != _QUEUE]
        names, values = tuple(name for name, _ in rest), [value for _, value in rest]
        try:
            found = self.schema.fields_of(names, values)
        except RecordRefused:
            fields = self.schema.aliases.plan(names).fields
            found = {f: str(v) for f, v in zip(fields, values, strict=True) if f == "customer_key" and v}
        return {field: text for field, text in found.items() if field is not None}

    def _mine(self, person: Person, fields: dict[str, str], entry: Entry) -> bool:
        try:
            if plain_key(fields.get("customer_key", "")) != person.customer_key:
                return False
        except ValueRefused:
            return False
        recipient = fields.get("recipient", "")
        if not recipient and self.rule.holders:
            try:
                recipient = str(self.schema.normalise(*entry).get("recipient", ""))
            except RecordRefused:
                recipient = person.recipient
        return recipient == person.recipient

    def _blank(self, raw: str, entry: Entry, kept: dict[str, str]) -> str:
        names, values = entry
        staying = set(kept.values())
        pairs = [
            (n, v if v is not None and str(v).strip() in staying else "")
            for n, v in zip(names, values, strict=True)
        ]
        form = self.form.form
        if form == "json":
            return json.dumps({n: v for n, v in pairs if v != ""}, ensure_ascii=False)
        if form in ("csv", "psv"):
            return _delimited([str(v) for _, v in pairs], "," if form == "csv" else "|")
        return _without_values(raw, staying, set(names))

    def rewrite(self, rows: Sequence[Row], out: BinaryIO) -> None:
        """The file with these rows blanked."""
        text = self.text()
        anchored = self.form.form in ("csv", "psv")
        head = _head(self.open(), compressed=self.form.compressed)
        packed = gzip.GzipFile("", "wb", 6, out, 0) if self.form.compressed else None
        target = cast("IO[bytes]", packed or out)
        pieces = replaced(text, [(row.raw, row.blank) for row in rows], lines=anchored)
        first = True
        for piece in pieces:
            if first:
                target.write(next((mark for mark in _MARKS if head.startswith(mark)), b""))
                first = False
            target.write(encoded(piece, text.encoding))
        if packed is not None:
            packed.close()


def any_of(hints: Sequence[str], pieces: Iterable[str]) -> bool:
    """Whether one of these small-letter texts stands in a text that comes in pieces."""
    longest = max(map(len, hints), default=1)
    tail = ""
    for piece in pieces:
        lowered = tail + piece.lower()
        if any(hint in lowered for hint in hints):
            return True
        tail = lowered[-longest:]
    return False


def replaced(
    pieces: Iterable[str], pairs: Sequence[tuple[str, str]], *, lines: bool = False
) -> Iterator[str]:
    """The text with each first text of the pairs, found in their order, replaced by the second.

    `lines`: only where it is whole lines. ValueError where one of them is not there.
    """
    left = iter(pairs)
    wanted = next(left, None)
    pending, before = "", "\n"
    for piece, last in chain(((piece, False) for piece in pieces), [("", True)]):
        pending += piece
        while wanted and (at := _find(pending, wanted[0], before, lines=lines, last=last)) >= 0:
            yield pending[:at] + wanted[1]
            before = wanted[0][-1]
            pending = pending[at + len(wanted[0]) :]
            wanted = next(left, None)
        keep = 0 if last else len(wanted[0]) + 1 if wanted else 0
        if len(pending) > keep:
            cut = len(pending) - keep
            yield pending[:cut]
            before, pending = pending[cut - 1], pending[cut:]
    if wanted:
        raise ValueError("a row of the customer is not where it was: the file changed meanwhile")


def _find(text: str, wanted: str, before: str, *, lines: bool, last: bool) -> int:
    at = text.find(wanted)
    while lines and at >= 0:
        end = at + len(wanted)
        begins = (text[at - 1] if at else before) in "\r\n"
        if begins and (text[end : end + 1] in ("\r", "\n") or (last and end == len(text))):
            return at
        at = text.find(wanted, at + 1)
    return at


def encoded(text: str, encoding: str) -> bytes:
    """Text as bytes again; what Windows-1252 leaves undefined was read as the character of that number."""
    return text.encode(encoding, "exnotify-as-read") if encoding == "cp1252" else text.encode(encoding)


def _as_read(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return bytes(ord(c) & 0xFF for c in error.object[error.start : error.end]), error.end


codecs.register_error("exnotify-as-read", _as_read)


def _head(stream: BinaryIO, *, compressed: bool) -> bytes:
    if not compressed:
        return stream.read(4)
    with gzip.GzipFile(fileobj=stream) as unpacked:
        return unpacked.read(4)


def _delimited(cells: Sequence[str], separator: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="").writerow(cells)
    return out.getvalue()


_LAST_TAG = re.compile(r"</([^\s>]+)\s*>\s*\Z")
_LAST_EMPTY = re.compile(r"<[^<>]*/>\s*\Z")


def _element(raw: str) -> str:
    """The record's own element, without what the reader passed over before it."""
    found = _LAST_TAG.search(raw)
    if found is None:
        empty = _LAST_EMPTY.search(raw)
        return raw[empty.start() :] if empty else raw
    openings = [m.start() for m in re.finditer(rf"<{re.escape(found[1])}(?=[\s>/])", raw)]
    return raw[openings[-1] :] if openings else raw


_TOKEN = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<[^>]*>|[^<]+", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')""")


def _without_values(raw: str, staying: set[str], names: set[str]) -> str:
    """An XML element with its tags, and of texts and attributes only those that stay."""

    def attribute(found: re.Match[str]) -> str:
        value = unescape(found[3][1:-1]).strip()
        # `<key name="AccountNumber">`: the name of a field is not a value.
        return found[0] if value in staying or value in names else f'{found[1]}{found[2]}""'

    def token(found: re.Match[str]) -> str:
        text = found[0]
        if text.startswith("<![CDATA["):
            return text if text[9:-3].strip() in staying else ""
        if text.startswith("<!--"):
            return ""
        if text.startswith("<"):
            return _ATTRIBUTE.sub(attribute, text)
        plain = unescape(text).strip()
        return text if not plain or plain in staying else ""

    return _TOKEN.sub(token, raw)


def _empty_element(raw: str) -> str:
    found = re.match(r"<([^\s>/]+)", raw)
    return f"<{escape(found[1])}/>" if found else ERASED


_REFUSED: dict[str, Callable[[str], Any]] = {
    "json": lambda raw: "{}",
    "csv": lambda raw: ERASED,
    "psv": lambda raw: ERASED,
    "xml": _empty_element,
    "native": _empty_element,
}
"""What takes the place of an entry that was refused as a whole: another refused entry."""
