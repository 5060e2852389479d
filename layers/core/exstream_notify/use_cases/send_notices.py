"""Send a job's notices: prepare and prove, claim, hand over, record."""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..domain.breaker import Breaker
from ..domain.contacts import Contact, as_addressed, as_present
from ..domain.debt import keys_of, stays, under_hold
from ..domain.decisions import Policy, Why, against, window_for
from ..domain.deferring import deferred, follow_up, moved_on, pause_for
from ..domain.documents import Document, DocumentRule
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id
from ..domain.journeys import IsHoliday
from ..domain.messages import (
    Accepted,
    Answer,
    BulkJob,
    BulkMember,
    Content,
    GiveUp,
    Message,
    SentRequest,
    TryAgain,
    Unconfirmed,
)
from ..domain.notices import (
    LOST,
    REACHED,
    Attempt,
    Notice,
    Origin,
    Status,
    begun,
    happened,
    head,
    is_stale,
    not_begun,
    notice_id_of,
)
from ..domain.payments import NO_PAYMENTS, Payments, as_left, nothing_due, with_facts
from ..domain.preferences import MAY_LEAVE
from ..domain.quiet_hours import is_open
from ..domain.responses import answer_to, early_payments, of_known, subjects_of, superseded_by
from ..domain.runs import Control, RecordOutcome, Run, counted_from
from ..domain.sharing import is_unshared
from ..domain.takeover import (
    Standing,
    doubts,
    facts_of,
    former_of,
    is_from,
    outcome_for,
    standing_of,
)
from ..domain.together import as_one
from ..domain.watching import Watched
from ..domain.work import Member, SendJob
from ..ports import (
    AddressChecker,
    Clock,
    ContactBook,
    DecideQueue,
    DeliveryWatch,
    EarlyResponses,
    Evidence,
    EvidenceLine,
    ExceptionBus,
    Hasher,
    JobStore,
    JourneyBook,
    Ledger,
    Provider,
    Records,
    RecordsGone,
    Rules,
    RunBook,
    SendQueues,
    Wording,
)
from .attempt_answers import answered, counted_in, is_remembered
from .correct_journeys import CorrectionPorts, correct_journeys
from .decide_notices import DIGEST_DEADLINE, differing, erased_records, step_stops, team_of
from .digest_steps import Companion, Digests, digests_of
from .join_journeys import join_journeys, no_holidays, without_calendar
from .owing import takes_part
from .render_notices import NOT_RENDERED, Rendering, Unexpected
from .slices import origin_of, outcome_of, tell_run
from .step_rules import journey_of, rules_of, timely
from .what_is_left import payments_by_document

DOUBT_LIMIT = 10
"""Notices claimed together when sent one by one: so many at most are in doubt after a kill."""

RESERVE = 45.0
"""Seconds of a function's time kept for the slowest send with its tries, and for recording it."""

LEASE = 30.0
"""Seconds after which a claim counts as abandoned, on top of what its batch takes at the given rate.

Only noise depends on it: a slow worker's late record still settles what was put in doubt meanwhile.
"""

_DIGEST_RULE = DocumentRule(
    name="team-digest",
    use_case="uc2",
    message_class="transactional",
    topic="internal",
    wording="team-digest",
    channels=("email",),
)
TEAM_SALT = "internal-teams"

NO_ONE_CLICK = "provider_without_one_click"
"""Why a marketing e-mail is refused before it is sent."""

_RESUBMITTED = "resubmitted"


class InProgress(Exception):
    """Another worker holds a claim of this job; `until` is when its lease ends (UTC).

    `expected`: the job comes back on purpose, nothing is wrong.
    """

    expected = True

    def __init__(self, until: datetime) -> None:
        super().__init__(f"claimed by a worker whose lease ends at {until.isoformat(timespec='seconds')}")
        self.until = until


GONE = "records that are not stored any more"


@dataclass(slots=True)
class _Prepared:
    """A member with all that sending it takes."""

    member: Member
    notice: Notice  # as stored, or at version 0
    rule: DocumentRule
    document: Document | None
    to: str
    address: str
    salt: str
    link: str | None
    language: str
    preferences: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    content: Content | None = None
    inserts: tuple[str, ...] = ()
    evidence: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)  # of a digest
    record: Document | None = None  # the document as staged; `document` says what is left to pay

    @property
    def ref(self) -> str:
        return f"{self.member.notice_id}:{self.member.attempt}"

    @property
    def ended_by(self) -> Document | None:
        """The document a response to which would end this; none for internal teams and a journey's steps."""
        mine = self.notice.audience == "customer" and not self.notice.rule_version
        return (self.record or self.document) if mine else None

    @property
    def moved(self) -> bool:
        """Whether the notice moved on since the decision, by more than being handed on again."""
        return moved_on(self.notice, self.member.stored)


@dataclass(slots=True)
class _Batch:
    """What is claimed and recorded together: up to DOUBT_LIMIT messages, or one bulk job."""

    name: str
    rows: list[_Prepared]
    content: Content | None = None

    @property
    def bulk(self) -> bool:
        return self.content is not None


