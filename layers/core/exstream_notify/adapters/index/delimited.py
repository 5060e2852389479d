"""Records of a delimited file: comma (RFC 4180) or pipe, quoted fields, one header line."""

import csv
import io
from collections.abc import Iterable, Iterator

from .faults import Fault, IndexUnreadable, Limits
from .names import AliasTable
from .reading import Entry

_SEPARATORS = {",": "commas", "|": "|", ";": ";", "\t": "tabs"}


class DelimitedRecords:
    """Iterates over the records of a delimited text. Lines end in LF or CRLF.

    A row of fewer or more fields than the header is a fault of its own, as is one with misplaced
    quotes; empty fields beyond the header's last are not. Empty lines are passed over.
    """

    def __init__(
        self, text: Iterable[str], file: str, separator: str, aliases: AliasTable, limits: Limits
    ) -> None:
        self._text = text
        self._file = file
        self._separator = separator
        self._aliases = aliases
        self._limits = limits
        self._line = ""
        self._row: list[str] | None = None
        self._held = 0  # characters of the record that is being read
        self._rows = csv.reader(self._lines(), delimiter=separator, strict=True)

    def __iter__(self) -> Iterator[Entry | Fault]:
        names = self._header()
        width = len(names)
        rows = self._rows
        while True:
            self._held = 0
            started = rows.line_num + 1
            try:
                row = self._row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                self._row = None
                yield self._malformed(error, started)
                continue
            if len(row) == width:
                yield names, row
            elif len(row) > width and not any(row[width:]):
                yield names, row[:width]
            elif row:
                yield Fault(None, f"{'more' if len(row) > width else 'fewer'} fields than the header")

    def raw(self) -> str:
        """The current record as it stands in the file, or nearly so."""
        if self._row is None:
            return self._line.rstrip("\r\n")
        out = io.StringIO()
        csv.writer(out, delimiter=self._separator, lineterminator="").writerow(self._row)
        return out.getvalue()

    def _header(self) -> tuple[str, ...]:
        try:
            row = next((row for row in self._rows if row), None)
        except csv.Error as error:
            fault = self._malformed(error, 1)
            raise IndexUnreadable(self._file, "line 1", f"no usable header: {fault.reason}") from None
        at = f"line {self._rows.line_num}"
        if row is None:
            raise IndexUnreadable(self._file, "line 1", "there is no header line")
        stripped = [name.strip() for name in row]
        while stripped and not stripped[-1]:
            stripped.pop()
        names = tuple(name or f"(column {at})" for at, name in enumerate(stripped, 1))
        if len(names) > self._limits.record_fields:
            raise IndexUnreadable(self._file, at, f"more than {self._limits.record_fields} columns")
        if len(names) == 1 and any(mark in names[0] for mark in _SEPARATORS):
            wanted = _SEPARATORS[self._separator]
            raise IndexUnreadable(
                self._file, at, f"no usable header: its columns are not separated by {wanted}"
            )
        if missing := self._aliases.missing_customer_key(names):
            raise IndexUnreadable(self._file, at, f"no usable header: {missing}")
        plan = self._aliases.plan(names)
        if any(plan.fields[at] for at in plan.repeated):  # what means nothing to us may stand there twice
            raise IndexUnreadable(self._file, at, "two columns have the same name")
        return names

    def _malformed(self, error: csv.Error, started: int) -> Fault:
        """What the csv module complains of: one row, or a quote that swallows all that follows."""
        reason = str(error)
        if "unexpected end of data" in reason:
            raise IndexUnreadable(
                self._file, f"line {started}", "a quoted field is still open at the end"
            ) from None
        if "field larger than field limit" in reason:
            reason = "a field is far too long, or its quote is not closed"
            raise IndexUnreadable(self._file, f"line {started}", reason) from None
        return Fault(None, "misplaced quotes or line ends")

    def _lines(self) -> Iterator[str]:
        rest = ""
        limit = self._limits.line_chars
        for piece in self._text:
            cut = piece.rfind("\n") + 1
            if not cut:
                rest += piece
                self._bound(len(rest))
                continue
            block = io.StringIO(rest + piece[:cut], newline="\n")
            rest = piece[cut:]
            for line in block:
                # Quoted line breaks can chain any number of lines into one record: bound their sum.
                self._held += len(line)
                if self._held > limit:
                    self._bound(self._held)
                self._line = line
                yield line
        if rest:
            self._bound(self._held + len(rest))
            self._line = rest
            yield rest

    def _bound(self, length: int) -> None:
        limit = self._limits.line_chars
        if length > limit:
            at = f"line {self._rows.line_num + 1}"
            raise IndexUnreadable(self._file, at, f"a line or record of more than {limit} characters")
