"""`exnotify replies`."""

import click

from .options import as_json, deployment, on_stack


@click.command("replies")
@click.option("--domain", metavar="NAME", help="Only of this domain; `replies` are those of unknown numbers.")
@as_json
@on_stack
def command(domain: str | None, as_json: bool, stack: str | None) -> int:
    """Show what customers answered by SMS in words of their own: a person has to read it."""
    from ..replying import replies
    from ..screen import console, emit_json, table

    found = replies(deployment(stack), domain)
    if as_json:
        emit_json(found)
    elif found:
        columns = ("at", "domain", "customer_key", "from", "text")
        rows = ([row[name] if row[name] is not None else "erased" for name in columns] for row in found)
        console().print(table(columns, rows))
    else:
        click.echo("no replies")
    return 0
