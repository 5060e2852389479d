"""An operator's word that a customer is, or is not, to be asked for money."""

from typing import TYPE_CHECKING

from exstream_notify.domain.debt import BY_OPERATOR, moment
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.use_cases.hold_collection import HoldPorts, dun_again, hold_collection

from .errors import CommandError, MisuseError
from .notices import domains_of
from .screen import remark

if TYPE_CHECKING:
    from exstream_notify.domain.contacts import Contact

    from .deployment import Deployment

HANDLE = "handle:"
"""How the key of a contact that an incident names begins."""


def control_dunning(target: "Deployment", key: str, domain: str | None, why: str, *, hold: bool) -> None:
    """Hold the collection of a customer, or lift the hold; it is for all recipients of the account."""
    app = target.app
    where, customer_key = _customer(target, key, domain)
    ports, who = HoldPorts(**app.hold_ports), f"operator {target.who}"
    if not hold:
        if not dun_again(where, customer_key, who, why, ports):
            raise CommandError("no hold stands: the customer may be asked for money")
        remark(
            "lifted: new documents are notified again; "
            "`exnotify journeys resume --customer KEY --why TEXT` lets stopped journeys go on"
        )
        return
    word = DebtHold((BY_OPERATOR,), moment(app.clock.now()), who, why)
    news = hold_collection(where, customer_key, word, ports)
    remark("held: the customer is asked for no money" if news else "nothing to change: a hold stands already")


def account_of(target: "Deployment", contact: "Contact") -> "Contact":
    """The contact that the hold of this one's account stands on."""
    if not contact.recipient:
        return contact
    found = target.app.contacts.get(contact.domain, [contact.customer_key])
    return found.get(contact.customer_key, contact)


def _customer(target: "Deployment", key: str, domain: str | None) -> tuple[str, str]:
    if key.startswith(HANDLE):
        contact = target.app.contacts.by_handle(key.removeprefix(HANDLE))
        if contact is None:
            raise CommandError(f"no contact {key}: was the customer erased?")
        return contact.domain, contact.customer_key
    domains = domains_of(target, key, domain)
    if len(domains) != 1:
        raise MisuseError(
            f"{', '.join(domains) or 'no domain'} knows a customer {key}: say which with --domain"
        )
    return domains[0], key
