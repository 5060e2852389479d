"""Decide what becomes of a slice's documents: jobs for the send queues, and all that is not sent."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from ..domain.acknowledgements import early_ones_reported
from ..domain.contacts import (
    FIELD_OF,
    Address,
    Check,
    Contact,
    addresses_to_check,
    as_addressed,
    as_present,
    merge,
)
from ..domain.debt import StatusSource, keys_of, stays, under_hold
from ..domain.decisions import Decision, Defer, Paper, Policy, Send, Suppress, Why, decide
from ..domain.deferring import FOLLOW_UP, deferred, is_due
from ..domain.documents import Channel, Document, DocumentRule, MessageClass
from ..domain.erasure import began, composed, existed_before_erasure, is_gone
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id, notice_id
from ..domain.journeys import IsHoliday, is_stopped, joins, why_stopped
from ..domain.notices import (
    LOST,
    REACHED,
    Notice,
    Origin,
    Outcome,
    Status,
    happened,
    is_stale,
    notice_id_of,
    opened,
    standing,
)
from ..domain.payments import Payments, nothing_due, with_facts
from ..domain.responses import (
    EarlyResponse,
    answer_to,
    early_payments,
    of_known,
    responded,
    subjects_of,
    superseded_by,
    superseding,
)
from ..domain.runs import Control, DigestRow, RecordOutcome, Run, counted_from
from ..domain.second_step import field_of
from ..domain.takeover import (
    Standing,
    differences,
    doubts,
    facts_of,
    former_of,
    is_from,
    left_to,
    may_take_over,
    outcome_for,
    standing_of,
    taken_over,
    wanted_also,
)
from ..domain.work import Member, SendJob, SlicePointer
from ..ports import (
    AddressChecker,
    Clock,
    ContactBook,
    DecideQueue,
    DueIndex,
    EarlyResponses,
    ExceptionBus,
    JourneyBook,
    Ledger,
    Records,
    RecordsGone,
    Reputation,
    ResponseLedger,
    Rules,
    RunBook,
    SendQueues,
    SuppressedAddresses,
    SuppressionList,
)
from .correct_journeys import CorrectionPorts, correct_journeys
from .counted_reports import Looked, place_of
from .digest_run import FIRST_DIGEST_LOOK
from .digest_steps import Group, groups_of, hand_on, not_told
from .erase_contact import with_kept_opt_outs
from .hold_collection import hold_as_stated, statuses_reported
from .join_journeys import no_holidays
from .mention_once import mention_once
from .owing import Sharing
from .slices import document_of, origin_of, outcome_of, pointers_to, tell_run
from .step_rules import is_off, journey_of, rules_of, run_stopped, timely
from .what_is_left import at_step

ProviderChoice = Callable[[Channel, MessageClass], str]

DIGEST_DEADLINE = timedelta(hours=72)
"""How long a team's digest that an outage put off is still of use."""

WAIT_FOR_REPUTATION = timedelta(hours=1)
"""How long marketing waits before it is asked again whether it may go."""

CLAIM_WITHIN = timedelta(minutes=15)
"""When a notice that was taken over, and whose job is lost, is looked at again."""

SUPERSEDED_DAYS = 90
"""How long a document that is not known yet stays superseded."""

DUPLICATE_DIFFERS = "duplicate_differs"
DUPLICATE_UNDATED = "duplicate_undated"

_TRIES = 5
_TEAM_PREFIX = "team:"


def _first_id(document: Document, rules: Rules) -> str:
    return notice_id_of(document, rules.for_document(document))


def step_stops(
    pointer: SlicePointer,
    documents: Collection[Document],
    rules: Rules,
    journeys: JourneyBook | None,
    ledger: Ledger,
) -> dict[str, str]:
    """Why no step follows, by the id of the document's first notice: what that says in the ledger now.

    `rules` are those of the documents. Empty for anything but a journey's step.
    """
    journey = journey_of(pointer, rules, journeys)
    if journey is None:
        return {}
    first = {_first_id(document, rules) for document in documents}
    if is_off(journey.name, rules, journeys):
        return dict.fromkeys(first, "switched_off")
    if journeys is not None and run_stopped(pointer.run, journeys):
        return dict.fromkeys(first, "stopped")
    stored = ledger.get(first)
    found = {}
    for identity in first:
        notice = stored.get(identity)
        if notice is not None and notice.corrections:
            newest = notice.record
            if (newest.run, newest.slice_number) != (pointer.run, pointer.number):
                found[identity] = "corrected"
                continue
        stopped = "stopped" if notice is not None and is_stopped(notice) else ""
        if reason := why_stopped(journey, notice) or stopped:
            found[identity] = reason
    return found


def team_audience(team: str) -> str:
    """The audience name of an internal team."""
    return _TEAM_PREFIX + team


def team_of(audience: str) -> str | None:
    """The internal team of an audience name, or None for the customer."""
    return audience.removeprefix(_TEAM_PREFIX) if audience.startswith(_TEAM_PREFIX) else None


REQUIRED_UNREACHED = "required_unreached"
"""Code of documents whose customers have to be reached, and were not: it is told at once."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many of a slice's records ended how, and which notices it was about, copies to teams included."""

    counts: Mapping[str, int] = field(default_factory=dict)
    notices: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Slice:
    """What one decided slice comes to, while it is being decided."""

    outcomes: list[RecordOutcome] = field(default_factory=list)
    writes: list[Notice] = field(default_factory=list)
    members: dict[tuple[Channel, str, bool], list[Member]] = field(default_factory=dict)
    unreached: dict[str, dict[int, int | None]] = field(default_factory=dict)
    differing: dict[tuple[str, tuple[str, ...]], dict[int, int | None]] = field(default_factory=dict)
    duplicates: list[tuple[int, Document, str]] = field(default_factory=list)
    unknown_teams: dict[str, int] = field(default_factory=dict)
    late_teams: dict[str, int] = field(default_factory=dict)
    nothing_due: dict[str, list[int | None]] = field(default_factory=dict)
    left: list[Group] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    cancelled: Callable[[str], bool] = lambda run: False
    looked: Looked | None = None

    def count(self, code: str, before: Notice | None, position: int, customer: int | None) -> str:
        """Count a record under a code, unless another look did; the report that its event is to name."""
        report = self.looked.report(code, before) if self.looked is not None else ""
        if report:
            self.unreached.setdefault(code, {})[position] = customer
        return report

    def count_again(self, notice: Notice, position: int, customer: int | None) -> None:
        """Count what this look, perhaps by a worker that died, made of a notice before."""
        for code in self.looked.codes_in(notice) if self.looked is not None else ():
            self.unreached.setdefault(code, {})[position] = customer

    def lead(self, identity: str, group: Group, before: Notice | None) -> None:
        """Have a step's notice lead a group; where it is not sent, what is left goes on without it."""
        self.writes = [replace(n, together=group) if n.notice_id == identity else n for n in self.writes]
        waits = any(n.notice_id == identity and n.status == Status.DEFERRED for n in self.writes)
        goes = any(m.notice_id == identity for members in self.members.values() for m in members)
        told = before is not None and before.attempts
        if not (waits or goes or told):
            self.left.append(group)

    def resume(self, notice: Notice, *, urgent: bool = False, both: bool = False) -> bool:
        """Queue the job of a notice's claim again, in case it is gone: whoever gets it finds out what became
        of the claim, or waits for its worker. Nothing else is decided until then. False if there is no claim.
        """
        claim = notice.claimed
        if claim is None:
            return False
        position = notice.origin.position
        # As if it were new there: no claim but the one that stands in its way can come of it.
        member = Member(
            notice.notice_id, position, notice.audience, claim.number, waiting=notice.waiting, both=both
        )
        self.members.setdefault((claim.channel, claim.provider, urgent), []).append(member)
        return True

    def withdraw(self, identity: str, position: int) -> None:
        """Forget what was decided of a record, since another notice stands in its place."""
        self.outcomes = [o for o in self.outcomes if o.position != position]
        for key, members in self.members.items():
            self.members[key] = [m for m in members if m.notice_id != identity]
        for code in (Why.NO_CHANNEL, REQUIRED_UNREACHED, "deadline_passed"):
            self.unreached.get(code, {}).pop(position, None)

    @property
    def notices(self) -> frozenset[str]:
        """Every notice that it was about."""
        members = (member.notice_id for several in self.members.values() for member in several)
        told = (outcome.notice_id for outcome in self.outcomes)
        return frozenset(filter(None, chain(members, told, self.written)))


