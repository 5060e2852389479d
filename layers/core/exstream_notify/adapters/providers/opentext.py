"""OpenText Notifications (SMS & Email Notifications for Cloud Messaging), REST, through httpx."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ...domain.documents import Channel
from ...domain.messages import Accepted, Answer, BulkJob, GiveUp, Message, SentRequest
from .connections import IDLE, IdleConnections
from .credentials import CredentialsSource
from .errors import exception_codes, later, read_table, status_codes
from .opentext_answers import TABLE
from .opentext_auth import Authorisation, Basic, NotAuthorised, OAuth2
from .opentext_request import PATHS, OpenTextForm, bulk_body, single_body
from .opentext_status import JobStatus, StatusUnreadable, decode_status

if TYPE_CHECKING:
    import httpx

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_JOB_ID_MAX = 200
_RETRY_AFTER_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect; to write, and to read, one piece; to wait for a free connection of ours."""

    connect: float = 3.0
    read: float = 10.0
    write: float = 5.0
    pool: float = 3.0


@dataclass(frozen=True, slots=True)
class OpenTextSettings:
    """Where the service is and how it is spoken to.

    `url` is the base address. Without `token_url` it is HTTP Basic. `deduplicates` says that on this
    account a repeated `message_id` was seen to return the first job: only then is one sent.
    `insecure` allows plain HTTP to other hosts than this one: for an emulator in a container only.
    """

    url: str
    token_url: str = ""
    scope: str = ""
    deduplicates: bool = False
    form: OpenTextForm = field(default_factory=OpenTextForm)
    timeouts: Timeouts = field(default_factory=Timeouts)
    connections: int = 20
    insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse addresses that would send credentials in the clear, or nowhere; ValueError."""
        for url in filter(None, (self.url, self.token_url)):
            parts = urlsplit(url)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
                raise ValueError("the address of OpenText is https://host, without user or query")
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not self.insecure:
                raise ValueError("credentials go over https, except to this machine")


@dataclass(frozen=True, slots=True)
class StatusUnavailable:
    """A job's status could not be had; `missing` if the service does not know the job (any more)."""

    job_id: str
    reason: str
    missing: bool = False


class OpenText:
    """The provider `opentext`: both channels, one by one and in bulk. Safe under threads.

    At least the time of `timeouts` can pass in one `send`, twice with a refused token. Idle
    connections are dropped before the service drops them (see `connections`).
    """

    name: str = "opentext"
    supports_bulk: bool = True
    supports_headers: bool = False

    def __init__(
        self,
        settings: OpenTextSettings,
        credentials: CredentialsSource,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._base = settings.url.rstrip("/")
        self._urls: dict[str, Channel] = {self._base + path: channel for channel, path in PATHS.items()}
        self._now = now
        self._authorisation: Authorisation = (
            OAuth2(settings.token_url, credentials, now, scope=settings.scope)
            if settings.token_url
            else Basic(credentials)
        )
        self.deduplicates: bool = settings.deduplicates
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._connections = IdleConnections(self.close, now)

    def __repr__(self) -> str:
        return f"OpenText(url={self._base!r}, authorisation={self._authorisation!r})"

    def request(self, message: Message) -> SentRequest:
        """The job for one message; MessageRefused if it cannot be one."""
        body = single_body(message, self._settings.form, self.deduplicates)
        return self._request(message.channel, message.ref, body)

    def request_bulk(self, job: BulkJob) -> SentRequest:
        """The job for many; MessageRefused if it cannot be one."""
        return self._request(job.channel, job.job_id, bulk_body(job, self._settings.form, self.deduplicates))

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """Post each in turn; taking the next answer sends the next request."""
        for request in requests:
            yield self._send(request)

    def status(self, channel: Channel, job_ids: Iterable[str]) -> Iterator[JobStatus | StatusUnavailable]:
        """Ask for each job in turn. The service forgets completed jobs after 3 to 7 days."""
        import httpx

        for job_id in job_ids:
            url = f"{self._base}{PATHS[channel]}/status?job_id={quote(job_id, safe='')}"
            try:
                answer = self._exchange("GET", url, b"", {"Accept": "application/json"})
            except NotAuthorised as error:
                yield StatusUnavailable(job_id, error.code)
                continue
            except httpx.HTTPError as error:
                yield StatusUnavailable(job_id, type(error).__name__)
                continue
            if answer.status_code != 200:
                reason = status_codes(answer.status_code)[0]
                yield StatusUnavailable(job_id, reason, missing=answer.status_code in (404, 410))
                continue
            try:
                yield decode_status(answer.content)
            except StatusUnreadable as error:
                yield StatusUnavailable(job_id, str(error))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _request(self, channel: Channel, reference: str, body: bytes) -> SentRequest:
        headers = (
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("X-MRA-SubmitId", reference),
        )
        return SentRequest(self._base + PATHS[channel], body, headers)

    def _send(self, request: SentRequest) -> Answer:
        if request.url not in self._urls:
            # A stored request is only posted where this provider posts: credentials go nowhere else.
            return GiveUp("address_of_service_wrong")
        try:
            answer = self._exchange("POST", request.url, request.body, dict(request.headers))
        except NotAuthorised as error:
            return read_table(TABLE, [error.code])
        except Exception as error:
            # Also what is no httpx.HTTPError: the message may be out, so there has to be an answer.
            return read_table(TABLE, exception_codes(error))
        if answer.is_success:
            job_id = _job_id(answer.content)
            return Accepted(job_id) if job_id else read_table(TABLE, ["answer_without_job"])
        retry_after = self._retry_after(answer.headers.get("retry-after"))
        detail = "" if retry_after is None else "retry-after"
        return later(read_table(TABLE, status_codes(answer.status_code), detail), retry_after)

    def _exchange(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """One request, and once more with fresh credentials if they were refused (so not processed)."""
        with self._connections.exchange():
            client = self._connected()
            for last in (False, True):
                header = self._authorisation.header(client)
                answer = client.request(
                    method, url, content=body or None, headers={**headers, "Authorization": header}
                )
                if answer.status_code != 401 or last:
                    break
                self._authorisation.refused(header)
        return answer

    def _connected(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                import httpx

                t = self._settings.timeouts
                connections = self._settings.connections
                self._client = httpx.Client(
                    http2=False,
                    follow_redirects=False,
                    trust_env=urlsplit(self._base).hostname not in _LOOPBACK,
                    timeout=httpx.Timeout(connect=t.connect, read=t.read, write=t.write, pool=t.pool),
                    limits=httpx.Limits(
                        max_connections=connections,
                        max_keepalive_connections=connections,
                        keepalive_expiry=IDLE,
                    ),
                    headers={"User-Agent": "exstream-notify", "Accept-Encoding": "identity"},
                )
            return self._client

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds from a Retry-After header: a number or a date (RFC 9110, 10.2.3); an hour at most."""
        if not value:
            return None
        if value.isascii() and value.isdigit():
            seconds = float(value[:9])
        else:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - self._now()
            except (ValueError, OverflowError):
                return None
        return min(max(seconds, 0.0), _RETRY_AFTER_MAX)


def _job_id(body: bytes) -> str:
    try:
        job_id = json.loads(body)["job_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return job_id if isinstance(job_id, str) and 0 < len(job_id.strip()) <= _JOB_ID_MAX else ""
