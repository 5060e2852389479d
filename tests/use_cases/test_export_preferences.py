"""The export's three steps on a store in memory: what is written, counted, given up and told, domain by domain."""

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.contacts import AddressChange, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.due import WaitKind
from exstream_notify.domain.erasure import erased
from exstream_notify.ports import ExportTask, FinishedFile
from exstream_notify.use_cases.export_preferences import (
    Exported,
    layout_of,
    merge_segments,
    sort_segment,
    start_export,
)
from exstream_notify.use_cases.notify_owner import waiting_name
from tests.fakes import FakeClock, FakeSuppressions, a_contact, an_address

RULES = YamlRules()
FILES = ("preferences.json", "preferences.csv", "changes.json", "changes.csv", "rows")


@dataclass
class File:
    """`ExportFile`: there when it is finished."""

    name: str
    data: bytes = b""
    state: str = "open"

    def write(self, data: bytes) -> None:
        self.data += data

    def finish(self) -> FinishedFile:
        self.state = "finished"
        return FinishedFile(self.name, len(self.data), hashlib.sha256(self.data).hexdigest())

    def abort(self) -> None:
        if self.state == "open":
            self.state = "aborted"


@dataclass
class Store:
    """`ExportStore`, `ExportQueue`, `LookQueue` and `ContactScan` in one."""

    contacts: list[Contact] = field(default_factory=list)
    segments: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    controls: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    expired: list[tuple[str, int]] = field(default_factory=list)
    tasks: list[ExportTask] = field(default_factory=list)
    looks: list[list[tuple[WaitKind, str]]] = field(default_factory=list)
    broken: str = ""

    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        self.tasks += tasks

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        self.looks.append(list(looks))

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        yield from self.contacts[segment::segments]

    def write_sorted(self, task: ExportTask, lines: Iterable[bytes]) -> int:
        self.segments[task.export, task.segment] = rows = sorted(lines)
        return len(rows)

    def sorted_segments(self, export: str) -> set[int]:
        return {segment for name, segment in self.segments if name == export}

    def read_sorted(self, export: str, segment: int) -> Iterator[bytes]:
        yield from self.segments[export, segment]

    def write(self, domain: str, export: str, name: str) -> File:
        self.files.append(File(f"{domain}/{export}/{name}"))
        if name == self.broken:
            self.files[-1].write = self.refuse  # type: ignore[method-assign]
        return self.files[-1]

    def refuse(self, data: bytes) -> None:
        raise ConnectionError("refused")

    def control(self, domain: str) -> Mapping[str, object] | None:
        return self.controls.get(domain)

    def put_control(self, domain: str, control: Mapping[str, object]) -> None:
        self.controls[domain] = control

    def rows(self, domain: str, control: Mapping[str, Any] | None) -> Iterator[bytes]:
        if control is not None:
            yield from self.read(control["files"]["rows"]["name"]).splitlines(keepends=True)

    def exported_domains(self) -> Sequence[str]:
        return list(self.controls)

    def expire(self, domain: str, kept: int) -> None:
        self.expired.append((domain, kept))

    # --- what a test asks --------------------------------------------------------------------------

    def read(self, name: str) -> bytes:
        return [f for f in self.files if f.name == name and f.state == "finished"][-1].data

    def states(self, export: str) -> set[str]:
        return {f.state for f in self.files if f"/{export}/" in f.name}

    def table(self, name: str, domain: str = "retail") -> list[dict[str, str]]:
        """A file's rows; JSON and delimited say the same."""
        files = self.controls[domain]["files"]
        found: list[dict[str, str]] = json.loads(self.read(files[f"{name}.json"]["name"]))
        text = self.read(files[f"{name}.csv"]["name"]).decode()
        assert list(csv.DictReader(io.StringIO(text))) == found
        return found


def sort(store: Store, task: ExportTask, suppressions: FakeSuppressions | None = None) -> int:
    return sort_segment(
        task, contacts=store, suppressions=suppressions or FakeSuppressions(), store=store, queue=store,
        looks=store, layout=layout_of(RULES, ","),
    )  # fmt: skip


def export(store: Store, name: str, segments: int = 2) -> Exported:
    """A whole export; what the merge came to."""
    start_export(name, segments, queue=store)
    done = Exported()
    while store.tasks:
        task = store.tasks.pop(0)
        if task.step == "sort":
            sort(store, task)
        else:
            done = merge_segments(task, store=store, layout=layout_of(RULES, ","))
    return done


def test_an_export_begins_with_a_task_for_each_segment() -> None:
    store = Store()
    assert start_export("e1", 3, queue=store) == 3
    assert store.tasks == [ExportTask("e1", "sort", 3, number) for number in range(3)]


