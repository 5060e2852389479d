"""Web hooks that keep what they are posted, so that chat alerts can be seen beside the inbox.

`/chat/hook` is the site's own; `/chat/slack`, `/chat/teams` and `/chat/pagerduty` stand for these services.
Each can be told to answer otherwise for a while: with the status, the body and the header fields by which a
real one says that it is gone or asks to wait.
"""

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

KEPT = 1000
SERVICES = ("hook", "slack", "teams", "pagerduty")
LARGEST = 256 * 1024
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Played:
    """An answer that a service gives instead of taking a message; `times` 0: until it is told otherwise."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0


class Catcher:
    """`POST /chat/<service>` keeps a JSON document. `/chat` shows the hook's, `/chat/alerts.json` gives them.

    `PUT /chat/answers/<service>` with `{"status": 429, "headers": {"Retry-After": "5"}, "times": 1}` makes a
    service answer like that; `{"status": 200}` ends it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alerts: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._posted: dict[str, deque[dict[str, Any]]] = {name: deque(maxlen=KEPT) for name in SERVICES}
        self._plays: dict[str, Played] = {}

    def play(self, service: str, played: Played) -> None:
        """Have a service answer like this."""
        with self._lock:
            if played.status < 300:
                self._plays.pop(service, None)
            else:
                self._plays[service] = played

    def posted(self, service: str) -> list[dict[str, Any]]:
        """What a service was posted, oldest first, whatever it answered."""
        with self._lock:
            return list(self._posted[service])

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What was posted, oldest first."""
        with self._lock:
            return list(self._alerts)

    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether the path is the catcher's."""
        path: str = environ.get("PATH_INFO", "")
        return path == "/chat" or path.startswith("/chat/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        service = path.removeprefix("/chat/")
        if service in SERVICES and method in ("POST", "HEAD"):
            return self._take(service, environ, start_response)
        if service.removeprefix("answers/") in SERVICES and method == "PUT":
            return self._told(service.removeprefix("answers/"), environ, start_response)
        if method not in ("GET", "HEAD"):
            return _answer(start_response, "405 Method Not Allowed", b"", "text/plain")
        if path == "/chat/alerts.json":
            body = json.dumps(self.alerts, ensure_ascii=False).encode()
            return _answer(start_response, "200 OK", body, "application/json")
        if path == "/chat":
            return _answer(start_response, "200 OK", self._page().encode(), "text/html; charset=utf-8")
        return _answer(start_response, "404 Not Found", b"", "text/plain")

    def _take(self, service: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = environ["REQUEST_METHOD"] == "HEAD"
        alert = None if asked else _document(environ)
        if not asked and alert is None:
            return _answer(start_response, "400 Bad Request", b"", "text/plain")
        with self._lock:
            played = self._plays.get(service)
            if alert is not None:
                self._posted[service].append(alert)
                if played is not None and played.times == 1:
                    del self._plays[service]
                elif played is not None and played.times:
                    self._plays[service] = replace(played, times=played.times - 1)
                if played is None and service == "hook":
                    self._alerts.append(alert)
        if played is not None:
            status = f"{played.status} {HTTPStatus(played.status).phrase}"
            return _answer(start_response, status, played.body.encode(), "text/plain", played.headers)
        if asked:
            return _answer(start_response, "405 Method Not Allowed", b"", "text/plain")
        status = "202 Accepted" if service == "pagerduty" else "200 OK"
        return _answer(start_response, status, b"{}", "application/json")

    def _told(self, service: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            played = Played(**(_document(environ) or {}))
            HTTPStatus(played.status)
        except (TypeError, ValueError):
            return _answer(start_response, "400 Bad Request", b"", "text/plain")
        self.play(service, played)
        return _answer(start_response, "204 No Content", b"", "text/plain")

    def _page(self) -> str:
        entries = [
            f"<article><h2>{escape(str(alert.get('title', 'alert')))}</h2>"
            f"<pre>{escape(str(alert.get('text') or json.dumps(alert, indent=1)))}</pre></article>"
            for alert in reversed(self.alerts)
        ]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chat alerts</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<style>body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
            "pre{white-space:pre-wrap}article{border-top:1px solid #999}h2{font-size:1.1rem}</style></head>"
            f"<body><h1>Chat alerts</h1>{''.join(entries) or '<p>None yet.</p>'}</body></html>"
        )


def _document(environ: WSGIEnvironment) -> dict[str, Any] | None:
    """The JSON object of a request; None for anything else, and for what is too large."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        found = json.loads(environ["wsgi.input"].read(length)) if length <= LARGEST else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _answer(
    start_response: StartResponse,
    status: str,
    body: bytes,
    kind: str,
    more: Mapping[str, str] | None = None,
) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    headers += [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", _POLICY)]
    start_response(status, [*headers, *(more or {}).items()])
    return [body]