def decide_notices(
    pointer: SlicePointer,
    *,
    records: Records,
    rules: Rules,
    contacts: ContactBook,
    addresses: AddressChecker,
    suppressions: SuppressionList,
    ledger: ResponseLedger,
    runs: RunBook,
    queues: SendQueues,
    exceptions: ExceptionBus,
    clock: Clock,
    provider_for: ProviderChoice,
    policy: Policy,
    early: EarlyResponses | None = None,
    journeys: JourneyBook | None = None,
    reputation: Reputation | None = None,
    decide_queue: DecideQueue | None = None,
    due_index: DueIndex | None = None,
    is_holiday: IsHoliday = no_holidays,
) -> Decided:
    """Decide a slice, or only the positions that the pointer names.

    A document that the ledger holds for another record is a duplicate only where somebody was, or may have
    been, notified of it; where nobody was, this run takes the notice over and decides anew. Where the other
    run may still send it the record is a duplicate too, and gets the notice should that reach nobody: then
    its pointer goes onto `decide_queue`. What a run has for internal teams' digests is looked at later,
    under `due_index`.

    Safe to repeat: jobs have the same identity again, and what the ledger already holds stands.
    A held run's slice is left undecided, since its release queues it again; what is looked at again
    is decided, and its job put aside by the sending. A cancelled run's records end as suppressed;
    what the ledger does not hold yet stays free. A pointer to a journey's step decides that step's
    notices the same way, by the journey's rule; they are no records of the run and say nothing to it.
    """
    run, by_document = runs.with_early(pointer.domain, pointer.run_id)
    control = run.control if run else Control.GO
    if control == Control.HOLD and not pointer.positions:
        return Decided()
    now = clock.now()
    whole, rules = rules, rules_of(pointer, rules, journeys)
    if pointer.kind == "digests":
        content = run.fingerprint if run else ""
        return _decide_digests(
            pointer, control, content, records, rules, ledger, queues, exceptions, provider_for, now
        )
    try:
        documents = records.read(pointer)
    except RecordsGone:
        left: Mapping[str, Notice] = ledger.get(pointer.notices)
        if pointer.version and decide_queue is not None:
            decide_queue.send_slices(hand_on(pointer, not_told(pointer, left.values()), ledger))
        _resume(pointer, left.values(), queues)
        return _gone(pointer, ledger, contacts, runs, exceptions, now)
    if pointer.positions:
        documents = [
            (position, document) for position, document in documents if position in pointer.positions
        ]
    stored: Mapping[str, Notice] = {}
    if pointer.positions or control == Control.CANCEL:
        stored = ledger.get(
            {
                notice_id_of(document, rule, audience)
                for _, document in documents
                for rule in (rules.for_document(document),)
                for audience in ("customer", *map(team_audience, _teams(document, rule)))
            }
        )
    known_as = _known_as(pointer, stored, ledger)
    stored = {**stored, **known_as}
    ids = {notice.origin.position: notice.notice_id for notice in known_as.values()}
    if control == Control.CANCEL:
        left = _cancel(pointer, documents, stored, ids, rules, ledger, runs, decide_queue, now)
        _resume(pointer, left.values(), queues)
        if pointer.version and decide_queue is not None:
            decide_queue.send_slices(hand_on(pointer, not_told(pointer, stored.values()), ledger))
        return Decided(notices=frozenset(stored))

    owners = _Owners(runs, run)
    sharing = (
        Sharing(pointer.domain, early, ledger, records, whole, contacts, clock)
        if early and by_document
        else None
    )
    if sharing is not None and pointer.version:
        sharing.settle_all({d.customer_key for _, d in documents})
    stops = step_stops(pointer, [d for _, d in documents], whole, journeys, ledger)
    asked_in_time = timely(pointer, whole, journeys, policy)
    documents = at_step(pointer, documents, whole, _first_id, ledger, early, by_document=by_document, now=now)
    source = StatusSource(rules.statuses, f"run {pointer.run}")
    known = _contacts_of(pointer, documents, run, contacts, addresses, suppressions, clock, source)
    gone = erased_records(documents, known, run)
    look = _once(addresses.check)
    addressed = _addressed(documents, known, look, as_present if pointer.version else as_addressed)
    blocked = blocked_addresses(addressed.values(), suppressions)
    result = _Slice(cancelled=owners.cancelled, looked=Looked(pointer))
    lasting = [(position, document) for position, document in documents if position not in gone]
    if not pointer.positions and _supersede(pointer, lasting, records, rules, ledger, runs, early, now):
        by_document = True
    seen: dict[str, tuple[int, Document]] = {}
    responses = _early_responses(pointer, documents, early, by_document)
    if sharing is not None and not pointer.version:
        unknown = (d for _, d in documents if notice_id_of(d, rules.for_document(d)) not in stored)
        responses = sharing.draw(list(unknown), sharing.adopt([d for _, d in documents], responses))
    dated = [j for j in rules.journeys().values() if any(step.anchor == "due_date" for step in j.steps)]
    ends = _deadlines(pointer, run)

    def decide_record(position: int, document: Document, before: Notice | None) -> None:
        rule = rules.for_document(document)
        contact = addressed[position]
        suppressed = blocked_channels(contact, blocked)
        kept = responses if before is None else of_known(responses)
        answered = answer_to(document, kept, now, any_payment_settles=rule.any_payment_settles)
        paid = early_payments(document, kept, now)
        replaced = superseded_by(document, kept)
        if before is not None and answered is not None:
            before = _with_response(before, answered, paid, now)
        if before is not None and replaced and not before.superseded_by:
            before = replace(before, superseded_by=replaced)
        origin = origin_of(pointer, position)
        stop = stops.get(_first_id(document, whole)) if stops else None
        # A step belongs to the newest record of its document; `stop` says so of every other.
        newest = bool(pointer.version) and not stop
        taken = before is not None and may_take_over(
            before, origin, lambda run: newest or owners.cancelled(run)
        )
        erased = position in gone or _is_erased(before, known.get(document.contact_key))
        if before is not None and is_from(before, origin):
            result.count_again(before, position, document.customer_in_run)
            if result.resume(before, urgent=rule.urgent, both=rule.both_channels):
                result.outcomes.append(outcome_for(before, origin))
                return
        elif before is not None:
            if not taken and erased:
                result.outcomes.append(_of_erased(before, origin))
                return
            if not taken:
                _leave_to_other(before, origin, document, pointer, result, now)
                return
            before = taken_over(before, origin, document, now, cancelled=owners.cancelled(before.origin.run))
        identity = ids.get(position) or notice_id_of(document, rule)
        carry = _Carry(before, pointer, position, document, rule, result, now, provider_for, identity, taken)
        if erased:
            carry.end_as_erased()
            return
        due = before is not None and not taken and is_due(before, now)
        late = ends(rule, before) < now
        zones = addresses.zones(contact)
        asked = field_of(rule.second_step)
        first = rule.purpose == "notice" and before is None and not stays(rule, contact)
        if first and not document.test_flag and _has_unusable_address(document, contact, look):
            result.unreached.setdefault("address_unusable", {})[position] = document.customer_in_run
        if first and asked and not getattr(document, asked) and not rule.skip:
            result.unreached.setdefault("second_step_missing", {})[position] = document.customer_in_run
        demanded = rule.demands_payment
        undated = first and not document.due_date and not rule.skip
        if undated and any(joins(j, document, demanded) for j in dated):
            result.unreached.setdefault("due_date_missing", {})[position] = document.customer_in_run
        refused = Suppress(Why.JOURNEY_STOPPED, stop) if stop else asked_in_time(document, zones, now)
        if demanded and before is not None and before.corrections and before.corrections[-1].nothing_due:
            refused = refused or Suppress(Why.NOTHING_DUE, "corrected")
        open_yet = before is None or taken or (before.status == Status.DEFERRED and due)
        if replaced and (before is None or taken):
            carry.end(Status.SUPERSEDED, Why.SUPERSEDED, replaced)
        elif answered is not None and (before is None or taken):
            carry.out(Suppress(Why.RESPONDED, answered.told))
            if before is None and paid and answered.kind == "paid":
                result.writes[-1] = replace(result.writes[-1], responses=("paid",), payments=paid)
        elif isinstance(refused, Suppress) and not open_yet and before is not None and before.status in LOST:
            carry.settle()
        elif refused is not None and open_yet:
            carry.out(refused) if isinstance(refused, Suppress) or not late else carry.expire()
        elif before is None or taken:
            decision = _held_back(
                decide(rule, document, contact, suppressed, zones, now, policy), rule, reputation, now
            )
            if late and isinstance(decision, Send | Defer):
                carry.expire()
            else:
                carry.out(decision)
        else:
            _look_again(
                before, due, pointer, position, document, rule, contact, suppressed, zones, result, now,
                policy, provider_for, reputation, late,
            )  # fmt: skip

    groups = groups_of(pointer, stored.values()) if pointer.version else {}

    def decide_group(position: int, document: Document, before: Notice | None) -> None:
        decide_record(position, document, before)
        if group := groups.get(_first_id(document, whole)) if groups else None:
            identity = ids.get(position) or notice_id_of(document, rules.for_document(document))
            result.lead(identity, group, before)

    for position, document in documents:
        rule = rules.for_document(document)
        identity = ids.get(position) or notice_id_of(document, rule)
        if identity in seen:
            # Of an erased customer nothing is compared.
            first = document if position in gone else seen[identity][1]
            result.outcomes.append(_duplicate_within(pointer, position, document, first, identity, result))
            continue
        seen[identity] = (position, document)
        decide_group(position, document, stored.get(identity))
        untold = (rule.demands_payment and nothing_due(document)) or stays(rule, addressed[position])
        if position in gone:
            _end_copies(pointer, position, document, rule, stored, result, now)
        elif not document.test_flag and not untold:
            late = ends(rule, None) < now
            _copy_teams(pointer, position, document, rule, rules, stored, result, now, provider_for, late)
    waits = _Repeat(pointer, due_index, now)
    final = _write(pointer, seen, ledger, result, decide_group, waits.for_writes)
    _hand_over(pointer, {**stored, **final}.values(), decide_queue)
    if result.left and decide_queue is not None:
        decide_queue.send_slices(hand_on(pointer, result.left, ledger))
    queues.send_jobs(_jobs(pointer, result))
    if journeys is not None:
        ports = CorrectionPorts(ledger, records, whole, journeys, exceptions, is_holiday, clock)
        correct_journeys(pointer, result.duplicates, ports)
    mention_once(pointer, result.unreached, documents, whole, journeys, ledger)
    raised = _exceptions(pointer, result)
    if not pointer.positions:
        raised += statuses_reported(pointer, documents, known, rules, source.who)
        raised += early_ones_reported(pointer, documents, responses)
    exceptions.raise_exceptions(raised)
    outcomes = sorted(result.outcomes, key=lambda o: o.position)
    decided = Decided(Counter(str(o.outcome) for o in outcomes), result.notices)
    if pointer.positions and not pointer.version:
        tell_run(runs, pointer.run, "again", outcomes)
    elif not pointer.version:
        rows = digest_rows(documents, rules)
        if rows and due_index is not None:
            due_index.wait("digests", pointer.run, now + FIRST_DIGEST_LOOK, keep=True)
        runs.put_slice(pointer, outcomes, rows)
    waits.no_more()
    return decided


