"""Measures staging: records a second of processor time, and peak memory, by index form and size.

    python -m bench.staging --sizes 10000 100000 --forms csv native

Each form and size runs in a fresh process that reads a file from disk and stages it as `stage_run`
does, but for the upload: parts and rejects are dropped. Below a million records the fastest of three
runs counts: whatever else the machine does can only slow one down, also in processor time where two
processors are one core. `cpu_rate` is records by second
of processor time of that one process (user and system), which is what a core can do; `wall_rate`
also has the waits that other work on the machine causes. Memory is the peak resident size, once of
a process that has loaded everything and staged one record (`base_mb`), and what it grew by.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

from .make_index import TYPES, file_name, make_records, write_index

ROOT = Path(__file__).resolve().parent.parent

SIZES = (10_000, 100_000, 1_000_000)
FORMS = ("native", "jsonl", "json-array", "csv", "psv", "xml")
VARIANTS = (
    "json-pretty", "xml-attributes", "native.gz", "jsonl.gz", "csv.gz", "native+utf-16", "jsonl+utf-16",
    "csv+utf-16", "psv+utf-16",
)  # fmt: skip
"""Further forms, measured when asked for."""

TARGET_RATE = 25_000

RUNS, LONG = 3, 1_000_000
"""Runs of each measurement, and the size from which one is long enough to speak for itself."""


class Row(TypedDict):
    """One measurement. Rates are records a second, sizes megabytes of a million bytes."""

    form: str
    records: int
    file_mb: float
    cpu_rate: int
    wall_rate: int
    base_mb: float
    peak_mb: float
    grown_mb: float


class _Dropped:
    """A sink that drops what it gets."""

    def put(self, *_: object) -> None:
        """Drop."""


def _peak_mb() -> float:
    """Peak resident size of this process.

    Linux hands `ru_maxrss` on from the process that started this one, so its own count is better.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _stage_here(path: Path, form: str) -> dict[str, float]:
    """Stage one file in this process."""
    from exstream_notify.adapters.index import Holders, RecordSchema, stage_file

    schema = RecordSchema({name: name for name in TYPES}, {})
    warm = io.BytesIO()
    write_index(make_records(1), form, warm)
    warm.seek(0)
    stage_file(warm, path.name, schema=schema, parts=_Dropped(), rejects=_Dropped())
    base = _peak_mb()
    with path.open("rb") as source:
        wall, cpu = time.perf_counter(), time.process_time()
        holders = Holders()
        tally = stage_file(
            source, path.name, schema=schema, parts=_Dropped(), rejects=_Dropped(), holders=holders
        )
        assert not holders.findings()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert tally.rejected == 0, tally.reject_reasons
    return {"records": tally.records, "cpu": cpu, "wall": wall, "base": base, "peak": _peak_mb()}


def measure_file(path: Path, form: str, runs: int = 1) -> Row:
    """Stage one file in fresh processes, one after another; the fastest run counts."""
    return max((_measure_once(path, form) for _ in range(runs)), key=lambda row: row["cpu_rate"])


def _measure_once(path: Path, form: str) -> Row:
    command = [sys.executable, "-m", "bench.staging", "--stage", str(path), "--forms", form]
    places = [str(ROOT), str(ROOT / "layers" / "core"), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    return Row(
        form=form,
        records=int(found["records"]),
        file_mb=round(path.stat().st_size / 1e6, 1),
        cpu_rate=round(found["records"] / found["cpu"]),
        wall_rate=round(found["records"] / found["wall"]),
        base_mb=round(found["base"], 1),
        peak_mb=round(found["peak"], 1),
        grown_mb=round(found["peak"] - found["base"], 1),
    )


def measure(sizes: Iterable[int] = SIZES, forms: Sequence[str] = FORMS) -> list[Row]:
    """All forms at all sizes, one after another; files are made in a temporary folder and removed."""
    rows = []
    for size in sizes:
        for form in forms:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / file_name(form)
                with path.open("wb") as out:
                    write_index(make_records(size), form, out)
                rows.append(measure_file(path, form, RUNS if size < LONG else 1))
    return rows


def table(rows: Sequence[Row]) -> str:
    """The measurements as a table in Markdown."""
    heads = ("form", "records", "file MB", "records/s CPU", "records/s wall", "peak MB", "grown by MB")
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" + " ---: |" * (len(heads) - 1)]
    for row in rows:
        cells = (
            row["form"],
            f"{row['records']:,}",
            f"{row['file_mb']:,}",
            f"{row['cpu_rate']:,}",
            f"{row['wall_rate']:,}",
            f"{row['peak_mb']}",
            f"{row['grown_mb']}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.staging",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--forms", nargs="+", default=FORMS, metavar="FORM")
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    parser.add_argument("--stage", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(_stage_here(given.stage, given.forms[0])))
        return
    rows = measure(given.sizes, given.forms)
    print(json.dumps(rows, indent=1) if given.json else table(rows))


if __name__ == "__main__":
    main()
