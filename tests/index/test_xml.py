"""XML: which elements are records, what is refused, and that the short way is the same way."""

import io
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.make_index import make_records, write_index
from exstream_notify.adapters.index import AliasTable, Fault, IndexUnreadable, Limits
from exstream_notify.adapters.index.xml_collectors import CustomerCollector, RecordCollector
from exstream_notify.adapters.index.xml_records import XmlRecords
from tests.index import limits, stage

NAME = "a.index.xml"
ALIASES = AliasTable()


def record(number, tag="document"):
    return (
        f"<{tag}><customer_key>C{number}</customer_key><document_id>D{number}</document_id>"
        f"<document_type>invoice</document_type></{tag}>"
    )


def ids(found):
    return [d["document_id"] for d in found.documents]


@pytest.mark.parametrize(
    "text",
    [
        f"<documents>{record(1)}{record(2)}</documents>",
        f'<?xml version="1.0"?>\n<a>\n  {record(1, "b")}\n  {record(2, "b")}\n</a>\n',
        f"<a>{record(1, 'invoice')}{record(2, 'letter')}</a>",
        f'<x:a xmlns:x="urn:x">{record(1, "x:doc")}{record(2, "x:doc")}</x:a>',
        f'<a xmlns="urn:x">{record(1)}{record(2)}</a>',
        f"<export><created>2026-11-20</created><documents>{record(1)}{record(2)}</documents></export>",
        f"<export><header><id>7</id><by>x</by></header><list>{record(1)}{record(2)}</list></export>",
        f"<a>{record(1)}<total>2</total>{record(2)}</a>",
        f"<a><!-- first --><?go on?>{record(1)}<!-- {record(9)} -->{record(2)}</a>",
        f"<a>{record(1)}stray text{record(2)}</a>",
        '<a><d customer_key="C1" document_id="D1" document_type="invoice"/>'
        '<d customer_key="C2" document_id="D2" document_type="invoice"></d></a>',
        "<a><d customer_key='C1' document_id='D1' document_type='invoice'/>"
        "<d customer_key='C2' document_id='D2' document_type='invoice'/></a>",
        '<a><d id="1" document_id="D1"><customer_key>C1</customer_key><document_type>invoice</document_type></d>'
        '<d id="2" document_id="D2"><customer_key>C2</customer_key><document_type>invoice</document_type></d></a>',
        '<a><r><f name="customer_key">C1</f><f name="document_id">D1</f><f name="document_type">invoice</f></r>'
        '<r><f name="customer_key">C2</f><f name="document_id">D2</f><f name="document_type">invoice</f></r></a>',
        "".join(["<a>", record(1), record(2).replace("C2", "<![CDATA[C2]]>"), "</a>"]),
        f"<a>{record(1)}{record(2).replace('<document_id>', '<email/><mobile></mobile><document_id>')}</a>",
    ],
)
def test_records_are_the_elements_that_hold_the_fields(text):
    found = stage(text, NAME)
    assert ids(found) == ["D1", "D2"]
    assert [d["customer_key"] for d in found.documents] == ["C1", "C2"]
    assert not found.rejects


def test_one_record_may_be_the_root():
    assert ids(stage(record(1), NAME)) == ["D1"]


@pytest.mark.parametrize("text", ["<documents/>", "<documents></documents>", "<a><b/></a>"])
def test_a_list_of_nothing_is_a_run_of_nobody(text):
    assert stage(text, NAME).tally.records == 0


def test_records_before_the_first_with_a_customer_are_rejects_too():
    bad = "<document><document_id>D0</document_id><document_type>invoice</document_type></document>"
    found = stage(f"<a><head><x>1</x><y>2</y></head><docs>{bad}{record(1)}</docs></a>", NAME)
    assert ids(found) == ["D1"]
    assert [(r["pos"], r["field"]) for r in found.rejects] == [(1, "customer_key")]


def test_records_that_none_of_them_has_a_customer_are_rejects():
    found = stage("<a>" + "<d><x>1</x><y>2</y></d>" * 150 + "</a>", NAME)
    assert found.tally.rejected == 150


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (
            "<document><customer><customer_key>C2</customer_key></customer></document>",
            "elements nested within a field",
        ),
        ("<document/>", "an empty record"),
        ("<document></document>", "an empty record"),
        ("<document>text</document>", "an empty record"),
    ],
)
def test_a_record_of_another_shape_is_rejected_alone(bad, reason):
    found = stage(f"<a>{record(1)}{bad}{record(3)}</a>", NAME)
    assert ids(found) == ["D1", "D3"]
    assert [(r["pos"], r["reason"], r["raw"]) for r in found.rejects] == [(2, reason, bad)]


