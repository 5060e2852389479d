"""Records of an XML file, whatever its elements are called, and those of the native manifest.

Expat reads the file and is the judge of it: well-formed to the end, no document type declaration,
so no entities to expand and nothing external to fetch. It would take most of the time, though, on
the many records that are plain, so those are read by their skeletons (`xml_plain`), and expat never
sees them. What is not provably such a record goes to expat.
"""

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from .faults import Fault, IndexUnreadable, Limits
from .reading import Entry
from .xml_collectors import Collector, Refused, expat_parser
from .xml_plain import OPENING, SPACE, NotPlain, Skeletons

_SLOW_PIECE = 4096


class XmlRecords:
    """Iterates over the records of an XML text.

    `plain=False` leaves every record to expat; what comes out is the same.
    """

    def __init__(
        self, text: Iterable[str], file: str, collector: Collector, limits: Limits, *, plain: bool = True
    ) -> None:
        self._pieces = iter(text)
        self._file = file
        self._collector = collector
        self._limits = limits
        self._parser = expat_parser(collector, limits)
        self._parser.EndElementHandler = self._end
        self._plain = plain and _settle_at_once(self._parser)
        self._skeletons = Skeletons(limits)
        self._text = ""
        self._at = 0
        self._from = 0  # where the plain record begins that was read last
        self._lines = 1  # lines up to the beginning of `_text`
        self._ended = False
        self._fed = 0  # bytes that expat has got
        self._ends = 0  # elements that ended in the last piece
        self._closed = (0, "")  # where expat saw the last record close, in its bytes, and its tag
        self._between = False  # expat has digested all that it got, and a record may begin
        self._opening = self._tag = self._tail = ""  # of the last plain record
        self._held: list[str] = []  # what expat has got since the last record
        self._held_chars = 0
        self._raw: str | None = None

    def __iter__(self) -> Iterator[Entry | Fault]:
        more = True
        while more:
            if self._between:
                entry = self._next_plain()
                if entry is not None:
                    yield entry
                    continue
            more = self._feed()
            if self._collector.done:
                done, self._collector.done = self._collector.done, []
                self._raw = "".join(self._held).strip(SPACE)
                self._release()
                yield from done
                self._raw = None

    def raw(self) -> str:
        """The current record as it stands in the file, or nearly so."""
        return self._text[self._from : self._at].strip(SPACE) if self._raw is None else self._raw

    def _more(self) -> bool:
        """Drop what is read, and add a piece; False at the end of the file."""
        piece = next(self._pieces, "")
        self._lines += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + piece
        self._at = 0
        self._ended = not piece
        return bool(piece)

    def _end(self, tag: str) -> None:
        collector = self._collector
        before = len(collector.done)
        collector.end(tag)
        self._ends += 1
        if len(collector.done) > before:
            self._closed = (self._parser.CurrentByteIndex, tag)

    def _feed(self) -> bool:
        """Give expat some text, at most to the end of the next record; False after the last."""
        if self._at >= len(self._text) and not self._more():
            self._judge("", final=True)
            return False
        piece = self._text[self._at : self._slow_end()]
        self._held.append(piece)
        self._held_chars += len(piece)
        if self._held_chars > self._limits.line_chars:
            reason = f"more than {self._limits.line_chars} characters without the end of a record"
            raise IndexUnreadable(self._file, f"line {self._line(0)}", reason)
        before = len(self._collector.done)
        self._judge(piece)
        self._at += len(piece)
        if self._ends and self._collector.idle and not self._collector.done:
            self._release()
        self._between = self._plain and len(self._collector.done) > before and self._digested(piece)
        return True

    def _digested(self, piece: str) -> bool:
        """Whether the tag that closed a record is the last thing fed, so that nothing is pending.

        Expat tells where a closing tag begins, but of an empty element where it ends.
        """
        start, tag = self._closed
        tail = f"</{tag}>"
        if piece.endswith(tail):
            return start == self._fed - len(tail.encode())
        return piece.endswith("/>") and start == self._fed

    def _slow_end(self) -> int:
        """Where to cut: after what may close a record; tag by tag until the first record is known."""
        limit = min(len(self._text), self._at + _SLOW_PIECE)
        tag = self._closed[1]
        tails = (f"</{tag}>", "/>") if tag else (">",)
        found = [at + len(tail) for tail in tails if (at := self._text.find(tail, self._at, limit)) >= 0]
        return min(found, default=limit)

    def _judge(self, piece: str, *, final: bool = False) -> None:
        data = piece.encode()
        before = self._fed
        self._fed += len(data)
        self._ends = 0
        try:
            self._parser.Parse(data, final)
            if final:
                self._collector.finish()
        except expat.ExpatError as error:
            reason = "the XML is cut off" if final else f"not well-formed: {expat.ErrorString(error.code)}"
            line = self._line(self._parser.ErrorByteIndex - before)
            raise IndexUnreadable(self._file, f"line {line}", reason) from None
        except Refused as refused:
            line = self._line(self._parser.CurrentByteIndex - before)
            raise IndexUnreadable(self._file, f"line {line}", str(refused)) from None

    def _line(self, offset: int) -> int:
        """The line of a place, about so many bytes after what is read."""
        return self._lines + self._text.count("\n", 0, self._at + max(0, offset))

    def _release(self) -> None:
        self._held.clear()
        self._held_chars = 0

    def _next_plain(self) -> Entry | None:
        """The record that begins here, if it is plain; None leaves it to expat."""
        if not self._skeletons.pays:
            return None
        attributes = ""
        if self._tag and self._text.startswith(self._opening, self._at):
            # The same tag, after the same space, as the record before.
            tag, tail = self._tag, self._tail
            start = self._at + len(self._opening)
        else:
            opening = self._find_opening()
            if opening is None or not self._collector.may_be_record(opening[1]):
                return None
            tag, attributes, start = opening[1], opening[2], opening.end()
            tail = f"</{tag}>"
            if not attributes:
                self._opening, self._tag, self._tail = opening[0], tag, tail
        skeletons, collector = self._skeletons, self._collector
        try:
            if attributes.endswith("/"):
                entry = skeletons.read_tag(tag + attributes[:-1], collector)
                if not entry[0]:
                    return None
                self._from, self._at = self._at, start
                return entry
            end = self._text.find(tail, start, start + _SLOW_PIECE)
            if end < 0:
                place = self._find_end(tail, start)
                if place is None:
                    return None
                start, end = place
            names, values = skeletons.read_content(tag, self._text[start:end], collector)
            if attributes:
                own = skeletons.read_tag(tag + attributes, collector)
                names, values = own[0] + names, own[1] + values
        except NotPlain:
            return None
        self._from, self._at = self._at, end + len(tail)
        return names, values

    def _find_opening(self) -> re.Match[str] | None:
        found = OPENING.match(self._text, self._at)
        if found is None and len(self._text) - self._at < _SLOW_PIECE and self._more():
            found = OPENING.match(self._text, self._at)
        return found

    def _find_end(self, tail: str, start: int) -> tuple[int, int] | None:
        """Where a record's content begins and ends; the text may have moved meanwhile."""
        while (end := self._text.find(tail, start)) < 0:
            start -= self._at
            if len(self._text) - self._at > self._limits.line_chars or not self._more():
                return None
        return start, end


def _settle_at_once(parser: expat.XMLParserType) -> bool:
    """Have expat digest each piece at once (expat 2.6 may put that off); False if it will not."""
    if expat.version_info < (2, 6, 0):
        return True
    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
        return True
    return False
