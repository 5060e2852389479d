"""API Gateway's HTTP API: routes to functions, payload format 2.0, throttled as its stage says.

An address of its own, as on AWS: what a browser asks for is never taken for a call of S3.
"""

import base64
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from .clock import Clock
from .functions import Outcome, ThrottledError
from .wsgi import Environ

logger = logging.getLogger(__name__)

PRINCIPAL = "apigateway.amazonaws.com"
BODY_LIMIT = 10 * 1024 * 1024
"""Bytes of a request's body (HTTP API quotas)."""

INTEGRATION_LIMIT = 30.0
"""Seconds that an integration may take at most (HTTP API quotas)."""

_TEXT = re.compile(r"text/|application/(?:json|javascript|xml|[\w.-]+\+(?:json|xml))(?:\s*;|\s*$)", re.I)
_REASONS = {413: "Request Entity Too Large", 429: "Too Many Requests", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `key` as the template says (`GET /d/{token}`), the function it calls, its time-out."""

    key: str
    function: str  # ARN
    timeout: float = INTEGRATION_LIMIT

    @property
    def method(self) -> str:
        """GET, POST, ... or ANY."""
        return self.key.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path with its parameters in braces."""
        return self.key.partition(" ")[2]

    def matches(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters, or None if this route is for another request."""
        if self.method not in ("ANY", method):
            return None
        found = _pattern(self.path).fullmatch(path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@cache
def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", route)
    return re.compile(
        "".join(re.escape(part) if not part.startswith("{") else _parameter(part) for part in parts)
    )


def _parameter(part: str) -> str:
    name = part.strip("{}")
    return f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


@dataclass(frozen=True, slots=True)
class Throttle:
    """`rate` requests a second on average, `burst` at once."""

    rate: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    """A token bucket: how many requests it still lets through, as of when (machine's seconds)."""

    left: float
    at: float


@dataclass
class ApiSpec:
    """A stack's one HTTP API: its routes, and by route's key how much each lets through."""

    api_id: str = "embedded"
    url: str = ""
    routes: list[Route] = field(default_factory=list)
    default: Throttle | None = None
    throttles: dict[str, Throttle] = field(default_factory=dict)


@dataclass
class HttpApi:
    """The HTTP API as a WSGI application. `invoke` runs a function, `may_invoke` checks permissions."""

    spec: ApiSpec
    account: str
    region: str
    clock: Clock
    invoke: Callable[[str, Any], Outcome]
    may_invoke: Callable[[str, str, str], bool]
    measure: Callable[[str, float], None] = lambda metric, value: None
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        status, headers, body = self._answer(environ)
        self.measure("Count", 1)
        self.measure("4xx", float(400 <= status < 500))
        self.measure("5xx", float(status >= 500))
        start_response(f"{status} {_REASONS.get(status, '')}".rstrip(), headers)
        return [body]

    def _answer(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        raw = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")[0]
        method = environ["REQUEST_METHOD"]
        found = self._route(method, raw)
        if found is None:
            return _message(404, "Not Found")
        route, parameters = found
        if not self._admitted(route):
            return _message(429, "Too Many Requests")
        body = environ["wsgi.input"].read()
        if len(body) > BODY_LIMIT:
            return _message(413, "Request Entity Too Large")
        api = f"arn:aws:execute-api:{self.region}:{self.account}:{self.spec.api_id}"
        source = f"{api}/$default/{method}{route.path}"
        if not self.may_invoke(PRINCIPAL, route.function, source):
            logger.warning("no permission lets %s invoke %s, as on AWS", source, route.function)
            return _message(500, "Internal Server Error")
        started = time.monotonic()
        try:
            outcome = self.invoke(route.function, self._event(environ, route, parameters, raw, body))
        except ThrottledError:  # inferred: the developer guide does not tell how a throttled function is told
            return _message(503, "Service Unavailable")
        if time.monotonic() - started > route.timeout:
            return _message(503, "Service Unavailable")
        return _message(500, "Internal Server Error") if outcome.error is not None else _response(outcome)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The most specific route: one without parameters first, a greedy one last."""
        matches = ((route, route.matches(method, path)) for route in self.spec.routes)
        found = [(route, parameters) for route, parameters in matches if parameters is not None]
        return min(
            found,
            key=lambda row: (row[0].path.count("+}"), row[0].path.count("{"), row[0].method == "ANY"),
            default=None,
        )

    def _admitted(self, route: Route) -> bool:
        limit = self.spec.throttles.get(route.key, self.spec.default)
        if limit is None:
            return True
        now = time.monotonic()
        with self._lock:
            bucket = self._buckets.setdefault(route.key, _Bucket(limit.burst, now))
            bucket.left = min(limit.burst, bucket.left + (now - bucket.at) * limit.rate)
            bucket.at = now
            if bucket.left < 1:
                return False
            bucket.left -= 1
            return True

    def _event(
        self, environ: Environ, route: Route, parameters: Mapping[str, str], raw: str, body: bytes
    ) -> dict[str, Any]:
        """Payload format 2.0: "Working with AWS Lambda proxy integrations for HTTP APIs"."""
        headers = _headers(environ)
        cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
        query: dict[str, str] = {}
        for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        now = datetime.fromtimestamp(self.clock.utc().timestamp(), UTC)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": unquote(raw),
            "rawQueryString": environ.get("QUERY_STRING", ""),
            "headers": headers,
            "requestContext": {
                "accountId": self.account,
                "apiId": self.spec.api_id,
                "domainName": headers.get("host", ""),
                "domainPrefix": headers.get("host", "").partition(".")[0],
                "http": {
                    "method": environ["REQUEST_METHOD"],
                    "path": unquote(raw),
                    "protocol": environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                    "sourceIp": environ.get("REMOTE_ADDR", ""),
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": route.key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": False,
        }
        if cookies:
            event["cookies"] = cookies
        if query:
            event["queryStringParameters"] = query
        if parameters:
            event["pathParameters"] = dict(parameters)
        if body:
            # Forms are binary to API Gateway: only these types arrive as text.
            text = _TEXT.match(headers.get("content-type", "")) is not None
            event["isBase64Encoded"] = not text
            event["body"] = body.decode("utf-8", "replace") if text else base64.b64encode(body).decode()
        return event


def _headers(environ: Environ) -> dict[str, str]:
    named = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name) not in (None, "", "0"):
            named[name.replace("_", "-").lower()] = str(environ[name])
    return named


def _message(status: int, text: str) -> tuple[int, list[tuple[str, str]], bytes]:
    return status, [("Content-Type", "application/json")], json.dumps({"message": text}).encode()


def _response(outcome: Outcome) -> tuple[int, list[tuple[str, str]], bytes]:
    value = outcome.value
    if not isinstance(value, dict) or "statusCode" not in value:
        return 200, [("Content-Type", "application/json")], outcome.payload.encode()
    headers = {name.title(): str(text) for name, text in (value.get("headers") or {}).items()}
    headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    rows = [*headers.items(), *(("Set-Cookie", cookie) for cookie in value.get("cookies") or ())]
    text = value.get("body") or ""
    body = base64.b64decode(text) if value.get("isBase64Encoded") else str(text).encode()
    return int(value["statusCode"]), rows, body
