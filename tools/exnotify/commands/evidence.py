"""`exnotify evidence NOTICE -o FILE`."""

import json
from pathlib import Path

import click

from ..errors import FAILED
from .options import deployment, on_stack


@click.command("evidence")
@click.argument("notice_id", metavar="NOTICE")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), default="-",
    metavar="FILE", help="Where to write it: JSON, a page to print if it ends in .html, - for stdout.",
)  # fmt: skip
@click.option("--thorough", is_flag=True, help="Look for anchors that the ledger does not name, too.")
@on_stack
def command(notice_id: str, output: Path, thorough: bool, stack: str | None) -> int:
    """Write the proof of one notice, and say whether it holds; exit code 1 if it does not."""
    from ..notices import find_notice
    from ..proof import as_html, proof_of
    from ..screen import remark

    app = deployment(stack).app
    proof = proof_of(app, find_notice(app, notice_id), thorough=thorough)
    text = json.dumps(proof, indent=2, ensure_ascii=False) + "\n"
    if str(output) == "-":
        click.echo(text, nl=False)
    else:
        html = output.suffix.lower() in (".html", ".htm")
        output.write_text(as_html(proof) if html else text, encoding="utf-8")
        remark(f"wrote {output}")
    if proof["holds"]:
        remark(
            f"the proof holds: {len(proof['attempts'])} attempt(s), {len(proof['notice']['events'])} events"
        )
        return 0
    broken = [f"attempt {a['number']}: {a['problem']}" for a in proof["attempts"] if a["problem"]]
    broken += [f"anchor {a['reference']}: {a['problem']}" for a in proof["anchors"] if a["problem"]]
    remark(f"the proof does not hold: {'; '.join(broken) or 'the chain of events is broken'}")
    return FAILED
