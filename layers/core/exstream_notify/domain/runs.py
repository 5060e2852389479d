"""A run: its seal, its states, what must agree before anything goes out, and its reconciliation."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from statistics import median

from .notices import Outcome
from .records import DateOrder


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
    """What the composer's site states of a run when it is whole."""

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

    @property
    def fingerprint(self) -> str:
        """Identity of the content: the same for a repeated seal, another for other files."""
        rows = sorted((f.name, f.bytes, f.sha256, f.records) for f in self.files)
        totals = (self.customers_expected, self.customers_processed, self.documents)
        return hashlib.sha256(json.dumps([rows, totals]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class DomainRule:
    """How one domain's runs are taken (rules/domains.yaml)."""

    unsealed: bool = True
    encoding: str | None = None
    dates: DateOrder = "iso"
    exit_statuses: tuple[int, ...] = (0,)
    hold_on_exit_status: bool = False
    seal_within_minutes: int = 240


@dataclass(frozen=True, slots=True)
class Run:
    """The run's own record. `rejected` counts by reason; `version` is its optimistic lock."""

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

    @property
    def name(self) -> str:
        """Domain and run id, as in the drop's path."""
        return f"{self.domain}/{self.run_id}"


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


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """How one record stands: `version` of its notice orders what slices and jobs say of it."""

    slice_number: int
    position: int
    outcome: Outcome
    why: str = ""
    version: int = 0
    notice_id: str = ""


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
    """A run added up. `reasons` is by outcome, then reason."""

    outcomes: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    balanced: bool
    complete: bool


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
    for record in latest(outcomes).values():
        counts[record.outcome] += 1
        if record.why:
            reasons.setdefault(str(record.outcome), Counter())[record.why] += 1
    for reason, number in run.rejected.items():
        counts[Outcome.REJECTED] += number
        reasons.setdefault(str(Outcome.REJECTED), Counter())[reason] += number
    known = sum(counts.values())
    counts[Outcome.IN_FLIGHT] += max(0, run.composed - known)
    done = run.state == RunState.DISPATCHED
    balanced = done and counts[Outcome.IN_FLIGHT] == 0 and known == run.composed
    return Reconciliation(counts, reasons, balanced, done and run.composed == run.expected)


def nobody_new(found: Reconciliation) -> bool:
    """Whether a balanced run notified nobody because all that could be notified had been by other runs."""
    counts = found.outcomes
    others = (
        Outcome.NOTIFIED,
        Outcome.PAPER,
        Outcome.DEFERRED,
        Outcome.UNCONFIRMED,
        Outcome.FAILED,
        Outcome.IN_FLIGHT,
    )
    return counts[Outcome.DUPLICATE] > 0 and not any(counts[outcome] for outcome in others)
