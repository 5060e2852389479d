"""Run the tests that call AWS on the newest botocore: `make test-sdk`, and an early warning in `make test`.

What is deployed has the botocore of the lock. This run shows what a newer one changes before the lock is
raised. The newest one is installed into a folder of its own, in front of this environment's. Exit code 0: the
tests pass with it; 1: some do not; 3: it could not be installed.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import check_calls

ROOT = Path(__file__).resolve().parent.parent
TESTS = (
    *("tests/adapters", "tests/providers/test_provider_aws.py", "tests/providers/test_provider_frozen.py"),
    *("-m", "not dynamodb_local"),
)
UNAVAILABLE = 3
"""Exit code where the newest botocore could not be installed, above all without a network."""


@dataclass(frozen=True)
class Outcome:
    """The version that was tested (empty: none could be installed), each fault in a line, pytest's output."""

    version: str
    faults: tuple[str, ...] = ()
    output: str = ""

    @property
    def line(self) -> str:
        """For the summary of all checks."""
        if not self.version:
            return f"not tested: {self.faults[0]}"
        if not self.faults:
            return f"botocore {self.version}: all passed"
        return f"EARLY WARNING: {len(self.faults)} faults with botocore {self.version}: {self.faults[0]}"


def install(folder: Path) -> str:
    """Install the newest boto3 and botocore into `folder`; empty, or why that was not possible."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--upgrade", "--target", str(folder), "boto3", "botocore"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (lines or ["pip failed"])[-1]


def run(folder: Path) -> Outcome:
    """Run the tests with the libraries in `folder` in front."""
    (version,) = {found.version for found in distributions(name="botocore", path=[str(folder)])}
    report = folder / "report.json"
    paths = (folder, ROOT / "layers" / "core", ROOT / "tools")
    variables = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "TEST_REPORT": str(report)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    output = done.stdout[-20_000:]
    if not report.exists():
        return Outcome(version, ("the tests did not start",), output)
    figures = json.loads(report.read_text("utf-8"))
    if figures["sdk_version"] != version:
        return Outcome(version, (f"the tests ran on botocore {figures['sdk_version']}",), output)
    return Outcome(version, (*figures["failed"], *check_calls.faults(figures)), output)


def newest() -> Outcome:
    """Install it and run."""
    with tempfile.TemporaryDirectory(prefix="newest-sdk-") as name:
        if problem := install(Path(name)):
            return Outcome("", (problem,))
        return run(Path(name))


def main() -> int:
    """The command line, without arguments."""
    outcome = newest()
    print(outcome.output)
    for fault in outcome.faults:
        print(fault)
    print(outcome.line)
    if not outcome.version:
        return UNAVAILABLE
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