@dataclass(slots=True)
class _Tally:
    """What a job comes to."""

    outcomes: list[RecordOutcome] = field(default_factory=list)
    again: set[int] = field(default_factory=set)
    busy_until: float = 0.0
    report: str = ""
    trouble: Counter[tuple[str, str]] = field(default_factory=Counter)
    met: dict[str, Notice] = field(default_factory=dict)
    said_at: dict[tuple[str, str], str] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    sent: dict[str, Notice] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)  # refs of erased customers' messages
    duplicates: list[tuple[int, Document, str]] = field(default_factory=list)
    leads: dict[str, Notice] = field(default_factory=dict)
    digests: Digests = field(default_factory=Digests)
    differing: dict[tuple[str, tuple[str, ...]], dict[int, int | None]] = field(default_factory=dict)

    def add(self, notice: Notice) -> None:
        """Report a notice to the run it came from; internal copies and later steps are not its records."""
        self.met[notice.notice_id] = notice
        if len(notice.together) > 1:
            self.leads[notice.notice_id] = notice
        if notice.audience == "customer" and notice.status == Status.SENT:
            self.sent[notice.notice_id] = notice
        if notice.audience == "customer" and notice.purpose == "notice":
            self.told.append(notice)
            self.outcomes.append(outcome_of(notice))

    def look_up(self, members: Iterable[Member], ledger: Ledger) -> None:
        """Count what this message's members ran into, this time or before its worker died.

        Their events name the report, so a repeat counts the same again; those that are sent back, and were
        not looked at for it, are read.
        """
        missed = {m.notice_id for m in members if m.position in self.again} - self.met.keys()
        if missed:
            self.met |= ledger.get(missed)
        for notice in self.met.values():
            for at, *trouble in counted_in(notice, self.report):
                key = trouble[0], trouble[1]
                self.trouble[key] += 1
                self.said_at[key] = max(self.said_at.get(key, ""), at)


def send_notices(
    job: SendJob,
    *,
    records: Records,
    rules: Rules,
    contacts: ContactBook,
    addresses: AddressChecker,
    ledger: Ledger,
    runs: RunBook,
    decide_queue: DecideQueue,
    send_queues: SendQueues,
    evidence: Evidence,
    jobs: JobStore,
    watch: DeliveryWatch,
    provider: Provider,
    wording: Wording,
    exceptions: ExceptionBus,
    clock: Clock,
    hasher: Hasher,
    link_for: Callable[[str], str],
    preferences_for: Callable[[str], str],
    unsubscribe_for: Callable[[str, str], str],
    breaker: Breaker,
    rate: float,
    time_left: Callable[[], float],
    policy: Policy,
    journeys: JourneyBook | None = None,
    is_holiday: IsHoliday = no_holidays,
    switched_off: Callable[[str, str], bool] = lambda domain, channel: False,
    approved_only: bool = False,
    early: EarlyResponses | None = None,
    unrendered: Unexpected = lambda error: None,
) -> Counter[str]:
    """Send what the job holds, at most once per attempt; how many notices ended how.

    `preferences_for` (of a contact's salt) and `unsubscribe_for` (of salt and topic) are the addresses
    that an e-mail leads its reader to. `rate` is messages a second for this worker, `time_left` the
    seconds it still has. What does not fit in that time is queued anew. A repeat of the same job
    continues what was claimed: done is done, an abandoned claim is in doubt (or submitted again,
    byte for byte, where the provider de-duplicates), and one that another worker still holds raises
    InProgress at the end. Members whose decision no longer holds (an opt-out, a response to their case,
    a quiet hour that began while they queued) go back. Whoever was told joins the journeys of the
    document's type, before the job counts as done.
    While `switched_off` holds for the domain and channel nothing new is claimed: all of it is deferred.
    With `approved_only`, so is what customers would read in words whose version nobody approved.
    What cannot be rendered fails alone, unclaimed, with an exception; `unrendered` is told of each error.
    """
    run, by_document = runs.with_early(job.pointer.domain, job.pointer.run_id)
    control = run.control if run else Control.GO
    if control == Control.HOLD:
        _put_aside(job, runs, send_queues)
        return Counter()
    part = job_id(job.pointer.run, job.pointer.number, job.job_id, (m.notice_id for m in job.members))
    tally = _Tally(report=part)
    rendering = Rendering(job, wording, unrendered)
    sender = _Sender(job, ledger, jobs, provider, clock, breaker, rate, tally, rendering, time_left)
    sender.switched_off = lambda: switched_off(job.pointer.domain, job.channel)
    sender.early, sender.by_document = early, by_document
    sender.takes_part = lambda document: takes_part(document, rules)
    sender.watch = lambda sent: watch.add(_watched(part, job, sent, rules, clock.now()))
    left: list[Member] = []
    rows: list[_Prepared] = []
    if control == Control.CANCEL:
        # What an abandoned claim came to is not known and must be said; the rest the decision ends.
        tally.again.update(member.position for member in job.members)
        sender.end_claims(job.members)
    else:
        rows = _prepare(
            job, records, rules, contacts, addresses, policy, ledger, wording, clock, hasher, link_for,
            preferences_for, unsubscribe_for, tally, journeys, early, by_document, run, runs, is_holiday,
        )  # fmt: skip
        going = {row.member for row in rows}
        sender.end_claims([m for m in job.members if m not in going])
        sayable, lacking = rendering.sayable(rows)
        if approved_only:
            sayable = sender.held_back(sayable)
        batches, singles, more = _batches(sayable, provider, rendering, clock)
        lacking += more
        budget = max(1, int(max(0.0, time_left() - RESERVE) * rate))
        left = [row.member for row in singles[budget:]]
        singles = singles[:budget]
        written = [row for row in singles if row.content or rendering.render(row)]
        lacking += [row for row in singles if row.content is None]
        singles = written
        sender.fail_unrendered(lacking)
        batches += [
            _Batch(job.job_id, singles[start : start + DOUBT_LIMIT])
            for start in range(0, len(singles), DOUBT_LIMIT)
        ]
        _prove(job, batches, evidence, rendering, clock)
        for number, batch in enumerate(batches):
            if number and time_left() < RESERVE + (0 if batch.bulk else len(batch.rows) / rate):
                left += [row.member for b in batches[number:] for row in b.rows]
                break
            sender.send(batch, lease=clock.machine_time() + LEASE + len(batch.rows) / rate)
    tally.digests.record(tally.leads.values(), ledger, clock.now())
    if left:
        send_queues.send_jobs([replace(job, members=tuple(left))])
    if tally.again:
        back = {m.notice_id for m in job.members if m.position in tally.again and m.audience == "customer"}
        decide_queue.send_slices(
            [replace(job.pointer, positions=tuple(sorted(tally.again)), notices=tuple(sorted(back)))]
        )
    tally.look_up(job.members, ledger)
    exceptions.raise_exceptions([*_exceptions(job, tally), *rendering.exceptions()])
    if journeys is not None:
        documents = {r.member.notice_id: document for r in rows if (document := r.record or r.document)}
        told = [(n, documents[n.notice_id]) for n in tally.told if n.notice_id in documents]
        ports = CorrectionPorts(ledger, records, rules, journeys, exceptions, is_holiday, clock)
        correct_journeys(job.pointer, tally.duplicates, ports)
        places = join_journeys(
            job.pointer, told, rules=rules, journeys=journeys, is_holiday=is_holiday, clock=clock
        )
        exceptions.raise_exceptions(without_calendar(job.pointer, places))
    if tally.sent and not tally.busy_until:
        sender.watch(tally.sent)
    tell_run(runs, job.pointer.run, part, tally.outcomes)
    if tally.busy_until:
        raise InProgress(datetime.fromtimestamp(tally.busy_until, UTC))
    return Counter(str(o.outcome) for o in tally.outcomes)


