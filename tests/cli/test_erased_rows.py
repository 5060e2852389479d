"""One customer's rows in an index of any form: blanked in place, every other byte as it was."""

import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exnotify.personal.drop_bucket import lines_of
from exnotify.personal.index_rows import IndexFile, encoded, replaced
from exstream_notify.adapters.index.names import AliasTable
from exstream_notify.adapters.index.parts import MemoryParts, MemoryRejects
from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.index.staging import stage_file
from exstream_notify.domain.erased import Person, blanked, person_of, redacted
from exstream_notify.domain.notices import Event, chain_holds, happened, head, opened
from exstream_notify.domain.runs import DomainRule
from tests.fakes.examples import a_contact, a_notice, an_address

Record = Mapping[str, str]
SCHEMA = RecordSchema({"statement": "statement"}, {"STM": "statement"}, aliases=AliasTable())
NOW = datetime(2026, 11, 25, tzinfo=UTC)
ERASED = Person("retail", "K-1", words=("vexo@example.com", "+12025550121"))


def a_record(key: str, word: str, **fields: str) -> dict[str, str]:
    return {
        "customer_key": key, "document_id": f"{key}-D", "document_type": "statement",
        "first_name": f"{word}é, \"x\" <&>", "last_name": word, "email": f"{word}@example.com",
        "output_uri": f"output/STM/{word}.pdf", "amount_due": "12.50", **fields,
    }  # fmt: skip


def lines(records: Sequence[Record]) -> str:
    return "".join(json.dumps(r, ensure_ascii=False) + "\r\n" for r in records)


def array(records: Sequence[Record]) -> str:
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"


def one_line_array(records: Sequence[Record]) -> str:
    return json.dumps(records)


def delimited(separator: str) -> Callable[[Sequence[Record]], str]:
    def write(records: Sequence[Record]) -> str:
        names = list(records[0])
        rows = [separator.join('"' + r[n].replace('"', '""') + '"' for n in names) for r in records]
        return "\n".join([separator.join(names), *rows]) + "\n"

    return write


def plain_csv(records: Sequence[Record]) -> str:
    names = list(records[0])
    rows = [",".join(r[n].replace(",", " ").replace('"', "") for n in names) for r in records]
    return "\r\n".join([",".join(names), *rows])


def elements(records: Sequence[Record]) -> str:
    rows = ["".join(f"<{n}>{escape(v)}</{n}>" for n, v in r.items()) for r in records]
    return '<?xml version="1.0"?>\n<list>\n' + "\n".join(f"  <row>{r}</row>" for r in rows) + "\n</list>\n"


def attributes(records: Sequence[Record]) -> str:
    rows = [" ".join(f"{n}={quoteattr(v)}" for n, v in r.items()) for r in records]
    return "<list>" + "".join(f"<row {row}/>" for row in rows) + "</list>"


def cdata(records: Sequence[Record]) -> str:
    rows = ["".join(f"<{n}><![CDATA[{v}]]></{n}>" for n, v in r.items()) for r in records]
    noted = (f"<row><!-- {r['last_name']} -->{row}</row>" for r, row in zip(records, rows, strict=True))
    return "<list>" + "".join(noted) + "</list>"


def native(records: Sequence[Record]) -> str:
    rows = []
    for r in records:
        keys = "".join(
            f"<key name={quoteattr(n)}>{escape(v)}</key>" for n, v in r.items() if n != "output_uri"
        )
        rows.append(
            f'<customer number="1">{keys}<queue name="STM"><file>{r["output_uri"]}</file></queue></customer>'
        )
    return f'<outputList customersProcessed="{len(records)}">\n' + "\n".join(rows) + "\n</outputList>\n"


FORMS: Mapping[str, tuple[str, Callable[[Sequence[Record]], str]]] = {
    "lines": ("a.index.jsonl", lines),
    "array": ("a.index.jsonl", array),
    "array in one line": ("a.index.jsonl", one_line_array),
    "quoted commas": ("a.index.csv", delimited(",")),
    "pipes": ("a.index.psv", delimited("|")),
    "plain commas": ("a.index.csv", plain_csv),
    "elements": ("a.index.xml", elements),
    "attributes": ("a.index.xml", attributes),
    "cdata": ("a.index.xml", cdata),
    "native": ("_STDDELIVERYFILE.xml", native),
}


def file_of(name: str, data: bytes) -> IndexFile:
    return IndexFile(name, lambda: io.BytesIO(data), SCHEMA, DomainRule())


def rewritten(name: str, data: bytes, person: Person = ERASED) -> bytes:
    index, out = file_of(name, data), io.BytesIO()
    rows = list(index.rows(person))
    assert bool(rows) <= index.names(person)
    index.rewrite(rows, out)
    return out.getvalue()


def staged(name: str, data: bytes) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Entries in all, and each customer's records as staged."""
    parts = MemoryParts()
    tally = stage_file(io.BytesIO(data), name, schema=SCHEMA, parts=parts, rejects=MemoryRejects())
    found: dict[str, list[dict[str, str]]] = {}
    for line in parts.lines():
        row = json.loads(line)
        found.setdefault(row["customer_key"], []).append(row)
    return tally.records, found


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", FORMS)
def test_the_words_go_and_everything_else_stays(form: str, encoding: str, packed: bool) -> None:
    name, write = FORMS[form]
    records = [a_record("K-10", "quilb"), a_record("K-1", "vexo"), a_record("K-2", "hespe"), a_record("K-1", "vexo", document_id="K-1-E")]  # fmt: skip
    data = write(records).encode(encoding)
    if packed:
        name, data = f"{name}.gz", gzip.compress(data)
    after = rewritten(name, data)

    plain = (gzip.decompress(after) if packed else after).decode(encoding)
    assert "vexo" not in plain
    entries, found = staged(name, after)
    before_entries, before = staged(name, data)
    assert entries == before_entries == 4
    others = {key: rows for key, rows in before.items() if key != "K-1"}
    assert {key: rows for key, rows in found.items() if key != "K-1"} == others
    assert len(others) == 2
    assert rewritten(name, after) == after or not list(file_of(name, after).rows(ERASED))