def _of_erased(notice: Notice, origin: Origin) -> RecordOutcome:
    """What a record of an erased customer comes to, whose notice is another record's and is sent no more."""
    if former_of(notice, origin) is not None or standing_of(notice) == Standing.REACHED:
        return outcome_for(notice, origin)
    number, position = origin.slice_number, origin.position
    return RecordOutcome(number, position, Outcome.SUPPRESSED, Why.ERASED, 1, notice.notice_id)


def _known_as(pointer: SlicePointer, stored: Mapping[str, Notice], ledger: Ledger) -> Mapping[str, Notice]:
    """The customers' notices that a pointer names, and that their records would have other ids than now.

    Rules that changed meanwhile may tell documents apart otherwise: a notice stays what it was begun as.
    """
    missing = set(pointer.notices) - stored.keys() if pointer.kind == "documents" else ()
    found = ledger.get(missing) if missing else {}
    return {
        key: notice
        for key, notice in found.items()
        if notice.audience == "customer" and is_from(notice, origin_of(pointer, notice.origin.position))
    }


class _Owners:
    """Whether runs were cancelled, each asked for once."""

    def __init__(self, runs: RunBook, own: Run | None) -> None:
        self._runs = runs
        self._known = {own.name: own} if own is not None else {}

    def cancelled(self, name: str) -> bool:
        """Whether the run of that name was cancelled."""
        if name not in self._known:
            domain, _, run_id = name.partition("/")
            run = self._runs.get(domain, run_id)
            if run is None:
                return False
            self._known[name] = run
        return self._known[name].control == Control.CANCEL


def _deadlines(pointer: SlicePointer, run: Run | None) -> Callable[[DocumentRule, Notice | None], datetime]:
    """When a notice is of no use any more, by its rule and as it is stored.

    A record's time counts from the opening of its run, or from the run's release; a journey's step keeps a
    time of its own, which begins with its first decision.
    """
    since = None if pointer.version else counted_from(run)

    def ends(rule: DocumentRule, stored: Notice | None) -> datetime:
        start = since
        if start is None and stored is not None and stored.created_at:
            start = datetime.fromisoformat(stored.created_at)
        return start + timedelta(hours=rule.deadline_hours) if start else datetime.max.replace(tzinfo=UTC)

    return ends


def _write(
    pointer: SlicePointer,
    records: Mapping[str, tuple[int, Document]],
    ledger: Ledger,
    result: _Slice,
    decide_record: Callable[[int, Document, Notice | None], None],
    before: Callable[[Sequence[Notice]], None],
) -> dict[str, Notice]:
    """Write what was decided; what another record's notice stands in the way of is decided anew, over that.

    `before` hears of each write in advance. Returns the notices as they stand now.
    """
    final: dict[str, Notice] = {}
    wanted = result.writes
    for _ in range(_TRIES):
        before(wanted)
        blocked = ledger.put(wanted) if wanted else {}
        final |= {n.notice_id: blocked.get(n.notice_id, n) for n in wanted}
        result.writes = []
        for mine in wanted:
            other = blocked.get(mine.notice_id)
            if other is None:
                continue
            if mine.audience != "customer":
                for key, members in result.members.items():
                    result.members[key] = [m for m in members if m.notice_id != mine.notice_id]
                continue
            position, document = records[mine.notice_id]
            origin = origin_of(pointer, position)
            result.withdraw(mine.notice_id, position)
            if is_from(other, origin):
                result.outcomes.append(outcome_for(other, origin))
                result.count_again(other, position, document.customer_in_run)
                result.resume(other)
            else:
                decide_record(position, document, other)
        result.written |= {n.notice_id for n in wanted}
        wanted = result.writes
        if not wanted:
            return final
    raise RuntimeError("notices of another run kept changing under five attempts to decide on them")


@dataclass(slots=True)
class _Repeat:
    """Has a look repeated whose worker does not come to say what it wrote.

    Its message may be gone: a faster worker that had it too, and decided otherwise, deletes it.
    """

    pointer: SlicePointer
    due: DueIndex | None
    now: datetime
    waits: list[str] = field(default_factory=list)

    @property
    def _until(self) -> datetime:
        return self.now + FOLLOW_UP

    def for_writes(self, writes: Sequence[Notice]) -> None:
        """Before a write that exceptions or other records' looks follow from."""
        looked = Looked(self.pointer)
        ended = sorted(n.notice_id for n in writes if looked.codes_in(n) or left_to(n))
        if ended and self.due is not None:
            name = job_id(self.pointer.run, self.pointer.number, "ended", ended)
            self.waits.append(self.due.wait_for_look(name, self.pointer, self._until))

    def no_more(self) -> None:
        """All that follows is done."""
        if self.waits and self.due is not None:
            self.due.forget(self.waits, self._until)


