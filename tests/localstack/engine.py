"""Starts LocalStack without Docker and without downloads; .venv-localstack's Python runs it, not the tests' own.

`engine.py FOLDER DYNAMODB_PORT`: a folder for what LocalStack and its functions leave, and the port of a
DynamoDB Local that runs already. LocalStack's own settings come in its environment (tests/localstack/cloud.py).
stand_ins.yaml names each program that is replaced here, with the reason.
"""

import json
import re
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localstack.runtime.main import main
from localstack.services.cloudformation.resource_provider import plugin_manager
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.events.event_rule_engine import EventRuleEngine
from localstack.services.lambda_ import provider
from localstack.services.lambda_.invocation import execution_environment, version_manager
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

_LOOPBACK = ("127.", "::1", "localhost")


def stay_on_loopback() -> None:
    """Every connection to another machine fails, whatever asks for it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
            raise PermissionError(f"LocalStack wanted to connect to {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]


def use_dynamodb_on(port: int) -> None:
    """DynamoDB's requests go to a DynamoDB Local that runs already."""

    def server() -> DynamodbServer:
        return DynamodbServer(port)

    DynamodbServer.get = staticmethod(server)
    DynamodbServer.start_dynamodb = lambda self: True
    DynamodbServer.stop_dynamodb = lambda self: None


def record_invocations(file: Path) -> None:
    """A function runs none of its code: what it was invoked with becomes a line of `file`, and it succeeds."""
    lock = threading.Lock()

    class Recorder(RuntimeExecutor):
        """Stands where the containers of functions would be started."""

        def start(self, env_vars: Mapping[str, str]) -> None:
            """Nothing to start."""

        def stop(self) -> None:
            """Nothing to stop."""

        def get_address(self) -> str:
            return "127.0.0.1"

        get_endpoint_from_executor = get_runtime_endpoint = get_logs = get_address

        def invoke(self, payload: Mapping[str, str]) -> InvocationResult:
            line = {
                "function": self.function_version.id.function_name,
                "event": json.loads(payload["payload"]),
            }
            with lock, file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
            return InvocationResult(payload["invoke-id"], b"null", is_error=False, logs="")

        @classmethod
        def prepare_version(cls, function_version: FunctionVersion) -> None:
            """Unpacks the code, as before a first invocation: a package that cannot be unpacked fails here."""
            function_version.config.code.prepare_for_execution()

        @classmethod
        def cleanup_version(cls, function_version: FunctionVersion) -> None:
            """Nothing was kept."""

    for module in (execution_environment, version_manager, provider):
        module.get_runtime_executor = lambda: Recorder


def let_wildcards_be_empty() -> None:
    """EventBridge's `*` stands for any number of characters, none too; LocalStack's for one at least."""
    if EventRuleEngine._evaluate_wildcard("a*b", "ab"):
        sys.exit("the row on wildcards in stand_ins.yaml is not needed any more")

    def matches(condition: str, value: Any) -> bool:
        pattern = ".*".join(map(re.escape, condition.split("*")))
        return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None

    EventRuleEngine._evaluate_wildcard = staticmethod(matches)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    stay_on_loopback()
    use_dynamodb_on(int(sys.argv[2]))
    let_wildcards_be_empty()
    record_invocations(folder / "invocations.jsonl")
    (folder / "types.json").write_text(json.dumps(sorted(plugin_manager.list_names())), encoding="utf-8")
    main()
