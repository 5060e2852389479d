"""Decide what becomes of a slice's documents: jobs for the send queues, and all that is not sent."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

from ..domain.contacts import Address, Check, Contact, addresses_to_check, as_addressed, merge
from ..domain.decisions import Decision, Defer, Paper, Policy, Send, Suppress, Why, decide
from ..domain.documents import Channel, Document, DocumentRule, MessageClass
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id, notice_id
from ..domain.journeys import is_stopped, joins, why_stopped
from ..domain.notices import (
    LOST,
    REACHED,
    Notice,
    Origin,
    Outcome,
    Status,
    happened,
    opened,
    standing,
)
from ..domain.payments import Payments, nothing_due, with_facts
from ..domain.responses import (
    EarlyResponse,
    answer_to,
    early_payments,
    is_early,
    responded,
    subjects_of,
)
from ..domain.runs import Control, RecordOutcome
from ..domain.second_step import field_of
from ..domain.work import Member, SendJob, SlicePointer
from ..ports import (
    AddressChecker,
    Clock,
    ContactBook,
    EarlyResponses,
    ExceptionBus,
    JourneyBook,
    Ledger,
    Records,
    Reputation,
    Rules,
    RunBook,
    SendQueues,
    SuppressedAddresses,
    SuppressionList,
)
from .step_rules import journey_of, rules_of
from .what_is_left import at_step

ProviderChoice = Callable[[Channel, MessageClass], str]

RELEASED = "released"
"""The event of a deferred or doubtful notice that was handed on for another look."""

DIGEST_DEADLINE = timedelta(hours=72)
"""How long a team's digest that an outage put off is still of use."""

WAIT_FOR_REPUTATION = timedelta(hours=1)
"""How long marketing waits before it is asked again whether it may go."""

_TEAM_PREFIX = "team:"


def notice_id_of(document: Document, rule: DocumentRule, audience: str = "customer") -> str:
    """The identity of the notice that tells `audience` of this document.

    A test document's is its own: it must not stand in the way of the real one.
    """
    edition = (document.content_sha256 or "") if rule.notify_on_new_content else ""
    if document.test_flag:
        edition = "test"
    return notice_id(
        document.domain,
        document.customer_key,
        document.document_id,
        recipient=document.recipient or "",
        edition=edition,
        purpose=rule.purpose,
        audience=audience,
    )


def _first_id(document: Document, rules: Rules) -> str:
    return notice_id_of(document, rules.for_document(document))


def step_stops(
    pointer: SlicePointer,
    documents: Collection[Document],
    rules: Rules,
    journeys: JourneyBook | None,
    ledger: Ledger,
) -> dict[tuple[str, str], str]:
    """Why no step follows, by contact key and document: what their first notice in the ledger says now.

    `rules` are those of the documents. Empty for anything but a journey's step.
    """
    journey = journey_of(pointer, rules, journeys)
    if journey is None:
        return {}
    first = {(d.contact_key, d.document_id): notice_id_of(d, rules.for_document(d)) for d in documents}
    stored = ledger.get(set(first.values()))
    found = {}
    for key, identity in first.items():
        notice = stored.get(identity)
        stopped = "stopped" if notice is not None and is_stopped(notice) else ""
        if reason := why_stopped(journey, notice) or stopped:
            found[key] = reason
    return found


def origin_of(pointer: SlicePointer, position: int) -> Origin:
    """Where a record of this slice stands."""
    return Origin(pointer.run, pointer.number, position, pointer.part, pointer.offset, pointer.length)


def pointer_to(notices: Sequence[Notice]) -> SlicePointer:
    """A pointer to the records of these notices, all of one slice, to be looked at again."""
    origin = notices[0].origin
    domain, _, run_id = origin.run.partition("/")
    positions = tuple(sorted({n.origin.position for n in notices}))
    return SlicePointer(
        domain,
        run_id,
        origin.slice_number,
        origin.part,
        origin.offset,
        origin.length,
        count=len(positions),
        first=positions[0],
        kind="digests" if notices[0].purpose == "digest" else "documents",
        positions=positions,
        purpose=notices[0].purpose if notices[0].rule_version else "notice",
        version=notices[0].rule_version,
    )


