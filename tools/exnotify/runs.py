"""Runs as operators see them: found by id, added up, and shown."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.runs import Reconciliation, Run, reconcile

from .errors import FAILED, INCOMPLETE, CommandError, MisuseError
from .screen import styled, table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from exstream_notify.adapters.bootstrap import Bootstrap


def find_run(app: "Bootstrap", name: str) -> Run:
    """The run of that id, or of `domain/run id`; CommandError if there is none, or several."""
    domain, _, run_id = name.rpartition("/")
    if domain:
        found = app.runs.get(domain, run_id)
        runs = [found] if found else []
    else:
        runs = app.runs.find(run_id)
    if not runs:
        raise CommandError(f"there is no run {name}: `exnotify drop` prints the id of each run it starts")
    if len(runs) > 1:
        names = ", ".join(sorted(run.name for run in runs))
        raise MisuseError(f"{name} could be any of {names}: say which")
    return runs[0]


def added_up(app: "Bootstrap", run: Run) -> Reconciliation:
    """How a run stands now."""
    return reconcile(run, app.runs.outcomes(run.domain, run.run_id))


def report(run: Run, added: Reconciliation, incidents: Iterable[str] = ()) -> dict[str, Any]:
    """A run in the form of `exnotify run --json`."""
    return {
        "run_id": run.run_id,
        "domain": run.domain,
        "sealed": run.sealed,
        "state": str(run.state),
        "control": str(run.control),
        "why": run.why,
        "deadline": run.deadline,
        "app": run.app,
        "expected": run.expected,
        "composed": run.composed,
        "outcomes": {str(name): count for name, count in added.outcomes.items()},
        "reasons": {name: dict(sorted(why.items())) for name, why in sorted(added.reasons.items())},
        "balanced": added.balanced,
        "complete": added.complete,
        "incidents": list(incidents),
        "opened_at": run.opened_at,
        "changed_at": run.changed_at,
        "history": [dict(entry) for entry in run.history],
    }


def incidents_of(app: "Bootstrap", run: Run) -> list[str]:
    """Ids of a run's incidents."""
    return sorted(incident.incident_id for incident in app.incidents.of_run(run.domain, run.run_id))


def exit_code(told: Mapping[str, Any]) -> int:
    """What a followed run's end means for the shell."""
    if not told["balanced"]:
        return FAILED
    return 0 if told["complete"] else INCOMPLETE


def outcome_table(told: Mapping[str, Any]) -> "Table":
    """Every outcome that occurs, with its reasons."""
    reasons = told["reasons"]
    rows = [(name, n, _reasons(reasons.get(name, {}))) for name, n in told["outcomes"].items() if n]
    return table(("outcome", "records", "reasons"), rows, numbers=("records",))


def summary(told: Mapping[str, Any]) -> "Text":
    """One line: how the run stands."""
    from rich.text import Text

    line = Text(f"{told['domain']}/{told['run_id']}  ", style="bold")
    if told["balanced"]:
        line.append("balanced", style="green")
        line.append(", complete" if told["complete"] else "")
        if not told["complete"]:
            missing = told["expected"] - told["composed"]
            line.append(", incomplete", style="yellow")
            line.append(f": {missing} of {told['expected']} expected documents were not composed")
    else:
        line.append(told["state"], style="red" if told["state"] in ("refused", "incomplete") else "cyan")
        if told["control"] != "go":
            line.append(f" ({told['control']})", style="yellow")
        if told["why"]:
            line.append(f": {told['why']}")
    if not told["sealed"]:
        line.append("  unsealed", style="yellow")
    return line


def _reasons(why: Mapping[str, int]) -> object:
    return styled(", ".join(f"{reason} ({count})" for reason, count in why.items()))
