"""The table of bench/KNOWN_FAULTS.md: written by the search, a row a fault, each with its commit."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .faults import Fault
from .seeking import Search

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "bench" / "KNOWN_FAULTS.md"
HEAD = (
    "| fault | what goes wrong | profile | found by | seed | seeds | seconds of one core | commit |\n"
    "|---|---|---|---|---|---|---|---|"
)
NOT_YET = "not looked for yet"
_TITLE = (
    "# Known faults, put back\n\n"
    "Written by `make simulate-faults`, which says anew what it looks for and leaves the other rows.\n"
)


def commit() -> str:
    """The commit of the code, with a + where it was changed since."""

    def git(*line: str) -> str:
        done = subprocess.run(["git", *line], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "simulation", "layers", "functions", "tools/exnotify")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def row_of(search: Search, made_at: str) -> str:
    """The row of one search."""
    fault = search.fault
    aside = f", {len(search.anyway)} set aside" if search.anyway else ""
    claim = f"`{search.claim}`" if search.claim else "not found"
    cells = (
        f"`{fault.name}`", fault.wrong, fault.profile, claim, search.seed, f"{search.seeds}{aside}",
        f"{search.seconds:.0f}", made_at,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def written(faults: Sequence[Fault], rows: Sequence[str], before: str = "") -> str:
    """The file with these rows in it; those of `before` stay for faults that have none now."""
    known = {name: row for row in (*before.splitlines(), *rows) if (name := _name(row))}
    table = [
        known.get(f.name) or f"| `{f.name}` | {f.wrong} | {f.profile} | {NOT_YET} | | | | |" for f in faults
    ]
    found = sum(_cells(row)[3].startswith("`") for row in table)
    said = f"{found} of {len(table)} are found."
    return "\n".join([_TITLE, said, "", HEAD, *table, ""])


def write(faults: Sequence[Fault], rows: Sequence[str], place: Path = TABLE) -> None:
    """Bring the file up to date."""
    before = place.read_text("utf-8") if place.exists() else ""
    place.write_text(written(faults, rows, before), "utf-8")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _name(row: str) -> str:
    """The fault that a row of a table of this form is about; empty for any other line."""
    cells = _cells(row) if row.startswith("| `") else []
    return cells[0].strip("`") if len(cells) == HEAD.splitlines()[0].count("|") - 1 else ""
