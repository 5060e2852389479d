"""`exnotify outbox`."""

from typing import Any
from urllib.parse import urlencode

import click

from ..errors import MisuseError
from .options import as_json, deployment, on_stack


@click.command("outbox")
@click.option("--customer", metavar="KEY", help="Only of this customer key or address.")
@click.option("--channel", type=click.Choice(["email", "sms"]), help="Only of this channel.")
@as_json
@on_stack
def command(customer: str | None, channel: str | None, as_json: bool, stack: str | None) -> int:
    """List the messages that reached the simulated providers, the oldest first."""
    from ..deployment import ask
    from ..screen import console, emit_json, table

    target = deployment(stack)
    if target.url is None:
        raise MisuseError("a deployed stack sends to real providers: only the embedded cloud has an outbox")
    query = urlencode({k: v for k, v in (("customer", customer), ("channel", channel)) if v})
    rows: list[dict[str, Any]] = ask(target.url, "GET", f"messages.json?{query}", prefix="/inbox/")
    rows.reverse()
    if as_json:
        emit_json(rows)
        return 0
    out = console()
    if not rows:
        out.print("no messages")
        return 0
    out.print(
        table(
            ("sent", "channel", "to", "subject or text", "document", "audience", "notice"),
            (
                (
                    row["sent_at"][:19],
                    row["channel"],
                    row["to"],
                    row["subject"] or row["text"],
                    row["document_id"],
                    row["audience"],
                    row["notice_id"],
                )
                for row in rows
            ),
            whole=("sent", "document", "notice"),
        )
    )
    out.print(f"{len(rows)} messages; as customers see them: {target.url}/inbox", style="dim")
    return 0
