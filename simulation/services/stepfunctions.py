"""Step Functions' standard workflows on virtual time: names used once, bounded histories, payloads and years.

States are the embedded cloud's (`exnotify.cloud.asl`); limits are those of "Service quotas" and the API
reference of Step Functions. Not simulated: express and synchronous executions, activities, redrives.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from exnotify.cloud import asl
from exnotify.cloud.functions import Outcome
from exnotify.cloud.machines import HISTORY_LIMIT, NAME_KEPT, YEAR, MachineSpec

from ..nature import Nature
from ..service import Refused
from .operations import Answer, Operation, Request, Simulated, known

_STALE = 10.0
_NAME = 80


class Invoke(Protocol):
    """Runs a function and tells how it ended. `name` names the invocation, once in a history."""

    def __call__(self, arn: str, payload: Any, name: str, then: Callable[[Outcome], None], /) -> None: ...


@dataclass(slots=True)
class Execution:
    """One execution. Moments in epoch seconds; `events` counts its history's, `tasks` its tasks' tries."""

    arn: str
    name: str
    told: str
    """Its name, once in a history: names can be used again after 90 days."""
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
    events: int = 1
    tasks: int = 0
    tries: dict[int, int] = field(default_factory=dict)


class StepFunctions(Simulated):
    """The `Service`. `invoke` runs a function, `put_events` answers a PutEvents request.

    Faults: `task_lost`, a function that succeeded and whose answer did not arrive; `states_stale`, a
    description as of some seconds ago.
    """

    name = "stepfunctions"

    def __init__(
        self,
        nature: Nature,
        machines: Iterable[MachineSpec],
        invoke: Invoke,
        put_events: Callable[[Request], Answer],
    ) -> None:
        super().__init__(nature)
        self.executions: dict[str, Execution] = {}
        self.active = 0
        """Executions that do something just now; those that wait are at rest."""
        self._machines = {machine.arn: machine for machine in machines}
        self._invoke = invoke
        self._put_events = put_events
        self._starts: Counter[str] = Counter()
        self._operations: Mapping[str, Operation] = {
            "StartExecution": (self._start, known("stateMachineArn", "name", "input")),
            "DescribeExecution": (self._describe, known("executionArn")),
            "StopExecution": (self._stop, known("executionArn", "error", "cause")),
            "ListExecutions": (
                self._list,
                known("stateMachineArn", "statusFilter", "maxResults", "nextToken"),
            ),
        }

    # ---- the API ----

    def _start(self, request: Request) -> Answer:
        machine = self._machine(request)
        name = str(request.get("name") or self.new_uuid("execution"))
        given = str(request.get("input", "{}"))
        if len(name) > _NAME or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
            raise Refused("InvalidName", f"Invalid Name: '{name}'")
        if len(given.encode()) > asl.DATA_BYTES:
            raise Refused("ValidationException", "Member must have length less than or equal to 262144")
        try:
            data = json.loads(given)
        except ValueError as error:
            text = f"Invalid State Machine Execution Input: '{error}'"
            raise Refused("InvalidExecutionInput", text) from None
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        before = self.executions.get(arn)
        if before is not None and before.status == "RUNNING" and before.input == given:
            return {"executionArn": arn, "startDate": self.utc(before.started)}
        if before is not None and (before.stopped is None or self.now < before.stopped + NAME_KEPT):
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        self._starts[arn] += 1
        told = name if self._starts[arn] == 1 else f"{name} again {self._starts[arn]}"
        first = machine.definition["StartAt"]
        execution = Execution(arn, name, told, machine, given, self.now, first, data)
        self.executions.pop(arn, None)
        self.executions[arn] = execution
        self._later(execution, self.nature.chance.uniform(f"states start {told}", 0.02, 0.5), self._go)
        return {"executionArn": arn, "startDate": self.utc(self.now)}

    def _describe(self, request: Request) -> Answer:
        """ "DescribeExecution": eventually consistent, so that a recent change may not show."""
        execution = self._execution(request)
        answer = {**self._row(execution), "input": execution.input}
        if execution.output is not None:
            answer["output"] = execution.output
        if execution.error:
            answer |= {"error": execution.error, "cause": execution.cause}
        changed = execution.started if execution.stopped is None else execution.stopped
        if self.now < changed + _STALE and self.fault("states_stale", execution.told):
            if execution.stopped is None:
                raise _unknown(execution.arn)
            for name in ("stopDate", "output", "error", "cause"):
                answer.pop(name, None)
            answer["status"] = "RUNNING"
        return answer

    def _stop(self, request: Request) -> Answer:
        execution = self._execution(request)
        self._end(
            execution, "ABORTED", error=str(request.get("error", "")), cause=str(request.get("cause", ""))
        )
        return {"stopDate": self.utc(execution.stopped)}

    def _list(self, request: Request) -> Answer:
        machine, wanted = self._machine(request), request.get("statusFilter")
        found = [e for e in reversed(self.executions.values()) if e.machine.arn == machine.arn]
        rows = [self._row(e) for e in found if wanted in (None, e.status) and self._kept(e)]
        start, size = int(request.get("nextToken") or 0), int(request.get("maxResults") or 100)
        more = {"nextToken": str(start + size)} if len(rows) > start + size else {}
        return {"executions": rows[start : start + size], **more}

    def _row(self, execution: Execution) -> Answer:
        stopped = {} if execution.stopped is None else {"stopDate": self.utc(execution.stopped)}
        return {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": self.utc(execution.started),
            **stopped,
        }

    def _machine(self, request: Request) -> MachineSpec:
        arn = str(request["stateMachineArn"])
        if arn not in self._machines:
            raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self._machines[arn]

    def _execution(self, request: Request) -> Execution:
        execution = self.executions.get(str(request["executionArn"]))
        if execution is None or not self._kept(execution):
            raise _unknown(str(request["executionArn"]))
        return execution

    def _kept(self, execution: Execution) -> bool:
        return execution.stopped is None or self.now < execution.stopped + NAME_KEPT

    # ---- the turn of states ----

    def _later(self, execution: Execution, seconds: float, act: Callable[[Execution], None]) -> None:
        self.active += 1

        def on_time() -> None:
            self.active -= 1
            if execution.status == "RUNNING":
                act(execution)

        self.nature.timeline.after(seconds, on_time)

    def _go(self, execution: Execution) -> None:
        """Move an execution on until it waits, has a task under way, or ends."""
        while execution.status == "RUNNING":
            state = execution.machine.definition["States"][execution.state]
            execution.events += 1
            begin = {"Wait": self._wait, "Task": self._task}.get(state["Type"])
            try:
                if begin is not None:
                    begin(execution)
                    return
                if state["Type"] == "Fail":
                    self._end(execution, "FAILED", error=state.get("Error", ""), cause=state.get("Cause", ""))
                else:
                    self._leave(execution, *asl.passed(state, execution.data))
            except asl.StateError as error:
                self._failed(execution, error)
                return

    def _wait(self, execution: Execution) -> None:
        state = execution.machine.definition["States"][execution.state]
        given = asl.state_input(state, execution.data)
        output = asl.at_path(state.get("OutputPath") or "$", given)
        due, ends = asl.wait_until(state, given, self.now), execution.started + YEAR

        def on_time() -> None:
            if execution.status == "RUNNING" and due > ends:
                self._end(execution, "TIMED_OUT", error="States.Timeout")
            elif execution.status == "RUNNING":
                self._leave(execution, output, state.get("Next"))
                self._go(execution)

        self.nature.timeline.at(min(due, ends), on_time)

    def _task(self, execution: Execution) -> None:
        if execution.events >= HISTORY_LIMIT:
            cause = f"The execution reached the maximum number of history events ({HISTORY_LIMIT})."
            self._end(execution, "FAILED", error="States.Runtime", cause=cause)
            return
        state = execution.machine.definition["States"][execution.state]
        given = asl.state_input(state, execution.data)
        parameters = asl.filled(state.get("Parameters", {}), given)
        execution.events += 2
        execution.tasks += 1
        name = f"{execution.told} {execution.state} {execution.tasks}"
        self.active += 1
        over = False

        def done(result: Any, error: asl.StateError | None) -> None:
            nonlocal over
            if over:
                return
            over = True
            self.active -= 1
            self._done(execution, given, result, error)  # of one that was stopped, nothing follows

        if "TimeoutSeconds" in state:
            late = asl.StateError("States.Timeout", f"no answer after {state['TimeoutSeconds']} seconds")
            self.nature.timeline.after(state["TimeoutSeconds"], lambda: done(None, late))
        if "lambda" in state["Resource"]:
            arn, payload = str(parameters["FunctionName"]), parameters.get("Payload", {})
            self._invoke(arn, payload, name, lambda outcome: done(*self._returned(outcome, name)))
        else:
            done(*self._event_put(parameters, name))

    def _done(self, execution: Execution, given: Any, result: Any, error: asl.StateError | None) -> None:
        state = execution.machine.definition["States"][execution.state]
        execution.events += 1
        try:
            if error is not None:
                raise error
            output = asl.state_output(state, given, result)
        except asl.StateError as failure:
            self._failed(execution, failure)
        else:
            self._leave(execution, output, state.get("Next"))
            self._go(execution)

    def _returned(self, outcome: Outcome, name: str) -> tuple[Any, asl.StateError | None]:
        if outcome.error is not None:
            told = dict(outcome.error)
            return None, asl.StateError(str(told.get("errorType")), json.dumps(told))
        if self.nature.chance.happens("task_lost", name):
            return None, asl.StateError("Lambda.ServiceException", "the answer did not arrive")
        payload = json.loads(outcome.payload)
        return {"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}, None

    def _event_put(self, parameters: Mapping[str, Any], name: str) -> tuple[Any, asl.StateError | None]:
        entries = [{**entry, "Detail": json.dumps(entry["Detail"])} for entry in parameters["Entries"]]
        self.nature.place = f"states {name}"
        try:
            answer = self._put_events({"Entries": entries})
        except Refused as refused:
            return None, asl.StateError(f"EventBridge.{refused.code}", refused.message)
        if answer["FailedEntryCount"]:
            return None, asl.StateError("EventBridge.FailedEntry", json.dumps(answer))
        return answer, None

    def _failed(self, execution: Execution, error: asl.StateError) -> None:
        state = execution.machine.definition["States"][execution.state]
        then = asl.handling(state, error, execution.tries)
        if then is None:
            self._end(execution, "FAILED", error=error.name, cause=error.cause)
        elif then.retrier is not None:
            execution.tries[then.retrier] = execution.tries.get(then.retrier, 0) + 1
            self._later(execution, then.pause, self._task)
        else:
            failure = {"Error": error.name, "Cause": error.cause}
            self._leave(execution, asl.placed(then.result_path, execution.data, failure), then.next)
            self._go(execution)

    def _leave(self, execution: Execution, data: Any, target: str | None) -> None:
        text = json.dumps(data)
        execution.events += 1
        execution.data, execution.tries = json.loads(text), {}
        if target:
            execution.state = target
        else:
            self._end(execution, "SUCCEEDED", output=text)

    def _end(
        self,
        execution: Execution,
        status: str,
        *,
        output: str | None = None,
        error: str = "",
        cause: str = "",
    ) -> None:
        if execution.status == "RUNNING":
            execution.status, execution.stopped = status, self.now
            execution.output, execution.error, execution.cause = output, error, cause


def _unknown(arn: str) -> Refused:
    return Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
