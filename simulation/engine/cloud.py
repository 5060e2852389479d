"""The simulated cloud: the project's stack, its functions and operators, on virtual time.

    with Cloud(nature, Settings()) as cloud:
        cloud.put_object(bucket, key, body)
        cloud.run_until(moment)
        cloud.come_to_rest()

Everything is single-threaded: the world goes on only in `run_until` and `come_to_rest`, and in whatever
waits for an answer. Only one cloud can run in a process at a time.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from types import TracebackType
from typing import Any, Self

from exnotify.cloud.stack import ScheduleSpec
from exnotify.deployment import Deployment as Operated
from simulation.nature import Nature
from simulation.outside import Answer, Outside, Reply, Request, Transport
from simulation.outside import Settings as Accounts
from simulation.services.s3_addresses import presigned

from .calls import Calls, Observed
from .client import Client
from .commands import Commands, Typed
from .deployment import API_URL, REGION, Deployment, deployed
from .functions import Functions
from .http import Http
from .invocations import Invocations
from .pollers import Poller
from .schedules import Schedules
from .services import Services
from .surroundings import Now, Output, encoded, entering, surroundings
from .tasks import Process, Task, Tasks

HOUR = 3600.0
QUIET = 2 * HOUR
"""Seconds without a change after which a world may be at rest."""

STANDING = ("channels:", "incident:")
"""Beginnings of the keys of what is due in the ledger again and again."""

IDLE = 180.0
"""Seconds without any event after which schedules may slow down."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack. `parameters` go over those of `exnotify up`; `site` is the folder of the site's own files;
    `keep_log` keeps every call and all output of the functions, for whoever replays a history."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    accounts: Accounts = field(default_factory=Accounts)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Text by the output that names the secret."""

    keep_log: bool = False

    schedules: frozenset[str] = frozenset()
    """The functions whose schedules run, by their code's name (`release_due`); empty: all."""


