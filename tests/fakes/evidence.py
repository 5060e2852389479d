"""The evidence and the bulk jobs as posted, in memory."""

from collections.abc import Mapping, Sequence

from exstream_notify.domain.messages import BulkJob, Content, SentRequest
from exstream_notify.ports import EvidenceLine


class FakeEvidence:
    """`Evidence`: nothing is ever written over; each write has references of its own."""

    def __init__(self) -> None:
        self.lines: dict[str, EvidenceLine] = {}
        self.shared: dict[str, Content] = {}
        self._writes = 0

    def write(self, job: str, lines: Sequence[EvidenceLine], shared: Mapping[str, Content]) -> list[str]:
        """See `Evidence.write`."""
        self._writes += 1
        self.shared.update(shared)
        references = [f"{job}/{self._writes}#{number}" for number in range(len(lines))]
        self.lines.update(zip(references, lines, strict=True))
        return references


class FakeJobs:
    """`JobStore`."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[tuple[str, ...], SentRequest]] = {}

    def put(self, bulk_id: str, job: BulkJob, request: SentRequest) -> None:
        """See `JobStore.put`."""
        self.stored[bulk_id] = (tuple(member.ref for member in job.members), request)

    def get(self, bulk_id: str) -> tuple[tuple[str, ...], SentRequest] | None:
        """See `JobStore.get`."""
        return self.stored.get(bulk_id)
