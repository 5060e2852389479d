"""What the use cases need of the outside world, in batches."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

from .domain.holders import Conflicts

if TYPE_CHECKING:
    from .domain.account_status import StatusWords
    from .domain.alert_words import Alert
    from .domain.approvals import Approval
    from .domain.channels import AlertReceipt, ChannelState, Outcome
    from .domain.composer_messages import Group, Grouped, RunSummary
    from .domain.contacts import Address, Contact
    from .domain.documents import Channel, Document, DocumentRule
    from .domain.due import WaitKind
    from .domain.due_days import Holidays
    from .domain.exceptions import ExceptionRaised, FileRead, Severity
    from .domain.expectations import Arrival, ExpectedRun
    from .domain.incidents import AlertRule, Head, Report, Urgency
    from .domain.journeys import Cohort, JourneyRule, MemberRow
    from .domain.masking import Vocabulary
    from .domain.messages import Answer, BulkJob, Content, GiveUp, Message, SentRequest
    from .domain.notices import Notice
    from .domain.pager import Action
    from .domain.payments import Debt
    from .domain.receipts import Receipt, Suppression
    from .domain.responses import EarlyPayment, EarlyResponse
    from .domain.rollups import Bookmark, DailyRule, StormRule
    from .domain.runs import DigestRow, Disagreement, DomainRule, FoundFile, RecordOutcome, Run, Seal
    from .domain.watching import Watched
    from .domain.work import Parked, SendJob, SlicePointer


class Clock(Protocol):
    """Time and chance."""

    def now(self) -> datetime:
        """Now, in UTC."""

    def machine_time(self) -> float:
        """Epoch seconds of this machine, for leases and pace, whatever time `now` plays."""

    def sleep(self, seconds: float) -> None:
        """Wait so many of the machine's seconds."""

    def random_id(self) -> str:
        """128 random bits, 32 hex characters."""


class Ledger(Protocol):
    """The notices. A write of version 1 needs the notice absent, of version n the stored one at n - 1."""

    def put(self, notices: Sequence[Notice]) -> dict[str, Notice]:
        """Write all that may be written; return the stored ones that stood in the way, by id."""

    def get(self, notice_ids: Collection[str]) -> dict[str, Notice]:
        """The stored notices, read consistently."""


class ResponseLedger(Ledger, Protocol):
    """The notices, found by whom and what they are about; the indexes may lag by a second."""

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """All notices of a customer, every recipient's, oldest first."""

    def of_document(self, domain: str, document_id: str) -> list[Notice]:
        """All of a document's notices to its customer, oldest first."""

    def of_case(self, domain: str, case_id: str) -> list[Notice]:
        """All notices about a case, oldest first."""


class EarlyResponses(Protocol):
    """Responses that came before their notice was known; each kept for a limited time."""

    def keep(self, domain: str, subject: str, response: EarlyResponse, until: datetime) -> None:
        """Keep one; another on the same subject replaces it, and payments on it stay."""

    def keep_payment(self, domain: str, subject: str, payment: EarlyPayment, until: datetime) -> bool:
        """Keep a payment or a reversal beside the others on its subject; False if there are too many."""

    def register(self, domain: str, subject: str, debt: Debt) -> None:
        """Keep a debt after those that were kept on a subject with payments."""

    def on(self, domain: str, subjects: Collection[str]) -> dict[str, EarlyResponse]:
        """What was kept, by subject; read consistently."""


class TryCounter(Protocol):
    """Counts tries, atomically; a count does not end by itself before a year is over."""

    def count(self, subjects: Sequence[str]) -> list[int]:
        """One more try for each subject; their counts now, no two tries of a subject the same."""

    def highest(self, subjects: Sequence[str]) -> int:
        """The highest count, without a try."""

    def clear(self, subjects: Sequence[str]) -> None:
        """Forget the tries."""


class DocumentStore(Protocol):
    """Composed documents in the drop bucket."""

    def address(self, run: str, path: str, name: str, *, inline: bool, language: str) -> str | None:
        """An address of a minute's life of a run's document, named `name`; None if there is no such file.

        `ValueRefused` for a path that leaves the run's folder, or names one of the run's own files.
        """


