"""`exnotify reply NUMBER TEXT`."""

import click

from .options import deployment, on_stack


@click.command("reply")
@click.argument("number")
@click.argument("text")
@on_stack
def command(number: str, text: str, stack: str | None) -> int:
    """Send an SMS reply into the embedded cloud, as a customer with that number would: STOP, HELP, words."""
    from ..replying import reply

    target = deployment(stack)
    reply_id = reply(target, number, text)
    target.settle(30)
    click.echo(f"reply {reply_id}")
    return 0
