"""What of a folder is dropped, under which name and with which seal."""

import json
from pathlib import Path

import pytest

from exnotify.dropping import UNUSABLE, PreparedRun, prepare
from exnotify.errors import CommandError
from exnotify.seal import SEAL_NAME, main
from exstream_notify.adapters.seal import parse_seal

INDEX = "customer_key,document_type\n1,statement\n2,statement\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with an index, a document and things that are none of the run's."""
    made = tmp_path / "run-1"
    (made / "output" / "Email_Statements").mkdir(parents=True)
    (made / ".cache").mkdir()
    (made / "a.index.csv").write_text(INDEX)
    (made / "output" / "Email_Statements" / "D1.pdf").write_bytes(b"%PDF")
    (made / ".DS_Store").write_bytes(b"x")
    (made / ".cache" / "y").write_bytes(b"y")
    return made


def prepared(
    folder: Path, *, domain: str | None = None, run_id: str | None = None, sealed: bool = True
) -> PreparedRun:
    return prepare(folder, domain=domain, run_id=run_id, sealed=sealed)


def test_a_folder_is_sealed_on_the_way_and_stays_as_it_is(folder: Path) -> None:
    run = prepared(folder)

    assert run.prefix == "drop/default/run-1/"
    assert [file.name for file in run.files] == ["a.index.csv", "output/Email_Statements/D1.pdf"]
    assert run.seal is not None
    read = parse_seal(run.seal, "default", "run-1", limit=10_000)
    assert [(f.name, f.records) for f in read.files] == [("a.index.csv", 2)]
    assert run.fingerprint() == read.fingerprint
    assert not (folder / SEAL_NAME).exists()


def test_a_seal_that_is_there_is_taken_byte_for_byte(folder: Path) -> None:
    main([str(folder), "--domain", "retail", "--run-id", "r9"])
    run = prepared(folder)
    assert (run.domain, run.run_id) == ("retail", "r9")
    assert run.seal == (folder / SEAL_NAME).read_bytes()
    assert SEAL_NAME not in [file.name for file in run.files]


def test_another_run_id_changes_the_seal_s_names_and_nothing_else(folder: Path) -> None:
    main([str(folder), "--domain", "retail", "--run-id", "r9"])
    before = json.loads((folder / SEAL_NAME).read_bytes())
    run = prepared(folder, run_id="r10")
    assert run.prefix == "drop/retail/r10/"
    assert json.loads(run.seal or b"") == {**before, "run_id": "r10"}
    # The content is the same, so the notices are: only the name tells the two runs apart.
    assert run.fingerprint() == prepared(folder).fingerprint()


def test_other_content_has_another_fingerprint(folder: Path) -> None:
    before = prepared(folder).fingerprint()
    (folder / "a.index.csv").write_text(INDEX + "3,statement\n")
    assert prepared(folder).fingerprint() not in ("", before)


@pytest.mark.parametrize(
    "seal", ["", "{", "[]", '{"files": []}', '{"run_id": 7, "domain": "a/b", "files": [{}]}']
)
def test_a_seal_that_nobody_can_read_is_dropped_as_it_is_for_the_staging_to_refuse(
    folder: Path, seal: str
) -> None:
    (folder / SEAL_NAME).write_text(seal)
    run = prepared(folder)
    assert (run.prefix, run.seal, run.fingerprint()) == ("drop/default/run-1/", seal.encode(), UNUSABLE)


def test_without_a_seal_one_that_is_there_stays_behind(folder: Path) -> None:
    main([str(folder), "--domain", "retail", "--run-id", "r9"])
    run = prepared(folder, sealed=False)
    assert (run.seal, run.fingerprint()) == (None, "")
    assert SEAL_NAME not in [file.name for file in run.files]


def test_what_cannot_be_counted_is_remarked_and_listed_without_a_count(folder: Path) -> None:
    (folder / "_STDDELIVERYFILE.xml").write_bytes(b"")
    run = prepared(folder)
    assert run.remarks == ("_STDDELIVERYFILE.xml: it is empty",)
    files = json.loads(run.seal or b"")["files"]
    assert [(f["name"], f.get("records")) for f in files] == [
        ("_STDDELIVERYFILE.xml", None),
        ("a.index.csv", 2),
    ]


def test_a_folder_without_an_index_lists_what_it_has_so_that_the_run_leaves_a_trace(tmp_path: Path) -> None:
    (tmp_path / "documents.csv").write_text(INDEX)
    run = prepared(tmp_path, run_id="r1")
    assert [f["name"] for f in json.loads(run.seal or b"")["files"]] == ["documents.csv"]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "output" / "link.pdf").symlink_to(tmp_path / "secret")
    (folder / "output" / "inside.pdf").symlink_to(folder / "a.index.csv")
    run = prepared(folder)
    assert [file.name for file in run.files][1:] == ["output/inside.pdf", "output/Email_Statements/D1.pdf"]
    assert run.remarks == ("output/link.pdf is a link that leads out of the folder: not uploaded",)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no files"):
        prepared(tmp_path)
