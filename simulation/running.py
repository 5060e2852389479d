"""Many histories, one after another in each of a few processes: figures, totals, and failures shown small."""

from __future__ import annotations

import gc
import json
import multiprocessing
import secrets
import subprocess
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from .figures import Totals, named, write_section
from .regression import as_test, confirmed, told
from .shrink import shrink
from .stopping import die_quietly
from .stories.history import History, Result, play

BUILD = Path("build/simulation")
RESULTS = Path("bench/RESULTS.md")
COLLECTS = (50_000, 20, 50)
"""Thresholds of the garbage collector: a history makes little garbage, and has much to look through."""

ABOUT = 5
"""Violations that the line of a history tells in words."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `seeds` None: random ones, until `seconds` are over; their names begin with `begin`. A
    seed may name its own profile: `7:storm`. `shrink`: seconds for a failure."""

    seeds: Sequence[str] | None
    seconds: float = 0.0
    profile: str = ""
    processes: int = 1
    shrink: float = 600.0
    going: bool = False
    begin: str = ""


def seeds_of(text: str) -> list[str]:
    """`100-200`, `7`, `3,5,9`; ArgumentTypeError for what is none."""
    found: list[str] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        numbers = [side.isdecimal() for side in (first, last)]
        if not dash or not any(numbers):
            found.append(part)  # any text is a seed
        elif all(numbers) and int(first) <= int(last):
            found += map(str, range(int(first), int(last) + 1))
        else:
            raise ArgumentTypeError(f"{part!r} is no range of seeds: 100-200, 7 or 3,5,9")
    return found


def run_all(order: Order) -> int:
    """Run what is ordered; 1 if a history failed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    began, totals, first, commit = time.monotonic(), Totals(), None, _commit()
    with (BUILD / "histories.jsonl").open("a", encoding="utf-8") as lines:
        for row in _rows(order):
            failure = row.pop("failure", None)
            first = first or failure
            totals.add(row)
            lines.write(json.dumps({**row, "commit": commit}, ensure_ascii=False) + "\n")
            lines.flush()
            if row["claims"] or row["error"]:
                said = ", ".join(dict.fromkeys(row["claims"])) or row["error"]
                print(f"seed {row['seed']} ({row['profile']}): {said}", flush=True)
                if not order.going:
                    break
    print(f"{totals}\ncommit {commit}, seeds {named(totals.seeds)}")
    print(f"in {time.monotonic() - began:.0f} seconds, {totals.seconds:.0f} of one core")
    told = {"commit": commit, "profile": order.profile or "drawn", **totals.as_json()}
    (BUILD / "totals.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    if first and order.shrink:
        _show_small(first, order.shrink)
    return 1 if totals.failed else 0


def report() -> int:
    """Write what the histories came to that were played so far."""
    write_section(BUILD / "histories.jsonl", RESULTS)
    print(f"written to {RESULTS}")
    return 0


def replay(seed: str, profile: str) -> int:
    """One history, told from beginning to end."""
    result = History(seed, profile, keep_log=True).run()
    (BUILD / "output").mkdir(parents=True, exist_ok=True)
    (BUILD / "output" / f"{seed}.log").write_text("".join(result.output), "utf-8")
    print(told(result))
    print(f"{len(result.violations)} violations" if result.violations else "every claim holds")
    print(f"{json.dumps(result.figures)}\ndigest {result.digest}")
    print(f"what functions printed: {BUILD}/output/{seed}.log")
    return 1 if result.violations else 0


# ----


def _rows(order: Order) -> Iterator[dict[str, Any]]:
    ends = time.monotonic() + order.seconds if order.seconds else None
    whole = bool(order.shrink)
    jobs = ((seed, own or order.profile, whole) for seed, _, own in _seeds(order, ends))
    if order.processes == 1:
        yield from map(_row, jobs)
        return
    fresh = multiprocessing.get_context("spawn")
    # A new process now and then: a history leaves modules and caches behind.
    with ProcessPoolExecutor(order.processes, fresh, die_quietly, max_tasks_per_child=50) as pool:
        running = {pool.submit(_row, job) for job in islice(jobs, order.processes)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(_row, job) for job in islice(jobs, len(done))}
            yield from (future.result() for future in done)


def _seeds(order: Order, ends: float | None) -> Iterator[tuple[str, str, str]]:
    """Seeds with the profile that they name; those for which no time was left are told."""
    begin = order.begin or secrets.token_hex(4)
    if order.seeds is None:
        print(f"random seeds {begin}.1, {begin}.2 and so on; the same once more: BEGIN={begin}", flush=True)
    named = order.seeds if order.seeds is not None else (f"{begin}.{number}" for number in count(1))
    for number, seed in enumerate(named):
        if ends is not None and time.monotonic() > ends:
            if order.seeds is not None:
                print(f"time is over: not played {', '.join(order.seeds[number:])}", flush=True)
            return
        yield seed.partition(":")


def _row(job: tuple[str, str, bool]) -> dict[str, Any]:
    """One history as a line of figures; an error of the simulation itself fails it, too.

    A failure goes with it whole only where it is to be shrunk: it is large.
    """
    seed, profile, whole = job
    gc.set_threshold(*COLLECTS)
    began, cpu = time.monotonic(), time.process_time()
    row: dict[str, Any] = {"seed": seed, "profile": profile, "claims": [], "error": ""}
    try:
        result = History(seed, profile).run()
    except Exception as error:
        row["error"] = f"{type(error).__name__}: {error}"
    else:
        claims = [violation.claim for violation in result.violations]
        row |= {"profile": result.profile, "claims": claims, "digest": result.digest, **result.figures}
        if claims:
            row["about"] = [str(violation) for violation in result.violations[:ABOUT]]
        row["failure"] = result if claims and whole else None
    gc.collect()  # what one history leaves is gone before the next begins
    took = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    return {**row, **{name: round(seconds, 2) for name, seconds in took.items()}}


def _show_small(result: Result, seconds: float) -> None:
    """Shrink a failing history, print it, and write the test that plays it."""
    claim = result.violations[0].claim
    print(f"shrinking seed {result.seed} for {claim}, at most {seconds:.0f} seconds", flush=True)
    faults = frozenset(name for _, name in result.faults)
    small = shrink(result.story, faults, claim, play(result.seed, result.profile), seconds=seconds)
    print(told(confirmed(result.seed, small) if small.same else result))
    print(f"\nreplay: make simulate REPLAY={result.seed} PROFILE={result.profile}, at commit {_commit()}")
    if not small.same:
        print("the history did not fail again when its faults were given to it: it is shown whole")
        return
    path = BUILD / f"test_{claim}_{result.seed}.py"
    path.write_text(as_test(result.seed, small, _commit()), "utf-8")
    print(f"as a test: {path}, for tests/simulation/regressions/ ({small.plays} histories to shrink it)")


def _commit() -> str:
    """The commit that is played; one with changes that are not committed says so."""
    head = _git("rev-parse", "--short", "HEAD")
    return f"{head}-changed" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*line: str) -> str:
    return subprocess.run(["git", *line], capture_output=True, text=True, check=False).stdout.strip()
