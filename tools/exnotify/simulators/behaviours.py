"""Who misbehaves how: one table by address and number.

An e-mail address misbehaves by the start of its local part (`bounce@example.com`, `bounce-7@…`,
`bounce.anna@…`, `bounce12@…`), a number by its last two digits within +1 302 555 0100 to 0199,
which is reserved for fiction as the range of every area code is. Ordinary examples live at
+1 202 555 01xx and never misbehave.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Conduct(StrEnum):
    """What the provider does with the request."""

    ACCEPT = "accepts and answers"
    THROTTLE = "refuses: too many requests; nothing is sent"
    BUSY = "refuses the first try of a message like throttle, accepts the next"
    DOWN = "refuses: service unavailable; nothing is sent"
    REFUSE = "refuses the address; nothing is sent"
    BREAK = "accepts, then answers with an internal error"
    HANG = "accepts, then does not answer in time"
    DROP = "accepts, then drops the connection"
    VOID = "drops the connection; nothing is sent"
    GARBLE = "accepts, then answers with something unreadable"


class Fate(StrEnum):
    """What becomes of an accepted message: which receipts follow."""

    DELIVERED = "delivered"
    BOUNCED = "permanent bounce; SMS: number invalid"
    FULL = "mailbox full; SMS: unreachable"
    BLOCKED = "content rejected; SMS: blocked by the carrier"
    COMPLAINED = "delivered, then a complaint; SMS: delivered, then STOP"
    DELAYED = "delayed for hours, then delivered"
    EXPIRED = "delayed until the provider gives up"
    BOUNCED_LATE = "delivered, and a bounce a day later"
    TWICE = "delivered, every receipt comes twice"
    DISORDERED = "delivered, the receipts come in the wrong order"
    UNCLEAR = "a bounce that gives no reason; SMS: unknown error"
    SILENT = "no receipt ever comes"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One line of the table: the word that starts an address, the two digits that end a number."""

    word: str
    digits: str
    conduct: Conduct = Conduct.ACCEPT
    fate: Fate = Fate.DELIVERED


ORDINARY: Final = Behaviour("", "")
BEHAVIOURS: Final[tuple[Behaviour, ...]] = (
    Behaviour("throttle", "01", Conduct.THROTTLE),
    Behaviour("busy", "02", Conduct.BUSY),
    Behaviour("down", "03", Conduct.DOWN),
    Behaviour("refuse", "04", Conduct.REFUSE),
    Behaviour("break", "05", Conduct.BREAK),
    Behaviour("timeout", "06", Conduct.HANG),
    Behaviour("lost", "07", Conduct.DROP),
    Behaviour("void", "08", Conduct.VOID),
    Behaviour("garble", "09", Conduct.GARBLE),
    Behaviour("vanish", "10", Conduct.DROP, Fate.SILENT),
    Behaviour("bounce", "21", fate=Fate.BOUNCED),
    Behaviour("full", "22", fate=Fate.FULL),
    Behaviour("blocked", "23", fate=Fate.BLOCKED),
    Behaviour("complain", "24", fate=Fate.COMPLAINED),
    Behaviour("delay", "25", fate=Fate.DELAYED),
    Behaviour("expire", "26", fate=Fate.EXPIRED),
    Behaviour("latebounce", "27", fate=Fate.BOUNCED_LATE),
    Behaviour("twice", "28", fate=Fate.TWICE),
    Behaviour("disorder", "29", fate=Fate.DISORDERED),
    Behaviour("silent", "30", fate=Fate.SILENT),
    Behaviour("unclear", "31", fate=Fate.UNCLEAR),
)

_BY_WORD: Final[Mapping[str, Behaviour]] = {row.word: row for row in BEHAVIOURS}
_BY_DIGITS: Final[Mapping[str, Behaviour]] = {row.digits: row for row in BEHAVIOURS}
_WORD = re.compile(r"([a-z]+)(?=$|[0-9+._-])")
_NUMBER = re.compile(r"\+130255501([0-9]{2})")


def behaviour_of(address: str) -> Behaviour:
    """How whoever has this e-mail address or number (E.164) behaves."""
    number = _NUMBER.fullmatch(address)
    if number:
        return _BY_DIGITS.get(number[1], ORDINARY)
    word = _WORD.match(address.rpartition("@")[0].lower())
    return _BY_WORD.get(word[1], ORDINARY) if word else ORDINARY


def first_unusual(conducts: Iterable[Conduct]) -> Conduct:
    """How a request for several is met: by the first that misbehaves."""
    return next((conduct for conduct in conducts if conduct is not Conduct.ACCEPT), Conduct.ACCEPT)
