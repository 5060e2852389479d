"""Why a message was not delivered, as far as a report proves it: evidence, read by one table.

A verdict about the address silences a customer for good, so it needs evidence about the address. The remote
server's own answer outranks the reporter's summary (RFC 3464, 2.3.4 and 2.3.6). Explicit words outrank the
code beside them: large sites send reputation and rate refusals with codes as exact as 5.1.1. Class 4 is never
permanent (RFC 3463, 2), whatever a table says.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Literal

from .documents import Channel
from .receipts import Kind


class Group(StrEnum):
    """What stood in the way. Only `ADDRESS` is about the address, and only it suppresses for good."""

    ADDRESS = "address"
    TEMPORARY = "temporary"
    NETWORK = "network"
    CONTENT = "content"
    POLICY = "policy"
    OURS = "ours"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says of one recipient that a message was certainly not delivered to.

    `answer` is the remote server's own reply, or a carrier's words; `status` the reporter's summary: codes
    (RFC 3463, RFC 5321) and a provider's type such as `ses:Permanent/NoEmail`, parted by spaces; `notes` the
    reporter's own sentences, the weakest evidence.
    """

    channel: Channel
    answer: str = field(default="", repr=False)
    status: str = ""
    notes: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the group of reports with one of the codes, or with one of the words.

    A code is exact (`5.1.1`), has `x` for any number (`x.2.2`), or is a provider's (`ses:Permanent/NoEmail`;
    `ses:Permanent` for its other subtypes). A phrase may have `*` for up to 60 characters, and `~` for
    nothing or forms of to be. `beside` limits the words to reports whose codes are all among these (`none`:
    no RFC 3463 code at all), `only` to answers.
    """

    group: Group
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    only: Literal["answer"] | None = None


_MAIL_KINDS: Final[Mapping[Group, Kind]] = {
    Group.ADDRESS: Kind.HARD_BOUNCE,
    Group.TEMPORARY: Kind.SOFT_BOUNCE,
    Group.NETWORK: Kind.GAVE_UP,
    Group.CONTENT: Kind.CONTENT_REFUSED,
    Group.POLICY: Kind.POLICY_REFUSED,
    Group.OURS: Kind.OUR_FAULT,
    Group.UNCLEAR: Kind.NOT_DELIVERED,
}

KINDS: Final[Mapping[Channel, Mapping[Group, Kind]]] = {
    "email": _MAIL_KINDS,
    "sms": {**_MAIL_KINDS, Group.POLICY: Kind.CARRIER_REFUSED},
}

TEXT_LIMIT: Final = 1_000
"""Characters of an answer or of notes in which words are looked for; codes are looked for in all of it."""

_ENHANCED: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_REPLY: Final = re.compile(r"(?<![\w./@+-])([45])\d\d(?=[\s\-:#;,)\"'!?]|\.(?!\w)|$)")
_PROVIDED: Final = re.compile(r"[a-z]{2,20}:\S+", re.IGNORECASE)
"""A provider's type: `ses:Permanent/NoEmail`."""

_MASKED: Final = (
    (re.compile(r"(?<![\w.+-])[^\s<>()\[\]:;,\"@]{1,64}@[\w-]+(?:\.[\w-]+)*"), "(address)"),
    (re.compile(r"(?<![\w.@/-])(?:[\w-]+\.)+(?:[a-z]{2,7}|[A-Z]{2,7})(?![\w@/-]|\.\w)"), "(host)"),
    (re.compile(r"(?<![?&]ip=)(?<![\w./])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"), "(ip)"),
    (re.compile(r"(?<![\w:])(?:[\da-f]{0,4}:){3,7}[\da-f]{1,4}(?![\w:])", re.IGNORECASE), "(ip)"),
    (re.compile(r"\(host\)\s?[\[(]\(ip\)[\])]"), "(host)"),
)
"""Names are not words of an answer (`mx1.antispam.example`); the remote host's number goes with its name."""

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])\s*|\n\s*\n")
_LIST_BEGINS: Final = re.compile(r"[:：]\s{0,9}(?:\d{1,2}[.)]|[-*•·])?\s*$")

_NO_SPACES: Final = "\u2e80"
"""From here on scripts that put no spaces between words."""

_TO_BE: Final = "is|was|are|were|(?:has|have|had) been|been|being|currently|now|already|permanently"
_GAPS: Final[Mapping[str, str]] = {
    "*": "[^.;!?]{0,60}?",
    "~": rf"[>'\"\])]{{0,3}}(?: (?:{_TO_BE})){{0,4}} ",
}
_GAP: Final = re.compile(r"\s*([*~])\s*")


def _expression(phrase: str) -> str:
    """A phrase as a regular expression; `*` and `~` stand for what `Row` says."""
    pieces = _GAP.split(phrase)
    texts = (_GAPS[p] if n % 2 else re.escape(p).replace(r"\ ", " ") for n, p in enumerate(pieces))
    return "".join(texts)


def _plain(text: str) -> str:
    text = text[:TEXT_LIMIT]
    for pattern, mask in _MASKED:
        text = pattern.sub(mask, text)
    return " ".join(text.lower().replace("\u2019", "'").replace("_", " ").split())


def _codes(text: str) -> list[str]:
    """The RFC 3463 codes of failures in a text."""
    return [".".join(match.groups()) for match in _ENHANCED.finditer(text) if match[1] != "2"]


def _exact(codes: list[str]) -> list[str]:
    """The codes that a text is about: one of detail 0 tells only its subject, and gives way to any other."""
    return [code for code in codes if not code.endswith(".0")] or codes


