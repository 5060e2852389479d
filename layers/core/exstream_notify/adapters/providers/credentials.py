"""Credentials as adapters hold them: fetched late, kept in memory, never shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name (user, or OAuth2 client id) and its secret."""

    name: str
    secret: str = field(repr=False)


CredentialsSource: TypeAlias = Callable[[], Credentials]
"""Reads the credentials anew at each call (from Secrets Manager); whatever it raises means that nothing
was sent."""
