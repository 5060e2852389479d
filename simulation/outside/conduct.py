"""How a provider meets a request: one table, drawn by kind.

`accepts` is the truth that the product cannot see: whether the message is on its way. What the three columns
say is all that the product gets. No row breaks a promise of the protocols: 429, 4xx and a 503 with
Retry-After mean "not processed", and a connection that did not come up carried nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn, TypeVar

from ..nature import Nature
from ..service import Refused
from .exchange import Broken, Reply

T = TypeVar("T")

Accepts = Literal["no", "yes", "late"]
Wait = Literal["", "connect", "read", "write"]
"""For which of the client's time-outs the caller waits."""

LATE: Final = (15.0, 3600.0)
"""Seconds after the request when a message is accepted late: the caller has gone by then."""

TRICKLE: Final = (20.0, 600.0)
"""Seconds that an answer takes which comes byte by byte: each within the time-out for reading."""


@dataclass(frozen=True, slots=True)
class Status:
    """An answer over HTTP. The body is `json`: as of an accepted message; anything else as it is."""

    status: int
    body: str = '{"error":{"code":"error","message":"see the status"}}'
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Error:
    """An exception of the client, and the time-out for which it waits."""

    name: str
    wait: Wait = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """An error answer of an AWS service."""

    code: str
    status: int = 400
    text: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Conduct:
    """One row. A column that is None: this provider has no such conduct."""

    kind: str
    accepts: Accepts
    http: Status | Error | None
    ses: Code | Error | None
    sms: Code | Error | None

    def tells(self, column: str) -> bool:
        """Whether the caller can know from it that the message was not accepted."""
        found: Status | Code | Error | None = getattr(self, column)
        if self.accepts != "no" or found is None:
            return False
        if isinstance(found, Error):
            return found.name in _NEVER_CONNECTED
        again = isinstance(found, Status) and "retry-after" in found.headers
        return (found.status < 500 and found.status >= 400) or again or found == _DOWN


def _same(kind: str, accepts: Accepts, http: Status | Error, aws: Code | Error) -> Conduct:
    return Conduct(kind, accepts, http, aws, aws)


def _again(status: int, seconds: str) -> Status:
    return Status(status, headers={"retry-after": seconds})


_NEVER_CONNECTED: Final = frozenset(
    {"ConnectError", "ConnectTimeout", "EndpointConnectionError", "ConnectTimeoutError", "SSLError"}
)
_HTML: Final = "<html><body>ok</body></html>"
_NO_NAME: Final = Error("ConnectError", text="name resolution failed")
_NO_TLS: Final = Error("ConnectError", text="TLS handshake failed")

_UNREACHABLE: Final = Error("ConnectTimeoutError", "connect")
_RESET: Final = Error("ConnectionClosedError", text="closed before a valid response was received")
_READ: Final = Error("ReadTimeoutError", "read")
_UNREADABLE: Final = Error("ResponseParserError", text="Unable to parse response")
_DOWN: Final = Code("ServiceUnavailable", 503, "temporary failure of the server")

_SES_RATE: Final = Code("TooManyRequestsException", 429, "Maximum sending rate exceeded.")
_SES_QUOTA: Final = Code("TooManyRequestsException", 429, "Daily message quota exceeded.")
_SES_INTERNAL: Final = Code("InternalFailure", 500, "unknown error")
_SES_EXPIRED: Final = Code("ExpiredTokenException", 403)
_SES_CONTENT: Final = Code("MessageRejected", 400, "invalid content")
_SES_LONG: Final = Code("BadRequestException", 400, "Message length is more than allowed")

