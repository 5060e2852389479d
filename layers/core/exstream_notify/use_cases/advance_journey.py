"""Wake a cohort, page by page: remind those who have not answered, end the journeys of the rest."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, datetime, timedelta

from ..domain.contacts import Contact
from ..domain.corrections import as_corrected, row_at
from ..domain.debt import hold_of, keys_of
from ..domain.decisions import Why
from ..domain.erasure import began, is_gone
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id, notice_id
from ..domain.journeys import (
    ENDED,
    Cohort,
    IsHoliday,
    JourneyRule,
    Member,
    MemberRow,
    Step,
    as_told,
    capped_until,
    cohort_at,
    counted_from,
    due_at,
    has_ended,
    is_past,
    is_stopped,
    may_be_past,
    next_step,
    step_purpose,
    told_at,
    why_stopped,
)
from ..domain.notices import Notice, Status, happened, opened
from ..domain.work import SlicePointer
from ..ports import (
    Clock,
    ContactBook,
    CustomerNotices,
    DecideQueue,
    ExceptionBus,
    JourneyBook,
    JourneyEvents,
    Ledger,
    Rules,
    RunBook,
)
from .control_journeys import stop_notices
from .correct_journeys import NOT_TOLD
from .hold_collection import is_about_money
from .join_journeys import enrol
from .journey_pace import ends_messages_only, given_up, off_until, put_off
from .put_aside import Aside
from .step_rules import is_off, pinned, run_cancelled, run_stopped

RESERVE = 20.0
"""Seconds of the function's time within which no further row is begun."""

PAGE_ROWS = 10
"""Rows a page, each of up to a hundred members: some seconds of work."""

PAGE_CUSTOMERS = 500
"""Customers with several documents a page, each a pointer to the decision."""

MAX_PAGES = 2000
"""Pages of one execution. A page is seven events of its history, so 14,000 of the 25,000 that there may
be, with room for tries; what is left then is the next generation's."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page came to; `more` is whether the execution goes on."""

    more: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    notices: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Sorted:
    """A row's members by what becomes of them."""

    go: list[Member] = field(default_factory=list)
    past: list[Member] = field(default_factory=list)
    ended: list[Notice] = field(default_factory=list)
    erased: list[Notice] = field(default_factory=list)
    aside: list[tuple[str, Member]] = field(default_factory=list)
    held: list[tuple[Notice, str]] = field(default_factory=list)
    paid: list[Member] = field(default_factory=list)
    given_up: list[Notice] = field(default_factory=list)
    gathered: dict[str, list[Member]] = field(default_factory=dict)
    later: dict[datetime, list[Member]] = field(default_factory=dict)
    corrected: list[MemberRow] = field(default_factory=list)
    withdrawn: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def advance_journey(
    cohort: Cohort,
    generation: int,
    page: int,
    *,
    journeys: JourneyBook,
    rules: Rules,
    ledger: Ledger,
    history: CustomerNotices,
    contacts: ContactBook,
    runs: RunBook,
    decide_queue: DecideQueue,
    events: JourneyEvents,
    exceptions: ExceptionBus,
    is_holiday: IsHoliday,
    clock: Clock,
    time_left: Callable[[], float],
) -> Page:
    """One page of a cohort. Safe to repeat and to run twice at once.

    For each row: members go to their next cohort first, then their step to the decision, and the row
    is forgotten last. Killed in between, all of it is done again: the next row has the same name, and
    the step's notice is claimed once. What the decision then says (opted out, quiet hours, no channel)
    is the step's own; the journey goes on.
    """
    counts: Counter[str] = Counter()
    looked_at: set[str] = set()
    rows = journeys.members(cohort, PAGE_ROWS)
    off = bool(rows) and is_off(cohort.journey, rules, journeys)
    for number, row in enumerate(rows):
        if number and time_left() < RESERVE:
            break
        rule = pinned(cohort.journey, row.version, rules, journeys)
        parts = [row]
        for part in parts:  # which grows by what a later record corrected
            sorted_ = _sort(
                cohort, rule, part, off, journeys, rules, ledger, history, contacts, runs, is_holiday,
                clock.now(),
            )  # fmt: skip
            _carry_out(
                cohort, rule, part, sorted_, journeys, rules, ledger, decide_queue, events, exceptions,
                is_holiday, clock,
            )  # fmt: skip
            parts += sorted_.corrected
            counts += sorted_.counts
        journeys.leave(cohort, [row])
        looked_at.update(member.notice_id for member in row.members)
    if not rows and _send_gathered(cohort, journeys, decide_queue):
        return Page(True, counts)
    if not rows:
        journeys.finish(cohort, generation)
        return Page(False, counts)
    if page >= MAX_PAGES:
        journeys.reopen(cohort, generation)
        return Page(False, counts, frozenset(looked_at))
    return Page(True, counts, frozenset(looked_at))


