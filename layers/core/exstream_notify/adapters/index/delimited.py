"""Records of a delimited file: comma (RFC 4180) or pipe, quoted fields, one header line.

A record is a line. A quoted field that is not closed on its line may have swallowed the rows behind it,
and the joined row can have the right width: all its lines are refused, each as a row of its own. A domain
may allow fields of several lines; what may be rows is refused there too (`may_be_rows`).
`tools/exnotify/seal.py` counts by the same rules.
"""

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ...domain.runs import Disagreement, Trailer
from .faults import Fault, IndexUnreadable, Limits
from .names import AliasTable
from .reading import Entry

OPEN_QUOTE = "a quoted field runs over the end of its line"
MISPLACED_TRAILER = "a trailer row before the end of the file"

_SEPARATORS = {",": "commas", "|": "|", ";": ";", "\t": "tabs"}
_BREAK = re.compile("\r\n|\n|\r")
_TRAILER = re.compile(r"\W*(?:trl|trlr|tlr|trailer|footer|ftr|total|totals|eof|end)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RowRules:
    """How a domain writes rows: whether a field may have several lines, and the trailer row, if any."""

    multi_line: bool = False
    trailer: Trailer | None = None


def may_be_rows(row: Sequence[str], separator: str, width: int) -> bool:
    """Whether a row of several lines may be several rows that a stray quote has joined.

    `width` is the header's. True where a line of the row would have the header's number of separators if
    its quotes were characters like any other, and some of them are inside the quoted field: the opening
    line, the closing line, or a line between.
    """
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


@dataclass(frozen=True, slots=True)
class _TrailerRow:
    """A row that begins as the domain's trailer does."""

    fields: list[str]


class DelimitedRecords:
    """Iterates over the records of a delimited text. Lines end in LF or CRLF.

    A row of fewer or more fields than the header is a fault of its own, as is one with misplaced
    quotes; empty fields beyond the header's last are not. Empty lines are passed over. After a refused
    row, reading goes on at the next line.
    """

    def __init__(
        self,
        text: Iterable[str],
        file: str,
        separator: str,
        aliases: AliasTable,
        limits: Limits,
        rules: RowRules | None = None,
    ) -> None:
        self._pieces = iter(text)
        self._file = file
        self._separator = separator
        self._aliases = aliases
        self._limits = limits
        self._rules = rules or RowRules()
        self._block: Iterator[str] = iter(())
        self._rest = ""
        self._bare = False  # the block has a CR without an LF
        self._plain = False  # the block has no quote, nor anything else that only csv knows to read
        self._held: list[str] = []  # the lines of the record that is being read
        self._chars = 0  # their characters, from the second line on
        self._shown: str | None = None  # the line that a fault is about, where it is one of several
        self._before = 0  # lines that earlier csv readers have read
        self._rows = csv.reader(self._lines(), delimiter=separator, strict=True)
        self._trailer: list[str] | None = None
        self._counted = 0

    def __iter__(self) -> Iterator[Entry | Fault]:
        if self._rules.trailer is None:
            return self._records()  # type: ignore[return-value]  # no row of it is a trailer's
        return self._up_to_trailer()

    def raw(self) -> str:
        """The current record as it stands in the file."""
        return ("".join(self._held) if self._shown is None else self._shown).rstrip("\r\n")

    def disagreements(self) -> list[Disagreement]:
        """What the domain's trailer row states otherwise than what was read, once all is read."""
        rule = self._rules.trailer
        if rule is None:
            return []
        place = f"{self._file} trailer"
        if self._trailer is None:
            found = "none at the end: the file may be cut off"
            return [Disagreement("trailer_missing", place, "a trailer row", found)] if rule.required else []
        if rule.count_field is None:
            return []
        stated = rule.count_of(self._trailer)
        if stated == self._counted:
            return []
        return [
            Disagreement(
                "trailer_count_mismatch",
                place,
                "no count" if stated is None else f"{stated} rows",
                f"{self._counted}",
            )
        ]

    def _records(self) -> Iterator[Entry | Fault | _TrailerRow]:
        names = self._header()
        width = len(names)
        rows, held = self._rows, self._held
        mark = self._rules.trailer.starts if self._rules.trailer else None
        while True:
            held.clear()
            if self._plain:
                if (yield from self._plain_rows(names, mark)):
                    return
                held.clear()
                self._start_reader()
                rows = self._rows
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield from self._malformed(error)
                rows = self._rows
                continue
            if (len(held) != 1 or self._bare) and self._is_joined(row, width):
                yield from self._refused_lines()
            elif mark is not None and row and row[0].lstrip().startswith(mark):
                yield _TrailerRow(row)
            elif len(row) == width and (width > 1 or held[0].strip()):
                yield names, row
            elif len(row) > width and not any(row[width:]):
                yield names, row[:width]
            elif held[0].strip() or len(held) > 1:
                yield _of_other_width(row, width)

    def _plain_rows(
        self, names: tuple[str, ...], mark: str | None
    ) -> Generator[Entry | Fault | _TrailerRow, None, bool]:
        """The records of the lines from here on, while all are such as csv splits at separators alone.

        Returns whether the text is over.
        """
        held, separator, width = self._held, self._separator, len(names)
        while self._plain:
            for line in self._block:
                self._before += 1
                held[:] = (line,)
                row = line.rstrip("\r\n").split(separator)
                if mark is not None and row[0].lstrip().startswith(mark):
                    yield _TrailerRow(row)
                elif len(row) == width and (width > 1 or line.strip()):
                    yield names, row
                elif len(row) > width and not any(row[width:]):
                    yield names, row[:width]
                elif line.strip():
                    yield _of_other_width(row, width)
            if not self._fill():
                return True
        return False

    def _start_reader(self) -> None:
        """Go on with a new csv reader at the next line."""
        self._before += self._rows.line_num
        self._rows = csv.reader(self._lines(), delimiter=self._separator, strict=True)

    def _up_to_trailer(self) -> Iterator[Entry | Fault]:
        """The records but for the trailer row, which is the last row or a fault."""
        held = ""
        for entry in self._records():
            if self._trailer is not None:
                self._shown, shown = held, self._shown
                self._trailer = None
                self._counted += 1
                yield Fault(None, MISPLACED_TRAILER)
                self._shown = shown
            if isinstance(entry, _TrailerRow):
                self._trailer, held = entry.fields, self.raw()
                continue
            self._counted += 1
            yield entry

    def _is_joined(self, row: Sequence[str], width: int) -> bool:
        """Whether a row that has line ends within its fields is refused."""
        if len(self._held) == 1 and not any("\r" in field for field in row):
            return False
        while len(row) > width and not row[-1]:
            row = row[:-1]
        return not self._rules.multi_line or may_be_rows(row, self._separator, width)

    def _refused_lines(self) -> Iterator[Fault]:
        """A fault for each line of the record, but for empty ones."""
        opened = self._before + self._rows.line_num - len(self._held) + 1
        return self._each_line(Fault(None, OPEN_QUOTE, opened))

    def _each_line(self, fault: Fault) -> Iterator[Fault]:
        """The fault, once for each line that is not empty; a CR alone ends a line, too."""
        for line in list(self._held):
            for part in _BREAK.split(line):
                if part.strip():
                    self._shown = part
                    yield fault
        self._shown = None

    def _malformed(self, error: csv.Error) -> Iterator[Fault]:
        """What the csv module complains of; it goes on at the next line by itself."""
        reason = str(error)
        if len(self._held) > 1 or "unexpected end of data" in reason:
            yield from self._refused_lines()
        elif "field larger than field limit" in reason:
            yield Fault(None, f"a field of more than {csv.field_size_limit()} characters")
        else:
            yield from self._each_line(Fault(None, "misplaced quotes or line ends"))
        if "unexpected end of data" in reason:
            # The end of the file, or where `_lines` gave up: only a new reader can go on.
            self._start_reader()

    def _header(self) -> tuple[str, ...]:
        row: list[str] = []
        try:
            while not row:
                self._held.clear()
                row = next(self._rows)
        except StopIteration:
            raise IndexUnreadable(self._file, "line 1", "there is no header line") from None
        except csv.Error as error:
            reason = OPEN_QUOTE if len(self._held) > 1 else next(self._malformed(error)).reason
            raise IndexUnreadable(self._file, "line 1", f"no usable header: {reason}") from None
        at = f"line {self._rows.line_num}"
        if len(self._held) > 1:
            raise IndexUnreadable(self._file, at, f"no usable header: {OPEN_QUOTE}")
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

    def _lines(self) -> Iterator[str]:
        """Lines, each held until its record is done; it ends early where a record grows too long."""
        held, limit = self._held, self._limits.line_chars
        while True:
            for line in self._block:
                if held:
                    self._chars = (self._chars if len(held) > 1 else len(held[0])) + len(line)
                    if self._chars > limit:
                        self._block = chain((line,), self._block)
                        return
                if len(line) > limit:
                    self._bound(len(line))
                held.append(line)
                yield line
            if not self._fill():
                return

    def _fill(self) -> bool:
        """Take the next lines; False at the end of the text."""
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
        longest = min(csv.field_size_limit(), self._limits.line_chars)
        self._plain = not self._bare and '"' not in text and max(map(len, text.split("\n"))) < longest

    def _bound(self, length: int) -> None:
        limit = self._limits.line_chars
        if length > limit:
            at = f"line {self._before + self._rows.line_num + 1}"
            raise IndexUnreadable(self._file, at, f"a line of more than {limit} characters")


def _of_other_width(row: Sequence[str], width: int) -> Fault:
    if len(row) > width:
        return Fault(None, "more fields than the header")
    if row and _TRAILER.match(row[0]):
        return Fault(
            None, "fewer fields than the header; a trailer row needs `trailer` in rules/domains.yaml"
        )
    return Fault(None, "fewer fields than the header")
