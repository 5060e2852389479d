"""`exnotify paper RUN`."""

import csv
import sys
from pathlib import Path

import click

from .options import as_json, deployment, on_stack


@click.command("paper")
@click.argument("name", metavar="RUN")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the rows of the reference file there (CSV).",
)  # fmt: skip
@click.option("--erased", is_flag=True, help="With the documents of erased customers, if you decide so.")
@as_json
@on_stack
def command(name: str, output: Path | None, erased: bool, as_json: bool, stack: str | None) -> int:
    """Say what Exstream must print of a run: documents that nobody could be told of electronically.

    Prints the engine's re-run switch, -CUSTOMERLIST=..., and the rows for a reference file: one a
    document, every field always present, sorted by customer. RUN is a run id, or domain/run id.
    Documents of customers who were erased since are left out, and counted, unless a person decides to print
    them: --erased.
    """
    from ..paper import COLUMNS, paper_rows, rerun_switches, without_erased
    from ..runs import find_run
    from ..screen import emit_json, remark
    from .run import safe_cell

    app = deployment(stack).app
    run = find_run(app, name)
    rows = whole = paper_rows(app, run)
    if not erased and (left := len(whole) - len(rows := without_erased(app, run, whole))):
        remark(f"{left} of {len(whole)} documents left out: their customers were erased (--erased has them)")
    found = rerun_switches(rows, app.rules.rerun_chars)
    if as_json:
        emit_json({"run_id": run.run_id, "domain": run.domain, "rerun": " ".join(found), "rows": rows})
        return 0
    if missing := sum(1 for row in rows if not row["customer_in_run"]):
        remark(f"{missing} of {len(rows)} documents name no place in their run: find them by the rows")
    if found or not rows:
        click.echo("\n".join(found) or "nothing of this run goes to paper")
    target = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
    try:
        if output or rows:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([safe_cell(row[name]) for name in COLUMNS] for row in rows)
    finally:
        if output:
            target.close()
            remark(f"wrote {output}")
    return 0