def _leave_to_other(
    other: Notice,
    origin: Origin,
    document: Document,
    pointer: SlicePointer,
    result: _Slice,
    now: datetime,
) -> None:
    """A record whose notice is another's: a duplicate, and next in line while nobody was notified yet."""
    why, kinds = doubts(other, origin, document)
    outcome = outcome_for(other, origin, why)
    result.outcomes.append(outcome)
    if why and outcome.why == why:
        rows = result.differing.setdefault((other.origin.run, kinds), {})
        rows[origin.position] = document.customer_in_run
    if other.origin.run != origin.run and outcome.outcome == Outcome.DUPLICATE:
        result.duplicates.append((origin.position, document, other.notice_id))
    if not pointer.version and outcome.outcome == Outcome.DUPLICATE:
        waiting = wanted_also(other, origin, now)
        if waiting is not None:
            result.writes.append(waiting)


def _duplicate_within(
    pointer: SlicePointer,
    position: int,
    document: Document,
    other: Document,
    identity: str,
    result: _Slice,
) -> RecordOutcome:
    """A record whose document stands in the same slice before."""
    kinds = differences(facts_of(other), document, of_one_run=True)
    if kinds:
        rows = result.differing.setdefault((pointer.run, kinds), {})
        rows[position] = document.customer_in_run
    why = str(Why.OTHER_CONTENT) if kinds else ""
    return RecordOutcome(pointer.number, position, Outcome.DUPLICATE, why, 1, identity)


def _hand_over(pointer: SlicePointer, notices: Iterable[Notice], decide_queue: DecideQueue | None) -> None:
    """Give the notices that ended here without reaching anybody to the records that wait for them.

    The pointers go out after the write, and again with every repeat of this slice's messages.
    """
    heirs = [
        heir
        for notice in notices
        if (notice.origin.run, notice.origin.slice_number) == (pointer.run, pointer.number)
        for heir in left_to(notice)
    ]
    if heirs and decide_queue is not None:
        decide_queue.send_slices(pointers_to(heirs))


def _resume(pointer: SlicePointer, notices: Iterable[Notice], queues: SendQueues) -> None:
    """Queue the jobs of this slice's claims again, where nothing else of it is decided."""
    result = _Slice()
    for notice in notices:
        if (notice.origin.run, notice.origin.slice_number) == (pointer.run, pointer.number):
            result.resume(notice)
    queues.send_jobs(_jobs(pointer, result))


def _held_back(
    decision: Decision, rule: DocumentRule, reputation: Reputation | None, now: datetime
) -> Decision:
    """Marketing waits while its channel's sender has too bad a name; everything else goes on."""
    if rule.message_class != "marketing" or reputation is None or not isinstance(decision, Send):
        return decision
    if decision.channels[0] in reputation.stopped():
        return Defer(now + WAIT_FOR_REPUTATION, Why.REPUTATION)
    return decision


Composed = Callable[[Document], datetime | None]
"""The earliest time known of a record, None where nothing says when: `composed` (domain/erasure.py)."""


def _unknown(document: Document) -> datetime | None:
    return None


def update_contacts(
    documents: Sequence[Document],
    contacts: ContactBook,
    addresses: AddressChecker,
    clock: Clock,
    suppressions: SuppressionList | None = None,
    composed_at: Composed = _unknown,
    source: StatusSource | None = None,
) -> dict[str, Contact]:
    """The contacts of these documents, by contact key, brought up to date with what the records say.

    Another writer's change is never overwritten: its contact is read again and the records are
    merged into that.
    """
    check = _once(addresses.check)
    for _ in range(5):
        known, changed = merged_contacts(documents, contacts, check, clock, suppressions, composed_at, source)
        if not changed or not contacts.put(list(changed.values())):
            return known
    raise RuntimeError("contacts kept changing under five attempts to update them")


def merged_contacts(
    documents: Sequence[Document],
    contacts: ContactBook,
    check: Check,
    clock: Clock,
    suppressions: SuppressionList | None = None,
    composed_at: Composed = _unknown,
    source: StatusSource | None = None,
) -> tuple[dict[str, Contact], dict[str, Contact]]:
    """The contacts of these documents as they are once their records are heard, and those that differ from
    what is stored; both by contact key. Nothing is stored.

    Of a record that existed before the customer was erased nothing is heard. `suppressions` know what the
    holder of a new address had opted out of. `source` says who states the account statuses of these records;
    without it they bring no hold.
    """
    changed: dict[str, Contact] = {}
    if not documents:
        return {}, changed
    stored = contacts.get(documents[0].domain, keys_of(documents))
    known, heard = dict(stored), []
    for document in documents:
        before = known.get(document.contact_key)
        if existed_before_erasure(before, composed_at(document)):
            continue
        heard.append(document)
        fresh: dict[Channel, Address] = {
            channel: check(channel, raw, document.country)
            for channel, raw in addresses_to_check(before, document).items()
            if not document.disputed
        }
        salt = before.salt if before and before.salt else clock.random_id()
        after = merge(before, document, fresh, clock.now(), salt)
        if after is not before:
            # Several records of one contact are one write.
            if document.contact_key in changed and before is not None:
                after = replace(after, version=before.version)
            known[document.contact_key] = changed[document.contact_key] = after
    if suppressions is not None and changed:
        changed = with_kept_opt_outs(changed, stored, suppressions, clock.now())
        known |= changed
    if source is not None:
        hold_as_stated(heard, known, changed, source, clock)
    return known, changed


def _once(check: Check) -> Check:
    """The same check that looks at each address once."""
    checked: dict[tuple[Channel, str, str | None], Address] = {}

    def look(channel: Channel, raw: str, country: str | None) -> Address:
        question = (channel, raw, country)
        if question not in checked:
            checked[question] = check(channel, raw, country)
        return checked[question]

    return look


def _contacts_of(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    run: Run | None,
    contacts: ContactBook,
    addresses: AddressChecker,
    suppressions: SuppressionList,
    clock: Clock,
    source: StatusSource,
) -> dict[str, Contact]:
    """The contacts of a slice's documents, by contact key; what its records say is heard once.

    A later look does not repeat what an old record says: another run may have said something newer since,
    or the customer may have been erased.
    """
    if pointer.positions:
        return contacts.get(pointer.domain, keys_of(d for _, d in documents))
    real = [d for _, d in documents if not d.test_flag]
    return update_contacts(real, contacts, addresses, clock, suppressions, lambda d: composed(d, run), source)


def erased_records(
    documents: Iterable[tuple[int, Document]], known: Mapping[str, Contact], run: Run | None
) -> frozenset[int]:
    """The positions of records that existed before their customer was erased. `known` are the contacts of
    these documents, by contact key."""
    return frozenset(
        position
        for position, document in documents
        if not document.test_flag and is_gone(known.get(document.contact_key), composed(document, run))
    )


def _is_erased(notice: Notice | None, contact: Contact | None) -> bool:
    """Whether a notice ended with an erasure, or was known before one."""
    return notice is not None and (notice.why == Why.ERASED or existed_before_erasure(contact, began(notice)))


def _addressed(
    documents: Sequence[tuple[int, Document]],
    known: Mapping[str, Contact],
    look: Check,
    addressing: Callable[[Contact, Document, Check], Contact],
) -> dict[int, Contact]:
    """By position each document's contact with the addresses that its notice may go to.

    Where there is no contact (a test) there are none, whatever the record says.
    """
    found = {}
    for position, document in documents:
        contact = known.get(document.contact_key)
        found[position] = under_hold(
            addressing(contact, document, look) if contact else contact_without_addresses(document), known
        )
    return found