def test_references_and_sections_are_read():
    name = "O&apos;Brien &amp; S&#246;hne &#x1F600; &lt;x&gt; <![CDATA[<&]]>"
    text = f"<a>{record(1)}{record(2).replace('<document_id>', f'<last_name>{name}</last_name><document_id>')}</a>"
    assert stage(text, NAME).documents[1]["last_name"] == "O'Brien & Söhne 😀 <x> <&"


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", "byte 0", "the file is empty"),
        (" \n ", "line 2", "cut off"),
        ("not xml", "line 1", "not well-formed"),
        (f"<a>\n{record(1)}\n", "line 3", "the XML is cut off"),
        (f"<a>\n{record(1)}\n{record(2)[:40]}", "line 3", "the XML is cut off"),
        (f"<a>\n{record(1)}\n</b>", "line 3", "mismatched tag"),
        (f"<a>\n{record(1)}\n</a><b/>", "line 3", "junk after document element"),
        (f"<a>\n{record(1)}\n{record(2).replace('C2', 'C&2')}\n{record(3)}</a>", "line 3", "not well-formed"),
        (
            f"<a>\n{record(1)}\n{record(2).replace('C2', 'a]]>b')}\n{record(3)}</a>",
            "line 3",
            "not well-formed",
        ),
        (
            f"<a>\n{record(1)}\n{record(2).replace('C2', '&what;')}\n{record(3)}</a>",
            "line 3",
            "undefined entity",
        ),
        (
            f"<a>\n{record(1)}\n{record(2).replace('C2', '&#0;')}\n{record(3)}</a>",
            "line 3",
            "invalid character",
        ),
        (
            f"<a>\n{record(1)}\n{record(2).replace('C2', chr(0))}\n{record(3)}</a>",
            "line 3",
            "not well-formed",
        ),
        (
            f"<a>\n{record(1)}\n{record(2).replace('C2', chr(1))}\n{record(3)}</a>",
            "line 3",
            "not well-formed",
        ),
        (
            f"<a>\n{record(1)}\n{record(2).replace('</document_id>', '</document_ix>')}</a>",
            "line 3",
            "mismatched tag",
        ),
        ("<a>" * 65, "line 1", "more than 64 elements within one another"),
    ],
)
def test_a_file_that_is_not_well_formed_says_where_and_why(text, at, reason):
    with pytest.raises(IndexUnreadable, match=reason) as refused:
        stage(text, NAME)
    assert refused.value.at == at


BILLION = (
    '<!DOCTYPE a [<!ENTITY x0 "ha">'
    + "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a><d><customer_key>&x9;</customer_key></d></a>"
)


@pytest.mark.parametrize("name", [NAME, "_STDDELIVERYFILE.xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        BILLION,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a PUBLIC "x" "https://example.com/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><d><customer_key>&x;</customer_key></d></a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "https://example.com/x"> %x;]><a/>',
        "<!DOCTYPE a><a/>",
        '<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE a [<!ATTLIST d customer_key CDATA "C1">]><a><d/></a>',
    ],
)
def test_declarations_and_entities_are_refused_before_anything_grows(text, name, encoding):
    with pytest.raises(IndexUnreadable, match="document type declaration or an entity"):
        stage(text.encode(encoding), name)


@pytest.mark.parametrize(
    "text",
    [
        "<a>" + record(1) + "<!-- " + "x" * 50_000_000 + " --></a>",
        "<a>" + record(1) + "x" * 50_000_000 + "</a>",
        "<a>" + record(1) + "<document><x>" + "x" * 50_000_000 + "</x></document></a>",
        "<a>" + record(1) + '<document x="' + "x" * 50_000_000 + '"/></a>',
        "<a>" + record(1) + "<document>" + "<x>1</x>" * 2_000_000 + "</document></a>",
        "<a>" + "<head>1</head>" * 1_000_000 + "</a>",
    ],
    ids=["comment", "text", "value", "attribute", "fields", "header"],
)
def test_nothing_endless_is_kept(text):
    with pytest.raises(IndexUnreadable, match="more than 1048576 characters without the end of a record"):
        stage(text, NAME)


def test_what_is_no_record_may_go_on_for_ever():
    text = "<a>" + record(1) + "<total>1</total>\n" * 200_000 + record(2) + "</a>"
    assert ids(stage(text, NAME)) == ["D1", "D2"]