class Cloud:
    """See the module."""

    def __init__(self, nature: Nature, settings: Settings = Settings()) -> None:
        self.nature = nature
        self.timeline = nature.timeline
        self.deployment: Deployment = deployed(settings.parameters)
        self.outputs: Mapping[str, str] = self.deployment.outputs
        self._settings = settings
        self._named: Counter[str] = Counter()
        self._active = self._woken = self.timeline.now
        self._acts = 0
        self._now = Now(lambda: self.timeline.now)
        self.output: list[str] | None = [] if settings.keep_log else None
        self._world = encoded(os.environ)
        self.tasks = Tasks(self.timeline, entering(self._now, Output(self.output)))
        self.functions = Functions(
            self.deployment.functions,
            self.deployment.failures,
            self.tasks,
            self.timeline,
            nature.chance,
            self._to_destination,
        )
        self.functions.site = settings.site
        self.services = Services(self.deployment, nature, self._attend, self._invoke)
        self.outside = Outside(nature, self, settings.accounts)
        for service in self.outside.services:
            self.services.by_name[service.name] = service
        self.services.by_name["lambda"] = Invocations(self.functions, self.tasks, self._name)
        self.calls = Calls(self.tasks, nature, self.services.by_name)
        self.calls.stirred = self._stir
        self._pollers = {
            mapping.queue: Poller(mapping, self.services.sqs, self.functions, nature)
            for mapping in self.deployment.mappings
        }
        self._schedules = Schedules(
            self._scheduled(settings.schedules),
            self.functions,
            self.timeline,
            nature.chance,
            self._idle,
            lambda: self.services.next_due(lambda key: not key.startswith("channels:")),
        )
        self._http = Http(self.deployment, self.functions, self.tasks, self.timeline)
        if settings.keep_log:
            self.calls.log = []
        self._commands = Commands(self.tasks, self._operated)
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Put the simulated surroundings in place of the real ones."""
        transport = Transport(self._answer, self.tasks.sleep)
        self._exit.enter_context(
            surroundings(self.tasks, self._now, self._draw, self._client, transport, self._commands.swaps())
        )
        for output, text in self._settings.secrets.items():
            self.services.call("secretsmanager", "PutSecretValue", {
                "SecretId": self.outputs[output], "SecretString": text,
            })  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the real ones back. Whatever still runs is dropped."""
        for task in list(self.tasks.running):
            self.tasks.kill(task.process)
        self._exit.close()

    # ---- what enters the world; `Ways` of the world outside ----

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object, as Exstream or SES does."""
        self._enter("s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body}, f"{bucket}/{key}")

    def put_event(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the default bus; an entry that fails is put again, as a source must."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        while self._enter("events", "PutEvents", {"Entries": [entry]}, json.dumps(entry))["FailedEntryCount"]:
            pass

    def send(self, name: str, body: str) -> None:
        """Publish to a topic by its ARN; a queue by its ARN or URL gets the message as it is."""
        if ":sns:" in name:
            self._enter("sns", "Publish", {"TopicArn": name, "Message": body}, f"{name} {body}")
        else:
            url = next(q.url for q in self.deployment.queues.values() if name in (q.url, q.arn))
            self._enter("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body}, f"{name} {body}")

    def http(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Answer:
        """Ask the HTTP API and wait for the answer. `path` may be a whole address of ours."""
        self.awake()
        return self._http.ask(method, path.removeprefix(API_URL), headers, body)

    def task(self, name: str, act: Callable[[], Any]) -> Task:
        """Have an act of somebody outside go on by itself; one that fails is a defect. `name` is unique."""

        def done() -> Any:
            try:
                return act()
            except Exception as error:
                self.calls.stop(error, name)

        return self._begin(Process(name, self._world), done)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the act under way."""
        self.tasks.sleep(seconds)

    def secret(self, arn: str) -> str:
        """A secret's present text."""
        text: str = self.services.call("secretsmanager", "GetSecretValue", {"SecretId": arn})["SecretString"]
        return text

    def fire(self, function: str) -> None:
        """Run a scheduled function now."""
        self._schedules.fire(function, self._name(f"fire {function}"))

    # ---- operators and readers ----

    def operator(self, name: str, act: Callable[[Operated], Any]) -> Task:
        """Have an operator's command do something, as a task with faults as drawn; `name` is unique.

        `act` gets the stack as the command's own code has it. What it returns or raises is the task's.
        """
        process = Process(f"operator {name}", self._world)
        return self._begin(process, lambda: act(self._operated()))

    def command(self, name: str, line: Sequence[str]) -> Task:
        """Have an operator type `exnotify` with these arguments; the task's value is a `Typed`."""
        process = Process(f"operator {name}", self._world)
        return self._begin(process, lambda: self._commands.run(process, line))

    def read(self, act: Callable[[Operated], Any]) -> Any:
        """What a reading command finds now: at once, without time or faults."""
        return act(self._operated())

    def look(self, line: Sequence[str]) -> Typed:
        """What a reading command shows now: at once, without time or faults."""
        try:
            return self._commands.run(Process("reader", self._world), line)
        finally:
            self.tasks.enter(None)

    def _scheduled(self, wanted: frozenset[str]) -> list[ScheduleSpec]:
        known = self.deployment.schedules
        named = {self.functions.short(self.functions.name_of(str(s.target["Arn"]))): s for s in known}
        return [named[name] for name in named if name in wanted] if wanted else known

    def _operated(self) -> Operated:
        """The stack as a command sees it; no address, so that nothing is asked over a socket."""
        made: dict[str, Client] = {}

        def client(service: str) -> Client:
            return made.setdefault(service, self._client(service, None))

        found = Operated(
            "stack exnotify", self.outputs, client, self.deployment.parameters, site=self.functions.site
        )
        found.__dict__["who"] = "operator"
        return found

    # ---- time ----

    def run_until(self, moment: float) -> None:
        """Let the world go on until a moment (epoch seconds)."""
        timeline = self.timeline
        timeline.until = moment
        while (following := timeline.next()) is not None and following <= moment:
            timeline.step()
            if self.calls.defect:
                raise self.calls.defect
        timeline.now = max(timeline.now, moment)

    def come_to_rest(self, horizon: float = 48 * HOUR, most: float = 60 * 24 * HOUR) -> bool:
        """No more faults; then let the world go on until nothing is under way, or due within the horizon.

        Standing looks do not count: at the alert channels, at open incidents, the day's export. False if
        something still happens after `most` seconds.
        """
        self.nature.chance.calm = True
        ends = self.timeline.now + most
        while self.timeline.now < ends:
            due = self.services.next_due(lambda key: not key.startswith(STANDING))
            if not self.under_way() and self._active + QUIET < self.timeline.now:
                if due is None or due > self.timeline.now + horizon:
                    return True
                self.run_until(min(due, ends))
            self.run_until(min(self.timeline.now + QUIET, ends))
        return False

    def under_way(self) -> bool:
        """Whether a message, a command, an act of somebody outside or an execution's task is under way."""
        return self._busy() or any(self.services.sqs.next_at(queue) is not None for queue in self._pollers)

    def _busy(self) -> bool:
        """Whether something is done just now; a message that nobody can receive yet is not."""
        return bool(
            self._acts or self.services.moving() or any(poller.busy for poller in self._pollers.values())
        )

    def _idle(self) -> bool:
        return self._woken + IDLE < self.timeline.now and not self._busy()

    def awake(self) -> None:
        """Something happens: schedules keep the template's pace for a while."""
        self._active = self._woken = self.timeline.now
        self._schedules.awake()

    def _stir(self, standing: bool) -> None:
        """Something changed; `standing`: it is told again and again while it lasts, and wakes nobody."""
        if standing:
            self._active = self.timeline.now
        else:
            self.awake()

    # ---- what left ----

    @property
    def observed(self) -> list[Observed]:
        """Events and messages that were published, and answers that were lost, in order."""
        return self.calls.observed

    @property
    def digest(self) -> str:
        """Of all calls: equal histories have equal ones."""
        return self.calls.digest

    # ----

    def _begin(self, process: Process, act: Callable[[], Any]) -> Task:
        self.awake()
        self._acts += 1

        def over(_: Task) -> None:
            self._acts -= 1

        return self.tasks.start(process.name, process, act, over)

    def _enter(self, service: str, operation: str, request: dict[str, Any], about: str) -> dict[str, Any]:
        self.awake()
        self.nature.place = self._name(f"outside {operation} {about}")
        return self.services.by_name[service].call(operation, request)

    def _name(self, what: str) -> str:
        """A name that only what it is and how often it was before decide."""
        self._named[what] += 1
        digest = blake2b(what.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return f"{what[:40]} {digest}:{self._named[what]}"

    def _attend(self, queue: str, moment: float) -> None:
        if queue in self._pollers:
            self._pollers[queue].attend(moment)

    def _invoke(self, arn: str, event: Any, name: str, then: Callable[[Any], None] | None) -> None:
        function = self.functions.name_of(arn)
        if then is None:
            self.functions.start(function, event, name)
        else:
            self.functions.invoke(function, json.loads(json.dumps(event)), name, then)

    def _to_destination(self, arn: str, body: str, attributes: Mapping[str, str]) -> None:
        self.services.sqs.put(arn, body, self._name(f"destination {body}"))

    def _client(self, service: str, config: Any) -> Client:
        attempts = 3 if config is None else (config.retries or {}).get("total_max_attempts", 3)
        return Client(service, self.calls.call, REGION, attempts, self._presign)

    def _presign(self, parameters: Mapping[str, Any], seconds: int) -> str:
        return presigned(self.services.s3, parameters, seconds)

    def _answer(self, request: Request) -> Reply:
        about = (request.method, request.url, request.body)
        operation = f"{request.method} {request.url.partition('?')[0]}"
        answer: Reply = self.calls.exchange(operation, about, lambda: self.outside.answer(request))
        return answer

    def _draw(self, size: int) -> bytes:
        task = self.tasks.current
        if task is None:
            self._named["draw"] += 1
            named = f"draw {self._named['draw']}"
        else:
            task.draws += 1
            named = f"draw {task.draws} of {task.name}"
        found = b""
        while len(found) < size:
            number = f"{self.nature.chance.seed}\0{named} {len(found)}"
            found += blake2b(number.encode(), digest_size=min(size - len(found), 64)).digest()
        return found
