"""Which messages begin in a line: a code anywhere in it does, one that is merely quoted does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.composer_messages import Grouped, messages_of, read_lines

PREFIXES = [
    "",
    "   ",
    "[",
    "11/20/2026 04:01:17 ",
    "[2026-11-30T02:00:01+01:00] ",
    "2026-11-30T02:00:01.123Z ",
    "2026-11-30 02:00:01,123 +0100 ",
    "2026/11/30 02:00:01 ",
    "30.11.2026 02:00 ",
    "30.11.26, 02:00:01 ",
    "30-Nov-2026 02:00:01 ",
    "30-NOV-26 02.00 ",
    "Nov 30 02:00:01 ",
    "Nov  3 02:00:01 host1 exstream[4711]: ",
    "<134>Nov 30 02:00:01 host1 engine: ",
    "<165>1 2026-11-30T02:00:01.003Z host1.example.com engine 4711 ID47 - ",
    "11/30/2026 02:00:01 AM ",
    "11/30/2026 2:00:01 p.m. ",
    "host1 worker-3: ",
    "[thread 7] ERROR ",
    "INFO  main  Engine  - ",
    "002:",
    "prod\\engine01> ",
    "|",
    '"',
    "実行エンジン：",
    "Nachricht ",
    "\x1b[1;31m",
    '{"code":"',
    "1", "0", "-", "+",  # of a printer
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "rest",
    [
        " (12) Field empty",
        "(12): Field empty",
        ": (12) Field empty",
        "] (12) Field empty",
        "（12）Field empty",
    ],
)
def test_the_first_code_of_a_line_begins_a_message_whatever_stands_before_it(prefix: str, rest: str) -> None:
    (found,) = messages_of(f"{prefix}EX004120E{rest}")
    assert (found.code, found.customer, found.text) == ("EX004120E", 12, "Field empty")


@pytest.mark.parametrize(
    ("prefix", "at"),
    [
        ("11/20/2026 04:01:17 ", "11/20/2026 04:01:17"),
        ("[2026-11-30T02:00:01+01:00] ", "2026-11-30 02:00:01"),
        ("30.11.2026 02:00 ", "30.11.2026 02:00"),
        ("Nov 30 02:00:01 host1 engine: ", "Nov 30 02:00:01"),
        ("30-Nov-2026 02:00:01 ", "30-Nov-2026 02:00:01"),
        ("11/30/2026 02:00:01 PM ", "11/30/2026 02:00:01 PM"),
        ("host1 ", ""),
    ],
)
def test_the_time_is_the_one_that_the_line_says(prefix: str, at: str) -> None:
    assert messages_of(f"{prefix}EX004120E (12) since 01/01/2020 00:00:00")[0].at == at


@pytest.mark.parametrize(
    "line",
    [
        "EX004120E (12) Field empty, see EX000123S",
        'EX004120E (12) The rule "EX000123S" was raised before',
        "EX004120E (12) caused by (EX000123S)",
        "EX004120E (12) because EX000123S was raised before",
        "EX004120E (12) Meldung EX000123S wurde unterdrückt",
        "EX004120E (12) Siehe EX000123S.",
        "EX004120E (12) file /data/EX000123S.dat is missing",
        "EX004120E (12) code=EX000123S",
        "EX004120E (12) see EX000123S: it stops the run",
        "EX004120E (12) 規則EX000123Sを参照",
    ],
)
def test_a_code_in_another_messages_text_is_no_message(line: str) -> None:
    assert [m.code for m in messages_of(line)] == ["EX004120E"]


@pytest.mark.parametrize(
    "line",
    [
        "EX004120E (12) Required field is empty          EX000123S (13) Run stopped      ",
        "EX004120E (12) Required field is emptyEX000123S (13) Run stopped",
        "EX004120E (12) Required field is emptyEX000123S Run stopped",
        "EX004120E (12) Required field is empty.EX000123S Run stopped",
        "EX004120E (12) Required field is empty\0\0\0EX000123S Run stopped",
        "EX004120E (12) Required field is empty\tEX000123S Run stopped",
        "EX004120E (12) Required field is empty EX000123S (13) Run stopped",
        "11/20/2026 04:01:17 EX004120E (12) empty 11/20/2026 04:01:18 EX000123S Run stopped",
        "EX004120E (12) 必須項目が空です。EX000123S (13) 停止",
        "EX004120E (12) Pflichtfeld leer…EX000123S Lauf beendet",
        '<m text="EX004120E (12) empty"/><m text="EX000123S stop"/>',
    ],
)
def test_records_without_line_ends_are_messages_each(line: str) -> None:
    found = messages_of(line)
    assert [m.code for m in found] == ["EX004120E", "EX000123S"]
    assert found[0].customer == 12
    assert "04:01:18" not in found[0].text


@pytest.mark.parametrize(
    "line",
    ["INDEX004120E.pdf is missing", "EX004120EN", "EX0041201E", "ex004120e", "see EX000123S", "EX00412 E"],
)
def test_what_only_looks_like_a_code_is_none(line: str) -> None:
    assert messages_of(line) == []


@pytest.mark.parametrize(
    ("below", "codes"),
    [
        ("    continued: rule owner LEGAL, after EX000123S", {"EX004120E"}),
        ("    EX000123S (13) Run stopped", {"EX004120E", "EX000123S"}),
        ("    11/20/2026 04:01:18 EX000123S Run stopped", {"EX004120E", "EX000123S"}),
        ("host1 EX000123S Run stopped", {"EX004120E", "EX000123S"}),
    ],
)
def test_an_indented_line_goes_on_unless_a_code_begins_it(below: str, codes: set[str]) -> None:
    grouped = Grouped(lambda code, said: said)
    list(read_lines(enumerate(["EX004120E (12) Field empty", below], 1), grouped))
    assert {code for code, _ in grouped.groups} == codes
    assert grouped.unmatched == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 999_999), st.sampled_from("SEWI"), st.integers(1, 99_999)),
        min_size=1,
        max_size=30,
    ),
    st.integers(40, 200),
)
def test_records_of_one_length_are_read_as_many_as_there_are(
    records: list[tuple[int, str, int]], length: int
) -> None:
    line = "".join(f"EX{number:06d}{letter} ({who}) wörds".ljust(length) for number, letter, who in records)
    assert [(m.code, m.customer) for m in messages_of(line)] == [
        (f"EX{number:06d}{letter}", who) for number, letter, who in records
    ]
