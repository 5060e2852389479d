"""What is held about one customer: written out, or erased."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from exstream_notify.domain.erased import person_of, with_words
from exstream_notify.domain.holds import ErasureForbidden, refuse_if_held
from exstream_notify.use_cases.erase_contact import erase_contact

from .errors import CommandError, MisuseError
from .personal import ticket
from .personal.places import Scrubbed, held, scrub
from .personal.work_bucket import addresses_in_records
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
        **held(target, with_words(person_of(contact), addresses_in_records(target.app, person_of(contact)))),
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")


def erase(target: "Deployment", contact: "Contact", why: str) -> tuple["Contact", Scrubbed]:
    """Erase the contact, then what is kept elsewhere; the mark of who erased it, and what was done.

    Again it goes on where it was stopped.
    """
    if not why.strip():
        raise MisuseError("an erasure needs its reason: --why TEXT")
    app = target.app
    try:
        refuse_if_held(contact)
        at = contact.erased_at if contact.is_erased else app.clock.now().isoformat(timespec="seconds")
        person = ticket.keep(app, person_of(contact, at))
        mark = erase_contact(
            contact, target.who, why, contacts=app.contacts, opt_outs=app.opt_outs, clock=app.clock
        )
    except ErasureForbidden as held_by:
        raise CommandError(f"contact {contact.customer_key}: {held_by}, so nothing is erased") from held_by
    person = ticket.keep(app, with_words(person, addresses_in_records(app, person)))
    done = scrub(target, person)
    if not done.left:
        ticket.drop(app, person)
    return mark, done
