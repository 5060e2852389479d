"""HTTP as the simulators need it: a request read whole, an answer, and ways not to answer."""

import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

BODY_LIMIT = 20_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `headers` beside content type and length."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = field(default=())

    def __call__(self, start_response: StartResponse) -> Iterable[bytes]:
        """Send it."""
        phrase = HTTPStatus(self.status).phrase
        start_response(
            f"{self.status} {phrase}",
            [
                ("Content-Type", self.content_type),
                ("Content-Length", str(len(self.body))),
                *self.headers,
            ],
        )
        return [self.body]


def json_reply(
    status: int, document: object, *headers: tuple[str, str], kind: str = "application/json"
) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(document, ensure_ascii=False).encode(), kind, headers)


class Refused(Exception):
    """Ends a request with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"refused with status {reply.status}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Request:
    """A request, its body read."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    environ: WSGIEnvironment
    body: bytes

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> "Request":
        """Read it; Refused where the body is too large, or its length is none."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit():
            raise Refused(Reply(400))
        if int(length) > BODY_LIMIT:
            raise Refused(Reply(413))
        path = environ.get("PATH_INFO", "")
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        return cls(environ["REQUEST_METHOD"], path, query, environ, environ["wsgi.input"].read(int(length)))

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        key = name.upper().replace("-", "_")
        return str(self.environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}", ""))

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.header("Content-Type").split(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON in UTF-8; ValueError if it is not, or if a name occurs twice."""
        try:
            return json.loads(self.body.decode("utf-8"), object_pairs_hook=_once)
        except RecursionError:
            raise ValueError("nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def hang_up(environ: WSGIEnvironment) -> Iterable[bytes]:
    """Close the connection without an answer; never returns.

    werkzeug's server leaves its socket in the environ; other servers close the connection when the
    application raises a ConnectionError.
    """
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("the simulator hangs up")
