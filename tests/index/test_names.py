"""Which field a site's name means."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def losers_of(*names, table=None):
    """The names that must not say otherwise than others, each with these."""
    plan = (table or AliasTable()).plan(names)
    return {names[at]: [names[winner] for winner in winners] for at, winners in plan.losers}


@pytest.mark.parametrize(
    ("names", "losers"),
    [
        (("email", "mobile"), {}),
        (("email", "Email"), {"Email": ["email"]}),
        (("CustomerEmail", "e-mail", "x"), {"CustomerEmail": ["e-mail"]}),
        (
            ("due_date", "DueDate", "PaymentDueDate"),
            {"DueDate": ["due_date"], "PaymentDueDate": ["due_date"]},
        ),
        (("AccountNumber", "account_number"), {}),
        (("AccountNumber", "CustomerId"), {}),
        (
            ("AccountNumber", "customer_key", "account_number"),
            {"AccountNumber": ["account_number", "customer_key"]},
        ),
        (("x", "X"), {}),
    ],
)
def test_a_name_that_feeds_nothing_must_agree_with_what_does(names, losers):
    assert losers_of(*names) == losers
    assert AliasTable().plan(names).careful == bool(losers)


def test_a_site_that_names_a_field_s_column_has_decided_over_the_default_aliases():
    table = AliasTable({"customer_key": ["CustomerId"], "email": ["Mail", "Post"]})
    assert losers_of("CustomerId", "ContactId", table=table) == {}
    assert losers_of("CustomerId", "customer_key", table=table) == {"customer_key": ["CustomerId"]}
    assert losers_of("Mail", "Post", "CustomerEmail", table=table) == {"Post": ["Mail"]}


KNOWN = sorted(
    {"customer_key", "x", *(name for names in default_aliases().values() for name in names), *FIELDS}
)


@given(st.lists(st.sampled_from(KNOWN), unique=True, max_size=6), st.data())
def test_fewer_names_have_no_more_that_must_agree(names, data):
    """What a record leaves empty does not make a conflict of what was none."""
    plan = AliasTable().plan(tuple(names))
    fewer = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    left = AliasTable().plan(tuple(name for name in names if name in fewer))
    assert plan.losers or not left.losers
