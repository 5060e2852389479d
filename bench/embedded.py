"""Memory and time of whole runs through the embedded cloud, by number of documents.

    python -m bench embedded

Each size has a cloud of its own: `exnotify up` in one process, `exnotify drop` in another, as a reader of
the README types them. A function's memory is the largest that its workers report after an invocation (`Max
Memory Used` in the log, which is the peak of the process). It must not follow the number of documents: a
function works on one batch, however large the run is.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exnotify.deployment import ask

from .report import Sheet, Verdict
from .template import ROOT

SIZES = (1_000, 3_000, 10_000)
GROWTH = 20.0
"""MB that a function's peak may differ by between the smallest and the largest run and count as flat: a warm
worker also fills its caches of templates, rules and locales in its first batches."""

TYPES = (*("statement",) * 8, "claim-letter", "payment-reminder")
"""In bulk by OpenText; one by one by OpenText; one by one by SES."""

RECEIPTS = 5
"""One customer in so many has an address from which receipts come: each costs three calls of functions."""

_SETTINGS = ("ProviderOverrides=email/collections=ses,sms/collections=sms",)
_AT = "2026-11-24T15:00:00+00:00"  # ten in the morning in New York: no SMS waits for the day
_AREAS = ("201", "203", "206", "212", "213", "214", "215", "216", "305", "312", "313", "314", "404", "415")
_REPORT = re.compile(r"^REPORT .* Memory Size: (\d+) MB Max Memory Used: (\d+) MB$")
_TIMEOUT = 1_800  # seconds without any movement after which `drop` gives up
_QUIET = 15.0  # seconds in which nothing may happen before a run counts as over: receipts come within five
_STOPS = 60.0  # seconds for `up` to end


@dataclass(slots=True)
class Row:
    """One run: seconds of wall until it balanced and until its receipts were recorded, the cloud's CPU
    seconds and peak in MB (0: this system does not say), messages accepted, peaks of functions in MB with how
    often each ran, and the memory that the template gives them."""

    documents: int
    balanced: float = 0.0
    settled: float = 0.0
    cpu: float = 0.0
    cloud_mb: float = 0.0
    code: int = 0
    messages: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    peaks: Mapping[str, int] = field(default_factory=dict)
    invocations: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)


def measure(sizes: Sequence[int] = SIZES) -> list[Row]:
    """Run each size, the smallest first."""
    return [_run(size) for size in sizes]


def _run(documents: int) -> Row:
    row = Row(documents)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"run-{documents}"
        source.mkdir()
        with (source / "run.index.jsonl").open("w", encoding="utf-8") as index:
            for number in range(1, documents + 1):
                index.write(json.dumps(_record(number)) + "\n")
        data = Path(folder) / "data"
        with _up(data) as (cloud, url):
            started = time.monotonic()
            dropped = _exnotify("drop", str(source), "--json", "--timeout", str(_TIMEOUT), url=url)
            row.balanced = time.monotonic() - started
            row.code = dropped.returncode
            told = json.loads(dropped.stdout)
            row.outcomes = {name: count for name, count in told["outcomes"].items() if count}
            _settle(url)
            row.settled = time.monotonic() - started - _QUIET
            row.cpu, row.cloud_mb = _used(cloud.pid)
        row.messages = sum(1 for _ in (data / "messages").iterdir())
        row.peaks, row.invocations, row.given = _reported(data / "logs")
    return row


def _record(number: int) -> dict[str, Any]:
    """One customer: one in eleven has no e-mail address; of four addresses in five no receipt comes."""
    silent = "" if number % RECEIPTS == 0 else "silent-"
    return {
        "customer_key": f"B{number:07}",
        "document_id": f"B{number:07}-1",
        "document_type": TYPES[number % len(TYPES)],
        "customer_in_run": str(number),
        **({"email": f"{silent}b{number:07}@example.com"} if number % 11 else {}),
        "mobile": f"+1{_AREAS[number // 100 % len(_AREAS)]}55501{number % 100:02}",
        "language": ("en", "es", "fr", "de")[number // 4 % 4],
        "time_zone": "America/New_York",
        "reference_no": f"R-{number:08}",
        "case_id": f"C-{number:08}",
        "case_type": "claim",
        "amount_due": f"{number % 900}.50",
        "currency": "USD",
        "due_date": "2026-12-24",
    }


@contextmanager
def _up(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`exnotify up` and its address, stopped in the end as Ctrl-C does."""
    settings = [word for setting in _SETTINGS for word in ("--set", setting)]
    command = _command("up", "--port", "0", "--at", _AT, "--data", str(data), *settings)
    cloud = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
    try:
        yield cloud, _ready(cloud)
    finally:
        cloud.send_signal(signal.SIGINT)
        try:
            cloud.communicate(timeout=_STOPS)
        except subprocess.TimeoutExpired:
            cloud.kill()
            cloud.communicate()


