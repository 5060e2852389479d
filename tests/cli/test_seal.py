"""The seal tool counts what the readers count, in every form and encoding, and refuses what they refuse."""

import ast
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exnotify import seal
from exnotify.samples import forms
from exnotify.samples.records import record
from exstream_notify.adapters.index import AliasTable, MemoryParts, MemoryRejects, RecordSchema, stage_file
from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.adapters.index.faults import IndexUnreadable
from exstream_notify.adapters.index.names import default_aliases
from exstream_notify.adapters.index.reading import form_of
from exstream_notify.adapters.seal import parse_seal

TYPES = {"statement": "statement", "invoice": "invoice"}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
RECORDS = [
    record(1, number, "statement", last_name=name)
    for number, name in enumerate(
        ("Çelik", 'Ó "Súilleabháin"', "Van der\nBerg", "Weiß, Anna | Co", "Yılmaz"), 1
    )
]


def staged(data: bytes, name: str) -> tuple[int, int | None]:
    """Records and customers as the readers count them."""
    schema = RecordSchema(TYPES, {}, aliases=AliasTable())
    tally = stage_file(
        io.BytesIO(data),
        name,
        schema=schema,
        parts=MemoryParts(),
        rejects=MemoryRejects(),
        rows=RowRules(multi_line=True),
    )
    return tally.records, tally.customers


def examined(folder: Path, data: bytes, name: str) -> seal.FileFacts:
    """The same file as the seal tool sees it."""
    (folder / name).write_bytes(data)
    return seal.examine(folder / name, name, rows=seal.RowRules(multi_line=True))


def text_of(form: str) -> str:
    """The records in one form, as text."""
    if form == "jsonl":
        return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in RECORDS)
    if form == "array":
        return json.dumps(RECORDS, indent=2, ensure_ascii=False)
    if form == "objects":
        return " ".join(json.dumps(r, indent=2) for r in RECORDS)
    if form in ("csv", "psv"):
        return forms.delimited(RECORDS, "," if form == "csv" else "|", "\r\n")
    if form == "xml":
        return forms.elements(RECORDS, "UTF-8")
    return forms.native(RECORDS).decode()


NAMES = {
    "jsonl": "a.index.jsonl",
    "array": "a.index.jsonl",
    "objects": "a.index.jsonl",
    "csv": "a.index.csv",
    "psv": "a.index.psv",
    "xml": "a.index.xml",
    "native": "_STDDELIVERYFILE.xml",
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", NAMES)
def test_it_counts_what_the_readers_count(tmp_path: Path, form: str, encoding: str, packed: bool) -> None:
    data = text_of(form).encode(encoding)
    name = NAMES[form]
    if packed:
        # Two members: what a site gets that compresses piece by piece.
        data, name = gzip.compress(data[:99]) + gzip.compress(data[99:]), name + ".gz"

    facts = examined(tmp_path, data, name)

    assert facts.problem == ""
    assert (facts.records, facts.customers) == staged(data, name)
    assert facts.records == len(RECORDS)
    assert (facts.bytes, facts.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_latin_1_is_read_as_the_declaration_says(tmp_path: Path) -> None:
    data = forms.xml_latin1(RECORDS)
    assert examined(tmp_path, data, "a.index.xml").records == staged(data, "a.index.xml")[0] == len(RECORDS)


ODD: dict[str, str | bytes] = {
    "a.index.jsonl": '{"a": "1"}\n{broken\n{"a": "2"}\n[1]\n{}\n7\n{"a": NaN}\n{"b": 1}\n',
    "b.index.jsonl": '[{"a": "]"}, {"b": "}"},\n {"c": {"d": [1, 2]}}]',
    "c.index.csv": 'customer_key,name\n1,"a ""b"" c"\n2\n3,x,y\n4,x,,\n\n5,a"b\n6,"line\nbreak"\n',
    "d.index.psv": "customer_key|name\n1|a,b\n2|\n",
    "e.index.csv": "customer_key\n1\n2\n",
    "f.index.xml": "<run><total>3</total><docs><d><customer_key>1</customer_key></d><d/>"
    "<d><customer_key>2</customer_key><x><y/></x></d></docs></run>",
    "g.index.xml": '<r xmlns:n="urn:x"><n:d CustomerId="1"/><n:d CustomerId="2"><k name="x">a</k></n:d></r>',
    "h.index.xml": "<r><a><account_number>1</account_number></a><a><AccountNumber>2</AccountNumber></a></r>",
    "i.index.xml": "<r><a><p>1</p></a><a><p>2</p></a></r>",
}


@pytest.mark.parametrize("name", ODD)
def test_it_counts_odd_files_as_the_readers_do(tmp_path: Path, name: str) -> None:
    data = ODD[name].encode() if isinstance(ODD[name], str) else ODD[name]
    assert isinstance(data, bytes)
    assert examined(tmp_path, data, name).records == staged(data, name)[0]


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["customer_key", "email", "x"]), VALUES), min_size=1, max_size=8
)


