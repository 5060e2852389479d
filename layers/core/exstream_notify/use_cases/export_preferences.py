"""Export what customers want, and what works, as a reference file for the composer.

Three steps, each a message of its own: start (one message a segment of the table), sort a segment,
merge them all. Segments are sorted outside memory and merged as streams, so memory does not grow with
the number of customers.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from ..domain.contacts import Contact
from ..domain.eligibility import queues_by_type
from ..domain.export import Layout, as_delimited, as_json, parts_of
from ..ports import (
    ContactScan,
    ExportFile,
    ExportQueue,
    ExportStore,
    ExportTask,
    LookQueue,
    RuleBook,
    SuppressedAddresses,
)
from .decide_notices import blocked_addresses, blocked_channels
from .notify_owner import waiting_name

KEPT = 2
"""Exports of a domain that stay: the one that stands, and the one before it, which may just be read."""

BATCH = 500
"""Contacts whose addresses are looked up in the suppression list at once."""


def layout_of(rules: RuleBook, separator: str) -> Layout:
    """The file's columns, from the site's rules."""
    kinds = sorted(rules.types)
    return Layout(
        tuple(rules.of_type(kind) for kind in kinds),
        queues_by_type(rules.queues),
        rules.paper_queue,
        separator,
    )


def start_export(export: str, segments: int, *, queue: ExportQueue) -> int:
    """Queue the sorting of every segment; how many."""
    queue.send_tasks([ExportTask(export, "sort", segments, number) for number in range(segments)])
    return segments


def sort_segment(
    task: ExportTask,
    *,
    contacts: ContactScan,
    suppressions: SuppressedAddresses,
    store: ExportStore,
    queue: ExportQueue,
    looks: LookQueue,
    layout: Layout,
) -> int:
    """Write one segment's rows, sorted; the last one to be done queues the merge. The number of rows.

    A repeat writes the same object again. Two that are done at once both queue the merge, which is
    safe to repeat too. Every change of address that waits is looked at on the way: one that the due index
    does not know (a lost message, an earlier release) goes on within a day.
    """
    found = _looked_after(contacts.scan(task.segment, task.segments), looks)
    rows = store.write_sorted(task, _lines(found, suppressions, layout))
    if len(store.sorted_segments(task.export)) == task.segments:
        queue.send_tasks([ExportTask(task.export, "merge", task.segments)])
    return rows


def _looked_after(contacts: Iterable[Contact], looks: LookQueue) -> Iterator[Contact]:
    for contact in contacts:
        if contact.is_erased:
            continue
        if waiting := [change for change in contact.changing if change.confirmed_at]:
            looks.send_looks([("address", waiting_name(contact, change)) for change in waiting])
        yield contact


def _lines(contacts: Iterable[Contact], suppressions: SuppressedAddresses, layout: Layout) -> Iterator[bytes]:
    batch: list[Contact] = []
    for contact in contacts:
        batch.append(contact)
        if len(batch) == BATCH:
            yield from _batch(batch, suppressions, layout)
            batch = []
    yield from _batch(batch, suppressions, layout)


def _batch(contacts: Sequence[Contact], suppressions: SuppressedAddresses, layout: Layout) -> Iterator[bytes]:
    blocked = blocked_addresses(contacts, suppressions)
    for contact in contacts:
        yield layout.line(contact.domain, layout.row(contact, blocked_channels(contact, blocked)))


@dataclass(slots=True)
class Exported:
    """What a merge came to, by domain: rows, and what changed since the file before."""

    rows: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


def merge_segments(task: ExportTask, *, store: ExportStore, layout: Layout) -> Exported:
    """Merge the sorted segments into one file a domain, with what changed since the last one.

    A domain's control file is written last and names the others with their checksums: until then the
    old export stands, whole. Where nothing changed nothing is written, so it stays byte for byte.
    """
    done = Exported()
    if len(store.sorted_segments(task.export)) < task.segments:
        return done  # an erasure took them: it has a later export made
    streams = [store.read_sorted(task.export, number) for number in range(task.segments)]
    merged = heapq.merge(*streams)
    for domain, lines in groupby(merged, key=lambda line: line.split(b"\x1f", 1)[0].decode()):
        done.rows[domain], done.changes[domain] = _export_domain(task.export, domain, lines, store, layout)
    for domain in store.exported_domains():
        if domain not in done.rows:
            # Everybody of this domain was erased, and its file must not be empty.
            line = layout.line(domain, layout.nobody())
            done.rows[domain], done.changes[domain] = _export_domain(
                task.export, domain, [line], store, layout
            )
    for domain in done.rows:
        store.expire(domain, KEPT)
    return done


_CHANGES = ("added", "changed", "removed")


def _export_domain(
    export: str, domain: str, lines: Iterable[bytes], store: ExportStore, layout: Layout
) -> tuple[int, int]:
    before = store.control(domain)
    if before is not None and str(before["export"]) > export:
        # A later export got here first: ours is out of date.
        return int(str(before["rows"])), 0
    files = {
        name: store.write(domain, export, name)
        for name in ("preferences.json", "preferences.csv", "changes.json", "changes.csv", "rows")
    }
    full = _Table(files["preferences.json"], files["preferences.csv"], layout.columns)
    delta = _Table(files["changes.json"], files["changes.csv"], ("change", *layout.columns))
    counts = dict.fromkeys(_CHANGES, 0)
    try:
        for change, line in _compared(store.rows(domain, before), lines):
            _, _, row, delimited = parts_of(line)
            if change == "removed":
                row, delimited = layout.gone(line)
            else:
                full.add(row, delimited)
                files["rows"].write(line)
            if change:
                counts[change] += 1
                delta.add(
                    b'{"change":"%s",%s' % (change.encode(), row[1:]), change.encode() + b"," + delimited
                )
        if before is not None and not sum(counts.values()) and before["columns"] == list(layout.columns):
            _abort(files.values())
            return full.rows, 0
        if not delta.rows:
            nobody = layout.nobody()
            delta.add(
                as_json({"change": "none", **nobody}).encode(),
                as_delimited(["none", *nobody.values()]).encode(),
            )
        full.end()
        delta.end()
        finished = {name: asdict(file.finish()) for name, file in files.items()}
    except BaseException:
        _abort(files.values())
        raise
    store.put_control(
        domain,
        {
            "schema_version": 1,
            "domain": domain,
            "export": export,
            "since": before["export"] if before else "",
            "rows": full.rows,
            "columns": list(layout.columns),
            "changes": counts,
            "files": finished,
        },
    )
    return full.rows, sum(counts.values())


def _abort(files: Iterable[ExportFile]) -> None:
    for file in files:
        file.abort()


@dataclass(slots=True)
class _Table:
    """A JSON array with a row a line, and the same rows delimited under a heading."""

    json: ExportFile
    delimited: ExportFile
    columns: Sequence[str]
    rows: int = 0

    def add(self, row: bytes, delimited: bytes) -> None:
        if not self.rows:
            self.delimited.write(as_delimited(self.columns).encode() + b"\r\n")
        self.json.write((b",\n" if self.rows else b"[\n") + row)
        self.delimited.write(delimited + b"\r\n")
        self.rows += 1

    def end(self) -> None:
        self.json.write(b"\n]\n")


def _compared(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Both sorted: each new line with what it is to the old ones, and the old ones that are gone."""
    before = iter(old)
    last = next(before, None)
    for line in new:
        key = _key(line)
        while last is not None and _key(last) < key:
            yield "removed", last
            last = next(before, None)
        if last is None or _key(last) > key:
            yield "added", line
        else:
            yield ("" if last == line else "changed"), line
            last = next(before, None)
    while last is not None:
        yield "removed", last
        last = next(before, None)


def _key(line: bytes) -> bytes:
    return line.split(b"\x1f", 2)[1]
