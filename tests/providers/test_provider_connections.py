"""What becomes of an attempt when the connection fails, at each point at which it can."""

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from exnotify.simulators import Simulators
from exstream_notify.adapters.providers.opentext import Timeouts
from exstream_notify.domain.messages import Accepted, Content, TryAgain, Unconfirmed

PROVIDERS = ["opentext", "ses", "sms"]


@pytest.fixture(params=PROVIDERS)
def provider_at(request: pytest.FixtureRequest) -> Any:
    """Makes one provider after the other, for an address, with a message that fits it."""
    message = request.getfixturevalue("text" if request.param == "sms" else "mail")
    make = request.getfixturevalue(request.param)
    return make, message


@pytest.fixture
def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def full_port() -> Iterator[str]:
    """An address that takes no connection, and does not refuse one either."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for client in waiting:
            client.close()


def test_connection_refused_is_certainly_not_sent(provider_at: Any, closed_port: str, send: Any) -> None:
    make, message = provider_at
    assert send(make(closed_port), message()) == TryAgain("no_connection")


def test_connect_timeout_is_certainly_not_sent(provider_at: Any, full_port: str, send: Any) -> None:
    make, message = provider_at
    assert send(make(full_port), message()) == TryAgain("no_connection")


def test_no_answer_in_time_is_doubt(provider_at: Any, url: str, simulators: Simulators, send: Any) -> None:
    make, message = provider_at
    provider = make(url)
    to = "+13025550106" if provider.name == "sms" else "timeout@example.com"
    assert send(provider, message(to)) == Unconfirmed("answer_timeout")
    assert [m.to for m in simulators.store] == [to], "it was sent, and once: nothing below us tried again"


def _reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _close(connection: socket.socket) -> None:
    connection.recv(65536)


def _garbage(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


def _half(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize("talk", [_reset, _close, _garbage, _half])
def test_broken_after_the_request_is_doubt(provider_at: Any, raw_server: Any, talk: Any, send: Any) -> None:
    make, message = provider_at
    with raw_server(talk) as address:
        assert isinstance(send(make(address), message()), Unconfirmed)


def test_a_request_that_cannot_be_written_to_its_end_is_doubt(
    raw_server: Any, opentext: Any, mail: Any, send: Any
) -> None:
    done = threading.Event()
    with raw_server(lambda connection: done.wait(5) and None) as address:
        large = mail(content=Content("x" * 3_000_000, "Large"))
        answer = send(opentext(address), large)
        done.set()
    assert answer == Unconfirmed("write_timeout")


def test_no_free_connection_is_certainly_not_sent(
    opentext: Any, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    provider = opentext(url, connections=1, timeouts=Timeouts(connect=0.5, read=1.5, write=0.5, pool=0.2))
    started = threading.Thread(target=lambda: send(provider, mail("timeout@example.com", 1)))
    started.start()
    while not len(simulators.store):
        threading.Event().wait(0.01)
    assert send(provider, mail("ann@example.com", 2)) == TryAgain("no_connection")
    started.join()
    assert [m.to for m in simulators.store] == ["timeout@example.com"]


def test_an_untrusted_certificate_is_certainly_not_sent(
    raw_server: Any, opentext: Any, mail: Any, send: Any
) -> None:
    with raw_server(_garbage) as address:
        assert send(opentext(address.replace("http:", "https:")), mail()) == TryAgain("no_connection")


def test_connections_are_kept_for_the_next_message(
    opentext: Any, url: str, simulators: Simulators, mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: opened.append(a) or connect(*a, **k))
    provider = opentext(url)
    answers = list(provider.send([provider.request(mail(number=n)) for n in range(10)]))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert len(simulators.store) == 10
    assert len(opened) == 1


@pytest.mark.parametrize("name", PROVIDERS)
def test_twenty_workers_at_once_send_each_message_once(
    name: str, request: pytest.FixtureRequest, url: str, simulators: Simulators
) -> None:
    make = request.getfixturevalue("text" if name == "sms" else "mail")
    settings = {"timeouts": Timeouts(connect=5, read=10, write=5, pool=10)} if name == "opentext" else {}
    if name == "opentext":
        provider = request.getfixturevalue(name)(url, **settings)
    else:
        client = request.getfixturevalue("client")
        provider = _patient(name, client, url)
    answers: list[Any] = []

    def work(worker: int) -> None:
        requests = [provider.request(make(number=worker * 100 + n)) for n in range(5)]
        answers.extend(provider.send(requests))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 100
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert len({answer.provider_ref for answer in answers}) == 100
    refs = [message.ref for message in simulators.store]
    assert sorted(refs) == sorted(f"{worker * 100 + n:032x}:1" for worker in range(20) for n in range(5))


def _patient(name: str, client: Any, url: str) -> Any:
    """An AWS provider with time-outs that a busy machine keeps."""
    import boto3

    from exstream_notify.adapters.providers.aws import send_config
    from exstream_notify.adapters.providers.ses import Ses, SesSettings
    from exstream_notify.adapters.providers.sms import Sms, SmsSettings

    def make(service: str) -> Any:
        return lambda: boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="example",
            config=send_config(connect=5, read=10),
        )

    if name == "ses":
        return Ses(SesSettings("notices@example.com"), make("sesv2"))
    return Sms(SmsSettings("+12025550199"), make("pinpoint-sms-voice-v2"))
