"""boto3 clients that reach the embedded cloud without a socket."""

import io
from collections.abc import Iterator
from threading import Lock
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from .access import ADMIN_ACCESS_KEY, ADMIN_SECRET_KEY
from .wsgi import Environ, WsgiApp


class Clients:
    """The administrator's clients, made once a service; they call the WSGI application directly."""

    def __init__(self, app: WsgiApp, url: str, region: str) -> None:
        self._app = app
        self._url = url
        self._session = boto3.session.Session(
            aws_access_key_id=ADMIN_ACCESS_KEY, aws_secret_access_key=ADMIN_SECRET_KEY, region_name=region
        )
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def __call__(self, service: str) -> Any:
        """The client of a service, by its boto3 name."""
        with self._lock:
            if service not in self._clients:
                # The stubs know one literal name for each service.
                client = self._session.client(  # type: ignore[call-overload]
                    service,
                    endpoint_url=self._url,
                    # Path style as over HTTP, where the endpoint is an IP address.
                    config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
                )
                client.meta.events.register("before-send", self._send)
                self._clients[service] = client
            return self._clients[service]

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer["status"] = int(status.split()[0])
            answer["headers"] = dict(headers)

        body = b"".join(self._app(_environ(request), start_response))
        return AWSResponse(request.url, answer["status"], answer["headers"], _Raw(body))


def _environ(request: Any) -> Environ:
    parts = urlsplit(request.url)
    body = request.body or b""
    data = body.read() if hasattr(body, "read") else body.encode() if isinstance(body, str) else bytes(body)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(data)),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        if key not in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
            environ[key] = value.decode() if isinstance(value, bytes) else value
    return environ


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, amt: int | None = None, **_: Any) -> Iterator[bytes]:
        yield self.read()
