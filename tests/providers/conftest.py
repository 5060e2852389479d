"""Providers over real loopback sockets: against the simulators, and against servers that say one thing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
import pytest

from exnotify.simulators import Simulators, running
from exstream_notify.adapters.providers.aws import send_config
from exstream_notify.adapters.providers.credentials import Credentials
from exstream_notify.adapters.providers.opentext import OpenText, OpenTextSettings, Timeouts
from exstream_notify.adapters.providers.ses import Ses, SesSettings
from exstream_notify.adapters.providers.sms import Sms, SmsSettings
from exstream_notify.domain.messages import Answer, Content, Message

ACCOUNTS = {"alice": "s3cret-p@ss", "client:1/x": "c$+ %secret"}
QUICK = Timeouts(connect=0.5, read=0.5, write=0.5, pool=0.5)


@pytest.fixture
def simulators() -> Iterator[Simulators]:
    """All three providers; who is kept waiting waits two seconds."""
    found = Simulators(hold=2.0, accounts=ACCOUNTS)
    yield found
    found.close()


@pytest.fixture
def url(simulators: Simulators) -> Iterator[str]:
    """Where they are."""
    with running(simulators) as address:
        yield address


@pytest.fixture
def opentext() -> Iterator[Callable[..., OpenText]]:
    """Makes OpenText providers, and closes them."""
    made: list[OpenText] = []

    def make(
        url: str,
        name: str = "alice",
        secret: str | None = None,
        now: Callable[[], float] = time.time,
        **settings: Any,
    ) -> OpenText:
        settings.setdefault("timeouts", QUICK)
        given = Credentials(name, ACCOUNTS.get(name, "") if secret is None else secret)
        provider = OpenText(OpenTextSettings(url, **settings), lambda: given, now)
        made.append(provider)
        return provider

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def client() -> Iterator[Callable[..., Callable[[], Any]]]:
    """Makes factories of AWS clients for an address, and closes what they made."""
    made: list[Any] = []

    def factory(service: str, url: str, **config: Any) -> Callable[[], Any]:
        def make() -> Any:
            client = boto3.client(
                service,
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id="AKIAEXAMPLE",
                aws_secret_access_key="example",
                config=send_config(connect=0.5, read=0.5, **config),
            )
            made.append(client)
            return client

        return make

    yield factory
    for client in made:
        client.close()


@pytest.fixture
def ses(client: Callable[..., Callable[[], Any]]) -> Callable[..., Ses]:
    """Makes SES providers."""
    settings = SesSettings("notices@example.com", "Example Company", "notices")
    return lambda url, now=time.time: Ses(settings, client("sesv2", url), now=now)


@pytest.fixture
def sms(client: Callable[..., Callable[[], Any]]) -> Callable[..., Sms]:
    """Makes SMS providers."""
    settings = SmsSettings("+12025550199", "notices")
    return lambda url, now=time.time: Sms(settings, client("pinpoint-sms-voice-v2", url), now)


@pytest.fixture
def mail() -> Callable[..., Message]:
    """Makes e-mails."""

    def make(to: str = "ann@example.com", number: int = 1, **changes: Any) -> Message:
        content = Content(
            "Your statement is ready.",
            changes.pop("subject", "Your statement"),
            "<p>Your statement is ready.</p>",
        )
        given = {"message_class": "transactional", "content": content, "headers": ()} | changes
        return Message(f"{number:032x}:1", "email", to, **given)

    return make


@pytest.fixture
def text() -> Callable[..., Message]:
    """Makes text messages."""

    def make(to: str = "+12025550142", number: int = 1, **changes: Any) -> Message:
        given = {"message_class": "transactional", "content": Content("Your statement is ready.")} | changes
        return Message(f"{number:032x}:1", "sms", to, **given)

    return make


@pytest.fixture
def send() -> Callable[..., Answer]:
    """Sends one message and gives the answer."""
    return lambda provider, message: next(iter(provider.send([provider.request(message)])))


@dataclass
class Canned:
    """A server that always answers the same, and counts."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    asked: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """The answer."""
        self.asked += 1
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response(f"{self.status} Canned", [("Content-Length", str(len(self.body))), *self.headers])
        return [self.body]


@pytest.fixture(scope="session")
def canned_server() -> Iterator[tuple[Canned, str]]:
    """One such server for all."""
    app = Canned()
    with running(app) as address:
        yield app, address


@pytest.fixture
def canned(canned_server: tuple[Canned, str]) -> tuple[Canned, str]:
    """It, as new."""
    app, address = canned_server
    app.status, app.headers, app.body, app.asked, app.bodies = 200, [], b"", 0, []
    return app, address


@pytest.fixture
def raw_server() -> Callable[..., Any]:
    """A server on the bare socket: `talk(connection)` is all that happens on each connection."""

    @contextmanager
    def serve(talk: Callable[[socket.socket], None]) -> Iterator[str]:
        done = threading.Event()

        def accept(listener: socket.socket) -> None:
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    talk(connection)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.2)
            thread = threading.Thread(target=_until(done, accept, listener), daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                done.set()
                thread.join()

    return serve


def _until(
    done: threading.Event, accept: Callable[[socket.socket], None], listener: socket.socket
) -> Callable[[], None]:
    def loop() -> None:
        while not done.is_set():
            accept(listener)

    return loop
