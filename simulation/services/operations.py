"""What the simulated services share: operations by name, ids and faults that have names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from ..nature import Nature

ACCOUNT = "123456789012"
REGION = "us-east-1"

Request = dict[str, Any]
Answer = dict[str, Any]
Operation = tuple[Callable[[Request], Answer], frozenset[str]]
"""What carries an operation out, and the parameters that it knows."""


class Simulated:
    """A `Service` with a table of its operations. Ids come from the place of the call, never from a counter
    of the world, so that they stay when something else is taken away."""

    name = ""

    def __init__(self, nature: Nature) -> None:
        self.nature = nature
        self._operations: Mapping[str, Operation] = {}
        self._named: dict[str, int] = {}

    def call(self, operation: str, request: Request) -> Answer:
        """See `Service.call`."""
        known = self._operations.get(operation)
        if known is None:
            raise NotImplementedError(f"{self.name}: {operation}")
        carry_out, parameters = known
        if not request.keys() <= parameters:
            unknown = ", ".join(sorted(request.keys() - parameters))
            raise NotImplementedError(f"{self.name}: {operation} with {unknown}")
        return carry_out(request)

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.nature.timeline.now

    def utc(self, moment: float | None = None) -> datetime:
        """A moment as botocore gives one, now by default."""
        return datetime.fromtimestamp(self.now if moment is None else moment, UTC)

    def new_name(self, what: str) -> str:
        """A name for something that the call under way makes, once in a history."""
        name = f"{self.name} {what} {self.nature.place}"
        count = self._named[name] = self._named.get(name, 0) + 1
        return f"{name} {count}"

    def new_uuid(self, what: str) -> str:
        """An id for something that the call under way makes."""
        return str(UUID(self.hexadecimal(self.new_name(what), 16)))

    def hexadecimal(self, name: str, size: int) -> str:
        """So many bytes that a name stands for in this history, in hexadecimal digits."""
        return blake2b(f"{self.nature.chance.seed}\0{name}".encode(), digest_size=size).hexdigest()

    def fault(self, kind: str, what: str) -> bool:
        """Whether a fault of this kind happens to one of the things that the call under way is about."""
        return self.nature.chance.happens(kind, f"{self.nature.place} {what}")


def known(*names: str) -> frozenset[str]:
    """The parameters of an operation."""
    return frozenset(names)
