"""`python -m bench [PART ...] [--quick]`: all parts (`PARTS`) unless some are named.

A whole run writes `bench/RESULTS.md`; a part, or a quick run, is only shown. `embedded` takes long: it is
measured alone (`python -m bench embedded`), and writes sections of its own, which a whole run keeps.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import (
    alerts,
    embedded,
    exporting,
    journeys,
    messages,
    notices,
    report,
    sheets,
    staging,
    startup,
    supply,
)
from .template import ROOT

PARTS = ("staging", "messages", "alerts", "notices", "startup", "supply", "exporting", "bill", "journeys")
ALONE = "embedded"


def run(parts: Sequence[str], *, quick: bool) -> list[report.Sheet]:
    """Measure these parts; the sheets, the verdicts first."""
    measured: list[report.Sheet] = []
    verdicts: list[report.Verdict] = []
    rows: list[staging.Row] = []
    results: list[notices.Result] = []
    if "staging" in parts or "bill" in parts:
        sizes = (10_000,) if quick else (100_000,) if "staging" not in parts else staging.SIZES
        rows = staging.measure(sizes)
        if "staging" in parts:
            more = [] if quick else staging.measure((100_000,), staging.VARIANTS)
            sheet, found = sheets.of_staging(rows, more)
            measured.append(sheet)
            verdicts += found
    if "messages" in parts:
        sheet, found = sheets.of_messages(messages.measure((10_000,) if quick else messages.SIZES))
        measured.append(sheet)
        verdicts += found
    if "alerts" in parts:
        sheet, found = alerts.sheet(alerts.measure())
        measured.append(sheet)
        verdicts += found
    if "notices" in parts or "bill" in parts:
        results = notices.measure(quick=quick)
        if "notices" in parts:
            added, found = sheets.of_notices(results)
            measured += added
            verdicts += found
    if "startup" in parts:
        sheet, found = sheets.of_startup(*startup.measure(quick=quick))
        measured.append(sheet)
        verdicts += found
    if "exporting" in parts:
        sheet, found = exporting.sheet(exporting.measure((1_000,) if quick else exporting.SIZES))
        measured.append(sheet)
        verdicts += found
    if "supply" in parts:
        measured += sheets.of_supply(supply.measure(startup.find_python()))
    if "bill" in parts:
        added, found = sheets.of_bill(results, rows)
        measured += added
        verdicts += found
    if "journeys" in parts:
        measured.append(journeys.sheet(journeys.measure()))
    return [report.verdicts(verdicts), *measured]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="measure what the project costs to run"
    )
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"one of {', '.join(PARTS)}; all if none is named; or {ALONE}",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast")
    given = parser.parse_args(arguments)
    if ALONE in given.parts:
        if len(given.parts) > 1:
            parser.error(f"{ALONE} stands alone")
        found, verdicts = embedded.sheets(embedded.measure((100, 200) if given.quick else embedded.SIZES))
        report.show([*found, report.verdicts(verdicts)])
        if not given.quick:
            report.put(found, verdicts)
        return
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    found = run(given.parts or PARTS, quick=given.quick)
    report.show(found)
    if not given.parts and not given.quick:
        report.write(found)
        print(f"written to {report.RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
