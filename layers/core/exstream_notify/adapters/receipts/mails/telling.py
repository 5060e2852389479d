"""What is told of one recipient: its kind by the table of verdicts, its code, its reason without a name."""

import re
from dataclasses import dataclass, field
from typing import Final

from ....domain.reasons import scrubbed
from ....domain.receipts import Kind
from ....domain.verdicts import Report, Verdicts
from .reports import Row

NOTES: Final = 1_500
"""Characters of a mailer's own sentences that are judged."""

ENHANCED: Final = re.compile(r"(?<![\d.])([45]\.[0-7]\.\d{1,3})(?![\d.]*\d)")
SMTP: Final = re.compile(r"(?<![\d.\-/:@])([45][0-7][0-9])(?=[\s\-#:>]|$)")
"""Codes of failures: RFC 3463, and replies of RFC 5321."""

_ARRIVED: Final = ("delivered", "expanded")


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail says of one recipient. `address` is as written, empty where it is not.

    `also` are other addresses that the report gives the same recipient, and those that they stand for.
    """

    kind: Kind
    address: str = field(default="", repr=False)
    code: str = ""
    reason: str = ""
    also: tuple[str, ...] = field(default=(), repr=False)


def judged(row: Row, verdicts: Verdicts, text: str) -> Told:
    """What a row tells; `text` is what the mailer wrote itself, for where the answer has no words."""
    notes = text[:NOTES] if row.is_mute else ""
    return Told(
        _kind(row, verdicts, notes),
        row.address,
        _code(row),
        scrubbed(row.answer, address=row.address),
        row.also,
    )


def _kind(row: Row, verdicts: Verdicts, notes: str) -> Kind:
    if row.action == "delayed" or (row.waits and not row.action):
        return Kind.DELAYED
    if row.action == "relayed":
        return Kind.SENT
    if row.action in _ARRIVED or (row.action != "failed" and row.status.startswith("2.")):
        return Kind.DELIVERED
    answer = verdicts.certain(row.answer) if row.own else row.answer
    return verdicts.kind_of(Report("email", answer, row.status, notes))


def _code(row: Row) -> str:
    """The remote server's code, else the reporter's, else the reply's three digits."""
    found = ENHANCED.search(row.answer) or ENHANCED.search(row.status) or SMTP.search(row.answer)
    return found[1] if found else row.status.partition(" ")[0][:10]