def _has_unusable_address(document: Document, contact: Contact, look: Check) -> bool:
    """Whether the record gives an address that nothing can be sent to, and that would have been used."""
    for channel, name in FIELD_OF.items():
        raw = getattr(document, name)
        if not raw or name in contact.set_by_customer:
            continue
        known = contact.address(channel)
        fine = known is not None and known.given == raw and known.status != "invalid"
        if not fine and not look(channel, raw, document.country).usable:
            return True
    return False


def contact_without_addresses(document: Document) -> Contact:
    """A stand-in for the contact of a document that nothing is stored of."""
    return Contact(document.domain, document.customer_key, "", recipient=document.recipient or "")


def blocked_addresses(
    contacts: Iterable[Contact], suppressions: SuppressedAddresses
) -> set[tuple[Channel, str]]:
    """Which of these contacts' addresses are suppressed; asked once for all of them."""
    return suppressions.suppressed(
        {
            (channel, address.value)
            for contact in contacts
            for channel in ("email", "sms")
            if (address := contact.address(channel)) is not None and address.usable
        }
    )


def blocked_channels(contact: Contact, blocked: Collection[tuple[Channel, str]]) -> set[Channel]:
    """The channels of a contact whose address is among the suppressed ones."""
    return {
        channel
        for channel in ("email", "sms")
        if (address := contact.address(channel)) is not None and (channel, address.value) in blocked
    }


def _new_notice(pointer: SlicePointer, position: int, document: Document, rule: DocumentRule) -> Notice:
    return Notice(
        notice_id_of(document, rule),
        document.domain,
        document.customer_key,
        document.document_id,
        document.document_type,
        rule.purpose,
        "customer",
        origin_of(pointer, position),
        Status.DEFERRED,
        case_id=document.case_id or "",
        rule_version=pointer.version,
        recipient=document.recipient or "",
        facts=facts_of(document),
    )


def _early_responses(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    early: EarlyResponses | None,
    by_document: bool,
) -> Mapping[str, EarlyResponse]:
    """How customers responded before this slice's notices; asked only for what responses are kept on."""
    subjects = {s for _, document in documents for s in subjects_of(document, by_document=by_document)}
    if early is None or not subjects or pointer.version:
        # What ends a journey's steps, the first notice's own record says.
        return {}
    return early.on(pointer.domain, subjects)


def _with_response(notice: Notice, early: EarlyResponse, paid: Payments, now: datetime) -> Notice:
    """The notice with a response, and with payments, that were kept while no index showed the notice yet.

    Its version stays: whatever is written of this look has both in one write.
    """
    after = responded(notice, early.kind, now, early.detail) if early.kind != "superseded" else None
    if after is None:
        return notice
    return replace(after, version=notice.version, payments=with_facts(notice.payments, paid.facts))


@dataclass(slots=True)
class _Carry:
    """Turns what was decided of a record into a job's member, or into the ledger's record of why nothing is
    sent. `before` is the notice as it is stored; with `taken` it is to be taken over from another record."""

    before: Notice | None
    pointer: SlicePointer
    position: int
    document: Document
    rule: DocumentRule
    result: _Slice
    now: datetime
    provider_for: ProviderChoice
    identity: str
    taken: bool = False

    def out(self, decision: Decision) -> None:
        """Send, defer, suppress or print."""
        if isinstance(decision, Send):
            self._send(decision)
            return
        before = self.before
        notice = before or _new_notice(self.pointer, self.position, self.document, self.rule)
        if isinstance(decision, Defer):
            self._write(deferred(notice, decision.until, str(decision.why), self.now, new=before is None))
            return
        status = Status.SUPPRESSED if isinstance(decision, Suppress) else Status.PAPER
        if before is not None and before.reached:
            # The customer knows already; only a further channel was open.
            status = standing(before.attempts)
        why = "" if status in REACHED else str(decision.why)
        notice = replace(notice, status=status, why=why, due_at="", waiting=())
        skipped = self.rule.without_channel == "skip"
        unreached = isinstance(decision, Suppress) and decision.why == Why.NO_CHANNEL and not skipped
        code = _unreached_code(Why.NO_CHANNEL, self.rule) if unreached else ""
        self._put(notice, str(status), f"{decision.why} {decision.detail}".strip(), code)
        if isinstance(decision, Suppress) and decision.why == Why.NOTHING_DUE and not self.pointer.version:
            by_type = self.result.nothing_due.setdefault(self.document.document_type, [])
            by_type.append(self.document.customer_in_run)

    def end_as_erased(self) -> None:
        """The customer was erased: nothing is sent any more. What was sent, or is in doubt, stays so."""
        before = self.before
        waits = before is not None and (
            before.status == Status.DEFERRED
            or (before.status in LOST and not before.events[-1].what.startswith("settled"))
        )
        if before is None or self.taken or waits:
            self.out(Suppress(Why.ERASED))
        elif before.status != Status.SENDING and (before.due_at or before.waiting):
            why = Why.ERASED if before.status == Status.UNCONFIRMED else before.why
            self.result.writes.append(_settled(before, self.now, before.status, str(why)))
            self._say(outcome_for(self.result.writes[-1], origin_of(self.pointer, self.position)))
        else:
            self._say(outcome_for(before, origin_of(self.pointer, self.position)))

    def expire(self) -> None:
        """Its time is over before anything was sent."""
        if self.rule.paper_on_failure:
            self.out(Paper(Why.DEADLINE_PASSED))
            return
        self.end(Status.FAILED, Why.DEADLINE_PASSED, code="deadline_passed")

    def settle(self) -> None:
        """What failed stays so, and no further channel follows, since its time is over."""
        before = self.before
        if before is not None and (before.waiting or before.due_at):
            after = replace(before, waiting=(), due_at="")
            self._put(after, f"settled {before.status}", before.why)
        elif before is not None:
            self._say(outcome_for(before, origin_of(self.pointer, self.position)))

    def end(self, status: Status, why: Why, by: str = "", code: str = "") -> None:
        """Nothing is sent, and nothing follows; `by` is the document that supersedes this one, `code` the
        exception that this is."""
        notice = self.before or _new_notice(self.pointer, self.position, self.document, self.rule)
        notice = replace(notice, status=status, why=str(why), due_at="", waiting=(), superseded_by=by)
        self._put(notice, "superseded" if by else f"settled {status}", by or str(why), code)

    def _send(self, decision: Send) -> None:
        channel, *rest = decision.channels
        before = self.before
        identity = self.identity
        stored = before.version if before else 0
        if before is not None and self.taken:
            # Claimed by this record before its job goes out: the due index brings it back if that is lost.
            until = (self.now + CLAIM_WITHIN).isoformat(timespec="seconds")
            stored += 1
            self.result.writes.append(replace(before, version=stored, due_at=until))
        member = Member(
            identity,
            self.position,
            attempt=max((a.number for a in before.attempts), default=0) + 1 if before else 1,
            stored=stored,
            waiting=tuple(rest),
            both=decision.both,
        )
        key = (channel, self.provider_for(channel, self.rule.message_class), self.rule.urgent)
        self.result.members.setdefault(key, []).append(member)
        if before is None or self.taken:
            self._say(
                RecordOutcome(self.pointer.number, self.position, Outcome.IN_FLIGHT, "", stored, identity)
            )

    def _put(self, notice: Notice, what: str, detail: str, code: str = "") -> None:
        write = opened if self.before is None else happened
        customer = self.document.customer_in_run
        report = self.result.count(code, self.before, self.position, customer) if code else ""
        self._write(write(notice, self.now, what, detail, report=report))

    def _write(self, after: Notice) -> None:
        self.result.writes.append(after)
        self._say(outcome_for(after, origin_of(self.pointer, self.position)))

    def _say(self, outcome: RecordOutcome) -> None:
        self.result.outcomes.append(outcome)


def _unreached_code(code: str, rule: DocumentRule) -> str:
    """The code that a customer who cannot be reached is reported under."""
    return REQUIRED_UNREACHED if rule.must_reach and code in (Why.NO_CHANNEL, "unreached") else code


