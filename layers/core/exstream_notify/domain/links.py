"""Secure links: the token says which notice, signed; what the link leads to stands in the ledger."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .documents import Document, DocumentRule
from .notices import Notice
from .second_step import Step

PLACES = (
    "document_id",
    "reference",
    "archive_ref",
    "document_type",
    "case_id",
    "domain",
    "language",
    "notice_id",
)
"""What a portal's address may name. Never the customer's key: addresses are kept in many a log."""

INCIDENT = "incident"
"""The purpose of the link by which a team answers an incident."""

_MAC_BYTES = 5  # 40 bits: online guessing at 100 a second takes centuries, and SMS pay by character


def make_token(notice_id: str, key_id: int, key: bytes, purpose: str = "open") -> str:
    """30 URL-safe characters: 16 bytes of notice id, the key's id, a truncated MAC over purpose and id."""
    payload = bytes.fromhex(notice_id) + bytes([key_id])
    return base64.urlsafe_b64encode(payload + _mac(payload, key, purpose)).decode().rstrip("=")


def read_token(token: str, keys: Mapping[int, bytes], purpose: str = "open") -> str | None:
    """The notice id of a genuine token, else None; compared in constant time."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    # One spelling only: base64 has spare bits at the end and takes other characters for two of its own.
    if len(raw) != 17 + _MAC_BYTES or base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        return None
    payload, mac = raw[:17], raw[17:]
    key = keys.get(payload[16])
    genuine = hmac.compare_digest(mac, _mac(payload, key or b"\0" * 32, purpose))
    return payload[:16].hex() if genuine and key is not None else None


def _mac(payload: bytes, key: bytes, purpose: str) -> bytes:
    return hmac.new(key, purpose.encode() + b"\0" + payload, hashlib.sha256).digest()[:_MAC_BYTES]


class LinkState(StrEnum):
    """What a link leads to; each is a page of its own."""

    READY = "ready"
    ASKS = "asks"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    LOCKED = "locked"
    MISSING = "missing"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Look:
    """What a link leads to just now. `languages` are the customer's, the best first; `leads_to` is where
    one that was opened goes on; `salt` is the contact's, for the way to its preferences."""

    state: LinkState
    notice: Notice | None = None
    document: Document | None = None
    rule: DocumentRule | None = None
    languages: tuple[str | None, ...] = ()
    step: Step | None = None
    leads_to: str = ""
    salt: str = field(default="", repr=False)
