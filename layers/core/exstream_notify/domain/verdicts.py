"""Why a message was not delivered, as far as a report proves it: evidence, read by one table.

A verdict about the address silences a customer for good, so it needs evidence about the address. The remote
server's own answer outranks the reporter's summary (RFC 3464, 2.3.4 and 2.3.6), and explicit words outrank the
code beside them, because large sites send reputation and rate refusals with codes as specific as 5.1.1.
Class 4 is never permanent (RFC 3463, 2), whatever a table says.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

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
    `ses:Permanent` for its other subtypes). A phrase may have `*` for up to 60 characters. `beside` limits the
    words to reports with one of these codes; `none` stands for no RFC 3463 code.
    """

    group: Group
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


KINDS: Final[Mapping[Channel, Mapping[Group, Kind]]] = {
    channel: {
        Group.ADDRESS: Kind.HARD_BOUNCE,
        Group.TEMPORARY: Kind.SOFT_BOUNCE,
        Group.NETWORK: Kind.GAVE_UP,
        Group.CONTENT: Kind.CONTENT_REFUSED,
        Group.POLICY: refused,
        Group.OURS: Kind.OUR_FAULT,
        Group.UNCLEAR: Kind.NOT_DELIVERED,
    }
    for channel, refused in (("email", Kind.POLICY_REFUSED), ("sms", Kind.CARRIER_REFUSED))
}  # type: ignore[assignment]

TEXT_LIMIT: Final = 2_000
"""Characters of an answer or of notes that are read."""

_ENHANCED = re.compile(r"(?<![\d.])([245])\.([0-7])\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\w./@+-])([45])[0-7]\d(?!\w|[./@]\w)")
_PROVIDED = re.compile(r"[a-z]+:\S+", re.IGNORECASE)
_NAMES = re.compile(
    r"(?i:https?://\S+)|\S*@[\w.-]+|(?<![\w.])(?:[\w-]+\.)+(?:[a-z]{2,7}|[A-Z]{2,7}|\d{1,3})\.?(?![\w.])"
)
"""Links, addresses and hosts, whose names are not words of the answer (`mx1.antispam.example`)."""

_FRAGMENT = re.compile(r"\s*\*\s*")


def _plain(text: str) -> str:
    named = _NAMES.sub(" ", text[:TEXT_LIMIT]).lower().replace("\u2019", "'").replace("_", " ")
    return " ".join(named.split())


def _codes(text: str) -> list[str]:
    found = [".".join(match.groups()) for match in _ENHANCED.finditer(text[:TEXT_LIMIT])]
    return [code for code in found if code[0] != "2"]


def _classes(text: str, channel: Channel) -> set[str]:
    """The classes of all codes in a text: `4` is temporary; bare replies count in mail alone."""
    text = text[:TEXT_LIMIT]
    replies = _REPLY.finditer(_NAMES.sub(" ", text)) if channel == "email" else ()
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
    """One expression for many phrases; a phrase that starts with a letter or digit starts a word."""
    parts = []
    for phrase in phrases:
        plain = " ".join(phrase.lower().split())
        pieces = [re.escape(piece).replace(r"\ ", " ") for piece in _FRAGMENT.split(plain)]
        start = r"(?<![a-z0-9])" if plain[0].isascii() and plain[0].isalnum() else ""
        end = r"(?![a-z0-9])" if len(plain) <= 4 and plain.isascii() and plain[-1].isalnum() else ""
        parts.append(start + ".{0,60}?".join(pieces) + end)
    return re.compile("|".join(parts))


@dataclass(frozen=True)
class Table:
    """The rows of one channel from one file; the first row whose words are found decides, then codes do."""

    rows: tuple[Row, ...]

    @cached_property
    def _worded(self) -> list[tuple[Group, re.Pattern[str], frozenset[str]]]:
        return [(r.group, pattern_of(r.words), frozenset(r.beside)) for r in self.rows if r.words]

    @cached_property
    def _coded(self) -> Mapping[str, Group]:
        return {code.lower(): row.group for row in reversed(self.rows) for code in row.codes}

    def by_words(self, text: str, beside: Sequence[str]) -> Group | None:
        """The group that the words of a text prove, beside these codes."""
        near = {spelling for code in beside for spelling in _spellings(code)} or {"none"}
        for group, pattern, needed in self._worded:
            if (not needed or needed & near) and pattern.search(text):
                return group
        return None

    def by_codes(self, codes: Iterable[str]) -> Group | None:
        """The group of the first code that the table knows."""
        for code in codes:
            for spelling in _spellings(code):
                if group := self._coded.get(spelling.lower()):
                    return group
        return None


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
        if group is Group.ADDRESS and _is_temporary(report):
            return Group.TEMPORARY
        return group

    def _read(self, report: Report) -> Group:
        own, summary = _codes(report.answer), _codes(report.status)
        noted = _codes(report.notes)
        codes = own or summary or noted
        provided = _PROVIDED.findall(report.status)
        steps = (
            (_plain(report.answer), own, codes),
            (_plain(report.status) if report.channel == "sms" else "", [*summary, *provided], codes),
            (_plain(self._certain(report.notes)), noted, codes),
        )
        for number, (text, found, beside) in enumerate(steps):
            group = self._by_tables(report.channel, text, found, beside)
            supposed = number == len(steps) - 1 and report.answer.strip()
            if group is not None and not (supposed and group is Group.ADDRESS):
                return group
        return Group.UNCLEAR

    def _by_tables(
        self, channel: Channel, text: str, codes: Sequence[str], beside: Sequence[str]
    ) -> Group | None:
        for tables in self._tables:
            if (table := tables.get(channel)) is None:
                continue
            group = (table.by_words(text, beside) if text else None) or table.by_codes(codes)
            if group is not None:
                return group
        return None

    def _certain(self, notes: str) -> str:
        """The sentences that state something; "often the address does not exist" states nothing."""
        if self._doubts is None:
            return notes
        sentences = re.split(r"(?<=[.!?;。！？])\s+|\n\s*\n", notes[:TEXT_LIMIT])
        return "\n".join(s for s in sentences if not self._doubts.search(" ".join(s.lower().split())))


def _is_temporary(report: Report) -> bool:
    """Whether the first evidence that has a class at all has class 4 somewhere."""
    for text in (report.answer, report.status, report.notes):
        if classes := _classes(text, report.channel):
            return "4" in classes
    return False