def _sort(
    cohort: Cohort,
    rule: JourneyRule,
    row: MemberRow,
    off: bool,
    journeys: JourneyBook,
    rules: Rules,
    ledger: Ledger,
    history: CustomerNotices,
    contacts: ContactBook,
    runs: RunBook,
    is_holiday: IsHoliday,
    now: datetime,
) -> _Sorted:
    found = _Sorted()
    of_runs = _Runs(journeys, runs)
    if of_runs.stopped(row.run):
        found.aside = [(row.run, member) for member in row.members]
        found.counts["stopped"] += len(row.members)
        return found
    if of_runs.cancelled(row.run):
        found.counts["run_cancelled"] += len(row.members)
        found.withdrawn = sum(bool(member.corrections) for member in row.members)
        return found
    notices = ledger.get({m.notice_id for m in row.members})
    asking = {n.notice_id for n in notices.values() if rule.follows_payment or is_about_money(n, rules)}
    known = contacts.get(cohort.domain, keys_of(notices.values()))
    beyond = cohort.step > len(rule.steps)
    for joined in row.members:
        notice = notices.get(joined.notice_id)
        member = joined if notice is None else as_told(joined, notice)
        if notice is not None and (again := as_corrected(member, notice)):
            found.corrected.append(row_at(row, notice.record, again))
            continue
        reason = "rule_changed" if beyond else why_stopped(rule, notice)
        if notice is not None and is_gone(known.get(notice.contact_key), began(notice)):
            reason = str(Why.ERASED)
            found.erased.append(notice)
        step = None if beyond else rule.steps[cohort.step - 1]
        if not reason and notice is not None and step is not None and "opted_out" in rule.stops:
            contact = known.get(notice.contact_key)
            reason = "opted_out" if _opted_out(contact, notice, step, rules) else ""
        if notice is not None and reason != Why.ERASED and of_runs.cancelled(notice.origin.run):
            reason = "run_cancelled"
        mute = notice is not None and step is not None and ends_messages_only(rule, reason, notice)
        if notice is None or step is None or (reason and not mute):
            found.counts[reason] += 1
            if reason == "paid":
                found.paid.append(member)
        elif of_runs.stopped(notice.origin.run):
            found.aside.append((notice.origin.run, member))
            found.counts["stopped"] += 1
        elif (due := _not_due(rule, cohort, member, member != joined, is_holiday, now)) is not None:
            found.later.setdefault(due, []).append(member)
            found.counts["moved"] += 1
        elif is_stopped(notice):
            found.aside.append((member.notice_id, member))
            found.counts["stopped"] += 1
        elif notice.notice_id in asking and (hold := hold_of(known.get(notice.customer_key))):
            found.aside.append((member.notice_id, member))
            found.held.append((notice, hold))
            found.counts[Why.DO_NOT_DUN] += 1
        elif off and (until := off_until(rule, cohort.step, member, now, is_holiday)):
            found.counts["switched_off"] += 1
            if until.year < MAXYEAR:
                found.later.setdefault(until, []).append(member)
        elif step.end:
            if not has_ended(rule, notice):
                found.ended.append(notice)
                found.counts["unanswered"] += 1
        elif off or mute:
            found.past.append(member)
            found.counts[reason or "switched_off"] += 1
        elif is_past(step, member, now):
            found.past.append(member)
            found.counts["past_date"] += 1
        elif until := _capped(rule, cohort, notice, told := _history(rule, step, notice, history), now):
            found.counts["capped"] += 1
            waits = put_off(rule, cohort.step, member, until, now, is_holiday)
            if waits is not None:
                found.later.setdefault(until, []).append(waits)
            else:
                found.past.append(member)
                purpose = step_purpose(rule.name, cohort.step)
                found.given_up.append(given_up(notice, rule, cohort.step, _identity(notice, purpose), now))
        else:
            found.go.append(member)
            found.counts["reminded"] += 1
            if step.digest and _has_several(rule, notice, told):
                about = (notice.customer_key, notice.recipient, rules.of_type(notice.document_type).topic)
                whose = job_id(row.version, cohort.step, "together", about)
                found.gathered.setdefault(whose, []).append(member)
    return found


