"""OpenText Notifications: submitting, status, and the token endpoint.

What its public API description leaves open, and is decided here: refusals are JSON with `error.code` and
`error.message`; unknown fields are refused; a refused address fails a job with one destination, and its
own delivery in a job with more; a repeated `message_id` returns the first job (`deduplicates`).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from wsgiref.types import WSGIEnvironment

from .base import Simulator
from .behaviours import Conduct, behaviour_of, first_unusual
from .faults import Faults
from .opentext_accounts import Accounts
from .opentext_documents import JobHead, status_document
from .opentext_schema import Destination, Invalid, Submission, check
from .receipts import Sink
from .store import Channel, MessageStore, SimulatedMessage, pack
from .timeline import TIMELINES
from .wire import Reply, Request, json_reply

_CHANNELS: Mapping[str, Channel] = {"/mra/v1/outbound/sms": "sms", "/mra/v1/outbound/emails": "email"}
_JOBS_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class _Job:
    head: JobHead
    messages: tuple[SimulatedMessage, ...]
    refused: tuple[tuple[str, str], ...]


class OpenTextSimulator(Simulator):
    """`POST /mra/v1/outbound/{sms,emails}`, `GET …/status?job_id=`, `POST …/oauth2/token`.

    `accounts` maps users and client ids to their secrets; None takes everybody with any. `sender` is
    the account's own address, which a request cannot set.
    """

    name = "opentext"

    def __init__(
        self,
        store: MessageStore,
        faults: Faults,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        hold: float = 30.0,
        sink: Sink | None = None,
        accounts: Mapping[str, str] | None = None,
        deduplicates: bool = True,
        token_lifetime: float = 3600.0,
        sender: str = "notifications@example.com",
    ) -> None:
        super().__init__(store, faults, now, hold, sink)
        self.accounts = Accounts(accounts, token_lifetime, now)
        self.deduplicates = deduplicates
        self.sender = sender
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._by_message_id: OrderedDict[str, str] = OrderedDict()
        self._number = int(now().timestamp())
        self._accepting = threading.Lock()

    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether the path is one of this provider's."""
        path: str = environ.get("PATH_INFO", "")
        return path.startswith("/mra/") or path.endswith("/oauth2/token")

    def answer(self, request: Request) -> Reply:
        """Submitting, status or token."""
        if self.faults.of(self.name).down:
            return self.unavailable()
        if request.path.endswith("/oauth2/token"):
            return self.accounts.token(request)
        if not self.accounts.admits(request):
            return _error(401, "unauthorized", "credentials", ("WWW-Authenticate", 'Basic realm="mra"'))
        base = request.path.rstrip("/").removesuffix("/status")
        channel = _CHANNELS.get(base)
        if channel is None:
            return _error(404, "not_found", "no such resource")
        wanted = "POST" if base == request.path else "GET"
        if request.method != wanted:
            return _error(405, "method_not_allowed", f"{wanted} only", ("Allow", wanted))
        return self._submit(channel, request) if wanted == "POST" else self._status(channel, request)

    def throttled(self) -> Reply:
        """429 with Retry-After."""
        return _error(429, "too_many_requests", "slow down", ("Retry-After", "2"))

    def unavailable(self) -> Reply:
        """503 with Retry-After."""
        return _error(503, "unavailable", "come back later", ("Retry-After", "60"))

    def broken(self) -> Reply:
        """500."""
        return _error(500, "internal", "something broke")

    def refused(self) -> Reply:
        """400 about a destination."""
        return _error(400, "invalid_destination", "destinations[0]: cannot be delivered to")

    def _submit(self, channel: Channel, request: Request) -> Reply:
        if request.content_type != "application/json":
            return _error(415, "unsupported_media_type", "application/json only")
        fault = self.strike(request.body)
        if fault is Conduct.THROTTLE:
            return self.throttled()
        try:
            submission = check(channel, request.json())
        except Invalid as error:
            return _error(400, "invalid_request", str(error))
        except ValueError:
            return _error(400, "invalid_request", "not JSON in UTF-8")
        with self._accepting:
            known = self._first_job(submission)
        if known:
            return json_reply(200, {"job_id": known})
        conducts = [behaviour_of(destination.to).conduct for destination in submission.destinations]
        if len(conducts) > 1:
            conducts = [conduct for conduct in conducts if conduct is not Conduct.REFUSE]
        conduct = fault or first_unusual(conducts)
        key = submission.destinations[0].ref
        return self.perform(conduct, key, lambda: self._accept(submission, request.body))

    def _first_job(self, submission: Submission) -> str | None:
        return self._by_message_id.get(submission.message_id) if self.deduplicates else None

    def _accept(self, submission: Submission, body: bytes) -> Reply:
        with self._accepting:
            if known := self._first_job(submission):
                return json_reply(200, {"job_id": known})
            self._number += 1
            job_id = f"xsi2-{self._number}"
            if submission.message_id:
                self._by_message_id[submission.message_id] = job_id
        several = len(submission.destinations) > 1
        messages, refused = [], []
        for number, destination in enumerate(submission.destinations, start=1):
            if several and behaviour_of(destination.to).conduct is Conduct.REFUSE:
                refused.append((destination.ref, destination.given))
            else:
                messages.append(self._keep(submission, destination, job_id, number, body))
        reference, code = submission.customer_reference, submission.billing_code
        head = JobHead(job_id, submission.channel, self.now(), reference, code)
        with self._accepting:
            self._jobs[job_id] = _Job(head, tuple(messages), tuple(refused))
            for kept in (self._jobs, self._by_message_id):
                while len(kept) > _JOBS_KEPT:
                    kept.popitem(last=False)
        return json_reply(200, {"job_id": job_id})

    def _keep(
        self, submission: Submission, destination: Destination, job_id: str, number: int, body: bytes
    ) -> SimulatedMessage:
        return self.keep(
            channel=submission.channel,
            to=destination.to,
            sender=self.sender if submission.channel == "email" else "OpenText",
            sender_name=submission.from_display_name,
            subject=destination.filled(submission.subject),
            text=destination.filled(submission.text),
            packed_html=pack(destination.filled(submission.html)),
            ref=destination.ref,
            job_id=job_id,
            message_id=f"{job_id}-{number}",
            request=body,
            members=len(submission.destinations),
            details=(
                ("customer_reference", submission.customer_reference),
                ("billing_code", submission.billing_code),
                ("address_given", destination.given),
            ),
        )

    def _status(self, channel: Channel, request: Request) -> Reply:
        job_ids = request.query.get("job_id", [])
        if len(job_ids) != 1 or not job_ids[0]:
            return _error(400, "invalid_request", "job_id: exactly one")
        with self._accepting:
            job = self._jobs.get(job_ids[0])
        if job is None or job.head.channel != channel:
            return _error(404, "not_found", "no such job")
        now = self.now()
        deliveries = []
        for message in job.messages:
            timeline = TIMELINES[behaviour_of(message.to).fate]
            steps = {(m.step, message.sent_at + timedelta(seconds=m.happened)) for m in timeline}
            deliveries.append((message, sorted((s for s in steps if s[1] <= now), key=lambda s: s[1])))
        return json_reply(200, status_document(job.head, deliveries, job.refused))


def _error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Reply:
    return json_reply(status, {"error": {"code": code, "message": message}}, *headers)