def document_of(notice: Notice, records: Records) -> Document | None:
    """The record that a notice came from; None where there is none any more."""
    if not notice.origin.part:
        return None
    try:
        return dict(records.read(pointer_to([notice]))).get(notice.origin.position)
    except LookupError:
        return None


def team_audience(team: str) -> str:
    """The audience name of an internal team."""
    return _TEAM_PREFIX + team


def team_of(audience: str) -> str | None:
    """The internal team of an audience name, or None for the customer."""
    return audience.removeprefix(_TEAM_PREFIX) if audience.startswith(_TEAM_PREFIX) else None


def outcome_of(stored: Notice, position: int, origin: Origin) -> RecordOutcome:
    """What the stored notice means for a record: its own story, or a duplicate of another's."""
    ours = stored.origin
    number = origin.slice_number
    if (ours.run, ours.slice_number, ours.position) == (origin.run, number, position):
        return RecordOutcome(number, position, stored.outcome, stored.why, stored.version, stored.notice_id)
    if is_early(stored):
        # The customer responded before this was told: nothing is a duplicate of that.
        return RecordOutcome(number, position, Outcome.SUPPRESSED, Why.RESPONDED, 1, stored.notice_id)
    if stored.status == Status.SUPERSEDED and not stored.reached:
        return RecordOutcome(number, position, Outcome.SUPPRESSED, Why.SUPERSEDED, 1, stored.notice_id)
    return RecordOutcome(number, position, Outcome.DUPLICATE, "", 1, stored.notice_id)


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
    unreached: dict[str, list[int | None]] = field(default_factory=dict)
    unknown_teams: dict[str, int] = field(default_factory=dict)
    late_teams: dict[str, int] = field(default_factory=dict)
    nothing_due: dict[str, list[int | None]] = field(default_factory=dict)
    unresolved: int = 0

    @property
    def notices(self) -> frozenset[str]:
        """Every notice that it was about."""
        members = (member.notice_id for several in self.members.values() for member in several)
        told = (outcome.notice_id for outcome in self.outcomes)
        written = (notice.notice_id for notice in self.writes)
        return frozenset(filter(None, chain(members, told, written)))


