"""Which field a site's name means."""

import dataclasses

import pytest

from exstream_notify.adapters.index import AliasesUnusable, AliasTable, check_aliases, default_aliases
from exstream_notify.adapters.index.names import FIELDS
from exstream_notify.adapters.index.record import Record
from exstream_notify.domain.documents import STAGED_FIELDS, Document


def test_the_contract_names_the_same_fields_everywhere():
    assert set(FIELDS) == {f.name for f in dataclasses.fields(Document)} - {"domain", *STAGED_FIELDS}
    assert set(Record.__annotations__) == set(FIELDS)
    assert list(default_aliases()) == list(FIELDS), (
        "in the order of the contract, which is that of precedence"
    )


def fields_of(*names, table=None):
    return (table or AliasTable()).plan(names).fields


@pytest.mark.parametrize(
    "name", ["due_date", "DUE_DATE", "due-date", "Due Date", "DueDate", "dueDate", "duedate"]
)
def test_a_fields_own_name_is_known_however_it_is_spelled(name):
    assert fields_of(name) == ("due_date",)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("CISNumber", "customer_key"),
        ("CustomerId", "customer_key"),
        ("AccountNumber", "customer_key"),
        ("CustomerInRun", "customer_in_run"),
        ("CustomerFirstname", "first_name"),
        ("CustomerLastname", "last_name"),
        ("CustomerEmail", "email"),
        ("CustomerMobile", "mobile"),
        ("DeliveryPreference", "delivery_channel"),
        ("QueueFilename", "output_uri"),
        ("DocumentType", "document_type"),
        ("CUSTOMER E-MAIL", "email"),
        ("CampaignId", None),
        ("SYS_Title", None),
        ("", None),
    ],
)
def test_site_names(name, field):
    assert fields_of(name) == (field,)


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (("AccountNumber", "account_number"), ("customer_key", "account_number")),
        (("account_number", "AccountNumber"), ("account_number", "customer_key")),
        (("AccountNumber", "CustomerId"), ("account_number", "customer_key")),
        (("AccountNumber", "customer_key", "account_number"), (None, "customer_key", "account_number")),
        (("CISNumber", "CustomerId"), (None, "customer_key")),
        (("ACCOUNT_NUMBER",), ("account_number",)),
        (("CustomerEmail", "email"), (None, "email")),
        (("PaymentDueDate", "DueDate"), (None, "due_date")),
        (("Email", "email"), ("email", None)),
    ],
)
def test_of_several_names_for_a_field_the_most_meant_counts(names, fields):
    assert fields_of(*names) == fields


def test_a_sites_own_names_win_over_everything():
    table = AliasTable({"customer_key": ["account_number", "Kundennr"], "reference_no": ["email"]})
    assert fields_of("account_number", "CustomerId", table=table) == ("customer_key", None)
    assert fields_of("KUNDEN-NR", table=table) == ("customer_key",)
    assert fields_of("email", "CustomerEmail", table=table) == ("reference_no", "email")


def test_a_plan_is_made_once():
    table = AliasTable()
    assert table.plan(("a", "email")) is table.plan(("a", "email"))


def test_plans_are_forgotten_before_they_fill_the_memory():
    table = AliasTable()
    for number in range(3000):
        table.plan((f"name{number}",))
    assert len(table._plans) <= 1024
    table.plan(("x" * 100_000,))
    assert ("x" * 100_000,) not in table._plans


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([], "not a table"),
        ({"no_such_field": ["a"]}, "no such field"),
        ({"email": "CustomerEmail"}, "not a list"),
        ({"email": [1]}, "is no name"),
        ({"email": ["_"]}, "is no name"),
        ({"email": None}, "not a list"),
    ],
)
def test_a_table_that_is_none_says_where(table, reason):
    with pytest.raises(AliasesUnusable, match=reason):
        check_aliases(table)
