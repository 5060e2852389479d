"""What some tests need of the machine, and whether it is there.

A marked test whose need is missing is skipped with the reason, and the summary of the run names it; with
REQUIRE_ALL=1, as in CI, it fails instead.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from build_layer import runtime_python

ROOT = Path(__file__).resolve().parent.parent

#: The SAM CLI lives in an environment of its own (requirements/sam.in says why).
SAM = ROOT / ".venv-sam" / "bin" / "sam"

#: So does LocalStack, with the dependencies of its day (requirements/localstack.in says why).
LOCALSTACK = ROOT / ".venv-localstack" / "bin" / "python"

#: DynamoDB Local 3.x is compiled for this version of Java.
JAVA = 17


def all_required(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a missing need is a failure: REQUIRE_ALL=1."""
    return environment.get("REQUIRE_ALL") == "1"


@dataclass(frozen=True)
class Need:
    """What tests with `marker` need: `look` returns why it is missing, or None if it is there."""

    marker: str
    what: str
    look: Callable[[], str | None]

    @cached_property
    def missing(self) -> str | None:
        """Why it is missing, or None; looked up once."""
        return self.look()


def python313() -> str | None:
    """Why there is no Python of the Lambda runtime's version, or None."""
    return None if runtime_python() else "no Python 3.13 was found (RUNTIME_PYTHON can name one)"


def chromium() -> str | None:
    """Why pages cannot be looked at, or None: a browser, and npm that brings axe."""
    reasons = [None if chromium_path() else "no chromium on the path", _npm()]
    return ", ".join(reason for reason in reasons if reason) or None


def chromium_path() -> str | None:
    """The browser's program."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def java_and_node() -> str | None:
    """Why DynamoDB Local cannot run, or None: npm brings its jar, Java runs it."""
    reasons = [reason for reason in (_java(), _npm()) if reason]
    return ", ".join(reasons) or None


def _java() -> str | None:
    said = _said("java", "-version")
    if said is None:
        return "no java on the path"
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA:
        return f"java is older than {JAVA}"
    return None


def _npm() -> str | None:
    return None if _said("npm", "--version") else "no npm on the path"


def sam() -> str | None:
    """Why nothing can be built as it is deployed, or None: SAM in its own environment."""
    return _sam()


def localstack() -> str | None:
    """Why nothing can be deployed through a second engine, or None: LocalStack, SAM, and DynamoDB Local."""
    installed = None if LOCALSTACK.exists() else "no LocalStack (make setup-localstack)"
    return ", ".join(filter(None, (installed, _sam(), java_and_node()))) or None


def containers() -> str | None:
    """Why functions cannot run in containers here, or None: a Docker engine, SAM, the runtime's image."""
    reasons = [reason for reason in (_engine(), _sam(), _image()) if reason]
    return ", ".join(reasons) or None


def _engine() -> str | None:
    if engine_answers() or (os.geteuid() == 0 and shutil.which("dockerd")):
        return None
    if shutil.which("dockerd"):
        return "no Docker engine answers, and only root can start one"
    return "no Docker engine answers or is installed"


def _sam() -> str | None:
    return None if SAM.exists() else "no SAM CLI (make setup-sam)"


def _image() -> str | None:
    """The stand-in for the runtime's image is built from this machine's Python and release of Debian."""
    reasons = [python313()]
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        reasons.append("no debootstrap, or not root, to build the runtime's image")
    return ", ".join(reason for reason in reasons if reason) or None


def engine_answers() -> bool:
    """Whether something listens where Docker's clients look (DOCKER_HOST); one on a network is believed."""
    place = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not place.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(place.removeprefix("unix://")) == 0


def _said(*command: str) -> str | None:
    """What a program printed; None if it is not there or failed."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


NEEDS: tuple[Need, ...] = (
    Need("container", "Docker", containers),
    Need("dynamodb_local", "Java and Node", java_and_node),
    Need("java", "Java", _java),
    Need("browser", "Chromium and Node", chromium),
    Need("python313", "Python 3.13", python313),
    Need("sam", "the SAM CLI", sam),
    Need("localstack", "LocalStack", localstack),
)