def decide_notices(
    pointer: SlicePointer,
    *,
    records: Records,
    rules: Rules,
    contacts: ContactBook,
    addresses: AddressChecker,
    suppressions: SuppressionList,
    ledger: Ledger,
    runs: RunBook,
    queues: SendQueues,
    exceptions: ExceptionBus,
    clock: Clock,
    provider_for: ProviderChoice,
    policy: Policy,
    early: EarlyResponses | None = None,
    journeys: JourneyBook | None = None,
    reputation: Reputation | None = None,
) -> Decided:
    """Decide a slice, or only the positions that the pointer names.

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
    documents = records.read(pointer)
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
    if control == Control.CANCEL:
        _cancel(pointer, documents, stored, rules, ledger, runs, now)
        return Decided(notices=frozenset(stored))

    stops = step_stops(pointer, [d for _, d in documents], whole, journeys, ledger)
    documents = at_step(pointer, documents, whole, _first_id, ledger, early, by_document=by_document, now=now)
    known = _contacts_of(pointer, documents, contacts, addresses, clock)
    addressed = _addressed(documents, known, addresses.check)
    blocked = blocked_addresses(addressed.values(), suppressions)
    result = _Slice()
    if not pointer.positions:
        _supersede(pointer, documents, rules, ledger, runs, now)
    seen: set[str] = set()
    responses = _early_responses(pointer, documents, early, by_document)
    dated = [j for j in rules.journeys().values() if any(step.anchor == "due_date" for step in j.steps)]
    for position, document in documents:
        rule = rules.for_document(document)
        contact = addressed[position]
        suppressed = blocked_channels(contact, blocked)
        before = stored.get(notice_id_of(document, rule))
        due = before is not None and _is_due(before, now)
        answered = answer_to(document, responses, now, any_payment_settles=rule.any_payment_settles)
        if before is not None and answered is not None:
            before = _with_response(before, answered, early_payments(document, responses, now), now)
        identity = notice_id_of(document, rule)
        if identity in seen:
            result.outcomes.append(
                RecordOutcome(pointer.number, position, Outcome.DUPLICATE, "", 1, identity)
            )
            continue
        seen.add(identity)
        zones = addresses.zones(contact)
        asked = field_of(rule.second_step)
        first = rule.purpose == "notice" and before is None
        if first and asked and not getattr(document, asked) and not rule.skip:
            result.unreached.setdefault("second_step_missing", []).append(document.customer_in_run)
        demanded = rule.demands_payment
        if (
            first
            and not document.due_date
            and not rule.skip
            and any(joins(j, document, demanded) for j in dated)
        ):
            result.unreached.setdefault("due_date_missing", []).append(document.customer_in_run)
        stop = stops.get((document.contact_key, document.document_id))
        open_yet = before is None or (before.status == Status.DEFERRED and due)
        if before is None and answered is not None:
            known_already = Suppress(Why.RESPONDED, answered.told)
            _carry_out(known_already, None, pointer, position, document, rule, result, now, provider_for)
            paid = early_payments(document, responses, now)
            if paid and answered.kind == "paid":
                result.writes[-1] = replace(result.writes[-1], responses=("paid",), payments=paid)
        elif stop and open_yet:
            ended = Suppress(Why.JOURNEY_STOPPED, stop)
            _carry_out(ended, before, pointer, position, document, rule, result, now, provider_for)
        elif before is None:
            decision = _held_back(
                decide(rule, document, contact, suppressed, zones, now, policy), rule, reputation, now
            )
            _carry_out(decision, None, pointer, position, document, rule, result, now, provider_for)
        else:
            _look_again(
                before, due, pointer, position, document, rule, contact, suppressed, zones, result, now,
                policy, provider_for, reputation,
            )  # fmt: skip
        if not document.test_flag and not (demanded and nothing_due(document)):
            _copy_teams(pointer, position, document, rule, rules, stored, result, now, provider_for)

    for identity, other in ledger.put(result.writes).items():
        mine = next(n for n in result.writes if n.notice_id == identity)
        if mine.audience != "customer":
            continue
        taken = (identity, mine.origin.position)
        result.outcomes = [o for o in result.outcomes if (o.notice_id, o.position) != taken]
        result.outcomes.append(outcome_of(other, mine.origin.position, mine.origin))
    queues.send_jobs(_jobs(pointer, result))
    exceptions.raise_exceptions(_exceptions(pointer, result))
    outcomes = sorted(result.outcomes, key=lambda o: o.position)
    decided = Decided(Counter(str(o.outcome) for o in outcomes), result.notices)
    if pointer.version:
        return decided
    if pointer.positions:
        again = job_id(
            pointer.run, pointer.number, "again", (f"{o.position}:{o.version}:{o.outcome}" for o in outcomes)
        )
        if outcomes:
            runs.put_job(pointer.run, again, outcomes)
    else:
        runs.put_slice(pointer, outcomes)
    return decided


def _held_back(
    decision: Decision, rule: DocumentRule, reputation: Reputation | None, now: datetime
) -> Decision:
    """Marketing waits while its channel's sender has too bad a name; everything else goes on."""
    if rule.message_class != "marketing" or reputation is None or not isinstance(decision, Send):
        return decision
    if decision.channels[0] in reputation.stopped():
        return Defer(now + WAIT_FOR_REPUTATION, Why.REPUTATION)
    return decision


