"""Ports that read from a deployment and keep what is written to themselves: for a plan.

The use cases run on these as the functions do, so a plan is made by the code that later acts; the
deployment itself stays as it is.
"""

import hashlib
import io
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from exstream_notify.domain.channels import AlertReceipt
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.due import WaitKind
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead
from exstream_notify.domain.expectations import Arrival
from exstream_notify.domain.incidents import SO_FAR
from exstream_notify.domain.notices import Notice
from exstream_notify.domain.payments import Debt
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse
from exstream_notify.domain.runs import DigestRow, RecordOutcome, Run, Seal
from exstream_notify.domain.work import Parked, SendJob, SlicePointer
from exstream_notify.ports import (
    Clock,
    ContactBook,
    DropFolder,
    DropObject,
    EarlyResponses,
    ResponseLedger,
    RunBook,
)

if TYPE_CHECKING:
    from .dropping import PreparedRun

_SINGLE_PART = 8 * 1024 * 1024
"""Bytes up to which an upload is one part, whose ETag is its MD5."""


class PlannedClock:
    """A clock that can be put ahead, to see the end of a wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._clock.now() + self._ahead

    def machine_time(self) -> float:
        """See `Clock.machine_time`."""
        return self._clock.machine_time()

    def put_ahead(self, by: timedelta) -> None:
        """From now on it shows so much more."""
        self._ahead += by

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`; a plan waits for nothing."""

    def random_id(self) -> str:
        """See `Clock.random_id`."""
        return self._clock.random_id()


class PlannedFolder:
    """`DropFolder` as it would be after the drop: the prepared run over what lies there already."""

    def __init__(self, run: "PreparedRun", there: DropFolder) -> None:
        self._run = run
        self._there = there
        self._files = {file.name: file for file in run.files}

    def seal(self) -> Seal | None:
        """See `DropFolder.seal`."""
        if self._run.seal is None:
            return self._there.seal()
        from exstream_notify.adapters.s3 import SEAL_LIMIT
        from exstream_notify.adapters.seal import parse_seal

        return parse_seal(self._run.seal, self._run.domain, self._run.run_id, limit=SEAL_LIMIT)

    def list(self) -> dict[str, DropObject]:
        """See `DropFolder.list`."""
        own = {name: self._object(name) for name in self._files if "/" not in name}
        return {**self._there.list(), **own}

    def files_below(self) -> Iterator[tuple[str, int]]:
        """See `DropFolder.files_below`."""
        yield from ((file.name, file.bytes) for file in self._run.files)
        yield from (found for found in self._there.files_below() if found[0] not in self._files)

    def head(self, name: str) -> DropObject | None:
        """See `DropFolder.head`."""
        return self._object(name) if name in self._files else self._there.head(name)

    def open(self, name: str) -> BinaryIO:
        """See `DropFolder.open`."""
        return self._files[name].path.open("rb") if name in self._files else self._there.open(name)

    def _object(self, name: str) -> DropObject:
        file = self._files[name]
        etag = "planned"
        if file.bytes < _SINGLE_PART:
            etag = hashlib.md5(file.path.read_bytes(), usedforsecurity=False).hexdigest()
        return DropObject(name, file.bytes, etag)


