"""Which files of a run a customer may open, and whether a record's own is there."""

import random
import tracemalloc
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.run_documents import DocumentCheck, Listing, OwnFiles
from exstream_notify.domain.documents import FileFault

RULES = YamlRules()
OWN = OwnFiles(lambda: RULES.messages)


@pytest.mark.parametrize(
    "path",
    [
        "_COMPLETE.json",
        "_complete.JSON",
        "%5FCOMPLETE.json",
        "%255FCOMPLETE.json",
        "output\\_COMPLETE.json",
        "output/_STDDELIVERYFILE.xml",
        "output/_hidden/D1.pdf",
        "_tmp/D1.pdf",
        "\uff3fCOMPLETE.json",  # a full-width low line
        "_STDDELIVERYFILE.xml.gz",
        "X_STDDELIVERYFILE.XML",
        "billing.index.csv",
        "X.INDEX.CSV",
        "x.index%2Ecsv",
        "sub/x.index.jsonl.gz",
        "x.index.psv ",
        "x.index.txt",
        "ExstreamMessages.dat",
        "exstreammessages.DAT.gz",
        "ExstreamReport.dat",
        "my-messages.xml",
        "exceptions.csv",
        "run.summary.txt",
        "./run.summary",
        "%25252525252525255FCOMPLETE.json",  # decoded too often to be told
    ],
)
def test_a_runs_own_file_is_recognised_however_it_is_written(path: str) -> None:
    assert OWN(path)


@pytest.mark.parametrize(
    "path",
    [
        "output/Email_Statements/D1.pdf",
        "output/Email_Letters/account-summary.txt",
        "output/q/messages.pdf",
        "D_1.pdf",
        "output/Q_1/M\u00fcller.pdf",
        "output/q/100% sure.pdf",
        "output/q/50%25 off.pdf",
        "index.pdf",
        "output/q/a.b.c.pdf",
        "COMPLETE.json",
    ],
)
def test_a_document_is_not(path: str) -> None:
    assert not OWN(path)


FILES = {
    "out/1.pdf": 10,
    "out/empty.pdf": 0,
    "out/M\u00fcller.pdf": 5,
    "out/Nu\u0308sse.pdf": 5,
    "out/BIG.PDF": 5,
    "out/Stra\u00dfe.pdf": 5,
    "out/\u00c9T\u00c9.pdf": 5,
}


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("out/1.pdf", None),
        ("out/M\u00fcller.pdf", None),
        ("out/Nu\u0308sse.pdf", None),
        ("out/empty.pdf", FileFault.EMPTY),
        ("out/2.pdf", FileFault.MISSING),
        ("1.pdf", FileFault.MISSING),
        ("out/1.pdf/", FileFault.MISSING),
        ("out/Mu\u0308ller.pdf", FileFault.OTHER_FORM),
        ("out/N\u00fcsse.pdf", FileFault.OTHER_FORM),
        ("out/big.pdf", FileFault.OTHER_CASE),
        ("OUT/1.PDF", FileFault.OTHER_CASE),
        ("out/M\u00dcLLER.pdf", FileFault.OTHER_CASE),
        ("out/NU\u0308SSE.pdf", FileFault.OTHER_CASE),
        ("out/STRASSE.pdf", FileFault.OTHER_CASE),
        ("out/e\u0301te\u0301.pdf", FileFault.OTHER_CASE),
        ("out/EMPTY.pdf", FileFault.OTHER_CASE),
    ],
)
def test_a_listing_says_what_is_wrong_with_a_file(path: str, fault: FileFault | None) -> None:
    assert Listing(FILES.items()).fault(path) is fault


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=40), st.data())
def test_what_is_there_is_found_and_another_form_of_it_is_not_called_missing(
    names: list[str], data: Any
) -> None:
    listing = Listing((name, 1) for name in names)
    for name in names:
        assert listing.fault(name) is None
        for form in ("NFC", "NFD"):
            other = unicodedata.normalize(form, name)
            if other not in names:
                assert listing.fault(other) in (FileFault.OTHER_FORM, FileFault.OTHER_CASE)
    absent = data.draw(st.text(min_size=13, max_size=14))
    assert listing.fault("!" + absent) is FileFault.MISSING


class Folder:
    """A run's folder that counts its listings."""

    def __init__(self, files: Iterable[tuple[str, int]]) -> None:
        self._files = list(files)
        self.listed = 0

    def files_below(self) -> Iterator[tuple[str, int]]:
        self.listed += 1
        yield from self._files


def test_a_folder_is_listed_once_and_only_when_a_record_needs_it() -> None:
    folder = Folder(FILES.items())
    check = DocumentCheck(folder, frozenset({"statement"}), OWN)

    assert check({"document_type": "statement"}) is None
    assert check({"document_type": "invoice", "output_uri": "out/gone.pdf"}) is None, "its links open no file"
    assert check({"document_type": "invoice", "output_uri": "_COMPLETE.json"}) is FileFault.OWN
    assert folder.listed == 0
    assert check(a_record("K1", "out/gone.pdf")) is FileFault.MISSING
    assert check(a_record("K1")) is None
    assert folder.listed == 1


def test_a_large_folder_takes_a_few_bytes_a_file() -> None:
    number = 60_000
    names = (f"output/Email_Statements/{n:08}-STATEMENT-OF-ACCOUNT.PDF" for n in range(number))
    tracemalloc.start()
    listing = Listing((name, 1) for name in names)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 64 * number
    chance = random.Random(7)
    for _ in range(50):
        path = f"output/Email_Statements/{chance.randrange(number):08}-STATEMENT-OF-ACCOUNT.PDF"
        assert listing.fault(path) is None
        assert listing.fault(path.lower()) is FileFault.OTHER_CASE
    assert listing.fault("output/Email_Statements/99999999.PDF") is FileFault.MISSING


def a_record(customer_key: str, path: str = "out/1.pdf", **more: Any) -> dict[str, Any]:
    return {"document_type": "statement", "customer_key": customer_key, "output_uri": path, **more}


@pytest.mark.parametrize(
    ("records", "refused"),
    [
        ([a_record("K1"), a_record("K2")], True),
        ([a_record("K1", account_number="A1"), a_record("K2", account_number="A2")], True),
        ([a_record("K1", account_number="A1"), a_record("K2")], True),
        ([a_record("K1"), a_record("K1"), a_record("K2")], True),
        ([a_record("K1"), a_record("K1")], False),
        ([a_record("K1", account_number="A1"), a_record("K1", account_number="A2")], False),
        ([a_record("K1", account_number="A1"), a_record("K2", account_number="A1")], False),
        ([a_record("K1"), a_record("K2", document_type="terms")], False),
        ([a_record("K1"), a_record("K2", test_flag=True)], False),
        ([a_record("K1"), a_record("K2", document_type="invoice")], False),
    ],
)
def test_a_file_that_different_customers_name_is_refused_to_all_of_them(
    records: list[dict[str, Any]], refused: bool
) -> None:
    check = DocumentCheck(Folder(FILES.items()), frozenset({"statement", "terms"}), OWN, frozenset({"terms"}))
    other = a_record("K9", "out/BIG.PDF")
    first = [check(record) for record in [*records, other]]
    assert (check.again, first[-1]) == (refused, None)
    assert [check(record) for record in records] == [FileFault.SHARED if refused else None] * len(records)
    assert check(other) is None
