"""Encodings by evidence and the line ends of all systems: what a file says does not depend on either."""

import gzip
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.message_text import LINE_CHARS, encoding_of, lines_of
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Grouped
from exstream_notify.domain.customer_ranges import to_text
from exstream_notify.domain.exceptions import Unusable

RULES = YamlRules().messages
ENDS = {"LF": "\n", "CR LF": "\r\n", "CR": "\r", "NEL": "\x85", "LS": "\u2028", "PS": "\u2029", "FF": "\f"}
TEXTS = {
    "en": ("Required field is empty", "Run stopped"),
    "de": ("Pflichtfeld für Kündigung leer", "Lauf gestoppt"),
    "ja": ("フィールドがありません。値を確認してください", "印刷ファイルに一致するキーがありません。　全角"),
    "zh": ("必填字段为空，请检查数据", "运行已停止"),
    "ko": ("필수 필드가 비어 있습니다", "실행이 중지되었습니다"),
    "ru": ("Обязательное поле пусто", "Выполнение остановлено"),
    "el": ("Το απαιτούμενο πεδίο είναι κενό", "Η εκτέλεση σταμάτησε"),
    "ar": ("الحقل المطلوب فارغ", "توقف التشغيل"),
    "hi": ("आवश्यक फ़ील्ड खाली है", "रन रुक गया"),
    "emoji": ("field 😀 empty", "stopped 🛑"),
}
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


def read(data: bytes, name: str = "ExstreamMessages.dat", **changes: object) -> dict[str, tuple[int, str]]:
    """Count and customers by code; no line is left over."""
    grouped = Grouped(lambda code, said: said)
    files = MessageFiles(RULES.model_copy(update=changes))
    list(files.read(io.BytesIO(data), name, files.kind(name) or "", grouped))
    assert grouped.unmatched == 0
    return {g.code: (g.count, to_text(g.customers.ranges())) for g in grouped.groups.values()}


def log(script: str, ends: list[str]) -> str:
    """Three messages, one of them severe, each line with its own end."""
    first, second = TEXTS[script]
    lines = [f"EX004120E (12) {first}", f"EX000123S (13) {second}", f"EX004120E (14) {first}"]
    return "".join(line + end for line, end in zip(lines, itertools.cycle(ends), strict=False))


EXPECTED = {"EX004120E": (2, "12,14"), "EX000123S": (1, "13")}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("script", TEXTS)
def test_every_script_in_every_encoding_with_every_line_end(script: str, encoding: str, end: str) -> None:
    assert read(log(script, [ENDS[end]]).encode(encoding)) == EXPECTED


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85"])
def test_a_main_frames_own_encoding_and_what_a_transfer_makes_of_it(end: str) -> None:
    text = log("en", [end])
    assert read(text.encode("cp037")) == EXPECTED
    assert read(text.encode("latin-1")) == EXPECTED
    assert read(text.encode("latin-1"), encoding="latin-1") == EXPECTED
    assert read(log("de", [end]).encode("latin-1")) == EXPECTED


def test_the_byte_of_nel_is_an_ellipsis_where_lines_end_otherwise() -> None:
    data = b"EX004120E (1) Please wait\x85 going on\nEX004120E (2) Please wait\x85 EX000123S was quoted\n"
    assert read(data) == {"EX004120E": (2, "1-2")}


def test_nel_ends_the_lines_that_are_no_message_too() -> None:
    grouped = Grouped(lambda code, said: said)
    text = "EX004120E (1) a\x85hello\x85world\x85EX004120E (2) b\x85"
    list(MessageFiles(RULES).read(io.BytesIO(text.encode("latin-1")), "a.dat", "messages", grouped))
    assert (grouped.messages, grouped.unmatched, grouped.first_unmatched) == (2, 2, 2)


@pytest.mark.parametrize("end", ENDS)
def test_rows_may_end_as_lines_do(end: str) -> None:
    rows = ENDS[end].join(["seq,rule,level", "12,APR,error", "13,APX,severe", ""])
    encodings = ["utf-8", "utf-16-le", "utf-16-be"] + ["latin-1"] * (ENDS[end] < "\xff")
    for encoding in encodings:
        assert read(rows.encode(encoding), "exceptions.csv") == {"APR": (1, "12"), "APX": (1, "13")}


def test_nel_ends_a_line_of_a_continued_message_too() -> None:
    text = "EX004120E (1) a\x85    continued\x8511/20/2026 04:00:01 EX000123S stop\x85"
    assert read(text.encode("latin-1")) == {"EX004120E": (1, "1"), "EX000123S": (1, "")}


@given(
    st.lists(st.sampled_from(list(ENDS.values())), min_size=1, max_size=5),
    st.sampled_from(UNICODE),
    st.sampled_from(sorted(TEXTS)),
)
def test_line_ends_may_be_mixed(ends: list[str], encoding: str, script: str) -> None:
    assert read(log(script, ends).encode(encoding)) == EXPECTED


