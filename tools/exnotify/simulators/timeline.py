"""What happens to an accepted message, and when the provider tells: the same for every provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .behaviours import Fate

HOUR = 3600.0
DAY = 86_400.0


class Step(StrEnum):
    """One thing that happens to a message after it was accepted."""

    SENT = "handed to the next hop"
    DELIVERED = "arrived"
    BOUNCED = "no such address"
    FULL = "mailbox full, or phone off"
    BLOCKED = "refused for its content"
    COMPLAINED = "the recipient complained, or said STOP"
    DELAYED = "still trying"
    EXPIRED = "given up trying"
    UNDETERMINED = "failed, and nobody says why"


@dataclass(frozen=True, slots=True)
class Moment:
    """A step: `happened` and `told` are seconds after the message was accepted."""

    step: Step
    happened: float
    told: float


def _at(step: Step, happened: float, told: float | None = None) -> Moment:
    return Moment(step, happened, happened if told is None else told)


_SENT = _at(Step.SENT, 1)
_DELIVERED = _at(Step.DELIVERED, 5)

TIMELINES: Final[Mapping[Fate, tuple[Moment, ...]]] = {
    Fate.DELIVERED: (_SENT, _DELIVERED),
    Fate.BOUNCED: (_SENT, _at(Step.BOUNCED, 6)),
    Fate.FULL: (_SENT, _at(Step.FULL, 8)),
    Fate.BLOCKED: (_SENT, _at(Step.BLOCKED, 7)),
    Fate.COMPLAINED: (_SENT, _DELIVERED, _at(Step.COMPLAINED, 2 * HOUR)),
    Fate.DELAYED: (_SENT, _at(Step.DELAYED, 300), _at(Step.DELIVERED, 6 * HOUR)),
    Fate.EXPIRED: (_SENT, _at(Step.DELAYED, 300), _at(Step.EXPIRED, 14 * HOUR)),
    Fate.BOUNCED_LATE: (_SENT, _DELIVERED, _at(Step.BOUNCED, DAY)),
    Fate.TWICE: (_SENT, _at(Step.SENT, 1, 2), _DELIVERED, _at(Step.DELIVERED, 5, 65)),
    Fate.DISORDERED: (_at(Step.DELIVERED, 5, 6), _at(Step.SENT, 1, 30)),
    Fate.UNCLEAR: (_SENT, _at(Step.UNDETERMINED, 7)),
    Fate.SILENT: (),
}
"""In the order in which the provider tells."""
