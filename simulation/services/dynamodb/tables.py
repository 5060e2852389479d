"""A table: its items with their last past, so that reads may be late, as DynamoDB's are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from zlib import crc32

from exnotify.cloud.dynamodb.schema import Index, Key, Table
from exnotify.cloud.dynamodb.values import Item

from ...nature import Nature

STALE = 3.0
"""Seconds by which an eventually consistent read is late at most."""
LAG = 10.0
"""Seconds after which an index has a write at the latest."""
OVERDUE = 4 * 86_400.0
"""Seconds by which DynamoDB deletes an expired item late at most: "within a few days" of its expiry."""
_TOO_OLD = 5 * 365 * 86_400.0
"""Seconds after which an expiry counts as a mistake: such an item is kept ("Using time to live")."""


@dataclass(slots=True)
class Version:
    """What an item was from a moment on; None for one that is not there."""

    since: float
    item: Item | None
    size: int = 0
    seen: dict[str, float] | None = None
    """By index: when it is seen there; None if at once."""

    def settled(self) -> float:
        """From when on everything shows it."""
        return max(self.since, *self.seen.values()) if self.seen else self.since

    def seen_in(self, index: str) -> float:
        """From when on an index shows it."""
        return self.seen[index] if self.seen else self.since


NOTHING = Version(-inf, None)
"""What there is where nothing ever was."""


class Row:
    """One key's versions, oldest first, as far as a read may still show them."""

    __slots__ = ("drawn", "expires", "key", "spread", "transacted", "versions")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.spread = spread(key)
        self.versions: list[Version] = []
        self.expires = inf
        """When its last version is deleted, once that is `drawn`; before, when it expires."""
        self.drawn = False
        self.transacted = False
        """Whether it was ever part of a transaction."""

    def at(self, moment: float) -> Version | None:
        """The version of a moment."""
        for version in reversed(self.versions):
            if version.since <= moment:
                return version
        return None

    def indexed(self, index: str, moment: float) -> Version | None:
        """The version that an index shows at a moment."""
        for version in reversed(self.versions):
            if version.seen_in(index) <= moment:
                return version
        return None


