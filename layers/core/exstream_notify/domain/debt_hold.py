"""The hold under which a customer is not asked for money."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DebtHold:
    """Do not dun. It ends the customer's collection journeys and stands until a person lifts it.

    `reasons` are account statuses (rules/statuses.yaml), or `operator`. `at` (ISO 8601, UTC), `who` (a run,
    an event or an operator) and `why` are of the newest reason; the contact's history has them all.
    `lifted_at` is empty while it stands.
    """

    reasons: tuple[str, ...]
    at: str
    who: str
    why: str = ""
    lifted_at: str = ""

    @property
    def in_force(self) -> bool:
        """Whether it stands."""
        return not self.lifted_at

    @property
    def words(self) -> str:
        """The reasons in one text; empty where it was lifted."""
        return ", ".join(self.reasons) if self.in_force else ""
