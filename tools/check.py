"""Run every check and test, and say on one screen what came of each: `make test`, `make lint`.

A failing step does not hide the ones after it. Exit code 0 if all passed, else 1.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import check_calls
import check_newest_sdk

ROOT = Path(__file__).resolve().parent.parent
SAM = ROOT / ".venv-sam" / "bin" / "sam"
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
TEMPLATES = ("template.yaml", "monitoring.yaml")

# Beside all others, so that two cores are busy: tests that wait for other programs and those of pure code;
# tests that wait for a fast clock; and those of the command and the embedded cloud.
_BESIDE = (
    [
        "tests/container",
        "tests/set_up/test_layer_build.py",
        "tests/set_up/test_layer_contents.py",
        "tests/set_up/test_sam_build.py",
        *(
            "tests/domain",
            "tests/use_cases",
            "tests/index",
            "tests/adapters",
            "tests/receipts",
            "tests/wording",
        ),
        *("tests/architecture", "tests/providers", "tests/scenarios", "tests/simulation", "tests/simulators"),
    ],
    [
        "tests/operations",
        *("tests/embedded/test_alert_channels.py", "tests/embedded/test_doctor.py"),
        *("tests/embedded/test_expected_runs.py", "tests/embedded/test_owner_notices.py"),
        *("tests/embedded/test_interruptions.py", "tests/embedded/test_privacy.py"),
        *("tests/embedded/test_smoke.py", "tests/embedded/test_switches.py"),
        *("tests/embedded/test_erased_canaries.py", "tests/embedded/test_steps_fit_the_moment.py"),
    ],
    ["tests/cli", "tests/cloud"],
)
# Apart, with a command of its own: it takes minutes, and a set-up that nothing else needs.
_APART = "tests/localstack"
_PARTS = ([f"--ignore={tests}" for tests in (*chain(*_BESIDE), _APART)], *_BESIDE)
# Histories of bad nights: one of each kind, the same every time, and fresh ones.
_NIGHTS = {
    "fixed nights": ["--fixed", "--seconds=240", "--shrink=120"],
    "fresh nights": ["--seconds=120", "--shrink=60"],
}
# Seconds after the start until which they begin: later a slow machine has no time for them, and that is said.
_NIGHTS_UNTIL = {"fixed nights": 2_000.0, "fresh nights": 1_500.0}
_STARTED = time.monotonic()
_SHOWN = 15  # failed tests named in the summary
_YAML_RULES = (
    "{extends: relaxed, rules: {line-length: disable, braces: disable, brackets: disable, commas: disable, "
    "colons: disable, indentation: disable, key-duplicates: enable, empty-lines: disable}}"
)


@dataclass(frozen=True)
class Step:
    """One check: its name in the summary and the command, run in the project's folder."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Result:
    """How a step ended; `note` is empty when there is nothing to add. `seconds` of wall time."""

    name: str
    passed: bool
    seconds: float
    note: str = ""


def linters(site: str | None) -> list[Step]:
    """The checks that are no tests; `site` is a folder with a site's own rules and wording."""
    python = [sys.executable, "-m"]
    data = sorted(
        str(path.relative_to(ROOT))
        for pattern in ("*.yaml", "layers/core/**/*.yaml", "events/*.json", "statemachines/*.json")
        for path in ROOT.glob(pattern)
    )
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    steps = [
        Step("ruff", [*python, "ruff", "check", "."]),
        Step("format", [*python, "ruff", "format", "--check", "."]),
        Step("types", [*python, "mypy"]),
        Step("yaml, json", [*python, "yamllint", "--strict", "-d", _YAML_RULES, *data]),
        Step("libraries", [sys.executable, "tools/check_libraries.py"]),
        Step("content", [sys.executable, "tools/check_content.py", *([site] if site else [])]),
        # Informational rules included.
        Step("templates", [cfn_lint, *TEMPLATES, "--include-checks", "I"]),
    ]
    if SAM.exists():
        validate = [str(SAM), "validate", "--lint", "--region", "us-east-1", "--template"]
        steps += [Step(f"sam {Path(name).stem}", [*validate, name]) for name in TEMPLATES]
    if CHECKOV.exists():
        steps.append(Step("security", [sys.executable, "tools/check_security.py"]))
    return steps


def run(step: Step, variables: Mapping[str, str] | None = None, output: Path | None = None) -> Result:
    """Run one step with `variables` in its environment; its output goes to the terminal, or to a file."""
    print(f"\n=== {step.name}: {' '.join(step.command[1:])[:100]}", flush=True)
    started = time.monotonic()
    # A machine may have AWS settings of its own: no check needs an account.
    environment = os.environ | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("layers/core", "tools")),
        "SAM_CLI_TELEMETRY": "0",
        **(variables or {}),
    }
    with nullcontext() if output is None else output.open("wb") as file:
        done = subprocess.run(step.command, cwd=ROOT, env=environment, check=False, stdout=file, stderr=file)
    code = done.returncode
    return Result(step.name, code == 0, time.monotonic() - started, "" if code == 0 else f"exit code {code}")