class _Runs:
    """Whether a run's journeys were stopped by an operator, or the run was cancelled; each asked for once.

    A corrected document's members belong to two runs: that of its newest record, and the one that notified.
    """

    def __init__(self, journeys: JourneyBook, runs: RunBook) -> None:
        self._journeys = journeys
        self._runs = runs
        self._stopped: dict[str, bool] = {}
        self._cancelled: dict[str, bool] = {}

    def stopped(self, name: str) -> bool:
        """Whether the last word about its journeys is to stop them."""
        if name not in self._stopped:
            self._stopped[name] = run_stopped(name, self._journeys)
        return self._stopped[name]

    def cancelled(self, name: str) -> bool:
        """Whether it was cancelled."""
        if name not in self._cancelled:
            self._cancelled[name] = run_cancelled(name, self._runs)
        return self._cancelled[name]


def _not_due(
    rule: JourneyRule, cohort: Cohort, member: Member, later: bool, is_holiday: IsHoliday, now: datetime
) -> datetime | None:
    """When a member's step is due, if that is later than now: of one that was corrected, or whose customer
    was told `later` than when it joined."""
    if not member.corrections and not later:
        return None
    due = due_at(rule, rule.steps[cohort.step - 1], member, is_holiday)
    return due if due is not None and due > max(now, cohort.due) else None


def _history(rule: JourneyRule, step: Step, notice: Notice, history: CustomerNotices) -> list[Notice]:
    """What else the customer was told, where the rule asks."""
    if rule.cap is None and not step.digest:
        return []
    found = history.of_customer(notice.domain, notice.customer_key)
    return [one for one in found if (one.audience, one.recipient) == ("customer", notice.recipient)]


def _has_several(rule: JourneyRule, notice: Notice, told: Sequence[Notice]) -> bool:
    """Whether the customer was told of other documents that this journey follows."""
    return any(
        one.purpose == "notice" and one.notice_id != notice.notice_id and one.document_type in rule.documents
        for one in told
    )


def _send_gathered(cohort: Cohort, journeys: JourneyBook, decide_queue: DecideQueue) -> bool:
    """Send the steps of customers with several documents to the decision; whether there were any.

    By now all rows of the cohort are done, so what is due together is known. Who has one document after all
    gets an ordinary step. A document that was corrected may be there twice: its newest record counts.
    """
    gathered = journeys.gathered(cohort, PAGE_CUSTOMERS)
    pointers = []
    for found in gathered.values():
        found.sort(key=lambda row: row.members[0].corrections)
        newest = {row.members[0].notice_id: row for row in found}
        rows = sorted(
            newest.values(), key=lambda row: (row.members[0].due_date or "9", row.members[0].notice_id)
        )
        lead = rows[0]
        ids = tuple(row.members[0].notice_id for row in rows)
        pointer = _pointer(cohort, lead.version, lead, lead.members)
        pointers.append(replace(pointer, together=(ids,) if len(ids) > 1 else ()))
    if pointers:
        decide_queue.send_slices(pointers)
        journeys.scatter(cohort, list(gathered))
    return bool(gathered)


