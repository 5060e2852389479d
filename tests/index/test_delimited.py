"""Comma and pipe: quotes, headers, rows that do not fit."""

import re

import pytest

from exnotify import seal
from exstream_notify.adapters.index import IndexUnreadable
from exstream_notify.adapters.index.delimited import RowRules
from exstream_notify.domain.runs import Trailer
from tests.index import a_schema, limits, stage

HEADER = "customer_key,document_id,document_type,last_name\n"


def ids(found):
    return [d["document_id"] for d in found.documents]


def test_quoted_fields_hold_separators_and_quotes():
    text = HEADER + 'C1,D1,invoice,"Marks, ""the Elder"""\n' + 'C2,D2,invoice,O"Brien\n'
    found = stage(text, "a.index.csv")
    assert [d["last_name"] for d in found.documents] == ['Marks, "the Elder"', 'O"Brien']


def test_pipes_separate_where_the_name_says_so():
    text = HEADER.replace(",", "|") + 'C1|D1|invoice|Marks, Elder\nC2|D2|invoice|"a|b"\n'
    assert [d["last_name"] for d in stage(text, "a.index.psv").documents] == ["Marks, Elder", "a|b"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("C2,D2,invoice", "fewer fields than the header"),
        ("C2,D2,invoice,Ana,more", "more fields than the header"),
        ('C2,D2,invoice,"Ana" Maria', "misplaced quotes or line ends"),
        ('C2,"D2,invoice,Ana"x', "misplaced quotes or line ends"),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_alone(bad, reason):
    found = stage(HEADER + f"C1,D1,invoice,x\n{bad}\nC3,D3,invoice,y\n", "a.index.csv")
    assert ids(found) == ["D1", "D3"]
    (reject,) = found.rejects
    assert (reject["pos"], reject["field"], reject["reason"], reject["raw"]) == (2, None, reason, bad)


@pytest.mark.parametrize(
    "bad",
    [
        "C2,D2,invoice,Ana\rC9,D9,invoice,Ben",
        'C2,D2,invoice,"Ana\rC9,D9,invoice,Ben"',
        'C2,D2,invoice,"Ana\rC9,D9,invoice,Ben\nC3,D3,invoice,"Eva',
        "C2,D2,invoice,Ana\r\rC9,D9,invoice,Ben\r",
    ],
)
def test_each_row_that_ends_in_a_cr_alone_counts(bad, tmp_path):
    """Rows that only a CR separates are refused one by one, as a person counts them; the seal agrees."""
    text = HEADER + f"C1,D1,invoice,x\n{bad}\nC4,D4,invoice,y\n"
    found = stage(text, "a.index.csv")
    rows = [part for part in re.split("[\r\n]", bad) if part]
    assert ids(found) == ["D1", "D4"]
    assert [reject["raw"] for reject in found.rejects] == rows
    assert found.tally.records == 2 + len(rows)
    (tmp_path / "a.index.csv").write_text(text, newline="")
    assert seal.examine(tmp_path / "a.index.csv", "a.index.csv").records == 2 + len(rows)


def test_empty_lines_and_empty_fields_at_the_end_do_no_harm():
    text = HEADER.replace("\n", ",,\n") + "\nC1,D1,invoice,x\n\n\nC2,D2,invoice,y,,,\n\n"
    assert ids(stage(text, "a.index.csv")) == ["D1", "D2"]


def test_columns_without_a_name_are_passed_over():
    text = "customer_key,,document_id,,document_type\nC1,a,D1,b,invoice\n"
    assert ids(stage(text, "a.index.csv")) == ["D1"]


def test_a_header_alone_is_a_run_of_nobody():
    assert stage(HEADER, "a.index.csv").tally.records == 0


def test_columns_that_mean_nothing_may_have_the_same_name():
    text = "customer_key,filler,document_id,filler,document_type\nC1,a,D1,b,invoice\n"
    found = stage(text, "a.index.csv")
    assert [{name: d[name] for name in d if name != "pos"} for d in found.documents] == [
        {"customer_key": "C1", "document_id": "D1", "document_type": "invoice"}
    ]


def test_the_last_line_needs_no_end():
    assert ids(stage(HEADER + "C1,D1,invoice,x", "a.index.csv")) == ["D1"]


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", "byte 0", "the file is empty"),
        ("\n\n", "line 1", "there is no header line"),
        ("C1,D1,invoice,Ana\nC2,D2,invoice,Ben\n", "line 1", "no known column name"),
        ("customer_key|document_type\nC1|invoice\n", "line 1", "columns are not separated by commas"),
        ("customer_key;document_type\nC1;invoice\n", "line 1", "columns are not separated by commas"),
        ("customer_key\tdocument_type\nC1\tinvoice\n", "line 1", "columns are not separated by commas"),
        ("\ndocument_id,document_type\nD1,invoice\n", "line 2", "customer_key: no column of that name"),
        ("customer_key,email,email\nC1,a,b\n", "line 1", "two columns have the same name"),
        ('customer_key,"document_type" x\n', "line 1", "misplaced quotes"),
        (
            ",".join(["customer_key", *(f"c{n}" for n in range(256))]) + "\n",
            "line 1",
            "more than 256 columns",
        ),
        ('customer_key,"document\ntype"\nC1,invoice\n', "line 2", "runs over the end of its line"),
        ('customer_key,"document_type\n', "line 1", "runs over the end of its line"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(text, at, reason):
    with pytest.raises(IndexUnreadable, match=reason) as refused:
        stage(text, "a.index.csv")
    assert refused.value.at == at


def test_a_line_of_50_megabytes_is_refused_before_it_is_in_memory():
    with pytest.raises(IndexUnreadable, match="more than 1048576 characters") as refused:
        stage(HEADER + "C1,D1,invoice,x\n" + "C2,D2,invoice," + "x" * 50_000_000 + "\n", "a.index.csv")
    assert refused.value.at == "line 3"


def test_the_limit_of_a_line_is_exact():
    line = "C1,D1,invoice," + "x" * 86 + "\n"
    assert ids(stage(HEADER + line, "a.index.csv", **limits(line_chars=len(line)))) == ["D1"]
    with pytest.raises(IndexUnreadable, match="a line of more than"):
        stage(HEADER + line, "a.index.csv", **limits(line_chars=len(line) - 1))
    last = line.rstrip("\n")
    assert ids(stage(HEADER + last, "a.index.csv", **limits(line_chars=len(last)))) == ["D1"]
    with pytest.raises(IndexUnreadable, match="a line of more than"):
        stage(HEADER + last, "a.index.csv", **limits(line_chars=len(last) - 1))


PSV = "customer_key|document_id|document_type|last_name|email|amount_due|currency\n"
SEVERAL_LINES = RowRules(multi_line=True)


def psv(number, name="Lee", **fields):
    return f"C{number}|D{number}|invoice|{name}|c{number}@example.com|{number}.00|USD\n"


def rows_of(found):
    """What was read, and of each reject its place, its reason and the line of the file."""
    assert found.tally.records == len(found.documents) + len(found.rejects)
    return ids(found), [(r["pos"], r["reason"], r["raw"]) for r in found.rejects]


OPEN = "a quoted field runs over the end of its line; it opens on line "


@pytest.mark.parametrize(
    ("rows", "read", "opened", "refused"),
    [
        # two rows of the right width, as one
        ([psv(1), psv(2, '"Rig'), psv(3, 'Pipe 12"'), psv(4)], ["D1", "D4"], 3, (2, 3)),
        # a whole row between two quotes
        ([psv(1, '"Rig'), psv(2), psv(3, 'Pipe 12"'), psv(4)], ["D4"], 2, (1, 2, 3)),
        # the closing quote is followed by something else
        ([psv(1, '"Rig'), psv(2), psv(3, '"Pipe" Works'), psv(4)], ["D4"], 2, (1, 2, 3)),
        # the quote that closes was to open a field of its own
        ([psv(1, '"Rig'), psv(2), psv(3, '"Lee"'), psv(4), psv(5, '"Lee"')], ["D4", "D5"], 2, (1, 2, 3)),
        # never closed
        ([psv(1), psv(2, '"Rig'), psv(3), psv(4)], ["D1"], 3, (2, 3, 4)),
        ([psv(1), psv(2), psv(3, '"Rig')], ["D1", "D2"], 4, (3,)),
        # in the first, and in the last column
        ([psv(1), '"' + psv(2), psv(3).replace("|", '"|', 1), psv(4)], ["D1", "D4"], 3, (2, 3)),
        ([psv(1).replace("USD", '"USD'), psv(2).replace("USD", 'USD"'), psv(3)], ["D3"], 2, (1, 2)),
        # empty lines between are nobody's row
        ([psv(1, '"Rig'), "\n", " \n", psv(2, 'x"'), psv(3)], ["D3"], 2, (1, 4)),
        # a quote in mid-field is a character
        ([psv(1, 'R"ig'), psv(2, '5"'), psv(3)], ["D1", "D2", "D3"], 0, ()),
    ],
)
def test_a_quote_that_swallows_lines_refuses_each_of_them(rows, read, opened, refused):
    found = stage(PSV + "".join(rows), "a.index.psv")
    lines = [(OPEN + str(opened), rows[number - 1].rstrip("\n")) for number in refused]
    assert rows_of(found)[0] == read
    assert [(reason, raw) for _, reason, raw in rows_of(found)[1]] == lines
    if refused:
        assert found.tally.reject_reasons == {OPEN + str(opened): len(refused)}


def test_a_lone_carriage_return_within_quotes_is_the_end_of_a_line_too():
    lines = [psv(2, '"Rig').rstrip("\n"), psv(3, 'Pipe 12"').rstrip("\n")]
    found = stage(PSV + psv(1) + "\r".join(lines) + "\n" + psv(4), "a.index.psv")
    assert rows_of(found) == (["D1", "D4"], [(2, OPEN + "3", lines[0]), (3, OPEN + "3", lines[1])])


def test_reading_goes_on_where_a_quote_swallows_more_than_a_field_may_have():
    rows = [psv(1, '"Rig'), *(psv(number) for number in range(2, 12_000))]
    found = stage(PSV + "".join(rows), "a.index.psv")
    assert 1000 < found.tally.rejected < 10_000
    assert found.tally.records == len(rows)
    assert ids(found)[-1] == "D11999"
    assert ids(found) == [f"D{found.tally.rejected + number}" for number in range(1, len(ids(found)) + 1)]


def test_quoted_lines_without_end_are_rejected_line_by_line():
    rows = HEADER + 'C1,D1,invoice,"' + 'x","y\n' * 30_000
    found = stage(rows, "a.index.csv", **limits(line_chars=50_000))
    assert (found.tally.records, found.tally.documents) == (30_000, 0)
    assert len(found.tally.reject_reasons) < 10


def test_very_many_quotes_do_not_make_very_many_reasons():
    rows = [psv(number, '"Rig' if number % 2 else 'x"') for number in range(1, 2001)]
    found = stage(PSV + "".join(rows), "a.index.psv")
    assert found.tally.rejected == 2000
    assert len(found.tally.reject_reasons) == 21
    assert found.tally.reject_reasons["a quoted field runs over the end of its line"] == 1960
    assert found.rejects[-1]["reason"] == OPEN + "2000"


def test_a_field_of_more_than_the_csv_module_reads_is_rejected_alone():
    found = stage(PSV + psv(1) + psv(2, "x" * 140_000) + psv(3), "a.index.psv")
    assert ids(found) == ["D1", "D3"]
    assert found.rejects[0]["reason"] == "a field of more than 131072 characters"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_domain_may_have_fields_of_several_lines(end):
    rows = [psv(1, '"Marks\n""the""\nElder"'), psv(2).replace("USD", '"USD\n"'), psv(3)]
    text = (PSV + "".join(rows)).replace("\n", end)
    found = stage(text, "a.index.psv", rows=SEVERAL_LINES)
    assert [d["last_name"] for d in found.documents] == ['Marks "the" Elder', "Lee", "Lee"]
    assert rows_of(stage(text, "a.index.psv"))[0] == ["D3"]


@pytest.mark.parametrize(
    ("rows", "read", "refused"),
    [
        ([psv(1), psv(2, '"Rig'), psv(3, 'Pipe 12"'), psv(4)], ["D1", "D4"], (2, 3)),
        ([psv(1, '"Rig'), psv(2), psv(3, 'Pipe 12"'), psv(4)], ["D4"], (1, 2, 3)),
        # the row that the quote opens in is cut off, so the joined row has the right width
        (['C1|D1|invoice|"Rig\n', psv(2, 'Pipe 12"'), psv(3)], ["D3"], (1, 2)),
        # the row that it closes in lacks its beginning
        ([psv(1, '"Rig'), 'Pipe 12"|c2@example.com|2.00|USD\n', psv(3)], ["D3"], (1, 2)),
        ([psv(1, '"Rig'), psv(2, '"Pipe" Works'), psv(3)], ["D3"], (1, 2)),
        ([psv(1, '"Rig\nMore"|too|many'), psv(3)], ["D3"], (1, 2)),
        ([psv(1, '"Rig'), psv(2), psv(3)], [], (1, 2, 3)),
    ],
)
def test_even_then_what_may_be_rows_is_refused(rows, read, refused):
    found = stage(PSV + "".join(rows), "a.index.psv", rows=SEVERAL_LINES)
    lines = "".join(rows).splitlines()
    assert rows_of(found)[0] == read
    assert [raw for _, _, raw in rows_of(found)[1]] == [lines[number - 1] for number in refused]


# --- the end of the file ---


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a", "\n\x1a\r\n", " \x1a\n\n", "\x1a\0\0"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_an_end_of_file_mark_is_no_record(end, encoding):
    for text in (PSV + psv(1), (PSV + psv(1)).rstrip("\n")):
        found = stage((text + end).encode(encoding), "a.index.psv")
        assert rows_of(found) == (["D1"], [])


def test_an_end_of_file_mark_behind_utf_16_may_be_one_byte():
    assert ids(stage((PSV + psv(1)).encode("utf-16") + b"\x1a", "a.index.psv")) == ["D1"]


def test_an_end_of_file_mark_within_the_file_is_a_row_and_nothing_behind_it_is_lost():
    found = stage(PSV + psv(1) + "\x1a\n" + psv(2), "a.index.psv")
    assert ids(found) == ["D1", "D2"]
    assert found.tally.rejected == 1


TRAILER = RowRules(trailer=Trailer("TRL", 2))


@pytest.mark.parametrize(
    ("end", "rules", "disagreements"),
    [
        ("TRL|2\n", TRAILER, []),
        ('"TRL"|"0002"\n\n\x1a', TRAILER, []),
        ("TRL|2|||||\n", TRAILER, []),
        ("TRL|4\n", RowRules(trailer=Trailer("TRL", 2, 2)), []),
        ("TRL0000002\n", RowRules(trailer=Trailer("TRL", 1)), []),
        ("TRL|any\n", RowRules(trailer=Trailer("TRL")), []),
        ("", RowRules(trailer=Trailer("TRL", 2, required=False)), []),
        ("", TRAILER, ["trailer_missing"]),
        ("TRL|3\n", TRAILER, ["trailer_count_mismatch"]),
        ("TRL|1\n", TRAILER, ["trailer_count_mismatch"]),
        ("TRL\n", TRAILER, ["trailer_count_mismatch"]),
        ("TRL|two\n", TRAILER, ["trailer_count_mismatch"]),
    ],
)
def test_a_trailer_row_is_no_record_and_its_count_is_compared(end, rules, disagreements):
    found = stage(PSV + psv(1) + psv(2) + end, "a.index.psv", rows=rules)
    assert rows_of(found) == (["D1", "D2"], [])
    assert [d.code for d in found.tally.disagreements] == disagreements


def test_a_trailer_row_in_the_midst_is_a_reject_and_rejects_are_counted():
    text = PSV + psv(1) + "TRL|1\n" + psv(2) + "C3|D3\n" + "TRL|4\n"
    found = stage(text, "a.index.psv", rows=TRAILER)
    assert rows_of(found) == (
        ["D1", "D2"],
        [
            (2, "a trailer row before the end of the file", "TRL|1"),
            (4, "fewer fields than the header", "C3|D3"),
        ],
    )
    assert found.tally.disagreements == []


def test_a_trailer_row_that_nobody_described_is_rejected_with_what_to_do():
    found = stage(PSV + psv(1) + "TRL|1\n", "a.index.psv")
    assert [reason for _, reason, _ in rows_of(found)[1]] == [
        "fewer fields than the header; a trailer row needs `trailer` in rules/domains.yaml"
    ]


def test_a_site_names_its_columns():
    from exstream_notify.adapters.index import AliasTable

    schema = a_schema(aliases=AliasTable({"customer_key": ["Kundennr."], "document_type": ["Art"]}))
    found = stage(
        "KUNDEN-NR;x,Art,DocId\n".replace(";x", "") + "C1,Invoice,D1\n", "a.index.csv", schema=schema
    )
    assert (found.documents[0]["customer_key"], found.documents[0]["document_type"]) == ("C1", "invoice")
