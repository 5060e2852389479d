"""The reference in outgoing mail: it names an attempt, and proves that we wrote it.

Anybody can send a mail that says that another one bounced (RFC 3464, section 4), and a notice's id can be
computed. So the reference has a MAC under a key of its own, as BATV and VERP have it in a return path: a
mail that brings it back comes from somebody who had the message, or who carried it.

One spelling for header and return path: letters and digits alone, and case does not matter, since mail
systems change it in a local part.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import Final

HEADER: Final = "X-Notice-Id"

LIFE: Final = timedelta(days=14)
"""How long a reference authorizes a report. A mailer gives up after five days at most (RFC 5321, 4.5.4.1);
the rest is for mail that lies in a queue or a mailbox of ours."""

FOUND: Final = 10
"""References of one text that are looked at: a mail may bring back several, or something in front of ours."""

_MARK: Final = "nr"
_MAC_BYTES: Final = 8
_PAYLOAD_BYTES: Final = 19
"""Sixteen of notice id, two of attempt, one of the key's version."""

_CHARACTERS: Final = 44
LENGTH: Final = len(_MARK) + _CHARACTERS
LOCAL_LENGTH: Final = 64 - 1 - LENGTH
"""Characters that a return address may have before its plus sign (RFC 5321, 4.5.3.1.1)."""

_NOTICE: Final = re.compile(r"[0-9a-f]{32}")
_REFERENCE: Final = re.compile(
    # Behind no letter or digit, but for an encoded plus sign, equals sign or space.
    r"nr(?:(?<![a-z0-9]nr)|(?<=%2bnr)|(?<==2bnr)|(?<==20nr))"
    rf"[a-z2-7]{{{_CHARACTERS}}}(?![a-z0-9])"
)


def made(notice_id: str, attempt: int, version: int, key: bytes) -> str:
    """The reference of an attempt under one version of the key; ValueError where it cannot have one."""
    if not _NOTICE.fullmatch(notice_id) or not 0 < attempt < 1 << 16:
        raise ValueError("a reference names a notice, 32 hexadecimal digits, and an attempt of it")
    payload = bytes.fromhex(notice_id) + attempt.to_bytes(2, "big") + bytes([version])
    return _spelled(payload + _mac(payload, key))


def found_in(text: str) -> tuple[str, ...]:
    """What in a text has the form of a reference, as `made` spells it: the first `FOUND`, each once."""
    matches = (match[0] for match in _REFERENCE.finditer(text.lower()))
    return tuple(islice(dict.fromkeys(islice(matches, 10 * FOUND)), FOUND))


def said(raw: str) -> tuple[str, int] | None:
    """The notice id and the attempt that a reference names, whoever made it; None if it has another form."""
    payload = _read(raw)[0]
    return (payload[:16].hex(), int.from_bytes(payload[16:18], "big")) if payload else None


def verified(raw: str, keys: Mapping[int, bytes]) -> tuple[str, int] | None:
    """The same, of a reference that was made under one of the keys, by version; compared in constant time."""
    payload, mac = _read(raw)
    key = keys.get(payload[18]) if payload else None
    genuine = hmac.compare_digest(mac, _mac(payload, key or b"\0" * 32))
    return said(raw) if genuine and key is not None else None


def return_address(address: str, reference: str) -> str:
    """An address with the reference in its local part (VERP); ValueError if that has no room for it."""
    local, at, domain = address.rpartition("@")
    if not at or not 0 < len(local) <= LOCAL_LENGTH:
        raise ValueError(f"a return address has 1 to {LOCAL_LENGTH} characters before its @")
    return f"{local}+{reference}@{domain}"


def _read(raw: str) -> tuple[bytes, bytes]:
    """Payload and MAC; both empty for what `made` would spell otherwise."""
    raw = raw.lower()
    try:
        data = base64.b32decode(raw[len(_MARK) :].upper() + "=" * (-_CHARACTERS % 8))
    except (binascii.Error, ValueError):
        return b"", b""
    # One spelling only: the last character has spare bits.
    if len(data) != _PAYLOAD_BYTES + _MAC_BYTES or _spelled(data) != raw:
        return b"", b""
    return data[:_PAYLOAD_BYTES], data[_PAYLOAD_BYTES:]


def _spelled(data: bytes) -> str:
    return _MARK + base64.b32encode(data).decode().rstrip("=").lower()


def _mac(payload: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"mail reference\0" + payload, hashlib.sha256).digest()[:_MAC_BYTES]
