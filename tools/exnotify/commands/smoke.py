"""`exnotify smoke`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FAILED, NEEDS_LOOK, CommandError, MisuseError
from .options import as_json, deployment, name_of, on_stack

if TYPE_CHECKING:
    from ..smoke import Stage

_CODES = {"delivered": 0, "accepted": NEEDS_LOOK, "failed": FAILED}


@click.command("smoke")
@click.option("--to", metavar="ADDRESS", help="Your own e-mail address, or mobile number as +12025550142.")
@click.option("--type", "document_type", metavar="NAME", help="Default: the first type that nothing follows.")
@click.option("--domain", metavar="NAME", help="Default: smoke.")
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The site's own files: a folder with rules/, as in the stack's SiteLayer.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=180.0,
    metavar="SECONDS",
    help="How long each stage may take (180).",
)
@click.option("--yes", is_flag=True, help="Send it; without, a deployed stack only says what would be sent.")
@as_json
@on_stack
def command(
    to: str | None,
    document_type: str | None,
    domain: str | None,
    site: Path | None,
    timeout: float,
    yes: bool,
    as_json: bool,
    stack: str | None,
) -> int:
    """Send one marked notice to yourself through the whole stack, and follow it to its receipt.

    Exit code 0: a receipt says that it was delivered, 3: the provider accepted it and no receipt came in
    time, 1: anything else; the last line says what to do first.
    """
    from ..screen import emit_json, remark
    from ..smoke import plan_smoke, send_smoke

    if domain:
        name_of("domain", domain)
    target = deployment(stack)
    embedded = target.url is not None
    if to is None and not embedded:
        raise MisuseError("say with --to where it goes: your own address, never a customer's")
    if target.parameters.get("SiteLayer") and site is None:
        raise CommandError("the stack has rules of its own (SiteLayer): name their folder with --site")
    rules = target.read_only(str(site) if site else None).rules
    planned = plan_smoke(rules, to or "operator@example.com", document_type=document_type, domain=domain)
    if not (yes or embedded):
        click.echo(f"would send through {target.name}: {planned.said}; --yes does it")
        return 0
    remark(f"sends through {target.name}: {planned.said}")
    smoke = send_smoke(target, rules, planned, timeout=timeout, shown=_ignore if as_json else _show)
    if as_json:
        emit_json(smoke.told())
    if smoke.advice:
        remark(f"exnotify: {smoke.advice}")
    return _CODES[smoke.end]


def _show(stage: "Stage") -> None:
    click.echo(f"{'ok' if stage.reached else 'X':<3}{stage.name:<9}{stage.seconds:6.1f} s  {stage.said}")


def _ignore(stage: "Stage") -> None:
    """With --json all stages come at the end."""
