"""The simulators and the inbox, called as WSGI applications."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from exnotify.simulators import MessageStore, SimulatedMessage, Simulators
from exnotify.simulators.store import pack

SENT_AT = datetime(2026, 11, 20, 4, 20, tzinfo=UTC)


def signed(service: str) -> str:
    """A header as the SDK signs; the simulators do not recompute the signature."""
    scope = f"AKIAEXAMPLE/20261120/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"


class Answer(TestResponse):
    """An answer whose JSON is read whatever its content type."""

    json = property(lambda self: self.get_json(force=True))  # type: ignore[assignment]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = SENT_AT

    def __call__(self) -> datetime:
        """The time."""
        return self.at

    def forward(self, seconds: float) -> None:
        """Move it."""
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """It stands at 2026-11-20 04:20 UTC."""
    return Clock()


@pytest.fixture
def simulators(clock: Clock) -> Iterator[Simulators]:
    """All three providers; anybody may use them."""
    found = Simulators(now=clock, hold=0.05)
    yield found
    found.close()


@pytest.fixture
def post(simulators: Simulators) -> Callable[..., Any]:
    """Posts a document to a provider; the answer."""
    client = Client(simulators, Answer)

    def do(provider: str, document: Any, path: str = "", **headers: str) -> Any:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        given = {"Content-Type": "application/json"}
        if provider == "opentext":
            given["Authorization"] = "Basic YWxpY2U6c2VjcmV0"
            path = path or "/mra/v1/outbound/emails"
        elif provider == "ses":
            given["Authorization"] = signed("ses")
            path = path or "/v2/email/outbound-emails"
        else:
            given["Authorization"] = signed("sms-voice")
            given["Content-Type"] = "application/x-amz-json-1.0"
            given["X-Amz-Target"] = "PinpointSMSVoiceV2.SendTextMessage"
            path = path or "/"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, data=body, headers=given)

    return do


@pytest.fixture
def message() -> Callable[..., SimulatedMessage]:
    """Makes messages as the simulators keep them."""

    def make(store: MessageStore | None = None, **changes: Any) -> SimulatedMessage:
        html = changes.pop("html", "<p>Your statement is ready.</p>")
        fields = {
            "provider": "ses",
            "channel": "email",
            "to": "ann@example.com",
            "sender": "notices@example.com",
            "sender_name": "Example Company",
            "subject": "Your statement",
            "text": "Your statement is ready.",
            "ref": f"{1:032x}:2",
            "job_id": "m-1",
            "message_id": "m-1",
            "sent_at": SENT_AT,
            "packed_html": pack(html),
            "request": b'{"a": 1}',
        } | changes
        return (store if store is not None else MessageStore()).add(**fields)

    return make