def _look_again(
    before: Notice,
    due: bool,
    pointer: SlicePointer,
    position: int,
    document: Document,
    rule: DocumentRule,
    contact: Contact,
    suppressed: Collection[Channel],
    zones: Sequence[str],
    result: _Slice,
    now: datetime,
    policy: Policy,
    provider_for: ProviderChoice,
    reputation: Reputation | None,
    late: bool,
) -> None:
    """Decide on a notice of this record that is known: deferred and due, failed, in doubt, or half told."""
    origin = origin_of(pointer, position)

    def carry(decision: Decision) -> None:
        identity = before.notice_id
        _Carry(before, pointer, position, document, rule, result, now, provider_for, identity).out(decision)

    def settle(status: Status, why: str, code: str = "") -> None:
        # A failure stays the outcome that it is; only its place in the due index goes.
        named, customer = _unreached_code(code, rule), document.customer_in_run
        report = result.count(named, before, position, customer) if code else ""
        after = _settled(before, now, status, why, report)
        result.writes.append(after)
        result.outcomes.append(
            RecordOutcome(pointer.number, position, after.outcome, why, after.version, before.notice_id)
        )

    further = None
    if before.waiting:
        further = decide(rule, document, contact, suppressed, zones, now, policy, channels=before.waiting)
    goes_on = isinstance(further, Send | Defer)
    half_told = rule.both_channels and (
        before.status == Status.UNCONFIRMED or (before.status in REACHED and due)
    )
    lost = before.status in LOST or (before.status == Status.DELAYED and due and goes_on)
    stale = is_stale(before, rule.deadline_hours, now)
    if before.superseded_by and (before.status == Status.DEFERRED or lost):
        settle(Status.SUPERSEDED, Why.SUPERSEDED)
    elif stays(rule, contact) and before.status == Status.DEFERRED:
        settle(Status.SUPPRESSED, Why.DO_NOT_DUN)
    elif stays(rule, contact) and (lost or half_told or due) and (before.waiting or before.due_at):
        # Neither another channel nor paper follows a demand that should not have gone out.
        settle(before.status, before.why)
    elif stays(rule, contact):
        result.outcomes.append(outcome_for(before, origin))
    elif before.responses and before.status in (Status.DEFERRED, Status.FAILED):
        settle(Status.SUPPRESSED, Why.RESPONDED)
    elif (
        before.responses
        and (lost or before.status in REACHED or before.status == Status.UNCONFIRMED)
        and (lost or half_told or due)
    ):
        # Whoever responded knows: neither a second channel nor a doubt has anything left to say.
        settle(before.status, before.why)
    elif before.status == Status.DEFERRED and due:
        if late and (stale or not _waits_for_its_hour(before, rule)):
            if rule.paper_on_failure:
                carry(Paper(Why.DEADLINE_PASSED))
            else:
                settle(Status.FAILED, Why.DEADLINE_PASSED, "deadline_passed")
            return
        anew = decide(
            rule, document, contact, suppressed, zones, now, policy, channels=before.waiting or None
        )
        carry(_held_back(anew, rule, reputation, now))
    elif lost and (stale or (late and before.status != Status.FAILED and before.why != Why.NO_RECEIPT)):
        # A bounce can come weeks after the send: then a short message would tell of old news.
        if rule.paper_on_failure:
            carry(Paper(Why.DEADLINE_PASSED))
        else:
            settle(before.status, before.why, "unreached")
    elif further is not None and goes_on and (lost or (half_told and not late)):
        carry(further)
    elif lost:
        if isinstance(further, Paper):
            carry(further)
        elif rule.paper_on_failure:
            carry(Paper(Why.NO_CHANNEL, "every channel failed"))
        elif before.waiting or not before.events[-1].what.startswith("settled"):
            settle(before.status, before.why, "unreached")
        else:
            result.outcomes.append(outcome_for(before, origin))
    elif before.status == Status.UNCONFIRMED and due:
        answer: Decision | None = None
        if before.superseded_by:
            pass
        elif rule.on_unconfirmed == "paper":
            answer = Paper(Why.ANSWER_LOST)
        elif rule.on_unconfirmed == "other_channel" and not stale:
            answer = further or (Paper(Why.ANSWER_LOST) if rule.paper_on_failure else None)
        elif rule.on_unconfirmed == "resend" and not late:
            answer = decide(rule, document, contact, suppressed, zones, now, policy)
        if answer is None or isinstance(answer, Suppress):
            # The doubt stays the outcome: that nothing more can be done does not resolve it.
            settle(Status.UNCONFIRMED, before.why, "unconfirmed_at_deadline")
        else:
            carry(answer)
    elif due and before.due_at and before.status in REACHED and not half_told:
        # Its run is told; what would follow should it fail after all stays open.
        result.writes.append(happened(replace(before, due_at=""), now, "looked at"))
        result.outcomes.append(outcome_for(result.writes[-1], origin))
    elif due and (before.due_at or half_told):
        # Nothing follows, so it leaves the due index.
        settle(before.status, before.why)
    else:
        result.outcomes.append(outcome_for(before, origin))


def _waits_for_its_hour(before: Notice, rule: DocumentRule) -> bool:
    """Whether a further channel waits only for the customer's day, that follows a silence or a doubt by rule.

    A silence is known at the deadline, and a doubt may outlast it: that deadline cannot end what follows.
    """
    newest = before.attempts[-1] if before.attempts else None
    if newest is None or before.why != Why.QUIET_HOURS:
        return False
    doubted = newest.status == Status.UNCONFIRMED and rule.on_unconfirmed == "other_channel"
    return newest.is_silent or doubted


def _copy_teams(
    pointer: SlicePointer,
    position: int,
    document: Document,
    rule: DocumentRule,
    rules: Rules,
    stored: Mapping[str, Notice],
    result: _Slice,
    now: datetime,
    provider_for: ProviderChoice,
    late: bool,
) -> None:
    """One e-mail to each internal team about this document, where the rule wants each told.

    On a later look only those that an outage put off are sent.
    """
    key: tuple[Channel, str, bool] = ("email", provider_for("email", "transactional"), rule.urgent)
    for team in _teams(document, rule):
        identity = notice_id_of(document, rule, team_audience(team))
        _tell_team(team, identity, position, pointer, rules, stored, result, now, late, key)


def _end_copies(
    pointer: SlicePointer,
    position: int,
    document: Document,
    rule: DocumentRule,
    stored: Mapping[str, Notice],
    result: _Slice,
    now: datetime,
) -> None:
    """End the copies to internal teams that wait, since the customer was erased."""
    for team in _teams(document, rule):
        copy = stored.get(notice_id_of(document, rule, team_audience(team)))
        if copy is None or not is_from(copy, origin_of(pointer, position)) or result.resume(copy):
            continue
        if copy.due_at:
            result.writes.append(_ended(copy, now, Status.SUPPRESSED, Why.ERASED))


def _teams(document: Document, rule: DocumentRule) -> tuple[str, ...]:
    if rule.team_copy != "each":
        return ()
    return tuple(dict.fromkeys((*rule.teams, *document.internal_teams)))


def _tell_team(
    team: str,
    identity: str,
    position: int,
    pointer: SlicePointer,
    rules: Rules,
    stored: Mapping[str, Notice],
    result: _Slice,
    now: datetime,
    late: bool,
    key: tuple[Channel, str, bool],
) -> None:
    before = stored.get(identity)
    origin = origin_of(pointer, position)
    if before is not None and may_take_over(before, origin, result.cancelled):
        until = (now + CLAIM_WITHIN).isoformat(timespec="seconds")
        before = taken_over(before, origin, None, now)
        before = replace(before, version=before.version + 1, due_at=until)
        result.writes.append(before)
    elif before is not None and (not is_from(before, origin) or result.resume(before, urgent=key[2])):
        return
    waits = before is not None and before.status == Status.DEFERRED
    known = rules.team_address(team) is not None
    if not known and (before is None or waits):
        result.unknown_teams[team] = result.unknown_teams.get(team, 0) + 1
    elif late and (waits or (before is None and not pointer.positions)):
        result.late_teams[team] = result.late_teams.get(team, 0) + 1
    if before is None:
        if known and not pointer.positions and not late:
            member = Member(identity, position, team_audience(team))
            result.members.setdefault(key, []).append(member)
    elif waits and known and not late:
        attempt = len(before.attempts) + 1
        member = Member(identity, position, team_audience(team), attempt=attempt, stored=before.version)
        result.members.setdefault(key, []).append(member)
    elif before.due_at and is_due(before, now) and before not in result.writes:
        status = Status.FAILED if waits else before.status
        result.writes.append(_settled(before, now, status, before.why))


