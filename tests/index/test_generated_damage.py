"""Files with random damage: a record that is read is one of the originals, and every row is accounted for."""

import json
import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.index import IndexUnreadable
from exstream_notify.adapters.index.delimited import RowRules
from tests.index import Staged, stage

NAMES = ("customer_key", "document_id", "document_type", "last_name", "email", "amount_due")


def rows(count: int) -> list[list[str]]:
    """Records with a key and an address of their own."""
    people = ('Marks, "the Elder"', "Lee", "Ó Súilleabháin", "a|b", "")
    return [
        [f"KEY{n:04d}", f"DOC{n:04d}", "invoice", people[n % 5], f"mail{n:04d}@example.com", f"{n}.00"]
        for n in range(count)
    ]


def quoted(field: str, separator: str) -> str:
    """A field as RFC 4180 has it."""
    return '"' + field.replace('"', '""') + '"' if '"' in field or separator in field else field


_MARKS = re.compile(r"(?:KEY|DOC|mail)([0-9]{4})")


def is_of_one(found: Staged) -> None:
    """Whatever of an original is in a record, its key, its document or its address, is of one original."""
    for document in found.documents:
        assert len(set(_MARKS.findall(json.dumps(document)))) <= 1, document


# A stray quote, as at the beginning of a field, at its end, or in its midst; a row cut off, or with a column
# too many or too few, as a whole; an empty line; a row that stands for itself between two stray quotes.
DAMAGE = st.tuples(
    st.integers(0, 11),
    st.integers(0, 5),
    st.sampled_from(["open", "close", "mid", "pair", "cut", "more", "fewer", "blank", "separator", "break"]),
)


def damaged(lines: list[list[str]], separator: str, damage: Sequence[tuple[int, int, str]]) -> list[str]:
    """The rows as text, each with its damage."""
    cells = [[quoted(cell, separator) for cell in line] for line in lines]
    after: dict[int, str] = {}
    for at, column, kind in damage:
        if at >= len(cells) or column >= len(cells[at]):
            continue
        row = cells[at]
        if kind == "open":
            row[column] = '"' + row[column]
        elif kind == "close":
            row[column] += '"'
        elif kind == "mid":
            row[column] = row[column][:2] + '"' + row[column][2:]
        elif kind == "pair":
            row[column] = f'"{row[column]}" x'
        elif kind == "cut":
            del row[column + 1 :]
        elif kind == "more":
            row.append("more")
        elif kind == "fewer":
            row.pop()
        elif kind == "separator":
            row[column] += separator
        else:
            after[at] = "\n" if kind == "blank" else ""
    return [separator.join(row) + "\n" + after.get(at, "") for at, row in enumerate(cells)]


@given(
    st.integers(1, 12),
    st.lists(DAMAGE, max_size=6),
    st.sampled_from(["a.index.csv", "a.index.psv"]),
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "latin-1"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\x1a", '"']),
)
def test_no_damage_to_rows_and_quotes_mixes_two_records(
    count: int, damage: list[tuple[int, int, str]], name: str, encoding: str, line_end: str, end: str
) -> None:
    separator = "," if name.endswith("csv") else "|"
    text = separator.join(NAMES) + "\n" + "".join(damaged(rows(count), separator, damage)) + end
    person = sum(1 for line in text.split("\n")[1:] if line.strip("\r\x1a "))
    data = text.replace("\n", line_end).encode(encoding)
    found = stage(data, name, encoding="latin-1" if encoding == "latin-1" else None)
    is_of_one(found)
    assert found.tally.documents + found.tally.rejected == person


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 900), st.sampled_from('"\n|,x')), max_size=4))
def test_no_character_anywhere_mixes_two_records_and_both_readers_count_alike(
    count: int, put: list[tuple[int, str]]
) -> None:
    text = "|".join(NAMES) + "\n"
    body = "".join(damaged(rows(count), "|", []))
    for at, character in put:
        at %= len(body) + 1
        body = body[:at] + character + body[at:]
    found = stage(text + body, "a.index.psv")
    is_of_one(found)
    assert found.tally.records == sum(1 for line in body.split("\n") if line.strip())


@given(st.integers(2, 8), st.integers(0, 7), st.integers(0, 7), st.integers(3, 4))
def test_two_stray_quotes_are_refused_where_fields_may_have_several_lines_too(
    count: int, first: int, last: int, column: int
) -> None:
    first, last = sorted((first % count, last % count))
    cells = rows(count)
    for row in cells:
        row[3] = "Lee"
    cells[first][column] = '"' + cells[first][column]
    cells[last][column] += '"'
    text = "\n".join(["|".join(NAMES), *("|".join(row) for row in cells)])
    found = stage(text, "a.index.psv", rows=RowRules(multi_line=True))
    is_of_one(found)
    assert found.tally.documents + found.tally.rejected == count
    if first != last:
        assert found.tally.rejected == last - first + 1


@given(
    st.integers(1, 8),
    st.lists(
        st.tuples(st.integers(0, 1200), st.sampled_from(['"', "\n", "{", "}", ",", "\\", "x"])), max_size=4
    ),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_no_damage_to_json_lines_mixes_two_records(
    count: int, put: list[tuple[int, str]], twice: bool, encoding: str
) -> None:
    lines = [json.dumps(dict(zip(NAMES, row, strict=True))) for row in rows(count)]
    if twice:  # a line end got lost: two objects in one line
        lines = [lines[0] + "".join(lines[1:2]), *lines[2:]]
    body = "\n".join(lines)
    for at, character in put:
        at %= len(body) + 1
        body = body[:at] + character + body[at:]
    try:
        found = stage(body.encode(encoding), "a.index.jsonl")
    except IndexUnreadable:
        return  # the whole file is refused, and nobody is notified by it
    is_of_one(found)
    assert found.tally.records == found.tally.documents + found.tally.rejected
