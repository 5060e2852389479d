"""Comma and pipe: quotes, headers, rows that do not fit."""

import pytest

from exstream_notify.adapters.index import IndexUnreadable
from tests.index import a_schema, limits, stage

HEADER = "customer_key,document_id,document_type,last_name\n"


def ids(found):
    return [d["document_id"] for d in found.documents]


def test_quoted_fields_hold_separators_breaks_and_quotes():
    text = HEADER + 'C1,D1,invoice,"Marks, ""the\r\nElder"""\n' + 'C2,D2,invoice,O"Brien\n'
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
        ("C2,D2,invoice,Ana\rC9,D9,invoice,Ben", "misplaced quotes or line ends"),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_alone(bad, reason):
    found = stage(HEADER + f"C1,D1,invoice,x\n{bad}\nC3,D3,invoice,y\n", "a.index.csv")
    assert ids(found) == ["D1", "D3"]
    (reject,) = found.rejects
    assert (reject["pos"], reject["field"], reject["reason"], reject["raw"]) == (2, None, reason, bad)


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
        (
            HEADER + 'C1,D1,invoice,x\nC2,D2,invoice,"open\nC3,D3,invoice,y\n',
            "line 3",
            "still open at the end",
        ),
        (
            HEADER + 'C1,D1,invoice,"' + "open\n" * 40_000,
            "line 2",
            "far too long, or its quote is not closed",
        ),
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
    with pytest.raises(IndexUnreadable, match="more than 100"):
        stage(HEADER + line, "a.index.csv", **limits(line_chars=len(line) - 1))


def test_a_record_of_endlessly_many_quoted_lines_is_refused():
    rows = 'C1,D1,invoice,"' + 'x","y\n' * 300_000
    with pytest.raises(IndexUnreadable, match="a line or record of more than"):
        stage(HEADER + rows, "a.index.csv")


def test_a_site_names_its_columns():
    from exstream_notify.adapters.index import AliasTable

    schema = a_schema(aliases=AliasTable({"customer_key": ["Kundennr."], "document_type": ["Art"]}))
    found = stage(
        "KUNDEN-NR;x,Art,DocId\n".replace(";x", "") + "C1,Invoice,D1\n", "a.index.csv", schema=schema
    )
    assert (found.documents[0]["customer_key"], found.documents[0]["document_type"]) == ("C1", "invoice")
