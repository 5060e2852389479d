"""Secrets Manager, each secret read once per function instance and again after five minutes."""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..domain.links import make_token, read_token
from ..domain.references import made, verified
from .kept import Kept

KEEP = 300.0
"""Seconds."""


class Secret:
    """One secret, fetched when first needed. Its text never leaves this object but by `fields`."""

    def __init__(self, client: Callable[[], Any], name: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._name = name
        self._kept = Kept(self._read, KEEP, now)

    def _read(self) -> Mapping[str, str]:
        fields: dict[str, str] = json.loads(
            self._client().get_secret_value(SecretId=self._name)["SecretString"]
        )
        return fields

    def fields(self) -> Mapping[str, str]:
        """The secret's JSON fields."""
        return self._kept.get()

    def fresh(self) -> Mapping[str, str]:
        """The fields, read anew: for a caller who was refused with those it has."""
        return self._kept.fresh()

    def keys(self) -> tuple[str, dict[str, bytes]]:
        """A key secret: which version is current, and all of them (`{"current": "2", "1": …, "2": …}`)."""
        fields = dict(self.fields())
        current = fields.pop("current")
        return current, {version: text.encode() for version, text in fields.items()}


class Signer:
    """Tokens of links under a key secret: the current version signs, every version that is kept reads."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def sign(self, identity: str, purpose: str = "open") -> str:
        """A token that carries `identity` (32 hex characters) for one purpose."""
        current, keys = self._secret.keys()
        return make_token(identity, int(current), keys[current], purpose)

    def read(self, token: str, purpose: str = "open") -> str | None:
        """What a genuine token of that purpose carries, else None; nothing else is looked up for that."""
        _, keys = self._secret.keys()
        return read_token(token, {int(version): key for version, key in keys.items()}, purpose)


class References:
    """References of attempts in outgoing mail, under a key secret of their own: see `Signer`."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def make(self, ref: str) -> str:
        """The reference of `<notice id>:<attempt>`; empty for a message that does not belong to a notice."""
        notice_id, _, attempt = ref.partition(":")
        if not _NOTICE_ID.fullmatch(notice_id):
            return ""
        current, keys = self._secret.keys()
        return made(notice_id, int(attempt), int(current), keys[current])

    def verify(self, raw: str) -> tuple[str, int] | None:
        """The notice id and the attempt that a reference of ours names, else None."""
        if not raw:
            return None
        _, keys = self._secret.keys()
        return verified(raw, {int(version): key for version, key in keys.items()})


_NOTICE_ID = re.compile(r"[0-9a-f]{32}")
