"""Lambda functions as the embedded cloud runs them: warm workers, time-outs, errors, roles."""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .logs import LogBook, Metric
from .processes import Specification, Worker, WorkerDiedError, WorkerHost, WorkerTimeoutError

_PAYLOAD_LIMIT = 6 * 1024 * 1024  # bytes, of a synchronous invocation's event and of its answer
_UNRESERVED = 16  # invocations at once of a function that reserves no concurrency, which then wait: this
# machine's limit, where an account has a thousand and refuses
_LOOK = 0.5  # seconds that a look at whether something is due takes at most


@dataclass(frozen=True, slots=True)
class Credentials:
    """A role session's keys."""

    access_key: str
    secret_key: str
    token: str


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function as deployed. `timeout` in seconds, `memory` in MiB."""

    logical_id: str
    name: str
    arn: str
    handler: str
    code: Path
    role_arn: str
    layers: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0
    memory: int = 128
    log_group: str = ""
    reserved: int | None = None
    dead_letters: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: `payload` is JSON text, `error` what a failed one says of itself."""

    request_id: str
    payload: str
    error: Mapping[str, Any] | None
    seconds: float

    @property
    def value(self) -> Any:
        """The function's result. Raises FunctionError if it failed."""
        if self.error is not None:
            raise FunctionError(self.error)
        return json.loads(self.payload)


class FunctionError(Exception):
    """An invoked function failed; `error` as Lambda reports it (errorType, errorMessage...)."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error.get('errorType')}: {error.get('errorMessage')}")
        self.error = error


class UnknownFunctionError(LookupError):
    """No function has that logical id, name or ARN."""


class ThrottledError(Exception):
    """The function's reserved concurrency is used up: it was not invoked. Whoever asked may come again."""


class Function:
    """One function and its workers, which start when they are needed and then stay."""

    def __init__(
        self,
        spec: FunctionSpec,
        host: WorkerHost,
        logs: LogBook,
        environment: Callable[[FunctionSpec], dict[str, str]],
    ) -> None:
        self.spec = spec
        self._host = host
        self._logs = logs
        self._environment = environment
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._slots = threading.BoundedSemaphore(_UNRESERVED)
        self._begun: dict[str, float] = {}  # invocations that run or wait for a worker, since when
        self.reserved = spec.reserved

    @property
    def running(self) -> int:
        """Invocations that run, or wait for a worker."""
        with self._lock:
            return len(self._begun)

    @property
    def lagging(self) -> bool:
        """Whether an invocation takes longer than a look at what is due does, for example to start."""
        with self._lock:
            return min(self._begun.values(), default=float("inf")) < time.monotonic() - _LOOK

    @property
    def pids(self) -> list[int]:
        """Processes of the function's workers."""
        with self._lock:
            return sorted(worker.pid for worker in [*self._idle, *self._busy])

    @property
    def busy_pids(self) -> list[int]:
        """Processes of the workers that have started and run an invocation."""
        with self._lock:
            return sorted(worker.pid for worker in self._busy if worker.ready and worker.alive)

    def invoke(self, event: Any) -> Outcome:
        """Runs the function on an event and waits for its end, however it ends.

        Raises ThrottledError if its reserved concurrency is used up.
        """
        request_id = str(uuid.uuid4())
        with self._lock:
            throttled = self.reserved is not None and len(self._begun) >= self.reserved
            if not throttled:
                self._begun[request_id] = time.monotonic()
        if throttled:
            self._measure("Throttles", 1)
            raise ThrottledError(f"{self.spec.name} has {self.reserved} invocations reserved")
        try:
            with self._slots:
                return self._run(request_id, event)
        finally:
            with self._lock:
                del self._begun[request_id]

    def stop(self) -> None:
        """Kills every worker."""
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _run(self, request_id: str, event: Any) -> Outcome:
        started = time.perf_counter()
        memory = 0.0
        try:
            worker = self._take()
            try:
                answer = worker.call(
                    {
                        "request_id": request_id,
                        "event": event,
                        "arn": self.spec.arn,
                        "deadline": time.time() + self.spec.timeout,
                    },
                    self.spec.timeout,
                )
                memory = float(answer.get("memory", 0.0))
            finally:
                self._give_back(worker)
        except _InitError as failure:
            answer = {"error": failure.error}
        except WorkerTimeoutError:
            message = f"Task timed out after {self.spec.timeout:.2f} seconds"
            self._log(f"{datetime.now(UTC).isoformat()} {request_id} {message}")
            answer = {
                "error": {
                    "errorType": "Sandbox.Timedout",
                    "errorMessage": f"RequestId: {request_id} Error: {message}",
                }
            }
        except WorkerDiedError:
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            self._log(message)
            answer = {"error": {"errorType": "Runtime.ExitError", "errorMessage": message}}
        seconds = time.perf_counter() - started
        self._log(
            f"REPORT RequestId: {request_id} Duration: {seconds * 1000:.2f} ms "
            f"Memory Size: {self.spec.memory} MB Max Memory Used: {memory:.0f} MB"
        )
        outcome = self._outcome(request_id, answer, seconds)
        self._measure("Invocations", 1)
        self._measure("Errors", 0 if outcome.error is None else 1)
        self._measure("Duration", seconds * 1000, "Milliseconds")
        return outcome

    def _measure(self, name: str, value: float, unit: str = "Count") -> None:
        dimensions = (("FunctionName", self.spec.name),)
        self._logs.listener(
            Metric(self.spec.logical_id, "AWS/Lambda", name, unit, value, dimensions, time.time())
        )

    def _outcome(self, request_id: str, answer: Mapping[str, Any], seconds: float) -> Outcome:
        error = answer.get("error")
        payload = str(answer.get("result", ""))
        if error is None and len(payload.encode()) > _PAYLOAD_LIMIT:
            error = {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": f"Response payload size exceeded the maximum of {_PAYLOAD_LIMIT} bytes.",
            }
        if error is not None:
            payload = json.dumps(error)
        return Outcome(request_id, payload, error, seconds)

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    self._busy.add(worker)
                    return worker
        worker = self._host.spawn(
            Specification(
                handler=self.spec.handler,
                paths=(self.spec.code, *self.spec.layers),
                environment=self._environment(self.spec),
            ),
            self._log,
        )
        with self._lock:
            self._busy.add(worker)
        try:
            answer = worker.wait_ready()
            if "error" in answer:
                worker.kill()
                raise _InitError(answer["error"])
        except Exception:
            self._give_back(worker)
            raise
        self._log(f"INIT Duration: {answer['milliseconds']:.2f} ms")
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.alive:
                self._idle.append(worker)

    def _log(self, text: str) -> None:
        self._logs.write(self.spec.logical_id, text)


