"""Put members of a journey aside whose journey is stopped, or who paid, until they are brought back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..domain.journeys import Cohort, Member, MemberRow, is_stopped
from ..ports import JourneyBook, Ledger, Rules
from .control_journeys import bring_back
from .step_rules import run_stopped

PAID_KEPT = timedelta(days=120)
"""How long a customer who paid is kept aside, in case the payment is taken back."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Where members of one row of a cohort are put aside.

    Why they were is asked again afterwards: whoever let their journeys go on between that look and this
    write found nobody to bring back.
    """

    cohort: Cohort
    row: MemberRow
    journeys: JourneyBook
    ledger: Ledger
    rules: Rules
    now: datetime

    def put_stopped(self, stopped: Sequence[tuple[str, Member]]) -> None:
        """Members with what they are to lie under: their notice, or the run whose journeys are stopped."""
        places: dict[str, list[Member]] = {}
        for under, member in stopped:
            places.setdefault(under, []).append(member)
        for under, members in places.items():
            self.journeys.park(under, self.cohort, replace(self.row, members=tuple(members)))
        known = self.ledger.get({u for u in places if not _is_run(u)}) if places else {}
        for under in places:
            stays = run_stopped(under, self.journeys) if _is_run(under) else is_stopped(known[under])
            if not stays:
                bring_back(under, self.journeys, self.rules, self.now)

    def put_paid(self, members: Sequence[Member]) -> None:
        """Those who paid: a payment can be taken back, and then this step is the next one."""
        for member in members:
            row = replace(self.row, members=(member,))
            self.journeys.park(member.notice_id, self.cohort, row, self.now + PAID_KEPT)
        for notice in self.ledger.get({m.notice_id for m in members}).values() if members else ():
            if "paid" not in notice.responses:
                bring_back(notice.notice_id, self.journeys, self.rules, self.now)


def _is_run(under: str) -> bool:
    return "/" in under
