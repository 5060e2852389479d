"""`exnotify notice ID`."""

from typing import Any

import click

from .options import as_json, deployment, on_stack


@click.command("notice")
@click.argument("notice_id", metavar="ID")
@click.option("--revoke", metavar="WHY", help="Revoke its secure link: it opens nothing any more.")
@click.option("--unlock", metavar="WHY", help="Let its customer answer the link's question again.")
@as_json
@on_stack
def command(notice_id: str, revoke: str | None, unlock: str | None, as_json: bool, stack: str | None) -> int:
    """Show one notice: what it is about, its attempts, its events.

    ID is a notice id, or a reference `<notice id>:<attempt>` as providers get it.
    """
    from ..notices import find_notice, notice_row, revoke_link, unlock_link, what_is_left
    from ..screen import console, emit_json, fields, table

    target = deployment(stack)
    found = find_notice(target.app, notice_id)
    if revoke is not None:
        found = revoke_link(target, found, revoke)
    if unlock is not None:
        found = unlock_link(target, found, unlock)
    row = {**notice_row(found), **what_is_left(target.app, found)}
    if as_json:
        emit_json(row)
        return 0
    out = console()
    about = ("domain", "customer_key", "document_id", "document_type", "run_id", "position", "purpose")
    out.print(
        fields(
            [
                ("notice", row["notice_id"]),
                ("status", row["status"]),
                ("why", row["why"]),
                *((name.replace("_", " "), row[name]) for name in (*about, "audience")),
                ("waits until", row["due_at"]),
                ("waiting", ", ".join(row["waiting"])),
                ("responses", ", ".join(row["responses"])),
                ("amount due", _money(row["amount_due"], row["currency"])),
                *(
                    (name, _of_payments(row, key))
                    for name, key in (("paid", "paid"), ("left to pay", "left"))
                ),
                ("superseded by", row["superseded_by"]),
                ("link revoked", row["link_revoked"]),
                ("chain", "holds" if row["chain_holds"] else "is broken: an event was changed"),
            ]
        )
    )
    if row["attempts"]:
        names = ("number", "channel", "provider", "status", "why", "provider_ref")
        out.print(
            table(
                ("attempt", "channel", "provider", "status", "why", "provider's reference"),
                ([a[name] for name in names] for a in row["attempts"]),
                numbers=("attempt",),
            )
        )
    if row["payments"]:
        listed = (
            (
                f"part of a {p['kind']}" if p["shared"] else p["kind"],
                p["payment"],
                p["amount"] or "all",
                p["currency"],
            )
            for p in row["payments"]
        )
        out.print(table(("what", "payment", "amount", "currency"), listed))
    out.print(table(("at", "event", "detail"), ([e["at"], e["what"], e["detail"]] for e in row["events"])))
    return 0


def _money(amount: str | None, currency: str | None) -> str:
    return " ".join(filter(None, (amount, currency))) if amount is not None else ""


def _of_payments(row: dict[str, Any], key: str) -> str:
    if not row["payments"]:
        return ""
    return _money(row[key], row["currency"]) or "not known"
