"""`exnotify preview -o FILE`."""

from pathlib import Path

import click


@click.command("preview")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="The HTML file to write.",
)  # fmt: skip
def command(output: Path) -> int:
    """Write every template in every language and channel to one HTML page."""
    from ..preview import write_preview

    write_preview(output)
    click.echo(f"wrote {output}")
    return 0