class PlannedBucket:
    """The work bucket's client: what a plan writes goes to a folder that is removed with the plan."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._folder = tempfile.TemporaryDirectory(prefix="exnotify-plan-")
        self._paths: dict[str, Path] = {}
        self.exceptions = client.exceptions

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was written."""
        self._folder.cleanup()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> dict[str, Any]:  # noqa: N803 - S3's names
        """Keep an object here."""
        path = self._paths.setdefault(Key, Path(self._folder.name) / str(len(self._paths)))
        path.write_bytes(Body)
        return {}

    def get_object(self, *, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:  # noqa: N803
        """An object from here, else from the deployment."""
        if Key not in self._paths:
            span = {"Range": Range} if Range else {}
            found: dict[str, Any] = self._client.get_object(Bucket=Bucket, Key=Key, **span)
            return found
        with self._paths[Key].open("rb") as stream:
            if Range is None:
                return {"Body": io.BytesIO(stream.read())}
            first, _, last = Range.removeprefix("bytes=").partition("-")
            stream.seek(int(first))
            return {"Body": io.BytesIO(stream.read(int(last) - int(first) + 1))}

    def keys(self, prefix: str) -> list[str]:
        """Keys of what was written here, in order."""
        return sorted(key for key in self._paths if key.startswith(prefix))


class PlannedRuns:
    """`RunBook` over the deployment's."""

    def __init__(self, there: RunBook) -> None:
        self._there = there
        self._runs: dict[str, Run] = {}
        self._words: list[RecordOutcome] = []
        self._digests: list[DigestRow] = []
        self._early = False

    def get(self, domain: str, run_id: str) -> Run | None:
        """See `RunBook.get`."""
        return self._runs.get(f"{domain}/{run_id}") or self._there.get(domain, run_id)

    def with_early(self, domain: str, run_id: str) -> tuple[Run | None, bool]:
        """See `RunBook.with_early`."""
        there, early = self._there.with_early(domain, run_id)
        return self._runs.get(f"{domain}/{run_id}") or there, early or self._early

    def keep_early(self, domain: str, until: datetime) -> None:
        """See `RunBook.keep_early`."""
        self._early = True

    def put(self, run: Run) -> bool:
        """See `RunBook.put`; nobody else writes here."""
        self._runs[run.name] = run
        return True

    def digests(self, domain: str, run_id: str) -> Iterator[DigestRow]:
        """See `RunBook.digests`."""
        return iter(self._digests)

    def put_slice(
        self, pointer: SlicePointer, outcomes: Sequence[RecordOutcome], digests: Sequence[DigestRow] = ()
    ) -> None:
        """See `RunBook.put_slice`."""
        self._digests += digests
        self._words += outcomes

    def put_job(self, run: str, job: str, outcomes: Sequence[RecordOutcome]) -> None:
        """See `RunBook.put_job`; words on another run (superseded there) are not this one's."""
        if run in self._runs:
            self._words += outcomes

    def outcomes(self, domain: str, run_id: str) -> Iterator[RecordOutcome]:
        """See `RunBook.outcomes`."""
        yield from self._there.outcomes(domain, run_id)
        yield from self._words

    def arrived(self, domain: str, run_id: str, app: str, at: datetime) -> None:
        """See `RunBook.arrived`."""

    def came_late(self, domain: str, arrival: Arrival, expected: str) -> None:
        """See `RunBook.came_late`."""

    def arrivals(self, domain: str, since: datetime, until: datetime) -> list[Arrival]:
        """See `RunBook.arrivals`."""
        return []

    def park(self, job: SendJob) -> None:
        """See `RunBook.park`."""

    def parked(self, domain: str, run_id: str) -> list[Parked]:
        """See `RunBook.parked`."""
        return self._there.parked(domain, run_id)

    def unpark(self, parked: Sequence[Parked]) -> None:
        """See `RunBook.unpark`."""

    def volumes(self, domain: str, app: str) -> list[int]:
        """See `RunBook.volumes`."""
        return self._there.volumes(domain, app)

    def add_volume(self, domain: str, app: str, run_id: str, documents: int) -> None:
        """See `RunBook.add_volume`."""


class PlannedEarly:
    """`EarlyResponses` over the deployment's."""

    def __init__(self, there: EarlyResponses) -> None:
        self._there = there
        self._own: dict[tuple[str, str], EarlyResponse] = {}

    def keep(self, domain: str, subject: str, response: EarlyResponse, until: datetime) -> None:
        """See `EarlyResponses.keep`."""
        self._own[domain, subject] = response

    def keep_payment(self, domain: str, subject: str, payment: EarlyPayment, until: datetime) -> bool:
        """See `EarlyResponses.keep_payment`: nobody pays meanwhile, but another account may have before."""
        kept = self._kept(domain, subject)
        self._own[domain, subject] = replace(kept, payments=(*kept.payments, payment))
        return True

    def register(self, domain: str, subject: str, debt: Debt) -> None:
        """See `EarlyResponses.register`."""
        kept = self._kept(domain, subject)
        self._own[domain, subject] = replace(kept, debts=(*kept.debts, debt))

    def _kept(self, domain: str, subject: str) -> EarlyResponse:
        return self.on(domain, {subject}).get(subject) or EarlyResponse("paid", "", "")

    def on(self, domain: str, subjects: Collection[str]) -> dict[str, EarlyResponse]:
        """See `EarlyResponses.on`."""
        own = {s: self._own[domain, s] for s in subjects if (domain, s) in self._own}
        return {**self._there.on(domain, subjects), **own}


class PlannedContacts:
    """`ContactBook` over the deployment's."""

    def __init__(self, there: ContactBook) -> None:
        self._there = there
        self._own: dict[tuple[str, str], Contact] = {}

    def get(self, domain: str, contact_keys: Collection[str]) -> dict[str, Contact]:
        """See `ContactBook.get`."""
        own = {key: self._own[domain, key] for key in contact_keys if (domain, key) in self._own}
        rest = [key for key in contact_keys if key not in own]
        return {**(self._there.get(domain, rest) if rest else {}), **own}

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        """See `ContactBook.put`."""
        self._own |= {(contact.domain, contact.contact_key): contact for contact in contacts}
        return []


class PlannedLedger:
    """`ResponseLedger` over the deployment's, which is asked for each notice once."""

    def __init__(self, there: ResponseLedger) -> None:
        self._there = there
        self._own: dict[str, Notice] = {}
        self._seen: dict[str, Notice | None] = {}

    def get(self, notice_ids: Collection[str]) -> dict[str, Notice]:
        """See `Ledger.get`."""
        rest = [key for key in notice_ids if key not in self._own and key not in self._seen]
        if rest:
            found = self._there.get(rest)
            self._seen |= {key: found.get(key) for key in rest}
        known = {key: self._own.get(key) or self._seen.get(key) for key in notice_ids}
        return {key: notice for key, notice in known.items() if notice is not None}

    def of_customer(self, domain: str, customer_key: str) -> list[Notice]:
        """See `ResponseLedger.of_customer`."""
        return self._with_own(
            self._there.of_customer(domain, customer_key),
            lambda n: (n.domain, n.customer_key) == (domain, customer_key),
        )

    def of_document(self, domain: str, document_id: str) -> list[Notice]:
        """See `ResponseLedger.of_document`."""
        return self._with_own(
            self._there.of_document(domain, document_id),
            lambda n: (n.domain, n.document_id, n.audience) == (domain, document_id, "customer"),
        )

    def of_case(self, domain: str, case_id: str) -> list[Notice]:
        """See `ResponseLedger.of_case`."""
        return self._with_own(
            self._there.of_case(domain, case_id), lambda n: (n.domain, n.case_id) == (domain, case_id)
        )

    def _with_own(self, there: list[Notice], matches: Callable[[Notice], bool]) -> list[Notice]:
        found = {n.notice_id: n for n in there} | {k: n for k, n in self._own.items() if matches(n)}
        return sorted(found.values(), key=lambda n: (n.created_at, n.notice_id))

    def put(self, notices: Sequence[Notice]) -> dict[str, Notice]:
        """See `Ledger.put`."""
        stored = self.get([notice.notice_id for notice in notices])
        blocked: dict[str, Notice] = {}
        for notice in notices:
            known = stored.get(notice.notice_id)
            if (known.version if known else 0) == notice.version - 1:
                self._own[notice.notice_id] = notice
            elif known is not None:
                blocked[notice.notice_id] = known
        return blocked

    def written(self, notice_ids: Collection[str]) -> list[Notice]:
        """Those of these notices that the plan wrote, as they stand now."""
        return [self._own[key] for key in notice_ids if key in self._own]


class PlannedQueues:
    """The queues and the bus: what would lie on them."""

    def __init__(self) -> None:
        self.pointers: list[SlicePointer] = []
        self.jobs: list[SendJob] = []
        self.exceptions: list[ExceptionRaised] = []
        self.waits_until: datetime | None = None

    def send_slices(self, pointers: Iterable[SlicePointer], *, spread: float = 0.0) -> int:
        """See `DecideQueue.send_slices`."""
        before = len(self.pointers)
        self.pointers += pointers
        return len(self.pointers) - before

    def send_jobs(self, jobs: Sequence[SendJob]) -> None:
        """See `SendQueues.send_jobs`."""
        self.jobs += jobs

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`."""
        # What was told of a message file before its end, its whole report replaces.
        self.exceptions += (e for e in exceptions if not e.part.endswith(SO_FAR))

    def run_arrived(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_arrived`."""

    def preferences_changed(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `ExceptionBus.preferences_changed`."""

    def file_read(self, read: FileRead) -> None:
        """See `ExceptionBus.file_read`."""

    def alerts_reported(self, receipts: Sequence[AlertReceipt]) -> None:
        """See `ExceptionBus.alerts_reported`."""

    def run_dispatched(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_dispatched`."""

    def wait(self, kind: WaitKind, name: str, until: datetime, *, keep: bool = False) -> None:
        """See `DueIndex.wait`."""

    def waiting(self, ids: Collection[str]) -> list[tuple[str, WaitKind, str]]:
        """See `DueIndex.waiting`."""
        return []

    def wait_for_run(self, domain: str, run_id: str, until: datetime) -> None:
        """See `DueIndex.wait_for_run`."""
        self.waits_until = until

    def wait_for_look(self, name: str, pointer: SlicePointer, until: datetime) -> str:
        """See `DueIndex.wait_for_look`."""
        return name

    def looks_due(self, ids: Collection[str]) -> list[tuple[str, SlicePointer]]:
        """See `DueIndex.looks_due`."""
        return []

    def due(self, since: datetime, until: datetime) -> Iterator[str]:
        """See `DueIndex.due`."""
        return iter(())

    def runs_due(self, ids: Collection[str]) -> list[tuple[str, str, str]]:
        """See `DueIndex.runs_due`."""
        return []

    def forget(self, ids: Collection[str], until: datetime) -> None:
        """See `DueIndex.forget`."""

    def watermark(self) -> datetime | None:
        """See `DueIndex.watermark`."""
        return None

    def set_watermark(self, at: datetime) -> None:
        """See `DueIndex.set_watermark`."""
