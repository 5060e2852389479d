"""What can be wrong with an index: with the file as a whole, or with one of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from ...domain.exceptions import Unusable


class IndexUnreadable(Unusable):
    """The file cannot be used at all: it is cut off, too large, hostile, or not what its name says.

    `file` is its name, `at` the place in it ("line 17", "byte 1234"); the reason holds no data.
    """

    def __init__(self, file: str, at: str, reason: str) -> None:
        super().__init__("index_unreadable", f"{file}, {at}", reason)
        self.file = file
        self.at = at

    def __reduce__(self) -> tuple[type["IndexUnreadable"], tuple[str, str, str]]:
        return type(self), (self.file, self.at, self.reason)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one record: the field (None: the record as a whole) and the reason.

    The reason never repeats a value, so that faults can be counted and logged. `line` is that of the
    opening quote, `entry` the record's names and values where it could be read into them.
    """

    field: str | None
    reason: str
    line: int | None = None
    entry: tuple[tuple[str, ...], Sequence[object]] | None = dataclass_field(default=None, compare=False)

    @property
    def located(self) -> str:
        """The reason with the line, where there is one."""
        return f"{self.reason}; it opens on line {self.line}" if self.line else self.reason

    def __str__(self) -> str:
        return f"{self.field}: {self.located}" if self.field else self.located


class RecordRefused(Exception):
    """One record cannot be used; `faults` says all that is wrong with it. The rest goes on."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is taken in at once. Characters are those of the decoded text.

    `line_chars`: one line, one JSON object or one stretch of XML between two records; beyond it
    the file is unreadable. `record_chars`, `record_fields`: the values of one record; beyond them
    the record is rejected. `decompressed_bytes`, `decompression_ratio` (None: any): what a gzip file may
    become. `depth`: elements within one another. `reject_chars`: how much of a rejected record is kept.
    `teams`: different internal teams in one file.
    """

    line_chars: int = 1024 * 1024
    record_chars: int = 256 * 1024
    record_fields: int = 256
    decompressed_bytes: int = 64 * 1024**3
    decompression_ratio: int | None = 200
    depth: int = 64
    reject_chars: int = 4096
    teams: int = 1000
