"""The eligibility service's requests: read as records are, each customer with an answer or an error of its own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.eligibility_api import (
    Asked,
    Customer,
    Questions,
    RequestRefused,
    answered,
    asked_of,
    openapi,
)
from exstream_notify.adapters.record_schemas import RecordSchemas, Site
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.documents import Document
from exstream_notify.use_cases.answer_eligibility import Eligibility


def asking(body: object, site: Path | None = None) -> Questions:
    rules = YamlRules(site)
    schemas = RecordSchemas(rules, site, Site())
    text = body if isinstance(body, str) else json.dumps(body)
    return asked_of(text, rules, lambda domain: schemas.of(None, domain))


def customers(*given: object, **more: object) -> tuple[Customer, ...]:
    return asking({"domain": "retail", "customers": list(given), **more}).customers


def document(**fields: Any) -> Document:
    (one,) = customers({"customer_key": "C1", **fields})
    assert one.document is not None
    return one.document


def left_out(**fields: Any) -> list[tuple[str | None, str]]:
    (one,) = customers({"customer_key": "C1", **fields})
    return [(fault.field, fault.reason) for fault in one.left_out]


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("language", "English", "en"),
        ("language", "es-419", "es-419"),
        ("country", "USA", "US"),
        ("amount_due", 120.50, "120.50"),
        ("amount_due", "1,234.50 USD", "1234.50"),
        ("recipient", "", None),
        ("email", None, None),
        ("mobile", "NULL", None),
        ("account_status", " Default ", "default"),
        ("customer_key", 4711, "4711"),
        ("CustomerEmail", "a@example.com", None),
    ],
)
def test_a_value_is_read_as_a_record_has_it(name: str, written: object, read: object) -> None:
    (one,) = customers({"customer_key": "C1", name: written})
    assert one.document is not None
    field = "email" if name == "CustomerEmail" else name
    expected = "a@example.com" if name == "CustomerEmail" else read
    assert (getattr(one.document, field), one.left_out) == (expected, ())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"language": "klingonese"}, ("language", "not a language tag")),
        ({"mobile": ["+12025550101"]}, ("mobile", "a nested value or a number without a value")),
        ({"amount_due": "1.000"}, ("amount_due", "")),
        ({"first_name": "Ann\x07"}, ("first_name", "holds a control character")),
        ({"postcode": "\ud800"}, ("postcode", "holds a control character")),
        ({"shoe_size": 44}, ("shoe_size", "no such field")),
        ({"due_date": "2026-12-01"}, ("due_date", "says nothing about the channel")),
    ],
)
def test_what_cannot_be_read_is_left_out_and_named(fields: dict[str, object], said: tuple[str, str]) -> None:
    ((field, reason),) = left_out(**fields)
    assert field == said[0]
    assert said[1] in reason


def test_a_number_is_read_as_it_is_written() -> None:
    body = '{"domain": "retail", "customers": [{"customer_key": 12345678901234567890, "amount_due": 12345678901234.56}]}'
    (one,) = asking(body).documents
    assert (one.customer_key, one.amount_due) == ("12345678901234567890", "12345678901234.56")
    (large,) = asking(body.replace("12345678901234.56", "99999999999999.99")).documents
    assert large.amount_due == "99999999999999.99"


def test_one_customer_without_an_answer_takes_none_from_the_others() -> None:
    nobody, twice = (
        {"language": "en"},
        '{"customer_key": "C3", "email": "a@example.com", "email": "b@example.com"}',
    )
    body = json.dumps(
        {"domain": "retail", "customers": [{"customer_key": "C1"}, nobody, "TWICE", {"customer_key": "C4"}]}
    )
    asked = asking(body.replace('"TWICE"', twice))
    one = Eligibility("C1", "", True, "en", {"email": "ok", "mobile": "none"}, None, False, ())
    four = Eligibility("C4", "", False, "", {"email": "none", "mobile": "none"}, None, False, ())
    rows = json.loads(answered(asked, [one, four], ",").body or "")["customers"]

    assert [row["customer_key"] for row in rows] == ["C1", "", "C3", "C4"]
    assert [row.get("error") for row in rows] == [
        None,
        {"field": "customer_key", "reason": "missing"},
        {"field": "email", "reason": "a name stands twice in an object"},
        None,
    ]  # fmt: skip
    assert (rows[0]["known"], rows[3]["known"], rows[0]["left_out"]) == (True, False, [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ('{"domain": "retail", "customers": [{"customer_key": NaN}]}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ({"domain": "retail", "customers": []}, "customers"),
        ({"domain": "retail", "customers": [{}] * 101}, "customers"),
        ({"domain": "retail", "customers": ["C1"]}, "customers.0"),
        ({"domain": "re tail", "customers": [{}]}, "domain"),
        ({"domain": 5, "customers": [{}]}, "domain"),
        ({"customers": [{}]}, "domain"),
        ({"domain": "retail", "customers": [{}], "document_types": ["tea"]}, "document_types.0: no such"),
        ({"domain": "retail", "customers": [{}], "colour": 1}, "colour"),
        ('{"domain": "a", "domain": "b", "customers": [{}]}', "stands twice"),
    ],
)
def test_a_request_that_is_none_is_refused_as_a_whole(body: object, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason) as refused:
        asking(body)
    assert refused.value.status == 400


def test_a_request_without_a_body_is_refused() -> None:
    with pytest.raises(RequestRefused, match="body: not JSON") as refused:
        asked_of(None, YamlRules(), lambda domain: RecordSchemas(YamlRules(), None, Site()).of(None, domain))
    assert refused.value.status == 400


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with two domains, one of which writes amounts in its own way and tells holders apart."""
    (tmp_path / "domains.yaml").write_text(
        "domains:\n  retail: {}\n  cards: {implied_decimals: 2, holders: [first_name, last_name]}\n", "utf-8"
    )
    (tmp_path / "aliases.yaml").write_text("email: [Kundenmail]\n", "utf-8")
    return tmp_path


