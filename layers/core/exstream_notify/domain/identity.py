"""Identities that never change: of a notice, of a job, of an address."""

import hashlib
import hmac
from collections.abc import Iterable


def _digest(fields: Iterable[str], size: int) -> str:
    """Hash of fields, each preceded by its length, so that no two lists of fields share an input."""
    hasher = hashlib.blake2b(digest_size=size)
    for value in fields:
        data = value.encode()
        hasher.update(len(data).to_bytes(4, "big"))
        hasher.update(data)
    return hasher.hexdigest()


def notice_id(
    domain: str,
    customer_key: str,
    document_id: str,
    *,
    recipient: str = "",
    document_type: str = "",
    edition: str = "",
    purpose: str = "notice",
    audience: str = "customer",
) -> str:
    """128-bit identity of one notice, 32 hex characters.

    It has no channel and no address in it: a customer whose preference or address changes
    between two drops of the same document is still notified once. `edition` stays empty unless the
    type's rule lets new content notify again, then it is the content's hash; or unless the document
    is known by a file name only, then it also holds what tells two files of one name apart.
    """
    fields = (domain, customer_key, recipient, document_type, document_id, edition, purpose, audience)
    return _digest(fields, 16)


def contact_key(customer_key: str, recipient: str | None) -> str:
    """The key of a contact within its domain: the customer's, with the recipient behind a unit separator.

    The separator is a control character, which no field of a record can hold: two pairs never share a key.
    """
    return f"{customer_key}\x1f{recipient}" if recipient else customer_key


def job_id(run: str, slice_number: int, group: str, members: Iterable[str]) -> str:
    """Identity of a send job from what it is made of: the same members give the same job."""
    return _digest((run, str(slice_number), group, *members), 12)


def address_hash(pepper: bytes, channel: str, canonical: str) -> str:
    """Keyed hash of a canonical address, 32 hex characters: recognises it without keeping it."""
    return hmac.new(pepper, f"{channel}:{canonical}".encode(), hashlib.sha256).hexdigest()[:32]


def mask(value: str) -> str:
    """A personal value as an operator may see it: its last two characters behind dots."""
    return "…" + value[-2:] if len(value) > 4 else "…"