def test_what_stands_before_the_first_row_stays() -> None:
    records = [a_record("K-1", "vexo"), a_record("K-2", "quilb")]
    after = rewritten("a.index.xml", elements(records).encode())
    assert after.startswith(b'<?xml version="1.0"?>\n<list>\n  <row><customer_key>K-1<')
    name = "_STDDELIVERYFILE.xml"
    after = rewritten(name, native(records).encode())
    tally = stage_file(io.BytesIO(after), name, schema=SCHEMA, parts=MemoryParts(), rejects=MemoryRejects())
    assert (tally.customers_processed, tally.customers) == (2, 2)


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_nobody_else_are_touched(form: str) -> None:
    name, write = FORMS[form]
    data = write([a_record("K-10", "quilb"), a_record("XK-1", "hespe")]).encode()
    assert list(file_of(name, data).rows(ERASED)) == []


def test_a_row_that_ends_as_another_does_is_not_taken_for_it() -> None:
    data = b"customer_key,last_name,document_type\n21,vexo,statement\n1,vexo,statement\n"
    person = Person("retail", "1")
    assert rewritten("a.index.csv", data, person).decode().splitlines()[1:] == [
        "21,vexo,statement",
        "1,,statement",
    ]


def test_of_two_holders_only_the_erased_one_goes() -> None:
    rows = [a_record("K-1", "vexo", recipient="A"), a_record("K-1", "quilb", recipient="B")]
    text = rewritten("a.index.jsonl", lines(rows).encode(), Person("retail", "K-1", "A")).decode()
    assert "vexo" not in text
    assert "quilb@example.com" in text


def test_a_row_that_was_refused_goes_too() -> None:
    data = b"customer_key,last_name,document_type\nK-1,vexo\nK-2,quilb\n"
    text = rewritten("a.index.csv", data).decode()
    assert "vexo" not in text
    assert "K-2,quilb" in text


def test_without_the_site_s_names_a_row_is_found_by_its_text() -> None:
    rows = [{"Kdnr": "K-10", "Mail": "quilb@example.com"}, {"Kdnr": "K-1", "Mail": "vexo@example.com"}]
    text = rewritten("a.index.jsonl", lines(rows).encode()).decode()
    assert "vexo" not in text
    assert "quilb@example.com" in text


def test_what_no_windows_encoding_knows_is_written_as_it_was_read() -> None:
    data = b"customer_key,last_name,document_type\nK-2,a\x81\x93b,statement\nK-1,vexo,statement\n"
    index = IndexFile("a.index.csv", lambda: io.BytesIO(data), SCHEMA, DomainRule(encoding="latin-1"))
    out = io.BytesIO()
    index.rewrite(list(index.rows(ERASED)), out)
    assert out.getvalue() == data.replace(b"K-1,vexo,statement", b"K-1,,statement")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["ab", "b", "abab", "\n", "x", "ab\n"]), max_size=12), st.data())
def test_replacing_in_pieces_is_replacing_in_the_whole(tokens: list[str], data: st.DataObject) -> None:
    text = "".join(tokens)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    count = data.draw(st.integers(0, text.count("ab")))
    assert "".join(replaced(pieces, [("ab", "-")] * count)) == text.replace("ab", "-", count)


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="changed"):
        list(replaced(["abc"], [("x", "y")]))


@given(st.binary(max_size=300))
def test_lines_of_any_file_are_the_same_bytes_again(data: bytes) -> None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    again = b"".join(line.encode(name, "surrogateescape") for line, name in lines_of(io.BytesIO(data)))
    assert again == data


def test_cp1252_text_is_encoded_again() -> None:
    assert encoded("€\x81", "cp1252") == b"\x80\x81"


# --- staged records and notices ---------------------------------------------------------------------


def test_a_blanked_record_has_its_length_and_its_identity() -> None:
    line = json.dumps(
        {**a_record("K-1", "vexo"), "pos": 7, "edition": "day:2026-11-20"}, ensure_ascii=False
    ).encode()
    after = blanked(line)
    assert len(after) == len(line)
    assert json.loads(after) == {
        "pos": 7, "customer_key": "K-1", "document_id": "K-1-D", "document_type": "statement", "edition": "day:2026-11-20",
    }  # fmt: skip
    assert blanked(after) == after


def test_an_erased_event_keeps_the_chain_and_every_head_of_it() -> None:
    contact = a_contact(email=an_address("vexo@example.com"))
    person = person_of(contact)
    notice = opened(a_notice(), NOW, "claimed", "1 email ses job")
    notice = happened(notice, NOW, "acknowledged", "by Vexo Last, statement I agree")
    middle = head(notice)
    notice = happened(notice, NOW, "sent", "1 ref")
    after = redacted(notice, person)

    assert "Vexo" not in str(after)
    assert chain_holds(after)
    assert head(after) == head(notice)
    assert after.events[1].detail == f"erased:{middle}"
    assert after.events[0] == notice.events[0]
    assert redacted(after, person) is after
    broken = (*after.events[:1], Event(after.events[1].at, "acknowledged", "by nobody", after.events[1].before), *after.events[2:])  # fmt: skip
    assert not chain_holds(replace(after, events=broken))


def test_nobody_s_words_are_taken_for_an_erasure() -> None:
    notice = opened(a_notice(), NOW, "responded", "erased:0123")
    assert notice.events[0].detail == "(erased:0123)"
