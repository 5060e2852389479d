"""Which tests execute which line: measured once, kept under `build/mutants`, a file for each of tests.

What was measured holds as long as neither the file of tests nor any file that its tests executed has changed.
"""

import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "mutants"
TEMPORARY = KEPT / "tmp"

#: Tests that run the product in their own process and need nothing but Python.
FOLDERS = tuple(
    f"tests/{name}"
    for name in (
        "domain",
        "use_cases",
        "scenarios",
        "adapters",
        "index",
        "receipts",
        "wording",
        "providers",
    )
)
MARKERS = "not " + " and not ".join(
    ("dynamodb_local", "browser", "sam", "container", "localstack", "python313")
)
#: Libraries are imported before pytest may rewrite their assertions.
PYTEST = ["-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", "-m", MARKERS]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
#: Only tests that may notice a mutant are run: the approved files of the others are no fault.
PYTEST += ["--snapshot-warn-unused"]

#: What no test named: executed while modules were imported and tests collected.
IMPORT = ""


@dataclass(slots=True)
class Lines:
    """Tests by the lines of the repository's files that they execute; `seconds` is each test's own time."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def of(self, path: str, first: int, last: int) -> set[str]:
        """Tests that execute one of these lines."""
        by_line = self.tests.get(path, {})
        return {test for line in range(first, last + 1) for test in by_line.get(line, ())}


@cache
def _digest(path: str) -> str:
    with suppress(OSError):
        return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()[:16]
    return ""


def _kept_at(test_file: str) -> Path:
    return KEPT / "lines" / (test_file.replace("/", ".") + ".json")


def _holds(test_file: str) -> bool:
    try:
        kept = json.loads(_kept_at(test_file).read_text())
    except (OSError, ValueError):
        return False
    return all(_digest(path) == digest for path, digest in kept["files"].items())


def test_files() -> list[str]:
    """Every file of tests that counts."""
    return [
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("test_*.py"))
    ]


def lines() -> Lines:
    """The map; what does not hold any more is measured first, in a process of its own."""
    stale = [path for path in test_files() if not _holds(path)]
    if stale:
        known = f"measuring which lines {len(stale)} files of tests execute; kept for the next time"
        print(known, file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "mutants.coverage_map", *stale]
        told = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if lacking := [path for path in stale if not _kept_at(path).exists()]:
            raise RuntimeError(
                f"not measured: {', '.join(lacking)}\n{told.stdout[-2000:]}{told.stderr[-2000:]}"
            )
    found = Lines()
    for path in test_files():
        kept = json.loads(_kept_at(path).read_text()) if _kept_at(path).exists() else {"tests": {}}
        for test, (seconds, executed) in kept["tests"].items():
            found.seconds[test] = seconds
            for file, numbers in executed.items():
                for line in coverage.numbits.numbits_to_nums(bytes.fromhex(numbers)):
                    found.tests[file][line].add(test)
    return found


@dataclass(slots=True, eq=False)
class _Recorder:
    """Pytest plugin: one context for each test."""

    measured: coverage.Coverage
    seconds: dict[str, float] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Lines are the test's own while it runs, its fixtures included."""
        self.measured.switch_context(item.nodeid)
        start = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(time.perf_counter() - start, 4)
            self.measured.switch_context(IMPORT)


def _measure(files: list[str]) -> None:
    data = KEPT / f"coverage-{os.getpid()}.sqlite"  # others may measure at the same time
    data.parent.mkdir(parents=True, exist_ok=True)
    data.unlink(missing_ok=True)
    measured = coverage.Coverage(
        data_file=str(data),
        config_file=False,
        source=[str(ROOT / part) for part in ("layers/core", "functions", "tests")],
    )
    recorder = _Recorder(measured)
    measured.start()
    code = pytest.main([*PYTEST, *files], plugins=[recorder])
    measured.stop()
    if code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        sys.exit(int(code))  # nothing is kept: tests that could not be collected execute no line
    measured.save()
    _keep(files, measured.get_data(), recorder.seconds)
    data.unlink(missing_ok=True)


def _keep(files: Iterable[str], data: coverage.CoverageData, seconds: Mapping[str, float]) -> None:
    executed: dict[str, dict[str, str]] = defaultdict(dict)
    for path in data.measured_files():
        relative = str(Path(path).relative_to(ROOT))
        by_test: dict[str, set[int]] = defaultdict(set)
        for line, tests in data.contexts_by_lineno(path).items():
            for test in tests:
                by_test[test].add(line)
        for test, numbers in by_test.items():
            executed[test][relative] = coverage.numbits.nums_to_numbits(numbers).hex()
    for file in files:
        own = {
            test: (took, executed[test]) for test, took in seconds.items() if test.partition("::")[0] == file
        }
        used = {path for _, found in own.values() for path in found} | {file}
        kept = {"files": {path: _digest(path) for path in sorted(used)}, "tests": own}
        _kept_at(file).parent.mkdir(parents=True, exist_ok=True)
        _kept_at(file).write_text(json.dumps(kept))


def imported(package: Path) -> dict[str, set[int]]:
    """Lines that are executed while the package's modules are imported, by file."""
    command = [sys.executable, "-m", "mutants.coverage_map", "--imports", str(package)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {path: set(lines) for path, lines in json.loads(told.stdout).items()}


def _imports(package: Path) -> None:
    measured = coverage.Coverage(data_file=None, config_file=False, source=[str(package)])
    measured.start()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package.parent).with_suffix("").as_posix().removesuffix("/__init__")
        importlib.import_module(name.replace("/", "."))
    measured.stop()
    data = measured.get_data()
    found = {str(Path(path).relative_to(ROOT)): data.lines(path) for path in data.measured_files()}
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "--imports":
        _imports(Path(sys.argv[2]))
    else:
        _measure(sys.argv[1:])