@given(
    st.lists(st.tuples(st.text("ab \u3042", max_size=20), st.sampled_from(list(ENDS.values()))), max_size=12),
    st.integers(1, 7),
)
def test_where_the_pieces_are_cut_does_not_matter(lines: list[tuple[str, str]], size: int) -> None:
    text = "".join(line + end for line, end in lines)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(lines_of(pieces)) == list(lines_of([text]))
    assert [line for _, line in lines_of(pieces)] == [line for line in text.splitlines() if line]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("script", TEXTS)
def test_utf_16_without_a_mark_shows_itself_without_a_code(encoding: str, script: str) -> None:
    text = "\r\n".join(TEXTS[script] * 3)
    assert encoding_of(text.encode(encoding)) == encoding
    assert encoding_of(text.encode("utf-8")) is None


def test_zeros_that_pad_records_are_no_utf_16() -> None:
    records = b"".join(b"EX004120E (%d) empty".ljust(64, b"\0") % number for number in (12, 14))
    assert read(records + b"EX000123S (13) stop".ljust(64, b"\0")) == EXPECTED


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(1, 256)) * 50,
        b"\x00\x01\x02\x03" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(range(128)) * 9,
    ],
)
def test_a_file_whose_encoding_cannot_be_told_is_refused(data: bytes) -> None:
    with pytest.raises(Unusable, match="no text in any encoding") as unusable:
        read(data)
    assert unusable.value.code == "messages_unreadable"


def test_a_severe_code_is_found_anywhere_in_a_line_of_any_length() -> None:
    for before in (0, 1, LINE_CHARS - 30, LINE_CHARS - 5, LINE_CHARS, LINE_CHARS + 1, 3 * LINE_CHARS + 7):
        for filler in ("x", "x y ", "E", "EX0", " "):
            text = "EX004120E (12) " + (filler * before)[:before] + "  EX000123S (13) stop"
            assert read(text.encode())["EX000123S"] == (1, "13"), (before, filler)


def test_records_without_line_ends_are_all_read_however_many_there_are() -> None:
    data = "".join(f"EX{n % 7:06d}E ({n}) x".ljust(80) for n in range(1, 20_001)).encode()
    found = read(data)
    assert sum(count for count, _ in found.values()) == 20_000
    assert sum(count for count, _ in read(data.decode().encode("utf-16-be")).values()) == 20_000


def test_size_alone_bounds_a_compressed_file() -> None:
    same = (b"EX003004W (4) Color space mismatch" + b"." * 170 + b"\n") * 100_000
    data = gzip.compress(same + b"EX000123S (13) stop\n")
    assert len(same) > 200 * len(data)
    assert read(data, "ExstreamMessages.dat.gz")["EX000123S"] == (1, "13")

    grouped = Grouped(lambda code, said: said)
    files = MessageFiles(RULES.model_copy(update={"unpacked_megabytes": 1}))
    with pytest.raises(Unusable, match=r"byte .*1048576 bytes once decompressed .*unpacked_megabytes"):
        list(files.read(io.BytesIO(data), "a.dat.gz", "messages", grouped))
    assert grouped.groups["EX003004W", ""].count > 4_000


def test_what_comes_before_the_fault_of_a_small_file_counts() -> None:
    lines = "".join(f"EX{n:06d}W ({n}) {n * 7919 % 10007}\n" for n in range(1, 400))
    data = gzip.compress(f"EX000123S (13) stop\n{lines}".encode())
    grouped = Grouped(lambda code, said: said)
    with pytest.raises(Unusable, match="cut off"):
        list(MessageFiles(RULES).read(io.BytesIO(data[:-100]), "a.dat.gz", "messages", grouped))
    assert ("EX000123S", "") in grouped.groups


@pytest.mark.parametrize("name", ["ExstreamMessages.dat", "ExstreamMessages.xml", "a.messages"])
def test_what_a_file_is_its_text_says_not_its_name(name: str) -> None:
    assert read(b'<log><m code="EX000123S" customer="13"/></log>', name) == {"EX000123S": (1, "13")}
    assert read(b"EX000123S (13) stop\n", name) == {"EX000123S": (1, "13")}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"hello\nworld\n", "a.dat"),
        ("値を確認してください".encode("utf-16-le") * 9, "a.dat"),
        (b"<messages><m level='9'>stop</m></messages>", "ExstreamMessages.xml"),
        (b"queue,rule\n,\n12,7\n", "exceptions.csv"),
        (b"account|status\nA1|\n", "ErrorReport.csv"),
    ],
)
def test_a_file_that_looks_like_one_and_yields_nothing_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(Unusable, match="none of which is a message"):
        read(data, name)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.dat"),
        (b"\n\n \n", "a.dat"),
        (b"<messages/>", "ExstreamMessages.xml"),
        (b"<?xml version='1.0'?><messages count='0'></messages>", "ExstreamMessages.xml"),
        (b"queue,rule\n", "exceptions.csv"),
        (b"", "exceptions.csv"),
        (b"account|status\nA1|SUCCESS\n", "ErrorReport.csv"),
        (b"EX000001I (1) done\n", "a.dat"),
    ],
)
def test_an_empty_one_is_not(data: bytes, name: str) -> None:
    assert set(read(data, name)) <= {"EX000001I"}
