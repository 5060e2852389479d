"""State machines as the embedded cloud runs them: on its clock, with the real functions, under their role.

Executions that wait lie in a heap and take no thread. The API is Step Functions' own, as far as it is
known here; a closed execution's name cannot be used again for 90 days of the cloud's clock.
"""

import heapq
import itertools
import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from . import asl
from .aws_request import AwsRequest
from .clock import Clock
from .functions import Outcome, ThrottledError

logger = logging.getLogger(__name__)

NAME_KEPT = 90 * 86_400  # seconds for which a closed execution's name is taken
YEAR = 365 * 86_400  # seconds after which an execution has timed out
HISTORY_LIMIT = 25_000  # events of one execution
_NAME_LENGTH = 80
_STEP = 0.02  # real seconds between looks at the clock
_WORKERS = 8


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A state machine as deployed."""

    logical_id: str
    name: str
    arn: str
    role_arn: str
    definition: Mapping[str, Any]


@dataclass(slots=True)
class Execution:
    """One execution. Times are seconds since the epoch by the cloud's clock; `tries` by retrier."""

    arn: str
    name: str
    machine: MachineSpec
    input: str
    started: float
    state: str
    data: Any
    status: str = "RUNNING"
    stopped: float | None = None
    output: str | None = None
    error: str = ""
    cause: str = ""
    waits_until: float | None = None
    entered: bool = False
    tries: dict[int, int] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


