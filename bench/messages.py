"""Measures the reading of message files: lines a second of processor time, peak memory, reports raised.

    python -m bench.messages --lines 10000 1000000

Each size runs in a fresh process that reads a file of 40 codes from disk as `read_messages` does,
severe ones and continuation lines among them, every line with a customer; nothing is sent anywhere.
The clock and the bus are in memory, so this is our side alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TypedDict

from .staging import ROOT, _peak_mb

SIZES = (10_000, 100_000, 1_000_000)
CODES = 40
ENCODINGS = ("utf-16", "utf-8")


class Row(TypedDict):
    """One measurement; rates are lines a second of processor time, sizes megabytes."""

    encoding: str
    lines: int
    file_mb: float
    cpu_rate: int
    base_mb: float
    grown_mb: float
    reports: int
    codes: int


def write_messages(lines: int, out: IO[str]) -> None:
    """A message file of so many lines, a twentieth of them continuations, of 40 codes."""
    letters = "WWWWWWWEES"
    for number in range(lines):
        if number % 20 == 19:
            out.write("    continued: rule owner LEGAL, document POLICY_PACK\r\n")
            continue
        which = (number // 20 + number) % CODES
        code = f"EX{3000 + which:06d}{letters[which % 10]}"
        customer = number * 7919 % 900_000 + 1
        clock = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
        out.write(f"11/20/2026 {clock} {code} ({customer}) Required field ADDRESS_{number % 9} is empty\r\n")


def _read_here(path: Path) -> dict[str, float]:
    """Read one file in this process."""
    from exstream_notify.adapters.message_files import MessageFiles
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.use_cases.read_messages import read_messages
    from tests.fakes import FakeClock, FakeDueIndex, FakeLedger, FakeRunBook

    rules = YamlRules()
    rules.check()
    raised: list[Any] = []

    class Bus:
        def raise_exceptions(self, exceptions: Iterable[Any]) -> None:
            for exception in exceptions:
                # As it goes to the bus: what was raised is not kept.
                raised.append((exception.code, exception.part, len(json.dumps(exception.to_detail()))))

        def run_dispatched(self, domain: str, run_id: str) -> None:
            raise AssertionError

    class Folder:
        def head(self, name: str) -> object:
            return name

        def open(self, name: str) -> Any:
            return path.open("rb")

    ports: dict[str, Any] = {
        "folder": Folder(),
        "files": MessageFiles(rules.messages),
        "rules": rules,
        "alerts": rules,
        "runs": FakeRunBook(),
        "due": FakeDueIndex(FakeLedger()),
        "exceptions": Bus(),
        "clock": FakeClock("2026-11-20T15:00:00+00:00"),
    }
    base = _peak_mb()
    cpu = time.process_time()
    read_messages("retail", "run-1", "bench.dat", **ports)
    cpu = time.process_time() - cpu
    return {
        "cpu": cpu,
        "base": base,
        "peak": _peak_mb(),
        "reports": len(raised),
        "codes": len({code for code, _, _ in raised}),
    }


def measure(sizes: Iterable[int] = SIZES) -> list[Row]:
    """All sizes, in UTF-16 and UTF-8; files are made in a temporary folder and removed."""
    rows = []
    for lines in sizes:
        for encoding in ENCODINGS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "bench.dat"
                with path.open("w", encoding=encoding, newline="") as out:
                    write_messages(lines, out)
                rows.append(_measure_once(path, encoding, lines))
    return rows


def _measure_once(path: Path, encoding: str, lines: int) -> Row:
    places = [str(ROOT), str(ROOT / "layers" / "core"), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    command = [sys.executable, "-m", "bench.messages", "--read", str(path)]
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    return Row(
        encoding=encoding,
        lines=lines,
        file_mb=round(path.stat().st_size / 1e6, 1),
        cpu_rate=round(lines / found["cpu"]),
        base_mb=round(found["base"], 1),
        grown_mb=round(found["peak"] - found["base"], 1),
        reports=found["reports"],
        codes=found["codes"],
    )


def main() -> None:
    """Measure, and print the rows as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.messages", description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=SIZES)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        print(json.dumps(_read_here(given.read)))
        return
    print(json.dumps(measure(given.lines), indent=1))


if __name__ == "__main__":
    main()
