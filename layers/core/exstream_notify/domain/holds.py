"""What stands in the way of erasing a customer (GDPR 17(3)(b), (e)): a legal hold."""

from .contacts import Contact


class ErasureForbidden(Exception):
    """A legal hold stands: contact and salt, and with the salt the readable evidence, must stay."""


def refuse_if_held(contact: Contact) -> None:
    """Whoever erases asks this first; ErasureForbidden names the matter."""
    if contact.legal_hold:
        raise ErasureForbidden(f"a legal hold stands: {contact.legal_hold}")