def update_contacts(
    documents: Sequence[Document],
    contacts: ContactBook,
    addresses: AddressChecker,
    clock: Clock,
    *,
    write: bool = True,
) -> dict[str, Contact]:
    """The contacts of these documents, by contact key, brought up to date with what the records say.

    Another writer's change is never overwritten: its contact is read again and the records are
    merged into that. `write=False` merges without storing (a plan).
    """
    if not documents:
        return {}
    keys = {d.contact_key for d in documents}
    check = _once(addresses.check)
    for _ in range(5):
        known = contacts.get(documents[0].domain, keys)
        changed: dict[str, Contact] = {}
        for document in documents:
            before = known.get(document.contact_key)
            fresh: dict[Channel, Address] = {
                channel: check(channel, raw, document.country)
                for channel, raw in addresses_to_check(before, document).items()
                if not document.disputed
            }
            salt = before.salt if before else clock.random_id()
            after = merge(before, document, fresh, clock.now(), salt)
            if after is not before:
                # Several records of one contact are one write.
                if document.contact_key in changed and before is not None:
                    after = replace(after, version=before.version)
                known[document.contact_key] = changed[document.contact_key] = after
        if not write or not changed:
            return known
        if not contacts.put(list(changed.values())):
            return known
    raise RuntimeError("contacts kept changing under five attempts to update them")


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
    contacts: ContactBook,
    addresses: AddressChecker,
    clock: Clock,
) -> dict[str, Contact]:
    """The contacts of a slice's documents, by contact key; what its records say is heard once.

    A later look does not repeat what an old record says: another run may have said something newer since.
    """
    real = [d for _, d in documents if not d.test_flag]
    if not pointer.positions:
        return update_contacts(real, contacts, addresses, clock)
    known = contacts.get(pointer.domain, {d.contact_key for _, d in documents})
    if pointer.version:
        return known
    # A contact that was erased meanwhile is made anew, as by any record.
    lost = [d for d in real if d.contact_key not in known]
    return {**known, **update_contacts(lost, contacts, addresses, clock)}


def _addressed(
    documents: Sequence[tuple[int, Document]], known: Mapping[str, Contact], check: Check
) -> dict[int, Contact]:
    """By position each document's contact with the addresses that its notice may go to.

    Where there is no contact (a test, a step after an erasure) there are none, whatever the record says.
    """
    look = _once(check)
    found = {}
    for position, document in documents:
        contact = known.get(document.contact_key)
        found[position] = (
            as_addressed(contact, document, look) if contact else contact_without_addresses(document)
        )
    return found


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
    after = responded(notice, early.kind, now, early.detail)
    if after is None:
        return notice
    return replace(after, version=notice.version, payments=with_facts(notice.payments, paid.facts))


