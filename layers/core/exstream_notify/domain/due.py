"""The due index: everything that waits lies under the hour it is due in, and a shard."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

SHARDS = 4

WaitKind = Literal[
    "incident", "expected", "missing", "calendar", "unsealed", "digests", "address", "cover", "channels",
    "portal", "control",
]  # fmt: skip
"""What waits beside notices and runs: an incident to look at, a run that is expected, a domain where one is
missing, the calendar when it cannot be used, a run without a seal, one whose internal teams get a digest,
a change of address, a run that may have made good what another one left out, the look at every team's
channels, a change of preferences that the portal may not have heard of, and a run that may not have been
carried on as its operator wants."""


def slot(item_id: str, due_at: str) -> str:
    """The index slot of an item: its due hour (UTC) and a shard that its id gives."""
    return f"{due_at[:13]}#{int(item_id[-2:], 16) % SHARDS if _is_hex(item_id[-2:]) else 0}"


def slots(since: datetime, until: datetime) -> Iterator[str]:
    """Every slot of the hours from `since` to `until`, oldest first."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        for shard in range(SHARDS):
            yield f"{hour.strftime('%Y-%m-%dT%H')}#{shard}"
        hour += timedelta(hours=1)


def _is_hex(text: str) -> bool:
    return len(text) == 2 and all(c in "0123456789abcdef" for c in text)