_SMS_RATE: Final = Code("ThrottlingException", 400, "Rate exceeded")
_SMS_QUOTA: Final = Code("ServiceQuotaExceededException", 402, reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT")
_SMS_INTERNAL: Final = Code("InternalServerException", 500, "unexpected error")
_SMS_UNKNOWN: Final = Code("UnrecognizedClientException", 400)
_SMS_DISABLED: Final = Code("AccessDeniedException", 400, reason="ACCOUNT_DISABLED")
_SMS_CONTENT: Final = Code("ValidationException", 400, "MessageBody is invalid", "FIELD_VALIDATION_FAILED")
_SMS_LONG: Final = Code("ValidationException", 400, reason="MAXIMUM_SIZE_EXCEEDED")

# fmt: off
CONDUCTS: Final[Sequence[Conduct]] = (
    # The connection never came up.
    _same("provider_dns", "no", _NO_NAME, Error("EndpointConnectionError")),
    _same("provider_tls", "no", _NO_TLS, Error("SSLError", text="CERTIFICATE_VERIFY_FAILED")),
    _same("provider_unreachable", "no", Error("ConnectTimeout", "connect"), _UNREACHABLE),
    # Refused for now.
    Conduct("provider_throttled", "no", _again(429, "2"), _SES_RATE, _SMS_RATE),
    Conduct("provider_throttled_long", "no", _again(429, "900"), _SES_QUOTA, _SMS_QUOTA),
    _same("provider_throttled_bare", "no", Status(429), Code("429", 429)),
    _same("provider_away", "no", _again(503, "60"), _DOWN),
    # Failed, at a point that is not told.
    _same("provider_503", "no", Status(503, "down"), Code("503", 503)),
    _same("provider_503_accepted", "yes", Status(503, "down"), Code("503", 503)),
    Conduct("provider_500", "no", Status(500), _SES_INTERNAL, _SMS_INTERNAL),
    Conduct("provider_500_accepted", "yes", Status(500), _SES_INTERNAL, _SMS_INTERNAL),
    _same("provider_502", "no", Status(502, _HTML), Code("502", 502)),
    _same("provider_502_accepted", "yes", Status(502, _HTML), Code("502", 502)),
    _same("provider_504_accepted", "yes", Status(504, _HTML), Code("504", 504)),
    _same("provider_504_late", "late", Status(504, _HTML), Code("504", 504)),
    Conduct("provider_conflict", "yes", Status(409), None, None),
    # No answer.
    _same("provider_hangs", "no", Error("ReadTimeout", "read"), _READ),
    _same("provider_hangs_accepted", "yes", Error("ReadTimeout", "read"), _READ),
    _same("provider_hangs_late", "late", Error("ReadTimeout", "read"), _READ),
    _same("provider_reset", "no", Error("WriteError", text="broken pipe"), _RESET),
    _same("provider_reset_accepted", "yes", Error("ReadError", text="connection reset by peer"), _RESET),
    _same("provider_reset_late", "late", Error("ReadError", text="connection reset by peer"), _RESET),
    Conduct("provider_write_hangs", "no", Error("WriteTimeout", "write"), None, None),
    # An answer that says nothing.
    _same("provider_half", "yes", Error("RemoteProtocolError", text="incomplete message body"), _UNREADABLE),
    _same("provider_garbage", "yes", Status(200, _HTML), _UNREADABLE),
    Conduct("provider_garbage_void", "no", Status(200, _HTML), None, None),
    Conduct("provider_error_body", "no", Status(200), None, None),
    Conduct("provider_error_body_accepted", "yes", Status(200), None, None),
    Conduct("provider_trickles", "yes", Status(200, "json"), None, None),
    # The account is refused, not the message.
    Conduct("provider_credentials", "no", Status(401), _SES_EXPIRED, _SMS_UNKNOWN),
    Conduct("provider_account", "no", Status(403), Code("SendingPausedException"), _SMS_DISABLED),
    # The message is.
    Conduct("provider_content", "no", Status(422), _SES_CONTENT, _SMS_CONTENT),
    Conduct("provider_too_large", "no", Status(413), _SES_LONG, _SMS_LONG),
)
# fmt: on

_ROWS: Final = {row.kind: row for row in CONDUCTS}
_KINDS: Final = {
    column: tuple(row.kind for row in CONDUCTS if getattr(row, column) is not None)
    for column in ("http", "ses", "sms")
}

ADDRESS_REFUSED: Final = "address_refused"
"""A fault of an address, not of a request: it meets every message to it, by any of its providers."""


@dataclass(slots=True)
class Spell:
    """A time in which a provider behaves badly: the share of requests that meet a kind of conduct."""

    provider: str
    kind: str
    share: float
    until: float


class Weather:
    """Draws how a provider meets a request: by the history's rates, and by spells of bad weather."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature
        self._spells: list[Spell] = []

    def spell(self, provider: str, kind: str, share: float, until: float) -> None:
        """Have a provider (`opentext`, `ses`, `sms`, `slack` …) behave badly until a moment."""
        if kind not in _ROWS:
            raise ValueError(f"no conduct is called {kind!r}")
        self._spells.append(Spell(provider, kind, share, until))

    def meet(
        self, provider: str, column: str, accept: Callable[[str, str], T]
    ) -> tuple[Conduct | None, T | None]:
        """How the request under way is met, and what `accept` gave, if it was accepted at once.

        `accept` gets the request's place, and `ok` or the kind of conduct that hides the acceptance. It may
        be called later, when the caller has gone.
        """
        row, place, nature = self.conduct(provider, column), self._nature.place, self._nature
        if row is None:
            return None, accept(place, "ok")
        if row.accepts == "yes":
            return row, accept(place, row.kind)
        if row.accepts == "late":
            wait = nature.chance.uniform(f"late {place}", *LATE)
            nature.timeline.after(wait, lambda: ignore(accept(place, row.kind)))
        return row, None

    def conduct(self, provider: str, column: str) -> Conduct | None:
        """How the request under way is met; None: as it should be."""
        now, chance, place = self._nature.timeline.now, self._nature.chance, self._nature.place
        kinds: Iterable[str] = _KINDS[column]
        rates = chance.rates
        if self._spells:
            self._spells = [spell for spell in self._spells if spell.until > now]
            now_more = {s.kind: s.share for s in self._spells if s.provider == provider and s.kind in kinds}
            kinds, rates = [*now_more, *(kind for kind in kinds if kind not in now_more)], rates | now_more
        found = chance.which(kinds, place, rates)
        return _ROWS[found] if found else None


def ignore(_: object) -> None:
    """Whatever it is: nobody waits for it."""


def reply_or_break(row: Conduct, nature: Nature, timeouts: Mapping[str, float | None], good: bytes) -> Reply:
    """What the caller gets over HTTP; `good` is the body of the answer as it should be. Broken."""
    if isinstance(row.http, Error):
        seconds = timeouts.get(row.http.wait) if row.http.wait else 0.05
        # Without a time-out the caller waits until the connection is given up by something between.
        raise Broken(row.http.name, 900.0 if seconds is None else seconds, row.http.text)
    if row.http is None:
        raise AssertionError(f"{row.kind} is no conduct over HTTP")
    seconds = (
        nature.chance.uniform(f"trickle {nature.place}", *TRICKLE) if row.kind == "provider_trickles" else 0.0
    )
    body = good if row.http.body == "json" else row.http.body.encode()
    kind = "text/html" if row.http.body == _HTML else "application/json"
    return Reply(row.http.status, body, {"content-type": kind, **row.http.headers}, seconds)


def refuse_or_break(row: Conduct, column: str, read: float = 10.0, connect: float = 3.0) -> NoReturn:
    """Raise what the caller of an AWS service gets, Refused or Broken. Time-outs as in `send_config`."""
    found: Code | Error | None = getattr(row, column)
    if isinstance(found, Error):
        seconds = {"read": read, "connect": connect}.get(found.wait, 0.05)
        raise Broken(found.name, seconds, found.text)
    if found is None:
        raise AssertionError(f"{row.kind} is no conduct of {column}")
    if found.reason:
        raise Refused(found.code, found.text, found.status, Reason=found.reason)
    raise Refused(found.code, found.text, found.status)
