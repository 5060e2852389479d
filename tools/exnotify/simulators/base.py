"""What the simulators have in common: how a request is met, by conduct of the address and by faults."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from wsgiref.types import StartResponse, WSGIEnvironment

from .behaviours import Conduct
from .faults import Fault, Faults
from .receipts import Sink, receipts
from .store import MessageStore, SimulatedMessage
from .wire import Refused, Reply, Request, hang_up

_CONDUCT_OF: dict[Fault, Conduct] = {
    Fault.DOWN: Conduct.DOWN,
    Fault.THROTTLE: Conduct.THROTTLE,
    Fault.HANG: Conduct.HANG,
    Fault.DROP: Conduct.DROP,
}


class _HangUp(Exception):
    """The connection ends without an answer."""


class Simulator(ABC):
    """A provider as a WSGI application. Safe under threads.

    `hold` is how many seconds `HANG` keeps a caller waiting before the connection closes; `close` lets
    all who wait go at once.
    """

    name: str

    def __init__(
        self,
        store: MessageStore,
        faults: Faults,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        hold: float = 30.0,
        sink: Sink | None = None,
    ) -> None:
        self.store = store
        self.faults = faults
        self.now = now
        self.hold = hold
        self.sink = sink
        self._closing = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or don't."""
        try:
            reply = self.answer(Request.of(environ))
        except Refused as refused:
            reply = refused.reply
        except _HangUp:
            return hang_up(environ)
        return reply(start_response)

    def close(self) -> None:
        """Let all who wait for an answer go."""
        self._closing.set()

    @abstractmethod
    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether this provider is asked."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """The answer to a request."""

    @abstractmethod
    def throttled(self) -> Reply:
        """The provider's "too many requests"."""

    @abstractmethod
    def unavailable(self) -> Reply:
        """The provider's "not now"."""

    @abstractmethod
    def broken(self) -> Reply:
        """The provider's internal error."""

    @abstractmethod
    def refused(self) -> Reply:
        """The provider's refusal of an address."""

    def strike(self, sent: bytes) -> Conduct | None:
        """The fault that this request meets, after waiting as long as the provider is slow."""
        slow = self.faults.of(self.name).slow
        if slow:
            self._closing.wait(slow)
        fault = self.faults.draw(self.name, sent)
        return _CONDUCT_OF[fault] if fault else None

    def perform(self, conduct: Conduct, key: str, accept: Callable[[], Reply]) -> Reply:
        """Do what the conduct says; `accept` keeps the message and gives the plain answer."""
        if conduct is Conduct.BUSY:
            with self._lock:
                first = key not in self._busy
                self._busy.add(key)
            conduct = Conduct.THROTTLE if first else Conduct.ACCEPT
        if conduct is Conduct.THROTTLE:
            return self.throttled()
        if conduct is Conduct.DOWN:
            return self.unavailable()
        if conduct is Conduct.REFUSE:
            return self.refused()
        if conduct is Conduct.VOID:
            raise _HangUp
        reply = accept()
        if conduct is Conduct.HANG:
            self._closing.wait(self.hold)
            raise _HangUp
        if conduct is Conduct.DROP:
            raise _HangUp
        if conduct is Conduct.BREAK:
            return self.broken()
        if conduct is Conduct.GARBLE:
            return Reply(200, reply.body[: len(reply.body) // 2], reply.content_type)
        return reply

    def keep(self, **fields: object) -> SimulatedMessage:
        """Keep an accepted message and announce its receipts."""
        message = self.store.add(provider=self.name, sent_at=self.now(), **fields)
        if self.sink is not None:
            self.sink(message, receipts(message))
        return message
