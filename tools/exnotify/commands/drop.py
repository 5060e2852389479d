"""`exnotify drop DIR`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FAILED, CommandError
from .options import as_json, deployment, name_of, on_stack

if TYPE_CHECKING:
    from ..deployment import Deployment
    from ..following import Followed


@click.command("drop")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--domain", metavar="NAME", help="Default: the seal's, else 'default'.")
@click.option("--run-id", metavar="ID", help="Default: the seal's, else the folder's name.")
@click.option("--no-seal", is_flag=True, help="Without a seal, as cloud-native Exstream drops.")
@click.option("--no-follow", is_flag=True, help="Return when it is uploaded.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=180.0,
    metavar="SECONDS",
    help="Stop following when nothing has moved for so long (180).",
)
@as_json
@on_stack
def command(
    folder: Path,
    domain: str | None,
    run_id: str | None,
    no_seal: bool,
    no_follow: bool,
    timeout: float,
    as_json: bool,
    stack: str | None,
) -> int:
    """Upload a folder as a run, and follow it until it balances.

    It is sealed on the way unless it holds a _COMPLETE.json; the folder itself stays as it is.
    Exit code 0: clean, 3: balanced but something needs a look, which the first line says, 1: anything
    else.
    """
    from ..dropping import prepare
    from ..screen import emit_json, remark

    if domain:
        name_of("domain", domain)
    if run_id:
        name_of("run id", run_id)
    target = deployment(stack)
    run = prepare(folder, domain=domain, run_id=run_id, sealed=not no_seal, rule_of=target.app.rules.domain)
    for text in run.remarks:
        remark(f"remark: {text}")
    followed = drop_and_follow(target, run, stall=timeout, follow_it=not no_follow)
    if followed is None:
        if as_json:
            emit_json({"domain": run.domain, "run_id": run.run_id})
        return 0
    if followed.told is None:
        raise CommandError(followed.advice)
    return show_end(target, followed, as_json=as_json)


def drop_and_follow(
    target: "Deployment", run: Any, *, stall: float, follow_it: bool = True, title: str = ""
) -> "Followed | None":
    """Upload a prepared run with progress, and follow it; None if it is not to be followed.

    `title` stands for the run on the screen; without one it is said where the files went.
    """
    from ..dropping import upload
    from ..following import Expected, follow
    from ..screen import progress, remark

    before = target.app.runs.get(run.domain, run.run_id)
    with progress() as bars:
        bar = bars.add_task(
            f"{title} uploading".strip(), total=run.bytes or None, note=f"{len(run.files)} files"
        )
        fingerprint = upload(target, run, lambda number: bars.advance(bar, number))
        bars.remove_task(bar)
    if not title:
        remark(f"uploaded {len(run.files)} files to {run.prefix} of {target.settings.drop_bucket}")
    if not follow_it:
        return None
    expected = Expected(fingerprint, before.version if before else 0, run.content() if before else "")
    with progress() as bars:
        show = moving(bars, title)
        return follow(target, run.domain, run.run_id, expected=expected, stall=stall, show=show)


def moving(bars: Any, title: str = "") -> Any:
    """A progress bar of a run's records, for `follow` to call."""
    bar = bars.add_task(title or "waiting for the run", total=None, note="")

    def show(run: Any, added: Any) -> None:
        if run is None or added is None:
            return
        open_ones = added.outcomes["in_flight"]
        note = " · ".join(f"{name} {n}" for name, n in added.outcomes.items() if n and name != "in_flight")
        bars.update(
            bar,
            description=f"{title} {run.state}".strip(),
            total=run.composed or None,
            completed=run.composed - open_ones,
            note=note or run.why,
        )

    return show


def show_end(target: "Deployment", followed: "Followed", *, as_json: bool) -> int:
    """How a followed run ended, and the exit code of that."""
    from itertools import islice

    from ..records import rejects_of
    from ..runs import exit_code, outcome_table, summary
    from ..screen import console, emit_json, remark

    told = followed.told or {}
    if as_json:
        emit_json(told | {"advice": followed.advice})
    else:
        out = console()
        out.print(summary(told))
        if any(told["outcomes"].values()):
            out.print(outcome_table(told))
        run = target.app.runs.get(told["domain"], told["run_id"])
        for reject in islice(rejects_of(target.app, run), 5) if run else ():
            out.print(f"rejected: {reject}", markup=False)
        if told["incidents"]:
            out.print(f"incidents: {', '.join(told['incidents'])}", style="yellow", markup=False)
    if followed.advice:
        remark(f"exnotify: {followed.advice}")
    return exit_code(told) if followed.end == "balanced" else FAILED