@given(ROWS, st.sampled_from(ENCODINGS), st.sampled_from(["jsonl", "array", "csv", "psv", "xml"]))
def test_whatever_the_values_it_counts_alike(rows: list[dict[str, str]], encoding: str, form: str) -> None:
    rows = [{"customer_key": "1", **row} for row in rows]
    writers: dict[str, Callable[[Sequence[dict[str, str]]], str]] = {
        "jsonl": lambda rs: "\n".join(json.dumps(r) for r in rs),
        "array": json.dumps,
        "csv": lambda rs: forms.delimited(rs, ",", "\n"),
        "psv": lambda rs: forms.delimited(rs, "|", "\r\n"),
        "xml": lambda rs: forms.elements(rs, "UTF-8"),
    }
    data = writers[form](rows).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        facts = examined(Path(folder), data, NAMES[form])
    try:
        expected: int | None = staged(data, NAMES[form])[0]
    except IndexUnreadable:
        expected = None
    assert facts.records == expected, facts.problem


@given(st.binary(max_size=300), st.sampled_from(sorted(set(NAMES.values()))), st.booleans())
def test_no_bytes_crash_it_and_where_both_can_read_they_agree(data: bytes, name: str, packed: bool) -> None:
    data, name = (gzip.compress(data), name + ".gz") if packed else (data, name)
    with tempfile.TemporaryDirectory() as folder:
        facts = examined(Path(folder), data, name)
    try:
        expected: int | None = staged(data, name)[0]
    except IndexUnreadable:
        expected = None
    # A header without a known name is the readers' to refuse: the tool cannot know a site's aliases.
    if facts.records is not None and expected is not None:
        assert facts.records == expected


# --- what cannot be sealed -----------------------------------------------------------------------------


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "x")
    return out.getvalue()


WHOLE = forms.native(RECORDS)
REFUSED = [
    ("_STDDELIVERYFILE.xml", b"", "it is empty"),
    ("_STDDELIVERYFILE.xml", WHOLE[:-30], "cut off"),
    ("_STDDELIVERYFILE.xml", WHOLE.replace(b'"5"', b'"6"'), "says 6 customers and holds 5"),
    ("_STDDELIVERYFILE.xml", WHOLE.replace(b'"5"', b'"many"'), "not a number"),
    ("_STDDELIVERYFILE.xml", b"<a/>", "not a delivery manifest"),
    ("a.index.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type declaration"),
    ("a.index.xml", b"<a>" * 65 + b"</a>" * 65, "more than 64 elements"),
    ("a.index.xml", b"<a><b>", "the XML is cut off"),
    ("a.index.xml", b"<a></b>", "not well-formed XML"),
    ("a.index.jsonl", b'{"a": 1}\n{"a": "', "cut off"),
    ("a.index.jsonl", b'[{"a": 1}', "cut off"),
    ("a.index.jsonl", b'[{"a": 1}] {"b": 2}', "after the end of the array"),
    ("a.index.jsonl", b"hello", "not JSON"),
    ("a.index.jsonl", b"  \n", "no record"),
    ("a.index.jsonl", b'{"a": "' + b"x" * (50 << 20) + b'"}', "too long"),
    ("a.index.csv", b"", "it is empty"),
    ("a.index.csv", b"\n\n", "no usable header"),
    ("a.index.csv", b'a,"b\n1",x', "no usable header"),
    ("a.index.csv", b"a,b\n1," + b"x" * (2 << 20), "more than 1048576 characters"),
    ("a.index.csv", b"a,b\n1,\xe9\n", "Latin-1"),
    ("a.index.csv", "a,b\n".encode("utf-32"), "UTF-32"),
    ("a.index.csv", zipped(), "zip archive"),
    ("a.index.csv", gzip.compress(b"a\n1\n"), "does not end in .gz"),
    ("a.index.csv.gz", gzip.compress(b"a\n1\n")[:-6], "cut off"),
    ("a.index.csv.gz", b"\x1f\x8b\x08garbage-garbage", "damaged"),
    (
        "a.index.csv.gz",
        gzip.compress(b"customer_key\n" + (b"0" * 1023 + b"\n") * (40 << 10)),
        "grows more than 200 times",
    ),
    ("a.index.csv.gz", gzip.compress(b""), "it is empty"),
]


