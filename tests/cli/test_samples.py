"""The sample runs of `exnotify demo`: fixed, harmless, and what they say they are."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exnotify.samples import SAMPLES, SampleRun, write_samples
from exnotify.samples.pdf import page
from exstream_notify.adapters.index import AliasTable, MemoryParts, MemoryRejects, RecordSchema, stage_file
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.seal import parse_seal

ADDRESS = re.compile(rb"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")
NUMBER = re.compile(r"\+1\d{10}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.name: path for path in write_samples(tmp_path_factory.mktemp("samples"))}


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def test_there_is_one_for_each_use_case_of_the_main_job_each_in_another_form() -> None:
    rules = YamlRules()
    assert [sample.use_case for sample in SAMPLES] == ["uc1", "uc2", "uc3", "uc4", "uc6"]
    assert len({sample.form for sample in SAMPLES}) == len(SAMPLES)
    for sample in SAMPLES:
        kinds = {record["document_type"] for record in sample.records}
        assert {rules.of_type(kind).use_case for kind in kinds} == {sample.use_case}
    told = {record["document_type"] for sample in SAMPLES for record in sample.records}
    assert told == set(rules.types)


def test_they_are_the_same_each_time(folders: dict[str, Path], tmp_path: Path) -> None:
    for path in write_samples(tmp_path):
        assert list(files(path)) == list(files(folders[path.name]))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.run_id)
def test_the_readers_find_every_record_and_the_seal_agrees(
    folders: dict[str, Path], sample: SampleRun
) -> None:
    folder = folders[sample.run_id]
    rules = YamlRules()
    schema = RecordSchema({name: name for name in rules.types}, rules.queues, aliases=AliasTable())
    with (folder / sample.index).open("rb") as stream:
        tally = stage_file(stream, sample.index, schema=schema, parts=MemoryParts(), rejects=MemoryRejects())
    seal = parse_seal((folder / "_COMPLETE.json").read_bytes(), sample.domain, sample.run_id, limit=10_000)
    (listed,) = seal.files
    assert (tally.records, tally.rejected) == (len(sample.records), sample.outcomes.get("rejected", 0))
    assert (listed.records, listed.sha256) == (tally.records, tally.sha256)
    assert (seal.documents, seal.customers_processed) == (len(sample.records), len(sample.records))
    assert sum(sample.outcomes.values()) == len(sample.records)


def test_every_document_lies_where_its_record_says_with_the_hash_it_says(folders: dict[str, Path]) -> None:
    for sample in SAMPLES:
        for record in sample.records:
            data = (folders[sample.run_id] / record["output_uri"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == record["content_sha256"]
            assert data.startswith(b"%PDF-1.4")
            assert record["document_id"].encode() in data


def test_the_cross_reference_table_of_a_document_points_at_its_objects() -> None:
    data = page("D (1) \\ ü")
    start = int(data.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    rows = data[start:].split(b"\n")[3:8]
    for number, row in enumerate(rows, 1):
        assert data[int(row[:10]) :].startswith(b"%d 0 obj" % number)


def test_nobody_real_is_in_them() -> None:
    for sample in SAMPLES:
        data = sample.form(sample.records)
        for address in ADDRESS.findall(data):
            assert address.endswith(b"example.com")
        for record in sample.records:
            for number in NUMBER.findall(record.get("mobile", "")):
                assert number.startswith("+120255501")
