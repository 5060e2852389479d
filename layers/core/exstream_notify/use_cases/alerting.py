"""What telling teams takes."""

from collections.abc import Callable
from dataclasses import dataclass

from ..ports import AlertChannels, AlertRules, Clock, DueIndex, Incidents

TRIES = 8
"""How often a write is tried that others keep overtaking."""


class IncidentBusy(Exception):
    """Other workers kept writing the incident's head: try again later."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """What telling takes; `link_for` makes an incident's signed link, `last_customer` says the number of a
    run's last customer, 0 if that is not known."""

    rules: AlertRules
    incidents: Incidents
    channels: AlertChannels
    due: DueIndex
    clock: Clock
    link_for: Callable[[str], str]
    last_customer: Callable[[str, str], int] = lambda domain, run_id: 0

    def now(self) -> str:
        """Now, as it is stored."""
        return self.clock.now().isoformat(timespec="seconds")