def _opted_out(contact: Contact | None, notice: Notice, step: Step, rules: Rules) -> bool:
    """Whether no channel of the document's type is left to remind on, by the customer's own wish.

    Who only took the consent to electronic delivery back still gets a step that is printed then.
    """
    if contact is None:
        return False
    rule = rules.of_type(notice.document_type)
    unprinted = contact.withdrew and step.on_paper != "paper"
    return unprinted or all(contact.opted_out(channel, rule.topic) for channel in rule.channels)


def _capped(
    rule: JourneyRule, cohort: Cohort, notice: Notice, told: Sequence[Notice], now: datetime
) -> datetime | None:
    """When the cap lets this step go, or None if it does now.

    Customers are counted one by one, so two journeys that wake in the same moment can each count
    without the other; a step that went already on an earlier delivery of this page is not counted.
    """
    if rule.cap is None:
        return None
    purpose = step_purpose(rule.name, cohort.step)
    times = [
        at
        for one in told
        if (one.document_id, one.purpose) != (notice.document_id, purpose)
        for at in told_at(one)
    ]
    return capped_until(rule.cap, times, now)


def _carry_out(
    cohort: Cohort,
    rule: JourneyRule,
    row: MemberRow,
    found: _Sorted,
    journeys: JourneyBook,
    rules: Rules,
    ledger: Ledger,
    decide_queue: DecideQueue,
    events: JourneyEvents,
    exceptions: ExceptionBus,
    is_holiday: IsHoliday,
    clock: Clock,
) -> None:
    now = clock.now()
    # The cohort's own hour, not now: a page done twice must come to the same rows.
    since = max(cohort.due, now.replace(minute=0, second=0, microsecond=0))
    for notice, hold in found.held:
        stop_notices([notice], "exnotify", f"do not dun: {hold}", ledger=ledger, clock=clock)
    aside = Aside(cohort, row, journeys, ledger, rules, now)
    aside.put_stopped(found.aside)
    aside.put_paid(found.paid)
    following: dict[Cohort, list[Member]] = {}
    for until, members in found.later.items():
        following.setdefault(cohort_at(cohort.domain, rule, cohort.step, until), []).extend(members)
    soon = since + timedelta(hours=1)
    step = rule.steps[cohort.step - 1] if cohort.step <= len(rule.steps) else None
    for went, members in ((True, found.go), (False, found.past)):
        for member in members:
            told = went and step is not None and not may_be_past(step, member, now)
            if then := next_step(rule, member, cohort.step, soon, is_holiday, told=told):
                on = replace(member, asked="")
                following.setdefault(cohort_at(cohort.domain, rule, *then), []).append(on)
    ledger.put(found.given_up)
    enrol(following, rule, row, journeys)
    for whose, members in found.gathered.items():
        journeys.gather(cohort, whose, [replace(row, members=(member,)) for member in members])
    if alone := [m for m in found.go if not any(m in several for several in found.gathered.values())]:
        decide_queue.send_slices([_pointer(cohort, rule.version, row, alone)])
    _record_end(rule, found.erased, Why.ERASED, ledger, now)
    if found.withdrawn:
        exceptions.raise_exceptions([_withdrawn(row, found.withdrawn)])
    if found.ended:
        _end(cohort, rule, row, found.ended, ledger, events, exceptions, now)


def _pointer(cohort: Cohort, version: str, row: MemberRow, members: Sequence[Member]) -> SlicePointer:
    domain, _, run_id = row.run.partition("/")
    positions = tuple(sorted({m.position for m in members}))
    return SlicePointer(
        domain,
        run_id,
        row.slice_number,
        row.part,
        row.offset,
        row.length,
        count=len(positions),
        first=positions[0],
        positions=positions,
        purpose=step_purpose(cohort.journey, cohort.step),
        version=version,
    )