class DueIndex(Protocol):
    """What lies under a due time."""

    def due(self, since: datetime, until: datetime) -> Iterator[str]:
        """Ids of all that is due by `until`, looking back to `since`."""

    def wait(self, kind: WaitKind, name: str, until: datetime, *, keep: bool = False) -> None:
        """Have something looked at again at `until`; a later call replaces the earlier, unless `keep`."""

    def waiting(self, ids: Collection[str]) -> list[tuple[str, WaitKind, str]]:
        """Of these ids those that wait to be looked at, waiting runs apart: id, kind, name."""

    def wait_for_run(self, domain: str, run_id: str, until: datetime) -> None:
        """Have the run staged again at `until`; a later call replaces the earlier."""

    def runs_due(self, ids: Collection[str]) -> list[tuple[str, str, str]]:
        """Of these ids those of waiting runs: id, domain, run id."""

    def wait_for_look(self, name: str, pointer: SlicePointer, until: datetime) -> str:
        """Have a look at a slice repeated at `until`, unless the id that this returns is forgotten."""

    def looks_due(self, ids: Collection[str]) -> list[tuple[str, SlicePointer]]:
        """Of these ids those of looks: id, the look's pointer."""

    def forget(self, ids: Collection[str], until: datetime) -> None:
        """Drop what waited and was due by `until`; one that waits anew by now stays."""

    def watermark(self) -> datetime | None:
        """Up to when everything due was handed on."""

    def set_watermark(self, at: datetime) -> None:
        """Remember it."""


class ContactBook(Protocol):
    """The contacts, by contact key: the customer's, with the recipient where a record names one."""

    def get(self, domain: str, contact_keys: Collection[str]) -> dict[str, Contact]:
        """Known contacts by contact key."""

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """Write where the stored version is one less; return the contact keys of those that were not."""


class ContactDirectory(ContactBook, Protocol):
    """The contacts, found by other things than their keys."""

    def by_handle(self, handle: str) -> Contact | None:
        """The contact of a handle (domain/passes.py)."""

    def at_address(self, channel: Channel, canonical: str) -> list[Contact]:
        """Everybody whose address of this channel it is, of every domain, in order of their keys."""


class SuppressedAddresses(Protocol):
    """Addresses that must get nothing, to be asked for."""

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """Of these canonical addresses those that are suppressed now."""


class SuppressionList(SuppressedAddresses, Protocol):
    """The same by keyed hash, to be written."""

    def hashes(self, channel: Channel, canonical: str) -> tuple[str, ...]:
        """The address's keyed hashes, the current pepper's first."""

    def entries(self, addresses: Collection[tuple[Channel, str]]) -> dict[tuple[Channel, str], Suppression]:
        """What is known of addresses, by channel and hash; one that is not known has version 0."""

    def put(self, entries: Sequence[Suppression]) -> set[tuple[Channel, str]]:
        """Write where the stored version is one less; return those that were not."""


