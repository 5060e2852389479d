"""What tests start ends with them, also when they are killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import processes
from tests.needs import ROOT

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STARTER = """
import sys, time
from pathlib import Path
from tests.processes import start
log = Path(sys.argv[1])
with log.open("wb") as out:
    process = start([sys.executable, "-c", "import time; print('runs', flush=True); time.sleep(60)"], out)
while not log.read_bytes():  # until then it may not be bound yet
    time.sleep(0.01)
print(process.pid, flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_a_program_that_is_stopped_has_ended(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = processes.start(SLEEP, log)
    assert process.poll() is None

    processes.stop(process)

    assert process.returncode == -signal.SIGTERM


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv, which is Linux's")
def test_a_program_ends_when_the_tests_are_killed(tmp_path: Path) -> None:
    tests = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "log")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tests.stdout is not None
    with tests.stdout:
        pid = int(tests.stdout.readline())

    tests.kill()
    tests.wait()

    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(pid)