class Machines:
    """Every state machine of the stack, its executions, and the thread that moves them on.

    `invoke(function_arn, event)` runs a function, `put_events(entries)` puts events on the bus,
    `role_allowed(role_arn, action, resource)` tells what a machine's role may do, and
    `measure(metric, machine_arn)` is told of each start and end, as AWS/States counts them.
    """

    def __init__(
        self,
        clock: Clock,
        invoke: Callable[[str, Any], Outcome],
        put_events: Callable[[list[dict[str, Any]]], Mapping[str, Any]],
        role_allowed: Callable[[str, str, str], bool],
        bus_arn: str,
        measure: Callable[[str, str], None] = lambda metric, machine_arn: None,
    ) -> None:
        self._clock = clock
        self._invoke = invoke
        self._put_events = put_events
        self._role_allowed = role_allowed
        self._bus_arn = bus_arn
        self._measure = measure
        self._machines: dict[str, MachineSpec] = {}
        self._executions: dict[str, Execution] = {}
        self._waiting: list[tuple[float, int, str]] = []
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._running = 0
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_WORKERS, "states")
        self._thread = threading.Thread(target=self._turn, name="state machines", daemon=True)

    def add(self, spec: MachineSpec) -> None:
        """Deploys a machine."""
        self._machines[spec.arn] = spec

    def start(self) -> None:
        """Begins to move executions on."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it all; what runs is left where it is."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def running(self) -> int:
        """Executions that do something just now; those that wait are at rest."""
        with self._lock:
            return self._running + sum(1 for due, _, _ in self._waiting if due <= self._clock.now())

    # ---- the turn of things ----

    def _turn(self) -> None:
        while not self._stop.wait(_STEP):
            now = self._clock.now()
            with self._lock:
                while self._waiting and self._waiting[0][0] <= now:
                    _, _, arn = heapq.heappop(self._waiting)
                    self._running += 1
                    self._pool.submit(self._go, self._executions[arn])

    def _schedule(self, execution: Execution, due: float) -> None:
        with self._lock:
            heapq.heappush(self._waiting, (due, next(self._numbers), execution.arn))

    def _go(self, execution: Execution) -> None:
        """Moves one execution on until it waits or ends."""
        try:
            while execution.status == "RUNNING" and not self._stop.is_set():
                due = self._state(execution)
                if due is not None:
                    self._schedule(execution, due)
                    return
        except Exception as error:
            logger.exception("an execution cannot go on")
            self._end(execution, "FAILED", error="States.Runtime", cause=str(error))
        finally:
            with self._lock:
                self._running -= 1

    def _state(self, execution: Execution) -> float | None:
        """One state; when to come back, or None to go on at once."""
        state = execution.machine.definition["States"][execution.state]
        kind = state["Type"]
        if not execution.entered:
            execution.entered = True
            self._note(execution, f"{kind}StateEntered", name=execution.state, input=execution.data)
        if len(execution.history) >= HISTORY_LIMIT:
            cause = f"the history has reached {HISTORY_LIMIT} events"
            self._end(execution, "FAILED", error="States.Runtime", cause=cause)
            return None
        try:
            if kind == "Fail":
                self._end(execution, "FAILED", error=state.get("Error", ""), cause=state.get("Cause", ""))
            elif kind == "Wait":
                return self._wait(execution, state, asl.state_input(state, execution.data))
            elif kind == "Task":
                given = asl.state_input(state, execution.data)
                result = self._task(execution, state, given)
                self._leave(execution, state, asl.state_output(state, given, result))
            else:
                output, target = asl.passed(state, execution.data)
                self._leave(execution, state, output, target, end=not target)
        except asl.StateError as error:
            return self._failed(execution, state, error)
        return None

    def _wait(self, execution: Execution, state: Mapping[str, Any], given: Any) -> float | None:
        now = self._clock.now()
        if execution.waits_until is None:
            execution.waits_until = asl.wait_until(state, given, now)
        ends = execution.started + YEAR
        if now >= ends:
            self._end(execution, "TIMED_OUT", error="States.Timeout")
            return None
        if execution.waits_until > now:
            return min(execution.waits_until, ends)
        execution.waits_until = None
        self._leave(execution, state, asl.at_path(state.get("OutputPath") or "$", given))
        return None

    def _task(self, execution: Execution, state: Mapping[str, Any], given: Any) -> Any:
        parameters = asl.filled(state.get("Parameters", {}), given)
        self._note(execution, "TaskScheduled", resource=state["Resource"], parameters=parameters)
        self._note(execution, "TaskStarted", resource=state["Resource"])
        call = self._call_function if "lambda" in state["Resource"] else self._call_bus
        result = call(execution, parameters)
        self._note(execution, "TaskSucceeded", resource=state["Resource"], output=result)
        return result

    def _call_function(self, execution: Execution, parameters: dict[str, Any]) -> Any:
        arn = str(parameters["FunctionName"])
        self._demand(execution, "lambda:InvokeFunction", arn)
        try:
            outcome = self._invoke(arn, parameters.get("Payload", {}))
        except ThrottledError as error:
            raise asl.StateError("Lambda.TooManyRequestsException", str(error)) from error
        if outcome.error is not None:
            raise asl.StateError(str(outcome.error.get("errorType")), json.dumps(dict(outcome.error)))
        return {"ExecutedVersion": "$LATEST", "Payload": json.loads(outcome.payload), "StatusCode": 200}

    def _call_bus(self, execution: Execution, parameters: dict[str, Any]) -> Any:
        self._demand(execution, "events:PutEvents", self._bus_arn)
        entries = [{**e, "Detail": json.dumps(e["Detail"])} for e in parameters["Entries"]]
        answer = dict(self._put_events(entries))
        answer.pop("ResponseMetadata", None)
        if answer.get("FailedEntryCount"):
            raise asl.StateError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    def _demand(self, execution: Execution, action: str, resource: str) -> None:
        if not self._role_allowed(execution.machine.role_arn, action, resource):
            cause = f"the role of {execution.machine.name} has no permission {action} on {resource}"
            raise asl.StateError("States.Permissions", cause)

    def _failed(self, execution: Execution, state: Mapping[str, Any], error: asl.StateError) -> float | None:
        self._note(execution, "TaskFailed", error=error.name, cause=error.cause)
        then = asl.handling(state, error, execution.tries)
        if then is None:
            self._end(execution, "FAILED", error=error.name, cause=error.cause)
        elif then.retrier is not None:
            execution.tries[then.retrier] = execution.tries.get(then.retrier, 0) + 1
            return self._clock.now() + then.pause
        else:
            failure = {"Error": error.name, "Cause": error.cause}
            self._leave(execution, state, asl.placed(then.result_path, execution.data, failure), then.next)
        return None

    def _leave(
        self,
        execution: Execution,
        state: Mapping[str, Any],
        data: Any,
        target: str = "",
        *,
        end: bool = False,
    ) -> None:
        self._note(execution, f"{state['Type']}StateExited", name=execution.state, output=data)
        execution.data, execution.entered, execution.tries = data, False, {}
        if end or (not target and state.get("End")):
            self._end(execution, "SUCCEEDED", output=json.dumps(data))
        else:
            execution.state = target or state["Next"]

    def _end(
        self,
        execution: Execution,
        status: str,
        *,
        output: str | None = None,
        error: str = "",
        cause: str = "",
    ) -> None:
        with self._lock:
            if execution.status != "RUNNING":
                return
            execution.status, execution.stopped = status, self._clock.now()
            execution.output, execution.error, execution.cause = output, error, cause
        self._note(execution, f"Execution{status.capitalize()}", error=error, cause=cause)
        self._measure(f"Executions{status.capitalize()}", execution.machine.arn)

    def _note(self, execution: Execution, kind: str, **details: Any) -> None:
        execution.history.append(
            {
                "id": len(execution.history) + 1,
                "previousEventId": len(execution.history),
                "timestamp": self._clock.now(),
                "type": kind,
                "details": details,
            }
        )

    # ---- the API ----

    def answer(self, request: AwsRequest) -> Response:
        """Answers one request in the JSON protocol."""
        call = {
            "StartExecution": self._start_execution,
            "DescribeExecution": self._describe,
            "ListExecutions": self._list,
            "StopExecution": self._stop_execution,
            "GetExecutionHistory": self._get_history,
        }.get(request.operation)
        if call is None:
            return _failure(
                "UnknownOperationException", f"{request.operation} is not known to the embedded cloud"
            )
        try:
            return _json(call(request.parameters))
        except _ApiError as error:
            return _failure(error.code, str(error))

    def _start_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        spec = self._machine(asked)
        name = str(asked.get("name") or uuid.uuid4())
        given = str(asked.get("input", "{}"))
        if len(name) > _NAME_LENGTH or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
            raise _ApiError("InvalidName", f"Invalid Name: '{name}'")
        if len(given.encode()) > asl.DATA_BYTES:
            raise _ApiError("ValidationException", f"Member must have a length of {asl.DATA_BYTES} at most")
        try:
            data = json.loads(given)
        except ValueError as error:
            raise _ApiError(
                "InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}"
            ) from error
        arn = f"{spec.arn.replace(':stateMachine:', ':execution:')}:{name}"
        now = self._clock.now()
        with self._lock:
            before = self._executions.get(arn)
            if before is not None and before.status == "RUNNING" and before.input == given:
                return {"executionArn": arn, "startDate": before.started}
            if before is not None and (before.stopped is None or now < before.stopped + NAME_KEPT):
                raise _ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            execution = Execution(arn, name, spec, given, now, spec.definition["StartAt"], data)
            self._executions[arn] = execution
            self._note(execution, "ExecutionStarted", input=given)
            self._schedule(execution, now)
        self._measure("ExecutionsStarted", spec.arn)
        return {"executionArn": arn, "startDate": now}

    def _describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._execution(asked)
        return {
            **_listed(execution),
            "input": execution.input,
            **({"output": execution.output} if execution.output is not None else {}),
            **({"error": execution.error, "cause": execution.cause} if execution.error else {}),
        }

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        spec = self._machine(asked)
        wanted = asked.get("statusFilter")
        with self._lock:
            found = [e for e in self._executions.values() if e.machine.arn == spec.arn]
        rows = [_listed(e) for e in reversed(found) if wanted in (None, e.status)]
        start = int(asked.get("nextToken") or 0)
        size = int(asked.get("maxResults") or 100)
        more = {"nextToken": str(start + size)} if len(rows) > start + size else {}
        return {"executions": rows[start : start + size], **more}

    def _stop_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._execution(asked)
        self._end(execution, "ABORTED", error=str(asked.get("error", "")), cause=str(asked.get("cause", "")))
        return {"stopDate": execution.stopped}

    def _get_history(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._execution(asked)
        events = [{k: v for k, v in e.items() if k != "details"} for e in execution.history]
        return {"events": events[::-1] if asked.get("reverseOrder") else events}

    def _machine(self, asked: Mapping[str, Any]) -> MachineSpec:
        arn = str(asked.get("stateMachineArn"))
        if arn not in self._machines:
            raise _ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self._machines[arn]

    def _execution(self, asked: Mapping[str, Any]) -> Execution:
        arn = str(asked.get("executionArn"))
        if arn not in self._executions:
            raise _ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self._executions[arn]


class _ApiError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _listed(execution: Execution) -> dict[str, Any]:
    stopped = {"stopDate": execution.stopped} if execution.stopped is not None else {}
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        **stopped,
    }


def _json(value: Any) -> Response:
    return Response(json.dumps(value), 200, content_type="application/x-amz-json-1.0")


def _failure(code: str, message: str) -> Response:
    body = json.dumps({"__type": code, "message": message})
    return Response(body, 400, {"x-amzn-errortype": code}, content_type="application/x-amz-json-1.0")
