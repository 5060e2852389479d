"""The exported files on S3: whole or not at all, the same bytes for the same preferences, never empty."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from exstream_notify.adapters.exports import PART, S3Exports, Upload, external_sort
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.contacts import AddressChange, Consent, Contact
from exstream_notify.domain.due import WaitKind
from exstream_notify.domain.erasure import erased
from exstream_notify.domain.export import NOBODY, as_delimited, as_json
from exstream_notify.ports import ExportTask
from exstream_notify.use_cases.export_preferences import (
    layout_of,
    merge_segments,
    sort_segment,
    start_export,
)
from exstream_notify.use_cases.notify_owner import waiting_name
from tests.fakes import FakeSuppressions
from tests.fakes.examples import a_contact, an_address

WORK, BUCKET = "work", "export"
RULES = YamlRules()


@dataclass
class Tasks:
    """`ExportQueue`, as a list."""

    sent: list[ExportTask] = field(default_factory=list)

    def send_tasks(self, tasks: Sequence[ExportTask]) -> None:
        self.sent += tasks


@dataclass
class Looks:
    """`LookQueue`, as a list."""

    sent: list[tuple[WaitKind, str]] = field(default_factory=list)

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        self.sent += looks


@dataclass
class Table:
    """`ContactScan`: a contact lies in the segment that its key's hash says."""

    contacts: dict[str, Contact] = field(default_factory=dict)

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Contact]:
        for key, contact in self.contacts.items():
            if int(hashlib.sha256(key.encode()).hexdigest(), 16) % segments == segment:
                yield contact

    def put(self, *contacts: Contact) -> None:
        self.contacts |= {f"{c.domain}#{c.customer_key}": c for c in contacts}