def test_a_record_beyond_the_limits_is_rejected_alone():
    long = record(2).replace("C2", "x" * 300_000)
    wide = record(3).replace("<document_id>", "".join(f"<f{n}/>" for n in range(300)) + "<document_id>")
    found = stage(f"<a>{record(1)}{long}{wide}{record(4)}</a>", NAME)
    assert ids(found) == ["D1", "D4"]
    assert [r["reason"] for r in found.rejects] == ["longer than 262144 characters", "more than 256 fields"]


def test_the_limit_between_records_holds():
    text = f"<a>{record(1)}{record(2)}</a>"
    assert ids(stage(text, NAME, **limits(line_chars=200))) == ["D1", "D2"]
    with pytest.raises(IndexUnreadable, match="more than 100 characters"):
        stage(text, NAME, **limits(line_chars=100))


# --- by skeleton or by expat ---


def entries(text, *, plain, native=False, piece=10_000):
    """All that a reader says of a text, given to it in pieces: entries with their raw text, or the refusal."""
    pieces = [text[at : at + piece] for at in range(0, len(text), piece)]
    collector = CustomerCollector() if native else RecordCollector(ALIASES)
    reader = XmlRecords(pieces, "x", collector, Limits(line_chars=20_000), plain=plain)
    found = []
    try:
        for entry in reader:
            found.append(entry if isinstance(entry, Fault) else (entry[0], list(entry[1])))
    except IndexUnreadable as refused:
        return [f"{refused.at}: {refused.reason}"]  # what came before is void
    return found


def test_plain_records_do_not_reach_expat():
    text = "<a>" + "".join(map(record, range(100))) + "</a>"
    reader = XmlRecords([text], "x", RecordCollector(ALIASES), Limits())
    assert len(list(reader)) == 100
    assert reader._fed < 2 * len(record(1)) + 20


def test_where_no_two_records_are_alike_expat_reads_them_all():
    rows = "".join(record(n).replace("<document_id>", f"<x{n}/><document_id>") for n in range(1000))
    reader = XmlRecords([f"<a>{rows}</a>"], "x", RecordCollector(ALIASES), Limits())
    assert len(list(reader)) == 1000
    assert reader._skeletons._misses == 200
    assert not reader._skeletons.pays


ODD_VALUES = (
    "", " ", "x", "a&amp;b", "&lt;&gt;", "&quot;", "&apos;", "&#233;", "&#x41;", "&#13;", "&#9;", "&#0;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&nope;",
    "&", "&amp", ">", "]]>", "<![CDATA[x]]>", "<![CDATA[<]]>", "<![CDATA[&]]>", "<![CDATA[>]]>", "<![CDATA[]]>",
    "]]<![CDATA[x]]>", "a<![CDATA[x]]>b", "<![CDATA[x", "<!-- c -->", "<!-- <a> -->", "<!-- </r> -->", "<!-- -- -->",
    "<?p i?>", "<b>n</b>", "<b/>", "\r\n", "a\rb", "\t", "\x00", "\x01", "\ufffe", "\x85", "\u2028", "'", '"', "</a>",
    "</r>", "<r>", "<", "0;", "1;2;", "é", "😀",
)  # fmt: skip
ODD_ATTRIBUTES = (
    "", " ", ' name="email"', " name='email'", ' name="a&amp;b"', ' name="&nope;"', ' name=""', ' a="1" name="x:y"',
    ' a="<"', ' a="1" a="2"', ' xmlns="urn:x"', " a", ' a=">"', ' a="/>"', ' email="a\nb"', ' email="a\tb"',
    ' email="a\rb"', "\n", ' a="1"b="2"', ' email="\x01"', ' email=\'"1"\'', ' name="<![CDATA[x]]>"', ' email="0"',
)  # fmt: skip
ODD_GAPS = (
    "", "\n", "\r\n  ", "\r", "text", "&amp;", "&#32;", "<!-- c -->", "<!-- <r><key>x</key></r> -->", "<![CDATA[x]]>",
    "<![CDATA[<r/>]]>", "]]>", "\x01", "<queueName>Q</queueName>", "<?p <r></r> ?>", "<r/>", "<email>x</email>", "0;",
    "</r ><r>", "</r ><!-- </r><r><customer_key>fake</customer_key></r> --><r>",
    "</r ><!-- /><r><customer_key>fake</customer_key></r> --><r>", "</r><r x='1'/><!-- </r> --><r>",
)  # fmt: skip


