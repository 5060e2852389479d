"""Time and chance of a simulated world: everything that a seed decides.

Chance has no state. A draw depends on the seed and on the name of what is drawn alone, so that a fault taken
away leaves all others where they were: that is what makes a failing history small enough to read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_ALL = float(2**64)


class Chance:
    """Draws from a seed. `rates`: share of the occasions of each kind of fault at which it happens.

    `allowed`: just these faults happen, by name, whatever the rates say; None: as drawn. `places`: kinds that
    happen only where this pattern is found in the occasion's name. `happened`: those that did, in order.
    """

    def __init__(
        self,
        seed: str,
        rates: Mapping[str, float] | None = None,
        allowed: frozenset[str] | None = None,
        places: Mapping[str, str] | None = None,
    ) -> None:
        self.seed = seed
        self.rates = dict(rates or {})
        self._places = {kind: re.compile(text) for kind, text in (places or {}).items()}
        self.allowed = allowed
        self.happened: list[str] = []
        self.calm = False
        """No more faults: the world is let come to rest."""

    def happens(self, kind: str, where: str, rate: float | None = None) -> bool:
        """Whether a fault of this kind happens here; `where` names the occasion, once in a history.

        `rate`: its share just now, where that is not the history's.
        """
        name = f"{kind} {where}"
        rate = self._rate(kind, where, self.rates) if rate is None else rate
        if self.calm or not self._is_to_happen(name, rate):
            return False
        self.happened.append(name)
        return True

    def _is_to_happen(self, name: str, rate: float) -> bool:
        if self.allowed is not None:
            return name in self.allowed
        return bool(rate) and self._draw(f"fault {name}") < rate

    def which(self, kinds: Iterable[str], where: str, rates: Mapping[str, float] | None = None) -> str | None:
        """The one of these kinds of fault that happens here, if one does; the first have their share first.

        One draw decides between them all. `rates`: their shares just now, where they are not the history's.
        """
        if self.allowed is not None:
            return next((kind for kind in kinds if self.happens(kind, where)), None)
        known = self.rates if rates is None else rates
        shares = [(kind, rate) for kind in kinds if (rate := self._rate(kind, where, known))]
        if self.calm or not shares:
            return None
        left = self._draw(f"which {where}")
        for kind, rate in shares:
            left -= rate
            if left < 0:
                return kind if self.happens(kind, where, 1.0) else None
        return None

    def _rate(self, kind: str, where: str, rates: Mapping[str, float]) -> float:
        """The share of a kind, none where it does not happen in this place."""
        rate = rates.get(kind, 0.0)
        here = not rate or kind not in self._places or self._places[kind].search(where)
        return rate if here else 0.0

    def uniform(self, what: str, low: float, high: float) -> float:
        """A number from `low` to below `high`."""
        return low + (high - low) * self._draw(what)

    def below(self, what: str, bound: int) -> int:
        """A whole number from 0 to below `bound`."""
        return int(self._draw(what) * bound)

    def one_of(self, what: str, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(what, len(choices))]

    def likely(self, what: str, share: float) -> bool:
        """True in so many of all cases; no fault, so it stays when faults are taken away."""
        return self._draw(what) < share

    def _draw(self, what: str) -> float:
        digest = blake2b(f"{self.seed}\0{what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / _ALL


class Timeline:
    """The world's clock, in epoch seconds, and what is to happen when. Time passes from event to event."""

    def __init__(self, start: float) -> None:
        self.now = start
        self.until = start
        """How far time may pass by itself: whoever lets the world go on up to a moment says so."""

        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Have it happen at a moment, or at once if that is over; at one moment in the order of asking."""
        self._number += 1
        heapq.heappush(self._events, (max(moment, self.now), self._number, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Have something happen in so many seconds."""
        self.at(self.now + seconds, act)

    def pass_by(self, seconds: float) -> bool:
        """Let time pass at once if nothing happens meanwhile; False if something does, or nobody knows."""
        moment = self.now + max(seconds, 0.0)
        if moment > self.until or (self._events and self._events[0][0] <= moment):
            return False
        self.now = moment
        return True

    def next(self) -> float | None:
        """When the next thing happens."""
        return self._events[0][0] if self._events else None

    def step(self) -> bool:
        """Let the next thing happen; False if there is nothing more."""
        if not self._events:
            return False
        self.now, _, act = heapq.heappop(self._events)
        act()
        return True


@dataclass(slots=True)
class Nature:
    """What a service sees of the world. `place` names the service call under way, once in a history."""

    timeline: Timeline
    chance: Chance
    place: str = ""

    def fault(self, kind: str) -> bool:
        """Whether the call under way meets a fault of this kind."""
        return self.chance.happens(kind, self.place)