class Exporter:
    """The three steps of an export, on S3."""

    def __init__(self) -> None:
        self.client = boto3.client("s3", region_name="us-east-1")
        for bucket in (WORK, BUCKET):
            self.client.create_bucket(Bucket=bucket)
        self.store = S3Exports(self.client, WORK, BUCKET)
        self.table = Table()
        self.suppressions = FakeSuppressions()
        self.looks = Looks()
        self.layout = layout_of(RULES, ",")

    def export(self, name: str, segments: int = 3, store: Any = None) -> None:
        """As the function does with each message of its queue."""
        queue = Tasks()
        start_export(name, segments, queue=queue)
        while queue.sent:
            task = queue.sent.pop(0)
            if task.step == "merge":
                merge_segments(task, store=store or self.store, layout=self.layout)
            else:
                sort_segment(
                    task, contacts=self.table, suppressions=self.suppressions, store=self.store,
                    queue=queue, looks=self.looks, layout=self.layout,
                )  # fmt: skip

    def objects(self) -> dict[str, bytes]:
        """All that lies in the export bucket."""
        rows = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {
            row["Key"]: self.client.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read() for row in rows
        }

    def file(self, name: str, domain: str = "retail") -> bytes:
        """A file as the control names it; its checksum, size and name are what the control says."""
        control: Any = self.store.control(domain)
        told = control["files"][name]
        data: bytes = self.client.get_object(Bucket=BUCKET, Key=told["name"])["Body"].read()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (told["sha256"], told["bytes"])
        return data

    def rows(self, name: str = "preferences", domain: str = "retail") -> list[dict[str, str]]:
        """The rows of a file; JSON and delimited say the same."""
        found: list[dict[str, str]] = json.loads(self.file(f"{name}.json", domain))
        assert list(csv.DictReader(io.StringIO(self.file(f"{name}.csv", domain).decode()))) == found
        return found

    def open_uploads(self) -> list[Any]:
        return list(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Exporter()


def test_the_same_preferences_are_the_same_bytes_and_nothing_is_written(exporter: Exporter) -> None:
    exporter.table.put(*(a_contact(n) for n in range(20)))
    exporter.export("2026-11-24T02")
    before = exporter.objects()
    # Read in another order, in other segments, touched without a change of wishes.
    exporter.table.contacts = {
        key: replace(contact, version=9, changed_at="2026-11-25")
        for key, contact in reversed(exporter.table.contacts.items())
    }
    exporter.export("2026-11-25T02", segments=5)

    assert exporter.objects() == before


def test_the_bytes_of_a_file(exporter: Exporter) -> None:
    exporter.table.put(
        a_contact(
            2, language="fr", consent=Consent(True, "electronic delivery", "2", "2026-01-01", 'Büro "A", B')
        ),
        a_contact(1, mobile=None, opt_outs={"statements": ("email",)}, paper_required=True),
    )
    exporter.export("2026-11-24T02")
    data = exporter.file("preferences.json").decode()

    first, second = data.removeprefix("[\n").removesuffix("\n]\n").split(",\n")
    assert first == json.dumps(json.loads(first), ensure_ascii=False, separators=(",", ":"))
    assert '"consent_source":"Büro \\"A\\", B"' in second
    lines = exporter.file("preferences.csv").decode().split("\r\n")
    assert lines[0].startswith("customer_key,known,language,time_zone,country,email_status,mobile_status")
    assert lines[1].startswith("C0001,yes,,America/New_York,,ok,none,,statements/email,,,yes,")
    assert '"Büro ""A"", B"' in lines[2]
    assert lines[3:] == [""]


def test_changes_since_are_added_changed_and_removed(exporter: Exporter) -> None:
    exporter.table.put(*(a_contact(n) for n in range(1, 5)))
    exporter.export("2026-11-24T02")
    assert {row["change"] for row in exporter.rows("changes")} == {"added"}
    del exporter.table.contacts["retail#C0002"]
    exporter.table.put(a_contact(3, language="es"), a_contact(9))
    exporter.export("2026-11-25T02")

    found = [(row["change"], row["customer_key"], row["language"]) for row in exporter.rows("changes")]
    assert found == [("removed", "C0002", ""), ("changed", "C0003", "es"), ("added", "C0009", "")]
    assert [row["customer_key"] for row in exporter.rows()] == ["C0001", "C0003", "C0004", "C0009"]
    control: Any = exporter.store.control("retail")
    assert (control["changes"], control["rows"], control["since"]) == (
        {"added": 1, "changed": 1, "removed": 1}, 4, "2026-11-24T02",
    )  # fmt: skip


def test_a_suppressed_address_is_a_change_that_the_file_tells(exporter: Exporter) -> None:
    exporter.table.put(a_contact(1))
    exporter.export("2026-11-24T02")
    assert exporter.rows()[0]["channel_statement"] == "email"
    exporter.suppressions.addresses.add(("email", "c0001@example.com"))
    exporter.export("2026-11-25T02")
    (row,) = exporter.rows("changes")
    assert (row["email_status"], row["channel_statement"]) == ("suppressed", "sms")


def test_a_domain_whose_last_customer_was_erased_has_one_row_of_nobody_and_keeps_it(
    exporter: Exporter,
) -> None:
    exporter.table.put(a_contact(1), a_contact(1, domain="claims"))
    exporter.export("2026-11-24T02")
    exporter.table.put(
        erased(a_contact(1, domain="claims"), "ann", "asked", datetime(2026, 11, 24, tzinfo=UTC))
    )
    exporter.export("2026-11-25T02")

    (row,) = exporter.rows(domain="claims")
    assert (row["customer_key"], row["known"]) == (NOBODY, "no")
    assert [r["change"] for r in exporter.rows("changes", "claims")] == ["added", "removed"]
    assert [r["customer_key"] for r in exporter.rows()] == ["C0001"]
    before = exporter.objects()
    exporter.export("2026-11-26T02")
    assert exporter.objects() == before
    exporter.table.put(a_contact(7, domain="claims"))
    exporter.export("2026-11-27T02")
    assert [r["customer_key"] for r in exporter.rows(domain="claims")] == ["C0007"]


def test_a_change_of_columns_alone_still_leaves_a_file_of_changes_that_is_not_empty(
    exporter: Exporter,
) -> None:
    exporter.table.put(a_contact(1))
    exporter.export("2026-11-24T02")
    control = {**(exporter.store.control("retail") or {}), "columns": ["customer_key"]}
    exporter.store.put_control("retail", control)
    exporter.export("2026-11-25T02")
    assert [row["change"] for row in exporter.rows("changes")] == ["none"]
    assert len(exporter.rows()) == 1


class Broken(S3Exports):
    """Breaks in the middle of reading the segments."""

    def read_sorted(self, export: str, segment: int) -> Iterator[bytes]:
        for number, line in enumerate(super().read_sorted(export, segment)):
            if number == 3:
                raise ConnectionError
            yield line


class Closed:
    """An S3 client that refuses one operation."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client = client
        self._operation = operation

    def __getattr__(self, name: str) -> Any:
        def refuse(**_: Any) -> None:
            raise ConnectionError

        return refuse if name == self._operation else getattr(self._client, name)


@pytest.mark.parametrize("broken", ["segments", "put_object"])
def test_an_export_that_breaks_off_leaves_the_old_one_whole(exporter: Exporter, broken: str) -> None:
    exporter.table.put(*(a_contact(n) for n in range(40)))
    exporter.export("2026-11-24T02")
    before = exporter.objects()
    exporter.table.put(*(a_contact(n, language="es") for n in range(40)))
    store = (
        Broken(exporter.client, WORK, BUCKET)
        if broken == "segments"
        else S3Exports(Closed(exporter.client, "put_object"), WORK, BUCKET)
    )
    with pytest.raises(ConnectionError):
        exporter.export("2026-11-25T02", store=store)

    assert exporter.objects() == before
    exporter.export("2026-11-25T02")
    assert {row["language"] for row in exporter.rows()} == {"es"}


def test_a_large_file_appears_whole_or_leaves_no_parts_behind(exporter: Exporter) -> None:
    piece = b"0123456789abcdef" * 4096
    whole = piece * (PART // len(piece) + 3)
    upload = Upload(exporter.client, BUCKET, "large.csv")
    for _ in range(len(whole) // len(piece)):
        upload.write(piece)
        assert "large.csv" not in [
            o["Key"] for o in exporter.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        ]
    done = upload.finish()
    assert exporter.client.get_object(Bucket=BUCKET, Key="large.csv")["Body"].read() == whole
    assert (done.bytes, done.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    upload.abort()  # too late, and no error
    assert exporter.client.head_object(Bucket=BUCKET, Key="large.csv")["ContentLength"] == len(whole)

    gone = Upload(exporter.client, BUCKET, "gone.csv")
    gone.write(whole)
    assert exporter.open_uploads()
    gone.abort()
    assert exporter.open_uploads() == []
    with pytest.raises(exporter.client.exceptions.NoSuchKey):
        exporter.client.get_object(Bucket=BUCKET, Key="gone.csv")


def test_an_older_export_that_ends_late_replaces_nothing(exporter: Exporter) -> None:
    exporter.table.put(a_contact(1))
    exporter.export("2026-11-25T02")
    before = exporter.objects()
    exporter.table.put(a_contact(1, language="de"))
    exporter.export("2026-11-24T02")
    assert exporter.objects() == before


def test_the_segment_that_is_done_last_queues_the_merge_and_a_repeat_changes_nothing(
    exporter: Exporter,
) -> None:
    exporter.table.put(*(a_contact(n) for n in range(12)))

    def sort(number: int) -> list[ExportTask]:
        queue = Tasks()
        task = ExportTask("2026-11-25T02", "sort", 3, number)
        sort_segment(
            task, contacts=exporter.table, suppressions=exporter.suppressions, store=exporter.store,
            queue=queue, looks=exporter.looks, layout=exporter.layout,
        )  # fmt: skip
        return queue.sent

    merge = [ExportTask("2026-11-25T02", "merge", 3)]
    assert [sort(number) for number in (2, 2, 0, 1, 0)] == [[], [], [], merge, merge]
    for _ in range(2):
        merge_segments(merge[0], store=exporter.store, layout=exporter.layout)
        assert len(exporter.rows()) == 12


def test_changes_of_address_that_wait_are_looked_at_on_the_way(exporter: Exporter) -> None:
    """Whoever lost their place in the due index, or comes from a release that had none for them, goes on."""
    asked = AddressChange(
        "c1", "email", an_address("new@example.com"), "", "2026-11-24T01", "2026-11-24T02", "page"
    )
    confirmed = replace(asked, change_id="c2", confirmed_at="2026-11-24T01:10:00+00:00")
    exporter.table.put(a_contact(1), a_contact(2, changing=(asked,)), a_contact(3, changing=(confirmed,)))
    exporter.export("2026-11-25T02")
    assert exporter.looks.sent == [("address", waiting_name(a_contact(3), confirmed))]


def test_keys_are_sorted_as_their_bytes_also_where_one_begins_with_another(exporter: Exporter) -> None:
    keys = ["B", "A", "A!", "AB", "a", "A#", "~"]
    exporter.table.put(*(a_contact(1, customer_key=key) for key in keys))
    exporter.table.put(a_contact(1, domain="retail-2", customer_key="A"))
    exporter.export("2026-11-25T02")
    assert [row["customer_key"] for row in exporter.rows()] == sorted(keys, key=str.encode)
    assert len(exporter.rows(domain="retail-2")) == 1


def test_the_rows_kept_for_the_next_comparison_are_packed_without_a_time(exporter: Exporter) -> None:
    exporter.table.put(a_contact(1))
    exporter.export("2026-11-25T02")
    packed = exporter.file("rows")
    assert packed[4:8] == b"\0\0\0\0"
    assert gzip.decompress(packed).startswith(b"retail\x1fC0001\x1f{")


# --- in memory ------------------------------------------------------------------------------------------

_LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12).map(
        lambda t: t.encode() + b"\n"
    )
)


@settings(max_examples=60)
@given(lines=_LINES, chunk=st.integers(1, 80))
def test_sorting_outside_memory_is_sorting(lines: list[bytes], chunk: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assert list(external_sort(lines, Path(folder), chunk)) == sorted(lines)


def test_no_more_than_a_chunk_is_held(tmp_path: Path) -> None:
    import tracemalloc

    def lines(count: int) -> Iterable[bytes]:
        return (b"%016x" % (n * 2654435761 % 2**32) + b"." * 500 + b"\n" for n in range(count))

    def peak(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        tracemalloc.start()
        try:
            total = sum(1 for _ in external_sort(lines(count), folder, chunk=500_000))
            assert total == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Eight times the lines: the chunk is the same, and there are eight times the open files.
    small, large = peak(4_000), peak(32_000)
    assert large < small + 64 * 40_000


@given(row=st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=5))
def test_the_quick_encoders_write_what_the_library_does(row: dict[str, str]) -> None:
    assert as_json(row) == json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row.values())
    assert as_delimited(row.values()) == out.getvalue()


_CHANNELS = st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple)
_STATUS = st.sampled_from([None, "ok", "soft", "invalid", "opted_out", "complained"])
_CONSENT = st.sampled_from([None, True, False])
_SHARED = layout_of(RULES, ",")


@settings(max_examples=200)
@given(
    order=_CHANNELS,
    outs=st.dictionaries(st.sampled_from(["*", "statements", "bills", "overdue", "contracts"]), _CHANNELS),
    email=_STATUS,
    mobile=_STATUS,
    consent=_CONSENT,
    paper=st.booleans(),
    hours=st.sampled_from([None, ("10:00", "12:00")]),
    suppressed=_CHANNELS,
    domain=st.sampled_from(["retail", "claims"]),
)
def test_what_is_decided_once_for_all_alike_is_what_each_would_get(
    order: Any, outs: Any, email: Any, mobile: Any, consent: Any, paper: bool, hours: Any, suppressed: Any,
    domain: str,
) -> None:  # fmt: skip
    contact = a_contact(
        1,
        domain=domain,
        channel_order=order,
        opt_outs=outs or None,
        email=an_address("c1@example.com", status=email) if email else None,
        mobile=an_address("+12025550101", status=mobile) if mobile else None,
        consent=None if consent is None else Consent(consent, "electronic delivery", "1", "", "page"),
        paper_required=paper,
        quiet_hours=hours,
    )
    assert _SHARED.row(contact, suppressed) == layout_of(RULES, ",").row(contact, suppressed)


def test_a_removed_row_has_the_key_alone(exporter: Exporter) -> None:
    exporter.table.put(a_contact(1), a_contact(2, language="fr", opt_outs={"statements": ("email",)}))
    exporter.export("2026-11-24T02")
    del exporter.table.contacts["retail#C0002"]
    exporter.export("2026-11-25T02")

    (row,) = exporter.rows("changes")
    assert {name: value for name, value in row.items() if value} == {
        "change": "removed", "customer_key": "C0002", "known": "no",
    }  # fmt: skip


def test_the_newest_two_exports_stay(exporter: Exporter) -> None:
    for number in range(1, 6):
        exporter.table.put(a_contact(number))
        exporter.export(f"2026-11-0{number}T02")
    found = {key.split("/")[2] for key in exporter.objects() if key.count("/") == 3}
    assert found == {"2026-11-04T02", "2026-11-05T02"}
    assert len(exporter.rows()) == 5
    # One that is written just now is newer than what stands, and stays too.
    exporter.client.put_object(Bucket=BUCKET, Key="preferences/retail/2026-11-09T02/rows.gz", Body=b"")
    exporter.store.expire("retail", 2)
    assert len({key.split("/")[2] for key in exporter.objects() if key.count("/") == 3}) == 3


def test_a_merge_whose_segments_an_erasure_took_changes_nothing(exporter: Exporter) -> None:
    exporter.table.put(a_contact(1))
    exporter.export("2026-11-24T02")
    before = exporter.objects()
    task = ExportTask("2026-11-25T02", "merge", 3)
    assert merge_segments(task, store=exporter.store, layout=exporter.layout).rows == {}
    assert exporter.objects() == before
