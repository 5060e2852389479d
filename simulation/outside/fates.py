"""What becomes of an accepted message, and what its provider reports of it, when and how often.

One table of fates and one of what happens to the reports. Both are drawn by kind, so that a history can be
told without them: then a message is delivered, and its receipts come once, in order, within seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from exnotify.simulators.timeline import DAY, HOUR, Moment, Step

from ..nature import Chance
from .accepted import Accepted


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a message: `arrives` so many seconds after its acceptance, None: never.

    `opened` is when a machine opens it, if one does.
    """

    kind: str
    arrives: float | None
    moments: tuple[Moment, ...]
    opened: float | None = None


def _fate(kind: str, arrives: float | None, *steps: tuple[Step, float]) -> Fate:
    return Fate(kind, arrives, tuple(Moment(step, at, at) for step, at in steps))


_SENT: Final = (Step.SENT, 1.0)
_DELIVERED: Final = (Step.DELIVERED, 5.0)

DELIVERED: Final = _fate("delivered", 5.0, _SENT, _DELIVERED)

FATES: Final[Sequence[Fate]] = (
    _fate("fate_silent", 5.0),
    _fate("fate_vanished", None),
    _fate("fate_vanished_after_sent", None, _SENT),
    _fate("fate_bounced", None, _SENT, (Step.BOUNCED, 6.0)),
    _fate("fate_full", None, _SENT, (Step.FULL, 8.0)),
    _fate("fate_undetermined", None, _SENT, (Step.UNDETERMINED, 7.0)),
    _fate("fate_blocked", None, _SENT, (Step.BLOCKED, 7.0)),
    _fate("fate_delayed", 6 * HOUR, _SENT, (Step.DELAYED, 300.0), (Step.DELIVERED, 6 * HOUR)),
    _fate("fate_expired", None, _SENT, (Step.DELAYED, 300.0), (Step.EXPIRED, 14 * HOUR)),
    _fate("fate_complained", 5.0, _SENT, _DELIVERED, (Step.COMPLAINED, 2 * HOUR)),
    _fate("fate_bounced_after_delivery", 5.0, _SENT, _DELIVERED, (Step.BOUNCED, DAY)),
    _fate("fate_full_after_delivery", 5.0, _SENT, _DELIVERED, (Step.FULL, 2 * HOUR)),
    _fate("fate_delivered_after_bounce", 90.0, _SENT, (Step.FULL, 8.0), (Step.DELIVERED, 90.0)),
    _fate("fate_contradicted", 5.0, _SENT, (Step.BOUNCED, 5.0), (Step.DELIVERED, 5.0)),
)

_BY_KIND: Final = {fate.kind: fate for fate in FATES}

OPENED_BY_MACHINE: Final = "receipt_opened_by_machine"
"""A scanner fetches the message's picture or link: the provider reports that it was opened."""

REPORTS: Final[Mapping[str, str]] = {
    "receipt_lost": "one report never comes",
    "receipt_twice": "one report comes again, a minute to a day later",
    "receipts_disordered": "all reports come in the reverse order",
    "receipts_early": "the first report is told before the caller has its answer",
    "receipts_late": "all reports come one to five days late",
    OPENED_BY_MACHINE: "a machine opens it before the customer can",
}
"""What happens to reports; of each message apart, or of each report."""


class Fates:
    """Draws and keeps each message's fate, by the message's name."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._known: dict[str, Fate] = {}

    def of(self, message: Accepted) -> Fate:
        """What becomes of a message, whenever asked for. Its moments are in the order of happening."""
        if (known := self._known.get(message.name)) is not None:
            return known
        kind = self._chance.which(_BY_KIND, message.name)
        found = _BY_KIND[kind] if kind else DELIVERED
        if found.arrives is not None and self._chance.happens(OPENED_BY_MACHINE, message.name):
            found = replace(found, opened=found.arrives + 2.0)
        self._known[message.name] = found
        return found

    def told(self, message: Accepted) -> list[Moment]:
        """The reports of a message in the order in which its provider sends them."""
        chance, name = self._chance, message.name
        moments = list(self.of(message).moments)
        if chance.happens("receipts_disordered", name):
            times = [moment.told + 25.0 for moment in moments]
            moments = [replace(m, told=at) for m, at in zip(reversed(moments), times, strict=True)]
        if moments and chance.happens("receipts_early", name):
            moments[0] = replace(moments[0], told=0.0)
        if chance.happens("receipts_late", name):
            late = chance.uniform(f"late {name}", DAY, 5 * DAY)
            moments = [replace(moment, told=moment.told + late) for moment in moments]
        found: list[Moment] = []
        for number, moment in enumerate(moments):
            if chance.happens("receipt_lost", f"{name} {number}"):
                continue
            found.append(moment)
            if chance.happens("receipt_twice", f"{name} {number}"):
                again = chance.uniform(f"again {name} {number}", 60.0, DAY)
                found.append(replace(moment, told=moment.told + again))
        return sorted(found, key=lambda moment: moment.told)