def _carry_out(
    decision: Decision,
    before: Notice | None,
    pointer: SlicePointer,
    position: int,
    document: Document,
    rule: DocumentRule,
    result: _Slice,
    now: datetime,
    provider_for: ProviderChoice,
) -> None:
    """Turn a decision into a job's member, or into the ledger's record of why nothing is sent."""
    number = pointer.number
    identity = notice_id_of(document, rule)
    if isinstance(decision, Send):
        channel, *rest = decision.channels
        member = Member(
            identity,
            position,
            attempt=len(before.attempts) + 1 if before else 1,
            stored=before.version if before else 0,
            waiting=tuple(rest),
            both=decision.both,
        )
        key = (channel, provider_for(channel, rule.message_class), rule.urgent)
        result.members.setdefault(key, []).append(member)
        if before is None:
            result.outcomes.append(RecordOutcome(number, position, Outcome.IN_FLIGHT, "", 0, identity))
        return
    status = {Defer: Status.DEFERRED, Suppress: Status.SUPPRESSED, Paper: Status.PAPER}[type(decision)]
    due = decision.until.isoformat(timespec="seconds") if isinstance(decision, Defer) else ""
    detail = "" if isinstance(decision, Defer) else decision.detail
    if before is not None and before.reached:
        # The customer knows already; only a further channel was open.
        status = standing(before.attempts)
    notice = before or _new_notice(pointer, position, document, rule)
    notice = replace(notice, status=status, why="" if status in REACHED else str(decision.why), due_at=due)
    if not isinstance(decision, Defer):
        notice = replace(notice, waiting=())
    text = f"{decision.why} {detail}".strip()
    what = "deferred" if isinstance(decision, Defer) else str(status)
    after = opened(notice, now, what, text) if before is None else happened(notice, now, what, text)
    result.writes.append(after)
    result.outcomes.append(RecordOutcome(number, position, after.outcome, after.why, after.version, identity))
    if isinstance(decision, Suppress) and decision.why == Why.NO_CHANNEL:
        result.unreached.setdefault(Why.NO_CHANNEL, []).append(document.customer_in_run)
    if isinstance(decision, Suppress) and decision.why == Why.NOTHING_DUE and not pointer.version:
        result.nothing_due.setdefault(document.document_type, []).append(document.customer_in_run)


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
) -> None:
    """Decide on a notice that the ledger knows: deferred and due, failed, in doubt, or half told."""
    origin = origin_of(pointer, position)
    same = (before.origin.run, before.origin.slice_number, before.origin.position)
    if same != (origin.run, origin.slice_number, origin.position):
        result.outcomes.append(outcome_of(before, position, origin))
        return
    late = now > datetime.fromisoformat(before.created_at) + timedelta(hours=rule.deadline_hours)

    def carry(decision: Decision) -> None:
        _carry_out(decision, before, pointer, position, document, rule, result, now, provider_for)

    def settle(status: Status, why: str, code: str = "") -> None:
        # A failure stays the outcome that it is; only its place in the due index goes.
        after = _settled(before, now, status, why)
        result.writes.append(after)
        result.outcomes.append(
            RecordOutcome(pointer.number, position, after.outcome, why, after.version, before.notice_id)
        )
        if code:
            result.unreached.setdefault(code, []).append(document.customer_in_run)

    further = None
    if before.waiting:
        further = decide(rule, document, contact, suppressed, zones, now, policy, channels=before.waiting)
    goes_on = isinstance(further, Send | Defer)
    half_told = rule.both_channels and (
        before.status == Status.UNCONFIRMED or (before.status in REACHED and due)
    )
    lost = before.status in LOST or (before.status == Status.DELAYED and due and goes_on)
    if before.superseded_by and (before.status == Status.DEFERRED or lost):
        settle(Status.SUPERSEDED, Why.SUPERSEDED)
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
        if late:
            if rule.paper_on_failure:
                carry(Paper(Why.DEADLINE_PASSED))
            else:
                settle(Status.FAILED, Why.DEADLINE_PASSED, "deadline_passed")
            return
        anew = decide(
            rule, document, contact, suppressed, zones, now, policy, channels=before.waiting or None
        )
        carry(_held_back(anew, rule, reputation, now))
    elif lost and late and before.status != Status.FAILED and before.why != Why.NO_RECEIPT:
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
            result.outcomes.append(outcome_of(before, position, origin))
    elif before.status == Status.UNCONFIRMED and due:
        answer: Decision | None = None
        if before.superseded_by:
            pass
        elif rule.on_unconfirmed == "paper":
            answer = Paper(Why.ANSWER_LOST)
        elif rule.on_unconfirmed == "other_channel":
            answer = further or (Paper(Why.ANSWER_LOST) if rule.paper_on_failure else None)
        elif rule.on_unconfirmed == "resend" and not late:
            answer = decide(rule, document, contact, suppressed, zones, now, policy)
        if answer is None or isinstance(answer, Suppress):
            # The doubt stays the outcome: that nothing more can be done does not resolve it.
            settle(Status.UNCONFIRMED, before.why, "unconfirmed_at_deadline")
        else:
            carry(answer)
    elif due and (before.due_at or half_told):
        # Nothing follows, so it leaves the due index.
        settle(before.status, before.why)
    else:
        result.outcomes.append(outcome_of(before, position, origin))


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
) -> None:
    """One e-mail to each internal team about this document, where the rule wants each told.

    On a later look only those that an outage put off are sent.
    """
    key: tuple[Channel, str, bool] = ("email", provider_for("email", "transactional"), rule.urgent)
    for team in _teams(document, rule):
        identity = notice_id_of(document, rule, team_audience(team))
        deadline = timedelta(hours=rule.deadline_hours)
        _tell_team(team, identity, position, pointer, rules, stored, result, now, deadline, key)


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
    deadline: timedelta,
    key: tuple[Channel, str, bool],
) -> None:
    before = stored.get(identity)
    waits = before is not None and before.status == Status.DEFERRED
    late = before is not None and now > datetime.fromisoformat(before.created_at) + deadline
    known = rules.team_address(team) is not None
    if not known and (before is None or waits):
        result.unknown_teams[team] = result.unknown_teams.get(team, 0) + 1
    elif waits and late:
        result.late_teams[team] = result.late_teams.get(team, 0) + 1
    if before is None:
        if known and not pointer.positions:
            member = Member(identity, position, team_audience(team))
            result.members.setdefault(key, []).append(member)
    elif waits and known and not late:
        attempt = len(before.attempts) + 1
        member = Member(identity, position, team_audience(team), attempt=attempt, stored=before.version)
        result.members.setdefault(key, []).append(member)
    elif before.due_at and _is_due(before, now):
        status = Status.FAILED if waits else before.status
        result.writes.append(_settled(before, now, status, before.why))


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
    digests = records.read_digests(pointer)
    stored: Mapping[str, Notice] = {}
    if pointer.positions:
        stored = ledger.get({digest_id(pointer, team, content) for _, team, _ in digests})
    if control == Control.CANCEL:
        ledger.put([_cancelled(notice, now) for notice in stored.values() if notice.due_at])
        return Decided(notices=frozenset(stored))
    key: tuple[Channel, str, bool] = ("email", provider_for("email", "transactional"), False)
    for position, team, _ in digests:
        identity = digest_id(pointer, team, content)
        _tell_team(team, identity, position, pointer, rules, stored, result, now, DIGEST_DEADLINE, key)
    if result.writes:
        ledger.put(result.writes)
    queues.send_jobs(_jobs(pointer, result))
    exceptions.raise_exceptions(_exceptions(pointer, result))
    return Decided(notices=result.notices)


