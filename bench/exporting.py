"""Measures the export of preferences: time and peak memory, by number of customers.

    python -m bench.exporting 10000 1000000

Each size runs in a fresh process: contacts are made up as the scan yields them, segments are sorted and
merged by the code of `export_preferences`, files go to a disk instead of S3. What DynamoDB and S3 take is
in no figure.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exstream_notify.adapters.exports import external_sort
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.contacts import Address, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.ports import ExportTask, FinishedFile
from exstream_notify.use_cases.export_preferences import layout_of, merge_segments, sort_segment

from .report import Sheet
from .staging import _peak_mb

SEGMENTS = 16


class _Scan:
    def __init__(self, size: int) -> None:
        self._size = size

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        """Contacts in an order that has nothing to do with their keys, as a table's."""
        base = Contact("retail", "", "00", language="en", time_zone="America/New_York", version=1)
        for number in range(segment, self._size, segments):
            key = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).hexdigest()
            email = Address(f"{key}@example.com", f"{key}@example.com")
            outs: Mapping[str, tuple[Channel, ...]] | None = {"bills": ("sms",)} if number % 7 == 0 else None
            yield replace(base, customer_key=key, email=email, opt_outs=outs, paper_required=number % 50 == 0)


class _Nobody:
    """As much of a suppression list as the export asks."""

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """No address is suppressed."""
        return set()


class _File:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._out: Any = gzip.open(path, "wb", 1) if path.name == "rows" else path.open("wb")  # noqa: SIM115
        self._hash, self._bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Append."""
        self._out.write(data)
        self._hash.update(data)
        self._bytes += len(data)

    def finish(self) -> FinishedFile:
        """Close."""
        self._out.close()
        return FinishedFile(self.path.name, self._bytes, self._hash.hexdigest())

    def abort(self) -> None:
        """Close."""
        self._out.close()


class _Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: Mapping[str, object] | None = None

    def write_sorted(self, task: ExportTask, lines: Iterable[bytes]) -> int:
        """One segment, sorted."""
        rows = 0
        with tempfile.TemporaryDirectory() as spill, gzip.open(self._segment(task.segment), "wb", 1) as out:
            for line in external_sort(lines, Path(spill)):
                out.write(line)
                rows += 1
        return rows

    def sorted_segments(self, export: str) -> set[int]:
        """None is counted: the bench merges by itself."""
        return set()

    def read_sorted(self, export: str, segment: int) -> Iterator[bytes]:
        """One segment's lines."""
        with gzip.open(self._segment(segment), "rb") as lines:
            yield from lines

    def write(self, domain: str, export: str, name: str) -> _File:
        """A file."""
        return _File(self.folder / name)

    def control(self, domain: str) -> Mapping[str, object] | None:
        """The first export."""
        return None

    def put_control(self, domain: str, control: Mapping[str, object]) -> None:
        """Keep it."""
        self.told = control

    def rows(self, domain: str, control: Mapping[str, object] | None) -> Iterator[bytes]:
        """Nothing before."""
        return iter(())

    def exported_domains(self) -> Sequence[str]:
        """None before."""
        return ()

    def _segment(self, number: int) -> Path:
        return self.folder / f"segment-{number}.gz"


class _NoQueue:
    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        """Nobody waits."""


def _export_here(size: int) -> dict[str, float]:
    layout = layout_of(YamlRules(), ",")
    with tempfile.TemporaryDirectory() as folder:
        disk = _Disk(Path(folder))
        started = time.process_time()
        slowest = 0.0
        for number in range(SEGMENTS):
            began = time.process_time()
            task = ExportTask("bench", "sort", SEGMENTS, number)
            sort_segment(
                task,
                contacts=_Scan(size),
                suppressions=_Nobody(),
                store=disk,
                queue=_NoQueue(),
                layout=layout,
            )
            slowest = max(slowest, time.process_time() - began)
        sorted_at, sort_peak = time.process_time(), _peak_mb()
        done = merge_segments(ExportTask("bench", "merge", SEGMENTS), store=disk, layout=layout)
        assert done.rows == {"retail": size}
        merge = time.process_time() - sorted_at
        total = sum((Path(folder) / n).stat().st_size for n in ("preferences.json", "preferences.csv"))
    return {
        "size": size, "sort": sorted_at - started, "segment": slowest, "merge": merge,
        "sort_peak": sort_peak, "peak": _peak_mb(), "mb": total / 1e6,
    }  # fmt: skip


def measure(sizes: Iterable[int]) -> list[dict[str, float]]:
    """Each size in a process of its own."""
    rows = []
    for size in sizes:
        command = [sys.executable, "-m", "bench.exporting", "--here", str(size)]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return rows


def sheet(rows: Sequence[Mapping[str, float]]) -> Sheet:
    """The measurements as a table."""
    return Sheet(
        "Export of preferences",
        ("customers", "sorting, s CPU", "slowest of 16 segments, s", "merge, s CPU", "files MB", "peak MB"),
        [
            (
                f"{int(r['size']):,}", f"{r['sort']:.1f}", f"{r['segment']:.1f}", f"{r['merge']:.1f}",
                f"{r['mb']:,.1f}", f"{r['peak']:.1f}",
            )
            for r in rows
        ],
        ["Sixteen segments, in turn in one process, files on a disk; DynamoDB's and S3's time is not in it."],
    )  # fmt: skip


def main() -> None:
    """Measure, and show."""
    parser = argparse.ArgumentParser(prog="python -m bench.exporting")
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    if given.here:
        print(json.dumps(_export_here(given.here)))
        return
    found = sheet(measure(given.sizes))
    if given.markdown:
        from datetime import UTC, datetime

        from .report import markdown

        print("## " + markdown([found], datetime.now(UTC)).split("\n## ", 1)[1], end="")
    else:
        from .report import show

        show([found])


if __name__ == "__main__":
    main()
