"""The process side of the embedded cloud: a host that forks workers, and a worker that runs a function.

Run as a script and on its own (standard library only, nothing of this package), so that what a function can
import is what it could import on Lambda. The host imports the heavy libraries once; each worker is forked
from it with the function's own environment, code and layers, and stays for many invocations.

Messages on every socket are JSON, preceded by their length in 4 bytes.
"""

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn, TextIO

#: Written to standard output after each invocation, so that its reader knows that the log is complete.
END_OF_LOG = "\x00end of invocation\x00"

_LENGTH = 4


# ---- messages ----


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Sends one message."""
    data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    connection.sendall(len(data).to_bytes(_LENGTH, "big") + data)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Receives one message; None at the end of the connection."""
    header = _exactly(connection, _LENGTH)
    data = _exactly(connection, int.from_bytes(header, "big")) if header else None
    if data is None:
        return None
    message: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    return message


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


# ---- host ----


class Host:
    """Forks a worker for each request on its control socket; ends, with all workers, when that closes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: set[int] = set()

    def run(self) -> None:
        """Serves until the control socket closes."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # runs the clean-up below
        try:
            while True:
                readable, _, _ = select.select([self._control], [], [], 0.5)
                self._reap()
                if readable and not self._serve():
                    return
        finally:
            for pid in self._workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _serve(self) -> bool:
        # The first message of a spawn carries the worker's socket and its log pipe.
        try:
            _, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
            message = receive(self._control)
        except ConnectionResetError:
            return False
        if message is None:
            return False
        if "kill" in message:
            self._reap()  # a number that is still a worker's cannot have been given to another process
            if message["kill"] in self._workers:
                os.kill(message["kill"], signal.SIGKILL)
            send(self._control, {})
        else:
            send(self._control, {"pid": self._fork(message, *descriptors)})
        return True

    def _fork(self, specification: dict[str, Any], connection: int, log: int) -> int:
        pid = os.fork()
        if pid == 0:
            self._control.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            become_worker(specification, connection, log)
        os.close(connection)
        os.close(log)
        self._workers.add(pid)
        return pid

    def _reap(self) -> None:
        for pid in list(self._workers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._workers.discard(pid)


# ---- worker ----


class Context:
    """Lambda's context object, as the Python runtime gives it to a handler."""

    function_version = "$LATEST"
    client_context = None

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]  # text, as on Lambda
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time-out."""
        return max(int((self._deadline - time.time()) * 1000), 0)


def become_worker(specification: dict[str, Any], connection: int, log: int) -> NoReturn:
    """Turns a forked process into a function's worker; never returns."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.set_inheritable(connection, False)  # programs that the function starts must not hold it open
        os.environ.clear()
        os.environ.update(specification["environment"])
        time.tzset()
        sys.path[:0] = specification["paths"]
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        serve(socket.socket(fileno=connection), specification["handler"])
        status = 0
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _stream(descriptor: int) -> TextIO:
    # The inherited objects stand for the null device, and remember that it can seek.
    return os.fdopen(descriptor, "w", 1, "utf-8", "backslashreplace", closefd=False)


def serve(connection: socket.socket, handler_name: str) -> None:
    """Loads the handler, then answers invocations until the connection closes."""
    started = time.perf_counter()
    try:
        handler = load_handler(handler_name)
    except BaseException as error:
        print(f"[ERROR] {_traceback(error)}", flush=True)
        kind = _INIT_ERRORS.get(type(error), type(error).__name__)
        print(END_OF_LOG, flush=True)
        send(connection, {"error": _error(error, "") | {"errorType": kind}})
        return
    send(connection, {"ready": True, "milliseconds": (time.perf_counter() - started) * 1000})
    while (invocation := receive(connection)) is not None:
        answer = _invoke(handler, invocation)
        answer["memory"] = _memory()
        sys.stderr.flush()
        print(END_OF_LOG, flush=True)
        send(connection, answer)


_INIT_ERRORS: dict[type[BaseException], str] = {
    ModuleNotFoundError: "Runtime.ImportModuleError",
    ImportError: "Runtime.ImportModuleError",
    SyntaxError: "Runtime.UserCodeSyntaxError",
    AttributeError: "Runtime.HandlerNotFound",
    ValueError: "Runtime.MalformedHandlerName",
}


def load_handler(name: str) -> Callable[[Any, Any], Any]:
    """`module.function`, imported. Raises what the import raises, AttributeError or ValueError."""
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise ValueError(f"Bad handler '{name}': not module.function")
    handler: Callable[[Any, Any], Any] = getattr(
        importlib.import_module(module_name.replace("/", ".")), function
    )
    return handler


def _invoke(handler: Callable[[Any, Any], Any], invocation: dict[str, Any]) -> dict[str, Any]:
    request_id = invocation["request_id"]
    context = Context(request_id, invocation["arn"], invocation["deadline"])
    try:
        result = handler(invocation["event"], context)
    except Exception as error:
        print(f"[ERROR] {_traceback(error)}", flush=True)
        return {"error": _error(error, request_id)}
    try:
        return {"result": json.dumps(result, default=_encode)}
    except (TypeError, ValueError) as error:
        marshal = {
            "errorType": "Runtime.MarshalError",
            "errorMessage": f"Unable to marshal response: {error}",
        }
        return {"error": _error(error, request_id) | marshal}


def _encode(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _error(error: BaseException, request_id: str) -> dict[str, Any]:
    frames = traceback.format_tb(error.__traceback__)[1:]  # without this file's own frame
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": frames,
    }


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _memory() -> float:
    """The process's largest size so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def main(descriptor: int, preload: list[str]) -> None:
    """The host: imports `preload`, as far as it is installed, and serves."""
    for module in preload:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    control = socket.socket(fileno=descriptor)
    send(control, {"ready": True})
    Host(control).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
