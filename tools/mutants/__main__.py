"""`make mutants [MODULES=domain,use_cases/send*] [SAMPLE=N] [SEED=…] [AGAIN=1] [MATCH=…]`: the command.

Results are written to `build/mutants/results.jsonl`, a line for each mutant. Exit code 0 if none survived.
"""

import argparse
import importlib
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import yaml

from mutants import choice, forks
from mutants.coverage_map import KEPT, PYTEST, ROOT, TEMPORARY, Lines, imported, lines
from mutants.operators import Mutant

RESULTS = KEPT / "results.jsonl"
EQUIVALENT = ROOT / "tools" / "mutants" / "equivalent.yaml"

# What the tests import before the product; a fork that imports the product anew has them already.
_LIBRARIES = (
    "boto3",
    "moto",
    "pydantic",
    "jinja2",
    "httpx",
    "phonenumbers",
    "aws_lambda_powertools",
    "hypothesis",
    "schemathesis.pytest.plugin",
    "syrupy",
)
_TEST_SECONDS = 40.0  # the most that the tests of one mutant take, by their own time
_COLD_TEST_SECONDS = 15.0
_SLACK = 15.0  # seconds that a fork may take beyond that, for its start


@dataclass(slots=True)
class Case:
    """A compiled mutant and the tests that may notice it; without a `function` modules are imported anew."""

    mutant: Mutant
    module: CodeType
    function: CodeType | None
    tests: list[str]
    status: str = ""
    by: str = ""
    seconds: float = 0.0

    def row(self) -> dict[str, Any]:
        """The line of results."""
        mutant = self.mutant
        return {
            "module": mutant.path,
            "function": mutant.function,
            "kind": mutant.kind,
            "mutation": mutant.mutation,
            "line": mutant.line,
            "status": self.status,
            "by": self.by,
            "tests": len(self.tests),
            "seconds": round(self.seconds, 2),
        }


@dataclass(slots=True)
class Run:
    """One run of the command."""

    known: Lines
    users: choice.Users
    imported: dict[str, set[int]]
    equivalent: dict[tuple[str, str, str], str]
    killers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    cases: list[Case] = field(default_factory=list)
    sound: set[str] = field(default_factory=set)
    unsound: set[str] = field(default_factory=set)

    def prepare(self, wanted: Iterable[Mutant]) -> None:
        """Compile the mutants; one that leaves the code as it was is none."""
        originals: dict[str, CodeType] = {}
        for mutant in wanted:
            file = str(ROOT / mutant.path)
            if file not in originals:
                originals[file] = compile(
                    Path(file).read_text(encoding="utf-8"), file, "exec", dont_inherit=True
                )
            try:
                code = mutant.compiled(file)
            except SyntaxError:
                continue
            if code == originals[file]:
                continue
            changed = forks.changed_function(originals[file], code)
            self.cases.append(self._case(mutant, code, changed and changed[1]))

    def _case(self, mutant: Mutant, code: CodeType, function: CodeType | None) -> Case:
        if function is not None and not self.imported.get(mutant.path, set()).isdisjoint(_body(function)):
            function = None
        tests = self.known.of(mutant.path, mutant.line, mutant.end_line)
        tests = tests or self.known.of(mutant.path, *mutant.statement)
        if function is None:
            own = mutant.function.rpartition(".")[2]
            names = mutant.names | ({own} if own else set())
            tests = tests | self.users.tests(names, self.known, self.imported)
        case = Case(mutant, code, function, sorted(tests))
        if mutant.key in self.equivalent:
            case.status = "equivalent"
        elif not tests:
            case.status = "uncovered"
        return case

    def judge(self, warm: forks.Warm | None) -> None:
        """Judge the cases that this process can: with collected tests, or before any import."""
        for case in self.cases:
            if case.status or (warm is None) != (case.function is None):
                continue
            path = case.mutant.path
            start = time.monotonic()
            case.status, case.by = self._verdict(case, warm)
            while case.by in self.known.seconds and not self._passes_unchanged(case, warm):
                case.status, case.by = self._verdict(case, warm)
            case.seconds = time.monotonic() - start
            if case.by in self.known.seconds:
                self.killers[path] = [test for test in self.killers[path] if test != case.by] + [case.by]
            self._note(case)

    def _verdict(self, case: Case, warm: forks.Warm | None) -> tuple[str, str]:
        path = case.mutant.path
        tests = [test for test in case.tests if test not in self.unsound]
        most = _TEST_SECONDS if warm is not None else _COLD_TEST_SECONDS
        chosen = choice.in_order(tests, self.known, self.killers[path], most, path)
        limit = _SLACK + 5 * sum(self.known.seconds[test] for test in chosen)
        if warm is not None:
            return warm.judged(case.function, chosen, limit)
        return forks.cold(str(ROOT / path), case.module, chosen, limit + _SLACK)

    def _passes_unchanged(self, case: Case, warm: forks.Warm | None) -> bool:
        """Whether the test that failed passes in a fork without the change; asked once for each test."""
        test, limit = case.by, 4 * _SLACK
        if test in self.sound:
            return True
        if warm is not None:
            status, _ = warm.judged(None, [test], limit)
        else:
            status, _ = forks.cold("", case.module, [test], limit)
        (self.sound if status == "survived" else self.unsound).add(test)
        return status == "survived"

    def _note(self, case: Case) -> None:
        with RESULTS.open("a") as results:
            print(json.dumps(case.row(), ensure_ascii=False), file=results)
        print("." if case.status == "killed" else "S", end="", file=sys.stderr, flush=True)


