"""`exnotify approvals`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FAILED, CommandError, MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from ..approving import Words


@click.command("approvals")
@click.option(
    "--site", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="The site's own files: a folder with wording/, as in the stack's SiteLayer.",
)  # fmt: skip
@click.option("--wording", "wordings", multiple=True, metavar="NAME", help="Only this wording; repeatable.")
@click.option("--channel", type=click.Choice(["email", "sms"]), help="Only this channel.")
@click.option("--language", metavar="CODE", help="Only this language.")
@click.option("--approve", metavar="VERSION", multiple=True, help="Approve this version; repeatable.")
@click.option("--approve-all", is_flag=True, help="Approve all that is listed.")
@click.option("--who", default="", metavar="NAME", help="Who approved it: a person or a body.")
@as_json
@on_stack
def command(
    site: Path | None,
    wordings: tuple[str, ...],
    channel: str | None,
    language: str | None,
    approve: tuple[str, ...],
    approve_all: bool,
    who: str,
    as_json: bool,
    stack: str | None,
) -> int:
    """List the versions of the wording that customers read, and who approved each; or approve some.

    An approval is written into wording/approvals.yaml of the site's folder and counts once its layer is
    deployed. Any change of text, layout or brand makes another version, which needs another approval.
    Exit code 1 while something listed is not approved.
    """
    from ..approving import all_words
    from ..deployment import is_site
    from ..screen import emit_json

    target = deployment(stack)
    if target.parameters.get("SiteLayer") and site is None:
        raise CommandError("the stack has wording of its own (SiteLayer): name its folder with --site")

    def listed() -> "list[Words]":
        # A site can begin with its approvals: until the first one its folder is empty.
        own = str(site) if site and is_site(site) else None
        return [
            row
            for row in all_words(target.read_only(own))
            if (not wordings or row.wording in wordings)
            and channel in (None, row.channel)
            and language in (None, row.language)
        ]

    rows = listed()
    if not rows:
        raise MisuseError("nothing that customers are told in has such a name, channel or language")
    if approve or approve_all:
        if site is None:
            raise MisuseError("where? --site DIR: its wording/approvals.yaml keeps the approvals")
        if not who.strip():
            raise MisuseError("who approved it? --who NAME stands in the proof of every message")
        if unknown := sorted(set(approve) - {row.version for row in rows}):
            raise MisuseError(f"{unknown[0]} is no version that is listed: it was changed, or mistyped")
        now = target.app.clock.now().isoformat(timespec="seconds")
        count = _approve(site, [r for r in rows if approve_all or r.version in approve], who.strip(), now)
        rows = listed()
        if not as_json:
            click.echo(f"{count} approved in {site / 'wording' / 'approvals.yaml'}")
    if as_json:
        emit_json([row.told() for row in rows])
    elif not (approve or approve_all):
        for row in rows:
            told = row.told()
            by = f"{told['who']}, {told['when']}" if told["who"] else "-"
            words = f"{row.wording:<24}{row.channel:<6}{row.language}"
            click.echo(f"{row.state:<9}{row.version}  {words}  {by}")
    return 0 if all(row.approval for row in rows) else FAILED


def _approve(site: Path, rows: "list[Words]", who: str, when: str) -> int:
    from exstream_notify.adapters.rendering.approvals import add_approvals
    from exstream_notify.domain.approvals import Approval

    new = tuple(
        Approval(row.wording, row.channel, row.language, row.version, who, when)
        for row in rows
        if row.approval is None  # who approved it first stays who approved it
    )
    folder = site / "wording"
    folder.mkdir(exist_ok=True)
    if new:
        add_approvals(folder, new)
    return len(new)
