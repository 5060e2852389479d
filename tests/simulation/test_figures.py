"""The totals over many histories, and their section of the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulation.figures import TITLE, Totals, named, rows_of, section, write_section

GOOD: dict[str, Any] = {
    "seed": "1", "profile": "crowd", "commit": "abc1234", "claims": [], "error": "", "notices": 1200,
    "records": 1300, "days": 2.5, "cpu": 8.0, "faults": {"cold": 3},
}  # fmt: skip


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    """A file of histories."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_seeds_are_told_as_ranges_and_random_ones_by_name() -> None:
    assert named(["3", "1", "2", "9"]) == "1-3, 9"
    assert named(["7", "ab12"]) == "7, 1 random ones: ab12"
    many = [f"f{n:03d}" for n in range(50)]
    assert named(many).endswith("f039 and 10 more")


def test_a_claim_counts_once_a_history() -> None:
    totals = Totals()
    totals.add({**GOOD, "claims": ["told_once", "told_once"]})
    assert totals.claims == {"told_once": 1}
    assert totals.as_json()["failed"] == ["1"]


def test_a_history_that_was_played_again_counts_once(tmp_path: Path) -> None:
    path = lines(tmp_path / "h", GOOD, {**GOOD, "notices": 7}, {**GOOD, "commit": "def5678"})
    assert sorted(row["notices"] for row in rows_of(path)) == [7, 1200]


def test_the_section_adds_up_what_was_played() -> None:
    bad = {**GOOD, "seed": "2", "claims": ["told_once", "told_once"], "faults": {"slow": 1, "cold": 1}}
    text = section([GOOD, bad])
    assert "| crowd | abc1234 | 2 | 2,600 | 2,400 | 5 | 5 | 1 | 16 |" in text
    assert "Seeds: crowd, abc1234: 1-2." in text
    assert "| cold | 4 |" in text
    assert "| 2 | crowd | abc1234 | told_once |" in text
    assert "No history violated" not in text
    assert "No history violated a claim." in section([GOOD])


def test_the_section_takes_the_place_of_the_former_one_and_leaves_the_others(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text(f"# Results\n\n## Before\n\nOne.\n\n{TITLE}\n\nOld.\n\n## After\n\nTwo.\n", "utf-8")
    write_section(lines(tmp_path / "h", GOOD), results)
    text = results.read_text("utf-8")
    assert "Old." not in text
    assert text.startswith("# Results\n\n## Before\n\nOne.\n\n## Simulated nights\n")
    assert text.endswith("\n\n## After\n\nTwo.\n")
    write_section(tmp_path / "h", results)
    assert results.read_text("utf-8") == text


def test_the_section_goes_to_the_end_of_a_document_that_has_none(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Bounce mails\n\nFigures.\n", "utf-8")
    write_section(lines(tmp_path / "h", GOOD), results)
    assert results.read_text("utf-8").startswith(
        "# Results\n\n## Bounce mails\n\nFigures.\n\n## Simulated nights\n"
    )
