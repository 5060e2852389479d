"""Lambda: instances of functions, invocations and their ends, asynchronous invocations and destinations."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from exnotify.cloud.asynchronous import InvokeConfig
from exnotify.cloud.functions import FunctionSpec, Outcome
from exnotify.cloud.worker import Context
from simulation.nature import Chance, Timeline

from .surroundings import encoded
from .tasks import Killed, Process, Task, Tasks

MOST = 40
"""Invocations of one function at once: the account's part of it."""

SKEW = (-1.5, 1.5)
"""Seconds by which an instance's clock is ahead."""

START = (0.3, 4.0)
"""Seconds that an instance takes to start."""

ASYNC_PAUSES = (60.0, 120.0)
"""Seconds before the second and third attempt of an asynchronous invocation."""

_STANDING = re.compile(r"\"dead_letters\"|\"kind\":\"incident\"")
"""Of what a message says that is told again and again."""


@dataclass(eq=False)
class Instance:
    """A process that holds a function's module; `handler` when it has started."""

    process: Process
    handler: Callable[[Any, Any], Any] | None = None
    task: Task | None = None


@dataclass(eq=False)
class Function:
    """One function as deployed."""

    spec: FunctionSpec
    code: CodeType
    instances: int = 0
    running: int = 0
    idle: list[Instance] = field(default_factory=list)


class Functions:
    """All functions. `deliver(arn, body, attributes)` takes what a destination gets; `site` is the folder of
    the site's own files that instances get which start from now on."""

    def __init__(
        self,
        specs: Mapping[str, FunctionSpec],
        failures: Mapping[str, InvokeConfig],
        tasks: Tasks,
        timeline: Timeline,
        chance: Chance,
        deliver: Callable[[str, str, dict[str, str]], None],
    ) -> None:
        self._functions = {name: Function(spec, _compiled(spec)) for name, spec in specs.items()}
        self._by_arn = {spec.arn: name for name, spec in specs.items()}
        self._failures = failures
        self._tasks = tasks
        self._timeline = timeline
        self._chance = chance
        self._deliver = deliver
        self.site = ""
        self.pending = 0
        """Asynchronous invocations that are not over."""

        self.failed: list[str] = []
        """Why invocations failed, other than by a crash: for whoever looks for a fault of the simulation."""

    def name_of(self, reference: str) -> str:
        """The logical id of a function's ARN, name or logical id. KeyError."""
        if reference in self._functions:
            return reference
        return self._by_arn.get(reference) or self._by_arn[_with_arn(reference, self._by_arn)]

    def has_room(self, function: str) -> bool:
        """Whether one more invocation may run."""
        known = self._functions[function]
        limit = known.spec.reserved if known.spec.reserved is not None else MOST
        return known.running < limit

    @property
    def running(self) -> int:
        """Invocations under way."""
        return sum(function.running for function in self._functions.values())

    def short(self, function: str) -> str:
        """`send_notices`."""
        return self._functions[function].spec.code.name

    def invoke(self, function: str, event: Any, name: str, then: Callable[[Outcome], None]) -> None:
        """Run a function on an event; `name` names the invocation, once in a history."""
        known = self._functions[function]
        known.running += 1
        instance = self._instance(known, name)
        request_id = str(uuid5(NAMESPACE_OID, f"{self._chance.seed} {name}"))
        began = self._timeline.now
        limit = known.spec.timeout

        def act() -> Any:
            if instance.handler is None:
                instance.handler = self._started(known, instance, name)
            deadline = self._timeline.now + instance.process.skew + limit
            self._timeline.after(limit, lambda: self._time_out(task))
            return instance.handler(event, Context(request_id, known.spec.arn, deadline))

        def over(task: Task) -> None:
            known.running -= 1
            if isinstance(task.error, Killed):
                instance.process.environ = {}
            else:
                known.idle.append(instance)
            if task.error and not isinstance(task.error, Killed):
                if _is_ours(task.error):
                    raise task.error
                self.failed.append(f"{name}\n{''.join(traceback.format_exception(task.error))}")
            then(_outcome(task, request_id, self._timeline.now - began))

        task = self._tasks.start(name, instance.process, act, over)
        task.standing = _is_standing(known.spec, event)

    def start(self, function: str, event: Any, name: str) -> None:
        """Invoke a function without waiting: tried again as its settings say, then its destinations."""
        self.pending += 1
        self._attempt(function, event, name, 1)
        if self._chance.happens("invoked_twice", name):
            self.pending += 1
            self._attempt(function, event, f"{name} twice", 1)

    # ----

    def _attempt(self, function: str, event: Any, name: str, number: int) -> None:
        if not self.has_room(function):
            self._timeline.after(1.0, lambda: self._attempt(function, event, name, number))
            return
        copied = json.loads(json.dumps(event))
        self.invoke(
            function, copied, f"{name}:{number}", lambda o: self._ended(function, event, name, number, o)
        )

    def _ended(self, function: str, event: Any, name: str, number: int, outcome: Outcome) -> None:
        config = self._failures.get(function, InvokeConfig())
        if outcome.error is not None and number <= config.retries:
            pause = ASYNC_PAUSES[min(number, len(ASYNC_PAUSES)) - 1]
            self._timeline.after(pause, lambda: self._attempt(function, event, name, number + 1))
            return
        self.pending -= 1
        spec = self._functions[function].spec
        if outcome.error is None:
            return
        if config.on_failure:
            self._deliver(config.on_failure, json.dumps(_record(spec, event, outcome, number)), {})
        if spec.dead_letters:
            why = {
                "RequestID": outcome.request_id,
                "ErrorCode": "200",
                "ErrorMessage": str(outcome.error)[:1024],
            }
            self._deliver(spec.dead_letters, json.dumps(event), why)

    def _instance(self, known: Function, name: str) -> Instance:
        while known.idle:
            number = self._chance.below(f"instance {name}", len(known.idle))
            instance = known.idle.pop(number)
            if not self._chance.happens("cold", name):
                return instance
        known.instances += 1
        number = known.instances
        skew = self._chance.uniform(f"skew {known.spec.code.name} {number}", *SKEW)
        named = f"{known.spec.code.name} instance {number}"
        return Instance(Process(named, encoded(self._environment(known.spec, number)), skew))

    def _started(self, known: Function, instance: Instance, name: str) -> Callable[[Any, Any], Any]:
        self._tasks.sleep(self._chance.uniform(f"start {name}", *START))
        module: dict[str, Any] = {
            "__name__": f"simulated_{known.spec.code.name}",
            "__file__": known.code.co_filename,
        }
        exec(known.code, module)  # noqa: S102 - the functions' own code
        handler: Callable[[Any, Any], Any] = module[known.spec.handler.rpartition(".")[2]]
        return handler

    def _environment(self, spec: FunctionSpec, number: int) -> dict[str, str]:
        return {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(spec.code),
            "_HANDLER": spec.handler,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"instance {number}",
            **spec.environment,
            **({"SITE_DIR": self.site} if self.site else {}),
        }

    def _time_out(self, task: Task) -> None:
        if not task.done:
            self._tasks.kill(task.process)


