"""Damaged delimited files: the seal tool counts what the staging counts, and both what a person counts."""

import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exnotify import seal
from exstream_notify.adapters.index import IndexUnreadable, MemoryParts, MemoryRejects, stage_file
from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.domain.runs import Trailer
from tests.index import a_schema

HEADER = "customer_key|document_id|document_type|last_name|email"


def staged(data: bytes, name: str, rules: RowRules) -> int | None:
    """Records as the staging counts them; None where it cannot read the file."""
    try:
        tally = stage_file(
            io.BytesIO(data),
            name,
            schema=a_schema(),
            parts=MemoryParts(),
            rejects=MemoryRejects(),
            rows=rules,
        )
    except IndexUnreadable:
        return None
    assert tally.records == tally.documents + tally.rejected
    return tally.records


def sealed(data: bytes, name: str, rules: RowRules, encoding: str = "utf-8") -> int | None:
    """Records as the seal tool counts them."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        trailer = rules.trailer.starts if rules.trailer else ""
        rows = seal.RowRules(rules.multi_line, trailer)
        return seal.examine(Path(folder) / name, name, rows=rows, encoding=encoding).records


PIECES = st.sampled_from(
    ['"', '""', "|", ",", "\n", "\r\n", "\r", "\n\n", " ", "\x1a", "TRL|3", 'x"y', "K1|D1|invoice|Lee|a@example.com"]
)  # fmt: skip
RULES = st.builds(
    RowRules, st.booleans(), st.sampled_from([None, Trailer("TRL"), Trailer("TRL", 2, required=False)])
)


@given(st.lists(PIECES, max_size=25), RULES, st.sampled_from(["utf-8", "utf-16", "utf-16-be"]))
def test_whatever_the_damage_both_count_alike(pieces: list[str], rules: RowRules, encoding: str) -> None:
    data = (HEADER + "\n" + "".join(pieces)).encode(encoding)
    assert sealed(data, "a.index.psv", rules) == staged(data, "a.index.psv", rules)


@given(st.lists(PIECES.filter(lambda piece: piece not in ("\r", "\x1a")), max_size=25))
def test_without_a_setting_both_count_the_lines_that_are_not_empty(pieces: list[str]) -> None:
    text = "".join(pieces)
    data = f"{HEADER}\n{text}".encode()
    wanted = sum(1 for line in text.split("\n") if line.strip())
    assert sealed(data, "a.index.psv", RowRules()) == staged(data, "a.index.psv", RowRules()) == wanted


@pytest.mark.parametrize(
    "end", [b"\x1a", b"\x1a\x1a\x1a", b"\x1a\r\n", b"\r\n\x1a\r\n", b"\x1a\0\0", b" \x1a "]
)
def test_an_end_of_file_mark_is_no_record(end: bytes) -> None:
    row = "K1|D1|invoice|Lee|a@example.com"
    data = f"{HEADER}\r\n{row}\r\n".encode() + end
    assert sealed(data, "a.index.psv", RowRules()) == staged(data, "a.index.psv", RowRules()) == 1
    wide = f"{HEADER}\r\n{row}\r\n{end.decode()}".encode("utf-16")
    assert sealed(wide, "a.index.psv", RowRules()) == staged(wide, "a.index.psv", RowRules()) == 1


def test_undefined_bytes_of_windows_1252_do_not_stop_the_count() -> None:
    data = b'<?xml version="1.0" encoding="windows-1252"?><r><d><customer_key>\x81</customer_key></d></r>'
    assert sealed(data, "a.index.xml", RowRules()) == staged(data, "a.index.xml", RowRules()) == 1


def test_a_folder_is_sealed_by_the_domain_s_rows(tmp_path: Path) -> None:
    (tmp_path / "a.index.csv").write_text('customer_key,note,z\n1,"a\nb",\n2,c,\nTRL,2\n')
    options = ["--multi-line-fields", "--trailer", "TRL"]
    for given_options, records in (([], 4), (options[:1], 3), (options[1:], 3), (options, 2)):
        assert seal.main([str(tmp_path), *given_options]) == 0
        assert seal.earlier_seal(tmp_path)["files"][0]["records"] == records
