"""A function's instance is frozen, and its connections die meanwhile: no customer's notice is in doubt for that.

Only the wall clock goes on in a frozen instance, so only that one is moved on here.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exstream_notify.domain.messages import Accepted, Unconfirmed

PROVIDERS = ["opentext", "ses", "sms"]
_BODY = b'{"job_id": "J-1", "MessageId": "M-1"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


ENDING = threading.Event()


def reset(connection: socket.socket) -> None:
    """What is written to it later is answered with a reset, as by a load balancer that forgot it."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def swallow(connection: socket.socket) -> None:
    """What is written to it later vanishes, as behind a gateway that dropped the connection silently."""
    connection.recv(65536)
    ENDING.wait(5)


def close(connection: socket.socket) -> None:
    """It is closed at once after its first answer."""


class Server:
    """Answers one message on each connection, which then dies in its own way."""

    def __init__(self, dies: Callable[[socket.socket], None]) -> None:
        self.answered = 0
        self.half = False
        self._dies = dies
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()
            if not self.url:
                return

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request or not _whole(request):
                if not (received := connection.recv(65536)):
                    return
                request += received
            self.answered += 1
            connection.sendall(_ANSWER[:-5] if self.half else _ANSWER)
            if not self.half:
                self._dies(connection)

    def stop(self) -> None:
        """End all threads."""
        ENDING.set()
        port = int(self.url.rpartition(":")[2])
        self.url = ""
        socket.create_connection(("127.0.0.1", port)).close()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()


def _whole(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(body) >= int(lengths[0].partition(b":")[2])


@pytest.fixture(params=[reset, swallow, close], ids=lambda dies: dies.__name__)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One of each kind."""
    ENDING.clear()
    found = Server(request.param)
    yield found
    found.stop()


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("passes", [3600.0, 5.0, -3600.0], ids=["an hour", "five seconds", "set back"])
def test_the_first_send_after_a_freeze_is_sent_once_and_is_not_in_doubt(
    name: str, passes: float, server: Server, send: Any, request: pytest.FixtureRequest
) -> None:
    now = [1_800_000_000.0]
    provider = request.getfixturevalue(name)(server.url, now=lambda: now[0])
    message = request.getfixturevalue("text" if name == "sms" else "mail")
    assert isinstance(send(provider, message(number=1)), Accepted)

    now[0] += passes

    assert isinstance(send(provider, message(number=2)), Accepted)
    assert server.answered == 2


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_loss_in_mid_answer_is_still_in_doubt_after_a_freeze(
    name: str, server: Server, send: Any, request: pytest.FixtureRequest
) -> None:
    now = [1_800_000_000.0]
    provider = request.getfixturevalue(name)(server.url, now=lambda: now[0])
    message = request.getfixturevalue("text" if name == "sms" else "mail")
    assert isinstance(send(provider, message(number=1)), Accepted)

    now[0] += 3600.0
    server.half = True

    assert isinstance(send(provider, message(number=2)), Unconfirmed)
    assert server.answered == 2
