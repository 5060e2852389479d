"""Stand-ins for the notification providers, for one machine: OpenText Notifications, SES v2, SMS v2.

Each is a WSGI application that checks requests as strictly as what is public about the provider
allows, keeps what it accepted in a `MessageStore`, and behaves by address and number as the one table
of `behaviours` says. `Simulators` puts them together.
"""

from .behaviours import BEHAVIOURS, Behaviour, Conduct, Fate, behaviour_of
from .faults import Fault, Faults, FaultSettings
from .receipts import Receipt, receipts
from .serve import running
from .simulators import Simulators
from .store import MessageStore, SimulatedMessage

__all__ = [
    "BEHAVIOURS",
    "Behaviour",
    "Conduct",
    "Fate",
    "Fault",
    "FaultSettings",
    "Faults",
    "MessageStore",
    "Receipt",
    "SimulatedMessage",
    "Simulators",
    "behaviour_of",
    "receipts",
    "running",
]