def _is_standing(spec: FunctionSpec, event: Any) -> bool:
    """Whether an invocation only reports dead letters, or looks at open incidents: that happens again and
    again as long as they are there."""
    if spec.code.name == "report_dead_letters":
        return True
    records = event.get("Records", ()) if isinstance(event, dict) else ()
    return bool(records) and all(_STANDING.search(str(record.get("body", ""))) for record in records)


def _with_arn(name: str, arns: Mapping[str, str]) -> str:
    return next(arn for arn in arns if arn.rpartition(":")[2] == name)


def _is_ours(error: BaseException) -> bool:
    """Whether an error is one of the simulation's own: no call and no service of AWS's raises such."""
    if isinstance(error, (BotoCoreError, ClientError, httpx.HTTPError)):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "/simulation/" in trace.tb_frame.f_code.co_filename


_CODE: dict[str, CodeType] = {}


def _compiled(spec: FunctionSpec) -> CodeType:
    path = str(spec.code / (spec.handler.rpartition(".")[0].replace(".", "/") + ".py"))
    if path not in _CODE:
        _CODE[path] = compile(Path(path).read_text("utf-8"), path, "exec", dont_inherit=True)
    return _CODE[path]


def _outcome(task: Task, request_id: str, seconds: float) -> Outcome:
    if task.error is None:
        return Outcome(request_id, json.dumps(task.value), None, seconds)
    kind = "Sandbox.Timedout" if isinstance(task.error, Killed) else type(task.error).__name__
    error = {"errorType": kind, "errorMessage": str(task.error), "requestId": request_id}
    return Outcome(request_id, json.dumps(error), error, seconds)


def _record(spec: FunctionSpec, event: Any, outcome: Outcome, attempts: int) -> dict[str, Any]:
    """What a destination gets: "Capturing records of Lambda asynchronous invocations"."""
    return {
        "version": "1.0",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": outcome.request_id,
            "functionArn": f"{spec.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": outcome.error,
    }
