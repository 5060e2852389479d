"""The engine's messages: those of a line of a message file, and messages of a file grouped by code.

The layout beyond the code is not public (FACTS: an optional `mm/dd/yyyy hh:mm:ss`, the code, perhaps a
number in brackets, a localised text), so everything is matched by code, never by text, and a line that
is no message is counted.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .customer_ranges import CustomerSet
from .exceptions import RANK, Severity
from .masking import LOOKED_AT, Sampled, spread

CODES = 500
"""Codes kept apart in one file; of the rest the severe ones are named too, and all others count as
`OTHER_CODES`, so that memory stays flat."""

HEADS = 8
"""Messages of a code whose marks say whether another file holds the same ones."""

OTHER_CODES = "engine_messages"
CODE = re.compile(r"EX[0-9]{6}[SEWI]")
SEVERITY: dict[str, Severity] = {"S": "severe", "E": "error", "W": "warning", "I": "info"}

_SHAPE = re.compile(r"EX[0-9]{6}[SEWI](?![0-9A-Za-z_])")
_AFTER = re.compile(r"[\])>\"'’”»]*[:,;|\s]*(?:[(（]\s*([0-9]{1,9})\s*[)）]\s*)?[:\s]*")
_NUMBERED = re.compile(r"[\]]?[:\s]*\(\s*[0-9]{1,9}\s*\)")
_DAY = (
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"
    r"|[0-9]{1,2}[- /.][^\W\d_]{3,4}\.?[- /.][0-9]{2,4}|[^\W\d_]{3}\.? +[0-9]{1,2}(?:,? [0-9]{4})?)"
)
_TIME = re.compile(
    rf"({_DAY})[T,:\s]+([0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?)(?:[.,][0-9]+)?"
    r"(\s?[AaPp]\.?[Mm]\.?(?![A-Za-z]))?(?:\s?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
)
_ENDS_IN_TIME = re.compile(_TIME.pattern + r"[\])>\s,;|-]*$")
_QUOTES = re.compile(
    r"[^\W\d_]\s+[\"'“„«‘]\s*$|\b(?:see|refer to|siehe|voir|cf\.?|véase|vease|vea|consulte)\s+[\"'“„«‘(]?$",
    re.IGNORECASE,
)
_APART = re.compile(r"(?:\s{2,}|[\t\0\u3000])$")
_MARKERS = re.compile(r"[\s\[\]<>*#|.:-]*")
_PREFIX = 120
"""Characters before a code that are looked at."""
_CARRIAGE = ("1", "0")
"""A printer's new page and blank line in a line's first column, beside marks that are no part of a word."""

_OF_A_TAG = re.compile(r"<[^<>]*=\s*[\"']$")
_OPENING = "\"'“„«‘("
_OF_A_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BLANK = " \t\r\n\0\u3000"
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class ComposerMessage:
    """One message: `at` as the file says it (the server's own clock), `customer` its number in the run."""

    code: str
    text: str
    at: str = ""
    customer: int | None = None
    severity: Severity | None = None

    @property
    def mark(self) -> str:
        """What tells it from other messages of its code, in 8 hex characters, whatever form wrote it."""
        first = self.text.lstrip().partition("\n")[0][:200]
        words = f"{self.customer or ''}|{_NOT_WORDS.sub('', first).casefold()[:80]}"
        return f"{zlib.crc32(words.encode('utf-8', 'replace')):08x}"


def time_of(text: str) -> str:
    """The first day and time in a text, as it says them; empty if there is none."""
    found = _TIME.search(text)
    if found is None:
        return ""
    day, time, half = found.groups()
    return f"{day} {time} {half.strip()}" if half else f"{day} {time}"


def messages_of(line: str, *, goes_on: bool = False) -> list[ComposerMessage]:
    """The messages that begin in a line.

    The first code of a line begins one, whatever stands before it: a host's name, a thread, a time. Each
    further code does so where it has the shape of a message, as records of fixed length have it: a number
    in brackets follows, or a time, several blanks or the last character of the record before it are next
    to it. A code that is merely quoted begins none: one within quotation marks, after `see`, or between
    words. `goes_on`: the line is indented below a message, so that a code after words is quoted too.
    """
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    first = _SHAPE.search(line)
    if first is None:
        return []
    if line.find("EX", first.end()) < 0:
        return [_message(line, first, 0, len(line))] if _is_first(line, first, goes_on) else []
    starts: list[re.Match[str]] = []
    for found in _SHAPE.finditer(line):
        if _goes_on_to(line, found, starts[-1].end()) if starts else _is_first(line, found, goes_on):
            starts.append(found)
    ends = [found.start() for found in starts[1:]] + [len(line)]
    begins = [0] + [found.end() for found in starts]
    return [_message(line, *three) for three in zip(starts, begins, ends, strict=False)]


def _is_first(line: str, found: re.Match[str], goes_on: bool) -> bool:
    if not found.start():
        return True
    before = line[max(found.start() - _PREFIX, 0) : found.start()]
    if before[-1] in _OF_A_WORD:
        return before in _CARRIAGE
    if goes_on:
        return bool(_MARKERS.fullmatch(_TIME.sub("", before)))
    last = before.rstrip()[-1:]
    return not ((last.isalpha() or last in _OPENING or last == ".") and _QUOTES.search(before))


def _goes_on_to(line: str, found: re.Match[str], begin: int) -> bool:
    before = line[max(begin, found.start() - _PREFIX) : found.start()]
    last = before[-1:]
    if last == "[":
        return bool(_ENDS_IN_TIME.search(before[:-1]))
    if _OF_A_TAG.search(before):
        return True
    if last in _OPENING or last in "/_=#" or _QUOTES.search(before):
        return False
    is_capital = last.isascii() and last.isupper()
    if _NUMBERED.match(line, found.end()) and not is_capital:
        return True
    if _APART.search(before) or _ENDS_IN_TIME.search(before):
        return True
    is_glued = not (last.isspace() or is_capital or last in "-,;|")
    return is_glued and (found.end() == len(line) or line[found.end()] in " :\0\t\u3000")


def _message(line: str, found: re.Match[str], begin: int, end: int) -> ComposerMessage:
    at = time_of(line[begin : found.start()][-_PREFIX:]) if found.start() > begin else ""
    after = _AFTER.match(line, found.end(), end)
    text = line[after.end() if after else found.end() : end]
    if end < len(line) and (time := _ENDS_IN_TIME.search(text, max(len(text) - _PREFIX, 0))):
        text = text[: time.start()]  # of the next message
    number = after[1] if after else None
    return ComposerMessage(found[0], text.strip(_BLANK), at, int(number) if number else None)


@dataclass(slots=True)
class Group:
    """All messages of one code: how many, when first and last, which customers.

    `sampled` are texts from all over the file, as they are: `Vocabulary.samples` says what may be shown.
    `heads` are the marks of the first ones.
    """

    code: str
    severity: Severity
    count: int = 0
    first: str = ""
    last: str = ""
    customers: CustomerSet = field(default_factory=CustomerSet)
    sampled: list[Sampled] = field(default_factory=list)
    queue: str = ""
    heads: list[str] = field(default_factory=list)
    step: int = 1

    def add(self, message: ComposerMessage) -> None:
        """One more."""
        self.count += 1
        if message.at:
            self.first = self.first or message.at
            self.last = message.at
        if message.customer is not None:
            self.customers.add(message.customer)
        if self.count <= HEADS:
            self.heads.append(message.mark)
        if (self.count - 1) % self.step == 0:
            self.sampled.append(Sampled(message.text[: LOOKED_AT + 1], message.customer))
            self.step = spread(self.sampled, self.step)


@dataclass(slots=True)
class Grouped:
    """A file's messages by code and queue. Lines that are no message, nor go on with one, are `unmatched`;
    rows of what went well are `passed`."""

    severity_of: Callable[[str, Severity], Severity | None]
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    messages: int = 0
    passed: int = 0
    unmatched: int = 0
    first_unmatched: int = 0
    open_quotes: int = 0
    first_open_quote: int = 0
    disputed: int = 0
    first_disputed: int = 0

    def add(self, message: ComposerMessage, queue: str = "") -> Group | None:
        """Count a message; its group where this is the first of it, or the first severe one of it."""
        self.messages += 1
        said = message.severity or SEVERITY.get(message.code[-1:], "error")
        group = self.groups.get((message.code, queue))
        if group is not None and (message.severity is None or RANK[said] <= RANK[group.severity]):
            group.add(message)
            return None
        severity = self.severity_of(message.code, said)
        if severity is None:
            if group is not None:
                group.add(message)
            return None
        key = (message.code, queue)
        if group is None and severity != "severe" and len(self.groups) >= CODES:
            key = (OTHER_CODES, "")
        group = self.groups.get(key)
        fresh = group is None
        if group is None:
            group = self.groups[key] = Group(key[0], severity, queue=key[1])
        elif RANK[severity] > RANK[group.severity]:
            group.severity, fresh = severity, severity == "severe"
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

    def is_unmatched(self, number: int, count: int = 1) -> None:
        """A line that is no message: counted, its number kept if it is the first."""
        self.unmatched += count
        self.first_unmatched = self.first_unmatched or number


def read_lines(lines: Iterable[tuple[int, str]], grouped: Grouped) -> Iterator[Group]:
    """Group a message file's lines; each group is given out once, when its first message is read.

    A line that is indented, or says nothing, goes on with the message before it. So does a further piece
    of a long line, which has the line's number.
    """
    before = False
    last = 0
    for number, line in lines:
        below = before and number != last and line[:1].isspace()
        messages = messages_of(line, goes_on=below) if "EX" in line else ()
        for message in messages:
            fresh = grouped.add(message)
            if fresh is not None:
                yield fresh
        if messages:
            before = True
        elif number != last and not below and line.strip(" \t\0\x1a\u3000"):
            grouped.is_unmatched(number)
            before = False
        last = number


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The engine's own figures of a run; None where it does not say. Of several the worst: the highest
    exit status and the most errors. `failed`: it says in words that the run did not succeed. `unclear`: it
    says how the run ended, but nobody here knows what that means."""

    exit_status: int | None = None
    errors: int | None = None
    customers: int | None = None
    failed: bool = False
    unclear: bool = False
