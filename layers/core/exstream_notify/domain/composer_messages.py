"""The engine's messages: a line of a message file, and messages of a file grouped by code.

The layout beyond the code is not public (FACTS: an optional `mm/dd/yyyy hh:mm:ss`, the code, perhaps a
number in brackets, a localised text), so everything is matched by code, never by text, and a line that
is no message is counted.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .customer_ranges import CustomerSet
from .exceptions import RANK, Severity
from .masking import LOOKED_AT, Sampled, spread

CODES = 500
"""Codes kept apart in one file; the rest counts as `OTHER_CODES`, so that memory stays flat."""

OTHER_CODES = "engine_messages"
CODE = re.compile(r"EX\d{6}[SEWI]")
SEVERITY: dict[str, Severity] = {"S": "severe", "E": "error", "W": "warning", "I": "info"}

_LINE = re.compile(
    r"\s*(?:(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2})[ T]+"
    r"(\d{1,2}:\d{2}:\d{2})(?:[.,]\d+)?Z?\s*[,;|]?\s*)?"
    r"\[?(EX\d{6}[SEWI])\]?\b[:\s]*(?:\(\s*(\d{1,9})\s*\)\s*)?[:\s]*(.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ComposerMessage:
    """One message: `at` as the file says it (the server's own clock), `customer` its number in the run."""

    code: str
    text: str
    at: str = ""
    customer: int | None = None
    severity: Severity | None = None


def parse_line(line: str) -> ComposerMessage | None:
    """The message that a line begins; None for any other line."""
    found = _LINE.match(line)
    if found is None:
        return None
    day, time, code, customer, text = found.groups()
    at = f"{day} {time}" if day else ""
    return ComposerMessage(code, text.strip(), at, int(customer) if customer else None)


@dataclass(slots=True)
class Group:
    """All messages of one code: how many, when first and last, which customers.

    `sampled` are texts from all over the file, as they are: `Vocabulary.samples` says what may be shown.
    """

    code: str
    severity: Severity
    count: int = 0
    first: str = ""
    last: str = ""
    customers: CustomerSet = field(default_factory=CustomerSet)
    sampled: list[Sampled] = field(default_factory=list)
    queue: str = ""
    step: int = 1

    def add(self, message: ComposerMessage) -> None:
        """One more."""
        self.count += 1
        if message.at:
            self.first = self.first or message.at
            self.last = message.at
        if message.customer is not None:
            self.customers.add(message.customer)
        if (self.count - 1) % self.step == 0:
            self.sampled.append(Sampled(message.text[: LOOKED_AT + 1], message.customer))
            self.step = spread(self.sampled, self.step)


@dataclass(slots=True)
class Grouped:
    """A file's messages by code and queue. Lines that are no message, nor go on with one, are `unmatched`."""

    severity_of: Callable[[str, Severity], Severity | None]
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    messages: int = 0
    unmatched: int = 0
    first_unmatched: int = 0
    open_quotes: int = 0
    first_open_quote: int = 0
    disputed: int = 0
    first_disputed: int = 0

    def add(self, message: ComposerMessage, queue: str = "") -> Group | None:
        """Count a message; its group where this is the first of it, None otherwise or if nobody cares."""
        self.messages += 1
        group = self.groups.get((message.code, queue))
        if group is not None:
            group.add(message)
            if message.severity is not None and RANK[message.severity] > RANK[group.severity]:
                group.severity = self.severity_of(message.code, message.severity) or group.severity
            return None
        said = message.severity or SEVERITY.get(message.code[-1:], "error")
        severity = self.severity_of(message.code, said)
        if severity is None:
            return None
        key = (message.code, queue)
        if len(self.groups) >= CODES:
            key = (OTHER_CODES, "")
        group = self.groups.get(key)
        fresh = group is None
        if group is None:
            group = self.groups[key] = Group(key[0], severity, queue=key[1])
        group.add(message)
        return group if fresh else None

    def is_open(self, number: int) -> None:
        """A row with a quote that is not closed on its line: it was read as if the quote were a character."""
        self.open_quotes += 1
        self.first_open_quote = self.first_open_quote or number

    def is_disputed(self, number: int) -> None:
        """A row in which two columns of one field differ: the most trusted one was read."""
        self.disputed += 1
        self.first_disputed = self.first_disputed or number

    def is_unmatched(self, number: int) -> None:
        """A line that is no message: counted, its number kept if it is the first."""
        self.unmatched += 1
        self.first_unmatched = self.first_unmatched or number


def read_lines(lines: Iterable[str], grouped: Grouped) -> Iterator[Group]:
    """Group a message file's lines; each group is given out once, when its first message is read.

    A line that is indented, or says nothing, goes on with the message before it.
    """
    before = False
    for number, line in enumerate(lines, 1):
        message = parse_line(line) if "EX" in line else None
        if message is not None:
            before = True
            fresh = grouped.add(message)
            if fresh is not None:
                yield fresh
        elif line.strip() and not (before and line[0].isspace()):
            grouped.is_unmatched(number)
            before = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The engine's own line about a run; None where it does not say."""

    exit_status: int | None = None
    errors: int | None = None
    customers: int | None = None
