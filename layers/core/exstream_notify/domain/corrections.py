"""A later record of a document that was notified already, with another due date or amount, or settled.

Its customer is not notified of it again: the record is a duplicate. But its date and amount count: the
journeys of the document follow the newest record.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from .documents import Document, DocumentRule
from .journeys import IsHoliday, JourneyRule, Member, MemberRow, due_at, first_step, is_past, next_step
from .notices import CORRECTED, Correction, Notice, Origin, Response, happened
from .payments import amount_of, is_settled, nothing_due

RuleOf = Callable[[Document], DocumentRule]
"""`Rules.for_document`."""


def changes(before: Document, after: Document, rule_of: RuleOf) -> tuple[str, ...]:
    """What a later record says otherwise: its due date, its amount, and whether its account's status leaves
    anybody to notify. What it does not say stays as it was.

    A record that was produced before the other one corrects nothing.
    """
    if before.produced_at and after.produced_at and _produced(after) < _produced(before):
        return ()
    amount = (amount_of(after) is not None or after.in_credit) and _amount(before) != _amount(after)
    other_currency = bool(before.currency and after.currency) and before.currency != after.currency
    said = {
        "due date": bool(after.due_date) and after.due_date != before.due_date,
        "amount": amount or other_currency,
        "account status": bool(after.account_status)
        and bool(rule_of(before).skip) != bool(rule_of(after).skip),
    }
    return tuple(name for name, differs in said.items() if differs)


def corrected(
    notice: Notice, origin: Origin, before: Document, after: Document, rule_of: RuleOf, now: datetime
) -> Notice:
    """The notice with a correction: `before` is what its newest record said, `after` the record at `origin`.

    Payments are set against the new amount: they may settle it, or not any more.
    """
    due = after.due_date or before.due_date or ""
    rule = rule_of(after)
    correction = Correction(origin, due, nothing_due(after) or bool(rule.skip))
    responses: tuple[Response, ...] = notice.responses
    if notice.payments:
        responses = tuple(kind for kind in responses if kind != "paid")
        if is_settled(notice.payments, after, any_payment=rule.any_payment_settles):
            responses = (*responses, "paid")
    detail = f"{', '.join(changes(before, after, rule_of))} by {origin.run} record {origin.position}"
    return happened(
        notice, now, CORRECTED, detail, corrections=(*notice.corrections, correction), responses=responses
    )


def as_corrected(member: Member, notice: Notice) -> Member | None:
    """The member as the newest record has it; None where it is up to date, or nothing was corrected."""
    if member.corrections >= len(notice.corrections):
        return None
    newest = notice.corrections[-1]
    return replace(
        member,
        position=newest.origin.position,
        due_date=newest.due_date,
        corrections=len(notice.corrections),
    )


def row_at(row: MemberRow, origin: Origin, *members: Member) -> MemberRow:
    """A row of these members that points to the slice of a record."""
    return replace(
        row,
        run=origin.run,
        slice_number=origin.slice_number,
        part=origin.part,
        offset=origin.offset,
        length=origin.length,
        members=members,
    )


def step_after(
    rule: JourneyRule, member: Member, done: int, now: datetime, is_holiday: IsHoliday
) -> tuple[int, datetime] | None:
    """Number and time of the step that follows by the corrected date; `done` is the last that went out.

    With a date that is still to come, a reminder of it that was not sent yet goes out at once if its time is
    past. With a date in the past the journey is where it would be, had it begun with that date.
    """
    if done:
        return next_step(rule, member, done, now, is_holiday)
    start = 1
    if member.due_date and any(is_past(step, member, now) for step in rule.steps):
        began = first_step(rule, member, datetime.fromisoformat(member.base), is_holiday)
        start = began[0] if began else len(rule.steps)
    for number, step in list(enumerate(rule.steps, 1))[start - 1 :]:
        due = due_at(rule, step, member, is_holiday)
        if due is not None and not is_past(step, member, now):
            return number, max(due, now)
    return None


def _produced(document: Document) -> datetime:
    at = datetime.fromisoformat(document.produced_at or "")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _amount(document: Document) -> object:
    return "credit" if document.in_credit else amount_of(document)
