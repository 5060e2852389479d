"""`exnotify plan DIR`."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FAILED, CommandError, MisuseError
from .options import as_json, deployment, name_of, on_stack

if TYPE_CHECKING:
    from ..planning import Plan

_SHOWN = 40


@click.command("plan")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--domain", metavar="NAME", help="As for drop.")
@click.option("--run-id", metavar="ID", help="As for drop.")
@click.option("--no-seal", is_flag=True, help="As for drop.")
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The site's own files: a folder with rules/, as in the stack's SiteLayer.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Every record: what would become of it, and why.")
@as_json
@on_stack
def command(
    folder: Path,
    domain: str | None,
    run_id: str | None,
    no_seal: bool,
    site: Path | None,
    as_csv: bool,
    as_json: bool,
    stack: str | None,
) -> int:
    """Say what would be sent, deferred, suppressed or rejected if the folder were dropped now, and why.

    Nothing is sent, nothing is written. Exit codes as for drop, of what would happen: 0 the run would be
    clean, 3 something would need a look, 1 it would be refused, held or wait.
    """
    from ..dropping import prepare
    from ..planning import plan_run
    from ..runs import exit_code
    from ..screen import emit_json, progress, remark

    if as_csv and as_json:
        raise MisuseError("--csv and --json show the same records: choose one")
    if domain:
        name_of("domain", domain)
    if run_id:
        name_of("run id", run_id)
    target = deployment(stack)
    if target.parameters.get("SiteLayer") and site is None:
        raise CommandError("the stack has rules of its own (SiteLayer): name their folder with --site")
    app = target.read_only(str(site) if site else None)
    prepared = prepare(folder, domain=domain, run_id=run_id, sealed=not no_seal, rule_of=app.rules.domain)
    for text in prepared.remarks:
        remark(f"remark: {text}")
    with progress(shown=not as_json) as bars:
        bars.add_task("planning", total=None, note=f"{prepared.domain}/{prepared.run_id}")
        plan = plan_run(app, prepared)
    if as_json:
        emit_json(plan.told)
    elif as_csv:
        _write_csv(plan)
    else:
        _show(plan)
    if plan.refused:
        remark(f"exnotify: nothing would be sent: {plan.refused}")
        return FAILED
    if plan.told["control"] == "hold":
        remark(f"exnotify: it would be held: {plan.told['why']}; this is what its release would come to")
        return FAILED
    return exit_code(plan.told)


COLUMNS = (
    "position", "customer_key", "document_id", "document_type", "outcome", "reason", "detail", "channels",
    "until",
)  # fmt: skip


def _write_csv(plan: "Plan") -> None:
    from .run import safe_cell

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in plan.told["records"]:
        writer.writerow(safe_cell(value) for value in _flat(row))


def _flat(row: dict[str, Any]) -> list[object]:
    return [" ".join(row[name]) if name == "channels" else row[name] for name in COLUMNS]


def _show(plan: "Plan") -> None:
    from ..runs import outcome_table, summary
    from ..screen import console, table

    told, out = plan.told, console()
    if any(told["outcomes"].values()):
        out.print(outcome_table(told))
    others = [row for row in told["records"] if row["outcome"] != "notified"]
    if others:
        columns = ("record", "customer", "document", "outcome", "reason", "detail", "until")
        out.print(table(columns, map(_row, others[:_SHOWN]), numbers=("record",)))
    if len(others) > _SHOWN:
        out.print(f"and {len(others) - _SHOWN} more: --json has all", style="dim")
    for team, count in told["team_copies"].items():
        out.print(f"team {team}: {count} message(s)", style="dim")
    for exception in told["exceptions"]:
        out.print(f"{exception['severity']}: {exception['text']}", style="yellow", markup=False)
    out.print("planned: nothing was sent or written", style="dim")
    out.print(summary(told))


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    names = ("position", "customer_key", "document_id", "outcome", "reason", "detail", "until")
    return tuple(row[name] for name in names)
