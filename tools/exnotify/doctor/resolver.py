"""DNS through dnspython: the machine's own resolver, or one that is named."""

import os
from collections.abc import Sequence

from ..errors import MisuseError
from .finding import Resolver

RESOLVER_VARIABLE = "EXNOTIFY_RESOLVER"
_SECONDS = 4.0
_AFTER_SILENCE = 0.5
"""How long to wait once a question got no answer: most likely none will."""


def resolver(server: str | None = None) -> Resolver:
    """Asks the resolver at `ADDRESS[:PORT]`; without one that of EXNOTIFY_RESOLVER, else the machine's own.

    A name without records has none; LookupError where no answer comes within four seconds.
    """
    import dns.exception
    import dns.resolver

    server = server or os.environ.get(RESOLVER_VARIABLE)
    try:
        asked = dns.resolver.Resolver(configure=server is None)
        if server:
            asked.nameservers, asked.port = _place(server)
    except (dns.exception.DNSException, ValueError) as error:
        if server:
            raise MisuseError(f"{server!r} is not a resolver: give an IP address, or ADDRESS:PORT") from error
        asked = None
    if asked is not None:
        asked.lifetime = _SECONDS

    def resolve(name: str, kind: str) -> Sequence[str]:
        if asked is None:
            raise LookupError("this machine has no resolver")
        try:
            answer = asked.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.Timeout as error:
            asked.lifetime = _AFTER_SILENCE
            raise LookupError(f"no resolver answers for {name}") from error
        except (dns.exception.DNSException, OSError) as error:
            raise LookupError(f"{name} cannot be looked up: {type(error).__name__}") from error
        return [_text(record) for record in answer]

    return resolve


def _place(server: str) -> tuple[list[str], int]:
    if server.count(":") == 1 or server.startswith("["):
        address, _, port = server.rpartition(":")
        return [address.strip("[]")], int(port)
    return [server], 53


def _text(record: object) -> str:
    strings = getattr(record, "strings", None)
    return b"".join(strings).decode("utf-8", "replace") if strings else str(record)
