"""A web hook that keeps what it is posted, so that chat alerts can be seen beside the inbox."""

import json
import threading
from collections import deque
from collections.abc import Iterable
from html import escape
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

KEPT = 1000
LARGEST = 256 * 1024
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class Catcher:
    """`POST /chat/hook` keeps a JSON document, `/chat` shows them all, `/chat/alerts.json` gives them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alerts: deque[dict[str, Any]] = deque(maxlen=KEPT)

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
        if path == "/chat/hook" and method == "POST":
            return self._keep(environ, start_response)
        if method not in ("GET", "HEAD"):
            return _answer(start_response, "405 Method Not Allowed", b"", "text/plain")
        if path == "/chat/alerts.json":
            body = json.dumps(self.alerts, ensure_ascii=False).encode()
            return _answer(start_response, "200 OK", body, "application/json")
        if path == "/chat":
            return _answer(start_response, "200 OK", self._page().encode(), "text/html; charset=utf-8")
        return _answer(start_response, "404 Not Found", b"", "text/plain")

    def _keep(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            alert = json.loads(environ["wsgi.input"].read(length)) if length <= LARGEST else None
        except ValueError:
            alert = None
        if not isinstance(alert, dict):
            return _answer(start_response, "400 Bad Request", b"", "text/plain")
        with self._lock:
            self._alerts.append(alert)
        return _answer(start_response, "200 OK", b"{}", "application/json")

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


def _answer(start_response: StartResponse, status: str, body: bytes, kind: str) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(
        status, [*headers, ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", _POLICY)]
    )
    return [body]
