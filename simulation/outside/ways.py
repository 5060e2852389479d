"""How the outside reaches the product; the engine has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the HTTP API. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


class Ways(Protocol):
    """All of it happens at the moment of the call; what it sets off takes its virtual time."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs, for the names of topics, buckets and secrets."""

    def task(self, name: str, act: Callable[[], None]) -> object:
        """Have an act go on by itself; only in one may `http` and `sleep` be called. `name` is unique."""

    def sleep(self, seconds: float) -> None:
        """Let time pass for the act under way."""

    def http(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Answer:
        """Ask the HTTP API and wait for the answer. `path` may have a query."""

    def send(self, name: str, body: str) -> None:
        """Publish to a topic by its ARN: the queues that subscribe get it in SNS's envelope."""

    def put_event(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the default bus."""

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object, as SES stores an incoming mail."""

    def secret(self, arn: str) -> str:
        """A secret's present text, as whoever set up the other side copied it."""
