"""Record an exception as part of its incident."""

from typing import Protocol

from ..domain.exceptions import ExceptionRaised
from ..ports import Clock


class AlertRules(Protocol):
    """Which team an exception belongs to."""

    def alert(self, code: str) -> tuple[str, str]:
        """Team and code family."""


class Incidents(Protocol):
    """Where incidents are kept."""

    def record(self, exception: ExceptionRaised, team: str, family: str, at: str) -> str:
        """Store one report; the incident's id."""


def record_incident(
    exception: ExceptionRaised, *, rules: AlertRules, incidents: Incidents, clock: Clock
) -> str:
    """Record one report; a repeat replaces itself. The incident's id."""
    team, family = rules.alert(exception.code)
    return incidents.record(exception, team, family, clock.now().isoformat(timespec="seconds"))