@pytest.mark.parametrize(("name", "data", "reason"), REFUSED, ids=[f"{n}-{r}" for n, _, r in REFUSED])
def test_what_is_broken_is_refused_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)

    assert seal.main([str(tmp_path)]) == 1

    told = capsys.readouterr().err
    assert told.startswith("not sealed: ")
    assert reason in told
    assert [path.name for path in tmp_path.iterdir()] == [name]  # no seal, and no draft of one
    if data:
        with pytest.raises(IndexUnreadable):
            staged_whole(data, name)


def staged_whole(data: bytes, name: str) -> None:
    """Stage, and refuse what the use case refuses of a manifest by its counts."""
    schema = RecordSchema(TYPES, {}, aliases=AliasTable())
    tally = stage_file(io.BytesIO(data), name, schema=schema, parts=MemoryParts(), rejects=MemoryRejects())
    if tally.customers_processed not in (None, tally.customers):
        raise IndexUnreadable(name, "customersProcessed", "another number of customers")


def test_an_archive_is_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.zip").write_bytes(zipped())
    assert seal.main([str(tmp_path)]) == 1
    assert "run.zip: an archive is no index form" in capsys.readouterr().err


def test_an_archive_of_documents_beside_an_index_is_nobody_s_business(tmp_path: Path) -> None:
    (tmp_path / "documents.zip").write_bytes(zipped())
    (tmp_path / "a.index.csv").write_text("customer_key\n1\n")
    assert seal.main([str(tmp_path)]) == 0


@pytest.mark.parametrize(("name", "code"), [("no such folder", 2), (".", 1)])
def test_no_folder_is_bad_use_and_no_index_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    if code == 2:
        with pytest.raises(SystemExit) as ended:
            seal.main([name])
        assert ended.value.code == 2
    else:
        assert seal.main([name]) == 1
        assert "holds no index file" in capsys.readouterr().err


# --- the seal itself -----------------------------------------------------------------------------------


def sealed(folder: Path, *options: str) -> dict[str, object]:
    assert seal.main([str(folder), *options]) == 0
    written: dict[str, object] = json.loads((folder / seal.SEAL_NAME).read_text("utf-8"))
    return written


def test_the_contract_s_fields_are_all_there_and_the_staging_can_read_them(tmp_path: Path) -> None:
    (tmp_path / "a.index.jsonl").write_text(text_of("jsonl"), "utf-8")

    made = sealed(
        tmp_path, "--domain", "retail", "--run-id", "r1", "--app", "billing", "--customers-expected", "7",
        "--exit-status", "4", "--started-at", "2026-11-20T04:00:00Z", "--ended-at", "2026-11-20T04:12:10Z",
    )  # fmt: skip

    data = (tmp_path / "a.index.jsonl").read_bytes()
    file = {
        "name": "a.index.jsonl",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "records": 5,
    }
    assert made == {
        "schema_version": "1",
        "run_id": "r1",
        "domain": "retail",
        "app": "billing",
        "started_at": "2026-11-20T04:00:00Z",
        "ended_at": "2026-11-20T04:12:10Z",
        "exit_status": 4,
        "customers_expected": 7,
        "customers_processed": 5,
        "documents": 5,
        "errors": 2,
        "files": [file],
    }
    read = parse_seal((tmp_path / seal.SEAL_NAME).read_bytes(), "retail", "r1", limit=10_000)
    assert (read.documents, read.customers_processed, read.files[0].records) == (5, 5, 5)


def test_a_customer_with_two_documents_is_one_customer(tmp_path: Path) -> None:
    (tmp_path / "a.index.csv").write_text("CustomerId,doc\n7,a\n7,b\n8,c\n,d\n")
    made = sealed(tmp_path, "--customers-expected", "3")
    assert (made["customers_processed"], made["documents"], made["errors"]) == (3, 4, 0)


def test_a_site_s_own_name_of_the_key_counts_too(tmp_path: Path) -> None:
    (tmp_path / "a.index.csv").write_text("KundenNr,doc\n7,a\n7,b\n")
    assert sealed(tmp_path, "--customers-expected", "1")["customers_processed"] == 2  # nobody knows the name
    assert (
        sealed(tmp_path, "--customers-expected", "1", "--customer-key", "KundenNr")["customers_processed"]
        == 1
    )


def test_documents_of_a_native_manifest_are_only_said_where_they_are_certain(tmp_path: Path) -> None:
    (tmp_path / "_STDDELIVERYFILE.xml").write_bytes(WHOLE)
    assert sealed(tmp_path)["documents"] == 5
    twice = WHOLE.replace(b"</customer>", b"<queueName>Email_Bills</queueName></customer>", 1)
    (tmp_path / "_STDDELIVERYFILE.xml").write_bytes(twice)
    assert "documents" not in sealed(tmp_path)
    untyped = WHOLE.replace(b"DocumentType", b"Unknown")
    (tmp_path / "_STDDELIVERYFILE.xml").write_bytes(untyped)
    assert "documents" not in sealed(tmp_path)


