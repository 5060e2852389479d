"""Worker processes as the embedded cloud holds them: started, called, killed."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .worker import END_OF_LOG, receive, send

#: Libraries that the functions import: the host has them before it forks, which saves each worker most of
#: its start. Missing ones are skipped; one that is missing here only costs time.
PRELOAD = (
    "botocore.session",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "pydantic.main",
    "pydantic.fields",
    "yaml",
    "orjson",
    "jinja2",
    "babel.dates",
    "babel.numbers",
    "httpx",
)


_START_LIMIT = 60.0  # seconds for the host to start, and for a worker to import its handler
_KILL_LIMIT = 5.0  # seconds for a killed process to end
_LOG_LIMIT = 1.0  # seconds to wait for the rest of an invocation's log


class WorkerDiedError(Exception):
    """The process ended without an answer."""


class WorkerTimeoutError(Exception):
    """The process gave no answer in time, and was killed."""


@dataclass(frozen=True, slots=True)
class Specification:
    """What a worker runs: `paths` go in front of its sys.path."""

    handler: str
    paths: Sequence[Path]
    environment: Mapping[str, str]


class WorkerHost:
    """The process that forks the workers; one for each cloud."""

    def __init__(self, preload: Sequence[str] = PRELOAD) -> None:
        self._preload = preload
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Starts the host without waiting for it."""
        ours, theirs = socket.socketpair()
        script = Path(__file__).with_name("worker.py")
        command = [sys.executable, "-I", str(script), str(theirs.fileno()), *self._preload]
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        # A session of its own: an interrupt at the terminal reaches this process, which then stops the host.
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        ours.settimeout(_START_LIMIT)
        self._control = ours

    def stop(self) -> None:
        """Ends the host and every worker."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._process is not None:
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                self._process = None

    def spawn(self, specification: Specification, on_line: Callable[[str], None]) -> "Worker":
        """A new worker; `wait_ready` tells when its handler is imported.

        `on_line` gets each line the worker writes to standard output or error. Raises WorkerDiedError if the
        host has stopped.
        """
        ours, theirs = socket.socketpair()
        log_read, log_write = os.pipe()
        try:
            answer = self._ask(
                {
                    "handler": specification.handler,
                    "paths": [str(path) for path in specification.paths],
                    "environment": dict(specification.environment),
                },
                [theirs.fileno(), log_write],
            )
        except BaseException:
            ours.close()
            os.close(log_read)
            raise
        finally:
            theirs.close()
            os.close(log_write)
        return Worker(self, int(answer["pid"]), ours, log_read, on_line)

    def kill(self, pid: int) -> None:
        """Kills a worker; one that has ended already is left alone."""
        with contextlib.suppress(WorkerDiedError):
            self._ask({"kill": pid}, [])

    def _ask(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        with self._lock:
            control = self._control
            if control is None:
                raise WorkerDiedError("the worker host has stopped")
            try:
                if not self._ready:
                    self._ready = receive(control) is not None
                socket.send_fds(control, [b"m"], descriptors)
                send(control, message)
                answer = receive(control)
            except OSError as error:
                raise WorkerDiedError(f"the worker host does not answer: {error}") from error
        if answer is None:
            raise WorkerDiedError("the worker host ended")
        return answer


class Worker:
    """One process that runs one function, one invocation at a time."""

    def __init__(
        self, host: WorkerHost, pid: int, connection: socket.socket, log: int, on_line: Callable[[str], None]
    ) -> None:
        self.pid = pid
        self.alive = True
        self.ready = False
        self._host = host
        self._connection = connection
        self._logged = threading.Event()
        self._thread = threading.Thread(
            target=self._read_log, args=(log, on_line), name=f"log-{pid}", daemon=True
        )
        self._thread.start()

    def wait_ready(self) -> dict[str, Any]:
        """Waits until the handler is imported: `{"ready": True, ...}` or `{"error": ...}`."""
        answer = self._answer(_START_LIMIT)
        self.ready = True
        return answer

    def call(self, invocation: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Runs one invocation: `{"result": JSON text}` or `{"error": ...}`.

        Raises WorkerTimeoutError after `timeout` seconds, having killed the process; WorkerDiedError if it
        ends.
        """
        self._logged.clear()
        try:
            send(self._connection, invocation)
        except OSError as error:
            self._bury()
            raise WorkerDiedError(str(error)) from error
        return self._answer(timeout)

    def kill(self) -> None:
        """Ends the process; when this returns, it does nothing any more."""
        if self.alive:
            self._host.kill(self.pid)
            with contextlib.suppress(OSError):
                self._connection.settimeout(_KILL_LIMIT)
                while self._connection.recv(1 << 20):  # the kernel closes the other end last
                    pass
            self._bury()

    def _answer(self, timeout: float) -> dict[str, Any]:
        self._connection.settimeout(timeout)
        try:
            answer = receive(self._connection)
        except TimeoutError as error:
            self.kill()
            raise WorkerTimeoutError(f"no answer after {timeout:.2f} seconds") from error
        except OSError:
            answer = None
        if answer is None:
            self._bury()
            raise WorkerDiedError("the process ended")
        if "ready" not in answer:
            self._logged.wait(_LOG_LIMIT)
        return answer

    def _bury(self) -> None:
        self.alive = False
        self._connection.close()
        self._thread.join(_LOG_LIMIT)

    def _read_log(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        with open(descriptor, encoding="utf-8", errors="replace", newline="\n") as log:
            for line in log:
                text = line.rstrip("\n")
                rest = text.removesuffix(END_OF_LOG)  # what was printed last may lack its line end
                if rest or rest == text:
                    on_line(rest)
                if rest != text:
                    self._logged.set()