class OptOutList(SuppressionList, Protocol):
    """Addresses stopped by whoever has them, known customers' or not."""

    def stop(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """Keep the address as opted out, said at this time; False if it was so already, or allowed later."""

    def stop_topics(
        self, channel: Channel, canonical: str, topics: Collection[str], source: str, at: datetime
    ) -> None:
        """Keep topics that the address's holder opted out of, for whoever's contact has the address later."""

    def stopped_by(self, channel: Channel, canonical: str) -> str | None:
        """The source that the address was stopped by, None if it is not (any more)."""

    def allow(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """Release what `stop` kept before this time, and nothing else; False if there was nothing.

        The word is kept either way, against a stop that was said before it and comes after it.
        """


class Hasher(Protocol):
    """Keyed hashes of addresses."""

    def __call__(self, channel: Channel, canonical: str) -> str:
        """The hash under the current pepper."""


class AddressChecker(Protocol):
    """Syntax, canonical form and region of addresses."""

    def check(self, channel: Channel, raw: str, country: str | None) -> Address:
        """The address, `invalid` with a reason where nothing can be sent to it."""

    def zones(self, contact: Contact) -> tuple[str, ...]:
        """Time zones the customer may be in: profile, else address, else number; empty: unknown."""


class RecordsGone(LookupError):
    """A part is not stored any more: its retention ended, or somebody deleted it."""


class Records(Protocol):
    """Staged records. Both methods raise RecordsGone."""

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """The slice's documents with their positions in the run."""

    def read_digests(self, pointer: SlicePointer) -> list[tuple[int, str, Mapping[str, int]]]:
        """The slice's team digests: position, team, documents by type."""


class Rules(Protocol):
    """The site's rules."""

    def for_document(self, document: Document) -> DocumentRule:
        """The rule of its type, and of its account's status; KeyError for an unknown type."""

    @property
    def statuses(self) -> StatusWords:
        """What the words of account statuses mean."""

    def of_type(self, document_type: str) -> DocumentRule:
        """The rule of a type, whatever the account; KeyError for an unknown type."""

    def team_address(self, team: str) -> str | None:
        """Where an internal team is told."""

    def domain(self, domain: str) -> DomainRule:
        """How that domain's runs are taken."""

    def journeys(self) -> Mapping[str, JourneyRule]:
        """The journeys as they are ruled now, by name."""

    def known_place(self, place: str) -> str:
        """The place whose calendar is known: a region such as `DE-BY`, else its country, else nothing."""


class RuleBook(Rules, Protocol):
    """The site's rules as a whole."""

    @property
    def types(self) -> tuple[str, ...]:
        """The known document types."""

    @property
    def queues(self) -> Mapping[str, str]:
        """Document type by output queue of the composer."""

    @property
    def paper_queue(self) -> str:
        """The output queue that prints."""


class RunBook(Protocol):
    """Runs and what became of their records."""

    def get(self, domain: str, run_id: str) -> Run | None:
        """The run's record, read consistently."""

    def with_early(self, domain: str, run_id: str) -> tuple[Run | None, bool]:
        """The same, and whether early responses by document alone are kept in the domain; one call."""

    def keep_early(self, domain: str, until: datetime) -> None:
        """Remember that such responses are kept, until then or for longer."""

    def put(self, run: Run) -> bool:
        """Write where the stored version is one less; False if it is not."""

    def digests(self, domain: str, run_id: str) -> Iterator[DigestRow]:
        """What internal teams are to know of the run, as its slices said."""

    def put_slice(
        self, pointer: SlicePointer, outcomes: Sequence[RecordOutcome], digests: Sequence[DigestRow] = ()
    ) -> None:
        """What a slice's decision came to; written whole, again on a repeat."""

    def put_job(self, run: str, job: str, outcomes: Sequence[RecordOutcome]) -> None:
        """What a job, or another later look, came to; likewise."""

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """All that slices and jobs have said so far, the slices first."""

    def park(self, job: SendJob) -> None:
        """Put a held run's job aside."""

    def parked(self, domain: str, run_id: str) -> list[Parked]:
        """The jobs put aside, read consistently."""

    def unpark(self, parked: Sequence[Parked]) -> None:
        """Forget jobs that are queued again; one that was put aside anew meanwhile stays."""

    def arrived(self, domain: str, run_id: str, app: str, at: datetime) -> None:
        """Remember that a run came; again changes its application at most."""

    def arrivals(self, domain: str, since: datetime, until: datetime) -> list[Arrival]:
        """Runs that came from `since` to `until`; the domain's name without regard to case."""

    def came_late(self, domain: str, arrival: Arrival, expected: str) -> None:
        """Remember what a run met after its deadline (`ExpectedRun.name_at`), so that it meets no other."""

    def volumes(self, domain: str, app: str) -> list[int]:
        """Documents of the last runs of this kind, oldest first."""

    def add_volume(self, domain: str, app: str, run_id: str, documents: int) -> None:
        """Remember one more; the same run replaces itself."""


@dataclass(frozen=True, slots=True)
class DropObject:
    """A file in the drop bucket: path within the run's folder, size in bytes, ETag, when it was written
    (UTC, ISO 8601)."""

    name: str
    bytes: int
    etag: str
    modified: str = ""


class DropFolder(Protocol):
    """One run's folder in the drop bucket."""

    def seal(self) -> Seal | None:
        """The seal, if it is there; `Unusable` if it says nothing that can be used."""

    def list(self) -> dict[str, DropObject]:
        """What lies directly in the folder, by name, without output documents below it."""

    def files_below(self) -> Iterator[tuple[str, int]]:
        """Every file below the folder, by name, with its size in bytes: one listing, as a stream."""

    def head(self, name: str) -> DropObject | None:
        """One file, wherever below the folder."""

    def open(self, name: str) -> BinaryIO:
        """Its bytes as a stream."""


NO_CONFLICTS = Conflicts()


@dataclass(frozen=True, slots=True)
class StagedFile:
    """What one pass over an index found.

    `records` are the file's entries, as a seal counts them; `composed` the documents, rejected ones
    included, that they stand for. `rejected` counts by reason, `documents` by type, `teams` by
    internal team, then type. `documents_refused` are the first entries, by number in the file, that were
    rejected for the file that they name. `disagreements`: what the file itself states otherwise than was
    found. `left_out` counts unreadable values that records went on without, by field and reason.
    `unmapped` counts the customers' outputs in queues that no rule maps, by queue, the printing one's not.
    `conflicts` are those of the whole run, on the last of its files.
    """

    name: str
    bytes: int
    sha256: str
    records: int
    composed: int
    rejected: Mapping[str, int]
    documents: Mapping[str, int]
    teams: Mapping[str, Mapping[str, int]]
    customers: int | None = None
    customers_processed: int | None = None
    documents_refused: tuple[int, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    conflicts: Conflicts = NO_CONFLICTS
    unmapped: Mapping[str, int] = field(default_factory=dict)


class Staging(Protocol):
    """Reads indexes once, as streams, and keeps normalised records, rejects and slices."""

    def form(self, name: str) -> str | None:
        """The index form that a file's name tells (`native`, `json`, `csv`, ...), or None."""

    def is_message_file(self, name: str) -> bool:
        """Whether rules/messages.yaml says what a file is, other than an index."""

    def hash(self, folder: DropFolder, name: str) -> tuple[int, str]:
        """Size in bytes and SHA-256 of any other file."""

    def stage(
        self, folder: DropFolder, domain: str, run_id: str, parts: str, names: Sequence[str]
    ) -> list[StagedFile]:
        """Stage these indexes under the prefix `parts`; `Unusable` where one cannot be read."""

    def stage_record(
        self, domain: str, run_id: str, parts: str, record: Mapping[str, object]
    ) -> tuple[list[SlicePointer], StagedFile]:
        """The same for one record that came as an event."""

    def add_digests(
        self, domain: str, run_id: str, parts: str, digests: Mapping[str, Mapping[str, int]]
    ) -> None:
        """Keep the internal teams' counts as a slice of their own."""

    def keep_found(self, parts: str, found: Sequence[FoundFile]) -> None:
        """Keep how the run's files were when they were read."""

    def found(self, parts: str) -> dict[str, FoundFile]:
        """The same by name; empty for a run staged before they were kept."""

    def slices(self, domain: str, run_id: str, parts: str) -> Iterator[SlicePointer]:
        """Pointers to all that was staged."""


class DecideQueue(Protocol):
    """Where slices wait for a decision."""

    def send_slices(self, pointers: Iterable[SlicePointer], *, spread: float = 0.0) -> int:
        """Queue pointers, each delayed by up to `spread` seconds; the number queued."""


class SendQueues(Protocol):
    """Where jobs wait to be sent."""

    def send_jobs(self, jobs: Sequence[SendJob]) -> None:
        """Queue jobs, each on its own queue."""


class RunQueue(Protocol):
    """Where runs wait to be staged."""

    def send_runs(self, runs: Sequence[tuple[str, str]], trigger: str = "again") -> None:
        """Queue runs by domain and run id."""


class Evidence(Protocol):
    """Proof of what was about to be sent, kept beyond our own reach where the site locks it."""

    def write(self, job: str, lines: Sequence[EvidenceLine], shared: Mapping[str, Content]) -> list[str]:
        """Store the lines, and once each content that several share, by its name; a reference per line."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One attempt as prepared. `salt` keys the encryption of `body`, which is personal."""

    ref: str
    salt: str
    at: str
    body: Mapping[str, object]


class JobStore(Protocol):
    """Bulk jobs as they were posted."""

    def put(self, bulk_id: str, job: BulkJob, request: SentRequest) -> None:
        """Store before posting."""

    def get(self, bulk_id: str) -> tuple[tuple[str, ...], SentRequest] | None:
        """Members' refs and exact bytes, as stored."""


class Provider(Protocol):
    """One notification provider, one channel."""

    name: str
    deduplicates: bool
    supports_bulk: bool
    supports_headers: bool

    def request(self, message: Message) -> SentRequest | GiveUp:
        """The exact bytes that `send` would post, without credentials; or why it cannot be one."""

    def request_bulk(self, job: BulkJob) -> SentRequest | GiveUp:
        """The same for a bulk job."""

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """Post each in turn, tries included, lazily: taking the next answer sends the next request."""


@dataclass(frozen=True, slots=True)
class BulkRendering:
    """A bulk content and, per document, its inserts; None for one that has to go by itself."""

    content: Content
    inserts: tuple[tuple[str, ...] | None, ...]


class Wording(Protocol):
    """Words for a document, in its customer's language."""

    def language_of(self, wording: str, channel: Channel, document_language: str | None) -> str:
        """The language of a message: the document's where it is offered and has words for this wording and
        channel, else the site's default language."""

    def render(
        self,
        wording: str,
        channel: Channel,
        document: Document,
        *,
        link: str | None,
        preferences_link: str | None = None,
        language: str | None = None,
    ) -> Content:
        """The content of one message."""

    def render_digest(self, team: str, run_id: str, counts: Mapping[str, int]) -> Content:
        """The content of an internal team's digest of a run."""

    def bulk_key(self, document: Document) -> Hashable:
        """Documents with equal keys (and wording and language) can share one bulk content."""

    def render_bulk(
        self,
        wording: str,
        channel: Channel,
        documents: Sequence[Document],
        links: Sequence[str | None],
        language: str,
        *,
        preferences_links: Sequence[str | None] | None = None,
    ) -> BulkRendering:
        """One content with insert marks, and each document's inserts."""

    def version(self, wording: str, channel: Channel, language: str) -> str:
        """Which version of the words that is."""

    def approval(self, wording: str, channel: Channel, language: str) -> Approval | None:
        """Who approved that version; None if nobody did."""


class NoteWording(Protocol):
    """Words for short answers to a customer: codes, confirmations."""

    def render(self, note: str, channel: Channel, language: str | None, values: Mapping[str, str]) -> Content:
        """One note's content; WordingError where there are no such words."""

    def language_for(self, tag: str | None) -> str:
        """The language that a customer of that tag is told in."""

    def version(self, note: str, channel: Channel, language: str | None) -> str:
        """Which version of the words that is."""

    def approval(self, note: str, channel: Channel, language: str | None) -> Approval | None:
        """Who approved that version; None if nobody did."""


class NoticesOfCustomer(Ledger, Protocol):
    """The ledger, looked up by customer."""

    def of_customer(self, domain: str, customer_key: str) -> Sequence[Notice]:
        """A customer's notices, every recipient's, oldest first."""


class ContactScan(Protocol):
    """All contacts, a segment at a time."""

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        """Every contact of one of so many segments, in no order."""


@dataclass(frozen=True, slots=True)
class ExportTask:
    """One step of an export: sort a segment, or merge all."""

    export: str
    step: str
    segments: int
    segment: int = 0

    def to_message(self) -> dict[str, object]:
        """As it stands on the export queue."""
        return {
            "export": self.export,
            "step": self.step,
            "segments": self.segments,
            "segment": self.segment,
        }


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """A file of an export as it was written: its key, its size, its SHA-256."""

    name: str
    bytes: int
    sha256: str


class ExportFile(Protocol):
    """A file being written: there whole when it is finished, and not before."""

    def write(self, data: bytes) -> None:
        """Append."""

    def finish(self) -> FinishedFile:
        """Have it there."""

    def abort(self) -> None:
        """Leave nothing; harmless after `finish`."""


class ExportQueue(Protocol):
    """Where the steps of an export wait."""

    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        """Queue them."""


class ExportStore(Protocol):
    """Where exports lie."""

    def write_sorted(self, task: ExportTask, lines: Iterable[bytes]) -> int:
        """A segment's lines, sorted, whole or not at all; their number."""

    def sorted_segments(self, export: str) -> set[int]:
        """The segments that are there."""

    def read_sorted(self, export: str, segment: int) -> Iterator[bytes]:
        """A segment's lines, in order."""

    def write(self, domain: str, export: str, name: str) -> ExportFile:
        """A file of a domain's export."""

    def control(self, domain: str) -> Mapping[str, object] | None:
        """What the domain's last export was."""

    def put_control(self, domain: str, control: Mapping[str, object]) -> None:
        """Make this the domain's export."""

    def rows(self, domain: str, control: Mapping[str, object] | None) -> Iterator[bytes]:
        """That export's lines, in order."""

    def exported_domains(self) -> Sequence[str]:
        """Domains that were ever exported."""

    def expire(self, domain: str, kept: int) -> None:
        """Delete the files of the domain's exports but for the newest `kept`, and the one that stands."""


class ExceptionBus(Protocol):
    """Where exceptions are told."""

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """Put them on the bus; empty is fine."""

    def run_arrived(self, domain: str, run_id: str) -> None:
        """Tell that a run came, whatever becomes of it; again when it was taken and holds itself."""

    def run_dispatched(self, domain: str, run_id: str) -> None:
        """Tell that a run was dispatched: it may make good what another one left out."""

    def preferences_changed(self, details: Sequence[Mapping[str, object]]) -> None:
        """Tell others what of customers' preferences changed here (domain/portal_news.py)."""

    def file_read(self, read: FileRead) -> None:
        """Tell that a file of the composer was read to its end."""


class ReceiptBus(ExceptionBus, Protocol):
    """Where what receipts say is told."""

    def alerts_reported(self, receipts: Sequence[AlertReceipt]) -> None:
        """Tell what providers report of our own alerts; empty is fine."""


# --- exceptions and alerts --------------------------------------------------------------------------


class MessageFiles(Protocol):
    """The composer's files beside an index."""

    def kind(self, name: str) -> str | None:
        """`messages`, `xml_messages`, `exceptions`, `deliveries`, `summary`, `started`
        (an index), or None."""

    def speaks(self, name: str) -> bool:
        """Whether it is one of them where documents lie, too: below a run's folder."""

    def read(self, stream: BinaryIO, name: str, kind: str, grouped: Grouped) -> Iterator[Group]:
        """Read it to its end into `grouped`; each group when its first message is met. `Unusable`."""

    def summary(self, stream: BinaryIO, name: str) -> RunSummary | None:
        """What a run summary says, None for an empty one. `Unusable` where nothing in it is known."""


class AlertRules(Protocol):
    """Who is told of what."""

    def route(self, exception: ExceptionRaised, severity: Severity | None = None) -> AlertRule:
        """The rule of an exception, with what `severity` (the incident's) brings."""

    def telling(self, team: str, urgency: Urgency) -> tuple[tuple[str, ...], ...]:
        """A team's channels."""

    def storm(self, team: str) -> StormRule:
        """How many alerts a team gets one by one."""

    @property
    def daily(self) -> DailyRule:
        """When daily lists are told."""

    @property
    def alert_teams(self) -> Sequence[str]:
        """Every team that an alert may go to, each once."""

    def shows_samples(self, team: str) -> bool:
        """Whether masked texts may be shown to a team."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words and names that may be shown."""

    @property
    def rerun_chars(self) -> int:
        """How long one switch of customers may grow."""


class RunCalendar(Protocol):
    """The runs that the calendar expects, and its days off."""

    @property
    def expected_runs(self) -> tuple[ExpectedRun, ...]:
        """Those that can be met."""

    @property
    def refused_expectations(self) -> tuple[str, ...]:
        """Why others are refused, a sentence each."""

    def is_day_off(self, holidays: Holidays, day: date) -> bool:
        """Whether a day is a weekend day or a holiday."""


class Incidents(Protocol):
    """Where incidents are kept."""

    def record(self, incident_id: str, exception: ExceptionRaised, at: str) -> bool:
        """Store one report of an incident; the same code and part replaces itself. False if what is stored
        was said later (`said_at`; without one, `at` counts)."""

    def head(self, incident_id: str) -> Head | None:
        """An incident's own state, read consistently."""

    def reports(self, incident_id: str) -> list[Report]:
        """All that was reported, read consistently."""

    def save(self, head: Head) -> bool:
        """Write where the stored version is one less; False if it is not."""

    def open_in(self, domain: str) -> list[str]:
        """Incidents of a domain that are not resolved."""

    def bookmark(self, key: str) -> Bookmark:
        """What is current under a key, read consistently; an empty one of version 0 where nothing is."""

    def save_bookmark(self, mark: Bookmark) -> bool:
        """Write where the stored version is one less; False if it is not."""


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """What became of an alert on one channel, or of a probe.

    `why` has neither address nor token in it. `wait` is the seconds that a channel which `waits` asks for;
    `page` is the page that a pager made or closed of it (domain/pager.py).
    """

    outcome: Outcome
    why: str = ""
    wait: float = 0.0
    page: str = ""


class AlertChannels(Protocol):
    """The ways to a team."""

    def tell(self, channel: str, team: str, alert: Alert) -> ChannelAnswer:
        """Hand the alert over, tries included; never raises."""

    def tell_page(self, page: str, action: Action, incident_id: str) -> ChannelAnswer:
        """Tell a page that somebody has it or that it is over; `absent` where its service is not known any
        more. Never raises."""

    def last_resort(self, alert: Alert, why: str) -> None:
        """Nobody could be told, or nobody answers: what the alarm outside of all this watches."""


class ChannelWays(AlertChannels, Protocol):
    """The same as they are set up, without what is known of them."""

    def tell(
        self, channel: str, team: str, alert: Alert, patience: float = 0.0, *, failing: bool = False
    ) -> ChannelAnswer:
        """See `AlertChannels.tell`; `patience`: seconds it may wait for a service that asks to. One that is
        `failing` has less time than another: the next one waits behind it."""

    def address(self, channel: str, team: str) -> str:
        """The fingerprint of where the channel leads; empty where it is not set up."""

    def probe(self, channel: str, team: str) -> ChannelAnswer:
        """Ask whether the channel is there, without a message; `absent` where nothing harmless tells."""


class ChannelBook(Protocol):
    """What is known of the channels of all teams."""

    def states(self) -> Mapping[tuple[str, str], ChannelState]:
        """By team and channel, read consistently."""

    def save(self, state: ChannelState) -> None:
        """Store one; the last one wins."""


class LookQueue(Protocol):
    """Where what waited for its time is looked at."""

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        """Queue kinds and names."""


@dataclass(frozen=True, slots=True)
class CohortState:
    """A cohort that is not done. `generation` is that of its last execution, 0 before the first."""

    cohort: Cohort
    generation: int
    started: bool


class JourneyBook(Protocol):
    """Who is in which cohort, which cohorts need an execution, who was put aside, and rules as pinned."""

    def enrol(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """Write rows (again: no change), then note that the cohort needs an execution."""

    def cohorts(self, until: datetime) -> list[CohortState]:
        """All that are due by then and not done, earliest first."""

    def started(self, cohort: Cohort, generation: int) -> None:
        """Note that an execution of that generation waits for it; nothing if it is done meanwhile."""

    def members(self, cohort: Cohort, limit: int) -> list[MemberRow]:
        """Up to so many of its rows, read consistently."""

    def leave(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """Forget rows whose step is done."""

    def reopen(self, cohort: Cohort, generation: int) -> None:
        """Note that it needs a further execution."""

    def finish(self, cohort: Cohort, generation: int) -> None:
        """Note that it is done, unless rows came meanwhile: then it needs a further execution."""

    def park(self, under: str, cohort: Cohort, row: MemberRow, until: datetime | None = None) -> None:
        """Put a row aside: `under` a notice id, or a run; forgotten some time after `until`."""

    def parked(self, under: str) -> list[tuple[Cohort, MemberRow]]:
        """What lies aside there."""

    def unpark(self, under: str, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """Forget what lies aside."""

    def gather(self, cohort: Cohort, customer: str, rows: Sequence[MemberRow]) -> None:
        """Keep rows of one member each under their customer, beside those there (again: no change)."""

    def gathered(self, cohort: Cohort, limit: int) -> dict[str, list[MemberRow]]:
        """What was gathered, whole, of up to so many customers."""

    def scatter(self, cohort: Cohort, customers: Collection[str]) -> None:
        """Forget what was gathered of these customers."""

    def stop_run(self, run: str, word: Mapping[str, str]) -> None:
        """Add an operator's word about a run's journeys: `what` (stop or resume), `at`, `who`, `why`."""

    def run_words(self, run: str) -> list[Mapping[str, str]]:
        """All words about a run, oldest first."""

    def switch(self, journey: str, word: Mapping[str, str]) -> None:
        """Add an operator's word about a whole journey, with the fields of a word about a run."""

    def switched(self, journey: str) -> list[Mapping[str, str]]:
        """All words about a journey, oldest first."""

    def keep_rule(self, rule: JourneyRule) -> None:
        """Keep a rule as it is, by its version."""

    def rule(self, name: str, version: str) -> JourneyRule | None:
        """A rule as it was kept."""


class Executions(Protocol):
    """The state machine's executions."""

    def start(self, cohort: Cohort, generation: int) -> bool:
        """Start one; False if the name is taken, running or not."""

    def runs(self, cohort: Cohort, generation: int) -> bool:
        """Whether that one is running."""


class CustomerNotices(Protocol):
    """All that a customer was told."""

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """A customer's notices, every recipient's, oldest first."""


class JourneyEvents(Protocol):
    """Where the end of journeys is told."""

    def unanswered(self, details: Sequence[Mapping[str, object]]) -> None:
        """Put `Journey Unanswered` events on the bus; empty is fine."""


# --- receipts ---------------------------------------------------------------------------------------


class ReceiptEvidence(Protocol):
    """Receipts and the heads of the chains they led to, kept beyond our own reach where the site locks it."""

    def reference(self) -> str:
        """A name for what is about to be written; events name it before it is there."""

    def anchor(self, reference: str, rows: Sequence[Mapping[str, object]], *, again: bool = False) -> None:
        """Write the rows under that name. `again`: only if nothing is there yet."""


class EarlyReceipts(Protocol):
    """Receipts for notices that the ledger does not know, until they match or are given up."""

    def keep(self, receipts: Sequence[Receipt], now: datetime) -> None:
        """Keep them; one that is kept already stays as it is."""

    def waiting(self, limit: int) -> list[tuple[Receipt, datetime]]:
        """Those kept and since when, oldest first."""

    def forget(self, receipts: Sequence[Receipt]) -> None:
        """They matched."""

    def give_up(self, receipts: Sequence[Receipt]) -> None:
        """They never matched: no longer waiting, and still to be found for a time."""


class Reputation(Protocol):
    """Counts by sender and hour, and which channels' marketing is stopped."""

    def add(self, channel: Channel, sender: str, at: datetime, counts: Mapping[str, int]) -> None:
        """Add to the hour of `at`."""

    def last_day(self, now: datetime) -> dict[tuple[Channel, str], dict[str, int]]:
        """What 24 hours came to, by channel and sender."""

    def count_unproven(self, at: datetime, number: int) -> int:
        """Add what mails claim and do not prove to the hour of `at`; how much it has then."""

    def stopped(self) -> dict[Channel, str]:
        """Channels whose marketing is stopped, and why."""

    def stop(self, channels: Mapping[Channel, str]) -> None:
        """Replace what is stopped."""


class DeliveryWatch(Protocol):
    """Sends whose receipts are waited for."""

    def add(self, watched: Watched) -> None:
        """Look at these sends at their time; the same job again replaces itself."""

    def due(self, now: datetime, limit: int) -> list[Watched]:
        """Those to look at by now."""

    def done(self, watched: Watched) -> None:
        """Nothing of it is left to look at."""


class StatusSource(Protocol):
    """A provider whose status can be asked for."""

    def receipts_of(self, channel: Channel, job_ids: Collection[str]) -> tuple[list[Receipt], list[str]]:
        """The receipts of these jobs, and the jobs that the provider does not know any more."""
