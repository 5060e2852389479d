"""The same messages in several files of a run (`.dat`, `.gz`, `.xml`) count once, by what they say."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .exceptions import ExceptionRaised, mark

if TYPE_CHECKING:
    from .composer_messages import Group
    from .incidents import Report

_ENDINGS = re.compile(r"(?:\.(?:gz|dat|xml|txt|json|jsonl|messages|csv|psv|log))+$")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?![0-9:])")


def stem_of(name: str) -> str:
    """A file's name without what its form adds, in small letters."""
    return _ENDINGS.sub("", name.lower())


def clock_of(at: str) -> str:
    """Minutes and seconds of a time, which do not depend on its zone; empty if it has none."""
    found = _CLOCK.search(at)
    return f"{found[1]}{found[2]}" if found else ""


def content_of(group: "Group", name: str) -> str:
    """What a report says of the messages that it counts: the mark of its file's stem, the first one's
    minutes and seconds, and the marks of the first ones."""
    return f"{mark(stem_of(name))}/{clock_of(group.first)}/{','.join(group.heads)}"


def told_once(reports: Sequence["Report"]) -> list["Report"]:
    """The reports without those whose messages another one of the same code and run counts too.

    Files of one stem hold the same messages if one begins as the other does, so that a file that was read
    half written gives way to its whole twin. Files of other names do if count, customers and beginning
    are equal. The times of the first messages must not differ.
    """
    seen: dict[tuple[str, ...], list[Report]] = {}
    again: set[int] = set()
    for report in sorted(reports, key=lambda r: -r.exception.count):
        told = report.exception
        if told.content and told.count:
            others = seen.setdefault((told.domain, told.run_id, told.code, told.queue), [])
            if any(_holds(other, report) for other in others):
                again.add(id(report))
            else:
                others.append(report)
    return [report for report in reports if id(report) not in again]


def _holds(whole: "Report", other: "Report") -> bool:
    """Whether the messages of the second are among those of the first, which counts no fewer."""
    stem, clock, heads = _parts(whole.exception)
    other_stem, other_clock, other_heads = _parts(other.exception)
    if clock and other_clock and clock != other_clock:
        return False
    if stem == other_stem:
        return heads[: len(other_heads)] == other_heads
    same = (whole.exception.count, whole.customers) == (other.exception.count, other.customers)
    return same and heads == other_heads


def _parts(told: ExceptionRaised) -> tuple[str, str, list[str]]:
    stem, clock, heads = told.content.rsplit("/", 2)
    return stem, clock, heads.split(",")
