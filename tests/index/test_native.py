"""The native manifest: customers, keys, queues; which of them make documents."""

import pytest

from exstream_notify.adapters.index import IndexUnreadable
from exstream_notify.domain.documents import FileFault
from tests.index import stage

NAME = "_STDDELIVERYFILE.xml"


def customer(*queues, **keys):
    inner = "".join(f'<key name="{name}">{value}</key>' for name, value in keys.items())
    return f"<customer>{inner}{''.join(f'<queueName>{queue}</queueName>' for queue in queues)}</customer>"


def manifest(*customers, processed=None):
    count = len(customers) if processed is None else processed
    return f'<outputList customersProcessed="{count}">{"".join(customers)}</outputList>'


def documents(*args, **keys):
    """Type, id, queue and path of what one customer makes."""
    found = stage(manifest(customer(*args, AccountNumber="C1", **keys)), NAME)
    return [
        (d["document_type"], d["document_id"], d.get("queue_name"), d.get("output_uri"))
        for d in found.documents
    ]


def test_a_manifest_with_site_names_a_namespace_and_unknown_elements():
    text = """<?xml version="1.0" encoding="UTF-8"?>
    <m:delivery xmlns:m="urn:site"><m:info><m:customerCount>2</m:customerCount></m:info>
    <m:outputList m:customersProcessed="2" engine="23.4">
      <m:customer number="1"><m:keys><m:key type="x" name="AccountNumber"> C1 </m:key>
        <m:key name="CustomerEmail">c1@example.com</m:key><m:key name="Nobody">x</m:key></m:keys>
        <m:queues><m:queue><m:queueName>Email_Invoices</m:queueName><m:pages>3</m:pages></m:queue></m:queues>
      </m:customer>
      <m:customer><m:key name="AccountNumber">C2</m:key><m:key>nameless</m:key>
        <m:key name="DocumentType">Utility_Bill</m:key></m:customer>
    </m:outputList></m:delivery>"""
    found = stage(text, NAME)
    assert [(d["customer_key"], d["document_type"]) for d in found.documents] == [
        ("C1", "invoice"),
        ("C2", "utility-bill"),
    ]
    assert found.documents[0]["email"] == "c1@example.com"
    tally = found.tally
    assert (tally.records, tally.customers, tally.customers_processed, tally.documents) == (2, 2, 2, 2)


def test_the_account_number_is_the_customer_unless_there_is_another():
    (found,) = stage(
        manifest(customer("Email_Invoices", AccountNumber="C1", account_number="A1")), NAME
    ).documents
    assert (found["customer_key"], found["account_number"]) == ("C1", "A1")


@pytest.mark.parametrize(
    ("queues", "keys", "made"),
    [
        # by type, by queue, by the file's folder
        (["Email_Letters"], {"DocumentType": "invoice", "document_id": "D1"}, [("invoice", "D1", "Email_Letters", None)]),
        (["Email_Invoices"], {"document_id": "D1"}, [("invoice", "D1", "Email_Invoices", None)]),
        ([], {"QueueFilename": "output/Email_Invoices/D1.pdf"}, [("invoice", "D1", None, "output/Email_Invoices/D1.pdf")]),
        (["EMAIL-INVOICES"], {"document_id": "D1"}, [("invoice", "D1", "EMAIL-INVOICES", None)]),
        # the entry's own type wins over its queue's
        (["Email_Invoices"], {"DocumentType": "statement", "document_id": "D1"}, [("statement", "D1", "Email_Invoices", None)]),
        (
            ["Email_Invoices", "Print"],
            {"DocumentType": "statement", "document_id": "D1"},
            [("statement", "D1", "Email_Invoices", None)],
        ),
        # two queues of a type are one document, delivered in two ways
        (["Email_Statements", "SMS_Statements"], {"document_id": "D1"}, [("statement", "D1", "Email_Statements", None)]),
        # two queues of two types are two documents
        (
            ["Email_Statements", "Email_Invoices"],
            {"document_id": "D1"},
            [("statement", "D1", "Email_Statements", None), ("invoice", "D1:email-invoices", "Email_Invoices", None)],
        ),
        # the file belongs to the queue in whose folder it lies
        (
            ["Email_Statements", "Email_Invoices"],
            {"QueueFilename": "output/Email_Invoices/D1.pdf"},
            [
                ("invoice", "D1", "Email_Invoices", "output/Email_Invoices/D1.pdf"),
                ("statement", "D1:email-statements", "Email_Statements", None),
            ],
        ),
        # an unmapped queue beside a mapped one
        (["Print", "Email_Invoices"], {"document_id": "D1"}, [("invoice", "D1", "Email_Invoices", None)]),
        # an unmapped queue whose entry says what it is
        (["Print", "Archive"], {"DocumentType": "invoice", "document_id": "D1"}, [("invoice", "D1", "Print", None)]),
        (
            ["Print", "Email_Statements"],
            {"DocumentType": "invoice", "QueueFilename": "output/Print/D1.pdf"},
            [("invoice", "D1", "Print", "output/Print/D1.pdf"), ("statement", "D1:email-statements", "Email_Statements", None)],
        ),
        # the same queue twice
        (["Email_Invoices", "Email_Invoices"], {"document_id": "D1"}, [("invoice", "D1", "Email_Invoices", None)]),
        (["Email_Invoices", " "], {"document_id": "D1"}, [("invoice", "D1", "Email_Invoices", None)]),
    ],
)  # fmt: skip
def test_which_queues_make_documents(queues, keys, made):
    assert documents(*queues, **keys) == made