class _InitError(Exception):
    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__()
        self.error = error


class Functions:
    """Every function of the stack, by logical id, name or ARN."""

    def __init__(
        self,
        logs: LogBook,
        assume: Callable[[str, str], Credentials],
        common: Callable[[], Mapping[str, str]],
        preload: Iterable[str] | None = None,
    ) -> None:
        """`assume(role_arn, session_name)` gives a role's credentials; `common()` is in every environment."""
        self._host = WorkerHost() if preload is None else WorkerHost(tuple(preload))
        self._logs = logs
        self._assume = assume
        self._common = common
        self._functions: dict[str, Function] = {}
        self._credentials: dict[str, Credentials] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Starts the process that forks the workers."""
        self._host.start()

    def stop(self) -> None:
        """Ends every process."""
        for function in self._functions.values():
            function.stop()
        self._host.stop()

    def add(self, spec: FunctionSpec) -> None:
        """Deploys a function."""
        self._functions[spec.logical_id] = Function(spec, self._host, self._logs, self.environment)

    def find(self, reference: str) -> Function:
        """The function with a logical id, name or ARN. Raises UnknownFunctionError."""
        for function in self._functions.values():
            if reference in (function.spec.logical_id, function.spec.name, function.spec.arn):
                return function
        raise UnknownFunctionError(f"no function {reference}: there are {', '.join(self._functions)}")

    def reserve(self, reference: str, concurrency: int | None) -> None:
        """Let so many invocations of a function run at once, 0: none; None takes that back.

        Raises UnknownFunctionError.
        """
        self.find(reference).reserved = concurrency

    def __iter__(self) -> Iterator[Function]:
        return iter(self._functions.values())

    def environment(self, spec: FunctionSpec) -> dict[str, str]:
        """The whole environment of a function's worker: what Lambda sets, then what the template does."""
        with self._lock:
            if spec.role_arn not in self._credentials:
                self._credentials[spec.role_arn] = self._assume(spec.role_arn, spec.name)
            credentials = self._credentials[spec.role_arn]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(spec.code),
            "_HANDLER": spec.handler,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token,
            # The developer's own settings must not leak in.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **self._common(),
            **spec.environment,
        }
