"""Identities that never change: of a notice, of a job, of an address."""

import hashlib
import hmac
from collections.abc import Iterable

from .documents import Document, DocumentRule
from .records import content_edition


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


def notice_id_of(document: Document, rule: DocumentRule, audience: str = "customer") -> str:
    """The identity of the notice that tells `audience` of this document.

    The edition is what staging found (domain/records.py), with the content's hash where the rule notifies
    on new content. A test document's is its own: it must not stand in the way of the real one.
    """
    edition = document.edition
    if rule.notify_on_new_content and document.content_sha256:
        content = content_edition(document.content_sha256)
        edition = "\x1f".join(filter(None, (edition.replace(content, ""), content)))
    if document.test_flag:
        edition = "test"
    return notice_id(
        document.domain,
        document.customer_key,
        document.document_id,
        recipient=document.recipient or "",
        document_type=document.document_type,
        edition=edition,
        purpose=rule.purpose,
        audience=audience,
    )


def job_id(run: str, slice_number: int, group: str, members: Iterable[str]) -> str:
    """Identity of a send job from what it is made of: the same members give the same job."""
    return _digest((run, str(slice_number), group, *members), 12)


def address_hash(pepper: bytes, channel: str, canonical: str) -> str:
    """Keyed hash of a canonical address, 32 hex characters: recognises it without keeping it."""
    return hmac.new(pepper, f"{channel}:{canonical}".encode(), hashlib.sha256).hexdigest()[:32]


def mask(value: str) -> str:
    """A personal value as an operator may see it: its last two characters behind dots."""
    return "…" + value[-2:] if len(value) > 4 else "…"
