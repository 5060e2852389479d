"""A world with nothing but the outside in it: the product's adapters reach it, and it reaches nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
import pytest
from botocore.exceptions import ClientError

from exstream_notify.adapters.providers.credentials import Credentials
from exstream_notify.adapters.providers.opentext import OpenText, OpenTextSettings
from exstream_notify.adapters.providers.ses import Ses, SesSettings
from exstream_notify.adapters.providers.sms import Sms, SmsSettings
from exstream_notify.domain.messages import Answer, Content, Message
from exstream_notify.domain.references import made
from simulation.nature import Chance, Nature, Timeline
from simulation.outside import Broken, Outside, Reply, Request, Settings, Transport
from simulation.outside.ways import Answer as HttpAnswer
from simulation.service import Refused, Service

START = 1_795_140_000.0
TOPICS = ("SesReceiptsTopicArn", "SmsReceiptsTopicArn", "SmsRepliesTopicArn")
HOOK_SECRET = "the hook's secret"
MAIL_KEY = b"the key of the references in mails"


@dataclass
class Recorded:
    """`Ways` that only write down what comes, or answer as `answers` says. Tasks run at once, without time."""

    outputs: Mapping[str, str] = field(
        default_factory=lambda: {
            name: name for name in (*TOPICS, "ReceiptHookSecretArn", "BounceMailBucketName")
        }
    )
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str], str]] = field(default_factory=list)
    answers: Callable[[str, str, str], HttpAnswer] = lambda method, path, body: HttpAnswer(202)
    tasks: list[str] = field(default_factory=list)

    def task(self, name: str, act: Callable[[], None]) -> None:
        assert name not in self.tasks
        self.tasks.append(name)
        act()

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0

    def http(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> HttpAnswer:
        self.asked.append((method, path, headers, body))
        return self.answers(method, path, body)

    def send(self, name: str, body: str) -> None:
        self.sent.append((name, json.loads(body)))

    def put_event(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        self.events.append((source, detail_type, detail))

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[bucket, key] = body

    def secret(self, arn: str) -> str:
        return json.dumps({"current": "v1", "v1": HOOK_SECRET})


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every client of httpx end in the world."""
    monkeypatch.setattr(httpx._client, "HTTPTransport", lambda **_: World.newest.transport)


class World:
    """The product's three providers over the outside. `passed` is how long the callers waited, in all."""

    newest: ClassVar[World]

    def __init__(
        self, rates: Mapping[str, float] | None = None, settings: Settings | None = None, seed: str = "1"
    ) -> None:
        self.nature = Nature(Timeline(START), Chance(seed, rates))
        self.ways = Recorded()
        self.outside = Outside(self.nature, self.ways, settings or Settings())
        self.passed = 0.0
        self._calls = 0
        self.transport = Transport(self._answer, self.sleep)
        World.newest = self

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def settle(self) -> None:
        """Let everything happen that is still to happen."""
        while self.nature.timeline.step():
            pass

    def provider(self, name: str, *, deduplicates: bool = False, token_url: str = "") -> Any:
        """The product's own adapter of a provider."""
        if name == "ses":
            ses = SesSettings("notices@example.com", "Example")
            return Ses(ses, lambda: self._client("sesv2"), lambda ref: made(*self._split(ref), 1, MAIL_KEY))
        if name == "sms":
            return Sms(SmsSettings("+12025550199"), lambda: self._client("pinpoint-sms-voice-v2"), self._now)
        settings = OpenTextSettings("https://opentext.example.com", token_url, deduplicates=deduplicates)
        return OpenText(settings, lambda: Credentials("client", "secret"), self._now)

    def send(self, provider: Any, message: Message) -> Answer:
        """Hand a message over; what the product makes of the answer."""
        answer: Answer = next(iter(provider.send([provider.request(message)])))
        return answer

    def _answer(self, request: Request) -> Reply:
        self._name_the_call()
        return self.outside.answer(request)

    def _name_the_call(self) -> None:
        self._calls += 1
        self.nature.place = f"call {self._calls}"

    def _split(self, ref: str) -> tuple[str, int]:
        notice_id, _, attempt = ref.partition(":")
        return notice_id, int(attempt)

    def _now(self) -> float:
        return self.nature.timeline.now

    def _client(self, name: str) -> Any:
        service = next(service for service in self.outside.services if service.name == name)
        return SimpleNamespace(
            meta=SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1})),
            close=lambda: None,
            send_email=lambda **request: self._call(service, "SendEmail", request),
            send_text_message=lambda **request: self._call(service, "SendTextMessage", request),
        )

    def _call(self, service: Service, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._name_the_call()
        try:
            return service.call(operation, request)
        except Refused as refused:
            error = {"Code": refused.code, "Message": refused.message}
            metadata = {"HTTPStatusCode": refused.status}
            response = {"Error": error, "ResponseMetadata": metadata, **refused.body}
            raise ClientError(response, operation) from None  # type: ignore[arg-type]
        except Broken as broken:
            self.sleep(broken.seconds)
            raise broken.as_botocore() from None


def message(
    provider: str, number: int = 1, attempt: int = 1, link: str = "https://documents.example.com/d/T"
) -> Message:
    """A notice by the provider's first channel; each number is another notice and another customer."""
    ref = f"{number:032x}:{attempt}"
    if provider == "sms":
        return Message(
            ref, "sms", f"+120255501{number % 100:02d}", "transactional", Content(f"Ready: {link}")
        )
    content = Content(f"Read it: {link}", subject="Your statement", html=f'<a href="{link}">Read it</a>')
    return Message(ref, "email", f"c{number}@example.com", "transactional", content)
