"""Services that answer a byte at a time, without end, or never: the next channel has its turn all the same."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

import pytest

from exstream_notify.adapters import alert_channels
from exstream_notify.adapters.alert_channels import Channels
from exstream_notify.adapters.deadline import TookTooLong, within
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.alert_words import Alert
from exstream_notify.domain.incidents import What
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.known_channels import KnownChannels
from tests.use_cases.world import World

ALERT = Alert("0" * 32, 1, What.OPENED, "it", "error", "title", (("Team", "it"),), (), (), "book", "")
ENDLESS = b"HTTP/1.1 503 x\r\nContent-Length: 3000000000\r\n\r\n"


def _serve(server: socket.socket, begins: bytes, piece: bytes, pause: float, sent: list[int]) -> None:
    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # whoever asked goes
            connection.recv(65536)
            connection.sendall(begins)
            while True:
                connection.sendall(piece)
                sent.append(len(piece))
                time.sleep(pause)

    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


Slow = Callable[..., tuple[str, list[int]]]


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Starts services that begin an answer so, and go on with a piece after each pause."""
    servers: list[tuple[socket.socket, threading.Thread]] = []

    def started(begins: bytes, piece: bytes, pause: float) -> tuple[str, list[int]]:
        server = socket.create_server(("127.0.0.1", 0))
        sent: list[int] = []
        thread = threading.Thread(target=_serve, args=(server, begins, piece, pause, sent), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.getsockname()[1]}/", sent

    yield started
    for server, thread in servers:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        server.close()


def _channels(addresses: dict[str, str], **more: Any) -> Channels:
    nothing: Any = None
    return Channels(
        YamlRules(), lambda: addresses, topics={}, sns=nothing, provider=nothing, sleep=lambda _: None, **more
    )


@pytest.mark.parametrize(
    "begins", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 503 x\r\nContent-Length: 9999\r\n\r\n"]
)
@pytest.mark.parametrize("channel", ["slack", "teams", "webhook", "pagerduty"])
def test_an_answer_that_trickles_ends_after_a_time(
    slow: Slow, monkeypatch: pytest.MonkeyPatch, channel: str, begins: bytes
) -> None:
    monkeypatch.setattr(alert_channels, "LONGEST_POST", 0.4)
    url, _ = slow(begins, b"a", 0.05)
    found = _channels({channel: "KEY" if channel == "pagerduty" else url, "pagerduty_url": url})
    began = time.monotonic()
    assert found.tell(channel, "it", ALERT) == ChannelAnswer("failed", "TookTooLong")
    if channel == "webhook":
        assert found.probe(channel, "it") == (
            ChannelAnswer("failed", "TookTooLong") if b"200" in begins else ChannelAnswer("answered", "503")
        )
    assert time.monotonic() - began < 5


def test_a_channel_that_failed_before_holds_up_further_alerts_for_less(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch of incidents the last one waits for all before it."""
    monkeypatch.setattr(alert_channels, "LONGEST_POST", 1.5)
    monkeypatch.setattr(alert_channels, "FAILING_POST", 0.2)
    url, _ = slow(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.05)
    here = World(site_rules=YamlRules())
    ways = _channels({"slack": url})
    known = KnownChannels(ways, here.channel_book, here.exceptions, here.clock)
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert known.tell("slack", "it", ALERT).outcome == "failed"
        times.append(time.monotonic() - began)
    assert times[0] > 1.4
    assert max(times[1:]) < 1


def test_of_an_answer_only_the_beginning_is_read(slow: Slow) -> None:
    url, sent = slow(ENDLESS, b"a" * 65536, 0.0)
    assert _channels({"slack": url}).tell("slack", "it", ALERT) == ChannelAnswer("failed", "HTTP 503")
    assert sum(sent) < 100_000_000


def test_what_a_bounded_call_returns_and_raises_is_its_own() -> None:
    def fails() -> None:
        raise KeyboardInterrupt

    assert within(5, lambda: 3) == 3
    with pytest.raises(KeyboardInterrupt):
        within(5, fails)
    with pytest.raises(TookTooLong):
        within(0.01, lambda: time.sleep(1))
    asked = Event()
    assert not within(0.01, lambda: asked.wait(0.2), lambda: 5.0)