def _put_aside(job: SendJob, runs: RunBook, send_queues: SendQueues) -> None:
    """Put a held run's job aside; if the run was released meanwhile, and perhaps what was aside was queued
    before this lay there, queue it again."""
    runs.park(job)
    whose = job.pointer.domain, job.pointer.run_id
    run = runs.get(*whose)
    if run is not None and run.control == Control.HOLD:
        return
    mine = [parked for parked in runs.parked(*whose) if parked.job == job]
    send_queues.send_jobs([job])
    runs.unpark(mine)


RECEIPT_GRACE = timedelta(hours=2)
"""How long a receipt has at least, also of a message that went out close to its deadline."""


def _watched(part: str, job: SendJob, sent: Mapping[str, Notice], rules: Rules, now: datetime) -> Watched:
    """These sends, to be looked at if no receipt comes; one entry for the whole job.

    It is named by what is in it: a slower worker that knows of fewer takes nobody's place.
    """
    deadline = min(
        datetime.fromisoformat(notice.created_at)
        + timedelta(hours=rules.of_type(notice.document_type).deadline_hours)
        for notice in sent.values()
    )
    return Watched(
        job_id(job.pointer.run, job.pointer.number, part, sorted(sent)),
        job.channel,
        job.provider,
        now.isoformat(timespec="seconds"),
        max(deadline, now + RECEIPT_GRACE).isoformat(timespec="seconds"),
        tuple(sorted(sent)),
    )


