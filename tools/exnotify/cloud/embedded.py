"""The embedded cloud: the project's template, deployed and running in this process."""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from werkzeug.wrappers import Response

from .access import ADMIN_ACCESS_KEY, ADMIN_SECRET_KEY, AccessControl
from .alarms import AlarmBoard
from .asynchronous import AsynchronousInvoker
from .aws_request import AwsRequest
from .clients import Clients
from .clock import WORKING_RATE, Clock
from .cloudformation import CloudFormation
from .control import PREFIX, Control, lambda_api
from .corrections import corrected
from .deploy import deploy
from .emulator import Emulator
from .eventbus import EventBus
from .functions import Credentials, Function, Functions, Outcome, UnknownFunctionError
from .httpapi import HttpApi
from .lambda_reads import lambda_reads
from .logs import LogBook, LogLine, Metric
from .machines import Machines
from .metrics import MetricBook
from .partial import PartialAnswers
from .poller import Chaos, Poller
from .schedules import Schedule, Ticker
from .server import Server, Where
from .stack import Resource, ScheduleSpec, Stack
from .template import load_template
from .watcher import Watcher
from .wsgi import WsgiApp, WsgiServer

#: What `chaos` may contain; `faults` concerns the providers' simulators alone.
CHAOS = frozenset({"duplicates", "reorder", "partial", "faults"})

_STACK = "exnotify"
_POLL = 0.05  # seconds between looks of `idle`
_PACE = 0.03  # real seconds between looks at whether work is under way
_WATCHED = (
    300.0  # seconds of a day from which on alarms are watched: by a faster clock every look is too late
)
_QUIET = 3  # so many looks must find nothing before the clock runs at full pace


