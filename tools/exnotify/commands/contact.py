"""`exnotify contact KEY`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import CommandError, MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from exstream_notify.domain.contacts import Address, Contact

    from ..contact_changes import Change
    from ..deployment import Deployment

_TRIES = 5


@click.command("contact")
@click.argument("customer_key", metavar="KEY")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field; may be repeated."
)
@click.option(
    "--held",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all that is held about the customer.",
)
@click.option("--erase", is_flag=True, help="Erase the profile; needs --why.")
@click.option("--domain", metavar="NAME", help="Needed on a deployed stack, or where several know the key.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the contact's history.")
@as_json
@on_stack
def command(
    customer_key: str,
    settings: tuple[str, ...],
    held: Path | None,
    erase: bool,
    domain: str | None,
    why: str,
    as_json: bool,
    stack: str | None,
) -> int:
    """Show a contact, or change it: who changed what, and when, stays in its history.

    Fields: email, mobile, language, time_zone, country, postcode, paper_required (yes, no),
    channel_order (sms,email), opt_out and opt_in (sms, or statements/sms for one topic), opt_outs
    (all of them at once), consent (yes, no), legal_hold (yes, no; forbids erasure).
    An empty value gives the field back to the drops.
    """
    from ..contact_changes import ChangeRefusedError, parse_change
    from ..screen import emit_json

    try:
        changes = [parse_change(text) for text in settings]
    except ChangeRefusedError as error:
        raise MisuseError(str(error)) from error
    target = deployment(stack)
    contact = _find(target, customer_key, domain)
    if held is not None or erase:
        from ..holdings import erase_contact, write_held

        if held is not None:
            write_held(target, contact, held)
        if erase:
            erase_contact(target, contact, why)
        return 0
    if changes:
        contact = _change(target, contact, changes, why)
    if as_json:
        emit_json(contact_row(contact))
    else:
        _show(contact)
    return 0


def _find(target: "Deployment", customer_key: str, domain: str | None) -> "Contact":
    from ..notices import domains_of

    domains = domains_of(target, customer_key, domain)
    if len(domains) > 1:
        raise MisuseError(f"{', '.join(domains)} all know a customer {customer_key}: say which with --domain")
    found = target.app.contacts.get(domains[0], [customer_key]).get(customer_key) if domains else None
    if found is None:
        where = f" in domain {domain}" if domain else ""
        raise CommandError(f"no contact {customer_key}{where}: a customer's first document makes one")
    return found


def _change(target: "Deployment", contact: "Contact", changes: "list[Change]", why: str) -> "Contact":
    from ..contact_changes import ChangeRefusedError, apply_changes
    from ..screen import remark

    app = target.app
    for _ in range(_TRIES):
        try:
            after = apply_changes(
                contact, changes, check=app.addresses.check, now=app.clock.now(), who=target.who, why=why
            )
        except ChangeRefusedError as error:
            raise MisuseError(str(error)) from error
        if after is contact:
            remark("nothing to change: it says so already")
            return contact
        if not app.contacts.put([after]):
            return after
        # Somebody else wrote in between: their change stays, ours is made on top of it.
        contact = app.contacts.get(contact.domain, [contact.customer_key])[contact.customer_key]
    raise CommandError(f"contact {contact.customer_key} kept changing: try again")


def contact_row(contact: "Contact") -> dict[str, Any]:
    """A contact in the form of `exnotify contact --json`; the salt, a key of its evidence, stays out."""
    row = asdict(contact)
    del row["salt"]
    row["opt_outs"] = {topic: list(channels) for topic, channels in sorted((contact.opt_outs or {}).items())}
    return row


def _show(contact: "Contact") -> None:
    from ..contact_changes import said
    from ..screen import console, fields, table

    out = console()
    plain = ("language", "time_zone", "country", "postcode", "paper_required", "channel_order", "opt_outs")
    out.print(
        fields(
            [
                ("customer", contact.customer_key),
                ("domain", contact.domain),
                ("email", _spoken(contact.email)),
                ("mobile", _spoken(contact.mobile)),
                *((name.replace("_", " "), said(contact, name)) for name in (*plain, "consent")),
                ("legal hold", "yes" if contact.legal_hold else ""),
                ("set for the customer", ", ".join(contact.set_by_customer)),
                ("created", contact.created_at),
                ("changed", f"{contact.changed_at}  (version {contact.version})"),
            ]
        )
    )
    if contact.history:
        columns = ("at", "who", "field", "from", "to", "why")
        out.print(table(columns, ([entry.get(name, "") for name in columns] for entry in contact.history)))


def _spoken(address: "Address | None") -> str:
    if address is None:
        return ""
    status = f"{address.status}: {address.why}" if address.why else address.status
    return f"{address.value}  ({status}, from {address.source})"
