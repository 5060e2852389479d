"""When sends are looked at whose receipts may not come: to ask the provider, and at the deadline."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .documents import Channel

POLL_AFTER = timedelta(hours=20)
"""How long a push has, before a provider that can be asked is asked."""

POLL_AGAIN = timedelta(hours=20)
POLL_UNTIL = timedelta(hours=66)
"""OpenText forgets completed jobs after 3 to 7 days: the last question is put before day 3."""

FORGOTTEN_AFTER = POLL_UNTIL
"""After this long a message is not handed over again, also where the provider de-duplicates: one that forgot
the job would take it for a new one."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The sends of one job. Times are ISO 8601, UTC; `deadline` is of the notice that is due first.

    `polls`: the provider can be asked, and was asked so often.
    """

    job: str
    channel: Channel
    provider: str
    sent_at: str
    deadline: str
    notices: tuple[str, ...]
    polls: int = 0
    late: bool = False

    @property
    def askable(self) -> bool:
        """Whether the provider tells when it is asked."""
        return self.provider == "opentext"

    @property
    def due_at(self) -> str:
        """When it is to be looked at next; empty: never."""
        times = []
        sent = datetime.fromisoformat(self.sent_at)
        if self.askable:
            ask = sent + POLL_AFTER + POLL_AGAIN * self.polls
            if ask <= sent + POLL_UNTIL:
                times.append(ask)
        if not self.late:
            times.append(datetime.fromisoformat(self.deadline))
        return min(times).isoformat(timespec="seconds") if times else ""


def looked_at(watched: Watched, now: datetime, open_notices: tuple[str, ...]) -> Watched | None:
    """What is left to look at after a look; None if nothing is."""
    late = watched.late or datetime.fromisoformat(watched.deadline) <= now
    sent = datetime.fromisoformat(watched.sent_at)
    polls = watched.polls
    while watched.askable and sent + POLL_AFTER + POLL_AGAIN * polls <= now:
        polls += 1
    after = replace(watched, notices=open_notices, polls=polls, late=late)
    return after if open_notices and after.due_at else None
