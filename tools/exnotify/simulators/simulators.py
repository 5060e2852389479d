"""The three providers together, and their switches over HTTP."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .base import Simulator
from .faults import Faults
from .opentext import OpenTextSimulator
from .receipts import Sink
from .ses import SesSimulator
from .sms import SmsSimulator
from .store import MessageStore
from .wire import Refused, Reply, Request, json_reply

Predicate: TypeAlias = Callable[[WSGIEnvironment], bool]
FAULTS_PATH = "/simulators/faults"


class Simulators:
    """OpenText, SES and SMS over one store and one set of faults.

    `now` is the clock that messages and tokens go by, `hold` how many seconds a caller is kept waiting
    by `timeout` addresses, `sink` gets each accepted message with its receipts to come.
    """

    def __init__(
        self,
        *,
        store: MessageStore | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int = 0,
        hold: float = 30.0,
        sink: Sink | None = None,
        accounts: Mapping[str, str] | None = None,
    ) -> None:
        self.store = store if store is not None else MessageStore()
        self.faults = Faults(seed)
        self.opentext = OpenTextSimulator(self.store, self.faults, now, hold, sink, accounts)
        self.ses = SesSimulator(self.store, self.faults, now, hold, sink)
        self.sms = SmsSimulator(self.store, self.faults, now, hold, sink)

    @property
    def providers(self) -> tuple[Simulator, ...]:
        """The providers."""
        return (self.opentext, self.ses, self.sms)

    def mounts(self) -> list[tuple[Predicate, WSGIApplication]]:
        """What to mount in a server: predicates and applications, in order."""
        switches: tuple[Predicate, WSGIApplication] = (
            lambda environ: environ.get("PATH_INFO") == FAULTS_PATH,
            self._switches,
        )
        return [switches, *((provider.matches, provider) for provider in self.providers)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """All of them as one application."""
        for matches, app in self.mounts():
            if matches(environ):
                return app(environ, start_response)
        return json_reply(404, {"error": "no provider here"})(start_response)

    def close(self) -> None:
        """Let all callers who are kept waiting go."""
        for provider in self.providers:
            provider.close()

    def _switches(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            reply = self._switch(Request.of(environ))
        except Refused as refused:
            reply = refused.reply
        return reply(start_response)

    def _switch(self, request: Request) -> Reply:
        """GET tells the faults; POST `{"ses": {"throttle": 0.2}}` changes them; DELETE ends them all.

        Only JSON is taken, which a page of another origin cannot send without being asked first.
        """
        names = {provider.name for provider in self.providers}
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            if request.content_type != "application/json":
                return json_reply(415, {"error": "application/json only"})
            try:
                wanted = request.json()
                if not isinstance(wanted, dict) or set(wanted) - names:
                    raise ValueError(f"an object by provider: {', '.join(sorted(names))}")
                for name, changes in wanted.items():
                    if not isinstance(changes, dict):
                        raise ValueError(f"{name}: an object of settings")
                    self.faults.set(name, **changes)
            except ValueError as error:
                return json_reply(400, {"error": str(error)})
        elif request.method != "GET":
            return json_reply(405, {"error": "GET, POST or DELETE"}, ("Allow", "GET, POST, DELETE"))
        return json_reply(200, {name: asdict(self.faults.of(name)) for name in sorted(names)})