def _gone(
    pointer: SlicePointer,
    ledger: Ledger,
    contacts: ContactBook | None,
    runs: RunBook | None,
    exceptions: ExceptionBus,
    now: datetime,
) -> Decided:
    """Records that are not stored any more are decided no more: what waited for them ends, and is reported.

    A run that was held, or a notice that was deferred, for longer than records are stored comes to this.
    What waited for an erased customer ends as erased.
    """
    waited = [
        notice
        for notice in ledger.get(pointer.notices).values()
        if notice.due_at
        and notice.claimed is None
        and (notice.origin.run, notice.origin.slice_number) == (pointer.run, pointer.number)
    ]
    keys = {n.contact_key for n in waited if n.audience == "customer"}
    known = contacts.get(pointer.domain, keys) if contacts is not None and keys else {}
    erased = {n.notice_id for n in waited if existed_before_erasure(known.get(n.contact_key), began(n))}
    ended = {
        n.notice_id: _ended(n, now, Status.SUPPRESSED, Why.ERASED)
        if n.notice_id in erased
        else _ended(n, now, Status.FAILED, Why.RECORDS_GONE)
        for n in waited
    }
    if ended:
        final = {**ended, **ledger.put(list(ended.values()))}
        if runs is not None and not pointer.version:
            words = [outcome_for(n, n.origin) for n in final.values() if n.audience == "customer"]
            tell_run(runs, pointer.run, "gone", words)
    places = {n.origin.position for n in waited if n.notice_id in erased}
    count = (len(pointer.positions) or pointer.count) - len(places)
    if not count:
        return Decided(notices=frozenset(ended))
    part = place_of(pointer)
    text = "records that are not stored any more: nobody else of them is notified"
    exceptions.raise_exceptions(
        [ExceptionRaised(Why.RECORDS_GONE, "error", pointer.domain, pointer.run_id, text, part, count)]
    )
    return Decided(notices=frozenset(ended))


def _decide_digests(
    pointer: SlicePointer,
    control: Control,
    content: str,
    records: Records,
    rules: Rules,
    ledger: Ledger,
    queues: SendQueues,
    exceptions: ExceptionBus,
    provider_for: ProviderChoice,
    now: datetime,
) -> Decided:
    """One e-mail per run and team, with counts only."""
    result = _Slice()
    try:
        digests = records.read_digests(pointer)
    except RecordsGone:
        return _gone(pointer, ledger, None, None, exceptions, now)
    stored: Mapping[str, Notice] = {}
    if pointer.positions:
        stored = ledger.get({digest_id(pointer, team, content) for _, team, _ in digests})
    if control == Control.CANCEL:
        known = dict(stored)
        known |= ledger.put([_cancelled(n, now) for n in stored.values() if n.due_at and n.claimed is None])
        _resume(pointer, known.values(), queues)
        return Decided(notices=frozenset(stored))
    key: tuple[Channel, str, bool] = ("email", provider_for("email", "transactional"), False)
    for position, team, _ in digests:
        identity = digest_id(pointer, team, content)
        before = stored.get(identity)
        late = before is not None and now > datetime.fromisoformat(before.created_at) + DIGEST_DEADLINE
        _tell_team(team, identity, position, pointer, rules, stored, result, now, late, key)
    if result.writes:
        ledger.put(result.writes)
    queues.send_jobs(_jobs(pointer, result))
    exceptions.raise_exceptions(_exceptions(pointer, result))
    return Decided(notices=result.notices)


def digest_id(pointer: SlicePointer, team: str, content: str) -> str:
    """The identity of a team's digest of a run with that content (the run's fingerprint)."""
    return notice_id(
        pointer.domain, "", pointer.run_id, edition=content, purpose="digest", audience=team_audience(team)
    )


def digest_rows(documents: Iterable[tuple[int, Document]], rules: Rules) -> list[DigestRow]:
    """What internal teams are to know of a slice in their digest: type, teams, and the records' positions."""
    rows: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for position, document in documents:
        rule = rules.for_document(document)
        teams = tuple(dict.fromkeys((*rule.teams, *document.internal_teams)))
        if rule.team_copy == "digest" and teams and not document.test_flag:
            rows.setdefault((document.document_type, teams), []).append(position)
    return [DigestRow(kind, teams, tuple(positions)) for (kind, teams), positions in rows.items()]


def _settled(notice: Notice, now: datetime, status: Status, why: str, report: str = "") -> Notice:
    """The notice with nothing to follow any more: out of the due index."""
    ended = replace(notice, due_at="", waiting=(), status=status, why=why)
    return happened(ended, now, f"settled {status}", why, report=report)


def _cancelled(notice: Notice, now: datetime) -> Notice:
    """The notice of a cancelled run."""
    return _ended(notice, now, Status.SUPPRESSED, Why.RUN_CANCELLED)


def _ended(notice: Notice, now: datetime, status: Status, why: Why) -> Notice:
    """What waits is ended, what was sent or is in doubt stays so."""
    if notice.status != Status.DEFERRED:
        return _settled(notice, now, notice.status, notice.why)
    return happened(replace(notice, status=status, why=why, due_at="", waiting=()), now, str(status), why)


def _jobs(pointer: SlicePointer, result: _Slice) -> list[SendJob]:
    # A job refers to the slice as a whole; which records are in it its members say.
    whole = replace(pointer, positions=())
    return [
        SendJob(
            job_id(
                pointer.run,
                pointer.number,
                f"{pointer.kind}/{channel}/{provider}/{urgent}",
                (f"{m.notice_id}:{m.attempt}:{m.stored}" for m in members),
            ),
            whole,
            channel,
            provider,
            urgent,
            tuple(members),
        )
        for (channel, provider, urgent), members in result.members.items()
    ]


def differing(
    pointer: SlicePointer,
    place: str,
    found: Mapping[tuple[str, tuple[str, ...]], Mapping[int, int | None]],
) -> list[ExceptionRaised]:
    """Duplicates that say something else than the document that was notified, by the other run and in what;
    where they differ in nothing, duplicates without an id or a date, which may be other documents.

    `found` has the customers' numbers in the run by position.
    """
    return [
        ExceptionRaised(
            DUPLICATE_DIFFERS if kinds else DUPLICATE_UNDATED,
            "error",
            pointer.domain,
            pointer.run_id,
            f"duplicates of {run} that differ from what was notified there: {', '.join(kinds)}"
            if kinds
            else f"duplicates of {run} without an id or a date of their own; they may be other documents",
            part=f"{place} of {run} {' '.join(kinds)}".rstrip(),
            count=len(customers),
            customers_in_run=tuple(number for number in customers.values() if number is not None),
            names=tuple(run.split("/")),
        )
        for (run, kinds), customers in found.items()
    ]


