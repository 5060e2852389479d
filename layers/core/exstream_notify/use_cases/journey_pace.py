"""How a journey keeps its pace: what the cap, and a journey that is switched off, leave of its steps."""

from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.decisions import Why
from ..domain.journeys import LATE, IsHoliday, JourneyRule, Member, due_at, next_step, step_purpose
from ..domain.notices import Notice, Status, opened

OFF_PAUSE = timedelta(days=1)
"""How often a member of a journey that is switched off is looked at again."""

OFF_KEPT = timedelta(days=120)
"""How long after its hour a step of a journey that is switched off is waited for."""

_MESSAGES_ONLY = frozenset({"opted_out", "not_told"})


def put_off(
    rule: JourneyRule, number: int, member: Member, until: datetime, now: datetime, is_holiday: IsHoliday
) -> Member | None:
    """The member as it waits for a step that the cap puts off; None where the step is given up.

    A step that would come after the next one, or within a day before it, is given up: the cap never moves
    what follows, least of all the end.
    """
    waits = replace(member, asked=member.asked or now.isoformat(timespec="minutes"))
    following = next_step(rule, waits, number, now, is_holiday)
    return waits if following is None or until + LATE <= following[1] else None


def off_until(
    rule: JourneyRule, number: int, member: Member, now: datetime, is_holiday: IsHoliday
) -> datetime | None:
    """When a member of a journey that is switched off is looked at again; None: its paper is due.

    Paper that a rule promised is printed whatever became of the rule. Anything else waits: `datetime.max`
    for a step that was waited for long enough.
    """
    end = rule.steps[-1]
    printed_at = due_at(rule, end, member, is_holiday) if end.end == "paper" else None
    if printed_at is not None and printed_at <= now:
        return None
    meant = due_at(rule, rule.steps[number - 1], member, is_holiday)
    if printed_at is None and meant is not None and now > meant + OFF_KEPT:
        return datetime.max.replace(tzinfo=now.tzinfo)
    again = now + OFF_PAUSE
    return again if printed_at is None else min(again, printed_at)


def given_up(notice: Notice, rule: JourneyRule, number: int, identity: str, now: datetime) -> Notice:
    """The record of a step that the cap took away, beside the notice that the journey is about."""
    step = Notice(
        identity,
        notice.domain,
        notice.customer_key,
        notice.document_id,
        notice.document_type,
        step_purpose(rule.name, number),
        "customer",
        notice.origin,
        Status.SUPPRESSED,
        why=Why.CAPPED,
        recipient=notice.recipient,
        rule_version=rule.version,
    )
    return opened(step, now, "suppressed", Why.CAPPED)


def ends_messages_only(rule: JourneyRule, reason: str, notice: Notice) -> bool:
    """Whether a reason ends the messages only: who wants none, or gets none, is still handed over.

    Paper is not printed twice: where the notice itself went to paper the journey has nothing left to do.
    """
    printed = notice.status == Status.PAPER and rule.steps[-1].end == "paper"
    return reason in _MESSAGES_ONLY and rule.hands_over and not printed