def _ready(cloud: subprocess.Popen[str]) -> str:
    for line in cloud.stdout or ():
        if line.startswith("ready "):
            return line.split()[1]
    raise RuntimeError(f"exnotify up ended with code {cloud.wait()}")


def _exnotify(*words: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        env={**_environment(), "EXNOTIFY_URL": url},
    )


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "exnotify", *words]


def _environment() -> dict[str, str]:
    paths = os.pathsep.join((str(ROOT / "layers" / "core"), str(ROOT / "tools")))
    return {**os.environ, "PYTHONPATH": paths}


def _settle(url: str) -> None:
    """Until nothing has been queued or run for a while: receipts come after the run is balanced."""
    quiet = time.monotonic()
    while time.monotonic() - quiet < _QUIET:
        time.sleep(0.5)
        state = ask(url, "GET", "state")
        # Scheduled functions that look for something due are no sign of work.
        if any(depth["visible"] or depth["in_flight"] for depth in state["queues"].values()):
            quiet = time.monotonic()


def _used(pid: int) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a process, its children not counted; zeros where nobody says."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0.0, 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return (int(fields[11]) + int(fields[12])) / ticks, int(peak[1]) / 1024 if peak else 0.0


def _reported(logs: Path) -> tuple[dict[str, int], Counter[str], dict[str, int]]:
    """Peak, invocations and given memory of each function, as the logs report them."""
    peaks: dict[str, int] = {}
    given: dict[str, int] = {}
    invocations: Counter[str] = Counter()
    for log in sorted(logs.glob("*.log")):
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if found := _REPORT.match(line.rstrip("\n")):
                    name = log.stem.removesuffix("Function")
                    given[name] = int(found[1])
                    peaks[name] = max(peaks.get(name, 0), int(found[2]))
                    invocations[name] += 1
    return peaks, invocations, given


def sheets(rows: Sequence[Row]) -> tuple[list[Sheet], list[Verdict]]:
    """The runs, the functions, and whether any function's memory follows the number of documents."""
    runs = Sheet(
        "Whole runs through the embedded cloud",
        (
            "documents",
            "balanced after s",
            "receipts after s",
            "cloud's CPU s",
            "cloud's peak MB",
            "messages",
            "outcomes",
        ),
        [
            (
                f"{row.documents:,}",
                f"{row.balanced:,.0f}",
                f"{row.settled:,.0f}",
                f"{row.cpu:,.0f}",
                f"{row.cloud_mb:,.0f}",
                f"{row.messages:,}",
                ", ".join(f"{count:,} {name}" for name, count in row.outcomes.items()),
            )
            for row in rows
        ],
        (
            "`exnotify up` and `exnotify drop`, one cloud for each run; eight in ten are statements, which "
            "OpenText gets in bulk, one is a claim letter, one a reminder by SES; one customer in eleven has "
            f"a mobile number alone. Receipts come of every SMS and of one e-mail in {RECEIPTS}. The cloud's "
            "process holds every table, queue, object and message in memory (its functions' workers are "
            "processes of their own), so it grows with what it holds.",
        ),
    )
    names = [name for name in rows[-1].peaks if all(name in row.peaks for row in rows)]
    worst = max(names, key=lambda name: _growth(rows, name), default="")
    functions = Sheet(
        "Peak memory of functions, by documents in the run",
        ("function", "given MB", *(f"{row.documents:,}: MB (times)" for row in rows), "growth MB"),
        [
            (
                name,
                f"{rows[-1].given[name]}",
                *(f"{row.peaks[name]} ({row.invocations[name]:,})" for row in rows),
                f"{_growth(rows, name):+d}",
            )
            for name in names
        ],
        (
            "The largest of a function's workers, all of whom are warm to the end; functions that ran in "
            "every run. A worker is forked from a process that has the libraries imported, which counts in "
            "each.",
        ),
    )
    growth = _growth(rows, worst) if worst else 0
    verdict = Verdict(
        f"peak memory of a function at {rows[-1].documents:,} over {rows[0].documents:,} documents, "
        f"worst ({worst})",
        f"flat: at most {GROWTH:.0f} MB",
        f"{growth:+d} MB",
        growth <= GROWTH if rows[-1].documents >= 10 * rows[0].documents else None,
    )
    return [runs, functions], [verdict]


def _growth(rows: Sequence[Row], name: str) -> int:
    return rows[-1].peaks[name] - rows[0].peaks[name]
