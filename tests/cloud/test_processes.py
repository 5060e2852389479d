"""The processes of the embedded cloud: code that cannot be loaded, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exnotify.cloud import EmbeddedCloud

BROKEN = {
    "NoSuchModule": ("import nowhere_to_be_found", "Runtime.ImportModuleError"),
    "Syntax": ("def handler(:", "Runtime.UserCodeSyntaxError"),
    "NoHandler": ("x = 1", "Runtime.HandlerNotFound"),
    "Raises": ("raise RuntimeError('at import')", "RuntimeError"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A stack of functions none of which can be loaded."""
    folder = tmp_path_factory.mktemp("broken")
    lines = ["Transform: AWS::Serverless-2016-10-31", "Resources:"]
    for name, (code, _) in BROKEN.items():
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(code)
        properties = f"{{CodeUri: {name}/, Handler: app.handler, Runtime: python3.13}}"
        lines.append(f"  {name}: {{Type: AWS::Serverless::Function, Properties: {properties}}}")
    template = folder / "template.yaml"
    template.write_text("\n".join(lines))
    with EmbeddedCloud(template) as cloud:
        yield cloud


@pytest.mark.parametrize("name", BROKEN)
def test_code_that_cannot_be_loaded_fails_each_invocation(broken: EmbeddedCloud, name: str) -> None:
    for _ in range(2):
        outcome = broken.invoke(name, {})
        assert outcome.error is not None
        assert outcome.error["errorType"] == BROKEN[name][1]
    assert broken.worker_pids(name) == []


ALONE = """
import sys, time
from collections.abc import Iterator
from pathlib import Path
from exnotify.cloud import EmbeddedCloud
with EmbeddedCloud(Path(sys.argv[1])) as cloud:
    cloud.invoke("TakeOrdersFunction", {"do": "return", "expression": "1"})
    print(*cloud.worker_pids("TakeOrdersFunction"), cloud._functions._host._process.pid, flush=True)
    cloud.wait()
"""


@pytest.mark.parametrize(
    ("how", "code"),
    [(signal.SIGTERM, 128 + 15), (signal.SIGKILL, -9)],
    ids=["SIGTERM", "SIGKILL"],
)
def test_nothing_outlives_the_cloud(miniature: Path, how: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", ALONE, str(miniature)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "tools")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        assert len(pids) == 2
        process.send_signal(how)
        assert process.wait(10) == code
    deadline = time.monotonic() + 5
    while any(_runs(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
