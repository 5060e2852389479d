"""What a piece of work used: service calls by operation, and the units that AWS bills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Usage:
    """Calls by `service.Operation` (`dynamodb.PutItem`), billed units by the names of `bench.prices`."""

    calls: Counter[str] = field(default_factory=Counter)
    units: dict[str, float] = field(default_factory=dict)

    def call(self, operation: str, times: int = 1) -> None:
        """Count calls."""
        self.calls[operation] += times

    def bill(self, unit: str, amount: float) -> None:
        """Add to a unit."""
        self.units[unit] = self.units.get(unit, 0.0) + amount

    def copy(self) -> Usage:
        """The state now, to subtract later."""
        return Usage(Counter(self.calls), dict(self.units))

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        total = Usage(self.calls + other.calls, dict(self.units))
        for unit, amount in other.units.items():
            total.bill(unit, amount)
        return total

    def __sub__(self, earlier: Usage) -> Usage:
        """What was used since `earlier`."""
        units = {unit: amount - earlier.units.get(unit, 0.0) for unit, amount in self.units.items()}
        return Usage(self.calls - earlier.calls, {unit: amount for unit, amount in units.items() if amount})

    def calls_of(self, service: str) -> int:
        """Calls of one service."""
        return sum(times for name, times in self.calls.items() if name.split(".", 1)[0] == service)

    def per(self, notices: int) -> Mapping[str, float]:
        """Calls by operation, per notice."""
        return {name: times / notices for name, times in sorted(self.calls.items())}
