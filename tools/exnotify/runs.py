"""Runs as operators see them: found by id, added up, and shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.headlines import NONE, OtherRuns, Particulars, Until, all_concerns, headline
from exstream_notify.domain.incidents import IncidentStatus
from exstream_notify.domain.masking import handle, handle_in
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Concern, Look, Reconciliation, Run, reconcile

from .errors import FAILED, NEEDS_LOOK, CommandError, MisuseError
from .screen import styled, table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.ports import Ledger


def find_run(app: "Bootstrap", name: str) -> Run:
    """The run of that id, or of `domain/run id`; CommandError if there is none, or several.

    Where an alert shows a masked name, its ending `#` and eight digits stand for the run.
    """
    domain, _, run_id = name.rpartition("/")
    if masked := handle_in(run_id):
        # A masked name comes from an alert, so there is an incident of the run, or from a log.
        known = {(i.domain, i.run_id) for i in app.incidents.all()}
        known |= {(r.domain, r.run_id) for r in app.runs.open()}
        named = sorted((domain, run) for domain, run in known if handle(run) == masked)
        runs = [run for pair in named if (run := app.runs.get(*pair))]
    elif domain:
        found = app.runs.get(domain, run_id)
        runs = [found] if found else []
    else:
        runs = app.runs.find(run_id)
    if not runs:
        raise CommandError(f"there is no run {name}: `exnotify drop DIR` prints the id of each run it starts")
    if len(runs) > 1:
        names = ", ".join(sorted(run.name for run in runs))
        raise MisuseError(f"{name} could be any of {names}: say which")
    return runs[0]


def added_up(app: "Bootstrap", run: Run) -> Reconciliation:
    """How a run stands now."""
    return reconcile(run, app.runs.outcomes(run.domain, run.run_id))


def state_of(app: "Bootstrap", run: Run) -> dict[str, Any]:
    """A run as it stands now, in the form of `exnotify run --json`: with its incidents and its headline."""
    added = added_up(app, run)
    incidents = sorted(app.incidents.of_run(run.domain, run.run_id), key=attrgetter("incident_id"))
    findings = [e for i in incidents if i.status != IncidentStatus.RESOLVED for e in i.causes]
    details = particulars(app.ledger, run, added, findings, app.clock.now())
    return report(run, added, [i.incident_id for i in incidents], details)


def particulars(
    ledger: "Ledger",
    run: Run,
    added: Reconciliation,
    findings: Sequence[ExceptionRaised],
    now: datetime,
) -> Particulars:
    """What the ledger says of deferred records and duplicates; at most a hundred of each reason are read."""
    until: dict[str, Until] = {}
    for why, ids in added.examples.get(Outcome.DEFERRED, {}).items():
        dues = [
            datetime.fromisoformat(n.due_at).astimezone(UTC) for n in ledger.get(ids).values() if n.due_at
        ]
        if dues:
            all_read = len(dues) == added.reasons.get(Outcome.DEFERRED, {}).get(why, len(dues))
            found = reduce(Until.joined, map(Until, dues))
            until[why] = replace(found, same=found.same and all_read)
    notified_by = {}
    for why, ids in added.examples.get(Outcome.DUPLICATE, {}).items():
        others = ledger.get(ids)
        origins = {n.origin.run for n in others.values()} - {run.name}
        names = frozenset(name.removeprefix(f"{run.domain}/") for name in origins)
        notified_by[why] = OtherRuns(names, len(others) == _duplicates(added, why))
    return Particulars(until, notified_by, findings, now)


def _duplicates(added: Reconciliation, why: str) -> int:
    """How many duplicates have a reason; the empty one stands for those without."""
    reasons = added.reasons.get(Outcome.DUPLICATE, {})
    return reasons[why] if why else added.outcomes[Outcome.DUPLICATE] - sum(reasons.values())


def report(
    run: Run,
    added: Reconciliation,
    incidents: Iterable[str] = (),
    details: Particulars = NONE,
    *,
    planned: bool = False,
) -> dict[str, Any]:
    """A run in the form of `exnotify run --json`; `planned` words its headline as what would happen."""
    concerns = all_concerns(added, details)
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
        "disputed": run.disputed,
        "outcomes": {str(name): count for name, count in added.outcomes.items()},
        "reasons": {name: dict(sorted(why.items())) for name, why in sorted(added.reasons.items())},
        "left_out": dict(sorted(run.left_out.items())),
        "balanced": added.balanced,
        "complete": added.complete,
        "clean": not concerns,
        "headline": headline(run, added, details, planned=planned),
        "needs_look": [_concern(concern, details) for concern in concerns],
        "incidents": list(incidents),
        "opened_at": run.opened_at,
        "changed_at": run.changed_at,
        "history": [dict(entry) for entry in run.history],
    }


def _concern(concern: Concern, details: Particulars) -> dict[str, Any]:
    row = {"what": str(concern.what), "count": concern.count, "of": concern.of, "reason": concern.reason}
    if concern.what == Look.DEFERRED and (wait := details.until.get(concern.reason)):
        row["until"] = wait.earliest.isoformat(timespec="seconds")
    return row


def reused(told: dict[str, Any], *, planned: bool = False) -> dict[str, Any]:
    """What a drop of other content under a used run id comes to; its figures are of the run with that id."""
    be, read = ("would be ", "would be read") if planned else ("", "was read")
    look = {"what": "run_id_reused", "count": 0, "of": told["composed"], "reason": ""}
    line = f"{be}refused: the run id was used before with other content, so nothing of it {read}"
    others = [row for row in told["needs_look"] if row["reason"] != look["what"]]
    return told | {"clean": False, "headline": line, "needs_look": [look, *others]}


def exit_code(told: Mapping[str, Any]) -> int:
    """What a run means for the shell: 0 clean, 3 balanced but something needs a look, 1 not balanced."""
    if not told["balanced"]:
        return FAILED
    return 0 if told["clean"] else NEEDS_LOOK


def outcome_table(told: Mapping[str, Any]) -> "Table":
    """Every outcome that occurs, with its reasons."""
    reasons = told["reasons"]
    rows = [(name, n, _reasons(reasons.get(name, {}))) for name, n in told["outcomes"].items() if n]
    return table(("outcome", "records", "reasons"), rows, numbers=("records",))


def summary(told: Mapping[str, Any]) -> "Text":
    """One line: the run's name, and what needs a look or how many were notified."""
    from rich.text import Text

    line = Text(f"{told['domain']}/{told['run_id']}  ", style="bold")
    line.append(told["headline"], style=_STYLES[exit_code(told)])
    if not told["sealed"]:
        line.append("  unsealed", style="yellow")
    return line


_STYLES = {0: "green", NEEDS_LOOK: "yellow", FAILED: "red"}


def _reasons(why: Mapping[str, int]) -> object:
    return styled(", ".join(f"{reason} ({count})" for reason, count in why.items()))
