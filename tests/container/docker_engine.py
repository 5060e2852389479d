"""A Docker engine: the one that answers, or one started for the tests and stopped with them."""

import ipaddress
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

from tests.needs import engine_answers
from tests.processes import start, stop

_START_LIMIT = 90.0  # seconds


class EngineError(Exception):
    """No engine runs, and none could be started; the message has the end of its log."""


@contextmanager
def engine() -> Iterator[docker.DockerClient]:
    """A client of a running engine. One that was started here is stopped, by its process, at the end.

    Raises EngineError.
    """
    client = _client()
    if client is not None:
        try:
            yield client
        finally:
            client.close()
        return
    with _started() as client:
        yield client


def bridge_gateway(client: docker.DockerClient) -> str:
    """This machine's address as containers on the default network see it."""
    configs = client.networks.get("bridge").attrs["IPAM"]["Config"]
    config = next(entry for entry in configs if "." in entry["Subnet"])
    # Without a setting Docker takes the first address, and may not say so until a container has run.
    return str(config.get("Gateway") or ipaddress.ip_network(config["Subnet"])[1])


def _client() -> docker.DockerClient | None:
    # Asked first, since a client that finds no engine leaves an open socket behind.
    return docker.from_env() if engine_answers() else None


@contextmanager
def _started() -> Iterator[docker.DockerClient]:
    program = shutil.which("dockerd")
    if program is None:
        raise EngineError("dockerd is not installed")
    with tempfile.TemporaryDirectory(prefix="dockerd-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = start([program], out)
        client = None
        try:
            client = _wait(process, log)
            yield client
        finally:
            if client is not None:
                client.close()
            stop(process)  # it stops its containers and its containerd first


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> docker.DockerClient:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        client = _client()
        if client is not None:
            return client
        time.sleep(0.3)
    said = log.read_text(errors="replace").splitlines()[-15:]
    raise EngineError("dockerd did not start:\n" + "\n".join(said))
