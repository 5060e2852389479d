"""Query and Scan: pages of items in order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from zlib import crc32

from exnotify.cloud.dynamodb.queries import Page, QueryAsked, query_of, scan_of
from exnotify.cloud.dynamodb.schema import Index
from exnotify.cloud.dynamodb.values import Item, copied, item_bytes

from .tables import Store, Version, spread

PAGE_BYTES = 1024 * 1024

Entry: TypeAlias = tuple[Item, int]
"""An item as the table or index has it, and its bytes."""

_LAST = "\U0010ffff"


def query(store: Store, request: Mapping[str, Any], moment: float) -> dict[str, Any]:
    """One page of a query, as of a moment."""
    asked = query_of(store.table, request)
    forward = request.get("ScanIndexForward", True)
    if asked.index is not None:
        found = _of_index(store, asked.index, asked, moment, forward)
        return _answer(asked.page, found, _held(store, asked.index))
    part, wanted = asked.part, _wanted(asked)
    low, high = _bounds(part.sign, *asked.texts) if part else ("", None)
    rows = store.partition(asked.hash_key, low, high)
    if asked.page.start is not None:
        after = store.key(asked.page.start)[1]
        rows = (row for row in rows if (row.key[1] > after if forward else row.key[1] < after))
    rows = (row for row in rows if wanted(row.key[1]))
    versions = (row.at(moment) for row in (rows if forward else reversed(list(rows))))
    return _answer(asked.page, _there(versions), store.table.keys)


def scan(store: Store, request: Mapping[str, Any], moment: float) -> dict[str, Any]:
    """One page of a scan, as of a moment."""
    asked = scan_of(store.table, request)
    rows = store.scan(asked.segment, asked.segments)
    if asked.page.start is not None:
        after = store.key(asked.page.start)
        place = (crc32(after[0].encode()), after)
        rows = (row for row in rows if row[0] > place)
    return _answer(asked.page, _there(row.at(moment) for _, row in rows), store.table.keys)


def _there(versions: Iterable[Version | None]) -> Iterator[Entry]:
    for version in versions:
        if version is not None and version.item is not None:
            yield version.item, version.size


def _answer(page: Page, entries: Iterable[Entry], keys: Iterable[str]) -> dict[str, Any]:
    """The page: up to 1 MB, or the limit, of what is read; what the filter lets through is shown."""
    shown: list[Item] = []
    scanned = total = 0
    last: Item | None = None
    for item, size in entries:
        scanned += 1
        total += size
        if page.filter is None or page.filter.test(item, page.values):
            shown.append(page.projection.of(item) if page.projection else item)
        if scanned == page.limit or total >= PAGE_BYTES:
            last = {name: item[name] for name in keys}
            break
    answer = {"Items": shown, "Count": len(shown), "ScannedCount": scanned}
    if last is not None:
        answer["LastEvaluatedKey"] = last
    copy: dict[str, Any] = copied(answer)
    return copy


def _wanted(asked: QueryAsked) -> Callable[[str], bool]:
    """Which range keys are wanted."""
    if asked.part is None:
        return lambda sort: True
    sign, texts = asked.part.sign, asked.texts
    first = texts[0]
    if sign == "begins_with":
        return lambda sort: sort.startswith(first)
    if sign == "BETWEEN":
        last = texts[1]
        return lambda sort: first <= sort <= last
    return {
        "=": lambda sort: sort == first,
        "<": lambda sort: sort < first,
        "<=": lambda sort: sort <= first,
        ">": lambda sort: sort > first,
        ">=": lambda sort: sort >= first,
    }[sign]


def _bounds(sign: str, *texts: str) -> tuple[str, str | None]:
    """Range keys between which all lie that are wanted."""
    first, last = texts[0], texts[-1]
    if sign == "begins_with":
        return first, first + _LAST
    if sign in ("<", "<="):
        return "", last
    return first, None if sign in (">", ">=") else last


def _of_index(store: Store, index: Index, asked: QueryAsked, moment: float, forward: bool) -> Iterator[Entry]:
    found = store.bucket(index, asked.hash_key, moment)
    start = asked.page.start
    if start is not None:
        key = store.key(start)
        after = (start[index.range_key]["S"] if index.range_key else "", spread(key), key)
        found = [one for one in found if (one[:3] > after if forward else one[:3] < after)]
    held, wanted = _held(store, index), _wanted(asked)
    for sort, _, _, version in found if forward else reversed(found):
        item = version.item
        if item is None or not wanted(sort):
            continue
        if index.whole:
            yield item, version.size
        else:
            shown = {name: item[name] for name in held}
            yield shown, item_bytes(shown)


def _held(store: Store, index: Index) -> tuple[str, ...]:
    """The keys that an index holds: its own, and the table's."""
    return (*index.keys, *(name for name in store.table.keys if name not in index.keys))
