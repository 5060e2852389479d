"""A small threaded WSGI server that keeps connections open.

werkzeug's and the standard library's development servers close the connection after each answer, which
costs more than most calls of the emulator themselves.
"""

import io
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote_to_bytes

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_BODY_LIMIT = 6 * 1024**3  # bytes; S3 takes 5 GiB in one part


class WsgiServer(ThreadingMixIn, TCPServer):
    """Serves one WSGI application on one address, each connection in a thread of its own."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str, port: int, app: WsgiApp) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="cloud-http", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begins to serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops listening and closes every connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("a client had closed its connection already")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Takes note of the connection, so that `stop` can close it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets a connection that ends."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event; anything else is a bug worth a trace."""
        if not isinstance(sys.exc_info()[1], OSError):
            logger.exception("the HTTP server failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers go out at once: Nagle's algorithm would hold a small one back for the peer's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: WsgiServer

    def _handle(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self.send_error(400)
            return
        answer = _Answer(self)
        try:
            chunks = self.server.app(self._environ(body), answer.start)
        except ConnectionError:
            self.close_connection = True  # an application that simulates a lost answer
            return
        except Exception:
            logger.exception("an application failed on %s", self.command)
            self.send_error(500)
            return
        try:
            answer.send(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    # The names are the base class's.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _handle

    def handle_expect_100(self) -> bool:
        """Tells a client that asks first (boto3 does, for objects) to send its body, at once."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _body(self) -> bytes:
        """The whole body. A client that dies before its end has not asked for anything: ConnectionError."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _BODY_LIMIT:
            raise ValueError(f"a body of {length} bytes")
        return self._exactly(length) if length else b""

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";", 1)[0], 16)
        data = self._exactly(size)
        self.rfile.readline()
        return data

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError("the client went away in the middle of its request")
        return data

    def _environ(self, body: bytes) -> Environ:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            # The body has been read whole: how it was framed concerns nobody behind this.
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: hundreds a second, and their paths carry object keys."""


class _Answer:
    """Sends a WSGI application's answer, in one piece where its length is known."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler
        self._status = 500
        self._reason = ""
        self._headers: list[tuple[str, str]] = []

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        code, _, reason = status.partition(" ")
        self._status, self._reason, self._headers = int(code), reason, list(headers)
        return self._handler.wfile.write

    def send(self, chunks: Iterable[bytes]) -> None:
        handler = self._handler
        bodiless = handler.command == "HEAD" or self._status in (204, 304)
        iterator = iter(chunks)
        first = next(iterator, b"")  # an application may call start_response only when it is iterated
        names = {name.lower() for name, _ in self._headers}
        known = "content-length" in names
        if not known and not bodiless and isinstance(chunks, (list, tuple)):
            self._headers.append(("Content-Length", str(sum(map(len, chunks)))))
            known = True
        handler.send_response_only(self._status, self._reason)
        if "date" not in names:
            handler.send_header("Date", handler.date_time_string())
        for name, value in self._headers:
            handler.send_header(name, value)
        chunked = not known and not bodiless
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if not bodiless:
            self._write(first, chunked)
            for chunk in iterator:
                self._write(chunk, chunked)
            if chunked:
                handler.wfile.write(b"0\r\n\r\n")
        handler.wfile.flush()

    def _write(self, data: bytes, chunked: bool) -> None:
        if not data:
            return
        if chunked:
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self._handler.wfile.flush()  # who streams, streams to somebody who waits
        else:
            self._handler.wfile.write(data)
