"""A WSGI application on a loopback port, for tests and benches."""

from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from exnotify.cloud.wsgi import WsgiServer


@contextmanager
def running(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve in threads, connections kept open, while the block runs; its base address."""
    server = WsgiServer("127.0.0.1", port, app)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