def _classes(text: str, channel: Channel) -> set[str]:
    """The classes of all codes in a text: `4` is temporary; bare replies count in mail alone."""
    replies = _REPLY.finditer(_MASKED[0][0].sub("", text)) if channel == "email" else ()
    found = {code[0] for code in _codes(text)} | {match[1] for match in replies}
    return found | {"4" for code in _PROVIDED.findall(text) if code.lower().startswith("ses:transient")}


def _spellings(code: str) -> Iterable[str]:
    """How a table may write a code, the most exact spelling first."""
    if ":" in code:
        return code, code.partition("/")[0]
    kind, subject, detail = code.split(".")
    return (
        code, f"x.{subject}.{detail}", f"{kind}.{subject}.x", f"x.{subject}.x", f"{kind}.x.x", "x.x.x",
    )  # fmt: skip


def pattern_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """One expression for many phrases. Each starts a word; one of four letters or fewer is a whole word,
    unless it ends with `*`. Scripts without spaces are found anywhere."""
    words: list[str] = []
    anywhere: list[str] = []
    for phrase in phrases:
        plain = " ".join(phrase.lower().split())
        short = len(plain) <= 4 and plain.isascii() and plain[-1].isalnum()
        starts_word = plain[0].isalnum() and plain[0] < _NO_SPACES
        kind = words if starts_word else anywhere
        kind.append(_expression(plain.rstrip("* ")) + (r"(?![a-z0-9])" if short else ""))
    # The look behind stands in front of all, so that most places of a text are passed over at once.
    parts = [rf"(?<![a-z0-9\u00df-\u024f\u0370-\u052f])(?:{'|'.join(words)})"] if words else []
    return re.compile("|".join(parts + anywhere))


@dataclass(frozen=True)
class Table:
    """The rows of one channel from one file; the first row whose words are found decides, then codes do."""

    rows: tuple[Row, ...]

    @cached_property
    def _worded(self) -> list[tuple[Row, re.Pattern[str]]]:
        return [(row, pattern_of(row.words)) for row in self.rows if row.words]

    @cached_property
    def _coded(self) -> Mapping[str, Group]:
        return {code.lower(): row.group for row in reversed(self.rows) for code in row.codes}

    def by_words(self, text: str, beside: Sequence[str], *, answer: bool) -> Group | None:
        """The group that the words of an answer, or of other sentences, prove beside these codes."""
        near = [set(_spellings(code)) for code in beside] or [{"none"}]
        for row, pattern in self._worded:
            fits = not row.beside or all(spellings.intersection(row.beside) for spellings in near)
            if fits and (answer or not row.only) and pattern.search(text):
                return row.group
        return None

    def by_codes(self, codes: Iterable[str]) -> Group | None:
        """What the codes of a text prove: about the address only where none of them says anything else."""
        found = [group for code in codes if (group := self._by_code(code))]
        return next((group for group in found if group is not Group.ADDRESS), found[0] if found else None)

    def _by_code(self, code: str) -> Group | None:
        spellings = (self._coded.get(spelling.lower()) for spelling in _spellings(code))
        return next((group for group in spellings if group), None)


TableOfChannel = Mapping[Channel, Table]


class Verdicts:
    """The tables in force, a site's own in front; `doubts` are words of sentences that only suppose."""

    def __init__(self, *tables: TableOfChannel, doubts: Sequence[str] = ()) -> None:
        self._tables = tables
        self._doubts = pattern_of(doubts) if doubts else None

    def kind_of(self, report: Report) -> Kind:
        """The kind of receipt that a report makes."""
        return KINDS[report.channel][self.group_of(report)]

    def group_of(self, report: Report) -> Group:
        """What a report proves; `UNCLEAR` where it proves no reason."""
        group = self._read(report)
        open_to_class = group in (Group.ADDRESS, Group.UNCLEAR)
        return Group.TEMPORARY if open_to_class and _is_temporary(report) else group

    def _read(self, report: Report) -> Group:
        """The answer decides, else the summary, else the notes; beside an answer notes prove no `ADDRESS`."""
        answer, notes = report.answer, self.certain(report.notes)
        own, summary, noted = _codes(answer), _codes(report.status), _codes(report.notes)
        beside = _exact(own or summary or noted)
        states = _PROVIDED.sub(" ", report.status) if report.channel == "sms" else ""
        tables = [table for tables in self._tables if (table := tables.get(report.channel))]
        for text, codes in ((answer, own), (states, [*summary, *_PROVIDED.findall(report.status)])):
            if group := _by_tables(tables, text, codes, beside, answer=True):
                return group
        group = _by_tables(tables, notes, noted, beside, answer=False)
        return group if group and not (group is Group.ADDRESS and answer.strip()) else Group.UNCLEAR

    def certain(self, text: str) -> str:
        """The sentences that state something; "often the address does not exist" states nothing.

        Nor does what follows such a sentence that ends with a colon: it is a list of what may be the reason.
        """
        if self._doubts is None:
            return text
        stated: list[str] = []
        supposes = False
        for sentence in _SENTENCE_ENDS.split(text[:TEXT_LIMIT]):
            supposes = supposes or self._doubts.search(" ".join(sentence.lower().split())) is not None
            if not supposes:
                stated.append(sentence)
            elif _LIST_BEGINS.search(sentence):
                break
            supposes = supposes and sentence.rstrip().endswith((";", "；"))
        return "\n".join(stated)


def _by_tables(
    tables: Sequence[Table], text: str, codes: Sequence[str], beside: Sequence[str], *, answer: bool
) -> Group | None:
    plain = _plain(text)
    for table in tables:
        if group := table.by_words(plain, beside, answer=answer) or table.by_codes(codes):
            return group
    return None


def _is_temporary(report: Report) -> bool:
    """Whether the first evidence that has a class at all has class 4 somewhere."""
    for text in (report.answer, report.status, report.notes):
        if classes := _classes(text, report.channel):
            return "4" in classes
    return False