def _prepare(
    job: SendJob,
    records: Records,
    rules: Rules,
    contacts: ContactBook,
    addresses: AddressChecker,
    policy: Policy,
    ledger: Ledger,
    wording: Wording,
    clock: Clock,
    hasher: Hasher,
    link_for: Callable[[str], str],
    preferences_for: Callable[[str], str],
    unsubscribe_for: Callable[[str, str], str],
    tally: _Tally,
    journeys: JourneyBook | None,
    early: EarlyResponses | None,
    by_document: bool,
    run: Run | None,
    runs: RunBook,
    is_holiday: IsHoliday,
) -> list[_Prepared]:
    """Members with document, address and ledger state; whose decision no longer holds goes back."""
    since = None if job.pointer.version else counted_from(run)
    now = clock.now()
    pointer = job.pointer
    asked = {m.notice_id for m in job.members if m.stored}
    stored = ledger.get(asked) if asked else {}
    if pointer.kind == "digests":
        try:
            digests = {position: (team, counts) for position, team, counts in records.read_digests(pointer)}
        except RecordsGone:
            tally.trouble["team_not_told", GONE] += len(job.members)
            return []
        digest = Document(pointer.domain, "", pointer.run_id, "team-digest")
        if since and now > since + DIGEST_DEADLINE:
            tally.trouble["team_not_told", "digests past their deadline"] += len(job.members)
            return []
        return [
            _Prepared(
                member,
                stored.get(member.notice_id) or _fresh(job, member, digest, "digest"),
                _DIGEST_RULE,
                None,
                address,
                hasher("email", address),
                TEAM_SALT,
                None,
                wording.language_of(_DIGEST_RULE.wording, "email", None),
                counts=digests[member.position][1],
            )
            for member in job.members
            if (address := rules.team_address(digests[member.position][0])) is not None
        ]
    try:
        documents = dict(records.read(pointer))
    except RecordsGone:
        # What waits in the ledger ends when it is decided again.
        tally.trouble[str(Why.RECORDS_GONE), GONE] += len(job.members)
        return []
    asked_for = [documents[m.position] for m in job.members]
    known = contacts.get(pointer.domain, keys_of(asked_for))
    gone = erased_records([(m.position, documents[m.position]) for m in job.members], known, run)
    # A queue can be days long: who has answered meanwhile is not reminded.
    stops = step_stops(pointer, asked_for, rules, journeys, ledger)
    asked_in_time = timely(pointer, rules, journeys, policy)
    addressing = as_present if pointer.version else as_addressed
    whole, rules = rules, rules_of(pointer, rules, journeys)
    paid = _paid(job, asked_for, stored, whole, ledger, early, by_document, now)
    tally.digests = digests_of(
        pointer, stored, journey_of(pointer, rules, journeys), whole, rules, records, ledger, early,
        runs=runs, journeys=journeys, is_holiday=is_holiday, by_document=by_document, now=now,
    )  # fmt: skip
    rows: list[_Prepared] = []
    for member in job.members:
        document = documents[member.position]
        rule = rules.for_document(document)
        notice = stored.get(member.notice_id) or _fresh(job, member, document, rule.purpose)
        first = notice_id_of(document, whole.for_document(document))
        if member.position in gone:
            tally.erased.add(f"{member.notice_id}:{member.attempt}")
            tally.again.add(member.position)
            continue
        if first in stops and member.audience == "customer":
            tally.again.add(member.position)
            continue
        team = team_of(member.audience)
        late = since and now > since + timedelta(hours=rule.deadline_hours)
        if late and (not notice.attempts or is_stale(notice, rule.deadline_hours, now)):
            # The job lay in a dead-letter queue, perhaps for weeks: nobody needs that news any more.
            if team is None:
                tally.again.add(member.position)
            else:
                tally.trouble["team_not_told", f"copies for {team} past their deadline"] += 1
            continue
        # A reminder leads to where the first notice led: opening either is the answer to both.
        linked = first if pointer.version else member.notice_id
        link = link_for(linked) if rule.link == "link" and team is None else None
        if team is not None:
            address = rules.team_address(team)
            if address is None:
                continue
            # The copy tells of the customer: it is erased with the customer.
            about = known.get(document.contact_key)
            rows.append(
                _Prepared(
                    member,
                    notice,
                    replace(rule, wording="team-copy", message_class="transactional"),
                    document,
                    address,
                    hasher("email", address),
                    about.salt if about is not None and about.salt else TEAM_SALT,
                    None,
                    wording.language_of("team-copy", "email", None),
                )
            )
            continue
        contact = known.get(document.contact_key)
        if contact is not None:
            contact = under_hold(addressing(contact, document, addresses.check), known)
        to = contact.address(job.channel) if contact else None
        if contact is None or to is None or contact.paper_required or contact.withdrew:
            tally.again.add(member.position)
            continue
        payments = paid.get(linked, NO_PAYMENTS)
        left = as_left(document, payments)
        if pointer.version and rule.demands_payment and nothing_due(left):
            tally.again.add(member.position)
            continue
        if not pointer.version:
            notice = replace(notice, payments=with_facts(notice.payments, payments.facts))
        zones = addresses.zones(contact)
        all_zones = zones or policy.default_zones
        quiet = job.channel == "sms" and not is_open(now, all_zones, window_for(contact, policy))
        untimely = asked_in_time(document, all_zones, now)
        if quiet or untimely or stays(rule, contact) or against(job.channel, rule, contact):
            tally.again.add(member.position)
            continue
        language = language_of(contact, document, later=bool(pointer.version))
        rows.append(
            _Prepared(
                member,
                notice,
                rule,
                left,
                to.value,
                hasher(job.channel, to.value),
                contact.salt,
                link,
                wording.language_of(rule.wording, job.channel, language),
                preferences_for(contact.salt) if job.channel == "email" else None,
                one_click(unsubscribe_for(contact.salt, rule.topic))
                if job.channel == "email" and MAY_LEAVE[rule.message_class]
                else (),
                record=replace(document, time_zone=zones[0]) if zones else document,
            )
        )
        if rows[-1].moved or not tally.digests.groups:
            continue

        def may_say(other: Document, contact: Contact = contact, zones: Sequence[str] = all_zones) -> bool:
            its = rules.for_document(other)
            return not (
                asked_in_time(other, zones, now) or stays(its, contact) or against(job.channel, its, contact)
            )

        others = tally.digests.others(linked, may_say)
        rows[-1] = (
            _as_digest(rows[-1], tally.digests.wording, linked, others)
            if others
            else replace(rows[-1], notice=replace(rows[-1].notice, together=()))
        )
    return rows


def _as_digest(row: _Prepared, wording: str, lead: str, others: Mapping[str, Companion]) -> _Prepared:
    """The row with a message that is about other documents, too."""
    mine = [row.document] if row.document is not None else []
    return replace(
        row,
        rule=replace(row.rule, wording=wording),
        document=as_one([*mine, *(one.document for one in others.values())]),
        notice=replace(row.notice, together=(lead, *others)),
    )


def _paid(
    job: SendJob,
    documents: Sequence[Document],
    stored: Mapping[str, Notice],
    rules: Rules,
    ledger: Ledger,
    early: EarlyResponses | None,
    by_document: bool,
    now: datetime,
) -> dict[str, Payments]:
    """What was paid on these documents, by their first notices' ids. `rules` are those of the documents."""

    def first(document: Document) -> str:
        return notice_id_of(document, rules.for_document(document))

    firsts = stored
    if job.pointer.version:
        owing = {first(d) for d in documents if d.amount_due}
        firsts = ledger.get(owing) if owing else {}
    return payments_by_document(
        documents, firsts, first, early, job.pointer.domain, by_document=by_document, now=now
    )


