"""A run: its seal, its states, what must agree before anything goes out, and its reconciliation."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Literal

from .decisions import Why
from .holders import HolderField
from .notices import Outcome
from .values import DateOrder, Manner


class RunState(StrEnum):
    """How far a run has come. WAITING, INCOMPLETE and REFUSED accept a corrected seal."""

    WAITING = "waiting"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"
    STAGED = "staged"
    DISPATCHED = "dispatched"


class Control(StrEnum):
    """What an operator, or the volume check, wants of a run."""

    GO = "go"
    HOLD = "hold"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file as the seal lists it; `bytes`, `sha256` and `records` are None where it does not say."""

    name: str
    bytes: int | None = None
    sha256: str | None = None
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What the composer's site states of a run when it is whole; `started_at` ISO 8601, empty if unknown."""

    run_id: str
    domain: str
    files: tuple[SealedFile, ...]
    app: str = ""
    exit_status: int = 0
    customers_expected: int | None = None
    customers_processed: int | None = None
    documents: int | None = None
    errors: int = 0
    rerun_of: str = ""
    started_at: str = ""

    @property
    def fingerprint(self) -> str:
        """Identity of the content: the same for a repeated seal, another for other files."""
        rows = sorted((f.name, f.bytes, f.sha256, f.records) for f in self.files)
        totals = (self.customers_expected, self.customers_processed, self.documents)
        return hashlib.sha256(json.dumps([rows, totals]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class StagePolicy:
    """Waits and limits of staging, by template parameter."""

    missing_file_wait: timedelta = timedelta(minutes=60)
    quiet_period: timedelta = timedelta(seconds=120)
    volume_limit_percent: int = 50
    reject_limit_percent: int = 10


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last row of a domain's delimited files, which is not a record.

    Its first field begins with `starts`. Field `count_field` (1 is the first; None: no field) states the
    number of rows; `count_adds` of those are not records, such as the header and the trailer itself. Where
    it is `required`, a file without it may be cut off.
    """

    starts: str
    count_field: int | None = None
    count_adds: int = 0
    required: bool = True

    def count_of(self, row: Sequence[str]) -> int | None:
        """The number of records that a trailer row states; None where it states none."""
        if self.count_field is None or self.count_field > len(row):
            return None
        text = row[self.count_field - 1].strip()
        if self.count_field == 1:
            text = text.removeprefix(self.starts)
        found = re.fullmatch(r"\D*([0-9]{1,15})\D*", text)
        return int(found[1]) - self.count_adds if found else None


@dataclass(frozen=True, slots=True)
class DomainRule:
    """How one domain's runs are taken (rules/domains.yaml).

    `holders` are the fields that tell the holders of one customer key apart, in records without a recipient.
    """

    unsealed: bool = True
    encoding: str | None = None
    dates: DateOrder = "iso"
    exit_statuses: tuple[int, ...] = (0,)
    hold_on_exit_status: bool = False
    seal_within_minutes: int = 240
    holders: tuple[HolderField, ...] = ()
    missing_documents: Literal["reject", "hold"] = "reject"
    unknown: bool = False
    multi_line_fields: bool = False
    trailer: Trailer | None = None
    implied_decimals: int | None = None
    decimal_mark: Literal[".", ","] | None = None
    utc_midnight: Literal["date", "instant"] | None = None
    time_zone: str | None = None
    payments_without_document: Literal["oldest_due", "team"] = "oldest_due"

    def manner(self, default_zone: str) -> Manner:
        """How the domain's values are written; `default_zone` is that of customers of unknown zone."""
        return Manner(
            self.dates,
            self.implied_decimals,
            self.decimal_mark,
            self.utc_midnight,
            self.time_zone or default_zone,
        )


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a run as it was when it was read.

    `etag` is S3's, `sha256` that of the stored bytes. `records` and the customers are None for a file
    that is not an index, `customers_processed` is what a native manifest states.
    """

    name: str
    bytes: int
    etag: str
    sha256: str
    records: int | None = None
    customers: int | None = None
    customers_processed: int | None = None


def content_of(files: Iterable[FoundFile]) -> str:
    """Identity of what was found in a run's files, whatever its seal states of them."""
    rows = sorted((f.name, f.bytes, f.sha256) for f in files)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Run:
    """The run's own record. `rejected` and `left_out` count by reason; `version` is its optimistic lock.

    `left_out` are unreadable values that records went on without, as `field: reason`.
    `fingerprint` is that of the seal, or of the manifest, that the run was taken with; `content` that of
    the files as they were read. `sealed_as` is the fingerprint of a seal that came after the run was
    taken from its manifest alone, and that agrees with it.
    `disputed` counts records whose customer and recipient have another address in another record.
    `customers_expected` is what the seal states, 0 if nothing. `optional` counts the records of marketing,
    which is owed to nobody. `composed_at` is the earliest time known of what the run holds: when its
    composition started, by the seal, or its oldest file was written.
    """

    domain: str
    run_id: str
    state: RunState
    sealed: bool = True
    control: Control = Control.GO
    fingerprint: str = ""
    app: str = ""
    expected: int = 0
    composed: int = 0
    slices: int = 0
    parts: str = ""
    rejected: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    opened_at: str = ""
    changed_at: str = ""
    deadline: str = ""
    history: tuple[Mapping[str, str], ...] = ()
    version: int = 0
    rerun_of: str = ""
    content: str = ""
    sealed_as: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    disputed: int = 0
    customers_expected: int = 0
    optional: int = 0
    composed_at: str = ""

    @property
    def name(self) -> str:
        """Domain and run id, as in the drop's path."""
        return f"{self.domain}/{self.run_id}"


@dataclass(frozen=True, slots=True)
class RunNews:
    """Something happened to a run at `said_at` (UTC, ISO 8601): it arrived, it was dispatched, or it is time
    to look again at what it made good, after `tried` tries."""

    what: Literal["arrived", "dispatched", "again"]
    domain: str
    run_id: str
    said_at: str = ""
    tried: int = 0


def counted_from(run: Run | None) -> datetime | None:
    """The moment from which a run's deadlines count: its opening, or the last release of the held run.

    The person who releases a run decides that it should still go. None where nothing says when it opened.
    """
    if run is None or not run.opened_at:
        return None
    since, held = run.opened_at, False
    for entry in run.history:
        what = entry.get("what")
        if what == Control.GO and held:
            since = entry["at"]
        held = what == Control.HOLD or (held and what != Control.GO)
    return datetime.fromisoformat(since)


EVENT_RUN = "event-"
"""What the run id of a single document that came as an event begins with."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two figures that should be one; `code` names the exception."""

    code: str
    place: str
    stated: str
    found: str

    def __str__(self) -> str:
        return f"{self.place}: stated {self.stated}, found {self.found}"


def compare_file(sealed: SealedFile, size: int, sha256: str, records: int | None) -> list[Disagreement]:
    """What the seal says of a file against what was read of it; `records` None: not an index."""
    rows: list[tuple[str, str, object, object]] = [
        ("size_mismatch", "bytes", sealed.bytes, size),
        ("checksum_mismatch", "sha256", sealed.sha256 and sealed.sha256.lower(), sha256),
    ]
    if records is not None:
        rows.append(("record_count_mismatch", "records", sealed.records, records))
    return [
        Disagreement(code, f"{sealed.name} {what}", str(stated), str(found))
        for code, what, stated, found in rows
        if stated is not None and stated != found
    ]


def compare_totals(seal: Seal, records: int, customers: int | None) -> list[Disagreement]:
    """The seal's totals against the index; `customers` None where the index form does not tell."""
    found: list[Disagreement] = []
    if seal.documents is not None and seal.documents != records:
        found.append(Disagreement("document_count_mismatch", "documents", str(seal.documents), str(records)))
    if (
        customers is not None
        and seal.customers_processed is not None
        and customers != seal.customers_processed
    ):
        found.append(
            Disagreement(
                "customer_count_mismatch",
                "customers_processed",
                str(seal.customers_processed),
                str(customers),
            )
        )
    return found


def stated_size(seal: Seal, customers: int, processed: Sequence[int | None]) -> str:
    """What a run that yields no record says that it holds, by its seal or its manifest; empty if nothing."""
    figures = {
        "documents": seal.documents,
        "customers_expected": seal.customers_expected,
        "customers_processed": seal.customers_processed or sum(n or 0 for n in processed),
        "records": sum(f.records or 0 for f in seal.files),
        "customers whose queues no rule maps": customers,
    }
    return next((f"{number} {name}" for name, number in figures.items() if number), "")


def expected_documents(seal: Seal, records: int) -> int:
    """Documents that should have been composed: each customer left out counts as one at least."""
    return records + customers_missing(seal)


def customers_missing(seal: Seal) -> int:
    """Customers whom the composer was given and did not process (a silent skip)."""
    if seal.customers_expected is None or seal.customers_processed is None:
        return 0
    return max(0, seal.customers_expected - seal.customers_processed)


HISTORY_LENGTH = 10
HISTORY_NEEDED = 3
VOLUME_FLOOR = 100


def volume_deviates(documents: int, earlier: Sequence[int], limit_percent: int) -> bool:
    """Whether a run's size is far from the median of the last runs of its kind.

    Needs three earlier runs, and a difference of at least a hundred documents: small runs vary.
    """
    if len(earlier) < HISTORY_NEEDED:
        return False
    usual = median(earlier)
    difference = abs(documents - usual)
    return difference >= VOLUME_FLOOR and difference * 100 > usual * limit_percent


REJECTS_NEEDED = 25


def rejects_are_high(rejected: int, records: int, limit_percent: int) -> bool:
    """Whether so many records of a run were rejected that a person should look before it goes on.

    Fewer than 25 rejected records never count: small runs vary.
    """
    return rejected >= REJECTS_NEEDED and rejected * 100 > records * limit_percent


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """How one record stands: `version` of its notice orders what slices and jobs say of it."""

    slice_number: int
    position: int
    outcome: Outcome
    why: str = ""
    version: int = 0
    notice_id: str = ""


class Look(StrEnum):
    """What about a run a person has to look at, the worst first."""

    CANCELLED = "cancelled"
    HELD = "held"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    STAGED = "staged"
    IN_FLIGHT = "in_flight"
    UNBALANCED = "unbalanced"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    OTHER_CONTENT = "other_content"
    UNDATED = "undated"
    NOT_COMPOSED = "not_composed"
    REJECTED = "rejected"
    NOT_NOTIFIED = "not_notified"
    DEFERRED = "deferred"
    DUPLICATES = "duplicates"
    EMPTY = "empty"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing about a run that needs a look: `count` of `of` records, and why.

    `of` is the records composed; for NOT_COMPOSED the records expected.
    """

    what: Look
    count: int
    of: int
    reason: str = ""


OTHER_CONTENT = "other_content"
"""Reason of a duplicate whose content differs from what its customer was notified of."""

UNDATED = "undated"
"""Reason of a duplicate of another run that has no id and no date, so that it may be another document."""

_EXAMPLES = 100

STILL_WAITING = "*waiting"
"""The entry of a digest's counts, beside those by document type, for documents that may still go out."""


@dataclass(frozen=True, slots=True)
class DigestRow:
    """Records of a slice that internal teams get a count of: their type, the teams, their positions."""

    document_type: str
    teams: tuple[str, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A run added up. `reasons` is by outcome, then reason; `needs_look` is sorted, the worst first.

    `examples` are up to a hundred notice ids of each reason, for the outcomes DEFERRED and DUPLICATE:
    the ledger holds until when a notice waits, and which run notified.
    """

    outcomes: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    balanced: bool
    complete: bool
    needs_look: tuple[Concern, ...] = ()
    examples: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing about the run needs a look, by its records: exit code 0 of `drop` and `run`."""
        return not self.needs_look


def latest(outcomes: Iterable[RecordOutcome]) -> dict[int, RecordOutcome]:
    """Per position the newest word; a slice's first word never beats a job's later one."""
    best: dict[int, RecordOutcome] = {}
    for outcome in outcomes:
        known = best.get(outcome.position)
        if known is None or outcome.version >= known.version:
            best[outcome.position] = outcome
    return best


def reconcile(run: Run, outcomes: Iterable[RecordOutcome]) -> Reconciliation:
    """Add a run up: every record composed is in exactly one outcome, or in flight.

    *Balanced*: they add up to the records composed and none is in flight. *Complete*: what was
    composed is what was expected.
    """
    counts: Counter[str] = Counter({str(o): 0 for o in Outcome})
    reasons: dict[str, Counter[str]] = {}
    examples: dict[str, dict[str, list[str]]] = {}
    for record in latest(outcomes).values():
        counts[record.outcome] += 1
        if record.why:
            reasons.setdefault(str(record.outcome), Counter())[record.why] += 1
        if record.outcome in (Outcome.DEFERRED, Outcome.DUPLICATE) and record.notice_id:
            ids = examples.setdefault(str(record.outcome), {}).setdefault(record.why, [])
            if len(ids) < _EXAMPLES:
                ids.append(record.notice_id)
    for reason, number in run.rejected.items():
        counts[Outcome.REJECTED] += number
        reasons.setdefault(str(Outcome.REJECTED), Counter())[reason] += number
    known = sum(counts.values())
    counts[Outcome.IN_FLIGHT] += max(0, run.composed - known)
    done = run.state == RunState.DISPATCHED
    balanced = done and counts[Outcome.IN_FLIGHT] == 0 and known == run.composed
    return Reconciliation(
        counts,
        reasons,
        balanced,
        done and run.composed == run.expected,
        tuple(_needs_look(run, counts, reasons)),
        {name: {why: tuple(ids) for why, ids in by_reason.items()} for name, by_reason in examples.items()},
    )


def _needs_look(
    run: Run, counts: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]]
) -> Iterator[Concern]:
    """What of a run needs a look: its state, then its records, the worst first.

    What is deferred for quiet hours alone, goes to paper or is suppressed by a decision needs none.
    """
    of, open_ones = run.composed, counts[Outcome.IN_FLIGHT]
    dispatched = run.state == RunState.DISPATCHED
    if run.control == Control.CANCEL:
        # What is deferred ends as soon as the cancellation is carried out.
        ended = reasons.get(Outcome.SUPPRESSED, {}).get(Why.RUN_CANCELLED, 0) + counts[Outcome.DEFERRED]
        yield Concern(Look.CANCELLED, ended + open_ones, of, _said(run))
    elif run.control == Control.HOLD:
        yield Concern(Look.HELD, open_ones + counts[Outcome.DEFERRED], of, _said(run))
    elif not dispatched:
        yield Concern(Look(run.state), open_ones, of, run.why)
    elif open_ones:
        yield Concern(Look.IN_FLIGHT, open_ones, of)
    if not dispatched:
        return
    if (found := sum(counts.values())) != of:
        yield Concern(Look.UNBALANCED, found, of)
    yield from _concerns(Look.FAILED, of, _counted(counts, reasons, Outcome.FAILED))
    yield from _concerns(Look.UNCONFIRMED, of, _counted(counts, reasons, Outcome.UNCONFIRMED))
    duplicates = _counted(counts, reasons, Outcome.DUPLICATE)
    yield from _concerns(Look.OTHER_CONTENT, of, {OTHER_CONTENT: duplicates.pop(OTHER_CONTENT, 0)})
    yield from _concerns(Look.UNDATED, of, {UNDATED: duplicates.pop(UNDATED, 0)})
    yield from _concerns(Look.NOT_COMPOSED, run.expected, {"": max(0, run.expected - of)})
    yield from _concerns(Look.REJECTED, of, _counted(counts, reasons, Outcome.REJECTED))
    lost = reasons.get(Outcome.SUPPRESSED, {}).get(Why.NO_CHANNEL, 0)
    yield from _concerns(Look.NOT_NOTIFIED, of, {str(Why.NO_CHANNEL): lost})
    waits = _counted(counts, reasons, Outcome.DEFERRED)
    waits.pop(Why.QUIET_HOURS, 0)
    yield from _concerns(Look.DEFERRED, of, waits)
    if not any(counts[outcome] for outcome in _FOLLOWED):
        yield from _concerns(Look.DUPLICATES, of, {"": sum(duplicates.values())})
    if not of and not run.expected and not run.sealed:
        yield Concern(Look.EMPTY, 0, 0)


_FOLLOWED = (Outcome.NOTIFIED, Outcome.DEFERRED, Outcome.PAPER, Outcome.UNCONFIRMED, Outcome.IN_FLIGHT)
"""Outcomes by which somebody was notified by this run, perhaps was, or will be."""


def _counted(
    counts: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]], outcome: Outcome
) -> Counter[str]:
    """An outcome's records by reason; the empty one stands for those without."""
    found = Counter(reasons.get(outcome, {}))
    found[""] += counts[outcome] - sum(found.values())
    return found


def _concerns(what: Look, of: int, counted: Mapping[str, int]) -> Iterator[Concern]:
    """A concern for each reason that occurs, the most frequent first."""
    for reason, count in sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])):
        if count:
            yield Concern(what, count, of, reason)


def _said(run: Run) -> str:
    """Why a run is held or cancelled, where the run or its operator says so."""
    entry = next((e for e in reversed(run.history) if e.get("what") == run.control), {})
    return entry.get("why", "") or ("" if entry else run.why)


def nobody_new(found: Reconciliation) -> bool:
    """Whether a balanced run notified nobody because all that could be notified had been by other runs."""
    counts = found.outcomes
    return counts[Outcome.DUPLICATE] > 0 and not any(counts[o] for o in (*_FOLLOWED, Outcome.FAILED))
