"""What the use cases need of the outside world, in batches."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from .domain.approvals import Approval
from .domain.contacts import Address, Contact
from .domain.documents import Channel, Document, DocumentRule
from .domain.exceptions import ExceptionRaised
from .domain.messages import Answer, BulkJob, Content, GiveUp, Message, SentRequest
from .domain.notices import Notice
from .domain.runs import DomainRule, RecordOutcome, Run, Seal
from .domain.work import SendJob, SlicePointer


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


class DueIndex(Protocol):
    """What lies under a due time."""

    def due(self, since: datetime, until: datetime) -> Iterator[str]:
        """Ids of all that is due by `until`, looking back to `since`."""

    def wait_for_run(self, domain: str, run_id: str, until: datetime) -> None:
        """Have the run staged again at `until`; a later call replaces the earlier."""

    def runs_due(self, ids: Collection[str]) -> list[tuple[str, str, str]]:
        """Of these ids those of waiting runs: id, domain, run id."""

    def forget(self, ids: Collection[str], until: datetime) -> None:
        """Drop waiting runs that were due by `until`; one that waits anew by now stays."""

    def watermark(self) -> datetime | None:
        """Up to when everything due was handed on."""

    def set_watermark(self, at: datetime) -> None:
        """Remember it."""


class ContactBook(Protocol):
    """The contacts."""

    def get(self, domain: str, customer_keys: Collection[str]) -> dict[str, Contact]:
        """Known contacts by customer key."""

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """Write where the stored version is one less; return the keys of those that were not."""


class SuppressionList(Protocol):
    """Addresses that must get nothing, by keyed hash."""

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """Of these canonical addresses those that are suppressed now."""


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


class Records(Protocol):
    """Staged records."""

    def read(self, pointer: SlicePointer) -> list[tuple[int, Document]]:
        """The slice's documents with their positions in the run."""

    def read_digests(self, pointer: SlicePointer) -> list[tuple[int, str, Mapping[str, int]]]:
        """The slice's team digests: position, team, documents by type."""


class Rules(Protocol):
    """The site's rules."""

    def for_document(self, document: Document) -> DocumentRule:
        """The rule of its type, and of its account's status; KeyError for an unknown type."""

    def of_type(self, document_type: str) -> DocumentRule:
        """The rule of a type, whatever the account; KeyError for an unknown type."""

    def team_address(self, team: str) -> str | None:
        """Where an internal team is told."""

    def domain(self, domain: str) -> DomainRule:
        """How that domain's runs are taken."""


class RunBook(Protocol):
    """Runs and what became of their records."""

    def get(self, domain: str, run_id: str) -> Run | None:
        """The run's record, read consistently."""

    def put(self, run: Run) -> bool:
        """Write where the stored version is one less; False if it is not."""

    def put_slice(self, pointer: SlicePointer, outcomes: Sequence[RecordOutcome]) -> None:
        """What a slice's decision came to; written whole, again on a repeat."""

    def put_job(self, run: str, job: str, outcomes: Sequence[RecordOutcome]) -> None:
        """What a job, or another later look, came to; likewise."""

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """All that slices and jobs have said so far, the slices first."""

    def park(self, job: SendJob) -> None:
        """Put a held run's job aside."""

    def parked(self, domain: str, run_id: str) -> list[SendJob]:
        """The jobs put aside."""

    def unpark(self, jobs: Sequence[SendJob]) -> None:
        """Forget jobs that were put aside and are queued again."""

    def volumes(self, domain: str, app: str) -> list[int]:
        """Documents of the last runs of this kind, oldest first."""

    def add_volume(self, domain: str, app: str, run_id: str, documents: int) -> None:
        """Remember one more; the same run replaces itself."""


@dataclass(frozen=True, slots=True)
class DropObject:
    """A file in the drop bucket: path within the run's folder, size in bytes, ETag."""

    name: str
    bytes: int
    etag: str


class DropFolder(Protocol):
    """One run's folder in the drop bucket."""

    def seal(self) -> Seal | None:
        """The seal, if it is there; `Unusable` if it says nothing that can be used."""

    def list(self) -> dict[str, DropObject]:
        """What lies directly in the folder, by name, without output documents below it."""

    def head(self, name: str) -> DropObject | None:
        """One file, wherever below the folder."""

    def open(self, name: str) -> BinaryIO:
        """Its bytes as a stream."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """What one pass over an index found.

    `records` are the file's entries, as a seal counts them; `composed` the documents, rejected ones
    included, that they stand for. `rejected` counts by reason, `documents` by type, `teams` by
    internal team, then type.
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


class Staging(Protocol):
    """Reads indexes once, as streams, and keeps normalised records, rejects and slices."""

    def form(self, name: str) -> str | None:
        """The index form that a file's name tells (`native`, `json`, `csv`, ...), or None."""

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

    def send_runs(self, runs: Sequence[tuple[str, str]]) -> None:
        """Queue runs by domain and run id."""


class Evidence(Protocol):
    """Proof of what was about to be sent, kept beyond our own reach where the site locks it."""

    def write(self, job: str, lines: Sequence["EvidenceLine"], shared: Mapping[str, Content]) -> list[str]:
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

    def language_for(self, document_language: str | None) -> str:
        """The language that will be used."""

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
    ) -> BulkRendering:
        """One content with insert marks, and each document's inserts."""

    def version(self, wording: str, channel: Channel, language: str) -> str:
        """Which version of the words that is."""

    def approval(self, wording: str, channel: Channel, language: str) -> Approval | None:
        """Who approved that version; None if nobody did."""


class ExceptionBus(Protocol):
    """Where exceptions are told."""

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """Put them on the bus; empty is fine."""
