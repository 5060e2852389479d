"""Measures the export of preferences: time and peak memory, by number of customers.

    python -m bench.exporting 10000 1000000

Each size runs in a fresh process: contacts are made up as the table's items and read from them, their
addresses hashed as for the suppression list; segments are sorted and merged by the code of
`export_preferences`, files go to a disk instead of S3. What DynamoDB and S3 take is in no figure.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from .report import Sheet, Verdict
from .report import verdicts as verdicts_of
from .template import ROOT

SIZES = (10_000, 100_000, 1_000_000)

SEGMENTS = 2
"""A segment of the table at the largest size is then about what docs/preferences.md gives to one function."""

MEMORY_GROWTH = 20.0
"""MB that the peak may grow by from 100 thousand to 1 million customers and count as flat: both fill the
chunk that is sorted in memory, and a merge holds a buffer for each chunk on disk."""


def measure(sizes: Iterable[int]) -> list[dict[str, float]]:
    """Each size in a process of its own."""
    places = [str(ROOT), str(ROOT / "layers" / "core"), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    rows = []
    for size in sizes:
        command = [sys.executable, "-m", "bench.export_here", str(size), str(SEGMENTS)]
        done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout))
    return rows


def sheet(rows: Sequence[Mapping[str, float]]) -> tuple[Sheet, list[Verdict]]:
    """The measurements as a table, and whether memory is flat."""
    found = Sheet(
        "Export of preferences",
        (
            "customers", "sorting, s CPU", f"slower of {SEGMENTS} segments, s CPU", "merge, s CPU",
            "µs a customer", "files MB", "peak MB",
        ),
        [
            (
                f"{int(r['size']):,}", f"{r['sort']:.1f}", f"{r['segment']:.1f}", f"{r['merge']:.1f}",
                f"{(r['sort'] + r['merge']) / r['size'] * 1e6:.0f}", f"{r['mb']:,.1f}", f"{r['peak']:.1f}",
            )
            for r in rows
        ],
        (
            f"{SEGMENTS} segments of the table, one after the other in a fresh process, then the merge; "
            "items are made up and read as the table has them, files go to a disk. DynamoDB's and S3's "
            "time is not in it.",
        ),
    )  # fmt: skip
    peaks = {int(r["size"]): r["peak"] for r in rows}
    verdicts = []
    if 100_000 in peaks and max(peaks) >= 1_000_000:
        largest = max(peaks)
        growth = peaks[largest] - peaks[100_000]
        verdicts.append(
            Verdict(
                f"peak memory of the export at {largest:,} over 100,000 customers",
                f"flat: at most {MEMORY_GROWTH:.0f} MB",
                f"{growth:+.1f} MB",
                growth <= MEMORY_GROWTH,
            )
        )
    return found, verdicts


def main() -> None:
    """Measure, and show."""
    parser = argparse.ArgumentParser(prog="python -m bench.exporting")
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    found, verdicts = sheet(measure(given.sizes))
    if given.markdown:
        from datetime import UTC, datetime

        from .report import markdown

        print(
            "## " + markdown([verdicts_of(verdicts), found], datetime.now(UTC)).split("\n## ", 1)[1], end=""
        )
    else:
        from .report import show

        show([verdicts_of(verdicts), found])


if __name__ == "__main__":
    main()