def test_a_manifest_beside_a_site_s_index_is_listed_but_its_customers_are_no_documents(
    tmp_path: Path,
) -> None:
    (tmp_path / "_STDDELIVERYFILE.xml").write_bytes(WHOLE)
    (tmp_path / "a.index.csv").write_text("customer_key\n1\n2\n")
    made = sealed(tmp_path)
    assert (made["documents"], made["customers_processed"]) == (2, 5)


def test_sealing_again_keeps_the_run_s_name_and_replaces_the_seal(tmp_path: Path) -> None:
    index = tmp_path / "a.index.csv"
    index.write_text("customer_key\n1\n")
    sealed(tmp_path, "--domain", "retail", "--run-id", "r1", "--app", "billing")
    index.write_text("customer_key\n1\n2\n")
    made = sealed(tmp_path)
    assert (made["domain"], made["run_id"], made["app"], made["documents"]) == ("retail", "r1", "billing", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [seal.SEAL_NAME, "a.index.csv"]


def test_names_come_from_the_folder_where_nobody_says_them(tmp_path: Path) -> None:
    folder = tmp_path / "drop" / "retail" / "r7"
    folder.mkdir(parents=True)
    (folder / "a.index.csv").write_text("customer_key\n1\n")
    made = sealed(folder)
    assert (made["domain"], made["run_id"]) == ("retail", "r7")


@pytest.mark.parametrize("run_id", ["a/b", "", "ä", "-x", "x" * 129])
def test_a_name_that_cannot_be_part_of_a_key_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run_id: str
) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "a.index.csv").write_text("customer_key\n1\n")
    assert seal.main([str(folder), f"--run-id={run_id}"]) == 1
    assert "cannot be a run id" in capsys.readouterr().err


def test_a_file_that_grows_while_it_is_read_is_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "a.index.csv"
    index.write_text("customer_key\n1\n")
    read = seal._reader

    def late(*arguments: object) -> object:
        with index.open("a") as stream:
            stream.write("2\n")
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(seal, "_reader", late)
    assert seal.examine(index, "a.index.csv").problem == "it is still being written"


def test_the_lenient_seal_lists_what_it_cannot_count(tmp_path: Path) -> None:
    (tmp_path / "a.index.csv").write_text("customer_key\n1\n")
    (tmp_path / "b.index.xml").write_text("<a>")
    made, problems = seal.seal_folder(tmp_path, domain="d", run_id="r", strict=False)
    assert [("records" in row) for row in made["files"]] == [True, False]
    assert "documents" not in made
    assert problems == ["b.index.xml: the XML is cut off (line 1)"]


# --- it stands alone -----------------------------------------------------------------------------------

SOURCE = Path(seal.__file__)


def test_it_is_written_for_python_3_9_and_needs_the_standard_library_only() -> None:
    tree = ast.parse(SOURCE.read_text("utf-8"), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def pythons() -> list[str]:
    """This Python, and the oldest that it must run on if that is here."""
    old = shutil.which("python3.9")
    runs = old and subprocess.run([old, "-c", ""], capture_output=True, check=False).returncode == 0
    return [sys.executable, *([old] if old and runs else [])]


@pytest.mark.parametrize("python", pythons())
def test_it_runs_by_itself(tmp_path: Path, python: str) -> None:
    copy = tmp_path / "seal.py"
    shutil.copy(SOURCE, copy)
    folder = tmp_path / "run-1"
    folder.mkdir()
    (folder / "_STDDELIVERYFILE.xml").write_bytes(WHOLE)
    (folder / "a.index.jsonl").write_text(text_of("jsonl"), "utf-8")
    done = subprocess.run(
        [python, "-I", str(copy), str(folder), "--domain", "retail"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sealed retail/run-1: _STDDELIVERYFILE.xml (5), a.index.jsonl (5)")


def test_its_tables_are_the_readers(tmp_path: Path) -> None:
    assert sorted(seal.KEY_NAMES) == sorted(("customer_key", *default_aliases()["customer_key"]))
    assert sorted(seal.TYPE_NAMES) == sorted(("document_type", *default_aliases()["document_type"]))
    assert sorted(seal.QUEUE_NAMES) == sorted(("queue_name", *default_aliases()["queue_name"]))
    for ending, form in seal.ENDINGS:
        for name in (f"x{ending}", f"X{ending.upper()}.GZ"):
            known = form_of(name)
            assert known is not None
            assert known.form == form == seal.form_of(name)
    assert seal.form_of("a.csv") is None
