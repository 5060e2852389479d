"""One export in this process, for `bench.exporting`: the table, S3 and the queue are made up."""

import gzip
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from exstream_notify.adapters.dynamodb.contacts import contact_from, suppression_key
from exstream_notify.adapters.exports import external_sort
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.due import WaitKind
from exstream_notify.ports import ExportTask, FinishedFile
from exstream_notify.use_cases.export_preferences import layout_of, merge_segments, sort_segment

from .staging import _peak_mb


class _Scan:
    def __init__(self, size: int) -> None:
        self._size = size

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        """Contacts in an order that has nothing to do with their keys, as a table's; four in five with
        a mobile number, one in seven with an opt-out, one in fifty on paper."""
        for number in range(segment, self._size, segments):
            key = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).hexdigest()
            mobile = f"+1202{number % 10_000_000:07d}"
            profile = {
                "domain": "retail",
                "customer_key": key,
                "salt": key * 2,
                "email": _address(f"{key}@example.com"),
                **({"mobile": _address(mobile, "America/New_York")} if number % 5 else {}),
                **({"opt_outs": {"bills": ["sms"]}} if number % 7 == 0 else {}),
                **({"paper_required": True} if number % 50 == 0 else {}),
                "language": ("en", "es", "fr", "de")[number % 4],
                "time_zone": "America/New_York",
                "created_at": "2026-11-01T00:00:00+00:00",
                "changed_at": "2026-11-01T00:00:00+00:00",
            }
            yield contact_from({"v": {"N": "1"}, "profile": {"S": orjson.dumps(profile).decode()}})


def _address(value: str, *zones: str) -> dict[str, object]:
    return {"value": value, "given": value, "status": "ok", "why": "", "source": "drop", "zones": zones}


class _Nobody:
    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        """No address is suppressed, but each is hashed to look for it."""
        keys = {suppression_key(b"a pepper of the bench", *address) for address in addresses}
        return set() if keys else set(addresses)


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
        """Those on the disk; nobody hears when they are complete: the bench merges by itself."""
        return {int(path.stem.partition("-")[2]) for path in self.folder.glob("segment-*.gz")}

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

    def expire(self, domain: str, kept: int) -> None:
        """There is only the one."""

    def _segment(self, number: int) -> Path:
        return self.folder / f"segment-{number}.gz"


class _NoQueue:
    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        """Nobody waits."""

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        """Nor here."""


def export_here(size: int, segments: int) -> dict[str, float]:
    """Seconds of CPU, peak memory in MB, and megabytes written, of one export."""
    layout = layout_of(YamlRules(), ",")
    with tempfile.TemporaryDirectory() as folder:
        disk = _Disk(Path(folder))
        started = time.process_time()
        slowest = 0.0
        for number in range(segments):
            began = time.process_time()
            task = ExportTask("bench", "sort", segments, number)
            sort_segment(
                task,
                contacts=_Scan(size),
                suppressions=_Nobody(),
                store=disk,
                queue=_NoQueue(),
                looks=_NoQueue(),
                layout=layout,
            )
            slowest = max(slowest, time.process_time() - began)
        sorted_at, sort_peak = time.process_time(), _peak_mb()
        done = merge_segments(ExportTask("bench", "merge", segments), store=disk, layout=layout)
        assert done.rows == {"retail": size}
        merge = time.process_time() - sorted_at
        total = sum((Path(folder) / n).stat().st_size for n in ("preferences.json", "preferences.csv"))
    return {
        "size": size, "sort": sorted_at - started, "segment": slowest, "merge": merge,
        "sort_peak": sort_peak, "peak": _peak_mb(), "mb": total / 1e6,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(export_here(int(sys.argv[1]), int(sys.argv[2]))))
