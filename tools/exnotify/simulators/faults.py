"""Faults of a whole provider, switched at run time; chance comes from a seed, not from threads' order."""

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What goes wrong with one request."""

    DOWN = "down"
    THROTTLE = "throttle"
    HANG = "hang"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """Shares are of requests, 0 to 1; `slow` is seconds before every answer."""

    down: bool = False
    throttle: float = 0.0
    hang: float = 0.0
    drop: float = 0.0
    slow: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range; ValueError."""
        if not isinstance(self.down, bool):
            raise ValueError("down is true or false")
        for name, most in (("throttle", 1.0), ("hang", 1.0), ("drop", 1.0), ("slow", 300.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ValueError(f"{name} is between 0 and {most}")
        if self.throttle + self.hang + self.drop > 1:
            raise ValueError("the shares add up to more than 1")


class Faults:
    """The faults of each provider; safe under threads.

    Whether a request meets one depends on the seed, the provider, what is sent, and how often it was
    sent before: so a run repeats, whatever the order in which threads happen to send.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._settings: dict[str, FaultSettings] = {}
        self._tries: Counter[bytes] = Counter()

    def of(self, provider: str) -> FaultSettings:
        """What is switched on for a provider."""
        with self._lock:
            return self._settings.get(provider, FaultSettings())

    def set(self, provider: str, **changes: Any) -> FaultSettings:
        """Change some settings of a provider; ValueError for unknown names and values out of range."""
        known = {field.name for field in fields(FaultSettings)}
        if set(changes) - known:
            raise ValueError(
                f"unknown fault {sorted(set(changes) - known)[0]!r}; known: {', '.join(sorted(known))}"
            )
        with self._lock:
            settings = replace(self._settings.get(provider, FaultSettings()), **changes)
            self._settings[provider] = settings
            return settings

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._settings.clear()

    def all(self) -> Mapping[str, FaultSettings]:
        """What is switched on, by provider."""
        with self._lock:
            return dict(self._settings)

    def draw(self, provider: str, sent: bytes) -> Fault | None:
        """What goes wrong with this request, if anything."""
        with self._lock:
            settings = self._settings.get(provider)
            if settings is None:
                return None
            if settings.down:
                return Fault.DOWN
            if not settings.throttle + settings.hang + settings.drop:
                return None
            identity = hashlib.sha256(f"{self._seed}\0{provider}\0".encode() + sent).digest()
            self._tries[identity] += 1
            rolled = hashlib.sha256(identity + str(self._tries[identity]).encode()).digest()
        chance = int.from_bytes(rolled[:8], "big") / 2**64
        for fault, share in (
            (Fault.THROTTLE, settings.throttle),
            (Fault.HANG, settings.hang),
            (Fault.DROP, settings.drop),
        ):
            if chance < share:
                return fault
            chance -= share
        return None
