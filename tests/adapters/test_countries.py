"""Countries as sites write them: one code for what anybody can know, and nothing guessed."""

import pytest

from exstream_notify.adapters.addresses import Addresses
from exstream_notify.adapters.countries import country_code
from tests.index import a_schema


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("US", "US"),
        ("us", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("840", "US"),
        ("United States", "US"),
        ("UK", "GB"),
        ("gbr", "GB"),
        ("united kingdom", "GB"),
        ("EL", "GR"),
        ("Deutschland", "DE"),
        ("Alemania", "DE"),
        ("Suisse", "CH"),
        # several countries came after it: nobody can tell which is meant
        ("SUN", "SUN"),
        ("XX", "XX"),
        ("Ruritania", "RURITANIA"),
        ("", ""),
    ],
)
def test_a_country_has_one_code(written: str, code: str) -> None:
    assert country_code(written) == code


@pytest.mark.parametrize("country", ["GB", "UK", "GBR", "United Kingdom"])
def test_a_national_number_is_read_by_its_country_however_that_is_written(country: str) -> None:
    names = ("customer_key", "document_type", "mobile", "country")
    record = a_schema().normalise(names, ("C1", "invoice", "07400 123456", country))

    assert record["country"] == "GB"
    assert Addresses().check("sms", record["mobile"], record["country"]).value == "+447400123456"