def test_the_last_segment_to_be_sorted_has_them_merged() -> None:
    store = Store([a_contact(n) for n in range(1, 6)])
    assert [sort(store, ExportTask("e1", "sort", 2, number)) for number in (1, 0)] == [2, 3]
    assert store.tasks == [ExportTask("e1", "merge", 2)]


def test_a_first_export_counts_every_row_as_added_and_its_control_names_all_files() -> None:
    store = Store([a_contact(2), a_contact(1), a_contact(1, domain="claims")])
    done = export(store, "e1")
    assert (done.rows, done.changes) == ({"claims": 1, "retail": 2}, {"claims": 1, "retail": 2})
    control = store.controls["retail"]
    assert {name: value for name, value in control.items() if name != "files"} == {
        "schema_version": 1,
        "domain": "retail",
        "export": "e1",
        "since": "",
        "rows": 2,
        "columns": list(layout_of(RULES, ",").columns),
        "changes": {"added": 2, "changed": 0, "removed": 0},
    }
    assert {name: row["name"] for name, row in control["files"].items()} == {
        name: f"retail/e1/{name}" for name in FILES
    }
    assert [row["customer_key"] for row in store.table("preferences")] == ["C0001", "C0002"]
    assert {row["change"] for row in store.table("changes")} == {"added"}
    assert sorted(store.expired) == [("claims", 2), ("retail", 2)], "the one before it may just be read"


def test_the_bytes_of_both_forms() -> None:
    store = Store([a_contact(1), a_contact(2)])
    export(store, "e1")
    text = store.read("retail/e1/preferences.json").decode()
    assert text.startswith('[\n{"customer_key":"C0001"')
    assert text.endswith("}\n]\n")
    assert text.count("},\n{") == 1
    changes = store.read("retail/e1/changes.json").decode()
    assert changes.startswith('[\n{"change":"added","customer_key":"C0001"')
    lines = store.read("retail/e1/changes.csv").decode().split("\r\n")
    assert (lines[0][:20], lines[1][:12], lines[3:]) == ("change,customer_key,", "added,C0001,", [""])


