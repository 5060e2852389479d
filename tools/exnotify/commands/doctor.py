"""`exnotify doctor`."""

from dataclasses import asdict

import click

from ..errors import FAILED
from .options import as_json, deployment, on_stack

_MARKS = {"ok": "ok", "warning": "!", "problem": "X", "unknown": "?"}


@click.command("doctor")
@click.option(
    "--resolver",
    metavar="ADDRESS[:PORT]",
    help="Ask this DNS server (EXNOTIFY_RESOLVER), instead of the machine's own.",
)
@as_json
@on_stack
def command(resolver: str | None, as_json: bool, stack: str | None) -> int:
    """Check a deployment: sender, quotas, event destinations, DNS, keys, retention; and say what to do.

    Changes nothing. A line that begins with ? could not be looked at: it is never taken for fine. Exit code 1
    if there is a problem.
    """
    from ..doctor import examine
    from ..doctor.resolver import resolver as by
    from ..screen import emit_json

    findings = examine(deployment(stack), by(resolver))
    if as_json:
        emit_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{_MARKS[finding.verdict]:<3}{finding.check}: {finding.found}")
            if finding.cure:
                click.echo(f"      {finding.cure}")
    return FAILED if any(finding.verdict == "problem" for finding in findings) else 0
