"""Evidence sealed with a key of each customer: without the contact's salt nobody can open it."""

import base64
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class EvidenceUnreadable(Exception):
    """The sealed line does not open: the salt is gone (erased), or the line was changed."""


class Sealer:
    """AES-256-GCM under a key derived (HKDF-SHA256, RFC 5869) from a master secret and the salt.

    `masters` gives the master secrets by version and which is current; a sealed text names its own.
    """

    def __init__(
        self, masters: Callable[[], tuple[str, Mapping[str, bytes]]], nonce: Callable[[], bytes]
    ) -> None:
        self._masters = masters
        self._nonce = nonce

    def seal(self, salt: str, ref: str, plain: bytes) -> str:
        """Sealed text, bound to the attempt `ref`."""
        version, masters = self._masters()
        nonce = self._nonce()[:12]
        box = AESGCM(_key(masters[version], salt)).encrypt(nonce, plain, ref.encode())
        return f"{version}.{base64.b64encode(nonce + box).decode()}"

    def open(self, salt: str, ref: str, sealed: str) -> bytes:
        """The plain bytes, or `EvidenceUnreadable`."""
        version, _, text = sealed.partition(".")
        _, masters = self._masters()
        box = base64.b64decode(text)
        try:
            return AESGCM(_key(masters[version], salt)).decrypt(box[:12], box[12:], ref.encode())
        except (InvalidTag, KeyError) as error:
            raise EvidenceUnreadable(f"evidence of {ref} does not open") from error


def _key(master: bytes, salt: str) -> bytes:
    return HKDF(SHA256(), 32, salt.encode(), b"exstream-notify evidence").derive(master)