class Store:
    """The items of one table."""

    def __init__(self, table: Table, nature: Nature) -> None:
        self.table = table
        self._nature = nature
        self._rows: dict[Key, Row] = {}
        self._ranges: dict[str, list[str]] = {}
        self._buckets: dict[str, dict[str, dict[Key, Row]]] = {index.name: {} for index in table.indexes}
        self._indexes = [(self._buckets[one.name], one.hash_key, one.range_key) for one in table.indexes]
        self._deleted: deque[tuple[float, Key]] = deque()
        self._order: list[tuple[int, Key]] | None = None

    def key(self, item: Item) -> Key:
        """An item's key."""
        table = self.table
        return item[table.hash_key]["S"], item[table.range_key]["S"] if table.range_key else ""

    def row(self, key: Key) -> Row | None:
        """A key's versions; what has expired and was not found late is deleted now."""
        row = self._rows.get(key)
        if row is not None and row.expires <= self._nature.timeline.now:
            self._expire(row)
        return row

    def current(self, key: Key) -> Version:
        """An item as it is."""
        row = self.row(key)
        return row.versions[-1] if row is not None else NOTHING

    def write(self, key: Key, item: Item | None, size: int, transacted: bool = False) -> None:
        """Store an item, which is never changed from now on; None deletes it."""
        now = self._nature.timeline.now
        self._bury(now)
        row = self._rows.get(key)
        if row is None:
            if item is None:
                return
            row = self._rows[key] = Row(key)
            self._order = None
            if self.table.range_key:
                insort(self._ranges.setdefault(key[0], []), key[1])
        row.transacted |= transacted
        self._append(row, Version(now, item, size, self._propagation(row, now)))
        row.expires, row.drawn = self._expiry(item), False
        if item is not None:
            for bucket, hash_key, range_key in self._indexes:
                if hash_key in item and (range_key is None or range_key in item):
                    bucket.setdefault(item[hash_key]["S"], {})[key] = row

    def mark(self, key: Key) -> None:
        """A transaction checked an item."""
        if (row := self._rows.get(key)) is not None:
            row.transacted = True

    def _append(self, row: Row, version: Version) -> None:
        versions = row.versions
        versions.append(version)
        horizon = self._nature.timeline.now - STALE
        while len(versions) > 1 and versions[1].settled() <= horizon:
            del versions[0]
        if version.item is None:
            self._deleted.append((self._nature.timeline.now, row.key))

    def _propagation(self, row: Row, now: float) -> dict[str, float] | None:
        """When each index shows a write of now; None if at once. A later write may overtake it."""
        indexes, chance = self.table.indexes, self._nature.chance
        if not (indexes and chance.rates.get("dynamodb_index_lag")):
            return None
        name = f"{self._nature.place} {self.table.name} {'/'.join(row.key)}"
        if not chance.happens("dynamodb_index_lag", name):
            return None
        return {one.name: now + chance.uniform(f"lag {one.name} {name}", 0.0, LAG) for one in indexes}

    def _bury(self, now: float) -> None:
        """Forget what was deleted so long ago that nothing shows it any more."""
        while self._deleted and self._deleted[0][0] < now - STALE - LAG:
            _, key = self._deleted.popleft()
            row = self._rows.get(key)
            if row is None or row.versions[-1].item is not None:
                continue
            if row.versions[-1].settled() >= now - STALE:
                self._deleted.append((now, key))
                continue
            del self._rows[key]
            self._order = None
            if self.table.range_key:
                ranges = self._ranges[key[0]]
                del ranges[bisect_left(ranges, key[1])]

    # ---- time to live ----

    def _expiry(self, item: Item | None) -> float:
        if item is None or self.table.ttl is None:
            return inf
        value = item.get(self.table.ttl, {})
        return float(value["N"]) if "N" in value else inf

    def _expire(self, row: Row) -> None:
        now = self._nature.timeline.now
        if not row.drawn:
            if row.expires < now - _TOO_OLD:
                row.expires = inf
                return
            row.drawn = True
            name = f"{self.table.name} {'/'.join(row.key)} {row.expires:.0f}"
            if self._nature.chance.happens("dynamodb_ttl_late", name):
                row.expires += self._nature.chance.uniform(f"ttl {name}", 0.0, OVERDUE)
                if row.expires > now:
                    return
        since = max(row.expires, row.versions[-1].settled())
        row.expires = inf
        self._append(row, Version(since, None))

    # ---- reads of many ----

    def partition(self, hash_key: str, low: str, high: str | None) -> Iterator[Row]:
        """The rows of a partition with a range key from `low` to `high`, both included; by range key."""
        if not self.table.range_key:
            rows: Sequence[Key] = [(hash_key, "")]
        else:
            ranges = self._ranges.get(hash_key, [])
            end = len(ranges) if high is None else bisect_right(ranges, high)
            rows = [(hash_key, one) for one in ranges[bisect_left(ranges, low) : end]]
        for key in rows:
            if (row := self.row(key)) is not None:
                yield row

    def bucket(self, index: Index, value: str, moment: float) -> list[tuple[str, int, Key, Version]]:
        """What an index shows under a hash key at a moment, in order: range key, `spread`, key, version."""
        rows = self._buckets[index.name].get(value, {})
        found = []
        now = self._nature.timeline.now
        for key, row in list(rows.items()):
            if row.expires <= now:
                self._expire(row)
            version = row.indexed(index.name, moment)
            item = version.item if version else None
            if version and item and _under(item, index, value):
                sort = item[index.range_key]["S"] if index.range_key else ""
                found.append((sort, row.spread, key, version))
            elif not any(one.item and _under(one.item, index, value) for one in row.versions):
                del rows[key]
        found.sort(key=lambda one: one[:3])
        return found

    def slots(self, index: str) -> list[str]:
        """The hash keys under which an index has items, or had some lately."""
        return list(self._buckets[index])

    def newest(self, index: str, slot: str) -> list[Item]:
        """Items that lie under an index's hash key, or did lately, as they are: for the simulator's clock."""
        rows = self._buckets[index].get(slot, {})
        return [item for row in rows.values() if (item := row.versions[-1].item)]

    def scan(self, segment: int, segments: int) -> Iterator[tuple[tuple[int, Key], Row]]:
        """All rows of a segment, by where they lie."""
        if self._order is None:
            self._order = sorted((crc32(key[0].encode()), key) for key in self._rows)
        for place in self._order:
            if place[0] * segments >> 32 == segment and (row := self.row(place[1])) is not None:
                yield place, row

    def size(self) -> int:
        """How many items there are, expired ones that are not yet deleted included."""
        return sum(row.versions[-1].item is not None for row in self._rows.values())

    def contents(self) -> dict[Key, Item]:
        """All items as they are, for a checker: not copies."""
        return {key: item for key in list(self._rows) if (item := self.current(key).item) is not None}


def _under(item: Item, index: Index, value: str) -> bool:
    if index.range_key and index.range_key not in item:
        return False
    return index.hash_key in item and item[index.hash_key]["S"] == value


def spread(key: Key) -> int:
    """Where an item lies among those of equal keys: an order that means nothing."""
    return crc32("/".join(key).encode())
