"""`exnotify incidents`."""

from typing import TYPE_CHECKING, Any

import click

from ..errors import CommandError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.adapters.dynamodb.incidents import Incident
    from exstream_notify.domain.incidents import Head


_PLACES = 3
"""Reporting parts shown on the screen."""

_CUSTOMERS = 100
"""Characters of a list of customers shown on the screen."""


@click.group("incidents", invoke_without_command=True)
@click.option(
    "--run", "run_name", metavar="ID", help="Only of this run: its id, domain/run id, or a masked name."
)
@click.option("--open", "only_open", is_flag=True, help="Only those that are not resolved.")
@click.option("--team", metavar="NAME", help="Only those of this team.")
@as_json
@on_stack
@click.pass_context
def command(
    context: click.Context,
    run_name: str | None,
    only_open: bool,
    team: str | None,
    as_json: bool,
    stack: str | None,
) -> int:
    """List what went wrong, by run, kind and team, the newest first; acknowledge, resolve or mute one."""
    if context.invoked_subcommand is not None:
        context.find_root().obj = stack or context.find_root().obj
        return 0
    from ..screen import console, emit_json

    target = deployment(stack)
    chars = target.app.rules.rerun_chars
    rows = [incident_row(i, chars) for i in target.app.incidents.all() if _is_of(i, run_name)]
    rows = [row for row in rows if not only_open or row["status"] != "resolved"]
    rows = [row for row in rows if team in (None, row["team"])]
    if as_json:
        emit_json([{**row, "files": _masked_files(target.app, row)} for row in rows] if run_name else rows)
        return 0
    out = console()
    if not rows:
        out.print("no incidents")
    for row in rows:
        out.print(_entry(row, target.app.shown_run(f"{row['domain']}/{row['run_id']}")))
    return 0


def _entry(row: dict[str, Any], run: str) -> "Text":
    """An incident, as it may be shown: what and where, then what was said, then what to do with it."""
    from rich.text import Text

    from exstream_notify.domain.composed_again import in_full

    from ..screen import STYLES

    entry = Text(f"{row['severity']:<8} ", style=STYLES.get(row["severity"], ""))
    entry.append(f"{run}  ", style="bold")
    entry.append(f"{row['code']} × {row['count']}  for {row['team']}, {row['status']}  ", style="default")
    entry.append(f"{row['last_seen']}  {row['incident_id']}\n", style="dim")
    for text in row["sample"]:
        entry.append(f"         {text}\n", style="default")
    places = [place for place in row["where"] if len(place) > 2 or place["part"] != "run"]
    for place in places[:_PLACES]:
        named = "  ".join(f"{k} {v}" for k, v in place.items() if k not in ("code", "part"))
        entry.append(f"         {place['code']} at {place['part']}  {named}".rstrip() + "\n", style="dim")
    if len(places) > _PLACES:
        entry.append("         and more: --json names them\n", style="dim")
    for switch in row["reruns"]:
        entry.append(f"         compose again with {switch}\n", style="cyan")
    if row["rerun_words"]:
        entry.append(f"         compose again {row['rerun_words']}\n", style="cyan")
    for one in row["covered"]:
        shown = in_full(one["customers"], _CUSTOMERS)
        entry.append(f"         run {one['run']} composed {shown}\n", style="default")
    if row["resolved"]:
        entry.append(f"         resolved {row['resolved']}\n", style="green")
    return entry


def _masked_files(app: "Bootstrap", row: dict[str, Any]) -> dict[str, str]:
    """Files of the run's folder whose names an alert masks: as shown there, and by their own name."""
    names = (name for name, _ in app.folder(row["domain"], row["run_id"]).files_below())
    return {shown: name for name in names if (shown := app.shown(name)) != name}


def _is_of(incident: "Incident", name: str | None) -> bool:
    from exstream_notify.domain.masking import handle, handle_in
    from exstream_notify.domain.rollups import KINDS

    if name is None:
        return True
    # A summary of many incidents is none of the runs that it tells of.
    told = () if incident.family in KINDS else incident.runs
    runs = {f"{incident.domain}/{incident.run_id}", *told}
    if masked := handle_in(name):
        return masked in {handle(run.partition("/")[2]) for run in runs}
    return any(name in (run, run.partition("/")[2]) for run in runs)