def digest_id(pointer: SlicePointer, team: str, content: str) -> str:
    """The identity of a team's digest of a run, by the run's content (its fingerprint) where that is known.

    The same drop under another run id tells the team nothing new.
    """
    return notice_id(
        pointer.domain, "", content or pointer.run_id, purpose="digest", audience=team_audience(team)
    )


def _is_due(notice: Notice, now: datetime) -> bool:
    """Whether its time has come; what the sweeper handed on counts, since that moves the time ahead."""
    return (
        not notice.due_at
        or datetime.fromisoformat(notice.due_at) <= now
        or notice.events[-1].what == RELEASED
    )


def _settled(notice: Notice, now: datetime, status: Status, why: str) -> Notice:
    """The notice with nothing to follow any more: out of the due index."""
    return happened(
        replace(notice, due_at="", waiting=(), status=status, why=why), now, f"settled {status}", why
    )


def _cancelled(notice: Notice, now: datetime) -> Notice:
    """The notice of a cancelled run: what waits is ended, what was sent or is in doubt stays so."""
    if notice.status != Status.DEFERRED:
        return _settled(notice, now, notice.status, notice.why)
    return happened(
        replace(notice, status=Status.SUPPRESSED, why=Why.RUN_CANCELLED, due_at="", waiting=()),
        now,
        "suppressed",
        Why.RUN_CANCELLED,
    )


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