def test_a_further_document_has_nothing_of_the_first_ones_file():
    text = manifest(
        customer(
            "Email_Statements", "Email_Invoices", AccountNumber="C1", QueueFilename="output/Email_Statements/D1.pdf",
            content_sha256="ab" * 32, archive_ref="A1", supersedes="D0", CustomerEmail="c1@example.com",
        )
    )  # fmt: skip
    first, further = stage(text, NAME).documents
    assert first["content_sha256"] == "ab" * 32
    assert not {"content_sha256", "archive_ref", "output_uri", "supersedes"} & set(further)
    assert further["email"] == "c1@example.com"
    assert (first["pos"], further["pos"]) == (1, 2)


def test_queues_that_no_rule_maps_are_counted_and_ignored():
    found = stage(
        manifest(
            customer("Print", AccountNumber="C1"),
            customer("Print", "Archive", AccountNumber="C2"),
            customer("Archive", "Email_Invoices", AccountNumber="C3"),
            customer(AccountNumber="C4", QueueFilename="output/Print/D4.pdf"),
        ),
        NAME,
    )
    assert [d["customer_key"] for d in found.documents] == ["C3"]
    assert not found.rejects
    assert found.tally.queues_ignored == {"Print": 3, "Archive": 2}
    assert (found.tally.customers, found.tally.customers_without_document) == (4, 3)


def test_endlessly_many_queues_are_counted_together():
    found = stage(manifest(*(customer(f"Q{n}", AccountNumber="C") for n in range(300))), NAME)
    assert len(found.tally.queues_ignored) == 201
    assert found.tally.queues_ignored["(other)"] == 100


@pytest.mark.parametrize(
    ("bad", "field", "reason"),
    [
        (customer("Email_Invoices"), "customer_key", "missing"),
        (customer(AccountNumber="C2"), "document_type", "missing, and no queue tells it"),
        (
            customer("Email_Invoices", AccountNumber="C2", DocumentType="x"),
            "document_type",
            "no such type in the rules",
        ),
        (
            customer("Email_Invoices", "Email_Statements", AccountNumber="C2", test_flag="perhaps"),
            "test_flag",
            "neither yes nor no",
        ),
        (
            customer("\x9fQ", "Email_Invoices", AccountNumber="C2"),
            "queue_name",
            "holds a control character",
        ),
        ("<customer/>", "customer_key", "missing"),
    ],
)
def test_a_bad_customer_is_rejected_alone(bad, field, reason):
    good = [customer("Email_Invoices", AccountNumber=f"C{n}") for n in (1, 3)]
    found = stage(manifest(good[0], bad, good[1]), NAME)
    assert [d["customer_key"] for d in found.documents] == ["C1", "C3"]
    assert [(r["position"], r["field"], r["reason"]) for r in found.rejects] == [(2, field, reason)]
    assert (found.tally.records, found.tally.rejected) == (3, 1)


def test_several_lists_add_up():
    text = "<d>" + manifest(customer("Print", AccountNumber="C1")) + manifest(processed=0) + "</d>"
    assert stage(text, NAME).tally.customers_processed == 1


def test_a_count_that_is_not_there_is_not_made_up():
    text = "<outputList>" + customer("Print", AccountNumber="C1") + "</outputList>"
    assert stage(text, NAME).tally.customers_processed is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<documents><document><customer_key>C1</customer_key></document></documents>", "no outputList"),
        (manifest(processed="many"), "customersProcessed is not a number"),
        (manifest(processed=-1), "customersProcessed is not a number"),
        (manifest(customer("Print", AccountNumber="C1"))[:-20], "the XML is cut off"),
        (manifest(customer("Print", AccountNumber="C1"))[:60], "the XML is cut off"),
    ],
)
def test_what_is_no_manifest_is_refused(text, reason):
    with pytest.raises(IndexUnreadable, match=reason):
        stage(text, NAME)


def test_a_customers_other_documents_go_on_where_the_first_has_no_file():
    entry = customer(
        "Email_Invoices", "Email_Statements", "Fax", AccountNumber="C1", QueueFilename="gone.pdf"
    )
    found = stage(
        manifest(entry),
        NAME,
        check=lambda r: FileFault.MISSING if r.get("output_uri") == "gone.pdf" else None,
    )
    assert [d["document_type"] for d in found.documents] == ["statement"]
    assert (found.tally.documents, found.tally.rejected) == (1, 1)
    assert found.tally.queues_ignored == {"Fax": 1}