def incident_row(incident: "Incident", chars: int = 1000) -> dict[str, Any]:
    """An incident in the form of `exnotify incidents --json`; `chars` is how long one switch may grow."""
    from exstream_notify.domain.alert_words import times
    from exstream_notify.domain.composed_again import in_words, is_open_ended, offered
    from exstream_notify.domain.customer_ranges import to_text
    from exstream_notify.domain.incidents import IncidentStatus

    over = incident.status == IncidentStatus.RESOLVED
    switches = [] if over else offered(incident.late, chars)
    return {
        "incident_id": incident.incident_id,
        "domain": incident.domain,
        "run_id": incident.run_id,
        "team": incident.team,
        "severity": incident.severity,
        "code": incident.codes[0] if len(incident.codes) == 1 else incident.family,
        "codes": list(incident.codes),
        "count": times(incident),
        "status": str(incident.status),
        "rerun": " ".join(switches),
        "reruns": switches,
        "rerun_words": "" if over else in_words(incident.late, incident.not_named),
        "late": "" if over or is_open_ended(incident.late) else to_text(incident.late),
        "covered": [{"run": run, "customers": customers} for run, customers in incident.head.covered_by],
        "resolved": _resolved(incident) if over else "",
        "alerts": incident.head.alerts,
        "muted_until": incident.head.muted_until,
        "answer_by": incident.head.answer_by,
        "history": [dict(entry) for entry in incident.head.history],
        "sample": list(incident.sample),
        "where": [dict(place) for place in incident.where],
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
    }


def _resolved(incident: "Incident") -> str:
    """Who resolved it last, and why."""
    entry = next((e for e in reversed(incident.head.history) if e.get("what") == "resolved"), {})
    why = entry.get("why", "")
    return f"by {entry.get('who', 'somebody')}{': ' if why else ''}{why}"


@command.command("ack")
@click.argument("incident_id", metavar="ID")
@click.option("--why", default="", metavar="TEXT", help="For the incident's history.")
@on_stack
def ack(incident_id: str, why: str, stack: str | None) -> int:
    """Somebody has it: it does not escalate any more."""
    from exstream_notify.domain.incident_states import acknowledged

    return _changed(incident_id, stack, lambda head, _, at, who: acknowledged(head, at, who, why))


@command.command("resolve")
@click.argument("incident_id", metavar="ID")
@click.option("--why", default="", metavar="TEXT", help="For the incident's history.")
@on_stack
def resolve(incident_id: str, why: str, stack: str | None) -> int:
    """It is over, until it is reported again."""
    from exstream_notify.domain.incident_states import resolved

    return _changed(
        incident_id, stack, lambda head, incident, at, who: resolved(head, at, who, incident.count, why)
    )


@command.command("mute")
@click.argument("incident_id", metavar="ID")
@click.option("--for", "minutes", type=click.IntRange(0, 43_200), default=60, help="Minutes (60); 0 ends it.")
@click.option("--why", default="", metavar="TEXT", help="For the incident's history.")
@on_stack
def mute(incident_id: str, minutes: int, why: str, stack: str | None) -> int:
    """Nothing more is told of it for a while, but a first severe error."""
    from datetime import datetime, timedelta

    from exstream_notify.domain.incident_states import muted

    def until(at: str) -> str:
        end = datetime.fromisoformat(at) + timedelta(minutes=minutes)
        return end.isoformat(timespec="seconds") if minutes else ""

    return _changed(incident_id, stack, lambda head, _, at, who: muted(head, at, who, until(at), why))


def _changed(prefix: str, stack: str | None, change: "Callable[[Head, Incident, str, str], Head]") -> int:
    """Change one incident, named by its id or as much of its beginning as is unique."""
    from exstream_notify.use_cases.alert_exceptions import change_incident

    from ..screen import console

    target = deployment(stack)
    app = target.app
    found = [i.incident_id for i in app.incidents.all() if i.incident_id.startswith(prefix)]
    if len(found) != 1:
        raise CommandError(
            f"{len(found) or 'no'} incidents begin with {prefix}: `exnotify incidents` lists their ids"
        )
    at = app.clock.now().isoformat(timespec="seconds")
    head = change_incident(
        found[0],
        lambda head, incident: change(head, incident, at, target.who),
        incidents=app.incidents,
        due=app.due,
        clock=app.clock,
    )
    if head is None:
        raise CommandError(f"no incident {found[0]}")
    last = head.history[-1]["what"] if head.history else str(head.status)
    console().print(f"{found[0]}: {head.status}, {last}", markup=False)
    return 0
