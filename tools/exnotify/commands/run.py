"""`exnotify run ID`."""

import csv
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ..errors import FAILED, CommandError, MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from exstream_notify.domain.runs import Run

    from ..deployment import Deployment

_FORMULA = ("=", "+", "-", "@", "\t")


@click.command("run")
@click.argument("name", metavar="ID")
@click.option("--hold", "wanted", flag_value="hold", help="Stop it: what is queued stays unsent.")
@click.option("--release", "wanted", flag_value="go", help="Let a held run go on.")
@click.option("--cancel", "wanted", flag_value="cancel", help="End it for good: what is unsent stays unsent.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the run's history.")
@click.option("--csv", "as_csv", is_flag=True, help="Every record: outcome, delivery, proof reference.")
@as_json
@on_stack
def command(name: str, wanted: str | None, why: str, as_csv: bool, as_json: bool, stack: str | None) -> int:
    """Show how a run stands; hold, release or cancel it.

    ID is a run id, domain/run id, or the masked name of a run as an alert shows it. Exit code 0: clean,
    3: balanced but something needs a look, 1: not balanced, or there is no such run. After --hold, --release
    or --cancel 0: it is done.
    """
    from ..runs import find_run

    if as_csv and (as_json or wanted):
        raise MisuseError("--csv stands alone: it only shows a run")
    target = deployment(stack)
    run = find_run(target.app, name)
    if wanted:
        run = _control(target, run, wanted, why)
    code = _write_csv(target, run) if as_csv else _show(target, run, as_json=as_json)
    return 0 if wanted else code


def _control(target: "Deployment", run: "Run", wanted: str, why: str) -> "Run":
    from exstream_notify.domain.runs import Control
    from exstream_notify.use_cases.control_run import ControlPorts, RunEnded, control_run

    from ..screen import remark

    app = target.app
    try:
        ports = ControlPorts(app.runs, app.run_queue, app.due, app.clock)
        after = control_run(run, Control(wanted), target.who, why, ports)
    except RunEnded as error:
        raise CommandError(str(error)) from error
    remark({"hold": "held", "go": "released", "cancel": "cancelled"}[wanted] + f": {run.name}")
    return after


def _write_csv(target: "Deployment", run: "Run") -> int:
    from ..records import COLUMNS, records_of
    from ..runs import exit_code, state_of
    from ..screen import remark

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    written: Counter[str] = Counter()
    for row in records_of(target.app, run):
        written[row.outcome] += 1
        writer.writerow([safe_cell(getattr(row, name)) for name in COLUMNS])
    rows = sum(written.values())
    remark(f"{rows} records: " + (", ".join(f"{n} {name}" for name, n in written.items()) or "none"))
    told = state_of(target.app, run)
    if run.parts and rows != run.composed:
        remark(f"exnotify: the run has {run.composed} records, and {rows} of them can be read")
        return FAILED
    return exit_code(told)


def safe_cell(value: object) -> object:
    """A value as it is; text that a spreadsheet would compute gets an apostrophe (CWE-1236)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _show(target: "Deployment", run: "Run", *, as_json: bool) -> int:
    from itertools import islice

    from ..records import rejects_of
    from ..runs import exit_code, outcome_table, state_of, summary
    from ..screen import console, emit_json, fields

    told = state_of(target.app, run)
    if as_json:
        emit_json(told)
        return exit_code(told)
    out = console()
    out.print(summary(told))
    out.print(
        fields(
            [
                ("application", told["app"]),
                ("state", _state(told)),
                ("documents", f"{told['composed']} composed, {told['expected']} expected"),
                ("opened", told["opened_at"]),
                ("changed", told["changed_at"]),
                ("waits until", told["deadline"]),
                ("incidents", ", ".join(told["incidents"])),
                *((f"{e['what']} {e['at']}", f"{e['who']}  {e['why']}") for e in told["history"]),
            ]
        )
    )
    if any(told["outcomes"].values()):
        out.print(outcome_table(told))
    for reason, count in told["left_out"].items():
        out.print(f"left out: {reason} ({count})", markup=False)
    for reject in islice(rejects_of(target.app, run), 20):
        out.print(f"rejected: {reject}", markup=False)
    return exit_code(told)


def _state(told: dict[str, Any]) -> str:
    """Where the run is, and whether it adds up."""
    words = [told["state"], {"hold": "held", "cancel": "cancelled"}.get(told["control"], "")]
    if told["state"] == "dispatched":
        words.append("balanced" if told["balanced"] else "not balanced")
        words.append("complete" if told["complete"] else "not complete")
    return ", ".join(filter(None, words))
