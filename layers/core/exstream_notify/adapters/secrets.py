"""Secrets Manager, each secret read once per function instance and again after five minutes."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

KEEP = 300.0


class Secret:
    """One secret, fetched when first needed. Its text never leaves this object but by `fields`."""

    def __init__(
        self, client: Callable[[], Any], name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._fields: dict[str, str] = {}
        self._until = 0.0

    def fields(self) -> Mapping[str, str]:
        """The secret's JSON fields."""
        if self._clock() >= self._until:
            text = self._client().get_secret_value(SecretId=self._name)["SecretString"]
            self._fields = json.loads(text)
            self._until = self._clock() + KEEP
        return self._fields

    def fresh(self) -> Mapping[str, str]:
        """The fields, read anew: for a caller who was refused with those it has."""
        self._until = 0.0
        return self.fields()

    def keys(self) -> tuple[str, dict[str, bytes]]:
        """A key secret: which version is current, and all of them (`{"current": "2", "1": …, "2": …}`)."""
        fields = dict(self.fields())
        current = fields.pop("current")
        return current, {version: text.encode() for version, text in fields.items()}