def test_a_domain_that_is_not_named_is_refused_where_the_site_names_domains(site: Path) -> None:
    with pytest.raises(RequestRefused, match=r"no such domain; domains\.yaml names retail, cards"):
        asking({"domain": "retial", "customers": [{"customer_key": "C1"}]}, site)
    assert asking({"domain": "retail", "customers": [{"customer_key": "C1"}]}, site).documents
    (site / "domains.yaml").write_text("domains: {retail: {}}\nunknown_domains: accept\n", "utf-8")
    assert asking({"domain": "retial", "customers": [{"customer_key": "C1"}]}, site).documents


def test_a_domain_reads_values_in_its_manner_and_by_the_sites_names(site: Path) -> None:
    given = {"customer_key": "C1", "amount_due": "000000012050", "Kundenmail": "a@example.com",
             "first_name": "Ann", "last_name": "Example"}  # fmt: skip
    (cards,) = asking({"domain": "cards", "customers": [given]}, site).documents
    (retail,) = asking({"domain": "retail", "customers": [given]}, site).documents
    assert (cards.amount_due, cards.email) == ("120.50", "a@example.com")
    assert cards.recipient
    assert (retail.recipient, retail.email) == (None, "a@example.com")


def test_the_description_says_which_domains_and_types_there_are(site: Path) -> None:
    rules = YamlRules(site)
    asked = openapi("https://x", rules.types, rules.named_domains)["components"]["schemas"]["Asked"]
    assert asked["properties"]["domain"] == {"type": "string", "enum": ["retail", "cards"]}
    anyone = openapi("https://x", ("statement",), YamlRules().named_domains)["components"]["schemas"]
    assert "pattern" in anyone["Asked"]["properties"]["domain"]
    assert set(anyone) >= {"CustomerAsked", "CustomerRefused", "Unread"}
    assert set(anyone["Asked"]["properties"]) == set(Asked.model_fields)


def test_the_description_says_what_each_answer_is_and_which_are_the_services_own() -> None:
    described = openapi("https://x", ("statement",), None)
    assert described["servers"] == [{"url": "https://x"}]
    (path,) = described["paths"].values()
    post = path["post"]

    def named(content: dict[str, Any]) -> str:
        (reference,) = content["application/json"]["schema"].values()
        return str(reference).removeprefix("#/components/schemas/")

    assert (named(post["requestBody"]["content"]), post["requestBody"]["required"]) == ("Asked", True)
    answers = post["responses"]
    assert {status: named(a["content"]) if "content" in a else "" for status, a in answers.items()} == {
        "200": "Answered", "400": "Problem", "401": "Problem", "404": "", "413": "", "429": "",
    }  # fmt: skip
    assert all(answer["description"] for answer in answers.values())
    schemas = described["components"]["schemas"]
    assert set(schemas) >= {"Asked", "Answered", "Problem"}
    named_inside = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schemas)))
    assert named_inside
    assert named_inside <= {f"#/components/schemas/{name}" for name in schemas}
    assert post["security"] == [{"bearer": []}]
    assert set(described["components"]["securitySchemes"]) == {"bearer"}
