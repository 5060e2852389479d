"""What is held about one customer: written out, or erased."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from exstream_notify.domain.erased import Person, person_of
from exstream_notify.domain.holds import ErasureForbidden, refuse_if_held
from exstream_notify.domain.preferences import CHANNELS

from .errors import CommandError, MisuseError
from .personal import ticket
from .personal.places import Scrubbed, held, scrub
from .replying import replies

if TYPE_CHECKING:
    from exstream_notify.domain.contacts import Contact

    from .deployment import Deployment


def write_held(target: "Deployment", contact: "Contact", path: Path) -> None:
    """Everything that is kept about the customer, wherever it lies; the salt, which is a key, stays out."""
    from .commands.contact import change_rows, suppression_rows

    profile = asdict(contact)
    del profile["salt"]
    told = {
        "contact": profile,
        "changing": change_rows(target, contact),
        "suppressions": suppression_rows(target, contact),
        "replies": [
            row
            for row in replies(target, contact.domain)
            if (row["customer_key"], row["recipient"]) == (contact.customer_key, contact.recipient)
        ],
        **held(target, person_of(contact)),
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")


def erase_contact(target: "Deployment", contact: "Contact", why: str) -> Scrubbed:
    """Delete the profile with its salt, then what is kept elsewhere.

    What the customer stopped for good stays stopped, by keyed hash.
    """
    if not why:
        raise MisuseError("an erasure needs its reason: --why TEXT")
    try:
        refuse_if_held(contact)
    except ErasureForbidden as held_by:
        raise CommandError(f"contact {contact.customer_key}: {held_by}, so nothing is erased") from held_by
    app, now = target.app, target.app.clock.now()
    person = ticket.keep(app, person_of(contact, now.isoformat(timespec="seconds")))
    for channel in CHANNELS:
        address = contact.address(channel)
        stopped = contact.opted_out(channel, "*") or (address is not None and not address.usable)
        if address is not None and stopped:
            app.opt_outs.stop(channel, address.value, f"erasure by {target.who}", now)
    if not app.contacts.erase(contact, target.who, why, now):
        raise CommandError(f"contact {contact.customer_key} changed meanwhile: look again, then erase")
    return finish(target, person)


def finish(target: "Deployment", person: Person) -> Scrubbed:
    """Erase what is kept beside the contact; once nothing is left, the erasure is done."""
    done = scrub(target, person)
    if not done.left:
        ticket.drop(target.app, person)
    return done


def under_way(target: "Deployment", domain: str, customer_key: str, recipient: str) -> Person | None:
    """An erasure of this customer that was not finished."""
    return ticket.find(target.app, Person(domain, customer_key, recipient))