def one_click(address: str) -> tuple[tuple[str, str], ...]:
    """The two header fields of one-click unsubscription (RFC 8058, section 3.1)."""
    return ("List-Unsubscribe", f"<{address}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def language_of(contact: Contact, document: Document, *, later: bool = False) -> str | None:
    """The customer's own choice, else the language the document is in, else what is known.

    `later`: of a journey's step, which goes out long after its document: a later record's language counts
    before the document's.
    """
    if "language" in contact.set_by_customer or (later and contact.language and not document.disputed):
        return contact.language
    return document.language or contact.language


def _fresh(job: SendJob, member: Member, document: Document, purpose: str) -> Notice:
    return Notice(
        member.notice_id,
        document.domain,
        document.customer_key,
        document.document_id,
        document.document_type,
        purpose,
        member.audience,
        origin_of(job.pointer, member.position),
        Status.SENDING,
        version=0,
        case_id=document.case_id or "",
        rule_version=job.pointer.version,
        recipient=document.recipient or "",
        facts=facts_of(document) if member.audience == "customer" else "",
    )


def _batches(
    rows: Sequence[_Prepared], provider: Provider, rendering: Rendering, clock: Clock
) -> tuple[list[_Batch], list[_Prepared], list[_Prepared]]:
    """Bulk jobs where provider, class and wording allow; what goes one by one; what cannot be rendered."""
    groups: dict[Hashable, list[_Prepared]] = {}
    singles: list[_Prepared] = []
    for row in rows:
        # `regulated`: one destination a job, so that nothing of one customer's proof is another's.
        # A header field is one person's, so what carries some goes by itself too; marketing always does.
        headed = row.headers and (provider.supports_headers or row.rule.message_class == "marketing")
        alone = headed or row.rule.message_class == "regulated"
        alike = rendering.key(row.document) if provider.supports_bulk and row.document and not alone else None
        if alike is not None:
            key = (row.rule.wording, row.rule.message_class, row.language, bool(row.link), alike)
            groups.setdefault(key, []).append(row)
        else:
            singles.append(row)
    batches: list[_Batch] = []
    lacking: list[_Prepared] = []
    for group in groups.values():
        if len(group) == 1:
            singles += group
            continue
        content, members, others, unrendered = rendering.bulk(group)
        singles += others
        lacking += unrendered
        if content is not None and members:
            # Which of the members can be claimed is not known yet, so the name cannot come from them:
            # a name used twice for different members would be de-duplicated to the first ones.
            name = clock.random_id()[:24]
            batches.append(_Batch(name, members, content))
    return batches, singles, lacking


def _prove(
    job: SendJob, batches: Sequence[_Batch], evidence: Evidence, rendering: Rendering, clock: Clock
) -> None:
    """Write what is about to be sent, before anything is claimed: a claim then names its proof."""
    at = clock.now().isoformat(timespec="milliseconds")
    shared: dict[str, Content] = {}
    lines: list[EvidenceLine] = []
    rows: list[_Prepared] = []
    for batch in batches:
        name = ""
        if batch.content is not None:
            words = "\0".join((batch.content.subject, batch.content.text, batch.content.html))
            name = hashlib.sha256(words.encode()).hexdigest()
            shared[name] = batch.content
        for row in batch.rows:
            approved = rendering.approval(row)
            body: dict[str, object] = {
                "channel": job.channel,
                "provider": job.provider,
                "to": row.to,
                "document_id": row.notice.document_id,
                "document_type": row.notice.document_type,
                "content_sha256": row.document.content_sha256 if row.document else None,
                "audience": row.member.audience,
                "message_class": row.rule.message_class,
                "wording": row.rule.wording,
                "wording_version": rendering.version(row),
                "language": row.language,
                "wording_approval": approved.proof if approved else None,
                "chain": head(row.notice),
            }
            if len(row.notice.together) > 1:
                body["together"] = list(row.notice.together)
            if name:
                body |= {"shared_content": name, "inserts": list(row.inserts)}
            elif row.content is not None:
                content = row.content
                body |= {"subject": content.subject, "text": content.text, "html": content.html}
            lines.append(EvidenceLine(row.ref, row.salt, at, body))
            rows.append(row)
    for row, reference in zip(rows, evidence.write(job.job_id, lines, shared) if lines else (), strict=True):
        row.evidence = reference


@dataclass(slots=True)
class _Sender:
    """Claims, hands over and records, batch by batch."""

    job: SendJob
    ledger: Ledger
    jobs: JobStore
    provider: Provider
    clock: Clock
    breaker: Breaker
    rate: float
    tally: _Tally
    rendering: Rendering
    time_left: Callable[[], float]
    switched_off: Callable[[], bool] = lambda: False
    early: EarlyResponses | None = None
    by_document: bool = False
    takes_part: Callable[[Document], bool] = lambda document: False
    watch: Callable[[Mapping[str, Notice]], None] = lambda sent: None

    def send(self, batch: _Batch, lease: float) -> None:
        """One batch from claim to record."""
        if self.breaker.is_open(self.clock.machine_time()):
            self._defer_unclaimed(batch)
            return
        if self.switched_off():
            self._defer_unclaimed(batch, Why.SWITCHED_OFF)
            return
        claimed = self._claim(self._unanswered(batch), lease)
        if not claimed:
            return
        answers = self._post_bulk(batch, claimed) if batch.bulk else self._post(claimed)
        self._record(claimed, answers)

    def _unanswered(self, batch: _Batch) -> _Batch:
        """The batch without those that were answered or superseded while they queued; the decision ends them.

        A response to a case, or to a document of whomever, names no notice, so it cannot stand in the way
        of a claim: it is asked for in one call a batch, as late as can be. What an earlier delivery claimed
        stays, to be resolved.
        """
        open_yet = [(row, row.ended_by) for row in batch.rows]
        subjects = {s for _, d in open_yet if d for s in subjects_of(d, by_document=self.by_document)}
        if self.early is None or not subjects:
            return batch
        responses, now = self.early.on(self.job.pointer.domain, subjects), self.clock.now()

        def is_news(row: _Prepared, document: Document) -> bool:
            any_payment = row.rule.any_payment_settles
            kept = of_known(responses) if row.member.stored else responses
            if answer_to(document, kept, now, any_payment_settles=any_payment):
                return True
            if superseded_by(document, kept):
                return True
            if is_unshared(document, kept, now) and self.takes_part(document):
                return True
            # A payment in part that came while the words were made: they name too much.
            paid = early_payments(document, kept, now).facts if document.amount_due else ()
            return not all(row.notice.payments.has(fact) for fact in paid)

        rows = [row for row, document in open_yet if document and is_news(row, document)]
        if not rows:
            return batch
        stored = self.ledger.get({row.member.notice_id for row in rows})
        back = set()
        for row in rows:
            notice = stored.get(row.member.notice_id)
            if notice is None or notice.attempt(row.member.attempt) is None:
                back.add(row.member.notice_id)
                self.tally.again.add(row.member.position)
        return replace(batch, rows=[row for row in batch.rows if row.member.notice_id not in back])

    def held_back(self, rows: Sequence[_Prepared]) -> list[_Prepared]:
        """Defer customers' messages in words that nobody approved; the rest, to be sent.

        What was claimed before goes on: its words were approved then, or the switch was not on.
        """
        held: list[_Prepared] = []
        kept: list[_Prepared] = []
        for row in rows:
            internal = row.notice.audience != "customer"
            approved = internal or row.moved or self.rendering.approval(row) is not None
            (kept if approved else held).append(row)
        if held:
            self._defer_unclaimed(_Batch(self.job.job_id, held), Why.NOT_APPROVED)
        return kept

    def fail_unrendered(self, rows: Sequence[_Prepared]) -> None:
        """Record what cannot be rendered as an attempt that failed; nothing of it was claimed or sent.

        Another channel, paper or an exception follows, as after any failure.
        """
        now = self.clock.now()
        failed: dict[str, tuple[_Prepared, Notice]] = {}
        stored: list[tuple[_Prepared, Notice]] = []
        for row in rows:
            if row.moved:
                stored.append((row, row.notice))
                continue
            attempt = Attempt(
                row.member.attempt,
                self.job.channel,
                self.job.provider,
                row.address,
                "",
                Status.FAILED,
                why=NOT_RENDERED,
            )
            due = follow_up(row.notice, now)
            notice = not_begun(row.notice, attempt, now, row.member.waiting, due)
            if not row.member.stored:
                notice = replace(notice, created_at=now.isoformat(timespec="milliseconds"))
            failed[row.member.notice_id] = (row, notice)
        blocked = self.ledger.put([notice for _, notice in failed.values()]) if failed else {}
        for identity, (row, notice) in failed.items():
            if identity in blocked:
                stored.append((row, blocked[identity]))
            else:
                self.rendering.failed(row)
                self.tally.add(notice)
                self._follow(notice, row.member.both)
        for row, notice in stored:
            # An earlier delivery, or another worker: what became of it then stands.
            before = notice.attempt(row.member.attempt)
            if before is not None and before.why == NOT_RENDERED:
                self.rendering.failed(row)
            self._met(row, notice, 0.0, rest=False)

    def _claim(self, batch: _Batch, lease: float) -> list[tuple[_Prepared, Notice]]:
        now = self.clock.now()
        claims: dict[str, tuple[_Prepared, Notice]] = {}
        wanted: dict[str, tuple[_Prepared, Notice]] = {}
        for row in batch.rows:
            attempt = Attempt(
                row.member.attempt,
                self.job.channel,
                self.job.provider,
                row.address,
                batch.name,
                Status.SENDING,
                lease=round(lease, 3),
                evidence=row.evidence,
            )
            if row.moved:
                # The claim below would fail, so look at it as it is.
                if (resumed := self._met(row, row.notice, lease)) is not None:
                    claims[row.member.notice_id] = (row, resumed)
                continue
            notice = begun(row.notice, attempt, now, row.member.waiting)
            if not row.member.stored:
                notice = replace(notice, created_at=now.isoformat(timespec="milliseconds"))
            wanted[row.member.notice_id] = (row, notice)
        blocked = self.ledger.put([notice for _, notice in wanted.values()]) if wanted else {}
        for identity, (row, notice) in wanted.items():
            if identity not in blocked:
                claims[identity] = (row, notice)
            elif (resumed := self._met(row, blocked[identity], lease)) is not None:
                claims[identity] = (row, resumed)
        return list(claims.values())

    def end_claims(self, members: Iterable[Member]) -> None:
        """Of what is not to go out any more: a claim that a worker left is in doubt, one that a worker still
        holds is waited for, and its record goes back to the decision only then."""
        asked = {m.notice_id for m in members}
        for stored in self.ledger.get(asked).values() if asked else ():
            o, attempt = stored.origin, stored.claimed
            if attempt is None or (o.run, o.slice_number) != (self.job.pointer.run, self.job.pointer.number):
                continue
            if attempt.lease > self.clock.machine_time():
                self.tally.busy_until = max(self.tally.busy_until, attempt.lease)
                self.tally.again.discard(o.position)
            else:
                self._settle(stored, attempt.number, Unconfirmed(Why.ANSWER_LOST))

    def _met(self, row: _Prepared, stored: Notice, lease: float, *, rest: bool = True) -> Notice | None:
        """What to do about a notice that is claimed already; a notice to submit again, or None."""
        now = self.clock.now()
        origin = origin_of(self.job.pointer, row.member.position)
        attempt = stored.attempt(row.member.attempt)
        if not is_from(stored, origin):
            self._met_other(row, stored, origin)
            return None
        if attempt is None:
            if stored.status in LOST | REACHED | {Status.UNCONFIRMED} and stored.waiting:
                self.tally.again.add(origin.position)
            self.tally.add(stored)
            return None
        if attempt.status != Status.SENDING:
            self._follow(stored, row.member.both)
            self.tally.add(stored)
            return None
        if attempt.lease > self.clock.machine_time():
            self.tally.busy_until = max(self.tally.busy_until, attempt.lease)
            return None
        if not lease and rest:
            # The provider is left alone just now: come back to what is abandoned later.
            self.tally.busy_until = max(self.tally.busy_until, self.clock.machine_time() + self.breaker.rest)
            return None
        same = (attempt.provider, attempt.address) == (self.provider.name, row.address)
        if lease and self.provider.deduplicates and same and is_remembered(stored, attempt, now):
            renewed = replace(attempt, lease=round(lease, 3))
            after = happened(
                stored,
                now,
                _RESUBMITTED,
                str(attempt.number),
                attempts=tuple(renewed if a.number == attempt.number else a for a in stored.attempts),
            )
            blocked = self.ledger.put([after])
            return self._met(row, blocked[after.notice_id], lease) if blocked else after
        self._settle(stored, row.member.attempt, Unconfirmed(Why.ANSWER_LOST), row.member.both)
        return None

    def _met_other(self, row: _Prepared, stored: Notice, origin: Origin) -> None:
        """The notice belongs to another record: this one is a duplicate of it, or takes it over.

        Which of the two the decision says, unless somebody was notified, or may have been, already.
        """
        if standing_of(stored) not in (Standing.REACHED, Standing.ANSWERED) and not former_of(stored, origin):
            if stored.audience == "customer" or standing_of(stored) == Standing.ENDED:
                self.tally.again.add(origin.position)
            return
        if stored.audience != "customer" or stored.purpose != "notice":
            return
        document = row.record or row.document  # as staged: what was paid since is no difference
        if document is not None and stored.origin.run != origin.run:
            self.tally.duplicates.append((origin.position, document, stored.notice_id))
        why, kinds = doubts(stored, origin, document) if document is not None else ("", ())
        outcome = outcome_for(stored, origin, why)
        self.tally.outcomes.append(outcome)
        if why and outcome.why == why and document is not None:
            rows = self.tally.differing.setdefault((stored.origin.run, kinds), {})
            rows[origin.position] = document.customer_in_run

    def _post(self, claimed: Sequence[tuple[_Prepared, Notice]]) -> list[Answer]:
        answers: list[Answer] = []
        jobs: dict[str, Answer] = {}
        for row, notice in claimed:
            if notice.events[-1].what == _RESUBMITTED:
                answers.append(self._submit_again(row, notice, jobs))
                continue
            if self.breaker.is_open(self.clock.machine_time()) or (answers and self.time_left() < RESERVE):
                answers.append(TryAgain(Why.PROVIDER_DOWN))
                continue
            answers.append(self._hand_over(self._request(row)))
        return answers

    def _request(self, row: _Prepared) -> SentRequest | GiveUp:
        # Marketing must offer one click (RFC 8058): through a provider that cannot it does not go at all.
        if row.headers and not self.provider.supports_headers and row.rule.message_class == "marketing":
            return GiveUp(NO_ONE_CLICK, "us")
        if row.content is None and not self.rendering.render(row):
            self.rendering.failed(row)
            return GiveUp(NOT_RENDERED, "content")
        content = row.content or Content("")
        headers = row.headers if self.provider.supports_headers else ()
        message = Message(row.ref, self.job.channel, row.to, row.rule.message_class, content, headers)
        return self.provider.request(message)

    def _submit_again(self, row: _Prepared, notice: Notice, jobs: dict[str, Answer]) -> Answer:
        """Hand over what perhaps was before, under its identity of then; `jobs` are answers so far.

        A refusal now says nothing of the first time, so anything but acceptance leaves it in doubt.
        """
        attempt = notice.attempt(row.member.attempt)
        name = attempt.job if attempt is not None else ""
        if name not in jobs:
            if name == self.job.job_id:
                answer = self._hand_over(self._request(row))
                return answer if isinstance(answer, Accepted) else Unconfirmed(Why.ANSWER_LOST)
            known = self.jobs.get(name)
            if known and not self.tally.erased.isdisjoint(known[0]):
                known = None  # its bytes are a message to an erased customer too
            # No job of that name: it was never posted, or one of its members by itself.
            jobs[name] = self._hand_over(known[1]) if known else Unconfirmed(Why.ANSWER_LOST)
        answer = jobs[name]
        return answer if isinstance(answer, Accepted) else Unconfirmed(Why.ANSWER_LOST)

    def _post_bulk(self, batch: _Batch, claimed: Sequence[tuple[_Prepared, Notice]]) -> list[Answer]:
        """One job for all that were claimed now; each resumed one within its own job as it was."""
        answers: dict[str, Answer] = {}
        jobs: dict[str, Answer] = {}
        fresh = []
        for row, notice in claimed:
            if notice.events[-1].what == _RESUBMITTED:
                answers[row.ref] = self._submit_again(row, notice, jobs)
            else:
                fresh.append(row)
        if fresh and batch.content is not None:
            members = tuple(BulkMember(row.ref, row.to, row.inserts) for row in fresh)
            bulk = BulkJob(batch.name, self.job.channel, fresh[0].rule.message_class, batch.content, members)
            asked = self.provider.request_bulk(bulk)
            if isinstance(asked, GiveUp):
                # One member can spoil a whole job: each by itself, and only that one is refused.
                alone = [(row, notice) for row, notice in claimed if row in fresh]
                answers |= zip((row.ref for row, _ in alone), self._post(alone), strict=True)
            else:
                self.jobs.put(batch.name, bulk, asked)
                answers |= dict.fromkeys((row.ref for row in fresh), self._hand_over(asked))
        return [answers[row.ref] for row, _ in claimed]

    def _hand_over(self, request: SentRequest | GiveUp) -> Answer:
        if isinstance(request, GiveUp):
            return request
        started = self.clock.machine_time()
        answer = next(iter(self.provider.send([request])))
        ended = self.clock.machine_time()
        # A provider that does not answer is as down as one that says so; one that refuses is not.
        if isinstance(answer, TryAgain | Unconfirmed):
            self.breaker.failed(ended)
        else:
            self.breaker.succeeded()
        pause = 1 / self.rate - (ended - started)
        if pause > 0:
            self.clock.sleep(pause)
        return answer

    def _record(self, claimed: Sequence[tuple[_Prepared, Notice]], answers: Sequence[Answer]) -> None:
        after: dict[str, Notice] = {}
        wanted: dict[str, tuple[_Prepared, Answer, float]] = {}
        for (row, notice), answer in zip(claimed, answers, strict=True):
            identity = row.member.notice_id
            wanted[identity] = (row, answer, _lease(notice, row))
            done = self._answered(notice, row.member.attempt, answer, _lease(notice, row))
            if done is not None:
                after[identity] = done
        blocked = self.ledger.put(list(after.values()))
        # Whoever put them in doubt may have ended this job: nobody comes back for them if this worker dies.
        late = {key: met for key, met in blocked.items() if _is_late(met, *wanted[key][:2])}
        if late:
            self.watch(late)
        for identity, (row, answer, lease) in wanted.items():
            if identity in blocked:
                # A receipt, or another writer, was faster: the result goes onto what stands there now.
                self._settle(blocked[identity], row.member.attempt, answer, row.member.both, lease)
            elif identity in after:
                self._note(after[identity], answer, row.member.both)

    def _settle(
        self, stored: Notice, number: int, answer: Answer, both: bool = False, lease: float = 0.0
    ) -> None:
        """Put one answer onto a stored notice, over whatever else happens to it meanwhile."""
        for _ in range(5):
            after = self._answered(stored, number, answer, lease)
            if after is None:
                attempt = stored.attempt(number)
                if attempt is not None and attempt.status == Status.SENDING:
                    # Another worker submitted it again: this message is not done before that one is.
                    self.tally.busy_until = max(self.tally.busy_until, attempt.lease)
                    return
                self.tally.add(stored)
                return
            blocked = self.ledger.put([after])
            if not blocked:
                self._note(after, answer, both)
                return
            stored = blocked[after.notice_id]
        raise RuntimeError("a notice kept changing under five attempts to record its result")

    def _answered(self, notice: Notice, number: int, answer: Answer, lease: float) -> Notice | None:
        return answered(notice, number, answer, self.clock.now(), lease=lease, report=self.tally.report)

    def _note(self, notice: Notice, answer: Answer, both: bool) -> None:
        self.tally.add(notice)
        self._follow(notice, both)
        if isinstance(answer, TryAgain):
            self.tally.trouble["provider_down", answer.reason] += 1

    def _follow(self, notice: Notice, both: bool) -> None:
        """Have the decision look again where another attempt, or paper, may follow."""
        if notice.audience != "customer":
            return
        half_told = notice.status in REACHED | {Status.UNCONFIRMED} and both and notice.waiting
        if notice.status in LOST or half_told:
            self.tally.again.add(notice.origin.position)

    def _defer_unclaimed(self, batch: _Batch, why: Why = Why.PROVIDER_DOWN) -> None:
        now = self.clock.now()
        # An outage ends by itself, so what a dead worker left can wait for it; what people hold back may take
        # days, and no message outlives that in a queue: it is in doubt now.
        rest = why == Why.PROVIDER_DOWN
        notices: list[Notice] = []
        for row in batch.rows:
            if row.moved:
                self._met(row, row.notice, 0.0, rest=rest)
            else:
                notices.append(self._set_aside(row, why, now))
        blocked = self.ledger.put(notices)
        for row, notice in zip((r for r in batch.rows if not r.moved), notices, strict=True):
            if notice.notice_id in blocked:
                self._met(row, blocked[notice.notice_id], 0.0, rest=rest)
            else:
                self.tally.add(notice)
                if rest:  # who switches off knows it
                    self.tally.trouble["provider_down", why] += 1

    def _set_aside(self, row: _Prepared, why: Why, now: datetime) -> Notice:
        """The notice as it waits, unclaimed, with the channels that are still open to it."""
        member, report, detail = row.member, "", ""
        if why == Why.NOT_APPROVED:
            version = self.rendering.version(row)
            detail = f"{row.rule.wording} in {row.language}, version {version}"
            if not any(event.report.startswith(f"{why} ") for event in row.notice.events):  # told once
                report = f"{why} {self.tally.report}"
        waiting = (self.job.channel, *member.waiting) if row.notice.attempts else ()
        notice = replace(row.notice, waiting=waiting)
        until = now + pause_for(notice, why)
        return deferred(notice, until, str(why), now, new=not member.stored, detail=detail, report=report)


def _is_late(met: Notice, row: _Prepared, answer: Answer) -> bool:
    """Whether an acceptance comes upon a customer's attempt that was put in doubt, or may be yet."""
    attempt = met.attempt(row.member.attempt)
    open_yet = attempt is not None and attempt.status in (Status.SENDING, Status.UNCONFIRMED)
    return isinstance(answer, Accepted) and open_yet and met.audience == "customer"


def _lease(notice: Notice, row: _Prepared) -> float:
    attempt = notice.attempt(row.member.attempt)
    return attempt.lease if attempt is not None else 0.0


_SEVERITY: Mapping[str, str] = {
    "address_refused": "warning",
    "provider_down": "warning",
    "team_not_told": "warning",
}


def _exceptions(job: SendJob, tally: _Tally) -> list[ExceptionRaised]:
    """What a job ran into. What waits for the provider is tried again and again, by jobs of other members:
    it counts once a slice."""
    way = f"{job.channel} by {job.provider}"
    trouble = Counter(tally.trouble)
    down = {reason: n for (code, reason), n in trouble.items() if code == Why.PROVIDER_DOWN}
    for reason in down:
        del trouble[Why.PROVIDER_DOWN, reason]
    job_part = f"job {tally.report}"
    rows = [(code, reason, count, f"{job_part} {reason}") for (code, reason), count in trouble.items()]
    if down:
        part = f"slice {job.pointer.number} {way}"
        rows.append((Why.PROVIDER_DOWN, ", ".join(sorted(down)), sum(down.values()), part))
    return [
        ExceptionRaised(
            code,
            "warning" if _SEVERITY.get(code) else "error",
            job.pointer.domain,
            job.pointer.run_id,
            f"{way}: {reason}",
            part=part,
            count=count,
            detail={"cause": reason if code == Why.NOT_APPROVED else way},
            said_at=tally.said_at.get((code, reason), ""),
        )
        for code, reason, count, part in rows
    ] + differing(job.pointer, job_part, tally.differing)
