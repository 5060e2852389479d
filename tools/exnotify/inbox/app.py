"""The inbox as a WSGI application.

Everything shown came from outside, so it is treated as hostile: text is escaped, mail HTML lives in a
sandboxed frame without scripts, forms or network, and every answer carries a policy that allows no
more than the page needs. All of it works without JavaScript; the script only refreshes more gently.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

from exnotify.simulators.sms_parts import encoding_and_parts
from exnotify.simulators.store import MessageStore, SimulatedMessage

if TYPE_CHECKING:
    from jinja2 import Environment, Template

Describe: TypeAlias = Callable[[str], Mapping[str, Any] | None]
"""What the ledger knows of a notice id: `document_id`, `customer_key`, `audience`, `purpose`; or None."""

PAGE_SIZE = 50
DESCRIBED = ("document_id", "customer_key", "recipient", "audience", "purpose")
_UNKNOWN: Mapping[str, Any] = dict.fromkeys(DESCRIBED)
VIEWS = ("customer", "text", "source")

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_STATIC = {"inbox.css": "text/css; charset=utf-8", "inbox.js": "text/javascript; charset=utf-8"}
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_HTML = "text/html; charset=utf-8"


def outbox_row(message: SimulatedMessage, known: Mapping[str, Any]) -> dict[str, Any]:
    """A message as `exnotify outbox --json` and `/inbox/messages.json` give it."""
    sender = f"{message.sender_name} <{message.sender}>" if message.sender_name else message.sender
    return {
        "channel": message.channel,
        "to": message.to,
        "from": sender,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "headers": dict(message.headers),
        "provider": message.provider,
        "notice_id": message.notice_id,
        "document_id": known.get("document_id"),
        "customer_key": known.get("customer_key"),
        "recipient": known.get("recipient"),
        "audience": known.get("audience"),
        "purpose": known.get("purpose"),
        "attempt": message.attempt,
        "sent_at": message.sent_at.isoformat(timespec="milliseconds"),
    }


class Inbox:
    """Pages under `/inbox`; safe under threads.

    `describe` is asked once per notice as long as it answers; what it says of a notice does not change.
    """

    def __init__(self, store: MessageStore, describe: Describe = lambda notice_id: None) -> None:
        self._store = store
        self._describe = describe
        self._described: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether the path is the inbox's."""
        path: str = environ.get("PATH_INFO", "")
        return path == "/inbox" or path.startswith("/inbox/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; only GET and HEAD, since nothing is changed here."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _send(start_response, "405 Method Not Allowed", b"GET only\n", "text/plain")
        path: str = environ.get("PATH_INFO", "").removeprefix("/inbox").strip("/")
        query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        name, _, rest = path.partition("/")
        if not path:
            return self._list(query, start_response)
        if path == "messages.json":
            return self._json(query, start_response)
        if path == "count.json":
            total = json.dumps({"total": self._store.total}).encode()
            return _send(start_response, "200 OK", total, "application/json")
        if path in _STATIC:
            asset = resources.files(__package__).joinpath("static", path).read_bytes()
            return _send(start_response, "200 OK", asset, _STATIC[path])
        message = self._store.get(int(name)) if name.isascii() and name.isdigit() and len(name) < 12 else None
        if message is None:
            return self._page(start_response, "missing.html", "404 Not Found", number=name[:12])
        if not rest:
            return self._message(message, query, start_response)
        if rest == "body" and message.channel == "email":
            return _send(start_response, "200 OK", _mail_body(message), _HTML, _MAIL_POLICY)
        if rest == "source":
            return _send(
                start_response,
                "200 OK",
                message.source.encode("utf-8", "replace"),
                "text/plain; charset=utf-8",
            )
        return self._page(start_response, "missing.html", "404 Not Found", number=path[:40])

    def describe(self, message: SimulatedMessage) -> Mapping[str, Any]:
        """What is known of the message's notice; None for each where it is nobody's."""
        identity = message.notice_id
        with self._lock:
            known = self._described.get(identity)
        if known is None and identity:
            found = self._describe(identity)
            if found is not None:
                known = {name: found.get(name) for name in DESCRIBED}
                with self._lock:
                    self._described[identity] = known
        return known or _UNKNOWN

    def find(self, query: Mapping[str, str]) -> Iterator[tuple[SimulatedMessage, Mapping[str, Any]]]:
        """Messages, newest first, with what is known of each.

        `channel` is `email` or `sms`, `customer` a customer key or an address, `q` words that all occur,
        `before` a number below which to begin.
        """
        channel, customer = query.get("channel", ""), query.get("customer", "").strip().casefold()
        words = query.get("q", "").casefold().split()
        before = _number(query.get("before", ""))
        for message in reversed(list(self._store)):
            if (before is not None and message.number >= before) or channel not in ("", message.channel):
                continue
            known = self.describe(message)
            if customer and customer not in (
                message.to.casefold(),
                str(known["customer_key"] or "").casefold(),
            ):
                continue
            if words:
                looked = " ".join((message.to, message.subject, message.text, message.ref, message.provider))
                hay = f"{looked} {' '.join(str(value) for value in known.values() if value)}".casefold()
                if not all(word in hay for word in words):
                    continue
            yield message, known

    def _list(self, query: Mapping[str, str], start_response: StartResponse) -> Iterable[bytes]:
        rows: list[tuple[SimulatedMessage, Mapping[str, Any]]] = []
        older = ""
        for message, known in self.find(query):
            if len(rows) == PAGE_SIZE:
                last = rows[-1][0].number
                older = "?" + urlencode({**query, "before": last})
                break
            rows.append((message, known))
        return self._page(
            start_response,
            "list.html",
            rows=rows,
            query=query,
            older=older,
            filtered=any(query.get(name) for name in ("q", "customer", "channel", "before")),
            total=self._store.total,
        )

    def _message(
        self, message: SimulatedMessage, query: Mapping[str, str], start_response: StartResponse
    ) -> Iterable[bytes]:
        view = query.get("view", "")
        encoding, parts = encoding_and_parts(message.text) if message.channel == "sms" else ("", 0)
        return self._page(
            start_response,
            "message.html",
            message=message,
            known=self.describe(message),
            view=view if view in VIEWS else "customer",
            width="phone" if query.get("width") == "phone" else "desktop",
            encoding=encoding,
            parts=parts,
            request=_readable(message.request) if view == "source" else "",
        )

    def _json(self, query: Mapping[str, str], start_response: StartResponse) -> Iterable[bytes]:
        limit = _number(query.get("limit", ""))
        headers = [("Content-Type", "application/json"), ("Content-Security-Policy", "default-src 'none'")]
        start_response("200 OK", [*headers, *_COMMON])
        return self._rows(query, limit)

    def _rows(self, query: Mapping[str, str], limit: int | None) -> Iterator[bytes]:
        yield b"["
        for number, (message, known) in enumerate(self.find(query)):
            if number == limit:
                break
            row = json.dumps(outbox_row(message, known), ensure_ascii=False, default=str)
            yield (b",\n" if number else b"\n") + row.encode("utf-8", "replace")
        yield b"\n]\n"

    def _page(
        self, start_response: StartResponse, template: str, status: str = "200 OK", **values: object
    ) -> Iterable[bytes]:
        page = self._template(template).render(**values)
        return _send(start_response, status, page.encode("utf-8", "replace"), _HTML, _PAGE_POLICY)

    def _template(self, name: str) -> "Template":
        with self._lock:
            return self._templates.get_template(name)

    @cached_property
    def _templates(self) -> "Environment":
        from jinja2 import Environment, PackageLoader, StrictUndefined

        return Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def _mail_body(message: SimulatedMessage) -> bytes:
    """The mail's HTML as it is, or its text; links open beside the inbox."""
    if message.html:
        # After the document type, since anything before it would put the browser into quirks mode.
        doctype = _DOCTYPE.match(message.html)
        end = doctype.end() if doctype else 0
        html = f'{message.html[:end]}<base target="_blank">{message.html[end:]}'
        return html.encode("utf-8", "replace")
    from markupsafe import escape

    return f'<pre style="white-space:pre-wrap;font:15px/1.5 sans-serif">{escape(message.text)}</pre>'.encode()


def _readable(request: bytes) -> str:
    try:
        return json.dumps(json.loads(request), indent=2, ensure_ascii=False)
    except ValueError:
        return request.decode("utf-8", "replace")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _send(
    start_response: StartResponse, status: str, body: bytes, kind: str, policy: str = "default-src 'none'"
) -> Iterable[bytes]:
    length = str(len(body))
    start_response(
        status,
        [("Content-Type", kind), ("Content-Length", length), ("Content-Security-Policy", policy), *_COMMON],
    )
    return [body]
