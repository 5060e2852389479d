"""Sending as a plan does it: the use case itself, on a provider that takes everything and posts nothing.

What a plan says of a record is then what the run does: the same words, the same refusals, the same next
channel. Only what a provider answers is not known beforehand; a plan takes it to accept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from exstream_notify.domain.breaker import Breaker
from exstream_notify.domain.messages import Accepted, Answer, BulkJob, Content, GiveUp, Message, SentRequest
from exstream_notify.domain.notices import REACHED
from exstream_notify.domain.watching import Watched
from exstream_notify.domain.work import SendJob
from exstream_notify.ports import EvidenceLine, Provider
from exstream_notify.use_cases.decide_notices import team_of
from exstream_notify.use_cases.send_notices import InProgress, send_notices

from .overlay import PlannedClock, PlannedContacts, PlannedEarly, PlannedLedger, PlannedQueues, PlannedRuns

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.adapters.s3 import S3Records

_TOKEN = "x" * 30  # as long as a link's
_PLENTY = 1e6
"""Messages a second, and seconds: a plan is not paced."""


class PlannedSends:
    """Sends jobs on paper, and keeps who would be notified on which channels."""

    def __init__(
        self,
        app: "Bootstrap",
        records: "S3Records",
        contacts: PlannedContacts,
        ledger: PlannedLedger,
        runs: PlannedRuns,
        queues: PlannedQueues,
        clock: PlannedClock,
        early: PlannedEarly,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._ports = {
            "records": records,
            "contacts": contacts,
            "ledger": ledger,
            "runs": runs,
            "decide_queue": queues,
            "send_queues": queues,
            "evidence": PlannedEvidence(),
            "jobs": PlannedJobs(),
            "watch": PlannedWatch(),
            "exceptions": queues,
            "clock": clock,
            "early": early,
            "hasher": lambda channel, canonical: "planned",
            "link_for": lambda notice_id: f"{app.site}/d/{_TOKEN}",
            "preferences_for": lambda salt: f"{app.site}/p/{_TOKEN}",
            "unsubscribe_for": lambda salt, topic: f"{app.site}/u/{_TOKEN}",
            "rate": _PLENTY,
            # Who would join a journey does not change what this run sends.
            "journeys": None,
        }
        self.channels: dict[int, list[str]] = {}
        self.team_copies: dict[str, int] = {}

    def send(self, job: SendJob) -> None:
        """What sending this job comes to; what has to be decided again is put on the queues."""
        members = {member.notice_id: member for member in job.members}
        self._ledger.get(members)  # asked for once, not for each batch
        ports = {**self._app.send_ports(job.provider, job.channel), **self._ports}
        ports["provider"] = PlannedProvider(ports["provider"])
        with suppress(InProgress):  # a worker of the deployment is about to send it: in flight, as it is
            send_notices(job, **ports, breaker=Breaker(), time_left=lambda: _PLENTY)
        for notice in self._ledger.written(members):
            member = members[notice.notice_id]
            attempt = notice.attempt(member.attempt)
            if attempt is None or attempt.status not in REACHED:
                continue
            if (team := team_of(member.audience)) is not None:
                self.team_copies[team] = self.team_copies.get(team, 0) + 1
            else:
                self.channels.setdefault(member.position, []).append(job.channel)


class PlannedProvider:
    """`Provider` that makes the requests of the real one, and takes each of them."""

    deduplicates = False

    def __init__(self, real: Provider) -> None:
        self._real = real
        self.name = real.name
        self.supports_bulk = real.supports_bulk
        self.supports_headers = real.supports_headers

    def request(self, message: Message) -> SentRequest | GiveUp:
        """See `Provider.request`."""
        return self._real.request(message)

    def request_bulk(self, job: BulkJob) -> SentRequest | GiveUp:
        """See `Provider.request_bulk`."""
        return self._real.request_bulk(job)

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """See `Provider.send`; nothing is posted."""
        return iter([Accepted("planned") for _ in requests])


class PlannedEvidence:
    """`Evidence` that writes nothing."""

    def write(self, job: str, lines: Sequence[EvidenceLine], shared: Mapping[str, Content]) -> list[str]:
        """See `Evidence.write`."""
        return ["planned"] * len(lines)


class PlannedJobs:
    """`JobStore` that keeps nothing."""

    def put(self, bulk_id: str, job: BulkJob, request: SentRequest) -> None:
        """See `JobStore.put`."""

    def get(self, bulk_id: str) -> tuple[tuple[str, ...], SentRequest] | None:
        """See `JobStore.get`."""
        return None


class PlannedWatch:
    """`DeliveryWatch` that waits for no receipt."""

    def add(self, watched: Watched) -> None:
        """See `DeliveryWatch.add`."""

    def due(self, now: datetime, limit: int) -> list[Watched]:
        """See `DeliveryWatch.due`."""
        return []

    def done(self, watched: Watched) -> None:
        """See `DeliveryWatch.done`."""
