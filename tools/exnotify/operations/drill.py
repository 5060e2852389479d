"""The drill: every failure caused for real in the embedded cloud, and the alarms that it trips.

Each fault (`faults`) has a cloud of its own, whose clock is fast while nothing happens, and so much slower
while work is under way that a busy machine does not look like a slow stack. The fault is caused, the alarms
that come on are compared with those that should, it is repaired, and everything must go off again. Each page
must come once. Meanwhile somebody is on call who acknowledges each incident by the link in its alert.
"""

import argparse
import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

from ..cloud.alarms import State
from ..local import LocalCloud
from .faults import FAULTS
from .ground import AT, DAY, Fault, Ground
from .monitoring import NESTED
from .watch import read

_ANSWER = 1.0  # real seconds between looks of who is on call
_FIRES = 240.0  # real seconds at most until the alarms are on
_CLEARS = 240.0
_LINGER = 4.0  # real seconds in which nothing else may come on
_BEFORE = timedelta(minutes=5)  # that the stack is there before the fault: growth needs a value before it
_STEP = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """How one fault went: alarms that came on, pages, alarms that stayed on, seconds of real time."""

    fault: str
    expected: tuple[str, ...]
    fired: tuple[str, ...]
    paged: tuple[str, ...]
    stayed: tuple[str, ...]
    seconds: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether exactly the expected alarms came on, each page came once, and all went off."""
        pages = tuple(sorted({_page_of(name) for name in self.expected}))
        return not self.problem and (self.fired, self.paged, self.stayed) == (self.expected, pages, ())


@cache
def _pages() -> Mapping[str, str]:
    resources = read(NESTED.read_text("utf-8"))["Resources"]
    return {n.removesuffix("Alarm"): r["Metadata"]["Watch"].get("page", "") for n, r in resources.items()}


def _page_of(alarm: str) -> str:
    """The alarm that pages for another: a composite one, or itself."""
    return _pages()[alarm] or alarm


def drill(fault: Fault) -> Result:
    """Cause one fault, see what comes on, cure it, see that all goes off."""
    started = time.monotonic()
    expected = tuple(sorted(fault.fires))
    problem = ""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(
            at=AT,
            day=DAY,
            working_rate=fault.working,
            parameters=fault.parameters,
            site=_site(Path(folder), fault.rules),
        ) as cloud,
    ):
        ground = Ground(cloud, Path(folder))
        on_call = threading.Thread(target=_answer, args=(ground,), daemon=True)
        on_call.start()
        try:
            _until(lambda: cloud.clock.utc() >= datetime.fromisoformat(AT) + _BEFORE, _FIRES)
            cure = fault.cause(ground)
            _until(lambda: fault.fires <= _fired(cloud), _FIRES)
            time.sleep(_LINGER)
            cure()
            _until(lambda: not cloud.watcher.firing(), _CLEARS, lasting=_LINGER)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        fired, stayed = _fired(cloud), {_short(name) for name in cloud.watcher.firing()}
        paged = [_short(c.name) for c in cloud.watcher.changes() if c.state == State.ALARM]
        paged = [name for name in paged if name not in fired or _page_of(name) == name]
        ground.over.set()
        on_call.join()
    return Result(
        fault.name,
        expected,
        tuple(sorted(fired)),
        tuple(sorted(paged)),
        tuple(sorted(stayed)),
        time.monotonic() - started,
        problem,
    )


def _site(folder: Path, rules: Mapping[str, Any]) -> Path:
    """A site's folder with rules of its own."""
    site = folder / "site"
    (site / "rules").mkdir(parents=True)
    for name, content in rules.items():
        (site / "rules" / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    return site


def _answer(ground: Ground) -> None:
    """Whoever is on call acknowledges each incident that is told."""
    answered = 0
    while not ground.over.wait(_ANSWER):
        while not ground.unanswered.is_set() and answered < len(ground.cloud.catcher.alerts):
            if link := ground.cloud.catcher.alerts[answered]["link"]:  # none where it is over
                ground.open(link, b"name=On+call")
            answered += 1


def _fired(cloud: LocalCloud) -> set[str]:
    composite = {row["alarm"] for row in cloud.alarms() if row["composite"]}
    return {
        _short(change.name)
        for change in cloud.watcher.changes()
        if change.state == State.ALARM and change.name not in composite
    }


def _short(name: str) -> str:
    return name.partition("-")[2]


def _until(condition: Callable[[], bool], seconds: float, lasting: float = 0.0) -> None:
    """Until the condition has held for so long, at most `seconds` and what it lasts."""
    started = since = time.monotonic()
    while since - started < seconds:
        if not condition():
            since = time.monotonic()
        elif time.monotonic() - since >= lasting:
            return
        time.sleep(_STEP)


def _drill(name: str) -> Result:
    # What the cloud warns of is the fault.
    logging.getLogger("exnotify").setLevel(logging.ERROR)
    return drill(next(fault for fault in FAULTS if fault.name == name))


def main() -> int:
    """`make drill`, `python -m exnotify.operations.drill [--jobs N] [FAULT...]`: prints the table.

    Exit code 1 if a row is not as it should be.
    """
    parser = argparse.ArgumentParser(description="cause every failure and watch the alarms")
    parser.add_argument("--jobs", type=int, default=3, help="clouds at once")
    parser.add_argument("faults", nargs="*", help="only faults whose name contains one of these")
    arguments = parser.parse_args()
    names = [
        fault.name
        for fault in FAULTS
        if not arguments.faults or any(part in fault.name for part in arguments.faults)
    ]
    print(f"{'fault':<46}{'alarms':<60}{'pages':<40}{'off again':<11}{'s':>5}", flush=True)
    wrong = 0
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        for result in pool.map(_drill, names):
            print(_row(result), flush=True)
            wrong += not result.passed
    print(f"{len(names)} faults, {wrong} with other alarms than expected")
    return 1 if wrong else 0


def _row(result: Result) -> str:
    fired, expected = set(result.fired), set(result.expected)
    words = [
        *(name for name in result.fired if name in expected),
        *(f"UNEXPECTED {name}" for name in sorted(fired - expected)),
        *(f"NOT {name}" for name in sorted(expected - fired)),
    ]
    off = ", ".join(result.stayed) if result.stayed else "yes"
    pages = ", ".join(result.paged)
    line = f"{result.fault:<46}{', '.join(words):<60}{pages:<40}{off:<11}{result.seconds:5.0f}"
    return f"{line}  {result.problem}" if result.problem else line


if __name__ == "__main__":
    sys.exit(main())
