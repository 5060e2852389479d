"""Where staged records go: parts of JSON lines, cut into slices that one message can point to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

PART_BYTES = 8_000_000
SLICE_RECORDS = 100


class Slice(NamedTuple):
    """Up to 100 documents: `length` bytes at `offset` of part `part`.

    `number` counts the slices, `first` is the position of the first document in it.
    """

    number: int
    part: int
    offset: int
    length: int
    count: int  # type: ignore[assignment]  # hides the tuple's own method, which nobody needs here
    first: int


@dataclass(frozen=True, slots=True)
class Part:
    """A full part, or a file's last: JSON lines in UTF-8, and the slices that they make up."""

    number: int
    body: bytes
    slices: tuple[Slice, ...]


class PartSink(Protocol):
    """Takes parts as they fill; a part put again under its number replaces the first."""

    def put(self, part: Part) -> None:
        """Keep a part with its slices."""


class RejectSink(Protocol):
    """Takes rejects as they add up."""

    def put(self, number: int, body: bytes) -> None:
        """Keep JSON lines of rejects; `number` counts the calls of one file, from 0."""


class PartWriter:
    """Collects the lines of documents into slices, and those into parts.

    Memory: one part, twice while it is put. A slice never crosses parts.
    """

    def __init__(
        self,
        sink: PartSink,
        *,
        first_slice: int = 0,
        first_part: int = 0,
        part_bytes: int = PART_BYTES,
        slice_records: int = SLICE_RECORDS,
    ) -> None:
        self.next_slice = first_slice
        self.next_part = first_part
        self._sink = sink
        self._part_bytes = part_bytes
        self._slice_records = slice_records
        self._lines: list[bytes] = []
        self._first = 0
        self._body = bytearray()
        self._slices: list[Slice] = []

    def add(self, line: bytes, position: int) -> None:
        """One document's line, without a line end."""
        if not self._lines:
            self._first = position
        self._lines.append(line)
        if len(self._lines) >= self._slice_records:
            self._close_slice()

    def close(self) -> None:
        """Put what is left."""
        if self._lines:
            self._close_slice()
        if self._slices:
            self._put()

    def _close_slice(self) -> None:
        self._lines.append(b"")
        data = b"\n".join(self._lines)
        if self._slices and len(self._body) + len(data) > self._part_bytes:
            self._put()
        row = Slice(
            self.next_slice, self.next_part, len(self._body), len(data), len(self._lines) - 1, self._first
        )
        self._slices.append(row)
        self._body += data
        self.next_slice += 1
        self._lines = []

    def _put(self) -> None:
        self._sink.put(Part(self.next_part, bytes(self._body), tuple(self._slices)))
        self.next_part += 1
        self._body.clear()
        self._slices = []


class RejectWriter:
    """Collects the lines of rejects and puts them when there is a part's worth."""

    def __init__(self, sink: RejectSink, *, part_bytes: int = PART_BYTES) -> None:
        self._sink = sink
        self._part_bytes = part_bytes
        self._body = bytearray()
        self._number = 0

    def add(self, line: bytes) -> None:
        """One reject's line, without a line end."""
        self._body += line
        self._body += b"\n"
        if len(self._body) >= self._part_bytes:
            self.close()

    def close(self) -> None:
        """Put what is left."""
        if self._body:
            self._sink.put(self._number, bytes(self._body))
            self._number += 1
            self._body.clear()


@dataclass(slots=True)
class MemoryParts:
    """A sink that keeps everything, for plans, single documents and tests."""

    parts: list[Part] = field(default_factory=list)

    def put(self, part: Part) -> None:
        """See `PartSink`."""
        self.parts.append(part)

    @property
    def slices(self) -> list[Slice]:
        """All slices, in order."""
        return [row for part in self.parts for row in part.slices]

    def lines(self) -> Iterator[bytes]:
        """All documents' lines, in order."""
        for part in self.parts:
            yield from part.body.splitlines()

    def read(self, pointer: Slice) -> Sequence[bytes]:
        """One slice's lines, by its byte range alone."""
        body = next(part.body for part in self.parts if part.number == pointer.part)
        return body[pointer.offset : pointer.offset + pointer.length].splitlines()


@dataclass(slots=True)
class MemoryRejects:
    """A sink that keeps all rejects."""

    bodies: list[bytes] = field(default_factory=list)

    def put(self, number: int, body: bytes) -> None:
        """See `RejectSink`."""
        self.bodies.append(body)

    def lines(self) -> Iterator[bytes]:
        """All rejects' lines, in order."""
        for body in self.bodies:
            yield from body.splitlines()
