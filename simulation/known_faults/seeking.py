"""How many seeds it takes until a fault, put back, is found."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .faults import Fault
from .putting_back import put_back

_FRESH = multiprocessing.get_context("forkserver")
_FRESH.set_forkserver_preload([
    "aws_lambda_powertools", "aws_lambda_powertools.event_handler", "boto3", "cryptography.x509", "greenlet",
    "httpx", "jinja2", "phonenumbers", "pydantic", "samtranslator.translator.translator", "tenacity", "yaml",
])  # fmt: skip
"""New processes without a module of the product; what is nobody's fault is imported once for all of them."""

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


@contextmanager
def sound_process() -> Iterator[ProcessPoolExecutor]:
    """A process without any fault, for `seek`: one serves all searches."""
    with ProcessPoolExecutor(1, _FRESH) as sound:
        yield sound


def seek(fault: Fault, sound: ProcessPoolExecutor, seconds: float = 600.0, first: int = 1) -> Search:
    """Play seeds `first`, `first` + 1 … with the fault, until one of its claims is violated or time is up.

    `seconds` are those of one core. A seed that violates the claim without the fault as well is set aside.
    """
    search = Search(fault)
    with ProcessPoolExecutor(1, _FRESH, initializer=put_back, initargs=(fault.edits,)) as faulty:
        for number in count(first):
            if search.seconds > seconds:
                break
            seed = str(number)
            search.seeds += 1
            violated, took = faulty.submit(violations, seed, fault.profile).result()
            search.seconds += took
            for claim in violated.keys() - fault.claims:
                search.others.setdefault(claim, []).append(seed)
            broken = violated.keys() & fault.claims
            if broken:
                anyway, took = sound.submit(violations, seed, fault.profile).result()
                search.seconds += took
                if new := broken - anyway.keys():
                    search.claim = min(new, key=list(violated).index)
                    search.seed, search.about = seed, violated[search.claim]
                    break
                search.anyway.append(seed)
    return search


def violations(seed: str, profile: str) -> tuple[Violated, float]:
    """What one history violates, in this process's product, and the seconds of a core that it took."""
    from simulation.stories.history import History  # the product is imported after the fault is put back

    began = time.process_time()
    found: Violated = {}
    for violation in History(seed, profile).run().violations:
        found.setdefault(violation.claim, violation.about)
    return found, time.process_time() - began


def named(faults: Collection[Fault], names: Collection[str]) -> list[Fault]:
    """The faults of these names, all without any. Raises KeyError."""
    known: dict[str, Any] = {fault.name: fault for fault in faults}
    return [known[name] for name in names] if names else list(faults)