class EmbeddedCloud:
    """One stack on one machine: `with EmbeddedCloud(template) as cloud: ...`.

    A parameter's value may contain `{url}`, the address of this cloud, for services that are mounted on it,
    and `{api}`, the address of its HTTP API: one port further than `port`, or a free one.
    `at` (ISO 8601) is when its clock starts, `day` how many real seconds one of its days lasts, and
    `working_rate` how many of its seconds a real one lasts at most while work is under way. `seed` decides
    what `chaos` does (but `faults`). `workers` is how many invocations each event source may have
    at once. `redelivery` is how many real seconds it takes at most until the messages of a failed invocation
    are visible again; None waits for the visibility time-out, as AWS does. `environment` is added to every
    function's environment: for tests.

    Nothing is kept when it stops. Only one can run in a process; starting a second raises RuntimeError.
    """

    def __init__(
        self,
        template: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        parameters: Mapping[str, str] | None = None,
        at: str | None = None,
        day: float | None = None,
        working_rate: float = WORKING_RATE,
        seed: int = 0,
        chaos: frozenset[str] = frozenset(),
        workers: int = 2,
        redelivery: float | None = 5.0,
        log_dir: Path | None = None,
        region: str = "us-east-1",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if chaos - CHAOS:
            unknown = ", ".join(sorted(chaos - CHAOS))
            raise ValueError(f"no chaos called {unknown}: there is {', '.join(sorted(CHAOS))}")
        self._template = template
        self._address = (host, port)
        self._parameters = dict(parameters or {})
        self._given_environment = dict(environment or {})
        self._workers = workers
        self._redelivery = redelivery
        self._chaos = Chaos("duplicates" in chaos, "reorder" in chaos, seed)
        self._logs = LogBook(log_dir)
        self._emulator = Emulator(region)
        self._emulator.partial = PartialAnswers(seed) if "partial" in chaos else None
        self._access = AccessControl(self._emulator)
        self._server = Server(self._emulator, self._access)
        self._clock = Clock.starting(at, day, working_rate)
        self._waits_for_looks = day is not None and day >= _WATCHED
        self._book = MetricBook(self._clock)
        self._logs.listener = self._keep
        self._watcher: Watcher | None = None
        self._functions = Functions(self._logs, self._assume, self._common_environment)
        self._asynchronous = AsynchronousInvoker(self._functions, self._clock, self._deliver, 2 * workers)
        self._stack = Stack(_STACK, self._emulator.place, self.client, self._access, {})
        self._pollers: list[Poller] = []
        self._schedules: list[Schedule] = []
        self._clients: Clients | None = None
        self._exit = ExitStack()
        self._stop_requested = threading.Event()
        self._url = ""
        bus = self._emulator.place.arn("events", "event-bus/default")
        self._machines = Machines(
            self._clock,
            self.invoke,
            self._put_events,
            self._role_may,
            bus,
            lambda metric, arn: self._book.record("AWS/States", metric, {"StateMachineArn": arn}, 1),
        )
        self._server.answer("states", self._machines.answer)
        self._server.mount(PREFIX, Control(self))
        self._server.answer("lambda", self._lambda_api)
        self._server.answer("cloudformation", CloudFormation(self._stack).answer)

    # ---- life ----

    def __enter__(self) -> Self:
        """Starts it."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops it."""
        self.stop()

    def mount(self, where: Where, app: WsgiApp) -> None:
        """Serves a WSGI application for paths under a prefix, or for requests that satisfy `where`.

        It finds `exnotify.allowed` in its environ: a function of action, resource and context that tells
        whether the request's signer may do it.
        """
        self._server.mount(where, app)

    def start(self) -> Self:
        """Deploys the template and starts whatever polls and ticks.

        Raises TemplateError if the template cannot be deployed; nothing runs then.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        self._exit.enter_context(self._emulator.running())
        self._exit.callback(_end_on_sigterm())
        if self._clock.is_paced:
            folder = Path(self._exit.enter_context(TemporaryDirectory(prefix="exnotify-clock-")))
            self._clock.keep_in(folder / "clock.json")
            self._clock.hold(True)
        self._url = self._server.start(*self._address)
        self._exit.callback(self._server.stop)
        self._start_api()
        self._clients = Clients(self._server, self._url, self._emulator.region)
        # Imports what functions need, in a process of its own, while this one deploys.
        self._functions.start()
        self._exit.callback(self._functions.stop)
        self._exit.callback(self._asynchronous.stop)
        bus = EventBus(
            self._emulator,
            self._access,
            self._clock,
            self._asynchronous.start,
            self._stack.may_invoke,
            lambda metric, rule: self._book.record("AWS/Events", metric, {"RuleName": rule}, 1),
        )
        self._exit.enter_context(corrected(bus, self._access, self._clock))
        self._deploy()
        self._run(bus)

    def _start_api(self) -> None:
        host, port = self._address
        place = self._stack.place
        may_invoke = self._stack.may_invoke
        api = HttpApi(
            self._stack.api,
            place.account,
            place.region,
            self._clock,
            self.invoke,
            may_invoke,
            self._measure_api,
        )
        server = WsgiServer(host, port + 1 if port else 0, api)
        server.start()
        self._exit.callback(server.stop)
        self._stack.api.url = f"http://{host}:{server.port}"

    def _deploy(self) -> None:
        values = {name: self.filled(value) for name, value in self._parameters.items()}
        template = load_template(self._template, values, self._emulator.region)
        self._stack.code = template.code
        deploy(template, self._stack)
        for spec in self._stack.functions.values():
            self._functions.add(spec)
        for machine in self._stack.machines.values():
            self._machines.add(machine)
        for name, config in self._stack.invoke_configs.items():
            self._asynchronous.configure(name, config)

    def _run(self, bus: EventBus) -> None:
        self._pollers = [
            Poller(
                mapping,
                self._functions.find(mapping.function),
                self._emulator,
                self._clock,
                workers=self._workers,
                redelivery=self._redelivery,
                chaos=self._chaos,
            )
            for mapping in self._stack.mappings
        ]
        self._schedules = [self._schedule(spec, bus) for spec in self._stack.schedules]
        ticker = Ticker(self._schedules, self._clock)
        self._exit.callback(self._stop_pollers)
        self._exit.callback(ticker.stop)
        for poller in self._pollers:
            poller.start()
        self._exit.callback(self._machines.stop)
        self._machines.start()
        ticker.start()
        board = AlarmBoard(self._stack.alarms, self._stack.composites, self._book)
        queues = [queue.attributes["QueueName"] for queue in self._queues()]
        self._watcher = Watcher(board, self._book, self._clock, self._emulator, queues)
        self._exit.callback(self._watcher.stop)
        self._watcher.start()
        if self._clock.is_paced:
            pacer = threading.Thread(target=self._keep_pace, name="pace", daemon=True)
            pacer.start()
            self._exit.callback(pacer.join)
            self._exit.callback(self._stop_requested.set)

    def _keep_pace(self) -> None:
        """Hold the clock back while work is under way, and let it run when all of it is done."""
        held, quiet = True, 0
        while not self._stop_requested.wait(_PACE):
            quiet = 0 if self.under_way() else quiet + 1
            if held is not (quiet < _QUIET):
                held = not held
                self._clock.hold(held)

    def under_way(self) -> bool:
        """Whether something happens that is not merely a look at whether something is due.

        `state` counts such looks, too: on a fast clock there is always one.
        """
        if any(poller.busy for poller in self._pollers):
            return True
        scheduled = self._scheduled()
        if self._waits_for_looks and any(function.lagging for function in self._functions):
            return True
        if any(function.running for function in self._functions if function.spec.logical_id not in scheduled):
            return True
        depths = (self._emulator.depth(mapping.queue) for mapping in self._stack.mappings)
        return any(depth["visible"] or depth["in_flight"] for depth in depths)

    def _stop_pollers(self) -> None:
        for poller in self._pollers:
            poller.give_up()
        self._asynchronous.give_up()
        self._functions.stop()  # whoever waits for an invocation gets its end now
        for poller in self._pollers:
            poller.stop()

    def stop(self) -> None:
        """Ends every process and thread, and forgets everything. Safe to call twice."""
        self._stop_requested.set()
        self._exit.close()

    def request_stop(self) -> None:
        """Lets `wait` return; whoever waits then stops the cloud."""
        self._stop_requested.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until a stop is requested, at most `timeout` seconds; whether it was."""
        return self._stop_requested.wait(timeout)

    # ---- use ----

    @property
    def url(self) -> str:
        """The address of everything: AWS endpoint, mounted services, control."""
        return self._url

    @property
    def api_url(self) -> str:
        """The address of the HTTP API."""
        return self._stack.api.url

    def filled(self, value: str) -> str:
        """A parameter's value with the addresses that it asks for."""
        return value.replace("{url}", self._url).replace("{api}", self._stack.api.url)

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return dict(self._stack.outputs)

    @property
    def clock(self) -> Clock:
        """The cloud's clock."""
        return self._clock

    def client(self, service: str) -> Any:
        """The administrator's boto3 client of a service; it needs no socket."""
        if self._clients is None:
            raise RuntimeError("the embedded cloud is not running")
        return self._clients(service)

    def resource(self, logical_id: str) -> str:
        """What Ref yields for a resource. Raises KeyError."""
        return self._stack.resources[logical_id].ref

    def allowed(
        self,
        access_key: str | None,
        action: str,
        resource: str = "*",
        context: Mapping[str, str] | None = None,
    ) -> bool:
        """Whether the holder of an access key id may do `action` on `resource`."""
        return self._access.allowed(access_key, action, resource, context)

    def policies_changed(self) -> None:
        """Reads every policy anew; call it after changing one."""
        self._access.forget()

    def invoke(self, function: str, event: Any) -> Outcome:
        """Runs a function (logical id, name or ARN) and waits for its end.

        Raises UnknownFunctionError, ThrottledError.
        """
        return self._functions.find(function).invoke(event)

    def tick(self, name: str) -> Outcome:
        """Runs a scheduled function (logical id) now, with its schedule's event.

        Raises UnknownFunctionError, ThrottledError.
        """
        function = self._functions.find(name)
        for schedule in self._schedules:
            if schedule.function == function.spec.logical_id:
                return function.invoke(schedule.event(self._clock))
        scheduled = ", ".join(sorted(self._scheduled())) or "no function"
        raise UnknownFunctionError(f"{name} has no schedule: {scheduled} has")

    def worker_pids(self, function: str) -> list[int]:
        """Process ids of a function's workers: for tests that kill one."""
        return self._functions.find(function).pids

    def busy_workers(self) -> list[tuple[str, int]]:
        """Function (logical id) and process id of every worker that is at work."""
        return [(function.spec.logical_id, pid) for function in self._functions for pid in function.busy_pids]

    def environment(self, function: str) -> dict[str, str]:
        """The environment that a function's workers get, its role's credentials included."""
        return self._functions.environment(self._functions.find(function).spec)

    def logs(self, function: str | None = None) -> list[str]:
        """The last lines of a function (logical id), or of all functions, oldest first."""
        return [line.text for line in self._logs.lines(function)]

    def log_lines(self, function: str | None = None) -> list[LogLine]:
        """As `logs`, with time and function."""
        return self._logs.lines(function)

    def metrics(self) -> list[Metric]:
        """Metric values that functions embedded in their logs, oldest first."""
        return self._logs.metrics()

    @property
    def metric_book(self) -> MetricBook:
        """Every metric's data points; whoever emulates a service records what AWS would measure."""
        return self._book

    @property
    def watcher(self) -> Watcher:
        """What evaluates the alarms. Raises RuntimeError before the start."""
        if self._watcher is None:
            raise RuntimeError("the embedded cloud is not running")
        return self._watcher

    def alarms(self) -> list[dict[str, Any]]:
        """Every alarm with its state, those in alarm first."""
        return self.watcher.rows()

    def state(self) -> dict[str, Any]:
        """What waits in queues and what runs: `idle` is true when nothing more will happen by itself.

        Schedules aside; and what lies in queues that no function reads, as dead letters do, does not count.
        """
        # What runs is looked at first: what it has sent before its end is then in a queue, or done.
        running = {function.spec.logical_id: function.running for function in self._functions}
        pending = self._asynchronous.pending()
        executions = self._machines.running
        busy = any(poller.busy for poller in self._pollers)
        fed = {mapping.queue_arn for mapping in self._stack.mappings}
        queues = {queue.logical_id: queue.attributes for queue in self._queues()}
        depths = {name: self._emulator.depth(queue["QueueName"]) for name, queue in queues.items()}
        waiting = any(any(depth.values()) for name, depth in depths.items() if queues[name]["Arn"] in fed)
        return {
            "idle": not (waiting or pending or busy or executions or any(running.values())),
            "queues": depths,
            "running": running,
            "asynchronous": pending,
            "executions": executions,
            "now": self._clock.utc().isoformat(timespec="seconds"),
        }

    def idle(self, timeout: float) -> bool:
        """Waits at most `timeout` seconds until nothing is queued or runs; whether it came to that."""
        deadline = time.monotonic() + timeout
        while not self.state()["idle"]:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def describe(self) -> dict[str, Any]:
        """Everything a command needs to use this cloud; what `GET /_exnotify/outputs` answers."""
        stack = self._stack
        return {
            "stack": stack.name,
            "url": self._url,
            "api": self._stack.api.url,
            "account": stack.place.account,
            "region": stack.place.region,
            # Only good on this machine, and not secret there.
            "admin": {"access_key_id": ADMIN_ACCESS_KEY, "secret_access_key": ADMIN_SECRET_KEY},
            "outputs": stack.outputs,
            "resources": {
                name: {"type": resource.type, "id": resource.ref, "arn": resource.attributes.get("Arn")}
                for name, resource in stack.resources.items()
            },
            "scheduled": sorted(self._scheduled()),
            "clock": json.loads(self._clock.as_json()),
        }

    # ---- inside ----

    def _keep(self, metric: Metric) -> None:
        at = self._clock.at_real(metric.time)
        self._book.record(metric.namespace, metric.name, metric.dimensions, metric.value, at)

    def _measure_api(self, metric: str, value: float) -> None:
        self._book.record("AWS/ApiGateway", metric, {"ApiId": self._stack.api.api_id}, value)

    def _queues(self) -> list[Resource]:
        return [r for r in self._stack.resources.values() if r.type == "AWS::SQS::Queue"]

    def _common_environment(self) -> dict[str, str]:
        region = self._emulator.region
        common = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ENDPOINT_URL": self._url}
        if self._clock.is_virtual:
            common["EXNOTIFY_CLOCK"] = self._clock.as_json()
        return common | self._given_environment

    def _assume(self, role_arn: str, session: str) -> Credentials:
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    def _put_events(self, entries: list[dict[str, Any]]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.client("events").put_events(Entries=entries)
        return answer

    def _role_may(self, role_arn: str, action: str, resource: str) -> bool:
        return self._access.role_allowed(role_arn.rpartition("/")[2], action, resource)

    def _deliver(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        with self._emulator.lock:
            self._emulator.sqs().send_message(queue_arn.rpartition(":")[2], body, message_attributes=values)

    def _schedule(self, spec: ScheduleSpec, bus: EventBus) -> Schedule:
        target = spec.target
        function = self._function_of(str(target["Arn"]))
        logical_id = function.spec.logical_id if function is not None else None

        def fire(event: Any) -> None:
            if spec.source == "aws.events":
                bus.send(target, spec.arn, event)
            else:
                self._asynchronous.start(str(target["Arn"]), event)

        return Schedule(
            logical_id=spec.logical_id,
            function=logical_id,
            when=spec.when,
            source=spec.source,
            arn=spec.arn,
            input=_json_input(target.get("Input")),
            fire=fire,
            busy=lambda: logical_id is not None and self._asynchronous.pending(logical_id) > 0,
        )

    def _function_of(self, arn: str) -> Function | None:
        return self._functions.find(arn) if ":lambda:" in arn else None

    def _scheduled(self) -> set[str]:
        return {schedule.function for schedule in self._schedules if schedule.function is not None}

    def _lambda_api(self, request: AwsRequest) -> Response:
        return lambda_reads(request, self._stack.mappings, self._functions) or lambda_api(
            request, self.invoke, self._asynchronous.start, self._functions.reserve
        )


def _json_input(text: Any) -> Any:
    return None if text is None else json.loads(text)


def _end_on_sigterm() -> Callable[[], None]:
    """Makes SIGTERM end the program as an interrupt does, so that it cleans up; returns how to undo that."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    def undo() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return undo