def _exceptions(pointer: SlicePointer, result: _Slice) -> list[ExceptionRaised]:
    texts = {
        Why.NO_CHANNEL: "customers with no channel that works, and no paper by rule",
        "second_step_missing": "documents whose rule asks for a second step that their record cannot answer",
        "address_unusable": "records with an address that cannot be written to",
        "due_date_missing": "documents whose journey follows a due date that their record does not have",
        "unreached": "documents whose every channel failed",
        REQUIRED_UNREACHED: "regulated or urgent documents that reached nobody on any channel",
        "deadline_passed": "documents that waited beyond their deadline",
        "unconfirmed_at_deadline": "sends in doubt that no receipt resolved in time",
    }
    raised = [
        ExceptionRaised(
            code,
            "error",
            pointer.domain,
            pointer.run_id,
            texts[code],
            part=place_of(pointer),
            count=len(customers),
            customers_in_run=tuple(number for number in customers.values() if number is not None),
        )
        for code, customers in result.unreached.items()
        if customers
    ]
    raised += differing(pointer, place_of(pointer), result.differing)
    raised += [
        ExceptionRaised(
            Why.NOTHING_DUE,
            "warning",
            pointer.domain,
            pointer.run_id,
            f"{document_type}: records on which nothing is due, or with a credit; nobody was notified",
            part=place_of(pointer, document_type),
            count=len(customers),
            customers_in_run=tuple(number for number in customers if number is not None),
            document_type=document_type,
        )
        for document_type, customers in result.nothing_due.items()
    ]
    raised += [
        ExceptionRaised(
            "team_unknown",
            "warning",
            pointer.domain,
            pointer.run_id,
            f"internal team {team} has no address in rules/teams.yaml",
            part=place_of(pointer, team),
            count=count,
            names=(team,),
        )
        for team, count in result.unknown_teams.items()
    ]
    raised += [
        ExceptionRaised(
            "team_not_told",
            "warning",
            pointer.domain,
            pointer.run_id,
            f"internal team {team} could not be told before the deadline",
            part=place_of(pointer, team),
            count=count,
            names=(team,),
        )
        for team, count in result.late_teams.items()
    ]
    return raised


def _supersede(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    records: Records,
    rules: Rules,
    ledger: ResponseLedger,
    runs: RunBook,
    early: EarlyResponses | None,
    now: datetime,
) -> bool:
    """End the notices of documents that these replace, of any type and edition, also ones not seen yet.

    What is not seen yet is remembered under customer and document id for the decision and the claim, since
    its type and edition are not known; a tombstone under the likeliest identity stands in the way at once.
    True if any of these documents replaces another.
    """
    tombstones: dict[str, Notice] = {}
    replacing = [
        (position, document)
        for position, document in documents
        if document.supersedes and document.supersedes != document.document_id and not document.test_flag
    ]
    if replacing and early is not None:
        until = now + timedelta(days=SUPERSEDED_DAYS)
        for _, document in replacing:
            early.keep(pointer.domain, *superseding(document, now), until)
        # Known before the ledger is read: what is claimed after that finds it.
        runs.keep_early(pointer.domain, until)
    for position, document in replacing:
        rule = rules.for_document(document)
        old = replace(document, document_id=document.supersedes or "", edition="", content_sha256=None)
        for audience in ("customer", *map(team_audience, (*rule.teams, *document.internal_teams))):
            tombstone = _tombstone(pointer, position, old, rule, document.document_id, audience, now)
            tombstones[tombstone.notice_id] = tombstone
        for found in _replaced_by(document, ledger, records):
            its_rule = rules.for_document(found)
            for audience in ("customer", *map(team_audience, _teams(found, its_rule))):
                tombstone = _tombstone(
                    pointer, position, found, its_rule, document.document_id, audience, now
                )
                tombstones.setdefault(tombstone.notice_id, tombstone)
    _bury(tombstones, ledger, runs, now)
    return bool(replacing)


def _tombstone(
    pointer: SlicePointer,
    position: int,
    old: Document,
    rule: DocumentRule,
    by: str,
    audience: str,
    now: datetime,
) -> Notice:
    """The notice of a replaced document, as it is written where there is none yet."""
    notice = replace(
        _new_notice(pointer, position, old, rule),
        notice_id=notice_id_of(old, rule, audience),
        audience=audience,
        status=Status.SUPERSEDED,
        why=Why.SUPERSEDED,
        superseded_by=by,
        facts="",
    )
    return opened(notice, now, "superseded", by)


def _replaced_by(document: Document, ledger: ResponseLedger, records: Records) -> list[Document]:
    """The documents known by their notices that this one replaces.

    Of those that have only a file's name it is the one of the same period, else the newest: last month's
    statement of that name stays what it is.
    """
    stored = [
        notice
        for notice in ledger.of_document(document.domain, document.supersedes or "")
        if notice.purpose == "notice" and notice.customer_key == document.customer_key
    ]
    known = [found for notice in stored if (found := document_of(notice, records)) is not None]
    mine = [found for found in known if found.recipient == document.recipient]
    named = [found for found in mine if found.edition]
    same = [found for found in named if found.statement_period == document.statement_period is not None]
    return [found for found in mine if not found.edition] + (same or named[-1:])


def _bury(tombstones: Mapping[str, Notice], ledger: Ledger, runs: RunBook, now: datetime) -> None:
    """Write tombstones, and end what stands in their place."""
    wanted = list(tombstones.values())
    for _ in range(5):
        again: list[Notice] = []
        ended: list[Notice] = []
        for identity, stored in ledger.put(wanted).items():
            by = tombstones[identity].superseded_by
            if stored.superseded_by:
                if stored.superseded_by == by and stored.status == Status.SUPERSEDED and stored.version > 1:
                    # Perhaps we died before its run was told.
                    _tell_superseded(stored, runs)
                continue
            waits = stored.status == Status.DEFERRED
            after = happened(
                replace(
                    stored,
                    superseded_by=by,
                    status=Status.SUPERSEDED if waits else stored.status,
                    why=Why.SUPERSEDED if waits else stored.why,
                    due_at="" if waits else stored.due_at,
                    waiting=(),
                ),
                now,
                "superseded",
                by,
            )
            again.append(after)
            if waits:
                ended.append(after)
        if not again:
            return
        blocked = ledger.put(again)
        for notice in ended:
            if notice.notice_id not in blocked:
                _tell_superseded(notice, runs)
        if not blocked:
            return
        wanted = [tombstones[identity] for identity in blocked]
    raise RuntimeError("notices to supersede kept changing under five attempts")


def _tell_superseded(notice: Notice, runs: RunBook) -> None:
    """Tell the run that a replaced document came from what became of it."""
    if notice.audience == "customer":
        tell_run(runs, notice.origin.run, "superseded", [outcome_of(notice)])


def _cancel(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    stored: Mapping[str, Notice],
    ids: Mapping[int, str],
    rules: Rules,
    ledger: Ledger,
    runs: RunBook,
    decide_queue: DecideQueue | None,
    now: datetime,
) -> Mapping[str, Notice]:
    """End a cancelled run's records; its notices as they stand now.

    What waits in the ledger ends there, and what another run waits for is handed on. What the ledger does not
    hold stays free if the pointer names the slice as a whole. Single positions had jobs. A slow worker may
    still have one: they are written as suppressed, so that it cannot claim them. A corrected run can notify.
    """
    ours = {
        key: _cancelled(notice, now)
        for key, notice in stored.items()
        if (notice.origin.run, notice.origin.slice_number) == (pointer.run, pointer.number)
        and notice.claimed is None
        and (notice.due_at or notice.status == Status.DEFERRED)
    }
    for position, document in documents if pointer.positions else ():
        if position in ids:
            continue
        new = _new_notice(pointer, position, document, rules.for_document(document))
        if new.notice_id not in stored:
            ended = replace(new, status=Status.SUPPRESSED, why=Why.RUN_CANCELLED)
            ours[new.notice_id] = opened(ended, now, "suppressed", Why.RUN_CANCELLED)
    known = {**stored, **ours}
    if ours:
        known |= ledger.put(list(ours.values()))
    _hand_over(pointer, known.values(), decide_queue)
    outcomes: list[RecordOutcome] = []
    for position, document in documents:
        notice = known.get(ids.get(position) or notice_id_of(document, rules.for_document(document)))
        origin = origin_of(pointer, position)
        free = notice is None or not (is_from(notice, origin) or former_of(notice, origin))
        if notice is None or (free and standing_of(notice) not in (Standing.REACHED, Standing.ANSWERED)):
            outcomes.append(RecordOutcome(pointer.number, position, Outcome.SUPPRESSED, Why.RUN_CANCELLED, 1))
        else:
            outcomes.append(outcome_for(notice, origin))
    if pointer.version:
        return known
    if pointer.positions:
        tell_run(runs, pointer.run, "cancel", outcomes)
    else:
        runs.put_slice(pointer, outcomes)
    return known