def _end(
    cohort: Cohort,
    rule: JourneyRule,
    row: MemberRow,
    notices: Sequence[Notice],
    ledger: Ledger,
    events: JourneyEvents,
    exceptions: ExceptionBus,
    now: datetime,
) -> None:
    """Tell that nobody answered, then record it on each notice: told again if we die in between.

    The event carries an id that stays the same, by which whoever takes it can tell a repeat.
    """
    step = rule.steps[cohort.step - 1]
    purpose = step_purpose(rule.name, cohort.step)
    events.unanswered([_unanswered(rule, step.end or "event", purpose, notice) for notice in notices])
    if step.end == "paper":
        ledger.put([_paper(notice, purpose, now) for notice in notices])
    if step.end == "case":
        exceptions.raise_exceptions([_case(rule, row, step.team, notices)])
    _record_end(rule, notices, f"unanswered {step.end}", ledger, now)


def _record_end(
    rule: JourneyRule, notices: Sequence[Notice], why: str, ledger: Ledger, now: datetime
) -> None:
    """Record on each notice that its journey ended, and why, unless that is on record."""
    left = list(notices)
    for _ in range(5):
        wanted = [happened(n, now, ENDED, f"{rule.name} {why}") for n in left if not has_ended(rule, n)]
        blocked = ledger.put(wanted) if wanted else {}
        if not blocked:
            return
        left = list(blocked.values())
    raise RuntimeError("notices kept changing under five attempts to end their journey")


def _unanswered(rule: JourneyRule, end: str, purpose: str, notice: Notice) -> Mapping[str, object]:
    return {
        "event_id": _identity(notice, purpose),
        "domain": notice.domain,
        "journey": rule.name,
        "end": end,
        "notice_id": notice.notice_id,
        "document_id": notice.document_id,
        "document_type": notice.document_type,
        "run_id": notice.origin.run.partition("/")[2],
        "position": notice.origin.position,
        "told_at": counted_from(notice).isoformat(timespec="milliseconds"),
    }


def _identity(notice: Notice, purpose: str) -> str:
    edition = notice.notice_id  # the first notice's own: one of each edition
    return notice_id(
        notice.domain,
        notice.customer_key,
        notice.document_id,
        recipient=notice.recipient,
        edition=edition,
        purpose=purpose,
    )


def _paper(notice: Notice, purpose: str, now: datetime) -> Notice:
    """The step as the ledger's record that Exstream must print."""
    fresh = Notice(
        _identity(notice, purpose),
        notice.domain,
        notice.customer_key,
        notice.document_id,
        notice.document_type,
        purpose,
        "customer",
        notice.origin,
        Status.PAPER,
        why=Why.UNANSWERED,
        recipient=notice.recipient,
    )
    return opened(fresh, now, "paper", Why.UNANSWERED)


def _withdrawn(row: MemberRow, count: int) -> ExceptionRaised:
    domain, _, run_id = row.run.partition("/")
    return ExceptionRaised(
        NOT_TOLD,
        "warning",
        domain,
        run_id,
        "documents that a run corrected before it was cancelled; their journeys have ended",
        part=f"withdrawn {row.name}",
        count=count,
    )


def _case(rule: JourneyRule, row: MemberRow, team: str, notices: Sequence[Notice]) -> ExceptionRaised:
    domain, _, run_id = row.run.partition("/")
    return ExceptionRaised(
        "journey_unanswered",
        "warning",
        domain,
        run_id,
        f"customers who did not answer by the end of journey {rule.name}",
        part=f"{rule.name} {row.name}",
        count=len(notices),
        detail={"journey": rule.name, "notices": " ".join(n.notice_id for n in notices)},
        team=team,
    )
