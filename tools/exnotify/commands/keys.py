"""`exnotify keys`."""

import time
from typing import TYPE_CHECKING

import click

from ..errors import MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from ..rotating import KeySecret


@click.command("keys")
@click.argument("action", required=False, type=click.Choice(["rotate"]))
@click.argument("name", required=False)
@click.option("--yes", is_flag=True, help="Do it; without, only show what would be done.")
@click.option(
    "--wait", type=click.FloatRange(0), metavar="SECONDS",
    help="Between adding the key and making it current; else until every function knows it.",
)  # fmt: skip
@as_json
@on_stack
def command(
    action: str | None, name: str | None, yes: bool, wait: float | None, as_json: bool, stack: str | None
) -> int:
    """Show the versions of the stack's keys, or rotate one: `keys rotate NAME --yes`.

    Rotating adds a version, waits until every function knows it, and makes it current. Old versions keep
    working: links that are out, hashes that are stored, proofs that are sealed. No key is ever shown.
    """
    from exstream_notify.adapters.secrets import KEEP

    from ..rotating import MARGIN, key_secret, key_secrets, rotate
    from ..screen import emit_json, remark

    target = deployment(stack)
    if action is None:
        rows = list(key_secrets(target).values())
        if as_json:
            emit_json([_told(row) for row in rows])
        else:
            for row in rows:
                pending = f", {row.pending} added and not current" if row.pending else ""
                click.echo(f"{row.name}: current {row.current} of {len(row.versions)}{pending}")
        return 0
    if not name:
        raise MisuseError(f"rotate what? {', '.join(key_secrets(target))}")
    secret = key_secret(target, name)
    seconds = KEEP + MARGIN if wait is None else wait
    step = "is there already" if secret.pending else "would be added" if not yes else "is added"
    said = f"{secret.name}: version {secret.next} {step}, current after {seconds:g} s"
    said += f", instead of {secret.current}"
    if not yes:
        if as_json:
            emit_json({**_told(secret), "next": secret.next, "done": False})
        else:
            click.echo(f"{said}; nothing was changed: --yes does it")
        return 0
    remark(said)
    after = rotate(target, name, lambda: time.sleep(seconds))
    if as_json:
        emit_json({**_told(after), "done": True})
    else:
        click.echo(f"{after.name}: current {after.current} of {len(after.versions)}")
    return 0


def _told(secret: "KeySecret") -> dict[str, object]:
    return {
        "name": secret.name,
        "current": secret.current,
        "versions": [str(version) for version in secret.versions],
        "pending": secret.pending and str(secret.pending),
    }
