"""`exnotify incidents`."""

from typing import TYPE_CHECKING, Any

import click

from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from rich.text import Text

    from exstream_notify.adapters.dynamodb.incidents import Incident


@click.command("incidents")
@click.option("--run", "run_name", metavar="ID", help="Only of this run: its id, or domain/run id.")
@as_json
@on_stack
def command(run_name: str | None, as_json: bool, stack: str | None) -> int:
    """List what went wrong, by run, kind and team, the newest first."""
    from ..screen import console, emit_json

    target = deployment(stack)
    rows = [incident_row(i) for i in target.app.incidents.all() if _is_of(i, run_name)]
    if as_json:
        emit_json(rows)
        return 0
    out = console()
    if not rows:
        out.print("no incidents")
    for row in rows:
        out.print(_entry(row))
    return 0


def _entry(row: dict[str, Any]) -> "Text":
    """An incident in a few lines: what and where, then what was said, then what to do with it."""
    from rich.text import Text

    from ..screen import STYLES

    entry = Text(f"{row['severity']:<8} ", style=STYLES.get(row["severity"], ""))
    entry.append(f"{row['domain']}/{row['run_id']}  ", style="bold")
    entry.append(f"{row['code']} × {row['count']}  for {row['team']}  ", style="default")
    entry.append(f"{row['last_seen']}  {row['incident_id']}\n", style="dim")
    for text in row["sample"]:
        entry.append(f"         {text}\n", style="default")
    if row["rerun"]:
        entry.append(f"         compose again with {row['rerun']}\n", style="cyan")
    return entry


def _is_of(incident: "Incident", name: str | None) -> bool:
    return name is None or name in (incident.run_id, f"{incident.domain}/{incident.run_id}")


def incident_row(incident: "Incident") -> dict[str, Any]:
    """An incident in the form of `exnotify incidents --json`."""
    return {
        "incident_id": incident.incident_id,
        "domain": incident.domain,
        "run_id": incident.run_id,
        "team": incident.team,
        "severity": incident.severity,
        "code": incident.codes[0] if len(incident.codes) == 1 else incident.family,
        "codes": list(incident.codes),
        "count": incident.count,
        "status": incident.status,
        "rerun": customer_list(incident.customers_in_run),
        "sample": list(incident.sample),
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
    }


def customer_list(customers: tuple[int, ...]) -> str:
    """Sequence numbers as the engine takes them to compose again: `-CUSTOMERLIST=2,7,14-50`."""
    ranges: list[list[int]] = []
    for number in sorted(set(customers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if not ranges:
        return ""
    return "-CUSTOMERLIST=" + ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
