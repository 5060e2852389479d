"""OpenText Notifications: token, outbound calls, status. What it takes and says is the simulator's own code.

Beyond the simulator of `exnotify up`: acceptance that comes late, jobs and message ids that are forgotten
after 3 to 7 days, and conduct by the history's chance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from exnotify.simulators.opentext_accounts import Accounts
from exnotify.simulators.opentext_documents import JobHead, status_document
from exnotify.simulators.opentext_schema import Destination, Invalid, Submission, check
from exnotify.simulators.timeline import Step
from exnotify.simulators.wire import Reply as WireReply
from exnotify.simulators.wire import Request as WireRequest

from .accepted import Accepted, Channel, Ledger, Repeated
from .conduct import ADDRESS_REFUSED, Weather, reply_or_break
from .exchange import Reply, Request
from .fates import Fates
from .forms import opentext_form

_CHANNELS: Final[Mapping[str, Channel]] = {"/mra/v1/outbound/sms": "sms", "/mra/v1/outbound/emails": "email"}
_DAY: Final = 86_400.0
Document: TypeAlias = dict[str, Any]
FORGETS: Final = (3 * _DAY, 7 * _DAY)
"""Seconds after which a job, and its message id, are forgotten."""

TOKENS_END: Final = "provider_tokens_end"
"""Conduct of the identity service: all its tokens end at once."""


@dataclass(frozen=True, slots=True)
class _Job:
    head: JobHead
    messages: tuple[Accepted, ...]
    refused: tuple[tuple[str, str], ...]
    forgotten_at: float


class OpenText:
    """The provider `opentext` over HTTP. `deduplicates`: a repeated `message_id` returns the first job.

    `accounts` maps users and client ids to their secrets, and may change at any time; None takes everybody.
    """

    sender = "notifications@example.com"

    def __init__(
        self,
        ledger: Ledger,
        weather: Weather,
        fates: Fates,
        *,
        deduplicates: bool,
        accounts: Mapping[str, str] | None = None,
    ) -> None:
        self.deduplicates = deduplicates
        self._ledger = ledger
        self._weather = weather
        self._fates = fates
        self._nature = ledger.nature
        self._jobs: dict[str, _Job] = {}
        self._by_message_id: dict[str, str] = {}
        self._issued = 0
        self.on_refused: Callable[[Document, str], None] = lambda document, job_id: None
        """What pushes that some destinations of a job were refused."""

        self.accounts = Accounts(accounts, 3600.0, self._now, self._token)

    def matches(self, path: str) -> bool:
        """Whether a path is one of this provider's."""
        return path.startswith("/mra/") or path.endswith("/oauth2/token")

    def answer(self, request: Request) -> Reply:
        """The answer to any request whose path matches. Raises Broken."""
        parts = urlsplit(request.url)
        if self._nature.fault(TOKENS_END):
            self.accounts.expire()
        if parts.path.endswith("/oauth2/token"):
            return self._met(request, lambda: _plain(self.accounts.token(_wire(request))))
        if not self.accounts.admits(_wire(request)):
            return _error(401, "unauthorized", "credentials")
        channel = _CHANNELS.get(parts.path.rstrip("/").removesuffix("/status"))
        if channel is None:
            return _error(404, "not_found", "no such resource")
        if request.method == "GET" and parts.path.endswith("/status"):
            job_id = parse_qs(parts.query).get("job_id", [""])[0]
            return self._met(request, lambda: self._status(channel, job_id))
        if request.method != "POST" or parts.path.endswith("/status"):
            return _error(405, "method_not_allowed", "POST to submit, GET for the status")
        return self._submit(channel, request)

    def _met(self, request: Request, answer: Callable[[], Reply]) -> Reply:
        """A request that accepts nothing: its answer, or how the provider behaves instead."""
        row = self._weather.conduct("opentext", "http")
        if row is None:
            return answer()
        # Whatever is behind it: only an answer that comes byte by byte is the true one.
        good = answer().body if row.kind == "provider_trickles" else b"{}"
        return reply_or_break(row, self._nature, request.timeouts, good)

    def _submit(self, channel: Channel, request: Request) -> Reply:
        try:
            submission = check(channel, json.loads(request.body))
        except Invalid as error:
            return _error(400, "invalid_request", str(error))
        except ValueError:
            return _error(400, "invalid_request", "not JSON in UTF-8")
        if self._refuses_all(submission):
            self._decline(submission, ADDRESS_REFUSED, told=True)
            return _error(400, "invalid_destination", "destinations[0]: cannot be delivered to")
        row, job_id = self._weather.meet(
            "opentext", "http", lambda place, answered: self._accept(submission, place, answered)
        )
        good = {"job_id": job_id}
        if row is None:
            return _json(good)
        if row.accepts == "no":
            self._decline(submission, row.kind, told=row.tells("http"))
        return reply_or_break(row, self._nature, request.timeouts, json.dumps(good).encode())

    def _refuses_all(self, submission: Submission) -> bool:
        only = submission.destinations[0]
        return len(submission.destinations) == 1 and self._refuses(only.to) and not self._known(submission)

    def _known(self, submission: Submission) -> str:
        """The job that a repeated message id names, or nothing."""
        return self._by_message_id.get(submission.message_id, "") if self.deduplicates else ""

    def _decline(self, submission: Submission, kind: str, *, told: bool) -> None:
        for to in submission.destinations:
            self._ledger.decline("opentext", submission.channel, to.ref, to.to, kind, told=told)

    def _accept(self, submission: Submission, place: str, answered: str) -> str:
        if known := self._known(submission):
            self._ledger.repeats.append(Repeated(self._nature.timeline.now, known, answered, place))
            return known
        first = submission.destinations[0]
        name = self._ledger.named("opentext", f"job {first.ref}", first.to)
        job_id = f"xsi2-{self._nature.chance.below(f'job {name}', 10**10):010}"
        messages, refused = [], []
        for number, destination in enumerate(submission.destinations, start=1):
            if len(submission.destinations) > 1 and self._refuses(destination.to):
                refused.append((destination.ref, destination.given))
                self._ledger.decline(
                    "opentext",
                    submission.channel,
                    destination.ref,
                    destination.to,
                    ADDRESS_REFUSED,
                    told=False,
                )
            else:
                messages.append(
                    self._message(submission, destination, f"{job_id}-{number}", job_id, place, answered)
                )
        reference, code = submission.customer_reference, submission.billing_code
        kept = self._nature.chance.uniform(f"kept {name}", *FORGETS)
        head = JobHead(job_id, submission.channel, self._now(), reference, code)
        forgotten_at = self._nature.timeline.now + kept
        taken = tuple(map(self._ledger.take, messages))
        self._jobs[job_id] = _Job(head, taken, tuple(refused), forgotten_at)
        if refused:
            self._refused_after(job_id)
        if submission.message_id:
            self._by_message_id[submission.message_id] = job_id
        self._nature.timeline.at(forgotten_at, lambda: self._forget(job_id, submission.message_id))
        return job_id

    def _refused_after(self, job_id: str) -> None:
        """Some destinations are refused: the job's status says so, a little later."""
        job = self._jobs[job_id]
        document = status_document(job.head, [], job.refused)
        self._nature.timeline.after(2.0, lambda: self.on_refused(document, job_id))

    def _message(
        self,
        asked: Submission,
        to: Destination,
        message_id: str,
        job_id: str,
        place: str,
        answered: str,
    ) -> Accepted:
        return Accepted(
            number=0,
            name=self._ledger.named("opentext", to.ref, to.to),
            at=self._nature.timeline.now,
            provider="opentext",
            channel=asked.channel,
            to=to.to,
            ref=to.ref,
            subject=to.filled(asked.subject),
            text=to.filled(asked.text),
            html=to.filled(asked.html),
            sender=self.sender if asked.channel == "email" else "OpenText",
            sender_name=asked.from_display_name,
            job_id=job_id,
            message_id=message_id,
            members=len(asked.destinations),
            details=(
                ("customer_reference", asked.customer_reference),
                ("billing_code", asked.billing_code),
                ("address_given", to.given),
                ("deduplication_id", asked.message_id),
            ),
            place=place,
            answered=answered,
        )

    def _forget(self, job_id: str, message_id: str) -> None:
        self._jobs.pop(job_id, None)
        if self._by_message_id.get(message_id) == job_id:
            del self._by_message_id[message_id]

    def _refuses(self, address: str) -> bool:
        return self._nature.chance.happens(ADDRESS_REFUSED, f"opentext {address}")

    def _status(self, channel: Channel, job_id: str) -> Reply:
        job = self._jobs.get(job_id)
        if job is None or job.head.channel != channel:
            return _error(404, "not_found", "no such job")
        now = self._nature.timeline.now
        for message in job.messages:
            self._ledger.report_all(now, message, self._fates.of(message).moments, now, "status")
        return _json(self.document(job.messages, job.head, job.refused))

    def document(
        self,
        messages: tuple[Accepted, ...],
        head: JobHead | None = None,
        refused: tuple[tuple[str, str], ...] = (),
        until: float | None = None,
    ) -> Document:
        """The status document of messages of one job: what had happened by a moment, by default now."""
        now = self._nature.timeline.now if until is None else until
        deliveries = []
        for message in messages:
            happened: list[tuple[Step, datetime]] = [
                (moment.step, datetime.fromtimestamp(at, UTC))
                for moment in self._fates.of(message).moments
                if (at := message.at + moment.happened) <= now
            ]
            deliveries.append((message.simulated(), sorted(happened, key=lambda row: row[1])))
        found = status_document(head or JobHead.of(messages[0].simulated()), deliveries, refused)
        for message, row in zip(messages, found["deliveries"], strict=False):
            opentext_form(row, message, self._nature.chance)
            opened = self._fates.of(message).opened
            if opened is not None and message.channel == "email" and message.at + opened <= now:
                told = {"event_time": datetime.fromtimestamp(message.at + opened, UTC).isoformat()}
                row["events"]["email_delivery_events"]["html_open"].append(told)
        return found

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._nature.timeline.now, UTC)

    def _token(self) -> str:
        self._issued += 1
        return f"token-{self._ledger.identity(f'token {self._issued}', 32)}"


def _wire(request: Request) -> WireRequest:
    """The request as the simulator's own parts read it."""
    parts = urlsplit(request.url)
    environ = {
        "HTTP_AUTHORIZATION": request.headers.get("authorization", ""),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
    }
    return WireRequest(request.method, parts.path, parse_qs(parts.query), environ, request.body)


def _plain(reply: WireReply) -> Reply:
    return Reply(reply.status, reply.body, {"content-type": reply.content_type, **dict(reply.headers)})


def _json(document: object) -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), {"content-type": "application/json"})


def _error(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Reply(status, body, {"content-type": "application/json"})