def rows(number, attributes="", value="1", gap="", own="", before=""):
    """A record of two fields between plain ones of the same shape."""
    plain = "".join(
        f"<r><customer_key>C{at}</customer_key><email{attributes}>x{at}</email></r>\n" for at in range(number)
    )
    odd = f"<r{own}><customer_key>C</customer_key>{gap}<email{attributes}>{value}</email>{gap}</r>{before}"
    return f"<a><outputList>{plain}{odd}{plain}</outputList></a>"


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        *({"value": value} for value in ODD_VALUES),
        *({"attributes": attributes} for attributes in ODD_ATTRIBUTES),
        *({"own": attributes} for attributes in ODD_ATTRIBUTES),
        *({"gap": gap} for gap in ODD_GAPS),
        *({"before": gap} for gap in ODD_GAPS),
    ],
    ids=repr,
)
def test_what_is_odd_is_the_same_by_skeleton_and_by_expat(options, native):
    text = rows(4, **options)
    if native:
        text = text.replace("<r", "<customer").replace("</r", "</customer")
        text = text.replace("<customer_key>", '<key name="customer_key">').replace(
            "</customer_key>", "</key>"
        )
        text = text.replace("<email", "<key").replace("</email", "</key")
    by_expat = entries(text, plain=False, native=native)
    assert entries(text, plain=True, native=native) == by_expat
    assert entries(text, plain=True, native=native, piece=37) == by_expat
    assert not any("fake" in str(entry) for entry in by_expat)


VALUES = st.one_of(st.text(max_size=8).map(escape), st.sampled_from(ODD_VALUES))
TAGS = st.sampled_from(["customer_key", "email", "x:email", "document_type", "é", "key"])
ATTRIBUTES = st.sampled_from(ODD_ATTRIBUTES)
FIELD = st.builds(
    lambda tag, attributes, value, close: f"<{tag}{attributes}>{value}</{tag if close else 'other'}>",
    TAGS, ATTRIBUTES, VALUES, st.integers(0, 30).map(bool),
)  # fmt: skip
GAP = st.sampled_from(ODD_GAPS)


@st.composite
def documents(draw):
    """XML of a few shapes of records, each used several times with other values, now and then damaged."""
    shapes = draw(
        st.lists(
            st.tuples(ATTRIBUTES, st.lists(st.tuples(TAGS, ATTRIBUTES), max_size=4)), min_size=1, max_size=2
        )
    )
    rows = []
    tag = draw(st.sampled_from(["r", "customer", "x:customer"]))
    for _ in range(draw(st.integers(1, 6))):
        own, fields = draw(st.sampled_from(shapes))
        odd = draw(st.integers(0, 3)) == 0
        value = VALUES if odd else st.sampled_from(["1", "Ana", "O'Brien &amp; Co", "é"])
        inner = "".join(f"<{t}{a}>{draw(value)}</{t}>{draw(GAP) if odd else ''}" for t, a in fields)
        inner += draw(FIELD) if odd and draw(st.booleans()) else ""
        rows.append(f"<{tag}{own}/>" if odd and not fields else f"<{tag}{own}>{inner}</{tag}>")
        rows.append(draw(GAP) if odd else draw(st.sampled_from(["", "\n"])))
    return f'<a><outputList customersProcessed="1"><{tag}><key name="customer_key">C0</key></{tag}>{"".join(rows)}</outputList></a>'


@given(text=documents(), native=st.booleans(), piece=st.integers(1, 400))
def test_by_skeleton_or_by_expat_is_the_same(text, native, piece):
    slow = entries(text, plain=False, native=native)
    assert entries(text, plain=True, native=native) == slow
    assert entries(text, plain=True, native=native, piece=piece) == slow


@given(
    at=st.integers(0, 1800),
    cut=st.integers(0, 30),
    put=st.one_of(VALUES, GAP, ATTRIBUTES),
    native=st.booleans(),
)
def test_damaged_or_not_by_skeleton_or_by_expat_is_the_same(at, cut, put, native):
    good = GOOD["native" if native else "xml"]
    text = good[:at] + put + good[at + cut :]
    assert entries(text, plain=True, native=native) == entries(text, plain=False, native=native)


def _good(form):
    out = io.BytesIO()
    rows = [
        {name: row[name] for name in ("customer_key", "document_type", "email", "mobile")}
        for row in make_records(12)
    ]
    write_index(rows, form, out)
    return out.getvalue().decode()


GOOD = {form: _good(form) for form in ("xml", "native")}
