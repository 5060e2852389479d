"""Programs that tests start: they end with the tests, however those end."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_STOP_LIMIT = 30.0  # seconds


def start(command: Sequence[str], log: IO[bytes], folder: Path | None = None) -> "subprocess.Popen[bytes]":
    """Start a program whose output goes to `log`.

    Where Linux's `setpriv` is there, it gets SIGTERM when this process ends, also when that is killed or runs
    into pytest's time limit, and no fixture is torn down any more.
    """
    setpriv = shutil.which("setpriv")
    bound = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
    return subprocess.Popen([*bound, *command], cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a program that was started here, and wait for its end."""
    process.terminate()
    try:
        process.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