STORIES: Mapping[str, tuple[Sequence[int], Sequence[int], Sequence[tuple[str, str]]]] = {
    "one goes in front": ((1, 2), (2,), [("removed", "C0001")]),
    "one goes at the end": ((1, 2), (1,), [("removed", "C0002")]),
    "two go one after the other": ((1, 2, 3), (3,), [("removed", "C0001"), ("removed", "C0002")]),
    "two go at the end": ((1, 2, 3), (1,), [("removed", "C0002"), ("removed", "C0003")]),
    "one comes in front": ((2,), (1, 2), [("added", "C0001")]),
    "one comes at the end": ((1,), (1, 2), [("added", "C0002")]),
    "another takes its place": ((1, 3), (2, 3), [("removed", "C0001"), ("added", "C0002")]),
    "one comes between": ((1, 3), (1, 2, 3), [("added", "C0002")]),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_came_and_went_since_the_export_before(story: str) -> None:
    before, after, changes = STORIES[story]
    store = Store([a_contact(n) for n in before])
    export(store, "e1")
    store.contacts = [a_contact(n) for n in after]
    done = export(store, "e2")
    assert [(row["change"], row["customer_key"]) for row in store.table("changes")] == list(changes)
    assert [row["customer_key"] for row in store.table("preferences")] == [f"C{n:04d}" for n in after]
    assert (done.rows["retail"], done.changes["retail"]) == (len(after), len(changes))
    control = store.controls["retail"]
    assert (control["export"], control["since"], control["rows"]) == ("e2", "e1", len(after))
    counts = {name: [kind for kind, _ in changes].count(name) for name in ("added", "changed", "removed")}
    assert control["changes"] == counts


def test_of_changed_and_unchanged_rows_only_the_changed_are_told() -> None:
    store = Store([a_contact(n) for n in range(1, 5)])
    export(store, "e1")
    store.contacts[1] = a_contact(2, language="fr")
    store.contacts[2] = a_contact(3, language="fr")
    done = export(store, "e2")
    assert [(r["change"], r["customer_key"], r["language"]) for r in store.table("changes")] == [
        ("changed", "C0002", "fr"),
        ("changed", "C0003", "fr"),
    ]
    assert (done.rows, done.changes) == ({"retail": 4}, {"retail": 2})


def test_without_a_change_nothing_is_left_of_the_files_and_the_old_export_stands() -> None:
    store = Store([a_contact(1), a_contact(2)])
    export(store, "e1")
    control = store.controls["retail"]
    done = export(store, "e2")
    assert (done.rows, done.changes) == ({"retail": 2}, {"retail": 0})
    assert store.controls["retail"] is control
    assert store.states("e2") == {"aborted"}


def test_a_new_column_alone_is_an_export_whose_changes_have_one_row_of_nobody() -> None:
    store = Store([a_contact(1)])
    export(store, "e1")
    store.controls["retail"] = {**store.controls["retail"], "columns": ["customer_key"]}
    done = export(store, "e2")
    assert done.changes == {"retail": 0}
    (row,) = store.table("changes")
    assert (row["change"], row["customer_key"], row["known"]) == ("none", "-", "no")
    assert store.controls["retail"]["export"] == "e2"


def test_an_older_export_that_ends_late_says_what_stands_and_writes_nothing() -> None:
    store = Store([a_contact(1), a_contact(2)])
    export(store, "e2")
    store.contacts = []
    done = export(store, "e1")
    assert (done.rows, done.changes) == ({"retail": 2}, {"retail": 0})
    assert store.states("e1") == set()
    store.contacts = [a_contact(3)]
    store.segments.clear()
    assert export(store, "e2").changes == {"retail": 3}, "the same export again is not older"


def test_a_domain_that_nobody_is_in_any_more_keeps_one_row_and_the_others_are_exported() -> None:
    store = Store([a_contact(1), a_contact(1, domain="claims")])
    export(store, "e1")
    store.contacts = [a_contact(1), a_contact(2)]
    done = export(store, "e2")
    assert done.rows == {"retail": 2, "claims": 1}
    assert [row["customer_key"] for row in store.table("preferences", "claims")] == ["-"]
    assert [(r["change"], r["customer_key"]) for r in store.table("changes", "claims")] == [
        ("added", "-"),
        ("removed", "C0001"),
    ]


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_cannot_be_written_leaves_none_of_them(file: str) -> None:
    store = Store([a_contact(1)])
    store.broken = file
    with pytest.raises(ConnectionError):
        export(store, "e1")
    assert store.states("e1") == {"aborted"}
    assert store.controls == {}


def test_a_merge_whose_segments_are_gone_writes_nothing() -> None:
    store = Store([a_contact(1)])
    task = ExportTask("e1", "merge", 2)
    sort(store, ExportTask("e1", "sort", 2, 0))
    assert merge_segments(task, store=store, layout=layout_of(RULES, ",")) == Exported()
    assert (store.files, store.expired) == ([], [])


def test_of_whom_waits_for_an_address_each_is_looked_at_and_who_was_erased_is_left_out() -> None:
    change = AddressChange(
        *("c1", "email", an_address("new@example.com"), "", "2026-11-24T01", "2026-11-24T02", "page")
    )
    one = replace(change, confirmed_at="2026-11-24T01:10:00+00:00")
    other = replace(one, change_id="c2", channel="sms")
    waiting = a_contact(3, changing=(change, one, other))
    gone = erased(a_contact(1), "ann", "asked", FakeClock().now())
    store = Store([gone, a_contact(2, changing=(change,)), waiting, a_contact(4)])
    assert sort(store, ExportTask("e1", "sort", 1, 0)) == 3
    assert store.looks == [
        [("address", waiting_name(waiting, one)), ("address", waiting_name(waiting, other))]
    ]


class Counted(FakeSuppressions):
    """Keeps how many addresses each look-up was about."""

    def __init__(self) -> None:
        super().__init__(("email", "c0501@example.com"))
        self.asked: list[int] = []

    def suppressed(self, addresses: Collection[tuple[Channel, str]]) -> set[tuple[Channel, str]]:
        self.asked.append(len(addresses))
        return super().suppressed(addresses)


def test_addresses_are_looked_up_for_five_hundred_contacts_at_once() -> None:
    contacts = [a_contact(n, mobile=None) for n in range(1, 1003)]
    store, suppressions = Store(contacts), Counted()
    assert sort(store, ExportTask("e1", "sort", 1, 0), suppressions) == 1002
    assert [n for n in suppressions.asked if n] == [500, 500, 2]
    lines = store.segments["e1", 0]
    assert [b"C0501" in line for line in lines if b'"suppressed"' in line] == [True]


def test_the_columns_come_from_the_sites_types_in_the_order_of_their_names() -> None:
    layout = layout_of(RULES, ";")
    assert [rule.name for rule in layout.rules] == sorted(RULES.types)
    assert (layout.separator, layout.paper_queue) == (";", RULES.paper_queue)
    assert layout.queues
