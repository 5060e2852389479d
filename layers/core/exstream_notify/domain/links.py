"""The token of a secure link: which notice, signed; when it expires stands in the ledger."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

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
