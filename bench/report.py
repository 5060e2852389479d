"""The results as tables: on the screen, and in `bench/RESULTS.md`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .template import ROOT

RESULTS = ROOT / "bench" / "RESULTS.md"


@dataclass(slots=True)
class Sheet:
    """A table with its title, the sentences before it, and rows of text; the first column is a name."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside its target; `reached` None where the run was too short to say, `why` told if not."""

    figure: str
    target: str
    measured: str
    reached: bool | None
    why: str = ""

    @property
    def word(self) -> str:
        """Yes, no, or not measured."""
        return {True: "yes", False: "**no**", None: "-"}[self.reached]


def verdicts(rows: Iterable[Verdict]) -> Sheet:
    """All figures with a target, and whether it is reached; below, why some are missed."""
    listed = list(rows)
    missed = dict.fromkeys(row.why for row in listed if row.reached is False and row.why)
    return Sheet(
        "Targets",
        ("figure", "target", "measured", "reached"),
        [(row.figure, row.target, row.measured, row.word) for row in listed],
        list(missed),
    )


def machine() -> str:
    """The machine in a line: processor, cores, Python, load. No name, no paths."""
    load = f", load average {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}{load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def show(sheets: Iterable[Sheet]) -> None:
    """On the screen."""
    console = Console()
    for sheet in sheets:
        table = Table(title=sheet.title, title_justify="left", title_style="bold")
        for number, column in enumerate(sheet.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in sheet.rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        console.print(table)
        for note in sheet.notes:
            console.print(note, style="dim", highlight=False, markup=False)
        console.print()


def markdown(sheets: Iterable[Sheet], made: datetime) -> str:
    """The document."""
    parts = [
        "# Results of the bench",
        f"Written by `make bench` on {made.date().isoformat()} ({machine()}).",
        "Figures are counts, or ratios of what was measured in turn in one run. Services are **canned**: "
        "the real clients serialise, sign, write and parse every call, down to the socket, and are answered "
        "within the process. The kernel, TLS and the services' own time are in no figure, and the CPU that "
        "canned answers take is subtracted. Wall times say what our side takes, not how long a notice is "
        "under way.",
    ]
    parts += map(section, sheets)
    return "\n\n".join(parts) + "\n"


def section(sheet: Sheet) -> str:
    """A sheet as a section of the document."""
    lines = [
        "| " + " | ".join(sheet.columns) + " |",
        "| --- |" + " ---: |" * (len(sheet.columns) - 1),
        *("| " + " | ".join(row) + " |" for row in sheet.rows),
    ]
    return "\n\n".join((f"## {sheet.title}", "\n".join(lines), *sheet.notes))


KEPT = "\n## Bounce mails\n"
"""The first of the last sections, which a whole run keeps: `bench/bounces.py` is the source of this one,
whose mails are not in the repository; those behind it are put there by what is measured alone."""


def write(sheets: Sequence[Sheet], path: Path = RESULTS) -> None:
    """Write the document, its last sections as they were."""
    before = path.read_text("utf-8") if path.exists() else ""
    _, found, kept = before.partition(KEPT)
    path.write_text(markdown(sheets, datetime.now(UTC)) + found + kept, encoding="utf-8")


def put(sheets: Sequence[Sheet], verdicts: Sequence[Verdict], path: Path = RESULTS) -> None:
    """Put sections into the document: in place of those of their titles, or at its end.

    The last one says when and where they were measured, and whether the targets are reached.
    """
    text = path.read_text("utf-8")
    said = [f"{row.figure}: {row.measured} ({row.target}; reached: {row.word})." for row in verdicts]
    said.append(f"Measured on {datetime.now(UTC).date().isoformat()} ({machine()}).")
    for number, sheet in enumerate(sheets, 1):
        last = said if number == len(sheets) else []
        new = section(replace(sheet, notes=(*sheet.notes, *last)))
        start = text.find(f"\n## {sheet.title}\n")
        if start < 0:
            text = f"{text.rstrip()}\n\n{new}\n"
            continue
        end = text.find("\n## ", start + 1)
        behind = text[end:] if end >= 0 else ""
        text = f"{text[:start]}\n{new}\n{behind}"
    path.write_text(text, "utf-8")
