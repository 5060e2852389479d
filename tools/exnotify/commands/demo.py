"""`exnotify demo`."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FAILED

if TYPE_CHECKING:
    from rich.table import Table

    from ..deployment import Deployment
    from ..following import Followed
    from ..local import LocalCloud
    from ..samples import SampleRun


@dataclass(frozen=True, slots=True)
class _Ended:
    sample: "SampleRun"
    followed: "Followed"
    seconds: float

    def surprises(self) -> list[str]:
        """What is not as it must be; empty if all is."""
        told = self.followed.told
        if told is None:
            return [f"{self.sample.run_id}: {self.followed.advice}"]
        found = {name: count for name, count in told["outcomes"].items() if count}
        looks = {row["what"] for row in told["needs_look"]}
        said = [
            (found, dict(self.sample.outcomes)),
            (told["complete"], self.sample.complete),
            (looks, set(self.sample.needs_look)),
        ]
        return [f"{self.sample.run_id}: {got}, and not {wanted}" for got, wanted in said if got != wanted]


@click.command("demo")
@click.option("--exit", "at_once", is_flag=True, help="End when the table is shown.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to serve at (4580, or a free one).")
@click.option(
    "--samples",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Only write the sample runs there, to drop them yourself.",
)
def command(at_once: bool, port: int | None, samples: Path | None) -> int:
    """Show the main job from start to end: five sample runs, from the drop to the inbox.

    Most of the samples contain what needs a look, on purpose; the table says what. The inbox stays open
    until Ctrl-C; without a terminal, or with --exit, it ends by itself. Exit code 0: every run ended as it
    must, 1: one did not.
    """
    from ..samples import AT, write_samples
    from ..screen import remark
    from .demo_journey import show_journey
    from .up import started

    if samples is not None:
        for path in write_samples(samples):
            click.echo(path)
        return 0
    began = time.monotonic()
    cloud = started(port=_port(port), at=AT)
    try:
        remark(f"embedded cloud at {cloud.url}, up in {time.monotonic() - began:.1f} s")
        ended = _run_all(cloud)
        surprises = [text for one in ended for text in one.surprises()]
        _show(cloud, ended)
        surprises += filter(None, [show_journey(cloud)])
        for text in surprises:
            remark(f"exnotify: not as it must be: {text}")
        if not at_once and sys.stdout.isatty():
            click.echo(f"\nThe inbox: {cloud.inbox_url}   (Ctrl-C ends)")
            try:
                cloud.wait()
            except KeyboardInterrupt:
                click.echo("")
    finally:
        cloud.stop()
    return FAILED if surprises else 0


def _port(wanted: int | None) -> int:
    """The wanted port, else the default one if it is free, else any."""
    import socket

    from ..deployment import DEFAULT_PORT

    if wanted is not None:
        return wanted
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            return 0
    return DEFAULT_PORT


def _run_all(cloud: "LocalCloud") -> list[_Ended]:
    from ..samples import SAMPLES, write_samples

    target = cloud.deployment()
    with tempfile.TemporaryDirectory(prefix="exnotify-demo-") as folder:
        paths = write_samples(Path(folder))
        return [_run(target, sample, path) for sample, path in zip(SAMPLES, paths, strict=True)]


def _run(target: "Deployment", sample: "SampleRun", folder: Path) -> _Ended:
    from ..dropping import prepare
    from ..screen import remark
    from .drop import drop_and_follow

    began = time.monotonic()
    run = prepare(folder, domain=None, run_id=None, sealed=True)
    followed = drop_and_follow(target, run, stall=120.0, title=f"{sample.use_case} {sample.title}")
    seconds = time.monotonic() - began
    if followed is None:
        raise AssertionError("a run that is followed has an end")
    line = followed.told["headline"] if followed.told else followed.advice
    remark(f"{sample.use_case}  {sample.title}: {line}")
    return _Ended(sample, followed, seconds)


def _show(cloud: "LocalCloud", ended: list[_Ended]) -> None:
    from ..screen import console

    out = console()
    out.print(_table(ended))
    messages = list(cloud.messages)
    by_channel = {c: sum(1 for m in messages if m.channel == c) for c in ("email", "sms")}
    out.print(
        f"{len(messages)} messages reached the simulated providers: {by_channel['email']} e-mails "
        f"(internal teams' copies included), {by_channel['sms']} text messages."
    )
    clean = sum(1 for one in ended if one.followed.told and one.followed.told["clean"])
    out.print(
        f"{clean} of {len(ended)} runs {'is' if clean == 1 else 'are'} clean. The others contain on purpose "
        "what needs a look, as their headlines say; `exnotify drop DIR` ends those with exit code 3."
    )


_NO_RUN: dict[str, Any] = {"outcomes": {}, "reasons": {}, "composed": 0, "expected": 0, "clean": False}


def _table(ended: list[_Ended]) -> "Table":
    from rich.text import Text

    from ..screen import STYLES, table

    rows: list[tuple[Any, ...]] = []
    for one in ended:
        told = one.followed.told or _NO_RUN | {"headline": one.followed.advice}
        outcomes = Text("\n").join(
            Text(f"{count:>3} {name}", style=STYLES.get(name, "")).append(
                f"  {', '.join(told['reasons'].get(name, {}))}", style="dim"
            )
            for name, count in told["outcomes"].items()
            if count
        )
        outcomes = (
            Text(told["headline"], style="green" if told["clean"] else "yellow").append("\n").append(outcomes)
        )
        missing = told["expected"] - told["composed"]
        documents = f"{told['composed']}" + (f"\n{missing} missing" if missing else "")
        what = Text(f"{one.sample.use_case}  ", style="bold").append(one.sample.title, style="default")
        what.append(f"\n{one.sample.written}", style="dim")
        rows.append((what, documents, outcomes, f"{one.seconds:.1f} s"))
    return table(
        ("run", "documents", "headline, outcomes and reasons", "time"),
        rows,
        numbers=("documents", "time"),
        whole=("run", "documents", "time"),
        lines=True,
    )
