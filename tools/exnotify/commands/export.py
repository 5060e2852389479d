"""`exnotify export`."""

from pathlib import Path

import click

from .options import as_json, deployment, name_of, on_stack


@click.command("export")
@click.option("--domain", default="retail", show_default=True, metavar="NAME")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--last", is_flag=True, help="Fetch the last export, and start none.")
@as_json
@on_stack
def command(domain: str, output: Path | None, last: bool, as_json: bool, stack: str | None) -> int:
    """Export preferences for Exstream now, check the files, and put them in a folder.

    The control file is written last, as in the bucket: where it is, the others are whole.
    """
    import json

    from ..exporting import export_now, fetch
    from ..screen import emit_json

    target = deployment(stack)
    name_of("domain", domain)
    control, files = fetch(target, domain) if last else export_now(target, domain)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (output / name).write_bytes(data)
        (output / "control.json").write_text(json.dumps(control, indent=1) + "\n", "utf-8")
    if as_json:
        emit_json(control)
    else:
        changes = ", ".join(f"{number} {what}" for what, number in control["changes"].items())
        click.echo(f"{domain}: {control['rows']} customers, export {control['export']} ({changes})")
    return 0