def _exceptions(pointer: SlicePointer, result: _Slice) -> list[ExceptionRaised]:
    texts = {
        Why.NO_CHANNEL: "customers with no channel that works, and no paper by rule",
        "second_step_missing": "documents whose rule asks for a second step that their record cannot answer",
        "due_date_missing": "documents whose journey follows a due date that their record does not have",
        "unreached": "documents whose every channel failed",
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
            part=f"slice {pointer.number} {','.join(map(str, pointer.positions[:3]))}".strip(),
            count=len(customers),
            customers_in_run=tuple(number for number in customers if number is not None),
        )
        for code, customers in result.unreached.items()
    ]
    raised += [
        ExceptionRaised(
            Why.NOTHING_DUE,
            "warning",
            pointer.domain,
            pointer.run_id,
            f"{document_type}: records on which nothing is due, or with a credit; nobody was notified",
            part=f"slice {pointer.number} {document_type} {','.join(map(str, pointer.positions[:3]))}",
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
            part=f"slice {pointer.number} {team}",
            count=count,
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
            part=f"slice {pointer.number} {team} {','.join(map(str, pointer.positions[:3]))}",
            count=count,
        )
        for team, count in result.late_teams.items()
    ]
    return raised


def _supersede(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    rules: Rules,
    ledger: Ledger,
    runs: RunBook,
    now: datetime,
) -> None:
    """Tombstone the notices of documents that these replace, also ones not seen yet."""
    tombstones: dict[str, Notice] = {}
    for position, document in documents:
        if not document.supersedes or document.supersedes == document.document_id or document.test_flag:
            continue
        rule = rules.for_document(document)
        old = replace(document, document_id=document.supersedes)
        # Edition is left empty: a type that notifies again on new content is superseded as a whole.
        for audience in ("customer", *map(team_audience, (*rule.teams, *document.internal_teams))):
            identity = notice_id(
                old.domain,
                old.customer_key,
                old.document_id,
                recipient=old.recipient or "",
                audience=audience,
            )
            notice = replace(
                _new_notice(pointer, position, old, rule),
                notice_id=identity,
                audience=audience,
                status=Status.SUPERSEDED,
                why=Why.SUPERSEDED,
                superseded_by=document.document_id,
            )
            tombstones[identity] = opened(notice, now, "superseded", document.document_id)
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
    if notice.audience != "customer":
        return
    o = notice.origin
    word = RecordOutcome(
        o.slice_number, o.position, notice.outcome, notice.why, notice.version, notice.notice_id
    )
    runs.put_job(o.run, job_id(o.run, o.slice_number, "superseded", (notice.notice_id,)), [word])


def _cancel(
    pointer: SlicePointer,
    documents: Sequence[tuple[int, Document]],
    stored: Mapping[str, Notice],
    rules: Rules,
    ledger: Ledger,
    runs: RunBook,
    now: datetime,
) -> None:
    """End a cancelled run's records. What waits in the ledger is ended there; what it does not
    hold yet stays free, so that a corrected run can notify."""
    ours = {
        key: _cancelled(notice, now)
        for key, notice in stored.items()
        if (notice.origin.run, notice.origin.slice_number) == (pointer.run, pointer.number)
        and (notice.due_at or notice.status == Status.DEFERRED)
    }
    known = {**stored, **ours}
    if ours:
        known |= ledger.put(list(ours.values()))
    outcomes: list[RecordOutcome] = []
    for position, document in documents:
        notice = known.get(notice_id_of(document, rules.for_document(document)))
        if notice is None:
            outcomes.append(RecordOutcome(pointer.number, position, Outcome.SUPPRESSED, Why.RUN_CANCELLED, 1))
        else:
            outcomes.append(outcome_of(notice, position, origin_of(pointer, position)))
    if pointer.version:
        return
    if pointer.positions:
        runs.put_job(
            pointer.run, job_id(pointer.run, pointer.number, "cancel", map(str, pointer.positions)), outcomes
        )
    else:
        runs.put_slice(pointer, outcomes)
