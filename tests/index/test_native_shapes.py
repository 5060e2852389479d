"""Manifests of other shapes: queue, file, customer; recipient; attributes or children."""

from pathlib import Path

import pytest

from exnotify import seal
from exstream_notify.adapters.index import IndexUnreadable
from tests.index import a_schema, stage

NAME = "_STDDELIVERYFILE.xml"


def made(text):
    found = stage(text, NAME)
    assert not found.rejects, found.rejects
    return [
        (d["customer_key"], d["document_type"], d.get("output_uri"), d.get("account_number"))
        for d in found.documents
    ]


def around(inner, processed=None):
    count = "" if processed is None else f' customersProcessed="{processed}"'
    return f"<delivery{count}>{inner}</delivery>"


PAIR = [
    ("C1", "invoice", "output/Email_Invoices/D1.pdf", None),
    ("C2", "invoice", "output/Email_Invoices/D2.pdf", None),
]


@pytest.mark.parametrize(
    "inner",
    [
        '<queue name="Email_Invoices"><file name="D1.pdf"><customer number="C1"/></file>'
        '<file name="D2.pdf"><customer number="C2"/></file></queue>',
        '<n:Queue xmlns:n="urn:x" name="Email_Invoices"><n:File name="D1.pdf"><n:Customer number="C1">'
        '</n:Customer></n:File><n:File name="output/Email_Invoices/D2.pdf"><n:Customer number="C2" pages="2"/>'
        "</n:File></n:Queue>",
        "<queues><queue><name>Email_Invoices</name><files><file><name>D1.pdf</name><customer><number>C1</number>"
        "</customer></file><file><fileName>D2.pdf</fileName><customer><number> C2 </number></customer></file>"
        "</files></queue></queues>",
        '<queue name="Email_Invoices"><file name="D1.pdf"><customer number="1"><key name="AccountNumber">C1</key>'
        '</customer></file><file name="D2.pdf"><customer number="2"><key name="AccountNumber">C2</key></customer>'
        "</file></queue>",
    ],
)
def test_customers_of_a_file_of_a_queue(inner):
    assert made(around(inner)) == PAIR


@pytest.mark.parametrize(
    "inner",
    [
        '<recipient customerId="C1" accountNumber="A1"><queue name="Email_Invoices"/></recipient>',
        "<recipient><customerId>C1</customerId><accountNumber>A1</accountNumber><queue>Email_Invoices</queue></recipient>",
        '<recipient customerId="C1" accountNumber="A1" number="7"><queues><queue><name>Email_Invoices</name></queue>'
        "</queues></recipient>",
        '<customer customerId="C1" accountNumber="A1"><queueName>Email_Invoices</queueName></customer>',
    ],
)
def test_a_recipient_with_its_queue(inner):
    assert made(around(inner)) == [("C1", "invoice", None, "A1")]


def test_plain_fields_are_read_by_their_names():
    (found,) = stage(
        around(
            '<recipient customerId="C1" documentId="D1"><CustomerEmail>c1@example.com</CustomerEmail>'
            '<queue name="Email_Invoices"/></recipient>'
        ),
        NAME,
    ).documents
    assert (found["email"], found["document_id"]) == ("c1@example.com", "D1")


def test_a_file_of_several_customers_is_nobody_s_document():
    customers = "".join(f'<customer number="C{n}"/>' for n in (1, 2, 3))
    text = around(
        f'<queue name="Email_Invoices"><file name="all.pdf">{customers}</file>'
        '<file name="D4.pdf"><customer number="C4"/></file></queue>'
    )
    assert [(key, uri) for key, _, uri, _ in made(text)] == [
        ("C1", None),
        ("C2", None),
        ("C3", None),
        ("C4", "output/Email_Invoices/D4.pdf"),
    ]


def test_a_customer_in_two_queues_is_one_customer_with_two_records(tmp_path: Path):
    queue = '<queue name="{}"><file name="{}"><customer number="C1"/></file></queue>'
    text = around(
        queue.format("Email_Invoices", "D1.pdf") + queue.format("Email_Statements", "D2.pdf"), processed=1
    )
    tally = stage(text, NAME).tally
    assert (tally.records, tally.customers, tally.customers_processed) == (2, 1, 1)
    (tmp_path / NAME).write_text(text)
    facts = seal.examine(tmp_path / NAME, NAME)
    assert (facts.records, facts.customers, facts.problem, facts.single) == (2, 1, "", False)


def test_values_that_contradict_each_other_are_rejected():
    text = around(
        '<customer customerId="C1"><customerId>C2</customerId><queue name="Email_Invoices"/></customer>'
    )
    (reject,) = stage(text, NAME).rejects
    assert (reject["field"], reject["reason"]) == (
        "customer_key",
        "given more than once, with different values",
    )


@pytest.mark.parametrize(
    ("text", "processed"),
    [
        (around("<customersProcessed>5</customersProcessed>"), 5),
        (around("", 5), 5),
        ('<a><outputList customersProcessed="2"/><outputList customersProcessed="3"/></a>', 5),
        ('<a customersProcessed="9"><outputList customersProcessed="5"/></a>', 5),
    ],
)
def test_the_manifest_s_own_count_is_found(text, processed, tmp_path: Path):
    assert stage(text, NAME).tally.customers_processed == processed
    (tmp_path / NAME).write_text(text)
    assert "says 5 customers and holds 0" in seal.examine(tmp_path / NAME, NAME).problem


def test_what_says_nothing_of_customers_is_no_manifest():
    with pytest.raises(IndexUnreadable, match="not a delivery manifest"):
        stage("<documents><document><x>C1</x></document></documents>", NAME)


@pytest.mark.parametrize("shape", ["<customer number='C{0}'/>", "<customer><number>C{0}</number></customer>"])
def test_many_customers_are_read_alike_however_the_parser_goes(shape):
    inner = "".join(
        f'<queue name="Email_Invoices"><file name="D{n}.pdf">{shape.format(n)}</file></queue>'
        for n in range(500)
    )
    keyed = "".join(
        f'<customer><key name="AccountNumber">K{n}</key><queueName>Email_Invoices</queueName></customer>'
        for n in range(500)
    )
    found = made(around(keyed + inner + keyed.replace(">K", ">L")))
    assert [row[0] for row in found] == [
        *(f"K{n}" for n in range(500)),
        *(f"C{n}" for n in range(500)),
        *(f"L{n}" for n in range(500)),
    ]
    assert found[700][2] == "output/Email_Invoices/D200.pdf"


def test_a_site_s_own_name_of_the_key_counts():
    from exstream_notify.adapters.index import AliasTable

    schema = a_schema(aliases=AliasTable({"customer_key": ["Kunde"]}))
    text = around('<recipient Kunde="C1" number="1"><queue name="Email_Invoices"/></recipient>')
    (found,) = stage(text, NAME, schema=schema).documents
    assert found["customer_key"] == "C1"
