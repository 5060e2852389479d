"""How many seeds it takes until a fault, put back, is found."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .faults import Fault
from .putting_back import put_back

Violated = dict[str, str]
"""What a history violates: each claim, with what its first violation is about."""


@dataclass(slots=True)
class Search:
    """A search for one fault. `claim` is empty if it was not found, `seeds` is how many were played, and
    `anyway` are those whose violation is there without the fault, too: they prove nothing."""

    fault: Fault
    seeds: int = 0
    seed: str = ""
    claim: str = ""
    about: str = ""
    seconds: float = 0.0
    anyway: list[str] = field(default_factory=list)
    others: dict[str, list[str]] = field(default_factory=dict)
    """Violations of other claims, as they are: a seed each."""

    def row(self) -> str:
        """A row of the table."""
        found = f"`{self.claim}`" if self.claim else "not found"
        said = "" if not self.anyway else f", {len(self.anyway)} set aside"
        return (
            f"| `{self.fault.name}` | {self.fault.wrong} | {self.fault.profile} | {self.seeds}{said} "
            f"| {self.seconds:.0f} | {found} |"
        )


HEAD = "| fault | what goes wrong | profile | seeds | seconds | found by |\n|---|---|---|---|---|---|"


def seek(fault: Fault, seconds: float = 600.0, first: int = 1) -> Search:
    """Play seeds `first`, `first` + 1 … with the fault, until one of its claims is violated or time is up.

    A seed that violates the claim without the fault as well is set aside. Each way has a process of its own.
    """
    search, began = Search(fault), time.monotonic()
    fresh = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, fresh, initializer=put_back, initargs=(fault.edits,)) as faulty,
        ProcessPoolExecutor(1, fresh) as sound,
    ):
        for number in count(first):
            search.seconds = time.monotonic() - began
            if search.seconds > seconds:
                return search
            seed = str(number)
            search.seeds += 1
            violated = faulty.submit(violations, seed, fault.profile).result()
            for claim in violated.keys() - fault.claims:
                search.others.setdefault(claim, []).append(seed)
            broken = violated.keys() & fault.claims
            if not broken:
                continue
            broken -= sound.submit(violations, seed, fault.profile).result().keys()
            if not broken:
                search.anyway.append(seed)
                continue
            search.claim = min(broken, key=list(violated).index)
            search.seed, search.about = seed, violated[search.claim]
            search.seconds = time.monotonic() - began
            return search
    return search


def violations(seed: str, profile: str) -> Violated:
    """What one history violates, in this process's product."""
    from simulation.stories.history import History  # the product is imported after the fault is put back

    found: Violated = {}
    for violation in History(seed, profile).run().violations:
        found.setdefault(violation.claim, violation.about)
    return found


def named(faults: Collection[Fault], names: Collection[str]) -> list[Fault]:
    """The faults of these names, all without any. Raises KeyError."""
    known: dict[str, Any] = {fault.name: fault for fault in faults}
    return [known[name] for name in names] if names else list(faults)
