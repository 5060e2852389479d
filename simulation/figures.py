"""What many histories came to: totals on the screen, and the section of `bench/RESULTS.md`.

Everything comes from `histories.jsonl`, a line a history; no figure is typed by hand.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

ADDED = ("acts", "records", "messages", "notices", "days")
"""Figures of a history that are added up: messages are those that providers accepted, notices what they were
about, days the virtual ones that passed."""

TITLE = "## Simulated nights"

RANDOM_SHOWN = 40
"""Random seeds that are named, at most; the lines of all are in `histories.jsonl`."""


@dataclass(slots=True)
class Totals:
    """What many histories came to. `seconds` are those of one core."""

    histories: int = 0
    seconds: float = 0.0
    seeds: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    added: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """One more."""
        self.histories += 1
        self.seconds += row.get("cpu", 0.0)
        self.seeds.append(row["seed"])
        if row["claims"] or row["error"]:
            self.failed.append(row["seed"])
        self.claims.update(set(row["claims"]))
        self.faults.update(row.get("faults", {}))
        self.added.update({name: row.get(name, 0) for name in ADDED})

    def __str__(self) -> str:
        """A few lines."""
        sums = ", ".join(f"{self.added[name]:g} {name}" for name in ADDED)
        faults = ", ".join(f"{number} {kind}" for kind, number in self.faults.most_common())
        failed = f"{len(self.failed)} failed: {', '.join(self.failed[:20])}" if self.failed else "none failed"
        claims = "".join(f"\n  {claim}: {number}" for claim, number in self.claims.most_common())
        return f"{self.histories} histories ({sums}); {failed}{claims}\nfaults: {faults or 'none'}"

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "histories": self.histories,
            **{name: round(self.added[name], 2) for name in ADDED},
            "seconds": round(self.seconds, 1),
            "seeds": named(self.seeds),
            "failed": self.failed,
            "claims": dict(self.claims.most_common()),
            "faults": dict(self.faults.most_common()),
        }


def named(seeds: Iterable[str]) -> str:
    """Seeds in a few words: `1-200, 7001, 3 random ones: a0…`."""
    numbers = sorted({int(seed) for seed in seeds if _is_number(seed)})
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    said = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    drawn = sorted({seed for seed in seeds if not _is_number(seed)})
    if drawn:
        more = f" and {len(drawn) - RANDOM_SHOWN} more" if len(drawn) > RANDOM_SHOWN else ""
        said.append(f"{len(drawn)} random ones: {' '.join(drawn[:RANDOM_SHOWN])}{more}")
    return ", ".join(said)


def rows_of(path: Path) -> list[Row]:
    """The histories of a file; of one that was played again at the same commit, the last."""
    found: dict[tuple[str, str, str], Row] = {}
    for line in path.read_text("utf-8").splitlines():
        row: Row = json.loads(line)
        found[str(row.get("commit", "")), str(row["profile"]), str(row["seed"])] = row
    return list(found.values())


def section(rows: Sequence[Row]) -> str:
    """The section for these histories."""
    groups: dict[tuple[str, str], Totals] = {}
    whole = Totals()
    for row in rows:
        groups.setdefault((str(row.get("commit", "")), str(row["profile"])), Totals()).add(row)
        whole.add(row)
    parts = [
        TITLE,
        "Written by `python -m simulation --report` from the histories that were played ([docs/simulation.md]"
        "(../docs/simulation.md)). Of each notice that is counted, a provider accepted a message. Days are "
        "virtual, seconds those of one core. A seed means the same history at its commit only.",
        _table(_summary(groups, whole)),
        "Seeds: "
        + "; ".join(f"{profile}, {commit}: {named(t.seeds)}" for (commit, profile), t in _sorted(groups))
        + ".",
        "Faults and customers' acts that happened, by kind:",
        _table([("kind", "times"), *((kind, f"{n:,}") for kind, n in whole.faults.most_common())]),
        *_failures(rows),
    ]
    return "\n\n".join(parts) + "\n"


def write_section(histories: Path, results: Path) -> None:
    """Put the section in the place of the former one, or at the end of the document."""
    before = results.read_text("utf-8") if results.exists() else ""
    head, _, rest = before.partition(f"\n{TITLE}\n")
    _, next_title, tail = rest.partition("\n## ")
    written = f"{head.rstrip()}\n\n{section(rows_of(histories))}"
    results.write_text(written + (next_title + tail if next_title else ""), "utf-8")


# ----


def _is_number(seed: str) -> bool:
    return seed.isascii() and seed.isdigit()


def _sorted(groups: Mapping[tuple[str, str], Totals]) -> list[tuple[tuple[str, str], Totals]]:
    return sorted(groups.items(), key=lambda one: -one[1].added["notices"])


def _summary(groups: Mapping[tuple[str, str], Totals], whole: Totals) -> Iterator[Sequence[str]]:
    yield ("profile", "commit", "histories", "records", "notices", "days", "faults", "failures", "seconds")
    for (commit, profile), totals in _sorted(groups):
        yield _counts(profile, commit, totals)
    if len(groups) > 1:
        yield _counts("all", "", whole)


def _whose(commit: str, profile: str, totals: Totals) -> str:
    return f"{profile}, {commit}: {named(totals.seeds)}"


def _counts(profile: str, commit: str, totals: Totals) -> Sequence[str]:
    added = totals.added
    numbers = (
        totals.histories, added["records"], added["notices"], added["days"], totals.faults.total(),
        len(totals.failed), totals.seconds,
    )  # fmt: skip
    return profile, commit, *(f"{number:,.0f}" for number in numbers)


def _failures(rows: Sequence[Row]) -> Iterator[str]:
    failed = [row for row in rows if row["claims"] or row["error"]]
    if not failed:
        yield "No history violated a claim."
        return
    yield "Histories that violated a claim:"
    yield _table([("seed", "profile", "commit", "what"), *map(_failure, failed)])


def _failure(row: Row) -> Sequence[str]:
    what = ", ".join(sorted(set(row["claims"]))) or "an error of the simulation"
    return row["seed"], row["profile"], str(row.get("commit", "")), what


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = rows
    rule = "| --- |" + " ---: |" * (len(head) - 1)
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(row) + " |" for row in body)])
