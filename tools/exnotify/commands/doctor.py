"""`exnotify doctor`."""

from dataclasses import asdict

import click

from ..errors import FAILED
from .options import as_json, deployment, on_stack

_MARKS = {"ok": "ok", "warning": "!", "problem": "X", "unknown": "?"}


@click.command("doctor")
@as_json
@on_stack
def command(as_json: bool, stack: str | None) -> int:
    """Check a deployment: sender, sandbox limits, secrets, DNS, quotas; and say what to do.

    Changes nothing. Exit code 1 if there is a problem.
    """
    from ..checkup import examine
    from ..screen import emit_json

    findings = examine(deployment(stack))
    if as_json:
        emit_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{_MARKS[finding.verdict]:<3}{finding.check}: {finding.found}")
            if finding.cure:
                click.echo(f"      {finding.cure}")
    return FAILED if any(finding.verdict == "problem" for finding in findings) else 0
