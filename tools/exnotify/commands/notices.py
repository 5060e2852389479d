"""`exnotify notices --customer KEY`."""

import click

from ..errors import CommandError
from .options import as_json, deployment, on_stack


@click.command("notices")
@click.option("--customer", "customer_key", required=True, metavar="KEY", help="The customer's key.")
@click.option("--domain", metavar="NAME", help="Needed on a deployed stack; else every domain.")
@as_json
@on_stack
def command(customer_key: str, domain: str | None, as_json: bool, stack: str | None) -> int:
    """List a customer's notices, every recipient's, the oldest first."""
    from ..notices import domains_of, notice_row
    from ..screen import console, emit_json, table

    target = deployment(stack)
    rows = [
        notice_row(notice)
        for name in domains_of(target, customer_key, domain)
        for notice in target.app.ledger.of_customer(name, customer_key)
    ]
    if not rows:
        where = f" in domain {domain}" if domain else ": an erased customer's are found with --domain"
        raise CommandError(f"no notices of customer {customer_key}{where}")
    if as_json:
        emit_json(rows)
        return 0
    names = (
        "created_at",
        "notice_id",
        "status",
        "why",
        "channel",
        "document_type",
        "document_id",
        "recipient",
        "purpose",
        "responses",
        "audience",
    )
    titles = ("created", "notice", *names[2:5], "type", "document", *names[7:])
    console().print(table(titles, ([_shown(row[name]) for name in names] for row in rows), whole=("notice",)))
    return 0


def _shown(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value
