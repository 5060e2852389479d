"""A request over HTTP, its answer, and the ways in which there is none; httpx gets here by `Transport`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in lower case; `timeouts` are httpx's, in seconds, None: no end."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeouts: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the seconds after which it is complete."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Broken(Exception):
    """No answer: what the client raises, by the name of its exception, and the seconds after which."""

    def __init__(self, error: str, seconds: float = 0.0, text: str = "") -> None:
        super().__init__(text or error)
        self.error = error
        self.seconds = seconds

    def as_httpx(self) -> httpx.TransportError:
        """The exception that httpx raises."""
        found: httpx.TransportError = getattr(httpx, self.error)(str(self))
        return found

    def as_botocore(self, endpoint: str = "https://example.com") -> Exception:
        """The exception that botocore raises."""
        from botocore import exceptions, parsers

        if self.error == "ResponseParserError":
            return parsers.ResponseParserError(str(self))
        kind: Any = getattr(exceptions, self.error)
        fields = {"endpoint_url": endpoint, "error": str(self)}
        found: Exception = kind(**fields)
        return found


class Transport(httpx.BaseTransport):
    """Gives httpx's requests to `answer`. `sleep` lets virtual seconds pass for the caller alone."""

    def __init__(self, answer: Callable[[Request], Reply], sleep: Callable[[float], None]) -> None:
        self._answer = answer
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, or httpx's exception, when its time has come."""
        asked = Request(
            request.method,
            str(request.url),
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
            request.extensions.get("timeout", {}),
        )
        try:
            reply = self._answer(asked)
        except Broken as broken:
            self._sleep(broken.seconds)
            raise broken.as_httpx() from None
        self._sleep(reply.seconds)
        # Not yet read: the product may want only its beginning (`stream`).
        stream = httpx.ByteStream(reply.body)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=stream, request=request)
