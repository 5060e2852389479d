"""A circuit breaker: a provider that keeps failing is left alone for a while."""

from dataclasses import dataclass

from .elapsed import lasts


@dataclass(slots=True)
class Breaker:
    """Opens after `threshold` failures in a row; after `rest` seconds lets one try through."""

    threshold: int = 5
    rest: float = 60.0
    failures: int = 0
    opened_at: float = 0.0

    def is_open(self, now: float) -> bool:
        """Whether to leave the provider alone at `now` (epoch seconds)."""
        return self.failures >= self.threshold and lasts(self.opened_at, self.rest, now)

    def failed(self, now: float) -> None:
        """Count a failure; the one that reaches the threshold, and each after it, opens."""
        self.failures += 1
        if self.failures >= self.threshold:
            self.opened_at = now

    def succeeded(self) -> None:
        """Close."""
        self.failures = 0