def run_tests(
    arguments: Sequence[str], after: Sequence[Callable[[], Result]] = ()
) -> tuple[list[Result], dict[str, Any]]:
    """Run pytest, then `after`; returns the results in this order and the figures that tests/machine.py left.

    What runs beside the others is printed after them; with `arguments` of its own, pytest runs once.
    """
    parts = [list(arguments)] if arguments else _PARTS
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(len(parts)) as pool:
        reports = [Path(name) / f"report-{number}.json" for number in range(len(parts))]
        outputs = [None, *(Path(name) / f"output-{number}" for number in range(1, len(parts)))]
        running = pool.map(_run_pytest, parts, reports, outputs)
        # Begins when the first of the parts has ended.
        last = [pool.submit(step) for step in after]
        results = list(running)
        for output in filter(None, outputs):
            print(output.read_text("utf-8", "replace"), flush=True)
        figures = [json.loads(report.read_text("utf-8")) for report in reports if report.exists()]
    bad = next((result for result in results if not result.passed), results[0])
    tests = replace(bad, seconds=time.monotonic() - started)
    return [tests, *(step.result() for step in last)], _added_up(figures)


def _run_pytest(arguments: Sequence[str], report: Path, output: Path | None) -> Result:
    step = Step("tests", [sys.executable, "-m", "pytest", *arguments])
    return run(step, {"TEST_REPORT": str(report)}, output)


def _added_up(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not figures:
        return {}
    left_out: Counter[str] = Counter()
    for one in figures:
        left_out.update(one["left_out"])
    lists = {
        name: [row for one in figures for row in one[name]] for name in ("failed", "sdk_calls", "sdk_refused")
    }
    return {"passed": sum(one["passed"] for one in figures), "left_out": dict(left_out), **lists}


def validated_calls(figures: dict[str, Any]) -> Result:
    """Whether the tests made each AWS call of the adapters, with parameters that the SDK's model takes."""
    started = time.monotonic()
    faults = check_calls.faults(figures)
    for fault in faults:
        print(fault)
    number = len({tuple(row) for row in figures.get("sdk_calls", [])})
    note = f"{number} calls validated, {len(faults)} open" + (f", the first: {faults[0]}" if faults else "")
    return Result("sdk calls", not faults, time.monotonic() - started, note)


def early_warning() -> Result:
    """The tests on the newest SDK. A release of others' must not break a clean checkout: it never fails."""
    started = time.monotonic()
    outcome = check_newest_sdk.newest()
    if outcome.faults:
        print(outcome.output)
    return Result("newest sdk", True, time.monotonic() - started, outcome.line)


def nights(name: str, options: Sequence[str]) -> Result:
    """Histories of the simulator (docs/simulation.md), in one process; their output is shown at their end.

    What a fresh history finds was there before the change, as a rule: it is a warning on the last screen.
    """
    took = time.monotonic() - _STARTED
    if took > _NIGHTS_UNTIL[name]:
        return Result(name, True, 0.0, f"NOT PLAYED: what came before took {took:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        step = Step(name, [sys.executable, "-m", "simulation", "--processes=1", *options])
        result = run(step, output=output)
        told = output.read_text("utf-8", "replace")
    print(f"\n=== {name}\n{told}", flush=True)
    said = [line for line in told.splitlines() if line.startswith(("random seeds", "time is over"))]
    said += [re.sub(r" \(.*?\)", "", line) for line in told.splitlines() if " histories (" in line]
    note = "; ".join(filter(None, [result.note, *said]))
    if "--fixed" in options or result.passed:
        return replace(result, note=note)
    return replace(result, passed=True, note=f"A FRESH HISTORY FAILED: {note}")


def summary(results: Sequence[Result], figures: dict[str, Any]) -> str:
    """The one screen: a line for each step, failed tests, and what this machine could not test."""
    lines = ["", "=" * 80]
    for result in results:
        word = "ok" if result.passed else "FAILED"
        lines.append(f"{result.name:<16}{word:<8}{result.seconds:7.1f} s  {result.note}".rstrip())
    failed = figures.get("failed", [])
    lines += [f"  failed: {test}" for test in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"  and {len(failed) - _SHOWN} more")
    left_out = figures.get("left_out", {})
    if left_out:
        lines.append("not tested on this machine:")
        lines += [f"  {count} tests: {reason}" for reason, count in left_out.items()]
    elif figures:
        lines.append("no test was left out")
    return "\n".join(lines)


_LAST: Sequence[Callable[[], Result]] = (
    *(partial(nights, name, options) for name, options in _NIGHTS.items()),
    early_warning,
)
"""What begins when a part of the tests has ended, and a core is free."""


def main() -> int:
    """The command line: `check.py [--lint] [--site FOLDER] [pytest's arguments]`."""
    parser = argparse.ArgumentParser(description="run every check and test")
    parser.add_argument("--lint", action="store_true", help="without the tests")
    parser.add_argument("--site", help="folder with a site's own rules/ and wording/, checked with the rest")
    arguments, passed_on = parser.parse_known_args()
    results = [run(step) for step in linters(arguments.site)]
    figures: dict[str, Any] = {}
    if not arguments.lint:
        (tests, *others), figures = run_tests(passed_on, () if passed_on else _LAST)
        note = f"{figures.get('passed', 0)} passed, {len(figures.get('failed', []))} failed"
        results.append(Result(tests.name, tests.passed, tests.seconds, note))
        if not passed_on:
            results += [validated_calls(figures), *others]
    print(summary(results, figures))
    if not SAM.exists():
        print("sam validate was left out: make setup-sam")
    if not CHECKOV.exists():
        print("security was left out: make setup-checkov")
    print("the template was not deployed through a second engine: make test-localstack")
    print("known vulnerabilities of dependencies were not asked for: make audit")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