def _body(function: CodeType) -> set[int]:
    return {line for code in forks.parts(function) for _, _, line in code.co_lines() if line} - {
        function.co_firstlineno
    }


def _equivalent() -> dict[tuple[str, str, str], str]:
    rows = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []
    return {(row["module"], row.get("function", ""), row["mutation"]): row["reason"] for row in rows}


_TITLES: dict[str, Callable[[Case], str]] = {
    "module": lambda case: case.mutant.path,
    "kind": lambda case: case.mutant.kind,
}


def _summary(cases: Sequence[Case]) -> None:
    for title, name_of in _TITLES.items():
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for case in cases:
            counts[name_of(case)][case.status] += 1
            counts["all"][case.status] += 1
        print(f"\n{title:70} killed survived uncovered equivalent  score")
        for name in sorted(counts, key=lambda name: (name == "all", name)):
            told = counts[name]
            changed = sum(told.values()) - told["equivalent"]
            share = f"{100 * told['killed'] / changed:5.1f} %" if changed else ""
            figures = "".join(
                f"{told[state]:9}" for state in ("killed", "survived", "uncovered", "equivalent")
            )
            print(f"{name:68} {figures}  {share}")
    for case in cases:
        if case.status in ("survived", "uncovered"):
            mutant = case.mutant
            print(f"\n{mutant.path}:{mutant.line} {mutant.function} ({case.status}, {len(case.tests)} tests)")
            print(f"    {mutant.kind}: {mutant.mutation}")


def _again() -> set[tuple[str, str, str]]:
    rows = map(json.loads, RESULTS.read_text().splitlines())
    left = ("survived", "uncovered")
    return {
        (row["module"], row["function"], f"{row['kind']}: {row['mutation']}")
        for row in rows
        if row["status"] in left
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--modules", default="domain,use_cases,adapters")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--again", action="store_true", help="only those that the last run did not kill")
    parser.add_argument(
        "--match", default="", help="only mutants whose function and words match this expression"
    )
    asked = parser.parse_args(arguments)
    # What cannot be is said before the tests are measured, which takes long.
    patterns = asked.modules.split(",")
    if unknown := [pattern for pattern in patterns if not choice.modules([pattern])]:
        parser.error(f"no module is named {', '.join(unknown)}: domain, use_cases/send*, adapters/receipts")
    if asked.again and not RESULTS.exists():
        parser.error("--again: no run has written its results yet")
    paths = choice.modules(patterns)
    again = _again() if asked.again else None
    drawn = choice.drawn(paths, sys.maxsize if asked.again or asked.match else asked.sample, asked.seed)
    wanted = [mutant for mutant in drawn if re.search(asked.match, " ".join(mutant.key))]
    if not wanted:
        parser.error(f"no mutant of these modules matches {asked.match!r}")
    run = Run(lines(), choice.Users(), imported(choice.PACKAGE), _equivalent())
    run.prepare(mutant for mutant in wanted if again is None or mutant.key in again)
    TEMPORARY.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text("".join(json.dumps(case.row()) + "\n" for case in run.cases if case.status))
    for library in _LIBRARIES:
        importlib.import_module(library)
    run.judge(None)
    if any(not case.status for case in run.cases):
        for path in sorted({case.mutant.path for case in run.cases if not case.status}):
            # Some are imported by no test, but by a function that a test calls: too late to be changed.
            importlib.import_module(choice.module_name(path))
        files = {test.partition("::")[0] for case in run.cases if not case.status for test in case.tests}
        options = [*PYTEST, "-o", "timeout=0", f"--basetemp={TEMPORARY / 'warm'}", *sorted(files)]
        pytest.main(options, plugins=[forks.Collected(run.judge)])
    _summary(run.cases)
    return int(any(case.status in ("survived", "uncovered") for case in run.cases))


if __name__ == "__main__":
    sys.exit(main())
