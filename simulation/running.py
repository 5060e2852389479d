"""Many histories, one after another in each of a few processes: figures, totals, and failures shown small."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import subprocess
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from .regression import as_test, confirmed, told
from .shrink import shrink
from .stopping import die_quietly
from .stories.history import History, Result, play

BUILD = Path("build/simulation")
_ADDED = ("acts", "records", "messages", "notices", "days")


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `seeds` None: random ones, until `seconds` are over. `shrink`: seconds for a failure."""

    seeds: Sequence[str] | None
    seconds: float = 0.0
    profile: str = ""
    processes: int = 1
    shrink: float = 600.0
    going: bool = False


@dataclass(slots=True)
class Totals:
    """What many histories came to."""

    histories: int = 0
    failed: list[str] = field(default_factory=list)
    added: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, Any]) -> None:
        """One more."""
        self.histories += 1
        if row["claims"] or row["error"]:
            self.failed.append(row["seed"])
        self.claims.update(row["claims"])
        self.faults.update(row.get("faults", {}))
        self.added.update({name: row.get(name, 0) for name in _ADDED})

    def __str__(self) -> str:
        """A few lines."""
        sums = ", ".join(f"{self.added[name]:g} {name}" for name in _ADDED)
        faults = ", ".join(f"{number} {kind}" for kind, number in self.faults.most_common())
        failed = f"{len(self.failed)} failed: {', '.join(self.failed[:20])}" if self.failed else "none failed"
        claims = "".join(f"\n  {claim}: {number}" for claim, number in self.claims.most_common())
        return f"{self.histories} histories ({sums}); {failed}{claims}\nfaults: {faults or 'none'}"


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
    began, totals, failures = time.monotonic(), Totals(), list[Result]()
    with (BUILD / "histories.jsonl").open("a", encoding="utf-8") as lines:
        for row in _rows(order):
            failure = row.pop("failure", None)
            failures += [failure] if failure else []
            totals.add(row)
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            lines.flush()
            if row["claims"] or row["error"]:
                print(
                    f"seed {row['seed']} ({row['profile']}): {', '.join(row['claims']) or row['error']}",
                    flush=True,
                )
                if not order.going:
                    break
    print(f"{totals}\nin {time.monotonic() - began:.0f} seconds")
    for result in failures[: 1 if order.shrink else 0]:
        _show_small(result, order.shrink)
    return 1 if totals.failed else 0


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
    jobs = ((seed, order.profile) for seed in _seeds(order.seeds, ends))
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


def _seeds(seeds: Sequence[str] | None, ends: float | None) -> Iterator[str]:
    named = iter(seeds) if seeds is not None else (secrets.token_hex(5) for _ in count())
    for seed in named:
        if ends is not None and time.monotonic() > ends:
            return
        yield seed


def _row(job: tuple[str, str]) -> dict[str, Any]:
    """One history as a line of figures; an error of the simulation itself fails it, too."""
    seed, profile = job
    began = time.monotonic()
    row: dict[str, Any] = {"seed": seed, "profile": profile, "claims": [], "error": ""}
    try:
        result = History(seed, profile).run()
    except Exception as error:
        row["error"] = f"{type(error).__name__}: {error}"
    else:
        claims = [violation.claim for violation in result.violations]
        row |= {"profile": result.profile, "claims": claims, "digest": result.digest, **result.figures}
        row["failure"] = result if claims else None
    return {**row, "seconds": round(time.monotonic() - began, 2)}


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
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
