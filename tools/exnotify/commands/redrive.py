"""`exnotify redrive QUEUE`."""

from datetime import UTC, datetime

import click

from ..errors import FAILED
from .options import as_json, deployment, on_stack


@click.command("redrive")
@click.argument("queue")
@click.option("--look", is_flag=True, help="Only show what lies there.")
@click.option("--filter", "text", metavar="TEXT", help="Only messages that contain this.")
@click.option("--rate", type=click.FloatRange(0.01, 1000), default=10.0, show_default=True, help="A second.")
@click.option("--most", type=click.IntRange(1), default=1000, show_default=True, help="At most so many.")
@as_json
@on_stack
def command(
    queue: str, look: bool, text: str | None, rate: float, most: int, as_json: bool, stack: str | None
) -> int:
    """Look at dead letters, or move them back to the queue that they came from.

    QUEUE is a name of the template: the dead letters' own (EmailDeadLetters), or that of the queue whose
    they are (EmailQueue). Looking shows no addresses. Exit code 1 if there was nothing.
    """
    from ..redriving import DeadLetters, Letter, redrive
    from ..screen import emit_json

    letters = DeadLetters.of(deployment(stack), queue)

    def wanted(letter: Letter) -> bool:
        return text is None or text in letter.body

    if look:
        every = list(letters.read(most))
        for letter in every:
            letters.put_back(letter)
        found = [letter for letter in every if wanted(letter)]
        rows = [
            {
                "message_id": letter.message_id,
                "sent": datetime.fromtimestamp(letter.sent, UTC).isoformat(timespec="seconds"),
                "bytes": len(letter.body.encode()),
                "excerpt": letter.excerpt(),
            }
            for letter in found
        ]
        if as_json:
            emit_json(rows)
        else:
            for row in rows:
                click.echo(f"{row['sent']}  {row['message_id']}  {row['bytes']} bytes\n    {row['excerpt']}")
            click.echo(f"{letters.name}: {len(rows)} of {len(every)} letters")
        return 0 if rows else FAILED
    went, stayed = redrive(letters, wanted, rate, most=most)
    if as_json:
        emit_json({"queue": letters.name, "sent_back": went, "left": stayed})
    else:
        click.echo(f"{letters.name}: {went} sent back, {stayed} left")
    return 0 if went else FAILED
