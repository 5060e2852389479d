"""`exnotify doctor`."""

from dataclasses import asdict

import click

from ..errors import FAILED, NEEDS_LOOK
from .options import as_json, deployment, on_stack

MARKS = {"ok": "ok", "warning": "!", "problem": "X", "unknown": "?"}


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

    Changes nothing. A line that begins with ? could not be checked. Exit code 0: nothing is wrong and all was
    checked; 1: there is a problem; 3: something could not be checked.
    """
    from ..doctor import examine
    from ..doctor.resolver import resolver as by
    from ..screen import emit_json

    findings = examine(deployment(stack), by(resolver))
    if as_json:
        emit_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{MARKS[finding.verdict]:<3}{finding.check}: {_printable(finding.found)}")
            if finding.cure:
                click.echo(f"      {finding.cure}")
    verdicts = {finding.verdict for finding in findings}
    return FAILED if "problem" in verdicts else NEEDS_LOOK if "unknown" in verdicts else 0


def _printable(text: str) -> str:
    """A DNS server chooses what its records hold, and a terminal obeys control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)
